//! The JSON documents of the API, in the shapes k6 gives them.

use serde_json::{Map, Value, json};

use super::RunCondition;
use crate::metrics::groups::{self, GroupResult};
use crate::metrics::{MetricResult, MetricValues, Results};

/// The document of an error.
pub fn error(status: u16, title: &str, detail: &str) -> Value {
    json!({"errors": [{"status": status.to_string(), "title": title, "detail": detail}]})
}

/// How the run is doing.
pub fn status(now: &RunCondition) -> Value {
    json!({"data": {"type": "status", "id": "default", "attributes": {
        "status": now.status as u8,
        "paused": now.is_paused,
        "vus": now.vus,
        "vus-max": now.vus_max,
        "stopped": now.is_stopped,
        "running": now.is_running,
        "tainted": now.is_tainted,
    }}})
}

/// Every metric with samples or thresholds.
pub fn metrics(results: &Results) -> Value {
    json!({"data": results.metrics.iter().map(metric_data).collect::<Vec<_>>()})
}

/// One metric or sub-metric.
pub fn metric(result: &MetricResult) -> Value {
    json!({"data": metric_data(result)})
}

fn metric_data(result: &MetricResult) -> Value {
    // A metric without thresholds was not judged, nor one whose thresholds wait for their first evaluation.
    let is_judged = result.thresholds.iter().any(|threshold| threshold.is_judged);
    let tainted = is_judged.then(|| result.thresholds.iter().any(|threshold| !threshold.ok));
    json!({"type": "metrics", "id": &*result.name, "attributes": {
        "type": result.values.kind().word(),
        "contains": result.contains.word(),
        "tainted": tainted,
        "sample": sample(&result.values),
    }})
}

/// The figures of a metric; those of a trend are always the same six.
fn sample(values: &MetricValues) -> Value {
    match values {
        MetricValues::Counter { count, rate } => json!({"count": number(*count), "rate": number(*rate)}),
        MetricValues::Gauge { value, .. } => json!({"value": number(*value)}),
        MetricValues::Rate { rate, .. } => json!({"rate": number(*rate)}),
        MetricValues::Trend(trend) => json!({
            "avg": number(trend.avg()),
            "max": number(trend.max()),
            "med": number(trend.percentile(50.0)),
            "min": number(trend.min()),
            "p(90)": number(trend.percentile(90.0)),
            "p(95)": number(trend.percentile(95.0)),
        }),
    }
}

/// As Go writes numbers: whole ones without a point.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT { json!(value as i64) } else { json!(value) }
}

/// All groups, the root first, each before those inside it.
pub fn groups(root: &GroupResult) -> Value {
    let mut data = Vec::new();
    walk(root, None, &mut |group, parent| data.push(group_data(group, parent)));
    json!({"data": data})
}

/// The group with this id.
pub fn group(root: &GroupResult, id: &str) -> Option<Value> {
    let mut found = None;
    walk(root, None, &mut |group, parent| {
        if groups::id(&group.path) == id {
            found = Some(json!({"data": group_data(group, parent)}));
        }
    });
    found
}

fn walk(group: &GroupResult, parent: Option<&GroupResult>, see: &mut impl FnMut(&GroupResult, Option<&GroupResult>)) {
    see(group, parent);
    for inner in &group.groups {
        walk(inner, Some(group), see);
    }
}

fn group_data(group: &GroupResult, parent: Option<&GroupResult>) -> Value {
    let reference = |group: &GroupResult| json!({"type": "groups", "id": groups::id(&group.path)});
    let checks: Vec<Value> = group
        .checks
        .iter()
        .map(|check| {
            let id = groups::id(&check.path);
            json!({
                "id": id, "path": &*check.path, "name": &*check.name, "passes": check.passes, "fails": check.fails,
            })
        })
        .collect();
    json!({"type": "groups", "id": groups::id(&group.path), "attributes": {
        "path": &*group.path,
        "name": &*group.name,
        "checks": if checks.is_empty() { Value::Null } else { checks.into() },
    }, "relationships": {
        "groups": {"data": group.groups.iter().map(reference).collect::<Vec<_>>()},
        "parent": {"data": parent.map(reference)},
    }})
}

/// What `setup()` returned; without data, or with `null`, there is no attribute.
pub fn setup(data: Option<&str>) -> Value {
    let data = data.and_then(|json| serde_json::from_str::<Value>(json).ok()).filter(|data| !data.is_null());
    let attributes = data.map_or_else(|| Value::Object(Map::new()), |data| json!({"data": data}));
    json!({"data": {"type": "setupData", "id": "default", "attributes": attributes}})
}
