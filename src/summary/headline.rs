//! What the head of a report says of a run that is over: whether it passed, and what failed although it did.
//!
//! k6 ends with code 0 when no threshold was crossed, also where nothing was answered. A head that said no more than
//! "passed" would approve of that.

use crate::metrics::trend::Trend;
use crate::metrics::{MetricValues, Results};
use crate::units::figure::{self, Unit};

/// More failed requests or checks than this share, and the head says so first.
pub const MAX_FAILED: f64 = 0.05;

/// What is counted as failed: the metric, the word for what it counts, and whether its passes are the failures.
const COUNTED: [(&str, &str, bool); 2] = [("http_req_failed", "requests", true), ("checks", "checks", false)];

/// The times of requests; how many of them were answered is known.
pub const REQUEST_TIMES: [&str; 2] = ["http_req_duration", "grpc_req_duration"];

/// A part of a run that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedShare {
    /// `requests` or `checks`.
    pub of: &'static str,
    /// 0 to 1; above 0.
    pub share: f64,
}

impl FailedShare {
    /// `100 % of requests`.
    fn words(&self) -> String {
        format!("{} of {}", figure::text_beside(self.share, 1.0, Unit::Share), self.of)
    }
}

/// The head of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// `Passed`, `Failed`, or what failed.
    pub text: String,
    /// It is no failure.
    pub is_good: bool,
}

impl Headline {
    /// The head of a result that is not of the whole test: nothing is approved of by it.
    pub fn of_incomplete(self, exit_code: u8) -> Self {
        let text = match (exit_code, self.is_good) {
            (0 | 2, _) => "Incomplete".to_owned(),
            _ => format!("{}; incomplete", self.text),
        };
        Self { text, is_good: false }
    }
}

/// Everything that failed, by kind.
pub fn failed_shares(results: &Results) -> Vec<FailedShare> {
    let rate = |name: &str| match results.metric(name).map(|metric| &metric.values) {
        Some(MetricValues::Rate { rate, passes, fails }) if passes + fails > 0 => Some(*rate),
        _ => (name == COUNTED[0].0).then(|| unanswered_share(results)).flatten(),
    };
    failed_shares_of(&rate)
}

/// The share of requests that got no answer, where a script wants no response to be judged.
fn unanswered_share(results: &Results) -> Option<f64> {
    let counts = REQUEST_TIMES.iter().filter_map(|name| {
        let metric = results.metric(name)?;
        let MetricValues::Trend(all) = &metric.values else { return None };
        Some((all.count(), metric.answered.as_ref().map_or(all.count(), Trend::count)))
    });
    share_of_missing(counts)
}

/// What is missing in all: from how many requests there were, and how many of them were answered.
pub fn share_of_missing(counts: impl Iterator<Item = (u64, u64)>) -> Option<f64> {
    let (all, answered) = counts.fold((0, 0), |(all, answered), (more, ones)| (all + more, answered + ones));
    (all > answered).then(|| (all - answered) as f64 / all as f64)
}

/// The same from the rates of metrics; nothing for a metric without samples.
pub fn failed_shares_of(rate: &dyn Fn(&str) -> Option<f64>) -> Vec<FailedShare> {
    let shares = COUNTED.iter().filter_map(|(metric, of, passes_are_failures)| {
        let rate = rate(metric)?;
        Some(FailedShare { of, share: if *passes_are_failures { rate } else { complement(rate) } })
    });
    shares.filter(|failed| failed.share > 0.0).collect()
}

/// What is missing to the whole, without the noise of binary fractions: 0.05 for 0.95.
pub fn complement(share: f64) -> f64 {
    ((1.0 - share) * 1e9).round() / 1e9
}

/// What failed beyond a limit, in words: `100 % of requests and 40 % of checks failed`.
pub fn failed_words(failed: &[FailedShare], limit: f64) -> Option<String> {
    let words: Vec<String> = failed.iter().filter(|failed| failed.share > limit).map(FailedShare::words).collect();
    (!words.is_empty()).then(|| format!("{} failed", words.join(" and ")))
}

/// That requests failed, for where checks have lines of their own.
pub fn failed_requests(results: &Results) -> Option<String> {
    let requests = failed_shares(results).into_iter().filter(|failed| failed.of == "requests");
    failed_words(&requests.collect::<Vec<_>>(), MAX_FAILED)
}

/// The head of a run that ended with this exit code; `has_thresholds` says that some were judged.
pub fn headline(exit_code: u8, has_thresholds: bool, failed: &[FailedShare], limit: f64) -> Headline {
    let failed = failed_words(failed, limit);
    let text = match (exit_code, failed, has_thresholds) {
        (0, Some(failed), true) => format!("Thresholds passed; {failed}"),
        (0, Some(failed), false) => failed,
        (0, None, has_thresholds) => {
            let text = if has_thresholds { "Passed" } else { "Finished" };
            return Headline { text: text.to_owned(), is_good: true };
        }
        (_, Some(failed), _) => format!("Failed; {failed}"),
        (_, None, _) => "Failed".to_owned(),
    };
    Headline { text, is_good: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Mode;
    use crate::summary::fixture::RunFixture;

    #[test]
    fn requests_without_an_answer_failed_also_where_nothing_is_judged() {
        let check = |judged: bool, statuses: &[&str], expect: Option<f64>| {
            let mut run = RunFixture::new();
            for status in statuses {
                run.request("GET", "http://x/", status, 1_000_000);
                if !judged {
                    run.unjudge();
                }
            }
            let shares = failed_shares(&run.results(1_000_000_000, Mode::Full));
            assert_eq!(shares.iter().find(|one| one.of == "requests").map(|one| one.share), expect, "{statuses:?}");
        };
        check(true, &["200", "0", "500", "500"], Some(0.75));
        check(false, &["200", "0", "500", "500"], Some(0.25));
        check(false, &["200", "500"], None);
        check(false, &[], None);
    }

    #[test]
    fn nothing_is_passed_that_failed() {
        let check = |code: u8, has_thresholds: bool, requests: Option<f64>, checks: Option<f64>, expect: &str| {
            let failed = failed_shares_of(&|name| if name == "checks" { checks } else { requests });
            let head = headline(code, has_thresholds, &failed, MAX_FAILED);
            assert_eq!(head.text, expect);
            assert_eq!(head.is_good, matches!(expect, "Passed" | "Finished"));
        };
        check(0, true, Some(0.0), Some(1.0), "Passed");
        check(0, false, None, None, "Finished");
        check(0, true, Some(0.05), Some(0.95), "Passed");
        check(0, true, Some(1.0), None, "Thresholds passed; 100 % of requests failed");
        check(0, false, Some(1.0), Some(1.0), "100 % of requests failed");
        check(0, true, Some(0.999_99), Some(1.0), "Thresholds passed; 99.999 % of requests failed");
        check(0, false, Some(0.5), Some(0.6), "50 % of requests and 40 % of checks failed");
        check(99, true, Some(0.01), Some(1.0), "Failed");
        check(99, true, Some(0.3), None, "Failed; 30 % of requests failed");
    }
}
