//! How a client reaches a server: through the proxy that the environment names for it, and over TLS for `https`.
//!
//! The one way to open a connection, for HTTP and for WebSocket. gRPC, which uses no proxy and has TLS settings of its
//! own, takes [`Connector::dial`]. What is spoken over the connection is decided by the caller.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::config::Config;
use super::dial::Dialer;
use super::http::proto::error::{NetError, TCP};
use super::http::proto::url::{Url, printable, to_ascii};
use super::http::timing::HopTimer;
use super::proxy::{Proxies, Proxy, ProxyKind};
use super::socket::{MeteredSocket, NetStream, Traffic};
use super::socks;
#[cfg(feature = "x-tls")]
use super::tls::connect_with;
use super::tls::{AlpnOffer, IssuerTransport, Tls, TlsInfo};

/// How long a server may take to show its certificate.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// What is said where it took longer.
const TLS_SILENT: &str = "tls: handshake timed out";
/// The same of the way through a proxy.
const PROXY_SILENT: &str = "proxy: handshake timed out";

/// What all clients of a run share.
#[derive(Debug)]
pub struct NetContext {
    /// Resolves names and opens sockets.
    pub dialer: Dialer,
    /// Encrypts connections.
    pub tls: Tls,
    /// Which proxy is for which URL.
    pub proxies: Proxies,
    /// The options all of it was made from.
    pub config: Config,
}

/// Opens the connections of one client.
#[derive(Clone, Debug)]
pub struct Connector {
    context: Arc<NetContext>,
    local_ip: Option<IpAddr>,
    traffic: Arc<Traffic>,
    /// False for one that fetches the certificates of issuers itself, which would wait for itself.
    fetches_issuers: bool,
}

/// What a connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// HTTP requests. TLS offers HTTP/2 and HTTP/1.1; a proxy is sent plain requests as they are.
    Requests,
    /// A WebSocket. TLS offers HTTP/1.1 alone; a proxy is always asked for a tunnel.
    WebSocket,
    /// A stream of events, as for a WebSocket. Nobody says how long it may take: a proxy and TLS have the time that a handshake has.
    #[cfg_attr(not(feature = "x-sse"), allow(dead_code, reason = "streams of events are k6/x/sse's"))]
    Events,
}

/// A connection on which nothing was said yet.
#[derive(Debug)]
pub struct OpenStream {
    /// Where bytes are written and read.
    pub stream: NetStream,
    /// What the TLS handshake agreed on: the server's, or the proxy's where there is only that one.
    pub tls: Option<TlsInfo>,
    /// True when the TLS handshake agreed on HTTP/2.
    pub is_http2: bool,
}

impl Connector {
    /// The connector of the client with this index, which chooses its own address among `localIPs`.
    pub fn new(context: Arc<NetContext>, index: u64, traffic: Arc<Traffic>) -> Self {
        let local_ips = &context.config.local_ips;
        let count = local_ips.len().max(1) as u64;
        let local_ip = local_ips.get((index % count) as usize).copied();
        let fetches_issuers = context.config.tls.fetches_issuers;
        Self { context, local_ip, traffic, fetches_issuers }
    }

    /// The same, but servers have to present whole chains.
    pub fn without_issuers(&self) -> Self {
        Self { fetches_issuers: false, ..self.clone() }
    }

    /// What fetches the certificates of issuers that servers leave out, where that is asked for.
    pub fn issuers(&self) -> Option<&dyn IssuerTransport> {
        self.fetches_issuers.then_some(self)
    }

    /// What was asked for.
    pub fn config(&self) -> &Config {
        &self.context.config
    }

    /// How connections are encrypted.
    pub fn tls(&self) -> &Tls {
        &self.context.tls
    }

    /// The proxy that the environment names for `url`, if there is one.
    pub fn proxy(&self, url: &Url) -> Result<Option<&Proxy>, NetError> {
        self.context.proxies.find(url)
    }

    /// The address that `host:port` leads to, by the rules of the configuration.
    #[cfg(any(feature = "x-dns", feature = "x-icmp"))]
    pub async fn resolve(&self, host: &str, port: &str) -> Result<SocketAddr, NetError> {
        self.context.dialer.resolve(host, port).await
    }

    /// True when `blockHostnames` forbids this name.
    #[cfg(feature = "x-dns")]
    pub fn is_blocked(&self, host: &str) -> bool {
        self.context.dialer.blocking_pattern(host).is_some()
    }

    /// Our own address, where one is chosen.
    #[cfg(feature = "x-dns")]
    pub fn local_ip(&self) -> Option<IpAddr> {
        self.local_ip
    }

    /// Counts bytes that went past the sockets opened here.
    #[cfg(any(feature = "x-dns", feature = "x-icmp"))]
    pub fn count_traffic(&self, sent: u64, received: u64) {
        self.traffic.add(sent, received);
    }

    /// The certificate that the server at `host:port` shows, as DER, whether it is valid or not.
    #[cfg(feature = "x-tls")]
    pub async fn certificate(&self, host: &str, port: &str) -> Result<Vec<u8>, NetError> {
        let connector = self.tls().for_inspection().map_err(NetError::other)?;
        let (socket, _) = self.dial(host, port).await?;
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, connect_with(&connector, host, socket, None)).await;
        let handshake = handshake.map_err(|_| NetError::other(TLS_SILENT))??;
        let chain = handshake.stream.get_ref().1.peer_certificates();
        let first = chain.and_then(|chain| chain.first());
        first
            .map(|certificate| certificate.to_vec())
            .ok_or_else(|| NetError::other("tls: the server showed no certificate"))
    }

    /// Opens a socket to `host:port` by the rules of the configuration, without proxy or encryption; with the time that
    /// connecting took.
    pub async fn dial(&self, host: &str, port: &str) -> Result<(MeteredSocket, Duration), NetError> {
        let remote = self.context.dialer.resolve(host, port).await?;
        self.context.dialer.connect(remote, self.local_ip, self.traffic.clone()).await
    }

    /// A socket to the server of `url`, [to be attached](MeteredSocket::attach), if that is all there is to a connection and it takes no
    /// time: the server is on this machine, and neither a name, nor a proxy, nor TLS is in between. Else, and where anything goes
    /// wrong, the connection is to be [opened](Self::open).
    pub fn dial_at_once(&self, url: &Url) -> Option<MeteredSocket> {
        if url.is_https() || self.proxy(url).ok()?.is_some() {
            return None;
        }
        let remote = self.context.dialer.known_address(url.hostname(), url.port_or_default())?;
        self.context.dialer.connect_at_once(remote, self.local_ip, self.traffic.clone())
    }

    /// Opens a connection to the server of `url`. The cost of each part is noted in `timer` as soon as that part is done.
    pub async fn open(&self, url: &Url, purpose: Purpose, timer: &mut HopTimer) -> Result<OpenStream, NetError> {
        let proxy = self.proxy(url)?;
        let (socket, connecting) = match proxy {
            Some(proxy) => self.dial(&proxy.host, &proxy.port).await.map_err(proxy_error)?,
            None => self.dial(url.hostname(), url.port_or_default()).await?,
        };
        timer.connected(connecting);
        let Some(limit) = purpose.handshake_limit() else {
            return self.agree(url, purpose, proxy, socket, timer).await;
        };
        // Boxed, as those without a limit have no room for it.
        let agreeing = Box::pin(self.agree(url, purpose, proxy, socket, timer));
        let agreed = tokio::time::timeout(limit, agreeing).await;
        agreed.map_err(|_| NetError::other(if proxy.is_some() { PROXY_SILENT } else { TLS_SILENT }))?
    }

    /// What comes before the first byte on a connection: a proxy is told where to, and TLS is set up.
    async fn agree(
        &self,
        url: &Url,
        purpose: Purpose,
        proxy: Option<&Proxy>,
        mut socket: MeteredSocket,
        timer: &mut HopTimer,
    ) -> Result<OpenStream, NetError> {
        let Some(proxy) = proxy else { return self.encrypt(url, purpose, socket, timer).await };
        let needs_tunnel = url.is_https() || purpose != Purpose::Requests;
        let ends = (socket.local, socket.remote);
        let (host, port) = (to_ascii(url.hostname()), url.port_or_default());
        let target = format!("{}:{port}", bracketed(&host));
        match proxy.kind {
            ProxyKind::Socks5 => {
                socks::connect(&mut socket, ends.1, (&host, port), proxy.credentials.as_ref()).await?;
            }
            ProxyKind::Http if needs_tunnel => tunnel(&mut socket, ends, &target, proxy).await?,
            ProxyKind::Http => {}
            ProxyKind::Https => {
                let handshake = self.tls().connect(AlpnOffer::Nothing, &proxy.host, socket, self.issuers()).await;
                let mut outer = handshake.map_err(proxy_error)?;
                timer.handshaken(outer.took);
                if needs_tunnel {
                    tunnel(&mut *outer.stream, ends, &target, proxy).await?;
                }
                if !url.is_https() {
                    let (stream, tls) = (NetStream::Tls(outer.stream), Some(outer.info));
                    return Ok(OpenStream { stream, tls, is_http2: false });
                }
                let handshake =
                    self.tls().connect_inside(purpose.offer(), url.hostname(), *outer.stream, self.issuers());
                let inner = handshake.await?;
                timer.handshaken(inner.took);
                let (stream, tls) = (NetStream::Tunnel(inner.stream), Some(inner.info));
                return Ok(OpenStream { stream, tls, is_http2: inner.is_http2 });
            }
        }
        self.encrypt(url, purpose, socket, timer).await
    }

    /// Adds TLS where the URL asks for it.
    async fn encrypt(
        &self,
        url: &Url,
        purpose: Purpose,
        socket: MeteredSocket,
        timer: &mut HopTimer,
    ) -> Result<OpenStream, NetError> {
        if !url.is_https() {
            return Ok(OpenStream { stream: NetStream::Plain(socket), tls: None, is_http2: false });
        }
        let handshake = self.tls().connect(purpose.offer(), url.hostname(), socket, self.issuers()).await?;
        timer.handshaken(handshake.took);
        let (stream, tls) = (NetStream::Tls(handshake.stream), Some(handshake.info));
        Ok(OpenStream { stream, tls, is_http2: handshake.is_http2 })
    }
}

impl Purpose {
    fn offer(self) -> AlpnOffer {
        match self {
            Self::Requests => AlpnOffer::Http,
            Self::WebSocket | Self::Events => AlpnOffer::Http1,
        }
    }

    /// How long a proxy and TLS may take together, where those who ask have no limit of their own.
    fn handshake_limit(self) -> Option<Duration> {
        (self == Self::Events).then_some(HANDSHAKE_TIMEOUT)
    }
}

/// An error on the way to a proxy, as Go reports it: without the code it would have on the way to a server.
fn proxy_error(error: NetError) -> NetError {
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
