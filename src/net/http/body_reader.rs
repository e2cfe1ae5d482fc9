//! A body over HTTP/1.1 as it is read: where it ends, and how much of it is kept. It may be read on by another thread.

use super::body::{BodyLimit, BodySink};
use super::proto::chunked::Framing;
use super::proto::error::NetError;
use super::proto::response_head::ResponseHead;

/// Where more than this many bytes of a body are to come, or have come of one without a length, the network thread reads it. A
/// socket holds as much (tcp(7), `tcp_rmem`: 128 KB), so no server has to wait for a thread that is busy with a script.
pub const LONG_BODY: u64 = 32 * 1024;

/// A response whose body is read elsewhere.
#[derive(Debug)]
pub struct UnreadBody {
    /// Its head.
    pub head: ResponseHead,
    /// What was read of it, and what is left.
    pub reader: BodyReader,
}

/// The body of a response under way.
#[derive(Debug)]
pub struct BodyReader {
    framing: Framing,
    sink: BodySink,
    limit: BodyLimit,
    /// How many bytes were stored, or dropped.
    taken: usize,
    /// Nothing has come behind it.
    is_clean: bool,
    is_oversized: bool,
}

impl BodyReader {
    /// Nothing of it has come yet; with the buffer for what is kept.
    pub fn new(framing: Framing, sink: BodySink, head: &ResponseHead) -> (Self, Option<Vec<u8>>) {
        let limit = BodyLimit::new(if let Framing::Length(length) = framing { Some(length) } else { None });
        let body = match sink {
            _ if matches!(head.status, 204 | 304) => None,
            sink if sink.keeps() => Some(limit.buffer()),
            _ => None,
        };
        (Self { framing, sink, limit, taken: 0, is_clean: true, is_oversized: false }, body)
    }

    /// Takes the body's part of what arrived.
    ///
    /// # Errors
    /// What is wrong with its chunks.
    pub fn push(&mut self, bytes: &[u8], body: &mut Option<Vec<u8>>) -> Result<(), NetError> {
        let Self { framing, sink, limit, taken, is_clean, is_oversized } = self;
        let mut store = |bytes: &[u8]| {
            let wanted = &bytes[..bytes.len().min(sink.most().saturating_sub(*taken))];
            *taken += wanted.len();
            if let Some(body) = body {
                *is_oversized = *is_oversized || !limit.append(body, wanted);
            }
        };
        *is_clean = framing.push(bytes, &mut store)? == bytes.len();
        Ok(())
    }

    /// True when nothing more is read of it.
    pub fn is_done(&mut self) -> bool {
        if self.framing.is_done() || self.is_oversized {
            return true;
        }
        let is_enough = self.taken >= self.sink.most();
        self.is_clean &= !is_enough;
        is_enough
    }

    /// The connection ended here.
    ///
    /// # Errors
    /// When something is missing.
    pub fn end(&self) -> Result<(), NetError> {
        self.framing.end()
    }

    /// True when it is longer than what is kept of one.
    pub fn is_oversized(&self) -> bool {
        self.is_oversized
    }

    /// True when it was read to its end and nothing came behind it.
    pub fn is_clean(&self) -> bool {
        self.is_clean
    }

    /// True when what is left may be more than the socket holds while its thread is busy.
    pub fn is_long(&self) -> bool {
        match self.framing {
            Framing::Length(left) => left > LONG_BODY,
            Framing::Chunked(_) | Framing::UntilClose => !self.framing.is_done() && self.taken as u64 > LONG_BODY,
        }
    }
}
