//! What a run writes beside k6's summary: the same numbers everywhere, a page that draws itself in a real browser, a
//! dashboard that lives as long as somebody looks.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::needs;
use crate::program::{self, Outcome, Running};
use crate::server;

/// Two seconds with a bit of everything, and with what must never become markup.
const SCRIPT: &str = r#"
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const [sold, stock, found, cart] = [new Counter('sold'), new Gauge('stock'), new Rate('found'), new Trend('cart_time', true)];
export const options = {
  scenarios: {
    browse: { executor: 'constant-vus', vus: 2, duration: '2s' },
    buy: { executor: 'per-vu-iterations', vus: 1, iterations: 3, exec: 'buy' },
  },
  thresholds: { checks: ['rate>0.99'], http_req_duration: ['p(95)<60000'], sold: ['count<2'] },
  summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99.5)'],
};
export default function () {
  group('<b>shop</b>', () => {
    check(http.get(`${__ENV.URL}/text?q=</script><script>document.title='broken'</script>`), {
      'is 200': (r) => r.status === 200,
      '<img src=x onerror=alert(1)>': () => __ITER % 3 > 0,
    });
  });
  found.add(__ITER % 2);
  cart.add(Math.random() * 1000);
  sleep(0.05);
}
export function buy() {
  http.get(`${__ENV.URL}/status/404`, { tags: { name: 'missing & gone' } });
  sold.add(1.5);
  stock.add(7 - __ITER);
}
"#;

/// Runs the script with everything written that can be.
fn everything(folder: &Path, engine: &str, more: &[&str]) -> Outcome {
    fs::write(folder.join("script.js"), SCRIPT).unwrap();
    let url = format!("URL={}", server::url());
    let mut command = program::volley(folder);
    command.args(["run", "--quiet", "--no-color", "--js-engine", engine, "--env", &url, "--summary-mode", "full"]);
    command.args(["--summary-export", "export.json", "--summary-json", "own.json", "--summary-junit", "junit.xml"]);
    command.args(["--report", "report.html"]).args(more).arg("script.js");
    program::run(&mut command)
}

fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

/// The document inside a page.
fn document(page: &str) -> Value {
    let (_, rest) = page.split_once("<script id=\"document\" type=\"application/json\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// The figures on the console's line of a metric, in its first section, as they stand there.
fn on_console(text: &str, metric: &str) -> String {
    let total = text.split_once("TOTAL RESULTS").unwrap().1;
    let line = total.lines().find(|line| {
        let line = line.trim_start();
        line.strip_prefix(metric).is_some_and(|rest| rest.starts_with("..."))
    });
    line.unwrap_or_else(|| panic!("the console has no {metric}\n{text}")).split_once(": ").unwrap().1.to_owned()
}

#[test]
fn a_run_whose_requests_all_failed_is_not_called_passed() {
    let check = |engine: &str, url: &str, thresholds: &str, headline: &str| {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "import http from 'k6/http';\nexport const options = {{ iterations: 3, thresholds: {thresholds} }};\n\
             export default function () {{ http.get('{url}'); }}\n"
        );
        fs::write(folder.path().join("script.js"), script).unwrap();
        let mut command = program::volley(folder.path());
        command.args(["run", "--quiet", "--no-color", "--js-engine", engine, "--summary-json", "own.json"]);
        command.args(["--summary-junit", "junit.xml", "--report", "report.html", "script.js"]);
        let outcome = program::run(&mut command);
        // The exit code is k6's.
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let own = json(folder.path(), "own.json");
        let failed = headline.contains("failed");
        assert_eq!((&own["verdict"]["headline"], &own["verdict"]["is_good"]), (&headline.into(), &(!failed).into()));
        assert_eq!(document(&read(folder.path(), "report.html"))["verdict"], own["verdict"]);
        let case = "name=\"requests succeed\"";
        assert_eq!(read(folder.path(), "junit.xml").contains(case), failed);
    };
    let good = format!("{}/text", server::url());
    for engine in program::engines() {
        let holds = "{ http_req_duration: ['p(95)<60000'] }";
        check(engine, "http://127.0.0.1:9", holds, "Thresholds passed; 100 % of requests failed");
        check(engine, "http://127.0.0.1:9", "{}", "100 % of requests failed");
        check(engine, &format!("{}/status/500", server::url()), "{}", "100 % of requests failed");
        check(engine, &good, holds, "Passed");
        check(engine, &good, "{}", "Finished");
    }
}

#[test]
fn one_run_says_the_same_everywhere() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = everything(folder.path(), engine, &[]);
        assert_eq!(outcome.code, 99, "{}", outcome.stderr);
        let (export, own) = (json(folder.path(), "export.json"), json(folder.path(), "own.json"));
        let (junit, page) = (read(folder.path(), "junit.xml"), read(folder.path(), "report.html"));
        let metrics = own["metrics"].as_array().unwrap();
        assert!(metrics.len() > 15, "{metrics:?}");
        for metric in metrics {
            let name = metric["name"].as_str().unwrap();
            let exported = &export["metrics"][name]["values"];
            let values = metric["values"].as_object().unwrap();
            let in_both: Vec<_> = values.iter().filter(|(figure, _)| exported.get(figure).is_some()).collect();
            assert!(!in_both.is_empty(), "{name} has no figure in the export");
            for (figure, value) in in_both {
                assert_eq!(*value, exported[figure], "{name} {figure} in the export");
            }
            // Checks and group_duration have no line of their own; sub-metrics are named by their tags only.
            if metric.get("parent").is_none() && !matches!(name, "checks" | "group_duration") {
                let line = on_console(&outcome.stdout, name);
                let figures: Vec<String> = match metric["type"].as_str().unwrap() {
                    "trend" => {
                        let stats = own["run"]["trend_stats"].as_array().unwrap().iter();
                        stats.map(|stat| stat.as_str().unwrap().to_owned()).collect()
                    }
                    "counter" => vec!["count".to_owned(), "rate".to_owned()],
                    "gauge" => vec!["value".to_owned(), "min".to_owned()],
                    _ => vec!["rate".to_owned()],
                };
                // Figures without a name are the first on the console, each with its unit.
                let mut unnamed: Vec<String> = Vec::new();
                for part in line.split_whitespace() {
                    match unnamed.last_mut() {
                        Some(last) if part.starts_with(char::is_alphabetic) => last.push_str(part),
                        _ => unnamed.push(part.to_owned()),
                    }
                }
                for (place, figure) in figures.iter().enumerate() {
                    let named = line.split(&format!("{figure}=")).nth(1);
                    let shown = named.unwrap_or_else(|| unnamed[place].as_str());
                    let value = metric["values"][figure].as_f64().unwrap();
                    assert_reads_as(shown, value, &format!("{name} {figure} on the console"));
                    assert_reads_as(&word(&metric["text"], figure), value, &format!("{name} {figure} for people"));
                }
            }
        }
        assert_eq!(own["thresholds"].as_array().map(Vec::len), Some(3));
        for threshold in own["thresholds"].as_array().unwrap() {
            let line = format!("'{}' {}=", word(threshold, "expression"), word(threshold, "figure"));
            assert!(outcome.stdout.contains(&line), "{line}\n{}", outcome.stdout);
            let (figure, text) = (word(threshold, "figure"), word(threshold, "text"));
            assert_reads_as(&text, threshold["observed"].as_f64().unwrap(), &figure);
            let told = format!("{figure} {text} (wanted {})", word(threshold, "wanted")).replace('<', "&lt;");
            let told = told.replace('>', "&gt;");
            assert_eq!(junit.contains(&told), threshold["ok"] == false, "{told}\n{junit}");
        }
        // Every case has a time, and all of them are the run's.
        assert_eq!(junit.matches("<testcase ").count(), junit.matches("\" time=\"").count() - 4, "{junit}");
        let times =
            junit.split("<testcase ").skip(1).filter_map(|case| case.split("time=\"").nth(1)?.split('"').next());
        let sum: f64 = times.map(|time| time.parse::<f64>().unwrap()).sum();
        assert!((sum - own["run"]["seconds"].as_f64().unwrap()).abs() < 0.001, "{junit}");
        let checks = own["checks"]["list"].as_array().unwrap();
        let failed: Vec<_> = checks.iter().filter(|check| check["fails"] != 0).collect();
        assert_eq!((checks.len(), failed.len()), (2, 1), "{checks:?}");
        for check in failed {
            let (passes, fails) = (check["passes"].as_u64().unwrap(), check["fails"].as_u64().unwrap());
            let line = format!("{}% — ✓ {passes} / ✗ {fails}", passes * 100 / (passes + fails));
            assert!(outcome.stdout.contains(&line), "{line}\n{}", outcome.stdout);
            let line = format!("{} passed (wanted 100 %): {fails} of {} failed", word(check, "text"), passes + fails);
            assert!(junit.contains(&line), "{line}\n{junit}");
        }
        // The page holds the document as it is, without the histograms.
        let shown = document(&page);
        assert_eq!(without_histograms(&own), shown);
        // Intervals, endpoints and errors add up to the totals.
        let requests = metrics.iter().find(|one| one["name"] == "http_reqs").unwrap()["values"]["count"].as_f64();
        let sum = |list: &Value| -> f64 { list.as_array().unwrap().iter().filter_map(Value::as_f64).sum() };
        assert_eq!(Some(sum(&own["timeline"]["series"]["http_reqs"]["sum"])), requests);
        let endpoints = own["endpoints"].as_array().unwrap();
        assert_eq!(Some(endpoints.iter().filter_map(|one| one["requests"].as_f64()).sum()), requests);
        assert!(
            own["health"]["lag_ms"]["count"].as_u64() > Some(10)
                && own["health"]["network_lag_ms"]["count"].as_u64() > Some(10)
                && own["health"]["cpu"]["seconds"].as_f64() > Some(0.0)
        );
        assert_eq!((&own["errors"][0]["text"], &own["errors"][0]["count"]), (&"status 404".into(), &3.into()));

        let second = tempfile::tempdir().unwrap();
        let outcome = everything(second.path(), engine, &["--new-machine-readable-summary"]);
        assert_eq!(outcome.code, 99, "{}", outcome.stderr);
        let (machine, own) = (json(second.path(), "export.json"), json(second.path(), "own.json"));
        let by_name: BTreeMap<_, _> =
            own["metrics"].as_array().unwrap().iter().map(|metric| (word(metric, "name"), &metric["values"])).collect();
        let in_machine = machine["results"]["metrics"].as_array().unwrap();
        assert!(in_machine.len() > 15, "{in_machine:?}");
        for metric in in_machine {
            let values = by_name[&word(metric, "name")];
            let mut compared = 0;
            for (theirs, ours) in [
                ("count", "count"),
                ("avg", "avg"),
                ("min", "min"),
                ("med", "med"),
                ("max", "max"),
                ("p90", "p(90)"),
                ("p95", "p(95)"),
                ("value", "value"),
                ("rate", "rate"),
                ("matches", "passes"),
            ] {
                if let Some(value) = metric["values"].get(theirs) {
                    assert_eq!(value, &values[ours], "{} {ours}", metric["name"]);
                    compared += 1;
                }
            }
            assert!(compared > 0, "{metric}");
        }
    }
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// That a figure with its unit, in k6's words or in ours, is this number, as far as it is rounded.
fn assert_reads_as(shown: &str, value: f64, what: &str) {
    let text = shown.trim().replace(',', "");
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    let units = [("ns", 1e-6), ("µs", 1e-3), ("ms", 1.0), ("MB", 1e6), ("kB", 1e3), ("%", 0.01), ("s ", 1e3)];
    let factor = units.iter().find(|(name, _)| format!("{unit} ").starts_with(name)).map_or(1.0, |(_, factor)| *factor);
    let read = number.parse::<f64>().unwrap_or_else(|_| panic!("{what}: `{shown}` is no figure")) * factor;
    // The console has two digits of bytes.
    assert!((read - value).abs() <= value.abs() * 0.06 + 1e-4, "{what}: `{shown}` is {read}, not {value}");
}

fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}")).to_owned()
}

fn without_histograms(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| {
                !matches!(key.as_str(), "histogram" | "exact_values" | "sketches" | "slices" | "last_ns")
            });
            Value::Object(kept.map(|(key, value)| (key.clone(), without_histograms(value))).collect())
        }
        Value::Array(list) => list.iter().map(without_histograms).collect(),
        other => other.clone(),
    }
}

/// What a page becomes in Chromium: its elements and what the console said.
pub fn in_browser(page: &Path) -> (String, String) {
    in_browser_with(page, &[])
}

/// The same, with flags for Chromium.
pub fn in_browser_with(page: &Path, flags: &[&str]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut command = Command::new(needs::program(&names, "Debian: chromium"));
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom"]).args(flags);
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(format!("file://{}", page.display()));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let console = text(&output.stderr).lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
    (text(&output.stdout), console)
}

#[test]
fn the_page_draws_itself_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = everything(folder.path(), program::engine(), &[]);
    assert_eq!(outcome.code, 99, "{}", outcome.stderr);
    let own = json(folder.path(), "own.json");
    let (dom, console) = in_browser(&folder.path().join("report.html"));
    assert_eq!(console, "", "the browser's console said something");
    assert!(dom.contains("data-drawn=\"yes\"") && !dom.contains("data-problems"), "{dom}");
    assert!(dom.contains("<title>script.js · volley</title>"), "a URL became markup");
    let (drawn, _) = dom.split_once("<script id=\"document\"").unwrap();
    assert!(!drawn.contains("<script") && !drawn.contains("<img") && !drawn.contains("<b>shop"), "text became markup");
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    for metric in own["metrics"].as_array().unwrap() {
        let name = word(metric, "name");
        assert!(drawn.contains(&escaped(&name)), "{name}");
        let figures: Vec<&str> = match metric["type"].as_str().unwrap() {
            "trend" => {
                own["run"]["trend_stats"].as_array().unwrap().iter().map(|stat| stat.as_str().unwrap()).collect()
            }
            "counter" => vec!["count", "rate"],
            "gauge" => vec!["value", "min", "max"],
            _ => vec!["rate"],
        };
        for figure in figures {
            let text = word(&metric["text"], figure);
            assert!(drawn.contains(&format!(">{text}<")), "{name}: {figure} {text}");
        }
    }
    assert_eq!(own["endpoints"].as_array().map(Vec::len), Some(2));
    for endpoint in own["endpoints"].as_array().unwrap() {
        assert!(drawn.contains(&escaped(&word(endpoint, "name"))), "{endpoint}");
        assert!(drawn.contains(&format!(">{}<", word(&endpoint["duration"]["text"], "p(99)"))), "{endpoint}");
    }
    for threshold in own["thresholds"].as_array().unwrap() {
        for text in [word(threshold, "text"), word(threshold, "wanted")] {
            assert!(drawn.contains(&format!(">{}<", escaped(&text))), "{text}");
        }
    }
    for text in ["Requests per second", "Request duration", "Virtual users", "Load generator", "Exit code 99"] {
        assert!(drawn.contains(text), "{text}");
    }
    assert!(drawn.matches("class=\"trace\"").count() > 10, "there are no lines in the charts");
    assert!(drawn.matches("class=\"bar\"").count() > 5, "durations are not shown as they are spread");
    // What went wrong comes first.
    let place = |text: &str| drawn.find(&format!("<h2>{text}")).unwrap_or_else(|| panic!("no {text}"));
    for wrong in ["Thresholds", "Errors", "Checks"] {
        assert!(place(wrong) < place("Over time"), "{wrong}");
    }
    assert!(place("Over time") < place("Endpoints"));
}

/// A second and a half in which every request has a URL of its own, some of which are not there.
const IDS: &str = r#"
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 1, duration: '1500ms' };
export default function () {
  http.get(`${__ENV.URL}/text/${__ITER}`);
  if (__ITER % 3 === 0) http.get(`${__ENV.URL}/status/404`);
  sleep(0.05);
}
"#;

/// Opens the first endpoint, points at a chart of it, and writes down what a reader would see on a phone.
const CLICK: &str = "<script>setTimeout(() => { const row = document.querySelector('button.row'); row.focus(); row.click(); \
    const table = document.querySelector('tr.detail').closest('.card.table'); table.scrollLeft = 80; \
    setTimeout(() => { const inside = document.querySelector('tr.detail .inside').getBoundingClientRect(); \
    document.documentElement.dataset.seen = JSON.stringify({ \
      charts: document.querySelectorAll('tr.detail svg').length, fits: inside.left >= 0 && inside.right <= innerWidth, \
      wide: table.parentElement.dataset.wide, swipe: getComputedStyle(table.previousSibling).display, \
      focus: document.activeElement.className }); }, 200); }, 500);</script></body>";

#[test]
fn ever_new_urls_are_one_endpoint_and_a_click_shows_its_series() {
    for engine in program::engines() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script.js"), IDS).unwrap();
        let url = format!("URL={}", server::url());
        let mut command = program::volley(folder.path());
        command.args(["run", "--quiet", "--js-engine", engine, "--env", &url, "--report", "report.html"]);
        let outcome = program::run(command.args(["--summary-json", "own.json", "script.js"]));
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let own = json(folder.path(), "own.json");
        let endpoints = own["endpoints"].as_array().unwrap();
        assert_eq!(endpoints.len(), 2, "{endpoints:?}");
        let folded = endpoints.iter().find(|one| one["name"].as_str().unwrap().ends_with("/text/{…}")).unwrap();
        assert_eq!((&folded["names"], folded["names"].as_u64() > Some(10)), (&folded["requests"], true));
        let sum = |list: &Value| -> f64 { list.as_array().unwrap().iter().filter_map(Value::as_f64).sum() };
        for endpoint in endpoints {
            let series = &endpoint["series"];
            assert_eq!(Some(sum(&series["requests"])), endpoint["requests"].as_f64(), "{endpoint}");
            assert_eq!(Some(sum(&series["failed"])), endpoint["failed"].as_f64(), "{endpoint}");
        }
        let metrics = own["metrics"].as_array().unwrap();
        let duration = metrics.iter().find(|one| one["name"] == "http_req_duration").unwrap();
        assert_eq!(Some(sum(&duration["distribution"]["counts"])), duration["values"]["count"].as_f64());
        assert_eq!((&own["run"]["duration_seconds"], &own["run"]["has_limit_only"]), (&1.5.into(), &false.into()));
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.js"), IDS).unwrap();
    let mut command = program::volley(folder.path());
    command.args(["run", "--quiet", "--env", &format!("URL={}", server::url()), "--report", "report.html"]);
    assert_eq!(program::run(command.arg("script.js")).code, 0);
    let page = read(folder.path(), "report.html").replace("</body>", CLICK);
    let path = folder.path().join("clicked.html");
    fs::write(&path, page).unwrap();
    let (dom, console) = in_browser_with(&path, &["--window-size=390,844"]);
    assert_eq!(console, "");
    let seen = dom.split("data-seen=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("nothing was clicked");
    let seen: Value = serde_json::from_str(&seen.replace("&quot;", "\"")).unwrap();
    let expect = serde_json::json!({"charts": 2, "fits": true, "wide": "yes", "swipe": "block", "focus": "row"});
    assert_eq!(seen, expect);
    // The last interval was cut short, is dashed, and is told.
    assert!(dom.contains("class=\"cut trace\"") && dom.contains("the last interval, dashed, is only"), "{dom}");
    assert!(dom.contains("differ only in an id"), "there is no advice");
}

#[test]
fn one_page_can_hold_several_runs_and_other_series() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = everything(folder.path(), program::engine(), &[]);
    assert_eq!(outcome.code, 99, "{}", outcome.stderr);
    let page = read(folder.path(), "report.html");
    let mut first = document(&page);
    let second = first.clone();
    first["name"] = "baseline".into();
    // The first one went well, the second failed: that is the one to look at.
    (first["verdict"]["passed"], first["verdict"]["is_good"]) = (true.into(), true.into());
    let lines = serde_json::json!([{"name": "redis_hits", "values": [1, null, 3]}, {"name": "redis_misses", "values": [0, 5, 2]}]);
    first["panels"] = serde_json::json!([{"title": "Redis", "unit": "/s", "x": [0.5, 1, 1.5], "lines": lines}]);
    let report = serde_json::json!({"format": "volley-report", "version": 1, "runs": [first, second]});
    let path = folder.path().join("both.html");
    fs::write(&path, volley::page(&report.to_string(), "both", volley::PageMode::File)).unwrap();
    let (dom, console) = in_browser(&path);
    assert_eq!(console, "");
    for text in ["data-drawn=\"yes\"", ">baseline</button>", "aria-pressed=\"true\">script.js</button>", "Exit code 99"]
    {
        assert!(dom.contains(text), "{text}");
    }
    assert!(!dom.contains("</i>hits"), "series of the other run are drawn");
    let mut failed = first.clone();
    failed["verdict"]["passed"] = false.into();
    let report = serde_json::json!({"format": "volley-report", "version": 1, "runs": [failed, first]});
    fs::write(&path, volley::page(&report.to_string(), "both", volley::PageMode::File)).unwrap();
    let (dom, _) = in_browser(&path);
    // Series are told in words, and the names that criteria know them by are at hand.
    for text in [
        "aria-pressed=\"true\">baseline</button>",
        "Redis",
        "</i>hits</button>",
        "</i>misses</button>",
        "title=\"redis_hits\"",
    ] {
        assert!(dom.contains(text), "{text}");
    }
}

#[test]
fn a_live_page_draws_what_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = everything(folder.path(), program::engine(), &[]);
    assert_eq!(outcome.code, 99, "{}", outcome.stderr);
    let last = document(&read(folder.path(), "report.html"));
    let mut first = last.clone();
    first["run"]["is_over"] = false.into();
    first["run"]["script"] = "earlier.js".into();
    let page = volley::page(&first.to_string(), "live", volley::PageMode::Live);
    // The server's part is tested below: here the events come from the page itself.
    let source = format!(
        "<script>window.EventSource = class {{ addEventListener(name, hear) {{ setTimeout(() => hear({{data: \
         JSON.stringify({})}}), 50); }} }};</script><main",
        last.to_string().replace('<', "\\u003c")
    );
    let pointer = "<script>setTimeout(() => document.querySelector('.chart svg').dispatchEvent(\
                   new PointerEvent('pointermove', { clientX: 200 })), 300);</script></body>";
    let path = folder.path().join("live.html");
    fs::write(&path, page.replacen("<main", &source, 1).replace("</body>", pointer)).unwrap();
    let (dom, console) = in_browser(&path);
    assert_eq!(console, "");
    assert!(
        dom.contains("<title>script.js · volley</title>") && dom.contains("Exit code 99"),
        "the page stayed as it was"
    );
    assert_eq!(dom.matches("aria-label=\"Requests per second\"").count(), 1, "a chart was drawn twice");
    assert!(dom.contains("class=\"cross\"") && dom.contains("class=\"at\">at "), "there is no read-out");
}

/// Asks for a page and gives its status line and what follows.
fn get(address: SocketAddr, path: &str) -> (String, String) {
    get_as(address, path, &address.to_string())
}

/// As [`get`], by another name.
fn get_as(address: SocketAddr, path: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn the_dashboard_lives_while_somebody_looks() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.js"), SCRIPT).unwrap();
    let port = crate::peers::free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut command = program::volley(folder.path());
    command.args(["run", "--no-color", "--env", &format!("URL={}", server::url()), "script.js"]);
    command.env("K6_WEB_DASHBOARD", "true").env("K6_WEB_DASHBOARD_PORT", port.to_string());
    command.env("K6_WEB_DASHBOARD_HOST", "127.0.0.1").env("K6_WEB_DASHBOARD_PERIOD", "200ms");
    command.env("K6_WEB_DASHBOARD_EXPORT", "page.html.gz");
    let running = Running::start(&mut command);
    running.wait_for(&format!(" web dashboard: http://127.0.0.1:{port}"));
    let (head, _) = get(address, "/");
    assert!(head.starts_with("HTTP/1.1 307") && head.contains("/ui?endpoint=/"), "{head}");
    let (head, body) = get(address, "/ui?endpoint=/");
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("data-mode=\"live\""), "{head}");
    for (path, host) in [("/summary.json", "evil.test"), ("/events", "evil.test:80"), ("/ui", "10.0.0.1")] {
        let (head, body) = get_as(address, path, host);
        assert!(head.starts_with("HTTP/1.1 403") && body.contains("is no name of this server"), "{head}\n{body}");
    }
    let (_, body) = get(address, "/summary.json");
    let now: Value = serde_json::from_str(body.trim_matches(|c| c != '{' && c != '}')).unwrap();
    assert_eq!(now["verdict"]["passed"], Value::Null);
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    // A foreign page in the same browser can't read it.
    assert!(head[0].starts_with("HTTP/1.1 200") && !head.iter().any(|line| line.starts_with("access-control")));
    let documents = lines.filter_map(|line| {
        let text = line.strip_prefix("data: ")?.to_owned();
        serde_json::from_str::<Value>(&text).ok()
    });
    let mut seen = 0;
    let last = documents.inspect(|_| seen += 1).find(|document| document["run"]["is_over"] == true).unwrap();
    assert!(seen > 1, "nothing was told while the run went on");
    assert_eq!(last["verdict"]["exit_code"], 99);
    // The run is over and the page still open: a copy of it can be had.
    let (_, page) = get(address, "/report");
    assert!(page.contains("data-mode=\"file\""));
    drop(stream);
    let outcome = running.end();
    assert_eq!(outcome.code, 99, "{}", outcome.stderr);
    let mut page = String::new();
    let packed = fs::File::open(folder.path().join("page.html.gz")).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut page).unwrap();
    assert_eq!(document(&page)["verdict"], last["verdict"]);
}

#[test]
fn a_page_that_others_can_see_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.js"), "export default function () {}").unwrap();
    for (host, expect) in [("", 1), ("0.0.0.0", 1), ("127.0.0.1", 0), ("localhost", 0)] {
        let mut command = program::volley(folder.path());
        command.args(["run", "--no-color", "--quiet", "script.js"]).env("K6_WEB_DASHBOARD", "true");
        command.env("K6_WEB_DASHBOARD_PORT", crate::peers::free_port().to_string());
        command.env("K6_WEB_DASHBOARD_HOST", host);
        let outcome = program::run(&mut command);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let told = outcome.stderr.matches("the web dashboard listens on").count();
        assert_eq!(told, expect, "{host}: {}", outcome.stderr);
    }
}

#[test]
fn a_port_that_was_asked_for_must_be_free() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.js"), "export default function () {}").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut command = program::volley(folder.path());
    let output = format!("web-dashboard=host=127.0.0.1&port={port}");
    let outcome = program::run(command.args(["run", "--quiet", "-o", &output, "script.js"]));
    assert_eq!(outcome.code, 255, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("could not start the 'web-dashboard' output"), "{}", outcome.stderr);
}
