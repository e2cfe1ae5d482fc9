//! Long JSON texts as values. QuickJS parses a text in one go, in which no other VU of the worker has a turn; here there are
//! pauses. It takes no stack, however deeply a text is nested.

use std::ffi::CStr;
use std::os::raw::c_int;

use rquickjs::qjs::{self, JSAtom, JSCFunctionData, JSContext, JSValue};

use super::{EXCEPTION, is_exception, number_to_js, property, state, throw_js};
use crate::js::value::Throw;

/// Texts shorter than this, in bytes, are parsed in less than a turn.
pub(super) const LONG: usize = 128 * 1024;

/// After so many values it is asked whether to go on.
const STEPS: u32 = 4096;

/// Why there is no value.
pub(super) enum Fault {
    /// The text is no JSON.
    Syntax,
    /// The VU has to stop.
    Stopped,
    /// The engine has thrown.
    Thrown,
}

/// The value of a text. `may_continue` gives others a turn, and is false when the VU has to stop.
///
/// # Safety
/// `ctx` is alive, and this is the thread and the stack its code runs on.
pub(super) unsafe fn parse(
    ctx: *mut JSContext,
    text: &[u8],
    may_continue: &dyn Fn() -> bool,
) -> Result<JSValue, Fault> {
    // SAFETY: as the caller says. No garbage can come about while a tree grows; looking for it would be quadratic, and
    // each look would be longer than a turn.
    let (rt, threshold) = unsafe {
        let rt = qjs::JS_GetRuntime(ctx);
        let threshold = qjs::JS_GetGCThreshold(rt);
        qjs::JS_SetGCThreshold(rt, usize::MAX as _);
        (rt, threshold)
    };
    let mut parser = Parser { ctx, text, at: 0, open: Vec::new(), steps: 0, may_continue };
    let result = parser.document();
    drop(parser);
    // SAFETY: as above. What was made is in use now: the next look for garbage comes when as much was added again.
    unsafe { qjs::JS_SetGCThreshold(rt, (threshold as usize).saturating_add(text.len() * 8) as _) };
    result
}

/// Puts a function into the place of one of `JSON`'s, which it gets as its data.
///
/// # Safety
/// `ctx` must be a live context.
pub(super) unsafe fn replace(ctx: *mut JSContext, name: &CStr, length: c_int, function: JSCFunctionData) {
    // SAFETY: values are freed or handed over exactly once.
    unsafe {
        let global = qjs::JS_GetGlobalObject(ctx);
        let json = property(ctx, global, "JSON");
        let mut old = property(ctx, json, &name.to_string_lossy());
        let function = qjs::JS_NewCFunctionData2(ctx, function, name.as_ptr(), length, 0, 1, &mut old);
        if !is_exception(function) {
            let flags = qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE;
            qjs::JS_DefinePropertyValueStr(ctx, json, name.as_ptr(), function, flags as c_int);
        }
        for value in [old, json, global] {
            qjs::JS_FreeValue(ctx, value);
        }
    }
}

/// Puts our function into the place of `JSON.parse`: long texts are parsed in turns.
///
/// # Safety
/// `ctx` must be a live context whose state is set.
pub(super) unsafe fn replace_parse(ctx: *mut JSContext) {
    // SAFETY: as the caller says.
    unsafe { replace(ctx, c"parse", 2, Some(parse_text)) }
}

unsafe extern "C" fn parse_text(
    ctx: *mut JSContext,
    this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    _magic: c_int,
    data: *mut JSValue,
) -> JSValue {
    // SAFETY: `argv` has `argc` values, `data` the old function; the text is freed after it was read.
    unsafe {
        if argc >= 1 && qjs::JS_IsString(*argv) && (argc < 2 || !qjs::JS_IsFunction(ctx, *argv.add(1))) {
            let mut length = 0;
            qjs::JS_GetLength(ctx, *argv, &mut length);
            if length >= LONG as i64 {
                let mut len = 0;
                let text = qjs::JS_ToCStringLen(ctx, &mut len, *argv);
                if text.is_null() {
                    return EXCEPTION;
                }
                let state = state(ctx);
                let bytes = std::slice::from_raw_parts(text.cast(), len);
                let parsed = parse(ctx, bytes, &|| state.host.may_continue());
                qjs::JS_FreeCString(ctx, text);
                match parsed {
                    Ok(value) => return value,
                    Err(Fault::Stopped) => return throw_js(ctx, state, Throw::Stop),
                    // The engine says what is wrong, and where.
                    Err(Fault::Thrown) => qjs::JS_FreeValue(ctx, qjs::JS_GetException(ctx)),
                    Err(Fault::Syntax) => {}
                }
            }
        }
        qjs::JS_Call(ctx, *data, this, argc, argv)
    }
}

/// An object or a list that is not complete.
struct Open {
    value: JSValue,
    place: Place,
}

/// Where the next value goes.
enum Place {
    At(u32),
    Under(JSAtom),
    /// An object whose next name was not read yet.
    Nameless,
}

struct Parser<'a> {
    ctx: *mut JSContext,
    text: &'a [u8],
    at: usize,
    open: Vec<Open>,
    steps: u32,
    may_continue: &'a dyn Fn() -> bool,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn document(&mut self) -> Result<JSValue, Fault> {
        loop {
            self.steps += 1;
            if self.steps.is_multiple_of(STEPS) && !(self.may_continue)() {
                return Err(Fault::Stopped);
            }
            let Some(mut made) = self.begin()? else { continue };
            // A value is complete: it goes where it belongs, and may complete what is around it.
            loop {
                let Some(around) = self.open.last_mut() else {
                    if self.peek().is_none() {
                        return Ok(made);
                    }
                    self.free(made);
                    return Err(Fault::Syntax);
                };
                around.put(self.ctx, made)?;
                let is_object = matches!(around.place, Place::Nameless);
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if is_object {
                            self.name()?;
                        }
                        break;
                    }
                    Some(b'}') if is_object => {}
                    Some(b']') if !is_object => {}
                    _ => return Err(Fault::Syntax),
                }
                self.at += 1;
                match self.open.pop() {
                    Some(closed) => made = closed.value,
                    None => return Err(Fault::Syntax),
                }
            }
        }
    }

    /// Reads a value that is nothing but itself, or is empty; `None` where an object or a list was begun.
    fn begin(&mut self) -> Result<Option<JSValue>, Fault> {
        let first = self.peek().ok_or(Fault::Syntax)?;
        match first {
            b'{' | b'[' => {
                self.at += 1;
                let is_object = first == b'{';
                // SAFETY: the context is alive.
                let value = unsafe { if is_object { qjs::JS_NewObject(self.ctx) } else { qjs::JS_NewArray(self.ctx) } };
                let value = made(value)?;
                if self.peek() == Some(if is_object { b'}' } else { b']' }) {
                    self.at += 1;
                    return Ok(Some(value));
                }
                self.open.push(Open { value, place: if is_object { Place::Nameless } else { Place::At(0) } });
                if is_object {
                    self.name()?;
                }
                Ok(None)
            }
            b'"' => self.string().map(Some),
            b't' => self.word(b"true", qjs::JS_MKVAL(qjs::JS_TAG_BOOL, 1)),
            b'f' => self.word(b"false", qjs::JS_MKVAL(qjs::JS_TAG_BOOL, 0)),
            b'n' => self.word(b"null", super::NULL),
            b'-' | b'0'..=b'9' => self.number().map(|number| Some(number_to_js(number))),
            _ => Err(Fault::Syntax),
        }
    }

    fn word(&mut self, word: &[u8], value: JSValue) -> Result<Option<JSValue>, Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Fault::Syntax);
        }
        self.at += word.len();
        Ok(Some(value))
    }

    fn number(&mut self) -> Result<f64, Fault> {
        let rest = &self.text[self.at..];
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let sign = usize::from(rest[0] == b'-');
        let whole = digits(sign);
        if whole == 0 || (whole > 1 && rest[sign] == b'0') {
            return Err(Fault::Syntax);
        }
        let mut end = sign + whole;
        if rest.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            end += 1 + fraction;
            if fraction == 0 {
                return Err(Fault::Syntax);
            }
        }
        if matches!(rest.get(end), Some(b'e' | b'E')) {
            end += 1 + usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end.min(rest.len()));
            end += exponent;
            if exponent == 0 {
                return Err(Fault::Syntax);
            }
        }
        self.at += end;
        let text = std::str::from_utf8(&rest[..end]).map_err(|_| Fault::Syntax)?;
        text.parse().map_err(|_| Fault::Syntax)
    }

    /// The text between quotes that begins here, without them, and whether there is an escape in it.
    fn quoted(&mut self) -> Result<(&'a [u8], bool), Fault> {
        let text = self.text;
        let begin = self.at + 1;
        let (mut end, mut is_escaped) = (begin, false);
        loop {
            let rest = text.get(end..).ok_or(Fault::Syntax)?;
            end += memchr::memchr2(b'"', b'\\', rest).ok_or(Fault::Syntax)?;
            if text[end] == b'"' {
                break;
            }
            is_escaped = true;
            end += 2;
        }
        let inner = &text[begin..end];
        if inner.iter().any(|byte| *byte < 0x20) {
            return Err(Fault::Syntax);
        }
        self.at = end + 1;
        Ok((inner, is_escaped))
    }

    fn string(&mut self) -> Result<JSValue, Fault> {
        let ctx = self.ctx;
        let (inner, is_escaped) = self.quoted()?;
        // SAFETY: the context is alive, and the texts are as long as they are said to be; the second has a zero behind it.
        made(unsafe {
            if is_escaped {
                let mut text = Vec::with_capacity(inner.len() + 3);
                text.push(b'"');
                text.extend_from_slice(inner);
                text.extend_from_slice(b"\"\0");
                qjs::JS_ParseJSON(ctx, text.as_ptr().cast(), text.len() as qjs::size_t - 1, c"JSON".as_ptr())
            } else {
                qjs::JS_NewStringLen(ctx, inner.as_ptr().cast(), inner.len() as _)
            }
        })
    }

    /// Reads the next name of the innermost object, and the colon behind it.
    fn name(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(Fault::Syntax);
        }
        let (ctx, begin) = (self.ctx, self.at);
        let (inner, is_escaped) = self.quoted()?;
        // SAFETY: the context is alive; the string is ours.
        let atom = unsafe {
            if is_escaped {
                self.at = begin;
                let name = self.string()?;
                let atom = qjs::JS_ValueToAtom(ctx, name);
                qjs::JS_FreeValue(ctx, name);
                atom
            } else {
                qjs::JS_NewAtomLen(ctx, inner.as_ptr().cast(), inner.len() as _)
            }
        };
        if atom == qjs::JS_ATOM_NULL {
            return Err(Fault::Thrown);
        }
        match self.open.last_mut() {
            Some(around) => around.place = Place::Under(atom),
            // SAFETY: as above.
            None => unsafe { qjs::JS_FreeAtom(ctx, atom) },
        }
        if self.peek() != Some(b':') {
            return Err(Fault::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn free(&self, value: JSValue) {
        // SAFETY: the context is alive, and the value is ours.
        unsafe { qjs::JS_FreeValue(self.ctx, value) };
    }
}

impl Open {
    /// Takes a value in.
    fn put(&mut self, ctx: *mut JSContext, value: JSValue) -> Result<(), Fault> {
        let flags = qjs::JS_PROP_C_W_E as c_int;
        // SAFETY: the context is alive; the value is handed over, the name is ours.
        let done = unsafe {
            match std::mem::replace(&mut self.place, Place::Nameless) {
                Place::At(at) => {
                    self.place = Place::At(at.wrapping_add(1));
                    qjs::JS_DefinePropertyValueUint32(ctx, self.value, at, value, flags)
                }
                Place::Under(name) => {
                    let done = qjs::JS_DefinePropertyValue(ctx, self.value, name, value, flags);
                    qjs::JS_FreeAtom(ctx, name);
                    done
                }
                Place::Nameless => {
                    qjs::JS_FreeValue(ctx, value);
                    -1
                }
            }
        };
        if done < 0 { Err(Fault::Thrown) } else { Ok(()) }
    }
}

impl Drop for Parser<'_> {
    fn drop(&mut self) {
        for Open { value, place } in self.open.drain(..) {
            // SAFETY: the context is alive; what was not completed is ours.
            unsafe {
                if let Place::Under(name) = place {
                    qjs::JS_FreeAtom(self.ctx, name);
                }
                qjs::JS_FreeValue(self.ctx, value);
            }
        }
    }
}

/// A value the engine made, unless it could not.
fn made(value: JSValue) -> Result<JSValue, Fault> {
    // SAFETY: only the tag is looked at.
    if unsafe { is_exception(value) } { Err(Fault::Thrown) } else { Ok(value) }
}
