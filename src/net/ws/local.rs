//! An open connection on the thread of its script, and who serves it there: a task of its own, or the script itself while it waits for
//! events. Then a message needs no hand-over between two tasks either.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::channel::{NetworkEnd, OutgoingMessage, TimedEvent, WrittenMessage};
use super::connection::{self, MAX_KEPT, Pump, SocketTask};
use super::handshake::HandshakeRequest;
use crate::net::client_connections::ClientConnections;
use crate::net::socket::MeteredSocket;

/// Who serves a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attendance {
    /// A task of its own.
    Task,
    /// The script, which waits for the next event.
    Waiting,
    /// The script, which handles an event; it waits for the next one afterwards, or [leaves](LocalPump::leave).
    Handling,
}

/// A connection on the thread of its script, once it is there. It has its own task, which serves it unless the script does.
pub struct LocalPump {
    pump: RefCell<Option<Box<Pump>>>,
    attendance: Cell<Attendance>,
    /// What the script has [sent](Self::send) and nobody has counted yet.
    written: RefCell<Vec<WrittenMessage>>,
    /// Wakes its task.
    task: RefCell<Waker>,
}

impl LocalPump {
    /// None yet.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            pump: RefCell::new(None),
            attendance: Cell::new(Attendance::Task),
            written: RefCell::default(),
            task: RefCell::new(Waker::noop().clone()),
        })
    }

    /// Who serves it.
    pub fn attendance(&self) -> Attendance {
        self.attendance.get()
    }

    /// Opens a connection over this socket, which began to connect at `started`, and serves it to its end.
    pub(super) async fn open(
        &self,
        connections: Rc<ClientConnections>,
        request: Box<HandshakeRequest>,
        mut socket: MeteredSocket,
        network_end: NetworkEnd,
        started: Instant,
    ) {
        let socket = socket.attach().is_ok().then_some(socket);
        if let Some(SocketTask(pump)) = connection::open(&connections, request, socket, network_end, started).await {
            self.serve(pump).await;
        }
    }

    /// Serves a connection of this thread to its end. Dropping the future closes it.
    pub(super) async fn serve(&self, pump: Box<Pump>) {
        struct End<'a>(&'a LocalPump);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                drop(self.0.pump.take());
            }
        }
        *self.pump.borrow_mut() = Some(pump);
        let _end = End(self);
        poll_fn(|cx| self.poll_task(cx)).await;
    }

    fn poll_task(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.task.borrow_mut().clone_from(cx.waker());
        let mut pump = self.pump.borrow_mut();
        match &mut *pump {
            None => Poll::Ready(()),
            Some(_) if self.attendance.get() != Attendance::Task => Poll::Pending,
            Some(pump) => {
                let polled = pump.poll(cx, false);
                self.keep_written(pump);
                polled
            }
        }
    }

    /// Does what can be done, until there is an event: ready with it. The script, which has taken all others, waits for it from now
    /// on. `begins` is called where it did not serve the connection before. `None` where that is not, or no longer, on this thread.
    pub fn poll(&self, cx: &mut Context<'_>, begins: impl FnOnce()) -> Option<Poll<TimedEvent>> {
        let mut slot = self.pump.borrow_mut();
        let pump = slot.as_mut()?;
        if self.attendance.replace(Attendance::Waiting) == Attendance::Task {
            begins();
        }
        let is_over = pump.poll(cx, true).is_ready();
        let awaited = pump.take_awaited();
        self.keep_written(pump);
        if is_over {
            *slot = None;
            self.leave();
        }
        match awaited {
            Some(event) => Some(Poll::Ready(event)),
            None => (!is_over).then_some(Poll::Pending),
        }
    }

    /// Sends a message of the script while it handles an event; `Err` with it where it is to go through the channel.
    pub fn send(&self, message: OutgoingMessage) -> Result<(), OutgoingMessage> {
        match &mut *self.pump.borrow_mut() {
            Some(pump) if self.attendance.get() == Attendance::Handling => pump.send(message),
            _ => Err(message),
        }
    }

    /// As [`Self::send`], of a text; false where it is to go through the channel.
    pub fn send_text(&self, text: &str) -> bool {
        match &mut *self.pump.borrow_mut() {
            Some(pump) if self.attendance.get() == Attendance::Handling => pump.send_text(text),
            _ => false,
        }
    }

    fn keep_written(&self, pump: &mut Pump) {
        if !pump.written.is_empty() {
            move_all(&mut pump.written, &mut self.written.borrow_mut());
        }
    }

    /// Adds what was written of such messages since the last call.
    pub fn take_written(&self, written: &mut Vec<WrittenMessage>) {
        let mut own = self.written.borrow_mut();
        move_all(&mut own, written);
        if own.capacity() > MAX_KEPT {
            *own = Vec::new();
        }
    }

    /// The script has an event, and handles it.
    pub fn handles_event(&self) {
        if self.attendance.get() == Attendance::Waiting {
            self.attendance.set(Attendance::Handling);
        }
    }

    /// The script does something else: the task serves it.
    pub fn leave(&self) {
        if self.attendance.replace(Attendance::Task) != Attendance::Task {
            self.task.borrow().wake_by_ref();
        }
    }
}

/// Appends all of `from` to `to`, which mostly is empty: then they change places.
fn move_all(from: &mut Vec<WrittenMessage>, to: &mut Vec<WrittenMessage>) {
    match to.is_empty() {
        true => std::mem::swap(from, to),
        false => to.append(from),
    }
}
