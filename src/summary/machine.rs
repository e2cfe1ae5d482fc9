//! The shape of `--new-machine-readable-summary`, which replaces both the data of `handleSummary` and the export.
//!
//! Ours beside k6's: a trend whose percentiles come from a histogram says `"exact": false`.

use jiff::Timestamp;

use super::tree::Tree;
use super::{RenderOptions, is_hidden};
use crate::metrics::results::checks_total;
use crate::metrics::{MetricResult, MetricValues, Results};

/// Facts about the run that are no metrics.
#[derive(Clone, Debug, Default)]
pub struct MachineFacts {
    /// The source of the script.
    pub script: String,
    /// When the summary was made.
    pub generated_at: Timestamp,
    /// The version of k6 that this shape is of.
    pub k6_version: String,
}

/// The data.
pub fn build(results: &Results, options: &RenderOptions, facts: &MachineFacts) -> Tree {
    let shown = results.metrics.iter().filter(|one| !is_hidden(&one.parent, options.mode));
    Tree::map([
        (
            "config",
            Tree::map([
                ("duration", Tree::from(results.duration.as_secs_f64())),
                ("execution", Tree::from("local")),
                ("script", Tree::from(facts.script.as_str())),
            ]),
        ),
        (
            "metadata",
            Tree::map([
                ("generated_at", Tree::Text(facts.generated_at.to_string())),
                ("k6_version", Tree::from(facts.k6_version.as_str())),
            ]),
        ),
        (
            "results",
            Tree::map([("checks", checks(results)), ("metrics", shown.map(|one| metric(one, options)).collect())]),
        ),
        ("version", Tree::from("1.0.0")),
    ])
}

fn checks(results: &Results) -> Tree {
    let Some((passes, fails)) = checks_total(&results.metrics) else {
        // Nothing was checked, and no threshold asks for it.
        return Tree::map([("metrics", Tree::List(Vec::new())), ("results", Tree::List(Vec::new()))]);
    };
    let total = passes + fails;
    let entry = |name: &str, kind: &str, values: Tree| {
        let (contains, name, kind) = (Tree::from("default"), Tree::from(name), Tree::from(kind));
        Tree::map([("contains", contains), ("name", name), ("type", kind), ("values", values)])
    };
    let rate = |matches: u64| {
        let rate = if total == 0 { 0.0 } else { matches as f64 / total as f64 };
        Tree::map([("matches", matches.into()), ("rate", rate.into()), ("total", total.into())])
    };
    let metrics = [
        entry("checks_total", "counter", Tree::map([("count", total.into())])),
        entry("checks_failed", "rate", rate(fails)),
        entry("checks_succeeded", "rate", rate(passes)),
    ];
    let each = results.checks.iter().map(|check| {
        let (fails, passes) = (check.fails.into(), check.passes.into());
        Tree::map([("fails", fails), ("name", Tree::from(&*check.name)), ("passes", passes)])
    });
    Tree::map([("metrics", metrics.into_iter().collect()), ("results", each.collect())])
}

fn metric(metric: &MetricResult, options: &RenderOptions) -> Tree {
    let values = match &metric.values {
        MetricValues::Counter { count, .. } => Tree::map([("count", (*count).into())]),
        MetricValues::Gauge { value, min, max } => {
            Tree::map([("max", (*max).into()), ("min", (*min).into()), ("value", (*value).into())])
        }
        MetricValues::Rate { rate, passes, fails } => {
            Tree::map([("matches", (*passes).into()), ("rate", (*rate).into()), ("total", (passes + fails).into())])
        }
        MetricValues::Trend(trend) => {
            let keys =
                [("avg", "avg"), ("max", "max"), ("med", "med"), ("min", "min"), ("p90", "p(90)"), ("p95", "p(95)")];
            Tree::map(keys.map(|(key, name)| {
                let stat = options.trend_stats.iter().find(|stat| stat.name == name);
                (key, stat.map_or(Tree::Null, |stat| stat.of(trend).into()))
            }))
        }
    };
    let mut entries = vec![
        ("contains".to_owned(), Tree::from(metric.contains.word())),
        ("name".to_owned(), Tree::from(&*metric.name)),
        ("type".to_owned(), Tree::from(metric.values.kind().word())),
        ("values".to_owned(), values),
    ];
    if matches!(&metric.values, MetricValues::Trend(trend) if !trend.is_exact()) {
        entries.push(("exact".to_owned(), false.into()));
    }
    Tree::Map(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::TrendStat;
    use crate::summary::Mode;
    use crate::summary::fixture::sample_run;

    #[test]
    fn has_the_shape_of_k6() {
        let generated_at = Timestamp::from_nanosecond(1_795_420_313_470_431_091).unwrap();
        let facts = MachineFacts { script: "// script".to_owned(), generated_at, k6_version: "2.3.0".to_owned() };
        let trend_stats = ["avg", "p(99)", "p(90)"].map(|name| TrendStat::parse(name).unwrap()).to_vec();
        let options = RenderOptions { trend_stats, ..RenderOptions::default() };
        let data = build(&sample_run().results(77_687_193, Mode::Compact), &options, &facts).to_value();
        let check = |path: &str, expect: serde_json::Value| assert_eq!(data.pointer(path), Some(&expect), "{path}");
        check("/config", serde_json::json!({"duration": 0.077687193, "execution": "local", "script": "// script"}));
        check(
            "/metadata",
            serde_json::json!({"generated_at": "2026-11-23T07:51:53.470431091Z", "k6_version": "2.3.0"}),
        );
        check("/version", "1.0.0".into());
        check(
            "/results/checks/metrics",
            serde_json::json!([
                {"contains": "default", "name": "checks_total", "type": "counter", "values": {"count": 7}},
                {"contains": "default", "name": "checks_failed", "type": "rate",
                    "values": {"matches": 2, "rate": 2.0 / 7.0, "total": 7}},
                {"contains": "default", "name": "checks_succeeded", "type": "rate",
                    "values": {"matches": 5, "rate": 5.0 / 7.0, "total": 7}},
            ]),
        );
        check("/results/checks/results/2", serde_json::json!({"fails": 2, "name": "never", "passes": 0}));
        let metrics = data.pointer("/results/metrics").unwrap().as_array().unwrap();
        let names: Vec<_> = metrics.iter().filter_map(|metric| metric["name"].as_str()).collect();
        assert_eq!(
            names,
            [
                "data_received",
                "data_sent",
                "http_req_duration",
                "http_req_duration{expected_response:true}",
                "http_req_duration{status:200}",
                "http_req_failed",
                "http_reqs",
                "iteration_duration",
                "iterations",
                "my_counter",
                "my_counter{a:b}",
                "my_gauge",
                "my_rate",
                "my_time",
                "my_trend",
            ]
        );
        let values = |name: &str| &metrics.iter().find(|metric| metric["name"] == name).unwrap()["values"];
        assert_eq!(*values("my_rate"), serde_json::json!({"matches": 2, "rate": 0.5, "total": 4}));
        assert_eq!(*values("my_counter{a:b}"), serde_json::json!({"count": 2}));
        assert_eq!(
            *values("my_trend"),
            serde_json::json!({"avg": 2.25, "max": null, "med": null, "min": null, "p90": 3, "p95": null})
        );
    }
}
