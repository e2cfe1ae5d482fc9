//! What a scenario will do, in one line for people; all numbers are those of this instance's share.

use std::time::Duration;

use super::{ExecutorConfig, Scenario, Share};
use crate::units::Span;

fn span(duration: Duration) -> Span {
    Span::from(duration)
}

/// `5`, or `5-9` where more VUs may be made.
fn vu_range(pre_allocated: u64, max: u64) -> String {
    if max > pre_allocated { format!("maxVUs: {pre_allocated}-{max}") } else { format!("maxVUs: {pre_allocated}") }
}

impl Scenario {
    /// Such as `4 iterations shared among 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)`.
    pub fn describe(&self, share: &Share) -> String {
        let per_second = |rate: f64, unit: &Duration| rate / unit.as_secs_f64();
        let scale = |n: &u64| share.scale(*n);
        let sum = span(self.executor.duration());
        let (what, fact) = match &self.executor {
            ExecutorConfig::SharedIterations { vus, iterations, max_duration } => {
                let iterations = share.by_split_of(*vus).scale(*iterations);
                let what = format!("{iterations} iterations shared among {} VUs", scale(vus));
                (what, Some(format!("maxDuration: {}", span(*max_duration))))
            }
            ExecutorConfig::PerVuIterations { vus, iterations, max_duration } => {
                let what = format!("{iterations} iterations for each of {} VUs", scale(vus));
                (what, Some(format!("maxDuration: {}", span(*max_duration))))
            }
            ExecutorConfig::ConstantVus { vus, .. } => (format!("{} looping VUs for {sum}", scale(vus)), None),
            ExecutorConfig::RampingVus { stages, graceful_ramp_down, .. } => {
                let most = self.max_planned_vus(share);
                let what = format!("Up to {most} looping VUs for {sum} over {} stages", stages.len());
                (what, Some(format!("gracefulRampDown: {}", span(*graceful_ramp_down))))
            }
            ExecutorConfig::ConstantArrivalRate { rate, time_unit, pre_allocated_vus, max_vus, .. } => {
                let own = *rate as f64 * share.by_split_of(*max_vus).part().to_f64();
                let what = format!("{:.2} iterations/s for {sum}", per_second(own, time_unit));
                (what, Some(vu_range(scale(pre_allocated_vus), scale(max_vus))))
            }
            ExecutorConfig::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus } => {
                let most = stages.iter().map(|stage| stage.target).max().unwrap_or(0).max(*start_rate);
                let own = per_second(most as f64 * share.part().to_f64(), time_unit);
                let what = format!("Up to {own:.2} iterations/s for {sum} over {} stages", stages.len());
                (what, Some(vu_range(scale(pre_allocated_vus), scale(max_vus))))
            }
            ExecutorConfig::ExternallyControlled { vus, max_vus, duration } => {
                let long = duration.map_or("infinite duration".to_owned(), |long| format!("{} duration", span(long)));
                let (vus, most) = (scale(vus), scale(max_vus));
                (format!("Externally controlled execution with {vus} VUs, {most} max VUs, {long}"), None)
            }
        };
        let mut facts: Vec<String> = fact.into_iter().collect();
        if self.exec_given {
            facts.push(format!("exec: {}", self.exec));
        }
        if !self.start_time.is_zero() {
            facts.push(format!("startTime: {}", span(self.start_time)));
        }
        if !self.graceful_stop.is_zero() {
            facts.push(format!("gracefulStop: {}", span(self.graceful_stop)));
        }
        if facts.is_empty() { what } else { format!("{what} ({})", facts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::options::{Compat, Options, Segment, SegmentSequence};

    fn scenario(value: Value) -> Scenario {
        let value = json!({"scenarios": {"a": value}});
        let options = Options::from_json(&value, &mut Compat::default()).unwrap().options;
        options.check().unwrap().remove(0)
    }

    #[test]
    fn scenarios_describe_themselves() {
        let check = |value: Value, expect: &str| assert_eq!(scenario(value).describe(&Share::full()), expect);
        check(
            json!({"executor": "shared-iterations", "vus": 2, "iterations": 4}),
            "4 iterations shared among 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)",
        );
        check(
            json!({"executor": "per-vu-iterations", "gracefulStop": 0, "exec": "f", "startTime": "1m"}),
            "1 iterations for each of 1 VUs (maxDuration: 10m0s, exec: f, startTime: 1m0s)",
        );
        check(
            json!({"executor": "constant-vus", "vus": 3, "duration": "90s", "gracefulStop": "0s"}),
            "3 looping VUs for 1m30s",
        );
        check(
            json!({"executor": "ramping-vus", "stages": [{"duration": "1m", "target": 5}, {"duration": 5000, "target": 0}]}),
            "Up to 5 looping VUs for 1m5s over 2 stages (gracefulRampDown: 30s, gracefulStop: 30s)",
        );
        check(
            json!({"executor": "constant-arrival-rate", "rate": 30, "timeUnit": "1m", "duration": "1m", "preAllocatedVUs": 5}),
            "0.50 iterations/s for 1m0s (maxVUs: 5, gracefulStop: 30s)",
        );
        check(
            json!({"executor": "ramping-arrival-rate", "stages": [{"duration": "1m", "target": 9}], "preAllocatedVUs": 5, "maxVUs": 9}),
            "Up to 9.00 iterations/s for 1m0s over 1 stages (maxVUs: 5-9, gracefulStop: 30s)",
        );
    }

    #[test]
    fn a_segment_describes_its_part() {
        let check = |value: Value, segment: &str, expect: &str| {
            let sequence = SegmentSequence::parse("0,1/2,3/4,1").unwrap();
            let share = Share::new(Some(Segment::parse(segment).unwrap()), Some(&sequence)).unwrap();
            assert_eq!(scenario(value).describe(&share), expect, "{segment}");
        };
        let constant = || json!({"executor": "constant-arrival-rate", "rate": 10, "duration": "2s", "preAllocatedVUs": 3, "maxVUs": 7, "gracefulStop": 0});
        check(constant(), "0:1/2", "5.71 iterations/s for 2s (maxVUs: 2-4)");
        check(constant(), "1/2:3/4", "2.86 iterations/s for 2s (maxVUs: 1-2)");
        check(constant(), "3/4:1", "1.43 iterations/s for 2s (maxVUs: 0-1)");
        let ramping = || {
            json!({"executor": "ramping-arrival-rate", "stages": [{"duration": "2s", "target": 9}], "preAllocatedVUs": 3,
                   "maxVUs": 7, "gracefulStop": 0})
        };
        check(ramping(), "0:1/2", "Up to 4.50 iterations/s for 2s over 1 stages (maxVUs: 2-4)");
        check(ramping(), "3/4:1", "Up to 2.25 iterations/s for 2s over 1 stages (maxVUs: 0-1)");
    }
}
