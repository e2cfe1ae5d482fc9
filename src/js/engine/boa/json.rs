//! JSON text as values on Boa, without a tree in between; long texts are parsed in turns.

use std::cell::Cell;
use std::rc::Rc;

use boa_engine::object::builtins::JsArray;
use boa_engine::object::{FunctionObjectBuilder, JsObject};
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::string::{JsStr, Latin1JsStringBuilder};
use boa_engine::{Context, JsError, JsNativeError, JsResult, JsString, JsValue, NativeFunction, js_string};
use serde::Deserialize as _;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::convert::{MAX_SHARED, plain_object, plain_text, property_key, put, single_copy};
use super::limits::MIN_STACK;
use super::realm::state;
use super::{errors, language, memory, reviver};
use crate::js::engine::Host;
use crate::js::engine::native_stack;
use crate::js::language::json::{self, JsonError, JsonText, JsonValues};
use crate::js::value::Throw;
use crate::units::ascii::is_ascii;

/// `JSON.parse` of a string, natively; anything else goes the old way.
pub fn replace_parse(context: &mut Context) -> JsResult<()> {
    let json = context.intrinsics().objects().json();
    let old = json.get(js_string!("parse"), context)?;
    let parse = NativeFunction::from_copy_closure_with_captures(
        |this, args, old, context| {
            if let Some(text) = args.first().and_then(JsValue::as_string) {
                let text = plain_text(&text);
                let value = parse(text.as_bytes(), context)?;
                return match args.get(1).and_then(JsValue::as_callable) {
                    Some(reviver) => reviver::revive(value, &text, &reviver, context),
                    None => Ok(value),
                };
            }
            match old.as_callable() {
                Some(old) => old.call(this, args, context),
                None => Ok(JsValue::undefined()),
            }
        },
        old,
    );
    let function = FunctionObjectBuilder::new(context.realm(), parse).name(js_string!("parse")).length(2).build();
    json.define_property_or_throw(
        js_string!("parse"),
        PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true),
        context,
    )?;
    Ok(())
}

/// JSON text as a value, without a tree in between.
///
/// # Errors
/// The text is no JSON, nested too deeply, or the VU has to stop.
pub fn parse(text: &[u8], context: &mut Context) -> JsResult<JsValue> {
    if let Some(value) = read(text, context, |values| json::parse(text, values))? {
        return Ok(value);
    }
    // It is wrong: the other reader says why, and where.
    let mut reader = serde_json::Deserializer::from_slice(text);
    let turns = TurnCounter { host: state(context).host.clone(), values: Cell::new(0), is_stopped: Cell::new(false) };
    let json = JsonSeed { context, turns: &turns, depth: 0 };
    let result = json.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    memory::note(text.len());
    let error = match result {
        Ok(value) => return Ok(value),
        Err(error) => error.to_string(),
    };
    if turns.is_stopped.get() {
        return Err(errors::thrown(Throw::Stop, context));
    }
    if error.contains(errors::TOO_DEEP) {
        return Err(errors::too_deep());
    }
    let place = state(context).host.json_place(text).map_or_else(String::new, |place| format!(" ({place})"));
    Err(JsNativeError::syntax().with_message(format!("{error}{place}")).into())
}

/// The value a text begins with, and where it ends; `None` where it is no JSON.
///
/// # Errors
/// As [`parse`].
pub fn parse_first(text: &[u8], context: &mut Context) -> JsResult<Option<(JsValue, usize)>> {
    read(text, context, |values| json::parse_first(text, values))
}

/// Reads a text in turns, also within strings; `None` for what is no JSON.
fn read<T>(
    text: &[u8],
    context: &mut Context,
    read: impl FnOnce(&mut EngineValues<'_>) -> Result<T, JsonError<JsError>>,
) -> JsResult<Option<T>> {
    let host = state(context).host.clone();
    match read(&mut EngineValues { context, host, depth: 0 }) {
        Ok(value) => {
            memory::note(text.len());
            Ok(Some(value))
        }
        Err(JsonError::Stopped) => Err(errors::thrown(Throw::Stop, context)),
        Err(JsonError::Thrown(error)) => Err(error),
        Err(JsonError::Syntax) => Ok(None),
    }
}

/// `JSON.rawJSON` that knows JSON as our `JSON.parse` does: Boa's own refuses large numbers and lone surrogates.
pub fn replace_raw_json(context: &mut Context) -> JsResult<()> {
    let json = context.intrinsics().objects().json();
    let old = json.get(js_string!("rawJSON"), context)?;
    let raw = NativeFunction::from_copy_closure_with_captures(
        |this, args, old: &JsValue, context| {
            let text = args.first().cloned().unwrap_or_default().to_string(context)?;
            let plain = plain_text(&text);
            let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
            let is_bare = match plain.as_bytes() {
                [] | [b'{' | b'[', ..] => false,
                [first, ..] if is_space(first) => false,
                [.., last] => !is_space(last),
            };
            if !is_bare {
                let text = "JSON.rawJSON takes the JSON text of a plain value, without whitespace around it";
                return Err(JsNativeError::syntax().with_message(text).into());
            }
            parse(plain.as_bytes(), context)?;
            let Some(old) = old.as_callable() else { return Ok(JsValue::undefined()) };
            let made = old.call(this, &[js_string!("0").into()], context)?;
            if let Some(object) = made.as_object() {
                let fixed = PropertyDescriptor::builder().writable(false).enumerable(true).configurable(false);
                object.insert_property(js_string!("rawJSON"), fixed.value(text).build());
            }
            Ok(made)
        },
        old,
    );
    language::method(&json, "rawJSON", 1, raw, context)
}

/// Strings of so many bytes may be garbage that has to go before they come.
const LONG_STRING: usize = 64 * 1024;

/// Values of Boa.
struct EngineValues<'a> {
    context: &'a mut Context,
    host: Rc<dyn Host>,
    /// How many objects and lists are open.
    depth: usize,
}

/// An object, with how many properties it has, or the items of a list.
enum UnfinishedValue {
    Object(JsObject, usize),
    List(Vec<JsValue>),
}

impl EngineValues<'_> {
    fn text(text: JsonText<'_>) -> Result<JsString, JsonError<JsError>> {
        let units = match text {
            // The builder does not look among the names of the language, as `from` does.
            JsonText::Plain(text) if (1..LONG_STRING).contains(&text.len()) => {
                let mut builder = Latin1JsStringBuilder::with_capacity(text.len());
                builder.extend_from_slice(&text);
                return Ok(builder.build().unwrap_or_else(|| JsString::from(&*String::from_utf8_lossy(&text))));
            }
            JsonText::Plain(text) if is_ascii(&text) => return Ok(JsString::from(JsStr::latin1(&text))),
            JsonText::Plain(text) => return Ok(JsString::from(&*String::from_utf8_lossy(&text))),
            JsonText::Units(units) => units,
        };
        if units.iter().all(|unit| *unit < 0x80) {
            let bytes: Vec<u8> = units.iter().map(|unit| *unit as u8).collect();
            return Ok(JsString::from(JsStr::latin1(&bytes)));
        }
        Ok(JsString::from(JsStr::utf16(&units)))
    }
}

impl<'a> JsonValues<'a> for EngineValues<'_> {
    type Value = JsValue;
    type Name = PropertyKey;
    type Open = UnfinishedValue;
    type Error = JsonError<JsError>;

    fn may_continue(&self) -> bool {
        self.host.may_continue()
    }

    fn null(&mut self) -> JsValue {
        JsValue::null()
    }

    fn bool(&mut self, value: bool) -> JsValue {
        value.into()
    }

    fn number(&mut self, number: f64) -> JsValue {
        JsValue::from(number)
    }

    fn string(&mut self, text: JsonText<'a>) -> Result<JsValue, JsonError<JsError>> {
        match &text {
            JsonText::Plain(text) if text.len() > LONG_STRING => memory::weigh_string(text.len()),
            JsonText::Units(units) if units.len() > LONG_STRING => memory::weigh_string(2 * units.len()),
            _ => {}
        }
        Self::text(text).map(JsValue::from)
    }

    fn name(&mut self, text: JsonText<'a>) -> Result<PropertyKey, JsonError<JsError>> {
        let name = match &text {
            JsonText::Plain(name) if name.len() < 64 => match std::str::from_utf8(name) {
                Ok(name) => property_key(name),
                Err(_) => Self::text(text)?,
            },
            _ => Self::text(text)?,
        };
        Ok(name.into())
    }

    fn open(&mut self, is_object: bool) -> Result<UnfinishedValue, JsonError<JsError>> {
        self.depth += 1;
        if self.depth > JsonSeed::MAX_LEVELS {
            return Err(JsonError::Thrown(errors::too_deep()));
        }
        Ok(if is_object {
            UnfinishedValue::Object(plain_object(self.context), 0)
        } else {
            UnfinishedValue::List(Vec::new())
        })
    }

    fn push(&mut self, list: &mut UnfinishedValue, value: JsValue) -> Result<(), JsonError<JsError>> {
        let UnfinishedValue::List(items) = list else { return Err(JsonError::Syntax) };
        items.push(value);
        Ok(())
    }

    fn put(
        &mut self,
        object: &mut UnfinishedValue,
        name: PropertyKey,
        value: JsValue,
    ) -> Result<(), JsonError<JsError>> {
        let UnfinishedValue::Object(object, count) = object else { return Err(JsonError::Syntax) };
        *count += 1;
        if *count == MAX_SHARED + 1 {
            *object = single_copy(object, self.context).map_err(JsonError::Thrown)?;
        }
        put(object, name, value);
        Ok(())
    }

    fn close(&mut self, open: UnfinishedValue) -> Result<JsValue, JsonError<JsError>> {
        self.depth -= 1;
        Ok(match open {
            UnfinishedValue::Object(object, _) => object.into(),
            UnfinishedValue::List(items) => JsArray::from_iter(items, self.context).into(),
        })
    }
}

/// Gives others a turn while a text is read for what is wrong with it.
struct TurnCounter {
    host: Rc<dyn Host>,
    values: Cell<u32>,
    is_stopped: Cell<bool>,
}

impl TurnCounter {
    /// Counts a value.
    ///
    /// # Errors
    /// The VU has to stop.
    fn step<E: serde::de::Error>(&self) -> Result<(), E> {
        self.values.set(self.values.get().wrapping_add(1));
        if self.values.get().is_multiple_of(1024) && !self.host.may_continue() {
            self.is_stopped.set(true);
            return Err(E::custom("the VU has to stop"));
        }
        Ok(())
    }
}

/// How deep a JSON text is nested.
fn levels(text: &str) -> usize {
    let (mut depth, mut deepest, mut is_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A value of a JSON text, so deep in it.
struct JsonSeed<'a> {
    context: &'a mut Context,
    turns: &'a TurnCounter,
    depth: usize,
}

impl JsonSeed<'_> {
    /// serde_json refuses to go deeper than 128: below every 100th level a reader of its own reads what is nested.
    const LEVELS_PER_READER: usize = 100;
    /// Each of those readers reads what is left of the text again, so there is an end to them.
    const MAX_LEVELS: usize = 50_000;

    fn inner(&mut self) -> JsonSeed<'_> {
        JsonSeed { context: self.context, turns: self.turns, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for JsonSeed<'_> {
    type Value = JsValue;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<JsValue, D::Error> {
        use serde::Deserializer as _;
        use serde::de::Error as _;
        if self.depth % Self::LEVELS_PER_READER != Self::LEVELS_PER_READER - 1 {
            return reader.deserialize_any(self);
        }
        let text = <&serde_json::value::RawValue>::deserialize(reader)?;
        let is_first = self.depth < Self::LEVELS_PER_READER;
        if native_stack::stack_left() < MIN_STACK || is_first && levels(text.get()) > Self::MAX_LEVELS {
            return Err(D::Error::custom(errors::TOO_DEEP));
        }
        let mut reader = serde_json::Deserializer::from_str(text.get());
        reader.deserialize_any(self).map_err(D::Error::custom)
    }
}

impl<'de> Visitor<'de> for JsonSeed<'_> {
    type Value = JsValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<JsValue, E> {
        Ok(JsValue::null())
    }

    fn visit_bool<E>(self, value: bool) -> Result<JsValue, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<JsValue, E> {
        Ok(JsValue::from(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<JsValue, E> {
        Ok(JsValue::from(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<JsValue, E> {
        Ok(JsValue::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<JsValue, E> {
        Ok(JsString::from(text).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<JsValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.inner())? {
            items.push(item);
            self.turns.step::<A::Error>()?;
        }
        Ok(JsArray::from_iter(items, self.context).into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<JsValue, A::Error> {
        let mut object = plain_object(self.context);
        let mut count = 0;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            let value = map.next_value_seed(self.inner())?;
            count += 1;
            if count == MAX_SHARED + 1 {
                object = single_copy(&object, self.context).map_err(serde::de::Error::custom)?;
            }
            put(&object, property_key(&key), value);
            self.turns.step::<A::Error>()?;
        }
        Ok(object.into())
    }
}
