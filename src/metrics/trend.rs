//! A distribution: exact up to [`EXACT_LIMIT`] values, then a histogram of three significant digits.
//!
//! Count, minimum, maximum and sum are exact always. Percentiles interpolate between neighbouring ranks, as k6 does;
//! up to the limit they are the very numbers k6 would show. Memory stays bounded: 80 KB, then the histogram.

use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use hdrhistogram::{Counter, Histogram};

use super::compensated_sum::CompensatedSum;
use super::metric::Contains;

/// The most values that are kept one by one.
pub const EXACT_LIMIT: usize = 10_000;

/// All values of a trend so far.
#[derive(Clone, Debug)]
pub struct Trend {
    contains: Contains,
    count: u64,
    min: f64,
    max: f64,
    sum: CompensatedSum,
    store: TrendValues,
}

#[derive(Clone, Debug)]
enum TrendValues {
    Exact { values: Vec<f64>, sorted: bool },
    ScaledHistogram(Box<ScaledHistogram>),
}

impl Trend {
    /// An empty trend. What the values mean decides how finely a histogram would keep them.
    pub fn new(contains: Contains) -> Self {
        Self {
            contains,
            count: 0,
            min: 0.0,
            max: 0.0,
            sum: CompensatedSum::default(),
            store: TrendValues::Exact { values: Vec::new(), sorted: true },
        }
    }

    /// Adds a value. NaN is ignored.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.note(value, value, 1);
        self.sum.add(value);
        match &mut self.store {
            TrendValues::ScaledHistogram(coarse) => coarse.add(value, 1),
            TrendValues::Exact { values, sorted } if values.len() < EXACT_LIMIT => {
                values.push(value);
                *sorted = false;
            }
            TrendValues::Exact { .. } => self.coarse().add(value, 1),
        }
    }

    /// Adds all values of another trend, as if they had been added one by one.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.note(other.min, other.max, other.count);
        self.sum.merge(other.sum);
        match (&mut self.store, &other.store) {
            (TrendValues::Exact { values, sorted }, TrendValues::Exact { values: more, .. })
                if values.len() + more.len() <= EXACT_LIMIT =>
            {
                values.extend_from_slice(more);
                *sorted = false;
            }
            (_, TrendValues::Exact { values: more, .. }) => {
                let coarse = self.coarse();
                more.iter().for_each(|value| coarse.add(*value, 1));
            }
            (_, TrendValues::ScaledHistogram(more)) => {
                let coarse = self.coarse();
                coarse.refine(more.scale);
                more.each(|value, count| coarse.add(value, count));
            }
        }
    }

    /// What the values mean.
    pub fn contains(&self) -> Contains {
        self.contains
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The minimum; 0 without values.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The maximum; 0 without values.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The sum of all values.
    pub fn sum(&self) -> f64 {
        self.sum.value()
    }

    /// The mean; 0 without values.
    pub fn avg(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum() / self.count as f64 }
    }

    /// Whether percentiles come from the values themselves, not from a histogram.
    pub fn is_exact(&self) -> bool {
        matches!(self.store, TrendValues::Exact { .. })
    }

    /// Sorts the values, so that percentiles need no copy. Cheap if little was added since the last call.
    pub fn sort(&mut self) {
        if let TrendValues::Exact { values, sorted } = &mut self.store
            && !*sorted
        {
            // A stable sort is quick on the sorted run that the last call left at the front.
            values.sort_by(f64::total_cmp);
            *sorted = true;
        }
    }

    /// The value below which `percent` (0 to 100) of the values lie, interpolated between ranks; 0 without values.
    pub fn percentile(&self, percent: f64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let place = percent / 100.0 * (self.count - 1) as f64;
        let (low, high) = (place.floor() as u64, place.ceil() as u64);
        let (below, above) = match &self.store {
            TrendValues::Exact { values, sorted: true } => (values[low as usize], values[high as usize]),
            TrendValues::Exact { values, .. } => {
                let mut values = values.clone();
                values.sort_by(f64::total_cmp);
                (values[low as usize], values[high as usize])
            }
            TrendValues::ScaledHistogram(coarse) => {
                let at = |rank| match rank {
                    0 => self.min,
                    rank if rank + 1 >= self.count => self.max,
                    rank => coarse.at_rank(rank).clamp(self.min, self.max),
                };
                (at(low), at(high))
            }
        };
        // Equal neighbours need no interpolation, and two infinite ones allow none.
        if below == above { below } else { below + (above - below) * (place - place.floor()) }
    }

    /// How many values lie between each two neighbours of `bounds`, which rise; what lies outside counts for the first or
    /// the last.
    pub fn counts_between(&self, bounds: &[f64]) -> Vec<u64> {
        let last = bounds.len().saturating_sub(2);
        let mut counts = vec![0; last + 1];
        let mut see = |value: f64, count: u64| {
            let place = bounds.partition_point(|bound| *bound <= value).saturating_sub(1).min(last);
            counts[place] += count;
        };
        match &self.store {
            TrendValues::Exact { values, .. } => values.iter().for_each(|value| see(*value, 1)),
            TrendValues::ScaledHistogram(coarse) => coarse.each(see),
        }
        counts
    }

    /// The values as histograms of three significant digits, for merging several runs.
    pub fn encoded_histograms(&self) -> EncodedHistograms {
        let coarse = match &self.store {
            TrendValues::ScaledHistogram(coarse) => (**coarse).clone(),
            TrendValues::Exact { values, .. } => {
                let mut coarse = ScaledHistogram::new(scale_for(self.contains, values));
                values.iter().for_each(|value| coarse.add(*value, 1));
                coarse
            }
        };
        let ScaledHistogram { scale, below_all, negative, positive, above_all } = coarse;
        EncodedHistograms { scale, below_all, negative: negative.encoded(), positive: positive.encoded(), above_all }
    }

    /// The values themselves in ascending order, where they are kept one by one: eight bytes each, little-endian.
    pub fn encoded_values(&self) -> Option<Vec<u8>> {
        let TrendValues::Exact { values, .. } = &self.store else { return None };
        let mut values = values.clone();
        values.sort_by(f64::total_cmp);
        Some(values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// The trend that was stored.
    ///
    /// # Errors
    /// What is stored can't be that of a trend.
    pub fn restore(contains: Contains, stored: &StoredTrend) -> Result<Self, &'static str> {
        let StoredTrend { sum, min, max, .. } = *stored;
        let mut trend = Self::new(contains);
        if let Some(bytes) = &stored.values {
            let (values, []) = bytes.as_chunks() else { return Err("its exact values are cut off") };
            values.iter().for_each(|bytes| trend.add(f64::from_le_bytes(*bytes)));
            let is_whole = trend.count == stored.count && trend.is_exact();
            return if is_whole { Ok(trend) } else { Err("it does not have as many exact values as it counts") };
        }
        if stored.count == 0 {
            return Ok(trend);
        }
        let EncodedHistograms { scale, below_all, ref negative, ref positive, above_all } = stored.histograms;
        if !(scale.is_finite() && scale > 0.0) {
            return Err("its histogram has no scale");
        }
        let decode = |bytes: &Option<Vec<u8>>| -> Result<GrowingHistogram, &'static str> {
            let Some(bytes) = bytes else { return Ok(GrowingHistogram::Empty) };
            let decoded = Deserializer::new().deserialize::<u64, _>(&mut &**bytes);
            let mut decoded = decoded.map_err(|_| "its histogram is none in the format V2")?;
            decoded.auto(true);
            Ok(GrowingHistogram::Wide(decoded))
        };
        let (negative, positive) = (decode(negative)?, decode(positive)?);
        let parts = [below_all, negative.len(), positive.len(), above_all];
        if parts.into_iter().try_fold(0_u64, u64::checked_add) != Some(stored.count) {
            return Err("its histogram does not have as many values as it counts");
        }
        trend.note(min, max, stored.count);
        trend.sum = CompensatedSum::of(sum);
        let histogram = ScaledHistogram { scale, below_all, negative, positive, above_all };
        trend.store = TrendValues::ScaledHistogram(Box::new(histogram));
        Ok(trend)
    }

    fn note(&mut self, min: f64, max: f64, count: u64) {
        if self.count == 0 {
            (self.min, self.max) = (min, max);
        } else {
            self.min = self.min.min(min);
            self.max = self.max.max(max);
        }
        self.count += count;
    }

    /// The histogram, made from the values kept so far if there is none yet.
    fn coarse(&mut self) -> &mut ScaledHistogram {
        if let TrendValues::Exact { values, .. } = &self.store {
            let mut coarse = ScaledHistogram::new(scale_for(self.contains, values));
            values.iter().for_each(|value| coarse.add(*value, 1));
            self.store = TrendValues::ScaledHistogram(Box::new(coarse));
        }
        match &mut self.store {
            TrendValues::ScaledHistogram(coarse) => coarse,
            TrendValues::Exact { .. } => unreachable!("the line above made it coarse"),
        }
    }
}

/// A trend as a file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTrend {
    /// How many values there are.
    pub count: u64,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
    /// The sum of all values.
    pub sum: f64,
    /// The values themselves, as [`Trend::encoded_values`] has them.
    pub values: Option<Vec<u8>>,
    /// What is known of the values where these are not there.
    pub histograms: EncodedHistograms,
}

/// A trend's values as histograms in the format of the HdrHistogram libraries (V2, not compressed).
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedHistograms {
    /// How many units of the histograms make one unit of the values.
    pub scale: f64,
    /// How many values are minus infinity.
    pub below_all: u64,
    /// The magnitudes of negative values.
    pub negative: Option<Vec<u8>>,
    /// Values from zero up.
    pub positive: Option<Vec<u8>>,
    /// How many values are infinity.
    pub above_all: u64,
}

/// How many histogram units make one: nanoseconds for times, else one or as many more as the values ask for.
///
/// Scales differ by powers of two only: ranges then have the same bounds at every scale, and values may arrive in any
/// order, one by one or merged, with the same outcome.
fn scale_for(contains: Contains, values: &[f64]) -> f64 {
    let base = if contains == Contains::Time { 1e6 } else { 1.0 };
    let finest = values.iter().map(|value| needed(*value, base)).fold(base, f64::max);
    possible(finest, values.iter().filter(|value| value.is_finite()).map(|value| value.abs()).fold(0.0, f64::max))
}

/// A value of at least this many units keeps three digits: less than half a thousandth is lost.
const MIN_UNITS: f64 = 2048.0;

/// The first scale from this one up, in steps of two, at which a value is whole or has units enough.
fn needed(value: f64, scale: f64) -> f64 {
    let (mut units, mut scale) = (value.abs() * scale, scale);
    let is_whole = |units: f64| (units - units.round()).abs() <= units * 1e-14;
    while units < MIN_UNITS && !is_whole(units) && scale < MAX_UNITS {
        (units, scale) = (units * 2.0, scale * 2.0);
    }
    scale
}

/// The first scale from this one down, in steps of two, at which this value is on the histogram.
fn possible(mut scale: f64, greatest: f64) -> f64 {
    while greatest * scale > MAX_UNITS {
        scale /= 2.0;
    }
    scale
}

/// Beyond this the scale is made coarser, so that no value falls off the histogram's end.
const MAX_UNITS: f64 = 4e18;

/// Values as counts per range, each range within a thousandth of its values.
#[derive(Clone, Debug)]
struct ScaledHistogram {
    scale: f64,
    below_all: u64,
    negative: GrowingHistogram,
    positive: GrowingHistogram,
    above_all: u64,
}

impl ScaledHistogram {
    fn new(scale: f64) -> Self {
        Self { scale, below_all: 0, negative: GrowingHistogram::Empty, positive: GrowingHistogram::Empty, above_all: 0 }
    }

    fn add(&mut self, value: f64, count: u64) {
        if value == f64::INFINITY {
            self.above_all += count;
        } else if value == f64::NEG_INFINITY {
            self.below_all += count;
        } else {
            let units = value.abs() * self.scale;
            if units < MIN_UNITS {
                self.refine(needed(value, self.scale));
            } else if units > MAX_UNITS {
                self.rescale(possible(self.scale, value.abs()));
            }
            let side = if value < 0.0 { &mut self.negative } else { &mut self.positive };
            // A whole number that rounding made a little less than whole is one all the same.
            side.add((value.abs() * self.scale * (1.0 + 1e-14)) as u64, count);
        }
    }

    /// Makes the scale as fine as this, as far as the maximum allows it.
    fn refine(&mut self, scale: f64) {
        if scale > self.scale {
            let greatest = self.negative.greatest().max(self.positive.greatest()) as f64 / self.scale;
            let scale = possible(scale, greatest);
            if scale > self.scale {
                self.rescale(scale);
            }
        }
    }

    fn rescale(&mut self, scale: f64) {
        let old = std::mem::replace(self, Self::new(scale));
        old.each(|value, count| self.add(value, count));
    }

    /// The value at this place of all values in ascending order, counted from 0.
    fn at_rank(&self, rank: u64) -> f64 {
        let (mut rank, negatives) = (rank, self.negative.len());
        if rank < self.below_all {
            return f64::NEG_INFINITY;
        }
        rank -= self.below_all;
        if rank < negatives {
            return -(self.negative.at_rank(negatives - 1 - rank) as f64 / self.scale);
        }
        rank -= negatives;
        if rank < self.positive.len() { self.positive.at_rank(rank) as f64 / self.scale } else { f64::INFINITY }
    }

    fn each(&self, mut see: impl FnMut(f64, u64)) {
        if self.below_all > 0 {
            see(f64::NEG_INFINITY, self.below_all);
        }
        self.negative.each(|units, count| see(-(units as f64 / self.scale), count));
        self.positive.each(|units, count| see(units as f64 / self.scale, count));
        if self.above_all > 0 {
            see(f64::INFINITY, self.above_all);
        }
    }
}

/// A histogram with counts as narrow as its total allows.
#[derive(Clone, Debug)]
enum GrowingHistogram {
    Empty,
    Narrow(Histogram<u32>),
    Wide(Histogram<u64>),
}

impl GrowingHistogram {
    fn add(&mut self, units: u64, count: u64) {
        if let Self::Empty = self {
            *self = Self::Narrow(empty());
        }
        // While the total fits, so does every single count.
        match self {
            Self::Empty => (),
            Self::Narrow(narrow) => match u32::try_from(narrow.len() + count) {
                Ok(_) => record(narrow, units, count as u32),
                Err(_) => {
                    let mut wide = empty::<u64>();
                    each(narrow, |units, count| record(&mut wide, units, count));
                    record(&mut wide, units, count);
                    *self = Self::Wide(wide);
                }
            },
            Self::Wide(wide) => record(wide, units, count),
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Narrow(narrow) => narrow.len(),
            Self::Wide(wide) => wide.len(),
        }
    }

    /// In the V2 format; nothing for no values.
    fn encoded(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut serializer = V2Serializer::new();
        match self {
            Self::Empty => return None,
            Self::Narrow(narrow) => serializer.serialize(narrow, &mut bytes).ok()?,
            Self::Wide(wide) => serializer.serialize(wide, &mut bytes).ok()?,
        };
        Some(bytes)
    }

    fn greatest(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Narrow(narrow) => narrow.max(),
            Self::Wide(wide) => wide.max(),
        }
    }

    fn at_rank(&self, rank: u64) -> u64 {
        let (mut left, mut found) = (rank, 0);
        let mut seen = false;
        self.each(|units, count| {
            if !seen {
                found = units;
                seen = left < count;
                left = left.saturating_sub(count);
            }
        });
        found
    }

    /// Every range that holds something, by its middle, with how much it holds, in ascending order.
    fn each(&self, see: impl FnMut(u64, u64)) {
        match self {
            Self::Empty => (),
            Self::Narrow(narrow) => each(narrow, see),
            Self::Wide(wide) => each(wide, see),
        }
    }
}

/// A histogram of three significant digits that grows with its values.
fn empty<T: Counter>() -> Histogram<T> {
    let mut histogram = Histogram::new(3).expect("three significant digits are in the range the crate allows");
    histogram.auto(true);
    histogram
}

fn record<T: Counter>(histogram: &mut Histogram<T>, units: u64, count: T) {
    let recorded = histogram.record_n(units, count);
    debug_assert!(recorded.is_ok(), "the histogram grows with its values");
}

fn each<T: Counter>(histogram: &Histogram<T>, mut see: impl FnMut(u64, u64)) {
    for step in histogram.iter_recorded() {
        see(histogram.median_equivalent(step.value_iterated_to()), step.count_since_last_iteration());
    }
}

#[cfg(test)]
#[path = "trend_tests.rs"]
mod tests;
