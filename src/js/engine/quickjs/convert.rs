//! Values on their way between JavaScript and Rust, on QuickJS.

use smallvec::SmallVec;

use super::ffi::{Borrowed, Context, MAX_KNOWN_MEMBERS, Owned, Thrown, ValueKind};
use super::json;
use super::{errors, promises, realm};
use crate::js::engine::realm::{MAX_DEPTH, is_turn_over};
use crate::js::language::json::JsonError;
use crate::js::value::{Throw, Value};

/// A copy of a value for Rust.
///
/// # Errors
/// What a getter throws, or that it is nested too deeply.
pub fn to_rust(context: Context, value: Borrowed<'_>) -> Result<Value, Thrown> {
    nested_to_rust(context, value, 0)
}

fn nested_to_rust(context: Context, value: Borrowed<'_>, depth: usize) -> Result<Value, Thrown> {
    Ok(match value.kind() {
        ValueKind::Undefined => Value::Undefined,
        ValueKind::Null => Value::Null,
        ValueKind::Bool(value) => Value::Bool(value),
        ValueKind::Number(number) => Value::Number(number),
        ValueKind::String => Value::String(context.text_or_empty(value)),
        ValueKind::Symbol => Value::Opaque("symbol"),
        ValueKind::BigInt => Value::Number(context.text_or_empty(value).parse().unwrap_or(f64::NAN)),
        ValueKind::Object => return object_to_rust(context, value, depth),
    })
}

fn object_to_rust(context: Context, object: Borrowed<'_>, depth: usize) -> Result<Value, Thrown> {
    if let Some(resource) = context.resource_of(object) {
        return Ok(Value::Resource(resource.clone()));
    }
    if depth > MAX_DEPTH {
        let text = "the value is nested too deeply, or refers to itself";
        return Err(errors::throw(context, Throw::type_error(text)));
    }
    if object.is_plain_array() {
        let len = context.length(object)?;
        let mut list = Vec::with_capacity(len.clamp(0, 1 << 16) as usize);
        for at in 0..len {
            let item = context.get_index(object, at)?;
            list.push(nested_to_rust(context, item.borrow(), depth + 1)?);
        }
        return Ok(Value::List(list));
    }
    if let Some(bytes) = context.buffer_bytes(object) {
        return Ok(Value::Bytes(bytes));
    }
    if let Some(name) = context.state().extras.native.get() {
        let native = context.get(object, name)?;
        if native.borrow().is_object() {
            return nested_to_rust(context, native.borrow(), depth + 1);
        }
    }
    if context.is_function(object) {
        return Ok(Value::Opaque("func(sobek.FunctionCall) sobek.Value"));
    }
    let mut map = Vec::new();
    context.each_property(object, |name, item| {
        map.push((name, nested_to_rust(context, item.borrow(), depth + 1)?));
        Ok(())
    })?;
    Ok(Value::Map(map))
}

/// A copy of a value of Rust's.
///
/// # Errors
/// When it is JSON text that isn't JSON, or there is no memory.
pub fn to_js(context: Context, value: Value) -> Result<Owned, Thrown> {
    Ok(match value {
        Value::Undefined | Value::Opaque(_) => context.undefined(),
        Value::Null => context.null(),
        Value::Bool(value) => context.bool(value),
        Value::Number(number) => context.number(number),
        Value::String(text) => context.string(&text)?,
        Value::Text(text) => context.string(text)?,
        Value::Bytes(bytes) => context.array_buffer(&bytes)?,
        Value::Shared(shared) => match shared.private() {
            Some(private) => context.mapped_buffer(private, shared.bytes().len())?,
            None => context.array_buffer(shared.bytes())?,
        },
        Value::List(list) if list.len() <= MAX_KNOWN_MEMBERS => context.array_of(all_to_js(context, list)?)?,
        Value::List(list) => {
            let array = context.array()?;
            for (at, item) in list.into_iter().enumerate() {
                context.set_index(&array, at as u32, to_js(context, item)?)?;
                take_turns(context, at)?;
            }
            array
        }
        Value::Map(map) if (1..=MAX_KNOWN_MEMBERS).contains(&map.len()) => {
            let members = map.into_iter().map(|(name, item)| Ok((name, to_js(context, item)?)));
            let members = members.collect::<Result<Vec<_>, Thrown>>()?;
            context.object_of(&context.state().extras.forms, &members)?
        }
        Value::Map(map) => {
            let object = context.object()?;
            for (at, (name, item)) in map.into_iter().enumerate() {
                realm::put(context, &object, &name, to_js(context, item)?)?;
                take_turns(context, at)?;
            }
            object
        }
        Value::Record(names, values) => {
            context.record(&context.state().extras.forms, names, all_to_js(context, values)?.into_iter())?
        }
        Value::Json(json) => json_to_js(context, &json)?,
        Value::JsonPart(part) => match json::parse_first(context, &part.text) {
            Ok((value, end)) if (part.may_follow)(&part.text[end..]) => value,
            Ok(_) | Err(JsonError::Syntax) => context.undefined(),
            Err(error) => return Err(thrown(context, error)),
        },
        Value::Resource(resource) => context.resource(resource)?,
        Value::Pending(future) => promises::pending(context, future)?,
        // Only a native call as a whole has a function to call.
        Value::Callback(_) => context.undefined(),
        Value::Handle(handle) => context.state().value_of(handle).unwrap_or_else(|| context.undefined()),
    })
}

/// Copies of a few values.
fn all_to_js(context: Context, values: Vec<Value>) -> Result<SmallVec<[Owned; MAX_KNOWN_MEMBERS]>, Thrown> {
    values.into_iter().map(|value| to_js(context, value)).collect()
}

/// Gives others a turn behind the item at this place of a long value.
fn take_turns(context: Context, at: usize) -> Result<(), Thrown> {
    if !is_turn_over(at) || context.state().host.may_continue() {
        Ok(())
    } else {
        Err(errors::throw(context, Throw::Stop))
    }
}

/// The value of JSON text.
fn json_to_js(context: Context, text: &[u8]) -> Result<Owned, Thrown> {
    json::parse(context, text).map_err(|error| thrown(context, error))
}

fn thrown(context: Context, error: JsonError<Thrown>) -> Thrown {
    match error {
        JsonError::Syntax => {
            let message = "the text is no JSON".to_owned();
            errors::throw(context, Throw::Error { class: "SyntaxError", message })
        }
        JsonError::Stopped => errors::throw(context, Throw::Stop),
        JsonError::Thrown(thrown) => thrown,
    }
}
