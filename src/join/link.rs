//! The thread that speaks with the others, four times a second.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis::{FromRedisValue, Pipeline, Value};
use tokio::sync::watch;

use super::conductor::Conductor;
use super::registration::{REPORT_EXPIRY, RUN_EXPIRY, register, token};
use super::words::{AbortOrder, Control, DeltaFrame, MemberReport, MemberStage};
use super::{JoinRequest, JoinState, JoinedRun, KEEP, Meeting, STOPPED_TIMEOUT, Shared, part_name, tail_name};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::log::Logger;
use crate::metrics::delta;
use crate::metrics::record::Epoch;
use crate::units::sync::lock;

/// How often something is said.
pub(super) const TICK: Duration = Duration::from_millis(250);
/// How often what was measured is sent.
const FRAME_INTERVAL: Duration = Duration::from_secs(1);
/// A conductor that says nothing new for this long is lost.
const CONDUCTOR_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How much longer each further instance waits than the one before it.
const CONDUCTOR_STEP: Duration = Duration::from_millis(500);
/// The most frames that wait for a conductor.
const MAX_FRAMES: u64 = 5_000;
/// The least time between two checkpoints, once the first are made; they take at most a two hundredth of the time.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);
const CHECKPOINT_SHARE: u32 = 200;
/// The same while somebody looks at a page that shows the whole; and how long that is after the page was last made.
const WATCHED_INTERVAL: Duration = Duration::from_secs(1);
const WATCHED_SHARE: u32 = 50;
const WATCHED_TIMEOUT: Duration = Duration::from_secs(10);

/// Joins, says so, and goes on until the run leaves.
pub(super) fn run(request: JoinRequest, logger: Logger, joined: &SyncSender<Result<Arc<Shared>, Failure>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other) {
        Ok(runtime) => runtime,
        Err(failure) => {
            _ = joined.send(Err(failure));
            return;
        }
    };
    runtime.block_on(async {
        let mut meeting = Meeting::new(request.address.clone());
        let report = MemberReport { token: token(), ..MemberReport::default() };
        let keys = match register(&request, &mut meeting, &report).await {
            Ok(keys) => keys,
            Err(failure) => {
                _ = joined.send(Err(failure));
                return;
            }
        };
        let conductor = Mutex::new(Conductor::new(&request, logger.clone()));
        let shared = Arc::new(Shared {
            request,
            keys,
            logger,
            report: Mutex::new(report),
            part: Mutex::default(),
            run: Mutex::default(),
            orders: Mutex::default(),
            keeping: Default::default(),
            live: Mutex::default(),
            wanted: Mutex::default(),
            state: watch::Sender::new(JoinState::default()),
            conductor,
            is_over: Default::default(),
            was_severed: Default::default(),
            leaves: Default::default(),
            leaving: Default::default(),
        });
        if joined.send(Ok(shared.clone())).is_err() {
            return;
        }
        let mut link = MeetingLink::new(shared.clone(), meeting);
        let is_late = async {
            shared.leaving.notified().await;
            tokio::time::sleep(STOPPED_TIMEOUT).await;
        };
        tokio::select! {
            () = link.run() => {}
            () = is_late => {}
        }
        shared.state.send_modify(|state| state.has_left = true);
    });
    // An address that is being looked up is waited for by nobody.
    runtime.shutdown_background();
}

/// A frame on its way, with the checkpoint that was made at the same moment.
struct PendingFrame {
    bytes: Vec<u8>,
    checkpoint: Option<Vec<u8>>,
    /// It holds all, not what came after a checkpoint.
    is_whole: bool,
}

/// What the thread knows.
struct MeetingLink {
    shared: Arc<Shared>,
    meeting: Meeting,
    state: JoinState,
    /// The shortest time an answer took: the clock is known best then.
    best_way: Duration,
    /// When the conductor said something new.
    heard: Instant,
    /// The epoch of our frames, and the number of the next one.
    epoch: Option<u64>,
    number: u64,
    /// A frame of which it is not known that it arrived.
    pending: Option<PendingFrame>,
    frame_due: Instant,
    has_sent_last: bool,
    checkpoint_due: Instant,
    checkpoints: u32,
    /// The frames since the last checkpoint are all at the server, behind it.
    has_tail: bool,
    live_due: Instant,
    /// The numbers of the orders that were obeyed.
    obeyed: (u64, u64),
    was_aborted: bool,
    /// Why we end the test.
    abort: Option<AbortOrder>,
}

impl MeetingLink {
    fn new(shared: Arc<Shared>, meeting: Meeting) -> Self {
        let now = Instant::now();
        Self {
            shared,
            meeting,
            state: JoinState::default(),
            best_way: Duration::MAX,
            heard: now,
            epoch: None,
            number: 0,
            pending: None,
            frame_due: now,
            has_sent_last: false,
            checkpoint_due: now,
            checkpoints: 0,
            has_tail: false,
            live_due: now,
            obeyed: (0, 0),
            was_aborted: false,
            abort: None,
        }
    }

    async fn run(&mut self) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.shared.leaves.load(Relaxed) {
            interval.tick().await;
            let run = lock(&self.shared.run).clone();
            let report = self.report(run.as_deref());
            self.abort.clone_from(&report.abort);
            self.make_frame(run.as_deref(), &report);
            let asked = Instant::now();
            match self.exchange(&report, asked).await {
                Ok(heard) => {
                    self.recover();
                    self.hear(heard, run.as_deref()).await;
                }
                Err(why) => self.lose(&why),
            }
            self.obey(run.as_deref());
            if self.state.outage.is_none() {
                self.keep_part(report.stage).await;
                self.fetch_live_parts().await;
            }
            self.shared.state.send_replace(self.state.clone());
        }
    }

    fn own_index(&self) -> Option<u64> {
        self.shared.request.instance.map(|instance| instance.index)
    }

    /// What we say of ourselves.
    fn report(&self, run: Option<&dyn JoinedRun>) -> MemberReport {
        let mut report = lock(&self.shared.report);
        if let Some(run) = run {
            run.report(&mut report);
        }
        let mut report = report.clone();
        // A signal ends one instance, or all where the test is conducted.
        let is_own = |code: u8| code == ExitCode::ExternalAbort as u8 && !self.state.conducts;
        report.abort = report.abort.filter(|abort| !is_own(abort.code));
        report
    }

    fn make_frame(&mut self, run: Option<&dyn JoinedRun>, report: &MemberReport) {
        let (Some(run), Some(index)) = (run, self.own_index()) else { return };
        let epoch = self.state.control.epoch;
        let is_new = self.epoch != Some(epoch);
        if self.pending.as_ref().is_some_and(|_| !is_new) || report.stage < MemberStage::Running {
            return;
        }
        let is_last = report.stage == MemberStage::Ended && !self.has_sent_last;
        if !is_new && !is_last && Instant::now() < self.frame_due {
            return;
        }
        if is_new {
            (self.epoch, self.number) = (Some(epoch), 0);
        }
        let begun = Instant::now();
        let is_due = is_new || begun >= self.checkpoint_due;
        let (checkpoint, delta) = if is_due && lock(&self.shared.part).is_none() {
            let (checkpoint, delta) = run.checkpoint(is_new);
            self.plan_checkpoint(begun.elapsed());
            (Some(checkpoint), delta)
        } else {
            (None, run.take_added(is_new))
        };
        let frame = DeltaFrame { index, epoch, number: self.number, deltas: delta::encode(&delta) };
        self.number += 1;
        self.has_sent_last = report.stage == MemberStage::Ended;
        self.frame_due = Instant::now() + FRAME_INTERVAL;
        self.pending = Some(PendingFrame { bytes: frame.encode(), checkpoint, is_whole: is_new });
    }

    /// When the next checkpoint is due, after one that took so long.
    fn plan_checkpoint(&mut self, took: Duration) {
        let (most, share) = match self.state.control.is_watched {
            true => (WATCHED_INTERVAL, WATCHED_SHARE),
            false => (CHECKPOINT_INTERVAL, CHECKPOINT_SHARE),
        };
        let interval = most.min(Duration::from_secs(1 << self.checkpoints.min(6)));
        self.checkpoint_due = Instant::now() + interval.max(took * share);
        self.checkpoints += 1;
    }

    /// Says what there is to say, and hears the others.
    async fn exchange(&mut self, report: &MemberReport, asked: Instant) -> Result<Heard, String> {
        let commands = self.commands(report);
        let answers: Vec<Value> = self.meeting.ask(&commands).await?;
        if let Some(PendingFrame { checkpoint: Some(checkpoint), .. }) = self.pending.take() {
            self.keep_checkpoint(&checkpoint).await;
        }
        let mut answers = answers.into_iter();
        let (seconds, micros): (u64, u64) = next(&mut answers)?;
        let control: Option<String> = next(&mut answers)?;
        let way = asked.elapsed();
        if way < self.best_way {
            self.best_way = way;
            self.state.clock = Some((asked + way / 2, seconds * 1_000_000 + micros));
        }
        let mut heard = Heard {
            clock: seconds * 1_000_000 + micros,
            control: control.and_then(|text| serde_json::from_str(&text).ok()),
            ..Heard::default()
        };
        if self.state.conducts {
            let reports: Vec<Option<String>> = next(&mut answers)?;
            let read = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
            heard.reports = reports.into_iter().map(read).collect();
            heard.frames = next::<Option<Vec<Vec<u8>>>>(&mut answers)?.unwrap_or_default();
        }
        Ok(heard)
    }

    fn commands(&self, report: &MemberReport) -> Pipeline {
        let Shared { keys, request, .. } = &*self.shared;
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let mut commands = redis::pipe();
        // What was measured is there before its end is told.
        if let Some(PendingFrame { bytes, is_whole, .. }) = &self.pending {
            commands.cmd("RPUSH").arg(keys.of("frames")).arg(bytes).ignore();
            commands
                .cmd("LTRIM")
                .arg(keys.of("frames"))
                .arg(-i64::try_from(MAX_FRAMES).unwrap_or(i64::MAX))
                .arg(-1)
                .ignore();
            commands.cmd("EXPIRE").arg(keys.of("frames")).arg(KEEP.as_secs()).ignore();
            // If we are lost, this is what was measured after the last checkpoint.
            if let (Some(index), true, false) = (self.own_index(), self.has_tail, *is_whole)
                && lock(&self.shared.part).is_none()
            {
                let tail = keys.of(&tail_name(index));
                commands.cmd("RPUSH").arg(&tail).arg(bytes).ignore();
                commands.cmd("EXPIRE").arg(&tail).arg(KEEP.as_secs()).ignore();
            }
        }
        let text = serde_json::to_string(report).unwrap_or_default();
        let expiry = millis(REPORT_EXPIRY);
        commands.cmd("SET").arg(keys.member(request.instance)).arg(text).arg("PX").arg(expiry).ignore();
        if !self.state.control.is_over {
            commands.cmd("PEXPIRE").arg(&keys.run).arg(millis(RUN_EXPIRY)).ignore();
        }
        commands.cmd("TIME");
        commands.cmd("GET").arg(keys.of("control"));
        if self.state.conducts {
            commands.cmd("MGET");
            (0..request.of).for_each(|index| _ = commands.arg(keys.of(&format!("member:{index}"))));
            commands.cmd("LPOP").arg(keys.of("frames")).arg(MAX_FRAMES);
        }
        commands
    }

    async fn hear(&mut self, heard: Heard, run: Option<&dyn JoinedRun>) {
        let now = Instant::now();
        if self.state.conducts {
            let by = self.own_index();
            // One of two who both took over goes on.
            let is_other = heard.control.as_ref().is_some_and(|control| {
                let own = (self.state.control.term, std::cmp::Reverse(rank(by)));
                control.by != by && (control.term, std::cmp::Reverse(rank(control.by))) > own
            });
            if !is_other {
                return self.conduct(heard, run).await;
            }
            self.state.conducts = false;
            self.shared.logger.debug("another instance conducts from here on".to_owned());
        }
        if let Some(control) = &heard.control {
            let known = (self.state.control.term, self.state.control.beat);
            if (control.term, control.beat) > known || (control.term >= known.0 && control.beat < known.1) {
                self.heard = now;
            }
            if control.term >= known.0 {
                self.state.control = control.clone();
            }
        }
        if !self.state.control.is_over && self.wants_to_conduct(heard.control.as_ref(), now) {
            self.take_over();
            // Who else would take over sees it in time.
            let text = serde_json::to_string(&self.state.control).unwrap_or_default();
            if let Err(why) = self.meeting.ask::<()>(&self.saying(&text)).await {
                self.lose(&why);
            }
        }
    }

    /// Says what holds for all.
    fn saying(&self, text: &str) -> Pipeline {
        let expiry = u64::try_from(RUN_EXPIRY.as_millis()).unwrap_or(u64::MAX);
        let mut commands = redis::pipe();
        commands.cmd("SET").arg(self.shared.keys.of("control")).arg(text).arg("PX").arg(expiry).ignore();
        commands
    }

    /// A conductor without load comes first, then the first instance; the others wait whether there is nobody before them.
    fn wants_to_conduct(&self, control: Option<&Control>, now: Instant) -> bool {
        let own = rank(self.own_index());
        match control {
            // Who was only slow takes it back: he was asked for the reports.
            Some(control) if own < rank(control.by) => true,
            None if own <= 1 && self.state.control == Control::default() => true,
            _ => {
                now - self.heard >= CONDUCTOR_TIMEOUT + CONDUCTOR_STEP * u32::try_from(own.min(30)).unwrap_or_default()
            }
        }
    }

    fn take_over(&mut self) {
        let mut conductor = lock(&self.shared.conductor);
        let last = &self.state.control;
        conductor.take_over(last, self.own_index(), self.heard);
        if last.has_begun() && rank(last.by) < rank(self.own_index()) {
            let (name, of) = (self.shared.request.name(), self.shared.request.of);
            let who = last.by.map_or_else(|| "the conductor".to_owned(), |by| format!("instance {}/{of}", by + 1));
            self.shared.logger.error(format!("nothing is heard of {who} any more, {name} conducts from here on"));
        }
        self.state.control = conductor.control.clone();
        self.state.conducts = true;
    }

    /// Decides what holds for all, and says so.
    async fn conduct(&mut self, heard: Heard, run: Option<&dyn JoinedRun>) {
        let is_over = self.shared.is_over.load(Relaxed);
        let is_watched = self.is_watched();
        let now = Instant::now();
        let text = {
            let mut conductor = lock(&self.shared.conductor);
            conductor.hear(now, heard.reports);
            if let Some(abort) = &self.abort {
                conductor.control.abort.get_or_insert_with(|| abort.clone());
            }
            let (pause, scale) = *lock(&self.shared.orders);
            conductor.order(pause, scale);
            self.obeyed = (pause.number.max(self.obeyed.0), scale.number.max(self.obeyed.1));
            conductor.take(&heard.frames, Epoch::now().stamp(now), || run.map(JoinedRun::fresh_ledger));
            conductor.judge(now);
            conductor.decide(now, heard.clock);
            conductor.control.wanted.clone_from(&lock(&self.shared.wanted));
            conductor.control.is_over |= is_over;
            conductor.control.is_watched = is_watched;
            self.state.control = conductor.control.clone();
            self.state.is_complete = conductor.is_complete();
            serde_json::to_string(&conductor.control).unwrap_or_default()
        };
        let keys = &self.shared.keys;
        let expiry = u64::try_from(RUN_EXPIRY.as_millis()).unwrap_or(u64::MAX);
        let mut commands = self.saying(&text);
        if is_over {
            // The name is free from here on.
            commands
                .cmd("DEL")
                .arg(&keys.run)
                .arg(keys.of("archive"))
                .arg(keys.of("setup"))
                .arg(keys.of("frames"))
                .ignore();
            (0..self.shared.request.of).for_each(|index| {
                commands.cmd("DEL").arg(keys.of(&part_name(index))).arg(keys.of(&tail_name(index))).ignore();
            });
        } else {
            commands.cmd("SET").arg(&keys.run).arg(&keys.id).arg("PX").arg(expiry).arg("NX").ignore();
        }
        if let Err(why) = self.meeting.ask::<()>(&commands).await {
            // Said again at the next tick.
            self.state.control.is_over = false;
            self.lose(&why);
        }
    }

    /// The server can be reached.
    fn recover(&mut self) {
        if let Some(since) = self.state.outage.take() {
            self.heard = Instant::now();
            self.shared.was_severed.store(true, Relaxed);
            // The server may have forgotten the last one.
            self.checkpoint_due = self.heard;
            lock(&self.shared.conductor).forgive();
            let seconds = since.elapsed().as_secs();
            let shown = self.shared.request.address.shown();
            self.shared.logger.warn(format!("`{shown}` can be reached again, after {seconds} s"));
        }
    }

    /// The server can't be reached.
    fn lose(&mut self, why: &str) {
        self.has_tail = false;
        if self.state.outage.is_none() {
            self.state.outage = Some(Instant::now());
            let shown = self.shared.request.address.shown();
            let text = format!("`{shown}` can't be reached, the test goes on without it: {why}");
            self.shared.logger.warn(text);
        }
    }

    /// Does what holds for all.
    fn obey(&mut self, run: Option<&dyn JoinedRun>) {
        let Some(run) = run else { return };
        let control = &self.state.control;
        if let Some(abort) = &control.abort
            && !self.was_aborted
        {
            self.was_aborted = true;
            // What ends because of it finds there that it was told to.
            self.shared.state.send_replace(self.state.clone());
            run.abort(abort.failure());
        }
        if control.pause.number > self.obeyed.0 {
            self.obeyed.0 = control.pause.number;
            run.pause(control.pause.paused);
        }
        if control.scale.number > self.obeyed.1 {
            self.obeyed.1 = control.scale.number;
            run.scale(control.scale.vus, control.scale.vus_max);
        }
    }

    /// Keeps the result of this instance as of a moment ago, in case it is lost.
    async fn keep_checkpoint(&mut self, checkpoint: &[u8]) {
        let Some(index) = self.own_index() else { return };
        let (part, tail) = (self.shared.keys.of(&part_name(index)), self.shared.keys.of(&tail_name(index)));
        let _guard = self.shared.keeping.lock().await;
        // The run may have handed over its result meanwhile.
        if lock(&self.shared.part).is_none() {
            self.has_tail = self.meeting.put_part(&part, checkpoint, &tail, KEEP).await.is_ok();
            if !self.has_tail {
                self.checkpoint_due = Instant::now();
            }
        }
    }

    /// Keeps the last result of this instance at the server as long as it is wanted.
    async fn keep_part(&mut self, stage: MemberStage) {
        let Some(index) = self.own_index().filter(|_| stage == MemberStage::Ended) else { return };
        let part = lock(&self.shared.part).clone();
        if let Some(part) = part.filter(|_| self.state.control.wanted.contains(&index)) {
            _ = self.meeting.put(&self.shared.keys.of(&part_name(index)), &part, KEEP).await;
        }
    }

    /// Whether somebody looks at the whole.
    fn is_watched(&self) -> bool {
        lock(&self.shared.live).asked.is_some_and(|asked| asked.elapsed() < WATCHED_TIMEOUT)
    }

    /// As conductor: takes what all have left so far, while somebody looks at it.
    async fn fetch_live_parts(&mut self) {
        if !self.state.conducts || !self.is_watched() || Instant::now() < self.live_due {
            return;
        }
        self.live_due = Instant::now() + WATCHED_INTERVAL;
        let keys: Vec<String> =
            (0..self.shared.request.of).map(|index| self.shared.keys.of(&part_name(index))).collect();
        if let Ok(parts) = self.meeting.get_all(&keys).await {
            lock(&self.shared.live).parts = parts;
        }
    }
}

/// What was heard at one moment.
#[derive(Default)]
struct Heard {
    /// The server's clock, in microseconds.
    clock: u64,
    control: Option<Control>,
    /// As conductor: what each instance says.
    reports: Vec<Option<MemberReport>>,
    /// As conductor: what they measured.
    frames: Vec<Vec<u8>>,
}

/// Who comes first as conductor has the lower one.
fn rank(by: Option<u64>) -> u64 {
    by.map_or(0, |index| index + 1)
}

fn next<T: FromRedisValue>(answers: &mut impl Iterator<Item = Value>) -> Result<T, String> {
    let value = answers.next().ok_or("an answer is missing")?;
    redis::from_redis_value(value).map_err(|error| error.to_string())
}
