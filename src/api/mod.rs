//! The REST API of a running test: k6's version 1, to watch, start, stop and change it from outside.
//!
//! It listens from before the VUs are made until the outputs are closed, on a thread and a runtime of its own, so that
//! it answers whatever the run is busy with. What it can do to a run is the trait [`RunControl`]; the shapes are in
//! `documents`, the addresses in `routes`. There is no authentication, as in k6: listen on an address you trust. What
//! a browser was talked into by a foreign page is refused ([`crate::net::origin`]).
//! Deliberately absent: profiles in Go's form.

pub mod documents;
mod process;
mod routes;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::execution::RunStatus;
use crate::failure::Failure;
use crate::metrics::Results;

pub use server::{Server, listen};

/// How a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunCondition {
    /// Where it is.
    pub status: RunStatus,
    /// Whether it is held.
    pub is_paused: bool,
    /// VUs that iterate.
    pub vus: u64,
    /// VUs that are ready.
    pub vus_max: u64,
    /// Whether it was stopped, for any reason.
    pub is_stopped: bool,
    /// Whether it has begun and not ended.
    pub is_running: bool,
    /// Whether a threshold was crossed when they were last judged.
    pub is_tainted: bool,
}

/// Why a change of a run was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct ControlError {
    /// What was tried, in k6's words.
    pub title: &'static str,
    /// Why it can't be.
    pub detail: String,
}

/// What the API may ask of a run and do to it.
pub trait RunControl: Send + Sync {
    /// How it is doing.
    fn condition(&self) -> RunCondition;

    /// Everything measured so far.
    fn results(&self) -> Results;

    /// Stops the run, as a signal would.
    fn stop(&self);

    /// Holds the run or lets it go on.
    ///
    /// # Errors
    /// Where that can't be.
    fn pause(&self, paused: bool) -> Result<(), ControlError>;

    /// Changes the VUs of an externally-controlled scenario.
    ///
    /// # Errors
    /// Where that can't be.
    fn scale(&self, vus: Option<i64>, vus_max: Option<i64>) -> Result<(), ControlError>;

    /// What `setup()` returned, as JSON.
    fn setup_data(&self) -> Option<Arc<str>>;

    /// Gives VUs other data than `setup()` returned.
    fn put_setup_data(&self, json: Option<Arc<str>>);

    /// Runs `setup()` now, and keeps what it returns.
    fn set_up(self: Arc<Self>) -> BoxFuture<'static, Result<(), Failure>>;

    /// Runs `teardown()` now.
    fn tear_down(self: Arc<Self>) -> BoxFuture<'static, Result<(), Failure>>;
}
