//! Zstandard: libzstd does the work; where a frame and its blocks begin is read here, so that errors and what is left of a
//! damaged body are those of Go's reader.

use std::io;

use super::decoder::{CodingError, DecodeStep, StreamDecoder};

/// The largest window a frame may ask for, as a power of two; Go's limit.
const ZSTD_WINDOW: u32 = 26;

/// Blocks are handed over whole: Go gives nothing of a block that is cut.
pub(super) struct ZstdDecoder {
    decoder: zstd::stream::raw::Decoder<'static>,
    parts: ZstdParts,
    /// How much of the part under way is still to be consumed.
    left: usize,
    /// The decoder may hold back what did not fit.
    is_full: bool,
}

/// What comes next in a Zstandard stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ZstdParts {
    Head,
    Block { has_sum: bool },
    Sum,
}

impl ZstdParts {
    /// The length of the next part and what follows it; `None` when there is too little to tell.
    fn next(self, input: &[u8]) -> Result<Option<(usize, Self)>, io::Error> {
        const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
        match self {
            Self::Sum => Ok((input.len() >= 4).then_some((4, Self::Head))),
            Self::Block { has_sum } => {
                let &[a, b, c, ..] = input else { return Ok(None) };
                let head = u32::from_le_bytes([a, b, c, 0]);
                let (is_last, kind, size) = (head & 1 == 1, head >> 1 & 3, (head >> 3) as usize);
                let size = 3 + if kind == 1 { 1 } else { size };
                let then = match (is_last, has_sum) {
                    (false, _) => self,
                    (true, true) => Self::Sum,
                    (true, false) => Self::Head,
                };
                Ok(Some((size, then)))
            }
            Self::Head => {
                let &[a, _, _, _, ref rest @ ..] = input else { return Ok(None) };
                let is_skippable = a & 0xf0 == 0x50 && input[1..4] == [0x2a, 0x4d, 0x18];
                if is_skippable {
                    let &[a, b, c, d, ..] = rest else { return Ok(None) };
                    return Ok(Some((8 + u32::from_le_bytes([a, b, c, d]) as usize, Self::Head)));
                }
                if !input.starts_with(&MAGIC) {
                    return Err(CodingError::known("invalid input: magic number mismatch"));
                }
                let Some(&flags) = rest.first() else { return Ok(None) };
                let is_single = flags >> 5 & 1;
                let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
                let size = [usize::from(is_single), 2, 4, 8][usize::from(flags >> 6)];
                let length = 5 + usize::from(1 - is_single) + dictionary + size;
                Ok(Some((length, Self::Block { has_sum: flags >> 2 & 1 == 1 })))
            }
        }
    }
}

impl ZstdDecoder {
    /// A decoder of one stream.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new() -> io::Result<Self> {
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        decoder.set_parameter(zstd::stream::raw::DParameter::WindowLogMax(ZSTD_WINDOW))?;
        Ok(Self { decoder, parts: ZstdParts::Head, left: 0, is_full: false })
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<DecodeStep, (DecodeStep, io::Error)> {
        use zstd::stream::raw::{InBuffer, Operation, OutBuffer};
        let room = out.len();
        let (mut from, mut into) = (InBuffer::around(input), OutBuffer::around(out));
        let result = self.decoder.run(&mut from, &mut into);
        let step = DecodeStep { consumed: from.pos(), produced: into.pos(), is_end: false };
        self.is_full = step.produced == room;
        self.left -= step.consumed;
        let Err(error) = result else { return Ok(step) };
        let text = error.to_string();
        let text = match () {
            () if text.contains("too much memory") => "window size exceeded".to_owned(),
            () if text.contains("checksum") => "CRC check failed".to_owned(),
            () if text.contains("Dictionary") => "unknown dictionary".to_owned(),
            () if text.contains("llocation") => return Err((step, io::ErrorKind::OutOfMemory.into())),
            () => format!("zstd: {text}"),
        };
        Err((step, CodingError::known(text)))
    }
}

impl StreamDecoder for ZstdDecoder {
    fn step(&mut self, input: &[u8], out: &mut [u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)> {
        /// No block is longer; only frames that are skipped may be.
        const MAX_BLOCK: usize = (128 << 10) + 3;
        let none = DecodeStep::default();
        if self.is_full {
            let step = self.run(&[], out)?;
            if step.produced > 0 {
                return Ok(step);
            }
        }
        if self.left == 0 {
            if self.parts == ZstdParts::Head && input.is_empty() {
                return Ok(DecodeStep { is_end: is_last, ..none });
            }
            let next = self.parts.next(input).map_err(|error| (none, error))?;
            match next {
                Some((length, then)) if input.len() >= length.min(MAX_BLOCK) => {
                    (self.left, self.parts) = (length, then)
                }
                _ if is_last => return Err((none, io::ErrorKind::UnexpectedEof.into())),
                _ => return Ok(none),
            }
        }
        if input.is_empty() && is_last {
            return Err((none, io::ErrorKind::UnexpectedEof.into()));
        }
        self.run(&input[..input.len().min(self.left)], out)
    }
}
