//! The results of a run: every number that the summary, exports and reports show, taken from the ledger at one moment.

use std::sync::Arc;
use std::time::Duration;

use super::breakdown::BreakdownResult;
use super::groups::{CheckResult, GroupResult};
use super::health::HealthFigures;
use super::metric::{Contains, MetricType};
use super::record::Stamp;
use super::sink::Sink;
use super::submetric::TagFilter;
use super::threshold::Threshold;
use super::trend::Trend;

/// All results, at one moment.
#[derive(Clone, Debug)]
pub struct Results {
    /// How long the whole test ran, setup and teardown included.
    pub duration: Duration,
    /// Metrics and sub-metrics that have samples or thresholds, sorted by name, a metric before its parts.
    pub metrics: Vec<MetricResult>,
    /// Groups and their checks, as a tree.
    pub root: GroupResult,
    /// All checks by name, whatever their group, in order of first appearance.
    pub checks: Vec<CheckResult>,
    /// Groups outside named scenarios, each with its own numbers; only where the ledger keeps sections.
    pub groups: Vec<Section>,
    /// Scenarios, sorted by name, only where the ledger keeps sections; `default` only where it keeps details.
    pub scenarios: Vec<Section>,
    /// How the generator did.
    pub health: HealthFigures,
    /// Endpoints, errors and the time series; only if the ledger keeps them.
    pub breakdown: Option<BreakdownResult>,
}

/// The numbers of one metric or sub-metric.
#[derive(Clone, Debug)]
pub struct MetricResult {
    /// The full name, as in `http_req_duration{status:200}`.
    pub name: Arc<str>,
    /// Its metric, or itself.
    pub parent: Arc<str>,
    /// The filter of a sub-metric.
    pub filter: Option<TagFilter>,
    /// What its values mean.
    pub contains: Contains,
    /// Its numbers.
    pub values: MetricValues,
    /// Of a gauge: when it got its value.
    pub last: Option<Stamp>,
    /// For times of requests: the values of answered requests, if some were not answered.
    pub answered: Option<Trend>,
    /// Its thresholds, judged.
    pub thresholds: Vec<Threshold>,
}

/// Numbers by type of metric.
#[derive(Clone, Debug)]
pub enum MetricValues {
    /// A sum, and the sum per second of the run.
    Counter {
        /// The sum.
        count: f64,
        /// Per second; 0 for a run without length.
        rate: f64,
    },
    /// The last value, the minimum, the maximum.
    Gauge {
        /// The last.
        value: f64,
        /// The minimum.
        min: f64,
        /// The maximum.
        max: f64,
    },
    /// The share of non-zero samples.
    Rate {
        /// From 0 to 1.
        rate: f64,
        /// Non-zero samples.
        passes: u64,
        /// Zero samples.
        fails: u64,
    },
    /// A distribution, to be asked for its figures.
    Trend(Box<Trend>),
}

/// A scenario or a group with its own numbers.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The name of the scenario, or the last part of the group's path.
    pub name: Arc<str>,
    /// Its metrics, sorted by name; no sub-metrics.
    pub metrics: Vec<MetricResult>,
    /// Its checks by name, in order of first appearance.
    pub checks: Vec<CheckResult>,
    /// Groups inside it.
    pub groups: Vec<Section>,
}

impl MetricValues {
    /// The numbers of a sink after a run of this length.
    pub fn of(sink: &Sink, duration: Duration) -> Self {
        match sink {
            Sink::Counter(counter) => {
                let count = counter.count();
                let rate = if duration.is_zero() { 0.0 } else { count / duration.as_secs_f64() };
                Self::Counter { count, rate }
            }
            Sink::Gauge(gauge) => Self::Gauge { value: gauge.value, min: gauge.min, max: gauge.max },
            Sink::Rate(rate) => Self::Rate { rate: rate.rate(), passes: rate.passes, fails: rate.fails },
            Sink::Trend(trend) => {
                let mut trend = trend.clone();
                trend.sort();
                Self::Trend(trend)
            }
        }
    }

    /// The type of metric these are numbers of.
    pub fn kind(&self) -> MetricType {
        match self {
            Self::Counter { .. } => MetricType::Counter,
            Self::Gauge { .. } => MetricType::Gauge,
            Self::Rate { .. } => MetricType::Rate,
            Self::Trend(_) => MetricType::Trend,
        }
    }
}

/// How many checks held and how many did not, of these metrics; nothing where `checks` is not among them.
pub fn checks_total(metrics: &[MetricResult]) -> Option<(u64, u64)> {
    match metrics.iter().find(|metric| &*metric.name == "checks")?.values {
        MetricValues::Rate { passes, fails, .. } => Some((passes, fails)),
        _ => None,
    }
}

impl Results {
    /// The metric or sub-metric of this name.
    pub fn metric(&self, name: &str) -> Option<&MetricResult> {
        self.metrics.iter().find(|metric| &*metric.name == name)
    }
}
