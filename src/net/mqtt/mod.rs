//! MQTT 3.1.1 under load: one session per client of a script, on the VU's network thread.
//!
//! The packets are our own codec: connections have to be opened by the run's rules, and times taken where bytes arrive.

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod packet;
mod session;
#[cfg(test)]
mod tests;
mod wire;

pub use packet::{Qos, Will};
pub use session::{Arrival, MqttConnect, MqttSession};
pub use wire::SUBPROTOCOL;
