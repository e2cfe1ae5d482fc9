//! The one book of a run: takes records in, keeps sinks, judges thresholds, hands raw records on to the outputs.
//!
//! A record costs no look-up: where its tag set leads is worked out on first sight and kept inside the set, so a set
//! belongs to one ledger. Recorders fold whole batches, the conductor judges and reads; all under one lock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::builtin;
use super::detail::Detail;
use super::endpoint::MOST_ENDPOINTS;
use super::groups::Groups;
use super::health::{self, Health, Thread, Usage};
use super::record::{Epoch, Record, Stamp};
use super::registry::{Metric, MetricId, Registry};
use super::results::{MetricResult, Results, Section, Values};
use super::sink::Sink;
use super::submetric::Expression;
use super::system_tags::{SystemTag, SystemTags};
use super::tags::{Route, Routes, TagSet};
use super::tap::{Lost, Tap};
use super::threshold::{Threshold, Verdict, Watched};
use super::trend::Trend;
use crate::log::{Level, Logger};

/// More time series than this are worth a warning; the limit doubles each time, as in k6.
const SERIES_LIMIT: usize = 100_000;

/// What a ledger is asked to keep beside the totals of all metrics.
#[derive(Clone, Debug, Default)]
pub struct LedgerOptions {
    /// Metrics and sub-metrics with their thresholds, from [`super::threshold::check`].
    pub watched: Vec<Watched>,
    /// The system tags that are on; with `expected_response`, `http_req_duration` gets its part of good answers.
    pub system_tags: SystemTags,
    /// Whether groups and scenarios keep numbers of their own, for `--summary-mode=full`.
    pub sections: bool,
    /// Where endpoints, errors and the time series are kept: the clock of the run.
    pub detail: Option<Epoch>,
}

/// The sinks of one run.
#[derive(Debug)]
pub struct Ledger {
    registry: Arc<Registry>,
    logger: Logger,
    totals: Vec<Total>,
    parts: Vec<PartOf>,
    groups: Groups,
    keeps_sections: bool,
    sections: Vec<Numbers>,
    detail: Option<Box<Detail>>,
    health: Health,
    taps: Vec<Tap>,
    is_tainted: bool,
    series: usize,
    series_limit: usize,
}

/// A whole metric.
#[derive(Debug)]
struct Total {
    metric: Metric,
    sink: Sink,
    answered: Answered,
    /// Whether it is shown without samples, because the options name it.
    is_watched: bool,
    thresholds: Vec<Threshold>,
    /// Whether a threshold judges windows, and so has to see every sample.
    has_windows: bool,
}

/// A sub-metric.
#[derive(Debug)]
struct PartOf {
    expression: Expression,
    metric: Metric,
    sink: Sink,
    answered: Answered,
    is_watched: bool,
    thresholds: Vec<Threshold>,
    /// Whether a threshold judges windows, and so has to see every sample.
    has_windows: bool,
}

/// The values of answered requests only, kept apart from the first request on that got no answer. Before that they are
/// the sink itself, so a run in which every request is answered keeps nothing twice.
#[derive(Debug, Default)]
struct Answered(Option<Box<Trend>>);

impl Answered {
    /// Sees a value before the sink does.
    fn see(&mut self, sink: &Sink, value: f64, has_answer: bool) {
        match (&mut self.0, sink) {
            (Some(trend), _) if has_answer => trend.add(value),
            (None, Sink::Trend(all)) if !has_answer => self.0 = Some(all.clone()),
            _ => (),
        }
    }
}

/// A few figures of the moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glance {
    /// `http_reqs` so far.
    pub requests: f64,
    /// `http_req_failed` so far, 0 to 1.
    pub failed: f64,
    /// The 95th percentile of `http_req_duration` so far, in milliseconds.
    pub p95: f64,
}

/// The numbers of a scenario (`path` empty) or of a group in it; `scenario` is empty outside named ones.
#[derive(Debug)]
struct Numbers {
    scenario: Arc<str>,
    path: Arc<str>,
    sinks: Vec<Option<Sink>>,
    checks: Groups,
}

impl Ledger {
    /// A book for the metrics of this registry.
    pub fn new(registry: Arc<Registry>, options: LedgerOptions, logger: Logger) -> Self {
        let mut ledger = Self {
            registry,
            logger,
            totals: Vec::new(),
            parts: Vec::new(),
            groups: Groups::new(),
            keeps_sections: options.sections,
            sections: Vec::new(),
            detail: options.detail.map(|epoch| Box::new(Detail::new(epoch))),
            health: Health::default(),
            taps: Vec::new(),
            is_tainted: false,
            series: 0,
            series_limit: SERIES_LIMIT,
        };
        ledger.learn_metrics();
        for watched in options.watched {
            ledger.watch(watched);
        }
        if options.system_tags.has(SystemTag::ExpectedResponse) {
            ledger.add_part("http_req_duration{expected_response:true}", builtin::HTTP_REQ_DURATION);
        }
        ledger
    }

    /// Hands raw records on to an output from now on.
    pub fn attach(&mut self, tap: Tap) {
        self.taps.push(tap);
    }

    /// Lets go of the output that counts its lost samples there: it gets what is on its way, then its end.
    pub fn detach(&mut self, lost: &Lost) {
        self.taps.retain(|tap| !tap.leads_to(lost));
    }

    /// Adds a batch of records to the sinks and hands it on; leaves the batch empty.
    pub fn take(&mut self, batch: &mut Vec<Record>) {
        self.fold(batch);
        if self.taps.is_empty() {
            batch.clear();
        } else {
            let shared: Arc<[Record]> = batch.drain(..).collect();
            self.taps.iter().for_each(|tap| tap.send(&shared));
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
        if place >= self.totals.len() {
            self.learn_metrics();
        }
        let Some(total) = self.totals.get_mut(place) else { return };
        let is_request_time = (builtin::HTTP_REQ_DURATION.0..=builtin::HTTP_REQ_RECEIVING.0).contains(&metric.0);
        if is_request_time {
            total.answered.see(&total.sink, value, routes.has_answer);
        }
        total.sink.add(value, time);
        if total.has_windows {
            total.thresholds.iter_mut().for_each(|threshold| threshold.see(value, time));
        }
        for route in routes.parts.iter().filter(|route| route.metric == metric) {
            let part = &mut self.parts[route.sink as usize];
            if is_request_time {
                part.answered.see(&part.sink, value, routes.has_answer);
            }
            part.sink.add(value, time);
            if part.has_windows {
                part.thresholds.iter_mut().for_each(|threshold| threshold.see(value, time));
            }
        }
        if metric == builtin::CHECKS {
            let at = *routes.check.get_or_init(|| match tags.get("check") {
                Some(name) => self.groups.check(tags.get("group").unwrap_or_default(), name),
                None => usize::MAX,
            });
            // Without the system tag `check` there is no telling which check it was.
            if at != usize::MAX {
                self.groups.count(at, value != 0.0);
            }
        } else if metric == builtin::GROUP_DURATION {
            routes.group.get_or_init(|| self.groups.group(tags.get("group").unwrap_or_default()));
        }
        for section in &routes.sections {
            self.sections[*section as usize].add(&self.totals[place].metric, value, time, tags);
        }
        if let Some(detail) = &mut self.detail
            && detail.add(&self.totals[place].metric, value, time, tags, routes)
        {
            let message = format!("more than {MOST_ENDPOINTS} endpoints: further ones are counted together");
            let hint = "give URLs that differ in an id one `name` tag";
            self.logger.log(Level::Warning, message, vec![("hint", hint.into())]);
        }
    }

    /// A timer on a thread was late by so much.
    pub fn lagged(&mut self, thread: Thread, late: Duration) {
        for late in health::missed(late) {
            let millis = late.as_secs_f64() * 1000.0;
            self.health.lag(thread).add(millis);
            if let Some(detail) = &mut self.detail {
                detail.lagged(thread, millis);
            }
        }
    }

    /// What the process used since the run began.
    pub fn used(&mut self, usage: Usage) {
        let before = std::mem::replace(&mut self.health.usage, usage);
        if let Some(detail) = &mut self.detail {
            let cpu = usage.cpu.saturating_sub(before.cpu);
            let elapsed = usage.elapsed.saturating_sub(before.elapsed);
            detail.used_cpu(Usage { cpu, elapsed, ..usage }.share());
        }
    }

    /// Sorts what is kept. Whoever takes snapshots again and again does this first: then none of them sorts from scratch.
    pub fn settle(&mut self) {
        self.totals.iter_mut().for_each(|total| total.sink.settle());
        self.parts.iter_mut().for_each(|part| part.sink.settle());
        self.sections.iter_mut().flat_map(|section| &mut section.sinks).flatten().for_each(Sink::settle);
        if let Some(detail) = &mut self.detail {
            detail.settle();
        }
    }

    /// A few figures for somebody who watches: requests, failed ones, the 95th percentile of their time in
    /// milliseconds. `None` before the first request.
    pub fn glance(&mut self) -> Option<Glance> {
        let requests = self.count(builtin::HTTP_REQS);
        let failed = match &self.totals.get(usize::from(builtin::HTTP_REQ_FAILED.0))?.sink {
            Sink::Rate(rate) => rate.rate(),
            _ => return None,
        };
        match &mut self.totals.get_mut(usize::from(builtin::HTTP_REQ_DURATION.0))?.sink {
            Sink::Trend(trend) if trend.count() > 0 => {
                trend.settle();
                Some(Glance { requests, failed, p95: trend.percentile(95.0) })
            }
            _ => None,
        }
    }

    /// Judges all thresholds. During the run (`is_final` false) metrics without samples are passed over.
    pub fn evaluate(&mut self, elapsed: Duration, is_final: bool) -> Verdict {
        let totals = self.totals.iter_mut().map(|total| (&total.metric.name, &mut total.sink, &mut total.thresholds));
        let parts = self.parts.iter_mut().map(|part| (&part.expression.name, &mut part.sink, &mut part.thresholds));
        let mut verdict = Verdict::default();
        let now = Epoch::now().stamp(Instant::now());
        for (name, sink, thresholds) in totals.chain(parts) {
            if thresholds.is_empty() || (!is_final && sink.is_empty()) {
                continue;
            }
            if let Sink::Trend(trend) = sink {
                trend.settle();
            }
            let mut holds = true;
            for threshold in thresholds {
                holds &= if threshold.has_window() {
                    threshold.judge_windows(now, is_final)
                } else {
                    threshold.judge(sink, elapsed)
                };
                verdict.abort |= !is_final && threshold.wants_abort(elapsed);
            }
            if !holds {
                verdict.crossed.push(name.clone());
            }
        }
        verdict.crossed.sort();
        self.is_tainted = !verdict.crossed.is_empty();
        verdict
    }

    /// Whether a threshold was crossed when they were last judged.
    pub fn is_tainted(&self) -> bool {
        self.is_tainted
    }

    /// The sum of a counter so far; 0 for anything else.
    pub fn count(&self, metric: MetricId) -> f64 {
        match self.totals.get(usize::from(metric.0)).map(|total| &total.sink) {
            Some(Sink::Counter(counter)) => counter.count(),
            _ => 0.0,
        }
    }

    /// Everything there is to show, after a run of this length.
    pub fn snapshot(&self, duration: Duration) -> Results {
        let mut metrics = Vec::new();
        for total in self.totals.iter().filter(|total| total.is_watched || !total.sink.is_empty()) {
            metrics.push(MetricResult {
                thresholds: total.thresholds.clone(),
                answered: total.answered.0.as_deref().cloned(),
                ..result(&total.metric, &total.sink, duration)
            });
        }
        for part in self.parts.iter().filter(|part| part.is_watched || !part.sink.is_empty()) {
            let Expression { name, part: tags, .. } = part.expression.clone();
            let thresholds = part.thresholds.clone();
            let answered = part.answered.0.as_deref().cloned();
            metrics.push(MetricResult {
                name,
                part: tags,
                thresholds,
                answered,
                ..result(&part.metric, &part.sink, duration)
            });
        }
        metrics.sort_by(|a, b| (&a.parent, &a.name).cmp(&(&b.parent, &b.name)));
        let (groups, scenarios) = self.arrange_sections(duration);
        let detail = self.detail.as_ref().map(|detail| detail.result());
        let (root, checks, health) = (self.groups.tree(), self.groups.flat(), self.health.clone());
        Results { duration, metrics, root, checks, groups, scenarios, health, detail }
    }

    /// Every sub-metric with the metric it is a part of, in the order in which they were asked for.
    pub fn parts(&self) -> impl Iterator<Item = (MetricId, &Expression)> {
        self.parts.iter().map(|part| (part.metric.id, &part.expression))
    }

    /// Metrics that were declared since the last look get their sinks.
    fn learn_metrics(&mut self) {
        for metric in self.registry.all().into_iter().skip(self.totals.len()) {
            let sink = Sink::new(metric.kind, metric.contains);
            let (answered, thresholds) = (Answered::default(), Vec::new());
            self.totals.push(Total { metric, sink, answered, is_watched: false, thresholds, has_windows: false });
        }
    }

    fn watch(&mut self, watched: Watched) {
        let Watched { expression, metric, thresholds } = watched;
        let has_windows = thresholds.iter().any(Threshold::has_window);
        if expression.part.is_none() {
            if let Some(total) = self.totals.get_mut(usize::from(metric.id.0)) {
                total.has_windows = has_windows;
                (total.is_watched, total.thresholds) = (true, thresholds);
            }
        } else {
            // Whoever reads the part may read the whole as well, sampled or not.
            if let Some(total) = self.totals.get_mut(usize::from(metric.id.0)) {
                total.is_watched = true;
            }
            let sink = Sink::new(metric.kind, metric.contains);
            let answered = Answered::default();
            self.parts.push(PartOf { expression, metric, sink, answered, is_watched: true, thresholds, has_windows });
        }
    }

    fn add_part(&mut self, name: &str, metric: MetricId) {
        let known = self.parts.iter().any(|part| &*part.expression.name == name);
        if let (false, Ok(expression), Some(metric)) = (known, Expression::parse(name), self.registry.get(metric)) {
            let sink = Sink::new(metric.kind, metric.contains);
            self.parts.push(PartOf {
                expression,
                metric,
                sink,
                answered: Answered::default(),
                is_watched: false,
                thresholds: Vec::new(),
                has_windows: false,
            });
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
        let parts = self.parts.iter().enumerate().filter_map(|(place, part)| {
            let matches = part.expression.part.as_ref().is_some_and(|wanted| wanted.matches(tags));
            matches.then_some(Route { metric: part.metric.id, sink: place as u32 })
        });
        let parts = parts.collect();
        // No answer came where k6 gives the status 0.
        let has_answer = tags.get("status") != Some("0");
        let mut routes = Routes { parts, has_answer, ..Routes::default() };
        if self.keeps_sections {
            let scenario = tags.get("scenario").filter(|name| *name != "default").unwrap_or_default();
            let path = tags.get("group").filter(|path| path.starts_with("::")).unwrap_or_default();
            if !scenario.is_empty() {
                routes.sections.push(self.section(scenario, ""));
            } else if self.detail.is_some() && tags.get("scenario").is_some() {
                routes.sections.push(self.section("default", ""));
            }
            // What setup and teardown do outside groups of their own is in the totals only.
            if !path.is_empty() && !matches!(path, "::setup" | "::teardown") {
                routes.sections.push(self.section(scenario, path));
            }
        }
        routes
    }

    fn section(&mut self, scenario: &str, path: &str) -> u32 {
        let known = self.sections.iter().position(|known| &*known.scenario == scenario && &*known.path == path);
        let place = known.unwrap_or_else(|| {
            let (scenario, path) = (scenario.into(), path.into());
            self.sections.push(Numbers { scenario, path, sinks: Vec::new(), checks: Groups::new() });
            self.sections.len() - 1
        });
        place as u32
    }

    fn arrange_sections(&self, duration: Duration) -> (Vec<Section>, Vec<Section>) {
        let mut groups = Section::default();
        let mut scenarios: Vec<Section> = Vec::new();
        for numbers in &self.sections {
            let around = if numbers.scenario.is_empty() {
                &mut groups
            } else {
                let known = scenarios.iter().position(|known| known.name == numbers.scenario);
                let place = known.unwrap_or_else(|| {
                    scenarios.push(Section { name: numbers.scenario.clone(), ..Section::default() });
                    scenarios.len() - 1
                });
                &mut scenarios[place]
            };
            let section = around.inner(&numbers.path);
            section.checks = numbers.checks.flat();
            let sinks = numbers.sinks.iter().zip(&self.totals);
            let sinks = sinks.filter_map(|(sink, total)| Some(result(&total.metric, sink.as_ref()?, duration)));
            section.metrics = sinks.collect();
            section.metrics.sort_by(|a, b| a.name.cmp(&b.name));
        }
        scenarios.sort_by(|a, b| a.name.cmp(&b.name));
        (groups.groups, scenarios)
    }
}

fn result(metric: &Metric, sink: &Sink, duration: Duration) -> MetricResult {
    MetricResult {
        name: metric.name.clone(),
        parent: metric.name.clone(),
        part: None,
        contains: metric.contains,
        values: Values::of(sink, duration),
        answered: None,
        thresholds: Vec::new(),
    }
}

impl Numbers {
    fn add(&mut self, metric: &Metric, value: f64, time: Stamp, tags: &TagSet) {
        let place = usize::from(metric.id.0);
        if place >= self.sinks.len() {
            self.sinks.resize(place + 1, None);
        }
        self.sinks[place].get_or_insert_with(|| Sink::new(metric.kind, metric.contains)).add(value, time);
        if metric.id == builtin::CHECKS
            && let Some(name) = tags.get("check")
        {
            let check = self.checks.check("", name);
            self.checks.count(check, value != 0.0);
        }
    }
}

impl Section {
    /// The section at this path (`::a::b`) inside this one; made with all sections around it if it is new.
    fn inner(&mut self, path: &str) -> &mut Self {
        let mut section = self;
        for name in path.split("::").filter(|name| !name.is_empty()) {
            let known = section.groups.iter().position(|group| &*group.name == name);
            let place = known.unwrap_or_else(|| {
                section.groups.push(Self { name: name.into(), ..Self::default() });
                section.groups.len() - 1
            });
            section = &mut section.groups[place];
        }
        section
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::metrics::threshold::{self, ThresholdDef};
    use crate::metrics::{Contains, HttpTimings, Interner, MetricType, Recorder};

    struct Run {
        registry: Arc<Registry>,
        tags: Interner,
    }

    impl Run {
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
            Some(Values::Counter { count, rate }) => format!("{count} {rate}/s"),
            Some(Values::Gauge { value, min, max }) => format!("{value} {min} {max}"),
            Some(Values::Rate { rate, passes, fails }) => format!("{rate} {passes} {fails}"),
            Some(Values::Trend(trend)) => format!("{} {}", trend.count(), trend.avg()),
            None => "absent".to_owned(),
        }
    }

    #[test]
    fn requests_reach_their_metric_and_the_parts_they_match() {
        let run = Run::new();
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
        let run = Run::new();
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
        let run = Run::new();
        let mut ledger =
            run.ledger(&[("iterations", "count>0"), ("checks", "rate>0.9"), ("vus{a:b}", "value>0")], false);
        let second = Duration::from_secs(1);
        assert_eq!(ledger.evaluate(second, false), Verdict::default());
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
        let run = Run::new();
        let mut ledger = run.ledger(&[], false);
        let late = run.registry.declare("late", MetricType::Counter, Contains::Default).unwrap();
        ledger.fold(&[run.sample(late, 2.0, &[])]);
        assert_eq!(ledger.count(late), 2.0);
    }

    #[test]
    fn groups_appear_by_checks_and_when_they_end() {
        let run = Run::new();
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
        let run = Run::new();
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
    fn outputs_get_whole_batches_in_order_and_lose_what_they_can_not_hold() {
        let run = Run::new();
        let mut ledger = run.ledger(&[], false);
        let (tap, batches, lost) = Tap::new(2);
        ledger.attach(tap);
        let ledger = Arc::new(Mutex::new(ledger));
        let mut recorder = Recorder::new(ledger.clone());
        for millis in 0..3 {
            recorder.push(run.http(millis, "200"));
            recorder.flush();
        }
        let got: Vec<_> = batches.try_iter().map(|batch| batch.len()).collect();
        assert_eq!((got, lost.samples()), (vec![1, 1], 9));
        assert_eq!(ledger.lock().unwrap().count(builtin::HTTP_REQS), 3.0);
    }
}
