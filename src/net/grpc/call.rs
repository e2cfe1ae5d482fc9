//! One call over a connection: the head, messages one way and the other, the status at the end.
//!
//! Lives on the thread that makes it; [`super::channel`] has the script's side.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};

use super::config::ChannelConfig;
use super::connection::GrpcConnection;
use super::frames::Frames;
use super::metadata::{self, GrpcMetadata};
use super::status::{GrpcCode, GrpcStatus};
use crate::net::cpu_pool;
use crate::net::h2_driver::ActiveExchange;
use crate::net::http::proto::response_head::LARGE_HEAD;

/// What is called, and how.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The method: `/package.Service/Method`.
    pub path: String,
    /// The metadata that is sent along.
    pub metadata: GrpcMetadata,
    /// How long it may take; `None` is without limit.
    pub timeout: Option<Duration>,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub struct CallOutcome {
    /// How it ended.
    pub status: GrpcStatus,
    /// The metadata that came before messages.
    pub headers: GrpcMetadata,
    /// The metadata that came after them.
    pub trailers: GrpcMetadata,
    /// The message of the response, for a unary call that has one.
    pub message: Option<Bytes>,
    /// When the call began.
    pub began: Instant,
    /// When its end arrived, or was noticed where no byte said so; never later than its deadline.
    pub ended: Instant,
    /// The other end of the connection; `None` when there was none.
    pub remote: Option<SocketAddr>,
}

impl CallOutcome {
    /// A call that ended here and now.
    pub(super) fn new(began: Instant, status: GrpcStatus) -> Self {
        let ended = Instant::now();
        let (headers, trailers) = Default::default();
        Self { status, headers, trailers, message: None, began, ended, remote: None }
    }

    /// It ended earlier than it was noticed.
    pub(super) fn end_at(&mut self, at: Instant) {
        if (self.began..self.ended).contains(&at) {
            self.ended = at;
        }
    }
}

/// What is known of a response while it arrives, messages left out.
#[derive(Debug, Default)]
pub(super) struct ResponseProgress {
    pub headers: GrpcMetadata,
    pub trailers: GrpcMetadata,
    /// The server said that it has not processed the call, so it may be made again.
    pub is_untouched: bool,
    /// The connection was lost: no byte that arrived ended the call.
    pub is_lost: bool,
}

/// A request whose head is on its way.
pub(super) struct StartedCall {
    pub in_flight: ActiveExchange,
    pub upload: SendStream<Bytes>,
    pub response: ResponseFuture,
}

/// What the heads of all calls of a channel have in common.
#[derive(Clone, Debug)]
pub(super) struct CommonHead {
    scheme: Scheme,
    authority: Authority,
    user_agent: HeaderValue,
}

impl CommonHead {
    /// That of the calls of `config`.
    ///
    /// # Errors
    /// What every call ends with.
    pub fn new(config: &ChannelConfig) -> Result<Self, GrpcStatus> {
        Ok(Self {
            scheme: config.scheme().parse().map_err(|error: http::uri::InvalidUri| refused(error))?,
            authority: config.authority.parse().map_err(|error: http::uri::InvalidUri| refused(error))?,
            user_agent: HeaderValue::from_str(&config.user_agent).map_err(refused)?,
        })
    }
}

fn refused(error: impl Into<http::Error>) -> GrpcStatus {
    GrpcStatus::new(GrpcCode::INTERNAL, format!("transport: {}", error.into()))
}

/// Sends the head of a call; who calls this drives the connection next.
///
/// # Errors
/// What the call ends with; `Err(None)` when the connection takes no more calls, and nothing was sent.
pub(super) async fn begin(
    connection: &GrpcConnection,
    common: &CommonHead,
    call: &Call,
    deadline: Option<Instant>,
) -> Result<StartedCall, Option<GrpcStatus>> {
    let request = head(common, call, deadline).map_err(Some)?;
    let mut in_flight = connection.driver.begin();
    let mut sender = connection.sender.clone().ready().await.map_err(|_| None)?;
    // What is neither the connection's end nor the server's word is something wrong with the request.
    let is_over = |error: &h2::Error| error.is_io() || error.is_go_away() || error.reason().is_some();
    let refuse = |error: h2::Error| (!is_over(&error)).then(|| GrpcStatus::new(GrpcCode::INTERNAL, error.to_string()));
    let sent = connection.driver.before_sending(|| sender.send_request(request, false));
    let (response, upload) = sent.map_err(refuse)?;
    in_flight.on(upload.stream_id());
    Ok(StartedCall { in_flight, upload, response })
}

fn head(common: &CommonHead, call: &Call, deadline: Option<Instant>) -> Result<http::Request<()>, GrpcStatus> {
    static GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
    static TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
    static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(common.scheme.clone());
    uri.authority = Some(common.authority.clone());
    uri.path_and_query = Some(PathAndQuery::try_from(&*call.path).map_err(refused)?);
    let mut headers = HeaderMap::with_capacity(4 + call.metadata.len());
    headers.append(CONTENT_TYPE, GRPC.clone());
    headers.append(USER_AGENT, common.user_agent.clone());
    headers.append(TE, TRAILERS.clone());
    if let Some(deadline) = deadline {
        let left = metadata::timeout(deadline.saturating_duration_since(Instant::now()));
        headers.append(GRPC_TIMEOUT.clone(), HeaderValue::try_from(left).map_err(refused)?);
    }
    metadata::write(&call.metadata, &mut headers)?;
    let mut request = http::Request::new(());
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_parts(uri).map_err(refused)?;
    *request.version_mut() = http::Version::HTTP_2;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Sends one message as fast as flow control allows.
///
/// # Errors
/// The stream is closed; the response says why.
pub(super) async fn send(upload: &mut SendStream<Bytes>, mut frame: Bytes, is_last: bool) -> Result<(), h2::Error> {
    while !frame.is_empty() {
        upload.reserve_capacity(frame.len());
        let room = match std::future::poll_fn(|cx| upload.poll_capacity(cx)).await {
            Some(room) => room?,
            None => return Err(h2::Reason::STREAM_CLOSED.into()),
        };
        let part = frame.split_to(room.min(frame.len()));
        upload.send_data(part, is_last && frame.is_empty())?;
    }
    Ok(())
}

/// Reads a response to its end; `each` gets the messages. Headers and trailers are stored in `seen`.
///
/// # Errors
/// What the call ends with, unless the server says so itself.
pub(super) async fn read(
    connection: &GrpcConnection,
    response: ResponseFuture,
    most: usize,
    seen: &mut ResponseProgress,
    mut each: impl AsyncFnMut(Bytes) -> Result<(), GrpcStatus>,
) -> Result<GrpcStatus, GrpcStatus> {
    let response = match response.await {
        Ok(response) => response,
        Err(error) => {
            let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            let is_leaving = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            seen.is_untouched = error.is_remote() && (is_refused || is_leaving);
            return Err(broken(connection, error, seen).await);
        }
    };
    let (head, mut body) = response.into_parts();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(status) = GrpcStatus::of_http(head.status.as_u16(), text("content-type")) {
        return Err(status);
    }
    if body.is_end_stream() {
        // A response without messages may consist of trailers only.
        return read_trailers(head.headers, seen).await;
    }
    let encoding = text("grpc-encoding").map(str::to_owned);
    let encoding = encoding.as_deref();
    seen.headers = read_head(head.headers, metadata::read).await.unwrap_or_default();
    let mut frames = Frames::default();
    while let Some(piece) = body.data().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return Err(broken(connection, error, seen).await),
        };
        // What is kept of an incomplete message is bounded by `most`, so the window can be opened at once.
        _ = body.flow_control().release_capacity(piece.len());
        frames.push(piece);
        while let Some(message) = frames.next(most, encoding)? {
            each(message).await?;
        }
    }
    let trailers = trailers(connection, &mut body, seen).await?;
    let status = read_trailers(trailers, seen).await?;
    if status.is_ok() && !frames.is_empty() {
        return Err(GrpcStatus::new(GrpcCode::INTERNAL, "unexpected EOF"));
    }
    Ok(status)
}

/// What `read` finds in a head; a large one is read on the CPU pool, `None` when that has ended.
async fn read_head<T: Send + 'static>(
    map: HeaderMap,
    read: impl FnOnce(&HeaderMap) -> T + Send + 'static,
) -> Option<T> {
    let length: usize = map.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if length <= LARGE_HEAD {
        return Some(read(&map));
    }
    cpu_pool::run(move || read(&map)).await
}

/// The status that trailers tell, and their metadata.
async fn read_trailers(map: HeaderMap, seen: &mut ResponseProgress) -> Result<GrpcStatus, GrpcStatus> {
    let read = |map: &HeaderMap| (metadata::read(map), metadata::status(map));
    let (trailers, status) =
        read_head(map, read).await.ok_or_else(|| GrpcStatus::new(GrpcCode::INTERNAL, "the head could not be read"))?;
    seen.trailers = trailers;
    Ok(status)
}

async fn trailers(
    connection: &GrpcConnection,
    body: &mut RecvStream,
    seen: &mut ResponseProgress,
) -> Result<HeaderMap, GrpcStatus> {
    match body.trailers().await {
        Ok(Some(trailers)) => Ok(trailers),
        Ok(None) => Err(GrpcStatus::new(GrpcCode::INTERNAL, "server closed the stream without sending trailers")),
        Err(error) => Err(broken(connection, error, seen).await),
    }
}

/// The status of a call whose stream broke.
async fn broken(connection: &GrpcConnection, error: h2::Error, seen: &mut ResponseProgress) -> GrpcStatus {
    if error.is_reset()
        && let Some(reason) = error.reason()
    {
        return GrpcStatus::of_reset(reason);
    }
    seen.is_lost = true;
    let end = connection.end().await.unwrap_or_else(|| super::connection::error_text(&error));
    GrpcStatus::new(GrpcCode::UNAVAILABLE, format!("error reading from server: {end}"))
}
