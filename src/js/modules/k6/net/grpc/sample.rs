//! From calls to samples, tagged as k6 tags them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::StreamMetrics;
use crate::js::runtime::VuContext;
use crate::metrics::record::millis;
use crate::metrics::system_tags::SystemTag as Tag;
use crate::metrics::{MetricId, Record, SampleMetadata, TagSet, builtin};
use crate::net::grpc::{CallOutcome, GrpcCode};

/// What the sample of a finished call needs.
pub(super) struct Made {
    pub code: GrpcCode,
    pub began: Instant,
    pub ended: Instant,
    pub remote: Option<SocketAddr>,
}

impl Made {
    pub(super) fn of(outcome: &CallOutcome) -> Self {
        let CallOutcome { status, began, ended, remote, .. } = outcome;
        Self { code: status.code, began: *began, ended: *ended, remote: *remote }
    }
}

/// What all samples of one call carry; it is what was in force when the call was made.
pub(super) struct CallTags {
    tags: Arc<TagSet>,
    metadata: Option<SampleMetadata>,
}

impl CallTags {
    /// Those of a call that isn't the script's: of the VU.
    pub(super) fn of_vu(vu: &VuContext) -> Self {
        Self { tags: vu.tags(), metadata: vu.metadata() }
    }
}

/// Those of a call: `url`, `service`, `method`, `name` and the script's own.
pub(super) fn tags(vu: &VuContext, address: &str, path: &str, user: &[(String, String)]) -> CallTags {
    let on = |tag| vu.script.system_tags.has(tag);
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
    let url = format!("{address}{path}");
    let mut pairs: smallvec::SmallVec<[(&str, &str); 8]> = smallvec::SmallVec::new();
    pairs.extend(user.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    if on(Tag::Url) {
        pairs.push(("url", &url));
    }
    if on(Tag::Service) {
        pairs.push(("service", service));
    }
    if on(Tag::Method) {
        pairs.push(("method", method));
    }
    let has_name = user.iter().any(|(key, _)| key == "name") || vu.tags().get("name").is_some();
    if on(Tag::Name) && !has_name {
        pairs.push(("name", path));
    }
    CallTags { tags: vu.tags_with(&pairs), metadata: vu.metadata() }
}

/// Writes the end of a call down.
pub(super) fn duration(vu: &VuContext, call: &CallTags, made: &Made) {
    let on = |tag| vu.script.system_tags.has(tag);
    let (status, ip) = (made.code.0.to_string(), made.remote.map(|remote| remote.ip().to_string()));
    let mut pairs: smallvec::SmallVec<[(&str, &str); 2]> = smallvec::SmallVec::new();
    if on(Tag::Status) {
        pairs.push(("status", &status));
    }
    if let Some(ip) = ip.as_deref().filter(|_| on(Tag::Ip)) {
        pairs.push(("ip", ip));
    }
    let tags = vu.worker.tags_with(&vu.script.interner, &call.tags, &pairs);
    let value = millis(made.ended.saturating_duration_since(made.began).as_nanos() as u64);
    sample(vu, builtin::GRPC_REQ_DURATION, value, (tags, &call.metadata), made.ended);
}

/// What is counted of streams.
pub(super) enum StreamCounter {
    Stream,
    Sent,
    Received,
}

/// Counts one.
pub(super) fn count(vu: &VuContext, what: StreamCounter, call: &CallTags, at: Instant) {
    let metrics = vu.module_state::<StreamMetrics>();
    let Some([streams, sent, received]) = metrics.0.get() else { return };
    let metric = match what {
        StreamCounter::Stream => streams,
        StreamCounter::Sent => sent,
        StreamCounter::Received => received,
    };
    sample(vu, metric, 1.0, (call.tags.clone(), &call.metadata), at);
}

fn sample(
    vu: &VuContext,
    metric: MetricId,
    value: f64,
    (tags, metadata): (Arc<TagSet>, &Option<SampleMetadata>),
    at: Instant,
) {
    let (time, metadata) = (vu.script.epoch.stamp(at), metadata.clone());
    vu.record(Record::Sample { time, metric, value, tags, metadata });
}
