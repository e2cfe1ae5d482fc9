//! Moments, as databases write them.

/// A moment on the clock of an offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// And nanoseconds.
    pub nanos: u32,
    /// How far the clock is ahead of UTC, in seconds; `None` where the value has no time zone.
    pub offset: Option<i32>,
}

impl Timestamp {
    /// The first moment of Go's, which stands for none.
    pub(super) const ZERO: Self = Self { seconds: -62_135_596_800, nanos: 0, offset: Some(0) };

    /// Reads `2024-01-02`, `2024-01-02 03:04:05.678`, `2024-01-02 03:04:05+05:30`, `0044-03-15 BC`; `None` for other texts, such
    /// as `infinity`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, is_bc) = text.strip_suffix(" BC").map_or((text, false), |text| (text, true));
        let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
        let mut parts = date.split('-').map(number);
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let days = days_from_civil(if is_bc { 1 - year } else { year }, month, day);
        let clock = Self::parse_clock(time)?;
        Some(Self { seconds: days * 86_400 + clock.seconds, ..clock })
    }

    /// Reads `03:04:05.678` and `03:04:05+02`, on the first day of year 0, as Go does.
    pub(super) fn parse_time(text: &str) -> Option<Self> {
        let clock = Self::parse_clock(text)?;
        Some(Self { seconds: days_from_civil(0, 1, 1) * 86_400 + clock.seconds, ..clock })
    }

    /// A time of day, as if it were of 1970-01-01.
    fn parse_clock(text: &str) -> Option<Self> {
        let (clock, zone) = match text.find(['+', '-']) {
            Some(at) => (&text[..at], Some(&text[at..])),
            None => (text, None),
        };
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let seconds = sexagesimal(clock, 3)?;
        let nanos = number(fraction)? * 10_i64.checked_pow(9_u32.checked_sub(fraction.len() as u32)?)?;
        let offset = match zone {
            None => None,
            Some(zone) => {
                let size = sexagesimal(&zone[1..], 1)? as i32;
                Some(if zone.starts_with('-') { -size } else { size })
            }
        };
        Some(Self { seconds: seconds - i64::from(offset.unwrap_or(0)), nanos: nanos as u32, offset })
    }
}

/// A number of decimal digits alone.
fn number(text: &str) -> Option<i64> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// `hh[:mm[:ss]]` in seconds, of at least so many parts.
fn sexagesimal(text: &str, least: usize) -> Option<i64> {
    let parts = text.split(':').map(number).collect::<Option<Vec<_>>>()?;
    if !(least..=3).contains(&parts.len()) {
        return None;
    }
    Some(parts.iter().zip([3600, 60, 1]).map(|(part, unit)| part * unit).sum())
}

/// Days since 1970-01-01 in the Gregorian calendar, also before it was in use.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March: the day that may be missing is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let (year, day_of_year) = (year.rem_euclid(400), (153 * month + 2) / 5 + day - 1);
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}
