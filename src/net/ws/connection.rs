//! One open connection: writes what the script sends, reads what the server sends, answers pings.
//!
//! The network thread opens it, or the thread of its script, where that takes no time. Then the thread of its script serves it, where
//! what arrives is stamped by the kernel: an echo needs no hand-over between two threads. While that thread is late another one reads (`stand_in`); what it owes the server waits meanwhile.
//!
//! Keeps no buffer while nothing happens, and does not read while the script has not taken what was read.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::AsyncWrite;
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::channel::{NetworkEnd, OutgoingMessage, SocketEvent, TimedEvent, WrittenMessage};
use super::close::{self, CloseOutcome};
use super::frame::{self, FrameParser, Message, ProtocolError, opcode};
use super::handshake::{self, HandshakeRequest};
use super::{deflate, handshake::OpenedSocket};
use crate::net::arrival;
use crate::net::client_connections::ClientConnections;
use crate::net::http::proto::error::NetError;
use crate::net::socket::{MeteredSocket, NetStream, give_buffer, poll_yield, take_buffer};

/// At most this many bytes are written at once.
const MAX_BATCH: usize = 64 * 1024;
/// At most this many bytes of pongs wait to be written; then nothing more is read.
const MAX_REPLIES: usize = 64 * 1024;
/// A list with room for more is not kept for the next messages.
pub(super) const MAX_KEPT: usize = 64;
/// How long a connection may take to write its close frame, and to read the server's.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens a connection and serves it to its end: on the thread that waits for it at `script_thread`, if one does.
pub(super) async fn run(
    connections: Rc<ClientConnections>,
    request: Box<HandshakeRequest>,
    network_end: NetworkEnd,
    script_thread: Option<oneshot::Sender<SocketTask>>,
) {
    let Some(open) = open(&connections, request, None, network_end, Instant::now()).await else { return };
    let here = match script_thread.filter(|_| arrival::is_stamped()) {
        Some(script_thread) => open.hand_over(script_thread),
        None => Some(open),
    };
    if let Some(open) = here {
        open.serve().await;
    }
}

/// Opens a connection, which is dated from `started` on; the script has heard of what came of it.
pub(super) async fn open(
    connections: &ClientConnections,
    request: Box<HandshakeRequest>,
    socket: Option<MeteredSocket>,
    network_end: NetworkEnd,
    started: Instant,
) -> Option<SocketTask> {
    // Boxed, because opening is the smaller part of a connection's life and the larger part of its state.
    let mut opening = Box::pin(handshake::open(connections, &request, socket, started));
    let opened = poll_fn(|cx| match network_end.poll_given_up(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => opening.as_mut().poll(cx).map(Some),
    })
    .await;
    drop(opening);
    drop(request);
    let failed = match opened {
        None => handshake::canceled(started),
        Some(Err(refused)) => refused,
        Some(Ok(OpenedSocket { stream, response, rest, compresses })) => {
            if network_end.open(response.arrived, response) {
                return Some(SocketTask(Pump::new(network_end, stream, &rest, compresses).into()));
            }
            // The script gave up while the response was read.
            handshake::canceled(started)
        }
    };
    network_end.push_event(Instant::now(), SocketEvent::Failed(failed));
    None
}

/// An open connection, on the thread that serves it or on its way there.
pub(super) struct SocketTask(pub Box<Pump>);

impl SocketTask {
    /// Leaves it to another thread; it comes back where that has ended.
    fn hand_over(mut self, thread: oneshot::Sender<Self>) -> Option<Self> {
        // What is lost on the way fails where it is attached.
        _ = self.0.stream.detach();
        let mut open = thread.send(self).err()?;
        _ = open.0.stream.attach();
        Some(open)
    }

    /// Takes it to this thread from another one; `None` where it was lost on the way.
    pub fn attach(mut self) -> Option<Box<Pump>> {
        match self.0.stream.attach() {
            Ok(()) => Some(self.0),
            Err(error) => {
                self.0.could_not_move(&error);
                None
            }
        }
    }

    /// Serves it to its end.
    async fn serve(mut self) {
        poll_fn(|cx| self.0.poll(cx, false)).await;
    }
}

/// A connection at work.
pub(super) struct Pump {
    network_end: NetworkEnd,
    stream: NetStream,
    parser: FrameParser,
    compresses: bool,
    /// What is being written, and how much of it is.
    out: Vec<u8>,
    at: usize,
    /// Written to the stream, but TLS may still hold it back.
    needs_flush: bool,
    /// The lengths of the script's messages in `out` that came through the channel.
    batch: Vec<usize>,
    /// Frames of what the script has sent [past the channel](Self::send_text), and the lengths of the messages.
    framed: Vec<u8>,
    framed_batch: Vec<usize>,
    /// What it has sent [so](Self::send) after them.
    said: VecDeque<OutgoingMessage>,
    /// The lengths of such messages in `out`.
    said_batch: Vec<usize>,
    /// Such messages that were written.
    pub written: Vec<WrittenMessage>,
    /// Pings in `out`, and those that were sent: their numbers, and when.
    pings: Vec<(u64, Option<Instant>)>,
    /// Pongs and close frames of ours, which go before the script's messages.
    replies: Vec<u8>,
    has_sent_close: bool,
    /// Why nothing can be written any more.
    write_error: Option<String>,
    /// Why nothing is read any more.
    outcome: Option<CloseOutcome>,
    /// When the connection was lost, if no byte that arrived ended it.
    lost: Option<Instant>,
    /// The script was sent the last event.
    is_reported: bool,
    /// Runs once the connection only waits for close frames.
    close_timer: Option<Pin<Box<Sleep>>>,
}

impl Pump {
    /// `rest` is what arrived after the response.
    fn new(network_end: NetworkEnd, stream: NetStream, rest: &[u8], compresses: bool) -> Self {
        let mut pump = Self {
            network_end,
            stream,
            parser: FrameParser::new(compresses),
            compresses,
            out: Vec::new(),
            at: 0,
            needs_flush: false,
            batch: Vec::new(),
            framed: Vec::new(),
            framed_batch: Vec::new(),
            said: VecDeque::new(),
            said_batch: Vec::new(),
            written: Vec::new(),
            pings: Vec::new(),
            replies: Vec::new(),
            has_sent_close: false,
            write_error: None,
            outcome: None,
            lost: None,
            is_reported: false,
            close_timer: None,
        };
        let arrived = pump.stream.socket().arrived;
        let Self { parser, network_end, pings, replies, outcome, .. } = &mut pump;
        let result =
            parser.push(rest, &mut |message| handle_message(network_end, pings, replies, outcome, message, arrived));
        pump.handle_result(result);
        pump
    }

    /// Does what can be done, or, where the script, which has taken all events, awaits another, what can be done until there
    /// [is one](Self::take_awaited); ready when the connection is over.
    pub fn poll(&mut self, cx: &mut Context<'_>, is_awaited: bool) -> Poll<()> {
        match is_awaited {
            // Who waits for an event polls again, whatever the script has done meanwhile.
            true => self.network_end.ask(),
            false => self.network_end.register(cx.waker()),
        }
        loop {
            if self.outcome.is_some() {
                self.report_outcome();
            }
            let wrote = self.poll_write(cx).is_ready();
            if self.is_over(wrote, cx) {
                // It does not matter whether the `close_notify` of TLS gets through.
                _ = Pin::new(&mut self.stream).poll_shutdown(cx);
                return Poll::Ready(());
            }
            let is_behind = self.replies.len() >= MAX_REPLIES;
            let takes = self.outcome.is_none() && !is_behind && self.network_end.has_room();
            let decodes = takes && self.parser.is_busy();
            if decodes {
                self.decode_more();
                // After the other connections of this thread.
                _ = poll_yield(cx);
            }
            let read = takes && !decodes && self.poll_read(cx).is_ready();
            // What is owed to the server does not wait for the script.
            let owes_nothing = self.outcome.is_none() && self.replies.is_empty();
            if !read || is_awaited && owes_nothing && self.network_end.has_given() {
                return Poll::Pending;
            }
        }
    }

    /// Sends a message of the script, which serves the connection, without locking the channel; `Err` with it where it has to take
    /// its place there.
    pub fn send(&mut self, message: OutgoingMessage) -> Result<(), OutgoingMessage> {
        if matches!(message, OutgoingMessage::Close(..)) || self.network_end.has_outgoing() {
            return Err(message);
        }
        if self.write_error.is_none() {
            self.said.push_back(message);
        }
        Ok(())
    }

    /// As [`Self::send`], of a text that is put into a frame at once; false where it is to go the other way.
    pub fn send_text(&mut self, text: &str) -> bool {
        let is_last = self.said.is_empty() && !self.network_end.has_outgoing();
        if !is_last || self.compresses || self.framed.len().saturating_add(text.len()) >= MAX_BATCH {
            return false;
        }
        if self.write_error.is_none() && !self.has_sent_close {
            if self.framed.capacity() == 0 {
                self.framed = take_buffer();
            }
            frame::write(&mut self.framed, opcode::TEXT, false, text.as_bytes());
            self.framed_batch.push(text.len());
        }
        true
    }

    /// The event that the script has awaited, once it has come.
    pub fn take_awaited(&self) -> Option<TimedEvent> {
        self.network_end.given()
    }

    /// The system refused to let another thread have it.
    fn could_not_move(&mut self, error: &io::Error) {
        self.connection_lost(CloseOutcome::failed(error.to_string()));
        self.has_sent_close = true;
        self.report_outcome();
    }

    /// Sends the script the last event, once.
    fn report_outcome(&mut self) {
        let Some(outcome) = self.outcome.as_mut().filter(|_| !self.is_reported) else { return };
        self.is_reported = true;
        outcome.write_error = self.write_error.clone();
        if let Some(code) = outcome.code.filter(|code| *code != close::ABNORMAL)
            && !self.has_sent_close
        {
            frame::write(&mut self.replies, opcode::CLOSE, false, &close::payload(code, ""));
        }
        self.has_sent_close = true;
        let at = self.lost.unwrap_or(self.stream.socket().arrived);
        self.network_end.push_event(at, SocketEvent::Closed(Box::new(outcome.clone())));
    }

    /// True when nothing is left to do, or the close timer has run out.
    fn is_over(&mut self, is_flushed: bool, cx: &mut Context<'_>) -> bool {
        let is_detached = self.network_end.is_detached();
        if self.outcome.is_none() && !is_detached {
            return false;
        }
        // After our close frame, the server's is waited for.
        if is_flushed && (self.outcome.is_some() || self.write_error.is_some()) {
            return true;
        }
        let close_timer = self.close_timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(CLOSE_TIMEOUT)));
        close_timer.as_mut().poll(cx).is_ready()
    }

    // Reading ----------------------------------------------------------------------------------------------------

    /// Reads once.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { stream, parser, network_end, pings, replies, outcome, .. } = self;
        let read = ready!(stream.poll_take(cx, |bytes, arrived| {
            let mut handle = |message| handle_message(network_end, pings, replies, outcome, message, arrived);
            (bytes.len(), parser.push(bytes, &mut handle))
        }));
        match read {
            Ok((0, _)) => self.connection_lost(CloseOutcome::closed(close::ABNORMAL, "unexpected EOF")),
            Ok((_, result)) => self.handle_result(result),
            Err(error) => self.connection_lost(CloseOutcome::failed(self.error_text("read", &error))),
        }
        Poll::Ready(())
    }

    /// The connection has ended, and no byte that arrived said so.
    fn connection_lost(&mut self, outcome: CloseOutcome) {
        (self.outcome, self.lost) = (Some(outcome), Some(Instant::now()));
    }

    /// Goes on decoding what was read.
    fn decode_more(&mut self) {
        let arrived = self.stream.socket().arrived;
        let Self { parser, network_end, pings, replies, outcome, .. } = self;
        let result =
            parser.advance(&mut |message| handle_message(network_end, pings, replies, outcome, message, arrived));
        self.handle_result(result);
    }

    /// After a violation of the protocol: sends a close frame and reads no more.
    fn handle_result(&mut self, result: Result<(), ProtocolError>) {
        let Err(violation) = result else { return };
        if !self.has_sent_close {
            let mut payload = close::payload(violation.code, &violation.reason);
            payload.truncate(125);
            frame::write(&mut self.replies, opcode::CLOSE, false, &payload);
            self.has_sent_close = true;
        }
        self.outcome = Some(CloseOutcome::failed(violation.text));
    }

    // Writing ----------------------------------------------------------------------------------------------------

    /// Writes what there is; ready when that is all.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.write_error.is_some() || !self.needs_flush && !self.fill_out() {
                return Poll::Ready(());
            }
            if let Err(error) = ready!(self.poll_flush(cx)) {
                self.write_error = Some(self.error_text("write", &error));
                self.network_end.stop_writing();
                (self.framed, self.framed_batch) = (Vec::new(), Vec::new());
                (self.said, self.said_batch) = (VecDeque::new(), Vec::new());
                self.free();
                return Poll::Ready(());
            }
            let now = Instant::now();
            for (_, sent) in self.pings.iter_mut().filter(|(_, sent)| sent.is_none()) {
                *sent = Some(now);
            }
            self.written.extend(self.said_batch.drain(..).map(|bytes| WrittenMessage { at: now, bytes }));
            // Locks the channel only where something came through it.
            let is_channel_empty = match self.batch.is_empty() {
                true => !self.network_end.has_outgoing(),
                false => self.network_end.wrote(&mut self.batch, now),
            };
            let is_all = is_channel_empty && self.said.is_empty() && self.framed.is_empty();
            self.free();
            if is_all && self.replies.is_empty() {
                return Poll::Ready(());
            }
        }
    }

    /// Writes the whole buffer, through TLS where there is some.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.at < self.out.len() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out[self.at..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.at += count,
            }
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.needs_flush = false;
        Poll::Ready(Ok(()))
    }

    fn free(&mut self) {
        self.at = 0;
        give_buffer(std::mem::take(&mut self.out));
        for batch in [&mut self.batch, &mut self.said_batch, &mut self.framed_batch] {
            if batch.capacity() > MAX_KEPT {
                *batch = Vec::new();
            }
        }
        if self.said.is_empty() && self.said.capacity() > MAX_KEPT {
            self.said = VecDeque::new();
        }
    }

    /// Frames what is to be sent; false when there is nothing.
    fn fill_out(&mut self) -> bool {
        if self.has_sent_close {
            // Nothing follows a close frame.
            self.framed.clear();
            self.framed_batch.clear();
        }
        let mut following = self.next_said();
        if following.is_none() && self.replies.is_empty() && self.framed.is_empty() {
            return false;
        }
        let mut out = std::mem::take(&mut self.framed);
        self.said_batch.append(&mut self.framed_batch);
        if !self.replies.is_empty() {
            let framed = std::mem::replace(&mut out, take_buffer());
            out.append(&mut self.replies);
            self.replies = Vec::new();
            out.extend_from_slice(&framed);
            give_buffer(framed);
        } else if out.capacity() == 0 {
            out = take_buffer();
        }
        while let Some(message) = following {
            match message {
                OutgoingMessage::Text(text) => self.write_data(&mut out, opcode::TEXT, text.as_bytes()),
                OutgoingMessage::Binary(bytes) => self.write_data(&mut out, opcode::BINARY, &bytes),
                OutgoingMessage::Ping(number) => {
                    self.pings.push((number, None));
                    frame::write(&mut out, opcode::PING, false, number.to_string().as_bytes());
                }
                OutgoingMessage::Close(code, reason) => {
                    self.has_sent_close = true;
                    frame::write(&mut out, opcode::CLOSE, false, &close::payload(code, &reason));
                }
            }
            following = if out.len() < MAX_BATCH { self.next_said() } else { None };
        }
        self.out = out;
        self.needs_flush = true;
        true
    }

    /// The next message of the script, which counts as one of those that are being written. What is in the channel came later.
    fn next_said(&mut self) -> Option<OutgoingMessage> {
        if self.has_sent_close {
            return None;
        }
        if let Some(message) = self.said.pop_front() {
            self.said_batch.push(message.len());
            return Some(message);
        }
        let message = self.network_end.next_outgoing()?;
        self.batch.push(message.len());
        Some(message)
    }

    fn write_data(&self, out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
        match self.compresses {
            true => frame::write(out, opcode, true, &deflate::compress(payload)),
            false => frame::write(out, opcode, false, payload),
        }
    }

    fn error_text(&self, operation: &str, error: &io::Error) -> String {
        let socket = self.stream.socket();
        NetError::socket(operation, socket.local, socket.remote, error).cause().to_owned()
    }
}

/// Does what a message asks for, and queues it for the script.
fn handle_message(
    network_end: &NetworkEnd,
    pings: &mut Vec<(u64, Option<Instant>)>,
    replies: &mut Vec<u8>,
    outcome: &mut Option<CloseOutcome>,
    message: Message,
    arrived: Instant,
) {
    network_end.push_event(
        arrived,
        match message {
            Message::Text(text) => SocketEvent::Text(text),
            Message::Binary(bytes) => SocketEvent::Binary(bytes),
            Message::Ping(payload) => {
                frame::write(replies, opcode::PONG, false, &payload);
                SocketEvent::Ping
            }
            Message::Pong(payload) => SocketEvent::Pong(answered(pings, &payload, arrived)),
            Message::Close(code, reason) => {
                *outcome = Some(CloseOutcome::closed(code, reason));
                return;
            }
        },
    );
}

/// How long one of our pings took to be answered.
fn answered(pings: &mut Vec<(u64, Option<Instant>)>, payload: &[u8], arrived: Instant) -> Option<Duration> {
    let number: u64 = std::str::from_utf8(payload).ok()?.parse().ok()?;
    let at = pings.iter().position(|(known, _)| *known == number)?;
    let (_, sent) = pings.remove(at);
    if pings.is_empty() {
        *pings = Vec::new();
    }
    // A server may be faster than the system call that sent the ping.
    Some(sent.map_or(Duration::ZERO, |sent| arrived.saturating_duration_since(sent)))
}
