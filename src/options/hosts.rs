//! Host names in options: patterns that block a name, and names that are sent somewhere else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Compat;
use super::value::{OptionValue, array, invalid, list, string, wrong_kind};
use crate::failure::Failure;

/// A host name, or `*`, `*.suffix`, `*suffix`; case doesn't matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    text: String,
}

impl HostPattern {
    /// Reads a pattern; `*` may only come first.
    ///
    /// # Errors
    /// `invalid hostname pattern 'a b'`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix('*').unwrap_or(text);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if text.is_empty() || !rest.bytes().all(fits) {
            return Err(format!("invalid hostname pattern '{text}'"));
        }
        Ok(Self { text: text.to_owned() })
    }

    /// The pattern as typed.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl OptionValue for Vec<HostPattern> {
    const GO_TYPE: &'static str = "types.NullHostnameTrie";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let read = |item| HostPattern::parse(string(item, key, "string")?).map_err(invalid);
        array(value, key, "[]string")?.iter().map(read).collect()
    }

    fn from_env(text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        if text.is_empty() { Ok(None) } else { list(text).map(HostPattern::parse).collect::<Result<_, _>>().map(Some) }
    }

    fn to_json(&self) -> Value {
        self.iter().map(|pattern| Value::from(pattern.text())).collect()
    }
}

/// Names, with or without a port, and the address each is sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(BTreeMap<String, String>);

impl Hosts {
    /// All names and where each is sent.
    pub fn iter(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(name, address)| (name.clone(), address.clone()))
    }
}

impl OptionValue for Hosts {
    const GO_TYPE: &'static str = "types.NullHosts";

    fn from_json(value: &Value, key: &str, _notes: &mut Compat) -> Result<Self, Failure> {
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, "map[string]types.Host"))?;
        let mut hosts = BTreeMap::new();
        for (name, item) in object.iter().filter(|(_, item)| !item.is_null()) {
            HostPattern::parse(name)
                .ok()
                .filter(|_| !name.contains('_'))
                .ok_or_else(|| invalid(format!("invalid host pattern '{name}'")))?;
            hosts.insert(name.to_ascii_lowercase(), string(item, key, "types.Host")?.to_owned());
        }
        Ok(Self(hosts))
    }

    fn from_env(_text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Ok(None)
    }

    fn to_json(&self) -> Value {
        json!(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_one_hole_at_most() {
        for good in ["example.com", "*.example.com", "*example.com", "*", "EXAMPLE.com:80", "[::1]"] {
            assert_eq!(HostPattern::parse(good).unwrap().text(), good);
        }
        for bad in ["", "a b", "a*", "**", "*.a*b"] {
            assert_eq!(HostPattern::parse(bad), Err(format!("invalid hostname pattern '{bad}'")));
        }
    }
}
