//! Several instances that run as one test and meet at a Redis server: `run --join` and `conduct`.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peers::{free_port, get};
use crate::program::{Outcome, Running, engine, engines, run, volley};
use crate::{needs, server};

const SECRET: &str = "s3cret-of-the-meeting";

/// A Redis server, and a folder for the instances.
pub struct Meeting {
    folder: TempDir,
    pub port: u16,
    pub redis: Child,
}

impl Meeting {
    pub fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("script.js"), script).expect("a file can be written");
        let port = free_port();
        let redis = start_redis(folder.path(), port);
        Self { folder, port, redis }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn address(&self) -> String {
        format!("redis://:{SECRET}@127.0.0.1:{}/run-1", self.port)
    }

    /// An instance that has no script.
    fn bare(&self, instance: &str, args: &[&str]) -> Command {
        let mut command = volley(self.path());
        command.args(["run", "--log-format=raw", "--join", &self.address(), "--instance", instance]).args(args);
        command
    }

    /// An instance with the script.
    pub fn instance(&self, instance: &str, args: &[&str]) -> Running {
        let url = format!("URL={}", server::url());
        Running::start(self.bare(instance, args).args(["-e", &url, "script.js"]))
    }

    pub fn stop_redis(&mut self) {
        self.redis.kill().expect("a child can be killed");
        self.redis.wait().expect("a child can be waited for");
    }

    pub fn document(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path().join(name)).expect("the file was written");
        serde_json::from_str(&text).expect("it is JSON")
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        _ = self.redis.kill();
        _ = self.redis.wait();
    }
}

/// A server that keeps nothing: started again, it has forgotten everything.
pub fn start_redis(folder: &Path, port: u16) -> Child {
    let mut command = Command::new(needs::program(&["redis-server"], "Debian: redis-server"));
    command.args(["--port", &port.to_string(), "--save", "", "--requirepass", SECRET]).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("Redis starts");
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "Redis did not come up");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

pub fn metric(document: &Value, name: &str) -> Value {
    let metrics = document["metrics"].as_array().cloned().unwrap_or_default();
    metrics.into_iter().find(|metric| metric["name"] == name).unwrap_or_default()
}

/// The values of a metric in a file of `-o json`.
fn points(folder: &Path, file: &str, name: &str) -> Vec<f64> {
    let text = fs::read_to_string(folder.join(file)).expect("the points were written");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines
        .filter(|line| line["type"] == "Point" && line["metric"] == name)
        .filter_map(|line| line["data"]["value"].as_f64())
        .collect()
}

/// Every bucket of a trend that is a histogram, with its count: of the document, and of the values.
fn buckets(document: &Value, values: &[f64]) -> [Vec<(u64, u64)>; 2] {
    let found = &document["histogram"];
    let bytes = STANDARD.decode(found["hdr_v2"].as_str().expect("it is a histogram")).expect("it is base64");
    let merged: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).expect("it is of V2");
    let scale = found["scale"].as_f64().expect("it has a scale");
    let mut added = Histogram::<u64>::new(3).expect("three digits can be had");
    values.iter().for_each(|value| added.record((value * scale * (1.0 + 1e-14)) as u64).expect("it grows"));
    [merged, added]
        .map(|one| one.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect())
}

const WHOLE: &str = "import http from 'k6/http';
    import { check } from 'k6';
    import exec from 'k6/execution';
    import { SharedArray } from 'k6/data';
    import { Trend } from 'k6/metrics';
    const [vu, number, many] = ['vu', 'number', 'many'].map((name) => new Trend(name));
    const words = new SharedArray('words', () => ['a', 'b', 'c']);
    export const options = {
        scenarios: { only: { executor: 'shared-iterations', vus: 7, iterations: 61, maxDuration: '60s' } },
        thresholds: { checks: ['rate==1'], iterations: ['count==61'] },
    };
    export function setup() { console.log('set up'); return { word: 'of all' }; }
    export default function (data) {
        vu.add(exec.vu.idInTest);
        number.add(exec.scenario.iterationInTest);
        for (let at = 0; at < 200; at++) many.add(100 + Math.random() * 1000);
        check(http.get(`${__ENV.URL}/text`), { 'has data': () => data.word === 'of all' && words.length === 3 });
    }
    export function teardown(data) { console.log(`torn down ${data.word}`); }";

/// Three instances of which only the last brings the script; what they came to.
fn whole(engine: &str) -> (Meeting, Vec<Outcome>) {
    let meeting = Meeting::new(WHOLE);
    let common = ["--js-engine", engine, "--tag-instance", "-o"];
    let first: &[&str] = &["json=0.json", "--summary-json", "all.json", "--summary-export", "export.json"];
    let first: Vec<&str> = [&common[..], first, &["--summary-junit", "junit.xml", "--report", "page.html"]].concat();
    let second: Vec<&str> = [&common[..], &["json=1.json"]].concat();
    let third: Vec<&str> = [&common[..], &["json=2.json"]].concat();
    let running = vec![
        Running::start(&mut meeting.bare("1/3", &first)),
        Running::start(&mut meeting.bare("2/3", &second)),
        meeting.instance("3/3", &third),
    ];
    (meeting, running.into_iter().map(Running::end).collect())
}

#[test]
fn several_instances_are_one_test() {
    for engine in engines() {
        let (meeting, outcomes) = whole(engine);
        let told: String = outcomes.iter().map(|outcome| format!("{}\n{}\n", outcome.stdout, outcome.stderr)).collect();
        assert_eq!(outcomes.iter().map(|outcome| outcome.code).collect::<Vec<_>>(), [0, 0, 0], "{told}");
        assert!(!told.contains(SECRET), "{told}");
        for once in ["set up", "torn down of all", "✓ 'count==61' count=61", "✓ has data"] {
            assert_eq!(told.matches(once).count(), 1, "{once}: {told}");
        }
        assert!(outcomes[0].stdout.contains("✓ 'count==61' count=61"), "{}", outcomes[0].stdout);
        assert!(!outcomes[1].stdout.contains("running ("), "{}", outcomes[1].stdout);

        let all = meeting.document("all.json");
        assert_eq!((&all["run"]["segment"], &all["run"]["incomplete"]), (&"0:1".into(), &Value::Null));
        assert_eq!((&all["verdict"]["exit_code"], &all["parts"][2]["file"]), (&0.into(), &"instance 3/3".into()));
        assert_eq!(all["endpoints"][0]["requests"], 61);
        assert_eq!(meeting.document("export.json")["metrics"]["iterations"]["count"], 61);
        let file = |name: &str| fs::read_to_string(meeting.path().join(name)).unwrap_or_default();
        assert!(file("junit.xml").contains("count==61") && file("page.html").contains("volley-summary"));

        let of_all =
            |name: &str| ["0.json", "1.json", "2.json"].map(|file| points(meeting.path(), file, name)).concat();
        // Every iteration once, by seven VUs of which each has a number of its own.
        let mut iterations = of_all("number");
        iterations.sort_by(f64::total_cmp);
        assert_eq!(iterations, (0..61).map(f64::from).collect::<Vec<_>>());
        let vus: BTreeSet<u64> = of_all("vu").iter().map(|id| *id as u64).collect();
        assert!(vus.is_subset(&(1..=7).collect()), "{vus:?}");
        // What was merged is what was measured: value by value, and bucket by bucket.
        for name in ["http_req_duration", "iteration_duration", "number"] {
            let mut values = of_all(name);
            values.sort_by(f64::total_cmp);
            let merged = STANDARD.decode(metric(&all, name)["exact_values"].as_str().unwrap_or_default());
            let (merged, _) = merged.as_deref().expect("it is base64").as_chunks();
            let merged: Vec<f64> = merged.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
            assert_eq!(merged, values, "{name}");
        }
        let [merged, added] = buckets(&metric(&all, "many"), &of_all("many"));
        assert_eq!(merged.iter().map(|(_, count)| count).sum::<u64>(), 12_200);
        assert_eq!(merged, added);
        let sum: f64 = of_all("data_received").iter().sum();
        assert_eq!(metric(&all, "data_received")["values"]["count"], sum);
    }
}

/// Waits until a run has been going on for so many seconds.
pub fn runs_for(running: &Running, seconds: usize) {
    (0..=seconds).for_each(|_| running.wait_for("running ("));
}

/// Every iteration takes a tenth of a second, for a minute.
pub fn steady(options: &str) -> String {
    format!(
        "import {{ sleep }} from 'k6';
        export const options = {{ scenarios: {{ only: {{ executor: 'constant-vus', vus: 3, duration: '60s', gracefulStop: '1s' }} }},
            {options} }};
        export default function () {{ sleep(0.1); }}
        export function teardown() {{ console.log('torn down'); }}"
    )
}

#[test]
fn wrong_instances_are_refused_in_one_line() {
    let meeting = Meeting::new(&steady(""));
    let first = meeting.instance("1/2", &["--duration", "3s", "--vus", "2"]);
    first.wait_for("has joined");
    let check = |arguments: &[&str], code: i32, said: &str| {
        let outcome = run(volley(meeting.path()).args(arguments).arg("script.js"));
        assert_eq!(outcome.code, code, "{arguments:?}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.trim_end().lines().count(), 1, "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{arguments:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains(SECRET), "{}", outcome.stderr);
    };
    let address = meeting.address();
    check(&["run", "--join", &address, "--instance", "1/2"], 104, "instance 1/2 of the run `run-1` is there already");
    check(
        &["run", "--join", &address, "--instance", "2/3"],
        104,
        "the run `run-1` is of 2 instances, instance 2/3 is of 3",
    );
    check(&["run", "--join", &address], 104, "`--join` needs to know which instance this is");
    check(
        &["run", "--join", &address.replace("run-1", ""), "--instance", "1/2"],
        104,
        "behind the host stands the name",
    );
    check(
        &["run", "--join", &address.replace(SECRET, "wrong"), "--instance", "2/2"],
        104,
        "the Redis server refuses us",
    );
    let port = address.replace(&format!(":{}/", meeting.port), ":x/");
    check(&["run", "--join", &port, "--instance", "2/2"], 104, "behind the colon stands a port from 1 to 65535");
    let raw = address.replace(SECRET, &format!("a@b/{SECRET}")).replace("run-1", "");
    check(&["run", "--join", &raw, "--instance", "2/2"], 104, "`redis://****@127.0.0.1:");
    check(&["run", "--on-loss", "stop"], 104, "`--on-loss` is about other instances: add `--join`");
    check(
        &["run", "--join", &address, "--instance", "2/2", "--on-loss", "x"],
        104,
        "`--on-loss` is `continue` or `stop`",
    );
    check(&["run", "--strict-k6", "--join", &address], 255, "unknown flag: --join");
    // As k6-operator says it.
    let mut second = volley(meeting.path());
    second.args(["run", "--log-format=raw", "--execution-segment=1/2:1", "--execution-segment-sequence=0,1/2,1"]);
    let second = Running::start(second.env("VOLLEY_JOIN", meeting.address()));
    second.wait_for("has joined");
    // When the test has begun, nobody may join.
    let begun = Instant::now();
    loop {
        let late = run(meeting.bare("2/2", &[]).arg("script.js"));
        assert_eq!(late.code, 104, "{}", late.stderr);
        if late.stderr.contains("the run `run-1` has begun, instance 2/2 is too late") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", late.stderr);
    }
    for instance in [first, second] {
        let outcome = instance.end();
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    }
}

/// A self-signed certificate is good enough where `SSL_CERT_FILE` says so, and else refused in one line.
#[test]
fn they_meet_over_tls() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let rcgen::CertifiedKey { cert, signing_key } = signed.expect("a certificate can be made");
    fs::write(folder.path().join("cert.pem"), cert.pem()).expect("a file can be written");
    fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).expect("a file can be written");
    fs::write(folder.path().join("script.js"), steady("")).expect("a file can be written");
    let port = free_port();
    let mut redis = Command::new(needs::program(&["redis-server"], "Debian: redis-server"));
    redis.args([
        "--port",
        "0",
        "--tls-port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--tls-auth-clients",
        "no",
    ]);
    redis.args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--requirepass", SECRET]);
    redis.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let redis = redis.spawn().expect("Redis starts");
    let meeting = Meeting { folder, port, redis };
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "Redis did not come up");
        std::thread::sleep(Duration::from_millis(20));
    }
    let address = format!("rediss://:{SECRET}@127.0.0.1:{port}/run-1");
    let instance = |instance: &str| {
        let mut command = volley(meeting.path());
        command.args([
            "run",
            "--log-format=raw",
            "--join",
            &address,
            "--instance",
            instance,
            "--duration",
            "2s",
            "script.js",
        ]);
        command
    };
    let refused = run(&mut instance("1/2"));
    assert_ne!(refused.code, 0, "{}", refused.stderr);
    let said = refused.stderr.trim_end();
    assert!(said.lines().count() == 1 && said.contains("certificate") && !said.contains(SECRET), "{said}");
    let trusting = |nth: &str| Running::start(instance(nth).env("SSL_CERT_FILE", meeting.path().join("cert.pem")));
    let outcomes = [trusting("1/2"), trusting("2/2")].map(Running::end);
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [0, 0], "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| !outcome.stderr.contains(SECRET)), "{outcomes:?}");
}

#[test]
fn instances_that_do_not_come_are_named() {
    let meeting = Meeting::new(&steady(""));
    let first = meeting.instance("1/3", &["--join-timeout", "2s"]);
    let outcome = first.end();
    assert_eq!(outcome.code, 102, "{}", outcome.stderr);
    let said = "the test did not begin within 2s: instance 2/3 has not come, instance 3/3 has not come";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
}

#[test]
fn thresholds_of_all_end_all() {
    // Neither instance comes to forty iterations before the other.
    let meeting = Meeting::new(&steady("thresholds: { iterations: [{ threshold: 'count<60', abortOnFail: true }] },"));
    let begun = Instant::now();
    let running = [meeting.instance("1/2", &["--summary-json", "all.json"]), meeting.instance("2/2", &[])];
    let outcomes = running.map(Running::end);
    assert!(begun.elapsed() < Duration::from_secs(50), "the load went on");
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [99, 0], "{outcomes:?}");
    assert!(outcomes[0].stderr.contains("thresholds on metrics 'iterations' were crossed"), "{}", outcomes[0].stderr);
    let all = meeting.document("all.json");
    assert_eq!((&all["verdict"]["exit_code"], &all["run"]["incomplete"]), (&99.into(), &Value::Null));
    assert!(outcomes[0].stderr.contains("torn down"), "{}", outcomes[0].stderr);
}

#[test]
fn windows_are_judged_on_what_all_have_measured() {
    // One instance alone has ten a second.
    let meeting = Meeting::new(&steady("thresholds: { iterations: ['rate>12 for 5s', 'rate<1000 for 5s'] },"));
    let args = ["--duration", "12s", "--vus", "2", "--summary-json", "all.json"];
    let outcomes = [meeting.instance("1/2", &args), meeting.instance("2/2", &args[..4])].map(Running::end);
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [0, 0], "{outcomes:?}");
    let all = meeting.document("all.json");
    let observed = all["thresholds"][0]["observed"].as_f64().unwrap_or_default();
    assert!(observed > 12.0, "{}", all["thresholds"]);
    assert!(!outcomes[0].stderr.contains("judges windows"), "{}", outcomes[0].stderr);
    // Meeting, waiting for the common start and for the others is no part of it.
    let seconds = all["run"]["seconds"].as_f64().unwrap_or_default();
    assert!((12.0..13.5).contains(&seconds), "{seconds}");
}

#[test]
fn a_conductor_without_load_reports_all() {
    let meeting = Meeting::new(WHOLE);
    let mut conductor = volley(meeting.path());
    conductor.args([
        "conduct",
        "--log-format=raw",
        &meeting.address(),
        "--instances",
        "2",
        "--summary-json",
        "all.json",
        "--summary-markdown",
        "all.md",
    ]);
    let conductor = Running::start(&mut conductor);
    conductor.wait_for("the conductor has joined");
    let running = [meeting.instance("1/2", &[]), Running::start(&mut meeting.bare("2/2", &[]))];
    let outcomes = running.map(Running::end);
    let conductor = conductor.end();
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [0, 0], "{outcomes:?}");
    assert_eq!(conductor.code, 0, "{}\n{}", conductor.stdout, conductor.stderr);
    assert!(conductor.stdout.contains("✓ 'count==61' count=61"), "{}", conductor.stdout);
    assert!(!outcomes[0].stdout.contains("count==61"), "{}", outcomes[0].stdout);
    assert_eq!(metric(&meeting.document("all.json"), "iterations")["values"]["count"], 61);
    assert!(!conductor.stderr.contains("No script iterations"), "{}", conductor.stderr);
    let markdown = fs::read_to_string(meeting.path().join("all.md")).unwrap_or_default();
    assert!(markdown.contains("count==61"), "{markdown}");
}

#[test]
fn a_signal_at_the_first_ends_all_and_at_another_one_only_that() {
    let meeting = Meeting::new(&steady(""));
    let first = meeting.instance("1/3", &["--summary-json", "all.json"]);
    let (second, third) = (meeting.instance("2/3", &[]), meeting.instance("3/3", &[]));
    runs_for(&first, 1);
    third.interrupt();
    assert_eq!(third.end().code, 105);
    runs_for(&first, 2);
    first.interrupt();
    let outcomes = [first, second].map(Running::end);
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [105, 0], "{outcomes:?}");
    let all = meeting.document("all.json");
    let incomplete = all["run"]["incomplete"].as_str().unwrap_or_default();
    assert!(incomplete.starts_with("`instance 3/3` ended with exit code 105"), "{incomplete}");
    assert_eq!(all["parts"].as_array().map_or(0, Vec::len), 3);
}

#[test]
fn a_script_that_ends_the_test_ends_it_for_all() {
    let script = "import exec from 'k6/execution';
        import { sleep } from 'k6';
        export const options = { vus: 2, duration: '60s' };
        export default function () {
            if (exec.vu.idInTest === 2 && exec.vu.iterationInInstance > 3) exec.test.abort('enough');
            sleep(0.2);
        }";
    let meeting = Meeting::new(script);
    for engine in engines() {
        let args = ["--js-engine", engine];
        let outcomes = [meeting.instance("1/2", &args), meeting.instance("2/2", &args)].map(Running::end);
        // The second VU is the second instance's: its own fault.
        assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [108, 108], "{outcomes:?}");
        assert!(outcomes[0].stderr.contains("instance 2/2: test aborted: enough"), "{}", outcomes[0].stderr);
    }
}

/// Asks the REST API of an instance for a change.
fn change(address: &str, attributes: &Value) {
    let body = json!({"data": {"attributes": attributes}}).to_string();
    let mut stream = TcpStream::connect(address).expect("the API listens");
    let head = format!("PATCH /v1/status HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n", body.len());
    std::io::Write::write_all(&mut stream, format!("{head}{body}").as_bytes()).expect("it can be asked");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
}

#[test]
fn the_api_of_the_first_reaches_all() {
    let script = "import { sleep } from 'k6';
        import { Counter } from 'k6/metrics';
        import exec from 'k6/execution';
        const most = new Counter('most');
        export const options = { paused: true, scenarios: { only: {
            executor: 'externally-controlled', vus: 2, maxVUs: 8, duration: '8s' } } };
        export default function () { sleep(0.1); }";
    let meeting = Meeting::new(script);
    let address = format!("127.0.0.1:{}", free_port());
    let first = meeting.instance("1/2", &["--address", &address, "--summary-json", "all.json"]);
    let second = meeting.instance("2/2", &["--address", ""]);
    first.wait_for("has joined");
    second.wait_for("has joined");
    std::thread::sleep(Duration::from_secs(2));
    // Both wait for it.
    change(&address, &json!({"paused": false}));
    runs_for(&first, 2);
    change(&address, &json!({"vus": 8}));
    // Of the VUs of all, the first line says how many are at work.
    first.wait_for("8/8 VUs");
    let outcomes = [first, second].map(Running::end);
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [0, 0], "{outcomes:?}");
    let all = meeting.document("all.json");
    let vus = |at: usize| all["parts"][at]["max_vus"].as_u64().unwrap_or_default();
    assert_eq!(vus(0) + vus(1), 8, "{all}");
}

/// The page that lives while the test runs, progress and the REST API are of all instances; the first one here makes load, too.
#[test]
fn while_it_runs_one_shows_what_all_have_measured() {
    let script = "import { check, sleep, group } from 'k6';
        export const options = { scenarios: { only: { executor: 'constant-vus', vus: 4, duration: '20s', gracefulStop: '1s' } },
            thresholds: { iterations: ['count>1'], vus: ['value<=4'] } };
        export default function () { group('here', () => check(1, { 'is one': (n) => n === 1 })); sleep(0.1); }";
    let meeting = Meeting::new(script);
    let (api, page) = (free_port(), free_port());
    let address = format!("127.0.0.1:{api}");
    let dashboard = format!("web-dashboard=host=127.0.0.1&port={page}");
    let first = meeting.instance("1/2", &["--address", &address, "--out", &dashboard]);
    let second = meeting.instance("2/2", &[]);
    runs_for(&first, 2);
    let asked = |port: u16, path: &str| -> Value {
        get(port, path).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    };
    let begun = Instant::now();
    let seen = loop {
        let seen = asked(page, "/summary.json");
        if seen["parts"].as_array().is_some_and(|parts| parts.len() == 2) {
            break seen;
        }
        assert!(begun.elapsed() < Duration::from_secs(17), "{seen}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!((&seen["run"]["is_over"], &seen["run"]["incomplete"]), (&false.into(), &Value::Null), "{}", seen["run"]);
    assert_eq!((&seen["run"]["active_vus"], &seen["thresholds"][0]["ok"]), (&4.into(), &true.into()), "{seen}");
    let named = seen["checks"]["list"][0]["passes"].as_u64().unwrap_or_default();
    assert_eq!(Some(named), metric(&seen, "checks")["values"]["passes"].as_u64());
    let status = asked(api, "/v1/status");
    assert_eq!(
        (&status["data"]["attributes"]["vus"], &status["data"]["attributes"]["vus-max"]),
        (&4.into(), &4.into())
    );
    let count =
        || asked(api, "/v1/metrics/iterations")["data"]["attributes"]["sample"]["count"].as_f64().unwrap_or_default();
    let groups = asked(api, "/v1/groups");
    let checked = groups["data"].as_array().into_iter().flatten().find(|one| one["attributes"]["name"] == "here");
    assert!(checked.is_some_and(|one| one["attributes"]["checks"][0]["passes"].as_f64() > Some(0.0)), "{groups}");
    // Of one instance it would be at most two VUs' worth.
    let own = || (begun.elapsed() + Duration::from_secs(4)).as_secs_f64() * 20.0;
    while count() <= own() {
        assert!(begun.elapsed() < Duration::from_secs(17), "{}", count());
        std::thread::sleep(Duration::from_millis(100));
    }
    // The line of the scenario is of all, as the first one is.
    first.wait_for("4 VUs");
    let outcomes = [first, second].map(Running::end);
    assert_eq!(outcomes.each_ref().map(|outcome| outcome.code), [0, 0], "{outcomes:?}");
}

#[test]
fn another_script_is_another_test() {
    let meeting = Meeting::new(&steady(""));
    let first = meeting.instance("1/2", &["--js-engine", engine()]);
    let second = meeting.instance("2/2", &["--iterations", "7"]);
    let outcomes = [first, second].map(Running::end);
    assert_eq!(outcomes[0].code, 104, "{}", outcomes[0].stderr);
    let said = "instance 2/2 is of another test than instance 1/2: a file or an option of the script differs";
    assert_eq!(outcomes[1].code, 104, "{}", outcomes[1].stderr);
    assert!(outcomes.iter().all(|outcome| outcome.stderr.contains(said)), "{outcomes:?}");
}
