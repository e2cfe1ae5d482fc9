//! The connections of one client on one thread: idle ones are taken from the pool, new ones are opened by the network thread.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::connector::{Connector, NetContext, Purpose};
use super::http::h1::Http1;
use super::http::h2::Http2;
use super::http::message::Protocol;
use super::http::pool::{Connection, ConnectionPool, LentConnections};
use super::http::proto::error::NetError;
use super::http::proto::url::Url;
use super::http::timing::HopTimer;
use super::socket::Traffic;
use crate::units::standing_timeout::StandingTimeout;

/// One client on its network thread, or what it keeps on the thread of its VU.
#[derive(Debug)]
pub struct ClientConnections {
    connector: Connector,
    pool: RefCell<ConnectionPool>,
    /// The thread runs scripts too: it only uses connections that were opened on the network thread.
    on_worker: bool,
    /// How many are under way on the network thread.
    exchanges: Cell<usize>,
    /// Limits exchanges.
    timeout: StandingTimeout,
}

impl ClientConnections {
    /// The connections of the client with this index.
    pub fn new(context: Arc<NetContext>, index: u64, traffic: Arc<Traffic>) -> Self {
        Self::over(Connector::new(context, index, traffic))
    }

    /// An empty pool of connections that `connector` opens.
    pub fn over(connector: Connector) -> Self {
        let config = connector.config();
        let pool = ConnectionPool::new(config.max_idle, config.max_idle_per_host);
        Self { connector, pool: pool.into(), on_worker: false, exchanges: Cell::new(0), timeout: Default::default() }
    }

    /// An empty pool on a thread that runs scripts too, for connections that come from the network thread.
    pub fn on_worker(context: Arc<NetContext>, index: u64, traffic: Arc<Traffic>) -> Self {
        Self { on_worker: true, ..Self::new(context, index, traffic) }
    }

    /// What opens this client's connections.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// What limits the time of exchanges on this thread.
    pub fn timeout(&self) -> &StandingTimeout {
        &self.timeout
    }

    /// True when every request has a connection of its own.
    pub fn closes_connections(&self) -> bool {
        self.connector.config().no_connection_reuse
    }

    /// A connection to `url`: an idle one, or a new one, whose cost is noted in `timer`.
    ///
    /// # Errors
    /// Why none could be opened; at [`ErrorStage::Elsewhere`](super::http::proto::error::ErrorStage::Elsewhere) where only the
    /// network thread may open one.
    pub async fn connection(
        &self,
        url: &Url,
        protocol: Protocol,
        timer: &mut HopTimer,
    ) -> Result<Connection, NetError> {
        if !self.closes_connections() {
            let idle = self.pool.borrow_mut().take(url, protocol);
            if let Some(connection) = idle {
                return Ok(connection);
            }
        }
        if self.on_worker {
            return Err(NetError::elsewhere());
        }
        // Boxed: opening is rare, and its state would weigh on every request.
        Box::pin(self.open(url, protocol, timer)).await
    }

    /// Returns a connection that can carry another request to the pool.
    pub fn put_back(&self, url: &Url, connection: Box<Http1>) {
        if !self.closes_connections() {
            self.pool.borrow_mut().put(url, connection);
        }
    }

    /// Returns a handle of a connection that requests share to the pool.
    pub fn put_handle_back(&self, handle: Box<Http2>) {
        self.pool.borrow_mut().put_handle(handle);
    }

    /// True when a request to `url` that takes no time finds a connection which this thread serves; it may have been closed
    /// meanwhile.
    pub fn serves(&self, url: &Url) -> bool {
        self.pool.borrow().serves(url)
    }

    /// Takes connections from this thread, for another to [`keep`](Self::keep): all that can move from one of scripts, those
    /// that take no time from the network thread; what requests share only while none is under way here.
    pub fn lend(&self) -> LentConnections {
        self.pool.borrow_mut().lend(self.on_worker, self.on_worker || self.exchanges.get() == 0)
    }

    /// Keeps connections that come from another thread.
    pub fn keep(&self, lent: LentConnections) {
        self.pool.borrow_mut().keep(lent, self.on_worker);
    }

    /// An exchange begins on the network thread, or ends.
    pub fn count_exchanges(&self, more: isize) {
        self.exchanges.set(self.exchanges.get().saturating_add_signed(more));
    }

    /// Removes the shared connection to `url` from the pool.
    pub fn forget(&self, url: &Url, protocol: Protocol) {
        self.pool.borrow_mut().forget(url, protocol);
    }

    /// Closes all idle connections.
    pub fn close_idle(&self) {
        self.pool.borrow_mut().clear();
    }

    async fn open(&self, url: &Url, protocol: Protocol, timer: &mut HopTimer) -> Result<Connection, NetError> {
        let opened = self.connector.open(url, Purpose::Requests, timer).await?;
        // `h2c` is for plain connections, which no handshake can have made HTTP/2.
        if !opened.is_http2 && protocol != Protocol::H2c {
            return Ok(Connection::One(
                Http1 {
                    stream: opened.stream,
                    tls: opened.tls,
                    reused: false,
                    pool_key: None,
                    on_worker: false,
                    is_heavy: false,
                }
                .into(),
            ));
        }
        let connection = Http2::open(opened.stream, opened.tls).await?;
        let connection = match self.closes_connections() {
            true => connection,
            false => self.pool.borrow_mut().share(url, protocol, connection),
        };
        Ok(Connection::Shared(connection.into()))
    }
}
