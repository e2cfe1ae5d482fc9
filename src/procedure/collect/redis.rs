//! Redis over time: `INFO` and what follows from it. Nothing is written, no key is looked at.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use serde_json::{Map, Value};

use super::super::web::innermost;
use super::{SeriesCollector, SeriesPoint};

/// Asks for an answer.
///
/// # Errors
/// What Redis, or the way to it, says.
pub async fn ping(url: &str) -> Result<String, String> {
    let mut connection = connect(url).await?;
    redis::cmd("PING").query_async::<String>(&mut connection).await.map_err(|error| innermost(&error))
}

async fn connect(url: &str) -> Result<MultiplexedConnection, String> {
    let client = redis::Client::open(url).map_err(|error| innermost(&error))?;
    client.get_multiplexed_async_connection().await.map_err(|error| innermost(&error))
}

/// Reads `INFO` again and again.
pub(super) struct RedisCollector {
    url: String,
    connection: Option<MultiplexedConnection>,
    last: Option<(Instant, f64, f64)>,
    /// What was counted before the run.
    before: Option<BTreeMap<String, f64>>,
    /// How often we asked since then: Redis counts that too.
    asked: f64,
}

/// What Redis counts from its start on, and what a reader of it should know.
const COUNTERS: [&str; 8] = [
    "total_commands_processed",
    "total_connections_received",
    "keyspace_hits",
    "keyspace_misses",
    "evicted_keys",
    "expired_keys",
    "total_net_input_bytes",
    "total_net_output_bytes",
];

fn counters(info: &BTreeMap<String, String>) -> BTreeMap<String, f64> {
    let value = |name: &&str| Some(((*name).to_owned(), info.get(*name)?.parse::<f64>().ok()?));
    COUNTERS.iter().filter_map(value).collect()
}

/// What was added between two counts, without our own `asked` commands; a counter that is smaller than before was set
/// back meanwhile.
fn over_run(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>, asked: f64) -> Value {
    let added = after.iter().map(|(name, after)| {
        let before = before.get(name).copied().unwrap_or(0.0);
        let added = if *after < before { *after } else { after - before };
        let own = if name == "total_commands_processed" { asked } else { 0.0 };
        (name.clone(), Value::from((added - own).max(0.0)))
    });
    Value::Object(added.collect())
}

impl RedisCollector {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), connection: None, last: None, before: None, asked: 0.0 }
    }

    async fn info(&mut self) -> Result<BTreeMap<String, String>, String> {
        if self.connection.is_none() {
            self.connection = Some(connect(&self.url).await?);
        }
        self.asked += 1.0;
        let Some(connection) = &mut self.connection else { return Err("no connection".to_owned()) };
        match redis::cmd("INFO").query_async::<String>(connection).await {
            Ok(text) => Ok(parse(&text)),
            Err(error) => {
                self.connection = None;
                Err(innermost(&error))
            }
        }
    }
}

fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect()
}

impl SeriesCollector for RedisCollector {
    fn sample(&mut self) -> Pin<Box<dyn Future<Output = Result<Vec<SeriesPoint>, String>> + Send + '_>> {
        Box::pin(async {
            let info = self.info().await?;
            let now = Instant::now();
            let number = |key: &str| info.get(key).and_then(|text| text.parse::<f64>().ok());
            let keys: f64 = info
                .iter()
                .filter(|(key, _)| key.starts_with("db"))
                .filter_map(|(_, value)| value.strip_prefix("keys=")?.split(',').next()?.parse::<f64>().ok())
                .sum();
            let mut points = vec![SeriesPoint::new("redis_keys", "Redis keys", "default", keys)];
            for (key, name, panel, unit) in [
                ("used_memory", "redis_memory", "Redis memory", "data"),
                ("connected_clients", "redis_clients", "Redis clients", "default"),
                ("instantaneous_ops_per_sec", "redis_commands", "Redis commands per second", "/s"),
            ] {
                points.extend(number(key).map(|value| SeriesPoint::new(name, panel, unit, value)));
            }
            if let Some((hits, misses)) = number("keyspace_hits").zip(number("keyspace_misses"))
                && let Some((then, old_hits, old_misses)) = self.last.replace((now, hits, misses))
            {
                let (hits, misses) = ((hits - old_hits).max(0.0), (misses - old_misses).max(0.0));
                let seconds = (now - then).as_secs_f64().max(1e-3);
                points.push(SeriesPoint::new("redis_hits", "Redis lookups per second", "/s", hits / seconds));
                points.push(SeriesPoint::new("redis_misses", "Redis lookups per second", "/s", misses / seconds));
                if hits + misses > 0.0 {
                    points.push(SeriesPoint::new("redis_hit_ratio", "Redis hits", "share", hits / (hits + misses)));
                }
            }
            Ok(points)
        })
    }

    fn state(&mut self) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>> {
        Box::pin(async {
            let info = self.info().await?;
            // Memory, stats and the key space; paths and addresses of the machine are nobody's business.
            let kept = |key: &str| {
                ["used_memory", "maxmemory", "mem_", "total_", "keyspace_", "evicted_", "expired_", "db", "connected_"]
                    .iter()
                    .any(|prefix| key.starts_with(prefix))
                    || ["redis_version", "uptime_in_seconds", "rejected_connections"].contains(&key)
            };
            let now = counters(&info);
            // Of two questions, the answer to the first counts itself only to the second.
            let asked = std::mem::take(&mut self.asked);
            let over_run = self.before.as_ref().map(|before| over_run(before, &now, asked));
            self.before = Some(now);
            let pairs = info.into_iter().filter(|(key, _)| kept(key));
            let mut told: Map<_, _> = pairs.map(|(key, value)| (key, Value::String(value))).collect();
            if let Some(counters) = over_run {
                told.insert("counters".to_owned(), counters);
            }
            Ok(Value::Object(told))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_told_as_the_run_raised_them() {
        let info = |commands: u32, hits: u32| {
            counters(&parse(&format!("total_commands_processed:{commands}\r\nkeyspace_hits:{hits}\r\nused_memory:1")))
        };
        let told = over_run(&info(1000, 50), &info(1110, 40), 10.0);
        assert_eq!(told, serde_json::json!({"keyspace_hits": 40.0, "total_commands_processed": 100.0}));
    }
}
