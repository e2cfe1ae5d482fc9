//! What must hold for thresholds as people write them, and for saved runs. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

use super::baseline::Baseline;
use super::submetric::MetricSelector;
use super::threshold::{Threshold, ThresholdDef};

/// A metric, a zero byte, and a threshold: each is read or refused in words; what was read is read again as the same.
pub fn threshold(data: &[u8]) {
    let at = memchr::memchr(0, data).unwrap_or(data.len());
    let (metric, expression) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    match MetricSelector::parse(&String::from_utf8_lossy(metric)) {
        Ok(read) => assert_eq!(MetricSelector::parse(&read.name).map(|again| again.name), Ok(read.name)),
        Err(text) => assert!(!text.is_empty()),
    }
    let expression = String::from_utf8_lossy(expression).into_owned();
    let def = ThresholdDef { expression, abort_on_fail: false, delay_abort_eval: None };
    let [strict, lenient] = [true, false].map(|strict| Threshold::parse(&def, strict));
    assert!(strict.is_err() || lenient.is_ok(), "{:?}", def.expression);
}

/// A summary of an earlier run.
pub fn baseline(data: &[u8]) {
    if let Ok(baseline) = Baseline::parse("a.json", &String::from_utf8_lossy(data)) {
        for key in ["rate", "p(95)", "value", "count"] {
            _ = baseline.figure("http_reqs", &[key.to_owned()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn any_threshold_is_read_or_refused() {
        break_each(
            &[
                b"http_req_duration{status:200, name:\"a,b\"}\0p(99.9)<=1e3 for 30s",
                b"checks{}\0rate > 0x1.8p3",
                b"m{a:1}\0med!=baseline*1.1e-1+20 for 1m",
                b"}m{\0p(-1)<==+Inf",
            ],
            threshold,
        );
    }

    #[test]
    fn any_saved_run_is_read_or_refused() {
        break_each(
            &[
                br#"{"metrics":{"http_reqs":{"type":"counter","contains":"default","values":{"count":3,"rate":1.5}}}}"#,
                br#"{"metrics":{"http_req_duration":{"avg":1,"p(95)":"x","thresholds":{"a":false}}},"root_group":null}"#,
            ],
            baseline,
        );
    }
}
