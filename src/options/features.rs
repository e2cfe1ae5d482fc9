//! Experimental features, by the names k6 gives them.

/// A feature that is off unless asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Asynchronous work keeps the tags, metadata and group it was registered under.
    AsyncMetricContext,
    /// `__ENV` can't be written to.
    FreezeEnv,
    /// Run tags of all layers are merged one by one.
    MergeRunTags,
    /// Prometheus remote write sends trends as native histograms.
    NativeHistograms,
}

impl Feature {
    /// Every feature: itself, its name, what it does.
    pub const TABLE: [(Self, &'static str, &'static str); 4] = [
        (Self::AsyncMetricContext, "async-metric-context", "Propagate metric context through asynchronous operations"),
        (Self::FreezeEnv, "freeze-env", "Makes __ENV read-only in the script"),
        (Self::MergeRunTags, "merge-run-tags", "Merges the run tags of file, script, environment and flags by name"),
        (Self::NativeHistograms, "native-histograms", "Sends trends as native histograms to Prometheus"),
    ];

    /// The name.
    pub const fn name(self) -> &'static str {
        Self::TABLE[self as usize].1
    }

    /// The feature of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known, _)| *known == name).map(|(feature, ..)| *feature)
    }

    /// The run tag that shows it was on, such as `k6_feature_freeze_env`.
    pub fn tag(self) -> String {
        format!("k6_feature_{}", self.name().replace('-', "_"))
    }
}
