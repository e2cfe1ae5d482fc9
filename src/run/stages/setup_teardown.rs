//! `setup()` and `teardown()`: each in a VU of its own, with a time limit.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::execution::STOP_TIMEOUT;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::js::{JsVu, VuSet};
use crate::run::{TestRun, signals};
use crate::units::Span;
use crate::units::sync::lock;

/// How long setup and teardown may take unless options say otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// What may take how long.
pub(in crate::run) struct TimeLimit {
    /// What runs, as in `setup()`.
    pub name: &'static str,
    /// How long it may take.
    pub timeout: Duration,
    /// The option that says so.
    pub option: &'static str,
    /// The code of a run in which it took longer.
    pub code: ExitCode,
    /// Whether it ends when the run is stopped.
    pub stops_with_run: bool,
}

impl TestRun {
    /// Runs `setup()` once and keeps what it returns.
    pub(in crate::run) async fn set_up(&self) -> Result<(), Failure> {
        if !self.exports.has("setup") || self.options.no_setup.unwrap_or_default() {
            return Ok(());
        }
        let data = self.run_setup().await?;
        *lock(&self.script.setup_data) = data;
        Ok(())
    }

    /// Runs `setup()`; what it returned, as JSON.
    pub(in crate::run) async fn run_setup(&self) -> Result<Option<Arc<str>>, Failure> {
        let limit = TimeLimit {
            name: "setup()",
            timeout: self.options.setup_timeout.map_or(DEFAULT_TIMEOUT, Span::to_duration),
            option: "setupTimeout",
            code: ExitCode::SetupTimeout,
            stops_with_run: true,
        };
        let data = self.with_own_vu(limit, |vu| async move { vu.setup().await }).await?;
        Ok(data.map(Into::into))
    }

    /// Runs `teardown()` once, also when the run was stopped.
    pub(in crate::run) async fn tear_down(&self) -> Result<(), Failure> {
        if !self.exports.has("teardown") || self.options.no_teardown.unwrap_or_default() {
            return Ok(());
        }
        self.run_teardown().await
    }

    /// Runs `teardown()`.
    pub(in crate::run) async fn run_teardown(&self) -> Result<(), Failure> {
        let limit = TimeLimit {
            name: "teardown()",
            timeout: self.options.teardown_timeout.map_or(DEFAULT_TIMEOUT, Span::to_duration),
            option: "teardownTimeout",
            code: ExitCode::TeardownTimeout,
            stops_with_run: false,
        };
        self.with_own_vu(limit, |vu| async move { vu.teardown().await }).await
    }

    /// Runs `work` in a VU of its own; when its time is over, the VU is stopped.
    pub(in crate::run) async fn with_own_vu<T, F>(
        &self,
        limit: TimeLimit,
        work: impl FnOnce(Rc<JsVu>) -> F + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + 'static,
    {
        let (stop_tx, mut stop_rx) = tokio::sync::watch::channel(None);
        let give_stop = move |stop| _ = stop_tx.send_replace(Some(stop));
        let running = VuSet::with_own_vu(&self.workers, &self.script, give_stop, work);
        tokio::pin!(running);
        let aborted = async {
            if limit.stops_with_run {
                self.state.until_aborted().await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let is_overdue = tokio::select! {
            result = &mut running => return result,
            () = tokio::time::sleep(limit.timeout) => true,
            () = aborted => false,
        };
        if let Ok(stop) = stop_rx.wait_for(Option::is_some).await
            && let Some(stop) = &*stop
        {
            stop.raise();
        }
        // It ends at its next chance; its own error is only that it was stopped.
        _ = tokio::time::timeout(STOP_TIMEOUT, running).await;
        if is_overdue {
            let seconds = limit.timeout.as_secs_f64().trunc();
            let text = format!("{} execution timed out after {seconds:.0} seconds", limit.name);
            let hint = format!("You can increase the time limit via the {} option", limit.option);
            return Err(Failure::new(limit.code, text).hint(hint));
        }
        Err(self.state.aborted().map_or_else(signals::stopped_at_once, |abort| abort.failure))
    }
}
