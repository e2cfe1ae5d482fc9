//! Two results beside each other: every metric and endpoint, and what got worse.
//!
//! What counts as worse is decided by what is measured: durations and failures should be small, rates of requests, checks
//! and hits large. Everything else is shown and not judged. Half a millisecond is noise; of repeated runs (`stress_1`,
//! `stress_2`, …) the medians are compared, and what lies within their spread is noise.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::archive;
use super::report::{BASELINE, FORMAT};
use super::verdict::shown;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

type Figures = BTreeMap<String, f64>;

/// The figures of one run.
#[derive(Debug, Default)]
struct Run {
    metrics: BTreeMap<String, Figures>,
    endpoints: BTreeMap<String, Figures>,
    /// How far apart repeated runs were, by metric or `endpoint NAME`, and figure.
    spread: BTreeMap<(String, String), f64>,
}

/// Both sides, compared.
pub struct Comparison {
    rows: Vec<Row>,
    notes: Vec<String>,
    limit: Option<f64>,
}

struct Row {
    run: String,
    name: String,
    stat: &'static str,
    before: f64,
    after: f64,
    /// It got worse by more than the limit, or than nothing if there is none.
    is_regression: bool,
    is_judged: bool,
}

/// Differences of times below this many milliseconds are noise.
const NOISE: f64 = 0.5;
/// Differences of shares below this are noise.
const SHARE_NOISE: f64 = 0.001;
/// Endpoints that were asked less often are not judged.
const ENOUGH: f64 = 100.0;
/// What is shown, in this order.
const STATS: [&str; 10] = ["count", "rate", "avg", "med", "p(90)", "p(95)", "p(99)", "max", "min", "value"];

/// Compares two summaries, results folders or archives.
///
/// # Errors
/// What can't be read, or holds no figures.
pub fn compare(before: &Path, after: &Path, limit: Option<f64>) -> Result<Comparison, Failure> {
    let mut compared = Comparison { rows: Vec::new(), notes: Vec::new(), limit };
    let (old, new) = (load(before, &mut compared.notes)?, load(after, &mut compared.notes)?);
    // Two single runs are compared whatever their names are.
    let pairs: Vec<(String, &Run, &Run)> = match (old.len(), new.len()) {
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

fn load(path: &Path, notes: &mut Vec<String>) -> Result<BTreeMap<String, Run>, Failure> {
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
                let state = run["state"].as_str().unwrap_or("not finished");
                notes.push(format!("{}: run `{name}` is left out, it was {state}", path.display()));
                continue;
            }
            let metrics = run["metrics"].as_object().into_iter().flatten();
            let metrics = metrics.map(|(name, values)| (name.clone(), figures(values)));
            runs.insert(
                name.clone(),
                Run { metrics: metrics.collect(), endpoints: endpoints(&run["endpoints"]), ..Run::default() },
            );
        }
    } else if value["format"] == "volley-summary" {
        let metrics = value["metrics"].as_array().into_iter().flatten();
        let metrics =
            metrics.filter_map(|metric| Some((metric["name"].as_str()?.to_owned(), figures(&metric["values"]))));
        runs.insert(
            "run".to_owned(),
            Run { metrics: metrics.collect(), endpoints: endpoints(&value["endpoints"]), ..Run::default() },
        );
    } else if let Some(metrics) = value["metrics"].as_object() {
        runs.insert("run".to_owned(), Run { metrics: exported(metrics), ..Run::default() });
    }
    runs.retain(|_, run| !run.metrics.is_empty());
    if runs.is_empty() {
        return Err(wrong("there are no figures of a run in it"));
    }
    Ok(joined(runs))
}

/// Repeated runs as one: the medians of their figures, and how far apart they were.
fn joined(runs: BTreeMap<String, Run>) -> BTreeMap<String, Run> {
    let mut groups: BTreeMap<String, Vec<(String, Run)>> = BTreeMap::new();
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
        let mut join = |kind: &str, part: &dyn Fn(&Run) -> &BTreeMap<String, Figures>| {
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
        all.insert(stem, Run { metrics, endpoints, spread });
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

fn figures(values: &Value) -> Figures {
    let pairs = values.as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_f64()?))).collect()
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
        return ["http_reqs", "iterations"].contains(&base).then_some(Worse::Fewer);
    }
    let has = |words: &[&str]| words.iter().any(|word| base.contains(word));
    match () {
        () if has(&["fail", "error"]) => Some(Worse::More),
        () if has(&["check", "success"]) => Some(Worse::LessOfAll),
        () if has(&["hit"]) => Some(Worse::Fewer),
        () => None,
    }
}

/// By how many percent it got worse; nothing if it did not, or by no more than noise.
fn regression(worse: Worse, before: f64, after: f64, spread: f64) -> Option<f64> {
    let (old, new, noise) = match worse {
        Worse::Longer => (before, after, NOISE),
        Worse::More => (before, after, SHARE_NOISE),
        Worse::LessOfAll => (1.0 - before, 1.0 - after, SHARE_NOISE),
        Worse::Fewer => (-before, -after, 0.0),
    };
    (new - old > noise.max(spread)).then(|| if old == 0.0 { f64::INFINITY } else { (new - old) / old.abs() * 100.0 })
}

impl Comparison {
    fn run(&mut self, run: &str, old: &Run, new: &Run) {
        let sides = [("", &old.metrics, &new.metrics), ("endpoint ", &old.endpoints, &new.endpoints)];
        let (first, second) = (&old.spread, &new.spread);
        for (kind, old, new) in sides {
            for (name, before) in old {
                let Some(after) = new.get(name) else {
                    self.notes.push(format!("{run}: {kind}`{name}` is only in the first"));
                    continue;
                };
                for stat in STATS {
                    let Some((old, new)) = before.get(stat).copied().zip(after.get(stat).copied()) else { continue };
                    let worse = if kind.is_empty() {
                        worse(name, stat, before)
                    } else {
                        let enough = |figures: &Figures| figures.get("count").is_some_and(|count| *count >= ENOUGH);
                        (stat == "p(95)" && enough(before) && enough(after)).then_some(Worse::Longer)
                    };
                    let key = (format!("{kind}{name}"), stat.to_owned());
                    let spread =
                        [first, second].iter().filter_map(|spread| spread.get(&key)).fold(0.0, |a, b| b.max(a));
                    let by = worse.and_then(|worse| regression(worse, old, new, spread));
                    self.rows.push(Row {
                        run: run.to_owned(),
                        name: format!("{kind}{name}"),
                        stat,
                        before: old,
                        after: new,
                        is_regression: by.is_some_and(|by| self.limit.is_some_and(|limit| by > limit)),
                        is_judged: worse.is_some(),
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
        self.rows.iter().any(|row| row.is_regression)
    }

    fn conclusion(&self) -> String {
        let judged = self.rows.iter().filter(|row| row.is_judged).count();
        let bad: Vec<String> = self
            .rows
            .iter()
            .filter(|row| row.is_regression)
            .map(|row| format!("{} {} {}", row.run, row.name, row.stat))
            .collect();
        match (self.limit, bad.is_empty()) {
            (None, _) => format!("{judged} figures could be judged with --fail-on-regression"),
            (Some(limit), true) => {
                format!("No regression: none of {judged} judged figures got worse by more than {limit}%")
            }
            (Some(limit), false) => {
                format!("Regression: {} of {judged} judged figures got worse by more than {limit}%", bad.len())
            }
        }
    }

    /// All of it, for a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let width =
            self.rows.iter().map(|row| row.name.chars().count() + row.stat.len() + 1).max().unwrap_or(0).min(60);
        let mut run = "";
        for row in &self.rows {
            if row.run != run {
                run = &row.run;
                _ = writeln!(text, "{run}");
            }
            let name = format!("{} {}", row.name, row.stat);
            let mark = if row.is_regression { " ✗ regression" } else { "" };
            let (old, new) = (shown(row.before), shown(row.after));
            _ = writeln!(
                text,
                "  {name:<width$} {old:>16} {new:>16} {:>16} {:>9}{mark}",
                row.absolute(),
                row.relative()
            );
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
        let head = "| | Figure | Before | After | Difference | |\n|---|---|---:|---:|---:|---:|\n";
        let line = |row: &Row| {
            let mark = if row.is_regression { "❌" } else { "" };
            let name = row.name.replace('|', "\\|").replace('<', "&lt;");
            let (old, new) = (shown(row.before), shown(row.after));
            let (absolute, relative) = (row.absolute(), row.relative());
            format!("| {mark} {} | {name} {} | {old} | {new} | {absolute} | {relative} |\n", row.run, row.stat)
        };
        text.push_str(head);
        text.extend(self.rows.iter().filter(|row| row.is_judged).map(line));
        text.push_str("\n<details><summary>Everything else</summary>\n\n");
        text.push_str(head);
        text.extend(self.rows.iter().filter(|row| !row.is_judged).map(line));
        text.push_str("\n</details>\n");
        for note in &self.notes {
            _ = writeln!(text, "\n- {note}");
        }
        text
    }
}

impl Row {
    fn absolute(&self) -> String {
        let difference = self.after - self.before;
        if difference > 0.0 { format!("+{}", shown(difference)) } else { shown(difference) }
    }

    fn relative(&self) -> String {
        match (self.before == 0.0, self.after == 0.0) {
            (true, true) => "0.0%".to_owned(),
            (true, false) => "new".to_owned(),
            _ => format!("{:+.1}%", (self.after - self.before) / self.before.abs() * 100.0),
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
        let run =
            |p95: f64| Run { metrics: [("d".to_owned(), [("p(95)".to_owned(), p95)].into())].into(), ..Run::default() };
        let runs = [("s_1", 10.0), ("s_2", 14.0), ("s_3", 11.0), ("b", 1.0), ("c_1", 2.0)];
        let all = joined(runs.map(|(name, p95)| (name.to_owned(), run(p95))).into());
        assert_eq!(all.keys().collect::<Vec<_>>(), ["b", "c_1", "s"]);
        let joined = &all["s"];
        assert_eq!(joined.metrics["d"]["p(95)"], 11.0);
        assert_eq!(joined.spread[&("d".to_owned(), "p(95)".to_owned())], 4.0);
    }
}
