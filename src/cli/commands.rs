//! The commands, one line each. A command is a file beside this one: its arguments, and what it does with them.

use std::path::PathBuf;

use clap::{ArgMatches, Args, CommandFactory};

use super::args::{Cli, as_k6};
use super::runtime::{Environment, GlobalSettings};
use super::usage::refuse;
use super::{
    archive, check, cloud, compare, completion, conduct, control, demo, deps, extensions, features, help, inspect,
    merge, new, procedure, program, run, target, vendor, version,
};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::ui::Terminal;
use crate::ui::log::ProcessLog;

/// All commands, in the order of `--help`.
pub(super) const COMMANDS: [CommandEntry; 23] = [
    k6::<run::RunArgs>("run"),
    k6::<archive::ArchiveArgs>("archive"),
    k6::<inspect::InspectArgs>("inspect"),
    k6::<new::NewArgs>("new"),
    k6::<deps::DepsArgs>("deps"),
    k6::<features::FeaturesArgs>("features"),
    k6::<version::VersionArgs>("version"),
    k6::<control::StatsArgs>("stats"),
    k6::<control::StatusArgs>("status"),
    k6::<control::PauseArgs>("pause"),
    k6::<control::ResumeArgs>("resume"),
    k6::<control::ScaleArgs>("scale"),
    k6::<completion::CompletionArgs>("completion"),
    k6::<cloud::CloudArgs>("cloud"),
    k6::<extensions::ExtensionArgs>("x"),
    own::<target::TargetArgs>("target"),
    own::<demo::DemoArgs>("demo"),
    own::<procedure::ProcedureArgs>("procedure"),
    own::<compare::CompareArgs>("compare"),
    own::<merge::MergeArgs>("merge"),
    own::<conduct::ConductArgs>("conduct"),
    own::<check::ScriptCheckArgs>("check"),
    own::<vendor::VendorArgs>("vendor"),
];

/// The arguments of a command, and what it does with them. The doc comment of the type is its line in `--help`.
pub(super) trait Command: Args {
    /// Does what was asked.
    ///
    /// # Errors
    /// The failure that the process ends with.
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure>;
}

/// What a command gets besides its arguments.
pub(super) struct CommandContext {
    /// Settings that every command has.
    pub global: GlobalSettings,
    /// The variables of this process.
    pub env: Environment,
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// Standard output and standard error.
    pub terminal: Terminal,
    /// The log of this process.
    pub log: ProcessLog,
}

impl CommandContext {
    /// Prints what was asked for.
    pub fn print(&self, text: &str) -> Result<ExitCode, Failure> {
        self.terminal.print(text);
        Ok(ExitCode::Success)
    }
}

/// A line of the table.
pub(super) struct CommandEntry {
    /// Its name.
    pub name: &'static str,
    /// Whether k6 has it: then values attach to flags as in k6, and wrong usage is told in k6's words.
    pub is_k6s: bool,
    define: fn(clap::Command) -> clap::Command,
    run: fn(&ArgMatches, CommandContext) -> Result<ExitCode, Failure>,
}

const fn k6<C: Command>(name: &'static str) -> CommandEntry {
    CommandEntry { name, is_k6s: true, define: C::augment_args, run: run_with::<C> }
}

const fn own<C: Command>(name: &'static str) -> CommandEntry {
    CommandEntry { is_k6s: false, ..k6::<C>(name) }
}

fn run_with<C: Command>(matches: &ArgMatches, context: CommandContext) -> Result<ExitCode, Failure> {
    let args = C::from_arg_matches(matches).map_err(|error| refuse(error.to_string()))?;
    args.run(context)
}

impl CommandEntry {
    /// The command of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|entry| entry.name == name)
    }

    /// Runs the command.
    pub fn run(&self, matches: &ArgMatches, context: CommandContext) -> Result<ExitCode, Failure> {
        (self.run)(matches, context)
    }
}

/// The definition of the whole command line.
pub(super) fn definition() -> clap::Command {
    let root = as_k6(Cli::command().name(program()));
    let root = COMMANDS.iter().fold(root, |root, entry| {
        let command = (entry.define)(clap::Command::new(entry.name));
        root.subcommand(if entry.is_k6s { as_k6(command) } else { command })
    });
    help::complete(root)
}

/// The help of a command.
pub(super) fn help_of(name: &str) -> String {
    let mut root = definition();
    // Global flags and the name of the program are passed on to commands here.
    root.build();
    root.find_subcommand_mut(name).map(|command| command.render_help().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        definition().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_is_for() {
        for command in definition().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}
