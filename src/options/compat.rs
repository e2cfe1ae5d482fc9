//! How strictly words are read, and what there is to say about the way they were written.
//!
//! Where the written procedure of the project uses a form k6 refuses, the form is read and a note names the
//! portable one; strict reading leaves k6's refusal.

/// Collects warnings while something is read.
#[derive(Clone, Debug, Default)]
pub struct Compat {
    /// True where what k6 refuses is refused here too.
    pub strict: bool,
    /// One line each, no line twice.
    pub warnings: Vec<String>,
    /// Unportable forms that have had their line.
    forms: Vec<&'static str>,
}

impl Compat {
    /// Reads as k6 does, or a little more.
    pub fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// Warns about a form k6 refuses, the first time it is met.
    pub fn lenient(&mut self, form: &'static str, line: impl Into<String>) {
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
