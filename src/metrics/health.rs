//! How well the load generator itself did: whether it had the time to do what it was asked at the moment it was asked.
//!
//! A generator that is late measures its own queue. Lag is how late timers fire on the threads that run scripts and on
//! those that speak to the network; the CPU share is what the whole process used of all cores. Nothing here is a sample
//! of a metric.

use std::time::Duration;

use super::digest::Digest;

/// Fewer lags than this (five seconds of one worker) say nothing.
const FEWEST_LAGS: u64 = 100;
/// Nine of ten timers come later than this many milliseconds: the run is late as a whole.
const LATE: f64 = 25.0;
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

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thread {
    /// It runs VUs.
    Script,
    /// It sends, receives and takes the times.
    Network,
}

impl Thread {
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
pub struct Health {
    /// How late timers fired on the threads that run scripts.
    pub script_lag: Digest,
    /// How late timers fired on the threads that speak to the network.
    pub network_lag: Digest,
    /// What the process used.
    pub usage: Usage,
}

impl Health {
    /// The lags of the threads of this kind.
    pub(super) fn lag(&mut self, thread: Thread) -> &mut Digest {
        match thread {
            Thread::Script => &mut self.script_lag,
            Thread::Network => &mut self.network_lag,
        }
    }

    /// What is bad about it, in words; `None` while all is well or too little is known.
    pub fn complaint(&self) -> Option<String> {
        let mut complaints = Vec::new();
        for (name, lag) in [("script", &self.script_lag), ("network", &self.network_lag)] {
            let late = lag.percentile(90.0);
            if lag.count() >= FEWEST_LAGS && late > LATE {
                complaints.push(format!("{name} threads were late by p(90)={late:.0}ms"));
            }
        }
        let share = self.usage.share();
        if self.usage.elapsed >= SHORTEST && share > BUSY {
            complaints.push(format!("used {:.0}% of {} cores", share * 100.0, self.usage.cores));
        }
        (!complaints.is_empty()).then(|| complaints.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_bad_is_said() {
        let check = |lags: u32, lag: f64, cpu: u64, elapsed: u64, expect: Option<&str>| {
            let usage = Usage {
                cpu: Duration::from_secs(cpu),
                elapsed: Duration::from_secs(elapsed),
                cores: 2,
                ..Usage::default()
            };
            let mut health = Health { usage, ..Health::default() };
            (0..lags).for_each(|_| health.script_lag.add(lag));
            assert_eq!(health.complaint().as_deref(), expect);
        };
        check(0, 0.0, 0, 0, None);
        check(1000, 1.2, 10, 10, None);
        check(50, 80.0, 10, 10, None);
        check(1000, 80.0, 10, 10, Some("script threads were late by p(90)=80ms"));
        check(1000, 1.0, 19, 10, Some("used 95% of 2 cores"));
        check(1000, 1.0, 4, 2, None);
        check(1000, 80.0, 20, 10, Some("script threads were late by p(90)=80ms, used 100% of 2 cores"));
    }
}
