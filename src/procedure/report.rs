//! Everything a procedure leaves to read, made from the raw files of its folder and nothing else: the page, the text for
//! a pull request, the figures for the next comparison, and the verdict.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::finding_kinds::Severity;
use super::findings::Finding;
use super::journal::{CheckState, EntryState, TestDataSummary, write_file};
use super::metric_roles::MetricRoles;
use super::results::{ProcedureResults, RunResult};
use super::verdict::{Judgement, Verdict, judge};
use super::{performance, readiness};
use crate::failure::Failure;
use crate::report::{PageMode, page};
use crate::summary::headline::{Headline, failed_shares_of, headline};
use crate::units::figure::{self, Unit};
use crate::units::number;

/// The version of `baseline_metrics.json`.
const VERSION: u64 = 1;

/// The format of `baseline_metrics.json`.
pub const FORMAT: &str = "volley-baseline";

/// The file the next comparison reads.
pub const BASELINE: &str = "baseline_metrics.json";

/// Makes all files of a folder again.
///
/// # Errors
/// A folder without a journal, a disk that refuses.
pub fn write_all(folder: &Path) -> Result<Judgement, Failure> {
    let results = ProcedureResults::read(folder)?;
    let judgement = judge(&results);
    let write = |name: &str, text: &str| write_file(&folder.join(name), text.as_bytes());
    let baseline = serde_json::to_string_pretty(&baseline(&results, &judgement)).unwrap_or_default();
    write(BASELINE, &format!("{baseline}\n"))?;
    let notes: Vec<String> = scale_note(&results).into_iter().chain(results.journal.notes.iter().cloned()).collect();
    write("readiness.txt", &readiness::text(&results, &judgement, &notes))?;
    write("report.md", &markdown(&results, &judgement))?;
    let document = document(&results, &judgement).to_string();
    write("report.html", &page(&document, &results.journal.name, PageMode::File))?;
    Ok(judgement)
}

/// What the page shows when all is over, as JSON.
///
/// # Errors
/// A folder without a journal.
pub fn page_document(folder: &Path) -> Result<String, Failure> {
    let results = ProcedureResults::read(folder)?;
    Ok(document(&results, &judge(&results)).to_string())
}

/// What the page shows while runs are still to come: what was judged so far, without a verdict.
pub fn live_document(results: &ProcedureResults) -> Value {
    let mut document = document(results, &judge(results));
    let procedure = &mut document["procedure"];
    procedure["verdict"] = "RUNNING".into();
    procedure["words"] = "Running".into();
    for one in procedure["criteria"].as_array_mut().into_iter().flatten() {
        if one["state"] == "not measured" {
            one["state"] = "to come".into();
            one["achieved_text"] = "–".into();
        }
    }
    let entries = results.journal.runs.iter();
    for (card, entry) in procedure["cards"].as_array_mut().into_iter().flatten().zip(entries) {
        match entry.state {
            EntryState::Running => card["state"] = "running".into(),
            EntryState::Pending => card["state"] = "to come".into(),
            _ => (),
        }
    }
    document
}

fn baseline(results: &ProcedureResults, judgement: &Judgement) -> Value {
    let journal = &results.journal;
    let runs = results.runs.iter().filter(|run| run.document.is_some()).map(|run| {
        let endpoints = run.document.as_ref().and_then(|document| document["endpoints"].as_array());
        let endpoints: Vec<Value> = endpoints
            .into_iter()
            .flatten()
            .map(|endpoint| {
                json!({"name": endpoint["name"], "method": endpoint["method"], "requests": endpoint["requests"],
                    "rate": endpoint["rate"], "failed": endpoint["failed"], "duration": endpoint["duration"]["values"]})
            })
            .collect();
        let facts = json!({"state": run.entry.state, "script": run.entry.script, "plan": run.entry.plan,
            "performance_metrics": performance::metrics(run, &journal.metrics), "seconds": run.seconds(), "exit_code": run.entry.exit_code, "metrics": run.figures(), "endpoints": endpoints});
        (run.entry.name.clone(), facts)
    });
    let main = performance::main_run(results, judgement);
    json!({
        "format": FORMAT,
        "version": VERSION,
        "name": journal.name,
        "environment": journal.environment,
        "phase": journal.phase,
        "date": journal.started,
        "scale": journal.scale,
        "verdict": judgement.verdict,
        "is_rehearsal": judgement.is_rehearsal,
        "reason": judgement.reason,
        "cache_enabled": performance::cache_enabled(main, &journal.metrics),
        "performance_metrics": main.map(|run| performance::metrics(run, &journal.metrics)),
        "success_criteria": performance::criteria(judgement),
        "recommendations": readiness::recommendations(results, judgement),
        "runs": Value::Object(runs.collect::<Map<_, _>>()),
        "criteria": judgement.criteria,
        "findings": judgement.findings,
    })
}

/// `scale` in words, where it is not 1: such a result is a rehearsal.
fn scale_note(results: &ProcedureResults) -> Option<String> {
    let scale = results.journal.scale;
    (scale != 1.0).then(|| format!("All durations were multiplied by {scale}: this is a rehearsal, not a measurement."))
}

/// Text that can stand in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ").replace('<', "&lt;")
}

/// Text that stands there as code, also in a cell of a table; what would end it is another sign.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|").replace('\n', " ").replace('`', "'"))
}

/// A moment of the journal to the minute: `2026-11-27 08:29 UTC`; what is no such moment stays as it is.
pub fn minute(moment: &str) -> String {
    let read = moment.parse::<jiff::Timestamp>().map(|moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string());
    read.unwrap_or_else(|_| moment.to_owned())
}

fn markdown(results: &ProcedureResults, judgement: &Judgement) -> String {
    let journal = &results.journal;
    let mark = match judgement.verdict {
        Verdict::Approved => "✅",
        Verdict::ApprovedWithFindings | Verdict::Rehearsal | Verdict::Incomplete => "⚠️",
        Verdict::NotApproved => "❌",
    };
    let mut text = format!("## {mark} {}: {}\n\n", cell(&journal.name), judgement.words());
    _ = writeln!(
        text,
        "Reason: {}. Environment {}, {}.",
        cell(&judgement.reason),
        code(&journal.environment),
        minute(&journal.started)
    );
    for note in scale_note(results).iter().chain(&journal.notes) {
        _ = writeln!(text, "\n> {}", cell(note));
    }
    text.push_str("\n| | Criterion | Wanted | Achieved |\n|---|---|---|---|\n");
    let mut criteria: Vec<_> = judgement.criteria.iter().collect();
    criteria.sort_by_key(|one| ["fail", "not measured", "pass"].iter().position(|state| *state == one.state));
    for one in criteria {
        let mark = match one.state {
            "pass" => "✅ pass",
            "fail" => "❌ fail",
            _ => "⚠️ not measured",
        };
        let (name, target, achieved) = (code(&one.name), cell(&one.target_text), cell(&one.achieved_text));
        _ = writeln!(text, "| {mark} | {name} | {target} | {achieved} |");
    }
    if !judgement.findings.is_empty() {
        text.push_str("\n### Findings\n\n");
        for finding in &judgement.findings {
            let run = finding.run.as_ref().map(|run| format!("**{run}**: ")).unwrap_or_default();
            let (severity, seen) = (finding.severity.word(), cell(&finding.text));
            let hint = if finding.hint.is_empty() { String::new() } else { format!("; {}", cell(&finding.hint)) };
            _ = writeln!(text, "- {severity}: {run}{seen}{}{hint}", finding.changed());
        }
    }
    text.push_str("\n| Run | | Requests | Rate | Median | p95 | p99 | Max | Failed | Checks | Cache hits |\n");
    text.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for run in &results.runs {
        let figures: Vec<String> = figures(run, &journal.metrics)
            .into_iter()
            .map(|(_, text)| text.unwrap_or_else(|| "–".to_owned()))
            .collect();
        let state = run.entry.state.word();
        _ = writeln!(text, "| {} ({}) | {state} | {} |", run.entry.name, cell(&run.entry.plan), figures.join(" | "));
    }
    if !judgement.comparison.is_empty() {
        text.push_str("\n<details><summary>Against the baseline</summary>\n\n");
        text.push_str("| Run | Figure | In the baseline | In the run | Difference |\n|---|---|---:|---:|---:|\n");
        for row in &judgement.comparison {
            let (old, new, difference) = (&row.baseline_text, &row.value_text, &row.difference);
            _ = writeln!(text, "| {} | {} | {old} | {new} | {difference} |", row.run, code(&row.figure));
        }
        text.push_str("\n</details>\n");
    }
    text
}

/// What is shown of every run, beside cache hits: title, metric, figure.
const FIGURES: [(&str, &str, &str); 8] = [
    ("Requests", "http_reqs", "count"),
    ("Rate", "http_reqs", "rate"),
    ("Median", "http_req_duration", "med"),
    ("p(95)", "http_req_duration", "p(95)"),
    ("p(99)", "http_req_duration", "p(99)"),
    ("Max", "http_req_duration", "max"),
    ("Failed", "http_req_failed", "rate"),
    ("Checks", "checks", "rate"),
];

/// The figures of a run for people, with their titles; nothing for those that were not measured.
fn figures(run: &RunResult, roles: &MetricRoles) -> Vec<(&'static str, Option<String>)> {
    let hits = run.cache_hit_metric(roles).and_then(|metric| run.text(metric, "rate"));
    let figures = FIGURES.iter().map(|(title, metric, stat)| (*title, run.text(metric, stat)));
    figures.chain([("Cache hits", hits)]).collect()
}

/// What the page draws: see `summary/README.md`.
fn document(results: &ProcedureResults, judgement: &Judgement) -> Value {
    let journal = &results.journal;
    let runs: Vec<Value> = results
        .runs
        .iter()
        .filter_map(|run| {
            let mut document = run.document.clone()?;
            document["name"] = run.entry.name.clone().into();
            if document.pointer("/run/is_over") == Some(&Value::Bool(true)) {
                let head = head(run, journal.limits.failed);
                document["verdict"]["headline"] = head.text.into();
                document["verdict"]["is_good"] = head.is_good.into();
            }
            document["panels"] = panels(run).into();
            document["lists"] = lists(run).into();
            // They would be nine tenths of the page.
            leave_out_merging(&mut document);
            Some(document)
        })
        .collect();
    let cards: Vec<Value> = results
        .runs
        .iter()
        .map(|run| {
            let name = Some(&run.entry.name);
            let of_run = || judgement.findings.iter().filter(|finding| finding.run.as_ref() == name);
            let is_good = run.entry.state == EntryState::Finished
                && run.entry.exit_code == Some(0)
                && !of_run().any(|finding| finding.severity == Severity::Blocking);
            // What only the procedure file does not mind is no reason for a tick.
            let is_tolerated = is_good && of_run().any(Finding::is_lowered);
            let figures = figures(run, &journal.metrics);
            let figures = figures.into_iter().filter_map(|(title, text)| Some(json!([title, text?])));
            json!({"name": run.entry.name, "plan": run.entry.plan, "state": run.entry.state.word(),
                "is_good": is_good, "is_tolerated": is_tolerated, "note": run.entry.note,
                "figures": figures.collect::<Vec<_>>()})
        })
        .collect();
    let comparison: Vec<Value> = judgement
        .comparison
        .iter()
        .map(|row| {
            json!({"run": row.run, "figure": row.figure, "baseline": row.baseline_text, "value": row.value_text,
                "difference": row.difference, "direction": row.direction})
        })
        .collect();
    let checks: Vec<Value> = journal
        .checks
        .iter()
        .map(|check| json!({"name": check.name, "is_good": check.state == CheckState::Ok, "is_warning": check.state == CheckState::Warning, "text": check.text, "hint": check.hint}))
        .collect();
    let notes: Vec<String> = scale_note(results).into_iter().chain(journal.notes.iter().cloned()).collect();
    json!({
        "format": "volley-report",
        "version": 1,
        "procedure": {
            "name": journal.name,
            "verdict": judgement.verdict,
            "words": judgement.words(),
            "reason": judgement.reason,
            "facts": [journal.environment, journal.base_url, journal.phase, journal.started],
            "notes": notes,
            "data": journal.data.as_ref().map(TestDataSummary::words),
            "criteria": judgement.criteria,
            "findings": judgement.findings,
            "cards": cards,
            "comparison": comparison,
            "checks": checks,
        },
        "runs": runs,
    })
}

/// The head of a run that is over, with what the procedure counts as too much.
fn head(run: &RunResult, max_failed: f64) -> Headline {
    let document = run.document.as_ref().unwrap_or(&Value::Null);
    let verdict = &document["verdict"];
    let code = verdict["exit_code"].as_u64().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    let has_thresholds = verdict["thresholds_judged"] == true
        && document["thresholds"].as_array().is_some_and(|thresholds| !thresholds.is_empty());
    headline(code, has_thresholds, &failed_shares_of(&|metric| run.rate(metric)), max_failed)
}

/// Charts of what collectors saw, in seconds since the run began.
fn panels(run: &RunResult) -> Vec<Value> {
    let Some(began) = run.began_ms() else { return Vec::new() };
    let end = began + run.seconds().unwrap_or(0.0) * 1e3;
    let mut panels: Vec<(String, String, Vec<f64>, Vec<Value>)> = Vec::new();
    for (name, series) in run.collected.iter().flat_map(|collected| &collected.series) {
        // A moment before the run and after it was sampled too; the page's time is the run's.
        let inside: Vec<usize> =
            (0..series.times.len()).filter(|place| (began..=end + 1.0).contains(&series.times[*place])).collect();
        if inside.is_empty() {
            continue;
        }
        let x: Vec<f64> = inside.iter().map(|place| ((series.times[*place] - began).round() / 1e3).max(0.0)).collect();
        let values: Vec<f64> = inside.iter().map(|place| series.values[*place]).collect();
        let line = json!({"name": name, "values": values});
        match panels.iter_mut().find(|panel| panel.0 == series.panel && panel.2 == x) {
            Some(panel) => panel.3.push(line),
            None => panels.push((series.panel.clone(), series.unit.clone(), x, vec![line])),
        }
    }
    let panel = |(title, unit, x, lines)| json!({"title": title, "unit": unit, "x": x, "lines": lines});
    panels.into_iter().map(panel).collect()
}

/// Takes out of a document what is there for merging it with others.
fn leave_out_merging(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let of_merges = ["histogram", "exact_values", "sketches", "slices"];
            // A series over time is filed under the name of its metric, which may be one of these, and says its type.
            map.retain(|key, value| !of_merges.contains(&key.as_str()) || value.get("type").is_some());
            map.values_mut().for_each(leave_out_merging);
        }
        Value::Array(list) => list.iter_mut().for_each(leave_out_merging),
        _ => {}
    }
}

/// What collectors saw before and after the run, as far as it is for readers.
fn lists(run: &RunResult) -> Vec<Value> {
    let rows = |value: &Value, row: &dyn Fn(&Value) -> [String; 3]| -> Vec<[String; 3]> {
        value.as_array().into_iter().flatten().map(row).collect()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let counters = |after: &Value| -> Vec<[String; 3]> {
        let added = after["counters"].as_object().into_iter().flatten();
        let row = |(name, value): (&String, &Value)| {
            let (unit, rate) = match name.ends_with("_bytes") {
                true => (Unit::Bytes, Unit::BytesPerSecond),
                false => (Unit::Count, Unit::PerSecond("")),
            };
            let value = value.as_f64().unwrap_or_default();
            let per_second = run.seconds().filter(|seconds| *seconds > 0.0).map(|seconds| value / seconds);
            let per_second = per_second.map_or_else(|| "–".to_owned(), |value| figure::text(value, rate));
            [name.replace('_', " "), figure::text(value, unit), per_second]
        };
        added.map(row).collect()
    };
    let size = |value: &Value| {
        let bytes = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        bytes.map_or_else(|| "–".to_owned(), number::bytes)
    };
    let mut lists = Vec::new();
    for collected in &run.collected {
        let (before, after) = (&collected.before, &collected.after);
        let told = match collected.collector.as_str() {
            "postgres" => {
                let old = |name: &Value| {
                    let tables = before["tables"].as_array().into_iter().flatten();
                    tables
                        .into_iter()
                        .find(|table| table["table"] == *name)
                        .map_or(&Value::Null, |table| &table["bytes"])
                };
                let tables = rows(&after["tables"], &|table| {
                    [text(&table["table"]), size(old(&table["table"])), size(&table["bytes"])]
                });
                let statements = rows(&after["statements"], &|one| {
                    let of = |key: &str, unit| {
                        // Older results have texts.
                        let value = one[key].as_f64().or_else(|| one[key].as_str()?.parse().ok());
                        figure::text(value.unwrap_or_default(), unit)
                    };
                    [text(&one["query"]), of("calls", Unit::Count), of("mean_ms", Unit::Time)]
                });
                vec![
                    (
                        "Database statements",
                        "those that took longest over the run",
                        true,
                        ["Statement", "Calls", "Mean"],
                        statements,
                    ),
                    ("Database tables", "with their indexes", true, ["Table", "Before", "After"], tables),
                    ("Database counters", "over the run", false, ["Counter", "Added", "Per second"], counters(after)),
                ]
            }
            "redis" => {
                vec![("Redis counters", "over the run", false, ["Counter", "Added", "Per second"], counters(after))]
            }
            "host" => {
                let processes = rows(&after["by_cpu"], &|one| {
                    [
                        text(&one["name"]),
                        format!("{:.1} s", one["cpu_seconds"].as_f64().unwrap_or_default()),
                        size(&one["memory_bytes"]),
                    ]
                });
                vec![(
                    "Processes",
                    "those that used most of the processor",
                    false,
                    ["Process", "Processor", "Memory"],
                    processes,
                )]
            }
            _ => Vec::new(),
        };
        lists.extend(told.into_iter().filter(|told| !told.4.is_empty()).map(|(title, note, is_code, columns, rows)| {
            json!({"title": title, "note": note, "is_code": is_code, "columns": columns, "rows": rows})
        }));
    }
    lists
}
