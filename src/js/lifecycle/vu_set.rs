//! All VUs of a run, as the executors see them: created, run and stopped from any thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, FutureExt, LocalBoxFuture};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::{Notify, oneshot};

use super::js_vu::JsVu;
use crate::execution::{STOP_TIMEOUT, ScenarioRun, Vu, VuControl, VuId, VuTask};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::runtime::coroutine::MAX_STACK_BYTES;
use crate::js::runtime::worker::{Worker, WorkerHandle, WorkerThreads};
use crate::js::runtime::{Script, Stop};
use crate::units::pin_box::pin_box;
use crate::units::sync::lock;

thread_local! {
    /// The VUs of this worker.
    static VUS: RefCell<FxHashMap<VuId, Rc<JsVu>>> = RefCell::default();
}

/// Maps a VU's number in this process to its number in the whole test.
pub type IdInTest = Box<dyn Fn(VuId) -> u64 + Send + Sync>;

/// The VUs of one run on their workers.
pub struct VuSet {
    script: Arc<Script>,
    workers: Arc<WorkerThreads>,
    interrupts: Arc<Mutex<FxHashMap<VuId, InterruptHandle>>>,
    /// VUs that did not stop in time.
    lost: Arc<Mutex<FxHashSet<VuId>>>,
    id_in_test: IdInTest,
}

/// Interrupts a VU.
#[derive(Clone)]
struct InterruptHandle {
    stop: Arc<Stop>,
    /// Notified at every interruption.
    interrupted: Arc<Notify>,
}

impl InterruptHandle {
    /// Resolves when the VU was interrupted and its worker has started no new task for [`STOP_TIMEOUT`].
    async fn ignored(&self, worker: &WorkerHandle) {
        loop {
            self.interrupted.notified().await;
            while self.stop.is_raised() {
                match tokio::time::timeout(2 * STOP_TIMEOUT, worker.stuck()).await {
                    Ok(()) if self.stop.is_raised() => return,
                    _ => {}
                }
            }
        }
    }
}

impl VuSet {
    /// A set without VUs.
    pub fn new(script: Arc<Script>, workers: Arc<WorkerThreads>, id_in_test: IdInTest) -> Arc<Self> {
        Arc::new(Self { script, workers, interrupts: Arc::default(), lost: Arc::default(), id_in_test })
    }

    fn interrupt_of(&self, vu: VuId) -> Option<InterruptHandle> {
        lock(&self.interrupts).get(&vu).cloned()
    }

    /// Runs `work` with a VU that is made for it alone and thrown away: the first pass, setup, teardown, summary.
    ///
    /// `give_stop` gets the handle that stops it, before `work` begins.
    ///
    /// # Errors
    /// What the script's init code threw, or what `work` failed with.
    pub async fn with_own_vu<T, F>(
        workers: &WorkerThreads,
        script: &Arc<Script>,
        give_stop: impl FnOnce(Arc<Stop>) + Send + 'static,
        work: impl FnOnce(Rc<JsVu>) -> F + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + 'static,
    {
        let (result_tx, result_rx) = oneshot::channel();
        let script = script.clone();
        let worker = workers.post(
            0,
            Box::new(move |worker| {
                Box::pin(async move {
                    let result = match JsVu::init(0, 0, &script, &worker).await {
                        Ok(vu) => {
                            give_stop(vu.vu.stop.clone());
                            work(Rc::new(vu)).await
                        }
                        Err(failure) => Err(failure),
                    };
                    let _ = result_tx.send(result);
                })
            }),
        );
        let mut awaited = GiveUpOnDrop(Some(worker.clone()));
        let result = tokio::select! {
            biased;
            result = result_rx => result.unwrap_or_else(|_| Err(gone())),
            () = worker.overflowed() => Err(overflowed()),
        };
        awaited.0 = None;
        result
    }
}

/// The worker of a VU that is being waited for. If the wait is dropped early, the worker is given up, and the next such VU
/// gets another one.
struct GiveUpOnDrop(Option<WorkerHandle>);

impl Drop for GiveUpOnDrop {
    fn drop(&mut self) {
        if let Some(worker) = self.0.take() {
            worker.give_up();
        }
    }
}

/// Why a run in which a stack overflowed ends.
fn overflowed() -> Failure {
    let text = format!(
        "the script's code or data is nested too deeply: the JavaScript engine needed more than {} MB of stack; what was \
         measured until then is complete",
        MAX_STACK_BYTES >> 20
    );
    Failure::new(ExitCode::Panic, text)
}

fn gone() -> Failure {
    Failure::new(ExitCode::Panic, "a worker thread ended unexpectedly")
}

impl VuControl for VuSet {
    fn initialise(&self, vu: VuId) -> BoxFuture<'static, Result<(), Failure>> {
        let (result_tx, result_rx) = oneshot::channel();
        let script = self.script.clone();
        let id_in_test = (self.id_in_test)(vu);
        let state = script.state.clone();
        let (stop_tx, stop_rx) = std::sync::mpsc::channel();
        let worker = self.workers.post(
            vu,
            Box::new(move |worker: Rc<Worker>| {
                Box::pin(async move {
                    let result = JsVu::init(vu, id_in_test, &script, &worker).await.map(|js_vu| {
                        let _ = stop_tx.send(js_vu.vu.stop.clone());
                        VUS.with_borrow_mut(|vus| vus.insert(vu, Rc::new(js_vu)));
                    });
                    let _ = result_tx.send(result);
                })
            }),
        );
        let interrupts = self.interrupts.clone();
        async move {
            // A run that is stopped does not wait for init code, which may never end.
            let mut awaited = GiveUpOnDrop(Some(worker.clone()));
            let result = tokio::select! {
                biased;
                result = result_rx => result.unwrap_or_else(|_| Err(gone())),
                () = worker.overflowed() => Err(overflowed()),
            };
            awaited.0 = None;
            if let Ok(stop) = stop_rx.try_recv() {
                let interrupt = InterruptHandle { stop, interrupted: Arc::default() };
                lock(&interrupts).insert(vu, interrupt);
            }
            if result.is_ok() {
                state.initialised_vus.fetch_add(1, Relaxed);
            }
            result
        }
        .boxed()
    }

    fn run(&self, vu: VuId, work: VuTask) -> BoxFuture<'static, ()> {
        let (result_tx, result_rx) = oneshot::channel();
        let (state, log) = (self.script.state.clone(), self.script.log.clone());
        let (interrupt, lost) = (self.interrupt_of(vu), self.lost.clone());
        let worker = self.workers.post(
            vu,
            Box::new(move |_worker: Rc<Worker>| -> LocalBoxFuture<'static, ()> {
                let js_vu = VUS.with_borrow(|vus| vus.get(&vu).cloned());
                Box::pin(async move {
                    if let Some(js_vu) = js_vu {
                        work(js_vu).await;
                    }
                    let _ = result_tx.send(());
                })
            }),
        );
        async move {
            let ignored = async {
                match &interrupt {
                    Some(interrupt) => interrupt.ignored(&worker).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                // The VU panicked, and its iteration is lost: the run fails.
                done = result_rx => if done.is_err() { state.abort(gone()) },
                () = worker.overflowed() => state.abort(overflowed()),
                () = ignored => {
                    let seconds = STOP_TIMEOUT.as_secs();
                    log.error(format!("VU {vu} did not stop within {seconds} s: the run goes on without it"));
                    lock(&lost).insert(vu);
                    worker.give_up();
                }
            }
        }
        .boxed()
    }

    fn interrupt(&self, vu: VuId) {
        if let Some(interrupt) = self.interrupt_of(vu) {
            interrupt.stop.raise();
            interrupt.interrupted.notify_one();
        }
    }

    fn is_lost(&self, vu: VuId) -> bool {
        lock(&self.lost).contains(&vu)
    }
}

impl Vu for JsVu {
    fn id(&self) -> VuId {
        self.vu.id
    }

    fn activate(&self, scenario: &Arc<ScenarioRun>) {
        JsVu::activate(self, scenario);
    }

    fn iterate(&self) -> LocalBoxFuture<'_, ()> {
        pin_box(|| JsVu::iterate(self))
    }

    fn release(&self) {
        JsVu::release(self);
    }
}
