//! What one coding does: bytes in, bytes out, and what is wrong with them.

use std::borrow::Cow;
use std::io;

/// How far a decoder came in one step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DecodeStep {
    /// Bytes of the input that were consumed.
    pub consumed: usize,
    /// Bytes it wrote.
    pub produced: usize,
    /// True when the stream is over, whatever input is left.
    pub is_end: bool,
}

/// One coding. It reads from slices and writes to slices; waiting is up to the layer around it.
pub(super) trait StreamDecoder: Send {
    /// Goes on. No progress means that it wants more input; at the end of the input (`is_last`) that is an unexpected end.
    ///
    /// # Errors
    /// With what was consumed and produced until then.
    fn step(&mut self, input: &[u8], out: &mut [u8], is_last: bool) -> Result<DecodeStep, (DecodeStep, io::Error)>;

    /// True once the head of the stream is read, where Go reads one before anything else.
    fn is_open(&self) -> bool {
        true
    }
}

/// What a decoder found wrong, inside an [`io::Error`].
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

    /// The error inside of `error`.
    pub fn of(error: &io::Error) -> Self {
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
