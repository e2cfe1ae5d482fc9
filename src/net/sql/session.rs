//! One connection to a database of whatever kind.

use std::time::{Duration, Instant};

use super::mysql::{MysqlConnection, MysqlDsn};
use super::postgres::{PostgresConnection, PostgresDsn, cancel};
use super::sqlite::{SqliteConnection, SqliteDsn};
use super::value::{SqlAnswer, SqlArgument, SqlError};
use crate::net::client_connections::ClientConnections;

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlSource {
    /// PostgreSQL
    Postgres(PostgresDsn),
    /// MySQL and MariaDB
    Mysql(MysqlDsn),
    /// SQLite, in this process
    Sqlite(SqliteDsn),
}

/// By which a server knows a session, to end what it does.
#[derive(Clone, Copy, Debug)]
pub(super) enum SessionKey {
    Postgres(i32, i32),
    Mysql(u32),
}

/// An open connection.
#[derive(Debug)]
pub(super) struct SqlSession {
    kind: SessionKind,
    /// When it was opened.
    pub opened: Instant,
    /// When it was last used.
    pub used: Instant,
}

#[derive(Debug)]
enum SessionKind {
    Postgres(PostgresConnection),
    Mysql(Box<MysqlConnection>),
    Sqlite(SqliteConnection),
}

impl SqlSource {
    /// What metrics call the driver.
    pub fn driver(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Mysql(_) => "mysql",
            Self::Sqlite(_) => "sqlite3",
        }
    }

    pub(super) async fn open(&self, connections: &ClientConnections) -> Result<SqlSession, SqlError> {
        let kind = match self {
            Self::Postgres(dsn) => {
                let opened = limited(dsn.connect_timeout, PostgresConnection::open(connections, dsn)).await;
                SessionKind::Postgres(opened.unwrap_or_else(|| Err(SqlError::timed_out(&dsn.host, &dsn.port)))?)
            }
            Self::Mysql(dsn) => {
                let opened = limited(dsn.timeout, MysqlConnection::open(connections, dsn)).await;
                let opened = opened.unwrap_or_else(|| Err(SqlError::timed_out(&dsn.host, &dsn.port)))?;
                SessionKind::Mysql(Box::new(opened))
            }
            Self::Sqlite(dsn) => SessionKind::Sqlite(SqliteConnection::open(dsn).await?),
        };
        let now = Instant::now();
        Ok(SqlSession { kind, opened: now, used: now })
    }

    /// Asks the server to end what a session does.
    pub(super) async fn cancel(&self, connections: &ClientConnections, key: SessionKey) {
        match (self, key) {
            (Self::Postgres(dsn), SessionKey::Postgres(process, secret)) => {
                cancel(connections, dsn, (process, secret)).await;
            }
            (Self::Mysql(dsn), SessionKey::Mysql(id)) => {
                if let Ok(mut connection) = MysqlConnection::open(connections, dsn).await {
                    _ = connection.statement(&format!("KILL {id}"), &[]).await;
                }
            }
            _ => {}
        }
    }
}

/// What comes of it within a time; `None` if nothing does.
async fn limited<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match limit {
        None => Some(work.await),
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
    }
}

impl SqlSession {
    pub(super) async fn statement(&mut self, sql: &str, args: &[SqlArgument]) -> Result<SqlAnswer, SqlError> {
        let answer = match &mut self.kind {
            SessionKind::Postgres(connection) => connection.statement(sql, args).await,
            SessionKind::Mysql(connection) => connection.statement(sql, args).await,
            SessionKind::Sqlite(connection) => connection.statement(sql, args).await,
        };
        self.used = Instant::now();
        answer
    }

    /// True when the server has closed it, or has sent what nobody asked for.
    pub(super) fn is_stale(&mut self) -> bool {
        match &mut self.kind {
            SessionKind::Postgres(connection) => connection.is_stale(),
            SessionKind::Mysql(connection) => connection.is_stale(),
            SessionKind::Sqlite(_) => false,
        }
    }

    /// By which the server knows it. SQLite ends a statement when its connection is dropped.
    pub(super) fn key(&self) -> Option<SessionKey> {
        match &self.kind {
            SessionKind::Postgres(connection) => {
                connection.key.map(|(process, secret)| SessionKey::Postgres(process, secret))
            }
            SessionKind::Mysql(connection) => Some(SessionKey::Mysql(connection.id)),
            SessionKind::Sqlite(_) => None,
        }
    }
}
