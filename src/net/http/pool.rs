//! The connections of one client: idle HTTP/1.1 ones, and one shared HTTP/2 connection per host.
//!
//! Lives on one thread, needs no lock. Dead connections are noticed when they would be used, without a system call.

use super::h1::Http1;
use super::h2::Http2;
use super::message::Protocol;
use super::pool_key::PoolKey;
use super::proto::url::Url;

/// A connection that can carry a request.
#[derive(Debug)]
pub enum Connection {
    /// For one request at a time.
    One(Box<Http1>),
    /// Shared by many.
    Shared(Box<Http2>),
}

impl Connection {
    /// True when it has carried a request before.
    pub fn is_reused(&self) -> bool {
        match self {
            Self::One(connection) => connection.reused,
            Self::Shared(connection) => connection.reused,
        }
    }
}

/// A connection between requests, and where it leads.
type IdleConnection = (PoolKey, Box<Http1>);

/// A connection that requests share.
#[derive(Debug)]
struct SharedConnection {
    key: PoolKey,
    /// What was asked for.
    protocol: Protocol,
    handle: Http2,
    /// Another handle, which the last request has given back: a new one takes its time.
    spare: Option<Box<Http2>>,
}

impl SharedConnection {
    fn new(key: PoolKey, protocol: Protocol, handle: Http2) -> Self {
        Self { key, protocol, handle, spare: None }
    }

    fn leads_to(&self, url: &Url, protocol: Protocol) -> bool {
        self.protocol == protocol && self.key.fits(url)
    }

    /// A handle for a request.
    fn take_handle(&mut self) -> Box<Http2> {
        let mut handle = self.spare.take().unwrap_or_else(|| self.handle.clone().into());
        handle.reused = true;
        handle
    }

    /// For the pool of another thread.
    fn lend(&self) -> Self {
        Self::new(self.key.clone(), self.protocol, self.handle.clone())
    }
}

/// Connections on their way from the pool of one thread to that of another.
#[derive(Debug, Default)]
pub struct LentConnections {
    idle: Vec<IdleConnection>,
    /// The other pool keeps a handle of each.
    shared: Vec<SharedConnection>,
}

/// What a client keeps between requests.
#[derive(Debug)]
pub struct ConnectionPool {
    /// The most recently used comes last.
    idle: Vec<IdleConnection>,
    shared: Vec<SharedConnection>,
    max_idle: usize,
    max_idle_per_host: usize,
}

impl ConnectionPool {
    /// An empty pool; `max_idle` 0 is no limit, `max_idle_per_host` 0 is Go's default of 2.
    pub fn new(max_idle: usize, max_idle_per_host: usize) -> Self {
        let max_idle = if max_idle == 0 { usize::MAX } else { max_idle };
        let max_idle_per_host = if max_idle_per_host == 0 { 2 } else { max_idle_per_host };
        Self { idle: Vec::new(), shared: Vec::new(), max_idle, max_idle_per_host }
    }

    /// The connection to `url` that was used last and is still alive.
    pub fn take(&mut self, url: &Url, protocol: Protocol) -> Option<Connection> {
        if let Some(at) = self.shared.iter().position(|shared| shared.leads_to(url, protocol)) {
            let shared = &mut self.shared[at];
            if !shared.handle.driver.is_closed() {
                return Some(Connection::Shared(shared.take_handle()));
            }
            self.shared.remove(at);
        }
        if protocol == Protocol::H2c {
            return None;
        }
        while let Some(index) = self.idle.iter().rposition(|(key, _)| key.fits(url)) {
            let (key, mut connection) = self.idle.remove(index);
            if !connection.is_stale() {
                connection.pool_key = Some(key);
                return Some(Connection::One(connection));
            }
        }
        None
    }

    /// Keeps an idle connection, unless there are enough to its host; the oldest of all makes room.
    pub fn put(&mut self, url: &Url, mut connection: Box<Http1>) {
        connection.reused = true;
        let key = connection.pool_key.take().filter(|key| key.fits(url));
        self.insert(key.unwrap_or_else(|| PoolKey::new(url)), connection);
    }

    /// Keeps a handle that a request is done with, for the next one.
    pub fn put_handle(&mut self, handle: Box<Http2>) {
        if let Some(shared) = self.shared.iter_mut().find(|shared| shared.handle.driver.is_same(&handle.driver)) {
            shared.spare = Some(handle);
        }
    }

    fn insert(&mut self, key: PoolKey, connection: Box<Http1>) {
        if self.idle.iter().filter(|(known, _)| *known == key).count() >= self.max_idle_per_host {
            return;
        }
        if self.idle.len() >= self.max_idle {
            self.idle.remove(0);
        }
        self.idle.push((key, connection));
    }

    /// True when a request to `url` that takes no time finds a connection which this thread serves; it may have been closed
    /// meanwhile.
    pub fn serves(&self, url: &Url) -> bool {
        match self.shared.iter().find(|shared| shared.leads_to(url, Protocol::Negotiated)) {
            Some(SharedConnection { handle, .. }) => handle.driver.is_here() && !handle.driver.is_heavy(),
            None => self.idle.iter().any(|(key, _)| key.fits(url)),
        }
    }

    /// Takes connections from this thread for another's pool to [`keep`](Self::keep): idle ones that are not `heavy`, the one used last
    /// comes last; and, where `shares`, what this thread drives of those that requests share.
    pub fn lend(&mut self, heavy: bool, shares: bool) -> LentConnections {
        let mut lent = LentConnections::default();
        if !self.idle.is_empty() {
            let idle = std::mem::take(&mut self.idle).into_iter();
            (lent.idle, self.idle) = idle.partition(|(_, connection)| heavy || !connection.is_heavy);
        }
        // What is lost on the way fails where it is attached.
        lent.idle.iter_mut().for_each(|(_, connection)| _ = connection.stream.detach());
        let is_lent = |shared: &&SharedConnection| {
            let driver = &shared.handle.driver;
            // On its way nobody reads it, and who takes it may be late: no exchange waits for that, where it could stay.
            shared.protocol == Protocol::Negotiated
                && driver.is_here()
                && (heavy || driver.is_idle() && !driver.is_heavy())
        };
        lent.shared.extend(self.shared.iter().filter(|_| shares).filter(is_lent).map(SharedConnection::lend));
        lent.shared.iter().for_each(|shared| shared.handle.driver.release());
        lent
    }

    /// Keeps connections that came from another thread, as [`put`](Self::put), and drives those that no thread drives.
    pub fn keep(&mut self, lent: LentConnections, on_worker: bool) {
        for (key, mut connection) in lent.idle {
            if connection.attach(on_worker).is_ok() {
                self.insert(key, connection);
            }
        }
        for shared in lent.shared {
            self.shared.retain(|known| known.key != shared.key || known.protocol != shared.protocol);
            self.shared.push(shared);
        }
        self.shared.iter().for_each(|shared| shared.handle.driver.adopt());
    }

    /// Shares a new HTTP/2 connection; when another came first, that one is used.
    pub fn share(&mut self, url: &Url, protocol: Protocol, connection: Http2) -> Http2 {
        match self.shared.iter().find(|shared| shared.leads_to(url, protocol)) {
            Some(earlier) => earlier.handle.clone(),
            None => {
                self.shared.push(SharedConnection::new(PoolKey::new(url), protocol, connection.clone()));
                connection
            }
        }
    }

    /// Forgets the HTTP/2 connection to `url`; running requests keep it open.
    pub fn forget(&mut self, url: &Url, protocol: Protocol) {
        self.shared.retain(|shared| !shared.leads_to(url, protocol));
    }

    /// Closes everything idle.
    pub fn clear(&mut self) {
        self.idle.clear();
        self.shared.clear();
    }
}
