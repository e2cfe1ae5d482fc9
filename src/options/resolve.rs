//! Resolution: merges the layers of options, turns shortcuts into scenarios, validates and plans them.

use super::{Feature, OptionLayer, Options, Plan, Scenario, Share, consolidate};
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
    /// Features switched on; they change how layers merge, and show as run tags.
    pub features: Vec<Feature>,
}

/// The options of a run: merged, derived, validated, planned.
#[derive(Clone, Debug)]
pub struct ResolvedOptions {
    /// As configured, before shortcuts became scenarios; what an archive keeps.
    pub configured: Options,
    /// With `scenarios` set; what `exec.test.options` shows.
    pub options: Options,
    /// Sorted by start and name; those without work in this share included.
    pub scenarios: Vec<Scenario>,
    /// What this instance runs of it.
    pub share: Share,
    /// VUs over time.
    pub plan: Plan,
    /// To be logged.
    pub warnings: Vec<String>,
}

impl Layers {
    /// Merges the layers with the script's and checks the result.
    ///
    /// # Errors
    /// What is wrong with the options as a whole, code 104 (255 for the few k6 gives 255).
    pub fn resolve(&self, mut script: Options) -> Result<ResolvedOptions, Failure> {
        let misplaced = script.features.take().is_some();
        let layers = [
            (OptionLayer::Config, self.config.clone()),
            (OptionLayer::Script, script),
            (OptionLayer::Env, self.env.clone()),
            (OptionLayer::Cli, self.cli.clone()),
        ];
        let (configured, mut warnings) = consolidate(layers, self.features.contains(&Feature::MergeRunTags));
        if misplaced {
            let words = "`features` in the script's options is ignored, write `--features` or set `K6_FEATURES`";
            warnings.push(words.to_owned());
        }
        let (mut options, more) = configured.clone().derive_scenarios()?;
        warnings.extend(more);
        for feature in &self.features {
            options.tags.get_or_insert_default().insert(feature.tag(), "true".to_owned());
        }
        let scenarios = options.check()?;
        let share = options.share()?;
        let plan = Plan::new(&scenarios, &share);
        Ok(ResolvedOptions { configured, options, scenarios, share, plan, warnings })
    }
}
