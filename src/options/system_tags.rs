//! The option `systemTags`: which facts about a sample become its tags.
//!
//! A list replaces the default as a whole; unknown names are dropped silently, as in k6.

use serde_json::Value;

use super::Compat;
use super::value::{OptionValue, array, list, string};
use crate::failure::Failure;
use crate::metrics::SystemTags;

impl OptionValue for SystemTags {
    const GO_TYPE: &'static str = "metrics.SystemTagSet";

    fn from_json(value: &Value, key: &str, _compat: &mut Compat) -> Result<Self, Failure> {
        let names = array(value, key, "[]string")?.iter().map(|item| string(item, key, "string"));
        Ok(Self::parse(names.collect::<Result<Vec<_>, _>>()?))
    }

    /// An empty variable means no system tag at all.
    fn from_env(text: &str, _compat: &mut Compat) -> Result<Option<Self>, String> {
        Ok(Some(Self::parse(list(text))))
    }

    fn to_json(&self) -> Value {
        self.names().map(Value::from).collect()
    }
}
