//! `-o statsd`: every sample as a line in datagrams, as k6 sent them until v0.55. Beyond k6 2.3, which refuses it.
//!
//! Counters are `c`, gauges `g`, trends `ms`; a check counts `check.<name>.pass` or `.fail`. Tags only when asked for.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::push::{PushEncoder, PushLimits, PushOutput, PushPayload, Transport, UdpTransport};
use super::settings::OutputSettings;
use super::{Output, OutputContext};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::metrics::{Metric, MetricType, Record, Registry, TagSet};

/// Fits into one Ethernet frame.
const MAX_DATAGRAM_BYTES: usize = 1432;

/// Makes the output.
///
/// # Errors
/// One line for a setting that is malformed.
pub fn new(argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, Failure> {
    make(argument, context).exit(ExitCode::Other)
}

fn make(argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, String> {
    let argument = argument.filter(|text| !text.is_empty()).map(|text| ("addr", text.to_owned()));
    let settings =
        OutputSettings { context, output: "statsd", prefix: "K6_STATSD_", argument: argument.into_iter().collect() };
    let address = settings.text("addr", "ADDR").unwrap_or_else(|| "localhost:8125".to_owned());
    let period = settings.time("pushInterval", "PUSH_INTERVAL", Duration::from_secs(1))?;
    let lines = settings.number("bufferSize", "BUFFER_SIZE", 20)?;
    let lines = usize::try_from(lines).ok().filter(|lines| *lines > 0);
    let lines = lines.ok_or("`bufferSize` (K6_STATSD_BUFFER_SIZE) must be a positive number")?;
    let blocklist = settings.text("tagBlocklist", "TAG_BLOCKLIST").unwrap_or_else(|| "vu,iter,url".to_owned());
    context
        .logger
        .warn("k6 has no output `statsd` since v0.55.0; portable are `experimental-prometheus-rw` and `opentelemetry`");
    let encoder = StatsdEncoder {
        registry: context.registry.clone(),
        metrics: Vec::new(),
        namespace: settings.text("namespace", "NAMESPACE").unwrap_or_else(|| "k6.".to_owned()),
        has_tags: settings.flag("enableTags", "ENABLE_TAGS")?,
        blocked: blocklist.split(',').map(|name| name.trim().to_owned()).collect(),
        body: String::new(),
        samples: 0,
    };
    let transport = Transport::Udp(UdpTransport::new(&address, MAX_DATAGRAM_BYTES, lines)?);
    let failed = "Couldn't send the samples";
    let limits = PushLimits { max_concurrent: 1, timeout: Duration::from_secs(10), failed, last_failed: failed };
    Ok(Box::new(PushOutput::new(format!("statsd ({address})"), period, encoder, transport, limits, &context.logger)))
}

/// Samples as lines.
struct StatsdEncoder {
    registry: Arc<Registry>,
    metrics: Vec<Option<Metric>>,
    namespace: String,
    has_tags: bool,
    blocked: Vec<String>,
    body: String,
    samples: u64,
}

impl PushEncoder for StatsdEncoder {
    const IS_CUMULATIVE: bool = false;

    fn take(&mut self, record: &Record) {
        let tags = record.tags().clone();
        record.each_sample(|id, value| {
            let place = usize::from(id.0);
            if place >= self.metrics.len() {
                self.metrics.resize(place + 1, None);
            }
            if self.metrics[place].is_none() {
                self.metrics[place] = self.registry.get(id);
            }
            let Some(metric) = self.metrics[place].clone() else { return };
            self.line(&metric, value, &tags);
        });
    }

    fn encode(&mut self, _is_last: bool) -> Vec<PushPayload> {
        if self.body.is_empty() {
            return Vec::new();
        }
        let body = std::mem::take(&mut self.body).into_bytes();
        vec![PushPayload { body, samples: std::mem::take(&mut self.samples) }]
    }

    fn waiting(&self) -> usize {
        self.body.len()
    }
}

impl StatsdEncoder {
    fn line(&mut self, metric: &Metric, value: f64, tags: &TagSet) {
        let to = &mut self.body;
        to.push_str(&self.namespace);
        let check = tags.get("check").filter(|name| metric.kind == MetricType::Rate && !name.is_empty());
        // Writing to a string can't fail.
        _ = match (metric.kind, check) {
            (_, Some(check)) => {
                to.push_str("check.");
                clean(check, to);
                to.write_str(if value == 0.0 { ".fail:1|c" } else { ".pass:1|c" })
            }
            (MetricType::Counter | MetricType::Rate, None) => write!(to, "{}:{value}|c", metric.name),
            (MetricType::Gauge, None) => write!(to, "{}:{value}|g", metric.name),
            (MetricType::Trend, None) => write!(to, "{}:{value}|ms", metric.name),
        };
        if self.has_tags {
            let mut sign = "|#";
            for (key, value) in tags
                .iter()
                .filter(|(key, value)| !value.is_empty() && !self.blocked.iter().any(|blocked| blocked == key))
            {
                to.push_str(sign);
                clean(key, to);
                to.push(':');
                clean(value, to);
                sign = ",";
            }
        }
        to.push('\n');
        self.samples += 1;
    }
}

/// A name in a line: what has a meaning there becomes an underscore.
fn clean(text: &str, to: &mut String) {
    to.extend(text.chars().map(|c| if matches!(c, '|' | ',' | '\n' | '#' | '@') { '_' } else { c }));
}
