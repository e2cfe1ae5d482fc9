//! Every code the process ends with, on one page. The numbers are k6's (v2.3.0), so CI jobs keep their meaning.

/// How a process ends. The first error decides; `main` only obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The run ended and no threshold was crossed. Failed checks and requests do not change that.
    Success = 0,
    /// A required check before a procedure failed: there was no load; or `check` found what scripts need and don't find here.
    PreflightFailed = 1,
    /// A procedure ended without what its verdict needs: INCOMPLETE. Or an instance lost all others of its test.
    Incomplete = 2,
    /// At least one threshold was crossed, a criterion of a procedure failed, or a comparison found a regression.
    ThresholdsCrossed = 99,
    /// `setup()` took longer than `setupTimeout`.
    SetupTimeout = 100,
    /// `teardown()` took longer than `teardownTimeout`.
    TeardownTimeout = 101,
    /// Some other stage took too long.
    GenericTimeout = 102,
    /// The run was stopped through the REST API.
    StoppedByApi = 103,
    /// Options, scenarios, thresholds, the configuration file or a `K6_` variable are wrong.
    InvalidConfig = 104,
    /// SIGINT or SIGTERM ended the run.
    ExternalAbort = 105,
    /// The REST API asked for with `--address` can't listen.
    CannotStartApi = 106,
    /// The script can't be loaded, or threw in init, setup or teardown.
    ScriptException = 107,
    /// The script called `exec.test.abort()`.
    ScriptAborted = 108,
    /// A defect of ours.
    Panic = 109,
    /// The script called `exec.test.fail()` and nothing else went wrong.
    MarkedAsFailed = 110,
    /// Wrong usage of the command line, a missing file, an unknown output, and everything else.
    Other = 255,
}

impl ExitCode {
    /// All codes.
    const ALL: [Self; 16] = [
        Self::Success,
        Self::PreflightFailed,
        Self::Incomplete,
        Self::ThresholdsCrossed,
        Self::SetupTimeout,
        Self::TeardownTimeout,
        Self::GenericTimeout,
        Self::StoppedByApi,
        Self::InvalidConfig,
        Self::ExternalAbort,
        Self::CannotStartApi,
        Self::ScriptException,
        Self::ScriptAborted,
        Self::Panic,
        Self::MarkedAsFailed,
        Self::Other,
    ];

    /// The code with this number, as another process said it.
    pub fn of_number(number: u8) -> Self {
        Self::ALL.into_iter().find(|code| *code as u8 == number).unwrap_or(Self::Other)
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
