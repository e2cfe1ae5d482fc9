//! Databases under load: one pool of connections per `open` of a script, on the VU's network thread.
//!
//! Messages are those of crates, postgres-protocol and mysql_common; sessions are ours, as connections have to be opened by the
//! run's own rules (`hosts`, `blacklistIPs`, `localIPs`, TLS). Errors read as those of the drivers k6 uses, lib/pq, go-sql-driver
//! and go-sqlite3, and as Go's database/sql.

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod mysql;
mod pool;
mod postgres;
mod session;
mod sqlite;
mod timestamp;
mod value;

pub use mysql::{MysqlDsn, MysqlTls};
pub use pool::{PoolLimits, SqlOutcome, SqlPool};
pub use postgres::PostgresDsn;
pub use session::SqlSource;
pub use sqlite::SqliteDsn;
pub use timestamp::Timestamp;
pub use value::{SqlAnswer, SqlArgument, SqlValue};
