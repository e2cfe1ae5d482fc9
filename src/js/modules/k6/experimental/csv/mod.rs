//! `k6/experimental/csv`: tables that all VUs share, and parsers that read row by row from a VU's own file handle.
//!
//! A table is read once per file and range of lines, by the VU that asks first; large ones off the threads that run VUs.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::super::super::Op;
use super::super::super::volley::shared_array::{Arrays, FileArray, handle};
use super::fs::{File, FileReader};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod records;
mod table;

use table::{CsvOptions, Rows};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("parse", parse), ("parser", parser), ("next", next)];

/// Files beyond this size are parsed on a thread of their own.
const LARGE: usize = 256 * 1024;

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
struct CsvParser(RefCell<Rows<FileReader>>);

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
    let rows = Rows::begin(FileReader(file), &options)
        .map_err(|reason| Throw::go(format!("failed to create a new parser; reason: {reason}")))?;
    Ok(Value::Resource(Rc::new(CsvParser(RefCell::new(rows)))))
}

/// `(parser)` -> a promise of `{done, value}`.
fn next(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let row = args.resource::<CsvParser>(0)?.0.borrow_mut().value();
    let result = row.map_err(|error| Throw::go(error.to_string())).map(|row| {
        let (done, value) = (row.is_none(), row.unwrap_or_else(|| Value::List(Vec::new())));
        Value::Map(vec![("done".to_owned(), done.into()), ("value".to_owned(), value)])
    });
    Ok(Value::Pending(Box::pin(async move { result })))
}
