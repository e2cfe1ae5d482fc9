//! The half of a client that lives on its network thread: its connections, and how it opens new ones.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::config::Config;
use super::dial::Dialer;
use super::http::h1::Http1;
use super::http::h2::Http2;
use super::http::pool::{Connection, ConnectionPool};
use super::http::proto::error::{NetError, TCP};
use super::http::proto::url::printable;
use super::http::timing::HopTimer;
use super::http::{Protocol, Url};
use super::proxy::{Proxies, Proxy, ProxyKind};
use super::socket::{MeteredSocket, NetStream, Traffic};
use super::socks;
use super::tls::{AlpnOffer, Tls, TlsInfo};

/// What all clients of a run share.
#[derive(Debug)]
pub struct NetContext {
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
pub struct ClientConnections {
    means: Arc<NetContext>,
    pool: RefCell<ConnectionPool>,
    local_ip: Option<IpAddr>,
    traffic: Arc<Traffic>,
}

impl ClientConnections {
    /// The endpoint of the client with this index.
    pub fn new(means: Arc<NetContext>, index: u64, traffic: Arc<Traffic>) -> Self {
        let config = &means.config;
        let pool = ConnectionPool::new(config.max_idle, config.max_idle_per_host);
        let count = config.local_ips.len().max(1) as u64;
        let local_ip = config.local_ips.get((index % count) as usize).copied();
        Self { means, pool: pool.into(), local_ip, traffic }
    }

    /// True when no connection is used twice.
    pub fn closes_connections(&self) -> bool {
        self.means.config.no_connection_reuse
    }

    /// The proxy that the environment names for `url`, if there is one.
    pub fn proxy(&self, url: &Url) -> Result<Option<&Proxy>, NetError> {
        self.means.proxies.find(url)
    }

    /// A connection to `url`: an idle one, or a new one, whose cost is noted in `timer`.
    pub async fn connection(&self, url: &Url, protocol: Protocol, timer: &mut HopTimer) -> Result<Connection, NetError> {
        if !self.closes_connections() {
            let idle = self.pool.borrow_mut().take(url, protocol);
            if let Some(connection) = idle {
                return Ok(connection);
            }
        }
        // Boxed: opening is rare, and its state would weigh on every request.
        Box::pin(self.open(url, protocol, timer)).await
    }

    /// Keeps a connection that can carry another request.
    pub fn keep(&self, url: &Url, connection: Box<Http1>) {
        if !self.closes_connections() {
            self.pool.borrow_mut().put(url, connection);
        }
    }

    /// Forgets the shared connection to `url`.
    pub fn forget(&self, url: &Url, protocol: Protocol) {
        self.pool.borrow_mut().forget(url, protocol);
    }

    /// Closes every idle connection.
    pub fn close_idle(&self) {
        self.pool.borrow_mut().clear();
    }

    /// Opens a socket to `host:port` by the rules of the configuration, without proxy or encryption.
    pub async fn dial(&self, host: &str, port: &str) -> Result<(MeteredSocket, std::time::Duration), NetError> {
        let remote = self.means.dialer.resolve(host, port).await?;
        self.means.dialer.connect(remote, self.local_ip, self.traffic.clone()).await
    }

    /// How connections are encrypted.
    pub fn tls(&self) -> &Tls {
        &self.means.tls
    }

    /// A connection all bytes of which are the caller's: through a tunnel where there is a proxy, encrypted for `https`
    /// with nothing but HTTP/1.1 on offer, and in no pool.
    pub async fn raw(&self, url: &Url) -> Result<NetStream, NetError> {
        let proxy = self.means.proxies.find(url)?;
        let (mut socket, _) = match proxy {
            Some(proxy) => self.dial(&proxy.host, &proxy.port).await.map_err(of_proxy)?,
            None => self.dial(url.hostname(), url.port_or_default()).await?,
        };
        let host = crate::net::dial::to_ascii(url.hostname());
        let target = format!("{}:{}", bracketed(&host), url.port_or_default());
        let ends = (socket.local, socket.remote);
        match proxy.map(|proxy| (proxy.kind, proxy)) {
            None => {}
            Some((ProxyKind::Socks5, proxy)) => {
                let target = (&*host, url.port_or_default());
                socks::connect(&mut socket, ends.1, target, proxy.credentials.as_ref()).await?;
            }
            Some((ProxyKind::Http, proxy)) => tunnel(&mut socket, ends, &target, proxy).await?,
            Some((ProxyKind::Https, proxy)) => {
                let mut outer =
                    self.means.tls.connect(AlpnOffer::Nothing, &proxy.host, socket).await.map_err(of_proxy)?.stream;
                tunnel(&mut *outer, ends, &target, proxy).await?;
                return match url.is_https() {
                    true => {
                        let inside = self.means.tls.connect_inside(AlpnOffer::Http1, url.hostname(), *outer).await?;
                        Ok(NetStream::Tunnel(inside.stream))
                    }
                    false => Ok(NetStream::Tls(outer)),
                };
            }
        }
        match url.is_https() {
            true => Ok(NetStream::Tls(self.means.tls.connect(AlpnOffer::Http1, url.hostname(), socket).await?.stream)),
            false => Ok(NetStream::Plain(socket)),
        }
    }

    async fn open(&self, url: &Url, protocol: Protocol, timer: &mut HopTimer) -> Result<Connection, NetError> {
        let proxy = self.means.proxies.find(url)?;
        let (mut socket, connecting) = match proxy {
            Some(proxy) => self.dial(&proxy.host, &proxy.port).await.map_err(of_proxy)?,
            None => self.dial(url.hostname(), url.port_or_default()).await?,
        };
        timer.connected(connecting);
        let host = crate::net::dial::to_ascii(url.hostname());
        let target = format!("{}:{}", bracketed(&host), url.port_or_default());
        let (local, remote) = (socket.local, socket.remote);
        match proxy.map(|proxy| (proxy.kind, proxy)) {
            None => {}
            Some((ProxyKind::Socks5, proxy)) => {
                let target = (&*host, url.port_or_default());
                socks::connect(&mut socket, remote, target, proxy.credentials.as_ref()).await?;
            }
            Some((ProxyKind::Http, proxy)) if url.is_https() => {
                tunnel(&mut socket, (local, remote), &target, proxy).await?;
            }
            Some((ProxyKind::Http, _)) => {}
            Some((ProxyKind::Https, proxy)) => {
                let mut handshake =
                    self.means.tls.connect(AlpnOffer::Nothing, &proxy.host, socket).await.map_err(of_proxy)?;
                timer.handshaken(handshake.took);
                if !url.is_https() {
                    let (stream, tls) = (NetStream::Tls(handshake.stream), Some(handshake.info));
                    return Ok(Connection::One(Http1 { stream, tls, reused: false }.into()));
                }
                tunnel(&mut *handshake.stream, (local, remote), &target, proxy).await?;
                let inside = self.means.tls.connect_inside(AlpnOffer::Web, url.hostname(), *handshake.stream).await?;
                timer.handshaken(inside.took);
                return self.speak(url, NetStream::Tunnel(inside.stream), inside.info, inside.is_http2).await;
            }
        }
        if !url.is_https() {
            let stream = NetStream::Plain(socket);
            return match protocol {
                Protocol::Negotiated => Ok(Connection::One(Http1 { stream, tls: None, reused: false }.into())),
                Protocol::H2c => self.share(url, protocol, Http2::open(stream, None).await?),
            };
        }
        let handshake = self.means.tls.connect(AlpnOffer::Web, url.hostname(), socket).await?;
        timer.handshaken(handshake.took);
        self.speak(url, NetStream::Tls(handshake.stream), handshake.info, handshake.is_http2).await
    }

    /// Speaks what the handshake agreed on.
    async fn speak(&self, url: &Url, stream: NetStream, tls: TlsInfo, is_http2: bool) -> Result<Connection, NetError> {
        if !is_http2 {
            return Ok(Connection::One(Http1 { stream, tls: Some(tls), reused: false }.into()));
        }
        self.share(url, Protocol::Negotiated, Http2::open(stream, Some(tls)).await?)
    }

    fn share(&self, url: &Url, protocol: Protocol, connection: Http2) -> Result<Connection, NetError> {
        let connection = match self.closes_connections() {
            true => connection,
            false => self.pool.borrow_mut().share(url, protocol, connection),
        };
        Ok(Connection::Shared(connection.into()))
    }
}

/// Trouble on the way to a proxy, as Go names it: whatever it is, it is not the target's.
fn of_proxy(error: NetError) -> NetError {
    NetError::new(TCP, format!("proxyconnect tcp: {}", error.cause()))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Asks a proxy for a tunnel to `target`.
async fn tunnel<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    (local, remote): (SocketAddr, SocketAddr),
    target: &str,
    proxy: &Proxy,
) -> Result<(), NetError> {
    const MAX_HEAD: usize = 64 * 1024;
    let authorization = match proxy.authorization() {
        Some(value) => format!("Proxy-Authorization: {value}\r\n"),
        None => String::new(),
    };
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| NetError::socket("write", local, remote, &error))?;
    stream.flush().await.map_err(|error| NetError::socket("write", local, remote, &error))?;
    let mut head = Vec::new();
    // Byte by byte, because what follows the head belongs to the tunnel.
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) if head.len() < MAX_HEAD => head.push(byte),
            Ok(_) => return Err(NetError::other("proxy: response headers are too long")),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(NetError::other("unexpected EOF"));
            }
            Err(error) => return Err(NetError::socket("read", local, remote, &error)),
        }
    }
    let line = String::from_utf8_lossy(&head);
    let line = line.lines().next().unwrap_or_default();
    let status = line.split_once(' ').map_or("", |(_, status)| status);
    match status.split_once(' ').unwrap_or((status, "")) {
        ("200", _) => Ok(()),
        (_, "") => Err(NetError::other("unknown status code")),
        (_, text) => Err(NetError::other(printable(text.as_bytes()))),
    }
}
