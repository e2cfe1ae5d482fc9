//! Flags that several commands have, as typed.
//!
//! Values stay text here; [`super::flags`] and [`super::runtime`] give them their meaning. How values are attached to
//! flags follows the library k6 uses, see [`as_k6`].

use std::any::TypeId;
use std::str::FromStr;

use clap::{ArgAction, Args, Parser};

/// A switch: bare, or with `=true` or `=false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch(pub bool);

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_bool(text).map(Self)
    }
}

/// Whether a switch was given, and not as `=false`.
pub(super) fn is_on(switch: Option<Switch>) -> bool {
    switch.is_some_and(|switch| switch.0)
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
    /// Print the version and exit
    #[arg(short = 'V', long)]
    pub version: Option<Switch>,
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
    /// Log times to the nanosecond instead of the second; not on a terminal with colours
    #[arg(long, global = true)]
    pub log_ns_timestamps: Option<Switch>,
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
    /// Refuse everything k6 2.3 refuses
    #[arg(long, global = true)]
    pub strict_k6: Option<Switch>,
}

/// A script, and nothing else.
#[derive(Clone, Debug, Default, Args)]
pub struct ScriptArgs {
    /// A file, an https address, or - for standard input
    #[arg(value_name = "SCRIPT")]
    pub script: Vec<String>,
}

/// Text or JSON.
#[derive(Clone, Debug, Default, Args)]
pub struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub json: Option<Switch>,
}

impl JsonArgs {
    /// Whether JSON is wanted.
    pub fn is_json(&self) -> bool {
        is_on(self.json)
    }
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

/// Flags that choose among the scenarios of a script.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of the test")]
pub struct ScenarioArgs {
    /// Run only these scenarios, comma-separated; may be repeated
    #[arg(long, value_name = "NAMES")]
    pub scenario: Vec<String>,
    /// Run one iteration of the script's scenario, or of each that --scenario names
    #[arg(long)]
    pub once: Option<Switch>,
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
    /// What the script may do on this machine, comma-separated: exec, file; may be repeated
    #[arg(long, value_name = "WHAT")]
    pub allow: Vec<String>,
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

/// Attaches values to flags as k6's library does it: a switch takes a value only after `=`, every other flag takes the next
/// argument whatever it looks like, and of a repeated flag the last counts.
pub(super) fn as_k6(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| {
        if arg.is_positional() || !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
            arg
        } else if arg.get_value_parser().type_id() == TypeId::of::<Switch>() {
            arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("BOOL")
        } else {
            arg.allow_hyphen_values(true)
        }
    })
}
