//! From hops to samples: one record for each, tagged as k6 tags it.

use super::statuses::{Expected, error_code};
use crate::js::runtime::{MetricContext, VuContext};
use crate::metrics::system_tags::SystemTag as Tag;
use crate::metrics::{HttpTimings, Record};
use crate::net::http::Hop;

/// What the script says about the samples of one request.
pub(super) struct UserTags<'r> {
    /// The tag `name` where the URL's template gives one.
    pub name: Option<&'r str>,
    /// The param `tags`.
    pub tags: &'r [(String, String)],
}

/// Writes hops of one exchange down.
pub(super) fn record(
    vu: &VuContext,
    context: &MetricContext,
    hops: &[Hop],
    user: &UserTags<'_>,
    expected: Option<&Expected>,
    is_digest: bool,
) {
    for hop in hops {
        one(vu, context, hop, user, expected, is_digest);
    }
}

fn one(
    vu: &VuContext,
    context: &MetricContext,
    hop: &Hop,
    user: &UserTags<'_>,
    expected: Option<&Expected>,
    is_digest: bool,
) {
    let &UserTags { name, tags: user } = user;
    let on = |tag| vu.script.system_tags.has(tag);
    // Digest takes the credentials out of the URL instead of masking them.
    let clean = if is_digest { hop.url.referer().into() } else { hop.url.clean() };
    let own_name = user.iter().find(|(key, _)| key == "name").map(|(_, name)| name.as_str());
    let name = own_name.or_else(|| context.tags.get("name")).or(name).unwrap_or(&clean);
    let mut status_text = [0u8; 5];
    let status = decimal(hop.status, &mut status_text);
    let mut code_text = [0u8; 5];
    let error_code = error_code(hop.error.as_ref().map(|error| error.code), hop.status);
    let code = decimal(error_code, &mut code_text);
    // The first 401 of a challenge is part of the protocol.
    let is_expected =
        expected.map(|expected| if hop.expects_challenge { hop.status == 401 } else { expected.has(hop.status) });
    let ip;
    let mut pairs: smallvec::SmallVec<[(&str, &str); 12]> = smallvec::SmallVec::new();
    pairs.extend(user.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    if on(Tag::Name) {
        pairs.push(("name", name));
    }
    if on(Tag::Url) {
        pairs.push(("url", name));
    }
    if on(Tag::Method) {
        pairs.push(("method", &hop.method));
    }
    if on(Tag::Status) {
        pairs.push(("status", status));
    }
    if on(Tag::Proto) && hop.error.is_none() {
        pairs.push(("proto", hop.proto));
    }
    if let Some(tls) = &hop.tls {
        if on(Tag::TlsVersion) {
            pairs.push(("tls_version", tls.version));
        }
        if on(Tag::OcspStatus) {
            pairs.push(("ocsp_status", tls.ocsp.status));
        }
    }
    if error_code != 0 && on(Tag::ErrorCode) {
        pairs.push(("error_code", code));
    }
    if let Some(error) = &hop.error
        && on(Tag::Error)
    {
        pairs.push(("error", &error.text));
    }
    if let Some(is_expected) = is_expected
        && on(Tag::ExpectedResponse)
    {
        pairs.push(("expected_response", if is_expected { "true" } else { "false" }));
    }
    if on(Tag::Ip)
        && let Some(remote) = hop.remote
    {
        ip = remote.ip().to_string();
        pairs.push(("ip", &ip));
    }
    let tags = vu.worker.tags_with(&vu.script.interner, &context.tags, &pairs);
    let nanos = |time: std::time::Duration| time.as_nanos() as u64;
    let timings = HttpTimings {
        blocked: nanos(hop.timings.blocked),
        connecting: nanos(hop.timings.connecting),
        tls_handshaking: nanos(hop.timings.tls_handshaking),
        sending: nanos(hop.timings.sending),
        waiting: nanos(hop.timings.waiting),
        receiving: nanos(hop.timings.receiving),
    };
    let time = vu.script.epoch.stamp(hop.ended);
    let failed = is_expected.map(|expected| !expected);
    vu.record(Record::Http { time, timings, failed, tags, metadata: context.metadata.clone() });
}

/// The digits of a small number, without an allocation.
fn decimal(number: u16, buffer: &mut [u8; 5]) -> &str {
    let mut at = buffer.len();
    let mut rest = number;
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}
