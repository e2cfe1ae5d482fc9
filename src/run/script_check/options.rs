//! Options that are written out in a script: keys nobody reads, values that are refused, executors that don't exist.

use serde_json::{Map, Value};

use super::with_near;
use crate::js::transpile::{OptionUsage, Place};
use crate::log::Logger;
use crate::metrics::Registry;
use crate::metrics::submetric::MetricSelector;
use crate::metrics::threshold::{self, Threshold, ThresholdDef};
use crate::options::{Compat, Options};

/// What is wrong with them, and where; `exported` are the names that the script exports, where they are known.
pub(super) fn findings(options: &[OptionUsage], exported: Option<&[String]>) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    for option in options {
        let Some(key) = Options::KEYS.iter().find(|key| key.eq_ignore_ascii_case(&option.key)) else {
            let text = format!("there is no option `{}`", option.key);
            found.push((option.place, with_near(text, &option.key, Options::KEYS.iter().copied())));
            continue;
        };
        if *key == "scenarios" {
            for scenario in &option.inner {
                let wrong = scenario_finding(scenario);
                found.extend(wrong.or_else(|| function_finding(scenario, exported?)));
            }
        } else if *key == "thresholds" && option.value.is_object() {
            let refused = option.is_whole.then(|| refusal(&option.key, option.value.clone())).flatten();
            match refused {
                Some(text) => found.push((option.place, text)),
                None => option.inner.iter().for_each(|metric| found.extend(threshold_findings(metric))),
            }
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

/// The function that a scenario runs has to be there.
fn function_finding(scenario: &OptionUsage, exported: &[String]) -> Option<(Place, String)> {
    let exec = scenario.inner.iter().find(|field| field.key.eq_ignore_ascii_case("exec"));
    let (place, name) = match exec {
        Some(exec) => (exec.place, exec.value.as_str()?),
        // What the text doesn't say may have it.
        None if scenario.is_whole => (scenario.place, "default"),
        None => return None,
    };
    if exported.iter().any(|known| known == name) {
        return None;
    }
    let text = format!("the scenario `{}` runs `{name}`, and the script exports no such function", scenario.key);
    Some((place, with_near(text, name, exported.iter().map(String::as_str).filter(|known| *known != "options"))))
}

/// The expressions of a metric's thresholds; whether they suit the metric only where it is a built-in one.
fn threshold_findings(metric: &OptionUsage) -> Vec<(Place, String)> {
    let selector = match MetricSelector::parse(&metric.key) {
        Ok(selector) => selector,
        Err(why) => return vec![(metric.place, format!("the threshold on `{}`: {why}", metric.key))],
    };
    let registry = Registry::new();
    let is_builtin = registry.find(&selector.parent).is_some();
    let expressions = metric.value.as_array().into_iter().flatten().filter_map(|one| match one {
        Value::String(text) => Some(text),
        Value::Object(fields) => match fields.get("threshold") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    });
    let refused = expressions.filter_map(|text| {
        let def = ThresholdDef { expression: text.clone(), abort_on_fail: false, delay_abort_eval: None };
        let parsed = match is_builtin {
            true => threshold::check(&[(metric.key.clone(), vec![def])], &registry, false, &Logger::silent())
                .map(|_| ())
                .map_err(|failure| failure.message),
            false => Threshold::parse(&def, false).map(|_| ()),
        };
        parsed.err().map(|why| (metric.place, why))
    });
    refused.collect()
}
