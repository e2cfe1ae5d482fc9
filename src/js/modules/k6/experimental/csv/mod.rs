//! `k6/experimental/csv`: tables that all VUs share, and parsers that read row by row from a VU's own file handle.
//!
//! A table is read once per file and range of lines, by the VU that asks first; large ones off the threads that run VUs.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;

use super::super::super::Op;
use super::super::super::volley::shared_array::{Arrays, FileArray, handle};
use super::fs::File;
use crate::js::modules::cpu_pool;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod records;
mod table;

use records::{CsvError, LineSource};
use table::{CsvOptions, RowText, Rows};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("parse", parse), ("parser", parser), ("next", next)];

/// Files beyond this size are parsed on a thread of their own.
const LARGE: usize = 256 * 1024;
/// As are rows that do not end within so many bytes.
const LONG_ROW: usize = 64 * 1024;

/// Bytes, read from an offset on.
struct Cursor {
    bytes: Bytes,
    at: usize,
}

impl Read for Cursor {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = (&self.bytes[self.at..]).read(into)?;
        self.at += count;
        Ok(count)
    }
}

impl LineSource for Cursor {
    fn rest_of_line(&self) -> usize {
        (&self.bytes[self.at..]).rest_of_line()
    }
}

/// The file a script gave.
fn file_of(args: &Args) -> Result<Rc<File>, String> {
    args.resource::<File>(0)
        .map_err(|_| format!("first argument expected to be a fs.File instance, got {} instead", go_type(args.get(0))))
}

/// The name of a value's type in k6's engine, which its message shows.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Undefined => "sobek.valueUndefined",
        Value::Null => "sobek.valueNull",
        Value::Bool(_) => "sobek.valueBool",
        Value::Number(number) if number.fract() == 0.0 => "sobek.valueInt",
        Value::Number(_) => "sobek.valueFloat",
        Value::String(text) if text.is_ascii() => "sobek.asciiString",
        Value::String(_) => "sobek.unicodeString",
        Value::Opaque("symbol") => "*sobek.Symbol",
        _ => "*sobek.Object",
    }
}

/// `(file, options)` -> a promise of a shared array's handle.
fn parse(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let file = file_of(&args).map_err(Throw::go)?;
    let options = CsvOptions::read(args.take(1))
        .map_err(|reason| Throw::go(format!("failed to interpret the provided Parser options; reason: {reason}")))?;
    let source = Cursor { bytes: file.bytes.clone(), at: file.offset.get() };
    let begun = Rows::begin(source, &options);
    let mut rows = begun.map_err(|reason| Throw::go(format!("failed to create a new parser; reason: {reason}")))?;
    file.offset.set(rows.source().at);
    let table = vu.script.module_state::<Arrays>().table(format!("{}\0{options:?}", file.path));
    Ok(Value::Pending(Box::pin(async move {
        let mut read = move || {
            let rows_read = rows.all().map_err(Throw::go)?;
            Ok(FileArray { rows: Arc::new(rows_read), end: rows.source().at })
        };
        let is_large = file.bytes.len() > LARGE;
        let filled = table.get_or_try_init(|| async move {
            if !is_large {
                return read();
            }
            let read = tokio::task::spawn_blocking(read).await;
            read.unwrap_or_else(|_| Err(Throw::go("failed to read record; reason: the parser broke down")))
        });
        let table = filled.await?;
        // A VU that finds the table continues where the reader of the table ended.
        file.offset.set(table.end);
        Ok(handle(table.rows.clone()))
    })))
}

/// A parser of one VU.
struct CsvParser {
    file: Rc<File>,
    rows: Arc<Mutex<Rows<Cursor>>>,
    /// Where the handle stood when this parser last moved it: others may move it, too.
    stood: Cell<usize>,
}

impl CsvParser {
    /// Reads on where the handle stands.
    fn enter(&self, rows: &mut Rows<Cursor>) {
        let stands = self.file.offset.get();
        if stands != self.stood.replace(stands) {
            rows.source_mut().at = stands;
        }
    }

    /// Moves the handle to where was read; the row, or the end, as a script sees it.
    fn leave(&self, rows: &Rows<Cursor>, row: Result<Option<RowText>, CsvError>) -> Result<Value, Throw> {
        let at = rows.source().at;
        self.file.offset.set(at);
        self.stood.set(at);
        let row = row.map_err(|error| Throw::go(error.to_string()))?;
        let (done, value) = (row.is_none(), row.map_or_else(|| Value::List(Vec::new()), RowText::value));
        Ok(Value::Map(vec![("done".to_owned(), done.into()), ("value".to_owned(), value)]))
    }
}

/// True when the next row ends soon, so that reading it takes no time.
fn is_short(rows: &Rows<Cursor>) -> bool {
    let Cursor { bytes, at } = rows.source();
    let rest = &bytes[*at..];
    rest.len() <= LONG_ROW || records::has_record(rows.buffered().iter().chain(&rest[..LONG_ROW]))
}

/// `(file, options)` -> a parser's handle.
fn parser(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.is_init() {
        return Err(Throw::go("csv Parser constructor must be called in the init context"));
    }
    if matches!(args.get(0), Value::Undefined | Value::Null) {
        return Err(Throw::go("csv Parser constructor takes at least one non-nil source argument"));
    }
    let file = file_of(&args).map_err(Throw::go)?;
    let options = CsvOptions::read(args.take(1)).map_err(|reason| {
        Throw::go(format!("encountered an error while interpreting Parser options; reason: {reason}"))
    })?;
    let source = Cursor { bytes: file.bytes.clone(), at: file.offset.get() };
    let rows = Rows::begin(source, &options)
        .map_err(|reason| Throw::go(format!("failed to create a new parser; reason: {reason}")))?;
    let at = rows.source().at;
    file.offset.set(at);
    Ok(Value::Resource(Rc::new(CsvParser { file, rows: Arc::new(Mutex::new(rows)), stood: Cell::new(at) })))
}

/// `(parser)` -> a promise of `{done, value}`. What is long is read where no VU runs, one row after the other.
fn next(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let parser = args.resource::<CsvParser>(0)?;
    if let Ok(mut rows) = parser.rows.try_lock() {
        parser.enter(&mut rows);
        if is_short(&rows) {
            let row = rows.next_text();
            let result = parser.leave(&rows, row);
            return Ok(Value::Pending(Box::pin(async move { result })));
        }
    }
    Ok(Value::Pending(Box::pin(async move {
        let mut rows = parser.rows.clone().lock_owned().await;
        parser.enter(&mut rows);
        // Whoever no longer waits leaves the rows as they are when this one was read.
        let read = cpu_pool::run(move || {
            let row = rows.next_text();
            (rows, row)
        });
        let Some((rows, row)) = read.await else {
            return Err(Throw::go("failed to read record; reason: the parser broke down"));
        };
        parser.leave(&rows, row)
    })))
}
