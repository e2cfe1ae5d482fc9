//! The shape all outputs over the network share: take records in, pack them on a beat, hand the parcels to a courier.
//!
//! What differs between them is data: a [`Format`] that makes parcels of records, a [`Wire`] that carries them, and
//! [`Rules`] for both. Packing happens on the output's thread, sending on the courier's, so a slow peer holds up
//! neither the VUs nor the taking in of records; what may wait for it is bounded.

pub mod courier;
pub mod native;
pub mod series;
pub mod sigv4;
pub mod wire;

use std::time::Duration;

pub use courier::{Courier, Parcel, Rules};
pub use wire::{HttpWire, UdpWire, Wire};

use super::Output;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::log::Logger;
use crate::metrics::Record;

/// So many bytes are sent before the beat.
const FULL: usize = 4 << 20;

/// What one output makes of records.
pub trait Format: Send {
    /// Whether each parcel tells the state since the start, so that a later one makes good for a lost one.
    const IS_CUMULATIVE: bool;

    /// Takes a record in.
    fn take(&mut self, record: &Record);

    /// What there is to send now; `is_last` at the end of the run.
    fn pack(&mut self, is_last: bool) -> Vec<Parcel>;

    /// How many bytes are there to be sent; 0 for what is only summed up.
    fn waiting(&self) -> usize {
        0
    }

    /// Something sent earlier did not arrive: the next parcel has to tell it again.
    fn repeat(&mut self) {}
}

/// An output that pushes.
pub struct Push<F> {
    description: String,
    period: Duration,
    format: F,
    /// Taken when the output starts.
    wire: Option<Wire>,
    rules: Rules,
    logger: Logger,
    /// At work from the start of the output.
    courier: Option<Courier>,
}

impl<F: Format> Push<F> {
    /// An output with this description: what it makes of records, and how and how often that travels.
    pub fn new(description: String, period: Duration, format: F, wire: Wire, rules: Rules, logger: &Logger) -> Self {
        Self { description, period, format, wire: Some(wire), rules, logger: logger.clone(), courier: None }
    }

    fn hand_over(&mut self, is_last: bool) {
        let Some(courier) = &self.courier else { return };
        if F::IS_CUMULATIVE {
            if courier.is_busy() && !is_last {
                // The next beat tells this one's news too.
                courier.skip();
                return;
            }
            if courier.has_failed() || courier.is_busy() {
                self.format.repeat();
            }
        }
        self.format.pack(is_last).into_iter().for_each(|parcel| courier.hand(parcel));
    }
}

impl<F: Format> Output for Push<F> {
    fn description(&self) -> String {
        self.description.clone()
    }

    fn period(&self) -> Duration {
        self.period
    }

    fn start(&mut self) -> Result<(), Failure> {
        if let Some(wire) = self.wire.take() {
            let courier = Courier::start(wire, &self.description, self.rules, F::IS_CUMULATIVE, self.logger.clone());
            self.courier = Some(courier.exit(ExitCode::Other)?);
        }
        Ok(())
    }

    fn add(&mut self, batch: &[Record]) -> Result<(), String> {
        batch.iter().for_each(|record| self.format.take(record));
        if self.format.waiting() >= FULL {
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
        if let Some(courier) = self.courier.take() {
            courier.finish();
        }
        Ok(())
    }
}
