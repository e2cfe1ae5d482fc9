//! Where long computations run: on a few threads that serve no connection and run no VU.

use std::sync::{Arc, LazyLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A bounded pool: one computation at a time on every processor but one.
#[derive(Debug)]
pub struct CpuPool(LazyLock<Arc<Semaphore>>);

impl CpuPool {
    /// A pool in which nothing runs yet.
    pub const fn new() -> Self {
        Self(LazyLock::new(|| {
            let processors = std::thread::available_parallelism().map_or(2, usize::from);
            Arc::new(Semaphore::new((processors - 1).max(1)))
        }))
    }

    /// Waits until another computation may run. Dropping the permit lets the next one run.
    pub async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().acquire_owned().await.ok()
    }

    /// Computes on another thread; `None` when the computation panicked. Dropping the future neither ends a computation that
    /// has begun nor frees its place.
    pub async fn run<T: Send + 'static>(&self, compute: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let permit = self.permit().await?;
        let task = move || {
            let result = compute();
            drop(permit);
            result
        };
        tokio::task::spawn_blocking(task).await.ok()
    }
}

/// The network's own pool, so that nothing a script computes delays it.
static NETWORK: CpuPool = CpuPool::new();

/// Waits until another computation of the network may run.
pub async fn permit() -> Option<OwnedSemaphorePermit> {
    NETWORK.permit().await
}

/// Computes for the network, see [`CpuPool::run`].
pub async fn run<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    NETWORK.run(compute).await
}
