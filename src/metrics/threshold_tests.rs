//! What thresholds refuse in k6's message, what they read beyond k6, and how they judge.

use std::sync::Mutex;

use super::*;
use crate::metrics::metric::Contains;

fn def(expression: &str) -> ThresholdDef {
    ThresholdDef { expression: expression.to_owned(), abort_on_fail: false, delay_abort_eval: None }
}

fn registry() -> Registry {
    let registry = Registry::new();
    let kinds = [MetricType::Counter, MetricType::Gauge, MetricType::Rate, MetricType::Trend];
    for (name, kind) in ["cc", "gg", "rr", "tt"].into_iter().zip(kinds) {
        registry.declare(name, kind, Contains::Default).unwrap();
    }
    registry
}

/// The error or the warnings of one threshold.
fn outcome(name: &str, expression: &str, strict: bool) -> String {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let logger = Logger::new(move |entry| heard.lock().unwrap().push(entry.message));
    let defs = [(name.to_owned(), vec![def(expression)])];
    match check(&defs, &registry(), strict, &logger) {
        Err(failure) => {
            assert_eq!(failure.code, ExitCode::InvalidConfig);
            failure.message
        }
        Ok(_) => said.lock().unwrap().join("\n"),
    }
}

#[test]
fn refuses_what_k6_refuses_in_its_words() {
    let left = |text: &str, reason: &str| {
        format!("failed parsing threshold expression's \"{text}\" left hand side; reason: {reason}")
    };
    let right = |text: &str, reason: &str| {
        format!("failed parsing threshold expresion's \"{text}\" right hand side; reason: {reason}")
    };
    let check = |name: &str, expression: &str, expect: String| {
        assert_eq!(outcome(name, expression, true), expect, "{name}: {expression}");
    };
    let malformed =
        |text: &str| format!("failed parsing threshold expression \"{text}\"; reason: malformed threshold expression");
    check("tt", "avg", malformed("avg"));
    check("tt", "", malformed(""));
    check("tt", "avg=1", malformed("avg=1"));
    check("tt", "foo<1", left("foo<1", "failed parsing method from expression"));
    check("tt", "count>1 && count<5", left("count>1 && count<5", "failed parsing method from expression"));
    check("tt", "p95<1", left("p95<1", "failed parsing method from expression"));
    check("rr", "passes>1", left("passes>1", "failed parsing method from expression"));
    let percentile = "malformed percentile value, provide a number between 0 and 100";
    check("tt", "p(101)<1", left("p(101)<1", percentile));
    check("tt", "p(most)<1", left("p(most)<1", percentile));
    check("tt", "p( 95 )<1", left("p( 95 )<1", percentile));
    check("tt", "avg<1s", right("avg<1s", "strconv.ParseFloat: parsing \"1s\": invalid syntax"));
    check("tt", "avg<", right("avg<", "strconv.ParseFloat: parsing \"\": invalid syntax"));
    check("tt", "avg<1e999", right("avg<1e999", "strconv.ParseFloat: parsing \"1e999\": value out of range"));
    let unsupported = |name: &str, text: &str, method: &str, kind: &str, known: &str| {
        format!(
            "invalid threshold \"{text}\" applied on metric {name}; reason: unsupported aggregation method {method} on \
             metric of type {kind}. supported aggregation methods for this metric are: {known}"
        )
    };
    check("tt", "count>1", unsupported("tt", "count>1", "count", "trend", "avg, min, max, med, p"));
    check("cc", "p(95)<1", unsupported("cc", "p(95)<1", "p", "counter", "count, rate"));
    check("gg", "max<1", unsupported("gg", "max<1", "max", "gauge", "value"));
    check("rr", "count>1", unsupported("rr", "count>1", "count", "rate", "rate"));
    check("nope", "avg<1", "invalid threshold defined on nope; reason: no metric name \"nope\" found".to_owned());
    check(
        "nope{a:b}",
        "avg<1",
        "invalid threshold defined on nope{a:b}; reason: no metric name \"nope{a:b}\" found".to_owned(),
    );
    check(
        "tt{par:1",
        "avg<1",
        "unable to validate threshold expressions; reason: parsing metric name failed, \
        metric \"tt{par:1\" has unmatched opening/close curly brace"
            .to_owned(),
    );
}

#[test]
fn reads_further_forms_and_names_the_portable_one() {
    let check = |name: &str, expression: &str, expect: &str| {
        assert_eq!(outcome(name, expression, false), expect, "{name}: {expression}");
    };
    check("tt", "p(95)<500", "");
    check("tt", "p<500", "");
    check("tt", "p95<500", "threshold `p95<500` on `tt`: portable is `p(95)<500`, k6 refuses this form");
    check("tt", " p99.9 <= 5", "threshold `p99.9 <= 5` on `tt`: portable is `p(99.9)<= 5`, k6 refuses this form");
    let of_rate = |word: &str| {
        format!(
            "threshold `{word}>1` on `rr`: k6 does not know `{word}` of a rate; portable is `rate` of it, or `count` of a Counter"
        )
    };
    ["count", "passes", "fails"].iter().for_each(|word| check("rr", &format!("{word}>1"), &of_rate(word)));
    check(
        "iterations{vu:1}",
        "count==0",
        "The high-cardinality 'vu' metric tag was made non-indexable in k6 v0.41.0, \
        so thresholds like 'iterations{vu:1}' that are based on it won't work correctly.",
    );
}

#[test]
fn judges() {
    use crate::metrics::record::Stamp;
    let check = |kind: MetricType, values: &[f64], expression: &str, expect: bool| {
        let mut sink = Sink::new(kind, Contains::Default);
        values.iter().for_each(|value| sink.add(*value, Stamp(0)));
        let mut threshold = Threshold::parse(&def(expression), false).unwrap();
        assert_eq!(threshold.judge(&sink, Duration::from_secs(2)), expect, "{kind:?} {values:?} {expression}");
    };
    for form in ["5.5", ".5e1", "5.", "+5", "1e3", "1E3", "Inf", "0x1p3", "0005", " 5 "] {
        check(MetricType::Gauge, &[4.0], &format!("value<{form}"), true);
    }
    for form in ["-1", "1e-3", "-inf", "-0x1p3"] {
        check(MetricType::Gauge, &[4.0], &format!("value>{form}"), true);
    }
    check(MetricType::Trend, &[5.0, 3.0], "\tavg\t<\t5", true);
    check(MetricType::Trend, &[5.0, 3.0], "\n max \n > \n 5 \n", false);
    check(MetricType::Trend, &[1.0, 2.0, 3.0, 8.0], "p(90)==6.2", false);
    check(MetricType::Trend, &[1.0, 2.0, 3.0, 8.0], "med===2.5", true);
    check(MetricType::Trend, &[1.0, 2.0, 3.0, 8.0], "p(0)==1", true);
    check(MetricType::Trend, &[1.0, 2.0, 3.0, 8.0], "p100>=8", true);
    check(MetricType::Trend, &[], "avg>0", false);
    check(MetricType::Counter, &[10.0, 3.0], "count==13", true);
    check(MetricType::Counter, &[10.0, 3.0], "rate!=6.5", false);
    check(MetricType::Counter, &[], "count>0", false);
    check(MetricType::Gauge, &[], "value==0", true);
    check(MetricType::Rate, &[1.0, 1.0, 1.0, 0.0], "rate==0.75", true);
    check(MetricType::Rate, &[1.0, 1.0, 1.0, 0.0], "rate>75", false);
    check(MetricType::Rate, &[1.0, 1.0, 1.0, 0.0], "count==3", true);
    check(MetricType::Rate, &[1.0, 1.0, 1.0, 0.0], "passes==3", true);
    check(MetricType::Rate, &[1.0, 1.0, 1.0, 0.0], "fails==1", true);
    check(MetricType::Rate, &[], "rate<0", true);
}

#[test]
fn a_delay_holds_back_the_abort_not_the_verdict() {
    let mut patient = def("count<1");
    (patient.abort_on_fail, patient.delay_abort_eval) = (true, Some(Span::from_secs(10)));
    let mut threshold = Threshold::parse(&patient, false).unwrap();
    let mut sink = Sink::new(MetricType::Counter, Contains::Default);
    sink.add(1.0, crate::metrics::record::Stamp(0));
    let [early, late] = [9, 11].map(Duration::from_secs);
    assert!(!threshold.judge(&sink, early) && !threshold.wants_abort(early));
    assert!(threshold.wants_abort(late));
}

#[test]
fn judges_every_window_and_remembers_the_worst() {
    use crate::metrics::record::Stamp;
    const SECOND: u64 = 1_000_000_000;
    let check = |expression: &str, baseline: Option<&str>, expect: (bool, f64)| {
        let defs = [("tt".to_owned(), vec![def(expression)])];
        let mut watched = check(&defs, &registry(), false, &Logger::silent()).unwrap();
        let baseline = baseline.map(|text| Baseline::parse("saved.json", text).unwrap());
        compare(&mut watched, baseline.as_ref()).unwrap();
        let threshold = &mut watched[0].thresholds[0];
        // Slow from the 20th second to the 25th, in a run of a minute.
        for second in 100..160 {
            let value = if (120..125).contains(&second) { 900.0 } else { 10.0 };
            threshold.observe(value, Stamp(second * SECOND));
            if second % 2 == 0 {
                threshold.judge_windows(Stamp(second * SECOND), false);
            }
        }
        let ok = threshold.judge_windows(Stamp(160 * SECOND), true);
        assert_eq!((ok, threshold.observed), expect, "{expression}");
    };
    check("max<500 for 10s", None, (false, 900.0));
    check("min<500 for 10s", None, (true, 10.0));
    check("med<500 for 4s", None, (false, 900.0));
    check("avg<=baseline*1.1 for 10s", Some(r#"{"metrics": {"tt": {"avg": 500}}}"#), (true, 10.0));
    check("avg<=baseline-90 for 10s", Some(r#"{"metrics": {"tt": {"avg": 500}}}"#), (false, 455.0));
}

#[test]
fn a_saved_run_has_to_have_the_figure() {
    let check = |baseline: Option<&str>, expect: &str| {
        let defs = [("tt".to_owned(), vec![def("p(95)<=baseline*2")])];
        let mut watched = check(&defs, &registry(), false, &Logger::silent()).unwrap();
        let baseline = baseline.map(|text| Baseline::parse("saved.json", text).unwrap());
        let failure = compare(&mut watched, baseline.as_ref()).unwrap_err();
        assert_eq!((failure.code, failure.message.as_str()), (ExitCode::InvalidConfig, expect));
    };
    let start = "invalid threshold \"p(95)<=baseline*2\" on tt; reason: ";
    check(None, &format!("{start}it compares with a saved run, name one with `--baseline FILE`"));
    check(Some(r#"{"metrics": {}}"#), &format!("{start}the baseline 'saved.json' has no metric 'tt'"));
}
