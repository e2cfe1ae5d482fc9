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
pub struct Https {
    pub port: u16,
    /// The certificate, for who wants to trust it.
    pub pem: String,
    is_gone: Arc<AtomicBool>,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Https {
    pub fn start() -> Self {
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

    pub fn leave(&self) {
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
        let head = line.len();
        while stream.read_line(&mut line)? > 2 {}
        let login = line[head..].lines().find_map(|field| field.strip_prefix("authorization: Basic "));
        let login = login.map(|login| format!("{login}@")).unwrap_or_default();
        asked.lock().expect("nobody panicked").push(format!("{login}{path}"));
        let (status, body) = match path.split('?').next().unwrap_or_default() {
            "/lib/greet.ts" => ("200 OK", GREET),
            "/lib/name.js" => ("200 OK", NAME),
            "/lib/throws.js" => ("200 OK", "export const greet = () => { null.x; };\n"),
            "/lib/main.js" => ("200 OK", "export default function () { null.x; }\n"),
            "/lib/broken.js" => ("200 OK", "export const greet = (;\n"),
            "/lib/other.js" => ("200 OK", "export const other = 1;\n"),
            "/lib/deeper.js" => ("200 OK", "export { greet } from './nope.js?sig=d33p';\n"),
            _ => ("404 Not Found", "nothing here"),
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().flush()?;
    }
}

/// Writes `script.js`, which imports a module of the server.
pub fn script(folder: &Path, server: &Https, module: &str) {
    let text = format!(
        "import {{ greet }} from 'https://localhost:{}/lib/{module}';\nexport default () => console.log(greet(true));\n",
        server.port
    );
    std::fs::write(folder.join("script.js"), text).expect("a script can be written");
    std::fs::write(folder.join("ca.pem"), &server.pem).expect("a certificate can be written");
}

/// Runs the program in a folder, which trusts the server.
pub fn outcome(folder: &Path, cache: &str, args: &[&str]) -> Outcome {
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

/// What nobody but the server may see.
const SECRETS: [&str; 3] = ["s3cret", "t0ken", "d33p"];

#[track_caller]
fn has_no_secrets(what: &str) {
    for secret in SECRETS {
        assert!(!what.contains(secret), "{secret} in {what}");
    }
}

#[test]
fn secrets_of_addresses_are_seen_by_the_server_only() {
    let server = Https::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path();
    let module = |name: &str| format!("https://ann:s3cret@localhost:{}/lib/{name}?v=1&access_token=t0ken", server.port);
    let import = |name: &str| {
        let text =
            format!("import {{ greet }} from '{}';\nexport default () => console.log(greet(true));\n", module(name));
        std::fs::write(folder.join(format!("{name}.js")), text).expect("a script can be written");
    };
    std::fs::write(folder.join("ca.pem"), &server.pem).expect("a certificate can be written");
    ["greet.ts", "throws.js", "broken.js", "nowhere.js", "other.js", "deeper.js"].into_iter().for_each(import);
    let ask = |args: &[&str]| {
        let outcome = outcome(folder, "cache", args);
        has_no_secrets(&format!("{}{}", outcome.stdout, outcome.stderr));
        outcome
    };
    for (engine, _) in volley::Engine::TABLE {
        let with = |name: &str| ask(&["run", "--js-engine", engine, "--no-color", &format!("{name}.js")]);
        let good = with("greet.ts");
        assert!(good.code == 0 && good.stderr.contains("hello from afar!"), "{good:?}");
        let shown = "https://****:****@localhost:";
        let check = |name: &str, code: i32, text: &str| {
            let outcome = with(name);
            assert!(outcome.code == code && outcome.stderr.contains(text), "{engine} {name}: {outcome:?}");
            assert!(outcome.stderr.contains(shown), "{engine} {name}: {outcome:?}");
        };
        check("throws.js", 0, "/lib/throws.js?v=1&access_token=****:1:");
        check("broken.js", 107, "SyntaxError");
        check("nowhere.js", 107, "not found: ");
        check("other.js", 107, "greet");
        check("deeper.js", 107, "/lib/nope.js?sig=****");
        // The script itself is behind such an address.
        let main = ask(&["run", "--js-engine", engine, &module("main.js")]);
        assert!(main.code == 0 && main.stderr.contains(shown) && main.stdout.contains(shown), "{main:?}");
    }
    let asked = std::mem::take(&mut *server.asked.lock().expect("nobody panicked"));
    assert_eq!(asked[0], "YW5uOnMzY3JldA==@/lib/greet.ts?v=1&access_token=t0ken&_k6=1");
    assert_eq!(asked[1], "YW5uOnMzY3JldA==@/lib/name.js?_k6=1");
    assert!(asked.iter().any(|path| path == "YW5uOnMzY3JldA==@/lib/nope.js?sig=d33p"), "{asked:?}");

    for args in [&["deps", "greet.ts.js"][..], &["deps", "--json", "greet.ts.js"], &["inspect", "greet.ts.js"]] {
        assert_eq!(ask(args).code, 0);
    }
    assert_eq!(ask(&["archive", "-O", "a.tar", "greet.ts.js"]).code, 0);
    let mut tar = tar::Archive::new(std::fs::File::open(folder.join("a.tar")).expect("there is an archive"));
    for entry in tar.entries().expect("it is an archive") {
        let mut entry = entry.expect("it is whole");
        let (name, mut text) = (String::from_utf8_lossy(&entry.path_bytes()).into_owned(), String::new());
        io::Read::read_to_string(&mut entry, &mut text).expect("all is text");
        has_no_secrets(&name);
        // The script is as it was written.
        if name != "data" {
            has_no_secrets(&text);
        }
    }
    for entry in std::fs::read_dir(folder.join("cache")).expect("there is a cache").flatten() {
        use std::os::unix::fs::PermissionsExt;
        // What the server sent is kept as it is.
        if entry.path().extension().is_some_and(|end| end == "lock") {
            has_no_secrets(&std::fs::read_to_string(entry.path()).expect("all is text"));
        }
        assert_eq!(entry.metadata().expect("it is there").permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
    server.leave();
    for (engine, _) in volley::Engine::TABLE {
        for script in ["greet.ts.js", "a.tar"] {
            let kept = ask(&["run", "--js-engine", engine, script]);
            assert!(kept.code == 0 && kept.stderr.contains("hello from afar!"), "{kept:?}");
        }
    }
}
