//! The threads VUs live on. Each polls its VUs in a current-thread runtime; a VU never changes its worker.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use tokio::sync::{mpsc, watch};

use super::coroutine;
use crate::execution::alarm;
use crate::metrics::health::TRIED_EVERY;
use crate::metrics::{Interner, Record, Recorder, TagSet};

/// Work for a worker: called on its thread, polled there until done.
pub type Errand = Box<dyn FnOnce(Rc<Worker>) -> LocalBoxFuture<'static, ()> + Send>;

/// How often samples waiting in a worker are folded into the ledger, and its timer is tried.
pub const BEAT: Duration = TRIED_EVERY;

/// The remembered tag sets of a worker; forgotten all at once when there are this many.
const MAX_REMEMBERED: usize = 8192;

/// What lives on a worker's thread, besides its VUs.
pub struct Worker {
    recorder: RefCell<Recorder>,
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
        self.recorder.borrow_mut().push(record);
    }

    /// Hands what is written down to the ledger.
    pub fn flush(&self) {
        self.recorder.borrow_mut().flush();
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
pub struct Crew {
    lines: Vec<RwLock<Line>>,
    /// The lines of workers that were replaced: one that is stuck may come back, and end what its VUs are doing.
    replaced: Mutex<Vec<Line>>,
    recorder: Box<dyn Fn() -> Recorder + Send + Sync>,
}

/// The way to one worker.
#[derive(Clone)]
struct Line {
    errands: mpsc::UnboundedSender<Errand>,
    fate: Arc<watch::Sender<Fate>>,
}

/// What became of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It works.
    Working,
    /// One of its VUs does not come back: nobody else is to wait for this worker.
    Stuck,
    /// A stack of one of its VUs overflowed: it does nothing any more.
    Overflowed,
}

impl Crew {
    /// Starts `threads` workers; each gets a recorder of its own.
    ///
    /// # Errors
    /// When the system refuses a thread or a runtime.
    pub fn start(threads: usize, recorder: impl Fn() -> Recorder + Send + Sync + 'static) -> std::io::Result<Self> {
        alarm::start()?;
        let recorder: Box<dyn Fn() -> Recorder + Send + Sync> = Box::new(recorder);
        let lines = (0..threads.max(1)).map(|at| start(at, recorder()).map(RwLock::new));
        Ok(Self { lines: lines.collect::<Result<_, _>>()?, replaced: Mutex::default(), recorder })
    }

    /// Gives `errand` to the worker of the VU `vu`; in the place of one that works no more there is a new one, without VUs.
    /// Returns what becomes of that worker.
    pub fn post(&self, vu: u64, errand: Errand) -> watch::Receiver<Fate> {
        let at = vu as usize % self.lines.len();
        let mut line = self.line(at);
        if *line.fate.borrow() != Fate::Working {
            let mut place = self.lines[at].write().unwrap_or_else(PoisonError::into_inner);
            if *place.fate.borrow() != Fate::Working
                && let Ok(new) = start(at, (self.recorder)())
            {
                let old = std::mem::replace(&mut *place, new);
                self.replaced.lock().unwrap_or_else(PoisonError::into_inner).push(old);
            }
            line = place.clone();
        }
        let _ = line.errands.send(errand);
        line.fate.subscribe()
    }

    fn line(&self, at: usize) -> Line {
        self.lines[at].read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The worker of the VU `vu` does not come back from it.
    pub fn give_up(&self, vu: u64) {
        let fate = self.line(vu as usize % self.lines.len()).fate;
        fate.send_if_modified(|fate| std::mem::replace(fate, Fate::Stuck) == Fate::Working);
    }

    /// How many workers there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// False: there is always one.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// Starts a worker.
fn start(at: usize, recorder: Recorder) -> std::io::Result<Line> {
    let (line, errands) = mpsc::unbounded_channel();
    let fate = Arc::new(watch::Sender::new(Fate::Working));
    let told = fate.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name(format!("volley-js-{at}")).spawn(move || {
        let worker = Rc::new(Worker { recorder: RefCell::new(recorder), remembered: RefCell::default() });
        let last = worker.clone();
        coroutine::on_overflow(move || {
            if let Ok(mut recorder) = last.recorder.try_borrow_mut() {
                recorder.flush();
            }
            told.send_replace(Fate::Overflowed);
        });
        tokio::task::LocalSet::new().block_on(&runtime, work(worker, errands));
    })?;
    Ok(Line { errands: line, fate })
}

async fn work(worker: Rc<Worker>, mut errands: mpsc::UnboundedReceiver<Errand>) {
    let beating = worker.clone();
    tokio::task::spawn_local(async move {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        beat.tick().await;
        loop {
            let due = tokio::time::Instant::now() + BEAT;
            beat.reset_at(due);
            beat.tick().await;
            beating.recorder.borrow_mut().lagged(due.elapsed());
            beating.flush();
        }
    });
    while let Some(errand) = errands.recv().await {
        tokio::task::spawn_local(errand(worker.clone()));
    }
    worker.flush();
}
