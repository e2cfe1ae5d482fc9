//! Archives in a real S3-compatible store (moto's server, from PyPI): in parts, verified, gone on with after the network
//! or the procedure was cut off; credentials stand nowhere.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use serde_json::Value;

use crate::needs;
use crate::peers::free_port;
use crate::procedure::{Target, get, json, text};
use crate::procedure_services::{Service, service, until};
use crate::program::{self, Outcome, Running};

const SECRET: &str = "never-in-any-file";

/// A store with a bucket `results`.
fn store(folder: &Path) -> (Service, String) {
    let port = free_port();
    let mut command = Command::new(needs::program(&["moto_server"], "PyPI: pip install 'moto[server]'"));
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).current_dir(folder);
    let store = service(&mut command);
    until("the store", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "PUT /results HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    (store, format!("127.0.0.1:{port}"))
}

/// The way to a store, which breaks when a part has arrived.
struct Way {
    url: String,
    breaks: Arc<AtomicBool>,
    is_broken: Arc<AtomicBool>,
}

impl Way {
    fn to(store: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (breaks, is_broken) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let (store, may, broken) = (store.to_owned(), breaks.clone(), is_broken.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if broken.load(SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(&store).unwrap();
                let is_part = Arc::new(AtomicBool::new(false));
                let (may, broken) = (may.clone(), broken.clone());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (part, stop) = (is_part.clone(), broken.clone());
                std::thread::spawn(move || {
                    carry(from, to, |bytes| {
                        if bytes.starts_with(b"PUT ") {
                            let line = String::from_utf8_lossy(bytes);
                            part.store(line.lines().next().unwrap_or_default().contains("partNumber="), SeqCst);
                        }
                        !stop.load(SeqCst)
                    });
                });
                std::thread::spawn(move || {
                    carry(server, client, |_| {
                        let go_on = !broken.load(SeqCst);
                        if is_part.load(SeqCst) && may.load(SeqCst) {
                            broken.store(true, SeqCst);
                        }
                        go_on
                    });
                });
            }
        });
        Self { url, breaks, is_broken }
    }

    fn mend(&self) {
        self.breaks.store(false, SeqCst);
        self.is_broken.store(false, SeqCst);
    }
}

/// Carries bytes until there are none, or `look` says no.
fn carry(mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || !look(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    _ = from.shutdown(std::net::Shutdown::Both);
    _ = to.shutdown(std::net::Shutdown::Both);
}

/// A short procedure whose results are larger than three parts.
fn procedure(folder: &Path, target: &Target, endpoint: &str, args: &[&str]) -> Command {
    if !folder.join("results").exists() {
        fs::create_dir(folder.join("results")).unwrap();
        let mut noise = vec![0; 30 << 20];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for chunk in noise.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        fs::write(folder.join("results/noise.bin"), noise).unwrap();
    }
    let script = "import http from 'k6/http';\nexport default () => { http.get(`${__ENV.BASE_URL}/health`); }\n";
    fs::write(folder.join("script.js"), script).unwrap();
    let file = "export default { name: 'packed', environment: 'test', baseUrl: __ENV.BASE_URL, resultsDir: 'results',\n\
                runs: [{ name: 'one', script: './script.js', vus: 1, iterations: 3 }], collect: { host: false },\n\
                criteria: ['one.http_reqs.count == 3'],\n\
                archive: { upload: { url: 's3://results/load/tests', endpoint: __ENV.ENDPOINT } } };";
    fs::write(folder.join("procedure.js"), file).unwrap();
    let mut command = program::volley(folder);
    command
        .args(["procedure", "run", "procedure.js"])
        .args(args)
        .env("BASE_URL", &target.url)
        .env("ENDPOINT", endpoint);
    keys(&mut command);
    command
}

/// The keys, on a machine without certificates of authorities, as in a minimal container: the store speaks `http`.
fn keys(command: &mut Command) {
    command.env("AWS_ACCESS_KEY_ID", "AKIATEST").env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/nowhere");
}

fn upload(folder: &Path, args: &[&str]) -> Outcome {
    let mut command = program::volley(folder);
    keys(command.args(["procedure", "upload"]).args(args));
    program::run(&mut command)
}

fn archive(folder: &Path) -> PathBuf {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.into_iter().find(|path| path.to_string_lossy().ends_with(".tar.gz")).expect("there is an archive")
}

fn receipt(archive: &Path) -> Value {
    json(PathBuf::from(format!("{}.upload.json", archive.display())))
}

fn no_secret_below(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_secret_below(&path);
        } else {
            let content = fs::read(&path).unwrap();
            let found = content.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!found, "{} has the secret", path.display());
        }
    }
}

#[test]
fn an_upload_that_was_cut_off_goes_on_and_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let place = tempfile::tempdir().unwrap();
    let (_store, address) = store(place.path());
    let target = Target::start(folder.path(), &[]);
    let way = Way::to(&address);
    let outcome = program::run(&mut procedure(folder.path(), &target, &way.url, &[]));
    // All that was measured is there and good, but the archive is not where it was to go.
    assert_eq!(outcome.code, 255, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.contains("the archive was not uploaded to s3://results/load/tests: "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("volley procedure upload ") && outcome.stderr.contains(" goes on"));
    assert!(text(folder.path().join("results/readiness.txt")).contains("STATUS:       APPROVED"));
    let packed = archive(folder.path());
    let cut = receipt(&packed);
    let had = cut["parts"].as_object().unwrap().len();
    assert!(had >= 1 && cut["verified"] == Value::Null, "{cut}");

    way.mend();
    let name = packed.file_name().unwrap().to_str().unwrap();
    let again = upload(folder.path(), &[name]);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert!(again.stdout.contains(&format!("in 4 parts, {had} of them there before, verified by")), "{}", again.stdout);
    let done = receipt(&packed);
    assert_eq!((&done["verified"], &done["upload"]), (&"its size and the checksums of its parts".into(), &Value::Null));
    // What the store has is what we have.
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET /results/load/tests/{name} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let body = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    assert!(answer[body..] == fs::read(&packed).unwrap(), "the store's copy differs");

    let third = upload(folder.path(), &[name]);
    assert_eq!(third.code, 0, "{}{}", third.stdout, third.stderr);
    assert!(third.stdout.contains("it is there already"), "{}", third.stdout);
    let elsewhere = upload(folder.path(), &[name, "s3://results/copy", "--endpoint", &format!("http://{address}")]);
    assert!(elsewhere.stdout.contains("uploaded to s3://results/copy/"), "{}{}", elsewhere.stdout, elsewhere.stderr);
    let (head, _) = get(&format!("http://{address}"), &format!("/results/copy/{name}"));
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    no_secret_below(folder.path());
    for told in [&outcome, &again, &third, &elsewhere] {
        assert!(!told.stdout.contains(SECRET) && !told.stderr.contains(SECRET));
    }
}

#[test]
fn a_procedure_killed_while_it_uploads_goes_on_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = tempfile::tempdir().unwrap();
    let (_store, address) = store(place.path());
    let target = Target::start(folder.path(), &[]);
    let way = Way::to(&address);
    let running = Running::start(&mut procedure(folder.path(), &target, &way.url, &[]));
    running.wait_for("archive: ");
    let packed = archive(folder.path());
    let path = PathBuf::from(format!("{}.upload.json", packed.display()));
    until("the first part", || {
        let bytes = fs::read(&path).unwrap_or_default();
        let seen = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
        seen["parts"].as_object().is_some_and(|parts| !parts.is_empty())
    });
    running.kill();
    running.end();
    way.mend();
    let before = fs::read(&packed).unwrap();
    let resumed = program::run(&mut procedure(folder.path(), &target, &way.url, &["--resume", "results"]));
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
    assert!(resumed.stdout.contains("everything else is done; uploading the archive"), "{}", resumed.stdout);
    assert!(resumed.stdout.contains("of them there before, verified by"), "{}", resumed.stdout);
    assert!(fs::read(&packed).unwrap() == before, "the archive was made anew");
}

#[test]
fn what_can_not_be_uploaded_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    let mut command = procedure(folder.path(), &target, "http://127.0.0.1:9", &[]);
    fs::remove_file(folder.path().join("results/noise.bin")).unwrap();
    let outcome = program::run(&mut command);
    assert_eq!(outcome.code, 255, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("! store at s3://results/load/tests: "), "{}", outcome.stdout);
    let name = archive(folder.path());
    let name = name.file_name().unwrap().to_str().unwrap();
    for (args, code, expect) in [
        (&[name, "https://results"][..], 104, "looks like s3://bucket/folder"),
        (&["procedure.js", "s3://results"], 255, "can't be read"),
        (&[name, "s3://results", "--credentials", "nowhere"], 255, "nowhere: no such file"),
    ] {
        let outcome = upload(folder.path(), args);
        assert_eq!(outcome.code, code, "{args:?}: {}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stderr.contains(expect), "{args:?}: {}", outcome.stderr);
    }
    fs::remove_file(folder.path().join(format!("{name}.upload.json"))).unwrap_or_default();
    let nowhere = upload(folder.path(), &[name]);
    assert_eq!(nowhere.code, 104, "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("no upload of it has begun"), "{}", nowhere.stderr);
}
