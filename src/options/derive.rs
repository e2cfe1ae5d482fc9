//! Shortcuts become scenarios, and consolidated options are checked as a whole.

use super::scenario::{ExecutorFields, ScenarioConfig, Scenarios};
use super::value::invalid;
use super::{Options, Scenario, Share};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::units::Span;
use crate::units::nearest::did_you_mean;

const HEADER: &str = "There were problems with the specified script configuration:";

impl Options {
    /// Turns `vus`, `duration`, `iterations` and `stages` of consolidated options into the scenario `default`; the
    /// second half is the warnings. Afterwards `scenarios` is always set.
    ///
    /// # Errors
    /// Shortcuts that contradict each other, code 104.
    pub fn derive_scenarios(mut self) -> Result<(Self, Vec<String>), Failure> {
        let mut warnings = Vec::new();
        let has_stages = self.stages.as_ref().is_some_and(|stages| !stages.is_empty());
        let has_scenarios = self.scenarios.as_ref().is_some_and(|scenarios| !scenarios.is_empty());
        let conflict = |one: &str, other: &str| {
            invalid(format!("using `{one}` and `{other}` options simultaneously is not allowed"))
        };
        let fields = if let Some(iterations) = self.iterations {
            if has_stages {
                return Err(conflict("iterations", "stages"));
            }
            if has_scenarios {
                return Err(conflict("iterations", "scenarios"));
            }
            ExecutorFields::SharedIterations {
                vus: self.vus,
                iterations: Some(iterations),
                max_duration: self.duration,
            }
        } else if let Some(duration) = self.duration {
            if has_stages {
                return Err(conflict("duration", "stages"));
            }
            if has_scenarios {
                return Err(conflict("duration", "scenarios"));
            }
            if duration <= Span::ZERO {
                let words = "`duration` option should be more than 0, for infinite duration use the \
                             externally-controlled executor";
                return Err(invalid(words));
            }
            ExecutorFields::ConstantVus { vus: self.vus, duration: Some(duration) }
        } else if has_stages {
            if has_scenarios {
                return Err(conflict("stages", "scenarios"));
            }
            let stages = self.stages.clone().unwrap_or_default();
            ExecutorFields::RampingVus { start_vus: self.vus, stages, graceful_ramp_down: None }
        } else if let Some(vus) = self.vus {
            if has_scenarios {
                warnings.push(format!("`vus={vus}` overrides scenarios configuration"));
            }
            ExecutorFields::SharedIterations { vus: Some(vus), iterations: Some(vus), max_duration: None }
        } else if has_scenarios {
            return Ok((self, warnings));
        } else {
            for (name, empty) in [("stages", self.stages.is_some()), ("scenarios", self.scenarios.is_some())] {
                if empty {
                    warnings.push(format!(
                        "`{name}` was explicitly set to an empty value, running the script with 1 iteration in 1 VU"
                    ));
                }
            }
            ExecutorFields::PerVuIterations { vus: None, iterations: None, max_duration: None }
        };
        self.scenarios = Some(Scenarios::from([("default".to_owned(), ScenarioConfig::new(fields))]));
        Ok((self, warnings))
    }

    /// The part of the test this instance runs.
    ///
    /// # Errors
    /// A segment that isn't part of its sequence, code 104.
    pub fn share(&self) -> Result<Share, Failure> {
        Share::new(self.execution_segment, self.execution_segment_sequence.as_ref()).map_err(invalid)
    }

    /// Checks derived options and gives the scenarios, sorted by start and name.
    ///
    /// # Errors
    /// What is wrong, with all scenarios' problems in one text; code 104, or 255 for the few k6 gives 255.
    pub fn check(&self) -> Result<Vec<Scenario>, Failure> {
        for stat in self.summary_trend_stats.iter().flatten() {
            check_trend_stat(stat).map_err(|error| Failure::new(ExitCode::Other, error))?;
        }
        if let Some(dns) = &self.dns {
            dns.ttl().map_err(|error| Failure::new(ExitCode::Other, error))?;
        }
        self.share()?;
        let mut problems = Vec::new();
        let mut scenarios = Vec::new();
        for (name, config) in self.scenarios.iter().flatten() {
            match config.check(name) {
                Ok(scenario) => scenarios.push(scenario),
                Err(errors) => {
                    problems.push(format!("scenario {name} has configuration errors: {}", errors.join(", ")));
                }
            }
        }
        joined(problems)?;
        if self.setup_timeout.is_some_and(|span| span <= Span::ZERO) {
            return Err(invalid("setupTimeout must be positive"));
        }
        scenarios.sort_by(|a, b| (a.start_time, &a.name).cmp(&(b.start_time, &b.name)));
        Ok(scenarios)
    }
}

/// Checks that the functions scenarios call are exported.
///
/// # Errors
/// `executor s: function 'nowhere' not found in exports`, under the header, code 104.
pub fn check_exports(scenarios: &[Scenario], functions: &[String]) -> Result<(), Failure> {
    let missing = || scenarios.iter().filter(|scenario| !functions.contains(&scenario.exec));
    let problem =
        |Scenario { name, exec, .. }: &Scenario| format!("executor {name}: function '{exec}' not found in exports");
    let meant = missing().find_map(|scenario| did_you_mean(&scenario.exec, functions.iter().map(String::as_str)));
    joined(missing().map(problem)).map_err(|failure| match meant {
        Some(hint) => failure.hint(hint),
        None if missing().any(|scenario| scenario.exec == "default") => {
            failure.hint("the script has to `export default function () { ... }`, or scenarios with an `exec` each")
        }
        None => failure,
    })
}

/// Fails with all problems under one header, if there are any.
fn joined(problems: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let list: String = problems.into_iter().map(|problem| format!("\n\t- {problem}")).collect();
    if list.is_empty() { Ok(()) } else { Err(invalid(format!("{HEADER}{list}"))) }
}

/// Checks one of `summaryTrendStats`.
///
/// # Errors
/// k6's message, such as `invalid trend stat 'foo', unknown format`.
pub fn check_trend_stat(stat: &str) -> Result<(), String> {
    if matches!(stat, "avg" | "min" | "med" | "max" | "count") {
        return Ok(());
    }
    let percentile = stat.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')'));
    match percentile.and_then(|percentile| percentile.parse::<f64>().ok()) {
        Some(percentile) if (0.0..=100.0).contains(&percentile) => Ok(()),
        Some(_) => Err(format!("invalid percentile trend stat value '{stat}', provide a number between 0 and 100")),
        None => Err(format!("invalid trend stat '{stat}', unknown format")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::options::Compat;

    #[test]
    fn shortcuts_become_scenarios() {
        let check = |options: Value, expect: &str, warning: &str| {
            let read = Options::from_json(&options, &mut Compat::default()).unwrap().options;
            let (derived, warnings) = read.derive_scenarios().unwrap();
            let scenarios = derived.check().unwrap();
            let lines: Vec<_> = scenarios.iter().map(|scenario| scenario.describe(&Share::full())).collect();
            assert_eq!((lines.join("; ").as_str(), warnings.join("; ").as_str()), (expect, warning), "{options}");
        };
        let once = "1 iterations for each of 1 VUs (maxDuration: 10m0s, gracefulStop: 30s)";
        check(json!({}), once, "");
        let empty = |name: &str| {
            format!("`{name}` was explicitly set to an empty value, running the script with 1 iteration in 1 VU")
        };
        check(json!({"scenarios": {}}), once, &empty("scenarios"));
        check(json!({"stages": []}), once, &empty("stages"));
        check(
            json!({"vus": 3, "iterations": 7, "duration": "1m"}),
            "7 iterations shared among 3 VUs (maxDuration: 1m0s, gracefulStop: 30s)",
            "",
        );
        check(json!({"duration": 90_000}), "1 looping VUs for 1m30s (gracefulStop: 30s)", "");
        check(
            json!({"vus": 9, "stages": [{"duration": "1s", "target": 3}]}),
            "Up to 9 looping VUs for 1s over 1 stages (gracefulRampDown: 30s, gracefulStop: 30s)",
            "",
        );
        let three = "3 iterations shared among 3 VUs (maxDuration: 10m0s, gracefulStop: 30s)";
        check(json!({"vus": 3}), three, "");
        check(
            json!({"vus": 3, "scenarios": {"a": {"executor": "per-vu-iterations"}}}),
            three,
            "`vus=3` overrides scenarios configuration",
        );
        // Keys match in any case, as Go reads JSON.
        check(
            json!({"scenarios": {"a": {"executor": "ramping-vus", "startvus": 2, "stages": [{"Duration": "1s", "target": 1}]}}}),
            "Up to 2 looping VUs for 1s over 1 stages (gracefulRampDown: 30s, gracefulStop: 30s)",
            "",
        );
    }

    #[test]
    fn functions_must_be_exported() {
        let options = json!({"scenarios": {"s": {"executor": "per-vu-iterations", "exec": "nowhere"}}});
        let options = Options::from_json(&options, &mut Compat::default()).unwrap().options;
        let scenarios = options.check().unwrap();
        assert!(check_exports(&scenarios, &["nowhere".to_owned()]).is_ok());
        let failure = check_exports(&scenarios, &["default".to_owned()]).unwrap_err();
        let problem = "executor s: function 'nowhere' not found in exports";
        assert_eq!(failure.message, format!("{HEADER}\n\t- {problem}"));
    }
}
