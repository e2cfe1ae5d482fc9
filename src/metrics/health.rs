//! How well the load generator itself did: whether it had the time to do what it was asked at the moment it was asked.
//!
//! A generator that is late measures its own queue. Lag is how late timers fire on the threads that run scripts and on
//! those that speak to the network; the CPU share is what the whole process used of all cores. Nothing here is a sample
//! of a metric.

use std::time::Duration;

use super::sketch::QuantileSketch;
use crate::units::figure::{self, Unit};

/// How often the timer of each thread is tried.
pub const TRIED_EVERY: Duration = Duration::from_millis(50);
/// A thread that stood still is written down as late for at most so many of the times it was not tried.
const MOST_MISSED: usize = 1_000;
/// One timer in ten comes later than this many milliseconds: iterations and pauses are not where they should be.
const SCRIPTS_LATE: f64 = 25.0;
/// One timer in ten comes later than this many milliseconds: so do first bytes.
const NETWORK_LATE: f64 = 10.0;
/// A share of all cores above which there is no room for bursts.
const BUSY: f64 = 0.9;
/// A run shorter than this is mostly its own start.
const SHORTEST: Duration = Duration::from_secs(5);

/// What the process used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// CPU time of the process since the run began, user and system.
    pub cpu: Duration,
    /// Time since the run began.
    pub elapsed: Duration,
    /// Cores this process may use.
    pub cores: usize,
    /// The most memory it had, in bytes.
    pub peak_memory: u64,
}

impl Usage {
    /// The share of all cores, 0 to 1; 0 for no time at all.
    pub fn share(&self) -> f64 {
        let available = self.elapsed.as_secs_f64() * self.cores as f64;
        if available > 0.0 { self.cpu.as_secs_f64() / available } else { 0.0 }
    }
}

/// How late each timer would have been that a thread missed while it was so late: it could not be tried, but whoever
/// waited for it then would have waited that long.
pub(super) fn missed(late: Duration) -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(late), |late| late.checked_sub(TRIED_EVERY)).take(MOST_MISSED)
}

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadRole {
    /// It runs VUs.
    Script,
    /// It sends, receives and takes the times.
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
pub struct GeneratorHealth {
    /// How late timers fired on the threads that run scripts.
    pub script_lag: QuantileSketch,
    /// How late timers fired on the threads that speak to the network.
    pub network_lag: QuantileSketch,
    /// What the process used.
    pub usage: Usage,
}

impl GeneratorHealth {
    /// The lags of the threads of this kind.
    pub(super) fn lag(&mut self, thread: ThreadRole) -> &mut QuantileSketch {
        match thread {
            ThreadRole::Script => &mut self.script_lag,
            ThreadRole::Network => &mut self.network_lag,
        }
    }

    /// What is bad about it, in words; `None` while all is well or too little is known.
    pub fn complaint(&self) -> Option<String> {
        if self.usage.elapsed < SHORTEST {
            return None;
        }
        let time = |millis: f64| figure::text(millis, Unit::Time);
        let mut complaints = Vec::new();
        let (scripts, network) = (self.script_lag.percentile(90.0), self.network_lag.percentile(90.0));
        if scripts > SCRIPTS_LATE {
            complaints.push(format!("script threads were late by {} (p90)", time(scripts)));
        }
        if network > NETWORK_LATE {
            complaints.push(format!("network threads, which take the times, were late by {} (p90)", time(network)));
        }
        let share = self.usage.share();
        if share > BUSY {
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
        assert_eq!(missed(Duration::from_secs(3600)).count(), MOST_MISSED);
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
            let mut health = GeneratorHealth { usage, ..GeneratorHealth::default() };
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
