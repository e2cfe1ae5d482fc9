//! Tells the process that started this one how the run goes, over standard input: a line asks, a line answers.
//!
//! Standard input is a socket then, which nobody else can reach; when its other end is gone, nothing is told any more.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::view::Watch;
use super::{Request, Run};

/// Asks for a [`Moment`] as JSON.
pub const ASK_MOMENT: &str = "moment";
/// Asks for the summary document of this moment, as compact JSON.
pub const ASK_DOCUMENT: &str = "document";

/// How a run is at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// What happens: `making VUs`, `setup()`, `running`, `teardown()`, `ending`.
    pub stage: String,
    /// How long scenarios have been running, in seconds.
    pub seconds: f64,
    /// How long they are planned to run, without their graceful stop, in seconds; nothing for ever.
    pub duration: Option<f64>,
    /// The duration is only a limit, as all scenarios count iterations.
    pub has_limit_only: bool,
    /// How long they will still run, as far as one can say, in seconds.
    pub left: Option<f64>,
    /// VUs at work.
    pub active_vus: u64,
    /// Iterations that ended.
    pub iterations: u64,
    /// The latest figures; nothing before the first request.
    pub pulse: Option<Pulse>,
}

/// The latest figures of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// Requests per second, lately.
    pub per_second: f64,
    /// The share of failed requests so far, 0 to 1.
    pub failed: f64,
    /// The 95th percentile of request durations so far, in milliseconds.
    pub p95: f64,
}

/// Answers on a thread of its own, if that was asked for and standard input is a socket.
pub(super) fn start(request: &Request, run: &Arc<Run>, watch: &Arc<Watch>) {
    if !request.is_observed {
        return;
    }
    let Ok(stdin) = std::io::stdin().as_fd().try_clone_to_owned() else { return };
    let stream = UnixStream::from(stdin);
    if stream.peer_addr().is_err() {
        // Somebody typed the flag: nobody is there who could ask.
        return;
    }
    let (source, watch) = (run.live_document(), watch.clone());
    let answering = move || {
        let Ok(reader) = stream.try_clone() else { return };
        let mut stream = stream;
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            let mut answer = match line.as_str() {
                ASK_MOMENT => serde_json::to_string(&watch.moment()).unwrap_or_default(),
                ASK_DOCUMENT => source(),
                _ => String::new(),
            };
            answer.push('\n');
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    };
    // Without it the run is only less talkative.
    _ = std::thread::Builder::new().name("volley-observed".to_owned()).spawn(answering);
}
