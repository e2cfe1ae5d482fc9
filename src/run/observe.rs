//! Reports to the parent process how the run goes, over standard input: one line per request, one per answer.
//!
//! Standard input is a socket then, which no other process can reach; when its other end is closed, the answering ends.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::TestRun;
use super::view::LiveView;
use crate::ui::progress::RequestFigures;

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
    /// How long they are planned to run, without their graceful stop, in seconds; `None` for no end.
    pub duration: Option<f64>,
    /// The duration is only a limit, as all scenarios count iterations.
    pub has_limit_only: bool,
    /// How long they will still run, in seconds, where that can be estimated.
    pub left: Option<f64>,
    /// VUs at work.
    pub active_vus: u64,
    /// Iterations that ended.
    pub iterations: u64,
    /// The latest figures; `None` before the first request.
    pub figures: Option<RequestFigures>,
}

/// Answers on a thread of its own, if that was asked for and standard input is a socket.
pub(super) fn start(run: &Arc<TestRun>, view: &Arc<LiveView>) {
    if !run.request.is_observed {
        return;
    }
    let Ok(stdin) = std::io::stdin().as_fd().try_clone_to_owned() else { return };
    let stream = UnixStream::from(stdin);
    if stream.peer_addr().is_err() {
        // The flag was typed by hand: there is no parent process that could ask.
        return;
    }
    let (document, view) = (run.live_document(), view.clone());
    let answering = move || {
        let Ok(reader) = stream.try_clone() else { return };
        let mut stream = stream;
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            let mut answer = match line.as_str() {
                ASK_MOMENT => serde_json::to_string(&view.moment()).unwrap_or_default(),
                ASK_DOCUMENT => document(),
                _ => String::new(),
            };
            answer.push('\n');
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    };
    // Without the thread, the run only can't be observed.
    _ = std::thread::Builder::new().name("volley-observed".to_owned()).spawn(answering);
}
