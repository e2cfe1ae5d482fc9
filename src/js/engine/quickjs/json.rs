//! Long JSON texts as values. QuickJS parses a text in one go, in which no other VU of the worker has a turn; here there are
//! pauses. It takes no stack, however deeply a text is nested.

use std::ffi::{CStr, c_int};

use super::errors;
use super::ffi::{Atom, Borrowed, Closure, Context, NativeCall, Owned, PropertyFlags, Thrown};
use crate::js::language::json::{JsonText, LongJsonError, LongReader, PIECE};
use crate::js::value::Throw;

/// Texts shorter than this, in bytes, are parsed in less than a turn.
pub const LONG: usize = 128 * 1024;

/// After this many values the VU's neighbours get a turn.
const STEPS: u32 = 4096;

/// Why there is no value.
pub enum JsonError {
    /// The text is no JSON.
    Syntax,
    /// The VU has to stop.
    Stopped,
    /// The engine has thrown.
    Thrown,
}

impl From<LongJsonError> for JsonError {
    fn from(error: LongJsonError) -> Self {
        match error {
            LongJsonError::Syntax => Self::Syntax,
            LongJsonError::Stopped => Self::Stopped,
        }
    }
}

impl From<Thrown> for JsonError {
    fn from(_: Thrown) -> Self {
        Self::Thrown
    }
}

/// The value of a text; the other VUs of the worker get a turn every [`STEPS`] values, and in the middle of what is long.
///
/// # Errors
/// The text is no JSON, or the VU has to stop.
pub fn parse(context: Context, text: &[u8]) -> Result<Owned, JsonError> {
    // No garbage can come about while a tree grows; looking for it would be quadratic, and each look would be longer than a
    // turn.
    let threshold = context.set_gc_threshold(usize::MAX);
    let parser = JsonParser { context, text, at: 0, open: Vec::new(), steps: 0 };
    let result = parser.document();
    // What was made is in use now: the next look for garbage comes when as much was added again.
    context.set_gc_threshold(threshold.saturating_add(text.len() * 8));
    result
}

/// Puts a function into the place of one of `JSON`'s, which it gets as its data.
pub fn replace<F: Closure<1>>(context: Context, name: &CStr, length: c_int) -> Result<(), Thrown> {
    let json = context.get(&context.global(), "JSON")?;
    let key = &*name.to_string_lossy();
    let old = context.get(&json, key)?;
    let function = context.closure::<F, 1>((name, length, 0), [old.borrow()])?;
    context.define(&json, key, function, PropertyFlags::HIDDEN)
}

/// Puts our function into the place of `JSON.parse`: long texts are parsed in turns.
pub fn replace_parse(context: Context) -> Result<(), Thrown> {
    replace::<ParseText>(context, c"parse", 2)
}

struct ParseText;

impl Closure<1> for ParseText {
    fn call(call: &NativeCall<'_>, [old]: &[Borrowed<'_>; 1]) -> Result<Owned, Thrown> {
        let (context, text) = (call.context, call.arg(0));
        let has_reviver = context.is_function(call.arg(1));
        if text.is_string() && !has_reviver && context.length(text)? >= LONG as i64 {
            match context.with_text(text, |text| parse(context, text))? {
                Ok(value) => return Ok(value),
                Err(JsonError::Stopped) => return Err(errors::throw(context, Throw::Stop)),
                // The engine says what is wrong, and where.
                Err(JsonError::Thrown) => drop(context.take_exception()),
                Err(JsonError::Syntax) => {}
            }
        }
        context.call(*old, call.this, call.args)
    }
}

/// An object or a list that is not complete.
struct OpenValue {
    value: Owned,
    slot: JsonSlot,
}

/// Where the next value goes.
enum JsonSlot {
    Index(u32),
    Name(Atom),
    /// An object whose next name was not read yet.
    Nameless,
}

struct JsonParser<'a> {
    context: Context,
    text: &'a [u8],
    at: usize,
    open: Vec<OpenValue>,
    steps: u32,
}

impl<'a> JsonParser<'a> {
    /// The next byte that is no blank.
    fn peek(&mut self) -> Result<Option<u8>, JsonError> {
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
    fn long<T>(
        &mut self,
        read: impl for<'f> FnOnce(&mut LongReader<'a, &'f mut dyn FnMut() -> bool>) -> Result<T, LongJsonError>,
    ) -> Result<T, JsonError> {
        let context = self.context;
        let mut may_continue = || context.state().host.may_continue();
        let mut reader = LongReader { text: self.text, at: self.at, may_continue: &mut may_continue as &mut dyn FnMut() -> bool };
        let result = read(&mut reader);
        self.at = reader.at;
        Ok(result?)
    }

    fn document(mut self) -> Result<Owned, JsonError> {
        loop {
            self.steps += 1;
            if self.steps.is_multiple_of(STEPS) && !self.context.state().host.may_continue() {
                return Err(JsonError::Stopped);
            }
            let Some(mut made) = self.begin()? else { continue };
            // A value is complete: it goes where it belongs, and may complete what is around it.
            loop {
                let Some(around) = self.open.last_mut() else {
                    if self.peek()?.is_none() {
                        return Ok(made);
                    }
                    return Err(JsonError::Syntax);
                };
                around.put(self.context, made)?;
                let is_object = matches!(around.slot, JsonSlot::Nameless);
                match self.peek()? {
                    Some(b',') => {
                        self.at += 1;
                        if is_object {
                            self.name()?;
                        }
                        break;
                    }
                    Some(b'}') if is_object => {}
                    Some(b']') if !is_object => {}
                    _ => return Err(JsonError::Syntax),
                }
                self.at += 1;
                match self.open.pop() {
                    Some(closed) => made = closed.value,
                    None => return Err(JsonError::Syntax),
                }
            }
        }
    }

    /// Reads a value that is nothing but itself, or is empty; `None` where an object or a list was begun.
    fn begin(&mut self) -> Result<Option<Owned>, JsonError> {
        let first = self.peek()?.ok_or(JsonError::Syntax)?;
        match first {
            b'{' | b'[' => {
                self.at += 1;
                let is_object = first == b'{';
                let value = if is_object { self.context.object()? } else { self.context.array()? };
                if self.peek()? == Some(if is_object { b'}' } else { b']' }) {
                    self.at += 1;
                    return Ok(Some(value));
                }
                self.open
                    .push(OpenValue { value, slot: if is_object { JsonSlot::Nameless } else { JsonSlot::Index(0) } });
                if is_object {
                    self.name()?;
                }
                Ok(None)
            }
            b'"' => self.string().map(Some),
            b't' => self.word(b"true", self.context.bool(true)),
            b'f' => self.word(b"false", self.context.bool(false)),
            b'n' => self.word(b"null", self.context.null()),
            b'-' | b'0'..=b'9' => self.number().map(|number| Some(self.context.number(number))),
            _ => Err(JsonError::Syntax),
        }
    }

    fn word(&mut self, word: &[u8], value: Owned) -> Result<Option<Owned>, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(JsonError::Syntax);
        }
        self.at += word.len();
        Ok(Some(value))
    }

    fn number(&mut self) -> Result<f64, JsonError> {
        let rest = &self.text[self.at..];
        let short = &rest[..rest.len().min(PIECE)];
        match end_of_number(short) {
            Some(end) if end < short.len() || short.len() == rest.len() => {
                self.at += end;
                let text = std::str::from_utf8(&short[..end]).map_err(|_| JsonError::Syntax)?;
                text.parse().map_err(|_| JsonError::Syntax)
            }
            None if short.len() == rest.len() => Err(JsonError::Syntax),
            _ => self.long(|reader| reader.number()),
        }
    }

    /// The text between quotes that begins here, without them, and whether there is an escape in it; `None` for one that is
    /// to be read in pieces.
    fn quoted(&mut self) -> Result<Option<(&'a [u8], bool)>, JsonError> {
        let begin = self.at + 1;
        let text = &self.text[..self.text.len().min(begin + PIECE)];
        let (mut end, mut is_escaped) = (begin, false);
        loop {
            match text.get(end..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
                Some(len) => end += len,
                None if text.len() < self.text.len() => return Ok(None),
                None => return Err(JsonError::Syntax),
            }
            if text[end] == b'"' {
                break;
            }
            is_escaped = true;
            end += 2;
        }
        let inner = &text[begin..end];
        if inner.iter().any(|byte| *byte < 0x20) {
            return Err(JsonError::Syntax);
        }
        self.at = end + 1;
        Ok(Some((inner, is_escaped)))
    }

    fn string(&mut self) -> Result<Owned, JsonError> {
        let (inner, is_escaped) = match self.quoted()? {
            Some(short) => short,
            None => {
                return Ok(match self.long(|reader| reader.string())? {
                    JsonText::Ascii(text) => self.context.string_of_bytes(&text)?,
                    JsonText::Units(units) => self.context.string_of_utf16(&units)?,
                });
            }
        };
        if !is_escaped {
            return Ok(self.context.string_of_bytes(inner)?);
        }
        let mut text = Vec::with_capacity(inner.len() + 3);
        text.push(b'"');
        text.extend_from_slice(inner);
        text.push(b'"');
        Ok(self.context.parse_json(text)?)
    }

    /// Reads the next name of the innermost object, and the colon behind it.
    fn name(&mut self) -> Result<(), JsonError> {
        if self.peek()? != Some(b'"') {
            return Err(JsonError::Syntax);
        }
        let begin = self.at;
        let name = match self.quoted()? {
            Some((inner, false)) => self.context.atom_of_bytes(inner)?,
            _ => {
                self.at = begin;
                let name = self.string()?;
                self.context.atom_of(&name)?
            }
        };
        if let Some(around) = self.open.last_mut() {
            around.slot = JsonSlot::Name(name);
        }
        if self.peek()? != Some(b':') {
            return Err(JsonError::Syntax);
        }
        self.at += 1;
        Ok(())
    }
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

impl OpenValue {
    /// Takes a value in.
    fn put(&mut self, context: Context, value: Owned) -> Result<(), JsonError> {
        match std::mem::replace(&mut self.slot, JsonSlot::Nameless) {
            JsonSlot::Index(at) => {
                self.slot = JsonSlot::Index(at.wrapping_add(1));
                context.define_index(&self.value, at, value)?;
            }
            JsonSlot::Name(name) => context.define(&self.value, &name, value, PropertyFlags::PLAIN)?,
            JsonSlot::Nameless => return Err(JsonError::Syntax),
        }
        Ok(())
    }
}
