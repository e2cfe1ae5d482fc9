//! `procedure` as typed; what it does is the room `procedure`'s business.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::commands::{Command, CommandContext};
use super::program;
use super::runtime::{Environment, RuntimeSettings};
use super::script::ScriptSettings;
use super::usage::refuse;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::options::Layers;
use crate::procedure::{self, Procedure, ProcedureSettings, UploadTo};
use crate::run::DataModule;
use crate::summary;

/// Run a written procedure: checks, runs, collected figures, criteria, one report
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub(super) struct ProcedureArgs {
    #[command(subcommand)]
    action: ProcedureAction,
}

#[derive(Debug, Subcommand)]
enum ProcedureAction {
    /// Check, run, collect, judge, report, archive
    Run(ProcedureRunArgs),
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

#[derive(Debug, Args)]
struct CheckArgs {
    /// The procedure
    file: String,
    /// A variable for __ENV; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
}

#[derive(Debug, Args)]
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

#[derive(Debug, Args)]
struct ProcedureRunArgs {
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

impl Command for ProcedureArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let (cwd, terminal) = (&context.cwd, &context.terminal);
        match self.action {
            ProcedureAction::New { file, force } => {
                terminal.print(&procedure::write_new(&cwd.join(&file), &file, force)?);
                Ok(ExitCode::Success)
            }
            ProcedureAction::Report { folder } => procedure::rebuild(&cwd.join(folder), terminal),
            ProcedureAction::Verify { archive } => procedure::verify(&cwd.join(archive), terminal),
            ProcedureAction::Upload(upload) => {
                let to = UploadTo {
                    url: upload.url,
                    endpoint: upload.endpoint,
                    region: upload.region,
                    credentials: upload.credentials,
                    profile: upload.profile,
                };
                let path = cwd.join(&upload.archive);
                procedure::upload(&path, to, &bare_settings(&context), terminal)
            }
            ProcedureAction::Check(check) => {
                let (procedure, _) = load(&check, &context)?;
                let settings = settings(check, &context)?;
                procedure::check(&procedure, &settings, terminal)
            }
            ProcedureAction::Run(run) => {
                let (procedure, module) = load(&run.file, &context)?;
                if !(run.scale > 0.0 && run.scale <= 100.0) {
                    return Err(refuse(format!("`--scale` is a factor above 0 and up to 100, not `{}`", run.scale)));
                }
                let settings = ProcedureSettings {
                    only: run.only,
                    skip: run.skip,
                    scale: run.scale,
                    dry_run: run.dry_run,
                    resume: run.resume,
                    ..settings(run.file, &context)?
                };
                procedure::run(&procedure, &module, &settings, terminal)
            }
        }
    }
}

fn settings(args: CheckArgs, context: &CommandContext) -> Result<ProcedureSettings, Failure> {
    let variables = variables(&args.env)?;
    let js_engine = context.global.js_engine.clone();
    Ok(ProcedureSettings { file: args.file, variables, js_engine, ..bare_settings(context) })
}

/// Settings without a procedure file.
fn bare_settings(context: &CommandContext) -> ProcedureSettings {
    ProcedureSettings {
        file: String::new(),
        variables: Environment::new(),
        js_engine: None,
        process_env: context.env.clone(),
        cwd: context.cwd.clone(),
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

/// Evaluates the file and checks what it exports.
fn load(args: &CheckArgs, context: &CommandContext) -> Result<(Procedure, DataModule), Failure> {
    let runtime = RuntimeSettings {
        env: given(&variables(&args.env)?),
        // `RISKS= volley …` is meant as none: an empty text would be no object and no number.
        system_env: given(&context.env),
        no_thresholds: true,
        summary_mode: summary::Mode::Disabled,
        ..RuntimeSettings::default()
    };
    let script = ScriptSettings {
        secret_sources: Vec::new(),
        strict: false,
        ..ScriptSettings::new(args.file.clone(), runtime, Layers::default(), context)
    };
    let request = script.load(&context.log)?;
    let module = DataModule::open(request)?;
    let procedure = Procedure::read(module.default_export()).map_err(|wrong| {
        let failure = Failure::new(ExitCode::InvalidConfig, format!("{}: {wrong}", args.file));
        failure.hint(format!("`{} procedure new` writes a commented procedure with everything there is", program()))
    })?;
    Ok((procedure, module))
}
