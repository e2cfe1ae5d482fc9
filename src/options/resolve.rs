//! Resolution: merges the layers of options, turns shortcuts into scenarios, validates and plans them.

use super::threshold::ThresholdDef;
use super::value::invalid;
use super::{
    Feature, Instance, OptionLayer, Options, Plan, Scenario, ScenarioSelection, Share, Thresholds, consolidate,
};
use crate::failure::Failure;

/// The layers of options besides the script's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layers {
    /// The config file.
    pub config: Options,
    /// `K6_…` variables.
    pub env: Options,
    /// Flags.
    pub cli: Options,
    /// Which scenarios run, and whether each runs one iteration only.
    pub selection: ScenarioSelection,
    /// Features switched on; they change how layers merge, and show as run tags.
    pub features: Vec<Feature>,
    /// Which of several instances this is; its segment is among the options already.
    pub instance: Option<Instance>,
    /// Whether every sample gets the tag `instance`.
    pub tag_instance: bool,
}

/// The options of a run: merged, derived, validated, planned.
#[derive(Clone, Debug)]
pub struct ResolvedOptions {
    /// As configured, with the scenarios that were selected, before shortcuts became scenarios; what an archive keeps.
    pub configured: Options,
    /// Thresholds of scenarios that were not selected: they are checked, and not judged.
    pub excluded_thresholds: Thresholds,
    /// With `scenarios` set; what `exec.test.options` shows.
    pub options: Options,
    /// Sorted by start and name; those without work in this share included.
    pub scenarios: Vec<Scenario>,
    /// What this instance runs of it.
    pub share: Share,
    /// VUs over time.
    pub plan: Plan,
}

impl ResolvedOptions {
    /// All thresholds that are declared, those of scenarios that do not run as well.
    pub fn declared_thresholds(&self) -> Vec<(String, Vec<ThresholdDef>)> {
        let judged = self.options.thresholds.iter().flat_map(|thresholds| &thresholds.0);
        judged.chain(&self.excluded_thresholds.0).cloned().collect()
    }
}

impl Layers {
    /// Merges the layers with the script's and checks the result; what is to be logged, whatever comes of it, is added to
    /// `warnings`.
    ///
    /// # Errors
    /// What is wrong with the options as a whole, code 104 (255 for the few k6 gives 255).
    pub fn resolve(&self, mut script: Options, warnings: &mut Vec<String>) -> Result<ResolvedOptions, Failure> {
        let misplaced = script.features.take().is_some();
        let mut layers = [
            (OptionLayer::Config, self.config.clone()),
            (OptionLayer::Script, script),
            (OptionLayer::Env, self.env.clone()),
            (OptionLayer::Cli, self.cli.clone()),
        ];
        for (layer, options) in &mut layers {
            warnings.extend(self.selection.override_layer(*layer, options));
        }
        let (mut configured, more) = consolidate(layers, self.features.contains(&Feature::MergeRunTags));
        warnings.extend(more);
        if misplaced {
            let words = "`features` in the script's options is ignored, write `--features` or set `K6_FEATURES`";
            warnings.push(words.to_owned());
        }
        let excluded = self.selection.apply(&mut configured)?;
        warnings.extend(excluded.warning);
        let (mut options, more) = configured.clone().derive_scenarios()?;
        warnings.extend(more);
        for feature in &self.features {
            options.tags.get_or_insert_default().insert(feature.tag(), "true".to_owned());
        }
        self.add_instance_tag(&mut options)?;
        let scenarios = options.check()?;
        let share = options.share()?;
        let plan = Plan::new(&scenarios, &share);
        let excluded_thresholds = excluded.thresholds;
        Ok(ResolvedOptions { configured, excluded_thresholds, options, scenarios, share, plan })
    }
    /// The tag `instance`, where it is asked for: every other tag stays.
    ///
    /// # Errors
    /// The test has a tag of this name that says something else.
    fn add_instance_tag(&self, options: &mut Options) -> Result<(), Failure> {
        let Some(instance) = self.instance.filter(|_| self.tag_instance) else { return Ok(()) };
        let number = instance.number().to_string();
        match options.tags.get_or_insert_default().entry("instance".to_owned()).or_insert(number.clone()) {
            value if *value == number => Ok(()),
            value => Err(invalid(format!(
                "`--tag-instance` sets the tag `instance` to `{number}`, but the test has set it to `{value}`: leave one out"
            ))),
        }
    }
}
