//! The buffer of one worker thread: records are gathered here and go to the ledger in batches.

use std::sync::{Arc, Mutex};

use super::ledger::Ledger;
use super::record::Record;
use crate::units::sync::lock;

/// Records per batch.
const MAX_BATCH: usize = 256;

/// Collects the records of one thread. The worker flushes it about every 50 ms and at the end.
#[derive(Debug)]
pub struct Recorder {
    ledger: Arc<Mutex<Ledger>>,
    waiting: Vec<Record>,
}

impl Recorder {
    /// A recorder for the calling thread.
    pub fn new(ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { ledger, waiting: Vec::with_capacity(MAX_BATCH) }
    }

    /// Adds a record.
    #[inline]
    pub fn push(&mut self, record: Record) {
        self.waiting.push(record);
        if self.waiting.len() >= MAX_BATCH {
            self.flush();
        }
    }

    /// Passes the gathered records to the ledger.
    pub fn flush(&mut self) {
        if !self.waiting.is_empty() {
            // A thread that panicked while holding the lock can't have left a sink in a state that matters.
            lock(&self.ledger).take(&mut self.waiting);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.flush();
    }
}
