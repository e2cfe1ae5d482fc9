//! The shape all outputs over the network share: take records in, pack them on a beat, hand the parcels to a courier.
//!
//! What differs between them is data: a [`PushEncoder`] that makes parcels of records, a [`Transport`] that carries them, and
//! [`PushLimits`] for both. Packing happens on the output's thread, sending on the courier's, so a slow peer holds up
//! neither the VUs nor the taking in of records; what may wait for it is bounded.

pub mod native_histogram;
pub mod sender;
pub mod series;
pub mod sigv4;
pub mod transport;

use std::time::Duration;

pub use sender::{PushLimits, PushPayload, PushSender};
pub use transport::{HttpTransport, Transport, UdpTransport};

use super::Output;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::log::Logger;
use crate::metrics::Record;

/// So many bytes are sent before the beat.
const FULL: usize = 4 << 20;

/// What one output makes of records.
pub trait PushEncoder: Send {
    /// Whether each parcel tells the state since the start, so that a later one makes good for a lost one.
    const IS_CUMULATIVE: bool;

    /// Takes a record in.
    fn take(&mut self, record: &Record);

    /// What there is to send now; `is_last` at the end of the run.
    fn pack(&mut self, is_last: bool) -> Vec<PushPayload>;

    /// How many bytes are there to be sent; 0 for what is only summed up.
    fn waiting(&self) -> usize {
        0
    }

    /// Something sent earlier did not arrive: the next parcel has to tell it again.
    fn repeat(&mut self) {}
}

/// An output that pushes.
pub struct PushOutput<F> {
    description: String,
    period: Duration,
    encoder: F,
    /// Taken when the output starts.
    transport: Option<Transport>,
    limits: PushLimits,
    logger: Logger,
    /// At work from the start of the output.
    sender: Option<PushSender>,
}

impl<F: PushEncoder> PushOutput<F> {
    /// An output with this description: what it makes of records, and how and how often that travels.
    pub fn new(
        description: String,
        period: Duration,
        encoder: F,
        transport: Transport,
        limits: PushLimits,
        logger: &Logger,
    ) -> Self {
        Self { description, period, encoder, transport: Some(transport), limits, logger: logger.clone(), sender: None }
    }

    fn hand_over(&mut self, is_last: bool) {
        let Some(sender) = &self.sender else { return };
        if F::IS_CUMULATIVE {
            if sender.is_busy() && !is_last {
                // The next beat tells this one's news too.
                sender.skip();
                return;
            }
            if sender.has_failed() || sender.is_busy() {
                self.encoder.repeat();
            }
        }
        self.encoder.pack(is_last).into_iter().for_each(|payload| sender.hand(payload));
    }
}

impl<F: PushEncoder> Output for PushOutput<F> {
    fn description(&self) -> String {
        self.description.clone()
    }

    fn period(&self) -> Duration {
        self.period
    }

    fn start(&mut self) -> Result<(), Failure> {
        if let Some(transport) = self.transport.take() {
            let sender =
                PushSender::start(transport, &self.description, self.limits, F::IS_CUMULATIVE, self.logger.clone());
            self.sender = Some(sender.exit(ExitCode::Other)?);
        }
        Ok(())
    }

    fn add(&mut self, batch: &[Record]) -> Result<(), String> {
        batch.iter().for_each(|record| self.encoder.take(record));
        if self.encoder.waiting() >= FULL {
            self.hand_over(false);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        self.hand_over(false);
        Ok(())
    }

    fn stop(&mut self) -> Result<(), String> {
        self.hand_over(true);
        if let Some(sender) = self.sender.take() {
            sender.finish();
        }
        Ok(())
    }
}
