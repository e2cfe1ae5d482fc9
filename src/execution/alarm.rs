//! Sleeping to the tenth of a millisecond.
//!
//! tokio's timers count whole milliseconds: VUs that think equally long come to wake in step, and what they send
//! arrives in bursts that nobody asked for. Here one thread wakes everybody at their own moment.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::units::sync::lock;

/// Those who are due within this time of each other are woken together: it bounds how often the thread runs.
const STEP: Duration = Duration::from_micros(100);

/// When somebody wants to be woken; the number tells those of one moment apart.
type Turn = (Instant, u64);

struct Alarm {
    sleepers: Mutex<BTreeMap<Turn, Waker>>,
    /// Told when somebody came who is due before all others.
    earlier: Condvar,
}

/// Done when `duration` has passed.
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now() + duration)
}

/// Done at `moment`.
pub fn sleep_until(moment: Instant) -> Sleep {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Sleep { turn: (moment, NEXT.fetch_add(1, Ordering::Relaxed)), is_known: false }
}

/// A pause; dropping it forgets it.
#[derive(Debug)]
pub struct Sleep {
    turn: Turn,
    is_known: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.turn.0 <= Instant::now() {
            return Poll::Ready(());
        }
        let mut sleepers = ALARM.sleepers();
        let is_first = sleepers.first_key_value().is_none_or(|(turn, _)| self.turn < *turn);
        match sleepers.get_mut(&self.turn) {
            Some(waker) => waker.clone_from(cx.waker()),
            None => _ = sleepers.insert(self.turn, cx.waker().clone()),
        }
        self.is_known = true;
        drop(sleepers);
        if is_first {
            ALARM.earlier.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if self.is_known {
            ALARM.sleepers().remove(&self.turn);
        }
    }
}

impl Alarm {
    fn sleepers(&self) -> MutexGuard<'_, BTreeMap<Turn, Waker>> {
        lock(&self.sleepers)
    }

    /// Wakes whoever is due, for ever.
    fn ring(&self) {
        let mut due = Vec::new();
        loop {
            let mut sleepers = self.sleepers();
            let now = Instant::now();
            while let Some(first) = sleepers.first_entry().filter(|first| first.key().0 <= now) {
                due.push(first.remove());
            }
            if due.is_empty() {
                let next = sleepers.first_key_value().map(|((moment, _), _)| moment.saturating_duration_since(now));
                // Whom the wait ends for is looked up anew: nothing has to be known about why it ended.
                match next {
                    Some(rest) => drop(self.earlier.wait_timeout(sleepers, rest.max(STEP))),
                    None => drop(self.earlier.wait(sleepers)),
                }
                continue;
            }
            drop(sleepers);
            due.drain(..).for_each(Waker::wake);
        }
    }
}

/// The alarm of this process.
static ALARM: Alarm = Alarm { sleepers: Mutex::new(BTreeMap::new()), earlier: Condvar::new() };

/// Starts the thread that wakes, once; before that nobody who sleeps is woken.
///
/// # Errors
/// When the system has no room for another thread.
pub fn start() -> std::io::Result<()> {
    static RUNS: Mutex<bool> = Mutex::new(false);
    let mut runs = lock(&RUNS);
    if !*runs {
        std::thread::Builder::new().name("volley-alarm".to_owned()).spawn(|| ALARM.ring())?;
        *runs = true;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        start().unwrap();
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn sleepers_wake_in_the_order_of_their_moments() {
        let woken = Mutex::new(Vec::new());
        runtime().block_on(futures_util::future::join_all([30, 10, 20, 0].map(async |ms| {
            let started = Instant::now();
            sleep(Duration::from_millis(ms)).await;
            assert!(started.elapsed() >= Duration::from_millis(ms));
            woken.lock().unwrap().push(ms);
        })));
        assert_eq!(*woken.lock().unwrap(), [0, 10, 20, 30]);
    }

    #[test]
    fn whoever_leaves_is_forgotten() {
        runtime().block_on(async {
            let mut long = Box::pin(sleep(Duration::from_secs(3600)));
            let turn = long.turn;
            assert!(futures_util::poll!(&mut long).is_pending());
            assert!(ALARM.sleepers().contains_key(&turn));
            drop(long);
            assert!(!ALARM.sleepers().contains_key(&turn));
        });
    }
}
