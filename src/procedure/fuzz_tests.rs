//! What must hold for what procedure files say, and for what a Prometheus answers. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

use super::collect::{Collected, prometheus};
use super::expression::CriterionExpression;
use super::file::Procedure;

/// A criterion: it is read and judged, or refused in one line.
pub fn criterion(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match CriterionExpression::parse(&text, &["stress", "baseline"]) {
        Ok(read) => {
            let outcome = read.judge(&|_| Some(3.0));
            assert_eq!(outcome.passed.is_some(), outcome.achieved.is_some() && outcome.target.is_some());
            assert_eq!(read.judge(&|_| None).passed, None);
        }
        Err(why) => assert!(!why.is_empty() && (!why.contains('\n') || text.contains('\n')), "{why:?}"),
    }
}

/// What a procedure's script exports, as JSON.
pub fn procedure(data: &[u8]) {
    if let Err(why) = Procedure::read(Some(&String::from_utf8_lossy(data))) {
        assert!(!why.to_string().is_empty());
    }
}

/// What a Prometheus answers to a query.
pub fn series(data: &[u8]) {
    if let Ok(answer) = serde_json::from_slice(data) {
        prometheus::read("up", &answer, &mut Collected::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn any_criterion_is_read_or_refused() {
        break_each(
            &[
                b"stress.http_req_duration{name:list}.p95 <= baseline.http_req_duration.p(95) * 1.5 + 2e1",
                b"((-(stress.checks.rate - 0.1))) / 0 != .5",
                b"stress.a.max>=stress.b.min",
            ],
            criterion,
        );
    }

    #[test]
    fn any_procedure_is_read_or_refused() {
        break_each(
            &[
                br#"{"name":"x","runs":{"load":{"script":"a.js","options":{"vus":1},"repeat":3}},"criteria":["load.http_reqs.rate > 1"]}"#,
                br#"{"system":{"url":"http://h.test"},"preflight":{"http":[{"url":"/health","status":200}]},"collect":{"every":"1s","host":true,"redis":"redis://u:p@h"}}"#,
                b"null",
            ],
            procedure,
        );
    }

    #[test]
    fn any_answer_of_prometheus_is_read() {
        break_each(
            &[br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"x","r":"a"},"values":[[1,"2"],[2.5,"NaN"],[3]]},{"metric":null}]}}"#],
            series,
        );
    }
}
