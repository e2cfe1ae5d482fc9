//! What goes wrong around a run: targets that misbehave, signals, paths that can't be written, scripts with mistakes.
//!
//! What a target does is never the run's failure: it is counted, coded and told, and the exit code is 0.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde_json::Value;
use tempfile::TempDir;

use crate::pattern::{matches, missing};
use crate::program::{self, Outcome, Running, run, volley};
use crate::server;

/// A folder with a script in it.
fn folder(script: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("script.js"), script).expect("a file can be written");
    folder
}

fn run_in(folder: &Path, args: &[&str]) -> Outcome {
    run(volley(folder).args(["run", "--quiet", "--log-format=raw"]).args(args).arg("script.js"))
}

/// Every `error_code` tag of the requests in a file of points, with how often it was seen.
fn error_codes(points: &Path) -> Vec<(String, usize)> {
    let mut codes: Vec<(String, usize)> = Vec::new();
    for line in fs::read_to_string(points).expect("the points are there").lines() {
        let line: Value = serde_json::from_str(line).expect("every line is whole");
        if line["type"] == "Point" && line["metric"] == "http_reqs" {
            let code = line["data"]["tags"]["error_code"].as_str().unwrap_or("none").to_owned();
            match codes.iter_mut().find(|(known, _)| *known == code) {
                Some((_, count)) => *count += 1,
                None => codes.push((code, 1)),
            }
        }
    }
    codes
}

/// Two requests to a target that fails, and what the script, the log, the points and the summary know of it.
fn check_target(url: &str, code: &str, error: &str) {
    let script = "import http from 'k6/http';
        export const options = { iterations: 2 };
        export default function () {
            const response = http.get(__ENV.URL, { timeout: __ENV.URL.endsWith('/hang') ? '300ms' : '30s' });
            console.log(response.status, response.error_code, response.error);
        }";
    for engine in program::engines() {
        let folder = folder(script);
        let url = format!("URL={url}");
        let args = ["--js-engine", engine, "-e", &url, "-o", "json=points.json", "--summary-export=summary.json"];
        let outcome = run_in(folder.path(), &args);
        assert_eq!(outcome.code, 0, "{url} {engine}\n{}", outcome.stderr);
        let line = format!("0 {code} {error}");
        let told = missing(&format!("{line}\n{line}"), &outcome.stderr).is_empty();
        assert!(told, "{url} {engine}: no `{line}` in\n{}", outcome.stderr);
        assert!(outcome.stderr.contains("Request Failed"), "{url} {engine}\n{}", outcome.stderr);
        let codes = error_codes(&folder.path().join("points.json"));
        assert!(matches!(&codes[..], [(seen, 2)] if matches(code, seen)), "{url} {engine}: {codes:?}");
        let summary = fs::read_to_string(folder.path().join("summary.json")).expect("the summary is there");
        let summary: Value = serde_json::from_str(&summary).expect("the summary is whole");
        assert_eq!(summary["metrics"]["http_req_failed"]["passes"], 2, "{url} {engine}");
        assert_eq!(summary["metrics"]["iterations"]["count"], 2, "{url} {engine}");
    }
}

#[test]
fn a_target_that_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    drop(listener);
    check_target(&format!("http://{address}/"), "1212", "dial: connection refused");
}

#[test]
fn a_target_that_resets() {
    check_target(&format!("{}/reset", server::url()), "1220", "...connection reset by peer");
}

#[test]
fn a_target_that_leaves_without_a_word() {
    check_target(&format!("{}/close", server::url()), "1000", "EOF");
}

#[test]
fn a_target_that_hangs() {
    check_target(&format!("{}/hang", server::url()), "1050", "request timeout");
}

#[test]
fn a_target_that_talks_nonsense() {
    let address = server::serve(|mut stream| {
        _ = stream.read(&mut [0; 1024])?;
        stream.write_all(b"what is this\r\n\r\n")
    });
    check_target(&format!("http://{address}/"), "1000", "malformed HTTP ...");
}

#[test]
fn a_target_with_a_name_nobody_knows() {
    // Where nobody answers questions for names at all it is another code, of the same family.
    check_target("http://nobody.invalid/", "110...", "lookup...");
}

#[test]
fn a_target_with_a_certificate_of_its_own() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let rcgen::CertifiedKey { cert, signing_key } = signed.expect("a certificate can be made");
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key))
        .expect("the certificate is one");
    let config = Arc::new(config);
    let address = server::serve(move |mut stream| {
        let mut connection = rustls::ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
        let mut stream = rustls::Stream::new(&mut connection, &mut stream);
        _ = stream.read(&mut [0; 1024])?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    });
    check_target(&format!("https://{address}/"), "1310", "x509: unknown authority");
    let script = "import http from 'k6/http';
        export const options = { insecureSkipTLSVerify: true };
        export default () => console.log(http.get(__ENV.URL).body);";
    let outcome = run_in(folder(script).path(), &["-e", &format!("URL=https://{address}/")]);
    assert_eq!((outcome.code, outcome.stderr.lines().next()), (0, Some("ok")));
}

#[test]
fn a_target_that_is_no_tls() {
    let address = server::serve(|mut stream| {
        _ = stream.read(&mut [0; 1024])?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    });
    check_target(&format!("https://{address}/"), "1301", "tls: first record does not look like a TLS handshake");
}

#[test]
fn a_target_that_dies_in_the_middle() {
    // The tenth request is the last one that is answered; then nobody listens any more.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    std::thread::spawn(move || {
        let answered = Arc::new(AtomicUsize::new(0));
        for stream in listener.incoming().take(1).flatten() {
            _ = answer_ten(stream, &answered);
        }
    });
    let script = "import http from 'k6/http';
        export const options = { iterations: 30 };
        export default () => http.get(__ENV.URL);";
    for_points(script, &format!("http://{address}/"), |codes| {
        assert_eq!(codes[0], ("none".to_owned(), 10), "{codes:?}");
        assert_eq!(codes.iter().map(|(_, count)| count).sum::<usize>(), 30, "{codes:?}");
        assert!(codes.iter().any(|(code, _)| code == "1212"), "{codes:?}");
    });
}

fn answer_ten(mut stream: TcpStream, answered: &AtomicUsize) -> std::io::Result<()> {
    while answered.fetch_add(1, Relaxed) < 10 {
        _ = stream.read(&mut [0; 4096])?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
    }
    server::reset(&stream)
}

/// Runs a script against a target and looks at the codes of its requests.
fn for_points(script: &str, url: &str, look: impl Fn(Vec<(String, usize)>)) {
    let folder = folder(script);
    let outcome = run_in(folder.path(), &["-e", &format!("URL={url}"), "-o", "json=points.json"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    look(error_codes(&folder.path().join("points.json")));
}

const ENDLESS: &str = "import http from 'k6/http';
    import { sleep } from 'k6';
    export const options = { scenarios: { s: { executor: 'constant-vus', vus: 2, duration: '1h', gracefulStop: '1h' } } };
    export default function () {
        http.get(`${__ENV.URL}/text`);
        console.log('iterates');
        sleep(__ENV.SLEEP);
    }
    export function teardown() {
        console.log('torn down');
        sleep(__ENV.TEARDOWN || 0);
        console.log('all torn down');
    }";

fn endless(folder: &Path, engine: &str, sleep: &str) -> Running {
    let mut command = volley(folder);
    command.args(["run", "--quiet", "--log-format=raw", "--js-engine", engine, "-e", sleep, "-e", "SLEEP=60"]);
    command.args(["-o", "json=points.json", "--summary-export=summary.json", "-e"]);
    Running::start(command.arg(format!("URL={}", server::url())).arg("script.js"))
}

#[test]
fn one_interrupt_ends_in_good_order() {
    for engine in program::engines() {
        let folder = folder(ENDLESS);
        let running = endless(folder.path(), engine, "TEARDOWN=0");
        running.wait_for("iterates");
        running.interrupt();
        let outcome = running.end();
        assert_eq!(outcome.code, 105, "{}", outcome.stderr);
        let expected = "torn down\nall torn down\ntest run was aborted because k6 received a 'interrupt' signal";
        assert_eq!(missing(expected, &outcome.stderr), [""; 0], "{}", outcome.stderr);
        assert!(outcome.stdout.contains("http_reqs"), "there is no summary\n{}", outcome.stdout);
        assert!(!error_codes(&folder.path().join("points.json")).is_empty());
        let summary = fs::read_to_string(folder.path().join("summary.json")).expect("the summary is there");
        serde_json::from_str::<Value>(&summary).expect("the summary is whole");
    }
}

#[test]
fn two_interrupts_end_at_once() {
    for engine in program::engines() {
        let folder = folder(ENDLESS);
        let running = endless(folder.path(), engine, "TEARDOWN=60");
        running.wait_for("iterates");
        running.interrupt();
        running.wait_for("torn down");
        running.interrupt();
        let outcome = running.end();
        assert_eq!(outcome.code, 105, "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("all torn down"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("Aborting k6 in response to signal"), "{}", outcome.stderr);
        assert!(!outcome.stdout.contains("http_reqs"), "there is a summary\n{}", outcome.stdout);
    }
}

#[test]
fn a_busy_script_is_interrupted() {
    let script = "export default function () { console.log('busy'); for (;;); }";
    for engine in program::engines() {
        let folder = folder(script);
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--log-format=raw", "--js-engine", engine, "script.js"]);
        let running = Running::start(&mut command);
        running.wait_for("busy");
        running.interrupt();
        let outcome = running.end();
        assert_eq!(outcome.code, 105, "{engine}\n{}", outcome.stderr);
    }
}

#[test]
fn outputs_that_cannot_be_written_are_told_before_the_test() {
    let check = |args: &[&str], code, line: &str| {
        let folder = folder("console.log('init'); export default () => console.log('ran');");
        fs::create_dir(folder.path().join("a-folder")).expect("a folder can be made");
        let outcome = run_in(folder.path(), args);
        assert_eq!(outcome.code, code, "{args:?}\n{}", outcome.stderr);
        let ran = outcome.stderr.lines().position(|line| line == "ran");
        let told = outcome.stderr.lines().position(|said| said.contains(line));
        assert!(told.is_some(), "{args:?}: no `{line}` in\n{}", outcome.stderr);
        assert!(ran.is_none_or(|ran| told < Some(ran)), "{args:?}\n{}", outcome.stderr);
        assert_eq!(ran.is_some(), code == 0, "{args:?}\n{}", outcome.stderr);
    };
    check(&["-o", "json=no/such/points.json"], 255, "no/such/points.json");
    check(&["-o", "json=a-folder"], 255, "a-folder");
    check(&["-o", "csv=no/such/points.csv"], 255, "no/such/points.csv");
    check(&["-o", "nothing=x"], 255, "nothing");
    check(&["--console-output=no/such/log.txt"], 255, "no/such/log.txt");
    check(&["--log-output=file=no/such/log.txt"], 255, "no/such");
    // As in k6 a summary that can't be kept does not change how a run ends; but it is known before.
    check(
        &["--summary-export=no/such/summary.json"],
        0,
        "the summary can't be exported to 'no/such/summary.json': no such file",
    );
    check(&["--summary-export=a-folder"], 0, "is a directory");
}

#[test]
fn mistakes_in_scripts_are_told_with_their_place() {
    let check = |script: &str, code, parts: &[&str]| {
        for engine in program::engines() {
            let folder = folder(script);
            fs::write(folder.path().join("thrower.js"), "\n\nthrow new Error('not here');\n").expect("can be written");
            fs::write(folder.path().join("broken.js"), "\nexport const a = ;\n").expect("can be written");
            let mut command = volley(folder.path());
            let outcome = run(command.args(["run", "--quiet", "--js-engine", engine, "script.js"]));
            assert_eq!(outcome.code, code, "{script} {engine}\n{}", outcome.stderr);
            let errors: Vec<_> = outcome.stderr.lines().filter(|line| line.contains("level=error")).collect();
            assert_eq!(errors.len(), 1, "{script} {engine}\n{}", outcome.stderr);
            for part in parts {
                assert!(errors[0].contains(part), "{script} {engine}: no `{part}` in\n{}", errors[0]);
            }
        }
    };
    let fine = "export default function () {}";
    check("export default function () {\n  let = = 1;\n}", 107, &["SyntaxError", "/script.js:2:"]);
    check(&format!("import './broken.js';\n{fine}"), 107, &["SyntaxError", "/broken.js:2:"]);
    check(
        &format!("\nimport x from './nowhere.js';\n{fine}"),
        107,
        &[
            "could not initialize 'script.js': could not load JS test 'file:///",
            "The moduleSpecifier \\\"./nowhere.js\\\" couldn't be found on local disk",
            "/script.js:2",
        ],
    );
    check(&format!("import x from 'k6/nowhere';\n{fine}"), 107, &["unknown modules [\\\"k6/nowhere\\\"]"]);
    check(&format!("import './thrower.js';\n{fine}"), 107, &["Error: not here", "/thrower.js:3:"]);
    check(&format!("{fine}\nthrow new TypeError('init');"), 107, &["TypeError: init", "/script.js:2:"]);
    check(&format!("{fine}\nif (__VU > 0) {{\n  null.nothing;\n}}"), 107, &["TypeError", "/script.js:3:"]);
    check(&format!("{fine}\nopen('nowhere.txt');"), 107, &["nowhere.txt", "/script.js:2:"]);
    check(
        &format!("{fine}\nexport function setup() {{\n  throw new Error('in setup');\n}}"),
        107,
        &["Error: in setup", "at setup (file:///", "/script.js:3:"],
    );
    check(
        &format!("{fine}\nexport function teardown() {{\n  throw new Error('late');\n}}"),
        107,
        &["Error: late", "/script.js:3:"],
    );
    check("export const nothing = 1;", 255, &["no exported functions in script"]);
    check(&format!("{fine}\nexport const setup = 1;"), 255, &["exported 'setup' must be a function"]);
}

#[test]
fn a_script_that_is_not_there() {
    let folder = folder("");
    let outcome = run(volley(folder.path()).args(["run", "nowhere.js"]));
    assert_eq!(outcome.code, 255);
    assert!(outcome.stderr.contains("The moduleSpecifier \\\"nowhere.js\\\" couldn't be found"), "{}", outcome.stderr);
}

/// Options that mean nothing: the line and the code, through the whole program. More of them stand beside the code, in
/// `src/cli/tests.rs` and `src/options/`.
#[test]
fn malformed_options_are_refused() {
    let script = |options: &str| format!("export const options = {options};\nexport default () => console.log('ran');");
    let check = |args: &[&str], options: &str, code: i32, line: &str| {
        let folder = folder(&script(options));
        let outcome = run_in(folder.path(), args);
        assert_eq!(outcome.code, code, "{args:?} {options}\n{}", outcome.stderr);
        assert_eq!(missing(line, &outcome.stderr), [""; 0], "{args:?} {options}\n{}", outcome.stderr);
        assert!(!outcome.stderr.contains("ran\n"), "{args:?} {options}");
    };
    let flag = |arg: &str, code, line: &str| check(&[arg], "{}", code, line);
    let number = "flag: strconv.ParseInt: parsing \"many\": invalid syntax";
    flag("--vus=many", 255, &format!("invalid argument \"many\" for \"-u, --vus\" {number}"));
    flag("--duration=10", 255, "time: missing unit in duration \"10\"");
    flag("--stage=abc:2", 255, "error for stage 0: time: invalid duration \"abc\"");
    flag("--stage=:2", 255, "stage 0 doesn't have a specified duration");
    flag("--tag=a", 255, "error parsing tag 'a': invalid tag, empty value");
    flag("--env=1a=x", 255, "invalid environment variable name '1a'");
    flag("--dns=select=foo", 255, "foo does not belong to DNSSelect values");
    flag("--blacklist-ip=10.0.0.1", 255, "error parsing blacklist-ip '10.0.0.1': invalid CIDR address: 10.0.0.1");
    flag("--execution-segment=1/2:1/3", 255, "segment start(0.50) must be less than its end(0.33)");
    flag("--summary-trend-stats=foo", 255, "invalid trend stat 'foo', unknown format");
    flag("--summary-mode=legacy", 255, "invalid summary mode");
    flag("--config=nowhere.json", 104, "nowhere.json: no such file or directory");
    flag("--vus=0", 104, "the number of VUs must be more than 0");
    check(
        &["-i", "2", "-s", "1s:1"],
        "{}",
        104,
        "using `iterations` and `stages` options simultaneously is not allowed",
    );
    check(&["-u", "3", "-i", "2"], "{}", 104, "the number of iterations (2) can't be less than the number of VUs (3)");

    let option = |options: &str, code, line: &str| check(&[], options, code, line);
    option("{ vus: 'many' }", 104, "strconv.ParseInt: parsing \"many\": invalid syntax");
    option("{ duration: 'long' }", 104, "time: invalid duration \"long\"");
    option("{ throw: 'yes' }", 104, "cannot unmarshal string into Go value of type null.Bool");
    option("{ dns: { ttl: 'abc' } }", 255, "invalid DNS TTL: abc");
    option("{ hosts: { 'a b': '127.0.0.1' } }", 104, "invalid host pattern 'a b'");
    option("{ tlsVersion: 'tls9' }", 104, "unknown TLS version 'tls9'");
    option("{ setupTimeout: 0 }", 104, "setupTimeout must be positive");
    option(
        "{ thresholds: { nope: ['count>1'] } }",
        104,
        "invalid threshold defined on nope; reason: no metric name \"nope\" found",
    );
    option("{ thresholds: { iterations: ['count >'] } }", 104, "\"count >\" right hand side");
    option(
        "{ thresholds: { iterations: ['p(95)<1'] } }",
        104,
        "unsupported aggregation method p on metric of type counter",
    );
    option("{ scenarios: { s: { executor: 'fast' } } }", 104, "unknown executor type 'fast'");
    option("{ scenarios: { s: { executor: 'constant-vus', vus: 1 } } }", 104, "the duration is unspecified");
    option(
        "{ scenarios: { s: { executor: 'constant-vus', duration: '1s', speed: 1 } } }",
        104,
        "unknown field \"speed\"",
    );
    option(
        "{ scenarios: { s: { executor: 'per-vu-iterations', exec: 'nope' } } }",
        104,
        "function 'nope' not found in exports",
    );
    option("3", 104, "cannot unmarshal number");
}
