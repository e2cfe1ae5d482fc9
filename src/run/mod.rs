//! One run, from a script to an exit code.
//!
//! [`conduct`] reads like its programme: evaluate the script, prepare the run, open what is written, go through the
//! [`stages`], wrap up. What was measured is reported, whatever ends the run; the [`first_failure`] decides the
//! exit code. Commands that run no test end with [`evaluate()`].

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::execution::{Pool, RunState, RunStatus};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::join::MemberStage;
use crate::js::runtime::worker::WorkerThreads;
use crate::js::{Exports, Script, VuSet};
use crate::log::Logger;
use crate::metrics::Ledger;
use crate::metrics::threshold::MetricThresholds;
use crate::options::{Options, Plan, Share};
use crate::report::Dashboard;
use crate::source::archive::ArchiveContents;
use crate::ui::progress::Ticker;
use crate::units::sync::lock;

mod control;
mod evaluate;
mod first_failure;
mod generator_health;
mod heartbeat;
mod joined;
mod merged_summary;
mod module;
mod network;
mod observe;
mod outputs;
mod prepare;
mod reports;
mod request;
mod scenarios;
pub mod script_check;
mod signals;
mod single_iteration;
mod stages;
mod thresholds;
mod view;
mod whole;
mod wrap_up;

pub use evaluate::evaluate;
pub use joined::ARCHIVE;
pub use merged_summary::{MergedSummary, handle_merged_summary};
pub use module::DataModule;
pub use observe::{ASK_DOCUMENT, ASK_MOMENT, Moment};
pub use reports::Reports;
pub use request::{Address, JoinedInstances, Linger, RunRequest, ScriptRequest};

use evaluate::ScriptContext;
use generator_health::GeneratorHealth;
use reports::ReportPlan;
use scenarios::PlannedScenario;
use signals::Signals;
use stages::RunStages;
use view::LiveView;

/// The k6 whose behaviour this is.
pub const K6_VERSION: &str = "2.3.0";

/// Runs a script to its end.
///
/// # Errors
/// The failure that the process ends with.
pub fn execute(request: RunRequest) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
    let joined = request.joined.as_ref().map(|joined| joined.way.clone());
    let result = runtime.block_on(async {
        let signals = Signals::listen()?;
        conduct(request, signals).await
    });
    if let Some(joined) = joined {
        if let (Err(failure), true) = (&result, joined.stage() < MemberStage::Ended) {
            joined.give_up(failure);
        }
        joined.leave();
    }
    // Tasks that still wait belong to a run that is over.
    runtime.shutdown_background();
    result
}

async fn conduct(request: RunRequest, mut signals: Signals) -> Result<(), Failure> {
    let context = ScriptContext::new(&request.script);
    let exports = tokio::select! {
        exports = context.evaluate(&request.script) => exports?,
        // Code at the top of a script may go on for ever.
        failure = signals.first() => return Err(failure),
    };
    let run = Arc::new(TestRun::prepare(request, context, exports)?);
    tokio::select! {
        introduced = run.introduce() => introduced?,
        failure = signals.first() => return Err(failure),
    }
    let api = run.open_api()?;
    let outputs = run.open_outputs()?;
    let dashboard = run.open_dashboard()?;
    run.announce(&outputs, dashboard.as_ref());
    let view = LiveView::new(&run);
    observe::start(&run, &view);
    let mut progress = run.show_progress(&view);
    let mut stages = RunStages::new(&run, view);
    tokio::select! {
        () = stages.run() => {}
        () = run.heartbeat() => {}
        () = run.measure_scheduling_delay() => {}
        () = signals.watch(&run.state, &run.log) => return Err(stages.give_up()),
    }
    #[cfg(feature = "browser")]
    crate::js::modules::k6::browser::close(&run.script).await;
    progress.pause();
    let ended = tokio::select! {
        ended = run.wrap_up(outputs, stages.finish(), dashboard.as_ref()) => ended,
        () = signals.second_of(&run) => return Err(signals::stopped_at_once()),
    };
    if let Some(api) = api {
        api.stop();
    }
    progress.finish();
    run.until_dashboard_closed(dashboard, &mut signals).await;
    ended
}

/// The run with all that belongs to it, once its options are known.
struct TestRun {
    request: RunRequest,
    options: Options,
    scenarios: Vec<PlannedScenario>,
    plan: Plan,
    share: Share,
    exports: Exports,
    script: Arc<Script>,
    workers: Arc<WorkerThreads>,
    vus: Arc<VuSet>,
    pool: Arc<Pool>,
    ledger: Arc<Mutex<Ledger>>,
    /// The number of the next VU made beyond the plan.
    next_vu: Arc<AtomicU64>,
    state: Arc<RunState>,
    log: Logger,
    /// Thresholds, for what all instances measure; only where others take part.
    watched: Vec<MetricThresholds>,
    /// What others are given who come without a script.
    archive: Option<ArchiveContents>,
    reports: ReportPlan,
    health: GeneratorHealth,
    started: jiff::Timestamp,
}

impl TestRun {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    /// Starts the browser that a scenario asks for.
    #[cfg(feature = "browser")]
    async fn start_browser(&self) {
        use crate::js::modules::k6::browser::{is_asked_by, start_early};
        if self.scenarios.iter().any(|planned| is_asked_by(planned.scenario.options.as_ref())) {
            tokio::select! {
                () = start_early(&self.script) => {}
                () = self.state.until_aborted() => {}
            }
        }
    }

    /// The status of a run that has gone through all its stages.
    fn final_status(&self) -> RunStatus {
        if self.state.is_aborted() {
            RunStatus::Interrupted
        } else if self.state.marked_as_failed.load(Relaxed) {
            RunStatus::MarkedAsFailed
        } else {
            RunStatus::Ended
        }
    }

    fn show_progress(&self, view: &Arc<LiveView>) -> Ticker {
        let view = view.clone();
        let (terminal, mode) = (self.request.terminal.clone(), self.request.progress);
        Ticker::start(terminal, self.request.quiet, mode, move || view.view())
    }

    /// A dashboard with an open page stays until that is closed, or a signal comes.
    async fn until_dashboard_closed(&self, dashboard: Option<Dashboard>, signals: &mut Signals) {
        let Some(mut dashboard) = dashboard.filter(Dashboard::is_watched) else { return };
        if self.state.is_aborted() {
            return;
        }
        self.log.info(format!("the web dashboard stays at {} until its page is closed", dashboard.url));
        tokio::select! {
            () = dashboard.until_unwatched() => {}
            _ = signals.next() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_version_is_said_everywhere() {
        assert!(crate::output::USER_AGENT.ends_with(&format!("(k6/{} compatible)", super::K6_VERSION)));
    }
}
