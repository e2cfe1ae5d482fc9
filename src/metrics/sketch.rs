//! A small quantile sketch for one interval of the time series: a few kilobytes, whatever the values are.
//!
//! Values within one percent of each other share a counter; count, sum, minimum and maximum are exact. The percentiles
//! of a whole run come from [`super::trend::Trend`].

/// The leading bits of a number that are kept: sign, exponent and seven of the fraction, which is 128 steps per doubling.
const KEPT_BITS: u32 = 1 + 11 + 7;

/// Values as counts per step; relative error at most one percent.
#[derive(Clone, Debug, Default)]
pub struct QuantileSketch {
    /// Step and count, in ascending order of steps.
    steps: Vec<(u32, u32)>,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

/// The step of a value; greater values have greater steps.
fn step_of(value: f64) -> u32 {
    let bits = value.to_bits();
    let ordered = if value.is_sign_negative() { !bits } else { bits | 1 << 63 };
    (ordered >> (64 - KEPT_BITS)) as u32
}

/// The middle of a step; that of the step of zero is zero itself.
fn middle(step: u32) -> f64 {
    if step == step_of(0.0) {
        return 0.0;
    }
    let ordered = u64::from(step) << (64 - KEPT_BITS) | 1 << (63 - KEPT_BITS);
    f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered })
}

impl QuantileSketch {
    /// Adds a value. NaN and infinities are ignored.
    pub fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.note(value, value, value, 1);
            // A negative zero would stand apart from zero.
            self.put(step_of(value + 0.0), 1);
        }
    }

    /// Adds all values of another one.
    pub fn merge(&mut self, other: &Self) {
        if other.count > 0 {
            self.note(other.min, other.max, other.sum, other.count);
            other.steps.iter().for_each(|(step, count)| self.put(*step, *count));
        }
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The maximum; 0 without values.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The mean; 0 without values.
    pub fn avg(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// The value below which `percent` (0 to 100) of the values lie, within a hundredth of it; 0 without values.
    pub fn percentile(&self, percent: f64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let rank = (percent / 100.0 * (self.count - 1) as f64).round() as u64;
        // The ends are known.
        if rank == 0 {
            return self.min;
        }
        if rank + 1 >= self.count {
            return self.max;
        }
        let mut seen = 0;
        let step = self.steps.iter().find(|(_, count)| {
            seen += u64::from(*count);
            seen > rank
        });
        step.map_or(self.max, |(step, _)| middle(*step)).clamp(self.min, self.max)
    }

    /// As bytes: minimum, maximum and sum, eight each, then steps and counts as varints; a step as what it is above the one
    /// before.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            [self.min, self.max, self.sum].iter().flat_map(|figure| figure.to_le_bytes()).collect();
        let mut before = 0;
        for (step, count) in &self.steps {
            put_varint(&mut bytes, step - before);
            put_varint(&mut bytes, *count);
            before = *step;
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` if it is something else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(24)?;
        let mut figures = head.chunks_exact(8).map(|part| f64::from_le_bytes(part.try_into().unwrap_or_default()));
        let [min, max, sum] = [figures.next()?, figures.next()?, figures.next()?];
        let (mut steps, mut before, mut total) = (Vec::new(), 0u32, 0u64);
        while !rest.is_empty() {
            let above = take_varint(&mut rest)?;
            let count = take_varint(&mut rest)?;
            // Steps rise, and each has something.
            if count == 0 || (above == 0 && !steps.is_empty()) {
                return None;
            }
            before = before.checked_add(above)?;
            total += u64::from(count);
            steps.push((before, count));
        }
        Some(Self { steps, count: total, sum, min, max })
    }

    fn note(&mut self, min: f64, max: f64, sum: f64, count: u64) {
        let is_first = self.count == 0;
        self.min = if is_first { min } else { self.min.min(min) };
        self.max = if is_first { max } else { self.max.max(max) };
        self.sum += sum;
        self.count += count;
    }

    fn put(&mut self, step: u32, count: u32) {
        match self.steps.binary_search_by_key(&step, |(known, _)| *known) {
            Ok(at) => self.steps[at].1 = self.steps[at].1.saturating_add(count),
            Err(at) => self.steps.insert(at, (step, count)),
        }
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0u32;
    for shift in (0..32).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(values: impl IntoIterator<Item = f64>) -> QuantileSketch {
        let mut digest = QuantileSketch::default();
        values.into_iter().for_each(|value| digest.add(value));
        digest
    }

    #[test]
    fn percentiles_are_within_a_hundredth() {
        let check = |name: &str, values: Vec<f64>| {
            let got = digest(values.iter().copied());
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            for percent in [0.0, 10.0, 50.0, 90.0, 99.0, 100.0] {
                let expect = sorted[(percent / 100.0 * (sorted.len() - 1) as f64).round() as usize];
                let got = got.percentile(percent);
                assert!((got - expect).abs() <= expect.abs() / 100.0, "{name} p({percent}): {got}, not {expect}");
            }
        };
        check("times", (1..5_000).map(|n| f64::from(n).powf(1.7) / 1000.0).collect());
        check("around zero", (-500..500).map(f64::from).collect());
        check("tiny", (1..100).map(|n| f64::from(n) * 1e-12).collect());
        check("one", vec![7.25]);
        check("none twice", vec![0.0, -0.0]);
    }

    #[test]
    fn merging_is_adding() {
        let (a, b): (Vec<f64>, Vec<f64>) = ((1..900).map(f64::from).collect(), (300..5_000).map(f64::from).collect());
        let mut merged = digest(a.iter().copied());
        merged.merge(&digest(b.iter().copied()));
        merged.merge(&QuantileSketch::default());
        let whole = digest(a.into_iter().chain(b));
        assert_eq!((merged.count(), merged.max(), merged.avg()), (whole.count(), whole.max(), whole.avg()));
        assert_eq!(merged.steps, whole.steps);
    }

    #[test]
    fn bytes_are_read_back() {
        for values in [vec![], vec![0.0], vec![-3.5, 1e-9, 2.0, 2.0, 1e300], (0..9_000).map(f64::from).collect()] {
            let sketch = digest(values);
            let read = QuantileSketch::decode(&sketch.encode()).unwrap();
            assert_eq!((&read.steps, read.count, read.sum), (&sketch.steps, sketch.count, sketch.sum));
            assert_eq!((read.min, read.max), (sketch.min, sketch.max));
        }
        let whole = digest([1.0, 2.0]).encode();
        for broken in [&[][..], &whole[..23], &whole[..whole.len() - 1], &[0xff; 40]] {
            assert!(QuantileSketch::decode(broken).is_none(), "{broken:?}");
        }
    }

    #[test]
    fn infinities_are_no_values_here() {
        let got = digest([f64::INFINITY, f64::NAN, 2.0]);
        assert_eq!((got.count(), got.max()), (1, 2.0));
    }
}
