//! This machine, as procfs tells: what is free, and what is used over time. No other program is asked.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::{Value, json};

/// A line of `/proc/meminfo`, in bytes.
pub fn memory(key: &str) -> Option<u64> {
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
