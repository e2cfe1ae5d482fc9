//! What scripts do again and again with a socket: text messages, both ways. Everything else is left to JavaScript.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use smallvec::SmallVec;

use super::socket::{HandlerSight, JsSocket, ReadyState, values_of};
use crate::js::engine::direct::{EventSource, Local, Look, Scope, resource_of};
use crate::js::runtime::VuContext;
use crate::js::value::{Throw, Value, text_of};
use crate::net::ws::{SocketEvent, TimedEvent, give_message};

/// The members of an event of the type `message`, in their order.
const MESSAGE_EVENT: &[&str] = &["type", "target", "timestamp", "data", "origin"];
/// The place of the first of those in which one message differs from another: when it came, and its text.
const MESSAGE: usize = 2;
/// The place of its text, which is all that many handlers see.
const DATA: usize = 3;
/// A longer text is not kept for the next message.
const MAX_KEPT: usize = 4096;
/// The places among the data of [`Events`] of the script's socket, the function for what is seldom, and what that is called with
/// besides.
const TARGET: usize = 2;
const RARE: usize = 4;
const STATE: usize = 5;
/// What is kept for the next message: the event, and the handler for messages.
const EVENT: usize = 0;
const HANDLER: usize = 1;
/// What JavaScript calls an event that is the error of a handler.
const THROWN: f64 = -1.0;

fn no_socket() -> Throw {
    Throw::type_error("there is no socket")
}

/// `socket.send(data)`, made with the native socket and a function that sends what is no text.
pub fn send(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let socket = scope.data(0);
    let socket = resource_of::<JsSocket>(scope, socket).ok_or_else(no_socket)?;
    if socket.state.get() != ReadyState::Open {
        return Err(Throw::go("InvalidStateError"));
    }
    let data = scope.arg(0);
    if scope.look(data) != Look::Text {
        let (rare, socket) = (scope.data(1), scope.data(0));
        return scope.call(rare, &[socket, data]);
    }
    let mut sent = Ok(());
    scope.read_text(data, &mut |text| sent = socket.send_text(vu, text));
    sent?;
    scope.make(Value::Undefined)
}

/// `(socket, handlers, name, target, url, rare, state)`: the native socket, the object that has the handlers, the name of the one
/// for messages there, the script's socket, its URL, and a function for all events but texts that go to that handler alone, which
/// is called with the script's socket, `state` and the event.
pub fn listen(vu: &VuContext, scope: &mut dyn Scope) -> Result<Local, Throw> {
    let socket = scope.arg(0);
    let socket = resource_of(scope, socket).ok_or_else(no_socket)?;
    let with = [1, 2, 3, 4, 5, 6].map(|at| scope.arg(at));
    scope.listen(Rc::new(Events { socket, vu: vu.rc(), arrived: Cell::default() }), &with);
    scope.make(Value::Undefined)
}

/// The events of a socket, until it is closed.
struct Events {
    socket: Rc<JsSocket>,
    vu: Rc<VuContext>,
    /// The one that has come.
    arrived: Cell<Option<TimedEvent>>,
}

impl EventSource for Events {
    fn is_over(&self) -> bool {
        self.socket.state.get() == ReadyState::Closed
    }

    fn poll_next(&self, cx: &mut Context<'_>, is_always_asked: bool) -> Poll<()> {
        self.arrived.set(Some(ready!(self.socket.poll_next(&self.vu, cx, is_always_asked))));
        Poll::Ready(())
    }

    fn stop_waiting(&self) {
        self.socket.stop_waiting();
    }

    fn deliver(&self, scope: &mut dyn Scope) -> Result<(), Throw> {
        let Some(timed) = self.arrived.take() else { return Ok(()) };
        let time = self.socket.take(&self.vu, &timed);
        match timed.event {
            SocketEvent::Text(text) if !self.socket.has_listeners.get() => self.deliver_text(scope, time, text),
            event => {
                let values = values_of(event, time).into_iter().map(|value| scope.make(value));
                let values = values.collect::<Result<SmallVec<[Local; 5]>, _>>()?;
                leave_event(scope, &values)
            }
        }
    }
}

/// Calls the function for what is seldom.
fn leave_event(scope: &mut dyn Scope, values: &[Local]) -> Result<(), Throw> {
    let [rare, target, state] = [RARE, TARGET, STATE].map(|at| scope.data(at));
    let args: SmallVec<[Local; 7]> = [target, state].into_iter().chain(values.iter().copied()).collect();
    scope.call(rare, &args).map(drop)
}

impl Events {
    /// The handler for messages, if there is one and the socket is open.
    fn handler(&self, scope: &mut dyn Scope) -> Result<Option<Local>, Throw> {
        if self.socket.state.get() != ReadyState::Open {
            return Ok(None);
        }
        if !self.socket.has_new_handler.get()
            && let Some(handler) = scope.kept(HANDLER)
        {
            return Ok(Some(handler));
        }
        let (handlers, name) = (scope.data(0), scope.data(1));
        let handler = scope.get(handlers, name)?;
        if scope.look(handler) != Look::Function {
            return Ok(None);
        }
        scope.keep(HANDLER, handler);
        self.socket.has_new_handler.set(false);
        Ok(Some(handler))
    }

    /// Calls the handler for messages.
    fn deliver_text(&self, scope: &mut dyn Scope, time: f64, text: Vec<u8>) -> Result<(), Throw> {
        let Some(handler) = self.handler(scope)? else { return Ok(()) };
        let sees = match text.len() {
            ..=MAX_KEPT => self.socket.sees.get(),
            _ => HandlerSight::Event,
        };
        let data = match std::str::from_utf8(&text) {
            Ok(data) => scope.make_text(data)?,
            Err(_) => scope.make_text(&text_of(&text))?,
        };
        give_message(text);
        let event = match if sees == HandlerSight::Event { None } else { scope.kept(EVENT) } {
            Some(event) if sees == HandlerSight::Data => {
                scope.refill(event, MESSAGE_EVENT, DATA, &[data])?;
                event
            }
            Some(event) => {
                let timestamp = scope.make(Value::Number(time))?;
                scope.refill(event, MESSAGE_EVENT, MESSAGE, &[timestamp, data])?;
                event
            }
            None => {
                let [name, target, url] = [1, TARGET, 3].map(|at| scope.data(at));
                let timestamp = scope.make(Value::Number(time))?;
                let event = scope.record(MESSAGE_EVENT, &[name, target, timestamp, data, url])?;
                if sees != HandlerSight::Event {
                    scope.keep(EVENT, event);
                }
                event
            }
        };
        match scope.call(handler, &[event]) {
            Err(Throw::Script) => match scope.catch() {
                Some(error) => {
                    let [thrown, time] = [THROWN, time].map(Value::Number);
                    let (thrown, time) = (scope.make(thrown)?, scope.make(time)?);
                    leave_event(scope, &[thrown, time, error])
                }
                None => Err(Throw::Stop),
            },
            called => called.map(drop),
        }
    }
}
