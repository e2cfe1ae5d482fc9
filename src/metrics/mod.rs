//! Measurement: metrics, tag sets, samples, sinks, thresholds. The only source of the numbers a user reads.
//!
//! VUs push [`Record`]s to the [`Recorder`] of their worker; batches are folded into the one [`Ledger`], which
//! keeps sinks (a trend is exact up to 10,000 values, then a histogram) and passes raw records on to the outputs.
//! Nothing else is kept, so memory stays flat however long a run lasts.

mod answer;
pub mod baseline;
pub mod breakdown;
pub mod builtin;
pub mod compensated_sum;
pub mod delta;
pub mod endpoint;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
pub mod groups;
pub mod health;
pub mod ledger;
pub mod metric;
mod metric_state;
pub mod output_channel;
pub mod record;
pub mod recorder;
pub mod registry;
pub mod results;
mod sections;
pub mod sink;
pub mod sketch;
pub mod submetric;
pub mod system_tags;
pub mod tags;
pub mod threshold;
mod threshold_hint;
pub mod threshold_limit;
pub mod timeline;
pub mod trend;
pub mod trend_stat;
pub mod url_pattern;
pub mod window;

pub use baseline::Baseline;
pub use delta::LedgerDelta;
#[cfg(test)]
pub use delta::MetricDelta;
pub use health::{HealthFigures, Usage};
pub use ledger::Ledger;
#[cfg(test)]
pub use ledger::LedgerOptions;
pub use metric::{Contains, Metric, MetricId, MetricType};
pub use record::{HttpTimings, Record, Stamp};
pub use recorder::Recorder;
pub use registry::Registry;
pub use results::{MetricResult, MetricValues, Results, Section};
pub use system_tags::SystemTags;
pub use tags::{Interner, SampleMetadata, TagSet};
pub use threshold::{ThresholdDef, ThresholdVerdict};
pub use trend_stat::TrendStat;
