//! When the iterations of an open model start: counted from the scenario's start, whatever the VUs are doing.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Share, VuStage};

/// One start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// When, counted from the scenario's start.
    pub at: Duration,
    /// The iteration's number in the whole test, from 0.
    pub global: u64,
}

/// The starts of `constant-arrival-rate`: iteration n at n periods, as long as that is within the duration.
#[derive(Clone, Debug)]
pub struct ConstantSchedule {
    share: Share,
    next: u64,
    period: Duration,
    end: Duration,
}

impl ConstantSchedule {
    /// `share` is the test's; iterations are dealt out by the split of `max_vus`.
    pub fn new(rate: u64, time_unit: Duration, duration: Duration, max_vus: u64, share: &Share) -> Self {
        let period = Duration::from_nanos(whole_nanos(time_unit) / rate.max(1));
        Self { share: share.by_split_of(max_vus), next: 0, period, end: duration }
    }
}

fn whole_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Iterator for ConstantSchedule {
    type Item = Start;

    fn next(&mut self) -> Option<Start> {
        let global = self.share.global(self.next)?;
        let at = Duration::from_nanos(whole_nanos(self.period).checked_mul(global)?);
        self.next += 1;
        (at < self.end).then_some(Start { at, global })
    }
}

/// The starts of `ramping-arrival-rate`: iteration n when the rate, added up over time, reaches n + 1.
#[derive(Clone, Debug)]
pub struct RampingSchedule {
    share: Share,
    next: u64,
    time_unit: i128,
    stages: VecDeque<VuStage>,
    /// The stage under way: its rates at both ends, its length and its start.
    from: i128,
    to: i128,
    length: i128,
    begin: i128,
    /// Twice what the stages before it added up to, times the time unit, so that it is whole.
    before: i128,
}

impl RampingSchedule {
    /// `share` is the test's; iterations are dealt out by the split of `max_vus`.
    pub fn new(start_rate: u64, time_unit: Duration, stages: &[VuStage], max_vus: u64, share: &Share) -> Self {
        Self {
            share: share.by_split_of(max_vus),
            next: 0,
            time_unit: whole_nanos(time_unit).into(),
            stages: stages.iter().copied().collect(),
            from: start_rate.into(),
            to: start_rate.into(),
            length: 0,
            begin: 0,
            before: 0,
        }
    }

    /// When, within the stage under way, twice the sum times the time unit has grown by `area`.
    fn offset(&self, area: i128) -> f64 {
        // The root of `rest * x² + 2 * from * x = area` with x in nanoseconds, in the form that loses no digits.
        let (from, length, area) = (self.from as f64, self.length as f64, area as f64);
        let slope = (self.to - self.from) as f64;
        area / (from + (from * from + slope * area / length).max(0.0).sqrt())
    }
}

impl Iterator for RampingSchedule {
    type Item = Start;

    fn next(&mut self) -> Option<Start> {
        let global = self.share.global(self.next)?;
        let wanted = 2 * self.time_unit * (i128::from(global) + 1);
        loop {
            let here = (self.from + self.to) * self.length;
            // A start at the very end of a stage is its last one.
            if wanted <= self.before + here {
                let offset = self.offset(wanted - self.before).min(self.length as f64);
                let at = self.begin as u64 + offset as u64;
                // A start at the very end of the last stage is too late.
                let is_last = self.stages.iter().all(|stage| stage.duration.is_zero());
                let ended = is_last && wanted == self.before + here;
                self.next += 1;
                return (!ended).then_some(Start { at: Duration::from_nanos(at), global });
            }
            let stage = self.stages.pop_front()?;
            self.before += here;
            self.begin += self.length;
            self.from = self.to;
            self.to = stage.target.into();
            self.length = whole_nanos(stage.duration).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Segment, SegmentSequence};

    const SECOND: Duration = Duration::from_secs(1);

    fn text(starts: impl Iterator<Item = Start>) -> String {
        starts.map(|start| start.at.as_millis().to_string()).collect::<Vec<_>>().join(" ")
    }

    fn stage(millis: u64, target: u64) -> VuStage {
        VuStage { duration: Duration::from_millis(millis), target }
    }

    #[test]
    fn a_constant_rate_starts_at_zero() {
        let starts = ConstantSchedule::new(4, SECOND, SECOND, 1, &Share::full());
        assert_eq!(text(starts), "0 250 500 750");
    }

    #[test]
    fn a_constant_rate_is_dealt_out() {
        let check = |segment: &str, expect: &str| {
            let sequence = SegmentSequence::parse("0,1/2,3/4,1").unwrap();
            let share = Share::new(Some(Segment::parse(segment).unwrap()), Some(&sequence)).unwrap();
            let starts = ConstantSchedule::new(10, SECOND, Duration::from_secs(2), 7, &share);
            assert_eq!(text(starts), expect, "{segment}");
        };
        check("0:1/2", "0 200 400 600 700 900 1100 1300 1400 1600 1800");
        check("1/2:3/4", "100 500 800 1200 1500 1900");
        check("3/4:1", "300 1000 1700");
    }

    #[test]
    fn all_parts_together_start_as_one_alone() {
        let stages = [stage(700, 30), stage(0, 5), stage(1300, 50), stage(500, 0)];
        for parts in crate::options::segment::tests::odd_sequences() {
            let ramping = |share: &Share| RampingSchedule::new(3, SECOND, &stages, 10, share).collect::<Vec<_>>();
            let constant = |share: &Share| ConstantSchedule::new(97, SECOND, 2 * SECOND, 10, share).collect::<Vec<_>>();
            let together = |starts: &dyn Fn(&Share) -> Vec<Start>| {
                let mut all: Vec<Start> = parts.iter().flat_map(starts).collect();
                all.sort_by_key(|start| start.global);
                all
            };
            assert_eq!(together(&ramping), ramping(&Share::full()));
            assert_eq!(together(&constant), constant(&Share::full()));
        }
    }

    #[test]
    fn a_ramping_rate_adds_up() {
        let check = |start: u64, stages: &[VuStage], expect: &str| {
            assert_eq!(text(RampingSchedule::new(start, SECOND, stages, 1, &Share::full())), expect);
        };
        check(1, &[stage(2000, 9)], "500 780 1000 1186 1350 1500 1637 1765 1886");
        check(2, &[stage(1500, 2)], "500 1000");
        check(0, &[stage(1000, 0), stage(0, 2), stage(1000, 2), stage(0, 0), stage(5000, 0)], "1500 2000");
        check(4, &[stage(1000, 0)], "292");
        check(0, &[stage(1000, 0)], "");
    }
}
