//! One scenario while it runs: its facts, its clock, its progress.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use std::sync::OnceLock;

use tokio::time::Instant;

use super::state::RunState;
use crate::log::Logger;
use crate::metrics::TagSet;

/// Maps this machine's n-th iteration (from 0) to its number in the whole test.
pub type Stripe = Arc<dyn Fn(u64) -> u64 + Send + Sync>;

/// What a VU knows of the scenario it works for.
pub struct ScenarioFacts {
    /// Its name.
    pub name: Arc<str>,
    /// The executor's name, as in `constant-vus`.
    pub executor: &'static str,
    /// The exported function its iterations call.
    pub exec: String,
    /// The environment of its VUs: its own over the run's.
    pub env: Arc<BTreeMap<String, String>>,
    /// Run tags, the scenario's tags, `scenario` and `group`.
    pub tags: Arc<TagSet>,
    /// Its `options`, as typed: what it says about a browser.
    pub options: Option<serde_json::Value>,
    /// How far it is.
    pub progress: ScenarioProgress,
    /// This machine's share of the iteration numbers.
    pub stripe: Stripe,
    next_iteration: AtomicU64,
}

impl ScenarioFacts {
    /// Facts of a scenario that has not begun.
    pub fn new(
        name: Arc<str>,
        executor: &'static str,
        exec: String,
        env: Arc<BTreeMap<String, String>>,
        tags: Arc<TagSet>,
        progress: ScenarioProgress,
        stripe: Stripe,
    ) -> Self {
        Self { name, executor, exec, env, tags, options: None, progress, stripe, next_iteration: AtomicU64::new(0) }
    }

    /// The same, with what the scenario says in `options`.
    pub fn with_options(self, options: Option<serde_json::Value>) -> Self {
        Self { options, ..self }
    }

    /// Numbers the next iteration: on this machine, and in the whole test.
    pub fn number_iteration(&self) -> (u64, u64) {
        let here = self.next_iteration.fetch_add(1, Relaxed);
        (here, (self.stripe)(here))
    }
}

impl std::fmt::Debug for ScenarioFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "scenario {}", self.name)
    }
}

/// How far a scenario is, for the progress lines and `exec.scenario.progress`.
#[derive(Debug)]
pub struct ScenarioProgress {
    /// How long it runs, without graceful stop; `maxDuration` for executors that count iterations.
    pub duration: Duration,
    /// The iterations to do, for executors that count them.
    pub total: Option<u64>,
    /// Iterations done, cut ones included.
    pub done: AtomicU64,
    /// VUs that work for it now.
    pub active: AtomicU64,
    /// Iterations that are running now.
    pub running: AtomicU64,
    /// VUs it may have at most now: the target of a ramp.
    pub wanted: AtomicU64,
    /// True once all of it is done.
    pub finished: AtomicBool,
    /// True if it was cut by an abort.
    pub cut: AtomicBool,
    started: OnceLock<(Instant, SystemTime)>,
}

impl ScenarioProgress {
    /// Nothing done yet.
    pub fn new(duration: Duration, total: Option<u64>) -> Self {
        Self {
            duration,
            total,
            done: AtomicU64::new(0),
            active: AtomicU64::new(0),
            running: AtomicU64::new(0),
            wanted: AtomicU64::new(0),
            finished: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            started: OnceLock::new(),
        }
    }

    /// Starts the clock.
    pub fn start(&self) -> Instant {
        self.started.get_or_init(|| (Instant::now(), SystemTime::now())).0
    }

    /// When it started, by the wall clock.
    pub fn started_at(&self) -> Option<SystemTime> {
        self.started.get().map(|(_, wall)| *wall)
    }

    /// How long it has been running.
    pub fn spent(&self) -> Option<Duration> {
        self.started.get().map(|(instant, _)| instant.elapsed())
    }

    /// The share that is done, 0..1.
    pub fn share(&self) -> f64 {
        match (self.total, self.spent()) {
            (_, None) => 0.0,
            (Some(0), _) => 1.0,
            (Some(total), _) => (self.done.load(Relaxed) as f64 / total as f64).min(1.0),
            (None, Some(spent)) if self.duration.is_zero() => f64::from(u8::from(spent > self.duration)),
            (None, Some(spent)) => (spent.as_secs_f64() / self.duration.as_secs_f64()).min(1.0),
        }
    }
}

/// What an executor and its VUs share while a scenario runs.
#[derive(Debug)]
pub struct ScenarioRun {
    /// What VUs know of it.
    pub facts: Arc<ScenarioFacts>,
    /// The run it is part of.
    pub state: Arc<RunState>,
    /// Where it warns.
    pub log: Logger,
    /// How long running iterations may go on when its time is over.
    pub graceful_stop: Duration,
    /// Raised when no iteration may start any more.
    pub closing: AtomicBool,
}

impl ScenarioRun {
    /// True while iterations may start.
    pub fn is_open(&self) -> bool {
        !self.closing.load(Relaxed) && !self.state.is_aborted()
    }

    /// No iteration starts from now on.
    pub fn close(&self) {
        self.closing.store(true, Relaxed);
    }
}
