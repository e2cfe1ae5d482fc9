//! The door: arguments and variables become one checked request, and the process ends with the code it brings.
//!
//! Nothing else parses arguments or reads the environment, but for `TERM`, which `ui` looks at.

pub mod args;
pub mod config;
pub mod control;
pub mod deps;
mod dispatch;
pub mod features;
mod fetch;
mod flags;
pub mod inspect;
mod new;
mod procedure;
pub mod run;
pub mod runtime;
mod target;
#[cfg(test)]
mod tests;
mod usage;
pub mod version;
mod watch;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::FromArgMatches;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::{Field, Level, Logger};
use crate::ui::Terminal;
use crate::ui::log::{Destination, Format, Log, LogOptions};
use args::{Cli, Command, CompletionArgs, StrayArgs, Switch};
use config::ConfigFile;
use control::Question;
use run::{RunSettings, no_arguments};
use runtime::{Environment, Global, LogSettings, Runtime};
use usage::{one_script, refuse, translate};

use crate::options::{Layers, Notes};

/// What was asked of the program.
#[derive(Debug)]
pub enum Request {
    /// Print this and end well.
    Print(String),
    /// Run a test.
    Run(Box<RunSettings>),
    /// Pack a script.
    Archive(Box<ArchiveRequest>),
    /// Print a script's options.
    Inspect(Box<InspectRequest>),
    /// List a script's imports.
    Deps(Box<DepsRequest>),
    /// Ask the run whose REST API listens there, and print what it says.
    Ask(String, Question),
    /// A command with its own arguments: `target` or `demo`.
    Own {
        /// Its name.
        name: &'static str,
        /// Its arguments as typed.
        args: Vec<String>,
        /// The JavaScript engine, if one was named.
        js_engine: Option<String>,
    },
    /// Do something with a procedure, in the environment and the folder of the process.
    Procedure(Vec<String>, Environment, PathBuf),
    /// Compare results.
    Compare(Vec<String>, PathBuf),
}

/// A script and what surrounds it, for commands that load it but run nothing.
#[derive(Clone, Debug)]
pub struct ScriptSettings {
    /// The script's argument as typed.
    pub script: String,
    /// Where relative paths begin.
    pub cwd: PathBuf,
    /// Settings of the script.
    pub runtime: Runtime,
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
    /// To be logged.
    pub warnings: Vec<String>,
}

/// `archive`, understood.
#[derive(Clone, Debug)]
pub struct ArchiveRequest {
    /// The script.
    pub script: ScriptSettings,
    /// The file to write; `None` for standard output.
    pub out: Option<PathBuf>,
    /// Leave variables out.
    pub exclude_env: bool,
}

/// `inspect`, understood.
#[derive(Clone, Debug)]
pub struct InspectRequest {
    /// The script.
    pub script: ScriptSettings,
    /// Resolve everything ([`inspect::with_requirements`]) instead of showing the script's own ([`inspect::plain`]).
    pub requirements: bool,
    /// Add the metrics that the script declares.
    pub declared_metrics: bool,
}

/// `deps`, understood.
#[derive(Clone, Debug)]
pub struct DepsRequest {
    /// The script.
    pub script: ScriptSettings,
    /// Print JSON.
    pub json: bool,
}

/// A request, or what is wrong with it, and how to log either.
#[derive(Debug)]
pub struct Understood {
    /// How log lines are written.
    pub log: LogSettings,
    /// What was asked.
    pub request: Result<Request, Failure>,
}

/// Understands arguments (without the program's name), variables and the current directory.
pub fn understand(args: &[String], env: Environment, cwd: PathBuf) -> Understood {
    let mut command = args::command();
    let with_name = std::iter::once(program().to_owned()).chain(args.iter().cloned());
    let matches = command.try_get_matches_from_mut(with_name);
    let cli = match matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let request = match translate(&error, &command, args) {
                Some(failure) => Err(failure),
                None => Ok(Request::Print(error.render().to_string())),
            };
            return Understood { log: args::GlobalArgs::default().settings(&env).log, request };
        }
    };
    let global = cli.global.settings(&env);
    let log = global.log.clone();
    Understood { log, request: request(cli, global, env, cwd, &mut command) }
}

fn request(
    cli: Cli,
    global: Global,
    env: Environment,
    cwd: PathBuf,
    command: &mut clap::Command,
) -> Result<Request, Failure> {
    let on = |switch: Option<Switch>| switch.is_some_and(|switch| switch.0);
    if on(cli.version) {
        return Ok(Request::Print(version::version(false)));
    }
    let mut notes = Notes::new(global.strict);
    Ok(match cli.command {
        None => Request::Print(format!("\n{}", command.render_help())),
        Some(Command::Run(run)) => Request::Run(Box::new(run.request(global, env, cwd)?)),
        Some(Command::Archive(archive)) => {
            let script = one_script(&archive.script.script)?;
            let runtime = archive.runtime.settings(&env, false, &mut notes)?;
            archive.options.options(&mut notes)?;
            let config = ConfigFile::load(global.config.as_deref(), &env, &cwd, &mut notes)?;
            let layers = run::layers(&archive.options, &config, &env, &mut notes)?;
            let out = match archive.archive_out.as_deref() {
                Some("-") => None,
                out => Some(cwd.join(out.unwrap_or("archive.tar"))),
            };
            let (js_engine, secret_sources) = (global.js_engine, global.secret_sources);
            let (strict, warnings) = (notes.strict, notes.warnings);
            let script =
                ScriptSettings { script, cwd, runtime, layers, js_engine, secret_sources, env, strict, warnings };
            Request::Archive(Box::new(ArchiveRequest { script, out, exclude_env: on(archive.exclude_env_vars) }))
        }
        Some(Command::Inspect(args)) => {
            let script = one_script(&args.script.script)?;
            let runtime = args.runtime.settings(&env, false, &mut notes)?;
            let requirements = on(args.execution_requirements);
            let script = bare_script(script, runtime, requirements, &global, &env, cwd, notes)?;
            let declared_metrics = on(args.declared_metrics);
            Request::Inspect(Box::new(InspectRequest { script, requirements, declared_metrics }))
        }
        Some(Command::Deps(args)) => {
            let script = one_script(&args.script.script)?;
            let runtime = args.runtime.settings(&env, false, &mut notes)?;
            let script = bare_script(script, runtime, false, &global, &env, cwd, notes)?;
            Request::Deps(Box::new(DepsRequest { script, json: on(args.json) }))
        }
        Some(Command::New(new)) => Request::Print(new.write(&cwd)?),
        Some(Command::Features(args)) => Request::Print(features::list(on(args.json))),
        Some(Command::Version(args)) => Request::Print(version::version(on(args.json))),
        Some(Command::Stats(args)) => ask("stats", &args, &global, || Ok(Question::Metrics))?,
        Some(Command::Status(args)) => ask("status", &args, &global, || Ok(Question::Status))?,
        Some(Command::Pause(args)) => ask("pause", &args, &global, || Ok(Question::paused(true)))?,
        Some(Command::Resume(args)) => ask("resume", &args, &global, || Ok(Question::paused(false)))?,
        Some(Command::Scale(args)) => {
            let stray = StrayArgs { stray: args.stray.clone() };
            ask("scale", &stray, &global, || Question::scale(&args))?
        }
        Some(Command::Completion(args)) => Request::Print(completion(&args, command)?),
        Some(Command::Cloud(args)) => cloud(&args.rest, command)?,
        Some(Command::X(args)) => match args.rest.first() {
            None => help_of("x", command),
            Some(flag) if matches!(flag.as_str(), "-h" | "--help") => help_of("x", command),
            Some(name) => {
                return Err(refuse(unknown_command(name, "x") + ": this program has no extensions"));
            }
        },
        Some(Command::Target(args)) => own("target", args.rest, global),
        Some(Command::Demo(args)) => own("demo", args.rest, global),
        Some(Command::Procedure(args)) => {
            // It reads its own flags; an engine that was named before the command holds as well.
            let engine = global.js_engine.map(|name| ("VOLLEY_JS_ENGINE".to_owned(), name));
            Request::Procedure(args.rest, env.into_iter().chain(engine).collect(), cwd)
        }
        Some(Command::Compare(args)) => Request::Compare(args.rest, cwd),
    })
}

fn own(name: &'static str, args: Vec<String>, global: Global) -> Request {
    Request::Own { name, args, js_engine: global.js_engine }
}

/// Something to ask a running test; of these commands k6 2 has only `stats`.
fn ask(
    name: &str,
    args: &StrayArgs,
    global: &Global,
    question: impl FnOnce() -> Result<Question, Failure>,
) -> Result<Request, Failure> {
    if global.strict && name != "stats" {
        return Err(refuse(unknown_command(name, "")));
    }
    no_arguments(name, &args.stray)?;
    let question = question()?;
    let missing = || refuse(format!("`{name}` needs the `--address` of a running test"));
    let hint = "start the test with `--address=localhost:6565` and say the same here, or set K6_ADDRESS for both";
    let address = global.address.clone().ok_or_else(|| missing().hint(hint))?;
    Ok(Request::Ask(address, question))
}

/// A script of a command without option flags; the layers of `inspect` count only for its requirements.
fn bare_script(
    script: String,
    runtime: Runtime,
    resolved: bool,
    global: &Global,
    env: &Environment,
    cwd: PathBuf,
    mut notes: Notes,
) -> Result<ScriptSettings, Failure> {
    let layers = if resolved {
        let config = ConfigFile::load(global.config.as_deref(), env, &cwd, &mut notes)?;
        run::layers(&args::OptionArgs::default(), &config, env, &mut notes)?
    } else {
        Layers::default()
    };
    let (js_engine, secret_sources) = (global.js_engine.clone(), global.secret_sources.clone());
    let (env, strict, warnings) = (env.clone(), notes.strict, notes.warnings);
    Ok(ScriptSettings { script, cwd, runtime, layers, js_engine, secret_sources, env, strict, warnings })
}

fn help_of(name: &str, command: &mut clap::Command) -> Request {
    let help = command.find_subcommand_mut(name).map(|sub| sub.render_help().to_string());
    Request::Print(help.unwrap_or_default())
}

/// The hosted service isn't talked to: its commands say so, and `cloud SCRIPT` shows help, as in k6.
fn cloud(rest: &[String], command: &mut clap::Command) -> Result<Request, Failure> {
    match rest.first().map(String::as_str) {
        Some(name @ ("run" | "upload" | "login" | "project" | "test" | "load-zone")) => {
            let words = format!("`cloud {name}` needs Grafana's hosted service, which this program does not talk to");
            Err(refuse(words).hint("run the test here with `run`, or use k6 for the hosted service"))
        }
        Some(flag) if flag.starts_with("--") && flag != "--help" => {
            Err(refuse(format!("unknown flag: {}", flag.split('=').next().unwrap_or(flag))))
        }
        _ => Ok(help_of("cloud", command)),
    }
}

fn completion(args: &CompletionArgs, command: &mut clap::Command) -> Result<String, Failure> {
    use clap_complete::{Shell, generate};
    let shell = match args.shell.first().map(String::as_str) {
        Some("bash") => Shell::Bash,
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        Some("powershell") => Shell::PowerShell,
        Some(unknown) => return Err(refuse(unknown_command(unknown, "completion"))),
        None => {
            let help = command.find_subcommand_mut("completion").map(|sub| sub.render_help().to_string());
            return Ok(help.unwrap_or_default());
        }
    };
    let mut script = Vec::new();
    generate(shell, command, program(), &mut script);
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// The name this program was called by: a link named `k6` is `k6` in help and messages.
pub(crate) fn program() -> &'static str {
    let called = std::env::args_os().next().map(PathBuf::from);
    let is_k6 = called.as_deref().and_then(Path::file_stem).is_some_and(|name| name == "k6");
    if is_k6 { "k6" } else { "volley" }
}

/// k6's words for a command that `parent` does not have; the parent of a command itself is the program.
fn unknown_command(name: &str, parent: &str) -> String {
    format!("unknown command {name:?} for {:?}", format!("{} {parent}", program()).trim_end())
}

/// Logs a failure as the one error line a process ends with.
pub fn report(failure: &Failure, logger: &Logger) {
    let mut fields: Vec<Field> = Vec::new();
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
    let env = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    let cwd = std::env::current_dir().unwrap_or_default();
    let understood = understand(&args, env, cwd);
    let terminal = Terminal::of_process(understood.log.no_color);
    let log = match open_log(&understood.log, &terminal) {
        Ok(log) => log,
        Err(failure) => {
            // There is no log to write to, so the words go where a person looks.
            terminal.print_error(&format!("{}\n", failure.message));
            return failure.code;
        }
    };
    let result = understood.request.and_then(|request| guarded(|| dispatch::execute(request, &terminal, &log)));
    let code = result.unwrap_or_else(|failure| {
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

fn open_log(settings: &LogSettings, terminal: &Terminal) -> Result<Log, Failure> {
    let options = LogOptions {
        destination: Destination::parse(&settings.output)?,
        format: Format::parse(&settings.format),
        verbose: settings.verbose,
    };
    Log::open(&options, terminal.clone())
}
