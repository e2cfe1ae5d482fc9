//! `k6/x/mqtt` beside Debian's mosquitto, on every engine of the build.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::needs;
use crate::peers::free_port;
use crate::procedure_services::{Service, service, until};
use crate::program::{Running, engines, run};
use crate::redis::{certificates, check, logged, script};

/// A server, and the ports it listens on.
pub struct Mosquitto {
    server: Service,
    pub plain: u16,
    tls: u16,
    web: u16,
    web_tls: u16,
}

/// A server that knows `u` with `s3cret`.
pub fn mosquitto(folder: &Path) -> Mosquitto {
    certificates(folder);
    let [plain, tls, web, web_tls] = [(); 4].map(|()| free_port());
    let at = |name: &str| folder.join(name).display().to_string();
    let mut passwords = Command::new(needs::program(&["mosquitto_passwd"], "Debian: mosquitto"));
    passwords.args(["-b", "-c", &at("passwords"), "u", "s3cret"]).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(passwords.status().unwrap().success());
    // SAFETY: takes nothing and can't fail.
    let user = if unsafe { libc::geteuid() } == 0 { "user root\n" } else { "" };
    let keys = || format!("cafile {}\ncertfile {}\nkeyfile {}\n", at("ca.pem"), at("cert.pem"), at("key.pem"));
    let config = format!(
        "{user}allow_anonymous false\npassword_file {}\nper_listener_settings false\nmax_queued_messages 0\nmax_inflight_messages 0\n\
         listener {plain} 127.0.0.1\nlistener {tls} 127.0.0.1\n{}listener {web} 127.0.0.1\nprotocol websockets\n\
         listener {web_tls} 127.0.0.1\nprotocol websockets\n{}",
        at("passwords"),
        keys(),
        keys(),
    );
    fs::write(folder.join("mosquitto.conf"), config).unwrap();
    let mut command = Command::new(needs::program(&["mosquitto"], "Debian: mosquitto"));
    let server = service(command.args(["-c", &at("mosquitto.conf")]));
    until("mosquitto", || [tls, web_tls].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()));
    Mosquitto { server, plain, tls, web, web_tls }
}

const HEAD: &str = r"
import mqtt, { Client } from 'k6/x/mqtt';
const told = (work) => { try { return work(); } catch (error) { return String(error).replace(/tcp [\d.]+:\d+: /, 'tcp A: '); } };
const say = (...values) => console.log(...values.map((value) => typeof value === 'string' ? value : JSON.stringify(value)));
const who = { username: 'u', password: 's3cret' };
const text = (buffer) => String.fromCharCode(...new Uint8Array(buffer));
const url = __ENV.MQTT;
";

fn with_head(text: &str) -> String {
    format!("{HEAD}{text}")
}

#[test]
fn messages_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let server = mosquitto(folder.path());
    let text = with_head(
        r"
const early = told(() => new Client(who).connect(url));
export default async function () {
  say(early, mqtt.Client === Client);
  const base = `t/${__ENV.ENGINE}`;
  const client = new Client({ ...who, tags: { mine: 'yes' } });
  say(client.connected, told(() => client.publish('x', 'y')), told(() => client.subscribe('x')), told(() => client.end()));
  const got = [], names = [];
  let done;
  const all = new Promise((resolve) => { done = resolve; });
  for (const name of ['connect', 'end', 'reconnect']) client.on(name, () => names.push(name));
  client.on('message', (topic, payload) => {
    got.push(`${topic.slice(base.length)}=${payload instanceof ArrayBuffer}:${text(payload)}`);
    if (got.length === 6) done();
  });
  say(client.connect(url, { keepalive: 2, connect_timeout: 5000, clean_session: true }), client.connected, names);
  say(client.subscribe(`${base}/#`, { qos: 2 }), await client.subscribeAsync([`${base}/a`, `${base}/b`]), client.unsubscribe([`${base}/a`, `${base}/b`]));
  client.publish(`${base}/0`, 'zero');
  client.publish(`${base}/1`, new Uint8Array([49]), { qos: 1 });
  client.publish(`${base}/2`, new Uint8Array([50]).buffer, { qos: 2, tags: { own: 'x' } });
  say(await client.publishAsync(`${base}/3`, 'three', { qos: 2 }));
  client.publish(`${base}/4`, '', { retain: true });
  await client.publishAsync(`${base}/5`, 'é', { qos: 1 });
  await all;
  say(...got.map((line) => line.replace(/Ã.*/, 'bytes')).sort());
  say(told(() => client.publish('t', {})), told(() => client.publish('', 'x')), told(() => client.publish('t', 'x', { qos: 3 })));
  say(told(() => client.subscribe([])), told(() => client.subscribe(5)), await client.unsubscribeAsync(`${base}/#`));
  client.reconnect();
  say(names, client.connected);
  client.end({ tags: { last: '1' } });
  client.end();
  say(names, client.connected, told(() => client.publish('x', 'y')), await client.publishAsync('x', 'y').catch((error) => `${error.name} ${error.method} ${error.message}`));
  // With a handler of errors, that alone gets them.
  const quiet = new Client(who);
  quiet.on('error', (error) => say('handled', String(error)));
  say(quiet.publish('x', 'y'), await quiet.connectAsync('mqtt://127.0.0.1:1').then(() => 'resolved'));
}
export function teardown() {}",
    );
    let (plain, web) = (format!("mqtt://127.0.0.1:{}", server.plain), format!("ws://127.0.0.1:{}/mqtt", server.web));
    for (engine, url) in engines().flat_map(|engine| [(engine, plain.clone()), (engine, web.clone())]) {
        let expect = [
            "GoError: connecting to an MQTT server in the init context is not supported true",
            "false MQTT error during publish: not connected MQTT error during subscribe: not connected ",
            " true [\"connect\"]",
            "  ",
            "",
            "/0=true:zero /1=true:1 /2=true:2 /3=true:three /4=true: /5=true:bytes",
            "MQTT error during publish: invalid type: String or ArrayBuffer expected MQTT error during publish: invalid Topic; it has to be a text of 1 to 65535 bytes MQTT error during publish: invalid QoS 3: 0, 1 and 2 are offered",
            "MQTT error during subscribe: invalid type: String or Array of String or Object expected MQTT error during subscribe: invalid type: String or Array of String or Object expected ",
            "[\"connect\",\"reconnect\",\"connect\"] true",
            "[\"connect\",\"reconnect\",\"connect\",\"end\",\"end\"] false MQTT error during publish: not connected MQTTError publish not connected",
            "handled MQTT error during publish: not connected",
            "handled MQTT error during connect: network Error : dial tcp 127.0.0.1:1: connect: connection refused",
            " resolved",
        ];
        let home = tempfile::tempdir().unwrap();
        let env = [("MQTT", url), ("ENGINE", engine.to_owned())];
        let outcome = run(&mut script(&home, engine, &text, &env));
        let said: Vec<String> = logged(&outcome.stderr).into_iter().map(|line| line.replace("undefined", "")).collect();
        assert_eq!(said, expect, "{engine}: {}", outcome.stderr);
        let summary: Value = serde_json::from_slice(&fs::read(home.path().join("summary.json")).unwrap()).unwrap();
        let count = |name: &str| summary["metrics"][name]["count"].as_f64().unwrap_or_default();
        assert_eq!((count("mqtt_messages_sent"), count("mqtt_messages_received")), (6.0, 6.0), "{summary}");
        assert!(count("mqtt_errors") >= 9.0 && count("data_sent") > 50.0, "{summary}");
        assert!(summary["metrics"]["mqtt_duration"]["max"].as_f64() > Some(0.0), "{summary}");
    }
}

#[test]
fn passwords_wills_and_tls() {
    let folder = tempfile::tempdir().unwrap();
    let server = mosquitto(folder.path());
    let (port, tls) = (server.plain, server.tls);
    let text = with_head(
        r"
export const options = { insecureSkipTLSVerify: __ENV.SKIP === '1', hosts: { 'broker.test': '127.0.0.1' }, blockHostnames: ['blocked.test'] };
const as = (options, target = url, more) => told(() => { const client = new Client(options); client.connect(target, more); client.end(); return 'in'; });
const safe = `mqtts://broker.test:${__ENV.TLS}`;
export default async function () {
  say(as(who), as({ username: 'u', password: 'wrong' }), as({}), as({ credentials_provider: () => who }), as({}, url.replace('//', '//u:s3cret@')));
  say(as(who, safe), as(who, safe.replace('mqtts', 'ssl')), as(who, `wss://broker.test:${__ENV.WEB_TLS}`), as(who, 'http://x'), as(who, 'mqtt://blocked.test'));
  say(as(who, undefined, { servers: ['mqtt://127.0.0.1:1', url] }), as(who, { servers: [url] }), as(who, {}), as(who, __ENV.SILENT, { connect_timeout: 200 }));
  const web = `ws://127.0.0.1:${__ENV.WEB}`;
  say(as({ username: 'u', password: 'wrong' }, web), as({}, web.replace('//', '//u:s3cret@')), as(who, url.replace('mqtt', 'ws'), { connect_timeout: 5000 }).split(' : ')[0], as(who, 'ws://127.0.0.1:1'));
  // A connection that is cut off has its will published, one that ends by itself has not.
  const topic = `will/${__ENV.ENGINE}${__ENV.SKIP}`;
  const watcher = new Client(who);
  let seen;
  const message = new Promise((resolve) => { seen = resolve; });
  watcher.on('message', (at, payload) => seen(text(payload)));
  watcher.connect(url);
  watcher.subscribe(topic);
  const will = (payload) => new Client({ ...who, client_id: `c-${__ENV.ENGINE}`, will: { topic, payload, qos: 1 } });
  const polite = will('polite');
  polite.connect(url);
  polite.end();
  const first = will('gone');
  first.connect(url);
  // The server closes a connection whose name another one has.
  const second = will('second');
  first.on('reconnect', () => first.end());
  second.connect(url);
  say(await message);
  second.end();
  watcher.end();
}",
    );
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let web = "MQTT error during connect: not Authorized in MQTT error during connect: network Error \
               MQTT error during connect: network Error : dial tcp A: connect: connection refused";
    for engine in engines() {
        for (skip, safe) in [
            ("1", "in in in"),
            (
                "0",
                "MQTT error during connect: network Error : tls: failed to verify certificate: x509: certificate is valid for localhost, not broker.test",
            ),
        ] {
            let safe = if skip == "1" { safe.to_owned() } else { format!("{safe} {safe} {safe}") };
            let expect = [
                "in MQTT error during connect: not Authorized MQTT error during connect: not Authorized in in".to_owned(),
                format!(
                    "{safe} MQTT error during connect: unknown scheme \"http\": mqtt, tcp, mqtts, ssl, tls, ws and wss are offered MQTT error during connect: \
                     network Error : hostname (blocked.test) is in a blocked pattern (blocked.test)"
                ),
                "in in MQTT error during connect: no servers defined to connect to MQTT error during connect: network Error : i/o timeout".to_owned(),
                web.to_owned(),
                "gone".to_owned(),
            ];
            let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
            let env = [
                ("MQTT", format!("mqtt://127.0.0.1:{port}")),
                ("TLS", tls.to_string()),
                ("WEB_TLS", server.web_tls.to_string()),
                ("WEB", server.web.to_string()),
                ("SKIP", skip.to_owned()),
                ("ENGINE", engine.to_owned()),
                ("SILENT", format!("tcp://{}", silent.local_addr().unwrap())),
            ];
            check(engine, &text, &env, &expect);
        }
    }
}

/// What was sent to a session that is away waits for it, where it was not asked to be forgotten.
#[test]
fn sessions_are_kept_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = mosquitto(folder.path());
    let text = with_head(
        r"
async function missed(clean_session) {
  const topic = `away/${__ENV.ENGINE}`;
  const options = { ...who, client_id: `away-${__ENV.ENGINE}` };
  const away = new Client(options);
  away.connect(url, { clean_session });
  away.subscribe(topic, { qos: 1 });
  away.end();
  const sender = new Client(who);
  sender.connect(url);
  sender.publish(topic, 'missed', { qos: 1 });
  const back = new Client(options), got = [];
  let last;
  const all = new Promise((resolve) => { last = resolve; });
  back.on('message', (at, payload) => { got.push(text(payload)); if (got.at(-1) === 'last') last(); });
  back.connect(url, { clean_session });
  back.subscribe(`${topic}/last`, { qos: 1 });
  sender.publish(`${topic}/last`, 'last', { qos: 1 });
  await all;
  for (const client of [back, sender]) client.end();
  return got;
}
export default async function () {
  say(await missed(false), await missed(true), await missed(undefined));
}",
    );
    for engine in engines() {
        let env = [("MQTT", format!("mqtt://127.0.0.1:{}", server.plain)), ("ENGINE", engine.to_owned())];
        check(engine, &text, &env, &[r#"["missed","last"] ["last"] ["last"]"#]);
    }
}

#[test]
fn many_vus_and_iterations_that_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let server = mosquitto(folder.path());
    let port = server.plain;
    let text = with_head(
        r"
import { check } from 'k6';
export const options = { thresholds: { checks: ['rate==1'], 'mqtt_duration{method:publish,status:ok}': ['max>0'] }, scenarios: {
  hangs: { executor: 'shared-iterations', exec: 'hangs', vus: 3, iterations: 3, maxDuration: '1s', gracefulStop: '0s' },
  many: { executor: 'shared-iterations', exec: 'many', vus: 50, iterations: 100 },
  looks: { executor: 'shared-iterations', exec: 'looks', startTime: '1500ms', maxDuration: '60s' },
} };
// A client keeps its iteration alive until it ends.
export function hangs() { const client = new Client({ ...who, will: { topic: `left/${__ENV.ENGINE}`, payload: 'x', retain: true } }); client.connect(url); }
export async function many() {
  const client = new Client(who), topic = `own/${__ENV.ENGINE}/${__VU}/${__ITER}`;
  const message = new Promise((resolve) => client.on('message', (at, payload) => resolve(text(payload))));
  await client.connectAsync(url);
  await client.subscribeAsync(topic, { qos: 1 });
  await client.publishAsync(topic, `${__VU}-${__ITER}`, { qos: 1 });
  check(await message, { own: (found) => found === `${__VU}-${__ITER}` });
  client.end();
}
// The will of one that was cut off shows that its connection is gone.
export async function looks() {
  const client = new Client(who);
  const message = new Promise((resolve) => client.on('message', (at, payload) => resolve(text(payload))));
  client.connect(url);
  client.subscribe(`left/${__ENV.ENGINE}`);
  say(await message);
  client.end();
}",
    );
    for engine in engines() {
        let env = [("MQTT", format!("mqtt://127.0.0.1:{port}")), ("ENGINE", engine.to_owned())];
        check(engine, &text, &env, &["x"]);
    }
}

#[test]
fn a_server_that_leaves() {
    let text = with_head(
        r"
export default function () {
  const client = new Client(who);
  client.on('reconnect', () => {
    say('reconnect', client.connected, told(() => client.publish('t', 'x', { qos: 1 })));
    client.end();
  });
  client.connect(url);
  client.publish('t', 'x', { qos: 1 });
  console.warn('up');
}",
    );
    for engine in engines() {
        let home = tempfile::tempdir().unwrap();
        let Mosquitto { server, plain: port, .. } = mosquitto(home.path());
        let folder = tempfile::tempdir().unwrap();
        let env = [("MQTT", format!("mqtt://127.0.0.1:{port}"))];
        let running = Running::start(&mut script(&folder, engine, &text, &env));
        running.wait_for("\"up\"");
        drop(server);
        let outcome = running.end();
        let expect = ["up", "reconnect false MQTT error during publish: not connected"];
        assert_eq!(logged(&outcome.stderr), expect, "{engine}: {}", outcome.stderr);
    }
}
