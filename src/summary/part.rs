//! A part of a test, read back from its document: the file of `--summary-json` of one instance.
//!
//! Everything is read that can be added up.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::document::VERSION;
use super::part_series;
use crate::metrics::endpoint::{Endpoint, EndpointAxis, ErrorGroup};
use crate::metrics::groups::{CheckResult, GroupResult};
use crate::metrics::record::Stamp;
use crate::metrics::sink::{RateSink, Sink};
use crate::metrics::submetric::MetricSelector;
use crate::metrics::threshold::{Threshold, ThresholdDef};
use crate::metrics::timeline::Timeline;
use crate::metrics::trend::{EncodedHistograms, StoredTrend, Trend};
use crate::metrics::{Contains, MetricResult, MetricType, MetricValues, Results, Section};
use crate::options::Segment;

/// One part.
#[derive(Clone, Debug)]
pub struct Part {
    /// The file, as typed.
    pub file: String,
    /// Its numbers. Its thresholds are those of the test, as they were judged on this part alone.
    pub results: Results,
    /// Endpoints, with their series where these can be added up.
    pub endpoints: Vec<Endpoint>,
    /// The axis of these series.
    pub endpoint_axis: Option<EndpointAxis>,
    /// The run over time, if it can be added up.
    pub timeline: Option<Timeline>,
    /// Errors.
    pub errors: Vec<ErrorGroup>,
    /// Which part of the test it was.
    pub segment: Segment,
    /// What all parts of the test have in common.
    pub test: String,
    /// When it began.
    pub started: Timestamp,
    /// The exit code.
    pub exit_code: u64,
    /// Why that is not 0.
    pub reason: Option<String>,
    /// What was said to be incomplete, where it is a merge itself.
    pub incomplete: Option<String>,
    /// The thresholds were judged.
    pub judges: bool,
    /// The whole document.
    pub document: Value,
}

impl Part {
    /// Reads the text of `file`.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub fn read(file: &str, text: &str) -> Result<Self, String> {
        let wrong = |why: String| format!("`{file}` {why}");
        let document: Value = serde_json::from_str(text).map_err(|error| wrong(format!("is no JSON: {error}")))?;
        if document["format"] != "volley-summary" {
            return Err(wrong("is no file of `--summary-json`".to_owned()));
        }
        if document["version"] != VERSION {
            return Err(wrong(format!(
                "has version {} of the format, this program reads {VERSION}",
                document["version"]
            )));
        }
        if document["run"]["is_over"] != true {
            return Err(wrong("is of a run that was not over".to_owned()));
        }
        if !document["run"]["test"].is_string() {
            let why = "does not say which test it is of: it was not written by `--summary-json` of this version";
            return Err(wrong(why.to_owned()));
        }
        Self::of(file, document).map_err(|why| wrong(format!("is broken: {why}")))
    }

    fn of(file: &str, document: Value) -> Result<Self, String> {
        let run = field(&document, "run")?;
        let seconds = number(run, "seconds")?;
        let mut metrics = each(&document, "metrics", metric)?;
        for threshold in list(&document, "thresholds")? {
            let name = text(threshold, "metric")?;
            let found = metrics.iter_mut().find(|metric| &*metric.name == name);
            let found = found.ok_or_else(|| format!("there is a threshold on `{name}`, and no such metric"))?;
            let threshold = self::threshold(threshold, found)?;
            found.thresholds.push(threshold);
        }
        let timeline = part_series::timeline(&document)?;
        let endpoints = each(&document, "endpoints", endpoint)?;
        let endpoint_axis = part_series::endpoint_axis(&document, timeline.as_ref(), &endpoints);
        let verdict = field(&document, "verdict")?;
        let words = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Self {
            file: file.to_owned(),
            results: Results {
                duration: Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?,
                metrics,
                root: group(field(&document, "group_tree")?)?,
                checks: each(field(&document, "checks")?, "list", |value| check(value, ""))?,
                groups: each(&document, "groups", section)?,
                scenarios: each(&document, "scenarios", section)?,
                health: Default::default(),
                breakdown: None,
            },
            endpoints,
            endpoint_axis,
            timeline,
            errors: each(&document, "errors", error_group)?,
            segment: Segment::parse(text(run, "segment")?)?,
            test: text(run, "test")?.to_owned(),
            started: text(run, "started")?.parse().map_err(|error: jiff::Error| error.to_string())?,
            exit_code: count(verdict, "exit_code")?,
            reason: words(&verdict["reason"]),
            incomplete: words(&run["incomplete"]),
            judges: verdict["thresholds_judged"] == true,
            document,
        })
    }
}

pub(super) fn field<'a>(value: &'a Value, key: &str) -> Result<&'a Value, String> {
    value.get(key).ok_or_else(|| format!("`{key}` is missing"))
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    field(value, key)?.as_str().ok_or_else(|| format!("`{key}` is no text"))
}

pub(super) fn count(value: &Value, key: &str) -> Result<u64, String> {
    field(value, key)?.as_u64().ok_or_else(|| format!("`{key}` is no count"))
}

pub(super) fn number(value: &Value, key: &str) -> Result<f64, String> {
    field(value, key)?.as_f64().ok_or_else(|| format!("`{key}` is no number"))
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    field(value, key)?.as_array().map(Vec::as_slice).ok_or_else(|| format!("`{key}` is no list"))
}

fn each<T>(value: &Value, key: &str, read: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    let items = list(value, key)?.iter().enumerate();
    items.map(|(at, item)| read(item).map_err(|why| format!("{key}[{at}]: {why}"))).collect()
}

fn metric(value: &Value) -> Result<MetricResult, String> {
    let name = text(value, "name")?;
    let selector = MetricSelector::parse(name)?;
    let all = [Contains::Default, Contains::Time, Contains::Data];
    let word = text(value, "contains")?;
    let contains = all.into_iter().find(|known| known.word() == word);
    let contains = contains.ok_or_else(|| format!("`{name}` contains `{word}`, which is nothing known"))?;
    let word = text(value, "type")?;
    let kind = MetricType::ALL.into_iter().find(|kind| kind.word() == word);
    let kind = kind.ok_or_else(|| format!("`{name}` has the type `{word}`, which is none"))?;
    // A file of an earlier version does not say it.
    let last = value.get("last_ns").and_then(Value::as_u64).map(Stamp);
    let values = values(value, kind, contains).map_err(|why| format!("`{name}`: {why}"))?;
    let answered = value.get("answered").map(|answered| trend(answered, contains)).transpose()?;
    let thresholds = Vec::new();
    let MetricSelector { name, parent, filter } = selector;
    Ok(MetricResult { name, parent, filter, contains, values, last, answered, thresholds })
}

/// The numbers of a metric of this type, or of a slice of its windows.
fn values(value: &Value, kind: MetricType, contains: Contains) -> Result<MetricValues, String> {
    let figures = field(value, "values")?;
    Ok(match kind {
        // What is no number is infinite; of which sign is not known.
        MetricType::Counter => {
            MetricValues::Counter { count: number(figures, "count")?, rate: number(figures, "rate")? }
        }
        MetricType::Gauge => MetricValues::Gauge {
            value: number(figures, "value")?,
            min: number(figures, "min")?,
            max: number(figures, "max")?,
        },
        MetricType::Rate => rate(RateSink { passes: count(figures, "passes")?, fails: count(figures, "fails")? }),
        MetricType::Trend => MetricValues::Trend(Box::new(trend(value, contains)?)),
    })
}

/// The numbers of a rate.
pub(super) fn rate(sink: RateSink) -> MetricValues {
    MetricValues::Rate { rate: sink.rate(), passes: sink.passes, fails: sink.fails }
}

fn trend(value: &Value, contains: Contains) -> Result<Trend, String> {
    let figures = field(value, "values")?;
    let total = count(figures, "count")?;
    let bytes = |value: Option<&Value>| match value {
        None => Ok(None),
        Some(value) => STANDARD.decode(value.as_str().unwrap_or_default()).map(Some).map_err(|error| error.to_string()),
    };
    let none = Value::Null;
    let histogram = value.get("histogram").unwrap_or(&none);
    let part = |key: &str| histogram.get(key).and_then(Value::as_u64).unwrap_or_default();
    let (below_all, above_all) = (part("minus_infinite"), part("infinite"));
    // A figure that JSON can't hold is infinite.
    let of = |key: &str, infinite: f64| figures.get(key).and_then(Value::as_f64).unwrap_or(infinite);
    let lowest = if below_all > 0 { f64::NEG_INFINITY } else { f64::INFINITY };
    let highest = if above_all > 0 { f64::INFINITY } else { f64::NEG_INFINITY };
    let values = match total {
        0 => Some(Vec::new()),
        _ => bytes(value.get("exact_values"))?,
    };
    let stored = StoredTrend {
        count: total,
        min: of("min", lowest),
        max: of("max", highest),
        sum: of("sum", highest.max(lowest)),
        values,
        histograms: EncodedHistograms {
            scale: histogram.get("scale").and_then(Value::as_f64).unwrap_or_default(),
            below_all,
            negative: bytes(histogram.get("hdr_v2_negative"))?,
            positive: bytes(histogram.get("hdr_v2"))?,
            above_all,
        },
    };
    Trend::restore(contains, &stored).map_err(str::to_owned)
}

fn threshold(value: &Value, metric: &MetricResult) -> Result<Threshold, String> {
    let def = ThresholdDef {
        expression: text(value, "expression")?.to_owned(),
        abort_on_fail: value["abort_on_fail"] == true,
        delay_abort_eval: None,
    };
    let mut threshold = Threshold::parse(&def, false)?;
    if value.get("slices").is_some() {
        let kind = metric.values.kind();
        let mut slices = each(value, "slices", |slice| {
            Ok((count(slice, "at")?, Sink::of_values(&values(slice, kind, metric.contains)?)))
        })?;
        slices.sort_by_key(|(at, _)| *at);
        threshold.restore_slices(kind, metric.contains, slices);
    }
    threshold.ok = value["ok"] == true;
    threshold.observed = value["observed"].as_f64().unwrap_or(f64::INFINITY);
    Ok(threshold)
}

fn check(value: &Value, group: &str) -> Result<CheckResult, String> {
    let name = text(value, "name")?;
    let path = format!("{group}::{name}").into();
    Ok(CheckResult { name: name.into(), path, passes: count(value, "passes")?, fails: count(value, "fails")? })
}

fn group(value: &Value) -> Result<GroupResult, String> {
    let path = text(value, "path")?;
    Ok(GroupResult {
        name: text(value, "name")?.into(),
        path: path.into(),
        groups: each(value, "groups", group)?,
        checks: each(value, "checks", |check| self::check(check, path))?,
    })
}

fn section(value: &Value) -> Result<Section, String> {
    Ok(Section {
        name: text(value, "name")?.into(),
        metrics: each(value, "metrics", metric)?,
        checks: each(field(value, "checks")?, "list", |value| check(value, ""))?,
        groups: each(value, "groups", section)?,
    })
}

fn endpoint(value: &Value) -> Result<Endpoint, String> {
    let (failed, judged) = (count(value, "failed")?, count(value, "judged")?);
    let known = ["http", "grpc"];
    let protocol = text(value, "protocol")?;
    Ok(Endpoint {
        name: text(value, "name")?.into(),
        method: text(value, "method")?.into(),
        protocol: known
            .into_iter()
            .find(|known| *known == protocol)
            .ok_or_else(|| format!("`{protocol}` is no protocol"))?,
        failed: RateSink { passes: failed, fails: judged.saturating_sub(failed) },
        duration: trend(field(value, "duration")?, Contains::Time)?,
        unanswered: count(value, "unanswered")?,
        names: usize::try_from(count(value, "names")?).unwrap_or(usize::MAX),
        points: part_series::endpoint_points(value)?,
    })
}

fn error_group(value: &Value) -> Result<ErrorGroup, String> {
    let words = |key: &str| text(value, key).map(Arc::from);
    Ok(ErrorGroup {
        code: words("code")?,
        text: words("text")?,
        count: count(value, "count")?,
        example: words("example")?,
    })
}
