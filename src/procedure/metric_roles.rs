//! The metrics a procedure looks at by itself, beside those that its criteria name: what failed, what a cache answered,
//! whose memory may grow. The key `metrics` of a procedure file names others than these defaults.

use serde::{Deserialize, Serialize};

use super::decode::{DecodeError, JsonNode};

/// Which metrics and series play which part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricRoles {
    /// Rates of what failed. The largest is judged; the last one there is stands for all in `baseline_metrics.json`.
    pub failed: Vec<String>,
    /// What share of reads a cache answered: a rate, a gauge from 0 to 1 or a series; the first one there is. `*` stands
    /// for any text.
    pub cache_hits: Vec<String>,
    /// Series of memory that should not grow throughout a run.
    pub memory: Vec<String>,
    /// The series of database connections in `baseline_metrics.json`.
    pub database_connections: String,
    /// The series of the cache's memory in `baseline_metrics.json`.
    pub cache_memory: String,
}

impl Default for MetricRoles {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            failed: list(&["http_req_failed", "errors"]),
            cache_hits: list(&["*cache_hit*", "redis_hit_ratio"]),
            memory: list(&["redis_memory", "host_memory_used"]),
            database_connections: "db_connections".to_owned(),
            cache_memory: "redis_memory".to_owned(),
        }
    }
}

impl MetricRoles {
    /// Decodes the key `metrics`; what it leaves out is as by default.
    ///
    /// # Errors
    /// Unknown keys, values that are no names.
    pub fn read(node: &JsonNode) -> Result<Self, DecodeError> {
        let fields = node.object(&["failed", "cacheHits", "memory", "databaseConnections", "cacheMemory"])?;
        let list = |key: &str, default: Vec<String>| match fields.get(key) {
            None => Ok(default),
            Some(node) => node.list()?.into_iter().map(|node| node.text().map(str::to_owned)).collect(),
        };
        let text =
            |key: &str, default: String| fields.get(key).map_or(Ok(default), |node| node.text().map(str::to_owned));
        let default = Self::default();
        Ok(Self {
            failed: list("failed", default.failed)?,
            cache_hits: list("cacheHits", default.cache_hits)?,
            memory: list("memory", default.memory)?,
            database_connections: text("databaseConnections", default.database_connections)?,
            cache_memory: text("cacheMemory", default.cache_memory)?,
        })
    }
}

/// Whether a name is the one of a pattern, in which `*` stands for any text.
pub fn is_named(name: &str, pattern: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut left) = name.strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn a_star_stands_for_any_text() {
        let check =
            |pattern: &str, name: &str, expect: bool| assert_eq!(is_named(name, pattern), expect, "{pattern} {name}");
        check("errors", "errors", true);
        check("errors", "my_errors", false);
        check("*cache_hit*", "cache_hits", true);
        check("*cache_hit*", "my_cache_hit_ratio", true);
        check("*cache_hit*", "cache_misses", false);
        check("cache_*_rate", "cache_hit_rate", true);
        check("cache_*_rate", "cache_rate", false);
        check("*", "", true);
        check("a*a", "a", false);
        check("a*b*c", "a_c_b_c", true);
    }
}
