//! What this process has used since the run began.

use std::time::Instant;

use crate::metrics::Usage;

/// Measures from its creation on.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsageMeter {
    began: Instant,
    cpu_before: std::time::Duration,
    cores: usize,
}

impl UsageMeter {
    pub fn start() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { began: Instant::now(), cpu_before: process().0, cores }
    }

    /// What was used so far.
    pub fn read(&self) -> Usage {
        let (cpu, peak_memory) = process();
        let cpu = cpu.saturating_sub(self.cpu_before);
        Usage { cpu, elapsed: self.began.elapsed(), cores: self.cores, peak_memory }
    }
}

/// CPU time of this process, and the most memory it had in bytes; zeros where the system does not know.
fn process() -> (std::time::Duration, u64) {
    // SAFETY: all-zero bytes are a valid `rusage`, which is made of integers only.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live `rusage` that has no other reference.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) } != 0 {
        return Default::default();
    }
    let time = |time: libc::timeval| {
        std::time::Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_usec).unwrap_or(0) * 1000)
    };
    (time(usage.ru_utime) + time(usage.ru_stime), usage.ru_maxrss.unsigned_abs() as u64 * 1024)
}
