//! The texts of times, durations and field masks in JSON.

use std::ops::RangeInclusive;

use crate::js::language::dates::{day_of, days_of};

/// The seconds a `google.protobuf.Timestamp` may have: the years 1 to 9999.
pub const TIMESTAMPS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// The seconds a `google.protobuf.Duration` may have: 10,000 years both ways.
pub const DURATIONS: RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;

/// Seconds since 1970 and nanoseconds of a time as RFC 3339 writes it.
pub fn parse_timestamp(text: &str) -> Option<(i64, i32)> {
    let digits = |part: Option<&str>| -> Option<i64> {
        part.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
    };
    let number = |from: usize, to: usize| digits(text.get(from..to));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let marks = [4, 7, 10, 13, 16].map(|at| text.as_bytes().get(at).copied().unwrap_or_default());
    let month_days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if marks != *b"--T::" || !(1..=month_days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(text.get(19..)?)?;
    let offset = match zone.as_bytes() {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), ..] if zone.len() == 6 && zone.as_bytes()[3] == b':' => {
            let (hours, minutes) = (digits(zone.get(1..3))?, digits(zone.get(4..6))?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let days = days_of(year, month, 1) + day - 1;
    Some((days * 86400 + hour * 3600 + minute * 60 + second - offset, nanos))
}

/// A time as JSON shows it, in UTC; `None` outside of the years 1 to 9999.
pub fn timestamp(seconds: i64, nanos: i64) -> Option<String> {
    if !TIMESTAMPS.contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return None;
    }
    let (days, rest) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    let (year, month, day) = day_of(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}Z", decimals(nanos as u64)))
}

/// Seconds and nanoseconds, of one sign, of a text like `-1.5s`.
pub fn parse_duration(text: &str) -> Option<(i64, i32)> {
    let text = text.strip_suffix('s')?;
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find('.').unwrap_or(digits.len());
    let (front, back) = digits.split_at(end);
    let (nanos, rest) = fraction(back)?;
    let has_digits = !front.is_empty() || !back.is_empty();
    if !rest.is_empty() || !has_digits || !front.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = if front.is_empty() { 0 } else { front.parse().ok()? };
    Some(if is_negative { (-seconds, -nanos) } else { (seconds, nanos) })
}

/// A duration as JSON shows it; `None` beyond 10,000 years, and where the signs of its parts differ.
pub fn duration(seconds: i64, nanos: i64) -> Option<String> {
    let is_mixed = seconds > 0 && nanos < 0 || seconds < 0 && nanos > 0;
    if !DURATIONS.contains(&seconds) || nanos.unsigned_abs() >= 1_000_000_000 || is_mixed {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    Some(format!("{sign}{}{}s", seconds.unsigned_abs(), decimals(nanos.unsigned_abs())))
}

/// The nanoseconds of `.5`, and what follows; no digits without a point.
fn fraction(text: &str) -> Option<(i32, &str)> {
    let Some(after) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let (digits, rest) = after.split_at(end);
    if !(1..=9).contains(&digits.len()) {
        return None;
    }
    let nanos: i32 = digits.parse().ok()?;
    Some((nanos * 10i32.pow(9 - digits.len() as u32), rest))
}

/// Nanoseconds as 0, 3, 6 or 9 decimals.
fn decimals(nanos: u64) -> String {
    match nanos {
        0 => String::new(),
        _ if nanos.is_multiple_of(1_000_000) => format!(".{:03}", nanos / 1_000_000),
        _ if nanos.is_multiple_of(1_000) => format!(".{:06}", nanos / 1_000),
        _ => format!(".{nanos:09}"),
    }
}

/// `fooBar.baz` as `foo_bar.baz`; `None` where the way back would lead elsewhere.
pub fn snake_case(path: &str) -> Option<String> {
    let mut snake = String::with_capacity(path.len() + 4);
    for c in path.chars() {
        match c {
            'A'..='Z' => {
                snake.push('_');
                snake.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' | '.' => snake.push(c),
            _ => return None,
        }
    }
    Some(snake)
}

/// `foo_bar.baz` as `fooBar.baz`; `None` where the way back would lead elsewhere.
pub fn camel_case(path: &str) -> Option<String> {
    let mut camel = String::with_capacity(path.len());
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '_' => camel.push(chars.next().filter(char::is_ascii_lowercase)?.to_ascii_uppercase()),
            'A'..='Z' => return None,
            c => camel.push(c),
        }
    }
    Some(camel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        let check = |text: &str, expect: Option<(i64, i32)>| assert_eq!(parse_timestamp(text), expect, "{text}");
        check("1970-01-01T00:00:00Z", Some((0, 0)));
        check("2024-02-29T12:34:56.7Z", Some((1_709_210_096, 700_000_000)));
        check("1969-12-31T23:59:59.000000001Z", Some((-1, 1)));
        check("2020-01-01T01:00:00+01:00", Some((1_577_836_800, 0)));
        check("0001-01-01T00:00:00Z", Some((-62_135_596_800, 0)));
        check("9999-12-31T23:59:59.999999999Z", Some((253_402_300_799, 999_999_999)));
        for wrong in [
            "",
            "2020-01-01",
            "2023-02-29T00:00:00Z",
            "2020-01-01 00:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00",
            "+020-01-01T00:00:00Z",
        ] {
            check(wrong, None);
        }
        for text in [
            "1970-01-01T00:00:00Z",
            "2024-02-29T12:34:56.700Z",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.000000001Z",
            "2100-03-01T00:00:00.000050Z",
        ] {
            let (seconds, nanos) = parse_timestamp(text).unwrap();
            assert_eq!(timestamp(seconds, nanos.into()).unwrap(), text);
        }
        assert_eq!(timestamp(253_402_300_800, 0), None);
    }

    #[test]
    fn every_day_has_its_date() {
        for days in (-719_162..2_932_896).step_by(17) {
            let (year, month, day) = day_of(days);
            assert_eq!(days_of(year, month, 1) + day - 1, days, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn durations_are_read_and_written() {
        let check = |text: &str, expect: Option<(i64, i32)>| assert_eq!(parse_duration(text), expect, "{text}");
        check("1s", Some((1, 0)));
        check("-1.5s", Some((-1, -500_000_000)));
        check(".5s", Some((0, 500_000_000)));
        check("0.000000001s", Some((0, 1)));
        for wrong in ["", "s", "1", "1.s", "1.0000000001s", "1m", "--1s"] {
            check(wrong, None);
        }
        for (seconds, nanos, expect) in
            [(1, 0, "1s"), (-1, -500_000_000, "-1.500s"), (0, -1, "-0.000000001s"), (3, 40_000, "3.000040s")]
        {
            assert_eq!(duration(seconds, nanos).unwrap(), expect);
        }
        assert_eq!(duration(1, -1), None);
    }

    #[test]
    fn paths_change_their_case() {
        for (camel, snake) in [("fooBar.baz", "foo_bar.baz"), ("a", "a"), ("x1Y", "x1_y")] {
            assert_eq!((snake_case(camel).as_deref(), camel_case(snake).as_deref()), (Some(snake), Some(camel)));
        }
        assert_eq!((snake_case("foo_bar"), camel_case("foo_Bar"), camel_case("Foo")), (None, None, None));
    }
}
