//! Instances that run the parts of one test, and the merge of what they wrote: what users type, what they see.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{Outcome, engines, run, volley};
use crate::server;

const SCRIPT: &str = "import http from 'k6/http';
    import { check, group } from 'k6';
    import { Trend } from 'k6/metrics';
    const number = new Trend('number');
    export const options = {
        scenarios: { only: { executor: 'shared-iterations', vus: 6, iterations: 60 } },
        thresholds: { checks: ['rate==1'], iterations: ['count==60'], number: ['max<60'] },
    };
    export default function () {
        group('here', () => check(http.get(`${__ENV.URL}/text`), { 'is plain': ({ body }) => body === 'plain text' }));
        number.add(__ITER);
    }";

fn merge(folder: &Path, arguments: &[&str]) -> Outcome {
    run(volley(folder).arg("merge").args(arguments))
}

fn document(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join(name)).expect("the file was written");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn instances_come_to_one_result() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    fs::write(folder.join("script.js"), SCRIPT).expect("a file can be written");
    // One on each engine, where there are two.
    let engines: Vec<_> = engines().collect();
    let segments = ["0:1/3", "1/3:2/3", "2/3:1"];
    for (at, segment) in segments.into_iter().enumerate() {
        let engine = engines[at % engines.len()];
        let mut command = volley(folder);
        command.args(["run", "--quiet", "--js-engine", engine, "--execution-segment", segment]);
        command.args(["--execution-segment-sequence", "0,1/3,2/3,1", "--tag", &format!("instance={at}")]);
        command.args(["--summary-json", &format!("{at}.json"), "-e", &format!("URL={}", server::url()), "script.js"]);
        // Each alone has a third of the iterations.
        assert_eq!(run(&mut command).code, 99);
    }
    let parts = ["0.json", "1.json", "2.json"];
    let outputs = [
        "--out",
        "all.json",
        "--summary-export",
        "export.json",
        "--summary-junit",
        "junit.xml",
        "--report",
        "page.html",
    ];
    let outcome = merge(folder, &[&parts[..], &outputs].concat());
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.stderr, "");
    for said in ["iterations...", "60 ", "✓ is plain", "✓ 'count==60' count=60"] {
        assert!(outcome.stdout.contains(said), "{said}: {}", outcome.stdout);
    }
    let all = document(folder, "all.json");
    let metric = |document: &Value, name: &str| {
        let metrics = document["metrics"].as_array().cloned().unwrap_or_default();
        metrics.into_iter().find(|metric| metric["name"] == name).unwrap_or_default()
    };
    let counts: Vec<_> = parts
        .iter()
        .map(|part| metric(&document(folder, part), "http_req_duration")["values"]["sum"].as_f64().unwrap_or(f64::NAN))
        .collect();
    let sum = metric(&all, "http_req_duration")["values"]["sum"].as_f64().unwrap_or(f64::NAN);
    assert!((counts.iter().sum::<f64>() - sum).abs() < 1e-6, "{counts:?} {sum}");
    assert_eq!(metric(&all, "http_req_duration")["values"]["count"], 60);
    assert_eq!((&all["verdict"]["headline"], &all["run"]["segment"]), (&"Passed".into(), &"0:1".into()));
    assert_eq!(all["endpoints"][0]["requests"], 60);
    assert_eq!(document(folder, "export.json")["metrics"]["iterations"]["count"], 60);
    assert!(fs::read_to_string(folder.join("junit.xml")).is_ok_and(|text| text.contains("count==60")));
    assert!(fs::read_to_string(folder.join("page.html")).is_ok_and(|text| text.contains("volley-summary")));

    let check = |arguments: &[&str], code: i32, said: &str| {
        let outcome = merge(folder, arguments);
        assert_eq!(outcome.code, code, "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{arguments:?}: {}", outcome.stderr);
        assert_eq!(
            outcome.stderr.trim_end().lines().count(),
            usize::from(code != 99).max(1),
            "{arguments:?}: {}",
            outcome.stderr
        );
    };
    check(&["0.json", "2.json"], 104, "the segment 1/3:2/3 is missing; `--partial` merges them all the same");
    check(&["0.json", "0.json", "1.json", "2.json"], 104, "`0.json` ran the segment 0:1/3, which others ran too");
    check(&["0.json", "export.json"], 104, "`export.json` is no file of `--summary-json`");
    let outcome = merge(folder, &["0.json", "2.json", "--partial", "--out", "some.json"]);
    assert_eq!(outcome.code, 99, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the result is incomplete: the segment 1/3:2/3 is missing"), "{}", outcome.stderr);
    assert_eq!(document(folder, "some.json")["run"]["incomplete"], "the segment 1/3:2/3 is missing");
    assert_eq!(merge(folder, &["missing.json"]).code, 104);

    // Another script is another test, whatever its name.
    fs::write(folder.join("script.js"), SCRIPT.replace("max<60", "max<61")).expect("a file can be written");
    let mut command = volley(folder);
    command.args(["run", "--quiet", "--execution-segment", "2/3:1", "--execution-segment-sequence", "0,1/3,2/3,1"]);
    command.args(["--summary-json", "other.json", "-e", &format!("URL={}", server::url()), "script.js"]);
    run(&mut command);
    check(&["0.json", "1.json", "other.json"], 104, "`other.json` is of another test than `0.json`");
}

/// Whatever can't be written or run, the rest is, and the verdict stands.
#[test]
fn what_fails_stops_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    let script = |summary: &str, limit: u64| {
        let text = format!(
            "export const options = {{ iterations: 3, thresholds: {{ iterations: ['count>={limit}'] }} }};
            export default function () {{}}
            {summary}"
        );
        fs::write(folder.join("script.js"), text).expect("a file can be written");
    };
    for (limit, verdict) in [(1, 0), (9, 99)] {
        script("", limit);
        run(volley(folder).args(["run", "--quiet", "--summary-json", "part.json", "script.js"]));
        let outcome =
            merge(folder, &["part.json", "--out", "no/all.json", "--report", "page.html", "--markdown", "no/x.md"]);
        assert_eq!(outcome.code, if verdict == 0 { 255 } else { verdict }, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("could not write 'no/all.json': no such file or directory; could not write"));
        assert!(outcome.stdout.contains("iterations..."), "{}", outcome.stdout);
        assert!(folder.join("page.html").exists());
        for engine in engines() {
            let cases = [
                (
                    "export function handleSummary() { throw new Error('no summary today'); }",
                    "no summary today",
                    verdict,
                ),
                ("export function handleSummary() { return { stdout: 7 }; }", "invalid type int64", verdict),
                ("export function handleSummary() { return 7; }", "should return a map with string keys", verdict),
                ("", "exports no function `handleSummary`", if verdict == 0 { 104 } else { verdict }),
                ("throw new Error('at the top');", "at the top", if verdict == 0 { 107 } else { verdict }),
            ];
            for (summary, said, code) in cases {
                script(summary, limit);
                let outcome = merge(folder, &["part.json", "--js-engine", engine, "--script", "script.js"]);
                assert_eq!(outcome.code, code, "{engine} {summary}: {}", outcome.stderr);
                assert!(outcome.stderr.contains(said), "{engine} {summary}: {}", outcome.stderr);
                assert!(outcome.stdout.contains("iterations..."), "{engine} {summary}: {}", outcome.stdout);
            }
        }
    }
}
