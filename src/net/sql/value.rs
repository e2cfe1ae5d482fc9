//! What all databases have in common: values on their way there and back, and why there are none.

use bytes::Bytes;

use super::timestamp::Timestamp;

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// NULL
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer or a float.
    Number(f64),
    /// A text.
    Text(String),
    /// A date or a time.
    Time(Timestamp),
    /// Bytes, and the text of whatever has another type.
    Bytes(Bytes),
}

/// What came of a statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlAnswer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// As many values for each row.
    pub rows: Vec<Vec<SqlValue>>,
    /// How many rows the last statement has changed or returned.
    pub affected: u64,
    /// The number that the last statement gave a row; `None` where the database doesn't tell.
    pub last_insert_id: Option<i64>,
}

/// A value for a place in a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlArgument {
    /// NULL
    Null,
    /// A boolean.
    Bool(bool),
    /// A number without a fraction.
    Int(i64),
    /// Any other number.
    Double(f64),
    /// A text, also of a number that is too large for others.
    Text(String),
    /// Bytes.
    Bytes(Bytes),
    /// A moment in UTC, as `2024-02-29T15:04:05.250Z`.
    Moment(String),
}

/// Why a statement has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SqlError {
    /// The words of the server, of the driver k6 uses, or of Go.
    pub text: String,
    /// The connection can be used again.
    pub is_usable: bool,
    /// The server's code.
    pub code: String,
}

impl SqlError {
    /// The connection can't be used any more.
    pub(super) fn lost(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_usable: false, code: String::new() }
    }

    /// Only this statement failed.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self { is_usable: true, ..Self::lost(text) }
    }

    /// Connecting took too long.
    pub(super) fn timed_out(host: &str, port: &str) -> Self {
        Self::lost(format!("dial tcp {host}:{port}: i/o timeout"))
    }
}
