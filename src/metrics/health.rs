//! The health of the load generator itself: whether it had time to start things at the moment they were due.
//!
//! A generator that is late measures its own queue. Lag is how late timers fire on the threads that run scripts and on
//! those that speak to the network; the CPU share is what the whole process used of all cores. Nothing here is a sample
//! of a metric.

use std::time::Duration;

use super::sketch::QuantileSketch;
use crate::units::figure::{self, Unit};

/// How often the timer of each thread is probed.
pub const PROBE_INTERVAL: Duration = Duration::from_millis(50);
/// At most this many missed probes are recorded for a thread that stood still.
const MAX_MISSED_PROBES: usize = 1_000;
/// A 90th percentile above this many milliseconds means that iterations and pauses are not where they should be.
const MAX_SCRIPT_LAG: f64 = 25.0;
/// A 90th percentile above this many milliseconds means that first bytes are seen late.
const MAX_NETWORK_LAG: f64 = 10.0;
/// Above this share of all cores there is no room for bursts.
const MAX_CPU_SHARE: f64 = 0.9;
/// Shorter runs are mostly their own start and are not judged.
const MIN_RUN: Duration = Duration::from_secs(5);

/// The resources the process has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// CPU time of the process since the run began, user and system.
    pub cpu: Duration,
    /// Time since the run began.
    pub elapsed: Duration,
    /// Cores this process may use.
    pub cores: usize,
    /// Peak resident memory, in bytes.
    pub peak_memory: u64,
}

impl Usage {
    /// The share of all cores, 0 to 1; 0 for no time at all.
    pub fn share(&self) -> f64 {
        let available = self.elapsed.as_secs_f64() * self.cores as f64;
        if available > 0.0 { self.cpu.as_secs_f64() / available } else { 0.0 }
    }
}

/// The lag of every probe that a thread missed while it was this late: work due at those moments would have waited
/// that long.
pub(super) fn missed(late: Duration) -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(late), |late| late.checked_sub(PROBE_INTERVAL)).take(MAX_MISSED_PROBES)
}

/// The role of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadRole {
    /// Runs VUs.
    Script,
    /// Sends, receives and takes the timestamps.
    Network,
}

impl ThreadRole {
    /// The series of its lag, in milliseconds.
    pub const fn series(self) -> &'static str {
        match self {
            Self::Script => "generator_lag",
            Self::Network => "generator_network_lag",
        }
    }
}

/// The generator's health so far. Lags are in milliseconds, about 20 a second for each thread.
#[derive(Clone, Debug, Default)]
pub struct HealthFigures {
    /// How late timers fired on the threads that run scripts.
    pub script_lag: QuantileSketch,
    /// How late timers fired on the threads that speak to the network.
    pub network_lag: QuantileSketch,
    /// What the process used.
    pub usage: Usage,
}

impl HealthFigures {
    /// The lags of the threads of this kind.
    pub(super) fn lag(&mut self, thread: ThreadRole) -> &mut QuantileSketch {
        match thread {
            ThreadRole::Script => &mut self.script_lag,
            ThreadRole::Network => &mut self.network_lag,
        }
    }

    /// A sentence about every limit that is exceeded; `None` if all is well or too little is known.
    pub fn complaint(&self) -> Option<String> {
        if self.usage.elapsed < MIN_RUN {
            return None;
        }
        let time = |millis: f64| figure::text(millis, Unit::Time);
        let mut complaints = Vec::new();
        let (scripts, network) = (self.script_lag.percentile(90.0), self.network_lag.percentile(90.0));
        if scripts > MAX_SCRIPT_LAG {
            complaints.push(format!("script threads were late by {} (p90)", time(scripts)));
        }
        if network > MAX_NETWORK_LAG {
            complaints.push(format!("network threads, which take the times, were late by {} (p90)", time(network)));
        }
        let share = self.usage.share();
        if share > MAX_CPU_SHARE {
            complaints.push(format!("it used {} of {} cores", figure::text(share, Unit::Share), self.usage.cores));
        }
        (!complaints.is_empty()).then(|| complaints.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_stood_still_missed_its_timers() {
        let check = |late: u64, expect: &[u64]| {
            let millis: Vec<_> = missed(Duration::from_millis(late)).map(|late| late.as_millis() as u64).collect();
            assert_eq!(millis, expect);
        };
        check(3, &[3]);
        check(120, &[120, 70, 20]);
        assert_eq!(missed(Duration::from_secs(3600)).count(), MAX_MISSED_PROBES);
    }

    #[test]
    fn only_what_is_bad_is_said() {
        let check = |scripts: f64, network: f64, cpu: u64, elapsed: u64, expect: Option<&str>| {
            let usage = Usage {
                cpu: Duration::from_secs(cpu),
                elapsed: Duration::from_secs(elapsed),
                cores: 2,
                ..Usage::default()
            };
            let mut health = HealthFigures { usage, ..HealthFigures::default() };
            health.script_lag.add(scripts);
            health.network_lag.add(network);
            assert_eq!(health.complaint().as_deref(), expect);
        };
        check(0.0, 0.0, 0, 0, None);
        check(20.2, 4.0, 10, 10, None);
        check(80.0, 80.0, 4, 4, None);
        check(80.0, 4.0, 10, 10, Some("script threads were late by 80 ms (p90)"));
        check(1.0, 15.0, 10, 10, Some("network threads, which take the times, were late by 15 ms (p90)"));
        check(1.0, 1.0, 19, 10, Some("it used 95 % of 2 cores"));
        check(80.0, 1.0, 20, 10, Some("script threads were late by 80 ms (p90), it used 100 % of 2 cores"));
    }
}
