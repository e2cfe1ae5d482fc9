//! The threads VUs live on. Each polls its VUs in a current-thread runtime; a VU never changes its worker.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use tokio::sync::mpsc;

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
    lines: Vec<mpsc::UnboundedSender<Errand>>,
}

impl Crew {
    /// Starts `threads` workers; each gets a recorder of its own.
    ///
    /// # Errors
    /// When the system refuses a thread or a runtime.
    pub fn start(threads: usize, recorder: impl Fn() -> Recorder) -> std::io::Result<Self> {
        alarm::start()?;
        let mut lines = Vec::new();
        for at in 0..threads.max(1) {
            let (line, errands) = mpsc::unbounded_channel();
            let recorder = recorder();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            std::thread::Builder::new().name(format!("volley-js-{at}")).spawn(move || {
                let worker = Rc::new(Worker { recorder: RefCell::new(recorder), remembered: RefCell::default() });
                tokio::task::LocalSet::new().block_on(&runtime, work(worker, errands));
            })?;
            lines.push(line);
        }
        Ok(Self { lines })
    }

    /// Gives `errand` to the worker of the VU `vu`. A worker that is gone has nothing to do any more.
    pub fn post(&self, vu: u64, errand: Errand) {
        let at = vu as usize % self.lines.len();
        let _ = self.lines[at].send(errand);
    }

    /// How many workers there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }
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
