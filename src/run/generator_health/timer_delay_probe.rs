//! How late timers fire on the threads of a run. On network threads times are taken: if they are late, so is every measured
//! time. On script threads iterations start and pauses end.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::js::runtime::worker::WorkerThreads;
use crate::metrics::health::{PROBE_INTERVAL, ThreadRole};
use crate::net::Net;
use crate::units::sync::lock;

/// The receiving end of what the threads measure.
#[derive(Debug)]
pub(super) struct TimerDelayProbe(Mutex<UnboundedReceiver<(ThreadRole, Duration)>>);

impl TimerDelayProbe {
    /// Probes all workers and network threads from now on, until this is dropped.
    pub fn start(workers: &WorkerThreads, net: &Net, network_threads: usize) -> Self {
        let (tx, rx) = unbounded_channel();
        for thread in 0..network_threads as u64 {
            let tx = tx.clone();
            // It runs on without anyone waiting for its end.
            drop(net.client(thread).run(move |_| probe(ThreadRole::Network, tx)));
        }
        workers.run_on_each(move || {
            let tx = tx.clone();
            Box::new(|_| Box::pin(probe(ThreadRole::Script, tx)))
        });
        Self(Mutex::new(rx))
    }

    /// The delays since the last call.
    pub fn take(&self) -> Vec<(ThreadRole, Duration)> {
        let mut rx = lock(&self.0);
        std::iter::from_fn(|| rx.try_recv().ok()).collect()
    }
}

/// Sets timers and sends how late each fired.
async fn probe(thread: ThreadRole, tx: UnboundedSender<(ThreadRole, Duration)>) {
    loop {
        let due = Instant::now() + PROBE_INTERVAL;
        sleep_until(due).await;
        if tx.send((thread, due.elapsed())).is_err() {
            return;
        }
    }
}
