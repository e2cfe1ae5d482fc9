//! MySQL and MariaDB, as go-sql-driver speaks to them: texts where a statement has no arguments, else a statement that is prepared
//! for one execution.

mod auth;
mod connection;
mod dsn;
#[cfg(any(test, fuzzing))]
mod fuzz_tests;
#[cfg(test)]
mod tests;
mod value;

pub(super) use connection::MysqlConnection;
pub use dsn::{MysqlDsn, MysqlTls};
#[cfg(any(test, fuzzing))]
pub(super) use fuzz_tests::packets;
