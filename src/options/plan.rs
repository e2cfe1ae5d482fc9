//! How many VUs are needed when, over all scenarios: known before the run starts.

use std::time::Duration;

use super::ramp::{own_steps, reserved_steps};
use super::{ExecutorConfig, Scenario, Share};

/// The number of VUs needed from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VuDemand {
    /// From the start of the plan.
    pub at: Duration,
    /// VUs that must be ready.
    pub planned: u64,
    /// VUs that may be created in addition.
    pub unplanned: u64,
}

impl Scenario {
    /// The VUs this share of the scenario needs over time, its start and graceful periods included; empty if none.
    pub fn steps(&self, share: &Share) -> Vec<VuDemand> {
        let flat = |planned: u64, unplanned: u64| {
            let end = self.executor.duration() + self.graceful_stop;
            vec![VuDemand { at: Duration::ZERO, planned, unplanned }, VuDemand { at: end, planned: 0, unplanned: 0 }]
        };
        let mut steps = match &self.executor {
            ExecutorConfig::SharedIterations { vus, .. }
            | ExecutorConfig::PerVuIterations { vus, .. }
            | ExecutorConfig::ConstantVus { vus, .. } => flat(share.scale(*vus), 0),
            ExecutorConfig::ExternallyControlled { max_vus, .. } => flat(share.scale(*max_vus), 0),
            ExecutorConfig::ConstantArrivalRate { pre_allocated_vus, max_vus, .. }
            | ExecutorConfig::RampingArrivalRate { pre_allocated_vus, max_vus, .. } => {
                let planned = share.scale(*pre_allocated_vus);
                flat(planned, share.scale(*max_vus) - planned)
            }
            ExecutorConfig::RampingVus { start_vus, stages, graceful_ramp_down } => {
                let own = own_steps(*start_vus, stages, share);
                let reserved = reserved_steps(&own, self.executor.duration(), *graceful_ramp_down, self.graceful_stop);
                reserved.iter().map(|step| VuDemand { at: step.at, planned: step.vus, unplanned: 0 }).collect()
            }
        };
        if steps.iter().all(|step| step.planned + step.unplanned == 0) {
            return Vec::new();
        }
        for step in &mut steps {
            step.at += self.start_time;
        }
        steps
    }

    /// The most VUs that must be ready at any instant, even one the ramp reaches only as it ends.
    pub fn max_planned_vus(&self, share: &Share) -> u64 {
        match &self.executor {
            ExecutorConfig::RampingVus { start_vus, stages, .. } => {
                own_steps(*start_vus, stages, share).iter().map(|step| step.vus).max().unwrap_or(0)
            }
            ExecutorConfig::SharedIterations { .. }
            | ExecutorConfig::PerVuIterations { .. }
            | ExecutorConfig::ConstantVus { .. }
            | ExecutorConfig::ConstantArrivalRate { .. }
            | ExecutorConfig::RampingArrivalRate { .. }
            | ExecutorConfig::ExternallyControlled { .. } => self.steps(share).first().map_or(0, |step| step.planned),
        }
    }

    /// True if this share of the scenario has anything to do.
    pub fn has_work(&self, share: &Share) -> bool {
        match &self.executor {
            ExecutorConfig::SharedIterations { vus, iterations, .. } => {
                share.scale(*vus) > 0 && share.by_split_of(*vus).scale(*iterations) > 0
            }
            ExecutorConfig::ConstantArrivalRate { max_vus, .. }
            | ExecutorConfig::RampingArrivalRate { max_vus, .. } => share.scale(*max_vus) > 0,
            ExecutorConfig::PerVuIterations { .. }
            | ExecutorConfig::ConstantVus { .. }
            | ExecutorConfig::RampingVus { .. }
            | ExecutorConfig::ExternallyControlled { .. } => !self.steps(share).is_empty(),
        }
    }
}

/// The VUs of all scenarios over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Rising in time; the last one needs no VUs.
    pub steps: Vec<VuDemand>,
    /// The most VUs that one scenario alone needs at one instant.
    highest_peak: u64,
}

impl Plan {
    /// Adds up what each scenario with work needs.
    pub fn new(scenarios: &[Scenario], share: &Share) -> Self {
        let mut changes: Vec<(Duration, i128, i128)> = Vec::new();
        let mut highest_peak = 0;
        for scenario in scenarios.iter().filter(|scenario| scenario.has_work(share)) {
            let (mut planned, mut unplanned) = (0, 0);
            for step in scenario.steps(share) {
                let (to_planned, to_unplanned) = (i128::from(step.planned), i128::from(step.unplanned));
                changes.push((step.at, to_planned - planned, to_unplanned - unplanned));
                (planned, unplanned) = (to_planned, to_unplanned);
            }
            highest_peak = highest_peak.max(scenario.max_planned_vus(share));
        }
        changes.sort_by_key(|change| change.0);
        let (mut planned, mut unplanned) = (0, 0);
        let mut steps: Vec<VuDemand> = Vec::new();
        for (at, more_planned, more_unplanned) in changes {
            planned += more_planned;
            unplanned += more_unplanned;
            let step = VuDemand { at, planned: planned as u64, unplanned: unplanned as u64 };
            match steps.last_mut() {
                Some(last) if last.at == at => *last = step,
                _ => steps.push(step),
            }
        }
        Self { steps, highest_peak }
    }

    /// The VUs to make ready before anything runs.
    pub fn max_planned_vus(&self) -> u64 {
        self.steps.iter().map(|step| step.planned).max().unwrap_or(0).max(self.highest_peak)
    }

    /// The most VUs there can be.
    pub fn max_vus(&self) -> u64 {
        self.steps.iter().map(|step| step.planned + step.unplanned).max().unwrap_or(0).max(self.highest_peak)
    }

    /// How long it can take, graceful periods included.
    pub fn max_duration(&self) -> Duration {
        self.steps.last().map_or(Duration::ZERO, |step| step.at)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::options::{Compat, Options};
    use crate::units::Span;

    fn plan(scenarios: Value) -> String {
        let options = Options::from_json(&json!({"scenarios": scenarios}), &mut Compat::default()).unwrap().options;
        let (options, _) = options.derive_scenarios().unwrap();
        let plan = Plan::new(&options.check().unwrap(), &Share::full());
        let duration = Span::from(plan.max_duration());
        format!("{} {} {duration}", plan.max_planned_vus(), plan.max_vus())
    }

    #[test]
    fn plans_add_up() {
        let two = |start: &str, stop: &str| {
            json!({
                "a": {"executor": "constant-vus", "vus": 5, "duration": "10s", "gracefulStop": stop},
                "b": {"executor": "constant-vus", "vus": 3, "duration": "10s", "startTime": start},
            })
        };
        let check = |scenarios: Value, expect: &str| assert_eq!(plan(scenarios.clone()), expect, "{scenarios}");
        check(two("40s", "30s"), "5 5 1m20s");
        check(two("39s", "30s"), "8 8 1m19s");
        check(two("10s", "0s"), "5 5 50s");
        check(
            json!({
                "a": {"executor": "constant-arrival-rate", "rate": 1, "duration": "15s", "preAllocatedVUs": 5, "maxVUs": 20},
                "b": {"executor": "shared-iterations", "vus": 10, "iterations": 10, "startTime": "45s"},
            }),
            "10 20 11m15s",
        );
        check(json!({}), "1 1 10m30s");
        let hill = |more: Value| {
            let mut hill = json!({
                "executor": "ramping-vus", "startVUs": 0,
                "stages": [{"duration": "10s", "target": 10}, {"duration": "10s", "target": 0}],
            });
            hill.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"a": hill})
        };
        check(hill(json!({})), "10 10 50s");
        check(hill(json!({"gracefulRampDown": "0s"})), "10 10 20s");
        check(hill(json!({"gracefulRampDown": "5s", "gracefulStop": "2s"})), "10 10 22s");
        // As recorded by inspect --execution-requirements.
        check(
            json!({
                "a": {"executor": "ramping-vus", "startVUs": 0, "stages": [{"duration": "10s", "target": 7}],
                      "gracefulStop": "0s", "gracefulRampDown": "0s"},
                "b": {"executor": "per-vu-iterations", "vus": 3, "iterations": 1, "maxDuration": "5s",
                      "gracefulStop": "1s", "startTime": "20s"},
            }),
            "7 7 26s",
        );
    }
}
