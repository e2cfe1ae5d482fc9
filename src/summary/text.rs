//! The end-of-test summary as text, laid out as k6 does: thresholds, totals, in full mode groups and scenarios.

use std::cmp::Ordering;

use super::collate::compare;
use super::headline::failed_requests;
use super::{Mode, RenderOptions, endpoints, is_hidden};
use crate::metrics::groups::CheckResult;
use crate::metrics::results::checks_total;
use crate::metrics::threshold::Threshold;
use crate::metrics::{Contains, MetricResult, MetricType, MetricValues, Results, Section};
use crate::units::number;

/// The whole text; nothing in disabled mode.
pub fn render(results: &Results, options: &RenderOptions) -> String {
    if options.mode == Mode::Disabled {
        return String::new();
    }
    let mut page = Page { options, seconds: results.duration.as_secs_f64(), text: "\n".to_owned() };
    page.thresholds(results);
    page.title("TOTAL RESULTS");
    page.body(&results.checks, &results.metrics, 4);
    if results.metrics.is_empty() {
        page.text.push_str("    no metric has any samples\n\n");
    }
    if options.mode == Mode::Full {
        for group in &results.groups {
            page.title(&format!("GROUP: {}", group.name));
            page.section(group, 4);
        }
        for scenario in results.scenarios.iter().filter(|scenario| &*scenario.name != "default") {
            page.title(&format!("SCENARIO: {}", scenario.name));
            page.section(scenario, 4);
        }
        if options.endpoints {
            page.endpoints(results);
        }
    }
    // k6 has no such line, and programs that read its text should not meet one.
    if let Some(failed) = failed_requests(results).filter(|_| options.is_on_terminal) {
        let line = page.paint(&failed, RED);
        page.line(4, &line);
    }
    if let Some(complaint) = results.health.complaint() {
        let line = format!("the load generator could not keep up: {complaint}");
        let line = page.paint(&line, RED);
        page.line(4, &line);
    }
    page.text.push_str("\n\n");
    page.text
}

const BOLD: &str = "1";
const GREEN: &str = "32";
const RED: &str = "31";
const CYAN: &str = "36";
/// Of the terminal's own colour: white would be lost on a light background.
const FAINT: &str = "2";

/// The title of a category, and whether a metric belongs to it.
type MetricCategory = (&'static str, fn(&str) -> bool);

/// The parts of a section, in order.
const CATEGORIES: [MetricCategory; 8] = [
    ("CUSTOM", |name| CATEGORIES[1..].iter().all(|(_, holds)| !holds(name))),
    ("HTTP", |name| name.starts_with("http_req") && is_builtin(name)),
    ("EXECUTION", |name| {
        matches!(name, "vus" | "vus_max" | "iterations" | "iteration_duration" | "dropped_iterations")
    }),
    ("NETWORK", |name| matches!(name, "data_sent" | "data_received")),
    ("BROWSER", |name| name.starts_with("browser_") && !name.starts_with("browser_web_vital_")),
    ("WEB_VITALS", |name| name.starts_with("browser_web_vital_")),
    ("GRPC", |name| name.starts_with("grpc_")),
    ("WEBSOCKET", |name| name.starts_with("ws_")),
];

fn is_builtin(name: &str) -> bool {
    crate::metrics::builtin::TABLE.iter().any(|(known, ..)| *known == name)
}

/// The text as it grows.
struct Page<'a> {
    options: &'a RenderOptions,
    /// The length of the run.
    seconds: f64,
    text: String,
}

/// One metric, ready to be aligned.
struct TextLine {
    category: usize,
    label: String,
    cells: Cells,
}

enum Cells {
    /// Name and value of each figure.
    Trend(Vec<(String, String)>),
    /// A value and what follows it.
    Plain { value: String, extras: Vec<String>, kind: MetricType },
}

/// How wide the columns of one section are.
#[derive(Default)]
struct Widths {
    label: usize,
    figures: Vec<usize>,
    value: usize,
    extras: [usize; 2],
}

impl Page<'_> {
    fn paint(&self, text: &str, code: &str) -> String {
        if self.options.colors { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn title(&mut self, title: &str) {
        let title = format!("█ {} ", self.paint(title, BOLD));
        self.text.push('\n');
        self.line(2, &title);
        self.text.push('\n');
    }

    fn thresholds(&mut self, results: &Results) {
        let mut watched: Vec<_> = results.metrics.iter().filter(|metric| !metric.thresholds.is_empty()).collect();
        if watched.is_empty() {
            return;
        }
        watched.sort_by(|a, b| by_name(a, b));
        self.title("THRESHOLDS");
        for metric in &watched {
            let has_parent = watched.iter().any(|other| other.filter.is_none() && other.parent == metric.parent);
            let (indent, name) = match &metric.filter {
                Some(filter) if has_parent => (6, format!("{{{}}}", filter.suffix)),
                _ => (4, metric.name.to_string()),
            };
            self.line(indent, &name);
            for threshold in &metric.thresholds {
                let line = self.threshold(metric, threshold);
                self.line(indent, &line);
            }
            self.text.push('\n');
        }
    }

    fn threshold(&self, metric: &MetricResult, threshold: &Threshold) -> String {
        let ObservedText { source, figure, value } = observed(self.options, metric, threshold);
        format!("{} '{source}' {figure}={}", self.mark(threshold.ok), self.paint(&value, CYAN))
    }

    fn section(&mut self, section: &Section, indent: usize) {
        self.body(&section.checks, &section.metrics, indent);
        for group in &section.groups {
            let title = format!("↳ {} ", self.paint(&format!("GROUP: {}", group.name), BOLD));
            self.line(indent, &title);
            self.text.push('\n');
            self.section(group, indent + 2);
        }
    }

    fn body(&mut self, checks: &[CheckResult], metrics: &[MetricResult], indent: usize) {
        // The metric counts where the system tag `check` is off and no check has a name, and when nothing was checked.
        if let Some(totals) = checks_total(metrics) {
            self.checks(totals, checks, indent);
        }
        self.metrics(metrics, indent);
    }

    fn checks(&mut self, (passes, fails): (u64, u64), checks: &[CheckResult], indent: usize) {
        let total = passes + fails;
        let rate = if self.seconds > 0.0 { total as f64 / self.seconds } else { 0.0 };
        let share = |part: u64| {
            let rate = if total == 0 { 0.0 } else { part as f64 / total as f64 };
            MetricValues::Rate { rate, passes: part, fails: total - part }
        };
        let lines = [
            ("checks_total", MetricValues::Counter { count: total as f64, rate }),
            ("checks_succeeded", share(passes)),
            ("checks_failed", share(fails)),
        ];
        let lines: Vec<TextLine> = lines
            .into_iter()
            .map(|(label, values)| TextLine {
                category: 0,
                label: label.to_owned(),
                cells: self.cells(&values, Contains::Default),
            })
            .collect();
        let widths = Widths::of(&lines);
        for line in &lines {
            let text = self.aligned(line, &widths);
            self.line(indent, &text);
        }
        self.text.push('\n');
        for check in checks {
            let holds = check.fails == 0;
            let line = self
                .paint(&format!("{} {}", if holds { '✓' } else { '✗' }, check.name), if holds { GREEN } else { RED });
            self.line(indent, &line);
            if !holds {
                let share = check.passes * 100 / (check.passes + check.fails);
                let line = format!("↳  {share}% — ✓ {} / ✗ {}", check.passes, check.fails);
                let line = self.paint(&line, RED);
                self.line(indent + 2, &line);
            }
        }
        self.text.push('\n');
    }

    fn metrics(&mut self, metrics: &[MetricResult], indent: usize) {
        let mut shown: Vec<_> = metrics.iter().filter(|metric| !is_hidden(&metric.parent, self.options.mode)).collect();
        shown.sort_by(|a, b| by_name(a, b));
        let lines: Vec<TextLine> = shown
            .into_iter()
            .map(|metric| TextLine {
                category: CATEGORIES.iter().position(|(_, holds)| holds(&metric.parent)).unwrap_or(0),
                label: match &metric.filter {
                    Some(filter) => format!("  {{ {} }}", filter.suffix),
                    None => metric.name.to_string(),
                },
                cells: self.cells(&metric.values, metric.contains),
            })
            .collect();
        let widths = Widths::of(&lines);
        for (place, (title, _)) in CATEGORIES.iter().enumerate() {
            let mut lines = lines.iter().filter(|line| line.category == place).peekable();
            if lines.peek().is_none() {
                continue;
            }
            let title = self.paint(title, BOLD);
            self.line(indent, &title);
            for line in lines {
                let text = self.aligned(line, &widths);
                self.line(indent, &text);
            }
            self.text.push('\n');
        }
    }

    /// Requests by name and method; k6 has no such table.
    fn endpoints(&mut self, results: &Results) {
        let lines = endpoints::lines(results);
        if lines.is_empty() {
            return;
        }
        self.title("ENDPOINTS");
        for (place, (numbers, name)) in lines.iter().enumerate() {
            let numbers = self.paint(numbers, if place == 0 { FAINT } else { CYAN });
            self.line(4, format!("{numbers}  {name}").trim_end());
        }
        self.text.push('\n');
    }

    fn cells(&self, values: &MetricValues, contains: Contains) -> Cells {
        let (value, extras) = match values {
            MetricValues::Trend(trend) => {
                let figures = self.options.trend_stats.iter().map(|stat| {
                    let figure = stat.of(trend);
                    let text = if stat.is_count() { number::js(figure) } else { self.value(figure, contains) };
                    (stat.name.clone(), text)
                });
                return Cells::Trend(figures.collect());
            }
            MetricValues::Counter { count, rate } => {
                (self.value(*count, contains), vec![format!("{}/s", self.value(*rate, contains))])
            }
            MetricValues::Gauge { value, min, max } => {
                let extra = |name: &str, value: f64| format!("{name}={}", self.value(value, contains));
                (self.value(*value, contains), vec![extra("min", *min), extra("max", *max)])
            }
            MetricValues::Rate { rate, passes, fails } => {
                (number::percent(*rate), vec![format!("{passes} out of {}", passes + fails)])
            }
        };
        Cells::Plain { value, extras, kind: values.kind() }
    }

    fn aligned(&self, line: &TextLine, widths: &Widths) -> String {
        let dots = ".".repeat(widths.label + 3 - width(&line.label));
        let mut text = format!("{}{} ", line.label, self.paint(&format!("{dots}:"), FAINT));
        match &line.cells {
            Cells::Trend(figures) => {
                let figures = figures
                    .iter()
                    .zip(&widths.figures)
                    .map(|((name, value), wide)| format!("{name}={}", self.paint(&padded(value, *wide), CYAN)));
                text.push_str(&figures.collect::<Vec<_>>().join(" "));
            }
            Cells::Plain { value, extras, .. } => {
                text.push_str(&self.paint(&padded(value, widths.value), CYAN));
                for (extra, wide) in extras.iter().zip(widths.extras) {
                    text.push(' ');
                    // A lone extra ends the line; several stand in columns.
                    let extra = if extras.len() == 1 { extra.clone() } else { padded(extra, wide) };
                    text.push_str(&self.paint(&extra, FAINT));
                }
            }
        }
        text
    }

    fn mark(&self, holds: bool) -> String {
        if holds { self.paint("✓", GREEN) } else { self.paint("✗", RED) }
    }

    fn value(&self, value: f64, contains: Contains) -> String {
        self.options.shown(value, contains)
    }
}

impl Widths {
    fn of(lines: &[TextLine]) -> Self {
        let mut widths = Self::default();
        for line in lines {
            widths.label = widths.label.max(width(&line.label));
            match &line.cells {
                Cells::Trend(figures) => {
                    widths.figures.resize(figures.len(), 0);
                    for ((_, value), wide) in figures.iter().zip(&mut widths.figures) {
                        *wide = (*wide).max(width(value));
                    }
                }
                Cells::Plain { value, extras, kind } => {
                    widths.value = widths.value.max(width(value));
                    // What stands behind a rate belongs to no column.
                    let extras = extras.iter().filter(|_| *kind != MetricType::Rate);
                    for (extra, wide) in extras.zip(&mut widths.extras) {
                        *wide = (*wide).max(width(extra));
                    }
                }
            }
        }
        widths
    }
}

/// The observed figure of a threshold as text.
pub(super) struct ObservedText<'a> {
    /// The threshold as typed.
    pub source: &'a str,
    /// The aggregation, as typed.
    pub figure: &'a str,
    /// What the figure was.
    pub value: String,
}

/// What a threshold saw.
pub(super) fn observed<'a>(
    options: &RenderOptions,
    metric: &MetricResult,
    threshold: &'a Threshold,
) -> ObservedText<'a> {
    let source = threshold.def.expression.trim();
    let figure = source.split(['=', '>', '<']).next().unwrap_or_default().trim();
    let value = match &metric.values {
        MetricValues::Counter { count, .. } if figure == "count" => options.shown(*count, metric.contains),
        MetricValues::Counter { rate, .. } => format!("{}/s", options.shown(*rate, metric.contains)),
        MetricValues::Rate { .. } if threshold.is_count() => number::plain(threshold.observed),
        MetricValues::Rate { rate, .. } => number::percent(*rate),
        MetricValues::Gauge { value, .. } => options.shown(*value, metric.contains),
        MetricValues::Trend(_) => options.shown(threshold.observed, metric.contains),
    };
    ObservedText { source, figure, value }
}

/// By metric, a metric before its sub-metrics, then by filter.
fn by_name(a: &MetricResult, b: &MetricResult) -> Ordering {
    let suffix = |metric: &MetricResult| metric.filter.as_ref().map(|filter| filter.suffix.clone());
    compare(&a.parent, &b.parent).then_with(|| match (suffix(a), suffix(b)) {
        (Some(a), Some(b)) => compare(&a, &b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    })
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, wide: usize) -> String {
    format!("{text}{}", " ".repeat(wide.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture::{RunFixture, sample_run};

    fn text(run: &RunFixture, nanos: u64, mode: Mode) -> String {
        render(&run.results(nanos, mode), &RenderOptions { mode, ..RenderOptions::default() })
    }

    #[test]
    fn the_compact_text_is_the_one_of_the_specification() {
        let expect = "

  █ THRESHOLDS|

    checks
    ✗ 'rate>0.9' rate=71.42%

    http_req_duration
    ✓ 'p(95)<1000' p(95)=37.43ms
    ✗ 'avg<0.0001' avg=14.49ms

      {status:200}
      ✓ 'max>=0' max=41.44ms

    my_counter{a:b}
    ✓ 'count>0' count=2


  █ TOTAL RESULTS|

    checks_total.......: 7      142.73009/s
    checks_succeeded...: 71.42% 5 out of 7
    checks_failed......: 28.57% 2 out of 7

    ✓ o ok
    ✓ status ok
    ✗ never
      ↳  0% — ✓ 0 / ✗ 2
    ✓ in

    CUSTOM
    my_counter.....................: 4      81.560051/s
      { a:b }......................: 2      40.780026/s
    my_gauge.......................: 5      min=5       max=5
    my_rate........................: 50.00% 2 out of 4
    my_time........................: avg=1.23s   min=1.23s    med=1.23s  max=1.23s   p(90)=1.23s   p(95)=1.23s |
    my_trend.......................: avg=2.25    min=1.5      med=2.25   max=3       p(90)=3       p(95)=3     |

    HTTP
    http_req_duration..............: avg=14.49ms min=698.97µs med=1.32ms max=41.44ms p(90)=33.42ms p(95)=37.43ms
      { expected_response:true }...: avg=14.49ms min=698.97µs med=1.32ms max=41.44ms p(90)=33.42ms p(95)=37.43ms
      { status:200 }...............: avg=14.49ms min=698.97µs med=1.32ms max=41.44ms p(90)=33.42ms p(95)=37.43ms
    http_req_failed................: 0.00%  0 out of 3
    http_reqs......................: 3      61.170038/s

    EXECUTION
    iteration_duration.............: avg=14.62ms min=203.49µs med=1.94ms max=41.71ms p(90)=33.76ms p(95)=37.74ms
    iterations.....................: 3      61.170038/s

    NETWORK
    data_received..................: 426 B  8.7 kB/s
    data_sent......................: 213 B  4.3 kB/s



";
        // In the source a line may not end in a blank.
        assert_eq!(text(&sample_run(), 49_043_618, Mode::Compact), expect.replace('|', " "));
    }

    #[test]
    fn full_mode_has_sections_of_groups_and_scenarios() {
        let mut run = RunFixture::new();
        let steps = run.declare("steps", MetricType::Counter, Contains::Default);
        run.sample(steps, 2.0, &[("group", "::zoo"), ("scenario", "default")]);
        run.check("::zoo", "in zoo", true);
        run.sample(steps, 3.0, &[("group", "::zoo::cage"), ("scenario", "default")]);
        run.check("::zoo::cage", "in cage", false);
        run.sample(steps, 4.0, &[("group", "::zoo::cage::corner"), ("scenario", "default")]);
        run.sample(steps, 9.0, &[("group", "::shed"), ("scenario", "bike")]);
        let expect = "

  █ TOTAL RESULTS|

    checks_total.......: 2      2/s
    checks_succeeded...: 50.00% 1 out of 2
    checks_failed......: 50.00% 1 out of 2

    ✓ in zoo
    ✗ in cage
      ↳  0% — ✓ 0 / ✗ 1

    CUSTOM
    steps...: 18 18/s


  █ GROUP: zoo|

    checks_total.......: 1       1/s
    checks_succeeded...: 100.00% 1 out of 1
    checks_failed......: 0.00%   0 out of 1

    ✓ in zoo

    CUSTOM
    steps...: 2 2/s

    ↳ GROUP: cage|

      checks_total.......: 1       1/s
      checks_succeeded...: 0.00%   0 out of 1
      checks_failed......: 100.00% 1 out of 1

      ✗ in cage
        ↳  0% — ✓ 0 / ✗ 1

      CUSTOM
      steps...: 3 3/s

      ↳ GROUP: corner|

        CUSTOM
        steps...: 4 4/s


  █ SCENARIO: bike|

    CUSTOM
    steps...: 9 9/s

    ↳ GROUP: shed|

      CUSTOM
      steps...: 9 9/s



";
        assert_eq!(text(&run, 1_000_000_000, Mode::Full), expect.replace('|', " "));
    }

    #[test]
    fn a_part_stands_below_its_metric_only_where_both_have_thresholds() {
        let mut run = RunFixture::new();
        for name in ["with_parent", "orphan", "last_one"] {
            run.declare(name, MetricType::Counter, Contains::Default);
        }
        run.threshold("with_parent", &["count==0"]);
        run.threshold("with_parent{x:y}", &[" count != 2 "]);
        run.threshold("orphan{ a:\"b\" }", &["count<1"]);
        run.threshold("vus", &[]);
        let text = self::text(&run, 1_000_000_000, Mode::Compact);
        let expect = "

  █ THRESHOLDS|

    orphan{a:\"b\"}
    ✓ 'count<1' count=0

    with_parent
    ✓ 'count==0' count=0

      {x:y}
      ✓ 'count != 2' count !=0/s

";
        assert!(text.starts_with(&expect.replace('|', " ")), "{text}");
    }

    #[test]
    fn full_mode_may_end_with_a_table_of_endpoints() {
        let mut run = RunFixture::new();
        run.request("GET", "http://x/quick", "200", 1_000_000);
        run.request("GET", "http://x/quick", "200", 3_000_000);
        run.request("POST", "slow one", "500", 20_000_000);
        let options = RenderOptions { mode: Mode::Full, endpoints: true, ..RenderOptions::default() };
        let results = run.results(1_000_000_000, Mode::Full);
        let text = render(&results, &options);
        let expect = "

  █ ENDPOINTS|

    requests  rate  failed    avg   p(95)    p(99)    max
           1   1/s   100 %  20 ms   20 ms    20 ms  20 ms  POST slow one
           2   2/s     0 %   2 ms  2.9 ms  2.98 ms   3 ms  GET http://x/quick



";
        assert!(text.ends_with(&expect.replace('|', " ")), "{text}");
        assert!(!render(&results, &RenderOptions { endpoints: false, ..options }).contains("ENDPOINTS"));
    }

    #[test]
    fn a_generator_that_was_late_is_told() {
        let mut results = sample_run().results(49_043_618, Mode::Compact);
        let quiet = render(&results, &RenderOptions::default());
        results.health.script_lag.add(250.0);
        results.health.usage.elapsed = std::time::Duration::from_secs(60);
        let text = render(&results, &RenderOptions::default());
        let line = "    the load generator could not keep up: script threads were late by 250 ms (p90)\n";
        assert_eq!(text.replace(line, ""), quiet);
        assert!(text.ends_with(&format!("{line}\n\n")));
    }

    #[test]
    fn who_looks_is_told_that_requests_failed() {
        let mut run = RunFixture::new();
        run.request("GET", "http://x", "500", 1_000_000);
        let results = run.results(2_000_000_000, Mode::Compact);
        let plain = render(&results, &RenderOptions::default());
        let told = render(&results, &RenderOptions { is_on_terminal: true, ..RenderOptions::default() });
        let line = "    100 % of requests failed\n";
        assert_eq!((plain.contains(line), told.replace(line, "")), (false, plain));
        assert!(told.ends_with(&format!("{line}\n\n")));
    }

    #[test]
    fn without_metrics_there_is_still_a_summary() {
        assert_eq!(
            text(&RunFixture::new(), 0, Mode::Compact),
            "\n\n  █ TOTAL RESULTS \n\n    no metric has any samples\n\n\n\n"
        );
        assert_eq!(text(&RunFixture::new(), 0, Mode::Disabled), "");
    }

    #[test]
    fn colours_are_codes_around_the_same_words() {
        let results = sample_run().results(49_043_618, Mode::Compact);
        let painted = render(&results, &RenderOptions { colors: true, ..RenderOptions::default() });
        assert!(painted.contains("  █ \x1b[1mTHRESHOLDS\x1b[0m \n"));
        assert!(painted.contains("    \x1b[32m✓ in\x1b[0m\n"));
        assert!(painted.contains("http_reqs\x1b[2m......................:\x1b[0m \x1b[36m3     \x1b[0m \x1b[2m"));
        let mut plain = String::new();
        let mut rest = painted.as_str();
        while let Some((before, code)) = rest.split_once('\x1b') {
            plain.push_str(before);
            rest = code.split_once('m').unwrap().1;
        }
        assert_eq!(plain + rest, render(&results, &RenderOptions::default()));
    }
}
