//! Moments as scripts see them: objects with the methods of Go's `time.Time`, and Go's layouts.

use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::net::sql::Timestamp;
use crate::units::quote::go_quote;

/// The parts of a layout, the longer before those they begin with.
const LAYOUT: [&str; 38] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "2006",
    "_2006",
    "__2",
    "_2",
    "002",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "PM",
    "pm",
    "Z07:00:00",
    "Z070000",
    "Z07:00",
    "Z0700",
    "Z07",
    "-07:00:00",
    "-070000",
    "-07:00",
    "-0700",
    "-07",
    ".0",
    ",0",
    ".9",
    ",9",
    "1",
    "2",
    "3",
    "4",
    "5",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// What `String(time)` shows.
const STRING: &str = "2006-01-02 15:04:05.999999999 -0700 MST";
const RFC_3339: &str = "2006-01-02T15:04:05.999999999Z07:00";

/// What the script's object keeps of a moment.
pub(super) fn parts(time: Timestamp) -> Value {
    let offset = time.offset.map_or(Value::Null, |offset| Value::Number(f64::from(offset)));
    Value::List(vec![Value::Number(time.seconds as f64), Value::Number(f64::from(time.nanos)), offset])
}

/// A moment on its own clock.
struct Clock {
    time: Timestamp,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    weekday: i64,
    second_of_day: i64,
}

impl Clock {
    fn of(time: Timestamp) -> Self {
        let local = time.seconds + i64::from(time.offset.unwrap_or(0));
        let days = local.div_euclid(86_400);
        // Years that begin in March, in eras of 400.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * from_march + 2) / 153;
        let day = from_march - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        // January and February come after December there.
        let day_of_year = if month <= 2 { from_march - 305 } else { from_march + 60 + i64::from(is_leap) };
        let (weekday, second_of_day) = ((days + 4).rem_euclid(7), local.rem_euclid(86_400));
        Self { time, year, month, day, day_of_year, weekday, second_of_day }
    }

    fn hour(&self) -> i64 {
        self.second_of_day / 3600
    }

    fn minute(&self) -> i64 {
        self.second_of_day / 60 % 60
    }

    fn second(&self) -> i64 {
        self.second_of_day % 60
    }

    fn format(&self, layout: &str) -> String {
        let (mut text, mut rest) = (String::new(), layout);
        while let Some(first) = rest.chars().next() {
            let found = LAYOUT.iter().find(|part| rest.starts_with(**part)).copied();
            if let Some(part) = found
                && let Some(digit) = part.strip_prefix(['.', ','])
            {
                let digits = rest.len() - 1 - rest[1..].trim_start_matches(digit).len();
                // Digits that go on are no fraction.
                if !rest[1 + digits..].starts_with(|c: char| c.is_ascii_digit()) {
                    self.put_fraction(&mut text, first, digits, digit == "9");
                    rest = &rest[1 + digits..];
                    continue;
                }
            } else if let Some(part) = found {
                text.push_str(&self.part(part));
                rest = &rest[part.len()..];
                continue;
            }
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
        text
    }

    fn put_fraction(&self, text: &mut String, point: char, digits: usize, is_trimmed: bool) {
        let nanos = format!("{:09}", self.time.nanos);
        let mut shown = &nanos[..digits.min(9)];
        if is_trimmed {
            shown = shown.trim_end_matches('0');
        }
        if !shown.is_empty() {
            text.push(point);
            text.push_str(shown);
        }
    }

    fn part(&self, part: &str) -> String {
        let hour_12 = (self.hour() + 11) % 12 + 1;
        let (month, day) = (MONTHS[(self.month - 1) as usize], DAYS[self.weekday as usize]);
        let year = || if self.year < 0 { format!("-{:04}", -self.year) } else { format!("{:04}", self.year) };
        match part {
            "January" => month.to_owned(),
            "Jan" => month[..3].to_owned(),
            "Monday" => day.to_owned(),
            "Mon" => day[..3].to_owned(),
            "2006" => year(),
            "_2006" => format!("_{}", year()),
            "06" => format!("{:02}", self.year.rem_euclid(100)),
            "01" => format!("{:02}", self.month),
            "1" => self.month.to_string(),
            "02" => format!("{:02}", self.day),
            "_2" => format!("{:2}", self.day),
            "2" => self.day.to_string(),
            "002" => format!("{:03}", self.day_of_year),
            "__2" => format!("{:3}", self.day_of_year),
            "15" => format!("{:02}", self.hour()),
            "03" => format!("{hour_12:02}"),
            "3" => hour_12.to_string(),
            "04" => format!("{:02}", self.minute()),
            "4" => self.minute().to_string(),
            "05" => format!("{:02}", self.second()),
            "5" => self.second().to_string(),
            "PM" => if self.hour() >= 12 { "PM" } else { "AM" }.to_owned(),
            "pm" => if self.hour() >= 12 { "pm" } else { "am" }.to_owned(),
            zone => self.zone(zone),
        }
    }

    /// `MST`, and offsets by their form: a `Z` shows UTC as that.
    fn zone(&self, form: &str) -> String {
        let offset = self.time.offset.unwrap_or(0);
        if form == "MST" && self.time.offset == Some(0) {
            return "UTC".to_owned();
        }
        // A zone without a name is shown by its offset.
        let form = if form == "MST" { "-0700" } else { form };
        if form.starts_with('Z') && offset == 0 {
            return "Z".to_owned();
        }
        let sign = if offset < 0 { '-' } else { '+' };
        let (hours, minutes, seconds) = (offset.abs() / 3600, offset.abs() / 60 % 60, offset.abs() % 60);
        match &form[1..] {
            "07" => format!("{sign}{hours:02}"),
            "0700" => format!("{sign}{hours:02}{minutes:02}"),
            "07:00" => format!("{sign}{hours:02}:{minutes:02}"),
            "070000" => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
            _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        }
    }
}

/// `(parts, method, layout)` -> what the method returns.
pub(super) fn time_part(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let Value::List(parts) = args.take(0) else { return Err(Throw::type_error("this is no time")) };
    let number = |at: usize| match parts.get(at) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let time = Timestamp {
        seconds: number(0).unwrap_or_default() as i64,
        nanos: number(1).unwrap_or_default() as u32,
        offset: number(2).map(|offset| offset as i32),
    };
    let (clock, method) = (Clock::of(time), args.string(1));
    let (seconds, nanos) = (time.seconds as f64, f64::from(time.nanos));
    let whole = |number: i64| Value::Number(number as f64);
    Ok(match method.as_str() {
        "unix" => Value::Number(seconds),
        "unixMilli" => Value::Number(seconds * 1e3 + (nanos / 1e6).floor()),
        "unixMicro" => Value::Number(seconds * 1e6 + (nanos / 1e3).floor()),
        "unixNano" => Value::Number(seconds * 1e9 + nanos),
        "year" => whole(clock.year),
        "month" => whole(clock.month),
        "day" => whole(clock.day),
        "hour" => whole(clock.hour()),
        "minute" => whole(clock.minute()),
        "second" => whole(clock.second()),
        "nanosecond" => Value::Number(nanos),
        "weekday" => whole(clock.weekday),
        "yearDay" => whole(clock.day_of_year),
        "format" => clock.format(&args.string(2)).into(),
        "toJSON" => clock.format(RFC_3339).into(),
        "toString" | "string" => clock.format(STRING).into(),
        other => return Err(Throw::type_error(format!("a time has no method {}", go_quote(other)))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_go() {
        // 2024-02-29 15:04:05.06 at +05:30, a Thursday.
        let time = Timestamp { seconds: 1_709_199_245, nanos: 60_000_000, offset: Some(19_800) };
        let check = |layout: &str, expect: &str| assert_eq!(Clock::of(time).format(layout), expect, "{layout}");
        check(RFC_3339, "2024-02-29T15:04:05.06+05:30");
        check(STRING, "2024-02-29 15:04:05.06 +0530 +0530");
        check("Mon, 02 Jan 2006 15:04:05 MST", "Thu, 29 Feb 2024 15:04:05 +0530");
        check("Monday January 2 3:4:5 pm 06 _2", "Thursday February 29 3:4:5 pm 24 29");
        check("002 .000 .000000 .99 PM Z0700 -07", "060 .060 .060000 .06 PM +0530 +05");
        check("1/2/2006 x", "2/29/2024 x");
        let check = |seconds: i64, offset: Option<i32>, expect: &str| {
            assert_eq!(Clock::of(Timestamp { seconds, nanos: 0, offset }).format(STRING), expect, "{seconds}");
        };
        check(0, Some(0), "1970-01-01 00:00:00 +0000 UTC");
        check(0, None, "1970-01-01 00:00:00 +0000 +0000");
        check(-1, Some(3600), "1970-01-01 00:59:59 +0100 +0100");
        check(-62_167_219_200, None, "0000-01-01 00:00:00 +0000 +0000");
    }
}
