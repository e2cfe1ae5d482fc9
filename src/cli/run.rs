//! From `run` as typed to a [`RunSettings`]: everything the conductor needs, checked as far as it can be without the
//! script.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::args::{OptionArgs, RunArgs, parse_bool};
use super::config::ConfigFile;
use super::runtime::{Environment, Global, Runtime};
use super::usage::{bad_value, one_script, refuse};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::{Level, Logger};
use crate::options::{Feature, Layers, Notes, Options};
use crate::run::{Linger, Reports};
use crate::ui::progress::ProgressMode;
use crate::units::Span;

/// `run`, understood.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The script's argument as typed.
    pub script: String,
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// Settings every command has.
    pub global: Global,
    /// Settings of the run.
    pub runtime: Runtime,
    /// Options around the script's.
    pub layers: Layers,
    /// `TYPE[=ARGUMENT]` each, in the order given.
    pub outputs: Vec<String>,
    /// Configurations of outputs from the config file, by output.
    pub collectors: Map<String, Value>,
    /// Run one iteration after every change instead of the test.
    pub watch: bool,
    /// How long to stay after the test.
    pub linger: Linger,
    /// Names of features nobody knows; each is an error line, and the run goes on.
    pub unknown_features: Vec<String>,
    /// What is written beside k6's summary.
    pub reports: Reports,
    /// `live` or `plain`; `None` for what the terminal allows.
    pub ui: Option<ProgressMode>,
    /// The summary of a saved run.
    pub baseline: Option<String>,
    /// Whoever started this process asks over standard input how the run goes.
    pub is_observed: bool,
    /// This process's variables, for outputs that have their own.
    pub env: Environment,
    /// To be logged.
    pub warnings: Vec<String>,
}

/// The config file's and the other layers' options, for every command that resolves options.
pub(super) fn layers(
    args: &OptionArgs,
    config: &ConfigFile,
    env: &Environment,
    notes: &mut Notes,
) -> Result<Layers, Failure> {
    let cli = args.options(notes)?;
    let env = Options::from_env(env, notes)?;
    Ok(Layers { config: config.options.clone(), env, cli, features: Vec::new() })
}

impl RunSettings {
    /// Logs what there is to say about the request before anything runs.
    pub fn announce(&self, logger: &Logger) {
        for line in &self.warnings {
            logger.warn(line);
        }
        for name in &self.unknown_features {
            let fields =
                vec![("feature", name.clone().into()), ("outcome", "unknown".into()), ("source", "cli".into())];
            logger.log(Level::Error, "Unknown feature flag", fields);
        }
        for feature in &self.layers.features {
            let fields = vec![("feature", feature.name().into()), ("lifecycle", "experimental".into())];
            logger.log(Level::Info, "Experimental feature enabled", fields);
        }
        if let Some(path) = &self.runtime.ssl_key_log {
            logger.warn(format!("SSLKEYLOGFILE is set: whoever can read '{path}' can read what is sent over TLS"));
        }
        if self.global.profiling {
            let hint = "a profiler of the system such as `perf` sees this program";
            let text = "`--profiling-enabled` is accepted for k6's sake; there are no profiles";
            logger.log(Level::Warning, text, vec![("hint", hint.into())]);
        }
    }
}

impl RunArgs {
    /// Understands the arguments.
    ///
    /// # Errors
    /// Wrong usage (255), a wrong config file or variable (104).
    pub fn request(&self, global: Global, env: Environment, cwd: PathBuf) -> Result<RunSettings, Failure> {
        let mut notes = Notes::new(global.strict);
        let script = one_script(&self.script.script)?;
        let runtime = self.runtime.settings(&env, true, &mut notes)?;
        let linger = self.linger(&env, &mut notes)?;
        // Nothing is ever reported, but a value that k6 refuses is no wish that was granted.
        env_flag(&env, "K6_NO_USAGE_REPORT", "NoUsageReport")?;
        // Flags are looked at before files are: a typing error shows itself first.
        let cli = self.options.options(&mut notes)?;
        let config = ConfigFile::load(global.config.as_deref(), &env, &cwd, &mut notes)?;
        let mut layers = layers(&self.options, &config, &env, &mut notes)?;
        layers.cli = self.ramp(cli, &layers.env, &mut notes)?;

        let named = self.features.iter().flat_map(|list| list.split(','));
        let named = if self.features.is_empty() {
            match env.get("K6_FEATURES").filter(|list| !list.is_empty()) {
                Some(list) => list.split(',').map(str::to_owned).collect(),
                None => config.features.clone(),
            }
        } else {
            named.map(str::to_owned).collect()
        };
        let (mut features, mut unknown_features) = (Vec::new(), Vec::new());
        for name in named.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            match Feature::named(name) {
                Some(feature) if features.contains(&feature) => (),
                Some(feature) => features.push(feature),
                None => unknown_features.push(name.to_owned()),
            }
        }
        let histograms = "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM";
        if env.get(histograms).is_some_and(|text| parse_bool(text) == Ok(true)) {
            notes.warn(format!("`{histograms}` is an old name of the feature, write `--features native-histograms`"));
            if !features.contains(&Feature::NativeHistograms) {
                features.push(Feature::NativeHistograms);
            }
        }
        layers.features = features;
        if self.baseline.is_some() && global.strict {
            return Err(refuse("unknown flag: --baseline"));
        }

        Ok(RunSettings {
            script,
            cwd,
            runtime,
            layers,
            watch: self.watch(notes.strict)?,
            outputs: self.outputs(&config, &env)?,
            linger: linger.unwrap_or(if config.linger == Some(true) { Linger::UntilInterrupted } else { Linger::Off }),
            collectors: config.collectors,
            unknown_features,
            reports: self.reports(&env),
            ui: self.ui(&env)?,
            is_observed: self.observed,
            baseline: self
                .baseline
                .clone()
                .or_else(|| env.get("VOLLEY_BASELINE").cloned())
                .filter(|name| !name.is_empty()),
            global,
            env,
            warnings: notes.warnings,
        })
    }

    fn reports(&self, env: &Environment) -> Reports {
        let or_env = |flag: &Option<String>, name: &str| {
            flag.clone().or_else(|| env.get(name).cloned()).filter(|path| !path.is_empty())
        };
        Reports {
            json: or_env(&self.summary_json, "VOLLEY_SUMMARY_JSON"),
            junit: or_env(&self.summary_junit, "VOLLEY_SUMMARY_JUNIT"),
            html: or_env(&self.report, "VOLLEY_REPORT"),
            endpoints: self.summary_endpoints.is_some_and(|switch| switch.0),
        }
    }

    fn ui(&self, env: &Environment) -> Result<Option<ProgressMode>, Failure> {
        match self.ui.as_ref().or_else(|| env.get("VOLLEY_UI")).map(String::as_str) {
            None | Some("") => Ok(None),
            Some("live") => Ok(Some(ProgressMode::Live)),
            Some("plain") => Ok(Some(ProgressMode::Plain)),
            Some(other) => Err(refuse(format!("`--ui` is `live` or `plain`, not `{other}`"))),
        }
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
        let watch = self.watch.is_some_and(|watch| watch.0);
        if watch && strict {
            return Err(refuse("unknown flag: --watch"));
        }
        if watch && self.script.script.first().is_some_and(|script| script == "-" || script.starts_with("https://")) {
            return Err(refuse("`--watch` needs a script in a file: what comes from elsewhere can't be seen changing"));
        }
        Ok(watch)
    }

    fn linger(&self, env: &Environment, notes: &mut Notes) -> Result<Option<Linger>, Failure> {
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

/// The arguments of a command that takes none.
pub(super) fn no_arguments(command: &str, stray: &[String]) -> Result<(), Failure> {
    match stray.first() {
        Some(first) => Err(refuse(super::unknown_command(first, command))),
        None => Ok(()),
    }
}
