//! A VU's own thread serves its idle connections, and nobody can tell: not from the server's side, not by the times.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::http_client::*;
use super::stand_in::SocketWatch;
use crate::net::http::message::{BodyMode, Exchange, Request};
use crate::net::http::tests::wait;
use crate::net::http::{Body, Url};
use crate::net::{Config, Net};

/// What a server sends in answer to `path`, and how long after it has said so.
struct Answer {
    bytes: Vec<u8>,
    after: Duration,
    /// After each of them, another part of the bytes.
    pieces: Vec<Duration>,
    /// When all of it had left is written there.
    left: Option<&'static Mutex<Option<Instant>>>,
    /// The connection is closed without announcement.
    closes: bool,
    /// It is reset then.
    resets: bool,
}

fn at_once(bytes: impl Into<Vec<u8>>) -> Answer {
    Answer { bytes: bytes.into(), after: Duration::ZERO, pieces: Vec::new(), left: None, closes: false, resets: false }
}

fn ok(body: &str) -> Answer {
    at_once(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// Which path was asked for over which connection, in the order of the server.
type Seen = Arc<Mutex<Vec<(usize, String)>>>;

/// A server that answers as `answer` says.
fn server(answer: fn(&str) -> Answer) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Seen::default());
    let record = seen.clone();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let record = record.clone();
            std::thread::spawn(move || serve(stream.unwrap(), number, answer, &record));
        }
    });
    (address, seen)
}

fn serve(mut stream: TcpStream, number: usize, answer: fn(&str) -> Answer, record: &Seen) {
    let mut input = Vec::new();
    let mut room = [0; 65536];
    while let Ok(count @ 1..) = stream.read(&mut room) {
        input.extend_from_slice(&room[..count]);
        let text = String::from_utf8_lossy(&input);
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0);
        if input.len() < end + 4 + length {
            continue;
        }
        let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
        input.clear();
        record.lock().unwrap().push((number, path.clone()));
        let Answer { bytes, after, pieces, left, closes, resets } = answer(&path);
        std::thread::sleep(after);
        let mut rest = &bytes[..];
        for pause in &pieces {
            let (piece, others) = rest.split_at(bytes.len() / (pieces.len() + 1));
            _ = stream.write_all(piece);
            rest = others;
            std::thread::sleep(*pause);
        }
        let is_written = stream.write_all(rest).is_ok();
        if let Some(left) = left {
            *left.lock().unwrap() = Some(Instant::now());
        }
        if resets {
            // What was written arrives before the reset does.
            std::thread::sleep(Duration::from_millis(20));
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
        if !is_written || closes {
            return;
        }
    }
}

fn client() -> HttpClient {
    HttpClient::new(Net::start(Config::default(), 1, &crate::log::Logger::silent()).unwrap().client(0))
}

fn url(address: SocketAddr, path: &str) -> Url {
    Url::parse(&format!("http://{address}{path}")).unwrap()
}

fn status(exchange: &Exchange) -> u16 {
    exchange.result.as_ref().map_or_else(|error| panic!("{error:?}"), |response| response.status)
}

/// Has an idle connection to the server served by this thread. The kernel begins to stamp some moments after it was asked to.
fn settle(client: &HttpClient, address: SocketAddr) {
    let url = url(address, "/");
    for _ in 0..200 {
        assert_eq!(status(&wait(client.send(Request::get(url.clone())))), 200);
        if client.here.as_ref().unwrap().serves(&url) {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("the connection stayed where it was");
}

/// Sends a request and does not look at the answer before `busy` is over.
fn while_busy(client: &HttpClient, request: Request, busy: Duration) -> (Exchange, Instant) {
    wait(async {
        let mut exchanging = std::pin::pin!(client.send(request));
        assert!(futures_util::poll!(exchanging.as_mut()).is_pending());
        std::thread::sleep(busy);
        let looked = Instant::now();
        (exchanging.await, looked)
    })
}

#[test]
fn one_connection_carries_everything_wherever_it_is_served() {
    let (address, seen) = server(|path| match path {
        "/moved" => at_once("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        "/long" => ok(&"x".repeat(300_000)),
        "/chunks" => {
            let chunk = format!("{:x}\r\n{}\r\n", 10_000, "y".repeat(10_000));
            at_once(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(20)))
        }
        "/empty" => at_once("HTTP/1.1 204 No Content\r\n\r\n"),
        _ => ok("hello"),
    });
    let client = client();
    settle(&client, address);
    let is_here = |path: &str| client.here.as_ref().unwrap().serves(&url(address, path));
    // The path, how it is asked for, what comes of it, and whether the connection is ours afterwards.
    let get = |path: &str| Request::get(url(address, path));
    let post = |path: &str, length: usize| Request {
        method: "POST".into(),
        body: Some(Body::Bytes(vec![b'b'; length].into())),
        ..get(path)
    };
    for (request, length, ours) in [
        (get("/"), 5, true),
        (post("/", 8 * 1024), 5, true),
        (get("/moved"), 5, true),
        (get("/long"), 300_000, false),
        (get("/long"), 300_000, false),
        (get("/"), 5, true),
        (get("/chunks"), 200_000, false),
        (get("/empty"), 0, true),
        (post("/", 100_000), 5, false),
        (post("/", 100_000), 5, false),
        (Request { body_mode: BodyMode::Discard, ..get("/") }, 0, true),
        (Request { body_mode: BodyMode::Discard, ..get("/long") }, 0, false),
        (get("/moved"), 5, true),
    ] {
        let path = request.url.path().to_owned();
        let exchange = wait(client.send(request));
        let body = exchange.result.as_ref().unwrap().body.as_ref().map_or(0, |body| body.len());
        assert_eq!((body, is_here("/")), (length, ours), "{path}");
        assert_eq!(exchange.hops.len(), if path == "/moved" { 2 } else { 1 }, "{path}");
    }
    assert!(seen.lock().unwrap().iter().all(|(number, _)| *number == 0), "{seen:?}");
}

#[test]
fn redirects_to_other_hosts_use_what_is_idle() {
    let (there, seen_there) = server(|_| ok("there"));
    static THERE: Mutex<String> = Mutex::new(String::new());
    *THERE.lock().unwrap() = there.to_string();
    let (here, seen_here) = server(|path| match path {
        "/" => ok("here"),
        _ => {
            let there = THERE.lock().unwrap();
            at_once(format!("HTTP/1.1 302 Found\r\nLocation: http://{there}/\r\nContent-Length: 0\r\n\r\n"))
        }
    });
    let client = client();
    settle(&client, here);
    for _ in 0..3 {
        let exchange = wait(client.send(Request::get(url(here, "/moved"))));
        assert_eq!((status(&exchange), exchange.hops.len()), (200, 2));
    }
    for seen in [seen_here, seen_there] {
        assert!(seen.lock().unwrap().iter().all(|(number, _)| *number == 0), "{seen:?}");
    }
}

#[test]
fn what_came_in_time_is_as_old_as_it_is() {
    let (address, _) = server(|_| Answer { after: Duration::from_millis(1), ..ok("hello") });
    let client = client();
    settle(&client, address);
    let busy = Duration::from_millis(900);
    // The limit is over when the thread looks, and was not when the response came.
    let timeout = Duration::from_millis(800);
    let (exchange, looked) = while_busy(&client, Request { timeout, ..Request::get(url(address, "/")) }, busy);
    assert_eq!(status(&exchange), 200);
    assert!(exchange.hops[0].ended < looked, "{:?}", exchange.hops[0].timings);
}

#[test]
fn what_came_too_late_is_a_timeout() {
    let (address, _) = server(|path| match path {
        "/late" => Answer { after: Duration::from_millis(80), ..ok("late") },
        _ => ok("hello"),
    });
    let client = client();
    settle(&client, address);
    let timeout = Duration::from_millis(20);
    let request = Request { timeout, ..Request::get(url(address, "/late")) };
    let (exchange, _) = while_busy(&client, request, Duration::from_millis(200));
    let hop = &exchange.hops[0];
    assert_eq!(exchange.result.unwrap_err().code, 1050);
    assert!(hop.timings.waiting <= timeout && hop.timings.receiving.is_zero(), "{:?}", hop.timings);
}

#[test]
fn a_connection_that_was_closed_while_the_thread_was_busy_is_not_used() {
    let (address, seen) = server(|path| match path {
        "/closing" => Answer { closes: true, ..ok("bye") },
        _ => ok("hello"),
    });
    let client = client();
    settle(&client, address);
    wait(async {
        assert_eq!(status(&client.send(Request::get(url(address, "/closing"))).await), 200);
        // The runtime hears of nothing meanwhile.
        std::thread::sleep(Duration::from_millis(500));
        let post = Request { method: "POST".into(), ..Request::get(url(address, "/")) };
        let exchange = client.send(post).await;
        assert_eq!((status(&exchange), exchange.hops.len()), (200, 1));
    });
    assert_eq!(seen.lock().unwrap().last().unwrap().0, 1);
}

#[test]
fn the_end_of_a_connection_is_as_old_as_it_is() {
    let (address, _) = server(|path| match path {
        "/broken" => Answer { closes: true, ..at_once("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf") },
        _ => ok("hello"),
    });
    let client = client();
    settle(&client, address);
    let busy = Duration::from_millis(500);
    let (exchange, looked) = while_busy(&client, Request::get(url(address, "/broken")), busy);
    let hop = &exchange.hops[0];
    assert!(exchange.result.is_err());
    assert!(hop.ended < looked, "{:?}", hop.timings);
}

/// Sends a request from a thread that is watched and late, and judges what came of it, until that is right: where the machine is
/// late, too, nobody can tell.
fn while_late(address: SocketAddr, path: &str, is_right: impl Fn(&Exchange, Instant) -> bool) {
    let sockets = SocketWatch::new().unwrap();
    sockets.watch_this_thread();
    let client = client();
    let is_right = |_| {
        settle(&client, address);
        sockets.looked();
        let (exchange, looked) = while_busy(&client, Request::get(url(address, path)), Duration::from_millis(200));
        is_right(&exchange, looked)
    };
    assert!((0..20).any(is_right));
}

/// Between the pieces of an answer.
const PAUSE: Duration = Duration::from_millis(60);

#[test]
fn a_thread_that_is_late_is_read_for() {
    let (address, seen) = server(|path| match path {
        "/pieces" => Answer { pieces: vec![PAUSE; 2], ..ok("first second") },
        _ => ok("hello"),
    });
    while_late(address, "/pieces", |exchange, looked| {
        let hop = &exchange.hops[0];
        assert_eq!(exchange.result.as_ref().unwrap().body.as_deref(), Some(&b"first second"[..]));
        hop.ended < looked && hop.timings.receiving > PAUSE && hop.timings.waiting < PAUSE
    });
    assert!(seen.lock().unwrap().iter().all(|(number, _)| *number == 0), "{seen:?}");
}

#[test]
fn a_reset_does_not_wait_for_a_thread_that_is_late() {
    let (address, _) = server(|path| match path {
        "/reset" => {
            Answer { closes: true, resets: true, ..at_once("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf") }
        }
        _ => ok("hello"),
    });
    while_late(address, "/reset", |exchange, looked| {
        assert!(exchange.result.is_err());
        exchange.hops[0].ended < looked
    });
}

#[test]
fn a_long_body_does_not_wait_for_a_thread_that_is_late() {
    static LEFT: Mutex<Option<Instant>> = Mutex::new(None);
    let (address, _) = server(|path| match path {
        "/long" => Answer { left: Some(&LEFT), ..ok(&"x".repeat(3 << 20)) },
        _ => ok("hello"),
    });
    while_late(address, "/long", |exchange, looked| {
        let body = exchange.result.as_ref().unwrap().body.as_ref().unwrap();
        assert!(body.len() == 3 << 20 && body.iter().all(|byte| *byte == b'x'));
        LEFT.lock().unwrap().is_some_and(|left| left < looked)
    });
}

#[test]
fn a_request_apart_gets_on_and_ends_with_who_waits_for_it() {
    let (address, seen) = server(|path| match path {
        "/slow" => Answer { after: Duration::from_secs(5), ..ok("slow") },
        _ => ok("hello"),
    });
    let client = client();
    settle(&client, address);
    wait(async {
        let started = client.start(Arc::new(Request::get(url(address, "/"))));
        assert_eq!(status(&*apart(started).await), 200);
        let started = client.start(Arc::new(Request::get(url(address, "/slow"))));
        let sent = started.handle();
        let mut exchanging = Box::pin(apart(started));
        assert!(futures_util::poll!(exchanging.as_mut()).is_pending());
        while seen.lock().unwrap().last().is_none_or(|(_, path)| path != "/slow") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(exchanging);
        assert!(sent.take_ended().is_empty());
        assert_eq!(status(&client.send(Request::get(url(address, "/"))).await), 200);
    });
    let seen = seen.lock().unwrap();
    assert_eq!(seen.last().unwrap().0, seen[0].0 + 1, "the connection of what was given up is closed");
}
