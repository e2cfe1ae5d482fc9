//! From a checked scenario to a running one: its share, its executor, its facts.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::TestRun;
use crate::execution::executor::{
    ArrivalRate, ConstantVus, Controls, DroppedIterations, Executor, ExternallyControlled, MakeVu, PerVuIterations,
    RampingVus, SharedIterations, Starts,
};
use crate::execution::{ScenarioFacts, ScenarioProgress, ScenarioRun, VuControl};
use crate::failure::Failure;
use crate::js::Script;
use crate::metrics::system_tags::SystemTag;
use crate::metrics::{Record, builtin};
use crate::options::ramp::own_steps;
use crate::options::{ConstantSchedule, ExecutorConfig, RampingSchedule, Scenario, Share};
use crate::units::sync::lock;

/// A scenario with this machine's share of it.
pub(super) struct PlannedScenario {
    /// As asked for.
    pub scenario: Scenario,
    /// What its VUs know of it.
    pub facts: Arc<ScenarioFacts>,
    /// What an externally-controlled scenario is controlled by.
    pub controls: Option<Arc<Controls>>,
    share: Share,
}

impl PlannedScenario {
    pub fn new(scenario: Scenario, share: &Share, script: &Script) -> Self {
        let mut tags: Vec<(&str, &str)> =
            scenario.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        if script.system_tags.has(SystemTag::Scenario) {
            tags.push(("scenario", &scenario.name));
        }
        if script.system_tags.has(SystemTag::Group) {
            tags.push(("group", ""));
        }
        let tags = script.interner.extend(&script.run_tags, tags);
        let (total, striping) = match &scenario.executor {
            ExecutorConfig::SharedIterations { vus, iterations, .. } => {
                let dealt = share.by_split_of(*vus);
                (Some(dealt.scale(*iterations)), dealt)
            }
            ExecutorConfig::PerVuIterations { vus, iterations, .. } => {
                (Some(share.scale(*vus) * iterations), share.clone())
            }
            ExecutorConfig::ConstantArrivalRate { max_vus, .. }
            | ExecutorConfig::RampingArrivalRate { max_vus, .. } => (None, share.by_split_of(*max_vus)),
            ExecutorConfig::ConstantVus { .. }
            | ExecutorConfig::RampingVus { .. }
            | ExecutorConfig::ExternallyControlled { .. } => (None, share.clone()),
        };
        let progress = ScenarioProgress::new(scenario.executor.duration(), total);
        let stripe = Arc::new(move |n: u64| striping.global(n).unwrap_or(n));
        let name: Arc<str> = scenario.name.as_str().into();
        let mut env = script.env.clone();
        if !scenario.env.is_empty() {
            let own = scenario.env.iter().map(|(key, value)| (key.clone(), value.clone()));
            Arc::make_mut(&mut env).extend(own);
        }
        let executor = scenario.executor.word();
        let facts = ScenarioFacts::new(name, executor, scenario.exec.clone(), env, tags, progress, stripe)
            .with_options(scenario.options.clone());
        let controls = match &scenario.executor {
            ExecutorConfig::ExternallyControlled { vus, max_vus, .. } => {
                Some(Arc::new(Controls::new(share.scale(*vus), share.scale(*max_vus))))
            }
            _ => None,
        };
        Self { scenario, facts: Arc::new(facts), controls, share: share.clone() }
    }

    /// Runs it at its time.
    pub async fn run(&self, run: &TestRun) -> Result<(), Failure> {
        tokio::select! {
            () = tokio::time::sleep(self.scenario.start_time) => {}
            () = run.state.until_aborted() => return Ok(()),
        }
        let scenario = Arc::new(ScenarioRun {
            facts: self.facts.clone(),
            state: run.state.clone(),
            log: run.log.clone(),
            graceful_stop: self.scenario.graceful_stop,
            closing: Default::default(),
        });
        let result = self.executor(run).run(scenario, run.pool.clone()).await;
        let progress = &self.facts.progress;
        progress.cut.store(run.state.is_aborted(), Relaxed);
        progress.finished.store(true, Relaxed);
        result
    }

    fn executor(&self, run: &TestRun) -> Box<dyn Executor> {
        let share = &self.share;
        let dropped = dropped(run);
        match &self.scenario.executor {
            ExecutorConfig::SharedIterations { vus, max_duration, .. } => Box::new(SharedIterations {
                vus: share.scale(*vus),
                iterations: self.facts.progress.total.unwrap_or(0),
                max_duration: *max_duration,
                dropped,
            }),
            ExecutorConfig::PerVuIterations { vus, iterations, max_duration } => Box::new(PerVuIterations {
                vus: share.scale(*vus),
                iterations: *iterations,
                max_duration: *max_duration,
                dropped,
            }),
            ExecutorConfig::ConstantVus { vus, duration } => {
                Box::new(ConstantVus { vus: share.scale(*vus), duration: *duration })
            }
            ExecutorConfig::RampingVus { start_vus, stages, graceful_ramp_down } => Box::new(RampingVus {
                steps: own_steps(*start_vus, stages, share).into_iter().map(|step| (step.at, step.vus)).collect(),
                duration: self.scenario.executor.duration(),
                graceful_ramp_down: *graceful_ramp_down,
            }),
            ExecutorConfig::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus } => {
                let schedule = ConstantSchedule::new(*rate, *time_unit, *duration, *max_vus, share);
                self.arrivals(
                    run,
                    Box::new(move || Box::new(schedule.clone())),
                    *duration,
                    *pre_allocated_vus,
                    *max_vus,
                )
            }
            ExecutorConfig::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus } => {
                let schedule = RampingSchedule::new(*start_rate, *time_unit, stages, *max_vus, share);
                let duration = self.scenario.executor.duration();
                self.arrivals(run, Box::new(move || Box::new(schedule.clone())), duration, *pre_allocated_vus, *max_vus)
            }
            ExecutorConfig::ExternallyControlled { duration, .. } => {
                let controls = self.controls.clone().unwrap_or_else(|| Arc::new(Controls::new(0, 0)));
                Box::new(ExternallyControlled { duration: *duration, controls, make_vu: make_vu(run) })
            }
        }
    }

    /// Changes an externally-controlled scenario: counts are those of the whole test.
    ///
    /// # Errors
    /// Why it can't be changed so.
    pub fn scale(&self, vus: Option<u64>, max_vus: Option<u64>) -> Result<(), String> {
        let ExecutorConfig::ExternallyControlled { max_vus: at_start, .. } = &self.scenario.executor else {
            return Err("live VU configuration updates are not supported".to_owned());
        };
        let Some(controls) = &self.controls else { return Err("the scenario has no part in this segment".to_owned()) };
        let now = controls.wanted();
        let vus = vus.map_or(now.vus, |vus| self.share.scale(vus));
        let max = max_vus.map_or(now.max_vus, |max| self.share.scale(max));
        if max_vus.is_some_and(|max| max < *at_start) {
            let words =
                format!("the new number of max VUs can't be lower than the starting number of max VUs ({at_start})");
            return Err(words);
        }
        if max < vus {
            return Err(format!("the number of maxVUs ({max}) can't be less than the number of VUs ({vus})"));
        }
        if controls.is_over() {
            return Err(format!("the scenario '{}' is over", self.scenario.name));
        }
        controls.scale(vus, max);
        Ok(())
    }

    fn arrivals(
        &self,
        run: &TestRun,
        starts: Box<dyn Fn() -> Starts + Send + Sync>,
        duration: Duration,
        pre_allocated: u64,
        max_vus: u64,
    ) -> Box<dyn Executor> {
        Box::new(ArrivalRate {
            starts,
            duration,
            pre_allocated_vus: self.share.scale(pre_allocated),
            max_vus: self.share.scale(max_vus),
            make_vu: make_vu(run),
            dropped: dropped(run),
        })
    }
}

impl TestRun {
    /// Runs all scenarios at their start times; the first failure.
    pub(super) async fn run_scenarios(&self) -> Result<(), Failure> {
        let running = self.scenarios.iter().map(|planned| planned.run(self));
        let results = futures_util::future::join_all(running).await;
        results.into_iter().find(Result::is_err).unwrap_or(Ok(()))
    }
}

/// VUs made later follow in number.
fn make_vu(run: &TestRun) -> MakeVu {
    let (vus, next) = (run.vus.clone(), run.next_vu.clone());
    Arc::new(move || {
        let vus = vus.clone();
        let id = next.fetch_add(1, Relaxed);
        Box::pin(async move { vus.initialise(id).await.map(|()| id) }) as BoxFuture<'static, _>
    })
}

/// Iterations that were due and never began are samples of the run.
fn dropped(run: &TestRun) -> DroppedIterations {
    let (script, ledger) = (run.script.clone(), run.ledger.clone());
    DroppedIterations(Arc::new(move |scenario, count, vu| {
        let time = script.epoch.stamp(Instant::now());
        let metadata = vu.filter(|_| script.system_tags.has(SystemTag::Vu)).map(|vu| {
            let pair: (Arc<str>, Arc<str>) = ("vu".into(), vu.to_string().into());
            Arc::from(vec![pair])
        });
        let tags = dropped_tags(&script, scenario);
        let (metric, value) = (builtin::DROPPED_ITERATIONS, count as f64);
        let mut batch = vec![Record::Sample { time, metric, value, tags, metadata }];
        lock(&ledger).take(&mut batch);
    }))
}

/// An iteration that never began has no group.
fn dropped_tags(script: &Script, scenario: &ScenarioRun) -> Arc<crate::metrics::TagSet> {
    script.interner.without(&scenario.facts.tags, "group")
}
