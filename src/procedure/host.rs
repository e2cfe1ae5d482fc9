//! This machine, as procfs tells: what is free, and what is used over time. No other program is asked.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::collect::SeriesPoint;

fn memory(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Bytes that can be had without swapping.
pub fn available_memory() -> Option<u64> {
    memory("MemAvailable")
}

/// Bytes that can be written below a folder.
pub fn free_disk(folder: &Path) -> Option<u64> {
    let path = CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: an all-zero `statvfs` is a valid value of plain numbers.
    let mut facts: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero byte and both pointers live until the call returns.
    let done = unsafe { libc::statvfs(path.as_ptr(), &mut facts) };
    (done == 0).then(|| facts.f_bavail as u64 * facts.f_frsize as u64)
}

/// Reads what the machine uses.
#[derive(Default)]
pub struct HostMeter {
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
    pub fn sample(&mut self) -> Result<Vec<SeriesPoint>, String> {
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

/// Ticks of processor time and bytes of memory by process, with its name.
pub fn processes() -> BTreeMap<u32, (String, u64, u64)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name may hold spaces and brackets, so the last bracket ends it.
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')) else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let number = |place: usize| words.get(place).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        found.insert(id, (name.to_owned(), number(11) + number(12), number(21) * 4096));
    }
    found
}

/// The processes that used most processor time since `before`, and those that hold most memory.
pub fn top(before: &BTreeMap<u32, (String, u64, u64)>) -> Value {
    let now = processes();
    let rows = now.iter().map(|(id, (name, ticks, bytes))| {
        let earlier = before.get(id).filter(|(known, ..)| known == name).map_or(0, |(_, ticks, _)| *ticks);
        // A tick is a hundredth of a second on every Linux that is met.
        json!({"pid": id, "name": name, "cpu_seconds": ticks.saturating_sub(earlier) as f64 / 100.0, "memory_bytes": bytes})
    });
    let mut rows: Vec<Value> = rows.collect();
    let by = |rows: &mut Vec<Value>, key: &str| {
        rows.sort_by(|a, b| b[key].as_f64().unwrap_or(0.0).total_cmp(&a[key].as_f64().unwrap_or(0.0)));
        rows.iter().take(10).cloned().collect::<Vec<_>>()
    };
    json!({"by_cpu": by(&mut rows, "cpu_seconds"), "by_memory": by(&mut rows, "memory_bytes")})
}
