//! What must hold whatever a server sends; entered by tests and by `tests/fuzz`.

use bytes::Bytes;

use super::frames::{Frames, frame};

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
}
