//! A script as a command is given it, and how it is read: from a file, standard input, an archive, or the network.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{OptionArgs, RuntimeArgs, ScriptArgs};
use super::commands::CommandContext;
use super::config::ConfigFile;
use super::fetch;
use super::program;
use super::runtime::{CompatibilityMode, Environment, RuntimeSettings};
use super::usage::{one_script, refuse};
use crate::failure::Failure;
use crate::js::Engine;
use crate::log::Logger;
use crate::options::{Compat, Feature, Layers, Options};
use crate::run::ScriptRequest;
use crate::source::files::{Fetch, unmarked};
use crate::source::{MainScript, RealDisk, Secrets, Vendor};
use crate::ui::log::ProcessLog;
use crate::units::redact::redact;

/// A script and what surrounds it; nothing was read yet.
#[derive(Clone, Debug)]
pub(super) struct ScriptSettings {
    /// The script's argument as typed.
    pub argument: String,
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// Settings of the script.
    pub runtime: RuntimeSettings,
    /// Options around the script's.
    pub layers: Layers,
    /// `quickjs` or `boa`; `None` for the default.
    pub js_engine: Option<String>,
    /// `TYPE[=CONFIG]` each.
    pub secret_sources: Vec<String>,
    /// This process's variables.
    pub env: Environment,
    /// Refuse what k6 refuses.
    pub strict: bool,
}

impl ScriptSettings {
    /// Settings without option flags, for commands that have none; the other layers count only if all options are to be
    /// `resolved`. Warnings are logged.
    ///
    /// # Errors
    /// Wrong usage (255), a wrong config file or variable (104).
    pub fn without_flags(
        script: &ScriptArgs,
        runtime: &RuntimeArgs,
        resolved: bool,
        context: &CommandContext,
    ) -> Result<Self, Failure> {
        let mut notes = Compat::new(context.global.strict);
        let argument = one_script(&script.script)?;
        let runtime = runtime.settings(&context.env, false, &mut notes)?;
        let layers = if resolved {
            let config = ConfigFile::of_command(context, &mut notes)?;
            layers(&OptionArgs::default(), &config, &context.env, &mut notes)?
        } else {
            Layers::default()
        };
        let settings = Self::new(argument, runtime, layers, context);
        for line in &notes.warnings {
            context.log.logger().warn(line);
        }
        Ok(settings)
    }

    /// Settings with these layers of options.
    pub fn new(argument: String, runtime: RuntimeSettings, layers: Layers, context: &CommandContext) -> Self {
        let global = &context.global;
        Self {
            argument,
            cwd: context.cwd.clone(),
            runtime,
            layers,
            js_engine: global.js_engine.clone(),
            secret_sources: global.secret_sources.clone(),
            env: context.env.clone(),
            strict: global.strict,
        }
    }

    /// Reads the script and opens its sources of secrets.
    ///
    /// # Errors
    /// What can't be read, an unknown engine, a wrong source.
    pub fn load(self, log: &ProcessLog) -> Result<ScriptRequest, Failure> {
        let main = self.read(log)?;
        self.load_as(main, log)
    }

    /// The same for a script that was read already.
    ///
    /// # Errors
    /// An unknown engine, a wrong source of secrets.
    pub fn load_as(self, main: MainScript, log: &ProcessLog) -> Result<ScriptRequest, Failure> {
        let secrets = secrets(&self.secret_sources, &self.cwd, &self.env, log)?;
        let archived = main.archive.as_ref().map(|archive| archive.env.clone()).unwrap_or_default();
        Ok(ScriptRequest {
            argument: if self.argument.is_empty() { name_of(&main) } else { redact(&self.argument).into_owned() },
            main,
            env: self.runtime.script_env(&archived),
            freeze_env: self.layers.features.contains(&Feature::FreezeEnv),
            has_global: self.runtime.compatibility_mode == CompatibilityMode::Extended,
            layers: self.layers,
            secrets,
            engine: engine(self.js_engine.as_deref())?,
            permissions: self.runtime.permissions,
            strict: self.strict,
            log: log.clone(),
        })
    }

    /// Reads the script, with the network for what is remote.
    ///
    /// # Errors
    /// What can't be read.
    pub fn read(&self, log: &ProcessLog) -> Result<MainScript, Failure> {
        let mut stdin: Box<dyn Read> = Box::new(std::io::stdin());
        let fetch = self.vendored(log.logger())?;
        MainScript::load(&self.argument, self.runtime.script_type, RealDisk, &self.cwd, &mut stdin, fetch)
    }
}

impl ScriptSettings {
    /// Gets remote modules from the project's folder of them, if it has one, and what is not there over the network.
    ///
    /// # Errors
    /// A lock file that can't be read.
    fn vendored(&self, log: Logger) -> Result<Fetch, Failure> {
        let path = self.cwd.join(&self.argument);
        let start = if path.is_file() { path.parent().unwrap_or(&self.cwd) } else { &self.cwd };
        let over_https = fetch::over_https(log.clone());
        let Some(vendor) = Vendor::find(start).map_err(refuse)? else { return Ok(over_https) };
        Ok(Box::new(move |marked| {
            let url = unmarked(marked);
            if let Some(kept) = vendor.bytes(url) {
                return kept;
            }
            let fetched = over_https(marked);
            if fetched.is_ok() {
                let (shown, folder) = (redact(url), vendor.folder().display());
                log.warn(format!("{shown} is not in {folder}: it was fetched, `{} vendor` keeps it", program()));
            }
            fetched
        }))
    }
}

/// The name of a script that came without one being typed.
fn name_of(main: &MainScript) -> String {
    main.module.url.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The config file's and the other layers' options, for every command that resolves options.
pub(super) fn layers(
    args: &OptionArgs,
    config: &ConfigFile,
    env: &Environment,
    notes: &mut Compat,
) -> Result<Layers, Failure> {
    let cli = args.options(notes)?;
    let env = Options::from_env(env, notes)?;
    Ok(Layers { config: config.options.clone(), env, cli, ..Layers::default() })
}

/// The JavaScript engine of this name.
pub(super) fn engine(name: Option<&str>) -> Result<Engine, Failure> {
    name.map_or(Ok(Engine::DEFAULT), |name| Engine::named(name).map_err(refuse))
}

/// The sources of `k6/secrets`; the log redacts what they return.
fn secrets(asked: &[String], cwd: &Path, env: &Environment, log: &ProcessLog) -> Result<Arc<Secrets>, Failure> {
    let log = log.clone();
    let variable = |name: &str| env.get(name).cloned();
    Secrets::open(asked, cwd, &variable, move |value| log.hide(value)).map(Arc::new)
}
