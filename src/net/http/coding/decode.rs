//! Content codings undone: what `Content-Encoding` lists, from last to first, a slice of time after the other.
//!
//! Nothing here waits or knows a thread; `unpack` says where the slices are computed and when it has been enough. Errors
//! and what is left of a damaged body are those of Go's readers: what was read before the damage is kept.

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::encode::ContentCoding;
use super::inflate::{GzipDecoder, ZlibDecoder};
use super::zstd::ZstdDecoder;
use crate::net::http::proto::error::{DECOMPRESSION, ErrorStage, NetError, OTHER};

/// More codings than this have no honest reason; each would cost a window of memory.
const MAX_CODINGS: usize = 16;
/// Up to here a body may unpack to any multiple of its size.
const MAX_UNCHECKED_SIZE: usize = 32 << 20;
/// Beyond that it is a bomb when it unpacks to more than this multiple of what was read of it. Texts reach 50 at best.
const MAX_RATIO: usize = 100;
/// What is kept of a bomb.
const KEPT_OF_BOMB: usize = 1 << 20;
/// How much is asked of a reader at once, and how much it asks of the one below.
const PIECE: usize = 16 << 10;

/// What came of a slice.
#[derive(Debug)]
pub enum DecodeProgress {
    /// There is more to do.
    More,
    /// The body is unpacked.
    Whole(Bytes),
    /// It can't be unpacked. What could be read before stands in the second part; `None` where the head of a coding was
    /// wrong already.
    Broken(NetError, Option<Bytes>),
    /// It becomes so large that it is not unpacked any further; with the beginning.
    Bomb(Bytes),
}

/// A body on its way out of its codings.
pub struct BodyDecoder {
    /// The codings that no reader was opened for yet, the last one first.
    pending: Vec<ContentCoding>,
    source: Option<Box<dyn CodedReader>>,
    is_open: bool,
    pace: Arc<SliceBudget>,
    out: Vec<u8>,
}

impl BodyDecoder {
    /// Begins to undo `codings`. Unknown codings leave the body as it is.
    ///
    /// # Errors
    /// More codings than anybody needs.
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
        let pace = Arc::new(SliceBudget::new());
        let out = Vec::new();
        let source = Some(Box::new(RawBody { body, pace: pace.clone() }) as Box<dyn CodedReader>);
        Ok(Self { pending, source, is_open: true, pace, out })
    }

    /// Goes on for about `time`.
    pub fn slice(&mut self, time: Duration) -> DecodeProgress {
        self.pace.begin(time);
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

    /// What has been unpacked so far.
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
            self.source = self.source.take().map(|source| coding.over(source, self.pace.clone()));
            self.is_open = false;
        }
        let Some(source) = &mut self.source else { return Ok(()) };
        loop {
            let start = self.out.len();
            if start > MAX_UNCHECKED_SIZE && start > self.pace.taken().saturating_mul(MAX_RATIO) {
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
                Ok(_) if self.pace.is_over() => return Err(SliceEnd::TimeUp),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(SliceEnd::TimeUp),
                Err(error) if error.kind() == io::ErrorKind::OutOfMemory => return Err(SliceEnd::Memory),
                Err(error) => return Err(SliceEnd::Body(error)),
            }
        }
    }
}

/// Why a slice ended before the body was whole.
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
    let mut unpacking = BodyDecoder::new(codings, body)?;
    loop {
        match unpacking.slice(Duration::from_millis(10)) {
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

/// What a reader found wrong, inside an [`io::Error`].
#[derive(Clone, Debug)]
pub(super) struct CodingError {
    pub text: Cow<'static, str>,
    /// k6 knows it as an error of decompression.
    pub is_known: bool,
}

impl CodingError {
    /// An error k6 counts as one of decompression.
    pub fn known(text: impl Into<Cow<'static, str>>) -> io::Error {
        io::Error::other(Self { text: text.into(), is_known: true })
    }

    /// Any other.
    pub fn other(text: impl Into<Cow<'static, str>>) -> io::Error {
        io::Error::other(Self { text: text.into(), is_known: false })
    }

    fn of(error: &io::Error) -> Self {
        let own = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        own.cloned().unwrap_or_else(|| Self { text: error.to_string().into(), is_known: false })
    }
}

impl std::fmt::Display for CodingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CodingError {}

/// When the slice ends, and how much of the packed body was read; shared by all readers of a chain.
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

/// A reader that may look at the head of its stream before anything is read. Where a slice is over it says
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
    pace: Arc<SliceBudget>,
}

impl Read for RawBody {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let part = self.body.split_to(out.len().min(self.body.len()));
        out[..part.len()].copy_from_slice(&part);
        self.pace.taken.fetch_add(part.len() as u64, Ordering::Relaxed);
        Ok(part.len())
    }
}

impl CodedReader for RawBody {}

/// How far a decoder came in one step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DecodeStep {
    /// Bytes of the input that it is done with.
    pub consumed: usize,
    /// Bytes it wrote.
    pub produced: usize,
    /// True when the stream is over, whatever input is left.
    pub is_end: bool,
}

/// One coding. It reads from slices and writes to slices; waiting is the layer's business.
pub(super) trait StreamDecoder: Send {
    /// Goes on. Without progress it wants more input; at the end of the input (`is_last`) that is an unexpected end.
    ///
    /// # Errors
    /// With what was consumed and produced until then.
    fn step(&mut self, input: &[u8], out: &mut [u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)>;

    /// True once the head of the stream is read, where Go reads one before anything else.
    fn is_open(&self) -> bool {
        true
    }
}

impl ContentCoding {
    fn over(self, below: Box<dyn CodedReader>, pace: Arc<SliceBudget>) -> Box<dyn CodedReader> {
        match self {
            Self::Gzip => Box::new(DecodeLayer::new(GzipDecoder::default(), below, pace)),
            Self::Deflate => Box::new(DecodeLayer::new(ZlibDecoder::default(), below, pace)),
            Self::Brotli => Box::new(DecodeLayer::new(BrotliDecoder::new(), below, pace)),
            Self::Zstd => match ZstdDecoder::new() {
                Ok(zstd) => Box::new(DecodeLayer::new(zstd, below, pace)),
                Err(error) => Box::new(FailedReader(Some(error))),
            },
        }
    }
}

/// What could not even begin.
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
    pace: Arc<SliceBudget>,
    input: Vec<u8>,
    at: usize,
    /// The reader below has nothing more; with its error, if it broke off.
    end: Option<Option<io::Error>>,
    /// Told once what was produced before it has been taken.
    failed: Option<io::Error>,
    is_done: bool,
}

impl<D: StreamDecoder> DecodeLayer<D> {
    fn new(decoder: D, below: Box<dyn CodedReader>, pace: Arc<SliceBudget>) -> Self {
        Self { decoder, below, pace, input: Vec::new(), at: 0, end: None, failed: None, is_done: false }
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
            if self.pace.is_over() && !self.is_done {
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
        let mut unpacking = BodyDecoder::new(codings, body.into()).unwrap();
        for count in 1.. {
            match unpacking.slice(Duration::ZERO) {
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
            let mut unpacking = BodyDecoder::new(codings, packed(codings, nothing.clone())).unwrap();
            let left = loop {
                match unpacking.slice(Duration::from_millis(10)) {
                    DecodeProgress::More => {}
                    DecodeProgress::Bomb(left) => break left,
                    other => panic!("{codings}: {other:?}"),
                }
            };
            assert_eq!(left.len(), KEPT_OF_BOMB, "{codings}");
        }
    }
}
