//! The channel between a script and its WebSocket connection: messages out, events in, both in order.
//!
//! Each side looks when it has time. Events are bounded: while a script does not take them, the connection stops reading, and
//! so the server has to stop sending. An idle channel holds no large buffer.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use super::close::CloseOutcome;
use super::handshake::{HandshakeError, HandshakeResponse};
use crate::units::sync::lock;

/// What holds no more is kept by an idle channel for the next message.
const MAX_KEPT: usize = 4;
/// At most this many events wait for the script; reading then pauses.
const MAX_EVENTS: usize = 256;
/// At most this many bytes of messages wait for the script; reading then pauses.
const MAX_EVENT_BYTES: usize = 1 << 20;
/// A script that sends faster than the connection writes is at most this many bytes ahead.
const MAX_UNWRITTEN: usize = 1 << 20;

/// What a script sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutgoingMessage {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
    /// A ping with this number as its payload.
    Ping(u64),
    /// A close frame with a code and a reason.
    Close(u16, String),
}

impl OutgoingMessage {
    /// The length of what the script gave.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Ping(_) | Self::Close(..) => 0,
        }
    }
}

/// What happens on a connection.
#[derive(Debug)]
pub enum SocketEvent {
    /// The connection is open.
    Open(Box<HandshakeResponse>),
    /// It could not be opened. The last event.
    Failed(Box<HandshakeError>),
    /// A text, maybe no UTF-8.
    Text(Vec<u8>),
    /// Bytes.
    Binary(Vec<u8>),
    /// The server sent a ping, and was sent a pong.
    Ping,
    /// The server sent a pong; how long after our ping, if it was for one of ours.
    Pong(Option<Duration>),
    /// The connection has ended. The last event.
    Closed(Box<CloseOutcome>),
}

impl SocketEvent {
    fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

/// An event and when it happened, by the network thread's clock.
#[derive(Debug)]
pub struct TimedEvent {
    /// When.
    pub at: Instant,
    /// What.
    pub event: SocketEvent,
}

/// A message that was handed to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenMessage {
    /// When.
    pub at: Instant,
    /// The length of what the script gave.
    pub bytes: usize,
}

/// One channel between a script and a connection.
#[derive(Debug, Default)]
pub struct SocketChannel {
    state: Mutex<ChannelState>,
    /// What both sides ask more often than it changes; it changes while the state is locked.
    glance: Glance,
    /// Wakes the connection.
    network: AtomicWaker,
    /// Wakes the script.
    script: AtomicWaker,
}

/// Parts of the state that are read without locking it. Whoever waits for one to change registers its waker before it reads; whoever
/// changes one wakes afterwards.
#[derive(Debug, Default)]
struct Glance {
    /// A message waits to be written.
    has_outgoing: AtomicBool,
    /// An event waits for the script.
    has_event: AtomicBool,
    /// No more events are taken for now.
    is_full: AtomicBool,
    /// Something was written that was not counted yet.
    has_written: AtomicBool,
    /// As in the state.
    is_detached: AtomicBool,
    /// As in the state.
    is_ended: AtomicBool,
}

#[derive(Debug, Default)]
struct ChannelState {
    outgoing: VecDeque<OutgoingMessage>,
    /// Bytes the script gave that are not written yet.
    unwritten: usize,
    written: Vec<WrittenMessage>,
    incoming: VecDeque<TimedEvent>,
    incoming_bytes: usize,
    /// The script sent a close frame; nothing follows it.
    has_closed: bool,
    /// The script waits until something is written.
    waits_for_writing: bool,
    /// The script takes no more events.
    is_detached: bool,
    /// The connection was established.
    is_open: bool,
    /// The script doesn't want the connection any more, and it was not open yet.
    is_given_up: bool,
    /// Everything the script sent is written, or never will be.
    is_flushed: bool,
    /// The connection has ended.
    is_ended: bool,
}

impl SocketChannel {
    fn state(&self) -> MutexGuard<'_, ChannelState> {
        lock(&self.state)
    }

    /// Shows what has become of the state.
    fn show(&self, state: &ChannelState) {
        self.glance.has_outgoing.store(!state.outgoing.is_empty(), Release);
        self.glance.has_event.store(!state.incoming.is_empty(), Release);
        self.glance.is_full.store(state.is_full(), Release);
        self.glance.has_written.store(!state.written.is_empty(), Release);
        self.glance.is_detached.store(state.is_detached, Release);
        self.glance.is_ended.store(state.is_ended, Release);
    }

    // The script's end -------------------------------------------------------------------------------------------

    /// Sends a message; dropped after a close frame, or once the connection has ended.
    pub fn send(&self, outgoing: OutgoingMessage) {
        let mut state = self.state();
        if state.has_closed || state.is_ended {
            return;
        }
        state.has_closed = matches!(outgoing, OutgoingMessage::Close(..));
        state.unwritten += outgoing.len();
        state.is_flushed = false;
        state.outgoing.push_back(outgoing);
        self.show(&state);
        drop(state);
        self.network.wake();
    }

    /// True when so much waits to be written that the script should wait too.
    pub fn is_full(&self) -> bool {
        let state = self.state();
        state.unwritten > MAX_UNWRITTEN && !state.is_ended
    }

    /// Resolves when there is room for more.
    pub async fn room(self: Arc<Self>) {
        self.until(|state| state.unwritten <= MAX_UNWRITTEN || state.is_ended).await;
    }

    /// The next event, if there is one.
    pub fn try_next(&self) -> Option<TimedEvent> {
        if !self.glance.has_event.load(Acquire) && !self.glance.is_ended.load(Acquire) {
            return None;
        }
        let mut state = self.state();
        let was_full = state.is_full();
        let Some(next) = state.incoming.pop_front() else {
            // The network thread has ended without a last event: the run is over.
            let gone = || SocketEvent::Closed(Box::new(CloseOutcome::failed("context canceled")));
            return state.is_ended.then(|| TimedEvent { at: Instant::now(), event: gone() });
        };
        state.incoming_bytes -= next.event.len();
        if state.incoming.is_empty() && state.incoming.capacity() > MAX_KEPT {
            state.incoming = VecDeque::new();
        }
        let wakes = was_full && !state.is_full();
        self.show(&state);
        drop(state);
        if wakes {
            self.network.wake();
        }
        Some(next)
    }

    /// Waits for the next event.
    pub async fn next(self: Arc<Self>) -> TimedEvent {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next event, once there is one.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<TimedEvent> {
        self.script.register(cx.waker());
        self.try_next().map_or(Poll::Pending, Poll::Ready)
    }

    /// Wakes nobody any more, neither for an event nor for what the script does: it looks itself, and serves the connection.
    pub fn wake_nobody(&self) {
        drop(self.script.take());
        drop(self.network.take());
    }

    /// Puts what was written since the last call into `written`, which is empty.
    pub fn take_written(&self, written: &mut Vec<WrittenMessage>) {
        if self.glance.has_written.load(Acquire) {
            let mut state = self.state();
            std::mem::swap(&mut state.written, written);
            self.show(&state);
        }
    }

    /// Sends a close frame unless one was sent, and takes no more events. A connection that is not open yet is given up.
    pub fn detach(&self, code: u16) {
        self.send(OutgoingMessage::Close(code, String::new()));
        let mut state = self.state();
        state.is_detached = true;
        self.show(&state);
        drop(state);
        self.network.wake();
    }

    /// Gives up a connection that is not open yet; one that is open is sent a close frame.
    pub fn give_up(&self, code: u16, reason: String) {
        let mut state = self.state();
        if state.is_open {
            drop(state);
            return self.send(OutgoingMessage::Close(code, reason));
        }
        state.is_given_up = true;
        drop(state);
        self.network.wake();
    }

    /// Resolves when everything that was sent is written, or can't be.
    pub async fn flushed(self: Arc<Self>) {
        self.until(|state| state.is_flushed || state.is_ended).await;
    }

    /// Resolves when the connection has ended.
    pub async fn ended(self: Arc<Self>) {
        self.until(|state| state.is_ended).await;
    }

    async fn until(&self, holds: impl Fn(&ChannelState) -> bool) {
        poll_fn(|cx| {
            self.script.register(cx.waker());
            let mut state = self.state();
            state.waits_for_writing = !holds(&state);
            if state.waits_for_writing { Poll::Pending } else { Poll::Ready(()) }
        })
        .await
    }
}

impl ChannelState {
    fn is_full(&self) -> bool {
        self.incoming.len() >= MAX_EVENTS || self.incoming_bytes >= MAX_EVENT_BYTES
    }
}

/// The connection's end of a channel. Dropping it tells the script that the connection has ended.
pub struct NetworkEnd {
    channel: Arc<SocketChannel>,
    /// The script serves the connection itself, and asks for the next event.
    is_asked: Cell<bool>,
    /// The event it is given at once.
    given: Cell<Option<TimedEvent>>,
}

impl NetworkEnd {
    /// The connection's end of that channel.
    pub fn new(channel: Arc<SocketChannel>) -> Self {
        Self { channel, is_asked: Cell::new(false), given: Cell::new(None) }
    }

    /// The script has taken all events, and asks for the next.
    pub fn ask(&self) {
        self.is_asked.set(true);
    }

    /// The one that has come since; the script does not ask any more.
    pub fn given(&self) -> Option<TimedEvent> {
        self.is_asked.set(false);
        self.given.take()
    }

    /// Registers the task to wake when the script has sent something, made room, or detached.
    pub fn register(&self, waker: &Waker) {
        self.channel.network.register(waker);
    }

    /// Queues an event for the script, unless it has detached.
    pub fn push_event(&self, at: Instant, event: SocketEvent) {
        if !self.is_detached() && self.is_asked.replace(false) {
            return self.given.set(Some(TimedEvent { at, event }));
        }
        let mut state = self.channel.state();
        if !state.is_detached {
            state.incoming_bytes += event.len();
            state.incoming.push_back(TimedEvent { at, event });
            self.channel.show(&state);
        }
        drop(state);
        self.channel.script.wake();
    }

    /// The connection is established; false where the script has given it up before.
    pub fn open(&self, at: Instant, response: HandshakeResponse) -> bool {
        let mut state = self.channel.state();
        if state.is_given_up {
            return false;
        }
        state.is_open = true;
        drop(state);
        self.push_event(at, SocketEvent::Open(Box::new(response)));
        true
    }

    /// True when the script takes more.
    pub fn has_room(&self) -> bool {
        !self.channel.glance.is_full.load(Acquire) || self.is_detached()
    }

    /// True when a message of the script waits here.
    pub fn has_outgoing(&self) -> bool {
        self.channel.glance.has_outgoing.load(Acquire)
    }

    /// The next message of the script.
    pub fn next_outgoing(&self) -> Option<OutgoingMessage> {
        if !self.has_outgoing() {
            return None;
        }
        let mut state = self.channel.state();
        let message = state.outgoing.pop_front();
        if state.outgoing.is_empty() && state.outgoing.capacity() > MAX_KEPT {
            state.outgoing = VecDeque::new();
        }
        self.channel.show(&state);
        message
    }

    /// Everything that was taken so far is written: messages of these lengths. True when nothing else waits to be.
    pub fn wrote(&self, messages: &mut Vec<usize>, at: Instant) -> bool {
        let mut state = self.channel.state();
        state.unwritten = state.unwritten.saturating_sub(messages.iter().sum());
        state.written.extend(messages.drain(..).map(|bytes| WrittenMessage { at, bytes }));
        state.is_flushed = state.outgoing.is_empty();
        // A script that waits for events is not woken for this.
        let (wakes, is_all) = (state.waits_for_writing, state.is_flushed);
        self.channel.show(&state);
        drop(state);
        if wakes {
            self.channel.script.wake();
        }
        is_all
    }

    /// True once the script has been given what it asked for.
    pub fn has_given(&self) -> bool {
        !self.is_asked.get()
    }

    /// Nothing can be written any more.
    pub fn stop_writing(&self) {
        let mut state = self.channel.state();
        state.outgoing = VecDeque::new();
        (state.unwritten, state.is_flushed, state.has_closed) = (0, true, true);
        self.channel.show(&state);
        drop(state);
        self.channel.script.wake();
    }

    /// True when the script takes no more events.
    pub fn is_detached(&self) -> bool {
        self.channel.glance.is_detached.load(Acquire)
    }

    /// Ready when the script doesn't want the connection, which is not open yet.
    pub fn poll_given_up(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.register(cx.waker());
        let state = self.channel.state();
        if state.is_detached || state.is_given_up { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for NetworkEnd {
    fn drop(&mut self) {
        let mut state = self.channel.state();
        (state.is_ended, state.is_flushed) = (true, true);
        state.outgoing = VecDeque::new();
        self.channel.show(&state);
        drop(state);
        self.channel.script.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::units::waker::tests::Woken;

    #[test]
    fn a_connection_is_woken_once_there_is_room_again() {
        let check = |event: &dyn Fn() -> SocketEvent, count: usize, left: usize| {
            let (network_end, woken) = (NetworkEnd::new(Arc::default()), Arc::new(Woken::default()));
            let channel = network_end.channel.clone();
            (0..count).for_each(|_| network_end.push_event(Instant::now(), event()));
            network_end.register(&woken.clone().into());
            assert!(!network_end.has_room());
            while woken.0.load(Ordering::Relaxed) == 0 && channel.try_next().is_some() {}
            let waiting = channel.state().incoming.len();
            assert_eq!((waiting, network_end.has_room()), (left, true));
        };
        check(&|| SocketEvent::Ping, 300, MAX_EVENTS - 1);
        check(&|| SocketEvent::Binary(vec![0; MAX_EVENT_BYTES / 2]), 3, 1);
    }
}
