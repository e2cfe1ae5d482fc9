//! gRPC under load: bytes out, bytes in, and how long it took.
//!
//! A [`Channel`] is one HTTP/2 connection that a client opens by the run's rules for names, networks and TLS, with any
//! number of calls over it. Nothing here knows what is inside of messages.

mod call;
mod channel;
mod command;
mod config;
mod connection;
mod current;
mod frames;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod metadata;
mod status;
mod subchannel;
mod unary;

pub use call::{Call, CallOutcome};
pub use channel::{Channel, Download, UnaryCall, Upload};
pub use command::StreamEvent;
pub use config::{ChannelConfig, Security};
pub use metadata::GrpcMetadata;
pub use status::{GrpcCode, GrpcStatus};
