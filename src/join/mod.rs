//! Several instances of one test that run at the same time and come to one result, over a Redis server that each of them connects to.
//!
//! Every instance says again and again how it is ([`MemberReport`]), under a key that expires; one of them, or a process that makes no
//! load, conducts: it reads what all say and says what holds for all ([`Control`]). What lies beside that is data: the archive, what
//! `setup()` returned, the results. Once a second each instance sends what it measured since (`metrics::delta`); that is what merged
//! thresholds are judged on while the test runs. The result is made of the whole results at the end.
//!
//! A thread of its own does all of this, whatever the run is busy with. If the conductor is lost, the next instance conducts.

pub mod address;
mod conductor;
mod link;
mod meeting;
mod registration;
pub mod words;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Logger;
use crate::metrics::{Ledger, LedgerDelta, Results, delta};
use crate::options::Instance;
use crate::units::sync::lock;

pub use address::JoinAddress;
pub use conductor::Totals;
pub use words::{Control, MemberReport, MemberStage, ScenarioReport};

use conductor::Conductor;
use meeting::Meeting;
use registration::Keys;
use words::{DeltaFrame, PauseOrder, ScaleOrder};

/// How long what belongs to a run is kept for those that want it.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// How long one that was told to end, or leaves, waits for a server that does not answer.
const STOPPED_TIMEOUT: Duration = Duration::from_secs(3);

/// What happens when an instance is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLoss {
    /// The others go on; the verdict says what is missing.
    #[default]
    GoOn,
    /// The test ends.
    Stop,
}

/// How to meet the other instances.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// Where.
    pub address: JoinAddress,
    /// Which instance this is; nothing for a conductor that makes no load.
    pub instance: Option<Instance>,
    /// How many instances there are.
    pub of: u64,
    /// How long to wait for the others before the test, and for the server at its end.
    pub timeout: Duration,
    /// What happens when an instance is lost.
    pub on_loss: OnLoss,
}

impl JoinRequest {
    /// What this process is called.
    pub fn name(&self) -> String {
        self.instance.map_or_else(|| "the conductor".to_owned(), |instance| format!("instance {instance}"))
    }
}

/// What may be asked of a run that others take part in.
pub trait JoinedRun: Send + Sync {
    /// Says how it is.
    fn report(&self, report: &mut MemberReport);

    /// What was measured since the last call, or all of it.
    fn take_added(&self, whole: bool) -> LedgerDelta;

    /// An empty store for what all instances measure.
    fn fresh_ledger(&self) -> Ledger;

    /// Ends it; the first reason counts.
    fn abort(&self, failure: Failure);

    /// Holds it or lets it go on.
    fn pause(&self, paused: bool);

    /// Changes its VUs; counts are those of the whole test.
    fn scale(&self, vus: Option<i64>, vus_max: Option<i64>);

    /// Its result as of now, for the case that it is lost; and what was measured since the last call of `take_added`, or all of it.
    fn checkpoint(&self, whole: bool) -> (Vec<u8>, LedgerDelta);
}

/// What an instance left: its result, or where it was lost that of a moment before, and what it sent after that.
#[derive(Debug)]
pub struct FoundPart {
    /// Whose it is.
    pub instance: Instance,
    /// The document, packed; nothing where it left none.
    pub document: Option<Vec<u8>>,
    /// What it measured after the document was made, second by second.
    pub later: Vec<LedgerDelta>,
}

/// What is known of the others.
#[derive(Clone, Debug, Default)]
pub struct JoinState {
    /// What holds for all, as last heard.
    pub control: Control,
    /// Whether this process conducts.
    pub conducts: bool,
    /// As conductor: everybody has handed over his result, or is lost.
    pub is_complete: bool,
    /// Since when the server can't be reached.
    pub outage: Option<Instant>,
    /// A moment by our clock, and by the server's in microseconds.
    clock: Option<(Instant, u64)>,
    /// The thread has ended.
    has_left: bool,
}

/// The server could not be reached for so long that nothing more is expected of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Severed;

/// What all have left so far, for a page that shows the test while it runs.
#[derive(Debug, Default)]
struct LiveParts {
    /// When somebody last asked.
    asked: Option<Instant>,
    /// Of each instance, packed.
    parts: Vec<Option<Vec<u8>>>,
}

/// What the run and the thread share.
struct Shared {
    request: JoinRequest,
    keys: Keys,
    logger: Logger,
    report: Mutex<MemberReport>,
    /// The result of this instance, once it is there.
    part: Mutex<Option<Arc<Vec<u8>>>>,
    run: Mutex<Option<Arc<dyn JoinedRun>>>,
    orders: Mutex<(PauseOrder, ScaleOrder)>,
    /// Held while a result is on its way to the server: the last one counts.
    keeping: tokio::sync::Mutex<()>,
    live: Mutex<LiveParts>,
    wanted: Mutex<Vec<u64>>,
    state: watch::Sender<JoinState>,
    conductor: Mutex<Conductor>,
    is_over: AtomicBool,
    /// The server could not be reached for a while.
    was_severed: AtomicBool,
    leaves: AtomicBool,
    leaving: Notify,
}

/// A process that has joined.
pub struct Joined {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Joined {
    /// Joins the others; who has the number of another one, or comes when the test has begun, is refused.
    ///
    /// # Errors
    /// The server can't be reached, or this process is refused (code 104).
    pub fn join(request: JoinRequest, logger: Logger) -> Result<Self, Failure> {
        let (joined_tx, joined_rx) = std::sync::mpsc::sync_channel(1);
        let start = move || link::run(request, logger, &joined_tx);
        let failed = |why: &dyn std::fmt::Display| Failure::new(ExitCode::Other, format!("could not join: {why}"));
        let thread = std::thread::Builder::new().name("volley-join".to_owned()).spawn(start);
        let thread = thread.map_err(|error| failed(&error))?;
        let shared = joined_rx.recv().map_err(|error| failed(&error))??;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Which instance this is; nothing for a conductor that makes no load.
    pub fn instance(&self) -> Option<Instance> {
        self.shared.request.instance
    }

    /// How it was asked for.
    pub fn request(&self) -> &JoinRequest {
        &self.shared.request
    }

    /// Speaks for this run from now on, or for none.
    pub fn attach(&self, run: Option<Arc<dyn JoinedRun>>) {
        *lock(&self.shared.run) = run;
    }

    /// This process has come so far.
    pub fn reach(&self, stage: MemberStage) {
        let mut report = lock(&self.shared.report);
        report.stage = report.stage.max(stage);
    }

    /// Where this process is.
    pub fn stage(&self) -> MemberStage {
        lock(&self.shared.report).stage
    }

    /// What is known of the others now.
    pub fn state(&self) -> JoinState {
        self.shared.state.borrow().clone()
    }

    /// Waits until something is known.
    ///
    /// # Errors
    /// The server could not be reached for too long.
    pub async fn until(&self, is_there: impl Fn(&JoinState) -> bool) -> Result<JoinState, Severed> {
        let mut seen = self.shared.state.subscribe();
        loop {
            let state = seen.borrow_and_update().clone();
            if is_there(&state) {
                return Ok(state);
            }
            let is_severed = state.outage.is_some_and(|since| since.elapsed() >= self.patience());
            if is_severed || state.has_left || seen.changed().await.is_err() {
                return Err(Severed);
            }
        }
    }

    /// Our time at the server's.
    pub fn instant(&self, micros: u64) -> Instant {
        match self.shared.state.borrow().clock {
            Some((at, clock)) if micros >= clock => at + Duration::from_micros(micros - clock),
            _ => Instant::now(),
        }
    }

    /// What all have under `name`: `value`, unless somebody was first.
    ///
    /// # Errors
    /// The server could not be reached for too long.
    pub async fn get_or_create(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, Severed> {
        let key = self.shared.keys.of(name);
        self.persist(async |meeting| meeting.get_or_create(&key, value, KEEP).await.ok()).await
    }

    /// Keeps `value` under `name`.
    ///
    /// # Errors
    /// The server could not be reached for too long.
    pub async fn put(&self, name: &str, value: &[u8]) -> Result<(), Severed> {
        let key = self.shared.keys.of(name);
        self.persist(async |meeting| meeting.put(&key, value, KEEP).await.ok()).await
    }

    /// What is under `name`, if there is something.
    ///
    /// # Errors
    /// The server could not be reached for too long.
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Severed> {
        let key = self.shared.keys.of(name);
        self.persist(async |meeting| meeting.get(&key).await.ok()).await
    }

    /// What is under `name`, once it is there.
    ///
    /// # Errors
    /// It was not there in time.
    pub async fn wait_for(&self, name: &str) -> Result<Vec<u8>, Severed> {
        let key = self.shared.keys.of(name);
        self.persist(async |meeting| meeting.get(&key).await.ok().flatten()).await
    }

    /// Tries until there is something, or patience is over, whatever is being waited for then.
    async fn persist<T>(&self, mut attempt: impl AsyncFnMut(&mut Meeting) -> Option<T>) -> Result<T, Severed> {
        let mut meeting = Meeting::new(self.shared.request.address.clone());
        let begun = Instant::now();
        let trying = async {
            loop {
                if let Some(found) = attempt(&mut meeting).await {
                    return found;
                }
                tokio::time::sleep(link::TICK).await;
            }
        };
        let impatience = async {
            while begun.elapsed() < self.patience() {
                tokio::time::sleep(link::TICK).await;
            }
        };
        tokio::select! {
            found = trying => Ok(found),
            () = impatience => Err(Severed),
        }
    }

    /// How long a server is waited for that can't be reached: who was told to end does not wait long.
    fn patience(&self) -> Duration {
        let is_told =
            lock(&self.shared.report).abort.as_ref().is_some_and(|abort| abort.code == ExitCode::ExternalAbort as u8);
        if is_told { self.shared.request.timeout.min(STOPPED_TIMEOUT) } else { self.shared.request.timeout }
    }

    /// Hands over the result of this instance.
    ///
    /// # Errors
    /// The server could not be reached for too long.
    pub async fn hand_over(&self, part: Vec<u8>) -> Result<(), Severed> {
        let Some(instance) = self.instance() else { return Ok(()) };
        let part = Arc::new(part);
        *lock(&self.shared.part) = Some(part.clone());
        let (key, tail) =
            (self.shared.keys.of(&part_name(instance.index)), self.shared.keys.of(&tail_name(instance.index)));
        let kept = self.persist(async |meeting| {
            // A checkpoint that is on its way must not come later.
            let _guard = self.shared.keeping.lock().await;
            meeting.put_part(&key, &part, &tail, KEEP).await.ok()
        });
        kept.await?;
        self.reach(MemberStage::Ended);
        Ok(())
    }

    /// As conductor: the results of all instances, those of lost ones as of a moment before; nothing of one that left none.
    ///
    /// # Errors
    /// The server could not be reached for too long.
    pub async fn parts(&self) -> Result<Vec<FoundPart>, Severed> {
        let begun = Instant::now();
        let of = self.shared.request.of;
        loop {
            // Another one has conducted to the end meanwhile: what was there is gone.
            if self.has_been_reported() {
                return Ok(Vec::new());
            }
            let mut parts = Vec::new();
            for index in 0..of {
                let document = self.get(&part_name(index)).await?;
                let is_whole = document.is_none() || lock(&self.shared.conductor).has_result(index);
                let later = if is_whole { Vec::new() } else { self.tail(index).await? };
                parts.push(FoundPart { instance: Instance { index, of }, document, later });
            }
            let absent: Vec<u64> = {
                let conductor = lock(&self.shared.conductor);
                let absent = parts.iter().filter(|part| part.document.is_none()).map(|part| part.instance.index);
                absent.filter(|index| conductor.has_result(*index)).collect()
            };
            let is_enough = absent.is_empty() || begun.elapsed() >= self.shared.request.timeout;
            // A server that was started anew has forgotten them: they are asked for again.
            *lock(&self.shared.wanted) = absent;
            if is_enough {
                return Ok(parts);
            }
            tokio::time::sleep(link::TICK).await;
        }
    }

    /// What a lost instance sent after its last checkpoint.
    async fn tail(&self, index: u64) -> Result<Vec<LedgerDelta>, Severed> {
        let key = self.shared.keys.of(&tail_name(index));
        let frames = self.persist(async |meeting| meeting.list(&key).await.ok()).await?;
        let deltas = frames.iter().filter_map(|bytes| delta::decode(&DeltaFrame::decode(bytes)?.deltas).ok());
        Ok(deltas.collect())
    }

    /// As conductor, while the test runs: what all have left so far, which is at least a few seconds old. Asked for again and
    /// again; the first time there may be nothing.
    pub fn live_parts(&self) -> Vec<FoundPart> {
        let of = self.shared.request.of;
        let mut live = lock(&self.shared.live);
        live.asked = Some(Instant::now());
        let parts = live.parts.iter().zip(0..);
        parts
            .map(|(part, index)| FoundPart {
                instance: Instance { index, of },
                document: part.clone(),
                later: Vec::new(),
            })
            .collect()
    }

    /// Whether another one, who took over, has reported the whole.
    pub fn has_been_reported(&self) -> bool {
        let state = self.state();
        state.control.is_over && !state.conducts
    }

    /// As conductor: whether this process heard at once, all the time, what all had measured. What was sent later, or all anew to
    /// one who took over, is of no known moment.
    pub fn heard_all_in_time(&self) -> bool {
        let control = self.state().control;
        control.start_epoch == Some(control.epoch) && !self.shared.was_severed.load(Relaxed)
    }

    /// As conductor: whether a script marked the test as failed.
    pub fn is_marked_as_failed(&self) -> bool {
        lock(&self.shared.conductor).is_marked_as_failed()
    }

    /// As conductor: what all do.
    pub fn totals(&self) -> Option<Totals> {
        self.state().conducts.then(|| lock(&self.shared.conductor).totals())
    }

    /// As conductor: how far the scenarios of all are; nothing before anybody has said it.
    pub fn scenarios(&self) -> Option<Vec<ScenarioReport>> {
        let scenarios = self.state().conducts.then(|| lock(&self.shared.conductor).scenarios())?;
        Some(scenarios).filter(|scenarios| !scenarios.is_empty())
    }

    /// As conductor, before the test: who is waited for.
    pub fn awaited(&self) -> Vec<String> {
        lock(&self.shared.conductor).awaited()
    }

    /// As conductor: looks at what all have measured so far, if anything.
    pub fn look<T>(&self, look: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
        lock(&self.shared.conductor).ledger().map(look)
    }

    /// As conductor, at the end: what was sent while the test ran, judged for the last time.
    pub fn judged(&self, elapsed: Duration) -> Option<Results> {
        let mut conductor = lock(&self.shared.conductor);
        let ledger = conductor.ledger()?;
        ledger.evaluate(elapsed, true);
        Some(ledger.snapshot(elapsed))
    }

    /// As conductor: all are held, or let go on. This instance was already.
    pub fn order_pause(&self, paused: bool) {
        let (pause, _) = &mut *lock(&self.shared.orders);
        *pause = PauseOrder { number: pause.number.max(self.state().control.pause.number) + 1, paused };
    }

    /// As conductor: the VUs of all are changed. Those of this instance were already.
    pub fn order_scale(&self, vus: Option<i64>, vus_max: Option<i64>) {
        let (_, scale) = &mut *lock(&self.shared.orders);
        *scale = ScaleOrder { number: scale.number.max(self.state().control.scale.number) + 1, vus, vus_max };
    }

    /// As conductor: the whole has its summary, and everybody may go.
    pub async fn finish(&self) {
        self.shared.is_over.store(true, Relaxed);
        _ = self.until(|state| state.control.is_over).await;
    }

    /// Which test it is.
    pub fn identify(&self, test: String) {
        lock(&self.shared.report).test = Some(test);
    }

    /// Ends the test for all, as this process can't go on.
    pub fn give_up(&self, failure: &Failure) {
        self.attach(None);
        lock(&self.shared.report).abort = Some(failure.into());
        // It is said within a tick, unless the server can't be reached.
        std::thread::sleep(3 * link::TICK);
    }

    /// Leaves: nothing is said from here on.
    pub fn leave(&self) {
        self.attach(None);
        self.shared.leaves.store(true, Relaxed);
        self.shared.leaving.notify_one();
        if let Some(thread) = lock(&self.thread).take() {
            // It waits for a server for a few seconds at most.
            _ = thread.join();
        }
    }
}

/// The name of what an instance sent after its last checkpoint.
fn tail_name(index: u64) -> String {
    format!("tail:{index}")
}

/// The name of the result of an instance.
fn part_name(index: u64) -> String {
    format!("part:{index}")
}
