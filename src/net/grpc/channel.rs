//! A channel: one server, one connection at a time, any number of calls over it.
//!
//! A script holds this half, which sends commands; the other half is a [`subchannel`](super::subchannel), a task of the client's
//! network thread that owns the connection. Dropping the script's half closes the connection and cancels what is under way.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::call::{Call, CallOutcome};
use super::command::{ChannelCommand, StreamCommand, StreamEnds, StreamEvent};
use super::config::ChannelConfig;
use super::status::GrpcStatus;
use super::subchannel::serve;
use crate::net::client::Client;

/// At most this many events of a stream wait for their script; then the server has to wait.
const MAX_QUEUED_EVENTS: usize = 1024;

/// The script's half of a channel. Dropping it cancels the calls that are under way.
#[derive(Debug)]
pub struct Channel {
    commands: mpsc::UnboundedSender<ChannelCommand>,
    /// The other half ends with the client, so the client must outlive its channels.
    _client: Client,
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
    ) -> impl Future<Output = Result<Self, String>> + Send + use<> {
        let (commands, commands_rx) = mpsc::unbounded_channel();
        let (opened_tx, opened_rx) = oneshot::channel();
        // Sent at once, and not awaited: the task lives as long as the channel.
        let task = client.run(move |connections| serve(connections, config, timeout, opened_tx, commands_rx));
        let client = client.clone();
        async move {
            drop(task);
            match opened_rx.await {
                Ok(Ok(())) => Ok(Self { commands, _client: client }),
                Ok(Err(text)) => Err(text),
                Err(_) => Err("context canceled".to_owned()),
            }
        }
    }

    /// Makes a call with one message each way. Dropping the future cancels it.
    pub fn unary(&self, call: Call, message: Bytes) -> UnaryCall {
        let (reply_tx, reply_rx) = oneshot::channel();
        let began = Instant::now();
        _ = self.commands.send(ChannelCommand::Unary { call, message, reply_tx });
        UnaryCall { reply_rx, began }
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

/// A call under way: a future of its outcome.
#[derive(Debug)]
pub struct UnaryCall {
    reply_rx: oneshot::Receiver<CallOutcome>,
    began: Instant,
}

impl UnaryCall {
    /// The outcome, if it is there already: for callers that stop waiting.
    pub fn ended(&mut self) -> Option<CallOutcome> {
        self.reply_rx.close();
        self.reply_rx.try_recv().ok()
    }
}

impl Future for UnaryCall {
    type Output = CallOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CallOutcome> {
        let began = self.began;
        let outcome = Pin::new(&mut self.reply_rx).poll(cx);
        outcome.map(|outcome| outcome.unwrap_or_else(|_| CallOutcome::new(began, GrpcStatus::closing())))
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
