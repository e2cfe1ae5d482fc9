//! permessage-deflate (RFC 7692) without context takeover: every message is compressed on its own, so all connections of a
//! thread share compressors and decompressors, and an idle connection keeps neither.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// What is offered, and what the server has to agree to.
pub const OFFER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// What follows a message that was flushed, and is not sent.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// Decompressors that a thread keeps for the next messages.
const MAX_IDLE: usize = 4;

thread_local! {
    // The fastest level, as k6.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static DECOMPRESSORS: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// True when the server's extensions agree to compression.
///
/// # Errors
/// It wants compression, but not the way it was offered.
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

/// Compresses a message.
pub fn compress(message: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        let mut compressed = Vec::with_capacity(message.len() / 2 + 64);
        loop {
            let at = compressor.total_in() as usize;
            let result = compressor.compress_vec(&message[at..], &mut compressed, FlushCompress::Sync);
            let is_done = compressor.total_in() as usize == message.len() && compressed.len() < compressed.capacity();
            // Without output there is no more to come either.
            if is_done || result.is_err() {
                break;
            }
            compressed.reserve(message.len().clamp(64, 64 * 1024));
        }
        if compressed.ends_with(&TAIL) {
            compressed.truncate(compressed.len() - TAIL.len());
        }
        if compressed.is_empty() {
            // An empty block: even an empty message has one.
            compressed.push(0);
        }
        compressed
    })
}

/// A message that is being decompressed, a piece at a time: a few bytes of a server may stand for gigabytes.
pub struct MessageInflater {
    compressed: Vec<u8>,
    message: Vec<u8>,
    /// Returned to the thread when this is dropped.
    decompressor: Option<Decompress>,
}

impl std::fmt::Debug for MessageInflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (compressed, decompressed) = (self.compressed.len(), self.message.len());
        f.debug_struct("MessageInflater")
            .field("compressed", &compressed)
            .field("decompressed", &decompressed)
            .finish_non_exhaustive()
    }
}

impl MessageInflater {
    /// Begins with a whole compressed message.
    pub fn new(mut compressed: Vec<u8>) -> Self {
        compressed.extend_from_slice(&TAIL);
        let mut decompressor = DECOMPRESSORS.with_borrow_mut(Vec::pop).unwrap_or_else(|| Decompress::new(false));
        decompressor.reset(false);
        let message = Vec::with_capacity((compressed.len() * 3).clamp(64, 64 * 1024));
        Self { compressed, message, decompressor: Some(decompressor) }
    }

    /// Decompresses until about `budget` more bytes have come out, and subtracts what did. The message, once it is complete.
    ///
    /// # Errors
    /// It is broken, or becomes longer than `most`.
    pub fn advance(&mut self, most: usize, budget: &mut usize) -> Result<Option<Vec<u8>>, &'static str> {
        let Some(decompressor) = &mut self.decompressor else { return Err("flate: corrupt input") };
        loop {
            let before = (decompressor.total_in(), self.message.len());
            let rest = &self.compressed[before.0 as usize..];
            let status = decompressor.decompress_vec(rest, &mut self.message, FlushDecompress::Sync);
            let status = status.map_err(|_| "flate: corrupt input")?;
            let length = self.message.len();
            *budget = budget.saturating_sub(length - before.1);
            if length > most {
                return Err("websocket: read limit exceeded");
            }
            let is_read = decompressor.total_in() as usize == self.compressed.len();
            let is_full = length == self.message.capacity();
            if status == Status::StreamEnd || (is_read && !is_full) {
                return Ok(Some(std::mem::take(&mut self.message)));
            }
            if is_full {
                // From some size on all that is unpacked of it: the system gives memory as it is written to.
                let more = if length < 1 << 20 { length.max(64) } else { most };
                self.message.reserve_exact(more.min(most + 1 - length));
            } else if before == (decompressor.total_in(), length) {
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
        let Some(decompressor) = self.decompressor.take() else { return };
        DECOMPRESSORS.with_borrow_mut(|idle| {
            if idle.len() < MAX_IDLE {
                idle.push(decompressor);
            }
        });
    }
}

/// Unpacks a message to its end.
#[cfg(test)]
pub(super) fn decompress(compressed: &[u8], most: usize) -> Result<Vec<u8>, &'static str> {
    let mut unpacking = MessageInflater::new(compressed.to_vec());
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
            let compressed = compress(message);
            assert!(!compressed.is_empty() && compressed.len() < message.len() + message.len() / 100 + 64);
            assert_eq!(decompress(&compressed, 1 << 30).unwrap(), message);
        }
        assert!(compress(&text).len() < 2_000);
        assert_eq!(decompress(&compress(&text), 1_000), Err("websocket: read limit exceeded"));
    }

    #[test]
    fn examples_of_the_standard_are_read() {
        // RFC 7692, section 7.2.3: one block, an uncompressed block, a final block.
        for compressed in [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        ] {
            assert_eq!(decompress(compressed, 100).unwrap(), b"Hello");
        }
        assert!(decompress(&[0xff, 0xff, 0xff], 100).is_err());
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
