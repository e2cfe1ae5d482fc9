//! What was seen: metrics, tag sets, samples, sinks, thresholds. The one source of every number a user reads.
//!
//! VUs write [`Record`]s into a [`Recorder`] of their worker; batches are folded into the one [`Ledger`], which
//! keeps sinks (a trend is exact up to 10,000 values, then a histogram) and hands raw records on to the outputs
//! that want them. Nothing else is kept, so memory stays flat however long a run lasts.

pub mod alike;
pub mod baseline;
pub mod builtin;
pub mod detail;
pub mod digest;
pub mod endpoint;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
pub mod groups;
pub mod health;
pub mod ledger;
pub mod limit;
pub mod record;
pub mod recorder;
pub mod registry;
pub mod results;
pub mod sink;
pub mod stat;
pub mod submetric;
pub mod sum;
pub mod system_tags;
pub mod tags;
pub mod tap;
pub mod threshold;
pub mod timeline;
pub mod trend;
pub mod window;

pub use baseline::Baseline;
pub use detail::DetailResult;
pub use health::{Health, Usage};
pub use ledger::Ledger;
#[cfg(test)]
pub use ledger::LedgerOptions;
pub use record::{HttpTimings, Record, Stamp};
pub use recorder::Recorder;
pub use registry::{Contains, Metric, MetricId, MetricType, Registry};
pub use results::{MetricResult, Results, Section, Values};
pub use stat::TrendStat;
pub use system_tags::SystemTags;
pub use tags::{Interner, Metadata, TagSet};
pub use threshold::{ThresholdDef, Verdict};
