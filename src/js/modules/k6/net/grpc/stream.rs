//! Streams: the JavaScript half pulls what happens, one event at a time.
//!
//! Waiting for the next event takes the receiving end away. When an iteration is interrupted that wait is dropped, what had
//! arrived is counted, and the stream ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use super::params::CallParams;
use super::sample::{CallTags, Made, StreamCounter};
use super::{ClientMethod, GrpcClient, Types, call, debug, decode, encode, sample};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::net::grpc::{Call, CallOutcome, Download, GrpcCode, GrpcStatus, StreamEvent, Upload};

/// How far a script is with its messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// More may follow.
    Open,
    /// The one message of a method that takes one has left, and with it our side of the stream was closed.
    Sent,
    /// The script is done; what it still writes is ignored.
    Ended,
}

/// What a script's `Stream` stands for.
struct GrpcStream {
    upload: Upload,
    /// `None` while a script waits for the next event, and after the last one.
    download: RefCell<Option<Download>>,
    sending: Cell<Sending>,
    call: Call,
    known: ClientMethod,
    types: Rc<Types>,
    tags: CallTags,
    discards_message: bool,
}

/// The streams of a VU that have not ended.
#[derive(Default)]
struct OpenStreams(RefCell<Vec<Rc<GrpcStream>>>);

/// `(client, method, params)` -> an open stream.
pub(super) fn open(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let of_client = |text: &str| Throw::go(format!("invalid GRPC Stream's client: {text}"));
    let client = match args.get(0) {
        Value::Undefined | Value::Null => return Err(of_client("empty gRPC client")),
        _ => args.resource::<GrpcClient>(0).map_err(|_| of_client("not a gRPC client"))?,
    };
    let (channel, address) = client.line().map_err(|text| of_client(&text))?;
    let known = client.method(&args.string(1));
    let known = known.map_err(|text| Throw::go(format!("invalid GRPC Stream's method: {text}")))?;
    let params = CallParams::read(args.take(2))
        .map_err(|text| Throw::go(format!("invalid GRPC Stream's parameters: {text}")))?;
    let path = &known.method().path;
    let timeout = Some(params.timeout).filter(|timeout| !timeout.is_zero());
    let call = Call { path: path.to_string(), metadata: params.metadata, timeout };
    let tags = sample::tags(vu, &address, path, &params.tags);
    let opened = vu.wait(channel.stream(call.clone()))?;
    let (upload, download) = match opened {
        Ok(ends) => ends,
        Err(outcome) => {
            sample::duration(vu, &tags, &Made::of(&outcome));
            return Err(Throw::go(format!("failed to create a new stream: {}", outcome.status)));
        }
    };
    sample::count(vu, StreamCounter::Stream, &tags, download.began());
    let stream = Rc::new(GrpcStream {
        upload,
        download: Some(download).into(),
        sending: Cell::new(Sending::Open),
        call,
        known,
        types: client.types.borrow().clone(),
        tags,
        discards_message: params.discards_message,
    });
    vu.module_state::<OpenStreams>().0.borrow_mut().push(stream.clone());
    Ok(Value::Resource(stream))
}

/// `(stream, callback)`: the callback is called with the next event: `(seconds, message)`, or at the end
/// `(seconds, undefined, error, text)`. Nothing when there is no next one.
pub(super) fn next(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let stream = args.resource::<GrpcStream>(0)?;
    let Some(download) = stream.download.take() else { return Ok(Value::Undefined) };
    let vu = vu.rc();
    let mut waiting = Waiting { stream, download: Some(download) };
    Ok(Value::Callback(Box::pin(async move {
        let stream = waiting.stream.clone();
        loop {
            let Some(download) = &mut waiting.download else { return Ok(Value::Undefined) };
            let outcome = match download.next().await {
                StreamEvent::Sent(at) => {
                    sample::count(&vu, StreamCounter::Sent, &stream.tags, at);
                    continue;
                }
                StreamEvent::Message(bytes, at) => {
                    sample::count(&vu, StreamCounter::Received, &stream.tags, at);
                    match stream.show(bytes).await {
                        Ok(message) => {
                            drop(waiting);
                            return Ok(Value::List(vec![seconds(&vu, at), message]));
                        }
                        Err(text) => {
                            let text = format!("grpc: failed to unmarshal the received message: {text}");
                            download.fail(GrpcStatus::new(GrpcCode::INTERNAL, text))
                        }
                    }
                }
                StreamEvent::End(outcome) => *outcome,
            };
            _ = waiting.download.take();
            return Ok(stream.finish(&vu, outcome));
        }
    })))
}

/// `(stream, json)`: sends a message.
pub(super) fn write(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let stream = args.resource::<GrpcStream>(0)?;
    match stream.sending.get() {
        Sending::Open => {}
        Sending::Sent => {
            stream.sending.set(Sending::Ended);
            stream.upload.fail(GrpcStatus::new(GrpcCode::INTERNAL, "SendMsg called after CloseSend"));
            return Ok(Value::Undefined);
        }
        Sending::Ended => return Ok(Value::Undefined),
    }
    let input = stream.known.method().input;
    let encoded = match (args.take(1), args.take(2)) {
        (_, Value::String(trouble)) => Err(trouble),
        (Value::String(json), _) => encode::encode(&stream.types, &stream.known.schema, input, &json),
        _ => Err("proto: syntax error (line 1:1): unexpected token null".to_owned()),
    };
    match encoded {
        Ok(message) if stream.known.method().is_client_stream => stream.upload.send(message.into()),
        Ok(message) => {
            stream.sending.set(Sending::Sent);
            stream.upload.send_last(message.into());
        }
        Err(text) => {
            let text = format!("can't serialise request object to protocol buffer: {text}");
            stream.sending.set(Sending::Ended);
            stream.upload.fail(GrpcStatus::new(GrpcCode::UNKNOWN, text));
        }
    }
    Ok(Value::Undefined)
}

/// `(stream)`: nothing more is sent.
pub(super) fn end(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let stream = args.resource::<GrpcStream>(0)?;
    if stream.sending.replace(Sending::Ended) == Sending::Open {
        stream.upload.end();
    }
    Ok(Value::Undefined)
}

/// A script that waits for the next event of a stream. The receiving end is given back, also when the wait is dropped.
struct Waiting {
    stream: Rc<GrpcStream>,
    download: Option<Download>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(download) = self.download.take() {
            self.stream.download.replace(Some(download));
        }
    }
}

/// What ends with an iteration: streams that have not ended. What had arrived is counted.
pub fn close_streams(vu: &VuContext) -> Option<LocalBoxFuture<'_, ()>> {
    let open = vu.existing_module_state::<OpenStreams>()?;
    for stream in open.0.take() {
        let Some(mut download) = stream.download.take() else { continue };
        while let Some(event) = download.take() {
            match event {
                StreamEvent::Sent(at) => sample::count(vu, StreamCounter::Sent, &stream.tags, at),
                StreamEvent::Message(_, at) => sample::count(vu, StreamCounter::Received, &stream.tags, at),
                StreamEvent::End(outcome) => sample::duration(vu, &stream.tags, &Made::of(&outcome)),
            }
        }
    }
    None
}

impl GrpcStream {
    async fn show(&self, bytes: Bytes) -> Result<Value, String> {
        let (types, schema, output) = (&self.types, &self.known.schema, self.known.method().output);
        match self.discards_message {
            true => Ok(Value::Map(Vec::new())),
            false if decode::is_long(&bytes) => decode::decode_on_cpu_pool(types, schema, output, bytes).await,
            false => decode::decode(types, schema, output, &bytes),
        }
    }

    /// Writes the sample down; the last event.
    fn finish(&self, vu: &VuContext, outcome: CallOutcome) -> Value {
        vu.module_state::<OpenStreams>().0.borrow_mut().retain(|open| !std::ptr::eq(&**open, self));
        sample::duration(vu, &self.tags, &Made::of(&outcome));
        let CallOutcome { mut status, headers, trailers, ended, .. } = outcome;
        debug::log(vu, &self.call, "", &headers, &trailers, &Value::Undefined);
        let mut event = vec![seconds(vu, ended), Value::Undefined];
        if !status.is_ok() {
            let text = status.to_string();
            if status.code == GrpcCode::CANCELED {
                status.message = "canceled by client (k6)".to_owned();
            }
            event.push(call::error_of(&self.types, &status, ["code", "details", "message"]));
            event.push(text.into());
        }
        Value::List(event)
    }
}

/// A moment in whole seconds since 1970.
fn seconds(vu: &VuContext, at: Instant) -> Value {
    Value::Number((vu.script.epoch.stamp(at).0 / 1_000_000_000) as f64)
}
