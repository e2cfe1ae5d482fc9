//! What the program logs while it works: entries, handed to a function that writes them.
//!
//! Nothing here writes; `ui` turns entries into text, JSON or a file. Rooms get a [`Logger`] as an argument.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

/// The severity of an entry; the names are k6's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Shown only with `--verbose`.
    Debug,
    /// `console.log` and friends.
    Info,
    /// Something is odd, the run goes on.
    Warning,
    /// Something went wrong.
    Error,
}

impl Level {
    /// The word used in text and JSON logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A named value of an entry, such as `source=console`.
pub type LogField = (&'static str, Cow<'static, str>);

/// A value of an entry whose name is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogValue {
    /// A text.
    Text(String),
    /// A number, which JSON shows as one.
    Number(u64),
}

/// One line of the log.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// When it was logged.
    pub time: SystemTime,
    /// Its severity.
    pub level: Level,
    /// The message.
    pub message: String,
    /// Named values, in no order.
    pub fields: Vec<LogField>,
    /// Values whose names are not ours, such as tags, or that are numbers.
    pub labels: Vec<(String, LogValue)>,
}

/// Where entries go. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct Logger(Arc<dyn Fn(LogEntry) + Send + Sync>);

impl std::fmt::Debug for Logger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logger")
    }
}

impl Logger {
    /// A logger that hands every entry to `write`.
    pub fn new(write: impl Fn(LogEntry) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// A logger that drops everything.
    pub fn silent() -> Self {
        Self::new(|_| ())
    }

    /// Logs `message` with `fields`.
    pub fn log(&self, level: Level, message: impl Into<String>, fields: Vec<LogField>) {
        self.log_labelled(level, message, fields, Vec::new());
    }

    /// Logs `message` with `fields` and `labels`; of a name that both have, the field counts.
    pub fn log_labelled(
        &self,
        level: Level,
        message: impl Into<String>,
        fields: Vec<LogField>,
        labels: Vec<(String, LogValue)>,
    ) {
        (self.0)(LogEntry { time: SystemTime::now(), level, message: message.into(), fields, labels });
    }

    /// Logs something only `--verbose` shows.
    pub fn debug(&self, message: impl Into<String>) {
        self.log(Level::Debug, message, Vec::new());
    }

    /// Logs an information.
    pub fn info(&self, message: impl Into<String>) {
        self.log(Level::Info, message, Vec::new());
    }

    /// Logs a warning.
    pub fn warn(&self, message: impl Into<String>) {
        self.log(Level::Warning, message, Vec::new());
    }

    /// Logs an error.
    pub fn error(&self, message: impl Into<String>) {
        self.log(Level::Error, message, Vec::new());
    }
}
