//! `run`: from what was typed to the [`RunRequest`] of a test, in two steps: everything that can be checked without the
//! script, then the script.

use clap::Args;
use serde_json::{Map, Value};

use super::args::{OptionArgs, RuntimeArgs, ScenarioArgs, ScriptArgs, Switch, is_on, parse_bool};
use super::commands::{Command, CommandContext};
use super::config::ConfigFile;
use super::instance::InstanceArgs;
use super::join::{self, JoinArgs};
use super::reports::ReportArgs;
use super::runtime::{Environment, GlobalSettings, RuntimeSettings};
use super::script::{ScriptSettings, layers};
use super::usage::{bad_value, refuse};
use super::{program, watch};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::join::JoinRequest;
use crate::log::{Level, Logger};
use crate::options::{Compat, Feature, Instance, Layers};
use crate::run::{self, Address, Linger, Reports, RunRequest};
use crate::ui::Terminal;
use crate::ui::progress::ProgressMode;
use crate::units::Span;

/// Run a test
#[derive(Clone, Debug, Default, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    script: ScriptArgs,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    scenarios: ScenarioArgs,
    #[command(flatten)]
    instance: InstanceArgs,
    #[command(flatten)]
    join: JoinArgs,
    /// The test is conducted, and makes no load.
    #[arg(skip)]
    conducts: Option<JoinRequest>,
    /// Give every sample the tag `instance`: the number of this instance, from 1
    #[arg(long, help_heading = "Options of the test")]
    tag_instance: Option<Switch>,
    #[command(flatten)]
    runtime: RuntimeArgs,
    /// Where results go: TYPE[=ARGUMENT]; may be repeated
    #[arg(short, long, value_name = "OUTPUT")]
    out: Vec<String>,
    /// Wait for Ctrl+C after the test; --linger=30s waits that long
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "TIME")]
    linger: Option<String>,
    /// Run one iteration after every change of the script or of what it reads
    #[arg(long)]
    watch: Option<Switch>,
    /// Don't send anonymous usage stats (none are ever sent; accepted for k6's sake)
    #[arg(long)]
    no_usage_report: Option<Switch>,
    /// Experimental features to switch on, comma-separated; may be repeated
    #[arg(long, value_name = "NAMES")]
    features: Vec<String>,
    #[command(flatten)]
    reports: ReportArgs,
    /// The summary of a saved run, for thresholds such as p(95)<=baseline*1.1
    #[arg(long, value_name = "FILE")]
    baseline: Option<String>,
    /// Tell on standard input, a socket, how the run goes; what `procedure run` starts its runs with
    #[arg(long, hide = true)]
    observed: bool,
    /// Reach --vus in this time (with --vus and --duration)
    #[arg(long, value_name = "TIME")]
    pub ramp_up: Option<String>,
    /// Go from --vus to none in this time at the end (with --vus and --duration)
    #[arg(long, value_name = "TIME")]
    pub ramp_down: Option<String>,
}

impl Command for RunArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let settings = self.settings(&context)?;
        if settings.watch {
            return watch::run(settings, &context);
        }
        settings.announce(&context.log.logger());
        run::execute(settings.load(&context)?).map(|()| ExitCode::Success)
    }
}

/// What `run` was asked for, checked as far as that goes without the script.
#[derive(Clone, Debug)]
pub(super) struct RunSettings {
    /// The script.
    pub script: ScriptSettings,
    /// Settings every command has.
    pub global: GlobalSettings,
    /// `TYPE[=ARGUMENT]` each, in the order given.
    pub outputs: Vec<String>,
    /// Configurations of outputs from the config file, by output.
    pub collectors: Map<String, Value>,
    /// Run one iteration after every change instead of the test.
    pub watch: bool,
    /// How long to stay after the test.
    pub linger: Linger,
    /// Names of unknown features; each is an error line, and the run goes on.
    pub unknown_features: Vec<String>,
    /// What is written beside k6's summary.
    pub reports: Reports,
    /// `live` or `plain`; `None` for what the terminal allows.
    pub progress: Option<ProgressMode>,
    /// The summary of a saved run.
    pub baseline: Option<String>,
    /// How to meet the other instances.
    pub join: Option<JoinRequest>,
    /// The parent process asks over standard input how the run goes.
    pub is_observed: bool,
    /// To be logged.
    pub warnings: Vec<String>,
}

impl RunSettings {
    /// Logs warnings and what is unusual about the request, before anything runs.
    pub fn announce(&self, logger: &Logger) {
        for line in &self.warnings {
            logger.warn(line);
        }
        for name in &self.unknown_features {
            let fields =
                vec![("feature", name.clone().into()), ("outcome", "unknown".into()), ("source", "cli".into())];
            logger.log(Level::Error, "Unknown feature flag", fields);
        }
        for feature in &self.script.layers.features {
            let fields = vec![("feature", feature.name().into()), ("lifecycle", "experimental".into())];
            logger.log(Level::Info, "Experimental feature enabled", fields);
        }
        if let Some(path) = &self.script.runtime.ssl_key_log {
            logger.warn(format!("SSLKEYLOGFILE is set: whoever can read '{path}' can read what is sent over TLS"));
        }
        if self.global.profiling {
            let hint = "a profiler of the system such as `perf` sees this program";
            let text = "`--profiling-enabled` is accepted for k6's sake; there are no profiles";
            logger.log(Level::Warning, text, vec![("hint", hint.into())]);
        }
    }

    /// Reads the script; the rest is known already.
    pub fn load(self, context: &CommandContext) -> Result<RunRequest, Failure> {
        let Self { script, global, .. } = self;
        refuse_traces(&script.runtime)?;
        let runtime = script.runtime.clone();
        let process_env = script.env.clone().into_iter().collect();
        let joined = self.join.map(|join| join::meet(join, &context.log.logger())).transpose()?;
        let is_part = joined.as_ref().and_then(|joined| joined.instance()).is_some_and(|instance| instance.index > 0);
        let (script, joined) = join::load(script, joined, &context.log)?;
        let terminal = context.terminal.clone();
        Ok(RunRequest {
            process_env,
            address: global.address.map(|at| Address { at, is_flag: global.address_is_flag }),
            single_iteration: self.watch,
            no_thresholds: runtime.no_thresholds,
            baseline: self.baseline,
            summary_mode: runtime.summary_mode,
            summary_export: runtime.summary_export,
            machine_readable: runtime.new_machine_readable_summary,
            reports: self.reports,
            progress: progress_mode(self.progress, &terminal, &context.log.logger()),
            outputs: self.outputs,
            linger: self.linger,
            // One instance shows what all do.
            quiet: global.quiet || is_part,
            joined,
            is_observed: self.is_observed,
            no_color: global.log.no_color,
            collectors: self.collectors,
            ..RunRequest::new(script, context.cwd.clone(), program(), terminal)
        })
    }
}

/// What is not offered may not be ignored silently.
fn refuse_traces(runtime: &RuntimeSettings) -> Result<(), Failure> {
    match &runtime.traces_output {
        None => Ok(()),
        Some(output) if output == "otel" || output.starts_with("otel=") => {
            Err(refuse("`--traces-output=otel` is not offered: requests are not traced, leave it out"))
        }
        Some(output) => Err(refuse(format!("invalid traces output {output:?}"))),
    }
}

/// Bars that are redrawn need a terminal.
fn progress_mode(asked: Option<ProgressMode>, terminal: &Terminal, logger: &Logger) -> ProgressMode {
    match (asked, terminal.stdout_is_tty()) {
        (Some(mode), false) if mode.is_live() => {
            let name = if mode == ProgressMode::Full { "full" } else { "live" };
            logger.warn(format!("`--ui {name}` needs a terminal to draw on: progress is printed line by line"));
            ProgressMode::Plain
        }
        (Some(mode), _) => mode,
        (None, true) => ProgressMode::Live,
        (None, false) => ProgressMode::Plain,
    }
}

impl RunArgs {
    /// A run that makes no load.
    pub(super) fn conducting(request: JoinRequest, runtime: RuntimeArgs, reports: ReportArgs) -> Self {
        Self { conducts: Some(request), runtime, reports, ..Self::default() }
    }

    /// Checks the arguments and puts them over variables and the config file.
    ///
    /// # Errors
    /// Wrong usage (255), a wrong config file or variable (104).
    pub(super) fn settings(&self, context: &CommandContext) -> Result<RunSettings, Failure> {
        let (global, env) = (&context.global, &context.env);
        let mut notes = Compat::new(global.strict);
        let has_address = self.conducts.is_some() || self.join.is_given(env);
        let argument = join::script(&self.script.script, has_address)?;
        let runtime = self.runtime.settings(env, true, &mut notes)?;
        let linger = self.linger(env, &mut notes)?;
        // Nothing is ever reported, but a value that k6 refuses is refused here too.
        env_flag(env, "K6_NO_USAGE_REPORT", "NoUsageReport")?;
        // Flags are looked at before files are: a typing error shows itself first.
        let cli = self.options.options(&mut notes)?;
        let ramps = [("--ramp-up", self.ramp_up.is_some()), ("--ramp-down", self.ramp_down.is_some())];
        let selection = self.scenarios.selection(&self.options, &ramps)?;
        let config = ConfigFile::of_command(context, &mut notes)?;
        let mut layers = Layers { selection, ..layers(&self.options, &config, env, &mut notes)? };
        layers.cli = self.ramp(cli, &layers.env, &mut notes)?;
        let join = match &self.conducts {
            Some(request) => Some(request.clone()),
            None => {
                self.instance.apply(&mut layers, &self.options, env, global.strict)?;
                self.join.request(layers.instance.or_else(|| instance_of(&layers)), env, notes.strict)?
            }
        };
        layers.tag_instance = self.tags_instance(&layers, global.strict)?;
        let (features, unknown_features) = self.features(&config, env, &mut notes);
        layers.features = features;
        if self.baseline.is_some() && global.strict {
            return Err(refuse("unknown flag: --baseline"));
        }
        let baseline = self.baseline.clone().or_else(|| env.get("VOLLEY_BASELINE").cloned());
        let watch = self.watch(notes.strict)?;
        if watch && join.is_some() {
            return Err(refuse("`--watch` runs one iteration after every change: it can't be combined with `--join`"));
        }
        Ok(RunSettings {
            watch,
            outputs: self.outputs(&config, env)?,
            linger: linger.unwrap_or(if config.linger == Some(true) { Linger::UntilInterrupted } else { Linger::Off }),
            collectors: config.collectors,
            unknown_features,
            reports: self.reports.files(env),
            progress: self.reports.progress(env)?,
            join,
            is_observed: self.observed,
            baseline: baseline.filter(|name| !name.is_empty()),
            script: ScriptSettings::new(argument, runtime, layers, context),
            global: global.clone(),
            warnings: notes.warnings,
        })
    }

    fn tags_instance(&self, layers: &Layers, strict: bool) -> Result<bool, Failure> {
        if !is_on(self.tag_instance) {
            return Ok(false);
        }
        if strict {
            return Err(refuse("unknown flag: --tag-instance"));
        }
        match layers.instance {
            Some(_) => Ok(true),
            None => {
                let needs = "`--tag-instance` needs to know which instance this is: add `--instance` or `--instances`";
                Err(Failure::new(ExitCode::InvalidConfig, needs))
            }
        }
    }

    /// The features to switch on, and names that are none.
    fn features(&self, config: &ConfigFile, env: &Environment, notes: &mut Compat) -> (Vec<Feature>, Vec<String>) {
        let from_env = env.get("K6_FEATURES").filter(|list| !list.is_empty());
        let named: Vec<String> = if !self.features.is_empty() {
            self.features.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect()
        } else if let Some(list) = from_env {
            list.split(',').map(str::to_owned).collect()
        } else {
            config.features.clone()
        };
        let (mut features, mut unknown) = (Vec::new(), Vec::new());
        for name in named.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            match Feature::named(name) {
                Some(feature) if features.contains(&feature) => (),
                Some(feature) => features.push(feature),
                None => unknown.push(name.to_owned()),
            }
        }
        let histograms = "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM";
        if env.get(histograms).is_some_and(|text| parse_bool(text) == Ok(true)) {
            notes.warn(format!("`{histograms}` is an old name of the feature, write `--features native-histograms`"));
            if !features.contains(&Feature::NativeHistograms) {
                features.push(Feature::NativeHistograms);
            }
        }
        (features, unknown)
    }

    fn outputs(&self, config: &ConfigFile, env: &Environment) -> Result<Vec<String>, Failure> {
        let from_env = env.get("K6_OUT").filter(|list| !list.is_empty());
        let mut outputs: Vec<String> = if !self.out.is_empty() {
            self.out.clone()
        } else if let Some(list) = from_env {
            list.split(',').map(str::to_owned).collect()
        } else {
            config.outputs.clone().unwrap_or_default()
        };
        let dashboard = env_flag(env, "K6_WEB_DASHBOARD", "WebDashboard")?.or(config.web_dashboard);
        if dashboard == Some(true) && !outputs.iter().any(|output| output.split('=').next() == Some("web-dashboard")) {
            outputs.push("web-dashboard".to_owned());
        }
        Ok(outputs)
    }

    fn watch(&self, strict: bool) -> Result<bool, Failure> {
        let watch = is_on(self.watch);
        if watch && strict {
            return Err(refuse("unknown flag: --watch"));
        }
        if watch && self.script.script.first().is_some_and(|script| script == "-" || script.starts_with("https://")) {
            return Err(refuse("`--watch` needs a script in a file: what comes from elsewhere can't be seen changing"));
        }
        Ok(watch)
    }

    fn linger(&self, env: &Environment, notes: &mut Compat) -> Result<Option<Linger>, Failure> {
        let switch = |on: bool| Some(if on { Linger::UntilInterrupted } else { Linger::Off });
        let Some(text) = &self.linger else {
            return Ok(env_flag(env, "K6_LINGER", "Linger")?.and_then(switch));
        };
        match parse_bool(text) {
            Ok(on) => Ok(switch(on)),
            Err(refused) => match Span::parse_go(text) {
                Ok(span) if !notes.strict && span >= Span::ZERO => {
                    notes.warn(format!(
                        "`--linger={text}` waits {span} after the test; k6 takes no time here, write `--linger` and \
                         interrupt it"
                    ));
                    Ok(Some(Linger::For(span)))
                }
                _ => Err(bad_value("-l, --linger", text, refused)),
            },
        }
    }
}

/// The instance that a segment of a sequence is, where flags or variables give both.
fn instance_of(layers: &Layers) -> Option<Instance> {
    let Layers { cli, env, .. } = layers;
    let segment = cli.execution_segment.or(env.execution_segment)?;
    let sequence = cli.execution_segment_sequence.as_ref().or(env.execution_segment_sequence.as_ref())?;
    Instance::of_segment(segment, sequence)
}

/// A boolean of k6's own configuration: `true` or `false` only.
fn env_flag(env: &Environment, name: &str, go_name: &str) -> Result<Option<bool>, Failure> {
    match env.get(name).map(String::as_str) {
        None | Some("") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(text) => Err(Failure::new(
            ExitCode::InvalidConfig,
            format!(
                "envconfig.Process: assigning {name} to {go_name}: converting '{text}' to type null.Bool. details: \
                 invalid input:{text}"
            ),
        )),
    }
}
