//! A response as a script reads it, field by field: what no script reads is never converted.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::statuses::error_code;
use super::{gjson, json_text};
use crate::js::engine::direct::{Local, Look, Scope, leave_method_to, resource_of};
use crate::js::modules::cpu_pool;
use crate::js::modules::k6::html;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, JsonPart, Throw, Value, text_of};
use crate::net::http::{Body, Exchange, Request};
use crate::net::tls::Ocsp;

/// Bodies of more bytes are read on the CPU pool.
const OFF_THREAD_LEN: usize = 256 * 1024;

/// What `response.body` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyForm {
    /// A string.
    Text,
    /// An ArrayBuffer.
    Binary,
    /// `null`; the bytes were dropped as they came.
    None,
}

/// One response.
pub(super) struct JsResponse {
    exchange: Option<Box<Exchange>>,
    request: Option<Arc<Request>>,
    shown_body: Option<Body>,
    form: BodyForm,
    request_error: (String, u16),
    /// The body as a document, parsed when it is first asked for.
    document: OnceCell<Rc<html::Document>>,
}

impl JsResponse {
    pub fn new(
        vu: &VuContext,
        exchange: Box<Exchange>,
        request: Arc<Request>,
        shown_body: Option<Body>,
        form: BodyForm,
    ) -> Rc<Self> {
        let answer = Self {
            exchange: Some(exchange),
            request: Some(request),
            shown_body,
            form,
            request_error: (String::new(), 0),
            document: OnceCell::new(),
        };
        vu.note_given(answer.weight());
        Rc::new(answer)
    }

    /// The response to arguments no request could be made of.
    pub fn of_error(text: String, code: u16) -> Rc<Self> {
        let (exchange, request, shown_body, document) = (None, None, None, OnceCell::new());
        Rc::new(Self { exchange, request, shown_body, form: BodyForm::Text, request_error: (text, code), document })
    }

    /// How many bytes of memory hang on it.
    fn weight(&self) -> usize {
        let head = match self.exchange.as_ref().map(|exchange| &exchange.result) {
            Some(Ok(response)) => response.head_weight(),
            _ => 0,
        };
        self.body().map_or(0, Bytes::len) + head
    }

    /// The body, where there is one.
    fn body(&self) -> Option<&Bytes> {
        match &self.exchange.as_ref()?.result {
            Ok(response) => response.body.as_ref(),
            Err(error) => error.body.as_ref(),
        }
    }
}

/// The fields of a response, in k6's order, and its methods.
const FIELDS: [&str; 16] = [
    "remote_ip",
    "remote_port",
    "url",
    "status",
    "status_text",
    "proto",
    "headers",
    "cookies",
    "body",
    "timings",
    "tls_version",
    "tls_cipher_suite",
    "ocsp",
    "error",
    "error_code",
    "request",
];
const METHODS: [&str; 4] = ["clickLink", "html", "json", "submitForm"];

/// The names of all fields and methods.
pub(super) fn field_names(_vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::List(FIELDS.iter().chain(&METHODS).map(|name| Value::from(*name)).collect()))
}

/// `(name)`: whether a response has such a field.
pub(super) fn is_field(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    Ok(Value::Bool(FIELDS.contains(&args.string(0).as_str())))
}

/// `(name, value)` -> the value as a field of this name holds it; undefined for one that holds anything.
pub(super) fn assign(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let name = args.string(0);
    Ok(match name.as_str() {
        "remote_port" | "status" | "error_code" => {
            let number = args.number(1);
            Value::Number(if number.is_finite() { number.trunc() } else { 0.0 })
        }
        "headers" | "cookies" | "body" | "timings" | "ocsp" | "request" => Value::Undefined,
        _ => match args.get(1) {
            Value::Undefined | Value::Null => Value::String(String::new()),
            value => Value::String(super::go::string_of(value)),
        },
    })
}

/// `get(answer, key)`: what a response has under a name, made with a function that returns its methods and keeps them in an object
/// by a name, the symbol that natives go by, this object and this name. Objects and bodies are kept with the answer: what a script changes in `headers` stays changed.
pub(super) fn get(_vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let (target, key, methods, native) = (scope.arg(0), scope.arg(1), scope.data(0), scope.data(1));
    if let Some(kept) = scope.own(target, key)? {
        return Ok(kept);
    }
    if scope.look(key) == Look::Text {
        let answer = resource_of::<JsResponse>(scope, target);
        let name = scope.text(key);
        let value = answer.map_or(Value::Undefined, |answer| field_of(&answer, &name));
        if !matches!(value, Value::Undefined) {
            let is_kept = name == "body" || matches!(value, Value::Map(_) | Value::Record(..) | Value::List(_));
            let value = scope.make(value)?;
            if is_kept {
                scope.put(target, key, value)?;
            }
            return Ok(value);
        }
    } else if scope.is_same(key, native) {
        return Ok(target);
    }
    let (keeper, name) = (scope.data(2), scope.data(3));
    let methods = match scope.own(keeper, name)? {
        Some(kept) => kept,
        None => scope.call(methods, &[])?,
    };
    scope.get(methods, key)
}

/// A field of a response; undefined where it has none of this name.
fn field_of(answer: &JsResponse, name: &str) -> Value {
    let exchange = answer.exchange.as_ref();
    let response = exchange.and_then(|exchange| exchange.result.as_ref().ok());
    let error = exchange.and_then(|exchange| exchange.result.as_ref().err());
    let hop = exchange.and_then(|exchange| exchange.hops.last());
    let tls = hop.and_then(|hop| hop.tls.as_ref());
    match name {
        "remote_ip" => hop.and_then(|hop| hop.remote).map_or_else(String::new, |remote| remote.ip().to_string()).into(),
        "remote_port" => Value::Number(hop.and_then(|hop| hop.remote).map_or(0.0, |remote| f64::from(remote.port()))),
        "url" => exchange.map_or_else(String::new, |exchange| exchange.url.as_str().to_owned()).into(),
        "status" => Value::Number(response.map_or(0.0, |response| f64::from(response.status))),
        "status_text" => response.map_or("", |response| response.status_text.as_str()).into(),
        "proto" => response.map_or("", |response| response.proto).into(),
        "headers" => Value::Map(response.map_or_else(Vec::new, |response| {
            response.headers.joined().into_iter().map(|(name, value)| (name, value.into())).collect()
        })),
        "cookies" => Value::Map(response.map_or_else(Vec::new, |response| cookies(&response.cookies))),
        "body" => body(answer),
        "timings" => timings(hop),
        "tls_version" => tls.map_or("", |tls| tls.version).into(),
        "tls_cipher_suite" => tls.map_or("", |tls| tls.cipher).into(),
        "ocsp" => ocsp(tls.map(|tls| &tls.ocsp)),
        "error" => error.map_or(answer.request_error.0.as_str(), |error| &*error.text).into(),
        "error_code" => Value::Number(f64::from(match exchange {
            Some(_) => error_code(error.map(|error| error.code), response.map_or(0, |response| response.status)),
            None => answer.request_error.1,
        })),
        "request" => answer.request.as_ref().map_or(Value::Null, |request| {
            request_fields(
                request,
                exchange.and_then(|exchange| exchange.cookie.as_deref()),
                answer.shown_body.as_ref(),
            )
        }),
        _ => Value::Undefined,
    }
}

/// Go's zero time in milliseconds: what k6 shows for a cookie without an expiry.
const NEVER: f64 = -6_795_364_578_871.0;

fn cookies(list: &[crate::net::http::Cookie]) -> Vec<(String, Value)> {
    let mut map: Vec<(String, Value)> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::with_capacity(list.len());
    for cookie in list {
        let value = Value::Map(vec![
            ("name".to_owned(), cookie.name.clone().into()),
            ("value".to_owned(), cookie.value.clone().into()),
            ("domain".to_owned(), cookie.domain.clone().into()),
            ("path".to_owned(), cookie.path.clone().into()),
            ("http_only".to_owned(), cookie.http_only.into()),
            ("secure".to_owned(), cookie.secure.into()),
            ("max_age".to_owned(), Value::Number(cookie.max_age as f64)),
            ("expires".to_owned(), Value::Number(cookie.expires.map_or(NEVER, |secs| secs as f64 * 1000.0))),
        ]);
        let at = *index.entry(&cookie.name).or_insert(map.len());
        match map.get_mut(at) {
            Some((_, Value::List(same))) => same.push(value),
            _ => map.push((cookie.name.clone(), Value::List(vec![value]))),
        }
    }
    map
}

fn body(answer: &JsResponse) -> Value {
    if answer.exchange.is_none() {
        // k6 has an empty byte slice here, which a script sees as an empty array.
        return Value::List(Vec::new());
    }
    match (answer.form, answer.body()) {
        (BodyForm::None, _) | (_, None) => Value::Null,
        (BodyForm::Text, Some(bytes)) => Value::String(text_of(bytes)),
        (BodyForm::Binary, Some(bytes)) => Value::Bytes(bytes.clone()),
    }
}

fn timings(hop: Option<&crate::net::http::Hop>) -> Value {
    let timings = hop.map(|hop| hop.timings).unwrap_or_default();
    let ms = |time: std::time::Duration| Value::Number(time.as_nanos() as f64 / 1e6);
    Value::Record(
        &["duration", "blocked", "looking_up", "connecting", "tls_handshaking", "sending", "waiting", "receiving"],
        vec![
            ms(timings.duration()),
            ms(timings.blocked),
            Value::Number(0.0),
            ms(timings.connecting),
            ms(timings.tls_handshaking),
            ms(timings.sending),
            ms(timings.waiting),
            ms(timings.receiving),
        ],
    )
}

fn ocsp(stapled: Option<&Ocsp>) -> Value {
    // Without TLS everything is empty.
    let ocsp = stapled.copied().unwrap_or(Ocsp { status: "", ..Ocsp::NONE });
    let seconds = |time: i64| Value::Number(time as f64);
    Value::Map(vec![
        ("produced_at".to_owned(), seconds(ocsp.produced_at)),
        ("this_update".to_owned(), seconds(ocsp.this_update)),
        ("next_update".to_owned(), seconds(ocsp.next_update)),
        ("revoked_at".to_owned(), seconds(ocsp.revoked_at)),
        ("revocation_reason".to_owned(), ocsp.revocation_reason.into()),
        ("status".to_owned(), ocsp.status.into()),
    ])
}

fn request_fields(request: &Request, cookie: Option<&str>, body: Option<&Body>) -> Value {
    let cookie = cookie.map(|cookie| ("Cookie".to_owned(), cookie.to_owned()));
    let own = request.headers.iter().filter(|(name, _)| cookie.is_none() || name != "Cookie");
    let headers = own.chain(&cookie).map(|(name, value)| (name.clone(), Value::List(vec![value.clone().into()])));
    let cookies = request.cookies.iter().map(|cookie| {
        let fields = vec![
            ("name".to_owned(), cookie.name.clone().into()),
            ("value".to_owned(), cookie.value.clone().into()),
            ("replace".to_owned(), cookie.replace.into()),
        ];
        (cookie.name.clone(), Value::List(vec![Value::Map(fields)]))
    });
    Value::Map(vec![
        ("method".to_owned(), (&*request.method).into()),
        ("url".to_owned(), request.url.as_str().into()),
        ("headers".to_owned(), Value::Map(headers.collect())),
        ("body".to_owned(), text_of(&body.map(Body::joined).unwrap_or_default()).into()),
        ("cookies".to_owned(), Value::Map(cookies.collect())),
    ])
}

/// `(answer, selector)` -> the body as data, or what the selector finds in it.
pub(super) fn json(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let answer = args.resource::<JsResponse>(0)?;
    let selector = match args.take(1) {
        Value::String(selector) => Some(selector),
        _ => None,
    };
    data_of(vu, &answer, selector)
}

/// `response.json(selector)`, made with a function that says what is wrong, the symbol that natives go by, and the one that data
/// read whole is kept under: every call without a selector gives the same.
pub(super) fn json_direct(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let (this, argument, native, parsed) = (scope.this(), scope.arg(0), scope.data(1), scope.data(2));
    let is_whole = scope.len() == 0;
    if scope.look(this) != Look::Object || !is_whole && scope.look(argument) != Look::Text {
        return leave_method_to(scope, 0);
    }
    let target = scope.get(this, native)?;
    let Some(answer) = resource_of::<JsResponse>(scope, target) else {
        return leave_method_to(scope, 0);
    };
    if is_whole && let Some(kept) = scope.own(target, parsed)? {
        return Ok(kept);
    }
    let selector = (!is_whole).then(|| scope.text(argument));
    let data = data_of(vu, &answer, selector)?;
    match scope.make(data) {
        Ok(data) => {
            if is_whole {
                scope.put(target, parsed, data)?;
            }
            Ok(data)
        }
        // It is no JSON.
        Err(Throw::Script) => leave_method_to(scope, 0),
        Err(throw) => Err(throw),
    }
}

fn data_of(vu: &VuContext, answer: &JsResponse, selector: Option<String>) -> Result<Value, Throw> {
    let Some(body) = answer.body().filter(|_| answer.form != BodyForm::None) else {
        return Err(Throw::go(
            "the body is null so we can't transform it to JSON - this likely was because of a request error getting \
             the response",
        ));
    };
    let body = body.clone();
    let found = match selector {
        Some(selector) => match json_part(&body, &selector) {
            Some(part) => return Ok(Value::JsonPart(part)),
            None => selected(vu, body, selector)?,
        },
        None => Some(off_thread_if_long(vu, body.len(), move || whole_json(&body))?.map_err(Throw::go)?),
    };
    Ok(found.map_or(Value::Undefined, Value::Json))
}

/// The text of a whole body to make a value of.
fn whole_json(body: &Bytes) -> Result<Bytes, String> {
    match json_text::overflow(body).or_else(|| json_text::too_deep(body)) {
        Some(error) => Err(error.report(body)),
        None => Ok(readable(body.clone())),
    }
}

/// What a selector finds that is the name of a member: the body is read and checked in one go.
fn json_part(body: &Bytes, selector: &str) -> Option<JsonPart> {
    if body.len() >= OFF_THREAD_LEN {
        return None;
    }
    let begin = gjson::begin_of(body, selector)?;
    Some(JsonPart { text: readable(body.slice(begin..)), may_follow: json_text::may_follow })
}

/// What a selector finds in a body. A search that takes more than a moment moves to the CPU pool.
fn selected(vu: &VuContext, body: Bytes, selector: String) -> Result<Option<Bytes>, Throw> {
    let length = body.len();
    if length < OFF_THREAD_LEN
        && let Ok(found) = gjson::budget::limited(None, length, || json_at(&body, &selector))
    {
        return Ok(found);
    }
    let find = cpu_pool::run_in_slices(move |slices| {
        gjson::budget::limited(Some(slices), length, || json_at(&body, &selector)).unwrap_or_default()
    });
    Ok(vu.wait(find)?.flatten())
}

/// The text a selector finds in a body.
fn json_at(body: &Bytes, selector: &str) -> Option<Bytes> {
    Some(match gjson::check_and_select(body, selector).ok()?? {
        Cow::Borrowed(found) => readable(body.slice_ref(found)),
        Cow::Owned(found) => readable(found.into()),
    })
}

/// Computes something about a body of `len` bytes: for a long one on the CPU pool.
fn off_thread_if_long<T: Send + 'static>(
    vu: &VuContext,
    len: usize,
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Throw> {
    if len < OFF_THREAD_LEN {
        return Ok(compute());
    }
    vu.wait(cpu_pool::run(compute))?.ok_or_else(|| Throw::go("the body could not be read"))
}

/// `(answer, url)` -> the body as a selection; it is parsed once.
pub(super) fn html(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let answer = args.resource::<JsResponse>(0)?;
    // Where no request was made, the body is not null but empty.
    let empty = Bytes::new();
    let body = if answer.exchange.is_none() { Some(&empty) } else { answer.body() };
    let Some(body) = body.filter(|_| answer.form != BodyForm::None) else {
        return Err(Throw::go(
            "the body is null so we can't transform it to HTML - this likely was because of a request error getting \
             the response",
        ));
    };
    if let Some(document) = answer.document.get() {
        return Ok(html::whole(document.clone()));
    }
    let url = args.string(1);
    let document = match std::str::from_utf8(body) {
        Ok(text) => html::document(vu, text, &url),
        Err(_) => html::document(vu, &text_of(body), &url),
    }?;
    Ok(html::whole(answer.document.get_or_init(|| document).clone()))
}

/// JSON an engine can read: bytes that are no UTF-8 may stand in strings.
fn readable(json: Bytes) -> Bytes {
    if std::str::from_utf8(&json).is_ok() { json } else { text_of(&json).into() }
}

/// `(answer)` -> why its body is no JSON, in k6's words.
pub(super) fn json_error(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let answer = args.resource::<JsResponse>(0)?;
    let body = answer.body().cloned().unwrap_or_default();
    let error = move || json_text::check(&body).err().map_or_else(String::new, |error| error.report(&body));
    Ok(off_thread_if_long(vu, answer.body().map_or(0, Bytes::len), error)?.into())
}
