//! What outputs push to in tests: servers from Debian, and receivers of our own.
//!
//! A server lives in a folder of its own, on ports nobody else uses, and ends with its value.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;
use volley::proto::ExportRequest;

use crate::{needs, server};

/// A server that takes longer to start is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that was free a moment ago, below those the kernel gives to whoever asks for any: nobody takes it meanwhile, and
/// who connects to it too early doesn't connect to himself.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 10_000) as u16;
    let mut ports = (0..).map(|_| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a port is free")
}

/// Asks a server; `None` when it does not answer.
pub fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.split(' ').nth(1).filter(|status| status.starts_with('2')).map(|_| body.to_owned())
}

/// A query, escaped.
fn escaped(text: &str) -> String {
    let bytes = text.bytes();
    bytes.map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A server process in a folder of its own.
pub struct Server {
    pub port: u16,
    folder: TempDir,
    start: fn(&Path, u16) -> Command,
    ready: &'static str,
    child: Child,
}

impl Server {
    fn new(start: fn(&Path, u16) -> Command, ready: &'static str) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder can be made"), free_port());
        let child = spawn(start(folder.path(), port));
        let server = Self { port, folder, start, ready, child };
        server.wait();
        server
    }

    fn wait(&self) {
        let begun = Instant::now();
        while get(self.port, self.ready).is_none() {
            assert!(begun.elapsed() < PATIENCE, "the server never became ready");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Makes it hang: connections stay open, nothing is answered any more.
    pub fn freeze(&self) {
        let id = i32::try_from(self.child.id()).expect("a process id fits");
        // SAFETY: `kill` only takes numbers; the child was not waited for yet, so the id is still its own.
        assert_eq!(unsafe { libc::kill(id, libc::SIGSTOP) }, 0);
    }

    /// Ends it without a farewell.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        self.child = spawn((self.start)(self.folder.path(), self.port));
        self.wait();
    }

    /// Prometheus, with its receiver of pushed series.
    pub fn prometheus() -> Self {
        let start = |folder: &Path, port: u16| {
            std::fs::write(folder.join("empty.yml"), "").expect("a file can be written");
            let mut command = Command::new(needs::program(&["prometheus"], "Debian: prometheus"));
            command.arg(format!("--config.file={}", folder.join("empty.yml").display()));
            command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
            command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command.args(["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]);
            command
        };
        Self::new(start, "/-/ready")
    }

    /// InfluxDB 1.
    pub fn influxdb() -> Self {
        let start = |folder: &Path, port: u16| {
            let at = |name: &str| folder.join(name).display().to_string();
            let config = format!(
                "reporting-disabled = true\nbind-address = \"127.0.0.1:{}\"\n[meta]\ndir = \"{}\"\n[data]\ndir = \"{}\"\n\
                 wal-dir = \"{}\"\n[http]\nbind-address = \"127.0.0.1:{port}\"\nlog-enabled = false\n",
                free_port(),
                at("meta"),
                at("data"),
                at("wal"),
            );
            std::fs::write(folder.join("influxdb.conf"), config).expect("a file can be written");
            let mut command = Command::new(needs::program(&["influxd"], "Debian: influxdb"));
            command.arg("-config").arg(folder.join("influxdb.conf"));
            command
        };
        Self::new(start, "/ping")
    }

    /// The results of a query in PromQL.
    pub fn promql(&self, query: &str) -> Vec<Value> {
        let text = get(self.port, &format!("/api/v1/query?query={}", escaped(query))).expect("Prometheus answers");
        let answer: Value = serde_json::from_str(&text).expect("it answers JSON");
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }

    /// The one number a query comes to.
    pub fn prom_number(&self, query: &str) -> f64 {
        let results = self.promql(query);
        assert_eq!(results.len(), 1, "{query}: {results:?}");
        results[0]["value"][1].as_str().expect("a number comes as text").parse().expect("it is one")
    }

    /// The first row of a query in InfluxQL, without its time.
    pub fn influxql(&self, query: &str) -> Vec<f64> {
        let path = format!("/query?db=k6&epoch=ns&q={}", escaped(query));
        let answer: Value = serde_json::from_str(&get(self.port, &path).expect("InfluxDB answers")).expect("JSON");
        let row = answer["results"][0]["series"][0]["values"][0].as_array().cloned().unwrap_or_default();
        row.iter().skip(1).filter_map(Value::as_f64).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the server starts")
}

/// A listener that takes connections and says nothing.
pub fn silent() -> SocketAddr {
    server::serve(|mut stream| {
        let mut bytes = [0; 4096];
        while stream.read(&mut bytes)? > 0 {}
        Ok(())
    })
}

/// All lines that arrive in datagrams.
pub fn datagrams() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let address = socket.local_addr().expect("a socket has an address");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; 65536];
        while let Ok(length) = socket.recv(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            kept.lock().expect("nobody panicked").extend(text.lines().map(str::to_owned));
        }
    });
    (address, lines)
}

/// What a collector of OpenTelemetry got: the path and the headers of each export, and the export itself.
pub type Exports = Arc<Mutex<Vec<(String, ExportRequest)>>>;

/// A collector that speaks HTTP, and after so many exports says nothing more.
pub fn http_collector(most: usize) -> (SocketAddr, Exports) {
    let exports = Exports::default();
    let kept = exports.clone();
    let address = server::serve(move |stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        loop {
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let from = head.len();
                if reader.read_line(&mut head)? == 0 {
                    return Ok(());
                }
                let line = head[from..].to_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let export = ExportRequest::decode(&*body).map_err(std::io::Error::other)?;
            let mut kept = kept.lock().expect("nobody panicked");
            if kept.len() >= most {
                continue;
            }
            kept.push((head, export));
            drop(kept);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        }
    });
    (address, exports)
}

/// A collector that speaks gRPC, ends every call with this status, and after so many exports says nothing more.
pub fn grpc_collector(status: &'static str, most: usize) -> (SocketAddr, Exports) {
    collector(status, most, None)
}

/// A collector that speaks gRPC over TLS; with its certificate as PEM.
pub fn secret_collector() -> (SocketAddr, Exports, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let rcgen::CertifiedKey { cert, signing_key } = signed.expect("a certificate can be made");
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key));
    let mut config = config.expect("the certificate is one");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let (address, exports) = collector("0", usize::MAX, Some(acceptor));
    (address, exports, cert.pem())
}

fn collector(status: &'static str, most: usize, tls: Option<tokio_rustls::TlsAcceptor>) -> (SocketAddr, Exports) {
    let exports = Exports::default();
    let kept = exports.clone();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    listener.set_nonblocking(true).expect("a socket can be told");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener is one");
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, tls) = (kept.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, kept, status, most).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                converse(stream, kept, status, most).await;
                            }
                        }
                    }
                });
            }
        });
    });
    (address, exports)
}

async fn converse(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    kept: Exports,
    status: &'static str,
    most: usize,
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, reply))) = connection.accept().await {
        tokio::spawn(answer(request, reply, kept.clone(), status, most));
    }
}

async fn answer(
    request: http::Request<h2::RecvStream>,
    mut reply: h2::server::SendResponse<Bytes>,
    kept: Exports,
    status: &str,
    most: usize,
) {
    let (head, mut body) = request.into_parts();
    let mut bytes = Vec::new();
    while let Some(Ok(chunk)) = body.data().await {
        _ = body.flow_control().release_capacity(chunk.len());
        bytes.extend(chunk);
    }
    if let Some(export) = bytes.get(5..).and_then(|message| ExportRequest::decode(message).ok()) {
        let head = format!("{} {:?}", head.uri.path(), head.headers);
        let is_enough = {
            let mut kept = kept.lock().expect("nobody panicked");
            if kept.len() < most {
                kept.push((head, export));
                false
            } else {
                true
            }
        };
        if is_enough {
            std::future::pending::<()>().await;
        }
    }
    let response = http::Response::builder().header("content-type", "application/grpc").body(()).expect("it is one");
    if let Ok(mut stream) = reply.send_response(response, false) {
        _ = stream.send_data(Bytes::from_static(&[0, 0, 0, 0, 0]), false);
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", status.parse().expect("a number is a header"));
        trailers.insert("grpc-message", http::HeaderValue::from_static("too full"));
        _ = stream.send_trailers(trailers);
    }
}
