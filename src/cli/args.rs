//! The command line as typed: every command, every flag, in our own words.
//!
//! Values stay text here; [`super::flags`] and [`super::runtime`] give them their meaning. How values are attached to
//! flags follows the library k6 uses, see [`command`].

use std::any::TypeId;
use std::str::FromStr;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

/// A switch: bare, or with `=true` or `=false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch(pub bool);

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_bool(text).map(Self)
    }
}

/// Reads a boolean as Go does.
///
/// # Errors
/// Go's words.
pub(super) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
    }
}

/// Runs k6 test scripts unchanged, with truer latency numbers.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true, args_override_self = true, disable_help_subcommand = false)]
pub struct Cli {
    /// Settings every command has.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// Print the version and exit.
    #[arg(long)]
    pub version: Option<Switch>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Settings every command has.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct GlobalArgs {
    /// Where the REST API listens, such as localhost:6565; without it there is none
    #[arg(short, long, global = true, value_name = "HOST:PORT")]
    pub address: Option<String>,
    /// JSON file with options
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<String>,
    /// Where log lines go: stderr, stdout, none, file=PATH[,level=L] or loki[=URL,…]
    #[arg(long, global = true, value_name = "OUTPUT")]
    pub log_output: Option<String>,
    /// How log lines look: json, raw, or text
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// No colours
    #[arg(long, global = true)]
    pub no_color: Option<Switch>,
    /// No banner and no progress; the summary and log lines stay
    #[arg(short, long, global = true)]
    pub quiet: Option<Switch>,
    /// Log debug lines as well
    #[arg(short, long, global = true)]
    pub verbose: Option<Switch>,
    /// Accepted for k6's sake: there are no profiles
    #[arg(long, global = true)]
    pub profiling_enabled: Option<Switch>,
    /// Where secrets come from: TYPE[=CONFIG]; may be repeated
    #[arg(long, global = true, value_name = "SOURCE")]
    pub secret_source: Vec<String>,
    /// Which JavaScript engine runs scripts: quickjs or boa
    #[arg(long, global = true, value_name = "ENGINE")]
    pub js_engine: Option<String>,
    /// Refuse everything k6 2.2 refuses
    #[arg(long, global = true)]
    pub strict_k6: Option<Switch>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a test
    Run(Box<RunArgs>),
    /// Pack a script with all it reads and its options into one file
    Archive(Box<ArchiveArgs>),
    /// Print a script's options as JSON
    Inspect(InspectArgs),
    /// Write a script to start from
    New(NewArgs),
    /// List what a script imports
    Deps(DepsArgs),
    /// List experimental features
    Features(JsonArgs),
    /// Print the version
    #[command(hide = true)]
    Version(JsonArgs),
    /// Print the metrics of a running test
    Stats(StrayArgs),
    /// Print how a running test is doing
    Status(StrayArgs),
    /// Hold a running test whose scenarios are externally-controlled
    Pause(StrayArgs),
    /// Let a paused test go on, or start one that was started with --paused
    Resume(StrayArgs),
    /// Change the VUs of a running test with an externally-controlled scenario
    Scale(ScaleArgs),
    /// Print a completion script for a shell
    Completion(CompletionArgs),
    /// Grafana's hosted service (not talked to by this program)
    Cloud(RestArgs),
    /// Commands of extensions (there are none)
    X(RestArgs),
    /// Serve a small web application to test against
    Target(RestArgs),
    /// Run a short test against the built-in target and show the result
    Demo(RestArgs),
    /// Run a written procedure: checks, runs, collected figures, criteria, one report
    Procedure(RestArgs),
    /// Compare two results and find regressions
    Compare(RestArgs),
}

/// A script, and nothing else.
#[derive(Clone, Debug, Default, Args)]
pub struct ScriptArgs {
    /// A file, an https address, or - for standard input
    #[arg(value_name = "SCRIPT")]
    pub script: Vec<String>,
}

/// Whatever comes, as it is.
#[derive(Clone, Debug, Default, Args)]
#[command(disable_help_flag = true)]
pub struct RestArgs {
    /// Passed on
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub rest: Vec<String>,
}

/// No arguments; those that come anyway are refused later, in k6's words.
#[derive(Clone, Debug, Default, Args)]
pub struct StrayArgs {
    /// Must be empty
    #[arg(hide = true)]
    pub stray: Vec<String>,
}

/// `scale`.
#[derive(Clone, Debug, Default, Args)]
pub struct ScaleArgs {
    /// How many VUs work
    #[arg(short = 'u', long, value_name = "COUNT")]
    pub vus: Option<String>,
    /// How many VUs there may be
    #[arg(short, long, value_name = "COUNT")]
    pub max: Option<String>,
    /// Must be empty
    #[arg(hide = true)]
    pub stray: Vec<String>,
}

/// Text or JSON.
#[derive(Clone, Debug, Default, Args)]
pub struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub json: Option<Switch>,
}

/// `run`.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: OptionArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub runtime: RuntimeArgs,
    /// Where results go: TYPE[=ARGUMENT]; may be repeated
    #[arg(short, long, value_name = "OUTPUT")]
    pub out: Vec<String>,
    /// Wait for Ctrl+C after the test; --linger=30s waits that long
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "TIME")]
    pub linger: Option<String>,
    /// Run one iteration after every change of the script or of what it reads
    #[arg(long)]
    pub watch: Option<Switch>,
    /// Accepted for k6's sake: nothing is ever reported
    #[arg(long)]
    pub no_usage_report: Option<Switch>,
    /// Experimental features to switch on, comma-separated; may be repeated
    #[arg(long, value_name = "NAMES")]
    pub features: Vec<String>,
    /// Write our own summary to this file as JSON: everything, over time and mergeable
    #[arg(long, value_name = "FILE")]
    pub summary_json: Option<String>,
    /// Write thresholds and checks to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub summary_junit: Option<String>,
    /// With --summary-mode=full: end with a table of requests by name and method
    #[arg(long)]
    pub summary_endpoints: Option<Switch>,
    /// Write the run as one HTML page to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<String>,
    /// How progress is shown: live (on a terminal), or plain lines
    #[arg(long, value_name = "KIND")]
    pub ui: Option<String>,
    /// The summary of a saved run, for thresholds such as p(95)<=baseline*1.1
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<String>,
    /// Tell on standard input, a socket, how the run goes; what `procedure run` starts its runs with
    #[arg(long, hide = true)]
    pub observed: bool,
    /// Reach --vus in this time (with --vus and --duration)
    #[arg(long, value_name = "TIME")]
    pub ramp_up: Option<String>,
    /// Go from --vus to none in this time at the end (with --vus and --duration)
    #[arg(long, value_name = "TIME")]
    pub ramp_down: Option<String>,
}

/// `archive`.
#[derive(Clone, Debug, Default, Args)]
pub struct ArchiveArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: OptionArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub runtime: RuntimeArgs,
    /// The file to write, - for standard output
    #[arg(short = 'O', long, value_name = "FILE")]
    pub archive_out: Option<String>,
    /// Leave variables out
    #[arg(long)]
    pub exclude_env_vars: Option<Switch>,
}

/// `inspect`.
#[derive(Clone, Debug, Default, Args)]
pub struct InspectArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub runtime: RuntimeArgs,
    /// Resolve all options and add the longest duration and the most VUs
    #[arg(long)]
    pub execution_requirements: Option<Switch>,
    /// Add what criteria of a procedure may be about: the metrics that the script declares
    #[arg(long, hide = true)]
    pub declared_metrics: Option<Switch>,
}

/// `deps`.
#[derive(Clone, Debug, Default, Args)]
pub struct DepsArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub runtime: RuntimeArgs,
    /// Print JSON
    #[arg(long)]
    pub json: Option<Switch>,
}

/// `new`.
#[derive(Clone, Debug, Default, Args)]
pub struct NewArgs {
    /// The file to write; script.js if none is named
    #[arg(value_name = "FILE")]
    pub file: Vec<String>,
    /// Write over a file that is there
    #[arg(short, long)]
    pub force: Option<Switch>,
    /// minimal, protocol, browser, or the path of a file
    #[arg(long, value_name = "TEMPLATE")]
    pub template: Option<String>,
    /// Put this project of the hosted service into the options
    #[arg(long, value_name = "ID")]
    pub project_id: Option<String>,
}

/// `completion`.
#[derive(Clone, Debug, Default, Args)]
pub struct CompletionArgs {
    /// bash, zsh, fish or powershell
    #[arg(value_name = "SHELL")]
    pub shell: Vec<String>,
}

/// Flags that set an option of the script.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of the test")]
pub struct OptionArgs {
    /// How many virtual users
    #[arg(short = 'u', long, value_name = "COUNT")]
    pub vus: Option<String>,
    /// How long, such as 1m30s
    #[arg(short, long, value_name = "TIME")]
    pub duration: Option<String>,
    /// How many iterations, shared by all VUs
    #[arg(short, long, value_name = "COUNT")]
    pub iterations: Option<String>,
    /// Go to a number of VUs over a time: TIME:COUNT, comma-separated; may be repeated
    #[arg(short, long, value_name = "TIME:COUNT")]
    pub stage: Vec<String>,
    /// The part of the test this instance runs, such as 1/4:1/2
    #[arg(long, value_name = "FROM:TO")]
    pub execution_segment: Option<String>,
    /// Where all parts begin and end, such as 0,1/4,1/2,1
    #[arg(long, value_name = "POINTS")]
    pub execution_segment_sequence: Option<String>,
    /// Wait for the REST API before running
    #[arg(short, long)]
    pub paused: Option<Switch>,
    /// Leave setup() out
    #[arg(long)]
    pub no_setup: Option<Switch>,
    /// Leave teardown() out
    #[arg(long)]
    pub no_teardown: Option<Switch>,
    /// How many redirects to follow
    #[arg(long, value_name = "COUNT")]
    pub max_redirects: Option<String>,
    /// How many requests of http.batch() at a time
    #[arg(long, value_name = "COUNT")]
    pub batch: Option<String>,
    /// How many requests of http.batch() to one host at a time
    #[arg(long, value_name = "COUNT")]
    pub batch_per_host: Option<String>,
    /// How many requests per second at most
    #[arg(long, value_name = "COUNT")]
    pub rps: Option<String>,
    /// The User-Agent header
    #[arg(long, value_name = "TEXT")]
    pub user_agent: Option<String>,
    /// Log requests and responses; =full with bodies
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "headers", value_name = "WHAT")]
    pub http_debug: Option<String>,
    /// Accept any TLS certificate
    #[arg(long)]
    pub insecure_skip_tls_verify: Option<Switch>,
    /// Open a new connection for each request
    #[arg(long)]
    pub no_connection_reuse: Option<Switch>,
    /// Open new connections for each iteration
    #[arg(long)]
    pub no_vu_connection_reuse: Option<Switch>,
    /// Shorter iterations wait for the rest of this time
    #[arg(long, value_name = "TIME")]
    pub min_iteration_duration: Option<String>,
    /// Failed requests throw
    #[arg(short = 'w', long)]
    pub throw: Option<Switch>,
    /// Networks that may not be called, comma-separated; may be repeated
    #[arg(long, value_name = "CIDRS")]
    pub blacklist_ip: Vec<String>,
    /// Host names that may not be called, comma-separated; may be repeated
    #[arg(long, value_name = "PATTERNS")]
    pub block_hostnames: Vec<String>,
    /// What the summary shows of trends, comma-separated
    #[arg(long, value_name = "STATS")]
    pub summary_trend_stats: Vec<String>,
    /// The unit of times in the summary: s, ms or us
    #[arg(long, value_name = "UNIT")]
    pub summary_time_unit: Option<String>,
    /// The system tags to keep, comma-separated
    #[arg(long, value_name = "NAMES")]
    pub system_tags: Vec<String>,
    /// A tag for every sample; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub tag: Vec<String>,
    /// Write console output of the script to this file
    #[arg(long, value_name = "FILE")]
    pub console_output: Option<String>,
    /// Don't keep response bodies
    #[arg(long)]
    pub discard_response_bodies: Option<Switch>,
    /// Own addresses to connect from: IPs, ranges and networks, comma-separated
    #[arg(long, value_name = "ADDRESSES")]
    pub local_ips: Option<String>,
    /// ttl=TIME,select=first|random|roundRobin,policy=preferIPv4|preferIPv6|onlyIPv4|onlyIPv6|any
    #[arg(long, value_name = "SETTINGS")]
    pub dns: Option<String>,
}

/// Flags about the script and its run that are no options of it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Around the test")]
pub struct RuntimeArgs {
    /// A variable for __ENV; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Put the variables of this system into __ENV
    #[arg(long)]
    pub include_system_env_vars: Option<Switch>,
    /// extended or base
    #[arg(long, value_name = "MODE")]
    pub compatibility_mode: Option<String>,
    /// What the script is: js or archive
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    pub script_type: Option<String>,
    /// Don't judge thresholds
    #[arg(long)]
    pub no_thresholds: Option<Switch>,
    /// The summary at the end: compact, full or disabled
    #[arg(long, value_name = "MODE")]
    pub summary_mode: Option<String>,
    /// Write the summary to this file as JSON
    #[arg(long, value_name = "FILE")]
    pub summary_export: Option<String>,
    /// The newer form of the summary's data
    #[arg(long)]
    pub new_machine_readable_summary: Option<Switch>,
    /// Where traces go: none, or otel[=URL,…]
    #[arg(long, value_name = "OUTPUT")]
    pub traces_output: Option<String>,
}

/// The command line's definition, with values attached to flags as k6's library does it: a switch takes a value only
/// after `=`, every other flag takes the next argument whatever it looks like, and of a repeated flag the last counts.
pub fn command() -> clap::Command {
    as_k6(Cli::command().name(super::program()))
}

fn as_k6(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        if arg.is_positional() || !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
            arg
        } else if arg.get_value_parser().type_id() == TypeId::of::<Switch>() {
            arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("BOOL")
        } else {
            arg.allow_hyphen_values(true)
        }
    });
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, as_k6))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::command().debug_assert();
    }
}
