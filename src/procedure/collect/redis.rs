//! Redis over time: `INFO` and what follows from it. Nothing is written, no key is looked at.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use serde_json::{Map, Value};

use super::{Point, Source};

/// Asks for an answer.
///
/// # Errors
/// What Redis, or the way to it, says.
pub async fn ping(url: &str) -> Result<String, String> {
    let mut connection = connect(url).await?;
    redis::cmd("PING").query_async::<String>(&mut connection).await.map_err(|error| error.to_string())
}

async fn connect(url: &str) -> Result<MultiplexedConnection, String> {
    let client = redis::Client::open(url).map_err(|error| error.to_string())?;
    client.get_multiplexed_async_connection().await.map_err(|error| error.to_string())
}

/// Reads `INFO` again and again.
pub(super) struct Meter {
    url: String,
    connection: Option<MultiplexedConnection>,
    last: Option<(Instant, f64, f64)>,
}

impl Meter {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), connection: None, last: None }
    }

    async fn info(&mut self) -> Result<BTreeMap<String, String>, String> {
        if self.connection.is_none() {
            self.connection = Some(connect(&self.url).await?);
        }
        let Some(connection) = &mut self.connection else { return Err("no connection".to_owned()) };
        match redis::cmd("INFO").query_async::<String>(connection).await {
            Ok(text) => Ok(parse(&text)),
            Err(error) => {
                self.connection = None;
                Err(error.to_string())
            }
        }
    }
}

fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect()
}

impl Source for Meter {
    fn sample(&mut self) -> Pin<Box<dyn Future<Output = Result<Vec<Point>, String>> + Send + '_>> {
        Box::pin(async {
            let info = self.info().await?;
            let now = Instant::now();
            let number = |key: &str| info.get(key).and_then(|text| text.parse::<f64>().ok());
            let keys: f64 = info
                .iter()
                .filter(|(key, _)| key.starts_with("db"))
                .filter_map(|(_, value)| value.strip_prefix("keys=")?.split(',').next()?.parse::<f64>().ok())
                .sum();
            let mut points = vec![Point::new("redis_keys", "Redis keys", "default", keys)];
            for (key, name, panel, unit) in [
                ("used_memory", "redis_memory", "Redis memory", "data"),
                ("connected_clients", "redis_clients", "Redis clients", "default"),
                ("instantaneous_ops_per_sec", "redis_commands", "Redis commands per second", "/s"),
            ] {
                points.extend(number(key).map(|value| Point::new(name, panel, unit, value)));
            }
            if let Some((hits, misses)) = number("keyspace_hits").zip(number("keyspace_misses"))
                && let Some((then, old_hits, old_misses)) = self.last.replace((now, hits, misses))
            {
                let (hits, misses) = ((hits - old_hits).max(0.0), (misses - old_misses).max(0.0));
                let seconds = (now - then).as_secs_f64().max(1e-3);
                points.push(Point::new("redis_hits", "Redis lookups per second", "/s", hits / seconds));
                points.push(Point::new("redis_misses", "Redis lookups per second", "/s", misses / seconds));
                if hits + misses > 0.0 {
                    points.push(Point::new("redis_hit_ratio", "Redis hits", "share", hits / (hits + misses)));
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
            let pairs = info.into_iter().filter(|(key, _)| kept(key));
            Ok(Value::Object(pairs.map(|(key, value)| (key, Value::String(value))).collect::<Map<_, _>>()))
        })
    }
}
