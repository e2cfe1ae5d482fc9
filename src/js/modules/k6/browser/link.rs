//! A VU's part of a connection to a browser: its contexts and sessions, for one iteration.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;

use super::measure;
use super::shared::RunningBrowser;
use crate::execution::precise_timer;
use crate::js::runtime::VuContext;
use crate::js::value::Value;
use crate::net::devtools::{DevtoolsConnection, Inbox, InboxItem, TrafficEvent};

/// How long pages may take to report their last vitals when an iteration ends.
const VITALS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the browser may take to close them.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// What makes a page report its vitals, in the world of their script.
pub const REPORT_VITALS: &str = "globalThis.volleyReportVitals && volleyReportVitals()";

/// The links of a VU that are open.
#[derive(Default)]
pub struct Links(RefCell<Vec<Rc<Link>>>);

/// A VU's part of a connection.
pub struct Link {
    /// The connection.
    pub connection: Arc<DevtoolsConnection>,
    /// What waits for the VU.
    pub inbox: Arc<Inbox>,
    /// The browser of the run; none where the script has connected to one itself.
    _browser: Option<Arc<RunningBrowser>>,
    is_own: bool,
    is_closed: Cell<bool>,
    /// The script waits for so many events: while there are none, and no replies, its iteration may end.
    held: Cell<u64>,
    /// Commands whose replies it waits for.
    awaited: RefCell<HashSet<u64>>,
    /// Timers of the script's half.
    deadlines: RefCell<BTreeSet<(Instant, u32)>>,
    last_deadline: Cell<u32>,
    /// The script's half has asked for what comes next.
    is_pumping: Cell<bool>,
    /// Sessions whose pages have handlers that name what is measured.
    named_by_script: RefCell<HashSet<String>>,
    /// What is measured and waits to be named.
    unnamed: RefCell<HashMap<u32, TrafficEvent>>,
    last_unnamed: Cell<u32>,
    /// For each session the world of the vitals' script.
    vitals: RefCell<HashMap<String, f64>>,
}

impl Link {
    /// A link over the browser of the run, or over a connection of the script's own.
    pub fn new(vu: &VuContext, connection: Arc<DevtoolsConnection>, browser: Option<Arc<RunningBrowser>>) -> Rc<Self> {
        let link = Rc::new(Self {
            connection,
            inbox: Arc::default(),
            is_own: browser.is_none(),
            _browser: browser,
            is_closed: Cell::new(false),
            held: Cell::new(0),
            awaited: RefCell::default(),
            deadlines: RefCell::default(),
            last_deadline: Cell::new(0),
            is_pumping: Cell::new(false),
            named_by_script: RefCell::default(),
            unnamed: RefCell::default(),
            last_unnamed: Cell::new(0),
            vitals: RefCell::default(),
        });
        vu.module_state::<Links>().0.borrow_mut().push(link.clone());
        link
    }

    /// False once its iteration has ended, or the browser has gone.
    pub fn is_open(&self) -> bool {
        !self.is_closed.get() && self.connection.is_open()
    }

    /// Sends a command; its number. The iteration waits for the reply, unless something else does.
    pub fn send(&self, vu: &VuContext, session: &str, method: &str, params: &str, is_free: bool) -> u64 {
        let id = self.connection.send(&self.inbox, session, method, params);
        if !is_free {
            self.awaited.borrow_mut().insert(id);
            count_idle(vu);
        }
        id
    }

    /// No reply to this command will come any more: what it was sent to has gone.
    pub fn give_up(&self, vu: &VuContext, id: u64) {
        self.awaited.borrow_mut().remove(&id);
        count_idle(vu);
    }

    /// The script waits for one more thing, or one less.
    pub fn hold(&self, vu: &VuContext, more: bool) {
        let held = self.held.get();
        self.held.set(if more { held + 1 } else { held.saturating_sub(1) });
        count_idle(vu);
    }

    /// Sets a timer; its number.
    pub fn set_deadline(&self, vu: &VuContext, after: Duration) -> u32 {
        let number = self.last_deadline.get() + 1;
        self.last_deadline.set(number);
        let due = Instant::now().checked_add(after).unwrap_or_else(|| Instant::now() + Duration::from_secs(1 << 30));
        self.deadlines.borrow_mut().insert((due, number));
        count_idle(vu);
        self.inbox.wake();
        number
    }

    /// Forgets a timer.
    pub fn clear_deadline(&self, vu: &VuContext, number: u32) {
        self.deadlines.borrow_mut().retain(|(_, known)| *known != number);
        count_idle(vu);
    }

    /// The pages of a session have a handler that names what is measured, or have none any more.
    pub fn set_named_by_script(&self, session: String, is_named: bool) {
        let mut sessions = self.named_by_script.borrow_mut();
        if is_named {
            sessions.insert(session)
        } else {
            sessions.remove(&session)
        };
    }

    /// Writes down what the script has named.
    pub fn record_named(&self, vu: &VuContext, number: u32, name: Option<&str>) {
        let event = self.unnamed.borrow_mut().remove(&number);
        if let Some(event) = event {
            measure::record(vu, &event, name);
        }
    }

    /// Where the vitals of a session's page are reported from.
    pub fn set_vitals_world(&self, session: String, world: f64) {
        self.vitals.borrow_mut().insert(session, world);
    }

    /// What comes next: items up to the first reply or timer, so that whoever waits for it goes on before what comes later.
    /// Nothing at the end.
    pub fn next(self: &Rc<Self>, vu: &VuContext) -> LocalBoxFuture<'static, Value> {
        self.is_pumping.set(true);
        count_idle(vu);
        let (link, vu) = (self.clone(), Rc::downgrade(&vu.rc()));
        let mut timer: Option<(Instant, precise_timer::Sleep)> = None;
        Box::pin(poll_fn(move |cx| {
            let Some(vu) = vu.upgrade() else { return Poll::Ready(Value::Undefined) };
            let batch = std::task::ready!(link.poll_batch(&vu, &mut timer, cx));
            link.is_pumping.set(false);
            count_idle(&vu);
            Poll::Ready(batch)
        }))
    }

    fn poll_batch(
        &self,
        vu: &VuContext,
        timer: &mut Option<(Instant, precise_timer::Sleep)>,
        cx: &mut Context<'_>,
    ) -> Poll<Value> {
        let mut batch = Vec::new();
        loop {
            if self.is_closed.get() {
                return Poll::Ready(Value::Undefined);
            }
            let first = self.deadlines.borrow().first().copied();
            if let Some((due, number)) = first.filter(|(due, _)| *due <= Instant::now()) {
                self.deadlines.borrow_mut().remove(&(due, number));
                batch.push(fields([("timer", Value::Number(f64::from(number)))]));
                return Poll::Ready(Value::List(batch));
            }
            let item = if batch.is_empty() { self.inbox.pop_or_register(cx.waker()) } else { self.inbox.pop() };
            match item {
                Some(InboxItem::Reply(id, message)) => {
                    vu.note_given(message.len());
                    self.awaited.borrow_mut().remove(&id);
                    batch.push(Value::Json(message.into()));
                    return Poll::Ready(Value::List(batch));
                }
                Some(InboxItem::Event(message)) => {
                    vu.note_given(message.len());
                    batch.push(Value::Json(message.into()));
                }
                Some(InboxItem::Traffic(session, event)) => batch.extend(self.measured(vu, session, *event)),
                Some(InboxItem::Ended(reason)) => {
                    // Nobody will reply any more.
                    self.awaited.borrow_mut().clear();
                    batch.push(fields([("ended", reason.into())]));
                    return Poll::Ready(Value::List(batch));
                }
                None if !batch.is_empty() => return Poll::Ready(Value::List(batch)),
                None => {
                    let Some((due, _)) = first else { return Poll::Pending };
                    if timer.as_ref().is_none_or(|(known, _)| *known != due) {
                        *timer = Some((due, precise_timer::sleep_until(due)));
                    }
                    let Some((_, sleep)) = timer.as_mut() else { return Poll::Pending };
                    std::task::ready!(Pin::new(sleep).poll(cx));
                    *timer = None;
                }
            }
        }
    }

    /// Writes down what was measured, or asks the script what it calls it.
    fn measured(&self, vu: &VuContext, session: String, event: TrafficEvent) -> Option<Value> {
        if !self.named_by_script.borrow().contains(&session) {
            measure::record(vu, &event, None);
            return None;
        }
        let number = self.last_unnamed.get() + 1;
        self.last_unnamed.set(number);
        let (url, method) = measure::address(&event);
        let asked = fields([
            ("metric", Value::Number(f64::from(number))),
            ("sessionId", session.into()),
            ("url", url.into()),
            ("httpMethod", method.into()),
        ]);
        self.unnamed.borrow_mut().insert(number, event);
        Some(asked)
    }

    /// Ends what the iteration has left open, and writes down what was measured until then.
    pub async fn close(&self, vu: &VuContext) {
        if self.is_closed.replace(true) {
            return;
        }
        self.inbox.wake();
        count_idle(vu);
        if self.connection.is_open() {
            let worlds = self.vitals.take();
            let reported = worlds.into_iter().map(|(session, world)| {
                let params = serde_json::json!({"contextId": world, "expression": REPORT_VITALS, "awaitPromise": true});
                let params = params.to_string();
                self.connection.send(&self.inbox, &session, "Runtime.evaluate", &params)
            });
            let reported = reported.collect();
            self.until_replied(vu, reported, VITALS_TIMEOUT).await;
            let closed = self.connection.contexts_of(&self.inbox).into_iter().map(|context| {
                let params = serde_json::json!({"browserContextId": context}).to_string();
                self.connection.send(&self.inbox, "", "Target.disposeBrowserContext", &params)
            });
            let closed = closed.collect();
            self.until_replied(vu, closed, CLOSE_TIMEOUT).await;
        }
        self.connection.forget(&self.inbox);
        while let Some(item) = self.inbox.pop() {
            self.record_item(vu, item);
        }
        for (_, event) in self.unnamed.take() {
            measure::record(vu, &event, None);
        }
        if self.is_own {
            self.connection.close();
        }
    }

    /// Waits for these replies, but not for long.
    async fn until_replied(&self, vu: &VuContext, mut ids: Vec<u64>, timeout: Duration) {
        let replied = async {
            while !ids.is_empty() {
                let next =
                    |cx: &mut Context<'_>| self.inbox.pop_or_register(cx.waker()).map_or(Poll::Pending, Poll::Ready);
                match poll_fn(next).await {
                    InboxItem::Reply(id, _) => ids.retain(|known| *known != id),
                    InboxItem::Ended(_) => return,
                    other => self.record_item(vu, other),
                }
            }
        };
        tokio::select! {
            () = replied => {}
            () = precise_timer::sleep(timeout) => {}
        }
    }

    fn record_item(&self, vu: &VuContext, item: InboxItem) {
        if let InboxItem::Traffic(_, event) = item {
            measure::record(vu, &event, None);
        }
    }
}

/// How many futures of this VU wait for what nobody asked for: an iteration doesn't wait for them.
fn count_idle(vu: &VuContext) {
    let links = vu.module_state::<Links>();
    let is_idle = |link: &&Rc<Link>| {
        let awaits = link.held.get() > 0 || !link.awaited.borrow().is_empty() || !link.deadlines.borrow().is_empty();
        !link.is_closed.get() && link.is_pumping.get() && !awaits
    };
    let count = links.0.borrow().iter().filter(is_idle).count();
    vu.set_idle(count);
}

/// Before an iteration is counted: what it leaves open is closed.
pub fn close_links(vu: &VuContext) -> Option<LocalBoxFuture<'_, ()>> {
    let links = vu.existing_module_state::<Links>()?;
    let open = links.0.take();
    if open.is_empty() {
        return None;
    }
    Some(Box::pin(async move {
        for link in open {
            link.close(vu).await;
        }
        vu.set_idle(0);
    }))
}

fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Map(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
