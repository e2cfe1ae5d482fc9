//! From an understood command to what it does: the one place where commands meet the rooms below.

use std::io::Read;
use std::sync::Arc;

use super::run::RunSettings;
use super::runtime::{CompatibilityMode, Environment};
use super::usage::refuse;
use super::{
    ArchiveRequest, DepsRequest, InspectRequest, Request, ScriptSettings, deps, inspect, procedure, target, watch,
};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::{Engine, Imports};
use crate::run::{self, RunRequest, ScriptRequest, evaluate};
use crate::source::archive::Contents;
use crate::source::{MainScript, RealDisk, Secrets};
use crate::ui::Terminal;
use crate::ui::log::Log;
use crate::ui::progress::ProgressMode;
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
        Request::Own { name: "target", args, .. } => return target::target(&args, terminal, log),
        Request::Own { name: "demo", args, js_engine } => return target::demo(&args, js_engine, terminal, log),
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
fn refuse_what_is_missing(run: &RunSettings) -> Result<(), Failure> {
    if let Some(output) = &run.runtime.traces_output {
        if output != "otel" && !output.starts_with("otel=") {
            return Err(refuse(format!("invalid traces output {output:?}")));
        }
        return Err(refuse("`--traces-output=otel` is not offered: requests are not traced, leave it out"));
    }
    Ok(())
}

fn execute_run(request: RunSettings, terminal: &Terminal, log: &Log) -> Result<(), Failure> {
    request.announce(&log.logger());
    run::execute(to_run_request(request, terminal, log)?)
}

/// Reads the script; the rest is known already.
pub(super) fn to_run_request(request: RunSettings, terminal: &Terminal, log: &Log) -> Result<RunRequest, Failure> {
    refuse_what_is_missing(&request)?;
    let RunSettings { global, runtime, .. } = request;
    let script = ScriptSettings {
        script: request.script,
        cwd: request.cwd.clone(),
        runtime: runtime.clone(),
        layers: request.layers,
        js_engine: global.js_engine,
        secret_sources: global.secret_sources,
        env: request.env.clone(),
        strict: global.strict,
        warnings: Vec::new(),
    };
    Ok(RunRequest {
        process_env: request.env.into_iter().collect(),
        address: global.address.map(|at| run::Address { at, is_flag: global.address_is_flag }),
        single_iteration: request.watch,
        no_thresholds: runtime.no_thresholds,
        baseline: request.baseline,
        summary_mode: runtime.summary_mode,
        summary_export: runtime.summary_export,
        machine_readable: runtime.new_machine_readable_summary,
        reports: request.reports,
        progress: progress_mode(request.ui, terminal, &log.logger()),
        outputs: request.outputs,
        linger: request.linger,
        quiet: global.quiet,
        is_observed: request.is_observed,
        no_color: global.log.no_color,
        collectors: request.collectors,
        ..RunRequest::new(to_script_request(script, log)?, request.cwd, super::program(), terminal.clone())
    })
}

/// Bars that are redrawn need a terminal.
fn progress_mode(asked: Option<ProgressMode>, terminal: &Terminal, logger: &crate::log::Logger) -> ProgressMode {
    match (asked, terminal.stdout_is_tty()) {
        (Some(ProgressMode::Live), false) => {
            logger.warn("`--ui live` needs a terminal to draw on: progress is printed line by line");
            ProgressMode::Plain
        }
        (Some(kind), _) => kind,
        (None, true) => ProgressMode::Live,
        (None, false) => ProgressMode::Plain,
    }
}

/// Reads the script of a command.
pub(super) fn to_script_request(settings: ScriptSettings, log: &Log) -> Result<ScriptRequest, Failure> {
    let secrets = secrets(&settings.secret_sources, &settings.cwd, &settings.env, log)?;
    let main = load(&settings.script, settings.runtime.script_type, &settings.cwd, log)?;
    let archived = main.archive.as_ref().map(|archive| archive.env.clone()).unwrap_or_default();
    Ok(ScriptRequest {
        argument: redact(&settings.script).into_owned(),
        main,
        env: settings.runtime.script_env(&archived),
        freeze_env: settings.layers.features.contains(&crate::options::Feature::FreezeEnv),
        has_global: settings.runtime.compatibility_mode == CompatibilityMode::Extended,
        layers: settings.layers,
        secrets,
        engine: engine(settings.js_engine.as_deref())?,
        strict: settings.strict,
        log: log.clone(),
    })
}

fn inspect_text(request: InspectRequest, log: &Log) -> Result<String, Failure> {
    let (is_whole, has_metrics) = (request.requirements, request.declared_metrics);
    for line in &request.script.warnings {
        log.logger().warn(line);
    }
    let seen = evaluate(to_script_request(request.script, log)?)?;
    if is_whole {
        let settled = seen.resolve_options()?;
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
    let seen = evaluate(to_script_request(request.script, log)?)?;
    let contents = Contents {
        options: seen.resolve_options()?.configured.to_archive_json(),
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
    let ScriptSettings { script, runtime, cwd, .. } = request.script;
    let main = load(&script, runtime.script_type, &cwd, log)?;
    let imports = Imports::of(&main.files, &main.module.url).exit(ExitCode::ScriptException)?;
    Ok(deps::list(&imports, request.json))
}
