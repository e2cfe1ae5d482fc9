//! The documents, and every address of the API against a run that only pretends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use super::*;
use crate::exit_code::ExitCode;
use crate::log::Logger;
use crate::metrics::threshold::{self, ThresholdDef};
use crate::metrics::{Contains, Interner, Ledger, LedgerOptions, MetricType, Record, Registry, Stamp, builtin};
use crate::net::origin::OriginCheck;

/// Answers from what it was given, and remembers what it was told.
struct Pretender {
    ledger: Mutex<Ledger>,
    data: Mutex<Option<Arc<str>>>,
    told: Mutex<Vec<String>>,
}

impl Pretender {
    fn new() -> Arc<Self> {
        let registry = Arc::new(Registry::new());
        let trend = registry.declare("a_trend", MetricType::Trend, Contains::Time).unwrap();
        registry.declare("unseen", MetricType::Counter, Contains::Default).unwrap();
        let def = |text: &str| {
            vec![ThresholdDef { expression: text.to_owned(), abort_on_fail: false, delay_abort_eval: None }]
        };
        let defs = [("a_trend".to_owned(), def("max<1")), ("http_reqs{status:200}".to_owned(), def("count>0"))];
        let watched = threshold::check(&defs, &registry, true, &Logger::silent()).unwrap();
        let options = LedgerOptions { watched, ..LedgerOptions::default() };
        let mut ledger = Ledger::new(registry, options, Logger::silent());
        let tags = Interner::default();
        let sample = |metric, value, pairs: &[(&str, &str)]| {
            let tags = tags.set(pairs.iter().copied());
            Record::Sample { time: Stamp(0), metric, value, tags, metadata: None }
        };
        let mut batch: Vec<Record> = (1..=10).map(|value| sample(trend, f64::from(value), &[])).collect();
        batch.push(sample(builtin::HTTP_REQS, 1.0, &[("status", "200")]));
        batch.push(sample(builtin::VUS, 2.0, &[]));
        batch.push(sample(builtin::CHECKS, 1.0, &[("group", "::g"), ("check", "c")]));
        batch.push(sample(builtin::CHECKS, 0.0, &[("group", "::g"), ("check", "c")]));
        ledger.take(&mut batch);
        Arc::new(Self { ledger: Mutex::new(ledger), data: Mutex::default(), told: Mutex::default() })
    }

    fn tell(&self, what: impl Into<String>) {
        self.told.lock().unwrap().push(what.into());
    }
}

impl RunControl for Pretender {
    fn condition(&self) -> RunCondition {
        RunCondition {
            status: RunStatus::PausedBeforeRun,
            is_paused: true,
            vus: 0,
            vus_max: 2,
            is_stopped: self.told.lock().unwrap().iter().any(|what| what == "stop"),
            is_running: false,
            is_tainted: self.ledger.lock().unwrap().is_tainted(),
        }
    }

    fn results(&self) -> Results {
        self.ledger.lock().unwrap().snapshot(Duration::from_secs(2))
    }

    fn stop(&self) {
        self.tell("stop");
    }

    fn pause(&self, paused: bool) -> Result<(), ControlError> {
        self.tell(format!("pause {paused}"));
        let detail = "constant-vus executor 'default' doesn't support pause and resume operations after its start";
        if paused { Err(ControlError { title: "Pause error", detail: detail.to_owned() }) } else { Ok(()) }
    }

    fn scale(&self, vus: Option<i64>, vus_max: Option<i64>) -> Result<(), ControlError> {
        self.tell(format!("scale {vus:?} {vus_max:?}"));
        Ok(())
    }

    fn setup_data(&self) -> Option<Arc<str>> {
        self.data.lock().unwrap().clone()
    }

    fn put_setup_data(&self, json: Option<Arc<str>>) {
        *self.data.lock().unwrap() = json;
    }

    fn set_up(self: Arc<Self>) -> BoxFuture<'static, Result<(), Failure>> {
        self.put_setup_data(Some("{\"a\":1}".into()));
        async { Ok(()) }.boxed()
    }

    fn tear_down(self: Arc<Self>) -> BoxFuture<'static, Result<(), Failure>> {
        async { Err(Failure::new(ExitCode::ScriptException, "Error: no\n\tat teardown")) }.boxed()
    }
}

/// An API over a pretender, at an address.
struct Bench {
    run: Arc<Pretender>,
    address: String,
    server: Server,
}

impl Bench {
    fn open() -> Self {
        let run = Pretender::new();
        let listener = listen("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let check = OriginCheck::new(&listener, "127.0.0.1").unwrap();
        let server = Server::start(listener, check, run.clone()).unwrap();
        Self { run, address, server }
    }

    /// The status, the content type and the body of the answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        self.ask_with(method, path, body, &format!("Host: {}\r\n", self.address))
    }

    fn ask_with(&self, method: &str, path: &str, body: &str, fields: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.0\r\n{fields}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), kind.to_owned(), body.to_owned())
    }

    fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, _, body) = self.ask(method, path, body);
        (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}")))
    }
}

#[test]
fn a_status_is_as_k6_gives_it() {
    let bench = Bench::open();
    let (status, kind, body) = bench.ask("GET", "/v1/status", "");
    assert_eq!((status, kind.as_str()), (200, "application/json; charset=utf-8"));
    let expect = r#"{"data":{"type":"status","id":"default","attributes":{"status":4,"paused":true,"vus":0,"vus-max":2,"stopped":false,"running":false,"tainted":false}}}"#;
    assert_eq!(body, expect);
    bench.server.stop();
}

#[test]
fn a_status_is_changed() {
    let bench = Bench::open();
    let check = |body: &str, expect: u16, title: &str, told: &[&str]| {
        let (status, answer) = bench.json("PATCH", "/v1/status", body);
        assert_eq!(status, expect, "{body}: {answer}");
        assert_eq!(answer["errors"][0]["title"].as_str().unwrap_or_default(), title, "{body}");
        assert_eq!(std::mem::take(&mut *bench.run.told.lock().unwrap()), told, "{body}");
    };
    check("{}", 200, "", &[]);
    let wanted =
        |attributes: &str| format!(r#"{{"data":{{"attributes":{attributes},"id":"default","type":"status"}}}}"#);
    check(&wanted(r#"{"paused":false,"stopped":false}"#), 200, "", &["pause false"]);
    check(&wanted(r#"{"paused":false,"stopped":true}"#), 200, "", &["stop"]);
    check(&wanted(r#"{"paused":true}"#), 500, "Pause error", &["pause true"]);
    check(&wanted(r#"{"vus":3,"vus-max":9}"#), 200, "", &["scale Some(3) Some(9)"]);
    check("{", 400, "Invalid data", &[]);
}

#[test]
fn metrics_are_listed() {
    let bench = Bench::open();
    let (status, kind, _) = bench.ask("GET", "/v1/metrics", "");
    assert_eq!((status, kind.as_str()), (200, "text/plain; charset=utf-8"));
    let (_, list) = bench.json("GET", "/v1/metrics", "");
    let names: Vec<_> = list["data"].as_array().unwrap().iter().map(|metric| metric["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["a_trend", "checks", "http_reqs", "http_reqs{status:200}", "vus"]);
    let check = |id: &str, expect: Value| {
        let (status, answer) = bench.json("GET", &format!("/v1/metrics/{id}"), "");
        assert_eq!((status, &answer["data"]["attributes"]), (200, &expect), "{id}");
    };
    let trend = |tainted: Value| {
        json!({"type": "trend", "contains": "time", "tainted": tainted, "sample": {
            "avg": 5.5, "max": 10, "med": 5.5, "min": 1, "p(90)": 9.1, "p(95)": 9.549_999_999_999_999,
        }})
    };
    let counter = |tainted: Value| json!({"type": "counter", "contains": "default", "tainted": tainted, "sample": {"count": 1, "rate": 0.5}});
    check("a_trend", trend(Value::Null));
    check("http_reqs%7Bstatus:200%7D", counter(Value::Null));
    bench.run.ledger.lock().unwrap().evaluate(Duration::from_secs(2), false);
    check("a_trend", trend(true.into()));
    check("http_reqs%7Bstatus:200%7D", counter(false.into()));
    check("vus", json!({"type": "gauge", "contains": "default", "tainted": null, "sample": {"value": 2}}));
    check("checks", json!({"type": "rate", "contains": "default", "tainted": null, "sample": {"rate": 0.5}}));
    let expect = json!({"errors": [
        {"status": "404", "title": "Not Found", "detail": "No metric with that ID was found"}
    ]});
    assert_eq!(bench.json("GET", "/v1/metrics/unseen", ""), (404, expect));
}

#[test]
fn groups_are_listed() {
    let bench = Bench::open();
    let (_, list) = bench.json("GET", "/v1/groups", "");
    let expect: Value = serde_json::from_str(
        r#"{"data":[{"type":"groups","id":"d41d8cd98f00b204e9800998ecf8427e","attributes":{"path":"","name":"","checks":null},"relationships":{"groups":{"data":[{"type":"groups","id":"652e756c89643c3ada0b451cbd88a9d3"}]},"parent":{"data":null}}},
        {"type":"groups","id":"652e756c89643c3ada0b451cbd88a9d3","attributes":{"path":"::g","name":"g","checks":[{"id":"29c7ecfc22a9514dddfc70191ad1b230","path":"::g::c","name":"c","passes":1,"fails":1}]},"relationships":{"groups":{"data":[]},"parent":{"data":{"type":"groups","id":"d41d8cd98f00b204e9800998ecf8427e"}}}}]}"#,
    )
    .unwrap();
    assert_eq!(list, expect);
    let (_, one) = bench.json("GET", "/v1/groups/652e756c89643c3ada0b451cbd88a9d3", "");
    assert_eq!(one["data"], expect["data"][1]);
    let (status, answer) = bench.json("GET", "/v1/groups/nope", "");
    assert_eq!((status, answer["errors"][0]["detail"].as_str()), (404, Some("No group with that ID was found")));
}

#[test]
fn setup_data_comes_and_goes() {
    let bench = Bench::open();
    let check = |method: &str, body: &str, attributes: &str| {
        let (status, kind, answer) = bench.ask(method, "/v1/setup", body);
        assert_eq!((status, kind.as_str()), (200, "application/json"), "{method} {body}: {answer}");
        let expect = format!(r#"{{"data":{{"type":"setupData","id":"default","attributes":{attributes}}}}}"#);
        assert_eq!(answer, expect, "{method} {body}");
    };
    check("GET", "", "{}");
    check("POST", "", r#"{"data":{"a":1}}"#);
    check("PUT", r#"{"z":[1,null]}"#, r#"{"data":{"z":[1,null]}}"#);
    check("GET", "", r#"{"data":{"z":[1,null]}}"#);
    check("PUT", "", "{}");
    let (status, answer) = bench.json("PUT", "/v1/setup", "{");
    assert_eq!((status, answer["errors"][0]["title"].as_str()), (400, Some("Error parsing request body")));
    let (status, answer) = bench.json("POST", "/v1/teardown", "");
    let error = &answer["errors"][0];
    assert_eq!((status, error["title"].as_str()), (500, Some("Error executing teardown")));
    assert_eq!(error["detail"], "Error: no\n\tat teardown");
}

#[test]
fn other_addresses_answer_as_k6_does() {
    let bench = Bench::open();
    let check = |method: &str, path: &str, status: u16, text: &str| {
        let (got, _, body) = bench.ask(method, path, "");
        assert_eq!(got, status, "{method} {path}");
        assert!(body.starts_with(text) && (text.is_empty() == body.is_empty()), "{method} {path}: {body}");
    };
    check("GET", "/", 200, "ok");
    check("GET", "/ping", 200, "ok");
    check("GET", "/v1/nope", 404, "404 page not found");
    check("GET", "/v1/status/more", 404, "404 page not found");
    check("POST", "/v1/status", 405, "");
    check("GET", "/v1/teardown", 405, "");
    check("GET", "/debug/pprof/heap", 200, "profiles in Go's form are not offered");
    check("GET", "/metrics", 200, "# HELP process_");
}

#[test]
fn an_address_that_is_taken_is_told() {
    let first = listen("127.0.0.1:0").unwrap();
    let address = first.local_addr().unwrap().to_string();
    let failure = listen(&address).unwrap_err();
    assert_eq!(failure.code, ExitCode::CannotStartApi);
    assert!(failure.message.starts_with(&format!("the REST API can't listen on `{address}`: ")), "{failure}");
    assert_eq!(listen("no port").unwrap_err().code, ExitCode::CannotStartApi);
    assert!(listen(":0").is_ok());
}

#[test]
fn foreign_pages_are_refused() {
    let bench = Bench::open();
    let stop = r#"{"data":{"attributes":{"stopped":true}}}"#;
    let check = |method: &str, fields: &str, expect: u16| {
        let (status, kind, body) = bench.ask_with(method, "/v1/status", stop, fields);
        assert_eq!(status, expect, "{fields}: {body}");
        if status == 403 {
            let answer: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((kind.as_str(), answer["errors"][0]["status"].as_str()), (super::routes::STATUS, Some("403")));
        }
        let expect: &[&str] = if expect == 200 && method == "PATCH" { &["stop"] } else { &[] };
        assert_eq!(std::mem::take(&mut *bench.run.told.lock().unwrap()), expect, "{fields}");
    };
    let own = &bench.address;
    check("PATCH", &format!("Host: {own}\r\nOrigin: http://evil.test\r\n"), 403);
    check("PATCH", &format!("Host: {own}\r\nSec-Fetch-Site: cross-site\r\n"), 403);
    check("PATCH", &format!("Host: {own}\r\nOrigin: http://{own}\r\n"), 200);
    check("PATCH", "Host: evil.test\r\n", 403);
    check("GET", "Host: evil.test\r\n", 403);
    check("GET", &format!("Host: {own}\r\nOrigin: http://evil.test\r\n"), 200);
    check("PATCH", "", 200);
}
