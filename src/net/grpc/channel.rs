//! A channel: one server, one connection at a time, any number of calls over it.
//!
//! The half a script holds sends orders; the other half is a task of the client's network thread that owns the
//! connection. When the script's half is gone, so are the connection and what was under way. A connection that ended is
//! opened again by the next call; while that fails, calls fail with the reason.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsConnector;

use super::call::{self, Call, CallOutcome, ResponseProgress};
use super::config::{ChannelConfig, Security};
use super::connection::{ConnectionError, GrpcConnection};
use super::frames::frame;
use super::status::{GrpcCode, GrpcStatus};
use crate::net::client::Client;
use crate::net::client_connections::ClientConnections;

/// grpc-go's pause after a first failed attempt to connect.
const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
/// How much longer each further pause is.
const BACKOFF_FACTOR: f64 = 1.6;
/// The longest pause.
const MAX_BACKOFF: Duration = Duration::from_secs(120);
/// So many messages of a stream wait for their script before the server has to.
const MAX_QUEUED_EVENTS: usize = 1024;

/// What the network thread is told to do.
enum ChannelCommand {
    Unary { call: Call, message: Bytes, reply: oneshot::Sender<CallOutcome> },
    Stream { call: Call, ends: StreamEnds },
}

/// The network thread's ends of a stream.
struct StreamEnds {
    outgoing: mpsc::UnboundedReceiver<StreamCommand>,
    events: mpsc::Sender<StreamEvent>,
    opened: oneshot::Sender<Result<(), CallOutcome>>,
}

/// What goes out over a stream.
enum StreamCommand {
    Message {
        message: Bytes,
        /// Our side of the stream is closed with it.
        is_last: bool,
    },
    End,
    Fail(GrpcStatus),
}

/// What happens on a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// A message has left.
    Sent(Instant),
    /// A message has arrived.
    Message(Bytes, Instant),
    /// Nothing follows.
    End(Box<CallOutcome>),
}

/// The script's half of a channel. Calls are under way until they end or this is gone.
#[derive(Debug)]
pub struct Channel {
    orders: mpsc::UnboundedSender<ChannelCommand>,
    /// The other half ends with the client, and the client must outlive its channels.
    _client: Client,
}

impl Channel {
    /// Opens a channel; the connection is open when the future is done. Attempts that may succeed later are repeated
    /// until `patience` is over.
    ///
    /// # Errors
    /// Why there is no connection, in the words of grpc-go.
    pub fn open(
        client: &Client,
        target: ChannelConfig,
        patience: Duration,
    ) -> impl Future<Output = Result<Self, String>> + Send + use<> {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (opened, answer) = oneshot::channel();
        // Sent at once, and not waited for: the task lives as long as the channel.
        let task = client.run(move |connections| serve(connections, target, patience, opened, inbox));
        let client = client.clone();
        async move {
            drop(task);
            match answer.await {
                Ok(Ok(())) => Ok(Self { orders, _client: client }),
                Ok(Err(text)) => Err(text),
                Err(_) => Err("context canceled".to_owned()),
            }
        }
    }

    /// Asks one question; the answer is waited for. Dropping what is returned cancels the call.
    pub fn unary(&self, call: Call, message: Bytes) -> UnaryCall {
        let (reply, answer) = oneshot::channel();
        let began = Instant::now();
        _ = self.orders.send(ChannelCommand::Unary { call, message, reply });
        UnaryCall { answer, began }
    }

    /// Opens a stream; it is open when the future is done.
    ///
    /// # Errors
    /// How it ended before it began.
    pub fn stream(&self, call: Call) -> impl Future<Output = Result<(Upload, Download), CallOutcome>> + Send + use<> {
        let (sending, outgoing) = mpsc::unbounded_channel();
        let (events, incoming) = mpsc::channel(MAX_QUEUED_EVENTS);
        let (opened, answer) = oneshot::channel();
        let began = Instant::now();
        _ = self.orders.send(ChannelCommand::Stream { call, ends: StreamEnds { outgoing, events, opened } });
        async move {
            match answer.await {
                Ok(Ok(())) => Ok((Upload(sending), Download { incoming, began })),
                Ok(Err(outcome)) => Err(outcome),
                Err(_) => Err(CallOutcome::new(began, GrpcStatus::closing())),
            }
        }
    }
}

/// A call under way: a future of its outcome.
#[derive(Debug)]
pub struct UnaryCall {
    answer: oneshot::Receiver<CallOutcome>,
    began: Instant,
}

impl UnaryCall {
    /// The outcome, if it is there already: for who waits no longer.
    pub fn ended(&mut self) -> Option<CallOutcome> {
        self.answer.close();
        self.answer.try_recv().ok()
    }
}

impl Future for UnaryCall {
    type Output = CallOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CallOutcome> {
        let began = self.began;
        let outcome = Pin::new(&mut self.answer).poll(cx);
        outcome.map(|outcome| outcome.unwrap_or_else(|_| CallOutcome::new(began, GrpcStatus::closing())))
    }
}

/// The way out of a stream. When it is gone without an end, the stream is canceled.
#[derive(Debug)]
pub struct Upload(mpsc::UnboundedSender<StreamCommand>);

impl Upload {
    /// Sends a message after those before it. What nobody takes any more is let go.
    pub fn send(&self, message: Bytes) {
        _ = self.0.send(StreamCommand::Message { message, is_last: false });
    }

    /// As [`Upload::send`], and nothing more is sent: what a method that takes one message needs.
    pub fn send_last(&self, message: Bytes) {
        _ = self.0.send(StreamCommand::Message { message, is_last: true });
    }

    /// Nothing more is sent.
    pub fn end(&self) {
        _ = self.0.send(StreamCommand::End);
    }

    /// The stream ends with a status of ours, once what was to be sent before has left.
    pub fn fail(&self, status: GrpcStatus) {
        _ = self.0.send(StreamCommand::Fail(status));
    }
}

/// The way in. When it is gone, the stream is canceled.
#[derive(Debug)]
pub struct Download {
    incoming: mpsc::Receiver<StreamEvent>,
    began: Instant,
}

impl Download {
    /// When the stream was asked for.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// What happens next; after the end comes the end of a stream that was closed with its channel.
    pub async fn next(&mut self) -> StreamEvent {
        let next = self.incoming.recv().await;
        next.unwrap_or_else(|| StreamEvent::End(Box::new(CallOutcome::new(self.began, GrpcStatus::closing()))))
    }

    /// What has happened and was not taken, if anything: for who waits no longer.
    pub fn take(&mut self) -> Option<StreamEvent> {
        self.incoming.try_recv().ok()
    }

    /// Ends the stream here and now, with a status of ours.
    pub fn fail(&mut self, status: GrpcStatus) -> CallOutcome {
        self.incoming.close();
        CallOutcome::new(self.began, status)
    }
}

/// The network thread's half.
struct Subchannel {
    connections: Rc<ClientConnections>,
    target: ChannelConfig,
    connector: Option<TlsConnector>,
    connection: RefCell<Option<GrpcConnection>>,
    /// Only one attempt to connect at a time.
    opening: tokio::sync::Mutex<()>,
    /// The last attempt failed: until when nobody tries again, why, and how long the next pause is.
    failed: RefCell<Option<(Instant, ConnectionError, Duration)>>,
}

async fn serve(
    connections: Rc<ClientConnections>,
    target: ChannelConfig,
    patience: Duration,
    mut opened: oneshot::Sender<Result<(), String>>,
    mut inbox: mpsc::UnboundedReceiver<ChannelCommand>,
) {
    let connector = match &target.security {
        Security::Plain => None,
        Security::Tls(own) => match connections.connector().tls().for_grpc(own.as_ref()) {
            Ok(connector) => Some(connector),
            Err(text) => {
                _ = opened.send(Err(text));
                return;
            }
        },
    };
    let line = Rc::new(Subchannel {
        connections,
        target,
        connector,
        connection: RefCell::default(),
        opening: tokio::sync::Mutex::default(),
        failed: RefCell::default(),
    });
    let dialled = tokio::select! {
        dialled = line.dial(patience) => dialled,
        () = opened.closed() => return,
    };
    let is_open = dialled.is_ok();
    if opened.send(dialled).is_err() || !is_open {
        return;
    }
    let mut calls: FuturesUnordered<LocalBoxFuture<'static, ()>> = FuturesUnordered::new();
    loop {
        tokio::select! {
            order = inbox.recv() => match order {
                Some(ChannelCommand::Unary { call, message, reply }) => {
                    calls.push(Box::pin(unary(line.clone(), call, message, reply)));
                }
                Some(ChannelCommand::Stream { call, ends }) => calls.push(Box::pin(stream(line.clone(), call, ends))),
                // What is under way is dropped, which resets it.
                None => return,
            },
            Some(()) = calls.next() => {}
        }
    }
}

impl Subchannel {
    /// Connects for the first time, and tries again where that may help.
    async fn dial(&self, patience: Duration) -> Result<(), String> {
        let last: RefCell<Option<ConnectionError>> = RefCell::default();
        let attempts = async {
            let mut pause = INITIAL_BACKOFF;
            loop {
                match GrpcConnection::open(&self.connections, &self.target, self.connector.as_ref()).await {
                    Ok(connection) => return Ok(connection),
                    Err(trouble) if !trouble.is_temporary => return Err(trouble.to_string()),
                    Err(trouble) => _ = last.replace(Some(trouble)),
                }
                tokio::time::sleep(pause).await;
                pause = pause.mul_f64(BACKOFF_FACTOR).min(MAX_BACKOFF);
            }
        };
        match tokio::time::timeout(patience, attempts).await {
            Ok(connection) => self.connection.replace(Some(connection?)),
            Err(_) => {
                let why = last.take().map(|trouble| format!(": {trouble}"));
                return Err(format!("context deadline exceeded{}", why.unwrap_or_default()));
            }
        };
        Ok(())
    }

    /// The connection, opened anew if it has ended.
    async fn connection(&self) -> Result<GrpcConnection, GrpcStatus> {
        let current = || self.connection.borrow().clone().filter(|connection| !connection.is_over());
        if let Some(connection) = current() {
            return Ok(connection);
        }
        let _turn = self.opening.lock().await;
        if let Some(connection) = current() {
            return Ok(connection);
        }
        let unavailable = |trouble: &ConnectionError| GrpcStatus::new(GrpcCode::UNAVAILABLE, trouble.to_string());
        let mut pause = INITIAL_BACKOFF;
        if let Some((until, trouble, next)) = &*self.failed.borrow() {
            if Instant::now() < *until {
                return Err(unavailable(trouble));
            }
            pause = *next;
        }
        match GrpcConnection::open(&self.connections, &self.target, self.connector.as_ref()).await {
            Ok(connection) => {
                self.failed.replace(None);
                self.connection.replace(Some(connection.clone()));
                Ok(connection)
            }
            Err(trouble) => {
                let status = unavailable(&trouble);
                let next = pause.mul_f64(BACKOFF_FACTOR).min(MAX_BACKOFF);
                self.failed.replace(Some((Instant::now() + pause, trouble, next)));
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
            match call::begin(&connection, &self.target, call, deadline).await {
                Ok(exchange) => return Ok((connection, exchange)),
                Err(Some(status)) => return Err(status),
                Err(None) if again => {
                    again = false;
                    self.connection.replace(None);
                }
                Err(None) => {
                    let end = connection.end().await.unwrap_or_else(|| "EOF".to_owned());
                    return Err(GrpcStatus::new(GrpcCode::UNAVAILABLE, format!("error reading from server: {end}")));
                }
            }
        }
    }
}

/// Waits for the moment a call must end; for ever, if there is none.
async fn past(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

async fn unary(line: Rc<Subchannel>, call: Call, message: Bytes, mut reply: oneshot::Sender<CallOutcome>) {
    let began = Instant::now();
    let deadline = call.timeout.map(|timeout| began + timeout);
    let mut seen = ResponseProgress::default();
    let mut received: Option<Bytes> = None;
    let (mut arrived, mut remote) = (None, None);
    let exchange = async {
        let framed = frame(&message, line.target.max_send)?;
        let mut again = true;
        loop {
            let (connection, exchange) = line.begin(&call, deadline).await?;
            remote = Some(connection.remote);
            let take = async |message: Bytes| match received.replace(message) {
                None => Ok(()),
                Some(_) => {
                    let text = "cardinality violation: expected <EOF> for non server-streaming RPCs, but received \
                                another message";
                    Err(GrpcStatus::new(GrpcCode::INTERNAL, text))
                }
            };
            let call::StartedCall { mut upload, answer } = exchange;
            let upload = async {
                // A server may answer without reading everything; only the answer counts.
                _ = call::send(&mut upload, framed.clone(), true).await;
                std::future::pending::<()>().await;
            };
            let answer = call::read(&connection, answer, line.target.max_receive, &mut seen, take);
            let status = tokio::select! {
                status = answer => status,
                () = upload => Err(GrpcStatus::canceled()),
            };
            if std::mem::take(&mut seen.is_untouched) && std::mem::take(&mut again) {
                seen.is_lost = false;
                continue;
            }
            arrived = (!seen.is_lost).then(|| connection.arrived());
            return status;
        }
    };
    let status = tokio::select! {
        status = exchange => status.unwrap_or_else(|status| status),
        () = past(deadline) => {
            arrived = deadline;
            GrpcStatus::deadline()
        }
        () = reply.closed() => return,
    };
    let status = match status {
        status if status.is_ok() && received.is_none() => {
            let text = "cardinality violation: received no response message from non-server-streaming RPC";
            GrpcStatus::new(GrpcCode::INTERNAL, text)
        }
        status => status,
    };
    let mut outcome = CallOutcome::new(began, status);
    if let Some(arrived) = arrived {
        outcome.end_at(arrived);
    }
    let ResponseProgress { headers, trailers, .. } = seen;
    (outcome.headers, outcome.trailers, outcome.message, outcome.remote) = (headers, trailers, received, remote);
    // Nobody to take it: the VU was interrupted in this very moment.
    _ = reply.send(outcome);
}

async fn stream(line: Rc<Subchannel>, call: Call, ends: StreamEnds) {
    let StreamEnds { mut outgoing, events, mut opened } = ends;
    let began = Instant::now();
    let deadline = call.timeout.map(|timeout| began + timeout);
    let begun = tokio::select! {
        begun = line.begin(&call, deadline) => begun,
        () = past(deadline) => Err(GrpcStatus::deadline()),
        () = opened.closed() => return,
    };
    let (connection, mut exchange) = match begun {
        Ok(begun) => begun,
        Err(status) => {
            _ = opened.send(Err(CallOutcome::new(began, status)));
            return;
        }
    };
    if opened.send(Ok(())).is_err() {
        return;
    }
    let mut seen = ResponseProgress::default();
    let take = async |message: Bytes| {
        let event = StreamEvent::Message(message, connection.arrived());
        events.send(event).await.map_err(|_| GrpcStatus::canceled())
    };
    let download = call::read(&connection, exchange.answer, line.target.max_receive, &mut seen, take);
    let upload = async {
        loop {
            match outgoing.recv().await {
                Some(StreamCommand::Message { message, is_last }) => {
                    let framed = frame(&message, line.target.max_send)?;
                    if call::send(&mut exchange.upload, framed, is_last).await.is_err() {
                        break;
                    }
                    _ = events.send(StreamEvent::Sent(Instant::now())).await;
                }
                Some(StreamCommand::End) => {
                    _ = exchange.upload.send_data(Bytes::new(), true);
                    break;
                }
                Some(StreamCommand::Fail(status)) => return Err(status),
                None => return Err(GrpcStatus::canceled()),
            }
        }
        // From here on the answer decides.
        std::future::pending::<Result<(), GrpcStatus>>().await
    };
    let (status, arrived) = tokio::select! {
        status = download => (status.unwrap_or_else(|status| status), Some(connection.arrived())),
        Err(status) = upload => (status, None),
        () = past(deadline) => (GrpcStatus::deadline(), deadline),
        () = events.closed() => return,
    };
    let mut outcome = CallOutcome::new(began, status);
    if let Some(arrived) = arrived.filter(|_| !seen.is_lost) {
        outcome.end_at(arrived);
    }
    let ResponseProgress { headers, trailers, .. } = seen;
    (outcome.headers, outcome.trailers, outcome.remote) = (headers, trailers, Some(connection.remote));
    _ = events.send(StreamEvent::End(Box::new(outcome))).await;
}
