//! Every VU does the same number of iterations, at its own pace.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{DroppedIterations, Executor, closed};
use crate::execution::{Pool, ScenarioRun};
use crate::failure::Failure;

/// `per-vu-iterations`, checked.
#[derive(Clone, Debug)]
pub struct PerVuIterations {
    /// How many VUs, already scaled to this machine's share.
    pub vus: u64,
    /// How many iterations each of them does.
    pub iterations: u64,
    /// When no iteration may start any more.
    pub max_duration: Duration,
    /// Told, for each VU, how many iterations it never began.
    pub dropped: DroppedIterations,
}

impl Executor for PerVuIterations {
    fn run(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> BoxFuture<'_, Result<(), Failure>> {
        async move {
            let end = scenario.facts.progress.start() + self.max_duration;
            let (iterations, dropped) = (self.iterations, self.dropped.clone());
            closed(&scenario, &pool, self.vus, end, move |vu, scenario, _| {
                let dropped = dropped.clone();
                async move {
                    for begun in 0..iterations {
                        if !scenario.is_open() || tokio::time::Instant::now() >= end {
                            if !scenario.state.is_aborted() {
                                dropped.record(&scenario, iterations - begun, Some(vu.id()));
                            }
                            break;
                        }
                        vu.iterate().await;
                    }
                }
            })
            .await
        }
        .boxed()
    }
}
