//! Values on their way between JavaScript and Rust, on Boa.

use std::cell::RefCell;
use std::rc::Rc;

use boa_engine::builtins::object::OrdinaryObject;
use boa_engine::object::JsObject;
use boa_engine::object::builtins::JsArray;
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::string::{JsStr, JsStrVariant};
use boa_engine::{Context, Finalize, JsData, JsNativeError, JsResult, JsString, JsValue, JsVariant, Trace};
use rustc_hash::FxHashMap;

use super::buffers::{array_buffer, buffer_bytes, file_buffer};
use super::realm::state;
use super::{direct, errors, json, memory, promises};
use crate::js::engine::realm::{MAX_DEPTH, is_turn_over};
use crate::js::value::{Resource, Throw, Value};
use crate::units::ascii::is_ascii;

/// A native thing in JavaScript's hands.
#[derive(Trace, Finalize, JsData)]
#[boa_gc(unsafe_no_drop)]
struct NativeObject(#[unsafe_ignore_trace] Resource);

/// A copy of a value for Rust.
///
/// # Errors
/// What a getter throws, or that it is nested too deeply.
pub fn to_rust(value: &JsValue, context: &mut Context) -> JsResult<Value> {
    nested_to_rust(value, context, 0)
}

fn nested_to_rust(value: &JsValue, context: &mut Context, depth: usize) -> JsResult<Value> {
    Ok(match value.variant() {
        JsVariant::Undefined => Value::Undefined,
        JsVariant::Null => Value::Null,
        JsVariant::Boolean(value) => Value::Bool(value),
        JsVariant::Integer32(number) => Value::Number(f64::from(number)),
        JsVariant::Float64(number) => Value::Number(number),
        JsVariant::String(text) => Value::String(plain_text(&text)),
        JsVariant::BigInt(number) => Value::Number(number.to_f64()),
        JsVariant::Symbol(_) => Value::Opaque("symbol"),
        JsVariant::Object(object) => return object_to_rust(&object, context, depth),
    })
}

/// A string for Rust, with U+FFFD for lone surrogates. Of a long one there is a second copy at most, not a third.
pub fn plain_text(text: &JsString) -> String {
    match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) => match ascii(bytes) {
            Some(text) => text.to_owned(),
            None => bytes.iter().map(|byte| char::from(*byte)).collect(),
        },
        JsStrVariant::Utf16(units) => String::from_utf16_lossy(units),
    }
}

/// Calls `read` with a string.
pub fn read_text(text: &JsString, read: &mut dyn FnMut(&str)) {
    let ascii = match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) => ascii(bytes),
        JsStrVariant::Utf16(_) => None,
    };
    match ascii {
        Some(text) => read(text),
        None => read(&plain_text(text)),
    }
}

/// The characters as text, if all are ASCII.
fn ascii(bytes: &[u8]) -> Option<&str> {
    // SAFETY: text of ASCII characters is UTF-8.
    is_ascii(bytes).then(|| unsafe { std::str::from_utf8_unchecked(bytes) })
}

/// The native thing an object is.
pub fn resource_of(object: &JsObject) -> Option<Resource> {
    object.downcast_ref::<NativeObject>().map(|native| native.0.clone())
}

fn object_to_rust(object: &JsObject, context: &mut Context, depth: usize) -> JsResult<Value> {
    if let Some(native) = resource_of(object) {
        return Ok(Value::Resource(native));
    }
    if let Some(members) = direct::plain_members(object, context, 0) {
        return Ok(Value::Map(members));
    }
    if depth > MAX_DEPTH {
        let text = "the value is nested too deeply, or refers to itself";
        return Err(JsNativeError::typ().with_message(text).into());
    }
    if object.is_array() {
        let array = JsArray::from_object(object.clone())?;
        let len = array.length(context)?;
        let mut list = Vec::with_capacity(len.min(1 << 16) as usize);
        for at in 0..len {
            let item = array.get(at, context)?;
            list.push(nested_to_rust(&item, context, depth + 1)?);
        }
        return Ok(Value::List(list));
    }
    if let Some(bytes) = buffer_bytes(object, context)? {
        return Ok(Value::Bytes(bytes));
    }
    let native = state(context).extras.native.get().cloned();
    if let Some(symbol) = native
        && let Some(native) = object.get(symbol, context)?.as_object()
    {
        return object_to_rust(&native, context, depth + 1);
    }
    if object.is_callable() {
        return Ok(Value::Opaque("func(sobek.FunctionCall) sobek.Value"));
    }
    let mut map = Vec::new();
    for key in enumerable_keys(object, context)? {
        let name = key.to_std_string_lossy();
        let item = object.get(key, context)?;
        map.push((name, nested_to_rust(&item, context, depth + 1)?));
    }
    Ok(Value::Map(map))
}

/// Own enumerable string keys, through the language's own `Object.keys`, which also asks a proxy.
pub fn enumerable_keys(object: &JsObject, context: &mut Context) -> JsResult<Vec<JsString>> {
    let taken = state(context).primordials.get().and_then(JsValue::as_object);
    let Some(taken) = taken else { return Ok(Vec::new()) };
    let keys = taken.get(property_key("ObjectKeys"), context)?;
    let Some(keys) = keys.as_callable() else { return Ok(Vec::new()) };
    let list = keys.call(&JsValue::undefined(), &[object.clone().into()], context)?;
    let Some(list) = list.as_object() else { return Ok(Vec::new()) };
    let list = JsArray::from_object(list.clone())?;
    let mut names = Vec::new();
    for at in 0..list.length(context)? {
        names.push(list.get(at, context)?.to_string(context)?);
    }
    Ok(names)
}

/// A copy of a value of Rust's.
///
/// # Errors
/// When it is JSON text that isn't JSON, or the VU has to stop.
pub fn to_js(value: Value, context: &mut Context) -> JsResult<JsValue> {
    Ok(match value {
        Value::Undefined | Value::Opaque(_) => JsValue::undefined(),
        Value::Null => JsValue::null(),
        Value::Bool(value) => value.into(),
        Value::Number(number) => JsValue::from(number),
        Value::String(text) => string_of(&text),
        Value::Text(text) => string_of(text),
        Value::Bytes(bytes) => array_buffer(&bytes, context)?,
        Value::Shared(file) => file_buffer(file, context)?,
        Value::List(list) => {
            memory::weigh_items(list.len());
            let mut items = Vec::with_capacity(list.len());
            for (at, item) in list.into_iter().enumerate() {
                items.push(to_js(item, context)?);
                take_turns(at, context)?;
            }
            JsArray::from_iter(items, context).into()
        }
        Value::Map(map) => object_of(map.into_iter(), context)?,
        Value::Record(names, values) => object_of(names.iter().zip(values), context)?,
        Value::Json(json) => json::parse(&json, context)?,
        Value::JsonPart(part) => match json::parse_first(&part.text, context)? {
            Some((value, end)) if (part.may_follow)(&part.text[end..]) => value,
            _ => JsValue::undefined(),
        },
        Value::Resource(resource) => JsObject::new(context.root_shape(), None, NativeObject(resource)).upcast().into(),
        Value::Pending(future) => promises::pending(future, context),
        // Only a native call as a whole has a function to call.
        Value::Callback(_) => JsValue::undefined(),
        Value::Handle(handle) => state(context).value_of(handle).unwrap_or_default(),
    })
}

/// A string.
pub fn string_of(text: &str) -> JsValue {
    memory::weigh_string(text.len());
    match is_ascii(text.as_bytes()) {
        true => JsString::from(JsStr::latin1(text.as_bytes())).into(),
        false => JsString::from(text).into(),
    }
}

/// An object with these members.
fn object_of<N: AsRef<str>>(
    members: impl ExactSizeIterator<Item = (N, Value)>,
    context: &mut Context,
) -> JsResult<JsValue> {
    let object = if members.len() > MAX_SHARED {
        memory::weigh_properties(members.len());
        single_object(context)
    } else {
        memory::weigh_items(members.len());
        plain_object(context)
    };
    for (at, (name, item)) in members.enumerate() {
        let item = to_js(item, context)?;
        put(&object, property_key(name.as_ref()), item);
        take_turns(at, context)?;
    }
    Ok(object.into())
}

/// Gives others a turn behind the item at this place of a long value.
fn take_turns(at: usize, context: &mut Context) -> JsResult<()> {
    if !is_turn_over(at) || state(context).host.may_continue() {
        Ok(())
    } else {
        Err(errors::thrown(Throw::Stop, context))
    }
}

/// Objects with more properties than this are one of a kind.
pub const MAX_SHARED: usize = 16;

/// An empty object with a shape of its own: a shared one costs a quarter of a KB for each property.
pub fn single_object(context: &Context) -> JsObject {
    JsObject::from_proto_and_data(context.intrinsics().constructors().object().prototype(), OrdinaryObject)
}

/// A copy of an object of plain properties, with a shape of its own.
pub fn single_copy(object: &JsObject, context: &mut Context) -> JsResult<JsObject> {
    let copy = single_object(context);
    for key in object.own_property_keys(context)? {
        let value = object.get(key.clone(), context)?;
        put(&copy, key, value);
    }
    Ok(copy)
}

/// An empty object whose shape is shared with all objects that get the same properties in the same order.
pub fn plain_object(context: &Context) -> JsObject {
    let prototype = context.intrinsics().constructors().object().prototype();
    JsObject::new(context.root_shape(), prototype, OrdinaryObject).upcast()
}

/// Puts a plain property into a new ordinary object.
pub fn put(object: &JsObject, key: impl Into<PropertyKey>, value: JsValue) {
    let descriptor =
        PropertyDescriptor::builder().value(value).writable(true).enumerable(true).configurable(true).build();
    object.insert_property(key, descriptor);
}

/// The string of a property's name. Names come again and again, so a worker remembers them.
pub fn property_key(name: &str) -> JsString {
    /// At most this many names are remembered; then all are forgotten.
    const MAX_NAMES: usize = 4096;
    thread_local! {
        static KNOWN: RefCell<FxHashMap<Box<str>, JsString>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(string) = known.get(name) {
            return string.clone();
        }
        if known.len() >= MAX_NAMES {
            known.clear();
        }
        let string = JsString::from(name);
        known.insert(name.into(), string.clone());
        string
    })
}

/// The keys of these names, which a worker remembers by the place of their list.
pub fn property_keys(names: &'static [&'static str]) -> Rc<[PropertyKey]> {
    /// A list of names, and the keys of these.
    type KeyList = (&'static [&'static str], Rc<[PropertyKey]>);
    thread_local! {
        static KNOWN: RefCell<Vec<KeyList>> = const { RefCell::new(Vec::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some((_, keys)) = known.iter().find(|(list, _)| std::ptr::eq(*list, names)) {
            return keys.clone();
        }
        let keys: Rc<[PropertyKey]> = names.iter().map(|name| property_key(name).into()).collect();
        known.push((names, keys.clone()));
        keys
    })
}
