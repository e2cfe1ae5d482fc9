//! `readiness.txt`: what was wanted and achieved, which runs passed, what to do next, and a line to sign.

use std::fmt::Write as _;

use super::finding_kinds::Severity;
use super::findings::Finding;
use super::journal::EntryState;
use super::results::{Answers, ProcedureResults, RunResult};
use super::verdict::{Judgement, Verdict};

/// The whole text. `notes` are what a reader has to know of the results as a whole.
pub fn text(results: &ProcedureResults, judgement: &Judgement, notes: &[String]) -> String {
    let journal = &results.journal;
    let mut text = format!("{} - Load Testing Results\n\n", journal.name);
    let mut line = |key: &str, value: &str| _ = writeln!(text, "{key:<13} {value}");
    line("STATUS:", &judgement.words());
    line("Reason:", &judgement.reason);
    line("Environment:", &journal.environment);
    if let Some(url) = &journal.base_url {
        line("Target:", url);
    }
    if let Some(phase) = &journal.phase {
        line("Phase:", phase);
    }
    if let Some(records) = &journal.data {
        line("Data:", &records.words());
    }
    for note in notes {
        line("Note:", note);
    }
    let passed = judgement.criteria.iter().filter(|one| one.state == "pass").count();
    _ = writeln!(text, "\nPerformance Targets Achieved: {passed} of {}", judgement.criteria.len());
    for one in &judgement.criteria {
        let (state, subject) = (one.state.to_uppercase(), &one.subject);
        _ = writeln!(text, "  {state:<13} {subject}: {} (target: {})", one.achieved_text, one.target_text);
    }
    let wanted = results.runs.iter().filter(|run| run.entry.state != EntryState::Skipped).count();
    let passed = results.runs.iter().filter(|run| outcome(run, &judgement.findings) == "PASS").count();
    _ = writeln!(text, "\nLoad Test Scenarios Passed: {passed} of {wanted}");
    for run in &results.runs {
        let note = run.entry.note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
        let (outcome, name, plan) = (outcome(run, &judgement.findings), &run.entry.name, &run.entry.plan);
        _ = writeln!(text, "  {outcome:<13} {name} ({plan}){note}");
    }
    if !judgement.findings.is_empty() {
        text.push_str("\nFindings:\n");
        for finding in &judgement.findings {
            _ = writeln!(text, "  {:<13} {}", finding.severity.word(), finding.line());
        }
    }
    text.push_str("\nRecommendations:\n");
    for one in recommendations(results, judgement) {
        _ = writeln!(text, "- {one}");
    }
    let signature = match judgement.verdict {
        Verdict::Approved | Verdict::ApprovedWithFindings => "______________________________",
        _ => "nobody: the status is not APPROVED",
    };
    _ = writeln!(text, "\n{:<13} {}\n{:<13} {signature}", "Date:", journal.started, "Approved by:");
    text
}

/// How a run went, in a word.
fn outcome(run: &RunResult, findings: &[Finding]) -> String {
    let blocks = |one: &Finding| one.severity == Severity::Blocking && one.run.as_ref() == Some(&run.entry.name);
    match run.entry.state {
        EntryState::Finished if findings.iter().any(blocks) => "FAIL".to_owned(),
        EntryState::Finished => "PASS".to_owned(),
        EntryState::Failed => "FAIL".to_owned(),
        other => other.word().to_uppercase(),
    }
}

/// What to do next, as the verdict, the criteria and the findings suggest. Each can be read without the others.
pub fn recommendations(results: &ProcedureResults, judgement: &Judgement) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    match judgement.verdict {
        Verdict::Approved => list.push("Deploy with the usual pipeline.".to_owned()),
        Verdict::ApprovedWithFindings => {
            list.push("Read the findings above, then deploy with the usual pipeline.".to_owned());
        }
        Verdict::NotApproved => list.push(refusal(results, judgement)),
        Verdict::Incomplete => list.extend(missing(results, judgement)),
        Verdict::Rehearsal => (),
    }
    if judgement.is_rehearsal {
        list.push(
            "Run the procedure without `--scale`: a rehearsal shows that it works, not how fast anything is."
                .to_owned(),
        );
    }
    let failed = judgement.criteria.iter().filter(|one| one.state == "fail");
    list.extend(failed.map(|one| {
        format!(
            "Meet the criterion `{}`: {} was measured, {} is wanted.",
            one.subject, one.achieved_text, one.target_text
        )
    }));
    list.extend(remedies(&judgement.findings));
    if matches!(judgement.verdict, Verdict::Approved | Verdict::ApprovedWithFindings) {
        let watched: Vec<String> =
            judgement.criteria.iter().map(|one| format!("{} {}", one.subject, one.target_text)).collect();
        list.push(format!("Set alerts on what was judged here: {}.", watched.join("; ")));
        list.push("Keep `baseline_metrics.json`: `volley compare` compares the next results with it.".to_owned());
    }
    list
}

/// What a verdict of NOT APPROVED is about: the version that was tested, or only these results.
fn refusal(results: &ProcedureResults, judgement: &Judgement) -> String {
    let mut measured = results.runs.iter().filter(|run| run.document.is_some()).peekable();
    if measured.peek().is_some() && measured.all(|run| run.answers() == Answers::Nothing) {
        return "Do not deploy on these results: no request was answered, so they say nothing about this version."
            .to_owned();
    }
    let is_of_measuring = |one: &Finding| matches!(one.kind, "generator" | "samples");
    let mut blocking = judgement.findings.iter().filter(|one| one.severity == Severity::Blocking);
    match judgement.criteria.iter().any(|one| one.state == "fail") || !blocking.all(is_of_measuring) {
        true => "Do not deploy this version.".to_owned(),
        false => "Do not deploy on these results: measure again first.".to_owned(),
    }
}

/// How to measure what an incomplete procedure lacks.
fn missing(results: &ProcedureResults, judgement: &Judgement) -> Vec<String> {
    if results.runs.iter().any(|run| run.entry.state != EntryState::Finished) {
        let file = &results.journal.file;
        return vec![format!(
            "Measure what is missing: `volley procedure run {file} --resume FOLDER`, with this folder, runs the rest."
        )];
    }
    let open = judgement.criteria.iter().filter(|one| one.state == "not measured");
    open.map(|one| format!("Measure what the criterion `{}` needs; it was {}.", one.subject, one.achieved_text))
        .collect()
}

/// What to do about findings, once for all runs that share it.
fn remedies(findings: &[Finding]) -> Vec<String> {
    let mut remedies: Vec<(String, Vec<&str>)> = Vec::new();
    for finding in findings.iter().filter(|finding| !finding.hint.is_empty()) {
        // Whoever wrote a hint of their own saw it beside its finding.
        let remedy =
            if finding.has_own_hint { format!("{}: {}", finding.text, finding.hint) } else { finding.hint.clone() };
        let place = remedies.iter().position(|(known, _)| *known == remedy).unwrap_or_else(|| {
            remedies.push((remedy, Vec::new()));
            remedies.len() - 1
        });
        let runs = &mut remedies[place].1;
        runs.extend(finding.run.as_deref().filter(|run| !runs.contains(run)));
    }
    let said = |(remedy, runs): (String, Vec<&str>)| match *runs {
        [] => sentence(&remedy),
        [run] => sentence(&format!("{} (run `{run}`)", remedy.trim_end_matches('.'))),
        _ => sentence(&format!("{} (runs `{}`)", remedy.trim_end_matches('.'), runs.join("`, `"))),
    };
    remedies.into_iter().map(said).collect()
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    #[test]
    fn hints_become_sentences() {
        let check = |input: &str, expect: &str| assert_eq!(super::sentence(input), expect);
        check("see the log", "See the log.");
        check("is it running?", "Is it running?");
        check("`x` does", "`x` does.");
    }
}
