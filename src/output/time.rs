//! Stamps as text, quickly: what changes only once a second is worked out only once a second.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::metrics::Stamp;

/// Writes stamps as RFC 3339 in one time zone.
#[derive(Debug)]
pub struct Rfc3339 {
    zone: TimeZone,
    second: u64,
    date: String,
    offset: String,
}

impl Rfc3339 {
    /// In the zone of this machine.
    pub fn local() -> Self {
        Self::new(TimeZone::system())
    }

    /// In this zone.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, second: u64::MAX, date: String::new(), offset: String::new() }
    }

    /// Appends the moment to the second: `2026-11-23T07:41:32Z`.
    pub fn write_seconds(&mut self, stamp: Stamp, to: &mut String) {
        self.update(stamp);
        to.push_str(&self.date);
        to.push_str(&self.offset);
    }

    /// Appends the moment with up to nine decimals, zeros at the end left out: `2026-11-23T07:41:32.264730905Z`.
    pub fn write_nanos(&mut self, stamp: Stamp, to: &mut String) {
        self.update(stamp);
        to.push_str(&self.date);
        let nanos = stamp.0 % 1_000_000_000;
        if nanos > 0 {
            // Writing to a string can't fail.
            _ = write!(to, ".{nanos:09}");
            to.truncate(to.trim_end_matches('0').len());
        }
        to.push_str(&self.offset);
    }

    fn update(&mut self, stamp: Stamp) {
        let second = stamp.0 / 1_000_000_000;
        if second == self.second {
            return;
        }
        let moment = Timestamp::from_second(i64::try_from(second).unwrap_or(0)).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = moment.to_zoned(self.zone.clone());
        let minutes = local.offset().seconds() / 60;
        self.second = second;
        self.date = local.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        self.offset = match minutes {
            0 => "Z".to_owned(),
            _ => {
                let sign = if minutes < 0 { '-' } else { '+' };
                format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_moments() {
        let check = |hours: i8, nanos: u64, seconds: &str, fraction: &str| {
            let mut clock = Rfc3339::new(TimeZone::fixed(jiff::tz::offset(hours)));
            let (mut short, mut long) = (String::new(), String::new());
            clock.write_seconds(Stamp(1_795_419_692_000_000_000 + nanos), &mut short);
            clock.write_nanos(Stamp(1_795_419_692_000_000_000 + nanos), &mut long);
            assert_eq!((short.as_str(), long.as_str()), (seconds, fraction));
        };
        check(0, 264_730_905, "2026-11-23T07:41:32Z", "2026-11-23T07:41:32.264730905Z");
        check(0, 500_000_000, "2026-11-23T07:41:32Z", "2026-11-23T07:41:32.5Z");
        check(2, 0, "2026-11-23T09:41:32+02:00", "2026-11-23T09:41:32+02:00");
        check(-5, 1_000, "2026-11-23T02:41:32-05:00", "2026-11-23T02:41:32.000001-05:00");
    }
}
