//! Dates as texts, in the forms k6 prints, whatever the engine does of its own; what it reads is in `date_text`.

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
/// Months, as they are printed.
pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// A day, in milliseconds.
pub const DAY_MS: f64 = 86_400_000.0;
/// The last moment a Date can hold, in milliseconds on either side of 1970.
pub const MAX_MS: f64 = 8.64e15;

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
pub fn from_local(local: f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::js::language::date_text::parse;

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
