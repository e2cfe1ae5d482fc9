//! Runs what takes long on threads that run no VU, on all processors but one, which is left to the VUs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use crate::net::cpu_pool::CpuPool;

/// How long a computation in slices keeps its thread while others wait for one.
const TIME_SLICE: Duration = Duration::from_millis(10);

/// The threads of scripts.
static SCRIPTS: CpuPool = CpuPool::new();

/// Computes on a thread of the pool. A computation that nobody waits for any more still holds its place until it ends.
/// `None` when it panicked.
pub async fn run<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    SCRIPTS.run(compute).await
}

/// As [`run`], for a computation that may take very long: it asks [`TimeSlices`] now and then whether to continue.
pub async fn run_in_slices<T: Send + 'static>(compute: impl FnOnce(TimeSlices) -> T + Send + 'static) -> Option<T> {
    let is_cancelled = CancelOnDrop(Arc::default());
    let seat = SCRIPTS.permit().await;
    let slices =
        TimeSlices { is_cancelled: is_cancelled.0.clone(), seat, since: Instant::now(), runtime: Handle::current() };
    tokio::task::spawn_blocking(move || compute(slices)).await.ok()
}

/// Cancels a computation when it is dropped, as nobody waits for its result.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A computation's place in the pool, which it shares with those that wait for one.
#[derive(Debug)]
pub struct TimeSlices {
    is_cancelled: Arc<AtomicBool>,
    seat: Option<OwnedSemaphorePermit>,
    since: Instant,
    runtime: Handle,
}

impl TimeSlices {
    /// Yields the place when the slice is over; false when nobody waits for the result any more.
    pub fn may_continue(&mut self) -> bool {
        if self.since.elapsed() > TIME_SLICE {
            self.seat = None;
            self.seat = self.runtime.block_on(SCRIPTS.permit());
            self.since = Instant::now();
        }
        !self.is_cancelled.load(Ordering::Relaxed)
    }
}
