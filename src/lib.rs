//! volley runs Grafana k6 test scripts, with truer latency numbers, less CPU and flat memory.
//!
//! The rooms of the house, by floor; a room uses only the floors below it, and floor 0 is open to all
//! (`tests/tidy.rs` asserts it, `src/README.md` explains it):
//!
//! ```text
//!  9  doors      cli                            commands; nothing else parses arguments
//!  8  ceremony   procedure                      the written load-testing procedure: runs as children, one report
//!  7  conduct    run, target                    the stages of one run, forwards, in reading order
//!  6  voices     output, summary, report, ui, api  what the world sees
//!  5  language   js                             the k6 API; the only room that knows JavaScript
//!  4  time       execution                      when iterations start; knows a VU only as a handle
//!  3  means      net                            how bytes travel; no JavaScript, no metrics
//!  2  intent     options, source                what was asked, checked once at the border
//!  1  measure    metrics                        what was seen
//!  0  words      units, exit_code, failure, fifo, log
//! ```

// 0: words
mod exit_code;
mod failure;
mod fifo;
mod log;
mod units;
// 1: measure
mod metrics;
// 2: intent
mod options;
mod source;
// 3: means
mod net;
// 4: time
mod execution;
// 5: language
mod js;
// 6: voices
mod api;
mod output;
mod report;
mod summary;
mod ui;
// 7: conduct
mod run;
mod target;
// 8: ceremony
mod procedure;
// 9: doors
mod cli;

// Everything is known in the crate only, so that the compiler sees what nothing uses any more. This is what is seen outside:
// by `main`, by the integration tests, and by the fuzz targets.
pub use cli::main;
#[doc(hidden)]
pub use js::{Engine, language::regexp::match_regexp, modules::LAZY_SCRIPTS, modules::MODULES};
#[doc(hidden)]
pub use output::opentelemetry::proto;
#[doc(hidden)]
pub use report::{PageMode, page};
#[doc(hidden)]
pub use target::{Account, CacheChoice, TargetConfig, bind};

/// What must hold for texts nobody has foreseen, one function per kind of text.
#[cfg(fuzzing)]
pub mod fuzz {
    pub use crate::js::language::regexp::fuzz_tests::regexp;
    pub use crate::js::modules::k6::crypto::fuzz_tests::certificate;
    pub use crate::js::modules::k6::experimental::csv::fuzz_tests::records;
    pub use crate::js::modules::k6::html::fuzz_tests::page;
    pub use crate::js::modules::k6::http::fuzz_tests::{form, selector};
    pub use crate::js::modules::k6::net::grpc::fuzz_tests::{descriptors, message, proto};
    pub use crate::js::transpile::fuzz_tests::{map, script};
    pub use crate::metrics::fuzz_tests::{baseline, threshold};
    pub use crate::net::grpc::fuzz_tests::{body, trailers};
    pub use crate::net::http::fuzz_tests::{answer, challenge, cookie, location};
    pub use crate::net::tls::fuzz_tests::keys;
    pub use crate::net::ws::fuzz_tests::{deflated, frames};
    pub use crate::options::fuzz_tests::options;
    pub use crate::procedure::fuzz_tests::{criterion, procedure, series};
    pub use crate::source::fuzz_tests::{archive, specifier};
    pub use crate::units::fuzz_tests::duration;
}
