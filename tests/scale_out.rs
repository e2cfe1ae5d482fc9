//! A test on several instances, merged from files: the page that shows how, and whether the merge is the sum of its parts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde_json::Value;
use tempfile::TempDir;

use crate::needs;
use crate::peers::{free_port, get};
use crate::program::{self, Outcome, Running, run, volley};

/// A target, and a folder to work in.
struct Site {
    folder: TempDir,
    port: u16,
    target: Running,
}

impl Site {
    fn open() -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder can be made"), free_port());
        let listen = format!("127.0.0.1:{port}");
        let target = Running::start(volley(folder.path()).args(["target", "--listen", &listen]));
        target.wait_for("listening on");
        Self { folder, port, target }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests for `/health` the target has answered by now, as it says itself.
    fn answered(&self) -> u64 {
        let page = get(self.port, "/metrics").expect("the target tells its metrics");
        let counts = page.lines().filter(|line| line.contains("_count{") && line.contains("route=\"/health\""));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    fn document(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path().join(name)).expect("the file was written");
        serde_json::from_str(&text).expect("it is JSON")
    }

    fn close(self) {
        self.target.interrupt();
        self.target.end();
    }
}

/// The blocks of code of a page: what stands behind the three ticks, and the code.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    for (at, part) in page.split("```").enumerate() {
        if at % 2 == 1 {
            blocks.extend(part.split_once('\n'));
        }
    }
    blocks
}

#[test]
fn the_shell_lines_of_the_page_run() {
    let site = Site::open();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale-out.md");
    let page = fs::read_to_string(page).expect("there is a page");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_volley"), site.path().join("volley")).expect("a link can be made");
    let mut ran = 0;
    for (head, code) in blocks(&page) {
        match head.split_once(' ') {
            Some((_, name)) => fs::write(site.path().join(name), code).expect("a file can be written"),
            None if head == "sh" => {
                let mut command = program::command(Path::new("/bin/sh"), site.path());
                let path = std::env::var("PATH").unwrap_or_default();
                command.env("PATH", format!("{}:{path}", site.path().display())).env("BASE_URL", site.base_url());
                let outcome = run(command.args(["-c", code]));
                assert_eq!(outcome.code, 0, "{code}\n{}\n{}", outcome.stdout, outcome.stderr);
                assert!(outcome.stdout.contains("✓ 'count>100'"), "{}", outcome.stdout);
                ran += 1;
            }
            None => {}
        }
    }
    assert_eq!(ran, 1, "the page has one block of shell");
    let markdown = fs::read_to_string(site.path().join("report.md")).expect("the file was written");
    assert!(markdown.starts_with("## ✅ test.js: Passed\n"), "{markdown}");
    assert!(site.path().join("report.html").exists());
    site.close();
}

/// The flags on the page are flags.
#[test]
fn the_page_names_flags_that_there_are() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale-out.md");
    let page = fs::read_to_string(page).expect("there is a page");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let help = |name: &str| run(volley(folder.path()).args([name, "--help"])).stdout;
    let known = help("run") + &help("merge");
    for word in page.split(|c: char| c.is_whitespace() || "`'\"=()".contains(c)).filter(|word| word.starts_with("--")) {
        let flag = word.trim_end_matches([',', '.', ';', ':']);
        let of_others = ["--for", "--timeout"];
        assert!(known.contains(flag) || of_others.contains(&flag), "{flag}");
    }
}

/// Arrivals and looping VUs; the values of `number` are eighths, so that a histogram's units are whole.
const SCRIPT: &str = "import http from 'k6/http';
    import { check, sleep } from 'k6';
    import { Counter, Trend } from 'k6/metrics';
    import exec from 'k6/execution';
    const number = new Trend('number');
    const due = new Counter('due');
    export const options = {
        scenarios: {
            arrivals: {
                executor: 'constant-arrival-rate', rate: 50, duration: '3s', preAllocatedVUs: 80, maxVUs: 160, exec: 'arrive',
            },
            ramp: {
                executor: 'ramping-vus', startVUs: 8, stages: [{ duration: '2s', target: 24 }, { duration: '1s', target: 8 }],
                exec: 'loop', gracefulRampDown: '10s', gracefulStop: '10s',
            },
        },
        thresholds: {
            'iterations{scenario:arrivals}': ['count>50'], checks: ['rate==1'], due: ['count>=1 for 1s'],
            http_req_failed: ['rate<0.01 for 1s'],
        },
        summaryTrendStats: ['count', 'min', 'med', 'p(99)', 'max'],
    };
    function ask() {
        check(http.get(`${__ENV.BASE_URL}/health`), { 'is 200': ({ status }) => status === 200 });
    }
    export function arrive() {
        ask();
        due.add(1);
        for (let at = 0; at < 300; at++) number.add(((exec.scenario.iterationInTest * 7919 + at * 104729) % 80000) / 8);
    }
    export function loop() { ask(); sleep(0.1); }
    export function handleSummary(data) {
        return { stdout: `the whole: ${data.metrics.due.values.count}\\n`, 'own.json': JSON.stringify(data.metrics.number) };
    }";

const INSTANCES: usize = 8;

/// All points of one metric of all instances, as `-o json` wrote them.
fn points(site: &Site) -> BTreeMap<String, Vec<f64>> {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for nth in 1..=INSTANCES {
        let text = fs::read_to_string(site.path().join(format!("points.{nth}.json"))).expect("the file was written");
        for line in text.lines() {
            let point: Value = serde_json::from_str(line).expect("it is JSON");
            if point["type"] == "Point" {
                let name = point["metric"].as_str().expect("a point has a metric").to_owned();
                all.entry(name).or_default().push(point["data"]["value"].as_f64().expect("a point has a value"));
            }
        }
    }
    all
}

fn metric<'d>(document: &'d Value, name: &str) -> &'d Value {
    let metrics = document["metrics"].as_array().expect("there are metrics");
    metrics.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("there is no {name}"))
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("it is text")).expect("it is base64")
}

/// The histogram of a trend is that of these values, bucket for bucket; where it is exact, the values are the same.
fn is_sum(trend: &Value, values: &[f64]) {
    let name = &trend["name"];
    assert_eq!(trend["values"]["count"].as_u64(), Some(values.len() as u64), "{name}");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    if trend["exact"] == true {
        let kept = bytes(&trend["exact_values"]);
        let mut kept: Vec<f64> =
            kept.chunks_exact(8).map(|part| f64::from_le_bytes(part.try_into().expect("eight"))).collect();
        kept.sort_by(f64::total_cmp);
        assert_eq!(kept, sorted, "{name}");
        return;
    }
    let found: Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes(&trend["histogram"]["hdr_v2"]).as_slice())
        .expect("it is a histogram");
    let scale = trend["histogram"]["scale"].as_f64().expect("there is a scale");
    let mut expect = Histogram::<u64>::new(3).expect("three digits");
    values.iter().for_each(|value| expect.record((value * scale) as u64).expect("it has room"));
    let buckets = |histogram: &Histogram<u64>| -> Vec<(u64, u64)> {
        histogram.iter_recorded().map(|at| (at.value_iterated_to(), at.count_at_value())).collect()
    };
    assert_eq!(buckets(&found), buckets(&expect), "{name}");
}

fn run_instances(site: &Site) {
    fs::write(site.path().join("test.js"), SCRIPT).expect("a file can be written");
    let engines: Vec<_> = program::engines().collect();
    let all: Vec<Running> = (1..=INSTANCES)
        .map(|nth| {
            let mut command = volley(site.path());
            let (instance, json) = (format!("{nth}/{INSTANCES}"), format!("json=points.{nth}.json"));
            command.args(["run", "--quiet", "--js-engine", engines[nth % engines.len()], "--instance", &instance]);
            command.args(["--tag-instance", "--out", &json, "--summary-json", &format!("{nth}.json")]);
            Running::start(command.args(["-e", &format!("BASE_URL={}", site.base_url()), "test.js"]))
        })
        .collect();
    for running in all {
        let Outcome { code, stdout, stderr } = running.end();
        // A threshold on a count does not hold for an eighth.
        assert_eq!(code, 99, "{stdout}\n{stderr}");
    }
}

#[test]
fn eight_instances_come_to_the_sum_of_their_points() {
    let site = Site::open();
    let before = site.answered();
    run_instances(&site);
    let files: Vec<String> = (1..=INSTANCES).map(|nth| format!("{nth}.json")).collect();
    let mut command = volley(site.path());
    command.args(["merge", "--out", "all.json", "--markdown", "all.md", "--report", "all.html"]).args(&files);
    let outcome = run(&mut command);
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    let (all, points) = (site.document("all.json"), points(&site));

    // Distributions, bucket for bucket.
    for name in ["number", "http_req_duration", "http_req_waiting", "iteration_duration"] {
        is_sum(metric(&all, name), &points[name]);
    }
    assert_eq!(metric(&all, "number")["exact"], false);
    // What was due was done, or said to be left out; and the server agrees.
    let count = |name: &str| metric(&all, name)["values"]["count"].as_f64().expect("it is a number");
    let due = count("due");
    let dropped = points.get("dropped_iterations").map_or(0.0, |values| values.iter().sum::<f64>());
    assert_eq!((due + dropped, count("iterations{scenario:arrivals}")), (150.0, due));
    let requests = points["http_reqs"].iter().sum::<f64>();
    assert_eq!((count("http_reqs"), count("iterations")), (requests, requests));
    assert_eq!(site.answered() - before, requests as u64);
    assert_eq!(metric(&all, "checks")["values"]["passes"].as_f64(), Some(requests));
    let sent = points["data_sent"].iter().sum::<f64>();
    assert_eq!(count("data_sent"), sent);

    // Over time, by endpoint, and each instance's health.
    let series = |name: &str, key: &str| -> f64 {
        let list = all["timeline"]["series"][name][key].as_array().expect("it is a list");
        list.iter().filter_map(Value::as_f64).sum()
    };
    assert_eq!((series("http_reqs", "sum"), series("http_req_duration", "count")), (requests, requests));
    let vus = all["timeline"]["series"]["vus"]["max"].as_array().expect("it is a list");
    assert!(vus.iter().filter_map(Value::as_f64).fold(0.0, f64::max) >= 12.0, "{vus:?}");
    let endpoint = &all["endpoints"][0];
    let of_endpoint: f64 =
        endpoint["series"]["requests"].as_array().expect("it is a list").iter().filter_map(Value::as_f64).sum();
    assert_eq!((endpoint["requests"].as_f64(), of_endpoint), (Some(requests), requests));
    let parts = all["parts"].as_array().expect("there are parts");
    assert!(
        parts.len() == INSTANCES && parts.iter().all(|part| part["health"]["cpu"]["seconds"].is_number()),
        "{parts:?}"
    );
    // Windows are judged on the whole.
    let windows: Vec<_> =
        all["thresholds"].as_array().into_iter().flatten().filter(|one| one.get("slices").is_some()).collect();
    assert!(windows.len() == 2 && windows.iter().all(|one| one["ok"] == true), "{windows:?}");
    let markdown = fs::read_to_string(site.path().join("all.md")).expect("the file was written");
    assert!(markdown.contains("### Instances") && markdown.contains("| `8.json` | 7/8:1 | 99 |"), "{markdown}");

    // The script's own summary of the whole, on both engines.
    for engine in program::engines() {
        let mut command = volley(site.path());
        command.args(["merge", "--js-engine", engine, "--script", "test.js", "-e", "BASE_URL=x"]).args(&files);
        let outcome = run(&mut command);
        assert_eq!((outcome.code, outcome.stdout), (0, format!("the whole: {due}\n")), "{engine}: {}", outcome.stderr);
        assert_eq!(site.document("own.json")["values"]["count"].as_f64(), Some(due * 300.0), "{engine}");
    }
    site.close();
}

/// The short form of `load_tests/scale_out/exact.py`: eight instances, conducted over Redis; a program that shares no code with ours
/// adds up all points and reads the target's log.
#[test]
fn another_program_comes_to_the_same_sum() {
    needs::program(&["redis-server", "valkey-server"], "Debian: redis-server");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("load_tests/scale_out/exact.py");
    let mut command = program::command(&needs::program(&["python3"], "Debian: python3"), folder.path());
    let engines: Vec<_> = program::engines().collect();
    command.arg(script).args(["--bin", env!("CARGO_BIN_EXE_volley"), "--engines", &engines.join(",")]);
    let outcome = run(command.args(["--seconds", "10", "--rate", "40", "--ways", "conducted"]));
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.starts_with("conducted: ok, "), "{}", outcome.stdout);
}
