//! What the event loop of a VU waits for beside its timers: native futures, and sources of events.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::js::engine::direct::EventSource;
use crate::js::value::{Pending, Throw, Value};

/// So many sources are asked whenever the VU is woken, which costs nothing but the asking. Of more, those are that have something.
const MAX_ASKED: usize = 2;

/// Native futures and sources of events, each by the number the engine knows it by.
#[derive(Default)]
pub struct PendingEvents {
    futures: RefCell<FuturesUnordered<Promised>>,
    /// What futures added while they were asked.
    added: RefCell<Vec<Promised>>,
    /// The one that has waited longest for its turn comes first.
    sources: RefCell<Vec<(u32, Rc<dyn EventSource>)>>,
    /// Whether futures are asked before sources, which changes: neither keeps the other waiting.
    futures_first: Cell<bool>,
}

/// What a number came to.
pub type Settled = (u32, Result<Value, Throw>);

impl PendingEvents {
    /// Waits for a future.
    pub fn add(&self, number: u32, future: Pending) {
        let promised = Promised { number, future };
        match self.futures.try_borrow() {
            Ok(futures) => futures.push(promised),
            Err(_) => self.added.borrow_mut().push(promised),
        }
    }

    /// Waits for the next event of a source.
    pub fn add_source(&self, number: u32, source: Rc<dyn EventSource>) {
        let mut sources = self.sources.borrow_mut();
        if sources.len() < MAX_ASKED {
            return sources.push((number, source));
        }
        drop(sources);
        self.add(number, Box::pin(NextEvent(source)));
    }

    /// How many are waited for.
    pub fn len(&self) -> usize {
        self.futures.borrow().len() + self.sources.borrow().len()
    }

    /// True when nothing is waited for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next that comes to something; `None` when there is nothing to wait for.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Settled>> {
        let futures_first = self.futures_first.replace(!self.futures_first.get());
        if futures_first && let Poll::Ready(Some(settled)) = self.poll_futures(cx) {
            return Poll::Ready(Some(settled));
        }
        let mut sources = self.sources.borrow_mut();
        for at in 0..sources.len() {
            if sources[at].1.poll_next(cx, true).is_ready() {
                // Of two at most, what is left stays in order.
                let (number, _) = sources.swap_remove(at);
                return Poll::Ready(Some((number, Ok(Value::Undefined))));
            }
        }
        let waits = !sources.is_empty();
        drop(sources);
        match if futures_first { Poll::Pending } else { self.poll_futures(cx) } {
            Poll::Ready(None) if waits => Poll::Pending,
            Poll::Pending if futures_first && self.is_empty() => Poll::Ready(None),
            next => next,
        }
    }

    fn poll_futures(&self, cx: &mut Context<'_>) -> Poll<Option<Settled>> {
        let mut futures = self.futures.borrow_mut();
        if futures.is_empty() {
            return Poll::Ready(None);
        }
        loop {
            let next = futures.poll_next_unpin(cx);
            let added = self.added.take();
            let is_done = added.is_empty() || next.is_ready();
            added.into_iter().for_each(|promised| futures.push(promised));
            if is_done {
                return next;
            }
        }
    }

    /// Waits for nothing any more. Futures that are dropped write down what had come of them: nothing is borrowed meanwhile.
    pub fn clear(&self) {
        let futures = std::mem::take(&mut *self.futures.borrow_mut());
        drop(futures);
        drop(self.added.take());
        self.sources.take().into_iter().for_each(|(_, source)| source.stop_waiting());
    }
}

/// What is waited for: its number, and what becomes of it.
struct Promised {
    number: u32,
    future: Pending,
}

impl Future for Promised {
    type Output = Settled;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.future.as_mut().poll(cx).map(|result| (self.number, result))
    }
}

/// The next event of a source.
struct NextEvent(Rc<dyn EventSource>);

impl Future for NextEvent {
    type Output = Result<Value, Throw>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.0.poll_next(cx, false));
        Poll::Ready(Ok(Value::Undefined))
    }
}

impl Drop for NextEvent {
    fn drop(&mut self) {
        self.0.stop_waiting();
    }
}
