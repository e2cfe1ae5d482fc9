//! Where what takes long is computed: on threads that run no VU, on all processors but one, which VUs keep.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use crate::net::cpu_pool::CpuPool;

/// How long a computation that gives turns keeps its seat while others wait for one.
const TURN: Duration = Duration::from_millis(10);

/// Those of scripts.
static SCRIPTS: CpuPool = CpuPool::new();

/// Computes on another thread. A VU that no longer waits for the answer does not free its seat before it is there.
/// `None` when the computation broke.
pub async fn aside<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    SCRIPTS.run(compute).await
}

/// As [`aside`], for a computation that may take very long: it asks [`Turns`] now and then whether to go on.
pub async fn in_turns<T: Send + 'static>(compute: impl FnOnce(Turns) -> T + Send + 'static) -> Option<T> {
    let is_left = Leaving(Arc::default());
    let seat = SCRIPTS.permit().await;
    let turns = Turns { is_left: is_left.0.clone(), seat, since: Instant::now(), runtime: Handle::current() };
    tokio::task::spawn_blocking(move || compute(turns)).await.ok()
}

/// Tells a computation, when it is dropped, that nobody waits for its answer.
struct Leaving(Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A computation's seat, which it shares with those that wait for one.
#[derive(Debug)]
pub struct Turns {
    is_left: Arc<AtomicBool>,
    seat: Option<OwnedSemaphorePermit>,
    since: Instant,
    runtime: Handle,
}

impl Turns {
    /// Lets others have the seat for a turn; false when nobody waits for the answer any more.
    pub fn may_continue(&mut self) -> bool {
        if self.since.elapsed() > TURN {
            self.seat = None;
            self.seat = self.runtime.block_on(SCRIPTS.permit());
            self.since = Instant::now();
        }
        !self.is_left.load(Ordering::Relaxed)
    }
}
