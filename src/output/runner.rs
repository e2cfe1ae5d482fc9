//! The thread of one output: takes batches off the channel, flushes on time, closes in order.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::Output;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::{Level, Logger};
use crate::metrics::Ledger;
use crate::metrics::tap::{Batch, Lost, Tap};

/// How many batches may wait: some half a million records, minutes of a slow disk.
const WAITING: usize = 2048;

/// An output at work.
#[derive(Debug)]
pub struct Running {
    /// What stands on the `output:` line.
    pub description: String,
    thread: JoinHandle<()>,
    lost: Lost,
    logger: Logger,
}

/// Starts an output and lets it drink from the ledger.
///
/// # Errors
/// When the output can't start.
pub fn run(mut output: Box<dyn Output>, ledger: &mut Ledger, logger: Logger) -> Result<Running, Failure> {
    output.start()?;
    let description = output.description();
    let (tap, batches, lost) = Tap::new(WAITING);
    let (say, name) = (logger.clone(), description.clone());
    let work = move || {
        if let Err(error) = drink(&mut *output, &batches) {
            let fields = vec![("error", error.into()), ("output", name.into())];
            say.log(Level::Error, "could not write the samples, this output ends here", fields);
            // The channel stays open until the end, so that nobody counts samples as lost to slowness.
            batches.iter().for_each(drop);
        }
    };
    let thread = thread::Builder::new()
        .name("output".to_owned())
        .spawn(work)
        .map_err(|error| Failure::new(ExitCode::Other, format!("could not start the output {description}: {error}")))?;
    ledger.attach(tap);
    Ok(Running { description, thread, lost, logger })
}

impl Running {
    /// Waits until the output has written and closed everything. The ledger must have let go of it before
    /// ([`Ledger::detach_all`]).
    pub fn stop(self) {
        if self.thread.join().is_err() {
            self.logger.error(format!("the output {} broke down", self.description));
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
