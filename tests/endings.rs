//! How runs end that are not left to end by themselves: what was promised is on disk, whole, and the exit code is right.
//!
//! Killed, a disk that is full, a reader that has gone, a folder that is read-only, Ctrl+C in every stage.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::pattern::missing;
use crate::program::{self, Running, run, volley};

fn folder(script: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("script.js"), script).expect("a file can be written");
    folder
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assert_whole_json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{} is not whole: {error}", path.display()))
}

/// Every line is whole; how many there are.
fn whole_lines(path: &Path) -> usize {
    let text = read(path);
    assert!(text.is_empty() || text.ends_with('\n'), "the last line of {} is cut", path.display());
    text.lines().for_each(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", path.display()));
    });
    text.lines().count()
}

/// A small file system of its own.
struct Mount(PathBuf);

impl Mount {
    /// Only root may mount.
    fn new(folder: &Path, options: &str) -> Self {
        let at = folder.join("mounted");
        fs::create_dir(&at).expect("a folder can be made");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(&at).output();
        if !mount.is_ok_and(|outcome| outcome.status.success()) {
            crate::harness::missing("a small file system can't be mounted here, run the tests as root for that");
        }
        Self(at)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Writes many samples.
const BUSY: &str = "import { sleep } from 'k6';
    import { Counter } from 'k6/metrics';
    const counter = new Counter('things');
    export const options = { vus: 2, duration: __ENV.LONG || '10m' };
    export default function () {
        for (let i = 0; i < 200; i++) counter.add(1, { which: String(i) });
        console.log('iterates');
        sleep(0.01);
    }";

#[test]
fn a_run_that_is_killed_leaves_what_was_there_and_whole_lines() {
    for engine in program::engines() {
        let folder = folder(BUSY);
        let summary = folder.path().join("summary.json");
        fs::write(&summary, "{\"from\": \"the run before\"}").expect("a file can be written");
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--log-format=raw", "--js-engine", engine, "-o", "json=points.json"]);
        let running = Running::start(command.args(["--summary-export=summary.json", "script.js"]));
        let points = folder.path().join("points.json");
        while fs::metadata(&points).map_or(0, |known| known.len()) < 100_000 {
            running.wait_for("iterates");
        }
        running.kill();
        assert_eq!(running.end().code, -1);
        assert_eq!(assert_whole_json(&summary)["from"], "the run before");
        // A kill may come in the middle of a write: all lines but the last are whole.
        let text = read(&points);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        assert!(whole.lines().count() > 100);
        assert!(whole.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("the folder can be read")
            .map(|entry| entry.expect("the folder can be read").file_name().into_string().expect("a plain name"))
            .collect();
        left.sort();
        assert_eq!(left, ["points.json", "script.js", "summary.json"]);
    }
}

#[test]
fn a_full_disk_ends_an_output_but_not_the_run() {
    for engine in program::engines() {
        let folder = folder(BUSY);
        let mount = Mount::new(folder.path(), "size=256k");
        let summary = mount.0.join("summary.json");
        fs::write(&summary, "{\"from\": \"the run before\"}").expect("a file can be written");
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--js-engine", engine, "-e", "LONG=2s", "-o", "json=mounted/points.json"]);
        command.args(["-o", "json=points.json", "--console-output=console.log"]);
        let outcome = run(command.args(["--summary-export=mounted/summary.json", "script.js"]));
        // As in k6, what can't be written is an error line, and the exit code is that of the test.
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("no space left on device"), "{}", outcome.stderr);
        let told = outcome.stderr.lines().filter(|line| line.contains("level=error")).count();
        assert!((1..=2).contains(&told), "{}", outcome.stderr);
        assert!(whole_lines(&mount.0.join("points.json")) > 100);
        // The other output has everything.
        assert!(whole_lines(&folder.path().join("points.json")) > whole_lines(&mount.0.join("points.json")));
        // The summary is the new one or the old one, and whole.
        assert_whole_json(&summary);
        assert!(outcome.stdout.contains("things"), "{}", outcome.stdout);
    }
}

#[test]
fn a_full_disk_takes_no_line_with_it_and_no_old_file() {
    let folder = folder(
        "export const options = { iterations: 400 };
        export default function () { console.log('line ' + __ITER + ' ' + 'x'.repeat(200)); }
        export function handleSummary() {
            return { 'mounted/kept.txt': 'y'.repeat(100000), 'fine.txt': 'fine', stdout: 'the end\\n' };
        }",
    );
    let mount = Mount::new(folder.path(), "size=32k");
    for name in ["kept.txt", "kept.tar"] {
        fs::write(mount.0.join(name), "old").expect("a file can be written");
    }
    let lines = |text: &str| text.lines().filter(|line| line.contains("line ")).count();
    for args in [["--console-output=mounted/lines.log"], ["--log-output=file=mounted/lines.log"]] {
        let outcome =
            run(volley(folder.path()).args(["run", "-q", "-o", "csv=mounted/points.csv"]).args(args).arg("script.js"));
        assert_eq!(outcome.code, 0, "{args:?} {}", outcome.stderr);
        // What did not fit is on the terminal; the line at the border may be on both.
        let kept = lines(&read(&mount.0.join("lines.log")));
        let said = lines(&outcome.stderr);
        assert!(kept > 10 && said > 10 && (400..=401).contains(&(kept + said)), "{args:?} {kept} {said}");
        assert_eq!(
            (read(&mount.0.join("kept.txt")).as_str(), read(&folder.path().join("fine.txt")).as_str()),
            ("old", "fine")
        );
        assert!(outcome.stdout.contains("the end"), "{}", outcome.stdout);
        let points = read(&mount.0.join("points.csv"));
        assert!(points.is_empty() || points.ends_with('\n'), "the last line is cut");
        fs::remove_file(mount.0.join("points.csv")).expect("a file can be removed");
        fs::write(mount.0.join("filler"), [0; 4096].repeat(8)).expect_err("the disk is full");
        let outcome = run(volley(folder.path()).args(["archive", "-O", "mounted/kept.tar", "script.js"]));
        assert_eq!(outcome.code, 255, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("no space left on device"), "{}", outcome.stderr);
        assert_eq!(read(&mount.0.join("kept.tar")), "old");
        for name in ["filler", "lines.log"] {
            fs::remove_file(mount.0.join(name)).expect("a file can be removed");
        }
    }
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    for engine in program::engines() {
        let folder = folder("export const options = { iterations: 50 }; export default function () {}");
        let mut command = volley(folder.path());
        command.args(["run", "--js-engine", engine, "--summary-export=summary.json", "-o", "json=points.json"]);
        let mut child = command.arg("script.js").stderr(Stdio::null()).spawn().expect("the program starts");
        drop(child.stdout.take());
        let status = child.wait().expect("a child can be waited for");
        assert_eq!(status.code(), Some(0), "{engine}");
        assert_eq!(assert_whole_json(&folder.path().join("summary.json"))["metrics"]["iterations"]["count"], 50);
        assert!(whole_lines(&folder.path().join("points.json")) > 50);
    }
}

#[test]
fn a_read_only_folder_is_told_and_changes_no_exit_code_but_its_own() {
    let folder = folder("export default function () { console.log('ran'); }");
    let mount = Mount::new(folder.path(), "size=64k,ro");
    let script = folder.path().join("script.js").display().to_string();
    let check = |args: &[&str], code: i32, text: &str| {
        let outcome = run(volley(&mount.0).args(args).arg(&script));
        assert_eq!(outcome.code, code, "{args:?} {}", outcome.stderr);
        assert!(outcome.stderr.contains(text), "{args:?}: no `{text}` in {}", outcome.stderr);
        assert_eq!(outcome.stderr.contains("msg=ran"), code == 0, "{args:?} {}", outcome.stderr);
    };
    let refused = "ead-only file";
    check(&["run", "-q", "-o", "json=points.json"], 255, refused);
    check(&["run", "-q", "--console-output=console.log"], 255, refused);
    check(&["run", "-q", "--summary-export=summary.json"], 0, refused);
    check(&["archive"], 255, refused);
    let outcome = run(volley(&mount.0).args(["new", "mine.js"]));
    assert_eq!(outcome.code, 255);
    assert!(outcome.stderr.contains("writing mine.js: read-only file"), "{}", outcome.stderr);
    // Nothing to write, nothing to complain of.
    check(&["run", "-q"], 0, "msg=ran");
}

/// What is said and whether there is a summary when Ctrl+C comes in this stage.
#[test]
fn an_interrupt_in_every_stage() {
    let script = "import { sleep } from 'k6';
        export const options = {
            scenarios: { ramp: {
                executor: 'ramping-vus', startVUs: 1, gracefulRampDown: '60s', gracefulStop: '60s',
                stages: [{ duration: __ENV.STAGE === 'teardown' ? '1s' : '60s', target: 8 }],
            } },
        };
        const stage = (name) => {
            console.log('in ' + name);
            if (__ENV.STAGE === name) sleep(name === 'teardown' ? 1 : 60);
            console.log('end of ' + name);
        };
        export function setup() { stage('setup'); }
        export function teardown() { stage('teardown'); }
        export default function () { stage('ramp'); sleep(0.2); }";
    let check = |name: &str, said: &str, never: &[&str]| {
        for engine in program::engines() {
            let folder = folder(script);
            let mut command = volley(folder.path());
            command.args(["run", "--quiet", "--log-format=raw", "--js-engine", engine, "-e"]);
            command.arg(format!("STAGE={name}")).args(["-o", "json=points.json", "--summary-export=summary.json"]);
            let running = Running::start(command.arg("script.js"));
            running.wait_for(&format!("in {name}"));
            running.interrupt();
            let outcome = running.end();
            assert_eq!(outcome.code, 105, "{name} {engine}\n{}", outcome.stderr);
            let said = format!("{said}\ntest run was aborted because k6 received a 'interrupt' signal");
            assert_eq!(missing(&said, &outcome.stderr), [""; 0], "{name} {engine}\n{}", outcome.stderr);
            for never in never {
                assert!(!outcome.stderr.contains(never), "{name} {engine}: {never}\n{}", outcome.stderr);
            }
            assert_whole_json(&folder.path().join("summary.json"));
            whole_lines(&folder.path().join("points.json"));
        }
    };
    check("setup", "in setup", &["end of setup", "in ramp", "in teardown"]);
    check("ramp", "in setup\nend of setup\nin ramp\nin teardown\nend of teardown", &["end of ramp"]);
    check("teardown", "in setup\nin ramp\nend of ramp\nin teardown\nend of teardown", &[]);
}

#[test]
fn an_interrupt_while_the_script_is_loaded() {
    for engine in program::engines() {
        let folder = folder("console.log('loads'); for (let i = 0; ; i++) Math.sqrt(i); export default function () {}");
        let mut command = volley(folder.path());
        let running = Running::start(command.args(["run", "--js-engine", engine, "script.js"]));
        running.wait_for("loads");
        running.interrupt();
        let outcome = running.end();
        assert_eq!(outcome.code, 105, "{engine} {}", outcome.stderr);
        assert!(outcome.stderr.contains("received a 'interrupt' signal"), "{engine} {}", outcome.stderr);
    }
}

/// A pipeline that takes the first line only.
#[test]
fn a_pipe_that_is_cut_short() {
    let folder = folder("export default function () {}");
    let program = env!("CARGO_BIN_EXE_volley");
    let line =
        format!("'{program}' run --summary-export=summary.json script.js | head -n 1; echo \"${{PIPESTATUS[0]}}\"");
    let outcome = run(program::command(Path::new("bash"), folder.path()).args(["-c", &line]));
    assert_eq!(outcome.stdout.lines().last(), Some("0"), "{}{}", outcome.stdout, outcome.stderr);
    assert_whole_json(&folder.path().join("summary.json"));
}

#[test]
fn without_a_file_left_the_run_stops_and_everything_is_written() {
    let target = crate::server::url();
    for engine in program::engines() {
        let folder = folder(&format!(
            "import http from 'k6/http';
            import {{ sleep }} from 'k6';
            export const options = {{ vus: 250, duration: '1m' }};
            // One after the other, so that most have their answer when the last file is taken.
            export default function () {{ sleep(__VU / 100); http.get('{target}/plain'); sleep(30); }}"
        ));
        let mut command = program::command(Path::new("sh"), folder.path());
        let limited = "ulimit -n 180; exec \"$0\" \"$@\"";
        command.args(["-c", limited, env!("CARGO_BIN_EXE_volley"), "run", "--quiet"]);
        command.args(["--js-engine", engine, "-o", "json=points.json", "--summary-export=summary.json", "script.js"]);
        let outcome = run(&mut command);
        assert_eq!(outcome.code, 255, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("may have 180 files open"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("ulimit -n"), "{}", outcome.stderr);
        assert!(whole_lines(&folder.path().join("points.json")) > 100);
        let summary = assert_whole_json(&folder.path().join("summary.json"));
        assert!(summary["metrics"]["http_reqs"]["count"].as_u64() > Some(50), "{summary}");
    }
}
