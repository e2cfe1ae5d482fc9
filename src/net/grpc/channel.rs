//! A channel: one server, one connection at a time, any number of calls over it.
//!
//! A script holds this half, which sends commands; the other half is a [`subchannel`](super::subchannel), a task of the client's
//! network thread that opens the connection and makes calls over it. A short call that its script waits for is made by the
//! script's own thread, while that drives the connection ([`CurrentConnection`]). Dropping the script's half closes the connection and
//! cancels what is under way.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::call::{self, Call, CallOutcome, CommonHead};
use super::command::{ChannelCommand, StreamCommand, StreamEnds, StreamEvent};
use super::config::ChannelConfig;
use super::connection::GrpcConnection;
use super::current::CurrentConnection;
use super::status::GrpcStatus;
use super::subchannel::serve;
use super::unary::{SHORT_MESSAGE, Unary, until};
use crate::net::client::Client;
use crate::net::stand_in;
use crate::units::pin_box::pin_box;

/// At most this many events of a stream wait for their script; then the server has to wait.
const MAX_QUEUED_EVENTS: usize = 1024;

/// The script's half of a channel. Dropping it cancels the calls that are under way.
#[derive(Debug)]
pub struct Channel {
    commands: mpsc::UnboundedSender<ChannelCommand>,
    current: Arc<CurrentConnection>,
    /// What this thread makes calls with; `None` where it makes none.
    here: Option<Rc<ScriptThread>>,
    /// The other half ends with the client, so the client must outlive its channels.
    _client: Client,
}

/// What the thread of a script makes calls with.
#[derive(Debug)]
struct ScriptThread {
    config: ChannelConfig,
    head: CommonHead,
    /// Has this thread drive the connection whenever it may.
    takes_over: JoinHandle<()>,
}

impl Drop for ScriptThread {
    fn drop(&mut self) {
        self.takes_over.abort();
    }
}

impl Channel {
    /// Opens a channel; the connection is open when the future resolves. Attempts that may succeed later are repeated
    /// until `timeout` has passed.
    ///
    /// # Errors
    /// Why there is no connection, in the words of grpc-go.
    pub fn open(
        client: &Client,
        config: ChannelConfig,
        timeout: Duration,
    ) -> impl Future<Output = Result<Self, String>> + use<> {
        let (commands, commands_rx) = mpsc::unbounded_channel();
        let (opened_tx, opened_rx) = oneshot::channel();
        // A head that can't be made is refused call by call, on the network thread.
        let head = CommonHead::new(&config).ok().filter(|_| stand_in::watches_this_thread());
        let current = Arc::new(CurrentConnection::new(head.is_some()));
        let here = head.map(|head| {
            let current = current.clone();
            let takes_over = tokio::task::spawn_local(async move { current.take_over().await });
            Rc::new(ScriptThread { config: config.clone(), head, takes_over })
        });
        let seen_there = current.clone();
        // Sent at once, and not awaited: the task lives as long as the channel.
        let task =
            client.run(move |connections| serve(connections, config, seen_there, timeout, opened_tx, commands_rx));
        let client = client.clone();
        async move {
            drop(task);
            match opened_rx.await {
                Ok(Ok(())) => Ok(Self { commands, current, here, _client: client }),
                Ok(Err(text)) => Err(text),
                Err(_) => Err("context canceled".to_owned()),
            }
        }
    }

    /// Makes a call with one message each way, at once. Dropping the future cancels it.
    pub fn unary(&self, call: Call, message: Bytes) -> UnaryCall {
        let began = Instant::now();
        self.current.call_there();
        let reply_rx = command(&self.commands, Unary::new(call, message, began).into());
        UnaryCall(UnderWay::There { reply_rx, began })
    }

    /// As [`Channel::unary`], when the future is polled first: for callers that wait for it and do nothing else.
    pub fn awaited_unary(&self, call: Call, message: Bytes) -> UnaryCall {
        let here = self.here.as_ref().filter(|_| message.len() <= SHORT_MESSAGE);
        match here.zip(self.current.here()) {
            None => self.unary(call, message),
            Some((here, connection)) => {
                let (here, commands, current) = (here.clone(), self.commands.clone(), self.current.clone());
                let under_way = pin_box(|| async move {
                    let unary = Unary::new(call, message, Instant::now());
                    here.run(unary, &connection, &commands, &current).await
                });
                UnaryCall(UnderWay::Here(under_way))
            }
        }
    }

    /// Opens a stream; it is open when the future resolves.
    ///
    /// # Errors
    /// How it ended before it began.
    pub fn stream(&self, call: Call) -> impl Future<Output = Result<(Upload, Download), CallOutcome>> + Send + use<> {
        let (upload_tx, commands) = mpsc::unbounded_channel();
        let (events_tx, events_rx) = mpsc::channel(MAX_QUEUED_EVENTS);
        let (opened_tx, opened_rx) = oneshot::channel();
        let began = Instant::now();
        self.current.call_there();
        _ = self.commands.send(ChannelCommand::Stream { call, ends: StreamEnds { commands, events_tx, opened_tx } });
        async move {
            match opened_rx.await {
                Ok(Ok(())) => Ok((Upload(upload_tx), Download { events_rx, began })),
                Ok(Err(outcome)) => Err(outcome),
                Err(_) => Err(CallOutcome::new(began, GrpcStatus::closing())),
            }
        }
    }
}

impl ScriptThread {
    /// Makes a call over `connection`; on the network thread, when it turns out to be at its end.
    async fn run(
        &self,
        mut unary: Unary,
        connection: &GrpcConnection,
        commands: &mpsc::UnboundedSender<ChannelCommand>,
        current: &CurrentConnection,
    ) -> CallOutcome {
        let deadline = unary.deadline();
        let exchange = async {
            let framed = unary.framed(&self.config).map_err(Some)?;
            let started = call::begin(connection, &self.head, &unary.call, deadline).await?;
            let status = unary.exchange(connection, started, &framed, &self.config).await;
            if unary.repeats() { Err(None) } else { status.map_err(Some) }
        };
        match until(deadline, || connection.driver.drive(), exchange).await {
            Some(Ok(status) | Err(Some(status))) => unary.outcome(status),
            None => unary.time_out(),
            Some(Err(None)) => {
                current.call_there();
                let began = unary.began();
                let reply = command(commands, unary.into()).await;
                reply.unwrap_or_else(|_| CallOutcome::new(began, GrpcStatus::closing()))
            }
        }
    }
}

/// Has the network thread make a call.
fn command(commands: &mpsc::UnboundedSender<ChannelCommand>, unary: Box<Unary>) -> oneshot::Receiver<CallOutcome> {
    let (reply_tx, reply_rx) = oneshot::channel();
    _ = commands.send(ChannelCommand::Unary { unary, reply_tx });
    reply_rx
}

/// A call under way: a future of its outcome.
pub struct UnaryCall(UnderWay);

enum UnderWay {
    /// On the network thread.
    There { reply_rx: oneshot::Receiver<CallOutcome>, began: Instant },
    /// On this one.
    Here(LocalBoxFuture<'static, CallOutcome>),
}

impl UnaryCall {
    /// The outcome, if it is there already: for callers that stop waiting.
    pub fn ended(&mut self) -> Option<CallOutcome> {
        match &mut self.0 {
            UnderWay::There { reply_rx, .. } => {
                reply_rx.close();
                reply_rx.try_recv().ok()
            }
            UnderWay::Here(call) => call.as_mut().now_or_never(),
        }
    }
}

impl Future for UnaryCall {
    type Output = CallOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CallOutcome> {
        match &mut self.0 {
            UnderWay::There { reply_rx, began } => {
                let outcome = Pin::new(reply_rx).poll(cx);
                outcome.map(|outcome| outcome.unwrap_or_else(|_| CallOutcome::new(*began, GrpcStatus::closing())))
            }
            UnderWay::Here(call) => call.as_mut().poll(cx),
        }
    }
}

/// The sending half of a stream. Dropping it before its end cancels the stream.
#[derive(Debug)]
pub struct Upload(mpsc::UnboundedSender<StreamCommand>);

impl Upload {
    /// Sends a message after those before it; dropped once the stream has ended.
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

/// The receiving half of a stream. Dropping it cancels the stream.
#[derive(Debug)]
pub struct Download {
    events_rx: mpsc::Receiver<StreamEvent>,
    began: Instant,
}

impl Download {
    /// When the stream was asked for.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// What happens next. After the end, and once the channel is closed: another end.
    pub async fn next(&mut self) -> StreamEvent {
        let next = self.events_rx.recv().await;
        next.unwrap_or_else(|| StreamEvent::End(Box::new(CallOutcome::new(self.began, GrpcStatus::closing()))))
    }

    /// The next event that has happened already: for callers that stop waiting.
    pub fn take(&mut self) -> Option<StreamEvent> {
        self.events_rx.try_recv().ok()
    }

    /// Ends the stream here and now, with a status of ours.
    pub fn fail(&mut self, status: GrpcStatus) -> CallOutcome {
        self.events_rx.close();
        CallOutcome::new(self.began, status)
    }
}
