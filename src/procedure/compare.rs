//! Two results beside each other: every metric and endpoint, and what got worse.
//!
//! What counts as worse is decided by what is measured: durations and failures should be small, rates of requests, checks
//! and hits large. Everything else is shown and not judged; nor are times where one side failed, and rates where the load
//! was another. Half a millisecond is noise; of repeated runs (`stress_1`, `stress_2`, …) the medians are compared, and what
//! lies within their spread is noise.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::archive;
use super::comparison::{FailedSide, NOISE_MS, NOISE_SHARE, RunLoad, too_many_failed};
use super::journal::EntryState;
use super::report::{BASELINE, FORMAT};
use super::results::figure_unit;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::metrics::builtin;
use crate::summary::headline::MAX_FAILED;
use crate::units::figure::{self, Unit};

type Figures = BTreeMap<String, f64>;

/// The figures of one run.
#[derive(Debug, Default)]
struct ComparedRun {
    metrics: BTreeMap<String, Figures>,
    endpoints: BTreeMap<String, Figures>,
    /// What metrics contain, where the file says so: `time`, `data`, `default`.
    contains: BTreeMap<String, String>,
    /// How far apart repeated runs were, by metric or `endpoint NAME`, and figure.
    spread: BTreeMap<(String, String), f64>,
    /// How much load it made.
    load: RunLoad,
}

/// Both sides, compared.
pub struct ResultsComparison {
    rows: Vec<ComparedFigure>,
    notes: Vec<String>,
    limit: Option<f64>,
}

struct ComparedFigure {
    run: String,
    name: String,
    stat: &'static str,
    unit: Unit,
    before: f64,
    after: f64,
    outcome: FigureOutcome,
}

/// What a comparison of one figure came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FigureOutcome {
    /// It got worse by more than the limit.
    Regression,
    /// It did not.
    Held,
    /// It would be judged, but requests failed on one side.
    NotComparable,
    /// It would be judged, but the load was another.
    OtherLoad,
    /// It is neither good nor bad.
    NotJudged,
}

impl FigureOutcome {
    /// What stands beside the figure.
    const fn mark(self) -> &'static str {
        match self {
            Self::Regression => "✗ regression",
            Self::NotComparable => "not comparable",
            Self::OtherLoad => "another load",
            Self::Held | Self::NotJudged => "",
        }
    }
}

/// Endpoints that were asked less often are not judged.
const MIN_REQUESTS: f64 = 100.0;
/// What is shown, in this order.
const STATS: [&str; 10] = ["count", "rate", "avg", "med", "p(90)", "p(95)", "p(99)", "max", "min", "value"];

/// Compares two summaries, results folders or archives.
///
/// # Errors
/// What can't be read, or holds no figures.
pub fn compare(before: &Path, after: &Path, limit: Option<f64>) -> Result<ResultsComparison, Failure> {
    let mut compared = ResultsComparison { rows: Vec::new(), notes: Vec::new(), limit };
    let (old, new) = (load(before, &mut compared.notes)?, load(after, &mut compared.notes)?);
    // Two single runs are compared whatever their names are.
    let pairs: Vec<(String, &ComparedRun, &ComparedRun)> = match (old.len(), new.len()) {
        (1, 1) => old.iter().zip(&new).map(|((_, old), (name, new))| (name.clone(), old, new)).collect(),
        _ => old.iter().filter_map(|(name, run)| Some((name.clone(), run, new.get(name)?))).collect(),
    };
    for (name, _) in old.iter().filter(|(name, _)| !new.contains_key(*name) && pairs.len() != 1) {
        compared.notes.push(format!("run `{name}` is only in the first"));
    }
    for (name, _) in new.iter().filter(|(name, _)| !old.contains_key(*name) && pairs.len() != 1) {
        compared.notes.push(format!("run `{name}` is only in the second"));
    }
    if pairs.is_empty() {
        return Err(Failure::new(ExitCode::Other, "the two have no run in common"));
    }
    for (name, old, new) in pairs {
        compared.run(&name, old, new);
    }
    Ok(compared)
}

fn load(path: &Path, notes: &mut Vec<String>) -> Result<BTreeMap<String, ComparedRun>, Failure> {
    let wrong = |why: &str| {
        let failure = Failure::new(ExitCode::Other, format!("{}: {why}", path.display()));
        failure.hint("compared are files of `--summary-json` and `--summary-export`, results folders and archives")
    };
    let bytes = if path.is_dir() {
        fs::read(path.join(BASELINE)).map_err(|error| wrong(&format!("{BASELINE}: {error}")))?
    } else if path.to_string_lossy().ends_with(".tar.gz") {
        let found = archive::read_one(path, BASELINE).map_err(|error| wrong(&error.to_string()))?;
        found.ok_or_else(|| wrong(&format!("there is no {BASELINE} in it")))?
    } else {
        fs::read(path).map_err(|error| wrong(&error.to_string()))?
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(&format!("no JSON: {error}")))?;
    let mut runs = BTreeMap::new();
    if value["format"] == FORMAT {
        for (name, run) in value["runs"].as_object().into_iter().flatten() {
            if run["state"] != "finished" {
                let state = serde_json::from_value::<EntryState>(run["state"].clone()).ok();
                let why = state.map_or_else(|| format!("run `{name}` did not finish"), |state| state.said_of(name));
                notes.push(format!("{}: {why}, so it is left out", path.display()));
                continue;
            }
            let metrics = run["metrics"].as_object().into_iter().flatten();
            let metrics: BTreeMap<_, _> = metrics.map(|(name, values)| (name.clone(), figures(values))).collect();
            let load = load_of(run["plan"].as_str().map(|plan| ("procedure", plan.to_owned())), &metrics);
            let endpoints = endpoints(&run["endpoints"]);
            runs.insert(name.clone(), ComparedRun { metrics, endpoints, load, ..ComparedRun::default() });
        }
    } else if let Some(list) = value["metrics"].as_array().or_else(|| value["results"]["metrics"].as_array()) {
        // Our own document, or the machine-readable summary of k6.
        let named = || list.iter().filter_map(|metric| Some((metric["name"].as_str()?.to_owned(), metric)));
        let metrics = named().map(|(name, metric)| (name, figures(&metric["values"]))).collect();
        let scenarios = value.pointer("/run/scenarios").and_then(Value::as_array);
        let plans = scenarios.map(|scenarios| {
            let load = |plan: &Value| plan.as_str().map(RunLoad::without_duration).unwrap_or_default().to_owned();
            scenarios
                .iter()
                .map(|one| format!("{} {}", one["executor"], load(&one["plan"])))
                .collect::<Vec<_>>()
                .join("; ")
        });
        let load = load_of(plans.map(|plans| ("summary", plans)), &metrics);
        let contains = named().filter_map(|(name, metric)| Some((name, metric["contains"].as_str()?.to_owned())));
        let (contains, endpoints) = (contains.collect(), endpoints(&value["endpoints"]));
        runs.insert("run".to_owned(), ComparedRun { metrics, endpoints, contains, load, ..ComparedRun::default() });
    } else if let Some(metrics) = value["metrics"].as_object() {
        let metrics = exported(metrics);
        let load = load_of(None, &metrics);
        runs.insert("run".to_owned(), ComparedRun { metrics, load, ..ComparedRun::default() });
    }
    runs.retain(|_, run| !run.metrics.is_empty());
    if runs.is_empty() {
        return Err(wrong("there are no figures of a run in it"));
    }
    Ok(joined(runs))
}

/// The load of a run, by its plan and its VUs.
fn load_of(plan: Option<(&'static str, String)>, metrics: &BTreeMap<String, Figures>) -> RunLoad {
    let plan = plan.map(|(writer, plan)| (writer, RunLoad::without_duration(&plan).to_owned()));
    let vus = metrics.get("vus_max");
    RunLoad { plan, max_vus: vus.and_then(|vus| vus.get("max").or_else(|| vus.get("value"))).copied() }
}

/// Repeated runs as one: the medians of their figures, and how far apart they were.
fn joined(runs: BTreeMap<String, ComparedRun>) -> BTreeMap<String, ComparedRun> {
    let mut groups: BTreeMap<String, Vec<(String, ComparedRun)>> = BTreeMap::new();
    for (name, run) in runs {
        let stem = match name.rsplit_once('_') {
            Some((stem, number)) if !stem.is_empty() && number.parse::<u32>().is_ok() => stem.to_owned(),
            _ => name.clone(),
        };
        groups.entry(stem).or_default().push((name, run));
    }
    let mut all = BTreeMap::new();
    for (stem, mut group) in groups {
        if group.len() == 1 {
            all.extend(group.pop());
            continue;
        }
        let mut spread = BTreeMap::new();
        let mut join = |kind: &str, part: &dyn Fn(&ComparedRun) -> &BTreeMap<String, Figures>| {
            let mut values: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
            for (name, figures) in group.iter().flat_map(|(_, run)| part(run)) {
                for (stat, value) in figures {
                    values.entry((name.clone(), stat.clone())).or_default().push(*value);
                }
            }
            let mut medians: BTreeMap<String, Figures> = BTreeMap::new();
            for ((name, stat), mut values) in values {
                values.sort_by(f64::total_cmp);
                let half = values.len() / 2;
                let median = if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 };
                spread.insert((format!("{kind}{name}"), stat.clone()), values[values.len() - 1] - values[0]);
                medians.entry(name).or_default().insert(stat, median);
            }
            medians
        };
        let metrics = join("", &|run| &run.metrics);
        let endpoints = join("endpoint ", &|run| &run.endpoints);
        let contains = group.iter().flat_map(|(_, run)| run.contains.clone()).collect();
        let load = group.iter().map(|(_, run)| run.load.clone()).next().unwrap_or_default();
        all.insert(stem, ComparedRun { metrics, endpoints, contains, spread, load });
    }
    all
}

/// k6's shapes: the figures beside each other, or under `values`; the share of a rate is called `value` there.
fn exported(metrics: &Map<String, Value>) -> BTreeMap<String, Figures> {
    let read = metrics.iter().map(|(name, metric)| {
        let mut found = figures(if metric["values"].is_object() { &metric["values"] } else { metric });
        if found.contains_key("passes")
            && let Some(share) = found.remove("value")
        {
            found.insert("rate".to_owned(), share);
        }
        (name.clone(), found)
    });
    read.collect()
}

/// Figures by our names: the machine-readable summary writes `p95` for `p(95)`, `matches` for
/// `passes`.
fn figures(values: &Value) -> Figures {
    let pairs = values.as_object().into_iter().flatten();
    let named = |key: &str| match key.strip_prefix('p') {
        Some(rank) if rank.parse::<f64>().is_ok() => format!("p({rank})"),
        _ if key == "matches" => "passes".to_owned(),
        _ => key.to_owned(),
    };
    pairs.filter_map(|(key, value)| Some((named(key), value.as_f64()?))).collect()
}

/// What a figure measures, as far as the file tells; else as the built-in metric of that name.
fn unit(name: &str, stat: &str, figures: &Figures, contains: Option<&String>) -> Unit {
    let kind = match () {
        () if figures.contains_key("p(95)") || figures.contains_key("med") => "trend",
        () if figures.contains_key("passes") => "rate",
        () if figures.contains_key("count") => "counter",
        () => "gauge",
    };
    let base = name.split('{').next().unwrap_or(name);
    let known = || builtin::TABLE.iter().find(|(known, ..)| *known == base).map(|(.., contains)| contains.word());
    let contains = contains.map(String::as_str).or_else(known).unwrap_or("default");
    figure_unit(kind, contains, name, stat)
}

fn endpoints(list: &Value) -> BTreeMap<String, Figures> {
    let list = list.as_array().into_iter().flatten().map(|endpoint| {
        let method = endpoint["method"].as_str().unwrap_or_default();
        let name = format!("{method} {}", endpoint["name"].as_str().unwrap_or_default());
        let duration = &endpoint["duration"];
        let mut found = figures(if duration["values"].is_object() { &duration["values"] } else { duration });
        for key in ["requests", "rate", "failed"] {
            if let Some(value) = endpoint[key].as_f64() {
                found.insert(if key == "requests" { "count".to_owned() } else { key.to_owned() }, value);
            }
        }
        (name.trim().to_owned(), found)
    });
    list.collect()
}

/// Which way is worse.
#[derive(Clone, Copy, PartialEq)]
enum Worse {
    /// A longer time.
    Longer,
    /// A larger share.
    More,
    /// A smaller share, seen from what is missing.
    LessOfAll,
    /// A smaller number.
    Fewer,
}

fn worse(name: &str, stat: &str, figures: &Figures) -> Option<Worse> {
    let base = name.split('{').next().unwrap_or(name);
    if figures.contains_key("p(95)") {
        let is_duration = base.contains("duration") || base == "http_req_waiting";
        return (is_duration && ["avg", "med", "p(95)"].contains(&stat)).then_some(Worse::Longer);
    }
    if stat != "rate" {
        return None;
    }
    if !figures.contains_key("passes") {
        return is_paced(base).then_some(Worse::Fewer);
    }
    let has = |words: &[&str]| words.iter().any(|word| base.contains(word));
    match () {
        () if has(&["fail", "error"]) => Some(Worse::More),
        () if has(&["check", "success"]) => Some(Worse::LessOfAll),
        () if has(&["hit"]) => Some(Worse::Fewer),
        () => None,
    }
}

fn worse_endpoint(stat: &str, before: &Figures, after: &Figures) -> Option<Worse> {
    let enough = |figures: &Figures| figures.get("count").is_some_and(|count| *count >= MIN_REQUESTS);
    (stat == "p(95)" && enough(before) && enough(after)).then_some(Worse::Longer)
}

/// Whether a rate is one that more load makes larger.
fn is_paced(name: &str) -> bool {
    ["http_reqs", "iterations"].contains(&name.split('{').next().unwrap_or(name))
}

/// In which of two runs too many requests failed for their times to be compared.
fn failed_side(before: &BTreeMap<String, Figures>, after: &BTreeMap<String, Figures>) -> Option<FailedSide> {
    let failed = |run: &BTreeMap<String, Figures>| run.get("http_req_failed")?.get("rate").copied();
    too_many_failed(failed(before)?, failed(after)?, MAX_FAILED)
}

/// By how many percent it got worse; nothing if it did not, or by no more than noise.
fn regression(worse: Worse, before: f64, after: f64, spread: f64) -> Option<f64> {
    let (old, new, noise) = match worse {
        Worse::Longer => (before, after, NOISE_MS),
        Worse::More => (before, after, NOISE_SHARE),
        Worse::LessOfAll => (1.0 - before, 1.0 - after, NOISE_SHARE),
        Worse::Fewer => (-before, -after, 0.0),
    };
    (new - old > noise.max(spread)).then(|| if old == 0.0 { f64::INFINITY } else { (new - old) / old.abs() * 100.0 })
}

impl ResultsComparison {
    fn run(&mut self, run: &str, old: &ComparedRun, new: &ComparedRun) {
        let failed = failed_side(&old.metrics, &new.metrics);
        let has_other_load = new.load.is_other(&old.load);
        if let Some(failed) = failed {
            let share = figure::text_beside(failed.share, 1.0, Unit::Share);
            let side = if failed.is_before { "first" } else { "second" };
            self.notes.push(format!("{run}: {share} of requests failed in the {side}, so times are not comparable"));
        }
        if has_other_load {
            self.notes
                .push(format!("{run}: the load was not the same, so rates of requests and iterations are not judged"));
        }
        let sides = [("", &old.metrics, &new.metrics), ("endpoint ", &old.endpoints, &new.endpoints)];
        let (first, second) = (&old.spread, &new.spread);
        let contains: BTreeMap<_, _> = new.contains.iter().chain(&old.contains).collect();
        for (kind, old, new) in sides {
            for (name, before) in old {
                let Some(after) = new.get(name) else {
                    self.notes.push(format!("{run}: {kind}`{name}` is only in the first"));
                    continue;
                };
                for stat in STATS {
                    let Some((old, new)) = before.get(stat).copied().zip(after.get(stat).copied()) else { continue };
                    let worse =
                        if kind.is_empty() { worse(name, stat, before) } else { worse_endpoint(stat, before, after) };
                    let key = (format!("{kind}{name}"), stat.to_owned());
                    let spread =
                        [first, second].iter().filter_map(|spread| spread.get(&key)).fold(0.0, |a, b| b.max(a));
                    let is_rate = worse == Some(Worse::Fewer) && is_paced(name);
                    let by = worse.and_then(|worse| regression(worse, old, new, spread));
                    let outcome = match worse {
                        None => FigureOutcome::NotJudged,
                        Some(Worse::Longer) if failed.is_some() => FigureOutcome::NotComparable,
                        Some(_) if is_rate && failed.is_some() => FigureOutcome::NotComparable,
                        Some(_) if is_rate && has_other_load => FigureOutcome::OtherLoad,
                        Some(_) if by.zip(self.limit).is_some_and(|(by, limit)| by > limit) => {
                            FigureOutcome::Regression
                        }
                        Some(_) => FigureOutcome::Held,
                    };
                    let unit = match (kind, stat) {
                        ("", _) => unit(name, stat, before, contains.get(name).copied()),
                        (_, "count") => Unit::Count,
                        (_, "rate") => Unit::PerSecond("requests"),
                        _ => Unit::Time,
                    };
                    let name = format!("{kind}{name}");
                    self.rows.push(ComparedFigure {
                        run: run.to_owned(),
                        name,
                        stat,
                        unit,
                        before: old,
                        after: new,
                        outcome,
                    });
                }
            }
            for name in new.keys().filter(|name| !old.contains_key(*name)) {
                self.notes.push(format!("{run}: {kind}`{name}` is only in the second"));
            }
        }
    }

    /// Something got worse by more than the limit.
    pub fn has_regressions(&self) -> bool {
        self.rows.iter().any(|row| row.outcome == FigureOutcome::Regression)
    }

    fn conclusion(&self) -> String {
        use FigureOutcome::{Held, NotComparable, OtherLoad, Regression};
        let count = |list: &[FigureOutcome]| self.rows.iter().filter(|row| list.contains(&row.outcome)).count();
        let (judged, bad) = (count(&[Regression, Held]), count(&[Regression]));
        let figures = |count: usize| format!("{count} figure{}", if count == 1 { "" } else { "s" });
        let left_out = match count(&[NotComparable, OtherLoad]) {
            0 => String::new(),
            left_out => format!("; {} could not be judged", figures(left_out)),
        };
        let said = match (self.limit, judged, bad) {
            (_, 0, _) => "No figure could be judged".to_owned(),
            (None, ..) => format!("{} can be judged with `--fail-on-regression`", figures(judged)),
            (Some(limit), 1, 0) => {
                format!("No regression: the one judged figure did not get worse by more than {limit} %")
            }
            (Some(limit), _, 0) => {
                format!("No regression: none of {judged} judged figures got worse by more than {limit} %")
            }
            (Some(limit), 1, _) => format!("Regression: the one judged figure got worse by more than {limit} %"),
            (Some(limit), ..) => {
                format!("Regression: {bad} of {judged} judged figures got worse by more than {limit} %")
            }
        };
        said + &left_out
    }

    /// A run's rows that are judged or would be, or those that are not; regressions first.
    fn rows_of<'a>(&'a self, run: &'a str, judged: bool) -> Vec<&'a ComparedFigure> {
        let of_run =
            self.rows.iter().filter(|row| row.run == run && judged == (row.outcome != FigureOutcome::NotJudged));
        let mut rows: Vec<&ComparedFigure> = of_run.collect();
        rows.sort_by_key(|row| row.outcome != FigureOutcome::Regression);
        rows
    }

    fn runs(&self) -> Vec<&str> {
        let mut runs: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !runs.contains(&row.run.as_str()) {
                runs.push(&row.run);
            }
        }
        runs
    }

    /// A table for a terminal: what is judged, and with `has_all` the rest.
    pub fn text(&self, has_all: bool) -> String {
        let mut text = String::new();
        let mut left_out = 0;
        for run in self.runs() {
            let (judged, rest) = (self.rows_of(run, true), self.rows_of(run, false));
            left_out += rest.len();
            let shown = judged.into_iter().chain(rest.into_iter().filter(|_| has_all));
            let cells: Vec<[String; 5]> = shown
                .map(|row| {
                    let [old, new] = row.figures();
                    [format!("{} {}", row.name, row.stat), old, new, row.difference(), row.outcome.mark().to_owned()]
                })
                .collect();
            let head = [run, "before", "after", "difference", ""];
            let width = |column: usize| {
                let widths = cells.iter().map(|cells| cells[column].chars().count());
                widths.chain([head[column].chars().count()]).max().unwrap_or(0)
            };
            let widths: [usize; 4] = std::array::from_fn(|column| width(column).min(60));
            let mut line = |cells: [&str; 5]| {
                let [name, old, new, difference, mark] = cells;
                let [first, second, third, fourth] = widths;
                let line = format!("{name:<first$}  {old:>second$}  {new:>third$}  {difference:>fourth$}  {mark}");
                _ = writeln!(text, "{}", line.trim_end());
            };
            line(head);
            for row in &cells {
                line(std::array::from_fn(|column| row[column].as_str()));
            }
            text.push('\n');
        }
        if left_out > 0 && !has_all {
            let (s, is, them) = if left_out == 1 { ("", "is", "it") } else { ("s", "are", "them") };
            _ = writeln!(text, "{left_out} more figure{s} {is} not judged; `--all` shows {them}");
        }
        for note in &self.notes {
            _ = writeln!(text, "note: {note}");
        }
        _ = writeln!(text, "{}", self.conclusion());
        text
    }

    /// What matters, for a pull request; the rest folded away.
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n\n", self.conclusion());
        let head = "| | Figure | Before | After | Difference |\n|---|---|---:|---:|---:|\n";
        let line = |row: &ComparedFigure| {
            let mark = if row.outcome == FigureOutcome::Regression { "❌ " } else { "" };
            let why = match row.outcome {
                FigureOutcome::NotComparable | FigureOutcome::OtherLoad => format!(", {}", row.outcome.mark()),
                _ => String::new(),
            };
            let name = row.name.replace('|', "\\|").replace('<', "&lt;");
            let [old, new] = row.figures();
            format!("| {mark}{} | {name} {} | {old} | {new} | {}{why} |\n", row.run, row.stat, row.difference())
        };
        text.push_str(head);
        text.extend(self.runs().into_iter().flat_map(|run| self.rows_of(run, true)).map(line));
        text.push_str("\n<details><summary>Everything else</summary>\n\n");
        text.push_str(head);
        text.extend(self.rows.iter().filter(|row| row.outcome == FigureOutcome::NotJudged).map(line));
        text.push_str("\n</details>\n");
        for note in &self.notes {
            _ = writeln!(text, "\n- {note}");
        }
        text
    }
}

impl ComparedFigure {
    fn figures(&self) -> [String; 2] {
        let text = |value, other| figure::text_beside(value, other, self.unit);
        [text(self.before, self.after), text(self.after, self.before)]
    }

    /// Absolute and relative: `+4.5 ms (+12.3 %)`; shares differ by points only.
    fn difference(&self) -> String {
        if self.after == self.before {
            return "same".to_owned();
        }
        let absolute = figure::difference(self.before, self.after, self.unit);
        match figure::relative_difference(self.before, self.after).filter(|_| self.unit != Unit::Share) {
            Some(relative) => format!("{absolute} ({relative})"),
            None => absolute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_worse() {
        let check = |worse: Worse, before: f64, after: f64, expect: Option<f64>| {
            let by = regression(worse, before, after, 0.0).map(|by| by.round());
            assert_eq!(by, expect, "{before} {after}");
        };
        check(Worse::Longer, 10.0, 12.0, Some(20.0));
        check(Worse::Longer, 12.0, 10.0, None);
        check(Worse::Longer, 0.1, 0.5, None);
        check(Worse::More, 0.0, 0.1, Some(f64::INFINITY));
        check(Worse::More, 0.0, 0.0005, None);
        check(Worse::LessOfAll, 0.99, 0.9, Some(900.0));
        check(Worse::Fewer, 100.0, 80.0, Some(20.0));
        check(Worse::Fewer, 80.0, 100.0, None);
        assert_eq!(regression(Worse::Longer, 10.0, 12.0, 3.0), None);
    }

    #[test]
    fn repeated_runs_are_one_with_a_spread() {
        let run = |p95: f64| ComparedRun {
            metrics: [("d".to_owned(), [("p(95)".to_owned(), p95)].into())].into(),
            ..ComparedRun::default()
        };
        let runs = [("s_1", 10.0), ("s_2", 14.0), ("s_3", 11.0), ("b", 1.0), ("c_1", 2.0)];
        let all = joined(runs.map(|(name, p95)| (name.to_owned(), run(p95))).into());
        assert_eq!(all.keys().collect::<Vec<_>>(), ["b", "c_1", "s"]);
        let joined = &all["s"];
        assert_eq!(joined.metrics["d"]["p(95)"], 11.0);
        assert_eq!(joined.spread[&("d".to_owned(), "p(95)".to_owned())], 4.0);
    }
}
