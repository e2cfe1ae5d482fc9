//! Configuration: options as typed in a script, a file, the environment or flags, and as meant.
//!
//! [`Options`] is one table of everything k6's `options` may contain, each field `None` if it was not set. Its layers are
//! merged, shortcuts become scenarios, and [`Options::check`] turns the result into [`Scenario`]s whose types prove that
//! they can run. Nothing here reads the environment, a file or a clock, and nothing logs: messages for the user are
//! returned as text.

pub mod compat;
pub mod decode;
pub mod derive;
pub mod describe;
pub mod dns;
pub mod env;
pub mod features;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
pub mod hosts;
pub mod instance;
pub mod ips;
pub mod layers;
pub mod permissions;
pub mod plan;

pub mod ramp;
pub mod ratio;
pub mod resolve;
pub mod scenario;
pub mod schedule;
pub mod segment;
pub mod selection;

pub mod stage;
mod system_tags;
pub mod table;
pub mod threshold;
pub mod tls;
mod validate;
mod value;

pub use compat::Compat;
pub use dns::{DnsOptions, DnsPolicy, DnsSelect, DnsTtl};
pub use features::Feature;
pub use hosts::{HostPattern, Hosts};
pub use instance::Instance;
pub use ips::{Cidr, LocalIps};
pub use layers::{OptionLayer, consolidate};
pub use permissions::Permissions;
pub use plan::Plan;
pub use resolve::{Layers, ResolvedOptions};
pub use scenario::{ExecutorConfig, Scenario, VuStage};
pub use schedule::{ConstantSchedule, RampingSchedule};
pub use segment::{Segment, SegmentSequence, Share};
pub use selection::ScenarioSelection;
pub use stage::Stage;
pub use table::Options;
pub use threshold::Thresholds;
pub use tls::{CipherSuite, TlsAuth, TlsVersion, TlsVersions};

/// Parsers of single values, for the command line.
pub mod text {
    use super::{Compat, value};
    use crate::units::Span;

    /// Reads a whole number.
    ///
    /// # Errors
    /// Go's message: `strconv.ParseInt: parsing "abc": invalid syntax`.
    pub fn parse_int(text: &str) -> Result<i64, String> {
        value::parse_int(text)
    }

    /// Reads a duration with a unit; one with inner spaces is a warning.
    ///
    /// # Errors
    /// Go's message: `time: missing unit in duration "10"`.
    pub fn parse_span(text: &str, compat: &mut Compat) -> Result<Span, String> {
        value::parse_span(text, compat)
    }
}
