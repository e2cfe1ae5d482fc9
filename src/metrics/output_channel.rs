//! Where an output drinks: raw batches through a channel that never makes a VU wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::record::Record;

/// A batch of records, shared by all outputs.
pub type Batch = Arc<[Record]>;

/// The ledger's end of a channel to one output.
#[derive(Clone, Debug)]
pub struct OutputChannel {
    sender: SyncSender<Batch>,
    lost: Arc<AtomicU64>,
}

/// The samples an output did not get because it was too slow.
#[derive(Clone, Debug)]
pub struct DroppedSamples(Arc<AtomicU64>);

impl DroppedSamples {
    /// How many so far.
    pub fn samples(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl OutputChannel {
    /// A channel that holds so many batches.
    pub fn new(batches: usize) -> (Self, Receiver<Batch>, DroppedSamples) {
        let (sender, receiver) = sync_channel(batches);
        let lost = Arc::new(AtomicU64::new(0));
        (Self { sender, lost: lost.clone() }, receiver, DroppedSamples(lost))
    }

    /// Hands a batch over, or counts it as lost when the output is hopelessly behind.
    pub(super) fn send(&self, batch: &Batch) {
        // An output that is gone has said so itself.
        if let Err(TrySendError::Full(batch)) = self.sender.try_send(batch.clone()) {
            self.lost.fetch_add(samples(&batch), Ordering::Relaxed);
        }
    }

    /// Whether it leads to the output that counts what it lost here.
    pub(super) fn leads_to(&self, lost: &DroppedSamples) -> bool {
        Arc::ptr_eq(&self.lost, &lost.0)
    }
}

/// How many samples there are in a batch.
pub fn samples(batch: &[Record]) -> u64 {
    let mut samples = 0;
    batch.iter().for_each(|record| record.each_sample(|_, _| samples += 1));
    samples
}
