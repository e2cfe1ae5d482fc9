//! A sum of floating-point numbers that does not drift, however many are added and in whichever order.
//!
//! Neumaier's form of compensated summation: what rounding loses in each step is kept in a second number.

/// A running sum and what rounding has lost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CompensatedSum {
    total: f64,
    lost: f64,
}

impl CompensatedSum {
    /// A sum that was rounded.
    pub fn of(value: f64) -> Self {
        Self { total: value, lost: 0.0 }
    }

    /// Adds one number.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let total = self.total + value;
        self.lost +=
            if self.total.abs() >= value.abs() { (self.total - total) + value } else { (value - total) + self.total };
        self.total = total;
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: Self) {
        self.add(other.total);
        self.lost += other.lost;
    }

    /// The sum, rounded once. Infinite when an infinite number was added.
    pub fn value(self) -> f64 {
        // With an infinity the compensation is `inf - inf`, not a number, and has nothing to say.
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> f64 {
        let mut sum = CompensatedSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.value()
    }

    #[test]
    fn does_not_drift() {
        assert_eq!(sum(&vec![0.1; 10_000_000]), 1_000_000.0);
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(&[0.1, 0.2]), 0.1 + 0.2);
        assert_eq!(sum(&[1.0, f64::INFINITY]), f64::INFINITY);
        assert_eq!(sum(&[]), 0.0);
    }

    #[test]
    fn merges_to_the_same_value_in_any_order() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i) * 0.1 + 1e9 / f64::from(i + 1)).collect();
        let part = |range: &[f64]| {
            let mut sum = CompensatedSum::default();
            range.iter().for_each(|value| sum.add(*value));
            sum
        };
        let (mut ab, mut ba) = (part(&values[..300]), part(&values[300..]));
        ab.merge(part(&values[300..]));
        ba.merge(part(&values[..300]));
        assert_eq!(ab.value(), ba.value());
        assert_eq!(ab.value(), sum(&values));
    }
}
