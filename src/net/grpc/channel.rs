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

use super::call::{self, Answer, Call, Outcome};
use super::config::{Security, Target};
use super::connection::{Connection, Trouble};
use super::frames::frame;
use super::status::{Code, Status};
use crate::net::Client;
use crate::net::client_connections::Endpoint;

/// grpc-go's pause after a first failed attempt to connect.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How much longer each further pause is.
const GROWTH: f64 = 1.6;
/// The longest pause.
const LAST_PAUSE: Duration = Duration::from_secs(120);
/// So many messages of a stream wait for their script before the server has to.
const WAITING: usize = 1024;

/// What the network thread is told to do.
enum Order {
    Unary { call: Call, message: Bytes, reply: oneshot::Sender<Outcome> },
    Stream { call: Call, ends: Ends },
}

/// The network thread's ends of a stream.
struct Ends {
    outgoing: mpsc::UnboundedReceiver<Outgoing>,
    events: mpsc::Sender<Event>,
    opened: oneshot::Sender<Result<(), Outcome>>,
}

/// What goes out over a stream.
enum Outgoing {
    Message {
        message: Bytes,
        /// Our side of the stream is closed with it.
        is_last: bool,
    },
    End,
    Fail(Status),
}

/// What happens on a stream.
#[derive(Debug)]
pub enum Event {
    /// A message has left.
    Sent(Instant),
    /// A message has arrived.
    Message(Bytes, Instant),
    /// Nothing follows.
    End(Box<Outcome>),
}

/// The script's half of a channel. Calls are under way until they end or this is gone.
#[derive(Debug)]
pub struct Channel {
    orders: mpsc::UnboundedSender<Order>,
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
        target: Target,
        patience: Duration,
    ) -> impl Future<Output = Result<Self, String>> + Send + use<> {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (opened, answer) = oneshot::channel();
        // Sent at once, and not waited for: the task lives as long as the channel.
        let task = client.run(move |endpoint| serve(endpoint, target, patience, opened, inbox));
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
    pub fn unary(&self, call: Call, message: Bytes) -> Asked {
        let (reply, answer) = oneshot::channel();
        let began = Instant::now();
        _ = self.orders.send(Order::Unary { call, message, reply });
        Asked { answer, began }
    }

    /// Opens a stream; it is open when the future is done.
    ///
    /// # Errors
    /// How it ended before it began.
    pub fn stream(&self, call: Call) -> impl Future<Output = Result<(Upload, Download), Outcome>> + Send + use<> {
        let (sending, outgoing) = mpsc::unbounded_channel();
        let (events, incoming) = mpsc::channel(WAITING);
        let (opened, answer) = oneshot::channel();
        let began = Instant::now();
        _ = self.orders.send(Order::Stream { call, ends: Ends { outgoing, events, opened } });
        async move {
            match answer.await {
                Ok(Ok(())) => Ok((Upload(sending), Download { incoming, began })),
                Ok(Err(outcome)) => Err(outcome),
                Err(_) => Err(Outcome::new(began, Status::closing())),
            }
        }
    }
}

/// A call under way: a future of its outcome.
#[derive(Debug)]
pub struct Asked {
    answer: oneshot::Receiver<Outcome>,
    began: Instant,
}

impl Asked {
    /// The outcome, if it is there already: for who waits no longer.
    pub fn ended(&mut self) -> Option<Outcome> {
        self.answer.close();
        self.answer.try_recv().ok()
    }
}

impl Future for Asked {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let began = self.began;
        let outcome = Pin::new(&mut self.answer).poll(cx);
        outcome.map(|outcome| outcome.unwrap_or_else(|_| Outcome::new(began, Status::closing())))
    }
}

/// The way out of a stream. When it is gone without an end, the stream is canceled.
#[derive(Debug)]
pub struct Upload(mpsc::UnboundedSender<Outgoing>);

impl Upload {
    /// Sends a message after those before it. What nobody takes any more is let go.
    pub fn send(&self, message: Bytes) {
        _ = self.0.send(Outgoing::Message { message, is_last: false });
    }

    /// As [`Upload::send`], and nothing more is sent: what a method that takes one message needs.
    pub fn send_last(&self, message: Bytes) {
        _ = self.0.send(Outgoing::Message { message, is_last: true });
    }

    /// Nothing more is sent.
    pub fn end(&self) {
        _ = self.0.send(Outgoing::End);
    }

    /// The stream ends with a status of ours, once what was to be sent before has left.
    pub fn fail(&self, status: Status) {
        _ = self.0.send(Outgoing::Fail(status));
    }
}

/// The way in. When it is gone, the stream is canceled.
#[derive(Debug)]
pub struct Download {
    incoming: mpsc::Receiver<Event>,
    began: Instant,
}

impl Download {
    /// When the stream was asked for.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// What happens next; after the end comes the end of a stream that was closed with its channel.
    pub async fn next(&mut self) -> Event {
        let next = self.incoming.recv().await;
        next.unwrap_or_else(|| Event::End(Box::new(Outcome::new(self.began, Status::closing()))))
    }

    /// What has happened and was not taken, if anything: for who waits no longer.
    pub fn take(&mut self) -> Option<Event> {
        self.incoming.try_recv().ok()
    }

    /// Ends the stream here and now, with a status of ours.
    pub fn fail(&mut self, status: Status) -> Outcome {
        self.incoming.close();
        Outcome::new(self.began, status)
    }
}

/// The network thread's half.
struct Line {
    endpoint: Rc<Endpoint>,
    target: Target,
    connector: Option<TlsConnector>,
    connection: RefCell<Option<Connection>>,
    /// Only one attempt to connect at a time.
    opening: tokio::sync::Mutex<()>,
    /// The last attempt failed: until when nobody tries again, why, and how long the next pause is.
    failed: RefCell<Option<(Instant, Trouble, Duration)>>,
}

async fn serve(
    endpoint: Rc<Endpoint>,
    target: Target,
    patience: Duration,
    mut opened: oneshot::Sender<Result<(), String>>,
    mut inbox: mpsc::UnboundedReceiver<Order>,
) {
    let connector = match &target.security {
        Security::Plain => None,
        Security::Tls(own) => match endpoint.tls().for_grpc(own.as_ref()) {
            Ok(connector) => Some(connector),
            Err(text) => {
                _ = opened.send(Err(text));
                return;
            }
        },
    };
    let line = Rc::new(Line {
        endpoint,
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
                Some(Order::Unary { call, message, reply }) => {
                    calls.push(Box::pin(unary(line.clone(), call, message, reply)));
                }
                Some(Order::Stream { call, ends }) => calls.push(Box::pin(stream(line.clone(), call, ends))),
                // What is under way is dropped, which resets it.
                None => return,
            },
            Some(()) = calls.next() => {}
        }
    }
}

impl Line {
    /// Connects for the first time, and tries again where that may help.
    async fn dial(&self, patience: Duration) -> Result<(), String> {
        let last: RefCell<Option<Trouble>> = RefCell::default();
        let attempts = async {
            let mut pause = FIRST_PAUSE;
            loop {
                match Connection::open(&self.endpoint, &self.target, self.connector.as_ref()).await {
                    Ok(connection) => return Ok(connection),
                    Err(trouble) if !trouble.is_temporary => return Err(trouble.to_string()),
                    Err(trouble) => _ = last.replace(Some(trouble)),
                }
                tokio::time::sleep(pause).await;
                pause = pause.mul_f64(GROWTH).min(LAST_PAUSE);
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
    async fn connection(&self) -> Result<Connection, Status> {
        let current = || self.connection.borrow().clone().filter(|connection| !connection.is_over());
        if let Some(connection) = current() {
            return Ok(connection);
        }
        let _turn = self.opening.lock().await;
        if let Some(connection) = current() {
            return Ok(connection);
        }
        let unavailable = |trouble: &Trouble| Status::new(Code::UNAVAILABLE, trouble.to_string());
        let mut pause = FIRST_PAUSE;
        if let Some((until, trouble, next)) = &*self.failed.borrow() {
            if Instant::now() < *until {
                return Err(unavailable(trouble));
            }
            pause = *next;
        }
        match Connection::open(&self.endpoint, &self.target, self.connector.as_ref()).await {
            Ok(connection) => {
                self.failed.replace(None);
                self.connection.replace(Some(connection.clone()));
                Ok(connection)
            }
            Err(trouble) => {
                let status = unavailable(&trouble);
                let next = pause.mul_f64(GROWTH).min(LAST_PAUSE);
                self.failed.replace(Some((Instant::now() + pause, trouble, next)));
                Err(status)
            }
        }
    }

    /// Sends the head of a call, over a new connection when the present one turns out to be at its end.
    async fn begin(&self, call: &Call, deadline: Option<Instant>) -> Result<(Connection, call::Exchange), Status> {
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
                    return Err(Status::new(Code::UNAVAILABLE, format!("error reading from server: {end}")));
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

async fn unary(line: Rc<Line>, call: Call, message: Bytes, mut reply: oneshot::Sender<Outcome>) {
    let began = Instant::now();
    let deadline = call.timeout.map(|timeout| began + timeout);
    let mut seen = Answer::default();
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
                    Err(Status::new(Code::INTERNAL, text))
                }
            };
            let call::Exchange { mut upload, answer } = exchange;
            let upload = async {
                // A server may answer without reading everything; only the answer counts.
                _ = call::send(&mut upload, framed.clone(), true).await;
                std::future::pending::<()>().await;
            };
            let answer = call::read(&connection, answer, line.target.max_receive, &mut seen, take);
            let status = tokio::select! {
                status = answer => status,
                () = upload => Err(Status::canceled()),
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
            Status::deadline()
        }
        () = reply.closed() => return,
    };
    let status = match status {
        status if status.is_ok() && received.is_none() => {
            let text = "cardinality violation: received no response message from non-server-streaming RPC";
            Status::new(Code::INTERNAL, text)
        }
        status => status,
    };
    let mut outcome = Outcome::new(began, status);
    if let Some(arrived) = arrived {
        outcome.end_at(arrived);
    }
    let Answer { headers, trailers, .. } = seen;
    (outcome.headers, outcome.trailers, outcome.message, outcome.remote) = (headers, trailers, received, remote);
    // Nobody to take it: the VU was interrupted in this very moment.
    _ = reply.send(outcome);
}

async fn stream(line: Rc<Line>, call: Call, ends: Ends) {
    let Ends { mut outgoing, events, mut opened } = ends;
    let began = Instant::now();
    let deadline = call.timeout.map(|timeout| began + timeout);
    let begun = tokio::select! {
        begun = line.begin(&call, deadline) => begun,
        () = past(deadline) => Err(Status::deadline()),
        () = opened.closed() => return,
    };
    let (connection, mut exchange) = match begun {
        Ok(begun) => begun,
        Err(status) => {
            _ = opened.send(Err(Outcome::new(began, status)));
            return;
        }
    };
    if opened.send(Ok(())).is_err() {
        return;
    }
    let mut seen = Answer::default();
    let take = async |message: Bytes| {
        let event = Event::Message(message, connection.arrived());
        events.send(event).await.map_err(|_| Status::canceled())
    };
    let download = call::read(&connection, exchange.answer, line.target.max_receive, &mut seen, take);
    let upload = async {
        loop {
            match outgoing.recv().await {
                Some(Outgoing::Message { message, is_last }) => {
                    let framed = frame(&message, line.target.max_send)?;
                    if call::send(&mut exchange.upload, framed, is_last).await.is_err() {
                        break;
                    }
                    _ = events.send(Event::Sent(Instant::now())).await;
                }
                Some(Outgoing::End) => {
                    _ = exchange.upload.send_data(Bytes::new(), true);
                    break;
                }
                Some(Outgoing::Fail(status)) => return Err(status),
                None => return Err(Status::canceled()),
            }
        }
        // From here on the answer decides.
        std::future::pending::<Result<(), Status>>().await
    };
    let (status, arrived) = tokio::select! {
        status = download => (status.unwrap_or_else(|status| status), Some(connection.arrived())),
        Err(status) = upload => (status, None),
        () = past(deadline) => (Status::deadline(), deadline),
        () = events.closed() => return,
    };
    let mut outcome = Outcome::new(began, status);
    if let Some(arrived) = arrived.filter(|_| !seen.is_lost) {
        outcome.end_at(arrived);
    }
    let Answer { headers, trailers, .. } = seen;
    (outcome.headers, outcome.trailers, outcome.remote) = (headers, trailers, Some(connection.remote));
    _ = events.send(Event::End(Box::new(outcome))).await;
}
