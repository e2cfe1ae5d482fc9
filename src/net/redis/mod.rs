//! Redis under load: one pool of connections per client of a script, on the VU's network thread.
//!
//! The protocol is RESP2, coded here: connections have to be opened by the run's own rules (`hosts`, `blacklistIPs`, `localIPs`,
//! TLS), and errors have to read as those of go-redis. Commands wait for a connection of the pool, are tried again as go-redis
//! does, and follow the redirections of a cluster.

mod client;
mod config;
mod connection;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod node;
mod resp;
#[cfg(test)]
mod tests;

pub use client::{RedisClient, RedisOutcome};
pub use config::{ClusterConfig, RedisAddress, RedisConfig, SentinelConfig};
pub use resp::RespValue;
