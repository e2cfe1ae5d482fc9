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
//! // no log: text                      no other log line contains this
//! ```
//!
//! `...` is a hole in a text. Scripts find the server's URL in `__ENV.URL`, those below `grpc/` that of `grpc.rs` in
//! `__ENV.GRPC`. `VOLLEY_TEST_JS=k6/http cargo test js::` runs
//! only what has this in its path.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::Value;

use crate::pattern::matches;
use crate::program::{Outcome, run, volley};
use crate::{grpc, server};

#[cfg(feature = "quickjs")]
#[test]
fn on_quickjs() {
    run_all("quickjs");
}

#[cfg(feature = "boa")]
#[test]
fn on_boa() {
    run_all("boa");
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
        if !complaints.is_empty() {
            complaints.extend(logs.iter().map(|line| format!("log: {line}")));
        }
        complaints
    }
}

fn scripts() -> Vec<PathBuf> {
    let only = std::env::var("VOLLEY_TEST_JS").unwrap_or_default();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js")];
    let mut scripts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of tests can be read") {
            let path = entry.expect("a folder of tests can be read").path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "data") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "js" || end == "ts")
                && path.to_string_lossy().contains(&only)
            {
                scripts.push(path);
            }
        }
    }
    assert!(!scripts.is_empty(), "no script has `{only}` in its path");
    scripts.sort();
    scripts
}

fn run_all(engine: &str) {
    let scripts = Mutex::new(scripts().into_iter());
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(script) = scripts.lock().expect("nobody panicked").next() else { break };
                    if let Some(failure) = run_one(engine, &script) {
                        failures.lock().expect("nobody panicked").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("nobody panicked");
    assert!(failures.is_empty(), "{} scripts failed on {engine}\n{}", failures.len(), failures.join("\n"));
}

fn run_one(engine: &str, script: &Path) -> Option<String> {
    let wishes = Wishes::read(&fs::read_to_string(script).expect("a script can be read"));
    let folder = script.parent().expect("a script is in a folder");
    let mut command = volley(folder);
    command.args(["run", "--quiet", "--no-color", "--log-format=json", "--js-engine", engine]);
    command.arg("-e").arg(format!("URL={}", server::url())).args(&wishes.args).arg(script.file_name()?);
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
    command.envs(wishes.env.iter().map(|(name, value)| (name, value)));
    let complaints = wishes.complaints(&run(&mut command));
    (!complaints.is_empty()).then(|| format!("{}\n  {}", script.display(), complaints.join("\n  ")))
}
