//! Where what takes long is computed: on threads that run no VU, on all processors but one, which VUs keep.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

/// Computes on another thread. A VU that no longer waits for the answer does not free its seat before it is there.
/// `None` when the computation broke.
pub async fn aside<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    static SEATS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Arc::new(Semaphore::new((processors - 1).max(1)))
    });
    let seat = SEATS.clone().acquire_owned().await.ok()?;
    let work = move || {
        let answer = compute();
        drop(seat);
        answer
    };
    tokio::task::spawn_blocking(work).await.ok()
}
