//! The transports of payloads: HTTP requests, unary gRPC calls, datagrams.
//!
//! HTTP and gRPC share one client: a unary call is a POST over HTTP/2 with five bytes before the message and a status
//! behind it. Nothing here counts as load; connections of the test itself are `net`'s.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Identity, Proxy, Url, tls};
use tokio::net::UdpSocket;

use super::sigv4::RequestSigner;
use crate::units::redact::redact_typed;
use crate::units::web_client;

/// How payloads reach the server.
pub enum Transport {
    /// POST, or a unary gRPC call.
    Http(Box<HttpTransport>),
    /// Lines in datagrams.
    Udp(UdpTransport),
}

impl Transport {
    /// Prepares the transport before the first payload.
    pub(super) async fn open(&mut self) -> Result<(), String> {
        match self {
            Self::Http(http) => http.begin().await,
            Self::Udp(udp) => udp.open().await,
        }
    }

    /// Sends a body; returns when the server has it, as far as that can be known.
    pub(super) async fn send(&self, body: Vec<u8>) -> Result<(), String> {
        match self {
            Self::Http(http) if http.is_grpc => http.call(body).await,
            Self::Http(http) => {
                let body = Bytes::from(body);
                let outcome = http.post(&http.url, body.clone()).await;
                if http.first.is_none() || !matches!(&outcome, Err(error) if error.contains(NOT_FOUND)) {
                    return outcome;
                }
                // The server was not there before the first payload, or has been restarted since.
                _ = http.begin().await;
                http.post(&http.url, body).await
            }
            Self::Udp(udp) => udp.send(&body).await,
        }
    }
}

/// How much of a response is read; with more on it the connection is closed.
const MAX_RESPONSE_BYTES: usize = 64 << 10;

/// The message for status 404.
const NOT_FOUND: &str = "the answer was 404";

/// Where and how requests are sent.
pub struct HttpTransport {
    client: Client,
    url: Url,
    headers: HeaderMap,
    first: Option<Url>,
    is_grpc: bool,
    signer: Option<RequestSigner>,
}

/// The options of an HTTP client.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// User and password, in basic authentication.
    pub login: Option<(String, String)>,
    /// Accept any certificate.
    pub is_insecure: bool,
    /// Refuse TLS 1.2.
    pub needs_tls13: bool,
    /// A PEM file with further roots to trust.
    pub root: Option<std::path::PathBuf>,
    /// PEM files with a certificate and its key.
    pub identity: Option<(std::path::PathBuf, std::path::PathBuf)>,
    /// A proxy.
    pub proxy: Option<String>,
    /// HTTP/2 without negotiation, as gRPC needs.
    pub is_grpc: bool,
    /// How long a connection may take to open.
    pub connect_timeout: Option<Duration>,
}

impl HttpTransport {
    /// A way to this URL.
    ///
    /// # Errors
    /// One line for a URL, a header or a file that can't be used.
    pub fn new(url: &str, options: HttpOptions) -> Result<Self, String> {
        let url = parse_url(url)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &options.headers {
            let wrong = |_| format!("`{name}: {value}` is no HTTP header");
            let name = HeaderName::try_from(name.as_str()).map_err(|error| wrong(error.to_string()))?;
            headers.insert(name, HeaderValue::try_from(value.as_str()).map_err(|error| wrong(error.to_string()))?);
        }
        if let Some((user, password)) = &options.login {
            use base64::Engine;
            let login = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            let mut value = HeaderValue::try_from(format!("Basic {login}")).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        let read = |path: &std::path::Path| {
            std::fs::read(path).map_err(|error| format!("could not read '{}': {error}", path.display()))
        };
        let mut builder = web_client::builder().redirect(reqwest::redirect::Policy::none());
        if options.is_insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if options.needs_tls13 {
            builder = builder.tls_version_min(tls::Version::TLS_1_3);
        }
        if let Some(path) = &options.root {
            let roots = Certificate::from_pem_bundle(&read(path)?).map_err(|error| words(&error))?;
            builder = builder.tls_certs_merge(roots);
        }
        if let Some((certificate, key)) = &options.identity {
            let pem = [read(certificate)?, b"\n".to_vec(), read(key)?].concat();
            builder = builder.identity(Identity::from_pem(&pem).map_err(|error| words(&error))?);
        }
        if let Some(proxy) = &options.proxy {
            builder = builder.proxy(Proxy::all(proxy).map_err(|error| words(&error))?);
        }
        if let Some(limit) = options.connect_timeout {
            builder = builder.connect_timeout(limit);
        }
        builder = if options.is_grpc { builder.http2_prior_knowledge() } else { builder.http1_only() };
        let client = builder.build().map_err(|error| words(&error))?;
        Ok(Self { client, url, headers, first: None, is_grpc: options.is_grpc, signer: None })
    }

    /// Requests this URL before the first payload, and again after a 404; a failure is a debug line at most.
    ///
    /// # Errors
    /// When it is no URL.
    pub fn with_first(mut self, url: &str) -> Result<Self, String> {
        self.first = Some(parse_url(url)?);
        Ok(self)
    }

    /// Signs every request.
    pub fn with_signer(mut self, signer: Option<RequestSigner>) -> Self {
        self.signer = signer;
        self
    }

    async fn begin(&self) -> Result<(), String> {
        match &self.first {
            Some(url) => self.post(url, Bytes::new()).await,
            None => Ok(()),
        }
    }

    async fn post(&self, url: &Url, body: Bytes) -> Result<(), String> {
        let mut request = self.client.post(url.clone()).headers(self.headers.clone());
        if let Some(signer) = &self.signer {
            for (name, value) in signer.sign("POST", url, &body, jiff::Timestamp::now()) {
                request = request.header(name, value);
            }
        }
        let mut answer = request.body(body).send().await.map_err(|error| words(&error))?;
        let status = answer.status();
        // A connection is used again only when its answer was read.
        let mut text = Vec::new();
        while text.len() < MAX_RESPONSE_BYTES
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            text.extend_from_slice(&chunk[..chunk.len().min(MAX_RESPONSE_BYTES - text.len())]);
        }
        drop(answer);
        let text = String::from_utf8_lossy(&text);
        if status.is_success() {
            return Ok(());
        }
        let line = text.lines().next().unwrap_or_default();
        Err(format!("the answer was {status}{}{}", if line.is_empty() { "" } else { ": " }, cut(line)))
    }

    async fn call(&self, message: Vec<u8>) -> Result<(), String> {
        let length = u32::try_from(message.len()).map_err(|_| "the message is too long".to_owned())?;
        let mut body = Vec::with_capacity(message.len() + 5);
        body.push(0);
        body.extend(length.to_be_bytes());
        body.extend(message);
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let request = request.header("content-type", "application/grpc").header("te", "trailers");
        let answer = request.body(body).send().await.map_err(|error| words(&error))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("the answer was {status}"));
        }
        let answer = http::Response::<reqwest::Body>::from(answer);
        let (head, body) = answer.into_parts();
        let collected = Limited::new(body, MAX_RESPONSE_BYTES).collect().await.map_err(|error| words(&*error))?;
        // An answer without a message has its status among the headers.
        let trailers = collected.trailers().filter(|trailers| trailers.contains_key("grpc-status"));
        let said = |name: &str| {
            let value = trailers.unwrap_or(&head.headers).get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        match said("grpc-status").as_deref() {
            Some("0") => Ok(()),
            Some(code) => {
                Err(format!("the call ended with code {code}: {}", cut(&said("grpc-message").unwrap_or_default())))
            }
            None => Err("the answer has no gRPC status".to_owned()),
        }
    }
}

fn parse_url(url: &str) -> Result<Url, String> {
    let parsed = Url::parse(url).map_err(|error| format!("`{}` is no URL: {error}", redact_typed(url)))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(format!("`{}` is no URL of a server: write it like http://localhost:8086", redact_typed(url)));
    }
    Ok(parsed)
}

/// A text from elsewhere, kept short.
fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}

/// The innermost cause says most.
fn words(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Datagrams sent before a short pause.
const BURST: usize = 64;

/// Where datagrams go, and how large they may be.
pub struct UdpTransport {
    address: String,
    max_bytes: usize,
    max_lines: usize,
    socket: Option<UdpSocket>,
}

impl UdpTransport {
    /// A transport to `host:port` with limits for the bytes and lines of a datagram.
    ///
    /// # Errors
    /// When it is no address.
    pub fn new(address: &str, max_bytes: usize, max_lines: usize) -> Result<Self, String> {
        let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        if parts.is_none_or(|(host, _)| host.is_empty()) {
            return Err(format!("`{address}` is no address: write it like localhost:8125"));
        }
        Ok(Self { address: address.to_owned(), max_bytes, max_lines, socket: None })
    }

    async fn open(&mut self) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.address);
        let mut addresses = tokio::net::lookup_host(&self.address).await.map_err(failed)?;
        let address = addresses.next().ok_or_else(|| format!("`{}` has no address", self.address))?;
        let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(own).await.map_err(failed)?;
        socket.connect(address).await.map_err(failed)?;
        self.socket = Some(socket);
        Ok(())
    }

    async fn send(&self, lines: &[u8]) -> Result<(), String> {
        let socket = self.socket.as_ref().ok_or_else(|| format!("`{}` could not be found", self.address))?;
        let mut outcome = Ok(());
        for (at, datagram) in datagrams(lines, self.max_bytes, self.max_lines).enumerate() {
            // UDP has no back-pressure: a short pause keeps the receiver's buffer from overflowing.
            if at % BURST == BURST - 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // A missing peer shows only at the next datagram; the others are tried all the same.
            if let Err(error) = socket.send(datagram).await {
                outcome = Err(error.to_string());
            }
        }
        outcome
    }
}

/// Splits lines into datagrams within both limits; a longer line goes alone.
fn datagrams(lines: &[u8], max_bytes: usize, max_lines: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let (mut end, mut count) = (0, 0);
        while end < rest.len() && count < max_lines.max(1) {
            let line = memchr::memchr(b'\n', &rest[end..]).map_or(rest.len() - end, |at| at + 1);
            if count > 0 && end + line > max_bytes {
                break;
            }
            end += line;
            count += 1;
        }
        let (datagram, later) = rest.split_at(end);
        rest = later;
        (!datagram.is_empty()).then_some(datagram)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_hold_whole_lines() {
        let check = |lines: &str, max_bytes: usize, max_lines: usize, expect: &[&str]| {
            let got: Vec<_> = datagrams(lines.as_bytes(), max_bytes, max_lines).collect();
            let expect: Vec<_> = expect.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(got, expect, "{lines:?}");
        };
        check("", 10, 10, &[]);
        check("aa\nbb\ncc\n", 6, 10, &["aa\nbb\n", "cc\n"]);
        check("aa\nbb\ncc\n", 100, 2, &["aa\nbb\n", "cc\n"]);
        check("a long line\nb\nlast", 4, 10, &["a long line\n", "b\n", "last"]);
    }
}
