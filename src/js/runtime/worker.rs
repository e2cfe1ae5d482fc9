//! The threads VUs live on. Each polls its VUs in a current-thread runtime; a VU never changes its worker.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use tokio::sync::{mpsc, oneshot, watch};

use super::coroutine;
use crate::execution::{STOP_TIMEOUT, precise_timer};
use crate::metrics::{Interner, Record, Recorder, TagSet};
use crate::units::sync::{lock, read, write};

/// Work for a worker: called on its thread, polled there until done.
pub type Task = Box<dyn FnOnce(Rc<Worker>) -> LocalBoxFuture<'static, ()> + Send>;

/// How often samples waiting in a worker are folded into the ledger.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);

/// The remembered tag sets of a worker; forgotten all at once when there are this many.
const MAX_REMEMBERED: usize = 8192;

/// What lives on a worker's thread, besides its VUs.
pub struct Worker {
    /// Its own, but for what is done when it works no more.
    recorder: Arc<Mutex<Recorder>>,
    remembered: RefCell<HashTable<Remembered>>,
}

/// `base` with `more` is `set`.
struct Remembered {
    hash: u64,
    base: Arc<TagSet>,
    more: Box<[(Box<str>, Box<str>)]>,
    set: Arc<TagSet>,
}

impl Worker {
    /// Writes a record of one of its VUs down.
    pub fn record(&self, record: Record) {
        self.recorder().push(record);
    }

    /// Hands what is written down to the ledger.
    pub fn flush(&self) {
        self.recorder().flush();
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        lock(&self.recorder)
    }

    /// The tag set `base` with `more` on top, remembered from the last time where possible.
    pub fn tags_with(&self, interner: &Interner, base: &Arc<TagSet>, more: &[(&str, &str)]) -> Arc<TagSet> {
        let mut hasher = FxHasher::default();
        Arc::as_ptr(base).hash(&mut hasher);
        for (key, value) in more {
            hasher.write(key.as_bytes());
            hasher.write(value.as_bytes());
            hasher.write_usize(value.len());
        }
        let hash = hasher.finish();
        let mut remembered = self.remembered.borrow_mut();
        let found = remembered.find(hash, |known| {
            Arc::ptr_eq(&known.base, base)
                && known.more.len() == more.len()
                && known.more.iter().zip(more).all(|(a, b)| *a.0 == *b.0 && *a.1 == *b.1)
        });
        if let Some(known) = found {
            return known.set.clone();
        }
        let set = interner.extend(base, more.iter().copied());
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        let more = more.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let entry = Remembered { hash, base: base.clone(), more, set: set.clone() };
        remembered.insert_unique(hash, entry, |known| known.hash);
        set
    }
}

/// All workers.
pub struct WorkerThreads {
    lines: Vec<RwLock<WorkerHandle>>,
    /// The lines of workers that were replaced: one that is stuck may come back, and end what its VUs are doing.
    replaced: Mutex<Vec<WorkerHandle>>,
    recorder: Box<dyn Fn() -> Recorder + Send + Sync>,
    /// What runs on every worker.
    on_each: Mutex<Option<Box<dyn Fn() -> Task + Send + Sync>>>,
}

/// The way to one worker.
#[derive(Clone)]
pub struct WorkerHandle {
    errands: mpsc::UnboundedSender<Task>,
    fate: Arc<watch::Sender<Fate>>,
    recorder: Arc<Mutex<Recorder>>,
}

impl WorkerHandle {
    /// Resolves when a stack of the worker has overflowed.
    pub async fn overflowed(&self) {
        self.until(Fate::Overflowed).await;
    }

    /// Resolves when the worker comes to nothing new any more: one of its VUs does not let go of it.
    pub async fn stuck(&self) {
        let (tell, told) = oneshot::channel();
        let _ = self.errands.send(Box::new(|_| -> LocalBoxFuture<'static, ()> {
            let _ = tell.send(());
            Box::pin(std::future::ready(()))
        }));
        tokio::select! {
            () = self.until(Fate::Stuck) => {}
            answer = tokio::time::timeout(STOP_TIMEOUT, told) => {
                if answer.is_ok() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Nobody is to wait for this worker. What it has written down goes to the ledger.
    pub fn give_up(&self) {
        hand_over(&self.recorder);
        self.fate.send_if_modified(|fate| {
            let worked = *fate == Fate::Working;
            if worked {
                *fate = Fate::Stuck;
            }
            worked
        });
    }

    async fn until(&self, fate: Fate) {
        if self.fate.subscribe().wait_for(|known| *known == fate).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Hands what a worker that works no more has written down to the ledger.
fn hand_over(recorder: &Mutex<Recorder>) {
    // Locked it is only if the worker was stopped in the middle of writing.
    if let Ok(mut recorder) = recorder.try_lock() {
        recorder.flush();
    }
}

/// What became of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It works.
    Working,
    /// One of its VUs does not come back: nobody else is to wait for this worker.
    Stuck,
    /// A stack of one of its VUs overflowed: it does nothing any more.
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
        let lines = (0..threads.max(1)).map(|at| start(at, recorder()).map(RwLock::new));
        Ok(Self {
            lines: lines.collect::<Result<_, _>>()?,
            replaced: Mutex::default(),
            recorder,
            on_each: Mutex::default(),
        })
    }

    /// Gives `errand` to the worker of the VU `vu`; in the place of one that works no more there is a new one, without VUs.
    /// Returns the way to that worker.
    pub fn post(&self, vu: u64, errand: Task) -> WorkerHandle {
        let at = vu as usize % self.lines.len();
        let mut line = self.line(at);
        if *line.fate.borrow() != Fate::Working {
            let mut place = write(&self.lines[at]);
            if *place.fate.borrow() != Fate::Working
                && let Ok(new) = start(at, (self.recorder)())
            {
                if let Some(task) = &*lock(&self.on_each) {
                    _ = new.errands.send(task());
                }
                let old = std::mem::replace(&mut *place, new);
                lock(&self.replaced).push(old);
            }
            line = place.clone();
        }
        let _ = line.errands.send(errand);
        line
    }

    /// Runs a task on every worker, also on one that replaces another later.
    pub fn run_on_each(&self, task: impl Fn() -> Task + Send + Sync + 'static) {
        for at in 0..self.lines.len() {
            _ = self.line(at).errands.send(task());
        }
        *lock(&self.on_each) = Some(Box::new(task));
    }

    fn line(&self, at: usize) -> WorkerHandle {
        read(&self.lines[at]).clone()
    }

    /// How many workers there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }
}

/// Starts a worker.
fn start(at: usize, recorder: Recorder) -> std::io::Result<WorkerHandle> {
    let (sender, errands) = mpsc::unbounded_channel();
    let fate = Arc::new(watch::Sender::new(Fate::Working));
    let (told, recorder) = (fate.clone(), Arc::new(Mutex::new(recorder)));
    let line = WorkerHandle { errands: sender, fate, recorder: recorder.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name(format!("volley-js-{at}")).spawn(move || {
        let worker = Rc::new(Worker { recorder: recorder.clone(), remembered: RefCell::default() });
        coroutine::on_overflow(move || {
            hand_over(&recorder);
            told.send_replace(Fate::Overflowed);
        });
        tokio::task::LocalSet::new().block_on(&runtime, work(worker, errands));
    })?;
    Ok(line)
}

async fn work(worker: Rc<Worker>, mut errands: mpsc::UnboundedReceiver<Task>) {
    let flushing = worker.clone();
    tokio::task::spawn_local(async move {
        loop {
            tokio::time::sleep(FLUSH_INTERVAL).await;
            flushing.flush();
        }
    });
    while let Some(errand) = errands.recv().await {
        tokio::task::spawn_local(errand(worker.clone()));
    }
    worker.flush();
}
