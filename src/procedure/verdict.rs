//! The verdict, derived from the criteria and nothing else: each with target, achieved, and pass, fail or not measured.
//!
//! Findings are symptoms with hints; they can spoil an approval, never make one.

use std::cell::RefCell;

use serde::Serialize;
use serde_json::Value;

use super::expression::Expression;
use super::journal::{CheckState, State};
use super::results::{Results, RunResult};
use crate::units::number;

/// What a procedure came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// All criteria hold, and nothing was found.
    #[serde(rename = "APPROVED")]
    Approved,
    /// All criteria hold.
    #[serde(rename = "APPROVED WITH FINDINGS")]
    ApprovedWithFindings,
    /// A criterion does not hold.
    #[serde(rename = "NOT APPROVED")]
    NotApproved,
    /// Something was not measured.
    #[serde(rename = "INCOMPLETE")]
    Incomplete,
}

impl Verdict {
    /// The words for it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::ApprovedWithFindings => "APPROVED WITH FINDINGS",
            Self::NotApproved => "NOT APPROVED",
            Self::Incomplete => "INCOMPLETE",
        }
    }
}

/// One criterion, judged.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// What it is called.
    pub name: String,
    /// As typed.
    pub expression: String,
    /// The comparison and its right side, with the number it came to.
    pub target_text: String,
    /// The right side.
    pub target: Option<f64>,
    /// The left side.
    pub achieved: Option<f64>,
    /// The left side in words.
    pub achieved_text: String,
    /// `pass`, `fail` or `not measured`.
    pub state: &'static str,
}

/// A symptom.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// One of [`super::file::FINDINGS`].
    pub kind: &'static str,
    /// The run it was seen in.
    pub run: Option<String>,
    /// What was seen.
    pub text: String,
    /// What to do.
    pub hint: String,
}

/// One figure of one run beside the same of the baseline.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The run.
    pub run: String,
    /// Metric and figure.
    pub figure: String,
    /// In the baseline.
    pub baseline: f64,
    /// In the run.
    pub value: f64,
    /// In the baseline, in words.
    pub baseline_text: String,
    /// In the run, in words.
    pub value_text: String,
    /// The difference in percent of the baseline; nothing where that is 0.
    pub percent: Option<f64>,
    /// `better`, `worse`, `same`, or empty where neither is.
    pub direction: &'static str,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// What it came to.
    pub verdict: Verdict,
    /// Why, in one line.
    pub reason: String,
    /// The criteria.
    pub criteria: Vec<Judged>,
    /// The symptoms.
    pub findings: Vec<Finding>,
    /// All runs beside the baseline.
    pub comparison: Vec<Compared>,
}

/// What is compared with the baseline: metric, figure, and which way is better (`-` less, `+` more).
const COMPARED: [(&str, &str, char); 13] = [
    ("http_req_duration", "med", '-'),
    ("http_req_duration", "p(90)", '-'),
    ("http_req_duration", "p(95)", '-'),
    ("http_req_duration", "p(99)", '-'),
    ("http_req_duration", "max", '-'),
    ("http_req_duration", "avg", '-'),
    ("http_reqs", "rate", '+'),
    ("http_req_failed", "rate", '-'),
    ("errors", "rate", '-'),
    ("checks", "rate", '+'),
    ("cache_hits", "rate", '+'),
    ("data_received", "rate", ' '),
    ("data_sent", "rate", ' '),
];

/// Judges the results of a folder.
pub fn judge(results: &Results) -> Judgement {
    let names: Vec<&str> = results.runs.iter().map(|run| run.entry.name.as_str()).collect();
    let criteria = &results.journal.criteria;
    let criteria: Vec<Judged> = criteria.iter().map(|(name, text)| criterion(name, text, &names, results)).collect();
    let findings = findings(results);
    let open: Vec<String> = results
        .runs
        .iter()
        .filter(|run| !matches!(run.entry.state, State::Finished | State::Skipped))
        .map(|run| format!("run `{}` was {}", run.entry.name, run.entry.state.word()))
        .collect();
    let count = |state: &str| criteria.iter().filter(|one| one.state == state).count();
    let (failed, unmeasured) = (count("fail"), count("not measured"));
    let of = |part: usize| format!("{part} of {} criteria", criteria.len());
    let all = match criteria.len() {
        1 => "the one criterion holds".to_owned(),
        several => format!("all {several} criteria hold"),
    };
    let (verdict, reason) = if failed > 0 {
        (Verdict::NotApproved, format!("{} failed", of(failed)))
    } else if unmeasured > 0 || criteria.is_empty() || !open.is_empty() {
        let mut reasons = open;
        if unmeasured > 0 {
            reasons.push(format!("{} were not measured", of(unmeasured)));
        }
        (Verdict::Incomplete, reasons.join("; "))
    } else if !findings.is_empty() {
        let findings = findings.len();
        let s = if findings == 1 { "" } else { "s" };
        (Verdict::ApprovedWithFindings, format!("{all}; {findings} finding{s}"))
    } else {
        (Verdict::Approved, all)
    };
    Judgement { verdict, reason, criteria, findings, comparison: comparison(results) }
}

fn criterion(name: &str, text: &str, names: &[&str], results: &Results) -> Judged {
    let mut judged = Judged {
        name: name.to_owned(),
        expression: text.to_owned(),
        target_text: String::new(),
        target: None,
        achieved: None,
        achieved_text: String::new(),
        state: "not measured",
    };
    let read = match Expression::parse(text, names) {
        Ok(read) => read,
        Err(why) => {
            judged.achieved_text = format!("not measured: {why}");
            return judged;
        }
    };
    let missing = RefCell::new(None);
    let outcome = read.judge(&|figure| match results.figure(figure) {
        Ok(value) => Some(value),
        Err(why) => {
            missing.borrow_mut().get_or_insert(why);
            None
        }
    });
    judged.target = outcome.target;
    judged.achieved = outcome.achieved;
    let typed = &read.sides.1;
    judged.target_text = match outcome.target {
        Some(target) if typed.parse::<f64>().is_err() => format!("{} {typed} = {}", read.comparison(), shown(target)),
        _ => format!("{} {typed}", read.comparison()),
    };
    judged.state = match outcome.passed {
        Some(true) => "pass",
        Some(false) => "fail",
        None => "not measured",
    };
    judged.achieved_text = match (outcome.passed, outcome.achieved) {
        (Some(_), Some(achieved)) => shown(achieved),
        _ => {
            let why = missing.into_inner().unwrap_or_else(|| "there is no such number".to_owned());
            format!("not measured: {why}")
        }
    };
    judged
}

/// A number without its long tail.
pub fn shown(value: f64) -> String {
    number::plain(value)
}

fn comparison(results: &Results) -> Vec<Compared> {
    let Some(baseline) = results.baseline() else { return Vec::new() };
    let mut rows = Vec::new();
    for run in results.runs.iter().filter(|run| run.entry.name != baseline.entry.name) {
        for (metric, stat, better) in COMPARED {
            let Some((old, new)) = baseline.value(metric, stat).zip(run.value(metric, stat)) else { continue };
            let percent = (old != 0.0).then(|| (new - old) / old * 100.0);
            let direction = match better {
                ' ' => "",
                // What would be shown as no difference is none.
                _ if new == old || percent.is_some_and(|percent| percent.abs() < 0.05) => "same",
                '-' if new < old => "better",
                '+' if new > old => "better",
                _ => "worse",
            };
            let text = |run: &RunResult, value| run.text(metric, stat).unwrap_or_else(|| shown(value));
            rows.push(Compared {
                run: run.entry.name.clone(),
                figure: format!("{metric}.{stat}"),
                baseline: old,
                value: new,
                baseline_text: text(baseline, old),
                value_text: text(run, new),
                percent,
                direction,
            });
        }
    }
    rows
}

/// A p95 above this many milliseconds is slow.
const SLOW: f64 = 200.0;
/// More failures than this share are many.
const MANY: f64 = 0.05;
/// Fewer hits than this share, and a cache does not help.
const FEW_HITS: f64 = 0.5;
/// A median that is not below this part of the baseline's is no gain: less is noise.
const GAIN: f64 = 0.9;
/// A memory that grew by more than this share over a run grows.
const GROWTH: f64 = 1.2;

fn findings(results: &Results) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |kind: &'static str, run: Option<&str>, text: String, hint: &str| {
        let hint = results.journal.hints.get(kind).map_or(hint, String::as_str).to_owned();
        findings.push(Finding { kind, run: run.map(str::to_owned), text, hint });
    };
    for check in results.journal.checks.iter().filter(|check| check.state != CheckState::Ok) {
        let text = format!("check of {}: {}", check.name, check.text);
        find("preflight", None, text, check.hint.as_deref().unwrap_or_default());
    }
    if let Some((records, why)) =
        results.journal.data.as_ref().and_then(|records| Some((records, records.trouble.as_ref()?)))
    {
        let hint = "runs on other data than was meant say less; see the application's log and the procedure's `data`";
        find("data", None, format!("{}: {why}", records.words()), hint);
    }
    let baseline = results.baseline().filter(|run| run.document.is_some());
    for run in &results.runs {
        let name = Some(run.entry.name.as_str());
        for collected in &run.collected {
            if let Some(trouble) = &collected.trouble {
                let text = format!("the collector `{}` had trouble: {trouble}", collected.collector);
                find("collector", name, text, "the series of this run has gaps; see that the service is reachable");
            }
        }
        let Some(document) = &run.document else { continue };
        let refused = document["errors"].as_array().into_iter().flatten();
        let refused = refused.filter(|one| one["text"].as_str().is_some_and(|text| text.contains("refused")));
        let refused: u64 = refused.filter_map(|one| one["count"].as_u64()).sum();
        if refused > 0 {
            let hint = "see whether the application is running, and whether it accepts so many connections";
            find("refused", name, format!("{refused} connections were refused"), hint);
        }
        if let Some(p95) = run.value("http_req_duration", "p(95)").filter(|p95| *p95 > SLOW) {
            let text = format!("p95 of request durations is {} ms, above {SLOW} ms", shown(p95));
            find("slow", name, text, "look at the processor of the application, and whether its cache answers");
        }
        let errors = ["http_req_failed", "errors"].iter().filter_map(|metric| run.value(metric, "rate"));
        if let Some(share) = errors.reduce(f64::max).filter(|share| *share > MANY) {
            let hint = "the log of the application and its connections to the database say why";
            find("errors", name, format!("{} of requests went wrong", number::percent(share)), hint);
        }
        let hits = run.value("cache_hits", "rate");
        let is_other = baseline.is_some_and(|baseline| baseline.entry.name != run.entry.name);
        let median = |run: &RunResult| run.value("http_req_duration", "med");
        let gains = baseline.and_then(median).zip(median(run)).is_some_and(|(old, new)| new < old * GAIN);
        let few = hits.filter(|hits| *hits < FEW_HITS);
        if let Some(hits) = few.filter(|_| is_other && !gains) {
            let text = format!(
                "the cache does not help: {} of reads hit it, no gain over the baseline",
                number::percent(hits)
            );
            find("cache", name, text, "see whether Redis is running, and whether the application uses it");
        }
        if let Some(complaint) = document.pointer("/health/complaint").and_then(Value::as_str) {
            let hint = "figures of this run may be too high; use fewer VUs here, or a larger machine";
            find("generator", name, format!("the load generator could not keep up: {complaint}"), hint);
        }
        if let Some(dropped) = run.value("dropped_iterations", "count").filter(|count| *count > 0.0) {
            let text = format!("{dropped} iterations could not begin in time");
            find("dropped", name, text, "there were too few VUs for this rate, or the application is too slow for it");
        }
        let crossed = document.pointer("/verdict/crossed").and_then(Value::as_array);
        let crossed: Vec<&str> = crossed.into_iter().flatten().filter_map(Value::as_str).collect();
        if !crossed.is_empty() {
            let text = format!("thresholds of the script were crossed: {}", crossed.join(", "));
            find("thresholds", name, text, "the report shows what was seen beside each threshold");
        }
        for series in ["redis_memory", "host_memory_used"] {
            if let Some(growth) = run.series(series).and_then(|series| growth(&series.values)) {
                let text = format!("`{series}` grew by {} over the run", number::percent(growth));
                find("memory", name, text, "a longer run at constant load shows whether it ever stops");
            }
        }
    }
    findings
}

/// How much a series grew, if it grew throughout.
fn growth(values: &[f64]) -> Option<f64> {
    const PARTS: usize = 4;
    if values.len() < 5 * PARTS {
        return None;
    }
    let size = values.len() / PARTS;
    let mean = |part: usize| values[part * size..(part + 1) * size].iter().sum::<f64>() / size as f64;
    let parts: Vec<f64> = (0..PARTS).map(mean).collect();
    let grows = parts.windows(2).all(|pair| pair[1] > pair[0]) && parts[PARTS - 1] > parts[0] * GROWTH;
    grows.then(|| parts[PARTS - 1] / parts[0] - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_when_it_never_stops() {
        let check = |values: Vec<f64>, expect: bool| assert_eq!(growth(&values).is_some(), expect);
        check((100..140).map(f64::from).collect(), true);
        check((100..110).map(f64::from).collect(), false);
        check(vec![100.0; 40], false);
        check((0..40).map(|place| if place < 20 { 100.0 } else { 200.0 }).collect(), false);
    }
}
