//! `k6/websockets`: sockets with events. JavaScript asks for the next event of a socket and is called with it; what
//! the classes look like is written there.
//!
//! The blocking API, `k6/ws`, shares the sockets.

use super::super::{DirectOp, Op};
use super::http::go;
use super::tag_pairs;
use crate::js::loader::Loader;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::net::http::Url;
use crate::net::http::proto::url::quoted;
use crate::net::ws::{OutgoingMessage, close};

mod direct;
mod params;
pub mod socket;

pub use params::Params;
use socket::{HandlerSight, JsSocket, ReadyState, SocketApi, SocketTags};

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("begin", begin),
    ("state", state),
    ("enter", enter),
    ("watch", watch),
    ("handle", handle),
    ("send", send),
    ("ping", ping),
    ("close", close_socket),
    ("abandon", abandon),
    ("buffered", buffered),
    ("warn", warn),
    ("join", join),
    ("text", text),
];

/// The direct ones.
pub const DIRECT_OPS: &[(&str, DirectOp)] = &[("send", direct::send), ("listen", direct::listen)];

/// The longest reason of a close frame.
const MAX_REASON_LEN: usize = 123;

/// What neither module can do before there is a VU.
///
/// # Errors
/// Init code runs.
pub fn refuse_in_init(vu: &VuContext) -> Result<(), Throw> {
    match vu.is_init() {
        true => Err(Throw::go("using websockets in the init context is not supported")),
        false => Ok(()),
    }
}

/// `(url, protocols, params)` -> the socket, and its URL.
fn begin(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    refuse_in_init(vu)?;
    let given = args.string(0);
    let url = Url::parse(&given).map_err(|error| {
        Throw::go(format!("WebSocket requires valid url, but got {} which resulted in {error}", quoted(&given)))
    })?;
    if !matches!(url.scheme(), "ws" | "wss") {
        let scheme = quoted(url.scheme());
        return Err(Throw::go(format!("WebSocket requires url with scheme ws or wss, but got {scheme}")));
    }
    if !url.fragment().is_empty() {
        let fragment = quoted(url.fragment());
        return Err(Throw::go(format!("WebSocket requires no url fragment, but got {fragment}")));
    }
    let protocols: Vec<String> = match args.take(1) {
        Value::List(list) => list.iter().map(go::string_of).collect(),
        _ => Vec::new(),
    };
    let params = Params::read(args.take(2), "WebSocket tags option", |key| {
        Err(Throw::go(format!("unknown WebSocket's option {key}")))
    })?;
    let (ask, user) = params.ask(vu, url.as_str());
    let ask = ask.and_then(|ask| ask.protocols(&protocols));
    let present = vu.tags();
    let own_name = user.iter().find(|(key, _)| key == "name").map(|(_, name)| name.as_str());
    let name = own_name.or_else(|| present.get("name")).unwrap_or(url.as_str()).to_owned();
    let socket = JsSocket::open(vu, SocketApi::Events, ask, SocketTags { user, url: name.clone(), name: Some(name) });
    Ok(Value::List(vec![Value::Resource(socket), url.as_str().into()]))
}

/// `(socket)` -> its state.
fn state(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsSocket>(0)?;
    Ok(Value::Number(f64::from(socket.state.get() as u8)))
}

/// `(socket, state)`: it is in that state now.
fn enter(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsSocket>(0)?;
    socket.state.set(match args.number(1) as u8 {
        0 => ReadyState::Connecting,
        1 => ReadyState::Open,
        2 => ReadyState::Closing,
        _ => ReadyState::Closed,
    });
    Ok(Value::Undefined)
}

/// `(socket)`: its messages go to more than one handler.
fn watch(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<JsSocket>(0)?.has_listeners.set(true);
    Ok(Value::Undefined)
}

/// `(socket, text)`: it has another handler for messages, or none, whose text begins so.
fn handle(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsSocket>(0)?;
    socket.has_new_handler.set(true);
    socket.sees.set(HandlerSight::of(&args.string(1)));
    Ok(Value::Undefined)
}

/// `(socket, data)`: bytes. Texts are sent by [`direct::send`].
fn send(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsSocket>(0)?;
    let outgoing = match args.take(1) {
        Value::Bytes(bytes) => OutgoingMessage::Binary(bytes),
        other => return Err(Throw::go(format!("unsupported send type {}", go::type_of(&other)))),
    };
    socket.send(vu, outgoing)?;
    Ok(Value::Undefined)
}

/// `(socket)`
fn ping(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<JsSocket>(0)?.ping(vu)?;
    Ok(Value::Undefined)
}

/// `(socket, code, reason)` -> the code. What is given is checked in every state. An open socket is closing then.
fn close_socket(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    const FAILED: &str = "Failed to execute 'close' on 'WebSocket'";
    let socket = args.resource::<JsSocket>(0)?;
    // What is no number is none.
    let code = match args.number(1).trunc() {
        code if code == 0.0 || code.is_nan() => f64::from(close::NORMAL),
        code => code,
    };
    let is_allowed = code == f64::from(close::NORMAL) || (3000.0..=4999.0).contains(&code);
    if !is_allowed {
        let code = if code.is_finite() { code } else { 0.0 };
        return Err(Throw::go(format!(
            "InvalidAccessError: {FAILED}: The close code must be either 1000, or between 3000 and 4999. {code} is neither"
        )));
    }
    let reason = args.string(2);
    if reason.len() > MAX_REASON_LEN {
        let text = format!("SyntaxError: {FAILED}: The message must not be greater than {MAX_REASON_LEN} bytes");
        return Err(Throw::go(text));
    }
    // A socket that is closing already needs no second close frame.
    match socket.state.get() {
        ReadyState::Connecting => socket.give_up(code as u16, reason),
        ReadyState::Open => _ = socket.send(vu, OutgoingMessage::Close(code as u16, reason)),
        ReadyState::Closing | ReadyState::Closed => return Ok(Value::Number(code)),
    }
    socket.state.set(ReadyState::Closing);
    Ok(Value::Number(code))
}

/// `(socket)`: the script failed, so no handler listens any more.
fn abandon(_vu: &VuContext, args: Args) -> Result<Value, Throw> {
    args.resource::<JsSocket>(0)?.abandon();
    Ok(Value::Undefined)
}

/// `(socket)` -> bytes that are not written yet.
fn buffered(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    Ok(Value::Number(args.resource::<JsSocket>(0)?.buffered(vu) as f64))
}

/// `(text, once)`: once is in the first pass only.
fn warn(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if !args.bool(1) || !Loader::of(&vu.script).files.is_sealed() {
        vu.script.log.warn(args.string(0));
    }
    Ok(Value::Undefined)
}

// Blobs ----------------------------------------------------------------------------------------------------------

/// `(parts)` -> their bytes, one after the other.
fn join(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let Value::List(parts) = args.take(0) else { return Ok(Value::Bytes(bytes::Bytes::new())) };
    let mut all = Vec::new();
    for part in parts {
        match part {
            Value::String(text) => all.extend_from_slice(text.as_bytes()),
            Value::Bytes(bytes) => all.extend_from_slice(&bytes),
            other => {
                let kind = go::type_of(&other);
                return Err(Throw::go(format!("failed to process [blobParts]: unsupported type: {kind}")));
            }
        }
    }
    Ok(Value::Bytes(all.into()))
}

/// `(bytes)` -> their text.
fn text(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    match args.take(0) {
        Value::Bytes(bytes) => Ok(crate::js::value::text_of(&bytes).into()),
        _ => Ok(Value::String(String::new())),
    }
}
