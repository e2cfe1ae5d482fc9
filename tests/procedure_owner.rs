//! Whoever has scripts around k6 keeps them: an analysis in Python and one of jq that read summaries, and the sections and
//! keys that a written procedure asks for.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::needs;
use crate::procedure::{Target, example, json, text};
use crate::program;

/// The analysis of a written procedure as it stands there, its numbers filled in.
const ANALYSIS: &str = r#"
import json
import sys
from statistics import mean, stdev

# Load all test results
tests = ['baseline', 'stress', 'spike']
results = {}

for test in tests:
    with open(f'{test}_summary.json') as f:
        results[test] = json.load(f)

# Generate report
print("=" * 80)
print("LOAD TEST ANALYSIS REPORT")
print("=" * 80)
print()

for test, data in results.items():
    print(f"\n{test.upper()} TEST RESULTS")
    print("-" * 80)

    metrics = data.get('metrics', {})

    # Extract relevant metrics
    req_duration = metrics.get('http_req_duration', {}).get('values', {})
    print(f"Response Time (P95): {req_duration.get('p95', 'N/A')}ms")
    print(f"Response Time (P99): {req_duration.get('p99', 'N/A')}ms")
    print(f"Response Time (Max): {req_duration.get('max', 'N/A')}ms")
    print(f"Response Time (Avg): {req_duration.get('mean', 'N/A')}ms")

    reqs = metrics.get('http_reqs', {}).get('value', 0)
    print(f"Total Requests: {int(reqs)}")

    errors = metrics.get('errors', {}).get('value', 0)
    print(f"Total Errors: {int(errors)}")

    data_sent = metrics.get('data_sent', {}).get('value', 0)
    data_rcvd = metrics.get('data_received', {}).get('value', 0)
    print(f"Data Sent: {data_sent / 1024 / 1024:.2f} MB")
    print(f"Data Received: {data_rcvd / 1024 / 1024:.2f} MB")

print("\n" + "=" * 80)
print("PERFORMANCE COMPARISON")
print("=" * 80)

# Calculate improvements
baseline_p95 = results['baseline']['metrics']['http_req_duration']['values']['p95']
stress_p95 = results['stress']['metrics']['http_req_duration']['values']['p95']
spike_p95 = results['spike']['metrics']['http_req_duration']['values']['p95']

improvement_stress = ((baseline_p95 - stress_p95) / baseline_p95 * 100)
improvement_spike = ((baseline_p95 - spike_p95) / baseline_p95 * 100)

print(f"\nBaseline P95: {baseline_p95}ms")
print(f"Stress P95: {stress_p95}ms ({improvement_stress:+.1f}%)")
print(f"Spike P95: {spike_p95}ms ({improvement_spike:+.1f}%)")

# Summary
print("\n" + "=" * 80)
print(" SUCCESS CRITERIA")
print("=" * 80)

checks = {
    'P95 Response Time < 100ms': stress_p95 < 100,
    'Cache Hit Rate > 75%': True,  # From k6 output
    'Throughput > 500 req/s': (results['stress']['metrics']['http_reqs']['value'] / 600) > 500,
    'Error Rate < 1%': (results['stress']['metrics']['errors']['value'] / results['stress']['metrics']['http_reqs']['value']) < 0.01,
    'Zero timeout errors': results['stress']['metrics'].get('http_req_tls_handshaking', {}).get('value', 0) == 0
}

for check, status in checks.items():
    symbol = "ok" if status else "no"
    print(f"{symbol} {check}: {'PASS' if status else 'FAIL'}")
"#;

/// The questions of the same procedure to `jq`, each of which has to have an answer for each run.
const QUESTIONS: [&str; 6] = [
    "{p50: .metrics.http_req_duration.values[\"p(90)\"], p95: .metrics.http_req_duration.values[\"p(95)\"], \
     p99: .metrics.http_req_duration.values.p99, max: .metrics.http_req_duration.values.max, \
     avg: .metrics.http_req_duration.values.mean}",
    ".metrics | select(.http_reqs) | .http_reqs.value",
    ".metrics | select(.errors) | .errors.value",
    ".metrics | select(.cache_hit_ratio) | .cache_hit_ratio.value",
    "{received: .metrics.data_received.value, sent: .metrics.data_sent.value}",
    ".metrics.http_req_duration.values.p95",
];

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(has_null),
        _ => false,
    }
}

fn ask(folder: &Path, program: &Path, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn scripts_around_the_results_and_the_files_of_a_written_procedure() {
    let python = needs::program(&["python3"], "Debian: python3");
    let jq = needs::program(&["jq"], "Debian: jq");
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::start(folder.path(), &["--db-latency", "5ms"]);
        let results = folder.path().join("results");
        // A machine that is busy with other tests may be too slow for a criterion, which is not what this is about.
        let is_fast = (0..3).any(|_| {
            _ = fs::remove_dir_all(&results);
            let outcome = program::run(&mut example(folder.path(), &target, &["--js-engine", engine]));
            assert!([0, 99].contains(&outcome.code), "{}{}", outcome.stdout, outcome.stderr);
            outcome.code == 0
        });
        assert!(is_fast, "{}", text(results.join("readiness.txt")));

        let told = ask(&results, &python, &["-c", ANALYSIS]);
        assert!(!told.contains("N/A") && !told.contains("None"), "{told}");
        let requests: Vec<u64> =
            told.lines().filter_map(|line| line.strip_prefix("Total Requests: ")?.parse().ok()).collect();
        let baseline = json(results.join("baseline_metrics.json"));
        let counted = ["baseline", "stress", "spike"]
            .map(|run| baseline["runs"][run]["metrics"]["http_reqs"]["count"].as_u64().unwrap());
        assert_eq!(requests, counted);
        for passed in ["P95 Response Time < 100ms", "Error Rate < 1%", "Zero timeout errors"] {
            assert!(told.contains(&format!("ok {passed}: PASS")), "{told}");
        }
        for (run, question) in ["baseline", "stress", "spike"].iter().flat_map(|run| QUESTIONS.map(|one| (run, one))) {
            let answer = ask(&results, &jq, &[question, &format!("{run}_summary.json")]);
            let answer: Value =
                serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{run} {question}: {answer:?}"));
            assert!(!has_null(&answer), "{run} {question}: {answer}");
        }
        // Samples are packed lines, as `-o json=FILE.json.gz` writes them.
        let count =
            "import gzip, json; print(sum(json.loads(l)['type'] == 'Point' for l in gzip.open('stress.json.gz')))";
        assert!(ask(&results, &python, &["-c", count]).trim().parse::<u64>().unwrap() > 100);

        for key in ["version", "date", "environment", "phase"] {
            assert!(!baseline[key].is_null(), "{key}");
        }
        assert_eq!(baseline["cache_enabled"], true);
        let performance = &baseline["performance_metrics"];
        assert_eq!(performance["run"], "stress");
        for key in ["p50", "p95", "p99", "max"] {
            assert!(performance["response_times_ms"][key].as_f64().unwrap() > 0.0, "{key}: {performance}");
        }
        assert_eq!(performance["response_times_ms"]["p95"], baseline["criteria"][0]["achieved"]);
        for key in ["throughput_req_per_sec", "cache_hit_rate_percent", "error_rate_percent"] {
            assert!(performance[key].is_number(), "{key}: {performance}");
        }
        // Nobody looked at these.
        for key in ["database_connections", "redis_memory_mb"] {
            assert!(performance.as_object().unwrap()[key].is_null(), "{key}: {performance}");
        }
        assert_eq!(baseline["success_criteria"]["fast_under_stress"], true);
        assert_eq!(baseline["success_criteria"].as_object().unwrap().len(), 6);

        let readiness = text(results.join("readiness.txt"));
        for part in [
            "cache integration - Load Testing Results\n",
            "\nSTATUS:       REHEARSAL\n",
            "\nPerformance Targets Achieved: 6 of 6\n",
            "  PASS          fast under stress: ",
            " (target: < 100 ms)\n",
            "\nLoad Test Scenarios Passed: 3 of 3\n",
            "\nRecommendations:\n- Run the procedure without `--scale`",
            "\nDate:         20",
            "\nApproved by:  nobody",
        ] {
            assert!(readiness.contains(part), "{part:?}: {readiness}");
        }
    }
}

#[test]
fn archive_and_folder_carry_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &["--db-latency", "0ms"]);
    fs::write(
        folder.path().join("script.js"),
        "import http from 'k6/http';\nexport default () => { http.get(`${__ENV.BASE_URL}/health`); };\n",
    )
    .unwrap();
    let file = format!(
        "export default {{ name: 'times', environment: 'test', baseUrl: '{}', criteria: ['a.http_reqs.count > 0'],\n\
         runs: [{{ name: 'a', script: './script.js', iterations: 40 }}], archive: true }};\n",
        target.url
    );
    fs::write(folder.path().join("procedure.js"), file).unwrap();
    let run = || {
        let mut command = program::volley(folder.path());
        let outcome = program::run(command.args(["procedure", "run", "procedure.js"]).env("TZ", "Asia/Tokyo"));
        assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    };
    run();
    run();
    let names = fs::read_dir(folder.path().join("load_test_results")).unwrap();
    let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let folders: Vec<&String> = names.iter().filter(|name| !name.ends_with(".tar.gz")).collect();
    let archives: Vec<String> = folders.iter().map(|name| format!("test_{name}.tar.gz")).collect();
    assert_eq!(folders.len(), 2, "{names:?}");
    assert!(archives.iter().all(|name| names.contains(name)), "{names:?}");
}
