//! Runs `cli/*/`: every folder is a case, a command line and what comes of it.
//!
//! ```text
//! cmd             the command line, beginning with `volley` or `k6`; {dir} is a fresh folder with the case's files, in
//!                 which the command runs, {url} the test server; lines before the last one prepare, and end with 0
//! env             variables, NAME=value
//! interrupt       a text; SIGINT is sent once it was said
//! expect.exit     the exit code, 0 if there is no such file
//! expect.stdout   parts of lines that appear in this order; `...` is a hole
//! expect.stderr   the same; a line that begins with `!` appears nowhere
//! expect.files    lines `NAME json|ndjson|text PART...`: files that are there, whole, and have this part
//! strict.*        the same for the same command with --strict-k6, run only where there is a strict.exit
//! ```
//!
//! A test is named like `cli::new-existing`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::harness::trial;
use crate::pattern::missing;
use crate::program::{self, Outcome, Running};
use crate::server;

/// A test for every case whose engine is in this build.
pub fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let entries = fs::read_dir(&folder).expect("the folder of cases can be read");
    let cases: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder of cases can be read").path()).collect();
    assert!(cases.len() >= 60, "cases are missing");
    let name = |case: &Path| format!("cli::{}", case.file_name().expect("a case has a name").display());
    cases.into_iter().filter(|case| is_possible(case)).map(|case| trial(name(&case), move || check(&case))).collect()
}

/// Whether the engine a case names is in this build; what it says about engines nobody knows holds in any.
fn is_possible(case: &Path) -> bool {
    let cmd = fs::read_to_string(case.join("cmd")).unwrap_or_default();
    let named =
        |engine: &str| cmd.contains(&format!("--js-engine {engine}")) || cmd.contains(&format!("--js-engine={engine}"));
    let mut missing = ["quickjs", "boa"].into_iter().filter(|engine| program::engines().all(|known| known != *engine));
    !missing.any(named)
}

/// Runs one case, and again as k6 if it says what then happens.
fn check(case: &Path) {
    let readings: &[&str] = if case.join("strict.exit").exists() { &["expect", "strict"] } else { &["expect"] };
    let failures: Vec<_> = readings.iter().filter_map(|reading| failure(case, reading)).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

fn failure(case: &Path, reading: &str) -> Option<String> {
    let said = |end: &str| fs::read_to_string(case.join(format!("{reading}.{end}"))).unwrap_or_default();
    let dir = tempfile::tempdir().expect("a folder can be made");
    for entry in fs::read_dir(case).expect("a case can be read") {
        let from = entry.expect("a case can be read").path();
        fs::copy(&from, dir.path().join(from.file_name()?)).expect("a file can be copied");
    }
    let outcome = run(case, reading, dir.path());
    let mut complaints = Vec::new();
    let exit = said("exit").trim().parse().unwrap_or(0);
    if outcome.code != exit {
        complaints.push(format!("exit code {} instead of {exit}", outcome.code));
    }
    for (name, stream) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
        let expected = said(name);
        let (refused, wanted): (Vec<_>, Vec<_>) = expected.lines().partition(|line| line.starts_with('!'));
        for line in missing(&wanted.join("\n"), stream) {
            complaints.push(format!("{name} has no `{line}` (here)"));
        }
        for line in refused.iter().map(|line| &line[1..]).filter(|line| stream.contains(line)) {
            complaints.push(format!("{name} has `{line}`"));
        }
    }
    for line in said("files").lines() {
        complaints.extend(file_complaint(dir.path(), line));
    }
    let Outcome { stdout, stderr, .. } = outcome;
    let name = case.file_name()?.display();
    (!complaints.is_empty()).then(|| {
        format!("cli/{name} ({reading}): {}\n--- stdout\n{stdout}\n--- stderr\n{stderr}", complaints.join("; "))
    })
}

fn run(case: &Path, reading: &str, dir: &Path) -> Outcome {
    let lines = fs::read_to_string(case.join("cmd")).expect("a case has a cmd");
    let lines = lines.replace("{dir}", &dir.display().to_string()).replace("{url}", &server::url());
    let (first, line) = lines.trim_end().rsplit_once('\n').unwrap_or(("", &lines));
    for line in first.lines() {
        let outcome = program::run(&mut command(case, line, dir));
        assert_eq!(outcome.code, 0, "{}: {line}\n{}", case.display(), outcome.stderr);
    }
    let mut command = command(case, line, dir);
    if reading == "strict" {
        command.arg("--strict-k6");
    }
    for line in fs::read_to_string(case.join("env")).unwrap_or_default().lines() {
        command.envs(line.split_once('='));
    }
    match fs::read_to_string(case.join("interrupt")) {
        Ok(text) if reading == "expect" => interrupted(&mut command, text.trim()),
        _ => program::run(&mut command),
    }
}

fn command(case: &Path, line: &str, dir: &Path) -> Command {
    let mut words = words(line).into_iter();
    let mut command = match words.next().as_deref() {
        Some("volley") => program::volley(dir),
        // The name a CI job may know it by.
        Some("k6") => {
            let link = dir.join("k6");
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_volley"), &link).expect("a link can be made");
            program::command(&link, dir)
        }
        other => panic!("{}: a cmd begins with volley or k6, not {other:?}", case.display()),
    };
    command.args(words);
    command
}

fn interrupted(command: &mut Command, text: &str) -> Outcome {
    let running = Running::start(command);
    running.wait_for(text);
    running.interrupt();
    running.end()
}

/// Splits like a shell that knows only blanks and single quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    for c in line.chars() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn file_complaint(dir: &Path, line: &str) -> Option<String> {
    let mut words = line.splitn(3, ' ');
    let (name, kind, part) = (words.next()?, words.next()?, words.next().unwrap_or_default());
    let Ok(text) = fs::read_to_string(dir.join(name)) else { return Some(format!("there is no file `{name}`")) };
    let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    let is_whole = match kind {
        "json" => is_json(&text),
        "ndjson" => text.ends_with('\n') && text.lines().all(is_json),
        _ => true,
    };
    if !is_whole {
        return Some(format!("`{name}` is not whole {kind}"));
    }
    (!missing(part, &text).is_empty()).then(|| format!("`{name}` has no `{part}`"))
}

#[test]
fn a_line_has_words() {
    let check = |line, expect: &[&str]| assert_eq!(words(line), expect, "{line}");
    check("a  b\n", &["a", "b"]);
    check("a 'b c' d='e f'", &["a", "b c", "d=e f"]);
    check("a ''", &["a", ""]);
}
