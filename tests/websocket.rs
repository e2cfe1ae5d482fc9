//! The WebSocket half of the tests' server, and what is tested of sockets through the whole program: how they end when a
//! run ends, and what many of them cost.
//!
//! The server speaks through tungstenite, so that two libraries have to agree. Its addresses:
//!
//! ```text
//! /ws/echo             gives back what it gets; agrees to the first protocol that is asked for
//! /ws/request          says the headers of the handshake, as JSON
//! /ws/say/TEXT         says this at once
//! /ws/flood/N          says `m0` to `mN-1` at once
//! /ws/ping             pings, then says what the pong said
//! /ws/owe/KEY          after `go` says `b` and pings, in one write; after `done`, GET /told/KEY gives when the pong came
//! /ws/late             reads nothing for a while and says `now` meanwhile, then answers `ack` with `heard`
//! /ws/raw/HEX          sends these bytes at once, whatever they are
//! /ws/close/CODE/TEXT  says goodbye at once
//! /ws/cut              says `soon` and cuts the connection
//! /ws/cookie           sets a cookie in the handshake
//! /ws/hold/KEY         answers no handshake; GET /told/KEY-came answers once it is there, /told/KEY once the client has left
//! /ws/tell/KEY         GET /told/KEY gives the close frame it got: `CODE TEXT`
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::protocol::{CloseFrame, Role, WebSocket};
use tungstenite::{Message, handshake::derive_accept_key};

use crate::program::{Outcome, Running, engines, run, volley};
use crate::{needs, server};

/// The close frames that came, by the key of their connection.
static TOLD: Mutex<Option<HashMap<String, String>>> = Mutex::new(None);
static CAME: Condvar = Condvar::new();

/// The close frame of the connection with this key, once it is there.
pub fn told(key: &str) -> String {
    let told = TOLD.lock().expect("nobody panicked");
    let missing = |told: &mut Option<HashMap<String, String>>| !told.get_or_insert_default().contains_key(key);
    let (mut told, _) = CAME.wait_timeout_while(told, Duration::from_secs(20), missing).expect("nobody panicked");
    told.get_or_insert_default().get(key).cloned().unwrap_or_else(|| "nothing".to_owned())
}

fn tell(key: &str, text: String) {
    TOLD.lock().expect("nobody panicked").get_or_insert_default().insert(key.to_owned(), text);
    CAME.notify_all();
}

/// Shakes hands and does what the path says, until the client leaves.
pub fn serve(mut stream: TcpStream, path: &str, headers: &[(String, String)]) -> io::Result<()> {
    let header =
        |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let key = header("Sec-WebSocket-Key").map(String::as_str).unwrap_or_default();
    let mut more = String::new();
    if let (Some(protocols), "/ws/echo") = (header("Sec-WebSocket-Protocol"), path) {
        more += &format!("Sec-WebSocket-Protocol: {}\r\n", protocols.split(',').next().unwrap_or_default());
    }
    if path == "/ws/cookie" {
        more += "Set-Cookie: from=socket; Path=/\r\n";
    }
    if let Some(held) = path.strip_prefix("/ws/hold/") {
        tell(&format!("{held}-came"), "came".to_owned());
        _ = io::copy(&mut stream, &mut io::sink());
        tell(held, "gone".to_owned());
        return Ok(());
    }
    let accept = derive_accept_key(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Twice: a\r\nX-Twice: b\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )?;
    let parts: Vec<_> = path.trim_start_matches("/ws/").splitn(3, '/').collect();
    if let ["raw", bytes] = parts.as_slice() {
        stream.write_all(&unhex(bytes))?;
        return io::copy(&mut stream, &mut io::sink()).map(drop);
    }
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    // Whoever leaves in the middle of something is the client's business.
    _ = speak(&mut socket, &parts, headers);
    Ok(())
}

fn speak(
    socket: &mut WebSocket<TcpStream>,
    parts: &[&str],
    headers: &[(String, String)],
) -> Result<(), tungstenite::Error> {
    match parts {
        ["request"] => {
            let map: serde_json::Map<String, Value> =
                headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            socket.send(Message::text(Value::from(map).to_string()))?;
        }
        ["say", text] => socket.send(Message::text(*text))?,
        ["flood", count] => {
            for number in 0..count.parse().unwrap_or(0) {
                socket.write(Message::text(format!("m{number}")))?;
            }
            socket.flush()?;
        }
        ["ping"] => socket.send(Message::Ping("who?".into()))?,
        ["close", code, rest @ ..] => {
            let reason = rest.first().copied().unwrap_or_default().into();
            let code = code.parse().unwrap_or(1000u16).into();
            socket.close(Some(CloseFrame { code, reason }))?;
        }
        ["late"] => {
            std::thread::sleep(Duration::from_millis(100));
            socket.send(Message::text("now"))?;
            std::thread::sleep(Duration::from_millis(200));
        }
        ["cut"] => {
            socket.send(Message::text("soon"))?;
            return Ok(());
        }
        _ => {}
    }
    let (mut asked, mut answered) = (Instant::now(), None);
    loop {
        match socket.read()? {
            Message::Text(text) if parts[0] == "owe" && text == "go" => {
                socket.write(Message::text("b"))?;
                socket.write(Message::Ping("p".into()))?;
                asked = Instant::now();
                socket.flush()?;
            }
            Message::Text(text) if parts[0] == "owe" && text == "done" => {
                let is_prompt = answered.is_some_and(|answered: Duration| answered * 2 < asked.elapsed());
                tell(parts.last().unwrap_or(&""), if is_prompt { "at once" } else { "after the handler" }.to_owned());
            }
            Message::Pong(_) if parts[0] == "owe" => answered = Some(asked.elapsed()),
            Message::Text(text) if parts == ["late"] && text == "ack" => socket.send(Message::text("heard"))?,
            message @ (Message::Text(_) | Message::Binary(_)) if parts == ["echo"] => socket.send(message)?,
            Message::Pong(payload) if parts == ["ping"] => {
                socket.send(Message::text(format!("pong {}", String::from_utf8_lossy(&payload))))?;
            }
            Message::Close(frame) => {
                if let ["tell", key] = parts {
                    let said = frame.map(|frame| format!("{} {}", u16::from(frame.code), frame.reason));
                    tell(key, said.unwrap_or_else(|| "none".to_owned()));
                }
            }
            _ => {}
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// A script in a folder of its own, and how it is run.
struct Script {
    folder: TempDir,
    engine: &'static str,
    more: Vec<String>,
}

impl Script {
    fn new(engine: &'static str, text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("script.js"), text).expect("a file can be written");
        Self { folder, engine, more: Vec::new() }
    }

    fn with(mut self, more: &[&str]) -> Self {
        self.more.extend(more.iter().map(|word| (*word).to_owned()));
        self
    }

    fn command(&self) -> Command {
        let mut command = volley(self.folder.path());
        command.args(["run", "--quiet", "--log-format=raw", "--js-engine", self.engine]);
        command.args(["-o", "json=points.json", "--summary-export=summary.json", "-e"]);
        command.arg(format!("WS={}", server::url().replace("http", "ws"))).args(&self.more).arg("script.js");
        command
    }

    fn run(&self) -> Outcome {
        run(&mut self.command())
    }

    /// The samples of sockets: `metric tags` in alphabetical order, and how many of each.
    fn samples(&self) -> BTreeMap<String, usize> {
        let text = fs::read_to_string(self.folder.path().join("points.json")).expect("there are points");
        let mut samples = BTreeMap::new();
        for line in text.lines() {
            let point: Value = serde_json::from_str(line).expect("a line is JSON");
            let name = point["metric"].as_str().unwrap_or_default();
            if point["type"] != "Point" || !name.starts_with("ws_") {
                continue;
            }
            let tags: BTreeMap<String, Value> =
                serde_json::from_value(point["data"]["tags"].clone()).expect("tags are a map");
            let tags: Vec<String> = tags
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "group" | "scenario"))
                .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
                .collect();
            *samples.entry(format!("{name} {}", tags.join(" "))).or_default() += 1;
        }
        samples
    }

    fn value(&self, metric: &str, field: &str) -> f64 {
        let text = fs::read_to_string(self.folder.path().join("summary.json")).expect("there is a summary");
        let summary: Value = serde_json::from_str(&text).expect("it is JSON");
        summary["metrics"][metric][field].as_f64().unwrap_or_default()
    }
}

/// Both kinds of sockets, open until the run ends; `KEY` tells them apart.
const STAYING: &str = "import { WebSocket } from 'k6/websockets';
    import ws from 'k6/ws';
    export const options = { scenarios: {
        events: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s', exec: 'events' },
        blocking: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s', exec: 'blocking' },
    } };
    if (__ENV.LONG) for (const name of ['events', 'blocking']) options.scenarios[name].duration = '1h';
    export function events() {
        const socket = new WebSocket(`${__ENV.WS}/ws/tell/${__ENV.KEY}-events`);
        socket.onopen = () => { socket.send('x'); console.log('open'); };
        socket.onclose = () => console.log('must not be told');
    }
    export function blocking() {
        ws.connect(`${__ENV.WS}/ws/tell/${__ENV.KEY}-blocking`, (socket) => {
            socket.on('open', () => { socket.send('x'); console.log('open'); });
            socket.on('close', () => console.log('must not be told'));
        });
    }";

fn stays_until_the_end(engine: &'static str, key: &str, end: impl FnOnce(&Running) -> i32, more: &[&str]) {
    let key = format!("{engine}-{key}");
    let script = Script::new(engine, STAYING).with(&["-e", &format!("KEY={key}")]).with(more);
    let running = Running::start(&mut script.command());
    running.wait_for("open");
    running.wait_for("open");
    let code = end(&running);
    let outcome = running.end();
    assert_eq!(outcome.code, code, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("must not"), "{}", outcome.stderr);
    assert_eq!((told(&format!("{key}-events")), told(&format!("{key}-blocking"))), ("1000 ".into(), "1001 ".into()));
    for metric in ["ws_sessions", "ws_msgs_sent", "ws_session_duration"] {
        let of = |kind: &str| {
            let samples = script.samples();
            let mine = |name: &String| name.starts_with(&format!("{metric} ")) && name.contains(kind);
            samples.iter().filter(|(name, _)| mine(name)).map(|(_, count)| *count).sum::<usize>()
        };
        // k6 counts the farewell of k6/websockets as a message.
        let expect = if metric == "ws_msgs_sent" { (2, 1) } else { (1, 1) };
        assert_eq!((of("-events"), of("-blocking")), expect, "{metric} {:?}", script.samples());
    }
}

#[test]
fn sockets_say_goodbye_when_a_scenario_ends() {
    engines().for_each(|engine| stays_until_the_end(engine, "scenario", |_| 0, &[]));
}

#[test]
fn sockets_say_goodbye_when_a_run_is_interrupted() {
    let interrupt = |running: &Running| {
        running.interrupt();
        105
    };
    engines().for_each(|engine| stays_until_the_end(engine, "interrupted", interrupt, &["-e", "LONG=1"]));
}

/// A ping that comes with a message is answered while the handler of that message computes, by the server's clock.
#[test]
fn a_pong_does_not_wait_for_a_handler() {
    let script = "import { WebSocket } from 'k6/websockets';
        export default function () {
            const socket = new WebSocket(`${__ENV.WS}/ws/owe/${__ENV.KEY}`);
            socket.onopen = () => setTimeout(() => socket.send('go'), 200);
            socket.onmessage = () => {
                for (const until = Date.now() + 800; Date.now() < until; );
                socket.send('done');
                socket.close();
            };
        }";
    for engine in engines() {
        let key = format!("owe-{engine}");
        let outcome = Script::new(engine, script).with(&["-e", &format!("KEY={key}")]).run();
        assert_eq!((outcome.code, &*told(&key)), (0, "at once"), "{engine}: {}", outcome.stderr);
    }
}

#[test]
fn samples_have_their_tags() {
    let script = "import { WebSocket } from 'k6/websockets';
        import ws from 'k6/ws';
        import { group } from 'k6';
        const talk = (socket) => { socket.onopen = () => { socket.send('x'); socket.ping(); }; socket.onpong = () => socket.close(); };
        export default function () {
            group('g', () => talk(new WebSocket(`${__ENV.WS}/ws/echo?1`, 'p', { tags: { own: 1 } })));
            talk(new WebSocket(`${__ENV.WS}/ws/echo?2`, null, { tags: { name: 'named' } }));
            new WebSocket('ws://127.0.0.1:1/');
            const first = ws.connect(`${__ENV.WS}/ws/echo?3`, { tags: { own: true } }, (socket) => {
                socket.on('open', () => { socket.send('x'); socket.ping(); });
                socket.on('pong', () => socket.close());
            });
            ws.connect('ws://127.0.0.1:1/', null, () => {});
        }";
    for engine in engines() {
        let script = Script::new(engine, script).with(&["--system-tags", "url,name,status,subproto,ip,group,scenario"]);
        let outcome = script.run();
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let url = |number| format!("{}/ws/echo?{number}", server::url().replace("http", "ws"));
        let first = format!("ip=127.0.0.1 name={0} own=1 status=101 subproto=p url={0}", url(1));
        let second = "ip=127.0.0.1 name=named status=101 subproto= url=named".to_owned();
        let refused = "name=ws://127.0.0.1:1/ url=ws://127.0.0.1:1/".to_owned();
        let third = format!("ip=127.0.0.1 own=true status=101 subproto= url={}", url(3));
        let fourth = "url=ws://127.0.0.1:1/".to_owned();
        let mut expect = BTreeMap::new();
        let mut add = |metric: &str, tags: &str, count| _ = expect.insert(format!("{metric} {tags}"), count);
        for tags in [&first, &second, &third] {
            for metric in ["ws_sessions", "ws_connecting", "ws_session_duration", "ws_ping", "ws_msgs_received"] {
                add(metric, tags, 1);
            }
        }
        for tags in [&first, &second] {
            add("ws_msgs_sent", tags, 3);
        }
        add("ws_msgs_sent", &third, 1);
        for tags in [&refused, &fourth] {
            add("ws_sessions", tags, 1);
            add("ws_connecting", tags, 1);
        }
        add("ws_session_duration", &fourth, 1);
        assert_eq!(script.samples(), expect, "{engine}\n{}", outcome.stderr);
    }
}

#[test]
fn the_rules_for_addresses_hold() {
    let script = "import { WebSocket } from 'k6/websockets';
        const address = __ENV.WS.split('//')[1];
        export const options = {
            hosts: { 'own.test': address },
            blockHostnames: ['*.blocked.test'],
            blacklistIPs: ['127.0.0.9/32'],
        };
        const open = (url) => new Promise((done) => {
            const socket = new WebSocket(url);
            socket.onmessage = (event) => { console.log(event.data); socket.close(); };
            socket.onerror = (event) => console.log(event.error);
            socket.onclose = done;
        });
        export default async function () {
            await open('ws://own.test/ws/say/found');
            await open('ws://a.blocked.test/');
            await open('ws://127.0.0.9/');
        }";
    for engine in engines() {
        let script = Script::new(engine, script);
        let outcome = script.run();
        let said: Vec<_> = outcome.stderr.lines().collect();
        assert_eq!(
            said,
            [
                "found",
                "hostname (a.blocked.test) is in a blocked pattern (*.blocked.test)",
                "IP (127.0.0.9) is in a blacklisted range (127.0.0.9/32)",
            ]
        );
        assert!(script.value("data_sent", "count") > 150.0 && script.value("data_received", "count") > 100.0);
    }
}

/// A server of Python's `websockets`, plain and over TLS; it ends with this value.
struct Python(Child, String);

impl Python {
    fn start(folder: &Path) -> Self {
        const PROGRAM: &str = "import asyncio, ssl, websockets
async def echo(socket, path=None):
    async for message in socket: await socket.send(message)
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain('cert.pem', 'key.pem')
    async with websockets.serve(echo, '127.0.0.1', 0, max_size=None) as plain:
        async with websockets.serve(echo, '127.0.0.1', 0, max_size=None, ssl=context) as tls:
            port = lambda server: server.sockets[0].getsockname()[1]
            print(f'ws://127.0.0.1:{port(plain)}/,wss://127.0.0.1:{port(tls)}/', flush=True)
            await asyncio.Future()
asyncio.run(main())";
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
        fs::write(folder.join("cert.pem"), signed.cert.pem()).expect("a file can be written");
        fs::write(folder.join("key.pem"), signed.signing_key.serialize_pem()).expect("a file can be written");
        let mut command = needs::python("websockets", "python3-websockets");
        command.args(["-c", PROGRAM]).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("python starts");
        let mut line = String::new();
        let read = BufReader::new(process.stdout.take().expect("stdout is piped")).read_line(&mut line);
        let this = Self(process, line.trim().to_owned());
        assert!(read.is_ok_and(|count| count > 0), "python did not say where it listens");
        this
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn messages_are_packed_for_a_server_of_another_kind() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let python = Python::start(folder.path());
    let script = "import { WebSocket } from 'k6/websockets';
        export const options = { insecureSkipTLSVerify: true };
        const texts = ['', 'short', 'long '.repeat(40000)];
        const open = (url) => new Promise((done) => {
            const socket = new WebSocket(url, null, { compression: 'deflate' });
            let count = 0;
            socket.onopen = () => { console.log(socket.extensions.join().split(';')[0]); texts.forEach((text) => socket.send(text)); };
            socket.onmessage = (event) => {
                if (event.data !== texts[count++]) console.log('something else came back');
                if (count === texts.length) socket.close();
            };
            socket.onerror = (event) => console.log(event.error);
            socket.onclose = (event) => done(console.log(count, event.code));
        });
        export default async function () {
            for (const url of __ENV.PYTHON.split(',')) await open(url);
        }";
    for engine in engines() {
        let script = Script::new(engine, script).with(&["-e", &format!("PYTHON={}", python.1)]);
        let outcome = script.run();
        let said: Vec<_> = outcome.stderr.lines().collect();
        assert_eq!(said, ["permessage-deflate", "3 1000", "permessage-deflate", "3 1000"], "{engine}");
        let (sent, received) = (script.value("data_sent", "count"), script.value("data_received", "count"));
        assert!(sent < 20_000.0 && received < 20_000.0, "{sent} {received}");
    }
}
