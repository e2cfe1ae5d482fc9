//! A sliding window of samples, which a threshold with `for 30s` judges instead of the whole run.
//!
//! Time is cut into slices of a tenth of the window, each with a sink of its own; a window is ten slices, and the next
//! one begins a slice later. Memory is bounded by the slices of one window and of one beat, or, where the slices are kept for
//! a merge with those of other instances, by [`MAX_KEPT_SLICES`].

use std::collections::VecDeque;
use std::time::Duration;

use super::metric::{Contains, MetricType};
use super::record::Stamp;
use super::sink::Sink;

/// Slices per window.
const SLICES: u64 = 10;
/// The shortest window.
pub const MIN_WINDOW: Duration = Duration::from_secs(1);
/// The most slices that are kept for a merge: an hour of windows of ten seconds.
const MAX_KEPT_SLICES: usize = 3_600;
/// How late samples may arrive, in nanoseconds: workers pass theirs on in batches.
const MAX_LATENESS: u64 = 500_000_000;

/// The slices of the recent past.
#[derive(Clone, Debug)]
pub struct Window {
    /// The length of a window.
    pub length: Duration,
    /// The length of a slice, in nanoseconds.
    slice: u64,
    kind: MetricType,
    contains: Contains,
    /// By number: its place on the axis of time.
    slices: VecDeque<(u64, Sink)>,
    /// The first slice that ever held something, and the last.
    first: Option<u64>,
    last: u64,
    /// The next slice that ends a window.
    next: u64,
    has_judged: bool,
    /// All slices that are over, where they are kept and there were not too many.
    over: Option<Vec<(u64, Sink)>>,
}

impl Window {
    /// An empty window for a metric of this kind.
    pub fn new(length: Duration, kind: MetricType, contains: Contains) -> Self {
        let slice = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX) / SLICES;
        Self {
            length,
            slice: slice.max(1),
            kind,
            contains,
            slices: VecDeque::new(),
            first: None,
            last: 0,
            next: 0,
            has_judged: false,
            over: None,
        }
    }

    /// A window over slices that were kept, in the order of their numbers.
    pub fn restore(length: Duration, kind: MetricType, contains: Contains, slices: Vec<(u64, Sink)>) -> Self {
        let mut window = Self::new(length, kind, contains);
        window.first = slices.first().map(|(at, _)| *at);
        window.last = slices.last().map_or(0, |(at, _)| *at);
        window.next = window.first.map_or(0, |first| first + SLICES - 1);
        window.slices = slices.into();
        window.over = Some(Vec::new());
        window
    }

    /// From now on all slices are kept.
    pub fn keep_slices(&mut self) {
        self.over.get_or_insert_default();
    }

    /// All slices in the order of their numbers, if they were kept.
    pub fn all_slices(&self) -> Option<impl Iterator<Item = &(u64, Sink)>> {
        Some(self.over.as_ref()?.iter().chain(&self.slices))
    }

    /// Adds a sample. One that comes too late for its slice is left to the whole run.
    pub fn add(&mut self, value: f64, time: Stamp) {
        if let Some(slice) = self.slice_at(time) {
            slice.add(value, time);
        }
    }

    /// Adds all samples of a sink at one moment.
    pub fn merge(&mut self, sink: &Sink, time: Stamp) {
        if let Some(slice) = self.slice_at(time) {
            slice.merge(sink);
        }
    }

    /// The slice of this moment; nothing if it was judged.
    fn slice_at(&mut self, time: Stamp) -> Option<&mut Sink> {
        let at = time.0 / self.slice;
        if self.first.is_none() {
            self.first = Some(at);
            // Windows begin with the first sample; the first one ends ten slices later.
            self.next = at + SLICES - 1;
        }
        self.last = self.last.max(at);
        let place = self.slices.partition_point(|(known, _)| *known < at);
        if self.slices.get(place).is_none_or(|(known, _)| *known != at) {
            if at + SLICES <= self.next && self.has_judged {
                return None;
            }
            self.slices.insert(place, (at, Sink::new(self.kind, self.contains)));
        }
        Some(&mut self.slices[place].1)
    }

    /// Shows every window that is over by now and was not shown yet, with the time it covers; at the end of a run also
    /// one that is cut short by it. A window without samples is shown of counters only, as they stand still then.
    pub fn each_due(&mut self, now: Stamp, is_final: bool, mut see: impl FnMut(&Sink, Duration)) {
        let Some(first) = self.first else { return };
        // The slice of this moment is not over.
        let over = (now.0.saturating_sub(MAX_LATENESS) / self.slice).saturating_sub(1);
        let until = if is_final { self.last } else { over };
        while self.next <= until {
            let from = (self.next + 1).saturating_sub(SLICES);
            self.show(from, self.next, self.length, &mut see);
            self.next += 1;
            self.has_judged = true;
            let keep = (self.next + 1).saturating_sub(SLICES);
            while self.slices.front().is_some_and(|(at, _)| *at < keep) {
                let slice = self.slices.pop_front();
                if let Some(over) = &mut self.over {
                    over.extend(slice);
                }
                self.over = self.over.take().filter(|over| over.len() <= MAX_KEPT_SLICES);
            }
        }
        if is_final && !self.has_judged {
            let covered = Duration::from_nanos(self.slice.saturating_mul(self.last - first + 1));
            self.show(first, self.last, covered.min(self.length), &mut see);
            self.has_judged = true;
        }
    }

    fn show(&self, from: u64, to: u64, covered: Duration, see: &mut impl FnMut(&Sink, Duration)) {
        let mut whole = Sink::new(self.kind, self.contains);
        for (_, sink) in self.slices.iter().filter(|(at, _)| (from..=to).contains(at)) {
            whole.merge(sink);
        }
        if let Sink::Trend(trend) = &mut whole {
            trend.sort();
        }
        if !whole.is_empty() || self.kind == MetricType::Counter {
            see(&whole, covered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// What each window of 10 s shows of samples (second, value), looked at now and at the end.
    fn shown(kind: MetricType, samples: &[(u64, f64)], now: u64) -> (Vec<f64>, Vec<f64>) {
        let mut window = Window::new(Duration::from_secs(10), kind, Contains::Default);
        samples.iter().for_each(|(second, value)| window.add(*value, Stamp(second * SECOND)));
        let figure = |sink: &Sink, covered: Duration| match sink {
            Sink::Counter(counter) => counter.count() / covered.as_secs_f64(),
            Sink::Trend(trend) => trend.max(),
            Sink::Gauge(gauge) => gauge.value,
            Sink::Rate(rate) => rate.rate(),
        };
        let (mut now_due, mut later) = (Vec::new(), Vec::new());
        window.each_due(Stamp(now * SECOND), false, |sink, covered| now_due.push(figure(sink, covered)));
        window.each_due(Stamp(now * SECOND), true, |sink, covered| later.push(figure(sink, covered)));
        (now_due, later)
    }

    #[test]
    fn a_window_slides_and_forgets() {
        let samples: Vec<_> = (0..20).map(|second| (second, if second == 3 { 9.0 } else { 1.0 })).collect();
        let (due, last) = shown(MetricType::Trend, &samples, 16);
        // Windows that end with seconds 9 to 14 are over; the nine of second 3 leaves with the one that ends with 13.
        assert_eq!(due, [9.0, 9.0, 9.0, 9.0, 1.0, 1.0]);
        assert_eq!(last, [1.0; 5]);
    }

    #[test]
    fn a_short_run_is_one_window() {
        assert_eq!(shown(MetricType::Trend, &[(5, 1.0), (7, 2.0)], 8), (vec![], vec![2.0]));
        assert_eq!(shown(MetricType::Counter, &[(5, 6.0), (6, 6.0)], 8), (vec![], vec![6.0]));
    }

    #[test]
    fn silence_counts_for_counters() {
        let (due, last) = shown(MetricType::Counter, &[(0, 10.0)], 13);
        assert_eq!((due, last), (vec![1.0, 0.0, 0.0], vec![]));
        let (due, _) = shown(MetricType::Trend, &[(0, 10.0)], 13);
        assert_eq!(due, [10.0]);
    }
}
