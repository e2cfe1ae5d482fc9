//! What happened so far, in `procedure.json` of a results folder: rewritten whole after every step, so that a procedure
//! that was killed can go on, and reports can be made again. No credentials: addresses stand here without them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::finding_kinds::{FindingLimits, Severity};
use super::metric_roles::MetricRoles;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::summary::writing;
use crate::units::figure::{self, Unit};

/// The file's name.
pub const FILE: &str = "procedure.json";
/// The version of its shape.
const VERSION: u64 = 1;
const FORMAT: &str = "volley-procedure";

/// A procedure and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Journal {
    format: String,
    version: u64,
    /// What it is called.
    pub name: String,
    /// Where it ran.
    pub environment: String,
    /// The tag `phase`.
    pub phase: Option<String>,
    /// What was tested.
    pub base_url: Option<String>,
    /// The procedure file as typed.
    pub file: String,
    /// Durations were multiplied by this.
    pub scale: f64,
    /// The time in the names of the folder and the archive, local where it began; older journals have none.
    #[serde(default)]
    pub stamp: Option<String>,
    /// When it began first (RFC 3339).
    pub started: String,
    /// When all was done; nothing while it goes on or after it was killed.
    pub ended: Option<String>,
    /// What has to hold.
    pub criteria: Vec<CriterionEntry>,
    /// What counts as too much or too little.
    #[serde(default)]
    pub limits: FindingLimits,
    /// The metrics that findings and reports look at.
    #[serde(default)]
    pub metrics: MetricRoles,
    /// Other severities of findings, by kind.
    #[serde(default)]
    pub severities: BTreeMap<String, Severity>,
    /// Other words for hints.
    pub hints: BTreeMap<String, String>,
    /// Checks before the runs.
    pub checks: Vec<PreflightResult>,
    /// Records made before the runs.
    pub data: Option<TestDataSummary>,
    /// The runs, in order.
    pub runs: Vec<RunEntry>,
    /// What a reader has to know, such as interruptions.
    pub notes: Vec<String>,
}

/// Something that has to hold. Journals of older versions have pairs of name and text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "CriterionShape")]
pub struct CriterionEntry {
    /// What it is called.
    pub name: String,
    /// As typed.
    pub text: String,
    /// At least so many samples, where it says so itself.
    pub samples: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CriterionShape {
    Pair(String, String),
    Fields { name: String, text: String, samples: Option<u64> },
}

impl From<CriterionShape> for CriterionEntry {
    fn from(shape: CriterionShape) -> Self {
        match shape {
            CriterionShape::Pair(name, text) => Self { name, text, samples: None },
            CriterionShape::Fields { name, text, samples } => Self { name, text, samples },
        }
    }
}

/// One check before any load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreflightResult {
    /// What was checked.
    pub name: String,
    /// What it came to.
    pub state: CheckState,
    /// What was seen.
    pub text: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// It is about a resource of this machine.
    #[serde(default)]
    pub is_resource: bool,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Not as it should be, but the runs may begin.
    Warning,
    /// The runs may not begin.
    Failed,
}

/// Records made before the runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestDataSummary {
    /// Asked for.
    pub asked: u64,
    /// Answered as expected.
    pub made: u64,
    /// Read back afterwards, where that was asked for.
    #[serde(default)]
    pub verified: Option<u64>,
    /// Deleted afterwards.
    pub removed: u64,
    /// What went wrong first.
    pub trouble: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

impl TestDataSummary {
    /// So many, none of which is made yet.
    pub fn asked(count: u64) -> Self {
        Self { asked: count, made: 0, verified: None, removed: 0, trouble: None, seconds: 0.0 }
    }

    /// What became of them, in one line.
    pub fn words(&self) -> String {
        let count = |count: u64| figure::text(count as f64, Unit::Count);
        let took = figure::text((self.seconds * 1e3).round(), Unit::Time);
        let mut text = format!("{} of {} records made in {took}", count(self.made), count(self.asked));
        if let Some(verified) = self.verified {
            text.push_str(&format!(", {} read back", count(verified)));
        }
        if self.removed > 0 {
            text.push_str(&format!(", {} removed", count(self.removed)));
        }
        text
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryState {
    /// To come.
    Pending,
    /// It began and has not ended; in a folder that nobody works in: it was killed.
    Running,
    /// It ended by itself, with all its numbers.
    Finished,
    /// It was stopped before its end.
    Interrupted,
    /// It broke down.
    Failed,
    /// It was not asked for.
    Skipped,
}

impl EntryState {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "not run",
            Self::Running => "killed",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// A sentence about a run in this state.
    pub fn said_of(self, run: &str) -> String {
        match self {
            Self::Failed => format!("run `{run}` failed"),
            Self::Finished => format!("run `{run}` finished"),
            Self::Pending => format!("run `{run}` was not started"),
            Self::Running | Self::Interrupted | Self::Skipped => format!("run `{run}` was {}", self.word()),
        }
    }
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunEntry {
    /// Its name; its files begin with it.
    pub name: String,
    /// The script.
    pub script: String,
    /// Its load in words.
    pub plan: String,
    /// How far it is.
    pub state: EntryState,
    /// How the child ended; nothing when a signal ended it.
    pub exit_code: Option<i32>,
    /// When it began (RFC 3339).
    pub started: Option<String>,
    /// What a reader has to know.
    pub note: Option<String>,
    /// Not all of its samples were written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinned: Option<Thinned>,
}

/// How many samples of a run were written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Thinned {
    /// Written.
    pub kept: u64,
    /// Measured.
    pub all: u64,
}

impl Journal {
    /// A procedure that begins now.
    pub fn new(name: &str, environment: &str, file: &str) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            name: name.to_owned(),
            environment: environment.to_owned(),
            phase: None,
            base_url: None,
            file: file.to_owned(),
            scale: 1.0,
            stamp: None,
            started: now(),
            ended: None,
            criteria: Vec::new(),
            limits: FindingLimits::default(),
            metrics: MetricRoles::default(),
            severities: BTreeMap::new(),
            hints: BTreeMap::new(),
            checks: Vec::new(),
            data: None,
            runs: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Reads the journal of a folder.
    ///
    /// # Errors
    /// A folder without one, or with one that is not ours.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(FILE);
        let wrong = |why: &str| Failure::new(ExitCode::Other, format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| {
            wrong(&writing::plain(&error)).hint("a results folder of `volley procedure run` has this file")
        })?;
        let journal: Self = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        if journal.format != FORMAT || journal.version != VERSION {
            return Err(wrong(&format!("a {} of version {} is not understood", journal.format, journal.version)));
        }
        Ok(journal)
    }

    /// Writes it.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        write_file(&folder.join(FILE), text.as_bytes())
    }
}

/// Now, as RFC 3339, to the second.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Writes a whole file.
///
/// # Errors
/// As the file system says, with the file's name.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    writing::write_file(path, content).map_err(|error| {
        Failure::new(ExitCode::Other, format!("could not write '{}': {}", path.display(), writing::plain(&error)))
    })
}
