//! What somebody sees while a procedure runs: one page on one port, whatever runs come and go, which holds nothing up; and
//! on a terminal the stage, the run and the time left.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::procedure::{Target, json};
use crate::program::{self, Running};

const SCRIPT: &str = "import http from 'k6/http';\nimport { sleep } from 'k6';\n\
    export default function () { http.get(`${__ENV.BASE_URL}/health`); sleep(0.05); }\n";

/// A procedure of two short runs with a pause between them.
fn procedure(folder: &Path, url: &str) -> Command {
    fs::write(folder.join("script.js"), SCRIPT).unwrap();
    let file = format!(
        "export default {{ name: 'two <b>runs</b>', baseUrl: '{url}', resultsDir: './results', archive: false,\n\
         findings: {{ generator: 'note' }}, preflight: {{ scripts: false }},\n\
         runs: [{{ name: 'first', script: './script.js', vus: 2, duration: '3s', coolDown: '1s' }},\n\
         {{ name: 'second', script: './script.js', vus: 2, duration: '3s' }}],\n\
         criteria: ['first.http_req_duration.p95 < 5s', 'second.http_req_duration.p95 < 5s'] }};\n"
    );
    fs::write(folder.join("procedure.js"), file).unwrap();
    let mut command = program::volley(folder);
    command.args(["procedure", "run", "procedure.js"]);
    command
}

fn ask(address: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    stream
}

#[test]
fn one_page_lives_through_all_runs_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    let port = crate::peers::free_port();
    let address = format!("127.0.0.1:{port}");
    let mut command = procedure(folder.path(), &target.url);
    command.env("K6_WEB_DASHBOARD", "true").env("K6_WEB_DASHBOARD_PORT", port.to_string());
    command.env("K6_WEB_DASHBOARD_PERIOD", "200ms");
    let running = Running::start(&mut command);
    running.wait_for(&format!("live page http://{address}"));
    // Somebody who never reads, and never leaves: neither events nor a connection that is kept.
    let (silent, idle) = (ask(&address, "/events"), TcpStream::connect(&address).unwrap());
    let lines = BufReader::new(ask(&address, "/events")).lines().map_while(Result::ok);
    let documents: Vec<Value> =
        lines.filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
    // The stream ended by itself, with the verdict.
    let last = documents.last().unwrap();
    assert_eq!((&last["procedure"]["verdict"], &last["procedure"]["is_live"]), (&"APPROVED".into(), &Value::Null));
    let seen = |runs: &[&str], reason: &str| {
        documents.iter().any(|document| {
            let names: Vec<_> = document["runs"].as_array().unwrap().iter().map(|run| &run["name"]).collect();
            document["procedure"]["is_live"] == true
                && names == runs
                && document["procedure"]["reason"].as_str().unwrap().starts_with(reason)
        })
    };
    assert!(seen(&["first"], "first, run 1 of 2; about "), "{documents:?}");
    assert!(seen(&["first"], "cool-down before second; about "), "{documents:?}");
    assert!(seen(&["first", "second"], "second, run 2 of 2; about "), "{documents:?}");
    let going = |name: &str| {
        let runs = documents.iter().flat_map(|document| document["runs"].as_array().unwrap());
        runs.filter(|run| run["name"] == name && run["run"]["is_over"] == false)
            .any(|run| run["run"]["active_vus"] == 2)
    };
    assert!(going("first") && going("second"), "nobody saw the runs go on");
    let states: Vec<_> = documents.iter().map(|document| &document["procedure"]["criteria"][1]["state"]).collect();
    assert!(states.contains(&&"to come".into()) && states.last() == Some(&&"pass".into()), "{states:?}");
    let outcome = running.end();
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    drop((silent, idle));
    // The runs opened no page of their own, and their logs say nothing of one.
    let log = fs::read_to_string(folder.path().join("results/second.log")).unwrap();
    assert!(!log.contains("dashboard"), "{log}");
    // What the page showed last is the report.
    let report = fs::read_to_string(folder.path().join("results/report.html")).unwrap();
    let shown = report.split("<script id=\"document\" type=\"application/json\">").nth(1).unwrap();
    let shown: Value = serde_json::from_str(shown.split("</script>").next().unwrap()).unwrap();
    assert_eq!(shown, *last);
}

#[test]
fn a_page_that_can_not_be_had_is_told_before_any_load() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let check = |variables: &[(&str, &str)], code: i32, text: &str| {
        let outcome = program::run(procedure(folder.path(), "http://127.0.0.1:9").envs(variables.iter().copied()));
        assert_eq!(outcome.code, code, "{}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
        assert!(!folder.path().join("results").exists(), "something was begun");
    };
    let wants = ("K6_WEB_DASHBOARD", "true");
    check(&[wants, ("K6_WEB_DASHBOARD_PORT", &port)], 255, "the live page can't be opened on port");
    check(&[wants, ("K6_WEB_DASHBOARD_PORT", "x")], 104, "a port is a number, or -1 for none");
    check(&[("K6_WEB_DASHBOARD", "maybe")], 104, "`K6_WEB_DASHBOARD=maybe`: write `true` or `false`");
}

/// A terminal: what is drawn on it, and the end that a program draws on.
fn terminal() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    let size = libc::winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    let (name, settings) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: two places for descriptors and a size that live longer than the call; the rest may be null.
    let opened = unsafe { libc::openpty(&raw mut ours, &raw mut theirs, name, settings, &raw const size as *mut _) };
    assert_eq!(opened, 0);
    // SAFETY: both were just opened, and nobody else has them.
    unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) }
}

#[test]
fn a_terminal_shows_the_stage_the_run_and_the_time_left() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    let (mut screen, theirs) = terminal();
    let mut command = procedure(folder.path(), &target.url);
    command.env("K6_WEB_DASHBOARD_PORT", "0").env("TERM", "xterm").stdout(theirs);
    command.stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    // The other end of a terminal is gone with an error.
    while let Ok(length @ 1..) = screen.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..length]);
    }
    assert!(child.wait().unwrap().success());
    let text = String::from_utf8_lossy(&seen).into_owned();
    for part in [
        "live page http://127.0.0.1:",
        "first (run 1 of 2)  [",
        " of 3s",
        "2 VUs · ",
        " requests/s · p95 ",
        " · 0 % failed",
        "cool-down before second  [",
        "second (run 2 of 2)  [",
        " left in all",
    ] {
        assert!(text.contains(part), "`{part}` was never drawn\n{text}");
    }
    assert_eq!(json(folder.path().join("results/baseline_metrics.json"))["verdict"], "APPROVED");
    // Nothing of the block is left under the verdict.
    let end = text.split("APPROVED: ").nth(1).unwrap();
    assert!(!end.contains("left in all"), "{end}");
}
