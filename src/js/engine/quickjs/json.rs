//! JSON texts as values. QuickJS' own parser takes three times as long, as it reads byte by byte and interns each name anew, and
//! parses a text in one go, in which no other VU of the worker has a turn.

use std::borrow::Cow;
use std::ffi::{CStr, c_int};

use super::errors;
use super::ffi::{
    Atom, Borrowed, Closure, Context, MemberName, NativeCall, OpenObject, Owned, PendingMembers, PropertyFlags, Thrown,
};
use crate::js::language::json::{self, JsonError, JsonText, JsonValues};
use crate::js::value::Throw;

/// Texts shorter than this, in bytes, are parsed in less than a turn.
const LONG: usize = 128 * 1024;

impl From<Thrown> for JsonError<Thrown> {
    fn from(thrown: Thrown) -> Self {
        Self::Thrown(thrown)
    }
}

/// The value of a text; the other VUs of the worker get turns meanwhile.
///
/// # Errors
/// The text is no JSON, or the VU has to stop.
pub fn parse(context: Context, text: &[u8]) -> Result<Owned, JsonError<Thrown>> {
    without_collection(context, text, || json::parse(text, &mut EngineValues::new(context)))
}

/// The value a text begins with, and where it ends.
///
/// # Errors
/// As [`parse`].
pub fn parse_first(context: Context, text: &[u8]) -> Result<(Owned, usize), JsonError<Thrown>> {
    without_collection(context, text, || json::parse_first(text, &mut EngineValues::new(context)))
}

/// Reads a text; nobody looks for garbage while it is long.
fn without_collection<T>(context: Context, text: &[u8], read: impl FnOnce() -> T) -> T {
    if text.len() < LONG {
        return read();
    }
    // No garbage can come about while a tree grows; looking for it would be quadratic, and each look would be longer than a
    // turn.
    let threshold = context.set_gc_threshold(usize::MAX);
    let result = read();
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

/// Puts our function into the place of `JSON.parse`.
pub fn replace_parse(context: Context) -> Result<(), Thrown> {
    replace::<ParseText>(context, c"parse", 2)
}

struct ParseText;

impl Closure<1> for ParseText {
    fn call(call: &NativeCall<'_>, [old]: &[Borrowed<'_>; 1]) -> Result<Owned, Thrown> {
        let (context, text) = (call.context, call.arg(0));
        let has_reviver = context.is_function(call.arg(1));
        if text.is_string() && !has_reviver {
            match context.with_text(text, |text| parse(context, text))? {
                Ok(value) => return Ok(value),
                Err(JsonError::Stopped) => return Err(errors::throw(context, Throw::Stop)),
                // The engine says what is wrong, and where.
                Err(JsonError::Thrown(Thrown)) => drop(context.take_exception()),
                Err(JsonError::Syntax) => {}
            }
        }
        let result = context.call(*old, call.this, call.args);
        if result.is_err() && text.is_string() {
            name_file(context, text);
        }
        result
    }
}

/// The pending error about a text that is no JSON says which file it is, if it is one.
fn name_file(context: Context, text: Borrowed<'_>) {
    let error = context.take_exception();
    let place = context.ok(context.with_text(text, |text| context.state().host.json_place(text))).flatten();
    if let (Some(place), true) = (place, error.borrow().is_error()) {
        let message = context.ok(context.get(&error, "message"));
        let message = message.map(|message| context.text_or_empty(&message)).unwrap_or_default();
        let named = context.string(&format!("{message} ({place})"));
        // Without memory for it the error stays as it is.
        context.ok(named.and_then(|named| context.define(&error, "message", named, PropertyFlags::HIDDEN)));
    }
    context.throw(error);
}

/// Values of QuickJS.
struct EngineValues {
    context: Context,
    members: PendingMembers,
    /// Those in use.
    names: Vec<Atom>,
}

/// An object or a list that is not complete.
enum OpenContainer {
    Object(OpenObject),
    /// With its next index.
    List(Owned, u32),
}

impl EngineValues {
    fn new(context: Context) -> Self {
        Self { context, members: PendingMembers::new(context), names: Vec::new() }
    }

    fn text(&self, text: JsonText<'_>) -> Result<Owned, Thrown> {
        match text {
            JsonText::Plain(text) => self.context.string_of_bytes(&text),
            JsonText::Units(units) => self.context.string_of_utf16(&units),
        }
    }
}

impl<'a> JsonValues<'a> for EngineValues {
    type Value = Owned;
    type Name = MemberName;
    type Open = OpenContainer;
    type Error = JsonError<Thrown>;

    fn may_continue(&self) -> bool {
        self.context.state().host.may_continue()
    }

    fn null(&mut self) -> Owned {
        self.context.null()
    }

    fn bool(&mut self, value: bool) -> Owned {
        self.context.bool(value)
    }

    fn number(&mut self, number: f64) -> Owned {
        self.context.number(number)
    }

    fn string(&mut self, text: JsonText<'a>) -> Result<Owned, JsonError<Thrown>> {
        Ok(self.text(text)?)
    }

    fn name(&mut self, text: JsonText<'a>) -> Result<MemberName, JsonError<Thrown>> {
        let atom = match text {
            JsonText::Plain(Cow::Borrowed(name)) => self.context.atom_of_bytes(name)?,
            other => self.context.atom_of(&self.text(other)?)?,
        };
        let name = MemberName::from(&atom);
        self.names.push(atom);
        Ok(name)
    }

    fn open(&mut self, is_object: bool) -> Result<OpenContainer, JsonError<Thrown>> {
        Ok(if is_object {
            OpenContainer::Object(self.members.open())
        } else {
            OpenContainer::List(self.context.array()?, 0)
        })
    }

    fn push(&mut self, open: &mut OpenContainer, value: Owned) -> Result<(), JsonError<Thrown>> {
        if let OpenContainer::List(list, next) = open {
            self.context.define_index(&*list, *next, value)?;
            *next = next.wrapping_add(1);
        }
        Ok(())
    }

    fn put(&mut self, open: &mut OpenContainer, name: MemberName, value: Owned) -> Result<(), JsonError<Thrown>> {
        if let OpenContainer::Object(object) = open {
            self.members.put(object, name, value)?;
        }
        Ok(())
    }

    fn close(&mut self, open: OpenContainer) -> Result<Owned, JsonError<Thrown>> {
        match open {
            OpenContainer::Object(object) => Ok(self.members.close(object)?),
            OpenContainer::List(list, _) => Ok(list),
        }
    }
}
