//! Starts a fixed number of VUs and lets each iterate until the duration ends.
//!
//! The simplest executor; read it first. Pacing by rate lives in the arrival-rate executors.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Executor, closed};
use crate::execution::{Pool, ScenarioRun};
use crate::failure::Failure;

/// `constant-vus`, checked.
#[derive(Clone, Debug)]
pub struct ConstantVus {
    /// How many VUs, already scaled to this machine's share.
    pub vus: u64,
    /// How long iterations may start.
    pub duration: Duration,
}

impl Executor for ConstantVus {
    fn run(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> BoxFuture<'_, Result<(), Failure>> {
        async move {
            let end = scenario.facts.progress.start() + self.duration;
            closed(&scenario, &pool, self.vus, end, move |vu, scenario, _| async move {
                // The running iteration may finish: graceful stop is `closed`'s business.
                while scenario.is_open() && tokio::time::Instant::now() < end {
                    vu.iterate().await;
                }
            })
            .await
        }
        .boxed()
    }
}
