//! The door: arguments and variables become a command with its settings, and the process ends with the code it brings.
//!
//! [`commands`] lists the commands; each is a file with its arguments and what it does. Nothing else parses arguments or reads
//! the environment, but for `TERM` and `COLORFGBG`, which `ui` looks at.

mod archive;
mod args;
mod check;
mod cloud;
mod commands;
mod compare;
mod completion;
mod conduct;
mod config;
mod control;
mod demo;
mod deps;
mod extensions;
mod features;
mod fetch;
mod flags;
mod help;
mod inspect;
mod instance;
mod join;
mod merge;
mod new;
mod procedure;
#[cfg(test)]
mod reference_tests;
mod reports;
mod run;
mod runtime;
mod script;
mod target;
#[cfg(test)]
mod tests;
mod usage;
mod vendor;
mod version;
mod watch;
#[cfg(test)]
mod wrong_options_tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, FromArgMatches};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::{Level, LogField, Logger};
use crate::ui::Terminal;
use crate::ui::log::{Destination, LogFormat, LogOptions, ProcessLog};
use args::{Cli, GlobalArgs};
use commands::{CommandContext, CommandEntry};
use runtime::{Environment, GlobalSettings, LogSettings};

/// The command line, parsed.
struct CommandLine {
    global: GlobalSettings,
    /// What to do, or what is wrong with the arguments.
    action: Result<Action, Failure>,
}

/// What to do.
enum Action {
    /// Print this and end well.
    Print(String),
    /// Run a command with these arguments.
    Run(&'static CommandEntry, ArgMatches),
}

impl Action {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        match self {
            Self::Print(text) => context.print(&text),
            Self::Run(entry, matches) => entry.run(&matches, context),
        }
    }
}

/// Parses arguments (without the program's name); settings come from `env` where no flag says otherwise.
fn parse(args: &[String], env: &Environment) -> CommandLine {
    let mut root = commands::definition();
    let with_name = || std::iter::once(program().to_owned()).chain(args.iter().cloned());
    let parsed = root.try_get_matches_from_mut(with_name());
    match parsed.and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, matches))) {
        Ok((cli, matches)) => {
            let is_version = cli.version.is_some_and(|switch| switch.0);
            let command = matches.subcommand().and_then(|(name, matches)| Some((CommandEntry::named(name)?, matches)));
            let action = match command {
                _ if is_version => Action::Print(version::version(false)),
                Some((entry, matches)) => Action::Run(entry, matches.clone()),
                None => Action::Print(format!("\n{}", root.render_help())),
            };
            CommandLine { global: cli.global.settings(env), action: Ok(action) }
        }
        Err(error) => {
            let lenient = commands::definition().ignore_errors(true).try_get_matches_from(with_name()).ok();
            let entry = lenient.and_then(|matches| CommandEntry::named(matches.subcommand_name()?));
            let refused = match entry {
                Some(entry) if !entry.is_k6s => usage::own_error(&error, entry.name, &root, args),
                _ => usage::k6s_error(&error, &root, args),
            };
            let action = refused.map_or_else(|| Ok(Action::Print(error.render().to_string())), Err);
            CommandLine { global: GlobalArgs::default().settings(env), action }
        }
    }
}

/// The name this program was called by: a link named `k6` is `k6` in help and messages.
fn program() -> &'static str {
    let called = std::env::args_os().next().map(PathBuf::from);
    let is_k6 = called.as_deref().and_then(Path::file_stem).is_some_and(|name| name == "k6");
    if is_k6 { "k6" } else { "volley" }
}

/// Logs a failure as the one error line a process ends with.
fn report(failure: &Failure, logger: &Logger) {
    let mut fields: Vec<LogField> = Vec::new();
    if let Some(hint) = &failure.hint {
        fields.push(("hint", hint.clone().into()));
    }
    if failure.is_exception {
        fields.push(("source", "stacktrace".into()));
    }
    logger.log(Level::Error, failure.message.clone(), fields);
}

/// Runs the program: `args` are the process's arguments with its name.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let args: Vec<String> = args.into_iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let env: Environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    let cwd = std::env::current_dir().unwrap_or_default();
    let CommandLine { global, action } = parse(&args, &env);
    let terminal = Terminal::of_process(global.log.no_color);
    let log = match open_log(&global.log, &terminal) {
        Ok(log) => log,
        Err(failure) => {
            // There is no log to write to.
            terminal.print_error(&format!("{}\n", failure.message));
            return failure.code;
        }
    };
    let context = CommandContext { global, env, cwd, terminal, log: log.clone() };
    let result = action.and_then(|action| guarded(|| action.run(context)));
    let code = result.unwrap_or_else(|failure| {
        let failure = usage::with_stray_flag(failure, &args, &commands::definition());
        report(&failure, &log.logger());
        failure.code
    });
    log.close();
    code
}

/// A defect of ours ends the process with a code of its own, not with one that means something else.
fn guarded(work: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let failure = Failure::new(ExitCode::Panic, "this program broke down, which is its own fault");
        Err(failure.hint("please report what stands above, together with the script"))
    })
}

fn open_log(settings: &LogSettings, terminal: &Terminal) -> Result<ProcessLog, Failure> {
    let options = LogOptions {
        destination: Destination::parse(&settings.output)?,
        format: LogFormat::parse(&settings.format),
        verbose: settings.verbose,
        ns_timestamps: settings.ns_timestamps,
    };
    ProcessLog::open(&options, terminal.clone())
}
