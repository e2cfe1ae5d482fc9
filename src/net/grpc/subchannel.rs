//! The network thread's half of a channel: a task that owns the connection and runs the calls.
//!
//! A connection that ended is opened again by the next call; while that fails, calls fail with the reason.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsConnector;

use super::call::{self, Call, CallOutcome, CommonHead, ResponseProgress};
use super::command::{ChannelCommand, StreamCommand, StreamEnds, StreamEvent};
use super::config::{ChannelConfig, Security};
use super::connection::{ConnectionError, GrpcConnection};
use super::current::CurrentConnection;
use super::frames::frame;
use super::status::{GrpcCode, GrpcStatus};
use super::unary::{self, Unary};
use crate::net::client_connections::ClientConnections;
use crate::units::pin_box::pin_box;

/// grpc-go's pause after a first failed attempt to connect.
const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
/// How much longer each further pause is.
const BACKOFF_FACTOR: f64 = 1.6;
/// The longest pause.
const MAX_BACKOFF: Duration = Duration::from_secs(120);

/// The network thread's half of a channel.
struct Subchannel {
    connections: Rc<ClientConnections>,
    config: ChannelConfig,
    /// What the heads of all calls have in common, or what each of them ends with.
    head: Result<CommonHead, GrpcStatus>,
    connector: Option<TlsConnector>,
    current: Arc<CurrentConnection>,
    /// Only one attempt to connect at a time.
    opening: tokio::sync::Mutex<()>,
    /// The last attempt failed: when the next may be made, why it failed, and how long the pause after the next is.
    failed: RefCell<Option<(Instant, ConnectionError, Duration)>>,
}

/// Connects, then runs the calls of a channel until the script drops its half.
pub(super) async fn serve(
    connections: Rc<ClientConnections>,
    config: ChannelConfig,
    current: Arc<CurrentConnection>,
    timeout: Duration,
    mut opened_tx: oneshot::Sender<Result<(), String>>,
    mut commands_rx: mpsc::UnboundedReceiver<ChannelCommand>,
) {
    let connector = match &config.security {
        Security::Plain => None,
        Security::Tls(own) => match connections.connector().tls().for_grpc(own.as_ref()) {
            Ok(connector) => Some(connector),
            Err(text) => {
                _ = opened_tx.send(Err(text));
                return;
            }
        },
    };
    let subchannel = Rc::new(Subchannel {
        connections,
        head: CommonHead::new(&config),
        config,
        connector,
        current,
        opening: tokio::sync::Mutex::default(),
        failed: RefCell::default(),
    });
    let connected = tokio::select! {
        connected = subchannel.dial(timeout) => connected,
        () = opened_tx.closed() => return,
    };
    let is_open = connected.is_ok();
    if opened_tx.send(connected).is_err() || !is_open {
        return;
    }
    subchannel.current.leave();
    let mut calls: FuturesUnordered<LocalBoxFuture<'static, ()>> = FuturesUnordered::new();
    loop {
        tokio::select! {
            command = commands_rx.recv() => match command {
                Some(ChannelCommand::Unary { unary, reply_tx }) => {
                    subchannel.current.adopt();
                    calls.push(pin_box(|| run_unary(subchannel.clone(), unary, reply_tx)));
                }
                Some(ChannelCommand::Stream { call, ends }) => {
                    subchannel.current.adopt();
                    calls.push(pin_box(|| stream(subchannel.clone(), call, ends)));
                }
                // What is under way is dropped, which resets it.
                None => return,
            },
            Some(()) = calls.next() => {
                if calls.is_empty() {
                    subchannel.current.leave();
                }
            }
        }
    }
}

impl Subchannel {
    /// Connects for the first time, with retries where they may help.
    async fn dial(&self, timeout: Duration) -> Result<(), String> {
        let last: RefCell<Option<ConnectionError>> = RefCell::default();
        let attempts = async {
            let mut pause = INITIAL_BACKOFF;
            loop {
                match GrpcConnection::open(&self.connections, &self.config, self.connector.as_ref()).await {
                    Ok(connection) => return Ok(connection),
                    Err(error) if !error.is_temporary => return Err(error.to_string()),
                    Err(error) => _ = last.replace(Some(error)),
                }
                tokio::time::sleep(pause).await;
                pause = pause.mul_f64(BACKOFF_FACTOR).min(MAX_BACKOFF);
            }
        };
        match tokio::time::timeout(timeout, attempts).await {
            Ok(connection) => self.current.set(Some(connection?)),
            Err(_) => {
                let why = last.take().map(|error| format!(": {error}"));
                return Err(format!("context deadline exceeded{}", why.unwrap_or_default()));
            }
        };
        Ok(())
    }

    /// The connection, opened anew if it has ended.
    async fn connection(&self) -> Result<GrpcConnection, GrpcStatus> {
        if let Some(connection) = self.current.get() {
            return Ok(connection);
        }
        let _turn = self.opening.lock().await;
        if let Some(connection) = self.current.get() {
            return Ok(connection);
        }
        let unavailable = |error: &ConnectionError| GrpcStatus::new(GrpcCode::UNAVAILABLE, error.to_string());
        let mut pause = INITIAL_BACKOFF;
        if let Some((until, error, next)) = &*self.failed.borrow() {
            if Instant::now() < *until {
                return Err(unavailable(error));
            }
            pause = *next;
        }
        match GrpcConnection::open(&self.connections, &self.config, self.connector.as_ref()).await {
            Ok(connection) => {
                self.failed.replace(None);
                self.current.set(Some(connection.clone()));
                Ok(connection)
            }
            Err(error) => {
                let status = unavailable(&error);
                let next = pause.mul_f64(BACKOFF_FACTOR).min(MAX_BACKOFF);
                self.failed.replace(Some((Instant::now() + pause, error, next)));
                Err(status)
            }
        }
    }

    /// Sends the head of a call, over a new connection when the present one turns out to be at its end.
    async fn begin(
        &self,
        call: &Call,
        deadline: Option<Instant>,
    ) -> Result<(GrpcConnection, call::StartedCall), GrpcStatus> {
        let mut again = true;
        loop {
            let connection = self.connection().await?;
            let head = self.head.as_ref().map_err(GrpcStatus::clone)?;
            match call::begin(&connection, head, call, deadline).await {
                Ok(exchange) => return Ok((connection, exchange)),
                Err(Some(status)) => return Err(status),
                Err(None) if again => {
                    again = false;
                    self.current.set(None);
                }
                Err(None) => {
                    let end = connection.end().await.unwrap_or_else(|| "EOF".to_owned());
                    return Err(GrpcStatus::new(GrpcCode::UNAVAILABLE, format!("error reading from server: {end}")));
                }
            }
        }
    }
}

/// Waits until a call must end; for ever, if it has no deadline.
async fn past(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

async fn run_unary(subchannel: Rc<Subchannel>, mut unary: Box<Unary>, mut reply_tx: oneshot::Sender<CallOutcome>) {
    let deadline = unary.deadline();
    let exchange = async {
        let config = &subchannel.config;
        let framed = unary.framed(config)?;
        loop {
            let (connection, started) = subchannel.begin(&unary.call, deadline).await?;
            let status = unary.exchange(&connection, started, &framed, config).await;
            if !unary.repeats() {
                return status;
            }
        }
    };
    let status = tokio::select! {
        status = unary::until(deadline, || subchannel.current.drive(), exchange) => status,
        () = reply_tx.closed() => return,
    };
    // Fails when the VU was interrupted in this very moment.
    _ = reply_tx.send(match status {
        Some(status) => unary.outcome(status.unwrap_or_else(|status| status)),
        None => unary.time_out(),
    });
}

async fn stream(subchannel: Rc<Subchannel>, call: Call, ends: StreamEnds) {
    let StreamEnds { mut commands, events_tx, mut opened_tx } = ends;
    let began = Instant::now();
    let deadline = call.timeout.map(|timeout| began + timeout);
    let begun = tokio::select! {
        begun = subchannel.begin(&call, deadline) => begun,
        () = past(deadline) => Err(GrpcStatus::deadline()),
        () = opened_tx.closed() => return,
    };
    let (connection, mut exchange) = match begun {
        Ok(begun) => begun,
        Err(status) => {
            _ = opened_tx.send(Err(CallOutcome::new(began, status)));
            return;
        }
    };
    if opened_tx.send(Ok(())).is_err() {
        return;
    }
    connection.driver.drive();
    let mut seen = ResponseProgress::default();
    let take = async |message: Bytes| {
        let event = StreamEvent::Message(message, exchange.in_flight.arrivals().last);
        events_tx.send(event).await.map_err(|_| GrpcStatus::canceled())
    };
    let download = call::read(&connection, exchange.response, subchannel.config.max_receive, &mut seen, take);
    let upload = async {
        loop {
            match commands.recv().await {
                Some(StreamCommand::Message { message, is_last }) => {
                    let framed = frame(&message, subchannel.config.max_send)?;
                    if call::send(&mut exchange.upload, framed, is_last).await.is_err() {
                        break;
                    }
                    _ = events_tx.send(StreamEvent::Sent(Instant::now())).await;
                }
                Some(StreamCommand::End) => {
                    _ = exchange.upload.send_data(Bytes::new(), true);
                    break;
                }
                Some(StreamCommand::Fail(status)) => return Err(status),
                None => return Err(GrpcStatus::canceled()),
            }
        }
        // From here on the response decides.
        std::future::pending::<Result<(), GrpcStatus>>().await
    };
    let (status, arrived) = tokio::select! {
        status = download => (status.unwrap_or_else(|status| status), Some(exchange.in_flight.arrivals().last)),
        Err(status) = upload => (status, None),
        () = past(deadline) => (GrpcStatus::deadline(), deadline),
        () = events_tx.closed() => return,
    };
    let mut outcome = CallOutcome::new(began, status);
    if let Some(arrived) = arrived.filter(|_| !seen.is_lost) {
        outcome.end_at(arrived);
    }
    let ResponseProgress { headers, trailers, .. } = seen;
    (outcome.headers, outcome.trailers, outcome.remote) = (headers, trailers, Some(connection.remote));
    _ = events_tx.send(StreamEvent::End(Box::new(outcome))).await;
}
