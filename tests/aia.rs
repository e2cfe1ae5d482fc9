//! Servers that leave the certificates of their issuers out, and where those are fetched from (`tlsAIAFetch`): what is accepted,
//! what is refused, how often something is fetched, over every protocol and on every engine.
//!
//! The scripts call servers as `server.test` and addresses of certificates as `aia.test`, which `hosts` leads to 127.0.0.1.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tempfile::TempDir;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocket};

use crate::program::{Outcome, engines, run, volley};
use crate::{grpc, server};

/// What is found at a path.
#[derive(Clone)]
enum Page {
    /// Status, type and body.
    Found(u16, &'static str, Vec<u8>),
    /// Somewhere else.
    Moved(&'static str),
    /// A body without an end, that begins like this.
    Endless(Vec<u8>),
    /// Nothing, ever.
    Silence,
}

impl Page {
    fn der(certificate: &CertificateDer<'_>) -> Self {
        Self::Found(200, "application/pkix-cert", certificate.to_vec())
    }

    fn pem(pem: &str) -> Self {
        Self::Found(200, "application/x-pem-file", pem.as_bytes().to_vec())
    }
}

/// Where certificates are, and how often each path was asked for.
#[derive(Clone)]
struct Shelf {
    address: SocketAddr,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
    hits: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Shelf {
    fn new() -> Self {
        let (pages, hits) = (Arc::<Mutex<BTreeMap<String, Page>>>::default(), Arc::default());
        let address = server::serve({
            let (pages, hits) = (pages.clone(), Arc::clone(&hits));
            move |stream| Self::serve(stream, &pages, &hits)
        });
        Self { address, pages, hits }
    }

    fn serve(
        mut stream: std::net::TcpStream,
        pages: &Mutex<BTreeMap<String, Page>>,
        hits: &Mutex<BTreeMap<String, usize>>,
    ) -> io::Result<()> {
        let head = head(&mut BufReader::new(stream.try_clone()?))?;
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        // A proxy is asked for whole addresses.
        let path = target.strip_prefix("http://proxied.test").unwrap_or(&target).to_owned();
        *hits.lock().expect("nobody panicked").entry(target).or_default() += 1;
        let page = pages.lock().expect("nobody panicked").get(&path).cloned();
        match page {
            None => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"),
            Some(Page::Moved(to)) => {
                write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
            }
            Some(Page::Found(status, kind, body)) => {
                write!(
                    stream,
                    "HTTP/1.1 {status} As It Is\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                )?;
                stream.write_all(&body)
            }
            Some(Page::Endless(begin)) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                stream.write_all(&begin)?;
                // Until the client has enough.
                loop {
                    stream.write_all(&[b'\n'; 4096])?;
                }
            }
            Some(Page::Silence) => io::copy(&mut stream, &mut io::sink()).map(drop),
        }
    }

    fn put(&self, path: &str, page: Page) {
        self.pages.lock().expect("nobody panicked").insert(path.to_owned(), page);
    }

    /// The address of a path.
    fn url(&self, path: &str) -> String {
        format!("http://aia.test:{}{path}", self.address.port())
    }

    /// How often each path was asked for since the last call.
    fn hits(&self) -> String {
        let hits = std::mem::take(&mut *self.hits.lock().expect("nobody panicked"));
        hits.iter().map(|(path, count)| format!("{path} {count}")).collect::<Vec<_>>().join(", ")
    }
}

/// The head of a request, without the line that ends it.
fn head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

/// A certificate, its key, and what it issues.
struct Certified {
    certificate: rcgen::Certificate,
    params: CertificateParams,
    key: KeyPair,
}

/// What a certificate is to say.
#[derive(Clone, Default)]
struct Wanted {
    name: String,
    hosts: Vec<&'static str>,
    urls: Vec<String>,
    is_ca: bool,
    is_expired: bool,
}

impl Wanted {
    fn authority(name: &str, urls: &[String]) -> Self {
        Self { name: name.to_owned(), urls: urls.to_vec(), is_ca: true, ..Self::default() }
    }

    fn server(urls: &[String]) -> Self {
        Self {
            name: "a server".to_owned(),
            hosts: vec!["server.test", "127.0.0.1"],
            urls: urls.to_vec(),
            ..Self::default()
        }
    }
}

impl Certified {
    fn new(wanted: &Wanted, issuer: Option<&Self>) -> Self {
        Self::with_key(wanted, issuer, KeyPair::generate().expect("a key can be made"))
    }

    fn with_key(wanted: &Wanted, issuer: Option<&Self>, key: KeyPair) -> Self {
        let hosts: Vec<String> = wanted.hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("names are fine");
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, wanted.name.as_str());
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(if wanted.is_expired { 2021 } else { 2100 }, 1, 1);
        if wanted.is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        if !wanted.urls.is_empty() {
            params.custom_extensions.push(access(&wanted.urls));
        }
        let certificate = match issuer {
            None => params.self_signed(&key),
            Some(issuer) => params.signed_by(&key, &Issuer::from_params(&issuer.params, &issuer.key)),
        };
        Self { certificate: certificate.expect("a certificate can be made"), params, key }
    }

    fn der(&self) -> &CertificateDer<'static> {
        self.certificate.der()
    }

    /// What a server needs that presents this chain.
    fn config(&self, chain: &[&Self], protocols: &[&str]) -> Arc<rustls::ServerConfig> {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let chain = std::iter::once(self).chain(chain.iter().copied()).map(|known| known.der().clone()).collect();
        let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.expect("the certificate is one");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// Serves HTTP and WebSockets with this certificate alone.
    fn serve(&self) -> SocketAddr {
        self.serve_chain(&[])
    }

    fn serve_chain(&self, chain: &[&Self]) -> SocketAddr {
        let config = self.config(chain, &["http/1.1"]);
        server::serve(move |stream| {
            let session = rustls::ServerConnection::new(config.clone()).map_err(io::Error::other)?;
            let mut reader = BufReader::new(rustls::StreamOwned::new(session, stream));
            loop {
                let head = head(&mut reader)?;
                let Some(key) = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")) else {
                    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")?;
                    continue;
                };
                let mut stream = reader.into_inner();
                write!(
                    stream,
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {}\r\n\r\n",
                    derive_accept_key(key.as_bytes())
                )?;
                let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
                while let Ok(message) = socket.read() {
                    if message.is_text() && socket.send(message).is_err() {
                        break;
                    }
                }
                return Ok(());
            }
        })
    }

    /// Serves gRPC with this certificate alone.
    fn serve_grpc(&self) -> SocketAddr {
        let acceptor = tokio_rustls::TlsAcceptor::from(self.config(&[], &["h2"]));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        listener.set_nonblocking(true).expect("it is a socket");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
            tokio::task::LocalSet::new().block_on(&runtime, async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("it is a listener");
                while let Ok((tcp, _)) = listener.accept().await {
                    let acceptor = acceptor.clone();
                    tokio::task::spawn_local(async move {
                        if let Ok(stream) = acceptor.accept(tcp).await {
                            grpc::serve(stream, false).await;
                        }
                    });
                }
            });
        });
        address
    }
}

/// The extension that says where the issuers' certificates are, behind a responder of OCSP.
fn access(urls: &[String]) -> CustomExtension {
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("it is short");
        let head = if length < 128 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [&head[..], content].concat()
    }
    let place = |method: u8, url: &str| {
        let method = der(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, method]);
        der(0x30, &[method, der(0x86, url.as_bytes())].concat())
    };
    let places = std::iter::once(place(1, "http://ocsp.test/")).chain(urls.iter().map(|url| place(2, url)));
    let content = der(0x30, &places.collect::<Vec<_>>().concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

/// A root that the program trusts, a folder, and the shelf.
struct World {
    folder: TempDir,
    root: Certified,
    shelf: Shelf,
}

/// Calls `server.test` for each pair of a name and a port in TARGETS, and says what came of it.
const CALLS: &str = "import http from 'k6/http';
    export const options = {
        hosts: { 'aia.test': '127.0.0.1', 'server.test': '127.0.0.1', 'blocked.test': '127.0.0.1' },
        blockHostnames: ['blocked.test'], blacklistIPs: ['127.0.0.9/32'], noConnectionReuse: true,
        ...JSON.parse(__ENV.OPTIONS || '{}'),
    };
    export default function () {
        for (const [name, host] of JSON.parse(__ENV.TARGETS)) {
            const { status, error_code, error } = http.get(`https://${host}/`, { timeout: '30s' });
            console.log(`${name}: ${status} ${error_code} ${error}`);
        }
    }";

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let root = Certified::new(&Wanted::authority("the root", &[]), None);
        std::fs::write(folder.path().join("root.pem"), root.certificate.pem()).expect("a file can be written");
        Self { folder, root, shelf: Shelf::new() }
    }

    /// A server whose certificate comes from an issuer that is not presented. The issuer's certificate is what it is made of; where
    /// it is, is said by the server's.
    fn server(&self, urls: &[String]) -> (Certified, Certified) {
        let issuer = Certified::new(&Wanted::authority("an issuer", &[]), Some(&self.root));
        (Certified::new(&Wanted::server(urls), Some(&issuer)), issuer)
    }

    /// Runs a script on an engine, with environment variables for the process.
    fn run(&self, engine: &str, script: &str, script_env: &[(&str, String)], process_env: &[(&str, &str)]) -> Outcome {
        std::fs::write(self.folder.path().join("script.js"), script).expect("a file can be written");
        let mut command = volley(self.folder.path());
        command.env("SSL_CERT_FILE", self.folder.path().join("root.pem")).env_remove("SSL_CERT_DIR");
        command.args(["run", "--quiet", "--log-format=json", "--verbose", "--js-engine", engine]);
        for (name, value) in script_env {
            command.arg("-e").arg(format!("{name}={value}"));
        }
        command.envs(process_env.iter().copied());
        run(command.arg("script.js"))
    }

    /// Calls servers, with `tlsAIAFetch` unless `options` says otherwise; what the script said, and the whole log.
    fn call(&self, engine: &str, targets: &[(&str, String)], options: serde_json::Value) -> (Vec<String>, Vec<Line>) {
        let env = [("TARGETS", json!(targets).to_string()), ("OPTIONS", options.to_string())];
        let outcome = self.run(engine, CALLS, &env, &[]);
        assert_eq!(outcome.code, 0, "on {engine}: {}", outcome.stderr);
        said(&outcome)
    }
}

/// A line of the log: its level, its message and all of it.
struct Line(String, String, serde_json::Value);

/// What the script said, and the whole log.
fn said(outcome: &Outcome) -> (Vec<String>, Vec<Line>) {
    let lines = outcome.stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let lines: Vec<_> = lines.map(|line| Line(text(&line["level"]), text(&line["msg"]), line)).collect();
    let said = lines.iter().filter(|line| line.2["source"] == "console").map(|line| line.1.clone()).collect();
    (said, lines)
}

const UNKNOWN: &str = "0 1310 x509: unknown authority";
const INCOMPLETE: &str = "AIA: certificate chain incomplete after fetching intermediates; verify that the AIA endpoint is reachable \
                          and returns a valid certificate";

fn at_server(address: SocketAddr) -> String {
    format!("server.test:{}", address.port())
}

fn count(lines: &[Line], level: &str, message: &str) -> usize {
    lines.iter().filter(|line| line.0 == level && line.1 == message).count()
}

#[test]
fn certificates_are_fetched_where_the_chain_says() {
    let world = World::new();
    let shelf = &world.shelf;
    let mut cases: Vec<(&str, SocketAddr, &str)> = Vec::new();

    let (server, issuer) = world.server(&[shelf.url("/der")]);
    shelf.put("/der", Page::der(issuer.der()));
    cases.push(("DER", server.serve(), "200 0 "));

    let (server, issuer) = world.server(&[shelf.url("/pem")]);
    shelf.put("/pem", Page::pem(&format!("a bag\n{}", issuer.certificate.pem())));
    cases.push(("PEM", server.serve(), "200 0 "));

    let (server, issuer) = world.server(&[shelf.url("/endless")]);
    shelf.put("/endless", Page::Endless(issuer.certificate.pem().into_bytes()));
    cases.push(("PEM in the beginning of something endless", server.serve(), "200 0 "));

    let (server, issuer) = world.server(&["ldap://aia.test/x".to_owned(), shelf.url("/gone"), shelf.url("/second")]);
    shelf.put("/second", Page::der(issuer.der()));
    cases.push(("the third address", server.serve(), "200 0 "));

    let (server, issuer) = world.server(&[shelf.url("/moved")]);
    shelf.put("/moved", Page::Moved("/here"));
    shelf.put("/here", Page::der(issuer.der()));
    cases.push(("a redirect", server.serve(), "200 0 "));

    let upper = Certified::new(&Wanted::authority("upper", &[]), Some(&world.root));
    let lower = Certified::new(&Wanted::authority("lower", &[shelf.url("/upper")]), Some(&upper));
    let server = Certified::new(&Wanted::server(&[shelf.url("/lower")]), Some(&lower));
    shelf.put("/upper", Page::der(upper.der()));
    shelf.put("/lower", Page::der(lower.der()));
    cases.push(("two levels", server.serve(), "200 0 "));
    cases.push(("the upper of two levels", server.serve_chain(&[&lower]), "200 0 "));

    let (whole, issuer) = world.server(&[shelf.url("/whole")]);
    cases.push(("a whole chain", whole.serve_chain(&[&issuer]), "200 0 "));

    let targets: Vec<_> = cases.iter().map(|(name, address, _)| (*name, at_server(*address))).collect();
    let expected: Vec<_> = cases.iter().map(|(name, _, expected)| format!("{name}: {expected}")).collect();
    for engine in engines() {
        let (said, lines) = world.call(engine, &targets, json!({ "tlsAIAFetch": true }));
        assert_eq!(said, expected, "on {engine}");
        let hits = "/der 1, /endless 1, /gone 1, /here 1, /lower 1, /moved 1, /pem 1, /second 1, /upper 1";
        assert_eq!(shelf.hits(), hits, "on {engine}");
        assert_eq!(count(&lines, "warning", INCOMPLETE), 0, "on {engine}");
        // An IP address is a name like any other.
        let targets = [("an IP address", format!("127.0.0.1:{}", cases[0].1.port()))];
        let (said, _) = world.call(engine, &targets, json!({ "tlsAIAFetch": true }));
        assert_eq!((said[0].as_str(), shelf.hits().as_str()), ("an IP address: 200 0 ", "/der 1"), "on {engine}");
    }
}

/// Servers whose issuers are fine and can't be read where they are said to be.
fn odd_pages(world: &World) -> Vec<(&'static str, SocketAddr)> {
    let found = |status: u16, kind: &'static str, body: Vec<u8>| Some(Page::Found(status, kind, body));
    type Make<'a> = &'a dyn Fn(&Certified) -> Option<Page>;
    let cases: [(&str, &str, Make<'_>); 6] = [
        ("nothing there", "/gone", &|_| None),
        ("an error with a certificate", "/500", &|issuer| found(500, "application/pkix-cert", issuer.der().to_vec())),
        ("something else", "/text", &|_| found(200, "text/html", b"<p>no certificate".to_vec())),
        ("too large", "/large", &|issuer| {
            found(200, "x/y", [vec![b'\n'; 65_536], issuer.certificate.pem().into_bytes()].concat())
        }),
        ("a bag by its type", "/typed.p7c", &|_| found(200, "application/PKCS7-mime", b"0".to_vec())),
        ("a bag by its bytes", "/bag", &|issuer| {
            let head = [0x30, 0x82, 1, 1, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
            found(200, "application/octet-stream", [&head[..], issuer.der()].concat())
        }),
    ];
    let made = cases.into_iter().map(|(name, path, make)| {
        let (server, issuer) = world.server(&[world.shelf.url(path)]);
        if let Some(page) = make(&issuer) {
            world.shelf.put(path, page);
        }
        (name, server.serve())
    });
    made.collect()
}

#[test]
fn what_can_not_be_fetched_stays_unknown() {
    let world = World::new();
    let shelf = &world.shelf;
    let mut cases: Vec<(&str, SocketAddr, String)> = Vec::new();
    let unknown = UNKNOWN.to_owned();

    cases.extend(odd_pages(&world).into_iter().map(|(name, address)| (name, address, unknown.clone())));

    // Two authorities that vouch for each other.
    let (one, two) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let wanted_one = Wanted::authority("one", &[shelf.url("/two")]);
    let first = Certified::with_key(&wanted_one, None, one);
    let second = Certified::with_key(&Wanted::authority("two", &[shelf.url("/one")]), Some(&first), two);
    let key = KeyPair::try_from(first.key.serialize_der()).expect("a key");
    let first = Certified::with_key(&wanted_one, Some(&second), key);
    let server = Certified::new(&Wanted::server(&[shelf.url("/one")]), Some(&first));
    shelf.put("/one", Page::der(first.der()));
    shelf.put("/two", Page::der(second.der()));
    cases.push(("a loop", server.serve(), unknown.clone()));

    let (server, _) = world.server(&[format!("http://blocked.test:{}/blocked", shelf.address.port())]);
    cases.push(("a blocked name", server.serve(), unknown.clone()));
    let (server, _) = world.server(&["http://127.0.0.9:9/blacklisted".to_owned()]);
    cases.push(("a blocked network", server.serve(), unknown.clone()));

    let wanted = Wanted { is_expired: true, ..Wanted::authority("an old issuer", &[]) };
    let issuer = Certified::new(&wanted, Some(&world.root));
    shelf.put("/old", Page::der(issuer.der()));
    let server = Certified::new(&Wanted::server(&[shelf.url("/old")]), Some(&issuer));
    cases.push(("an expired issuer", server.serve(), unknown.clone()));
    cases.push(("an expired issuer that is presented", server.serve_chain(&[&issuer]), unknown.clone()));

    let stranger = Certified::new(&Wanted::authority("a stranger", &[]), None);
    shelf.put("/stranger", Page::der(stranger.der()));
    let server = Certified::new(&Wanted::server(&[shelf.url("/stranger")]), Some(&stranger));
    cases.push(("a strange root", server.serve(), unknown.clone()));

    // Servers that ask for certificates over a chain that is itself incomplete.
    let (itself, _) = world.server(&[shelf.url("/itself")]);
    let address = itself.serve();
    let (server, _) = world.server(&[format!("https://server.test:{}/x", address.port())]);
    cases.push(("an address with a chain of its own to complete", server.serve(), unknown.clone()));
    let with_urls = cases.len();

    // None of these asks for anything.
    let wrong = Wanted { hosts: vec!["other.test"], ..Wanted::server(&[shelf.url("/never")]) };
    let (_, issuer) = world.server(&[]);
    cases.push(("another name", Certified::new(&wrong, Some(&issuer)).serve(), {
        "0 1311 x509: certificate doesn't match hostname".to_owned()
    }));
    cases.push(("nowhere to ask", world.server(&[]).0.serve(), unknown.clone()));
    let old = Wanted { is_expired: true, ..Wanted::server(&[shelf.url("/never")]) };
    let old = Certified::new(&old, Some(&issuer)).serve();
    let expired = "x509: certificate has expired or is not yet valid: current time";

    let targets: Vec<_> = cases.iter().map(|(name, address, _)| (*name, at_server(*address))).collect();
    let expected: Vec<_> = cases.iter().map(|(name, _, expected)| format!("{name}: {expected}")).collect();
    for engine in engines() {
        let (said, lines) = world.call(engine, &targets, json!({ "tlsAIAFetch": true }));
        assert_eq!(said, expected, "on {engine}");
        let hits = "/500 1, /bag 1, /gone 1, /large 1, /old 2, /one 1, /stranger 1, /text 1, /two 1, /typed.p7c 1";
        assert_eq!(shelf.hits(), hits, "on {engine}");
        assert_eq!(count(&lines, "warning", INCOMPLETE), with_urls, "on {engine}");
        let bag = "AIA response is PKCS#7 (not currently supported); chain will remain incomplete";
        let bags: Vec<_> =
            lines.iter().filter(|line| line.1 == bag && line.0 == "warning").map(|line| &line.2["url"]).collect();
        assert_eq!(bags, [&json!(shelf.url("/typed.p7c")), &json!(shelf.url("/bag"))], "on {engine}");
        for (path, why) in [("/blocked", "is in a blocked pattern"), ("/blacklisted", "is in a blacklisted range")] {
            let failed = lines.iter().filter(|line| line.0 == "debug" && line.2["url"].to_string().contains(path));
            let errors: Vec<_> = failed.map(|line| line.2["error"].to_string()).collect();
            assert!(errors.len() == 1 && errors[0].contains(why), "on {engine}: {errors:?}");
        }
        let because = lines.iter().filter(|line| line.1 == INCOMPLETE).filter_map(|line| line.2["error"].as_str());
        let because: Vec<_> = because.filter(|error| error.contains("possibly because of")).collect();
        assert_eq!(because.len(), 2, "on {engine}: {because:?}");
        let start = format!("x509: certificate signed by unknown authority (possibly because of \"{expired} ");
        let end =
            "is after 2021-01-01T00:00:00Z\" while trying to verify candidate authority certificate \"an old issuer\")";
        assert!(
            because.iter().all(|error| error.starts_with(&start) && error.ends_with(end)),
            "on {engine}: {because:?}"
        );

        let (said, _) = world.call(engine, &[("old", at_server(old))], json!({ "tlsAIAFetch": true }));
        assert!(said[0].starts_with(&format!("old: 0 1000 tls: failed to verify certificate: {expired}")), "{said:?}");
        assert_eq!(shelf.hits(), "", "on {engine}");
    }
}

#[test]
fn five_certificates_are_fetched_at_a_time() {
    let world = World::new();
    let shelf = &world.shelf;
    let mut issuer = Certified::new(&Wanted::authority("level 6", &[]), Some(&world.root));
    shelf.put("/6", Page::der(issuer.der()));
    for level in (1..6).rev() {
        let wanted = Wanted::authority(&format!("level {level}"), &[shelf.url(&format!("/{}", level + 1))]);
        issuer = Certified::new(&wanted, Some(&issuer));
        shelf.put(&format!("/{level}"), Page::der(issuer.der()));
    }
    let server = Certified::new(&Wanted::server(&[shelf.url("/1")]), Some(&issuer)).serve();
    for engine in engines() {
        let targets = [("first", at_server(server)), ("then", at_server(server))];
        let (said, lines) = world.call(engine, &targets, json!({ "tlsAIAFetch": true }));
        // What is known does not count.
        assert_eq!(said, [&format!("first: {UNKNOWN}"), "then: 200 0 "], "on {engine}");
        assert_eq!(shelf.hits(), "/1 1, /2 1, /3 1, /4 1, /5 1, /6 1", "on {engine}");
        assert_eq!(count(&lines, "warning", INCOMPLETE), 1, "on {engine}");
    }
}

#[test]
fn an_address_that_hangs_is_given_up() {
    let world = World::new();
    let (server, _) = world.server(&[world.shelf.url("/silence")]);
    world.shelf.put("/silence", Page::Silence);
    let address = server.serve();
    std::thread::scope(|scope| {
        for engine in engines() {
            // Each in a folder of its own, as they run at the same time.
            let world = &world;
            scope.spawn(move || {
                let folder = tempfile::tempdir().expect("a folder can be made");
                let pem = world.root.certificate.pem();
                std::fs::write(folder.path().join("root.pem"), pem).expect("a file can be written");
                let root = Certified::new(&Wanted::authority("unused", &[]), None);
                let world = World { folder, root, shelf: world.shelf.clone() };
                let (said, lines) =
                    world.call(engine, &[("hangs", at_server(address))], json!({ "tlsAIAFetch": true }));
                assert_eq!(said, [format!("hangs: {UNKNOWN}")], "on {engine}");
                let failed = "AIA: the certificate of an issuer could not be fetched";
                let why = lines.iter().find(|line| line.1 == failed).map(|line| line.2["error"].to_string());
                assert!(why.as_ref().is_some_and(|why| why.contains("request timeout")), "on {engine}: {why:?}");
            });
        }
    });
    assert_eq!(world.shelf.hits(), format!("/silence {}", engines().count()));
}

#[test]
fn it_is_asked_for_by_option_variable_and_config_file() {
    let world = World::new();
    let (server, issuer) = world.server(&[world.shelf.url("/der")]);
    world.shelf.put("/der", Page::der(issuer.der()));
    let targets = json!([("it", at_server(server.serve()))]).to_string();
    let config = world.folder.path().join("config.json");
    std::fs::write(&config, "{\"tlsAIAFetch\": true}").expect("a file can be written");
    let config = config.display().to_string();
    for engine in engines() {
        let check = |options: &str, env: &[(&str, &str)], expect: &str, hits: &str| {
            let script_env = [("TARGETS", targets.clone()), ("OPTIONS", options.to_owned())];
            let outcome = world.run(engine, CALLS, &script_env, env);
            assert_eq!(
                said(&outcome).0,
                [format!("it: {expect}")],
                "on {engine} with {options} {env:?}: {}",
                outcome.stderr
            );
            assert_eq!(world.shelf.hits(), hits, "on {engine} with {options} {env:?}");
        };
        check("{\"tlsAIAFetch\": true}", &[], "200 0 ", "/der 1");
        check("{}", &[("K6_TLS_AIA_FETCH", "true")], "200 0 ", "/der 1");
        check("{}", &[("K6_CONFIG", &config)], "200 0 ", "/der 1");
        check("{\"tlsAIAFetch\": true}", &[("K6_TLS_AIA_FETCH", "false")], UNKNOWN, "");
        check("{}", &[], UNKNOWN, "");
        check("{\"tlsAIAFetch\": true, \"insecureSkipTLSVerify\": true}", &[], "200 0 ", "");
    }
    let outcome = world.run(engines().next().expect("there is one"), CALLS, &[], &[("K6_TLS_AIA_FETCH", "maybe")]);
    assert!(outcome.code != 0 && outcome.stderr.contains("K6_TLS_AIA_FETCH"), "{} {}", outcome.code, outcome.stderr);
}

#[test]
fn who_asks_meanwhile_shares_the_certificate() {
    let world = World::new();
    let (server, issuer) = world.server(&[world.shelf.url("/der")]);
    world.shelf.put("/der", Page::der(issuer.der()));
    let targets = [("it", at_server(server.serve()))];
    for engine in engines() {
        let options = json!({ "tlsAIAFetch": true, "vus": 8, "iterations": 40 });
        let (said, _) = world.call(engine, &targets, options);
        assert_eq!(said, vec!["it: 200 0 "; 40], "on {engine}");
        assert_eq!(world.shelf.hits(), "/der 1", "on {engine}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_asked_for_certificates() {
    let world = World::new();
    let (server, issuer) = world.server(&["http://proxied.test/der".to_owned()]);
    world.shelf.put("/der", Page::der(issuer.der()));
    let targets = json!([("it", at_server(server.serve()))]).to_string();
    let proxy = format!("http://{}", world.shelf.address);
    for engine in engines() {
        let script_env = [("TARGETS", targets.clone()), ("OPTIONS", "{\"tlsAIAFetch\": true}".to_owned())];
        let outcome = world.run(engine, CALLS, &script_env, &[("HTTP_PROXY", &proxy)]);
        assert_eq!(said(&outcome).0, ["it: 200 0 "], "on {engine}: {}", outcome.stderr);
        assert_eq!(world.shelf.hits(), "http://proxied.test/der 1", "on {engine}");
    }
}

#[test]
fn sockets_and_grpc_have_it_too() {
    let world = World::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js/k6/net/grpc/data/test.proto");
    std::fs::copy(data, world.folder.path().join("test.proto")).expect("a file can be copied");
    let script = "import grpc from 'k6/net/grpc';
        import ws from 'k6/ws';
        import { WebSocket } from 'k6/websockets';
        export const options = { hosts: { 'aia.test': '127.0.0.1', 'server.test': '127.0.0.1' }, tlsAIAFetch: __ENV.FETCH === 'yes' };
        const root = open('root.pem');
        const client = new grpc.Client();
        client.load([], 'test.proto');
        const explain = (error) => /unknown authority/.test(error) ? 'unknown' : error;
        const call = (name, params) => {
            try {
                client.connect(__ENV.GRPC, { timeout: '2s', ...params });
                console.log(name, client.invoke('test.v1.Test/Say', { aString: 'hello' }).message.aString);
            } catch (error) {
                console.log(name, explain(error));
            }
            client.close();
        };
        export default async function () {
            const answer = (socket) => {
                socket.on('open', () => socket.send('hello'));
                socket.on('message', (text) => { console.log('k6/ws', text); socket.close(); });
            };
            const { error } = ws.connect(__ENV.WSS, answer);
            if (error) console.log('k6/ws', explain(error));
            await new Promise((done) => {
                const socket = new WebSocket(__ENV.WSS);
                socket.onopen = () => socket.send('hello');
                socket.onmessage = ({ data }) => { console.log('k6/websockets', data); socket.close(); };
                socket.onerror = ({ error }) => console.log('k6/websockets', explain(error));
                socket.onclose = done;
            });
            call('grpc', {});
            call('grpc tls', { tls: { cacerts: root } });
        }";
    for engine in engines() {
        // A server for each, so that each fetches.
        let mut targets = Vec::new();
        for path in ["/socket", "/grpc"] {
            let (server, issuer) = world.server(&[world.shelf.url(path)]);
            world.shelf.put(path, Page::der(issuer.der()));
            targets.push(if path == "/grpc" { server.serve_grpc() } else { server.serve() });
        }
        let check = |fetch: &str, expect: [&str; 4], hits: &str| {
            let env = [
                ("FETCH", fetch.to_owned()),
                ("WSS", format!("wss://{}/", at_server(targets[0]))),
                ("GRPC", at_server(targets[1])),
            ];
            let outcome = world.run(engine, script, &env, &[]);
            assert_eq!(said(&outcome).0, expect, "on {engine}: {}", outcome.stderr);
            assert_eq!(world.shelf.hits(), hits, "on {engine}");
        };
        check("yes", ["k6/ws hello", "k6/websockets hello", "grpc hello", "grpc tls hello"], "/grpc 1, /socket 1");
        check("no", ["k6/ws unknown", "k6/websockets unknown", "grpc unknown", "grpc tls unknown"], "");
    }
}
