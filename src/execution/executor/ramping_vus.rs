//! The number of VUs follows a line: up, level, down.
//!
//! VU slots are used last in, first out. A VU told to stop may finish its iteration within `gracefulRampDown`; if
//! the line rises again meanwhile it just goes on. A VU that can't be started ends the scenario and fails the run.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::Executor;
use crate::execution::{Pool, ScenarioRun, VuId};
use crate::failure::Failure;
use crate::units::sync::lock;

/// `ramping-vus`, checked.
#[derive(Clone, Debug)]
pub struct RampingVus {
    /// At each moment since the start: how many VUs iterate from then on, already scaled. Ordered by time.
    pub steps: Vec<(Duration, u64)>,
    /// The sum of the stages.
    pub duration: Duration,
    /// How long a VU told to stop may finish its iteration.
    pub graceful_ramp_down: Duration,
}

/// One place for a VU.
#[derive(Debug, Default)]
struct VuSlot(Mutex<SlotState>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SlotState {
    #[default]
    Empty,
    /// Iterating.
    Working(VuId),
    /// Told to stop; interrupted at the moment given.
    Leaving(VuId, Instant),
}

impl VuSlot {
    fn get(&self) -> SlotState {
        *lock(&self.0)
    }

    fn change(&self, change: impl FnOnce(SlotState) -> SlotState) -> SlotState {
        let mut state = lock(&self.0);
        *state = change(*state);
        *state
    }
}

impl Executor for RampingVus {
    fn run(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> BoxFuture<'_, Result<(), Failure>> {
        self.follow(scenario, pool).boxed()
    }
}

impl RampingVus {
    async fn follow(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> Result<(), Failure> {
        let start = scenario.facts.progress.start();
        let end = start + self.duration;
        let hard_end = end + scenario.graceful_stop;
        let most = self.steps.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let slots: Vec<Arc<VuSlot>> = (0..most).map(|_| Arc::default()).collect();
        let mut working = FuturesUnordered::new();
        let mut steps = self.steps.iter().copied().peekable();
        let mut failure = None;
        loop {
            let next_step = steps.peek().map(|(at, _)| start + *at).filter(|at| *at < end);
            let next_cut = slots.iter().filter_map(|slot| match slot.get() {
                SlotState::Leaving(_, at) => Some(at),
                _ => None,
            });
            let next_cut = next_cut.min().filter(|at| *at < hard_end);
            let over = if scenario.is_open() { end } else { hard_end };
            let wake = [next_step, next_cut, Some(over)].into_iter().flatten().min().unwrap_or(over);
            tokio::select! {
                () = tokio::time::sleep_until(wake) => {}
                Some(ended) = working.next(), if !working.is_empty() => failure = Result::<(), Failure>::err(ended),
                () = scenario.state.until_aborted() => {}
            }
            // Before steps that are due meanwhile: no VU is started any more.
            if failure.is_some() || scenario.state.is_aborted() {
                break;
            }
            let now = Instant::now();
            for slot in &slots {
                if let SlotState::Leaving(vu, at) = slot.get()
                    && at <= now
                {
                    pool.vus.interrupt(vu);
                }
            }
            while let Some((_, count)) = steps.next_if(|(at, _)| start + *at <= now && start + *at < end) {
                scenario.facts.progress.wanted.store(count, Relaxed);
                self.aim(count, &slots, now, |slot| working.push(occupy(slot, &scenario, &pool, end)));
            }
            if now >= end {
                scenario.close();
                if now >= hard_end || slots.iter().all(|slot| slot.get() == SlotState::Empty) {
                    break;
                }
            }
        }
        scenario.close();
        for slot in &slots {
            if let SlotState::Working(vu) | SlotState::Leaving(vu, _) = slot.get() {
                pool.vus.interrupt(vu);
            }
        }
        while let Some(ended) = working.next().await {
            failure = failure.or(ended.err());
        }
        failure.map_or(Ok(()), Err)
    }

    /// Makes the lowest `count` slots work and tells the others to stop.
    fn aim(&self, count: u64, slots: &[Arc<VuSlot>], now: Instant, mut start: impl FnMut(Arc<VuSlot>)) {
        for (at, slot) in slots.iter().enumerate() {
            let wanted = (at as u64) < count;
            let mut is_new = false;
            slot.change(|state| match state {
                SlotState::Leaving(vu, _) if wanted => SlotState::Working(vu),
                SlotState::Working(vu) if !wanted => SlotState::Leaving(vu, now + self.graceful_ramp_down),
                SlotState::Empty if wanted => {
                    is_new = true;
                    // Held until the VU has arrived.
                    SlotState::Working(0)
                }
                state => state,
            });
            if is_new {
                start(slot.clone());
            }
        }
    }
}

/// Takes a VU into a slot and lets it iterate until the slot is told to stop. Fails when there is no VU.
fn occupy(
    slot: Arc<VuSlot>,
    scenario: &Arc<ScenarioRun>,
    pool: &Arc<Pool>,
    end: Instant,
) -> impl Future<Output = Result<(), Failure>> + Send + use<> {
    let (scenario, pool) = (scenario.clone(), pool.clone());
    async move {
        let vu = pool.take().await.inspect_err(|_| _ = slot.change(|_| SlotState::Empty))?;
        // One that another slot gave back when the scenario was over.
        if !scenario.is_open() {
            slot.change(|_| SlotState::Empty);
            pool.put(vu);
            return Ok(());
        }
        slot.change(|state| match state {
            SlotState::Leaving(_, at) => SlotState::Leaving(vu, at),
            _ => SlotState::Working(vu),
        });
        let (held, run) = (slot.clone(), scenario.clone());
        let work = pool.vus.run(
            vu,
            Box::new(move |handle| {
                Box::pin(async move {
                    handle.activate(&run);
                    loop {
                        // Leaving and the slot becoming free are one step: a ramp that rises now takes a new VU.
                        let state = held.change(|state| match state {
                            SlotState::Working(vu) if run.is_open() && Instant::now() < end => SlotState::Working(vu),
                            _ => SlotState::Empty,
                        });
                        if state == SlotState::Empty {
                            break;
                        }
                        handle.iterate().await;
                    }
                    handle.release();
                })
            }),
        );
        work.await;
        pool.put(vu);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use tokio::sync::Notify;

    use super::*;
    use crate::execution::vu::VuTask;
    use crate::execution::{RunState, ScenarioFacts, ScenarioProgress, VuControl};
    use crate::exit_code::ExitCode;
    use crate::log::Logger;
    use crate::metrics::Interner;

    /// VUs whose iterations last until they are interrupted.
    #[derive(Default)]
    struct EndlessVus {
        started: AtomicU64,
        interrupted: Arc<Notify>,
    }

    impl VuControl for EndlessVus {
        fn initialise(&self, _vu: VuId) -> BoxFuture<'static, Result<(), Failure>> {
            async { Ok(()) }.boxed()
        }

        fn run(&self, _vu: VuId, _work: VuTask) -> BoxFuture<'static, ()> {
            self.started.fetch_add(1, Relaxed);
            let interrupted = self.interrupted.clone();
            async move { interrupted.notified().await }.boxed()
        }

        fn interrupt(&self, _vu: VuId) {
            self.interrupted.notify_waiters();
        }
    }

    /// Follows a ramp of an hour to `wanted` VUs with `ready` of them; how many started, and how it ended.
    fn follow(wanted: u64, ready: u64, state: RunState) -> (u64, Result<(), Failure>) {
        let vus = Arc::new(EndlessVus::default());
        let pool = Arc::new(Pool::new(vus.clone(), 0, Logger::silent()));
        (1..=ready).for_each(|vu| pool.put(vu));
        let hour = Duration::from_secs(3600);
        let ramp =
            RampingVus { steps: vec![(Duration::ZERO, wanted)], duration: hour, graceful_ramp_down: Duration::ZERO };
        let progress = ScenarioProgress::new(hour, None);
        let tags = Interner::default().set(std::iter::empty::<(&str, &str)>());
        let exec = "default".to_owned();
        let facts =
            ScenarioFacts::new("s".into(), "ramping-vus", exec, Arc::default(), tags, progress, Arc::new(|n| n));
        let scenario = Arc::new(ScenarioRun {
            facts: Arc::new(facts),
            state: Arc::new(state),
            log: Logger::silent(),
            graceful_stop: hour,
            closing: Default::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let result = runtime.block_on(ramp.run(scenario, pool));
        (vus.started.load(Relaxed), result)
    }

    #[test]
    fn a_vu_that_cannot_be_started_ends_the_scenario_and_fails_the_run() {
        let (started, result) = follow(3, 1, RunState::default());
        assert_eq!((started, result.unwrap_err().message.as_str()), (1, "could not get a VU from the buffer in 2s"));
    }

    #[test]
    fn nothing_starts_in_a_run_that_was_stopped() {
        // Which of a step that is due and the end of the run is seen first is left to chance.
        for _ in 0..20 {
            let state = RunState::default();
            state.abort_with(ExitCode::ScriptAborted, "stopped");
            let (started, result) = follow(3, 3, state);
            assert_eq!((started, result.is_ok()), (0, true));
        }
    }
}
