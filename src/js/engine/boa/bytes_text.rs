//! `Uint8Array` from and to base64 and hexadecimal text, which Boa lacks.

use boa_engine::builtins::typed_array::TypedArrayKind;
use boa_engine::object::JsObject;
use boa_engine::object::builtins::{JsArrayBuffer, JsTypedArray, JsUint8Array};
use boa_engine::string::{JsStr, JsStrVariant};
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue, NativeFunction};

use super::buffers::array_buffer;
use super::convert::{plain_object, property_key, put};
use super::{language, memory};
use crate::js::language::bytes_text::{self, Alphabet, DecodedText, LastChunkHandling};

/// Puts the methods where ECMA-262 has them.
///
/// # Errors
/// When the engine refuses a property.
pub fn install(context: &mut Context) -> JsResult<()> {
    let class = context.intrinsics().constructors().typed_uint8_array().clone();
    let (constructor, prototype) = (class.constructor(), class.prototype());
    let native = NativeFunction::from_fn_ptr;
    language::method(&constructor, "fromBase64", 1, native(from_base64), context)?;
    language::method(&constructor, "fromHex", 1, native(from_hex), context)?;
    language::method(&prototype, "toBase64", 0, native(to_base64), context)?;
    language::method(&prototype, "toHex", 0, native(to_hex), context)?;
    language::method(&prototype, "setFromBase64", 1, native(set_from_base64), context)?;
    language::method(&prototype, "setFromHex", 1, native(set_from_hex), context)
}

fn type_error<T>(text: &'static str) -> JsResult<T> {
    Err(JsNativeError::typ().with_message(text).into())
}

fn wrong_text<T>(kind: &str) -> JsResult<T> {
    Err(JsNativeError::syntax().with_message(format!("invalid {kind} string")).into())
}

/// A `Uint8Array`; its buffer may be detached.
fn uint8_array(value: &JsValue) -> JsResult<JsTypedArray> {
    let array = value.as_object().and_then(|object| JsTypedArray::from_object(object).ok());
    match array.filter(|array| array.kind() == Some(TypedArrayKind::Uint8)) {
        Some(array) => Ok(array),
        None => type_error("not a Uint8Array"),
    }
}

/// The buffer of an array, and where in it the array is.
///
/// # Errors
/// The buffer is detached.
fn place(array: &JsTypedArray, context: &mut Context) -> JsResult<(JsArrayBuffer, usize, usize)> {
    let buffer = array.buffer(context)?;
    match buffer.as_object().and_then(|buffer| JsArrayBuffer::from_object(buffer).ok()) {
        Some(buffer) if buffer.data().is_some() => {
            Ok((buffer, array.byte_offset(context)?, array.byte_length(context)?))
        }
        _ => type_error("the ArrayBuffer is detached"),
    }
}

/// A copy of the bytes of an array.
fn bytes(array: &JsTypedArray, context: &mut Context) -> JsResult<Vec<u8>> {
    let (buffer, offset, length) = place(array, context)?;
    let data = buffer.data();
    Ok(data.and_then(|data| data.get(offset..offset + length).map(<[u8]>::to_vec)).unwrap_or_default())
}

fn text(args: &[JsValue]) -> JsResult<JsString> {
    match args.first().and_then(JsValue::as_string) {
        Some(text) => Ok(text),
        None => type_error("expected a string"),
    }
}

fn ascii(text: &[u8]) -> JsValue {
    memory::weigh_string(text.len());
    JsString::from(JsStr::latin1(text)).into()
}

fn options(value: Option<&JsValue>) -> JsResult<Option<JsObject>> {
    match value {
        Some(value) if !value.is_undefined() => match value.as_object() {
            Some(options) => Ok(Some(options)),
            None => type_error("options must be an object"),
        },
        _ => Ok(None),
    }
}

/// One option: a word that `named` knows.
fn word<T>(
    options: Option<&JsObject>,
    name: &'static str,
    default: T,
    named: fn(&str) -> Option<T>,
    context: &mut Context,
) -> JsResult<T> {
    let Some(options) = options else { return Ok(default) };
    let value = options.get(property_key(name), context)?;
    if value.is_undefined() {
        return Ok(default);
    }
    match value.as_string().and_then(|word| named(&word.to_std_string_lossy())) {
        Some(known) => Ok(known),
        None => Err(JsNativeError::typ().with_message(format!("invalid option {name}")).into()),
    }
}

/// How a base64 text is to be read.
fn reading(args: &[JsValue], context: &mut Context) -> JsResult<(Alphabet, LastChunkHandling)> {
    let options = options(args.get(1))?;
    let alphabet = word(options.as_ref(), "alphabet", Alphabet::Base64, Alphabet::named, context)?;
    let last = ("lastChunkHandling", LastChunkHandling::Loose, LastChunkHandling::named);
    Ok((alphabet, word(options.as_ref(), last.0, last.1, last.2, context)?))
}

fn decode_base64(text: &JsString, (alphabet, last): (Alphabet, LastChunkHandling), max: usize) -> DecodedText {
    match text.as_str().variant() {
        JsStrVariant::Latin1(text) => bytes_text::from_base64(text, alphabet, last, max),
        JsStrVariant::Utf16(text) => bytes_text::from_base64(text, alphabet, last, max),
    }
}

fn decode_hex(text: &JsString, max: usize) -> DecodedText {
    match text.as_str().variant() {
        JsStrVariant::Latin1(text) => bytes_text::from_hex(text, max),
        JsStrVariant::Utf16(text) => bytes_text::from_hex(text, max),
    }
}

/// A new array of what was read.
fn new_array(decoded: &DecodedText, kind: &str, context: &mut Context) -> JsResult<JsValue> {
    if !decoded.is_valid {
        return wrong_text(kind);
    }
    let buffer = array_buffer(&decoded.bytes, context)?.as_object();
    let buffer = JsArrayBuffer::from_object(buffer.unwrap_or_else(|| unreachable!("a buffer is an object")))?;
    Ok(JsUint8Array::from_array_buffer(buffer, context)?.into())
}

/// Writes what was read into an array, also what stands in front of what is wrong.
fn write(
    (buffer, offset, _): (JsArrayBuffer, usize, usize),
    decoded: &DecodedText,
    kind: &str,
    context: &Context,
) -> JsResult<JsValue> {
    let end = offset + decoded.bytes.len();
    if let Some(mut data) = buffer.data_mut()
        && let Some(part) = data.get_mut(offset..end)
    {
        part.copy_from_slice(&decoded.bytes);
    }
    if !decoded.is_valid {
        return wrong_text(kind);
    }
    let result = plain_object(context);
    put(&result, property_key("read"), JsValue::from(decoded.read as u64));
    put(&result, property_key("written"), JsValue::from(decoded.bytes.len() as u64));
    Ok(result.into())
}

/// `Uint8Array.fromBase64(text, options)`
fn from_base64(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = text(args)?;
    let reading = reading(args, context)?;
    new_array(&decode_base64(&text, reading, usize::MAX), "base64", context)
}

/// `Uint8Array.fromHex(text)`
fn from_hex(_this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    new_array(&decode_hex(&text(args)?, usize::MAX), "hex", context)
}

/// `array.toBase64(options)`
fn to_base64(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let array = uint8_array(this)?;
    let options = options(args.first())?;
    let alphabet = word(options.as_ref(), "alphabet", Alphabet::Base64, Alphabet::named, context)?;
    let omits_padding = match &options {
        Some(options) => options.get(property_key("omitPadding"), context)?.to_boolean(),
        None => false,
    };
    Ok(ascii(&bytes_text::to_base64(&bytes(&array, context)?, alphabet, omits_padding)))
}

/// `array.toHex()`
fn to_hex(this: &JsValue, _args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let array = uint8_array(this)?;
    Ok(ascii(&bytes_text::to_hex(&bytes(&array, context)?)))
}

/// `array.setFromBase64(text, options)`
fn set_from_base64(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let array = uint8_array(this)?;
    let text = text(args)?;
    let reading = reading(args, context)?;
    let place = place(&array, context)?;
    let decoded = decode_base64(&text, reading, place.2);
    write(place, &decoded, "base64", context)
}

/// `array.setFromHex(text)`
fn set_from_hex(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let array = uint8_array(this)?;
    let text = text(args)?;
    let place = place(&array, context)?;
    let decoded = decode_hex(&text, place.2);
    write(place, &decoded, "hex", context)
}

#[cfg(test)]
mod tests {
    use boa_engine::Source;

    use super::*;

    #[test]
    fn a_detached_buffer_has_no_bytes() {
        let mut context = Context::default();
        install(&mut context).unwrap();
        let made = context.eval(Source::from_bytes("globalThis.a = new Uint8Array(4); a.buffer")).unwrap();
        JsArrayBuffer::from_object(made.as_object().unwrap()).unwrap().detach(&JsValue::undefined()).unwrap();
        for call in ["a.toHex()", "a.toBase64()", "a.setFromHex('aa')", "a.setFromBase64('Zm9v')"] {
            let text = format!("try {{ {call} }} catch (error) {{ error.name }}");
            let name = context.eval(Source::from_bytes(&text)).unwrap();
            assert_eq!(name.as_string().unwrap().to_std_string_lossy(), "TypeError", "{call}");
        }
        // Options are read first.
        let text = "let read = 0; try { a.toBase64({ get alphabet() { read++ } }) } catch { read }";
        assert_eq!(context.eval(Source::from_bytes(text)).unwrap().as_number(), Some(1.0));
    }
}
