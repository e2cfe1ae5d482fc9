//! What outputs and exports do when the disk, the peer or the reader misbehaves: nothing hangs, and what can be had is
//! there, or its lack is told with a number.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::program::{self, Running, run, volley};

const SCRIPT: &str = "export default function () {}";

fn folder(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("script.js"), script).expect("a file can be written");
    folder
}

fn quiet(folder: &Path) -> Command {
    let mut command = volley(folder);
    command.args(["run", "--quiet", "--log-format=raw"]);
    command
}

#[test]
fn a_killed_run_leaves_compressed_outputs_that_can_be_read() {
    let folder = folder(
        "import { sleep } from 'k6';
        export const options = { vus: 2, duration: '30s' };
        export default function () { if (__ITER === 300) console.log('far enough'); sleep(0.01); }",
    );
    for engine in program::engines() {
        let mut command = quiet(folder.path());
        command.args(["--js-engine", engine, "-o", "json=plain.json", "-o", "json=a.json.gz", "-o", "csv=a.csv.gz"]);
        let running = Running::start(command.arg("script.js"));
        running.wait_for("far enough");
        running.kill();
        running.end();
        let plain = fs::read_to_string(folder.path().join("plain.json")).expect("the file is there").lines().count();
        for name in ["a.json.gz", "a.csv.gz"] {
            let file = fs::File::open(folder.path().join(name)).expect("the file is there");
            let mut text = Vec::new();
            // It has no end, but everything up to its last flush.
            _ = flate2::read::GzDecoder::new(file).read_to_end(&mut text);
            let lines = text.iter().filter(|byte| **byte == b'\n').count();
            assert!(lines * 2 > plain && plain > 500, "{name} holds {lines} lines of {plain} ({engine})");
        }
    }
}

#[test]
fn a_named_pipe_gets_the_summary_whole() {
    let folder = folder(SCRIPT);
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let reader = std::thread::spawn(move || fs::read_to_string(pipe).expect("a pipe can be read"));
    let outcome = run(quiet(folder.path()).args(["--summary-export", "pipe", "script.js"]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let text = reader.join().expect("the reader reads");
    serde_json::from_str::<serde_json::Value>(&text).expect("the summary is whole");
}

#[test]
fn a_named_pipe_gets_all_points() {
    let folder = folder(SCRIPT);
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let reader = std::thread::spawn(move || fs::read_to_string(pipe).expect("a pipe can be read"));
    let outcome = run(quiet(folder.path()).args(["-o", "json=pipe", "--iterations=1000", "script.js"]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let text = reader.join().expect("the reader reads");
    assert_eq!(text.lines().filter(|line| line.starts_with("{\"metric\":\"iterations\"")).count(), 1000);
}

#[test]
fn links_to_nothing_are_written_through() {
    let folder = folder(SCRIPT);
    for (link, target) in [("l1", "export.json"), ("l2", "points.json"), ("l3", "report.html"), ("l4", "own.json")] {
        symlink(target, folder.path().join(link)).expect("a link can be made");
    }
    let outcome = run(quiet(folder.path()).args([
        "--summary-export=l1",
        "-o",
        "json=l2",
        "--report=l3",
        "--summary-json=l4",
        "script.js",
    ]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    for (link, target) in [("l1", "export.json"), ("l2", "points.json"), ("l3", "report.html"), ("l4", "own.json")] {
        let known = fs::symlink_metadata(folder.path().join(link)).expect("the link is there");
        assert!(known.is_symlink(), "{link} was replaced");
        assert!(fs::metadata(folder.path().join(target)).is_ok_and(|known| known.len() > 0), "{target} is empty");
    }
}

#[test]
fn a_full_disk_costs_samples_that_are_counted() {
    let folder = folder(SCRIPT);
    for output in ["json", "csv"] {
        let argument = format!("{output}=/dev/full");
        let outcome = run(quiet(folder.path()).args(["-o", &argument, "--iterations=10", "script.js"]));
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let missing = outcome.stderr.split_once("ended early, ").and_then(|(_, rest)| rest.split_once(" samples"));
        let missing = missing.and_then(|(number, _)| number.parse::<u64>().ok());
        // Two samples of bytes, one of the time, one of the count; more where VUs were counted meanwhile.
        assert!(missing.is_some_and(|missing| (40..100).contains(&missing)), "{}", outcome.stderr);
    }
}

#[test]
fn an_error_without_end_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let server = std::thread::spawn(move || {
        let mut most = 0;
        // One question before the run, and the push.
        for stream in listener.incoming().take(2) {
            let mut stream = stream.expect("a connection comes");
            _ = stream.read(&mut [0; 65536]);
            _ = stream.write_all(b"HTTP/1.1 500 Bad\r\n\r\n");
            let mut written = 0_usize;
            // Enough to fill what the system keeps on both sides many times over.
            while written < 256 << 20 && stream.write_all(&[b'e'; 65536]).is_ok() {
                written += 65536;
            }
            most = most.max(written);
        }
        most
    });
    let folder = folder(SCRIPT);
    let output = format!("influxdb=http://{address}/db");
    let outcome = run(quiet(folder.path()).args(["--log-format=json", "-o", &output, "script.js"]));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the answer was 500"), "{}", outcome.stderr);
    let most = server.join().expect("the server ends");
    assert!(most < 64 << 20, "{most} bytes were taken");
}
