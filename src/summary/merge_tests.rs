//! The parts of a run come to the same document as the run in one piece.

use std::ops::Range;

use serde_json::Value;

use super::*;
use crate::metrics::{Contains, MetricType};
use crate::summary::Mode;
use crate::summary::document::{build, build_merged};
use crate::summary::fixture::RunFixture;

/// What happens to the things with these numbers. Values are eighths, whose sums are exact.
fn run(numbers: Range<u64>, thresholds: &[(&str, &[&str])]) -> RunFixture {
    let mut run = RunFixture::new();
    let trend = run.declare("a_trend", MetricType::Trend, Contains::Default);
    let time = run.declare("a_time", MetricType::Trend, Contains::Time);
    let counter = run.declare("a_counter", MetricType::Counter, Contains::Data);
    let rate = run.declare("a_rate", MetricType::Rate, Contains::Default);
    let gauge = run.declare("a_gauge", MetricType::Gauge, Contains::Default);
    thresholds.iter().for_each(|(name, expressions)| run.threshold(name, expressions));
    for number in numbers {
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        run.sample(trend, spread as f64 / 8.0 - 50_000.0, &[("kind", if number % 2 == 0 { "even" } else { "odd" })]);
        run.sample(time, (spread % 4_000) as f64 / 8.0, &[]);
        run.sample(counter, number as f64, &[]);
        run.sample(rate, f64::from(u8::from(number % 3 == 0)), &[]);
        run.sample(gauge, number as f64, &[]);
        run.check("::outer::inner", "a check", number % 7 != 0);
        run.check("", "another", true);
        let status = if number % 25 == 3 {
            "0"
        } else if number % 10 == 1 {
            "404"
        } else {
            "200"
        };
        run.request("GET", &format!("http://x/{}", number % 3), status, 125_000 * (spread % 900));
        run.iteration(125_000 * (number % 900), "a scenario");
    }
    run
}

const THRESHOLDS: [(&str, &[&str]); 4] = [
    ("a_time", &["p(95)<490", "max<400"]),
    ("a_trend{kind:even}", &["max>10", "med<0"]),
    ("http_req_failed", &["rate<0.5"]),
    ("iterations", &["count>=3", "rate>1000000"]),
];

fn facts(segment: &str) -> RunFacts {
    RunFacts {
        script: "x.js".to_owned(),
        segment: segment.to_owned(),
        test: "a test".to_owned(),
        judges: true,
        end: Some(RunEnd { code: 0, reason: None }),
        ..RunFacts::default()
    }
}

fn part(file: &str, run: &RunFixture, facts: &RunFacts) -> Part {
    let results = run.results(2_000_000_000, Mode::Full);
    let mut document = build(&results, &RenderOptions::default(), facts, true).to_value();
    // However long it took to make them: the parts of these tests began at the same time.
    document["timeline"]["start_ms"] = 1_700_000_000_000u64.into();
    Part::read(file, &document.to_string()).unwrap()
}

#[test]
fn parts_come_to_what_one_run_would_have_said() {
    // All exact; exact parts that are a histogram together; histograms.
    for each in [40, 4_000, 12_000] {
        let whole = run(0..3 * each, &THRESHOLDS).results(2_000_000_000, Mode::Full);
        let whole = build(&whole, &RenderOptions::default(), &facts("0:1"), true).to_value();
        let names = ["a.json", "b.json", "c.json"];
        let of = |at: u64| {
            let segment = ["0:1/3", "1/3:2/3", "2/3:1"][at as usize];
            part(names[at as usize], &run(at * each..(at + 1) * each, &THRESHOLDS), &facts(segment))
        };
        let parts = [of(0), of(1), of(2)];
        let merged = |parts: &[Part]| {
            let merged = merge(parts, false).unwrap();
            build_merged(&merged.results, &merged.options, &merged.facts, &merged.merge, true)
        };
        let (all, pair) = (merged(&parts).to_value(), merge(&parts[..2], true).unwrap());
        let said = |document: &Value, key: &str| {
            if key == "timeline" { document[key]["series"].clone() } else { document[key].clone() }
        };
        for key in
            ["metrics", "thresholds", "checks", "groups", "scenarios", "group_tree", "endpoints", "errors", "timeline"]
        {
            assert_eq!(said(&all, key), said(&whole, key), "{key} of three times {each}");
        }
        assert_eq!(all["verdict"]["crossed"], whole["verdict"]["crossed"]);
        assert_eq!((&all["run"]["segment"], &all["verdict"]["exit_code"]), (&"0:1".into(), &99.into()));
        assert_eq!(all["parts"].as_array().map(Vec::len), Some(3));
        // A merge is a part of the next one.
        let pair =
            build_merged(&pair.results, &pair.options, &RunFacts { incomplete: None, ..pair.facts }, &pair.merge, true);
        let pair = Part::read("pair.json", &pair.for_file(1)).unwrap();
        let all_again = merged(&[pair, parts[2].clone()]).to_value();
        for key in ["metrics", "endpoints", "timeline"] {
            assert_eq!(said(&all_again, key), said(&whole, key), "{key} of three times {each}, two at first");
        }
    }
}

#[test]
fn vus_of_all_instances_add_up() {
    let part_of = |at: usize, vus: f64| {
        let mut run = run(0..3, &[("vus_max", &["value>=17"])]);
        run.sample(builtin::VUS, vus, &[]);
        run.sample(builtin::VUS, vus - 1.0, &[]);
        run.sample(builtin::VUS_MAX, vus, &[]);
        part(&format!("{at}.json"), &run, &facts(["0:1/3", "1/3:2/3", "2/3:1"][at]))
    };
    let merged = merge(&[part_of(0, 7.0), part_of(1, 5.0), part_of(2, 5.0)], false).unwrap();
    let gauge = |name: &str| match merged.results.metric(name).unwrap().values {
        MetricValues::Gauge { value, min, max } => (value, min, max),
        _ => panic!("{name} is no gauge"),
    };
    assert_eq!((gauge("vus"), gauge("vus_max")), ((14.0, 14.0, 17.0), (17.0, 17.0, 17.0)));
    assert_eq!(merged.facts.end, Some(RunEnd { code: 0, reason: None }));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let check = |parts: &[(&str, &str, u8)], expect: &str| {
        let parts: Vec<Part> = parts
            .iter()
            .enumerate()
            .map(|(at, (segment, test, code))| {
                let reason = (*code != 0).then(|| "a reason".to_owned());
                let end = Some(RunEnd { code: *code, reason });
                let facts = RunFacts { test: (*test).to_owned(), end, ..facts(segment) };
                part(&format!("{at}.json"), &run(0..3, &[]), &facts)
            })
            .collect();
        let merged = merge(&parts, false);
        assert_eq!(merged.map(drop).err().unwrap_or_default(), expect);
        if expect.contains("--partial") {
            let merged = merge(&parts, true).unwrap();
            let said = expect.strip_suffix("; `--partial` merges them all the same");
            assert_eq!(merged.facts.incomplete.as_deref(), said);
            assert_eq!(merged.notes, [format!("the result is incomplete: {}", said.unwrap_or_default())]);
        }
    };
    let end = "; `--partial` merges them all the same";
    check(&[("0:1/2", "t", 0), ("1/2:1", "t", 99)], "");
    check(&[("0:1", "t", 0)], "");
    check(&[("1/2:1", "t", 0), ("0:1/2", "u", 0)], {
        "`1.json` is of another test than `0.json`: a file or an option of the script differs"
    });
    check(&[("1/4:1/2", "t", 0), ("3/4:1", "t", 0)], &{
        format!("the segment 0:1/4 is missing; the segment 1/2:3/4 is missing{end}")
    });
    check(&[("0:1/4", "t", 0)], &format!("the segment 1/4:1 is missing{end}"));
    check(&[("0:1", "t", 0), ("0:1", "t", 0)], &{ format!("`1.json` ran the segment 0:1, which others ran too{end}") });
    check(&[("0:1/2", "t", 0), ("1/2:1", "t", 107)], &format!("`1.json` ended with exit code 107: a reason{end}"));
    assert_eq!(merge(&[], true).map(drop), Err("there is nothing to merge".to_owned()));
}

#[test]
fn broken_files_are_named() {
    let results = run(0..50, &THRESHOLDS).results(1_000_000_000, Mode::Full);
    let good = build(&results, &RenderOptions::default(), &facts("0:1"), true).to_value();
    let check = |change: &dyn Fn(&mut Value), expect: &str| {
        let mut document = good.clone();
        change(&mut document);
        let error = Part::read("a.json", &document.to_string()).map(drop).unwrap_err();
        assert_eq!(error, format!("`a.json` {expect}"));
    };
    let error = Part::read("a.json", "{").map(drop).unwrap_err();
    assert!(error.starts_with("`a.json` is no JSON: "), "{error}");
    check(&|document| *document = serde_json::json!({"metrics": {}}), "is no file of `--summary-json`");
    check(&|document| document["version"] = 2.into(), "has version 2 of the format, this program reads 1");
    check(&|document| document["run"]["is_over"] = false.into(), "is of a run that was not over");
    check(&|document| document["run"]["test"] = Value::Null, {
        "does not say which test it is of: it was not written by `--summary-json` of this version"
    });
    check(&|document| document["run"]["segment"] = "1:0".into(), {
        "is broken: segment start(1.00) must be less than its end(0.00)"
    });
    check(
        &|document| document["metrics"][0]["values"] = Value::Null,
        "is broken: metrics[0]: `a_counter`: `count` is missing",
    );
    let trend = good["metrics"].as_array().unwrap().iter().position(|metric| metric["name"] == "a_time").unwrap();
    check(&|document| document["metrics"][trend]["exact_values"] = "AAAA".into(), &{
        format!("is broken: metrics[{trend}]: `a_time`: its exact values are cut off")
    });
    check(&|document| document["metrics"][trend]["exact_values"] = "AAAAAAAAAAA=".into(), &{
        format!("is broken: metrics[{trend}]: `a_time`: it does not have as many exact values as it counts")
    });
    let without = |document: &mut Value| {
        let metric = document["metrics"][trend].as_object_mut().unwrap();
        metric.remove("exact_values");
    };
    let broken = |document: &mut Value| {
        without(document);
        document["metrics"][trend]["histogram"]["hdr_v2"] = "AAAA".into();
    };
    check(&broken, &format!("is broken: metrics[{trend}]: `a_time`: its histogram is none in the format V2"));
    let fewer = |document: &mut Value| {
        without(document);
        document["metrics"][trend]["values"]["count"] = 3.into();
    };
    check(&fewer, &{
        format!("is broken: metrics[{trend}]: `a_time`: its histogram does not have as many values as it counts")
    });
}

#[test]
fn thresholds_that_files_can_not_answer_are_told() {
    let document = |expression: &str, ok: bool| {
        let mut document = {
            let results = run(0..50, &[("a_time", &["p(95)<490"])]).results(1_000_000_000, Mode::Full);
            build(&results, &RenderOptions::default(), &facts(if ok { "0:1/2" } else { "1/2:1" }), true).to_value()
        };
        document["thresholds"][0]["expression"] = expression.into();
        document["thresholds"][0]["ok"] = ok.into();
        Part::read(if ok { "a.json" } else { "b.json" }, &document.to_string()).unwrap()
    };
    let window = "p(95)<490 for 10s";
    let merged = merge(&[document(window, true), document(window, false)], false);
    let expect = format!(
        "the threshold `{window}` on `a_time` judges windows, and `a.json` doesn't hold what was in each: it is of an earlier \
         version, or has more than an hour of windows of 10 s"
    );
    assert_eq!(merged.map(drop), Err(expect));
    let baseline = "p(95)<=baseline*1.1";
    let merged = merge(&[document(baseline, true), document(baseline, false)], false);
    let expect = format!("the threshold `{baseline}` on `a_time` compares with a saved run, a merge can't");
    assert_eq!(merged.map(drop), Err(expect));
}

#[test]
fn windows_are_judged_on_what_all_parts_had_in_them() {
    // What happened when in each of two parts, and what one instance would have said of it.
    let check = |kind: MetricType, expression: &str, parts: [&[(u64, f64)]; 2], expect: (bool, f64)| {
        let run = |samples: &[(u64, f64)]| {
            let mut run = RunFixture::new();
            let metric = run.declare("watched", kind, Contains::Default);
            run.threshold("watched", &[expression]);
            for (second, value) in samples {
                run.now = Stamp(1_000_000_000 * second);
                run.sample(metric, *value, &[]);
            }
            run
        };
        let judged = |results: &Results| {
            let threshold = &results.metric("watched").unwrap().thresholds[0];
            (threshold.ok, threshold.observed)
        };
        let mut all = parts.concat();
        all.sort_by_key(|(second, _)| *second);
        assert_eq!(judged(&run(&all).results(60_000_000_000, Mode::Full)), expect, "{expression} of {all:?} in one");
        let [one, other] = [("a.json", "0:1/2", 0), ("b.json", "1/2:1", 1)]
            .map(|(file, segment, at)| part(file, &run(parts[at]), &facts(segment)));
        let merged = merge(&[one.clone(), other.clone()], false).unwrap();
        assert_eq!(judged(&merged.results), expect, "{expression} of {parts:?}");
        // A merge holds its windows too.
        let again = build_merged(&merged.results, &merged.options, &merged.facts, &merged.merge, true).for_file(1);
        let again = merge(&[Part::read("all.json", &again).unwrap()], true).unwrap();
        assert_eq!(judged(&again.results), expect, "{expression} of {parts:?}, once more");
    };
    check(MetricType::Counter, "count<=20 for 10s", [&[(5, 15.0)], &[(8, 15.0)]], (false, 30.0));
    check(MetricType::Counter, "count<=20 for 10s", [&[(5, 15.0)], &[(38, 15.0)]], (true, 15.0));
    check(
        MetricType::Rate,
        "rate<0.5 for 10s",
        [&[(1, 1.0), (30, 0.0)], &[(2, 0.0), (3, 0.0), (30, 0.0)]],
        (true, 0.0),
    );
    check(
        MetricType::Rate,
        "rate<0.5 for 10s",
        [&[(1, 1.0), (30, 0.0)], &[(2, 1.0), (3, 0.0), (30, 0.0)]],
        (false, 2.0 / 3.0),
    );
    let times: Vec<(u64, f64)> = (0..40).map(|at| (at, at as f64)).collect();
    check(MetricType::Trend, "max<20 for 10s", [&times, &[(3, 18.0)]], (false, 39.0));
    check(MetricType::Trend, "med<100 for 10s", [&times, &[(45, 99.0)]], (true, 38.0));
}
