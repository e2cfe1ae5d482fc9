//! `k6/browser` with a Chromium of this machine: every script of `browser/` runs on every engine and does what its head says (as
//! those of `js/`), and nothing is left behind, whatever ends a run. Scripts find pages at `__ENV.PAGES`.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::harness::trial;
use crate::needs::program;
use crate::program::{Running, engine, engines, volley};
use crate::{js, server};

/// How long Chromium may take to go after the process that it belonged to.
const PATIENCE: Duration = Duration::from_secs(20);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// A test for every script and engine.
pub fn trials() -> Vec<Trial> {
    let entries = fs::read_dir(folder()).expect("the folder can be read");
    let mut scripts: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|end| end == "js"));
    scripts.sort();
    let of = |engine: &'static str| {
        scripts.iter().map(move |script| {
            let name = format!("browser::{engine}::{}", script.file_name().expect("a script has a name").display());
            let script = script.clone();
            trial(name, move || {
                let machine = Machine::new();
                let pictures = tempfile::tempdir().unwrap();
                js::run_script(engine, &script, |command| {
                    machine.prepare(command);
                    // The others look at messages without what a page shows.
                    if script.ends_with("evidence.js") {
                        command.env("K6_BROWSER_SCREENSHOT_ON_FAILURE", pictures.path().join("shots"));
                    }
                });
                machine.check_nothing_left();
            })
        })
    };
    engines().flat_map(of).collect()
}

/// The browser of this machine, and a folder for what it writes.
struct Machine {
    browser: PathBuf,
    temporary: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let browser = program(&["chromium", "chromium-browser", "google-chrome", "chrome"], "Debian: chromium");
        Self { browser, temporary: tempfile::tempdir().unwrap() }
    }

    fn prepare(&self, command: &mut Command) {
        command
            .env("K6_BROWSER_EXECUTABLE_PATH", &self.browser)
            .env(
                "K6_BROWSER_ARGS",
                "no-sandbox,disable-gpu,disable-component-update,host-resolver-rules=MAP * 127.0.0.1",
            )
            .env("TMPDIR", self.temporary.path())
            .args(["-e", &format!("PAGES={}", pages())])
            .args(["-e", &format!("URL={}", server::url())])
            .args(["-e", &format!("TMP={}", self.temporary.path().display())]);
    }

    /// A run of a script of one file.
    fn start(&self, text: &str, args: &[&str]) -> (tempfile::TempDir, Running) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script.js"), text).unwrap();
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--no-color", "--log-format=json", "--js-engine", engine()]).args(args);
        self.prepare(&mut command);
        let running = Running::start(command.arg("script.js"));
        (folder, running)
    }

    /// Processes that name the folder; those of Chromium that are no children of another one, if so wished.
    fn processes(&self, only_first: bool) -> Vec<i32> {
        let folder = self.temporary.path().as_os_str().as_encoded_bytes().to_vec();
        let is_one = |line: &[u8]| {
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            let names = |part: &[u8]| line.windows(part.len()).any(|window| window == part);
            names(&folder) && !(only_first && (names(b"--type=") || words[0].ends_with(b"sh")))
        };
        let all = fs::read_dir("/proc").unwrap().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(|pid| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| is_one(&line))).collect()
    }

    fn check_nothing_left(&self) {
        let begun = Instant::now();
        let left = || (self.processes(false), fs::read_dir(self.temporary.path()).unwrap().count());
        while left() != (Vec::new(), 0) {
            assert!(begun.elapsed() < PATIENCE, "processes and files are left: {:?}", left());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The address of the pages: `browser/pages/NAME.html` is `/NAME`.
fn pages() -> String {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| format!("http://{}", server::serve(converse)));
    ADDRESS.clone()
}

fn converse(mut stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
        }
        let target = line.split_whitespace().nth(1).unwrap_or("/");
        let name = target.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
        let page = fs::read(folder().join("pages").join(format!("{name}.html")));
        let (status, body) = match (name, page) {
            (_, Ok(body)) => ("200 OK", body),
            ("favicon.ico", _) => ("204 No Content", Vec::new()),
            _ => ("404 Not Found", b"<title>Missing</title>nothing here".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)?;
    }
}

/// A scenario with a browser, and a function that opens a page and waits.
const WAITS: &str = "import { browser } from 'k6/browser';
    export const options = { scenarios: { ui: { executor: 'per-vu-iterations', iterations: 2, options: { browser: { type: 'chromium' } } } } };
    export default async function () {
      const page = await browser.newPage();
      await page.goto(`${__ENV.PAGES}/home`);
      console.log('there', __ITER);
      if (__ITER === 1) return;
      await page.waitForTimeout(60000);
      console.log('not reached');
    }";

#[test]
fn the_report_shows_vitals_and_pages_whose_actions_failed() {
    let machine = Machine::new();
    let script = WAITS.replace("await page.waitForTimeout(60000);", "await page.click('#nowhere', { timeout: 200 });");
    let (folder, running) = {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script.js"), script).unwrap();
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--no-color", "--log-format=json", "--js-engine", engine()]);
        command.args(["--report", "report.html", "--summary-json", "summary.json"]);
        machine.prepare(command.env("K6_BROWSER_SCREENSHOT_ON_FAILURE", "shots"));
        let running = Running::start(command.arg("script.js"));
        (folder, running)
    };
    let outcome = running.end();
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let text = fs::read_to_string(folder.path().join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    let failed = summary["pages"]["failed_actions"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let message = failed[0]["message"].as_str().unwrap();
    assert_eq!(message, "clicking on \"#nowhere\": timed out after 200ms: no element matches #nowhere");
    let picture = fs::read(folder.path().join(failed[0]["path"].as_str().unwrap())).unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
    let vitals = summary["pages"]["vitals"].as_array().unwrap();
    let fcp = vitals.iter().find(|vital| vital["name"] == "FCP").unwrap();
    assert!(fcp["count"].as_u64() >= Some(1), "{fcp}");
    assert!(fcp["p(75)"].as_f64().unwrap() > 0.0 && fcp["rating"].is_string(), "{fcp}");
    // The page has the picture in it.
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("data:image/png;base64,iVBOR"), "the picture is not in the page");
    assert!(!text.contains("data:image/png"));
    machine.check_nothing_left();
}

#[test]
fn nothing_outlives_a_run_that_is_killed() {
    let machine = Machine::new();
    let (_folder, running) = machine.start(WAITS, &[]);
    running.wait_for("there 0");
    assert!(!machine.processes(false).is_empty(), "there is no browser");
    running.kill();
    running.end();
    machine.check_nothing_left();
}

#[test]
fn nothing_outlives_a_run_that_is_interrupted() {
    let machine = Machine::new();
    let (_folder, running) = machine.start(WAITS, &[]);
    running.wait_for("there 0");
    running.interrupt();
    assert_eq!(running.end().code, 105);
    machine.check_nothing_left();
}

#[test]
fn a_browser_that_crashes_costs_one_iteration() {
    let machine = Machine::new();
    let (_folder, running) = machine.start(WAITS, &[]);
    running.wait_for("there 0");
    for pid in machine.processes(true) {
        // SAFETY: `kill` only takes numbers; the process names a folder of this test.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
    let outcome = running.end();
    assert!(outcome.stderr.contains("Uncaught (in promise) the browser has gone"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("there 1") && !outcome.stderr.contains("not reached"), "{}", outcome.stderr);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    machine.check_nothing_left();
}

#[test]
fn the_browser_of_a_machine_without_one_is_told() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.js"), WAITS).unwrap();
    let mut command = volley(folder.path());
    command.args(["run", "--quiet", "--no-color", "--js-engine", engine(), "script.js"]);
    let outcome = crate::program::run(command.env("PATH", machine.temporary.path()));
    assert_eq!(outcome.code, 108, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("apt-get install chromium"), "{}", outcome.stderr);
}
