//! `k6/http`: from arguments to requests, from exchanges to responses and samples.
//!
//! What travels and how long it takes is `net`'s business; here it gets its k6 names.

use std::rc::Rc;
use std::sync::Arc;

use futures_util::StreamExt;

use super::super::{DirectOp, Op};
use crate::js::engine::direct::{Local, Look, Scope, leave_to};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::log::Level;
use crate::net::http::{CookieJar, Url};

mod body;
mod cookies;
mod debug;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
mod gjson;
pub(super) mod go;
mod json_text;
mod params;
mod request;
mod response;
mod sample;
mod statuses;

pub(super) use body::form_text;
pub use cookies::{VuJar, jar_of};
use request::{InvalidRequestError, JsRequest};
use response::JsResponse;

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("request", request),
    ("requestAsync", request_async),
    ("requestBatch", request_batch),
    ("isField", response::is_field),
    ("fieldNames", response::field_names),
    ("assign", response::assign),
    ("json", response::json),
    ("jsonError", response::json_error),
    ("html", response::html),
    ("callNode", super::html::call),
    ("resolve", resolve),
    ("formText", body::form_text_of),
    ("parseUrl", parse_url),
    ("newJar", cookies::new_jar),
    ("vuJar", cookies::vu_jar),
    ("jarCookies", cookies::jar_cookies),
    ("jarSet", cookies::jar_set),
    ("jarDelete", cookies::jar_delete),
    ("jarClear", cookies::jar_clear),
    ("expect", statuses::expect),
    ("setCallback", statuses::set_callback),
    ("inInit", in_init),
    ("warn", super::warn),
    ("warnOfParam", params::warn_of_param),
    ("file", body::make_file),
    ("constants", constants),
];

/// The direct ones.
pub const DIRECT_OPS: &[(&str, DirectOp)] = &[
    ("batch", batch_direct),
    ("get", response::get),
    ("json", response::json_direct),
    ("request", request_direct),
    ("requestWithBody", request_with_body),
];

/// The constants of the module.
const CONSTANTS: [(&str, &str); 18] = [
    ("TLS_1_0", "tls1.0"),
    ("TLS_1_1", "tls1.1"),
    ("TLS_1_2", "tls1.2"),
    ("TLS_1_3", "tls1.3"),
    ("OCSP_STATUS_GOOD", "good"),
    ("OCSP_STATUS_REVOKED", "revoked"),
    ("OCSP_STATUS_SERVER_FAILED", "server_failed"),
    ("OCSP_STATUS_UNKNOWN", "unknown"),
    ("OCSP_REASON_UNSPECIFIED", "unspecified"),
    ("OCSP_REASON_KEY_COMPROMISE", "key_compromise"),
    ("OCSP_REASON_CA_COMPROMISE", "ca_compromise"),
    ("OCSP_REASON_AFFILIATION_CHANGED", "affiliation_changed"),
    ("OCSP_REASON_SUPERSEDED", "superseded"),
    ("OCSP_REASON_CESSATION_OF_OPERATION", "cessation_of_operation"),
    ("OCSP_REASON_CERTIFICATE_HOLD", "certificate_hold"),
    ("OCSP_REASON_REMOVE_FROM_CRL", "remove_from_crl"),
    ("OCSP_REASON_PRIVILEGE_WITHDRAWN", "privilege_withdrawn"),
    ("OCSP_REASON_AA_COMPROMISE", "aa_compromise"),
];

fn constants(_vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Map(CONSTANTS.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()))
}

/// `(method, url, body, params)` -> a response's handle.
fn request(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let prepared = match prepare(vu, args)? {
        Ok(prepared) => prepared,
        Err(response) => return Ok(response),
    };
    let (prepared, exchange) = *vu.wait(prepared.send(vu, true))?;
    Ok(Value::Resource(prepared.finish(vu, exchange)?))
}

/// `(url, params)`, made with a function for everything else, the method, the handler of responses and the language's `Proxy`.
fn request_direct(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let (url, params) = (scope.arg(0), scope.arg(1));
    if scope.len() > 2 || scope.look(url) != Look::Text {
        return leave_to(scope, 0);
    }
    let Some(params) = params::readable(scope, params) else { return leave_to(scope, 0) };
    respond(vu, scope, Value::Undefined, params)
}

/// `(url, body, params)`, as before.
fn request_with_body(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let (url, body, params) = (scope.arg(0), scope.arg(1), scope.arg(2));
    if scope.look(url) != Look::Text {
        return leave_to(scope, 0);
    }
    let Some(body) = readable_body(scope, body) else { return leave_to(scope, 0) };
    let Some(params) = params::readable(scope, params) else { return leave_to(scope, 0) };
    respond(vu, scope, body, params)
}

/// Sends a request of such a function: a response as scripts see it.
fn respond(vu: &VuContext, scope: &mut dyn Scope, body: Value, params: Value) -> Result<Local, Throw> {
    let (url, method, handler, proxy) = (scope.arg(0), scope.data(1), scope.data(2), scope.data(3));
    let (method, url) = (Value::String(scope.text(method)), Value::String(scope.text(url)));
    let answer = request(vu, [method, url, body, params].into_iter().collect())?;
    let answer = scope.make(answer)?;
    scope.construct(proxy, &[answer, handler])
}

/// As `request`, but a promise.
fn request_async(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let prepared = match prepare(vu, args)? {
        Ok(prepared) => prepared,
        Err(response) => return Ok(Value::Pending(Box::pin(async move { Ok(response) }))),
    };
    let (sent, vu) = (prepared.send(vu, false), vu.rc());
    Ok(Value::Pending(Box::pin(async move {
        let (prepared, exchange) = *sent.await;
        prepared.finish(&vu, exchange).map(|response| Value::Resource(response)).map_err(|throw| match throw {
            // Promises reject with the bare text.
            Throw::Error { message, .. } => Throw::Host { message },
            other => other,
        })
    })))
}

/// `(wrong, keys, entries)` -> handles in the order of the keys; fewer, when an entry is malformed.
fn request_batch(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let wrong = args.take(0);
    let (Value::List(keys), Value::List(entries)) = (args.take(1), args.take(2)) else {
        return Err(Throw::go(format!("invalid http.batch() argument type {}", go::type_of(&wrong))));
    };
    let mut prepared = Vec::new();
    for (key, entry) in keys.iter().zip(entries) {
        let parts = batch_entry(&go::string_of(key), entry);
        let failed = match parts {
            Ok(parts) => match JsRequest::new(vu, parts) {
                Ok(good) => {
                    prepared.push(good);
                    continue;
                }
                Err(error) => (error.text, error.code),
            },
            Err((text, code)) => (text, code),
        };
        if vu.script.throw {
            return Err(Throw::go(failed.0));
        }
        let fields = vec![("error", failed.0.clone().into())];
        vu.script.log.log(Level::Warning, "A batch request failed", fields);
        // Nothing is sent: those before it are blank, the rest is missing.
        let mut handles: Vec<Value> =
            prepared.iter().map(|_| Value::Resource(JsResponse::of_error(String::new(), 0))).collect();
        handles.push(Value::Resource(JsResponse::of_error(failed.0, failed.1)));
        return Ok(Value::List(handles));
    }
    let limits = (vu.script.http.batch.max(1), vu.script.http.batch_per_host);
    let jobs: Vec<_> = prepared.into_iter().map(|prepared| (prepared.host(), prepared.send(vu, true))).collect();
    let finished = vu.wait(all(jobs, limits))?;
    let mut handles = Vec::with_capacity(finished.len());
    let mut first_throw = None;
    for (prepared, exchange) in finished.into_iter().map(|finished| *finished) {
        match prepared.finish(vu, exchange) {
            Ok(response) => handles.push(Value::Resource(response)),
            Err(throw) => {
                first_throw.get_or_insert(throw);
            }
        }
    }
    match first_throw {
        Some(throw) => Err(throw),
        None => Ok(Value::List(handles)),
    }
}

/// `batch(requests)`, made with a function for all but a list of texts and lists of method, address, text and params, the handler of
/// responses and the language's `Proxy`.
fn batch_direct(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let requests = scope.arg(0);
    let items = if scope.len() == 1 && !vu.is_init() { scope.items(requests) } else { None };
    let entries =
        items.and_then(|items| items.iter().map(|item| readable_entry(scope, *item)).collect::<Option<Vec<_>>>());
    let Some(entries) = entries else { return leave_to(scope, 0) };
    let keys: Vec<Value> = (0..entries.len()).map(|at| Value::String(at.to_string())).collect();
    let mut list = vec![scope.make(Value::Null)?; keys.len()];
    let answers = request_batch(vu, [Value::Undefined, Value::List(keys), Value::List(entries)].into_iter().collect())?;
    let Value::List(answers) = answers else { return leave_to(scope, 0) };
    let (handler, proxy) = (scope.data(1), scope.data(2));
    for (place, answer) in list.iter_mut().zip(answers) {
        let answer = scope.make(answer)?;
        *place = scope.construct(proxy, &[answer, handler])?;
    }
    scope.list(&list)
}

/// An entry of a batch, as js-stdlib would hand it over.
fn readable_entry(scope: &mut dyn Scope, entry: Local) -> Option<Value> {
    if scope.look(entry) == Look::Text {
        return Some(Value::String(scope.text(entry)));
    }
    let items = scope.items(entry)?;
    let [method, url, more @ ..] = items.as_slice() else { return None };
    if (scope.look(*method), scope.look(*url)) != (Look::Text, Look::Text) {
        return None;
    }
    let body = more.first().map_or(Some(Value::Undefined), |body| readable_body(scope, *body))?;
    let params = more.get(1).map_or(Some(Value::Undefined), |params| params::readable(scope, *params))?;
    let (method, url) = (scope.text(*method).into(), scope.text(*url).into());
    Some(Value::List(vec![method, url, body, params, Value::Number(items.len() as f64)]))
}

/// A body that is what it is without being looked at.
fn readable_body(scope: &dyn Scope, body: Local) -> Option<Value> {
    match scope.look(body) {
        Look::Text => Some(Value::String(scope.text(body))),
        Look::Undefined => Some(Value::Undefined),
        Look::Null => Some(Value::Null),
        _ => None,
    }
}

/// One entry of a batch as the arguments of a request.
fn batch_entry(key: &str, entry: Value) -> Result<Args, (String, u16)> {
    let get = |url: Value| [Value::from("GET"), url].into_iter().collect();
    match entry {
        Value::String(_) => Ok(get(entry)),
        Value::List(parts) => {
            let mut parts = parts.into_iter();
            let [method, url, body, params, count] = std::array::from_fn(|_| parts.next().unwrap_or(Value::Undefined));
            if matches!(count, Value::Number(count) if count < 2.0) {
                return Err((format!("invalid batch request '[]interface {{}}{{{:?}}}'", go::string_of(&method)), 0));
            }
            if !matches!(method, Value::String(_)) {
                return Err((format!("invalid method type '{}'", go::text_of(&method)), 0));
            }
            Ok([method, url, body, params].into_iter().collect())
        }
        Value::Map(map) if map.iter().any(|(name, _)| name == "clean_url") => Ok(get(Value::Map(map))),
        Value::Map(map) => {
            let mut fields = [Value::Undefined, Value::Undefined, Value::Undefined, Value::Undefined];
            for (name, value) in map {
                if let Some(at) = ["method", "url", "body", "params"].iter().position(|known| *known == name) {
                    fields[at] = value;
                }
            }
            let [method, url, body, params] = fields;
            if matches!(url, Value::Undefined) {
                return Err((format!("batch request {key} doesn't have a url key"), 0));
            }
            let (method, body) = match method {
                Value::Undefined | Value::Null => ("GET".to_owned(), body),
                // An explicit GET has no body; without a method there may be one.
                Value::String(method) => match method.to_uppercase() {
                    method if method == "GET" || method == "HEAD" => (method, Value::Undefined),
                    method => (method, body),
                },
                other => return Err((format!("invalid method type '{}'", go::text_of(&other)), 0)),
            };
            Ok([Value::String(method), url, body, params].into_iter().collect())
        }
        other => Err((format!("invalid batch request '{}'", go::text_of(&other)), 1020)),
    }
}

/// Runs all jobs, at most `most` at once and `per_host` per host (0: no limit); results in the order of the jobs.
async fn all<T, F: Future<Output = T>>(jobs: Vec<(String, F)>, (most, per_host): (usize, usize)) -> Vec<T> {
    let hosts: std::collections::HashMap<String, Rc<tokio::sync::Semaphore>> =
        jobs.iter().map(|(host, _)| (host.clone(), Rc::new(tokio::sync::Semaphore::new(per_host.max(1))))).collect();
    let count = jobs.len();
    let running = jobs.into_iter().enumerate().map(|(at, (host, job))| {
        let gate = hosts.get(&host).filter(|_| per_host > 0).cloned();
        async move {
            let _permit = match &gate {
                Some(gate) => gate.acquire().await.ok(),
                None => None,
            };
            (at, job.await)
        }
    });
    let mut results: Vec<Option<T>> = (0..count).map(|_| None).collect();
    let mut stream = futures_util::stream::iter(running).buffer_unordered(most);
    while let Some((at, result)) = stream.next().await {
        results[at] = Some(result);
    }
    results.into_iter().flatten().collect()
}

/// Checks the arguments. The inner error is what is wrong with them.
fn check(vu: &VuContext, args: Args) -> Result<Result<JsRequest, InvalidRequestError>, Throw> {
    if vu.is_init() {
        return Err(Throw::go("Making http requests in the init context is not supported"));
    }
    Ok(JsRequest::new(vu, args))
}

/// Checks the arguments. The inner error is the response to bad ones.
fn prepare(vu: &VuContext, args: Args) -> Result<Result<JsRequest, Value>, Throw> {
    match check(vu, args)? {
        Ok(prepared) => Ok(Ok(prepared)),
        Err(error) => error_response(vu, error).map(Err),
    }
}

/// The response to arguments no request can be made of, after a warning; or the exception the option `throw` wants.
fn error_response(vu: &VuContext, error: InvalidRequestError) -> Result<Value, Throw> {
    if vu.script.throw {
        return Err(Throw::go(error.text));
    }
    warn_failed(vu, &error.text);
    Ok(Value::Resource(JsResponse::of_error(error.text, error.code)))
}

fn warn_failed(vu: &VuContext, error: &str) {
    let mut fields = vec![("error", error.to_owned().into())];
    fields.extend(address_hint(error).map(|hint| ("hint", hint.into())));
    vu.script.log.log(Level::Warning, "Request Failed", fields);
}

/// What helps where an address has no scheme.
fn address_hint(error: &str) -> Option<&'static str> {
    let has_none = error.ends_with("unsupported protocol scheme \"\"")
        || error.ends_with("first path segment in URL cannot contain colon");
    let is_undefined = error.contains("\"undefined") || error.contains("\"null");
    match (has_none, is_undefined) {
        (false, _) => None,
        (true, false) => Some("an address begins with http:// or https://"),
        (true, true) => {
            Some("the address is made of a variable that has no value; `-e NAME=VALUE` gives `__ENV.NAME` one")
        }
    }
}

/// `(url)` -> the URL as it was written, with its credentials masked.
fn parse_url(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let text = args.string(0);
    let url = Url::parse(&text).map_err(|error| Throw::go(format!("invalid URL: {error}")))?;
    if url.credentials().is_none() {
        return Ok(Value::String(text));
    }
    let begin = text.find("://").map_or(0, |at| at + 3);
    let end = text[begin..].find(['/', '?', '#']).map_or(text.len(), |at| begin + at);
    let Some(at) = text[begin..end].rfind('@').map(|at| begin + at) else { return Ok(Value::String(text)) };
    let mask = if text[begin..at].contains(':') { "****:****" } else { "****" };
    Ok(Value::String(format!("{}{mask}{}", &text[..begin], &text[at..])))
}

/// `(base, reference)` -> where the reference leads.
fn resolve(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let base = Url::parse(&args.string(0)).map_err(Throw::go)?;
    let url = base.join(&args.string(1)).map_err(Throw::go)?;
    Ok(url.as_str().into())
}

fn in_init(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Bool(vu.is_init()))
}

/// What begins with an iteration: an empty jar, unless cookies stay.
pub fn begin_iteration(vu: &VuContext) {
    if !vu.script.http.keep_cookies {
        vu.module_state::<VuJar>().0.replace(Arc::new(CookieJar::default()));
    }
}

/// What ends with an iteration: idle connections, if they must not be used again.
pub fn end_iteration(vu: &VuContext) {
    if vu.script.http.close_after_iteration {
        vu.http.close_idle();
    }
}
