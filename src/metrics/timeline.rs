//! How a run went over time: every metric per interval, never more than [`MAX_INTERVALS`] intervals.
//!
//! Intervals begin at one second. When there would be too many, neighbours are merged and the interval doubles, so a
//! run of two seconds and one of a day cost the same. The phases of requests are left out: they have their totals.

use std::sync::Arc;

use super::builtin;
use super::metric::{Contains, Metric, MetricId, MetricType};
use super::record::Stamp;
use super::sketch::QuantileSketch;

/// The most intervals of a run.
pub const MAX_INTERVALS: usize = 600;
/// The first width of an interval, in nanoseconds.
const FIRST_WIDTH: u64 = 1_000_000_000;
/// The most series; of a script with more metrics the first ones are kept over time.
const MAX_SERIES: usize = 100;

/// Whose samples are not kept over time: of the phases of requests the totals are enough, their distributions would double
/// the memory; how many VUs there were is told more often than it is sampled ([`Timeline::add_own`]).
const LEFT_OUT: [MetricId; 8] = [
    builtin::VUS,
    builtin::VUS_MAX,
    builtin::HTTP_REQ_BLOCKED,
    builtin::HTTP_REQ_CONNECTING,
    builtin::HTTP_REQ_TLS_HANDSHAKING,
    builtin::HTTP_REQ_SENDING,
    builtin::HTTP_REQ_WAITING,
    builtin::HTTP_REQ_RECEIVING,
];

/// What is kept of one metric in one interval.
#[derive(Clone, Debug)]
pub enum Cell {
    /// The sum of the interval.
    Counter(f64),
    /// Non-zero and zero samples.
    Rate(u64, u64),
    /// The last value and when it was, and the greatest.
    Gauge(f64, Stamp, f64),
    /// The distribution; for times of requests only of those that were answered, and how many were not.
    Trend(Arc<QuantileSketch>, u64),
}

impl Cell {
    fn new(kind: MetricType, value: f64, time: Stamp, has_answer: bool) -> Self {
        let mut cell = match kind {
            MetricType::Counter => Self::Counter(0.0),
            MetricType::Rate => Self::Rate(0, 0),
            MetricType::Gauge => Self::Gauge(value, time, value),
            MetricType::Trend => Self::Trend(Arc::default(), 0),
        };
        cell.add(value, time, has_answer);
        cell
    }

    fn add(&mut self, value: f64, time: Stamp, has_answer: bool) {
        match self {
            Self::Counter(sum) => *sum += value,
            Self::Rate(passes, fails) => *(if value != 0.0 { passes } else { fails }) += 1,
            Self::Gauge(last, at, max) => {
                if time >= *at {
                    (*last, *at) = (value, time);
                }
                *max = max.max(value);
            }
            Self::Trend(_, unanswered) if !has_answer => *unanswered += 1,
            // A snapshot may still read the last one.
            Self::Trend(digest, _) => Arc::make_mut(digest).add(value),
        }
    }

    fn merge(&mut self, later: &Self) {
        match (self, later) {
            (Self::Counter(sum), Self::Counter(more)) => *sum += more,
            (Self::Rate(passes, fails), Self::Rate(more, others)) => {
                *passes += more;
                *fails += others;
            }
            (Self::Gauge(last, at, max), Self::Gauge(value, time, greatest)) => {
                if time >= at {
                    (*last, *at) = (*value, *time);
                }
                *max = max.max(*greatest);
            }
            (Self::Trend(digest, unanswered), Self::Trend(more, others)) => {
                Arc::make_mut(digest).merge(more);
                *unanswered += others;
            }
            // Cells of one series are of one kind.
            _ => (),
        }
    }
}

/// The last interval counts as whole if at most one part in this many is missing at its end.
const TOLERANCE: u64 = 10;

/// One metric over time.
#[derive(Clone, Debug)]
pub struct TimelineSeries {
    /// The metric's name.
    pub name: Arc<str>,
    /// How its values add up.
    pub kind: MetricType,
    /// What its values mean.
    pub contains: Contains,
    /// What was seen, by interval; shorter than the run where nothing was seen any more.
    pub cells: Vec<Option<Cell>>,
}

impl TimelineSeries {
    /// Adds the cells of another instance, this many intervals later. VUs of instances are different VUs: they add up.
    fn add_shifted(&mut self, cells: Vec<Option<Cell>>, shift: usize) {
        if self.cells.len() < shift + cells.len() {
            self.cells.resize(shift + cells.len(), None);
        }
        let adds_up = builtin::counts_vus(&self.name);
        for (place, cell) in self.cells[shift..].iter_mut().zip(cells) {
            match (place.as_mut(), cell) {
                (_, None) => {}
                (None, cell) => *place = cell,
                (Some(Cell::Gauge(last, _, max)), Some(Cell::Gauge(value, _, greatest))) if adds_up => {
                    *last += value;
                    *max += greatest;
                }
                (Some(known), Some(cell)) => known.merge(&cell),
            }
        }
    }
}

/// All series.
#[derive(Clone, Debug)]
pub struct Timeline {
    start: Stamp,
    width: u64,
    points: usize,
    /// The latest moment that anything was seen, in nanoseconds since the start.
    latest: u64,
    series: Vec<TimelineSeries>,
    /// The place of each metric in `series`.
    places: Vec<Option<u16>>,
}

impl Timeline {
    /// An empty timeline that begins at `start`.
    pub fn new(start: Stamp) -> Self {
        Self { start, width: FIRST_WIDTH, points: 0, latest: 0, series: Vec::new(), places: Vec::new() }
    }

    /// A timeline that was written down: its last interval ends `latest` nanoseconds after the start.
    pub fn restore(start: Stamp, width: u64, points: usize, latest: u64, series: Vec<TimelineSeries>) -> Self {
        Self { start, width: width.max(1), points, latest, series, places: Vec::new() }
    }

    /// The greatest value of a gauge in any interval.
    pub fn peak(&self, name: &str) -> Option<f64> {
        let series = self.series.iter().find(|series| &*series.name == name)?;
        let greatest = |cell: &Option<Cell>| match cell {
            Some(Cell::Gauge(_, _, max)) => Some(*max),
            _ => None,
        };
        series.cells.iter().filter_map(greatest).reduce(f64::max)
    }

    /// Adds the timeline of another instance, on one axis of time: an interval of the other one counts where most of it lies.
    pub fn merge(&mut self, mut other: Self) {
        if other.start < self.start {
            std::mem::swap(self, &mut other);
        }
        let apart = other.start.0 - self.start.0;
        let shift = loop {
            while self.width < other.width {
                self.halve();
            }
            while other.width < self.width {
                other.halve();
            }
            let shift = ((apart + self.width / 2) / self.width) as usize;
            if shift + other.points <= MAX_INTERVALS {
                break shift;
            }
            self.halve();
        };
        self.points = self.points.max(shift + other.points);
        self.latest = self.latest.max(apart + other.latest).min(self.points as u64 * self.width);
        for series in other.series {
            let known = self.series.iter().position(|known| known.name == series.name && known.kind == series.kind);
            let TimelineSeries { name, kind, contains, cells } = series;
            let place = known.unwrap_or_else(|| {
                self.series.push(TimelineSeries { name, kind, contains, cells: Vec::new() });
                self.series.len() - 1
            });
            self.series[place].add_shifted(cells, shift);
        }
    }

    /// When the first interval begins.
    pub fn start(&self) -> Stamp {
        self.start
    }

    /// How long an interval is now, in nanoseconds.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// How many intervals there are.
    pub fn points(&self) -> usize {
        self.points
    }

    /// The length of the last interval in seconds, if it is not whole. The generator's own series are frequent enough to
    /// know when the run ended.
    pub fn last_partial(&self) -> Option<f64> {
        let whole = self.points as u64 * self.width;
        let missing = whole.saturating_sub(self.latest);
        (self.points > 0 && missing > self.width / TOLERANCE).then(|| self.width.saturating_sub(missing) as f64 / 1e9)
    }

    /// Everything that was seen, in order of first appearance.
    pub fn series(&self) -> &[TimelineSeries] {
        &self.series
    }

    /// Adds a sample of a metric of the registry; `has_answer` is false for the time of a request that got none.
    pub(super) fn add(&mut self, metric: &Metric, value: f64, time: Stamp, has_answer: bool) {
        let id = usize::from(metric.id.0);
        if id >= self.places.len() {
            self.places.resize(id + 1, None);
        }
        let place = match self.places[id] {
            Some(place) => usize::from(place),
            None if LEFT_OUT.contains(&metric.id) => return,
            None => {
                let Some(place) = self.place(&metric.name, metric.kind, metric.contains) else { return };
                self.places[id] = u16::try_from(place).ok();
                place
            }
        };
        self.put(place, value, time, has_answer);
    }

    /// Adds a value of a series that is not made of a metric's samples: the generator's own, and VUs.
    pub(super) fn add_own(&mut self, name: &str, kind: MetricType, contains: Contains, value: f64, time: Stamp) {
        let known = self.series.iter().position(|series| &*series.name == name);
        if let Some(place) = known.or_else(|| self.place(&name.into(), kind, contains)) {
            self.put(place, value, time, true);
        }
    }

    fn place(&mut self, name: &Arc<str>, kind: MetricType, contains: Contains) -> Option<usize> {
        (self.series.len() < MAX_SERIES).then(|| {
            self.series.push(TimelineSeries { name: name.clone(), kind, contains, cells: Vec::new() });
            self.series.len() - 1
        })
    }

    fn put(&mut self, place: usize, value: f64, time: Stamp, has_answer: bool) {
        let after = time.0.saturating_sub(self.start.0);
        while (after / self.width) as usize >= MAX_INTERVALS {
            self.halve();
        }
        let at = (after / self.width) as usize;
        self.points = self.points.max(at + 1);
        self.latest = self.latest.max(after);
        let TimelineSeries { kind, cells, .. } = &mut self.series[place];
        if at >= cells.len() {
            cells.resize(at + 1, None);
        }
        match &mut cells[at] {
            Some(cell) => cell.add(value, time, has_answer),
            empty => *empty = Some(Cell::new(*kind, value, time, has_answer)),
        }
    }

    /// Two intervals become one.
    fn halve(&mut self) {
        self.width *= 2;
        self.points = self.points.div_ceil(2);
        for series in &mut self.series {
            let halves = std::mem::take(&mut series.cells);
            let mut halves = halves.into_iter();
            while let Some(first) = halves.next() {
                let second = halves.next().flatten();
                series.cells.push(match (first, second) {
                    (Some(mut cell), Some(later)) => {
                        cell.merge(&later);
                        Some(cell)
                    }
                    (first, second) => first.or(second),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Registry;

    const START: u64 = 1_000_000_000_000;

    fn timeline() -> (Timeline, Registry) {
        (Timeline::new(Stamp(START)), Registry::new())
    }

    fn at(seconds: f64) -> Stamp {
        Stamp(START + (seconds * 1e9) as u64)
    }

    fn shown(timeline: &Timeline, name: &str) -> String {
        let series = timeline.series.iter().find(|series| &*series.name == name).unwrap();
        let cells = series.cells.iter().map(|cell| match cell {
            None => "-".to_owned(),
            Some(Cell::Counter(sum)) => format!("{sum}"),
            Some(Cell::Rate(passes, fails)) => format!("{passes}/{fails}"),
            Some(Cell::Gauge(last, _, max)) => format!("{last}<{max}"),
            Some(Cell::Trend(digest, 0)) => format!("{}x{}", digest.count(), digest.max()),
            Some(Cell::Trend(digest, unanswered)) => format!("{}x{}+{unanswered}", digest.count(), digest.max()),
        });
        cells.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_kind_is_kept_in_its_way() {
        let (mut timeline, registry) = timeline();
        let stock = registry.declare("stock", MetricType::Gauge, Contains::Default).unwrap();
        let mut add = |id, value, seconds| timeline.add(&registry.get(id).unwrap(), value, at(seconds), true);
        add(builtin::HTTP_REQS, 1.0, 0.2);
        add(builtin::HTTP_REQS, 1.0, 0.9);
        add(builtin::HTTP_REQS, 1.0, 2.5);
        add(builtin::CHECKS, 1.0, 0.1);
        add(builtin::CHECKS, 0.0, 0.1);
        add(stock, 5.0, 0.9);
        add(stock, 2.0, 0.5);
        add(builtin::VUS, 5.0, 0.9);
        add(builtin::HTTP_REQ_DURATION, 3.5, 1.0);
        add(builtin::HTTP_REQ_WAITING, 3.5, 1.0);
        assert_eq!(shown(&timeline, "http_reqs"), "2 - 1");
        assert_eq!(shown(&timeline, "checks"), "1/1");
        assert_eq!(shown(&timeline, "stock"), "5<5");
        assert_eq!(shown(&timeline, "http_req_duration"), "- 1x3.5");
        assert_eq!((timeline.points(), timeline.series().len()), (3, 4));
    }

    #[test]
    fn the_time_of_a_request_without_an_answer_is_no_time() {
        let check = |samples: &[(f64, f64, bool)], expect: &str| {
            let (mut timeline, registry) = timeline();
            let metric = registry.get(builtin::HTTP_REQ_DURATION).unwrap();
            samples.iter().for_each(|(millis, seconds, answered)| {
                timeline.add(&metric, *millis, at(*seconds), *answered);
            });
            assert_eq!(shown(&timeline, "http_req_duration"), expect, "{samples:?}");
        };
        check(&[(5.0, 0.1, true), (0.0, 0.2, false), (6.0, 1.2, true)], "1x5+1 1x6");
        // A time-out was waited for, and is no time of an answer either.
        check(&[(60_000.0, 0.1, false), (0.0, 0.2, false)], "0x0+2");
        check(&[(5.0, 0.1, true), (0.0, 1.2, false)], "1x5 0x0+1");
        // Intervals that become one keep both counts.
        let (mut long, registry) = timeline();
        let metric = registry.get(builtin::HTTP_REQ_DURATION).unwrap();
        for (seconds, answered) in [(0.1, true), (1.2, false), (3.1, false), (700.0, true)] {
            long.add(&metric, 5.0, at(seconds), answered);
        }
        assert!(shown(&long, "http_req_duration").starts_with("1x5+1 0x0+1 - "));
    }

    #[test]
    fn of_virtual_users_the_peak_of_an_interval_is_known() {
        let (mut timeline, _) = timeline();
        for (seconds, active) in [(0.1, 0.0), (0.6, 5.0), (0.9, 1.0), (1.0, 2.0), (2.4, 9.0), (2.4, 0.0)] {
            timeline.add_own("vus", MetricType::Gauge, Contains::Default, active, at(seconds));
        }
        assert_eq!(shown(&timeline, "vus"), "1<5 2<2 0<9");
    }

    #[test]
    fn a_day_has_as_many_points_as_there_may_be() {
        let (mut timeline, registry) = timeline();
        let (requests, durations) =
            (registry.get(builtin::HTTP_REQS).unwrap(), registry.get(builtin::HTTP_REQ_DURATION).unwrap());
        let seconds = 86_400;
        for second in 0..seconds {
            timeline.add(&requests, 1.0, at(f64::from(second)), true);
            timeline.add(&durations, f64::from(second % 100), at(f64::from(second)), true);
        }
        assert_eq!((timeline.width(), timeline.points()), (256_000_000_000, 338));
        let sum = |name: &str| -> f64 {
            let series = timeline.series.iter().find(|series| &*series.name == name).unwrap();
            let count = |cell: &Cell| match cell {
                Cell::Counter(sum) => *sum,
                Cell::Trend(digest, _) => digest.count() as f64,
                _ => 0.0,
            };
            series.cells.iter().flatten().map(count).sum()
        };
        assert_eq!((sum("http_reqs"), sum("http_req_duration")), (86_400.0, 86_400.0));
    }

    #[test]
    fn what_comes_late_or_early_has_a_place() {
        let (mut timeline, registry) = timeline();
        let metric = registry.get(builtin::ITERATIONS).unwrap();
        timeline.add(&metric, 1.0, at(700.0), true);
        timeline.add(&metric, 1.0, at(0.0), true);
        timeline.add(&metric, 1.0, Stamp(0), true);
        let Some(Cell::Counter(first)) = timeline.series[0].cells[0] else { panic!("there is a first cell") };
        assert_eq!((first, timeline.width()), (2.0, 2_000_000_000));
    }

    #[test]
    fn timelines_of_instances_come_to_one_axis() {
        let counted = |begin: f64, seconds: std::ops::Range<u32>| {
            let registry = Registry::new();
            let mut timeline = Timeline::new(at(begin));
            let (requests, times) =
                (registry.get(builtin::HTTP_REQS).unwrap(), registry.get(builtin::HTTP_REQ_DURATION).unwrap());
            for second in seconds {
                let time = at(begin + f64::from(second));
                timeline.add(&requests, 1.0, time, true);
                timeline.add(&times, f64::from(second), time, true);
                timeline.add_own("vus", MetricType::Gauge, Contains::Default, 2.0, time);
            }
            timeline
        };
        let check = |mut one: Timeline, other: Timeline, width: u64, requests: &str, vus: &str| {
            one.merge(other);
            assert_eq!(one.width(), width);
            assert_eq!((shown(&one, "http_reqs").as_str(), shown(&one, "vus").as_str()), (requests, vus));
        };
        let second = 1_000_000_000;
        check(counted(0.0, 0..3), counted(0.2, 0..3), second, "2 2 2", "4<4 4<4 4<4");
        check(counted(0.0, 0..3), counted(1.6, 0..3), second, "1 1 2 1 1", "2<2 2<2 4<4 2<2 2<2");
        check(counted(1.6, 0..3), counted(0.0, 0..3), second, "1 1 2 1 1", "2<2 2<2 4<4 2<2 2<2");
        check(counted(0.0, 0..1), counted(3.0, 0..1), second, "1 - - 1", "2<2 - - 2<2");
        let mut long = counted(0.0, 0..700);
        long.merge(counted(0.0, 0..4));
        assert!(shown(&long, "http_reqs").starts_with("4 4 2 2"), "{}", shown(&long, "http_reqs"));
        assert!(shown(&long, "http_req_duration").starts_with("4x1 4x3 2x5"));
        let mut late = counted(0.0, 0..400);
        late.merge(counted(400.0, 0..400));
        assert_eq!((late.width(), late.points()), (2 * second, 400));
    }

    #[test]
    fn an_interval_that_the_end_cut_off_is_known() {
        let check = |seconds: &[f64], expect: Option<f64>| {
            let (mut timeline, registry) = timeline();
            let requests = registry.get(builtin::HTTP_REQS).unwrap();
            seconds.iter().for_each(|second| timeline.add(&requests, 1.0, at(*second), true));
            assert_eq!(timeline.last_partial().map(|seconds| (seconds * 1e3).round() / 1e3), expect, "{seconds:?}");
        };
        check(&[], None);
        check(&[0.1, 1.5, 2.4], Some(0.4));
        check(&[0.1, 2.95], None);
        check(&[0.25], Some(0.25));
        // Whatever comes late does not make the end earlier.
        check(&[0.1, 2.4, 1.2], Some(0.4));
    }
}
