//! Whether text is ASCII, which engines ask of every string they are given or give.

/// True when all bytes are ASCII. Of a text of 64 bytes or more the standard library looks at what is left of a multiple of 64 byte by byte.
pub fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let (long, rest) = bytes.split_at(bytes.len() - bytes.len() % 64);
    if !long.is_ascii() {
        return false;
    }
    // The last word may overlap the one before it, or be it.
    let (words, _) = rest.as_chunks::<8>();
    match bytes.last_chunk::<8>() {
        Some(last) => {
            let seen = words.iter().fold(u64::from_ne_bytes(*last), |seen, word| seen | u64::from_ne_bytes(*word));
            seen & HIGH_BITS == 0
        }
        None => bytes.iter().fold(0, |seen, byte| seen | byte) < 0x80,
    }
}

#[cfg(test)]
mod tests {
    use super::is_ascii;

    #[test]
    fn says_what_the_standard_library_says() {
        for len in 0..=200 {
            let mut bytes = vec![0x7f; len];
            assert!(is_ascii(&bytes), "{len} bytes");
            for at in 0..len {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "byte {at} of {len}");
                bytes[at] = 0x7f;
            }
        }
    }
}
