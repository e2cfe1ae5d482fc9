//! Durations in Go's syntax (`1h2m3.5s`, `300ms`, `1d2h`), which k6 options and messages use.

use std::fmt;
use std::time::Duration;

/// A length of time in nanoseconds that may be negative, as k6's options allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    nanos: i64,
}

const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self { nanos: 0 };

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// From milliseconds, fractions included.
    pub fn from_millis(millis: f64) -> Self {
        Self { nanos: (millis * 1e6) as i64 }
    }

    /// From seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self { nanos: secs * 1_000_000_000 }
    }

    /// In nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// As a `Duration`; a negative span is none.
    pub fn to_duration(self) -> Duration {
        Duration::from_nanos(self.nanos.max(0).unsigned_abs())
    }

    /// Rounded to a multiple of `step`, halves away from zero.
    pub const fn rounded(self, step: Self) -> Self {
        if step.nanos <= 0 {
            return self;
        }
        let half = step.nanos / 2;
        let toward = if self.nanos < 0 { self.nanos.saturating_sub(half) } else { self.nanos.saturating_add(half) };
        Self { nanos: toward / step.nanos * step.nanos }
    }

    /// To a tenth of a second, as wide as anything up to `max` is: `05.3s` below a minute, `0m05.3s` below ten.
    pub fn fixed_width(self, max: Self) -> String {
        let tenths = self.rounded(Self::from_nanos(100_000_000)).nanos.max(0) / 100_000_000;
        let (secs, tenth) = (tenths / 10, tenths % 10);
        let (days, hours, minutes, secs) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60);
        let limit = max.rounded(Self::from_nanos(100_000_000)).nanos / 1_000_000_000;
        match limit {
            ..10 if tenths < 100 => format!("{secs}.{tenth}s"),
            ..60 if tenths < 600 => format!("{secs:02}.{tenth}s"),
            ..600 if tenths < 6_000 => format!("{minutes}m{secs:02}.{tenth}s"),
            ..3600 if tenths < 36_000 => format!("{minutes:02}m{secs:02}.{tenth}s"),
            ..36_000 if tenths < 360_000 => format!("{hours}h{minutes:02}m{secs:02}.{tenth}s"),
            ..86_400 if tenths < 864_000 => format!("{hours:02}h{minutes:02}m{secs:02}.{tenth}s"),
            _ => format!("{days}d{hours:02}h{minutes:02}m{secs:02}.{tenth}s"),
        }
    }

    /// Parses Go's duration syntax: a signed sequence of decimal numbers, each with a unit, such as `1m30.5s`.
    ///
    /// # Errors
    /// Go's own message, which k6 shows: `time: invalid duration "abc"`, `time: missing unit in duration "10"`,
    /// `time: unknown unit "x" in duration "1x"`.
    pub fn parse_go(text: &str) -> Result<Self, String> {
        let invalid = || format!("time: invalid duration {text:?}");
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(number_len);
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
                return Err(invalid());
            }
            let unit_len = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            if unit.is_empty() {
                return Err(format!("time: missing unit in duration {text:?}"));
            }
            let Some(&(_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(format!("time: unknown unit {unit:?} in duration {text:?}"));
            };
            // More than 64 bits of any unit are too many.
            let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
            total = total.saturating_add(i128::from(whole) * i128::from(scale));
            let mut place = scale as f64;
            let mut part = 0.0;
            for digit in fraction.bytes() {
                place /= 10.0;
                part += f64::from(digit - b'0') * place;
            }
            total = total.saturating_add(part.round() as i128);
            rest = tail;
        }
        let total = if negative { -total } else { total };
        i64::try_from(total).map(Self::from_nanos).map_err(|_| invalid())
    }

    /// Parses what k6 options accept: Go's syntax, with a day part before it (`1d2h`).
    ///
    /// # Errors
    /// As [`Span::parse_go`].
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((days, rest)) = text.split_once('d') else { return Self::parse_go(text) };
        let (negative, digits) = match days.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, days),
        };
        let invalid = || format!("time: invalid duration {text:?}");
        let days: i64 = digits.parse().map_err(|_| invalid())?;
        if digits.starts_with('-') {
            return Err(invalid());
        }
        let rest = if rest.is_empty() { Self::ZERO } else { Self::parse_go(rest)? };
        let nanos = days.checked_mul(24 * 3_600_000_000_000).and_then(|days| days.checked_add(rest.nanos));
        let nanos = nanos.and_then(|nanos| if negative { nanos.checked_neg() } else { Some(nanos) });
        nanos.map(Self::from_nanos).ok_or_else(invalid)
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self { nanos: i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) }
    }
}

/// Go's canonical form: `0s`, `1.5ms`, `1m30s`, `2h0m0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.nanos.unsigned_abs();
        if self.nanos < 0 {
            f.write_str("-")?;
        }
        let (unit, scale) = match nanos {
            0 => return f.write_str("0s"),
            1..1_000 => ("ns", 1),
            1_000..1_000_000 => ("µs", 1_000),
            1_000_000..1_000_000_000 => ("ms", 1_000_000),
            _ => {
                let (secs, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
                let (hours, minutes) = (secs / 3600, secs / 60 % 60);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if secs >= 60 {
                    write!(f, "{minutes}m")?;
                }
                return write!(f, "{}s", decimal(secs % 60, fraction, 9));
            }
        };
        let digits = (scale as f64).log10().round() as usize;
        write!(f, "{}{unit}", decimal(nanos / scale, nanos % scale, digits))
    }
}

fn decimal(whole: u64, fraction: u64, digits: usize) -> String {
    if fraction == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{fraction:0digits$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_width_of_the_longest() {
        let check = |span: &str, max: &str, expect: &str| {
            let [span, max] = [span, max].map(|text| Span::parse(text).unwrap());
            assert_eq!(span.fixed_width(max), expect);
        };
        check("1.26s", "9s", "1.3s");
        check("1.26s", "10s", "01.3s");
        check("5s", "1m", "0m05.0s");
        check("65s", "10m30s", "01m05.0s");
        check("65s", "1h", "0h01m05.0s");
        check("65s", "11h", "00h01m05.0s");
        check("26h", "30h", "1d02h00m00.0s");
        check("15s", "9s", "15.0s");
    }

    #[test]
    fn reads_and_writes_durations_as_go_does() {
        let check = |input: &str, expect: &str| {
            let got = Span::parse(input).map_or_else(|error| error, |span| span.to_string());
            assert_eq!(got, expect, "{input}");
        };
        check("1m30s", "1m30s");
        check("90s", "1m30s");
        check("0", "0s");
        check("1.5ms", "1.5ms");
        check("0.5ms", "500µs");
        check("10us", "10µs");
        check("2h", "2h0m0s");
        check("1d2h", "26h0m0s");
        check("1d", "24h0m0s");
        check("-1m", "-1m0s");
        check(".5s", "500ms");
        check("10", "time: missing unit in duration \"10\"");
        check("abc", "time: invalid duration \"abc\"");
        check("", "time: invalid duration \"\"");
        check("1x", "time: unknown unit \"x\" in duration \"1x\"");
        check("1.2.3s", "time: invalid duration \"1.2.3s\"");
        // More than 64 bits of nanoseconds hold.
        for text in ["106752d", "9999999999999999999d", "106751d24h", "--1d", "2562048h", "99999999999999999999999h"] {
            check(text, &format!("time: invalid duration \"{text}\""));
        }
        check("-106751d", "-2562024h0m0s");
    }
}
