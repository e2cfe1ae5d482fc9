//! The threads that run VUs. Each polls its VUs in a current-thread runtime; a VU never moves to another worker.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smallvec::SmallVec;
use tokio::sync::{mpsc, oneshot, watch};

use super::coroutine;
use crate::execution::{STOP_TIMEOUT, precise_timer};
use crate::metrics::{Interner, Record, Recorder, TagSet};
use crate::net::stand_in::SocketWatch;
use crate::units::sync::{lock, read, write};
use crate::units::{local_runtime, scheduling};

/// A task for a worker: called on its thread, and its future polled there until done.
pub type Task = Box<dyn FnOnce(Rc<Worker>) -> LocalBoxFuture<'static, ()> + Send>;

/// How often a worker hands its samples to the ledger.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);

/// Cached tag sets of a worker; the cache is cleared when there are more.
const MAX_CACHED_TAG_SETS: usize = 4096;

/// What the VUs of one worker thread share.
pub struct Worker {
    /// Used by this thread only, until the worker is given up or its stack overflows.
    recorder: Arc<Mutex<Recorder>>,
    tag_sets: RefCell<HashTable<CachedTagSet>>,
}

/// `base` with the tags at `places` on top is `set`.
struct CachedTagSet {
    hash: u64,
    base: Arc<TagSet>,
    set: Arc<TagSet>,
    /// Where in `set` the tags on top stand, in the order they were given in.
    places: SmallVec<[u8; 16]>,
}

impl Worker {
    /// Hands the gathered records to the ledger.
    pub fn flush(&self) {
        self.recorder().flush();
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        lock(&self.recorder)
    }

    /// The tag set `base` with `more` on top, tag_sets from the last time where possible.
    pub fn tags_with(&self, interner: &Interner, base: &Arc<TagSet>, more: &[(&str, &str)]) -> Arc<TagSet> {
        let mut hasher = FxHasher::default();
        Arc::as_ptr(base).hash(&mut hasher);
        for (key, value) in more {
            hasher.write(key.as_bytes());
            hasher.write(value.as_bytes());
            hasher.write_usize(value.len());
        }
        let hash = hasher.finish();
        let mut tag_sets = self.tag_sets.borrow_mut();
        let found = tag_sets.find(hash, |known| {
            Arc::ptr_eq(&known.base, base)
                && known.places.len() == more.len()
                && known.places.iter().zip(more).all(|(place, tag)| known.set.tag(usize::from(*place)) == *tag)
        });
        if let Some(known) = found {
            return known.set.clone();
        }
        let set = interner.extend(base, more.iter().copied());
        // A name given twice (the first value is not in the set) is never found again, and not kept.
        let place = |tag: &(&str, &str)| {
            let place = set.place(tag.0).filter(|place| set.tag(*place) == *tag)?;
            u8::try_from(place).ok()
        };
        if let Some(places) = more.iter().map(place).collect() {
            if tag_sets.len() >= MAX_CACHED_TAG_SETS {
                tag_sets.clear();
            }
            let entry = CachedTagSet { hash, base: base.clone(), set: set.clone(), places };
            tag_sets.insert_unique(hash, entry, |known| known.hash);
        }
        set
    }
}

/// Adds records of a VU to those of its worker, which are locked once, with the first: nobody else adds any meanwhile, not even the
/// same thread.
pub struct Recording<'a> {
    /// `None` where nothing is recorded.
    worker: Option<&'a Worker>,
    recorder: Option<MutexGuard<'a, Recorder>>,
}

impl<'a> Recording<'a> {
    /// To the records of this worker; to nothing where there is none.
    pub fn on(worker: Option<&'a Worker>) -> Self {
        Self { worker, recorder: None }
    }

    /// Adds the record that is made by `record`, which adds none itself; where nothing is recorded, none is made.
    pub fn record(&mut self, record: impl FnOnce() -> Record) {
        if let Some(worker) = self.worker {
            let recorder = self.recorder.get_or_insert_with(|| worker.recorder());
            recorder.push(record());
        }
    }
}

/// All worker threads.
pub struct WorkerThreads {
    handles: Vec<RwLock<WorkerHandle>>,
    /// Handles of workers that were replaced: a stuck one may come back and finish what its VUs are doing.
    replaced: Mutex<Vec<WorkerHandle>>,
    recorder: Box<dyn Fn() -> Recorder + Send + Sync>,
    /// What runs on every worker.
    on_each: Mutex<Option<Box<dyn Fn() -> Task + Send + Sync>>>,
}

/// A handle to one worker thread.
#[derive(Clone)]
pub struct WorkerHandle {
    task_tx: mpsc::UnboundedSender<Task>,
    state: Arc<watch::Sender<WorkerState>>,
    recorder: Arc<Mutex<Recorder>>,
}

impl WorkerHandle {
    /// Resolves when a stack of the worker has overflowed.
    pub async fn overflowed(&self) {
        self.until(WorkerState::Overflowed).await;
    }

    /// Resolves when the worker starts no new task within [`STOP_TIMEOUT`]: one of its VUs blocks it.
    pub async fn stuck(&self) {
        let (done_tx, done_rx) = oneshot::channel();
        let _ = self.task_tx.send(Box::new(|_| -> LocalBoxFuture<'static, ()> {
            let _ = done_tx.send(());
            Box::pin(std::future::ready(()))
        }));
        tokio::select! {
            () = self.until(WorkerState::Stuck) => {}
            done = tokio::time::timeout(STOP_TIMEOUT, done_rx) => {
                if done.is_ok() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Marks the worker as stuck, so that nothing waits for it, and hands its records to the ledger.
    pub fn give_up(&self) {
        flush_abandoned(&self.recorder);
        self.state.send_if_modified(|state| {
            let was_working = *state == WorkerState::Working;
            if was_working {
                *state = WorkerState::Stuck;
            }
            was_working
        });
    }

    async fn until(&self, expected: WorkerState) {
        if self.state.subscribe().wait_for(|state| *state == expected).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Hands the records of a worker that is given up to the ledger.
fn flush_abandoned(recorder: &Mutex<Recorder>) {
    // It is locked only if the worker was stopped while adding a record.
    if let Ok(mut recorder) = recorder.try_lock() {
        recorder.flush();
    }
}

/// The state of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WorkerState {
    /// It runs tasks.
    Working,
    /// One of its VUs does not return: nothing waits for this worker any more.
    Stuck,
    /// A stack of one of its VUs overflowed: the thread is parked.
    Overflowed,
}

impl WorkerThreads {
    /// Starts `threads` workers; each gets a recorder of its own.
    ///
    /// # Errors
    /// When the system refuses a thread or a runtime.
    pub fn start(threads: usize, recorder: impl Fn() -> Recorder + Send + Sync + 'static) -> std::io::Result<Self> {
        precise_timer::start()?;
        let recorder: Box<dyn Fn() -> Recorder + Send + Sync> = Box::new(recorder);
        let handles = (0..threads.max(1)).map(|at| start(at, recorder()).map(RwLock::new));
        Ok(Self {
            handles: handles.collect::<Result<_, _>>()?,
            replaced: Mutex::default(),
            recorder,
            on_each: Mutex::default(),
        })
    }

    /// Sends `task` to the worker of the VU `vu` and returns that worker's handle. A worker that no longer works is replaced by
    /// a new one, without VUs.
    pub fn post(&self, vu: u64, task: Task) -> WorkerHandle {
        let at = vu as usize % self.handles.len();
        let mut handle = self.handle(at);
        if *handle.state.borrow() != WorkerState::Working {
            let mut place = write(&self.handles[at]);
            if *place.state.borrow() != WorkerState::Working
                && let Ok(new) = start(at, (self.recorder)())
            {
                if let Some(task) = &*lock(&self.on_each) {
                    _ = new.task_tx.send(task());
                }
                let old = std::mem::replace(&mut *place, new);
                lock(&self.replaced).push(old);
            }
            handle = place.clone();
        }
        let _ = handle.task_tx.send(task);
        handle
    }

    /// Runs a task on every worker, also on one that replaces another later.
    pub fn run_on_each(&self, task: impl Fn() -> Task + Send + Sync + 'static) {
        for at in 0..self.handles.len() {
            _ = self.handle(at).task_tx.send(task());
        }
        *lock(&self.on_each) = Some(Box::new(task));
    }

    fn handle(&self, at: usize) -> WorkerHandle {
        read(&self.handles[at]).clone()
    }

    /// How many workers there are.
    pub fn len(&self) -> usize {
        self.handles.len()
    }
}

/// Starts a worker.
fn start(at: usize, recorder: Recorder) -> std::io::Result<WorkerHandle> {
    let (task_tx, task_rx) = mpsc::unbounded_channel();
    let state_tx = Arc::new(watch::Sender::new(WorkerState::Working));
    let recorder = Arc::new(Mutex::new(recorder));
    let handle = WorkerHandle { task_tx, state: state_tx.clone(), recorder: recorder.clone() };
    // What the worker waits in: for tasks, timers and the sockets it serves, which are read for it while it is late.
    let sockets = SocketWatch::new()?;
    let (resting, looking) = (sockets.clone(), sockets.clone());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime
        .enable_all()
        .on_thread_park(move || resting.rests())
        .on_thread_unpark(move || looking.looked())
        // Those that compute, or wait, for it.
        .on_thread_start(scheduling::as_usual);
    local_runtime::start(format!("volley-js-{at}"), runtime, move |runtime| {
        sockets.watch_this_thread();
        sockets.looks_as_told_by(runtime.handle().metrics());
        // A target on this machine answers before it is looked whether it has.
        scheduling::without_preempting();
        let worker = Rc::new(Worker { recorder: recorder.clone(), tag_sets: RefCell::default() });
        coroutine::on_overflow(move || {
            flush_abandoned(&recorder);
            state_tx.send_replace(WorkerState::Overflowed);
        });
        runtime.block_on(run_tasks(worker, task_rx));
    })?;
    Ok(handle)
}

async fn run_tasks(worker: Rc<Worker>, mut task_rx: mpsc::UnboundedReceiver<Task>) {
    let flushing = worker.clone();
    tokio::task::spawn_local(async move {
        loop {
            tokio::time::sleep(FLUSH_INTERVAL).await;
            flushing.flush();
        }
    });
    while let Some(task) = task_rx.recv().await {
        tokio::task::spawn_local(task(worker.clone()));
    }
    worker.flush();
}
