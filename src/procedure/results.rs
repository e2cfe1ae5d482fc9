//! The results in a folder: the journal, the summaries of its runs, the series of its collectors. Read only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::child::Files;
use super::collect::{Collected, Series};
use super::expression::Figure;
use super::journal::{Entry, Journal, State};
use crate::failure::Failure;

/// The kinds of collectors, as their files are named.
const COLLECTORS: [&str; 4] = ["host", "redis", "postgres", "prometheus"];

/// All results of a folder.
pub struct Results {
    /// What happened.
    pub journal: Journal,
    /// The runs, in order.
    pub runs: Vec<RunResult>,
}

/// The results of one run.
pub struct RunResult {
    /// What happened.
    pub entry: Entry,
    /// Its summary, if it got so far.
    pub document: Option<Value>,
    /// What collectors saw.
    pub collected: Vec<Collected>,
}

impl Results {
    /// Reads a folder.
    ///
    /// # Errors
    /// A folder without a journal.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let journal = Journal::read(folder)?;
        let runs = journal.runs.iter().map(|entry| {
            let path = Files::of(folder, &entry.name).document;
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

    /// A figure of a run that is whole.
    ///
    /// # Errors
    /// Why there is none.
    pub fn figure(&self, figure: &Figure) -> Result<f64, String> {
        let run = self.run(&figure.run).ok_or_else(|| format!("there is no run `{}`", figure.run))?;
        if run.entry.state != State::Finished {
            return Err(format!("run `{}` was {}", figure.run, run.entry.state.word()));
        }
        run.value(&figure.metric, &figure.stat)
            .ok_or_else(|| format!("`{}` has no `{}` of `{}`", figure.run, figure.stat, figure.metric))
    }
}

impl RunResult {
    /// A metric of the summary.
    pub fn metric(&self, name: &str) -> Option<&Value> {
        let metrics = self.document.as_ref()?.get("metrics")?.as_array()?;
        metrics.iter().find(|metric| metric["name"] == name)
    }

    /// A series of a collector.
    pub fn series(&self, name: &str) -> Option<&Series> {
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

    /// A figure in the summary's words.
    pub fn text(&self, metric: &str, stat: &str) -> Option<String> {
        self.metric(metric)?["text"].get(stat)?.as_str().map(str::to_owned)
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
