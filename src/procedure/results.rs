//! The results in a folder: the journal, the summaries of its runs, the series of its collectors. Read only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::collect::{Collected, CollectedSeries};
use super::expression::FigureRef;
use super::journal::{EntryState, Journal, RunEntry};
use super::metric_roles::{MetricRoles, is_named};
use super::run_files::RunFiles;
use crate::failure::Failure;
use crate::metrics::{Contains, MetricType, builtin};
use crate::summary::headline::{REQUEST_TIMES, share_of_missing};
pub use crate::units::figure::unit_of as figure_unit;
use crate::units::figure::{self, Unit};

/// The kinds of collectors, as their files are named.
const COLLECTORS: [&str; 4] = ["host", "redis", "postgres", "prometheus"];

/// All results of a folder.
pub struct ProcedureResults {
    /// What happened.
    pub journal: Journal,
    /// The runs, in order.
    pub runs: Vec<RunResult>,
}

/// The results of one run.
pub struct RunResult {
    /// What happened.
    pub entry: RunEntry,
    /// Its summary, if it got so far.
    pub document: Option<Value>,
    /// What collectors saw.
    pub collected: Vec<Collected>,
}

impl ProcedureResults {
    /// Reads a folder.
    ///
    /// # Errors
    /// A folder without a journal.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let journal = Journal::read(folder)?;
        let runs = journal.runs.iter().map(|entry| {
            let path = RunFiles::of(folder, &entry.name).document;
            let document = fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            let collected = COLLECTORS.iter().filter_map(|name| {
                let bytes = fs::read(folder.join(format!("{}_{name}.json", entry.name))).ok()?;
                serde_json::from_slice::<Collected>(&bytes).ok()
            });
            RunResult { entry: entry.clone(), document, collected: collected.collect() }
        });
        let runs = runs.collect();
        Ok(Self { journal, runs })
    }

    /// The run of a name.
    pub fn run(&self, name: &str) -> Option<&RunResult> {
        self.runs.iter().find(|run| run.entry.name == name)
    }

    /// What others are compared with: the run called `baseline`, or else the first.
    pub fn baseline(&self) -> Option<&RunResult> {
        self.run("baseline").or(self.runs.first())
    }

    /// A figure of a run that is whole, from at least so many samples where it is of a latency or a share.
    ///
    /// # Errors
    /// Why there is none.
    pub fn figure(&self, figure: &FigureRef, needs: u64) -> Result<f64, FigureError> {
        let absent = |text: String| Err(FigureError::NotMeasured(text));
        let Some(run) = self.run(&figure.run) else { return absent(format!("there is no run `{}`", figure.run)) };
        if run.entry.state != EntryState::Finished {
            return absent(run.entry.state.said_of(&figure.run));
        }
        if let Some(samples) = run.samples(&figure.metric).filter(|samples| *samples < needs && needs > 0) {
            let (metric, count) = (&figure.metric, figure::text(samples as f64, Unit::Count));
            let what = if run.has_unanswered(metric) { "answered request" } else { "sample" };
            let s = if samples == 1 { "" } else { "s" };
            return Err(FigureError::TooFew(format!("`{metric}` has {count} {what}{s}, but needs at least {needs}")));
        }
        match run.judged_value(&figure.metric, &figure.stat) {
            Some(value) => Ok(value),
            None => absent(format!("`{}` has no `{}` of `{}`", figure.run, figure.stat, figure.metric)),
        }
    }

    /// What a figure measures.
    pub fn unit(&self, figure: &FigureRef) -> Unit {
        self.run(&figure.run).map_or(Unit::Number, |run| run.unit(&figure.metric, &figure.stat))
    }
}

/// How many of a run's requests got an answer, whatever its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// All of them; also where there were no requests.
    All,
    /// Some of them: the target went away, or could not take so many.
    Part,
    /// There were requests, and nobody answered.
    Nothing,
}

/// Why a figure can't be judged.
#[derive(Debug)]
pub enum FigureError {
    /// Its run has no such figure, or did not end.
    NotMeasured(String),
    /// Too few samples to say anything.
    TooFew(String),
}

impl std::fmt::Display for FigureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::NotMeasured(text) | Self::TooFew(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for FigureError {}

impl RunResult {
    /// A metric of the summary.
    pub fn metric(&self, name: &str) -> Option<&Value> {
        let metrics = self.document.as_ref()?.get("metrics")?.as_array()?;
        metrics.iter().find(|metric| metric["name"] == name)
    }

    /// A series of a collector.
    pub fn series(&self, name: &str) -> Option<&CollectedSeries> {
        self.collected.iter().find_map(|collected| collected.series.get(name))
    }

    /// A figure of a metric or of a series.
    pub fn value(&self, metric: &str, stat: &str) -> Option<f64> {
        match self.metric(metric) {
            Some(metric) => {
                let values = &metric["values"];
                let rate_count = || {
                    // How many were counted in all, of a rate.
                    (stat == "count").then(|| Some(values["passes"].as_f64()? + values["fails"].as_f64()?)).flatten()
                };
                values.get(stat).and_then(Value::as_f64).or_else(rate_count)
            }
            None => self.series(metric)?.stat(stat),
        }
    }

    /// The metrics and then the series that have one of these names, in which `*` stands for any text. No sub-metrics.
    fn named<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a str> {
        let metrics = self.document.as_ref().and_then(|document| document["metrics"].as_array());
        let metrics = metrics.into_iter().flatten().filter_map(|metric| metric["name"].as_str());
        let series = self.collected.iter().flat_map(|collected| collected.series.keys().map(String::as_str));
        let all: Vec<&str> = metrics.filter(|name| !name.contains('{')).chain(series).collect();
        names.iter().flat_map(move |pattern| all.clone().into_iter().filter(move |name| is_named(name, pattern)))
    }

    /// The largest share of what failed; 0 where nothing tells.
    pub fn failed_share(&self, roles: &MetricRoles) -> f64 {
        self.most_failed(roles).map_or(0.0, |(_, share)| share)
    }

    /// The metric that says of the largest share that it failed, and that share; of equal ones the first.
    pub fn most_failed<'a>(&self, roles: &'a MetricRoles) -> Option<(&'a str, f64)> {
        let shares = roles.failed.iter().filter_map(|metric| Some((metric.as_str(), self.rate(metric)?)));
        let most = shares.reduce(|most, one| if one.1 > most.1 { one } else { most });
        most.or_else(|| Some(("http_req_failed", self.unanswered_share()?)))
    }

    /// How many of its requests got an answer.
    pub fn answers(&self) -> Answers {
        let counts = self.request_counts();
        match counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)) {
            (all, answered) if answered == all => Answers::All,
            (_, 0) => Answers::Nothing,
            _ => Answers::Part,
        }
    }

    /// How many requests there were of each kind, and how many of them were answered.
    fn request_counts(&self) -> impl Iterator<Item = (u64, u64)> {
        REQUEST_TIMES.iter().filter_map(|name| {
            let all = self.metric(name)?["values"]["count"].as_f64()?;
            Some((all as u64, self.samples(name)?))
        })
    }

    /// The rate that says what share of reads a cache answered.
    pub fn cache_hit_metric<'a>(&'a self, roles: &'a MetricRoles) -> Option<&'a str> {
        let is_rate = |name: &&str| self.metric(name).is_some_and(|metric| metric["type"] == "rate");
        self.named(&roles.cache_hits).find(is_rate)
    }

    /// The share of reads that a cache answered, as far as a metric or a series tells.
    pub fn cache_hits(&self, roles: &MetricRoles) -> Option<f64> {
        self.named(&roles.cache_hits).find_map(|name| match self.metric(name) {
            None => self.value(name, "avg"),
            Some(metric) if metric["type"] == "rate" => self.value(name, "rate"),
            Some(metric) if metric["type"] == "gauge" => {
                self.value(name, "value").filter(|share| (0.0..=1.0).contains(share))
            }
            Some(_) => None,
        })
    }

    /// Whether a time is one of answered requests only, and there were none.
    pub fn has_no_answers(&self, metric: &str) -> bool {
        self.has_unanswered(metric) && self.samples(metric) == Some(0)
    }

    /// The rate of a rate that has samples. Where no response was judged, requests without an answer failed.
    pub fn rate(&self, metric: &str) -> Option<f64> {
        if self.samples(metric).is_some_and(|samples| samples > 0) {
            return self.value(metric, "rate");
        }
        (metric == "http_req_failed").then(|| self.unanswered_share()).flatten()
    }

    /// The share of requests that got no answer, if some did not.
    fn unanswered_share(&self) -> Option<f64> {
        share_of_missing(self.request_counts())
    }

    /// A figure as criteria see it: times of requests are those of answered ones, and there are none without an answer.
    pub fn judged_value(&self, metric: &str, stat: &str) -> Option<f64> {
        if self.has_no_answers(metric) && stat != "count" {
            return None;
        }
        let answered = self.metric(metric).and_then(|metric| metric.get("answered"));
        match answered {
            Some(answered) => answered["values"].get(stat).and_then(Value::as_f64),
            None => self.value(metric, stat),
        }
    }

    /// Whether some requests that a metric is about got no answer.
    pub fn has_unanswered(&self, metric: &str) -> bool {
        self.metric(metric).is_some_and(|metric| metric.get("answered").is_some())
    }

    /// How many samples a latency or a share comes from; nothing for what one sample is enough for.
    pub fn samples(&self, name: &str) -> Option<u64> {
        let Some(metric) = self.metric(name) else {
            let base = name.split('{').next().unwrap_or(name);
            let needs_samples = builtin::TABLE
                .iter()
                .any(|(known, kind, _)| *known == base && matches!(kind, MetricType::Trend | MetricType::Rate));
            return (self.document.is_some() && needs_samples).then_some(0);
        };
        let values = &metric.get("answered").unwrap_or(metric)["values"];
        match metric["type"].as_str()? {
            "trend" => values["count"].as_f64().map(|count| count as u64),
            "rate" => Some((values["passes"].as_f64()? + values["fails"].as_f64()?) as u64),
            _ => None,
        }
    }

    /// What a figure measures.
    pub fn unit(&self, name: &str, stat: &str) -> Unit {
        let Some(metric) = self.metric(name) else {
            let unit = self.series(name).map(|series| series.unit.as_str());
            return match unit {
                // A run that measured nothing has the metrics that every run has.
                None if let Some((_, kind, contains)) = builtin_of(name) => {
                    figure_unit(kind.word(), contains.word(), name, stat)
                }
                _ if stat == "count" => Unit::Count,
                Some("time") => Unit::Time,
                Some("data") => Unit::Bytes,
                Some("data/s") => Unit::BytesPerSecond,
                Some("share") => Unit::Share,
                Some("/s") => Unit::PerSecond(""),
                _ => Unit::Number,
            };
        };
        let text = |key: &str| metric[key].as_str().unwrap_or_default();
        figure_unit(text("type"), text("contains"), name, stat)
    }

    /// A figure for people; times are those of answered requests, and none where nothing was answered.
    pub fn text(&self, metric: &str, stat: &str) -> Option<String> {
        if self.has_no_answers(metric) {
            return None;
        }
        Some(figure::text(self.judged_value(metric, stat)?, self.unit(metric, stat)))
    }

    /// How long it ran, in seconds.
    pub fn seconds(&self) -> Option<f64> {
        self.document.as_ref()?.pointer("/run/seconds")?.as_f64()
    }

    /// When it began, in milliseconds since the Unix epoch.
    pub fn began_ms(&self) -> Option<f64> {
        let text = self.document.as_ref()?.pointer("/run/started")?.as_str()?;
        let began: jiff::Timestamp = text.parse().ok()?;
        Some(began.as_millisecond() as f64)
    }

    /// All figures, by metric; series as well.
    pub fn figures(&self) -> BTreeMap<String, BTreeMap<String, Value>> {
        let mut all = BTreeMap::new();
        let metrics = self.document.as_ref().and_then(|document| document["metrics"].as_array());
        for metric in metrics.into_iter().flatten() {
            let (Some(name), Some(values)) = (metric["name"].as_str(), metric["values"].as_object()) else { continue };
            all.insert(name.to_owned(), values.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
        }
        for (name, series) in self.collected.iter().flat_map(|collected| &collected.series) {
            let stats = ["min", "avg", "max", "value"].iter();
            let stats = stats.filter_map(|stat| Some(((*stat).to_owned(), series.stat(stat)?.into())));
            all.entry(name.clone()).or_insert_with(|| stats.collect());
        }
        all
    }
}

/// The built-in metric of a name, or the one it is a part of.
fn builtin_of(name: &str) -> Option<&'static (&'static str, MetricType, Contains)> {
    let base = name.split('{').next().unwrap_or(name);
    builtin::TABLE.iter().find(|(known, ..)| *known == base)
}
