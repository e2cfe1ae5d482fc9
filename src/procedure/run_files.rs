//! The files of a run in a results folder.

use std::path::{Path, PathBuf};

/// The files of a run in a results folder.
pub struct RunFiles {
    /// The samples, as packed NDJSON.
    pub samples: PathBuf,
    /// The summary in k6's shape.
    pub summary: PathBuf,
    /// The summary in our shape.
    pub document: PathBuf,
    /// What the run said.
    pub log: PathBuf,
}

impl RunFiles {
    /// The files of a run.
    pub fn of(folder: &Path, run: &str) -> Self {
        let file = |end: &str| folder.join(format!("{run}{end}"));
        Self {
            samples: file(".json.gz"),
            summary: file("_summary.json"),
            document: file("_report.json"),
            log: file(".log"),
        }
    }
}
