//! `k6/ws`: sockets the VU waits for. JavaScript runs the loop: it asks for the next event and waits for it here.

use std::time::{Duration, Instant};

use super::super::Op;
use super::websockets::socket::{JsSocket, SocketApi, SocketTags, refusal, response};
use super::websockets::{Params, refuse_in_init};
use crate::execution::precise_timer;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::net::ws::{OutgoingMessage, SocketEvent};

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("check", check),
    ("open", open),
    ("wait", wait),
    ("send", send),
    ("ping", ping),
    ("close", close),
    ("finish", finish),
    ("clock", clock),
];

/// Nothing waits longer than this, about 35 years.
const MAX_MS: f64 = 1.1e12;

/// Refuses init code.
fn check(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    refuse_in_init(vu)?;
    Ok(Value::Undefined)
}

/// `(url, params)` -> the response, and a socket if the connection was established.
fn open(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let url = args.string(0);
    let params = Params::read(args.take(1), "ws.connect() metric tags", |_| Ok(()))?;
    let (ask, user) = params.ask(vu, &url);
    let socket = JsSocket::open(vu, SocketApi::Blocking, ask, SocketTags { user, url: url.clone(), name: None });
    let timed = vu.wait(socket.next())?;
    socket.count(vu, &timed);
    match timed.event {
        SocketEvent::Open(answer) => Ok(Value::List(vec![response(Some(&answer), &url, ""), Value::Resource(socket)])),
        SocketEvent::Failed(refused) => {
            if vu.script.throw {
                return Err(Throw::go(refused.text));
            }
            Ok(Value::List(vec![refusal(&refused)]))
        }
        // The run is over.
        _ => Err(Throw::Stop),
    }
}

/// `(socket, milliseconds or undefined)` -> the next event; undefined when none came in that time.
fn wait(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsSocket>(0)?;
    if let Some(timed) = socket.try_next() {
        return Ok(socket.show(vu, timed));
    }
    let next = socket.next();
    let timed = match args.get(1) {
        Value::Number(ms) => {
            let time = Duration::from_secs_f64(ms.clamp(0.0, MAX_MS) / 1000.0);
            vu.wait(async move {
                tokio::select! {
                    biased;
                    timed = next => Some(timed),
                    () = precise_timer::sleep(time) => None,
                }
            })?
        }
        _ => Some(vu.wait(next)?),
    };
    Ok(timed.map_or(Value::Undefined, |timed| socket.show(vu, timed)))
}

/// `(socket, text or bytes)`: true if it was sent. Waits while too much is not written.
fn send(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsSocket>(0)?;
    let outgoing = match args.take(1) {
        Value::Bytes(bytes) => OutgoingMessage::Binary(bytes),
        Value::String(text) => OutgoingMessage::Text(text),
        _ => OutgoingMessage::Text(String::new()),
    };
    let is_sent = socket.send(vu, outgoing).is_ok();
    // As in k6, also what comes too late counts.
    socket.count_sent(vu);
    if is_sent {
        socket.wait_for_room(vu)?;
    }
    Ok(Value::Bool(is_sent))
}

/// `(socket)`: true if it was sent.
fn ping(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    Ok(Value::Bool(args.resource::<JsSocket>(0)?.ping(vu).is_ok()))
}

/// `(socket, code)`: sends a close frame and waits until it is written.
fn close(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    // As Go makes 16 bits of a number.
    let code = args.number(1);
    let code = if code.is_finite() { code.trunc().rem_euclid(65536.0) as u16 } else { 0 };
    args.resource::<JsSocket>(0)?.close(vu, code)?;
    Ok(Value::Undefined)
}

/// `(socket)`: its session is over.
fn finish(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<JsSocket>(0)?.finish(vu, Instant::now());
    Ok(Value::Undefined)
}

/// The time in milliseconds, for the timers of a socket.
fn clock(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Number(vu.now().0 as f64 / 1e6))
}
