//! The executors, one file each, and what they have in common.
//!
//! Read `constant_vus` first, it is the simplest. The ones with a fixed number of VUs ([`closed`]) differ only in
//! when a VU stops asking for another iteration.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use tokio::time::Instant;

use super::pool::Pool;
use super::scenario::ScenarioRun;
use super::vu::{Vu, VuId};
use crate::failure::Failure;

mod arrival_rate;
mod constant_vus;
mod externally_controlled;
mod per_vu_iterations;
mod ramping_vus;
mod shared_iterations;

pub use arrival_rate::{ArrivalRate, Starts};
pub use constant_vus::ConstantVus;
pub use externally_controlled::{Controls, ExternallyControlled};
pub use per_vu_iterations::PerVuIterations;
pub use ramping_vus::RampingVus;
pub use shared_iterations::SharedIterations;

/// Decides when the iterations of one scenario start.
pub trait Executor: Send + Sync {
    /// Runs the scenario from its start to the end of its last iteration.
    fn run(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> BoxFuture<'_, Result<(), Failure>>;
}

/// Makes one more VU than were planned; its number.
pub type MakeVu = Arc<dyn Fn() -> BoxFuture<'static, Result<VuId, Failure>> + Send + Sync>;

/// Where executors record iterations that were due and never began: how many, and of which VU if they belonged to one.
#[derive(Clone)]
pub struct DroppedIterations(pub Arc<OnDropped>);

/// Gets the scenario, how many, and whose.
type OnDropped = dyn Fn(&ScenarioRun, u64, Option<VuId>) + Send + Sync;

impl DroppedIterations {
    fn record(&self, scenario: &ScenarioRun, count: u64, vu: Option<VuId>) {
        (self.0)(scenario, count, vu);
    }
}

impl std::fmt::Debug for DroppedIterations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DroppedIterations")
    }
}

/// Takes `count` VUs and lets each do `work` until it ends by itself; `end` is when graceful stop begins.
///
/// Iterations that still run when graceful stop is over are interrupted. The VUs go back to the pool.
async fn closed<W, F>(
    scenario: &Arc<ScenarioRun>,
    pool: &Arc<Pool>,
    count: u64,
    end: Instant,
    work: W,
) -> Result<(), Failure>
where
    W: Fn(std::rc::Rc<dyn Vu>, Arc<ScenarioRun>, u64) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let vus = pool.take_many(count).await?;
    let done = vus.iter().enumerate().map(|(nth, &vu)| {
        let (scenario, work) = (scenario.clone(), work.clone());
        pool.vus.run(
            vu,
            Box::new(move |handle| {
                Box::pin(async move {
                    handle.activate(&scenario);
                    work(handle.clone(), scenario, nth as u64).await;
                    handle.release();
                })
            }),
        )
    });
    until_stopped(scenario, pool, &vus, end, join_all(done).map(|_| ())).await;
    for vu in vus {
        pool.put(vu);
    }
    Ok(())
}

/// Waits for `done`; at `end` no iteration starts any more, and when graceful stop is over, or the run is aborted,
/// the VUs are interrupted.
async fn until_stopped(
    scenario: &ScenarioRun,
    pool: &Pool,
    vus: &[VuId],
    end: Instant,
    done: impl Future<Output = ()>,
) {
    let mut done = pin!(done);
    let mut aborted = pin!(scenario.state.until_aborted());
    let stopped = async {
        tokio::time::sleep_until(end).await;
        scenario.close();
        tokio::time::sleep_until(end + scenario.graceful_stop).await;
    };
    tokio::select! {
        () = &mut done => return,
        () = stopped => {}
        () = &mut aborted => {}
    }
    scenario.close();
    for &vu in vus {
        pool.vus.interrupt(vu);
    }
    done.await;
}
