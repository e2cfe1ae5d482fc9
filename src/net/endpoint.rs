//! The half of a client that lives on its network thread: its connections, and how it opens new ones.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::config::Config;
use super::dial::Dialer;
use super::http::Url;
use super::http::error::Fault;
use super::http::exchange::Mark;
use super::http::h1::Http1;
use super::http::h2::Http2;
use super::http::pool::{Connection, Pool};
use super::proxy::{Proxies, Proxy};
use super::socket::{Socket, Stream, Traffic};
use super::tls::Tls;

/// What all clients of a run share.
#[derive(Debug)]
pub struct Means {
    /// Opens connections.
    pub dialer: Dialer,
    /// Encrypts them.
    pub tls: Tls,
    /// Leads them elsewhere.
    pub proxies: Proxies,
    /// As asked for.
    pub config: Config,
}

/// One client on its network thread.
#[derive(Debug)]
pub struct Endpoint {
    means: Arc<Means>,
    pool: RefCell<Pool>,
    local_ip: Option<IpAddr>,
    traffic: Arc<Traffic>,
}

impl Endpoint {
    /// The endpoint of the client with this index.
    pub fn new(means: Arc<Means>, index: u64, traffic: Arc<Traffic>) -> Self {
        let config = &means.config;
        let pool = Pool::new(config.max_idle, config.max_idle_per_host);
        let count = config.local_ips.len().max(1) as u64;
        let local_ip = config.local_ips.get((index % count) as usize).copied();
        Self { means, pool: pool.into(), local_ip, traffic }
    }

    /// True when no connection is used twice.
    pub fn closes_connections(&self) -> bool {
        self.means.config.no_connection_reuse
    }

    /// The proxy for `url`, if there is one.
    pub fn proxy(&self, url: &Url) -> Result<Option<&Proxy>, Fault> {
        self.means.proxies.find(url)
    }

    /// A connection to `url`: an idle one, or a new one, whose cost is noted in `mark`.
    pub async fn connection(&self, url: &Url, mark: &mut Mark) -> Result<Connection, Fault> {
        if !self.closes_connections() {
            let idle = self.pool.borrow_mut().take(url);
            if let Some(connection) = idle {
                return Ok(connection);
            }
        }
        // Boxed: opening is rare, and its state would weigh on every request.
        Box::pin(self.open(url, mark)).await
    }

    /// Keeps a connection that can carry another request.
    pub fn keep(&self, url: &Url, connection: Box<Http1>) {
        if !self.closes_connections() {
            self.pool.borrow_mut().put(url, connection);
        }
    }

    /// Forgets the shared connection to `url`.
    pub fn forget(&self, url: &Url) {
        self.pool.borrow_mut().forget(url);
    }

    /// Closes every idle connection.
    pub fn close_idle(&self) {
        self.pool.borrow_mut().clear();
    }

    /// Opens a socket to `host:port` by the rules of the configuration, without proxy or encryption.
    pub async fn dial(&self, host: &str, port: &str) -> Result<(Socket, std::time::Duration), Fault> {
        let remote = self.means.dialer.resolve(host, port).await?;
        self.means.dialer.connect(remote, self.local_ip, self.traffic.clone()).await
    }

    /// How connections are encrypted.
    pub fn tls(&self) -> &Tls {
        &self.means.tls
    }

    async fn open(&self, url: &Url, mark: &mut Mark) -> Result<Connection, Fault> {
        let proxy = self.means.proxies.find(url)?;
        let host = crate::net::dial::to_ascii(url.hostname());
        let (socket, connecting) = match proxy {
            Some(proxy) => self.dial(&proxy.host, &proxy.port).await.map_err(|fault| {
                let long = format!("proxyconnect tcp: {}", fault.cause());
                fault.long(long)
            })?,
            None => self.dial(url.hostname(), url.port_or_default()).await?,
        };
        mark.connecting = connecting;
        if !url.is_https() {
            return Ok(Connection::One(Http1 { stream: Stream::Plain(socket), tls: None, reused: false }.into()));
        }
        let socket = match proxy {
            Some(proxy) => tunnel(socket, &format!("{}:{}", bracketed(&host), url.port_or_default()), proxy).await?,
            None => socket,
        };
        let handshake = self.means.tls.connect(url.hostname(), socket).await?;
        mark.tls_handshaking = handshake.took;
        let (stream, tls) = (Stream::Tls(handshake.stream), Some(handshake.info));
        if !handshake.is_http2 {
            return Ok(Connection::One(Http1 { stream, tls, reused: false }.into()));
        }
        let connection = Http2::open(stream, tls).await?;
        let connection = match self.closes_connections() {
            true => connection,
            false => self.pool.borrow_mut().share(url, connection),
        };
        Ok(Connection::Shared(connection.into()))
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Asks a proxy for a tunnel to `target`.
async fn tunnel(mut socket: Socket, target: &str, proxy: &Proxy) -> Result<Socket, Fault> {
    const MAX_HEAD: usize = 64 * 1024;
    let (local, remote) = (socket.local, socket.remote);
    let authorization = match &proxy.authorization {
        Some(value) => format!("Proxy-Authorization: {value}\r\n"),
        None => String::new(),
    };
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
    socket.write_all(request.as_bytes()).await.map_err(|error| Fault::socket("write", local, remote, &error))?;
    let mut head = Vec::new();
    // Byte by byte, because what follows the head belongs to the tunnel.
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) if head.len() < MAX_HEAD => head.push(byte),
            Ok(_) => return Err(Fault::other("proxy: response headers are too long")),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(Fault::other("unexpected EOF"));
            }
            Err(error) => return Err(Fault::socket("read", local, remote, &error)),
        }
    }
    let line = String::from_utf8_lossy(&head);
    let line = line.lines().next().unwrap_or_default();
    let status = line.split_once(' ').map_or("", |(_, status)| status);
    match status.split_once(' ').unwrap_or((status, "")) {
        ("200", _) => Ok(socket),
        (_, "") => Err(Fault::other(format!("unknown status code {status}"))),
        (_, text) => Err(Fault::other(text.to_owned())),
    }
}
