//! How late this generator is, and what it uses: the one place that measures it.
//!
//! A generator that is late measures its own queue. Three things are looked at, and land in the ledger on the conductor's
//! beat, so that no thread that runs scripts or takes times ever waits for a reader of the numbers:
//! - `timer_delay_probe`: how late timers fire on script and network threads;
//! - `process_usage`: CPU time and memory of the process;
//! - `scheduling_delay`: how long work waits for its turn, measured only when a threshold names `volley_lag`.
//!
//! What is bad about it is judged in [`crate::metrics::health`].

use crate::js::runtime::worker::WorkerThreads;
use crate::metrics::{Ledger, MetricId};
use crate::net::Net;

mod process_usage;
mod scheduling_delay;
mod timer_delay_probe;

use process_usage::UsageMeter;
pub(super) use scheduling_delay::declare;
use timer_delay_probe::TimerDelayProbe;

/// The measurements of one run.
#[derive(Debug)]
pub(super) struct GeneratorHealth {
    timer_delays: TimerDelayProbe,
    usage: UsageMeter,
    network_threads: usize,
    /// `volley_lag`, where a threshold names it.
    scheduling_delay: Option<MetricId>,
}

impl GeneratorHealth {
    /// Measures from now on, until this is dropped.
    pub fn start(
        workers: &WorkerThreads,
        net: &Net,
        network_threads: usize,
        scheduling_delay: Option<MetricId>,
    ) -> Self {
        let timer_delays = TimerDelayProbe::start(workers, net, network_threads);
        Self { timer_delays, usage: UsageMeter::start(), network_threads, scheduling_delay }
    }

    /// Writes down what was measured since the last time.
    pub fn record(&self, ledger: &mut Ledger) {
        self.timer_delays.take().into_iter().for_each(|(thread, delay)| ledger.record_lag(thread, delay));
        ledger.record_usage(self.usage.read());
    }
}
