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

    /// What is left of a script's own options, without other layers; what is to be logged is added to `warnings`.
    ///
    /// # Errors
    /// As where all layers are resolved.
    pub fn of_script(&self, mut options: Options, warnings: &mut Vec<String>) -> Result<Options, Failure> {
        warnings.extend(self.override_layer(OptionLayer::Script, &mut options));
        warnings.extend(self.apply(&mut options)?.warning);
        Ok(options)
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
    let rewritten =
        |ScenarioConfig { exec, env, tags, options, .. }| ScenarioConfig { exec, env, tags, options, ..once() };
    scenarios.into_iter().map(|(name, scenario)| (name, rewritten(scenario))).collect()
}

fn joined<'a>(names: impl IntoIterator<Item = &'a String>, between: &str) -> String {
    names.into_iter().map(String::as_str).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::options::{Compat, Layers};

    fn read(options: &Value) -> Options {
        Options::from_json(options, &mut Compat::default()).unwrap().options
    }

    /// Layers of options, lowest first: those of the script, unless it is an array of config file, script and variables.
    fn layers(options: &Value, flags: &str) -> (Layers, Options) {
        let mut selection = ScenarioSelection::default();
        for flag in flags.split_whitespace() {
            match flag {
                "--once" => selection.once = true,
                name => selection.names.get_or_insert_default().push(name.to_owned()),
            }
        }
        let (config, script, env) = match options.as_array().map(Vec::as_slice) {
            Some([config, script, env]) => (read(config), read(script), read(env)),
            _ => (Options::default(), read(options), Options::default()),
        };
        (Layers { config, env, selection, ..Layers::default() }, script)
    }

    /// Three scenarios, one of which starts late.
    fn three() -> Value {
        json!({
            "api": {"executor": "per-vu-iterations", "vus": 3, "iterations": 4, "exec": "api", "env": {"A": "1"}, "tags": {"t": "u"}},
            "db": {"executor": "constant-vus", "vus": 5, "duration": "1s", "startTime": "3s", "gracefulStop": "0s"},
            "ui": {"executor": "shared-iterations", "options": {"browser": {"type": "chromium"}}},
        })
    }

    #[test]
    fn scenarios_are_chosen() {
        let check = |options: Value, flags: &str, expect: &[&str]| {
            let (layers, script) = layers(&options, flags);
            let mut warnings = Vec::new();
            let resolved = layers.resolve(script, &mut warnings).unwrap();
            let lines = resolved.scenarios.iter().map(|one| format!("{}: {}", one.name, one.describe(&resolved.share)));
            let lines: Vec<_> = lines.chain(warnings).collect();
            assert_eq!(lines, expect, "{options} {flags}");
        };
        let api = "api: 4 iterations for each of 3 VUs (maxDuration: 10m0s, exec: api, gracefulStop: 30s)";
        let db = "db: 5 looping VUs for 1s (startTime: 3s)";
        let once = "1 iterations shared among 1 VUs (maxDuration: 10m0s, gracefulStop: 30s)";
        check(json!({"scenarios": three()}), "api", &[api]);
        check(json!({"scenarios": three()}), "db", &[db]);
        check(json!({"scenarios": three()}), "db api db", &[api, db]);
        let api_once = format!("api: {}", once.replace("gracefulStop", "exec: api, gracefulStop"));
        check(json!({"scenarios": three()}), "--once api db", &[&api_once, &format!("db: {once}")]);
        let lone = format!("default: {once}");
        for none in [json!({}), json!({"scenarios": {}}), json!({"scenarios": null})] {
            check(none, "--once", &[&lone]);
        }
        // Flags replace shortcuts of every layer before one layer can replace another.
        check(
            json!([{"vus": 1, "scenarios": three()}, {"duration": "1h", "stages": [], "iterations": 0}, {"vus": 2}]),
            "api",
            &[
                api,
                "--scenario overrode vus in \"config\" configuration",
                "--scenario overrode duration, iterations, stages in \"script\" configuration",
                "--scenario overrode vus in \"environment\" configuration",
            ],
        );
        check(
            json!([
                {"iterations": 7},
                {"vus": 5, "iterations": 1, "executionSegment": "0:1/4", "executionSegmentSequence": "0,1/4,1"},
                {"stages": [{"duration": "1s", "target": 1}]}
            ]),
            "--once",
            &[
                &lone,
                "--once overrode iterations in \"config\" configuration",
                "--once overrode vus, iterations, executionSegment, executionSegmentSequence in \"script\" configuration",
                "--once overrode stages in \"environment\" configuration",
            ],
        );
        let both = json!({"scenarios": three(), "vus": 1, "executionSegment": "0:1/2"});
        let said = ["--scenario overrode vus in", "--once overrode executionSegment in"]
            .map(|start| format!("{start} \"script\" configuration"));
        check(both, "--once db", &[&format!("db: {once}"), &said[0], &said[1]]);
    }

    #[test]
    fn what_cannot_be_chosen_is_told() {
        let check = |options: Value, flags: &str, expect: &str| {
            let (layers, script) = layers(&options, flags);
            let failure = layers.resolve(script, &mut Vec::new()).unwrap_err();
            assert_eq!((failure.code, failure.message.as_str()), (crate::exit_code::ExitCode::InvalidConfig, expect));
        };
        let available = "available scenarios: api, db, ui";
        check(json!({"scenarios": three()}), "gone", &format!("scenario \"gone\" not found; {available}"));
        check(json!({"scenarios": three()}), "api default", &format!("scenario \"default\" not found; {available}"));
        let none = "not found; the script does not have any named scenario";
        check(json!({}), "default", &format!("scenario \"default\" {none}"));
        check(json!({"iterations": 3, "scenarios": {}}), "--once x", &format!("scenario \"x\" {none}"));
        check(
            json!({"scenarios": three()}),
            "--once",
            "--once can run only with a single scenario, but got: api, db, ui",
        );
    }

    #[test]
    fn once_leaves_what_the_iteration_sees() {
        let check = |options: Value, flags: &str, name: &str, expect: Value| {
            let (layers, script) = layers(&options, flags);
            let resolved = layers.resolve(script, &mut Vec::new()).unwrap();
            let kept = &resolved.configured.to_archive_json();
            assert_eq!(kept["scenarios"], json!({name: expect}));
            assert!(["vus", "duration", "iterations", "stages"].iter().all(|key| kept[*key].is_null()), "{kept:?}");
        };
        let once = |exec: Value, env: Value, tags: Value| {
            json!({
                "executor": "shared-iterations", "startTime": null, "gracefulStop": null, "env": env, "exec": exec, "tags": tags,
                "vus": 1, "iterations": 1, "maxDuration": null
            })
        };
        let bare = || once(Value::Null, Value::Null, Value::Null);
        let mut scenarios = json!({"scenarios": three()});
        check(scenarios.clone(), "--once api", "api", once("api".into(), json!({"A": "1"}), json!({"t": "u"})));
        check(scenarios.clone(), "--once db", "db", bare());
        let mut with_browser = bare();
        with_browser["options"] = json!({"browser": {"type": "chromium"}});
        check(scenarios.clone(), "--once ui", "ui", with_browser);
        check(json!({"duration": "1h", "vus": 9}), "--once", "default", bare());
        // What does not run need not make sense together.
        scenarios["scenarios"] = json!({"bad": {"executor": "shared-iterations", "vus": 5, "iterations": 1}});
        check(scenarios, "--once", "bad", bare());
    }

    #[test]
    fn thresholds_of_others_are_left_out() {
        let check = |metric: &str, is_kept: bool| {
            let options = json!({"scenarios": three(), "thresholds": {metric: ["count>0"], "vus": ["value>0"]}});
            let (layers, script) = layers(&options, "ui");
            let mut warnings = Vec::new();
            let resolved = layers.resolve(script, &mut warnings).unwrap();
            let left: Vec<_> =
                resolved.options.thresholds.iter().flat_map(|all| &all.0).map(|(name, _)| name.as_str()).collect();
            assert_eq!(left.contains(&metric), is_kept, "{metric}");
            assert!(left.contains(&"vus"));
            let skipped: Vec<_> = resolved.excluded_thresholds.0.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(skipped, if is_kept { vec![] } else { vec![metric] });
            let warning = format!(
                "--scenario skipped thresholds for excluded scenarios: {metric}; these thresholds remain skipped even if \
                 another scenario emits matching tags"
            );
            assert_eq!(warnings, if is_kept { vec![] } else { vec![warning] });
            assert_eq!(resolved.declared_thresholds().len(), 2);
        };
        check("iterations", true);
        check("iterations{name:x}", true);
        check("iterations{scenario:ui}", true);
        check("iterations{scenario:nobody}", true);
        check("iterations{name:scenario:api}", true);
        check("iterations{scenario:api,scenario:ui}", true);
        check("iterations{scenario:ui,scenario:api}", false);
        check("iterations{scenario:api}", false);
        check("iterations{ 'scenario' : 'api', name:login}", false);
        check("iterations{name:x,scenario:\"db\"}", false);
        // Refused where thresholds are checked.
        check("iterations{scenario:api", true);
    }

    #[test]
    fn skipped_thresholds_are_told_once() {
        let thresholds = json!({"vus{scenario:db}": [], "iterations{scenario:db}": [], "iterations{scenario:api}": []});
        let (layers, script) = layers(&json!({"scenarios": three(), "thresholds": thresholds}), "ui");
        let mut warnings = Vec::new();
        layers.resolve(script, &mut warnings).unwrap();
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0]
                .contains(": iterations{scenario:api}; iterations{scenario:db}; vus{scenario:db}; these thresholds"),
            "{warnings:?}"
        );
    }
}
