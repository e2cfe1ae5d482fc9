//! What is shown of a run while it goes on: its description and its progress, as plain data for `ui`.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::TestRun;
use super::observe::Moment;
use crate::execution::executor::Controls;
use crate::execution::{RunState, RunStatus, ScenarioFacts};
use crate::join::{Joined, ScenarioReport, Totals};
use crate::metrics::Ledger;
use crate::metrics::endpoint::ErrorGroup;
use crate::metrics::ledger::LiveRequests;
use crate::options::ExecutorConfig;
use crate::output::RunningOutput;
use crate::report::Dashboard;
use crate::ui::description::Description;
use crate::ui::panel::RequestPanel;
use crate::ui::progress::{Head, ProgressMode, ProgressView, RequestFigures, ScenarioLine, ScenarioStatus};
use crate::units::Span;
use crate::units::sync::lock;

/// What a run says about itself before it starts.
pub(super) fn description(run: &TestRun, outputs: &[RunningOutput], dashboard: Option<&Dashboard>) -> Description {
    Description {
        script: run.request.script.argument.clone(),
        dashboard: dashboard.map(|dashboard| dashboard.url.clone()),
        outputs: outputs.iter().map(|output| output.description.clone()).collect(),
        profiling: None,
        segment: run.share.part().to_f64(),
        max_vus: run.plan.max_vus(),
        max_duration: Span::from(run.plan.max_duration()),
        scenarios: run
            .scenarios
            .iter()
            .map(|planned| (planned.scenario.name.clone(), planned.scenario.describe(&run.share)))
            .collect(),
    }
}

/// What the progress lines are made from; read by a thread of its own.
pub(super) struct LiveView {
    state: Arc<RunState>,
    scenarios: Vec<ScenarioView>,
    planned_vus: u64,
    max_vus: u64,
    max_duration: Duration,
    /// Without graceful stops; `None` for no end.
    duration: Option<Duration>,
    has_limit_only: bool,
    started: OnceLock<Instant>,
    is_live: bool,
    has_panel: bool,
    ledger: Arc<Mutex<Ledger>>,
    joined: Option<Arc<Joined>>,
    latest: Mutex<LatestFigures>,
}

/// How often the latest figures are looked up.
const FIGURES_INTERVAL: Duration = Duration::from_millis(500);

/// The latest figures and when they were looked up.
struct LatestFigures {
    at: Instant,
    requests: f64,
    figures: Option<RequestFigures>,
    panel: Option<RequestPanel>,
}

/// What is shown of one scenario.
struct ScenarioView {
    name: String,
    facts: Arc<ScenarioFacts>,
    config: ExecutorConfig,
    controls: Option<Arc<Controls>>,
    vus: u64,
    start_time: Duration,
}

impl LiveView {
    pub fn new(run: &TestRun) -> Arc<Self> {
        let scenarios = run
            .scenarios
            .iter()
            .map(|planned| ScenarioView {
                name: planned.scenario.name.clone(),
                facts: planned.facts.clone(),
                config: planned.scenario.executor.clone(),
                controls: planned.controls.clone(),
                vus: planned.scenario.max_planned_vus(&run.share),
                start_time: planned.scenario.start_time,
            })
            .collect();
        Arc::new(Self {
            state: run.state.clone(),
            scenarios,
            planned_vus: run.plan.max_planned_vus(),
            max_vus: run.plan.max_vus(),
            max_duration: run.plan.max_duration(),
            started: OnceLock::new(),
            is_live: run.request.progress.is_live() || run.request.is_observed,
            has_panel: run.request.progress == ProgressMode::Full,
            duration: run.duration(),
            has_limit_only: run.has_limit_only(),
            ledger: run.ledger.clone(),
            joined: run.joined().cloned(),
            latest: Mutex::new(LatestFigures { at: Instant::now(), requests: 0.0, figures: None, panel: None }),
        })
    }

    /// The run goes on to its next stage.
    pub fn enter(&self, status: RunStatus) {
        if status == RunStatus::Running {
            self.started.get_or_init(Instant::now);
        }
        self.state.enter(status);
    }

    /// The block of this moment.
    pub fn view(&self) -> ProgressView {
        let head = |fraction: f64, right: &str| {
            let head = Head::Stage { left: "Run".to_owned(), fraction, right: right.to_owned() };
            ProgressView { head, ..ProgressView::default() }
        };
        let status = self.state.status();
        if status == RunStatus::InitDone && self.joined.is_some() {
            return head(0.0, "waiting for all instances");
        }
        if status < RunStatus::PausedBeforeRun {
            let made = self.state.initialised_vus.load(Relaxed);
            let fraction = made as f64 / self.planned_vus.max(1) as f64;
            let right = format!("{made}/{} VUs initialized", self.planned_vus);
            let head = Head::Stage { left: "Init".to_owned(), fraction, right };
            return ProgressView { head, ..ProgressView::default() };
        }
        if self.started.get().is_none() {
            return head(1.0, if status == RunStatus::PausedBeforeRun { "paused" } else { "setup()" });
        }
        let (complete, interrupted) = self.state.iterations();
        let own = Totals {
            active: self.state.active_vus.load(Relaxed),
            initialised: self.state.initialised_vus.load(Relaxed),
            max_vus: self.max_vus,
            complete,
            interrupted,
        };
        // Of several instances, one shows what all do.
        let all = self.joined.as_ref().and_then(|joined| joined.totals()).unwrap_or(own);
        let head = Head::Run {
            is_paused: self.state.is_paused(),
            elapsed: self.started.get().map_or(Duration::ZERO, Instant::elapsed),
            max_duration: self.max_duration,
            active: all.active,
            initialized: all.initialised,
            max_vus: all.max_vus,
            complete: all.complete,
            interrupted: all.interrupted,
        };
        let elapsed = self.started.get().map_or(Duration::ZERO, Instant::elapsed);
        let of_all = self.joined.as_ref().and_then(|joined| joined.scenarios());
        let scenarios = self.scenarios.iter().map(|line| {
            let of_all = of_all.as_ref().and_then(|all| all.iter().find(|scenario| scenario.name == line.name));
            line.view(elapsed, of_all.unwrap_or(&line.now()))
        });
        let scenarios = scenarios.collect();
        let figures = self.figures();
        let panel = lock(&self.latest).panel.clone();
        ProgressView { head, scenarios, figures, panel }
    }

    /// How the run is at this moment, for the process that observes it.
    pub fn moment(&self) -> Moment {
        let status = self.state.status();
        let made = self.state.initialised_vus.load(Relaxed);
        let stage = match status {
            RunStatus::Created | RunStatus::InitVus | RunStatus::InitExecutors | RunStatus::InitDone => {
                format!("making VUs, {made} of {}", self.planned_vus)
            }
            RunStatus::PausedBeforeRun => "paused".to_owned(),
            RunStatus::Started | RunStatus::Setup => "setup()".to_owned(),
            RunStatus::Running if self.state.is_paused() => "paused".to_owned(),
            RunStatus::Running => "running".to_owned(),
            RunStatus::Teardown => "teardown()".to_owned(),
            RunStatus::Ended | RunStatus::Interrupted | RunStatus::MarkedAsFailed => "ending".to_owned(),
        };
        let elapsed = self.started.get().map_or(Duration::ZERO, Instant::elapsed);
        let left = match status {
            status if status > RunStatus::Running => Some(Duration::ZERO),
            _ => self.scenarios.iter().map(|line| line.left_at(elapsed)).reduce(|a, b| Some(a?.max(b?))).flatten(),
        };
        Moment {
            stage,
            seconds: elapsed.as_secs_f64(),
            duration: self.duration.map(|duration| duration.as_secs_f64()),
            has_limit_only: self.has_limit_only,
            left: left.filter(|_| self.duration.is_some()).map(|left| left.as_secs_f64()),
            active_vus: self.state.active_vus.load(Relaxed),
            iterations: self.state.complete.load(Relaxed),
            figures: self.figures(),
        }
    }

    /// The latest figures, looked up twice a second.
    fn figures(&self) -> Option<RequestFigures> {
        if !self.is_live {
            return None;
        }
        let mut latest = lock(&self.latest);
        let since = latest.at.elapsed();
        if since >= FIGURES_INTERVAL {
            let look = |ledger: &mut Ledger| (ledger.live_figures(), self.has_panel.then(|| ledger.live_requests()));
            let all = self.joined.as_ref().filter(|joined| joined.state().conducts);
            let (now, panel) = match all {
                Some(joined) => joined.look(look).unwrap_or((None, None)),
                None => look(&mut lock(&self.ledger)),
            };
            latest.panel = panel.map(panel_of);
            let Some(now) = now else {
                latest.at = Instant::now();
                return None;
            };
            let per_second = (now.requests - latest.requests) / since.as_secs_f64();
            let figures = Some(RequestFigures { per_second, failed: now.failed, p95: now.p95 });
            let panel = latest.panel.take();
            *latest = LatestFigures { at: Instant::now(), requests: now.requests, figures, panel };
        }
        latest.figures
    }
}

/// What the panel shows of the ledger's figures.
fn panel_of(requests: LiveRequests) -> RequestPanel {
    let LiveRequests { latency, statistics, statuses, errors, dropped } = requests;
    let error = |group: ErrorGroup| {
        let code = if group.code.is_empty() { String::new() } else { format!("{}: ", group.code) };
        (format!("{code}{}", group.text), group.count)
    };
    RequestPanel {
        latency,
        statistics,
        statuses: statuses.into_iter().map(|(status, count)| (status.to_string(), count)).collect(),
        errors: errors.into_iter().map(error).collect(),
        dropped: dropped as u64,
    }
}

impl ScenarioView {
    /// How far it is here.
    fn now(&self) -> ScenarioReport {
        report(&self.facts, self.controls.as_deref(), self.vus)
    }

    fn view(&self, elapsed: Duration, now: &ScenarioReport) -> ScenarioLine {
        let duration = self.facts.progress.duration;
        let Some(spent) = now.spent else {
            let left = Span::from(self.start_time.saturating_sub(elapsed));
            let columns = vec!["waiting".to_owned(), left.fixed_width(Span::from(self.start_time))];
            let (name, status) = (self.name.clone(), ScenarioStatus::Waiting);
            return ScenarioLine { name, status, fraction: 0.0, columns, left: None };
        };
        let status = if now.finished {
            if now.cut { ScenarioStatus::Interrupted } else { ScenarioStatus::Done }
        } else if spent >= duration {
            ScenarioStatus::Stopping
        } else {
            ScenarioStatus::Running
        };
        let (name, fraction, columns) = (self.name.clone(), now.fraction(duration), self.columns(spent, now));
        let left = (status == ScenarioStatus::Running).then(|| self.left(spent, fraction)).flatten();
        ScenarioLine { name, status, fraction, columns, left }
    }

    /// How long it will still take at this time of the run, including the wait for its start.
    fn left_at(&self, elapsed: Duration) -> Option<Duration> {
        match self.facts.progress.spent() {
            None => Some(self.start_time.saturating_sub(elapsed) + self.facts.progress.duration),
            Some(_) if self.facts.progress.finished.load(Relaxed) => Some(Duration::ZERO),
            Some(spent) => self.left(spent, self.facts.progress.share()),
        }
    }

    /// How long it will still take: to the end of its time, or at the pace so far to the end of its iterations.
    fn left(&self, spent: Duration, fraction: f64) -> Option<Duration> {
        let most = self.facts.progress.duration.saturating_sub(spent);
        match self.facts.progress.total {
            None => Some(most),
            Some(_) if fraction <= 0.0 => None,
            Some(_) => Some(spent.mul_f64(((1.0 - fraction) / fraction).min(1e6)).min(most)),
        }
    }

    fn columns(&self, spent: Duration, now: &ScenarioReport) -> Vec<String> {
        let duration = self.facts.progress.duration;
        let whole = Span::from(duration);
        let fixed = |time: Duration| Span::from(time.min(duration)).fixed_width(whole);
        let time = if spent >= duration { whole.to_string() } else { format!("{}/{whole}", fixed(spent)) };
        let ScenarioReport { active, done, vus, .. } = *now;
        let total = now.total.unwrap_or(0);
        let padded = |number: u64, most: u64| format!("{number:0width$}", width = most.to_string().len());
        match &self.config {
            ExecutorConfig::ConstantVus { .. } => vec![format!("{vus} VUs"), time],
            ExecutorConfig::RampingVus { .. } => vec![format!("{}/{vus} VUs", padded(active, vus)), time],
            ExecutorConfig::SharedIterations { .. } => {
                let time = format!("{}/{whole}", fixed(spent));
                vec![format!("{vus} VUs"), time, format!("{}/{total} shared iters", padded(done, total))]
            }
            ExecutorConfig::PerVuIterations { iterations, .. } => {
                let iters = format!("{}/{total} iters, {iterations} per VU", padded(done, total));
                vec![format!("{vus} VUs"), time, iters]
            }
            ExecutorConfig::ExternallyControlled { duration, .. } => {
                let endless = || Span::from(spent).rounded(Span::from_nanos(100_000_000)).to_string();
                vec![format!("{}/{vus} VUs", padded(active, vus)), if duration.is_some() { time } else { endless() }]
            }
            ExecutorConfig::ConstantArrivalRate { rate, time_unit, max_vus, .. } => {
                arrival(now, *max_vus, time, *rate as f64 / time_unit.as_secs_f64())
            }
            ExecutorConfig::RampingArrivalRate { start_rate, time_unit, stages, max_vus, .. } => {
                let mut from = *start_rate as f64;
                let mut begin = Duration::ZERO;
                for stage in stages {
                    let to = stage.target as f64;
                    if spent < begin + stage.duration {
                        from += (to - from) * (spent - begin).as_secs_f64() / stage.duration.as_secs_f64();
                        break;
                    }
                    (from, begin) = (to, begin + stage.duration);
                }
                arrival(now, *max_vus, time, from / time_unit.as_secs_f64())
            }
        }
    }
}

/// How far a scenario is that is planned to have so many VUs, unless it was scaled.
pub(super) fn report(facts: &ScenarioFacts, controls: Option<&Controls>, vus: u64) -> ScenarioReport {
    let progress = &facts.progress;
    ScenarioReport {
        name: facts.name.to_string(),
        spent: progress.spent(),
        total: progress.total,
        done: progress.done.load(Relaxed),
        active: progress.active.load(Relaxed),
        running: progress.running.load(Relaxed),
        vus: controls.map_or(vus, |controls| controls.wanted().max_vus),
        finished: progress.finished.load(Relaxed),
        cut: progress.cut.load(Relaxed),
    }
}

fn arrival(now: &ScenarioReport, max_vus: u64, time: String, rate: f64) -> Vec<String> {
    let ScenarioReport { running, active, .. } = now;
    let width = max_vus.to_string().len();
    vec![format!("{running:0width$}/{active:0width$} VUs"), time, format!("{rate:.2} iters/s")]
}
