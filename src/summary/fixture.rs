//! Runs for the tests of this room: records in, results out.

use std::sync::Arc;
use std::time::Duration;

use super::Mode;
use crate::log::Logger;
use crate::metrics::record::Epoch;
use crate::metrics::threshold::{self, Threshold, ThresholdDef};
use crate::metrics::{
    Contains, HttpTimings, Interner, Ledger, LedgerOptions, MetricId, MetricType, Record, Registry, Results, Stamp,
    builtin,
};

pub(super) struct RunFixture {
    registry: Arc<Registry>,
    tags: Interner,
    records: Vec<Record>,
    thresholds: Vec<(String, Vec<ThresholdDef>)>,
    /// When the next records were.
    pub(super) now: Stamp,
}

impl RunFixture {
    pub(super) fn new() -> Self {
        let registry = Arc::new(Registry::new());
        Self { registry, tags: Interner::default(), records: Vec::new(), thresholds: Vec::new(), now: Stamp(0) }
    }

    pub(super) fn declare(&self, name: &str, kind: MetricType, contains: Contains) -> MetricId {
        self.registry.declare(name, kind, contains).unwrap()
    }

    pub(super) fn sample(&mut self, metric: MetricId, value: f64, tags: &[(&str, &str)]) {
        let tags = self.tags.set(tags.iter().copied());
        self.records.push(Record::Sample { time: self.now, metric, value, tags, metadata: None });
    }

    pub(super) fn check(&mut self, group: &str, name: &str, holds: bool) {
        self.sample(builtin::CHECKS, f64::from(u8::from(holds)), &[("group", group), ("check", name)]);
    }

    pub(super) fn http(&mut self, nanos: u64) {
        let tags = self.tags.set([("status", "200"), ("expected_response", "true")]);
        let timings = HttpTimings { waiting: nanos, ..HttpTimings::default() };
        self.records.push(Record::Http { time: self.now, timings, failed: Some(false), tags, metadata: None });
    }

    pub(super) fn request(&mut self, method: &str, url: &str, status: &str, nanos: u64) {
        let is_good = status == "200";
        let mut tags = vec![("method", method), ("name", url), ("url", url), ("status", status)];
        let code = format!("1{status}");
        if !is_good {
            tags.push(("error_code", &code));
        }
        tags.push(("expected_response", if is_good { "true" } else { "false" }));
        let tags = self.tags.set(tags);
        let timings = HttpTimings { waiting: nanos, ..HttpTimings::default() };
        self.records.push(Record::Http { time: self.now, timings, failed: Some(!is_good), tags, metadata: None });
    }

    /// The last request is one whose response the script does not want to be judged.
    pub(super) fn unjudge(&mut self) {
        if let Some(Record::Http { failed, .. }) = self.records.last_mut() {
            *failed = None;
        }
    }

    pub(super) fn iteration(&mut self, nanos: u64, scenario: &str) {
        let tags = self.tags.set([("group", ""), ("scenario", scenario)]);
        let (duration, sent, received) = (Some(nanos), 71, 142);
        self.records.push(Record::Iteration { time: self.now, duration, sent, received, tags, metadata: None });
    }

    pub(super) fn threshold(&mut self, name: &str, expressions: &[&str]) {
        let def =
            |text: &&str| ThresholdDef { expression: (*text).to_owned(), abort_on_fail: false, delay_abort_eval: None };
        self.thresholds.push((name.to_owned(), expressions.iter().map(def).collect()));
    }

    pub(super) fn results(&self, nanos: u64, mode: Mode) -> Results {
        let mut watched = threshold::check(&self.thresholds, &self.registry, false, &Logger::silent()).unwrap();
        watched.iter_mut().flat_map(|one| &mut one.thresholds).for_each(Threshold::keep_slices);
        let options = LedgerOptions {
            watched,
            sections: mode == Mode::Full,
            breakdown: (mode == Mode::Full).then(Epoch::now),
            ..LedgerOptions::default()
        };
        let mut ledger = Ledger::new(self.registry.clone(), options, Logger::silent());
        ledger.fold(&self.records);
        let duration = Duration::from_nanos(nanos);
        ledger.evaluate(duration, true);
        ledger.snapshot(duration)
    }
}

/// The run that the sample of the specification shows.
pub(super) fn sample_run() -> RunFixture {
    let mut run = RunFixture::new();
    let counter = run.declare("my_counter", MetricType::Counter, Contains::Default);
    let gauge = run.declare("my_gauge", MetricType::Gauge, Contains::Default);
    let rate = run.declare("my_rate", MetricType::Rate, Contains::Default);
    let time = run.declare("my_time", MetricType::Trend, Contains::Time);
    let trend = run.declare("my_trend", MetricType::Trend, Contains::Default);
    run.threshold("checks", &["rate>0.9"]);
    run.threshold("http_req_duration", &["p(95)<1000", "avg<0.0001"]);
    run.threshold("http_req_duration{status:200}", &["max>=0"]);
    run.threshold("my_counter{a:b}", &["count>0"]);
    run.sample(counter, 2.0, &[]);
    run.sample(counter, 2.0, &[("a", "b")]);
    run.sample(gauge, 5.0, &[]);
    [1.0, 1.0, 0.0, 0.0].iter().for_each(|value| run.sample(rate, *value, &[]));
    run.sample(time, 1234.0, &[]);
    [1.5, 3.0, 1.5, 3.0].iter().for_each(|value| run.sample(trend, *value, &[]));
    for (name, passes, fails) in [("o ok", 1, 0), ("status ok", 2, 0), ("never", 0, 2), ("in", 2, 0)] {
        (0..passes).for_each(|_| run.check("", name, true));
        (0..fails).for_each(|_| run.check("::g", name, false));
    }
    [698_970, 1_328_000, 41_443_030].iter().for_each(|nanos| run.http(*nanos));
    [203_490, 1_949_000, 41_719_000].iter().for_each(|nanos| run.iteration(*nanos, "default"));
    run
}
