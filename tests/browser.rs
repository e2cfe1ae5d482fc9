//! `k6/browser` with a Chromium of this machine: every script of `browser/` runs on every engine and does what its head says (as
//! those of `js/`), and nothing is left behind, whatever ends a run. Scripts find pages at `__ENV.PAGES`; `sites*.js` use a browser
//! that was there before, at `__ENV.BROWSER`.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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
                // Sites are kept apart only in browsers that volley has not started.
                let name = script.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let other = name.starts_with("sites").then(|| OtherBrowser::start(&machine));
                js::run_script(engine, &script, |command| {
                    machine.prepare(command);
                    // The others look at messages without what a page shows.
                    if script.ends_with("evidence.js") {
                        command.env("K6_BROWSER_SCREENSHOT_ON_FAILURE", pictures.path().join("shots"));
                    }
                    if let Some(other) = &other {
                        command.env("K6_BROWSER_WS_URL", &other.url).args(["-e", &format!("BROWSER={}", other.url)]);
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

    /// Processes whose command line names the folder after `before`.
    fn processes(&self, before: &[u8]) -> Vec<i32> {
        let needle = [before, self.temporary.path().as_os_str().as_encoded_bytes()].concat();
        let is_one = |line: &[u8]| line.windows(needle.len()).any(|window| window == needle);
        pids().filter(|pid| is_one(&command_line(*pid))).collect()
    }

    /// Browsers that volley has started: neither the shells they are started by nor their own children.
    fn browsers(&self) -> Vec<i32> {
        let is_first = |pid: &i32| {
            let line = command_line(*pid);
            let mut words = line.split(|byte| *byte == 0);
            !words.next().is_some_and(|program| program.ends_with(b"sh"))
                && !words.any(|word| word.starts_with(b"--type="))
        };
        self.processes(b"--user-data-dir=").into_iter().filter(is_first).collect()
    }

    fn check_nothing_left(&self) {
        let begun = Instant::now();
        let left = || (self.processes(b""), fs::read_dir(self.temporary.path()).unwrap().count());
        while left() != (Vec::new(), 0) {
            assert!(begun.elapsed() < PATIENCE, "processes and files are left: {:?}", left());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn pids() -> impl Iterator<Item = i32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn command_line(pid: i32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

/// A browser that volley has not started.
struct OtherBrowser {
    child: Child,
    url: String,
    _profile: tempfile::TempDir,
}

impl OtherBrowser {
    fn start(machine: &Machine) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(&machine.browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-component-update", "--no-first-run"]);
        command.args(["--host-resolver-rules=MAP * 127.0.0.1", "--remote-debugging-port=0", "--site-per-process"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.find_map(|line| Some(line.strip_prefix("DevTools listening on ")?.to_owned()));
        // It must not write into a pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: said.expect("the browser says where it listens"), _profile: profile }
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for OtherBrowser {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The address of the pages: `browser/pages/NAME.html` is `/NAME`; `/held` answers late.
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
            ("held", _) => ("200 OK", held()),
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

/// A moment that passes before a response; it says how long that was by the clock here, in milliseconds.
fn held() -> Vec<u8> {
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(300));
    format!("{}", begun.elapsed().as_secs_f64() * 1000.0).into_bytes()
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
    assert!(!machine.browsers().is_empty(), "there is no browser");
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
    let browsers = machine.browsers();
    assert!(!browsers.is_empty(), "there is no browser");
    for pid in browsers {
        // SAFETY: `kill` only takes numbers; the process names a folder of this test.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
    let outcome = running.end();
    assert!(outcome.stderr.contains("Uncaught (in promise) the browser has gone"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("there 1") && !outcome.stderr.contains("not reached"), "{}", outcome.stderr);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    machine.check_nothing_left();
}

/// Scripts that use a browser which is there already.
const CONNECTS: &str = "import { chromium } from 'k6/browser';
    export default async function () {
      const browser = await chromium.connectOverCDP(__ENV.BROWSER);
      console.log('connected', browser.isConnected());
      const page = await browser.newPage();
      await page.goto(`${__ENV.PAGES}/home`);
      console.log('title', await page.title());
      await browser.close();
      console.log('connected', browser.isConnected());
      for (const url of [undefined, '', 'nonsense', 'http://127.0.0.1:1/x', `${__ENV.PAGES}/home`, 'ws://127.0.0.1:1/x', `${__ENV.PAGES}/x`.replace('http', 'ws')]) {
        try {
          await chromium.connectOverCDP(url);
          console.log('no error');
        } catch (error) {
          console.log(`error: ${error}`);
        }
      }
    }";

#[test]
fn a_browser_that_was_there_before_is_used_and_left_running() {
    let machine = Machine::new();
    let mut other = OtherBrowser::start(&machine);
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let run = |script: &str, args: &[&str], remote: Option<&str>| {
            fs::write(folder.path().join("script.js"), script).unwrap();
            let mut command = volley(folder.path());
            command.args(["run", "--quiet", "--no-color", "--log-format=raw", "--js-engine", engine]).args(args);
            machine.prepare(&mut command);
            command.envs(remote.map(|url| ("K6_BROWSER_WS_URL", url)));
            crate::program::run(command.arg("script.js"))
        };
        let outcome = run(CONNECTS, &["-e", &format!("BROWSER={}", other.url)], None);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let said: Vec<&str> = outcome.stderr.lines().filter(|line| !line.trim().is_empty()).take(10).collect();
        let failed = |reason: &str| format!("error: connecting to Chromium over CDP: {reason}");
        let expect = [
            "connected true".to_owned(),
            "title Home".to_owned(),
            "connected false".to_owned(),
            failed("WebSocket endpoint cannot be empty"),
            failed("WebSocket endpoint cannot be empty"),
            failed("malformed ws or wss URL"),
            failed(r#"Get "http://127.0.0.1:1/x/json/version": dial tcp 127.0.0.1:1: connect: connection refused"#),
            failed(&format!("asking {}/home/json/version where its socket is: the response has status 404", pages())),
            failed("dial tcp 127.0.0.1:1: connect: connection refused"),
            failed("websocket: bad handshake"),
        ];
        assert_eq!(said, expect, "{}", outcome.stderr);
        assert!(other.is_running(), "the browser was ended by connectOverCDP's close");

        let shared = WAITS.replace("await page.waitForTimeout(60000);", "return;");
        // The address of its server will do, too.
        let server = other.url.replace("ws://", "http://");
        let server = &server[..server.find("/devtools").expect("the socket has a path")];
        let outcome = run(CONNECTS, &["-e", &format!("BROWSER={server}")], None);
        assert!(outcome.stderr.contains("title Home"), "{}", outcome.stderr);
        let outcome = run(&shared, &[], Some(server));
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("there 1"), "{}", outcome.stderr);
        let outcome = run(&shared, &[], Some(&other.url));
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("there 0") && outcome.stderr.contains("there 1"), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("setting K6_BROWSER_ARGS option is disallowed when browser is remote"),
            "{}",
            outcome.stderr
        );
        assert!(other.is_running(), "the browser was ended with the run");

        for (url, reason) in [
            ("http://127.0.0.1:1", r#"Get "http://127.0.0.1:1/json/version": dial tcp"#),
            ("ftp://127.0.0.1:1", "malformed ws or wss URL"),
            ("ws://127.0.0.1:1/x", "dial tcp 127.0.0.1:1: connect: connection refused"),
        ] {
            let outcome = run(&shared, &[], Some(url));
            assert_eq!(outcome.code, 108, "{}", outcome.stderr);
            let error =
                "error building browser on IterStart: connecting to browser: connecting to browser DevTools URL";
            assert!(outcome.stderr.contains(&format!("{error}: {reason}")), "{}", outcome.stderr);
            // The iteration is interrupted; the script sees no error of its own.
            assert!(!outcome.stderr.contains("Uncaught"), "{}", outcome.stderr);
        }
    }
    machine.check_nothing_left();
}

#[test]
fn messages_are_logged_for_who_asks_for_them() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    let script =
        WAITS.replace("await page.waitForTimeout(60000);", "await page.evaluate((text) => text, 'x'.repeat(9000));");
    fs::write(folder.path().join("script.js"), script).unwrap();
    let run = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--no-color", "--log-format=json", "--js-engine", engine()]).args(args);
        machine.prepare(&mut command);
        let outcome = crate::program::run(command.envs(env.iter().copied()).arg("script.js"));
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let lines = outcome.stderr.lines().filter_map(|line| serde_json::from_str(line).ok());
        let lines: Vec<serde_json::Value> =
            lines.filter(|line: &serde_json::Value| line["source"] == "browser").collect();
        lines
    };
    let has = |lines: &[serde_json::Value], category: &str, text: &str| {
        lines.iter().any(|line| line["category"] == category && line["msg"].as_str().unwrap().contains(text))
    };
    let lines = run(&["--verbose"], &[("K6_BROWSER_DEBUG", "true")]);
    assert!(has(&lines, "cdp:send", r#""method":"Page.navigate""#), "{lines:?}");
    assert!(has(&lines, "cdp:recv", r#""method":"Page.frameNavigated""#), "{lines:?}");
    assert!(has(&lines, "cdp:send", "xxx... ("), "{lines:?}");
    let lines = run(&["--verbose"], &[("K6_BROWSER_DEBUG", "true"), ("K6_BROWSER_LOG", "send$")]);
    assert!(has(&lines, "cdp:send", "Page.navigate") && !has(&lines, "cdp:recv", ""), "{lines:?}");
    // Nobody sees them who did not ask.
    assert!(run(&["--verbose"], &[]).is_empty());
    assert!(run(&[], &[("K6_BROWSER_DEBUG", "true")]).is_empty());
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
