//! How `inspect` prints options: indented by two, in k6's order, without a line end.

use serde_json::{Map, Value, json};

use crate::metrics::Metric;
use crate::options::{Options, ResolvedOptions};
use crate::units::Span;

/// The script's own options, nothing derived.
pub fn plain(script: &Options) -> String {
    text(script.to_json())
}

/// All options resolved, with the longest duration and the most VUs of this share, and with metrics if there are any to
/// tell.
pub fn with_requirements(settled: &ResolvedOptions, metrics: Option<&[Metric]>) -> String {
    let mut map = settled.options.with_defaults().to_json();
    map.insert("totalDuration".to_owned(), Span::from(settled.plan.max_duration()).to_string().into());
    map.insert("maxVUs".to_owned(), json!(settled.plan.max_vus()));
    if let Some(metrics) = metrics {
        let metric = |metric: &Metric| json!({"name": &*metric.name, "type": metric.kind.word()});
        map.insert("metrics".to_owned(), metrics.iter().map(metric).collect());
    }
    text(map)
}

fn text(map: Map<String, Value>) -> String {
    let text = serde_json::to_string_pretty(&Value::Object(map)).unwrap_or_default();
    // As k6's JSON library does it, so that the text may stand in a web page. These signs occur in strings only.
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            sign => escaped.push(sign),
        }
    }
    escaped
}
