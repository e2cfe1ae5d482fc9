//! Scripts that import from `https://`: fetched, kept on disk, run without the network, packed into archives.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::program::{Outcome, run, volley};
use crate::server;

const GREET: &str = "import { name } from './name.js';\nexport const greet = (loud: boolean): string => \
                     loud ? `${name}!` : name;\n";
const NAME: &str = "exports.name = 'hello from afar';\n";

/// A server with a certificate of its own, which can leave.
struct Https {
    port: u16,
    /// The certificate, for who wants to trust it.
    pem: String,
    is_gone: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Https {
    fn start() -> Self {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate is made");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the versions fit")
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .expect("the certificate fits");
        let config = Arc::new(config);
        let (is_gone, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (gone, log) = (is_gone.clone(), asked.clone());
        let address = server::serve(move |stream| {
            if gone.load(Ordering::Acquire) {
                return server::reset(&stream);
            }
            answer(stream, config.clone(), &log)
        });
        Self { port: address.port(), pem: own.cert.pem(), is_gone, asked }
    }

    fn leave(&self) {
        self.is_gone.store(true, Ordering::Release);
    }
}

fn answer(stream: TcpStream, config: Arc<rustls::ServerConfig>, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let tls = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(rustls::StreamOwned::new(tls, stream));
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while stream.read_line(&mut line)? > 2 {}
        asked.lock().expect("nobody panicked").push(path.clone());
        let (status, body) = match path.split('?').next().unwrap_or_default() {
            "/lib/greet.ts" => ("200 OK", GREET),
            "/lib/name.js" => ("200 OK", NAME),
            _ => ("404 Not Found", "nothing here"),
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().flush()?;
    }
}

fn script(folder: &Path, server: &Https, module: &str) {
    let text = format!(
        "import {{ greet }} from 'https://localhost:{}/lib/{module}';\nexport default () => console.log(greet(true));\n",
        server.port
    );
    std::fs::write(folder.join("script.js"), text).expect("a script can be written");
    std::fs::write(folder.join("ca.pem"), &server.pem).expect("a certificate can be written");
}

fn outcome(folder: &Path, cache: &str, args: &[&str]) -> Outcome {
    let mut command = volley(folder);
    command.env("SSL_CERT_FILE", folder.join("ca.pem")).env("VOLLEY_CACHE", folder.join(cache));
    run(command.args(args))
}

#[test]
fn what_was_had_once_runs_without_the_network() {
    let server = Https::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    script(folder, &server, "greet.ts");
    let with = |cache: &str, engine: &str, script: &str| {
        outcome(folder, cache, &["run", "--quiet", "--summary-mode=disabled", "--js-engine", engine, script])
    };
    for (engine, _) in volley::Engine::TABLE {
        let fetched = with("cache", engine, "script.js");
        assert!(fetched.code == 0 && fetched.stderr.contains("hello from afar!"), "{fetched:?}");
    }
    let asked = std::mem::take(&mut *server.asked.lock().expect("nobody panicked"));
    let expected = ["/lib/greet.ts?_k6=1", "/lib/name.js?_k6=1"];
    assert_eq!(asked, expected.repeat(volley::Engine::TABLE.len()), "once per process each");
    let entries = std::fs::read_dir(folder.join("cache")).expect("there is a cache").flatten();
    let locks = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "lock")).count();
    assert_eq!(locks, 2);
    let packed = outcome(folder, "cache", &["archive", "script.js"]);
    assert_eq!(packed.code, 0, "{packed:?}");

    server.leave();
    for (engine, _) in volley::Engine::TABLE {
        let kept = with("cache", engine, "script.js");
        assert!(kept.code == 0 && kept.stderr.contains("hello from afar!"), "{kept:?}");
        assert!(kept.stderr.contains("can't be reached") && kept.stderr.contains("sha256"), "{kept:?}");
        let unpacked = with("no-cache", engine, "archive.tar");
        assert!(unpacked.code == 0 && unpacked.stderr.contains("hello from afar!"), "{unpacked:?}");
    }
    let without = with("no-cache", volley::Engine::TABLE[0].0, "script.js");
    assert_eq!(without.code, 107, "{without:?}");
    assert!(without.stderr.contains("couldn't be retrieved from the resolved url"), "{without:?}");
}

#[test]
fn what_is_not_there_is_said() {
    let server = Https::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    script(folder.path(), &server, "nothing.js");
    let missing = outcome(folder.path(), "cache", &["run", "--quiet", "script.js"]);
    assert_eq!(missing.code, 107, "{missing:?}");
    let cause = format!("not found: https://localhost:{}/lib/nothing.js", server.port);
    assert!(missing.stderr.contains(&cause), "{missing:?}");
    assert_eq!(server.asked.lock().expect("nobody panicked").len(), 2);
}
