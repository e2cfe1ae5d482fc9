//! What becomes of a test of several instances when one of them, or the Redis server, is gone.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::join::{Meeting, metric, runs_for, start_redis, steady};
use crate::program::{Outcome, Running, run, volley};

/// Three instances that run until they are told to end, after `happens`; the instance that dies, from 0.
fn with_a_loss(dies: usize) -> (Meeting, Vec<Outcome>) {
    let meeting = Meeting::new(&steady(""));
    let args = ["--duration", "9s", "--vus", "3", "--summary-junit", "junit.xml", "--summary-json"];
    let start = |instance: &str, file: &str| meeting.instance(instance, &[&args[..], &[file]].concat());
    let mut running = vec![start("1/3", "0.json"), start("2/3", "1.json"), start("3/3", "2.json")];
    // A moment after the start, so that something was measured.
    runs_for(&running[0], 2);
    let dead = running.remove(dies);
    dead.kill();
    _ = dead.end();
    (meeting, running.into_iter().map(Running::end).collect())
}

#[test]
fn a_lost_instance_is_named_and_the_others_go_on() {
    for dies in [0, 1, 2] {
        let (meeting, outcomes) = with_a_loss(dies);
        let said: String = outcomes.iter().map(|outcome| outcome.stderr.clone()).collect();
        assert_eq!(outcomes.iter().map(|outcome| outcome.code).collect::<Vec<_>>(), [2, 0], "{dies}: {said}");
        let name = format!("instance {}/3", dies + 1);
        assert!(said.contains(&format!("{name} is lost")), "{said}");
        // The next one reports what the first can't.
        let all = meeting.document(if dies == 0 { "1.json" } else { "0.json" });
        let incomplete = all["run"]["incomplete"].as_str().unwrap_or_default();
        assert!(incomplete.starts_with(&format!("`{name}` ended with exit code 255: it was lost")), "{incomplete}");
        assert!(said.contains("the result is incomplete"), "{said}");
        let verdict = &all["verdict"];
        assert_eq!((&verdict["headline"], &verdict["exit_code"]), (&"Incomplete".into(), &2.into()), "{verdict}");
        assert!(outcomes[0].stdout.contains(&format!("INCOMPLETE: `{name}` ended")), "{}", outcomes[0].stdout);
        let junit = fs::read_to_string(meeting.path().join("junit.xml")).expect("it was written");
        assert!(junit.contains("<error message=\"exit code 2: the result is incomplete"), "{junit}");
        // What it had measured is not lost.
        let parts = all["parts"].as_array().map_or(0, Vec::len);
        assert_eq!(parts, 3, "{all}");
        let iterations = metric(&all, "iterations")["values"]["count"].as_u64().unwrap_or_default();
        assert!((60..=275).contains(&iterations), "{iterations}");
        assert_eq!(said.matches("torn down").count(), 1, "{said}");
    }
}

/// The iterations in files of `-o json`.
fn measured(meeting: &Meeting, files: &[&str]) -> u64 {
    let count = |file: &&str| {
        let text = fs::read_to_string(meeting.path().join(file)).expect("the points were written");
        text.lines().filter(|line| line.contains("\"metric\":\"iterations\",\"type\":\"Point\"")).count() as u64
    };
    files.iter().map(count).sum()
}

/// Checkpoints are rare once a test has been going on for a while: what was sent since the last one counts as well.
#[test]
fn what_a_lost_instance_had_sent_is_in_the_result() {
    let script = "import { check, sleep, group } from 'k6';
        export const options = { scenarios: { only: { executor: 'constant-vus', vus: 4, duration: '17s', gracefulStop: '1s' } } };
        export default function () { group('here', () => check(1, { 'is one': (n) => n === 1 })); sleep(0.1); }";
    let meeting = Meeting::new(script);
    let first = meeting.instance("1/2", &["--summary-json", "all.json", "-o", "json=0.json"]);
    let second = meeting.instance("2/2", &["-o", "json=1.json"]);
    runs_for(&first, 12);
    second.kill();
    let outcome = first.end();
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let all = meeting.document("all.json");
    let measured = measured(&meeting, &["0.json", "1.json"]);
    let kept = metric(&all, "iterations")["values"]["count"].as_u64().unwrap_or_default();
    // Twenty a second; the last checkpoint was made some six seconds before.
    assert!(
        kept <= measured + 20 && measured - kept.min(measured) < 60,
        "{kept} of {measured}: {}",
        all["run"]["incomplete"]
    );
    let checks = metric(&all, "checks")["values"]["passes"].as_u64();
    assert_eq!(all["checks"]["list"][0]["passes"].as_u64(), checks, "{}", all["checks"]);
    assert_eq!(metric(&all, "group_duration")["values"]["count"].as_u64(), checks);
    let incomplete = all["run"]["incomplete"].as_str().unwrap_or_default();
    assert!(incomplete.ends_with(" s after that"), "{incomplete}");
}

#[test]
fn a_loss_ends_the_test_where_that_is_asked_for() {
    let meeting = Meeting::new(&steady(""));
    let first = meeting.instance("1/2", &["--on-loss", "stop"]);
    let second = meeting.instance("2/2", &[]);
    runs_for(&first, 2);
    second.kill();
    let outcome = first.end();
    assert_eq!(outcome.code, 105, "{}", outcome.stderr);
    let said = "instance 2/2 was lost, and `--on-loss stop` ends the test then";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
}

#[test]
fn an_instance_that_stood_still_is_taken_back() {
    let meeting = Meeting::new(&steady(""));
    let first = meeting.instance("1/2", &["--duration", "14s", "--vus", "2", "--summary-json", "all.json"]);
    let second = meeting.instance("2/2", &["--duration", "14s", "--vus", "2"]);
    runs_for(&first, 2);
    second.signal(libc::SIGSTOP);
    first.wait_for("instance 2/2 is lost");
    second.signal(libc::SIGCONT);
    first.wait_for("instance 2/2 is heard again");
    let outcomes = [first, second].map(Running::end);
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [0, 0], "{outcomes:?}");
    assert_eq!(meeting.document("all.json")["run"]["incomplete"], Value::Null);
}

#[test]
fn the_server_may_be_gone_for_a_while() {
    let mut meeting = Meeting::new(&steady("thresholds: { iterations: ['count>120'] },"));
    let args = ["--duration", "12s", "--vus", "2", "--summary-json"];
    let first = meeting.instance("1/2", &[&args[..], &["all.json", "-o", "json=0.json"]].concat());
    let second = meeting.instance("2/2", &[&args[..], &["other.json", "-o", "json=1.json"]].concat());
    runs_for(&first, 2);
    meeting.stop_redis();
    first.wait_for("can't be reached, the test goes on without it");
    second.wait_for("can't be reached, the test goes on without it");
    std::thread::sleep(Duration::from_secs(3));
    // It has forgotten everything.
    meeting.redis = start_redis(meeting.path(), meeting.port);
    let outcomes = [first, second].map(Running::end);
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [0, 0], "{outcomes:?}");
    assert!(outcomes[0].stderr.contains("can be reached again"), "{}", outcomes[0].stderr);
    let all = meeting.document("all.json");
    assert_eq!(all["run"]["incomplete"], Value::Null);
    // Nothing is lost.
    let count = metric(&all, "iterations")["values"]["count"].as_u64();
    assert_eq!(count, Some(measured(&meeting, &["0.json", "1.json"])), "{all}");
}

#[test]
fn without_the_server_each_keeps_its_result() {
    let mut meeting = Meeting::new(&steady(""));
    let args = ["--duration", "5s", "--vus", "2", "--join-timeout", "4s"];
    let files = ["--summary-json", "own.json", "--summary-junit", "own.xml", "--summary-markdown", "own.md"];
    let more = [&args[..], &files, &["--report", "own.html"]].concat();
    let (first, second) = (meeting.instance("1/2", &args), meeting.instance("2/2", &more));
    runs_for(&first, 2);
    meeting.stop_redis();
    let outcomes = [first, second].map(Running::end);
    for (at, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(outcome.stdout.contains("iterations..."), "{}", outcome.stdout);
        let said = [
            "the result of instance 1/2 is in `run-1-1-of-2.json`: `volley merge run-1-*-of-2.json` makes one of all",
            "the result of instance 2/2 is in `own.json`: `volley merge` makes one of the results of all",
        ];
        assert!(outcome.stderr.contains(said[at]), "{}", outcome.stderr);
    }
    assert!(!meeting.path().join("run-1-2-of-2.json").exists(), "it has a file of its own");
    for file in ["own.xml", "own.md", "own.html"] {
        assert!(meeting.path().join(file).metadata().is_ok_and(|file| file.len() > 0), "{file}");
    }
    // The wait for the server is no part of it.
    let seconds = meeting.document("run-1-1-of-2.json")["run"]["seconds"].as_f64().unwrap_or_default();
    assert!((5.0..8.0).contains(&seconds), "{seconds}");
    let merged = run(volley(meeting.path()).args(["merge", "run-1-1-of-2.json", "own.json"]));
    assert_eq!(merged.code, 0, "{}", merged.stderr);
}

#[test]
fn a_signal_ends_an_instance_whose_server_is_gone() {
    let mut meeting = Meeting::new(&steady(""));
    let first = meeting.instance("1/2", &["--summary-json", "first.json"]);
    let second = meeting.instance("2/2", &["--summary-json", "second.json"]);
    runs_for(&first, 1);
    meeting.stop_redis();
    for running in [&first, &second] {
        running.wait_for("can't be reached, the test goes on without it");
    }
    let begun = Instant::now();
    first.interrupt();
    second.interrupt();
    let outcomes = [first, second].map(Running::end);
    // `--join-timeout` is two minutes, the load goes on for one.
    assert!(begun.elapsed() < Duration::from_secs(30), "they waited");
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [105, 105], "{outcomes:?}");
    for file in ["first.json", "second.json"] {
        assert_eq!(meeting.document(file)["verdict"]["exit_code"], 105);
    }
}

/// It has joined, and reads its script for so long that the server is gone when it hands it over.
#[test]
fn a_signal_ends_the_wait_while_the_script_is_handed_over() {
    let mut meeting =
        Meeting::new("const end = Date.now() + 3000; while (Date.now() < end); export default function () {}");
    let first = meeting.instance("1/2", &[]);
    first.wait_for("has joined");
    meeting.stop_redis();
    first.wait_for("can't be reached, the test goes on without it");
    std::thread::sleep(Duration::from_secs(4));
    let begun = Instant::now();
    first.interrupt();
    let outcome = first.end();
    // `--join-timeout` is two minutes.
    assert!(begun.elapsed() < Duration::from_secs(30), "it waited");
    assert_eq!(outcome.code, 105, "{}", outcome.stderr);
}
