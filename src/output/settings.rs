//! Settings of the outputs that push: defaults, under the configuration file's `collectors`, under the environment,
//! under the argument.
//!
//! What the settings of one output are stands in that output; here is only where a value comes from.

use std::time::Duration;

use serde_json::Value;

use super::OutputContext;
use crate::units::Span;
use crate::units::redact::without_user;

/// Where the settings of one output are looked for.
pub struct OutputSettings<'a> {
    /// Everything outputs are constructed from.
    pub context: &'a OutputContext,
    /// The output's name, under which the configuration file has its object.
    pub output: &'static str,
    /// How its variables begin: `K6_INFLUXDB_`.
    pub prefix: &'static str,
    /// What the argument said, by the names of the configuration file.
    pub argument: Vec<(&'static str, String)>,
}

impl OutputSettings<'_> {
    /// A setting as text: `key` in the argument and the file, `variable` after the prefix. Empty is not set.
    pub fn text(&self, key: &str, variable: &str) -> Option<String> {
        let argument = self.argument.iter().rev().find(|(known, _)| *known == key).map(|(_, value)| value.clone());
        let env = || (self.context.env)(&format!("{}{variable}", self.prefix));
        argument.or_else(env).or_else(|| self.in_file(key)).filter(|value| !value.is_empty())
    }

    /// A setting that has to be parsed, or its default.
    ///
    /// # Errors
    /// One line that names the setting and its value.
    pub fn parsed<T>(
        &self,
        key: &str,
        variable: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, String> {
        let Some(text) = self.text(key, variable) else { return Ok(default) };
        parse(&text).map_err(|why| format!("`{key}` ({}{variable}) can't be `{text}`: {why}", self.prefix))
    }

    /// A switch; off by default.
    ///
    /// # Errors
    /// As [`parsed`](Self::parsed).
    pub fn flag(&self, key: &str, variable: &str) -> Result<bool, String> {
        self.parsed(key, variable, false, |text| match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
            _ => Err("write `true` or `false`".to_owned()),
        })
    }

    /// A time, at least a millisecond.
    ///
    /// # Errors
    /// As [`parsed`](Self::parsed).
    pub fn time(&self, key: &str, variable: &str, default: Duration) -> Result<Duration, String> {
        self.parsed(key, variable, default, |text| Ok(Span::parse(text)?.to_duration().max(Duration::from_millis(1))))
    }

    /// A whole number.
    ///
    /// # Errors
    /// As [`parsed`](Self::parsed).
    pub fn number(&self, key: &str, variable: &str, default: i64) -> Result<i64, String> {
        self.parsed(key, variable, default, |text| text.parse().map_err(|_| "write a whole number".to_owned()))
    }

    /// An object of the configuration file, as pairs of texts.
    ///
    /// # Errors
    /// It is something else.
    pub fn pairs_in_file(&self, key: &str) -> Result<Vec<(String, String)>, String> {
        let pairs = match self.context.collectors.get(self.output).and_then(|own| own.get(key)) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Object(pairs)) => pairs.iter(),
            Some(other) => {
                let output = self.output;
                return Err(format!(
                    "`{key}` of `{output}` in the configuration file is {other}: write an object of texts"
                ));
            }
        };
        Ok(pairs.map(|(name, value)| (name.clone(), text(value).unwrap_or_default())).collect())
    }

    fn in_file(&self, key: &str) -> Option<String> {
        self.context.collectors.get(self.output)?.get(key).and_then(text)
    }
}

/// A value of the configuration file as it would stand in a variable.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) => Some(items.iter().filter_map(text).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Object(_) => None,
    }
}

/// An address as it may be shown: without user and password.
pub fn shown(address: &str) -> String {
    without_user(address).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let check = |address: &str, expect: &str| assert_eq!(shown(address), expect);
        check("http://user:secret@host:8086/a@b", "http://host:8086/a@b");
        check("http://us@er:secret@host", "http://host");
        check("https://host/path?user=a@b", "https://host/path?user=a@b");
        check("host:8125", "host:8125");
    }
}
