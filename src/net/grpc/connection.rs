//! One HTTP/2 connection that speaks gRPC: how it opens, and what is known about its end.
//!
//! Opening waits for the server's preface, so that a server that does not speak HTTP/2 is found out here and not by the
//! first call. Errors are grpc-go's texts, with its rules of which are worth a retry.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;

use super::config::ChannelConfig;
use crate::net::client_connections::ClientConnections;
use crate::net::h2_driver::{H2Driver, SharedStream};
use crate::net::http::proto::error::{
    BLACKLISTED_IP, BLOCKED_HOSTNAME, DIAL_TIMEOUT, NON_TCP, NetError, RESET, TLS_RECORD,
};
use crate::net::socket::NetStream;
use crate::units::quote::go_quote;
use crate::units::sync::lock;

/// The window of one call.
const STREAM_WINDOW: u32 = 4 << 20;
/// The window of the connection.
const CONNECTION_WINDOW: u32 = 1 << 30;
/// The largest header list that is read; grpc-go's limit.
const MAX_HEAD: u32 = 16 << 20;
/// The head of the server's first frame.
const FRAME_HEAD: usize = 9;
/// The kind of frame a server has to begin with.
const SETTINGS: u8 = 4;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionError {
    /// What failed, without the text around it.
    cause: String,
    /// A retry may help, by grpc-go's rules.
    pub is_temporary: bool,
}

impl ConnectionError {
    fn new(cause: impl Into<String>, is_temporary: bool) -> Self {
        Self { cause: cause.into(), is_temporary }
    }

    /// Resolving or connecting failed.
    fn of_dial(error: &NetError) -> Self {
        let is_temporary = matches!(error.code, DIAL_TIMEOUT | BLACKLISTED_IP | BLOCKED_HOSTNAME);
        Self::new(format!("transport: error while dialing: {}", error.cause()), is_temporary)
    }

    /// The TLS handshake failed.
    fn of_tls(error: &NetError) -> Self {
        // HTTP has its own words for a server that does not speak TLS.
        let cause = if error.code == TLS_RECORD { &error.text } else { error.cause() };
        let text = format!("transport: authentication handshake failed: {cause}");
        Self::new(text, !matches!(error.code, NON_TCP | RESET))
    }

    /// The server's preface is wrong or missing.
    fn of_preface(cause: &str) -> Self {
        Self::new(format!("error reading server preface: {cause}"), true)
    }
}

impl std::fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "connection error: desc = {}", go_quote(&self.cause))
    }
}

/// An open connection. Clones share it.
#[derive(Clone, Debug)]
pub struct GrpcConnection {
    /// Sends requests.
    pub sender: SendRequest<Bytes>,
    /// The other end.
    pub remote: SocketAddr,
    state: Arc<TransportState>,
    /// What drives it. Dropped after `sender`.
    pub driver: H2Driver,
}

/// What is known about a connection apart from its calls.
#[derive(Debug)]
struct TransportState {
    /// The first bytes of the server.
    preface: Mutex<Vec<u8>>,
    /// The preface is complete, or the connection has ended.
    changed: Notify,
    /// The error of the transport, of which HTTP/2 reports only a part.
    transport_error: Mutex<Option<String>>,
    /// Why it ended.
    end: Mutex<Option<String>>,
}

impl GrpcConnection {
    /// Opens a connection to `config`; `connector` encrypts it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn open(
        connections: &ClientConnections,
        config: &ChannelConfig,
        connector: Option<&TlsConnector>,
    ) -> Result<Self, ConnectionError> {
        let dialled = match config.host_and_port() {
            Ok((host, port)) => connections.connector().dial(host, port).await,
            Err(text) => Err(NetError::other(text)),
        };
        let (socket, _) = dialled.map_err(|error| ConnectionError::of_dial(&error))?;
        let remote = socket.remote;
        let stream = match connector {
            None => NetStream::Plain(socket),
            Some(connector) => {
                let issuers = connections.connector().issuers();
                let handshake = crate::net::tls::connect_with(connector, config.server_name(), socket, issuers).await;
                let handshake = handshake.map_err(|error| ConnectionError::of_tls(&error))?;
                if !handshake.is_http2 {
                    let text = "credentials: cannot check peer: missing selected ALPN property";
                    return Err(ConnectionError::of_tls(&NetError::other(text)));
                }
                NetStream::Tls(handshake.stream)
            }
        };
        let state = Arc::new(TransportState {
            preface: Mutex::default(),
            changed: Notify::new(),
            transport_error: Mutex::default(),
            end: Mutex::default(),
        });
        let mut builder = h2::client::Builder::new();
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD)
            .enable_push(false);
        let (observed, ending) = (state.clone(), state.clone());
        let ended = move |result: Result<(), h2::Error>| {
            let text = result.map_or_else(|error| error_text(&error), |()| "EOF".to_owned());
            let below = lock(&ending.transport_error).take();
            *lock(&ending.end) = Some(below.unwrap_or(text));
            ending.changed.notify_one();
        };
        let opened = H2Driver::open(&builder, stream, |stream| ObservedStream { stream, state: observed }, ended).await;
        let (sender, driver) = opened.map_err(|error| ConnectionError::of_preface(&error_text(&error)))?;
        while lock(&state.preface).len() < FRAME_HEAD && lock(&state.end).is_none() {
            state.changed.notified().await;
        }
        state.check_preface()?;
        Ok(Self { sender, remote, state, driver })
    }

    /// True when it carries no more calls.
    pub fn is_over(&self) -> bool {
        lock(&self.state.end).is_some()
    }

    /// What ended it. Lets the task of the connection run first, which learns of the end after the call does.
    pub async fn end(&self) -> Option<String> {
        tokio::task::yield_now().await;
        lock(&self.state.end).clone()
    }
}

impl TransportState {
    fn check_preface(&self) -> Result<(), ConnectionError> {
        let preface = lock(&self.preface);
        if preface.starts_with(b"HTTP/1") {
            return Err(ConnectionError::of_preface(
                "http2: failed reading the frame payload: http2: frame too large, note that the frame header looked \
                 like an HTTP/1.1 header",
            ));
        }
        match preface.get(3) {
            Some(&SETTINGS) if preface.len() == FRAME_HEAD => Ok(()),
            _ => Err(ConnectionError::of_preface(lock(&self.end).as_deref().unwrap_or("EOF"))),
        }
    }
}

/// An error of the connection in Go's words.
pub fn error_text(error: &h2::Error) -> String {
    if let Some(io) = error.get_io() {
        return match (io.kind(), io.raw_os_error()) {
            (std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::UnexpectedEof, None) => "EOF".to_owned(),
            (std::io::ErrorKind::ConnectionReset, _) => "read: connection reset by peer".to_owned(),
            _ => io.to_string(),
        };
    }
    match error.reason() {
        Some(reason) if error.is_go_away() => format!("http2: received GOAWAY with error code {reason:?}"),
        _ => error.to_string(),
    }
}

/// A stream that state when bytes arrive and what goes wrong.
#[derive(Debug)]
struct ObservedStream {
    stream: SharedStream,
    state: Arc<TransportState>,
}

impl ObservedStream {
    fn note(&self, operation: &str, error: &std::io::Error) {
        let (local, remote) = self.stream.with(|stream| (stream.socket().local, stream.socket().remote));
        let error = NetError::socket(operation, local, remote, error);
        lock(&self.state.transport_error).get_or_insert_with(|| error.cause().to_owned());
    }

    /// Nothing can be written any more. What the peer sent before it closed is a better reason than that.
    fn note_unwritable(&mut self, cx: &mut Context<'_>, error: &std::io::Error) {
        let mut last_words = [0; 256];
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut last_words));
        match read {
            Poll::Ready(Err(reason)) => self.note("read", &reason),
            _ => self.note("write", error),
        }
    }
}

impl AsyncRead for ObservedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(cx, buf)) {
            self.note("read", &error);
            return Poll::Ready(Err(error));
        }
        let mut preface = lock(&self.state.preface);
        let missing = FRAME_HEAD.saturating_sub(preface.len());
        if missing > 0 {
            let came = &buf.filled()[before..];
            preface.extend_from_slice(&came[..came.len().min(missing)]);
            if preface.len() == FRAME_HEAD {
                self.state.changed.notify_one();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ObservedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        Poll::Ready(written.inspect_err(|error| self.note_unwritable(cx, error)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices));
        Poll::Ready(written.inspect_err(|error| self.note_unwritable(cx, error)))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(flushed.inspect_err(|error| self.note_unwritable(cx, error)))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
