//! The opening handshake (RFC 6455, section 4): a GET that asks for another protocol, and a response that agrees.
//!
//! Redirects are not followed and credentials of a URL are refused, as k6 does. The request's head is the one of
//! HTTP/1.1, so headers have the order they have there.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use smallvec::SmallVec;
use tokio::io::AsyncWriteExt;

use super::deflate;
use crate::net::client_connections::ClientConnections;
use crate::net::connector::Purpose;
use crate::net::cpu_pool;
use crate::net::http::proto::cookies::{Cookie, CookieJar, cookie_header};
use crate::net::http::proto::error::{NetError, TLS_RECORD};
use crate::net::http::proto::headers::{Headers, RequestHeaders, has_token};
use crate::net::http::proto::request_head::{WireBody, WireRequest};
use crate::net::http::proto::response_head::{LARGE_HEAD, ResponseHead, framing, parse_head};
use crate::net::http::proto::url::Url;
use crate::net::http::timing::HopTimer;
use crate::net::socket::{MeteredSocket, NetStream};

/// How long everything may take until the connection is open.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);
/// The most bytes a head may have; Go's limit.
const MAX_HEAD: usize = 10 << 20;
/// At most this many bytes of a refusal's body are kept.
const MAX_SHOWN_BODY: usize = 1024;
/// What the server appends to our key before it hashes it.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A checked request for a WebSocket.
#[derive(Clone, Debug)]
pub struct HandshakeRequest {
    /// Where to, as `http` or `https`: cookies belong to that form.
    url: Url,
    headers: RequestHeaders,
    protocol: Option<String>,
    jar: Option<Arc<CookieJar>>,
    deflates: bool,
}

/// The server's response.
#[derive(Clone, Debug)]
pub struct HandshakeResponse {
    /// 101, or the status of a refusal.
    pub status: u16,
    /// Its headers, names canonical.
    pub headers: Headers,
    /// The body of a refusal, at most 1,024 bytes.
    pub body: Vec<u8>,
    /// The server's address.
    pub remote: IpAddr,
    /// When we began to connect.
    pub started: Instant,
    /// When the last byte of the response's head arrived.
    pub arrived: Instant,
}

/// Why there is no connection.
#[derive(Clone, Debug)]
pub struct HandshakeError {
    /// In words.
    pub text: String,
    /// The server's response, if there was one.
    pub response: Option<HandshakeResponse>,
    /// When we began to connect.
    pub started: Instant,
}

/// An open connection.
pub struct OpenedSocket {
    /// The transport.
    pub stream: NetStream,
    /// The server's response.
    pub response: HandshakeResponse,
    /// What arrived after the response.
    pub rest: Vec<u8>,
    /// permessage-deflate was agreed on.
    pub compresses: bool,
}

impl HandshakeRequest {
    /// Checks URL and headers.
    ///
    /// # Errors
    /// In k6's words: a URL or a header that can't be sent.
    pub fn new(url: &str, headers: Vec<(String, String)>) -> Result<Self, String> {
        let given = Url::parse(url)?;
        if !matches!(given.scheme(), "ws" | "wss") || given.credentials().is_some() {
            return Err("malformed ws or wss URL".to_owned());
        }
        // `ws` becomes `http`, and `wss` so `https`.
        let url = Url::parse(&format!("http{}", &given.as_str()[2..]))?;
        let mut headers = RequestHeaders::new(&headers).map_err(|error| error.cause().to_owned())?;
        let own = ["Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions"];
        if let Some(name) = own.into_iter().find(|name| headers.get(name).is_some()) {
            return Err(format!("websocket: duplicate header not allowed: {name}"));
        }
        let at = headers.rest.iter().position(|(name, _)| name == "Sec-Websocket-Protocol");
        let protocol = at.map(|at| headers.rest.remove(at).1);
        Ok(Self { url, headers, protocol, jar: None, deflates: false })
    }

    /// Asks for one of these protocols.
    ///
    /// # Errors
    /// The headers ask for protocols already.
    pub fn protocols(mut self, list: &[String]) -> Result<Self, String> {
        if list.is_empty() {
            return Ok(self);
        }
        if self.protocol.is_some() {
            return Err("websocket: duplicate header not allowed: Sec-Websocket-Protocol".to_owned());
        }
        self.protocol = Some(list.join(", "));
        Ok(self)
    }

    /// Sends the cookies of this jar, and keeps there what the server sets.
    pub fn jar(mut self, jar: Arc<CookieJar>) -> Self {
        self.jar = Some(jar);
        self
    }

    /// Offers permessage-deflate.
    pub fn deflate(mut self, deflates: bool) -> Self {
        self.deflates = deflates;
        self
    }

    /// A socket to the server, where that is a matter of no time.
    pub fn dial_at_once(&self, connections: &ClientConnections) -> Option<MeteredSocket> {
        connections.connector().dial_at_once(&self.url)
    }

    /// The head of the request.
    fn head(&self, key: &str) -> Vec<u8> {
        let jar = self.jar.as_deref().filter(|_| self.headers.cookie.is_none());
        let cookie = cookie_header(self.headers.cookie.as_deref(), &[], jar, &self.url);
        let fields = [
            ("Authorization", self.headers.authorization.as_deref()),
            ("Connection", Some("Upgrade")),
            ("Cookie", cookie.as_deref()),
            ("Sec-WebSocket-Extensions", self.deflates.then_some(deflate::OFFER)),
            ("Sec-WebSocket-Key", Some(key)),
            ("Sec-WebSocket-Protocol", self.protocol.as_deref()),
            ("Sec-WebSocket-Version", Some("13")),
            ("Upgrade", Some("websocket")),
        ];
        let hop_headers: SmallVec<[(&'static str, &str); 8]> =
            fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
        let host = match &self.headers.host {
            Some(host) => host.into(),
            None => self.url.wire_host(),
        };
        let mut head = Vec::with_capacity(512);
        let (method, target) = ("GET", self.url.request_target());
        let (headers, body) = (&self.headers, WireBody::None);
        WireRequest { method, target: &target, host: &host, headers, hop_headers: &hop_headers, body, close: false }
            .write_head(&mut head);
        head
    }
}

/// Opens a connection, over this socket where there is one already.
///
/// # Errors
/// Why there is none.
pub async fn open(
    connections: &ClientConnections,
    request: &HandshakeRequest,
    socket: Option<MeteredSocket>,
    started: Instant,
) -> Result<OpenedSocket, Box<HandshakeError>> {
    let mut ends = None;
    let refused = |text, response| Err(Box::new(HandshakeError { text, response, started }));
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, connect(connections, request, socket, started, &mut ends)).await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(AttemptError::Refused(text, response))) => refused(text.to_owned(), Some(*response)),
        Ok(Err(AttemptError::Net(error))) => refused(error_text(&error), None),
        Err(_) => {
            let text = match ends {
                Some((local, remote)) => format!("read tcp {local}->{remote}: i/o timeout"),
                None => format!("dial tcp: lookup {}: i/o timeout", request.url.hostname()),
            };
            refused(text, None)
        }
    }
}

/// The error of a connection that the script has given up.
pub fn canceled(started: Instant) -> Box<HandshakeError> {
    Box::new(HandshakeError { text: "context canceled".to_owned(), response: None, started })
}

/// Why an attempt failed.
enum AttemptError {
    /// The connection failed.
    Net(NetError),
    /// The server refused; why, in k6's words.
    Refused(&'static str, Box<HandshakeResponse>),
}

impl From<NetError> for AttemptError {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

/// The text of k6's library for an error, which does not mention HTTP.
fn error_text(error: &NetError) -> String {
    match error.code {
        TLS_RECORD => &*error.text,
        _ => error.cause().strip_prefix("net/http: HTTP/1.x transport connection broken: ").unwrap_or(error.cause()),
    }
    .to_owned()
}

/// Connects and does the handshake.
async fn connect(
    connections: &ClientConnections,
    request: &HandshakeRequest,
    socket: Option<MeteredSocket>,
    started: Instant,
    ends: &mut Option<(SocketAddr, SocketAddr)>,
) -> Result<OpenedSocket, AttemptError> {
    // A WebSocket has times of its own, so this timer is not read.
    let mut timer = HopTimer::start(started, None);
    let mut stream = match socket {
        Some(socket) => NetStream::Plain(socket),
        None => connections.connector().open(&request.url, Purpose::WebSocket, &mut timer).await?.stream,
    };
    let (local, remote) = (stream.socket().local, stream.socket().remote);
    *ends = Some((local, remote));
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| NetError::other(error.to_string()))?;
    let key = STANDARD.encode(nonce);
    let write = |error| NetError::socket("write", local, remote, &error);
    stream.write_all(&request.head(&key)).await.map_err(write)?;
    stream.flush().await.map_err(write)?;
    let (head, mut rest) = read_head(&mut stream).await?;
    let (arrived, length) = (stream.socket().arrived, head.len());
    let (jar, url) = (request.jar.clone(), request.url.clone());
    let parse = move || {
        let response = parse_head(&head)?;
        if let Some(jar) = &jar {
            jar.store(&url, &Cookie::all(&response.headers));
        }
        Ok::<_, NetError>(response)
    };
    let mut response = match length {
        ..=LARGE_HEAD => parse()?,
        // On the CPU pool, so that no other connection waits.
        _ => cpu_pool::run(parse).await.unwrap_or_else(|| Err(NetError::head("the head could not be parsed")))?,
    };
    let agreement = match agrees(response.status, &response.headers, &key) {
        true => deflate::agreed(response.headers.get_all("Sec-Websocket-Extensions")),
        false => Err("websocket: bad handshake"),
    };
    let body = match agreement {
        Ok(_) => Vec::new(),
        Err(_) => read_body(&mut stream, &mut response, std::mem::take(&mut rest)).await,
    };
    let (status, headers, remote) = (response.status, response.headers, remote.ip());
    let response = HandshakeResponse { status, headers, body, remote, started, arrived };
    match agreement {
        Ok(compresses) => Ok(OpenedSocket { stream, response, rest, compresses: compresses && request.deflates }),
        Err(text) => Err(AttemptError::Refused(text, Box::new(response))),
    }
}

/// True when the server switches to the protocol that was requested.
fn agrees(status: u16, headers: &Headers, key: &str) -> bool {
    let has = |name: &str, token: &str| headers.get_all(name).any(|value| has_token(value, token));
    status == 101
        && has("Upgrade", "websocket")
        && has("Connection", "upgrade")
        && headers.get("Sec-Websocket-Accept") == Some(&accept(key))
}

/// The `Sec-WebSocket-Accept` for a key.
fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// Reads until the head of the response is complete; the head, and what arrived after it.
pub(in crate::net) async fn read_head(stream: &mut NetStream) -> Result<(Vec<u8>, Vec<u8>), NetError> {
    let mut head: Vec<u8> = Vec::new();
    let mut is_judged = false;
    loop {
        let seen = head.len().saturating_sub(3);
        match read(stream, &mut head).await? {
            0 => return Err(NetError::other("unexpected EOF")),
            _ if head.len() > MAX_HEAD => {
                return Err(NetError::other("net/http: server response headers are too long"));
            }
            _ => {}
        }
        let window = &head[seen..];
        let end = memchr::memmem::find(window, b"\r\n\r\n").map(|at| at + 4);
        let end = end.or_else(|| memchr::memmem::find(window, b"\n\n").map(|at| at + 2));
        if let Some(end) = end {
            let rest = head.split_off(seen + end);
            return Ok((head, rest));
        }
        // What does not begin like HTTP might never end.
        if !is_judged && let Some(line) = memchr::memchr(b'\n', &head[seen..]) {
            parse_head(&head[..=seen + line])?;
            is_judged = true;
        }
    }
}

/// Reads the body of a refusal, as far as it is kept; an error ends it.
async fn read_body(stream: &mut NetStream, response: &mut ResponseHead, begun: Vec<u8>) -> Vec<u8> {
    let mut body = Vec::new();
    let Ok(mut framing) = framing("GET", response) else { return body };
    let mut piece = begun;
    loop {
        let read_on = framing.push(&piece, &mut |part| body.extend_from_slice(part)).is_ok() && !framing.is_done();
        piece.clear();
        if !read_on || body.len() >= MAX_SHOWN_BODY || !matches!(read(stream, &mut piece).await, Ok(1..)) {
            body.truncate(MAX_SHOWN_BODY);
            return body;
        }
    }
}

/// Reads once; 0 is the end.
async fn read(stream: &mut NetStream, into: &mut Vec<u8>) -> Result<usize, NetError> {
    let result = poll_fn(|cx| {
        stream.poll_take(cx, |bytes, _| {
            into.extend_from_slice(bytes);
            bytes.len()
        })
    })
    .await;
    result.map_err(|error| {
        let socket = stream.socket();
        NetError::socket("read", socket.local, socket.remote, &error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_answered() {
        // The example of the RFC.
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn heads_have_the_order_of_http() {
        let headers = [("x-custom", "1"), ("User-Agent", "me"), ("origin", "http://o"), ("Host", "virtual")];
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let request = HandshakeRequest::new("WSS://a.test:9/p?q#f", headers).unwrap();
        let request = request.protocols(&["a".to_owned(), "b".to_owned()]).unwrap().deflate(true);
        let head = String::from_utf8(request.head("KEY")).unwrap();
        let expect = format!(
            "GET /p?q HTTP/1.1\r\nHost: virtual\r\nUser-Agent: me\r\nConnection: Upgrade\r\nOrigin: http://o\r\n\
             Sec-WebSocket-Extensions: {}\r\nSec-WebSocket-Key: KEY\r\nSec-WebSocket-Protocol: a, b\r\n\
             Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nX-Custom: 1\r\n\r\n",
            deflate::OFFER
        );
        assert_eq!(head, expect);
        assert!(request.url.is_https());
    }

    #[test]
    fn refusals_say_why() {
        let check = |url: &str, header: &str, expect: &str| {
            let headers = vec![(header.to_owned(), "x".to_owned())];
            assert_eq!(HandshakeRequest::new(url, headers).unwrap_err(), expect, "{url}");
        };
        check("http://a/", "x", "malformed ws or wss URL");
        check("ws://u:p@a/", "x", "malformed ws or wss URL");
        check("ws://%zz", "x", "parse \"ws://%zz\": invalid URL escape \"%zz\"");
        check("ws://a/", "upgrade", "websocket: duplicate header not allowed: Upgrade");
        check("ws://a/", "sec-websocket-key", "websocket: duplicate header not allowed: Sec-Websocket-Key");
        let given =
            HandshakeRequest::new("ws://a/", vec![("sec-websocket-protocol".to_owned(), "x".to_owned())]).unwrap();
        assert!(given.protocols(&["a".to_owned()]).is_err());
    }
}
