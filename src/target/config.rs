//! What the demo target was asked to be, checked.

use std::net::SocketAddr;
use std::time::Duration;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Where answers to reads are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheChoice {
    /// In this process.
    Memory,
    /// In a Redis server, by its URL.
    Redis(String),
    /// Nowhere: every read is a miss.
    Off,
}

impl CacheChoice {
    /// Reads `memory`, `none`, or `redis://host:port[/db]`.
    ///
    /// # Errors
    /// One line that names what was typed and what would be right.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::new(ExitCode::Other, format!("invalid cache `{text}`: {why}"))
                .hint("a cache is `memory`, `none` or `redis://host:port[/db]`")
        };
        match text {
            "memory" => Ok(Self::Memory),
            "none" => Ok(Self::Off),
            _ if text.starts_with("redis://") => match redis::Client::open(text) {
                Ok(_) => Ok(Self::Redis(text.to_owned())),
                Err(error) => Err(wrong(format!("not a Redis address ({error})"))),
            },
            _ => Err(wrong("expected `memory`, `none` or `redis://host:port[/db]`".to_owned())),
        }
    }

    /// The word for it in `/health` and `/stats`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis(_) => "redis",
            Self::Off => "none",
        }
    }
}

/// The demo target as asked for. [`Default`] is what `volley target` does without options.
#[derive(Clone, Debug)]
pub struct TargetConfig {
    pub(super) listen: SocketAddr,
    pub(super) cache: CacheChoice,
    pub(super) cache_ttl: Duration,
    pub(super) db_latency: Duration,
    pub(super) risks: usize,
}

/// The largest register it starts with: more would only make searches slow.
const MOST_RISKS: usize = 100_000;
/// A "database" slower than this is a mistyped unit.
const LONGEST_LATENCY: Duration = Duration::from_secs(60);

impl TargetConfig {
    /// Listens on `listen`, keeps answers in `cache` for `cache_ttl`, takes `db_latency` for every miss, and starts
    /// with `risks` records.
    ///
    /// # Errors
    /// One line for a time to live below one millisecond, a latency above a minute, or more than 100,000 records.
    pub fn new(
        listen: SocketAddr,
        cache: CacheChoice,
        cache_ttl: Duration,
        db_latency: Duration,
        risks: usize,
    ) -> Result<Self, Failure> {
        let wrong = |line: String| Err(Failure::new(ExitCode::Other, line));
        if cache_ttl < Duration::from_millis(1) {
            return wrong(format!("invalid cache TTL `{cache_ttl:?}`: at least `1ms`; `--cache none` switches it off"));
        }
        if db_latency > LONGEST_LATENCY {
            return wrong(format!("invalid database latency `{db_latency:?}`: at most `1m`"));
        }
        if risks > MOST_RISKS {
            return wrong(format!("invalid number of risks `{risks}`: at most {MOST_RISKS}"));
        }
        Ok(Self { listen, cache, cache_ttl, db_latency, risks })
    }
}

impl Default for TargetConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            cache: CacheChoice::Memory,
            cache_ttl: Duration::from_secs(30),
            db_latency: Duration::from_millis(40),
            risks: 200,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cache_choice() {
        let check = |input: &str, expect: &str| {
            let got = CacheChoice::parse(input).map_or_else(|error| error.message, |choice| format!("{choice:?}"));
            assert!(got.starts_with(expect), "{input}: {got}");
        };
        check("memory", "Memory");
        check("none", "Off");
        check("redis://127.0.0.1:6379", "Redis(\"redis://127.0.0.1:6379\")");
        check("redis://127.0.0.1:6379/2", "Redis(\"redis://127.0.0.1:6379/2\")");
        check("redis://", "invalid cache `redis://`: not a Redis address (");
        check("redis://127.0.0.1:6379/two", "invalid cache `redis://127.0.0.1:6379/two`: not a Redis address (");
        check("", "invalid cache ``: expected `memory`, `none` or `redis://host:port[/db]`");
        check("Memory", "invalid cache `Memory`: expected `memory`, `none` or ");
        check("memcached://x", "invalid cache `memcached://x`: expected `memory`, `none` or ");
    }

    #[test]
    fn refuses_figures_that_make_no_sense() {
        let check = |ttl: u64, latency: u64, risks: usize, expect: &str| {
            let (ttl, latency) = (Duration::from_millis(ttl), Duration::from_millis(latency));
            let default = TargetConfig::default();
            let got = TargetConfig::new(default.listen, default.cache, ttl, latency, risks);
            assert_eq!(got.map_or_else(|error| error.message, |_| "ok".to_owned()), expect);
        };
        check(30_000, 0, 0, "ok");
        check(0, 0, 1, "invalid cache TTL `0ns`: at least `1ms`; `--cache none` switches it off");
        check(1, 60_001, 1, "invalid database latency `60.001s`: at most `1m`");
        check(1, 0, 100_001, "invalid number of risks `100001`: at most 100000");
    }
}
