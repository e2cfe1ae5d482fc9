//! What is asked of the run around the test: variables, summary, outputs, log. From flags, then from `K6_…` variables.

use std::collections::BTreeMap;

use super::args::{GlobalArgs, RuntimeArgs, Switch, parse_bool};
use super::usage::refuse;
use crate::failure::Failure;
use crate::options::{Compat, Permissions};
use crate::source::ScriptType;
use crate::summary;

/// Variables of this process.
pub type Environment = BTreeMap<String, String>;

/// How log lines are written; `ui` knows what the texts mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// `stderr`, `stdout`, `none`, `file=…` or `loki…`.
    pub output: String,
    /// `json`, `raw`, or anything else for text.
    pub format: String,
    /// Debug lines as well.
    pub verbose: bool,
    /// Times to the nanosecond.
    pub ns_timestamps: bool,
    /// No colours even on a terminal.
    pub no_color: bool,
}

/// Settings every command has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalSettings {
    /// Where the REST API listens.
    pub address: Option<String>,
    /// True if the address was a flag: then a port that is taken ends the run (code 106).
    pub address_is_flag: bool,
    /// A config file named by flag or variable.
    pub config: Option<String>,
    /// How log lines are written.
    pub log: LogSettings,
    /// No banner, no progress.
    pub quiet: bool,
    /// `--profiling-enabled`, which has no effect.
    pub profiling: bool,
    /// `TYPE[=CONFIG]` each.
    pub secret_sources: Vec<String>,
    /// `quickjs` or `boa`; `None` for the default.
    pub js_engine: Option<String>,
    /// Refuse what k6 refuses.
    pub strict: bool,
}

fn set(env: &Environment, name: &str) -> Option<String> {
    env.get(name).filter(|text| !text.is_empty()).cloned()
}

fn on(switch: Option<Switch>) -> Option<bool> {
    switch.map(|switch| switch.0)
}

impl GlobalArgs {
    /// Puts flags over variables over defaults.
    pub fn settings(&self, env: &Environment) -> GlobalSettings {
        let or_env = |flag: &Option<String>, name: &str| flag.clone().or_else(|| set(env, name));
        let filled = |text: &String| !text.is_empty();
        let colorless = set(env, "K6_NO_COLOR").is_some() || env.contains_key("NO_COLOR");
        GlobalSettings {
            address: or_env(&self.address, "K6_ADDRESS").filter(filled),
            address_is_flag: self.address.is_some(),
            config: or_env(&self.config, "K6_CONFIG").filter(filled),
            log: LogSettings {
                output: or_env(&self.log_output, "K6_LOG_OUTPUT").unwrap_or_else(|| "stderr".to_owned()),
                format: or_env(&self.log_format, "K6_LOG_FORMAT").unwrap_or_default(),
                verbose: on(self.verbose).unwrap_or(false),
                ns_timestamps: on(self.log_ns_timestamps).unwrap_or_else(|| env.contains_key("K6_LOG_NS_TIMESTAMPS")),
                no_color: on(self.no_color).unwrap_or(colorless),
            },
            quiet: on(self.quiet).unwrap_or(false),
            profiling: on(self.profiling_enabled).unwrap_or_else(|| env.contains_key("K6_PROFILING_ENABLED")),
            secret_sources: if self.secret_source.is_empty() {
                // An empty one is no source either, and is refused as such.
                env.get("K6_SECRET_SOURCE").cloned().into_iter().collect()
            } else {
                self.secret_source.clone()
            },
            js_engine: or_env(&self.js_engine, "VOLLEY_JS_ENGINE").filter(filled),
            strict: on(self.strict_k6).unwrap_or(false),
        }
    }
}

/// How much of Node's habits scripts find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompatibilityMode {
    /// With the global `global`.
    #[default]
    Extended,
    /// Without it.
    Base,
}

/// Settings of commands that load a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeSettings {
    /// Variables given with `--env`; they win over all others but a scenario's own.
    pub env: Environment,
    /// Variables of this system, where scripts may see them.
    pub system_env: Environment,
    /// How much of Node's habits scripts find.
    pub compatibility_mode: CompatibilityMode,
    /// What the script is, if said.
    pub script_type: Option<ScriptType>,
    /// What the script may do on this machine.
    pub permissions: Permissions,
    /// Don't read or judge thresholds.
    pub no_thresholds: bool,
    /// The summary at the end.
    pub summary_mode: summary::Mode,
    /// The summary's data goes to this file.
    pub summary_export: Option<String>,
    /// The newer form of the summary's data.
    pub new_machine_readable_summary: bool,
    /// Where traces go; `None` for nowhere.
    pub traces_output: Option<String>,
    /// TLS keys are appended to this file.
    pub ssl_key_log: Option<String>,
}

impl RuntimeArgs {
    /// Puts flags over variables over defaults; `system_env` is the default of `--include-system-env-vars`.
    ///
    /// # Errors
    /// An unknown mode, an invalid boolean or name; code 255.
    pub fn settings(
        &self,
        env: &Environment,
        system_env: bool,
        notes: &mut Compat,
    ) -> Result<RuntimeSettings, Failure> {
        let or_env = |flag: &Option<String>, name: &str| flag.clone().or_else(|| set(env, name));
        let flag = |switch: Option<Switch>, name: &str, default: bool| match (on(switch), set(env, name)) {
            (Some(flag), _) => Ok(flag),
            (None, None) => Ok(default),
            (None, Some(text)) => parse_bool(&text)
                .map_err(|error| refuse(format!("env var '{name}' is not a valid boolean value: {error}"))),
        };
        let include = flag(self.include_system_env_vars, "K6_INCLUDE_SYSTEM_ENV_VARS", system_env)?;
        let compatibility_mode = match or_env(&self.compatibility_mode, "K6_COMPATIBILITY_MODE").as_deref() {
            None | Some("" | "extended") => CompatibilityMode::Extended,
            Some("base") => CompatibilityMode::Base,
            Some("experimental_enhanced") => {
                notes.warn(
                    "CompatibilityMode \"experimental_enhanced\" is deprecated. Types are stripped by default for \
                     `.ts` files. Please move to using \"base\" instead as \"experimental_enhanced\" will be removed \
                     in the future",
                );
                CompatibilityMode::Base
            }
            Some(mode) => {
                return Err(refuse(format!("invalid compatibility mode \"{mode}\". Use: \"extended\", \"base\"")));
            }
        };
        let script_type = match or_env(&self.script_type, "K6_TYPE").as_deref() {
            None | Some("") => None,
            Some("js") => Some(ScriptType::Js),
            Some("archive") => Some(ScriptType::Archive),
            Some(unknown) => return Err(refuse(format!("unknown --type: {unknown}"))),
        };
        let summary_mode = match or_env(&self.summary_mode, "K6_SUMMARY_MODE").as_deref() {
            None | Some("" | "compact") => summary::Mode::Compact,
            Some("full") => summary::Mode::Full,
            Some("disabled") => summary::Mode::Disabled,
            Some(mode) => {
                let words = format!("{mode:?} is none of `compact`, `full` and `disabled`");
                return Err(refuse("invalid summary mode").hint(words));
            }
        };
        let allowed = if self.allow.is_empty() { set(env, "VOLLEY_ALLOW") } else { Some(self.allow.join(",")) };
        Ok(RuntimeSettings {
            env: self.env.iter().map(|item| variable(item)).collect::<Result<_, _>>()?,
            system_env: if include { env.clone() } else { Environment::new() },
            compatibility_mode,
            script_type,
            permissions: Permissions::parse(allowed.as_deref().unwrap_or_default()).map_err(refuse)?,
            no_thresholds: flag(self.no_thresholds, "K6_NO_THRESHOLDS", false)?,
            summary_mode,
            summary_export: or_env(&self.summary_export, "K6_SUMMARY_EXPORT").filter(|path| !path.is_empty()),
            new_machine_readable_summary: flag(
                self.new_machine_readable_summary,
                "K6_NEW_MACHINE_READABLE_SUMMARY",
                false,
            )?,
            traces_output: or_env(&self.traces_output, "K6_TRACES_OUTPUT")
                .filter(|output| !matches!(output.as_str(), "" | "none")),
            ssl_key_log: set(env, "SSLKEYLOGFILE"),
        })
    }
}

impl RuntimeSettings {
    /// `__ENV`: the system's variables, an archive's, and those of `--env`, each over the ones before. An archive's
    /// lose against the system's where scripts may see these.
    pub fn script_env(&self, archived: &Environment) -> Environment {
        let mut env = archived.clone();
        env.extend(self.system_env.clone());
        env.extend(self.env.clone());
        env
    }
}

/// Reads one `--env`; without `=` the value is empty.
fn variable(item: &str) -> Result<(String, String), Failure> {
    let (name, value) = item.split_once('=').unwrap_or((item, ""));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins_well = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if !begins_well || !name.bytes().all(fits) {
        return Err(refuse(format!("invalid environment variable name '{name}'")));
    }
    Ok((name.to_owned(), value.to_owned()))
}
