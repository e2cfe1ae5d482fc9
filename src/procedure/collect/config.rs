//! What is to be sampled, and how often, as a procedure file says.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::decode::{DecodeError, JsonNode};
use super::monitor::MonitorLimits;

/// What is sampled beside the runs.
#[derive(Clone, Debug)]
pub struct Collect {
    /// How often.
    pub every: Duration,
    /// This machine's processor, memory, disk and network.
    pub host: bool,
    /// A Redis.
    pub redis: Option<RedisSource>,
    /// A PostgreSQL by its URL.
    pub postgres: Option<String>,
    /// A Prometheus by its URL, and queries by name.
    pub prometheus: Option<(String, BTreeMap<String, String>)>,
}

/// A Redis that is sampled.
#[derive(Clone, Debug)]
pub struct RedisSource {
    /// Its address.
    pub url: String,
    /// How much of its `MONITOR` is logged; nothing for none of it.
    pub monitor: Option<MonitorLimits>,
}

/// More often would be a load of its own.
const MIN_INTERVAL: Duration = Duration::from_millis(200);

impl Default for Collect {
    fn default() -> Self {
        Self { every: Duration::from_secs(5), host: true, redis: None, postgres: None, prometheus: None }
    }
}

impl Collect {
    /// Asked as often over a run whose durations are multiplied by `scale`, but not more often than is possible.
    #[must_use]
    pub fn scaled(&self, scale: f64) -> Self {
        Self { every: self.every.mul_f64(scale).max(MIN_INTERVAL), ..self.clone() }
    }

    /// Checks it as written.
    pub fn read(node: &JsonNode) -> Result<Self, DecodeError> {
        let fields = node.object(&["every", "host", "redis", "postgres", "prometheus"])?;
        let every = match fields.get("every") {
            None => Self::default().every,
            Some(node) => match node.span()? {
                span if span < MIN_INTERVAL => return Err(node.wrong("at least 200ms")),
                span => span,
            },
        };
        let url = |key: &str, schemes: &[&str]| {
            let node = fields.get(key);
            node.map(|node| {
                let fields = node.object(&["url"])?;
                Ok::<_, DecodeError>(fields.need("url", "an address")?.address(schemes)?.to_owned())
            })
            .transpose()
        };
        let prometheus = match fields.get("prometheus") {
            None => None,
            Some(node) => {
                let fields = node.object(&["url", "queries"])?;
                let url = fields.need("url", "an address")?.web_address()?;
                let mut queries = BTreeMap::new();
                for (name, node) in fields.need("queries", "queries by name")?.any_object()?.all() {
                    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
                    if !fits {
                        return Err(node.wrong("not a name for a series; allowed are letters, digits and _"));
                    }
                    queries.insert(name.to_owned(), node.text()?.to_owned());
                }
                Some((url, queries))
            }
        };
        Ok(Self {
            every,
            host: fields.flag("host", true)?,
            redis: fields.get("redis").map(|node| redis_source(&node)).transpose()?,
            postgres: url("postgres", &["postgres", "postgresql"])?,
            prometheus,
        })
    }
}

fn redis_source(node: &JsonNode) -> Result<RedisSource, DecodeError> {
    let fields = node.object(&["url", "monitor"])?;
    let url = fields.need("url", "an address")?.address(&["redis"])?.to_owned();
    let monitor = match fields.get("monitor") {
        None => None,
        Some(node) if node.is_flag() => node.flag()?.then(MonitorLimits::default),
        Some(node) => {
            let fields = node.object(&["lines", "bytes"])?;
            let default = MonitorLimits::default();
            let lines = fields.get("lines").map_or(Ok(default.lines), |node| node.whole(1, 1_000_000))?;
            let bytes = match fields.get("bytes") {
                None => default.bytes,
                Some(node) => match node.size()? {
                    size @ 1_000..=100_000_000 => size,
                    _ => return Err(node.wrong("from 1KB to 100MB: the log is kept in memory while the run goes on")),
                },
            };
            Some(MonitorLimits { lines, bytes })
        }
    };
    Ok(RedisSource { url, monitor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_is_sampled_more_often() {
        let check = |scale: f64, expect: u64| {
            let scaled = Collect::default().scaled(scale);
            assert_eq!(scaled.every, Duration::from_millis(expect), "{scale}");
        };
        check(1.0, 5000);
        check(0.1, 500);
        check(0.001, 200);
        check(2.0, 10_000);
    }
}
