//! `conduct`: shows, judges and reports a test that other processes run.

use clap::Args;

use super::args::RuntimeArgs;
use super::commands::{Command, CommandContext};
use super::instance::one;
use super::join::JoinArgs;
use super::reports::ReportArgs;
use super::run::RunArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::join::JoinAddress;
use crate::options::Instance;
use crate::run;
use crate::units::redact::redact_to_host;

/// Conduct a test that several instances run
///
/// The instances are started with `run --join`. This process makes no load: it shows one progress, judges the thresholds on what all
/// have measured, and writes one summary and the reports. Without it, the first instance does that.
#[derive(Debug, Args)]
pub(super) struct ConductArgs {
    /// Where the instances meet: redis://host/RUN
    #[arg(value_name = "ADDRESS")]
    meeting: String,
    /// How many instances there are
    #[arg(long, value_name = "COUNT")]
    instances: Vec<String>,
    /// How long to wait for all instances
    #[arg(long, value_name = "TIME")]
    join_timeout: Option<String>,
    /// What happens when an instance is lost: `continue` or `stop`
    #[arg(long, value_name = "WHAT")]
    on_loss: Option<String>,
    #[command(flatten)]
    runtime: RuntimeArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

impl Command for ConductArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let invalid = |message: String| Failure::new(ExitCode::InvalidConfig, message);
        let shown = redact_to_host(&self.meeting);
        let address = JoinAddress::parse(&self.meeting).map_err(|why| invalid(format!("`{shown}`: {why}")))?;
        let count =
            one("--instances", &self.instances)?.cloned().or_else(|| context.env.get("VOLLEY_INSTANCES").cloned());
        let count = count
            .ok_or_else(|| invalid("`conduct` needs to know how many there are: add `--instances 8`".to_owned()))?;
        let of: u64 = count
            .parse()
            .map_err(|_| invalid(format!("`--instances {count}`: how many instances is a whole number")))?;
        Instance::new(0, of).map_err(|why| invalid(format!("`--instances {count}`: {why}")))?;
        let join = JoinArgs { join: Vec::new(), join_timeout: self.join_timeout, on_loss: self.on_loss };
        let request = join.with(address, None, of, &context.env)?;
        let run = RunArgs::conducting(request, self.runtime, self.reports);
        let settings = run.settings(&context)?;
        settings.announce(&context.log.logger());
        run::execute(settings.load(&context)?).map(|()| ExitCode::Success)
    }
}
