//! The messages of Prometheus remote write 1.0, as far as they are sent.

/// One push.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WriteRequest {
    /// All changed series.
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
}

/// The new values of one series.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TimeSeries {
    /// `__name__` first, then the tags by name.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<LabelPair>,
    /// Numbers.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    /// Native histograms.
    #[prost(message, repeated, tag = "4")]
    pub histograms: Vec<HistogramSample>,
}

/// A name and its value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LabelPair {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A number at a moment.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Sample {
    /// The number.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// A native histogram of whole counts.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HistogramSample {
    /// How many values.
    #[prost(uint64, tag = "1")]
    pub count_int: u64,
    /// Their sum.
    #[prost(double, tag = "3")]
    pub sum: f64,
    /// Two to this power ranges for each power of two.
    #[prost(sint32, tag = "4")]
    pub schema: i32,
    /// Values up to this count as zero.
    #[prost(double, tag = "5")]
    pub zero_threshold: f64,
    /// How many do.
    #[prost(uint64, tag = "6")]
    pub zero_count_int: u64,
    /// Where there are ranges below zero.
    #[prost(message, repeated, tag = "8")]
    pub negative_spans: Vec<BucketSpan>,
    /// Their counts, each as the difference to the one before.
    #[prost(sint64, repeated, tag = "9")]
    pub negative_deltas: Vec<i64>,
    /// Where there are ranges above zero.
    #[prost(message, repeated, tag = "11")]
    pub positive_spans: Vec<BucketSpan>,
    /// Their counts, each as the difference to the one before.
    #[prost(sint64, repeated, tag = "12")]
    pub positive_deltas: Vec<i64>,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "15")]
    pub timestamp: i64,
}

/// A run of ranges without a gap.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct BucketSpan {
    /// The gap before it, or the place of the first.
    #[prost(sint32, tag = "1")]
    pub offset: i32,
    /// How many ranges.
    #[prost(uint32, tag = "2")]
    pub length: u32,
}
