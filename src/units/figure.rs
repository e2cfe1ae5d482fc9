//! Figures for people: a value, rounded to what matters, with its unit. Raw numbers stay in the JSON.

use super::number;

/// What a figure measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// A share, 0 to 1.
    Share,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Things that are counted.
    Count,
    /// Things per second, with their name in the plural; empty where they have none.
    PerSecond(&'static str),
    /// Anything else.
    Number,
}

/// What a figure of a metric measures, by the metric's type and contents in the words of the summary document.
pub fn unit_of(kind: &str, contains: &str, name: &str, stat: &str) -> Unit {
    let of_contents = match contains {
        "time" => Unit::Time,
        "data" => Unit::Bytes,
        _ => Unit::Number,
    };
    match (kind, stat) {
        ("rate", "rate") => Unit::Share,
        ("rate", _) | ("trend", "count") => Unit::Count,
        ("counter", "rate") if contains == "data" => Unit::BytesPerSecond,
        ("counter", "rate") => Unit::PerSecond(match name.split('{').next().unwrap_or(name) {
            "http_reqs" => "requests",
            "iterations" => "iterations",
            "ws_msgs_sent" | "ws_msgs_received" => "messages",
            _ => "",
        }),
        ("counter", _) if contains == "default" => Unit::Count,
        _ => of_contents,
    }
}

/// Significant digits of a figure.
const DIGITS: usize = 3;
/// Digits of a figure that would look equal to another one with fewer.
const MAX_DIGITS: usize = 9;

/// A figure with its unit: `0.46 ms`, `99.4 %`, `145.5 requests/s`, `12,345`.
pub fn text(value: f64, unit: Unit) -> String {
    with_digits(value, unit, DIGITS)
}

/// A figure that stands beside another one: with more digits where both would look the same and are not.
pub fn text_beside(value: f64, other: f64, unit: Unit) -> String {
    let looks_same = |digits| with_digits(value, unit, digits) == with_digits(other, unit, digits);
    let digits = (DIGITS..MAX_DIGITS).find(|digits| value == other || !looks_same(*digits)).unwrap_or(MAX_DIGITS);
    with_digits(value, unit, digits)
}

fn with_digits(value: f64, unit: Unit, digits: usize) -> String {
    if !value.is_finite() {
        return number::js(value);
    }
    match unit {
        Unit::Time => time(value, digits),
        Unit::Share => share(value, digits),
        Unit::Bytes => bytes(value, digits),
        Unit::BytesPerSecond => format!("{}/s", bytes(value, digits)),
        Unit::Count if value.fract() == 0.0 => grouped(&number::fixed(value, 0)),
        Unit::PerSecond("") => format!("{}/s", plain(value, digits + 1)),
        Unit::PerSecond(things) => format!("{} {things}/s", plain(value, digits + 1)),
        Unit::Count | Unit::Number => plain(value, digits + 1),
    }
}

fn time(millis: f64, digits: usize) -> String {
    match millis.abs() {
        0.0 => "0 ms".to_owned(),
        size if size < 0.1 => format!("{} µs", significant(millis * 1e3, digits)),
        size if size < 1.0 => format!("{} ms", significant(millis, digits - 1)),
        size if size < 1e3 => format!("{} ms", significant(millis, digits)),
        _ => format!("{} s", significant(millis / 1e3, digits)),
    }
}

/// By how much a figure differs from an earlier one: `+4.5 ms`. Shares differ by points, as a percentage of a percentage
/// would be taken for one of them: `+52.2 points`.
pub fn difference(old: f64, new: f64, unit: Unit) -> String {
    let by = new - old;
    let shown = match text(by, unit) {
        shown if unit != Unit::Share => shown,
        shown => {
            let points = shown.trim_end_matches(" %");
            format!("{points} point{}", if points.trim_start_matches('-') == "1" { "" } else { "s" })
        }
    };
    if by > 0.0 { format!("+{shown}") } else { shown }
}

/// By how much a figure differs, in percent of the earlier one: `+12.3 %`; nothing where that is 0.
pub fn relative_difference(old: f64, new: f64) -> Option<String> {
    let by = (new - old) / old.abs();
    (old != 0.0).then(|| format!("{}{}", if by > 0.0 { "+" } else { "" }, text(by, Unit::Share)))
}

/// Never rounds to all or to nothing what is neither.
fn share(share: f64, digits: usize) -> String {
    let percent = share * 100.0;
    let shown = match percent.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.1 => trimmed(number::fixed(percent, decimals(percent, digits - 1))),
        _ => (digits - 2..=MAX_DIGITS)
            .map(|decimals| trimmed(number::fixed(percent, decimals)))
            .find(|text| text != "100" || percent == 100.0)
            .unwrap_or_else(|| "100".to_owned()),
    };
    format!("{} %", grouped(&shown))
}

fn bytes(value: f64, digits: usize) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut scaled = value;
    let mut unit = 0;
    while scaled.abs() >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1e3;
        unit += 1;
    }
    format!("{} {}", significant(scaled, digits), UNITS[unit])
}

fn plain(value: f64, digits: usize) -> String {
    significant(value, digits)
}

/// Rounded to this many significant digits, with thousands separators and without trailing zeros. Digits before the point
/// all stay.
fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    grouped(&trimmed(number::fixed(value, decimals(value, digits))))
}

/// The decimals of so many significant digits.
fn decimals(value: f64, digits: usize) -> usize {
    let magnitude = value.abs().log10().floor() as i32;
    (digits as i32 - 1 - magnitude).clamp(0, 12) as usize
}

fn trimmed(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `12345.6` as `12,345.6`.
fn grouped(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, rest) = text.find('.').map_or((text, ""), |point| text.split_at(point));
    let mut shown = String::from(sign);
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_and_have_units() {
        let check = |value: f64, unit: Unit, expect: &str| assert_eq!(text(value, unit), expect, "{value}");
        check(0.455_123, Unit::Time, "0.46 ms");
        check(0.0, Unit::Time, "0 ms");
        check(0.0123, Unit::Time, "12.3 µs");
        check(4.619, Unit::Time, "4.62 ms");
        check(100.0, Unit::Time, "100 ms");
        check(462.4, Unit::Time, "462 ms");
        check(1_239.0, Unit::Time, "1.24 s");
        check(0.994_123, Unit::Share, "99.4 %");
        check(0.75, Unit::Share, "75 %");
        check(1.0, Unit::Share, "100 %");
        check(0.999_99, Unit::Share, "99.999 %");
        check(0.0, Unit::Share, "0 %");
        check(0.000_123, Unit::Share, "0.012 %");
        check(145.4567, Unit::PerSecond("requests"), "145.5 requests/s");
        check(12_345.678, Unit::PerSecond("requests"), "12,346 requests/s");
        check(0.5, Unit::PerSecond(""), "0.5/s");
        check(1_234_567.0, Unit::Count, "1,234,567");
        check(999.0, Unit::Bytes, "999 B");
        check(1_500_000.0, Unit::Bytes, "1.5 MB");
        check(2_048.0, Unit::BytesPerSecond, "2.05 kB/s");
        check(1.0 / 3.0, Unit::Number, "0.3333");
        check(f64::INFINITY, Unit::Time, "Infinity");
        check(-4.619, Unit::Time, "-4.62 ms");
    }

    #[test]
    fn figures_that_differ_look_different() {
        let check = |value: f64, other: f64, unit: Unit, expect: &str| {
            assert_eq!(text_beside(value, other, unit), expect, "{value} {other}");
        };
        check(100.02, 100.0, Unit::Time, "100.02 ms");
        check(0.749_98, 0.75, Unit::Share, "74.998 %");
        check(100.0, 100.0, Unit::Time, "100 ms");
        check(20.0, 100.0, Unit::Time, "20 ms");
    }

    #[test]
    fn differences_have_signs_and_shares_differ_by_points() {
        let check = |old: f64, new: f64, unit: Unit, expect: &str, relative: Option<&str>| {
            assert_eq!(difference(old, new, unit), expect, "{old} {new}");
            assert_eq!(relative_difference(old, new).as_deref(), relative, "{old} {new}");
        };
        check(0.0, 0.522, Unit::Share, "+52.2 points", None);
        check(0.994, 0.984, Unit::Share, "-1 point", Some("-1 %"));
        check(0.01, 0.0102, Unit::Share, "+0.02 points", Some("+2 %"));
        check(10.0, 14.5, Unit::Time, "+4.5 ms", Some("+45 %"));
        check(1_200.0, 20.0, Unit::Time, "-1.18 s", Some("-98.3 %"));
        check(0.0, 120.0, Unit::PerSecond("requests"), "+120 requests/s", None);
        check(3.0, 60_000.0, Unit::Count, "+59,997", Some("+1,999,900 %"));
        check(5.0, 5.0, Unit::Number, "0", Some("0 %"));
    }
}
