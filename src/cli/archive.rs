//! `archive`: packs a script with every file its init code read.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use super::args::{OptionArgs, RuntimeArgs, ScenarioArgs, ScriptArgs, Switch, is_on};
use super::commands::{Command, CommandContext};
use super::config::ConfigFile;
use super::instance::InstanceArgs;
use super::runtime::CompatibilityMode;
use super::script::{ScriptSettings, layers};
use super::usage::one_script;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::options::{Compat, Layers};
use crate::run::evaluate;
use crate::source::archive::ArchiveContents;
use crate::source::specifier::file_url;
use crate::summary::writing;

/// Pack a script with all it reads and its options into one file
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ArchiveArgs {
    #[command(flatten)]
    script: ScriptArgs,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    scenarios: ScenarioArgs,
    #[command(flatten)]
    instance: InstanceArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
    /// The file to write, - for standard output
    #[arg(short = 'O', long, value_name = "FILE")]
    archive_out: Option<String>,
    /// Leave variables out
    #[arg(long)]
    exclude_env_vars: Option<Switch>,
}

impl Command for ArchiveArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let settings = self.settings(&context)?;
        let runtime = &settings.runtime;
        let env = (!is_on(self.exclude_env_vars)).then(|| runtime.script_env(&Default::default()));
        let compatibility_mode = match runtime.compatibility_mode {
            CompatibilityMode::Extended => "extended",
            CompatibilityMode::Base => "base",
        };
        let no_thresholds = runtime.no_thresholds;
        let script = evaluate(settings.load(&context.log)?)?;
        let resolved = script.resolve_options()?;
        if !no_thresholds {
            script.check_thresholds(&resolved)?;
        }
        let contents = ArchiveContents {
            options: resolved.configured.to_archive_json(),
            filename: script.script_url().to_owned(),
            pwd: file_url(&context.cwd.to_string_lossy()),
            env,
            compatibility_mode: compatibility_mode.to_owned(),
            time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        };
        let tar = contents.pack(&script.files()).exit(ExitCode::Other)?;
        match self.out(&context.cwd) {
            Some(path) => writing::write_file(&path, &tar).map_err(|error| {
                let why = writing::plain(&error);
                Failure::new(ExitCode::Other, format!("open {}: {why}", path.display()))
            })?,
            None => context.terminal.stdout_writer().write_all(&tar).exit(ExitCode::Other)?,
        }
        Ok(ExitCode::Success)
    }
}

impl ArchiveArgs {
    fn settings(&self, context: &CommandContext) -> Result<ScriptSettings, Failure> {
        let mut notes = Compat::new(context.global.strict);
        let argument = one_script(&self.script.script)?;
        let runtime = self.runtime.settings(&context.env, false, &mut notes)?;
        // Flags are looked at before files are: a typing error shows itself first.
        self.options.options(&mut notes)?;
        let selection = self.scenarios.selection(&self.options, &[])?;
        let config = ConfigFile::of_command(context, &mut notes)?;
        let mut layers = Layers { selection, ..layers(&self.options, &config, &context.env, &mut notes)? };
        self.instance.apply(&mut layers, &self.options, &context.env, context.global.strict)?;
        for line in &notes.warnings {
            context.log.logger().warn(line);
        }
        Ok(ScriptSettings::new(argument, runtime, layers, context))
    }

    /// The file to write; `None` for standard output.
    pub(super) fn out(&self, cwd: &Path) -> Option<PathBuf> {
        match self.archive_out.as_deref() {
            Some("-") => None,
            out => Some(cwd.join(out.unwrap_or("archive.tar"))),
        }
    }
}
