//! Server-sent events: one request over a connection of its own, and what the server says until it ends.

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use smallvec::SmallVec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Mutex;

use super::client_connections::ClientConnections;
use super::connector::Purpose;
use super::http::proto::chunked::Framing;
use super::http::proto::cookies::{Cookie, CookieJar, cookie_header};
use super::http::proto::error::NetError;
use super::http::proto::headers::{Headers, RequestHeaders};
use super::http::proto::request_head::{WireBody, WireRequest};
use super::http::proto::response_head::{framing, parse_head};
use super::http::proto::url::Url;
use super::http::timing::HopTimer;
use super::socket::NetStream;
use super::ws::handshake::read_head;

/// The longest event a server may send.
const MAX_EVENT_BYTES: usize = 16 << 20;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SseRequest {
    /// Where.
    pub url: Url,
    /// How.
    pub method: String,
    /// The script's headers.
    pub headers: RequestHeaders,
    /// The body.
    pub body: Option<Bytes>,
    /// Where cookies are taken from and kept.
    pub jar: Option<Arc<CookieJar>>,
    /// When the stream has to be over.
    pub deadline: Option<Instant>,
}

/// The head of the response.
#[derive(Debug)]
pub struct SseOpened {
    /// The status.
    pub status: u16,
    /// The headers, names canonical.
    pub headers: Headers,
    /// The server's address.
    pub remote: IpAddr,
    /// When we began to connect.
    pub began: Instant,
    /// When the connection was open.
    pub connected: Instant,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// `id:`
    pub id: String,
    /// `event:`
    pub name: String,
    /// `data:`, lines joined by newlines.
    pub data: String,
    /// What stands behind a colon alone.
    pub comment: String,
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SseNext {
    /// An event, and when it was whole.
    Event(SseEvent, Instant),
    /// A line that means nothing.
    Unknown(String),
    /// The stream failed.
    Failed(String),
    /// The server has ended it.
    End,
}

/// A stream on its network thread.
pub struct SseStream {
    connections: Rc<ClientConnections>,
    open: Mutex<Option<SseConnection>>,
}

struct SseConnection {
    stream: NetStream,
    framing: Framing,
    parser: Parser,
    deadline: Option<Instant>,
}

impl SseStream {
    /// A stream that is not open.
    pub fn new(connections: Rc<ClientConnections>) -> Self {
        Self { connections, open: Mutex::new(None) }
    }

    /// Sends the request and reads the head of the response.
    ///
    /// # Errors
    /// Go's words.
    pub async fn open(&self, request: SseRequest) -> Result<SseOpened, String> {
        let deadline = request.deadline;
        let (open, opened) =
            within(deadline, self.connect(&request)).await?.map_err(|error| error.cause().to_owned())?;
        *self.open.lock().await = Some(open);
        Ok(opened)
    }

    async fn connect(&self, request: &SseRequest) -> Result<(SseConnection, SseOpened), NetError> {
        let began = Instant::now();
        // A stream has times of its own, so this timer is not read.
        let mut timer = HopTimer::start(began, None);
        let connector = self.connections.connector();
        let mut stream = connector.open(&request.url, Purpose::Events, &mut timer).await?.stream;
        let connected = Instant::now();
        let (local, remote) = (stream.socket().local, stream.socket().remote);
        let write = |error| NetError::socket("write", local, remote, &error);
        stream.write_all(&head(request)).await.map_err(write)?;
        if let Some(body) = &request.body {
            stream.write_all(body).await.map_err(write)?;
        }
        stream.flush().await.map_err(write)?;
        let (head, rest) = read_head(&mut stream).await?;
        let mut response = parse_head(&head)?;
        if let Some(jar) = &request.jar {
            jar.store(&request.url, &Cookie::all(&response.headers));
        }
        let framing = framing(&request.method, &mut response)?;
        let mut open = SseConnection { stream, framing, parser: Parser::default(), deadline: request.deadline };
        open.take(&rest)?;
        let opened =
            SseOpened { status: response.status, headers: response.headers, remote: remote.ip(), began, connected };
        Ok((open, opened))
    }

    /// What happens next.
    pub async fn next(&self) -> SseNext {
        let mut open = self.open.lock().await;
        let Some(open) = open.as_mut() else { return SseNext::End };
        let mut piece = Vec::new();
        loop {
            if let Some(next) = open.parser.found.pop_front() {
                return next;
            }
            if open.framing.is_done() {
                return SseNext::End;
            }
            if open.parser.is_too_long() {
                return SseNext::Failed(format!("an event is longer than {MAX_EVENT_BYTES} bytes"));
            }
            piece.clear();
            piece.reserve(4096);
            let (local, remote) = (open.stream.socket().local, open.stream.socket().remote);
            let read = match within(open.deadline, open.stream.read_buf(&mut piece)).await {
                Ok(read) => read,
                Err(text) => return SseNext::Failed(text),
            };
            match read {
                Ok(0) => {
                    return match open.framing.end() {
                        Ok(()) => SseNext::End,
                        Err(error) => SseNext::Failed(error.cause().to_owned()),
                    };
                }
                Ok(_) => {
                    if let Err(error) = open.take(&piece) {
                        return SseNext::Failed(error.cause().to_owned());
                    }
                }
                Err(error) => {
                    return SseNext::Failed(NetError::socket("read", local, remote, &error).cause().to_owned());
                }
            }
        }
    }
}

impl SseConnection {
    fn take(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let parser = &mut self.parser;
        self.framing.push(bytes, &mut |part| parser.push(part)).map(drop)
    }
}

/// As `work`, but not beyond the deadline.
async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Result<T, String> {
    match deadline {
        None => Ok(work.await),
        Some(deadline) => {
            let result = tokio::time::timeout_at(deadline.into(), work).await;
            result.map_err(|_| "context deadline exceeded".to_owned())
        }
    }
}

fn head(request: &SseRequest) -> Vec<u8> {
    let headers = &request.headers;
    let jar = request.jar.as_deref().filter(|_| headers.cookie.is_none());
    let cookie = cookie_header(headers.cookie.as_deref(), &[], jar, &request.url);
    let is_own = |name: &str| headers.get(name).is_none();
    let length = request.body.as_ref().map(|body| body.len().to_string());
    let fields = [
        ("Accept", is_own("Accept").then_some("text/event-stream")),
        ("Authorization", headers.authorization.as_deref()),
        ("Cache-Control", is_own("Cache-Control").then_some("no-cache")),
        ("Content-Length", length.as_deref()),
        ("Cookie", cookie.as_deref()),
    ];
    let hop_headers: SmallVec<[(&'static str, &str); 8]> =
        fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
    let host = match &headers.host {
        Some(host) => host.into(),
        None => request.url.wire_host(),
    };
    let target = request.url.request_target();
    let mut head = Vec::with_capacity(512);
    WireRequest {
        method: &request.method,
        target: &target,
        host: &host,
        headers,
        hop_headers: &hop_headers,
        body: WireBody::None,
        close: false,
    }
    .write_head(&mut head);
    head
}

/// Lines to events.
#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    event: SseEvent,
    event_bytes: usize,
    found: VecDeque<SseNext>,
}

impl Parser {
    fn is_too_long(&self) -> bool {
        self.line.len() + self.event_bytes > MAX_EVENT_BYTES
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            self.end_line(line.strip_suffix(b"\r").unwrap_or(&line));
        }
        self.line.extend_from_slice(bytes);
    }

    fn end_line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        if text.is_empty() {
            let mut event = std::mem::take(&mut self.event);
            event.data.truncate(event.data.trim_end_matches('\n').len());
            self.event_bytes = 0;
            self.found.push_back(SseNext::Event(event, Instant::now()));
            return;
        }
        self.event_bytes += text.len();
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => value.clone_into(&mut self.event.id),
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                self.event.data += value;
                self.event.data.push('\n');
            }
            "" => value.clone_into(&mut self.event.comment),
            "retry" => {}
            _ => self.found.push_back(SseNext::Unknown(format!("unknown event: {text}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_whole_and_in_pieces() {
        let text = b"id: 7\r\nevent: tick\r\ndata: a\r\ndata:b\r\n\r\n: hello\nretry: 5\nwhat\n\ndata: last\n";
        let event = |id: &str, name: &str, data: &str, comment: &str| [id, name, data, comment].map(str::to_owned);
        let read = |size: usize| {
            let mut parser = Parser::default();
            text.chunks(size).for_each(|piece| parser.push(piece));
            let shown = |next| match next {
                SseNext::Event(event, _) => [event.id, event.name, event.data, event.comment],
                SseNext::Unknown(text) => event("", "", "", &text),
                _ => event("", "", "", ""),
            };
            parser.found.into_iter().map(shown).collect::<Vec<_>>()
        };
        let expect =
            [event("7", "tick", "a\nb", ""), event("", "", "", "unknown event: what"), event("", "", "", "hello")];
        for size in [1, 2, 7, 1000] {
            assert_eq!(read(size), expect);
        }
    }
}
