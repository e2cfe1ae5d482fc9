//! Prometheus after a run: range queries over the time of the run. Nothing is asked while it goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::super::web;
use super::{Collected, CollectedSeries};

/// Asks all queries; at most 20 series of each.
pub(super) async fn collect(
    url: &str,
    queries: &BTreeMap<String, String>,
    from: f64,
    to: f64,
    every: Duration,
) -> Collected {
    let mut collected = Collected { collector: "prometheus".to_owned(), ..Collected::default() };
    let client = match web::client() {
        Ok(client) => client,
        Err(why) => {
            collected.fail(why);
            return collected;
        }
    };
    // Prometheus gives no more than 11,000 points.
    let step = every.as_secs_f64().max(1.0).max((to - from) / 1e3 / 10_000.0);
    for (name, query) in queries {
        let range = [
            ("query", query.clone()),
            ("start", format!("{:.3}", from / 1e3)),
            ("end", format!("{:.3}", to / 1e3)),
            ("step", format!("{step:.3}")),
        ];
        match web::prometheus(&client, url, "query_range", &range).await {
            Ok(answer) => read(name, &answer, &mut collected),
            Err(why) => collected.fail(format!("query `{name}`: {why}")),
        }
    }
    collected
}

pub(in super::super) fn read(name: &str, answer: &Value, collected: &mut Collected) {
    let list = answer.pointer("/data/result").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (place, one) in list.iter().take(20).enumerate() {
        let labels = one["metric"].as_object().map(|labels| {
            let shown = labels.iter().filter(|(key, _)| !["__name__", "instance", "job"].contains(&key.as_str()));
            shown.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect::<Vec<_>>()
        });
        let labels = labels.unwrap_or_default().join(",");
        // One series has the query's name; of several, each has its labels too.
        let full = match (list.len(), labels.is_empty()) {
            (1, _) => name.to_owned(),
            (_, false) => format!("{name}{{{labels}}}"),
            (_, true) => format!("{name}{{{place}}}"),
        };
        let mut series =
            CollectedSeries { panel: name.to_owned(), unit: "default".to_owned(), ..CollectedSeries::default() };
        for pair in one["values"].as_array().into_iter().flatten() {
            let value = pair[1].as_str().and_then(|text| text.parse::<f64>().ok()).filter(|value| value.is_finite());
            if let Some((time, value)) = pair[0].as_f64().zip(value) {
                series.times.push(time * 1e3);
                series.values.push(value);
            }
        }
        collected.series.insert(full, series);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_named_after_their_query() {
        let mut collected = Collected::default();
        let one = serde_json::json!({"data": {"result": [{"metric": {"job": "x"}, "values": [[1, "2"], [2, "NaN"]]}]}});
        read("up", &one, &mut collected);
        assert_eq!((&*collected.series["up"].times, &*collected.series["up"].values), (&[1000.0][..], &[2.0][..]));
        let two = serde_json::json!({"data": {"result": [{"metric": {"route": "a"}, "values": []}, {"metric": {}, "values": []}]}});
        read("d", &two, &mut collected);
        assert!(collected.series.contains_key("d{route=a}") && collected.series.contains_key("d{1}"));
    }
}
