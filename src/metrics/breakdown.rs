//! The breakdown behind the totals, kept only where a report or a file needs it: endpoints, errors, the time series.

use std::sync::Arc;

use super::builtin;
use super::endpoint::{Endpoint, Endpoints, ErrorGroup};
use super::health::ThreadRole;
use super::metric::{Contains, Metric, MetricId, MetricType};
use super::record::{Epoch, Stamp};
use super::tags::{Routes, TagSet};
use super::timeline::Timeline;

/// The series of the generator's share of all cores, 0 to 1.
pub const CPU_SERIES: &str = "generator_cpu";

/// Endpoints, errors and the time series while a run goes on.
#[derive(Clone, Debug)]
pub(super) struct Breakdown {
    epoch: Epoch,
    endpoints: Endpoints,
    timeline: Timeline,
    is_over: bool,
}

/// Endpoints, errors and the time series at one moment.
#[derive(Clone, Debug)]
pub struct BreakdownResult {
    /// Endpoints, in order of first appearance.
    pub endpoints: Vec<Endpoint>,
    /// The length of an interval of their series, in nanoseconds.
    pub endpoint_width: u64,
    /// Errors, the most frequent first.
    pub errors: Vec<ErrorGroup>,
    /// Metrics over time.
    pub timeline: Timeline,
}

impl Breakdown {
    /// Begins now.
    pub(super) fn new(epoch: Epoch) -> Self {
        let now = epoch.stamp(std::time::Instant::now());
        Self { epoch, endpoints: Endpoints::new(now), timeline: Timeline::new(now), is_over: false }
    }

    /// The run begins now: making VUs is no part of it.
    pub(super) fn begin(&mut self) {
        let now = self.epoch.stamp(std::time::Instant::now());
        self.timeline = Timeline::new(now);
        self.endpoints.begin(now);
    }

    /// The run is over.
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }

    /// Adds a sample; true if the list of endpoints is full from now on. A time of a request without an answer is counted
    /// as such, not as a time.
    pub(super) fn add(
        &mut self,
        metric: &Metric,
        value: f64,
        time: Stamp,
        tags: &TagSet,
        routes: &Routes,
        has_answer: bool,
    ) -> bool {
        self.timeline.add(metric, value, time, has_answer);
        self.endpoints.add(metric, value, time, tags, routes, has_answer)
    }

    /// Records how many VUs are at work at a moment, how many were at most since the last time, and how many there are.
    pub(super) fn record_vus(&mut self, time: Stamp, active: u64, most: u64, initialised: u64) {
        let mut add = |metric: MetricId, value: u64| {
            let (name, kind, contains) = builtin::TABLE[usize::from(metric.0)];
            self.timeline.add_own(name, kind, contains, value as f64, time);
        };
        // The last value of a moment stays, and so does the greatest.
        add(builtin::VUS, most);
        add(builtin::VUS, active);
        add(builtin::VUS_MAX, initialised);
    }

    /// Records that a timer on a thread was late by this many milliseconds, just now.
    pub(super) fn record_lag(&mut self, thread: ThreadRole, millis: f64) {
        self.add_own(thread.series(), MetricType::Trend, Contains::Time, millis);
    }

    /// Records the share of all cores that the generator has used since the last call.
    pub(super) fn record_cpu(&mut self, share: f64) {
        self.add_own(CPU_SERIES, MetricType::Gauge, Contains::Default, share);
    }

    /// Adds a value of the generator's own series, now.
    fn add_own(&mut self, name: &str, kind: MetricType, contains: Contains, value: f64) {
        if !self.is_over {
            let now = self.epoch.stamp(std::time::Instant::now());
            self.timeline.add_own(name, kind, contains, value, now);
        }
    }

    /// Sorts the values of all trends, which makes the next snapshot cheap.
    pub(super) fn sort(&mut self) {
        self.endpoints.sort();
    }

    /// Requests by status, and errors, the most frequent first.
    pub(super) fn answers(&self) -> (Vec<(Arc<str>, u64)>, Vec<ErrorGroup>) {
        (self.endpoints.statuses(), self.endpoints.errors())
    }

    pub(super) fn result(&self) -> BreakdownResult {
        let mut endpoints = self.endpoints.list();
        endpoints.iter_mut().for_each(|endpoint| endpoint.duration.sort());
        let endpoint_width = self.endpoints.width();
        BreakdownResult { endpoints, endpoint_width, errors: self.endpoints.errors(), timeline: self.timeline.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::log::Logger;
    use crate::metrics::{HttpTimings, Interner, Ledger, LedgerOptions, Record, Registry, Usage};

    #[test]
    fn a_ledger_knows_how_the_generator_does() {
        let options = LedgerOptions { breakdown: Some(Epoch::now()), ..LedgerOptions::default() };
        let mut ledger = Ledger::new(Arc::new(Registry::new()), options, Logger::silent());
        assert_eq!(ledger.live_figures(), None);
        ledger.record_lag(ThreadRole::Script, Duration::from_millis(3));
        ledger.record_lag(ThreadRole::Network, Duration::from_millis(2));
        let used = |cpu: u64, elapsed: u64| Usage {
            cpu: Duration::from_secs(cpu),
            elapsed: Duration::from_secs(elapsed),
            cores: 2,
            peak_memory: 7,
        };
        ledger.record_usage(used(1, 1));
        ledger.record_usage(used(2, 3));
        let tags = Interner::default().set([("name", "n")]);
        let timings = HttpTimings { waiting: 4_000_000, ..HttpTimings::default() };
        ledger.fold(&[Record::Http { time: Stamp(0), timings, failed: Some(true), tags, metadata: None }]);
        let figures = ledger.live_figures().unwrap();
        assert_eq!((figures.requests, figures.failed, figures.p95), (1.0, 1.0, Some(4.0)));
        ledger.sort();
        let results = ledger.snapshot(Duration::from_secs(3));
        assert_eq!((results.health.script_lag.max(), results.health.network_lag.max()), (3.0, 2.0));
        assert_eq!(results.health.usage, used(2, 3));
        let timeline = results.breakdown.unwrap().timeline;
        let cpu = timeline.series().iter().find(|series| &*series.name == CPU_SERIES).unwrap();
        // One second of CPU in two seconds of two cores, since the time before.
        assert!(matches!(cpu.cells[0], Some(crate::metrics::timeline::Cell::Gauge(last, ..)) if last == 0.25));
        let names: Vec<_> = timeline.series().iter().map(|series| &*series.name).collect();
        assert_eq!(names[..3], ["generator_lag", "generator_network_lag", CPU_SERIES]);
    }

    #[test]
    fn a_display_can_show_more() {
        let options = LedgerOptions { breakdown: Some(Epoch::now()), ..LedgerOptions::default() };
        let mut ledger = Ledger::new(Arc::new(Registry::new()), options, Logger::silent());
        let nothing = ledger.live_requests();
        assert!(nothing.latency.is_empty() && nothing.statuses.is_empty() && nothing.statistics.is_empty());
        let interner = Interner::default();
        let mut record = |status: &'static str, millis: u64| {
            let tags = interner.set([("name", "n"), ("status", status)]);
            let timings = HttpTimings { waiting: millis * 1_000_000, ..HttpTimings::default() };
            ledger.fold(&[Record::Http { time: Stamp(0), timings, failed: Some(false), tags, metadata: None }]);
        };
        (1..=200).for_each(|millis| record("200", millis));
        record("404", 1_000);
        let shown = ledger.live_requests();
        let statuses: Vec<(&str, u64)> = shown.statuses.iter().map(|(status, count)| (&**status, *count)).collect();
        assert_eq!(statuses, [("200", 200), ("404", 1)]);
        assert_eq!(shown.latency.iter().map(|(_, count)| count).sum::<u64>(), 201);
        assert_eq!(shown.latency.len(), 11);
        assert_eq!((shown.latency[0].0, shown.latency[10].1), (1.0, 3));
        assert_eq!(shown.statistics.first(), Some(&("min", 1.0)));
        assert_eq!(shown.statistics.last(), Some(&("max", 1_000.0)));
    }
}
