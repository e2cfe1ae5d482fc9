//! Layers of options, lowest first: config file, script, environment, flags.
//!
//! A higher layer wins option by option. A layer that sets the amount of work (duration, iterations, stages, scenarios)
//! resets everything that lower layers have said about it.

use super::Options;

/// The source of options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionLayer {
    /// The JSON config file.
    Config,
    /// The script's export, or the archive's options.
    Script,
    /// `K6_…` variables.
    Env,
    /// Flags.
    Cli,
}

impl OptionLayer {
    /// The word used in warnings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Script => "script",
            Self::Env => "env",
            Self::Cli => "cli",
        }
    }
}

impl Options {
    /// True if this layer says how long or how much runs.
    pub fn says_execution(&self) -> bool {
        self.duration.is_some() || self.iterations.is_some() || self.stages.is_some() || self.scenarios.is_some()
    }

    /// Puts `higher` over these options. With `merge_tags` (the feature `merge-run-tags`) run tags are merged one by
    /// one, otherwise the highest layer that has any replaces them all.
    pub fn apply(mut self, mut higher: Self, merge_tags: bool) -> Self {
        if higher.says_execution() {
            self.duration = None;
            self.iterations = None;
            self.stages = None;
            self.scenarios = None;
        }
        if let Some(tags) = higher.tags.take() {
            match &mut self.tags {
                Some(lower) if merge_tags => lower.extend(tags),
                Some(_) if tags.is_empty() => (),
                lower => *lower = Some(tags),
            }
        }
        self.put_over(higher);
        self
    }
}

/// Merges layers, lowest first; the second half is the warnings.
pub fn consolidate(
    layers: impl IntoIterator<Item = (OptionLayer, Options)>,
    merge_tags: bool,
) -> (Options, Vec<String>) {
    let mut warnings = Vec::new();
    let mut all = Options::default();
    for (layer, options) in layers {
        if all.scenarios.is_some() && options.says_execution() {
            let word = layer.word();
            warnings.push(format!("\"{word}\" level configuration overrode scenarios configuration entirely"));
        }
        all = all.apply(options, merge_tags);
    }
    (all, warnings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::options::Compat;

    #[test]
    fn higher_layers_win() {
        let check = |lower: serde_json::Value, higher: serde_json::Value, merge: bool, expect: serde_json::Value| {
            let read = |value| Options::from_json(&value, &mut Compat::default()).unwrap().options;
            let (got, warnings) =
                consolidate([(OptionLayer::Script, read(lower)), (OptionLayer::Cli, read(higher))], merge);
            let set: serde_json::Map<_, _> = got
                .to_json()
                .into_iter()
                .filter(|(key, value)| !value.is_null() && (key != "dns" || value["ttl"].is_string()))
                .collect();
            assert_eq!(json!({"set": set, "warnings": warnings.len()}), expect);
        };
        check(json!({"batch": 1}), json!({"batch": 2}), false, json!({"set": {"batch": 2}, "warnings": 0}));
        check(
            json!({"vus": 3, "iterations": 5, "duration": "1m"}),
            json!({"duration": "2s"}),
            false,
            json!({"set": {"vus": 3, "duration": "2s"}, "warnings": 0}),
        );
        check(
            json!({"scenarios": {"a": {"executor": "per-vu-iterations"}}}),
            json!({"iterations": 2}),
            false,
            json!({"set": {"iterations": 2}, "warnings": 1}),
        );
        check(
            json!({"tags": {"a": "1", "b": "2"}}),
            json!({"tags": {"a": "3"}}),
            false,
            json!({"set": {"tags": {"a": "3"}}, "warnings": 0}),
        );
        check(
            json!({"tags": {"a": "1", "b": "2"}}),
            json!({"tags": {"a": "3"}}),
            true,
            json!({"set": {"tags": {"a": "3", "b": "2"}}, "warnings": 0}),
        );
        check(
            json!({"dns": {"ttl": "1s", "select": "first"}}),
            json!({"dns": {"ttl": "2s"}}),
            false,
            json!({"set": {"dns": {"ttl": "2s", "select": "first", "policy": null}}, "warnings": 0}),
        );
        check(
            json!({"stages": [{"target": 5}, {"duration": "1s", "target": 2}]}),
            json!({}),
            false,
            json!({"set": {"stages": [{"duration": "1s", "target": 2}]}, "warnings": 0}),
        );
    }
}
