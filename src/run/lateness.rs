//! How late timers fire on the network threads, where times are taken: if they are late, so is every measured time.
//!
//! The threads only tell; the conductor puts it into the ledger on its own beat, so that no network thread ever waits
//! for somebody who reads the numbers.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::metrics::health::PROBE_INTERVAL;
use crate::net::Net;

/// What the network threads told.
#[derive(Debug)]
pub(super) struct Lateness(UnboundedReceiver<Duration>);

impl Lateness {
    /// Tries all network threads from now on, until this is dropped.
    pub fn watch(net: &Net, threads: usize) -> Self {
        let (tell, told) = unbounded_channel();
        for thread in 0..threads as u64 {
            let tell = tell.clone();
            let trying = net.client(thread).run(move |_| async move {
                loop {
                    let due = Instant::now() + PROBE_INTERVAL;
                    sleep_until(due).await;
                    if tell.send(due.elapsed()).is_err() {
                        return;
                    }
                }
            });
            // It goes on without anybody who waits for its end.
            drop(trying);
        }
        Self(told)
    }

    /// How late they were since the last time.
    pub fn take(&mut self) -> impl Iterator<Item = Duration> {
        std::iter::from_fn(|| self.0.try_recv().ok())
    }
}
