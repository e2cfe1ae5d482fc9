//! `k6/x/dns`, `k6/x/tls`, `k6/x/tcp` and `k6/x/sse` beside peers of our own: a DNS server, TLS servers with certificates that are good, too old and
//! for another name, TCP servers that echo, leave and stay silent, and streams of
//! events that end, are cut and never end.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;

use crate::program::{engines, run, volley};

fn logged(stderr: &str) -> Vec<String> {
    let lines = stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let own = lines.filter(|line| line["source"] == "console");
    own.map(|line| line["msg"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Runs a script on an engine: what it logs, and its metrics.
fn check(engine: &str, text: &str, env: &[(&str, String)], expect: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.js"), text).unwrap();
    let mut command = volley(folder.path());
    command.args(["run", "--quiet", "--no-color", "--log-format=json", "--js-engine", engine]);
    for (name, value) in env {
        command.arg("-e").arg(format!("{name}={value}"));
    }
    let outcome = run(command.args(["--summary-export=summary.json", "script.js"]));
    assert_eq!(logged(&outcome.stderr), expect, "{engine}: {}", outcome.stderr);
    assert_eq!(outcome.code, 0, "{engine}: {}", outcome.stderr);
    serde_json::from_slice(&fs::read(folder.path().join("summary.json")).unwrap()).unwrap()
}

/// The answer to a question: its first label says which.
fn dns_answer(question: &[u8], over_tcp: bool) -> Option<Vec<u8>> {
    let end = 12 + question[12..].iter().position(|byte| *byte == 0)? + 5;
    let first = &question[13..13 + usize::from(question[12])];
    let kind = question[end - 3];
    let record = |kind: u8, data: &[u8]| {
        let mut record = vec![0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60];
        record.extend((data.len() as u16).to_be_bytes());
        record.extend(data);
        record
    };
    let (flags, code, records) = match (first, kind) {
        (b"silent", _) => return None,
        (b"missing", _) => (0x81, 3, vec![]),
        (b"refused", _) => (0x81, 5, vec![]),
        (b"big", _) if !over_tcp => (0x83, 0, vec![]),
        (b"alias", 1) => (0x81, 0, vec![record(5, &[0xc0, 12]), record(1, &[10, 0, 0, 9])]),
        (_, 1) => (0x81, 0, vec![record(1, &[10, 0, 0, 1]), record(1, &[10, 0, 0, 2])]),
        (_, 16) => (0x81, 0, vec![record(16, b"\x02v=\x031 x")]),
        (_, 28) => (0x81, 0, vec![record(28, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7])]),
        _ => (0x81, 4, vec![]),
    };
    let mut answer = question[..2].to_vec();
    answer.extend([flags, 0x80 | code, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    answer.extend(&question[12..end]);
    answer.extend(records.concat());
    Some(answer)
}

/// A DNS server that ends with the process.
pub fn dns_server() -> u16 {
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            break (udp, tcp);
        }
    };
    let port = udp.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = udp.recv_from(&mut buffer) {
            if let Some(answer) = dns_answer(&buffer[..length], false) {
                // An answer to another question comes first.
                let mut other = answer.clone();
                other[0] ^= 0xff;
                _ = udp.send_to(&other, from);
                _ = udp.send_to(&answer, from);
            }
        }
    });
    thread::spawn(move || {
        for mut stream in tcp.incoming().flatten() {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).unwrap();
            let answer = dns_answer(&question, true).unwrap();
            stream.write_all(&[&(answer.len() as u16).to_be_bytes()[..], &answer].concat()).unwrap();
        }
    });
    port
}

#[test]
fn a_dns_server_is_asked() {
    let text = r"
import dns, { resolve, lookup } from 'k6/x/dns';
export const options = { blockHostnames: ['blocked.test'], thresholds: { dns_resolution_duration: ['max>0'], dns_resolution_failed: ['rate<1'], dns_lookups: ['count==3'] } };
const early = Promise.all([dns.resolve('a.test', 'A', '127.0.0.1').catch(String), dns.lookup('localhost').catch(String)]);
const server = `127.0.0.1:${__ENV.PORT}`;
const told = (promise) => promise.then((list) => JSON.stringify(list), (e) => (typeof e === 'object' && e.kind !== undefined ? `${e} ${e.name} ${e.kind} ${e.error() === String(e)}` : String(e)));
export default async function () {
  console.log((await early).join('; '));
  for (const [name, type] of [['a.test', 'A'], ['a.test', 'AAAA'], ['a.test', 'TXT'], ['alias.test', 'A'], ['big.test', 'A'], ['missing.test', 'A'], ['refused.test', 'A'], ['blocked.test', 'A'], ['a.test', 'MX']]) {
    console.log(await told(resolve(name, type, server)));
  }
  console.log(await told(resolve('a.test', 'A')), await told(resolve('a.test', 'A', 'h:1')));
  console.log((await lookup('localhost')).includes('127.0.0.1'));
  console.log(await told(lookup('blocked.test')));
  console.log(await told(lookup('nobody.invalid')));
}";
    let port = dns_server();
    for engine in engines() {
        let summary = check(
            engine,
            text,
            &[("PORT", port.to_string())],
            &[
                "resolve can not be used in the init context; lookup can not be used in the init context",
                r#"["10.0.0.1","10.0.0.2"]"#,
                r#"["fe80::7"]"#,
                r#"["v=1 x"]"#,
                r#"["10.0.0.9"]"#,
                r#"["10.0.0.1","10.0.0.2"]"#,
                "NonExistingDomain: DNS query failed NonExistingDomain 3 true",
                "Refused: DNS query failed Refused 5 true",
                "BlockedHostname: DNS query blocked by k6 option blockHostnames: blocked.test BlockedHostname 5 true",
                "resolve operation failed with unsupported record type, MX is an invalid DNS record type",
                "nameserver argument must be provided parsing nameserver address failed: invalid nameserver IP address: h",
                "true",
                "BlockedHostname: blocked hostname: blocked.test BlockedHostname 5 true",
                "LookupFailed: lookup of nobody.invalid failed: lookup nobody.invalid: no such host LookupFailed 5 true",
            ],
        );
        assert_eq!(summary["metrics"]["dns_resolutions"]["count"], 8, "{summary}");
    }
}

/// A server that shakes hands with a certificate of this name, which is valid until that year, and echoes.
pub fn tls_server(name: &str, until: i32) -> u16 {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2000, 1, 2);
    params.not_after = rcgen::date_time_ymd(until, 1, 2);
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let config = config.clone();
            thread::spawn(move || {
                let mut session = rustls::ServerConnection::new(config).unwrap();
                let mut tls = rustls::Stream::new(&mut session, &mut stream);
                let mut buffer = [0; 1024];
                while let Ok(length) = tls.read(&mut buffer) {
                    if length == 0 || tls.write_all(&buffer[..length]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn certificates_are_shown_whether_they_are_valid_or_not() {
    let (good, old, other) =
        (tls_server("localhost", 2100), tls_server("localhost", 2001), tls_server("other.test", 2100));
    let text = r"
import tls, { getCertificate } from 'k6/x/tls';
export const options = { thresholds: { 'tls_duration{host:localhost,status:ok}': ['max>0'], 'tls_duration{host:127.0.0.1,status:error}': ['max>0'] } };
const early = getCertificate('localhost').catch(String);
export default async function () {
  console.log(await early);
  for (const port of __ENV.PORTS.split(',')) {
    const c = await getCertificate(`localhost:${port}`);
    console.log(c.subject.common_name, c.issuer.common_name, new Date(c.issued).toISOString(), new Date(c.expires).getUTCFullYear(), /^[0-9a-f]{64}$/.test(c.fingerprint));
  }
  console.log((await tls.getCertificate(`127.0.0.1:${__ENV.PORTS.split(',')[0]}`)).subject.common_name);
  for (const target of [undefined, 'a:b:c', 'h:99999', '127.0.0.1:1']) console.log(await getCertificate(target).catch((error) => error.error()));
}";
    for engine in engines() {
        check(
            engine,
            text,
            &[("PORTS", format!("{good},{old},{other}"))],
            &[
                "getCertificate is not allowed to run from the Init Context",
                "localhost localhost 2000-01-02T00:00:00.000Z 2100 true",
                "localhost localhost 2000-01-02T00:00:00.000Z 2001 true",
                "other.test other.test 2000-01-02T00:00:00.000Z 2100 true",
                "localhost",
                "target address was not provided",
                "the provided target does not contain a valid address in the host:[port] format",
                "the provided target does not contain a valid port \"99999\"",
                "dial tcp 127.0.0.1:1: connect: connection refused",
            ],
        );
    }
}

/// A TCP server that does what `serve` does with each connection.
pub fn tcp_server(serve: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    port
}

fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

/// Says goodbye and leaves once something came.
fn leave(mut stream: TcpStream) {
    _ = stream.read(&mut [0; 64]);
    _ = stream.write_all(b"bye");
}

/// Never says anything.
fn silent(mut stream: TcpStream) {
    _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn sockets_connect_write_read_and_close() {
    let env = [
        ("ECHO", tcp_server(echo).to_string()),
        ("LEAVE", tcp_server(leave).to_string()),
        ("SILENT", tcp_server(silent).to_string()),
        ("TLS", tls_server("localhost", 2100).to_string()),
    ];
    let text = r"
import { Socket } from 'k6/x/tcp';
export const options = { insecureSkipTLSVerify: true, blockHostnames: ['blocked.test'], thresholds: { 'tcp_writes{word:two}': ['count==1'], 'tcp_sockets{proto:TCP,kind:echo}': ['count==1'], tcp_timeouts: ['count==2'] } };
const closed = (socket) => new Promise((resolve) => socket.on('close', resolve));
const text = (bytes) => String.fromCharCode(...bytes);
export default async function () {
  const one = new Socket({ tags: { kind: 'echo' } });
  console.log(one.ready_state, one.connected, one.local_ip);
  let heard = '';
  one.on('connect', () => console.log('connect', one.ready_state, one.remote_ip, one.remote_port === Number(__ENV.ECHO), one.local_port > 0));
  one.on('data', (data) => { heard += text(data); if (heard === 'hello\x00\xff!') one.destroy(); });
  const end = closed(one);
  await one.connect(Number(__ENV.ECHO), '127.0.0.1');
  await one.write('hello');
  await one.write('AP8=', { encoding: 'base64', tags: { word: 'two' } });
  await one.write(new Uint8Array([33]));
  await end;
  console.log(heard.length, one.ready_state, one.bytes_written, one.bytes_read, one.remote_ip);
  console.log(await one.write('late').catch(String));
  const two = new Socket();
  const bye = closed(two);
  two.on('data', (data) => console.log('data', text(data)));
  await two.connect({ port: __ENV.LEAVE, host: '127.0.0.1' });
  await two.write('x');
  await bye;
  console.log(two.ready_state);
  const three = new Socket();
  let times = 0;
  const over = closed(three);
  three.on('timeout', () => { if (++times === 2) three.destroy(); });
  three.setTimeout(30);
  await three.connect({ port: Number(__ENV.SILENT), host: '127.0.0.1' });
  await over;
  console.log(times, 'timeouts');
  const four = new Socket();
  const answered = new Promise((resolve) => four.on('data', resolve));
  await four.connect({ port: Number(__ENV.TLS), host: 'localhost', tls: true });
  await four.write('safe');
  console.log(text(await answered));
  four.destroy();
  const five = new Socket();
  five.on('error', (error) => console.log('error', error.name, error.method));
  console.log(await five.connect(1, '127.0.0.1').catch(String));
  console.log(await new Socket().connect({ port: 80, host: 'blocked.test' }).catch(String));
  console.log(await new Socket().connect(true).catch(String));
  console.log(await new Socket().write('x').catch(String), await four.write('x', { encoding: 'x' }).catch(String));
}";
    for engine in engines() {
        let summary = check(
            engine,
            text,
            &env,
            &[
                "disconnected false undefined",
                "connect open 127.0.0.1 true true",
                "8 destroyed 8 8 undefined",
                "TCP error during write: no active connection",
                "data bye",
                "destroyed",
                "2 timeouts",
                "safe",
                "error TCPError connect",
                "TCP error during connect: dial tcp 127.0.0.1:1: connect: connection refused",
                "TCP error during connect: hostname (blocked.test) is in a blocked pattern (blocked.test)",
                "TCP error during connect: invalid type: expected integer or object",
                "TCP error during write: no active connection TCP error during write: unsupported encoding \"x\"",
            ],
        );
        assert_eq!(summary["metrics"]["tcp_sockets"]["count"], 4, "{summary}");
    }
}

#[test]
fn an_iteration_that_is_cut_off_closes_its_sockets() {
    let text = r"
import { Socket } from 'k6/x/tcp';
export const options = { scenarios: {
  hangs: { executor: 'shared-iterations', exec: 'hangs', vus: 3, iterations: 3, maxDuration: '1s', gracefulStop: '0s' },
  looks: { executor: 'shared-iterations', exec: 'looks', startTime: '1500ms' },
} };
const kept = [];
export async function hangs() {
  const socket = new Socket();
  kept.push(socket);
  await socket.connect(Number(__ENV.COUNTS), '127.0.0.1');
  await new Promise(() => {});
}
export async function looks() {
  const socket = new Socket();
  const said = new Promise((resolve) => socket.on('data', (data) => resolve(String.fromCharCode(...data))));
  await socket.connect(Number(__ENV.COUNTS), '127.0.0.1');
  await socket.write('?');
  console.log(await said);
  socket.destroy();
}";
    use std::sync::atomic::{AtomicUsize, Ordering};
    static OPEN: AtomicUsize = AtomicUsize::new(0);
    let counts = tcp_server(|mut stream| {
        OPEN.fetch_add(1, Ordering::SeqCst);
        let mut byte = [0];
        while let Ok(1) = stream.read(&mut byte) {
            _ = stream.write_all(OPEN.load(Ordering::SeqCst).to_string().as_bytes());
        }
        OPEN.fetch_sub(1, Ordering::SeqCst);
    });
    for engine in engines() {
        check(engine, text, &[("COUNTS", counts.to_string())], &["1"]);
    }
}

/// Answers a request by its path: `/events` ends, `/cut` is cut off, `/hang` stays silent, `/auth` wants a header.
pub fn events(mut stream: TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let lower = head.to_lowercase();
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-A: b\r\n";
    let said = "id: 1\nevent: tick\ndata: a\ndata: b\n\n: note\n\nwhat\ndata: last\n\n";
    _ = match head.split(' ').nth(1).unwrap_or_default() {
        "/events" => {
            let chunks: String = said
                .as_bytes()
                .chunks(7)
                .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
                .collect();
            write!(stream, "{ok}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
        }
        "/cut" => write!(stream, "{ok}Content-Length: 1000\r\n\r\ndata: one\n\n"),
        "/hang" | "/endless" => {
            _ = write!(stream, "{ok}\r\ndata: one\n\ndata: two\n\n");
            stream.read_to_end(&mut Vec::new()).map(drop)
        }
        "/auth" => {
            let is_good = lower.contains("\r\nx-key: s\r\n") && lower.contains("\r\naccept: text/event-stream\r\n");
            let mut body = [0; 5];
            _ = stream.read_exact(&mut body);
            write!(
                stream,
                "HTTP/1.1 {} X\r\n\r\ndata: {} {}\n\n",
                if is_good { 200 } else { 401 },
                head.split(' ').next().unwrap(),
                String::from_utf8_lossy(&body)
            )
        }
        _ => Ok(()),
    };
}

#[test]
fn streams_of_events_are_read() {
    let port = tcp_server(events);
    let text = r"
import sse, { open as openStream } from 'k6/x/sse';
export const options = { thresholds: { 'sse_event{kind:ticks}': ['count==3'], http_reqs: ['count==5'] } };
let early;
try { openStream('http://127.0.0.1:1', () => {}); } catch (error) { early = String(error); }
const base = `http://127.0.0.1:${__ENV.PORT}`;
const listen = (path, params, on = () => {}) => sse.open(base + path, params, (client) => {
  client.on('open', () => console.log('open'));
  client.on('event', (event) => { console.log(JSON.stringify(event)); on(client); });
  client.on('error', (error) => console.log(error.error()));
});
export default function () {
  console.log(early);
  const response = listen('/events', { tags: { kind: 'ticks' } });
  console.log(response.status, response.url === `${base}/events`, response.headers['X-A'], response.error === '');
  console.log(listen('/cut', {}).error);
  console.log(listen('/hang', { timeout: '200ms' }).error);
  listen('/endless', {}, (client) => client.close());
  console.log(listen('/auth', { method: 'POST', body: 'hello', headers: { 'X-Key': 's' } }).status);
  const refused = sse.open('http://127.0.0.1:1', () => console.log('never'));
  console.log(refused.status, refused.error);
  for (const wrong of [() => sse.open('x'), () => sse.open(base, {}), () => sse.open(base, { timeout: 'x' }, () => {})]) {
    try { wrong(); } catch (error) { console.log(String(error)); }
  }
}";
    for engine in engines() {
        check(
            engine,
            text,
            &[("PORT", port.to_string())],
            &[
                "GoError: using sse in the init context is not supported",
                "open",
                r#"{"id":"1","name":"tick","data":"a\nb","comment":""}"#,
                r#"{"id":"","name":"","data":"","comment":"note"}"#,
                "unknown event: what",
                r#"{"id":"","name":"","data":"last","comment":""}"#,
                "200 true b true",
                "open",
                r#"{"id":"","name":"","data":"one","comment":""}"#,
                "unexpected EOF",
                "unexpected EOF",
                "open",
                r#"{"id":"","name":"","data":"one","comment":""}"#,
                r#"{"id":"","name":"","data":"two","comment":""}"#,
                "context deadline exceeded",
                "context deadline exceeded",
                "open",
                r#"{"id":"","name":"","data":"one","comment":""}"#,
                "open",
                r#"{"id":"","name":"","data":"POST hello","comment":""}"#,
                "200",
                "0 dial tcp 127.0.0.1:1: connect: connection refused",
                "GoError: invalid number of arguments to sse.open",
                "GoError: last argument to sse.open must be a function",
                "GoError: invalid sse.open() timeout: time: invalid duration \"x\"",
            ],
        );
    }
}
