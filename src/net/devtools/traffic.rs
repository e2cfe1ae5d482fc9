//! What pages are measured by: their requests, in Chromium's own times, and the vitals a script in the page reports.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::message::Head;

/// The name of the function by which the vitals' script reports.
pub const VITALS_BINDING: &str = "volleyReportVital";
/// At most this many requests of one page are followed at a time; what never ends is forgotten.
const MAX_OPEN_REQUESTS: usize = 10_000;

/// Something to be measured.
#[derive(Debug)]
pub enum TrafficEvent {
    /// A request goes out.
    Sent(Arc<RequestFacts>),
    /// Its response is complete.
    Received(Arc<RequestFacts>, RequestEnd),
    /// A page reported a vital.
    Vital(PageVital),
}

/// A request as it goes out.
#[derive(Debug)]
pub struct RequestFacts {
    /// As in `GET`.
    pub method: String,
    /// Where to, without the fragment.
    pub url: String,
    /// Chromium's word for what it is for, as in `Document`.
    pub kind: String,
    /// When, in seconds since the Unix epoch.
    pub wall_time: f64,
    /// When, by Chromium's monotonic clock, in seconds.
    timestamp: f64,
    /// Its size in bytes, as far as Chromium tells.
    pub bytes: f64,
}

/// How a request came to its end.
#[derive(Clone, Debug, Default)]
pub struct RequestEnd {
    /// The status.
    pub status: u16,
    /// As in `http/1.1`.
    pub protocol: String,
    /// How long it took, in milliseconds.
    pub millis: f64,
    /// Bytes that came over the wire.
    pub bytes: f64,
    /// It came from the browser's cache.
    pub from_cache: bool,
    /// It had been fetched ahead.
    pub from_prefetch_cache: bool,
    /// A service worker answered.
    pub from_service_worker: bool,
}

/// One vital of one page.
#[derive(Debug, Deserialize)]
pub struct PageVital {
    /// As in `LCP`.
    pub name: String,
    /// Milliseconds, or a shift without a unit.
    pub value: f64,
    /// `good`, `needs-improvement` or `poor`.
    pub rating: String,
    /// The page.
    pub url: String,
    /// When it was reported, in milliseconds since the Unix epoch.
    pub time: f64,
}

/// The requests of one session that are under way.
#[derive(Debug, Default)]
pub struct SessionTraffic {
    open: FxHashMap<String, OpenRequest>,
}

#[derive(Debug)]
struct OpenRequest {
    facts: Arc<RequestFacts>,
    end: Option<RequestEnd>,
    served_from_cache: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestWillBeSent {
    request_id: String,
    request: SentRequest,
    timestamp: f64,
    wall_time: f64,
    #[serde(default, rename = "type")]
    kind: String,
    redirect_response: Option<ReceivedResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentRequest {
    url: String,
    method: String,
    #[serde(default)]
    headers: serde_json::Map<String, serde_json::Value>,
    post_data: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReceivedResponse {
    status: u16,
    protocol: String,
    from_disk_cache: bool,
    from_prefetch_cache: bool,
    from_service_worker: bool,
    encoded_data_length: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseReceived {
    request_id: String,
    response: ReceivedResponse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestEnded {
    request_id: String,
    #[serde(default)]
    timestamp: f64,
    #[serde(default)]
    encoded_data_length: f64,
}

#[derive(Deserialize)]
struct BindingCalled<'m> {
    #[serde(borrow)]
    name: std::borrow::Cow<'m, str>,
    #[serde(borrow)]
    payload: std::borrow::Cow<'m, str>,
}

impl From<ReceivedResponse> for RequestEnd {
    fn from(response: ReceivedResponse) -> Self {
        Self {
            status: response.status,
            protocol: response.protocol,
            bytes: response.encoded_data_length,
            from_cache: response.from_disk_cache,
            from_prefetch_cache: response.from_prefetch_cache,
            from_service_worker: response.from_service_worker,
            millis: 0.0,
        }
    }
}

impl SessionTraffic {
    /// Reads an event, if it is one of those that are measured.
    pub fn note(&mut self, head: &Head<'_>, found: &mut Vec<TrafficEvent>) {
        match head.method {
            Some("Network.requestWillBeSent") => self.sent(head.params(), found),
            Some("Network.requestServedFromCache") => {
                if let Some(RequestEnded { request_id, .. }) = head.params()
                    && let Some(open) = self.open.get_mut(&request_id)
                {
                    open.served_from_cache = true;
                }
            }
            Some("Network.responseReceived") => {
                if let Some(ResponseReceived { request_id, response }) = head.params()
                    && let Some(open) = self.open.get_mut(&request_id)
                {
                    open.end = Some(response.into());
                }
            }
            Some("Network.loadingFinished") => {
                let Some(RequestEnded { request_id, timestamp, encoded_data_length }) = head.params() else { return };
                let Some(OpenRequest { facts, end: Some(end), served_from_cache }) = self.open.remove(&request_id)
                else {
                    return;
                };
                let millis = ((timestamp - facts.timestamp) * 1000.0).max(0.0);
                let from_cache = end.from_cache || served_from_cache;
                found.push(TrafficEvent::Received(
                    facts,
                    RequestEnd { millis, bytes: encoded_data_length, from_cache, ..end },
                ));
            }
            Some("Network.loadingFailed") => {
                let Some(RequestEnded { request_id, timestamp, .. }) = head.params() else { return };
                // One that failed before it had a response counts as sent only.
                if let Some(OpenRequest { facts, end: Some(end), .. }) = self.open.remove(&request_id) {
                    let millis = ((timestamp - facts.timestamp) * 1000.0).max(0.0);
                    found.push(TrafficEvent::Received(facts, RequestEnd { millis, ..end }));
                }
            }
            Some("Runtime.bindingCalled") => {
                let called: Option<BindingCalled<'_>> = head.params();
                let vital = called
                    .filter(|called| called.name == VITALS_BINDING)
                    .and_then(|called| serde_json::from_str(&called.payload).ok());
                found.extend(vital.map(TrafficEvent::Vital));
            }
            _ => {}
        }
    }

    fn sent(&mut self, event: Option<RequestWillBeSent>, found: &mut Vec<TrafficEvent>) {
        let Some(event) = event else { return };
        if let Some(response) = event.redirect_response
            && let Some(hop) = self.open.remove(&event.request_id)
        {
            let millis = ((event.timestamp - hop.facts.timestamp) * 1000.0).max(0.0);
            found.push(TrafficEvent::Received(hop.facts, RequestEnd { millis, ..response.into() }));
        }
        let request = event.request;
        // What the page makes itself travels over no network.
        if request.url.starts_with("data:") || request.url.starts_with("blob:") || request.url.starts_with("about:") {
            return;
        }
        let line = request.method.len() + " ".len() + request.url.len() + " HTTP/1.1\r\n\r\n".len();
        let headers: usize = request
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.as_str().map_or(0, str::len) + ": \r\n".len())
            .sum();
        let bytes = (line + headers + request.post_data.map_or(0, |body| body.len())) as f64;
        let facts = Arc::new(RequestFacts {
            method: request.method,
            url: request.url,
            kind: event.kind,
            wall_time: event.wall_time,
            timestamp: event.timestamp,
            bytes,
        });
        found.push(TrafficEvent::Sent(facts.clone()));
        if self.open.len() >= MAX_OPEN_REQUESTS {
            self.open.clear();
        }
        self.open.insert(event.request_id, OpenRequest { facts, end: None, served_from_cache: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(messages: &[&str]) -> Vec<String> {
        let (mut traffic, mut found) = (SessionTraffic::default(), Vec::new());
        for message in messages {
            traffic.note(&Head::read(message.as_bytes()).unwrap(), &mut found);
        }
        let shown = |event: TrafficEvent| match event {
            TrafficEvent::Sent(facts) => format!("{} {} {} {}", facts.method, facts.url, facts.kind, facts.bytes),
            TrafficEvent::Received(facts, end) => {
                format!("{} {} {:.0} ms {} {}", facts.url, end.status, end.millis, end.bytes, end.from_cache)
            }
            TrafficEvent::Vital(vital) => format!("{} {} {}", vital.name, vital.value, vital.rating),
        };
        found.into_iter().map(shown).collect()
    }

    const SENT: &str = r#"{"method":"Network.requestWillBeSent","params":{"requestId":"1","request":{"url":"http://h/a","method":"GET","headers":{"A":"b"}},"timestamp":10.5,"wallTime":1000.0,"type":"Document"}}"#;
    const MOVED: &str = r#"{"method":"Network.requestWillBeSent","params":{"requestId":"1","request":{"url":"http://h/b","method":"GET","headers":{}},"timestamp":10.6,"wallTime":1000.1,"type":"Document","redirectResponse":{"status":302,"protocol":"http/1.1","encodedDataLength":90}}}"#;
    const RESPONSE: &str = r#"{"method":"Network.responseReceived","params":{"requestId":"1","response":{"status":200,"protocol":"http/1.1"}}}"#;
    const FINISHED: &str =
        r#"{"method":"Network.loadingFinished","params":{"requestId":"1","timestamp":10.75,"encodedDataLength":321}}"#;
    const FAILED: &str = r#"{"method":"Network.loadingFailed","params":{"requestId":"1","timestamp":10.75}}"#;

    #[test]
    fn each_hop_is_a_request() {
        let expect = [
            "GET http://h/a Document 33",
            "http://h/a 302 100 ms 90 false",
            "GET http://h/b Document 27",
            "http://h/b 200 150 ms 321 false",
        ];
        assert_eq!(noted(&[SENT, MOVED, RESPONSE, FINISHED]), expect);
    }

    #[test]
    fn a_request_without_a_response_was_only_sent() {
        assert_eq!(noted(&[SENT, FAILED]), ["GET http://h/a Document 33"]);
        assert_eq!(noted(&[SENT, RESPONSE, FAILED]).len(), 2);
        assert_eq!(noted(&[RESPONSE, FINISHED]), Vec::<String>::new());
    }

    #[test]
    fn vitals_come_by_their_binding() {
        let vital = |name: &str| {
            format!(
                r#"{{"method":"Runtime.bindingCalled","params":{{"name":"{name}","payload":"{{\"name\":\"FCP\",\"value\":1.5,\"rating\":\"good\",\"url\":\"http://h/\",\"time\":5}}"}}}}"#
            )
        };
        assert_eq!(noted(&[&vital(VITALS_BINDING), &vital("other")]), ["FCP 1.5 good"]);
    }
}
