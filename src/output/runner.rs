//! The thread of one output: takes batches off the channel, flushes on time, closes in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::Output;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::{Level, Logger};
use crate::metrics::Ledger;
use crate::metrics::output_channel::{self, Batch, DroppedSamples, OutputChannel};

/// How many batches may wait: some half a million records, minutes of a slow disk.
const WAITING: usize = 2048;

/// An output at work.
#[derive(Debug)]
pub struct Running {
    /// What stands on the `output:` line.
    pub description: String,
    /// Whether it writes to standard output.
    pub is_stdout: bool,
    thread: JoinHandle<()>,
    lost: DroppedSamples,
    /// Samples that were not written because of an error.
    missing: Arc<AtomicU64>,
    logger: Logger,
}

/// Starts an output and lets it drink from the ledger.
///
/// # Errors
/// When the output can't start.
pub fn run(mut output: Box<dyn Output>, ledger: &mut Ledger, logger: Logger) -> Result<Running, Failure> {
    output.start()?;
    let (description, is_stdout) = (output.description(), output.is_stdout());
    let missing = Arc::new(AtomicU64::new(0));
    let (tap, batches, lost) = OutputChannel::new(WAITING);
    let (say, name, count) = (logger.clone(), description.clone(), missing.clone());
    let work = move || {
        if let Err(error) = drink(&mut *output, &batches) {
            let fields = vec![("error", error.into()), ("output", name.into())];
            say.log(Level::Error, "could not write the samples, this output ends here", fields);
            count.fetch_add(output.unwritten(), Relaxed);
            // The channel stays open until the end, so that nobody counts samples as lost to slowness.
            batches.iter().for_each(|batch| {
                count.fetch_add(tap::samples(&batch), Relaxed);
            });
        }
    };
    let thread = thread::Builder::new()
        .name("output".to_owned())
        .spawn(work)
        .map_err(|error| Failure::new(ExitCode::Other, format!("could not start the output {description}: {error}")))?;
    ledger.attach(tap);
    Ok(Running { description, is_stdout, thread, lost, missing, logger })
}

impl Running {
    /// Lets the ledger let go of this output alone: it gets what is on its way, then its end.
    pub fn detach(&self, ledger: &mut Ledger) {
        ledger.detach(&self.lost);
    }

    /// Waits until the output has written and closed everything. The ledger must have let go of it before
    /// ([`Running::detach`]).
    pub fn stop(self) {
        if self.thread.join().is_err() {
            self.logger.error(format!("the output {} broke down", self.description));
        }
        let missing = self.missing.load(Relaxed);
        if missing > 0 {
            let text = format!("the output {} ended early, {missing} samples are missing there", self.description);
            self.logger.warn(text);
        }
        let lost = self.lost.samples();
        if lost > 0 {
            self.logger.warn(format!("the output {} was too slow, it lost {lost} samples", self.description));
        }
    }
}

fn drink(output: &mut dyn Output, batches: &Receiver<Batch>) -> Result<(), String> {
    let period = output.period();
    let mut next = Instant::now() + period;
    loop {
        match batches.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(batch) => output.add(&batch)?,
            Err(RecvTimeoutError::Timeout) => (),
            Err(RecvTimeoutError::Disconnected) => return output.stop(),
        }
        if Instant::now() >= next {
            output.flush()?;
            next = Instant::now() + period;
        }
    }
}
