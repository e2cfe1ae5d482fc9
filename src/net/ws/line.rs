//! What a script and a connection have between them: messages out, events in, both in order.
//!
//! Either side looks when it has time. What comes in is bounded: a script that doesn't take its events makes the
//! connection stop reading, and so the server stop sending. An idle line holds no buffer.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use super::close::Farewell;
use super::handshake::{Answer, Refused};

use crate::units::sync::lock;

/// So many events, or bytes of messages, may wait for the script; reading then pauses.
const MOST_EVENTS: usize = 256;
const MOST_BYTES: usize = 1 << 20;
/// A script that waits for its messages to be written may be so many bytes ahead.
const AHEAD: usize = 1 << 20;

/// What a script says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
    /// A ping with this number as its payload.
    Ping(u64),
    /// Goodbye, with a code and a reason.
    Close(u16, String),
}

impl Outgoing {
    /// The length of what the script gave.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Ping(_) | Self::Close(..) => 0,
        }
    }
}

/// What happens.
#[derive(Debug)]
pub enum Event {
    /// The connection is open.
    Open(Box<Answer>),
    /// It did not come about. The last event.
    Failed(Box<Refused>),
    /// A text, maybe no UTF-8.
    Text(Vec<u8>),
    /// Bytes.
    Binary(Vec<u8>),
    /// The server asked whether we are there, and was answered.
    Ping,
    /// The server answered a ping; how long that took, if it was one of ours.
    Pong(Option<Duration>),
    /// It is over. The last event.
    Closed(Box<Farewell>),
}

impl Event {
    fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

/// An event and its moment, taken on the network's thread.
#[derive(Debug)]
pub struct Told {
    /// When.
    pub at: Instant,
    /// What.
    pub event: Event,
}

/// A message that was handed to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// When.
    pub at: Instant,
    /// The length of what the script gave.
    pub bytes: usize,
}

/// One line between a script and a connection.
#[derive(Debug, Default)]
pub struct Line {
    state: Mutex<State>,
    /// Wakes the connection.
    network: AtomicWaker,
    /// Wakes the script.
    script: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    outgoing: VecDeque<Outgoing>,
    /// Bytes the script gave that are not written yet.
    unwritten: usize,
    written: Vec<Written>,
    incoming: VecDeque<Told>,
    incoming_bytes: usize,
    /// The script said goodbye, and nothing after it.
    has_closed: bool,
    /// The script stands still until something is written.
    waits_for_writing: bool,
    /// The script doesn't listen any more.
    is_left: bool,
    /// Everything the script gave is written, or never will be.
    is_flushed: bool,
    /// The connection is gone.
    is_ended: bool,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    // The script's end -------------------------------------------------------------------------------------------

    /// Says something; nothing is heard after a goodbye, or once the connection is gone.
    pub fn say(&self, outgoing: Outgoing) {
        let mut state = self.state();
        if state.has_closed || state.is_ended {
            return;
        }
        state.has_closed = matches!(outgoing, Outgoing::Close(..));
        state.unwritten += outgoing.len();
        state.is_flushed = false;
        state.outgoing.push_back(outgoing);
        drop(state);
        self.network.wake();
    }

    /// True when so much waits to be written that a script should wait too.
    pub fn is_full(&self) -> bool {
        let state = self.state();
        state.unwritten > AHEAD && !state.is_ended
    }

    /// Done when there is room for more.
    pub async fn room(self: Arc<Self>) {
        self.until(|state| state.unwritten <= AHEAD || state.is_ended).await;
    }

    /// The next event, if there is one.
    pub fn take(&self) -> Option<Told> {
        let mut state = self.state();
        let was_full = state.is_full();
        let Some(told) = state.incoming.pop_front() else {
            // Nobody will say how it ended: the run is over.
            let gone = || Event::Closed(Box::new(Farewell::failed("context canceled")));
            return state.is_ended.then(|| Told { at: Instant::now(), event: gone() });
        };
        state.incoming_bytes -= told.event.len();
        if state.incoming.is_empty() {
            // An idle line holds nothing.
            state.incoming = VecDeque::new();
        }
        let wakes = was_full && !state.is_full();
        drop(state);
        if wakes {
            self.network.wake();
        }
        Some(told)
    }

    /// Waits for the next event.
    pub async fn next(self: Arc<Self>) -> Told {
        poll_fn(|cx| {
            self.script.register(cx.waker());
            self.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// What was written since the last call.
    pub fn written(&self) -> Vec<Written> {
        std::mem::take(&mut self.state().written)
    }

    /// Says goodbye unless that is done, and listens no more. A connection that is not open yet never will be.
    pub fn leave(&self, code: u16) {
        self.say(Outgoing::Close(code, String::new()));
        self.state().is_left = true;
        self.network.wake();
    }

    /// Done when everything that was said is written, or can't be.
    pub async fn flushed(self: Arc<Self>) {
        self.until(|state| state.is_flushed || state.is_ended).await;
    }

    /// Done when the connection is gone.
    pub async fn ended(self: Arc<Self>) {
        self.until(|state| state.is_ended).await;
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        poll_fn(|cx| {
            self.script.register(cx.waker());
            let mut state = self.state();
            state.waits_for_writing = !holds(&state);
            if state.waits_for_writing { Poll::Pending } else { Poll::Ready(()) }
        })
        .await
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.incoming.len() >= MOST_EVENTS || self.incoming_bytes >= MOST_BYTES
    }
}

/// The connection's end of a line. When it is dropped, the script learns that the connection is gone.
#[derive(Debug)]
pub struct Far(pub Arc<Line>);

impl Far {
    /// Wakes this waker whenever the script said something, made room, or left.
    pub fn listen(&self, waker: &Waker) {
        self.0.network.register(waker);
    }

    /// Tells the script. Nobody is told after they left.
    pub fn tell(&self, at: Instant, event: Event) {
        let mut state = self.0.state();
        if !state.is_left {
            state.incoming_bytes += event.len();
            state.incoming.push_back(Told { at, event });
        }
        drop(state);
        self.0.script.wake();
    }

    /// True when the script takes more.
    pub fn has_room(&self) -> bool {
        let state = self.0.state();
        state.is_left || !state.is_full()
    }

    /// What the script says next.
    pub fn hear(&self) -> Option<Outgoing> {
        let mut state = self.0.state();
        let said = state.outgoing.pop_front();
        if said.is_some() && state.outgoing.is_empty() {
            state.outgoing = VecDeque::new();
        }
        said
    }

    /// Everything that was heard so far is written: messages of these lengths.
    pub fn wrote(&self, messages: &mut Vec<usize>, at: Instant) {
        let mut state = self.0.state();
        state.unwritten = state.unwritten.saturating_sub(messages.iter().sum());
        state.written.extend(messages.drain(..).map(|bytes| Written { at, bytes }));
        state.is_flushed = state.outgoing.is_empty();
        // Who waits for events is not woken for this.
        let wakes = state.waits_for_writing;
        drop(state);
        if wakes {
            self.0.script.wake();
        }
    }

    /// Nothing can be written any more.
    pub fn deafen(&self) {
        let mut state = self.0.state();
        state.outgoing = VecDeque::new();
        (state.unwritten, state.is_flushed, state.has_closed) = (0, true, true);
        drop(state);
        self.0.script.wake();
    }

    /// True when the script doesn't listen any more.
    pub fn is_left(&self) -> bool {
        self.0.state().is_left
    }

    /// Done when the script doesn't listen any more.
    pub fn poll_left(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.listen(cx.waker());
        if self.is_left() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let mut state = self.0.state();
        (state.is_ended, state.is_flushed) = (true, true);
        state.outgoing = VecDeque::new();
        drop(state);
        self.0.script.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_connection_is_woken_once_there_is_room_again() {
        let check = |event: &dyn Fn() -> Event, count: usize, left: usize| {
            let (far, woken) = (Far(Arc::default()), Arc::new(Woken::default()));
            let line = far.0.clone();
            (0..count).for_each(|_| far.tell(Instant::now(), event()));
            far.listen(&woken.clone().into());
            assert!(!far.has_room());
            while woken.0.load(Ordering::Relaxed) == 0 && line.take().is_some() {}
            let waiting = line.state().incoming.len();
            assert_eq!((waiting, far.has_room()), (left, true));
        };
        check(&|| Event::Ping, 300, MOST_EVENTS - 1);
        check(&|| Event::Binary(vec![0; MOST_BYTES / 2]), 3, 1);
    }
}
