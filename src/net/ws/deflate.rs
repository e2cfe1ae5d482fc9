//! permessage-deflate (RFC 7692) without context takeover: every message is packed and unpacked on its own, so all
//! connections of a thread share one packer and one unpacker, and an idle connection keeps neither.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// What is offered, and what the server has to agree to.
pub const OFFER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// What follows a message that was flushed, and is not sent.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// Unpackers that a thread keeps for the next messages.
const MAX_IDLE: usize = 4;

thread_local! {
    // The fastest level, as k6.
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static UNPACKERS: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// True when the server's answer agrees to packing; the error is its answer to something that was not offered.
///
/// # Errors
/// It wants packing, but not the way it was offered.
pub fn agreed<'a>(extensions: impl Iterator<Item = &'a str>) -> Result<bool, &'static str> {
    for extension in extensions.flat_map(|value| value.split(',')) {
        let mut parts = extension.split(';').map(str::trim);
        if parts.next() != Some("permessage-deflate") {
            continue;
        }
        let given: Vec<&str> = parts.collect();
        let has = |wanted: &str| given.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        return match has("server_no_context_takeover") && has("client_no_context_takeover") {
            true => Ok(true),
            false => Err("websocket: invalid compression negotiation"),
        };
    }
    Ok(false)
}

/// Packs a message.
pub fn pack(message: &[u8]) -> Vec<u8> {
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        let mut packed = Vec::with_capacity(message.len() / 2 + 64);
        loop {
            let at = packer.total_in() as usize;
            let result = packer.compress_vec(&message[at..], &mut packed, FlushCompress::Sync);
            let is_done = packer.total_in() as usize == message.len() && packed.len() < packed.capacity();
            // Without output there is no more to come either.
            if is_done || result.is_err() {
                break;
            }
            packed.reserve(message.len().clamp(64, 64 * 1024));
        }
        if packed.ends_with(&TAIL) {
            packed.truncate(packed.len() - TAIL.len());
        }
        if packed.is_empty() {
            // An empty block: even an empty message has one.
            packed.push(0);
        }
        packed
    })
}

/// A message that is being unpacked, a piece at a time: a few bytes of a server may stand for gigabytes.
pub struct MessageInflater {
    packed: Vec<u8>,
    message: Vec<u8>,
    /// Back among those of the thread once this is gone.
    unpacker: Option<Decompress>,
}

impl std::fmt::Debug for MessageInflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (packed, unpacked) = (self.packed.len(), self.message.len());
        f.debug_struct("MessageInflater").field("packed", &packed).field("unpacked", &unpacked).finish_non_exhaustive()
    }
}

impl MessageInflater {
    /// Begins with a whole packed message.
    pub fn new(mut packed: Vec<u8>) -> Self {
        packed.extend_from_slice(&TAIL);
        let mut unpacker = UNPACKERS.with_borrow_mut(Vec::pop).unwrap_or_else(|| Decompress::new(false));
        unpacker.reset(false);
        let message = Vec::with_capacity((packed.len() * 3).clamp(64, 64 * 1024));
        Self { packed, message, unpacker: Some(unpacker) }
    }

    /// Unpacks until about `budget` more bytes have come out; what did is taken off it. The message, once it is whole.
    ///
    /// # Errors
    /// It is broken, or becomes longer than `most`.
    pub fn advance(&mut self, most: usize, budget: &mut usize) -> Result<Option<Vec<u8>>, &'static str> {
        let Some(unpacker) = &mut self.unpacker else { return Err("flate: corrupt input") };
        loop {
            let before = (unpacker.total_in(), self.message.len());
            let rest = &self.packed[before.0 as usize..];
            let status = unpacker.decompress_vec(rest, &mut self.message, FlushDecompress::Sync);
            let status = status.map_err(|_| "flate: corrupt input")?;
            let length = self.message.len();
            *budget = budget.saturating_sub(length - before.1);
            if length > most {
                return Err("websocket: read limit exceeded");
            }
            let is_read = unpacker.total_in() as usize == self.packed.len();
            let is_full = length == self.message.capacity();
            if status == Status::StreamEnd || (is_read && !is_full) {
                return Ok(Some(std::mem::take(&mut self.message)));
            }
            if is_full {
                // From some size on all that is unpacked of it: the system gives memory as it is written to.
                let more = if length < 1 << 20 { length.max(64) } else { most };
                self.message.reserve_exact(more.min(most + 1 - length));
            } else if before == (unpacker.total_in(), length) {
                // There was room, and nothing moved.
                return Err("flate: corrupt input");
            }
            if *budget == 0 {
                return Ok(None);
            }
        }
    }
}

impl Drop for MessageInflater {
    fn drop(&mut self) {
        let Some(unpacker) = self.unpacker.take() else { return };
        UNPACKERS.with_borrow_mut(|idle| {
            if idle.len() < MAX_IDLE {
                idle.push(unpacker);
            }
        });
    }
}

/// Unpacks a message to its end.
#[cfg(test)]
pub(super) fn unpack(packed: &[u8], most: usize) -> Result<Vec<u8>, &'static str> {
    let mut unpacking = MessageInflater::new(packed.to_vec());
    loop {
        if let Some(message) = unpacking.advance(most, &mut 1000)? {
            return Ok(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back() {
        let random: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let text = "so it goes, ".repeat(10_000).into_bytes();
        for message in [&b""[..], b"x", b"hello hello hello", &random, &text] {
            let packed = pack(message);
            assert!(!packed.is_empty() && packed.len() < message.len() + message.len() / 100 + 64);
            assert_eq!(unpack(&packed, 1 << 30).unwrap(), message);
        }
        assert!(pack(&text).len() < 2_000);
        assert_eq!(unpack(&pack(&text), 1_000), Err("websocket: read limit exceeded"));
    }

    #[test]
    fn examples_of_the_standard_are_read() {
        // RFC 7692, section 7.2.3: one block, an uncompressed block, a final block.
        for packed in [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        ] {
            assert_eq!(unpack(packed, 100).unwrap(), b"Hello");
        }
        assert!(unpack(&[0xff, 0xff, 0xff], 100).is_err());
    }

    #[test]
    fn only_what_was_offered_is_agreed_to() {
        let check = |answer: &str, expect: Result<bool, ()>| {
            assert_eq!(agreed([answer].into_iter()).map_err(|_| ()), expect, "{answer}");
        };
        check(OFFER, Ok(true));
        check("x-other, permessage-deflate;client_no_context_takeover;server_no_context_takeover", Ok(true));
        check("permessage-deflate", Err(()));
        check("permessage-deflate; server_no_context_takeover", Err(()));
        check("x-webkit-deflate-frame", Ok(false));
        check("", Ok(false));
    }
}
