//! Gzip and zlib around DEFLATE: heads, checksums and several members, with Go's errors.

use std::io;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::decoder::{CodingError, DecodeStep, StreamDecoder};

/// Go's limit for the name and the comment in a head.
const MAX_NAME: usize = 512;

/// Raw DEFLATE.
struct Deflate(Box<Decompress>);

impl Deflate {
    fn new() -> Self {
        Self(Box::new(Decompress::new(false)))
    }

    /// One step; the flag of the [`DecodeStep`] says that the compressed data is over.
    fn step(&mut self, input: &[u8], out: &mut [u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)> {
        let (read, wrote) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, out, FlushDecompress::None);
        let step = DecodeStep {
            consumed: (self.0.total_in() - read) as usize,
            produced: (self.0.total_out() - wrote) as usize,
            is_end: matches!(status, Ok(Status::StreamEnd)),
        };
        match status {
            Err(_) => {
                let at = self.0.total_in();
                Err((step, CodingError::other(format!("flate: corrupt input before offset {at}"))))
            }
            Ok(_) if !step.is_end && is_last && step.consumed == 0 && step.produced == 0 => {
                Err((step, io::ErrorKind::UnexpectedEof.into()))
            }
            Ok(_) => Ok(step),
        }
    }
}

/// A gzip stream: any number of members one after the other.
pub(super) struct GzipDecoder {
    state: GzipState,
    deflate: Deflate,
    /// Head or trailer as far as it has come.
    kept: Vec<u8>,
    sum: Crc,
    is_first: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GzipState {
    Head,
    Data,
    Trailer,
}

impl Default for GzipDecoder {
    fn default() -> Self {
        let (deflate, sum) = (Deflate::new(), Crc::new());
        Self { state: GzipState::Head, deflate, kept: Vec::new(), sum, is_first: true }
    }
}

impl StreamDecoder for GzipDecoder {
    fn step(&mut self, input: &[u8], out: &mut [u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)> {
        match self.state {
            GzipState::Head => self.head(input, is_last),
            GzipState::Data => {
                let step = self.deflate.step(input, out, is_last);
                let produced = step.as_ref().map_or_else(|(step, _)| step.produced, |step| step.produced);
                self.sum.update(&out[..produced]);
                let step = step?;
                if step.is_end {
                    self.state = GzipState::Trailer;
                }
                Ok(DecodeStep { is_end: false, ..step })
            }
            GzipState::Trailer => self.trailer(input, is_last),
        }
    }

    fn is_open(&self) -> bool {
        self.state != GzipState::Head || !self.is_first
    }
}

impl GzipDecoder {
    fn head(&mut self, input: &[u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)> {
        let had = self.kept.len();
        if had == 0 && input.is_empty() && is_last {
            return match self.is_first {
                true => Err((DecodeStep::default(), CodingError::other("EOF"))),
                false => Ok(DecodeStep { is_end: true, ..DecodeStep::default() }),
            };
        }
        // A head is short, but for a field of up to 64 KB: what is too much goes back.
        self.kept.extend_from_slice(input);
        let consumed = match head_length(&self.kept) {
            Ok(Some(length)) => {
                (self.state, self.is_first) = (GzipState::Data, false);
                (self.deflate, self.sum) = (Deflate::new(), Crc::new());
                self.kept.clear();
                length - had
            }
            Ok(None) if is_last && input.is_empty() => {
                return Err((DecodeStep::default(), io::ErrorKind::UnexpectedEof.into()));
            }
            Ok(None) => input.len(),
            Err(()) => return Err((DecodeStep::default(), CodingError::other("gzip: invalid header"))),
        };
        Ok(DecodeStep { consumed, ..DecodeStep::default() })
    }

    fn trailer(&mut self, input: &[u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)> {
        let consumed = input.len().min(8 - self.kept.len());
        self.kept.extend_from_slice(&input[..consumed]);
        let step = DecodeStep { consumed, ..DecodeStep::default() };
        let Ok(trailer) = <[u8; 8]>::try_from(&self.kept[..]) else {
            return match is_last && consumed == 0 {
                true => Err((step, io::ErrorKind::UnexpectedEof.into())),
                false => Ok(step),
            };
        };
        let expected = u64::from(self.sum.sum()) | u64::from(self.sum.amount()) << 32;
        if u64::from_le_bytes(trailer) != expected {
            return Err((step, CodingError::known("gzip: invalid checksum")));
        }
        self.kept.clear();
        self.state = GzipState::Head;
        Ok(step)
    }
}

/// How long the head at the beginning of `bytes` is; `None` when there is more of it to come.
fn head_length(bytes: &[u8]) -> Result<Option<usize>, ()> {
    const HAS_SUM: u8 = 2;
    const HAS_EXTRA: u8 = 4;
    const HAS_NAME: u8 = 8;
    const HAS_COMMENT: u8 = 16;
    if bytes.len() < 10 {
        return Ok(None);
    }
    if bytes[..3] != [0x1f, 0x8b, 8] {
        return Err(());
    }
    let flags = bytes[3];
    let mut at = 10;
    if flags & HAS_EXTRA != 0 {
        let Some(length) = bytes.get(at..at + 2) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    }
    for flag in [HAS_NAME, HAS_COMMENT] {
        if flags & flag == 0 {
            continue;
        }
        let Some(rest) = bytes.get(at..) else { return Ok(None) };
        match memchr::memchr(0, &rest[..rest.len().min(MAX_NAME)]) {
            Some(end) => at += end + 1,
            None if rest.len() >= MAX_NAME => return Err(()),
            None => return Ok(None),
        }
    }
    if flags & HAS_SUM != 0 {
        let Some(sum) = bytes.get(at..at + 2) else { return Ok(None) };
        let mut own = Crc::new();
        own.update(&bytes[..at]);
        if own.sum() as u16 != u16::from_le_bytes([sum[0], sum[1]]) {
            return Err(());
        }
        at += 2;
    }
    Ok((at <= bytes.len()).then_some(at))
}

/// A zlib stream, which HTTP calls `deflate`. What follows it is not looked at.
pub(super) struct ZlibDecoder {
    state: ZlibState,
    deflate: Deflate,
    kept: Vec<u8>,
    sum: Adler,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ZlibState {
    Head,
    Data,
    Trailer,
}

impl Default for ZlibDecoder {
    fn default() -> Self {
        Self { state: ZlibState::Head, deflate: Deflate::new(), kept: Vec::new(), sum: Adler { low: 1, high: 0 } }
    }
}

impl StreamDecoder for ZlibDecoder {
    fn step(&mut self, input: &[u8], out: &mut [u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)> {
        if self.state == ZlibState::Data {
            let step = self.deflate.step(input, out, is_last);
            let produced = step.as_ref().map_or_else(|(step, _)| step.produced, |step| step.produced);
            self.sum.update(&out[..produced]);
            let step = step?;
            if step.is_end {
                self.state = ZlibState::Trailer;
            }
            return Ok(DecodeStep { is_end: false, ..step });
        }
        let wanted = if self.state == ZlibState::Head { 2 } else { 4 };
        let consumed = input.len().min(wanted - self.kept.len());
        self.kept.extend_from_slice(&input[..consumed]);
        let step = DecodeStep { consumed, ..DecodeStep::default() };
        match (self.state, &self.kept[..]) {
            (ZlibState::Head, &[method, flags]) => {
                let number = u16::from(method) << 8 | u16::from(flags);
                if method & 0x0f != 8 || method >> 4 > 7 || !number.is_multiple_of(31) {
                    return Err((step, CodingError::known("zlib: invalid header")));
                }
                if flags & 0x20 != 0 {
                    return Err((step, CodingError::known("zlib: invalid dictionary")));
                }
                self.state = ZlibState::Data;
                self.kept.clear();
                Ok(step)
            }
            (ZlibState::Trailer, &[a, b, c, d]) => match u32::from_be_bytes([a, b, c, d]) == self.sum.value() {
                true => Ok(DecodeStep { is_end: true, ..step }),
                false => Err((step, CodingError::known("zlib: invalid checksum"))),
            },
            _ if is_last && consumed == 0 => Err((step, io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(step),
        }
    }

    fn is_open(&self) -> bool {
        self.state != ZlibState::Head
    }
}

/// The checksum Adler-32.
struct Adler {
    low: u32,
    high: u32,
}

impl Adler {
    const PRIME: u32 = 65521;

    fn update(&mut self, bytes: &[u8]) {
        // At most this many bytes can be added before a sum overflows.
        for part in bytes.chunks(5552) {
            for &byte in part {
                self.low += u32::from(byte);
                self.high += self.low;
            }
            self.low %= Self::PRIME;
            self.high %= Self::PRIME;
        }
    }

    fn value(&self) -> u32 {
        self.high << 16 | self.low
    }
}
