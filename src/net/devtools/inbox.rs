//! What waits for a VU: replies, events, and what was measured, in the order in which it came.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

use super::traffic::TrafficEvent;
use crate::units::sync::lock;

/// Something for a VU.
#[derive(Debug)]
pub enum InboxItem {
    /// The whole message that replies to the command with this number.
    Reply(u64, Vec<u8>),
    /// The whole message of an event that was subscribed to.
    Event(Vec<u8>),
    /// Something to be measured, in this session.
    Traffic(String, Box<TrafficEvent>),
    /// The connection has ended, for this reason. The last item.
    Ended(String),
}

/// What waits for one VU.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<InboxState>);

#[derive(Debug, Default)]
struct InboxState {
    items: VecDeque<InboxItem>,
    waker: Option<Waker>,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, InboxState> {
        lock(&self.0)
    }

    /// Adds something and wakes the VU.
    pub fn push(&self, item: InboxItem) {
        let mut state = self.state();
        state.items.push_back(item);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Wakes the VU, which has something else to see to.
    pub fn wake(&self) {
        let waker = self.state().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The first item; if there is none, `waker` is woken by what comes next.
    pub fn pop_or_register(&self, waker: &Waker) -> Option<InboxItem> {
        let mut state = self.state();
        let item = state.items.pop_front();
        if item.is_none() {
            state.waker = Some(waker.clone());
            // An idle inbox holds no buffer.
            state.items = VecDeque::new();
        }
        item
    }

    /// The first item, if there is one.
    pub fn pop(&self) -> Option<InboxItem> {
        self.state().items.pop_front()
    }
}
