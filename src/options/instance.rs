//! One of several instances that run a test together, such as the third of eight: its execution segment without arithmetic.

use super::ratio::Ratio;
use super::{Options, Segment, SegmentSequence};

/// More instances than this would make sharing out iterations slow.
pub const MAX_INSTANCES: u64 = 1_000;

/// Which of several instances this is. All run an equal share of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its number, from 0.
    pub index: u64,
    /// How many there are.
    pub of: u64,
}

impl Instance {
    /// The instance at `index` (from 0) of `of`.
    ///
    /// # Errors
    /// What would be right: `instances are numbered from 1 to 8`.
    pub fn new(index: u64, of: u64) -> Result<Self, String> {
        if !(1..=MAX_INSTANCES).contains(&of) {
            return Err(format!("there are 1 to {MAX_INSTANCES} instances"));
        }
        if index >= of {
            return Err(format!("instances are numbered from 1 to {of}"));
        }
        Ok(Self { index, of })
    }

    /// Reads `3/8`: the third of eight.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
        let (number, of) = text
            .split_once('/')
            .and_then(|(instance, of)| Some((number(instance)?, number(of)?)))
            .ok_or_else(|| "an instance is its number and how many there are, such as `3/8`".to_owned())?;
        // Number 0 is as wrong as one beyond the last.
        Self::new(number.checked_sub(1).unwrap_or(u64::MAX), of)
    }

    /// The instance that runs a segment of a sequence, such as k6-operator gives to each of its runners.
    pub fn of_segment(segment: Segment, sequence: &SegmentSequence) -> Option<Self> {
        Some(Self { index: sequence.place(segment)?, of: sequence.count() })
    }

    /// Its part of the test.
    pub fn segment(&self) -> Segment {
        let point = |at: u64| Ratio::new(at.into(), self.of.into()).unwrap_or(Ratio::ONE);
        Segment::new(point(self.index), point(self.index + 1)).unwrap_or(Segment::FULL)
    }

    /// Sets the segment and the sequence of all instances' segments.
    pub fn set(&self, options: &mut Options) {
        options.execution_segment = Some(self.segment());
        options.execution_segment_sequence = Some(SegmentSequence::equal(self.of));
    }

    /// Its number as people count, from 1; the value of the tag `instance`.
    pub const fn number(&self) -> u64 {
        self.index + 1
    }
}

impl std::fmt::Display for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number(), self.of)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::options::ramp::{global_steps, own_steps};
    use crate::options::{Compat, ConstantSchedule, ExecutorConfig, Layers, RampingSchedule, ResolvedOptions};

    #[test]
    fn instances_are_read() {
        let check = |text: &str, expect: &str| {
            let said = |instance: Instance| {
                format!("{instance} {} {}", instance.segment(), SegmentSequence::equal(instance.of))
            };
            assert_eq!(Instance::parse(text).map_or_else(|error| error, said), expect, "{text}");
        };
        check("1/1", "1/1 0:1 0,1");
        check("1/2", "1/2 0:1/2 0,1/2,1");
        check("3/8", "3/8 1/4:3/8 0,1/8,1/4,3/8,1/2,5/8,3/4,7/8,1");
        check("7/7", "7/7 6/7:1 0,1/7,2/7,3/7,4/7,5/7,6/7,1");
        check("03/8", "3/8 1/4:3/8 0,1/8,1/4,3/8,1/2,5/8,3/4,7/8,1");
        check("0/8", "instances are numbered from 1 to 8");
        check("9/8", "instances are numbered from 1 to 8");
        for none in ["1/0", "1/1001", "0/0"] {
            check(none, "there are 1 to 1000 instances");
        }
        for text in
            ["", "3", "/", "3/", "/8", "3/8/9", "-1/8", "+1/8", "3 / 8", "a/8", "1.5/8", "99999999999999999999/8"]
        {
            check(text, "an instance is its number and how many there are, such as `3/8`");
        }
    }

    #[test]
    fn a_segment_of_a_sequence_is_an_instance() {
        let check = |segment: &str, sequence: &str, expect: Option<&str>| {
            let (segment, sequence) = (Segment::parse(segment).unwrap(), SegmentSequence::parse(sequence).unwrap());
            let found = Instance::of_segment(segment, &sequence).map(|instance| instance.to_string());
            assert_eq!(found.as_deref(), expect, "{segment} of {sequence}");
        };
        check("0:1/4", "0,1/4,1/2,3/4,1", Some("1/4"));
        check("3/4:1", "0,1/4,2/4,3/4,1", Some("4/4"));
        check("2/4:3/4", "0,1/4,1/2,3/4,1", Some("3/4"));
        check("0:1", "0,1", Some("1/1"));
        check("0:1/2", "0,1/4,1/2,1", None);
    }

    /// One scenario of every executor, with numbers that can't be divided evenly.
    fn scenarios() -> Vec<Value> {
        let stages = json!([{"duration": "3s", "target": 29}, {"duration": "0s", "target": 7}, {"duration": "4s", "target": 61}]);
        vec![
            json!({"executor": "shared-iterations", "vus": 11, "iterations": 103}),
            json!({"executor": "shared-iterations", "vus": 3, "iterations": 10}),
            json!({"executor": "per-vu-iterations", "vus": 13, "iterations": 3}),
            json!({"executor": "constant-vus", "vus": 21, "duration": "5s"}),
            json!({"executor": "ramping-vus", "startVUs": 5, "stages": stages}),
            json!({"executor": "constant-arrival-rate", "rate": 97, "duration": "3s", "preAllocatedVUs": 17, "maxVUs": 31}),
            json!({"executor": "ramping-arrival-rate", "startRate": 3, "stages": stages, "preAllocatedVUs": 9, "maxVUs": 9}),
            json!({"executor": "externally-controlled", "vus": 7, "maxVUs": 19, "duration": "5s"}),
        ]
    }

    fn resolved(scenario: &Value, instance: Option<Instance>) -> ResolvedOptions {
        let script = Options::from_json(&json!({"scenarios": {"one": scenario}}), &mut Compat::default()).unwrap();
        let mut layers = Layers::default();
        if let Some(instance) = instance {
            instance.set(&mut layers.cli);
        }
        layers.resolve(script.options, &mut Vec::new()).unwrap()
    }

    /// What is due, by what it is: VUs ready and to be made, iterations counted, starts by moment and number, VUs by moment.
    fn due(resolved: &ResolvedOptions) -> BTreeMap<String, u64> {
        let share = &resolved.share;
        let mut due = BTreeMap::new();
        let mut add = |what: String, count: u64| *due.entry(what).or_insert(0) += count;
        let mut start = |start: crate::options::schedule::Start| add(format!("{:?} #{}", start.at, start.global), 1);
        match resolved.scenarios[0].executor.clone() {
            ExecutorConfig::SharedIterations { vus, iterations, .. } => {
                add("VUs".to_owned(), share.scale(vus));
                add("iterations".to_owned(), share.by_split_of(vus).scale(iterations));
            }
            ExecutorConfig::PerVuIterations { vus, iterations, .. } => {
                add("iterations".to_owned(), share.scale(vus) * iterations);
            }
            ExecutorConfig::ConstantVus { vus, .. } => add("VUs".to_owned(), share.scale(vus)),
            ExecutorConfig::ExternallyControlled { vus, max_vus, .. } => {
                add("VUs".to_owned(), share.scale(vus));
                add("most VUs".to_owned(), share.scale(max_vus));
            }
            ExecutorConfig::ConstantArrivalRate { rate, time_unit, duration, max_vus, .. } => {
                ConstantSchedule::new(rate, time_unit, duration, max_vus, share).for_each(&mut start);
            }
            ExecutorConfig::RampingArrivalRate { start_rate, time_unit, stages, max_vus, .. } => {
                RampingSchedule::new(start_rate, time_unit, &stages, max_vus, share).for_each(&mut start);
            }
            ExecutorConfig::RampingVus { start_vus, stages, .. } => {
                // How many there are at every moment at which the whole changes.
                let own = own_steps(start_vus, &stages, share);
                let mut moments: Vec<Duration> = global_steps(start_vus, &stages).map(|step| step.at).collect();
                moments.dedup();
                for moment in moments {
                    let now = own.iter().take_while(|step| step.at <= moment).last().map_or(0, |step| step.vus);
                    add(format!("{moment:?}"), now);
                }
            }
        }
        due
    }

    #[test]
    fn all_instances_together_run_the_whole() {
        for scenario in scenarios() {
            let whole = due(&resolved(&scenario, None));
            assert!(whole.values().sum::<u64>() > 0, "{scenario}");
            for of in [1, 2, 3, 7, 8, 13] {
                let mut sum = BTreeMap::new();
                for index in 0..of {
                    let part = resolved(&scenario, Some(Instance::new(index, of).unwrap()));
                    due(&part).into_iter().for_each(|(what, count)| *sum.entry(what).or_insert(0) += count);
                }
                assert_eq!(sum, whole, "{scenario} by {of}");
            }
        }
    }
}
