//! How late this generator is, and what it uses: the one place that measures it.
//!
//! A generator that is late measures its own queue. Three things are looked at, and land in the ledger on the conductor's
//! beat, so that no thread that runs scripts or takes times ever waits for a reader of the numbers:
//! - `net_delay_probe`: how late timers fire on the network threads (those of script threads come with their records);
//! - `process_usage`: CPU time and memory of the process;
//! - `scheduling_delay`: how long work waits for its turn, measured only when a threshold names `volley_lag`.
//!
//! What is bad about it is judged in [`crate::metrics::health`].

use crate::metrics::health::ThreadRole;
use crate::metrics::{Ledger, MetricId};
use crate::net::Net;

mod net_delay_probe;
mod process_usage;
mod scheduling_delay;

use net_delay_probe::NetDelayProbe;
use process_usage::UsageMeter;
pub(super) use scheduling_delay::declare;

/// The measurements of one run.
#[derive(Debug)]
pub(super) struct GeneratorHealth {
    net_delays: NetDelayProbe,
    usage: UsageMeter,
    network_threads: usize,
    /// `volley_lag`, where a threshold names it.
    scheduling_delay: Option<MetricId>,
}

impl GeneratorHealth {
    /// Measures from now on, until this is dropped.
    pub fn start(net: &Net, network_threads: usize, scheduling_delay: Option<MetricId>) -> Self {
        let net_delays = NetDelayProbe::start(net, network_threads);
        Self { net_delays, usage: UsageMeter::start(), network_threads, scheduling_delay }
    }

    /// Writes down what was measured since the last time.
    pub fn record(&self, ledger: &mut Ledger) {
        self.net_delays.take().into_iter().for_each(|delay| ledger.record_lag(ThreadRole::Network, delay));
        ledger.record_usage(self.usage.read());
    }
}
