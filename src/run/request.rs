//! What a run is asked for: everything typed, read and checked as far as that goes without evaluating the script.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::Reports;
use crate::join::Joined;
use crate::js::engine::Engine;
use crate::options::{Feature, Layers, Permissions};
use crate::source::{MainScript, Secrets};
use crate::summary;
use crate::ui::Terminal;
use crate::ui::log::ProcessLog;
use crate::ui::progress;
use crate::units::Span;

/// A script and what its code finds around it: enough to evaluate it.
pub struct ScriptRequest {
    /// The script as typed, for messages.
    pub argument: String,
    /// The script and its files.
    pub main: MainScript,
    /// Options around the script's own.
    pub layers: Layers,
    /// `__ENV`
    pub env: BTreeMap<String, String>,
    /// `__ENV` can't be written to.
    pub freeze_env: bool,
    /// Scripts find `global`, as in k6's extended compatibility mode.
    pub has_global: bool,
    /// What `k6/secrets` asks.
    pub secrets: Arc<Secrets>,
    /// The JavaScript engine.
    pub engine: Engine,
    /// What it may do on this machine.
    pub permissions: Permissions,
    /// Refuse what k6 refuses.
    pub strict: bool,
    /// The log of the process.
    pub log: ProcessLog,
}

impl ScriptRequest {
    /// Whether the feature `async-metric-context` is on.
    pub fn propagates_context(&self) -> bool {
        self.layers.features.contains(&Feature::AsyncMetricContext)
    }
}

/// A test to run: its script, and everything around it.
pub struct RunRequest {
    /// What is evaluated. The option `consoleOutput` sends a part of its log elsewhere.
    pub script: ScriptRequest,
    /// The environment of the process, for proxies and the like.
    pub process_env: HashMap<String, String>,
    /// Where the REST API listens.
    pub address: Option<Address>,
    /// One iteration of one VU, shown in full, instead of what the options say.
    pub single_iteration: bool,
    /// Don't judge thresholds.
    pub no_thresholds: bool,
    /// The summary of a saved run, for thresholds that compare with it.
    pub baseline: Option<String>,
    /// What the end-of-test summary shows.
    pub summary_mode: summary::Mode,
    /// Where the summary is exported to.
    pub summary_export: Option<String>,
    /// Use the new shape for exports and `handleSummary`.
    pub machine_readable: bool,
    /// What is written beside k6's summary.
    pub reports: Reports,
    /// How progress is shown.
    pub progress: progress::ProgressMode,
    /// Outputs as typed: `json=x.json`.
    pub outputs: Vec<String>,
    /// How long the process stays after the test.
    pub linger: Linger,
    /// No banner, description or progress.
    pub quiet: bool,
    /// Other instances that take part.
    pub joined: Option<JoinedInstances>,
    /// The parent process asks over standard input how the run goes.
    pub is_observed: bool,
    /// The name this program was called by.
    pub program: &'static str,
    /// The flag `--no-color`.
    pub no_color: bool,
    /// The folder that relative paths start from.
    pub cwd: PathBuf,
    /// Configurations of outputs from the config file, by output.
    pub collectors: serde_json::Map<String, serde_json::Value>,
    /// Writes to standard output and standard error.
    pub terminal: Terminal,
}

impl RunRequest {
    /// A run in the folder `cwd` that runs its script and prints the summary, with no outputs, reports or REST API.
    pub fn new(script: ScriptRequest, cwd: PathBuf, program: &'static str, terminal: Terminal) -> Self {
        Self {
            script,
            process_env: HashMap::new(),
            address: None,
            single_iteration: false,
            no_thresholds: false,
            baseline: None,
            summary_mode: summary::Mode::Compact,
            summary_export: None,
            machine_readable: false,
            reports: Reports::default(),
            progress: progress::ProgressMode::Plain,
            outputs: Vec::new(),
            linger: Linger::Off,
            quiet: false,
            joined: None,
            is_observed: false,
            program,
            no_color: false,
            cwd,
            collectors: serde_json::Map::new(),
            terminal,
        }
    }
}

/// Other instances that run parts of the test.
pub struct JoinedInstances {
    /// The way to them.
    pub way: Arc<Joined>,
    /// The script is theirs.
    pub has_their_script: bool,
    /// Variables that go into the archive for those that come without a script.
    pub archive_env: BTreeMap<String, String>,
}

/// Where the REST API listens.
#[derive(Clone, Debug)]
pub struct Address {
    /// `host:port` or `:port`
    pub at: String,
    /// Whether it was a flag: then the run ends if the address is not available.
    pub is_flag: bool,
}

/// How long the process stays after the test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Linger {
    /// Not at all.
    #[default]
    Off,
    /// Until it is interrupted.
    UntilInterrupted,
    /// This long, or until it is interrupted.
    For(Span),
}
