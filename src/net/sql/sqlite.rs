//! SQLite, in this process: statements run on threads that may wait for the disk and for each other.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Batch, Connection, ErrorCode, InterruptHandle, OpenFlags, Statement};

use super::timestamp::Timestamp;
use super::value::{SqlAnswer, SqlArgument, SqlError, SqlValue};
use crate::units::quote::go_quote;

/// So long a statement waits for those that hold the database locked, unless the data source name says otherwise.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Parameters of go-sqlite3 that are pragmas: their names, and which pragma.
const PRAGMAS: [(&str, &str); 27] = [
    ("_auto_vacuum", "auto_vacuum"),
    ("_vacuum", "auto_vacuum"),
    ("_cache_size", "cache_size"),
    ("_case_sensitive_like", "case_sensitive_like"),
    ("_cslike", "case_sensitive_like"),
    ("_defer_foreign_keys", "defer_foreign_keys"),
    ("_defer_fk", "defer_foreign_keys"),
    ("_foreign_keys", "foreign_keys"),
    ("_fk", "foreign_keys"),
    ("_ignore_check_constraints", "ignore_check_constraints"),
    ("_journal_mode", "journal_mode"),
    ("_journal", "journal_mode"),
    ("_locking_mode", "locking_mode"),
    ("_locking", "locking_mode"),
    ("_mmap_size", "mmap_size"),
    ("_page_size", "page_size"),
    ("_query_only", "query_only"),
    ("_recursive_triggers", "recursive_triggers"),
    ("_rt", "recursive_triggers"),
    ("_secure_delete", "secure_delete"),
    ("_synchronous", "synchronous"),
    ("_sync", "synchronous"),
    ("_temp_store", "temp_store"),
    ("_trusted_schema", "trusted_schema"),
    ("_wal_autocheckpoint", "wal_autocheckpoint"),
    ("_writable_schema", "writable_schema"),
    ("_max_page_count", "max_page_count"),
];

/// Where a database is, and how it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteDsn {
    /// A path, `:memory:`, or an address that begins with `file:`.
    name: String,
    busy_timeout: Option<Duration>,
    pragmas: Vec<(&'static str, String)>,
}

impl SqliteDsn {
    /// Reads `path?_name=value` or `file:path?mode=ro&_name=value`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let is_address = path.starts_with("file:");
        let (mut dsn, mut passed_on) = (Self::default(), Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let bad = || format!("Invalid {name}: {}", go_quote(value));
            match name {
                "_busy_timeout" | "_timeout" => {
                    dsn.busy_timeout = Some(Duration::from_millis(value.parse().map_err(|_| bad())?));
                }
                // Moments are in UTC, and every statement has a connection to itself.
                "_loc" if matches!(value, "UTC" | "auto") => {}
                "_mutex" if matches!(value, "no" | "full") => {}
                _ if name.starts_with('_') => {
                    let pragma = PRAGMAS.iter().find(|(known, _)| *known == name);
                    let (_, pragma) = pragma
                        .ok_or_else(|| format!("sqlite3: {} is not offered in a data source name", go_quote(name)))?;
                    // It becomes part of a statement.
                    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                        return Err(bad());
                    }
                    dsn.pragmas.push((pragma, value.to_owned()));
                }
                // SQLite's own, in an address; go-sqlite3 cuts them off of a path.
                _ if is_address => passed_on.push(pair),
                _ => {}
            }
        }
        dsn.name = match passed_on.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", passed_on.join("&")),
        };
        Ok(dsn)
    }
}

/// An open database.
pub(super) struct SqliteConnection(Option<Connection>);

impl fmt::Debug for SqliteConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteConnection")
    }
}

/// Ends a statement that nobody waits for any more; its thread then closes the database.
struct InterruptOnDrop {
    handle: Option<InterruptHandle>,
    is_unwanted: Arc<AtomicBool>,
}

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.is_unwanted.store(true, Ordering::SeqCst);
            handle.interrupt();
        }
    }
}

impl SqliteConnection {
    pub(super) async fn open(dsn: &SqliteDsn) -> Result<Self, SqlError> {
        let dsn = dsn.clone();
        let opened = tokio::task::spawn_blocking(move || open(&dsn)).await;
        let opened = opened.unwrap_or_else(|error| Err(SqlError::lost(error.to_string())));
        opened.map(|connection| Self(Some(connection)))
    }

    /// Executes statements, of which the last that returns rows is shown.
    pub(super) async fn statement(&mut self, sql: &str, args: &[SqlArgument]) -> Result<SqlAnswer, SqlError> {
        let Some(connection) = self.0.take() else { return Err(SqlError::lost("driver: bad connection")) };
        let is_unwanted = Arc::<AtomicBool>::default();
        let handle = Some(connection.get_interrupt_handle());
        let mut guard = InterruptOnDrop { handle, is_unwanted: is_unwanted.clone() };
        let (sql, args) = (sql.to_owned(), args.to_vec());
        let work = tokio::task::spawn_blocking(move || {
            let answer = execute(&connection, &sql, &args, &is_unwanted);
            (connection, answer)
        });
        let (connection, answer) = work.await.map_err(|error| SqlError::lost(error.to_string()))?;
        // It has ended; an interruption would meet the next statement.
        guard.handle = None;
        self.0 = Some(connection);
        answer
    }
}

fn open(dsn: &SqliteDsn) -> Result<Connection, SqlError> {
    let lost = |error: rusqlite::Error| SqlError::lost(text_of(&error));
    let connection = Connection::open_with_flags(&dsn.name, OpenFlags::default()).map_err(lost)?;
    connection.busy_timeout(dsn.busy_timeout.unwrap_or(BUSY_TIMEOUT)).map_err(lost)?;
    for (pragma, value) in &dsn.pragmas {
        // Some answer with a row.
        connection.execute_batch(&format!("PRAGMA {pragma} = {value};")).map_err(lost)?;
    }
    Ok(connection)
}

fn execute(
    connection: &Connection,
    sql: &str,
    args: &[SqlArgument],
    is_unwanted: &AtomicBool,
) -> Result<SqlAnswer, SqlError> {
    let refused = |error: rusqlite::Error| SqlError::refused(text_of(&error));
    let changes_before = connection.total_changes();
    let (mut answer, mut rest) = (SqlAnswer::default(), args);
    let mut batch = Batch::new(connection, sql);
    while let Some(mut statement) = batch.next().map_err(refused)? {
        // An interruption before the first step has no effect.
        if is_unwanted.load(Ordering::SeqCst) {
            return Err(SqlError::lost("interrupted"));
        }
        let count = statement.parameter_count();
        let Some((own, others)) = rest.split_at_checked(count) else {
            let text = format!("not enough args to execute query: want {count} got {}", rest.len());
            return Err(SqlError::refused(text));
        };
        rest = others;
        for (place, argument) in own.iter().enumerate() {
            statement.raw_bind_parameter(place + 1, bound(argument)).map_err(refused)?;
        }
        let shown = rows(&mut statement).map_err(refused)?;
        if statement.column_count() > 0 {
            (answer.columns, answer.rows) = shown;
        }
    }
    let has_changed = connection.total_changes() != changes_before;
    answer.affected = if has_changed { connection.changes() } else { 0 };
    answer.last_insert_id = Some(connection.last_insert_rowid());
    Ok(answer)
}

/// Steps through a statement.
fn rows(statement: &mut Statement<'_>) -> rusqlite::Result<(Vec<String>, Vec<Vec<SqlValue>>)> {
    let columns: Vec<(String, String)> = statement
        .columns()
        .map(|column| (column.name().to_owned(), column.decl_type().unwrap_or_default().to_ascii_lowercase()))
        .collect();
    let (mut found, mut rows) = (Vec::new(), statement.raw_query());
    while let Some(row) = rows.next()? {
        let value = |(place, (_, declared)): (usize, &(String, String))| Ok(decode(declared, row.get_ref(place)?));
        found.push(columns.iter().enumerate().map(value).collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok((columns.into_iter().map(|(name, _)| name).collect(), found))
}

fn bound(argument: &SqlArgument) -> ToSqlOutput<'_> {
    match argument {
        SqlArgument::Null => ToSqlOutput::Owned(Value::Null),
        SqlArgument::Bool(value) => ToSqlOutput::Owned(Value::Integer((*value).into())),
        SqlArgument::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
        SqlArgument::Double(number) => ToSqlOutput::Owned(Value::Real(*number)),
        SqlArgument::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        SqlArgument::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        SqlArgument::Moment(moment) => ToSqlOutput::Owned(Value::Text(moment_text(moment))),
    }
}

/// As go-sqlite3 writes a moment: `2024-02-29 15:04:05.25+00:00`.
fn moment_text(moment: &str) -> String {
    let text = moment.trim_end_matches('Z').replace('T', " ");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}+00:00")
}

/// A value as go-sqlite3 shows it, which depends on what the column was declared to be.
fn decode(declared: &str, value: ValueRef<'_>) -> SqlValue {
    let is_time = matches!(declared, "timestamp" | "datetime" | "date");
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) if declared == "boolean" => SqlValue::Bool(number > 0),
        ValueRef::Integer(number) if is_time => {
            // Large ones are milliseconds.
            let is_millis = !(-1_000_000_000_000..=1_000_000_000_000).contains(&number);
            let (seconds, nanos) = match is_millis {
                true => (number.div_euclid(1000), number.rem_euclid(1000) as u32 * 1_000_000),
                false => (number, 0),
            };
            SqlValue::Time(Timestamp { seconds, nanos, offset: Some(0) })
        }
        ValueRef::Integer(number) => SqlValue::Number(number as f64),
        ValueRef::Real(number) => SqlValue::Number(number),
        ValueRef::Blob(bytes) => SqlValue::Bytes(bytes.to_vec().into()),
        ValueRef::Text(text) if is_time => SqlValue::Time(time_of(&String::from_utf8_lossy(text))),
        ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
    }
}

/// A text that stands for a moment; Go's first moment where it stands for none.
fn time_of(text: &str) -> Timestamp {
    let text = text.strip_suffix('Z').unwrap_or(text).replacen('T', " ", 1);
    let parsed = Timestamp::parse(&text).or_else(|| Timestamp::parse(&format!("{text}:00")));
    parsed.map_or(Timestamp::ZERO, |time| Timestamp { offset: time.offset.or(Some(0)), ..time })
}

/// SQLite's own words.
fn text_of(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(error, _) if error.code == ErrorCode::CannotOpen => {
            "unable to open database file".to_owned()
        }
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_source_names_are_read() {
        let check = |text: &str, name: &str, pragmas: &[(&str, &str)]| {
            let dsn = SqliteDsn::parse(text).unwrap();
            let found: Vec<_> = dsn.pragmas.iter().map(|(pragma, value)| (*pragma, value.as_str())).collect();
            assert_eq!((dsn.name.as_str(), found.as_slice()), (name, pragmas), "{text}");
        };
        check("a.db", "a.db", &[]);
        check(":memory:", ":memory:", &[]);
        check("a.db?mode=ro&_fk=1", "a.db", &[("foreign_keys", "1")]);
        check(
            "file:a.db?mode=ro&cache=shared&_journal=WAL",
            "file:a.db?mode=ro&cache=shared",
            &[("journal_mode", "WAL")],
        );
        check("file:a.db?_cache_size=-2000&_loc=UTC", "file:a.db", &[("cache_size", "-2000")]);
        assert_eq!(SqliteDsn::parse("a?_timeout=50").unwrap().busy_timeout, Some(Duration::from_millis(50)));
        let check = |text: &str, expect: &str| assert_eq!(SqliteDsn::parse(text).unwrap_err(), expect);
        check("a.db?_timeout=x", "Invalid _timeout: \"x\"");
        check("a.db?_auth_user=x", "sqlite3: \"_auth_user\" is not offered in a data source name");
        check("a.db?_fk=1;DROP TABLE t", "Invalid _fk: \"1;DROP TABLE t\"");
        check("a.db?_fk", "Invalid _fk: \"\"");
    }

    #[test]
    fn moments_are_read_and_written() {
        assert_eq!(moment_text("2024-02-29T15:04:05.250Z"), "2024-02-29 15:04:05.25+00:00");
        assert_eq!(moment_text("2024-02-29T15:04:00.000Z"), "2024-02-29 15:04:00+00:00");
        let check = |text: &str, seconds: i64, nanos: u32, offset: i32| {
            assert_eq!(time_of(text), Timestamp { seconds, nanos, offset: Some(offset) }, "{text}");
        };
        check("1970-01-02", 86_400, 0, 0);
        check("1970-01-01T00:01", 60, 0, 0);
        check("1970-01-01 00:00:01.5Z", 1, 500_000_000, 0);
        check("1970-01-01 01:00:00+01:00", 0, 0, 3600);
        assert_eq!(time_of("soon"), Timestamp::ZERO);
    }
}
