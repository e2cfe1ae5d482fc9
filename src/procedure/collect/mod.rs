//! What is sampled beside a run, on the run's clock: the host, Redis, PostgreSQL, Prometheus.
//!
//! A collector that fails says so once, tries again on the next beat, and never disturbs the run.

mod config;
mod host;
mod monitor;
pub mod postgres;
pub mod prometheus;
pub mod redis;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::journal;
pub use config::Collect;

/// The series of collectors, with what samples them.
pub const SERIES: [(&str, &str); 16] = [
    ("host_memory_used", "host"),
    ("host_cpu", "host"),
    ("host_disk_read", "host"),
    ("host_disk_written", "host"),
    ("host_network_received", "host"),
    ("host_network_sent", "host"),
    ("redis_keys", "redis"),
    ("redis_memory", "redis"),
    ("redis_clients", "redis"),
    ("redis_commands", "redis"),
    ("redis_hits", "redis"),
    ("redis_misses", "redis"),
    ("redis_hit_ratio", "redis"),
    ("db_connections", "postgres"),
    ("db_connections_active", "postgres"),
    ("db_connections_idle", "postgres"),
];

/// One figure of one moment.
pub struct SeriesPoint {
    name: String,
    panel: String,
    unit: &'static str,
    value: f64,
}

impl SeriesPoint {
    /// A figure of the series `name`, drawn in `panel` with a unit of the report page.
    pub fn new(name: impl Into<String>, panel: &str, unit: &'static str, value: f64) -> Self {
        Self { name: name.into(), panel: panel.to_owned(), unit, value }
    }
}

/// Figures over time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CollectedSeries {
    /// The chart it belongs to.
    pub panel: String,
    /// The unit, in the report page's words.
    pub unit: String,
    /// Milliseconds since the Unix epoch.
    pub times: Vec<f64>,
    /// The figures.
    pub values: Vec<f64>,
}

impl CollectedSeries {
    /// A figure of the whole series.
    pub fn stat(&self, stat: &str) -> Option<f64> {
        let values = || self.values.iter().copied();
        match stat {
            "max" => values().reduce(f64::max),
            "min" => values().reduce(f64::min),
            "avg" => (!self.values.is_empty()).then(|| values().sum::<f64>() / self.values.len() as f64),
            "value" => values().last(),
            "count" => Some(self.values.len() as f64),
            _ => None,
        }
    }
}

/// A file of a collector: `NAME_redis.json` and the like.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Collected {
    /// Which collector it was.
    pub collector: String,
    /// What went wrong first.
    pub trouble: Option<String>,
    /// By name.
    pub series: BTreeMap<String, CollectedSeries>,
    /// What it saw before the run.
    pub before: Value,
    /// What it saw after the run.
    pub after: Value,
    /// How much of Redis' `MONITOR` was logged, and why no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<Value>,
}

impl Collected {
    fn new(collector: &str) -> Self {
        Self { collector: collector.to_owned(), ..Self::default() }
    }

    fn fail(&mut self, why: String) {
        self.trouble.get_or_insert(why);
    }

    fn add(&mut self, time: f64, points: Vec<SeriesPoint>) {
        for point in points.into_iter().filter(|point| point.value.is_finite()) {
            let series = self.series.entry(point.name).or_default();
            series.panel = point.panel;
            series.unit = point.unit.to_owned();
            series.times.push(time);
            series.values.push(point.value);
        }
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

/// What can be asked on every beat.
trait SeriesCollector: Send {
    /// The figures of now.
    fn sample(&mut self) -> Pin<Box<dyn Future<Output = Result<Vec<SeriesPoint>, String>> + Send + '_>>;
    /// All there is to say, before and after a run.
    fn state(&mut self) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>>;
}

/// The collectors of one run, at work.
pub struct Sampler {
    stop: watch::Sender<bool>,
    tasks: Vec<(PathBuf, JoinHandle<Collected>)>,
    monitor: Option<(PathBuf, JoinHandle<monitor::MonitorLog>)>,
    prometheus: Option<(PathBuf, String, BTreeMap<String, String>)>,
    began: f64,
    every: Duration,
}

/// How long a collector may take for one thing.
const COLLECTOR_TIMEOUT: Duration = Duration::from_secs(3);

impl Sampler {
    /// Begins to sample; files will be in `folder` and begin with the run's name.
    pub fn start(collect: &Collect, folder: &Path, run: &str) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut sources: Vec<(&str, Box<dyn SeriesCollector>)> = Vec::new();
        if collect.host {
            sources.push(("host", Box::<host::HostCollector>::default()));
        }
        if let Some(redis) = &collect.redis {
            sources.push(("redis", Box::new(redis::RedisCollector::new(&redis.url))));
        }
        if let Some(url) = &collect.postgres {
            sources.push(("postgres", Box::new(postgres::PostgresCollector::new(url))));
        }
        let file = |name: &str| folder.join(format!("{run}_{name}.json"));
        let tasks = sources
            .into_iter()
            .map(|(name, source)| (file(name), tokio::spawn(watch_over(name, source, collect.every, stopped.clone()))));
        let monitor = collect.redis.as_ref().and_then(|redis| {
            let listening = monitor::listen(redis.url.clone(), redis.monitor?, stopped.clone());
            Some((folder.join(format!("{run}_monitor.log")), tokio::spawn(listening)))
        });
        Self {
            tasks: tasks.collect(),
            monitor,
            stop,
            prometheus: collect.prometheus.clone().map(|(url, queries)| (file("prometheus"), url, queries)),
            began: now_ms(),
            every: collect.every,
        }
    }

    /// Samples a last time and writes the files; what went wrong, one line per collector.
    pub async fn finish(self) -> Vec<String> {
        _ = self.stop.send(true);
        let mut all = Vec::new();
        for (path, task) in self.tasks {
            let late = tokio::time::timeout(COLLECTOR_TIMEOUT * 4, task).await;
            let collected = late.ok().and_then(Result::ok).unwrap_or_else(|| Collected {
                trouble: Some("it did not answer in time".to_owned()),
                ..Collected::default()
            });
            all.push((path, collected));
        }
        if let Some((path, url, queries)) = self.prometheus {
            all.push((path, prometheus::collect(&url, &queries, self.began, now_ms(), self.every).await));
        }
        let mut trouble = Vec::new();
        if let Some((path, task)) = self.monitor {
            let log = tokio::time::timeout(COLLECTOR_TIMEOUT, task).await.ok().and_then(Result::ok).unwrap_or_default();
            if let Err(failure) = journal::write_file(&path, log.text.as_bytes()) {
                trouble.push(failure.message);
            }
            // What is to be known of the log stands with the rest of Redis.
            if let Some((_, redis)) = all.iter_mut().find(|(_, collected)| collected.collector == "redis") {
                redis.monitor = Some(json!({"lines": log.lines, "bytes": log.text.len(), "ended": log.end}));
                redis.trouble = redis.trouble.take().or(log.trouble);
            }
        }
        for (path, collected) in all {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            trouble.extend(collected.trouble.as_ref().map(|why| format!("{name}: {why}")));
            let text = serde_json::to_string(&collected).unwrap_or_default();
            if let Err(failure) = journal::write_file(&path, text.as_bytes()) {
                trouble.push(failure.message);
            }
        }
        trouble
    }
}

async fn watch_over(
    name: &'static str,
    mut source: Box<dyn SeriesCollector>,
    every: Duration,
    mut stopped: watch::Receiver<bool>,
) -> Collected {
    let mut collected = Collected::new(name);
    let late = || Err(format!("no answer within {} s", COLLECTOR_TIMEOUT.as_secs()));
    let state = |seen: Result<Value, String>, collected: &mut Collected| match seen {
        Ok(value) => value,
        Err(why) => {
            let text = json!({"error": why});
            collected.fail(why);
            text
        }
    };
    let before = tokio::time::timeout(COLLECTOR_TIMEOUT, source.state()).await.unwrap_or_else(|_| late());
    collected.before = state(before, &mut collected);
    let mut beat = tokio::time::interval(every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_last = false;
    while !is_last {
        tokio::select! {
            _ = beat.tick() => {}
            _ = stopped.changed() => is_last = true,
        }
        let late = || Err(format!("no answer within {} s", COLLECTOR_TIMEOUT.as_secs()));
        match tokio::time::timeout(COLLECTOR_TIMEOUT, source.sample()).await.unwrap_or_else(|_| late()) {
            Ok(points) => collected.add(now_ms(), points),
            Err(why) => collected.fail(why),
        }
    }
    let after = tokio::time::timeout(COLLECTOR_TIMEOUT, source.state()).await;
    let after = after.unwrap_or_else(|_| Err(format!("no answer within {} s", COLLECTOR_TIMEOUT.as_secs())));
    collected.after = state(after, &mut collected);
    collected
}
