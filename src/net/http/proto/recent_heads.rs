//! Heads of responses that were parsed before: a server says the same again and again, until the second of its date is over.

use std::cell::RefCell;
use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::error::NetError;
use super::response_head::{ResponseHead, parse_head};

/// So many heads are remembered per thread; a power of two.
const PLACES: usize = 32;
/// Longer heads, in bytes, are not remembered.
const MAX_BYTES: usize = 4096;
/// Of heads that are not known one in so many is remembered: where no two are alike, remembering is in vain.
const EVERY: usize = 4;

#[derive(Default)]
struct RecentHeads {
    /// Each in the place that its bytes choose.
    places: [Option<(Box<[u8]>, ResponseHead)>; PLACES],
    unknown: usize,
}

thread_local! {
    static RECENT: RefCell<RecentHeads> = RefCell::default();
}

/// As [`parse_head`], from what was parsed before where that had the same bytes.
///
/// # Errors
/// As [`parse_head`].
pub fn parse(head: &[u8]) -> Result<ResponseHead, NetError> {
    if head.len() > MAX_BYTES {
        return parse_head(head);
    }
    let mut hasher = FxHasher::default();
    hasher.write(head);
    let at = hasher.finish() as usize % PLACES;
    RECENT.with_borrow_mut(|recent| {
        let place = &mut recent.places[at];
        if let Some((bytes, parsed)) = place
            && **bytes == *head
        {
            return Ok(parsed.clone());
        }
        let parsed = parse_head(head)?;
        if recent.unknown.is_multiple_of(EVERY) {
            *place = Some((head.into(), parsed.clone()));
        }
        recent.unknown += 1;
        Ok(parsed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_head_is_what_its_bytes_say() {
        let check = |head: &str| {
            let (known, expect) = (parse(head.as_bytes()), parse_head(head.as_bytes()));
            assert_eq!(format!("{known:?}"), format!("{expect:?}"), "{head}");
        };
        for _ in 0..3 {
            for at in 0..100 {
                check(&format!("HTTP/1.1 200 OK\r\nx-at: {at}\r\nx-at: b\r\n\r\n"));
                check(&format!("HTTP/1.0 404 Not Found\r\nConnection: {}\r\n\r\n", ["close", "keep-alive"][at % 2]));
                check(&format!("HTTP/1.1 200 OK\r\nx-at {at}\r\n\r\n"));
            }
        }
    }
}
