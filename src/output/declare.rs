//! The declaration of a metric before its first sample: name, type, thresholds, sub-metrics.

use super::OutputContext;
use crate::metrics::{Metric, ThresholdDef};
use crate::units::quote::json_quote;

/// The line that declares a metric in the JSON output.
pub fn metric_line(metric: &Metric, context: &OutputContext) -> String {
    let mut name = String::new();
    json_quote(&metric.name, &mut name);
    let thresholds = context.thresholds.iter().filter(|(of, _)| **of == *metric.name).flat_map(|(_, list)| list);
    let thresholds: Vec<String> = thresholds.map(threshold).collect();
    let submetrics = context.submetrics.iter().filter(|(of, _)| *of == metric.id).filter_map(|(_, selector)| {
        let filter = selector.filter.as_ref()?;
        let mut text = "{\"name\":".to_owned();
        json_quote(&selector.name, &mut text);
        text.push_str(",\"suffix\":");
        json_quote(&filter.suffix, &mut text);
        text.push_str(",\"tags\":{");
        for (place, (key, value)) in filter.tags.iter().enumerate() {
            text.push_str(if place > 0 { "," } else { "" });
            json_quote(key, &mut text);
            text.push(':');
            json_quote(value, &mut text);
        }
        text.push_str("}}");
        Some(text)
    });
    let submetrics: Vec<String> = submetrics.collect();
    let submetrics = if submetrics.is_empty() { "null".to_owned() } else { format!("[{}]", submetrics.join(",")) };
    format!(
        "{{\"type\":\"Metric\",\"data\":{{\"name\":{name},\"type\":\"{}\",\"contains\":\"{}\",\"thresholds\":[{}],\
         \"submetrics\":{submetrics}}},\"metric\":{name}}}\n",
        metric.kind.word(),
        metric.contains.word(),
        thresholds.join(","),
    )
}

/// The text alone, or an object when the threshold may end the run.
fn threshold(def: &ThresholdDef) -> String {
    let mut text = String::new();
    json_quote(&def.expression, &mut text);
    if !def.abort_on_fail && def.delay_abort_eval.is_none() {
        return text;
    }
    let delay = def.delay_abort_eval.map_or("null".to_owned(), |delay| format!("\"{delay}\""));
    format!("{{\"threshold\":{text},\"abortOnFail\":{},\"delayAbortEval\":{delay}}}", def.abort_on_fail)
}
