//! Runs every script of `load_tests/examples/` against the demo target, on every engine of the build: each ends with 0,
//! and all its checks pass.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;
use volley::{CacheChoice, TargetConfig, bind};

use crate::harness::trial;
use crate::needs::has_modules_of;
use crate::program::{engines, run, volley};
use crate::{needs, procedure_services, redis, sql_mysql, x_icmp, x_mqtt, x_net, x_ssh};

/// A test for every example and engine.
pub fn trials() -> Vec<Trial> {
    let is_for_this_build =
        |script: &PathBuf| has_modules_of(&fs::read_to_string(script).expect("a script can be read"));
    let scripts: Vec<_> = scripts().into_iter().filter(is_for_this_build).collect();
    let name = |script: &Path| script.file_name().expect("an example has a name").display().to_string();
    let of = |engine: &'static str| {
        let scripts = scripts.clone();
        scripts.into_iter().map(move |script| {
            trial(format!("examples::{engine}::{}", name(&script)), move || run_one(engine, &script))
        })
    };
    engines().flat_map(of).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("load_tests/examples")
}

fn scripts() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the examples can be read");
    let paths = entries.map(|entry| entry.expect("the examples can be read").path());
    let mut scripts: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "js" || end == "ts")).collect();
    scripts.sort();
    assert!(scripts.len() >= 40, "examples are missing");
    scripts
}

/// The target all examples share; it ends with the process.
fn target() -> SocketAddr {
    static ADDRESS: LazyLock<SocketAddr> = LazyLock::new(|| {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let cache = CacheChoice::parse("memory").expect("there is a memory cache");
        let (kept, read) = (Duration::from_secs(30), Duration::from_millis(1));
        let config = TargetConfig::new(free, cache, kept, read, 200).expect("the numbers fit");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let target = runtime.block_on(bind(config)).expect("a port is free");
        let address = target.local_addr();
        std::thread::spawn(move || runtime.block_on(target.serve(std::future::pending())));
        address
    });
    *ADDRESS
}

fn run_one(engine: &str, script: &Path) {
    let dir = tempfile::tempdir().expect("a folder can be made");
    let mut command = volley(dir.path());
    command.args(["run", "--quiet", "--no-color", "--summary-export=summary.json", "--js-engine", engine]);
    command.arg("-e").arg(format!("BASE_URL=http://{}", target())).arg(script);
    let text = fs::read_to_string(script).expect("a script can be read");
    let redis = text.contains("__ENV.REDIS_URL").then(|| redis::start(dir.path(), &[]));
    if let Some((_, port)) = &redis {
        command.arg("-e").arg(format!("REDIS_URL=redis://127.0.0.1:{port}"));
    }
    let postgres = text.contains("__ENV.DATABASE_URL").then(|| procedure_services::postgres(dir.path()));
    if let Some((_, url)) = &postgres {
        command.arg("-e").arg(format!("DATABASE_URL={url}?sslmode=disable"));
    }
    let mariadb = text.contains("__ENV.MYSQL_DSN").then(|| sql_mysql::Mariadb::start(dir.path()));
    if let Some(server) = &mariadb {
        command.arg("-e").arg(format!("MYSQL_DSN={}", server.dsn()));
    }
    let mosquitto = text.contains("__ENV.MQTT_URL").then(|| x_mqtt::mosquitto(dir.path()));
    if let Some(server) = &mosquitto {
        command.args(["-e", "MQTT_USER=u", "-e", "MQTT_PASSWORD=s3cret", "-e"]);
        command.arg(format!("MQTT_URL=mqtt://127.0.0.1:{}", server.plain));
    }
    let sshd = text.contains("__ENV.SSH_HOST").then(|| x_ssh::sshd(dir.path()));
    if let Some((_, port)) = &sshd {
        command.arg("-e").arg(format!("SSH_PORT={port}")).arg("-e").arg(format!("SSH_USER={}", x_ssh::user()));
        command.arg("-e").arg(format!("SSH_KEY={}", dir.path().join("ed25519").display()));
    }
    if text.contains("k6/x/icmp") {
        x_icmp::needs_sockets();
    }
    if text.contains("k6/x/exec") {
        command.args(["--allow", "exec,file", "-e"]).arg(format!("LOG_FOLDER={}", dir.path().display()));
    }
    if text.contains("__ENV.TLS_HOST") {
        command.arg("-e").arg(format!("TLS_HOST=localhost:{}", x_net::tls_server("localhost", 2100)));
    }
    if text.contains("__ENV.SSE_URL") {
        command.arg("-e").arg(format!("SSE_URL=http://127.0.0.1:{}/events", x_net::tcp_server(x_net::events)));
    }
    if text.contains("'k6/browser'") {
        let chromium = needs::program(&["chromium", "chromium-browser", "google-chrome"], "Debian: chromium");
        // It refuses its sandbox where tests run as root.
        command.env("K6_BROWSER_EXECUTABLE_PATH", chromium).env("K6_BROWSER_ARGS", "no-sandbox,disable-gpu");
        command.args(["-e", "SLOWER=100"]);
    }
    let outcome = run(&mut command);
    let is_good = outcome.code == 0 && !outcome.stderr.contains("level=error");
    assert!(is_good, "exit code {}\n{}\n{}", outcome.code, outcome.stderr, outcome.stdout);
    let summary = fs::read(dir.path().join("summary.json")).expect("the summary is there");
    let summary: Value = serde_json::from_slice(&summary).expect("the summary is whole");
    let checks = &summary["metrics"]["checks"];
    let all_pass = checks["passes"].as_u64() > Some(0) && checks["fails"] == 0;
    assert!(all_pass, "checks {checks}\n{}\n{}", summary["root_group"], outcome.stdout);
}

#[test]
fn each_is_listed_and_says_what_it_is_for() {
    let readme = fs::read_to_string(folder().join("README.md")).expect("there is a list");
    for script in scripts() {
        let name = script.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let text = fs::read_to_string(&script).expect("a script can be read");
        assert!(text.starts_with("// "), "{name} has no head comment");
        assert!(readme.contains(&format!("`{name}`")), "README.md does not list {name}");
        let lines = text.lines().count();
        assert!((10..=40).contains(&lines), "{name} has {lines} lines");
    }
}
