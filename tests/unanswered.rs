//! No figure flatters: what a report draws of a peer that refuses half of its requests is what the peer itself has logged,
//! and the times are those of its answers.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::program;
use crate::report::in_browser;
use crate::server;

/// What the peer did with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treated {
    Answered,
    /// The connection was reset.
    Refused,
    /// Nothing came until the client left.
    Kept,
}

type PeerLog = Arc<Mutex<Vec<(String, Treated)>>>;

/// How long the peer waits at least before it answers, in milliseconds.
const LEAST_MS: f64 = 20.0;

/// A peer that answers every second request to `/half` after a while, and none to `/never`; of the others every fourth is kept
/// waiting.
fn treat(stream: TcpStream, log: &PeerLog) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    while reader.read_line(&mut line)? > 2 {}
    let treated = {
        let mut log = log.lock().unwrap();
        let place = log.iter().filter(|(known, _)| *known == path).count();
        let treated = match (path.as_str(), place % 8) {
            ("/half", 0 | 2 | 4 | 6) => Treated::Answered,
            (_, 3 | 7) => Treated::Kept,
            _ => Treated::Refused,
        };
        log.push((path, treated));
        treated
    };
    match treated {
        Treated::Answered => {
            std::thread::sleep(Duration::from_millis(LEAST_MS as u64));
            (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        }
        Treated::Refused => server::reset(&stream),
        Treated::Kept => reader.read_line(&mut line).map(drop),
    }
}

/// A second in which half of the requests are answered, three in which none is, and one in which half are again; beside them
/// VUs that live shorter than a second.
const SCRIPT: &str = r#"
import http from 'k6/http';
import { sleep } from 'k6';
const scenario = (exec, startTime, duration) => ({ executor: 'constant-vus', vus: 1, exec, startTime, duration, gracefulStop: '5s' });
export const options = {
  noConnectionReuse: true,
  scenarios: {
    first: scenario('half', '0s', '1s'),
    dead: scenario('never', '1s', '3s'),
    last: scenario('half', '4s', '1s'),
    burst: { executor: 'per-vu-iterations', vus: 7, iterations: 1, exec: 'nap', startTime: '1300ms' },
  },
};
const get = (path, params) => { http.get(__ENV.URL + path, { timeout: '150ms', ...params }); sleep(0.02); };
export const half = () => get('/half');
export const never = () => { get('/never'); http.get('http://127.0.0.1:9/gone'); };
export const nap = () => sleep(0.3);
"#;

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().filter_map(Value::as_f64).collect()
}

fn sum(list: &Value) -> usize {
    numbers(list).iter().sum::<f64>() as usize
}

/// No figure of a series is a time that the peer did not take, and there is none in an interval without an answer.
fn has_only_times_of_answers(series: &Value, answers: &[Option<f64>], what: &str) {
    for figure in ["avg", "med", "p(90)", "p(95)", "p(99)", "max"] {
        let Some(list) = series[figure].as_array() else { continue };
        for (place, value) in list.iter().enumerate() {
            let has_answers = answers.get(place).is_some_and(|count| count.unwrap_or(0.0) > 0.0);
            assert_eq!(value.is_number(), has_answers, "{what}: {figure} of interval {place} is {value}");
            assert!(value.as_f64().is_none_or(|value| value > LEAST_MS * 0.98), "{what}: {figure} is {value}");
        }
    }
}

fn run(folder: &Path, engine: &str) -> (Value, Vec<(String, Treated)>, String) {
    let log = PeerLog::default();
    let hears = log.clone();
    let address = server::serve(move |stream| treat(stream, &hears));
    fs::write(folder.join("script.js"), SCRIPT).unwrap();
    let mut command = program::volley(folder);
    command.args(["run", "--no-color", "--js-engine", engine, "--env", &format!("URL=http://{address}")]);
    command.args(["--summary-json", "own.json", "--report", "report.html", "--summary-export", "export.json"]);
    let outcome = program::run(command.args(["--summary-mode", "full", "--summary-endpoints", "script.js"]));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let own = serde_json::from_str(&fs::read_to_string(folder.join("own.json")).unwrap()).unwrap();
    let log = log.lock().unwrap().clone();
    (own, log, outcome.stdout)
}

#[test]
fn what_a_report_draws_is_what_the_peer_has_answered() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let (own, log, stdout) = run(folder.path(), engine);
        let count = |wanted: &str, treated: Option<Treated>| {
            log.iter().filter(|(path, how)| path == wanted && treated.is_none_or(|treated| *how == treated)).count()
        };
        let answered = count("/half", Some(Treated::Answered));
        assert!(answered > 5 && count("/half", None) > answered && count("/never", None) > 3, "{log:?}");

        let endpoints = own["endpoints"].as_array().unwrap();
        let endpoint = |path: &str| {
            let found = endpoints.iter().find(|one| one["name"].as_str().unwrap().ends_with(path));
            found.unwrap_or_else(|| panic!("no {path}: {endpoints:?}"))
        };
        let gone = endpoint("/gone")["requests"].as_u64().unwrap() as usize;
        for (path, requests, answers) in
            [("/half", count("/half", None), answered), ("/never", count("/never", None), 0), ("/gone", gone, 0)]
        {
            let one = endpoint(path);
            assert_eq!(one["requests"], requests, "{path}");
            assert_eq!(
                (&one["unanswered"], &one["failed"]),
                (&(requests - answers).into(), &one["unanswered"]),
                "{path}"
            );
            assert_eq!(one["duration"]["values"]["count"], answers, "{path}");
            let least = one["duration"]["values"]["min"].as_f64();
            assert_eq!(least.is_some(), answers > 0, "{path}: {}", one["duration"]);
            assert!(least.is_none_or(|least| least > LEAST_MS * 0.98), "{path}: {least:?}");
            assert_eq!(one["duration"]["text"]["p(95)"] == "–", answers == 0, "{path}");
            let series = &one["series"];
            let drawn = [&series["requests"], &series["failed"], &series["unanswered"]].map(sum);
            assert_eq!(drawn, [requests, requests - answers, requests - answers], "{path}");
            let (all, missing) = (series["requests"].as_array().unwrap(), series["unanswered"].as_array().unwrap());
            let each = all.iter().zip(missing).map(|(all, missing)| Some(all.as_f64()? - missing.as_f64()?));
            has_only_times_of_answers(series, &each.collect::<Vec<_>>(), path);
        }

        // Over time: answers as times, the others as failures, and nothing at all where nobody answered.
        let timeline = &own["timeline"]["series"];
        let duration = &timeline["http_req_duration"];
        let all = log.len() + gone;
        assert_eq!((sum(&duration["count"]), sum(&duration["unanswered"])), (answered, all - answered));
        assert_eq!(sum(&timeline["http_reqs"]["sum"]), all);
        assert_eq!(sum(&timeline["http_req_failed"]["passes"]), all - answered);
        let counts: Vec<_> = duration["count"].as_array().unwrap().iter().map(Value::as_f64).collect();
        has_only_times_of_answers(duration, &counts, "time line");
        let missing = duration["unanswered"].as_array().unwrap();
        let is_dead = |place: usize| counts[place] == Some(0.0) && missing[place].as_f64() > Some(0.0);
        assert!((0..counts.len()).any(is_dead), "the second without an answer is not drawn as one: {duration}");

        // The totals: k6's have every time, `answered` and the distribution those of answers.
        let metrics = own["metrics"].as_array().unwrap();
        let total = metrics.iter().find(|one| one["name"] == "http_req_duration").unwrap();
        assert_eq!((&total["values"]["count"], &total["answered"]["values"]["count"]), (&all.into(), &answered.into()));
        assert!(total["values"]["min"].as_f64() < Some(LEAST_MS) && total["values"]["max"].as_f64() > Some(100.0));
        assert!(total["answered"]["values"]["min"].as_f64() > Some(LEAST_MS * 0.98));
        assert_eq!(sum(&total["distribution"]["counts"]), answered);
        assert!(numbers(&total["distribution"]["bounds"])[0] > LEAST_MS * 0.98, "{}", total["distribution"]);
        let export: Value =
            serde_json::from_str(&fs::read_to_string(folder.path().join("export.json")).unwrap()).unwrap();
        assert_eq!(export["metrics"]["http_req_duration"]["min"], total["values"]["min"]);
        let dead = own["scenarios"].as_array().unwrap().iter().find(|one| one["name"] == "dead").unwrap();
        let of_dead =
            dead["metrics"].as_array().unwrap().iter().find(|one| one["name"] == "http_req_duration").unwrap();
        assert_eq!(of_dead["answered"]["values"]["p(95)"], Value::Null, "{of_dead}");
        let line = stdout.lines().find(|line| line.ends_with("/never")).unwrap_or_else(|| panic!("{stdout}"));
        assert!(line.contains("100 %") && line.matches('–').count() == 4, "{line}");

        // VUs: no interval is empty, and the peak between two of k6's samples is drawn.
        let vus = &timeline["vus"];
        let most = numbers(&vus["max"]);
        assert_eq!(most.len() as u64, own["timeline"]["points"].as_u64().unwrap(), "{vus}");
        assert!(most[0] >= 1.0 && most.iter().any(|most| *most >= 7.0), "{vus}");
    }
}

#[test]
fn a_page_draws_requests_without_an_answer_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let (own, ..) = run(folder.path(), program::engine());
    let (dom, console) = in_browser(&folder.path().join("report.html"));
    assert_eq!(console, "");
    let (drawn, _) = dom.split_once("<script id=\"document\"").unwrap();
    let chart =
        drawn.split("aria-label=\"Request duration\"").nth(1).and_then(|rest| rest.split("</svg>").next()).unwrap();
    // Every interval with requests that nobody answered has a mark above the lines.
    let marks = chart.matches("class=\"lane\"").count();
    let missing = numbers(&own["timeline"]["series"]["http_req_duration"]["unanswered"]);
    // A last interval that is only a sliver is drawn with the one before.
    let most = missing.iter().filter(|count| **count > 0.0).count();
    assert!((most - 1..=most).contains(&marks), "{marks} of {most}");
    // The second without an answer is a gap: what is before and after it is not joined.
    let median = chart.split("class=\"trace\"").nth(1).unwrap();
    assert!(chart.matches("class=\"trace\"").count() >= 8, "{median}");
    for text in [
        "no answer",
        "of answered requests only",
        "No answer",
        "http_req_duration, answered only",
        "that got no answer",
    ] {
        assert!(drawn.contains(text), "{text}");
    }
}
