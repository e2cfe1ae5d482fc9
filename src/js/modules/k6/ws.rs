//! `k6/ws`: sockets the VU waits for. JavaScript runs the loop: it asks for the next event and waits for it here.

use std::time::{Duration, Instant};

use super::super::Op;
use super::websockets::socket::{Kind, Labels, Socket, refusal, response};
use super::websockets::{Params, refuse_in_init};
use crate::execution::precise_timer;
use crate::js::value::{Args, Throw, Value};
use crate::js::vu::Vu;
use crate::net::ws::{Event, Outgoing};

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("check", check),
    ("open", open),
    ("wait", wait),
    ("send", send),
    ("ping", ping),
    ("leave", leave),
    ("finish", finish),
    ("clock", clock),
];

/// Nothing waits longer than this, about 35 years.
const MAX_MS: f64 = 1.1e12;

/// Refuses init code.
fn check(vu: &Vu, _args: Args) -> Result<Value, Throw> {
    refuse_in_init(vu)?;
    Ok(Value::Undefined)
}

/// `(url, params)` -> the response, and a socket if the connection came about.
fn open(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    let url = args.string(0);
    let params = Params::read(args.take(1), "ws.connect() metric tags", |_| Ok(()))?;
    let (ask, user) = params.ask(vu, &url);
    let socket = Socket::open(vu, Kind::Blocking, ask, Labels { user, url: url.clone(), name: None });
    let told = vu.wait(socket.next())?;
    socket.count(vu, &told);
    match told.event {
        Event::Open(answer) => Ok(Value::List(vec![response(Some(&answer), &url, ""), Value::Resource(socket)])),
        Event::Failed(refused) => {
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
fn wait(vu: &Vu, args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<Socket>(0)?;
    if let Some(told) = socket.take() {
        return Ok(socket.show(vu, told));
    }
    let next = socket.next();
    let told = match args.get(1) {
        Value::Number(ms) => {
            let time = Duration::from_secs_f64(ms.clamp(0.0, MAX_MS) / 1000.0);
            vu.wait(async move {
                tokio::select! {
                    biased;
                    told = next => Some(told),
                    () = precise_timer::sleep(time) => None,
                }
            })?
        }
        _ => Some(vu.wait(next)?),
    };
    Ok(told.map_or(Value::Undefined, |told| socket.show(vu, told)))
}

/// `(socket, text or bytes)`: true if it was sent. Waits while too much is not written.
fn send(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<Socket>(0)?;
    let outgoing = match args.take(1) {
        Value::Bytes(bytes) => Outgoing::Binary(bytes),
        Value::String(text) => Outgoing::Text(text),
        _ => Outgoing::Text(String::new()),
    };
    let is_sent = socket.say(vu, outgoing).is_ok();
    // As in k6, also what comes too late counts.
    socket.count_sent(vu);
    if is_sent {
        socket.wait_for_room(vu)?;
    }
    Ok(Value::Bool(is_sent))
}

/// `(socket)`: true if it was sent.
fn ping(vu: &Vu, args: Args) -> Result<Value, Throw> {
    Ok(Value::Bool(args.resource::<Socket>(0)?.ping(vu).is_ok()))
}

/// `(socket, code)`: says goodbye and waits until that is written.
fn leave(vu: &Vu, args: Args) -> Result<Value, Throw> {
    // As Go makes 16 bits of a number.
    let code = args.number(1);
    let code = if code.is_finite() { code.trunc().rem_euclid(65536.0) as u16 } else { 0 };
    args.resource::<Socket>(0)?.leave(vu, code)?;
    Ok(Value::Undefined)
}

/// `(socket)`: its session is over.
fn finish(vu: &Vu, args: Args) -> Result<Value, Throw> {
    args.resource::<Socket>(0)?.finish(vu, Instant::now());
    Ok(Value::Undefined)
}

/// The time in milliseconds, for the timers of a socket.
fn clock(vu: &Vu, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Number(vu.now().0 as f64 / 1e6))
}
