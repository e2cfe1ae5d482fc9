//! One call over a connection: the head, messages one way and the other, the status at the end.
//!
//! Lives on the network thread; [`super::channel`] has the script's side.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::HeaderMap;

use super::config::ChannelConfig;
use super::connection::GrpcConnection;
use super::frames::Frames;
use super::metadata::{self, GrpcMetadata};
use super::status::{GrpcCode, GrpcStatus};
use crate::net::cpu_pool;
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
    pub upload: SendStream<Bytes>,
    pub response: ResponseFuture,
}

/// Sends the head of a call.
///
/// # Errors
/// What the call ends with; `Err(None)` when the connection takes no more calls, and nothing was sent.
pub(super) async fn begin(
    connection: &GrpcConnection,
    config: &ChannelConfig,
    call: &Call,
    deadline: Option<Instant>,
) -> Result<StartedCall, Option<GrpcStatus>> {
    let request = head(config, call, deadline).map_err(Some)?;
    let mut sender = connection.sender.clone().ready().await.map_err(|_| None)?;
    // What is neither the connection's end nor the server's word is something wrong with the request.
    let is_over = |error: &h2::Error| error.is_io() || error.is_go_away() || error.reason().is_some();
    let refuse = |error: h2::Error| (!is_over(&error)).then(|| GrpcStatus::new(GrpcCode::INTERNAL, error.to_string()));
    let (response, upload) = sender.send_request(request, false).map_err(refuse)?;
    Ok(StartedCall { upload, response })
}

fn head(config: &ChannelConfig, call: &Call, deadline: Option<Instant>) -> Result<http::Request<()>, GrpcStatus> {
    let refuse = |error: http::Error| GrpcStatus::new(GrpcCode::INTERNAL, format!("transport: {error}"));
    let uri = http::Uri::builder()
        .scheme(config.scheme())
        .authority(&*config.authority)
        .path_and_query(&*call.path)
        .build()
        .map_err(refuse)?;
    let mut request = http::Request::post(uri)
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("user-agent", &config.user_agent)
        .header("te", "trailers");
    if let Some(deadline) = deadline {
        request = request.header("grpc-timeout", metadata::timeout(deadline.saturating_duration_since(Instant::now())));
    }
    let mut request = request.body(()).map_err(refuse)?;
    metadata::write(&call.metadata, request.headers_mut())?;
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
        let (trailers, status) = read_head(head.headers).await;
        seen.trailers = trailers;
        return Ok(status);
    }
    let encoding = text("grpc-encoding").map(str::to_owned);
    let encoding = encoding.as_deref();
    seen.headers = read_head(head.headers).await.0;
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
    let (trailers, status) = read_head(trailers).await;
    seen.trailers = trailers;
    if status.is_ok() && !frames.is_empty() {
        return Err(GrpcStatus::new(GrpcCode::INTERNAL, "unexpected EOF"));
    }
    Ok(status)
}

/// Metadata and status of a head; a large one is read on the CPU pool.
async fn read_head(map: HeaderMap) -> (GrpcMetadata, GrpcStatus) {
    let read = |map: &HeaderMap| (metadata::read(map), metadata::status(map));
    let length: usize = map.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if length <= LARGE_HEAD {
        return read(&map);
    }
    let read = cpu_pool::run(move || read(&map)).await;
    read.unwrap_or_else(|| (GrpcMetadata::new(), GrpcStatus::new(GrpcCode::INTERNAL, "the head could not be read")))
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
