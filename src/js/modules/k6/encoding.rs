//! `k6/encoding`: Base64 in four spellings, with Go's idea of what is wrong with a text.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::super::Op;
use super::bytes::bytes_of;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value, text_of};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("encode", encode), ("decode", decode)];

/// A spelling: its alphabet, and whether the end is padded. An unknown name means the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelling {
    is_url: bool,
    is_padded: bool,
}

impl Spelling {
    /// `std`, `rawstd`, `url`, `rawurl`.
    pub fn named(name: &str) -> Self {
        Self { is_url: matches!(name, "url" | "rawurl"), is_padded: !matches!(name, "rawstd" | "rawurl") }
    }

    /// Writes bytes.
    pub fn encode(self, bytes: &[u8]) -> String {
        let config = GeneralPurposeConfig::new().with_encode_padding(self.is_padded);
        GeneralPurpose::new(if self.is_url { &URL_SAFE } else { &STANDARD }, config).encode(bytes)
    }

    /// Reads a text; line breaks in it don't count.
    ///
    /// # Errors
    /// The place of the first byte that can't stand there, as Go counts it.
    pub fn decode(self, text: &str) -> Result<Vec<u8>, usize> {
        let input = text.as_bytes();
        let mut out = Vec::with_capacity(input.len() / 4 * 3 + 2);
        let mut at = 0;
        let skip_breaks = |mut at: usize| {
            while matches!(input.get(at), Some(b'\n' | b'\r')) {
                at += 1;
            }
            at
        };
        let (mut group, mut count) = (0_u32, 0);
        loop {
            at = skip_breaks(at);
            let Some(byte) = input.get(at).copied() else { break };
            if let Some(six) = self.value(byte) {
                at += 1;
                group = group << 6 | six;
                count += 1;
                if count == 4 {
                    out.extend_from_slice(&group.to_be_bytes()[1..]);
                    (group, count) = (0, 0);
                }
                continue;
            }
            if byte != b'=' || !self.is_padded || count < 2 {
                return Err(at);
            }
            if count == 2 {
                let second = skip_breaks(at + 1);
                match input.get(second) {
                    None => return Err(input.len()),
                    Some(b'=') => at = second,
                    Some(_) => return Err(second - 1),
                }
            }
            at = skip_breaks(at + 1);
            if at < input.len() {
                return Err(at);
            }
            Self::push_rest(group, count, &mut out);
            return Ok(out);
        }
        match count {
            0 => {}
            // What is missing is missed where the group began.
            1 => return Err(at - 1),
            _ if self.is_padded => return Err(at - count),
            _ => Self::push_rest(group, count, &mut out),
        }
        Ok(out)
    }

    fn push_rest(group: u32, count: usize, out: &mut Vec<u8>) {
        let bytes = (group << (6 * (4 - count))).to_be_bytes();
        out.extend_from_slice(&bytes[1..count]);
    }

    fn value(self, byte: u8) -> Option<u32> {
        Some(u32::from(match (byte, self.is_url) {
            (b'A'..=b'Z', _) => byte - b'A',
            (b'a'..=b'z', _) => byte - b'a' + 26,
            (b'0'..=b'9', _) => byte - b'0' + 52,
            (b'+', false) | (b'-', true) => 62,
            (b'/', false) | (b'_', true) => 63,
            _ => return None,
        }))
    }
}

/// `(bytes, spelling)` -> text
pub fn encode(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let bytes = bytes_of(args.take(0)).map_err(Throw::go)?;
    Ok(Spelling::named(&args.string(1)).encode(&bytes).into())
}

/// `(text, spelling, as text)` -> bytes, or what they spell.
fn decode(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (text, spelling) = (args.string(0), Spelling::named(&args.string(1)));
    let bytes = spelling.decode(&text).map_err(|at| Throw::go(format!("illegal base64 data at input byte {at}")))?;
    Ok(if args.bool(2) { text_of(&bytes).into() } else { Value::Bytes(bytes.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for name in ["std", "rawstd", "url", "rawurl", "", "nonsense"] {
            let spelling = Spelling::named(name);
            for length in 0..40_u8 {
                let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(37) ^ 0xF5).collect();
                assert_eq!(spelling.decode(&spelling.encode(&bytes)), Ok(bytes), "{name} {length}");
            }
        }
    }

    #[test]
    fn line_breaks_do_not_count() {
        assert_eq!(Spelling::named("std").decode("aG\r\nVs\nbG8=\n"), Ok(b"hello".to_vec()));
        assert_eq!(Spelling::named("std").decode("Zg=\n=\r\n"), Ok(b"f".to_vec()));
    }

    #[test]
    fn faults_are_where_go_finds_them() {
        let check = |name: &str, text: &str, expect: usize| {
            assert_eq!(Spelling::named(name).decode(text), Err(expect), "{name} {text:?}");
        };
        check("std", "!", 0);
        check("std", "aGVs!G8=", 4);
        check("std", "aGVsbG8", 4);
        check("std", "Zg=", 3);
        check("std", "Zg=x", 2);
        check("std", "Zg==x", 4);
        check("std", "Z===", 1);
        check("std", "====", 0);
        check("std", "-_-_", 0);
        check("url", "+/+/", 0);
        check("rawstd", "Zg==", 2);
        check("rawstd", "Z", 0);
        check("rawurl", "aGVsb", 4);
    }
}
