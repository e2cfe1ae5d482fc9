//! Outputs over the network: what their peers have equals the summary, and peers that are gone, hang or come back cost a
//! warning, not the run.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use volley::proto::{ExportRequest, MetricData, NumberValue};

use crate::peers::{self, Server};
use crate::program::{Outcome, Running, volley};
use crate::server;

const SCRIPT: &str = "
    import http from 'k6/http';
    import { check } from 'k6';
    import exec from 'k6/execution';
    import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
    const counter = new Counter('my_counter'), gauge = new Gauge('my_gauge'), rate = new Rate('my_rate');
    const time = new Trend('my_time', true), trend = new Trend('my_trend');
    export const options = {
        vus: 1, iterations: 60, systemTags: ['status', 'method', 'group', 'check', 'url'],
        summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'count'],
    };
    export default function () {
        const i = exec.scenario.iterationInTest;
        check(http.get(`${__ENV.URL}/text`), { good: (r) => r.status === 200 });
        counter.add(1.5, { 'my,tag': 'a b=c', empty: '' });
        gauge.add(i === 59 ? 5 : 7);
        rate.add(i % 3 === 0);
        time.add(i * 10 + 1.25);
        trend.add(i + 0.5);
    }";

/// A run of a script in a folder, with variables of an output.
struct Run {
    folder: TempDir,
    running: Running,
}

impl Run {
    fn start(script: &str, output: &str, variables: &[(&str, String)], args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("script.js"), script).expect("a file can be written");
        let mut command = volley(folder.path());
        command.args(["run", "--quiet", "--log-format=json", "--summary-export=summary.json", "-o", output]);
        command.args(args).args(["-e", &format!("URL={}", server::url())]).arg("script.js");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Self { running: Running::start(&mut command), folder }
    }

    fn end(self) -> (Outcome, Value) {
        let outcome = self.running.end();
        (outcome, summary(self.folder.path()))
    }
}

fn summary(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("summary.json")).expect("the summary is there");
    serde_json::from_str::<Value>(&text).expect("the summary is whole")["metrics"].clone()
}

/// A run that has to end well and say nothing.
fn clean(output: &str, variables: &[(&str, String)], args: &[&str]) -> Value {
    let (outcome, summary) = Run::start(SCRIPT, output, variables, args).end();
    let is_expected = |line: &str| line.contains("\"level\":\"info\"") || line.contains("no output `statsd`");
    let said: Vec<_> = outcome.stderr.lines().filter(|line| !is_expected(line)).collect();
    assert_eq!((outcome.code, said), (0, vec![]), "{output}");
    summary
}

fn number(of: &Value, metric: &str, figure: &str) -> f64 {
    of[metric][figure].as_f64().unwrap_or_else(|| panic!("no {figure} of {metric} in {of}"))
}

#[test]
fn prometheus_has_the_figures_of_the_summary() {
    let server = Server::prometheus();
    let variables = [
        ("K6_PROMETHEUS_RW_SERVER_URL", format!("http://127.0.0.1:{}/api/v1/write", server.port)),
        ("K6_PROMETHEUS_RW_TREND_STATS", "count,sum,avg,min,max,med,p(90),p(99.9)".to_owned()),
        ("K6_PROMETHEUS_RW_PUSH_INTERVAL", "200ms".to_owned()),
    ];
    let summary = clean("experimental-prometheus-rw", &variables, &[]);
    let check = |query: &str, expect: f64| {
        let got = server.prom_number(query);
        assert!((got - expect).abs() <= expect.abs() * 1e-15, "{query}: {got}, not {expect}");
    };
    check("k6_my_counter_total{my_tag=\"a b=c\"}", number(&summary, "my_counter", "count"));
    check("k6_my_gauge", 5.0);
    check("k6_my_rate_rate", number(&summary, "my_rate", "value"));
    check("k6_http_reqs_total{method=\"GET\",status=\"200\"}", 60.0);
    check("k6_checks_rate{check=\"good\"}", 1.0);
    check("k6_iterations_total", 60.0);
    check("k6_my_time_count", 60.0);
    for (suffix, figure) in
        [("avg", "avg"), ("min", "min"), ("max", "max"), ("med", "med"), ("p90", "p(90)"), ("p999", "p(99.9)")]
    {
        check(&format!("k6_my_trend_{suffix}"), number(&summary, "my_trend", figure));
        check(&format!("k6_my_time_{suffix}"), number(&summary, "my_time", figure) / 1000.0);
        check(&format!("k6_http_req_duration_{suffix}"), number(&summary, "http_req_duration", figure) / 1000.0);
    }
    check("k6_my_trend_sum", number(&summary, "my_trend", "avg") * 60.0);
    assert_eq!(server.promql("{empty=~\".*\",__name__=\"k6_my_counter_total\"}")[0]["metric"]["empty"], Value::Null);
}

/// As in a minimal container.
#[test]
fn a_machine_without_certificates_has_outputs_without_tls() {
    let server = Server::prometheus();
    let variables = [
        ("K6_PROMETHEUS_RW_SERVER_URL", format!("http://127.0.0.1:{}/api/v1/write", server.port)),
        ("SSL_CERT_FILE", "/dev/null".to_owned()),
        ("SSL_CERT_DIR", "/nowhere".to_owned()),
    ];
    clean("experimental-prometheus-rw", &variables, &[]);
    assert_eq!(server.prom_number("k6_iterations_total"), 60.0);
}

#[test]
fn prometheus_takes_native_histograms_and_stale_markers() {
    let server = Server::prometheus();
    let url = ("K6_PROMETHEUS_RW_SERVER_URL", format!("http://127.0.0.1:{}/api/v1/write", server.port));
    let summary = clean("experimental-prometheus-rw", std::slice::from_ref(&url), &["--features", "native-histograms"]);
    let check = |query: &str, expect: f64, within: f64| {
        let got = server.prom_number(query);
        assert!((got - expect).abs() <= expect.abs() * within, "{query}: {got}, not {expect}");
    };
    check("histogram_count(k6_my_time_seconds)", 60.0, 0.0);
    check("histogram_sum(k6_my_time_seconds)", number(&summary, "my_time", "avg") * 60.0 / 1000.0, 1e-12);
    check("histogram_quantile(0.9, k6_my_time_seconds)", number(&summary, "my_time", "p(90)") / 1000.0, 0.09);
    check("histogram_count(k6_my_trend)", 60.0, 0.0);
    check("histogram_count(k6_http_req_duration_seconds)", 60.0, 0.0);
    let stale = ("K6_PROMETHEUS_RW_STALE_MARKERS", "true".to_owned());
    // What every series is labelled with, unless a tag of its name says otherwise.
    let labels = ("K6_PROMETHEUS_RW_LABELS", "zone=a,run=other".to_owned());
    clean("experimental-prometheus-rw", &[url, stale, labels], &["--tag", "run=stale"]);
    assert_eq!(server.promql("k6_my_counter_total{run=\"stale\"}"), Vec::<Value>::new());
    assert_eq!(server.promql("max_over_time(k6_my_counter_total{run=\"stale\",zone=\"a\"}[1h])").len(), 1);
    assert_eq!(server.promql("max_over_time(k6_my_counter_total{run=\"other\"}[1h])"), Vec::<Value>::new());
}

#[test]
fn influxdb_has_every_sample() {
    let server = Server::influxdb();
    let summary = clean(&format!("influxdb=http://127.0.0.1:{}/k6?pushInterval=100ms", server.port), &[], &[]);
    let check = |query: &str, expect: &[f64]| {
        let got = server.influxql(query);
        let fits = |(got, expect): (&f64, &f64)| (got - expect).abs() <= expect.abs() * 1e-12;
        assert!(got.len() == expect.len() && got.iter().zip(expect).all(fits), "{query}: {got:?}, not {expect:?}");
    };
    check("SELECT sum(value), count(value) FROM my_counter WHERE \"my,tag\" = 'a b=c'", &[90.0, 60.0]);
    check("SELECT sum(value) FROM http_reqs WHERE method = 'GET' AND status = '200'", &[60.0]);
    check("SELECT count(url) FROM http_reqs", &[60.0]);
    check("SELECT mean(value), count(value) FROM my_rate", &[number(&summary, "my_rate", "value"), 60.0]);
    check("SELECT min(value), max(value) FROM my_gauge", &[5.0, 7.0]);
    for metric in ["my_time", "my_trend", "http_req_duration", "iteration_duration"] {
        let figures = ["avg", "min", "max", "count"].map(|figure| match figure {
            "count" => 60.0,
            figure => number(&summary, metric, figure),
        });
        check(&format!("SELECT mean(value), min(value), max(value), count(value) FROM {metric}"), &figures);
    }
    check("SELECT sum(value) FROM data_received", &[number(&summary, "data_received", "count")]);
}

#[test]
fn influxdb_behind_a_prefix() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let (asked_tx, asked_rx) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection comes");
            let mut reader = std::io::BufReader::new(&stream);
            let (mut head, mut length) = (Vec::new(), 0);
            for line in std::io::BufRead::lines(&mut reader).map_while(Result::ok).take_while(|line| !line.is_empty()) {
                if let Some((_, value)) =
                    line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                {
                    length = value.trim().parse().unwrap_or_default();
                }
                head.push(line);
            }
            // Closing on what was not read would reset the connection.
            _ = std::io::copy(&mut std::io::Read::take(&mut reader, length), &mut std::io::sink());
            _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            _ = asked_tx.send(head.into_iter().next().unwrap_or_default());
        }
    });
    let asked = |path: &str| {
        clean(&format!("influxdb=http://{address}{path}"), &[("K6_INFLUXDB_DB", "mine".to_owned())], &[]);
        asked_rx.try_iter().collect::<Vec<_>>()
    };
    for (path, prefix, database) in
        [("/a/k6db", "/a", "k6db"), ("/a/b/", "/a/b", "mine"), ("/k6db", "", "k6db"), ("/", "", "mine")]
    {
        let asked = asked(path);
        let create = format!("POST {prefix}/query?db=&params=%7B%7D&q=CREATE+DATABASE+{database} ");
        assert!(asked.iter().any(|line| line.starts_with(&create)), "{path}: {asked:?}");
        let write = format!("POST {prefix}/write?consistency=&db={database}&");
        assert!(asked.iter().any(|line| line.starts_with(&write)), "{path}: {asked:?}");
    }
}

#[test]
fn influxdb_lines_over_udp() {
    let (address, lines) = peers::datagrams();
    clean(&format!("influxdb=udp://{address}/?payload_size=400&tagsAsFields=url:string,status:int"), &[], &[]);
    // What was sent has arrived, but may not be read yet.
    until(|| {
        lines.lock().expect("nobody panicked").iter().filter(|line| line.starts_with("iterations ")).count() == 60
    });
    let lines = lines.lock().expect("nobody panicked").clone();
    let of = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!((of("my_counter,my\\,tag=a\\ b\\=c value=1.5 "), of("my_gauge value=5 ")), (60, 1));
    assert_eq!(of("http_reqs,method=GET status=200i,url=\"http://127.0.0.1:"), 60);
    assert_eq!(of("checks,check=good value=1 "), 60);
}

#[test]
fn a_statsd_listener_gets_every_sample() {
    let (address, lines) = peers::datagrams();
    let variables = [("K6_STATSD_ADDR", address.to_string()), ("K6_STATSD_ENABLE_TAGS", "true".to_owned())];
    let summary = clean("statsd", &variables, &[]);
    until(|| {
        lines.lock().expect("nobody panicked").iter().filter(|line| line.starts_with("k6.iterations:")).count() == 60
    });
    let lines = lines.lock().expect("nobody panicked").clone();
    let values = |start: &str, kind: &str| -> Vec<f64> {
        let of = lines.iter().filter_map(|line| line.strip_prefix(start)?.split_once(&format!("|{kind}")));
        of.map(|(value, _)| value.parse().expect("a number")).collect()
    };
    assert_eq!(values("k6.my_counter:", "c").iter().sum::<f64>(), number(&summary, "my_counter", "count"));
    assert_eq!(values("k6.check.good.pass:", "c").len(), 60);
    assert_eq!(values("k6.http_reqs:", "c|#method:GET,status:200").len(), 60);
    let times = values("k6.my_time:", "ms");
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    assert!((mean - number(&summary, "my_time", "avg")).abs() < 1e-9);
    assert_eq!(values("k6.my_gauge:", "g").iter().copied().fold(f64::MAX, f64::min), 5.0);
    assert!(lines.iter().any(|line| line == "k6.my_counter:1.5|c|#my_tag:a b=c"));
}

/// What the last export says of a metric: its sum, count or value, over all series.
fn exported(export: &ExportRequest, name: &str) -> Vec<f64> {
    let scope = &export.resource_metrics[0].scope_metrics[0];
    assert_eq!(scope.scope.as_ref().map(|scope| scope.name.as_str()), Some("k6"));
    let metric = scope.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no {name}"));
    let value = |number: Option<NumberValue>| match number {
        Some(NumberValue::AsDouble(number)) => number,
        Some(NumberValue::AsInt(number)) => number as f64,
        None => panic!("no number of {name}"),
    };
    match metric.data.as_ref().expect("a metric has data") {
        MetricData::Gauge(gauge) => gauge.data_points.iter().map(|point| value(point.value)).collect(),
        MetricData::Sum(sum) => {
            assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
            sum.data_points.iter().map(|point| value(point.value)).collect()
        }
        MetricData::Histogram(histogram) => {
            let points = histogram.data_points.iter();
            points
                .flat_map(|point| {
                    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                    let (min, max) = (point.min.unwrap_or(-1.0), point.max.unwrap_or(-1.0));
                    [point.count as f64, point.sum.unwrap_or(-1.0), min, max]
                })
                .collect()
        }
    }
}

fn check_exports(summary: &Value, exports: &peers::Exports, prefix: &str, head: &[&str]) {
    let exports = exports.lock().expect("nobody panicked");
    let (said, last) = exports.last().expect("something was exported");
    head.iter().for_each(|part| assert!(said.contains(part), "no {part} in {said}"));
    let check = |name: &str, expect: &[f64]| {
        let got = exported(last, &format!("{prefix}{name}"));
        let fits = |(got, expect): (&f64, &f64)| (got - expect).abs() <= expect.abs() * 1e-12;
        assert!(got.len() == expect.len() && got.iter().zip(expect).all(fits), "{name}: {got:?}, not {expect:?}");
    };
    check("my_counter", &[number(summary, "my_counter", "count")]);
    check("my_gauge", &[5.0]);
    check("my_rate.total", &[20.0, 40.0]);
    check("http_reqs", &[60.0]);
    for metric in ["my_time", "my_trend", "http_req_duration"] {
        let figure = |figure| number(summary, metric, figure);
        check(metric, &[60.0, figure("avg") * 60.0, figure("min"), figure("max")]);
    }
    let resource = last.resource_metrics[0].resource.as_ref().expect("a resource");
    let service = resource.attributes[0].value.as_ref().and_then(|value| value.string_value.clone());
    assert_eq!(service.as_deref(), Some("shop"));
}

#[test]
fn opentelemetry_over_http_has_the_figures_of_the_summary() {
    let (address, exports) = peers::http_collector(usize::MAX);
    let variables = [
        ("K6_OTEL_EXPORTER_PROTOCOL", "http/protobuf".to_owned()),
        ("K6_OTEL_HTTP_EXPORTER_ENDPOINT", address.to_string()),
        ("K6_OTEL_HTTP_EXPORTER_INSECURE", "true".to_owned()),
        ("K6_OTEL_HEADERS", "x-own=a%20b".to_owned()),
        ("K6_OTEL_METRIC_PREFIX", "load_".to_owned()),
        ("OTEL_SERVICE_NAME", "shop".to_owned()),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,site=north%20east".to_owned()),
    ];
    let summary = clean("opentelemetry", &variables, &[]);
    check_exports(&summary, &exports, "load_", &["POST /v1/metrics", "x-own: a b", "application/x-protobuf"]);
    let exports = exports.lock().expect("nobody panicked");
    let resource = exports[0].1.resource_metrics[0].resource.as_ref().expect("a resource");
    let names: Vec<_> = resource.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(names, ["service.name", "service.version", "site"]);
}

#[test]
fn opentelemetry_over_grpc_has_the_figures_of_the_summary() {
    let (address, exports) = peers::grpc_collector("0", usize::MAX);
    let variables = [
        ("K6_OTEL_GRPC_EXPORTER_ENDPOINT", address.to_string()),
        ("K6_OTEL_GRPC_EXPORTER_INSECURE", "true".to_owned()),
        ("K6_OTEL_SERVICE_NAME", "shop".to_owned()),
    ];
    let summary = clean("opentelemetry", &variables, &[]);
    let method = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    check_exports(&summary, &exports, "", &[method, "application/grpc"]);
}

#[test]
fn opentelemetry_over_tls_trusts_whom_it_is_told_to() {
    let (address, exports, certificate) = peers::secret_collector();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("root.pem");
    std::fs::write(&path, certificate).expect("a file can be written");
    let endpoint = ("K6_OTEL_GRPC_EXPORTER_ENDPOINT", address.to_string());
    let trust = [
        ("K6_OTEL_TLS_CERTIFICATE", path.display().to_string()),
        ("K6_OTEL_TLS_INSECURE_SKIP_VERIFY", "true".to_owned()),
    ];
    for (at, trust) in trust.into_iter().enumerate() {
        clean("opentelemetry", &[endpoint.clone(), trust], &[]);
        assert_eq!(exports.lock().expect("nobody panicked").len(), at + 1);
    }
    let (outcome, _) = Run::start(SCRIPT, "opentelemetry", &[endpoint], &[]).end();
    assert_eq!(outcome.code, 0);
    assert!(outcome.stderr.contains("the last values are missing there"), "{}", outcome.stderr);
    assert_eq!(exports.lock().expect("nobody panicked").len(), 2);
}

/// An output as it is asked for, its variables, and what it says when its peer fails.
type Asked = (String, Vec<(&'static str, String)>, &'static str);

/// Every output with a peer at this address.
fn outputs_to(address: &str) -> Vec<Asked> {
    let otel = |protocol: &str, endpoint: &'static str, insecure: &'static str| {
        let on = "true".to_owned();
        vec![("K6_OTEL_EXPORTER_PROTOCOL", protocol.to_owned()), (endpoint, address.to_owned()), (insecure, on)]
    };
    vec![
        (format!("influxdb=http://{address}/k6"), vec![], "Couldn't write stats"),
        (
            "experimental-prometheus-rw".to_owned(),
            vec![("K6_PROMETHEUS_RW_SERVER_URL", format!("http://{address}/api/v1/write"))],
            "Failed to send the time series data to the endpoint",
        ),
        (
            "opentelemetry".to_owned(),
            otel("grpc", "K6_OTEL_GRPC_EXPORTER_ENDPOINT", "K6_OTEL_GRPC_EXPORTER_INSECURE"),
            "can't shutdown OpenTelemetry metric provider",
        ),
        (
            "opentelemetry".to_owned(),
            otel("http/protobuf", "K6_OTEL_HTTP_EXPORTER_ENDPOINT", "K6_OTEL_HTTP_EXPORTER_INSECURE"),
            "can't shutdown OpenTelemetry metric provider",
        ),
    ]
}

/// Runs with an output whose peer is of no use: the run ends with its own code, the summary is whole, and a warning
/// says what is missing.
fn check_useless(address: &str) {
    const FAILING: &str = "
        import { Counter } from 'k6/metrics';
        const counter = new Counter('my_counter');
        export const options = { vus: 2, iterations: 60, thresholds: { my_counter: ['count<1'] } };
        export default () => counter.add(1);";
    let runs: Vec<_> = outputs_to(address)
        .into_iter()
        .map(|(output, variables, said)| (Run::start(FAILING, &output, &variables, &[]), output, said))
        .collect();
    for (run, output, said) in runs {
        let (outcome, summary) = run.end();
        assert_eq!(outcome.code, 99, "{output}\n{}", outcome.stderr);
        assert_eq!(number(&summary, "my_counter", "count"), 60.0, "{output}");
        assert!(outcome.stderr.contains(said), "{output}\n{}", outcome.stderr);
        let warnings = outcome.stderr.lines().filter(|line| line.contains("\"level\":\"warning\""));
        let warnings: Vec<_> = warnings.filter(|line| line.contains("pushes failed")).collect();
        assert_eq!(warnings.len(), 1, "{output}\n{}", outcome.stderr);
    }
}

#[test]
fn a_peer_that_is_not_there_costs_a_warning() {
    check_useless(&format!("127.0.0.1:{}", peers::free_port()));
}

#[test]
fn a_peer_that_hangs_costs_a_warning() {
    check_useless(&peers::silent().to_string());
}

#[test]
fn a_collector_that_refuses_is_quoted() {
    let (address, _) = peers::grpc_collector("8", usize::MAX);
    let (output, variables, _) = outputs_to(&address.to_string()).swap_remove(2);
    let (outcome, _) = Run::start(SCRIPT, &output, &variables, &[]).end();
    assert_eq!(outcome.code, 0);
    assert!(outcome.stderr.contains("the call ended with code 8: too full"), "{}", outcome.stderr);
}

const LONG: &str = "
    import { sleep } from 'k6';
    import { Counter } from 'k6/metrics';
    const counter = new Counter('my_counter');
    export const options = { vus: 2, duration: '30s', gracefulStop: '1s' };
    export default function () { counter.add(1); sleep(0.01); }";

#[test]
fn a_prometheus_that_comes_back_has_the_last_values() {
    let mut server = Server::prometheus();
    let variables = [
        ("K6_PROMETHEUS_RW_SERVER_URL", format!("http://127.0.0.1:{}/api/v1/write", server.port)),
        ("K6_PROMETHEUS_RW_PUSH_INTERVAL", "300ms".to_owned()),
    ];
    let run = Run::start(LONG, "experimental-prometheus-rw", &variables, &[]);
    until(|| !server.promql("k6_my_counter_total").is_empty());
    server.kill();
    run.running.wait_for("Failed to send the time series data to the endpoint");
    server.restart();
    let before = server.promql("k6_my_counter_total")[0]["value"][1].clone();
    until(|| server.promql("k6_my_counter_total")[0]["value"][1] != before);
    run.running.interrupt();
    let (outcome, summary) = run.end();
    assert_eq!(outcome.code, 105, "{}", outcome.stderr);
    assert_eq!(server.prom_number("k6_my_counter_total"), number(&summary, "my_counter", "count"));
    assert!(outcome.stderr.contains("the last values are there"), "{}", outcome.stderr);
}

#[test]
fn an_influxdb_that_comes_back_misses_what_was_told() {
    let mut server = Server::influxdb();
    let output = format!("influxdb=http://127.0.0.1:{}/k6?pushInterval=200ms", server.port);
    let run = Run::start(LONG, &output, &[], &[]);
    until(|| !server.influxql("SELECT sum(value) FROM my_counter").is_empty());
    server.kill();
    run.running.wait_for("Couldn't write stats");
    // The push that failed first may have been stored before its server died; the ones of this time can't have been.
    std::thread::sleep(Duration::from_secs(1));
    server.restart();
    let before = server.influxql("SELECT sum(value) FROM my_counter");
    until(|| server.influxql("SELECT sum(value) FROM my_counter") != before);
    run.running.interrupt();
    let (outcome, summary) = run.end();
    assert_eq!(outcome.code, 105, "{}", outcome.stderr);
    let (told, _) = outcome.stderr.split_once(" samples are missing there").unwrap_or_default();
    let lost = told.rsplit(' ').next().and_then(|number| number.parse::<f64>().ok());
    let lost = lost.unwrap_or_else(|| panic!("no loss was told\n{}", outcome.stderr));
    let stored = server.influxql("SELECT sum(value) FROM my_counter")[0];
    // Samples of all metrics are lost together; what was stored and what was lost is all there was.
    let count = number(&summary, "my_counter", "count");
    assert!(lost > 0.0 && stored < count && stored + lost >= count, "{stored} + {lost}, {count}");
}

#[test]
fn a_prometheus_that_hangs_in_the_middle_costs_a_warning() {
    let server = Server::prometheus();
    let variables = [
        ("K6_PROMETHEUS_RW_SERVER_URL", format!("http://127.0.0.1:{}/api/v1/write", server.port)),
        ("K6_PROMETHEUS_RW_PUSH_INTERVAL", "300ms".to_owned()),
    ];
    let run = Run::start(LONG, "experimental-prometheus-rw", &variables, &[]);
    until(|| !server.promql("k6_my_counter_total").is_empty());
    server.freeze();
    run.running.wait_for("takes longer than its interval");
    run.running.interrupt();
    let (outcome, summary) = run.end();
    assert_eq!(outcome.code, 105, "{}", outcome.stderr);
    assert!(number(&summary, "my_counter", "count") > 0.0);
    assert!(outcome.stderr.contains("the last values are missing there"), "{}", outcome.stderr);
}

#[test]
fn an_influxdb_that_hangs_in_the_middle_costs_a_warning() {
    let server = Server::influxdb();
    let run = Run::start(LONG, &format!("influxdb=http://127.0.0.1:{}/k6?pushInterval=200ms", server.port), &[], &[]);
    until(|| !server.influxql("SELECT sum(value) FROM my_counter").is_empty());
    server.freeze();
    std::thread::sleep(Duration::from_millis(500));
    run.running.interrupt();
    let (outcome, summary) = run.end();
    assert_eq!(outcome.code, 105, "{}", outcome.stderr);
    assert!(number(&summary, "my_counter", "count") > 0.0);
    assert!(outcome.stderr.contains("samples are missing there"), "{}", outcome.stderr);
}

#[test]
fn a_collector_that_hangs_in_the_middle_costs_a_warning() {
    let collectors = [peers::grpc_collector("0", 1), peers::http_collector(1)];
    for (at, (address, exports)) in collectors.into_iter().enumerate() {
        let (output, mut variables, said) = outputs_to(&address.to_string()).swap_remove(2 + at);
        variables.push(("K6_OTEL_EXPORT_INTERVAL", "200ms".to_owned()));
        variables.push(("K6_OTEL_FLUSH_INTERVAL", "100ms".to_owned()));
        let run = Run::start(LONG, &output, &variables, &[]);
        until(|| !exports.lock().expect("nobody panicked").is_empty());
        run.running.wait_for("takes longer than its interval");
        run.running.interrupt();
        let (outcome, _) = run.end();
        assert_eq!(outcome.code, 105, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("the last values are missing there"), "{}", outcome.stderr);
    }
}

/// Looks until it is so.
fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never became so");
        std::thread::sleep(Duration::from_millis(100));
    }
}
