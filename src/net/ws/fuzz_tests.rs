//! What must hold for whatever a server sends over an open connection. Entered here with broken examples, and by a target
//! of `tests/fuzz` with what libFuzzer thinks of.

use super::close::may_be_received;
use super::deflate::{self, MessageInflater};
use super::frame::{FrameParser, Message, ProtocolError};

/// Frames, read in one piece and in small ones; the first byte says whether messages may be packed.
pub fn frames(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let read = |step: usize| {
        let (mut parser, mut messages) = (FrameParser::new(first & 1 == 1), Vec::new());
        let result: Result<(), ProtocolError> = data.chunks(step).try_for_each(|piece| {
            parser.push(piece, &mut |message| messages.push(message))?;
            while parser.is_busy() {
                parser.advance(&mut |message| messages.push(message))?;
            }
            Ok::<_, ProtocolError>(())
        });
        (messages, result)
    };
    let (messages, result) = read(usize::MAX);
    for (at, message) in messages.iter().enumerate() {
        match message {
            Message::Ping(payload) | Message::Pong(payload) => assert!(payload.len() <= 125),
            Message::Close(code, reason) => {
                assert!(*code == 1005 || may_be_received(*code), "{code}");
                assert!(reason.len() <= 123 && at == messages.len() - 1);
            }
            Message::Text(_) | Message::Binary(_) => {}
        }
    }
    if let Err(violation) = &result {
        assert!(!violation.text.is_empty() && violation.reason.len() <= 123);
    }
    for step in [1, 3, 4096] {
        assert_eq!(read(step), (messages.clone(), result.clone()), "in pieces of {step}");
    }
}

/// A packed message: it becomes no longer than it may, in slices of any size the same; what we pack comes back.
pub fn deflated(data: &[u8]) {
    const MOST: usize = 1 << 18;
    let unpack = |packed: &[u8], slice: usize| {
        let mut unpacking = MessageInflater::new(packed.to_vec());
        loop {
            match unpacking.advance(MOST, &mut slice.clone()) {
                Ok(None) => {}
                Ok(Some(message)) => return Ok(message),
                Err(text) => return Err(text),
            }
        }
    };
    let whole = unpack(data, usize::MAX);
    assert!(whole.as_ref().is_ok_and(|message| message.len() <= MOST) || whole.is_err());
    assert_eq!(unpack(data, 1000), whole);
    assert_eq!(unpack(&deflate::compress(data), 1000).as_deref(), Ok(data));
    _ = deflate::agreed(String::from_utf8_lossy(data).lines());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    #[test]
    fn any_frames_are_read_or_refused() {
        break_each(
            &[
                b"\0\x81\x05Hello\x88\x05\x03\xe8bye\x81\x01x",
                b"\0\x01\x03Hel\x89\x01p\x80\x02lo\x82\0\x8a\0",
                b"\x01\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc2\x01\x00",
                b"\x01\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00",
                b"\0\x82\x7e\x00\x03abc\x82\x7f\0\0\0\0\0\0\0\x01z",
                b"\0\x82\x7f\x00\x00\x00\x00\x3f\xff\xff\xff\x00",
                b"\0\x88\x00\xff\xff",
            ],
            frames,
        );
    }

    #[test]
    fn any_packed_message_is_unpacked_or_refused() {
        break_each(
            &[
                b"\xf2\x48\xcd\xc9\xc9\x07\x00",
                b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
                b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
                b"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            ],
            deflated,
        );
    }
}
