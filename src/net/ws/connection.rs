//! One open connection on its network thread: writes what the script says, reads what the server says, answers pings.
//!
//! It keeps no buffer while nothing happens, and doesn't read while the script has more than enough to take.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use smallvec::SmallVec;
use tokio::io::AsyncWrite;
use tokio::time::Sleep;

use super::channel::{NetworkEnd, OutgoingMessage, SocketEvent};
use super::close::{self, CloseOutcome};
use super::frame::{self, FrameParser, Message, ProtocolError, opcode};
use super::handshake::{self, HandshakeRequest};
use super::{deflate, handshake::OpenedSocket};
use crate::net::client_connections::ClientConnections;
use crate::net::http::proto::error::NetError;
use crate::net::socket::{NetStream, give_buffer, poll_yield, take_buffer};

/// So much is written at once, if the script said so much.
const MAX_BATCH: usize = 64 * 1024;
/// So many bytes of answers to pings may wait to be written; then nothing more is read.
const MAX_REPLIES: usize = 64 * 1024;
/// How long an ended connection may take to write its last words, and to hear the server's.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens a connection and serves it to its end.
pub(super) async fn run(connections: Rc<ClientConnections>, ask: Box<HandshakeRequest>, far: NetworkEnd) {
    let started = Instant::now();
    // Boxed, because opening is the smaller part of a connection's life and the larger part of its state.
    let mut opening = Box::pin(handshake::open(&connections, &ask, started));
    let opened = poll_fn(|cx| match far.poll_left(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => opening.as_mut().poll(cx).map(Some),
    })
    .await;
    drop(opening);
    drop(ask);
    match opened {
        None => {}
        Some(Err(refused)) => far.tell(Instant::now(), SocketEvent::Failed(refused)),
        Some(Ok(opened)) => {
            let mut pump = Pump::new(far, opened);
            poll_fn(|cx| pump.poll(cx)).await;
        }
    }
}

/// A connection at work.
struct Pump {
    far: NetworkEnd,
    stream: NetStream,
    parser: FrameParser,
    packs: bool,
    /// What is being written, and how much of it is.
    out: Vec<u8>,
    at: usize,
    /// Written, but maybe still held back by TLS.
    needs_flush: bool,
    /// The lengths of the script's messages in `out`.
    batch: Vec<usize>,
    /// Pings in `out`, then those that were sent: their numbers, and when.
    pings: Vec<(u64, Option<Instant>)>,
    /// Frames of our own that go before the script's.
    replies: Vec<u8>,
    has_sent_close: bool,
    /// Nothing can be written any more, and why.
    mute: Option<String>,
    /// Why nothing is read any more.
    farewell: Option<CloseOutcome>,
    /// When the connection was lost, if no byte told its end.
    lost: Option<Instant>,
    /// The script knows.
    is_told: bool,
    /// When patience ends.
    linger: Option<Pin<Box<Sleep>>>,
}

impl Pump {
    fn new(far: NetworkEnd, opened: OpenedSocket) -> Self {
        let OpenedSocket { stream, answer, rest, packs } = opened;
        far.tell(answer.arrived, SocketEvent::Open(Box::new(answer)));
        let mut pump = Self {
            far,
            stream,
            parser: FrameParser::new(packs),
            packs,
            out: Vec::new(),
            at: 0,
            needs_flush: false,
            batch: Vec::new(),
            pings: Vec::new(),
            replies: Vec::new(),
            has_sent_close: false,
            mute: None,
            farewell: None,
            lost: None,
            is_told: false,
            linger: None,
        };
        // What came behind the answer.
        let arrived = pump.stream.socket().arrived;
        let Self { parser, far, pings, replies, farewell, .. } = &mut pump;
        let judged = parser.push(&rest, &mut |message| heed(far, pings, replies, farewell, message, arrived));
        pump.judge(judged);
        pump
    }

    /// Does what can be done; ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.far.listen(cx.waker());
        loop {
            let is_behind = self.replies.len() >= MAX_REPLIES;
            let takes = self.farewell.is_none() && !is_behind && self.far.has_room();
            let unpacks = takes && self.parser.is_busy();
            if unpacks {
                self.unpack();
            }
            let read = takes && !unpacks && self.poll_read(cx).is_ready();
            if self.farewell.is_some() {
                self.tell();
            }
            let wrote = self.poll_write(cx).is_ready();
            if self.is_over(wrote, cx) {
                // Whether the farewell of TLS gets through is nobody's concern.
                _ = Pin::new(&mut self.stream).poll_shutdown(cx);
                return Poll::Ready(());
            }
            if unpacks {
                // After the other connections of this thread.
                _ = poll_yield(cx);
            }
            if !(read || is_behind && wrote) {
                return Poll::Pending;
            }
        }
    }

    /// Tells the script that it is over, once.
    fn tell(&mut self) {
        let Some(farewell) = self.farewell.as_mut().filter(|_| !self.is_told) else { return };
        self.is_told = true;
        farewell.write_error = self.mute.clone();
        if let Some(code) = farewell.code.filter(|code| *code != close::ABNORMAL)
            && !self.has_sent_close
        {
            frame::write(&mut self.replies, opcode::CLOSE, false, &close::payload(code, ""));
        }
        self.has_sent_close = true;
        let at = self.lost.unwrap_or(self.stream.socket().arrived);
        self.far.tell(at, SocketEvent::Closed(Box::new(farewell.clone())));
    }

    /// True when nothing is left to do, or nobody waits for it any more.
    fn is_over(&mut self, is_flushed: bool, cx: &mut Context<'_>) -> bool {
        let is_left = self.far.is_left();
        if self.farewell.is_none() && !is_left {
            return false;
        }
        // The server's last words are awaited where ours were said.
        if is_flushed && (self.farewell.is_some() || self.mute.is_some()) {
            return true;
        }
        let linger = self.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(CLOSE_TIMEOUT)));
        linger.as_mut().poll(cx).is_ready()
    }

    // Reading ----------------------------------------------------------------------------------------------------

    /// Reads once.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { stream, parser, far, pings, replies, farewell, .. } = self;
        let mut messages = SmallVec::<[Message; 4]>::new();
        let read = ready!(
            stream.poll_take(cx, |bytes| { (bytes.len(), parser.push(bytes, &mut |message| messages.push(message))) })
        );
        let arrived = stream.socket().arrived;
        for message in messages {
            heed(far, pings, replies, farewell, message, arrived);
        }
        match read {
            Ok((0, _)) => self.lose(CloseOutcome::said(close::ABNORMAL, "unexpected EOF")),
            Ok((_, judged)) => self.judge(judged),
            Err(error) => self.lose(CloseOutcome::failed(self.words("read", &error))),
        }
        Poll::Ready(())
    }

    /// The connection is gone, and nothing that arrived said so.
    fn lose(&mut self, farewell: CloseOutcome) {
        (self.farewell, self.lost) = (Some(farewell), Some(Instant::now()));
    }

    /// Makes more of what was read.
    fn unpack(&mut self) {
        let arrived = self.stream.socket().arrived;
        let Self { parser, far, pings, replies, farewell, .. } = self;
        let judged = parser.advance(&mut |message| heed(far, pings, replies, farewell, message, arrived));
        self.judge(judged);
    }

    fn judge(&mut self, judged: Result<(), ProtocolError>) {
        let Err(violation) = judged else { return };
        if !self.has_sent_close {
            let mut payload = close::payload(violation.code, &violation.reason);
            payload.truncate(125);
            frame::write(&mut self.replies, opcode::CLOSE, false, &payload);
            self.has_sent_close = true;
        }
        self.farewell = Some(CloseOutcome::failed(violation.text));
    }

    // Writing ----------------------------------------------------------------------------------------------------

    /// Writes what there is; ready when that is all.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.mute.is_some() {
                return Poll::Ready(());
            }
            if !self.needs_flush && !self.gather() {
                return Poll::Ready(());
            }
            if let Err(error) = ready!(self.poll_flush(cx)) {
                self.mute = Some(self.words("write", &error));
                self.far.deafen();
                self.free();
                return Poll::Ready(());
            }
            let now = Instant::now();
            for (_, sent) in self.pings.iter_mut().filter(|(_, sent)| sent.is_none()) {
                *sent = Some(now);
            }
            self.far.wrote(&mut self.batch, now);
            self.free();
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
        if self.batch.capacity() > 64 {
            self.batch = Vec::new();
        }
    }

    /// Makes frames of what is to be said; false when there is nothing.
    fn gather(&mut self) -> bool {
        let mut out = take_buffer();
        out.append(&mut self.replies);
        self.replies = Vec::new();
        while out.len() < MAX_BATCH && !self.has_sent_close {
            let Some(said) = self.far.hear() else { break };
            self.batch.push(said.len());
            match said {
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
        }
        self.out = out;
        self.needs_flush = !self.out.is_empty();
        if !self.needs_flush {
            self.free();
        }
        self.needs_flush
    }

    fn write_data(&self, out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
        match self.packs {
            true => frame::write(out, opcode, true, &deflate::pack(payload)),
            false => frame::write(out, opcode, false, payload),
        }
    }

    fn words(&self, operation: &str, error: &io::Error) -> String {
        let socket = self.stream.socket();
        NetError::socket(operation, socket.local, socket.remote, error).cause().to_owned()
    }
}

/// Does what a message asks for, and tells the script.
fn heed(
    far: &NetworkEnd,
    pings: &mut Vec<(u64, Option<Instant>)>,
    replies: &mut Vec<u8>,
    farewell: &mut Option<CloseOutcome>,
    message: Message,
    arrived: Instant,
) {
    far.tell(
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
                *farewell = Some(CloseOutcome::said(code, reason));
                return;
            }
        },
    );
}

/// How long it took to answer one of our pings.
fn answered(pings: &mut Vec<(u64, Option<Instant>)>, payload: &[u8], arrived: Instant) -> Option<Duration> {
    let number: u64 = std::str::from_utf8(payload).ok()?.parse().ok()?;
    let at = pings.iter().position(|(known, _)| *known == number)?;
    let (_, sent) = pings.remove(at);
    if pings.is_empty() {
        *pings = Vec::new();
    }
    // A server may be faster than the system call that asked it.
    Some(sent.map_or(Duration::ZERO, |sent| arrived.saturating_duration_since(sent)))
}
