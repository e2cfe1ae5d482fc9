//! Our own summary as one JSON document: the file of `--summary-json`, and all that the report page is made from.
//!
//! The shape is described in `README.md` beside this file; a change that breaks a reader raises [`VERSION`]. Numbers
//! stand there twice: as they are, and as `text` for people ([`figure`]), so that no reader has to round.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::headline::{MAX_FAILED, failed_shares, headline};
use super::pages::{self, FailedAction};
use super::tree::Tree;
use super::{RenderOptions, distribution, threshold_figures, timeline};
use crate::metrics::endpoint::{Endpoint, ErrorGroup};
use crate::metrics::groups::{CheckResult, GroupResult};
use crate::metrics::results::checks_total;
use crate::metrics::sink::{RateSink, Sink};
use crate::metrics::sketch::QuantileSketch;
use crate::metrics::timeline::Timeline;
use crate::metrics::trend::Trend;
use crate::metrics::{Contains, HealthFigures, MetricResult, MetricValues, Results, Section, TrendStat};
use crate::units::figure::{self, Unit};

/// The version of the shape.
pub const VERSION: u64 = 1;

/// Figures of trends that are there whatever was asked for.
const ALWAYS: [&str; 9] = ["count", "avg", "min", "med", "max", "p(90)", "p(95)", "p(99)", "p(99.9)"];

/// Facts about the run that are no metrics.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// The script as typed.
    pub script: String,
    /// The JavaScript engine.
    pub engine: String,
    /// The version of this program.
    pub version: String,
    /// The version of k6 it behaves as.
    pub k6_version: String,
    /// When the run began.
    pub started: Timestamp,
    /// The planned end, graceful stop included, in seconds from the start.
    pub planned: f64,
    /// How long scenarios are planned to take, without their graceful stop, in seconds; nothing for ever.
    pub duration: Option<f64>,
    /// The duration is only a limit, as all scenarios count iterations.
    pub has_limit_only: bool,
    /// VUs at work now.
    pub active_vus: u64,
    /// The most VUs there may be.
    pub max_vus: u64,
    /// Name, executor and plan of each scenario.
    pub scenarios: Vec<[String; 3]>,
    /// Which part of the test it was, as in `0:1/2`; empty while the run goes on.
    pub segment: String,
    /// What all parts of one test have in common: a hash of its files and options.
    pub test: String,
    /// Of a merge: what is missing of the test, or counted twice.
    pub incomplete: Option<String>,
    /// The thresholds are judged.
    pub judges: bool,
    /// Actions on pages that failed.
    pub failed_actions: Vec<FailedAction>,
    /// How the run ended; nothing while it goes on.
    pub end: Option<RunEnd>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// The exit code of the process.
    pub code: u8,
    /// Why it is not 0.
    pub reason: Option<String>,
}

/// The document. Histograms make it mergeable and ten times as long; a page needs none.
pub fn build(results: &Results, options: &RenderOptions, facts: &RunFacts, has_histograms: bool) -> Tree {
    let writer = Writer { options, has_histograms };
    let width = results.breakdown.as_ref().map_or(0, |breakdown| breakdown.endpoint_width);
    let breakdown = results.breakdown.as_ref();
    let endpoints = breakdown.map(|breakdown| &*breakdown.endpoints).unwrap_or_default();
    let seconds = results.duration.as_secs_f64();
    Tree::map([
        ("format", Tree::from("volley-summary")),
        ("version", VERSION.into()),
        ("generator", generator(facts)),
        ("run", run(results, options, facts)),
        ("verdict", verdict(results, facts)),
        ("thresholds", writer.thresholds(results)),
        ("checks", checks(&results.metrics, &results.checks, seconds)),
        ("metrics", results.metrics.iter().map(|metric| writer.metric(metric)).collect()),
        ("groups", results.groups.iter().map(|group| writer.section(group, seconds)).collect()),
        ("scenarios", results.scenarios.iter().map(|scenario| writer.section(scenario, seconds)).collect()),
        ("group_tree", tree(&results.root)),
        ("pages", pages::build(results, &facts.failed_actions, !has_histograms)),
        ("endpoints", endpoints.iter().map(|endpoint| writer.endpoint(endpoint, seconds, width)).collect()),
        ("errors", errors(breakdown.map(|breakdown| &*breakdown.errors).unwrap_or_default())),
        ("health", health(&results.health)),
        (
            "timeline",
            breakdown.map_or(Tree::Null, |breakdown| timeline::build(&breakdown.timeline, seconds, has_histograms)),
        ),
    ])
}

/// What a merge has beside its results.
#[derive(Clone, Debug, Default)]
pub struct MergeFacts {
    /// Endpoints of all parts.
    pub endpoints: Vec<Endpoint>,
    /// How long an interval of their series is, in nanoseconds.
    pub endpoint_width: u64,
    /// The run over time, where all parts say enough of it.
    pub timeline: Option<Timeline>,
    /// Errors of all parts, the most frequent first.
    pub errors: Vec<ErrorGroup>,
    /// How the generators did: as a document says it.
    pub health: serde_json::Value,
    /// What was merged, in order: a list.
    pub parts: serde_json::Value,
}

/// The document of several runs that were parts of one test.
pub fn build_merged(
    results: &Results,
    options: &RenderOptions,
    facts: &RunFacts,
    merge: &MergeFacts,
    has_histograms: bool,
) -> Tree {
    let writer = Writer { options, has_histograms };
    let seconds = results.duration.as_secs_f64();
    let mut document = build(results, options, facts, has_histograms);
    let own = [
        ("endpoints", merge.endpoints.iter().map(|one| writer.endpoint(one, seconds, merge.endpoint_width)).collect()),
        (
            "timeline",
            merge.timeline.as_ref().map_or(Tree::Null, |whole| timeline::build(whole, seconds, has_histograms)),
        ),
        ("errors", errors(&merge.errors)),
        ("health", Tree::Json(merge.health.clone())),
        ("parts", Tree::Json(merge.parts.clone())),
    ];
    // For the page; whoever reads the file has the parts.
    let lists = (!has_histograms).then(|| ("lists", [instances(&merge.parts)].into_iter().collect()));
    if let Tree::Map(entries) = &mut document {
        for (key, value) in own.into_iter().chain(lists) {
            match entries.iter_mut().find(|(known, _)| known == key) {
                Some((_, known)) => *known = value,
                None => entries.push((key.to_owned(), value)),
            }
        }
    }
    document
}

/// How each instance of a merge did, as a table of texts.
fn instances(parts: &serde_json::Value) -> Tree {
    let texts = |texts: &[&str]| texts.iter().map(|text| Tree::from(*text)).collect::<Tree>();
    let rows = parts.as_array().into_iter().flatten().map(|part| {
        let health = &part["health"];
        let figure =
            |value: &serde_json::Value, unit| value.as_f64().map_or_else(String::new, |at| figure::text(at, unit));
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let cells = [
            text(&part["file"]),
            text(&part["segment"]),
            part["exit_code"].to_string(),
            figure(&health["lag_ms"]["p(90)"], Unit::Time),
            figure(&health["network_lag_ms"]["p(90)"], Unit::Time),
            figure(&health["cpu"]["share"], Unit::Share),
            text(&health["complaint"]),
        ];
        cells.map(Tree::Text).into_iter().collect::<Tree>()
    });
    Tree::map([
        ("title", Tree::from("Instances")),
        ("note", Tree::from("What each instance ran, and how late its own timers were.")),
        ("columns", texts(&["File", "Segment", "Exit code", "Lag p(90)", "Network lag p(90)", "CPU", "Complaint"])),
        ("rows", rows.collect()),
        ("is_code", true.into()),
    ])
}

fn generator(facts: &RunFacts) -> Tree {
    Tree::map([
        ("name", Tree::from("volley")),
        ("version", Tree::from(facts.version.as_str())),
        ("k6_version", Tree::from(facts.k6_version.as_str())),
        ("engine", Tree::from(facts.engine.as_str())),
    ])
}

fn run(results: &Results, options: &RenderOptions, facts: &RunFacts) -> Tree {
    let scenarios = facts.scenarios.iter().map(|[name, executor, plan]| {
        let (name, executor, plan) = (name.as_str(), executor.as_str(), plan.as_str());
        Tree::map([("name", Tree::from(name)), ("executor", executor.into()), ("plan", plan.into())])
    });
    Tree::map([
        ("script", Tree::from(facts.script.as_str())),
        ("started", Tree::Text(facts.started.to_string())),
        ("seconds", results.duration.as_secs_f64().into()),
        ("planned_seconds", facts.planned.into()),
        ("duration_seconds", facts.duration.map_or(Tree::Null, Tree::from)),
        ("has_limit_only", facts.has_limit_only.into()),
        ("segment", known(&facts.segment)),
        ("test", known(&facts.test)),
        ("incomplete", facts.incomplete.as_deref().map_or(Tree::Null, Tree::from)),
        ("max_vus", facts.max_vus.into()),
        ("active_vus", facts.active_vus.into()),
        ("is_over", facts.end.is_some().into()),
        ("trend_stats", options.trend_stats.iter().map(|stat| Tree::from(stat.name.as_str())).collect()),
        ("time_unit", Tree::from(options.time_unit_name.as_str())),
        ("scenarios", scenarios.collect()),
    ])
}

fn known(text: &str) -> Tree {
    if text.is_empty() { Tree::Null } else { Tree::from(text) }
}

fn verdict(results: &Results, facts: &RunFacts) -> Tree {
    let crossed = results.metrics.iter().filter(|metric| metric.thresholds.iter().any(|one| !one.ok));
    let crossed: Tree = crossed.map(|metric| Tree::from(&*metric.name)).collect();
    let end = facts.end.as_ref();
    let failed = failed_shares(results);
    let head = end.map(|end| {
        let has_thresholds = facts.judges && results.metrics.iter().any(|metric| !metric.thresholds.is_empty());
        let head = headline(end.code, has_thresholds, &failed, MAX_FAILED);
        if facts.incomplete.is_some() { head.of_incomplete(end.code) } else { head }
    });
    Tree::map([
        ("headline", head.as_ref().map_or(Tree::Null, |head| Tree::from(head.text.as_str()))),
        ("is_good", head.map_or(Tree::Null, |head| head.is_good.into())),
        ("passed", end.map_or(Tree::Null, |end| (end.code == 0).into())),
        ("exit_code", end.map_or(Tree::Null, |end| u64::from(end.code).into())),
        ("reason", end.and_then(|end| end.reason.as_deref()).map_or(Tree::Null, Tree::from)),
        ("thresholds_judged", facts.judges.into()),
        ("crossed", crossed),
    ])
}

/// Writes what has values.
struct Writer<'a> {
    options: &'a RenderOptions,
    has_histograms: bool,
}

impl Writer<'_> {
    fn thresholds(&self, results: &Results) -> Tree {
        let all = results.metrics.iter().flat_map(|metric| metric.thresholds.iter().map(move |one| (metric, one)));
        let all = all.map(|(metric, threshold)| {
            let seen = threshold_figures::observed(metric, threshold);
            let mut entries = vec![
                ("metric", Tree::from(&*metric.name)),
                ("expression", Tree::from(threshold.def.expression.trim())),
                ("ok", threshold.ok.into()),
                ("figure", Tree::from(seen.figure)),
                ("observed", threshold.observed.into()),
                ("text", Tree::Text(seen.value)),
                ("wanted", Tree::Text(seen.wanted)),
                ("abort_on_fail", threshold.def.abort_on_fail.into()),
            ];
            if let Some(slices) = threshold.slices().filter(|_| self.has_histograms) {
                entries.push(("slices", slices.map(|(at, sink)| self.slice(metric, *at, sink)).collect()));
            }
            Tree::map(entries)
        });
        all.collect()
    }

    /// A slice of a window: its number on the axis of time, and what was in it.
    fn slice(&self, metric: &MetricResult, at: u64, sink: &Sink) -> Tree {
        let values = self.values(&metric.name, &MetricValues::of(sink, Duration::ZERO), metric.contains);
        let entries = values.into_iter().filter(|(key, _)| key != "text");
        Tree::Map([("at".to_owned(), Tree::from(at))].into_iter().chain(entries).collect())
    }
}

fn checks(metrics: &[MetricResult], checks: &[CheckResult], seconds: f64) -> Tree {
    let (passes, fails) = checks_total(metrics).unwrap_or_default();
    let total = passes + fails;
    let share = |part: u64| if total == 0 { 0.0 } else { part as f64 / total as f64 };
    let rate = if seconds > 0.0 { total as f64 / seconds } else { 0.0 };
    let texts = [
        ("total", figure::text(total as f64, Unit::Count)),
        ("rate", figure::text(rate, Unit::PerSecond(""))),
        ("succeeded", figure::text(share(passes), Unit::Share)),
        ("failed", figure::text(share(fails), Unit::Share)),
    ];
    Tree::map([
        ("passes", Tree::from(passes)),
        ("fails", fails.into()),
        ("rate", rate.into()),
        ("text", Tree::map(texts.map(|(key, text)| (key, Tree::Text(text))))),
        ("list", checks.iter().map(check).collect()),
    ])
}

fn check(check: &CheckResult) -> Tree {
    let share = check.passes as f64 / (check.passes + check.fails).max(1) as f64;
    Tree::map([
        ("name", Tree::from(&*check.name)),
        ("passes", check.passes.into()),
        ("fails", check.fails.into()),
        ("text", Tree::Text(figure::text(share, Unit::Share))),
    ])
}

fn tree(group: &GroupResult) -> Tree {
    Tree::map([
        ("name", Tree::from(&*group.name)),
        ("path", Tree::from(&*group.path)),
        ("checks", group.checks.iter().map(check).collect()),
        ("groups", group.groups.iter().map(tree).collect()),
    ])
}

fn errors(groups: &[ErrorGroup]) -> Tree {
    let group = |group: &ErrorGroup| {
        Tree::map([
            ("code", Tree::from(&*group.code)),
            ("text", Tree::from(&*group.text)),
            ("count", group.count.into()),
            ("example", Tree::from(&*group.example)),
        ])
    };
    groups.iter().map(group).collect()
}

fn health(health: &HealthFigures) -> Tree {
    let lag = |lag: &QuantileSketch| {
        let figures = [("med", 50.0), ("p(90)", 90.0), ("p(95)", 95.0), ("p(99)", 99.0)];
        let figures = figures.map(|(name, percent)| (name, lag.percentile(percent).into())).into_iter();
        Tree::map(figures.chain([("max", lag.max().into()), ("count", lag.count().into())]))
    };
    let usage = health.usage;
    Tree::map([
        ("complaint", health.complaint().map_or(Tree::Null, Tree::Text)),
        ("lag_ms", lag(&health.script_lag)),
        ("network_lag_ms", lag(&health.network_lag)),
        (
            "cpu",
            Tree::map([
                ("seconds", Tree::from(usage.cpu.as_secs_f64())),
                ("share", usage.share().into()),
                ("cores", (usage.cores as u64).into()),
            ]),
        ),
        ("memory", Tree::map([("peak_bytes", Tree::from(usage.peak_memory))])),
    ])
}

impl Writer<'_> {
    fn metric(&self, metric: &MetricResult) -> Tree {
        let mut entries = vec![
            ("name".to_owned(), Tree::from(&*metric.name)),
            ("type".to_owned(), Tree::from(metric.values.kind().word())),
            ("contains".to_owned(), Tree::from(metric.contains.word())),
        ];
        if let Some(filter) = &metric.filter {
            entries.push(("parent".to_owned(), Tree::from(&*metric.parent)));
            let tags = filter.tags.iter().map(|(key, value)| (&**key, Tree::from(&**value)));
            entries.push(("tags".to_owned(), Tree::map(tags)));
        }
        entries.extend(self.values(&metric.name, &metric.values, metric.contains));
        if let Some(last) = metric.last.filter(|_| self.has_histograms) {
            entries.push(("last_ns".to_owned(), last.0.into()));
        }
        let answered = metric.answered.clone().map(|mut answered| {
            answered.sort();
            answered
        });
        // Waiting in vain says nothing about how answers are spread.
        if let MetricValues::Trend(all) = &metric.values
            && metric.filter.is_none()
            && let Some(distribution) = distribution::build(answered.as_ref().unwrap_or(all))
        {
            entries.push(("distribution".to_owned(), distribution));
        }
        if let Some(answered) = &answered {
            entries.push(("answered".to_owned(), Tree::Map(self.measured(answered, metric.contains))));
        }
        Tree::Map(entries)
    }

    /// The same as [`Self::trend`], without figures where there is nothing they could be figures of.
    fn measured(&self, trend: &Trend, contains: Contains) -> Vec<(String, Tree)> {
        let mut entries = self.trend(trend, contains);
        if trend.count() == 0 {
            for (key, nothing) in [("values", Tree::Null), ("text", Tree::from("–"))] {
                let figures = entries.iter_mut().find(|(name, _)| name == key);
                if let Some((_, Tree::Map(figures))) = figures {
                    let unknown = figures.iter_mut().filter(|(stat, _)| !matches!(stat.as_str(), "count" | "sum"));
                    unknown.for_each(|(_, value)| *value = nothing.clone());
                }
            }
        }
        entries
    }

    /// `values` and `text`, and for a trend `exact` and maybe `histogram`.
    fn values(&self, name: &str, values: &MetricValues, contains: Contains) -> Vec<(String, Tree)> {
        let figures: Vec<(&str, Tree, f64)> = match values {
            MetricValues::Counter { count, rate } => {
                vec![("count", (*count).into(), *count), ("rate", (*rate).into(), *rate)]
            }
            MetricValues::Gauge { value, min, max } => [("value", *value), ("min", *min), ("max", *max)]
                .map(|(stat, value)| (stat, value.into(), value))
                .into(),
            MetricValues::Rate { rate, passes, fails } => vec![
                ("rate", (*rate).into(), *rate),
                ("passes", (*passes).into(), *passes as f64),
                ("fails", (*fails).into(), *fails as f64),
            ],
            MetricValues::Trend(trend) => return self.trend(trend, contains),
        };
        let (mut plain, mut texts) = (Vec::new(), Vec::new());
        for (stat, number, value) in figures {
            let unit = figure::unit_of(values.kind().word(), contains.word(), name, stat);
            plain.push((stat.to_owned(), number));
            texts.push((stat.to_owned(), Tree::Text(figure::text(value, unit))));
        }
        vec![("values".to_owned(), Tree::Map(plain)), ("text".to_owned(), Tree::Map(texts))]
    }

    fn trend(&self, trend: &Trend, contains: Contains) -> Vec<(String, Tree)> {
        let mut stats: Vec<TrendStat> = ALWAYS.iter().filter_map(|name| TrendStat::parse(name).ok()).collect();
        for stat in &self.options.trend_stats {
            if !stats.iter().any(|known| known.name == stat.name) {
                stats.push(stat.clone());
            }
        }
        let (mut values, mut texts) = (Vec::new(), Vec::new());
        for stat in stats {
            let value = stat.of(trend);
            let stat_word = if stat.is_count() { "count" } else { "" };
            let unit = figure::unit_of("trend", contains.word(), "", stat_word);
            values.push((stat.name.clone(), value.into()));
            texts.push((stat.name, Tree::Text(figure::text(value, unit))));
        }
        values.push(("sum".to_owned(), trend.sum().into()));
        let mut entries = vec![
            ("values".to_owned(), Tree::Map(values)),
            ("text".to_owned(), Tree::Map(texts)),
            ("exact".to_owned(), trend.is_exact().into()),
        ];
        if self.has_histograms && trend.count() > 0 {
            entries.push(("histogram".to_owned(), histogram(trend)));
            if let Some(bytes) = trend.encoded_values() {
                entries.push(("exact_values".to_owned(), Tree::Text(STANDARD.encode(bytes))));
            }
        }
        entries
    }

    fn section(&self, section: &Section, seconds: f64) -> Tree {
        Tree::map([
            ("name", Tree::from(&*section.name)),
            ("checks", checks(&section.metrics, &section.checks, seconds)),
            ("metrics", section.metrics.iter().map(|metric| self.metric(metric)).collect()),
            ("groups", section.groups.iter().map(|group| self.section(group, seconds)).collect()),
        ])
    }

    fn endpoint(&self, endpoint: &Endpoint, seconds: f64, width: u64) -> Tree {
        let requests = endpoint.requests();
        let rate = if seconds > 0.0 { requests as f64 / seconds } else { 0.0 };
        let failed = &endpoint.failed;
        let texts = [
            ("requests", figure::text(requests as f64, Unit::Count)),
            ("rate", figure::text(rate, Unit::PerSecond(""))),
            ("failed", failed_share(failed)),
            ("unanswered", figure::text(endpoint.unanswered as f64, Unit::Count)),
        ];
        let mut entries = vec![
            ("name".to_owned(), Tree::from(&*endpoint.name)),
            ("method".to_owned(), Tree::from(&*endpoint.method)),
            ("protocol".to_owned(), Tree::from(endpoint.protocol)),
            ("requests".to_owned(), requests.into()),
            ("rate".to_owned(), rate.into()),
            ("failed".to_owned(), failed.passes.into()),
            ("judged".to_owned(), failed.total().into()),
            ("unanswered".to_owned(), endpoint.unanswered.into()),
            ("names".to_owned(), (endpoint.names as u64).into()),
            ("text".to_owned(), Tree::map(texts.map(|(key, text)| (key, Tree::Text(text))))),
        ];
        entries.push(("duration".to_owned(), Tree::Map(self.measured(&endpoint.duration, Contains::Time))));
        if let Some(points) = &endpoint.points {
            entries.push(("series".to_owned(), timeline::endpoint(points, width, seconds, self.has_histograms)));
        }
        Tree::Map(entries)
    }
}

/// The share of an endpoint's requests that failed; nothing is known of it where the script wants none judged.
pub(super) fn failed_share(failed: &RateSink) -> String {
    if failed.total() == 0 { "–".to_owned() } else { figure::text(failed.rate(), Unit::Share) }
}

fn histogram(trend: &Trend) -> Tree {
    let histograms = trend.encoded_histograms();
    let mut entries = vec![("scale", Tree::from(histograms.scale))];
    for (name, bytes) in [("hdr_v2", &histograms.positive), ("hdr_v2_negative", &histograms.negative)] {
        if let Some(bytes) = bytes {
            entries.push((name, Tree::Text(STANDARD.encode(bytes))));
        }
    }
    for (name, count) in [("infinite", histograms.above_all), ("minus_infinite", histograms.below_all)] {
        if count > 0 {
            entries.push((name, count.into()));
        }
    }
    Tree::map(entries)
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;

    use super::*;
    use crate::metrics::MetricType;
    use crate::summary::Mode;
    use crate::summary::fixture::{RunFixture, sample_run};

    fn document(run: &RunFixture, has_histograms: bool) -> serde_json::Value {
        let end = Some(RunEnd { code: 99, reason: Some("thresholds were crossed".to_owned()) });
        let facts = RunFacts { script: "x.js".to_owned(), end, ..RunFacts::default() };
        build(&run.results(2_000_000_000, Mode::Full), &RenderOptions::default(), &facts, has_histograms).to_value()
    }

    #[test]
    fn says_everything_twice_as_number_and_for_people() {
        let mut run = sample_run();
        run.request("GET", "http://x/<script>", "404", 3_000_000);
        let data = document(&run, false);
        let check = |path: &str, expect: serde_json::Value| assert_eq!(data.pointer(path), Some(&expect), "{path}");
        check("/format", "volley-summary".into());
        check("/version", VERSION.into());
        check("/verdict/passed", false.into());
        check("/verdict/headline", "Failed; 25 % of requests and 28.6 % of checks failed".into());
        check("/verdict/is_good", false.into());
        check("/verdict/crossed", serde_json::json!(["checks", "http_req_duration"]));
        check("/thresholds/0/text", "71.4 %".into());
        check("/thresholds/0/wanted", "> 90 %".into());
        check("/checks/text/succeeded", "71.4 %".into());
        check("/checks/list/2", serde_json::json!({"name": "never", "passes": 0, "fails": 2, "text": "0 %"}));
        check("/endpoints/1/name", "http://x/<script>".into());
        check("/endpoints/1/text/failed", "100 %".into());
        check("/endpoints/1/names", 1.into());
        check("/endpoints/1/series/requests/0", 1.into());
        check("/endpoints/1/series/failed/0", 1.into());
        check("/endpoints/1/duration/values/p(99)", 3.into());
        let error =
            serde_json::json!({"code": "1404", "text": "status 404", "count": 1, "example": "GET http://x/<script>"});
        check("/errors", serde_json::json!([error]));
        check("/health/complaint", serde_json::Value::Null);
        let metrics = data["metrics"].as_array().unwrap();
        let counter = metrics.iter().find(|metric| metric["name"] == "my_counter{a:b}").unwrap();
        assert_eq!(
            *counter,
            serde_json::json!({"name": "my_counter{a:b}", "type": "counter", "contains": "default",
                "parent": "my_counter", "tags": {"a": "b"}, "values": {"count": 2, "rate": 1},
                "text": {"count": "2", "rate": "1/s"}})
        );
        let trend = metrics.iter().find(|metric| metric["name"] == "my_time").unwrap();
        assert_eq!((&trend["text"]["p(95)"], &trend["exact"]), (&"1.23 s".into(), &true.into()));
    }

    #[test]
    fn requests_without_an_answer_have_no_times() {
        let check = |statuses: &[(&str, u64)], expect: &[(&str, serde_json::Value)]| {
            let mut run = RunFixture::new();
            statuses.iter().for_each(|(status, millis)| run.request("GET", "http://x/", status, millis * 1_000_000));
            let data = document(&run, false);
            let metrics = data["metrics"].as_array().unwrap();
            let total = metrics.iter().find(|one| one["name"] == "http_req_duration").unwrap();
            let parts =
                [("total", total), ("endpoint", &data["endpoints"][0]), ("over time", &data["timeline"]["series"])];
            for (path, expect) in expect {
                let (part, pointer) = path.split_once(':').unwrap();
                let (_, value) = parts.iter().find(|(name, _)| *name == part).unwrap();
                let found = value.pointer(pointer).unwrap_or(&serde_json::Value::Null);
                assert_eq!(found, expect, "{path} of {statuses:?}");
            }
        };
        let null = serde_json::Value::Null;
        let half = [("200", 4), ("0", 0), ("500", 8), ("0", 60_000)];
        check(
            &half,
            &[
                // k6's own figures stay.
                ("total:/values/count", 4.into()),
                ("total:/values/max", 60_000.into()),
                ("total:/answered/values/count", 2.into()),
                ("total:/answered/values/max", 8.into()),
                ("total:/distribution/bounds/0", 4.into()),
                ("endpoint:/requests", 4.into()),
                ("endpoint:/unanswered", 2.into()),
                ("endpoint:/failed", 3.into()),
                ("endpoint:/text/failed", "75 %".into()),
                ("endpoint:/duration/values/max", 8.into()),
                ("endpoint:/series/requests/0", 4.into()),
                ("endpoint:/series/unanswered/0", 2.into()),
                ("endpoint:/series/p(99)/0", 8.into()),
                ("over time:/http_req_duration/count/0", 2.into()),
                ("over time:/http_req_duration/unanswered/0", 2.into()),
                ("over time:/http_req_duration/max/0", 8.into()),
                ("over time:/http_req_failed/passes/0", 3.into()),
            ],
        );
        check(
            &[("0", 0), ("0", 0)],
            &[
                ("total:/values/max", 0.into()),
                ("total:/answered/values/count", 0.into()),
                ("total:/answered/values/p(95)", null.clone()),
                ("total:/answered/text/p(95)", "–".into()),
                ("total:/distribution", null.clone()),
                ("endpoint:/duration/values/max", null.clone()),
                ("endpoint:/duration/text/max", "–".into()),
                ("endpoint:/text/failed", "100 %".into()),
                ("endpoint:/series/p(99)/0", null.clone()),
                ("over time:/http_req_duration/avg/0", null.clone()),
            ],
        );
        check(
            &[("200", 4)],
            &[
                ("total:/answered", null.clone()),
                ("endpoint:/unanswered", 0.into()),
                ("over time:/http_req_duration/unanswered", null.clone()),
                ("over time:/http_req_duration/count/0", 1.into()),
            ],
        );
    }

    #[test]
    fn histograms_can_be_read_back() {
        let mut run = RunFixture::new();
        let trend = run.declare("taken", MetricType::Trend, Contains::Time);
        [1.5, 2.5, 2.5].iter().for_each(|value| run.sample(trend, *value, &[]));
        let data = document(&run, true);
        let found =
            &data["metrics"].as_array().unwrap().iter().find(|one| one["name"] == "taken").unwrap()["histogram"];
        let bytes = STANDARD.decode(found["hdr_v2"].as_str().unwrap()).unwrap();
        let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
        let scale = found["scale"].as_f64().unwrap();
        assert_eq!(histogram.len(), 3);
        assert!((histogram.max() as f64 / scale - 2.5).abs() < 0.0026);
    }

    #[test]
    fn scenarios_have_their_own_numbers_also_the_default_one() {
        let mut run = RunFixture::new();
        run.iteration(1_000_000, "default");
        run.iteration(2_000_000, "other");
        let data = document(&run, false);
        let names: Vec<_> = data["scenarios"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert_eq!(names, ["default", "other"]);
    }
}
