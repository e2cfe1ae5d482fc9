//! The connections to one database, kept as Go's database/sql keeps them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};

use super::session::{SessionKey, SqlSession, SqlSource};
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
    source: Rc<SqlSource>,
    limits: PoolLimits,
    idle: RefCell<Vec<SqlSession>>,
    /// As many as connections may be opened.
    permits: Semaphore,
    is_closed: Cell<bool>,
    /// Sessions whose statements are to end.
    cancels_tx: mpsc::UnboundedSender<SessionKey>,
}

/// A connection at work. Where it is dropped so, nobody waits any more: it is closed, and the server is asked to end its statement.
struct Busy<'p> {
    connection: Option<SqlSession>,
    cancels_tx: &'p mpsc::UnboundedSender<SessionKey>,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.connection.take().and_then(|connection| connection.key()) {
            _ = self.cancels_tx.send(key);
        }
    }
}

impl SqlPool {
    /// A pool without a connection.
    pub fn new(connections: Rc<ClientConnections>, source: SqlSource, limits: PoolLimits) -> Rc<Self> {
        let (cancels_tx, mut cancels_rx) = mpsc::unbounded_channel();
        let max_open = limits.max_open.unwrap_or(Semaphore::MAX_PERMITS);
        let pool = Rc::new(Self {
            connections,
            source: Rc::new(source),
            limits,
            idle: RefCell::default(),
            permits: Semaphore::new(max_open.clamp(1, Semaphore::MAX_PERMITS)),
            is_closed: Cell::new(false),
            cancels_tx,
        });
        let (connections, source) = (pool.connections.clone(), pool.source.clone());
        tokio::task::spawn_local(async move {
            while let Some(key) = cancels_rx.recv().await {
                _ = tokio::time::timeout(CANCEL_TIMEOUT, source.cancel(&connections, key)).await;
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
            None => self.source.open(&self.connections).await.map_err(|error| error.text)?,
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

    fn take_idle(&self) -> Option<SqlSession> {
        loop {
            let mut connection = self.idle.borrow_mut().pop()?;
            if !self.is_spent(&connection) && !connection.is_stale() {
                return Some(connection);
            }
        }
    }

    fn is_spent(&self, connection: &SqlSession) -> bool {
        let is_over = |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| since.elapsed() > limit);
        is_over(self.limits.max_lifetime, connection.opened) || is_over(self.limits.max_idle_time, connection.used)
    }

    /// Closes the connections; later statements are refused.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.idle.take();
    }
}
