//! SIGINT and SIGTERM: the first ends the run gracefully, the second at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::TestRun;
use crate::execution::RunState;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::log::{Level, Logger};

/// Both signals.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    seen: bool,
}

impl Signals {
    /// From now on they no longer end the process.
    pub fn listen() -> Result<Self, Failure> {
        let interrupt = signal(SignalKind::interrupt()).exit(ExitCode::Other)?;
        let terminate = signal(SignalKind::terminate()).exit(ExitCode::Other)?;
        Ok(Self { interrupt, terminate, seen: false })
    }

    /// Waits for either; the name of the one that came.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupt",
            _ = self.terminate.recv() => "terminated",
        }
    }

    /// Resolves at the first signal, with the failure that it means.
    pub async fn first(&mut self) -> Failure {
        let name = self.next().await;
        self.seen = true;
        Failure::new(ExitCode::ExternalAbort, format!("test run was aborted because k6 received a '{name}' signal"))
    }

    /// Stops the run at the first signal; resolves at the second.
    pub async fn watch(&mut self, state: &RunState, log: &Logger) {
        if !self.seen {
            let failure = self.first().await;
            state.signal(failure);
        }
        self.second(log).await;
    }

    /// After the load: resolves at the second signal. Of a run that waits for other instances, the first one ends the wait.
    pub async fn second_of(&mut self, run: &TestRun) {
        match run.joined() {
            Some(_) => self.watch(&run.state, &run.log).await,
            None => self.second(&run.log).await,
        }
    }

    /// Resolves at the second signal.
    pub async fn second(&mut self, log: &Logger) {
        if !self.seen {
            self.next().await;
            self.seen = true;
        }
        let name = self.next().await;
        log.log(Level::Error, "Aborting k6 in response to signal", vec![("sig", name.into())]);
    }
}

/// The failure of a process that got a second signal.
pub(super) fn stopped_at_once() -> Failure {
    Failure::new(ExitCode::ExternalAbort, "the run was stopped at once")
}
