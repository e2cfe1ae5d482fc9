//! The JSON text of objects at which nobody can see that they are read, much quicker than `JSON.stringify`.

use boa_engine::object::JsObject;
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsValue, JsVariant, js_string};

use super::convert::plain_text;
use crate::js::engine::direct::DirectContext;

/// How deep objects may be nested; what is deeper, or refers to itself, is left to `JSON.stringify`.
const MAX_LEVELS: usize = 32;
/// Longer texts are left to it, too.
const MAX_LEN: usize = 64 * 1024;
/// What stands for half of a surrogate pair, which JSON has to name.
const REPLACEMENT: char = '\u{fffd}';

/// `JSON.stringify(value)`, with the same spelling. `None` for what isn't an object of plain properties and lists, inherits what others
/// don't, or has numbers, texts or functions that are not written as they are.
pub fn text_of(value: &JsValue, context: &mut Context) -> Option<String> {
    let constructors = context.intrinsics().constructors();
    let (object, list) = (constructors.object().prototype(), constructors.array().prototype());
    let to_json = PropertyKey::from(js_string!("toJSON"));
    let is_untouched = !object.borrow().properties().contains_key(&to_json)
        && !list.borrow().properties().contains_key(&to_json)
        && list.prototype().is_some_and(|prototype| JsObject::equals(&prototype, &object));
    if !is_untouched || !value.is_object() {
        return None;
    }
    let mut writer = JsonWriter { text: Vec::new(), object, list, context };
    writer.value(value, 0)?;
    String::from_utf8(writer.text).ok()
}

struct JsonWriter<'a> {
    text: Vec<u8>,
    /// `Object.prototype`
    object: JsObject,
    /// `Array.prototype`
    list: JsObject,
    context: &'a mut Context,
}

impl JsonWriter<'_> {
    fn value(&mut self, value: &JsValue, depth: usize) -> Option<()> {
        if depth > MAX_LEVELS || self.text.len() > MAX_LEN {
            return None;
        }
        match value.variant() {
            JsVariant::Null => self.text.extend_from_slice(b"null"),
            JsVariant::Boolean(true) => self.text.extend_from_slice(b"true"),
            JsVariant::Boolean(false) => self.text.extend_from_slice(b"false"),
            JsVariant::Integer32(number) => serde_json::to_writer(&mut self.text, &number).ok()?,
            JsVariant::Float64(number) if number.is_finite() => {
                let text = value.to_string(self.context).ok()?;
                self.text.extend_from_slice(plain_text(&text).as_bytes());
            }
            JsVariant::String(text) => self.string(&plain_text(&text))?,
            JsVariant::Object(object) if object.is_array() => self.list(value, &object, depth)?,
            JsVariant::Object(object) => self.object(&object, depth)?,
            JsVariant::Undefined | JsVariant::Float64(_) | JsVariant::BigInt(_) | JsVariant::Symbol(_) => return None,
        }
        Some(())
    }

    fn string(&mut self, text: &str) -> Option<()> {
        if text.contains(REPLACEMENT) {
            return None;
        }
        serde_json::to_writer(&mut self.text, text).ok()
    }

    fn list(&mut self, value: &JsValue, list: &JsObject, depth: usize) -> Option<()> {
        if !list.prototype().is_some_and(|prototype| JsObject::equals(&prototype, &self.list)) {
            return None;
        }
        self.text.push(b'[');
        for (at, item) in self.context.items_of(value)?.iter().enumerate() {
            if at > 0 {
                self.text.push(b',');
            }
            match item.is_undefined() {
                true => self.text.extend_from_slice(b"null"),
                false => self.value(item, depth + 1)?,
            }
        }
        self.text.push(b']');
        Some(())
    }

    fn object(&mut self, object: &JsObject, depth: usize) -> Option<()> {
        let is_plain = object.is_ordinary()
            && object.prototype().is_none_or(|prototype| JsObject::equals(&prototype, &self.object));
        if !is_plain {
            return None;
        }
        self.text.push(b'{');
        let mut is_first = true;
        for key in object.own_property_keys(self.context).ok()? {
            let property = object.borrow().properties().get(&key)?;
            let value = property.value()?;
            let name = match key {
                PropertyKey::Index(index) => index.get().to_string(),
                PropertyKey::String(text) => plain_text(&text),
                PropertyKey::Symbol(_) => continue,
            };
            if value.is_undefined() || !property.enumerable().unwrap_or_default() {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                self.text.push(b',');
            }
            self.string(&name)?;
            self.text.push(b':');
            self.value(value, depth + 1)?;
        }
        self.text.push(b'}');
        Some(())
    }
}
