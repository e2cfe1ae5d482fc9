//! The file of `--summary-export`: k6's shape, with additions of ours in places where k6 has nothing.
//!
//! Added per metric: `values` (the numbers under the names of `handleSummary`, for trends with `mean`, `p95`, `p99`,
//! `count`, and whether percentiles are `exact`) and, on counters, `value`. In `thresholds`, `true` means crossed.

use super::RenderOptions;
use super::data::{self, SummaryFacts};
use super::tree::Tree;
use crate::metrics::groups::{self, GroupResult};
use crate::metrics::{MetricResult, MetricValues, Results};

/// The text of the file, indented by 4.
pub fn text(results: &Results, options: &RenderOptions, facts: &SummaryFacts) -> String {
    build(results, options, facts).for_file(4)
}

/// The data of the file.
pub fn build(results: &Results, options: &RenderOptions, facts: &SummaryFacts) -> Tree {
    let metrics = Tree::map(results.metrics.iter().map(|one| (&*one.name, metric(one, options))));
    let mut entries = vec![("root_group".to_owned(), group(&results.root)), ("metrics".to_owned(), metrics)];
    if let Some(setup) = &facts.setup_data {
        entries.push(("setup_data".to_owned(), Tree::Json(setup.clone())));
    }
    Tree::Map(entries)
}

/// What the file has and the data of `handleSummary` has not, by metric: `beside` its `values`, and `within` them.
pub fn aliases(results: &Results, options: &RenderOptions) -> Tree {
    Tree::map(results.metrics.iter().map(|metric| {
        let named = data::values(&metric.values, options);
        let known = named.len();
        let within = with_aliases(named, &metric.values).into_iter().skip(known).filter(|(key, _)| key != "exact");
        let aliases = [("beside", Tree::Map(figures(metric, options))), ("within", Tree::Map(within.collect()))];
        (&*metric.name, Tree::map(aliases))
    }))
}

/// The numbers of a metric as k6's export names them, and `value` of a counter.
fn figures(metric: &MetricResult, options: &RenderOptions) -> Vec<(String, Tree)> {
    let mut figures = data::values(&metric.values, options);
    match &metric.values {
        MetricValues::Counter { count, .. } => figures.push(("value".to_owned(), (*count).into())),
        MetricValues::Rate { .. } => {
            figures.iter_mut().filter(|(key, _)| key == "rate").for_each(|(key, _)| *key = "value".into())
        }
        MetricValues::Gauge { .. } | MetricValues::Trend(_) => (),
    }
    figures
}

fn metric(metric: &MetricResult, options: &RenderOptions) -> Tree {
    let mut entries = figures(metric, options);
    if !metric.thresholds.is_empty() {
        let thresholds = metric.thresholds.iter().map(|one| (one.def.expression.as_str(), Tree::from(!one.ok)));
        entries.push(("thresholds".to_owned(), Tree::map(thresholds)));
    }
    let named = data::values(&metric.values, options);
    entries.push(("values".to_owned(), Tree::Map(with_aliases(named, &metric.values))));
    Tree::Map(entries)
}

fn with_aliases(mut named: Vec<(String, Tree)>, values: &MetricValues) -> Vec<(String, Tree)> {
    if let MetricValues::Trend(trend) = values {
        let aliases = [
            ("mean", trend.avg().into()),
            ("p95", trend.percentile(95.0).into()),
            ("p99", trend.percentile(99.0).into()),
            ("count", trend.count().into()),
            ("exact", trend.is_exact().into()),
        ];
        for (key, value) in aliases {
            if !named.iter().any(|(known, _)| known == key) {
                named.push((key.to_owned(), value));
            }
        }
    }
    named
}

fn group(group: &GroupResult) -> Tree {
    Tree::map([
        ("name", Tree::from(&*group.name)),
        ("path", Tree::from(&*group.path)),
        ("id", Tree::Text(groups::id(&group.path))),
        ("groups", Tree::map(group.groups.iter().map(|inner| (&*inner.name, self::group(inner))))),
        ("checks", Tree::map(group.checks.iter().map(|check| (&*check.name, data::check(check))))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::trend::EXACT_LIMIT;
    use crate::metrics::{Contains, MetricType};
    use crate::summary::Mode;
    use crate::summary::fixture::{RunFixture, sample_run};

    #[test]
    fn has_the_shape_of_k6_and_our_additions() {
        let export = build(
            &sample_run().results(2_000_000_000, Mode::Compact),
            &RenderOptions::default(),
            &SummaryFacts::default(),
        );
        assert!(export.for_file(4).starts_with("{\n    \"root_group\": {\n        \"name\": \"\""));
        let export = export.to_value();
        let check = |path: &str, expect: serde_json::Value| assert_eq!(export.pointer(path), Some(&expect), "{path}");
        check(
            "/metrics/checks",
            serde_json::json!({"value": 5.0 / 7.0, "passes": 5, "fails": 2, "thresholds": {"rate>0.9": true},
                "values": {"rate": 5.0 / 7.0, "passes": 5, "fails": 2}}),
        );
        check(
            "/metrics/my_counter",
            serde_json::json!({"count": 4, "rate": 2, "value": 4, "values": {"count": 4, "rate": 2}}),
        );
        check("/metrics/http_req_duration/thresholds", serde_json::json!({"p(95)<1000": false, "avg<0.0001": true}));
        check(
            "/metrics/my_time",
            serde_json::json!({"avg": 1234, "min": 1234, "med": 1234, "max": 1234, "p(90)": 1234, "p(95)": 1234,
                "values": {"avg": 1234, "min": 1234, "med": 1234, "max": 1234, "p(90)": 1234, "p(95)": 1234,
                    "mean": 1234, "p95": 1234, "p99": 1234, "count": 1, "exact": true}}),
        );
        check("/root_group/groups/g/checks/never/fails", 2.into());
        check("/root_group/checks/in/passes", 2.into());
        assert_eq!(export.pointer("/setup_data"), None);
    }

    #[test]
    fn tells_when_percentiles_come_from_a_histogram() {
        let mut run = RunFixture::new();
        let trend = run.declare("long", MetricType::Trend, Contains::Default);
        (0..=EXACT_LIMIT).for_each(|value| run.sample(trend, value as f64, &[]));
        let export =
            build(&run.results(0, Mode::Compact), &RenderOptions::default(), &SummaryFacts::default()).to_value();
        assert_eq!(export.pointer("/metrics/long/values/exact"), Some(&false.into()));
    }
}
