//! The file of `--summary-junit`: thresholds and checks as test cases, for CI systems that show JUnit reports.
//!
//! A threshold that was crossed and a check that failed is a failed case with the figures in its message, as are requests
//! of which more than a few failed; what ended the run early is an error. Checks don't fail a run, in k6 and here; a
//! threshold on them does.
//! Times add up, as readers of the format expect: the case of the run takes as long as the run did, judging takes no time.

use std::fmt::Write;

use super::document::{RunEnd, RunFacts};
use super::headline::failed_requests;
use super::threshold_figures;
use crate::metrics::Results;
use crate::metrics::groups::{CheckResult, GroupResult};
use crate::units::figure::{self, Unit};

/// The text of the file.
pub fn render(results: &Results, facts: &RunFacts) -> String {
    let seconds = results.duration.as_secs_f64();
    let suites = [thresholds(results), checks(results), run(results, facts, seconds)];
    let suites: Vec<Suite> = suites.into_iter().filter(|suite| !suite.cases.is_empty()).collect();
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let mut page = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    // Writing to a string can't fail.
    _ = writeln!(
        page,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{seconds:.3}\">",
        escaped(&facts.script),
        sum(|suite| suite.cases.len()),
        sum(Suite::failures),
        sum(Suite::errors),
    );
    for suite in &suites {
        suite.write(&mut page, &facts.started.to_string());
    }
    page.push_str("</testsuites>\n");
    page
}

struct Suite {
    name: &'static str,
    cases: Vec<Case>,
}

struct Case {
    class: String,
    name: String,
    seconds: f64,
    outcome: CaseOutcome,
}

enum CaseOutcome {
    Passed,
    Failed(String),
    Broke(String),
}

impl Suite {
    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.outcome, CaseOutcome::Failed(_))).count()
    }

    fn errors(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.outcome, CaseOutcome::Broke(_))).count()
    }

    fn write(&self, page: &mut String, timestamp: &str) {
        let seconds: f64 = self.cases.iter().map(|case| case.seconds).sum();
        _ = writeln!(
            page,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" timestamp=\"{}\" \
             time=\"{seconds:.3}\">",
            self.name,
            self.cases.len(),
            self.failures(),
            self.errors(),
            escaped(timestamp),
        );
        for Case { class, name, seconds, outcome } in &self.cases {
            let (class, name) = (escaped(class), escaped(name));
            _ = write!(page, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{seconds:.3}\"");
            _ = match outcome {
                CaseOutcome::Passed => writeln!(page, "/>"),
                CaseOutcome::Failed(why) => {
                    writeln!(page, ">\n      <failure message=\"{}\"/>\n    </testcase>", escaped(why))
                }
                CaseOutcome::Broke(why) => {
                    writeln!(page, ">\n      <error message=\"{}\"/>\n    </testcase>", escaped(why))
                }
            };
        }
        page.push_str("  </testsuite>\n");
    }
}

fn thresholds(results: &Results) -> Suite {
    let all = results.metrics.iter().flat_map(|metric| metric.thresholds.iter().map(move |one| (metric, one)));
    let cases = all.map(|(metric, threshold)| {
        let outcome = if threshold.ok {
            CaseOutcome::Passed
        } else {
            CaseOutcome::Failed(threshold_figures::observed(metric, threshold).line())
        };
        let name = threshold.def.expression.trim().to_owned();
        Case { class: metric.name.to_string(), name, seconds: 0.0, outcome }
    });
    Suite { name: "thresholds", cases: cases.collect() }
}

fn checks(results: &Results) -> Suite {
    let mut cases = Vec::new();
    gather(&results.root, &mut cases);
    Suite { name: "checks", cases }
}

fn gather(group: &GroupResult, cases: &mut Vec<Case>) {
    for CheckResult { name, passes, fails, .. } in &group.checks {
        let outcome = match fails {
            0 => CaseOutcome::Passed,
            _ => {
                let share = *passes as f64 / (passes + fails) as f64;
                let count = |count: u64| figure::text(count as f64, Unit::Count);
                let (share, fails, all) = (figure::text(share, Unit::Share), count(*fails), count(passes + fails));
                CaseOutcome::Failed(format!("{share} passed (wanted 100 %): {fails} of {all} failed"))
            }
        };
        let class = if group.path.is_empty() { "checks".to_owned() } else { format!("checks{}", group.path) };
        cases.push(Case { class, name: name.to_string(), seconds: 0.0, outcome });
    }
    group.groups.iter().for_each(|inner| gather(inner, cases));
}

/// How the run ended, where that is more than crossed thresholds; and that requests failed, where no threshold may say so.
fn run(results: &Results, facts: &RunFacts, seconds: f64) -> Suite {
    let outcome = match &facts.end {
        Some(RunEnd { code, reason }) if !matches!(code, 0 | 99) => {
            let reason = reason.as_deref().unwrap_or("the run failed");
            CaseOutcome::Broke(format!("exit code {code}: {reason}"))
        }
        Some(_) if facts.incomplete.is_some() => {
            CaseOutcome::Broke(format!("the result is incomplete: {}", facts.incomplete.as_deref().unwrap_or_default()))
        }
        _ => CaseOutcome::Passed,
    };
    let (class, name) = ("run".to_owned(), "runs to its end".to_owned());
    let mut cases = vec![Case { class: class.clone(), name, seconds, outcome }];
    // Checks have cases of their own.
    if let Some(failed) = failed_requests(results) {
        let outcome = CaseOutcome::Failed(failed);
        cases.push(Case { class, name: "requests succeed".to_owned(), seconds: 0.0, outcome });
    }
    Suite { name: "run", cases }
}

/// Text as it may stand in an attribute; what XML can't hold at all becomes a question mark.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            '\r' => safe.push_str("&#13;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => safe.push('?'),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Mode;
    use crate::summary::fixture::sample_run;

    #[test]
    fn what_failed_is_a_failed_case() {
        let end = Some(RunEnd { code: 108, reason: Some("aborted: \"why\" <b>".to_owned()) });
        let facts = RunFacts { script: "a&b.js".to_owned(), end, ..RunFacts::default() };
        let text = render(&sample_run().results(2_000_000_000, Mode::Compact), &facts);
        for part in [
            "<testsuites name=\"a&amp;b.js\" tests=\"10\" failures=\"3\" errors=\"1\" time=\"2.000\">",
            "<testsuite name=\"thresholds\" tests=\"5\" failures=\"2\" errors=\"0\"",
            "<testcase classname=\"checks\" name=\"rate&gt;0.9\" time=\"0.000\">\n      <failure message=\"rate 71.4 % (wanted &gt; 90 %)\"/>",
            "<testcase classname=\"http_req_duration{status:200}\" name=\"max&gt;=0\" time=\"0.000\"/>",
            "<testcase classname=\"checks::g\" name=\"never\" time=\"0.000\">\n      <failure message=\"0 % passed (wanted 100 %): 2 of 2 failed\"/>",
            "<testsuite name=\"run\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" timestamp=\"1970-01-01T00:00:00Z\" \
             time=\"2.000\">\n    <testcase classname=\"run\" name=\"runs to its end\" time=\"2.000\">",
            "<error message=\"exit code 108: aborted: &quot;why&quot; &lt;b&gt;\"/>",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn failed_requests_are_a_failed_case_whatever_the_exit_code() {
        let mut run = sample_run();
        run.request("GET", "http://x", "500", 1_000_000);
        let end = Some(RunEnd { code: 0, reason: None });
        let text = render(&run.results(2_000_000_000, Mode::Compact), &RunFacts { end, ..RunFacts::default() });
        let case = "<testcase classname=\"run\" name=\"requests succeed\" time=\"0.000\">\n      \
            <failure message=\"25 % of requests failed\"/>";
        assert!(text.contains(case), "{text}");
    }

    #[test]
    fn text_is_safe_in_an_attribute() {
        let check = |text: &str, expect: &str| assert_eq!(escaped(text), expect);
        check("<a href=\"x\">&\n\0žluť", "&lt;a href=&quot;x&quot;&gt;&amp;&#10;?žluť");
    }
}
