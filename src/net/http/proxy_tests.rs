//! Requests through proxies, and HTTP/2 without TLS, against servers in this process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::tests::wait;
use super::*;
use crate::net::{Config, HttpClient, Net, ProxyConfig, TlsConfig};

/// What was said to a proxy or a server, in order.
type Heard = Arc<Mutex<Vec<String>>>;

/// How long a proxy takes to make a tunnel to `slow.test`.
const SLOW: Duration = Duration::from_millis(200);

/// Plays `play` on every connection to a new port, on a thread of its own.
fn serve<F: Future<Output = ()> + 'static>(play: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            listener.set_nonblocking(true).unwrap();
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(play(stream));
            }
        });
    });
    address
}

fn acceptor() -> TlsAcceptor {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsAcceptor::from(Arc::new(
        builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap(),
    ))
}

/// Answers every request with its own bytes.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut input = vec![0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut input).await {
        let text = String::from_utf8_lossy(&input[..count]).into_owned();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        if stream.write_all(answer.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// An HTTP proxy that notes first lines and credentials, and leads every tunnel to `target`.
async fn http_proxy(mut stream: impl AsyncRead + AsyncWrite + Unpin, target: SocketAddr, heard: Heard) {
    let asked = head(&mut stream).await;
    let credentials = asked.lines().find(|line| line.starts_with("Proxy-Authorization")).unwrap_or("no credentials");
    heard.lock().unwrap().push(format!("{}; {credentials}", asked.lines().next().unwrap_or_default()));
    if asked.starts_with("CONNECT ") {
        if asked.contains("refused.test") {
            _ = stream.write_all(b"HTTP/1.1 403 Not Through Me\r\n\r\n").await;
            return;
        }
        if asked.contains("slow.test") {
            tokio::time::sleep(SLOW).await;
        }
        let mut onward = TcpStream::connect(target).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        stream.flush().await.unwrap();
        _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        return;
    }
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{asked}", asked.len());
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    // Until the client leaves.
    _ = stream.read(&mut [0; 1]).await;
}

/// A SOCKS proxy that wants a password and leads everything to `target`.
async fn socks_proxy(mut stream: TcpStream, target: SocketAddr, heard: Heard) {
    let mut input = [0; 512];
    let count = stream.read(&mut input).await.unwrap();
    assert_eq!(input[..count], [5, 2, 0, 2]);
    stream.write_all(&[5, 2]).await.unwrap();
    let count = stream.read(&mut input).await.unwrap();
    assert_eq!(&input[..count], b"\x01\x02me\x06secret");
    stream.write_all(&[1, 0]).await.unwrap();
    let count = stream.read(&mut input).await.unwrap();
    let name = &input[5..count - 2];
    heard.lock().unwrap().push(format!(
        "{} {}",
        String::from_utf8_lossy(name),
        u16::from_be_bytes([input[count - 2], input[count - 1]])
    ));
    if name == b"refused.test" {
        stream.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        return;
    }
    let mut onward = TcpStream::connect(target).await.unwrap();
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await.unwrap();
    _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
}

fn client(proxy: &str) -> HttpClient {
    let env = [("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let tls = TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() };
    let config = Config { tls, proxy: ProxyConfig::from_env(&env.into()), ..Config::default() };
    HttpClient::new(Net::start(config, 1, &crate::log::Logger::silent()).unwrap().client(0))
}

fn send(client: &HttpClient, request: Request) -> Exchange {
    wait(client.send(request))
}

fn get(client: &HttpClient, url: &str) -> Exchange {
    send(client, Request::get(Url::parse(url).unwrap()))
}

fn text(exchange: Exchange) -> String {
    String::from_utf8(exchange.result.unwrap().body.unwrap().to_vec()).unwrap()
}

fn encrypted_echo() -> SocketAddr {
    let acceptor = acceptor();
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                echo(stream).await;
            }
        }
    })
}

/// Checks both kinds of HTTP proxy: `scheme` says how the proxy itself is spoken to.
fn check_http_proxy(scheme: &str) {
    let (heard, target, acceptor) = (Heard::default(), encrypted_echo(), acceptor());
    let (notes, encrypted) = (heard.clone(), scheme == "https");
    let proxy = serve(move |stream| {
        let (acceptor, notes) = (acceptor.clone(), notes.clone());
        async move {
            match encrypted {
                true => http_proxy(acceptor.accept(stream).await.unwrap(), target, notes).await,
                false => http_proxy(stream, target, notes).await,
            }
        }
    });
    let client = client(&format!("{scheme}://me:secret@localhost:{}", proxy.port()));
    assert!(text(get(&client, "http://some.test/path?q")).starts_with("GET http://some.test/path?q HTTP/1.1\r\n"));
    let through = get(&client, "https://other.test/inside");
    assert_eq!(through.result.as_ref().unwrap().tls.unwrap().version, "tls1.3");
    assert!(through.hops[0].timings.tls_handshaking > Duration::ZERO);
    assert!(text(through).starts_with("GET /inside HTTP/1.1\r\nHost: other.test\r\n\r\n"));
    assert!(text(get(&client, "https://other.test/again")).starts_with("GET /again "));
    let refused = get(&client, "https://refused.test/").result.unwrap_err();
    assert_eq!((refused.code, &*refused.text), (1000, "Not Through Me"));
    // What a connection costs is no part of what the request takes.
    let slow = get(&client, "https://slow.test/").hops.remove(0);
    assert!(slow.timings.blocked >= SLOW, "{slow:?}");
    assert!(slow.timings.blocked + slow.timings.duration() <= slow.ended - slow.started, "{slow:?}");
    let told = Request { dump_level: DumpLevel::Full, ..Request::get(Url::parse("http://some.test/told").unwrap()) };
    let told = send(&client, told).dumps;
    assert!(told[0].request.contains("/told") && !told[0].request.contains("bWU6c2VjcmV0"), "{}", told[0].request);
    let credentials = "Proxy-Authorization: Basic bWU6c2VjcmV0";
    let expect = [
        format!("GET http://some.test/path?q HTTP/1.1; {credentials}"),
        format!("CONNECT other.test:443 HTTP/1.1; {credentials}"),
        format!("CONNECT refused.test:443 HTTP/1.1; {credentials}"),
        format!("CONNECT slow.test:443 HTTP/1.1; {credentials}"),
        format!("GET http://some.test/told HTTP/1.1; {credentials}"),
    ];
    assert_eq!(*heard.lock().unwrap(), expect);
}

#[test]
fn requests_go_through_http_proxies() {
    check_http_proxy("http");
}

#[test]
fn requests_go_through_proxies_that_speak_tls() {
    check_http_proxy("https");
}

#[test]
fn requests_go_through_socks() {
    let (heard, encrypted, plain) = (Heard::default(), encrypted_echo(), serve(echo));
    let proxy = |target: SocketAddr| {
        let notes = heard.clone();
        let proxy = serve(move |stream| socks_proxy(stream, target, notes.clone()));
        client(&format!("socks5://me:secret@localhost:{}", proxy.port()))
    };
    let client = proxy(plain);
    assert!(
        text(get(&client, "http://some.test:81/path")).starts_with("GET /path HTTP/1.1\r\nHost: some.test:81\r\n\r\n")
    );
    let refused = get(&client, "http://refused.test/").result.unwrap_err();
    assert!(
        refused.full.contains("refused.test:80: unknown error connection not allowed by ruleset"),
        "{}",
        refused.full
    );
    assert!(!format!("{refused:?}").contains("secret"));
    assert!(text(get(&proxy(encrypted), "https://some.test/")).starts_with("GET / "));
    assert_eq!(*heard.lock().unwrap(), ["some.test 81", "refused.test 80", "some.test 443"]);
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "https", "socks5"] {
        let error = get(&client(&format!("{scheme}://me:secret@{free}")), "http://some.test/").result.unwrap_err();
        let text = format!("proxyconnect tcp: dial tcp {free}: connect: connection refused");
        assert_eq!((error.code, &*error.text), (1200, text.as_str()));
        assert_eq!(error.full, format!("Get \"http://some.test/\": {text}"));
    }
}

/// HTTP/2 without TLS: shows the method, the path and the body.
async fn h2c_echo(stream: TcpStream) {
    let Ok(mut connection) = ::h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        tokio::task::spawn_local(async move {
            let (parts, mut body) = request.into_parts();
            let mut bytes = format!("{} {}:", parts.method, parts.uri.path()).into_bytes();
            while let Some(Ok(data)) = body.data().await {
                _ = body.flow_control().release_capacity(data.len());
                bytes.extend_from_slice(&data);
            }
            let mut stream = respond.send_response(http::Response::new(()), false).unwrap();
            stream.send_data(bytes.into(), true).unwrap();
        });
    }
}

#[test]
fn http2_is_spoken_without_tls_where_asked_for() {
    let (new, old) = (serve(h2c_echo), serve(echo));
    let client = HttpClient::new(Net::start(Config::default(), 1, &crate::log::Logger::silent()).unwrap().client(0));
    let request = |address: SocketAddr, path: &str| Request {
        protocol: Protocol::H2c,
        ..Request::get(Url::parse(&format!("http://{address}{path}")).unwrap())
    };
    let first = send(&client, request(new, "/a"));
    assert_eq!((first.hops[0].proto, first.result.as_ref().unwrap().tls), ("HTTP/2.0", None));
    assert_eq!(text(first), "GET /a:");
    let pieces = ["x".repeat(100_000).into(), Bytes::new(), "y".repeat(50_000).into(), Bytes::new()];
    let body = Some(Body::Chain(pieces.into()));
    let second = send(&client, Request { method: "POST".into(), body, ..request(new, "/b") });
    assert_eq!(second.hops[0].timings.connecting, Duration::ZERO, "the connection is shared");
    assert_eq!(text(second), format!("POST /b:{}{}", "x".repeat(100_000), "y".repeat(50_000)));
    // Nobody else takes that connection, and who does not know HTTP/2 is an error.
    assert_eq!(get(&client, &format!("http://{old}/")).hops[0].proto, "HTTP/1.1");
    assert!(send(&client, request(old, "/")).result.is_err());
    assert_eq!(send(&client, request(new, "/c")).result.unwrap().status, 200);
}
