//! Writing a script: `new` gives one that runs, `--watch` runs it again after every change.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::pattern::missing;
use crate::program::{self, Running, run, volley};
use crate::server;

fn folder(script: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("script.js"), script).expect("a file can be written");
    folder
}

#[test]
fn new_scripts_run_against_the_target() {
    let address = format!("127.0.0.1:{}", crate::peers::free_port());
    let target = Running::start(volley(Path::new("/")).args(["target", "--listen", &address, "--db-latency=0ms"]));
    target.wait_for("listening on");
    let base = format!("BASE_URL=http://{address}");
    for template in ["minimal", "protocol"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let made = run(volley(folder.path()).args(["new", "--template", template, "mine.js"]));
        assert_eq!(made.stdout, format!("New script created: mine.js ({template} template).\n"));
        for engine in program::engines() {
            let args = ["run", "--quiet", "--js-engine", engine, "-e", &base, "--vus=1", "--iterations=2", "mine.js"];
            let outcome = run(volley(folder.path()).args(args));
            assert_eq!(outcome.code, 0, "{template} {engine}\n{}", outcome.stderr);
            let all = "checks_succeeded...: 100.00%";
            assert_eq!(missing(all, &outcome.stdout), [""; 0], "{template} {engine}\n{}", outcome.stdout);
            assert_eq!(missing("http_req_failed...: 0.00%", &outcome.stdout), [""; 0], "{}", outcome.stdout);
        }
    }
    target.interrupt();
    assert_eq!(target.end().code, 0);
}

#[test]
fn a_watched_script_runs_again_after_each_change() {
    for engine in program::engines() {
        let folder = folder(&format!(
            "import http from 'k6/http';
            import {{ check }} from 'k6';
            import {{ word }} from './part.js';
            export const options = {{
                scenarios: {{ far: {{
                    executor: 'constant-vus', vus: 50, duration: '10m', exec: 'visit', env: {{ WHERE: 'here' }},
                }} }},
                thresholds: {{ checks: ['rate==1'] }},
            }};
            const data = open('data.txt');
            export function visit() {{
                console.log(word, data, __ENV.WHERE);
                check(http.get('{}/text'), {{ good: (r) => r.status === 200, bad: () => false }});
            }}",
            server::url()
        ));
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("can be written");
        write("part.js", "export const word = 'one';");
        write("data.txt", "first");
        let mut command = volley(folder.path());
        command.args([
            "run",
            "--watch",
            "--log-format=raw",
            "--console-output=console.log",
            "--js-engine",
            engine,
            "script.js",
        ]);
        let running = Running::start(&mut command);
        let settled = |number: u32| {
            running.wait_for(&format!("--- run {number}: script.js"));
            running.wait_for("--- watching");
        };
        settled(1);
        write("part.js", "export const word = 'two';");
        settled(2);
        write("data.txt", "second");
        settled(3);
        write("part.js", "export const word = ;");
        settled(4);
        // As editors save: another file, put in its place.
        write("part.js~", "export const word = 'three';");
        fs::rename(folder.path().join("part.js~"), folder.path().join("part.js")).expect("a file can be renamed");
        settled(5);
        running.interrupt();
        let outcome = running.end();
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert_eq!(missing("...SyntaxError...", &outcome.stderr), [""; 0], "{}", outcome.stderr);
        let said = fs::read_to_string(folder.path().join("console.log")).expect("the console has a file");
        assert_eq!(said, "one first here\ntwo first here\ntwo second here\nthree second here\n");
        let shown = "...GET...text -> 200 in ...\n...✓ good\n...✗ bad\n--- watching 3 files...\n--- run 2...";
        assert_eq!(missing(shown, &outcome.stdout), [""; 0], "{}", outcome.stdout);
        assert!(!outcome.stderr.contains("thresholds"), "{}", outcome.stderr);
    }
}
