//! Decodes a procedure file into typed Rust: every value knows its path, every error says what is allowed.
//!
//! Only the first error is reported. What values mean is [`super::file`]'s business.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::units::Span;
use crate::units::nearest::nearest;
use crate::units::redact::redact;

/// What is wrong, and where: one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    /// An error of the file as a whole.
    pub fn of_file(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// A value and the way to it.
#[derive(Clone, Debug)]
pub struct JsonNode<'a> {
    value: &'a Value,
    path: String,
}

/// The keys of an object, each of which is one that is known.
pub struct ObjectFields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> JsonNode<'a> {
    /// The whole.
    pub fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// A value from elsewhere, with the way to it.
    pub fn at(value: &'a Value, path: &str) -> Self {
        Self { value, path: path.to_owned() }
    }

    /// Refuses this value.
    pub fn wrong(&self, why: impl std::fmt::Display) -> DecodeError {
        let place = if self.path.is_empty() { "the default export" } else { &self.path };
        // What is quoted may be an address with a password.
        DecodeError(format!("`{place}`: {}", redact(&why.to_string())))
    }

    /// Refuses this value and says what it is.
    pub fn expected(&self, what: &str) -> DecodeError {
        let is = match self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(it) => it.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => format!("the text {text:?}"),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(map) => match map.get("$not data") {
                Some(Value::String(what)) => what.clone(),
                _ => "an object".to_owned(),
            },
        };
        self.wrong(format_args!("expected {what}, but it is {is}"))
    }

    /// An object with no other keys than these.
    pub fn object(&self, allowed: &[&str]) -> Result<ObjectFields<'a>, DecodeError> {
        let fields = self.any_object()?;
        for key in fields.map.keys() {
            if !allowed.contains(&key.as_str()) {
                let path = fields.path_of(key);
                let near = nearest(key, allowed.iter().copied())
                    .map(|near| format!("did you mean `{near}`? "))
                    .unwrap_or_default();
                let allowed = allowed.join(", ");
                return Err(DecodeError(format!("`{path}`: unknown key; {near}allowed are {allowed}")));
            }
        }
        Ok(fields)
    }

    /// An object with any keys.
    pub fn any_object(&self) -> Result<ObjectFields<'a>, DecodeError> {
        match self.value {
            Value::Object(map) if !map.contains_key("$not data") => Ok(ObjectFields { map, path: self.path.clone() }),
            _ => Err(self.expected("an object")),
        }
    }

    /// A list.
    pub fn list(&self) -> Result<Vec<JsonNode<'a>>, DecodeError> {
        let Value::Array(list) = self.value else { return Err(self.expected("a list")) };
        let item = |(place, value)| JsonNode { value, path: format!("{}[{place}]", self.path) };
        Ok(list.iter().enumerate().map(item).collect())
    }

    /// Text that is not empty.
    pub fn text(&self) -> Result<&'a str, DecodeError> {
        match self.value {
            Value::String(text) if !text.trim().is_empty() => Ok(text),
            Value::String(_) => Err(self.wrong("expected a text that is not empty")),
            _ => Err(self.expected("a text")),
        }
    }

    /// True or false.
    pub fn flag(&self) -> Result<bool, DecodeError> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    /// A whole number within limits.
    pub fn whole(&self, least: u64, most: u64) -> Result<u64, DecodeError> {
        match self.value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0) {
            Some(number) if (least as f64..=most as f64).contains(&number) => Ok(number as u64),
            _ => Err(self.expected(&format!("a whole number from {least} to {most}"))),
        }
    }

    /// A number above zero.
    pub fn positive(&self) -> Result<f64, DecodeError> {
        let number = self.value.as_f64().filter(|number| *number > 0.0);
        number.ok_or_else(|| self.expected("a number above 0"))
    }

    /// A share: `'5%'`, or a number from 0 to 1.
    pub fn share(&self) -> Result<f64, DecodeError> {
        let share = match self.value {
            Value::String(text) => text.trim().strip_suffix('%').and_then(|text| text.trim().parse::<f64>().ok()),
            value => value.as_f64().map(|share| share * 100.0),
        };
        let share = share.filter(|percent| (0.0..=100.0).contains(percent)).map(|percent| percent / 100.0);
        share.ok_or_else(|| self.expected("a share such as '5%', or a number from 0 to 1"))
    }

    /// A length of time, as text.
    pub fn span(&self) -> Result<Duration, DecodeError> {
        let Value::String(text) = self.value else { return Err(self.expected("a duration such as '1m30s'")) };
        match Span::parse(text) {
            Ok(span) if span >= Span::ZERO => Ok(span.to_duration()),
            _ => Err(self.wrong(format_args!("{text:?} is not a duration; durations look like 1m30s"))),
        }
    }

    /// A size in bytes: `4GB`, `500 MB`.
    pub fn size(&self) -> Result<u64, DecodeError> {
        let Value::String(text) = self.value else { return Err(self.expected("a size such as '4GB'")) };
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let number = text[..split].parse::<f64>().ok();
        let factor = match text[split..].trim().to_ascii_uppercase().as_str() {
            "B" => Some(1.0),
            "KB" => Some(1e3),
            "MB" => Some(1e6),
            "GB" => Some(1e9),
            "TB" => Some(1e12),
            _ => None,
        };
        let bytes = number.zip(factor).map(|(number, factor)| (number * factor) as u64);
        bytes.ok_or_else(|| self.wrong(format_args!("{text:?} is not a size; sizes look like 500MB or 4GB")))
    }

    /// One of these words.
    pub fn word<T: Copy>(&self, known: &[(&str, T)]) -> Result<T, DecodeError> {
        let text = self.text()?;
        known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.wrong(format_args!("{text:?} is not known; allowed are {}", words.join(", ")))
        })
    }

    /// A name that can stand in a file name and in a criterion.
    pub fn name(&self) -> Result<&'a str, DecodeError> {
        let text = self.text()?;
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if begins_well && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Ok(text);
        }
        Err(self
            .wrong(format_args!("{text:?} is not a name; a name has letters, digits and _ and begins with a letter")))
    }

    /// An address of one of these schemes. The address itself is not told: there may be a password in it.
    pub fn address(&self, schemes: &[&str]) -> Result<&'a str, DecodeError> {
        let text = self.text()?;
        let fits = schemes.iter().any(|scheme| {
            text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")).is_some_and(|rest| !rest.is_empty())
        });
        if fits && !text.contains(char::is_whitespace) {
            return Ok(text);
        }
        let schemes: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://…")).collect();
        Err(self.wrong(format_args!("expected an address such as {}", schemes.join(" or "))))
    }

    /// An address of the web, without a slash at its end. `localhost:8080` is one of `http://`.
    pub fn web_address(&self) -> Result<String, DecodeError> {
        if let Some(text) = self.text().ok().filter(|text| is_host_and_port(text)) {
            return Ok(format!("http://{}", text.trim_end_matches('/')));
        }
        Ok(self.address(&["http", "https"])?.trim_end_matches('/').to_owned())
    }

    /// An address, or a path below `base_url`.
    pub fn web_address_below(&self, base_url: Option<&str>) -> Result<String, DecodeError> {
        let text = self.text()?;
        match (text.starts_with('/'), base_url) {
            (true, Some(base_url)) => Ok(format!("{base_url}{text}")),
            (true, None) => Err(self.wrong("a path needs a `baseUrl` to stand below")),
            (false, _) if is_host_and_port(text) => Ok(format!("http://{text}")),
            (false, _) => Ok(self.address(&["http", "https"])?.to_owned()),
        }
    }

    /// An object of texts.
    pub fn texts(&self) -> Result<BTreeMap<String, String>, DecodeError> {
        let pairs = self.any_object()?.all().into_iter();
        pairs.map(|(key, node)| Ok((key.to_owned(), node.text()?.to_owned()))).collect()
    }

    /// The value as it is, if it is data all through.
    pub fn data(&self) -> Result<&'a Value, DecodeError> {
        match self.value {
            Value::Object(map) if map.contains_key("$not data") => return Err(self.expected("data")),
            Value::Object(_) => {
                for (_, node) in self.any_object()?.all() {
                    node.data()?;
                }
            }
            Value::Array(_) => {
                for node in self.list()? {
                    node.data()?;
                }
            }
            _ => (),
        }
        Ok(self.value)
    }

    /// True for a function.
    pub fn is_function(&self) -> bool {
        self.value.get("$not data").and_then(Value::as_str) == Some("a function")
    }

    /// True for a text.
    pub fn is_text(&self) -> bool {
        self.value.is_string()
    }

    /// True for `true` or `false`.
    pub fn is_flag(&self) -> bool {
        self.value.is_boolean()
    }
}

impl<'a> ObjectFields<'a> {
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key, if there is one.
    pub fn get(&self, key: &str) -> Option<JsonNode<'a>> {
        self.map.get(key).filter(|value| !value.is_null()).map(|value| JsonNode { value, path: self.path_of(key) })
    }

    /// The value of a key that has to be there.
    pub fn need(&self, key: &str, what: &str) -> Result<JsonNode<'a>, DecodeError> {
        self.get(key).ok_or_else(|| DecodeError(format!("`{}`: missing; expected {what}", self.path_of(key))))
    }

    /// A flag, or what it is without one.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, DecodeError> {
        self.get(key).map_or(Ok(default), |node| node.flag())
    }

    /// All keys with their values.
    pub fn all(&self) -> Vec<(&'a str, JsonNode<'a>)> {
        let pair = |(key, value): (&'a String, &'a Value)| (key.as_str(), JsonNode { value, path: self.path_of(key) });
        self.map.iter().map(pair).collect()
    }
}

/// `localhost:8080`, `host:80/path`: an address without a scheme.
fn is_host_and_port(text: &str) -> bool {
    let authority = text.split('/').next().unwrap_or(text);
    authority.split_once(':').is_some_and(|(host, port)| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        !host.is_empty() && host.chars().all(is_name) && port.parse::<u16>().is_ok()
    })
}
