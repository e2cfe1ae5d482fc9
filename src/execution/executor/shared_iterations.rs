//! A fixed number of VUs take iterations from one counter: a free VU takes the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{DroppedIterations, Executor, closed};
use crate::execution::{Pool, ScenarioRun};
use crate::failure::Failure;

/// `shared-iterations`, checked.
#[derive(Clone, Debug)]
pub struct SharedIterations {
    /// How many VUs, already scaled to this machine's share.
    pub vus: u64,
    /// How many iterations in all, already scaled.
    pub iterations: u64,
    /// When no iteration may start any more.
    pub max_duration: Duration,
    /// Told how many iterations were never begun.
    pub dropped: DroppedIterations,
}

impl Executor for SharedIterations {
    fn run(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> BoxFuture<'_, Result<(), Failure>> {
        async move {
            let end = scenario.facts.progress.start() + self.max_duration;
            let (begun, total) = (Arc::new(AtomicU64::new(0)), self.iterations);
            let counter = begun.clone();
            closed(&scenario, &pool, self.vus, end, move |vu, scenario, _| {
                let counter = counter.clone();
                async move {
                    while scenario.is_open() && tokio::time::Instant::now() < end {
                        if counter.fetch_add(1, Relaxed) >= total {
                            break;
                        }
                        vu.iterate().await;
                    }
                }
            })
            .await?;
            let left = total.saturating_sub(begun.load(Relaxed));
            if left > 0 && !scenario.state.is_aborted() {
                self.dropped.record(&scenario, left, None);
            }
            Ok(())
        }
        .boxed()
    }
}
