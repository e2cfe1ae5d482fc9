//! Options from `K6_…` variables, given as a map: this module never reads the environment itself.

use std::collections::BTreeMap;

use super::value::invalid;
use super::{Compat, Options};
use crate::failure::Failure;

/// Variables that look like options but do nothing in k6.
const WITHOUT_EFFECT: [&str; 7] = [
    "K6_HOSTS",
    "K6_SCENARIOS",
    "K6_EXECUTION_SEGMENT",
    "K6_EXECUTION_SEGMENT_SEQUENCE",
    "K6_TLS_VERSION",
    "K6_CLOUD",
    "K6_NO_SUMMARY",
];

impl Options {
    /// Reads the variables k6 knows; an empty one says nothing, except `K6_SYSTEM_TAGS`.
    ///
    /// # Errors
    /// `envconfig.Process: assigning K6_VUS to VUs: converting 'abc' to type null.Int. details: …`, code 104.
    pub fn from_env(env: &BTreeMap<String, String>, compat: &mut Compat) -> Result<Self, Failure> {
        for name in WITHOUT_EFFECT {
            if env.get(name).is_some_and(|text| !text.is_empty()) {
                compat.warn(format!("`{name}` has no effect, as in k6; use the script's options or a flag"));
            }
        }
        let mut options = Self::default();
        options.set_env(|name| env.get(name).map(String::as_str), compat).map_err(invalid)?;
        Ok(options)
    }
}
