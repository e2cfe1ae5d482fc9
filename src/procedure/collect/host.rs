//! This machine as a collector: memory, processor, disks, network; the processes that used most.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Instant;

use serde_json::Value;

use super::super::host::{available_memory, memory, processes, top};
use super::{SeriesCollector, SeriesPoint};

/// This machine on every beat.
#[derive(Default)]
pub(super) struct HostCollector {
    meter: HostMeter,
    before: BTreeMap<u32, (String, u64, u64)>,
}

impl SeriesCollector for HostCollector {
    fn sample(&mut self) -> Pin<Box<dyn Future<Output = Result<Vec<SeriesPoint>, String>> + Send + '_>> {
        Box::pin(async { self.meter.sample() })
    }

    fn state(&mut self) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>> {
        Box::pin(async {
            let top = top(&self.before);
            self.before = processes();
            Ok(top)
        })
    }
}

/// Reads what the machine uses.
#[derive(Default)]
struct HostMeter {
    last: Option<(Instant, HostReading)>,
}

#[derive(Clone, Copy, Default)]
struct HostReading {
    busy: u64,
    total: u64,
    disk: [u64; 2],
    network: [u64; 2],
}

impl HostMeter {
    /// What was used since the last time.
    ///
    /// # Errors
    /// Without procfs.
    fn sample(&mut self) -> Result<Vec<SeriesPoint>, String> {
        let now = Instant::now();
        let reading = read().ok_or("procfs can't be read")?;
        let mut points = Vec::new();
        let used = memory("MemTotal").zip(available_memory()).map(|(total, free)| total.saturating_sub(free));
        points.extend(used.map(|used| SeriesPoint::new("host_memory_used", "Host memory", "data", used as f64)));
        if let Some((then, before)) = self.last.replace((now, reading)) {
            let seconds = (now - then).as_secs_f64().max(1e-3);
            let total = reading.total.saturating_sub(before.total);
            if total > 0 {
                let share = reading.busy.saturating_sub(before.busy) as f64 / total as f64;
                points.push(SeriesPoint::new("host_cpu", "Host processor", "share", share));
            }
            let speed = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
            for (name, panel, now, before) in [
                ("host_disk_read", "Host disk", reading.disk[0], before.disk[0]),
                ("host_disk_written", "Host disk", reading.disk[1], before.disk[1]),
                ("host_network_received", "Host network", reading.network[0], before.network[0]),
                ("host_network_sent", "Host network", reading.network[1], before.network[1]),
            ] {
                points.push(SeriesPoint::new(name, panel, "data/s", speed(now, before)));
            }
        }
        Ok(points)
    }
}

fn read() -> Option<HostReading> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let times: Vec<u64> =
        stat.lines().next()?.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    // User, nice, system, idle, waiting for disks, …; guests are in user already.
    let total: u64 = times.iter().take(8).sum();
    let idle = times.get(3)? + times.get(4)?;
    let mut reading = HostReading { busy: total.saturating_sub(idle), total, ..HostReading::default() };
    for line in fs::read_to_string("/proc/diskstats").unwrap_or_default().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        // Whole disks only: partitions would count twice.
        if words.len() > 9 && Path::new("/sys/block").join(words[2]).exists() && !words[2].starts_with("loop") {
            reading.disk[0] += words[5].parse::<u64>().unwrap_or(0) * 512;
            reading.disk[1] += words[9].parse::<u64>().unwrap_or(0) * 512;
        }
    }
    for line in fs::read_to_string("/proc/net/dev").unwrap_or_default().lines() {
        let Some((_, figures)) = line.split_once(':') else { continue };
        let words: Vec<u64> = figures.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        if words.len() > 8 {
            reading.network[0] += words[0];
            reading.network[1] += words[8];
        }
    }
    Some(reading)
}
