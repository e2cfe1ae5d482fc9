//! A small gRPC server for scripts under test, on 127.0.0.1: the service of `js/k6/net/grpc/data/test.proto`, health and
//! reflection. It also misbehaves, by the name it is asked with.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::needs;
use crate::program::{engines, run, volley};

#[derive(Clone, PartialEq, Message)]
struct Failure {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(string, tag = "3")]
    detail: String,
}

#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(int64, tag = "1")]
    value: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
struct Detailed {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Question {
    #[prost(string, tag = "3")]
    file: String,
    #[prost(string, tag = "4")]
    symbol: String,
    #[prost(string, optional, tag = "7")]
    services: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(message, optional, tag = "4")]
    files: Option<Files>,
    #[prost(message, optional, tag = "6")]
    services: Option<Services>,
    #[prost(message, optional, tag = "7")]
    error: Option<Failure>,
}

#[derive(Clone, PartialEq, Message)]
struct Files {
    #[prost(bytes = "vec", repeated, tag = "1")]
    descriptors: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    list: Vec<Named>,
}

/// Against the C core that most gRPC servers share.
#[test]
fn a_server_on_grpcio_is_understood() {
    let mut python = needs::python("grpc", "python3-grpcio");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate can be made");
    let (certificate, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
    for (name, text) in [("cert.pem", &certificate), ("ca.pem", &certificate), ("key.pem", &key)] {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    let mut peer = python
        .arg(root.join("grpc_peer.py"))
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut ports = String::new();
    let stdout = peer.stdout.take().expect("stdout is piped");
    BufReader::new(stdout).read_line(&mut ports).expect("it says its ports");
    let (plain, secure) = ports.trim().split_once(' ').expect("there are two");
    for engine in engines() {
        for (port, is_secure) in [(plain, false), (secure, true)] {
            let mut command = volley(&root.join("js/k6/net/grpc/data"));
            command.args(["run", "--quiet", "--no-color", "--js-engine", engine]);
            command.arg(format!("--env=ADDRESS=127.0.0.1:{port}"));
            if is_secure {
                command.arg(format!("--env=CA={certificate}")).arg(format!("--env=CERT={certificate}"));
                command.arg(format!("--env=KEY={key}"));
            }
            let outcome = run(command.arg("peer.js"));
            assert_eq!(outcome.code, 0, "on {engine}\n{}\n{}", outcome.stdout, outcome.stderr);
        }
    }
    // It ends with its standard input.
    drop(peer.stdin.take());
    peer.wait().expect("python ends");
}

/// Where scripts find the servers.
pub struct Addresses {
    /// Without TLS; speaks both versions of reflection.
    pub plain: SocketAddr,
    /// Without TLS; speaks the older version of reflection only, and knows no files of Google's.
    pub old: SocketAddr,
    /// With TLS, for `localhost`; asks for a certificate and takes those of `authority`.
    pub tls: SocketAddr,
    /// Who vouches for the server, and for clients: PEM.
    pub authority: String,
    /// A certificate for clients: PEM.
    pub certificate: String,
    /// Its key: PEM.
    pub key: String,
}

/// The servers all tests share.
pub fn addresses() -> &'static Addresses {
    static ADDRESSES: LazyLock<Addresses> = LazyLock::new(start);
    &ADDRESSES
}

fn start() -> Addresses {
    let key = || rcgen::KeyPair::generate().expect("a key can be made");
    let (authority_key, server_key, client_key) = (key(), key(), key());
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("no names are fine");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).expect("a certificate can be made");
    let issuer = rcgen::Issuer::new(params, authority_key);
    let sign = |key: &rcgen::KeyPair| {
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name is fine");
        params.signed_by(key, &issuer).expect("a certificate can be made")
    };
    let (server, client) = (sign(&server_key), sign(&client_key));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.der().clone()).expect("it is a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(server_key.serialize_der());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_client_cert_verifier(verifier.build().expect("there is a root"))
        .with_single_cert(vec![server.der().clone()], key.into())
        .expect("key and certificate fit");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));

    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            for kind in 0..3 {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
                tell.send(listener.local_addr().expect("a listener has an address")).expect("somebody listens");
                let acceptor = acceptor.clone();
                tokio::task::spawn_local(async move {
                    while let Ok((tcp, _)) = listener.accept().await {
                        let acceptor = acceptor.clone();
                        tokio::task::spawn_local(async move {
                            if kind < 2 {
                                return serve(tcp, kind == 1).await;
                            }
                            match acceptor.accept(tcp).into_fallible().await {
                                Ok(stream) => serve(stream, false).await,
                                // Read to the end, so that the client gets to see why.
                                Err((_, mut tcp)) => _ = tokio::io::copy(&mut tcp, &mut tokio::io::sink()).await,
                            }
                        });
                    }
                });
            }
            std::future::pending::<()>().await;
        });
    });
    let next = || told.recv().expect("the server starts");
    Addresses {
        plain: next(),
        old: next(),
        tls: next(),
        authority: authority.pem(),
        certificate: client.pem(),
        key: client_key.serialize_pem(),
    }
}

/// Speaks with one client. Needs a `LocalSet` around it.
pub async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, is_old: bool) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        if request.uri().path().ends_with("/Odd") && request.headers().contains_key("x-leave") {
            // The connection ends in the middle of a call.
            return;
        }
        tokio::task::spawn_local(async move { _ = answer(request, respond, is_old).await });
    }
}

/// One call on the server's side.
struct Call {
    body: RecvStream,
    buffer: BytesMut,
}

impl Call {
    /// The next message; `None` when the client has ended.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let [_, a, b, c, d, ..] = self.buffer[..] {
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                if self.buffer.len() >= 5 + length {
                    _ = self.buffer.split_to(5);
                    return Some(self.buffer.split_to(length).freeze());
                }
            }
            let piece = self.body.data().await?.ok()?;
            _ = self.body.flow_control().release_capacity(piece.len());
            self.buffer.extend_from_slice(&piece);
        }
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.extend_from_slice(message);
    frame.freeze()
}

fn head() -> http::response::Builder {
    Response::builder().header("content-type", "application/grpc")
}

fn status(code: i32, message: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code));
    if !message.is_empty() {
        let escaped: String = message
            .bytes()
            .map(|byte| match byte {
                b' '..=b'~' if byte != b'%' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        trailers.insert("grpc-message", HeaderValue::from_str(&escaped).expect("it is escaped"));
    }
    trailers
}

fn headers(respond: &mut SendResponse<Bytes>) -> Result<SendStream<Bytes>, h2::Error> {
    respond.send_response(head().body(()).expect("a head"), false)
}

/// Nothing but a status.
fn refuse(respond: &mut SendResponse<Bytes>, code: i32, message: &str) -> Result<(), h2::Error> {
    let mut head = head().body(()).expect("a head");
    head.headers_mut().extend(status(code, message));
    respond.send_response(head, true).map(drop)
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, is_old: bool) -> Result<(), h2::Error> {
    let (parts, body) = request.into_parts();
    let mut call = Call { body, buffer: BytesMut::new() };
    let path = parts.uri.path();
    let one = |message: Vec<u8>, respond: &mut SendResponse<Bytes>| {
        let mut stream = headers(respond)?;
        stream.send_data(framed(&message), false)?;
        stream.send_trailers(status(0, ""))
    };
    match path.rsplit('/').next().unwrap_or_default() {
        "Say" => {
            let message = call.next().await.unwrap_or_default();
            one(message.into(), &mut respond)
        }
        "Fail" => {
            let failure = Failure::decode(call.next().await.unwrap_or_default()).unwrap_or_default();
            let mut trailers = status(failure.code, &failure.message);
            if !failure.detail.is_empty() {
                let known = Any {
                    url: "type.googleapis.com/test.v1.Text".to_owned(),
                    value: Text { text: failure.detail.clone() }.encode_to_vec(),
                };
                let unknown = Any { url: "type.googleapis.com/no.such.Type".to_owned(), value: vec![1, 2] };
                let details = Detailed { code: failure.code, message: failure.message, details: vec![known, unknown] };
                let value = STANDARD_NO_PAD.encode(details.encode_to_vec());
                trailers.insert("grpc-status-details-bin", HeaderValue::from_str(&value).expect("it is base64"));
            }
            headers(&mut respond)?.send_trailers(trailers)
        }
        "Sleep" => {
            let number = Number::decode(call.next().await.unwrap_or_default()).unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(number.value as u64)).await;
            one(number.encode_to_vec(), &mut respond)
        }
        "Meta" => {
            let mut head = head().body(()).expect("a head");
            let mut trailers = status(0, "");
            let mut names = Vec::new();
            for (name, value) in &parts.headers {
                match name.as_str().strip_prefix("x-") {
                    Some(rest) => {
                        head.headers_mut().append(name.clone(), value.clone());
                        let name = HeaderName::from_bytes(format!("t-{rest}").as_bytes()).expect("a name");
                        trailers.append(name, value.clone());
                    }
                    None => names.push(format!("{name}: {}", value.to_str().unwrap_or("?"))),
                }
            }
            names.push(format!("authority: {}", parts.uri.authority().map_or("", |authority| authority.as_str())));
            let mut stream = respond.send_response(head, false)?;
            stream.send_data(framed(&Text { text: names.join("; ") }.encode_to_vec()), false)?;
            stream.send_trailers(trailers)
        }
        "Odd" => {
            let text = Text::decode(call.next().await.unwrap_or_default()).unwrap_or_default().text;
            odd(&text, &mut respond)
        }
        "Sum" => {
            let mut sum = 0;
            while let Some(message) = call.next().await {
                sum += Number::decode(message).unwrap_or_default().value;
            }
            one(Number { value: sum }.encode_to_vec(), &mut respond)
        }
        "Count" => {
            let number = Number::decode(call.next().await.unwrap_or_default()).unwrap_or_default();
            let mut stream = headers(&mut respond)?;
            for value in 1..=number.value {
                stream.send_data(framed(&Number { value }.encode_to_vec()), false)?;
            }
            if number.value < 0 {
                // Never ends; the client has to.
                return std::future::poll_fn(|cx| stream.poll_reset(cx)).await.map(drop);
            }
            stream.send_trailers(status(0, ""))
        }
        "Talk" => {
            let mut stream = headers(&mut respond)?;
            while let Some(message) = call.next().await {
                let text = Text::decode(message).unwrap_or_default().text;
                if let Some(why) = text.strip_prefix("fail ") {
                    return stream.send_trailers(status(9, why));
                }
                stream.send_data(framed(&Text { text: text.to_uppercase() }.encode_to_vec()), false)?;
            }
            stream.send_trailers(status(0, ""))
        }
        "Check" => match Named::decode(call.next().await.unwrap_or_default()).unwrap_or_default().name.as_str() {
            "" => one(vec![0x08, 1], &mut respond),
            "sick" => one(vec![0x08, 2], &mut respond),
            _ => refuse(&mut respond, 5, ""),
        },
        "ServerReflectionInfo" if !(is_old && path.starts_with("/grpc.reflection.v1.")) => {
            let mut stream = headers(&mut respond)?;
            while let Some(message) = call.next().await {
                let mut question = Question::decode(message).unwrap_or_default();
                if is_old && question.file.starts_with("google/") {
                    question.file = "not here".to_owned();
                }
                let answer = reflect(question);
                stream.send_data(framed(&answer.encode_to_vec()), false)?;
            }
            stream.send_trailers(status(0, ""))
        }
        _ => refuse(&mut respond, 12, &format!("unknown method {path}")),
    }
}

fn odd(what: &str, respond: &mut SendResponse<Bytes>) -> Result<(), h2::Error> {
    match what {
        "http" => {
            let head = Response::builder().status(503).header("content-type", "text/html");
            let mut stream = respond.send_response(head.body(()).expect("a head"), false)?;
            stream.send_data("<p>".into(), true)
        }
        "no trailers" => headers(respond)?.send_data(framed(&[]), true),
        "no message" => headers(respond)?.send_trailers(status(0, "")),
        "two messages" => {
            let mut stream = headers(respond)?;
            stream.send_data([framed(&[]), framed(&[])].concat().into(), false)?;
            stream.send_trailers(status(0, ""))
        }
        "reset" => {
            headers(respond)?.send_reset(Reason::ENHANCE_YOUR_CALM);
            Ok(())
        }
        "compressed" => {
            let head = head().header("grpc-encoding", "gzip").body(()).expect("a head");
            let mut stream = respond.send_response(head, false)?;
            stream.send_data(vec![1, 0, 0, 0, 1, 0].into(), false)?;
            stream.send_trailers(status(0, ""))
        }
        "large" => {
            let mut stream = headers(respond)?;
            stream.send_data(framed(&[0; 5000]), false)?;
            stream.send_trailers(status(0, ""))
        }
        "broken" => {
            let mut stream = headers(respond)?;
            stream.send_data(framed(&[0x0a, 9, 1]), false)?;
            stream.send_trailers(status(0, ""))
        }
        other => refuse(respond, 3, &format!("nothing odd is called {other}")),
    }
}

fn reflect(question: Question) -> Answer {
    static POOL: LazyLock<protox::prost_reflect::DescriptorPool> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js/k6/net/grpc/data");
        let mut compiler = protox::Compiler::new([folder]).expect("there is a folder");
        compiler.include_imports(true).open_file("test.proto").expect("it is right");
        compiler.descriptor_pool()
    });
    let file = |file: &protox::prost_reflect::FileDescriptor| Files { descriptors: vec![file.encode_to_vec()] };
    let none = || Failure { code: 5, message: "nothing of this name".to_owned(), detail: String::new() };
    if question.services.is_some() {
        let name = "test.v1.Test".to_owned();
        return Answer { services: Some(Services { list: vec![Named { name }] }), ..Answer::default() };
    }
    let found = match question.symbol.is_empty() {
        false => POOL.get_service_by_name(&question.symbol).map(|service| file(&service.parent_file())),
        true => POOL.get_file_by_name(&question.file).map(|known| file(&known)),
    };
    match found {
        Some(files) => Answer { files: Some(files), ..Answer::default() },
        None => Answer { error: Some(none()), ..Answer::default() },
    }
}
