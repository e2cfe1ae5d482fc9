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

/// From this size on, in bytes, a body is sent before the interval is over.
const EARLY_PUSH_BYTES: usize = 4 << 20;

/// Encodes records as the payloads of one output.
pub trait PushEncoder: Send {
    /// Whether each payload holds the state since the start, so that a later one replaces a lost one.
    const IS_CUMULATIVE: bool;

    /// Adds a record.
    fn take(&mut self, record: &Record);

    /// The payloads to send now; `is_last` at the end of the run.
    fn encode(&mut self, is_last: bool) -> Vec<PushPayload>;

    /// How many bytes are ready to be sent; 0 if records are only aggregated.
    fn waiting(&self) -> usize {
        0
    }

    /// An earlier payload did not arrive: the next one has to repeat it.
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
    /// Running from the start of the output.
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

    fn push(&mut self, is_last: bool) {
        let Some(sender) = &self.sender else { return };
        if F::IS_CUMULATIVE {
            if sender.is_busy() && !is_last {
                // The next interval sends the same series.
                sender.skip();
                return;
            }
            if sender.take_failed() || sender.is_busy() {
                self.encoder.repeat();
            }
        }
        self.encoder.encode(is_last).into_iter().for_each(|payload| sender.send(payload));
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
        if self.encoder.waiting() >= EARLY_PUSH_BYTES {
            self.push(false);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        self.push(false);
        Ok(())
    }

    fn stop(&mut self) -> Result<(), String> {
        self.push(true);
        if let Some(sender) = self.sender.take() {
            sender.finish();
        }
        Ok(())
    }
}
