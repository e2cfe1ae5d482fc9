//! Where what takes long is computed for the network: on a few threads that serve no connection.

use std::sync::{Arc, LazyLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Waits for a seat: there is one on every processor but one. It is free again when what is returned is dropped.
pub async fn seat() -> Option<OwnedSemaphorePermit> {
    static SEATS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Arc::new(Semaphore::new((processors - 1).max(1)))
    });
    SEATS.clone().acquire_owned().await.ok()
}

/// Computes on another thread; `None` when the computation broke. Who no longer waits does not end it.
pub async fn aside<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let seat = seat().await?;
    let work = move || {
        let answer = compute();
        drop(seat);
        answer
    };
    tokio::task::spawn_blocking(work).await.ok()
}
