//! PostgreSQL: results are asked for as text, which shows values of every type as lib/pq shows them.

mod cancel;
mod connection;
mod dsn;
#[cfg(test)]
mod tests;
mod value;

pub(super) use cancel::cancel;
pub(super) use connection::PostgresConnection;
pub use dsn::PostgresDsn;
