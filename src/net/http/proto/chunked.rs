//! Where the body of a response ends: by length, by chunks, or by the end of the connection.
//!
//! [`Framing`] is fed with what arrived and hands the payload to a sink; it never reads by itself, so it works the
//! same for bytes left over from the head and for bytes fresh from the socket.

use super::error::{ErrorStage, NetError};

/// The longest line of chunk sizes and trailers that is accepted.
const MAX_LINE: usize = 4096;
/// The most bytes of trailers that are accepted.
const MAX_TRAILERS: usize = 64 * 1024;
/// How many bytes of a chunk's frame are no noise, and how many for each byte of payload: Go's numbers, in which chunks of one byte
/// are still all right.
const FRAME_PER_CHUNK: u64 = 16;
const FRAME_PER_BYTE: u64 = 2;
/// The most bytes of noise that are accepted, such as extensions of chunks.
const MAX_NOISE: u64 = 16 * 1024;

/// What is still to come of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Exactly this many bytes.
    Length(u64),
    /// Chunks, and where we are in them.
    Chunked(Chunks),
    /// Everything until the connection ends.
    UntilClose,
}

/// The state between two pieces of a chunked body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunks {
    state: ChunkState,
    line: Vec<u8>,
    trailers: usize,
    /// Bytes of frames so far, beyond what is proper for the payload.
    noise: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum ChunkState {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailer,
    Done,
}

impl Framing {
    /// Nothing to come.
    pub const NONE: Self = Self::Length(0);

    /// True when the body is complete.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Length(rest) => *rest == 0,
            Self::Chunked(chunks) => chunks.state == ChunkState::Done,
            Self::UntilClose => false,
        }
    }

    /// Takes the body's part of `input` and returns how many bytes of it belonged to the body.
    pub fn push(&mut self, input: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<usize, NetError> {
        match self {
            Self::UntilClose => {
                sink(input);
                Ok(input.len())
            }
            Self::Length(rest) => {
                let take = input.len().min(usize::try_from(*rest).unwrap_or(usize::MAX));
                sink(&input[..take]);
                *rest -= take as u64;
                Ok(take)
            }
            Self::Chunked(chunks) => chunks.push(input, sink),
        }
    }

    /// The connection ended here.
    pub fn end(&self) -> Result<(), NetError> {
        match self {
            Self::UntilClose => Ok(()),
            framing if framing.is_done() => Ok(()),
            _ => Err(NetError::unexpected_eof(ErrorStage::Body)),
        }
    }
}

impl Chunks {
    fn push(&mut self, input: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<usize, NetError> {
        let broken = |text: &'static str| Err(NetError::other(text).at(ErrorStage::Body));
        let mut at = 0;
        while at < input.len() && self.state != ChunkState::Done {
            if let ChunkState::Data(rest) = &mut self.state {
                let take = (input.len() - at).min(usize::try_from(*rest).unwrap_or(usize::MAX));
                sink(&input[at..at + take]);
                at += take;
                *rest -= take as u64;
                if *rest == 0 {
                    self.state = ChunkState::DataEnd;
                }
                continue;
            }
            let end = memchr::memchr(b'\n', &input[at..]);
            let piece = &input[at..at + end.map_or(input.len() - at, |end| end + 1)];
            at += piece.len();
            if self.line.len() + piece.len() > MAX_LINE {
                return broken("header line too long");
            }
            let length = self.line.len() + piece.len();
            let begun;
            let line = match (end, self.line.is_empty()) {
                // Most lines arrive whole.
                (Some(_), true) => trim(piece),
                (None, _) => {
                    self.line.extend_from_slice(piece);
                    break;
                }
                (Some(_), false) => {
                    self.line.extend_from_slice(piece);
                    begun = std::mem::take(&mut self.line);
                    trim(&begun)
                }
            };
            match self.state {
                ChunkState::Size => match chunk_size(line) {
                    Ok(size) if self.is_noisy(length, size) => {
                        return broken("chunked encoding contains too much non-data");
                    }
                    Ok(0) => self.state = ChunkState::Trailer,
                    Ok(size) => self.state = ChunkState::Data(size),
                    Err(text) => return broken(text),
                },
                ChunkState::DataEnd if line.is_empty() => self.state = ChunkState::Size,
                ChunkState::DataEnd => return broken("malformed chunked encoding"),
                // Trailers are read and dropped, as k6 does.
                ChunkState::Trailer if line.is_empty() => self.state = ChunkState::Done,
                ChunkState::Trailer => {
                    self.trailers += line.len();
                    if self.trailers > MAX_TRAILERS {
                        return broken("http: suspiciously long trailer after chunked body");
                    }
                }
                ChunkState::Data(_) | ChunkState::Done => {}
            }
        }
        Ok(at)
    }

    /// Counts a chunk of `size` bytes whose first line has `line` bytes; true if there is too much beside the payload by now.
    fn is_noisy(&mut self, line: usize, size: u64) -> bool {
        // The line end behind the payload is a part of the frame.
        let (frame, proper) = (line as u64 + 2, size.saturating_mul(FRAME_PER_BYTE).saturating_add(FRAME_PER_CHUNK));
        self.noise = (self.noise + frame).saturating_sub(proper);
        self.noise > MAX_NOISE
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn chunk_size(line: &[u8]) -> Result<u64, &'static str> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if digits.is_empty() {
        return Err("empty hex number for chunk length");
    }
    let mut size = 0u64;
    for (index, byte) in digits.iter().enumerate() {
        let digit = (*byte as char).to_digit(16).ok_or("invalid byte in chunk length")?;
        if index == 16 {
            return Err("http chunk length too large");
        }
        size = size << 4 | u64::from(digit);
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `wire` in pieces of `step` bytes; the payload, what was not consumed, and the verdict.
    fn run(wire: &[u8], step: usize) -> (Vec<u8>, usize, Result<bool, String>) {
        let mut framing = Framing::Chunked(Chunks::default());
        let mut body = Vec::new();
        let mut used = 0;
        for piece in wire.chunks(step) {
            match framing.push(piece, &mut |part| body.extend_from_slice(part)) {
                Ok(taken) => used += taken,
                Err(error) => return (body, used, Err(error.text.into_owned())),
            }
        }
        (body, wire.len() - used, Ok(framing.is_done()))
    }

    #[test]
    fn chunks_come_in_any_pieces() {
        let wire = b"3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-After: t\r\n\r\n";
        for step in [1, 2, 3, 7, 100] {
            assert_eq!(run(wire, step), (b"abc0123456789".to_vec(), 0, Ok(true)), "{step}");
        }
        assert_eq!(run(b"0\r\n\r\nHTTP", 100), (vec![], 4, Ok(true)));
        assert_eq!(run(b"2\nab\n0\n\n", 100), (b"ab".to_vec(), 0, Ok(true)));
        assert_eq!(run(b"5\r\nab", 100), (b"ab".to_vec(), 0, Ok(false)));
    }

    #[test]
    fn frames_may_not_outweigh_the_payload() {
        let check = |chunk: String, count: usize, expect: Result<bool, &str>| {
            for step in [7, 1000, 1 << 20] {
                let verdict = run(chunk.repeat(count).as_bytes(), step).2;
                assert_eq!(
                    verdict.as_ref().map_err(String::as_str),
                    expect.as_ref().map_err(|text| *text),
                    "{chunk} {step}"
                );
            }
        };
        const NOISY: Result<bool, &str> = Err("chunked encoding contains too much non-data");
        check("1\r\nx\r\n".to_owned(), 50_000, Ok(false));
        check(format!("1;{}\r\nx\r\n", "e".repeat(1000)), 10, Ok(false));
        check(format!("1;{}\r\nx\r\n", "e".repeat(1000)), 20, NOISY);
        check(format!("200;{}\r\n{}\r\n", "e".repeat(1000), "x".repeat(512)), 1000, Ok(false));
    }

    #[test]
    fn broken_chunks_are_named() {
        let check = |wire: &[u8], expect: &str| assert_eq!(run(wire, 100).2, Err(expect.to_owned()));
        check(b"zz\r\n", "invalid byte in chunk length");
        check(b"\r\n", "empty hex number for chunk length");
        check(b"11112222333344445\r\n", "http chunk length too large");
        check(b"2\r\nabcd\r\n", "malformed chunked encoding");
    }

    #[test]
    fn a_short_body_is_an_unexpected_end() {
        let mut framing = Framing::Length(5);
        assert_eq!(framing.push(b"short and more", &mut |_| ()).unwrap(), 5);
        assert!(framing.is_done() && framing.end().is_ok());
        assert_eq!(Framing::Length(1).end().unwrap_err().text, "unexpected EOF");
        assert!(Framing::UntilClose.end().is_ok());
    }
}
