//! What native functions see of the values of a script themselves, on Boa.

use boa_engine::object::JsObject;
use boa_engine::object::builtins::JsArray;
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsError, JsResult, JsValue, JsVariant};

use super::convert::{enumerable_keys, plain_object, plain_text, property_keys, put, resource_of, to_rust};
use super::{convert, errors, json_text, memory};
use crate::js::engine::direct::{DirectContext, Look, PassedValue};
use crate::js::value::{Resource, Throw, Value};

/// How deep objects may be nested that are copied without anybody's seeing it.
const MAX_LEVELS: usize = 3;

impl DirectContext for Context {
    fn look(&self, value: &JsValue) -> Look {
        // Before the others: a look at one is one more reference to it.
        if value.is_string() {
            return Look::Text;
        }
        match value.variant() {
            JsVariant::Undefined => Look::Undefined,
            JsVariant::Null => Look::Null,
            JsVariant::Boolean(value) => Look::Bool(value),
            JsVariant::Integer32(number) => Look::Number(f64::from(number)),
            JsVariant::Float64(number) => Look::Number(number),
            JsVariant::String(_) => Look::Text,
            JsVariant::BigInt(_) | JsVariant::Symbol(_) => Look::Other,
            JsVariant::Object(object) if object.is_callable() => Look::Function,
            JsVariant::Object(_) => Look::Object,
        }
    }

    fn text_of(&self, value: &JsValue) -> String {
        value.as_string().map(|text| plain_text(&text)).unwrap_or_default()
    }

    fn read_text(&self, value: &JsValue, read: &mut dyn FnMut(&str)) {
        match value.as_string() {
            Some(text) => convert::read_text(&text, read),
            None => read(""),
        }
    }

    fn string_of(&mut self, text: &str) -> JsResult<JsValue> {
        Ok(convert::string_of(text))
    }

    fn resource_of(&self, value: &JsValue) -> Option<Resource> {
        value.as_object().as_ref().and_then(resource_of)
    }

    fn is_same(&self, one: &JsValue, other: &JsValue) -> bool {
        one.strict_equals(other)
    }

    fn is_true(&self, value: &JsValue) -> bool {
        value.to_boolean()
    }

    fn plain(&mut self, value: &JsValue) -> Option<Value> {
        plain(value, self, 0)
    }

    fn json_of(&mut self, value: &JsValue) -> Option<String> {
        json_text::text_of(value, self)
    }

    fn items_of(&mut self, list: &JsValue) -> Option<Vec<JsValue>> {
        let list = list.as_object().filter(JsObject::is_array)?;
        let length = JsArray::from_object(list.clone()).ok()?.length(self).ok()?;
        let list = list.borrow();
        // `length` is the one name.
        if list.shape().keys().len() != 1 {
            return None;
        }
        let mut items = Vec::new();
        for (index, property) in list.properties().index_properties() {
            if index as usize != items.len() {
                return None;
            }
            items.push(property.value()?.clone());
        }
        (items.len() as u64 == length).then_some(items)
    }

    fn list_of(&mut self, items: &[JsValue]) -> JsResult<JsValue> {
        Ok(JsArray::from_iter(items.iter().cloned(), self).into())
    }

    fn names(&mut self, object: &JsValue) -> JsResult<Vec<JsValue>> {
        let Some(object) = object.as_object() else { return Ok(Vec::new()) };
        if !object.is_ordinary() {
            return Ok(enumerable_keys(&object, self)?.into_iter().map(JsValue::from).collect());
        }
        let keys = object.own_property_keys(self)?;
        let object = object.borrow();
        let is_enumerable = |key: &PropertyKey| {
            object.properties().get(key).and_then(|property| property.enumerable()).unwrap_or_default()
        };
        Ok(keys
            .into_iter()
            .filter(|key| !matches!(key, PropertyKey::Symbol(_)) && is_enumerable(key))
            .map(text_of)
            .collect())
    }

    fn member(&mut self, object: &JsValue, key: &JsValue) -> JsResult<JsValue> {
        let Some(object) = object.as_object() else { return Ok(JsValue::undefined()) };
        let key = key.to_property_key(self)?;
        // An ordinary object is not asked for what it has itself.
        if object.is_ordinary()
            && let Some(value) = own_value(&object, &key)
        {
            return Ok(value);
        }
        object.get(key, self)
    }

    fn own_member(&mut self, object: &JsValue, key: &JsValue) -> JsResult<Option<JsValue>> {
        let Some(object) = object.as_object() else { return Ok(None) };
        let key = key.to_property_key(self)?;
        Ok(own_value(&object, &key))
    }

    fn put_member(&mut self, object: &JsValue, key: &JsValue, value: &JsValue) -> JsResult<()> {
        let Some(object) = object.as_object() else { return Ok(()) };
        let key = key.to_property_key(self)?;
        put(&object, key, value.clone());
        Ok(())
    }

    fn record_of(
        &mut self,
        names: &'static [&'static str],
        values: impl ExactSizeIterator<Item = JsValue>,
    ) -> JsResult<JsValue> {
        memory::weigh_items(names.len());
        let object = plain_object(self);
        for (key, value) in property_keys(names).iter().zip(values) {
            put(&object, key.clone(), value);
        }
        Ok(object.into())
    }

    fn refill_record(
        &mut self,
        record: &JsValue,
        names: &'static [&'static str],
        at: usize,
        values: impl Iterator<Item = JsValue>,
    ) -> JsResult<()> {
        if let Some(record) = record.as_object() {
            for (key, value) in property_keys(names)[at..].iter().zip(values) {
                put(&record, key.clone(), value);
            }
        }
        Ok(())
    }

    fn construct_of(&mut self, constructor: &JsValue, args: &[JsValue]) -> JsResult<JsValue> {
        match constructor.as_constructor() {
            Some(constructor) => constructor.construct(args, None, self).map(JsValue::from),
            None => Err(errors::thrown(Throw::type_error("not a constructor"), self)),
        }
    }

    fn is_uncatchable(&self, error: &JsError) -> bool {
        error.as_engine().is_some()
    }
}

impl PassedValue<Context> for JsValue {
    fn lend(&self) -> Option<&JsValue> {
        Some(self)
    }

    fn own(&self, _context: &Context) -> JsValue {
        self.clone()
    }
}

/// The value of a property among those kept for the object, accessors aside.
fn own_value(object: &JsObject, key: &PropertyKey) -> Option<JsValue> {
    object.borrow().properties().get(key)?.value().cloned()
}

/// A name as `Object.keys` gives it.
fn text_of(key: PropertyKey) -> JsValue {
    match key {
        PropertyKey::Index(index) => boa_engine::JsString::from(index.get().to_string()).into(),
        PropertyKey::String(text) => text.into(),
        PropertyKey::Symbol(symbol) => symbol.into(),
    }
}

fn plain(value: &JsValue, context: &mut Context, depth: usize) -> Option<Value> {
    Some(match value.variant() {
        JsVariant::BigInt(_) | JsVariant::Symbol(_) => return None,
        JsVariant::Object(object) => Value::Map(plain_members(&object, context, depth)?),
        _ => to_rust(value, context).ok()?,
    })
}

/// The members of an object that holds nothing but properties, and inherits nothing but those of all objects.
pub fn plain_members(object: &JsObject, context: &mut Context, depth: usize) -> Option<Vec<(String, Value)>> {
    if depth >= MAX_LEVELS || !object.is_ordinary() {
        return None;
    }
    let common = context.intrinsics().constructors().object().prototype();
    if object.prototype().is_some_and(|prototype| !JsObject::equals(&prototype, &common)) {
        return None;
    }
    let keys = object.own_property_keys(context).ok()?;
    let mut map = Vec::with_capacity(keys.len());
    for key in keys {
        let property = object.borrow().properties().get(&key)?;
        let value = property.value()?;
        let name = match key {
            PropertyKey::Index(index) => index.get().to_string(),
            PropertyKey::String(text) => plain_text(&text),
            PropertyKey::Symbol(_) => return None,
        };
        if property.enumerable().unwrap_or_default() {
            map.push((name, plain(value, context, depth + 1)?));
        }
    }
    Some(map)
}
