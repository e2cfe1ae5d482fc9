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
use crate::metrics::output_channel::{Batch, DroppedSamples, OutputChannel, count_samples};

/// The most batches in the channel: about half a million records, minutes of a slow disk.
const MAX_WAITING_BATCHES: usize = 2048;

/// A running output.
#[derive(Debug)]
pub struct RunningOutput {
    /// The text of the `output:` line.
    pub description: String,
    /// Whether it writes to standard output.
    pub is_stdout: bool,
    thread: JoinHandle<()>,
    dropped: DroppedSamples,
    /// Samples that were not written because of an error.
    missing: Arc<AtomicU64>,
    logger: Logger,
}

/// Starts an output and connects it to the ledger.
///
/// # Errors
/// When the output can't start.
pub fn run(mut output: Box<dyn Output>, ledger: &mut Ledger, logger: Logger) -> Result<RunningOutput, Failure> {
    output.start()?;
    let (description, is_stdout) = (output.description(), output.is_stdout());
    let missing = Arc::new(AtomicU64::new(0));
    let (channel, batches, dropped) = OutputChannel::new(MAX_WAITING_BATCHES);
    let (log, name, count) = (logger.clone(), description.clone(), missing.clone());
    let work = move || {
        if let Err(error) = write_batches(&mut *output, &batches) {
            let fields = vec![("error", error.into()), ("output", name.into())];
            log.log(Level::Error, "could not write the samples, this output ends here", fields);
            count.fetch_add(output.unwritten(), Relaxed);
            // The channel stays open until the end, so that its samples do not count as dropped for slowness.
            batches.iter().for_each(|batch| {
                count.fetch_add(count_samples(&batch), Relaxed);
            });
        }
    };
    let thread = thread::Builder::new()
        .name("output".to_owned())
        .spawn(work)
        .map_err(|error| Failure::new(ExitCode::Other, format!("could not start the output {description}: {error}")))?;
    ledger.attach(channel);
    Ok(RunningOutput { description, is_stdout, thread, dropped, missing, logger })
}

impl RunningOutput {
    /// Disconnects this output from the ledger: it still gets what is on its way, then its channel ends.
    pub fn detach(&self, ledger: &mut Ledger) {
        ledger.detach(&self.dropped);
    }

    /// Waits until the output has written and closed everything. It must have been disconnected before
    /// ([`RunningOutput::detach`]).
    pub fn stop(self) {
        if self.thread.join().is_err() {
            self.logger.error(format!("the output {} broke down", self.description));
        }
        let missing = self.missing.load(Relaxed);
        if missing > 0 {
            let text = format!("the output {} ended early, {missing} samples are missing there", self.description);
            self.logger.warn(text);
        }
        let dropped = self.dropped.samples();
        if dropped > 0 {
            self.logger.warn(format!("the output {} was too slow, it lost {dropped} samples", self.description));
        }
    }
}

fn write_batches(output: &mut dyn Output, batches: &Receiver<Batch>) -> Result<(), String> {
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
