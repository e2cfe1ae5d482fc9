//! Starts iterations at their times, whether VUs keep up or not: the open model.
//!
//! Both arrival-rate executors are this one; they differ in the schedule they bring. A start that finds no free VU
//! is dropped, and if there may be more VUs, one more is taken from the pool, or made in the background, for later
//! starts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::oneshot;

use super::{DroppedIterations, Executor, MakeVu, until_stopped};
use crate::execution::{Pool, ScenarioRun, VuId, precise_timer};
use crate::failure::Failure;
use crate::options::schedule::Start;
use crate::units::sync::lock;

/// When iterations start, counted from the scenario's start; rising.
pub type Starts = Box<dyn Iterator<Item = Start> + Send>;

/// `constant-arrival-rate` or `ramping-arrival-rate`, checked.
pub struct ArrivalRate {
    /// The schedule, made when the scenario starts.
    pub starts: Box<dyn Fn() -> Starts + Send + Sync>,
    /// How long it lasts.
    pub duration: Duration,
    /// VUs ready before the start, already scaled.
    pub pre_allocated_vus: u64,
    /// VUs at most, already scaled.
    pub max_vus: u64,
    /// Makes a VU; its number.
    pub make_vu: MakeVu,
    /// Told of every start that found no free VU.
    pub dropped: DroppedIterations,
}

/// The VUs that wait for a start, each with its own line.
type Free = Arc<Mutex<Vec<oneshot::Sender<()>>>>;

impl Executor for ArrivalRate {
    fn run(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> BoxFuture<'_, Result<(), Failure>> {
        self.keep_time(scenario, pool).boxed()
    }
}

impl ArrivalRate {
    async fn keep_time(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> Result<(), Failure> {
        let free: Free = Arc::default();
        let ready = Arc::new(AtomicU64::new(0));
        let mut vus = pool.take_many(self.pre_allocated_vus).await?;
        let mut working = FuturesUnordered::new();
        for &vu in &vus {
            working.push(serve(vu, true, &scenario, &pool, &free, &ready));
        }
        // Every VU is in its scenario before the clock starts.
        while ready.load(Relaxed) < self.pre_allocated_vus && !scenario.state.is_aborted() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let start = scenario.facts.progress.start();
        let end = start + self.duration;
        let mut making: Option<BoxFuture<'static, Result<VuId, Failure>>> = None;
        let mut made = 0;
        let mut has_warned = false;
        for due in (self.starts)() {
            loop {
                tokio::select! {
                    biased;
                    () = scenario.state.until_aborted() => break,
                    () = precise_timer::sleep_until((start + due.at).into()) => break,
                    result = async { match &mut making { Some(new) => new.await, None => std::future::pending().await } } => {
                        making = None;
                        match result {
                            Ok(vu) => {
                                vus.push(vu);
                                working.push(serve(vu, false, &scenario, &pool, &free, &ready));
                            }
                            Err(failure) => scenario.log.error(failure.message),
                        }
                    }
                    Some(()) = working.next(), if !working.is_empty() => {}
                }
            }
            if scenario.state.is_aborted() {
                break;
            }
            let next = lock(&free).pop();
            if next.is_some_and(|line| line.send(()).is_ok()) {
                continue;
            }
            self.dropped.record(&scenario, 1, None);
            if self.pre_allocated_vus + made < self.max_vus {
                if making.is_none() {
                    made += 1;
                    let (pool, make_vu) = (pool.clone(), self.make_vu.clone());
                    making = Some(async move { pool.take_unplanned(make_vu).await }.boxed());
                }
            } else if !has_warned {
                has_warned = true;
                let text = format!("Insufficient VUs, reached {} active VUs and cannot initialize more", self.max_vus);
                let fields = vec![
                    ("executor", scenario.facts.executor.into()),
                    ("scenario", scenario.facts.name.to_string().into()),
                ];
                scenario.log.log(crate::log::Level::Warning, text, fields);
            }
        }
        // The lines of waiting VUs close now; busy ones find the scenario closed when they are done.
        let finish = async {
            tokio::time::sleep_until(end).await;
            scenario.close();
            lock(&free).clear();
            while working.next().await.is_some() {}
        };
        until_stopped(&scenario, &pool, &vus, end, async {
            tokio::select! {
                () = finish => {}
                () = scenario.state.until_aborted() => {}
            }
        })
        .await;
        scenario.close();
        lock(&free).clear();
        while working.next().await.is_some() {}
        if let Some(new) = making
            && let Ok(vu) = new.await
        {
            pool.put_unplanned(vu);
        }
        Ok(())
    }
}

/// Lets one VU wait for starts until the scenario is over.
fn serve(
    vu: VuId,
    is_planned: bool,
    scenario: &Arc<ScenarioRun>,
    pool: &Arc<Pool>,
    free: &Free,
    ready: &Arc<AtomicU64>,
) -> impl Future<Output = ()> + Send + use<> {
    let (scenario, pool, free, ready) = (scenario.clone(), pool.clone(), free.clone(), ready.clone());
    // The VU begins to wait at once, not when its future is first polled.
    let work = pool.vus.run(
        vu,
        Box::new(move |handle| {
            Box::pin(async move {
                handle.activate(&scenario);
                let mut is_new = true;
                loop {
                    // The only sender goes into the list: clearing the list ends the wait.
                    let (line, start) = oneshot::channel();
                    {
                        let mut free = lock(&free);
                        if !scenario.is_open() {
                            break;
                        }
                        free.push(line);
                    }
                    if std::mem::take(&mut is_new) {
                        ready.fetch_add(1, Relaxed);
                    }
                    if start.await.is_err() {
                        break;
                    }
                    handle.iterate().await;
                }
                handle.release();
            })
        }),
    );
    async move {
        work.await;
        if is_planned {
            pool.put(vu);
        } else {
            pool.put_unplanned(vu);
        }
    }
}
