//! How late timers fire on the network threads, where times are taken: if they are late, so is every measured time.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::metrics::health::PROBE_INTERVAL;
use crate::net::Net;
use crate::units::sync::lock;

/// The receiving end of what the network threads measure.
#[derive(Debug)]
pub(super) struct NetDelayProbe(Mutex<UnboundedReceiver<Duration>>);

impl NetDelayProbe {
    /// Probes all network threads from now on, until this is dropped.
    pub fn start(net: &Net, threads: usize) -> Self {
        let (tx, rx) = unbounded_channel();
        for thread in 0..threads as u64 {
            let tx = tx.clone();
            let probe = net.client(thread).run(move |_| async move {
                loop {
                    let due = Instant::now() + PROBE_INTERVAL;
                    sleep_until(due).await;
                    if tx.send(due.elapsed()).is_err() {
                        return;
                    }
                }
            });
            // It runs on without anyone waiting for its end.
            drop(probe);
        }
        Self(Mutex::new(rx))
    }

    /// The delays since the last call.
    pub fn take(&self) -> Vec<Duration> {
        let mut rx = lock(&self.0);
        std::iter::from_fn(|| rx.try_recv().ok()).collect()
    }
}
