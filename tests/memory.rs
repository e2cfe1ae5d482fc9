//! What must not take memory: bodies nobody reads, and a file that every VU uploads. Linux only, which tells what a process
//! had at most.

#![cfg_attr(not(feature = "quickjs"), allow(dead_code, unused_imports, reason = "uploads are tested on QuickJS only"))]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::misbehaviour::{POURED, address};
use crate::program::{Running, volley};
use crate::server;

const MB: u64 = 1 << 20;

/// Runs a script until it says `done`, and tells what it had in memory at most, in bytes. The script has to stay then.
fn peak_memory(script: &str, file: &[u8], args: &[&str]) -> u64 {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("script.js"), script).expect("a file can be written");
    fs::write(folder.path().join("large.bin"), file).expect("a file can be written");
    let mut command = volley(folder.path());
    command.args(["run", "--quiet", "--log-format=raw"]).args(args);
    let running = Running::start(command.arg("script.js"));
    running.wait_for("done");
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells it");
    running.interrupt();
    let outcome = running.end();
    assert!(!outcome.stderr.contains("Error"), "{}", outcome.stderr);
    line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("it is a number") * 1024
}

#[test]
fn bodies_nobody_reads() {
    let script = "import http from 'k6/http';
        import { sleep } from 'k6';
        export const options = { discardResponseBodies: true };
        export default function () {
            const response = http.get(`${__ENV.URL}/pour`, { timeout: '80s' });
            console.log(response.status === 200 && !response.error ? 'done' : `Error: ${response.error}`);
            sleep(60);
        }";
    let url = format!("URL=http://{}", address());
    for (engine, _) in volley::Engine::TABLE {
        let peak = peak_memory(script, b"", &["--js-engine", engine, "-e", &url]);
        assert!(peak < 150 * MB, "{engine}: {peak} bytes in memory after {POURED} bytes of a body");
    }
}

/// Answers every request with what its path says.
fn lavish(mut stream: TcpStream) -> std::io::Result<()> {
    let headers: String = (0..50_000).map(|at| format!("X-{at}: v\r\n")).collect();
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while line.trim_end() != "" {
            line.clear();
            reader.read_line(&mut line)?;
        }
        let (reason, headers, body) = match &*path {
            "/headers" => ("OK".to_owned(), headers.as_str(), 0),
            "/reason" => ("R".repeat(8 << 20), "", 0),
            _ => ("OK".to_owned(), "", 30 << 20),
        };
        stream.write_all(format!("HTTP/1.1 200 {reason}\r\n{headers}Content-Length: {body}\r\n\r\n").as_bytes())?;
        stream.write_all(&vec![b'x'; body])?;
    }
}

#[test]
fn responses_nobody_keeps() {
    let url = format!("URL=http://{}", server::serve(lavish));
    let uses = ["Object.keys(response.headers).length > 50000", "response.status === 200"];
    // What Boa has not collected yet depends on where the last response falls between two collections.
    for (path, uses, most) in [("headers", uses[0], 150), ("reason", uses[1], 150), ("body", uses[1], 130)] {
        let script = format!(
            "import http from 'k6/http';
            import {{ sleep }} from 'k6';
            export const options = {{ iterations: 24, vus: 1 }};
            export default function () {{
                const response = http.get(`${{__ENV.URL}}/{path}`);
                if (!({uses})) console.log(`Error: ${{response.status}} ${{response.error}}`);
                if (__ITER < 23) return;
                console.log('done');
                sleep(60);
            }}"
        );
        for (engine, _) in volley::Engine::TABLE {
            let peak = peak_memory(&script, b"", &["--js-engine", engine, "-e", &url]);
            assert!(peak < most * MB, "{engine}: {peak} bytes in memory for responses with a large {path}");
        }
    }
}

#[test]
fn rows_that_all_vus_share() {
    const VUS: u64 = 100;
    const ROWS: usize = 100_000;
    let script = format!(
        "import {{ SharedArray }} from 'k6/data';
        import csv from 'k6/experimental/csv';
        import {{ open as openFile }} from 'k6/experimental/fs';
        import {{ sleep }} from 'k6';
        export const options = {{
            scenarios: {{ all: {{ executor: 'per-vu-iterations', vus: {VUS}, iterations: 1 }} }},
        }};
        const file = await openFile('large.bin');
        const rows = await csv.parse(file, {{ asObjects: true }});
        const parser = new csv.Parser(await openFile('large.bin'));
        const made = new SharedArray('made', () => {{
            const token = 't'.repeat(40);
            return Array.from({{ length: {ROWS} }}, (_, at) => ({{ name: `user-${{at}}`, token }}));
        }});
        export default async function () {{
            const [a, b] = [rows[__VU * 7].name, made[__VU * 7].name];
            const {{ value }} = await parser.next();
            if (a !== b || value[0] !== 'name' || rows.length !== {ROWS}) throw new Error('Error in the rows');
            sleep(3);
            if (__VU === {VUS}) console.log('done');
            sleep(60);
        }}"
    );
    let rows = (0..ROWS).map(|at| format!("user-{at},{},{:040}\n", at % 977, at * 3));
    let file = std::iter::once("name,group,token\n".to_owned()).chain(rows).collect::<String>();
    for (engine, _) in volley::Engine::TABLE {
        let peak = peak_memory(&script, file.as_bytes(), &["--js-engine", engine]);
        // Copies in every VU would take more than twice as much, whatever form they had.
        assert!(peak < 300 * MB, "{engine}: {peak} bytes in memory for {VUS} VUs and {} bytes of rows", file.len());
    }
}

/// Boa's buffers own their memory, so there every VU has its copy.
#[cfg(feature = "quickjs")]
#[test]
fn a_file_that_every_vu_uploads() {
    const VUS: u64 = 40;
    const FILE: u64 = 20 * MB;
    static UPLOADED: AtomicU64 = AtomicU64::new(0);
    let sink = server::serve(|stream| sink(stream, &UPLOADED));
    let script = format!(
        "import http from 'k6/http';
        import {{ sleep }} from 'k6';
        export const options = {{
            scenarios: {{
                upload: {{ executor: 'per-vu-iterations', vus: {VUS}, iterations: 1 }},
                stay: {{ executor: 'per-vu-iterations', vus: 1, exec: 'stay', startTime: '1s' }},
            }},
        }};
        const file = open('large.bin', 'b');
        export default function () {{
            const form = {{ text: 'x', file: http.file(file, 'large.bin') }};
            const {{ status }} = http.post(__ENV.SINK, form, {{ timeout: '80s' }});
            if (status !== 200) throw new Error(`${{status}}`);
        }}
        export function stay() {{
            while (http.get(`${{__ENV.SINK}}count`).body !== '{VUS}') sleep(0.1);
            console.log('done');
            sleep(60);
        }}"
    );
    let file: Vec<u8> = (0..FILE).map(|at| (at % 251) as u8).collect();
    let peak = peak_memory(&script, &file, &["--js-engine", "quickjs", "-e", &format!("SINK=http://{sink}/")]);
    assert_eq!(UPLOADED.load(Relaxed), VUS);
    assert!(peak < FILE + 150 * MB, "{peak} bytes in memory for {VUS} uploads of {FILE} bytes");
}

/// Reads bodies of any size and forgets them; `/count` tells how many there were.
fn sink(stream: TcpStream, uploaded: &AtomicU64) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(1 << 20, stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let counts = line.contains("/count");
        while line.trim_end() != "" {
            line.clear();
            reader.read_line(&mut line)?;
            if let Some(value) = line.strip_prefix("Content-Length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        if std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink())? != length {
            return Ok(());
        }
        let count = if counts { uploaded.load(Relaxed) } else { uploaded.fetch_add(1, Relaxed) + 1 };
        let body = count.to_string();
        out.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    }
}
