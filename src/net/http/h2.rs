//! HTTP/2 on one connection, shared by all requests of a client to a host.
//!
//! The `h2` crate frames and multiplexes; this file turns our messages into its own and back, with Go's windows.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use h2::client::SendRequest;

use super::error::{Fault, Stage};
use super::h1::{Answer, Payload, Progress, Sink, Wire};
use super::headers::Headers;
use super::url::Url;
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
        let (sender, connection) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD)
            .enable_push(false)
            .handshake(stream)
            .await
            .map_err(|error| Fault::h2(&error, local, remote))?;
        let end: Rc<RefCell<Option<h2::Error>>> = Rc::default();
        let note = end.clone();
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                *note.borrow_mut() = Some(error);
            }
        });
        Ok(Self { sender, end, local, remote, tls, reused: false })
    }

    /// What is told about an error of a stream. When a connection ends after a GOAWAY, that says more than the end.
    async fn fault(&self, error: h2::Error) -> Fault {
        if error.is_io() {
            tokio::task::yield_now().await;
            if let Some(end) = self.end.borrow().as_ref().filter(|end| end.is_go_away()) {
                return Fault::h2(end, self.local, self.remote);
            }
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
        let upload = async {
            if has_body {
                send_body(body, wire.body).await?;
            }
            progress.wrote = Some(Instant::now());
            Ok::<(), h2::Error>(())
        };
        let (uploaded, answered) = futures_util::future::join(upload, async {
            let answer = answer.await;
            (answer, Instant::now())
        })
        .await;
        let (answered, at) = answered;
        let answered = match answered {
            Ok(answered) => answered,
            Err(error) => return Err(self.fault(error).await),
        };
        progress.first_byte = Some(at);
        // A server may answer without reading everything; only without an answer does a failed upload count.
        drop(uploaded);
        progress.wrote.get_or_insert(at);
        let (parts, mut stream) = answered.into_parts();
        let mut headers = Headers::with_capacity(256);
        for (name, value) in &parts.headers {
            headers.push(name.as_str().as_bytes(), value.as_bytes());
        }
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
        progress.body = keeps.then(Vec::new);
        let mut left = if let Sink::Drain(limit) = sink { limit } else { usize::MAX };
        while let Some(chunk) = stream.data().await {
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
                Some(body) => body.extend_from_slice(&chunk),
                None => left = left.saturating_sub(chunk.len()),
            }
            if left == 0 {
                break;
            }
        }
        Ok(answer)
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
        .path_and_query(printable(wire.target))
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
fn printable(target: &str) -> String {
    let mut text = String::with_capacity(target.len());
    for byte in target.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}') {
            text.push(byte as char);
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
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
