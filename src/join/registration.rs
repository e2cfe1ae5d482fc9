//! How a process joins: the number it claims, the run it belongs to.

use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;

use super::words::{Control, MemberReport};
use super::{JoinRequest, KEEP, Meeting};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::options::Instance;

/// How long what an instance says of itself holds.
pub(super) const REPORT_EXPIRY: Duration = Duration::from_secs(2);
/// How long a run exists of which nobody says anything any more.
pub(super) const RUN_EXPIRY: Duration = Duration::from_secs(15);
/// How long a server is waited for that can't be reached.
const REACH_TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);

/// The keys of one run. Two runs of one name, one after the other, have none in common but the one that tells them apart.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// Which run of this name it is.
    pub run: String,
    /// What stands there.
    pub id: String,
}

impl Keys {
    /// The key of something that belongs to the run.
    pub fn of(&self, name: &str) -> String {
        format!("{}:{}:{name}", self.run, self.id)
    }

    /// The key of what somebody says of himself.
    pub fn member(&self, instance: Option<Instance>) -> String {
        match instance {
            Some(instance) => self.of(&format!("member:{}", instance.index)),
            None => self.of("conductor"),
        }
    }
}

/// A name for this process, for people too.
pub(super) fn token() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("process {} on {}", std::process::id(), host.trim())
}

fn refuse(message: String) -> Failure {
    Failure::new(ExitCode::InvalidConfig, message)
}

/// Claims the number of this process.
pub(super) async fn register(
    request: &JoinRequest,
    meeting: &mut Meeting,
    own: &MemberReport,
) -> Result<Keys, Failure> {
    let begun = Instant::now();
    loop {
        match attempt(request, meeting, own).await {
            Ok(Some(keys)) => return Ok(keys),
            // A run of this name is just ending.
            Ok(None) if begun.elapsed() < RUN_EXPIRY => {}
            Ok(None) => {
                return Err(refuse(format!("a run `{}` is ending and does not end", request.address.run())));
            }
            Err(Refusal::Final(failure)) => return Err(failure),
            Err(Refusal::Unreached(_)) if begun.elapsed() < REACH_TIMEOUT => {}
            Err(Refusal::Unreached(why)) => {
                let text = format!("`{}` can't be reached: {why}", request.address.shown());
                return Err(Failure::new(ExitCode::Other, text).hint("instances meet at a Redis or Valkey server"));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

enum Refusal {
    Final(Failure),
    Unreached(String),
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        // No waiting helps against a wrong password.
        if ["WRONGPASS", "NOAUTH", "NOPERM", "AuthenticationFailed", "authentication"]
            .iter()
            .any(|word| why.contains(word))
        {
            return Self::Final(refuse(format!("the Redis server refuses us: {why}")));
        }
        Self::Unreached(why)
    }
}

async fn attempt(request: &JoinRequest, meeting: &mut Meeting, own: &MemberReport) -> Result<Option<Keys>, Refusal> {
    let name = request.address.run();
    let mut id = [0; 8];
    getrandom::fill(&mut id).map_err(|error| error.to_string())?;
    let run = format!("volley:{name}");
    let mut commands = redis::pipe();
    let expiry = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    commands.cmd("SET").arg(&run).arg(HEXLOWER.encode(&id)).arg("PX").arg(expiry(RUN_EXPIRY)).arg("NX").ignore();
    commands.cmd("GET").arg(&run);
    let (id,): (Option<String>,) = meeting.ask(&commands).await?;
    let Some(id) = id else { return Ok(None) };
    let keys = Keys { run, id };
    let mut commands = redis::pipe();
    commands.cmd("SET").arg(keys.of("of")).arg(request.of).arg("EX").arg(KEEP.as_secs()).arg("NX").ignore();
    commands.cmd("GET").arg(keys.of("of"));
    commands.cmd("GET").arg(keys.of("control"));
    let (of, control): (Option<u64>, Option<String>) = meeting.ask(&commands).await?;
    let control: Control = control.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let who = request.name();
    if control.is_over {
        return Ok(None);
    }
    if of != Some(request.of) {
        let of = of.unwrap_or_default();
        return Err(Refusal::Final(refuse(format!(
            "the run `{name}` is of {of} instances, {who} is of {}",
            request.of
        ))));
    }
    if control.has_begun() {
        let failure = refuse(format!("the run `{name}` has begun, {who} is too late"));
        return Err(Refusal::Final(failure.hint("each run has a name of its own")));
    }
    let text = serde_json::to_string(own).unwrap_or_default();
    let mut commands = redis::pipe();
    let key = keys.member(request.instance);
    commands.cmd("SET").arg(&key).arg(text).arg("PX").arg(expiry(REPORT_EXPIRY)).arg("NX").ignore();
    commands.cmd("GET").arg(&key);
    let (found,): (Option<String>,) = meeting.ask(&commands).await?;
    let found: MemberReport = found.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    if found.token != own.token {
        let failure = refuse(format!("{who} of the run `{name}` is there already: {}", found.token));
        return Err(Refusal::Final(failure.hint("each instance has a number of its own, each run a name")));
    }
    Ok(Some(keys))
}
