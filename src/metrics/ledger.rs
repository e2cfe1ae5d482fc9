//! The single store of a run's numbers: folds records into sinks, judges thresholds, passes raw records to the outputs.
//!
//! A record costs no look-up: where its tag set leads is worked out on first sight and cached inside the set, so a set
//! belongs to one ledger. Recorders fold whole batches; the conductor of the run judges and reads; all under one lock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::answer;
use super::breakdown::Breakdown;
use super::builtin;
use super::delta::{LedgerDelta, MetricDelta};
use super::endpoint::{ErrorGroup, MAX_ENDPOINTS};
use super::groups::GroupTree;
use super::health::{self, HealthFigures, ThreadRole, Usage};
use super::metric::MetricId;
use super::metric_state::{MetricState, Submetric};
use super::output_channel::{DroppedSamples, OutputChannel};
use super::record::{Epoch, Record, Stamp};
use super::registry::Registry;
use super::results::Results;
use super::sections::Sections;
use super::sink::Sink;
use super::submetric::MetricSelector;
use super::system_tags::{SystemTag, SystemTags};
use super::tags::{Route, Routes, TagSet};
use super::threshold::{MetricThresholds, ThresholdVerdict};
use super::trend::Trend;
use crate::log::{Level, Logger};

/// More time series than this are worth a warning; the limit doubles each time, as in k6.
const SERIES_LIMIT: usize = 100_000;

/// What a ledger keeps in addition to the totals of all metrics.
#[derive(Clone, Debug, Default)]
pub struct LedgerOptions {
    /// Metrics and sub-metrics with their thresholds, from [`super::threshold::check`].
    pub watched: Vec<MetricThresholds>,
    /// The system tags that are on; with `expected_response`, `http_req_duration` gets its sub-metric of good answers.
    pub system_tags: SystemTags,
    /// Whether groups and scenarios get numbers of their own, for `--summary-mode=full`.
    pub sections: bool,
    /// The clock of the run, where endpoints, errors and the time series are kept.
    pub breakdown: Option<Epoch>,
}

/// The metrics of one run: their sinks and thresholds.
#[derive(Debug)]
pub struct Ledger {
    registry: Arc<Registry>,
    logger: Logger,
    /// By [`MetricId`].
    metrics: Vec<MetricState>,
    submetrics: Vec<Submetric>,
    system_tags: SystemTags,
    groups: GroupTree,
    keeps_sections: bool,
    sections: Sections,
    breakdown: Option<Box<Breakdown>>,
    health: HealthFigures,
    outputs: Vec<OutputChannel>,
    is_tainted: bool,
    series: usize,
    series_limit: usize,
    /// Whether what is added is kept for [`Self::take_added`].
    keeps_added: bool,
}

/// Figures for a live display.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveFigures {
    /// `http_reqs` so far.
    pub requests: f64,
    /// `http_req_failed` so far, 0 to 1.
    pub failed: f64,
    /// The 95th percentile of the times of answered requests so far, in milliseconds; `None` where there are none.
    pub p95: Option<f64>,
}

/// Figures of all requests so far, for a display that shows more.
#[derive(Clone, Debug, Default)]
pub struct LiveRequests {
    /// Where each range of times of answered requests begins, in milliseconds, and how many are in it; rising.
    pub latency: Vec<(f64, u64)>,
    /// Statistics of those times, in milliseconds.
    pub statistics: Vec<(&'static str, f64)>,
    /// Requests by status.
    pub statuses: Vec<(Arc<str>, u64)>,
    /// Errors, the most frequent first.
    pub errors: Vec<ErrorGroup>,
    /// `dropped_iterations`.
    pub dropped: f64,
}

/// How many ranges of times there are.
const LIVE_RANGES: usize = 10;

impl Ledger {
    /// An empty ledger for the metrics of this registry.
    pub fn new(registry: Arc<Registry>, options: LedgerOptions, logger: Logger) -> Self {
        let mut ledger = Self {
            registry,
            logger,
            metrics: Vec::new(),
            submetrics: Vec::new(),
            system_tags: options.system_tags,
            groups: GroupTree::new(),
            keeps_sections: options.sections,
            sections: Sections::default(),
            breakdown: options.breakdown.map(|epoch| Box::new(Breakdown::new(epoch))),
            health: HealthFigures::default(),
            outputs: Vec::new(),
            is_tainted: false,
            series: 0,
            series_limit: SERIES_LIMIT,
            keeps_added: false,
        };
        ledger.learn_metrics();
        for watched in options.watched {
            ledger.watch(watched);
        }
        if options.system_tags.has(SystemTag::ExpectedResponse) {
            ledger.add_submetric("http_req_duration{expected_response:true}", builtin::HTTP_REQ_DURATION);
        }
        ledger
    }

    /// Hands raw records on to an output from now on.
    pub fn attach(&mut self, output: OutputChannel) {
        self.outputs.push(output);
    }

    /// Disconnects the output that counts its dropped samples there: it still gets what is on its way, then its channel
    /// ends.
    pub fn detach(&mut self, dropped: &DroppedSamples) {
        self.outputs.retain(|output| !output.counts_in(dropped));
    }

    /// Adds a batch of records to the sinks and hands it on; leaves the batch empty.
    pub fn take(&mut self, batch: &mut Vec<Record>) {
        self.fold(batch);
        if self.outputs.is_empty() {
            batch.clear();
        } else {
            let shared: Arc<[Record]> = batch.drain(..).collect();
            self.outputs.iter().for_each(|output| output.send(&shared));
        }
    }

    /// Adds a batch of records to the sinks.
    pub fn fold(&mut self, batch: &[Record]) {
        for record in batch {
            let tags = record.tags();
            let routes = match tags.routes.get() {
                Some(routes) => routes,
                None => {
                    record.each_sample(|_, _| self.series += 1);
                    self.warn_of_series();
                    let routes = self.find_routes(tags);
                    tags.routes.get_or_init(|| routes)
                }
            };
            let time = record.time();
            record.each_sample(|metric, value| self.add(metric, value, time, tags, routes));
        }
    }

    #[inline]
    fn add(&mut self, metric: MetricId, value: f64, time: Stamp, tags: &TagSet, routes: &Routes) {
        let place = usize::from(metric.0);
        if place >= self.metrics.len() {
            self.learn_metrics();
        }
        let Some(state) = self.metrics.get_mut(place) else { return };
        let has_answer = answer::is_request_time(metric)
            .then(|| *routes.has_answer.get_or_init(|| answer::has_answer(metric, tags, self.system_tags)));
        state.add(value, time, has_answer);
        for route in routes.submetrics.iter().filter(|route| route.metric == metric) {
            self.submetrics[route.submetric as usize].state.add(value, time, has_answer);
        }
        if metric == builtin::CHECKS {
            let at = *routes.check.get_or_init(|| match tags.get("check") {
                Some(name) => self.groups.check(tags.get("group").unwrap_or_default(), name),
                None => usize::MAX,
            });
            // Without the system tag `check` it is unknown which check it was.
            if at != usize::MAX {
                self.groups.count(at, value != 0.0);
            }
        } else if metric == builtin::GROUP_DURATION {
            routes.group.get_or_init(|| self.groups.group(tags.get("group").unwrap_or_default()));
        }
        for section in &routes.sections {
            self.sections.add(*section, &self.metrics[place].metric, value, time, tags, has_answer);
        }
        if let Some(breakdown) = &mut self.breakdown
            && breakdown.add(&self.metrics[place].metric, value, time, tags, routes, has_answer != Some(false))
        {
            let message = format!("more than {MAX_ENDPOINTS} endpoints: further ones are counted together");
            let hint = "give URLs that differ in an id one `name` tag";
            self.logger.log(Level::Warning, message, vec![("hint", hint.into())]);
        }
    }

    /// Records how late a timer fired on a thread.
    pub fn record_lag(&mut self, thread: ThreadRole, late: Duration) {
        for late in health::missed(late) {
            let millis = late.as_secs_f64() * 1000.0;
            self.health.lag(thread).add(millis);
            if let Some(breakdown) = &mut self.breakdown {
                breakdown.record_lag(thread, millis);
            }
        }
    }

    /// The run begins: the time series start at this moment.
    pub fn begin(&mut self) {
        if let Some(breakdown) = &mut self.breakdown {
            breakdown.begin();
        }
    }

    /// The run is over: what is measured of the generator from now on, as while a run lingers, is not drawn.
    pub fn end(&mut self) {
        if let Some(breakdown) = &mut self.breakdown {
            breakdown.end();
        }
    }

    /// Records how many VUs are at work at a moment, and how many were at most since the last time; and how many there are.
    pub fn record_vus(&mut self, time: Stamp, active: u64, most: u64, initialised: u64) {
        if let Some(breakdown) = &mut self.breakdown {
            breakdown.record_vus(time, active, most, initialised);
        }
    }

    /// Records what the process has used since the run began.
    pub fn record_usage(&mut self, usage: Usage) {
        let before = std::mem::replace(&mut self.health.usage, usage);
        if let Some(breakdown) = &mut self.breakdown {
            let cpu = usage.cpu.saturating_sub(before.cpu);
            let elapsed = usage.elapsed.saturating_sub(before.elapsed);
            breakdown.record_cpu(Usage { cpu, elapsed, ..usage }.share());
        }
    }

    /// Sorts the values of all trends. Call it before taking repeated snapshots, so that none of them sorts from scratch.
    pub fn sort(&mut self) {
        self.metrics.iter_mut().for_each(|state| state.sink.sort());
        self.submetrics.iter_mut().for_each(|submetric| submetric.state.sink.sort());
        self.sections.sort();
        if let Some(breakdown) = &mut self.breakdown {
            breakdown.sort();
        }
    }

    /// Figures for a live display. `None` before the first request.
    pub fn live_figures(&mut self) -> Option<LiveFigures> {
        let requests = self.count(builtin::HTTP_REQS);
        let failed = match &self.metrics.get(usize::from(builtin::HTTP_REQ_FAILED.0))?.sink {
            Sink::Rate(rate) => rate.rate(),
            _ => return None,
        };
        let duration = self.metrics.get_mut(usize::from(builtin::HTTP_REQ_DURATION.0))?;
        if duration.sink.is_empty() {
            return None;
        }
        let p95 = duration.answered_times().filter(|trend| trend.count() > 0).map(|trend| {
            trend.sort();
            trend.percentile(95.0)
        });
        Some(LiveFigures { requests, failed, p95 })
    }

    /// Figures for a display that shows more; without a breakdown there are no statuses and no errors.
    pub fn live_requests(&mut self) -> LiveRequests {
        let dropped = self.count(builtin::DROPPED_ITERATIONS);
        let (statuses, errors) = self.breakdown.as_ref().map(|breakdown| breakdown.answers()).unwrap_or_default();
        let duration = self.metrics.get_mut(usize::from(builtin::HTTP_REQ_DURATION.0));
        let times = duration.and_then(MetricState::answered_times).filter(|trend| trend.count() > 0);
        let (mut latency, mut statistics) = (Vec::new(), Vec::new());
        if let Some(trend) = times {
            trend.sort();
            latency = ranges(trend);
            statistics.push(("min", trend.min()));
            for (name, percent) in [("med", 50.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0)] {
                statistics.push((name, trend.percentile(percent)));
            }
            statistics.push(("max", trend.max()));
        }
        LiveRequests { latency, statistics, statuses, errors, dropped }
    }

    /// Judges all thresholds. During the run (`is_final` false) metrics without samples are skipped.
    pub fn evaluate(&mut self, elapsed: Duration, is_final: bool) -> ThresholdVerdict {
        let mut verdict = ThresholdVerdict::default();
        let now = Epoch::now().stamp(Instant::now());
        for (name, state) in self.states() {
            let Some((holds, abort)) = state.judge(elapsed, now, is_final) else { continue };
            verdict.abort |= abort;
            if !holds {
                verdict.crossed.push(name);
            }
        }
        verdict.crossed.sort();
        self.is_tainted = !verdict.crossed.is_empty();
        verdict
    }

    /// Keeps what is added to every metric from now on, beside the totals, for [`Self::take_added`].
    pub fn keep_added(&mut self) {
        self.keeps_added = true;
        self.states().for_each(|(_, state)| state.keep_added());
    }

    /// What was added to every metric, sub-metric and check since the last call, or `whole`: all there is.
    pub fn take_added(&mut self, whole: bool) -> LedgerDelta {
        let delta = |(name, state): (Arc<str>, &mut MetricState)| {
            state.take_added(whole).map(|sink| MetricDelta { name, sink })
        };
        let metrics = self.states().filter_map(delta).collect();
        LedgerDelta { metrics, checks: self.groups.take_added(whole) }
    }

    /// Adds what other instances measured, as of this moment. What this ledger has no metric for is left out.
    pub fn absorb(&mut self, LedgerDelta { metrics: deltas, checks }: &LedgerDelta, time: Stamp) {
        self.learn_metrics();
        checks.iter().for_each(|check| self.groups.absorb(check));
        let mut states: FxHashMap<Arc<str>, &mut MetricState> = self.states().collect();
        // Each instance has VUs of its own, so the last one to tell says nothing: see `observe_vus`.
        for MetricDelta { name, sink } in deltas.iter().filter(|delta| !builtin::counts_vus(&delta.name)) {
            if let Some(state) = states.get_mut(name) {
                state.absorb(sink, time);
            }
        }
    }

    /// How many VUs of all instances are at work, and how many there are.
    pub fn observe_vus(&mut self, active: u64, initialised: u64, time: Stamp) {
        self.learn_metrics();
        for (metric, count) in [(builtin::VUS, active), (builtin::VUS_MAX, initialised)] {
            if let Some(state) = self.metrics.get_mut(usize::from(metric.0)) {
                state.add(count as f64, time, None);
            }
        }
    }

    fn states(&mut self) -> impl Iterator<Item = (Arc<str>, &mut MetricState)> {
        let metrics = self.metrics.iter_mut().map(|state| (state.metric.name.clone(), state));
        metrics.chain(self.submetrics.iter_mut().map(|one| (one.selector.name.clone(), &mut one.state)))
    }

    /// Whether a threshold was crossed when they were last judged.
    pub fn is_tainted(&self) -> bool {
        self.is_tainted
    }

    /// The sum of a counter so far; 0 for anything else.
    pub fn count(&self, metric: MetricId) -> f64 {
        match self.metrics.get(usize::from(metric.0)).map(|state| &state.sink) {
            Some(Sink::Counter(counter)) => counter.count(),
            _ => 0.0,
        }
    }

    /// Everything there is to show, after a run of this length.
    pub fn snapshot(&self, duration: Duration) -> Results {
        let shown = self.metrics.iter().filter(|state| state.is_shown()).map(|state| state.result(duration));
        let submetrics = self.submetrics.iter().filter(|one| one.state.is_shown());
        let mut metrics: Vec<_> = shown.chain(submetrics.map(|one| one.result(duration))).collect();
        metrics.sort_by(|a, b| (&a.parent, &a.name).cmp(&(&b.parent, &b.name)));
        let (groups, scenarios) = self.sections.arrange(&self.metrics, duration);
        let breakdown = self.breakdown.as_ref().map(|breakdown| breakdown.result());
        let (root, checks, health) = (self.groups.tree(), self.groups.flat(), self.health.clone());
        Results { duration, metrics, root, checks, groups, scenarios, health, breakdown }
    }

    /// Every sub-metric with its metric, in the order in which they were asked for.
    pub fn submetrics(&self) -> impl Iterator<Item = (MetricId, &MetricSelector)> {
        self.submetrics.iter().map(|one| (one.state.metric.id, &one.selector))
    }

    /// Makes the state of metrics that were declared since the last call.
    fn learn_metrics(&mut self) {
        let known = self.metrics.len();
        let new = self.registry.all().into_iter().skip(self.metrics.len());
        self.metrics.extend(new.map(MetricState::new));
        if self.keeps_added {
            self.metrics[known..].iter_mut().for_each(MetricState::keep_added);
        }
    }

    fn watch(&mut self, watched: MetricThresholds) {
        let MetricThresholds { selector, metric, thresholds } = watched;
        let Some(whole) = self.metrics.get_mut(usize::from(metric.id.0)) else { return };
        if selector.filter.is_none() {
            whole.watch(thresholds);
        } else {
            // A reader of the sub-metric may want to see the metric as well, sampled or not.
            whole.is_watched = true;
            let mut state = MetricState::new(metric);
            state.watch(thresholds);
            self.submetrics.push(Submetric { selector, state });
        }
    }

    fn add_submetric(&mut self, name: &str, metric: MetricId) {
        let known = self.submetrics.iter().any(|one| &*one.selector.name == name);
        if let (false, Ok(selector), Some(metric)) = (known, MetricSelector::parse(name), self.registry.get(metric)) {
            self.submetrics.push(Submetric { selector, state: MetricState::new(metric) });
        }
    }

    /// Warns when there are very many time series: metrics times tag sets.
    fn warn_of_series(&mut self) {
        if self.series > self.series_limit {
            let message = format!(
                "The test has generated metrics with {} unique time series, which is higher than the suggested limit \
                 of {SERIES_LIMIT} and could cause high memory usage",
                self.series
            );
            let hint = "outputs that keep time series grow with them; give URLs that differ in an id one `name` tag";
            self.logger.log(Level::Warning, message, vec![("hint", hint.into())]);
            self.series_limit *= 2;
        }
    }

    fn find_routes(&mut self, tags: &TagSet) -> Routes {
        let submetrics = self.submetrics.iter().enumerate().filter_map(|(place, one)| {
            let matches = one.selector.filter.as_ref().is_some_and(|filter| filter.matches(tags));
            matches.then_some(Route { metric: one.state.metric.id, submetric: place as u32 })
        });
        let submetrics = submetrics.collect();
        let mut routes = Routes { submetrics, ..Routes::default() };
        if self.keeps_sections {
            let scenario = tags.get("scenario").filter(|name| *name != "default").unwrap_or_default();
            let path = tags.get("group").filter(|path| path.starts_with("::")).unwrap_or_default();
            if !scenario.is_empty() {
                routes.sections.push(self.sections.place(scenario, ""));
            } else if self.breakdown.is_some() && tags.get("scenario").is_some() {
                routes.sections.push(self.sections.place("default", ""));
            }
            // Samples of setup and teardown outside groups of their own are in the totals only.
            if !path.is_empty() && !matches!(path, "::setup" | "::teardown") {
                routes.sections.push(self.sections.place(scenario, path));
            }
        }
        routes
    }
}

/// Equal ranges up to the 99th percentile, and what lies above in one more.
fn ranges(trend: &Trend) -> Vec<(f64, u64)> {
    let (least, most, high) = (trend.min(), trend.max(), trend.percentile(99.0));
    if most <= least {
        return vec![(least, trend.count())];
    }
    // Where nearly all are alike, the outliers decide.
    let high = if high > least { high } else { most };
    let step = (high - least) / LIVE_RANGES as f64;
    let mut bounds: Vec<f64> = (0..=LIVE_RANGES).map(|at| least + step * at as f64).collect();
    if most > high {
        bounds.push(most);
    }
    let counts = trend.counts_between(&bounds);
    bounds.into_iter().zip(counts).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::metrics::results::{MetricResult, MetricValues, Section};
    use crate::metrics::threshold::{self, ThresholdDef};
    use crate::metrics::{Contains, HttpTimings, Interner, MetricType, Recorder};

    struct Fixture {
        registry: Arc<Registry>,
        tags: Interner,
    }

    impl Fixture {
        fn new() -> Self {
            Self { registry: Arc::new(Registry::new()), tags: Interner::default() }
        }

        fn ledger(&self, thresholds: &[(&str, &str)], sections: bool) -> Ledger {
            let def =
                |text: &str| ThresholdDef { expression: text.to_owned(), abort_on_fail: true, delay_abort_eval: None };
            let defs: Vec<_> = thresholds.iter().map(|(name, text)| ((*name).to_owned(), vec![def(text)])).collect();
            let watched = threshold::check(&defs, &self.registry, true, &Logger::silent()).unwrap();
            let options = LedgerOptions { watched, sections, ..LedgerOptions::default() };
            Ledger::new(self.registry.clone(), options, Logger::silent())
        }

        fn sample(&self, metric: MetricId, value: f64, tags: &[(&str, &str)]) -> Record {
            let tags = self.tags.set(tags.iter().copied());
            Record::Sample { time: Stamp(0), metric, value, tags, metadata: None }
        }

        fn http(&self, millis: u64, status: &str) -> Record {
            let expected = if status == "200" { "true" } else { "false" };
            let tags = self.tags.set([("group", ""), ("status", status), ("expected_response", expected)]);
            let timings = HttpTimings { waiting: millis * 1_000_000, ..HttpTimings::default() };
            Record::Http { time: Stamp(0), timings, failed: Some(expected == "false"), tags, metadata: None }
        }
    }

    fn names(metrics: &[MetricResult]) -> Vec<&str> {
        metrics.iter().map(|metric| &*metric.name).collect()
    }

    fn shown(results: &Results, name: &str) -> String {
        match results.metric(name).map(|metric| &metric.values) {
            Some(MetricValues::Counter { count, rate }) => format!("{count} {rate}/s"),
            Some(MetricValues::Gauge { value, min, max }) => format!("{value} {min} {max}"),
            Some(MetricValues::Rate { rate, passes, fails }) => format!("{rate} {passes} {fails}"),
            Some(MetricValues::Trend(trend)) => format!("{} {}", trend.count(), trend.avg()),
            None => "absent".to_owned(),
        }
    }

    #[test]
    fn requests_reach_their_metric_and_the_parts_they_match() {
        let run = Fixture::new();
        let mut ledger =
            run.ledger(&[("http_reqs{status:404}", "count<1"), ("http_req_failed{status:500}", "rate<1")], false);
        ledger.fold(&[run.http(10, "200"), run.http(20, "200"), run.http(60, "404")]);
        let results = ledger.snapshot(Duration::from_secs(2));
        let check = |name: &str, expect: &str| assert_eq!(shown(&results, name), expect, "{name}");
        check("http_reqs", "3 1.5/s");
        check("http_reqs{status:404}", "1 0.5/s");
        check("http_req_duration", "3 30");
        check("http_req_duration{expected_response:true}", "2 15");
        check("http_req_failed", "0.3333333333333333 1 2");
        check("http_req_failed{status:500}", "0 0 0");
        check("iterations", "absent");
    }

    #[test]
    fn only_what_has_samples_or_thresholds_is_shown() {
        let run = Fixture::new();
        let tags = run.tags.set([("group", "")]);
        let mut ledger = run.ledger(&[("vus", "value>=0")], false);
        ledger.fold(&[Record::Iteration {
            time: Stamp(0),
            duration: Some(5),
            sent: 0,
            received: 0,
            tags,
            metadata: None,
        }]);
        let results = ledger.snapshot(Duration::from_secs(1));
        assert_eq!(names(&results.metrics), ["data_received", "data_sent", "iteration_duration", "iterations", "vus"]);
    }

    #[test]
    fn judges_in_the_middle_and_at_the_end() {
        let run = Fixture::new();
        let mut ledger =
            run.ledger(&[("iterations", "count>0"), ("checks", "rate>0.9"), ("vus{a:b}", "value>0")], false);
        let second = Duration::from_secs(1);
        assert_eq!(ledger.evaluate(second, false), ThresholdVerdict::default());
        assert!(!ledger.is_tainted());
        ledger.fold(&[run.sample(builtin::CHECKS, 0.0, &[("check", "c")])]);
        let verdict = ledger.evaluate(second, false);
        assert_eq!(
            verdict.failure().unwrap().message,
            "thresholds on metrics 'checks' were crossed; at least one has \
            abortOnFail enabled, stopping test prematurely"
        );
        assert!(ledger.is_tainted());
        // At the end there is nothing left to stop.
        let verdict = ledger.evaluate(second, true);
        assert_eq!(
            verdict.failure().unwrap().message,
            "thresholds on metrics 'checks, iterations, vus{a:b}' have been crossed"
        );
    }

    #[test]
    fn metrics_declared_later_find_their_place() {
        let run = Fixture::new();
        let mut ledger = run.ledger(&[], false);
        let late = run.registry.declare("late", MetricType::Counter, Contains::Default).unwrap();
        ledger.fold(&[run.sample(late, 2.0, &[])]);
        assert_eq!(ledger.count(late), 2.0);
    }

    #[test]
    fn groups_appear_by_checks_and_when_they_end() {
        let run = Fixture::new();
        let mut ledger = run.ledger(&[], false);
        let custom = run.registry.declare("custom", MetricType::Counter, Contains::Default).unwrap();
        ledger.fold(&[
            run.sample(custom, 1.0, &[("group", "::setup"), ("check", "no check")]),
            run.sample(builtin::CHECKS, 1.0, &[("group", "::a::b"), ("check", "c")]),
            run.sample(builtin::CHECKS, 0.0, &[("group", ""), ("check", "c")]),
            run.sample(builtin::GROUP_DURATION, 1.0, &[("group", "::z")]),
        ]);
        let results = ledger.snapshot(Duration::from_secs(1));
        let groups: Vec<_> = results.root.groups.iter().map(|group| &*group.path).collect();
        assert_eq!(groups, ["::a", "::z"]);
        assert_eq!(results.checks.len(), 1);
        assert_eq!((results.checks[0].passes, results.checks[0].fails), (1, 1));
    }

    #[test]
    fn sections_are_groups_and_named_scenarios() {
        let run = Fixture::new();
        let mut ledger = run.ledger(&[], true);
        let custom = run.registry.declare("custom", MetricType::Counter, Contains::Default).unwrap();
        let sample = |tags: &[(&str, &str)]| run.sample(custom, 1.0, tags);
        ledger.fold(&[
            sample(&[("group", "::setup")]),
            sample(&[("group", "::setup::inner")]),
            sample(&[("group", "::zoo"), ("scenario", "default")]),
            sample(&[("group", "::zoo::cage"), ("scenario", "default")]),
            sample(&[("group", ""), ("scenario", "walk")]),
            sample(&[("group", "::garage"), ("scenario", "bike")]),
            sample(&[("group", "my group"), ("scenario", "default")]),
        ]);
        fn shown(sections: &[Section]) -> String {
            let one =
                |section: &Section| format!("{}={}({})", section.name, section.metrics.len(), shown(&section.groups));
            sections.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        let results = ledger.snapshot(Duration::from_secs(1));
        assert_eq!(shown(&results.groups), "setup=0(inner=1()) zoo=1(cage=1())");
        assert_eq!(shown(&results.scenarios), "bike=1(garage=1()) walk=1()");
    }

    #[test]
    fn outputs_get_whole_batches_in_order_and_drop_what_they_can_not_hold() {
        let run = Fixture::new();
        let mut ledger = run.ledger(&[], false);
        let (channel, batches, dropped) = OutputChannel::new(2);
        ledger.attach(channel);
        let ledger = Arc::new(Mutex::new(ledger));
        let mut recorder = Recorder::new(ledger.clone());
        for millis in 0..3 {
            recorder.push(run.http(millis, "200"));
            recorder.flush();
        }
        let got: Vec<_> = batches.try_iter().map(|batch| batch.len()).collect();
        assert_eq!((got, dropped.samples()), (vec![1, 1], 9));
        assert_eq!(ledger.lock().unwrap().count(builtin::HTTP_REQS), 3.0);
    }
}
