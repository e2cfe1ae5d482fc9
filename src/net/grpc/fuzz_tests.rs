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
    let (messages, refused) = read(usize::from(cut).max(1));
    assert_eq!((&messages, &refused), {
        let (whole, refused) = &read(body.len().max(1));
        (&whole.clone(), &refused.clone())
    });
    let sent: Vec<u8> = messages.iter().flat_map(|message| frame(message, usize::MAX).unwrap_or_default()).collect();
    assert!(body.starts_with(&sent));
}

#[cfg(test)]
mod tests {
    #[test]
    fn whatever_arrives_is_taken_or_refused() {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as u8
        };
        for _ in 0..2000 {
            let mut data = vec![next()];
            for _ in 0..next() % 6 {
                let length = next() % 40;
                data.extend([next() % 2 * (next() % 20 / 19), 0, 0, 0, length]);
                data.extend((0..length.wrapping_sub(next() % 10 / 9)).map(|_| next()));
            }
            super::body(&data);
        }
    }
}
