//! The kinds of findings, how severe each is, and the limits they go by; a procedure file may say otherwise for all of them.

use serde::{Deserialize, Serialize};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// A reader should know.
    Warning,
    /// The verdict can't be an approval.
    Blocking,
}

impl Severity {
    /// All of them, by the words that a procedure file uses.
    pub const WORDS: [(&'static str, Self); 3] =
        [("blocking", Self::Blocking), ("warning", Self::Warning), ("note", Self::Note)];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    /// The sign before a finding on a terminal.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Blocking => "✗",
            Self::Warning => "!",
            Self::Note => "·",
        }
    }
}

/// The kinds of findings, with their severities. Each may have a hint of one's own.
pub const KINDS: [(&str, Severity); 16] = [
    ("preflight", Severity::Warning),
    ("resources", Severity::Note),
    ("data", Severity::Warning),
    ("exit", Severity::Blocking),
    ("errors", Severity::Blocking),
    ("refused", Severity::Warning),
    ("checks", Severity::Warning),
    ("thresholds", Severity::Blocking),
    ("generator", Severity::Blocking),
    ("samples", Severity::Blocking),
    ("dropped", Severity::Warning),
    ("slow", Severity::Warning),
    ("cache", Severity::Warning),
    ("memory", Severity::Warning),
    ("collector", Severity::Warning),
    ("thinned", Severity::Note),
];

/// What counts as too much or too little; the file may say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingLimits {
    /// More failed requests than this share are a finding; 0 to 1.
    pub failed: f64,
    /// A criterion on a latency or a share needs at least this many samples.
    pub samples: u64,
    /// A p95 of request durations above this many milliseconds is slow.
    pub slow: f64,
    /// Fewer cache hits than this share, and a cache does not help; 0 to 1.
    pub cache_hits: f64,
    /// A median that is not smaller than the baseline's by this part is no gain: less is noise.
    pub gain: f64,
    /// Memory that grew by more than this part over a run grows.
    pub growth: f64,
}

impl Default for FindingLimits {
    fn default() -> Self {
        Self { failed: 0.05, samples: 30, slow: 200.0, cache_hits: 0.5, gain: 0.1, growth: 0.2 }
    }
}
