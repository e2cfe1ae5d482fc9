//! A virtual user as the k6 API sees it: who it is, what its samples are tagged with, what it is waiting for.
//!
//! It belongs to one worker thread and knows no engine; `realm` is the JavaScript half of the same VU.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::coroutine::{self, Awaitable};
use super::metric_context::MetricContexts;
use super::module_state::VuModuleState;
use super::pending::{PendingEvents, Settled};
use super::script::Script;
use super::stop::Stop;
use super::worker::{Recording, Worker};
use crate::execution::{ScenarioFacts, precise_timer};
use crate::failure::Failure;
use crate::js::engine::direct::{EventSource, Local, Scope};
use crate::js::engine::{self, Host, ModuleCode, RegExpLiteral, StopHook};
use crate::js::value::{Args, Pending, Throw, Value};
use crate::metrics::system_tags::SystemTag;
use crate::metrics::{MetricId, Record, SampleMetadata, Stamp, TagSet};
use crate::net::ws::{Attendance, LocalPump};
use crate::net::{Client, HttpClient};

/// Which part of a test is running; decides what the script may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleStage {
    /// Module code. The first pass decides which files, modules and metrics there are.
    Init {
        /// True for the pass that reads options and exports.
        first: bool,
    },
    /// `setup()`
    Setup,
    /// Iterations.
    Iterations,
    /// `teardown()`
    Teardown,
    /// `handleSummary()`
    Summary,
}

/// A script that runs this long without waiting lets its neighbours have a turn.
const TURN: Duration = Duration::from_millis(2);

/// One VU.
pub struct VuContext {
    /// Itself, for futures that outlive a call.
    this: Weak<Self>,
    /// 1..N in this process; 0 for the first pass, setup, teardown and the summary.
    pub id: u64,
    /// Its place among all VUs of a test that is split over machines.
    pub id_in_test: u64,
    /// What all VUs of the run share.
    pub script: Arc<Script>,
    /// The thread it lives on.
    pub worker: Rc<Worker>,
    /// Its connections.
    pub client: Client,
    /// What it sends HTTP requests through.
    pub http: HttpClient,
    /// What is running.
    pub stage: Cell<LifecycleStage>,
    /// Raised from any thread to stop it.
    pub stop: Arc<Stop>,
    /// `__ENV`, made anew for every activation; shared until the script changes it.
    pub env: RefCell<Arc<BTreeMap<String, String>>>,
    /// The scenario it works for.
    pub scenario: RefCell<Option<Arc<ScenarioFacts>>>,
    /// Iterations it began, over all scenarios: `__ITER` is one less.
    pub iterations: Cell<u64>,
    /// Iterations it began in the present scenario.
    pub iterations_in_scenario: Cell<u64>,
    /// The scenario-wide numbers of the present iteration, on this machine and in the whole test.
    pub scenario_iteration: Cell<(u64, u64)>,
    /// The module that called `require` last.
    pub requirer: RefCell<String>,
    /// What its samples carry.
    pub contexts: MetricContexts,
    pending: PendingEvents,
    /// The connections it serves itself while it waits for their events, some of which may have left.
    attended: RefCell<Vec<Rc<LocalPump>>>,
    /// So many of those wait for what nobody asked for.
    idle: Cell<usize>,
    /// By when they are due; whether each is one of `setInterval`.
    timers: RefCell<BTreeMap<(Instant, u32), bool>>,
    turn: Cell<TurnStart>,
    /// What it has waited for came to this.
    settled: SettledWait,
    /// What the engine has noted of it, see [`engine::given`].
    given: Cell<usize>,
    task: Cell<u64>,
    was_timer: Cell<bool>,
    module_state: VuModuleState,
}

/// What became of [`VuContext::abort_run`].
#[derive(Default)]
struct OwnAbort {
    /// The present iteration ended the run.
    in_iteration: Cell<bool>,
    /// What `handleSummary` ended with.
    in_summary: Cell<Option<Failure>>,
}

/// What the event loop goes on with.
pub enum LoopEvent {
    /// A timer is due.
    Timer(u32),
    /// A native future is done.
    Settled(u32, Result<Value, Throw>),
}

/// From when on its turn is measured. After a wait that is when somebody asks for the second time how long it is: most turns are
/// over by then, and no clock was read for them.
#[derive(Clone, Copy, Default)]
enum TurnStart {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// Somebody has asked once.
    Asked,
    /// From then on.
    At(Instant),
}

/// A wait of the event loop.
#[derive(Default)]
struct SettledWait {
    /// Its neighbours have had their turn.
    has_waited: Cell<bool>,
    /// How it ended: with what settled.
    result: Cell<Option<Result<Option<Settled>, Throw>>>,
}

impl Awaitable for VuContext {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let result = match self.poll_settled(cx) {
            Poll::Ready(settled) => Ok(settled),
            Poll::Pending => {
                self.stop.wake_on_raise(cx.waker());
                if !self.stop.is_raised() {
                    self.settled.has_waited.set(true);
                    return Poll::Pending;
                }
                Err(Throw::Stop)
            }
        };
        self.settled.result.set(Some(result));
        Poll::Ready(())
    }
}

impl VuContext {
    /// A VU that has not run anything yet.
    pub fn new(id: u64, id_in_test: u64, script: Arc<Script>, worker: Rc<Worker>) -> Rc<Self> {
        let client = script.net.client(id);
        let tags = script.run_tags.clone();
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            id,
            id_in_test,
            env: RefCell::new(script.env.clone()),
            script,
            worker,
            http: HttpClient::new(client.clone()),
            client,
            stage: Cell::new(LifecycleStage::Init { first: id == 0 }),
            stop: Arc::default(),
            scenario: RefCell::default(),
            iterations: Cell::new(0),
            iterations_in_scenario: Cell::new(0),
            scenario_iteration: Cell::new((0, 0)),
            requirer: RefCell::default(),
            contexts: MetricContexts::new(tags),
            pending: PendingEvents::default(),
            attended: RefCell::default(),
            idle: Cell::new(0),
            timers: RefCell::default(),
            turn: Cell::default(),
            settled: SettledWait::default(),
            given: Cell::new(0),
            task: Cell::new(0),
            was_timer: Cell::new(false),
            module_state: VuModuleState::default(),
        })
    }

    /// Itself, to keep.
    pub fn rc(&self) -> Rc<Self> {
        self.this.upgrade().unwrap_or_else(|| unreachable!("a VU outlives the calls of its script"))
    }

    /// The script ends the whole run, or from `handleSummary` only this VU: it stops in any case.
    pub fn abort_run(&self, failure: Failure) {
        let aborted = self.module_state::<OwnAbort>();
        if self.stage.get() == LifecycleStage::Summary {
            aborted.in_summary.set(Some(failure));
        } else {
            self.script.state.abort(failure);
            aborted.in_iteration.set(true);
        }
        self.stop.raise();
    }

    /// True if the present iteration itself ended the run; asked once.
    pub fn take_abort_in_iteration(&self) -> bool {
        self.existing_module_state::<OwnAbort>().is_some_and(|aborted| aborted.in_iteration.take())
    }

    /// What `handleSummary` ended with, if it did so by aborting; asked once.
    pub fn take_abort_in_summary(&self) -> Option<Failure> {
        self.existing_module_state::<OwnAbort>()?.in_summary.take()
    }

    /// True while module code runs.
    pub fn is_init(&self) -> bool {
        matches!(self.stage.get(), LifecycleStage::Init { .. })
    }

    /// State that one module keeps for this VU.
    pub fn module_state<T: Default + 'static>(&self) -> Rc<T> {
        self.module_state.get()
    }

    /// As [`VuContext::module_state`], if it was asked for before.
    pub fn existing_module_state<T: 'static>(&self) -> Option<Rc<T>> {
        self.module_state.existing()
    }

    // Waiting ----------------------------------------------------------------------------------------------------

    /// Waits for `future`, as synchronous JavaScript does: the VU stands still, its neighbours don't.
    ///
    /// # Errors
    /// [`Throw::Stop`] when the VU has to stop first.
    pub fn wait<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Result<T, Throw> {
        engine::make_room();
        self.pause(future)
    }

    /// As [`VuContext::wait`], for a future that brings nothing.
    ///
    /// # Errors
    /// As [`VuContext::wait`].
    pub fn pause<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Result<T, Throw> {
        self.leave_connections();
        self.suspend(future)
    }

    /// As [`VuContext::pause`], for what may serve connections itself.
    fn suspend<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Result<T, Throw> {
        let stop = self.stop.clone();
        if stop.is_raised() {
            return Err(Throw::Stop);
        }
        self.leave_stack();
        // Every `async` around a future holds it twice: while it is captured, and while it is awaited.
        let mut future = Box::pin(future);
        let (result, has_waited) = coroutine::wait(async move {
            let mut has_waited = false;
            let result = std::future::poll_fn(|cx| {
                if let Poll::Ready(result) = future.as_mut().poll(cx) {
                    return Poll::Ready(Ok(result));
                }
                stop.wake_on_raise(cx.waker());
                if stop.is_raised() {
                    return Poll::Ready(Err(Throw::Stop));
                }
                has_waited = true;
                Poll::Pending
            })
            .await;
            (result, has_waited)
        });
        self.enter_stack();
        self.goes_on(has_waited);
        result
    }

    /// Serves the connection itself while it waits for an event of it.
    pub fn attend(&self, connection: &Rc<LocalPump>) {
        let mut attended = self.attended.borrow_mut();
        if !attended.iter().any(|known| Rc::ptr_eq(known, connection)) {
            attended.push(connection.clone());
        }
    }

    /// Leaves connections to their own tasks: it does something else than to wait for events.
    pub fn leave_connections(&self) {
        self.attended.borrow_mut().drain(..).for_each(|connection| connection.leave());
    }

    /// Leaves those whose last event was handled and of which no other is waited for.
    fn leave_forgotten_connections(&self) {
        self.attended.borrow_mut().retain(|connection| {
            let is_waited_for = connection.attendance() == Attendance::Waiting;
            if !is_waited_for {
                connection.leave();
            }
            is_waited_for
        });
    }

    /// Its neighbours have a turn, if its own has lasted long enough.
    fn end_long_turn(&self) {
        if self.turn_length() > TURN && coroutine::can_wait() {
            self.leave_connections();
            self.leave_stack();
            coroutine::yield_now();
            self.enter_stack();
            self.begin_turn();
        }
    }

    /// Its stack goes on.
    pub fn enter_stack(&self) {
        engine::set_given(self.given.get());
    }

    /// Notes memory, in bytes, that a value about to be handed to its script refers to; also while its stack is left.
    pub fn note_given(&self, bytes: usize) {
        if coroutine::can_wait() {
            return engine::note_external_bytes(bytes);
        }
        let others = engine::given();
        engine::note_external_bytes(bytes);
        engine::set_given(others);
        self.given.set(self.given.get() + bytes);
    }

    /// Its stack is left, maybe for that of another VU.
    pub fn leave_stack(&self) {
        self.given.set(engine::given());
    }

    /// How long it has kept its neighbours waiting.
    pub fn turn_length(&self) -> Duration {
        match self.turn.get() {
            TurnStart::Unasked => self.turn.set(TurnStart::Asked),
            TurnStart::Asked => self.begin_turn(),
            TurnStart::At(began) => return began.elapsed(),
        }
        Duration::ZERO
    }

    /// Its neighbours have just had their turn: how long it runs is counted from now.
    pub fn begin_turn(&self) {
        self.turn.set(TurnStart::At(Instant::now()));
    }

    /// The number of the running task: what a script sees stays the same while it lasts.
    pub fn task(&self) -> u64 {
        self.task.get()
    }

    /// Calls the timer `id` in `delay` from now; whether it is one of `setInterval` matters to messages only.
    pub fn set_timer(&self, id: u32, delay: Duration, is_interval: bool) {
        self.timers.borrow_mut().insert((Instant::now() + delay, id), is_interval);
    }

    /// Forgets the timer `id`.
    pub fn clear_timer(&self, id: u32) {
        self.timers.borrow_mut().retain(|(_, known), _| *known != id);
    }

    /// So many of its futures wait for what nobody asked for: its event loop ends when only they are left.
    #[cfg(feature = "browser")]
    pub fn set_idle(&self, count: usize) {
        self.idle.set(count);
    }

    /// Forgets all timers and futures; the numbers of the timers, in order of their times, and whether each was one
    /// of `setInterval`.
    pub fn drop_pending(&self) -> Vec<(u32, bool)> {
        self.pending.clear();
        self.idle.set(0);
        std::mem::take(&mut *self.timers.borrow_mut())
            .into_iter()
            .map(|((_, id), is_interval)| (id, is_interval))
            .collect()
    }

    /// Waits for the next timer or future; `None` when there is nothing to wait for.
    ///
    /// # Errors
    /// [`Throw::Stop`] when the VU has to stop first.
    pub fn next_event(&self) -> Result<Option<LoopEvent>, Throw> {
        self.task.set(self.task.get() + 1);
        let first = self.timers.borrow().keys().next().copied();
        // Timers that are always due leave a turn to everything else.
        let is_their_turn = !self.was_timer.replace(false) || self.pending.is_empty();
        if let Some((due, id)) = first
            && due <= Instant::now()
            && is_their_turn
        {
            self.end_long_turn();
            self.was_timer.set(true);
            self.timers.borrow_mut().remove(&(due, id));
            return if self.stop.is_raised() { Err(Throw::Stop) } else { Ok(Some(LoopEvent::Timer(id))) };
        }
        if first.is_none() && self.pending.len() <= self.idle.get() {
            return Ok(None);
        }
        engine::make_room();
        let settled = match first {
            None => self.wait_for_settled()?,
            Some((due, _)) => {
                let (this, is_alone) = (self.rc(), self.pending.is_empty());
                self.suspend(async move {
                    let next = poll_fn(|cx| this.poll_settled(cx));
                    tokio::select! {
                        biased;
                        settled = next, if !is_alone => settled,
                        () = precise_timer::sleep_until(due) => None,
                    }
                })?
            }
        };
        match settled {
            Some((promise, result)) => Ok(Some(LoopEvent::Settled(promise, result))),
            None => self.next_event(),
        }
    }

    fn poll_settled(&self, cx: &mut Context<'_>) -> Poll<Option<Settled>> {
        let next = self.pending.poll_next(cx);
        if next.is_pending() {
            self.leave_forgotten_connections();
        }
        next
    }

    /// Waits for the next that settles, as [`VuContext::suspend`] does.
    fn wait_for_settled(&self) -> Result<Option<Settled>, Throw> {
        if self.stop.is_raised() {
            return Err(Throw::Stop);
        }
        self.leave_stack();
        coroutine::wait_for(self.rc());
        self.enter_stack();
        self.goes_on(self.settled.has_waited.take());
        self.settled.result.take().unwrap_or(Ok(None))
    }

    /// It goes on, after it has waited or without.
    fn goes_on(&self, has_waited: bool) {
        match has_waited {
            true => self.turn.set(TurnStart::Unasked),
            // What is always there at once, such as the next message of a server that never stops, is no turn for others.
            false => self.end_long_turn(),
        }
    }

    // Tags -------------------------------------------------------------------------------------------------------

    /// What every sample of this VU is tagged with now.
    pub fn tags(&self) -> Arc<TagSet> {
        self.contexts.capture().tags.clone()
    }

    /// The tags of this VU with `more` on top.
    pub fn tags_with(&self, more: &[(&str, &str)]) -> Arc<TagSet> {
        self.worker.tags_with(&self.script.interner, &self.contexts.capture().tags, more)
    }

    /// As [`tags_with`](Self::tags_with), for tags that hardly come again: nothing keeps the set but its samples.
    pub fn rare_tags_with(&self, more: &[(&str, &str)]) -> Arc<TagSet> {
        self.script.interner.extend(&self.contexts.capture().tags, more.iter().copied())
    }

    /// Replaces what every sample is tagged with.
    pub fn set_tags(&self, tags: Arc<TagSet>) {
        self.contexts.change(|context| context.tags = tags);
    }

    /// The path of the present group: empty at the root, else `::a::b`.
    pub fn group(&self) -> Rc<str> {
        self.contexts.capture().group.clone()
    }

    /// Enters or leaves a group.
    pub fn set_group(&self, path: Rc<str>) {
        if self.script.system_tags.has(SystemTag::Group) {
            let tags = self.tags_with(&[("group", &path)]);
            self.set_tags(tags);
        }
        self.contexts.change(|context| context.group = path);
    }

    /// `vu` and `iter` for samples, where those system tags are on.
    pub fn metadata(&self) -> Option<SampleMetadata> {
        self.contexts.capture().metadata.clone()
    }

    /// Replaces the metadata of samples.
    pub fn set_metadata(&self, metadata: Option<SampleMetadata>) {
        self.contexts.change(|context| context.metadata = metadata);
    }

    /// Sets or removes one piece of metadata, keeping the rest sorted by name.
    pub fn change_metadata(&self, key: &str, value: Option<String>) {
        let old = self.metadata().unwrap_or_default();
        let mut list: Vec<_> = old.iter().filter(|(known, _)| &**known != key).cloned().collect();
        if let Some(value) = value {
            list.push((key.into(), value.into()));
            list.sort();
        }
        let new: SampleMetadata = list.into();
        self.set_metadata(Some(new).filter(|list| !list.is_empty()));
    }

    // Samples ----------------------------------------------------------------------------------------------------

    /// Now, as samples write it.
    pub fn now(&self) -> Stamp {
        self.script.epoch.stamp(Instant::now())
    }

    /// Writes a record down; what the summary's own VU measures is not part of the run.
    pub fn record(&self, record: Record) {
        self.recording().record(|| record);
    }

    /// As [`Self::record`], for several records in a row.
    pub fn recording(&self) -> Recording<'_> {
        Recording::on((self.stage.get() != LifecycleStage::Summary).then_some(&*self.worker))
    }

    /// Writes one sample down, at this moment.
    pub fn sample(&self, metric: MetricId, value: f64, tags: Arc<TagSet>) {
        let metadata = self.metadata();
        self.record(Record::Sample { time: self.now(), metric, value, tags, metadata });
    }
}

impl Host for VuContext {
    fn resolve(&self, specifier: &str, referrer: &str) -> Result<String, Throw> {
        self.script.loader.resolve(specifier, referrer)
    }

    fn import_meta_resolve(&self, specifier: &str, referrer: &str) -> Result<String, Throw> {
        self.script.loader.locate(specifier, referrer)
    }

    fn link_failed(&self) {
        self.script.loader.require_interop();
    }

    fn is_running(&self, address: &str) -> bool {
        self.script.loader.reaches(address, &self.requirer.borrow())
    }

    fn original_position(&self, place: &str) -> Option<String> {
        self.script.loader.origin(place)
    }

    fn explain_type_error(&self, function: &str, place: &str, message: &str) -> Option<String> {
        self.script.loader.explain(function, place, message)
    }

    fn json_place(&self, text: &[u8]) -> Option<String> {
        self.script.loader.json_place(text)
    }

    fn explained_place(&self, place: &str, message: &str) -> Option<String> {
        self.script.loader.explained_place(place, message)
    }

    fn function_extents(&self, address: &str) -> Vec<std::ops::Range<usize>> {
        self.script.loader.function_extents(address)
    }

    fn text_part(&self, address: &str, part: std::ops::Range<usize>) -> Option<String> {
        self.script.loader.text_part(address, part)
    }

    fn regexp_literals(&self, address: &str) -> Vec<RegExpLiteral> {
        self.script.loader.regexp_literals(address)
    }

    fn load(&self, address: &str) -> Result<ModuleCode, Throw> {
        self.script.loader.load(address)
    }

    fn call(&self, function: usize, args: Args) -> Result<Value, Throw> {
        let result = self.script.modules.ops[function](self, args);
        // An engine that can't be interrupted gives its neighbours a turn, or stops, whenever it calls out.
        if self.turn_length() > TURN && !self.may_continue() {
            return Err(Throw::Stop);
        }
        result
    }

    fn direct(&self, specifier: &str, name: &str) -> Option<usize> {
        self.script.modules.direct(specifier, name)
    }

    fn call_direct(&self, function: usize, scope: &mut dyn Scope) -> Result<Local, Throw> {
        let Some(op) = self.script.modules.direct_op(function) else {
            return Err(Throw::type_error("there is no such function"));
        };
        let result = op(self, scope);
        // As in `call`.
        if self.turn_length() > TURN && !self.may_continue() {
            return Err(Throw::Stop);
        }
        result
    }

    fn job_ended(&self) {
        self.contexts.end_piece();
    }

    fn add_pending(&self, promise: u32, future: Pending) {
        self.pending.add(promise, future);
    }

    fn add_source(&self, number: u32, source: Rc<dyn EventSource>) {
        self.pending.add_source(number, source);
    }

    fn on_stop(&self, hook: StopHook) {
        self.stop.set_hook(hook);
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_raised()
    }

    fn may_continue(&self) -> bool {
        if self.stop.is_raised() {
            return false;
        }
        self.end_long_turn();
        !self.stop.is_raised()
    }
}
