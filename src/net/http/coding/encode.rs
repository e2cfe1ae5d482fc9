//! Request bodies compressed, as `params.compression` asks.

use std::io::{self, Write};

use bytes::Bytes;

/// A way to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`.
    Gzip,
    /// `deflate`, which is zlib's format.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl Coding {
    /// Reads a comma-separated list; an empty text asks for nothing. The error is k6's.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let one = |name: &str| match name.trim() {
            "gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "br" => Ok(Self::Brotli),
            "zstd" => Ok(Self::Zstd),
            other => {
                Err(format!("unknown compression algorithm {other}, supported algorithms are [gzip deflate zstd br]"))
            }
        };
        text.split(',').map(one).collect()
    }

    /// The name in `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The value of `Content-Encoding` for a list: `gzip, br`.
    pub fn header(codings: &[Self]) -> String {
        codings.iter().map(|coding| coding.name()).collect::<Vec<_>>().join(", ")
    }
}

/// Applies the codings in order.
pub fn compress(codings: &[Coding], body: Bytes) -> io::Result<Bytes> {
    let mut body = body;
    for coding in codings {
        body = one(*coding, &body)?.into();
    }
    Ok(body)
}

fn one(coding: Coding, body: &[u8]) -> io::Result<Vec<u8>> {
    let out = Vec::with_capacity(body.len() / 2 + 64);
    match coding {
        Coding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            writer.write_all(body)?;
            writer.finish()
        }
        Coding::Deflate => {
            let mut writer = flate2::write::ZlibEncoder::new(out, flate2::Compression::default());
            writer.write_all(body)?;
            writer.finish()
        }
        Coding::Brotli => {
            let mut writer = brotli::CompressorWriter::new(out, 4096, 6, 22);
            writer.write_all(body)?;
            writer.flush()?;
            Ok(writer.into_inner())
        }
        Coding::Zstd => zstd::encode_all(body, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!(Coding::parse_list(" gzip , br").unwrap(), [Coding::Gzip, Coding::Brotli]);
        assert_eq!(Coding::header(&Coding::parse_list("zstd,deflate").unwrap()), "zstd, deflate");
        assert_eq!(Coding::parse_list("  ").unwrap(), []);
        assert_eq!(
            Coding::parse_list("foo").unwrap_err(),
            "unknown compression algorithm foo, supported algorithms are [gzip deflate zstd br]"
        );
    }
}
