//! The system tags of a run: which facts about a sample become its tags.
//!
//! A list replaces the default as a whole; names nobody knows are left out without a word, as in k6.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Notes;
use super::value::{OptionValue, array, list, string};
use crate::failure::Failure;

/// On unless the run says otherwise.
pub const DEFAULT: [&str; 14] = [
    "check",
    "error",
    "error_code",
    "expected_response",
    "group",
    "method",
    "name",
    "proto",
    "scenario",
    "service",
    "status",
    "subproto",
    "tls_version",
    "url",
];

/// Known, but off by default.
pub const FURTHER: [&str; 4] = ["ip", "iter", "ocsp_status", "vu"];

/// The names of enabled system tags, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemTags(BTreeSet<&'static str>);

impl SystemTags {
    /// The known ones among `names`; blanks are part of a name.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let known = |name: &str| DEFAULT.into_iter().chain(FURTHER).find(|known| *known == name);
        Self(names.into_iter().filter_map(known).collect())
    }

    /// The enabled names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
}

impl Default for SystemTags {
    fn default() -> Self {
        Self(DEFAULT.into_iter().collect())
    }
}

impl OptionValue for SystemTags {
    const GO_TYPE: &'static str = "metrics.SystemTagSet";

    fn from_json(value: &Value, key: &str, _notes: &mut Notes) -> Result<Self, Failure> {
        let names = array(value, key, "[]string")?.iter().map(|item| string(item, key, "string"));
        Ok(Self::of(names.collect::<Result<Vec<_>, _>>()?))
    }

    /// An empty variable means no system tag at all.
    fn from_env(text: &str, _notes: &mut Notes) -> Result<Option<Self>, String> {
        Ok(Some(Self::of(list(text))))
    }

    fn to_json(&self) -> Value {
        json!(self.0)
    }
}
