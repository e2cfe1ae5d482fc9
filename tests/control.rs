//! Running tests that are watched, started, stopped and changed from outside: the REST API and its clients. And their log, where it
//! goes over the network.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{self, Outcome, Running, run, volley};
use crate::server;

fn folder(script: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("script.js"), script).expect("a file can be written");
    folder
}

/// An address nobody listens at.
fn free_address() -> String {
    format!("127.0.0.1:{}", crate::peers::free_port())
}

/// A run with a REST API.
struct Test {
    _folder: TempDir,
    address: String,
    running: Running,
}

impl Test {
    fn start(script: &str, engine: &str, args: &[&str]) -> Self {
        let (folder, address) = (folder(script), free_address());
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--log-format=raw", "--js-engine", engine, "--address", &address]);
        let running = Running::start(command.args(args).arg("script.js"));
        Self { _folder: folder, address, running }
    }

    /// The status and the body of an answer; `None` while nobody listens.
    fn try_ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        let length = body.len();
        let host = &self.address;
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).unwrap_or(Value::Null)))
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.try_ask(method, path, body).expect("the API answers")
    }

    /// Asks for a change of the status.
    fn change(&self, attributes: Value) -> (u16, Value) {
        self.ask("PATCH", "/v1/status", &json!({"data": {"attributes": attributes}}).to_string())
    }

    /// Waits until the status has this, whenever that is.
    fn wait_for(&self, attribute: &str, expect: &Value) {
        let begun = Instant::now();
        let mut last = Value::Null;
        while begun.elapsed() < Duration::from_secs(60) {
            if let Some((200, answer)) = self.try_ask("GET", "/v1/status", "") {
                last = answer["data"]["attributes"].clone();
                if last[attribute] == *expect {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("`{attribute}` never was {expect}: {last}");
    }

    /// Runs a client of it.
    fn client(&self, args: &[&str]) -> Outcome {
        run(volley(Path::new("/")).args(args).args(["--address", &self.address]))
    }

    fn end(self, code: i32) -> Outcome {
        let outcome = self.running.end();
        assert_eq!(outcome.code, code, "{}\n{}", outcome.stdout, outcome.stderr);
        outcome
    }
}

const STAGES: &str = "
    export function setup() { console.log('set up'); return { from: 'setup' }; }
    export function teardown() { console.log('torn down'); }
    export default function (data) { console.log('iterates', JSON.stringify(data)); }";

/// Goes on until somebody ends it.
fn endless() -> String {
    format!(
        "import {{ sleep }} from 'k6';
        export const options = {{ scenarios: {{ default: {{ executor: 'constant-vus', vus: 2, duration: '10m' }} }} }};
        {}",
        STAGES.replace("console.log('iterates', JSON.stringify(data));", "console.log('iterates'); sleep(0.05);")
    )
}

#[test]
fn a_paused_test_waits_for_its_start() {
    for engine in program::engines() {
        let test = Test::start(STAGES, engine, &["--paused", "--vus=2", "--iterations=2"]);
        test.wait_for("status", &json!(4));
        let (_, status) = test.ask("GET", "/v1/status", "");
        let expect = json!({
            "status": 4, "paused": true, "vus": 0, "vus-max": 2, "stopped": false, "running": false, "tainted": false,
        });
        assert_eq!(status["data"]["attributes"], expect);
        assert_eq!(test.ask("GET", "/v1/setup", "").1["data"]["attributes"], json!({}));
        let (status, answer) = test.change(json!({"paused": true}));
        assert_eq!((status, &answer["errors"][0]["title"]), (500, &json!("Pause error")));
        assert_eq!(test.change(json!({"paused": false, "stopped": false})).0, 200);
        let outcome = test.end(0);
        assert_eq!(outcome.stderr.matches("iterates {\"from\":\"setup\"}").count(), 2, "{}", outcome.stderr);
    }
}

/// Sends a request with these header fields and gives the status and the whole answer.
fn ask_with(address: &str, method: &str, path: &str, fields: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{fields}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer comes");
    (answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it has a status"), answer)
}

#[test]
fn foreign_pages_do_not_change_a_test() {
    for engine in program::engines() {
        let test = Test::start(&endless(), engine, &[]);
        test.running.wait_for("iterates");
        let stop = json!({"data": {"attributes": {"stopped": true}}}).to_string();
        let address = &test.address;
        let refused = |method: &str, fields: &str, why: &str| {
            let (status, answer) = ask_with(address, method, "/v1/status", fields, &stop);
            assert!(status == 403 && answer.contains(why), "{fields}: {answer}");
            assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
        };
        let own = format!("Host: {address}\r\n");
        refused("PATCH", &format!("{own}Origin: https://evil.test\r\n"), "may not change this run");
        refused("PATCH", &format!("{own}Origin: null\r\n"), "may not change this run");
        refused("PATCH", &format!("{own}Sec-Fetch-Site: cross-site\r\n"), "may not change this run");
        refused("PATCH", "Host: evil.test\r\nOrigin: http://evil.test\r\n", "is no name of this server");
        refused("GET", "Host: evil.test\r\n", "is no name of this server");
        let (status, answer) =
            ask_with(address, "OPTIONS", "/v1/status", &format!("{own}Origin: https://evil.test\r\n"), "");
        assert!(status != 200 && !answer.to_lowercase().contains("access-control"), "{answer}");
        let (_, now) = test.ask("GET", "/v1/status", "");
        assert_eq!(
            (&now["data"]["attributes"]["running"], &now["data"]["attributes"]["stopped"]),
            (&json!(true), &json!(false))
        );
        // A page of its own may, and so may programs.
        let (status, answer) =
            ask_with(address, "PATCH", "/v1/status", &format!("{own}Origin: http://{address}\r\n"), &stop);
        assert_eq!(status, 200, "{answer}");
        let outcome = test.end(103);
        assert!(!outcome.stderr.contains("beyond this machine"), "{}", outcome.stderr);
    }
}

#[test]
fn listening_beyond_this_machine_is_said_once() {
    let folder = folder("export default function () {}");
    for at in ["0.0.0.0", "", "[::]"] {
        let address = format!("{at}:{}", crate::peers::free_port());
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--iterations=3", "--vus=3", "--address", &address, "script.js"]);
        let outcome = run(&mut command);
        // A machine without IPv6 has no `[::]`.
        if at == "[::]" && outcome.code == 106 {
            continue;
        }
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let said = outcome.stderr.lines().filter(|line| line.contains("beyond this machine")).collect::<Vec<_>>();
        assert_eq!(said.len(), 1, "{}", outcome.stderr);
        let port = address.rsplit(':').next().expect("there is a port");
        assert!(said[0].contains("level=warning") && said[0].contains(&format!(":{port}")), "{}", said[0]);
    }
}

#[test]
fn a_test_is_stopped_from_outside() {
    for engine in program::engines() {
        let test = Test::start(&endless(), engine, &[]);
        test.running.wait_for("iterates");
        let (_, status) = test.ask("GET", "/v1/status", "");
        assert_eq!(status["data"]["attributes"]["running"], true);
        let (status, answer) = test.change(json!({"paused": false}));
        let detail = "constant-vus executor 'default' doesn't support pause and resume operations after its start";
        assert_eq!((status, &answer["errors"][0]["detail"]), (500, &json!(detail)));
        let (status, answer) = test.change(json!({"vus": 3}));
        assert_eq!((status, &answer["errors"][0]["title"]), (500, &json!("Execution config error")));
        let (status, answer) = test.change(json!({"paused": false, "stopped": true}));
        assert_eq!((status, &answer["data"]["attributes"]["stopped"]), (200, &json!(true)));
        let outcome = test.end(103);
        assert!(outcome.stderr.contains("test run stopped from REST API"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("torn down"), "{}", outcome.stderr);
        assert!(outcome.stdout.contains("TOTAL RESULTS"), "{}", outcome.stdout);
    }
}

#[test]
fn a_paused_test_ends_without_having_begun() {
    let check = |code: i32, text: &str, end: &dyn Fn(&Test)| {
        let test = Test::start(STAGES, program::engine(), &["--paused"]);
        test.wait_for("status", &json!(4));
        end(&test);
        let outcome = test.end(code);
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
        for word in ["set up", "iterates", "torn down"] {
            assert!(!outcome.stderr.contains(word), "{word}\n{}", outcome.stderr);
        }
    };
    check(103, "stopped from REST API", &|test| assert_eq!(test.change(json!({"stopped": true})).0, 200));
    check(105, "received a 'interrupt' signal", &|test| test.running.interrupt());
}

/// What an operator does that spreads one test over several instances.
#[test]
fn setup_is_run_and_given_from_outside() {
    for engine in program::engines() {
        let test = Test::start(STAGES, engine, &["--paused", "--no-setup", "--no-teardown", "--linger"]);
        test.wait_for("status", &json!(4));
        let (status, answer) = test.ask("POST", "/v1/setup", "");
        assert_eq!((status, &answer["data"]["attributes"]["data"]), (200, &json!({"from": "setup"})));
        let (status, answer) = test.ask("PUT", "/v1/setup", "{\"from\":\"outside\"}");
        assert_eq!((status, &answer["data"]["attributes"]["data"]), (200, &json!({"from": "outside"})));
        assert_eq!(test.change(json!({"paused": false, "stopped": false})).0, 200);
        test.running.wait_for("iterates {\"from\":\"outside\"}");
        test.wait_for("running", &json!(false));
        assert_eq!(test.ask("POST", "/v1/teardown", "").0, 200);
        // A run that is over and lingers is stopped in name only: it keeps its result, and lingers on.
        test.wait_for("stopped", &json!(false));
        let (status, answer) = test.change(json!({"stopped": true}));
        assert_eq!((status, &answer["data"]["attributes"]["stopped"]), (200, &json!(true)));
        test.wait_for("stopped", &json!(true));
        let (_, metric) = test.ask("GET", "/v1/metrics/iterations", "");
        assert_eq!(metric["data"]["attributes"]["sample"]["count"], 1);
        test.running.interrupt();
        let outcome = test.end(0);
        assert_eq!(outcome.stderr.matches("set up").count(), 1, "{}", outcome.stderr);
        assert_eq!(outcome.stderr.matches("torn down").count(), 1, "{}", outcome.stderr);
    }
}

/// The commands and calls of an operator that runs one test as two instances.
#[test]
fn an_operator_runs_two_instances() {
    let script = "import exec from 'k6/execution';
        export const options = { vus: 3, iterations: 7, thresholds: { iterations: ['count>0'] } };
        export default function () { console.log('iteration ' + exec.scenario.iterationInTest); }";
    let folder = folder(script);
    // The initializer: nothing but JSON on standard output.
    let command = |args: &[&str]| {
        let outcome = run(volley(folder.path()).args(args));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{args:?}");
        outcome.stdout
    };
    let tagged = ["--tag", "a=b", "--env", "NAME=value", "--no-setup", "--summary-export", "x.json", "--vus=3"];
    let archived = [&["archive", "script.js", "-O", "test.tar"][..], &tagged].concat();
    assert_eq!(command(&archived), "");
    let requirements: Value =
        serde_json::from_str(&command(&["inspect", "--execution-requirements", "test.tar"])).unwrap();
    assert_eq!((&requirements["maxVUs"], &requirements["totalDuration"]), (&json!(3), &json!("10m30s")));
    assert_eq!(requirements["thresholds"]["iterations"], json!(["count>0"]));
    // The runners, held until the starter comes.
    let runners: Vec<Test> = (1..=2)
        .map(|nth| {
            let segment = format!("--execution-segment={}/2:{nth}/2", nth - 1);
            let id = format!("instance_id={nth}");
            let sequence = "--execution-segment-sequence=0,1/2,1";
            Test::start(
                script,
                program::engine(),
                &[&segment, sequence, "--paused", "--tag", &id, "--tag", "testrun_name=x"],
            )
        })
        .collect();
    let start = r#"{"data":{"attributes":{"paused":false,"stopped":false},"id":"default","type":"status"}}"#;
    for runner in &runners {
        runner.wait_for("status", &json!(4));
        let (status, _) = runner.ask("PATCH", "/v1/status", start);
        assert_eq!(status, 200);
    }
    let mut seen: Vec<u64> = Vec::new();
    for runner in runners {
        let outcome = runner.end(0);
        let numbers = outcome.stderr.lines().filter_map(|line| line.strip_prefix("iteration ")?.parse::<u64>().ok());
        seen.extend(numbers);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..7).collect::<Vec<_>>());
}

#[test]
fn a_controlled_scenario_is_scaled_paused_and_resumed() {
    let script = "import { sleep } from 'k6';
        export const options = { scenarios: { mine: {
            executor: 'externally-controlled', vus: 1, maxVUs: 2, duration: 0,
        } } };
        export default function () { sleep(0.02); }";
    for engine in program::engines() {
        let test = Test::start(script, engine, &[]);
        test.wait_for("vus", &json!(1));
        let says = |args: &[&str], text: &str| {
            let outcome = test.client(args);
            assert_eq!(outcome.code, 0, "{args:?} {}", outcome.stderr);
            assert!(outcome.stdout.contains(text), "{args:?} {}", outcome.stdout);
        };
        says(&["status"], "vus-max: 2\n");
        says(&["scale", "--vus=2"], "stopped: false\n");
        test.wait_for("vus", &json!(2));
        says(&["scale", "--vus=4", "--max=4"], "status: 7\n");
        test.wait_for("vus", &json!(4));
        test.wait_for("vus-max", &json!(4));
        says(&["pause"], "paused: true\n");
        test.wait_for("vus", &json!(0));
        says(&["resume"], "paused: false\n");
        test.wait_for("vus", &json!(4));
        says(&["scale", "--vus=1"], "running: true\n");
        test.wait_for("vus", &json!(1));
        says(&["stats"], "- name: \"iterations\"\n  type: \"counter\"\n");
        let outcome = test.client(&["scale", "--vus=9"]);
        assert_eq!(outcome.code, 255);
        let refused = "the number of maxVUs (4) can't be less than the number of VUs (9)";
        assert!(outcome.stderr.contains(refused), "{}", outcome.stderr);
        let outcome = test.client(&["scale", "--max=1"]);
        assert!(outcome.stderr.contains("can't be lower than the starting number"), "{}", outcome.stderr);
        assert_eq!(test.change(json!({"stopped": true})).0, 200);
        test.end(103);
    }
}

#[test]
fn a_controlled_scenario_ends_with_its_duration() {
    let script = "import { sleep } from 'k6';
        export const options = { scenarios: { mine: {
            executor: 'externally-controlled', vus: 2, maxVUs: 5, duration: '1s',
        } } };
        export default function () { sleep(0.1); }";
    for engine in program::engines() {
        let folder = folder(script);
        let outcome = run(volley(folder.path()).args(["run", "--js-engine", engine, "script.js"]));
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let line = "mine: Externally controlled execution with 2 VUs, 5 max VUs, 1s duration";
        assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
        assert!(outcome.stderr.contains("k6 has no `externally-controlled` since its version 2"), "{}", outcome.stderr);
        let outcome = run(volley(folder.path()).args(["run", "--strict-k6", "--js-engine", engine, "script.js"]));
        assert_eq!(outcome.code, 104, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("unknown executor type 'externally-controlled'"), "{}", outcome.stderr);
    }
}

#[test]
fn an_address_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("a listener has an address").to_string();
    let folder = folder("export default () => console.log('ran');");
    let outcome = run(volley(folder.path()).args(["run", "-q", "--address", &address, "script.js"]));
    assert_eq!(outcome.code, 106, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("msg=ran"), "{}", outcome.stderr);
    let outcome = run(volley(folder.path()).args(["run", "-q", "script.js"]).env("K6_ADDRESS", &address));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let warning = format!("level=warning msg=\"the REST API can't listen on `{address}`");
    assert!(outcome.stderr.contains(&warning) && outcome.stderr.contains("msg=ran"), "{}", outcome.stderr);
}

#[test]
fn clients_say_what_they_miss() {
    let check = |args: &[&str], text: &str| {
        let outcome = run(volley(Path::new("/")).args(args));
        assert_eq!(outcome.code, 255, "{args:?}");
        assert!(outcome.stderr.contains(text), "{args:?} {}", outcome.stderr);
    };
    check(&["status"], "`status` needs the `--address` of a running test");
    check(&["scale", "--address=:1"], "`scale` needs `--vus` or `--max`");
    check(&["pause", "--address=127.0.0.1:1"], "asking the test at `127.0.0.1:1`: Connection refused");
    check(&["resume", "more"], "unknown command \\\"more\\\" for \\\"volley resume\\\"");
    for command in ["status", "pause", "resume", "scale"] {
        check(&["--strict-k6", command, "--address=:1"], "unknown");
    }
}

/// A Loki that keeps what it was sent.
#[test]
fn log_lines_are_pushed_to_loki() {
    let (tell, told) = std::sync::mpsc::channel();
    let address = server::serve(move |mut stream| {
        let mut bytes = Vec::new();
        let mut part = [0; 65536];
        let length = |head: &str| -> usize {
            let line = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            line.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        loop {
            let read = stream.read(&mut part)?;
            bytes.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && body.len() >= length(head)
            {
                _ = tell.send(text);
                stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
                return Ok(());
            }
            if read == 0 {
                return Ok(());
            }
        }
    });
    let folder = folder("export default () => { console.log('one'); console.warn('two'); };");
    let output = format!("--log-output=loki=http://{address}/loki/api/v1/push,label.job=mine,header.X-Scope-OrgID=me");
    let outcome = run(volley(folder.path()).args(["run", "--quiet", &output, "script.js"]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let mut lines = Vec::new();
    for text in told.try_iter() {
        assert!(text.starts_with("POST /loki/api/v1/push HTTP/1.1\r\n"), "{text}");
        assert!(text.to_lowercase().contains("x-scope-orgid: me\r\n"), "{text}");
        let (_, body) = text.split_once("\r\n\r\n").expect("there is a body");
        let body: Value = serde_json::from_str(body).expect("it is JSON");
        for stream in body["streams"].as_array().expect("there are streams") {
            assert_eq!((&stream["stream"]["job"], &stream["stream"]["source"]), (&json!("mine"), &json!("console")));
            let level = stream["stream"]["level"].as_str().expect("there is a level").to_owned();
            let values = stream["values"].as_array().expect("there are values");
            lines.extend(values.iter().map(|value| format!("{level} {}", value[1].as_str().expect("a line is text"))));
        }
    }
    lines.sort();
    assert_eq!(lines, ["info one", "warning two"]);

    // Nobody there: told once, and the run is none the worse.
    let output = format!("--log-output=loki=http://{}/push", free_address());
    let outcome = run(volley(folder.path()).args(["run", "--quiet", &output, "script.js"]));
    assert_eq!(outcome.code, 0);
    assert!(outcome.stderr.contains("2 log lines could not be pushed to Loki"), "{}", outcome.stderr);
}
