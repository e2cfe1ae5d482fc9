//! Options that are written out in a script: keys nobody reads, values that are refused, executors that don't exist.

use serde_json::{Map, Value};

use super::with_near;
use crate::js::transpile::{OptionUsage, Place};
use crate::options::{Compat, Options};

/// What is wrong with them, and where.
pub(super) fn findings(options: &[OptionUsage]) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    for option in options {
        let Some(key) = Options::KEYS.iter().find(|key| key.eq_ignore_ascii_case(&option.key)) else {
            let text = format!("there is no option `{}`", option.key);
            found.push((option.place, with_near(text, &option.key, Options::KEYS.iter().copied())));
            continue;
        };
        if *key == "scenarios" {
            option.inner.iter().for_each(|scenario| found.extend(scenario_finding(scenario)));
        } else if option.is_whole {
            found.extend(refusal(&option.key, option.value.clone()).map(|text| (option.place, text)));
        }
    }
    found
}

/// What is wrong with a scenario, as far as the text says what it is.
fn scenario_finding(scenario: &OptionUsage) -> Option<(Place, String)> {
    let executor = scenario.inner.iter().find(|field| field.key.eq_ignore_ascii_case("executor"));
    // Without its executor, nothing is known of the fields.
    if !executor.is_some_and(|executor| executor.value.is_string()) {
        let is_missing = executor.is_none() && scenario.is_whole && scenario.value.is_object();
        return is_missing.then(|| (scenario.place, format!("the scenario `{}` has no executor", scenario.key)));
    }
    // What the text doesn't say is left out: `null` is no value.
    let field =
        |field: &OptionUsage| (field.key.clone(), if field.is_whole { field.value.clone() } else { Value::Null });
    let fields: Map<String, Value> = scenario.inner.iter().map(field).collect();
    let text =
        refusal("scenarios", Value::Object([(scenario.key.clone(), Value::Object(fields))].into_iter().collect()))?;
    let place = scenario.inner.iter().find(|field| text.contains(&format!("{:?}", field.key))).or(executor);
    Some((place.map_or(scenario.place, |field| field.place), format!("the scenario `{}`: {text}", scenario.key)))
}

/// Why this option is refused, whatever else is set.
fn refusal(key: &str, value: Value) -> Option<String> {
    let options = Value::Object([(key.to_owned(), value)].into_iter().collect());
    Options::from_json(&options, &mut Compat::default()).err().map(|failure| failure.message)
}
