//! A native histogram as Prometheus' own libraries keep one for a growth factor of at most 1.1: eight ranges for each
//! power of two, only those that hold something.

use std::collections::BTreeMap;

use crate::metrics::compensated_sum::CompensatedSum;

/// Two to this power ranges for each power of two.
pub const SCHEMA: i32 = 3;
/// Values up to 2^-128 count as zero.
pub const ZERO: f64 = 2.938_735_877_055_719e-39;
/// A gap of at most this many ranges is cheaper filled with zeros than as a span of its own.
const MAX_FILLED_GAP: i32 = 2;

/// Counts per range.
#[derive(Clone, Debug, Default)]
pub struct NativeHistogram {
    /// How many values.
    pub count: u64,
    /// How many of them are as good as zero.
    pub zeros: u64,
    /// Their sum.
    pub sum: CompensatedSum,
    /// Above zero, by range.
    pub positive: Ranges,
    /// Below zero, by range.
    pub negative: Ranges,
}

/// Counts by the number of their range.
#[derive(Clone, Debug, Default)]
pub struct Ranges(BTreeMap<i32, u64>);

impl NativeHistogram {
    /// Adds a value. NaN is ignored.
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.count += 1;
        self.sum.add(value);
        match value {
            value if value > ZERO => *self.positive.0.entry(place(value)).or_default() += 1,
            value if value < -ZERO => *self.negative.0.entry(place(-value)).or_default() += 1,
            _ => self.zeros += 1,
        }
    }
}

/// The range a positive value falls into: number `i` reaches up to 2^(i/8), that included.
fn place(value: f64) -> i32 {
    const PER_POWER: i32 = 1 << SCHEMA;
    if value.is_infinite() {
        return (f64::MAX_EXP * PER_POWER) + 1;
    }
    let near = (value.log2() * f64::from(PER_POWER)).ceil() as i32;
    let reaches = |place: i32| (f64::from(place) / f64::from(PER_POWER)).exp2();
    // Rounding of the logarithm may miss the range by one where a value is its very bound.
    if value > reaches(near) {
        near + 1
    } else if value <= reaches(near - 1) {
        near - 1
    } else {
        near
    }
}

impl Ranges {
    /// Runs of ranges (the gap before each, or the place of the first; its length), and all counts, each as the
    /// difference to the one before.
    pub fn spans(&self) -> (Vec<(i32, u32)>, Vec<i64>) {
        let (mut spans, mut deltas) = (Vec::<(i32, u32)>::new(), Vec::new());
        let (mut next, mut before) = (0, 0);
        for (place, count) in &self.0 {
            let gap = place - next;
            match spans.last_mut() {
                Some((_, length)) if gap <= MAX_FILLED_GAP => {
                    for _ in 0..gap {
                        deltas.push(-before);
                        before = 0;
                    }
                    *length += gap.unsigned_abs() + 1;
                }
                _ => spans.push((gap, 1)),
            }
            deltas.push(*count as i64 - before);
            (next, before) = (place + 1, *count as i64);
        }
        (spans, deltas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_upper_bound() {
        let check = |value: f64, expect: i32| assert_eq!(place(value), expect, "{value}");
        check(1.0, 0);
        check(1.000_000_1, 1);
        check(2.0, 8);
        check(0.5, -8);
        check(2_f64.powf(0.125), 1);
        check(1024.0, 80);
        check(1500.0, 85);
        check(f64::INFINITY, 8193);
    }

    #[test]
    fn near_ranges_share_a_span() {
        let mut native = NativeHistogram::default();
        [1.0, 1.0, 2_f64.powf(0.3), 1024.0, 0.0, -1.0].iter().for_each(|value| native.add(*value));
        assert_eq!((native.count, native.zeros), (6, 1));
        assert_eq!(native.positive.spans(), (vec![(0, 4), (76, 1)], vec![2, -2, 0, 1, 0]));
        assert_eq!(native.negative.spans(), (vec![(0, 1)], vec![1]));
    }
}
