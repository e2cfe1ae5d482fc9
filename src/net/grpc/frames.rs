//! The frames of gRPC: every message is preceded by a flag and its length. Pieces of a body in, whole messages out.
//!
//! Messages are not looked into, and not decompressed: we never offer to take compressed ones.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use super::status::{GrpcCode, GrpcStatus};

/// Flag and length.
const HEAD: usize = 5;
/// Pieces below this size are copied together: each of its own would keep the whole read it came with.
const SMALL: usize = 1024;

/// What has arrived of a body and is not yet taken as messages.
#[derive(Debug, Default)]
pub struct Frames {
    pieces: VecDeque<Bytes>,
    /// Small pieces, behind all others.
    small: BytesMut,
    length: usize,
    /// How many bytes have to be there before the next message can be complete.
    wanted: usize,
}

impl Frames {
    /// Adds the next piece of the body.
    pub fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        if piece.len() < SMALL && self.length > piece.len() {
            self.small.extend_from_slice(&piece);
        } else if !piece.is_empty() {
            self.join();
            self.pieces.push_back(piece);
        }
    }

    /// Makes one piece of the small ones.
    fn join(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push_back(std::mem::take(&mut self.small).freeze());
        }
    }

    /// True in between messages.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The next message, once all of it is there. `encoding` is what the server says it compresses with.
    ///
    /// # Errors
    /// grpc-go's words for a message that is too large, or compressed.
    pub fn next(&mut self, most: usize, encoding: Option<&str>) -> Result<Option<Bytes>, GrpcStatus> {
        if self.length < self.wanted.max(HEAD) {
            return Ok(None);
        }
        self.join();
        let Some((flag, length)) = self.head() else { return Ok(None) };
        match (flag, encoding) {
            (0, _) => {}
            (1, None | Some("" | "identity")) => {
                let text = "grpc: compressed flag set with identity or empty encoding";
                return Err(GrpcStatus::new(GrpcCode::INTERNAL, text));
            }
            (1, Some(encoding)) => {
                let quoted = crate::units::quote::go_quote(encoding);
                let text = format!("grpc: Decompressor is not installed for grpc-encoding {quoted}");
                return Err(GrpcStatus::new(GrpcCode::UNIMPLEMENTED, text));
            }
            (flag, _) => {
                let text = format!("grpc: received unexpected payload format {flag}");
                return Err(GrpcStatus::new(GrpcCode::INTERNAL, text));
            }
        }
        if length > most {
            let text = format!("grpc: received message larger than max ({length} vs. {most})");
            return Err(GrpcStatus::new(GrpcCode::RESOURCE_EXHAUSTED, text));
        }
        if self.length < HEAD + length {
            self.wanted = HEAD + length;
            return Ok(None);
        }
        self.wanted = 0;
        self.take(HEAD);
        Ok(Some(self.take(length)))
    }

    /// Flag and length of the message that comes first.
    fn head(&self) -> Option<(u8, usize)> {
        let mut bytes = self.pieces.iter().flatten().copied();
        let mut head = [0; HEAD];
        for byte in &mut head {
            *byte = bytes.next()?;
        }
        let [flag, length @ ..] = head;
        Some((flag, u32::from_be_bytes(length) as usize))
    }

    /// Takes `count` bytes, which must be there. Copies only where they came in several pieces.
    fn take(&mut self, count: usize) -> Bytes {
        self.length -= count;
        match self.pieces.front_mut() {
            Some(first) if first.len() > count => return first.split_to(count),
            Some(first) if first.len() == count => return self.pieces.pop_front().unwrap_or_default(),
            _ => {}
        }
        let mut joined = BytesMut::with_capacity(count);
        while joined.len() < count {
            let Some(mut piece) = self.pieces.pop_front() else { break };
            let missing = count - joined.len();
            if piece.len() > missing {
                self.pieces.push_front(piece.split_off(missing));
            }
            joined.extend_from_slice(&piece);
        }
        joined.freeze()
    }
}

/// A message with its head, as it goes over the wire.
///
/// # Errors
/// grpc-go's words for a message that is larger than `most`.
pub fn frame(message: &[u8], most: usize) -> Result<Bytes, GrpcStatus> {
    let length = message.len();
    let Some(short) = u32::try_from(length).ok().filter(|_| length <= most) else {
        let text = format!("trying to send message larger than max ({length} vs. {most})");
        return Err(GrpcStatus::new(GrpcCode::RESOURCE_EXHAUSTED, text));
    };
    let mut framed = BytesMut::with_capacity(HEAD + length);
    framed.put_u8(0);
    framed.put_u32(short);
    framed.extend_from_slice(message);
    Ok(framed.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_however_they_were_cut() {
        let sent: Vec<Vec<u8>> = vec![vec![], vec![1, 2, 3], vec![7; 1000], vec![], vec![9]];
        let wire: Vec<u8> = sent.iter().flat_map(|message| frame(message, usize::MAX).unwrap()).collect();
        for cut in [1, 2, 3, 4, 5, 6, 7, 64, 1003, wire.len()] {
            let mut frames = Frames::default();
            let mut came = Vec::new();
            for piece in wire.chunks(cut) {
                frames.push(Bytes::copy_from_slice(piece));
                while let Some(message) = frames.next(1000, None).unwrap() {
                    came.push(message.to_vec());
                }
            }
            assert_eq!(came, sent, "cut into pieces of {cut}");
            assert!(frames.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_taken_says_why() {
        let check = |wire: &[u8], encoding: Option<&str>, code: GrpcCode, text: &str| {
            let mut frames = Frames::default();
            frames.push(Bytes::copy_from_slice(wire));
            assert_eq!(frames.next(4, encoding).unwrap_err(), GrpcStatus::new(code, text));
        };
        let flagged = "grpc: compressed flag set with identity or empty encoding";
        check(&[1, 0, 0, 0, 0], None, GrpcCode::INTERNAL, flagged);
        check(&[1, 0, 0, 0, 0], Some("identity"), GrpcCode::INTERNAL, flagged);
        let gzip = "grpc: Decompressor is not installed for grpc-encoding \"gzip\"";
        check(&[1, 0, 0, 0, 9], Some("gzip"), GrpcCode::UNIMPLEMENTED, gzip);
        check(&[7, 0, 0, 0, 0], None, GrpcCode::INTERNAL, "grpc: received unexpected payload format 7");
        let large = "grpc: received message larger than max (5 vs. 4)";
        check(&[0, 0, 0, 0, 5], None, GrpcCode::RESOURCE_EXHAUSTED, large);
        let sent = "trying to send message larger than max (5 vs. 4)";
        assert_eq!(frame(&[0; 5], 4).unwrap_err(), GrpcStatus::new(GrpcCode::RESOURCE_EXHAUSTED, sent));
    }
}
