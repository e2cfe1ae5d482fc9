//! From an understood command to what it does: the one place where commands meet the rooms below.

use std::io::Read;
use std::sync::Arc;

use super::run::{Linger, RunRequest};
use super::runtime::{CompatibilityMode, Environment, SummaryMode};
use super::usage::refuse;
use super::{
    ArchiveRequest, DepsRequest, InspectRequest, Request, ScriptRequest, deps, inspect, own, procedure, watch,
};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::{Engine, Imports};
use crate::run::{self, first_pass};
use crate::source::archive::ArchiveContents;
use crate::source::{MainScript, RealDisk, Secrets};
use crate::ui::Terminal;
use crate::ui::log::Log;
use crate::ui::progress::Kind;
use crate::units::redact::redact;

/// Does what was asked.
pub(super) fn execute(request: Request, terminal: &Terminal, log: &Log) -> Result<ExitCode, Failure> {
    match request {
        Request::Print(text) => terminal.print(&text),
        Request::Run(run) if run.watch => return watch::run(*run, terminal, log),
        Request::Run(run) => return execute_run(*run, terminal, log).map(|()| ExitCode::Success),
        Request::Inspect(inspect) => terminal.print(&inspect_text(*inspect, log)?),
        Request::Deps(deps) => terminal.print(&deps_text(*deps, log)?),
        Request::Archive(archive) => archive_script(*archive, terminal, log)?,
        Request::Ask(address, question) => terminal.print(&question.ask(&address)?),
        Request::Procedure(args, env, cwd) => return procedure::execute(&args, env, cwd, terminal, log),
        Request::Compare(args, cwd) => return procedure::compare(&args, &cwd, terminal),
        Request::Own { name: "target", args, .. } => return own::target(&args, terminal, log),
        Request::Own { name: "demo", args, js_engine } => return own::demo(&args, js_engine, terminal, log),
        Request::Own { name, .. } => return Err(refuse(super::unknown_command(name, ""))),
    }
    Ok(ExitCode::Success)
}

pub(super) fn engine(name: Option<&str>) -> Result<Engine, Failure> {
    name.map_or(Ok(Engine::DEFAULT), |name| Engine::named(name).map_err(refuse))
}

/// The sources of `k6/secrets`; what they hand out, the log hides.
fn secrets(asked: &[String], cwd: &std::path::Path, env: &Environment, log: &Log) -> Result<Arc<Secrets>, Failure> {
    let log = log.clone();
    let variable = |name: &str| env.get(name).cloned();
    Secrets::open(asked, cwd, &variable, move |value| log.hide(value)).map(Arc::new)
}

/// Reads the script, with the network for what is remote.
fn load(
    script: &str,
    kind: Option<crate::source::ScriptType>,
    cwd: &std::path::Path,
    log: &Log,
) -> Result<MainScript, Failure> {
    let mut stdin: Box<dyn Read> = Box::new(std::io::stdin());
    MainScript::load(script, kind, RealDisk, cwd, &mut stdin, super::fetch::over_https(log.logger()))
}

/// What is offered nowhere may not be ignored silently.
fn refuse_what_is_missing(run: &RunRequest) -> Result<(), Failure> {
    if let Some(output) = &run.runtime.traces_output {
        if output != "otel" && !output.starts_with("otel=") {
            return Err(refuse(format!("invalid traces output {output:?}")));
        }
        return Err(refuse("`--traces-output=otel` is not offered: requests are not traced, leave it out"));
    }
    Ok(())
}

fn execute_run(request: RunRequest, terminal: &Terminal, log: &Log) -> Result<(), Failure> {
    request.announce(&log.logger());
    run::execute(understood(request, terminal, log)?)
}

/// What the conductor needs: the script read, the rest put into its words.
pub(super) fn understood(request: RunRequest, terminal: &Terminal, log: &Log) -> Result<run::Request, Failure> {
    refuse_what_is_missing(&request)?;
    let secrets = secrets(&request.global.secret_sources, &request.cwd, &request.env, log)?;
    let script = load(&request.script, request.runtime.script_type, &request.cwd, log)?;
    let archived = script.archive.as_ref().map(|archive| archive.env.clone()).unwrap_or_default();
    Ok(run::Request {
        env: request.runtime.script_env(&archived),
        freeze_env: request.layers.features.contains(&crate::options::Feature::FreezeEnv),
        has_global: request.runtime.compatibility_mode == CompatibilityMode::Extended,
        argument: redact(&request.script).into_owned(),
        script,
        layers: request.layers,
        process_env: request.env.into_iter().collect(),
        secrets,
        engine: engine(request.global.js_engine.as_deref())?,
        strict: request.global.strict,
        address: request.global.address.map(|at| run::Address { at, is_flag: request.global.address_is_flag }),
        rehearsal: request.watch,
        no_thresholds: request.runtime.no_thresholds,
        baseline: request.baseline,
        summary_mode: summary_mode(request.runtime.summary_mode),
        summary_export: request.runtime.summary_export,
        machine_readable: request.runtime.new_machine_readable_summary,
        reports: request.reports,
        progress: progress_kind(request.ui, terminal, &log.logger()),
        outputs: request.outputs,
        linger: match request.linger {
            Linger::Off => None,
            Linger::UntilInterrupted => Some(None),
            Linger::For(span) => Some(Some(span.to_duration())),
        },
        quiet: request.global.quiet,
        is_observed: request.is_observed,
        program: super::program(),
        no_color: request.global.log.no_color,
        cwd: request.cwd,
        collectors: request.collectors,
        terminal: terminal.clone(),
        log: log.clone(),
    })
}

/// Bars that are redrawn need a terminal.
fn progress_kind(asked: Option<Kind>, terminal: &Terminal, logger: &crate::log::Logger) -> Kind {
    match (asked, terminal.stdout_is_tty()) {
        (Some(Kind::Live), false) => {
            logger.warn("`--ui live` needs a terminal to draw on: progress is printed line by line");
            Kind::Plain
        }
        (Some(kind), _) => kind,
        (None, true) => Kind::Live,
        (None, false) => Kind::Plain,
    }
}

fn summary_mode(mode: SummaryMode) -> crate::summary::Mode {
    match mode {
        SummaryMode::Compact => crate::summary::Mode::Compact,
        SummaryMode::Full => crate::summary::Mode::Full,
        SummaryMode::Disabled => crate::summary::Mode::Disabled,
    }
}

/// A run that only goes as far as the first pass over the script.
pub(super) fn bare(request: ScriptRequest, log: &Log) -> Result<run::Request, Failure> {
    let script = load(&request.script, request.runtime.script_type, &request.cwd, log)?;
    let archived = script.archive.as_ref().map(|archive| archive.env.clone()).unwrap_or_default();
    Ok(run::Request {
        env: request.runtime.script_env(&archived),
        freeze_env: false,
        has_global: request.runtime.compatibility_mode == CompatibilityMode::Extended,
        argument: redact(&request.script).into_owned(),
        script,
        layers: request.layers,
        process_env: Default::default(),
        secrets: secrets(&request.secret_sources, &request.cwd, &request.env, log)?,
        engine: engine(request.js_engine.as_deref())?,
        strict: request.strict,
        address: None,
        rehearsal: false,
        no_thresholds: request.runtime.no_thresholds,
        baseline: None,
        summary_mode: crate::summary::Mode::Disabled,
        summary_export: None,
        machine_readable: false,
        reports: Default::default(),
        progress: Kind::Plain,
        outputs: Vec::new(),
        linger: None,
        quiet: true,
        is_observed: false,
        program: super::program(),
        no_color: true,
        cwd: request.cwd,
        collectors: Default::default(),
        terminal: Terminal::of_process(true),
        log: log.clone(),
    })
}

fn inspect_text(request: InspectRequest, log: &Log) -> Result<String, Failure> {
    let (is_whole, has_metrics) = (request.requirements, request.declared_metrics);
    for line in &request.script.warnings {
        log.logger().warn(line);
    }
    let seen = first_pass(bare(request.script, log)?)?;
    if is_whole {
        let settled = seen.settle()?;
        seen.check_tls(&settled.options)?;
        let metrics = has_metrics.then(|| seen.declared_metrics());
        return Ok(inspect::with_requirements(&settled, metrics.as_deref()));
    }
    let options = seen.own_options()?;
    seen.check_tls(&options)?;
    Ok(inspect::plain(&options))
}

/// Packs the script with every file its init code read.
fn archive_script(request: ArchiveRequest, terminal: &Terminal, log: &Log) -> Result<(), Failure> {
    for line in &request.script.warnings {
        log.logger().warn(line);
    }
    let runtime = &request.script.runtime;
    let env = (!request.exclude_env).then(|| runtime.script_env(&Default::default()));
    let compatibility_mode = match runtime.compatibility_mode {
        CompatibilityMode::Extended => "extended",
        CompatibilityMode::Base => "base",
    };
    let pwd = crate::source::specifier::file_url(&request.script.cwd.to_string_lossy());
    let seen = first_pass(bare(request.script, log)?)?;
    let contents = ArchiveContents {
        options: seen.settle()?.configured.to_archive_json(),
        filename: seen.script_url().to_owned(),
        pwd,
        env,
        compatibility_mode: compatibility_mode.to_owned(),
        time: std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    };
    let tar = contents.pack(&seen.files()).exit(ExitCode::Other)?;
    match &request.out {
        Some(path) => crate::summary::writing::write_file(path, &tar).map_err(|error| {
            let why = crate::summary::writing::plain(&error);
            Failure::new(ExitCode::Other, format!("open {}: {why}", path.display()))
        }),
        None => {
            use std::io::Write;
            terminal.stdout_writer().write_all(&tar).exit(ExitCode::Other)
        }
    }
}

fn deps_text(request: DepsRequest, log: &Log) -> Result<String, Failure> {
    let ScriptRequest { script, runtime, cwd, .. } = request.script;
    let main = load(&script, runtime.script_type, &cwd, log)?;
    let imports = Imports::of(&main.files, &main.module.url).exit(ExitCode::ScriptException)?;
    Ok(deps::list(&imports, request.json))
}
