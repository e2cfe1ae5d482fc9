//! Dates as texts, in the forms k6 prints and reads, whatever the engine does of its own.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The forms of `Date.prototype` that are not the same in engines and in k6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `toString()`
    Full,
    /// `toTimeString()`
    Time,
    /// `toLocaleString()`
    Locale,
    /// `toLocaleDateString()`
    LocaleDate,
    /// `toLocaleTimeString()`
    LocaleTime,
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_MS: f64 = 86_400_000.0;
/// The last moment a Date can hold, in milliseconds on either side of 1970.
const MAX_MS: f64 = 8.64e15;

/// How far local time is ahead of UTC at a moment (in milliseconds since 1970), in seconds, and what it is called there.
fn zone_at(ms: f64) -> (i32, String) {
    let zone = TimeZone::system();
    // What lies beyond the calendar has the rules of its last year.
    let seconds = (ms / 1000.0).floor().clamp(-377_705_000_000.0, 253_402_000_000.0);
    let moment = Timestamp::from_second(seconds as i64).unwrap_or(Timestamp::UNIX_EPOCH);
    let info = zone.to_offset_info(moment);
    (info.offset().seconds(), info.abbreviation().to_owned())
}

/// How far local time is ahead of UTC at a moment given in seconds since 1970, in seconds.
pub fn local_offset(seconds: i64) -> i32 {
    zone_at(seconds as f64 * 1000.0).0
}

/// The moment at which clocks here show `local`, both in milliseconds since 1970.
fn from_local(local: f64) -> f64 {
    let guess = local - f64::from(zone_at(local).0) * 1000.0;
    local - f64::from(zone_at(guess).0) * 1000.0
}

/// The days since 1970 of a day by Gregory's calendar; months from 1.
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their odd day at the end.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month (from 1) and day of a number of days since 1970.
pub fn day_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// A date, in milliseconds since 1970, as text in local time.
pub fn print(ms: f64, form: Form) -> String {
    if ms.is_nan() || ms.abs() > MAX_MS {
        return "Invalid Date".to_owned();
    }
    let (offset, name) = zone_at(ms);
    let local = ms + f64::from(offset) * 1000.0;
    let days = (local / DAY_MS).floor();
    let second = ((local - days * DAY_MS) / 1000.0) as i64;
    let (year, month, day) = day_of(days as i64);
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let sign = if offset < 0 { '-' } else { '+' };
    let zone = format!("GMT{sign}{:02}{:02} ({name})", offset.abs() / 3600, offset.abs() / 60 % 60);
    let minus = if year < 0 { "-" } else { "" };
    let years = format!("{minus}{:04}", year.abs());
    match form {
        Form::Full => {
            let weekday = DAYS[(days as i64 + 4).rem_euclid(7) as usize];
            format!("{weekday} {} {day:02} {years} {clock} {zone}", MONTHS[month as usize - 1])
        }
        Form::Time => format!("{clock} {zone}"),
        Form::Locale => format!("{month:02}/{day:02}/{years}, {clock}"),
        Form::LocaleDate => format!("{month:02}/{day:02}/{years}"),
        Form::LocaleTime => clock,
    }
}

/// The moment a text names, in milliseconds since 1970: ISO 8601 and what people and programs write, with names of months or
/// with slashes, a time in 12 or 24 hours, and a zone. Without a zone it is local time, except for a day alone in ISO
/// form. `None` where it is no date.
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let starts_with_year = text.starts_with(['+', '-']) || bytes.iter().take_while(|b| b.is_ascii_digit()).count() >= 4;
    let ms = if starts_with_year
        && !text.contains('/')
        && !text.chars().any(|c| c.is_ascii_alphabetic() && !"TZtz".contains(c))
    {
        Iso { rest: text }.read()?
    } else {
        Words::read(text)?
    };
    (ms.abs() <= MAX_MS).then_some(ms)
}

/// Parts of a date.
#[derive(Default)]
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    fraction: f64,
    /// In minutes.
    zone: Option<i64>,
}

impl Parts {
    fn moment(&self, is_utc: bool) -> Option<f64> {
        let Self { year, month, day, hour, minute, second, .. } = *self;
        let leap = i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
        let last = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let is_day = (1..=12).contains(&month) && (1..=last[month as usize - 1]).contains(&day);
        let is_midnight = hour == 24 && minute == 0 && second == 0 && self.fraction == 0.0;
        if !is_day || minute > 59 || second > 59 || !(hour < 24 || is_midnight) {
            return None;
        }
        let clock = (hour * 3600 + minute * 60 + second) as f64 * 1000.0 + (self.fraction * 1000.0 + 1e-6).floor();
        let ms = days_of(year, month, day) as f64 * DAY_MS + clock;
        Some(match self.zone {
            Some(zone) => ms - zone as f64 * 60_000.0,
            None if is_utc => ms,
            None => from_local(ms),
        })
    }
}

/// `digits` digits at the beginning.
fn digits(text: &str, digits: usize) -> Option<(i64, &str)> {
    let head = text.get(..digits)?;
    let is_number = head.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| head.parse().ok().map(|number| (number, &text[digits..])))?
}

struct Iso<'a> {
    rest: &'a str,
}

impl Iso<'_> {
    fn eat(&mut self, wanted: &[char]) -> bool {
        let is_there = self.rest.starts_with(wanted);
        if is_there {
            self.rest = &self.rest[1..];
        }
        is_there
    }

    fn number(&mut self, count: usize) -> Option<i64> {
        let (number, rest) = digits(self.rest, count)?;
        self.rest = rest;
        Some(number)
    }

    fn read(mut self) -> Option<f64> {
        let mut parts = Parts { month: 1, day: 1, ..Parts::default() };
        let is_negative = self.rest.starts_with('-');
        parts.year = if self.eat(&['+', '-']) { self.number(6)? } else { self.number(4)? };
        if is_negative {
            if parts.year == 0 {
                return None;
            }
            parts.year = -parts.year;
        }
        if self.eat(&['-']) {
            parts.month = self.number(2)?;
            if self.eat(&['-']) {
                parts.day = self.number(2)?;
            }
        }
        if self.rest.is_empty() {
            return parts.moment(true);
        }
        if !self.eat(&['T', 't', ' ']) {
            return None;
        }
        self.clock(&mut parts)?;
        self.rest = self.rest.trim_start();
        if self.eat(&['Z', 'z']) {
            parts.zone = Some(0);
        } else if let Some(sign) = self.rest.chars().next().filter(|c| ['+', '-'].contains(c)) {
            self.rest = &self.rest[1..];
            let hours = self.number(2)?;
            self.eat(&[':']);
            let minutes = if self.rest.is_empty() { 0 } else { self.number(2)? };
            if hours > 23 || minutes > 59 {
                return None;
            }
            parts.zone = Some(if sign == '-' { -(hours * 60 + minutes) } else { hours * 60 + minutes });
        }
        if self.rest.is_empty() { parts.moment(false) } else { None }
    }

    /// `10:05`, `10:05:06`, `10:05:06.789`.
    fn clock(&mut self, parts: &mut Parts) -> Option<()> {
        parts.hour = self.number(2)?;
        if !self.eat(&[':']) {
            return None;
        }
        parts.minute = self.number(2)?;
        if self.eat(&[':']) {
            parts.second = self.number(2)?;
            if self.eat(&['.', ',']) {
                let len = self.rest.bytes().take_while(u8::is_ascii_digit).count();
                parts.fraction =
                    format!("0.{}", self.rest.get(..len).filter(|digits| !digits.is_empty())?).parse().ok()?;
                self.rest = &self.rest[len..];
            }
        }
        Some(())
    }
}

/// Zones that have names, in hours.
const ZONES: [(&str, i64); 12] = [
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
];

/// What people and programs write.
#[derive(Default)]
struct Words {
    parts: Parts,
    /// Numbers that are no time and no zone, and how many digits each had.
    numbers: Vec<(i64, usize)>,
    has_time: bool,
}

impl Words {
    fn read(text: &str) -> Option<f64> {
        let mut words = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = if first.is_ascii_digit() {
                words.number(rest)?
            } else if first.is_ascii_alphabetic() {
                words.word(rest)?
            } else if first == '(' {
                // A remark: what the zone is called.
                rest.split_once(')').map_or("", |(_, rest)| rest)
            } else if ['+', '-'].contains(&first) && words.has_time {
                words.offset(rest)?
            } else if first.is_whitespace() || [',', '-', '/', '.'].contains(&first) {
                &rest[first.len_utf8()..]
            } else {
                return None;
            };
        }
        words.finish(text.contains('/'))
    }

    fn number<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let len = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = digits(text, len)?;
        if !rest.starts_with(':') || self.has_time {
            self.numbers.push((number, len));
            return Some(rest);
        }
        self.has_time = true;
        self.parts.hour = number;
        let two = |text: &'a str| {
            let len = text.bytes().take_while(u8::is_ascii_digit).count();
            (1..=2).contains(&len).then(|| digits(text, len)).flatten()
        };
        let (minute, mut rest) = two(&rest[1..])?;
        self.parts.minute = minute;
        if let Some(after) = rest.strip_prefix(':') {
            (self.parts.second, rest) = two(after)?;
            if let Some(after) = rest.strip_prefix('.') {
                let len = after.bytes().take_while(u8::is_ascii_digit).count();
                self.parts.fraction = format!("0.{}", &after[..len]).parse().unwrap_or(0.0);
                rest = &after[len..];
            }
        }
        Some(rest)
    }

    fn word<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let len = text.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (word, rest) = (text[..len].to_ascii_lowercase(), &text[len..]);
        let begins = |name: &&str| len >= 3 && word.starts_with(&name.to_ascii_lowercase());
        if let Some(month) = MONTHS.iter().position(&begins) {
            self.parts.month = month as i64 + 1;
        } else if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == word) {
            self.parts.zone = Some(hours * 60);
            // `GMT+0100` counts from here.
            self.has_time = true;
        } else if word == "am" || word == "pm" {
            if !self.has_time || !(1..=12).contains(&self.parts.hour) {
                return None;
            }
            self.parts.hour = self.parts.hour % 12 + if word == "pm" { 12 } else { 0 };
        } else if word != "t" && !DAYS.iter().any(begins) {
            return None;
        }
        Some(rest)
    }

    /// `+0100`, `-5`, `+01:00`
    fn offset<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let text = &text[1..];
        let len = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, mut rest) = digits(text, len)?;
        let mut minutes = if len <= 2 { number * 60 } else { number / 100 * 60 + number % 100 };
        if let (Some(after), true) = (rest.strip_prefix(':'), len <= 2) {
            let (more, after) = digits(after, 2)?;
            minutes += more;
            rest = after;
        }
        self.parts.zone = Some(sign * minutes);
        Some(rest)
    }

    fn finish(mut self, has_slashes: bool) -> Option<f64> {
        let (year, day) = match (&self.numbers[..], self.parts.month) {
            // 29 Feb 2024; Feb 29, 2024; 2024 Feb 29
            (&[first, second], 1..) if first.1 > 2 => (first, second.0),
            (&[first, second], 1..) => (second, first.0),
            (&[month, day, year], 0) if has_slashes && month.1 <= 2 => {
                self.parts.month = month.0;
                (year, day.0)
            }
            (&[year, month, day], 0) if has_slashes => {
                self.parts.month = month.0;
                (year, day.0)
            }
            _ => return None,
        };
        self.parts.day = day;
        self.parts.year = match year {
            (number, 1..=2) if number < 50 => 2000 + number,
            (number, 1..=2) => 1900 + number,
            (number, _) => number,
        };
        self.parts.moment(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<i64>) {
        assert_eq!(parse(text).map(|ms| ms as i64), expect, "{text:?}");
    }

    #[test]
    fn texts_with_a_zone() {
        for text in [
            "2024-02-29T10:00:00Z",
            "2024-02-29 10:00:00Z",
            "2024-02-29 10:00:00 +0000",
            "2024-02-29T11:00:00+01:00",
            "2024-02-29T11:00:00+0100",
            "Thu Feb 29 2024 11:00:00 GMT+0100 (CET)",
            "Thu, 29 Feb 2024 10:00:00 GMT",
            "29 February 2024 10:00 UTC",
            "February 29, 2024 5:00 AM EST",
            "Thu Feb 29 2024 10:00:00 GMT+0000 (UTC)",
            "2/29/2024 10:00 GMT",
            "2024/02/29 10:00:00 Z",
        ] {
            check(text, Some(1_709_200_800_000));
        }
        check("2024-02-29T10:00:00.123456789Z", Some(1_709_200_800_123));
        check("2024-02-29T10:00:00.1Z", Some(1_709_200_800_100));
        check("2024", Some(1_704_067_200_000));
        check("2024-02", Some(1_706_745_600_000));
        check("+275760-09-13T00:00:00.000Z", Some(8_640_000_000_000_000));
        check("-000001-01-01T00:00:00Z", Some(-62_198_755_200_000));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "nothing",
            "2024-13-01",
            "2024-02-30",
            "12:00",
            "20240229",
            "1",
            "Feb",
            "2024-02-29T25:00",
            "-000000-01-01",
            "2024-02-29T10:00:00Zulu",
            "Foo 29, 2024",
            "2024-02-29T10",
            "+275760-09-13T00:00:00.001Z",
            "13/13/2024",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn printed_and_read_again() {
        for ms in [0.0, 1_709_201_106_000.0, -62_198_755_200_000.0, 4_102_444_800_000.0, 951_782_400_000.0] {
            let text = print(ms, Form::Full);
            if ms > 0.0 {
                assert_eq!(parse(&text), Some(ms), "{text}");
            }
        }
        assert_eq!(print(f64::NAN, Form::Locale), "Invalid Date");
        for days in [-1_000_000, -719_468, -1, 0, 59, 60, 11_016, 2_932_896] {
            let (year, month, day) = day_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
    }
}
