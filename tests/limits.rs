//! What a script can't be kept from doing to its engine hurts nobody else: stacks that overflow, calls that never return.

use std::fs;

use serde_json::Value;

use crate::program::{self, Outcome, run, volley};

/// Runs a script with every engine in turn; gives the check what came of it, the points and the summary.
fn check(script: &str, check: impl Fn(&str, &Outcome, &[Value], &Value)) {
    for engine in program::engines() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("script.js"), script).expect("a file can be written");
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--log-format=raw", "--js-engine", engine, "-o", "json=points.json"]);
        let outcome = run(command.args(["--summary-export=summary.json", "script.js"]));
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("the file was written");
        let points: Result<Vec<Value>, _> = read("points.json").lines().map(serde_json::from_str).collect();
        let summary = serde_json::from_str(&read("summary.json")).expect("the summary is whole");
        check(engine, &outcome, &points.expect("every line is whole"), &summary);
    }
}

/// The sum of a counter's points.
fn sum(points: &[Value], metric: &str) -> f64 {
    let points = points.iter().filter(|point| point["metric"] == metric && point["type"] == "Point");
    points.filter_map(|point| point["data"]["value"].as_f64()).sum()
}

#[test]
fn data_without_an_end_loses_nothing_that_was_measured() {
    let script = "import { Counter } from 'k6/metrics';
        import { sleep } from 'k6';
        const done = new Counter('done');
        export const options = { vus: 4, iterations: 40 };
        export default function () {
            done.add(1);
            sleep(0.01);
            if (__VU !== 2 || __ITER !== 3) return;
            let list = [];
            for (let n = 0; n < 1e6; n += 1) list = [list];
            done.add(1000);
            try { JSON.stringify(list); } catch (error) { console.log(`caught ${error.name}`); }
        }
        export function teardown() { console.log('torn down'); }";
    check(script, |engine, outcome, points, summary| {
        let (all, code) = (format!("{}{}", outcome.stdout, outcome.stderr), outcome.code);
        let counted = summary["metrics"]["done"]["count"].as_f64();
        assert_eq!(counted, Some(sum(points, "done")), "{engine}: {all}");
        assert!(counted >= Some(1004.0), "{engine}: {counted:?} {all}");
        assert!(all.contains("torn down"), "{engine}: {all}");
        if all.contains("caught RangeError") {
            assert_eq!((code, counted), (0, Some(1040.0)), "{engine}: {all}");
        } else {
            assert_eq!(code, 109, "{engine}: {all}");
            assert_eq!(all.matches("nested too deeply").count(), 1, "{engine}: {all}");
        }
    });
}

#[test]
fn a_call_that_never_returns_does_not_keep_the_run() {
    let script = "import { Counter } from 'k6/metrics';
        const done = new Counter('done');
        export const options = {
            scenarios: { s: { executor: 'per-vu-iterations', vus: 1, maxDuration: '1s', gracefulStop: '0s' } },
        };
        export default function () {
            done.add(1);
            Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
            console.log('came back');
        }
        export function teardown() { console.log('torn down'); }
        export function handleSummary(data) { console.log('summarised'); return {}; }";
    check(script, |engine, outcome, _points, _summary| {
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, 0, "{engine}: {all}");
        for text in ["torn down", "summarised", "VU 1 did not stop within 5 s"] {
            assert!(all.contains(text), "{engine}: {text}: {all}");
        }
        assert!(!all.contains("came back"), "{engine}: {all}");
    });
}

#[test]
fn a_setup_that_never_returns_leaves_the_summary_a_worker() {
    let script = "export const options = { setupTimeout: '1s' };
        export function setup() { Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1); }
        export default function () {}
        export function handleSummary() { console.log('summarised'); return {}; }";
    check(script, |engine, outcome, _points, _summary| {
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, 100, "{engine}: {all}");
        for text in ["setup() execution timed out after 1 seconds", "summarised"] {
            assert!(all.contains(text), "{engine}: {text}: {all}");
        }
    });
}
