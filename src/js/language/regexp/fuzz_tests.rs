//! What must hold for whatever pattern meets whatever text. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

use super::{Flags, find, program};

/// A byte of flags, a pattern, a zero byte, and a text: there is an answer within the text, after a number of steps that
/// grows with the text alone where the pattern neither looks around nor refers back.
pub fn regexp(data: &[u8]) {
    let Some((&bits, data)) = data.split_first() else { return };
    let at = memchr::memchr(0, data).unwrap_or(data.len());
    let units = |bytes: &[u8]| String::from_utf8_lossy(bytes).encode_utf16().collect::<Vec<u16>>();
    let (pattern, text) = (units(&data[..at]), units(data.get(at + 1..).unwrap_or_default()));
    let flags =
        Flags { ignore_case: bits & 1 != 0, multiline: bits & 2 != 0, dot_all: bits & 4 != 0, unicode: bits & 8 != 0 };
    let Some(program) = program(&pattern, flags) else { return };
    let mut slices = 0u64;
    // What is not linear may take long; that is what it asks for.
    let most = if program.is_linear { u64::MAX } else { 100 };
    let mut go_on = || {
        slices += 1;
        slices < most
    };
    let found = find(&program, &text[..], 0, false, &mut go_on);
    if program.is_linear {
        // Each loop whose rounds may be empty doubles the cases; there are four at most.
        let bound = 64 * (program.instructions.len() as u64 + 1) * (text.len() as u64 + 1);
        assert!(slices * 20_000 <= bound + 20_000, "{slices} slices for {} instructions", program.instructions.len());
    }
    if let Ok(Some(groups)) = found {
        let Some((from, to)) = groups[0] else { panic!("a match has a place") };
        assert!(from <= to && to <= text.len());
        assert!(groups.iter().flatten().all(|(from, to)| from <= to && *to <= text.len()));
        // It is found again where it was.
        if program.is_linear {
            assert_eq!(find(&program, &text[..], from, true, &mut || true), Ok(Some(groups)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    #[test]
    fn any_pattern_has_an_answer() {
        break_each(
            &[
                b"\0^(a+)+$\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                b"\x01(?:(a|ab)(c|bcd)*?)+(?<n>\\d{2,3})|[^\\w\\-z]{0,4}$\0abcd12 ABC",
                b"\x08\\u{1f600}|\\p{L}+|[\\ud83d\\ude00-\\uffff]\0\xf0\x9f\x98\x80",
                b"\x06(?=(a+))a*b\\1|(?<!x)^.\\b\0baaabac\nx",
                b"\0(?:(?:(?:a*)*)*)*(?:b?){40}c{0,9}?\0aaaaaaaaaaaabbbbbbbbbbbbbbb",
            ],
            regexp,
        );
    }
}
