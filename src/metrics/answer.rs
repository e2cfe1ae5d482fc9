//! Which samples are times of requests, and whether those requests were answered.
//!
//! A refused connection takes 0 ms and a time-out as long as somebody was ready to wait: neither says how fast a target
//! answers. k6's metrics hold all of these times, so totals, thresholds, outputs and exports do, too. What is ours (charts,
//! distributions, endpoints, criteria) has the times of answered requests, and counts the others beside them.

use super::builtin;
use super::metric::MetricId;
use super::system_tags::{SystemTag, SystemTags};
use super::tags::TagSet;

/// Whether the samples of a metric are times of requests, of which some may have no answer.
#[inline]
pub(super) fn is_request_time(metric: MetricId) -> bool {
    let http = builtin::HTTP_REQ_DURATION.0..=builtin::HTTP_REQ_RECEIVING.0;
    http.contains(&metric.0) || metric == builtin::GRPC_REQ_DURATION || metric == builtin::WS_CONNECTING
}

/// gRPC codes that a client gives a call by itself when nothing comes: CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE.
const NO_GRPC_ANSWER: [&str; 3] = ["1", "4", "14"];

/// Whether the request that a time belongs to got an answer, as far as its tags tell: without them, it did.
pub(super) fn has_answer(metric: MetricId, tags: &TagSet, system_tags: SystemTags) -> bool {
    let status = tags.get("status");
    match metric {
        builtin::GRPC_REQ_DURATION => !status.is_some_and(|code| NO_GRPC_ANSWER.contains(&code)),
        // A handshake has the status of its response, if there was one.
        builtin::WS_CONNECTING => status.is_some() || !system_tags.has(SystemTag::Status),
        _ => match (status, tags.get("error_code")) {
            // k6 gives the status 0 where there was no answer.
            (Some(status), _) => status != "0",
            // 1400 to 1599 are the codes of responses with such a status.
            (None, Some(code)) => matches!(code.parse(), Ok(1400..=1599)),
            (None, None) => tags.get("error").is_none(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Interner;

    #[test]
    fn tags_tell_whether_somebody_answered() {
        let check = |metric, tags: &[(&str, &str)], expect: bool| {
            let set = Interner::default().set(tags.iter().copied());
            assert_eq!(has_answer(metric, &set, SystemTags::default()), expect, "{tags:?}");
        };
        let http = builtin::HTTP_REQ_WAITING;
        check(http, &[("status", "200")], true);
        check(http, &[("status", "500"), ("error_code", "1500")], true);
        check(http, &[("status", "0"), ("error_code", "1212")], false);
        check(http, &[("status", "0"), ("error_code", "1050")], false);
        // With some system tags off.
        check(http, &[("error_code", "1212")], false);
        check(http, &[("error_code", "1404")], true);
        check(http, &[("error", "dial: connection refused")], false);
        check(http, &[], true);
        // The code 0 of gRPC is OK.
        let grpc = builtin::GRPC_REQ_DURATION;
        [("0", true), ("5", true), ("14", false), ("4", false), ("1", false)]
            .iter()
            .for_each(|(code, expect)| check(grpc, &[("status", code)], *expect));
        check(grpc, &[], true);
        check(builtin::WS_CONNECTING, &[("status", "101")], true);
        check(builtin::WS_CONNECTING, &[("status", "404")], true);
        check(builtin::WS_CONNECTING, &[("url", "ws://127.0.0.1:9")], false);
        let set = Interner::default().set([("url", "ws://127.0.0.1:9")]);
        assert!(has_answer(builtin::WS_CONNECTING, &set, SystemTags::NONE));
        assert!(!is_request_time(builtin::HTTP_REQS) && !is_request_time(builtin::ITERATION_DURATION));
    }
}
