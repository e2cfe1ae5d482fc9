//! One server and the pool of connections to it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::config::{RedisAddress, RedisConfig};
use super::connection::{Introduction, RedisConnection, RedisError};
use super::resp::RespValue;
use crate::net::client_connections::ClientConnections;

/// One server.
#[derive(Debug)]
pub(super) struct RedisNode {
    pub address: RedisAddress,
    config: Rc<RedisConfig>,
    /// It may be a replica, and answers all the same.
    read_only: bool,
    idle: RefCell<Vec<RedisConnection>>,
    /// As many as connections may be opened.
    permits: Semaphore,
    /// The average time of an answer.
    latency: Cell<Option<Duration>>,
    /// Connections are kept in reserve already.
    is_warm: Cell<bool>,
}

/// Commands after which a connection speaks otherwise, or of itself: it serves no other command.
const CHANGING: [&[u8]; 9] =
    [b"HELLO", b"MONITOR", b"PSUBSCRIBE", b"PSYNC", b"QUIT", b"RESET", b"SSUBSCRIBE", b"SUBSCRIBE", b"SYNC"];

/// Whether a connection can't be used again after this command.
pub(super) fn changes_protocol(command: &[Vec<u8>]) -> bool {
    let is = |at: usize, name: &[u8]| command.get(at).is_some_and(|word| word.eq_ignore_ascii_case(name));
    CHANGING.iter().any(|name| is(0, name)) || is(0, b"CLIENT") && (is(1, b"REPLY") || is(1, b"TRACKING"))
}

impl RedisNode {
    pub(super) fn new(address: RedisAddress, config: Rc<RedisConfig>, read_only: bool) -> Rc<Self> {
        let permits = Semaphore::new(config.pool_size.clamp(1, Semaphore::MAX_PERMITS));
        Rc::new(Self {
            address,
            read_only,
            idle: RefCell::default(),
            permits,
            latency: Cell::default(),
            is_warm: Cell::new(config.min_idle == 0),
            config,
        })
    }

    /// The average time of an answer, zero where none came yet: those are asked first.
    pub(super) fn latency(&self) -> Duration {
        self.latency.get().unwrap_or_default()
    }

    /// Sends commands over a connection of the pool; the answer of the last.
    pub(super) async fn command(
        self: &Rc<Self>,
        connections: &Rc<ClientConnections>,
        commands: &[Vec<Vec<u8>>],
    ) -> Result<RespValue, RedisError> {
        let permit = tokio::time::timeout(self.config.pool_timeout, self.permits.acquire()).await;
        let _permit = permit.map_err(|_| RedisError::Refused("redis: connection pool timeout".to_owned()))?;
        let idle = self.take_idle();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open(connections).await?,
        };
        if !self.is_warm.replace(true) {
            self.warm(connections);
        }
        let began = Instant::now();
        let answer = connection.command(&self.config, commands).await?;
        let took = began.elapsed();
        self.latency.set(Some(self.latency.get().map_or(took, |known| (known * 7 + took) / 8)));
        if !commands.iter().any(|command| changes_protocol(command)) {
            self.idle.borrow_mut().push(connection);
        }
        Ok(answer)
    }

    async fn open(&self, connections: &ClientConnections) -> Result<RedisConnection, RedisError> {
        let config = &self.config;
        let who = Introduction {
            username: &config.username,
            password: &config.password,
            client_name: &config.client_name,
            database: config.database,
            read_only: self.read_only,
        };
        RedisConnection::open(connections, config, &self.address, who).await
    }

    /// True when a connection is there that can be used.
    pub(super) fn has_idle(&self) -> bool {
        let idle = self.take_idle();
        let is_there = idle.is_some();
        self.idle.borrow_mut().extend(idle);
        is_there
    }

    fn take_idle(&self) -> Option<RedisConnection> {
        loop {
            let mut connection = self.idle.borrow_mut().pop()?;
            if !self.is_spent(&connection) && !connection.is_stale() {
                return Some(connection);
            }
        }
    }

    fn is_spent(&self, connection: &RedisConnection) -> bool {
        let is_over = |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| since.elapsed() > limit);
        is_over(self.config.max_age, connection.opened) || is_over(self.config.idle_timeout, connection.used)
    }

    /// Closes the connections that are not to be used again.
    pub(super) fn close_spent(&self) {
        self.idle.borrow_mut().retain(|connection| !self.is_spent(connection));
    }

    /// Opens the connections that are to be there before they are needed.
    fn warm(self: &Rc<Self>, connections: &Rc<ClientConnections>) {
        let (node, connections) = (Rc::downgrade(self), connections.clone());
        tokio::task::spawn_local(async move {
            while let Some(node) = node.upgrade()
                && node.idle.borrow().len() < node.config.min_idle.min(node.config.pool_size.saturating_sub(1))
            {
                let Ok(_permit) = node.permits.try_acquire() else { return };
                // A server that refuses is told of by the next command.
                let Ok(connection) = node.open(&connections).await else { return };
                node.idle.borrow_mut().push(connection);
            }
        });
    }
}
