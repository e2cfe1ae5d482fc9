//! The right-hand side of a threshold: a number, as in k6; beyond it a saved run's figure, and a window.
//!
//! `300`, `baseline`, `baseline*1.1`, `baseline+20`, `baseline*1.1+20`; any of them with `for 30s` behind it.

use std::time::Duration;

use super::window::MIN_WINDOW;
use crate::units::Span;
use crate::units::quote::go_quote;

/// What a figure is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThresholdLimit {
    /// A number.
    Number(f64),
    /// The same figure of a saved run, times a number, plus a number.
    Baseline {
        /// Times this.
        factor: f64,
        /// Plus this.
        plus: f64,
    },
}

impl ThresholdLimit {
    /// Reads the text behind the operator; with the length of the window, if there is one.
    ///
    /// # Errors
    /// k6's message for what is no number; ours for the forms that are not k6's.
    pub fn parse(text: &str, strict: bool) -> Result<(Self, Option<Duration>), String> {
        if strict {
            return Ok((Self::Number(parse_float(text)?), None));
        }
        let (limit, window) = match text.split_once(" for ") {
            Some((limit, window)) => (limit.trim(), Some(window.trim())),
            None => (text, None),
        };
        let limit = match limit.strip_prefix("baseline") {
            Some(rest) => Self::of_baseline(rest.trim())?,
            // The whole text, as in k6, if the part that is a number is none.
            None => Self::Number(parse_float(limit).map_err(|error| parse_float(text).err().unwrap_or(error))?),
        };
        let window = window.map(|window| {
            let span =
                Span::parse(window).map_err(|_| format!("{window:?} is no time: windows look like `for 30s`"))?;
            let length = span.to_duration();
            if length < MIN_WINDOW { Err(format!("a window can't be shorter than {MIN_WINDOW:?}")) } else { Ok(length) }
        });
        Ok((limit, window.transpose()?))
    }

    fn of_baseline(rest: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{:?} is no limit: write `baseline`, `baseline*1.1` or `baseline+20`", format!("baseline{rest}"))
        };
        let (mut factor, mut plus, mut rest) = (1.0, 0.0, rest);
        if let Some(after) = rest.strip_prefix('*') {
            let after = after.trim_start();
            // A sign after an exponent belongs to the number.
            let end = after
                .char_indices()
                .skip(1)
                .find(|(at, c)| matches!(c, '+' | '-') && !after[..*at].ends_with(['e', 'E']))
                .map_or(after.len(), |(at, _)| at);
            factor = parse_float(after[..end].trim()).map_err(|_| wrong())?;
            rest = &after[end..];
        }
        if !rest.is_empty() {
            let sign = if rest.starts_with('-') { -1.0 } else { 1.0 };
            let number = rest.strip_prefix(['+', '-']).ok_or_else(wrong)?;
            plus = sign * parse_float(number.trim()).map_err(|_| wrong())?;
        }
        Ok(Self::Baseline { factor, plus })
    }
}

/// A number in Go's syntax: decimal, hexadecimal with an exponent of two (`0x1p3`), or infinite.
fn parse_float(text: &str) -> Result<f64, String> {
    let fail = |reason: &str| format!("strconv.ParseFloat: parsing {}: {reason}", go_quote(text));
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = match unsigned.get(..2) {
        Some("0x" | "0X") => {
            hexadecimal(&unsigned[2..]).map(|number| if text.starts_with('-') { -number } else { number })
        }
        _ => text.parse().ok(),
    };
    let number: f64 = number.ok_or_else(|| fail("invalid syntax"))?;
    if number.is_infinite() && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(fail("value out of range"));
    }
    Ok(number)
}

/// `1.8p3` after `0x`.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = whole.chars().chain(fraction.chars());
    let value = digits.map(|c| c.to_digit(16)).try_fold(0.0, |sum, digit| Some(sum * 16.0 + f64::from(digit?)))?;
    let places = i32::try_from(fraction.len()).ok()? * 4;
    Some(value * 2_f64.powi(exponent.parse::<i32>().ok()?.checked_sub(places)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_saved_runs_and_windows() {
        let check = |text: &str, expect: &str| {
            let got = match ThresholdLimit::parse(text, false) {
                Err(error) => error,
                Ok((limit, window)) => {
                    let limit = match limit {
                        ThresholdLimit::Number(number) => format!("{number}"),
                        ThresholdLimit::Baseline { factor, plus } => format!("baseline*{factor}+{plus}"),
                    };
                    format!("{limit} {}", window.map_or("whole run".to_owned(), |length| format!("{length:?}")))
                }
            };
            assert_eq!(got, expect, "{text}");
        };
        check("300", "300 whole run");
        check("300 for 30s", "300 30s");
        check("1e3  for  1m30s", "1000 90s");
        check("baseline", "baseline*1+0 whole run");
        check("baseline*1.1", "baseline*1.1+0 whole run");
        check("baseline * 1.1 - 20 for 10s", "baseline*1.1+-20 10s");
        check("baseline*1e-1+5", "baseline*0.1+5 whole run");
        check("baseline+5", "baseline*1+5 whole run");
        check("baselines", "\"baselines\" is no limit: write `baseline`, `baseline*1.1` or `baseline+20`");
        check("300 for ever", "\"ever\" is no time: windows look like `for 30s`");
        check("300 for 10ms", "a window can't be shorter than 1s");
        check("x for 10s", "strconv.ParseFloat: parsing \"x for 10s\": invalid syntax");
    }

    #[test]
    fn strict_reading_takes_numbers_only() {
        let check = |text: &str| {
            let expect = format!("strconv.ParseFloat: parsing \"{text}\": invalid syntax");
            assert_eq!(ThresholdLimit::parse(text, true), Err(expect));
        };
        check("300 for 30s");
        check("baseline*1.1");
    }
}
