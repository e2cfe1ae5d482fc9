//! Very long strings, numbers and blanks of JSON texts, read in pieces: the other VUs of a worker have their turns in between.

use std::borrow::Cow;

/// What is longer than this, in bytes, is read in pieces of this size.
pub const PIECE: usize = 64 * 1024;

/// Why something long could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongJsonError {
    /// It is no JSON.
    Syntax,
    /// The VU has to stop.
    Stopped,
}

/// A string's text without escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonText<'a> {
    /// UTF-8, in which surrogates may stand alone.
    Plain(Cow<'a, [u8]>),
    /// UTF-16.
    Units(Vec<u16>),
}

/// Reads a text from a place on; `may_continue` gives others a turn, and is false when the VU has to stop.
pub struct LongReader<'a, F> {
    /// The whole text: UTF-8, in which surrogates may stand alone.
    pub text: &'a [u8],
    /// Where the next byte is read.
    pub at: usize,
    /// Asked after each piece.
    pub may_continue: F,
}

impl<'a, F: FnMut() -> bool> LongReader<'a, F> {
    fn pause(&mut self) -> Result<(), LongJsonError> {
        if (self.may_continue)() { Ok(()) } else { Err(LongJsonError::Stopped) }
    }

    /// Moves behind all bytes from here on that are as `is_meant` says, and shows them to `see`, piece by piece.
    fn run(&mut self, is_meant: impl Fn(u8) -> bool, mut see: impl FnMut(&[u8])) -> Result<(), LongJsonError> {
        loop {
            let rest = &self.text[self.at..];
            let piece = &rest[..rest.len().min(PIECE)];
            let len = piece.iter().position(|byte| !is_meant(*byte)).unwrap_or(piece.len());
            see(&piece[..len]);
            self.at += len;
            if len < PIECE {
                return Ok(());
            }
            self.pause()?;
        }
    }

    /// Moves behind the blanks that are here.
    ///
    /// # Errors
    /// The VU has to stop.
    pub fn blanks(&mut self) -> Result<(), LongJsonError> {
        self.run(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'), |_| {})
    }

    /// The number that begins here, as if all its digits were looked at: there are never more than 800 that matter.
    ///
    /// # Errors
    /// It is none, or the VU has to stop.
    pub fn number(&mut self) -> Result<f64, LongJsonError> {
        let is_negative = self.take(b"-").is_some();
        let mut decimal = Decimal::default();
        let begin = self.at;
        self.run(|byte| byte.is_ascii_digit(), |digits| decimal.push(digits, false))?;
        if self.at == begin || (self.at > begin + 1 && self.text[begin] == b'0') {
            return Err(LongJsonError::Syntax);
        }
        if self.take(b".").is_some() {
            let begin = self.at;
            self.run(|byte| byte.is_ascii_digit(), |digits| decimal.push(digits, true))?;
            if self.at == begin {
                return Err(LongJsonError::Syntax);
            }
        }
        if self.take(b"eE").is_some() {
            let is_small = self.take(b"+-") == Some(b'-');
            let (begin, mut exponent) = (self.at, 0_i64);
            let add = |sum: i64, digit: &u8| sum.saturating_mul(10).saturating_add(i64::from(*digit - b'0'));
            self.run(|byte| byte.is_ascii_digit(), |digits| exponent = digits.iter().fold(exponent, add))?;
            if self.at == begin {
                return Err(LongJsonError::Syntax);
            }
            decimal.exponent = decimal.exponent.saturating_add(if is_small { -exponent } else { exponent });
        }
        let size = decimal.value().ok_or(LongJsonError::Syntax)?;
        Ok(if is_negative { -size } else { size })
    }

    /// The next byte, where it is one of these.
    fn take(&mut self, any: &[u8]) -> Option<u8> {
        let byte = self.text.get(self.at).copied().filter(|byte| any.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// The string that begins here with its quote.
    ///
    /// # Errors
    /// It is none, or the VU has to stop.
    pub fn string(&mut self) -> Result<JsonText<'a>, LongJsonError> {
        let form = self.form_of_string()?;
        let inner = &self.text[self.at + 1..form.end];
        self.at = form.end + 1;
        if !form.is_wide && !form.is_escaped {
            return Ok(JsonText::Plain(inner.into()));
        }
        // Pages of memory that are reserved and not written to cost nothing.
        if form.is_wide {
            let mut units = Vec::with_capacity(inner.len());
            self.units(inner, |unit| units.push(unit))?;
            return Ok(JsonText::Units(units));
        }
        let mut bytes = Vec::with_capacity(inner.len());
        self.units(inner, |unit| bytes.push(unit as u8))?;
        Ok(JsonText::Plain(bytes.into()))
    }

    /// Looks through the string that begins here.
    fn form_of_string(&mut self) -> Result<StringForm, LongJsonError> {
        let mut form = StringForm { end: self.at + 1, is_escaped: false, is_wide: false };
        let mut seen = form.end;
        loop {
            let limit = self.text.len().min(seen + PIECE);
            // An escape may reach into the next piece.
            while form.end < limit {
                match memchr::memchr2(b'"', b'\\', &self.text[form.end..limit]) {
                    None => form.end = limit,
                    Some(len) => {
                        form.end += len;
                        if self.text[form.end] == b'"' {
                            form.see(&self.text[seen..form.end])?;
                            return Ok(form);
                        }
                        form.is_escaped = true;
                        let unit = escape(&self.text[form.end..]).ok_or(LongJsonError::Syntax)?;
                        form.is_wide |= unit.0 >= 0x80;
                        form.end += unit.1;
                    }
                }
            }
            form.see(&self.text[seen..form.end])?;
            seen = form.end;
            if limit == self.text.len() {
                return Err(LongJsonError::Syntax);
            }
            self.pause()?;
        }
    }

    /// Gives every unit of a string whose escapes are right to `push`.
    fn units(&mut self, inner: &[u8], mut push: impl FnMut(u16)) -> Result<(), LongJsonError> {
        let (mut at, mut asked) = (0, 0);
        while let Some(byte) = inner.get(at) {
            if at - asked >= PIECE {
                asked = at;
                self.pause()?;
            }
            let rest = &inner[at..];
            let (unit, len) = match byte {
                b'\\' => escape(rest).ok_or(LongJsonError::Syntax)?,
                0..0x80 => (u16::from(*byte), 1),
                _ => {
                    let (code, len) = code_point(rest);
                    match code.checked_sub(0x10000) {
                        None => (code as u16, len),
                        Some(high) => {
                            push(0xD800 | (high >> 10) as u16);
                            (0xDC00 | (high & 0x3FF) as u16, len)
                        }
                    }
                }
            };
            push(unit);
            at += len;
        }
        Ok(())
    }
}

/// What a string in JSON is like.
struct StringForm {
    /// Where its closing quote is.
    end: usize,
    is_escaped: bool,
    /// Is not only ASCII.
    is_wide: bool,
}

impl StringForm {
    /// Looks at a part of it.
    fn see(&mut self, part: &[u8]) -> Result<(), LongJsonError> {
        self.is_wide |= !part.is_ascii();
        if part.iter().any(|byte| *byte < 0x20) { Err(LongJsonError::Syntax) } else { Ok(()) }
    }
}

/// The unit an escape stands for, and how many bytes it takes.
fn escape(text: &[u8]) -> Option<(u16, usize)> {
    let unit = match text.get(1)? {
        b'b' => 8,
        b't' => 9,
        b'n' => 10,
        b'f' => 12,
        b'r' => 13,
        sign @ (b'"' | b'\\' | b'/') => u16::from(*sign),
        b'u' => {
            let digit = |sum: u16, byte: &u8| Some(sum << 4 | char::from(*byte).to_digit(16)? as u16);
            return Some((text.get(2..6)?.iter().try_fold(0, digit)?, 6));
        }
        _ => return None,
    };
    Some((unit, 2))
}

/// The character, or the lone surrogate, at the start of a text, and its length. U+FFFD for a byte that begins none.
fn code_point(text: &[u8]) -> (u32, usize) {
    let len = match text[0] {
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF5 => 4,
        _ => return (0xFFFD, 1),
    };
    let Some(tail) = text.get(1..len).filter(|tail| tail.iter().all(|byte| byte & 0xC0 == 0x80)) else {
        return (0xFFFD, 1);
    };
    let first = u32::from(text[0]) & (0x7F >> len);
    (tail.iter().fold(first, |code, byte| code << 6 | u32::from(*byte & 0x3F)), len)
}

/// A decimal number, of which as many digits are kept as can make a difference to a float: 767, and whether there are more.
#[derive(Default)]
struct Decimal {
    digits: Vec<u8>,
    exponent: i64,
    has_more: bool,
}

impl Decimal {
    const MAX_DIGITS: usize = 800;

    fn push(&mut self, digits: &[u8], is_fraction: bool) {
        let mut digits = digits;
        if self.digits.is_empty() {
            let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
            digits = &digits[zeros..];
            self.exponent -= if is_fraction { zeros as i64 } else { 0 };
        }
        let (kept, more) = digits.split_at(digits.len().min(Self::MAX_DIGITS - self.digits.len()));
        self.digits.extend_from_slice(kept);
        self.has_more |= more.iter().any(|digit| *digit != b'0');
        self.exponent += if is_fraction { -(kept.len() as i64) } else { more.len() as i64 };
    }

    fn value(mut self) -> Option<f64> {
        if self.digits.is_empty() {
            return Some(0.0);
        }
        let mut exponent = self.exponent;
        if self.has_more {
            self.digits.push(b'1');
            exponent = exponent.saturating_sub(1);
        }
        let digits = String::from_utf8(self.digits).ok()?;
        format!("{digits}e{exponent}").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(text: &[u8]) -> LongReader<'_, impl FnMut() -> bool> {
        LongReader { text, at: 0, may_continue: || true }
    }

    #[test]
    fn strings_are_what_others_read() {
        let check = |inner: &str| {
            let text = format!("\"{inner}\",");
            let mut reader = reader(text.as_bytes());
            let expect: Option<String> = serde_json::from_str(&text[..text.len() - 1]).ok();
            let read = reader.string().ok().map(|read| match read {
                JsonText::Plain(text) => String::from_utf8(text.into_owned()).unwrap(),
                JsonText::Units(units) => String::from_utf16(&units).unwrap(),
            });
            assert_eq!(read, expect, "{inner:.80}");
            assert!(read.is_none() || reader.at == text.len() - 1);
        };
        let pieces = [
            "a",
            "ž",
            "🐎",
            "\\n",
            "\\u00e4",
            "\\ud83d\\udc0e",
            "\\\"",
            "\\\\",
            "\\/",
            "\\u0041",
            "\u{7f}",
            "\\x",
            "\\u00g0",
            "\n",
            "\\u12",
        ];
        for piece in pieces {
            check(piece);
            // Of every alignment with the borders of pieces.
            for blank in 0..7 {
                check(&format!("{}{piece}x", "-".repeat(PIECE - blank)));
                check(&format!("{}{}", "-".repeat(blank), piece.repeat(3 * PIECE / 4)));
            }
        }
        for open in ["\"", "\"\\", "\"\\\"", "\"\\u", "\"\\u000"] {
            assert_eq!(reader(open.as_bytes()).string(), Err(LongJsonError::Syntax), "{open}");
        }
        let alone = [JsonText::Units(vec![0xD800, 0x41]), JsonText::Units(vec![0xDC00])];
        assert_eq!(reader(b"\"\\ud800A\"").string().as_ref(), Ok(&alone[0]));
        assert_eq!(reader(b"\"\xED\xB0\x80\"").string().as_ref(), Ok(&alone[1]));
    }

    #[test]
    fn numbers_are_what_others_read() {
        let check = |text: &str| {
            let mut reader = reader(text.as_bytes());
            assert_eq!(reader.number().unwrap().to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text:.80}");
            assert_eq!(reader.at, text.len());
        };
        for text in [
            "0",
            "-0",
            "1",
            "-12.5e-3",
            "0.0001",
            "1E400",
            "1e-400",
            "0e99999999999999999999",
            "1e+2",
            "123456789012345678901",
        ] {
            check(text);
        }
        let long = 3 * PIECE;
        check(&"9".repeat(long));
        check(&format!("0.{}1e{long}", "0".repeat(long - 1)));
        check(&format!("1{}e-{long}", "0".repeat(long)));
        // Halfway between two floats, but for the last digit.
        for last in ["", "0", "1"] {
            check(&format!("9007199254740993.{}{last}", "0".repeat(long)));
            check(&format!("9007199254740993{}{last}e-{}", "0".repeat(long), long + last.len()));
        }
        for none in ["", "-", "01", "1.", "1e", "1e+", ".5", "-a"] {
            assert_eq!(reader(none.as_bytes()).number(), Err(LongJsonError::Syntax), "{none}");
        }
    }

    #[test]
    fn others_have_turns_and_a_stop_is_heard() {
        type Read = fn(&mut LongReader<'_, &mut dyn FnMut() -> bool>) -> Result<(), LongJsonError>;
        let check = |text: &str, read: Read| {
            let mut turns = 0;
            let mut count = || {
                turns += 1;
                true
            };
            read(&mut LongReader { text: text.as_bytes(), at: 0, may_continue: &mut count }).unwrap();
            assert!(turns >= text.len() / PIECE - 1, "{turns}");
            let stopped = read(&mut LongReader { text: text.as_bytes(), at: 0, may_continue: &mut || false });
            assert_eq!(stopped, Err(LongJsonError::Stopped));
        };
        check(&" ".repeat(10 * PIECE), |reader| reader.blanks());
        check(&"7".repeat(10 * PIECE), |reader| reader.number().map(|_| ()));
        check(&format!("\"{}\"", "\\u00e4".repeat(2 * PIECE)), |reader| reader.string().map(|_| ()));
        check(&format!("\"{}\"", "a".repeat(10 * PIECE)), |reader| reader.string().map(|_| ()));
    }
}
