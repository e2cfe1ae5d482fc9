//! Runs `js/**.js` and `js/**.ts`: every file outside folders called `data` is a test, and runs on every engine of the
//! build.
//!
//! A file says what it expects in the comment it begins with, one wish per line, besides plain sentences:
//!
//! ```text
//! // args: --vus 2 --iterations 4      arguments of `run`
//! // env: NAME=value                   a variable of the process
//! // exit: 0                           the exit code, 0 if not said
//! // console: text                     what the script logs, line by line, complete and in order
//! // log: text                         some other log line contains this
//! // once: text                     exactly one other log line contains this
//! // hint: text                     the hint of some log line contains this
//! // no log: text                      no other log line contains this
//! ```
//!
//! `...` is a hole in a text. Scripts find the server's URL in `__ENV.URL`, those below `grpc/` that of `grpc.rs` in
//! `__ENV.GRPC`. A test is named like `js::quickjs::k6/http/batch.js`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::harness::trial;
use crate::pattern::matches;
use crate::program::{Outcome, engines, run, volley};
use crate::{grpc, server};

/// A test for every script and engine.
pub fn trials() -> Vec<Trial> {
    let root = root();
    let scripts = scripts();
    let of = |engine: &'static str| {
        let root = &root;
        scripts.iter().map(move |script| {
            let inside = script.strip_prefix(root).expect("a script is below the root");
            let script = script.clone();
            trial(format!("js::{engine}::{}", inside.display()), move || run_one(engine, &script))
        })
    };
    engines().flat_map(of).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js")
}

/// What a script's head comment asks for.
#[derive(Default)]
struct Wishes {
    args: Vec<String>,
    env: Vec<(String, String)>,
    exit: i32,
    console: Vec<String>,
    logs: Vec<String>,
    refused_logs: Vec<String>,
    logged_once: Vec<String>,
    hints: Vec<String>,
}

impl Wishes {
    fn read(script: &str) -> Self {
        let mut wishes = Self::default();
        let head = script.lines().map_while(|line| line.strip_prefix("//"));
        for (name, value) in head.filter_map(|line| line.trim_start().split_once(':')) {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "args" => wishes.args.extend(value.split_whitespace().map(str::to_owned)),
                "env" => wishes.env.extend(value.split_once('=').map(|(name, value)| (name.into(), value.into()))),
                "exit" => wishes.exit = value.trim().parse().expect("an exit code is a number"),
                "console" => wishes.console.push(value.to_owned()),
                "no log" => wishes.refused_logs.push(value.to_owned()),
                "log" => wishes.logs.push(value.to_owned()),
                "once" => wishes.logged_once.push(value.to_owned()),
                "hint" => wishes.hints.push(value.to_owned()),
                _ => (),
            }
        }
        wishes
    }

    /// What went another way, in lines.
    fn complaints(&self, outcome: &Outcome) -> Vec<String> {
        let mut complaints = Vec::new();
        if outcome.code != self.exit {
            complaints.push(format!("exit code {} instead of {}", outcome.code, self.exit));
        }
        let lines: Vec<Value> = outcome.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let message = |line: &Value| line["msg"].as_str().unwrap_or_default().to_owned();
        let (console, logs): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line["source"] == "console");
        let console: Vec<_> = console.into_iter().map(message).collect();
        let same = console.len() == self.console.len()
            && self.console.iter().zip(&console).all(|(expected, line)| matches(expected, line));
        if !same {
            complaints.push(format!(
                "console\n    {}\n  instead of\n    {}",
                console.join("\n    "),
                self.console.join("\n    ")
            ));
        }
        let is_logged = |text: &str| logs.iter().any(|line| matches(&format!("...{text}..."), &message(line)));
        for refused in self.refused_logs.iter().filter(|text| is_logged(text)) {
            complaints.push(format!("a log line has `{refused}`"));
        }
        for expected in &self.logs {
            if !is_logged(expected) {
                complaints.push(format!("no log line has `{expected}`"));
            }
        }
        for expected in &self.logged_once {
            let count = logs.iter().filter(|line| matches(&format!("...{expected}..."), &message(line))).count();
            if count != 1 {
                complaints.push(format!("{count} log lines have `{expected}`"));
            }
        }
        let is_hinted = |text: &str| {
            logs.iter().any(|line| matches(&format!("...{text}..."), line["hint"].as_str().unwrap_or_default()))
        };
        for expected in self.hints.iter().filter(|text| !is_hinted(text)) {
            complaints.push(format!("no hint has `{expected}`"));
        }
        if !complaints.is_empty() {
            complaints.extend(logs.iter().map(|line| format!("log: {line}")));
        }
        complaints
    }
}

fn scripts() -> Vec<PathBuf> {
    let mut folders = vec![root()];
    let mut scripts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of tests can be read") {
            let path = entry.expect("a folder of tests can be read").path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "data") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "js" || end == "ts") {
                scripts.push(path);
            }
        }
    }
    assert!(scripts.len() >= 100, "scripts are missing");
    scripts
}

fn run_one(engine: &str, script: &Path) {
    let wishes = Wishes::read(&fs::read_to_string(script).expect("a script can be read"));
    let folder = script.parent().expect("a script is in a folder");
    let mut command = volley(folder);
    command.args(["run", "--quiet", "--no-color", "--log-format=json", "--js-engine", engine]);
    command.arg("-e").arg(format!("URL={}", server::url())).args(&wishes.args);
    command.arg(script.file_name().expect("a script has a name"));
    if script.to_string_lossy().contains("/grpc/") {
        let grpc = grpc::addresses();
        let tls = format!("localhost:{}", grpc.tls.port());
        command.args([
            format!("--env=GRPC={}", grpc.plain),
            format!("--env=GRPC_OLD={}", grpc.old),
            format!("--env=GRPC_TLS={tls}"),
            format!("--env=GRPC_CA={}", grpc.authority),
            format!("--env=GRPC_CERT={}", grpc.certificate),
            format!("--env=GRPC_KEY={}", grpc.key),
        ]);
    }
    check(script, &wishes, command);
}

/// Runs a script that is no file of this folder, with what `set_up` gives the command: it has to do what its head says.
pub fn run_script(engine: &str, script: &Path, set_up: impl FnOnce(&mut Command)) {
    let wishes = Wishes::read(&fs::read_to_string(script).expect("a script can be read"));
    let mut command = volley(script.parent().expect("a script is in a folder"));
    command.args(["run", "--quiet", "--no-color", "--log-format=json", "--js-engine", engine]).args(&wishes.args);
    set_up(&mut command);
    command.arg(script.file_name().expect("a script has a name"));
    check(script, &wishes, command);
}

fn check(script: &Path, wishes: &Wishes, mut command: Command) {
    command.envs(wishes.env.iter().map(|(name, value)| (name, value)));
    let complaints = wishes.complaints(&run(&mut command));
    assert!(complaints.is_empty(), "{}\n  {}", script.display(), complaints.join("\n  "));
}
