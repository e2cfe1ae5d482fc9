//! Answers that cost much: the other VUs of the same worker have their turns meanwhile, memory stays bounded, and nothing ends
//! the process. Who has turns is counted in requests, not in time.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};

use tungstenite::handshake::derive_accept_key;

use crate::program::{engines, run, volley};
use crate::server;

/// What the neighbour does, and what one VU does meanwhile: the turns are the neighbour's requests during `costly`.
const SCRIPT: &str = r"
import http from 'k6/http';
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';
import x509 from 'k6/crypto/x509';
import { sleep } from 'k6';
import exec from 'k6/execution';
export const options = {
  scenarios: {
    costly: { executor: 'shared-iterations', vus: 1, iterations: ITERATIONS, maxDuration: 'LIMIT', gracefulStop: '0s', exec: 'costly' },
    neighbour: { executor: 'constant-vus', vus: 1, duration: 'LIMIT', gracefulStop: '0s', exec: 'neighbour' },
  },
};
let first = 0;
const ticks = () => Number(http.get(`${__ENV.URL}/ticks`).body);
export async function costly() {
  let before = __ITER === 0 ? ticks() : 0;
  const begin = () => (before = ticks());
  const say = (what) => console.log(what, ticks() - before > 3);
  KIND
  exec.test.abort();
}
export function neighbour() {
  if (http.get(`${__ENV.URL}/tick`).status !== 200) throw new Error('gone');
}
";

/// Serves one run: counts its ticks.
fn serve() -> std::net::SocketAddr {
    let ticks = Arc::new(AtomicU64::new(0));
    server::serve(move |stream| converse(stream, &ticks))
}

fn converse(mut stream: TcpStream, ticks: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut line, mut key) = (String::new(), String::new());
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while line.trim_end() != "" {
            line.clear();
            reader.read_line(&mut line)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("sec-websocket-key:") {
                key = line[line.len() - value.len()..].trim().to_owned();
            }
        }
        if let Some(piece) = endless(&path) {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            loop {
                stream.write_all(&piece)?;
            }
        }
        let body = match &*path {
            "/ticks" => ticks.load(Relaxed).to_string().into(),
            "/tick" => {
                ticks.fetch_add(1, Relaxed);
                "tick".into()
            }
            "/json" => JSON.as_str().into(),
            "/wide" => WIDE.as_str().into(),
            "/formatting" => "<p><b><i><a href=x><font>".repeat(10_000).into(),
            "/reopened" => REOPENED.as_str().into(),
            "/brackets" => "[".repeat(1 << 20).into(),
            "/certificate" => CERTIFICATE.as_str().into(),
            "/heads" => {
                stream.write_all(HEADS.as_bytes())?;
                continue;
            }
            "/ws/fragments" => return frames(&mut stream, &key, b"\x01\x01x", &b"\0\x01x".repeat(20_000)),
            "/ws/messages" => return frames(&mut stream, &key, b"", &b"\x81\x07message".repeat(10_000)),
            "/ws/pings" => return frames(&mut stream, &key, b"", &b"\x89\x04ping".repeat(10_000)),
            "/ws/endless" => {
                return frames(&mut stream, &key, b"\x82\x7f\0\0\0\0\x05\0\0\0", &vec![0; 1 << 20]);
            }
            path if path.starts_with("/ws") => return bomb(&mut stream, &key, path),
            _ => std::borrow::Cow::Borrowed(""),
        };
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(body.as_bytes())?;
    }
}

/// 3 MB of records.
static JSON: LazyLock<String> = LazyLock::new(|| {
    let record =
        |at: u32| format!(r#"{{"id":{at},"name":"n\u00e4me {at}","tags":["a","b",{{"deep":[1.5,-2e3,null,true]}}]}}"#);
    format!("[{}]", (0..40_000).map(record).collect::<Vec<_>>().join(","))
});

/// 1 MB of siblings.
static WIDE: LazyLock<String> = LazyLock::new(|| (0..50_000).map(|at| format!("<p class=c{at}>x")).collect());

/// Each paragraph opens hundreds of elements again that an earlier one did not close.
static REOPENED: LazyLock<String> = LazyLock::new(|| {
    let open: String = (0..400).map(|at| format!("<b a{at}>")).collect();
    format!("<p>{open}{}", "<p>x".repeat(1_000))
});

/// An answer of very many headers.
static HEADS: LazyLock<String> = LazyLock::new(|| {
    let headers: String = (0..20_000).map(|at| format!("X-{at}: {at}\r\nSet-Cookie: c{}=v\r\n", at % 3000)).collect();
    format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n")
});

/// 8 MB in the shape of a certificate.
static CERTIFICATE: LazyLock<String> = LazyLock::new(|| {
    let lines = "MIIDMIIDMIIDMIIDMIIDMIIDMIIDMIIDMIIDMIIDMIIDMIIDMIIDMIIDMIIDMIID\n".repeat(128 * 1024);
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
});

/// What is sent again and again at these paths: chunks.
fn endless(path: &str) -> Option<Vec<u8>> {
    match path {
        "/endless" => Some([&b"100000\r\n"[..], &vec![b'x'; 1 << 20], b"\r\n"].concat()),
        "/crumbs" => Some(b"1\r\nx\r\n".repeat(10_000)),
        _ => None,
    }
}

/// Shakes hands, sends `first` and then `again` until the client is gone; reads nothing.
fn frames(stream: &mut TcpStream, key: &str, first: &[u8], again: &[u8]) -> io::Result<()> {
    let accept = derive_accept_key(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )?;
    stream.write_all(first)?;
    loop {
        stream.write_all(again)?;
    }
}

/// Shakes hands, agrees to compression, and sends zeros: so many megabytes once they are unpacked.
fn bomb(stream: &mut TcpStream, key: &str, path: &str) -> io::Result<()> {
    let accept = derive_accept_key(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n\r\n"
    )?;
    let megabytes: usize = path.rsplit('/').next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..megabytes * 16 {
        encoder.write_all(&[b'z'; 64 * 1024])?;
    }
    let packed = encoder.finish()?;
    // A final text frame whose payload is packed.
    let mut frame = vec![0xc1, 127];
    frame.extend((packed.len() as u64).to_be_bytes());
    frame.extend(packed);
    stream.write_all(&frame)?;
    // Until the client leaves.
    io::copy(stream, &mut io::sink()).map(|_| ())
}

/// Runs one kind on every engine: what the costly VU logs, and that others had their turns. Without a word it has to be ended
/// from outside, after two seconds.
#[track_caller]
fn check(kind: &str, expect: &[&str]) {
    check_iterations(1, kind, expect);
}

/// As [`check`], with so many iterations of the costly VU.
#[track_caller]
fn check_iterations(count: usize, kind: &str, expect: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let limit = if expect.is_empty() { "2s" } else { "240s" };
    let script = SCRIPT.replace("KIND", kind).replace("LIMIT", limit).replace("ITERATIONS", &count.to_string());
    fs::write(folder.path().join("script.js"), script).expect("the script can be written");
    for engine in engines() {
        let url = format!("http://{}", serve());
        let mut command = volley(folder.path());
        command.args(["run", "-q", "--no-usage-report", "--js-engine", engine, "--summary-mode=disabled"]);
        command.args(["--log-format=raw", "-e", &format!("URL={url}"), "script.js"]);
        let outcome = run(&mut command);
        let words = |line: &&str| line.ends_with(" true") || line.ends_with(" false");
        let lines: Vec<&str> = outcome.stderr.lines().chain(outcome.stdout.lines()).filter(words).collect();
        assert_eq!(lines, expect, "{engine}: {outcome:?}");
        assert_eq!(outcome.code, if expect.is_empty() { 0 } else { 108 }, "{engine}: {outcome:?}");
    }
}

#[test]
fn long_json_leaves_others_their_turns() {
    check(
        "const all = http.get(`${__ENV.URL}/json`);
         begin();
         const data = all.json();
         say(`${data.length} ${data[5].name} ${data[39999].tags[2].deep.join('|')}`);
         begin();
         say(all.json('#(id==39999).name'));",
        &["40000 n\u{e4}me 5 1.5|-2000||true true", "n\u{e4}me 39999 true"],
    );
}

#[test]
fn large_documents_leave_others_their_turns() {
    check(
        "const page = http.get(`${__ENV.URL}/wide`);
         begin();
         const all = page.html();
         say(all.find('p').size());
         begin();
         say(all.find('p:contains(\"y\"), p.c7 ~ p.c9').size());",
        &["50000 true", "1 true"],
    );
}

#[test]
fn markup_that_is_opened_again_and_again_leaves_others_their_turns() {
    check(
        "const [formatting, reopened] = ['formatting', 'reopened'].map((path) => http.get(`${__ENV.URL}/${path}`));
         begin();
         say(formatting.html().find('p').size());
         begin();
         say(reopened.html().find('b').size());",
        &["10000 true", "400400 true"],
    );
}

#[test]
fn long_pieces_of_json_leave_others_their_turns() {
    check(
        "const text = `[\"${'\\\\u00e4'.repeat(2e6)}\", \"${'\\\\n'.repeat(4e6)}\", 1${'0'.repeat(5e6)}e-5000000${' '.repeat(8e6)}]`;
         begin();
         const [escapes, lines, number] = JSON.parse(text);
         say(`${escapes.length} ${escapes[1999999]} ${lines.length} ${lines === '\\n'.repeat(4e6)} ${number}`);",
        &["2000000 \u{e4} 4000000 true 1 true"],
    );
}

#[test]
fn walks_through_documents_can_be_ended() {
    check("http.get(`${__ENV.URL}/wide`).html().find('p.none ~ p'); say('never');", &[]);
}

#[test]
fn packed_messages_are_unpacked_in_pieces_and_not_without_end() {
    check(
        "for (const size of [16, 80]) {
           begin();
           ws.connect(`${__ENV.URL.replace('http', 'ws')}/ws/${size}`, { compression: 'deflate' }, (socket) => {
             socket.on('message', (text) => { say(text.length); socket.close(); });
             socket.on('close', (code) => size === 80 && say(`closed ${code}`));
           });
         }",
        &["16777216 true", "closed 1001 true"],
    );
}

#[test]
fn long_texts_are_parsed_in_turns() {
    check(
        "const text = http.get(`${__ENV.URL}/json`).body;
         begin();
         const data = JSON.parse(text);
         say(`${data.length} ${data[7].tags[2].deep.join('|')}`);
         try { JSON.parse(text.slice(1)); } catch (error) { console.log(`${error instanceof SyntaxError} true`); }",
        &["40000 1.5|-2000||true true", "true true"],
    );
}

#[test]
fn bodies_that_never_end_are_not_kept() {
    check(
        "for (const path of ['endless', 'crumbs']) {
           begin();
           const res = http.get(`${__ENV.URL}/${path}`, { timeout: '1s' });
           say(`${path} ${res.status} ${res.error_code} ${String(res.body).length <= 67108864}`);
         }
         begin();
         const dropped = http.get(`${__ENV.URL}/endless`, { timeout: '1s', responseType: 'none' });
         say(`${dropped.status} ${dropped.error_code}`);",
        &["endless 0 1050 true true", "crumbs 0 1050 true true", "0 1050 true"],
    );
}

#[test]
fn very_many_headers_leave_others_their_turns() {
    check(
        "begin();
         const names = Object.keys(http.get(`${__ENV.URL}/heads`).headers);
         say(`${names.length} ${names[0]} ${names[20000]}`);",
        &["20002 X-0 X-19999 true"],
    );
}

#[test]
fn nesting_has_gos_limit() {
    check(
        "const res = http.get(`${__ENV.URL}/brackets`);
         try { res.json(); } catch (error) { console.log(`${String(error).includes('exceeded max depth')} true`); }",
        &["true true"],
    );
}

#[test]
fn paths_that_grow_without_an_end_find_nothing() {
    check(
        "const [long, short] = [http.get(`${__ENV.URL}/json`), http.get(`${__ENV.URL}/ticks`)];
         begin();
         say(`${long.json(Array(60).fill('[@this,@this]').join('|'))} ${long.json('#')}`);
         console.log(`${short.json(Array(60).fill('@tostr').join('|'))} true`);",
        &["undefined 40000 true", "undefined true"],
    );
}

#[test]
fn paths_that_take_long_can_be_ended() {
    let path = "#(name==1)#";
    check(
        &format!(
            "const res = http.get(`${{__ENV.URL}}/json`);
             res.json('[' + Array(400).fill('@dig:{path}').join(',') + ']');
             say('never');"
        ),
        &[],
    );
}

#[test]
fn frames_that_never_end_leave_others_their_turns() {
    check(
        "const at = `${__ENV.URL.replace('http', 'ws')}/ws`;
         for (const path of ['fragments', 'pings']) {
           begin();
           ws.connect(`${at}/${path}`, {}, (socket) => socket.setTimeout(() => socket.close(), 1000));
           say(path);
         }
         ws.connect(`${at}/endless`, {}, (socket) => socket.on('close', (code) => console.log(`closed ${code} true`)));",
        &["fragments true", "pings true", "closed 1001 true"],
    );
}

#[test]
fn messages_that_never_end_leave_others_their_turns() {
    check(
        "const at = `${__ENV.URL.replace('http', 'ws')}/ws/messages`;
         const MANY = 20000;
         let count = 0;
         begin();
         ws.connect(at, {}, (socket) => socket.on('message', () => ++count === MANY && socket.close()));
         say('blocking');
         count = 0;
         begin();
         await new Promise((resolve) => {
           const socket = new WebSocket(at);
           socket.onmessage = () => ++count === MANY && resolve();
         });
         say('events');",
        &["blocking true", "events true"],
    );
}

#[test]
fn iterations_that_wait_for_nothing_leave_others_their_turns() {
    check_iterations(
        300,
        "if (__ITER === 0) first = before;
         for (let at = 0, x = 0; at < 20000; at++) x += at;
         if (__ITER < 299) return;
         before = first;
         say('iterated');",
        &["iterated true"],
    );
}

#[test]
fn waiting_for_what_is_there_is_no_turn_for_others() {
    check(
        "begin();
         for (let at = 0; at < 100000; at++) sleep(1e-9);
         say('slept');
         begin();
         await (async () => { for (let at = 0; at < 100000; at++) await null; })();
         say('awaited');",
        &["slept true", "awaited true"],
    );
}

#[test]
fn long_certificates_are_decoded_elsewhere() {
    check(
        "const text = http.get(`${__ENV.URL}/certificate`).body;
         begin();
         try { x509.parse(text); } catch (error) { say(String(error).includes('malformed certificate')); }",
        &["true true"],
    );
}
