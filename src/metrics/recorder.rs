//! The notepad of one worker thread: records gather here and go to the ledger in batches.

use std::sync::{Arc, Mutex};

use super::ledger::Ledger;
use super::record::Record;

use crate::units::sync::lock;

/// So many records are handed over at once.
const BATCH: usize = 256;

/// Collects the records of one thread. The worker flushes it about every 50 ms and at the end.
#[derive(Debug)]
pub struct Recorder {
    ledger: Arc<Mutex<Ledger>>,
    waiting: Vec<Record>,
}

impl Recorder {
    /// A recorder for the calling thread.
    pub fn new(ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { ledger, waiting: Vec::with_capacity(BATCH) }
    }

    /// Writes a record down.
    #[inline]
    pub fn push(&mut self, record: Record) {
        self.waiting.push(record);
        if self.waiting.len() >= BATCH {
            self.flush();
        }
    }

    /// Hands over what is waiting.
    pub fn flush(&mut self) {
        if !self.waiting.is_empty() {
            // A thread that panicked while it held the lock can't have left a sink half written in a way that matters.
            lock(&self.ledger).take(&mut self.waiting);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.flush();
    }
}
