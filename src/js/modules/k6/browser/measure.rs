//! What pages are measured by, as samples: the metrics `browser_*`.

use std::cell::Cell;
use std::sync::Arc;

use super::super::x;
use crate::js::runtime::VuContext;
use crate::js::value::Throw;
use crate::metrics::system_tags::SystemTag as Tag;
use crate::metrics::{Contains, MetricId, MetricType, Record, Stamp, TagSet};
use crate::net::devtools::{PageVital, RequestEnd, RequestFacts, TrafficEvent};

/// The metrics, in this order.
const METRICS: [(&str, MetricType, Contains); 9] = [
    ("browser_data_sent", MetricType::Counter, Contains::Data),
    ("browser_data_received", MetricType::Counter, Contains::Data),
    ("browser_http_req_duration", MetricType::Trend, Contains::Time),
    ("browser_http_req_failed", MetricType::Rate, Contains::Default),
    ("browser_web_vital_ttfb", MetricType::Trend, Contains::Time),
    ("browser_web_vital_fcp", MetricType::Trend, Contains::Time),
    ("browser_web_vital_lcp", MetricType::Trend, Contains::Time),
    ("browser_web_vital_inp", MetricType::Trend, Contains::Time),
    ("browser_web_vital_cls", MetricType::Trend, Contains::Default),
];
const DATA_SENT: usize = 0;
const DATA_RECEIVED: usize = 1;
const REQ_DURATION: usize = 2;
const REQ_FAILED: usize = 3;
/// The names of the vitals, from this place on.
const VITALS: [&str; 5] = ["TTFB", "FCP", "LCP", "INP", "CLS"];
const FIRST_VITAL: usize = 4;

/// The metrics of a VU that imported the module.
#[derive(Default)]
pub struct BrowserMetrics(Cell<Option<[MetricId; METRICS.len()]>>);

/// Declares the metrics.
///
/// # Errors
/// The script has made another metric with one of the names.
pub fn declare(vu: &VuContext) -> Result<(), Throw> {
    let mut metrics = [None; METRICS.len()];
    for (metric, (name, kind, contains)) in metrics.iter_mut().zip(METRICS) {
        *metric = Some(x::declare(vu, name, kind, contains)?);
    }
    let metrics = metrics.map(|metric| metric.unwrap_or_else(|| unreachable!("each was declared")));
    vu.module_state::<BrowserMetrics>().0.set(Some(metrics));
    Ok(())
}

/// Writes down what was measured; `name` stands in the place of the address, where the script gave one.
pub fn record(vu: &VuContext, event: &TrafficEvent, name: Option<&str>) {
    let Some(metrics) = vu.existing_module_state::<BrowserMetrics>().and_then(|metrics| metrics.0.get()) else {
        return;
    };
    let sample = |metric: usize, value: f64, seconds: f64, tags: &Arc<TagSet>| {
        let (time, metric) = (Stamp((seconds * 1e9) as u64), metrics[metric]);
        vu.record(Record::Sample { time, metric, value, tags: tags.clone(), metadata: vu.metadata() });
    };
    match event {
        TrafficEvent::Sent(facts) => {
            sample(DATA_SENT, facts.bytes, facts.wall_time, &vu.rare_tags_with(&request_tags(vu, facts, name)));
        }
        TrafficEvent::Received(facts, end) => {
            let RequestEnd { status, protocol, millis, bytes, .. } = end;
            let text = |value: bool| if value { "true" } else { "false" };
            let (status_text, on) = (status.to_string(), |tag| vu.script.system_tags.has(tag));
            let mut tags = request_tags(vu, facts, name);
            tags.extend(on(Tag::Status).then_some(("status", status_text.as_str())));
            tags.extend(on(Tag::Proto).then_some(("proto", protocol.as_str())));
            tags.push(("from_cache", text(end.from_cache)));
            tags.push(("from_prefetch_cache", text(end.from_prefetch_cache)));
            tags.push(("from_service_worker", text(end.from_service_worker)));
            let (tags, at) = (vu.rare_tags_with(&tags), facts.wall_time + millis / 1000.0);
            sample(DATA_RECEIVED, *bytes, at, &tags);
            sample(REQ_DURATION, *millis, at, &tags);
            sample(REQ_FAILED, f64::from(u8::from(*status >= 400)), at, &tags);
        }
        TrafficEvent::Vital(PageVital { name: vital, value, rating, url, time }) => {
            let Some(at) = VITALS.iter().position(|known| known == vital) else { return };
            let mut tags = address_tags(vu, url, name);
            tags.push(("rating", rating));
            sample(FIRST_VITAL + at, *value, time / 1000.0, &vu.rare_tags_with(&tags));
        }
    }
}

/// The tags of an address.
fn address_tags<'t>(vu: &VuContext, url: &'t str, name: Option<&'t str>) -> Vec<(&'t str, &'t str)> {
    let shown = name.unwrap_or(url);
    let on = |tag| vu.script.system_tags.has(tag);
    let mut tags = Vec::with_capacity(10);
    tags.extend(on(Tag::Name).then_some(("name", shown)));
    tags.extend(on(Tag::Url).then_some(("url", shown)));
    tags
}

fn request_tags<'t>(vu: &VuContext, facts: &'t RequestFacts, name: Option<&'t str>) -> Vec<(&'t str, &'t str)> {
    let mut tags = address_tags(vu, &facts.url, name);
    tags.extend(vu.script.system_tags.has(Tag::Method).then_some(("method", facts.method.as_str())));
    tags.push(("resource_type", &facts.kind));
    tags
}

/// The address and method of what was measured, by which a script can name it; a vital has no method.
pub fn address(event: &TrafficEvent) -> (&str, &str) {
    match event {
        TrafficEvent::Sent(facts) | TrafficEvent::Received(facts, _) => (&facts.url, &facts.method),
        TrafficEvent::Vital(vital) => (&vital.url, ""),
    }
}
