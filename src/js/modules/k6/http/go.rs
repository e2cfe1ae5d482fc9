//! Values as Go prints them, as in k6's messages and form bodies.

use crate::js::modules::k6::number_text;
use crate::js::value::Value;

/// The key under which http.js names the class of an object that Rust can't tell from others.
const KIND: &str = "volley.kind";

/// The name of a value's Go type.
pub(in crate::js::modules::k6) fn type_of(value: &Value) -> String {
    match value {
        Value::Undefined | Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.fract() == 0.0 => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Bytes(_) => "[]uint8",
        Value::List(_) => "[]interface {}",
        Value::Opaque(kind) => kind,
        Value::Map(map) => match kind_of(map) {
            Some(kind) => return kind.to_owned(),
            None => "map[string]interface {}",
        },
        _ => "map[string]interface {}",
    }
    .to_owned()
}

/// The class http.js named.
pub(super) fn kind_of(map: &[(String, Value)]) -> Option<&str> {
    match map {
        [(key, Value::String(kind))] if key == KIND => Some(kind),
        _ => None,
    }
}

/// A value as Go prints it with `%v`.
pub(in crate::js::modules::k6) fn text_of(value: &Value) -> String {
    match value {
        Value::Undefined | Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_of(*number),
        Value::String(text) => text.clone(),
        Value::List(list) => format!("[{}]", list.iter().map(text_of).collect::<Vec<_>>().join(" ")),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}:{}", text_of(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        Value::Bytes(bytes) => {
            format!("[{}]", bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(" "))
        }
        _ => String::new(),
    }
}

/// How Go prints a number: what is whole as such, the rest with an exponent from a million on.
fn number_of(number: f64) -> String {
    if number == 0.0 && number.is_sign_negative() {
        return "-0".to_owned();
    }
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0 {
        return number_text(number);
    }
    let text = format!("{number:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    match exponent.parse::<i32>() {
        Ok(-4..6) => number_text(number),
        Ok(exponent) => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
        Err(_) => text,
    }
}

/// A value as JavaScript's `String(value)` writes it, as far as Rust can tell.
pub(in crate::js::modules::k6) fn string_of(value: &Value) -> String {
    match value {
        Value::Undefined => "undefined".to_owned(),
        Value::Null => "null".to_owned(),
        Value::List(list) => {
            let item = |item: &Value| match item {
                Value::Undefined | Value::Null => String::new(),
                item => string_of(item),
            };
            list.iter().map(item).collect::<Vec<_>>().join(",")
        }
        Value::Map(_) | Value::Bytes(_) | Value::Shared(_) => "[object Object]".to_owned(),
        Value::Number(number) => number_text(*number),
        other => text_of(other),
    }
}
