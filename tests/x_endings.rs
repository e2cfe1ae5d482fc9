//! What becomes of `k6/x/dns`, `tcp`, `tls`, `sse` and `mqtt` when a server is silent, can't be believed, or is asked twice.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;

use crate::needs;
use crate::peers::free_port;
use crate::procedure_services::{service, until};
use crate::program::{engines, run};
use crate::redis::{self, check, logged, script};
use crate::x_net::{dns_server, tcp_server, tls_server};

/// Nobody waits for ever: a DNS server has 5 seconds, a TLS handshake 30.
#[test]
fn servers_that_say_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let text = r"
import dns from 'k6/x/dns';
import tls from 'k6/x/tls';
import { Socket } from 'k6/x/tcp';
import sse from 'k6/x/sse';
export const options = { thresholds: { dns_resolution_failed: ['rate==1'], tcp_errors: ['count==1'] }, scenarios: {
  default: { executor: 'shared-iterations' },
  events: { executor: 'shared-iterations', exec: 'events' },
} };
const port = Number(__ENV.SILENT);
const told = (promise) => promise.then(() => 'it answered', (error) => String(error).replace(/127[.\d]+:\d+/g, 'A'));
export default async function () {
  const socket = new Socket();
  const all = [dns.resolve('a.test', 'A', __ENV.DNS), tls.getCertificate(`127.0.0.1:${port}`), socket.connect({ port, host: '127.0.0.1', tls: true })];
  for (const text of await Promise.all(all.map(told))) console.log(text);
  console.log(socket.ready_state);
}
export function events() {
  const { status, error } = sse.open(`https://127.0.0.1:${port}/`, () => console.log('it answered'));
  if (status !== 0 || error !== 'tls: handshake timed out') console.log(status, error);
}";
    let env =
        [("SILENT", silent.local_addr().unwrap().port().to_string()), ("DNS", udp.local_addr().unwrap().to_string())];
    let expect = [
        "querying the DNS nameserver failed: read udp A: i/o timeout",
        "tls: handshake timed out",
        "TCP error during connect: TLS handshake failed: it timed out",
        "disconnected",
    ];
    thread::scope(|scope| {
        for engine in engines() {
            let env = &env;
            scope.spawn(move || check(engine, text, env, &expect));
        }
    });
}

#[test]
fn certificates_that_sockets_do_not_believe() {
    let text = r"
import { Socket } from 'k6/x/tcp';
const [old, other] = __ENV.PORTS.split(',').map(Number);
const told = (port) => new Socket().connect({ port, host: 'localhost', tls: true }).then(() => 'it answered', String);
export default async function () {
  for (const port of [old, other]) console.log((await told(port)).replace(/current time .*/, 'TIME'));
}";
    let (old, other) = (tls_server("localhost", 2001), tls_server("other.test", 2100));
    for engine in engines() {
        let expect = [
            "TCP error during connect: TLS handshake failed: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: TIME",
            "TCP error during connect: TLS handshake failed: tls: failed to verify certificate: x509: certificate is valid for other.test, not localhost",
        ];
        check(engine, text, &[("PORTS", format!("{old},{other}"))], &expect);
    }
}

#[test]
fn a_socket_is_connected_once() {
    let text = r"
import { Socket } from 'k6/x/tcp';
export const options = { thresholds: { 'tcp_sockets{try:second,host:127.0.0.1}': ['count==1'], 'tcp_errors{try:first}': ['count==1'] } };
const port = Number(__ENV.PORT);
const told = (promise) => promise.then(() => 'connected', String);
export default async function () {
  const socket = new Socket();
  console.log(await told(socket.connect({ port: 1, host: 'localhost', tags: { try: 'first', more: 'x' } })).then((text) => text.startsWith('TCP error')), socket.ready_state);
  const target = { port, host: '127.0.0.1', tags: { try: 'second' } };
  console.log((await Promise.all([told(socket.connect(target)), told(socket.connect(target))])).join('; '), socket.ready_state);
  console.log(await told(socket.connect(port)), socket.ready_state, socket.connected);
  const heard = new Promise((resolve) => socket.on('data', (data) => resolve(data.length)));
  await socket.write('abc');
  console.log(await heard);
  socket.destroy();
  console.log(await told(socket.connect(port)), socket.ready_state);
}";
    let echo = tcp_server(|mut stream| {
        let mut buffer = [0; 16];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            _ = stream.write_all(&buffer[..length]);
        }
    });
    for engine in engines() {
        let expect = [
            "true disconnected",
            "connected; TCP error during connect: the socket is connecting already open",
            "TCP error during connect: the socket is already connected open true",
            "3",
            "TCP error during connect: the socket is destroyed destroyed",
        ];
        check(engine, text, &[("PORT", echo.to_string())], &expect);
    }
}

#[test]
fn dns_beside_dnsmasq() {
    let mut command = Command::new(needs::program(&["dnsmasq"], "Debian: dnsmasq-base"));
    let port = free_port();
    command.args([
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
    ]);
    command.args(["--conf-file=/dev/null", "--pid-file=", "--local=/invalid/", "--txt-record=soak.test,hello,there"]);
    command.args(["--address=/soak.test/10.0.0.1", "--address=/soak.test/fd00::1", "--cname=alias.test,target.test"]);
    command.args(["--host-record=target.test,10.0.0.7", &format!("--port={port}")]);
    let _server = service(&mut command);
    until("dnsmasq", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let text = r"
import { resolve } from 'k6/x/dns';
const told = (...question) => resolve(...question, `127.0.0.1:${__ENV.PORT}`).then((list) => list.join(), (error) => error.name);
export default async function () {
  console.log(await told('soak.test', 'A'), await told('soak.test', 'AAAA'), await told('soak.test', 'TXT'), await told('alias.test', 'A'));
  console.log(await told('nobody.invalid', 'A'), await told('elsewhere.test', 'A'));
}";
    for engine in engines() {
        let expect = ["10.0.0.1 fd00::1 hellothere 10.0.0.7", "NonExistingDomain Refused"];
        check(engine, text, &[("PORT", port.to_string())], &expect);
    }
}

/// Answers with the cookie it got, sets one, and stays silent where it is asked to hang.
fn cookies(mut stream: TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let cookie = head.lines().find_map(|line| line.strip_prefix("Cookie: ")).unwrap_or("none");
    let agent = head.lines().find_map(|line| line.strip_prefix("User-Agent: ")).unwrap_or("none");
    _ = write!(stream, "HTTP/1.1 200 OK\r\nSet-Cookie: seen=1\r\n\r\ndata: {cookie} {agent}\n\n");
    if head.contains("/hang") {
        _ = stream.read_to_end(&mut Vec::new());
    }
}

#[test]
fn streams_of_events_with_cookies_that_throw_and_are_cut_off() {
    let port = tcp_server(cookies);
    let text = r"
import sse from 'k6/x/sse';
import http from 'k6/http';
export const options = { throw: true, userAgent: 'me/1', thresholds: { 'http_reqs{kind:cut}': ['count==1'] }, scenarios: {
  tells: { executor: 'shared-iterations', vus: 1, exec: 'tells' },
  cut: { executor: 'shared-iterations', vus: 1, exec: 'cut', maxDuration: '1s', gracefulStop: '0s' },
} };
const base = `http://127.0.0.1:${__ENV.PORT}/`;
const heard = (params) => { let text; sse.open(base, params, (client) => client.on('event', ({ data }) => { text = data; })); return text; };
const told = (work) => { try { return work(); } catch (error) { return String(error); } };
export function tells() {
  const jar = new http.CookieJar();
  jar.set(base, 'own', 'x');
  console.log(heard({}), heard({}), heard({ jar }), heard({ headers: { Cookie: 'mine=1', 'User-Agent': 'other' } }));
  console.log(told(() => sse.open('http://127.0.0.1:1', () => {})), told(() => sse.open(base, { tags: { a: {} } }, () => {})).startsWith('GoError: invalid sse.open() metric tags'));
  console.log(told(() => sse.open(base, () => { throw new Error('first'); })), told(() => sse.open(base, (client) => client.on('event', () => { throw new Error('second'); }))));
}
export function cut() { sse.open(`${base}hang`, { tags: { kind: 'cut' } }, () => {}); console.log('it ended'); }";
    for engine in engines() {
        let expect = [
            "none me/1 seen=1 me/1 own=x me/1 mine=1 other",
            "GoError: dial tcp 127.0.0.1:1: connect: connection refused true",
            "Error: first Error: second",
        ];
        check(engine, text, &[("PORT", port.to_string())], &expect);
    }
}

/// Lets a client in and then says nothing.
fn lets_in(mut stream: TcpStream) {
    _ = stream.read(&mut [0; 256]);
    _ = stream.write_all(&[0x20, 2, 0, 0]);
    _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_server_of_messages_that_falls_silent() {
    let port = tcp_server(lets_in);
    let text = r"
import { Client } from 'k6/x/mqtt';
const told = (work) => { try { return work(); } catch (error) { return String(error); } };
export default async function () {
  const client = new Client();
  const silence = new Promise((resolve) => client.on('reconnect', resolve));
  client.connect(`mqtt://127.0.0.1:${__ENV.PORT}`, { keepalive: 1 });
  const answer = client.publishAsync('t', 'x', { qos: 1 }).catch(String);
  await silence;
  console.log(await answer, client.connected);
  client.end();
  console.log(told(() => new Client(['127.0.0.1:1883'], 'user', 'password')));
}";
    for engine in engines() {
        let expect = [
            "MQTT error during publish: connection lost before Publish completed false",
            "GoError: invalid options type: []interface {}; expected object, as in new Client({ client_id })",
        ];
        check(engine, text, &[("PORT", port.to_string())], &expect);
    }
}

/// What was there when an iteration was cut off is counted, though no script has seen it.
#[test]
fn answers_that_are_there_when_an_iteration_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (_redis, redis) = redis::start(folder.path(), &[]);
    let [tcp, mqtt] = [|stream: TcpStream| drop(stream), lets_in].map(tcp_server);
    let (dns, tls) = (dns_server(), tls_server("localhost", 2100));
    let text = r"
import dns from 'k6/x/dns';
import tls from 'k6/x/tls';
import { Client as Mqtt } from 'k6/x/mqtt';
import { Client as Redis } from 'k6/x/redis';
import { Socket } from 'k6/x/tcp';
import { sleep } from 'k6';
const cut = { executor: 'shared-iterations', vus: 1, maxDuration: '5s', gracefulStop: '0s' };
export const options = { summaryTrendStats: ['count'], scenarios: { cut, thrown: { ...cut, exec: 'thrown', maxDuration: '1m' } } };
const at = (name) => `127.0.0.1:${__ENV[name]}`;
function begin() {
  const told = () => console.log('it went on');
  dns.resolve('a.test', 'A', at('DNS')).then(told, told);
  dns.lookup('localhost').then(told, told);
  tls.getCertificate(at('TLS')).then(told, told);
  new Socket().connect({ port: Number(__ENV.TCP), host: '127.0.0.1' }).then(told, told);
  new Mqtt().connectAsync(`mqtt://${at('MQTT')}`).then(told, told);
  new Redis(`redis://${at('REDIS')}`).set('a', 'b', 0).then(told, told);
}
export default function () { begin(); sleep(60); }
export function thrown() { begin(); sleep(5); throw new Error('that is all'); }
const METRICS = ['dns_resolutions', 'dns_resolution_duration', 'dns_lookups', 'tls_duration', 'tcp_sockets', 'tcp_errors', 'mqtt_calls', 'mqtt_duration', 'redis_duration'];
export function handleSummary({ metrics }) {
  console.log(METRICS.map((name) => metrics[name]?.values.count).join());
}";
    let env = [("DNS", dns), ("TLS", tls), ("TCP", tcp), ("MQTT", mqtt), ("REDIS", redis)];
    let env = env.map(|(name, port)| (name, port.to_string()));
    thread::scope(|scope| {
        for engine in engines() {
            let env = &env;
            scope.spawn(move || check(engine, text, env, &["2,2,2,2,2,,2,2,2"]));
        }
    });
}

/// A script runs as far as it uses nothing that is not here, and imports cost nothing by themselves.
#[test]
fn modules_that_are_imported_and_not_used() {
    let text = r"
import { Client as Redis } from 'k6/x/redis';
import { Client as Mqtt } from 'k6/x/mqtt';
import sql from 'k6/x/sql';
import mysql from 'k6/x/sql/driver/mysql';
import { browser } from 'k6/browser';
import exec from 'k6/x/exec';
import file from 'k6/x/file';
import one from 'k6/x/nowhere';
import two from 'k6/x/elsewhere';
export default function () { console.log('it runs', typeof Redis, typeof Mqtt, typeof sql, typeof mysql, browser !== undefined, typeof exec, typeof file, typeof one, typeof two); }";
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(script(&folder, engine, text, &[]).stdin(Stdio::null()).env("PATH", "/nowhere"));
        assert_eq!(outcome.code, 0, "{engine}: {}", outcome.stderr);
        let expect = "it runs function function object symbol true object object function function";
        assert_eq!(logged(&outcome.stderr), [expect], "{engine}: {}", outcome.stderr);
        for part in ["k6/x/elsewhere", "k6/x/nowhere", "Offered are: k6/x/dns, k6/x/exec"] {
            assert!(outcome.stderr.contains(part), "{engine}: {part}: {}", outcome.stderr);
        }
        assert!(fs::exists(folder.path().join("summary.json")).unwrap());
    }
}
