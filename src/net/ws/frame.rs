//! Frames (RFC 6455, section 5): written masked, read from whatever pieces arrive.
//!
//! Our own codec, where a library would have been welcome: tungstenite speaks no permessage-deflate and keeps buffers of
//! kilobytes per connection, fastwebsockets hands out frames but no messages, and neither has the error texts that
//! scripts see in k6. Here a connection that waits keeps no buffer at all. As k6, text is not checked for being UTF-8.

use std::cell::Cell;

use super::close;
use super::deflate::MessageInflater;
use crate::net::spare_buffers::SpareBuffers;

/// The longest message, in bytes, compressed or not. k6 has no such limit; but a message may never end, and a few packed bytes can
/// stand for gigabytes.
pub const MAX_MESSAGE: usize = 64 << 20;
/// A length is trusted this far, in bytes, before that much of the message has arrived.
const MAX_TRUSTED_LENGTH: usize = 1 << 20;
/// At most this many bytes are decompressed before other connections have their turn.
const MAX_TURN_BYTES: usize = 64 * 1024;
/// Room for longer messages, in bytes, or for more of them is not kept for the next.
const MAX_SPARE: usize = 1024;
const MAX_SPARES: usize = 16;
/// What a frame costs in addition to its payload, in bytes that are decompressed.
const FRAME_COST: usize = 256;
/// The longest payload of a control frame.
const MAX_CONTROL_PAYLOAD: usize = 125;

/// The first four bits of a frame: what it is.
pub mod opcode {
    /// More of the message before it.
    pub const CONTINUATION: u8 = 0;
    /// Text.
    pub const TEXT: u8 = 1;
    /// Bytes.
    pub const BINARY: u8 = 2;
    /// The end of the connection.
    pub const CLOSE: u8 = 8;
    /// Asks for a pong.
    pub const PING: u8 = 9;
    /// Answers a ping.
    pub const PONG: u8 = 10;
}

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const MASK: u8 = 0x80;

/// A message of the peer, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text, maybe no UTF-8.
    Text(Vec<u8>),
    /// Bytes.
    Binary(Vec<u8>),
    /// Asks for a pong with the same payload.
    Ping(Vec<u8>),
    /// Answers a ping.
    Pong(Vec<u8>),
    /// A close frame: code and reason.
    Close(u16, String),
}

/// A violation of the protocol by the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolError {
    /// The code of our close frame.
    pub code: u16,
    /// The reason of our close frame.
    pub reason: String,
    /// The text that the script sees.
    pub text: String,
}

impl ProtocolError {
    fn protocol(what: String) -> Self {
        Self { code: close::PROTOCOL_ERROR, text: format!("websocket: {what}"), reason: what }
    }

    fn too_big() -> Self {
        let text = "websocket: read limit exceeded".to_owned();
        Self { code: close::TOO_BIG, reason: String::new(), text }
    }
}

/// Reads frames of a server from pieces of any size.
#[derive(Debug, Default)]
pub struct FrameParser {
    /// The head of the next frame as far as it has come: two bytes and a length.
    head: [u8; 10],
    have: u8,
    /// The frame whose payload is being read, and how much of it is missing.
    frame: Option<(u8, u64)>,
    /// What the message is whose frames come: TEXT or BINARY.
    kind: Option<u8>,
    /// Its last frame has come.
    is_last: bool,
    is_compressed: bool,
    message: Vec<u8>,
    control: Vec<u8>,
    /// Messages may be compressed.
    decompresses: bool,
    /// A close frame came: nothing after it counts.
    is_closed: bool,
    /// The message that is being decompressed.
    inflater: Option<MessageInflater>,
    /// What arrived after it.
    rest: Vec<u8>,
}

impl FrameParser {
    /// A parser at the beginning of a connection; `decompresses` where permessage-deflate was agreed on.
    pub fn new(decompresses: bool) -> Self {
        Self { decompresses, ..Self::default() }
    }

    /// True while there is more to be made of what arrived: [`FrameParser::advance`] does it.
    pub fn is_busy(&self) -> bool {
        self.inflater.is_some() || !self.rest.is_empty()
    }

    /// Takes what arrived and calls `each` with every message that is complete, unless decompressing takes longer than a turn.
    ///
    /// # Errors
    /// The peer broke the rules; nothing more must be read.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Message)) -> Result<(), ProtocolError> {
        if self.is_busy() {
            self.rest.extend_from_slice(bytes);
            return self.advance(each);
        }
        let mut budget = MAX_TURN_BYTES;
        let left = self.read(bytes, &mut budget, each)?;
        self.rest = bytes[bytes.len() - left..].to_vec();
        Ok(())
    }

    /// Goes on where the last turn ended.
    ///
    /// # Errors
    /// As [`FrameParser::push`].
    pub fn advance(&mut self, each: &mut dyn FnMut(Message)) -> Result<(), ProtocolError> {
        let mut budget = MAX_TURN_BYTES;
        self.inflate(&mut budget, each)?;
        let mut rest = std::mem::take(&mut self.rest);
        let left = self.read(&rest, &mut budget, each)?;
        rest.drain(..rest.len() - left);
        self.rest = rest;
        Ok(())
    }

    /// Reads until nothing is left, or a message waits to be unpacked; how many bytes are left.
    fn read(
        &mut self,
        mut bytes: &[u8],
        budget: &mut usize,
        each: &mut dyn FnMut(Message),
    ) -> Result<usize, ProtocolError> {
        while !self.is_closed {
            if self.inflater.is_some() || *budget == 0 {
                return Ok(bytes.len());
            }
            if let Some((opcode, payload, rest)) = self.whole_message(bytes) {
                *budget = budget.saturating_sub(FRAME_COST);
                bytes = rest;
                each(match opcode {
                    opcode::BINARY => Message::Binary(payload.to_vec()),
                    _ => Message::Text(kept_message(payload)),
                });
                continue;
            }
            let Some((opcode, missing)) = self.frame else {
                let Some((next, rest)) = bytes.split_first() else { return Ok(0) };
                bytes = rest;
                self.head[usize::from(self.have)] = *next;
                self.have += 1;
                if self.have == 2 {
                    self.check_head()?;
                }
                if let Some(length) = self.length() {
                    self.begin(length, budget)?;
                    if length == 0 {
                        self.end(budget, each)?;
                    }
                }
                continue;
            };
            if bytes.is_empty() {
                return Ok(0);
            }
            let taken = usize::try_from(missing).unwrap_or(usize::MAX).min(bytes.len());
            let (payload, rest) = bytes.split_at(taken);
            bytes = rest;
            let into = if opcode >= opcode::CLOSE { &mut self.control } else { &mut self.message };
            if into.len() >= MAX_TRUSTED_LENGTH && into.capacity() - into.len() < taken {
                // The system gives it as it is written to, and nothing is copied, which would take twice of it.
                into.reserve_exact(MAX_MESSAGE - into.len());
            }
            into.extend_from_slice(payload);
            self.frame = Some((opcode, missing - taken as u64));
            if missing == taken as u64 {
                self.end(budget, each)?;
            }
        }
        Ok(0)
    }

    /// What nearly all that arrives is: a message of one frame, not compressed, that is there as a whole and shorter than 64 KB. Its
    /// opcode, its payload, and what follows it.
    fn whole_message<'a>(&self, bytes: &'a [u8]) -> Option<(u8, &'a [u8], &'a [u8])> {
        if self.have > 0 || self.frame.is_some() || self.kind.is_some() {
            return None;
        }
        let (first, length, rest) = match bytes {
            [first, 126, high, low, rest @ ..] => (first, usize::from(u16::from_be_bytes([*high, *low])), rest),
            [first, length @ ..126, rest @ ..] => (first, usize::from(*length), rest),
            _ => return None,
        };
        let opcode = first ^ FIN;
        let (payload, rest) = rest.split_at_checked(length)?;
        matches!(opcode, opcode::TEXT | opcode::BINARY).then_some((opcode, payload, rest))
    }

    /// Validates the first two bytes of a frame.
    fn check_head(&self) -> Result<(), ProtocolError> {
        let [first, second, ..] = self.head;
        let (opcode, is_last, length) = (first & 0x0f, first & FIN != 0, second & !MASK);
        let mut wrong = Vec::new();
        for (bit, text) in [(RSV1, "RSV1 set"), (0x20, "RSV2 set"), (0x10, "RSV3 set")] {
            if first & bit != 0 && !(bit == RSV1 && self.decompresses) {
                wrong.push(text.to_owned());
            }
        }
        match opcode {
            opcode::CLOSE..=opcode::PONG => {
                if usize::from(length) > MAX_CONTROL_PAYLOAD {
                    wrong.push("len > 125 for control".to_owned());
                }
                if !is_last {
                    wrong.push("FIN not set on control".to_owned());
                }
            }
            opcode::TEXT | opcode::BINARY if self.kind.is_some() => wrong.push("data before FIN".to_owned()),
            opcode::CONTINUATION if self.kind.is_none() => wrong.push("continuation after FIN".to_owned()),
            opcode::CONTINUATION..=opcode::BINARY => {}
            other => wrong.push(format!("bad opcode {other}")),
        }
        if second & MASK != 0 {
            wrong.push("bad MASK".to_owned());
        }
        if wrong.is_empty() { Ok(()) } else { Err(ProtocolError::protocol(wrong.join(", "))) }
    }

    /// The length of the frame, once its head is complete.
    fn length(&self) -> Option<u64> {
        let head = self.head;
        match (self.have, head[1] & !MASK) {
            (0 | 1, _) => None,
            (4, 126) => Some(u64::from(u16::from_be_bytes([head[2], head[3]]))),
            (10, 127) => Some(head[2..].iter().fold(0, |length, byte| length << 8 | u64::from(*byte))),
            (_, 126 | 127) => None,
            (_, length) => Some(u64::from(length)),
        }
    }

    /// The head is complete.
    fn begin(&mut self, length: u64, budget: &mut usize) -> Result<(), ProtocolError> {
        let first = self.head[0];
        let opcode = first & 0x0f;
        self.have = 0;
        *budget = budget.saturating_sub(FRAME_COST);
        if opcode < opcode::CLOSE {
            self.is_last = first & FIN != 0;
            if opcode != opcode::CONTINUATION {
                self.kind = Some(opcode);
                self.is_compressed = first & RSV1 != 0;
            }
            if length.saturating_add(self.message.len() as u64) > MAX_MESSAGE as u64 {
                return Err(ProtocolError::too_big());
            }
            // What a server announces is reserved only as far as it is plausible.
            self.message.reserve(length.min(MAX_TRUSTED_LENGTH as u64) as usize);
        }
        self.frame = Some((opcode, length));
        Ok(())
    }

    /// The payload is complete.
    fn end(&mut self, budget: &mut usize, each: &mut dyn FnMut(Message)) -> Result<(), ProtocolError> {
        let Some((opcode, _)) = self.frame.take() else { return Ok(()) };
        if opcode >= opcode::CLOSE {
            let payload = std::mem::take(&mut self.control);
            each(match opcode {
                opcode::PING => Message::Ping(payload),
                opcode::PONG => Message::Pong(payload),
                _ => {
                    self.is_closed = true;
                    read_close(&payload)?
                }
            });
            return Ok(());
        }
        if !self.is_last {
            return Ok(());
        }
        let message = std::mem::take(&mut self.message);
        if self.is_compressed {
            self.inflater = Some(MessageInflater::new(message));
            return self.inflate(budget, each);
        }
        self.complete(message, each);
        Ok(())
    }

    /// Unpacks as much as the budget allows.
    fn inflate(&mut self, budget: &mut usize, each: &mut dyn FnMut(Message)) -> Result<(), ProtocolError> {
        if *budget == 0 {
            return Ok(());
        }
        let Some(inflater) = &mut self.inflater else { return Ok(()) };
        let inflated = inflater.advance(MAX_MESSAGE, budget).map_err(|text| {
            self.inflater = None;
            ProtocolError { code: close::INVALID_PAYLOAD, reason: String::new(), text: text.to_owned() }
        })?;
        if let Some(message) = inflated {
            self.inflater = None;
            self.complete(message, each);
        }
        Ok(())
    }

    fn complete(&mut self, message: Vec<u8>, each: &mut dyn FnMut(Message)) {
        each(match self.kind.take() {
            Some(opcode::BINARY) => Message::Binary(message),
            _ => Message::Text(message),
        });
    }
}

thread_local! {
    /// Room for short messages.
    static SPARE: SpareBuffers = const { SpareBuffers::new(MAX_SPARE, MAX_SPARES) };
}

/// A copy of a message, where another one was if it is short.
fn kept_message(payload: &[u8]) -> Vec<u8> {
    if payload.len() > MAX_SPARE {
        return payload.to_vec();
    }
    let mut message = SPARE.with(SpareBuffers::take);
    message.extend_from_slice(payload);
    message
}

/// Gives the room of a message back for the next ones of this thread.
pub fn give_message(message: Vec<u8>) {
    SPARE.with(|spare| spare.give(message));
}

/// Reads the payload of a close frame.
fn read_close(payload: &[u8]) -> Result<Message, ProtocolError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return Ok(Message::Close(close::NO_STATUS, String::new()));
    };
    let code = u16::from_be_bytes(*code);
    if !close::may_be_received(code) {
        return Err(ProtocolError::protocol(format!("bad close code {code}")));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Message::Close(code, reason.to_owned())),
        Err(_) => Err(ProtocolError::protocol("invalid utf8 payload in close frame".to_owned())),
    }
}

/// Writes one frame of a client: complete, masked.
pub fn write(out: &mut Vec<u8>, opcode: u8, is_compressed: bool, payload: &[u8]) {
    out.reserve(payload.len() + 14);
    out.push(FIN | if is_compressed { RSV1 } else { 0 } | opcode);
    match payload.len() {
        length @ ..126 => out.push(MASK | length as u8),
        length if length <= usize::from(u16::MAX) => {
            out.push(MASK | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(MASK | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let key = mask_key();
    out.extend_from_slice(&key);
    let begin = out.len();
    out.extend_from_slice(payload);
    mask(&mut out[begin..], key);
}

/// Changes every byte by its byte of the key; doing it twice undoes it.
fn mask(payload: &mut [u8], key: [u8; 4]) {
    let word = u32::from_ne_bytes(key);
    let mut words = payload.chunks_exact_mut(4);
    for bytes in &mut words {
        let masked = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) ^ word;
        bytes.copy_from_slice(&masked.to_ne_bytes());
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// A masking key. It has to be unpredictable for scripts only, so that they can't make proxies see requests in messages.
fn mask_key() -> [u8; 4] {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(getrandom::u64().unwrap_or(0x9e37_79b9_7f4a_7c15));
    }
    // splitmix64
    let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(state);
    let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) as u32).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], decompresses: bool) -> (Vec<Message>, Result<(), String>) {
        let mut all = Vec::new();
        let mut parser = FrameParser::new(decompresses);
        let result = parser.push(bytes, &mut |message| all.push(message)).map_err(|violation| violation.text);
        let mut again = Vec::new();
        let mut parser = FrameParser::new(decompresses);
        let in_pieces = bytes.iter().try_for_each(|byte| parser.push(&[*byte], &mut |message| again.push(message)));
        assert_eq!((&again, in_pieces.map_err(|violation| violation.text)), (&all, result.clone()), "byte by byte");
        (all, result)
    }

    #[test]
    fn messages_are_read() {
        let check = |bytes: &[u8], expect: &[Message]| assert_eq!(read(bytes, false), (expect.to_vec(), Ok(())));
        check(b"\x81\x05Hello", &[Message::Text(b"Hello".to_vec())]);
        check(
            b"\x01\x03Hel\x89\x01p\x80\x02lo\x82\0",
            &[Message::Ping(b"p".to_vec()), Message::Text(b"Hello".to_vec()), Message::Binary(Vec::new())],
        );
        check(b"\x88\x05\x03\xe8bye\x81\x01x", &[Message::Close(1000, "bye".to_owned())]);
        check(b"\x88\x00", &[Message::Close(1005, String::new())]);
        check(b"\x88\x01x", &[Message::Close(1005, String::new())]);
        check(b"\x81\x7f\0", &[]);
        check(b"\x81", &[]);
        let mut long = b"\x82\x7e\x01\x00".to_vec();
        long.extend([7; 256]);
        check(&long, &[Message::Binary(vec![7; 256])]);
        let mut longer = b"\x82\x7f\0\0\0\0\0\x01\0\0".to_vec();
        longer.extend([7; 65536]);
        check(&longer, &[Message::Binary(vec![7; 65536])]);
    }

    #[test]
    fn violations_are_named() {
        let check = |bytes: &[u8], text: &str| {
            assert_eq!(read(bytes, false).1, Err(format!("websocket: {text}")), "{bytes:?}");
        };
        check(b"\x81\x85", "bad MASK");
        check(b"\xc1\x00", "RSV1 set");
        check(b"\xf1\x80", "RSV1 set, RSV2 set, RSV3 set, bad MASK");
        check(b"\x83\x00", "bad opcode 3");
        check(b"\x80\x00", "continuation after FIN");
        check(b"\x01\x00\x81\x00", "data before FIN");
        check(b"\x09\x00", "FIN not set on control");
        check(b"\x89\x7e", "len > 125 for control");
        check(b"\x88\x02\x03\xe7", "bad close code 999");
        check(b"\x88\x03\x03\xe8\xff", "invalid utf8 payload in close frame");
        check(b"\x81\x7f\x80\0\0\0\0\0\0\0", "read limit exceeded");
    }

    #[test]
    fn packed_messages_are_unpacked() {
        let packed = super::super::deflate::compress(b"hello hello");
        let mut bytes = vec![0xc1, packed.len() as u8];
        bytes.extend(&packed);
        assert_eq!(read(&bytes, true), (vec![Message::Text(b"hello hello".to_vec())], Ok(())));
        assert_eq!(read(b"\xc1\x02\xff\xff", true).1, Err("flate: corrupt input".to_owned()));
        assert_eq!(read(b"\x81\x02hi", true), (vec![Message::Text(b"hi".to_vec())], Ok(())));
    }

    #[test]
    fn what_is_written_can_be_read() {
        for length in [0, 1, 3, 4, 5, 125, 126, 65535, 65536, 100_001] {
            let payload: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut bytes = Vec::new();
            write(&mut bytes, opcode::BINARY, false, &payload);
            // As a server sees it: the mask is taken off.
            let at = bytes.len() - length - 4;
            assert_eq!(bytes[1] & MASK, MASK);
            let key = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            mask(&mut bytes[at + 4..], key);
            bytes[1] &= !MASK;
            bytes.drain(at..at + 4);
            assert_eq!(read(&bytes, false), (vec![Message::Binary(payload)], Ok(())), "{length}");
        }
    }
}
