//! Strings that scripts make large: Boa reserves memory for each repetition, and ends the process where there is none.

use boa_engine::object::{FunctionObjectBuilder, JsObject};
use boa_engine::property::PropertyDescriptor;
use boa_engine::string::{JsStr, JsStrVariant};
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue, NativeFunction, js_string};

/// The longest string, in characters, as on QuickJS.
const MAX_LENGTH: u64 = (1 << 30) - 1;

/// Puts our functions into the place of Boa's, which they call for whatever is no question of length.
pub fn replace(context: &mut Context) -> JsResult<()> {
    let prototype = context.intrinsics().constructors().string().prototype();
    for (name, length) in [("repeat", 1), ("padStart", 2), ("padEnd", 2)] {
        let old = prototype.get(JsString::from(name), context)?;
        let native = match name {
            "repeat" => NativeFunction::from_copy_closure_with_captures(repeat, old),
            _ => NativeFunction::from_copy_closure_with_captures(pad, old),
        };
        let function =
            FunctionObjectBuilder::new(context.realm(), native).name(JsString::from(name)).length(length).build();
        prototype.define_property_or_throw(
            JsString::from(name),
            PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true),
            context,
        )?;
    }
    Ok(())
}

fn too_long<T>() -> JsResult<T> {
    Err(JsNativeError::range().with_message("invalid string length").into())
}

fn call(old: &JsValue, this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let old: Option<JsObject> = old.as_callable();
    old.map_or_else(|| Ok(JsValue::undefined()), |old| old.call(this, args, context))
}

/// `text.repeat(count)`
fn repeat(this: &JsValue, args: &[JsValue], old: &JsValue, context: &mut Context) -> JsResult<JsValue> {
    if this.is_null_or_undefined() {
        return call(old, this, args, context);
    }
    let text = this.to_string(context)?;
    let count = args.first().cloned().unwrap_or_default().to_number(context)?;
    if !(count.is_finite() && count > -1.0) {
        return call(old, &text.into(), &[count.into()], context);
    }
    let (count, length) = (count as u64, text.len() as u64);
    if count.saturating_mul(length) > MAX_LENGTH {
        return too_long();
    }
    if count == 0 || length == 0 {
        return Ok(js_string!().into());
    }
    Ok(match text.as_str().variant() {
        JsStrVariant::Latin1(text) => JsString::from(JsStr::latin1(&text.repeat(count as usize))),
        JsStrVariant::Utf16(text) => JsString::from(JsStr::utf16(&text.repeat(count as usize))),
    }
    .into())
}

/// `text.padStart(length, filler)` and `text.padEnd(length, filler)`
fn pad(this: &JsValue, args: &[JsValue], old: &JsValue, context: &mut Context) -> JsResult<JsValue> {
    if this.is_null_or_undefined() {
        return call(old, this, args, context);
    }
    let text = this.to_string(context)?;
    let length = args.first().cloned().unwrap_or_default().to_length(context)?;
    let filler = match args.get(1) {
        Some(filler) if !filler.is_undefined() => filler.to_string(context)?,
        _ => js_string!(" "),
    };
    if length > MAX_LENGTH && !filler.is_empty() {
        return too_long();
    }
    call(old, &text.into(), &[length.into(), filler.into()], context)
}
