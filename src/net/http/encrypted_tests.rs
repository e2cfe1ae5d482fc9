//! HTTP over TLS and HTTP/2, against servers in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::tests::wait;
use super::*;
use crate::net::stand_in::SocketWatch;
use crate::net::tls::Ocsp;
use crate::net::{ClientCertificate, Config, HttpClient, Net, TlsConfig, TlsProtocolVersion};

/// What every server here staples to its certificate: that another one, of OpenSSL, was revoked.
const STAPLE: &[u8] = include_bytes!("../tls/fixtures/revoked.der");

fn pair() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap()
}

/// Serves every connection on 127.0.0.1 with `play`, after a handshake; counts the connections.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn new<F>(
        protocols: &[&str],
        trusted: Option<&str>,
        play: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let own = pair();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = match trusted {
            Some(pem) => {
                let mut roots = rustls::RootCertStore::empty();
                use rustls::pki_types::pem::PemObject;
                roots.add(rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
                let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => builder.with_no_client_auth(),
        };
        let staple = STAPLE.to_vec();
        let mut config = builder.with_single_cert_with_ocsp(vec![own.cert.der().clone()], key, staple).unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections: Arc<AtomicUsize> = Arc::default();
        let counter = connections.clone();
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
                listener.set_nonblocking(true).unwrap();
                let listener = TcpListener::from_std(listener).unwrap();
                let acceptor = TlsAcceptor::from(Arc::new(config));
                while let Ok((stream, _)) = listener.accept().await {
                    counter.fetch_add(1, Ordering::Relaxed);
                    if let Ok(stream) = acceptor.accept(stream).await {
                        tokio::spawn(play(stream));
                    }
                }
            });
        });
        Self { address, connections }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("https://localhost:{}{path}", self.address.port())).unwrap()
    }
}

/// Answers every request with its own bytes.
async fn echo(mut stream: TlsStream<TcpStream>) {
    let mut input = vec![0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut input).await {
        let text = String::from_utf8_lossy(&input[..count]).into_owned();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
}

/// HTTP/2 by path: `/reset/N` resets with code N, `/status/N`, `/after/N` waits for N milliseconds; everything else shows what
/// came.
async fn h2_echo(stream: TlsStream<TcpStream>) {
    h2_echo_by(::h2::server::Builder::new(), stream).await;
}

/// The same, which takes one request at a time.
async fn h2_echo_one(stream: TlsStream<TcpStream>) {
    let mut builder = ::h2::server::Builder::new();
    builder.max_concurrent_streams(1);
    h2_echo_by(builder, stream).await;
}

async fn h2_echo_by(builder: ::h2::server::Builder, stream: TlsStream<TcpStream>) {
    let mut connection = builder.handshake::<_, Bytes>(stream).await.unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let number = |text: &str| request.uri().path().strip_prefix(text).and_then(|text| text.parse::<u32>().ok());
        if let Some(code) = number("/reset/") {
            respond.send_reset(code.into());
            continue;
        }
        if let Some(code) = number("/goaway/") {
            connection.abrupt_shutdown(code.into());
            continue;
        }
        let broken = request.uri().path().strip_prefix("/broken/").map(str::to_owned);
        if let Some(how) = broken {
            let length = if how == "short" { "10" } else { "1000000000000" };
            let answer = http::Response::builder().header("content-length", length).body(()).unwrap();
            let mut stream = respond.send_response(answer, false).unwrap();
            stream.send_data("begun".into(), how == "short").unwrap();
            tokio::spawn(async move {
                match how.as_str() {
                    // Until the client has enough.
                    "endless" => loop {
                        stream.reserve_capacity(16 << 10);
                        match std::future::poll_fn(|cx| stream.poll_capacity(cx)).await {
                            Some(Ok(room)) if stream.send_data(vec![b'x'; room].into(), false).is_ok() => {}
                            _ => return,
                        }
                    },
                    "drip" => _ = std::future::poll_fn(|cx| stream.poll_reset(cx)).await,
                    "reset" => {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        stream.send_reset(::h2::Reason::INTERNAL_ERROR);
                    }
                    _ => {}
                }
            });
            continue;
        }
        if request.uri().path() == "/gone" {
            return;
        }
        let status = number("/status/").unwrap_or(200) as u16;
        let pause = Duration::from_millis(number("/after/").unwrap_or(0).into());
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let (parts, mut body) = request.into_parts();
            let mut text = format!("{} {}\n", parts.method, parts.uri);
            for (name, value) in &parts.headers {
                text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
            }
            while let Some(Ok(data)) = body.data().await {
                _ = body.flow_control().release_capacity(data.len());
                text.push_str(&String::from_utf8_lossy(&data));
            }
            let answer = http::Response::builder().status(status).header("x-two-words", "v").body(()).unwrap();
            let mut stream = respond.send_response(answer, status == 204).unwrap();
            if status != 204 {
                stream.send_data(text.into(), true).unwrap();
            }
        });
    }
}

fn client(tls: TlsConfig) -> HttpClient {
    HttpClient::new(
        Net::start(Config { tls, ..Config::default() }, 1, &crate::log::Logger::silent()).unwrap().client(0),
    )
}

fn trusting() -> TlsConfig {
    TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() }
}

fn get(client: &HttpClient, url: Url) -> Exchange {
    wait(client.send(Request::get(url)))
}

fn text(exchange: Exchange) -> String {
    String::from_utf8(exchange.result.unwrap().body.unwrap().to_vec()).unwrap()
}

#[test]
fn https_is_kept_open_and_described() {
    let server = Server::new(&["http/1.1"], None, echo);
    let client = client(trusting());
    let first = get(&client, server.url("/a"));
    let tls = first.result.as_ref().unwrap().tls.unwrap();
    assert_eq!((tls.version, &tls.cipher[..4]), ("tls1.3", "TLS_"));
    assert_eq!((tls.ocsp.status, tls.ocsp.revocation_reason), ("revoked", "key_compromise"));
    assert!(first.hops[0].timings.tls_handshaking > Duration::ZERO);
    let second = get(&client, server.url("/b"));
    assert_eq!(second.hops[0].timings.tls_handshaking, Duration::ZERO);
    assert!(text(second).starts_with("GET /b HTTP/1.1\r\n"));
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[test]
fn versions_and_suites_are_restricted() {
    let server = Server::new(&[], None, echo);
    let suite = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305";
    let config =
        TlsConfig { max_version: Some(TlsProtocolVersion::Tls12), cipher_suites: vec![suite.into()], ..trusting() };
    let response = get(&client(config), server.url("/")).result.unwrap();
    assert_eq!(
        response.tls.unwrap(),
        crate::net::tls::TlsInfo { version: "tls1.2", cipher: suite, ocsp: Ocsp::parse(STAPLE).unwrap() }
    );
}

#[test]
fn strangers_are_refused() {
    let server = Server::new(&[], None, echo);
    let error = get(&client(TlsConfig::default()), server.url("/")).result.unwrap_err();
    assert_eq!((error.code, &*error.text), (1310, "x509: unknown authority"));
}

#[test]
fn plain_and_encrypted_are_not_mixed_up() {
    let server = Server::new(&[], None, echo);
    let plain = Url::parse(&format!("http://{}/", server.address)).unwrap();
    let error = get(&client(trusting()), plain).result.unwrap_err();
    assert_eq!(error.code, 1000);
    assert!(error.text.starts_with("malformed HTTP response \"\\x15\\x03"), "{}", error.text);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        _ = stream.read(&mut [0; 1024]);
        _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        _ = stream.read(&mut [0; 1024]);
    });
    let error = get(&client(trusting()), url).result.unwrap_err();
    assert_eq!((error.code, &*error.text), (1301, "tls: first record does not look like a TLS handshake"));
    assert!(error.full.ends_with("http: server gave HTTP response to HTTPS client"));
}

#[test]
fn our_certificate_is_shown_when_asked_for() {
    let own = pair();
    let server = Server::new(&[], Some(&own.cert.pem()), echo);
    let shown =
        ClientCertificate { certificate: own.cert.pem(), key: own.signing_key.serialize_pem(), ..Default::default() };
    let config = TlsConfig { client_certificates: vec![shown], ..trusting() };
    assert_eq!(get(&client(config), server.url("/")).result.unwrap().status, 200);
    assert!(get(&client(trusting()), server.url("/")).result.is_err());
}

#[test]
fn keys_with_a_password_are_opened_and_must_fit() {
    let own = pair();
    let (locked, open) = (include_str!("../tls/fixtures/aes256.pem"), include_str!("../tls/fixtures/open.pem"));
    let fitting = include_str!("../tls/fixtures/open-cert.pem");
    let check = |certificate: &str, key: &str, password: Option<&str>, expect: Result<(), &str>| {
        let shown = ClientCertificate {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            password: password.map(str::to_owned),
            ..Default::default()
        };
        let config = TlsConfig { client_certificates: vec![shown], ..trusting() };
        let net = Net::start(Config { tls: config, ..Config::default() }, 1, &crate::log::Logger::silent());
        match (net, expect) {
            (Ok(net), Ok(())) => {
                let server = Server::new(&[], Some(certificate), echo);
                assert_eq!(get(&HttpClient::new(net.client(0)), server.url("/")).result.unwrap().status, 200);
            }
            (Err(failure), Err(text)) => assert!(failure.to_string().contains(text), "{failure}"),
            (net, expect) => panic!("{:?} instead of {expect:?}", net.map(drop)),
        }
    };
    check(fitting, locked, Some("open sesame"), Ok(()));
    check(fitting, open, None, Ok(()));
    check(fitting, locked, Some("wrong"), Err("x509: decryption password incorrect"));
    check(fitting, locked, None, Err("tls: failed to parse private key"));
    check(fitting, open, Some("needless"), Err("x509: no DEK-Info header in block"));
    check(&own.cert.pem(), open, None, Err("tls: private key does not match public key"));
}

#[test]
fn the_keys_of_connections_are_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.log");
    let server = Server::new(&[], None, echo);
    let client = client(TlsConfig { key_log: Some(path.clone()), ..trusting() });
    assert!(get(&client, server.url("/")).result.is_ok());
    let log = std::fs::read_to_string(path).unwrap();
    let labels: Vec<_> = log.lines().filter_map(|line| line.split(' ').next()).collect();
    for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"] {
        assert!(labels.contains(&label), "{log}");
    }
}

#[test]
fn http2_shares_one_connection() {
    let server = Server::new(&["h2", "http/1.1"], None, h2_echo);
    let client = client(trusting());
    let first = get(&client, server.url("/a")).result.unwrap();
    assert_eq!((first.proto, &*first.status_text, first.headers.get("X-Two-Words")), ("HTTP/2.0", "200 OK", Some("v")));
    let headers = [("User-Agent", "k"), ("X-Mixed-Case", "V"), ("Connection", "keep-alive"), ("Cookie", "a=1; b=2")];
    let post = Request {
        method: "POST".into(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Some(Body::Bytes(Bytes::from("x".repeat(200_000)))),
        ..Request::get(server.url("/echo?q=a b"))
    };
    let shown = text(wait(client.send(post)));
    let (head, body) = shown.split_at(shown.len() - 200_000);
    assert_eq!(body, "x".repeat(200_000));
    let authority = server.url("").host().to_owned();
    assert_eq!(
        head,
        format!(
            "POST https://{authority}/echo?q=a%20b\nuser-agent: k\ncontent-length: 200000\ncookie: a=1\ncookie: b=2\nx-mixed-case: V\n"
        )
    );
    let both =
        wait(futures_util::future::join_all((0..8).map(|_| client.send(Request::get(server.url("/status/404"))))));
    assert!(both.iter().all(|exchange| exchange.hops[0].status == 404));
    let none = get(&client, server.url("/status/204")).result.unwrap();
    assert_eq!((&*none.status_text, none.body), ("204 No Content", None));
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[test]
fn http2_is_served_by_the_thread_of_its_vu_where_that_takes_no_time() {
    let server = Server::new(&["h2"], None, h2_echo);
    let client = client(trusting());
    let url = server.url("/");
    let is_here = || client.here.as_ref().unwrap().serves(&url);
    // The kernel begins to stamp some moments after it was asked to.
    let is_settled = |_| get(&client, url.clone()).result.is_ok() && is_here();
    assert!((0..200).any(is_settled));
    let post = |length: usize| Request {
        method: "POST".into(),
        body: Some(Body::Bytes(vec![b'b'; length].into())),
        ..Request::get(url.clone())
    };
    // What is sent, and where the connection is afterwards.
    for (request, here) in [
        (Request::get(url.clone()), true),
        (post(10), true),
        (post(20 << 10), false),
        (post(200 << 10), false),
        (Request::get(url.clone()), true),
        (Request { body_mode: BodyMode::First(70_000), ..Request::get(server.url("/broken/endless")) }, false),
        (Request::get(url.clone()), true),
        (Request::get(server.url("/status/204")), true),
    ] {
        let about = format!("{} {} {:?}", request.method, request.url.as_str(), request.body.as_ref().map(Body::len));
        let exchange = wait(client.send(request));
        assert!(exchange.result.is_ok(), "{about}: {:?}", exchange.result);
        assert_eq!((is_here(), exchange.hops.len()), (here, 1), "{about}");
    }
    // Some at once, on both threads: all over the one connection.
    wait(async {
        let (long, short) = (client.send(post(300 << 10)), client.send(Request::get(url.clone())));
        let (long, short, other) = tokio::join!(long, short, client.send(post(10)));
        for exchange in [long, short, other] {
            assert_eq!(exchange.result.unwrap().status, 200);
        }
    });
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[test]
fn an_http2_answer_is_as_old_as_it_is_and_a_limit_is_one() {
    let server = Server::new(&["h2"], None, h2_echo);
    let client = client(trusting());
    let url = server.url("/");
    let is_settled = |_| get(&client, url.clone()).result.is_ok() && client.here.as_ref().unwrap().serves(&url);
    // Sends a request and does not look at the answer for a while.
    let while_busy = |path: &str, timeout: u64| {
        assert!((0..200).any(is_settled));
        wait(async {
            let timeout = Duration::from_millis(timeout);
            let mut exchanging = std::pin::pin!(client.send(Request { timeout, ..Request::get(server.url(path)) }));
            assert!(futures_util::poll!(exchanging.as_mut()).is_pending());
            std::thread::sleep(Duration::from_millis(900));
            let looked = Instant::now();
            (exchanging.await, looked)
        })
    };
    // The limit is over when the thread looks, and was not when the response came.
    let (exchange, looked) = while_busy("/", 800);
    assert_eq!(exchange.result.unwrap().status, 200);
    assert!(exchange.hops[0].ended < looked, "{:?}", exchange.hops[0].timings);
    let (exchange, _) = while_busy("/after/200", 20);
    assert_eq!(exchange.result.unwrap_err().code, 1050);
    let timings = exchange.hops[0].timings;
    assert!(timings.waiting <= Duration::from_millis(20) && timings.receiving.is_zero(), "{timings:?}");
}

/// Sends requests at once over one connection from a thread that looks at nothing for a while, and judges when the first two were
/// answered, after 100 and 250 ms, until that is right: where the machine is late, too, nobody can tell.
fn while_late(client: &HttpClient, url: &Url, requests: &dyn Fn() -> Vec<Request>) {
    let is_here = || client.here.as_ref().unwrap().serves(url);
    let is_right = |_| {
        assert!((0..200).any(|_| get(client, url.clone()).result.is_ok() && is_here()));
        let (exchanges, looked) = wait(async {
            let mut exchanging =
                std::pin::pin!(futures_util::future::join_all(requests().into_iter().map(|one| client.send(one))));
            assert!(futures_util::poll!(exchanging.as_mut()).is_pending());
            std::thread::sleep(Duration::from_millis(500));
            let looked = Instant::now();
            (exchanging.await, looked)
        });
        assert!(exchanges.iter().all(|exchange| exchange.result.as_ref().is_ok_and(|response| response.status == 200)));
        let [first, second, ..] = &exchanges[..] else { unreachable!("there are two") };
        let [first, second] = [first, second].map(|exchange| exchange.hops[0].clone());
        let apart = second.timings.waiting.saturating_sub(first.timings.waiting);
        let is_whole = [&first, &second].iter().all(|hop| hop.timings.receiving < Duration::from_millis(50));
        second.ended < looked && apart > Duration::from_millis(75) && is_whole
    };
    assert!((0..20).any(is_right));
}

#[test]
fn http2_answers_that_are_read_together_have_times_of_their_own() {
    let server = Server::new(&["h2"], None, h2_echo);
    let sockets = SocketWatch::new().unwrap();
    sockets.watch_this_thread();
    let get_after = |ms: u64| Request::get(server.url(&format!("/after/{ms}")));
    while_late(&client(trusting()), &server.url("/"), &|| {
        sockets.looked();
        vec![get_after(100), get_after(250)]
    });
}

#[test]
fn http2_answers_do_not_wait_for_a_connection_that_moves() {
    let server = Server::new(&["h2"], None, h2_echo);
    let get_after = |ms: u64| Request::get(server.url(&format!("/after/{ms}")));
    let client = client(trusting());
    while_late(&client, &server.url("/"), &|| {
        // The network thread opens a connection, and is done before the others are answered.
        let elsewhere = Server::new(&["http/1.1"], None, echo).url("/");
        vec![get_after(100), get_after(250), Request::get(elsewhere)]
    });
}

#[test]
fn http2_errors_carry_their_codes() {
    let server = Server::new(&["h2"], None, h2_echo);
    let client = client(trusting());
    let check = |path: &str, code: u16, text: &str| {
        let error = get(&client, server.url(path)).result.unwrap_err();
        assert_eq!((error.code, &*error.text), (code, text), "{path}");
    };
    check("/reset/2", 1633, "http2: stream error with http2 ErrCode INTERNAL_ERROR");
    check("/reset/14", 1630, "http2: stream error with http2 ErrCode unknown error code 0xe");
    assert_eq!(get(&client, server.url("/")).result.unwrap().status, 200);
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
    check("/goaway/11", 1622, "http2: received GoAway with http2 ErrCode ENHANCE_YOUR_CALM");
    let timeout = Duration::from_millis(250);
    let refused = wait(client.send(Request { timeout, ..Request::get(server.url("/reset/7")) })).result.unwrap_err();
    assert_eq!(refused.code, 1050);
}

#[test]
fn http2_faults_leave_the_next_request_alone() {
    let server = Server::new(&["h2"], None, h2_echo);
    let client = client(trusting());
    let check = |path: &str, mode: BodyMode, code: u16, text: &str, connections: usize| {
        let timeout =
            Duration::from_millis(if matches!(path, "/broken/endless" | "/broken/drip") { 300 } else { 20_000 });
        let request = Request { timeout, body_mode: mode, ..Request::get(server.url(path)) };
        let error = wait(client.send(request)).result.unwrap_err();
        assert_eq!((error.code, &*error.text), (code, text), "{path}");
        assert_eq!(get(&client, server.url("/")).result.unwrap().status, 200, "after {path}");
        assert_eq!(server.connections.load(Ordering::Relaxed), connections, "after {path}");
    };
    check("/broken/short", BodyMode::Keep, 1000, "unexpected EOF", 1);
    check("/broken/endless", BodyMode::Discard, 1050, "request timeout", 1);
    check("/broken/drip", BodyMode::Keep, 1050, "request timeout", 1);
    check("/broken/reset", BodyMode::Keep, 1633, "http2: stream error with http2 ErrCode INTERNAL_ERROR", 1);
    let first = Request { body_mode: BodyMode::First(70_000), ..Request::get(server.url("/broken/endless")) };
    assert_eq!(text(wait(client.send(first))), "begun".to_owned() + &"x".repeat(69_995));
    assert_eq!(get(&client, server.url("/")).result.unwrap().status, 200);
    // What was under way is not sent again: the server may have done it.
    check("/gone", BodyMode::Keep, 1000, "unexpected EOF", 2);
}

#[test]
fn a_given_up_http2_stream_makes_room_for_the_next() {
    let server = Server::new(&["h2"], None, h2_echo_one);
    let client = client(trusting());
    assert_eq!(get(&client, server.url("/")).result.unwrap().status, 200);
    let timeout = Duration::from_secs(20);
    let ask = |path: &str, body_mode| client.send(Request { timeout, body_mode, ..Request::get(server.url(path)) });
    for _ in 0..3 {
        // The second waits for its turn.
        let both = async { tokio::join!(ask("/broken/endless", BodyMode::First(70_000)), ask("/", BodyMode::Keep)) };
        let (endless, whole) = wait(both);
        assert!(endless.result.is_ok(), "{:?}", endless.result);
        assert_eq!(whole.result.unwrap().status, 200);
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[test]
fn requests_over_one_http2_connection_go_where_each_is_sent() {
    let server = Server::new(&["h2"], None, h2_echo);
    let client = client(trusting());
    let own = server.url("/").host().to_owned();
    let long = format!("/{}", "x".repeat(1000));
    for (path, host, expect) in [
        ("/a", None, "/a"),
        ("/a", None, "/a"),
        ("/a", Some("other.example"), "/a"),
        ("/a", Some("Other.example"), "/a"),
        ("/a", None, "/a"),
        ("/a?b=c", None, "/a?b=c"),
        ("/?{x}", None, "/?%7Bx%7D"),
        ("/?{x}", None, "/?%7Bx%7D"),
        ("/?%7Bx%7D", None, "/?%7Bx%7D"),
        ("/A", None, "/A"),
        (&*long, None, &*long),
        (&*long, Some("OTHER.example:80"), &*long),
        ("/a", None, "/a"),
    ] {
        let headers = host.iter().map(|host| ("Host".to_owned(), (*host).to_owned())).collect();
        let exchange = wait(client.send(Request { headers, ..Request::get(server.url(path)) }));
        let line = text(exchange).lines().next().unwrap_or_default().to_owned();
        assert_eq!(line, format!("GET https://{}{expect}", host.unwrap_or(&own)), "{path} of {host:?}");
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[test]
fn http2_can_be_switched_off() {
    let server = Server::new(&["h2", "http/1.1"], None, echo);
    let client =
        Net::start(Config { http2: false, tls: trusting(), ..Config::default() }, 1, &crate::log::Logger::silent())
            .unwrap()
            .client(0);
    assert_eq!(get(&HttpClient::new(client), server.url("/")).result.unwrap().proto, "HTTP/1.1");
}
