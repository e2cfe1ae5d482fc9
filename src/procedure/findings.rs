//! Findings: what was seen in the runs beside the criteria, how grave it is, and what to do about it.
//!
//! A blocking finding ends a procedure NOT APPROVED, whatever the criteria say. The kinds and their severities are
//! [`KINDS`]; a procedure file may give a kind another severity, by name, and the report says so.

use serde::Serialize;
use serde_json::Value;

use super::collect::CollectedSeries;
use super::finding_kinds::{KINDS, Severity};
use super::journal::{CheckState, EntryState};
use super::results::{ProcedureResults, RunResult};
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
    /// What to do.
    pub hint: String,
}

impl Finding {
    /// One line: `stress: 12 % of requests failed`.
    pub fn line(&self) -> String {
        let run = self.run.as_ref().map(|run| format!("{run}: ")).unwrap_or_default();
        format!("{run}{}{}", self.text, self.lowered())
    }

    /// It would block an approval, if the procedure file did not say otherwise.
    pub fn is_lowered(&self) -> bool {
        self.severity != Severity::Blocking && self.usual_severity == Some(Severity::Blocking)
    }

    /// That the procedure file changed its severity.
    pub fn lowered(&self) -> String {
        let usual = self
            .usual_severity
            .map(|usual| format!(" ({}; {} by the procedure file)", usual.word(), self.severity.word()));
        usual.unwrap_or_default()
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
        let hint = journal.hints.get(kind).map_or(hint, String::as_str).to_owned();
        self.findings.push(Finding {
            kind,
            severity,
            usual_severity: (severity != usual).then_some(usual),
            run: run.map(|run| run.entry.name.clone()),
            text,
            hint,
        });
    }
}

/// Everything that was found, the gravest first. `scarce` are the runs and figures with too few samples for a criterion.
pub fn findings(results: &ProcedureResults, scarce: &[(String, String)]) -> Vec<Finding> {
    let mut finder = Finder { results, findings: Vec::new() };
    before_runs(&mut finder);
    let baseline = results.baseline().filter(|run| run.document.is_some());
    for run in &results.runs {
        ending(&mut finder, run);
        for (_, text) in scarce.iter().filter(|(name, _)| *name == run.entry.name) {
            let hint = "a longer run gives more; `limits: { samples: N }` in the procedure file asks for fewer";
            finder.find("samples", Some(run), text.clone(), hint);
        }
        for collected in &run.collected {
            if let Some(trouble) = &collected.trouble {
                let text = format!("the collector `{}` had trouble: {trouble}", collected.collector);
                let hint = "the series of this run have gaps; check that the service is reachable";
                finder.find("collector", Some(run), text, hint);
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
                finder.find("memory", Some(run), text, "a longer run at constant load shows whether it ever stops");
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
        let hint = "runs with other data than intended say less; see the application's log and the procedure's `data`";
        finder.find("data", None, format!("{}: {why}", records.words()), hint);
    }
}

/// A run that did not end as it should. One that was interrupted or killed leaves the procedure incomplete instead.
fn ending(finder: &mut Finder<'_>, run: &RunResult) {
    let crossed = run.document.as_ref().and_then(|document| document.pointer("/verdict/crossed")?.as_array());
    let crossed: Vec<&str> = crossed.into_iter().flatten().filter_map(Value::as_str).collect();
    if !crossed.is_empty() {
        let text = format!("thresholds of the script were crossed: {}", crossed.join(", "));
        finder.find("thresholds", Some(run), text, "the report shows what was seen beside each threshold");
    }
    if let Some(thinned) = &run.entry.thinned {
        let count = |count: u64| figure::text(count as f64, Unit::Count);
        let (kept, all) = (count(thinned.kept), count(thinned.all));
        let text =
            format!("{kept} of {all} samples were written, no more fit into the limit; the figures come from all");
        let hint = "`samples: { limit: '5GB' }` in the procedure file keeps more";
        finder.find("thinned", Some(run), text, hint);
    }
    let has_ended = matches!(run.entry.state, EntryState::Finished | EntryState::Failed);
    let is_told = run.entry.exit_code == Some(0) || (run.entry.exit_code == Some(99) && !crossed.is_empty());
    if has_ended && !is_told {
        let why = run.entry.note.as_deref().unwrap_or("there is no reason in its log");
        let text = match run.entry.exit_code {
            Some(code) if !why.starts_with("exit code") => format!("it ended with exit code {code}: {why}"),
            _ => format!("it failed: {why}"),
        };
        finder.find("exit", Some(run), text, "the run's log says more");
    }
}

fn of_requests(finder: &mut Finder<'_>, run: &RunResult, document: &Value) {
    let limits = finder.results.journal.limits;
    let roles = &finder.results.journal.metrics;
    let share = run.failed_share(roles);
    if share > limits.failed {
        let failed = figure::text_beside(share, limits.failed, Unit::Share);
        let text = format!("{failed} of requests failed (limit {})", figure::text(limits.failed, Unit::Share));
        let hint = "the application's log and its database connections may say why";
        finder.find("errors", Some(run), text, hint);
    }
    if let Some(share) = run.rate("checks").map(complement).filter(|share| *share > limits.failed) {
        let failed = figure::text_beside(share, limits.failed, Unit::Share);
        let text = format!("{failed} of checks failed (limit {})", figure::text(limits.failed, Unit::Share));
        finder.find("checks", Some(run), text, "the report lists the checks that failed");
    }
    let refused = document["errors"].as_array().into_iter().flatten();
    let refused = refused.filter(|one| one["text"].as_str().is_some_and(|text| text.contains("refused")));
    let refused: u64 = refused.filter_map(|one| one["count"].as_u64()).sum();
    if refused > 0 {
        let text = match refused {
            1 => "1 connection was refused".to_owned(),
            _ => format!("{} connections were refused", figure::text(refused as f64, Unit::Count)),
        };
        let hint = "check that the application is running and accepts that many connections";
        finder.find("refused", Some(run), text, hint);
    }
    if let Some(p95) = run.judged_value("http_req_duration", "p(95)").filter(|p95| *p95 > limits.slow) {
        let (p95, limit) = (figure::text_beside(p95, limits.slow, Unit::Time), figure::text(limits.slow, Unit::Time));
        let text = format!("the p95 of request durations is {p95}, above {limit}");
        finder.find("slow", Some(run), text, "check the application's processor load, and whether its cache answers");
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
        finder.find("cache", Some(run), text, "check that Redis is running, and that the application uses it");
    }
}

fn of_generator(finder: &mut Finder<'_>, run: &RunResult, document: &Value) {
    if let Some(complaint) = document.pointer("/health/complaint").and_then(Value::as_str) {
        let hint = "figures of this run may be too high; use fewer VUs here, or a larger machine";
        finder.find("generator", Some(run), format!("the load generator could not keep up: {complaint}"), hint);
    }
    if let Some(dropped) = run.value("dropped_iterations", "count").filter(|count| *count > 0.0) {
        let text = match dropped {
            1.0 => "1 iteration could not start in time".to_owned(),
            _ => format!("{} iterations could not start in time", figure::text(dropped, Unit::Count)),
        };
        let hint = "there were too few VUs for this rate, or the application is too slow for it";
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
    use super::*;

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
