//! `features`: what can be switched on.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::args::JsonArgs;
use super::commands::{Command, CommandContext};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::options::Feature;

/// List experimental features
#[derive(Debug, Args)]
pub(super) struct FeaturesArgs {
    #[command(flatten)]
    format: JsonArgs,
}

impl Command for FeaturesArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        context.print(&list(self.format.is_json()))
    }
}

fn list(as_json: bool) -> String {
    if as_json {
        let items: Vec<_> = Feature::TABLE
            .iter()
            .map(|(_, name, what)| json!({"feature": name, "lifecycle": "Experimental", "description": what}))
            .collect();
        return serde_json::to_string_pretty(&items).unwrap_or_default() + "\n";
    }
    let mut text = String::new();
    let width = Feature::TABLE.iter().map(|(_, name, _)| name.len()).max().unwrap_or(0);
    let mut row = |name: &str, lifecycle: &str, what: &str| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{name:<width$}   {lifecycle:<12}   {what}");
    };
    row("FEATURE", "LIFECYCLE", "DESCRIPTION");
    for (_, name, what) in Feature::TABLE {
        row(name, "Experimental", what);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_know_their_names() {
        for (feature, name, _) in Feature::TABLE {
            assert_eq!((Feature::named(name), feature.name()), (Some(feature), name));
        }
        assert_eq!(Feature::MergeRunTags.tag(), "k6_feature_merge_run_tags");
        assert!(list(false).starts_with(
            "FEATURE                LIFECYCLE      DESCRIPTION\nasync-metric-context   Experimental   Propagate metric context \
             through asynchronous operations\nfreeze-env             Experimental   "
        ));
    }
}
