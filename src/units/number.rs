//! Numbers for people, as k6's end-of-test summary writes them, and numbers as JavaScript and JSON write them.

/// In which unit a summary shows times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeUnit {
    /// The one that fits the value.
    #[default]
    Auto,
    /// Always seconds.
    Seconds,
    /// Always milliseconds.
    Millis,
    /// Always microseconds.
    Micros,
}

impl TimeUnit {
    /// Reads `s`, `ms` or `us`. A script may say anything, what is unknown means auto; the command line is stricter.
    ///
    /// # Errors
    /// k6's message for an unknown unit on the command line.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Ok(Self::Auto),
            "s" => Ok(Self::Seconds),
            "ms" => Ok(Self::Millis),
            "us" => Ok(Self::Micros),
            _ => Err(format!("invalid summary time unit '{text}', use 's', 'ms' or 'us'")),
        }
    }
}

/// A number as JavaScript's `String(n)` writes it, which is also Go's JSON form: `0.1`, `1e+21`, `1e-7`.
pub fn js(value: f64) -> String {
    let mut text = String::new();
    write_js(value, &mut text);
    text
}

/// Appends a number in JavaScript's form.
pub fn write_js(value: f64, to: &mut String) {
    use std::fmt::Write;
    if let Some(millionths) = whole_millionths(value) {
        return write_millionths(millionths, true, to);
    }
    let size = value.abs();
    // Writing to a string can't fail.
    _ = if value.is_nan() {
        write!(to, "NaN")
    } else if value.is_infinite() {
        write!(to, "{}Infinity", if value < 0.0 { "-" } else { "" })
    } else if value == 0.0 {
        write!(to, "0")
    } else if (1e-6..1e21).contains(&size) {
        write!(to, "{value}")
    } else {
        let scientific = format!("{value:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        write!(to, "{digits}e{sign}{exponent}")
    };
}

/// Appends a number with six decimals, as `printf("%f")`.
pub fn write_six_decimals(value: f64, to: &mut String) {
    use std::fmt::Write;
    match whole_millionths(value) {
        Some(millionths) => write_millionths(millionths, false, to),
        // Writing to a string can't fail.
        None => _ = write!(to, "{value:.6}"),
    }
}

/// A number of at most six decimals as a whole number of millionths, if it is one; zero is none. Times are nearly
/// always such numbers, as they are measured in whole nanoseconds.
///
/// A decimal of up to 15 digits is the shortest one that reads back as its floating-point number, so writing these
/// digits is writing the number as JavaScript does, several times faster than by finding the shortest digits.
fn whole_millionths(value: f64) -> Option<i64> {
    let millionths = (value * 1e6).round();
    let fits = millionths.abs() < 1e15 && millionths != 0.0 && millionths / 1e6 == value;
    fits.then_some(millionths as i64)
}

fn write_millionths(millionths: i64, trims: bool, to: &mut String) {
    let mut digits = [b'0'; 24];
    let (mut left, mut at) = (millionths.unsigned_abs(), digits.len());
    while left > 0 {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    let point = digits.len() - 6;
    if millionths < 0 {
        to.push('-');
    }
    let (whole, decimals) = digits.split_at(point);
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    to.push_str(text(&whole[at.min(point - 1)..]));
    let kept = if trims { decimals.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1) } else { 6 };
    if kept > 0 {
        to.push('.');
        to.push_str(text(&decimals[..kept]));
    }
}

/// A number with this many decimals, as JavaScript's `toFixed`: exact halves are rounded away from zero.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() || value.abs() >= 1e21 {
        return js(value);
    }
    // Thirty further digits show whether the value is exactly half way, where Rust would round to even.
    let exact = format!("{:.*}", decimals + 30, value.abs());
    let tail = &exact[exact.len() - 30..];
    let is_half = tail.starts_with('5') && tail[1..].bytes().all(|digit| digit == b'0');
    let rounded = format!("{:.decimals$}", if is_half { value.abs().next_up() } else { value.abs() });
    let is_zero = rounded.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    if value < 0.0 && !is_zero { format!("-{rounded}") } else { rounded }
}

/// Up to six decimals, rounded, without zeros at the end.
pub fn plain(value: f64) -> String {
    trimmed(value, 6)
}

/// A share of one as percent, cut to two decimals: `71.42%`.
pub fn percent(share: f64) -> String {
    format!("{}%", fixed((share * 100.0 * 100.0).trunc() / 100.0, 2))
}

/// Bytes in units of 1000: `426 B`, `8.7 kB`, `12 MB`.
pub fn bytes(value: f64) -> String {
    const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    if value < 10.0 || !value.is_finite() {
        return format!("{} B", js(value));
    }
    let step = ((value.ln() / 1000_f64.ln()).floor() as usize).min(UNITS.len() - 1);
    let scaled = (value / 1000_f64.powi(step as i32) * 10.0 + 0.5).floor() / 10.0;
    format!("{} {}", fixed(scaled, usize::from(scaled < 10.0)), UNITS[step])
}

/// A time given in milliseconds, in the unit asked for.
pub fn time(millis: f64, unit: TimeUnit) -> String {
    match unit {
        TimeUnit::Auto => time_auto(millis),
        TimeUnit::Seconds => format!("{}s", fixed(millis * 0.001, 2)),
        TimeUnit::Millis => format!("{}ms", fixed(millis, 2)),
        TimeUnit::Micros => format!("{}µs", fixed(millis * 1000.0, 2)),
    }
}

fn time_auto(millis: f64) -> String {
    if millis < 0.0 {
        return format!("-{}", time_auto(-millis));
    }
    if millis == 0.0 || !millis.is_finite() {
        return format!("{}s", js(millis));
    }
    if millis < 0.001 {
        return format!("{}ns", cut(millis * 1e6, 0));
    }
    if millis < 1.0 {
        return format!("{}µs", cut(millis * 1000.0, 2));
    }
    if millis < 1000.0 {
        return format!("{}ms", cut(millis, 2));
    }
    if millis < 60_000.0 {
        return format!("{}s", cut(millis / 1000.0, 2));
    }
    let seconds = (millis / 1000.0).trunc();
    let (hours, minutes, seconds) = ((seconds / 3600.0).trunc(), (seconds / 60.0).trunc() % 60.0, seconds % 60.0);
    if hours > 0.0 { format!("{hours}h{minutes}m{seconds}s") } else { format!("{minutes}m{seconds}s") }
}

/// Truncated, not rounded, to this many decimals, without zeros at the end.
fn cut(value: f64, decimals: usize) -> String {
    let scale = 10_f64.powi(decimals as i32);
    trimmed((scale * value).trunc() / scale, decimals)
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    // What is too large for decimals has its own notation already.
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers_as_javascript_does() {
        let check = |value: f64, expect: &str| assert_eq!(js(value), expect);
        check(0.0, "0");
        check(-0.0, "0");
        check(1.0 / 3.0, "0.3333333333333333");
        check(100_000.0, "100000");
        check(1e20, "100000000000000000000");
        check(1e21, "1e+21");
        check(1.5e300, "1.5e+300");
        check(123_456_789_012_345_680_000.0, "123456789012345680000");
        check(0.000_001, "0.000001");
        check(1e-7, "1e-7");
        check(-2.5e-7, "-2.5e-7");
        check(f64::NEG_INFINITY, "-Infinity");
        check(12.000_5, "12.0005");
        check(-0.25, "-0.25");
        check(999_999_999.999_999, "999999999.999999");
        check(9_007_199_254_740_993.0, "9007199254740992");
    }

    #[test]
    fn the_quick_way_writes_what_the_slow_way_does() {
        let mut state = 7_u64;
        let mut quick = 0;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for value in [
                (state >> 24) as f64 / 1e6,
                (state >> 40) as f64 / 1e3,
                -((state >> 34) as f64) / 1e6,
                f64::from_bits(state),
                (state >> 33) as f64 / 1e7,
            ] {
                quick += u32::from(whole_millionths(value).is_some());
                if (1e-6..1e21).contains(&value.abs()) {
                    assert_eq!(js(value), format!("{value}"));
                    let mut fixed = String::new();
                    write_six_decimals(value, &mut fixed);
                    assert_eq!(fixed, format!("{value:.6}"));
                }
            }
        }
        assert!(quick > 400_000, "{quick}");
    }

    #[test]
    fn plain_numbers_keep_six_decimals() {
        let check = |value: f64, expect: &str| assert_eq!(plain(value), expect);
        check(1.0 / 3.0, "0.333333");
        check(2.000_000_4, "2");
        check(1.234_567_8, "1.234568");
        check(123_456_789.5, "123456789.5");
        check(1e21, "1e+21");
        check(4e-7, "0");
        check(6e-7, "0.000001");
        check(-4e-7, "0");
        check(-0.5, "-0.5");
        check(1_000_000.0, "1000000");
        check(0.007_812_5, "0.007813");
    }

    #[test]
    fn fixed_rounds_halves_up() {
        let check = |value: f64, decimals: usize, expect: &str| assert_eq!(fixed(value, decimals), expect);
        check(0.5, 0, "1");
        check(2.5, 0, "3");
        check(-2.5, 0, "-3");
        check(1.005, 2, "1.00");
        check(12.5, 0, "13");
        check(0.0, 2, "0.00");
    }

    #[test]
    fn shares_are_cut() {
        let check = |share: f64, expect: &str| assert_eq!(percent(share), expect);
        check(5.0 / 7.0, "71.42%");
        check(1999.0 / 2000.0, "99.95%");
        check(1.0, "100.00%");
        check(0.0, "0.00%");
        check(1.0 / 6.0, "16.66%");
    }

    #[test]
    fn bytes_have_units_of_a_thousand() {
        let check = |value: f64, expect: &str| assert_eq!(bytes(value), expect);
        check(0.0, "0 B");
        check(9.5, "9.5 B");
        check(426.0, "426 B");
        check(8_686.0, "8.7 kB");
        check(12_345.0, "12 kB");
        check(12_500_000.0, "13 MB");
        check(1e30, "1000000 YB");
    }

    #[test]
    fn times_find_their_unit() {
        let check = |millis: f64, expect: &str| assert_eq!(time(millis, TimeUnit::Auto), expect);
        check(0.0, "0s");
        check(5e-7, "0ns");
        check(0.000_5, "500ns");
        check(0.698_97, "698.97µs");
        check(0.5, "500µs");
        check(14.49, "14.49ms");
        check(999.999, "999.99ms");
        check(1_234.0, "1.23s");
        check(60_000.0, "1m0s");
        check(60_500.0, "1m0s");
        check(65_000.0, "1m5s");
        check(90_061_000.0, "25h1m1s");
        check(-1_500.0, "-1.5s");
    }

    #[test]
    fn times_keep_a_unit_that_was_asked_for() {
        let check = |unit: &str, expect: &str| assert_eq!(time(1_234.567, TimeUnit::parse(unit).unwrap()), expect);
        check("s", "1.23s");
        check("ms", "1234.57ms");
        check("us", "1234567.00µs");
        check("", "1.23s");
        assert_eq!(TimeUnit::parse("h"), Err("invalid summary time unit 'h', use 's', 'ms' or 'us'".to_owned()));
    }
}
