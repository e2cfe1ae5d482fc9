//! The messages of OpenTelemetry's protocol for metrics, as far as they are sent.
//!
//! A dozen messages by hand compile in a second; the published crates bring a gRPC framework along.

/// One export.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExportRequest {
    /// By program.
    #[prost(message, repeated, tag = "1")]
    pub resource_metrics: Vec<ResourceMetrics>,
}

/// The metrics of one program.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ResourceMetrics {
    /// Which program.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<OtlpResource>,
    /// By the part of it that measured.
    #[prost(message, repeated, tag = "2")]
    pub scope_metrics: Vec<ScopeMetrics>,
}

/// A program.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OtlpResource {
    /// `service.name` and the like.
    #[prost(message, repeated, tag = "1")]
    pub attributes: Vec<KeyValue>,
}

/// What one part of a program measured.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScopeMetrics {
    /// Which part.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// Its metrics.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<OtlpMetric>,
}

/// A part of a program.
#[derive(Clone, PartialEq, prost::Message)]
pub struct InstrumentationScope {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// One metric with all its series.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OtlpMetric {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// `ms`, `By` or nothing.
    #[prost(string, tag = "3")]
    pub unit: String,
    /// Its values.
    #[prost(oneof = "MetricData", tags = "5, 7, 9")]
    pub data: Option<MetricData>,
}

/// Values by kind of metric.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum MetricData {
    /// Last values.
    #[prost(message, tag = "5")]
    Gauge(Gauge),
    /// Sums.
    #[prost(message, tag = "7")]
    Sum(OtlpSum),
    /// Distributions.
    #[prost(message, tag = "9")]
    Histogram(OtlpHistogram),
}

/// Last values.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Gauge {
    /// One for each series.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<NumberDataPoint>,
}

/// Sums since the start.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OtlpSum {
    /// One for each series.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<NumberDataPoint>,
    /// Always 2, cumulative.
    #[prost(int32, tag = "2")]
    pub aggregation_temporality: i32,
    /// True: it only grows.
    #[prost(bool, tag = "3")]
    pub is_monotonic: bool,
}

/// Distributions since the start.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OtlpHistogram {
    /// One for each series.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<HistogramDataPoint>,
    /// Always 2, cumulative.
    #[prost(int32, tag = "2")]
    pub aggregation_temporality: i32,
}

/// A number.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NumberDataPoint {
    /// Tags.
    #[prost(message, repeated, tag = "7")]
    pub attributes: Vec<KeyValue>,
    /// Nanoseconds since the epoch.
    #[prost(fixed64, tag = "2")]
    pub start_time_unix_nano: u64,
    /// Nanoseconds since the epoch.
    #[prost(fixed64, tag = "3")]
    pub time_unix_nano: u64,
    /// The number.
    #[prost(oneof = "NumberValue", tags = "4, 6")]
    pub value: Option<NumberValue>,
}

/// A number, broken or whole.
#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum NumberValue {
    /// Broken.
    #[prost(double, tag = "4")]
    AsDouble(f64),
    /// Whole.
    #[prost(sfixed64, tag = "6")]
    AsInt(i64),
}

/// A distribution.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HistogramDataPoint {
    /// Tags.
    #[prost(message, repeated, tag = "9")]
    pub attributes: Vec<KeyValue>,
    /// Nanoseconds since the epoch.
    #[prost(fixed64, tag = "2")]
    pub start_time_unix_nano: u64,
    /// Nanoseconds since the epoch.
    #[prost(fixed64, tag = "3")]
    pub time_unix_nano: u64,
    /// How many values.
    #[prost(fixed64, tag = "4")]
    pub count: u64,
    /// Their sum.
    #[prost(double, optional, tag = "5")]
    pub sum: Option<f64>,
    /// Up to each bound, and above the last.
    #[prost(fixed64, repeated, tag = "6")]
    pub bucket_counts: Vec<u64>,
    /// The bounds.
    #[prost(double, repeated, tag = "7")]
    pub explicit_bounds: Vec<f64>,
    /// The minimum.
    #[prost(double, optional, tag = "11")]
    pub min: Option<f64>,
    /// The maximum.
    #[prost(double, optional, tag = "12")]
    pub max: Option<f64>,
}

/// An attribute.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyValue {
    /// Its name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Its value.
    #[prost(message, optional, tag = "2")]
    pub value: Option<AnyValue>,
}

/// A value of an attribute; only texts are sent.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AnyValue {
    /// The text.
    #[prost(string, optional, tag = "1")]
    pub string_value: Option<String>,
}
