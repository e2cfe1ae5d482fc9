//! The verdict, derived from the criteria and the findings: each criterion with target, achieved, and pass, fail or not
//! measured. Findings can spoil an approval, never make one.

use std::cell::RefCell;

use serde::Serialize;

use super::comparison::{Compared, comparison};
use super::expression::CriterionExpression;
use super::finding_kinds::Severity;
use super::findings::{Finding, ScarceFigure, findings};
use super::journal::{CriterionEntry, EntryState};
use super::results::{FigureError, ProcedureResults};
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
    let grave = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (blocking, warnings) = (grave(Severity::Blocking), grave(Severity::Warning));
    if failed > 0 || blocking > 0 {
        let mut reasons = Vec::new();
        reasons.extend(open_criteria(failed, unmeasured, criteria.len()));
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
        open.extend(open_criteria(failed, unmeasured, criteria.len()));
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

/// The criteria that do not hold, in words: `1 of 3 criteria failed, 1 was not measured`.
fn open_criteria(failed: usize, unmeasured: usize, all: usize) -> Option<String> {
    let of = |part: usize| match (part, all) {
        (_, 1) => "the one criterion".to_owned(),
        (2, 2) => "both criteria".to_owned(),
        _ if part == all => format!("all {all} criteria"),
        _ => format!("{part} of {all} criteria"),
    };
    let was = if unmeasured == 1 { "was" } else { "were" };
    match (failed, unmeasured) {
        (0, 0) => None,
        (0, 2) if all == 2 => Some("neither criterion was measured".to_owned()),
        (0, _) if unmeasured == all && all > 2 => Some(format!("none of the {all} criteria was measured")),
        (0, _) => Some(format!("{} {was} not measured", of(unmeasured))),
        (_, 0) => Some(format!("{} failed", of(failed))),
        _ => Some(format!("{} failed, {unmeasured} {was} not measured", of(failed))),
    }
}

fn criterion(
    entry: &CriterionEntry,
    names: &[&str],
    results: &ProcedureResults,
    scarce: &mut Vec<ScarceFigure>,
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
                    let (run, metric) = (figure.run.clone(), figure.metric.clone());
                    let scarce = ScarceFigure { run, metric, text: text.clone() };
                    let mut found = found.borrow_mut();
                    if !found.contains(&scarce) {
                        found.push(scarce);
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

#[cfg(test)]
mod tests {
    use super::open_criteria;

    #[test]
    fn criteria_that_do_not_hold_are_counted_by_kind() {
        let check = |failed: usize, unmeasured: usize, all: usize, expect: Option<&str>| {
            assert_eq!(open_criteria(failed, unmeasured, all).as_deref(), expect);
        };
        check(0, 0, 3, None);
        check(1, 1, 3, Some("1 of 3 criteria failed, 1 was not measured"));
        check(1, 2, 3, Some("1 of 3 criteria failed, 2 were not measured"));
        check(2, 0, 3, Some("2 of 3 criteria failed"));
        check(0, 1, 3, Some("1 of 3 criteria was not measured"));
        check(0, 2, 3, Some("2 of 3 criteria were not measured"));
        check(1, 0, 1, Some("the one criterion failed"));
        check(0, 1, 1, Some("the one criterion was not measured"));
        check(2, 0, 2, Some("both criteria failed"));
        check(1, 1, 2, Some("1 of 2 criteria failed, 1 was not measured"));
        check(0, 3, 3, Some("none of the 3 criteria was measured"));
        check(0, 2, 2, Some("neither criterion was measured"));
        check(3, 0, 3, Some("all 3 criteria failed"));
    }
}
