//! Content codings undone: what `Content-Encoding` lists, from last to first.
//!
//! A pure function, applied on the thread that awaits the answer, so that decompression never disturbs a timestamp.

use std::borrow::Cow;
use std::io::{self, Read};

use bytes::Bytes;

use super::error::{DECOMPRESSION, Fault, OTHER, Stage};

/// Decodes `body`. Unknown codings leave it as it is from there on.
pub fn decode(codings: &str, body: Bytes) -> Result<Bytes, Fault> {
    let mut body = body;
    for coding in codings.rsplit(',') {
        let decoded = match coding.trim() {
            "gzip" => gzip(&body),
            "deflate" => zlib(&body),
            "br" => brotli(&body),
            "zstd" => zstd(&body),
            // Unknown and upper-case codings end it, as in k6.
            _ => break,
        };
        body = decoded?.into();
    }
    Ok(body)
}

fn broken(cause: impl Into<Cow<'static, str>>, twice: bool) -> Fault {
    let text = format!("error decompressing response body ({})", cause.into());
    let text = if twice { format!("error decompressing response body ({text})") } else { text };
    Fault::new(DECOMPRESSION, text).at(Stage::Body)
}

fn gzip(body: &[u8]) -> Result<Vec<u8>, Fault> {
    match body {
        [] => return Err(broken("EOF", false)),
        [0x1f, 0x8b, 8, ..] if body.len() >= 10 => {}
        [0x1f] | [0x1f, 0x8b] | [0x1f, 0x8b, 8, ..] => return Err(broken("unexpected EOF", false)),
        _ if body.len() < 10 => return Err(broken("unexpected EOF", false)),
        _ => return Err(broken("gzip: invalid header", false)),
    }
    let mut decoded = Vec::with_capacity(body.len() * 3);
    flate2::read::MultiGzDecoder::new(body).read_to_end(&mut decoded).map_err(|error| {
        broken(
            match error.kind() {
                io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
                _ if error.to_string().contains("checksum") => "gzip: invalid checksum".to_owned(),
                _ if error.to_string().contains("header") => "gzip: invalid header".to_owned(),
                _ => "flate: corrupt input".to_owned(),
            },
            true,
        )
    })?;
    Ok(decoded)
}

fn zlib(body: &[u8]) -> Result<Vec<u8>, Fault> {
    match body {
        [] | [_] => return Err(broken("unexpected EOF", true)),
        [method, flags, ..] => {
            let sum = u16::from(*method) << 8 | u16::from(*flags);
            if method & 0x0f != 8 || method >> 4 > 7 || sum % 31 != 0 {
                return Err(broken("zlib: invalid header", true));
            }
        }
    }
    let mut decoded = Vec::with_capacity(body.len() * 3);
    flate2::read::ZlibDecoder::new(body).read_to_end(&mut decoded).map_err(|error| {
        let cause = match error.kind() {
            io::ErrorKind::UnexpectedEof => "unexpected EOF",
            _ => "zlib: invalid checksum",
        };
        broken(cause, true)
    })?;
    Ok(decoded)
}

fn brotli(body: &[u8]) -> Result<Vec<u8>, Fault> {
    if body.is_empty() {
        // k6 gives this one no decompression code.
        return Err(Fault::new(OTHER, "unexpected EOF").at(Stage::Body));
    }
    let mut decoded = Vec::with_capacity(body.len() * 3);
    brotli::Decompressor::new(body, 4096)
        .read_to_end(&mut decoded)
        .map_err(|error| broken(format!("brotli: {error}"), false))?;
    Ok(decoded)
}

fn zstd(body: &[u8]) -> Result<Vec<u8>, Fault> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let is_skippable = body.len() >= 4 && body[0] & 0xf0 == 0x50 && body[1..4] == [0x2a, 0x4d, 0x18];
    if !body.starts_with(&MAGIC) && !is_skippable {
        return Err(broken("invalid input: magic number mismatch", true));
    }
    zstd::decode_all(body).map_err(|error| broken(format!("zstd: {error}"), true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::compress::{Coding, compress};

    #[test]
    fn what_was_compressed_comes_back() {
        let plain = Bytes::from("round trip ".repeat(50));
        for list in ["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, deflate, br", "gzip,gzip"] {
            let codings = Coding::parse_list(list).unwrap();
            let packed = compress(&codings, plain.clone()).unwrap();
            assert!(packed.len() < plain.len());
            assert_eq!(decode(list, packed).unwrap(), plain, "{list}");
        }
        for unknown in ["", "identity", "GZIP"] {
            assert_eq!(decode(unknown, plain.clone()).unwrap(), plain);
        }
    }

    #[test]
    fn broken_bodies_are_named() {
        let check = |coding: &str, body: &'static [u8], code: u16, text: &str| {
            let fault = decode(coding, Bytes::from_static(body)).unwrap_err();
            assert_eq!((fault.code, &*fault.text), (code, text), "{coding}");
        };
        const NOT: &[u8] = b"this is not compressed at all";
        check("gzip", NOT, 1701, "error decompressing response body (gzip: invalid header)");
        check(
            "deflate",
            NOT,
            1701,
            "error decompressing response body (error decompressing response body (zlib: invalid header))",
        );
        check("gzip", b"", 1701, "error decompressing response body (EOF)");
        assert_eq!(decode("zstd", Bytes::from_static(NOT)).unwrap_err().code, 1701);
        assert_eq!(decode("br", Bytes::from_static(NOT)).unwrap_err().code, 1701);
        assert_eq!(decode("br", Bytes::new()).unwrap_err().code, 1000);
        assert_eq!(decode("zstd", Bytes::new()).unwrap(), Bytes::new());
    }
}
