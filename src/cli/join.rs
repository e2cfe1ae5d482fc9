//! How a run meets the other instances of its test: `--join redis://host/RUN`.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;

use super::instance::one;
use super::runtime::Environment;
use super::script::ScriptSettings;
use super::usage::{one_script, refuse};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::join::{JoinAddress, JoinRequest, Joined, OnLoss};
use crate::log::Logger;
use crate::options::Instance;
use crate::run::{ARCHIVE, JoinedInstances, ScriptRequest};
use crate::source::MainScript;
use crate::ui::log::ProcessLog;
use crate::units::Span;
use crate::units::redact::redact_to_host;

/// How long instances wait for each other unless said otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);
const VARIABLE: &str = "VOLLEY_JOIN";

/// Flags about other instances.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of the test")]
pub struct JoinArgs {
    /// Run with other instances as one test; all meet at a Redis server: redis://host/RUN
    #[arg(long, value_name = "ADDRESS")]
    pub join: Vec<String>,
    /// With --join: how long to wait for the other instances
    #[arg(long, value_name = "TIME")]
    pub join_timeout: Option<String>,
    /// With --join: what happens when an instance is lost: `continue` or `stop`
    #[arg(long, value_name = "WHAT")]
    pub on_loss: Option<String>,
}

fn invalid(message: String) -> Failure {
    Failure::new(ExitCode::InvalidConfig, message)
}

impl JoinArgs {
    fn address(&self, env: &Environment) -> Result<Option<(String, String)>, Failure> {
        let set = env.get(VARIABLE).filter(|text| !text.is_empty());
        let flag = one("--join", &self.join)?.map(|text| ("--join".to_owned(), text.clone()));
        Ok(flag.or(set.map(|text| (VARIABLE.to_owned(), text.clone()))))
    }

    /// Whether there is an address.
    pub fn is_given(&self, env: &Environment) -> bool {
        !self.join.is_empty() || env.get(VARIABLE).is_some_and(|text| !text.is_empty())
    }

    /// What was asked for.
    ///
    /// # Errors
    /// A wrong address, time or word (104), no number of the instance (104), a flag that k6 does not have (255).
    pub fn request(
        &self,
        instance: Option<Instance>,
        env: &Environment,
        strict: bool,
    ) -> Result<Option<JoinRequest>, Failure> {
        let flags = [
            ("--join", !self.join.is_empty()),
            ("--join-timeout", self.join_timeout.is_some()),
            ("--on-loss", self.on_loss.is_some()),
        ];
        let given = flags.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag));
        if let Some(flag) = given.filter(|_| strict) {
            return Err(refuse(format!("unknown flag: {flag}")));
        }
        let Some((name, text)) = self.address(env)? else {
            return match given {
                Some(flag) => Err(invalid(format!("`{flag}` is about other instances: add `--join`"))),
                None => Ok(None),
            };
        };
        let shown = redact_to_host(&text);
        let address = JoinAddress::parse(&text).map_err(|why| invalid(format!("`{name}` is `{shown}`: {why}")))?;
        let instance = instance.ok_or_else(|| {
            invalid(format!(
                "`{name}` needs to know which instance this is: add `--instance 1/8`, or a segment with its sequence"
            ))
        })?;
        self.with(address, Some(instance), instance.of, env).map(Some)
    }

    /// The rest of a request.
    ///
    /// # Errors
    /// A wrong time or word.
    pub fn with(
        &self,
        address: JoinAddress,
        instance: Option<Instance>,
        of: u64,
        env: &Environment,
    ) -> Result<JoinRequest, Failure> {
        let or_env = |flag: &Option<String>, name: &str| {
            flag.clone().or_else(|| env.get(name).cloned()).filter(|text| !text.is_empty())
        };
        let timeout = match or_env(&self.join_timeout, "VOLLEY_JOIN_TIMEOUT") {
            None => DEFAULT_TIMEOUT,
            Some(text) => match Span::parse(&text) {
                Ok(span) if span > Span::ZERO => span.to_duration(),
                _ => return Err(invalid(format!("`--join-timeout` is a time such as `2m`, not `{text}`"))),
            },
        };
        let on_loss = match or_env(&self.on_loss, "VOLLEY_ON_LOSS").as_deref() {
            None | Some("continue") => OnLoss::GoOn,
            Some("stop") => OnLoss::Stop,
            Some(text) => return Err(invalid(format!("`--on-loss` is `continue` or `stop`, not `{text}`"))),
        };
        Ok(JoinRequest { address, instance, of, timeout, on_loss })
    }
}

/// The script of a run; nothing where other instances may bring it.
pub(super) fn script(scripts: &[String], has_address: bool) -> Result<String, Failure> {
    if scripts.is_empty() && has_address { Ok(String::new()) } else { one_script(scripts) }
}

/// Meets the others.
pub(super) fn meet(request: JoinRequest, logger: &Logger) -> Result<Joined, Failure> {
    let (name, shown) = (request.name(), request.address.shown().to_owned());
    let joined = Joined::join(request, logger.clone())?;
    logger.info(format!("{name} has joined `{shown}`"));
    Ok(joined)
}

/// Reads the script, or takes that of the others.
pub(super) fn load(
    settings: ScriptSettings,
    joined: Option<Joined>,
    log: &ProcessLog,
) -> Result<(ScriptRequest, Option<JoinedInstances>), Failure> {
    let Some(joined) = joined else { return Ok((settings.load(log)?, None)) };
    let given = settings.runtime.env.clone();
    let has_their_script = settings.argument.is_empty();
    let loaded = if has_their_script {
        take_archive(&joined).and_then(|main| settings.load_as(main, log))
    } else {
        settings.load(log)
    };
    let script = loaded.inspect_err(|failure| joined.give_up(failure))?;
    let mut archive_env = script.main.archive.as_ref().map(|archive| archive.env.clone()).unwrap_or_default();
    archive_env.extend(given);
    Ok((script, Some(JoinedInstances { way: joined.into(), has_their_script, archive_env })))
}

fn take_archive(joined: &Joined) -> Result<MainScript, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
    // The one that has the script may be unable to run it.
    let ended = joined.until(|state| state.control.abort.is_some());
    let archive = runtime.block_on(async {
        tokio::select! {
            archive = joined.wait_for(ARCHIVE) => Ok(archive),
            Ok(state) = ended => Err(state.control.abort.map(|abort| abort.failure())),
        }
    });
    let archive =
        archive.map_err(|failure| failure.unwrap_or_else(|| Failure::new(ExitCode::Other, "the test is over")))?;
    let archive = archive.map_err(|_| {
        let (run, waited) = (joined.request().address.run(), Span::from(joined.request().timeout));
        let text = format!("no instance of the run `{run}` brought a script within {waited}");
        Failure::new(ExitCode::GenericTimeout, text)
            .hint("one instance is started with the script, the others may be without")
    })?;
    MainScript::unpack(&Bytes::from(archive))
}
