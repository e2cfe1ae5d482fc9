//! HTTP/2 on one connection, shared by all requests of a client to a host.
//!
//! The `h2` crate frames and multiplexes; this file turns our messages into its own and back, with Go's windows.

use std::borrow::Cow;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use h2::client::SendRequest;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::body::{BodyLimit, BodySink, SMALL_BODY};
use super::body_reader::LONG_BODY;
use super::progress::HopProgress;
use super::proto::error::{ErrorStage, NetError};
use super::proto::headers::Headers;
use super::proto::request_head::{WireBody, WireRequest};
use super::proto::response_head::{LARGE_HEAD, ResponseHead};
use super::proto::url::Url;
use crate::net::cpu_pool;
use crate::net::h2_driver::{ActiveExchange, H2Driver};
use crate::net::socket::NetStream;
use crate::net::tls::TlsInfo;
use crate::units::sync::lock;

/// Go's window of one stream.
const STREAM_WINDOW: u32 = 4 << 20;
/// Go's window of the connection.
const CONNECTION_WINDOW: u32 = 1 << 30;
/// The largest header list that is read; Go's limit.
const MAX_HEAD: u32 = 10 << 20;
/// Longer paths are not remembered.
const MAX_RECENT_TARGET: usize = 256;

/// A connection that speaks HTTP/2. Clones share it.
#[derive(Clone, Debug)]
pub struct Http2 {
    sender: SendRequest<Bytes>,
    /// What ended the connection.
    end: Arc<Mutex<Option<h2::Error>>>,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// What the TLS handshake agreed on.
    pub tls: Option<TlsInfo>,
    /// True when it has carried a request before.
    pub reused: bool,
    /// Where the last request over this handle went, unless that is long: most go where others went before.
    recent: Option<http::Uri>,
    /// What drives it. Dropped after `sender`.
    pub driver: H2Driver,
}

impl Http2 {
    /// Does the HTTP/2 handshake. A task of this thread drives the connection until the last clone is dropped.
    pub async fn open(stream: NetStream, tls: Option<TlsInfo>) -> Result<Self, NetError> {
        let (local, remote) = (stream.socket().local, stream.socket().remote);
        let end: Arc<Mutex<Option<h2::Error>>> = Arc::default();
        let note = end.clone();
        let ended = move |result: Result<(), h2::Error>| *lock(&note) = result.err();
        let mut builder = h2::client::Builder::new();
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD)
            .enable_push(false);
        let opened = H2Driver::open(&builder, stream, |stream| stream, ended).await;
        let (sender, driver) = opened.map_err(|error| NetError::h2(&error, local, remote))?;
        Ok(Self { sender, end, local, remote, tls, reused: false, recent: None, driver })
    }

    /// When the word of the server that ended a stream arrived, or the end of the connection.
    fn arrival_of(&self, error: &h2::Error, exchange: &ActiveExchange) -> Option<Instant> {
        match error.is_remote() {
            true if error.is_go_away() => self.driver.goaway(),
            true => Some(exchange.arrivals().last),
            false => self.driver.ended(),
        }
    }

    /// What is reported for an error of a stream. When a connection ends after a GOAWAY, that says more than the end.
    async fn stream_error(&self, error: h2::Error, exchange: &ActiveExchange, progress: &mut HopProgress) -> NetError {
        if let Some(at) = self.arrival_of(&error, exchange) {
            progress.timer.over_since_got(at);
        }
        if error.is_io() {
            tokio::task::yield_now().await;
            // A GOAWAY with NO_ERROR ends the connection's task without an error; only the next stream gets to see it.
            let refused = self.sender.clone().ready().now_or_never().and_then(Result::err);
            let end = lock(&self.end);
            if let Some(end) = end.as_ref().or(refused.as_ref()).filter(|end| end.is_go_away()) {
                return NetError::h2(end, self.local, self.remote).at(ErrorStage::Head);
            }
            // The request was under way: like Go, it is not sent again.
            return NetError::h2(&error, self.local, self.remote).at(ErrorStage::Head);
        }
        NetError::h2(&error, self.local, self.remote)
    }

    /// What `poll` says, once what has arrived is read, before a timer of this thread says that the time is up.
    fn poll_before_due<T>(&self, progress: &HopProgress, mut poll: impl FnMut() -> Poll<T>) -> Poll<T> {
        let polled = poll();
        if polled.is_pending() && progress.timer.is_past(Instant::now()) {
            self.driver.drive();
            return poll();
        }
        polled
    }

    /// What was read, and when that `arrived`. Pending for ever where it arrived, or the error did, after the request's time was up,
    /// though this thread reads it before it notices that: the timeout is due.
    fn in_time<T>(
        &self,
        read: Result<T, h2::Error>,
        arrived: Instant,
        exchange: &ActiveExchange,
        progress: &HopProgress,
    ) -> Poll<Result<(T, Instant), h2::Error>> {
        let ended = read.as_ref().err().and_then(|error| self.arrival_of(error, exchange));
        if progress.timer.is_past(ended.unwrap_or(arrived)) {
            return Poll::Pending;
        }
        Poll::Ready(read.map(|read| (read, arrived)))
    }

    /// What `wire` asks for, as the `http` crate has it: that of the last request, if it went there too.
    fn uri(&mut self, url: &Url, wire: &WireRequest<'_>) -> Result<http::Uri, NetError> {
        let (host, target) = (wire.host, wire.target);
        let is_asked_for = |uri: &&http::Uri| {
            uri.authority().is_some_and(|known| known.as_str() == host)
                && uri.path_and_query().is_some_and(|known| known.as_str() == target)
        };
        if let Some(recent) = self.recent.as_ref().filter(is_asked_for) {
            return Ok(recent.clone());
        }
        let uri = http::Uri::builder().scheme(url.scheme()).authority(host).path_and_query(&*printable(target));
        let uri = uri.build().map_err(|error| invalid(&error))?;
        self.recent = Some(&uri).filter(|_| target.len() <= MAX_RECENT_TARGET).cloned();
        Ok(uri)
    }

    /// Sends `wire` and reads the response; its body is stored in `progress`.
    pub async fn exchange(
        &mut self,
        url: &Url,
        wire: &WireRequest<'_>,
        sink: impl FnOnce(&ResponseHead) -> BodySink,
        progress: &mut HopProgress,
    ) -> Result<ResponseHead, NetError> {
        let request = request_head(self.uri(url, wire)?, wire)?;
        let (local, remote) = (self.local, self.remote);
        let unsent = |error: h2::Error| NetError::h2(&error, local, remote).at(ErrorStage::Before);
        let mut in_flight = self.driver.begin();
        poll_fn(|cx| self.sender.poll_ready(cx)).await.map_err(unsent)?;
        let driver = &self.driver;
        let has_body = matches!(wire.body, WireBody::EmptyChunked) || !wire.body.is_empty();
        driver.set_heavy(wire.body.len() > SMALL_BODY);
        let sent = driver.before_sending(|| self.sender.send_request(request, !has_body));
        let (response, body) = sent.map_err(unsent)?;
        in_flight.on(body.stream_id());
        let mut response = pin!(response);
        let mut upload = pin!(async {
            if has_body {
                // A server may respond without reading everything; the response says what else went wrong.
                _ = send_body(body, wire.body).await;
            }
        });
        let mut is_uploading = true;
        // The request is still being written while the response arrives.
        let mut upload = |cx: &mut Context<'_>, progress: &mut HopProgress| {
            if is_uploading && upload.as_mut().poll(cx).is_ready() {
                is_uploading = false;
                progress.timer.sent(Instant::now());
            }
        };
        let mut is_begun = false;
        let response = poll_fn(|cx| {
            if std::mem::replace(&mut is_begun, true) {
                upload(cx, progress);
            } else {
                // A body has its window once the head is written.
                driver.before_sending(|| upload(cx, progress));
                driver.drive();
                if has_body {
                    driver.before_sending(|| upload(cx, progress));
                    driver.drive();
                }
            }
            let response = ready!(self.poll_before_due(progress, || response.as_mut().poll(cx)));
            self.in_time(response, in_flight.arrivals().first, &in_flight, progress)
        })
        .await;
        let (response, mut arrived) = match response {
            Ok(response) => response,
            Err(error) => return Err(self.stream_error(error, &in_flight, progress).await),
        };
        progress.timer.first_byte(arrived);
        let (parts, mut stream) = response.into_parts();
        let headers = headers_of(parts.headers).await?;
        let status = parts.status.as_u16();
        let reason = parts.status.canonical_reason().unwrap_or_default();
        let head = ResponseHead {
            status,
            status_text: format!("{status} {reason}"),
            proto: "HTTP/2.0",
            headers,
            chunked: false,
            close: false,
            keep: true,
        };
        progress.has_head = true;
        let sink = sink(&head);
        let keeps = sink.keeps() && !matches!(status, 204 | 304);
        let announced = head.headers.get("Content-Length").and_then(|length| length.parse().ok());
        let limit = BodyLimit::new(announced);
        progress.body = keeps.then(|| limit.buffer());
        let mut left = sink.most();
        let mut received = 0;
        let has_ended = loop {
            let chunk = poll_fn(|cx| {
                upload(cx, progress);
                let chunk = ready!(self.poll_before_due(progress, || stream.poll_data(cx))).transpose();
                self.in_time(chunk, in_flight.arrivals().last, &in_flight, progress)
            });
            let chunk = match chunk.await {
                Ok((chunk, at)) => {
                    arrived = at;
                    let Some(chunk) = chunk else { break stream.is_end_stream() };
                    chunk
                }
                // The `h2` crate resets a stream whose body is not as long as announced.
                Err(error) if error.is_library() && error.reason() == Some(h2::Reason::PROTOCOL_ERROR) => {
                    progress.timer.over_since_got(in_flight.arrivals().last);
                    return Err(NetError::unexpected_eof(ErrorStage::Body));
                }
                Err(error) => {
                    let error = self.stream_error(error, &in_flight, progress).await;
                    return Err(error.at(ErrorStage::Body));
                }
            };
            received += chunk.len() as u64;
            _ = stream.flow_control().release_capacity(chunk.len());
            let wanted = &chunk[..chunk.len().min(left)];
            if let Some(body) = &mut progress.body
                && !limit.append(body, wanted)
            {
                return Err(progress.stop_oversized().await);
            }
            // Without an end, nothing is taken off.
            left -= if left == usize::MAX { 0 } else { wanted.len() };
            let has_ended = stream.is_end_stream();
            if left == 0 || has_ended {
                break has_ended;
            }
        };
        progress.timer.over(arrived);
        if received > LONG_BODY {
            driver.set_heavy(true);
        }
        if has_ended && !is_uploading {
            in_flight.ends();
        } else {
            // The handle goes to the next request, without the stream that it may hold on to (where the server takes no more at once):
            // one that is given up is reset, and makes room, once nobody has it.
            self.sender = self.sender.clone();
        }
        Ok(head)
    }
}

/// The headers of a response; a large head is copied on the CPU pool.
async fn headers_of(map: http::HeaderMap) -> Result<Headers, NetError> {
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
    let copied = cpu_pool::run(move || copy(&map)).await;
    copied.ok_or_else(|| NetError::other("the head could not be read").at(ErrorStage::Head))
}

async fn send_body(mut stream: h2::SendStream<Bytes>, payload: WireBody<'_>) -> Result<(), h2::Error> {
    let WireBody::Sized(pieces) = payload else { return stream.send_data(Bytes::new(), true) };
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

fn invalid(error: &dyn std::fmt::Display) -> NetError {
    NetError::other(format!("http2: invalid request: {error}"))
}

fn request_head(uri: http::Uri, wire: &WireRequest<'_>) -> Result<http::Request<()>, NetError> {
    let method = http::Method::from_bytes(wire.method.as_bytes()).map_err(|error| invalid(&error))?;
    let mut request = http::Request::builder().method(method).uri(uri).version(http::Version::HTTP_2);
    if let Some(agent) = wire.headers.user_agent.as_deref().filter(|agent| !agent.is_empty()) {
        request = request.header("user-agent", agent);
    }
    if let WireBody::Sized(_) = wire.body {
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
        // Headers of one connection have no place in HTTP/2.
        "Connection" | "Proxy-Connection" | "Keep-Alive" | "Upgrade" | "Transfer-Encoding" => {}
        "Te" if value != "trailers" => {}
        // Separate crumbs compress better; Go sends them so.
        "Cookie" => value.split("; ").for_each(|crumb| add(name, crumb)),
        _ => add(name, value),
    });
    match broken {
        Some(error) => Err(error),
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
