//! Sends one request over one connection after another until one carries it.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::context::ExchangeContext;
use super::log::{ExchangeLog, UnreadResponse};
use super::redirect_state::RedirectState;
use crate::net::client_connections::ClientConnections;
use crate::net::http::body::BodySink;
use crate::net::http::message::Protocol;
use crate::net::http::pool::Connection;
use crate::net::http::proto::cookies::cookie_header;
use crate::net::http::proto::error::{ErrorStage, H2_CONNECTION, H2_STREAM, NetError, TCP};
use crate::net::http::proto::request_head::WireRequest;
use crate::net::http::proto::response_head::ResponseHead;
use crate::net::proxy::Proxy;

/// The first pause before a refused HTTP/2 stream is tried again; it doubles each time.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);

/// Sends the request once, retries included; the body of the response goes where `sink` says.
pub(super) async fn send(
    context: ExchangeContext<'_>,
    state: &RedirectState,
    authorization: Option<&str>,
    sink: &impl Fn(&ResponseHead) -> BodySink,
    log: &mut ExchangeLog,
) -> Result<ResponseHead, NetError> {
    let ExchangeContext { connections, request } = context;
    let (headers, url) = (state.headers(), &state.url);
    let cookie = cookie_header(headers.cookie.as_deref(), &request.cookies, request.jar.as_deref(), url);
    let proxy = if url.is_https() { None } else { connections.connector().proxy(url)? };
    let proxy = proxy.filter(|proxy| proxy.takes_requests());
    let protocol = if url.is_https() { Protocol::Negotiated } else { request.protocol };
    if protocol == Protocol::H2c && proxy.is_some() {
        return Err(NetError::other("`protocol: 'h2c'` can't be spoken through an HTTP proxy"));
    }
    let target = match proxy {
        Some(_) => Cow::Owned(url.referer()),
        None => url.request_target(),
    };
    let host = match &headers.host {
        Some(host) => Cow::Borrowed(host.as_str()),
        None => url.wire_host(),
    };
    let proxy_authorization = proxy.and_then(Proxy::authorization);
    let hop_headers: SmallVec<[(&'static str, &str); 4]> = [
        ("Authorization", authorization),
        ("Cookie", cookie.as_deref()),
        ("Proxy-Authorization", proxy_authorization.as_deref()),
        ("Referer", state.referer.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect();
    let wire = WireRequest {
        method: &state.method,
        target: &target,
        host: &host,
        headers,
        hop_headers: &hop_headers,
        body: state.wire_body(),
        close: connections.closes_connections(),
    };
    log.sending(&wire, cookie.as_ref());
    send_with_retries(context, state, protocol, &wire, sink, log).await
}

async fn send_with_retries(
    context: ExchangeContext<'_>,
    state: &RedirectState,
    protocol: Protocol,
    wire: &WireRequest<'_>,
    sink: &impl Fn(&ResponseHead) -> BodySink,
    log: &mut ExchangeLog,
) -> Result<ResponseHead, NetError> {
    let (connections, url) = (context.connections, &state.url);
    let mut backoff = INITIAL_BACKOFF;
    loop {
        let mut connection = connections.connection(url, protocol, &mut log.hop.progress.timer).await?;
        log.hop.got(&connection);
        let progress = &mut log.hop.progress;
        let result = match &mut connection {
            Connection::One(connection) => connection.exchange(wire, sink, progress).await,
            Connection::Shared(connection) => connection.exchange(url, wire, sink, progress).await,
        };
        let error = match result {
            Ok(head) => {
                log.received(&head, wire.method);
                match connection {
                    Connection::One(connection) if head.keep => connections.put_back(url, connection),
                    Connection::One(_) => {}
                    Connection::Shared(handle) => connections.put_handle_back(handle),
                }
                return Ok(head);
            }
            Err(error) => error,
        };
        if error.stage == ErrorStage::Elsewhere {
            log.hop.leave_unread(connection);
            return Err(error);
        }
        if matches!(connection, Connection::Shared(_)) && !is_of_stream(&error) {
            connections.forget(url, protocol);
        }
        if !state.may_retry(&error, connection.is_reused()) {
            return Err(error);
        }
        log.hop.retry();
        if error.stage == ErrorStage::Refused {
            tokio::time::sleep(backoff).await;
            log.hop.progress.timer.ask(Instant::now());
            backoff *= 2;
        }
    }
}

/// Reads the rest of a response that another thread has begun to read. It is not sent again whatever happens.
pub(super) async fn finish_reading(
    connections: &ClientConnections,
    state: &RedirectState,
    unread: UnreadResponse,
    log: &mut ExchangeLog,
) -> Result<ResponseHead, NetError> {
    let UnreadResponse { mut connection, body } = unread;
    let lost = |error| NetError::new(TCP, format!("read: {error}")).at(ErrorStage::Body);
    connection.attach(false).map_err(lost)?;
    let head = connection.read_rest(*body, &mut log.hop.progress).await?;
    if head.keep {
        connections.put_back(&state.url, connection);
    }
    Ok(head)
}

/// True for an error of one HTTP/2 stream, after which its connection can carry others. Where a body broke off because the
/// connection did, the next request on it will notice.
fn is_of_stream(error: &NetError) -> bool {
    (H2_STREAM..H2_CONNECTION).contains(&error.code) || error.stage == ErrorStage::Body
}
