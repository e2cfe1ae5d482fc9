//! Are the numbers true? A server does to thousands of requests what a seed says and writes down when; every point of
//! `-o json` is compared with that, or with the limit the client was given.
//!
//! No time may be shorter than the truth by more than 5 ms, or longer by more than 50. Requests, failures, checks and the
//! bytes of each virtual user have to be equal; where the kernel told the server that a client left without reading all,
//! what was received lies between the bytes that it has surely read and those that left.
//! `VOLLEY_TRUTH_SEED=n` repeats one seed, `VOLLEY_TRUTH_SEEDS=20` runs so many.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{self, Running, volley};
use crate::server;
use crate::truth_server::{Attempt, Deed, Door, Moment, Opened, Planned, Random, Seen, Server};

/// So much shorter than the truth a time may be, in milliseconds.
const SHORTER: f64 = 5.0;
/// So much longer.
const LONGER: f64 = 50.0;
const VUS: usize = 16;
/// Iterations of a VU.
const ITERATIONS: usize = 63;
/// How many requests a seed makes, five in an iteration; redirects come on top.
const REQUESTS: usize = VUS * ITERATIONS * 5;

const SCRIPT: &str = "
    import http from 'k6/http';
    import { check, sleep } from 'k6';
    import { SharedArray } from 'k6/data';
    const plan = new SharedArray('plan', () => JSON.parse(open('./plan.json')));
    const iterations = Number(__ENV.ITERATIONS);
    export const options = {
        scenarios: { s: { executor: 'per-vu-iterations', vus: Number(__ENV.VUS), iterations, maxDuration: '5m' } },
        insecureSkipTLSVerify: true, systemTags: ['url', 'status', 'error_code', 'vu'],
    };
    const told = (response) => check(response, { answered: (r) => r.status === 200 });
    export default async function () {
        const first = ((__VU - 1) * iterations + __ITER) * 5;
        const asked = [0, 1, 2, 3, 4].map((at) => plan[first + at]).map(([method, url, upload, limit]) =>
            [method, url, upload ? 'x'.repeat(upload) : null, { timeout: limit }]);
        if (__ITER % 3 === 0) for (const one of asked) told(http.request(...one));
        if (__ITER % 3 === 1) http.batch(asked).forEach(told);
        if (__ITER % 3 === 2) for (const one of asked.map((one) => http.asyncRequest(...one))) told(await one);
        // What comes after the last answer is counted too.
        if (__ITER === iterations - 1) sleep(0.3);
    }";

fn deed_of_h2(dice: u64) -> Deed {
    match dice {
        0..55 => Deed::Answer,
        55..65 => Deed::Drip,
        65..72 => Deed::Reset,
        72..79 => Deed::HalfThenReset,
        79..85 => Deed::HalfThenHangUp,
        85..90 => Deed::Silence,
        90..95 => Deed::HalfThenSilence,
        _ => Deed::SlowRead,
    }
}

fn deed_of_h1(dice: u64, target: usize) -> Deed {
    match dice {
        0..25 => Deed::Answer,
        25..32 => Deed::SlowHead,
        32..39 => Deed::Drip,
        39..46 => Deed::Chunks,
        46..52 => Deed::UntilClose,
        52..58 => Deed::Redirect(target),
        58..62 => Deed::Garbage,
        62..67 => Deed::Reset,
        67..74 => Deed::HangUp,
        74..77 => Deed::Silence,
        77..82 => Deed::HalfThenHangUp,
        82..86 => Deed::HalfThenReset,
        86..91 => Deed::BadChunk,
        91..94 => Deed::HalfThenSilence,
        94..97 => Deed::SecondTime,
        97..99 => Deed::SlowRead,
        _ => Deed::NeverReads,
    }
}

/// Draws what will be done; the first `REQUESTS` are asked for, the others are where redirects lead.
fn draw(seed: u64) -> Vec<Planned> {
    let mut random = Random(seed);
    let mut targets = Vec::new();
    let mut plan: Vec<Planned> = Vec::new();
    for _ in 0..REQUESTS {
        let door = match random.below(100) {
            0 => Door::Mute,
            1 => Door::Closed,
            2..60 => Door::Plain,
            60..75 => Door::Tls,
            _ => Door::H2,
        };
        let dice = random.below(100);
        let deed = match door {
            Door::H2 => deed_of_h2(dice),
            _ => deed_of_h1(dice, REQUESTS + targets.len()),
        };
        let (delay, pause, size) = (random.millis(0, 120), random.millis(30, 70), random.below(4) as usize);
        let is_silent = matches!(deed, Deed::Silence | Deed::HalfThenSilence | Deed::NeverReads) || door == Door::Mute;
        let planned = Planned {
            door,
            deed,
            delay,
            pause,
            size: if deed == Deed::Answer { random.below(20_000) as usize } else { size },
            upload: match (deed, door) {
                (Deed::NeverReads, _) => 12 << 20,
                (Deed::SlowRead, Door::H2) => 200_000,
                (Deed::SlowRead, _) => 5 << 20,
                // Without a body they are sent again where a kept connection gave no answer.
                (Deed::Reset | Deed::HangUp, _) => 10,
                (Deed::SecondTime, _) => 0,
                _ if random.below(4) == 0 => random.below(3000) as usize,
                _ => 0,
            },
            limit: if is_silent { delay + random.millis(250, 350) } else { Duration::from_secs(20) },
        };
        if let Deed::Redirect(_) = deed {
            let delay = random.millis(0, 60);
            targets.push(Planned { deed: Deed::Answer, delay, size: 10, upload: 0, ..planned });
        }
        plan.push(planned);
    }
    plan.append(&mut targets);
    plan
}

/// Notes how late the machine lets threads run: one of its own that sleeps, and those of the program and of the server
/// by what the kernel says that they waited for a processor.
struct Probe {
    ends: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<(Instant, Duration)>>,
}

impl Probe {
    /// What is shorter is no lateness worth telling.
    const WORTH: Duration = Duration::from_millis(2);

    fn start(program: u32) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let over = ends.clone();
        let thread = std::thread::spawn(move || {
            let (mut late, mut known) = (Vec::new(), HashMap::new());
            while !over.load(Relaxed) {
                let due = Instant::now() + Duration::from_millis(5);
                std::thread::sleep(Duration::from_millis(5));
                late.push((due, due.elapsed()));
                for (thread, waited) in waits(program) {
                    let before = known.insert(thread, waited).unwrap_or(waited);
                    let by = waited.saturating_sub(before);
                    late.extend(Instant::now().checked_sub(by).map(|from| (from, by)));
                }
                late.retain(|(_, by)| *by > Self::WORTH);
            }
            late
        });
        Self { ends, thread }
    }

    fn end(self) -> Vec<(Instant, Duration)> {
        self.ends.store(true, Relaxed);
        self.thread.join().expect("the probe ran")
    }
}

/// How long each thread of the program, and of this process, has waited for a processor (proc(5), `schedstat`). Nothing
/// where the system does not say.
fn waits(program: u32) -> Vec<(std::path::PathBuf, Duration)> {
    let folders = [format!("/proc/{program}/task"), "/proc/self/task".to_owned()];
    let threads = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let wait = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        Some((thread.path(), Duration::from_nanos(text.split_whitespace().nth(1)?.parse().ok()?)))
    };
    threads.filter_map(wait).collect()
}

/// The points of one request, by metric.
#[derive(Default)]
struct Points {
    values: HashMap<String, Vec<f64>>,
    status: String,
}

impl Points {
    fn get(&self, part: &str) -> f64 {
        self.values.get(&format!("http_req_{part}")).and_then(|values| values.first().copied()).unwrap_or(f64::NAN)
    }
}

/// What a file of points says.
#[derive(Default)]
struct Told {
    requests: HashMap<usize, Points>,
    sums: HashMap<String, f64>,
    /// By virtual user, from 1.
    bytes: HashMap<usize, Bytes>,
}

/// What a virtual user sent and received.
#[derive(Clone, Copy, Default)]
struct Bytes {
    sent: f64,
    received: f64,
    /// When they were counted last.
    counted: Option<SystemTime>,
}

fn read_points(path: &Path) -> Told {
    let mut told = Told::default();
    for line in fs::read_to_string(path).expect("the points are there").lines() {
        let line: Value = serde_json::from_str(line).expect("every line is whole");
        if line["type"] != "Point" {
            continue;
        }
        let (metric, data) = (line["metric"].as_str().unwrap_or_default(), &line["data"]);
        let value = data["value"].as_f64().unwrap_or(f64::NAN);
        *told.sums.entry(metric.to_owned()).or_default() += value;
        if let "data_sent" | "data_received" = metric {
            let vu = data["metadata"]["vu"].as_str().and_then(|vu| vu.parse().ok()).expect("bytes have a virtual user");
            let time: jiff::Timestamp = data["time"].as_str().unwrap_or_default().parse().expect("points have a time");
            let bytes = told.bytes.entry(vu).or_default();
            *(if metric == "data_sent" { &mut bytes.sent } else { &mut bytes.received }) += value;
            bytes.counted = bytes.counted.max(Some(time.into()));
        }
        if metric.starts_with("http_req") {
            let url = data["tags"]["url"].as_str().unwrap_or_default();
            let id = url.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a URL ends with a number");
            let points: &mut Points = told.requests.entry(id).or_default();
            points.values.entry(metric.to_owned()).or_default().push(value);
            points.status = data["tags"]["status"].as_str().unwrap_or_default().to_owned();
        }
    }
    told
}

/// A time that is not what it was.
struct Miss {
    /// The same for the same fault of the same request in another run.
    what: String,
    text: String,
    /// The machine was late just then: it may be its fault.
    is_excused: bool,
}

struct Judge<'a> {
    plan: &'a [Planned],
    late: &'a [(Instant, Duration)],
    misses: Vec<Miss>,
}

impl Judge<'_> {
    /// What nothing excuses.
    fn miss(&mut self, text: String) {
        self.misses.push(Miss { what: text.clone(), text, is_excused: false });
    }

    /// Compares one number with bounds in milliseconds; `around` is when it was measured.
    fn compare(
        &mut self,
        id: usize,
        what: &str,
        measured: f64,
        low: f64,
        high: f64,
        around: Option<(Instant, Instant)>,
    ) {
        if measured >= low - SHORTER && measured <= high + LONGER {
            return;
        }
        let margin = Duration::from_millis(100);
        let was_late = around.is_some_and(|(from, to)| {
            let is_near = |at: Instant, by: Duration| at + by + margin >= from && at <= to + margin;
            // A little is enough for what is short by a little.
            let much = if measured < low { Probe::WORTH } else { Duration::from_millis(15) };
            self.late.iter().any(|(at, by)| is_near(*at, *by) && *by > much)
        });
        let planned = self.plan[id];
        let what_of = format!("request {id}: {what}");
        let text = format!("{what_of} is {measured:.3} ms, not {low:.3} to {high:.3}: {planned:?}");
        // A thread that reads late gets two pieces as one, with the time of the second. Nothing else can be shorter than
        // the truth.
        let may_be_short = what == "receiving";
        self.misses.push(Miss { what: what_of, text, is_excused: was_late && (measured > high || may_be_short) });
    }

    /// A time that has to be none.
    fn none(&mut self, id: usize, what: &str, measured: f64) {
        // What is left of adding fractions.
        if measured.abs() > 1e-6 || measured.is_nan() {
            let text = format!("request {id}: {what} is {measured} ms: {:?}", self.plan[id]);
            self.miss(text);
        }
    }

    fn request(&mut self, id: usize, points: &Points, attempts: &[Attempt]) {
        let planned = self.plan[id];
        let part = |name: &str| points.get(name);
        let (sending, waiting, receiving) = (part("sending"), part("waiting"), part("receiving"));
        let (duration, blocked) = (part("duration"), part("blocked"));
        self.none(id, "what is missing in the sum of parts", sending + waiting + receiving - duration);
        let Some(last) = attempts.last() else {
            // It never got there: no connection, no times, and only then.
            let is_fair = matches!(planned.door, Door::Mute | Door::Closed) || planned.limit.as_millis() < 1000;
            self.none(id, "a duration without a connection", duration);
            self.none(id, "handshaking that never ended", part("tls_handshaking"));
            self.equal(&format!("request {id} may be missing"), f64::from(u8::from(is_fair)), 1.0);
            return;
        };
        let span = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e3;
        let until = |moment: Moment| (span(last.read, moment.before), span(last.read, moment.after));
        let ended = last.ended.map_or(last.read + planned.limit, |moment| moment.after);
        let around = Some((attempts[0].read, ended));
        // Attempts that got no answer and were made again.
        let earlier = |of: fn(Moment) -> Instant| {
            let ends = attempts[..attempts.len() - 1].iter().filter_map(|one| Some(span(one.read, of(one.ended?))));
            ends.sum::<f64>()
        };
        let (lost_low, lost_high) = (earlier(|moment| moment.before), earlier(|moment| moment.after));
        // What left after the limit came to nobody.
        let is_in_time = |moment: &Moment| blocked + span(last.read, moment.before) < planned.limit.as_secs_f64() * 1e3;
        let begun = last.begun.filter(is_in_time);
        if let Some(begun) = begun {
            let (low, high) = until(begun);
            self.compare(id, "until the first byte", sending + waiting, low + lost_low, high + lost_high, around);
        }
        match last.ended {
            Some(moment) => {
                let (low, high) = until(moment);
                self.compare(id, "duration", duration, low + lost_low, high + lost_high, around);
            }
            None => {
                let limit = planned.limit.as_secs_f64() * 1e3;
                self.compare(id, "until the limit", blocked + duration, limit, limit, around);
            }
        }
        match (begun, last.ended) {
            (Some(begun), Some(ended)) => {
                // Frames of HTTP/2 leave when their connection's turn comes.
                let low = if planned.door == Door::H2 { 0.0 } else { span(begun.after, ended.before) };
                self.compare(id, "receiving", receiving, low, span(begun.before, ended.after), around);
            }
            (None, _) => self.none(id, "receiving of nothing", receiving),
            _ => {}
        }
        // On HTTP/2 an upload waits for a window that others have filled.
        let may_wait = planned.door == Door::H2 && planned.upload > 0;
        if !may_wait && !matches!(planned.deed, Deed::SlowRead | Deed::NeverReads) {
            self.compare(id, "sending", sending, 0.0, 0.0, around);
        }
        if planned.deed == Deed::NeverReads {
            self.none(id, "waiting for who never read", waiting);
        }
        self.connection(id, points, last);
    }

    fn connection(&mut self, id: usize, points: &Points, last: &Attempt) {
        let (tls, connecting) = (points.get("tls_handshaking"), points.get("connecting"));
        let door = self.plan[id].door;
        match last.opened {
            // Who asked for the connection of HTTP/2 that came second shares the first.
            _ if door == Door::H2 => {}
            Some(Opened { accepted, greeted, shaken }) => {
                let span = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e3;
                let around = Some((accepted, shaken.after));
                let most = span(accepted, shaken.after);
                self.compare(id, "blocked", points.get("blocked"), span(accepted, shaken.before), most, around);
                self.compare(id, "tls_handshaking", tls, span(greeted, shaken.before), most, around);
            }
            None => self.none(id, "tls_handshaking of a kept connection", tls),
        }
        self.compare(id, "connecting", connecting, 0.0, 0.0, Some((last.read, last.read)));
    }

    /// Bytes, for each virtual user.
    fn bytes(&mut self, told: &Told, seen: &Seen) {
        for vu in 0..VUS {
            let told = told.bytes.get(&(vu + 1)).copied().unwrap_or_default();
            // Connections end with the run, after everything was counted.
            let until = told.counted.unwrap_or(SystemTime::UNIX_EPOCH);
            let own = || seen.connections.iter().filter(|connection| connection.vu == vu);
            let came: usize = own().map(|connection| connection.came(until)).sum();
            let (most, least) =
                own().map(|connection| connection.left(until)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            self.equal(&format!("data_sent of VU {vu}"), told.sent, came as f64);
            if !(least as f64..=most as f64).contains(&told.received) {
                let text = format!("data_received of VU {vu}: told {}, in truth {least} to {most}", told.received);
                self.miss(text);
            }
        }
    }

    /// What has to be equal.
    fn equal(&mut self, what: &str, told: f64, truth: f64) {
        if told != truth {
            self.miss(format!("{what}: told {told}, in truth {truth}"));
        }
    }
}

/// The status that a request got in truth.
fn status_of(planned: &Planned, attempts: usize) -> u16 {
    match planned.deed {
        _ if attempts == 0 => 0,
        Deed::Redirect(_) => 302,
        Deed::SecondTime if attempts < 2 => 0,
        Deed::Answer | Deed::SlowHead | Deed::Drip | Deed::Chunks | Deed::UntilClose => 200,
        Deed::SlowRead | Deed::SecondTime => 200,
        _ => 0,
    }
}

fn compare(plan: &[Planned], told: &Told, seen: &Seen, late: &[(Instant, Duration)]) -> Vec<Miss> {
    let mut judge = Judge { plan, late, misses: Vec::new() };
    let (mut failures, mut answered, mut requests) = (0.0, 0.0, 0.0);
    let nothing = Points::default();
    for (id, planned) in plan.iter().enumerate() {
        let attempts = seen.attempts.get(&id).map_or(&[][..], Vec::as_slice);
        let points = told.requests.get(&id).unwrap_or(&nothing);
        if id >= REQUESTS && attempts.is_empty() {
            continue;
        }
        requests += 1.0;
        let status = status_of(planned, attempts.len());
        judge.equal(
            &format!("status of request {id} {planned:?}"),
            points.status.parse().unwrap_or(-1.0),
            status.into(),
        );
        let times = points.values.get("http_reqs").map_or(0, Vec::len);
        judge.equal(&format!("points of request {id}"), times as f64, 1.0);
        failures += f64::from(u8::from(status == 0));
        answered += f64::from(u8::from(status == 200));
        judge.request(id, points, attempts);
    }
    let sum = |metric: &str| told.sums.get(metric).copied().unwrap_or(0.0);
    judge.equal("http_reqs", sum("http_reqs"), requests);
    judge.equal("http_req_failed", sum("http_req_failed"), failures);
    judge.equal("checks", sum("checks"), answered);
    judge.bytes(told, seen);
    judge.misses
}

/// One run of one seed.
fn attempt(engine: &str, seed: u64) -> Vec<Miss> {
    let plan = draw(seed);
    let server = Server::start(plan.clone(), seed, VUS);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let asked: Vec<Value> = plan[..REQUESTS]
        .iter()
        .enumerate()
        .map(|(id, planned)| {
            let [plain, tls, h2, mute, closed] = server.addresses[id / (5 * ITERATIONS)];
            let base = match planned.door {
                Door::Plain => format!("http://{plain}"),
                Door::Tls => format!("https://{tls}"),
                Door::H2 => format!("https://{h2}"),
                Door::Mute => format!("https://{mute}"),
                Door::Closed => format!("http://{closed}"),
            };
            let method = if planned.upload > 0 { "POST" } else { "GET" };
            json!([method, format!("{base}/{id}"), planned.upload, planned.limit.as_millis() as u64])
        })
        .collect();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file can be written");
    write("script.js", SCRIPT);
    write("plan.json", &Value::from(asked).to_string());
    let iterations = format!("ITERATIONS={ITERATIONS}");
    let vus = format!("VUS={VUS}");
    let args =
        ["run", "--quiet", "--log-output=none", "--summary-mode=disabled", "-o", "json=points.json", "script.js"];
    let more = ["--js-engine", engine, "-e", &vus, "-e", &iterations];
    let running = Running::start(volley(folder.path()).args(args).args(more));
    let probe = Probe::start(running.id());
    let outcome = running.end();
    let late = probe.end();
    assert_eq!(outcome.code, 0, "{engine}, seed {seed}\n{}", outcome.stderr);
    compare(&plan, &read_points(&folder.path().join("points.json")), &server.seen(), &late)
}

/// The seeds to run.
fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("seeds are numbers"));
    match (number("VOLLEY_TRUTH_SEED"), number("VOLLEY_TRUTH_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (1..=count.unwrap_or(1)).collect(),
    }
}

fn show(misses: &[Miss]) -> String {
    let mut lines: Vec<String> = misses.iter().map(|miss| miss.text.clone()).collect();
    lines.truncate(25);
    let excused = misses.iter().filter(|miss| miss.is_excused).count();
    format!("{} misses, {excused} of them while the machine was late\n{}", misses.len(), lines.join("\n"))
}

fn check_truth(engine: &str) {
    for seed in seeds() {
        let mut misses = attempt(engine, seed);
        // Where the machine was demonstrably late itself, once more: what it did to one request it does not do to the same
        // one again, and a fault of the program does.
        if !misses.is_empty() && misses.iter().all(|miss| miss.is_excused) {
            let before: HashSet<String> = misses.into_iter().map(|miss| miss.what).collect();
            misses = attempt(engine, seed);
            misses.retain(|miss| !miss.is_excused || before.contains(&miss.what));
        }
        assert!(misses.is_empty(), "VOLLEY_TRUTH_SEED={seed} on {engine}: {}", show(&misses));
    }
}

#[test]
fn every_point_is_true() {
    for engine in program::engines() {
        check_truth(engine);
    }
}

// Iterations that are cut off ------------------------------------------------------------------------------------

/// A server that counts its answers: `/quick` has one, `/redirect` leads to `/hang`, `/digest` asks who is there and then
/// hangs.
fn witness() -> (String, Arc<AtomicUsize>) {
    let answered: Arc<AtomicUsize> = Arc::default();
    let counter = answered.clone();
    let address = server::serve(move |stream: TcpStream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = stream;
        loop {
            let (mut first, mut is_known) = (String::new(), false);
            if reader.read_line(&mut first)? == 0 {
                return Ok(());
            }
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? <= 2 {
                    break;
                }
                is_known |= line.starts_with("Authorization: Digest");
            }
            let answer = match first.split_whitespace().nth(1).unwrap_or_default() {
                "/redirect" => "HTTP/1.1 302 Found\r\nLocation: /hang\r\nContent-Length: 0\r\n\r\n",
                "/digest" if !is_known => {
                    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\
                     Content-Length: 0\r\n\r\n"
                }
                path if path.starts_with("/quick") => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                // Nothing more, until the client leaves.
                _ => continue,
            };
            writer.write_all(answer.as_bytes())?;
            counter.fetch_add(1, Relaxed);
        }
    });
    (address.to_string(), answered)
}

/// Runs a script whose iterations are cut off while it waits; every answer the server gave has a sample.
fn check_interrupted(what: &str, options: &str, body: &str, by_signal: bool) {
    for engine in program::engines() {
        let (host, answered) = witness();
        let folder: TempDir = tempfile::tempdir().expect("a folder can be made");
        let script = format!(
            "import http from 'k6/http'; import exec from 'k6/execution'; import {{ sleep }} from 'k6';
             export const options = {{ scenarios: {{ s: {options} }} }};
             const url = (path) => 'http://{host}' + path;
             const digest = ['GET', 'http://ann:pw@{host}/digest', null, {{ auth: 'digest' }}];
             const all = [url('/quick?1'), url('/redirect'), digest, url('/quick?2'), url('/hang')];
             const later = () => all.map((one) => typeof one === 'string' ? http.asyncRequest('GET', one)
                 : http.asyncRequest(...one));
             export default async function () {{ {body} }}"
        );
        fs::write(folder.path().join("script.js"), script).expect("a file can be written");
        let args = ["run", "--quiet", "--log-format=raw", "-o", "json=points.json", "script.js", "--js-engine", engine];
        let running = Running::start(volley(folder.path()).args(args));
        if by_signal {
            let begun = Instant::now();
            while answered.load(Relaxed) < 4 && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(20));
            }
            // The last answer has to be read, too.
            std::thread::sleep(Duration::from_millis(300));
            running.interrupt();
        }
        let outcome = running.end();
        let told = read_witnessed(&folder.path().join("points.json"));
        let answered = answered.load(Relaxed);
        assert!(answered >= 4, "{what} on {engine}: {answered} answers\n{}", outcome.stderr);
        assert_eq!(told, answered, "{what} on {engine}\n{}", outcome.stderr);
    }
}

fn read_witnessed(path: &Path) -> usize {
    let text = fs::read_to_string(path).expect("the points are there");
    let points = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("every line is whole"));
    points.filter(|line| line["type"] == "Point" && line["metric"] == "http_reqs").count()
}

const ONE_SECOND: &str = "{ executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s' }";
const TWO_VUS: &str = "{ executor: 'per-vu-iterations', vus: 2, iterations: 1, maxDuration: '30s' }";

#[test]
fn the_end_of_a_scenario_keeps_what_was_answered() {
    check_interrupted("a batch", ONE_SECOND, "http.batch(all);", false);
    check_interrupted("promises", ONE_SECOND, "await Promise.all(later());", false);
}

#[test]
fn a_ramp_down_keeps_what_was_answered() {
    let ramp = "{ executor: 'ramping-vus', startVUs: 1, gracefulRampDown: '0s', gracefulStop: '0s', stages: [
        { duration: '1s', target: 1 }, { duration: '0s', target: 0 }, { duration: '1s', target: 0 }] }";
    check_interrupted("a ramp down", ramp, "http.batch(all);", false);
}

#[test]
fn max_duration_keeps_what_was_answered() {
    let shared = "{ executor: 'shared-iterations', vus: 1, iterations: 1, maxDuration: '1s', gracefulStop: '0s' }";
    check_interrupted("maxDuration", shared, "http.batch(all);", false);
}

#[test]
fn an_abort_keeps_what_was_answered() {
    let body = "if (__VU === 2) { sleep(1); exec.test.abort(); } http.batch(all);";
    check_interrupted("test.abort() of another VU", TWO_VUS, body, false);
    let body = "if (__VU === 2) return; later(); setTimeout(() => exec.test.abort(), 1000);";
    check_interrupted("its own test.abort()", TWO_VUS, body, false);
}

#[test]
fn an_exception_elsewhere_keeps_what_was_answered() {
    let body = "if (__VU === 2) return; later(); setTimeout(() => { throw new Error('out'); }, 1000);";
    check_interrupted("an exception", TWO_VUS, body, false);
    let body = "if (__VU === 2) return; later(); setTimeout(() => Promise.reject(new Error('out')), 1000);";
    check_interrupted("a rejection", TWO_VUS, body, false);
}

#[test]
fn ctrl_c_keeps_what_was_answered() {
    let long = "{ executor: 'constant-vus', vus: 1, duration: '60s', gracefulStop: '0s' }";
    check_interrupted("Ctrl+C", long, "http.batch(all);", true);
}
