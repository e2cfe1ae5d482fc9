//! Answers to reads, kept until a write or their time to live ends them.
//!
//! A write starts a new generation: what a slow read computed before the write is stored under the old one, never seen.
//! Redis that dies or hangs costs a request a quarter of a second once; then it is left alone for a second at a time.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde_json::{Value, json};

use super::config::CacheChoice;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::units::sync::lock;

/// How long a request waits for Redis before it counts as a miss.
const REDIS_TIMEOUT: Duration = Duration::from_millis(250);
/// How long Redis is left alone after it failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Searches can be anything, so the number of answers kept in memory has an end.
const MAX_ENTRIES: usize = 10_000;

/// The cache before the register.
pub(super) struct ResponseCache {
    backend: CacheBackend,
    ttl: Duration,
    generation: AtomicU64,
}

enum CacheBackend {
    Memory(Mutex<HashMap<String, CachedResponse>>),
    Redis(Box<RedisCache>),
    Off,
}

struct CachedResponse {
    until: Instant,
    body: Bytes,
}

/// A Redis server, and what is known of its health.
struct RedisCache {
    connection: ConnectionManager,
    /// The register lives in this process, so its answers must not be found by another one.
    namespace: String,
    outage: Mutex<Option<RedisOutage>>,
}

struct RedisOutage {
    reason: String,
    leave_alone_until: Instant,
}

impl ResponseCache {
    /// Opens the cache that was asked for.
    ///
    /// # Errors
    /// The Redis server can't be reached within two seconds.
    pub(super) async fn open(choice: &CacheChoice, ttl: Duration) -> Result<Self, Failure> {
        let backend = match choice {
            CacheChoice::Memory => CacheBackend::Memory(Mutex::default()),
            CacheChoice::Off => CacheBackend::Off,
            CacheChoice::Redis(url) => CacheBackend::Redis(Box::new(RedisCache::connect(url).await?)),
        };
        Ok(Self { backend, ttl, generation: AtomicU64::new(0) })
    }

    /// The generation to read and store under; taken before the answer is computed.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The answer kept under `key`, if there is one.
    pub(super) async fn get(&self, generation: u64, key: &str) -> Option<Bytes> {
        match &self.backend {
            CacheBackend::Off => None,
            CacheBackend::Memory(entries) => {
                let entries = lock(entries);
                let entry = entries.get(key)?;
                (entry.until > Instant::now()).then(|| entry.body.clone())
            }
            CacheBackend::Redis(remote) => {
                let mut command = redis::cmd("GET");
                command.arg(remote.key(generation, key));
                remote.ask::<Option<Vec<u8>>>(&command).await.flatten().map(Bytes::from)
            }
        }
    }

    /// Keeps `body` under `key`, unless a write came in between.
    pub(super) async fn put(&self, generation: u64, key: String, body: Bytes) {
        match &self.backend {
            CacheBackend::Off => {}
            CacheBackend::Memory(entries) => {
                let mut entries = lock(entries);
                if self.generation() != generation {
                    return;
                }
                let now = Instant::now();
                if entries.len() >= MAX_ENTRIES {
                    entries.retain(|_, entry| entry.until > now);
                }
                if entries.len() >= MAX_ENTRIES {
                    entries.clear();
                }
                entries.insert(key, CachedResponse { until: now + self.ttl, body });
            }
            CacheBackend::Redis(remote) => {
                let millis = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
                let mut command = redis::cmd("SET");
                command.arg(remote.key(generation, &key)).arg(body.as_ref()).arg("PX").arg(millis);
                // A cache that can't keep something is slow, not wrong; `ask` noted the reason.
                let _ = remote.ask::<()>(&command).await;
            }
        }
    }

    /// Forgets every answer, because the register changed.
    pub(super) fn invalidate(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        // In Redis the old generation is no longer asked for and ends by its time to live.
        if let CacheBackend::Memory(entries) = &self.backend {
            lock(entries).clear();
        }
    }

    /// The word for it in `/stats`.
    pub(super) const fn word(&self) -> &'static str {
        match self.backend {
            CacheBackend::Memory(_) => "memory",
            CacheBackend::Redis(_) => "redis",
            CacheBackend::Off => "none",
        }
    }

    /// What `/health` says about it; asks Redis, so that the answer is about now.
    pub(super) async fn health(&self) -> Value {
        let CacheBackend::Redis(remote) = &self.backend else {
            return json!({ "kind": self.word(), "status": "ok" });
        };
        if remote.ask::<String>(&redis::cmd("PING")).await.is_some() {
            return json!({ "kind": "redis", "status": "ok" });
        }
        let reason = lock(&remote.outage).as_ref().map(|outage| outage.reason.clone());
        json!({ "kind": "redis", "status": "unreachable", "reason": reason })
    }
}

impl RedisCache {
    async fn connect(url: &str) -> Result<Self, Failure> {
        let unreachable = |error: &dyn std::fmt::Display| {
            Failure::new(ExitCode::Other, format!("the cache at `{url}` can't be reached: {error}"))
                .hint("start a Redis server there, or use `--cache memory`")
        };
        let client = redis::Client::open(url).map_err(|error| unreachable(&error))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(RETRY_PAUSE))
            .set_response_timeout(Some(REDIS_TIMEOUT))
            .set_number_of_retries(1);
        let connecting = ConnectionManager::new_with_config(client, config);
        let connection = match tokio::time::timeout(2 * RETRY_PAUSE, connecting).await {
            Ok(result) => result.map_err(|error| unreachable(&error))?,
            Err(_) => return Err(unreachable(&"no answer within 2s")),
        };
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let namespace = format!("volley-target:{:x}-{started:x}", std::process::id());
        Ok(Self { connection, namespace, outage: Mutex::new(None) })
    }

    fn key(&self, generation: u64, key: &str) -> String {
        format!("{}:{generation}:{key}", self.namespace)
    }

    /// Asks Redis, or has no answer: at once while it is left alone, after [`REDIS_TIMEOUT`] when it does not say anything.
    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Option<T> {
        let is_left_alone = |outage: &RedisOutage| outage.leave_alone_until > Instant::now();
        if lock(&self.outage).as_ref().is_some_and(is_left_alone) {
            return None;
        }
        let mut connection = self.connection.clone();
        let reason = match tokio::time::timeout(REDIS_TIMEOUT, command.query_async::<T>(&mut connection)).await {
            Ok(Ok(answer)) => {
                *lock(&self.outage) = None;
                return Some(answer);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {REDIS_TIMEOUT:?}"),
        };
        *lock(&self.outage) = Some(RedisOutage { reason, leave_alone_until: Instant::now() + RETRY_PAUSE });
        None
    }
}
