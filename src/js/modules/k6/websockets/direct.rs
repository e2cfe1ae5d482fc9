//! What scripts do again and again with a socket: text messages, both ways. Everything else is left to JavaScript.

use std::rc::Rc;

use super::socket::{JsSocket, ReadyState};
use crate::js::engine::direct::{Local, Look, Scope, leave_to, resource_of};
use crate::js::runtime::VuContext;
use crate::js::value::{Throw, Value};
use crate::net::ws::OutgoingMessage;

/// The members of an event of the type `message`, in their order.
const MESSAGE_EVENT: &[&str] = &["type", "target", "timestamp", "data", "origin"];
/// The kind of a message, see [`JsSocket::show`].
const MESSAGE: f64 = 0.0;
/// What JavaScript calls an event that is the error of a handler.
const THROWN: f64 = -1.0;

fn socket_of(scope: &mut dyn Scope) -> Result<Rc<JsSocket>, Throw> {
    let socket = scope.data(0);
    resource_of(scope, socket).ok_or_else(|| Throw::type_error("there is no socket"))
}

/// `socket.send(data)`, made with the native socket and a function that sends what is no text.
pub fn send(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let socket = socket_of(scope)?;
    if socket.state.get() != ReadyState::Open {
        return Err(Throw::go("InvalidStateError"));
    }
    let data = scope.arg(0);
    if scope.look(data) != Look::Text {
        let (rare, socket) = (scope.data(1), scope.data(0));
        return scope.call(rare, &[socket, data]);
    }
    socket.send(vu, OutgoingMessage::Text(scope.text(data)))?;
    scope.make(Value::Undefined)
}

/// `(kind, timestamp, ...)` of one event. Made with the native socket, the object that has the handlers, the name of the one for
/// messages there, the script's socket, its URL, and a function for all events but texts that go to that handler alone.
pub fn event(_vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let (kind, timestamp, text) = (scope.arg(0), scope.arg(1), scope.arg(2));
    let socket = socket_of(scope)?;
    if scope.look(kind) != Look::Number(MESSAGE) || scope.look(text) != Look::Text || socket.has_listeners.get() {
        return leave_to(scope, 5);
    }
    let nothing = scope.make(Value::Undefined)?;
    let (handlers, name) = (scope.data(1), scope.data(2));
    let handler = scope.own(handlers, name)?.unwrap_or(nothing);
    if socket.state.get() != ReadyState::Open || scope.look(handler) != Look::Function {
        return Ok(nothing);
    }
    let (target, url) = (scope.data(3), scope.data(4));
    let event = scope.record(MESSAGE_EVENT, &[name, target, timestamp, text, url])?;
    match scope.call(handler, &[event]) {
        Err(Throw::Script) => match scope.catch() {
            Some(error) => {
                let (rare, thrown) = (scope.data(5), scope.make(Value::Number(THROWN))?);
                scope.call(rare, &[thrown, timestamp, error])
            }
            None => Err(Throw::Stop),
        },
        called => called,
    }
}
