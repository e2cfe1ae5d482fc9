//! RESP2: commands to bytes, bytes to values.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest text a server may send: Redis' own limit.
const MAX_BULK_LEN: usize = 512 * 1024 * 1024;
/// The longest line that is not a text: errors, statuses, numbers.
const MAX_LINE_LEN: usize = 64 * 1024;
/// How deep arrays may be nested.
const MAX_DEPTH: usize = 32;
/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RespValue {
    /// Nothing there.
    Nil,
    /// `OK` and the like.
    Status(String),
    /// What the command failed with.
    Error(String),
    /// A number.
    Integer(i64),
    /// A text, maybe no UTF-8.
    Bulk(Vec<u8>),
    /// Several.
    Array(Vec<RespValue>),
}

/// Appends a command to what is to be written.
pub(super) fn encode(command: &[Vec<u8>], buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
    for word in command {
        buffer.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        buffer.extend_from_slice(word);
        buffer.extend_from_slice(b"\r\n");
    }
}

/// What was read of a connection and not yet used.
#[derive(Debug, Default)]
pub(super) struct RespReader {
    buffer: Vec<u8>,
    used: usize,
}

/// An array that is not whole.
struct OpenArray {
    left: usize,
    values: Vec<RespValue>,
}

impl RespReader {
    /// True when bytes are left over: an answer nobody asked for.
    pub(super) fn has_rest(&self) -> bool {
        self.used < self.buffer.len()
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// The connection ended or failed, or what came is no answer.
    pub(super) async fn read<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<RespValue> {
        let mut open: Vec<OpenArray> = Vec::new();
        loop {
            let mut value = match self.read_one(stream).await? {
                RespPiece::Value(value) => value,
                RespPiece::Array(0) => RespValue::Array(Vec::new()),
                RespPiece::Array(_) if open.len() >= MAX_DEPTH => return Err(invalid("arrays are nested too deeply")),
                RespPiece::Array(left) => {
                    open.push(OpenArray { left, values: Vec::new() });
                    continue;
                }
            };
            loop {
                let Some(array) = open.last_mut() else {
                    if self.used == self.buffer.len() {
                        // An idle connection holds no buffer.
                        *self = Self::default();
                    }
                    return Ok(value);
                };
                array.values.push(value);
                array.left -= 1;
                if array.left > 0 {
                    break;
                }
                value = RespValue::Array(open.pop().map(|array| array.values).unwrap_or_default());
            }
        }
    }

    async fn read_one<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<RespPiece> {
        let line = self.line(stream).await?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(|| invalid("an empty line"))?;
        let text = || String::from_utf8_lossy(rest).into_owned();
        let number = || {
            let number = std::str::from_utf8(rest).ok().and_then(|text| text.parse::<i64>().ok());
            number.ok_or_else(|| invalid("a number was expected"))
        };
        Ok(match kind {
            b"+" => RespPiece::Value(RespValue::Status(text())),
            b"-" => RespPiece::Value(RespValue::Error(text())),
            b":" => RespPiece::Value(RespValue::Integer(number()?)),
            b"$" => match number()? {
                -1 => RespPiece::Value(RespValue::Nil),
                length => RespPiece::Value(RespValue::Bulk(self.bulk(stream, length).await?)),
            },
            b"*" => match number()? {
                -1 => RespPiece::Value(RespValue::Nil),
                count => RespPiece::Array(usize::try_from(count).map_err(|_| invalid("a negative length"))?),
            },
            _ => {
                return Err(invalid(&format!("can't parse reply={:?} reading string", String::from_utf8_lossy(&line))));
            }
        })
    }

    async fn line<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<Vec<u8>> {
        let mut seen = 0;
        loop {
            let unused = &self.buffer[self.used..];
            if let Some(at) = memchr::memchr(b'\n', &unused[seen..]) {
                let end = seen + at;
                let line = unused[..end].strip_suffix(b"\r").ok_or_else(|| invalid("a line ends with LF alone"))?;
                let line = line.to_vec();
                self.used += end + 1;
                return Ok(line);
            }
            seen = unused.len();
            if seen > MAX_LINE_LEN {
                return Err(invalid("a line is too long"));
            }
            self.fill(stream).await?;
        }
    }

    async fn bulk<S: AsyncRead + Unpin>(&mut self, stream: &mut S, length: i64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BULK_LEN);
        let length = length.ok_or_else(|| invalid("the length of a text is out of range"))?;
        while self.buffer.len() - self.used < length + 2 {
            self.fill(stream).await?;
        }
        let unused = &self.buffer[self.used..];
        if &unused[length..length + 2] != b"\r\n" {
            return Err(invalid("a text is longer than its length"));
        }
        let text = unused[..length].to_vec();
        self.used += length + 2;
        Ok(text)
    }

    async fn fill<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        self.buffer.reserve(READ_BYTES);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

enum RespPiece {
    Value(RespValue),
    /// So many follow.
    Array(usize),
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("redis: {what}"))
}
