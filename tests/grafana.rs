//! The dashboard for Grafana in `deploy/grafana/`: every query of it finds something that a run wrote to Prometheus.

use serde_json::Value;

use crate::peers::Server;
use crate::program::{engine, run, volley};
use crate::server;

const DASHBOARD: &str = include_str!("../deploy/grafana/volley.json");

/// Requests that fail, iterations that are dropped, checks, and the threshold that measures the generator.
const SCRIPT: &str = "
    import http from 'k6/http';
    import { check, sleep } from 'k6';
    export const options = {
        scenarios: {
            rate: { executor: 'constant-arrival-rate', rate: 10, duration: '2s', preAllocatedVUs: 1, maxVUs: 1 },
        },
        thresholds: { volley_lag: ['p(99)<60000'], 'volley_lag{thread:network}': ['p(99)<60000'] },
    };
    export default function () {
        check(http.get(`${__ENV.URL}/text`), { good: (r) => r.status === 200 });
        http.get(`${__ENV.URL}/status/404`);
        sleep(0.4);
    }";

/// Every text below a key, at any depth.
fn texts<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let (true, Some(text)) = (name == key, member.as_str()) {
                    found.push(text);
                }
                texts(member, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|member| texts(member, key, found)),
        _ => {}
    }
}

#[test]
fn every_query_finds_something() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("a dashboard is JSON");
    let mut queries = Vec::new();
    texts(&dashboard["panels"], "expr", &mut queries);
    assert!(queries.len() > 20, "{queries:?}");
    let server = Server::prometheus();
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("script.js"), SCRIPT).expect("a file can be written");
    let mut command = volley(folder.path());
    command.args(["run", "--quiet", "--js-engine", engine(), "-o", "experimental-prometheus-rw", "--tag", "testid=a"]);
    command.args(["-e", &format!("URL={}", server::url()), "script.js"]);
    command.env("K6_PROMETHEUS_RW_SERVER_URL", format!("http://127.0.0.1:{}/api/v1/write", server.port));
    // As the dashboard's description says.
    command.env("K6_PROMETHEUS_RW_TREND_STATS", "p(95),p(99),max").env("K6_PROMETHEUS_RW_PUSH_INTERVAL", "200ms");
    let outcome = run(&mut command);
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stderr, outcome.stdout);
    let chosen = |query: &str| {
        ["$testid", "$scenario", "$name"]
            .iter()
            .fold(query.replace("$__rate_interval", "1m"), |text, name| text.replace(name, ".*"))
    };
    for query in queries {
        let results = server.promql(&chosen(query));
        assert!(!results.is_empty(), "nothing for {query}");
        let is_number = |result: &Value| result["value"][1].as_str().is_some_and(|text| text != "NaN");
        assert!(results.iter().all(is_number), "{query}: {results:?}");
    }
    let mut variables = Vec::new();
    texts(&dashboard["templating"], "query", &mut variables);
    let labels: Vec<_> = variables.iter().filter_map(|query| query.strip_prefix("label_values(")).collect();
    assert_eq!(labels.len(), 3, "{variables:?}");
    for of in labels {
        let (series, label) = of.trim_end_matches(')').rsplit_once(", ").expect("series and label");
        let results = server.promql(&chosen(series));
        assert!(results.iter().any(|result| result["metric"][label].is_string()), "{series} has no {label}");
    }
}

#[test]
fn it_is_what_grafana_takes() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("a dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("a list");
    let mut ids: Vec<_> = panels.iter().map(|panel| panel["id"].as_u64().expect("a number")).collect();
    ids.dedup();
    assert_eq!(ids.len(), panels.len());
    // Panels stand beside each other, none over another.
    let cells = panels.iter().flat_map(|panel| {
        let at = |name: &str| panel["gridPos"][name].as_u64().expect("a number");
        assert!(at("x") + at("w") <= 24, "{panel}");
        (at("y")..at("y") + at("h")).flat_map(move |y| (at("x")..at("x") + at("w")).map(move |x| (x, y)))
    });
    let mut cells: Vec<_> = cells.collect();
    let all = cells.len();
    cells.sort_unstable();
    cells.dedup();
    assert_eq!(cells.len(), all);
}
