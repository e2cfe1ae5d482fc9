//! Options from JSON (a script's export, a config file, an archive) and back to JSON.

use serde_json::{Map, Value};

use super::value::{invalid, kind, naming};
use super::{Compat, Options};
use crate::failure::Failure;
use crate::metrics::SystemTags;
use crate::units::nearest::nearest;

/// Options that only flags and variables may set; in JSON they are unknown.
const NOT_IN_JSON: [&str; 2] = ["consoleOutput", "localIPs"];

/// What was read from JSON.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// What was understood.
    pub options: Options,
    /// Top-level keys that mean nothing, in the order written.
    pub unknown: Vec<String>,
}

impl Decoded {
    /// The warning about unknown keys, if there is something to warn about: its line, its field `error`, and one that says
    /// what may have been meant.
    pub fn warning(&self) -> Option<(&'static str, String, Option<String>)> {
        let first = self.unknown.first()?;
        let line = "There were unknown fields in the options exported in the script";
        let hints = self.unknown.iter().filter_map(|name| {
            let known = Options::KEYS.iter().copied().filter(|key| !NOT_IN_JSON.contains(key));
            nearest(name, known).map(|near| format!("did you mean `{near}` by `{name}`?"))
        });
        let hints = hints.collect::<Vec<_>>().join(" ");
        Some((line, format!("json: unknown field {first:?}"), Some(hints).filter(|hints| !hints.is_empty())))
    }
}

impl Options {
    /// Reads a JSON object; `null` is no options at all. Keys match in any case, as in k6.
    ///
    /// # Errors
    /// k6's message, with code 104; the caller puts the script's name before them.
    pub fn from_json(value: &Value, compat: &mut Compat) -> Result<Decoded, Failure> {
        let mut decoded = Decoded::default();
        let object = match value {
            Value::Null => return Ok(decoded),
            Value::Object(object) => object,
            other => {
                let kind = kind(other);
                let near: String = other.to_string().chars().take(60).collect();
                return Err(invalid(format!(
                    "parsing options from script got error while parsing {near:?}: json: cannot unmarshal {kind} \
                     into Go value of type lib.Options"
                )));
            }
        };
        for (name, item) in object {
            match Self::KEYS.iter().find(|key| key.eq_ignore_ascii_case(name)) {
                Some(key) if !NOT_IN_JSON.contains(key) => {
                    decoded.options.set_json(key, item, compat).map_err(|failure| naming(failure, key, item))?
                }
                _ => decoded.unknown.push(name.clone()),
            }
        }
        Ok(decoded)
    }

    /// The options as `inspect` prints them: every key, `null` where nothing was said, `cloud` only if set.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut map = self.entries();
        for key in NOT_IN_JSON {
            map.shift_remove(key);
        }
        if self.cloud.is_none() {
            map.shift_remove("cloud");
        }
        map
    }

    /// The options as `exec.test.options` shows them: consolidated, scenarios instead of shortcuts.
    pub fn to_script_json(&self) -> Map<String, Value> {
        let mut map = self.entries();
        for key in ["vus", "duration", "iterations", "stages"] {
            map.shift_remove(key);
        }
        if self.cloud.is_none() {
            map.shift_remove("cloud");
        }
        map
    }

    /// What the script's own `options` show in VUs: what was said in any layer, before shortcuts became scenarios.
    /// Where a shortcut won, there are no scenarios; the script's own stay as it wrote them.
    pub fn to_exported_json(&self) -> Map<String, Value> {
        let mut map = self.entries();
        map.retain(|_, value| !value.is_null());
        map.shift_remove("scenarios");
        if self.scenarios.as_ref().is_none_or(|scenarios| scenarios.is_empty()) {
            map.insert("scenarios".to_owned(), Value::Object(Map::new()));
        }
        map
    }

    /// The options as an archive keeps them: as configured, with the defaults a reader of the archive would miss.
    pub fn to_archive_json(&self) -> Map<String, Value> {
        self.with_defaults().to_json()
    }

    /// With k6's default trend statistics and system tags filled in.
    pub fn with_defaults(&self) -> Self {
        let mut options = self.clone();
        let stats = || ["avg", "min", "med", "max", "p(90)", "p(95)"].map(str::to_owned).to_vec();
        options.summary_trend_stats.get_or_insert_with(stats);
        options.system_tags.get_or_insert_with(SystemTags::default);
        options
    }
}
