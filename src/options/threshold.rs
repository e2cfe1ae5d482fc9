//! Thresholds as typed: which expressions judge which metric. The expressions themselves are read by `metrics`.

use serde_json::{Map, Value, json};

use super::Compat;
use super::value::{OptionValue, array, invalid, wrong_kind};
use crate::failure::Failure;
pub use crate::metrics::threshold::ThresholdDef;
use crate::units::Span;
use crate::units::nearest::nearest;

fn read(value: &Value, compat: &mut Compat) -> Result<ThresholdDef, Failure> {
    let plain = |expression: &str| ThresholdDef {
        expression: expression.to_owned(),
        abort_on_fail: false,
        delay_abort_eval: None,
    };
    if let Value::String(expression) = value {
        return Ok(plain(expression));
    }
    let object = value.as_object().ok_or_else(|| wrong_kind(value, "thresholds", "metrics.thresholdConfig"))?;
    let mut threshold = plain("");
    for (name, item) in object.iter().filter(|(_, item)| !item.is_null()) {
        match name.to_ascii_lowercase().as_str() {
            "threshold" => {
                let text = item.as_str().ok_or_else(|| wrong_kind(item, "thresholds.threshold", "string"))?;
                text.clone_into(&mut threshold.expression);
            }
            "abortonfail" => {
                let flag = item.as_bool().ok_or_else(|| wrong_kind(item, "thresholds.abortOnFail", "bool"))?;
                threshold.abort_on_fail = flag;
            }
            "delayaborteval" => threshold.delay_abort_eval = Some(Span::from_json(item, name, compat)?),
            // k6 ignores other keys here.
            _ => {
                if let Some(near) = nearest(name, ["threshold", "abortOnFail", "delayAbortEval"]) {
                    compat.warn(format!("`thresholds`: a threshold has no `{name}`, did you mean `{near}`?"));
                }
            }
        }
    }
    Ok(threshold)
}

fn to_json(def: &ThresholdDef) -> Value {
    if !def.abort_on_fail {
        return Value::from(def.expression.as_str());
    }
    let delay = def.delay_abort_eval.map(|span| span.to_string());
    json!({"threshold": def.expression, "abortOnFail": true, "delayAbortEval": delay})
}

/// Metrics and their thresholds, in the order written; an empty list only makes the sub-metric exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds(pub Vec<(String, Vec<ThresholdDef>)>);

impl OptionValue for Thresholds {
    const GO_TYPE: &'static str = "metrics.Thresholds";

    fn from_json(value: &Value, key: &str, compat: &mut Compat) -> Result<Self, Failure> {
        let object = value.as_object().ok_or_else(|| wrong_kind(value, key, "map[string]metrics.Thresholds"))?;
        let mut thresholds = Vec::new();
        for (metric, items) in object {
            let items: &[Value] = if items.is_null() { &[] } else { array(items, key, "[]metrics.thresholdConfig")? };
            let read = items.iter().map(|item| read(item, compat)).collect::<Result<_, _>>()?;
            thresholds.push((metric.clone(), read));
        }
        Ok(Self(thresholds))
    }

    fn from_env(_text: &str, _notes: &mut Compat) -> Result<Option<Self>, String> {
        Err(invalid("thresholds can't be given this way; set them in the script or the config file").message)
    }

    fn to_json(&self) -> Value {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let entries = sorted.into_iter().map(|(metric, list)| (metric.clone(), list.iter().map(to_json).collect()));
        Value::Object(entries.collect::<Map<_, _>>())
    }
}
