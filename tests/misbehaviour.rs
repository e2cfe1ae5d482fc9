//! Servers that break HTTP: what a script is told, that nothing hangs, and that the next request of the same VU is a good
//! one.
//!
//! Trouble below HTTP (refused, reset before an answer, unknown names) is in `faults`; what memory it takes, in `memory`.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::pattern::matches;
use crate::program::{run, volley};
use crate::server;

/// How long the body of `/pour` is.
pub const POURED: u64 = 400 << 20;

/// 256 MiB of nothing, compressed.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let nothing = vec![0; 1 << 20];
    (0..256).try_for_each(|_| encoder.write_all(&nothing)).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
});

/// The server of this file.
pub fn address() -> SocketAddr {
    static ADDRESS: LazyLock<SocketAddr> = LazyLock::new(|| {
        // Made before anybody waits for it.
        LazyLock::force(&BOMB);
        server::serve(converse)
    });
    *ADDRESS
}

/// Answers requests by their paths until one of them breaks the connection.
fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
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
        if !answer(&path, &mut stream)? {
            return Ok(());
        }
    }
}

/// Writes what there is at a path; false when the connection is to be closed.
fn answer(path: &str, out: &mut TcpStream) -> io::Result<bool> {
    const HEAD: &str = "HTTP/1.1 200 OK\r\n";
    let mut say = |text: &str| out.write_all(text.as_bytes());
    match path {
        "/good" => say(&format!("{HEAD}Content-Length: 4\r\n\r\ngood"))?,
        "/drip" => {
            say(&format!("{HEAD}Content-Length: 100000\r\n\r\n"))?;
            drip(out, b"drop")?;
        }
        "/drip-head" => {
            say(HEAD)?;
            drip(out, b"X-Drop: 1\r\n")?;
        }
        "/reset" => {
            say(&format!("{HEAD}Content-Length: 100\r\n\r\nbegun"))?;
            // What was sent shall have arrived before the reset overtakes it.
            std::thread::sleep(Duration::from_millis(50));
            server::reset(out)?;
            return Ok(false);
        }
        "/bad-chunk" => {
            say(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\nzz\r\nnever"))?;
            return Ok(false);
        }
        "/cut-chunk" => {
            say(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n10\r\nhalf"))?;
            return Ok(false);
        }
        "/long-chunk-line" => {
            say(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n4;{}\r\n", "x".repeat(100_000)))?;
            return Ok(false);
        }
        "/bad-gzip" => say(&format!("{HEAD}Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\nthis is no gzip data"))?,
        "/cut-gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&[b'a'; 10_000])?;
            let bytes = encoder.finish()?;
            let half = &bytes[..bytes.len() / 2];
            say(&format!("{HEAD}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", half.len()))?;
            out.write_all(half)?;
        }
        "/bomb" => {
            say(&format!("{HEAD}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", BOMB.len()))?;
            out.write_all(&BOMB)?;
        }
        "/short" => {
            say(&format!("{HEAD}Content-Length: 100\r\n\r\ntoo short"))?;
            return Ok(false);
        }
        "/long" => say(&format!("{HEAD}Content-Length: 2\r\n\r\nok and more than was announced"))?,
        "/length-word" => say(&format!("{HEAD}Content-Length: ten\r\n\r\n0123456789"))?,
        "/length-negative" => say(&format!("{HEAD}Content-Length: -1\r\n\r\n0123456789"))?,
        "/length-twice" => say(&format!("{HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n01"))?,
        "/length-huge" => say(&format!("{HEAD}Content-Length: 99999999999999999999\r\n\r\n01"))?,
        "/length-promise" => {
            // A promise costs no memory.
            say(&format!("{HEAD}Content-Length: 9000000000000000000\r\n\r\n01"))?;
            return Ok(false);
        }
        "/large-head" => {
            say(HEAD)?;
            for at in 0..1000 {
                out.write_all(format!("X-Large-{at}: {}\r\n", "v".repeat(1024)).as_bytes())?;
            }
            out.write_all(b"Content-Length: 2\r\n\r\nok")?;
        }
        "/endless-head" => {
            say(HEAD)?;
            let line = format!("X-Large: {}\r\n", "v".repeat(64 * 1024));
            while out.write_all(line.as_bytes()).is_ok() {}
            return Ok(false);
        }
        "/endless-interim" => {
            while out.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n").is_ok() {}
            return Ok(false);
        }
        "/cookies" => {
            say(HEAD)?;
            let lines: String =
                (0..10_000).map(|at| format!("Set-Cookie: name{at}=value{at}; Path=/cookies\r\n")).collect();
            out.write_all(lines.as_bytes())?;
            out.write_all(b"Content-Length: 2\r\n\r\nok")?;
        }
        "/redirects" => say("HTTP/1.1 302 Found\r\nLocation: /redirects\r\nContent-Length: 0\r\n\r\n")?,
        "/redirect-nowhere" => say("HTTP/1.1 302 Found\r\nLocation: http://[bad/\r\nContent-Length: 0\r\n\r\n")?,
        "/endless" => {
            say(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"))?;
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            while out.write_all(chunk.as_bytes()).is_ok() {}
            return Ok(false);
        }
        "/pour" => {
            say(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"))?;
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            for _ in 0..POURED / 0x10000 {
                out.write_all(chunk.as_bytes())?;
            }
            out.write_all(b"0\r\n\r\n")?;
        }
        "/half-head" => {
            say("HTTP/1.1 200 OK\r\nContent-Le")?;
            return Ok(false);
        }
        "/no-colon" => say(&format!("{HEAD}this is no header\r\n\r\n"))?,
        "/bare-head" => say(&format!("{HEAD} folded: first\r\n\r\n"))?,
        _ => say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
    }
    Ok(true)
}

/// A few bytes now and then, until the client has enough.
fn drip(out: &mut TcpStream, drop: &[u8]) -> io::Result<()> {
    loop {
        out.write_all(drop)?;
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Path, parameters, and what the script sees: status, code, length of the body, error. `...` is a hole.
const FAULTS: &[(&str, &str, &str)] = &[
    ("/drip", "{ timeout: 300 }", "0 1050 ... request timeout"),
    ("/drip-head", "{ timeout: 300 }", "0 1050 null request timeout"),
    ("/reset", "{}", "0 1220 5 read: connection reset by peer"),
    ("/bad-chunk", "{}", "0 1000 4 invalid byte in chunk length"),
    ("/cut-chunk", "{}", "0 1000 4 unexpected EOF"),
    ("/long-chunk-line", "{}", "0 1000 0 header line too long"),
    ("/bad-gzip", "{}", "0 1701 null error decompressing response body (gzip: invalid header)"),
    ("/cut-gzip", "{}", "0 1000 ... unexpected EOF"),
    // A bomb does not go off: it is unpacked no further, and the request ends at its timeout.
    ("/bomb", "{ timeout: 800 }", "0 1050 ... request timeout"),
    ("/short", "{}", "0 1000 9 unexpected EOF"),
    ("/long", "{}", "200 0 2"),
    ("/length-word", "{}", "0 1000 null bad Content-Length \"ten\""),
    ("/length-negative", "{}", "0 1000 null bad Content-Length \"-1\""),
    (
        "/length-twice",
        "{}",
        "0 1000 null http: message cannot contain multiple Content-Length headers; got [\"1\" \"2\"]",
    ),
    ("/length-huge", "{}", "0 1000 null bad Content-Length \"99999999999999999999\""),
    ("/length-promise", "{}", "0 1000 2 unexpected EOF"),
    ("/large-head", "{}", "200 0 2"),
    ("/endless-head", "{}", "0 1000 null net/http: server response headers exceeded 10485760 bytes; aborted"),
    ("/endless-interim", "{}", "0 1000 null net/http: too many 1xx informational responses"),
    ("/cookies", "{}", "200 0 2"),
    ("/redirects", "{}", "302 0 0"),
    ("/redirect-nowhere", "{}", "0 1000 null failed to parse Location header..."),
    ("/endless", "{ timeout: 300, responseType: 'none' }", "0 1050 null request timeout"),
    ("/half-head", "{}", "0 1000 null unexpected EOF"),
    ("/no-colon", "{}", "0 1000 null malformed MIME header: missing colon: \"this is no header\""),
    ("/bare-head", "{}", "0 1000 null malformed MIME header initial line:..."),
];

#[test]
fn every_fault_is_told_and_the_next_request_is_fine() {
    let faults: Vec<String> =
        FAULTS.iter().map(|(path, params, _)| format!("[{}, {params}]", Value::from(*path))).collect();
    let script = format!(
        "import http from 'k6/http';
        export const options = {{ iterations: 2 }};
        export default function () {{
            for (const [path, params] of [{}]) {{
                const bad = http.get(__ENV.URL + path, params);
                const length = bad.body === null ? null : bad.body.length;
                const good = http.get(`${{__ENV.URL}}/good`);
                console.log(`${{path}}: ${{bad.status}} ${{bad.error_code}} ${{length}} ${{bad.error}}`.trim());
                console.log('then', good.status, good.body);
            }}
        }}",
        faults.join(",")
    );
    let expected: Vec<String> = FAULTS.iter().map(|(path, _, seen)| format!("{path}: {seen}")).collect();
    for (engine, _) in volley::Engine::TABLE {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("script.js"), &script).expect("a file can be written");
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--log-format=json", "--js-engine", engine, "-o", "json=points.json"]);
        let outcome = run(command.args(["-e", &format!("URL=http://{}", address()), "script.js"]));
        assert_eq!(outcome.code, 0, "{engine}\n{}", outcome.stderr);
        let lines = outcome.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let told: Vec<String> = lines
            .filter(|line| line["source"] == "console")
            .map(|line| line["msg"].as_str().unwrap_or_default().to_owned())
            .collect();
        let (bad, then): (Vec<_>, Vec<_>) = told.iter().partition(|line| line.starts_with('/'));
        assert_eq!(bad.len(), 2 * expected.len(), "{engine}\n{}", outcome.stderr);
        for (seen, expected) in bad.iter().zip(expected.iter().cycle()) {
            assert!(matches(expected, seen), "{engine}: `{seen}` instead of `{expected}`");
        }
        assert!(then.len() == bad.len() && then.iter().all(|line| *line == "then 200 good"), "{engine}: {then:?}");
        let points = fs::read_to_string(folder.path().join("points.json")).expect("the points are there");
        let requests =
            points.lines().filter(|line| line.contains("\"metric\":\"http_reqs\"") && line.contains("Point"));
        // Endless redirects are eleven requests; the bad location's hop and its failure are two.
        let hops = 2 * (2 * FAULTS.len() + 10);
        let seen = requests.count();
        assert!((hops..=hops + 2).contains(&seen), "{engine}: {seen} requests on record instead of {hops}");
    }
}
