//! The hops of a request that have ended, wherever it is under way.

use std::sync::Mutex;

use crate::net::http::message::Hop;
use crate::units::sync::lock;

/// The hops of a request that have ended, shared with the script's thread: they are there as soon as they end, also for a
/// caller that stops waiting for the response.
#[derive(Debug, Default)]
pub(super) struct EndedHops(Mutex<Vec<Hop>>);

impl EndedHops {
    /// One more has ended.
    pub fn push(&self, hop: Hop) {
        lock(&self.0).push(hop);
    }

    /// The hops that have ended since the last call.
    pub fn take(&self) -> Vec<Hop> {
        std::mem::take(&mut lock(&self.0))
    }
}
