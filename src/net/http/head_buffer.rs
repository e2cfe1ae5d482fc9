//! The bytes of a response's head, kept until it is complete.

use super::proto::error::NetError;
use super::proto::response_head::{status_line, trim_line};
use crate::net::socket::{give_buffer, take_buffer};

/// What has arrived of a response while its head is incomplete, interim responses included. Holds no memory before the
/// first byte.
#[derive(Default)]
pub(super) struct HeadBuffer {
    /// Everything that has arrived.
    pub bytes: Vec<u8>,
    /// Where the current head starts: after interim responses.
    pub start: usize,
    /// How far the end of the head was searched for.
    searched: usize,
    /// The status line of the current head is known to be HTTP.
    pub is_http: bool,
}

impl HeadBuffer {
    /// Appends what arrived; returns how much that was.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        if !bytes.is_empty() {
            if self.bytes.capacity() == 0 {
                self.bytes = take_buffer();
            }
            self.bytes.extend_from_slice(bytes);
        }
        bytes.len()
    }

    /// Where the head ends, once it does. A first line that can't be HTTP is refused before the rest has come.
    pub fn head_end(&mut self) -> Result<Option<usize>, NetError> {
        let bytes = &self.bytes;
        let mut at = self.searched.max(self.start);
        while let Some(found) = memchr::memchr(b'\n', &bytes[at..]) {
            let line_end = at + found;
            if !self.is_http {
                status_line(trim_line(&bytes[self.start..line_end]))?;
                self.is_http = true;
            }
            match bytes[line_end + 1..] {
                [b'\n', ..] => {
                    self.is_http = false;
                    return Ok(Some(line_end + 2));
                }
                [b'\r', b'\n', ..] => {
                    self.is_http = false;
                    return Ok(Some(line_end + 3));
                }
                // The next bytes decide: look at this line's end again.
                [] | [b'\r'] => break,
                _ => at = line_end + 1,
            }
        }
        self.searched = at;
        Ok(None)
    }

    /// The head that ended at `end` was read; the next one, or the body, begins there.
    pub fn skip_to(&mut self, end: usize) {
        (self.start, self.searched) = (end, end);
    }

    /// Gives the memory back for the next response of any connection of this thread.
    pub fn release(self) {
        give_buffer(self.bytes);
    }
}
