//! VUs loop, and their number is controlled from outside: `scale` and `pause` of the REST API change a test that runs.
//!
//! k6 had this executor up to its version 1; the semantics are those. All `maxVUs` are ready from the start, so that
//! a change takes effect at once. A VU that is no longer wanted, or paused, finishes its iteration; there is no
//! `gracefulStop`, at the end of the duration iterations are interrupted. The clock goes on during a pause.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;

use super::{Executor, MakeVu};
use crate::execution::{Pool, ScenarioRun, VuId};
use crate::failure::Failure;

/// How many VUs are wanted now, already scaled to this machine's share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VuTargets {
    /// VUs that iterate.
    pub vus: u64,
    /// VUs that are ready.
    pub max_vus: u64,
    /// No VU iterates, whatever `vus` is.
    pub is_paused: bool,
    is_over: bool,
}

impl VuTargets {
    fn works(&self, nth: u64) -> bool {
        nth < self.vus && !self.is_paused && !self.is_over
    }
}

/// The controls of one scenario: set by the REST API, followed by its executor.
#[derive(Debug)]
pub struct Controls(watch::Sender<VuTargets>);

impl Controls {
    /// As the options have it.
    pub fn new(vus: u64, max_vus: u64) -> Self {
        Self(watch::Sender::new(VuTargets { vus, max_vus, is_paused: false, is_over: false }))
    }

    /// What is wanted now.
    pub fn wanted(&self) -> VuTargets {
        *self.0.borrow()
    }

    /// Changes how many VUs work and how many there may be.
    pub fn scale(&self, vus: u64, max_vus: u64) {
        self.0.send_modify(|wanted| (wanted.vus, wanted.max_vus) = (vus, max_vus));
    }

    /// Pauses or resumes the VUs.
    pub fn pause(&self, is_paused: bool) {
        self.0.send_modify(|wanted| wanted.is_paused = is_paused);
    }

    /// True once the scenario is over: nothing can be changed any more.
    pub fn is_over(&self) -> bool {
        self.0.borrow().is_over
    }

    fn close(&self) {
        self.0.send_modify(|wanted| wanted.is_over = true);
    }
}

/// `externally-controlled`, checked.
pub struct ExternallyControlled {
    /// How long iterations may start; `None` for ever.
    pub duration: Option<Duration>,
    /// What is wanted, from the options at first.
    pub controls: Arc<Controls>,
    /// Makes one more VU than were planned; its number.
    pub make_vu: MakeVu,
}

impl Executor for ExternallyControlled {
    fn run(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> BoxFuture<'_, Result<(), Failure>> {
        self.follow_targets(scenario, pool).boxed()
    }
}

impl ExternallyControlled {
    async fn follow_targets(&self, scenario: Arc<ScenarioRun>, pool: Arc<Pool>) -> Result<(), Failure> {
        let start = scenario.facts.progress.start();
        let mut wanted = self.controls.0.subscribe();
        let ready = wanted.borrow_and_update().max_vus;
        let mut vus = pool.take_many(ready).await?;
        let mut working = FuturesUnordered::new();
        for (nth, &vu) in (0..).zip(&vus) {
            working.push(self.serve(vu, nth, &scenario, &pool));
        }
        let over = async {
            match self.duration {
                Some(duration) => tokio::time::sleep_until(start + duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => break,
                () = scenario.state.until_aborted() => break,
                changed = wanted.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let most = wanted.borrow_and_update().max_vus;
                    while (vus.len() as u64) < most && !scenario.state.is_aborted() {
                        match (self.make_vu)().await {
                            Ok(vu) => {
                                working.push(self.serve(vu, vus.len() as u64, &scenario, &pool));
                                vus.push(vu);
                            }
                            Err(failure) => {
                                scenario.log.error(failure.message);
                                break;
                            }
                        }
                    }
                }
            }
        }
        scenario.close();
        self.controls.close();
        for &vu in &vus {
            pool.vus.interrupt(vu);
        }
        while working.next().await.is_some() {}
        Ok(())
    }

    /// Lets one VU iterate whenever it is wanted, until the scenario is over.
    fn serve(
        &self,
        vu: VuId,
        nth: u64,
        scenario: &Arc<ScenarioRun>,
        pool: &Arc<Pool>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (scenario, pool, mut wanted) = (scenario.clone(), pool.clone(), self.controls.0.subscribe());
        let work = pool.vus.run(
            vu,
            Box::new(move |handle| {
                Box::pin(async move {
                    loop {
                        // The sender lives as long as the executor; were it gone, the scenario would be over.
                        let turn = wanted.wait_for(|wanted| wanted.is_over || wanted.works(nth)).await;
                        if turn.map_or(true, |wanted| wanted.is_over) || !scenario.is_open() {
                            break;
                        }
                        handle.activate(&scenario);
                        while wanted.borrow().works(nth) && scenario.is_open() {
                            handle.iterate().await;
                        }
                        handle.release();
                    }
                })
            }),
        );
        async move {
            work.await;
            pool.put(vu);
        }
    }
}
