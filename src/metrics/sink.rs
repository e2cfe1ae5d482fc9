//! What is kept of a metric: a sum, a last value, a share or a distribution. No sample is kept for its own sake.

use super::compensated_sum::CompensatedSum;
use super::metric::{Contains, MetricType};
use super::record::Stamp;
use super::results::MetricValues;
use super::trend::Trend;

/// The state of one metric or sub-metric.
#[derive(Clone, Debug)]
pub enum Sink {
    /// A sum.
    Counter(CounterSink),
    /// The last value, with minimum and maximum.
    Gauge(GaugeSink),
    /// The share of non-zero values.
    Rate(RateSink),
    /// A distribution.
    Trend(Box<Trend>),
}

/// A sum.
#[derive(Clone, Copy, Debug, Default)]
pub struct CounterSink {
    pub(super) sum: CompensatedSum,
    pub(super) samples: u64,
}

/// The last value, with minimum and maximum; all 0 without samples.
#[derive(Clone, Copy, Debug, Default)]
pub struct GaugeSink {
    /// The latest value.
    pub value: f64,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
    pub(super) last: Option<Stamp>,
}

/// Non-zero and zero values, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateSink {
    /// Non-zero samples.
    pub passes: u64,
    /// Zero samples.
    pub fails: u64,
}

impl CounterSink {
    /// The sum of all samples.
    pub fn count(&self) -> f64 {
        self.sum.value()
    }
}

impl RateSink {
    /// All samples.
    pub fn total(&self) -> u64 {
        self.passes + self.fails
    }

    /// The share of non-zero samples, 0 to 1; 0 without samples.
    pub fn rate(&self) -> f64 {
        if self.total() == 0 { 0.0 } else { self.passes as f64 / self.total() as f64 }
    }
}

impl Sink {
    /// An empty sink for a metric of this kind.
    pub fn new(kind: MetricType, contains: Contains) -> Self {
        match kind {
            MetricType::Counter => Self::Counter(CounterSink::default()),
            MetricType::Gauge => Self::Gauge(GaugeSink::default()),
            MetricType::Rate => Self::Rate(RateSink::default()),
            MetricType::Trend => Self::Trend(Box::new(Trend::new(contains))),
        }
    }

    /// The sink that these are the numbers of, for thresholds to judge.
    pub fn of_values(values: &MetricValues) -> Self {
        match values {
            MetricValues::Counter { count, .. } => {
                Self::Counter(CounterSink { sum: CompensatedSum::of(*count), samples: 1 })
            }
            MetricValues::Gauge { value, min, max } => {
                Self::Gauge(GaugeSink { value: *value, min: *min, max: *max, last: Some(Stamp(0)) })
            }
            MetricValues::Rate { passes, fails, .. } => Self::Rate(RateSink { passes: *passes, fails: *fails }),
            MetricValues::Trend(trend) => Self::Trend(trend.clone()),
        }
    }

    /// Adds one sample.
    #[inline]
    pub fn add(&mut self, value: f64, time: Stamp) {
        match self {
            Self::Counter(counter) => {
                counter.sum.add(value);
                counter.samples += 1;
            }
            Self::Gauge(gauge) => gauge.add(value, value, value, time),
            Self::Rate(rate) if value != 0.0 => rate.passes += 1,
            Self::Rate(rate) => rate.fails += 1,
            Self::Trend(trend) => trend.add(value),
        }
    }

    /// Makes the next percentiles cheap.
    pub fn sort(&mut self) {
        if let Self::Trend(trend) = self {
            trend.sort();
        }
    }

    /// Adds what another sink of the same kind holds. Sinks of different kinds have nothing to add.
    pub fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Counter(one), Self::Counter(more)) => {
                one.sum.merge(more.sum);
                one.samples += more.samples;
            }
            (Self::Gauge(one), Self::Gauge(more)) => {
                if let Some(last) = more.last {
                    one.add(more.value, more.min, more.max, last);
                }
            }
            (Self::Rate(one), Self::Rate(more)) => {
                one.passes += more.passes;
                one.fails += more.fails;
            }
            (Self::Trend(one), Self::Trend(more)) => one.merge(more),
            (one, more) => debug_assert!(false, "{more:?} merged into {one:?}"),
        }
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Counter(counter) => counter.samples == 0,
            Self::Gauge(gauge) => gauge.last.is_none(),
            Self::Rate(rate) => rate.total() == 0,
            Self::Trend(trend) => trend.count() == 0,
        }
    }
}

impl GaugeSink {
    fn add(&mut self, value: f64, min: f64, max: f64, time: Stamp) {
        match self.last {
            None => *self = Self { value, min, max, last: Some(time) },
            Some(last) => {
                self.min = self.min.min(min);
                self.max = self.max.max(max);
                // Batches of several workers arrive in any order; the later moment wins.
                if time >= last {
                    (self.value, self.last) = (value, Some(time));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(kind: MetricType, samples: &[(f64, u64)]) -> Sink {
        let mut sink = Sink::new(kind, Contains::Default);
        samples.iter().for_each(|(value, time)| sink.add(*value, Stamp(*time)));
        sink
    }

    fn shown(sink: &Sink) -> String {
        match sink {
            Sink::Counter(counter) => format!("{}", counter.count()),
            Sink::Gauge(gauge) => format!("{} {} {}", gauge.value, gauge.min, gauge.max),
            Sink::Rate(rate) => format!("{} {} {}", rate.rate(), rate.passes, rate.fails),
            Sink::Trend(trend) => format!("{} {} {}", trend.avg(), trend.min(), trend.max()),
        }
    }

    #[test]
    fn adds_up_and_merges() {
        let check = |kind, a: &[(f64, u64)], b: &[(f64, u64)], expect: &str| {
            let all: Vec<_> = [a, b].concat();
            let (mut ab, mut ba) = (filled(kind, a), filled(kind, b));
            ab.merge(&filled(kind, b));
            ba.merge(&filled(kind, a));
            assert_eq!([shown(&filled(kind, &all)), shown(&ab), shown(&ba)], [expect; 3], "{kind:?}");
            assert_eq!(ab.is_empty(), all.is_empty());
        };
        check(MetricType::Counter, &[(1.0, 1), (2.5, 2)], &[(-1.0, 3)], "2.5");
        check(MetricType::Counter, &[], &[], "0");
        check(MetricType::Gauge, &[(7.0, 5)], &[(2.0, 3), (9.0, 4)], "7 2 9");
        check(MetricType::Gauge, &[], &[], "0 0 0");
        check(MetricType::Gauge, &[], &[(-3.0, 1)], "-3 -3 -3");
        check(MetricType::Rate, &[(1.0, 1), (0.0, 1)], &[(5.0, 1), (-1.0, 1)], "0.75 3 1");
        check(MetricType::Rate, &[], &[], "0 0 0");
        check(MetricType::Trend, &[(1.0, 1)], &[(3.0, 1)], "2 1 3");
    }

    #[test]
    fn sums_and_counts_do_not_drift_over_a_hundred_million_samples() {
        let mut counter = Sink::new(MetricType::Counter, Contains::Default);
        let mut rate = Sink::new(MetricType::Rate, Contains::Default);
        // Values with all bits in use, from a repeatable stream; their exact sum in steps of 2^-43.
        let (mut state, mut steps) = (5_u64, 0_u128);
        for at in 0..100_000_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bits = state >> 11;
            steps += u128::from(bits);
            counter.add(bits as f64 / 8_796_093_022_208.0, Stamp(0));
            rate.add(f64::from(u8::from(at % 4 == 0)), Stamp(0));
        }
        let (Sink::Counter(counter), Sink::Rate(rate)) = (counter, rate) else { panic!("sinks keep their kind") };
        assert_eq!(counter.count(), steps as f64 / 8_796_093_022_208.0);
        assert_eq!((rate.passes, rate.fails, rate.rate()), (25_000_000, 75_000_000, 0.25));
    }
}
