//! What travels between a script's half of a channel and the network thread's.

use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::call::{Call, CallOutcome};
use super::status::GrpcStatus;
use super::unary::Unary;

/// What a channel asks its network thread to do.
pub(super) enum ChannelCommand {
    Unary { unary: Box<Unary>, reply_tx: oneshot::Sender<CallOutcome> },
    Stream { call: Call, ends: StreamEnds },
}

/// The network thread's ends of a stream.
pub(super) struct StreamEnds {
    pub commands: mpsc::UnboundedReceiver<StreamCommand>,
    pub events_tx: mpsc::Sender<StreamEvent>,
    pub opened_tx: oneshot::Sender<Result<(), CallOutcome>>,
}

/// What a script does with a stream.
pub(super) enum StreamCommand {
    Message {
        message: Bytes,
        /// Our side of the stream is closed with it.
        is_last: bool,
    },
    End,
    Fail(GrpcStatus),
}

/// What happens on a stream, with its time.
#[derive(Debug)]
pub enum StreamEvent {
    /// A message has left.
    Sent(Instant),
    /// A message has arrived.
    Message(Bytes, Instant),
    /// Nothing follows.
    End(Box<CallOutcome>),
}
