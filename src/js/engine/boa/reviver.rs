//! The second argument of `JSON.parse`: a function that is told the text of every plain value.

use std::ops::Range;

use boa_engine::object::JsObject;
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsResult, JsString, JsValue, js_string};
use rustc_hash::FxHashMap;

use super::convert::{enumerable_keys, plain_object, property_key, put};
use super::errors;
use super::limits::MIN_STACK;
use super::realm::state;
use crate::js::engine::native_stack;

/// What a place of a JSON text became, and the text itself where it is a plain value.
struct Parsed {
    value: JsValue,
    inside: ParsedParts,
}

/// What is in a value of a JSON text.
enum ParsedParts {
    /// A plain value, and where its text is.
    Nothing(Range<usize>),
    List(Vec<Parsed>),
    /// Of a name that comes twice, the last.
    Object(FxHashMap<JsString, Parsed>),
}

/// What a reviver makes of the value of a JSON text.
///
/// # Errors
/// What the reviver throws, or that the value is nested too deeply.
pub fn revive(value: JsValue, text: &str, reviver: &JsObject, context: &mut Context) -> JsResult<JsValue> {
    let parsed = JsonTextReader { text, at: 0 }.parsed(value.clone(), context)?;
    let root = plain_object(context);
    put(&root, js_string!(), value);
    Revival { text, reviver }.property(&root, js_string!().into(), Some(&parsed), context)
}

/// A text that is known to be JSON.
struct JsonTextReader<'t> {
    text: &'t str,
    at: usize,
}

impl JsonTextReader<'_> {
    fn skip_whitespace(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or_default()
    }

    /// Past a string, or anything else that is plain.
    fn plain(&mut self) -> Range<usize> {
        let (bytes, begin) = (self.text.as_bytes(), self.at);
        if bytes.get(begin) == Some(&b'"') {
            self.at += 1;
            while let Some(byte) = bytes.get(self.at).filter(|byte| **byte != b'"') {
                self.at += if *byte == b'\\' { 2 } else { 1 };
            }
            self.at += 1;
        } else {
            let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
            self.at += bytes[begin..].iter().take_while(|byte| is_inside(byte)).count();
        }
        begin..self.at.min(bytes.len())
    }

    /// What stands here, which became `value`.
    fn parsed(&mut self, value: JsValue, context: &mut Context) -> JsResult<Parsed> {
        if native_stack::stack_left() < MIN_STACK {
            return Err(errors::too_deep());
        }
        let inside = match (self.skip_whitespace(), value.as_object()) {
            (b'[', Some(list)) => {
                let mut items = Vec::new();
                self.at += 1;
                while self.skip_whitespace() != b']' && self.at < self.text.len() {
                    let item = list.get(items.len(), context)?;
                    items.push(self.parsed(item, context)?);
                    if self.skip_whitespace() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                ParsedParts::List(items)
            }
            (b'{', Some(object)) => {
                let mut entries = FxHashMap::default();
                self.at += 1;
                while self.skip_whitespace() != b'}' && self.at < self.text.len() {
                    let name = self.plain();
                    let name: String = serde_json::from_str(&self.text[name]).unwrap_or_default();
                    let name = property_key(&name);
                    self.skip_whitespace();
                    self.at += 1;
                    let value = object.get(name.clone(), context)?;
                    entries.insert(name, self.parsed(value, context)?);
                    if self.skip_whitespace() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                ParsedParts::Object(entries)
            }
            _ => ParsedParts::Nothing(self.plain()),
        };
        Ok(Parsed { value, inside })
    }
}

/// `Array.isArray(object)`, which also sees through a proxy.
fn is_array(object: &JsObject, context: &mut Context) -> JsResult<bool> {
    let taken = state(context).primordials.get().and_then(JsValue::as_object);
    let Some(taken) = taken else { return Ok(object.is_array()) };
    let is_array = taken.get(property_key("ArrayIsArray"), context)?;
    let Some(is_array) = is_array.as_callable() else { return Ok(object.is_array()) };
    Ok(is_array.call(&JsValue::undefined(), &[object.clone().into()], context)?.to_boolean())
}

/// A call of `JSON.parse` with a reviver.
struct Revival<'a> {
    text: &'a str,
    reviver: &'a JsObject,
}

impl Revival<'_> {
    /// What the reviver makes of a property and everything below it, from the inside out. `parsed` is what it was before
    /// any call, where it was there.
    fn property(
        &self,
        holder: &JsObject,
        key: PropertyKey,
        parsed: Option<&Parsed>,
        context: &mut Context,
    ) -> JsResult<JsValue> {
        if native_stack::stack_left() < MIN_STACK {
            return Err(errors::too_deep());
        }
        let value = holder.get(key.clone(), context)?;
        // What a call has replaced has no text.
        let inside = parsed.filter(|parsed| JsValue::same_value(&parsed.value, &value)).map(|parsed| &parsed.inside);
        let told = plain_object(context);
        if let Some(object) = value.as_object() {
            self.all_of(&object, inside, context)?;
        } else if let Some(ParsedParts::Nothing(place)) = inside {
            put(&told, property_key("source"), JsString::from(&self.text[place.clone()]).into());
        }
        let name = JsValue::from(&key).to_string(context)?;
        self.reviver.call(&holder.clone().into(), &[name.into(), value, told.into()], context)
    }

    fn all_of(&self, object: &JsObject, inside: Option<&ParsedParts>, context: &mut Context) -> JsResult<()> {
        if is_array(object, context)? {
            let length = object.get(js_string!("length"), context)?.to_length(context)?;
            for at in 0..length {
                let parsed = match inside {
                    Some(ParsedParts::List(items)) => items.get(at as usize),
                    _ => None,
                };
                self.replace(object, at.into(), parsed, context)?;
            }
            return Ok(());
        }
        for name in enumerable_keys(object, context)? {
            let parsed = match inside {
                Some(ParsedParts::Object(entries)) => entries.get(&name),
                _ => None,
            };
            self.replace(object, name.into(), parsed, context)?;
        }
        Ok(())
    }

    fn replace(
        &self,
        object: &JsObject,
        key: PropertyKey,
        parsed: Option<&Parsed>,
        context: &mut Context,
    ) -> JsResult<()> {
        match self.property(object, key.clone(), parsed, context)? {
            // As ECMAScript says, what can't be deleted or changed stays.
            gone if gone.is_undefined() => _ = object.delete_property_or_throw(key, context).ok(),
            new => _ = object.create_data_property(key, new, context)?,
        }
        Ok(())
    }
}
