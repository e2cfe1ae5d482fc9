//! Where what takes long is computed: on a few threads that serve no connection and run no VU.

use std::sync::{Arc, LazyLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many may compute at once: one on every processor but one.
#[derive(Debug)]
pub struct CpuPool(LazyLock<Arc<Semaphore>>);

impl CpuPool {
    /// All of them free.
    pub const fn new() -> Self {
        Self(LazyLock::new(|| {
            let processors = std::thread::available_parallelism().map_or(2, usize::from);
            Arc::new(Semaphore::new((processors - 1).max(1)))
        }))
    }

    /// Waits for a seat. It is free again when what is returned is dropped.
    pub async fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().acquire_owned().await.ok()
    }

    /// Computes on another thread; `None` when the computation broke. Who no longer waits does not end it, nor free its seat.
    pub async fn aside<T: Send + 'static>(&self, compute: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let seat = self.take().await?;
        let work = move || {
            let answer = compute();
            drop(seat);
            answer
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

/// The network's own, so that nothing a script computes keeps it waiting.
static NETWORK: CpuPool = CpuPool::new();

/// Waits for a seat of the network.
pub async fn seat() -> Option<OwnedSemaphorePermit> {
    NETWORK.take().await
}

/// Computes for the network, see [`CpuPool::aside`].
pub async fn aside<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    NETWORK.aside(compute).await
}
