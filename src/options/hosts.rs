//! Host names in options: patterns that block a name, and names that are sent somewhere else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Notes;
use super::value::{OptionValue, array, invalid, list, string, wrong_kind};
use crate::failure::Failure;

/// A host name, or `*`, `*.suffix`, `*suffix`; case doesn't matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    text: String,
    lower: String,
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
        Ok(Self { text: text.to_owned(), lower: text.to_ascii_lowercase() })
    }

    /// The pattern as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True if the pattern covers `host`.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        match self.lower.strip_prefix('*') {
            Some(suffix) => host.ends_with(suffix),
            None => host == self.lower,
        }
    }
}

impl OptionValue for Vec<HostPattern> {
    const GO_TYPE: &'static str = "types.NullHostnameTrie";

    fn from_json(value: &Value, key: &str, _notes: &mut Notes) -> Result<Self, Failure> {
        let read = |item| HostPattern::parse(string(item, key, "string")?).map_err(invalid);
        array(value, key, "[]string")?.iter().map(read).collect()
    }

    fn from_env(text: &str, _notes: &mut Notes) -> Result<Option<Self>, String> {
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
    /// Where `host:port` is sent, as `ip` or `ip:port`. Entries with the port come before those without, names before
    /// patterns, longer patterns before shorter ones.
    pub fn lookup(&self, host: &str, port: u16) -> Option<&str> {
        let host = host.to_ascii_lowercase();
        self.find(&format!("{host}:{port}"), true).or_else(|| self.find(&host, false))
    }

    fn find(&self, name: &str, with_port: bool) -> Option<&str> {
        if let Some(address) = self.0.get(name) {
            return Some(address);
        }
        let suffixes = self.0.iter().filter_map(|(key, address)| Some((key.strip_prefix('*')?, address)));
        let matching = suffixes.filter(|(suffix, _)| name.ends_with(suffix) && suffix.contains(':') == with_port);
        matching.max_by_key(|(suffix, _)| suffix.len()).map(|(_, address)| address.as_str())
    }

    /// All names and where each is sent.
    pub fn iter(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(name, address)| (name.clone(), address.clone()))
    }

    /// True if nothing is remapped.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl OptionValue for Hosts {
    const GO_TYPE: &'static str = "types.NullHosts";

    fn from_json(value: &Value, key: &str, _notes: &mut Notes) -> Result<Self, Failure> {
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, "map[string]types.Host"))?;
        let mut hosts = BTreeMap::new();
        for (name, item) in object.iter().filter(|(_, item)| !item.is_null()) {
            HostPattern::parse(name).map_err(|_| invalid(format!("invalid host pattern '{name}'")))?;
            hosts.insert(name.to_ascii_lowercase(), string(item, key, "types.Host")?.to_owned());
        }
        Ok(Self(hosts))
    }

    fn from_env(_text: &str, _notes: &mut Notes) -> Result<Option<Self>, String> {
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
    fn patterns_match() {
        let check = |pattern: &str, host: &str, expect: bool| {
            assert_eq!(HostPattern::parse(pattern).unwrap().matches(host), expect, "{pattern} {host}");
        };
        check("example.com", "EXAMPLE.com", true);
        check("example.com", "a.example.com", false);
        check("*.example.com", "a.example.com", true);
        check("*.example.com", "example.com", false);
        check("*example.com", "badexample.com", true);
        check("*", "anything", true);
        for bad in ["", "a b", "a*", "**", "*.a*b"] {
            assert_eq!(HostPattern::parse(bad), Err(format!("invalid hostname pattern '{bad}'")));
        }
    }

    #[test]
    fn hosts_take_the_most_specific_entry() {
        let value = json!({"a.test": "1.1.1.1", "A.test:8080": "2.2.2.2:90", "*.test": "3.3.3.3", "*": "4.4.4.4"});
        let hosts = Hosts::from_json(&value, "hosts", &mut Notes::default()).unwrap();
        let check = |host: &str, port, expect: &str| assert_eq!(hosts.lookup(host, port), Some(expect), "{host}");
        check("a.test", 80, "1.1.1.1");
        check("a.TEST", 8080, "2.2.2.2:90");
        check("b.test", 80, "3.3.3.3");
        check("other", 80, "4.4.4.4");
    }
}
