//! Outputs: they get every sample of a run, as the ledger does. One table of them all, one thread for each.
//!
//! An output never makes a VU wait: batches come through a bounded channel, and an output that is too slow loses samples
//! and logs how many. A failed write is one error line; the run goes on.

pub mod csv;
pub mod declare;
pub mod file;
pub mod influxdb;
pub mod json;
pub mod opentelemetry;
pub mod prometheus;
pub mod push;
pub mod runner;
pub mod settings;
pub mod statsd;
pub mod time;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Logger;
use crate::metrics::submetric::MetricSelector;
use crate::metrics::{MetricId, Record, Registry, SystemTags, ThresholdDef};
use crate::options::Feature;
use crate::units::nearest::did_you_mean;
use crate::units::redact::redact;

pub use runner::{RunningOutput, run};

/// An output. Everything but `description` is called on the output's own thread, or before it starts.
pub trait Output: Send {
    /// The text of the `output:` line in the run's description, as in `json (out.json)`.
    fn description(&self) -> String;

    /// How often [`flush`](Self::flush) is wanted.
    fn period(&self) -> Duration;

    /// Opens what it writes to, before there are VUs.
    ///
    /// # Errors
    /// What ends the run before it starts.
    fn start(&mut self) -> Result<(), Failure>;

    /// Takes a batch of records.
    ///
    /// # Errors
    /// One line for the log. After an error the output gets nothing more but [`stop`](Self::stop).
    fn add(&mut self, batch: &[Record]) -> Result<(), String>;

    /// Writes what it has buffered.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    fn flush(&mut self) -> Result<(), String>;

    /// Writes the rest and closes what it writes to, so that a file is complete.
    ///
    /// # Errors
    /// One line for the log.
    fn stop(&mut self) -> Result<(), String>;

    /// After an error: how many of the samples it took were not written.
    fn unwritten(&self) -> u64 {
        0
    }

    /// Whether it writes to standard output: then it is stopped before the summary is printed there.
    fn is_stdout(&self) -> bool {
        false
    }
}

/// The `User-Agent` header of outputs, and of a script's requests unless it sets its own.
pub const USER_AGENT: &str = concat!("volley/", env!("CARGO_PKG_VERSION"), " (k6/2.3.0 compatible)");

/// Standard output, shared with other writers.
pub type SharedWriter = Arc<Mutex<dyn std::io::Write + Send>>;

/// Looks up an environment variable.
pub type Env = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Everything an output is constructed from.
#[derive(Clone)]
pub struct OutputContext {
    /// The metrics of the run.
    pub registry: Arc<Registry>,
    /// The thresholds as declared, even if they are not judged.
    pub thresholds: Arc<[(String, Vec<ThresholdDef>)]>,
    /// The sub-metrics of the run, from [`crate::metrics::Ledger::submetrics`].
    pub submetrics: Arc<[(MetricId, MetricSelector)]>,
    /// The system tags that are on.
    pub system_tags: SystemTags,
    /// The folder that paths are relative to.
    pub folder: PathBuf,
    /// Standard output.
    pub stdout: SharedWriter,
    /// Looks up an environment variable.
    pub env: Env,
    /// The names of all environment variables, for outputs whose variables are named by the user.
    pub variables: Arc<[String]>,
    /// Experimental features that are on.
    pub features: Arc<[Feature]>,
    /// Refuse what k6 refuses.
    pub strict: bool,
    /// The object `collectors` of the configuration file, or nothing.
    pub collectors: serde_json::Value,
    /// For warnings and errors.
    pub logger: Logger,
}

impl OutputContext {
    /// The path of a file named relative to the working folder.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A text of the configuration file for this output.
    fn collector(&self, output: &str, key: &str) -> Option<String> {
        self.collectors.get(output)?.get(key)?.as_str().map(str::to_owned)
    }
}

type Constructor = fn(Option<&str>, &OutputContext) -> Result<Box<dyn Output>, Failure>;

/// All outputs, sorted by the name the user types.
const TABLE: [(&str, Constructor); 7] = [
    ("csv", csv::new),
    ("experimental-opentelemetry", opentelemetry::old),
    ("experimental-prometheus-rw", prometheus::new),
    ("influxdb", influxdb::new),
    ("json", json::new),
    ("opentelemetry", opentelemetry::new),
    ("statsd", statsd::new),
];

/// What each of them is, for `--help`, and the one that gets no samples.
pub const DESCRIPTIONS: [(&str, &str); 8] = [
    ("csv[=FILE]", "all samples, one a line; FILE may end in .gz"),
    ("json[=FILE]", "all samples as JSON lines; to standard output without a FILE"),
    ("experimental-prometheus-rw", "to Prometheus, by remote write"),
    ("opentelemetry", "to an OpenTelemetry collector, over gRPC or HTTP"),
    ("experimental-opentelemetry", "the older name of opentelemetry"),
    ("influxdb[=URL/DATABASE]", "to InfluxDB 1"),
    ("statsd", "to a StatsD or Datadog agent"),
    ("web-dashboard", "a page with live charts"),
];

/// Outputs that k6 has removed: name, deprecated in, removed in, what to use instead. One that is in the table above as
/// well is refused in strict mode only.
const REMOVED: [(&str, &str, &str, &str); 3] = [
    ("datadog", "v0.32.0", "v0.34.0", "write `json` and convert it, or send metrics with `experimental-prometheus-rw`"),
    ("kafka", "v0.32.0", "v0.34.0", "write `json` to standard output and pipe it into a Kafka producer"),
    ("statsd", "v0.47.0", "v0.55.0", "write `json` or `csv`, or send metrics with `experimental-prometheus-rw`"),
];

/// Makes the output that was asked for as `type[=argument]`.
///
/// # Errors
/// k6's message for a name that is unknown or removed, and for an argument that is wrong.
pub fn make(asked: &str, context: &OutputContext) -> Result<Box<dyn Output>, Failure> {
    let (name, argument) = match asked.split_once('=') {
        Some((name, argument)) => (name, Some(argument)),
        None => (asked, None),
    };
    let wrong = |message: String| Failure::new(ExitCode::Other, message);
    let found = TABLE.iter().find(|(known, _)| *known == name).map(|(_, construct)| construct);
    if let Some((_, deprecated, removed, instead)) = REMOVED.iter().find(|(known, ..)| *known == name)
        && (found.is_none() || context.strict)
    {
        return Err(wrong(format!(
            "could not create the '{name}' output: the {name} output was deprecated in k6 {deprecated} and removed in \
             k6 {removed}, {instead}"
        )));
    }
    let Some(construct) = found else {
        // The dashboard gets no samples: it shows the ledger's numbers, see `report`.
        let known = TABLE.iter().map(|(known, _)| *known).chain(["web-dashboard"]).collect::<Vec<_>>().join(", ");
        let failure = wrong(format!("invalid output type '{name}', available types are: {known}"));
        return Err(failure.with_hint(did_you_mean(name, known.split(", "))));
    };
    construct(argument, context).map_err(|mut failure| {
        failure.message = redact(&failure.message).into_owned();
        failure.context(format!("could not create the '{name}' output"))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::metrics::submetric::MetricSelector;
    use crate::metrics::threshold::{self, ThresholdDef};
    use crate::metrics::{Contains, HttpTimings, Interner, Ledger, LedgerOptions, MetricType, Recorder, Stamp};
    use crate::units::Span;
    use crate::units::sync::lock;

    #[test]
    fn every_output_is_described() {
        let described = |name: &str| {
            DESCRIPTIONS.iter().any(|(known, _)| known.split('[').next().is_some_and(|known| known == name))
        };
        for (name, _) in TABLE {
            assert!(described(name), "{name}");
        }
    }

    const NOON: Stamp = Stamp(1_795_419_692_250_000_000);

    /// A run with one output in a folder of its own.
    pub(super) struct Bench {
        registry: Arc<Registry>,
        tags: Interner,
        thresholds: Vec<(String, Vec<ThresholdDef>)>,
        system_tags: SystemTags,
        pub(super) env: Vec<(&'static str, &'static str)>,
        pub(super) collectors: serde_json::Value,
        folder: tempfile::TempDir,
        stdout: Arc<Mutex<Vec<u8>>>,
        said: Arc<Mutex<Vec<String>>>,
        is_strict: bool,
    }

    impl Bench {
        pub(super) fn new() -> Self {
            Self {
                registry: Arc::new(Registry::new()),
                tags: Interner::default(),
                thresholds: Vec::new(),
                system_tags: SystemTags::NONE,
                env: Vec::new(),
                collectors: serde_json::Value::Null,
                folder: tempfile::tempdir().unwrap(),
                stdout: Arc::default(),
                said: Arc::default(),
                is_strict: false,
            }
        }

        fn declare(&self, name: &str, kind: MetricType) -> MetricId {
            self.registry.declare(name, kind, Contains::Default).unwrap()
        }

        fn sample(&self, metric: MetricId, value: f64, tags: &[(&str, &str)]) -> Record {
            let tags = self.tags.set(tags.iter().copied());
            Record::Sample { time: NOON, metric, value, tags, metadata: None }
        }

        fn logger(&self) -> Logger {
            let said = self.said.clone();
            Logger::new(move |entry| said.lock().unwrap().push(entry.message))
        }

        pub(super) fn context(&self, submetrics: Vec<(MetricId, MetricSelector)>) -> OutputContext {
            let env = self.env.clone();
            OutputContext {
                registry: self.registry.clone(),
                thresholds: self.thresholds.clone().into(),
                submetrics: submetrics.into(),
                system_tags: self.system_tags,
                folder: self.folder.path().to_owned(),
                stdout: self.stdout.clone(),
                env: Arc::new(move |name| {
                    env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
                }),
                variables: self.env.iter().map(|(name, _)| (*name).to_owned()).collect(),
                features: Arc::default(),
                strict: self.is_strict,
                collectors: self.collectors.clone(),
                logger: self.logger(),
            }
        }

        /// Runs an output over these records; the failure to start, if any.
        fn run(&self, asked: &str, records: Vec<Record>) -> Result<String, Failure> {
            let watched = threshold::check(&self.thresholds, &self.registry, true, &Logger::silent())?;
            let options = LedgerOptions { watched, system_tags: self.system_tags, ..LedgerOptions::default() };
            let mut ledger = Ledger::new(self.registry.clone(), options, Logger::silent());
            let submetrics = ledger.submetrics().map(|(metric, selector)| (metric, selector.clone())).collect();
            let output = make(asked, &self.context(submetrics))?;
            let running = run(output, &mut ledger, self.logger())?;
            let ledger = Arc::new(Mutex::new(ledger));
            let mut recorder = Recorder::new(ledger.clone());
            records.into_iter().for_each(|record| recorder.push(record));
            recorder.flush();
            running.detach(&mut lock(&ledger));
            let description = running.description.clone();
            running.stop();
            Ok(description)
        }

        fn read(&self, name: &str) -> String {
            std::fs::read_to_string(self.folder.path().join(name)).unwrap()
        }

        fn stdout(&self) -> String {
            String::from_utf8(self.stdout.lock().unwrap().clone()).unwrap()
        }
    }

    /// The values of JSON points, or anything else between two marks of each line.
    fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
        text.lines().filter_map(|line| Some(line.split_once(from)?.1.split_once(to)?.0)).collect()
    }

    #[test]
    fn json_declares_a_metric_before_its_first_point() {
        let mut bench = Bench::new();
        let (plain, parted) =
            (bench.declare("o_counter", MetricType::Counter), bench.declare("o_sub", MetricType::Counter));
        let def = |text: &str, abort_on_fail, delay: Option<i64>| ThresholdDef {
            expression: text.to_owned(),
            abort_on_fail,
            delay_abort_eval: delay.map(Span::from_secs),
        };
        bench.thresholds = vec![
            (
                "o_counter".to_owned(),
                vec![def("count<5", false, None), def("count<9", true, None), def("count<8", true, Some(10))],
            ),
            ("o_sub{b:2,a:\"1\"}".to_owned(), vec![def("count>=0", false, None)]),
        ];
        let records = vec![
            bench.sample(plain, 1.0, &[("group", "::setup")]),
            bench.sample(parted, 2.0, &[("b", "2"), ("a", "1")]),
        ];
        assert_eq!(bench.run("json=out.json", records).unwrap(), "json (out.json)");
        let text = bench.read("out.json");
        let times = between(&text, "\"time\":\"", "\"");
        assert_eq!(times.len(), 2);
        let expect = r#"{"type":"Metric","data":{"name":"o_counter","type":"counter","contains":"default","thresholds":["count<5",{"threshold":"count<9","abortOnFail":true,"delayAbortEval":null},{"threshold":"count<8","abortOnFail":true,"delayAbortEval":"10s"}],"submetrics":null},"metric":"o_counter"}
{"metric":"o_counter","type":"Point","data":{"time":"TIME","value":1,"tags":{"group":"::setup"}}}
{"type":"Metric","data":{"name":"o_sub","type":"counter","contains":"default","thresholds":[],"submetrics":[{"name":"o_sub{b:2,a:\"1\"}","suffix":"b:2,a:\"1\"","tags":{"a":"1","b":"2"}}]},"metric":"o_sub"}
{"metric":"o_sub","type":"Point","data":{"time":"TIME","value":2,"tags":{"a":"1","b":"2"}}}
"#;
        assert_eq!(text.replace(times[0], "TIME"), expect);
    }

    #[test]
    fn json_writes_numbers_as_go_does_and_leaves_out_infinite_ones() {
        let bench = Bench::new();
        let gauge = bench.declare("o_gauge", MetricType::Gauge);
        let values =
            [0.0, -1.0, 1.0 / 3.0, 1e20, f64::INFINITY, 1e21, 0.000_001, 1e-7, 9_007_199_254_740_993.0, f64::INFINITY];
        let records = values.iter().map(|value| bench.sample(gauge, *value, &[])).collect();
        assert_eq!(bench.run("json", records).unwrap(), "json(stdout)");
        assert_eq!(
            between(&bench.stdout(), "\"value\":", ","),
            ["0", "-1", "0.3333333333333333", "100000000000000000000", "1e+21", "0.000001", "1e-7", "9007199254740992"]
        );
        assert_eq!(bench.said.lock().unwrap().len(), 1);
    }

    #[test]
    fn json_expands_a_request_to_its_samples() {
        let bench = Bench::new();
        let tags = bench.tags.set([("v", "a \"quoted\" \\ <b> žluť \u{2028}")]);
        let (timings, metadata) =
            (HttpTimings { waiting: 1_500_000, ..HttpTimings::default() }, [("iter".into(), "0".into())]);
        let record = Record::Http { time: NOON, timings, failed: Some(true), tags, metadata: Some(Arc::new(metadata)) };
        bench.run("json=-", vec![record]).unwrap();
        let text = bench.stdout();
        let names = between(&text, "{\"metric\":\"", "\"");
        let http = |name: &str| format!("http_req{name}");
        let expect = [
            "s",
            "_duration",
            "_blocked",
            "_connecting",
            "_tls_handshaking",
            "_sending",
            "_waiting",
            "_receiving",
            "_failed",
        ];
        assert_eq!(names, expect.map(http));
        assert_eq!(between(&text, "\"value\":", ","), ["1", "1.5", "0", "0", "0", "0", "1.5", "0", "1"]);
        let tail = r#""tags":{"v":"a \"quoted\" \\ <b> žluť \u2028"},"metadata":{"iter":"0"}}}"#;
        assert!(text.trim_end().ends_with(tail), "{text}");
    }

    #[test]
    fn a_gzip_file_is_whole_at_the_end() {
        let bench = Bench::new();
        let counter = bench.declare("o_counter", MetricType::Counter);
        bench.run("json=out.json.gz", (0..5_000).map(|i| bench.sample(counter, f64::from(i), &[])).collect()).unwrap();
        let file = std::fs::File::open(bench.folder.path().join("out.json.gz")).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count(), 5_001);
    }

    #[test]
    fn csv_has_a_column_per_system_tag() {
        let mut bench = Bench::new();
        bench.system_tags = SystemTags::parse(["scenario", "status", "vu"]);
        let (counter, gauge) =
            (bench.declare("o_counter", MetricType::Counter), bench.declare("o_gauge", MetricType::Gauge));
        let records = vec![
            bench.sample(counter, 1.0, &[("status", "200")]),
            bench.sample(gauge, 2.5, &[("own", "a=b&c=d"), ("x", "1")]),
            bench.sample(gauge, -4.0, &[("scenario", "with, \"comma\""), ("own", "")]),
        ];
        assert_eq!(bench.run("csv=out.csv", records).unwrap(), "csv (out.csv)");
        assert_eq!(
            bench.read("out.csv"),
            "metric_name,timestamp,metric_value,scenario,status,extra_tags,metadata
o_counter,1795419692,1.000000,,200,,
o_gauge,1795419692,2.500000,,,own=a=b&c=d&x=1,
o_gauge,1795419692,-4.000000,\"with, \"\"comma\"\"\",,own=,
"
        );
    }

    #[test]
    fn csv_settings_come_from_argument_environment_and_file() {
        let first = |bench: &Bench, asked: &str, file: &str| {
            let counter = bench.declare("o_counter", MetricType::Counter);
            bench.run(asked, vec![bench.sample(counter, 1.0, &[])]).unwrap();
            bench.read(file).lines().nth(1).unwrap().to_owned()
        };
        let mut bench = Bench::new();
        assert_eq!(first(&bench, "csv", "file.csv"), "o_counter,1795419692,1.000000,,");
        bench.collectors = serde_json::json!({"csv": {"file_name": "conf.csv", "time_format": "unix_milli"}});
        assert_eq!(first(&bench, "csv", "conf.csv"), "o_counter,1795419692250,1.000000,,");
        bench.env = vec![("K6_CSV_FILENAME", "env.csv"), ("K6_CSV_TIME_FORMAT", "unix_nano")];
        assert_eq!(first(&bench, "csv", "env.csv"), "o_counter,1795419692250000000,1.000000,,");
        let asked = "csv=fileName=arg.csv,timeFormat=unix_micro,saveInterval=100ms";
        assert_eq!(first(&bench, asked, "arg.csv"), "o_counter,1795419692250000,1.000000,,");
    }

    #[test]
    fn refuses_what_it_can_not_make() {
        let check = |asked: &str, expect: &str| {
            let failure = Bench::new().run(asked, Vec::new()).unwrap_err();
            assert_eq!(failure.code, ExitCode::Other);
            assert!(failure.message.starts_with(expect), "{}", failure.message);
        };
        check("papyrus=x", "invalid output type 'papyrus', available types are: csv, experimental-opentelemetry, ");
        check(
            "kafka=localhost",
            "could not create the 'kafka' output: the kafka output was deprecated in k6 v0.32.0 and removed in k6 v0.34.0, ",
        );
        check(
            "csv=fileName=a.csv,color=red",
            "could not create the 'csv' output: unknown key \"color\" as argument for csv output",
        );
        check(
            "influxdb=http://h:8086/k6?foo=1",
            "could not create the 'influxdb' output: unknown query parameter: foo",
        );
        check("influxdb=h", "could not create the 'influxdb' output: `h` is no URL");
        check(
            "influxdb=http://h?concurrentWrites=0",
            "could not create the 'influxdb' output: influxdb's ConcurrentWrites must be a positive number",
        );
        check(
            "influxdb=http://h?tagsAsFields=a:color",
            "could not create the 'influxdb' output: an invalid type (color) is specified for an InfluxDB field (a:color)",
        );
        for (asked, shown) in [
            ("influxdb=http://ann:s3cret@h:99999/k6", "`http://****:****@h:99999/k6` is no URL"),
            ("influxdb=ann:s3cret@h:8086/k6", "`****@h:8086/k6` names no host"),
            ("influxdb=http://ann:s3/cret@h/k6", "`http://****:****@h/k6` is no URL"),
        ] {
            check(asked, &format!("could not create the 'influxdb' output: {shown}"));
        }
        check("statsd=nowhere", "could not create the 'statsd' output: `nowhere` is no address");
        check("csv=timeFormat=iso", "could not create the 'csv' output: iso does not belong to TimeFormat values");
        check("json=no/such/folder.json", "could not open '");
        check("csv=no/such/folder.csv", "could not open '");
    }

    #[test]
    fn settings_of_what_pushes_are_checked_before_the_run() {
        let check = |asked: &str, env: &[(&'static str, &'static str)], code: ExitCode, expect: &str| {
            let bench = Bench { env: env.to_vec(), ..Bench::new() };
            let failure = bench.run(asked, Vec::new()).unwrap_err();
            assert_eq!(failure.message, expect);
            assert_eq!(failure.code, code, "{expect}");
        };
        check(
            "opentelemetry",
            &[("K6_OTEL_EXPORTER_PROTOCOL", "foo")],
            ExitCode::InvalidConfig,
            "could not create the 'opentelemetry' output: error validating OpenTelemetry output config: unsupported \
             exporter protocol \"foo\", only \"grpc\" and \"http/protobuf\" are supported",
        );
        let prometheus = "could not create the 'experimental-prometheus-rw' output: ";
        check(
            "experimental-prometheus-rw",
            &[("K6_PROMETHEUS_RW_TREND_STATS", "p(99),mode")],
            ExitCode::Other,
            &format!("{prometheus}invalid trend stat 'mode', unknown format"),
        );
        check(
            "experimental-prometheus-rw",
            &[("K6_PROMETHEUS_RW_STALE_MARKERS", "maybe")],
            ExitCode::Other,
            &format!(
                "{prometheus}`staleMarkers` (K6_PROMETHEUS_RW_STALE_MARKERS) can't be `maybe`: write `true` or `false`"
            ),
        );
        for (labels, piece) in [("a=1,b", "b"), ("a=1,", ""), ("", ""), ("a", "a"), (" ,a=1", " ")] {
            check(
                "experimental-prometheus-rw",
                &[("K6_PROMETHEUS_RW_LABELS", labels)],
                ExitCode::Other,
                &format!(
                    "{prometheus}the provided label ({piece}) does not respect the expected format <label key>=<value>"
                ),
            );
        }
        check(
            "experimental-prometheus-rw",
            &[("K6_PROMETHEUS_RW_SIGV4_REGION", "eu")],
            ExitCode::Other,
            &format!(
                "{prometheus}K6_PROMETHEUS_RW_SIGV4_REGION, K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY and \
                 K6_PROMETHEUS_RW_SIGV4_SECRET_KEY go together"
            ),
        );
    }

    #[test]
    fn descriptions_name_the_peer() {
        let check = |asked: &str, env: &[(&'static str, &'static str)], expect: &str| {
            let bench = Bench { env: env.to_vec(), ..Bench::new() };
            assert_eq!(make(asked, &bench.context(Vec::new())).map(|output| output.description()).unwrap(), expect);
        };
        check("influxdb", &[], "InfluxDBv1 (http://localhost:8086)");
        check("influxdb=https://u:p@h:9/db?insecure=true", &[], "InfluxDBv1 (https://h:9)");
        check("influxdb=http://h", &[("K6_INFLUXDB_ADDR", "http://other:1")], "InfluxDBv1 (http://h)");
        check("influxdb=http://h/influxdbA/k6db", &[], "InfluxDBv1 (http://h/influxdbA)");
        check("influxdb=http://h:1/a/b/", &[], "InfluxDBv1 (http://h:1/a/b)");
        check("influxdb=/db", &[("K6_INFLUXDB_ADDR", "http://other:1/p")], "InfluxDBv1 (http://other:1/p)");
        check("influxdb=/db", &[], "InfluxDBv1 (http://localhost:8086)");
        check("influxdb=udp://127.0.0.1:9/a/b", &[], "InfluxDBv1 (udp://127.0.0.1:9)");
        check(
            "experimental-prometheus-rw",
            &[("K6_PROMETHEUS_RW_SERVER_URL", "http://ann:s3cret@h/w?token=t0ken")],
            "Prometheus remote write (http://h/w?token=****)",
        );
        check("experimental-prometheus-rw", &[], "Prometheus remote write (http://localhost:9090/api/v1/write)");
        check("opentelemetry", &[], "opentelemetry (grpc, localhost:4317)");
        check(
            "opentelemetry",
            &[("K6_OTEL_GRPC_EXPORTER_INSECURE", "true"), ("K6_OTEL_GRPC_EXPORTER_ENDPOINT", "h:1")],
            "opentelemetry (grpc (insecure), h:1)",
        );
        check(
            "experimental-opentelemetry",
            &[("K6_OTEL_EXPORTER_PROTOCOL", "http/protobuf"), ("K6_OTEL_HTTP_EXPORTER_INSECURE", "true")],
            "opentelemetry (http/protobuf, http://localhost:4318/v1/metrics)",
        );
        check("statsd=h:1", &[], "statsd (h:1)");
    }

    #[test]
    fn strict_means_no_statsd() {
        let bench = Bench { is_strict: true, ..Bench::new() };
        let failure = bench.run("statsd", Vec::new()).unwrap_err();
        let expect =
            "could not create the 'statsd' output: the statsd output was deprecated in k6 v0.47.0 and removed in";
        assert!(failure.message.starts_with(expect), "{}", failure.message);
    }

    #[test]
    fn a_full_disk_is_one_error_and_no_end_of_the_run() {
        let bench = Bench::new();
        let counter = bench.declare("o_counter", MetricType::Counter);
        let records = (0..10_000).map(|i| bench.sample(counter, f64::from(i), &[])).collect();
        bench.run("json=/dev/full", records).unwrap();
        let said = [
            "could not write the samples, this output ends here",
            "the output json (/dev/full) ended early, 10000 samples are missing there",
        ];
        assert_eq!(*bench.said.lock().unwrap(), said);
    }
}
