//! `-o opentelemetry`: the state of every series since the start, exported periodically over gRPC or HTTP.
//!
//! Samples are summed up as they come, so k6's flush interval, after which it sums them up, is kept at any length.

pub mod proto;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;

use super::influxdb::unescaped;
use super::push::series::{BOUNDS, LabelSet, SeriesEntry, SeriesTable, SeriesValue, TrendAs};
use super::push::transport::HttpOptions;
use super::push::{HttpTransport, PushEncoder, PushLimits, PushOutput, PushPayload, Transport};
use super::settings::OutputSettings;
use super::{Output, OutputContext};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::metrics::sink::Sink;
use crate::metrics::{Contains, MetricId, Record, TagSet};
use crate::units::redact::redact_typed;
use proto::{
    AnyValue, ExportRequest, Gauge, HistogramDataPoint, InstrumentationScope, KeyValue, MetricData, NumberDataPoint,
    NumberValue, OtlpHistogram, OtlpResource, OtlpSum, ResourceMetrics, ScopeMetrics,
};

/// The gRPC method of every collector.
const METHOD: &str = "opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
/// Sums since the start.
const CUMULATIVE: i32 = 2;

/// Makes the output; its argument says nothing, as in k6.
///
/// # Errors
/// One line for a setting that is malformed.
pub fn new(_argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, Failure> {
    let wrong = |error| format!("error validating OpenTelemetry output config: {error}");
    make(context).map_err(wrong).exit(ExitCode::InvalidConfig)
}

/// The same under the name it had while it was an experiment.
///
/// # Errors
/// As [`new`].
pub fn old(argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, Failure> {
    context.logger.warn("the output `experimental-opentelemetry` is now called `opentelemetry`");
    new(argument, context)
}

fn make(context: &OutputContext) -> Result<Box<dyn Output>, String> {
    let settings = OutputSettings { context, output: "opentelemetry", prefix: "K6_OTEL_", argument: Vec::new() };
    let text =
        |key: &str, variable: &str, default: &str| settings.text(key, variable).unwrap_or_else(|| default.to_owned());
    let flush = settings.time("flushInterval", "FLUSH_INTERVAL", Duration::from_secs(1))?;
    let period = settings.time("exportInterval", "EXPORT_INTERVAL", Duration::from_secs(10))?;
    let protocol = text("exporterProtocol", "EXPORTER_PROTOCOL", "grpc");
    let mut http = HttpOptions {
        is_insecure: settings.flag("tlsInsecureSkipVerify", "TLS_INSECURE_SKIP_VERIFY")?,
        headers: headers(&settings)?,
        root: settings.text("tlsCertificate", "TLS_CERTIFICATE").map(|path| context.path(&path)),
        ..HttpOptions::default()
    };
    let file = |key: &str, variable: &str| settings.text(key, variable).map(|path| context.path(&path));
    http.identity =
        match (file("tlsClientCertificate", "TLS_CLIENT_CERTIFICATE"), file("tlsClientKey", "TLS_CLIENT_KEY")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err("K6_OTEL_TLS_CLIENT_CERTIFICATE and K6_OTEL_TLS_CLIENT_KEY go together".to_owned()),
        };
    let scheme = |is_plain: bool| if is_plain { "http" } else { "https" };
    let (url, description) = match protocol.as_str() {
        "grpc" => {
            let endpoint = text("grpcExporterEndpoint", "GRPC_EXPORTER_ENDPOINT", "localhost:4317");
            let is_plain = settings.flag("grpcExporterInsecure", "GRPC_EXPORTER_INSECURE")?;
            http.is_grpc = true;
            let how = if is_plain { "grpc (insecure)" } else { "grpc" };
            (format!("{}://{endpoint}/{METHOD}", scheme(is_plain)), format!("{how}, {}", redact_typed(&endpoint)))
        }
        "http/protobuf" => {
            let endpoint = text("httpExporterEndpoint", "HTTP_EXPORTER_ENDPOINT", "localhost:4318");
            let path = text("httpExporterURLPath", "HTTP_EXPORTER_URL_PATH", "/v1/metrics");
            let is_plain = settings.flag("httpExporterInsecure", "HTTP_EXPORTER_INSECURE")?;
            http.headers.push(("content-type".to_owned(), "application/x-protobuf".to_owned()));
            let password = text("httpExporterPassword", "HTTP_EXPORTER_PASSWORD", "");
            http.login = settings.text("httpExporterUsername", "HTTP_EXPORTER_USERNAME").map(|user| (user, password));
            let slash = if path.starts_with('/') { "" } else { "/" };
            let url = format!("{}://{endpoint}{slash}{path}", scheme(is_plain));
            (url.clone(), format!("http/protobuf, {}", super::settings::shown(&url)))
        }
        _ => {
            return Err(format!(
                "unsupported exporter protocol \"{protocol}\", only \"grpc\" and \"http/protobuf\" are supported"
            ));
        }
    };
    let service = settings.text("serviceName", "SERVICE_NAME").or_else(|| (context.env)("OTEL_SERVICE_NAME"));
    let service = service.filter(|name| !name.is_empty()).unwrap_or_else(|| "k6".to_owned());
    let version = text("serviceVersion", "SERVICE_VERSION", env!("CARGO_PKG_VERSION"));
    let mut resource = vec![attribute("service.name", &service), attribute("service.version", &version)];
    let further = (context.env)("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    for (name, value) in further.split(',').filter_map(|item| item.split_once('=')) {
        let name = unescaped(name.trim());
        if !resource.iter().any(|known| known.key == name) {
            resource.push(attribute(&name, &unescaped(value.trim())));
        }
    }
    let encoder = OtlpEncoder {
        table: SeriesTable::new(context.registry.clone(), context.logger.clone(), TrendAs::Buckets, labels),
        resource,
        prefix: text("metricPrefix", "METRIC_PREFIX", ""),
        start: now(),
    };
    let limits = PushLimits {
        max_concurrent: 1,
        timeout: Duration::from_secs(5),
        failed: "Failed to export the metrics",
        last_failed: "can't shutdown OpenTelemetry metric provider",
    };
    let transport = Transport::Http(Box::new(HttpTransport::new(&url, http)?));
    // There is nothing new before a flush.
    let period = period.max(flush);
    Ok(Box::new(PushOutput::new(
        format!("opentelemetry ({description})"),
        period,
        encoder,
        transport,
        limits,
        &context.logger,
    )))
}

/// `name=value,name=value`, escaped as in URLs.
fn headers(settings: &OutputSettings<'_>) -> Result<Vec<(String, String)>, String> {
    let listed = settings.text("headers", "HEADERS").unwrap_or_default();
    let items = listed.split(',').filter(|item| !item.is_empty());
    items
        .map(|item| {
            let (name, value) = item
                .split_once('=')
                .ok_or_else(|| format!("`{item}` in K6_OTEL_HEADERS is no header: write `name=value`"))?;
            Ok((unescaped(name.trim()), unescaped(value.trim())))
        })
        .collect()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn labels(tags: &TagSet) -> LabelSet {
    tags.iter().map(|(key, value)| (key.into(), value.into())).collect()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { string_value: Some(value.to_owned()) }) }
}

/// Series as OpenTelemetry has them.
struct OtlpEncoder {
    table: SeriesTable,
    resource: Vec<KeyValue>,
    prefix: String,
    start: u64,
}

impl PushEncoder for OtlpEncoder {
    const IS_CUMULATIVE: bool = true;

    fn take(&mut self, record: &Record) {
        self.table.take(record);
    }

    fn encode(&mut self, _is_last: bool) -> Vec<PushPayload> {
        if self.table.all.is_empty() {
            return Vec::new();
        }
        let time = now();
        let mut metrics: Vec<(MetricId, proto::OtlpMetric)> = Vec::new();
        for series in &self.table.all {
            let known = metrics.iter().position(|(id, _)| *id == series.metric.id);
            let place = known.unwrap_or_else(|| {
                metrics.push((series.metric.id, empty(series, &self.prefix)));
                metrics.len() - 1
            });
            if let Some(data) = &mut metrics[place].1.data {
                append(series, self.start, time, data);
            }
        }
        let request = ExportRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(OtlpResource { attributes: self.resource.clone() }),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(InstrumentationScope { name: "k6".to_owned() }),
                    metrics: metrics.into_iter().map(|(_, metric)| metric).collect(),
                }],
            }],
        };
        vec![PushPayload { body: request.encode_to_vec(), samples: 0 }]
    }
}

/// The metric of a series, without values yet.
fn empty(series: &SeriesEntry, prefix: &str) -> proto::OtlpMetric {
    let sum = || {
        MetricData::Sum(OtlpSum { data_points: Vec::new(), aggregation_temporality: CUMULATIVE, is_monotonic: true })
    };
    let (suffix, data) = match &series.value {
        SeriesValue::Sink(Sink::Counter(_)) => ("", sum()),
        SeriesValue::Sink(Sink::Rate(_)) => (".total", sum()),
        SeriesValue::Sink(_) => ("", MetricData::Gauge(Gauge::default())),
        SeriesValue::Native(_) | SeriesValue::Buckets(_) => {
            ("", MetricData::Histogram(OtlpHistogram { data_points: Vec::new(), aggregation_temporality: CUMULATIVE }))
        }
    };
    let unit = match (&data, series.metric.contains) {
        (MetricData::Histogram(_), Contains::Time) => "ms",
        (MetricData::Histogram(_), Contains::Data) => "By",
        _ => "",
    };
    proto::OtlpMetric {
        name: format!("{prefix}{}{suffix}", series.metric.name),
        unit: unit.to_owned(),
        data: Some(data),
    }
}

/// Adds the values of a series to those of its metric.
fn append(series: &SeriesEntry, start: u64, time: u64, to: &mut MetricData) {
    let attributes = || series.labels.iter().map(|(key, value)| attribute(key, value)).collect::<Vec<_>>();
    let number = |attributes, value| NumberDataPoint {
        attributes,
        start_time_unix_nano: start,
        time_unix_nano: time,
        value: Some(value),
    };
    match (to, &series.value) {
        (MetricData::Sum(sum), SeriesValue::Sink(Sink::Counter(counter))) => {
            sum.data_points.push(number(attributes(), NumberValue::AsDouble(counter.count())));
        }
        (MetricData::Sum(sum), SeriesValue::Sink(Sink::Rate(rate))) => {
            for (condition, count) in [("nonzero", rate.passes), ("zero", rate.fails)] {
                if count > 0 {
                    let mut attributes = attributes();
                    attributes.push(attribute("condition", condition));
                    sum.data_points
                        .push(number(attributes, NumberValue::AsInt(i64::try_from(count).unwrap_or(i64::MAX))));
                }
            }
        }
        (MetricData::Gauge(gauge), SeriesValue::Sink(Sink::Gauge(sink))) => {
            gauge.data_points.push(number(attributes(), NumberValue::AsDouble(sink.value)));
        }
        (MetricData::Histogram(histogram), SeriesValue::Buckets(buckets)) => {
            histogram.data_points.push(HistogramDataPoint {
                attributes: attributes(),
                start_time_unix_nano: start,
                time_unix_nano: time,
                count: buckets.count,
                sum: Some(buckets.sum.value()),
                bucket_counts: buckets.counts.to_vec(),
                explicit_bounds: BOUNDS.to_vec(),
                min: Some(buckets.min),
                max: Some(buckets.max),
            })
        }
        _ => (),
    }
}
