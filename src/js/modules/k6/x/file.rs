//! `k6/x/file`: files of this machine, where `--allow file` says that scripts may write them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::time::Instant;

use super::super::super::Op;
use super::super::http::go;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value, text_of};
use crate::units::errno::errno_text;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("declare", declare), ("work", work)];

const METRIC: &str = "file_duration";

/// What is to be done, by the name of the method.
enum FileWork {
    Write(Vec<u8>),
    Append(Vec<u8>),
    Read,
    Clear,
    Rename(String),
    Delete,
    /// The first and the last row that goes, from 1.
    RemoveRows(f64, f64),
    CreateDirectory,
    DeleteDirectory,
}

/// Declares what work with files is timed in.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    super::declare_trend(vu, METRIC)?;
    Ok(Value::Undefined)
}

/// `(method, path, what it needs, more)` -> what is in the file, for one that reads.
fn work(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !vu.script.permissions.file {
        return Err(super::not_allowed("k6/x/file", "reading and writing files of this machine", "file"));
    }
    let (method, path) = (args.string(0), args.string(1));
    let work = match method.as_str() {
        "writeString" => FileWork::Write(go::string_of(args.get(2)).into_bytes()),
        "appendString" => FileWork::Append(go::string_of(args.get(2)).into_bytes()),
        "writeBytes" => FileWork::Write(bytes(args.take(2))?),
        "readFile" => FileWork::Read,
        "clearFile" => FileWork::Clear,
        "renameFile" => FileWork::Rename(args.string(2)),
        "deleteFile" => FileWork::Delete,
        "removeRowsBetweenValues" => FileWork::RemoveRows(args.number(2), args.number(3)),
        "createDirectory" => FileWork::CreateDirectory,
        "deleteDirectory" => FileWork::DeleteDirectory,
        other => return Err(Throw::type_error(format!("k6/x/file has no method {other}"))),
    };
    // A disk may be slow, and the VU's neighbours don't wait for it.
    let done = vu.wait(async move {
        let carried_out = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            (carry_out(&work, &path), began, Instant::now())
        });
        carried_out.await
    })?;
    let Ok((result, began, ended)) = done else { return Err(Throw::Stop) };
    let status = super::status(result.is_ok());
    super::timed(vu, METRIC, began, ended, &[("operation", &method), ("status", status)])?;
    Ok(result.map_err(Throw::go)?.map_or(Value::Undefined, |bytes| Value::String(text_of(&bytes))))
}

fn bytes(value: Value) -> Result<Vec<u8>, Throw> {
    let byte = |value: &Value| match value {
        Value::Number(number) if (0.0..=255.0).contains(number) => Ok(*number as u8),
        other => Err(Throw::type_error(format!("could not convert {} to byte", go::string_of(other)))),
    };
    match value {
        Value::Bytes(bytes) => Ok(bytes.to_vec()),
        Value::String(text) => Ok(text.into_bytes()),
        Value::List(list) => list.iter().map(byte).collect(),
        other => Err(Throw::type_error(format!("could not convert {} to bytes", go::type_of(&other)))),
    }
}

fn carry_out(work: &FileWork, path: &str) -> Result<Option<Vec<u8>>, String> {
    let named = |operation: &'static str| {
        let path = path.to_owned();
        move |error: io::Error| format!("{operation} {path}: {}", errno_text(&error))
    };
    match work {
        FileWork::Write(bytes) => {
            File::create(path).map_err(named("open"))?.write_all(bytes).map_err(named("write"))?;
        }
        FileWork::Append(bytes) => {
            let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(named("open"))?;
            file.write_all(bytes).map_err(named("write"))?;
        }
        FileWork::Read => {
            let mut file = File::open(path).map_err(named("open"))?;
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut file, &mut bytes).map_err(named("read"))?;
            return Ok(Some(bytes));
        }
        FileWork::Clear => {
            let file = OpenOptions::new().write(true).open(path).map_err(named("open"))?;
            file.set_len(0).map_err(named("truncate"))?;
        }
        FileWork::Rename(to) => {
            fs::rename(path, to).map_err(|error| format!("rename {path} {to}: {}", errno_text(&error)))?;
        }
        // As Go does it: a folder that is empty goes too.
        FileWork::Delete => {
            fs::remove_file(path).or_else(|error| fs::remove_dir(path).map_err(|_| error)).map_err(named("remove"))?
        }
        FileWork::RemoveRows(first, last) => {
            let bytes = fs::read(path).map_err(named("open"))?;
            fs::write(path, without_rows(&bytes, *first, *last)).map_err(named("write"))?;
        }
        FileWork::CreateDirectory => fs::create_dir_all(path).map_err(named("mkdir"))?,
        FileWork::DeleteDirectory => match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                fs::remove_file(path).map_err(named("unlinkat"))?
            }
            done => done.map_err(named("unlinkat"))?,
        },
    }
    Ok(None)
}

/// All rows but those from the first to the last of these, which are counted from 1.
fn without_rows(bytes: &[u8], first: f64, last: f64) -> Vec<u8> {
    let rows = bytes.split_inclusive(|byte| *byte == b'\n').zip(1_u32..);
    rows.filter(|(_, number)| !(first..=last).contains(&f64::from(*number))).flat_map(|(row, _)| row).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_out() {
        let check = |text: &str, first: f64, last: f64, expect: &str| {
            assert_eq!(without_rows(text.as_bytes(), first, last), expect.as_bytes(), "{text:?} {first} {last}");
        };
        check("a\nb\nc\nd\n", 2.0, 3.0, "a\nd\n");
        check("a\nb\nc", 3.0, 3.0, "a\nb\n");
        check("a\nb\n", 0.0, 9.0, "");
        check("a\nb\n", 2.0, 1.0, "a\nb\n");
        check("a\nb\n", f64::NAN, f64::NAN, "a\nb\n");
        check("", 1.0, 1.0, "");
    }
}
