//! What must hold whatever a server sends; entered by tests and by `tests/fuzz`.

use bytes::Bytes;

use super::frames::{Frames, frame};
use super::{metadata, status::GrpcStatus};

/// The body of an answer, cut as its first byte says: messages do not depend on the cuts, and sent once more they are what
/// came. A body that can't be taken is refused at the same place.
pub fn body(data: &[u8]) {
    let Some((&cut, body)) = data.split_first() else { return };
    let read = |cut: usize| {
        let (mut frames, mut messages) = (Frames::default(), Vec::new());
        for piece in body.chunks(cut) {
            frames.push(Bytes::copy_from_slice(piece));
            loop {
                match frames.next(1 << 16, Some("gzip")) {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(status) => return (messages, Some(status)),
                }
            }
        }
        (messages, None)
    };
    let whole = read(body.len().max(1));
    assert_eq!(read(usize::from(cut).max(1)), whole);
    let (messages, _) = whole;
    let sent: Vec<u8> = messages.iter().flat_map(|message| frame(message, usize::MAX).unwrap_or_default()).collect();
    assert!(body.starts_with(&sent));
}

/// The head and the trailers of an answer, a `name: value` on each line: there is a status, and what is shown is what was
/// sent.
pub fn trailers(data: &[u8]) {
    let mut headers = http::HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let at = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, value) = (&line[..at], line.get(at + 1..).unwrap_or_default());
        if let (Ok(name), Ok(value)) = (http::HeaderName::from_bytes(name), http::HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let status = metadata::status(&headers);
    _ = (status.to_string(), metadata::read(&headers));
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
    assert_eq!(
        GrpcStatus::of_http(200, kind).is_none(),
        kind.is_some_and(|kind| {
            kind.to_ascii_lowercase().starts_with("application/grpc")
                && !matches!(kind.as_bytes().get(16), Some(byte) if !b"+;".contains(byte))
        })
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    #[test]
    fn any_body_is_taken_or_refused() {
        break_each(
            &[
                b"\x03\0\0\0\0\x02ab\0\0\0\0\0\0\0\0\0\x05hello",
                b"\x01\0\0\0\0\0\0\0\0\0\x01x\x01\0\0\0\x01y",
                b"\x07\0\0\x01\0\x01z",
            ],
            body,
        );
    }

    #[test]
    fn any_trailers_tell_a_status() {
        break_each(
            &[
                b"content-type:application/grpc+proto\ngrpc-status:0\ngrpc-message:a%20b%\ngrpc-status-details-bin:AP8H",
                b"grpc-status:-1\ngrpc-message:%C3%A9%zz%4\nx-bin:AA==\nx-bin:%%\ncontent-type:text/html",
                b"content-type:application/grp\xc3\xa9",
            ],
            trailers,
        );
    }
}
