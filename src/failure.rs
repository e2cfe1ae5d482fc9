//! An error on its way to the user: born with its exit code, carried upwards, printed once.

use crate::exit_code::ExitCode;

/// What went wrong, the code the process ends with, and what would help.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The code of the innermost place that knew.
    pub code: ExitCode,
    /// One line: what, where, what would be right. A script exception brings its stack with it.
    pub message: String,
    /// What would help, shown as the field `hint`.
    pub hint: Option<String>,
    /// True for an exception of the script: the message is its stack trace.
    pub is_exception: bool,
}

impl Failure {
    /// A failure with its code and its one line.
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, is_exception: false }
    }

    /// An exception of the script, with its stack as text.
    pub fn exception(stack: impl Into<String>) -> Self {
        let hint = Some("script exception".to_owned());
        Self { code: ExitCode::ScriptException, message: stack.into(), hint, is_exception: true }
    }

    /// Adds what would help.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what would help, if anything does.
    pub fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Puts `context: ` before the message.
    pub fn context(mut self, context: impl std::fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }
}

/// Gives any error its exit code where it is born: `parse(raw).exit(ExitCode::InvalidConfig)?`.
pub trait ExitWith<T> {
    /// Turns the error into a [`Failure`] with this code.
    fn exit(self, code: ExitCode) -> Result<T, Failure>;
}

impl<T, E: std::fmt::Display> ExitWith<T> for Result<T, E> {
    fn exit(self, code: ExitCode) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(code, error.to_string()))
    }
}
