//! How one option's value is read from JSON or from text, and written back.
//!
//! Each type knows k6's message for what it refuses. `null` never gets here: it means that nothing was said.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Compat;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::units::Span;
use crate::units::nearest::did_you_mean;

/// A value an option may have.
pub(super) trait OptionValue: Sized {
    /// The type's name in k6's messages.
    const GO_TYPE: &'static str;

    /// Reads a JSON value that is not `null`; `key` is the option's name.
    fn from_json(value: &Value, key: &str, compat: &mut Compat) -> Result<Self, Failure>;

    /// Reads the text of an environment variable; `None` where it says nothing.
    fn from_env(text: &str, compat: &mut Compat) -> Result<Option<Self>, String>;

    /// The value as `inspect` prints it.
    fn to_json(&self) -> Value;

    /// What is printed where nothing was said.
    fn absent() -> Value {
        Value::Null
    }

    /// A higher layer's value on top of a lower one's; most options are replaced as a whole.
    fn over(self, _lower: Option<Self>) -> Option<Self> {
        Some(self)
    }
}

/// A configuration error.
pub(super) fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(ExitCode::InvalidConfig, message)
}

/// A key of an object that none of `known` is, in Go's words.
pub(super) fn unknown_field<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Failure {
    invalid(format!("json: unknown field {name:?}")).with_hint(did_you_mean(name, known))
}

/// A refusal in Go's words that don't name the option, with the option and its value as a hint.
pub(super) fn naming(failure: Failure, key: &str, value: &Value) -> Failure {
    let needed = match &failure.message {
        text if text.starts_with("time: ") => "a duration such as \"1m30s\"",
        text if text.starts_with("strconv.ParseInt") => "a whole number",
        _ => return failure,
    };
    let shown: String = value.to_string().chars().take(60).collect();
    match failure.hint {
        None => failure.hint(format!("`{key}` is {shown}, and has to be {needed}")),
        Some(_) => failure,
    }
}

/// Go's word for the kind of a JSON value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Go's word for the type a JSON value decodes into when nothing is known about it.
fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "float64",
        Value::Object(_) => "map",
        Value::Array(_) => "slice",
        other => kind(other),
    }
}

/// The refusal of a JSON value of the wrong kind.
pub(super) fn wrong_kind(value: &Value, key: &str, go_type: &str) -> Failure {
    let near: String = value.to_string().chars().take(60).collect();
    invalid(format!(
        "parsing options from script got error while parsing \"\\\"{key}\\\":{near}\": json: cannot unmarshal {} into \
         Go struct field Options.{key} of type {go_type}",
        kind(value)
    ))
}

/// Reads the array behind an option.
pub(super) fn array<'a>(value: &'a Value, key: &str, go_type: &str) -> Result<&'a [Value], Failure> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| wrong_kind(value, key, go_type))
}

/// Reads a string behind an option.
pub(super) fn string<'a>(value: &'a Value, key: &str, go_type: &str) -> Result<&'a str, Failure> {
    value.as_str().ok_or_else(|| wrong_kind(value, key, go_type))
}

/// Reads a whole number in Go's message.
pub(super) fn parse_int(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
    }
    text.parse().map_err(|_| format!("strconv.ParseInt: parsing {text:?}: value out of range"))
}

/// Reads a duration with a unit, as flags need it; a form with inner spaces is read with a note.
pub(super) fn parse_span(text: &str, compat: &mut Compat) -> Result<Span, String> {
    Span::parse(text).or_else(|refused| {
        let joined: String = text.split_whitespace().collect();
        match Span::parse(&joined) {
            Ok(span) if !compat.strict && joined.len() != text.len() => {
                compat.warn_unportable(
                    "spaces",
                    format!("`{text}` is read as `{joined}`; k6 takes durations without spaces, write `{joined}`"),
                );
                Ok(span)
            }
            _ => Err(refused),
        }
    })
}

/// Reads a duration of options: with a unit, or a bare number of milliseconds.
pub(super) fn parse_span_or_millis(text: &str, compat: &mut Compat) -> Result<Span, String> {
    match text.parse::<f64>() {
        Ok(millis) if millis.is_finite() => Ok(Span::from_millis(millis)),
        _ => parse_span(text, compat),
    }
}

/// Splits a comma-separated list; no text is no item.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(move |_| !text.is_empty())
}

impl OptionValue for bool {
    const GO_TYPE: &'static str = "null.Bool";

    fn from_json(value: &Value, _key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let refuse = || invalid(format!("json: cannot unmarshal {} into Go value of type null.Bool", go_kind(value)));
        value.as_bool().ok_or_else(refuse)
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        match text {
            "" => Ok(None),
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(format!("invalid input:{text}")),
        }
    }

    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }
}

impl OptionValue for i64 {
    const GO_TYPE: &'static str = "null.Int";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let refuse = |what: &str| {
            invalid(format!("json: cannot unmarshal {what} into Go struct field Options.{key} of type int64"))
        };
        match value {
            Value::Number(number) => {
                // A whole number written as `1e3` or `2.0` is whole.
                let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15);
                let whole = number.as_i64().or(whole.map(|float| float as i64));
                whole.ok_or_else(|| refuse(&format!("number {number}")))
            }
            Value::String(text) => parse_int(text).map_err(invalid),
            other => Err(invalid(format!("json: cannot unmarshal {} into Go value of type null.Int", go_kind(other)))),
        }
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() { Ok(None) } else { parse_int(text).map(Some) }
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

impl OptionValue for String {
    const GO_TYPE: &'static str = "null.String";

    fn from_json(value: &Value, _key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let refuse = || invalid(format!("json: cannot unmarshal {} into Go value of type null.String", go_kind(value)));
        value.as_str().map(str::to_owned).ok_or_else(refuse)
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    fn to_json(&self) -> Value {
        Value::String(self.clone())
    }
}

impl OptionValue for Span {
    const GO_TYPE: &'static str = "types.NullDuration";

    fn from_json(value: &Value, _key: &str, compat: &mut Compat) -> Result<Self, Failure> {
        match value {
            Value::Number(number) => Ok(Self::from_millis(number.as_f64().unwrap_or_default())),
            Value::String(text) => parse_span_or_millis(text, compat).map_err(invalid),
            other => Err(invalid(format!("unable to use type {} as a duration value", go_kind(other)))),
        }
    }

    fn from_env(text: &str, compat: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() { Ok(None) } else { parse_span_or_millis(text, compat).map(Some) }
    }

    fn to_json(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl OptionValue for Vec<String> {
    const GO_TYPE: &'static str = "[]string";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        array(value, key, Self::GO_TYPE)?.iter().map(|item| string(item, key, "string").map(str::to_owned)).collect()
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() { Ok(None) } else { Ok(Some(list(text).map(str::to_owned).collect())) }
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

/// Tags and variables: names and values, sorted by name.
pub(super) type TextMap = BTreeMap<String, String>;

impl OptionValue for TextMap {
    const GO_TYPE: &'static str = "map[string]string";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, Self::GO_TYPE))?;
        let text = |item: &Value| match item {
            // As Go reads it: a variable that is not set is an empty text.
            Value::Null => Ok(String::new()),
            item => string(item, key, "string").map(str::to_owned),
        };
        object.iter().map(|(name, item)| Ok((name.clone(), text(item)?))).collect()
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let pair = |item: &str| match item.split_once(':') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(format!("invalid map item: {item:?}")),
        };
        list(text).map(pair).collect::<Result<_, _>>().map(Some)
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

/// Anything at all, passed through.
impl OptionValue for Value {
    const GO_TYPE: &'static str = "json.RawMessage";

    fn from_json(value: &Value, _key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        Ok(value.clone())
    }

    fn from_env(_text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Ok(None)
    }

    fn to_json(&self) -> Value {
        self.clone()
    }
}
