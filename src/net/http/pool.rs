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
/// A connection that requests share, where it leads, and what was asked for.
type SharedConnection = (PoolKey, Protocol, Http2);

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
        let at = self.shared.iter().position(|(key, spoken, _)| key.fits(url) && *spoken == protocol);
        if let Some(at) = at {
            let (.., shared) = &self.shared[at];
            if !shared.driver.is_closed() {
                let mut shared = shared.clone();
                shared.reused = true;
                return Some(Connection::Shared(shared.into()));
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
        let shared = self.shared.iter().find(|(key, spoken, _)| key.fits(url) && *spoken == Protocol::Negotiated);
        match shared {
            Some((.., shared)) => shared.driver.is_here() && !shared.driver.is_heavy(),
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
        let is_lent = |(_, spoken, shared): &&SharedConnection| {
            let driver = &shared.driver;
            // On its way nobody reads it, and who takes it may be late: no exchange waits for that, where it could stay.
            *spoken == Protocol::Negotiated && driver.is_here() && (heavy || driver.is_idle() && !driver.is_heavy())
        };
        lent.shared.extend(self.shared.iter().filter(|_| shares).filter(is_lent).cloned());
        lent.shared.iter().for_each(|(.., shared)| shared.driver.release());
        lent
    }

    /// Keeps connections that came from another thread, as [`put`](Self::put), and drives those that no thread drives.
    pub fn keep(&mut self, lent: LentConnections, on_worker: bool) {
        for (key, mut connection) in lent.idle {
            if connection.attach(on_worker).is_ok() {
                self.insert(key, connection);
            }
        }
        for (key, protocol, connection) in lent.shared {
            self.shared.retain(|(known, spoken, _)| *known != key || *spoken != protocol);
            self.shared.push((key, protocol, connection));
        }
        self.shared.iter().for_each(|(.., shared)| shared.driver.adopt());
    }

    /// Shares a new HTTP/2 connection; when another came first, that one is used.
    pub fn share(&mut self, url: &Url, protocol: Protocol, connection: Http2) -> Http2 {
        match self.shared.iter().find(|(key, spoken, _)| key.fits(url) && *spoken == protocol) {
            Some((.., earlier)) => earlier.clone(),
            None => {
                self.shared.push((PoolKey::new(url), protocol, connection.clone()));
                connection
            }
        }
    }

    /// Forgets the HTTP/2 connection to `url`; running requests keep it open.
    pub fn forget(&mut self, url: &Url, protocol: Protocol) {
        self.shared.retain(|(key, spoken, _)| !key.fits(url) || *spoken != protocol);
    }

    /// Closes everything idle.
    pub fn clear(&mut self) {
        self.idle.clear();
        self.shared.clear();
    }
}
