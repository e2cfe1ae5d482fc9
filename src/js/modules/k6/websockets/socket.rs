//! One WebSocket of a VU: its channel to the network, its tags and its samples.
//!
//! What happened is counted when the script takes it, or when its iteration ends without taking it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::execution::precise_timer;
use crate::js::runtime::VuContext;
use crate::js::runtime::worker::Recording;
use crate::js::value::{Throw, Value, text_of};
use crate::metrics::record::millis;
use crate::metrics::system_tags::SystemTag as Tag;
use crate::metrics::{MetricId, Record, SampleMetadata, Stamp, TagSet, builtin};
use crate::net::http::Headers;
use crate::net::ws::{
    self, Attendance, HandshakeError, HandshakeRequest, HandshakeResponse, LocalPump, OutgoingMessage, SocketChannel,
    SocketEvent, TimedEvent, WrittenMessage,
};

/// How long the end of an iteration waits for servers to close their connections.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250);
/// A list with room for more is not kept for the next messages.
const MAX_KEPT: usize = 8;

/// Which of the two modules a socket belongs to: they count differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketApi {
    /// `k6/ws`: one that blocks the VU. It closes with 1001.
    Blocking,
    /// `k6/websockets`: one with events. It closes with 1000, and every frame it sends counts as a message.
    Events,
}

/// The state of a socket of `k6/websockets`, with the numbers of the HTML standard's `readyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyState {
    /// The handshake is under way.
    Connecting,
    /// Messages can be sent.
    Open,
    /// One of the two sides has asked for the end.
    Closing,
    /// It is over, or could not be opened.
    Closed,
}

/// What a handler for messages can see of the event it is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerSight {
    /// The event itself, which it may keep.
    Event,
    /// Its members, as it takes it apart: the next message may come in the same event.
    Members,
    /// `data` alone.
    Data,
}

impl HandlerSight {
    /// By the text of the handler, or its beginning. One that begins with `({` is an arrow function that takes its event apart: no other
    /// function has a text that begins with a parenthesis, and an arrow function has nothing of what it was called with but its
    /// parameters.
    pub fn of(text: &str) -> Self {
        fn after<'t>(text: &'t str, sign: &str) -> Option<&'t str> {
            text.trim_start_matches([' ', '\n', '\r', '\t']).strip_prefix(sign)
        }
        let Some(members) = text.strip_prefix('(').and_then(|rest| after(rest, "{")) else { return Self::Event };
        match ["data", "}", ")"].iter().try_fold(members, |rest, sign| after(rest, sign)) {
            Some(_) => Self::Data,
            None => Self::Members,
        }
    }
}

/// What a socket's samples are tagged with.
pub struct SocketTags {
    /// The script's own tags.
    pub user: Vec<(String, String)>,
    /// The tag `url`.
    pub url: String,
    /// The tag `name`, where there is one.
    pub name: Option<String>,
}

/// One WebSocket.
pub struct JsSocket {
    channel: Arc<SocketChannel>,
    local: Rc<LocalPump>,
    api: SocketApi,
    /// As its script sees it.
    pub state: Cell<ReadyState>,
    /// Messages go to more than the one handler.
    pub has_listeners: Cell<bool>,
    /// What its handler for messages can see of the event it is called with.
    pub sees: Cell<HandlerSight>,
    /// The handler for messages may be another one than for the last message.
    pub has_new_handler: Cell<bool>,
    given_tags: SocketTags,
    /// What the VU was tagged with when it was made.
    base: Arc<TagSet>,
    tags: RefCell<Arc<TagSet>>,
    metadata: Option<SampleMetadata>,
    /// When it began to connect, once it is open.
    began: Cell<Option<Instant>>,
    pings: Cell<u64>,
    /// The script has closed it: what arrives is not counted any more.
    is_closing: Cell<bool>,
    /// All tags are known: the connection was established or has failed.
    is_tagged: Cell<bool>,
    /// Its session has been counted.
    is_over: Cell<bool>,
    /// Room for what was written since it was counted last.
    written: Cell<Vec<WrittenMessage>>,
    /// Bytes that are not written yet, as the running task sees it, and which task that is.
    buffered: Cell<(u64, u64)>,
}

/// The sockets of a VU that are not over.
#[derive(Default)]
struct Sockets(RefCell<Vec<Rc<JsSocket>>>);

impl JsSocket {
    /// Begins to connect.
    pub fn open(
        vu: &VuContext,
        api: SocketApi,
        ask: Result<HandshakeRequest, String>,
        given_tags: SocketTags,
    ) -> Rc<Self> {
        let (channel, local) = ws::open(&vu.http, ask);
        let base = vu.tags();
        let socket = Rc::new(Self {
            channel,
            local,
            api,
            state: Cell::new(ReadyState::Connecting),
            has_listeners: Cell::new(false),
            sees: Cell::new(HandlerSight::Event),
            has_new_handler: Cell::new(true),
            given_tags,
            tags: RefCell::new(base.clone()),
            base,
            metadata: vu.metadata(),
            began: Cell::new(None),
            pings: Cell::new(0),
            is_closing: Cell::new(false),
            is_tagged: Cell::new(false),
            is_over: Cell::new(false),
            written: Cell::default(),
            buffered: Cell::new((0, 0)),
        });
        vu.module_state::<Sockets>().0.borrow_mut().push(socket.clone());
        socket
    }

    /// The next event, once it comes.
    pub fn next(&self) -> impl Future<Output = TimedEvent> + use<> {
        self.channel.clone().next()
    }

    /// The next event, once it comes; the VU, whose event loop asks, `serves` the connection meanwhile, if it is on this thread.
    pub fn poll_next(&self, vu: &VuContext, cx: &mut Context<'_>, serves: bool) -> Poll<TimedEvent> {
        let begins = || {
            vu.attend(&self.local);
            self.channel.wake_nobody();
        };
        let waiting = self.channel.try_next().map(Poll::Ready);
        let next = match waiting.or_else(|| if serves { self.local.poll(cx, begins) } else { None }) {
            Some(next) => next,
            None => self.channel.poll_next(cx),
        };
        if next.is_ready() {
            self.local.handles_event();
        }
        next
    }

    /// Nobody waits for its events any more, unless it was one that has come.
    pub fn stop_waiting(&self) {
        if self.local.attendance() == Attendance::Waiting {
            self.local.leave();
        }
    }

    /// The next event, if there is one.
    pub fn try_next(&self) -> Option<TimedEvent> {
        self.channel.try_next()
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// The socket is closed.
    pub fn send(&self, vu: &VuContext, outgoing: OutgoingMessage) -> Result<(), Throw> {
        self.buffer(vu, outgoing.len())?;
        self.is_closing.set(matches!(outgoing, OutgoingMessage::Close(..)));
        self.pass(outgoing);
        Ok(())
    }

    /// Sends a text.
    ///
    /// # Errors
    /// The socket is closed.
    pub fn send_text(&self, vu: &VuContext, text: &str) -> Result<(), Throw> {
        self.buffer(vu, text.len())?;
        if !self.local.send_text(text) {
            self.pass(OutgoingMessage::Text(text.to_owned()));
        }
        Ok(())
    }

    /// Hands a frame to who serves the connection.
    fn pass(&self, outgoing: OutgoingMessage) {
        if let Err(outgoing) = self.local.send(outgoing) {
            self.channel.send(outgoing);
        }
    }

    /// Counts what is about to be sent as not written yet.
    fn buffer(&self, vu: &VuContext, length: usize) -> Result<(), Throw> {
        if self.is_over.get() || self.is_closing.get() {
            return Err(Throw::go("InvalidStateError"));
        }
        self.refresh_buffered(vu, &mut vu.recording());
        let (buffered, task) = self.buffered.get();
        self.buffered.set((buffered + length as u64, task));
        Ok(())
    }

    /// Sends a ping, the next of its number.
    ///
    /// # Errors
    /// The socket is closed.
    pub fn ping(&self, vu: &VuContext) -> Result<(), Throw> {
        let number = self.pings.get();
        self.pings.set(number + 1);
        self.send(vu, OutgoingMessage::Ping(number))
    }

    /// Waits while too much is unwritten.
    ///
    /// # Errors
    /// The VU has to stop.
    pub fn wait_for_room(&self, vu: &VuContext) -> Result<(), Throw> {
        if self.channel.is_full() { vu.wait(self.channel.clone().room()) } else { Ok(()) }
    }

    /// Sends a close frame and waits until it is written; nothing is received any more.
    ///
    /// # Errors
    /// The VU has to stop.
    pub fn close(&self, vu: &VuContext, code: u16) -> Result<(), Throw> {
        self.is_closing.set(true);
        self.channel.detach(code);
        vu.wait(self.channel.clone().flushed())
    }

    /// Gives the handshake up; a connection that is open by now is sent a close frame.
    pub fn give_up(&self, code: u16, reason: String) {
        self.is_closing.set(true);
        self.channel.give_up(code, reason);
    }

    /// Closes without waiting: the end of the iteration, which is near, waits and counts.
    pub fn abandon(&self) {
        self.is_closing.set(true);
        self.channel.detach(self.close_code());
    }

    fn close_code(&self) -> u16 {
        match self.api {
            SocketApi::Blocking => ws::close::GOING_AWAY,
            SocketApi::Events => ws::close::NORMAL,
        }
    }

    /// Bytes the script gave that are not written yet. A task sees what was written before it began.
    pub fn buffered(&self, vu: &VuContext) -> u64 {
        self.refresh_buffered(vu, &mut vu.recording());
        self.buffered.get().0
    }

    /// Updates what is not written yet, once in a task.
    fn refresh_buffered(&self, vu: &VuContext, recording: &mut Recording<'_>) {
        let (buffered, task) = self.buffered.get();
        if self.api == SocketApi::Blocking || task != vu.task() {
            self.buffered.set((buffered, vu.task()));
            self.count_written(vu, recording);
        }
    }

    // Samples ----------------------------------------------------------------------------------------------------

    fn sample(&self, recording: &mut Recording<'_>, time: Stamp, metric: MetricId, value: f64) {
        recording.record(|| {
            let (tags, metadata) = (self.tags.borrow().clone(), self.metadata.clone());
            Record::Sample { time, metric, value, tags, metadata }
        });
    }

    /// Counts what was written. Before the tags are known it does nothing: what was sent while the socket connected is counted
    /// with its first event.
    fn count_written(&self, vu: &VuContext, recording: &mut Recording<'_>) {
        if !self.is_tagged.get() {
            return;
        }
        let (mut bytes, mut all) = (0, self.written.take());
        self.channel.take_written(&mut all);
        self.local.take_written(&mut all);
        for written in all.drain(..) {
            bytes += written.bytes as u64;
            // The blocking API counts what is sent when it is.
            if self.api == SocketApi::Events {
                self.sample(recording, vu.script.epoch.stamp(written.at), builtin::WS_MSGS_SENT, 1.0);
            }
        }
        if all.capacity() <= MAX_KEPT {
            self.written.set(all);
        }
        let (buffered, task) = self.buffered.get();
        self.buffered.set((buffered.saturating_sub(bytes), task));
    }

    /// A message of the blocking API was sent.
    pub fn count_sent(&self, vu: &VuContext) {
        self.sample(&mut vu.recording(), vu.now(), builtin::WS_MSGS_SENT, 1.0);
    }

    /// Sets the tags of everything that follows, from the server's response.
    fn tag(&self, vu: &VuContext, answer: Option<&HandshakeResponse>, is_open: bool) {
        let on = |tag| vu.script.system_tags.has(tag);
        let (status, ip);
        let given_tags = &self.given_tags;
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        if on(Tag::Url) {
            pairs.push(("url", &given_tags.url));
        }
        if let Some(name) = given_tags.name.as_deref().filter(|_| on(Tag::Name)) {
            pairs.push(("name", name));
        }
        pairs.extend(given_tags.user.iter().map(|(key, value)| (key.as_str(), value.as_str())));
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
        self.is_tagged.set(true);
    }

    /// Counts the attempt to connect.
    fn count_attempt(&self, vu: &VuContext, recording: &mut Recording<'_>, began: Instant, ended: Instant) {
        let time = vu.script.epoch.stamp(ended);
        self.sample(recording, time, builtin::WS_SESSIONS, 1.0);
        let took = ended.saturating_duration_since(began);
        self.sample(recording, time, builtin::WS_CONNECTING, millis(took.as_nanos() as u64));
    }

    /// Counts the session once, with everything that came too late for the script.
    pub fn finish(&self, vu: &VuContext, at: Instant) {
        self.finish_in(vu, &mut vu.recording(), at);
    }

    fn finish_in(&self, vu: &VuContext, recording: &mut Recording<'_>, at: Instant) {
        if self.is_over.replace(true) {
            return;
        }
        self.count_written(vu, recording);
        if let Some(began) = self.began.get() {
            let lasted = at.saturating_duration_since(began);
            let lasted = millis(lasted.as_nanos() as u64);
            self.sample(recording, vu.script.epoch.stamp(at), builtin::WS_SESSION_DURATION, lasted);
        }
        vu.module_state::<Sockets>().0.borrow_mut().retain(|known| !std::ptr::eq(&**known, self));
    }

    /// Counts an event; when it happened.
    pub fn count(&self, vu: &VuContext, timed: &TimedEvent) -> Stamp {
        self.count_in(vu, &mut vu.recording(), timed)
    }

    fn count_in(&self, vu: &VuContext, recording: &mut Recording<'_>, timed: &TimedEvent) -> Stamp {
        let time = vu.script.epoch.stamp(timed.at);
        match &timed.event {
            SocketEvent::Open(answer) => {
                self.tag(vu, Some(answer), true);
                self.count_attempt(vu, recording, answer.started, answer.arrived);
                self.began.set(Some(answer.started));
            }
            SocketEvent::Failed(refused) => {
                self.tag(vu, refused.response.as_ref(), false);
                let ended = refused.response.as_ref().map_or(timed.at, |answer| answer.arrived);
                self.count_attempt(vu, recording, refused.started, ended);
                if self.api == SocketApi::Blocking {
                    self.began.set(Some(refused.started));
                }
                self.finish_in(vu, recording, timed.at);
            }
            SocketEvent::Text(_) | SocketEvent::Binary(_) if !self.is_closing.get() => {
                self.sample(recording, time, builtin::WS_MSGS_RECEIVED, 1.0);
            }
            SocketEvent::Pong(Some(took)) => {
                self.sample(recording, time, builtin::WS_PING, millis(took.as_nanos() as u64));
            }
            SocketEvent::Closed(_) if self.api == SocketApi::Events => self.finish_in(vu, recording, timed.at),
            _ => {}
        }
        time
    }

    /// Counts an event that the script is about to see; its time in milliseconds.
    pub fn take(&self, vu: &VuContext, timed: &TimedEvent) -> f64 {
        let mut recording = vu.recording();
        self.refresh_buffered(vu, &mut recording);
        self.count_in(vu, &mut recording, timed).0 as f64 / 1e6
    }

    /// As [`take`](Self::take), and what [`values_of`] the event says.
    pub fn show(&self, vu: &VuContext, timed: TimedEvent) -> Value {
        let time = self.take(vu, &timed);
        Value::List(values_of(timed.event, time))
    }
}

impl Drop for JsSocket {
    fn drop(&mut self) {
        self.channel.detach(self.close_code());
    }
}

/// An event for JavaScript: the number of its kind (message, open, failed, closed, ping, pong), its time in milliseconds, and up to
/// three values that depend on the kind.
pub fn values_of(event: SocketEvent, time: f64) -> Vec<Value> {
    let of = |kind: u8, more: &mut dyn Iterator<Item = Value>| {
        let mut list = Vec::with_capacity(3);
        list.extend([Value::Number(f64::from(kind)), Value::Number(time)]);
        list.extend(more);
        list
    };
    let with = |kind: u8, value: Value| of(kind, &mut std::iter::once(value));
    match event {
        SocketEvent::Open(answer) => {
            let protocol = answer.headers.get("Sec-Websocket-Protocol").unwrap_or_default().into();
            let extensions = answer.headers.get_all("Sec-Websocket-Extensions").map(Value::from).collect();
            of(1, &mut [protocol, Value::List(extensions)].into_iter())
        }
        SocketEvent::Failed(refused) => with(2, refused.text.into()),
        SocketEvent::Text(text) => with(0, message_text(text)),
        SocketEvent::Binary(bytes) => with(0, Value::Bytes(bytes.into())),
        SocketEvent::Ping => of(4, &mut std::iter::empty()),
        SocketEvent::Pong(_) => of(5, &mut std::iter::empty()),
        SocketEvent::Closed(farewell) => {
            let code = farewell.code.map_or(Value::Undefined, |code| Value::Number(f64::from(code)));
            let complaint = farewell.complaint().map_or(Value::Undefined, Value::from);
            let reason = if farewell.code.is_some() { farewell.reason } else { String::new() };
            of(3, &mut [code, reason.into(), complaint].into_iter())
        }
    }
}

/// A text as a script sees it.
fn message_text(text: Vec<u8>) -> Value {
    String::from_utf8(text).unwrap_or_else(|error| text_of(error.as_bytes())).into()
}

/// The response of a handshake as `k6/ws` returns it; the URL only for a connection that was established.
pub fn response(answer: Option<&HandshakeResponse>, url: &str, error: &str) -> Value {
    let headers = |headers: &Headers| headers.joined().into_iter().map(|(name, value)| (name, value.into())).collect();
    Value::Map(vec![
        ("url".to_owned(), url.into()),
        ("status".to_owned(), Value::Number(answer.map_or(0.0, |answer| f64::from(answer.status)))),
        ("headers".to_owned(), Value::Map(answer.map_or_else(Vec::new, |answer| headers(&answer.headers)))),
        ("body".to_owned(), answer.map_or_else(String::new, |answer| text_of(&answer.body)).into()),
        ("error".to_owned(), error.into()),
    ])
}

/// A failed connection for `k6/ws`: a rejected handshake is a response, everything else an error.
pub fn refusal(refused: &HandshakeError) -> Value {
    match &refused.response {
        Some(answer) => response(Some(answer), "", ""),
        None => response(None, "", &refused.text),
    }
}

/// Closes the sockets that are still open when an iteration ends, and counts them with all they received.
pub fn close_sockets(vu: &VuContext) -> Option<LocalBoxFuture<'_, ()>> {
    let open = vu.existing_module_state::<Sockets>()?.0.take();
    (!open.is_empty()).then(|| close_all(vu, open).boxed_local())
}

async fn close_all(vu: &VuContext, open: Vec<Rc<JsSocket>>) {
    // Their sessions end here, however long the server takes to close.
    let ended = Instant::now();
    for socket in &open {
        while let Some(timed) = socket.channel.try_next() {
            let is_last = matches!(timed.event, SocketEvent::Closed(_) | SocketEvent::Failed(_));
            socket.count(vu, &timed);
            if is_last {
                break;
            }
        }
        socket.channel.detach(socket.close_code());
    }
    let all_ended = futures_util::future::join_all(open.iter().map(|socket| socket.channel.clone().ended()));
    tokio::select! {
        _ = all_ended => {}
        () = precise_timer::sleep(CLOSE_TIMEOUT) => {}
    }
    open.iter().for_each(|socket| socket.finish(vu, ended));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_known_by_how_its_text_begins() {
        let check = |text, expect| assert_eq!(HandlerSight::of(text), expect, "{text}");
        for text in ["({ data }) => {}", "({data})=>data", "(\n\t{ data\r\n}\n) =>", "({ data } ) => 1"] {
            check(text, HandlerSight::Data);
        }
        let members =
            ["({ data, type }) => 1", "({ data: text }) => 1", "({ data = 1 }) => 1", "({ data2 }) => 1", "({}) => 1"];
        for text in
            [&members[..], &["({ ...data }) => 1", "({ data }, more) => 1", "({ data", "({ data /* */ }) => 1", "({"]]
                .concat()
        {
            check(text, HandlerSight::Members);
        }
        for text in [
            "",
            "(",
            "(event) => 1",
            "event => 1",
            "function ({ data }) {}",
            "async ({ data }) => 1",
            "/**/({ data }) => 1",
        ] {
            check(text, HandlerSight::Event);
        }
    }
}
