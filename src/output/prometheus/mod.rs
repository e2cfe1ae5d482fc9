//! `-o experimental-prometheus-rw`: the state of every changed series, by Prometheus remote write.
//!
//! A trend becomes one series per figure, or one native histogram. Times are in seconds there, as Prometheus wants.

pub mod proto;

use std::collections::BTreeMap;
use std::time::Duration;

use prost::Message;

use super::push::native_histogram::{NativeHistogram, SCHEMA, ZERO};
use super::push::series::{LabelSet, SeriesEntry, SeriesTable, SeriesValue, TrendAs};
use super::push::sigv4::RequestSigner;
use super::push::transport::HttpOptions;
use super::push::{HttpTransport, PushEncoder, PushLimits, PushOutput, PushPayload, Transport};
use super::settings::{OutputSettings, shown};
use super::{Output, OutputContext};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::metrics::sink::Sink;
use crate::metrics::{Contains, Record, TagSet, TrendStat};
use crate::options::Feature;
use proto::{BucketSpan, HistogramSample, LabelPair, Sample, TimeSeries, WriteRequest};

const PREFIX: &str = "K6_PROMETHEUS_RW_";
/// The value that marks the end of a series for Prometheus.
const STALE_NAN: u64 = 0x7ff0_0000_0000_0002;

/// Makes the output; its argument says nothing, as in k6.
///
/// # Errors
/// One line for a setting that is malformed.
pub fn new(_argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, Failure> {
    make(context).exit(ExitCode::Other)
}

fn make(context: &OutputContext) -> Result<Box<dyn Output>, String> {
    let settings =
        OutputSettings { context, output: "experimental-prometheus-rw", prefix: PREFIX, argument: Vec::new() };
    let url = settings.text("url", "SERVER_URL").unwrap_or_else(|| "http://localhost:9090/api/v1/write".to_owned());
    let period = settings.time("pushInterval", "PUSH_INTERVAL", Duration::from_secs(5))?;
    let listed = settings.text("trendStats", "TREND_STATS").unwrap_or_else(|| "p(99)".to_owned());
    let stats = listed.split(',').map(str::trim).map(Stat::parse).collect::<Result<Vec<_>, _>>()?;
    let is_native = context.features.contains(&Feature::NativeHistograms)
        || settings.flag("trendAsNativeHistogram", "TREND_AS_NATIVE_HISTOGRAM")?;
    let has_stale_markers = settings.flag("staleMarkers", "STALE_MARKERS")?;
    let needs_tls13 = settings.parsed("tlsMinVersion", "TLS_MINIMUM_VERSION", true, |text| match text {
        "1.3" | "tls1.3" => Ok(true),
        "1.2" | "tls1.2" => Ok(false),
        _ => Err("write `1.3` or `1.2`".to_owned()),
    })?;
    let mut headers = headers(&settings)?;
    if let Some(token) = settings.text("bearerToken", "BEARER_TOKEN") {
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    let file = |key: &str, variable: &str| settings.text(key, variable).map(|path| context.path(&path));
    let identity =
        match (file("clientCertificate", "CLIENT_CERTIFICATE"), file("clientCertificateKey", "CLIENT_CERTIFICATE_KEY"))
        {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(format!("{PREFIX}CLIENT_CERTIFICATE and {PREFIX}CLIENT_CERTIFICATE_KEY go together")),
        };
    let options = HttpOptions {
        headers,
        login: settings
            .text("username", "USERNAME")
            .map(|user| (user, settings.text("password", "PASSWORD").unwrap_or_default())),
        is_insecure: settings.flag("insecureSkipTLSVerify", "INSECURE_SKIP_TLS_VERIFY")?,
        needs_tls13,
        identity,
        ..HttpOptions::default()
    };
    let transport = HttpTransport::new(&url, options)?.with_signer(signer(&settings)?);
    let trend_as = if is_native { TrendAs::Native } else { TrendAs::Trend };
    let extra = extra_labels(&settings)?;
    let labels = move |tags: &TagSet| labels(tags, &extra);
    let table = SeriesTable::new(context.registry.clone(), context.logger.clone(), trend_as, labels);
    let encoder = RemoteWriteEncoder { table, stats, has_stale_markers };
    let failed = "Failed to send the time series data to the endpoint";
    let limits = PushLimits { max_concurrent: 1, timeout: Duration::from_secs(5), failed, last_failed: failed };
    let description = format!("Prometheus remote write ({})", shown(&url));
    Ok(Box::new(PushOutput::new(
        description,
        period,
        encoder,
        Transport::Http(Box::new(transport)),
        limits,
        &context.logger,
    )))
}

/// k6's headers, then the file's, those of `HTTP_HEADERS` and those with a variable of their own.
fn headers(settings: &OutputSettings<'_>) -> Result<Vec<(String, String)>, String> {
    let fixed = [
        ("user-agent", super::USER_AGENT),
        ("content-encoding", "snappy"),
        ("content-type", "application/x-protobuf"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ];
    let mut headers: Vec<_> = fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    headers.extend(settings.pairs_in_file("headers")?);
    let env = &settings.context.env;
    for item in env("K6_PROMETHEUS_RW_HTTP_HEADERS").unwrap_or_default().split(',').filter(|item| !item.is_empty()) {
        let (name, value) = item
            .split_once(':')
            .ok_or_else(|| format!("`{item}` in {PREFIX}HTTP_HEADERS is no header: write `name:value`"))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let own = format!("{PREFIX}HEADERS_");
    for variable in settings.context.variables.iter() {
        if let (Some(name), Some(value)) = (variable.strip_prefix(&own), env(variable)) {
            headers.push((name.to_owned(), value));
        }
    }
    Ok(headers)
}

/// Labels of every series: the file's, and over them those of `LABELS`.
fn extra_labels(settings: &OutputSettings<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut labels: BTreeMap<String, String> = settings.pairs_in_file("labels")?.into_iter().collect();
    // An empty text is one piece, which is no label.
    for item in (settings.context.env)("K6_PROMETHEUS_RW_LABELS").iter().flat_map(|list| list.split(',')) {
        let (name, value) = item.split_once('=').ok_or_else(|| {
            format!("the provided label ({item}) does not respect the expected format <label key>=<value>")
        })?;
        labels.insert(name.to_owned(), value.to_owned());
    }
    labels.retain(|name, value| !name.is_empty() && name != "__name__" && !value.is_empty());
    Ok(labels)
}

fn signer(settings: &OutputSettings<'_>) -> Result<Option<RequestSigner>, String> {
    let parts = [
        settings.text("sigV4Region", "SIGV4_REGION"),
        settings.text("sigV4AccessKey", "SIGV4_ACCESS_KEY"),
        settings.text("sigV4SecretKey", "SIGV4_SECRET_KEY"),
    ];
    match parts {
        [None, None, None] => Ok(None),
        [Some(region), Some(access_key), Some(secret_key)] => {
            Ok(Some(RequestSigner { region, service: "aps".to_owned(), access_key, secret_key }))
        }
        _ => Err(format!("{PREFIX}SIGV4_REGION, {PREFIX}SIGV4_ACCESS_KEY and {PREFIX}SIGV4_SECRET_KEY go together")),
    }
}

/// A tag set as labels: without empty values, names with what Prometheus allows in them. A tag counts more than an extra label
/// of its name.
fn labels(tags: &TagSet, extra: &BTreeMap<String, String>) -> LabelSet {
    let name = |key: &str| -> Box<str> {
        let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
        let name: String = key.chars().map(fits).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}").into() } else { name.into() }
    };
    let filled = tags.iter().filter(|(_, value)| !value.is_empty());
    let mut labels: Vec<(Box<str>, Box<str>)> = filled.map(|(key, value)| (name(key), value.into())).collect();
    labels.sort_by(|a, b| a.0.cmp(&b.0));
    labels.dedup_by(|a, b| a.0 == b.0);
    for (key, value) in extra {
        let name = name(key);
        if let Err(place) = labels.binary_search_by(|(known, _)| known.cmp(&name)) {
            labels.insert(place, (name, value.as_str().into()));
        }
    }
    labels.into()
}

/// A figure of a trend, and how it ends the name of its series.
#[derive(Clone, Debug, PartialEq)]
struct Stat {
    suffix: String,
    /// `None` for the sum.
    figure: Option<TrendStat>,
}

impl Stat {
    fn parse(name: &str) -> Result<Self, String> {
        if name == "sum" {
            return Ok(Self { suffix: name.to_owned(), figure: None });
        }
        let figure = TrendStat::parse(name)?;
        // p(99.9) is p999.
        let suffix = name.chars().filter(|c| !matches!(c, '(' | ')' | '.')).collect();
        Ok(Self { suffix, figure: Some(figure) })
    }
}

/// Series as remote write has them.
struct RemoteWriteEncoder {
    table: SeriesTable,
    stats: Vec<Stat>,
    has_stale_markers: bool,
}

impl PushEncoder for RemoteWriteEncoder {
    const IS_CUMULATIVE: bool = true;

    fn take(&mut self, record: &Record) {
        self.table.take(record);
    }

    fn encode(&mut self, is_last: bool) -> Vec<PushPayload> {
        let mut timeseries = Vec::new();
        for series in self.table.all.iter_mut().filter(|series| series.is_changed) {
            series.is_changed = false;
            append(series, &self.stats, &mut timeseries);
        }
        let mut payloads = Vec::new();
        if !timeseries.is_empty() {
            payloads.push(payload(timeseries));
        }
        if is_last && self.has_stale_markers {
            let mut ended = Vec::new();
            self.table.all.iter_mut().for_each(|series| append(series, &self.stats, &mut ended));
            let timestamp = jiff::Timestamp::now().as_millisecond() + 1;
            for series in &mut ended {
                series.histograms.clear();
                series.samples = vec![Sample { value: f64::from_bits(STALE_NAN), timestamp }];
            }
            payloads.push(payload(ended));
        }
        payloads
    }

    fn repeat(&mut self) {
        self.table.mark_all_changed();
    }
}

fn payload(timeseries: Vec<TimeSeries>) -> PushPayload {
    let message = WriteRequest { timeseries }.encode_to_vec();
    let body = snap::raw::Encoder::new().compress_vec(&message).expect("a message is shorter than 4 GB");
    PushPayload { body, samples: 0 }
}

/// The name of a series among its labels, sorted by bytes: receivers refuse a push in any other order.
fn sorted(name: String, labels: &LabelSet) -> Vec<LabelPair> {
    let name = LabelPair { name: "__name__".to_owned(), value: name };
    let tags = labels.iter().map(|(name, value)| LabelPair { name: name.to_string(), value: value.to_string() });
    let mut all: Vec<_> = std::iter::once(name).chain(tags).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Appends the current values of one series.
fn append(series: &mut SeriesEntry, stats: &[Stat], to: &mut Vec<TimeSeries>) {
    let timestamp = i64::try_from(series.last.0 / 1_000_000).unwrap_or(i64::MAX);
    let (metric, labels) = (&series.metric, &series.labels);
    let named = |suffix: &str| sorted(format!("k6_{}{suffix}", metric.name), labels);
    let mut put = |suffix: &str, value: f64| {
        let samples = vec![Sample { value, timestamp }];
        to.push(TimeSeries { labels: named(suffix), samples, histograms: Vec::new() });
    };
    let scale = if metric.contains == Contains::Time { 1000.0 } else { 1.0 };
    match &mut series.value {
        SeriesValue::Sink(Sink::Counter(counter)) => put("_total", counter.count()),
        SeriesValue::Sink(Sink::Gauge(gauge)) => put("", gauge.value),
        SeriesValue::Sink(Sink::Rate(rate)) => put("_rate", rate.rate()),
        SeriesValue::Sink(Sink::Trend(trend)) => {
            trend.sort();
            for Stat { suffix, figure } in stats {
                let value = match figure {
                    None => trend.sum() / scale,
                    Some(figure) if figure.is_count() => figure.of(trend),
                    Some(figure) => figure.of(trend) / scale,
                };
                put(&format!("_{suffix}"), value);
            }
        }
        SeriesValue::Native(native) => {
            let unit = match metric.contains {
                Contains::Time => "_seconds",
                Contains::Data => "_bytes",
                Contains::Default => "",
            };
            let histograms = vec![histogram(native, timestamp)];
            to.push(TimeSeries { labels: named(unit), samples: Vec::new(), histograms });
        }
        SeriesValue::Buckets(_) => (),
    }
}

fn histogram(native: &NativeHistogram, timestamp: i64) -> HistogramSample {
    let spans = |spans: Vec<(i32, u32)>| {
        spans.into_iter().map(|(offset, length)| BucketSpan { offset, length }).collect::<Vec<_>>()
    };
    let (positive_spans, positive_deltas) = native.positive.spans();
    let (negative_spans, negative_deltas) = native.negative.spans();
    HistogramSample {
        count_int: native.count,
        sum: native.sum.value(),
        schema: SCHEMA,
        zero_threshold: ZERO,
        zero_count_int: native.zeros,
        negative_spans: spans(negative_spans),
        negative_deltas,
        positive_spans: spans(positive_spans),
        positive_deltas,
        timestamp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Interner, MetricType, Stamp};

    #[test]
    fn labels_are_sorted_by_bytes() {
        let check = |tags: &[(&str, &str)], expect: &[&str]| {
            let tags = Interner::default().set(tags.iter().copied());
            let got: Vec<_> = sorted("k6_mine".to_owned(), &labels(&tags, &BTreeMap::new()))
                .into_iter()
                .map(|label| label.name)
                .collect();
            assert_eq!(got, expect);
        };
        check(&[("low", "c"), ("Env", "a"), ("BU", "b")], &["BU", "Env", "__name__", "low"]);
        check(&[("_", "a"), ("__a", "b"), ("9", "c"), ("é", "d")], &["_", "_9", "__a", "__name__"]);
        check(&[], &["__name__"]);
    }

    #[test]
    fn extra_labels_give_way_to_tags() {
        let check = |file: &str, variable: Option<&str>, tags: &[(&str, &str)], expect: &str| {
            let mut bench = crate::output::tests::Bench::new();
            bench.collectors = serde_json::json!({"experimental-prometheus-rw": serde_json::from_str::<serde_json::Value>(file).unwrap()});
            bench.env.extend(variable.map(|list| ("K6_PROMETHEUS_RW_LABELS", String::leak(list.to_owned()) as &str)));
            let context = bench.context(Vec::new());
            let output = "experimental-prometheus-rw";
            let settings = OutputSettings { context: &context, output, prefix: PREFIX, argument: Vec::new() };
            let extra = match extra_labels(&settings) {
                Ok(extra) => extra,
                Err(error) => return assert_eq!(error, expect, "{file} {variable:?}"),
            };
            let tags = Interner::default().set(tags.iter().copied());
            let got: Vec<_> = labels(&tags, &extra).iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(got.join(","), expect, "{file} {variable:?}");
        };
        let tags = [("method", "GET"), ("name", "x")];
        check("{}", None, &tags, "method=GET,name=x");
        check("{}", Some("zone=a,env=b=c"), &tags, "env=b=c,method=GET,name=x,zone=a");
        check("{}", Some("method=PUT,a=1"), &tags, "a=1,method=GET,name=x");
        check("{}", Some("=1,b=,__name__=no,a=1, k = v "), &[], "_k_= v ,a=1");
        check("{}", Some("a-b=label,7x=1"), &[("a-b", "tag")], "_7x=1,a_b=tag");
        check("{}", Some("a=1,a=2"), &[], "a=2");
        check(r#"{"labels": {"a": "1", "b": "2", "__name__": "no", "": "no", "c": ""}}"#, None, &[], "a=1,b=2");
        check(r#"{"labels": {"a": "1", "b": "2"}}"#, Some("b=3,d=4"), &[], "a=1,b=3,d=4");
        let refusal =
            r#"`labels` of `experimental-prometheus-rw` in the configuration file is ["x"]: write an object of texts"#;
        check(r#"{"labels": ["x"]}"#, Some("a=1"), &[], refusal);
        check(r#"{"labels": null}"#, Some("a=1"), &[], "a=1");
        // A tag without a value is no label.
        check("{}", Some("group=g"), &[("group", "")], "group=g");
        check("{}", Some("a_b=mine"), &[("a-b", "tag")], "a_b=tag");
    }

    #[test]
    fn extra_labels_are_on_every_series_and_its_end() {
        let registry = std::sync::Arc::new(crate::metrics::Registry::new());
        let kinds = [MetricType::Counter, MetricType::Gauge, MetricType::Rate, MetricType::Trend];
        let extra = BTreeMap::from([("zone".to_owned(), "z".to_owned()), ("method".to_owned(), "PUT".to_owned())]);
        let own = move |tags: &TagSet| labels(tags, &extra);
        let table = SeriesTable::new(registry.clone(), crate::log::Logger::silent(), TrendAs::Trend, own);
        let stats = vec![Stat::parse("avg").unwrap(), Stat::parse("max").unwrap()];
        let mut encoder = RemoteWriteEncoder { table, stats, has_stale_markers: true };
        let tags = Interner::default().set([("method", "GET")]);
        for (nth, kind) in kinds.into_iter().enumerate() {
            let metric = registry.declare(&format!("m{nth}"), kind, Contains::Default).unwrap();
            encoder.take(&Record::Sample { time: Stamp(1), metric, value: 1.0, tags: tags.clone(), metadata: None });
        }
        let payloads = encoder.encode(true);
        assert_eq!(payloads.len(), 2);
        for payload in payloads {
            let message = snap::raw::Decoder::new().decompress_vec(&payload.body).unwrap();
            let series = WriteRequest::decode(&message[..]).unwrap().timeseries;
            assert_eq!(series.len(), 5);
            for one in series {
                let pairs: Vec<_> = one.labels.iter().map(|label| format!("{}={}", label.name, label.value)).collect();
                assert!(pairs[0].starts_with("__name__=k6_m"), "{pairs:?}");
                assert_eq!(pairs[1..], ["method=GET", "zone=z"]);
            }
        }
    }
}
