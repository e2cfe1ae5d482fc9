//! Request bodies compressed, as `params.compression` asks.

use std::io::{self, Write};

use bytes::Bytes;

/// A way to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    /// `gzip`.
    Gzip,
    /// `deflate`, which is zlib's format.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl ContentCoding {
    /// Reads a comma-separated list; an empty text asks for nothing. The error is k6's.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let one = |name: &str| {
            let name = name.trim();
            Self::from_name(name).ok_or_else(|| {
                format!("unknown compression algorithm {name}, supported algorithms are [gzip deflate zstd br]")
            })
        };
        text.split(',').map(one).collect()
    }

    /// The coding that `Content-Encoding` calls by this name, in lower case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Gzip, Self::Deflate, Self::Brotli, Self::Zstd].into_iter().find(|coding| coding.name() == name)
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
pub fn compress(codings: &[ContentCoding], body: Bytes) -> io::Result<Bytes> {
    let mut body = body;
    for coding in codings {
        body = one(*coding, &body)?.into();
    }
    Ok(body)
}

fn one(coding: ContentCoding, body: &[u8]) -> io::Result<Vec<u8>> {
    let out = Vec::with_capacity(body.len() / 2 + 64);
    match coding {
        ContentCoding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            writer.write_all(body)?;
            writer.finish()
        }
        ContentCoding::Deflate => {
            let mut writer = flate2::write::ZlibEncoder::new(out, flate2::Compression::default());
            writer.write_all(body)?;
            writer.finish()
        }
        ContentCoding::Brotli => {
            let mut writer = brotli::CompressorWriter::new(out, 4096, 6, 22);
            writer.write_all(body)?;
            writer.flush()?;
            Ok(writer.into_inner())
        }
        ContentCoding::Zstd => zstd::encode_all(body, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!(ContentCoding::parse_list(" gzip , br").unwrap(), [ContentCoding::Gzip, ContentCoding::Brotli]);
        assert_eq!(ContentCoding::header(&ContentCoding::parse_list("zstd,deflate").unwrap()), "zstd, deflate");
        assert_eq!(ContentCoding::parse_list("  ").unwrap(), []);
        assert_eq!(
            ContentCoding::parse_list("foo").unwrap_err(),
            "unknown compression algorithm foo, supported algorithms are [gzip deflate zstd br]"
        );
    }
}
