//! What the whole run did so far, and why it was stopped, if it was.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::units::sync::lock;

/// Where a run is; the numbers are those of k6's REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RunStatus {
    /// Nothing has happened yet.
    Created = 0,
    /// VUs are made.
    InitVus = 1,
    /// Scenarios get ready.
    InitExecutors = 2,
    /// Everything is ready.
    InitDone = 3,
    /// Everything is ready and waits to be resumed.
    PausedBeforeRun = 4,
    /// The run has begun.
    Started = 5,
    /// `setup()` runs.
    Setup = 6,
    /// Scenarios run.
    Running = 7,
    /// `teardown()` runs.
    Teardown = 8,
    /// All stages are done.
    Ended = 9,
    /// The run was stopped.
    Interrupted = 10,
    /// The run was marked as failed by its script.
    MarkedAsFailed = 11,
}

/// Why a run was stopped before its scenarios ended.
#[derive(Clone, Debug)]
pub struct Abort {
    /// The code and the line the process ends with.
    pub failure: Failure,
}

/// Measures how long a test takes, without the times at which it is held.
#[derive(Debug, Default)]
struct TestClock {
    /// What was counted before [`Self::since`].
    counted: Duration,
    /// Since when it runs; nothing while it is held.
    since: Option<Instant>,
    has_begun: bool,
    has_ended: bool,
}

impl TestClock {
    fn begin(&mut self) {
        if !self.has_begun {
            self.has_begun = true;
            self.since = Some(Instant::now());
        }
    }

    fn hold(&mut self) {
        self.counted = self.elapsed();
        self.since = None;
    }

    fn resume(&mut self) {
        if self.has_begun && !self.has_ended {
            self.since.get_or_insert_with(Instant::now);
        }
    }

    fn end(&mut self) {
        self.hold();
        self.has_ended = true;
    }

    fn elapsed(&self) -> Duration {
        self.counted + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Counters of a run, written by VUs and executors.
#[derive(Debug)]
pub struct RunState {
    /// Iterations that ran to their end.
    pub complete: AtomicU64,
    /// Iterations that were cut.
    pub interrupted: AtomicU64,
    /// VUs that work for a scenario now.
    pub active_vus: AtomicU64,
    /// The most there were since [`Self::most_active_vus`] was last asked.
    most_active_vus: AtomicU64,
    /// VUs that are ready.
    pub initialised_vus: AtomicU64,
    /// True once `exec.test.fail()` was called.
    pub marked_as_failed: AtomicBool,
    status: watch::Sender<RunStatus>,
    paused: watch::Sender<bool>,
    clock: Mutex<TestClock>,
    lingering: watch::Sender<bool>,
    /// Whether a signal asked for the end.
    signalled: AtomicBool,
    /// Whether the REST API asked for the end.
    stop_requested: AtomicBool,
    abort: watch::Sender<Option<Abort>>,
    first_abort: Mutex<Option<Abort>>,
}

impl Default for RunState {
    fn default() -> Self {
        Self {
            complete: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
            active_vus: AtomicU64::new(0),
            most_active_vus: AtomicU64::new(0),
            initialised_vus: AtomicU64::new(0),
            marked_as_failed: AtomicBool::new(false),
            status: watch::Sender::new(RunStatus::Created),
            paused: watch::Sender::new(false),
            clock: Mutex::default(),
            lingering: watch::Sender::new(false),
            signalled: AtomicBool::new(false),
            stop_requested: AtomicBool::new(false),
            abort: watch::Sender::new(None),
            first_abort: Mutex::default(),
        }
    }
}

impl RunState {
    /// One more VU works for a scenario.
    pub fn vu_activated(&self) {
        let active = self.active_vus.fetch_add(1, Relaxed) + 1;
        self.most_active_vus.fetch_max(active, Relaxed);
    }

    /// One VU less works for a scenario.
    pub fn vu_released(&self) {
        self.active_vus.fetch_sub(1, Relaxed);
    }

    /// VUs that work for a scenario now, and the most that did at a time since the last call.
    pub fn most_active_vus(&self) -> (u64, u64) {
        let most = self.most_active_vus.swap(0, Relaxed);
        let active = self.active_vus.load(Relaxed);
        // Those that are active now are the first of the next time.
        self.most_active_vus.fetch_max(active, Relaxed);
        (active, most.max(active))
    }

    /// Stops the run: every VU is interrupted. The first reason counts.
    pub fn abort(&self, failure: Failure) {
        let mut first = lock(&self.first_abort);
        if first.is_none() {
            let abort = Abort { failure };
            *first = Some(abort.clone());
            self.abort.send_replace(Some(abort));
        }
    }

    /// Stops the run with `code` and `message`.
    pub fn abort_with(&self, code: ExitCode, message: impl Into<String>) {
        self.abort(Failure::new(code, message));
    }

    /// Why the run was stopped, if it was.
    pub fn aborted(&self) -> Option<Abort> {
        self.abort.borrow().clone()
    }

    /// True if the run was stopped.
    pub fn is_aborted(&self) -> bool {
        self.abort.borrow().is_some()
    }

    /// Resolves when the run is stopped; never otherwise.
    pub async fn until_aborted(&self) {
        let mut seen = self.abort.subscribe();
        if seen.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Where the run is.
    pub fn status(&self) -> RunStatus {
        *self.status.borrow()
    }

    /// The run goes on to the next stage. Its clock runs from [`RunStatus::Started`] to the end of its stages: neither
    /// making VUs nor waiting before or after the test is part of it.
    pub fn enter(&self, status: RunStatus) {
        if status == RunStatus::Started {
            lock(&self.clock).begin();
        }
        if status >= RunStatus::Ended {
            lock(&self.clock).end();
        }
        self.status.send_replace(status);
    }

    /// Whether the run is paused.
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Pauses or resumes the run.
    pub fn set_paused(&self, paused: bool) {
        self.paused.send_replace(paused);
    }

    /// Resolves when the run is not paused.
    pub async fn until_resumed(&self) {
        // The sender is ours, so this can't fail.
        let _ = self.paused.subscribe().wait_for(|paused| !paused).await;
    }

    /// The REST API asks for the end, whether there is still something to end or not.
    pub fn request_stop(&self) {
        self.stop_requested.store(true, Relaxed);
    }

    /// Whether the run was stopped, or asked to stop when it was over already.
    pub fn is_stopped(&self) -> bool {
        self.stop_requested.load(Relaxed) || self.is_aborted()
    }

    /// A signal asks for the end: of the wait after the test, else of the run.
    pub fn signal(&self, failure: Failure) {
        self.signalled.store(true, Relaxed);
        if !self.lingering.send_replace(false) {
            self.abort(failure);
        }
    }

    /// Whether a signal asked for the end.
    pub fn is_signalled(&self) -> bool {
        self.signalled.load(Relaxed)
    }

    /// Waits for a signal after the test, as `--linger` asks.
    pub async fn linger_until_signal(&self) {
        self.lingering.send_replace(true);
        if self.is_signalled() {
            return;
        }
        let mut seen = self.lingering.subscribe();
        let _ = seen.wait_for(|lingering| !lingering).await;
    }

    /// How long the run has been going on, or went on; nothing before it began.
    pub fn elapsed(&self) -> Duration {
        lock(&self.clock).elapsed()
    }

    /// What happens from here on is no part of the test: this instance waits for others.
    pub fn hold_clock(&self) {
        lock(&self.clock).hold();
    }

    /// The test goes on.
    pub fn resume_clock(&self) {
        lock(&self.clock).resume();
    }

    /// Iterations that ran to their end and iterations that were cut.
    pub fn iterations(&self) -> (u64, u64) {
        (self.complete.load(Relaxed), self.interrupted.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_clock_stands_still() {
        let state = RunState::default();
        let pause = || std::thread::sleep(Duration::from_millis(2));
        let stands = || {
            let before = state.elapsed();
            pause();
            state.elapsed() == before
        };
        state.resume_clock();
        assert!(stands(), "a test that has not begun takes no time");
        state.enter(RunStatus::Started);
        assert!(!stands());
        state.hold_clock();
        assert!(stands() && state.elapsed() > Duration::ZERO);
        state.hold_clock();
        assert!(stands());
        state.resume_clock();
        assert!(!stands());
        state.resume_clock();
        assert!(!stands());
        state.enter(RunStatus::Ended);
        assert!(stands());
        state.resume_clock();
        assert!(stands(), "what follows a test is no part of it");
    }
}
