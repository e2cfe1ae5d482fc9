//! `k6/x/redis` beside Debian's Redis, on every engine of the build: all methods, a password, TLS, a cluster of three nodes, and
//! what becomes of commands when the server refuses, leaves, hangs, or their iteration is cut off.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::needs;
use crate::peers::free_port;
use crate::procedure_services::{Service, service, until};
use crate::program::{Running, engines, run, volley};

fn redis_server() -> Command {
    Command::new(needs::program(&["redis-server"], "Debian: redis-server"))
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// A server with these arguments beside its port.
pub fn start(folder: &Path, args: &[&str]) -> (Service, u16) {
    let port = free_port();
    let mut command = redis_server();
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]).args(args).current_dir(folder);
    let redis = service(&mut command);
    until("Redis", || listens(port));
    (redis, port)
}

/// Writes a script that logs, and how it is run.
pub fn script(folder: &TempDir, engine: &str, text: &str, env: &[(&str, String)]) -> Command {
    fs::write(folder.path().join("script.js"), text).unwrap();
    let mut command = volley(folder.path());
    command.args(["run", "--quiet", "--no-color", "--log-format=json", "--js-engine", engine]);
    for (name, value) in env {
        command.arg("-e").arg(format!("{name}={value}"));
    }
    command.args(["--summary-export=summary.json", "script.js"]);
    command
}

/// What a script logs.
pub fn logged(stderr: &str) -> Vec<String> {
    let lines = stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let own = lines.filter(|line| line["source"] == "console");
    own.map(|line| line["msg"].as_str().unwrap_or_default().to_owned()).collect()
}

pub fn check(engine: &str, text: &str, env: &[(&str, String)], expect: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(&mut script(&folder, engine, text, env));
    assert_eq!(logged(&outcome.stderr), expect, "{engine}: {}", outcome.stderr);
    assert_eq!(outcome.code, 0, "{engine}: {}", outcome.stderr);
}

const METHODS: &str = r"
import { Client } from 'k6/x/redis';
const client = new Client(__ENV.REDIS);
const early = client.get('x').catch((e) => String(e));
// Calls are made one after the other: over a pool they would overtake each other.
const c = new Proxy({}, { get: (_, name) => (...args) => () => client[name](...args) });
async function say(...calls) {
  const all = [];
  for (const call of calls) all.push(await call().catch((error) => String(error)));
  console.log(JSON.stringify(all));
}
export default async function () {
  await client.sendCommand('FLUSHDB');
  await say(() => early, c.set('a', 1, 0), c.set('b', true, 100), c.set('c', 1.5), c.getSet('a', 'x'), c.get('a'), c.get('nope'));
  await say(c.incr('n'), c.incrBy('n', 10), c.decr('n'), c.decrBy('n', 2), c.get('n'), c.incr('a'));
  await say(c.mget('a', 'nope', 'b'), c.exists('a', 'b', 'nope'), c.del('a', 'nope'), c.getDel('b'), c.exists('b'));
  await client.del('n');
  await say(c.expire('c', 50), c.ttl('c'), c.persist('c'), c.persist('c'), c.ttl('c'), c.ttl('nope'), c.randomKey());
  await say(c.rpush('l', 'a', 2, true), c.lpush('l', 'z'), c.lrange('l', 0, -1), c.lindex('l', 1), c.lset('l', 1, 'A'), c.llen('l'));
  await say(c.lrem('l', 0, '2'), c.lpop('l'), c.rpop('l'), c.rpop('l'), c.rpop('l'), c.lrange('l', 0, -1));
  await say(c.hset('h', 'f', 'v'), c.hsetnx('h', 'f', 'w'), c.hget('h', 'f'), c.hget('h', 'g'), c.hincrby('h', 'n', 3), c.hgetall('h'));
  await say(c.hkeys('h'), c.hvals('h'), c.hlen('h'), c.hdel('h', 'f', 'n'), c.hgetall('h'));
  await say(c.sadd('s', 'a', 'b', 3), c.sismember('s', 'a'), c.sismember('s', 'x'), c.srem('s', 'b', 'a'), c.smembers('s'));
  await say(c.srandmember('s'), c.spop('s'), c.spop('s'), c.smembers('s'), c.lpush('h', {}), c.sadd('h', [1]), c.hset('h', 'f', null));
  await say(c.sendCommand('SET', 'k', '\u00e9\u{1f600}'), c.get('k'), c.sendCommand('LLEN', 'k'), c.sendCommand('MGET', 'k', 'nope'));
  const big = 'x'.repeat(3000000);
  await client.set('big', big, 0);
  console.log((await client.get('big')) === big, client.isConnected());
}";

#[test]
fn every_method_does_what_redis_does() {
    let folder = tempfile::tempdir().unwrap();
    let (_redis, port) = start(folder.path(), &["--requirepass", "s3cret"]);
    for engine in engines() {
        let url = format!("redis://:s3cret@127.0.0.1:{port}/1");
        check(
            engine,
            METHODS,
            &[("REDIS", url)],
            &[
                r#"["connecting to a redis server in the init context is not supported","OK","OK","OK","1","x","redis: nil"]"#,
                r#"[1,11,10,8,"8","ERR value is not an integer or out of range"]"#,
                r#"[["x",null,"1"],2,1,"1",0]"#,
                r#"[true,50,true,false,-1e-9,-2e-9,"c"]"#,
                r#"[3,4,["z","a","2","1"],"a","OK",4]"#,
                r#"[1,"z","1","A","redis: nil",[]]"#,
                r#"[1,false,"v","redis: nil",3,{"f":"v","n":"3"}]"#,
                r#"[["f","n"],["v","3"],2,2,{}]"#,
                r#"[3,true,false,2,["3"]]"#,
                r#"["3","3","redis: nil",[],"unsupported type provided for argument at index 1, supported types are string, number, and boolean","unsupported type provided for argument at index 1, supported types are string, number, and boolean","unsupported type provided for argument at index 2, supported types are string, number, and boolean"]"#,
                "[\"OK\",\"\u{e9}\u{1f600}\",\"WRONGTYPE Operation against a key holding the wrong kind of value\",[\"\u{e9}\u{1f600}\",null]]",
                "true true",
            ],
        );
    }
}

/// A certificate of an authority of its own, for `localhost`, and one for a client: `ca.pem`, `cert.pem`, `key.pem`,
/// `client.pem`, `client-key.pem`.
pub fn certificates(folder: &Path) {
    let key = || rcgen::KeyPair::generate().unwrap();
    let authority_key = key();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    // OpenSSL takes two of one name for the same.
    params.distinguished_name.push(rcgen::DnType::CommonName, "authority");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(params, authority_key);
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    for (name, key_name) in [("cert.pem", "key.pem"), ("client.pem", "client-key.pem")] {
        let key = key();
        let signed =
            rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        fs::write(folder.join(name), signed.pem()).unwrap();
        fs::write(folder.join(key_name), key.serialize_pem()).unwrap();
    }
}

#[test]
fn tls_with_certificates_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let port = free_port();
    let mut command = redis_server();
    command.args(["--port", "0", "--tls-port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    command.args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem"]);
    let _redis = service(command.current_dir(folder.path()));
    until("Redis", || listens(port));
    let text = r"
import { Client } from 'k6/x/redis';
const read = (name) => open(`${__ENV.FOLDER}/${name}`);
const socket = { host: 'localhost', port: Number(__ENV.PORT) };
const good = new Client({ socket: { ...socket, tls: { ca: [read('ca.pem')], cert: read('client.pem'), key: read('client-key.pem') } } });
const unknown = new Client({ socket: { ...socket, tls: { cert: read('client.pem'), key: read('client-key.pem') } } });
const nameless = new Client({ socket: { ...socket, tls: { ca: [read('ca.pem')] } }, maxRetries: -1 });
const plain = new Client({ socket, maxRetries: -1 });
const fails = (client) => client.get('k').then(() => 'it answered', (error) => String(error));
export default async function () {
  console.log(await good.set('k', 'v', 0), await good.get('k'));
  console.log(await fails(unknown));
  console.log(await fails(nameless) !== 'it answered', await fails(plain) !== 'it answered');
}";
    for engine in engines() {
        let env = [("PORT", port.to_string()), ("FOLDER", folder.path().display().to_string())];
        let expect =
            ["OK v", "tls: failed to verify certificate: x509: certificate signed by unknown authority", "true true"];
        check(engine, text, &env, &expect);
    }
}

/// Three nodes that are a cluster, and where they are; over TLS with the certificates of this folder, by the name `localhost`.
fn cluster(folder: &Path, encrypts: bool) -> (Vec<Service>, Vec<u16>) {
    let tls = |name: &str| folder.join(name).display().to_string();
    let (services, ports): (Vec<Service>, Vec<u16>) = (0..3)
        .map(|node| {
            let home = folder.join(format!("node{node}"));
            fs::create_dir(&home).unwrap();
            let (port, bus) = (free_port(), free_port());
            let mut command = redis_server();
            command.args(["--bind", "127.0.0.1", "--save", "", "--cluster-enabled", "yes"]);
            command.args(["--cluster-port", &bus.to_string()]);
            if encrypts {
                command.args(["--port", "0", "--tls-port", &port.to_string(), "--tls-cluster", "yes"]);
                command.args(["--tls-cert-file", &tls("cert.pem"), "--tls-key-file", &tls("key.pem")]);
                command.args(["--tls-ca-cert-file", &tls("ca.pem"), "--tls-auth-clients", "no"]);
                command.args(["--cluster-announce-hostname", "localhost"]);
                command.args(["--cluster-preferred-endpoint-type", "hostname"]);
            } else {
                command.args(["--port", &port.to_string()]);
            }
            let redis = service(command.current_dir(&home));
            until("a node", || listens(port));
            (redis, port)
        })
        .unzip();
    let cli = || {
        let mut cli = Command::new(needs::program(&["redis-cli"], "Debian: redis-tools"));
        cli.stdin(Stdio::null()).stderr(Stdio::null());
        if encrypts {
            cli.args(["--tls", "--cacert", &tls("ca.pem"), "-h", "localhost"]);
        }
        cli
    };
    let nodes: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let mut create = cli();
    if encrypts {
        // It is told their addresses, which are not in the certificate.
        create.arg("--insecure");
    }
    let made = create.args(["--cluster", "create"]).args(&nodes).arg("--cluster-yes").output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    let is_up = |port: &u16| {
        let said = cli().args(["-p", &port.to_string(), "cluster", "info"]).output().unwrap().stdout;
        String::from_utf8_lossy(&said).contains("cluster_state:ok")
    };
    until("the cluster", || ports.iter().all(is_up));
    (services, ports)
}

#[test]
fn a_cluster_of_three_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let (_nodes, ports) = cluster(folder.path(), false);
    let text = r"
import { Client } from 'k6/x/redis';
const url = `redis://${__ENV.NODE}`;
const [host, port] = __ENV.NODE.split(':');
const clients = [
  new Client({ cluster: { nodes: [url] } }),
  new Client({ cluster: { nodes: ['redis://127.0.0.1:1', url], randomly: undefined, routeRandomly: true, maxRedirects: 5 } }),
  new Client({ cluster: { nodes: [{ socket: { host, port: Number(port) } }], readOnly: true, routeByLatency: true } }),
];
export default async function () {
  for (const client of clients) {
    const wrong = [];
    for (let i = 0; i < 60; i++) await client.set(`key${i}`, `value${i}`, 0);
    for (let i = 0; i < 60; i++) if (await client.get(`key${i}`) !== `value${i}`) wrong.push(i);
    console.log(wrong.length, JSON.stringify(await client.mget('{key1}', 'key1')), await client.mget('a', 'b').catch(String));
  }
  // A server that is asked as if it were alone redirects.
  const alone = new Client(url);
  const moved = await Promise.all([...Array(20).keys()].map((i) => alone.get(`key${i}`).catch(String)));
  console.log(moved.some((text) => text.startsWith('MOVED ')));
}";
    let cross = "CROSSSLOT Keys in request don't hash to the same slot";
    let line = format!("0 [null,\"value1\"] {cross}");
    for engine in engines() {
        check(engine, text, &[("NODE", format!("127.0.0.1:{}", ports[0]))], &[&line, &line, &line, "true"]);
    }
}

#[test]
fn a_cluster_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let (_nodes, ports) = cluster(folder.path(), true);
    let text = r"
import { Client } from 'k6/x/redis';
const ca = open(`${__ENV.FOLDER}/ca.pem`);
const nodes = __ENV.PORTS.split(',').map((port) => ({ socket: { host: 'localhost', port: Number(port), tls: { ca: [ca] } } }));
const client = new Client({ cluster: { nodes } });
const stranger = new Client({ cluster: { nodes: [`rediss://localhost:${nodes[0].socket.port}`] }, maxRetries: -1 });
export default async function () {
  const wrong = [];
  for (let i = 0; i < 60; i++) await client.set(`key${i}`, i, 0);
  for (let i = 0; i < 60; i++) if (await client.get(`key${i}`) !== String(i)) wrong.push(i);
  console.log(wrong.length, await stranger.get('key1').catch(String));
}";
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    for engine in engines() {
        let env = [("PORTS", ports.join(",")), ("FOLDER", folder.path().display().to_string())];
        let unknown = "0 tls: failed to verify certificate: x509: certificate signed by unknown authority";
        check(engine, text, &env, &[unknown]);
    }
}

/// What the server sees of a client's options.
#[test]
fn options_have_their_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (_redis, port) = start(folder.path(), &["--databases", "4"]);
    let text = r"
import { Client } from 'k6/x/redis';
import { sleep } from 'k6';
const port = Number(__ENV.PORT);
const make = (socket, more) => new Client({ socket: { host: '127.0.0.1', port, ...socket }, ...more });
const look = make({}, { clientName: 'look' });
// The connections that have this name: their ids, databases and users.
const seen = async (name) => (await look.sendCommand('CLIENT', 'LIST')).split('\n')
  .map((line) => Object.fromEntries(line.split(' ').map((pair) => pair.split('=')))).filter((one) => one.name === name);
const until = async (holds) => { for (let i = 0; i < 400; i++) { if (await holds()) return true; sleep(0.05); } return false; };
export default async function () {
  await look.sendCommand('ACL', 'SETUSER', 'anna', 'on', '>s3cret', '~*', '+@all');
  const named = make({}, { clientName: 'named', database: 3, username: 'anna', password: 's3cret' });
  await named.set('k', 'v', 0);
  const [one] = await seen('named');
  console.log(one.db, one.user, await look.exists('k'), await named.exists('k'));
  const warm = make({ minIdleConns: 3 }, { clientName: 'warm' });
  await warm.get('k').catch(String);
  console.log(await until(async () => (await seen('warm')).length >= 3));
  const aged = make({ maxConnAge: 50 }, { clientName: 'aged' });
  const id = async (client) => String(await client.sendCommand('CLIENT', 'ID'));
  const before = await id(aged);
  console.log(await id(look) === await id(look), await until(async () => await id(aged) !== before));
  const idle = make({ idleTimeout: 50, idleCheckFrequency: 50 }, { clientName: 'idle' });
  await idle.get('k').catch(String);
  console.log(await until(async () => (await seen('idle')).length === 0));
  // Ten wait for what one then brings; no more than two connections wait at once.
  const few = make({ poolSize: 2, poolTimeout: 20000, readTimeout: -1 }, { clientName: 'few' });
  const waiting = Promise.all([...Array(10).keys()].map(() => few.sendCommand('BLPOP', 'list', 0)));
  await until(async () => (await seen('few')).length === 2);
  for (let i = 0; i < 10; i++) await look.rpush('list', i);
  console.log((await waiting).length, (await seen('few')).length);
}";
    for engine in engines() {
        let expect = ["3 anna 0 1", "true", "true true", "true", "10 2"];
        check(engine, text, &[("PORT", port.to_string())], &expect);
    }
}

/// Where what reaches `port` is passed on, with its answers late by `delay`.
fn slow_way_to(port: u16, delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            let (mut near_read, mut far_write) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || {
                let _ = io::copy(&mut near_read, &mut far_write);
                let _ = far_write.shutdown(Shutdown::Write);
            });
            let (mut near, mut far) = (near, far);
            thread::spawn(move || {
                let mut chunk = [0; 65_536];
                while let Ok(length) = far.read(&mut chunk) {
                    thread::sleep(delay);
                    if length == 0 || near.write_all(&chunk[..length]).is_err() {
                        break;
                    }
                }
                let _ = near.shutdown(Shutdown::Both);
            });
        }
    });
    own
}

/// The master of the only shard is announced by a slow way, its replica by a fast one: the nodes' own counts say who was asked.
#[test]
fn reads_go_where_a_cluster_is_told_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let node = |name: &str, announced: &dyn Fn(u16) -> u16| {
        let home = folder.path().join(name);
        fs::create_dir(&home).unwrap();
        let (port, bus) = (free_port().to_string(), free_port().to_string());
        let announced = announced(port.parse().unwrap()).to_string();
        let mut command = redis_server();
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--cluster-enabled", "yes"]);
        command.args([
            "--cluster-port",
            &bus,
            "--cluster-announce-port",
            &announced,
            "--repl-diskless-sync-delay",
            "0",
        ]);
        let redis = service(command.current_dir(&home));
        until("a node", || listens(port.parse().unwrap()));
        (redis, port, bus)
    };
    let (_master, master, bus) = node("master", &|port| slow_way_to(port, Duration::from_millis(50)));
    let (_replica, replica, _) = node("replica", &|port| port);
    let ask = |port: &str, words: &[&str]| {
        let mut cli = Command::new(needs::program(&["redis-cli"], "Debian: redis-tools"));
        let said = cli.args(["-p", port]).args(words).stdin(Stdio::null()).output().unwrap().stdout;
        String::from_utf8_lossy(&said).trim().to_owned()
    };
    ask(&master, &["cluster", "addslotsrange", "0", "16383"]);
    ask(&replica, &["cluster", "meet", "127.0.0.1", &master, &bus]);
    let id = ask(&master, &["cluster", "myid"]);
    until("a replica", || ask(&replica, &["cluster", "replicate", &id]) == "OK");
    let is_up = |port: &&str| ask(port, &["cluster", "info"]).contains("cluster_state:ok");
    until("the cluster", || {
        [master.as_str(), &replica].iter().all(is_up)
            && ask(&master, &["cluster", "slots"]).contains(&replica)
            && ask(&replica, &["info", "replication"]).contains("master_link_status:up")
    });
    let text = r"
import { Client } from 'k6/x/redis';
const of = (port) => new Client(`redis://127.0.0.1:${port}`);
const [master, replica] = [of(__ENV.MASTER), of(__ENV.REPLICA)];
const READS = 40;
async function reads(options) {
  const client = new Client({ cluster: { nodes: [`redis://127.0.0.1:${__ENV.REPLICA}`], ...options } });
  for (const node of [master, replica]) await node.sendCommand('CONFIG', 'RESETSTAT');
  let wrong = 0;
  for (let i = 0; i < READS; i++) if (await client.get('k') !== 'v') wrong += 1;
  await client.set('w', 1, 0);
  const count = async (node, name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await node.sendCommand('INFO', 'commandstats'))?.[1] ?? 0);
  return wrong ? [`${wrong} wrong`] : [await count(master, 'get'), await count(replica, 'get'), await count(master, 'set')];
}
export default async function () {
  await master.set('k', 'v', 0);
  await master.sendCommand('WAIT', 1, 60000);
  console.log(...await reads({}), ...await reads({ readOnly: true }));
  const [slow, fast] = await reads({ routeRandomly: true });
  console.log(slow > 0, fast > 0, slow + fast);
  const [late, soon, writes] = await reads({ routeByLatency: true });
  console.log(late < READS / 2, late + soon, writes);
}";
    for engine in engines() {
        let env = [("MASTER", master.clone()), ("REPLICA", replica.clone())];
        check(engine, text, &env, &["40 0 1 0 40 1", "true true 40", "true 40 1"]);
    }
}

/// Peers that let a connection begin and do no more: what is sent waits, what is dialled waits, and so long as was said.
#[test]
fn dialling_and_writing_have_limits_of_their_own() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = r"
import { Client } from 'k6/x/redis';
const socket = { host: '127.0.0.1', port: Number(__ENV.SILENT), readTimeout: -1 };
const told = (promise) => promise.then(() => 'it answered', (error) => String(error).replace(/127[.\d]+:\d+->127[.\d]+:\d+/, 'A->B').replace(/:\d+:/, ':P:'));
export default async function () {
  const dials = new Client({ socket: { ...socket, dialTimeout: 100, tls: {} }, maxRetries: -1 });
  console.log(await told(dials.get('k')));
  const writes = new Client({ socket: { ...socket, writeTimeout: 100 }, maxRetries: -1 });
  console.log(await told(writes.set('k', 'x'.repeat(30000000), 0)));
}";
    for engine in engines() {
        let env = [("SILENT", silent.local_addr().unwrap().port().to_string())];
        check(engine, text, &env, &["dial tcp 127.0.0.1:P: i/o timeout", "write tcp A->B: i/o timeout"]);
    }
}

#[test]
fn a_server_that_refuses_or_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (_redis, port) = start(folder.path(), &["--requirepass", "s3cret"]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = r"
import { Client } from 'k6/x/redis';
const port = Number(__ENV.PORT);
const told = (client) => client.get('k').then(() => 'it answered', (error) => String(error).replace(/127[.\d]+:\d+->127[.\d]+:\d+/, 'A->B'));
export default async function () {
  console.log(await told(new Client(`redis://:wrong@127.0.0.1:${port}`)));
  console.log(await told(new Client(`redis://127.0.0.1:${port}`)));
  const nobody = new Client({ socket: { host: '127.0.0.1', port: 1 } });
  console.log(await told(nobody), nobody.isConnected());
  const blocked = new Client({ socket: { host: 'blocked.test', port } });
  console.log(await told(blocked));
  const socket = { host: '127.0.0.1', port: Number(__ENV.SILENT), readTimeout: 100, poolSize: 1, poolTimeout: 50 };
  const silent = new Client({ socket, maxRetries: -1 });
  console.log(await told(silent));
  console.log((await Promise.all([told(silent), told(silent)])).join(', '));
  for (const make of [() => new Client(), () => new Client('x'), () => new Client(5), () => new Client({ socket: {} })]) {
    try { make(); } catch (error) { console.log(String(error)); }
  }
}
export const options = { blockHostnames: ['blocked.test'] };";
    for engine in engines() {
        let env = [("PORT", port.to_string()), ("SILENT", silent.local_addr().unwrap().port().to_string())];
        let expect = [
            "WRONGPASS invalid username-password pair or user is disabled.",
            "NOAUTH Authentication required.",
            "dial tcp 127.0.0.1:1: connect: connection refused false",
            "hostname (blocked.test) is in a blocked pattern (blocked.test)",
            "read tcp A->B: i/o timeout",
            "read tcp A->B: i/o timeout, redis: connection pool timeout",
            "GoError: must specify one argument",
            "GoError: invalid options; reason: redis: invalid URL scheme: ",
            "GoError: invalid options type: int64; expected string or object",
            "GoError: empty socket options",
        ];
        check(engine, text, &env, &expect);
    }
}

#[test]
fn a_server_that_leaves_and_comes_back() {
    let text = r"
import { Client } from 'k6/x/redis';
import { sleep } from 'k6';
const client = new Client({ socket: { host: '127.0.0.1', port: Number(__ENV.PORT) }, maxRetries: 1 });
export default async function () {
  console.log(await client.set('k', 'v', 0));
  console.warn('up');
  let text;
  for (let i = 0; i < 400 && text === undefined; i++) { sleep(0.05); await client.get('k').catch((error) => { text = String(error); }); }
  console.log(text.includes('EOF') || text.includes('reset') || text.includes('connection refused'));
  console.warn('down');
  for (let i = 0; i < 400 && text !== undefined; i++) { sleep(0.05); await client.get('k').catch((error) => { text = error === 'redis: nil' ? undefined : String(error); }); if (client.isConnected()) break; }
  console.log(client.isConnected());
}";
    for engine in engines() {
        let home = tempfile::tempdir().unwrap();
        let (redis, port) = start(home.path(), &[]);
        let folder = tempfile::tempdir().unwrap();
        let running = Running::start(&mut script(&folder, engine, text, &[("PORT", port.to_string())]));
        running.wait_for("\"up\"");
        drop(redis);
        running.wait_for("\"down\"");
        let mut command = redis_server();
        let again = service(command.args(["--port", &port.to_string(), "--save", ""]).current_dir(home.path()));
        let outcome = running.end();
        drop(again);
        assert_eq!(logged(&outcome.stderr), ["OK", "up", "true", "down", "true"], "{engine}: {}", outcome.stderr);
    }
}

#[test]
fn an_iteration_that_is_cut_off_leaves_no_connection_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (_redis, port) = start(folder.path(), &[]);
    let text = r"
import { Client } from 'k6/x/redis';
export const options = { scenarios: {
  hangs: { executor: 'shared-iterations', exec: 'hangs', vus: 3, iterations: 3, maxDuration: '1s', gracefulStop: '0s' },
  looks: { executor: 'shared-iterations', exec: 'looks', startTime: '1500ms' },
} };
const hanging = new Client(`redis://127.0.0.1:${__ENV.PORT}?client_name=hanging&read_timeout=60s`);
export async function hangs() { await hanging.sendCommand('BLPOP', 'nothing', 0); console.log('it answered'); }
export async function looks() {
  const list = await new Client(`redis://127.0.0.1:${__ENV.PORT}?client_name=looking`).sendCommand('CLIENT', 'LIST');
  console.log(list.includes('name=looking'), list.includes('name=hanging'));
}";
    for engine in engines() {
        check(engine, text, &[("PORT", port.to_string())], &["true false"]);
    }
}

#[test]
fn a_hundred_vus_share_no_connection_and_are_timed() {
    let home = tempfile::tempdir().unwrap();
    let (_redis, port) = start(home.path(), &[]);
    let text = r"
import { Client } from 'k6/x/redis';
import { check } from 'k6';
export const options = { vus: 100, iterations: 3000, thresholds: { 'redis_duration{command:GET,status:ok}': ['max>0'], checks: ['rate==1'] } };
const client = new Client(`redis://127.0.0.1:${__ENV.PORT}`);
export default async function () {
  await client.set(`k${__VU}`, __ITER, 0);
  check(await client.get(`k${__VU}`), { 'own value': (text) => text === String(__ITER) });
}";
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(&mut script(&folder, engine, text, &[("PORT", port.to_string())]));
        assert_eq!(outcome.code, 0, "{engine}: {}", outcome.stderr);
        let summary = fs::read(folder.path().join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        assert_eq!(summary["metrics"]["checks"]["passes"], 3000, "{summary}");
        assert!(summary["metrics"]["data_sent"]["count"].as_f64() > Some(3000.0 * 50.0), "{summary}");
    }
}

/// A master and its replica, watched by a sentinel; what the sentinels say moves with a failover.
#[test]
fn sentinels_say_where_the_master_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder_of = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let (_first, master) = start(&folder_of("master"), &["--requirepass", "s3cret", "--masterauth", "s3cret"]);
    let follow = ["--requirepass", "s3cret", "--masterauth", "s3cret", "--replicaof", "127.0.0.1", &master.to_string()];
    let _replica = start(&folder_of("replica"), &follow);
    let port = free_port();
    let path = folder_of("sentinel").join("sentinel.conf");
    let watched = format!(
        "port {port}\nbind 127.0.0.1\nrequirepass watch\nsentinel sentinel-pass watch\n\
         sentinel monitor mine 127.0.0.1 {master} 1\nsentinel auth-pass mine s3cret\nsentinel down-after-milliseconds mine 60000\n"
    );
    fs::write(&path, watched).unwrap();
    let _sentinel = service(redis_server().arg(&path).arg("--sentinel"));
    until("a sentinel", || listens(port));
    let text = r"
import { Client } from 'k6/x/redis';
import { sleep } from 'k6';
const of = (options) => new Client({ socket: { host: '127.0.0.1', port: Number(__ENV.SENTINEL) }, password: 's3cret', masterName: 'mine', sentinelPassword: 'watch', ...options });
const told = (promise) => promise.catch((error) => String(error));
const watcher = new Client(`redis://:watch@127.0.0.1:${__ENV.SENTINEL}`);
const say = (...values) => console.log(JSON.stringify(values));
export default async function () {
  const client = of({});
  const role = async () => (await told(client.sendCommand('ROLE')))[0];
  say(await told(client.set('k', 'v', 0)), await told(client.get('k')), await role());
  say(await told(of({ masterName: 'other' }).get('k')), await told(of({ sentinelPassword: 'wrong' }).get('k')));
  // Another is master now: what was connected to the old one finds it.
  const before = (await watcher.sendCommand('SENTINEL', 'get-master-addr-by-name', 'mine'))[1];
  for (let i = 0; i < 600 && (await told(watcher.sendCommand('SENTINEL', 'failover', 'mine'))) !== 'OK'; i++) sleep(0.05);
  const master = async () => (await watcher.sendCommand('SENTINEL', 'get-master-addr-by-name', 'mine'))[1];
  for (let i = 0; i < 600 && (await master()) === before; i++) sleep(0.05);
  say((await master()) !== before, await role(), await told(of({}).set('k', 'w', 0)));
}";
    for engine in engines() {
        let unreachable = "redis: all sentinels specified in configuration are unreachable";
        let expect = [
            r#"["OK","v","master"]"#.to_owned(),
            format!("[\"{unreachable}\",\"{unreachable}\"]"),
            r#"[true,"master","OK"]"#.to_owned(),
        ];
        let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
        check(engine, text, &[("SENTINEL", port.to_string())], &expect);
    }
}

/// A connection that listens, or speaks another protocol, is not used again.
#[test]
fn a_subscription_does_not_spoil_the_pool() {
    let folder = tempfile::tempdir().unwrap();
    let (_redis, port) = start(folder.path(), &[]);
    let text = r"
import { Client } from 'k6/x/redis';
const client = new Client(__ENV.REDIS);
export default async function () {
  const first = await client.sendCommand('SUBSCRIBE', 'news');
  const seen = [first];
  for (let i = 0; i < 5; i++) seen.push(await client.sendCommand('PUBLISH', 'news', 'x'), await client.set('k', i, 0), await client.get('k'));
  await client.sendCommand('MONITOR');
  seen.push(await client.get('k'));
  console.log(JSON.stringify(seen));
}";
    for engine in engines() {
        let expect = r#"[["subscribe","news",1],0,"OK","0",0,"OK","1",0,"OK","2",0,"OK","3",0,"OK","4","4"]"#;
        check(engine, text, &[("REDIS", format!("redis://127.0.0.1:{port}"))], &[expect]);
    }
}
