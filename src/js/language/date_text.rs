//! Texts of dates, in all forms that k6, node and QuickJS read: ISO 8601, and what people and programs write.

use super::dates::{DAY_MS, MAX_MS, MONTHS, days_of, from_local};

/// The moment a text names, in milliseconds since 1970. Without a zone it is local time, except for a day alone in ISO
/// form. `None` where it is no date.
pub fn parse(text: &str) -> Option<f64> {
    let bytes = text.chars().map(|c| match c {
        '\u{2212}' => b'-',
        c if c.is_whitespace() => b' ',
        c => u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?'),
    });
    let bytes: Vec<u8> = bytes.collect();
    let parts = match (DateTextReader { rest: &bytes }.iso()) {
        IsoForm::Read(parts) => parts,
        IsoForm::Wrong => return None,
        IsoForm::Another => Words::default().read(DateTextReader { rest: &bytes })?,
    };
    parts.moment()
}

/// Parts of a date, as they are written.
struct Parts {
    year: i64,
    /// From 1.
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    ms: i64,
    /// In minutes; `None` is local time.
    zone: Option<i64>,
}

impl Parts {
    const fn of_year(year: i64) -> Self {
        Self { year, month: 1, day: 1, hour: 0, minute: 0, second: 0, ms: 0, zone: None }
    }

    /// A 30th of February is the first or second day of March; all else has to be there.
    fn moment(&self) -> Option<f64> {
        let Self { year, month, day, hour, minute, second, ms, zone } = *self;
        let is_midnight = hour == 24 && minute == 0 && second == 0 && ms == 0;
        let is_time = (hour < 24 || is_midnight) && minute <= 59 && second <= 59;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !is_time {
            return None;
        }
        let clock = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
        let local = (days_of(year, month, 1) + day - 1) as f64 * DAY_MS + clock as f64;
        let moment = match zone {
            Some(zone) => local - zone as f64 * 60_000.0,
            None => from_local(local),
        };
        (moment.abs() <= MAX_MS).then_some(moment)
    }
}

/// What came of reading a text as ISO 8601.
enum IsoForm {
    Read(Parts),
    /// It has no other form.
    Wrong,
    /// It may have another form.
    Another,
}

/// What is left of a text.
#[derive(Clone, Copy)]
struct DateTextReader<'a> {
    rest: &'a [u8],
}

impl DateTextReader<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn skip(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }

    fn eat(&mut self, wanted: &[u8]) -> bool {
        let is_there = self.peek().is_some_and(|byte| wanted.contains(&byte));
        self.skip(usize::from(is_there));
        is_there
    }

    /// How many bytes at the beginning are like this.
    fn count(&self, is_one: impl Fn(u8) -> bool) -> usize {
        self.rest.iter().take_while(|byte| is_one(**byte)).count()
    }

    /// A number of so many digits, and how many it has.
    fn number(&mut self, least: usize, most: usize) -> Option<(i64, usize)> {
        /// Longer numbers are no part of a date.
        const MAX_DIGITS: usize = 9;
        let count = self.count(|byte| byte.is_ascii_digit()).min(most);
        if count < least || count > MAX_DIGITS {
            return None;
        }
        let number = self.rest[..count].iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        self.skip(count);
        Some((number, count))
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        self.number(count, count).map(|(number, _)| number)
    }

    /// `.678`: the point stays where no digit follows.
    fn milliseconds(&mut self) -> i64 {
        let mut ahead = *self;
        let count = match ahead.eat(b".,") {
            true => ahead.count(|byte| byte.is_ascii_digit()),
            false => 0,
        };
        if count == 0 {
            return 0;
        }
        let digit = |at: usize| ahead.rest[..count].get(at).map_or(0, |digit| i64::from(digit - b'0'));
        let ms = digit(0) * 100 + digit(1) * 10 + digit(2);
        ahead.skip(count);
        *self = ahead;
        ms
    }

    /// `+01:00`, `+0100`, `+01`; elsewhere than in ISO 8601 also `+1`. In minutes.
    fn offset(&mut self, is_iso: bool) -> Option<i64> {
        let mut ahead = *self;
        let sign = match ahead.peek()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        ahead.skip(1);
        let (number, count) = ahead.number(1, usize::MAX)?;
        let (hours, minutes) = match count {
            2 | 1 if count == 2 || !is_iso => match ahead.eat(b":") {
                true => (number, ahead.digits(2)?),
                false => (number, 0),
            },
            4 | 3 if count == 4 || !is_iso => (number / 100, number % 100),
            _ => return None,
        };
        if hours > 23 || minutes > 59 {
            return None;
        }
        *self = ahead;
        Some(sign * (hours * 60 + minutes))
    }

    fn iso(mut self) -> IsoForm {
        self.iso_parts().unwrap_or(IsoForm::Another)
    }

    fn iso_parts(&mut self) -> Option<IsoForm> {
        let is_negative = self.peek() == Some(b'-');
        let year = if self.eat(b"+-") { self.digits(6)? } else { self.digits(4)? };
        if is_negative && year == 0 {
            return None;
        }
        let mut parts = Parts::of_year(if is_negative { -year } else { year });
        if self.eat(b"-") {
            parts.month = self.digits(2)?;
            if self.eat(b"-") {
                parts.day = self.digits(2)?;
            }
        }
        parts.zone = Some(0);
        if self.eat(b"Tt") {
            parts.zone = None;
            let (Some(hour), true, Some(minute)) = (self.digits(2), self.eat(b":"), self.digits(2)) else {
                return Some(IsoForm::Wrong);
            };
            (parts.hour, parts.minute) = (hour, minute);
            if self.eat(b":") {
                parts.second = self.digits(2)?;
                parts.ms = self.milliseconds();
            }
        }
        if self.eat(b"Zz") {
            parts.zone = Some(0);
        } else if !self.rest.is_empty() {
            parts.zone = Some(self.offset(true)?);
        }
        self.rest.is_empty().then_some(IsoForm::Read(parts))
    }
}

/// Zones that have names, in hours.
const ZONES: [(&str, i64); 18] = [
    ("gmt", 0),
    ("utc", 0),
    ("ut", 0),
    ("z", 0),
    ("edt", -4),
    ("est", -5),
    ("cdt", -5),
    ("cst", -6),
    ("mdt", -6),
    ("mst", -7),
    ("pdt", -7),
    ("pst", -8),
    ("wet", 0),
    ("west", 1),
    ("cet", 1),
    ("cest", 2),
    ("eet", 2),
    ("eest", 3),
];

/// What people and programs write.
struct Words {
    parts: Parts,
    has_year: bool,
    has_month: bool,
    has_time: bool,
    /// Days, months, and years of two digits, in their order.
    numbers: Vec<i64>,
}

impl Default for Words {
    fn default() -> Self {
        // A day without a year is one of this.
        Self { parts: Parts::of_year(2001), has_year: false, has_month: false, has_time: false, numbers: Vec::new() }
    }
}

/// A year of two digits is one of the last century's second half, or of this one's first.
const fn full_year(year: i64) -> i64 {
    match year {
        0..=49 => 2000 + year,
        50..=99 => 1900 + year,
        _ => year,
    }
}

impl Words {
    fn read(mut self, mut text: DateTextReader<'_>) -> Option<Parts> {
        loop {
            text.skip(text.count(|byte| byte == b' '));
            let Some(first) = text.peek() else { break };
            match first {
                b'+' | b'-' => self.signed(&mut text)?,
                b'0'..=b'9' => self.number(&mut text)?,
                b'(' => remark(&mut text)?,
                b')' => return None,
                // What counts a zone's hours follows at once.
                _ if self.word(&mut text)? => continue,
                _ => {}
            }
            let is_separator = |byte| matches!(byte, b'-' | b'/' | b'.' | b',');
            // Behind a time, a minus is one.
            while text.peek().is_some_and(is_separator)
                && !(self.has_time && matches!(text.rest, [b'-', b'0'..=b'9', ..]))
            {
                text.skip(1);
            }
        }
        self.finish()
    }

    fn is_empty(&self) -> bool {
        !self.has_year && !self.has_month && !self.has_time && self.numbers.is_empty()
    }

    /// An offset behind a time, else a year.
    fn signed(&mut self, text: &mut DateTextReader<'_>) -> Option<()> {
        if self.has_time
            && let Some(zone) = text.offset(false)
        {
            self.parts.zone = Some(zone);
            return Some(());
        }
        let is_negative = text.peek() == Some(b'-');
        text.skip(1);
        if text.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            let (year, _) = text.number(1, usize::MAX)?;
            if is_negative && year == 0 {
                return None;
            }
            self.parts.year = if is_negative { -year } else { year };
            self.has_year = true;
        }
        Some(())
    }

    /// A time, or a number that is a part of a day.
    fn number(&mut self, text: &mut DateTextReader<'_>) -> Option<()> {
        let (number, count) = text.number(1, usize::MAX)?;
        if text.eat(b":") {
            self.has_time = true;
            self.parts.hour = number;
            self.parts.minute = text.number(1, 2)?.0;
            if text.eat(b":") {
                self.parts.second = text.number(1, 2)?.0;
                self.parts.ms = text.milliseconds();
            }
            return Some(());
        }
        match number {
            _ if count > 2 => (self.parts.year, self.has_year) = (number, true),
            1..=31 if self.numbers.len() == 3 => return None,
            1..=31 => self.numbers.push(number),
            _ => (self.parts.year, self.has_year) = (full_year(number), true),
        }
        Some(())
    }

    /// A word; true for one that no separator follows.
    fn word(&mut self, text: &mut DateTextReader<'_>) -> Option<bool> {
        let word = text.rest[..text.count(|byte| byte.is_ascii_alphabetic())].to_ascii_lowercase();
        let month =
            word.get(..3).and_then(|begin| MONTHS.iter().position(|name| begin.eq_ignore_ascii_case(name.as_bytes())));
        let zone = ZONES.iter().find(|(name, _)| name.as_bytes() == word);
        if let Some(month) = month {
            (self.parts.month, self.has_month) = (month as i64 + 1, true);
            text.skip(text.count(|byte| !matches!(byte, b'0'..=b'9' | b' ' | b'-' | b'/' | b'(')));
            return Some(false);
        }
        if let (b"am" | b"pm", true) = (&word[..], self.has_time) {
            let noon = if word == b"pm" { 12 } else { 0 };
            match self.parts.hour {
                hour @ 0..=12 => self.parts.hour = hour % 12 + noon,
                _ => return None,
            }
            text.skip(word.len());
            return Some(true);
        }
        if let Some((name, hours)) = zone {
            self.parts.zone = Some(hours * 60);
            text.skip(name.len());
            return Some(true);
        }
        // What stands in front of a date, such as the day of the week.
        if !self.is_empty() {
            return None;
        }
        text.skip(text.count(|byte| !matches!(byte, b' ' | b'-' | b'/' | b'(')));
        Some(false)
    }

    fn finish(mut self) -> Option<Parts> {
        let parts = &mut self.parts;
        if self.numbers.len() + usize::from(self.has_year) + usize::from(self.has_month) > 3 {
            return None;
        }
        match self.numbers[..] {
            [] if self.has_year => {}
            [] => return None,
            [day] if self.has_month => parts.day = day,
            [month] => parts.month = month,
            [day, year] if self.has_month && !self.has_year => (parts.day, parts.year) = (day, full_year(year)),
            [month, day] => (parts.month, parts.day) = (month, day),
            [month, day, year] => (parts.month, parts.day, parts.year) = (month, day, full_year(year)),
            _ => return None,
        }
        Some(self.parts)
    }
}

/// Past a phrase in parentheses: what the zone is called.
fn remark(text: &mut DateTextReader<'_>) -> Option<()> {
    let mut depth = 0;
    for (at, byte) in text.rest.iter().enumerate() {
        depth += i32::from(*byte == b'(') - i32::from(*byte == b')');
        if depth == 0 {
            text.skip(at + 1);
            return Some(());
        }
    }
    None
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
            "2024-02-29t10:00:00z",
            "2024-02-29 10:00:00Z",
            "2024-02-29 10:00:00 +0000",
            "2024-02-29 10:00:00 UTC",
            "2024-02-29T11:00:00+01:00",
            "2024-02-29T11:00:00+0100",
            "2024-02-29T11:00:00+01",
            "2024-02-29 05:00:00-05:00",
            "2024-02-29 05:00:00 -0500",
            "2024-02-29 05:00:00-05",
            "Thu Feb 29 2024 11:00:00 GMT+0100 (CET)",
            "Thu Feb 29 2024 11:00:00 GMT+0100 (Central European (Standard) Time)",
            "Thu, 29 Feb 2024 10:00:00 GMT",
            "Thursday, 29-Feb-24 10:00:00 GMT",
            "Thu, 29-Feb-2024 10:00:00 GMT",
            "29 February 2024 10:00 UTC",
            "February 29, 2024 5:00 AM EST",
            "February 29, 2024 10:00\u{202f}AM Z",
            "Feb. 29, 2024 11:00 CET",
            "Thu Feb 29 10:00:00 UTC 2024",
            "Thu Feb 29 2024 10:00:00 GMT+0000 (UTC)",
            "2/29/2024 10:00 GMT",
            "02/29/24, 10:00 GMT",
            "2024/02/29 10:00:00 Z",
            "2024-2-29 10:00 Z",
            "2-29-2024 10:00 Z",
        ] {
            check(text, Some(1_709_200_800_000));
        }
        check("2024-02-29T10:00:00.123456789012Z", Some(1_709_200_800_123));
        check("2024-02-29T10:00:00,1Z", Some(1_709_200_800_100));
        check("2024", Some(1_704_067_200_000));
        check("2024-02", Some(1_706_745_600_000));
        check("2024-02-30", Some(1_709_251_200_000));
        check("2024-02-29T24:00:00Z", Some(1_709_251_200_000));
        check("29 Feb 2024 0:30 PM Z", Some(1_709_209_800_000));
        check("Feb 29 Z", Some(983_404_800_000));
        check("1 Z", Some(978_307_200_000));
        check("99 Z", Some(915_148_800_000));
        check("+275760-09-13T00:00:00.000Z", Some(8_640_000_000_000_000));
        check("-000001-01-01T00:00:00Z", Some(-62_198_755_200_000));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "nothing",
            "2024-13-01",
            "2024-02-32",
            "12:00",
            "20240229",
            "Feb",
            "2024-02-29T25:00",
            "2024-02-29T24:00:01Z",
            "2024-02-29T10:60",
            "-000000-01-01",
            "2024-02-29T10:00:00Zulu",
            "2024-02-29T10:00:00 Z",
            "2024-02-29T10:00:00+1",
            "Foo 29, 2024",
            "2024 Foo",
            "2024-02-29T10",
            "2024-02-29T1:00",
            "+275760-09-13T00:00:00.001Z",
            "13/13/2024",
            "29.02.2024",
            "Feb 29 2024 (",
            "Feb 29 2024)",
            "Feb 29 2024 13:00 PM",
            "Feb 29 2024 3 PM",
            "1 2 3 4",
            "1234567890123",
        ] {
            check(text, None);
        }
    }
}
