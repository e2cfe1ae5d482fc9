//! The ramp of `ramping-vus`: at which instant the number of VUs changes, to how many, without rounding on the way.

use std::time::Duration;

use super::{Share, VuStage};

/// From `at` on, counted from the scenario's start, `vus` VUs are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VuStep {
    /// When.
    pub at: Duration,
    /// How many.
    pub vus: u64,
}

/// Every change of the whole test's VU count; the first step is the start itself. VU number k is wanted from the
/// instant the line reaches k, and no longer from the instant it falls back to k - 1.
pub fn global_steps(start_vus: u64, stages: &[VuStage]) -> impl Iterator<Item = VuStep> + '_ {
    let mut vus = start_vus;
    let mut begin = Duration::ZERO;
    let ramps = stages.iter().flat_map(move |stage| {
        let (from, to, length, start) = (vus, stage.target, stage.duration.as_nanos(), begin);
        vus = to;
        begin += stage.duration;
        let count = from.abs_diff(to);
        // A jump is one step, a ramp one for each VU.
        let first = if length == 0 { count.max(1) } else { 1 };
        (first..=count).map(move |number| {
            let offset = u64::try_from(length * u128::from(number) / u128::from(count)).unwrap_or(u64::MAX);
            let vus = if to > from { from + number } else { from - number };
            VuStep { at: start + Duration::from_nanos(offset), vus }
        })
    });
    std::iter::once(VuStep { at: Duration::ZERO, vus: start_vus }).chain(ramps)
}

/// The changes of this share's VU count: each global change that concerns it, at its global instant. Steps of one
/// instant are one step.
pub fn own_steps(start_vus: u64, stages: &[VuStage], share: &Share) -> Vec<VuStep> {
    let mut steps: Vec<VuStep> = Vec::new();
    for step in global_steps(start_vus, stages) {
        let own = VuStep { vus: share.scale(step.vus), ..step };
        match steps.last_mut() {
            Some(last) if last.at == own.at => last.vus = own.vus,
            Some(last) if last.vus == own.vus => (),
            _ => steps.push(own),
        }
    }
    steps.dedup_by_key(|step| step.vus);
    steps
}

/// The VUs that must be there: those wanted, and those that were wanted until less than `graceful_ramp_down` ago. The
/// last step is the release of all, at the latest `graceful_stop` after the ramp's `end`.
pub fn reserved_steps(steps: &[VuStep], end: Duration, grace: Duration, graceful_stop: Duration) -> Vec<VuStep> {
    let last = end + graceful_stop;
    // What the ramp leaves running at its end has the whole graceful stop.
    let wanted_until = |at: usize| steps.get(at + 1).map_or(last, |next| (next.at + grace).min(last));
    let mut reserved: Vec<VuStep> = Vec::new();
    let mut put = |at: Duration, vus: u64| match reserved.last_mut() {
        Some(before) if before.at == at => before.vus = vus,
        Some(before) if before.vus == vus => (),
        _ => reserved.push(VuStep { at, vus }),
    };
    // Counts still held, falling, each with the end of its reservation, rising.
    let mut held: std::collections::VecDeque<(u64, Duration)> = std::collections::VecDeque::new();
    for (at, step) in steps.iter().enumerate() {
        while let Some((_, until)) = held.front().copied().filter(|(_, until)| *until <= step.at) {
            held.pop_front();
            put(until, held.front().map_or(0, |(vus, _)| *vus));
        }
        while held.back().is_some_and(|(vus, _)| *vus <= step.vus) {
            held.pop_back();
        }
        held.push_back((step.vus, wanted_until(at)));
        put(step.at, held.front().map_or(0, |(vus, _)| *vus));
    }
    while let Some((_, until)) = held.pop_front() {
        put(until, held.front().map_or(0, |(vus, _)| *vus));
    }
    reserved.dedup_by_key(|step| step.vus);
    reserved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Segment, SegmentSequence};

    fn stage(millis: u64, target: u64) -> VuStage {
        VuStage { duration: Duration::from_millis(millis), target }
    }

    #[test]
    fn reservations_hold_every_count_until_its_grace_ends() {
        let millis = Duration::from_millis;
        let choices = [(0, 0), (0, 2), (1000, 0), (1000, 3), (3000, 1)];
        let ramps = choices.iter().flat_map(|a| choices.iter().map(move |b| (a, b)));
        for ((a, b), c) in ramps.flat_map(|ab| choices.iter().map(move |c| (ab, c))) {
            let stages = [a, b, c].map(|(length, target)| stage(*length, *target));
            let steps = own_steps(2, &stages, &Share::full());
            let end: Duration = stages.iter().map(|stage| stage.duration).sum();
            for (grace, stop) in [(0, 0), (0, 1000), (600, 0), (600, 400), (2500, 1000), (9000, 30_000)] {
                let (grace, last) = (millis(grace), end + millis(stop));
                let reserved = reserved_steps(&steps, end, grace, millis(stop));
                for at in (0..12_000).step_by(100).map(millis) {
                    let until = |n: usize| steps.get(n + 1).map_or(last, |next| (next.at + grace).min(last));
                    let held = (0..steps.len()).filter(|n| steps[*n].at <= at && at < until(*n));
                    let expect = held.map(|n| steps[n].vus).max().unwrap_or(0);
                    let got = reserved.iter().take_while(|step| step.at <= at).last().map_or(0, |step| step.vus);
                    assert_eq!(got, expect, "{stages:?} grace {grace:?} last {last:?} at {at:?}: {}", text(&reserved));
                }
            }
        }
    }

    fn text(steps: &[VuStep]) -> String {
        steps.iter().map(|step| format!("{}:{}", step.at.as_millis(), step.vus)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn vus_change_when_the_line_reaches_them() {
        let check = |start: u64, stages: &[VuStage], expect: &str| {
            assert_eq!(text(&own_steps(start, stages, &Share::full())), expect);
        };
        check(0, &[stage(2000, 4)], "0:0 500:1 1000:2 1500:3 2000:4");
        check(4, &[stage(2000, 0)], "0:4 500:3 1000:2 1500:1 2000:0");
        check(1, &[stage(1000, 1), stage(0, 5), stage(1000, 5), stage(0, 0)], "0:1 1000:5 2000:0");
        check(0, &[stage(0, 3), stage(3000, 0), stage(3000, 3)], "0:3 1000:2 2000:1 3000:0 4000:1 5000:2 6000:3");
        check(0, &[stage(0, 3), stage(0, 0), stage(0, 2)], "0:2");
        check(2, &[stage(1000, 2)], "0:2");
    }

    #[test]
    fn all_parts_together_have_the_vus_of_one_alone() {
        let stages = [stage(2000, 17), stage(1000, 3), stage(0, 9), stage(1500, 0)];
        let vus =
            |steps: &[VuStep], at: Duration| steps.iter().take_while(|step| step.at <= at).last().map_or(0, |s| s.vus);
        let whole = own_steps(4, &stages, &Share::full());
        for parts in crate::options::segment::tests::odd_sequences() {
            let steps: Vec<_> = parts.iter().map(|part| own_steps(4, &stages, part)).collect();
            for at in (0..5000).map(Duration::from_millis) {
                let sum: u64 = steps.iter().map(|steps| vus(steps, at)).sum();
                assert_eq!(sum, vus(&whole, at), "{at:?}");
            }
        }
    }

    #[test]
    fn a_segment_takes_the_steps_of_its_own_vus() {
        let check = |segment: &str, expect: &str| {
            let sequence = SegmentSequence::parse("0,1/2,3/4,1").unwrap();
            let share = Share::new(Some(Segment::parse(segment).unwrap()), Some(&sequence)).unwrap();
            assert_eq!(text(&own_steps(0, &[stage(2000, 8)], &share)), expect, "{segment}");
        };
        check("0:1/2", "0:0 250:1 750:2 1250:3 1750:4");
        check("1/2:3/4", "0:0 500:1 1500:2");
        check("3/4:1", "0:0 1000:1 2000:2");
    }

    #[test]
    fn stopped_vus_stay_reserved_for_a_while() {
        let check = |start: u64, stages: &[VuStage], grace: u64, stop: u64, expect: &str| {
            let steps = own_steps(start, stages, &Share::full());
            let end = stages.iter().map(|stage| stage.duration).sum();
            let millis = Duration::from_millis;
            assert_eq!(text(&reserved_steps(&steps, end, millis(grace), millis(stop))), expect);
        };
        // Up and down with grace: VU 2 leaves 5 s after it was asked to stop.
        let hill = [stage(2000, 2), stage(2000, 0)];
        check(0, &hill, 0, 30_000, "0:0 1000:1 2000:2 3000:1 4000:0");
        check(0, &hill, 5000, 30_000, "0:0 1000:1 2000:2 8000:1 9000:0");
        check(0, &hill, 5000, 500, "0:0 1000:1 2000:2 4500:0");
        // Wanted again before its grace ended.
        check(2, &[stage(1000, 1), stage(1000, 2)], 5000, 0, "0:2 2000:0");
        // Wanted again after its grace ended.
        check(2, &[stage(0, 1), stage(3000, 1), stage(0, 3), stage(1000, 3)], 1000, 2000, "0:1 3000:3 6000:0");
        check(
            2,
            &[stage(1000, 2), stage(0, 1), stage(3000, 1), stage(0, 3), stage(1000, 3)],
            1000,
            0,
            "0:2 2000:1 4000:3 5000:0",
        );
        // Still running at the end.
        check(3, &[stage(1000, 3)], 1000, 2000, "0:3 3000:0");
    }
}
