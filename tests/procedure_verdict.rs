//! No approval of garbage: a target that is dead, dies, fails, or a script whose own thresholds are crossed ends a
//! procedure NOT APPROVED, whatever its criteria say; what a file lowers is said.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::procedure::{Target, get, json, text};
use crate::program::{self, Outcome, Running};

/// A script that asks for a page 20 times a second.
const SCRIPT: &str = "import http from 'k6/http';\nimport { sleep } from 'k6';\n\
    export default function () { http.get(`${__ENV.BASE_URL}/health`); sleep(0.05); }\n";
/// One that asks for a page that is not there every tenth time.
const TENTH: &str = "import http from 'k6/http';\nimport { sleep } from 'k6';\n\
    export default function () { http.get(`${__ENV.BASE_URL}/${__ITER % 10 ? 'health' : 'none'}`); sleep(0.05); }\n";

/// Runs a procedure with one run of a script, called `only`; `more` are further keys of the file.
fn start(folder: &Path, url: &str, script: &str, engine: &str, more: &str) -> Running {
    fs::write(folder.join("script.js"), script).unwrap();
    let file = format!(
        "export default {{ name: 'garbage', baseUrl: '{url}', resultsDir: './results', preflight: {{ scripts: false }},\n\
         runs: [{{ name: 'only', script: './script.js', vus: 2, duration: '3s' }}],\n\
         criteria: ['only.http_req_duration.p95 < 5s'], archive: false, {more} }};\n"
    );
    fs::write(folder.join("procedure.js"), file).unwrap();
    let mut command = program::volley(folder);
    Running::start(command.args(["procedure", "run", "procedure.js", "--js-engine", engine]))
}

fn finding<'a>(results: &'a Value, kind: &str) -> &'a Value {
    let findings = results["findings"].as_array().unwrap();
    findings.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {findings:?}"))
}

fn judged(folder: &Path, outcome: &Outcome, code: i32, verdict: &str) -> Value {
    assert_eq!(outcome.code, code, "{}{}", outcome.stdout, outcome.stderr);
    let results = json(folder.join("results/baseline_metrics.json"));
    assert_eq!(results["verdict"], verdict, "{}", outcome.stdout);
    results
}

#[test]
fn a_dead_target_is_not_approved() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = start(folder.path(), "http://127.0.0.1:9", SCRIPT, engine, "").end();
        let results = judged(folder.path(), &outcome, 99, "NOT APPROVED");
        assert_eq!(finding(&results, "errors")["severity"], "blocking");
        assert_eq!(finding(&results, "samples")["severity"], "blocking");
        // The gravest goes first, and there is nothing to compare.
        assert_eq!(results["findings"][0]["kind"], "errors");
        // A latency of requests that nobody answered is not a number, and so no pass.
        assert_eq!(results["criteria"][0]["state"], "not measured");
        let why = results["criteria"][0]["achieved_text"].as_str().unwrap();
        assert!(why.contains("`http_req_duration` has 0 answered requests, but needs at least 30"), "{why}");
        assert!(
            results["reason"].as_str().unwrap().contains("only: 100 % of requests failed (limit 5 %)"),
            "{results}"
        );
        let times = results["performance_metrics"]["response_times_ms"].as_object().unwrap();
        assert!(times.len() == 6 && times.values().all(Value::is_null), "{times:?}");
        let readiness = text(folder.path().join("results/readiness.txt"));
        assert!(readiness.contains("STATUS:       NOT APPROVED"), "{readiness}");
        // The advice follows from the cause, once for all that comes from it, and names what it is about.
        let advice = "\nRecommendations:\n\
            - Do not deploy on these results: no request was answered, so they say nothing about this version.\n\
            - Start the target at http://127.0.0.1:9, or correct `baseUrl` in the procedure file (run `only`).\n\n";
        assert!(readiness.contains(advice), "{readiness}");
        let reason = results["reason"].as_str().unwrap();
        assert!(reason.starts_with("the one criterion was not measured; "), "{reason}");
    }
}

#[test]
fn a_target_that_dies_in_the_middle_is_not_approved() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::start(folder.path(), &[]);
        let running = start(folder.path(), &target.url, SCRIPT, engine, "");
        running.wait_for("only: 2 VUs");
        // Some are answered before it dies, however slow this machine is.
        let answered = || {
            let page = get(&target.url, "/metrics").1;
            let line = page
                .lines()
                .find(|line| line.starts_with("http_request_duration_seconds_count") && line.contains("/health"));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        for _ in 0..500 {
            if answered() >= 20 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        drop(target);
        let outcome = running.end();
        let results = judged(folder.path(), &outcome, 99, "NOT APPROVED");
        assert_eq!(finding(&results, "errors")["severity"], "blocking");
        // Latencies are those of the requests that were answered.
        let kept = json(folder.path().join("results/only_report.json"));
        let metrics = kept["metrics"].as_array().unwrap();
        let duration = metrics.iter().find(|one| one["name"] == "http_req_duration").unwrap();
        let (all, answered) = (&duration["values"]["count"], &duration["answered"]["values"]["count"]);
        assert!(answered.as_u64() > Some(0) && answered.as_u64() < all.as_u64(), "{all} {answered}");
        let readiness = text(folder.path().join("results/readiness.txt"));
        let advice = "\n- Find out in the target's log why it left requests unanswered (run `only`).\n";
        assert!(readiness.contains(advice) && !readiness.contains("longer"), "{readiness}");
    }
}

#[test]
fn a_failing_tenth_blocks_unless_the_file_says_otherwise() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::start(folder.path(), &[]);
        let outcome = start(folder.path(), &target.url, TENTH, engine, "limits: { failed: '1%', samples: 1 }").end();
        let results = judged(folder.path(), &outcome, 99, "NOT APPROVED");
        assert_eq!(results["criteria"][0]["state"], "pass");
        assert!(finding(&results, "errors")["text"].as_str().unwrap().ends_with("of requests failed (limit 1 %)"));
        let readiness = text(folder.path().join("results/readiness.txt"));
        let advice = "\n- Find out in the target's log why it answered with status 404 (run `only`).\n";
        assert!(readiness.contains("\n- Do not deploy this version.\n") && readiness.contains(advice), "{readiness}");
        fs::remove_dir_all(folder.path().join("results")).unwrap();
        let lowered = "limits: { failed: '1%', samples: 1 }, findings: { errors: 'warning', generator: 'note' }";
        let outcome = start(folder.path(), &target.url, TENTH, engine, lowered).end();
        let results = judged(folder.path(), &outcome, 0, "APPROVED WITH FINDINGS");
        assert_eq!(finding(&results, "errors")["usual_severity"], "blocking");
        let readiness = text(folder.path().join("results/readiness.txt"));
        assert!(readiness.contains("(blocking by default, warning in this procedure file)"), "{readiness}");
        // What the file allows it does not hide.
        let reason = results["reason"].as_str().unwrap();
        assert!(reason.contains("of requests failed (limit 1 %) (blocking by default, warning in"), "{reason}");
    }
}

#[test]
fn crossed_thresholds_of_a_script_and_other_exit_codes_block() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::start(folder.path(), &[]);
        let calm = "findings: { generator: 'note' }";
        let check = |more: &str, code: i32, verdict: &str, kind: Option<&str>| {
            let script = format!("{SCRIPT}{more}");
            let outcome = start(folder.path(), &target.url, &script, engine, calm).end();
            let results = judged(folder.path(), &outcome, code, verdict);
            if let Some(kind) = kind {
                assert_eq!(finding(&results, kind)["severity"], "blocking");
            }
            fs::remove_dir_all(folder.path().join("results")).unwrap();
        };
        check("", 0, "APPROVED", None);
        check(
            "export const options = { thresholds: { iterations: ['count<1'] } };",
            99,
            "NOT APPROVED",
            Some("thresholds"),
        );
        let fails = "import exec from 'k6/execution';\nexport function teardown() { exec.test.fail('no'); }";
        check(fails, 99, "NOT APPROVED", Some("exit"));
        check("export function teardown() { throw new Error('no'); }", 99, "NOT APPROVED", Some("exit"));
    }
}

/// A script of which a part asks where nobody listens, as its run says.
const PART: &str = "import http from 'k6/http';\nimport { sleep } from 'k6';\n\
    export default function () {\n\
      const lost = __ITER % 4 < Number(__ENV.LOST || 0);\n\
      http.get(`${lost ? 'http://127.0.0.1:9' : __ENV.BASE_URL}/health`);\n\
      sleep(0.02);\n\
    }\n";

#[test]
fn a_comparison_calls_nothing_better_that_is_not() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::start(folder.path(), &[]);
        fs::write(folder.path().join("script.js"), PART).unwrap();
        let file = format!(
            "const run = (name, vus, LOST) => ({{ name, script: './script.js', vus, duration: '2s', env: {{ LOST }} }});\n\
             export default {{ name: 'compared', baseUrl: '{}', resultsDir: './results', archive: false,\n\
             runs: [run('baseline', 1, 0), run('again', 1, 0), run('more', 4, 0), run('half', 4, 3)],\n\
             criteria: ['baseline.http_reqs.count > 0', 'half.http_req_failed.rate < 5%', 'half.nothing.max < 1'],\n\
             collect: {{ prometheus: {{ url: 'http://127.0.0.1:9', queries: {{ nothing: 'up' }} }} }},\n\
             findings: {{ generator: 'note' }} }};\n",
            target.url
        );
        fs::write(folder.path().join("procedure.js"), file).unwrap();
        let mut command = program::volley(folder.path());
        let outcome = program::run(command.args(["procedure", "run", "procedure.js", "--js-engine", engine]));
        let results = judged(folder.path(), &outcome, 99, "NOT APPROVED");
        let reason = results["reason"].as_str().unwrap();
        assert!(reason.starts_with("1 of 3 criteria failed, 1 was not measured; "), "{reason}");
        let report = text(folder.path().join("results/report.md"));
        let row = |run: &str, figure: &str| {
            let begin = format!("| {run} | `{figure}` |");
            let line =
                report.lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("{begin} {report}"));
            line.rsplit('|').nth(1).unwrap().trim().to_owned()
        };
        let check = |run: &str, figure: &str, is_right: &dyn Fn(&str) -> bool| {
            let difference = row(run, figure);
            assert!(is_right(&difference), "{run} {figure}: {difference}");
        };
        let lost = "not comparable: 75 % of requests failed";
        let is_lost = |text: &str| text.starts_with("not comparable: ") && text.ends_with(" % of requests failed");
        check("half", "http_req_duration.p(99)", &is_lost);
        check("half", "http_reqs.rate", &is_lost);
        check("half", "http_req_failed.rate", &|text| text.starts_with('+') && text.ends_with(" points, worse"));
        // Four users of whom each loses three of four requests send about as much as one.
        check("half", "data_sent.rate", &|text| text == "same" || text.ends_with(" %"));
        check("more", "http_reqs.rate", &|text| text.ends_with(" %, at another load"));
        check("more", "http_req_failed.rate", &|text| text == "same");
        check("again", "http_reqs.rate", &|text| !text.contains("load"));
        assert!(!is_lost("same") && is_lost(lost));

        // Two results beside each other say the same.
        let compare = |after: &str, more: &[&str]| {
            let mut command = program::volley(&folder.path().join("results"));
            let outcome = program::run(command.args(["compare", "baseline_report.json", after]).args(more));
            assert!([0, 99].contains(&outcome.code), "{}", outcome.stderr);
            outcome.stdout
        };
        let told = compare("half_report.json", &[]);
        let line = |told: &str, begin: &str| told.lines().find(|line| line.starts_with(begin)).unwrap().to_owned();
        assert!(line(&told, "http_req_duration p(95)").ends_with("not comparable"), "{told}");
        assert!(line(&told, "http_req_failed rate").ends_with(" points"), "{told}");
        assert!(told.contains("of requests failed in the second, so times are not comparable"), "{told}");
        for after in ["more_report.json", "more_summary.json"] {
            let told = compare(after, &["--fail-on-regression=10%"]);
            assert!(line(&told, "http_reqs rate").ends_with("another load"), "{told}");
        }
        assert!(!compare("again_report.json", &[]).contains("another load"));
    }
}
