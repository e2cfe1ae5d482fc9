//! The whole target over real sockets, and over a real Redis.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use volley::{Account, CacheChoice, TargetConfig, bind};

use crate::needs;
use crate::peers::free_port;
use crate::program;

/// A target on a free port, on a thread of its own; it stops when dropped.
struct Running {
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn start(cache: &str) -> Self {
        Self::start_with(cache, 50)
    }

    fn start_with(cache: &str, risks: usize) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let cache = CacheChoice::parse(cache).unwrap();
        Self::serve(TargetConfig::new(free, cache, Duration::from_secs(60), Duration::ZERO, risks).unwrap())
    }

    fn serve(config: TargetConfig) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let target = runtime.block_on(bind(config)).unwrap();
        let address = target.local_addr();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serve = move || runtime.block_on(target.serve(async { drop(stopped.await) })).unwrap();
        Self { address, stop: Some(stop), thread: Some(std::thread::spawn(serve)) }
    }

    /// One request on a connection of its own. `what` is `METHOD /path`.
    fn ask(&self, what: &str, token: &str, body: &str) -> Answer {
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        self.ask_with(what, &authorization, body)
    }

    fn ask_with(&self, what: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let head =
            format!("{what} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n");
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn login(&self) -> String {
        let body = json!({ "email": "admin@demo.local", "password": "demo-password" }).to_string();
        self.ask("POST /api/v1/auth/login", "", &body).json()["token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.body))
    }

    fn cache(&self) -> &str {
        self.head.lines().find_map(|line| line.strip_prefix("x-cache: ")).unwrap_or("-")
    }
}

#[test]
fn answers_with_the_right_status() {
    let target = Running::start("memory");
    let token = target.login();
    let check = |what: &str, token: &str, body: &str, expect: u16| {
        let answer = target.ask(what, token, body);
        assert_eq!(answer.status, expect, "{what} {body}: {}", answer.body);
        assert!(answer.status < 400 || answer.json()["error"].is_string(), "{what}: a refusal has a reason");
    };
    let risk = r#"{"title":"t","impact":1,"probability":2}"#;
    check("GET /health", "", "", 200);
    check("GET /api/health", "", "", 200);
    check("GET /metrics", "", "", 200);
    check("GET /plain", "", "", 200);
    check("GET /json", "", "", 200);
    check("HEAD /api/risks", "", "", 200);
    check("GET /nothing", "", "", 404);
    check("GET /api/v1/nothing", "", "", 404);
    check("GET /api/v1/auth/login", "", "", 405);
    check("DELETE /api/v1/risks", &token, "", 405);
    // Tokens: everything below /api/v1, nothing below /api.
    check("GET /api/v1/risks", "", "", 401);
    check("GET /api/v1/risks", "demo-wrong", "", 401);
    check("GET /api/v1/risks", &token, "", 200);
    check("GET /api/v1/stats", "", "", 401);
    check("GET /api/risks", "", "", 200);
    check("GET /api/risks/risk-1", "", "", 200);
    check("GET /api/stats", "", "", 200);
    check("GET /api/stats/risk-matrix", "", "", 200);
    check("GET /api/stats/trends", "", "", 200);
    check("POST /api/risks", "", risk, 201);
    check("POST /api/v1/risks", "", risk, 401);
    check("GET /api/v1/users/me", "", "", 401);
    check("GET /api/users/me", "demo-wrong", "", 401);
    check("POST /api/risks", &token, risk, 201);
    // Queries and bodies that make no sense.
    check("GET /api/risks?page=-1", "", "", 400);
    check("GET /api/assets?page=x", "", "", 400);
    check("GET /api/export?format=pdf", "", "", 400);
    check("GET /api/assets/asset-9999", "", "", 404);
    check("GET /api/risks/risk-9999/mitigations", "", "", 404);
    check("POST /api/items", "", "{}", 400);
    check("PATCH /api/items/item-9999", "", "{}", 404);
    check("DELETE /api/mitigations/mitigation-9999", "", "", 404);
    check("GET /api/risks?limit=101", "", "", 400);
    check("GET /api/risks?limit=x", "", "", 400);
    check("GET /api/risks?status=done", "", "", 400);
    check("GET /api/risks?page=18446744073709551615&limit=100", "", "", 200);
    check("GET /api/risks/risk-9999", "", "", 404);
    check("POST /api/v1/risks", &token, "", 400);
    check("POST /api/v1/risks", &token, "{", 400);
    check("POST /api/v1/risks", &token, "[]", 400);
    check("POST /api/v1/risks", &token, r#"{"title":"t","impact":9,"probability":2}"#, 400);
    check("POST /api/v1/risks/bulk", &token, "[]", 400);
    check("POST /api/v1/risks/bulk", &token, "7", 400);
    check("PATCH /api/v1/risks/risk-9999", &token, "{}", 404);
    check("PUT /api/v1/risks/risk-9999", &token, risk, 404);
    check("PUT /api/v1/risks/risk-1", &token, "{}", 400);
    check("DELETE /api/v1/risks/risk-9999", &token, "", 404);
}

#[test]
fn logs_in_with_json_or_a_form() {
    let target = Running::start("memory");
    let check = |headers: &str, body: &str, expect: u16| {
        let answer = target.ask_with("POST /api/v1/auth/login", headers, body);
        assert_eq!(answer.status, expect, "{body}: {}", answer.body);
        assert_eq!(answer.json()["token"].is_string(), expect == 200);
    };
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    check("", r#"{"email":"admin@demo.local","password":"demo-password"}"#, 200);
    check("content-type: application/json\r\n", r#"{"email":"admin@demo.local","password":"demo-password"}"#, 200);
    check(form, "email=admin%40demo.local&password=demo-password", 200);
    check("", r#"{"email":"admin@demo.local","password":"wrong"}"#, 401);
    check("", "{}", 401);
    check(form, "email=admin%40demo.local", 401);
    check("", r#"{"email":1}"#, 400);
    check("", "email=admin", 400);
}

#[test]
fn lists_pages_searches_and_filters() {
    let target = Running::start("none");
    let check = |query: &str, total: u64, count: usize| {
        let answer = target.ask(&format!("GET /api/risks{query}"), "", "").json();
        assert_eq!(answer["total"], total, "{query}");
        assert_eq!(answer["data"].as_array().unwrap().len(), count, "{query}");
    };
    check("", 50, 20);
    check("?page=3", 50, 10);
    check("?page=4", 50, 0);
    check("?page=0", 50, 20);
    check("?q=phishing", 5, 5);
    check("?limit=7&page=2", 50, 7);
    check("?search=PHISHING", 5, 5);
    check("?search=", 50, 20);
    check("?search=nothing+like+this", 0, 0);
    check("?search=security&limit=100", 10, 10);
    let statuses = ["open", "mitigated", "accepted", "closed"]
        .map(|status| target.ask(&format!("GET /api/risks?status={status}"), "", "").json()["total"].as_u64().unwrap());
    assert_eq!(statuses.iter().sum::<u64>(), 50);
}

/// What any cache must do, whatever it is made of.
fn check_cache(target: &Running) {
    let token = target.login();
    let check = |path: &str, expect: &str| {
        let answer = target.ask(&format!("GET {path}"), &token, "");
        assert_eq!((answer.status, answer.cache()), (200, expect), "{path}");
        answer
    };
    for path in [
        "/api/v1/risks",
        "/api/v1/risks?search=key&page=1&limit=5",
        "/api/v1/risks/risk-3",
        "/api/v1/stats",
        "/api/v1/stats/risk-matrix",
        "/api/v1/stats/trends",
    ] {
        let first = check(path, "MISS");
        let second = check(path, "HIT");
        assert_eq!(first.body, second.body, "{path}");
    }
    check("/api/v1/risks?limit=5&search=key", "HIT");
    check("/api/risks/risk-3", "HIT");

    let writes = [
        ("PATCH /api/v1/risks/risk-3", r#"{"title":"renamed"}"#, 200),
        ("PUT /api/v1/risks/risk-4", r#"{"title":"replaced","impact":5,"probability":5}"#, 200),
        ("POST /api/v1/risks", r#"{"title":"new","impact":2,"probability":2}"#, 201),
        ("POST /api/v1/risks/bulk", r#"{"risks":[{"title":"a","impact":1,"probability":1}]}"#, 201),
        ("DELETE /api/v1/risks/risk-5", "", 204),
    ];
    for (what, body, status) in writes {
        assert_eq!(target.ask(what, &token, body).status, status, "{what}");
        check("/api/v1/risks/risk-3", "MISS");
        check("/api/v1/risks/risk-3", "HIT");
    }
    assert_eq!(check("/api/v1/risks/risk-3", "HIT").json()["title"], "renamed");
    assert_eq!(target.ask("GET /api/risks/risk-5", "", "").status, 404);
}

#[test]
fn memory_cache_hits_until_a_write() {
    let target = Running::start("memory");
    check_cache(&target);
    let page = target.ask("GET /metrics", "", "").body;
    assert!(page.contains("\ncache_hits_total 14\n") && page.contains("\ncache_misses_total 12\n"), "{page}");
    let series =
        "http_request_duration_seconds_count{method=\"PATCH\",route=\"/api/v1/risks/{id}\",status=\"200\"} 1\n";
    assert!(page.contains(series) && page.contains("\nhttp_requests_in_flight 1\n"), "{page}");
}

#[test]
fn without_a_cache_every_read_is_a_miss() {
    let target = Running::start("none");
    for _ in 0..2 {
        assert_eq!(target.ask("GET /api/stats", "", "").cache(), "MISS");
    }
    assert_eq!(target.ask("GET /api/stats", "", "").json()["cache_status"], "none");
}

#[test]
fn records_can_be_created_changed_and_deleted() {
    let target = Running::start_with("memory", 2);
    let token = target.login();
    let ask = |what: &str, body: Value| target.ask(what, &token, &body.to_string());
    let created = ask("POST /api/v1/risks", json!({ "title": "new", "impact": 4, "probability": 5, "tags": ["x"] }));
    assert_eq!((created.status, created.json()["id"].as_str()), (201, Some("risk-3")));
    let read = ask("GET /api/v1/risks/risk-3", json!(null)).json();
    assert_eq!(read, created.json());
    assert_eq!((&read["score"], &read["status"], &read["tags"]), (&json!(20), &json!("open"), &json!(["x"])));
    let patched = ask("PATCH /api/v1/risks/risk-3", json!({ "status": "closed", "impact": 1 })).json();
    assert_eq!(
        (&patched["title"], &patched["status"], &patched["score"]),
        (&json!("new"), &json!("closed"), &json!(5))
    );
    let put = ask("PUT /api/v1/risks/risk-3", json!({ "title": "other", "impact": 2, "probability": 2 })).json();
    assert_eq!((&put["status"], &put["tags"], &put["created_at"]), (&json!("open"), &json!([]), &read["created_at"]));
    let many = [json!({ "title": "a", "impact": 1, "probability": 1 }), json!({ "title": "b", "impact": 1 })];
    let refused = ask("POST /api/v1/risks/bulk", json!(many));
    assert_eq!(refused.json()["error"], "risk 2: `probability` is missing");
    let bulk = ask("POST /api/v1/risks/bulk", json!([many[0], many[0]])).json();
    assert_eq!(bulk, json!({ "created": 2, "ids": ["risk-4", "risk-5"] }));
    assert_eq!(ask("GET /api/v1/risks", json!(null)).json()["total"], 5);
    assert_eq!(ask("DELETE /api/v1/risks/risk-3", json!(null)).status, 204);
    assert_eq!(ask("GET /api/v1/risks/risk-3", json!(null)).status, 404);
}

#[test]
fn a_single_record_is_also_under_data() {
    let target = Running::start("memory");
    let check = |what: &str, body: &str| {
        let answer = target.ask(what, "", body).json();
        let data = answer["data"].as_object().unwrap_or_else(|| panic!("{what}: {answer}"));
        assert!(!data.is_empty() && data.iter().all(|(key, value)| answer[key] == *value), "{what}: {answer}");
    };
    let risk = r#"{"title":"t","impact":1,"probability":2}"#;
    check("GET /api/risks/risk-1", "");
    check("POST /api/risks", risk);
    check("PATCH /api/risks/risk-1", r#"{"title":"t"}"#);
    check("PUT /api/risks/risk-1", risk);
    check("POST /api/auth/login", r#"{"email":"admin@demo.local","password":"demo-password"}"#);
    for path in ["assets/asset-1", "items/item-1", "mitigations/mitigation-1", "users/me", "stats", "dashboard"] {
        check(&format!("GET /api/{path}"), "");
    }
    check("POST /api/assets", r#"{"name":"a"}"#);
    check("PATCH /api/assets/asset-1", r#"{"name":"b"}"#);
    // Who sends back what it got does not nest it deeper and deeper.
    let got = target.ask("GET /api/items/item-1", "", "").body;
    let put = target.ask("PUT /api/items/item-1", "", &got).json();
    assert_eq!(put["data"].get("data"), None);
}

#[test]
fn has_what_a_risk_register_has() {
    let target = Running::start("memory");
    let token = target.login();
    for path in ["assets", "items", "mitigations"] {
        let list = target.ask(&format!("GET /api/v1/{path}?limit=5&page=0"), &token, "");
        assert_eq!((list.status, list.json()["total"].as_u64()), (200, Some(25)), "{path}");
        assert_eq!(list.json()["data"].as_array().unwrap().len(), 5);
        let made = target.ask(&format!("POST /api/v1/{path}"), &token, r#"{"name":"made here"}"#);
        assert_eq!(made.status, 201);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let found = target.ask(&format!("GET /api/v1/{path}?search=MADE"), &token, "").json();
        assert_eq!(found["data"][0]["id"], id);
        assert_eq!(target.ask(&format!("DELETE /api/v1/{path}/{id}"), &token, "").status, 204);
        assert_eq!(target.ask(&format!("GET /api/v1/{path}/{id}"), &token, "").status, 404);
    }
    let found = target.ask("GET /api/search?q=phishing&limit=100", "", "").json();
    assert_eq!((&found["total"], &found["data"][0]["type"]), (&json!(5), &json!("risk")));
    assert_eq!(target.ask("GET /api/search?q=supplier+2", "", "").json()["data"][0]["type"], "asset");
    assert_eq!(target.ask("GET /api/risks/risk-1/mitigations", "", "").json()["total"], 2);
    assert_eq!(target.ask("GET /api/export", "", "").json()["total"], 50);
    let csv = target.ask("GET /api/export?format=csv", "", "");
    assert!(csv.head.contains("text/csv") && csv.body.lines().count() == 51, "{}", csv.body);
    assert_eq!(target.ask("GET /api/users/me", "", "").json()["email"], "admin@demo.local");
    let page = target.ask("GET /api/v1/dashboard", &token, "").json();
    assert_eq!((&page["assets"], page["top_risks"].as_array().unwrap().len()), (&json!(25), 5));
}

#[test]
fn accounts_of_ones_own_log_in() {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let accounts = ["me@x.org:one:two", "you@x.org:three"].map(|text| Account::parse(text).unwrap()).to_vec();
    let config = TargetConfig::new(free, CacheChoice::Off, Duration::from_secs(1), Duration::ZERO, 1).unwrap();
    let target = Running::serve(config.with_accounts(accounts));
    let login = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password }).to_string();
        target.ask("POST /api/v1/auth/login", "", &body)
    };
    for (email, password) in [("me@x.org", "one:two"), ("you@x.org", "three"), ("admin@demo.local", "demo-password")] {
        let token = login(email, password).json()["token"].as_str().unwrap().to_owned();
        assert_eq!(target.ask("GET /api/v1/users/me", &token, "").json()["email"], email);
    }
    assert_eq!(login("me@x.org", "three").status, 401);
}

#[test]
fn speed_routes_have_the_sizes_they_promise() {
    let target = Running::start("memory");
    assert_eq!(target.ask("GET /plain", "", "").body, "hello");
    let document = target.ask("GET /json", "", "");
    assert!((2_800..3_000).contains(&document.body.len()), "{} bytes", document.body.len());
    assert_eq!(document.json()["data"].as_array().unwrap().len(), 20);
}

#[test]
fn a_taken_port_and_an_absent_redis_are_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = |listen, cache| {
        TargetConfig::new(listen, cache, Duration::from_secs(30), Duration::ZERO, 10)
            .map_err(|failure| failure.message)
            .unwrap()
    };
    let failure = |config| runtime.block_on(bind(config)).err().unwrap().message;
    let busy = failure(config(address, CacheChoice::Memory));
    assert!(busy.starts_with(&format!("the demo target can't listen on `{address}`: ")), "{busy}");
    drop(taken);
    let cache = CacheChoice::parse(&format!("redis://{address}")).unwrap();
    let away = failure(config(([127, 0, 0, 1], 0).into(), cache));
    assert!(away.starts_with(&format!("the cache at `redis://{address}` can't be reached: ")), "{away}");
    assert!(!away.contains('\n'), "{away}");
}

#[test]
fn stops_while_clients_keep_their_connections() {
    let target = Running::start("memory");
    let mut idle = TcpStream::connect(target.address).unwrap();
    idle.write_all(b"GET /plain HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    // Another one that never finishes its request.
    let mut slow = TcpStream::connect(target.address).unwrap();
    slow.write_all(b"POST /api/v1/auth/login HTTP/1.1\r\ncontent-length: 9\r\n\r\n{").unwrap();
    drop(target);
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"hello"));
}

/// A real Redis of our own on a free port; killed when dropped.
struct RedisServer {
    process: Child,
    port: u16,
}

impl RedisServer {
    fn start() -> Self {
        Self::start_on(free_port())
    }

    fn start_on(port: u16) -> Self {
        let mut command = Command::new(needs::program(&["redis-server"], "Debian: redis-server"));
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { process, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("redis-server did not start");
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/1", self.port)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn redis_cache_hits_until_a_write() {
    let redis = RedisServer::start();
    let target = Running::start(&redis.url());
    check_cache(&target);
    assert_eq!(target.ask("GET /health", "", "").json()["cache"], json!({ "kind": "redis", "status": "ok" }));
    // Another target on the same Redis has records of its own and must not see these answers.
    let other = Running::start(&redis.url());
    assert_eq!(other.ask("GET /api/stats", "", "").cache(), "MISS");
}

#[test]
fn redis_that_dies_makes_reads_misses_until_it_is_back_and_health_says_so() {
    let redis = RedisServer::start();
    let target = Running::start(&redis.url());
    assert_eq!(target.ask("GET /api/stats", "", "").cache(), "MISS");
    assert_eq!(target.ask("GET /api/stats", "", "").cache(), "HIT");
    let port = redis.port;
    drop(redis);
    for _ in 0..5 {
        let answer = target.ask("GET /api/stats", "", "");
        assert_eq!((answer.status, answer.cache()), (200, "MISS"));
    }
    let health = target.ask("GET /health", "", "").json();
    assert_eq!((&health["status"], &health["cache"]["status"]), (&json!("ok"), &json!("unreachable")));
    assert!(health["cache"]["reason"].is_string());
    let _back = RedisServer::start_on(port);
    wait_for_a_hit(&target);
}

#[test]
fn redis_that_hangs_makes_reads_misses_and_comes_back() {
    let redis = RedisServer::start();
    let target = Running::start(&redis.url());
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &redis.process.id().to_string()]).status().unwrap().success());
    };
    assert_eq!(target.ask("GET /api/stats", "", "").cache(), "MISS");
    signal("-STOP");
    assert_eq!(target.ask("GET /api/stats", "", "").cache(), "MISS");
    assert_eq!(target.ask("GET /health", "", "").json()["cache"]["status"], "unreachable");
    signal("-CONT");
    wait_for_a_hit(&target);
}

fn wait_for_a_hit(target: &Running) {
    for _ in 0..100 {
        if target.ask("GET /api/stats", "", "").cache() == "HIT" {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the cache did not come back: {}", target.ask("GET /health", "", "").body);
}

#[test]
fn addresses_have_names_and_passwords_are_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let volley = |args: &[&str]| {
        let mut command = program::volley(folder.path());
        command.arg("target").args(args);
        command
    };
    let args = ["--listen", "localhost:0", "--account", "me@x.org:s3cret-of-mine", "--account", "you@x.org:other"];
    let running = program::Running::start(&mut volley(&args));
    running.wait_for("listening on http://127.0.0.1:");
    running.interrupt();
    let outcome = running.end();
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("accounts besides the demo account: me@x.org, you@x.org"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("s3cret-of-mine"), "{}", outcome.stderr);
    for (args, expect) in [
        (["--account", "s3cret-of-mine"], "`--account`: expected EMAIL:PASSWORD"),
        (["--account", ":s3cret-of-mine"], "`--account`: expected EMAIL:PASSWORD"),
        (["--listen", "localhost"], "`localhost` is not an address to listen on: there is no port"),
        (["--listen", "localhost:http"], "the port is a number from 0 to 65535"),
    ] {
        let outcome = program::run(&mut volley(&args));
        assert_eq!(outcome.code, 255, "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(expect) && !outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
    }
}
