//! What this process itself costs, for Prometheus: `/metrics`. Figures of the test are at `/v1/metrics`.

use std::fs;

/// The usual `process_` figures, as far as the system knows them; in Prometheus' text form.
pub(super) fn metrics() -> String {
    let mut text = String::new();
    let mut put = |name: &str, kind: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"));
        }
    };
    put("process_cpu_seconds_total", "counter", "Seconds of CPU time spent.", cpu_seconds());
    put(
        "process_resident_memory_bytes",
        "gauge",
        "Memory in use, in bytes.",
        status_kib("VmRSS:").map(|kib| kib * 1024.0),
    );
    put(
        "process_virtual_memory_bytes",
        "gauge",
        "Address space, in bytes.",
        status_kib("VmSize:").map(|kib| kib * 1024.0),
    );
    put("process_threads", "gauge", "Threads.", status_kib("Threads:"));
    put("process_open_fds", "gauge", "Open file descriptors.", open_files());
    text
}

/// A number of `/proc/self/status`.
fn status_kib(key: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time of `/proc/self/stat`, which counts hundredths of seconds.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in parentheses and may hold anything; what follows is blank-separated.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

fn open_files() -> Option<f64> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count() as f64)
}
