//! Our own commands: `target`, something to run against, and `demo`, which does that.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;

use super::usage::refuse;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::js::Engine;
use crate::log::Logger;
use crate::options::{Layers, Options, Stage};
use crate::run::{self, RunRequest, ScriptRequest};
use crate::source::{Files, MainScript, MapDisk, Secrets};
use crate::target::{self, Account, CacheChoice, Target, TargetConfig};
use crate::ui::Terminal;
use crate::ui::log::Log;
use crate::ui::progress::ProgressMode;
use crate::units::Span;

/// `volley target` as typed.
#[derive(Parser)]
#[command(name = "target", about = "Serve a small risk register to run load tests against")]
struct TargetArgs {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    listen: String,
    /// Where answers are kept: `memory`, `redis://HOST:PORT[/DB]` or `none`
    #[arg(long, default_value = "memory")]
    cache: String,
    /// How long an answer is kept
    #[arg(long, default_value = "30s")]
    cache_ttl: String,
    /// What a read costs that the cache does not answer
    #[arg(long, default_value = "40ms")]
    db_latency: String,
    /// How many risks there are at the start
    #[arg(long, default_value_t = 200)]
    risks: usize,
    /// Who may log in besides the demo account; repeat it for several
    #[arg(long, value_name = "EMAIL:PASSWORD")]
    account: Vec<String>,
}

/// `volley demo` as typed.
#[derive(Parser)]
#[command(name = "demo", about = "Run a short load test against a target of our own")]
struct DemoArgs {
    /// How long VUs iterate
    #[arg(long, default_value = "10s")]
    duration: String,
    /// How many VUs
    #[arg(long, default_value_t = 5)]
    vus: i64,
    /// The JavaScript engine
    #[arg(long)]
    js_engine: Option<String>,
    /// Write the run as one HTML page to this file
    #[arg(long, env = "VOLLEY_REPORT")]
    report: Option<String>,
}

/// Reads our own command's arguments; `None` when help was asked for and printed.
pub(super) fn read<A: Parser>(name: &str, args: &[String], terminal: &Terminal) -> Result<Option<A>, Failure> {
    match A::try_parse_from(std::iter::once(name.to_owned()).chain(args.iter().cloned())) {
        Ok(args) => Ok(Some(args)),
        Err(error) if !error.use_stderr() => {
            terminal.print(&error.render().to_string());
            Ok(None)
        }
        Err(error) if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Err(refuse(format!("`{name}` needs to know what to do")).hint(format!("`{name} --help` tells what it can")))
        }
        Err(error) => {
            let text = error.render().to_string();
            // A list of what is missing stands on the lines after.
            let line = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
            let line = line.trim_start_matches("error: ").to_owned();
            Err(refuse(line).hint(format!("`{name} --help` tells what it takes")))
        }
    }
}

fn time(flag: &str, text: &str) -> Result<Duration, Failure> {
    match Span::parse(text) {
        Ok(span) if span >= Span::ZERO => Ok(span.to_duration()),
        Ok(_) => Err(refuse(format!("`{flag}` can't be negative, it is `{text}`"))),
        Err(error) => Err(refuse(format!("`{flag}`: {error}")).hint("durations look like 40ms or 1m30s")),
    }
}

/// Serves until it is interrupted.
pub(super) fn target(args: &[String], terminal: &Terminal, log: &Log) -> Result<ExitCode, Failure> {
    let Some(args) = read::<TargetArgs>("target", args, terminal)? else { return Ok(ExitCode::Success) };
    let accounts = args.account.iter().map(|text| Account::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let emails: Vec<String> = accounts.iter().map(|account| account.email().to_owned()).collect();
    let config = TargetConfig::new(
        target::listen_address(&args.listen)?,
        CacheChoice::parse(&args.cache)?,
        time("--cache-ttl", &args.cache_ttl)?,
        time("--db-latency", &args.db_latency)?,
        args.risks,
    )?
    .with_accounts(accounts);
    let runtime = runtime()?;
    runtime.block_on(async {
        let target = target::bind(config).await?;
        // Whoever has read the address may interrupt it.
        let listen = |kind: SignalKind| signal(kind).exit(ExitCode::Other);
        let (mut interrupts, mut terminations) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        announce(&target, &emails, &log.logger());
        target
            .serve(async move {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    _ = terminations.recv() => {}
                }
            })
            .await
    })?;
    Ok(ExitCode::Success)
}

fn announce(target: &Target, emails: &[String], log: &Logger) {
    let address = target.local_addr();
    let accounts = if emails.is_empty() {
        format!("the demo account is {} with {}", target::DEMO_EMAIL, target::DEMO_PASSWORD)
    } else {
        format!("accounts besides the demo account: {}", emails.join(", "))
    };
    log.info(format!("listening on http://{address}; {accounts}"));
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().exit(ExitCode::Other)
}

/// The script of the demo, part of the program.
const SCRIPT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/load_tests/cache_test.js"));

/// Starts the target on a free port and runs the demo script against it.
pub(super) fn demo(
    args: &[String],
    js_engine: Option<String>,
    terminal: &Terminal,
    log: &Log,
) -> Result<ExitCode, Failure> {
    let Some(args) = read::<DemoArgs>("demo", args, terminal)? else { return Ok(ExitCode::Success) };
    let duration = time("--duration", &args.duration)?;
    let engine = match args.js_engine.or(js_engine).as_deref() {
        Some(name) => Engine::named(name).map_err(refuse)?,
        None => Engine::DEFAULT,
    };
    let config = TargetConfig::new(
        SocketAddr::from(([127, 0, 0, 1], 0)),
        CacheChoice::Memory,
        Duration::from_secs(30),
        Duration::from_millis(40),
        200,
    )?;
    let runtime = runtime()?;
    let target = runtime.block_on(target::bind(config))?;
    let base = format!("http://{}", target.local_addr());
    runtime.spawn(target.serve(std::future::pending()));
    let files = Files::new(MapDisk::default(), Files::offline());
    let main = MainScript::embedded("file:///load_tests/cache_test.js", SCRIPT, files);
    let stage =
        |share: f64, target: i64| Stage { duration: Some(Span::from(duration.mul_f64(share))), target: Some(target) };
    let flags =
        Options { stages: Some(vec![stage(0.3, args.vus), stage(0.5, args.vus), stage(0.2, 0)]), ..Options::default() };
    let script = ScriptRequest {
        argument: "load_tests/cache_test.js".to_owned(),
        main,
        layers: Layers { cli: flags, ..Layers::default() },
        env: [("BASE_URL".to_owned(), base)].into(),
        freeze_env: false,
        has_global: true,
        secrets: Arc::new(Secrets::open(&[], Path::new("."), &|_| None, |_| ())?),
        engine,
        strict: false,
        log: log.clone(),
    };
    let cwd = std::env::current_dir().unwrap_or_default();
    run::execute(RunRequest {
        reports: run::Reports { html: args.report, ..Default::default() },
        progress: if terminal.stdout_is_tty() { ProgressMode::Live } else { ProgressMode::Plain },
        ..RunRequest::new(script, cwd, super::program(), terminal.clone())
    })
    .map(|()| ExitCode::Success)
}
