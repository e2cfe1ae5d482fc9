//! volley runs Grafana k6 test scripts, with truer latency numbers, less CPU and flat memory.
//!
//! The modules, by layer; a module uses only the layers below its own, and layer 0 is open to all (`tests/tidy.rs` asserts
//! it, `src/README.md` explains it):
//!
//! ```text
//!  9  entry       cli                               commands; nothing else parses arguments
//!  8  procedure   procedure                         the written load-testing procedure: child runs, one report
//!  7  run         run, target                       the stages of one run, in order; the built-in target
//!  6  reporting   output, summary, report, ui, api, join  what users and other instances see
//!  5  scripting   js                                the k6 API; the only module that knows JavaScript
//!  4  scheduling  execution                         when iterations start; knows a VU only as a handle
//!  3  network     net                               how bytes travel; no JavaScript, no metrics
//!  2  config      options, source                   what was asked for, validated once
//!  1  metrics     metrics                           what was measured
//!  0  base        units, exit_code, failure, fifo, log
//! ```

#[cfg(not(target_os = "linux"))]
compile_error!("volley runs on Linux");

// 0: base
mod exit_code;
mod failure;
mod fifo;
mod log;
mod units;
// 1: metrics
mod metrics;
// 2: config
mod options;
mod source;
// 3: network
mod net;
// 4: scheduling
mod execution;
// 5: scripting
mod js;
// 6: reporting
mod api;
mod join;
mod output;
mod report;
mod summary;
mod ui;
// 7: run
mod run;
mod target;
// 8: procedure
mod procedure;
// 9: entry
mod cli;

// All modules are private to the crate, so that the compiler reports dead code. These items are public: for `main`, the
// integration tests and the fuzz targets.
pub use cli::main;
#[doc(hidden)]
pub use js::{Engine, language::regexp::match_regexp, modules::LAZY_SCRIPTS, modules::MODULES};
#[doc(hidden)]
pub use output::opentelemetry::proto;
#[doc(hidden)]
pub use report::{PageMode, page};
pub use target::{Account, CacheChoice, TargetConfig, bind};
#[doc(hidden)]
pub use units::allocator::Allocator;

/// What must hold for any text, one function per kind of text.
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
    #[cfg(feature = "x-dns")]
    pub use crate::net::dns_query::fuzz_tests::dns;
    pub use crate::net::grpc::fuzz_tests::{body, trailers};
    pub use crate::net::http::fuzz_tests::{answer, challenge, cookie, location};
    #[cfg(feature = "x-mqtt")]
    pub use crate::net::mqtt::fuzz_tests::mqtt;
    #[cfg(feature = "x-redis")]
    pub use crate::net::redis::fuzz_tests::resp;
    #[cfg(feature = "x-sql")]
    pub use crate::net::sql::fuzz_tests::{mysql, source};
    #[cfg(feature = "x-sse")]
    pub use crate::net::sse::fuzz_tests::events;
    pub use crate::net::tls::fuzz_tests::keys;
    pub use crate::net::ws::fuzz_tests::{deflated, frames};
    pub use crate::options::fuzz_tests::options;
    pub use crate::procedure::fuzz_tests::{criterion, procedure, series};
    pub use crate::source::fuzz_tests::{archive, specifier};
    pub use crate::units::fuzz_tests::duration;
}
