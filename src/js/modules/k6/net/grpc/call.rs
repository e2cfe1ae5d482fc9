//! Unary calls: from arguments to bytes, from an outcome to a response.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;

use super::params::CallParams;
use super::sample::{CallTags, Made};
use super::{ClientMethod, GrpcClient, Types, debug, decode, encode, sample};
use crate::js::engine::direct::{Local, Look, Scope};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value, text_of};
use crate::net::grpc::{Call, CallOutcome, Channel, GrpcCode, GrpcMetadata, GrpcStatus, UnaryCall};

/// How long a call may take, unless its params say otherwise.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A call ready to be made, and what to do with the outcome.
struct PreparedCall {
    channel: Rc<Channel>,
    call: Call,
    message: Bytes,
    /// What is shown of the message.
    json: String,
    known: ClientMethod,
    types: Rc<Types>,
    tags: CallTags,
    discards_message: bool,
}

/// `client.invoke(method, request, params)` -> the response. Made with the symbol that natives go by, what makes a text of a method
/// that is none, the language's `JSON.stringify`, and what says it of messages with numbers JSON does not have.
pub(super) fn invoke(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let prepared = prepare(vu, arguments(scope)?)?;
    let asked = prepared.channel.awaited_unary(prepared.call.clone(), prepared.message.clone());
    let response = vu.wait(prepared.response(vu, asked))?;
    scope.make(response)
}

/// As [`invoke`], but a promise.
pub(super) fn invoke_async(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let prepared = match prepare(vu, arguments(scope)?) {
        Ok(prepared) => prepared,
        // Promises reject with the bare text.
        Err(Throw::Error { class: "GoError", message }) => {
            return scope.make(Value::Pending(Box::pin(async move { Err(Throw::Host { message }) })));
        }
        Err(other) => return Err(other),
    };
    let asked = prepared.channel.unary(prepared.call.clone(), prepared.message.clone());
    let response = prepared.response(vu, asked);
    scope.make(Value::Pending(Box::pin(async move { Ok(response.await) })))
}

/// `(client, method, json, params, trouble)`; `trouble` is why there is no JSON.
fn arguments(scope: &mut dyn Scope) -> Result<Args, Throw> {
    let (request, method, params) = (scope.arg(1), scope.arg(0), scope.arg(2));
    let (json, trouble) = request_json(scope, request)?;
    let method = match scope.look(method) {
        Look::Text => method,
        _ => {
            let text = scope.data(1);
            scope.call(text, &[method])?
        }
    };
    let client = client_of(scope)?;
    let method = Value::String(scope.text(method));
    let params = scope.copy(params)?;
    Ok([client, method, json, params, trouble].into_iter().collect())
}

/// The native thing that `this` stands for.
fn client_of(scope: &mut dyn Scope) -> Result<Value, Throw> {
    let (this, symbol) = (scope.this(), scope.data(0));
    if scope.look(this) == Look::Object {
        let native = scope.get(this, symbol)?;
        if let Some(client) = scope.resource(native) {
            return Ok(Value::Resource(client));
        }
    }
    scope.copy(this)
}

/// A request as JSON, or why there is none.
fn request_json(scope: &mut dyn Scope, request: Local) -> Result<(Value, Value), Throw> {
    if matches!(scope.look(request), Look::Undefined | Look::Null) {
        return Ok((Value::Undefined, Value::Undefined));
    }
    if let Some(json) = scope.json(request) {
        return Ok((Value::String(json), Value::Undefined));
    }
    let stringify = scope.data(2);
    match scope.call(stringify, &[request]) {
        Ok(made) => {
            let json = scope.copy(made)?;
            // It may be a number JSON does not have.
            let may_be_number = matches!(&json, Value::String(json) if json.contains("null"));
            if !may_be_number {
                return Ok((json, Value::Undefined));
            }
        }
        // Said below, if it still holds.
        Err(Throw::Script) if scope.catch().is_some() => {}
        Err(throw) => return Err(throw),
    }
    let worded = scope.data(3);
    let made = scope.call(worded, &[request])?;
    Ok(match scope.copy(made)? {
        Value::List(mut list) => (Value::Undefined, list.pop().unwrap_or(Value::Undefined)),
        json => (json, Value::Undefined),
    })
}

fn prepare(vu: &VuContext, mut args: Args) -> Result<PreparedCall, Throw> {
    if vu.is_init() {
        return Err(Throw::go("invoking RPC methods in the init context is not supported"));
    }
    let client = args.resource::<GrpcClient>(0)?;
    let (channel, address) = client.line().map_err(Throw::go)?;
    let known = client.method(&args.string(1)).map_err(Throw::go)?;
    let params = CallParams::read(args.take(3))
        .map_err(|text| Throw::go(format!("invalid GRPC's client.invoke() parameters: {text}")))?;
    let json = match (args.take(2), args.take(4)) {
        (Value::String(json), _) => json,
        (_, Value::String(trouble)) => return Err(Throw::go(trouble)),
        _ => return Err(Throw::go("request cannot be nil")),
    };
    let types = client.types.borrow().clone();
    let method = known.method();
    let message = encode::encode(&types, &known.schema, method.input, &json)
        .map_err(|text| Throw::go(format!("unable to serialise request object to protocol buffer: {text}")))?;
    let call = Call {
        path: method.path.to_string(),
        metadata: params.metadata,
        timeout: Some(if params.timeout.is_zero() { TIMEOUT } else { params.timeout }),
    };
    let tags = sample::tags(vu, &address, &method.path, &params.tags);
    let discards_message = params.discards_message;
    Ok(PreparedCall { channel, call, message: message.into(), json, known, types, tags, discards_message })
}

impl PreparedCall {
    /// The response to the call that was `asked`. Dropped, the future writes the sample of an answer that is there.
    fn response(self, vu: &VuContext, asked: UnaryCall) -> impl Future<Output = Value> + use<> {
        let mut unfinished = PendingCall { prepared: Some(self), asked, outcome: None, vu: vu.rc() };
        async move {
            let outcome = (&mut unfinished.asked).await;
            let decoding = unfinished.prepared.as_ref().and_then(|prepared| prepared.decode_on_cpu_pool(&outcome));
            let decoded = match decoding {
                Some(decoding) => {
                    unfinished.outcome = Some(outcome.clone());
                    Some(decoding.await)
                }
                None => None,
            };
            unfinished.finish(outcome, decoded)
        }
    }

    /// Decodes a message so long that the other VUs of this thread would have to wait for it.
    fn decode_on_cpu_pool(&self, outcome: &CallOutcome) -> Option<impl Future<Output = Result<Value, String>> + use<>> {
        let message = outcome.message.as_ref().filter(|message| outcome.status.is_ok() && decode::is_long(message))?;
        let output = self.known.method().output;
        (!self.discards_message)
            .then(|| decode::decode_on_cpu_pool(&self.types, &self.known.schema, output, message.clone()))
    }

    /// Writes the sample down and makes the response, unless its message is `decoded` already.
    fn finish(&self, vu: &VuContext, outcome: CallOutcome, decoded: Option<Result<Value, String>>) -> Value {
        let mut made = Made::of(&outcome);
        let CallOutcome { mut status, headers, trailers, message, .. } = outcome;
        let output = self.known.method().output;
        let show = |bytes: &[u8]| match self.discards_message {
            true => Ok(Value::Null),
            false => decode::decode(&self.types, &self.known.schema, output, bytes),
        };
        let bytes = if status.is_ok() { message.as_deref().unwrap_or_default() } else { &[] };
        let shown = decoded.unwrap_or_else(|| show(bytes));
        let shown = shown.unwrap_or_else(|text| {
            status =
                GrpcStatus::new(GrpcCode::INTERNAL, format!("grpc: failed to unmarshal the received message: {text}"));
            show(&[]).unwrap_or(Value::Null)
        });
        made.code = status.code;
        sample::duration(vu, &self.tags, &made);
        debug::log(vu, &self.call, &self.json, &headers, &trailers, &shown);
        let error = match status.is_ok() {
            true => Value::Null,
            false => error_of(&self.types, &status, ["code", "message", "details"]),
        };
        static NAMES: [&str; 5] = ["message", "error", "headers", "trailers", "status"];
        let status = Value::Number(f64::from(status.code.0));
        Value::Record(&NAMES, vec![shown, error, shown_metadata(headers), shown_metadata(trailers), status])
    }
}

/// A call under way. However its iteration ends, what the server answered is counted.
struct PendingCall {
    /// Gone once it is finished.
    prepared: Option<PreparedCall>,
    asked: UnaryCall,
    /// While its message is decoded.
    outcome: Option<CallOutcome>,
    vu: Rc<VuContext>,
}

impl PendingCall {
    fn finish(&mut self, outcome: CallOutcome, decoded: Option<Result<Value, String>>) -> Value {
        self.prepared.take().map_or(Value::Undefined, |prepared| prepared.finish(&self.vu, outcome, decoded))
    }
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        if self.prepared.is_some()
            && let Some(outcome) = self.outcome.take().or_else(|| self.asked.ended())
        {
            // No script sees the message.
            self.finish(outcome, Some(Ok(Value::Null)));
        }
    }
}

/// The part of `google.rpc.Status` that is not in the trailers already.
#[derive(Clone, PartialEq, Message)]
struct Detailed {
    #[prost(message, repeated, tag = "3")]
    details: Vec<AnyMessage>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Message)]
struct AnyMessage {
    #[prost(string, tag = "1")]
    url: String,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

/// A status as scripts see it, with its details; `order` says which of them comes when.
pub(super) fn error_of(types: &Types, status: &GrpcStatus, order: [&str; 3]) -> Value {
    let detailed = status.details.clone().and_then(|bytes| Detailed::decode(bytes).ok()).unwrap_or_default();
    let details = detailed.details.into_iter().map(|detail| decode::any(types, &detail.url, &detail.value));
    let mut details = Some(details.collect());
    let mut field = |name: &str| match name {
        "code" => Value::Number(f64::from(status.code.0)),
        "message" => Value::String(status.message.clone()),
        _ => Value::List(details.take().unwrap_or_default()),
    };
    Value::Map(order.into_iter().map(|name| (name.to_owned(), field(name))).collect())
}

/// Names with the lists of their values; those of one name come one after the other, as `HeaderMap` has them.
fn shown_metadata(metadata: GrpcMetadata) -> Value {
    let mut map: Vec<(String, Vec<Value>)> = Vec::new();
    for (name, value) in metadata {
        match map.last_mut() {
            Some((last, list)) if *last == name => list.push(Value::String(text_of(&value))),
            _ => map.push((name, vec![Value::String(text_of(&value))])),
        }
    }
    Value::Map(map.into_iter().map(|(name, list)| (name, Value::List(list))).collect())
}
