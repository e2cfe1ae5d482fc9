//! A procedure beside the real services of Debian: Redis, PostgreSQL and Prometheus are checked and collected, may be
//! missing, and may stop in the middle.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::missing;
use crate::needs;
use crate::peers::free_port;
use crate::procedure::{EXAMPLE, Target, example, json, text};
use crate::program::{self, Running};

/// A process of Debian's that is ended with the test.
pub struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let id = i32::try_from(self.0.id()).unwrap();
        // SAFETY: `kill` only takes numbers; the child was not waited for yet, so the id is still its own. PostgreSQL
        // ends its own children and its shared memory on this signal; others end as they are.
        _ = unsafe { libc::kill(id, libc::SIGQUIT) };
        for _ in 0..100 {
            if self.0.try_wait().unwrap().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

pub fn service(command: &mut Command) -> Service {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Service(child.expect("a service starts"))
}

pub fn until(what: &str, is_there: impl Fn() -> bool) {
    for _ in 0..900 {
        if is_there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not come up");
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

const SECRET: &str = "s3cret-of-redis";

fn redis(folder: &Path) -> (Service, String) {
    let port = free_port();
    let mut command = Command::new(needs::program(&["redis-server"], "Debian: redis-server"));
    command.args(["--port", &port.to_string(), "--save", "", "--requirepass", SECRET]).current_dir(folder);
    let redis = service(&mut command);
    until("Redis", || listens(port));
    (redis, format!("redis://:{SECRET}@127.0.0.1:{port}"))
}

fn prometheus(folder: &Path, target: &Target) -> (Service, String) {
    let scraped = target.url.trim_start_matches("http://");
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: t, static_configs: [{{targets: ['{scraped}']}}]}}]\n"
    );
    fs::write(folder.join("prometheus.yml"), config).unwrap();
    let port = free_port();
    let mut command = Command::new(needs::program(&["prometheus"], "Debian: prometheus"));
    command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"]).current_dir(folder);
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let prometheus = service(&mut command);
    let url = format!("http://127.0.0.1:{port}");
    until("Prometheus", || listens(port));
    // A scrape has to have been before anything can be asked.
    until("a scraped target", || crate::procedure::get(&url, "/api/v1/query?query=up").1.contains("\"1\"]"));
    (prometheus, url)
}

/// A PostgreSQL server with its own data, as Debian installs it, run by `nobody` where we are root: it refuses root.
pub fn postgres(folder: &Path) -> (Service, String) {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let bin = versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists());
    let bin = bin.unwrap_or_else(|| missing("there is no PostgreSQL here (Debian: postgresql)"));
    let data = folder.join("postgres");
    fs::create_dir(&data).unwrap();
    // SAFETY: takes nothing and can't fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    let command = |program: &str| {
        let mut command = Command::new(bin.join(program));
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if is_root {
            command.uid(65534).gid(65534);
        }
        command
    };
    if is_root {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        chown(&data, Some(65534), Some(65534)).unwrap();
    }
    let mut initdb = command("initdb");
    initdb.args(["-U", "volley", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C", "-D"]).arg(&data);
    assert!(initdb.status().unwrap().success(), "initdb failed");
    let port = free_port();
    let mut server = command("postgres");
    server.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", "", "-c", "fsync=off"]);
    server.args(["-c", "shared_preload_libraries=pg_stat_statements", "-D"]).arg(&data);
    let server = service(&mut server);
    let url = format!("postgres://volley:s3cret-of-postgres@127.0.0.1:{port}/postgres");
    until("PostgreSQL", || Session::try_open(&url).is_some());
    (server, url)
}

/// A connection of the application's, so to say.
pub struct Session {
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
}

impl Session {
    fn try_open(url: &str) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, tokio_postgres::NoTls)).ok()?;
        runtime.spawn(connection);
        Some(Self { runtime, client })
    }

    pub fn open(url: &str) -> Self {
        Self::try_open(url).expect("PostgreSQL takes connections")
    }

    pub fn say(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }
}

const SCRIPT: &str = "import http from 'k6/http';\nimport { sleep } from 'k6';\n\
                      export default () => { http.get(`${__ENV.BASE_URL}/health`); sleep(0.05); }\n";

/// Short runs of these names beside a PostgreSQL.
fn beside_postgres(folder: &Path, target: &Target, url: &str, results: &str, runs: &[(&str, &str)]) -> Command {
    fs::write(folder.join("script.js"), SCRIPT).unwrap();
    let runs: Vec<String> = runs
        .iter()
        .map(|(name, duration)| format!("{{name: '{name}', script: './script.js', vus: 1, duration: '{duration}'}}"))
        .collect();
    let file = format!(
        "export default {{ name: 'database', environment: 'test', resultsDir: '{results}', runs: [{}],\n\
         collect: {{ every: '250ms', host: false, postgres: {{ url: __ENV.DATABASE_URL }} }},\n\
         criteria: ['one.db_connections.max >= 4', 'one.db_connections_idle_in_transaction.min >= 1'] }};",
        runs.join(", ")
    );
    fs::write(folder.join(format!("{results}.js")), file).unwrap();
    let mut command = program::volley(folder);
    command.args(["procedure", "run", &format!("{results}.js")]);
    command.env("BASE_URL", &target.url).env("DATABASE_URL", url);
    command
}

#[test]
fn postgres_is_collected_read_only_and_may_be_stuck_or_stop() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = postgres(folder.path());
    let target = Target::start(folder.path(), &[]);
    let setup = Session::open(&url);
    setup.say("CREATE EXTENSION pg_stat_statements");
    setup.say("CREATE TABLE load_rows AS SELECT i, repeat('x', 100) AS text FROM generate_series(1, 5000) AS i");
    setup.say("SELECT count(*) FROM load_rows; CREATE ROLE someone PASSWORD 'never-to-be-told'");
    let (idle, waiting, busy) = (Session::open(&url), Session::open(&url), Session::open(&url));
    idle.say("SELECT 1");
    waiting.say("BEGIN; SELECT 1");
    // Asked here, answered when the server ends.
    std::thread::spawn(move || _ = busy.runtime.block_on(busy.client.simple_query("SELECT pg_sleep(60)")));

    // A table that is locked blocks whoever asks for its size: that ends after the statement timeout.
    let lock = Session::open(&url);
    lock.say("BEGIN; LOCK TABLE load_rows IN ACCESS EXCLUSIVE MODE");
    let stuck = program::run(&mut beside_postgres(folder.path(), &target, &url, "stuck", &[("one", "3s")]));
    assert_eq!(stuck.code, 0, "{}{}", stuck.stdout, stuck.stderr);
    let seen = json(folder.path().join("stuck/one_postgres.json"));
    assert!(seen["before"]["error"].as_str().unwrap().contains("statement timeout"), "{}", seen["before"]);
    assert!(seen["series"]["db_connections"]["values"].as_array().unwrap().len() >= 2, "{seen}");
    assert_eq!(stuck.stdout.matches("! one_postgres: ").count(), 1, "{}", stuck.stdout);
    assert!(text(folder.path().join("stuck/readiness.txt")).contains("APPROVED WITH FINDINGS"));
    lock.say("ROLLBACK");

    let runs = [("one", "4s"), ("two", "6s"), ("three", "1s")];
    let running = Running::start(&mut beside_postgres(folder.path(), &target, &url, "stopped", &runs));
    running.wait_for("one: 1 VU");
    // Again and again: on a busy machine the first look comes when it comes.
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(400));
        setup.say("SELECT count(*) FROM load_rows");
    }
    running.wait_for("two: 1 VU");
    // Long enough for a first look, also on a busy machine.
    std::thread::sleep(Duration::from_secs(3));
    drop(server);
    let outcome = running.end();
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let results = folder.path().join("stopped");
    let one = json(results.join("one_postgres.json"));
    assert_eq!(one["trouble"], Value::Null, "{one}");
    let most = |name: &str| {
        let values = one["series"][name]["values"].as_array().unwrap_or_else(|| panic!("{name}: {one}"));
        values.iter().filter_map(Value::as_f64).fold(0.0, f64::max)
    };
    assert_eq!((most("db_connections_active"), most("db_connections_idle_in_transaction")), (1.0, 1.0));
    assert_eq!((most("db_connections_idle"), most("db_connections")), (3.0, 5.0));
    let tables = one["before"]["tables"].as_array().unwrap();
    let rows = tables.iter().find(|table| table["table"] == "load_rows").unwrap();
    assert!(rows["bytes"].as_str().unwrap().parse::<u64>().unwrap() > 500_000, "{rows}");
    let statements = one["after"]["statements"].as_array().unwrap();
    // Those of the run; what was before does not count, nor what we ask.
    let counted = statements.iter().find(|one| one["query"] == "SELECT count(*) FROM load_rows");
    let calls = counted.and_then(|one| one["calls"].as_f64()).unwrap_or_default();
    assert!((1.0..=8.0).contains(&calls), "{statements:?}");
    assert!(!statements.iter().any(|one| one["query"].as_str().unwrap().contains("pg_")), "{statements:?}");
    assert!(one["after"]["counters"]["rows_returned"].as_f64().unwrap() >= 5000.0, "{}", one["after"]);
    let page = text(results.join("report.html"));
    assert!(page.contains("SELECT count(*) FROM load_rows") && page.contains("Database tables"));
    // Said once, the run went on, and so did the next.
    assert_eq!(outcome.stdout.matches("! two_postgres: ").count(), 1, "{}", outcome.stdout);
    let two = json(results.join("two_postgres.json"));
    assert!(two["trouble"].is_string() && two["series"]["db_connections"]["values"].is_array(), "{two}");
    for run in ["two", "three"] {
        assert!(outcome.stdout.contains(&format!("{run}: finished")), "{}", outcome.stdout);
        assert!(json(results.join(format!("{run}_report.json")))["run"]["seconds"].as_f64().unwrap() >= 1.0);
    }
    for entry in fs::read_dir(&results).unwrap() {
        let content = fs::read(entry.unwrap().path()).unwrap();
        let content = String::from_utf8_lossy(&content).into_owned();
        assert!(!content.contains("never-to-be-told") && !content.contains("s3cret-of-postgres"));
    }
}

#[test]
fn with_all_services_every_artefact_is_whole_and_some_may_stop_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let (redis, redis_url) = redis(folder.path());
    let (_database, database_url) = postgres(folder.path());
    let target = Target::start(folder.path(), &["--cache", &redis_url, "--db-latency", "5ms"]);
    let (prometheus, prometheus_url) = prometheus(folder.path(), &target);
    let with_all = |command: &mut Command, results: &str| {
        command.env("REDIS_URL", &redis_url).env("PROMETHEUS_URL", &prometheus_url).env("DATABASE_URL", &database_url);
        command.env("REDIS_MONITOR", "yes").env("RESULTS_DIR", folder.path().join(results));
    };
    let mut command = example(folder.path(), &target, &[]);
    with_all(command.env("RISKS", "20"), "results");
    let outcome = program::run(&mut command);
    let results = folder.path().join("results");
    let baseline = json(results.join("baseline_metrics.json"));
    let states: Vec<&str> =
        baseline["criteria"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    // The verdict is the one the numbers deserve: this machine may be too busy for a criterion, but all are measured.
    let expect = if states.contains(&"fail") { (99, "NOT APPROVED") } else { (0, "REHEARSAL") };
    assert!(!states.contains(&"not measured") && states.len() == 7, "{states:?}\n{}", outcome.stdout);
    assert_eq!(outcome.code, expect.0, "{}{}", outcome.stdout, outcome.stderr);
    assert!(baseline["verdict"].as_str().unwrap().starts_with(expect.1), "{}", baseline["verdict"]);
    for run in ["baseline", "stress", "spike"] {
        for end in ["_redis.json", "_postgres.json", "_prometheus.json", "_host.json"] {
            let collected = json(results.join(format!("{run}{end}")));
            assert_eq!(collected["trouble"], Value::Null, "{run}{end}");
            // What the next comparison reads is what was collected.
            let series = collected["series"].as_object().unwrap();
            assert!(!series.is_empty(), "{run}{end}");
            for (name, series) in series {
                let values = series["values"].as_array().unwrap().iter().filter_map(Value::as_f64);
                let most = values.reduce(f64::max);
                let kept = &baseline["runs"][run]["metrics"][name]["max"];
                assert_eq!(kept.as_f64(), most, "{run} {name}");
            }
        }
        let log = text(results.join(format!("{run}_monitor.log")));
        assert!(log.contains("\"GET\" \"") && !log.contains(SECRET), "{run}: {log}");
        let redis = json(results.join(format!("{run}_redis.json")));
        assert!(redis["after"]["counters"]["keyspace_hits"].as_f64().unwrap() > 0.0, "{}", redis["after"]);
        let monitor = &json(results.join(format!("{run}_redis.json")))["monitor"];
        assert_eq!(monitor["lines"].as_u64(), Some(log.lines().count() as u64), "{monitor}");
        assert!(log.len() <= 2_000_000 && log.lines().count() <= 10_000);
    }
    for entry in fs::read_dir(&results).unwrap() {
        let path = entry.unwrap().path();
        let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for secret in [SECRET, "s3cret-of-postgres", "demo-password"] {
            assert!(!content.contains(secret), "{} tells {secret}", path.display());
        }
    }

    let mut command = example(folder.path(), &target, &["--only", "baseline,stress"]);
    with_all(&mut command, "stopped");
    let running = Running::start(&mut command);
    running.wait_for("stress: 600ms");
    drop(redis);
    drop(prometheus);
    let outcome = running.end();
    // The spike was not asked for; what is there is told.
    assert!([2, 99].contains(&outcome.code), "{}{}", outcome.stdout, outcome.stderr);
    let results = folder.path().join("stopped");
    let before = json(results.join("baseline_redis.json"));
    assert_eq!(before["trouble"], Value::Null);
    assert!(before["series"]["redis_memory"]["values"].as_array().unwrap().len() >= 3);
    assert!(json(results.join("stress_redis.json"))["trouble"].is_string());
    assert!(json(results.join("stress_prometheus.json"))["trouble"].is_string());
    assert!(json(results.join("baseline_prometheus.json"))["series"]["scrapes_up"]["values"].is_array());
    assert_eq!(outcome.stdout.matches("! stress_redis: ").count(), 1, "{}", outcome.stdout);
    let found = json(results.join("baseline_metrics.json"))["findings"].to_string();
    assert!(found.contains("the collector `redis` had trouble"), "{found}");
}

#[test]
fn a_service_that_is_missing_is_told_before_any_load() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    for (variable, url, expect) in [
        ("REDIS_URL", "redis://me:hidden@127.0.0.1:9", "✗ Redis at redis://127.0.0.1:9: "),
        ("DATABASE_URL", "postgres://me:hidden@127.0.0.1:9/db", "✗ PostgreSQL at postgres://127.0.0.1:9/db: "),
        ("PROMETHEUS_URL", "http://127.0.0.1:9", "✗ Prometheus at http://127.0.0.1:9: "),
    ] {
        let outcome = program::run(example(folder.path(), &target, &[]).env(variable, url));
        assert_eq!(outcome.code, 1, "{}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stdout.contains(expect) && outcome.stdout.contains("nothing was run"), "{}", outcome.stdout);
        assert!(!outcome.stdout.contains("hidden") && !outcome.stderr.contains("hidden"), "{}", outcome.stdout);
        assert!(!folder.path().join("results").exists());
    }
    let check =
        program::run(program::volley(folder.path()).args(["procedure", "check", EXAMPLE]).env("BASE_URL", &target.url));
    assert_eq!(check.code, 0, "{}{}", check.stdout, check.stderr);
}

#[test]
fn an_application_that_stops_in_the_middle_is_not_approved_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &[]);
    let running = Running::start(&mut example(folder.path(), &target, &["--only", "baseline,stress"]));
    running.wait_for("stress: 600ms");
    std::thread::sleep(Duration::from_millis(700));
    drop(target);
    let outcome = running.end();
    assert_eq!(outcome.code, 99, "{}{}", outcome.stdout, outcome.stderr);
    let results = folder.path().join("results");
    let baseline = json(results.join("baseline_metrics.json"));
    assert_eq!(baseline["verdict"], "NOT APPROVED");
    let found = baseline["findings"].as_array().unwrap();
    for kind in ["refused", "errors"] {
        assert!(found.iter().any(|one| one["kind"] == kind && one["run"] == "stress"), "{kind}: {found:?}");
    }
    let stress = json(results.join("stress_summary.json"));
    assert!(stress["metrics"]["http_reqs"]["value"].as_f64().unwrap() > 0.0);
    assert!(PathBuf::from(&results).join("report.html").exists());
}
