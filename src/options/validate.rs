//! Validation: turns a scenario as typed into one that can run, by k6's rules and with its messages.
//!
//! All problems of a scenario are reported at once, in k6's order.

use std::time::Duration;

use super::scenario::{ExecutorFields, ScenarioConfig, VuStage};
use super::stage::Stage;
use super::{ExecutorConfig, Scenario};
use crate::units::Span;

impl ScenarioConfig {
    /// Checks the scenario.
    ///
    /// # Errors
    /// Every problem, in k6's message.
    pub fn check(&self, name: &str) -> Result<Scenario, Vec<String>> {
        let mut problems = Vec::new();
        let name_fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || !name.bytes().all(name_fits) {
            let words = "the scenario name should contain only numbers, latin letters, underscores, and dashes";
            problems.push(words.to_owned());
        }
        if self.exec.as_deref() == Some("") {
            problems.push("exec value cannot be empty".to_owned());
        }
        let mut validator = ScenarioValidator { problems };
        let start_time = validator.span(self.start_time, Span::ZERO, "the startTime can't be negative");
        let is_controlled = matches!(self.fields, ExecutorFields::ExternallyControlled { .. });
        if is_controlled {
            let given = |what: &str| format!("{what} is not supported by the externally-controlled executor");
            validator.reject_if(self.start_time.is_some_and(|span| span != Span::ZERO), given("startTime"));
            validator.reject_if(self.graceful_stop.is_some_and(|span| span != Span::ZERO), given("gracefulStop"));
        }
        let usual = if is_controlled { Span::ZERO } else { Span::from_secs(30) };
        let graceful_stop = validator.span(self.graceful_stop, usual, "the gracefulStop timeout can't be negative");
        let executor = validator.fields(&self.fields);
        if !validator.problems.is_empty() {
            return Err(validator.problems);
        }
        Ok(Scenario {
            name: name.to_owned(),
            start_time,
            graceful_stop,
            exec: self.exec.clone().unwrap_or_else(|| "default".to_owned()),
            exec_given: self.exec.is_some(),
            env: self.env.clone().unwrap_or_default(),
            tags: self.tags.clone().unwrap_or_default(),
            options: self.options.clone(),
            executor,
        })
    }
}

/// The most VUs of an executor.
const MAX_VUS: i64 = 100_000_000;
const SECOND: Span = Span::from_secs(1);

/// Collects the problems of one scenario while its fields are checked.
struct ScenarioValidator {
    problems: Vec<String>,
}

impl ScenarioValidator {
    fn reject_if(&mut self, wrong: bool, problem: impl Into<String>) {
        if wrong {
            self.problems.push(problem.into());
        }
    }

    fn span(&mut self, span: Option<Span>, default: Span, negative: &str) -> Duration {
        let span = span.unwrap_or(default);
        self.reject_if(span < Span::ZERO, negative);
        span.to_duration()
    }

    fn vus(&mut self, vus: Option<i64>) -> u64 {
        let vus = vus.unwrap_or(1);
        self.reject_if(vus <= 0, "the number of VUs must be more than 0");
        vus.max(0).unsigned_abs()
    }

    fn duration(&mut self, duration: Option<Span>) -> Duration {
        match duration {
            None => self.reject_if(true, "the duration is unspecified"),
            Some(span) => self.reject_if(span < SECOND, format!("the duration must be at least 1s, but is {span}")),
        }
        duration.unwrap_or_default().to_duration()
    }

    fn max_duration(&mut self, duration: Option<Span>) -> Duration {
        let span = duration.unwrap_or(Span::from_secs(600));
        self.reject_if(span < SECOND, format!("the maxDuration must be at least 1s, but is {span}"));
        span.to_duration()
    }

    fn time_unit(&mut self, unit: Option<Span>) -> Duration {
        let unit = unit.unwrap_or(SECOND);
        self.reject_if(unit <= Span::ZERO, "the timeUnit must be more than 0");
        unit.to_duration()
    }

    fn arrival_vus(&mut self, pre_allocated: Option<i64>, max: Option<i64>) -> (u64, u64) {
        match pre_allocated {
            None => self.reject_if(true, "the number of preAllocatedVUs isn't specified"),
            Some(vus) => self.reject_if(vus < 0, "the number of preAllocatedVUs can't be negative"),
        }
        let pre_allocated = pre_allocated.unwrap_or(0);
        let max = max.unwrap_or(pre_allocated);
        self.reject_if(max < pre_allocated, "maxVUs can't be less than preAllocatedVUs");
        (pre_allocated.max(0).unsigned_abs(), max.max(0).unsigned_abs())
    }

    fn stages(&mut self, stages: &[Stage]) -> Vec<VuStage> {
        self.reject_if(stages.is_empty(), "at least one stage has to be specified");
        let mut checked = Vec::new();
        for (stage, number) in stages.iter().zip(1..) {
            match stage.duration {
                None => self.reject_if(true, format!("stage {number} doesn't have a duration")),
                Some(span) => {
                    self.reject_if(span < Span::ZERO, format!("the duration for stage {number} can't be negative"));
                }
            }
            match stage.target {
                None => self.reject_if(true, format!("stage {number} doesn't have a target")),
                Some(target) => {
                    self.reject_if(target < 0, format!("the target for stage {number} can't be negative"));
                    let words = format!("target for stage {number} exceeds max limit of {MAX_VUS}");
                    self.reject_if(target > MAX_VUS, words);
                }
            }
            let target = stage.target.unwrap_or(0).max(0).unsigned_abs();
            checked.push(VuStage { duration: stage.duration.unwrap_or_default().to_duration(), target });
        }
        checked
    }

    fn fields(&mut self, fields: &ExecutorFields) -> ExecutorConfig {
        match fields {
            ExecutorFields::SharedIterations { vus, iterations, max_duration } => {
                let checked = self.vus(*vus);
                let (vus, iterations) = (vus.unwrap_or(1), iterations.unwrap_or(1));
                let words =
                    format!("the number of iterations ({iterations}) can't be less than the number of VUs ({vus})");
                self.reject_if(iterations < vus, words);
                let max_duration = self.max_duration(*max_duration);
                ExecutorConfig::SharedIterations { vus: checked, iterations: iterations.unsigned_abs(), max_duration }
            }
            ExecutorFields::PerVuIterations { vus, iterations, max_duration } => {
                let vus = self.vus(*vus);
                let iterations = iterations.unwrap_or(1);
                self.reject_if(iterations <= 0, "the number of iterations must be more than 0");
                let max_duration = self.max_duration(*max_duration);
                ExecutorConfig::PerVuIterations { vus, iterations: iterations.unsigned_abs(), max_duration }
            }
            ExecutorFields::ConstantVus { vus, duration } => {
                ExecutorConfig::ConstantVus { vus: self.vus(*vus), duration: self.duration(*duration) }
            }
            ExecutorFields::RampingVus { start_vus, stages, graceful_ramp_down } => {
                let start = start_vus.unwrap_or(1);
                self.reject_if(start < 0, "the number of start VUs can't be negative");
                self.reject_if(start > MAX_VUS, format!("the startVUs exceed max limit of {MAX_VUS}"));
                let stages = self.stages(stages);
                let nothing = !stages.is_empty() && start == 0 && stages.iter().all(|stage| stage.target == 0);
                let words = "either startVUs or one of the stages' target values must be greater than 0";
                self.reject_if(nothing, words);
                let thirty = Span::from_secs(30);
                let words = "the gracefulRampDown timeout can't be negative";
                let graceful_ramp_down = self.span(*graceful_ramp_down, thirty, words);
                ExecutorConfig::RampingVus { start_vus: start.max(0).unsigned_abs(), stages, graceful_ramp_down }
            }
            ExecutorFields::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus } => {
                match rate {
                    None => self.reject_if(true, "the iteration rate isn't specified"),
                    Some(rate) => self.reject_if(*rate <= 0, "the iteration rate must be more than 0"),
                }
                let rate = rate.unwrap_or(0).max(0).unsigned_abs();
                let time_unit = self.time_unit(*time_unit);
                let duration = self.duration(*duration);
                let (pre_allocated_vus, max_vus) = self.arrival_vus(*pre_allocated_vus, *max_vus);
                ExecutorConfig::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus }
            }
            ExecutorFields::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus } => {
                let start = start_rate.unwrap_or(0);
                self.reject_if(start < 0, "the startRate value can't be negative");
                let time_unit = self.time_unit(*time_unit);
                let stages = self.stages(stages);
                let (pre_allocated_vus, max_vus) = self.arrival_vus(*pre_allocated_vus, *max_vus);
                let start_rate = start.max(0).unsigned_abs();
                ExecutorConfig::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus }
            }
            ExecutorFields::ExternallyControlled { vus, duration, max_vus } => {
                let vus = vus.unwrap_or(0);
                self.reject_if(vus < 0, "the number of VUs can't be negative");
                let max = max_vus.unwrap_or(vus);
                self.reject_if(
                    max < vus,
                    format!("the number of maxVUs ({max}) can't be less than the number of VUs ({vus})"),
                );
                self.reject_if(max == 0, "the number of maxVUs must be more than 0");
                self.reject_if(max > MAX_VUS, format!("the maxVUs exceed max limit of {MAX_VUS}"));
                match duration {
                    None => self.reject_if(true, "the duration must be specified, for infinite duration use 0"),
                    Some(span) => self
                        .reject_if(*span < Span::ZERO, "the duration can't be negative, for infinite duration use 0"),
                }
                let duration = duration.filter(|span| *span > Span::ZERO).map(Span::to_duration);
                let [vus, max_vus] = [vus, max].map(|count| count.max(0).unsigned_abs());
                ExecutorConfig::ExternallyControlled { vus, max_vus, duration }
            }
        }
    }
}
