//! HTTP/2 on one connection, shared by all requests of a client to a host.
//!
//! The `h2` crate frames and multiplexes; this file turns our messages into its own and back, with Go's windows.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use h2::client::SendRequest;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::Length;
use super::error::{Fault, Stage};
use super::h1::{Answer, LARGE_HEAD, Payload, Progress, Sink, Wire};
use super::headers::Headers;
use super::url::Url;
use crate::net::seats;
use crate::net::socket::Stream;
use crate::net::tls::TlsInfo;

/// Go's window of one stream.
const STREAM_WINDOW: u32 = 4 << 20;
/// Go's window of the connection.
const CONNECTION_WINDOW: u32 = 1 << 30;
/// The largest header list that is read; Go's limit.
const MAX_HEAD: u32 = 10 << 20;

/// A connection that speaks HTTP/2. Clones share it.
#[derive(Clone, Debug)]
pub struct Http2 {
    sender: SendRequest<Bytes>,
    /// What ended the connection.
    end: Rc<RefCell<Option<h2::Error>>>,
    /// When the last bytes arrived.
    arrived: Rc<Cell<Instant>>,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// What the TLS handshake agreed on.
    pub tls: Option<TlsInfo>,
    /// True when it has carried a request before.
    pub reused: bool,
}

impl Http2 {
    /// Greets the server. A task of this thread drives the connection as long as somebody holds it.
    pub async fn open(stream: Stream, tls: Option<TlsInfo>) -> Result<Self, Fault> {
        let (local, remote) = (stream.socket().local, stream.socket().remote);
        let arrived = Rc::new(Cell::new(Instant::now()));
        let (sender, connection) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD)
            .enable_push(false)
            .handshake(Stamped { stream, arrived: arrived.clone() })
            .await
            .map_err(|error| Fault::h2(&error, local, remote))?;
        let end: Rc<RefCell<Option<h2::Error>>> = Rc::default();
        let note = end.clone();
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                *note.borrow_mut() = Some(error);
            }
        });
        Ok(Self { sender, end, arrived, local, remote, tls, reused: false })
    }

    /// What is told about an error of a stream. When a connection ends after a GOAWAY, that says more than the end.
    async fn fault(&self, error: h2::Error) -> Fault {
        if error.is_io() {
            tokio::task::yield_now().await;
            // A GOAWAY without a complaint ends the connection's task in peace; only who asks for a stream hears of it.
            let refused = self.sender.clone().ready().now_or_never().and_then(Result::err);
            let end = self.end.borrow();
            if let Some(end) = end.as_ref().or(refused.as_ref()).filter(|end| end.is_go_away()) {
                return Fault::h2(end, self.local, self.remote).at(Stage::Head);
            }
            // The request was under way: it is not sent again, as Go doesn't.
            return Fault::h2(&error, self.local, self.remote).at(Stage::Head);
        }
        Fault::h2(&error, self.local, self.remote)
    }

    /// Sends `wire` and reads the answer; its body lands in `progress`.
    pub async fn exchange(
        &mut self,
        url: &Url,
        wire: &Wire<'_>,
        sink: impl FnOnce(&Answer) -> Sink,
        progress: &mut Progress,
    ) -> Result<Answer, Fault> {
        let request = head(url, wire)?;
        let unsent = |error: h2::Error| Fault::h2(&error, self.local, self.remote).at(Stage::Before);
        let mut sender = self.sender.clone().ready().await.map_err(unsent)?;
        let has_body = matches!(wire.body, Payload::EmptyChunked) || !wire.body.is_empty();
        let (answer, body) = sender.send_request(request, !has_body).map_err(unsent)?;
        let mut answer = pin!(answer);
        let mut upload = pin!(async {
            if has_body {
                // A server may answer without reading everything; the answer says what else went wrong.
                _ = send_body(body, wire.body).await;
            }
        });
        let mut is_uploading = true;
        // The request goes on being written while the answer comes.
        let mut upload = |cx: &mut Context<'_>, progress: &mut Progress| {
            if is_uploading && upload.as_mut().poll(cx).is_ready() {
                is_uploading = false;
                progress.timer.sent(Instant::now());
            }
        };
        let answered = poll_fn(|cx| {
            upload(cx, progress);
            answer.as_mut().poll(cx)
        })
        .await;
        let answered = match answered {
            Ok(answered) => answered,
            Err(error) => return Err(self.fault(error).await),
        };
        progress.timer.first_byte(self.arrived.get());
        let (parts, mut stream) = answered.into_parts();
        let headers = headers_of(parts.headers).await?;
        let status = parts.status.as_u16();
        let reason = parts.status.canonical_reason().unwrap_or_default();
        let answer = Answer {
            status,
            status_text: format!("{status} {reason}"),
            proto: "HTTP/2.0",
            headers,
            chunked: false,
            close: false,
            keep: true,
        };
        progress.has_head = true;
        let sink = sink(&answer);
        let keeps = sink == Sink::Keep && !matches!(status, 204 | 304);
        let announced = answer.headers.get("Content-Length").and_then(|length| length.parse().ok());
        let length = Length::new(announced);
        progress.body = keeps.then(|| length.room());
        let mut left = if let Sink::Drain(limit) = sink { limit } else { usize::MAX };
        loop {
            let chunk = poll_fn(|cx| {
                upload(cx, progress);
                stream.poll_data(cx)
            });
            let Some(chunk) = chunk.await else { break };
            let chunk = match chunk {
                Ok(chunk) => chunk,
                // The `h2` crate resets a stream whose body is not as long as announced.
                Err(error) if error.is_library() && error.reason() == Some(h2::Reason::PROTOCOL_ERROR) => {
                    return Err(Fault::unexpected_eof(Stage::Body));
                }
                Err(error) => return Err(self.fault(error).await.at(Stage::Body)),
            };
            _ = stream.flow_control().release_capacity(chunk.len());
            match &mut progress.body {
                Some(body) => {
                    if !length.add(body, &chunk) {
                        return Err(progress.outgrow().await);
                    }
                }
                None => left = left.saturating_sub(chunk.len()),
            }
            if left == 0 {
                break;
            }
        }
        progress.timer.over(self.arrived.get());
        Ok(answer)
    }
}

/// The headers of an answer; many of them are copied on a thread that serves no connection.
async fn headers_of(map: http::HeaderMap) -> Result<Headers, Fault> {
    let copy = |map: &http::HeaderMap| {
        let mut headers = Headers::with_capacity(256);
        for (name, value) in map {
            headers.push(name.as_str().as_bytes(), value.as_bytes());
        }
        headers
    };
    let length: usize = map.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if length <= LARGE_HEAD {
        return Ok(copy(&map));
    }
    let copied = seats::aside(move || copy(&map)).await;
    copied.ok_or_else(|| Fault::other("the head could not be read").at(Stage::Head))
}

/// A stream that notes when bytes arrived.
#[derive(Debug)]
struct Stamped {
    stream: Stream,
    arrived: Rc<Cell<Instant>>,
}

impl AsyncRead for Stamped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.arrived.set(self.stream.socket().arrived);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

async fn send_body(mut stream: h2::SendStream<Bytes>, payload: Payload<'_>) -> Result<(), h2::Error> {
    let Payload::Sized(pieces) = payload else { return stream.send_data(Bytes::new(), true) };
    let mut left = payload.len();
    for piece in pieces {
        let mut rest = piece.clone();
        while !rest.is_empty() {
            stream.reserve_capacity(rest.len());
            let room = match std::future::poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(room) => room?,
                None => return Ok(()),
            };
            let part = rest.split_to(room.min(rest.len()));
            left -= part.len();
            stream.send_data(part, left == 0)?;
        }
    }
    Ok(())
}

fn head(url: &Url, wire: &Wire<'_>) -> Result<http::Request<()>, Fault> {
    let invalid = |error: &dyn std::fmt::Display| Fault::other(format!("http2: invalid request: {error}"));
    let uri = http::Uri::builder()
        .scheme(url.scheme())
        .authority(wire.host)
        .path_and_query(&*printable(wire.target))
        .build()
        .map_err(|error| invalid(&error))?;
    let method = http::Method::from_bytes(wire.method.as_bytes()).map_err(|error| invalid(&error))?;
    let mut request = http::Request::builder().method(method).uri(uri).version(http::Version::HTTP_2);
    if let Some(agent) = wire.headers.user_agent.as_deref().filter(|agent| !agent.is_empty()) {
        request = request.header("user-agent", agent);
    }
    if let Payload::Sized(_) = wire.body {
        request = request.header("content-length", wire.body.len());
    }
    let mut request = request.body(()).map_err(|error| invalid(&error))?;
    let headers = request.headers_mut();
    let mut broken = None;
    let mut add = |name: &str, value: &str| {
        let name = http::HeaderName::from_bytes(name.as_bytes()).map_err(|error| broken = Some(invalid(&error)));
        let value = http::HeaderValue::from_bytes(value.as_bytes()).map_err(|error| broken = Some(invalid(&error)));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    };
    wire.each_field(|name, value| match name {
        // What belongs to one connection has no place here.
        "Connection" | "Proxy-Connection" | "Keep-Alive" | "Upgrade" | "Transfer-Encoding" => {}
        "Te" if value != "trailers" => {}
        // Crumbs compress better; Go sends them so.
        "Cookie" => value.split("; ").for_each(|crumb| add(name, crumb)),
        _ => add(name, value),
    });
    match broken {
        Some(fault) => Err(fault),
        None => Ok(request),
    }
}

/// The path as `http` accepts it: bytes that a raw query may hold on HTTP/1.1 are escaped here.
fn printable(target: &str) -> Cow<'_, str> {
    const ESCAPED: AsciiSet =
        CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');
    utf8_percent_encode(target, &ESCAPED).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_made_printable() {
        for (target, expect) in
            [("/a?b=c", "/a?b=c"), ("/?a=b c&d=\u{e9}", "/?a=b%20c&d=%C3%A9"), ("/?{x}", "/?%7Bx%7D")]
        {
            assert_eq!(printable(target), expect);
        }
    }
}
