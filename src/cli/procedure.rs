//! `procedure` and `compare` as typed; what they do is the room `procedure`'s business.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use super::runtime::{CompatibilityMode, Environment, Runtime};
use super::usage::refuse;
use super::{ScriptSettings, dispatch, target};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::procedure::{self, CompareShape, Procedure, Settings, UploadTo};
use crate::run::DataModule;
use crate::ui::Terminal;
use crate::ui::log::Log;

#[derive(Parser)]
#[command(name = "procedure", about = "Run a written load-testing procedure", disable_help_subcommand = true)]
struct ProcedureArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Check, run, collect, judge, report, archive
    Run(RunArgs),
    /// Only the checks before any load
    Check(CheckArgs),
    /// Write a commented procedure to start from
    New {
        /// The file to write
        #[arg(default_value = "procedure.js")]
        file: PathBuf,
        /// Overwrite it
        #[arg(short, long)]
        force: bool,
    },
    /// Make all reports of a results folder again from its raw files
    Report {
        /// The folder
        folder: PathBuf,
    },
    /// Check an archive against its manifest
    Verify {
        /// The file
        archive: PathBuf,
    },
    /// Copy an archive to an S3-compatible store, or go on where that was cut off
    #[command(
        after_help = "Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or from \
                            a file as AWS' tools read."
    )]
    Upload(UploadArgs),
}

#[derive(clap::Args)]
struct CheckArgs {
    /// The procedure
    file: String,
    /// A variable for __ENV; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// The JavaScript engine
    #[arg(long, env = "VOLLEY_JS_ENGINE")]
    js_engine: Option<String>,
}

#[derive(clap::Args)]
struct UploadArgs {
    /// The archive
    archive: PathBuf,
    /// Where to; without it, an upload goes on that was begun
    #[arg(value_name = "s3://BUCKET/FOLDER")]
    url: Option<String>,
    /// The store's address; without it, AWS
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The region; else AWS_REGION or us-east-1
    #[arg(long)]
    region: Option<String>,
    /// A file with credentials, such as ~/.aws/credentials
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Its section; else AWS_PROFILE or default
    #[arg(long)]
    profile: Option<String>,
}

#[derive(clap::Args)]
struct RunArgs {
    #[command(flatten)]
    file: CheckArgs,
    /// Only these runs, comma-separated; may be repeated
    #[arg(long, value_delimiter = ',', value_name = "RUNS")]
    only: Vec<String>,
    /// Not these runs, comma-separated; may be repeated
    #[arg(long, value_delimiter = ',', value_name = "RUNS")]
    skip: Vec<String>,
    /// Multiply all durations of runs and cool-downs
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    scale: f64,
    /// Print the plan with its total time and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on in this results folder: finished runs are kept
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
}

#[derive(Parser)]
#[command(name = "compare", about = "Compare two results: summaries, results folders or archives")]
struct CompareArgs {
    /// What was before
    before: PathBuf,
    /// What is now
    after: PathBuf,
    /// Exit with 99 if a figure got worse by more than this, such as 10%
    #[arg(long, value_name = "PERCENT")]
    fail_on_regression: Option<String>,
    /// Print a table for a pull request
    #[arg(long)]
    markdown: bool,
    /// Print the figures that are not judged, too
    #[arg(long)]
    all: bool,
}

/// `procedure …`
pub(super) fn execute(
    args: &[String],
    env: Environment,
    cwd: PathBuf,
    terminal: &Terminal,
    log: &Log,
) -> Result<ExitCode, Failure> {
    let Some(args) = target::read::<ProcedureArgs>("procedure", args, terminal)? else { return Ok(ExitCode::Success) };
    match args.what {
        What::New { file, force } => {
            terminal.print(&procedure::write_new(&cwd.join(&file), &file, force)?);
            Ok(ExitCode::Success)
        }
        What::Report { folder } => procedure::rebuild(&cwd.join(folder), terminal),
        What::Verify { archive } => procedure::verify(&cwd.join(archive), terminal),
        What::Upload(upload) => {
            let to = UploadTo {
                url: upload.url,
                endpoint: upload.endpoint,
                region: upload.region,
                credentials: upload.credentials,
                profile: upload.profile,
            };
            let path = cwd.join(&upload.archive);
            procedure::upload(&path, to, &bare_settings(env, cwd), terminal)
        }
        What::Check(check) => {
            let (procedure, _) = load(&check, &env, &cwd, log)?;
            let settings = settings(check, env, cwd)?;
            procedure::check(&procedure, &settings, terminal)
        }
        What::Run(run) => {
            let (procedure, module) = load(&run.file, &env, &cwd, log)?;
            if !(run.scale > 0.0 && run.scale <= 100.0) {
                return Err(refuse(format!("`--scale` is a factor above 0 and up to 100, not `{}`", run.scale)));
            }
            let settings = Settings {
                only: run.only,
                skip: run.skip,
                scale: run.scale,
                dry_run: run.dry_run,
                resume: run.resume,
                ..settings(run.file, env, cwd)?
            };
            procedure::run(&procedure, &module, &settings, terminal)
        }
    }
}

/// `compare A B`
pub(super) fn compare(args: &[String], cwd: &Path, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let Some(args) = target::read::<CompareArgs>("compare", args, terminal)? else { return Ok(ExitCode::Success) };
    let limit = match &args.fail_on_regression {
        None => None,
        Some(text) => {
            let number = text.trim().strip_suffix('%').unwrap_or(text.trim()).trim().parse::<f64>().ok();
            let Some(percent) = number.filter(|percent| percent.is_finite() && *percent >= 0.0) else {
                return Err(refuse(format!("`--fail-on-regression` is a percentage such as `10%`, not `{text}`")));
            };
            Some(percent)
        }
    };
    let shape = match (args.markdown, args.all) {
        (true, _) => CompareShape::Markdown,
        (false, true) => CompareShape::All,
        (false, false) => CompareShape::Judged,
    };
    procedure::compare(&cwd.join(&args.before), &cwd.join(&args.after), limit, shape, terminal)
}

fn settings(args: CheckArgs, env: Environment, cwd: PathBuf) -> Result<Settings, Failure> {
    Ok(Settings {
        file: args.file,
        variables: variables(&args.env)?,
        js_engine: engine(args.js_engine, &env),
        ..bare_settings(env, cwd)
    })
}

/// Settings of nothing in particular.
fn bare_settings(env: Environment, cwd: PathBuf) -> Settings {
    Settings {
        file: String::new(),
        variables: Environment::new(),
        js_engine: None,
        process_env: env,
        cwd,
        only: Vec::new(),
        skip: Vec::new(),
        scale: 1.0,
        dry_run: false,
        resume: None,
    }
}

fn variables(list: &[String]) -> Result<Environment, Failure> {
    list.iter()
        .map(|item| match item.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(refuse(format!("`--env {item}`: a variable looks like NAME=VALUE"))),
        })
        .collect()
}

/// The variables that are not empty.
fn given(env: &Environment) -> Environment {
    env.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The engine that was asked for, here or in the environment.
fn engine(named: Option<String>, env: &Environment) -> Option<String> {
    named.or_else(|| env.get("VOLLEY_JS_ENGINE").cloned()).filter(|name| !name.is_empty())
}

/// Evaluates the file and checks what it exports.
fn load(args: &CheckArgs, env: &Environment, cwd: &Path, log: &Log) -> Result<(Procedure, DataModule), Failure> {
    let runtime = Runtime {
        env: given(&variables(&args.env)?),
        // `RISKS= volley …` is meant as none: an empty text would be no object and no number.
        system_env: given(env),
        compatibility_mode: CompatibilityMode::Extended,
        script_type: None,
        no_thresholds: true,
        summary_mode: crate::summary::Mode::Disabled,
        summary_export: None,
        new_machine_readable_summary: false,
        traces_output: None,
        ssl_key_log: None,
    };
    let script = ScriptSettings {
        script: args.file.clone(),
        cwd: cwd.to_owned(),
        runtime,
        layers: Default::default(),
        js_engine: engine(args.js_engine.clone(), env),
        secret_sources: Vec::new(),
        env: env.clone(),
        strict: false,
        warnings: Vec::new(),
    };
    let request = dispatch::to_script_request(script, log)?;
    let module = DataModule::open(request)?;
    let procedure = Procedure::read(module.default_export()).map_err(|wrong| {
        let failure = Failure::new(ExitCode::InvalidConfig, format!("{}: {wrong}", args.file));
        failure.hint("`volley procedure new` writes a commented procedure with everything there is")
    })?;
    Ok((procedure, module))
}
