//! The stages of a run, in the order in which they happen: make the VUs, wait to be resumed, `setup()`, scenarios,
//! `teardown()`, linger.

use std::sync::Arc;

use super::TestRun;
use super::first_failure::FirstFailure;
use super::view::LiveView;
use crate::execution::RunStatus;
use crate::failure::Failure;

mod init_vus;
mod linger;
mod setup_teardown;

pub(super) use setup_teardown::TimeLimit;

/// Where a run is among its stages, and the first failure of one.
pub(super) struct RunStages<'r> {
    run: &'r TestRun,
    view: Arc<LiveView>,
    failure: FirstFailure,
}

impl<'r> RunStages<'r> {
    pub fn new(run: &'r TestRun, view: Arc<LiveView>) -> Self {
        Self { run, view, failure: FirstFailure::default() }
    }

    /// Goes through all stages. Once a VU was made, only an abort returns early: what was measured is always reported.
    pub async fn run(&mut self) {
        let run = self.run;
        self.enter(RunStatus::InitVus);
        if run.makes_load() {
            self.failure.note(run.init_vus().await);
        }
        self.enter(RunStatus::InitDone);
        if run.state.is_paused() && !run.state.is_aborted() {
            self.enter(RunStatus::PausedBeforeRun);
            run.until_resumed().await;
        }
        if run.state.is_aborted() || !self.failure.note(run.meet().await) || run.state.is_aborted() {
            return;
        }
        self.enter(RunStatus::Started);
        self.enter(RunStatus::Setup);
        if self.failure.note(run.set_up_for_all().await) {
            self.enter(RunStatus::Running);
            if run.makes_load() {
                #[cfg(feature = "browser")]
                run.start_browser().await;
                self.failure.note(run.run_scenarios().await);
            }
            self.enter(RunStatus::Teardown);
            self.failure.note(run.tear_down_for_all().await);
        }
        self.end();
        run.linger().await;
    }

    /// The run goes on to its next stage.
    fn enter(&self, status: RunStatus) {
        self.run.chart_vus(std::time::Instant::now());
        if status == RunStatus::Started {
            self.run.ledger().begin();
        } else if status >= RunStatus::Ended {
            let mut ledger = self.run.ledger();
            self.run.health.record(&mut ledger);
            ledger.end();
        }
        self.view.enter(status);
    }

    /// All stages are over, or are given up.
    fn end(&self) {
        self.enter(self.run.final_status());
    }

    /// What the stages came to.
    pub fn finish(self) -> FirstFailure {
        self.end();
        self.failure
    }

    /// Ends at once, as a second signal asks; the failure of the run.
    pub fn give_up(self) -> Failure {
        self.end();
        self.run.state.aborted().map_or_else(super::signals::stopped_at_once, |abort| abort.failure)
    }
}
