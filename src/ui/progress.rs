//! How far a run is: a line for the run, a line with a bar for each scenario.
//!
//! Live, the block is redrawn in place, with what is left and a line of the latest figures; plain, it is printed once a
//! second as k6 does. What stands in it comes as plain facts; nothing here knows an executor.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Terminal;
use super::panel::RequestPanel;
use crate::units::Span;
use crate::units::figure::{self, Unit};

/// Everything a block shows.
#[derive(Clone, Debug, Default)]
pub struct ProgressView {
    /// The first line.
    pub head: Head,
    /// Scenarios that have work, in the order of the description.
    pub scenarios: Vec<ScenarioLine>,
    /// The latest figures; `None` before the first request.
    pub figures: Option<RequestFigures>,
    /// More about all requests so far, where that is shown.
    pub panel: Option<RequestPanel>,
}

/// The latest figures of a run's requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestFigures {
    /// Requests per second, lately.
    pub per_second: f64,
    /// The share of failed requests so far, 0 to 1.
    pub failed: f64,
    /// The 95th percentile of the times of answered requests so far, in milliseconds; `None` where there are none.
    pub p95: Option<f64>,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressMode {
    /// Redrawn in place; needs a terminal.
    Live,
    /// As live, with a panel of all requests.
    Full,
    /// Printed once a second.
    Plain,
}

impl ProgressMode {
    /// Whether it is redrawn in place.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Full)
    }
}

/// The first line of a block.
#[derive(Clone, Debug)]
pub enum Head {
    /// Before executors start: what happens, how far it is (0 to 1), and a word beside the bar.
    Stage {
        /// `Init` or `Run`.
        left: String,
        /// From 0 to 1.
        fraction: f64,
        /// As in `setup()`; may be empty.
        right: String,
    },
    /// While executors work.
    Run {
        /// Whether the run is paused.
        is_paused: bool,
        /// Time since the executors started.
        elapsed: Duration,
        /// The planned end, which decides how the time is written.
        max_duration: Duration,
        /// VUs that iterate.
        active: u64,
        /// VUs that exist.
        initialized: u64,
        /// The most VUs there may be, which decides how wide their numbers are.
        max_vus: u64,
        /// Iterations that ended.
        complete: u64,
        /// Iterations that were cut short.
        interrupted: u64,
    },
}

impl Default for Head {
    fn default() -> Self {
        Self::Stage { left: "Init".to_owned(), fraction: 0.0, right: String::new() }
    }
}

/// One scenario.
#[derive(Clone, Debug)]
pub struct ScenarioLine {
    /// Its name.
    pub name: String,
    /// How it is.
    pub status: ScenarioStatus,
    /// How far it is, 0 to 1.
    pub fraction: f64,
    /// What stands right of the bar, by column.
    pub columns: Vec<String>,
    /// How long it will still take, as far as one can say; shown live.
    pub left: Option<Duration>,
}

/// How a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScenarioStatus {
    /// At work.
    Running,
    /// Its start is ahead.
    Waiting,
    /// Its time is over, iterations may still end.
    Stopping,
    /// It was cut short.
    Interrupted,
    /// It did all its work.
    Done,
}

impl ScenarioStatus {
    fn sign(self, colors: bool) -> String {
        let (sign, code) = match self {
            Self::Running => (' ', ""),
            Self::Waiting => ('•', "2"),
            Self::Stopping => ('↓', ""),
            Self::Interrupted => ('✗', "31"),
            Self::Done => ('✓', "32"),
        };
        if colors && !code.is_empty() { format!("\x1b[{code}m{sign}\x1b[0m") } else { sign.to_string() }
    }
}

/// How a block is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The width of the terminal; `None` where bars are written as percentages.
    pub width: Option<usize>,
    /// Whether signs have colours.
    pub colors: bool,
    /// The height of the terminal, in lines; a block that is redrawn has to fit.
    pub height: usize,
}

/// The width of what is no terminal.
const DEFAULT_WIDTH: usize = 80;
/// Names are cut to this length.
const MAX_NAME_CHARS: usize = 30;
/// A bar with its brackets is at most this wide.
const MAX_BAR_WIDTH: usize = 40;
/// A bar that narrow is written as a percentage.
const MIN_BAR_WIDTH: usize = 8;

impl ProgressView {
    /// The lines of the block, each with its line end.
    pub fn render(&self, style: Style) -> String {
        let head = match &self.head {
            Head::Stage { left, .. } => Some(left.clone()),
            Head::Run { .. } => None,
        };
        let names: Vec<String> = self.scenarios.iter().map(|line| shortened(&line.name)).collect();
        let left = names.iter().chain(&head).map(|name| width(name)).max().unwrap_or(0);
        let mut columns: Vec<usize> = Vec::new();
        for line in &self.scenarios {
            columns.resize(columns.len().max(line.columns.len()), 0);
            line.columns.iter().zip(&mut columns).for_each(|(text, wide)| *wide = (*wide).max(width(text)));
        }
        let right: usize = columns.iter().map(|wide| wide + 2).sum();
        // Name, status and the blanks around them take four.
        let bar = style.width.map(|width| MAX_BAR_WIDTH.min(width.saturating_sub(left + right + 4)));
        let mut text = match &self.head {
            Head::Run { .. } => self.head.run_line(),
            Head::Stage { left: name, fraction, right } => {
                let line = format!("{name}{}   {} {right}", blanks(left - width(name)), bar_of(*fraction, bar, style));
                line.trim_end().to_owned()
            }
        };
        text.push('\n');
        for (name, line) in names.iter().zip(&self.scenarios) {
            let sign = line.status.sign(style.colors);
            text.push_str(&format!(
                "{name}{} {sign} {}",
                blanks(left - width(name)),
                bar_of(line.fraction, bar, style)
            ));
            for (place, (column, wide)) in line.columns.iter().zip(&columns).enumerate() {
                let is_last = place + 1 == columns.len();
                let fill = if is_last { 0 } else { wide + 1 - width(column) };
                text.push_str(&format!(" {column}{}", blanks(fill)));
            }
            text.push('\n');
        }
        text
    }
}

impl ProgressView {
    /// The block as it is drawn live: what is left stands behind each scenario, the latest figures end it.
    pub fn live(&self, style: Style) -> String {
        let mut view = self.clone();
        let wide = view.scenarios.iter().map(|line| line.columns.len()).max().unwrap_or(0);
        for line in view.scenarios.iter_mut().filter(|line| line.left.is_some()) {
            line.columns.resize(wide, String::new());
        }
        for line in &mut view.scenarios {
            line.columns.extend(line.left.map(|left| format!("{} left", Span::from(left).rounded(SECOND))));
        }
        let mut text = view.render(style);
        if let Some(RequestFigures { per_second, failed, p95 }) = self.figures {
            let paint = |text: String, code: &str| match style.colors {
                true => format!("\x1b[{code}m{text}\x1b[0m"),
                false => text,
            };
            let failed_text = paint(figure::text(failed, Unit::Share), if failed > 0.0 { "31" } else { "32" });
            let p95 = paint(p95.map_or("–".to_owned(), |p95| figure::text(p95, Unit::Time)), "36");
            let rate = figure::text(per_second.round(), Unit::PerSecond("requests"));
            text.push_str(&format!("{rate}, p95 {p95}, {failed_text} failed\n"));
        }
        if let Some(panel) = &self.panel {
            text.push('\n');
            for line in panel.render(style.width.unwrap_or(DEFAULT_WIDTH), style.colors) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        // The block begins with an empty line, and the cursor needs one below.
        let text: String = text.split_inclusive('\n').take(style.height.saturating_sub(2)).collect();
        // A line that the terminal breaks would count as two when the block is drawn anew.
        match style.width {
            Some(width) => text.lines().map(|line| format!("{}\n", cut(line, width))).collect(),
            None => text,
        }
    }
}

/// A bar of this width in characters, its brackets included; from 0 to 1.
pub fn bar(fraction: f64, width: usize) -> String {
    bar_of(fraction, Some(width.min(MAX_BAR_WIDTH)), Style { width: None, colors: false, height: usize::MAX })
}

/// As much of a line as fits; codes for colours take no room and are all kept.
pub fn cut(line: &str, width: usize) -> String {
    let (mut kept, mut seen, mut in_code) = (String::with_capacity(line.len()), 0, false);
    for c in line.chars() {
        if c == '\x1b' || in_code {
            in_code = !(in_code && c.is_ascii_alphabetic());
            kept.push(c);
        } else if seen < width {
            seen += 1;
            kept.push(c);
        }
    }
    kept
}

/// What is left is told in whole seconds.
const SECOND: Span = Span::from_secs(1);

impl Head {
    fn run_line(&self) -> String {
        let Self::Run { is_paused, elapsed, max_duration, active, initialized, max_vus, complete, interrupted } = self
        else {
            return String::new();
        };
        let state = if *is_paused { "paused" } else { "running" };
        let elapsed = Span::from(*elapsed).fixed_width(Span::from(*max_duration));
        let wide = max_vus.to_string().len();
        format!(
            "{state} ({elapsed}), {active:0wide$}/{initialized:0wide$} VUs, {complete} complete and {interrupted} \
             interrupted iterations"
        )
    }
}

fn bar_of(fraction: f64, wide: Option<usize>, style: Style) -> String {
    let fraction = fraction.clamp(0.0, 1.0);
    let cells = match wide {
        Some(wide) if wide > MIN_BAR_WIDTH => wide - 2,
        _ => return format!("[ {:3.0}% ]", fraction * 100.0),
    };
    let filled = (fraction * cells as f64).round() as usize;
    if filled >= cells {
        return format!("[{}]", "=".repeat(cells));
    }
    let done = if filled > 0 { format!("{}>", "=".repeat(filled - 1)) } else { String::new() };
    let rest = "-".repeat(cells - filled);
    let rest = if style.colors { format!("\x1b[2m{rest}\x1b[0m") } else { rest };
    format!("[{done}{rest}]")
}

fn shortened(name: &str) -> String {
    if width(name) <= MAX_NAME_CHARS {
        return name.to_owned();
    }
    name.chars().take(MAX_NAME_CHARS - 3).chain("...".chars()).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn blanks(count: usize) -> String {
    " ".repeat(count)
}

/// A thread that shows progress until it is stopped.
pub struct Ticker {
    terminal: Terminal,
    view: Arc<dyn Fn() -> ProgressView + Send + Sync>,
    is_quiet: bool,
    kind: ProgressMode,
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Ticker {
    /// Shows `view()` on a beat: every 100 ms live, every second plain. When quiet, nothing at all.
    pub fn start(
        terminal: Terminal,
        is_quiet: bool,
        kind: ProgressMode,
        view: impl Fn() -> ProgressView + Send + Sync + 'static,
    ) -> Self {
        let view: Arc<dyn Fn() -> ProgressView + Send + Sync> = Arc::new(view);
        if is_quiet {
            return Self { terminal, view, is_quiet, kind, thread: None };
        }
        let (stop, stopped) = sync_channel(1);
        let beat = Duration::from_millis(if kind.is_live() { 100 } else { 1000 });
        let (screen, look) = (terminal.clone(), view.clone());
        let work = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(beat) {
                show(&screen, kind, &look());
            }
        };
        // Without a thread there is no progress to see, which is no reason not to run.
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(work).ok();
        Self { terminal, view, is_quiet, kind, thread: thread.map(|thread| (stop, thread)) }
    }

    /// Stops the beat and takes the block off the terminal, so that the summary can follow.
    pub fn pause(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            // A view that panicked has been reported as a defect already.
            _ = thread.join();
            if self.kind.is_live() {
                self.terminal.set_block(String::new());
            }
        }
    }

    /// Stops the beat if it still goes on and prints the block a last time.
    pub fn finish(mut self) {
        self.pause();
        if !self.is_quiet {
            let block = (self.view)().render(style_of(&self.terminal));
            self.terminal.print(&format!("\n{block}"));
        }
    }
}

fn show(terminal: &Terminal, kind: ProgressMode, view: &ProgressView) {
    let style = style_of(terminal);
    match kind {
        ProgressMode::Live | ProgressMode::Full => terminal.set_block(format!("\n{}", view.live(style))),
        ProgressMode::Plain => terminal.print(&format!("\n{}", view.render(style))),
    }
}

fn style_of(terminal: &Terminal) -> Style {
    let width = terminal.stdout_is_tty().then(|| terminal.width());
    Style { width, colors: terminal.stdout_colors(), height: terminal.height() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::terminal::Capabilities;

    const PLAIN: Style = Style { width: None, colors: false, height: usize::MAX };

    fn run(elapsed: u64, max: u64, max_vus: u64) -> Head {
        Head::Run {
            is_paused: false,
            elapsed: Duration::from_millis(elapsed),
            max_duration: Duration::from_secs(max),
            active: 1,
            initialized: 3,
            max_vus,
            complete: 4,
            interrupted: 0,
        }
    }

    fn line(name: &str, status: ScenarioStatus, fraction: f64, columns: &[&str]) -> ScenarioLine {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        ScenarioLine { name: name.to_owned(), status, fraction, columns, left: None }
    }

    #[test]
    fn live_it_says_what_is_left_and_how_it_goes() {
        let mut view = ProgressView {
            head: run(1_000, 10, 3),
            scenarios: vec![
                line("aaa", ScenarioStatus::Done, 1.0, &["2 VUs", "00.2s/10s", "4/4 iters, 2 per VU"]),
                line("bbb", ScenarioStatus::Running, 0.01, &["1 VUs", "01.0s/10s"]),
            ],
            figures: Some(RequestFigures { per_second: 1234.4, failed: 0.0123, p95: Some(12.345) }),
            panel: None,
        };
        view.scenarios[1].left = Some(Duration::from_millis(8_700));
        let expect = "running (01.0s), 1/3 VUs, 4 complete and 0 interrupted iterations
aaa ✓ [ 100% ] 2 VUs  00.2s/10s  4/4 iters, 2 per VU |
bbb   [   1% ] 1 VUs  01.0s/10s                       9s left
1,234 requests/s, p95 12.3 ms, 1.2 % failed
";
        let got = view.live(PLAIN);
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&got), trimmed(&expect.replace('|', " ")));
    }

    #[test]
    fn a_block_with_a_panel_fits_the_terminal() {
        let panel = RequestPanel { latency: vec![(1.0, 7); 11], ..RequestPanel::default() };
        let view = ProgressView { head: run(1_000, 10, 3), panel: Some(panel), ..ProgressView::default() };
        let lines = |height| view.live(Style { width: Some(80), colors: false, height }).lines().count();
        assert_eq!((lines(usize::MAX), lines(24), lines(10)), (14, 14, 8));
        assert!(view.live(PLAIN).contains("Times of answered requests"));
    }

    #[test]
    fn a_block_is_laid_out_as_in_k6() {
        let view = ProgressView {
            head: run(1_000, 630, 3),
            scenarios: vec![
                line("aaa", ScenarioStatus::Done, 1.0, &["2 VUs", "00m00.2s/10m0s", "4/4 iters, 2 per VU"]),
                line("bbb", ScenarioStatus::Running, 0.01, &["1 VUs", "0.0s/2s"]),
            ],
            figures: None,
            panel: None,
        };
        let expect = "running (00m01.0s), 1/3 VUs, 4 complete and 0 interrupted iterations
aaa ✓ [ 100% ] 2 VUs  00m00.2s/10m0s  4/4 iters, 2 per VU
bbb   [   1% ] 1 VUs  0.0s/2s       |
";
        assert_eq!(view.render(PLAIN), expect.replace('|', " "));
    }

    #[test]
    fn stages_have_a_bar_of_their_own() {
        let stage = |left: &str, fraction, right: &str| {
            let head = Head::Stage { left: left.to_owned(), fraction, right: right.to_owned() };
            ProgressView {
                head,
                figures: None,
                panel: None,
                scenarios: vec![line("default", ScenarioStatus::Waiting, 0.0, &["waiting", "5.0s"])],
            }
            .render(PLAIN)
        };
        let default = "default • [   0% ] waiting  5.0s\n";
        assert_eq!(stage("Init", 0.0, ""), format!("Init      [   0% ]\n{default}"));
        assert_eq!(stage("Run", 1.0, "setup()"), format!("Run       [ 100% ] setup()\n{default}"));
    }

    #[test]
    fn vus_and_times_keep_their_width() {
        let check = |elapsed, max, max_vus, expect: &str| {
            let text = ProgressView { head: run(elapsed, max, max_vus), ..Default::default() }.render(PLAIN);
            assert_eq!(text.split(" VUs").next().unwrap(), expect);
        };
        check(1_250, 5, 9, "running (1.3s), 1/3");
        check(1_250, 45, 17, "running (01.3s), 01/03");
        check(61_000, 300, 3, "running (1m01.0s), 1/3");
        check(61_000, 7_200, 300, "running (0h01m01.0s), 001/003");
    }

    #[test]
    fn bars_fit_the_terminal() {
        let check = |width: usize, fraction, expect: &str| {
            let view = ProgressView {
                head: run(0, 5, 1),
                scenarios: vec![line("a", ScenarioStatus::Running, fraction, &["x"])],
                figures: None,
                panel: None,
            };
            let text = view.render(Style { width: Some(width), colors: false, height: usize::MAX });
            assert_eq!(text.lines().nth(1).unwrap(), expect);
        };
        check(80, 0.0, &format!("a   [{}] x", "-".repeat(38)));
        check(80, 0.5, &format!("a   [{}>{}] x", "=".repeat(18), "-".repeat(19)));
        check(80, 1.0, &format!("a   [{}] x", "=".repeat(38)));
        check(20, 0.5, "a   [====>-----] x");
        check(15, 0.5, "a   [  50% ] x");
    }

    #[test]
    fn the_last_block_is_printed_unless_quiet() {
        let check = |is_quiet, expect: &str| {
            let (terminal, out, _) = crate::ui::terminal::tests::terminal(Capabilities::default());
            let view = || ProgressView { head: run(0, 5, 1), ..Default::default() };
            let mut ticker = Ticker::start(terminal, is_quiet, ProgressMode::Plain, view);
            ticker.pause();
            ticker.finish();
            assert_eq!(out.read(), expect);
        };
        check(true, "");
        check(false, "\nrunning (0.0s), 1/3 VUs, 4 complete and 0 interrupted iterations\n");
    }

    #[test]
    fn lines_are_cut_where_the_terminal_ends() {
        let check = |line: &str, expect: &str| assert_eq!(cut(line, 5), expect);
        check("short", "short");
        check("too long", "too l");
        check("\x1b[31mred and\x1b[0m", "\x1b[31mred a\x1b[0m");
        check("✓✓✓✓✓✓", "✓✓✓✓✓");
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"x".repeat(31)), format!("{}...", "x".repeat(27)));
    }
}
