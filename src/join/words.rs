//! What instances tell each other: each says how it is, the conductor says what holds for all.
//!
//! Both are states, not events, and are written again and again: what a Redis server that was started anew has forgotten is there again
//! within a moment.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Where an instance is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberStage {
    /// It reads the script and makes VUs.
    #[default]
    Joining,
    /// It may begin.
    Ready,
    /// It was asked to run `setup()`, and has.
    SetUp,
    /// Its scenarios run.
    Running,
    /// Its scenarios are over.
    Done,
    /// It was asked to run `teardown()`, and has.
    TornDown,
    /// Its result is there.
    Ended,
}

/// How far a scenario is, at one instance or at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// How long it has been running; nothing before its start.
    pub spent: Option<Duration>,
    /// The iterations to do, for executors that count them.
    pub total: Option<u64>,
    /// Iterations done, cut ones included.
    pub done: u64,
    /// VUs that work for it now.
    pub active: u64,
    /// Iterations that are running now.
    pub running: u64,
    /// The most VUs it is planned to have.
    pub vus: u64,
    /// All of it is done.
    pub finished: bool,
    /// It was cut by an abort.
    pub cut: bool,
}

impl ScenarioReport {
    /// Adds how far another instance is.
    pub fn add(&mut self, other: &Self) {
        self.spent = self.spent.max(other.spent);
        self.total = self.total.zip(other.total).map(|(one, more)| one + more);
        self.done += other.done;
        self.active += other.active;
        self.running += other.running;
        self.vus += other.vus;
        self.finished &= other.finished;
        self.cut |= other.cut;
    }

    /// The share that is done, 0..1, of what takes so long.
    pub fn fraction(&self, duration: Duration) -> f64 {
        match (self.total, self.spent) {
            (_, None) => 0.0,
            (Some(0), _) => 1.0,
            (Some(total), _) => (self.done as f64 / total as f64).min(1.0),
            (None, Some(spent)) if duration.is_zero() => f64::from(u8::from(spent > duration)),
            (None, Some(spent)) => (spent.as_secs_f64() / duration.as_secs_f64()).min(1.0),
        }
    }
}

/// How an instance is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReport {
    /// Tells two processes apart that claim the same number.
    pub token: String,
    /// Where it is.
    pub stage: MemberStage,
    /// Which test it runs, once it knows.
    pub test: Option<String>,
    /// VUs at work.
    pub active: u64,
    /// VUs that are ready.
    pub initialised: u64,
    /// The most VUs it may have.
    pub max_vus: u64,
    /// Iterations that ended.
    pub complete: u64,
    /// Iterations that were cut.
    pub interrupted: u64,
    /// How long the test has been going on, without waiting for others.
    #[serde(default)]
    pub elapsed: Duration,
    /// How far its scenarios are.
    #[serde(default)]
    pub scenarios: Vec<ScenarioReport>,
    /// It waits to be resumed before it begins.
    pub is_held: bool,
    /// The script marked the test as failed.
    pub marked_as_failed: bool,
    /// Why it ends the test for all.
    pub abort: Option<AbortOrder>,
}

/// The end of the test, for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbortOrder {
    /// The exit code of the whole.
    pub code: u8,
    /// Why.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
    /// The message is a stack trace.
    pub is_exception: bool,
}

impl AbortOrder {
    /// As a failure of the run.
    pub fn failure(&self) -> Failure {
        let Self { code, message, hint, is_exception } = self.clone();
        Failure { code: ExitCode::of_number(code), message, hint, is_exception }
    }
}

impl From<&Failure> for AbortOrder {
    fn from(failure: &Failure) -> Self {
        let Failure { code, message, hint, is_exception } = failure.clone();
        Self { code: code as u8, message, hint, is_exception }
    }
}

/// Holds all instances, or lets them go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseOrder {
    /// Its number: a greater one is a new order.
    pub number: u64,
    /// Whether they are held.
    pub paused: bool,
}

/// Changes the VUs of externally-controlled scenarios; counts are those of the whole test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleOrder {
    /// Its number: a greater one is a new order.
    pub number: u64,
    /// VUs at work.
    pub vus: Option<i64>,
    /// The most there may be.
    pub vus_max: Option<i64>,
}

/// What holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Who says it later has the greater one.
    pub term: u64,
    /// The instance that conducts, from 0; nothing for a conductor that makes no load.
    pub by: Option<u64>,
    /// Counts on while the conductor lives.
    pub beat: u64,
    /// Who runs `setup()`: from here on nobody may join.
    pub set_up_by: Option<u64>,
    /// When scenarios begin, in microseconds of the server's clock.
    pub start_at: Option<u64>,
    /// The epoch in which scenarios began: what is sent in another one does not say when it was measured.
    #[serde(default)]
    pub start_epoch: Option<u64>,
    /// The test is ended.
    pub abort: Option<AbortOrder>,
    /// Whether it is held.
    pub pause: PauseOrder,
    /// What scenarios are scaled to.
    pub scale: ScaleOrder,
    /// Who runs `teardown()`.
    pub torn_down_by: Option<u64>,
    /// Everybody is done: results are collected.
    pub collects: bool,
    /// Instances that are lost.
    pub lost: Vec<u64>,
    /// Instances whose result is not there.
    pub wanted: Vec<u64>,
    /// Somebody looks at the whole while it runs: checkpoints are made more often.
    #[serde(default)]
    pub is_watched: bool,
    /// What is sent counts from here on: with a new number everybody sends all it has.
    pub epoch: u64,
    /// The whole has its summary.
    pub is_over: bool,
}

impl Control {
    /// Whether the test has begun: nobody may join any more.
    pub fn has_begun(&self) -> bool {
        self.set_up_by.is_some() || self.abort.is_some()
    }
}

/// What an instance measured since its last frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaFrame {
    /// Who sends it.
    pub index: u64,
    /// The epoch it counts in.
    pub epoch: u64,
    /// Its number in this epoch, from 0; the first one holds all that was measured so far.
    pub number: u64,
    /// The deltas, as `metrics::delta` encodes them.
    pub deltas: Vec<u8>,
}

impl DeltaFrame {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let head = [self.index, self.epoch, self.number].map(u64::to_le_bytes).concat();
        [head, self.deltas.clone()].concat()
    }

    /// Reads a frame; nothing if it is none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, deltas) = bytes.split_at_checked(24)?;
        let (numbers, _) = head.as_chunks::<8>();
        let &[index, epoch, number] = numbers else { return None };
        let [index, epoch, number] = [index, epoch, number].map(u64::from_le_bytes);
        Some(Self { index, epoch, number, deltas: deltas.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back() {
        let frame = DeltaFrame { index: 3, epoch: 1, number: 70_000, deltas: vec![1, 2, 3] };
        assert_eq!(DeltaFrame::decode(&frame.encode()), Some(frame));
        assert_eq!(DeltaFrame::decode(&[0; 23]), None);
    }

    #[test]
    fn what_an_older_version_does_not_say_is_no_reason_to_fail() {
        let control = Control { term: 2, lost: vec![1], ..Control::default() };
        let text = serde_json::to_string(&control).unwrap();
        assert_eq!(serde_json::from_str::<Control>(&text).unwrap(), control);
    }
}
