//! One WebSocket of a VU: its line to the network, what its samples are tagged with, and the samples themselves.
//!
//! What happened is counted when the script takes it, or when its iteration ends without taking it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::execution::precise_timer;
use crate::js::value::{Throw, Value, text_of};
use crate::js::vu::Vu;
use crate::metrics::record::millis;
use crate::metrics::system_tags::SystemTag as Tag;
use crate::metrics::{Metadata, MetricId, Record, TagSet, builtin};
use crate::net::http::Headers;
use crate::net::ws::{self, Answer, Ask, Event, Line, Outgoing, Refused, Told};

/// How long the end of an iteration waits for a server's last word.
const FAREWELL: Duration = Duration::from_millis(250);

/// Which of the two modules a socket belongs to: they count differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `k6/ws`: one that keeps the VU waiting. It says goodbye with 1001.
    Blocking,
    /// `k6/websockets`: one with events. It says goodbye with 1000, and every frame it sends is a message.
    Events,
}

/// What a socket's samples are tagged with.
pub struct Labels {
    /// The script's own tags.
    pub user: Vec<(String, String)>,
    /// The tag `url`.
    pub url: String,
    /// The tag `name`, where there is one.
    pub name: Option<String>,
}

/// One WebSocket.
pub struct Socket {
    line: Arc<Line>,
    kind: Kind,
    labels: Labels,
    /// What the VU was tagged with when it was made.
    base: Arc<TagSet>,
    tags: RefCell<Arc<TagSet>>,
    metadata: Option<Metadata>,
    /// When it began to connect, once it is open.
    began: Cell<Option<Instant>>,
    pings: Cell<u64>,
    /// The script said goodbye: what comes is not counted any more.
    is_closing: Cell<bool>,
    /// What it is tagged with is known: the connection came about or failed.
    is_labelled: Cell<bool>,
    /// Its session was counted.
    is_over: Cell<bool>,
    /// Bytes that are not written yet, as the running task sees it, and which task that is.
    buffered: Cell<(u64, u64)>,
}

/// The sockets of a VU that are not over.
#[derive(Default)]
struct Sockets(RefCell<Vec<Rc<Socket>>>);

impl Socket {
    /// Begins to connect.
    pub fn open(vu: &Vu, kind: Kind, ask: Result<Ask, String>, labels: Labels) -> Rc<Self> {
        let line = ws::open(&vu.client, ask);
        let base = vu.tags();
        let socket = Rc::new(Self {
            line,
            kind,
            labels,
            tags: RefCell::new(base.clone()),
            base,
            metadata: vu.metadata(),
            began: Cell::new(None),
            pings: Cell::new(0),
            is_closing: Cell::new(false),
            is_labelled: Cell::new(false),
            is_over: Cell::new(false),
            buffered: Cell::new((0, 0)),
        });
        vu.room::<Sockets>().0.borrow_mut().push(socket.clone());
        socket
    }

    /// The next event, once it comes.
    pub fn next(&self) -> impl Future<Output = Told> + use<> {
        self.line.clone().next()
    }

    /// The next event, if there is one.
    pub fn take(&self) -> Option<Told> {
        self.line.take()
    }

    /// Says something.
    ///
    /// # Errors
    /// The socket is closed.
    pub fn say(&self, vu: &Vu, outgoing: Outgoing) -> Result<(), Throw> {
        if self.is_over.get() || self.is_closing.get() {
            return Err(Throw::go("InvalidStateError"));
        }
        self.settle(vu);
        let (buffered, task) = self.buffered.get();
        self.buffered.set((buffered + outgoing.len() as u64, task));
        self.is_closing.set(matches!(outgoing, Outgoing::Close(..)));
        self.line.say(outgoing);
        Ok(())
    }

    /// Sends a ping, the next of its number.
    ///
    /// # Errors
    /// The socket is closed.
    pub fn ping(&self, vu: &Vu) -> Result<(), Throw> {
        let number = self.pings.get();
        self.pings.set(number + 1);
        self.say(vu, Outgoing::Ping(number))
    }

    /// Waits while too much is unwritten.
    ///
    /// # Errors
    /// The VU has to stop.
    pub fn wait_for_room(&self, vu: &Vu) -> Result<(), Throw> {
        if self.line.is_full() { vu.wait(self.line.clone().room()) } else { Ok(()) }
    }

    /// Says goodbye and waits until that is written; nothing is heard any more.
    ///
    /// # Errors
    /// The VU has to stop.
    pub fn leave(&self, vu: &Vu, code: u16) -> Result<(), Throw> {
        self.is_closing.set(true);
        self.line.leave(code);
        vu.wait(self.line.clone().flushed())
    }

    /// Leaves without waiting: the end of the iteration, which is near, waits and counts.
    pub fn abandon(&self) {
        self.is_closing.set(true);
        self.line.leave(self.parting());
    }

    fn parting(&self) -> u16 {
        match self.kind {
            Kind::Blocking => ws::close::GOING_AWAY,
            Kind::Events => ws::close::NORMAL,
        }
    }

    /// Bytes the script gave that are not written yet. A task sees what was written before it began.
    pub fn buffered(&self, vu: &Vu) -> u64 {
        self.settle(vu);
        self.buffered.get().0
    }

    /// Takes note of what was written, once in a task.
    fn settle(&self, vu: &Vu) {
        let (buffered, task) = self.buffered.get();
        if self.kind == Kind::Blocking || task != vu.task() {
            self.buffered.set((buffered, vu.task()));
            self.count_written(vu);
        }
    }

    // Samples ----------------------------------------------------------------------------------------------------

    fn sample(&self, vu: &Vu, at: Instant, metric: MetricId, value: f64) {
        let (time, tags) = (vu.script.epoch.stamp(at), self.tags.borrow().clone());
        vu.record(Record::Sample { time, metric, value, tags, metadata: self.metadata.clone() });
    }

    /// Counts what was written. Before the tags are known it waits: what was said while the socket connected is written with
    /// its first event.
    fn count_written(&self, vu: &Vu) {
        if !self.is_labelled.get() {
            return;
        }
        let mut bytes = 0;
        for written in self.line.written() {
            bytes += written.bytes as u64;
            // The blocking API counts what is sent when it is.
            if self.kind == Kind::Events {
                self.sample(vu, written.at, builtin::WS_MSGS_SENT, 1.0);
            }
        }
        let (buffered, task) = self.buffered.get();
        self.buffered.set((buffered.saturating_sub(bytes), task));
    }

    /// A message of the blocking API was sent.
    pub fn count_sent(&self, vu: &Vu) {
        self.sample(vu, Instant::now(), builtin::WS_MSGS_SENT, 1.0);
    }

    /// Tags everything that follows by the server's answer.
    fn label(&self, vu: &Vu, answer: Option<&Answer>, is_open: bool) {
        let on = |tag| vu.script.system_tags.has(tag);
        let (status, ip);
        let labels = &self.labels;
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        if on(Tag::Url) {
            pairs.push(("url", &labels.url));
        }
        if let Some(name) = labels.name.as_deref().filter(|_| on(Tag::Name)) {
            pairs.push(("name", name));
        }
        pairs.extend(labels.user.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        if let Some(answer) = answer {
            if on(Tag::Status) {
                status = answer.status.to_string();
                pairs.push(("status", &status));
            }
            if on(Tag::Subproto) {
                pairs.push(("subproto", answer.headers.get("Sec-Websocket-Protocol").unwrap_or_default()));
            }
            if on(Tag::Ip) && is_open {
                ip = answer.remote.to_string();
                pairs.push(("ip", &ip));
            }
        }
        *self.tags.borrow_mut() = vu.worker.tags_with(&vu.script.interner, &self.base, &pairs);
        self.is_labelled.set(true);
    }

    /// Counts the attempt to connect.
    fn count_attempt(&self, vu: &Vu, began: Instant, ended: Instant) {
        self.sample(vu, ended, builtin::WS_SESSIONS, 1.0);
        let took = ended.saturating_duration_since(began);
        self.sample(vu, ended, builtin::WS_CONNECTING, millis(took.as_nanos() as u64));
    }

    /// Counts the session, once: with everything that came too late for the script.
    pub fn finish(&self, vu: &Vu, at: Instant) {
        if self.is_over.replace(true) {
            return;
        }
        self.count_written(vu);
        if let Some(began) = self.began.get() {
            let lasted = at.saturating_duration_since(began);
            self.sample(vu, at, builtin::WS_SESSION_DURATION, millis(lasted.as_nanos() as u64));
        }
        vu.room::<Sockets>().0.borrow_mut().retain(|known| !std::ptr::eq(&**known, self));
    }

    /// Counts an event.
    pub fn count(&self, vu: &Vu, told: &Told) {
        match &told.event {
            Event::Open(answer) => {
                self.label(vu, Some(answer), true);
                self.count_attempt(vu, answer.started, answer.arrived);
                self.began.set(Some(answer.started));
            }
            Event::Failed(refused) => {
                self.label(vu, refused.answer.as_ref(), false);
                let ended = refused.answer.as_ref().map_or(told.at, |answer| answer.arrived);
                self.count_attempt(vu, refused.started, ended);
                if self.kind == Kind::Blocking {
                    self.began.set(Some(refused.started));
                }
                self.finish(vu, told.at);
            }
            Event::Text(_) | Event::Binary(_) if !self.is_closing.get() => {
                self.sample(vu, told.at, builtin::WS_MSGS_RECEIVED, 1.0);
            }
            Event::Pong(Some(time)) => {
                self.sample(vu, told.at, builtin::WS_PING, millis(time.as_nanos() as u64));
            }
            Event::Closed(_) if self.kind == Kind::Events => self.finish(vu, told.at),
            _ => {}
        }
    }

    /// An event for JavaScript: what kind, when in milliseconds, and what is special about it.
    pub fn show(&self, vu: &Vu, told: Told) -> Value {
        self.settle(vu);
        self.count(vu, &told);
        let time = vu.script.epoch.stamp(told.at).0 as f64 / 1e6;
        let mut list: Vec<Value> = Vec::with_capacity(5);
        let mut of = |kind: &str, more: [Value; 3]| {
            list.extend([kind.into(), Value::Number(time)]);
            list.extend(more);
        };
        let nothing = || Value::Undefined;
        match told.event {
            Event::Open(answer) => {
                let protocol = answer.headers.get("Sec-Websocket-Protocol").unwrap_or_default().into();
                let extensions = answer.headers.get_all("Sec-Websocket-Extensions").map(Value::from).collect();
                of("open", [protocol, Value::List(extensions), nothing()]);
            }
            Event::Failed(refused) => of("failed", [refused.text.into(), nothing(), nothing()]),
            Event::Text(text) => {
                let text = String::from_utf8(text).unwrap_or_else(|error| text_of(error.as_bytes()));
                of("message", [text.into(), nothing(), nothing()]);
            }
            Event::Binary(bytes) => of("message", [Value::Bytes(bytes.into()), nothing(), nothing()]),
            Event::Ping => of("ping", [nothing(), nothing(), nothing()]),
            Event::Pong(_) => of("pong", [nothing(), nothing(), nothing()]),
            Event::Closed(farewell) => {
                let code = farewell.code.map_or(Value::Undefined, |code| Value::Number(f64::from(code)));
                let complaint = farewell.complaint().map_or(Value::Undefined, Value::from);
                let reason = if farewell.code.is_some() { farewell.reason } else { String::new() };
                of("closed", [code, reason.into(), complaint]);
            }
        }
        Value::List(list)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.line.leave(self.parting());
    }
}

/// The response of a handshake as `k6/ws` gives it; the URL only for one that came about.
pub fn response(answer: Option<&Answer>, url: &str, error: &str) -> Value {
    let headers = |headers: &Headers| headers.joined().into_iter().map(|(name, value)| (name, value.into())).collect();
    Value::Map(vec![
        ("url".to_owned(), url.into()),
        ("status".to_owned(), Value::Number(answer.map_or(0.0, |answer| f64::from(answer.status)))),
        ("headers".to_owned(), Value::Map(answer.map_or_else(Vec::new, |answer| headers(&answer.headers)))),
        ("body".to_owned(), answer.map_or_else(String::new, |answer| text_of(&answer.body)).into()),
        ("error".to_owned(), error.into()),
    ])
}

/// The answer in words of `k6/ws`: a rejected handshake is an answer, everything else an error.
pub fn refusal(refused: &Refused) -> Value {
    match &refused.answer {
        Some(answer) => response(Some(answer), "", ""),
        None => response(None, "", &refused.text),
    }
}

/// What ends with an iteration: sockets that are still open. They say goodbye and are counted, with all they heard.
pub async fn hang_up(vu: &Vu) {
    let Some(sockets) = vu.known_room::<Sockets>() else { return };
    let open = sockets.0.take();
    // Their sessions end here, however long the server takes for its last word.
    let ended = Instant::now();
    for socket in &open {
        while let Some(told) = socket.line.take() {
            let is_last = matches!(told.event, Event::Closed(_) | Event::Failed(_));
            socket.count(vu, &told);
            if is_last {
                break;
            }
        }
        socket.line.leave(socket.parting());
    }
    if open.is_empty() {
        return;
    }
    let all_ended = futures_util::future::join_all(open.iter().map(|socket| socket.line.clone().ended()));
    tokio::select! {
        _ = all_ended => {}
        () = precise_timer::sleep(FAREWELL) => {}
    }
    open.iter().for_each(|socket| socket.finish(vu, ended));
}
