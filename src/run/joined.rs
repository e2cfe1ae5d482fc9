//! A run that other instances take part in: what it does for all, what it waits for, how their results become one.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{RunRequest, TestRun, view};
use crate::execution::RunStatus;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::join::{JoinState, Joined, JoinedRun, MemberReport, MemberStage, Severed};
use crate::log::Logger;
use crate::metrics::ledger::LedgerOptions;
use crate::metrics::{Ledger, LedgerDelta, Results};
use crate::options::Options;
use crate::report::Dashboard;
use crate::source::archive::ArchiveContents;
use crate::source::specifier::file_url;
use crate::summary::document::{self, RunEnd};
use crate::summary::merge::Merge;
use crate::units::sync::lock;

/// How long nobody is told who is waited for.
const AWAITED_DELAY: Duration = Duration::from_secs(5);
/// The name of the archive among what instances share.
pub const ARCHIVE: &str = "archive";
/// The name of what `setup()` returned.
const SETUP: &str = "setup";

/// What the results of all instances came to.
pub(super) enum Whole {
    /// There is one instance.
    Alone,
    /// One result of all; this instance reports it.
    Merged(Box<Merge>),
    /// Another instance reports it.
    HandedOver,
    /// The others could not be reached.
    Severed,
}

/// What others are given who come without a script; nothing where they bring it.
pub(super) fn archive(request: &RunRequest, configured: &Options) -> Option<ArchiveContents> {
    let joined = request.joined.as_ref().filter(|joined| !joined.has_their_script)?;
    let mut options = configured.to_archive_json();
    // Each has a part of its own.
    for own in ["executionSegment", "executionSegmentSequence"] {
        options.insert(own.to_owned(), serde_json::Value::Null);
    }
    Some(ArchiveContents {
        options,
        filename: request.script.main.module.url.to_string(),
        pwd: file_url(&request.cwd.to_string_lossy()),
        env: Some(joined.archive_env.clone()),
        compatibility_mode: if request.script.has_global { "extended" } else { "base" }.to_owned(),
        time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    })
}

impl TestRun {
    /// The way to the other instances, where there are any.
    pub(super) fn joined(&self) -> Option<&Arc<Joined>> {
        self.request.joined.as_ref().map(|joined| &joined.way)
    }

    /// Whether scenarios run here: a conductor may have none.
    pub(super) fn makes_load(&self) -> bool {
        self.joined().is_none_or(|joined| joined.instance().is_some())
    }

    /// Tells the others which test it is, and gives them the script.
    pub(super) async fn introduce(self: &Arc<Self>) -> Result<(), Failure> {
        let Some(joined) = self.joined() else { return Ok(()) };
        joined.identify(self.test_hash());
        self.ledger().keep_added();
        joined.attach(Some(self.clone()));
        if let Some(archive) = &self.archive {
            let tar = archive.pack(&self.request.script.main.files.all()).exit(ExitCode::Other)?;
            joined.get_or_create(ARCHIVE, &tar).await.map_err(|Severed| self.severed())?;
        }
        Ok(())
    }

    fn severed(&self) -> Failure {
        let shown = self.joined().map(|joined| joined.request().address.shown().to_owned()).unwrap_or_default();
        Failure::new(ExitCode::Incomplete, format!("`{shown}` can't be reached, the other instances are lost"))
    }

    /// Waits until all instances are ready.
    pub(super) async fn meet(&self) -> Result<(), Failure> {
        let Some(joined) = self.joined() else { return Ok(()) };
        joined.reach(MemberStage::Ready);
        let met = joined.until(|state| state.control.has_begun());
        let tell = async {
            tokio::time::sleep(AWAITED_DELAY).await;
            if joined.state().conducts {
                self.log.info(format!("waiting for {}", joined.awaited().join(", ")));
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            met = met => met.map(|_| ()).map_err(|Severed| self.severed()),
            () = tell => Ok(()),
            () = self.state.until_aborted() => Ok(()),
        }
    }

    /// Runs `setup()` once for all instances, and waits for the moment at which all begin.
    pub(super) async fn set_up_for_all(&self) -> Result<(), Failure> {
        let Some(joined) = self.joined() else { return self.set_up().await };
        // Waiting is no part of the test.
        self.state.hold_clock();
        let mut was_asked = false;
        let start_at = loop {
            let is_asked = |state: &JoinState| {
                let own = joined.instance().map(|instance| instance.index);
                own.is_some() && state.control.set_up_by == own
            };
            let is_there = |state: &JoinState| {
                state.control.start_at.is_some() || state.control.abort.is_some() || (!was_asked && is_asked(state))
            };
            let state = tokio::select! {
                state = joined.until(is_there) => state.map_err(|Severed| self.severed())?,
                () = self.state.until_aborted() => return Err(self.abort_failure()),
            };
            if let Some(abort) = &state.control.abort {
                return Err(abort.failure());
            }
            if let Some(start_at) = state.control.start_at {
                break start_at;
            }
            was_asked = true;
            if let Err(failure) = self.in_test_time(self.set_up()).await {
                // The others learn of it as of any other end.
                self.state.abort(failure.clone());
                return Err(failure);
            }
            let data = self.script.setup_data().unwrap_or_default();
            joined.put(SETUP, data.as_bytes()).await.map_err(|Severed| self.severed())?;
            joined.reach(MemberStage::SetUp);
        };
        if self.makes_load() {
            let data = joined.wait_for(SETUP).await.map_err(|Severed| self.severed())?;
            let data = String::from_utf8_lossy(&data).into_owned();
            *lock(&self.script.setup_data) = Some(data).filter(|data| !data.is_empty()).map(Into::into);
        }
        tokio::select! {
            () = tokio::time::sleep_until(joined.instant(start_at).into()) => {}
            () = self.state.until_aborted() => {}
        }
        self.state.resume_clock();
        if !(was_asked && self.exports.has("setup")) {
            // Charts begin with the load.
            self.ledger().begin();
        }
        joined.reach(MemberStage::Running);
        Ok(())
    }

    /// What is a part of the test while the rest is waiting for others.
    async fn in_test_time(&self, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
        self.state.resume_clock();
        let result = work.await;
        self.state.hold_clock();
        result
    }

    fn abort_failure(&self) -> Failure {
        self.state.aborted().map_or_else(super::signals::stopped_at_once, |abort| abort.failure)
    }

    /// A signal has ended this instance, and the others go on.
    fn leaves_alone(&self, state: &JoinState) -> bool {
        let is_signal = self.state.aborted().is_some_and(|abort| abort.failure.code == ExitCode::ExternalAbort);
        is_signal && state.control.abort.is_none() && !state.conducts
    }

    /// Waits until the scenarios of all instances are over, and runs `teardown()` once for all.
    pub(super) async fn tear_down_for_all(&self) -> Result<(), Failure> {
        let Some(joined) = self.joined() else { return self.tear_down().await };
        self.state.hold_clock();
        if self.leaves_alone(&joined.state()) {
            return Ok(());
        }
        if self.makes_load() {
            joined.reach(MemberStage::Done);
        }
        let own = joined.instance().map(|instance| instance.index);
        let is_asked = |state: &JoinState| own.is_some() && state.control.torn_down_by == own;
        let over = |state: &JoinState| state.control.collects;
        match joined.until(|state| over(state) || is_asked(state) || self.leaves_alone(state)).await {
            Ok(state) if over(&state) || self.leaves_alone(&state) => Ok(()),
            Ok(_) => {
                let torn_down = self.in_test_time(self.tear_down()).await;
                joined.reach(MemberStage::TornDown);
                _ = joined.until(over).await;
                torn_down
            }
            // Nobody can say who does it: the first one does.
            Err(Severed) if own == Some(0) => self.in_test_time(self.tear_down()).await,
            Err(Severed) => Ok(()),
        }
    }

    /// Hands over the results of this instance; where this process conducts, takes those of all.
    pub(super) async fn come_together(&self, results: &Results, ended: &Result<(), Failure>) -> Whole {
        let Some(joined) = self.joined() else { return Whole::Alone };
        match self.exchange_results(joined, results, ended).await {
            Ok(whole) => whole,
            Err(Severed) => Whole::Severed,
        }
    }

    async fn exchange_results(
        &self,
        joined: &Joined,
        results: &Results,
        ended: &Result<(), Failure>,
    ) -> Result<Whole, Severed> {
        let state = joined.state();
        if self.leaves_alone(&state) {
            joined.hand_over(self.part(results, ended.as_ref().err().into())).await?;
            // Two ticks, so that the end is heard.
            tokio::time::sleep(Duration::from_millis(600)).await;
            return Ok(Whole::HandedOver);
        }
        if self.makes_load() {
            joined.reach(MemberStage::Done);
        }
        let state = joined.until(|state| state.control.collects || self.leaves_alone(state)).await?;
        // What ended the whole, and what the conductor says by itself, is no fault of a part.
        let is_told = state.control.abort.is_some() || state.conducts || self.state.marked_as_failed.load(Relaxed);
        let own = ended.as_ref().err().filter(|_| !is_told);
        joined.hand_over(self.part(results, own.into())).await?;
        let state = joined.until(|state| state.control.is_over || (state.conducts && state.is_complete)).await?;
        if state.control.is_over {
            return Ok(Whole::HandedOver);
        }
        let merged = self.merge(joined, ended).await?;
        if joined.has_been_reported() {
            return Ok(Whole::HandedOver);
        }
        Ok(match merged {
            Some(merged) => Whole::Merged(Box::new(merged)),
            None => {
                joined.finish().await;
                Whole::Alone
            }
        })
    }

    /// The document of this instance, packed.
    fn part(&self, results: &Results, end: RunEnd) -> Vec<u8> {
        let facts = self.facts_of_part(Some(end));
        let text = document::build(results, &self.render_options(), &facts, true).for_file(0);
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        // Writing to memory does not fail.
        _ = packer.write_all(text.as_bytes());
        packer.finish().unwrap_or_default()
    }

    /// Keeps the result of an instance that has lost the others; how it ends.
    pub(super) fn keep_own_result(
        &self,
        results: &Results,
        ended: Result<(), Failure>,
        dashboard: Option<&Dashboard>,
    ) -> Result<(), Failure> {
        let Some(joined) = self.joined() else { return ended };
        let severed = self.severed();
        let Some(instance) = joined.instance() else { return ended.and(Err(severed)) };
        let facts = self.facts_of_part(Some(ended.as_ref().err().into()));
        let is_written = self.write_reports(results, &facts, None, dashboard);
        if let Some(name) = self.reports.json_file() {
            if is_written {
                self.log.warn(format!(
                    "the result of instance {instance} is in `{name}`: `volley merge` makes one of the results of all"
                ));
            }
            return ended.and(Err(severed));
        }
        let run = joined.request().address.run();
        let name = format!("{run}-{}-of-{}.json", instance.number(), instance.of);
        let text = document::build(results, &self.render_options(), &facts, true).for_file(1);
        if self.write(&name, text.as_bytes()) {
            let all = format!("{run}-*-of-{}.json", instance.of);
            self.log.warn(format!(
                "the result of instance {instance} is in `{name}`: `volley merge {all}` makes one of all"
            ));
        }
        ended.and(Err(severed))
    }

    /// How the process ends that reports the result of all.
    pub(super) fn ending_of_all(&self, ended: Result<(), Failure>, merged: &Merge) -> Result<(), Failure> {
        ended?;
        match &merged.facts.end {
            Some(RunEnd { code, reason: Some(reason) }) => {
                Err(Failure::new(ExitCode::of_number(*code), reason.clone()))
            }
            _ => Ok(()),
        }
    }

    /// How the process of an instance ends whose result another one reports: only its own fault is one here.
    pub(super) fn ending_of_part(&self, ended: Result<(), Failure>) -> Result<(), Failure> {
        let Some(joined) = self.joined() else { return ended };
        let Some(instance) = joined.instance() else { return ended };
        self.log.info(format!("instance {instance} has handed over its result"));
        let control = joined.state().control;
        // What ended the whole is told by the one that reports it; where nothing was run, nobody has done his part.
        let is_of_all = |failure: &Failure| {
            control.set_up_by.is_some() && control.abort.as_ref().is_some_and(|abort| abort.message == failure.message)
        };
        ended.or_else(|failure| if is_of_all(&failure) { Ok(()) } else { Err(failure) })
    }
}

impl JoinedRun for TestRun {
    fn report(&self, report: &mut MemberReport) {
        report.active = self.state.active_vus.load(Relaxed);
        report.initialised = self.state.initialised_vus.load(Relaxed);
        report.max_vus = if self.makes_load() { self.plan.max_vus() } else { 0 };
        (report.complete, report.interrupted) = self.state.iterations();
        report.elapsed = self.state.elapsed();
        if self.makes_load() {
            let scenarios = self.scenarios.iter().map(|planned| {
                let vus = planned.scenario.max_planned_vus(&self.share);
                view::report(&planned.facts, planned.controls.as_deref(), vus)
            });
            report.scenarios = scenarios.collect();
        }
        report.is_held = self.state.is_paused() && self.state.status() < RunStatus::Started;
        report.marked_as_failed = self.state.marked_as_failed.load(Relaxed);
        report.abort = self.state.aborted().map(|abort| (&abort.failure).into());
    }

    fn take_added(&self, whole: bool) -> LedgerDelta {
        self.ledger().take_added(whole)
    }

    fn fresh_ledger(&self) -> Ledger {
        let options = LedgerOptions {
            watched: self.watched.clone(),
            system_tags: self.script.system_tags,
            ..LedgerOptions::default()
        };
        Ledger::new(self.script.registry.clone(), options, Logger::silent())
    }

    fn abort(&self, failure: Failure) {
        self.state.abort(failure);
    }

    fn pause(&self, paused: bool) {
        // Where it can't be, it could not be where it was asked for.
        _ = self.pause_here(paused);
    }

    fn scale(&self, vus: Option<i64>, vus_max: Option<i64>) {
        _ = self.scale_here(vus, vus_max);
    }

    fn checkpoint(&self, whole: bool) -> (Vec<u8>, LedgerDelta) {
        let (results, added) = {
            let mut ledger = self.ledger();
            ledger.sort();
            (ledger.snapshot(self.state.elapsed()), ledger.take_added(whole))
        };
        let reason = format!("it was lost, these are its numbers of {}", jiff::Timestamp::now());
        (self.part(&results, RunEnd { code: ExitCode::Other as u8, reason: Some(reason) }), added)
    }
}
