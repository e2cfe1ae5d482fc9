//! What the program has to say while it works: entries, handed to whoever writes them.
//!
//! Nothing here writes; `ui` turns entries into text, JSON or a file. Rooms get a [`Logger`] as an argument.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

/// How grave an entry is; the names are k6's.
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
pub type Field = (&'static str, Cow<'static, str>);

/// A fact of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// A text.
    Text(String),
    /// A number, which JSON shows as one.
    Number(u64),
}

/// One thing said.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it was said.
    pub time: SystemTime,
    /// How grave it is.
    pub level: Level,
    /// The words.
    pub message: String,
    /// Further facts, in no order.
    pub fields: Vec<Field>,
    /// Facts whose names are not ours, such as tags, or that are numbers.
    pub labels: Vec<(String, Label)>,
}

/// Where entries go. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct Logger(Arc<dyn Fn(Entry) + Send + Sync>);

impl std::fmt::Debug for Logger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logger")
    }
}

impl Logger {
    /// A logger that hands every entry to `write`.
    pub fn new(write: impl Fn(Entry) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// A logger that forgets everything.
    pub fn silent() -> Self {
        Self::new(|_| ())
    }

    /// Says `message` with `fields`.
    pub fn log(&self, level: Level, message: impl Into<String>, fields: Vec<Field>) {
        self.log_labelled(level, message, fields, Vec::new());
    }

    /// Says `message` with `fields` and `labels`; of a name that both have, the field counts.
    pub fn log_labelled(
        &self,
        level: Level,
        message: impl Into<String>,
        fields: Vec<Field>,
        labels: Vec<(String, Label)>,
    ) {
        (self.0)(Entry { time: SystemTime::now(), level, message: message.into(), fields, labels });
    }

    /// Says something only `--verbose` shows.
    pub fn debug(&self, message: impl Into<String>) {
        self.log(Level::Debug, message, Vec::new());
    }

    /// Says something.
    pub fn info(&self, message: impl Into<String>) {
        self.log(Level::Info, message, Vec::new());
    }

    /// Warns.
    pub fn warn(&self, message: impl Into<String>) {
        self.log(Level::Warning, message, Vec::new());
    }

    /// Reports an error.
    pub fn error(&self, message: impl Into<String>) {
        self.log(Level::Error, message, Vec::new());
    }
}
