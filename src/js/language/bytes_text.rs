//! Bytes as base64 and hexadecimal text, as ECMA-262 says of `Uint8Array` (FromBase64, FromHex): for an engine without.

/// The characters of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// With `+` and `/`.
    Base64,
    /// With `-` and `_`.
    Base64Url,
}

impl Alphabet {
    /// By its name in options.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "base64" => Some(Self::Base64),
            "base64url" => Some(Self::Base64Url),
            _ => None,
        }
    }

    /// What a character stands for.
    fn digit(self, unit: u16) -> Option<u32> {
        let byte = u8::try_from(unit).ok()?;
        let [plus, slash] = self.last_two();
        Some(u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            _ if byte == plus => 62,
            _ if byte == slash => 63,
            _ => return None,
        }))
    }

    const fn last_two(self) -> [u8; 2] {
        match self {
            Self::Base64 => [b'+', b'/'],
            Self::Base64Url => [b'-', b'_'],
        }
    }
}

/// What becomes of a last group of fewer than four characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastChunkHandling {
    /// It needs no padding.
    Loose,
    /// It has to have padding, and no bits that mean nothing.
    Strict,
    /// It is left alone, unless it has its padding.
    StopBeforePartial,
}

impl LastChunkHandling {
    /// By its name in options.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "loose" => Some(Self::Loose),
            "strict" => Some(Self::Strict),
            "stop-before-partial" => Some(Self::StopBeforePartial),
            _ => None,
        }
    }
}

/// What was read of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct DecodedText {
    /// How many characters.
    pub read: usize,
    /// The bytes they stand for; also those in front of what is wrong.
    pub bytes: Vec<u8>,
    /// False where the text is wrong.
    pub is_valid: bool,
}

/// A character of either kind of string.
pub trait TextUnit: Copy {
    /// Its UTF-16 unit.
    fn unit(self) -> u16;
}

impl TextUnit for u8 {
    fn unit(self) -> u16 {
        self.into()
    }
}

impl TextUnit for u16 {
    fn unit(self) -> u16 {
        self
    }
}

fn skip_whitespace<T: TextUnit>(text: &[T], from: usize) -> usize {
    let is_space = |unit: &T| matches!(unit.unit(), 0x09 | 0x0A | 0x0C | 0x0D | 0x20);
    text[from..].iter().position(|unit| !is_space(unit)).map_or(text.len(), |at| from + at)
}

/// A group of two or three characters as one or two bytes; `None` if it may have no bits that mean nothing and has.
fn last_bytes(chunk: u32, count: usize, is_strict: bool) -> Option<Vec<u8>> {
    let (unused, bytes) = match count {
        2 => (chunk & 0xF, vec![(chunk >> 4) as u8]),
        _ => (chunk & 3, vec![(chunk >> 10) as u8, (chunk >> 2) as u8]),
    };
    (!is_strict || unused == 0).then_some(bytes)
}

/// The bytes of a base64 text, at most `max` of them: it is read as far as whole groups fit.
pub fn from_base64<T: TextUnit>(text: &[T], alphabet: Alphabet, last: LastChunkHandling, max: usize) -> DecodedText {
    let mut decoded = DecodedText { read: 0, bytes: Vec::with_capacity((text.len() / 4 * 3).min(max)), is_valid: true };
    if max == 0 {
        return decoded;
    }
    let (mut chunk, mut count, mut at) = (0, 0, 0);
    loop {
        at = skip_whitespace(text, at);
        let Some(unit) = text.get(at).map(|unit| unit.unit()) else {
            match last {
                _ if count == 0 => decoded.read = text.len(),
                LastChunkHandling::StopBeforePartial => {}
                LastChunkHandling::Loose if count > 1 => end(&mut decoded, (chunk, count, false), text.len()),
                _ => decoded.is_valid = false,
            }
            return decoded;
        };
        at += 1;
        if unit == u16::from(b'=') {
            if count < 2 {
                decoded.is_valid = false;
                return decoded;
            }
            at = skip_whitespace(text, at);
            if count == 2 {
                match text.get(at) {
                    None => {
                        decoded.is_valid = last == LastChunkHandling::StopBeforePartial;
                        return decoded;
                    }
                    Some(unit) if unit.unit() == u16::from(b'=') => at = skip_whitespace(text, at + 1),
                    Some(_) => {}
                }
            }
            match at < text.len() {
                true => decoded.is_valid = false,
                false => end(&mut decoded, (chunk, count, last == LastChunkHandling::Strict), text.len()),
            }
            return decoded;
        }
        let Some(digit) = alphabet.digit(unit) else {
            decoded.is_valid = false;
            return decoded;
        };
        let room = max - decoded.bytes.len();
        if room == 1 && count == 2 || room == 2 && count == 3 {
            return decoded;
        }
        (chunk, count) = (chunk << 6 | digit, count + 1);
        if count == 4 {
            decoded.bytes.extend_from_slice(&chunk.to_be_bytes()[1..]);
            decoded.read = at;
            if decoded.bytes.len() == max {
                return decoded;
            }
            (chunk, count) = (0, 0);
        }
    }
}

/// The last group of a text.
fn end(decoded: &mut DecodedText, (chunk, count, is_strict): (u32, usize, bool), length: usize) {
    match last_bytes(chunk, count, is_strict) {
        Some(bytes) => {
            decoded.bytes.extend_from_slice(&bytes);
            decoded.read = length;
        }
        None => decoded.is_valid = false,
    }
}

/// The bytes of a hexadecimal text, at most `max` of them.
pub fn from_hex<T: TextUnit>(text: &[T], max: usize) -> DecodedText {
    let mut decoded = DecodedText { read: 0, bytes: Vec::new(), is_valid: true };
    if !text.len().is_multiple_of(2) {
        decoded.is_valid = false;
        return decoded;
    }
    decoded.bytes.reserve((text.len() / 2).min(max));
    let digit = |unit: T| char::from_u32(unit.unit().into()).and_then(|digit| digit.to_digit(16));
    for pair in text.chunks_exact(2).take(max) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
            decoded.is_valid = false;
            return decoded;
        };
        decoded.bytes.push((high << 4 | low) as u8);
        decoded.read += 2;
    }
    decoded
}

/// Bytes as base64, in ASCII.
pub fn to_base64(bytes: &[u8], alphabet: Alphabet, omits_padding: bool) -> Vec<u8> {
    let [plus, slash] = alphabet.last_two();
    let character = |digit: u32| match digit as u8 & 0x3F {
        digit @ 0..26 => b'A' + digit,
        digit @ 26..52 => b'a' + digit - 26,
        digit @ 52..62 => b'0' + digit - 52,
        62 => plus,
        _ => slash,
    };
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.extend((0..=chunk.len()).map(|at| character(group >> (18 - 6 * at))));
        if !omits_padding {
            out.extend((chunk.len()..3).map(|_| b'='));
        }
    }
    out
}

/// Bytes as hexadecimal digits, in ASCII.
pub fn to_hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xF)]]).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn base64_is_that_of_the_crate() {
        let bytes: Vec<u8> = (0..600_u32).map(|at| (at * 7 + at / 256) as u8).collect();
        for length in (0..40).chain([255, 256, 600]) {
            let bytes = &bytes[..length];
            for (alphabet, padded, bare) in
                [(Alphabet::Base64, &STANDARD, &STANDARD_NO_PAD), (Alphabet::Base64Url, &URL_SAFE, &URL_SAFE_NO_PAD)]
            {
                let text = to_base64(bytes, alphabet, false);
                assert_eq!(text, padded.encode(bytes).into_bytes());
                assert_eq!(to_base64(bytes, alphabet, true), bare.encode(bytes).into_bytes());
                let decoded = from_base64(&text, alphabet, LastChunkHandling::Strict, usize::MAX);
                assert_eq!(decoded, DecodedText { read: text.len(), bytes: bytes.to_vec(), is_valid: true });
            }
            let text = to_hex(bytes);
            let decoded = from_hex(&text, usize::MAX);
            assert_eq!(decoded, DecodedText { read: 2 * length, bytes: bytes.to_vec(), is_valid: true });
        }
    }

    #[test]
    fn texts_are_read_to_where_they_are_wrong() {
        use LastChunkHandling::{Loose, StopBeforePartial, Strict};
        #[track_caller]
        fn check(text: &str, last: LastChunkHandling, max: usize, read: usize, bytes: &[u8], is_valid: bool) {
            let expect = DecodedText { read, bytes: bytes.to_vec(), is_valid };
            assert_eq!(from_base64(text.as_bytes(), Alphabet::Base64, last, max), expect, "{text}");
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(from_base64(&units, Alphabet::Base64, last, max), expect, "{text}");
        }
        const ALL: usize = usize::MAX;
        check("Zm9v", Loose, ALL, 4, b"foo", true);
        check("Zg", Loose, ALL, 2, b"f", true);
        check("Zg", Strict, ALL, 0, b"", false);
        check("Zg", StopBeforePartial, ALL, 0, b"", true);
        check("Zg=", StopBeforePartial, ALL, 0, b"", true);
        check("Zg=", Loose, ALL, 0, b"", false);
        check("Zg==", StopBeforePartial, ALL, 4, b"f", true);
        check("Zm8=", StopBeforePartial, ALL, 4, b"fo", true);
        check("ZXhhZg===", Loose, ALL, 4, b"exa", false);
        check("Zh==", Loose, ALL, 4, b"f", true);
        check("Zh==", Strict, ALL, 0, b"", false);
        check(" Z g = = \n", Strict, ALL, 10, b"f", true);
        check("Z", Loose, ALL, 0, b"", false);
        check("=", Loose, ALL, 0, b"", false);
        check("Zm9vYmF!", Loose, ALL, 4, b"foo", false);
        check("Zm9v-_", Loose, ALL, 4, b"foo", false);
        check("Zm9v é", Loose, ALL, 4, b"foo", false);
        check("Zm9vYmFy", Loose, 5, 4, b"foo", true);
        check("Zm9vYmE=", Loose, 5, 8, b"fooba", true);
        check("Zm9vYmE=", Loose, 4, 4, b"foo", true);
        check("Zm9v!", Loose, 3, 4, b"foo", true);
        check("!", Loose, 0, 0, b"", true);
        check("\x0b", Loose, ALL, 0, b"", false);
    }

    #[test]
    fn hexadecimal_texts_are_read_to_where_they_are_wrong() {
        let check = |text: &str, max: usize, read: usize, bytes: &[u8], is_valid: bool| {
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(from_hex(&units, max), DecodedText { read, bytes: bytes.to_vec(), is_valid }, "{text}");
        };
        check("00aAfF", 9, 6, &[0, 0xAA, 0xFF], true);
        check("aabbcc", 2, 4, &[0xAA, 0xBB], true);
        check("aabbcg", 2, 4, &[0xAA, 0xBB], true);
        check("aabbcg", 3, 4, &[0xAA, 0xBB], false);
        check("aab", 1, 0, &[], false);
        check("aa é", 1, 2, &[0xAA], true);
        check(" a", 1, 0, &[], false);
        check("", 0, 0, &[], true);
    }
}
