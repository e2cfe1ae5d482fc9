//! Dates and times, in the formats that Go names and in those of tokens.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Faker;
use super::generate::{Generate, Given, number};
use crate::js::value::Value;

pub(super) fn code(name: &str) -> Option<Generate> {
    Some(match name {
        "date" => |faker, given| {
            let at = any_time(faker);
            Ok(in_go_format(at, &given[0].text())?.into())
        },
        "dateRange" => date_range,
        "day" => |faker, _| number(faker.random.between(1, 31)),
        "hour" => |faker, _| number(faker.random.between(0, 23)),
        "minute" => |faker, _| number(faker.random.between(0, 59)),
        "month" => |faker, _| Ok(faker.random.between(1, 12).to_string().into()),
        "nanosecond" => |faker, _| number(faker.random.between(0, 999_999_999)),
        "second" => |faker, _| number(faker.random.between(0, 59)),
        "year" => |faker, _| number(faker.random.between(1900, this_year())),
        "timezoneOffset" => |faker, _| {
            const OFFSETS: [f64; 30] = [
                -12.0, -11.0, -10.0, -9.0, -8.0, -7.0, -6.0, -5.0, -4.5, -4.0, -3.5, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0,
                3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 5.75, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0,
            ];
            Ok(Value::Number(OFFSETS[faker.random.below(OFFSETS.len())]))
        },
        "futureTime" => |faker, _| moved(faker, 1),
        "pastTime" => |faker, _| moved(faker, -1),
        _ => return None,
    })
}

/// The year of the clock.
pub(super) fn this_year() -> i64 {
    /// The calendar is asked once: a test that lasts beyond New Year has cards of one year less.
    static YEAR: LazyLock<i64> = LazyLock::new(|| i64::from(Timestamp::now().to_zoned(TimeZone::UTC).year()));
    *YEAR
}

/// A moment between 1900 and now.
fn any_time(faker: &mut Faker) -> Timestamp {
    let least = Date::constant(1900, 1, 1).to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second());
    let seconds = faker.random.between(least, Timestamp::now().as_second());
    Timestamp::new(seconds, faker.random.between(0, 999_999_999) as i32).unwrap_or_default()
}

/// Up to twelve hours from now, one way or the other, as Go writes a time.
fn moved(faker: &mut Faker, sign: i64) -> Result<Value, String> {
    let seconds = Timestamp::now().as_second() + sign * faker.random.between(3600, 12 * 3600);
    let at = Timestamp::from_second(seconds).unwrap_or_default();
    Ok(at.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string().into())
}

fn in_go_format(at: Timestamp, format: &str) -> Result<String, String> {
    let form = match format {
        "ANSIC" => "%a %b %e %H:%M:%S %Y",
        "UnixDate" => "%a %b %e %H:%M:%S UTC %Y",
        "RubyDate" => "%a %b %d %H:%M:%S +0000 %Y",
        "RFC822" => "%d %b %y %H:%M UTC",
        "RFC822Z" => "%d %b %y %H:%M +0000",
        "RFC850" => "%A, %d-%b-%y %H:%M:%S UTC",
        "RFC1123" => "%a, %d %b %Y %H:%M:%S UTC",
        "RFC1123Z" => "%a, %d %b %Y %H:%M:%S +0000",
        "RFC3339" => "%Y-%m-%dT%H:%M:%SZ",
        "RFC3339Nano" => "%Y-%m-%dT%H:%M:%S%.fZ",
        other => return in_tokens(at, other),
    };
    Ok(at.strftime(form).to_string())
}

/// The tokens of Java's formats: `yyyy-MM-dd HH:mm:ss`.
const TOKENS: [(&str, &str); 19] = [
    ("yyyy", "%Y"),
    ("yy", "%y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%-m"),
    ("dddd", "%A"),
    ("ddd", "%a"),
    ("dd", "%d"),
    ("d", "%-d"),
    ("HH", "%H"),
    ("H", "%-H"),
    ("hh", "%I"),
    ("h", "%-I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("SSS", "%3f"),
    ("ZZZ", "UTC"),
    ("ZZ", "+00:00"),
];

fn in_tokens(at: Timestamp, format: &str) -> Result<String, String> {
    let mut form = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let token = TOKENS.iter().find(|(token, _)| rest.starts_with(token));
        match token {
            Some((token, directive)) => {
                form += directive;
                rest = &rest[token.len()..];
            }
            None => {
                if first == '%' {
                    form.push('%');
                }
                form.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    Ok(at.strftime(&form).to_string())
}

fn date_range(faker: &mut Faker, given: &mut [Given]) -> Result<Value, String> {
    let format = given[2].text();
    let read = |given: &Given| {
        let text = given.text();
        let moment = text.parse::<Timestamp>().ok();
        let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        moment.or_else(day).ok_or_else(|| format!("parsing time {text:?}: a date like 1970-01-01 was expected"))
    };
    let (start, end) = (read(&given[0])?, read(&given[1])?);
    let seconds = faker.random.between(start.as_second(), end.as_second());
    let at = Timestamp::from_second(seconds).unwrap_or_default();
    Ok(in_go_format(at, &format)?.into())
}
