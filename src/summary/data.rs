//! The argument of `handleSummary(data)`, in k6's shape.

use super::RenderOptions;
use super::tree::Tree;
use crate::metrics::groups::{self, CheckResult, GroupResult};
use crate::metrics::{MetricResult, MetricValues, Results};

/// Facts about the run that are no metrics.
#[derive(Clone, Debug, Default)]
pub struct SummaryFacts {
    /// Whether standard output is a terminal.
    pub stdout_is_tty: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_tty: bool,
    /// Whether `--no-color` was given; the terminal plays no part.
    pub no_color: bool,
    /// What `setup` returned; `None` if there was none or it failed.
    pub setup_data: Option<serde_json::Value>,
}

/// The data. Where there is no setup data the key is missing; k6 has it as `undefined`, which JSON can't say.
pub fn build(results: &Results, options: &RenderOptions, facts: &SummaryFacts) -> Tree {
    let stats = options.trend_stats.iter().map(|stat| Tree::from(stat.name.as_str())).collect();
    let mut data = vec![
        ("root_group".to_owned(), group(&results.root)),
        (
            "options".to_owned(),
            Tree::map([
                ("summaryTrendStats", stats),
                ("summaryTimeUnit", Tree::from(options.time_unit_name.as_str())),
                ("noColor", Tree::from(facts.no_color)),
            ]),
        ),
        (
            "state".to_owned(),
            Tree::map([
                ("isStdOutTTY", Tree::from(facts.stdout_is_tty)),
                ("isStdErrTTY", Tree::from(facts.stderr_is_tty)),
                ("testRunDurationMs", Tree::from(results.duration.as_secs_f64() * 1000.0)),
            ]),
        ),
        ("metrics".to_owned(), Tree::map(results.metrics.iter().map(|one| (&*one.name, metric(one, options))))),
    ];
    if let Some(setup) = &facts.setup_data {
        data.push(("setup_data".to_owned(), Tree::Json(setup.clone())));
    }
    Tree::Map(data)
}

/// The numbers of a metric under the names k6 gives them in this data.
pub(super) fn values(values: &MetricValues, options: &RenderOptions) -> Vec<(String, Tree)> {
    let named =
        |entries: &[(&str, Tree)]| entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    match values {
        MetricValues::Counter { count, rate } => named(&[("count", (*count).into()), ("rate", (*rate).into())]),
        MetricValues::Gauge { value, min, max } => {
            named(&[("value", (*value).into()), ("min", (*min).into()), ("max", (*max).into())])
        }
        MetricValues::Rate { rate, passes, fails } => {
            named(&[("rate", (*rate).into()), ("passes", (*passes).into()), ("fails", (*fails).into())])
        }
        MetricValues::Trend(trend) => {
            options.trend_stats.iter().map(|stat| (stat.name.clone(), stat.of(trend).into())).collect()
        }
    }
}

fn metric(metric: &MetricResult, options: &RenderOptions) -> Tree {
    let mut entries = vec![
        ("type".to_owned(), Tree::from(metric.values.kind().word())),
        ("contains".to_owned(), Tree::from(metric.contains.word())),
        ("values".to_owned(), Tree::Map(values(&metric.values, options))),
    ];
    if !metric.thresholds.is_empty() {
        let thresholds = metric.thresholds.iter();
        let thresholds = thresholds.map(|one| (one.def.expression.as_str(), Tree::map([("ok", Tree::from(one.ok))])));
        entries.push(("thresholds".to_owned(), Tree::map(thresholds)));
    }
    Tree::Map(entries)
}

fn group(group: &GroupResult) -> Tree {
    Tree::map([
        ("name", Tree::from(&*group.name)),
        ("path", Tree::from(&*group.path)),
        ("id", Tree::Text(groups::id(&group.path))),
        ("groups", group.groups.iter().map(self::group).collect()),
        ("checks", group.checks.iter().map(check).collect()),
    ])
}

pub(super) fn check(check: &CheckResult) -> Tree {
    Tree::map([
        ("name", Tree::from(&*check.name)),
        ("path", Tree::from(&*check.path)),
        ("id", Tree::Text(groups::id(&check.path))),
        ("passes", Tree::from(check.passes)),
        ("fails", Tree::from(check.fails)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Contains, MetricType, TrendStat};
    use crate::summary::Mode;
    use crate::summary::fixture::{RunFixture, sample_run};

    #[test]
    fn has_the_shape_and_numbers_of_k6() {
        let mut run = sample_run();
        let trend = run.declare("json_trend", MetricType::Trend, Contains::Default);
        [0.1, 0.2].iter().for_each(|value| run.sample(trend, *value, &[]));
        let facts = SummaryFacts { setup_data: Some(serde_json::json!({"x": 1})), ..SummaryFacts::default() };
        let data = build(&run.results(2_000_000_000, Mode::Compact), &RenderOptions::default(), &facts).to_value();
        let check = |path: &str, expect: serde_json::Value| assert_eq!(data.pointer(path), Some(&expect), "{path}");
        let keys: Vec<_> = data.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["root_group", "options", "state", "metrics", "setup_data"]);
        check("/options/summaryTrendStats", serde_json::json!(["avg", "min", "med", "max", "p(90)", "p(95)"]));
        check("/state", serde_json::json!({"isStdOutTTY": false, "isStdErrTTY": false, "testRunDurationMs": 2000}));
        check("/setup_data/x", 1.into());
        check(
            "/metrics/my_counter{a:b}",
            serde_json::json!({"type": "counter", "contains": "default", "values": {"count": 2, "rate": 1},
                "thresholds": {"count>0": {"ok": true}}}),
        );
        check("/metrics/checks/values", serde_json::json!({"rate": 5.0 / 7.0, "passes": 5, "fails": 2}));
        check("/metrics/checks/thresholds", serde_json::json!({"rate>0.9": {"ok": false}}));
        check("/metrics/my_gauge/values", serde_json::json!({"value": 5, "min": 5, "max": 5}));
        check(
            "/metrics/json_trend/values",
            serde_json::json!({"avg": 0.15000000000000002, "min": 0.1, "med": 0.15000000000000002, "max": 0.2,
                "p(90)": 0.19, "p(95)": 0.195}),
        );
        check("/root_group/id", "d41d8cd98f00b204e9800998ecf8427e".into());
        check("/root_group/checks/0/path", "::o ok".into());
        check(
            "/root_group/groups/0/checks/0",
            serde_json::json!({"name": "never", "path": "::g::never",
            "id": groups::id("::g::never"), "passes": 0, "fails": 2}),
        );
        assert_eq!(data.pointer("/metrics/vus"), None);
    }

    #[test]
    fn what_is_named_by_an_empty_list_shows_zeros() {
        let mut run = RunFixture::new();
        for (name, kind) in [
            ("cc", MetricType::Counter),
            ("gg", MetricType::Gauge),
            ("rr", MetricType::Rate),
            ("tt", MetricType::Trend),
        ] {
            run.declare(name, kind, Contains::Default);
            run.threshold(name, &[]);
        }
        let trend_stats = ["avg", "p(90)", "count"].map(|name| TrendStat::parse(name).unwrap()).to_vec();
        let options = RenderOptions { trend_stats, ..RenderOptions::default() };
        let data = build(&run.results(0, Mode::Compact), &options, &SummaryFacts::default()).to_value();
        let check = |name: &str, kind: &str, values: serde_json::Value| {
            assert_eq!(
                data["metrics"][name],
                serde_json::json!({"type": kind, "contains": "default", "values": values})
            );
        };
        check("cc", "counter", serde_json::json!({"count": 0, "rate": 0}));
        check("gg", "gauge", serde_json::json!({"value": 0, "min": 0, "max": 0}));
        check("rr", "rate", serde_json::json!({"rate": 0, "passes": 0, "fails": 0}));
        check("tt", "trend", serde_json::json!({"avg": 0, "p(90)": 0, "count": 0}));
    }

    #[test]
    fn infinite_values_reach_the_script() {
        let mut run = RunFixture::new();
        let gauge = run.declare("inf", MetricType::Gauge, Contains::Default);
        run.sample(gauge, f64::NEG_INFINITY, &[]);
        let data = build(&run.results(0, Mode::Compact), &RenderOptions::default(), &SummaryFacts::default());
        assert!(data.for_script().contains(r#""values":{"value":-1e999,"min":-1e999,"max":-1e999}"#));
    }
}
