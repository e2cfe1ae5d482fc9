//! Findings: what was seen in the runs beside the criteria, how grave it is, and what to do about it.
//!
//! A blocking finding ends a procedure NOT APPROVED, whatever the criteria say. The kinds and their severities are
//! [`KINDS`]; a procedure file may give a kind another severity, by name, and the report says so.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::collect::CollectedSeries;
use super::finding_kinds::{KINDS, Severity};
use super::journal::{CheckState, EntryState};
use super::results::{Answers, ProcedureResults, RunResult};
use super::run_files::RunFiles;
use crate::summary::headline::complement;
use crate::units::figure::{self, Unit};

/// A symptom.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// How grave it is here.
    pub severity: Severity,
    /// The severity of its kind where the file says otherwise.
    pub usual_severity: Option<Severity>,
    /// The run it was seen in.
    pub run: Option<String>,
    /// What was seen.
    pub text: String,
    /// What to do, in words that can stand alone.
    pub hint: String,
    /// The hint is the procedure file's, and need not say what it is about.
    #[serde(skip)]
    pub has_own_hint: bool,
}

/// A figure of a run with fewer samples than its criterion needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ScarceFigure {
    /// The run.
    pub run: String,
    /// The metric.
    pub metric: String,
    /// How many there are and should be, in words.
    pub text: String,
}

impl Finding {
    /// One line: `stress: 12 % of requests failed`.
    pub fn line(&self) -> String {
        let run = self.run.as_ref().map(|run| format!("{run}: ")).unwrap_or_default();
        format!("{run}{}{}", self.text, self.changed())
    }

    /// It would block an approval, if the procedure file did not say otherwise.
    pub fn is_lowered(&self) -> bool {
        self.severity != Severity::Blocking && self.usual_severity == Some(Severity::Blocking)
    }

    /// That the procedure file changed its severity.
    pub fn changed(&self) -> String {
        let usual = self.usual_severity.map(Severity::word);
        let here = self.severity.word();
        usual.map(|usual| format!(" ({usual} by default, {here} in this procedure file)")).unwrap_or_default()
    }
}

/// Gathers findings with their severities and hints.
struct Finder<'a> {
    results: &'a ProcedureResults,
    findings: Vec<Finding>,
}

impl Finder<'_> {
    fn find(&mut self, kind: &'static str, run: Option<&RunResult>, text: String, hint: &str) {
        let journal = &self.results.journal;
        let usual = KINDS.iter().find(|(name, _)| *name == kind).map_or(Severity::Warning, |(_, severity)| *severity);
        let severity = journal.severities.get(kind).copied().unwrap_or(usual);
        let own = journal.hints.get(kind);
        let hint = own.map_or(hint, String::as_str).to_owned();
        self.findings.push(Finding {
            kind,
            severity,
            usual_severity: (severity != usual).then_some(usual),
            run: run.map(|run| run.entry.name.clone()),
            text,
            hint,
            has_own_hint: own.is_some(),
        });
    }
}

/// Everything that was found, the gravest first. `scarce` are the figures with too few samples for their criteria.
pub fn findings(results: &ProcedureResults, scarce: &[ScarceFigure]) -> Vec<Finding> {
    let mut finder = Finder { results, findings: Vec::new() };
    before_runs(&mut finder);
    let baseline = results.baseline().filter(|run| run.document.is_some());
    for run in &results.runs {
        ending(&mut finder, run);
        for one in scarce.iter().filter(|one| one.run == run.entry.name) {
            let hint = scarce_hint(results, run, &one.metric);
            finder.find("samples", Some(run), one.text.clone(), &hint);
        }
        for collected in &run.collected {
            if let Some(trouble) = &collected.trouble {
                let text = format!("the collector `{}` had trouble: {trouble}", collected.collector);
                let hint = format!(
                    "check that what the collector `{}` reads can be reached: its series have gaps",
                    collected.collector
                );
                finder.find("collector", Some(run), text, &hint);
            }
        }
        if let Some(document) = &run.document {
            of_requests(&mut finder, run, document);
            cache(&mut finder, run, baseline);
            of_generator(&mut finder, run, document);
        }
        let journal = &results.journal;
        for series in &journal.metrics.memory {
            if let Some(growth) = run.series(series).and_then(|series| growth(series, journal.limits.growth)) {
                let (share, slope) = (figure::text(growth.share, Unit::Share), figure::text(growth.slope, Unit::Bytes));
                let text = format!("`{series}` grew by {share} over the run, {slope} per minute throughout");
                let hint = format!("find out in a longer run at constant load whether `{series}` ever stops growing");
                finder.find("memory", Some(run), text, &hint);
            }
        }
    }
    let mut findings = finder.findings;
    let rank = |finding: &Finding| KINDS.iter().position(|(kind, _)| *kind == finding.kind);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), rank(finding)));
    findings
}

fn before_runs(finder: &mut Finder<'_>) {
    let journal = &finder.results.journal;
    for check in journal.checks.iter().filter(|check| check.state != CheckState::Ok) {
        let kind = if check.is_resource { "resources" } else { "preflight" };
        let text = format!("{}: {}", check.name, check.text);
        finder.find(kind, None, text, check.hint.as_deref().unwrap_or_default());
    }
    if let Some((records, why)) = journal.data.as_ref().and_then(|records| Some((records, records.trouble.as_ref()?))) {
        let hint =
            "find out in the application's log why the test data is not what `data` in the procedure file asks for";
        finder.find("data", None, format!("{}: {why}", records.words()), hint);
    }
}

/// A run that did not end as it should. One that was interrupted or killed leaves the procedure incomplete instead.
fn ending(finder: &mut Finder<'_>, run: &RunResult) {
    let crossed = run.document.as_ref().and_then(|document| document.pointer("/verdict/crossed")?.as_array());
    let crossed: Vec<&str> = crossed.into_iter().flatten().filter_map(Value::as_str).collect();
    if !crossed.is_empty() {
        let text = format!("thresholds of the script were crossed: {}", crossed.join(", "));
        let hint = "see in the report what was measured for each threshold of the script";
        finder.find("thresholds", Some(run), text, hint);
    }
    if let Some(thinned) = &run.entry.thinned {
        let count = |count: u64| figure::text(count as f64, Unit::Count);
        let (kept, all) = (count(thinned.kept), count(thinned.all));
        let text =
            format!("{kept} of {all} samples were written, no more fit into the limit; the figures come from all");
        let hint = "write `samples: { limit: '5GB' }` in the procedure file to keep more samples";
        finder.find("thinned", Some(run), text, hint);
    }
    let has_ended = matches!(run.entry.state, EntryState::Finished | EntryState::Failed);
    let is_told = run.entry.exit_code == Some(0) || (run.entry.exit_code == Some(99) && !crossed.is_empty());
    if has_ended && !is_told {
        let why = run.entry.note.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let text = match run.entry.exit_code {
            // Such a note tells the code itself.
            _ if why.starts_with(": exit code") => why.replacen(": exit", "it ended with exit", 1),
            Some(code) => format!("it ended with exit code {code}{why}"),
            None => format!("it failed{why}"),
        };
        let log = RunFiles::of(Path::new(""), &run.entry.name).log;
        let log = format!("read `{}` in the results folder, which says how the run ended", log.display());
        let hint = if run.answers() == Answers::Nothing { start_hint(finder.results, run) } else { log };
        finder.find("exit", Some(run), text, &hint);
    }
}

/// What to do where nobody answers, by what happened to most requests.
fn start_hint(results: &ProcedureResults, run: &RunResult) -> String {
    let (url, key) = match &results.journal.base_url {
        Some(url) => (format!(" at {url}"), "`baseUrl` in the procedure file"),
        None => (String::new(), "its address in the script"),
    };
    let code = run.document.as_ref().and_then(|document| document.pointer("/errors/0/code")?.as_str()?.parse().ok());
    match code.unwrap_or(0) {
        1050 | 1211 => format!("find out why the target{url} answers nothing before the timeout"),
        1100..=1119 => format!("correct {key}: the name of the target{url} is not known here"),
        1300..=1399 => format!(
            "give the target{url} a certificate that is trusted here, or set `insecureSkipTLSVerify` in the script's options"
        ),
        _ => format!("start the target{url}, or correct {key}"),
    }
}

/// Where to look for why requests failed: where nobody answered there is nothing to look into yet.
fn failure_hint(results: &ProcedureResults, run: &RunResult) -> String {
    let errors = run.document.as_ref().and_then(|document| document["errors"].as_array());
    let errors =
        || errors.into_iter().flatten().filter_map(|one| Some((one["text"].as_str()?, one["count"].as_u64()?)));
    let (answered, unanswered): (Vec<_>, Vec<_>) = errors().partition(|(text, _)| text.starts_with("status "));
    let sum = |errors: &[(&str, u64)]| errors.iter().map(|(_, count)| count).sum::<u64>();
    match run.answers() {
        Answers::Nothing => start_hint(results, run),
        Answers::Part if sum(&unanswered) >= sum(&answered) => UNANSWERED.to_owned(),
        _ if answered.is_empty() => "see in the report which requests and checks failed".to_owned(),
        _ => {
            let names: Vec<&str> = answered.iter().take(MAX_STATUSES).map(|(text, _)| *text).collect();
            format!("find out in the target's log why it answered with {}", names.join(" and "))
        }
    }
}

/// What to do where some requests were answered and others were not.
const UNANSWERED: &str = "find out in the target's log why it left requests unanswered";

/// So many statuses stand in a hint, the most frequent ones.
const MAX_STATUSES: usize = 2;

/// What brings more samples depends on why there are few.
fn scarce_hint(results: &ProcedureResults, run: &RunResult, metric: &str) -> String {
    let journal = &results.journal;
    if run.failed_share(&journal.metrics) > journal.limits.failed {
        return failure_hint(results, run);
    }
    if run.samples(metric) == Some(0) {
        return format!("make the script measure `{metric}`, or leave out the criterion on it");
    }
    match journal.scale < 1.0 {
        true => {
            "run the procedure without `--scale`, or with a larger one: it cuts the time in which samples are taken"
                .to_owned()
        }
        false => "make the run longer, or ask for fewer samples with `limits: { samples: N }` in the procedure file"
            .to_owned(),
    }
}

fn of_requests(finder: &mut Finder<'_>, run: &RunResult, document: &Value) {
    let limits = finder.results.journal.limits;
    let roles = &finder.results.journal.metrics;
    if let Some((metric, share)) = run.most_failed(roles).filter(|(_, share)| *share > limits.failed) {
        let failed = figure::text_beside(share, limits.failed, Unit::Share);
        let limit = figure::text(limits.failed, Unit::Share);
        let text = match metric.split('{').next() {
            Some("http_req_failed") => format!("{failed} of requests failed (limit {limit})"),
            _ => format!("`{metric}` counted {failed} as failed (limit {limit})"),
        };
        finder.find("errors", Some(run), text, &failure_hint(finder.results, run));
    }
    if let Some(share) = run.rate("checks").map(complement).filter(|share| *share > limits.failed) {
        let failed = figure::text_beside(share, limits.failed, Unit::Share);
        let text = format!("{failed} of checks failed (limit {})", figure::text(limits.failed, Unit::Share));
        let hint = match run.failed_share(roles) > limits.failed {
            true => failure_hint(finder.results, run),
            false => "see in the report which checks failed".to_owned(),
        };
        finder.find("checks", Some(run), text, &hint);
    }
    let refused = document["errors"].as_array().into_iter().flatten();
    let refused = refused.filter(|one| one["text"].as_str().is_some_and(|text| text.contains("refused")));
    let refused: u64 = refused.filter_map(|one| one["count"].as_u64()).sum();
    if refused > 0 {
        let text = match refused {
            1 => "1 connection was refused".to_owned(),
            _ => format!("{} connections were refused", figure::text(refused as f64, Unit::Count)),
        };
        let hint = match run.answers() {
            Answers::Nothing => start_hint(finder.results, run),
            _ => UNANSWERED.to_owned(),
        };
        finder.find("refused", Some(run), text, &hint);
    }
    if let Some(p95) = run.judged_value("http_req_duration", "p(95)").filter(|p95| *p95 > limits.slow) {
        let (p95, limit) = (figure::text_beside(p95, limits.slow, Unit::Time), figure::text(limits.slow, Unit::Time));
        let text = format!("the p95 of request durations is {p95}, above {limit}");
        let hint = "find out why responses are slow: check the target's processor load, and whether its cache answers";
        finder.find("slow", Some(run), text, hint);
    }
}

fn cache(finder: &mut Finder<'_>, run: &RunResult, baseline: Option<&RunResult>) {
    let journal = &finder.results.journal;
    let limits = journal.limits;
    let hits = run.cache_hit_metric(&journal.metrics).and_then(|metric| run.value(metric, "rate"));
    let is_other = baseline.is_some_and(|baseline| baseline.entry.name != run.entry.name);
    let median = |run: &RunResult| run.judged_value("http_req_duration", "med");
    // Where nothing was answered there is nothing to say about a cache.
    if run.has_no_answers("http_req_duration") {
        return;
    }
    let gains = baseline.and_then(median).zip(median(run)).is_some_and(|(old, new)| new < old * (1.0 - limits.gain));
    if let Some(hits) = hits.filter(|hits| *hits < limits.cache_hits && is_other && !gains) {
        let hits = figure::text(hits, Unit::Share);
        let text =
            format!("the cache does not help: {hits} of reads hit it, and the median is no better than the baseline's");
        let hint = "check that the cache is running, and that the application uses it";
        finder.find("cache", Some(run), text, hint);
    }
}

fn of_generator(finder: &mut Finder<'_>, run: &RunResult, document: &Value) {
    if let Some(complaint) = document.pointer("/health/complaint").and_then(Value::as_str) {
        let hint = "use fewer VUs or a larger machine for the load: times measured on a busy one may be too long";
        finder.find("generator", Some(run), format!("the load generator could not keep up: {complaint}"), hint);
    }
    if let Some(dropped) = run.value("dropped_iterations", "count").filter(|count| *count > 0.0) {
        let text = match dropped {
            1.0 => "1 iteration could not start in time".to_owned(),
            _ => format!("{} iterations could not start in time", figure::text(dropped, Unit::Count)),
        };
        let hint = "give the scenario more VUs for its rate, or find out why the target is too slow for it";
        finder.find("dropped", Some(run), text, hint);
    }
}

/// How a series grew.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Growth {
    /// The part that was added, of the value at the beginning.
    share: f64,
    /// What is added in a minute.
    slope: f64,
}

/// Fewer points say nothing about a slope.
const MIN_POINTS: usize = 20;
/// Nor does a shorter time: whatever begins fills its memory first.
const MIN_MINUTES: f64 = 1.0;
/// A straight line has to explain this part of what the values differ by.
const MIN_FIT: f64 = 0.7;

/// How much a series grew, if it grew throughout: along a straight line, and in its second half no less than by half of
/// that line's slope.
fn growth(series: &CollectedSeries, limit: f64) -> Option<Growth> {
    let points: Vec<(f64, f64)> = series.times.iter().map(|ms| ms / 60e3).zip(series.values.iter().copied()).collect();
    let ((first, _), (last, _)) = (points.first()?, points.last()?);
    let minutes = last - first;
    if points.len() < MIN_POINTS || minutes < MIN_MINUTES {
        return None;
    }
    let whole = line(&points)?;
    let half = line(&points[points.len() / 2..])?;
    let begin = whole.at(*first);
    let share = whole.slope * minutes / begin;
    let grows = begin > 0.0 && share > limit && whole.fit > MIN_FIT && half.slope > whole.slope / 2.0;
    grows.then_some(Growth { share, slope: whole.slope })
}

/// A straight line through points, by least squares.
struct LinearFit {
    slope: f64,
    middle: (f64, f64),
    /// The part of the differences that it explains, 0 to 1.
    fit: f64,
}

impl LinearFit {
    fn at(&self, x: f64) -> f64 {
        self.middle.1 + self.slope * (x - self.middle.0)
    }
}

fn line(points: &[(f64, f64)]) -> Option<LinearFit> {
    let count = points.len() as f64;
    let sum = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let middle = (sum.0 / count, sum.1 / count);
    let products =
        |of: &dyn Fn(f64, f64) -> f64| -> f64 { points.iter().map(|(x, y)| of(x - middle.0, y - middle.1)).sum() };
    let (xx, xy, yy) = (products(&|x, _| x * x), products(&|x, y| x * y), products(&|_, y| y * y));
    if xx <= 0.0 || yy <= 0.0 {
        return None;
    }
    Some(LinearFit { slope: xy / xx, middle, fit: xy * xy / (xx * yy) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::procedure::journal::{Journal, RunEntry};

    /// A procedure with one run: so many requests of which some were answered, and what went wrong with how many.
    fn results(scale: f64, requests: u64, answered: u64, errors: &[(&str, &str, u64)]) -> ProcedureResults {
        let mut journal = Journal::new("n", "local", "p.js");
        (journal.scale, journal.base_url) = (scale, Some("http://x".to_owned()));
        let failed: u64 = errors.iter().map(|(_, _, count)| count).sum();
        let share = failed as f64 / requests.max(1) as f64;
        let mut duration = json!({"name": "http_req_duration", "type": "trend", "values": {"count": requests}});
        if answered < requests {
            duration["answered"] = json!({"values": {"count": answered}});
        }
        let rate = json!({"rate": share, "passes": failed, "fails": requests - failed});
        let errors = errors.iter().map(|(code, text, count)| json!({"code": code, "text": text, "count": count}));
        let document = json!({"errors": errors.collect::<Vec<_>>(), "metrics": [duration,
            {"name": "http_req_failed", "type": "rate", "values": rate}]});
        let entry = RunEntry {
            name: "only".to_owned(),
            script: "a.js".to_owned(),
            plan: "1 VU for 1s".to_owned(),
            state: EntryState::Finished,
            exit_code: Some(0),
            started: None,
            note: None,
            thinned: None,
        };
        let runs = vec![RunResult { entry, document: Some(document), collected: Vec::new() }];
        ProcedureResults { journal, runs }
    }

    #[test]
    fn advice_follows_from_the_cause() {
        let check = |answered: u64, errors: &[(&str, &str, u64)], expect: &str| {
            let results = results(1.0, 100, answered, errors);
            let found = findings(&results, &[]);
            let errors = found.iter().find(|one| one.kind == "errors").unwrap();
            assert_eq!(errors.hint, expect);
            // Few samples have the same cause then.
            assert_eq!(scarce_hint(&results, &results.runs[0], "http_req_duration"), expect);
        };
        let start = "start the target at http://x, or correct `baseUrl` in the procedure file";
        check(0, &[("1212", "dial: connection refused", 100)], start);
        let late = "find out why the target at http://x answers nothing before the timeout";
        check(0, &[("1050", "request timeout", 90), ("1212", "dial: connection refused", 10)], late);
        let unknown = "correct `baseUrl` in the procedure file: the name of the target at http://x is not known here";
        check(0, &[("1101", "lookup: no such host", 100)], unknown);
        let certificate = "give the target at http://x a certificate that is trusted here, or set \
            `insecureSkipTLSVerify` in the script's options";
        check(0, &[("1310", "x509: unknown authority", 100)], certificate);
        let lost = "find out in the target's log why it left requests unanswered";
        check(60, &[("1212", "dial: connection refused", 40)], lost);
        check(60, &[("1050", "request timeout", 40), ("1500", "status 500", 10)], lost);
        let status = "find out in the target's log why it answered with status 500";
        check(100, &[("1500", "status 500", 10)], status);
        check(95, &[("1500", "status 500", 10), ("1050", "request timeout", 5)], status);
        let several = "find out in the target's log why it answered with status 500 and status 404";
        check(100, &[("1500", "status 500", 10), ("1404", "status 404", 5), ("1403", "status 403", 1)], several);
    }

    #[test]
    fn few_samples_of_a_healthy_run_have_other_causes() {
        let check = |scale: f64, metric: &str, expect: &str| {
            let results = results(scale, 10, 10, &[]);
            let hint = scarce_hint(&results, &results.runs[0], metric);
            assert!(hint.starts_with(expect), "{hint}");
        };
        check(1.0, "http_req_duration", "make the run longer, or ask for fewer samples with");
        check(0.02, "http_req_duration", "run the procedure without `--scale`, or with a larger one");
        check(
            1.0,
            "grpc_req_duration",
            "make the script measure `grpc_req_duration`, or leave out the criterion on it",
        );
    }

    #[test]
    fn memory_grows_when_it_never_stops() {
        // A point every five seconds.
        let series = |values: Vec<f64>| {
            let times = (0..values.len()).map(|place| 1e12 + place as f64 * 5_000.0).collect();
            CollectedSeries { times, values, ..CollectedSeries::default() }
        };
        let check = |values: Vec<f64>, expect: bool| {
            assert_eq!(growth(&series(values.clone()), 0.2).is_some(), expect, "{values:?}");
        };
        check((100..160).map(f64::from).collect(), true);
        // Too few points, too little time, too little growth.
        check((100..115).map(f64::from).collect(), false);
        check((1000..1060).map(f64::from).collect(), false);
        check(vec![100.0; 60], false);
        // A step, a beginning that fills up, a saw.
        check((0..60).map(|place| if place < 30 { 100.0 } else { 200.0 }).collect(), false);
        check((0..60).map(|place| f64::from(place.min(15)) * 10.0 + 100.0).collect(), false);
        check((0..60).map(|place| 100.0 + f64::from(place % 10) * 20.0).collect(), false);
        // Noise on a slope.
        check((0..60).map(|place| 100.0 + f64::from(place) * 2.0 + f64::from(place * 7 % 5)).collect(), true);
        let quick = CollectedSeries {
            times: (0..60).map(|place| f64::from(place) * 200.0).collect(),
            ..series((100..160).map(f64::from).collect())
        };
        assert_eq!(growth(&quick, 0.2), None);
        let found = growth(&series((100..160).map(f64::from).collect()), 0.2).unwrap();
        assert!((found.share - 0.59).abs() < 1e-9 && (found.slope - 12.0).abs() < 1e-9, "{found:?}");
    }
}
