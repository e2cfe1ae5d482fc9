//! The channel from the ledger to one output: batches of raw records, bounded, never blocking a VU.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::record::Record;

/// A batch of records, shared by all outputs.
pub type Batch = Arc<[Record]>;

/// The ledger's end of a channel to one output.
#[derive(Clone, Debug)]
pub struct OutputChannel {
    tx: SyncSender<Batch>,
    dropped: Arc<AtomicU64>,
}

/// Counts the samples that an output did not get because it was too slow.
#[derive(Clone, Debug)]
pub struct DroppedSamples(Arc<AtomicU64>);

impl DroppedSamples {
    /// How many so far.
    pub fn samples(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl OutputChannel {
    /// A channel with room for this many batches.
    pub fn new(batches: usize) -> (Self, Receiver<Batch>, DroppedSamples) {
        let (tx, rx) = sync_channel(batches);
        let dropped = Arc::new(AtomicU64::new(0));
        (Self { tx, dropped: dropped.clone() }, rx, DroppedSamples(dropped))
    }

    /// Sends a batch, or drops and counts it if the channel is full.
    pub(super) fn send(&self, batch: &Batch) {
        // An output that has ended has logged why.
        if let Err(TrySendError::Full(batch)) = self.tx.try_send(batch.clone()) {
            self.dropped.fetch_add(count_samples(&batch), Ordering::Relaxed);
        }
    }

    /// Whether this output counts its dropped samples there.
    pub(super) fn counts_in(&self, dropped: &DroppedSamples) -> bool {
        Arc::ptr_eq(&self.dropped, &dropped.0)
    }
}

/// The number of samples in a batch.
pub fn count_samples(batch: &[Record]) -> u64 {
    let mut samples = 0;
    batch.iter().for_each(|record| record.each_sample(|_, _| samples += 1));
    samples
}
