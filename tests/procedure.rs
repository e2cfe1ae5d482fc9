//! A whole procedure through the program, against a target of our own: what it leaves behind agrees with itself, the
//! verdict is the one the numbers deserve, and nothing is lost when it is interrupted, killed or refused.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{self, Outcome, Running};

/// The procedure we ship.
pub const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/load_tests/procedures/cache_integration.js");

/// A target on a port of its own, ended with the test.
pub struct Target {
    process: Option<Running>,
    pub url: String,
}

impl Target {
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        let port = crate::peers::free_port();
        let address = format!("127.0.0.1:{port}");
        let process = Running::start(program::volley(folder).args(["target", "--listen", &address]).args(args));
        process.wait_for("listening on");
        Self { process: Some(process), url: format!("http://{address}") }
    }

    /// What is not ours to start and end.
    pub fn at(url: &str) -> Self {
        Self { process: None, url: url.to_owned() }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.interrupt();
            process.end();
        }
    }
}

/// The procedure we ship, in a hundred and fiftieth of its time. A machine that is busy with other tests may make the
/// generator late, which would block an approval.
pub fn example(folder: &Path, target: &Target, args: &[&str]) -> Command {
    let script = Path::new(EXAMPLE).parent().unwrap().join("../cache_test.js");
    let procedure = format!(
        "import example from '{EXAMPLE}';\nexport default {{ ...example, findings: {{ generator: 'warning' }}, \
         runs: example.runs.map((run) => ({{ ...run, script: '{}' }})) }};\n",
        script.display()
    );
    fs::write(folder.join("rehearsal.js"), procedure).unwrap();
    let mut command = program::volley(folder);
    command.args(["procedure", "run", "rehearsal.js", "--scale", "0.005"]).args(args);
    command.env("BASE_URL", &target.url).env("RESULTS_DIR", folder.join("results")).env("COLLECT_EVERY", "300ms");
    command.env("MIN_RATE", "5");
    command
}

pub fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

pub fn text(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn volley(folder: &Path, args: &[&str]) -> Outcome {
    program::run(program::volley(folder).args(args))
}

/// Asks for something; head and body of the answer.
pub fn get(url: &str, path: &str) -> (String, String) {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The document a page holds.
fn document(page: &str) -> Value {
    let text = page.split("<script id=\"document\" type=\"application/json\">").nth(1).unwrap();
    serde_json::from_str(text.split("</script>").next().unwrap()).unwrap()
}

#[test]
fn a_fast_target_is_approved_and_all_files_agree() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &["--db-latency", "5ms"]);
    let outcome = program::run(example(folder.path(), &target, &[]).env("RISKS", "5"));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let results = folder.path().join("results");
    for run in ["baseline", "stress", "spike"] {
        for end in [".json.gz", "_summary.json", "_report.json", ".log", "_host.json"] {
            assert!(results.join(format!("{run}{end}")).exists(), "{run}{end}");
        }
    }
    let baseline = json(results.join("baseline_metrics.json"));
    assert_eq!((&baseline["verdict"], &baseline["is_rehearsal"]), (&"REHEARSAL".into(), &true.into()));
    let journal = json(results.join("procedure.json"));
    assert_eq!((&journal["data"]["made"], &journal["data"]["removed"]), (&5.into(), &5.into()));
    // To the last digit: the raw summary, what the next comparison reads, the page.
    let page = document(&text(results.join("report.html")));
    for (place, run) in ["baseline", "stress", "spike"].iter().enumerate() {
        let raw = json(results.join(format!("{run}_summary.json")));
        for path in ["http_req_duration/p(95)", "http_req_duration/max", "http_reqs/count", "cache_hit_ratio/rate"] {
            let (metric, stat) = path.split_once('/').unwrap();
            let kept = &baseline["runs"][run]["metrics"][metric][stat];
            assert_eq!(raw["metrics"][metric]["values"][stat].as_f64(), kept.as_f64(), "{run} {path}");
            let drawn = page["runs"][place]["metrics"].as_array().unwrap();
            let drawn = drawn.iter().find(|one| one["name"] == metric).unwrap();
            assert_eq!(drawn["values"][stat].as_f64(), kept.as_f64(), "{run} {path}");
        }
        assert_eq!(page["runs"][place]["name"], *run);
        assert!(!page["runs"][place]["panels"].as_array().unwrap().is_empty(), "{run}: there are no panels");
    }
    let readiness = text(results.join("readiness.txt"));
    assert!(readiness.contains("STATUS:       REHEARSAL") && readiness.contains("rehearsal"), "{readiness}");
    let achieved = baseline["criteria"][0]["achieved"].as_f64().unwrap();
    assert_eq!(Some(achieved), baseline["runs"]["stress"]["metrics"]["http_req_duration"]["p(95)"].as_f64());

    // Everything can be made again, and is the same.
    let before = text(results.join("report.md"));
    fs::remove_file(results.join("report.md")).unwrap();
    let again = volley(folder.path(), &["procedure", "report", "results"]);
    assert_eq!((again.code, text(results.join("report.md"))), (0, before));

    // The archive is whole, and says so only then.
    let archive = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let archive = archive.into_iter().find(|path| path.to_string_lossy().ends_with(".tar.gz")).unwrap();
    let name = archive.to_str().unwrap();
    let verified = volley(folder.path(), &["procedure", "verify", name]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(folder.path().join("broken.tar.gz"), bytes).unwrap();
    assert_eq!(volley(folder.path(), &["procedure", "verify", "broken.tar.gz"]).code, 255);

    // The same compared with itself is no regression, a slower one is.
    let same = volley(folder.path(), &["compare", "results", name, "--fail-on-regression", "10%"]);
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
    assert!(same.stdout.contains("No regression"), "{}", same.stdout);
    let mut slower = baseline;
    for stat in ["avg", "med", "p(90)", "p(95)", "p(99)", "max"] {
        let value = &mut slower["runs"]["stress"]["metrics"]["http_req_duration"][stat];
        *value = (value.as_f64().unwrap() * 1.2 + 1.0).into();
    }
    fs::write(folder.path().join("slower.json"), slower.to_string()).unwrap();
    let worse = volley(folder.path(), &["compare", "results", "slower.json", "--fail-on-regression=10%"]);
    let table: Vec<&str> = worse.stdout.lines().skip_while(|line| !line.starts_with("stress ")).collect();
    assert!(table[0].contains("before") && table[0].ends_with("difference"), "{}", worse.stdout);
    assert!(table[1].contains(" ms") && table[1].ends_with("✗ regression"), "{}", worse.stdout);
    assert!(worse.stdout.contains("`--all` shows them"), "{}", worse.stdout);
    let worse = volley(folder.path(), &["compare", "results", "slower.json", "--fail-on-regression=10%", "--markdown"]);
    assert_eq!(worse.code, 99, "{}{}", worse.stdout, worse.stderr);
    assert!(worse.stdout.contains("| ❌ stress | http_req_duration p(95) |"), "{}", worse.stdout);

    // Finished runs are not repeated.
    let resumed = program::run(&mut example(folder.path(), &target, &["--resume", "results"]));
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(resumed.stdout.matches("finished before, kept").count(), 3, "{}", resumed.stdout);
}

#[test]
fn a_slow_target_is_not_approved() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &["--db-latency", "400ms", "--cache", "none"]);
    let outcome = program::run(&mut example(folder.path(), &target, &["--skip", "spike"]));
    assert_eq!(outcome.code, 99, "{}{}", outcome.stdout, outcome.stderr);
    let results = folder.path().join("results");
    let baseline = json(results.join("baseline_metrics.json"));
    assert_eq!(baseline["verdict"], "NOT APPROVED");
    let states: Vec<&str> =
        baseline["criteria"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!((states[0], states[1], states[4]), ("fail", "fail", "not measured"), "{states:?}");
    let found = baseline["findings"].as_array().unwrap();
    for kind in ["slow", "cache"] {
        assert!(found.iter().any(|one| one["kind"] == kind && one["run"] == "stress"), "{kind}: {found:?}");
    }
}

#[test]
fn an_interrupted_procedure_keeps_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    let running = Running::start(&mut example(folder.path(), &target, &[]));
    running.wait_for("stress: 600ms");
    running.interrupt();
    let outcome = running.end();
    assert_eq!(outcome.code, 105, "{}{}", outcome.stdout, outcome.stderr);
    let results = folder.path().join("results");
    let journal = json(results.join("procedure.json"));
    let states: Vec<&Value> = journal["runs"].as_array().unwrap().iter().map(|run| &run["state"]).collect();
    assert_eq!(states, ["finished", "interrupted", "pending"]);
    assert!(text(results.join("readiness.txt")).contains("INCOMPLETE"));
    assert!(results.join("report.html").exists());
    let resumed = program::run(&mut example(folder.path(), &target, &["--resume", "results"]));
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
    assert!(resumed.stdout.contains("baseline: finished before, kept"), "{}", resumed.stdout);
    assert!(text(results.join("readiness.txt")).contains("`stress` was interrupted"));
}

#[test]
fn without_what_is_required_there_is_no_load() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::at("http://127.0.0.1:9");
    let outcome = program::run(&mut example(folder.path(), &target, &[]));
    assert_eq!(outcome.code, 1, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("✗ application health: "), "{}", outcome.stdout);
    assert!(!folder.path().join("results").exists());
}

#[test]
fn a_new_procedure_is_understood_and_a_wrong_one_refused_on_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(volley(folder.path(), &["procedure", "new"]).code, 0);
    assert_eq!(volley(folder.path(), &["procedure", "new"]).code, 255);
    let wrong = "export default { name: 'x', runs: [{ name: 'a', script: () => 1 }], criteria: [] };";
    fs::write(folder.path().join("wrong.js"), wrong).unwrap();
    fs::write(folder.path().join("none.js"), "export const a = 1;").unwrap();
    // A plan whose scripts are missing is no plan.
    let without = volley(folder.path(), &["procedure", "run", "procedure.js", "--dry-run"]);
    assert_eq!(without.code, 1, "{}", without.stdout);
    assert!(without.stdout.contains("✗ script of spike: "), "{}", without.stdout);
    fs::write(folder.path().join("script.js"), "export default function () {}").unwrap();
    for engine in program::engines() {
        let plan = volley(folder.path(), &["procedure", "run", "procedure.js", "--dry-run", "--js-engine", engine]);
        assert_eq!(plan.code, 0, "{}", plan.stderr);
        assert!(plan.stdout.contains("total      21m0s"), "{}", plan.stdout);
        let refused = volley(folder.path(), &["procedure", "run", "wrong.js", "--js-engine", engine]);
        assert_eq!(refused.code, 104, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("`runs[0].script`: expected a text, but it is a function"),
            "{}",
            refused.stderr
        );
        let refused = volley(folder.path(), &["procedure", "check", "none.js", "--js-engine", engine]);
        assert!(refused.stderr.contains("no default export"), "{}", refused.stderr);
    }
    let unknown = volley(folder.path(), &["procedure", "run", "procedure.js", "--only", "peak", "--dry-run"]);
    assert!(
        unknown.stderr.contains("there is no such run; the runs are baseline, stress, spike"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn the_report_draws_itself_with_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &["--db-latency", "400ms", "--cache", "none"]);
    let outcome = program::run(&mut example(folder.path(), &target, &["--only", "baseline,stress"]));
    assert_eq!(outcome.code, 99, "{}{}", outcome.stdout, outcome.stderr);
    let (drawn, console) = crate::report::in_browser(&folder.path().join("results/report.html"));
    assert_eq!(console, "");
    let seen =
        ["data-drawn=\"yes\"", "NOT APPROVED", "fast under stress", "not measured", ">stress</button>", "Host memory"];
    for text in seen {
        assert!(drawn.contains(text), "{text}");
    }
    let baseline = json(folder.path().join("results/baseline_metrics.json"));
    let achieved = baseline["criteria"][0]["achieved_text"].as_str().unwrap();
    assert!(drawn.contains(&format!(">{achieved}<")), "{achieved}");
    // Every figure on a card is the one the next comparison reads.
    for (run, metric, stat) in [("baseline", "http_reqs", "count"), ("stress", "http_reqs", "count")] {
        let count = baseline["runs"][run]["metrics"][metric][stat].as_f64().unwrap();
        let count = (count as u64).to_string();
        let shown = if count.len() > 3 {
            format!("{},{}", &count[..count.len() - 3], &count[count.len() - 3..])
        } else {
            count
        };
        assert!(drawn.contains(&format!("<td class=\"text\">Requests</td><td>{shown}</td>")), "{run}: {shown}");
    }
}

/// Points at a chart, and writes down what a reader would see.
const READER: &str = "<script>setTimeout(() => { document.querySelector('.chart svg').dispatchEvent(\
    new PointerEvent('pointermove', { clientX: 200 })); document.documentElement.dataset.seen = JSON.stringify({ \
    fits: document.documentElement.scrollWidth <= innerWidth, phone: innerWidth < 760, \
    dark: matchMedia('(prefers-color-scheme: dark)').matches, ground: getComputedStyle(document.body).backgroundColor, \
    at: [...document.querySelectorAll('.at')].filter((one) => one.textContent).length > 0, \
    hidden: [...document.querySelectorAll('.stacked td')].some((td) => td.getBoundingClientRect().right > innerWidth) }); \
    }, 500);</script></body>";

#[test]
fn the_report_is_read_on_a_desk_and_on_a_phone_by_day_and_by_night() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    let outcome = program::run(&mut example(folder.path(), &target, &["--only", "baseline,stress"]));
    assert_eq!(outcome.code, 2, "{}{}", outcome.stdout, outcome.stderr);
    let page = text(folder.path().join("results/report.html")).replace("</body>", READER);
    let path = folder.path().join("read.html");
    fs::write(&path, page).unwrap();
    let mut grounds = Vec::new();
    for (size, is_phone) in [("--window-size=1280,900", false), ("--window-size=390,844", true)] {
        for (scheme, is_dark) in [("1", false), ("0", true)] {
            let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
            let (drawn, console) = crate::report::in_browser_with(&path, &[size, &scheme]);
            assert_eq!(console, "", "{size} {scheme}");
            let seen = drawn.split("data-seen=\"").nth(1).and_then(|rest| rest.split('"').next());
            let seen = seen.unwrap_or_else(|| panic!("{size} {scheme}: nothing was seen")).replace("&quot;", "\"");
            let seen: Value = serde_json::from_str(&seen).unwrap();
            assert_eq!((&seen["phone"], &seen["dark"]), (&is_phone.into(), &is_dark.into()), "{seen}");
            // Nothing sticks out, no cell of a verdict has to be scrolled for, and pointing at a chart reads it out.
            assert_eq!(
                (&seen["fits"], &seen["hidden"], &seen["at"]),
                (&true.into(), &false.into(), &true.into()),
                "{seen}"
            );
            grounds.push(seen["ground"].as_str().unwrap().to_owned());
        }
    }
    assert!(grounds[0] == grounds[2] && grounds[1] == grounds[3] && grounds[0] != grounds[1], "{grounds:?}");
}

#[test]
fn a_killed_procedure_leaves_no_load_behind_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    let running = Running::start(&mut example(folder.path(), &target, &["--skip", "spike"]));
    running.wait_for("stress: 600ms");
    running.kill();
    let outcome = running.end();
    assert_eq!(outcome.code, -1, "{}{}", outcome.stdout, outcome.stderr);
    let results = folder.path().join("results");
    let journal = json(results.join("procedure.json"));
    assert_eq!(journal["runs"][1]["state"], "running");
    // Reports can be made of what there is.
    assert_eq!(volley(folder.path(), &["procedure", "report", "results"]).code, 2);
    assert!(text(results.join("readiness.txt")).contains("`stress` was killed"));
    let resumed = program::run(&mut example(folder.path(), &target, &["--skip", "spike", "--resume", "results"]));
    // The spike was skipped, so its criterion is not measured.
    assert_eq!(resumed.code, 2, "{}{}", resumed.stdout, resumed.stderr);
    assert!(resumed.stdout.contains("baseline: finished before, kept"), "{}", resumed.stdout);
    assert!(text(results.join("readiness.txt")).contains("`stress` was killed"));
}
