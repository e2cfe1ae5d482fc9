//! How far a procedure is: the stage, the run that goes on, the time left in all. On a terminal a block that is redrawn in
//! place, elsewhere a line a minute; stages say themselves that they begin.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::observer::Observer;
use super::plan::PlannedRun;
use super::settings::REPORT_EVERY;
use crate::run::Moment;
use crate::ui::Terminal;
use crate::ui::progress::{bar, cut};
use crate::units::Span;
use crate::units::figure::{self, Unit};
use crate::units::sync::lock;

/// How often the block is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(500);
/// How wide a bar is.
const BAR_WIDTH: usize = 30;

/// What happens now.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ProcedureStage {
    /// Checks, records, reports: short, or with a bar of their own.
    #[default]
    Other,
    /// The run at this place of the plan.
    Run(usize),
    /// The pause before the run at this place, of this length.
    CoolDown(usize, Duration),
}

/// How far a procedure is. Cheap to clone.
#[derive(Clone)]
pub struct ProcedureProgress {
    shared: Arc<ProgressState>,
}

struct ProgressState {
    runs: Vec<RunProgress>,
    observer: Observer,
    /// Where the live page is.
    url: Option<String>,
    now: Mutex<(ProcedureStage, Instant)>,
}

/// A run that is to be done.
struct RunProgress {
    name: String,
    is_wanted: bool,
    duration: Option<Duration>,
    cool_down: Duration,
}

impl ProcedureProgress {
    /// Nothing has begun. `is_wanted` tells by place whether a run is still to be done.
    pub fn new(planned: &[PlannedRun], is_wanted: &[bool], observer: Observer, url: Option<String>) -> Self {
        let part = |(run, is_wanted): (&PlannedRun, &bool)| RunProgress {
            name: run.name.clone(),
            is_wanted: *is_wanted,
            duration: run.duration,
            cool_down: run.cool_down,
        };
        let runs = planned.iter().zip(is_wanted).map(part).collect();
        Self {
            shared: Arc::new(ProgressState {
                runs,
                observer,
                url,
                now: Mutex::new((ProcedureStage::Other, Instant::now())),
            }),
        }
    }

    /// The next stage begins. What was drawn of the last one is gone from then on, where the new one has nothing to draw.
    pub fn enter(&self, stage: ProcedureStage, terminal: &Terminal) {
        let mut now = self.now();
        if stage == ProcedureStage::Other {
            terminal.set_block(String::new());
        }
        *now = (stage, Instant::now());
    }

    fn now(&self) -> MutexGuard<'_, (ProcedureStage, Instant)> {
        lock(&self.shared.now)
    }

    /// Draws what happens now; nobody enters another stage meanwhile.
    fn draw(&self, terminal: &Terminal) {
        let now = self.now();
        let block = self.glance_at(&now).block(terminal.width());
        // Other stages draw for themselves.
        if !block.is_empty() {
            terminal.set_block(block);
        }
    }

    /// What happens now, with its figures.
    pub fn glance(&self) -> ProgressSnapshot<'_> {
        self.glance_at(&self.now())
    }

    fn glance_at(&self, (stage, began): &(ProcedureStage, Instant)) -> ProgressSnapshot<'_> {
        let stage = stage.clone();
        let moment = matches!(stage, ProcedureStage::Run(_)).then(|| self.shared.observer.moment()).flatten();
        ProgressSnapshot { shared: &self.shared, stage, spent: began.elapsed(), moment }
    }
}

/// One moment of a procedure.
pub struct ProgressSnapshot<'a> {
    shared: &'a ProgressState,
    stage: ProcedureStage,
    spent: Duration,
    moment: Option<Moment>,
}

/// `2m10s`, without parts of a second.
fn clock(time: Duration) -> String {
    Span::from(time).rounded(Span::from_secs(1)).to_string()
}

impl ProgressSnapshot<'_> {
    /// The stage in words: `stress, run 2 of 3`.
    pub fn stage(&self) -> Option<String> {
        match self.stage {
            ProcedureStage::Other => None,
            ProcedureStage::Run(place) => Some(format!("{}, {}", self.shared.runs[place].name, self.number(place))),
            ProcedureStage::CoolDown(place, _) => Some(format!("cool-down before {}", self.shared.runs[place].name)),
        }
    }

    fn number(&self, place: usize) -> String {
        let wanted = |runs: &[RunProgress]| runs.iter().filter(|run| run.is_wanted).count();
        format!("run {} of {}", wanted(&self.shared.runs[..=place]), wanted(&self.shared.runs))
    }

    /// How far the stage is: time, and how long it is planned to take.
    fn time(&self) -> (Duration, Option<Duration>) {
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        match (&self.stage, &self.moment) {
            (ProcedureStage::CoolDown(_, pause), _) => (self.spent.min(*pause), Some(*pause)),
            (ProcedureStage::Run(place), moment) => {
                let spent = moment.as_ref().and_then(|moment| seconds(moment.seconds)).unwrap_or_default();
                // A limit that only keeps iterations from going on for ever is no plan.
                let told = moment.as_ref().filter(|moment| !moment.has_limit_only).and_then(|moment| moment.duration);
                let planned = told.and_then(seconds).or(self.shared.runs[*place].duration);
                (planned.map_or(spent, |planned| spent.min(planned)), planned)
            }
            (ProcedureStage::Other, _) => (self.spent, None),
        }
    }

    /// How long everything will still take, and whether that is all one can say.
    pub fn left(&self) -> (Duration, bool) {
        let (spent, planned) = self.time();
        let (first, mut is_whole) = match self.stage {
            ProcedureStage::Other => (0, true),
            ProcedureStage::CoolDown(place, _) => (place, true),
            ProcedureStage::Run(place) => (place + 1, planned.is_some()),
        };
        let told = self.moment.as_ref().and_then(|moment| moment.left);
        let mut left = match told.and_then(|left| Duration::try_from_secs_f64(left).ok()) {
            Some(left) => {
                is_whole = true;
                left
            }
            None => planned.map_or(Duration::ZERO, |planned| planned.saturating_sub(spent)),
        };
        let mut pause = match self.stage {
            ProcedureStage::Run(place) => self.shared.runs[place].cool_down,
            _ => Duration::ZERO,
        };
        for run in self.shared.runs.iter().skip(first).filter(|run| run.is_wanted) {
            left += pause + run.duration.unwrap_or_default();
            is_whole &= run.duration.is_some();
            pause = run.cool_down;
        }
        (left, is_whole)
    }

    /// `about 14m20s left in all`.
    pub fn left_text(&self) -> String {
        let (left, is_whole) = self.left();
        format!("{} {} left in all", if is_whole { "about" } else { "at least" }, clock(left))
    }

    /// The figures of the run: `50 VUs, 245 requests/s, p95 1.2 ms, 0 % failed`; its stage where there are none yet.
    fn figures(&self) -> Vec<String> {
        let Some(moment) = &self.moment else { return Vec::new() };
        let mut parts = Vec::new();
        if moment.stage != "running" {
            parts.push(moment.stage.clone());
        }
        if moment.active_vus > 0 {
            let vus = figure::text(moment.active_vus as f64, Unit::Count);
            parts.push(format!("{vus} VU{}", if moment.active_vus == 1 { "" } else { "s" }));
        }
        if let Some(figures) = &moment.figures {
            parts.push(figure::text(figures.per_second.round(), Unit::PerSecond("requests")));
            parts.extend(figures.p95.map(|p95| format!("p95 {}", figure::text(p95, Unit::Time))));
            parts.push(format!("{} failed", figure::text(figures.failed, Unit::Share)));
        } else if moment.iterations > 0 {
            let count = figure::text(moment.iterations as f64, Unit::Count);
            parts.push(format!("{count} iteration{}", if moment.iterations == 1 { "" } else { "s" }));
        }
        parts
    }

    /// The lines of the block on a terminal of this width; nothing where the stage has its own.
    fn block(&self, width: usize) -> String {
        let (spent, planned) = self.time();
        let name = match self.stage {
            ProcedureStage::Other => return String::new(),
            ProcedureStage::Run(place) => format!("{} ({})", self.shared.runs[place].name, self.number(place)),
            ProcedureStage::CoolDown(place, _) => format!("cool-down before {}", self.shared.runs[place].name),
        };
        let mut lines = vec![String::new()];
        lines.push(match planned {
            Some(planned) => {
                let share = spent.as_secs_f64() / planned.as_secs_f64().max(1e-9);
                format!("  {name}  {}  {} of {}", bar(share, BAR_WIDTH), clock(spent), clock(planned))
            }
            None => format!("  {name}  {}", clock(spent)),
        });
        let figures = self.figures();
        if !figures.is_empty() {
            lines.push(format!("  {}", figures.join(" · ")));
        }
        let url = self.shared.url.as_ref().map(|url| format!(" · live page {url}")).unwrap_or_default();
        lines.push(format!("  {}{url}", self.left_text()));
        lines.iter().map(|line| format!("{}\n", cut(line, width))).collect()
    }

    /// One line, for where nothing can be drawn; nothing where the stage has its own.
    fn line(&self) -> Option<String> {
        let (spent, planned) = self.time();
        let name = match self.stage {
            ProcedureStage::Other => return None,
            ProcedureStage::Run(place) => self.shared.runs[place].name.clone(),
            ProcedureStage::CoolDown(..) => "cool-down".to_owned(),
        };
        let time = match planned {
            Some(planned) => format!("{} of {}", clock(spent), clock(planned)),
            None => clock(spent),
        };
        let parts: Vec<String> = std::iter::once(time).chain(self.figures()).collect();
        Some(format!("  {name}: {}; {}\n", parts.join(", "), self.left_text()))
    }
}

/// A thread that shows how far a procedure is, until it is dropped.
pub struct ProgressDisplay {
    terminal: Terminal,
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl ProgressDisplay {
    /// Shows from now on.
    pub fn start(progress: ProcedureProgress, terminal: Terminal) -> Self {
        let (stop, stopped) = sync_channel::<()>(0);
        let screen = terminal.clone();
        let showing = move || {
            let (mut said, mut last) = (Instant::now(), ProcedureStage::Other);
            while stopped.recv_timeout(DRAW_EVERY) == Err(RecvTimeoutError::Timeout) {
                if screen.stdout_is_tty() {
                    progress.draw(&screen);
                    continue;
                }
                let glance = progress.glance();
                if glance.stage != last {
                    (last, said) = (glance.stage.clone(), Instant::now());
                }
                if said.elapsed() >= REPORT_EVERY {
                    said = Instant::now();
                    if let Some(line) = glance.line() {
                        screen.print(&line);
                    }
                }
            }
        };
        // Without it a procedure is only less talkative.
        let thread = std::thread::Builder::new().name("volley-progress".to_owned()).spawn(showing).ok();
        Self { terminal, thread: thread.map(|thread| (stop, thread)) }
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            // It shows nothing more once it is gone.
            _ = thread.join();
        }
        self.terminal.set_block(String::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::RequestFigures;

    fn shared(url: Option<&str>) -> ProgressState {
        let part = |name: &str, is_wanted, seconds: Option<u64>| RunProgress {
            name: name.to_owned(),
            is_wanted,
            duration: seconds.map(Duration::from_secs),
            cool_down: Duration::from_secs(30),
        };
        let runs = vec![
            part("baseline", false, Some(60)),
            part("stress", true, Some(540)),
            part("spike", true, Some(300)),
            part("soak", true, None),
        ];
        let now = Mutex::new((ProcedureStage::Other, Instant::now()));
        ProgressState { runs, observer: Observer::default(), url: url.map(str::to_owned), now }
    }

    fn running() -> Moment {
        Moment {
            stage: "running".to_owned(),
            seconds: 130.2,
            duration: Some(540.0),
            has_limit_only: false,
            left: Some(409.8),
            active_vus: 50,
            iterations: 12_345,
            figures: Some(RequestFigures { per_second: 244.7, failed: 0.0, p95: Some(1.234_567) }),
        }
    }

    #[test]
    fn a_run_tells_its_figures_and_what_is_left_in_all() {
        let shared = shared(Some("http://127.0.0.1:5665"));
        let glance =
            |stage, moment| ProgressSnapshot { shared: &shared, stage, spent: Duration::from_secs(12), moment };
        let run = glance(ProcedureStage::Run(1), Some(running()));
        let block = "
  stress (run 1 of 3)  [======>---------------------]  2m10s of 9m0s
  50 VUs · 245 requests/s · p95 1.23 ms · 0 % failed
  at least 12m50s left in all · live page http://127.0.0.1:5665
";
        assert_eq!(run.block(100), block);
        assert_eq!(run.block(10).lines().map(|line| line.chars().count()).max(), Some(10));
        let line =
            "  stress: 2m10s of 9m0s, 50 VUs, 245 requests/s, p95 1.23 ms, 0 % failed; at least 12m50s left in all\n";
        assert_eq!(run.line().as_deref(), Some(line));
        assert_eq!(run.stage().as_deref(), Some("stress, run 1 of 3"));
        // Before the run tells anything its plan is known.
        let early = glance(ProcedureStage::Run(1), None);
        assert_eq!(early.line().as_deref(), Some("  stress: 0s of 9m0s; at least 15m0s left in all\n"));
        let setup = Moment { stage: "setup()".to_owned(), seconds: 0.0, figures: None, ..running() };
        let line =
            glance(ProcedureStage::Run(2), Some(Moment { active_vus: 1, iterations: 1, left: None, ..setup })).line();
        let expect = "  spike: 0s of 9m0s, setup(), 1 VU, 1 iteration; at least 9m30s left in all\n";
        assert_eq!(line.as_deref(), Some(expect));
    }

    #[test]
    fn pauses_count_and_what_is_open_is_said() {
        let shared = shared(None);
        let glance =
            |stage, moment| ProgressSnapshot { shared: &shared, stage, spent: Duration::from_secs(12), moment };
        let pause = glance(ProcedureStage::CoolDown(2, Duration::from_secs(30)), None);
        let line = "  cool-down: 12s of 30s; at least 5m48s left in all\n";
        assert_eq!(pause.line().as_deref(), Some(line));
        assert!(pause.block(80).contains("cool-down before spike  [==========>"), "{}", pause.block(80));
        // The last run has no duration of its own: its iterations tell how long it will take.
        let moment = Moment { has_limit_only: true, duration: Some(600.0), left: Some(20.0), ..running() };
        let line = glance(ProcedureStage::Run(3), Some(moment)).line().unwrap();
        assert!(line.starts_with("  soak: 2m10s, 50 VUs,") && line.ends_with("; about 20s left in all\n"), "{line}");
        assert_eq!(
            (glance(ProcedureStage::Other, None).line(), glance(ProcedureStage::Other, None).block(80)),
            (None, String::new())
        );
    }
}
