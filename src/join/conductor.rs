//! What the conductor decides from what the instances say: when to begin, who is lost, whether thresholds end the test, when all is done.

use std::time::{Duration, Instant};

use super::words::{Control, DeltaFrame, MemberReport, MemberStage, PauseOrder, ScaleOrder, ScenarioReport};
use super::{JoinRequest, OnLoss};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Logger;
use crate::metrics::{Ledger, Stamp, delta};
use crate::units::Span;

/// An instance of which nothing is heard any more for this long, after what it said last has expired, is lost.
const LOSS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long before the common start everybody is told of it, in microseconds.
const START_DELAY: u64 = 1_000_000;
/// How often merged thresholds are judged.
const JUDGE_INTERVAL: Duration = Duration::from_secs(1);

/// What is known of one instance.
#[derive(Clone, Debug, Default)]
struct KnownMember {
    report: Option<MemberReport>,
    absent_since: Option<Instant>,
    is_lost: bool,
    /// The number of the frame that comes next.
    next_frame: u64,
}

/// The state of one who conducts.
pub(super) struct Conductor {
    of: u64,
    timeout: Duration,
    on_loss: OnLoss,
    logger: Logger,
    waits_since: Instant,
    members: Vec<KnownMember>,
    /// What holds for all.
    pub control: Control,
    ledger: Option<Ledger>,
    judged: Instant,
}

/// What all instances do, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// VUs at work.
    pub active: u64,
    /// VUs that are ready.
    pub initialised: u64,
    /// The most VUs there may be.
    pub max_vus: u64,
    /// Iterations that ended.
    pub complete: u64,
    /// Iterations that were cut.
    pub interrupted: u64,
}

impl Conductor {
    pub(super) fn new(request: &JoinRequest, logger: Logger) -> Self {
        let now = Instant::now();
        Self {
            of: request.of,
            timeout: request.timeout,
            on_loss: request.on_loss,
            logger,
            waits_since: now,
            members: vec![KnownMember::default(); usize::try_from(request.of).unwrap_or_default()],
            control: Control::default(),
            ledger: None,
            judged: now,
        }
    }

    /// Conducts from now on, from where `last` left off, of whom nothing was heard since.
    pub(super) fn take_over(&mut self, last: &Control, by: Option<u64>, silent_since: Instant) {
        self.control = Control { term: last.term + 1, by, beat: 0, epoch: last.epoch + 1, ..last.clone() };
        self.ledger = None;
        for (at, member) in self.members.iter_mut().enumerate() {
            // The one before is lost if it does not answer now.
            let absent_since = (last.by == Some(at as u64)).then_some(silent_since);
            let is_lost = last.lost.contains(&(at as u64));
            *member = KnownMember { is_lost, absent_since, ..KnownMember::default() };
        }
    }

    /// The connection was gone: nobody could be heard.
    pub(super) fn forgive(&mut self) {
        self.members.iter_mut().for_each(|member| member.absent_since = None);
    }

    fn name(&self, at: usize) -> String {
        format!("instance {}/{}", at + 1, self.of)
    }

    /// Hears how every instance is; `None` where nothing is heard.
    pub(super) fn hear(&mut self, now: Instant, reports: Vec<Option<MemberReport>>) {
        let has_begun = self.control.set_up_by.is_some();
        for (at, report) in reports.into_iter().enumerate().take(self.members.len()) {
            let name = self.name(at);
            let member = &mut self.members[at];
            let Some(report) = report else {
                let since = *member.absent_since.get_or_insert(now);
                let has_ended = member.report.as_ref().is_some_and(|report| report.stage == MemberStage::Ended);
                if !has_begun {
                    member.report = None;
                } else if !has_ended && !member.is_lost && now - since >= LOSS_TIMEOUT {
                    member.is_lost = true;
                    self.logger.error(format!("{name} is lost: nothing is heard of it any more"));
                    if self.on_loss == OnLoss::Stop {
                        let text = format!("{name} was lost, and `--on-loss stop` ends the test then");
                        self.abort(&Failure::new(ExitCode::ExternalAbort, text));
                    }
                }
                continue;
            };
            if std::mem::take(&mut member.is_lost) {
                self.logger.warn(format!("{name} is heard again"));
            }
            member.absent_since = None;
            let abort = report.abort.clone();
            member.report = Some(report);
            if let Some(mut abort) = abort.filter(|_| self.control.abort.is_none()) {
                if self.control.by != Some(at as u64) {
                    abort.message = format!("{name}: {}", abort.message);
                }
                self.control.abort = Some(abort);
            }
        }
        let lost = self.members.iter().enumerate().filter(|(_, member)| member.is_lost);
        self.control.lost = lost.map(|(at, _)| at as u64).collect();
    }

    /// Ends the test; the first reason counts.
    pub(super) fn abort(&mut self, failure: &Failure) {
        self.control.abort.get_or_insert_with(|| failure.into());
    }

    /// Passes on what was ordered here.
    pub(super) fn order(&mut self, pause: PauseOrder, scale: ScaleOrder) {
        if pause.number > self.control.pause.number {
            self.control.pause = pause;
        }
        if scale.number > self.control.scale.number {
            self.control.scale = scale;
        }
    }

    /// Those that are not lost, with where they are.
    fn living(&self) -> impl Iterator<Item = (u64, MemberStage)> {
        let living = self.members.iter().enumerate().filter(|(_, member)| !member.is_lost);
        living
            .map(|(at, member)| (at as u64, member.report.as_ref().map_or(MemberStage::Joining, |report| report.stage)))
    }

    /// Where those are that the end waits for: where the test never began, those that were ready for it.
    fn awaits(&self) -> impl Iterator<Item = MemberStage> {
        let never_began = self.control.set_up_by.is_none() && self.control.abort.is_some();
        let living = self.living().map(|(_, stage)| stage);
        living.filter(move |stage| !never_began || *stage >= MemberStage::Ready)
    }

    /// The first living one that has come so far, and no further than that it can still be asked.
    fn first(&self, from: MemberStage) -> Option<u64> {
        self.living().find(|(_, stage)| *stage >= from && *stage < MemberStage::Ended).map(|(at, _)| at)
    }

    fn has(&self, at: Option<u64>, stage: MemberStage) -> bool {
        self.living().any(|(known, reached)| Some(known) == at && reached >= stage)
    }

    fn is_lost(&self, at: Option<u64>) -> bool {
        at.is_some_and(|at| !self.living().any(|(known, _)| known == at))
    }

    /// Goes on to what comes next; `clock` is the server's, in microseconds.
    pub(super) fn decide(&mut self, now: Instant, clock: u64) {
        self.control.beat += 1;
        if self.control.set_up_by.is_none() {
            self.gather(now);
        } else if self.control.start_at.is_none() && self.control.abort.is_none() {
            if self.is_lost(self.control.set_up_by) {
                self.control.set_up_by = self.first(MemberStage::Ready);
            } else if self.has(self.control.set_up_by, MemberStage::SetUp) {
                self.control.start_at = Some(clock + START_DELAY);
                self.control.start_epoch = Some(self.control.epoch);
            }
        }
        if self.awaits().all(|stage| stage >= MemberStage::Done) {
            let owner = self.control.torn_down_by;
            if self.control.start_at.is_none() || self.has(owner, MemberStage::TornDown) {
                self.control.collects = true;
            } else if owner.is_none() || self.is_lost(owner) {
                self.control.torn_down_by = self.first(MemberStage::Done);
                // Nobody is left who could.
                self.control.collects |= self.control.torn_down_by.is_none();
            }
        }
    }

    /// Begins when all are ready.
    fn gather(&mut self, now: Instant) {
        if self.control.abort.is_some() {
            return;
        }
        let mut missing = Vec::new();
        let mut first: Option<(usize, &str)> = None;
        let mut other = None;
        for (at, member) in self.members.iter().enumerate() {
            match &member.report {
                None => missing.push(format!("{} has not come", self.name(at))),
                Some(report) if report.stage < MemberStage::Ready => {
                    missing.push(format!("{} is not ready", self.name(at)));
                }
                Some(report) => match (first, report.test.as_deref().unwrap_or_default()) {
                    (None, test) => first = Some((at, test)),
                    (Some((known, test)), own) if test != own => other = other.or(Some((at, known))),
                    _ => {}
                },
            }
        }
        // Who starts paused may stay so for as long as it likes.
        let is_held = |member: &KnownMember| member.report.as_ref().is_some_and(|report| report.is_held);
        if self.members.iter().any(is_held) {
            self.waits_since = now;
        }
        if let Some((at, known)) = other {
            let (at, known) = (self.name(at), self.name(known));
            let text = format!("{at} is of another test than {known}: a file or an option of the script differs");
            return self.abort(&Failure::new(ExitCode::InvalidConfig, text));
        }
        if missing.is_empty() {
            self.control.set_up_by = Some(0);
        } else if now - self.waits_since >= self.timeout {
            let waited = Span::from(self.timeout);
            let text = format!("the test did not begin within {waited}: {}", missing.join(", "));
            let failure = Failure::new(ExitCode::GenericTimeout, text);
            self.abort(&failure.hint("`--join-timeout` says how long to wait for all instances"));
        }
    }

    /// Who has not come yet, or is not ready.
    pub(super) fn awaited(&self) -> Vec<String> {
        let is_ready =
            |member: &KnownMember| member.report.as_ref().is_some_and(|report| report.stage >= MemberStage::Ready);
        let waiting = self.members.iter().enumerate().filter(|(_, member)| !is_ready(member));
        waiting.map(|(at, _)| self.name(at)).collect()
    }

    /// Whether every instance has handed over its result, or is lost.
    pub(super) fn is_complete(&self) -> bool {
        self.control.collects && self.awaits().all(|stage| stage == MemberStage::Ended)
    }

    /// Whether a script marked the test as failed.
    pub(super) fn is_marked_as_failed(&self) -> bool {
        self.members.iter().any(|member| member.report.as_ref().is_some_and(|report| report.marked_as_failed))
    }

    /// What all instances do.
    pub(super) fn totals(&self) -> Totals {
        self.members.iter().filter_map(|member| Some((member, member.report.as_ref()?))).fold(
            Totals::default(),
            |sum, (member, report)| {
                let now = |count: u64| if member.is_lost { 0 } else { count };
                Totals {
                    active: sum.active + now(report.active),
                    initialised: sum.initialised + now(report.initialised),
                    max_vus: sum.max_vus + report.max_vus,
                    complete: sum.complete + report.complete,
                    interrupted: sum.interrupted + report.interrupted,
                }
            },
        )
    }

    /// How far the scenarios of all instances are together. Of a lost one, nothing works any more.
    pub(super) fn scenarios(&self) -> Vec<ScenarioReport> {
        let mut all: Vec<ScenarioReport> = Vec::new();
        for member in &self.members {
            for scenario in member.report.iter().flat_map(|report| &report.scenarios) {
                let mut scenario = scenario.clone();
                if member.is_lost {
                    (scenario.active, scenario.running, scenario.finished) = (0, 0, true);
                }
                match all.iter_mut().find(|known| known.name == scenario.name) {
                    Some(known) => known.add(&scenario),
                    None => all.push(scenario),
                }
            }
        }
        all
    }

    /// Adds what instances have sent; `fresh` makes the store of a new epoch.
    pub(super) fn take(&mut self, frames: &[Vec<u8>], time: Stamp, fresh: impl FnOnce() -> Option<Ledger>) {
        let totals = self.totals();
        if let Some(ledger) = self.ledger.as_mut().filter(|_| self.control.start_at.is_some()) {
            ledger.observe_vus(totals.active, totals.initialised, time);
        }
        if frames.is_empty() {
            return;
        }
        if self.ledger.is_none() {
            self.ledger = fresh();
        }
        for frame in frames.iter().filter_map(|bytes| DeltaFrame::decode(bytes)) {
            let Some(member) = usize::try_from(frame.index).ok().and_then(|at| self.members.get_mut(at)) else {
                continue;
            };
            // What was sent twice counts once; what belongs to an older count is in a newer one.
            if frame.epoch != self.control.epoch || frame.number < member.next_frame {
                continue;
            }
            let deltas = delta::decode(&frame.deltas);
            match (&mut self.ledger, deltas) {
                (Some(ledger), Ok(delta)) if frame.number == member.next_frame => {
                    ledger.absorb(&delta, time);
                    member.next_frame += 1;
                }
                // Something is missing: all count anew.
                _ => {
                    self.control.epoch += 1;
                    self.ledger = None;
                    self.members.iter_mut().for_each(|member| member.next_frame = 0);
                    return;
                }
            }
        }
    }

    /// Judges the thresholds on what all have measured so far.
    pub(super) fn judge(&mut self, now: Instant) {
        let has_sent = |member: &KnownMember| member.is_lost || member.next_frame > 0;
        if now - self.judged < JUDGE_INTERVAL || !self.members.iter().all(has_sent) {
            return;
        }
        self.judged = now;
        let reports = self.members.iter().filter_map(|member| member.report.as_ref());
        // Who began last, or is over, counts less of the time in which others measure.
        let elapsed = reports.map(|report| report.elapsed).max().unwrap_or_default();
        let Some(ledger) = &mut self.ledger else { return };
        let verdict = ledger.evaluate(elapsed, false);
        if verdict.abort
            && let Some(failure) = verdict.failure()
        {
            self.abort(&failure);
        }
    }

    /// What all have measured so far, if anything.
    pub(super) fn ledger(&mut self) -> Option<&mut Ledger> {
        self.ledger.as_mut()
    }

    /// Whether an instance has handed over its result.
    pub(super) fn has_result(&self, index: u64) -> bool {
        self.has(Some(index), MemberStage::Ended)
    }
}

#[cfg(test)]
#[path = "conductor_tests.rs"]
mod tests;
