//! What was typed around a procedure, and how often it reports.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How often a line is printed where nothing can be drawn.
pub const REPORT_EVERY: Duration = Duration::from_secs(60);

/// What was typed around a procedure.
#[derive(Clone, Debug)]
pub struct ProcedureSettings {
    /// The procedure file as typed.
    pub file: String,
    /// `--env`
    pub variables: BTreeMap<String, String>,
    /// The engine of the runs.
    pub js_engine: Option<String>,
    /// The environment of the process.
    pub process_env: BTreeMap<String, String>,
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// Only these runs.
    pub only: Vec<String>,
    /// Not these runs.
    pub skip: Vec<String>,
    /// Durations are multiplied by this.
    pub scale: f64,
    /// Tell the plan and do nothing.
    pub dry_run: bool,
    /// Go on in this folder.
    pub resume: Option<PathBuf>,
}
