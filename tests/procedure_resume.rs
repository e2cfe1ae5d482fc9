//! A procedure that is killed in each of its stages: what was made is known, what was finished is not done again, and
//! nothing stays behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::procedure::{Target, json, text};
use crate::program::{self, Running};

const RECORDS: u64 = 40;

/// Two short runs on records that a function makes.
const PROCEDURE: &str = r#"
const login = { email: 'admin@demo.local', password: 'demo-password' };
const headers = { Authorization: 'Bearer {login.token}' };
export default {
  name: 'killed', environment: 'test', baseUrl: __ENV.BASE_URL, resultsDir: 'results',
  preflight: { http: [{ url: '/health' }] },
  data: {
    count: 40, rate: 40,
    login: { url: '/api/v1/auth/login', body: login },
    request: { url: '/api/v1/risks', headers },
    record: (i) => ({ title: `Killed ${i}`, description: `made by record(${i})`, impact: 1 + i % 5, probability: 1 }),
    verify: { url: '/api/v1/risks/{created.id}', headers },
    cleanUp: { url: '/api/v1/risks/{created.id}', headers },
  },
  runs: [
    { name: 'one', script: './script.js', vus: 1, duration: '1s', coolDown: '1s' },
    { name: 'two', script: './script.js', vus: 1, duration: '1s' },
  ],
  collect: { every: '300ms' },
  criteria: ['one.http_reqs.count > 0', 'two.http_reqs.count > 0'],
  archive: true,
};
"#;

const SCRIPT: &str = "import http from 'k6/http';\nimport { sleep } from 'k6';\n\
                      export default () => { http.get(`${__ENV.BASE_URL}/health`); sleep(0.05); }\n";

fn write(folder: &Path) {
    fs::write(folder.join("procedure.js"), PROCEDURE).unwrap();
    fs::write(folder.join("script.js"), SCRIPT).unwrap();
}

fn procedure(folder: &Path, target: &Target, args: &[&str]) -> Command {
    let mut command = program::volley(folder);
    command.args(["procedure", "run", "procedure.js"]).args(args).env("BASE_URL", &target.url);
    command
}

/// How many records the target has.
fn risks(target: &Target) -> u64 {
    let (_, body) = crate::procedure::get(&target.url, "/health");
    serde_json::from_str::<Value>(&body).unwrap()["risks"].as_u64().unwrap()
}

/// When each finished run began.
fn finished(results: &Path) -> BTreeMap<String, Value> {
    if !results.join("procedure.json").exists() {
        return BTreeMap::new();
    }
    let journal = json(results.join("procedure.json"));
    let runs = journal["runs"].as_array().unwrap().iter().filter(|run| run["state"] == "finished");
    runs.map(|run| (run["name"].as_str().unwrap().to_owned(), run["started"].clone())).collect()
}

/// Kills a procedure when it says this, goes on, and looks at all there is then.
fn killed_at(words: &str, wait: Duration) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let target = Target::start(folder.path(), &[]);
    let before = risks(&target);
    let running = Running::start(&mut procedure(folder.path(), &target, &[]));
    running.wait_for(words);
    std::thread::sleep(wait);
    running.kill();
    running.end();
    let results = folder.path().join("results");
    let kept = finished(&results);
    let told = program::run(program::volley(folder.path()).args(["procedure", "report", "results"]));
    if kept.len() < 2 {
        assert_eq!(told.code, 2, "{}{}", told.stdout, told.stderr);
        assert!(text(results.join("readiness.txt")).contains("INCOMPLETE"));
    }
    let resumed = program::run(&mut procedure(folder.path(), &target, &["--resume", "results"]));
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
    for (name, started) in &kept {
        assert_eq!(finished(&results)[name], *started, "`{name}` was repeated");
        assert!(resumed.stdout.contains(&format!("{name}: finished before, kept")), "{}", resumed.stdout);
    }
    assert_eq!(finished(&results).len(), 2);
    let readiness = text(results.join("readiness.txt"));
    assert!(readiness.contains("Resumed at"), "{readiness}");
    assert!(readiness.contains("STATUS:       APPROVED"), "{readiness}");
    // Only a record that was on its way in the moment of the kill may have been lost sight of, and then it is told.
    let ledger = results.join("created_records.ndjson");
    let lost = risks(&target) - before;
    assert!(lost <= 16, "{lost} records stayed behind");
    assert_eq!(ledger.exists(), readiness.contains("may still be there"), "{readiness}");
    if lost > 0 {
        assert!(readiness.contains("had been requested without an answer"), "{readiness}");
    }
    for entry in fs::read_dir(folder.path()).unwrap().chain(fs::read_dir(&results).unwrap()) {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".tar.gz") {
            let verified = program::run(program::volley(folder.path()).args(["procedure", "verify", &name]));
            assert_eq!(verified.code, 0, "{}", verified.stderr);
        }
    }
}

#[test]
fn killed_while_records_are_made() {
    killed_at("making 40 records", Duration::from_millis(400));
}

#[test]
fn killed_in_the_first_run() {
    killed_at("one: 1 VU", Duration::from_millis(300));
}

#[test]
fn killed_between_runs() {
    killed_at("cool-down of", Duration::from_millis(100));
}

#[test]
fn killed_in_the_last_run() {
    killed_at("two: 1 VU", Duration::from_millis(300));
}

#[test]
fn killed_while_records_are_removed() {
    killed_at("removing 40 records", Duration::from_millis(300));
}

#[test]
fn killed_while_reports_are_packed() {
    killed_at("report: ", Duration::ZERO);
}

#[test]
fn a_killed_preflight_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    // Takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::at(&format!("http://{}", silent.local_addr().unwrap()));
    let running = Running::start(&mut procedure(folder.path(), &target, &[]));
    running.wait_for("killed (test)");
    running.kill();
    running.end();
    assert!(!folder.path().join("results").exists());
    let resumed = program::run(&mut procedure(folder.path(), &target, &["--resume", "results", "--dry-run"]));
    // There is nothing to go on with, and nothing in the way of a new beginning.
    assert_eq!(resumed.code, 255, "{}{}", resumed.stdout, resumed.stderr);
    assert!(resumed.stderr.contains("procedure.json: "), "{}", resumed.stderr);
    let planned = program::run(&mut procedure(folder.path(), &target, &["--dry-run"]));
    assert_eq!(planned.code, 0, "{}{}", planned.stdout, planned.stderr);
}

#[test]
fn records_of_a_function_are_made_at_a_rate_read_back_and_removed_on_both_engines() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let target = Target::start(folder.path(), &[]);
        let before = risks(&target);
        let outcome = program::run(&mut procedure(folder.path(), &target, &["--only", "one", "--js-engine", engine]));
        // The second run was not asked for.
        assert_eq!(outcome.code, 2, "{}{}", outcome.stdout, outcome.stderr);
        let journal = json(folder.path().join("results/procedure.json"));
        let records = &journal["data"];
        assert_eq!((&records["made"], &records["verified"]), (&RECORDS.into(), &RECORDS.into()), "{records}");
        assert_eq!((&records["removed"], &records["trouble"]), (&RECORDS.into(), &Value::Null), "{records}");
        // Forty at forty a second, of which the first has no predecessor to wait for; the same again to read them.
        assert!(records["seconds"].as_f64().unwrap() > 1.8, "{records}");
        assert_eq!(risks(&target), before);
        assert!(!folder.path().join("results/created_records.ndjson").exists());
        let readiness = text(folder.path().join("results/readiness.txt"));
        assert!(readiness.contains("40 of 40 records made in ") && readiness.contains("40 read back, 40 removed"));
    }
}

#[test]
fn a_function_that_fails_ends_the_making_and_says_where() {
    for engine in program::engines() {
        for (function, expect) in [
            (
                "(i) => { if (i > 2) throw new Error('no more'); return { title: `a${i}`, impact: 1, probability: 1 }; }",
                "no more",
            ),
            ("(i) => ({ title: () => i })", "`data.record(1).title`: expected data, but it is a function"),
            ("async (i) => ({ title: 'a' })", "it is a promise"),
            ("(i) => {}", "expected an object or a text, but it is undefined"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path());
            let begin = PROCEDURE.find("record: ").unwrap();
            let end = begin + PROCEDURE[begin..].find('\n').unwrap();
            let changed = format!("{}record: {function},{}", &PROCEDURE[..begin], &PROCEDURE[end..]);
            fs::write(folder.path().join("procedure.js"), changed).unwrap();
            let target = Target::start(folder.path(), &[]);
            let outcome =
                program::run(&mut procedure(folder.path(), &target, &["--only", "one", "--js-engine", engine]));
            assert_eq!(outcome.code, 2, "{}{}", outcome.stdout, outcome.stderr);
            let trouble = json(folder.path().join("results/procedure.json"))["data"]["trouble"].clone();
            assert!(trouble.as_str().is_some_and(|text| text.contains(expect)), "{engine} {function}: {trouble}");
            let readiness = text(folder.path().join("results/readiness.txt"));
            assert!(readiness.contains("of 40 records made"), "{readiness}");
        }
    }
}
