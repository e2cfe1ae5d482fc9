//! Sleeping to the tenth of a millisecond.
//!
//! tokio's timers have a resolution of one millisecond: VUs with equal think times drift into step, and their requests
//! arrive in bursts. Here one thread wakes each sleeper at its own moment.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::units::sync::lock;

/// Sleepers that are due within this time of each other are woken together: it bounds how often the thread runs.
const RESOLUTION: Duration = Duration::from_micros(100);

/// When a sleeper is due; the number tells sleepers of the same moment apart.
type WakeKey = (Instant, u64);

struct PreciseTimer {
    sleepers: Mutex<BTreeMap<WakeKey, Waker>>,
    /// Notified when a new sleeper is due before all others.
    earlier: Condvar,
}

/// Done when `duration` has passed.
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now() + duration)
}

/// Done at `moment`.
pub fn sleep_until(moment: Instant) -> Sleep {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Sleep { key: (moment, NEXT.fetch_add(1, Ordering::Relaxed)), is_known: false }
}

/// A pause; dropping it cancels it.
#[derive(Debug)]
pub struct Sleep {
    key: WakeKey,
    is_known: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.key.0 <= Instant::now() {
            return Poll::Ready(());
        }
        let mut sleepers = TIMER.sleepers();
        let is_first = sleepers.first_key_value().is_none_or(|(key, _)| self.key < *key);
        match sleepers.get_mut(&self.key) {
            Some(waker) => waker.clone_from(cx.waker()),
            None => _ = sleepers.insert(self.key, cx.waker().clone()),
        }
        self.is_known = true;
        drop(sleepers);
        if is_first {
            TIMER.earlier.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if self.is_known {
            TIMER.sleepers().remove(&self.key);
        }
    }
}

impl PreciseTimer {
    fn sleepers(&self) -> MutexGuard<'_, BTreeMap<WakeKey, Waker>> {
        lock(&self.sleepers)
    }

    /// Wakes sleepers when they are due, for ever.
    fn run(&self) {
        let mut due = Vec::new();
        loop {
            let mut sleepers = self.sleepers();
            let now = Instant::now();
            while let Some(first) = sleepers.first_entry().filter(|first| first.key().0 <= now) {
                due.push(first.remove());
            }
            if due.is_empty() {
                let next = sleepers.first_key_value().map(|((moment, _), _)| moment.saturating_duration_since(now));
                // Who is due is looked up again, so it does not matter why the wait ended.
                match next {
                    Some(rest) => drop(self.earlier.wait_timeout(sleepers, rest.max(RESOLUTION))),
                    None => drop(self.earlier.wait(sleepers)),
                }
                continue;
            }
            drop(sleepers);
            due.drain(..).for_each(Waker::wake);
        }
    }
}

/// The timer of this process.
static TIMER: PreciseTimer = PreciseTimer { sleepers: Mutex::new(BTreeMap::new()), earlier: Condvar::new() };

/// Starts the timer's thread, once; before that no sleeper is woken.
///
/// # Errors
/// When the system refuses another thread.
pub fn start() -> std::io::Result<()> {
    static RUNS: Mutex<bool> = Mutex::new(false);
    let mut runs = lock(&RUNS);
    if !*runs {
        std::thread::Builder::new().name("volley-timer".to_owned()).spawn(|| TIMER.run())?;
        *runs = true;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use futures_util::stream::FuturesUnordered;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        start().unwrap();
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn sleepers_wake_in_the_order_of_their_moments() {
        // Who is woken first goes on first, also where several are due when the thread gets its turn.
        let start = Instant::now();
        let sleepers: FuturesUnordered<_> = [3, 1, 2, 0]
            .map(async |at| {
                let moment = start + Duration::from_millis(100) * at;
                sleep_until(moment).await;
                assert!(Instant::now() >= moment);
                at
            })
            .into_iter()
            .collect();
        assert_eq!(runtime().block_on(sleepers.collect::<Vec<_>>()), [0, 1, 2, 3]);
    }

    #[test]
    fn a_dropped_sleep_is_cancelled() {
        runtime().block_on(async {
            let mut long = Box::pin(sleep(Duration::from_secs(3600)));
            let key = long.key;
            assert!(futures_util::poll!(&mut long).is_pending());
            assert!(TIMER.sleepers().contains_key(&key));
            drop(long);
            assert!(!TIMER.sleepers().contains_key(&key));
        });
    }
}
