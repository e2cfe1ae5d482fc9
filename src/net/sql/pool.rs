//! The connections to one database, kept as Go's database/sql keeps them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Semaphore, mpsc};

use super::connection::{PostgresConnection, SqlError};
use super::dsn::PostgresDsn;
use super::value::{SqlAnswer, SqlArgument};
use crate::net::client_connections::ClientConnections;

/// So long is asked for the end of a statement that nobody waits for any more.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections are looked at no more often.
const MIN_CLEANING: Duration = Duration::from_secs(1);

/// How many connections are kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// As many may be open; `None` is any number.
    pub max_open: Option<usize>,
    /// As many are kept for later.
    pub max_idle: usize,
    /// So long one is used.
    pub max_lifetime: Option<Duration>,
    /// So long one is kept unused.
    pub max_idle_time: Option<Duration>,
}

/// What came of a statement.
#[derive(Debug)]
pub struct SqlOutcome {
    /// The answer; why there is none.
    pub answer: Result<SqlAnswer, String>,
    /// When it was asked for.
    pub began: Instant,
    /// When the answer was there.
    pub ended: Instant,
}

/// A pool on its network thread.
#[derive(Debug)]
pub struct SqlPool {
    connections: Rc<ClientConnections>,
    dsn: Rc<PostgresDsn>,
    limits: PoolLimits,
    idle: RefCell<Vec<PostgresConnection>>,
    /// As many as connections may be opened.
    permits: Semaphore,
    is_closed: Cell<bool>,
    /// Sessions whose statements are to end.
    cancels_tx: mpsc::UnboundedSender<(i32, i32)>,
}

/// A connection at work. Where it is dropped so, nobody waits any more: it is closed, and the server is asked to end its statement.
struct Busy<'p> {
    connection: Option<PostgresConnection>,
    cancels_tx: &'p mpsc::UnboundedSender<(i32, i32)>,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.connection.take().and_then(|connection| connection.key) {
            _ = self.cancels_tx.send(key);
        }
    }
}

impl SqlPool {
    /// A pool without a connection.
    pub fn new(connections: Rc<ClientConnections>, dsn: PostgresDsn, limits: PoolLimits) -> Rc<Self> {
        let (cancels_tx, mut cancels_rx) = mpsc::unbounded_channel();
        let max_open = limits.max_open.unwrap_or(Semaphore::MAX_PERMITS);
        let pool = Rc::new(Self {
            connections,
            dsn: Rc::new(dsn),
            limits,
            idle: RefCell::default(),
            permits: Semaphore::new(max_open.clamp(1, Semaphore::MAX_PERMITS)),
            is_closed: Cell::new(false),
            cancels_tx,
        });
        let (connections, dsn) = (pool.connections.clone(), pool.dsn.clone());
        tokio::task::spawn_local(async move {
            while let Some(key) = cancels_rx.recv().await {
                _ = tokio::time::timeout(CANCEL_TIMEOUT, cancel(&connections, &dsn, key)).await;
            }
        });
        if let Some(interval) = [limits.max_lifetime, limits.max_idle_time].into_iter().flatten().min() {
            let pool = Rc::downgrade(&pool);
            tokio::task::spawn_local(async move {
                loop {
                    tokio::time::sleep(interval.max(MIN_CLEANING)).await;
                    let Some(pool) = pool.upgrade() else { return };
                    pool.idle.borrow_mut().retain(|connection| !pool.is_spent(connection));
                }
            });
        }
        pool
    }

    /// Executes a statement over a connection of the pool, within `timeout` from now on.
    pub async fn statement(&self, sql: &str, args: &[SqlArgument], timeout: Option<Duration>) -> SqlOutcome {
        let began = Instant::now();
        let work = self.execute(sql, args);
        let answer = match timeout {
            None => work.await,
            Some(timeout) => match tokio::time::timeout(timeout, work).await {
                Ok(answer) => answer,
                Err(_) => Err("context deadline exceeded".to_owned()),
            },
        };
        SqlOutcome { answer, began, ended: Instant::now() }
    }

    async fn execute(&self, sql: &str, args: &[SqlArgument]) -> Result<SqlAnswer, String> {
        let closed = || "sql: database is closed".to_owned();
        let _permit = self.permits.acquire().await.map_err(|_| closed())?;
        if self.is_closed.get() {
            return Err(closed());
        }
        let idle = self.take_idle();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open().await.map_err(|error| error.text)?,
        };
        let mut busy = Busy { connection: Some(connection), cancels_tx: &self.cancels_tx };
        let Some(connection) = &mut busy.connection else { return Err(closed()) };
        let answer = connection.statement(sql, args).await;
        let connection = busy.connection.take();
        let is_usable = answer.as_ref().map_or_else(|error| error.is_usable, |_| true);
        let mut idle = self.idle.borrow_mut();
        if is_usable && !self.is_closed.get() && idle.len() < self.limits.max_idle {
            idle.extend(connection.filter(|connection| !self.is_spent(connection)));
        }
        answer.map_err(|error| error.text)
    }

    async fn open(&self) -> Result<PostgresConnection, SqlError> {
        let opening = PostgresConnection::open(&self.connections, &self.dsn);
        let Some(limit) = self.dsn.connect_timeout else { return opening.await };
        let opened = tokio::time::timeout(limit, opening).await;
        opened.unwrap_or_else(|_| Err(SqlError::timed_out(&self.dsn.host, &self.dsn.port)))
    }

    fn take_idle(&self) -> Option<PostgresConnection> {
        loop {
            let mut connection = self.idle.borrow_mut().pop()?;
            if !self.is_spent(&connection) && !connection.is_stale() {
                return Some(connection);
            }
        }
    }

    fn is_spent(&self, connection: &PostgresConnection) -> bool {
        let is_over = |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| since.elapsed() > limit);
        is_over(self.limits.max_lifetime, connection.opened) || is_over(self.limits.max_idle_time, connection.used)
    }

    /// Closes the connections; later statements are refused.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.idle.take();
    }
}

/// Asks the server to end what a session does, as PostgreSQL wants it asked: over a connection of its own.
async fn cancel(connections: &ClientConnections, dsn: &PostgresDsn, (process, secret): (i32, i32)) {
    let Ok((mut socket, _)) = connections.connector().dial(&dsn.host, &dsn.port).await else { return };
    let mut request = BytesMut::new();
    frontend::cancel_request(process, secret, &mut request);
    // The server answers by closing.
    if socket.write_all(&request).await.is_ok() && socket.flush().await.is_ok() {
        _ = tokio::io::AsyncReadExt::read(&mut socket, &mut [0]).await;
    }
}
