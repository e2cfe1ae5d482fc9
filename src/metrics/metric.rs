//! A metric: its id, name, type and the meaning of its values.

use std::sync::Arc;

/// A metric's place in the [`Registry`](super::Registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricId(pub u16);

/// How a metric adds up its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// A sum.
    Counter,
    /// The last value, with minimum and maximum.
    Gauge,
    /// The share of non-zero values.
    Rate,
    /// A distribution.
    Trend,
}

impl MetricType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Counter, Self::Gauge, Self::Rate, Self::Trend];

    /// The word k6 uses in exports and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Trend => "trend",
        }
    }
}

/// What a metric's values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contains {
    /// Plain numbers.
    Default,
    /// Milliseconds.
    Time,
    /// Bytes.
    Data,
}

impl Contains {
    /// The word k6 uses in exports and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Time => "time",
            Self::Data => "data",
        }
    }
}

/// One metric.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its place.
    pub id: MetricId,
    /// Its name, as in `http_req_duration`.
    pub name: Arc<str>,
    /// How it adds up.
    pub kind: MetricType,
    /// What its values mean.
    pub contains: Contains,
}
