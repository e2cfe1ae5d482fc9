//! Compatibility: how strictly options are read, and the warnings about forms that k6 refuses.
//!
//! Some forms that k6 refuses are accepted, with one warning that names the portable form; in strict mode they are refused
//! as in k6.

/// Collects warnings while something is read.
#[derive(Clone, Debug, Default)]
pub struct Compat {
    /// Whether what k6 refuses is refused here too.
    pub strict: bool,
    /// One line each, without repetitions.
    pub warnings: Vec<String>,
    /// Unportable forms that have been warned about.
    forms: Vec<&'static str>,
}

impl Compat {
    /// Without warnings so far.
    pub fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// Warns about a form that k6 refuses, the first time it is seen.
    pub fn warn_unportable(&mut self, form: &'static str, line: impl Into<String>) {
        if !self.forms.contains(&form) {
            self.forms.push(form);
            self.warn(line);
        }
    }

    /// Adds a warning, once.
    pub fn warn(&mut self, line: impl Into<String>) {
        let line = line.into();
        if !self.warnings.contains(&line) {
            self.warnings.push(line);
        }
    }
}
