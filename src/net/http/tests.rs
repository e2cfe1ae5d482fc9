//! HTTP against servers that answer with fixed bytes: what goes on the wire, and what comes of what comes back.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::net::{Config, HttpClient, Net};

/// What the server does with one request.
#[derive(Clone)]
enum Play {
    /// Answers and keeps the connection.
    Say(String),
    /// Answers and closes.
    Last(String),
    /// Closes without a word.
    Close,
    /// Resets the connection.
    Reset,
    /// Answers and then keeps silent, with the connection open.
    Hang(String),
}

fn say(head_and_body: &str) -> Play {
    Play::Say(head_and_body.to_owned())
}

fn last(head_and_body: &str) -> Play {
    Play::Last(head_and_body.to_owned())
}

fn ok(body: &str) -> Play {
    Play::Say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// A server on 127.0.0.1 that plays by the path asked for and remembers every request with its connection's number.
struct Stage {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Stage {
    fn new(play: impl Fn(&str) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<(usize, String)>>> = Arc::default();
        let (play, record) = (Arc::new(play), seen.clone());
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (play, record) = (play.clone(), record.clone());
                std::thread::spawn(move || serve(stream.unwrap(), number, &*play, &record));
            }
        });
        Self { address, seen }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    fn seen(&self) -> Vec<(usize, String)> {
        self.seen.lock().unwrap().clone()
    }

    fn requests(&self) -> Vec<String> {
        let host = self.address.to_string();
        self.seen().into_iter().map(|(_, request)| request.replace(&host, "HOST")).collect()
    }

    fn connections(&self) -> Vec<usize> {
        self.seen().into_iter().map(|(number, _)| number).collect()
    }
}

fn serve(mut stream: TcpStream, number: usize, play: &dyn Fn(&str) -> Play, record: &Mutex<Vec<(usize, String)>>) {
    let mut input = Vec::new();
    loop {
        let request = match read_request(&mut stream, &mut input) {
            Some(request) => request,
            None => return,
        };
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        record.lock().unwrap().push((number, request));
        match play(&path) {
            Play::Say(text) => _ = stream.write_all(text.as_bytes()),
            Play::Last(text) => {
                _ = stream.write_all(text.as_bytes());
                return;
            }
            Play::Close => return,
            Play::Reset => {
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
            Play::Hang(text) => _ = stream.write_all(text.as_bytes()),
        }
    }
}

fn read_request(stream: &mut TcpStream, input: &mut Vec<u8>) -> Option<String> {
    let mut buffer = [0; 65536];
    loop {
        if let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&input[..end + 4]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
            let chunked = head.contains("Transfer-Encoding: chunked");
            let total = end + 4 + if chunked { 5 } else { length.unwrap_or(0) };
            if input.len() >= total {
                let request = String::from_utf8_lossy(&input[..total]).into_owned();
                input.drain(..total);
                return Some(request);
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => input.extend_from_slice(&buffer[..count]),
        }
    }
}

fn client() -> HttpClient {
    client_of(Config::default())
}

fn client_of(config: Config) -> HttpClient {
    HttpClient::new(Net::start(config, 1, &crate::log::Logger::silent()).unwrap().client(0))
}

/// Waits in the one runtime of this test's thread, which waits for the sockets that the thread keeps.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    use std::mem::ManuallyDrop;
    use tokio::runtime::{Builder, Runtime};
    use tokio::task::LocalSet;
    thread_local! {
        static RUNTIME: ManuallyDrop<Runtime> =
            ManuallyDrop::new(Builder::new_current_thread().enable_all().build().unwrap());
        // Both need what is gone when a thread ends.
        static TASKS: ManuallyDrop<LocalSet> = ManuallyDrop::new(LocalSet::new());
    }
    let ended = async {
        let result = future.await;
        // A runtime that stops forgets whom it owes a turn.
        tokio::task::yield_now().await;
        result
    };
    RUNTIME.with(|runtime| TASKS.with(|tasks| tasks.block_on(runtime, ended)))
}

fn get(client: &HttpClient, url: Url) -> Exchange {
    wait(client.send(Request::get(url)))
}

fn body(exchange: &Exchange) -> String {
    let response = exchange.result.as_ref().unwrap();
    String::from_utf8(response.body.as_ref().unwrap().to_vec()).unwrap()
}

#[test]
fn connections_are_used_again() {
    let stage = Stage::new(|path| match path {
        "/close" => say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"),
        "/old" => last("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"),
        "/chunks" => say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
        "/204" => say("HTTP/1.1 204 No Content\r\n\r\n"),
        _ => ok("x"),
    });
    let client = client();
    for path in ["/", "/chunks", "/204", "/", "/close", "/", "/old", "/"] {
        let exchange = get(&client, stage.url(path));
        assert!(exchange.result.is_ok(), "{path} {exchange:?}");
    }
    assert_eq!(stage.connections(), [0, 0, 0, 0, 0, 1, 1, 2]);
}

#[test]
fn the_beginning_of_a_body_is_enough() {
    let stage = Stage::new(|path| match path {
        "/chunks" => {
            Play::Hang("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n012\r\n4\r\n3456\r\n".into())
        }
        "/hangs" => Play::Hang("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n01234".into()),
        path => ok(&path[1..]),
    });
    let client = client();
    let check = |path: &str, expect: &str| {
        let exchange = wait(client.send(Request { body_mode: BodyMode::First(5), ..Request::get(stage.url(path)) }));
        assert_eq!(body(&exchange), expect, "{path}");
    };
    for (path, expect) in [("/chunks", "01234"), ("/hangs", "01234"), ("/01234", "01234"), ("/01", "01")] {
        check(path, expect);
    }
    check("/0123456789", "01234");
    // A connection is kept where the body was read to its end.
    assert_eq!(stage.connections(), [0, 1, 2, 2, 2]);
}

#[test]
fn a_challenge_whose_body_can_not_be_read_closes_its_connection() {
    for (auth, challenge) in [(Auth::Digest, "Digest realm=\"r\", nonce=\"n\""), (Auth::Ntlm, "NTLM")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (closed_tx, closed_rx) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let head = format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n");
            let broken = format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\nZZ\r\n");
            for stream in listener.incoming() {
                let (mut stream, mut input) = (stream.unwrap(), Vec::new());
                let mut count = 0;
                // It stays open until the client closes it.
                while read_request(&mut stream, &mut input).is_some() {
                    count += 1;
                    stream.write_all(broken.as_bytes()).unwrap();
                }
                closed_tx.send(count).unwrap();
            }
        });
        let client = client();
        let url = Url::parse(&format!("http://ann:secret@{address}/")).unwrap();
        for _ in 0..2 {
            let exchange = wait(client.send(Request { auth, ..Request::get(url.clone()) }));
            let error = exchange.result.unwrap_err();
            assert_eq!(&*error.text, "invalid byte in chunk length", "{auth:?}");
            assert_eq!(exchange.hops.len(), 1, "{auth:?}");
            assert_eq!(closed_rx.recv_timeout(Duration::from_secs(20)), Ok(1), "{auth:?}: closed after one request");
        }
    }
}

#[test]
fn timings_and_traffic_are_counted() {
    let stage = Stage::new(|_| ok("hello"));
    let client = client();
    let first = get(&client, stage.url("/"));
    let second = get(&client, stage.url("/"));
    let timings = |exchange: &Exchange| exchange.hops[0].timings;
    assert!(timings(&first).connecting > Duration::ZERO && timings(&first).blocked >= timings(&first).connecting);
    assert_eq!(timings(&second).connecting, Duration::ZERO);
    assert!(timings(&second).sending > Duration::ZERO && timings(&second).waiting > Duration::ZERO);
    assert_eq!(first.hops[0].remote, Some(stage.address));
    let request = stage.seen()[0].1.len() as u64;
    assert_eq!(client.traffic(), (2 * request, 2 * "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".len() as u64));
    assert_eq!(client.traffic(), (0, 0));
}

#[test]
fn heads_have_go_s_order() {
    let stage = Stage::new(|_| ok(""));
    let client = client();
    let send = |method: &'static str, body: Option<Body>, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let request = Request { method: method.into(), headers, body, ..Request::get(stage.url("/p?q=a b")) };
        wait(client.send(request)).result.unwrap();
        stage.requests().pop().unwrap()
    };
    let agent = ("User-Agent", "k");
    assert_eq!(send("GET", None, &[agent]), "GET /p?q=a b HTTP/1.1\r\nHost: HOST\r\nUser-Agent: k\r\n\r\n");
    assert_eq!(send("DELETE", None, &[]), "DELETE /p?q=a b HTTP/1.1\r\nHost: HOST\r\n\r\n");
    assert_eq!(send("PUT", None, &[]), "PUT /p?q=a b HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(
        send("POST", Some(Body::EmptyChunked), &[("accept", "x")]),
        "POST /p?q=a b HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nAccept: x\r\n\r\n0\r\n\r\n"
    );
    assert_eq!(
        send(
            "POST",
            Some(Body::Bytes("abc".into())),
            &[("x-z", "1"), agent, ("1x", "7"), ("ETag", "4"), ("host", "v")]
        ),
        "POST /p?q=a b HTTP/1.1\r\nHost: v\r\nUser-Agent: k\r\nContent-Length: 3\r\n1x: 7\r\nEtag: 4\r\nX-Z: 1\r\n\r\nabc"
    );
    let large = "y".repeat(300_000);
    assert!(send("POST", Some(Body::Bytes(Bytes::from(large.clone()))), &[]).ends_with(&large));
}

#[test]
fn answers_are_read_as_go_reads_them() {
    let stage = Stage::new(|path| {
        let path = percent(path.strip_prefix("/?").unwrap());
        last(&path)
    });
    let check = |answer: &str, status: u16, text: &str, expect: Option<&str>| {
        let exchange = get(&client(), stage.url(&format!("/?{}", escape(answer))));
        let response = exchange.result.unwrap_or_else(|error| panic!("{answer:?}: {error:?}"));
        let body = response.body.map(|body| String::from_utf8(body.to_vec()).unwrap());
        assert_eq!((response.status, &*response.status_text, body.as_deref()), (status, text, expect), "{answer:?}");
    };
    check("HTTP/1.1 200 Very Fine\r\nContent-Length: 2\r\n\r\nok", 200, "200 Very Fine", Some("ok"));
    check("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, "200 ", Some("ok"));
    check("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, "200", Some("ok"));
    check("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "200 OK", Some("ok"));
    check("HTTP/1.1 200 OK\r\n\r\nall of it", 200, "200 OK", Some("all of it"));
    check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 200, "200 OK", Some("abc"));
    check("HTTP/1.1 204 No Content\r\n\r\n", 204, "204 No Content", None);
    check("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, "304 Not Modified", None);
    check(
        "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal",
        200,
        "200 OK",
        Some("real"),
    );
}

#[test]
fn broken_answers_are_named_as_go_names_them() {
    let stage = Stage::new(|path| {
        let path = percent(path.strip_prefix("/?").unwrap());
        last(&path)
    });
    let check = |answer: &str, text: &str, body: Option<&str>| {
        let exchange = get(&client(), stage.url(&format!("/?{}", escape(answer))));
        let error = exchange.result.unwrap_err();
        let partial = error.body.map(|body| String::from_utf8(body.to_vec()).unwrap());
        assert_eq!((&*error.text, partial.as_deref()), (text, body), "{answer:?}");
        assert_eq!((exchange.hops.len(), exchange.hops[0].status), (1, 0));
    };
    let ok = "HTTP/1.1 200 OK\r\n";
    check("this is not http\r\n\r\n", "malformed HTTP status code \"is\"", None);
    check("GARBAGE\r\n\r\n", "malformed HTTP response \"GARBAGE\"", None);
    check("HTTP/1.1 99 x\r\n\r\n", "malformed HTTP status code \"99\"", None);
    check("HTTP/9.9x 200 OK\r\n\r\n", "malformed HTTP version \"HTTP/9.9x\"", None);
    check(&format!("{ok}Broken header\r\n\r\n"), "malformed MIME header: missing colon: \"Broken header\"", None);
    check(&format!("{ok}Content-Length: x\r\n\r\n"), "bad Content-Length \"x\"", None);
    check(&format!("{ok}X-A: 1"), "unexpected EOF", None);
    check(&format!("{ok}Content-Length: 100\r\n\r\nshort"), "unexpected EOF", Some("short"));
    check(&format!("{ok}Transfer-Encoding: chunked\r\n\r\n5\r\nab"), "unexpected EOF", Some("ab"));
    check(&format!("{ok}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"), "invalid byte in chunk length", Some(""));
    check(
        &format!("{ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
        "http: message cannot contain multiple Content-Length headers; got [\"2\" \"3\"]",
        None,
    );
    check("HTTP/1.1 101 Switching Protocols\r\n\r\n", "unsupported response status: 101 Switching Protocols", None);
}

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn percent(text: &str) -> String {
    String::from_utf8(proto::url::unescaped(text).into_owned()).unwrap()
}

#[test]
fn lost_connections_are_named_and_repeated_as_in_go() {
    let stage = Stage::new(|path| match path {
        "/close" => Play::Close,
        "/reset" => Play::Reset,
        _ => ok("x"),
    });
    let client = client();
    let full = |exchange: Exchange| exchange.result.unwrap_err().full.replace(&stage.address.to_string(), "HOST");
    assert_eq!(full(get(&client, stage.url("/close"))), "Get \"http://HOST/close\": EOF");
    let reset = get(&client, stage.url("/reset")).result.unwrap_err();
    assert_eq!((reset.code, &*reset.text), (1220, "read: connection reset by peer"));
    let before = stage.seen().len();
    get(&client, stage.url("/"));
    // On a connection that was used before, a GET gets a second chance and a POST does not.
    get(&client, stage.url("/close"));
    assert_eq!(stage.seen().len(), before + 3);
    get(&client, stage.url("/"));
    let post = Request { method: "POST".into(), ..Request::get(stage.url("/close")) };
    assert_eq!(full(wait(client.send(post))), "Post \"http://HOST/close\": EOF");
    assert_eq!(stage.seen().len(), before + 5);
}

#[test]
fn dial_errors_carry_their_codes() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://ann:pw@{closed}/x")).unwrap();
    let exchange = get(&client(), url);
    assert_eq!(exchange.hops[0].remote, None);
    let error = exchange.result.unwrap_err();
    assert_eq!((error.code, &*error.text), (1212, "dial: connection refused"));
    assert_eq!(
        error.full,
        format!("Get \"http://ann:***@{closed}/x\": dial tcp {closed}: connect: connection refused")
    );
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let check = |method: &'static str, url: &str, headers: &[(&str, &str)], code: u16, text: &str| {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let request = Request { method: method.into(), headers, ..Request::get(Url::parse(url).unwrap()) };
        let exchange = wait(client().send(request));
        let error = exchange.result.unwrap_err();
        assert_eq!((error.code, &*error.text, exchange.hops.len()), (code, text, 1), "{url}");
    };
    check("GET", "", &[], 1000, "unsupported protocol scheme \"\"");
    check("GET", "ftp://h/", &[], 1000, "unsupported protocol scheme \"ftp\"");
    check("GET", "http://", &[], 1000, "http: no Host in request URL");
    check("GET", "http:///x", &[], 1000, "http: no Host in request URL");
    check("GET", "http://h:99999/", &[], 1210, "dial tcp: address 99999: invalid port");
    check("BAD METHOD", "http://h/", &[], 1000, "net/http: invalid method \"BAD METHOD\"");
    check("GET", "http://h/", &[("Bad Name", "x")], 1000, "net/http: invalid header field name \"Bad Name\"");
    check("GET", "http://h/", &[("x-a", "a\nb")], 1000, "net/http: invalid header field value for \"X-A\"");
}

#[test]
fn time_runs_out_anywhere() {
    let stage = Stage::new(|path| match path {
        "/silent" => Play::Hang(String::new()),
        "/half" => Play::Hang("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_owned()),
        "/to" => say("HTTP/1.1 302 Found\r\nLocation: /silent\r\nContent-Length: 0\r\n\r\n"),
        _ => ok("x"),
    });
    let client = client();
    let check = |path: &str, timeout: u64, hops: usize, at: &str, partial: Option<&str>| {
        let timeout = Duration::from_millis(timeout);
        let exchange = wait(client.send(Request { timeout, ..Request::get(stage.url(path)) }));
        assert_eq!((exchange.hops.len(), exchange.url.path()), (hops, at));
        let error = exchange.result.unwrap_err();
        assert_eq!((error.code, &*error.text), (1050, "request timeout"));
        assert_eq!(error.body.as_deref(), partial.map(str::as_bytes));
    };
    check("/silent", 60, 1, "/silent", None);
    check("/half", 60, 1, "/half", Some("half"));
    check("/to", 60, 2, "/silent", None);
    check("/", 0, 1, "/", None);
    // A connection that was cut off is not used again.
    let used = stage.connections();
    get(&client, stage.url("/"));
    assert!(!used.contains(stage.connections().last().unwrap()));
}

#[test]
fn a_dropped_request_closes_its_connection() {
    let stage = Stage::new(|path| if path == "/silent" { Play::Hang(String::new()) } else { ok("x") });
    let client = client();
    get(&client, stage.url("/"));
    wait(async {
        let request = client.send(Request::get(stage.url("/silent")));
        _ = tokio::time::timeout(Duration::from_millis(50), request).await;
    });
    get(&client, stage.url("/"));
    assert_eq!(stage.connections(), [0, 0, 1]);
}

#[test]
fn redirects_are_followed() {
    let stage = Stage::new(|path| {
        let to = |status: &str, target: &str| {
            say(&format!(
                "HTTP/1.1 {status} x\r\nLocation: {target}\r\nSet-Cookie: hop=1\r\nContent-Length: 5\r\n\r\nmoved"
            ))
        };
        match path {
            "/302" => to("302", "/end"),
            "/307" => to("307", "/end"),
            "/bad" => to("302", "http://[::1"),
            "/ftp" => to("302", "ftp://h/x"),
            "/none" => say("HTTP/1.1 302 Found\r\nContent-Length: 5\r\n\r\nmoved"),
            "/loop" => to("302", "/loop"),
            _ => ok("end"),
        }
    });
    let client = client();
    let jar = Arc::new(CookieJar::new());
    let headers = || {
        vec![
            ("Content-Type".to_owned(), "t".to_owned()),
            ("Cookie".to_owned(), "raw=1".to_owned()),
            ("X-A".to_owned(), "1".to_owned()),
        ]
    };
    let post = |path: &str, redirects: u32| {
        wait(client.send(Request {
            method: "POST".into(),
            body: Some(Body::Bytes("abc".into())),
            headers: headers(),
            max_redirects: redirects,
            jar: Some(jar.clone()),
            ..Request::get(stage.url(path))
        }))
    };
    assert_eq!(body(&post("/302", 10)), "end");
    assert_eq!(
        stage.requests()[1],
        "GET /end HTTP/1.1\r\nHost: HOST\r\nCookie: hop=1\r\nReferer: http://HOST/302\r\nX-A: 1\r\n\r\n"
    );
    let exchange = post("/307", 10);
    let hops: Vec<_> = exchange.hops.iter().map(|hop| (&*hop.method, hop.url.path(), hop.status)).collect();
    assert_eq!(hops, [("POST", "/307", 307), ("POST", "/end", 200)]);
    assert_eq!(
        stage.requests()[3],
        "POST /end HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\nContent-Type: t\r\nCookie: hop=1\r\nReferer: http://HOST/307\r\nX-A: 1\r\n\r\nabc"
    );
    let exchange = post("/302", 0);
    assert!(exchange.stopped_redirecting && body(&exchange) == "moved");
    let exchange = post("/loop", 2);
    assert!(exchange.stopped_redirecting && exchange.hops.len() == 3);
    let exchange = post("/none", 10);
    assert!(!exchange.stopped_redirecting && body(&exchange) == "moved");
    let exchange = post("/bad", 10);
    assert_eq!(exchange.hops.len(), 1);
    assert_eq!(
        exchange.result.unwrap_err().text,
        "failed to parse Location header \"http://[::1\": parse \"http://[::1\": missing ']' in host"
    );
    let exchange = post("/ftp", 10);
    assert_eq!((exchange.hops.len(), exchange.url.as_str()), (2, "ftp://h/x"));
    assert_eq!(exchange.result.unwrap_err().full, "Post \"ftp://h/x\": unsupported protocol scheme \"ftp\"");
    assert!(stage.connections().iter().all(|number| *number == 0));
}

#[test]
fn credentials_follow_relative_redirects_only() {
    let stage = Stage::new(|path| match path {
        "/rel" => say("HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n"),
        _ => ok("x"),
    });
    let url = Url::parse(&format!("http://ann:pw@{}/rel", stage.address)).unwrap();
    let exchange = get(&client(), url);
    assert_eq!(exchange.url.credentials(), Some(("ann".into(), "pw".into())));
    let line = "Authorization: Basic YW5uOnB3\r\n";
    assert!(stage.requests().iter().all(|request| request.contains(line)));
    assert!(stage.requests()[1].contains("Referer: http://HOST/rel\r\n"));
}

#[test]
fn digest_answers_one_challenge() {
    let challenge = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=MD5\r\nContent-Length: 2\r\n\r\nno";
    let stage = Stage::new(move |path| if path == "/ask" { say(challenge) } else { ok("x") });
    let at = |path: &str| Url::parse(&format!("http://ann:pw@{}{path}", stage.address)).unwrap();
    let send = |path: &str| wait(client().send(Request { auth: Auth::Digest, ..Request::get(at(path)) }));
    let exchange = send("/ask");
    let hops: Vec<_> = exchange.hops.iter().map(|hop| (hop.status, hop.expects_challenge)).collect();
    assert_eq!(hops, [(401, true), (401, false)]);
    let requests = stage.requests();
    assert!(requests[0].contains("Authorization: Basic YW5uOnB3"));
    assert!(requests[1].contains("Authorization: Digest username=\"ann\", realm=\"r\", nonce=\"n\", uri=\"/ask\""));
    assert_eq!(send("/free").hops.len(), 1);
}

#[test]
fn ntlm_takes_three_legs_on_one_connection() {
    use base64::Engine;
    let mut message = b"NTLMSSP\0".to_vec();
    message.extend([2, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0, 5, 0x82, 0x88, 0xa0]);
    message.extend([7; 8]);
    message.extend([0; 8]);
    message.extend([4, 0, 4, 0, 48, 0, 0, 0, 0, 0, 0, 0]);
    let challenge = base64::engine::general_purpose::STANDARD.encode(message);
    let turns = std::sync::atomic::AtomicUsize::new(0);
    let stage = Stage::new(move |_| match turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => say("HTTP/1.1 401 x\r\nWWW-Authenticate: NTLM\r\nContent-Length: 2\r\n\r\nno"),
        1 => say(&format!("HTTP/1.1 401 x\r\nWWW-Authenticate: NTLM {challenge}\r\nContent-Length: 2\r\n\r\nno")),
        _ => ok("in"),
    });
    let url = Url::parse(&format!("http://DOM%5Cann:pw@{}/", stage.address)).unwrap();
    let exchange = wait(client().send(Request { auth: Auth::Ntlm, ..Request::get(url) }));
    assert_eq!(body(&exchange), "in");
    let hops: Vec<_> = exchange.hops.iter().map(|hop| (hop.status, hop.expects_challenge)).collect();
    assert_eq!(hops, [(401, true), (401, false), (200, false)]);
    assert_eq!(stage.connections(), [0, 0, 0]);
    let requests = stage.requests();
    assert!(!requests[0].contains("Authorization"));
    assert!(requests[1].contains("Authorization: NTLM TlRMTVNTUAABAAAA"));
    assert!(requests[2].contains("Authorization: NTLM TlRMTVNTUAADAAAA"));
}

#[test]
fn an_early_answer_beats_a_broken_pipe() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        _ = stream.read(&mut [0; 1024]);
        _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
        // Stays open for a moment, so that the answer is not lost to the reset.
        std::thread::sleep(Duration::from_millis(100));
    });
    let request = Request {
        method: "POST".into(),
        body: Some(Body::Bytes(vec![0; 32 << 20].into())),
        ..Request::get(Url::parse(&format!("http://{address}/")).unwrap())
    };
    assert_eq!(wait(client().send(request)).result.unwrap().status, 413);
}

#[test]
fn without_reuse_every_request_says_so() {
    let stage = Stage::new(|_| ok("x"));
    let client = client_of(Config { no_connection_reuse: true, ..Config::default() });
    get(&client, stage.url("/"));
    get(&client, stage.url("/"));
    assert_eq!(stage.connections(), [0, 1]);
    assert_eq!(stage.requests()[0], "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
}

#[test]
fn idle_connections_are_closed_on_demand_and_limited() {
    let stage = Stage::new(|_| {
        // Long enough for requests to overlap.
        std::thread::sleep(Duration::from_millis(50));
        ok("x")
    });
    let client = client_of(Config { max_idle_per_host: 1, ..Config::default() });
    get(&client, stage.url("/"));
    client.close_idle();
    get(&client, stage.url("/"));
    assert_eq!(stage.connections(), [0, 1]);
    wait(async {
        let requests = (0..3).map(|_| client.send(Request::get(stage.url("/"))));
        futures_util::future::join_all(requests).await;
    });
    let before = stage.seen().len();
    wait(futures_util::future::join_all((0..2).map(|_| client.send(Request::get(stage.url("/"))))));
    let mut numbers = stage.connections().split_off(before);
    numbers.sort_unstable();
    assert!(numbers[0] < 4 && numbers[1] == 4, "one of the three was kept: {numbers:?}");
}

#[test]
fn bodies_are_decoded_or_dropped() {
    let packed = compress(&ContentCoding::parse_list("gzip").unwrap(), "plain".into()).unwrap();
    let stage = Stage::new(move |path| match path {
        "/bad" => say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\nnot gzip!!"),
        _ => say("HTTP/1.1 200 OK\r\nContent-Encoding: x-other\r\nContent-Length: 3\r\n\r\nraw"),
    });
    assert!(!packed.is_empty());
    let client = client();
    assert_eq!(body(&get(&client, stage.url("/other"))), "raw");
    let exchange = get(&client, stage.url("/bad"));
    assert_eq!((exchange.hops[0].status, exchange.hops[0].error.as_ref().map(|error| error.code)), (0, Some(1701)));
    assert_eq!(exchange.result.unwrap_err().text, "error decompressing response body (gzip: invalid header)");
    let discard = Request { body_mode: BodyMode::Discard, ..Request::get(stage.url("/bad")) };
    let response = wait(client.send(discard)).result.unwrap();
    assert_eq!((response.status, response.body), (200, None));
}

#[test]
fn a_client_that_is_gone_closes_its_connections() {
    let stage = Stage::new(|_| ok("x"));
    let net = Net::start(Config::default(), 1, &crate::log::Logger::silent()).unwrap();
    let first = HttpClient::new(net.client(0));
    get(&first, stage.url("/"));
    drop(first);
    get(&HttpClient::new(net.client(1)), stage.url("/"));
    assert_eq!(stage.connections(), [0, 1]);
}

#[test]
fn proxies_get_the_whole_url() {
    let stage = Stage::new(|_| ok("x"));
    let proxy = crate::net::ProxyConfig { http: Some(format!("http://u:p@{}", stage.address)), ..Default::default() };
    // The proxy itself is on 127.0.0.1; what is asked for is not.
    get(&client_of(Config { proxy, ..Config::default() }), Url::parse("http://proxied.test/e?a=1").unwrap())
        .result
        .unwrap();
    assert_eq!(
        stage.requests()[0],
        "GET http://proxied.test/e?a=1 HTTP/1.1\r\nHost: proxied.test\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
    );
}
