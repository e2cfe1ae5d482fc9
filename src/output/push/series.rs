//! The state of every time series (a metric and a tag set) since the run began, for outputs that push sums.
//!
//! A record costs one look-up, by the address of its tag set. Memory is bounded: after [`MAX_SERIES`] series further ones
//! are left out, with one warning.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::native_histogram::NativeHistogram;
use crate::log::Logger;
use crate::metrics::sink::Sink;
use crate::metrics::{Contains, Metric, MetricId, MetricType, Record, Registry, Stamp, TagSet};

/// The most series.
const MAX_SERIES: usize = 100_000;

/// Tags as the other end wants them, sorted by name.
pub type LabelSet = Arc<[(Box<str>, Box<str>)]>;

/// The labels of a tag set.
type LabelsOf = Box<dyn Fn(&TagSet) -> LabelSet + Send>;

/// What is kept of a series.
#[derive(Clone, Debug)]
pub enum SeriesValue {
    /// What the summary keeps too.
    Sink(Sink),
    /// Counts per range of a native histogram.
    Native(Box<NativeHistogram>),
    /// Counts between fixed bounds.
    Buckets(Box<Buckets>),
}

/// The bounds of OpenTelemetry's histograms, where nothing else is asked for.
pub const BOUNDS: [f64; 15] =
    [0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0];

/// Counts between [`BOUNDS`].
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    /// Up to each bound, and above the last.
    pub counts: [u64; BOUNDS.len() + 1],
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: crate::metrics::compensated_sum::CompensatedSum,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
}

impl Buckets {
    fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.counts[BOUNDS.partition_point(|bound| *bound < value)] += 1;
        (self.min, self.max) =
            if self.count == 0 { (value, value) } else { (self.min.min(value), self.max.max(value)) };
        self.count += 1;
        self.sum.add(value);
    }
}

/// How a trend is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrendAs {
    /// A distribution with percentiles.
    Trend,
    /// A native histogram.
    Native,
    /// Counts between fixed bounds.
    Buckets,
}

/// One time series.
#[derive(Clone, Debug)]
pub struct SeriesEntry {
    /// Its metric.
    pub metric: Metric,
    /// Its labels.
    pub labels: LabelSet,
    /// Its value so far.
    pub value: SeriesValue,
    /// Its latest sample.
    pub last: Stamp,
    /// Whether it has changed since it was last sent.
    pub is_changed: bool,
}

/// All time series of a run.
pub struct SeriesTable {
    registry: Arc<Registry>,
    logger: Logger,
    trend_as: TrendAs,
    label: LabelsOf,
    /// By address; the set is kept, so that the address stays its own.
    by_tags: FxHashMap<usize, (Arc<TagSet>, usize)>,
    by_labels: FxHashMap<LabelSet, usize>,
    /// For each set of labels: the series of each metric, by the metric's place; 0 for none, else the place and one.
    sets: Vec<(LabelSet, Vec<u32>)>,
    /// All of them, in order of appearance.
    pub all: Vec<SeriesEntry>,
    is_full: bool,
    max: usize,
}

impl SeriesTable {
    /// A table without series.
    pub fn new(
        registry: Arc<Registry>,
        logger: Logger,
        trend_as: TrendAs,
        label: impl Fn(&TagSet) -> LabelSet + Send + 'static,
    ) -> Self {
        let (by_tags, by_labels) = Default::default();
        Self {
            registry,
            logger,
            trend_as,
            label: Box::new(label),
            by_tags,
            by_labels,
            sets: Vec::new(),
            all: Vec::new(),
            is_full: false,
            max: MAX_SERIES,
        }
    }

    /// Adds the samples of a record to their series.
    pub fn take(&mut self, record: &Record) {
        let time = record.time();
        let Some(set) = self.set(record.tags()) else { return };
        record.each_sample(|metric, value| {
            if let Some(series) = self.series(set, metric) {
                match &mut series.value {
                    SeriesValue::Sink(sink) => sink.add(value, time),
                    // Prometheus counts time in seconds.
                    SeriesValue::Native(native) if series.metric.contains == Contains::Time => {
                        native.add(value / 1000.0)
                    }
                    SeriesValue::Native(native) => native.add(value),
                    SeriesValue::Buckets(buckets) => buckets.add(value),
                }
                series.last = series.last.max(time);
                series.is_changed = true;
            }
        });
    }

    /// Marks all series as changed, so that they are sent again.
    pub fn mark_all_changed(&mut self) {
        self.all.iter_mut().for_each(|series| series.is_changed = true);
    }

    fn set(&mut self, tags: &Arc<TagSet>) -> Option<usize> {
        let address = Arc::as_ptr(tags) as usize;
        if let Some((_, set)) = self.by_tags.get(&address) {
            return Some(*set);
        }
        if self.by_tags.len() >= self.max {
            self.warn_full();
            return None;
        }
        let labels = (self.label)(tags);
        let new = self.sets.len();
        let set = *self.by_labels.entry(labels.clone()).or_insert(new);
        if set == new {
            self.sets.push((labels, Vec::new()));
        }
        self.by_tags.insert(address, (tags.clone(), set));
        Some(set)
    }

    #[inline]
    fn series(&mut self, set: usize, metric: MetricId) -> Option<&mut SeriesEntry> {
        let place = usize::from(metric.0);
        match self.sets[set].1.get(place).copied().unwrap_or(0) {
            0 => self.new_series(set, metric),
            at => self.all.get_mut(at as usize - 1),
        }
    }

    fn new_series(&mut self, set: usize, id: MetricId) -> Option<&mut SeriesEntry> {
        if self.all.len() >= self.max {
            self.warn_full();
            return None;
        }
        let metric = self.registry.get(id)?;
        let state = match (metric.kind, self.trend_as) {
            (MetricType::Trend, TrendAs::Native) => SeriesValue::Native(Box::default()),
            (MetricType::Trend, TrendAs::Buckets) => SeriesValue::Buckets(Box::default()),
            (kind, _) => SeriesValue::Sink(Sink::new(kind, metric.contains)),
        };
        let (labels, places) = &mut self.sets[set];
        let labels = labels.clone();
        let place = usize::from(id.0);
        if places.len() <= place {
            places.resize(place + 1, 0);
        }
        self.all.push(SeriesEntry { metric, labels, value: state, last: Stamp(0), is_changed: true });
        places[place] = u32::try_from(self.all.len()).ok()?;
        self.all.last_mut()
    }

    fn warn_full(&mut self) {
        if !self.is_full {
            self.is_full = true;
            self.logger.warn(format!(
                "more than {} time series, further ones are left out of this output; give URLs that differ in an id \
                 one `name` tag",
                self.max
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Interner;

    fn labels(tags: &TagSet) -> LabelSet {
        tags.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.into(), value.into())).collect()
    }

    #[test]
    fn series_are_identified_by_their_labels_and_bounded() {
        let registry = Arc::new(Registry::new());
        let counter = registry.declare("cc", MetricType::Counter, Contains::Default).unwrap();
        let mut table = SeriesTable::new(registry, Logger::silent(), TrendAs::Trend, labels);
        table.max = 3;
        let tags = Interner::default();
        let mut add = |list: &[(&str, &str)]| {
            let tags = tags.set(list.iter().copied());
            table.take(&Record::Sample { time: Stamp(1), metric: counter, value: 1.0, tags, metadata: None });
        };
        add(&[("a", "1")]);
        add(&[("a", "1"), ("group", "")]);
        add(&[("a", "2")]);
        add(&[("a", "3")]);
        let counts: Vec<_> = table
            .all
            .iter()
            .map(|series| match &series.value {
                SeriesValue::Sink(Sink::Counter(counter)) => counter.count(),
                _ => -1.0,
            })
            .collect();
        assert_eq!((counts, table.is_full), (vec![2.0, 1.0], true));
    }

    #[test]
    fn buckets_hold_their_upper_bound() {
        let mut buckets = Buckets::default();
        [0.0, 5.0, 5.1, 10_001.0].iter().for_each(|value| buckets.add(*value));
        assert_eq!((buckets.counts[0], buckets.counts[1], buckets.counts[2], buckets.counts[15]), (1, 1, 1, 1));
        assert_eq!((buckets.count, buckets.min, buckets.max), (4, 0.0, 10_001.0));
    }
}
