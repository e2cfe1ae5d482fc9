//! What the ledger keeps of one metric or sub-metric: its sink, its thresholds, and the times of answered requests.

use std::time::Duration;

use super::metric::Metric;
use super::record::Stamp;
use super::results::{MetricResult, MetricValues};
use super::sink::Sink;
use super::submetric::MetricSelector;
use super::threshold::Threshold;
use super::trend::Trend;

/// The state of a metric or sub-metric.
#[derive(Debug)]
pub(super) struct MetricState {
    pub(super) metric: Metric,
    pub(super) sink: Sink,
    answered: AnsweredTimes,
    /// Whether it is shown without samples because the options name it.
    pub(super) is_watched: bool,
    thresholds: Vec<Threshold>,
    /// Whether a threshold judges windows and therefore has to see every sample.
    has_windows: bool,
    /// What was added since it was last taken, where that is kept.
    added: Option<Sink>,
}

/// A sub-metric: which samples belong to it, and its state.
#[derive(Debug)]
pub(super) struct Submetric {
    pub(super) selector: MetricSelector,
    pub(super) state: MetricState,
}

/// The values of answered requests only, kept apart from the first request that got no answer. Until then they are the
/// sink itself, so a run in which every request is answered stores nothing twice.
#[derive(Clone, Debug, Default)]
pub(super) struct AnsweredTimes(Option<Box<Trend>>);

impl AnsweredTimes {
    /// Sees a value before the sink does.
    pub(super) fn observe(&mut self, sink: &Sink, value: f64, has_answer: bool) {
        match (&mut self.0, sink) {
            (Some(trend), _) if has_answer => trend.add(value),
            (None, Sink::Trend(all)) if !has_answer => self.0 = Some(all.clone()),
            _ => (),
        }
    }

    /// The values, if some requests were not answered.
    pub(super) fn kept(&self) -> Option<Trend> {
        self.0.as_deref().cloned()
    }
}

impl MetricState {
    /// An empty state without thresholds.
    pub(super) fn new(metric: Metric) -> Self {
        let sink = Sink::new(metric.kind, metric.contains);
        let (answered, thresholds) = (AnsweredTimes::default(), Vec::new());
        Self { metric, sink, answered, is_watched: false, thresholds, has_windows: false, added: None }
    }

    /// Judges these thresholds from now on and shows the metric even without samples.
    pub(super) fn watch(&mut self, thresholds: Vec<Threshold>) {
        self.has_windows = thresholds.iter().any(Threshold::has_window);
        (self.is_watched, self.thresholds) = (true, thresholds);
    }

    /// Adds a sample; `has_answer` is given for the times of requests only.
    #[inline]
    pub(super) fn add(&mut self, value: f64, time: Stamp, has_answer: Option<bool>) {
        if let Some(has_answer) = has_answer {
            self.answered.observe(&self.sink, value, has_answer);
        }
        self.sink.add(value, time);
        if self.has_windows {
            self.thresholds.iter_mut().for_each(|threshold| threshold.observe(value, time));
        }
        if let Some(added) = &mut self.added {
            added.add(value, time);
        }
    }

    /// Keeps what is added from now on, for [`Self::take_added`].
    pub(super) fn keep_added(&mut self) {
        self.added = Some(Sink::new(self.metric.kind, self.metric.contains));
    }

    /// What was added since the last call, or all of it; nothing where there is nothing.
    pub(super) fn take_added(&mut self, whole: bool) -> Option<Sink> {
        let added = self.added.replace(Sink::new(self.metric.kind, self.metric.contains))?;
        let sink = if whole { self.sink.clone() } else { added };
        (!sink.is_empty()).then_some(sink)
    }

    /// Adds what another instance measured, as of this moment.
    pub(super) fn absorb(&mut self, sink: &Sink, time: Stamp) {
        if std::mem::discriminant(&self.sink) == std::mem::discriminant(sink) {
            self.sink.merge(sink);
            self.thresholds.iter_mut().for_each(|threshold| threshold.observe_all(sink, time));
        }
    }

    /// Judges its thresholds: whether all of them hold, and whether one asks to end the run. Nothing where there are no
    /// thresholds; during the run (`is_final` false) also nothing without samples.
    pub(super) fn judge(&mut self, elapsed: Duration, now: Stamp, is_final: bool) -> Option<(bool, bool)> {
        if self.thresholds.is_empty() || (!is_final && self.sink.is_empty()) {
            return None;
        }
        self.sink.sort();
        let (mut holds, mut abort) = (true, false);
        for threshold in &mut self.thresholds {
            holds &= if threshold.has_window() {
                threshold.judge_windows(now, is_final)
            } else {
                threshold.judge(&self.sink, elapsed)
            };
            abort |= !is_final && threshold.wants_abort(elapsed);
        }
        Some((holds, abort))
    }

    /// The values of answered requests, where it is a trend: all values where none went without an answer.
    pub(super) fn answered_times(&mut self) -> Option<&mut Trend> {
        match (&mut self.answered.0, &mut self.sink) {
            (Some(answered), _) => Some(answered),
            (None, Sink::Trend(all)) => Some(all),
            _ => None,
        }
    }

    /// Whether it has samples or was named by the options.
    pub(super) fn is_shown(&self) -> bool {
        self.is_watched || !self.sink.is_empty()
    }

    /// Its numbers after a run of this length.
    pub(super) fn result(&self, duration: Duration) -> MetricResult {
        MetricResult {
            thresholds: self.thresholds.clone(),
            answered: self.answered.kept(),
            ..plain_result(&self.metric, &self.sink, duration)
        }
    }
}

impl Submetric {
    /// Its numbers after a run of this length.
    pub(super) fn result(&self, duration: Duration) -> MetricResult {
        let MetricSelector { name, filter, .. } = self.selector.clone();
        MetricResult { name, filter, ..self.state.result(duration) }
    }
}

/// The numbers of a sink, without thresholds.
pub(super) fn plain_result(metric: &Metric, sink: &Sink, duration: Duration) -> MetricResult {
    MetricResult {
        name: metric.name.clone(),
        parent: metric.name.clone(),
        filter: None,
        contains: metric.contains,
        values: MetricValues::of(sink, duration),
        last: if let Sink::Gauge(gauge) = sink { gauge.last } else { None },
        answered: None,
        thresholds: Vec::new(),
    }
}
