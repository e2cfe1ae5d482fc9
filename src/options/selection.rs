//! `--scenario` and `--once`: which of the configured scenarios run, and whether each runs one iteration only.
//!
//! Both are rewritings of options, so that whatever reads options afterwards (plan, archive, `exec.test.options`) needs to
//! know nothing of them. First each layer loses what would compete with them, then the layers are merged, then the
//! scenarios are chosen, and last rewritten.

use std::collections::BTreeSet;

use super::scenario::{ExecutorFields, ScenarioConfig, Scenarios};
use super::threshold::Thresholds;
use super::value::invalid;
use super::{OptionLayer, Options};
use crate::failure::Failure;
use crate::metrics::submetric::MetricSelector;

/// What `--scenario` and `--once` ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioSelection {
    /// The scenarios to run, as typed; `None` for all.
    pub names: Option<Vec<String>>,
    /// Each scenario runs one iteration of one VU.
    pub once: bool,
}

/// What choosing scenarios left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExcludedThresholds {
    /// Thresholds of scenarios that do not run: they are checked, and not judged.
    pub thresholds: Thresholds,
    /// The warning about them.
    pub warning: Option<String>,
}

impl ScenarioSelection {
    /// Takes out of a layer what the flags replace, before layers are merged; a warning for each flag that took something.
    pub(super) fn override_layer(&self, layer: OptionLayer, options: &mut Options) -> Vec<String> {
        let word = if layer == OptionLayer::Env { "environment" } else { layer.word() };
        let told = |flag: &str, taken: &[&str]| {
            let names = taken.join(", ");
            (!taken.is_empty()).then(|| format!("{flag} overrode {names} in \"{word}\" configuration"))
        };
        let by_selection = if self.names.is_some() { take_load(options) } else { Vec::new() };
        let mut by_once = if self.once { take_load(options) } else { Vec::new() };
        if self.once {
            by_once.extend(options.execution_segment.take().map(|_| "executionSegment"));
            by_once.extend(options.execution_segment_sequence.take().map(|_| "executionSegmentSequence"));
        }
        told("--scenario", &by_selection).into_iter().chain(told("--once", &by_once)).collect()
    }

    /// Chooses among the merged options' scenarios and leaves one iteration of each where only that is asked for.
    ///
    /// # Errors
    /// A name that is no scenario's, more than one scenario where none was named; code 104.
    pub(super) fn apply(&self, options: &mut Options) -> Result<ExcludedThresholds, Failure> {
        let excluded = match &self.names {
            Some(names) => select(names, options)?,
            None => ExcludedThresholds::default(),
        };
        if self.once {
            let scenarios = options.scenarios.take().unwrap_or_default();
            if self.names.is_none() && scenarios.len() > 1 {
                let names = joined(scenarios.keys(), ", ");
                return Err(invalid(format!("--once can run only with a single scenario, but got: {names}")));
            }
            options.scenarios = Some(single_iterations(scenarios));
        }
        Ok(excluded)
    }

    /// What is left of a script's own options, without other layers; the second half is the warnings.
    ///
    /// # Errors
    /// As where all layers are resolved.
    pub fn of_script(&self, mut options: Options) -> Result<(Options, Vec<String>), Failure> {
        let mut warnings = self.override_layer(OptionLayer::Script, &mut options);
        warnings.extend(self.apply(&mut options)?.warning);
        Ok((options, warnings))
    }
}

/// Takes the shortcuts that say how much runs; the names of those that were set.
fn take_load(options: &mut Options) -> Vec<&'static str> {
    let taken = [
        ("vus", options.vus.take().is_some()),
        ("duration", options.duration.take().is_some()),
        ("iterations", options.iterations.take().is_some()),
        ("stages", options.stages.take().is_some()),
    ];
    taken.into_iter().filter(|(_, was_set)| *was_set).map(|(name, _)| name).collect()
}

fn select(names: &[String], options: &mut Options) -> Result<ExcludedThresholds, Failure> {
    let mut scenarios = options.scenarios.take().unwrap_or_default();
    if let Some(unknown) = names.iter().find(|name| !scenarios.contains_key(*name)) {
        let what = match scenarios.is_empty() {
            true => "the script does not have any named scenario".to_owned(),
            false => format!("available scenarios: {}", joined(scenarios.keys(), ", ")),
        };
        return Err(invalid(format!("scenario \"{unknown}\" not found; {what}")));
    }
    let all: BTreeSet<String> = scenarios.keys().cloned().collect();
    scenarios.retain(|name, _| names.contains(name));
    let runs_not = |name: &str| all.contains(name) && !scenarios.contains_key(name);
    let mut excluded = Thresholds::default();
    if let Some(thresholds) = &mut options.thresholds {
        let is_excluded = |metric: &str| scenario_of(metric).is_some_and(|name| runs_not(&name));
        let (out, kept) = std::mem::take(&mut thresholds.0).into_iter().partition(|(metric, _)| is_excluded(metric));
        (excluded.0, thresholds.0) = (out, kept);
    }
    options.scenarios = Some(scenarios);
    let metrics: BTreeSet<&String> = excluded.0.iter().map(|(metric, _)| metric).collect();
    let warning = (!metrics.is_empty()).then(|| {
        let list = joined(metrics, "; ");
        format!(
            "--scenario skipped thresholds for excluded scenarios: {list}; these thresholds remain skipped even if another \
             scenario emits matching tags"
        )
    });
    Ok(ExcludedThresholds { thresholds: excluded, warning })
}

/// The scenario whose samples a threshold is about; where its filter names several, the last counts.
fn scenario_of(metric: &str) -> Option<String> {
    // What can't be read is refused where thresholds are checked.
    let filter = MetricSelector::parse(metric).ok()?.filter?;
    filter.tags.iter().find(|(key, _)| **key == *"scenario").map(|(_, name)| name.to_string())
}

/// The scenarios with one iteration of one VU each; without any, the default function's.
fn single_iterations(scenarios: Scenarios) -> Scenarios {
    let once = || {
        let fields = ExecutorFields::SharedIterations { vus: Some(1), iterations: Some(1), max_duration: None };
        ScenarioConfig::new(fields)
    };
    if scenarios.is_empty() {
        return Scenarios::from([("default".to_owned(), once())]);
    }
    let rewritten = |ScenarioConfig { exec, env, tags, options, .. }| ScenarioConfig { exec, env, tags, options, ..once() };
    scenarios.into_iter().map(|(name, scenario)| (name, rewritten(scenario))).collect()
}

fn joined<'a>(names: impl IntoIterator<Item = &'a String>, between: &str) -> String {
    names.into_iter().map(String::as_str).collect::<Vec<_>>().join(between)
}
