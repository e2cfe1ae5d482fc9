//! What the REST API may ask of a run and do to it, see [`RunControl`].

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::{BoxFuture, FutureExt};

use super::TestRun;
use crate::api::{self, ControlError, RunCondition, RunControl, Server};
use crate::execution::RunStatus;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::metrics::{Ledger, Results};
use crate::net::origin::OriginCheck;
use crate::units::sync::lock;

impl TestRun {
    /// Opens the REST API, where one was asked for. An address from a variable that can't be had is a warning: a job
    /// that sets it for all its tests may run two at a time.
    pub(super) fn open_api(self: &Arc<Self>) -> Result<Option<Server>, Failure> {
        let Some(address) = &self.request.address else { return Ok(None) };
        let listener = match api::listen(&address.at) {
            Ok(listener) => listener,
            Err(failure) if address.is_flag => return Err(failure),
            Err(failure) => {
                self.log.warn(failure.message);
                return Ok(None);
            }
        };
        let host = address.at.rsplit_once(':').map_or(&*address.at, |(host, _)| host);
        let check = OriginCheck::new(&listener, host).exit(ExitCode::Other)?;
        let at = check.address();
        if check.is_beyond_loopback() {
            self.log.warn(format!(
                "the REST API listens on {at}, beyond this machine: whoever reaches it can read the run's metrics and \
                 setup data, and pause, change or stop it"
            ));
        } else {
            self.log.debug(format!("the REST API listens on {at}"));
        }
        let server = Server::start(listener, check, self.clone())?;
        Ok(Some(server))
    }

    /// Waits until the run may begin.
    pub(super) async fn until_resumed(&self) {
        tokio::select! {
            () = self.state.until_resumed() => {}
            () = self.state.until_aborted() => {}
        }
    }

    /// Holds this instance or lets it go on.
    pub(super) fn pause_here(&self, paused: bool) -> Result<(), ControlError> {
        let refused = |detail: String| Err(ControlError { title: "Pause error", detail });
        let waits = self.state.status() < RunStatus::Started && self.state.is_paused();
        if waits {
            if paused {
                return refused("execution is already paused".to_owned());
            }
            self.state.set_paused(false);
            return Ok(());
        }
        // All scenarios can be held, or none is.
        for planned in &self.scenarios {
            if planned.controls.is_none() {
                let (kind, name) = (planned.scenario.executor.word(), &planned.scenario.name);
                return refused(format!(
                    "{kind} executor '{name}' doesn't support pause and resume operations after its start"
                ));
            }
        }
        for controls in self.scenarios.iter().filter_map(|planned| planned.controls.as_ref()) {
            controls.pause(paused);
        }
        self.state.set_paused(paused);
        Ok(())
    }

    /// Changes the VUs of this instance's part of an externally-controlled scenario.
    pub(super) fn scale_here(&self, vus: Option<i64>, vus_max: Option<i64>) -> Result<(), ControlError> {
        let refused = |detail: String| ControlError { title: "Execution config error", detail };
        let count = |value: Option<i64>| {
            let wrong = |_| refused("the number of VUs can't be negative".to_owned());
            value.map(u64::try_from).transpose().map_err(wrong)
        };
        let (vus, vus_max) = (count(vus)?, count(vus_max)?);
        match self.scenarios.iter().find(|planned| planned.controls.is_some()) {
            Some(planned) => planned.scale(vus, vus_max).map_err(refused),
            None => Err(refused("live VU configuration updates are not supported".to_owned())),
        }
    }

    /// Looks at what all instances have measured, where this one conducts.
    fn of_all<T>(&self, look: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
        self.joined().filter(|joined| joined.state().conducts)?.look(look)
    }

    fn put_data(&self, json: Option<Arc<str>>) {
        *lock(&self.script.setup_data) = json;
    }
}

impl RunControl for TestRun {
    fn condition(&self) -> RunCondition {
        let status = self.state.status();
        // Of several instances, one says what all do.
        let all = self.joined().and_then(|joined| joined.totals());
        let own = || (self.state.active_vus.load(Relaxed), self.state.initialised_vus.load(Relaxed));
        let (vus, vus_max) = all.map_or_else(own, |all| (all.active, all.initialised));
        RunCondition {
            status,
            is_paused: self.state.is_paused(),
            vus,
            vus_max,
            is_stopped: self.state.is_stopped(),
            is_running: (RunStatus::Started..=RunStatus::Teardown).contains(&status),
            is_tainted: self.of_all(|ledger| ledger.is_tainted()).unwrap_or_else(|| self.ledger().is_tainted()),
        }
    }

    fn results(&self) -> Results {
        let duration = self.state.elapsed();
        self.of_all(|ledger| ledger.snapshot(duration)).unwrap_or_else(|| self.ledger().snapshot(duration))
    }

    fn stop(&self) {
        self.state.request_stop();
        // A run that is over and only waits keeps its result.
        if self.state.status() < RunStatus::Ended {
            self.state.abort_with(ExitCode::StoppedByApi, "test run stopped from REST API");
        }
    }

    fn pause(&self, paused: bool) -> Result<(), ControlError> {
        self.pause_here(paused)?;
        if let Some(joined) = self.joined() {
            joined.order_pause(paused);
        }
        Ok(())
    }

    fn scale(&self, vus: Option<i64>, vus_max: Option<i64>) -> Result<(), ControlError> {
        self.scale_here(vus, vus_max)?;
        if let Some(joined) = self.joined() {
            joined.order_scale(vus, vus_max);
        }
        Ok(())
    }

    fn setup_data(&self) -> Option<Arc<str>> {
        self.script.setup_data()
    }

    fn put_setup_data(&self, json: Option<Arc<str>>) {
        self.put_data(json);
    }

    fn set_up(self: Arc<Self>) -> BoxFuture<'static, Result<(), Failure>> {
        async move {
            let data = if self.exports.has("setup") { self.run_setup().await? } else { None };
            self.put_data(data);
            Ok(())
        }
        .boxed()
    }

    fn tear_down(self: Arc<Self>) -> BoxFuture<'static, Result<(), Failure>> {
        async move { if self.exports.has("teardown") { self.run_teardown().await } else { Ok(()) } }.boxed()
    }
}
