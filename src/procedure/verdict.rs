//! The verdict, derived from the criteria and the findings: each criterion with target, achieved, and pass, fail or not
//! measured. Findings can spoil an approval, never make one.

use std::cell::RefCell;

use serde::Serialize;

use super::expression::CriterionExpression;
use super::finding_kinds::Severity;
use super::findings::{Finding, findings};
use super::journal::{CriterionEntry, EntryState};
use super::metric_roles::MetricRoles;
use super::results::{FigureError, ProcedureResults, RunResult};
use crate::units::figure::{self, Unit};

/// What a procedure came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// All criteria hold, and nothing was found that a reader has to know.
    #[serde(rename = "APPROVED")]
    Approved,
    /// All criteria hold, but there are warnings.
    #[serde(rename = "APPROVED WITH FINDINGS")]
    ApprovedWithFindings,
    /// It would be an approval if its durations had not been scaled.
    #[serde(rename = "REHEARSAL")]
    Rehearsal,
    /// A criterion does not hold, or something was found that blocks an approval.
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
            Self::Rehearsal => "REHEARSAL",
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
    /// What is compared: its name, or the left side as typed where it has none.
    pub subject: String,
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
    /// Durations were scaled, whatever the verdict is.
    pub is_rehearsal: bool,
}

impl Judgement {
    /// The verdict in words, with the badge of a rehearsal.
    pub fn words(&self) -> String {
        match (self.is_rehearsal, self.verdict) {
            (true, Verdict::NotApproved | Verdict::Incomplete) => format!("{} (rehearsal)", self.verdict.words()),
            _ => self.verdict.words().to_owned(),
        }
    }
}

impl Judged {
    /// One line: `the cache answers: 99.4 % (wanted > 75 %)`.
    pub fn line(&self) -> String {
        format!("{}: {} (wanted {})", self.subject, self.achieved_text, self.target_text)
    }
}

/// The figures of request durations that are compared with the baseline's.
const DURATIONS: [&str; 6] = ["med", "p(90)", "p(95)", "p(99)", "max", "avg"];

/// What is compared with the baseline: metric, figure, and which way is better (`-` less, `+` more).
fn compared_figures(run: &RunResult, roles: &MetricRoles) -> Vec<(String, &'static str, char)> {
    let mut list = Vec::new();
    let mut add = |metric: &str, stat: &'static str, better: char| list.push((metric.to_owned(), stat, better));
    DURATIONS.iter().for_each(|stat| add("http_req_duration", stat, '-'));
    add("http_reqs", "rate", '+');
    roles.failed.iter().for_each(|metric| add(metric, "rate", '-'));
    add("checks", "rate", '+');
    if let Some(metric) = run.cache_hit_metric(roles) {
        add(metric, "rate", '+');
    }
    add("data_received", "rate", ' ');
    add("data_sent", "rate", ' ');
    list
}

/// Times that differ by fewer milliseconds than this are neither better nor worse.
pub const NOISE_MS: f64 = 0.5;
/// Nor are shares that differ by less than this.
pub const NOISE_SHARE: f64 = 0.001;
/// Nor rates that differ by less than this part.
const NOISE_RATE: f64 = 0.01;

/// So many findings stand in the reason; all of them are listed below it.
const MAX_REASONS: usize = 3;

/// Judges the results of a folder.
pub fn judge(results: &ProcedureResults) -> Judgement {
    let names: Vec<&str> = results.runs.iter().map(|run| run.entry.name.as_str()).collect();
    let mut scarce = Vec::new();
    let criteria = &results.journal.criteria;
    let criteria: Vec<Judged> = criteria.iter().map(|entry| criterion(entry, &names, results, &mut scarce)).collect();
    let findings = findings(results, &scarce);
    let (verdict, reason) = verdict(results, &criteria, &findings);
    let is_rehearsal = results.journal.scale != 1.0;
    Judgement { verdict, reason, criteria, findings, comparison: comparison(results), is_rehearsal }
}

/// The verdict and why, in one line. What blocks goes before what is missing, and that before an approval.
fn verdict(results: &ProcedureResults, criteria: &[Judged], findings: &[Finding]) -> (Verdict, String) {
    let count = |state: &str| criteria.iter().filter(|one| one.state == state).count();
    let (failed, unmeasured) = (count("fail"), count("not measured"));
    let of = |part: usize| format!("{part} of {} criteria", criteria.len());
    let grave = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (blocking, warnings) = (grave(Severity::Blocking), grave(Severity::Warning));
    if failed > 0 || blocking > 0 {
        let mut reasons = Vec::new();
        if failed > 0 {
            reasons.push(format!("{} failed", of(failed)));
        }
        reasons.extend(findings.iter().take(blocking.min(MAX_REASONS)).map(Finding::line));
        match blocking.saturating_sub(MAX_REASONS) {
            0 => (),
            1 => reasons.push("1 more blocking finding".to_owned()),
            more => reasons.push(format!("{more} more blocking findings")),
        }
        return (Verdict::NotApproved, reasons.join("; "));
    }
    let open = results.runs.iter().filter(|run| !matches!(run.entry.state, EntryState::Finished | EntryState::Skipped));
    let mut open: Vec<String> = open.map(|run| run.entry.state.said_of(&run.entry.name)).collect();
    if unmeasured > 0 || criteria.is_empty() || !open.is_empty() {
        if unmeasured > 0 {
            open.push(format!("{} {} not measured", of(unmeasured), if unmeasured == 1 { "was" } else { "were" }));
        }
        return (Verdict::Incomplete, open.join("; "));
    }
    let all = match criteria.len() {
        1 => "the one criterion holds".to_owned(),
        2 => "both criteria hold".to_owned(),
        several => format!("all {several} criteria hold"),
    };
    let mut warned = match warnings {
        0 => String::new(),
        1 => "; 1 warning".to_owned(),
        several => format!("; {several} warnings"),
    };
    // The file may allow what would block, but not hide it.
    for finding in findings.iter().filter(|finding| finding.is_lowered()).take(MAX_REASONS) {
        warned.push_str(&format!("; {}", finding.line()));
    }
    match (results.journal.scale, warnings) {
        (scale, _) if scale != 1.0 => {
            let text = format!("{all}, but with durations scaled by {scale}: a rehearsal, not a measurement{warned}");
            (Verdict::Rehearsal, text)
        }
        (_, 0) => (Verdict::Approved, all),
        _ => (Verdict::ApprovedWithFindings, format!("{all}{warned}")),
    }
}

fn criterion(
    entry: &CriterionEntry,
    names: &[&str],
    results: &ProcedureResults,
    scarce: &mut Vec<(String, String)>,
) -> Judged {
    let mut judged = Judged {
        name: entry.name.clone(),
        expression: entry.text.clone(),
        subject: entry.name.clone(),
        target_text: String::new(),
        target: None,
        achieved: None,
        achieved_text: String::new(),
        state: "not measured",
    };
    let read = match CriterionExpression::parse(&entry.text, names) {
        Ok(read) => read,
        Err(why) => {
            judged.achieved_text = format!("not measured: {why}");
            return judged;
        }
    };
    if entry.name == entry.text {
        judged.subject.clone_from(&read.sides.0);
    }
    let needs = entry.samples.unwrap_or(results.journal.limits.samples);
    let missing = RefCell::new(None);
    let found = RefCell::new(scarce);
    let outcome = read.judge(&|figure| match results.figure(figure, needs) {
        Ok(value) => Some(value),
        Err(why) => {
            let text = match why {
                FigureError::TooFew(text) => {
                    let told = (figure.run.clone(), text.clone());
                    let mut found = found.borrow_mut();
                    if !found.contains(&told) {
                        found.push(told);
                    }
                    text
                }
                FigureError::NotMeasured(text) => text,
            };
            missing.borrow_mut().get_or_insert(text);
            None
        }
    });
    let unit = match read.unit(&|figure| results.unit(figure)) {
        // A gauge may hold a share, which nobody knows but whoever compares it with one.
        Unit::Number if entry.text.contains('%') => Unit::Share,
        unit => unit,
    };
    judged.target = outcome.target;
    judged.achieved = outcome.achieved;
    judged.target_text = target_text(&read, outcome.target, unit);
    judged.state = match outcome.passed {
        Some(true) => "pass",
        Some(false) => "fail",
        None => "not measured",
    };
    judged.achieved_text = match (outcome.achieved.zip(outcome.target), outcome.passed) {
        (Some((achieved, target)), Some(_)) => figure::text_beside(achieved, target, unit),
        _ => {
            let why = missing.into_inner().unwrap_or_else(|| "there is no such number".to_owned());
            format!("not measured: {why}")
        }
    };
    judged
}

/// `< 100 ms`; where the right side is a formula, with the number it came to.
fn target_text(read: &CriterionExpression, target: Option<f64>, unit: Unit) -> String {
    let typed = &read.sides.1;
    let (comparison, fixed) = (read.comparison(), read.fixed_target());
    match (fixed, target) {
        // What a metric measures is not known before anything was measured: then its limit stands as it was typed.
        (Some(_), _) if unit == Unit::Number => format!("{comparison} {typed}"),
        (Some(target), _) => format!("{comparison} {}", figure::text(target, unit)),
        (None, Some(target)) => format!("{comparison} {} = {typed}", figure::text(target, unit)),
        (None, None) => format!("{comparison} {typed}"),
    }
}

fn comparison(results: &ProcedureResults) -> Vec<Compared> {
    let Some(baseline) = results.baseline() else { return Vec::new() };
    let max_failed = results.journal.limits.failed;
    let mut rows = Vec::new();
    for run in results.runs.iter().filter(|run| run.entry.name != baseline.entry.name) {
        for (metric, stat, better) in compared_figures(run, &results.journal.metrics) {
            let Some((old, new)) = baseline.judged_value(&metric, stat).zip(run.judged_value(&metric, stat)) else {
                continue;
            };
            let percent = (old != 0.0).then(|| (new - old) / old * 100.0);
            let unit = run.unit(&metric, stat);
            let noise = match unit {
                Unit::Time => NOISE_MS,
                Unit::Share => NOISE_SHARE,
                _ => old.abs() * NOISE_RATE,
            };
            let direction = match better {
                ' ' => "",
                // What would be shown as no difference is none.
                _ if new == old || percent.is_some_and(|percent| percent.abs() < 0.05) => "same",
                _ if (new - old).abs() < noise => "",
                // More requests that fail are no gain.
                '+' if metric == "http_reqs" && run.failed_share(&results.journal.metrics) > max_failed => "",
                '-' if new < old => "better",
                '+' if new > old => "better",
                _ => "worse",
            };
            rows.push(Compared {
                run: run.entry.name.clone(),
                figure: format!("{metric}.{stat}"),
                baseline: old,
                value: new,
                baseline_text: figure::text_beside(old, new, unit),
                value_text: figure::text_beside(new, old, unit),
                percent,
                direction,
            });
        }
    }
    rows
}
