//! From a script's arguments to a request: every key of Params, checked in k6's order with k6's words.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::body::{self, Encoded};
use super::cookies::VuJar;
use super::response::{BodyForm, JsResponse};
use super::statuses::{Expected, VuCallback};
use super::{debug, go, sample, warn_failed};
use crate::execution::precise_timer;
use crate::js::modules::k6::tag_pairs;
use crate::js::runtime::{MetricContext, VuContext};
use crate::js::value::{Args, Throw, Value};
use crate::net::http::proto::headers;
use crate::net::http::{
    Auth, Body, BodyMode, ContentCoding, CookieJar, Exchange, Hop, Protocol, Request, RequestCookie, Url, compress,
};
use crate::net::{RequestHandle, http_client};
use crate::units::Span;
use crate::units::pin_box::pin_box;

/// Arguments no request can be made of.
pub(super) struct InvalidRequestError {
    pub text: String,
    pub code: u16,
}

impl From<String> for InvalidRequestError {
    fn from(text: String) -> Self {
        Self { text, code: 0 }
    }
}

/// A request ready to be sent, and what is to be done with the response.
pub(super) struct JsRequest {
    /// Nobody else has it before it is sent.
    request: Arc<Request>,
    /// The body before compression, as `response.request.body` shows it.
    shown_body: Option<Body>,
    /// The tag `name` where the URL's template or the script gives one.
    name: Option<String>,
    tags: Vec<(String, String)>,
    /// What its samples carry besides: what was in force when it was made.
    context: Rc<MetricContext>,
    expected: Option<Expected>,
    throw: bool,
    form: BodyForm,
    /// The script or an option said how many redirects to follow, so there is no warning when they end.
    limits_redirects: bool,
}

impl JsRequest {
    /// Checks `(method, url, body, params)`.
    pub fn new(vu: &VuContext, mut args: Args) -> Result<Self, InvalidRequestError> {
        let defaults = &vu.script.http;
        let method = args.string(0);
        let (url, template) = url_argument(args.take(1))?;
        let mut prepared = Self {
            request: Arc::new(Request {
                method: known_method(method),
                max_redirects: defaults.max_redirects.0,
                dump_level: defaults.dumping,
                ..Request::get(url)
            }),
            shown_body: None,
            name: template,
            tags: Vec::new(),
            context: vu.contexts.capture(),
            expected: vu.module_state::<VuCallback>().get(),
            throw: vu.script.throw,
            form: if defaults.discard_bodies { BodyForm::None } else { BodyForm::Text },
            limits_redirects: defaults.max_redirects.1,
        };
        let body = args.take(2);
        let params = match args.take(3) {
            Value::Map(map) => map,
            _ => Vec::new(),
        };
        let encoded = body::encode(body, &mut |text| vu.script.log.warn(text))?;
        let mut compression = None;
        for (key, value) in params {
            prepared.param(&key, value, &mut compression)?;
        }
        prepared.finish_request(vu, encoded, compression)?;
        Ok(prepared)
    }

    fn param(&mut self, key: &str, value: Value, compression: &mut Option<String>) -> Result<(), InvalidRequestError> {
        let request = Arc::make_mut(&mut self.request);
        match (key, value) {
            (_, Value::Undefined) => {}
            ("headers", Value::Map(map)) => {
                request.headers = map.into_iter().map(|(name, value)| (name, go::string_of(&value))).collect();
            }
            ("cookies", Value::Map(map)) => request.cookies = map.into_iter().filter_map(cookie).collect(),
            ("jar", Value::Resource(jar)) => {
                if let Ok(jar) = jar.downcast::<Arc<CookieJar>>() {
                    request.jar = Some((*jar).clone());
                }
            }
            ("redirects", count) => {
                // NaN and everything negative follow none.
                request.max_redirects = number(&count).max(0.0) as u32;
                self.limits_redirects = true;
            }
            ("tags" | "auth", Value::Null) => {}
            ("tags", tags) => {
                self.tags = tag_pairs(tags).map_err(|throw| match throw {
                    Throw::Error { message, .. } => format!("invalid HTTP request metric tags: {message}"),
                    other => other.report(),
                })?;
            }
            ("auth", Value::String(kind)) => {
                request.auth = match kind.as_str() {
                    "digest" => Auth::Digest,
                    "ntlm" => Auth::Ntlm,
                    _ => Auth::None,
                };
            }
            ("timeout", value) => request.timeout = timeout(value)?,
            ("throw", throw) => self.throw = is_true(&throw),
            ("compression", Value::String(list)) => *compression = Some(list).filter(|list| !list.is_empty()),
            ("responseType", Value::String(kind)) => {
                self.form = match kind.as_str() {
                    "text" => BodyForm::Text,
                    "binary" => BodyForm::Binary,
                    "none" => BodyForm::None,
                    other => return Err(format!("{other} does not belong to ResponseType values").into()),
                };
            }
            ("protocol", Value::String(name)) if name == "h2c" && !request.url.is_https() => {
                request.protocol = Protocol::H2c;
            }
            ("protocol", value) => {
                let text = "`protocol` can only be 'h2c' (HTTP/2 without TLS), and only for http:// URLs";
                return Err(format!("{text}, not '{}'", go::text_of(&value)).into());
            }
            ("responseCallback", Value::Null) => self.expected = None,
            ("responseCallback", Value::Resource(callback)) => {
                self.expected = callback.downcast::<Expected>().ok().map(|expected| (*expected).clone());
            }
            ("responseCallback", _) => return Err("unsupported responseCallback".to_owned().into()),
            _ => {}
        }
        Ok(())
    }

    /// Headers k6 sets by itself, the jar, the body as it goes over the wire.
    fn finish_request(
        &mut self,
        vu: &VuContext,
        encoded: Encoded,
        compression: Option<String>,
    ) -> Result<(), InvalidRequestError> {
        let request = Arc::make_mut(&mut self.request);
        for (name, _) in &mut request.headers {
            headers::canonicalise(name);
        }
        let has = |request: &Request, name: &str| request.headers.iter().any(|(known, _)| known == name);
        // An empty one is shown, and not sent.
        if !has(request, "User-Agent") {
            request.headers.push(("User-Agent".to_owned(), vu.script.http.user_agent.clone()));
        }
        if let Some(kind) = encoded.content_type
            && !has(request, "Content-Type")
        {
            request.headers.push(("Content-Type".to_owned(), kind));
        }
        self.shown_body = encoded.shown;
        request.body = encoded.body;
        // Methods that rarely have a body go without one rather than with an empty one.
        if matches!(request.body, Some(Body::EmptyChunked))
            && matches!(&*request.method, "GET" | "HEAD" | "DELETE" | "OPTIONS" | "PROPFIND" | "SEARCH")
        {
            request.body = None;
        }
        let codings = ContentCoding::parse_list(&compression.unwrap_or_default())?;
        if !codings.is_empty() {
            pack_body(vu, request, &codings)?;
        }
        let length = request.body.as_ref().map_or(0, Body::len);
        if let Some(at) = request.headers.iter().position(|(name, _)| name == "Content-Length") {
            let (_, given) = request.headers.remove(at);
            if !given.is_empty() && given != length.to_string() {
                vu.script.log.warn(format!(
                    "The specified Content-Length header {given:?} in the {} request for {} doesn't match the actual \
                     request body length of {length}, so it will be ignored!",
                    request.method,
                    request.url.as_str()
                ));
            }
        }
        request.jar.get_or_insert_with(|| vu.module_state::<VuJar>().get());
        if self.form == BodyForm::None {
            request.body_mode = BodyMode::Discard;
        }
        Ok(())
    }

    /// Where it goes, for limits per host.
    pub fn host(&self) -> String {
        self.request.url.host().to_owned()
    }

    /// Sends it. The future waits for the whole exchange and writes the samples down; dropped before that, it writes
    /// down those of the hops that had ended. `is_awaited` says that the VU does nothing else meanwhile.
    pub fn send(
        self,
        vu: &VuContext,
        is_awaited: bool,
    ) -> impl Future<Output = Box<(Self, Box<Exchange>)>> + Unpin + use<> {
        let turn = vu.script.rate_limit.as_ref().map(crate::js::runtime::script::RateLimit::turn);
        let mut unfinished = PendingRequest { prepared: Some(self), vu: vu.rc(), sent: None };
        // It is several KB and handed on a few times: boxed, as is what comes of it.
        pin_box(|| async move {
            if let Some(turn) = turn {
                precise_timer::sleep_until(turn).await;
            }
            let exchange = unfinished.exchange(is_awaited).await;
            Box::new(unfinished.finish(exchange))
        })
    }

    /// Writes the samples of hops down.
    fn record(&self, vu: &VuContext, hops: &[Hop]) {
        let is_digest = matches!(self.request.auth, Auth::Digest);
        let user = sample::UserTags { name: self.name.as_deref(), tags: &self.tags };
        sample::record(vu, &self.context, hops, &user, self.expected.as_ref(), is_digest);
    }

    /// Warns or throws where it failed, and makes the response.
    pub fn finish(&self, vu: &VuContext, exchange: Box<Exchange>) -> Result<Rc<JsResponse>, Throw> {
        debug::log(vu, &self.context, &exchange.dumps, &self.tags);
        if exchange.stopped_redirecting && !self.limits_redirects {
            let url = self.request.url.clean().into_owned();
            vu.script.log.log(
                crate::log::Level::Warning,
                format!(
                    "Stopped after {} redirects and returned the redirection; pass {{ redirects: n }} in request \
                     params or set global maxRedirects to silence this",
                    self.request.max_redirects + 1
                ),
                vec![("url", url.into())],
            );
        }
        if let Err(error) = &exchange.result {
            // Code 0 always throws: what came back is no response.
            if self.throw || error.code == 0 {
                return Err(Throw::go(error.full.clone()));
            }
            warn_failed(vu, &error.full);
        }
        Ok(JsResponse::new(vu, exchange, self.request.clone(), self.shown_body.clone(), self.form))
    }
}

/// A request under way. However its iteration ends, the responses of the server are counted.
struct PendingRequest {
    /// Gone once it is finished.
    prepared: Option<JsRequest>,
    vu: Rc<VuContext>,
    sent: Option<RequestHandle>,
}

impl PendingRequest {
    async fn exchange(&mut self, is_awaited: bool) -> Box<Exchange> {
        let Some(prepared) = &self.prepared else { unreachable!("a request is started before it is finished") };
        let request = prepared.request.clone();
        let started = self.vu.http.start(request);
        self.sent = Some(started.handle());
        if is_awaited { started.run().await } else { http_client::apart(started).await }
    }

    fn finish(mut self, exchange: Box<Exchange>) -> (JsRequest, Box<Exchange>) {
        let Some(prepared) = self.prepared.take() else { unreachable!("a request is finished once") };
        prepared.record(&self.vu, &exchange.hops);
        (prepared, exchange)
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        if let (Some(prepared), Some(sent)) = (&self.prepared, &self.sent) {
            prepared.record(&self.vu, &sent.take_ended());
        }
    }
}

/// Compresses the body, if there is one. On its own, as compressors want 18 KB of the stack, which each VU would keep.
#[inline(never)]
fn pack_body(vu: &VuContext, request: &mut Request, codings: &[ContentCoding]) -> Result<(), InvalidRequestError> {
    let Some(body) = request.body.as_ref().filter(|body| !body.is_empty()) else { return Ok(()) };
    let packed = compress(codings, body.joined()).map_err(|error| error.to_string())?;
    let encoding = ContentCoding::header(codings);
    request.body = Some(Body::Bytes(packed));
    match request.headers.iter().find(|(name, _)| name == "Content-Encoding") {
        None => request.headers.push(("Content-Encoding".to_owned(), encoding)),
        Some((_, own)) if *own != encoding => vu.script.log.warn(format!(
            "There's a mismatch between the desired `compression` the manually set `Content-Encoding` header \
             in the {} request for '{}', the custom header has precedence and won't be overwritten. This may \
             result in invalid data being sent to the server.",
            request.method,
            request.url.as_str()
        )),
        Some(_) => {}
    }
    Ok(())
}

/// The method; those that all scripts use are copied again and again without a piece of memory of their own.
fn known_method(method: String) -> Cow<'static, str> {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).map_or(Cow::Owned(method), Cow::Borrowed)
}

fn url_argument(url: Value) -> Result<(Url, Option<String>), InvalidRequestError> {
    let refuse = |text: String| InvalidRequestError { text: format!("invalid URL: {text}"), code: 1020 };
    let (text, name) = match url {
        Value::String(text) => (text, None),
        Value::Map(map) if map.iter().any(|(key, _)| key == "clean_url") => {
            let text = |wanted: &str| {
                let found = map.iter().find(|(key, _)| key == wanted);
                found.map(|(_, value)| go::string_of(value)).unwrap_or_default()
            };
            let (name, url) = (text("name"), text("url"));
            // A template without substitutions names nothing.
            let name = Some(name).filter(|name| *name != url);
            (url, name)
        }
        other => return Err(refuse(format!("'#{}'", go::text_of(&other)))),
    };
    let url = Url::parse(&text).map_err(refuse)?;
    Ok((url, name))
}

fn timeout(value: Value) -> Result<Duration, InvalidRequestError> {
    let refuse = |text: String| InvalidRequestError::from(format!("invalid timeout value: {text}"));
    match value {
        Value::Number(ms) => Ok(Span::from_millis(ms).to_duration()),
        Value::String(text) => match text.parse::<f64>() {
            Ok(ms) => Ok(Span::from_millis(ms).to_duration()),
            Err(_) => Span::parse(&text).map(Span::to_duration).map_err(refuse),
        },
        Value::Null => Err(refuse("unable to use type <nil> as a duration value".to_owned())),
        Value::Bool(_) => Err(refuse("unable to use type bool as a duration value".to_owned())),
        _ => Err(refuse("unable to use type map[string]interface {} as a duration value".to_owned())),
    }
}

/// As JavaScript converts to a number, as far as params need it.
pub(super) fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::String(text) => text.trim().parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// As JavaScript's `Boolean(value)`.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Undefined | Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// One of `params.cookies`: a value, or an object with `value` and `replace`.
fn cookie((name, value): (String, Value)) -> Option<RequestCookie> {
    let mut cookie = RequestCookie { name, value: String::new(), replace: false };
    match value {
        Value::Undefined | Value::Null => return None,
        Value::Map(map) => {
            for (key, value) in map {
                match key.as_str() {
                    "value" if !matches!(value, Value::Undefined | Value::Null) => cookie.value = go::string_of(&value),
                    "replace" => cookie.replace = is_true(&value),
                    _ => {}
                }
            }
        }
        other => cookie.value = go::string_of(&other),
    }
    Some(cookie)
}
