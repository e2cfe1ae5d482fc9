//! An exchange under way, as a thing that can go on on another thread.

use std::sync::Arc;
use std::time::Instant;

use super::log::ExchangeLog;
use super::prepared::{PreparedRequest, RefusedRequest};
use super::redirect_state::RedirectState;
use crate::net::http::message::{Exchange, Response};
use crate::net::http::proto::error::NetError;
use crate::net::http::timing::HopTimer;

/// An exchange on its way: what it is about and how far it has come. It may go on on another thread.
#[derive(Debug)]
pub struct OpenExchange {
    pub(super) prepared: Arc<PreparedRequest>,
    pub(super) state: RedirectState,
    /// How many redirects may be followed.
    pub(super) left: u32,
    pub(super) log: ExchangeLog,
    pub(super) deadline: Option<Instant>,
    /// It was run, on whichever thread.
    pub(super) is_begun: bool,
}

impl OpenExchange {
    /// Nothing was sent yet; its time runs from now.
    pub fn new(prepared: Arc<PreparedRequest>) -> Self {
        let now = Instant::now();
        let deadline = now.checked_add(prepared.request().timeout);
        Self {
            state: RedirectState::new(prepared.clone()),
            left: prepared.request().max_redirects,
            log: ExchangeLog::new(prepared.clone(), now, deadline),
            prepared,
            deadline,
            is_begun: false,
        }
    }

    /// When its time is up; `None` beyond what the clock can represent.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// It has come to the network thread. If nothing was sent yet, its time runs from now: until here it waited for us.
    pub fn arrive(&mut self) {
        if !self.is_begun {
            let now = Instant::now();
            self.deadline = now.checked_add(self.prepared.request().timeout);
            self.log.hop.progress.timer = HopTimer::start(now, self.deadline);
        }
    }

    /// Its connection, where the rest of a response is on its way with it, is taken from this thread.
    pub fn detach(&mut self) {
        if let Some(unread) = &mut self.log.hop.unread {
            // One that is lost fails where it is attached.
            _ = unread.connection.stream.detach();
        }
    }

    /// What came of a request that can't be sent.
    pub fn refuse(refused: RefusedRequest) -> Box<Exchange> {
        let RefusedRequest { prepared, error } = refused;
        let mut exchange = Self::new(prepared.clone()).finish(Err(error));
        exchange.hops = prepared.take_ended();
        exchange
    }

    /// It is over.
    pub(super) fn finish(self, result: Result<Response, NetError>) -> Box<Exchange> {
        self.log.finish(result)
    }
}
