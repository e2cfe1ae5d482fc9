//! PostgreSQL under load: one pool of connections per `open` of a script, on the VU's network thread.
//!
//! The messages are those of the crate postgres-protocol; the session is ours, as connections have to be opened by the run's own
//! rules (`hosts`, `blacklistIPs`, `localIPs`, TLS), and results have to be asked for as text, which shows values of every type.
//! Errors read as those of lib/pq and Go's database/sql.

mod connection;
mod dsn;
mod pool;
#[cfg(test)]
mod tests;
mod timestamp;
mod value;

pub use dsn::PostgresDsn;
pub use pool::{PoolLimits, SqlOutcome, SqlPool};
pub use timestamp::Timestamp;
pub use value::{SqlAnswer, SqlArgument, SqlValue};
