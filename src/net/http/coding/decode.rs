//! Content codings decoded: what `Content-Encoding` lists, from last to first, one slice of time after the other.
//!
//! Nothing here waits or knows a thread; `unpack` decides where the slices are computed and for how long. Errors, and what is
//! left of a damaged body, are those of Go's readers: what was read before the damage is kept.

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::decoder::{CodingError, DecodeStep, StreamDecoder};
use super::encode::ContentCoding;
use super::inflate::{GzipDecoder, ZlibDecoder};
use super::zstd::ZstdDecoder;
use crate::net::http::proto::error::{DECOMPRESSION, ErrorStage, NetError, OTHER};

/// At most this many codings are decoded; each costs a window of memory.
const MAX_CODINGS: usize = 16;
/// Up to this many bytes, a body may decode to any multiple of its size.
const MAX_UNCHECKED_SIZE: usize = 32 << 20;
/// Beyond that it is a bomb when it decodes to more than this multiple of what was read of it. Texts reach 50 at most.
const MAX_RATIO: usize = 100;
/// How many bytes of a bomb are kept.
const KEPT_OF_BOMB: usize = 1 << 20;
/// How many bytes are read at once, at every layer.
const PIECE: usize = 16 << 10;

/// The result of one slice.
#[derive(Debug)]
pub enum DecodeProgress {
    /// There is more to do.
    More,
    /// The body is decoded.
    Whole(Bytes),
    /// It can't be decoded. With what could be read before the error; `None` where the head of a coding was wrong.
    Broken(NetError, Option<Bytes>),
    /// It becomes so large that it is not decoded any further; with its beginning.
    Bomb(Bytes),
}

/// A body that is being decoded.
pub struct BodyDecoder {
    /// The codings that no reader was opened for yet, the last one first.
    pending: Vec<ContentCoding>,
    source: Option<Box<dyn CodedReader>>,
    is_open: bool,
    budget: Arc<SliceBudget>,
    out: Vec<u8>,
}

impl BodyDecoder {
    /// Begins to decode `codings`. Unknown codings leave the body as it is.
    ///
    /// # Errors
    /// More codings than `MAX_CODINGS`.
    pub fn new(codings: &str, body: Bytes) -> Result<Self, NetError> {
        let mut pending = Vec::new();
        for coding in codings.rsplit(',') {
            // Unknown and upper-case codings are ignored, as in k6.
            let Some(coding) = ContentCoding::from_name(coding.trim()) else { continue };
            pending.push(coding);
            if pending.len() > MAX_CODINGS {
                return Err(broken(format!("more than {MAX_CODINGS} codings"), false));
            }
        }
        pending.reverse();
        let budget = Arc::new(SliceBudget::new());
        let out = Vec::new();
        let source = Some(Box::new(RawBody { body, budget: budget.clone() }) as Box<dyn CodedReader>);
        Ok(Self { pending, source, is_open: true, budget, out })
    }

    /// Goes on for about `time`.
    pub fn slice(&mut self, time: Duration) -> DecodeProgress {
        self.budget.begin(time);
        match self.advance() {
            Ok(()) => DecodeProgress::Whole(std::mem::take(&mut self.out).into()),
            Err(SliceEnd::TimeUp) => DecodeProgress::More,
            Err(SliceEnd::Bomb) => {
                self.out.truncate(KEPT_OF_BOMB);
                self.out.shrink_to_fit();
                DecodeProgress::Bomb(std::mem::take(&mut self.out).into())
            }
            Err(SliceEnd::Head(error)) => {
                let cause = CodingError::of(&error);
                DecodeProgress::Broken(broken(cause.text, cause.is_known), None)
            }
            Err(SliceEnd::Memory) => {
                let error =
                    NetError::other("out of memory while the response body was decompressed").at(ErrorStage::Body);
                self.out = Vec::new();
                DecodeProgress::Broken(error, Some(Bytes::new()))
            }
            Err(SliceEnd::Body(error)) => {
                let cause = CodingError::of(&error);
                let error = match cause.is_known {
                    true if cause.text.starts_with("brotli") => broken(cause.text, false),
                    true => broken(cause.text, true),
                    false => NetError::new(OTHER, cause.text).at(ErrorStage::Body),
                };
                DecodeProgress::Broken(error, Some(std::mem::take(&mut self.out).into()))
            }
        }
    }

    /// What has been decoded so far.
    pub fn left(mut self) -> Bytes {
        std::mem::take(&mut self.out).into()
    }

    fn advance(&mut self) -> Result<(), SliceEnd> {
        loop {
            if !self.is_open {
                let Some(source) = &mut self.source else { return Ok(()) };
                source.open().map_err(|error| match error.kind() {
                    io::ErrorKind::WouldBlock => SliceEnd::TimeUp,
                    _ => SliceEnd::Head(error),
                })?;
                self.is_open = true;
            }
            let Some(coding) = self.pending.pop() else { break };
            self.source = self.source.take().map(|source| coding.over(source, self.budget.clone()));
            self.is_open = false;
        }
        let Some(source) = &mut self.source else { return Ok(()) };
        loop {
            let start = self.out.len();
            if start > MAX_UNCHECKED_SIZE && start > self.budget.taken().saturating_mul(MAX_RATIO) {
                return Err(SliceEnd::Bomb);
            }
            if self.out.try_reserve(PIECE).is_err() {
                return Err(SliceEnd::Memory);
            }
            self.out.resize(start + PIECE, 0);
            let read = source.read(&mut self.out[start..]);
            self.out.truncate(start + read.as_ref().copied().unwrap_or_default());
            match read {
                Ok(0) => return Ok(()),
                Ok(_) if self.budget.is_over() => return Err(SliceEnd::TimeUp),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(SliceEnd::TimeUp),
                Err(error) if error.kind() == io::ErrorKind::OutOfMemory => return Err(SliceEnd::Memory),
                Err(error) => return Err(SliceEnd::Body(error)),
            }
        }
    }
}

/// Why a slice ended before the body was complete.
enum SliceEnd {
    TimeUp,
    Bomb,
    Memory,
    Head(io::Error),
    Body(io::Error),
}

/// Decodes `body` at once, however long that takes.
///
/// # Errors
/// What k6 says of a damaged body, and a bomb.
#[cfg(any(test, fuzzing))]
pub fn decode(codings: &str, body: Bytes) -> Result<Bytes, NetError> {
    let mut decoder = BodyDecoder::new(codings, body)?;
    loop {
        match decoder.slice(Duration::from_millis(10)) {
            DecodeProgress::More => {}
            DecodeProgress::Whole(body) => return Ok(body),
            DecodeProgress::Broken(error, _) => return Err(error),
            DecodeProgress::Bomb(_) => return Err(NetError::timeout()),
        }
    }
}

fn broken(cause: impl Into<Cow<'static, str>>, twice: bool) -> NetError {
    let text = format!("error decompressing response body ({})", cause.into());
    let text = if twice { format!("error decompressing response body ({text})") } else { text };
    NetError::new(DECOMPRESSION, text).at(ErrorStage::Body)
}

/// When the slice ends, and how much of the encoded body was read; shared by all layers of a body.
pub(super) struct SliceBudget {
    born: Instant,
    /// In microseconds since `born`.
    until: AtomicU64,
    taken: AtomicU64,
}

impl SliceBudget {
    fn new() -> Self {
        Self { born: Instant::now(), until: AtomicU64::new(0), taken: AtomicU64::new(0) }
    }

    fn begin(&self, time: Duration) {
        self.until.store((self.born.elapsed() + time).as_micros() as u64, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.born.elapsed().as_micros() as u64 >= self.until.load(Ordering::Relaxed)
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed) as usize
    }
}

/// A reader that may read the head of its stream before anything else. When a slice is over it returns
/// [`io::ErrorKind::WouldBlock`] and has lost nothing.
trait CodedReader: Read + Send {
    /// Reads the head.
    fn open(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body as it came.
struct RawBody {
    body: Bytes,
    budget: Arc<SliceBudget>,
}

impl Read for RawBody {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let part = self.body.split_to(out.len().min(self.body.len()));
        out[..part.len()].copy_from_slice(&part);
        self.budget.taken.fetch_add(part.len() as u64, Ordering::Relaxed);
        Ok(part.len())
    }
}

impl CodedReader for RawBody {}

impl ContentCoding {
    fn over(self, below: Box<dyn CodedReader>, budget: Arc<SliceBudget>) -> Box<dyn CodedReader> {
        match self {
            Self::Gzip => Box::new(DecodeLayer::new(GzipDecoder::default(), below, budget)),
            Self::Deflate => Box::new(DecodeLayer::new(ZlibDecoder::default(), below, budget)),
            Self::Brotli => Box::new(DecodeLayer::new(BrotliDecoder::new(), below, budget)),
            Self::Zstd => match ZstdDecoder::new() {
                Ok(zstd) => Box::new(DecodeLayer::new(zstd, below, budget)),
                Err(error) => Box::new(FailedReader(Some(error))),
            },
        }
    }
}

/// A decoder that could not be created.
struct FailedReader(Option<io::Error>);

impl Read for FailedReader {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl CodedReader for FailedReader {}

/// A decoder and what it reads from.
struct DecodeLayer<D> {
    decoder: D,
    below: Box<dyn CodedReader>,
    budget: Arc<SliceBudget>,
    input: Vec<u8>,
    at: usize,
    /// The reader below has nothing more; with its error, if it broke off.
    end: Option<Option<io::Error>>,
    /// Returned after what was produced before it.
    failed: Option<io::Error>,
    is_done: bool,
}

impl<D: StreamDecoder> DecodeLayer<D> {
    fn new(decoder: D, below: Box<dyn CodedReader>, budget: Arc<SliceBudget>) -> Self {
        Self { decoder, below, budget, input: Vec::new(), at: 0, end: None, failed: None, is_done: false }
    }

    /// Steps until something was written; with `opens`, until the head was read.
    fn run(&mut self, out: &mut [u8], opens: bool) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            self.is_done = true;
            return Err(error);
        }
        let mut is_stuck = false;
        while !(self.is_done || opens && self.decoder.is_open()) {
            let step = self.decoder.step(&self.input[self.at..], out, self.end.is_some());
            let (step, error) = match step {
                Ok(step) => (step, None),
                Err((step, error)) => (step, Some(error)),
            };
            self.at += step.consumed;
            self.is_done = step.is_end;
            if let Some(error) = error {
                if step.produced == 0 {
                    self.is_done = true;
                    return Err(self.cause(error));
                }
                self.failed = Some(self.cause(error));
            }
            if step.produced > 0 {
                return Ok(step.produced);
            }
            match step.consumed == 0 && !step.is_end {
                // It may only have noticed that something was over.
                true if self.end.is_some() && !is_stuck => is_stuck = true,
                true => self.fill()?,
                false => is_stuck = false,
            }
            if self.budget.is_over() && !self.is_done {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        Ok(0)
    }

    /// An unexpected end is what the reader below says it is.
    fn cause(&mut self, error: io::Error) -> io::Error {
        match (error.kind(), &mut self.end) {
            (io::ErrorKind::UnexpectedEof, Some(below)) => {
                below.take().unwrap_or_else(|| CodingError::other("unexpected EOF"))
            }
            _ => error,
        }
    }

    /// Reads more behind what is left of the input.
    fn fill(&mut self) -> io::Result<()> {
        if self.end.is_some() {
            // Decoders say themselves that the end came too early; this one found nothing wrong and nothing to do.
            self.is_done = true;
            return Err(self.cause(io::ErrorKind::UnexpectedEof.into()));
        }
        self.input.drain(..std::mem::take(&mut self.at));
        let kept = self.input.len();
        self.input.resize(kept + PIECE, 0);
        let read = self.below.read(&mut self.input[kept..]);
        self.input.truncate(kept + read.as_ref().copied().unwrap_or_default());
        match read {
            Ok(0) => self.end = Some(None),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            Err(error) => self.end = Some(Some(error)),
        }
        Ok(())
    }
}

impl<D: StreamDecoder> Read for DecodeLayer<D> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.run(out, false)
    }
}

impl<D: StreamDecoder> CodedReader for DecodeLayer<D> {
    fn open(&mut self) -> io::Result<()> {
        self.run(&mut [], true).map(drop)
    }
}

type BrotliState =
    brotli::BrotliState<brotli::enc::StandardAlloc, brotli::enc::StandardAlloc, brotli::enc::StandardAlloc>;

struct BrotliDecoder {
    state: Box<BrotliState>,
    is_over: bool,
}

impl BrotliDecoder {
    fn new() -> Self {
        let alloc = brotli::enc::StandardAlloc::default;
        Self { state: Box::new(BrotliState::new(alloc(), alloc(), alloc())), is_over: false }
    }
}

impl StreamDecoder for BrotliDecoder {
    fn step(&mut self, input: &[u8], out: &mut [u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)> {
        if self.is_over {
            return match input.is_empty() {
                true => Ok(DecodeStep { is_end: is_last, ..DecodeStep::default() }),
                false => Err((DecodeStep::default(), CodingError::known("brotli: excessive input"))),
            };
        }
        let (mut left, mut consumed, mut room, mut produced, mut total) = (input.len(), 0, out.len(), 0, 0);
        let result = brotli::BrotliDecompressStream(
            &mut left,
            &mut consumed,
            input,
            &mut room,
            &mut produced,
            out,
            &mut total,
            &mut self.state,
        );
        let step = DecodeStep { consumed, produced, is_end: false };
        match result {
            brotli::BrotliResult::ResultFailure => {
                let code = format!("{:?}", self.state.error_code);
                let name = code.trim_start_matches("BROTLI_DECODER_ERROR_").trim_start_matches("FORMAT_");
                Err((step, CodingError::known(format!("brotli: {name}"))))
            }
            brotli::BrotliResult::NeedsMoreInput if is_last && consumed == 0 && produced == 0 => {
                Err((step, io::ErrorKind::UnexpectedEof.into()))
            }
            brotli::BrotliResult::ResultSuccess => {
                self.is_over = true;
                Ok(step)
            }
            _ => Ok(step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::{ContentCoding, compress};

    /// All of `body` in slices of no time at all, and how many there were.
    fn unpack(codings: &str, body: impl Into<Bytes>) -> (DecodeProgress, usize) {
        let mut decoder = BodyDecoder::new(codings, body.into()).unwrap();
        for count in 1.. {
            match decoder.slice(Duration::ZERO) {
                DecodeProgress::More => {}
                done => return (done, count),
            }
        }
        unreachable!()
    }

    fn packed(codings: &str, plain: impl Into<Bytes>) -> Bytes {
        compress(&ContentCoding::parse_list(codings).unwrap(), plain.into()).unwrap()
    }

    /// Text that does not repeat itself too soon.
    fn text(lines: usize) -> String {
        (0..lines).map(|line| format!("line {line} {:x}\n", line * 2_654_435_761 % 1_000_003)).collect()
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let plain = Bytes::from(text(20_000));
        for list in ["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, deflate, br", "gzip,gzip"] {
            let body = packed(list, plain.clone());
            assert!(body.len() < plain.len());
            assert_eq!(decode(list, body.clone()).unwrap(), plain, "{list}");
            let (DecodeProgress::Whole(whole), slices) = unpack(list, body) else { panic!("{list}") };
            assert!(whole == plain && slices > 10, "{list}: {slices}");
        }
        for unknown in ["", "identity", "GZIP"] {
            assert_eq!(decode(unknown, plain.clone()).unwrap(), plain);
        }
        let twice = [packed("gzip", "one "), packed("gzip", "two")].concat();
        assert_eq!(decode("gzip", twice.into()).unwrap(), "one two");
        let twice = [packed("zstd", "one "), packed("zstd", "two")].concat();
        assert_eq!(decode("zstd", twice.into()).unwrap(), "one two");
    }

    #[test]
    fn bodies_may_end_where_a_piece_does() {
        for length in [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 8 * PIECE] {
            let noise = |at: usize| (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()[7];
            let random: Vec<u8> = (0..length).map(noise).collect();
            for plain in [random, vec![b'a'; length]] {
                for codings in ["gzip", "deflate", "br", "zstd", "gzip, zstd, br, deflate"] {
                    let (DecodeProgress::Whole(whole), _) = unpack(codings, packed(codings, plain.clone())) else {
                        panic!("{codings} {length}")
                    };
                    assert!(whole == plain, "{codings} {length}");
                }
            }
        }
    }

    #[test]
    fn broken_heads_are_named() {
        let check = |coding: &str, body: &'static [u8], code: u16, text: &str| {
            let error = decode(coding, Bytes::from_static(body)).unwrap_err();
            assert_eq!((error.code, &*error.text), (code, text), "{coding}");
        };
        const NOT: &[u8] = b"this is not compressed at all";
        let twice =
            |cause: &str| format!("error decompressing response body (error decompressing response body ({cause}))");
        check("gzip", NOT, 1701, "error decompressing response body (gzip: invalid header)");
        check("deflate", NOT, 1701, &twice("zlib: invalid header"));
        check("deflate", &[0x78, 0xbb], 1701, &twice("zlib: invalid dictionary"));
        check("zstd", NOT, 1701, &twice("invalid input: magic number mismatch"));
        check("gzip", b"", 1701, "error decompressing response body (EOF)");
        check("gzip", b"ok", 1701, "error decompressing response body (unexpected EOF)");
        check("deflate", b"", 1701, "error decompressing response body (unexpected EOF)");
        check("zstd", b"ok", 1000, "unexpected EOF");
        check("br", b"ok", 1000, "unexpected EOF");
        check("br", b"", 1000, "unexpected EOF");
        assert_eq!(decode("br", Bytes::from_static(NOT)).unwrap_err().code, 1701);
        assert_eq!(decode("zstd", Bytes::new()).unwrap(), Bytes::new());
        assert_eq!(decode(&["br"; 40].join(","), Bytes::new()).unwrap_err().code, 1701);
    }

    #[test]
    fn of_a_damaged_body_remains_what_was_read_before() {
        let plain = text(5000);
        let check = |codings: &str, body: &[u8], code: u16, least: usize| {
            let (DecodeProgress::Broken(error, Some(left)), _) = unpack(codings, body.to_vec()) else {
                panic!("{codings}")
            };
            assert_eq!(error.code, code, "{codings}: {}", error.text);
            assert!(plain.as_bytes().starts_with(&left) || left.len() >= plain.len(), "{codings}");
            assert!(left.len() >= least, "{codings}: {} of {}", left.len(), plain.len());
        };
        for codings in ["gzip", "deflate", "br", "gzip, br", "br, gzip"] {
            let body = packed(codings, plain.clone());
            check(codings, &body[..body.len() - 12], 1000, plain.len() / 2);
        }
        let body = packed("zstd", plain.clone());
        check("zstd", &body[..body.len() - 12], 1000, 0);
        let with_tail = |codings: &str| [&packed(codings, plain.clone())[..], b"rubbish"].concat();
        check("gzip", &with_tail("gzip"), 1000, plain.len());
        check("br", &with_tail("br"), 1701, plain.len());
        check("zstd", &with_tail("zstd"), 1701, plain.len());
        assert_eq!(decode("deflate", with_tail("deflate").into()).unwrap(), plain);
        for (codings, from_end) in [("gzip", 8), ("deflate", 1)] {
            let mut body = packed(codings, plain.clone()).to_vec();
            let at = body.len() - from_end;
            body[at] ^= 255;
            check(codings, &body, 1701, plain.len());
        }
    }

    #[test]
    fn bombs_do_not_go_off() {
        // 128 MiB of nothing.
        let nothing = Bytes::from(vec![0; 128 << 20]);
        for codings in ["gzip", "deflate", "zstd", "br"] {
            let mut decoder = BodyDecoder::new(codings, packed(codings, nothing.clone())).unwrap();
            let left = loop {
                match decoder.slice(Duration::from_millis(10)) {
                    DecodeProgress::More => {}
                    DecodeProgress::Bomb(left) => break left,
                    other => panic!("{codings}: {other:?}"),
                }
            };
            assert_eq!(left.len(), KEPT_OF_BOMB, "{codings}");
        }
    }
}
