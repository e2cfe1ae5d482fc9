//! `k6/experimental/fs`: handles on files that the run has read; the bytes are there once for all VUs.
//!
//! Files are read whole when they are opened, as everything a script opens is; nothing is ever written.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;

use super::super::super::Op;
use crate::js::loader::Loader;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::source::files::OpenError;

/// The native half. Promises are of `{value}`, or of `{name, message}` for what is refused.
pub const OPS: &[(&str, Op)] = &[("inInit", in_init), ("open", open), ("stat", stat), ("read", read), ("seek", seek)];

/// A file that a VU has opened, and its offset.
#[derive(Debug)]
pub struct File {
    /// Its absolute path.
    pub path: String,
    /// What is in it.
    pub bytes: Bytes,
    /// Where the next read begins; never behind the end.
    pub offset: Cell<usize>,
}

impl File {
    /// The next bytes, at most `most`; none at the end.
    fn next(&self, most: usize) -> Bytes {
        let begin = self.offset.get().min(self.bytes.len());
        let end = begin.saturating_add(most).min(self.bytes.len());
        self.offset.set(end);
        self.bytes.slice(begin..end)
    }

    /// Moves as [`File::seek`] and gives the new place.
    fn seek(&self, by: i64, whence: i64) -> Result<usize, &'static str> {
        let size = self.bytes.len() as i64;
        let from = match whence {
            0 if by < 0 => return Err("offset cannot be negative when using SeekModeStart"),
            0 => 0,
            1 => self.offset.get() as i64,
            _ if by > 0 => return Err("offset cannot be positive when using SeekModeEnd"),
            // The end is the last byte, not the place behind it.
            _ => size - 1,
        };
        match from.saturating_add(by) {
            place if place < 0 => Err("seeking before start of file"),
            place if place > size => Err("seeking beyond end of file"),
            place => {
                self.offset.set(place as usize);
                Ok(place as usize)
            }
        }
    }
}

/// What a promise of this module is fulfilled with.
fn fulfilled(result: Result<Value, (&'static str, String)>) -> Result<Value, Throw> {
    let answer = match result {
        Ok(value) => vec![("value".to_owned(), value)],
        Err((name, message)) => vec![("name".to_owned(), name.into()), ("message".to_owned(), message.into())],
    };
    Ok(Value::Pending(Box::pin(async move { Ok(Value::Map(answer)) })))
}

fn in_init(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(vu.is_init().into())
}

/// `(path)` -> a promise of `[handle, absolute path]`
fn open(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (path, found) = Loader::of(&vu.script).open_beside_main(&args.string(0));
    fulfilled(match found {
        Ok(bytes) => {
            let file = File { path: path.clone(), bytes, offset: Cell::new(0) };
            Ok(Value::List(vec![Value::Resource(Rc::new(file)), path.into()]))
        }
        Err(OpenError::NotFound) => Err(("NotFoundError", format!("no such file or directory {path:?}"))),
        Err(OpenError::IsDirectory) => {
            Err(("InvalidResourceError", format!("cannot open {path:?}: opening a directory is not supported")))
        }
        Err(OpenError::Sealed) => Err((
            "ForbiddenError",
            format!("open() failed; reason: {path:?} was not opened during initialization (__VU==0)"),
        )),
        Err(OpenError::Other(cause)) => {
            Err(("InvalidResourceError", format!("open() failed; reason: cannot open {path:?}: {cause}")))
        }
    })
}

/// `(handle)` -> a promise of `{name, size}`
fn stat(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let file = args.resource::<File>(0)?;
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let size = file.bytes.len() as f64;
    fulfilled(Ok(Value::Map(vec![("name".to_owned(), name.into()), ("size".to_owned(), size.into())])))
}

/// `(handle, most)` -> a promise of the next bytes; `null` at the end.
fn read(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let file = args.resource::<File>(0)?;
    if file.offset.get() >= file.bytes.len() {
        return fulfilled(Ok(Value::Null));
    }
    fulfilled(Ok(Value::Bytes(file.next(args.number(1) as usize))))
}

/// `(handle, offset, whence)` -> a promise of the new place.
fn seek(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let place = args.resource::<File>(0)?.seek(args.number(1) as i64, args.number(2) as i64);
    fulfilled(place.map(|place| (place as f64).into()).map_err(|message| ("TypeError", message.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> File {
        File { path: "/a".to_owned(), bytes: "0123456789".into(), offset: Cell::new(4) }
    }

    #[test]
    fn seeks() {
        let check = |by: i64, whence: i64, expect: Result<usize, &str>| {
            let file = file();
            assert_eq!(file.seek(by, whence), expect, "{by} from {whence}");
            assert_eq!(file.offset.get(), expect.unwrap_or(4));
        };
        check(0, 0, Ok(0));
        check(10, 0, Ok(10));
        check(11, 0, Err("seeking beyond end of file"));
        check(-1, 0, Err("offset cannot be negative when using SeekModeStart"));
        check(-4, 1, Ok(0));
        check(6, 1, Ok(10));
        check(-5, 1, Err("seeking before start of file"));
        check(i64::MAX, 1, Err("seeking beyond end of file"));
        check(0, 2, Ok(9));
        check(-9, 2, Ok(0));
        check(-10, 2, Err("seeking before start of file"));
        check(1, 2, Err("offset cannot be positive when using SeekModeEnd"));
    }

    #[test]
    fn reads_to_the_end_without_copying() {
        let file = file();
        assert_eq!(file.next(3), "456");
        assert_eq!(file.next(99), "789");
        assert_eq!(file.next(99), "");
        assert_eq!(file.offset.get(), 10);
    }
}
