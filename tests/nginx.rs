//! A server that is not ours: nginx, over HTTP/1.1 and HTTP/2, plain and TLS. Nothing is lost, and the numbers are nginx's
//! own.
//!
//! Needs `nginx` (Debian: `nginx-light`).

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::needs;
use crate::program::{Outcome, run, volley};

/// How large `/large` is.
const LARGE: usize = 10 << 20;

/// Certificates, keys and OCSP answers of OpenSSL.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/net/tls/fixtures");

/// An nginx of our own, in a folder of its own; it ends with this value.
struct Nginx {
    process: Child,
    folder: TempDir,
    plain: u16,
    tls: u16,
    h2: u16,
    /// HTTP/2 without TLS.
    h2c: u16,
    /// TLS that wants a certificate.
    mutual: u16,
}

impl Nginx {
    fn start() -> Self {
        let program = needs::program(&["nginx"], "Debian: nginx-light");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let root = folder.path();
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
        fs::write(root.join("cert.pem"), signed.cert.pem()).expect("a file can be written");
        fs::write(root.join("key.pem"), signed.signing_key.serialize_pem()).expect("a file can be written");
        fs::create_dir(root.join("files")).expect("a folder can be made");
        fs::write(root.join("files/large"), vec![b'l'; LARGE]).expect("a file can be written");
        fs::write(root.join("files/small.txt"), "small").expect("a file can be written");
        fs::write(root.join("files/words.txt"), "many words ".repeat(2000)).expect("a file can be written");
        let [plain, tls, h2, h2c, mutual, inner] = [0; 6].map(|_| crate::peers::free_port());
        let config = format!(
            "daemon off; master_process off; worker_processes 1; pid pid; error_log errors.log;
             events {{ worker_connections 1024; }}
             http {{
                 log_format numbers '$server_port $server_protocol $status $request_length $bytes_sent';
                 access_log access.log numbers;
                 client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
                 uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                 keepalive_requests 1000000; client_max_body_size 100m;
                 ssl_certificate cert.pem; ssl_certificate_key key.pem;
                 server {{
                     listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl; listen 127.0.0.1:{h2} ssl http2;
                     root files;
                     location /close {{ keepalive_timeout 0; return 200 'closes'; }}
                     location /ok {{ return 200 'ok'; }}
                     location /sink {{ proxy_pass http://127.0.0.1:{inner}; }}
                     location /words.txt {{ gzip on; gzip_types text/plain; default_type text/plain; }}
                 }}
                 server {{ listen 127.0.0.1:{h2c} http2; return 200 'h2c'; }}
                 server {{
                     listen 127.0.0.1:{mutual} ssl; ssl_client_certificate {FIXTURES}/open-cert.pem; ssl_verify_client on;
                     ssl_stapling on; ssl_stapling_file {FIXTURES}/revoked.der; return 200 $ssl_client_s_dn;
                 }}
                 # Whoever passes a request on has to read its body.
                 server {{ listen 127.0.0.1:{inner}; access_log off; return 200 'ok'; }}
             }}"
        );
        fs::write(root.join("nginx.conf"), config).expect("a file can be written");
        let mut command = Command::new(program);
        command.arg("-p").arg(root).args(["-c", "nginx.conf", "-e", "errors.log"]);
        let process = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("nginx starts");
        let nginx = Self { process, folder, plain, tls, h2, h2c, mutual };
        for _ in 0..500 {
            if std::net::TcpStream::connect(("127.0.0.1", h2)).is_ok() {
                return nginx;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!(
            "nginx does not listen\n{}",
            fs::read_to_string(nginx.folder.path().join("errors.log")).unwrap_or_default()
        );
    }

    /// Ends it, so that its log is whole: per request the port, the protocol, the status, bytes in, bytes out.
    fn log(mut self) -> Vec<(u16, String, u16, u64, u64)> {
        self.stop();
        let text = fs::read_to_string(self.folder.path().join("access.log")).expect("nginx keeps a log");
        let line = |line: &str| {
            let words: Vec<_> = line.split(' ').collect();
            let number = |at: usize| words[at].parse::<u64>().expect("it is a number");
            (number(0) as u16, words[1].to_owned(), number(2) as u16, number(3), number(4))
        };
        // What only looked whether somebody listens left no request.
        text.lines().map(line).filter(|(.., asked, _)| *asked > 0).collect()
    }

    fn stop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a script on every engine, each against an nginx of its own.
fn on_every_engine(script: &str, args: &[&str], look: impl Fn(&Path, Outcome, Nginx)) {
    for (engine, _) in volley::Engine::TABLE {
        let nginx = Nginx::start();
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("script.js"), script).expect("a file can be written");
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--log-format=raw", "--js-engine", engine, "--summary-export=summary.json"]);
        for (name, scheme, port) in [
            ("PLAIN", "http", nginx.plain),
            ("TLS", "https", nginx.tls),
            ("H2", "https", nginx.h2),
            ("H2C", "http", nginx.h2c),
            ("MUTUAL", "https", nginx.mutual),
        ] {
            command.arg("-e").arg(format!("{name}={scheme}://localhost:{port}"));
        }
        let outcome = run(command.args(args).arg("script.js"));
        assert_eq!(outcome.code, 0, "{engine}\n{}{}", outcome.stdout, outcome.stderr);
        look(folder.path(), outcome, nginx);
    }
}

fn summary(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("summary.json")).expect("the summary is there");
    serde_json::from_str(&text).expect("the summary is whole")
}

/// Many VUs, every request counted on both sides.
fn check_many(base: &str, proto: &str, port: impl Fn(&Nginx) -> u16) {
    const REQUESTS: u64 = 3000;
    let script = format!(
        "import http from 'k6/http';
        import {{ check }} from 'k6';
        export const options = {{
            insecureSkipTLSVerify: true, vus: 50, iterations: {REQUESTS},
            thresholds: {{ 'http_reqs{{proto:{proto},status:200}}': ['count=={REQUESTS}'], checks: ['rate==1'] }},
        }};
        export default function () {{
            const response = http.get(`${{__ENV.{base}}}/ok`);
            check(response, {{ good: ({{ status, body, proto }}) => status === 200 && body === 'ok' && proto === '{proto}' }});
        }}"
    );
    on_every_engine(&script, &[], |folder, _, nginx| {
        let metrics = &summary(folder)["metrics"];
        assert_eq!(metrics["http_reqs"]["count"], REQUESTS);
        assert_eq!(metrics["http_req_failed"]["passes"], 0);
        assert_eq!(metrics["iterations"]["count"], REQUESTS);
        let port = port(&nginx);
        let log = nginx.log();
        let seen = log.iter().filter(|(at, seen, status, ..)| (*at, &**seen, *status) == (port, proto, 200)).count();
        assert_eq!((seen, log.len()), (REQUESTS as usize, REQUESTS as usize));
    });
}

#[test]
fn http2_loses_nothing() {
    check_many("H2", "HTTP/2.0", |nginx| nginx.h2);
}

#[test]
fn http1_over_tls_loses_nothing() {
    check_many("TLS", "HTTP/1.1", |nginx| nginx.tls);
}

#[test]
fn plain_bytes_are_counted_as_nginx_counts_them() {
    let script = "import http from 'k6/http';
        export const options = { vus: 10, iterations: 500 };
        export default function () {
            http.get(`${__ENV.PLAIN}/ok`, { headers: { 'X-Long': 'x'.repeat(__ITER * 10) } });
            http.get(`${__ENV.PLAIN}/close`);
            http.post(`${__ENV.PLAIN}/sink`, 'y'.repeat(__ITER));
            http.get(`${__ENV.PLAIN}/none`);
        }";
    on_every_engine(script, &[], |folder, _, nginx| {
        let metrics = &summary(folder)["metrics"];
        let log = nginx.log();
        assert_eq!((metrics["http_reqs"]["count"].as_u64(), log.len()), (Some(2000), 2000));
        // Every fourth is a 404.
        assert_eq!(metrics["http_req_failed"]["passes"], 500);
        let (asked, answered) = log.iter().fold((0, 0), |(asked, answered), line| (asked + line.3, answered + line.4));
        assert_eq!(metrics["data_sent"]["count"].as_u64(), Some(asked));
        assert_eq!(metrics["data_received"]["count"].as_u64(), Some(answered));
    });
}

#[test]
fn large_closing_and_chunked_answers_are_whole() {
    let script = format!(
        "import http from 'k6/http';
        import {{ check }} from 'k6';
        export const options = {{
            insecureSkipTLSVerify: true, vus: 4, iterations: 12, thresholds: {{ checks: ['rate==1'] }},
        }};
        export default function () {{
            for (const base of [__ENV.PLAIN, __ENV.TLS, __ENV.H2]) {{
                const proto = base === __ENV.H2 ? 'HTTP/2.0' : 'HTTP/1.1';
                const large = http.get(`${{base}}/large`);
                check(large, {{ large: (r) => r.body.length === {LARGE} && r.body.endsWith('lll') && r.proto === proto }});
                const bytes = http.get(`${{base}}/large`, {{ responseType: 'binary' }});
                check(bytes, {{ bytes: (r) => r.body.byteLength === {LARGE} }});
                const dropped = http.get(`${{base}}/large`, {{ responseType: 'none' }});
                check(dropped, {{ dropped: (r) => r.body === null && r.status === 200 }});
                for (let i = 0; i < 3; i++) {{
                    check(http.get(`${{base}}/close`), {{ close: (r) => r.body === 'closes' && r.error === '' }});
                }}
                const chunked = http.get(`${{base}}/words.txt`, {{ headers: {{ 'Accept-Encoding': 'gzip' }} }});
                check(chunked, {{
                    chunked: (r) => r.body === 'many words '.repeat(2000) && r.headers['Content-Encoding'] === 'gzip'
                        && r.headers['Content-Length'] === undefined,
                }});
                const upload = http.put(`${{base}}/sink`, 'u'.repeat(3e6));
                check(upload, {{ upload: (r) => r.body === 'ok' }});
            }}
        }}"
    );
    on_every_engine(&script, &[], |folder, _, nginx| {
        let metrics = &summary(folder)["metrics"];
        let log = nginx.log();
        assert_eq!((metrics["http_reqs"]["count"].as_u64(), log.len()), (Some(12 * 24), 12 * 24));
        assert_eq!(metrics["http_req_failed"]["passes"], 0);
        // TLS adds a little to what nginx counts, and nothing is counted twice.
        let (asked, answered) = log.iter().fold((0, 0), |(asked, answered), line| (asked + line.3, answered + line.4));
        for (name, counted) in [("data_sent", asked), ("data_received", answered)] {
            let ours = metrics[name]["count"].as_u64().expect("it is a count");
            assert!((counted..counted + counted / 50).contains(&ours), "{name}: {ours}, nginx says {counted}");
        }
    });
}

#[test]
fn http2_without_tls_is_spoken_where_asked_for() {
    let script = "import http from 'k6/http';
        export const options = { vus: 5, iterations: 500, thresholds: { 'http_reqs{proto:HTTP/2.0,status:200}': ['count==1000'] } };
        export default function () {
            http.get(`${__ENV.H2C}/`, { protocol: 'h2c' });
            http.post(`${__ENV.H2C}/`, 'body', { protocol: 'h2c' });
        }";
    on_every_engine(script, &[], |folder, _, nginx| {
        assert_eq!(summary(folder)["metrics"]["http_req_failed"]["passes"], 0);
        let log = nginx.log();
        assert!(log.len() == 1000 && log.iter().all(|line| line.1 == "HTTP/2.0"));
    });
}

#[test]
fn a_client_with_a_locked_key_is_known_and_told_what_is_stapled() {
    let script = format!(
        "import http from 'k6/http';
        export const options = {{
            insecureSkipTLSVerify: true,
            tlsAuth: [{{
                cert: open('{FIXTURES}/open-cert.pem'), key: open('{FIXTURES}/aes256.pem'), password: 'open sesame',
            }}],
            thresholds: {{ 'http_reqs{{ocsp_status:revoked}}': ['count==1'] }},
        }};
        export default function () {{
            const {{ body, ocsp }} = http.get(`${{__ENV.MUTUAL}}/`);
            console.log(body, ocsp.status, ocsp.revocation_reason, ocsp.revoked_at, ocsp.produced_at);
        }}"
    );
    on_every_engine(&script, &["--system-tags=status,ocsp_status"], |_, outcome, _| {
        let line = "CN=a client revoked key_compromise 1704164645 1795561067";
        assert!(outcome.stderr.contains(line), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("sesame"));
    });
}
