//! `target`: serves a small risk register to run load tests against.

use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::commands::{Command, CommandContext};
use super::usage::refuse;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::log::Logger;
use crate::target::{self, Account, CacheChoice, TargetConfig, TargetServer};
use crate::units::Span;

/// Serve a small web application to test against
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
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

impl Command for TargetArgs {
    /// Serves until it is interrupted.
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        let accounts = self.account.iter().map(|text| Account::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let emails: Vec<String> = accounts.iter().map(|account| account.email().to_owned()).collect();
        let config = TargetConfig::new(
            target::listen_address(&self.listen)?,
            CacheChoice::parse(&self.cache)?,
            time("--cache-ttl", &self.cache_ttl)?,
            time("--db-latency", &self.db_latency)?,
            self.risks,
        )?
        .with_accounts(accounts);
        let runtime = runtime()?;
        runtime.block_on(async {
            let target = target::bind(config).await?;
            // From here on it may be interrupted: the address is not told before.
            let listen = |kind: SignalKind| signal(kind).exit(ExitCode::Other);
            let (mut interrupts, mut terminations) =
                (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
            announce(&target, &emails, &context.log.logger());
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
}

fn announce(target: &TargetServer, emails: &[String], log: &Logger) {
    let address = target.local_addr();
    let accounts = if emails.is_empty() {
        format!("the demo account is {} with {}", target::DEMO_EMAIL, target::DEMO_PASSWORD)
    } else {
        format!("accounts besides the demo account: {}", emails.join(", "))
    };
    log.info(format!("listening on http://{address}; {accounts}"));
}

/// A runtime for a target.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().exit(ExitCode::Other)
}

/// A time that is not negative.
pub(super) fn time(flag: &str, text: &str) -> Result<Duration, Failure> {
    match Span::parse(text) {
        Ok(span) if span >= Span::ZERO => Ok(span.to_duration()),
        Ok(_) => Err(refuse(format!("`{flag}` can't be negative, it is `{text}`"))),
        Err(error) => Err(refuse(format!("`{flag}`: {error}")).hint("durations look like 40ms or 1m30s")),
    }
}
