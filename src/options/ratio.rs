//! An exact fraction. Segments and rates are shared out without rounding, so that many machines add up to one.

use std::cmp::Ordering;
use std::fmt;

/// A reduced fraction with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: i64,
    denominator: i64,
}

/// The greatest common divisor.
pub(super) fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// The whole.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// `numerator / denominator`, reduced; `None` if the denominator is 0 or the result doesn't fit.
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128 * denominator.signum();
        let (numerator, denominator) = (numerator / divisor, denominator / divisor);
        Some(Self { numerator: numerator.try_into().ok()?, denominator: denominator.try_into().ok()? })
    }

    /// Above the line.
    pub const fn numerator(self) -> i64 {
        self.numerator
    }

    /// Below the line; positive.
    pub const fn denominator(self) -> i64 {
        self.denominator
    }

    /// Reads `1/4`, `0.25` or `25%`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(percent) = text.strip_suffix('%') {
            let ratio = Self::parse_decimal(percent)?;
            return Self::new(ratio.numerator.into(), i128::from(ratio.denominator) * 100);
        }
        match text.split_once('/') {
            Some((above, below)) => Self::new(above.parse().ok()?, below.parse().ok()?),
            None => Self::parse_decimal(text),
        }
    }

    fn parse_decimal(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}");
        if digits.trim_start_matches(['-', '+']).is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::new(digits.parse().ok()?, 10i128.checked_pow(fraction.len().try_into().ok()?)?)
    }

    /// The nearest floating-point number.
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// `self - other`, where it fits.
    pub fn minus(self, other: Self) -> Option<Self> {
        let (a, b) = (i128::from(self.numerator), i128::from(self.denominator));
        let (c, d) = (i128::from(other.numerator), i128::from(other.denominator));
        Self::new(a * d - c * b, b * d)
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i128::from(self.numerator) * i128::from(other.denominator);
        left.cmp(&(i128::from(other.numerator) * i128::from(self.denominator)))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `1/4`, and whole numbers without a line.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_read_and_reduced() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(Ratio::parse(text).map(|ratio| ratio.to_string()).as_deref(), expect, "{text}");
        };
        check("25%", Some("1/4"));
        check("0.25", Some("1/4"));
        check("2/4", Some("1/2"));
        check(".5", Some("1/2"));
        check("12.5%", Some("1/8"));
        check("1", Some("1"));
        check("-0.5", Some("-1/2"));
        check("1/0", None);
        check("abc", None);
        check("", None);
        check(".", None);
    }
}
