//! JSON texts as values of any engine. An engine's own parser reads a text in one go, in which no other VU of the worker
//! has a turn; here there are pauses, also in the middle of what is long. It takes no stack, however deeply a text is nested.

mod long;

use std::borrow::Cow;

pub use long::{JsonText, LongJsonError};
use long::{LongReader, PIECE};

/// After this many values the VU's neighbours get a turn.
const STEPS: u32 = 4096;

/// Makes values of what a text holds that lives as long as `'a`.
pub trait JsonValues<'a> {
    /// A value.
    type Value;
    /// The name of a property.
    type Name: Clone;
    /// An object or a list that is not complete.
    type Open;
    /// Why there is no value.
    type Error: From<LongJsonError>;

    /// Gives others a turn; false when the VU has to stop.
    fn may_continue(&self) -> bool;
    /// `null`
    fn null(&mut self) -> Self::Value;
    /// `true` or `false`
    fn bool(&mut self, value: bool) -> Self::Value;
    /// A number.
    fn number(&mut self, number: f64) -> Self::Value;
    /// A string.
    fn string(&mut self, text: JsonText<'a>) -> Result<Self::Value, Self::Error>;
    /// The name of a property. It stays good until the text was read.
    fn name(&mut self, text: JsonText<'a>) -> Result<Self::Name, Self::Error>;
    /// Begins an object or a list.
    fn open(&mut self, is_object: bool) -> Result<Self::Open, Self::Error>;
    /// Adds to a list.
    fn push(&mut self, list: &mut Self::Open, value: Self::Value) -> Result<(), Self::Error>;
    /// Adds to an object.
    fn put(&mut self, object: &mut Self::Open, name: Self::Name, value: Self::Value) -> Result<(), Self::Error>;
    /// An object or a list is complete.
    fn close(&mut self, open: Self::Open) -> Result<Self::Value, Self::Error>;
}

/// Why a text has no value; `E` is what the engine throws.
#[derive(Debug)]
pub enum JsonError<E> {
    /// It is no JSON.
    Syntax,
    /// The VU has to stop.
    Stopped,
    /// The engine has thrown.
    Thrown(E),
}

impl<E> From<LongJsonError> for JsonError<E> {
    fn from(error: LongJsonError) -> Self {
        match error {
            LongJsonError::Syntax => Self::Syntax,
            LongJsonError::Stopped => Self::Stopped,
        }
    }
}

/// The value of a text.
///
/// # Errors
/// The text is no JSON, or the VU has to stop, or the engine can make no value.
pub fn parse<'a, V: JsonValues<'a>>(text: &'a [u8], values: &mut V) -> Result<V::Value, V::Error> {
    let mut parser = JsonParser::new(text, values);
    let value = parser.value()?;
    if parser.peek()?.is_none() { Ok(value) } else { JsonParser::<V>::wrong() }
}

/// The value a text begins with, and where it ends: whatever is behind it is not looked at.
///
/// # Errors
/// As [`parse`].
pub fn parse_first<'a, V: JsonValues<'a>>(text: &'a [u8], values: &mut V) -> Result<(V::Value, usize), V::Error> {
    let mut parser = JsonParser::new(text, values);
    let value = parser.value()?;
    Ok((value, parser.at))
}

/// An object or a list that is not complete.
enum OpenValue<O, N> {
    List(O),
    /// With the name of the value that comes next.
    Object(O, Option<N>),
}

struct JsonParser<'a, 'v, V: JsonValues<'a>> {
    values: &'v mut V,
    text: &'a [u8],
    at: usize,
    open: Vec<OpenValue<V::Open, V::Name>>,
    names: NameTable<'a, V::Name>,
    steps: u32,
}

/// Names that were read before: most objects of a text have the same few, in the same order.
struct NameTable<'a, N> {
    /// Each in the place its letters choose, or soon behind.
    places: [Option<KnownName<'a, N>>; NAMES],
    /// Where the name is that was read last.
    last: usize,
}

struct KnownName<'a, N> {
    /// As it stands in the text, from behind its first quote to its colon.
    text: &'a [u8],
    name: N,
    /// Where the name is that came behind it last time.
    next: usize,
}

/// A power of two.
const NAMES: usize = 64;
/// In so many places a name is looked for.
const PROBES: usize = 4;
/// Longer names are not remembered.
const MAX_KNOWN_NAME: usize = 64;

impl<'a, N: Clone> NameTable<'a, N> {
    /// The name behind the last one, if it is the same as last time; with the length of its text.
    #[inline(always)]
    fn expected(&mut self, text: &[u8]) -> Option<(N, usize)> {
        let next = self.places[self.last % NAMES].as_ref()?.next;
        let known = self.places[next % NAMES].as_ref()?;
        if !text.starts_with(known.text) {
            return None;
        }
        self.last = next;
        Some((known.name.clone(), known.text.len()))
    }

    /// Where a name is looked for first.
    fn place(text: &[u8]) -> usize {
        let mut first = [0; 8];
        let len = text.len().min(8);
        first[..len].copy_from_slice(&text[..len]);
        let mixed = (u64::from_le_bytes(first) ^ text.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32) as usize % NAMES
    }

    /// The name with this text, which `make` makes if it is not known.
    fn find<E>(&mut self, text: &'a [u8], make: impl FnOnce() -> Result<N, E>) -> Result<N, E> {
        let start = Self::place(text);
        let mut places = (0..PROBES).map(|step| (start + step) % NAMES);
        let is_it = |place: &usize| self.places[*place].as_ref().is_none_or(|known| known.text == text);
        let place = places.find(is_it).unwrap_or(start);
        let name = match &self.places[place] {
            Some(known) if known.text == text => known.name.clone(),
            _ => {
                let name = make()?;
                self.places[place] = Some(KnownName { text, name: name.clone(), next: place });
                name
            }
        };
        if let Some(last) = &mut self.places[self.last % NAMES] {
            last.next = place;
        }
        self.last = place;
        Ok(name)
    }
}

impl<'a, 'v, V: JsonValues<'a>> JsonParser<'a, 'v, V> {
    fn new(text: &'a [u8], values: &'v mut V) -> Self {
        let names = NameTable { places: [const { None }; NAMES], last: 0 };
        Self { values, text, at: 0, open: Vec::new(), names, steps: 0 }
    }

    fn wrong<T>() -> Result<T, V::Error> {
        Err(LongJsonError::Syntax.into())
    }

    /// The next byte that is no blank.
    #[inline(always)]
    fn peek(&mut self) -> Result<Option<u8>, V::Error> {
        match self.text.get(self.at) {
            Some(byte) if *byte > b' ' => Ok(Some(*byte)),
            _ => self.peek_behind_blanks(),
        }
    }

    #[inline(never)]
    fn peek_behind_blanks(&mut self) -> Result<Option<u8>, V::Error> {
        let end = self.text.len().min(self.at + PIECE);
        while self.at < end && matches!(self.text[self.at], b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        if self.at == end && end < self.text.len() {
            self.long(|reader| reader.blanks())?;
        }
        Ok(self.text.get(self.at).copied())
    }

    /// Reads what may be long, with turns for others.
    #[cold]
    fn long<T>(
        &mut self,
        read: impl for<'f> FnOnce(&mut LongReader<'a, &'f mut dyn FnMut() -> bool>) -> Result<T, LongJsonError>,
    ) -> Result<T, V::Error> {
        let values = &*self.values;
        let mut may_continue = || values.may_continue();
        let may_continue: &mut dyn FnMut() -> bool = &mut may_continue;
        let mut reader = LongReader { text: self.text, at: self.at, may_continue };
        let result = read(&mut reader);
        self.at = reader.at;
        Ok(result?)
    }

    /// Reads a whole value.
    fn value(&mut self) -> Result<V::Value, V::Error> {
        loop {
            self.steps += 1;
            if self.steps.is_multiple_of(STEPS) && !self.values.may_continue() {
                return Err(LongJsonError::Stopped.into());
            }
            let Some(mut made) = self.begin()? else { continue };
            // A value is complete: it goes where it belongs, and may complete what is around it.
            loop {
                let end = match self.open.last_mut() {
                    Some(OpenValue::List(list)) => {
                        self.values.push(list, made)?;
                        b']'
                    }
                    Some(OpenValue::Object(object, name)) => {
                        let Some(name) = name.take() else { return Self::wrong() };
                        self.values.put(object, name, made)?;
                        b'}'
                    }
                    None => return Ok(made),
                };
                match self.peek()? {
                    Some(b',') => {
                        self.at += 1;
                        if end == b'}' {
                            self.name()?;
                        }
                        break;
                    }
                    Some(byte) if byte == end => self.at += 1,
                    _ => return Self::wrong(),
                }
                match self.open.pop() {
                    Some(OpenValue::List(closed) | OpenValue::Object(closed, _)) => made = self.values.close(closed)?,
                    None => return Self::wrong(),
                }
            }
        }
    }

    /// Reads a value that is nothing but itself, or is empty; `None` where an object or a list was begun.
    #[inline(always)]
    fn begin(&mut self) -> Result<Option<V::Value>, V::Error> {
        let Some(first) = self.peek()? else { return Self::wrong() };
        match first {
            b'"' => {
                let text = self.string()?;
                self.values.string(text).map(Some)
            }
            b'{' | b'[' => {
                self.at += 1;
                let is_object = first == b'{';
                let value = self.values.open(is_object)?;
                if self.peek()? == Some(if is_object { b'}' } else { b']' }) {
                    self.at += 1;
                    return self.values.close(value).map(Some);
                }
                if is_object {
                    self.open.push(OpenValue::Object(value, None));
                    self.name()?;
                } else {
                    self.open.push(OpenValue::List(value));
                }
                Ok(None)
            }
            b't' => self.word(b"true", |values| values.bool(true)),
            b'f' => self.word(b"false", |values| values.bool(false)),
            b'n' => self.word(b"null", V::null),
            b'-' | b'0'..=b'9' => {
                let number = self.number()?;
                Ok(Some(self.values.number(number)))
            }
            _ => Self::wrong(),
        }
    }

    fn word(&mut self, word: &[u8], value: impl FnOnce(&mut V) -> V::Value) -> Result<Option<V::Value>, V::Error> {
        if !self.text[self.at..].starts_with(word) {
            return Self::wrong();
        }
        self.at += word.len();
        Ok(Some(value(self.values)))
    }

    fn number(&mut self) -> Result<f64, V::Error> {
        let rest = &self.text[self.at..];
        // Most numbers are a few digits.
        let digits = rest.iter().take(16).take_while(|byte| byte.is_ascii_digit()).count();
        let is_plain = (1..16).contains(&digits) && (digits == 1 || rest[0] != b'0');
        if is_plain && !matches!(rest.get(digits), Some(b'.' | b'e' | b'E')) {
            self.at += digits;
            let number = rest[..digits].iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
            return Ok(number as f64);
        }
        let short = &rest[..rest.len().min(PIECE)];
        match end_of_number(short) {
            Some(end) if end < short.len() || short.len() == rest.len() => {
                self.at += end;
                let number = std::str::from_utf8(&short[..end]).ok().and_then(|text| text.parse().ok());
                number.map_or_else(Self::wrong, Ok)
            }
            None if short.len() == rest.len() => Self::wrong(),
            _ => self.long(|reader| reader.number()),
        }
    }

    /// The string that begins here.
    #[inline(always)]
    fn string(&mut self) -> Result<JsonText<'a>, V::Error> {
        let begin = self.at + 1;
        let rest = &self.text[begin..self.text.len().min(begin + PIECE)];
        let len = plain_len(rest);
        match rest.get(len) {
            Some(b'"') => {
                self.at = begin + len + 1;
                Ok(JsonText::Plain(Cow::Borrowed(&rest[..len])))
            }
            // It is long, or has escapes, or is wrong.
            _ => self.long(|reader| reader.string()),
        }
    }

    /// Reads the next name of the innermost object, and the colon behind it.
    #[inline(always)]
    fn name(&mut self) -> Result<(), V::Error> {
        if self.peek()? != Some(b'"') {
            return Self::wrong();
        }
        let begin = self.at + 1;
        let name = match self.names.expected(&self.text[begin..]) {
            Some((name, length)) => {
                self.at = begin + length;
                name
            }
            None => self.new_name(begin)?,
        };
        if let Some(OpenValue::Object(_, next)) = self.open.last_mut() {
            *next = Some(name);
        }
        Ok(())
    }

    /// As [`JsonParser::name`], for one that was not expected.
    fn new_name(&mut self, begin: usize) -> Result<V::Name, V::Error> {
        let text = self.string()?;
        if self.peek()? != Some(b':') {
            return Self::wrong();
        }
        self.at += 1;
        match text {
            JsonText::Plain(Cow::Borrowed(name)) if self.at - begin <= MAX_KNOWN_NAME => {
                let make = || self.values.name(JsonText::Plain(Cow::Borrowed(name)));
                self.names.find(&self.text[begin..self.at], make)
            }
            other => self.values.name(other),
        }
    }
}

/// How many bytes from the start on stand for themselves inside a string: no quote, no backslash, no control character.
#[inline]
pub fn plain_len(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let (words, _) = text.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        // The lowest byte that a borrow marks is zero, or below a space; what a borrow marks wrongly is above one.
        let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let is_quote = is_zero(word ^ (ONES * b'"' as u64));
        let is_backslash = is_zero(word ^ (ONES * b'\\' as u64));
        let is_control = word.wrapping_sub(ONES * b' ' as u64) & !word;
        let special = (is_quote | is_backslash | is_control) & HIGH;
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + text[at..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

/// Where the number ends that begins here.
fn end_of_number(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(text[0] == b'-');
    let whole = digits(sign);
    if whole == 0 || (whole > 1 && text[sign] == b'0') {
        return None;
    }
    let mut end = sign + whole;
    if text.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        end += 1 + fraction;
        if fraction == 0 {
            return None;
        }
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        end += 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end.min(text.len()));
        end += exponent;
        if exponent == 0 {
            return None;
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::plain_len;

    #[test]
    fn plain_bytes_are_counted_wherever_they_end() {
        let check = |text: &[u8], expect: usize| assert_eq!(plain_len(text), expect, "{text:?}");
        let plain = "a \u{7f}\u{e4}\u{20ac}z!#[]{}~ and more of it".as_bytes();
        for from in 0..9 {
            for len in from..plain.len() {
                check(&plain[from..len], len - from);
                for special in [b'"', b'\\', 0, 0x1F, b'\n'] {
                    // What stands behind it does not matter, special or not.
                    for behind in [&b""[..], b"x", b"\"\"\"\"\"\"\"\"\"", b"!!!!!!!!!!", b"\0\x80\xFF#]"] {
                        check(&[&plain[from..len], &[special], behind].concat(), len - from);
                    }
                }
            }
        }
    }
}
