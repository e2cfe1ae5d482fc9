//! `k6/x/sse`: streams of events the VU waits for. JavaScript runs the loop: it asks for what comes next and waits for it here.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::super::super::Op;
use super::super::http::{VuJar, go, jar_of};
use super::super::tag_pairs;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::record::millis;
use crate::metrics::system_tags::SystemTag as Tag;
use crate::metrics::{Contains, MetricId, MetricType, Record, SampleMetadata, TagSet, builtin};
use crate::net::http::Url;
use crate::net::http::proto::headers::RequestHeaders;
use crate::net::remote::Remote;
use crate::net::sse::{SseNext, SseOpened, SseRequest, SseStream};
use crate::units::duration::Span;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("declare", declare), ("begin", begin), ("next", next), ("finish", finish)];

/// What events are counted in, known once the module was imported.
#[derive(Default)]
struct SseMetrics(Cell<Option<MetricId>>);

/// Declares the metric.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let metric = super::declare(vu, "sse_event", MetricType::Counter, Contains::Default)?;
    vu.module_state::<SseMetrics>().0.set(Some(metric));
    Ok(Value::Undefined)
}

/// What a script's stream stands for.
struct JsSse {
    /// Gone once the stream is over, and the connection with it.
    remote: RefCell<Option<Remote<SseStream>>>,
    events: MetricId,
    began: Instant,
    tags: Arc<TagSet>,
    metadata: Option<SampleMetadata>,
    is_over: Cell<bool>,
}

impl JsSse {
    fn sample(&self, vu: &VuContext, metric: MetricId, value: f64, at: Instant) {
        let (time, tags) = (vu.script.epoch.stamp(at), self.tags.clone());
        vu.record(Record::Sample { time, metric, value, tags, metadata: self.metadata.clone() });
    }

    /// Closes the stream and counts it, once.
    fn count(&self, vu: &VuContext) {
        drop(self.remote.borrow_mut().take());
        if !self.is_over.replace(true) {
            let now = Instant::now();
            self.sample(vu, builtin::HTTP_REQS, 1.0, now);
            self.sample(vu, builtin::HTTP_REQ_DURATION, millis((now - self.began).as_nanos() as u64), now);
        }
    }
}

/// What a script wants of a stream.
#[derive(Default)]
struct SseParams {
    method: Option<String>,
    body: Option<bytes::Bytes>,
    headers: Vec<(String, String)>,
    tags: Vec<(String, String)>,
    jar: Option<Arc<crate::net::http::CookieJar>>,
    deadline: Option<Instant>,
}

fn read_params(given: Value) -> Result<SseParams, Throw> {
    let mut params = SseParams::default();
    let Value::Map(given) = given else { return Ok(params) };
    for (key, value) in given.into_iter().filter(|(_, value)| !matches!(value, Value::Undefined | Value::Null)) {
        match (key.as_str(), value) {
            ("method", value) => params.method = Some(go::string_of(&value).trim().to_uppercase()),
            ("body", Value::Bytes(bytes)) => params.body = Some(bytes),
            ("body", value) => params.body = Some(go::string_of(&value).into()),
            ("headers", Value::Map(map)) => {
                params.headers = map.into_iter().map(|(name, value)| (name, go::string_of(&value))).collect();
            }
            ("tags", tags) => {
                params.tags = tag_pairs(tags)
                    .map_err(|throw| Throw::go(format!("invalid sse.open() metric tags: {}", throw.report())))?;
            }
            ("jar", value) => params.jar = jar_of(&value),
            ("timeout", value) => {
                let span = match &value {
                    Value::Number(millis) => Ok(Span::from_millis(*millis)),
                    other => Span::parse_go(&go::string_of(other)),
                };
                let span = span.map_err(|text| Throw::go(format!("invalid sse.open() timeout: {text}")))?;
                params.deadline = Instant::now().checked_add(span.to_duration());
            }
            _ => {}
        }
    }
    Ok(params)
}

fn response(url: &str, status: u16, headers: Vec<(String, Value)>, error: &str) -> Value {
    let fields = [
        ("url", Value::from(url)),
        ("status", Value::Number(f64::from(status))),
        ("headers", Value::Map(headers)),
        ("error", error.into()),
    ];
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// `(url, params)` -> the response, and a stream if there is one.
fn begin(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        return Err(Throw::go("using sse in the init context is not supported"));
    }
    let events = vu.module_state::<SseMetrics>().0.get();
    let events = events.unwrap_or_else(|| unreachable!("the module declares its metric when it is imported"));
    let address = args.string(0);
    let params = read_params(args.take(1))?;
    let mut headers = params.headers;
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("User-Agent")) {
        let agent = &vu.script.http.user_agent;
        headers.extend((!agent.is_empty()).then(|| ("User-Agent".to_owned(), agent.clone())));
    }
    let jar = params.jar.unwrap_or_else(|| vu.module_state::<VuJar>().get());
    let request = Url::parse(&address).and_then(|url| {
        let headers = RequestHeaders::new(&headers).map_err(|error| error.cause().to_owned())?;
        let method = params.method.filter(|method| !method.is_empty()).unwrap_or_else(|| "GET".to_owned());
        Ok(SseRequest { url, method, headers, body: params.body, jar: Some(jar), deadline: params.deadline })
    });
    let remote = Remote::new(&vu.client, SseStream::new);
    let opened = match request {
        Ok(request) => {
            let opened = remote.call(move |stream| async move { stream.open(request).await });
            vu.wait(opened)?.ok_or(Throw::Stop)?
        }
        Err(text) => Err(text),
    };
    let SseOpened { status, headers, remote: ip, began, connected } = match opened {
        Ok(opened) => opened,
        Err(text) if vu.script.throw => return Err(Throw::go(text)),
        Err(text) => {
            vu.script.log.warn(format!("Attempt to establish a SSE connection failed: {text}"));
            return Ok(Value::Map(vec![("response".to_owned(), response(&address, 0, Vec::new(), &text))]));
        }
    };
    let on = |tag| vu.script.system_tags.has(tag);
    let (status_text, ip) = (status.to_string(), ip.to_string());
    let mut pairs: Vec<(&str, &str)> =
        params.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (tag, name, value) in [(Tag::Url, "url", &address), (Tag::Status, "status", &status_text), (Tag::Ip, "ip", &ip)]
    {
        if on(tag) {
            pairs.push((name, value));
        }
    }
    let tags = vu.tags_with(&pairs);
    let stream = JsSse {
        remote: RefCell::new(Some(remote)),
        events,
        began,
        tags,
        metadata: vu.metadata(),
        is_over: Cell::new(false),
    };
    stream.sample(vu, builtin::HTTP_REQ_SENDING, millis((connected - began).as_nanos() as u64), connected);
    let mut shown: Vec<(String, Value)> = Vec::new();
    for (name, value) in headers.iter() {
        match shown.iter_mut().find(|(known, _)| known == name) {
            Some((_, Value::String(all))) => *all += &format!(", {value}"),
            _ => shown.push((name.to_owned(), value.into())),
        }
    }
    Ok(Value::Map(vec![
        ("response".to_owned(), response(&address, status, shown, "")),
        ("stream".to_owned(), Value::Resource(Rc::new(stream))),
    ]))
}

/// `(stream)` -> what comes next; nothing at the end.
fn next(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let stream = args.resource::<JsSse>(0)?;
    let next = stream.remote.borrow().as_ref().map(|remote| remote.call(|stream| async move { stream.next().await }));
    let Some(next) = next else { return Ok(Value::Undefined) };
    let next = vu.wait(next);
    let next = match next {
        Ok(next) => next.unwrap_or(SseNext::End),
        Err(throw) => {
            // It is counted also when its iteration is cut off.
            stream.count(vu);
            return Err(throw);
        }
    };
    let failed = |text: String, is_last: bool| {
        Value::Map(vec![("failed".to_owned(), text.into()), ("isLast".to_owned(), Value::Bool(is_last))])
    };
    Ok(match next {
        SseNext::Event(event, at) => {
            stream.sample(vu, stream.events, 1.0, at);
            vu.note_given(event.data.len());
            let fields = [("id", event.id), ("name", event.name), ("data", event.data), ("comment", event.comment)];
            let event = Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect());
            Value::Map(vec![("event".to_owned(), event)])
        }
        SseNext::Unknown(text) => failed(text, false),
        SseNext::Failed(text) => failed(text, true),
        SseNext::End => Value::Undefined,
    })
}

/// `(stream)`: the script is done with it.
fn finish(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<JsSse>(0)?.count(vu);
    Ok(Value::Undefined)
}
