//! Every option, on one page: its key in scripts and files, k6's name for it in messages, its environment variable.
//!
//! The order is the order in which `inspect` prints. From this one table come the struct, reading, merging and
//! writing; what flags say is put into the same fields by `cli`.

use serde_json::{Map, Value};

use super::value::{OptionValue, TextMap};
use super::{
    Cidr, CipherSuite, Compat, DnsOptions, HostPattern, Hosts, LocalIps, Segment, SegmentSequence, Stage, Thresholds,
    TlsAuth, TlsVersions, scenario::Scenarios,
};
use crate::failure::Failure;
use crate::metrics::SystemTags;
use crate::units::Span;

macro_rules! options {
    ($($(#[doc = $doc:literal])* $field:ident: $type:ty = $key:literal, $go:literal, $env:expr;)*) => {
        /// All options; `None` if not set. See k6's documentation for the meaning of each.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Options {
            $($(#[doc = $doc])* pub $field: Option<$type>,)*
        }

        impl Options {
            /// The keys, in the order of `inspect`.
            pub const KEYS: &[&str] = &[$($key),*];

            /// Key, meaning and environment variable of each, for the book.
            #[cfg(test)]
            pub const REFERENCE: &[(&str, &str, Option<&str>)] = &[$(($key, concat!($($doc),*), $env)),*];

            /// Sets the option `key` (as spelled in [`Options::KEYS`]) from JSON; `null` unsets it.
            pub(super) fn set_json(&mut self, key: &str, value: &Value, compat: &mut Compat) -> Result<(), Failure> {
                match key {
                    $($key => {
                        self.$field = match value {
                            Value::Null => None,
                            value => Some(<$type as OptionValue>::from_json(value, $key, compat)?),
                        };
                    })*
                    _ => (),
                }
                Ok(())
            }

            /// Sets every option whose variable `get` knows; the error is k6's, with the variable's name.
            pub(super) fn set_env<'a>(
                &mut self,
                get: impl Fn(&str) -> Option<&'a str>,
                compat: &mut Compat,
            ) -> Result<(), String> {
                $(if let Some(name) = $env
                    && let Some(text) = get(name)
                {
                    let read = <$type as OptionValue>::from_env(text, compat);
                    self.$field = read.map_err(|error| {
                        let go_type = <$type as OptionValue>::GO_TYPE;
                        format!(
                            "envconfig.Process: assigning {name} to {}: converting '{text}' to type {go_type}. \
                             details: {error}",
                            $go
                        )
                    })?;
                })*
                Ok(())
            }

            /// Puts what `higher` says over what this layer says.
            pub(super) fn put_over(&mut self, higher: Self) {
                $(if let Some(value) = higher.$field {
                    self.$field = value.over(self.$field.take());
                })*
            }

            /// All options as JSON, `null` where nothing was said.
            pub(super) fn entries(&self) -> Map<String, Value> {
                let mut map = Map::new();
                $(map.insert($key.to_owned(), match &self.$field {
                    Some(value) => OptionValue::to_json(value),
                    None => <$type as OptionValue>::absent(),
                });)*
                map
            }
        }
    };
}

const NO_ENV: Option<&str> = None;

options! {
    /// Wait for the REST API before anything runs.
    paused: bool = "paused", "Paused", Some("K6_PAUSED");
    /// How many VUs; a shortcut.
    vus: i64 = "vus", "VUs", Some("K6_VUS");
    /// How long; a shortcut.
    duration: Span = "duration", "Duration", Some("K6_DURATION");
    /// How many iterations, shared by all VUs; a shortcut.
    iterations: i64 = "iterations", "Iterations", Some("K6_ITERATIONS");
    /// VUs over time; a shortcut.
    stages: Vec<Stage> = "stages", "Stages", Some("K6_STAGES");
    /// The scenarios.
    scenarios: Scenarios = "scenarios", "Scenarios", NO_ENV;
    /// Which part of the test this instance runs.
    execution_segment: Segment = "executionSegment", "ExecutionSegment", NO_ENV;
    /// The parts all instances run.
    execution_segment_sequence: SegmentSequence = "executionSegmentSequence", "ExecutionSegmentSequence", NO_ENV;
    /// Leave `setup()` out.
    no_setup: bool = "noSetup", "NoSetup", Some("K6_NO_SETUP");
    /// How long `setup()` may take.
    setup_timeout: Span = "setupTimeout", "SetupTimeout", Some("K6_SETUP_TIMEOUT");
    /// Leave `teardown()` out.
    no_teardown: bool = "noTeardown", "NoTeardown", Some("K6_NO_TEARDOWN");
    /// How long `teardown()` may take.
    teardown_timeout: Span = "teardownTimeout", "TeardownTimeout", Some("K6_TEARDOWN_TIMEOUT");
    /// How long `handleSummary()` may take.
    handle_summary_timeout: Span = "handleSummaryTimeout", "HandleSummaryTimeout", Some("K6_HANDLE_SUMMARY_TIMEOUT");
    /// HTTP calls per second over all VUs of the process; 0 and less mean no limit.
    rps: i64 = "rps", "RPS", Some("K6_RPS");
    /// How names become addresses.
    dns: DnsOptions = "dns", "DNS", Some("K6_DNS");
    /// How many redirects are followed.
    max_redirects: i64 = "maxRedirects", "MaxRedirects", Some("K6_MAX_REDIRECTS");
    /// The `User-Agent` header.
    user_agent: String = "userAgent", "UserAgent", Some("K6_USER_AGENT");
    /// Requests of one `http.batch()` at a time.
    batch: i64 = "batch", "Batch", Some("K6_BATCH");
    /// Requests of one `http.batch()` to one host at a time; 0 means no limit.
    batch_per_host: i64 = "batchPerHost", "BatchPerHost", Some("K6_BATCH_PER_HOST");
    /// Log requests and responses; `full` with bodies.
    http_debug: String = "httpDebug", "HTTPDebug", Some("K6_HTTP_DEBUG");
    /// Take any certificate.
    insecure_skip_tls_verify: bool =
        "insecureSkipTLSVerify", "InsecureSkipTLSVerify", Some("K6_INSECURE_SKIP_TLS_VERIFY");
    /// The cipher suites allowed.
    tls_cipher_suites: Vec<CipherSuite> = "tlsCipherSuites", "TLSCipherSuites", Some("K6_TLS_CIPHER_SUITES");
    /// The TLS versions allowed.
    tls_version: TlsVersions = "tlsVersion", "TLSVersion", NO_ENV;
    /// Client certificates.
    tls_auth: Vec<TlsAuth> = "tlsAuth", "TLSAuth", Some("K6_TLSAUTH");
    /// Fetch the certificates of issuers that servers leave out.
    tls_aia_fetch: bool = "tlsAIAFetch", "TLSAIAFetch", Some("K6_TLS_AIA_FETCH");
    /// Failed requests throw.
    throw: bool = "throw", "Throw", Some("K6_THROW");
    /// What must hold for the run to pass.
    thresholds: Thresholds = "thresholds", "Thresholds", Some("K6_THRESHOLDS");
    /// Networks that may not be called.
    blacklist_ips: Vec<Cidr> = "blacklistIPs", "BlacklistIPs", Some("K6_BLACKLIST_IPS");
    /// Names that may not be called.
    block_hostnames: Vec<HostPattern> = "blockHostnames", "BlockedHostnames", Some("K6_BLOCK_HOSTNAMES");
    /// Names that are sent elsewhere.
    hosts: Hosts = "hosts", "Hosts", NO_ENV;
    /// Never keep a connection.
    no_connection_reuse: bool = "noConnectionReuse", "NoConnectionReuse", Some("K6_NO_CONNECTION_REUSE");
    /// Close a VU's connections after each iteration.
    no_vu_connection_reuse: bool = "noVUConnectionReuse", "NoVUConnectionReuse", Some("K6_NO_VU_CONNECTION_REUSE");
    /// Iterations shorter than this wait for the rest.
    min_iteration_duration: Span = "minIterationDuration", "MinIterationDuration", Some("K6_MIN_ITERATION_DURATION");
    /// For the hosted service; passed through.
    cloud: Value = "cloud", "Cloud", NO_ENV;
    /// For extensions; passed through. `ext.loadimpact` has no effect, as in k6.
    ext: Value = "ext", "External", NO_ENV;
    /// What the summary shows of a trend.
    summary_trend_stats: Vec<String> = "summaryTrendStats", "SummaryTrendStats", Some("K6_SUMMARY_TREND_STATS");
    /// The unit of times in the summary: `s`, `ms` or `us`; anything else means that each value picks its own.
    summary_time_unit: String = "summaryTimeUnit", "SummaryTimeUnit", Some("K6_SUMMARY_TIME_UNIT");
    /// Which facts about a sample become tags.
    system_tags: SystemTags = "systemTags", "SystemTags", Some("K6_SYSTEM_TAGS");
    /// Tags of every sample.
    tags: TextMap = "tags", "RunTags", Some("K6_TAGS");
    /// The size of k6's sample channel. Read for compatibility: samples here don't wait in a channel.
    metric_samples_buffer_size: i64 =
        "metricSamplesBufferSize", "MetricSamplesBufferSize", Some("K6_METRIC_SAMPLES_BUFFER_SIZE");
    /// Keep cookies from one iteration to the next.
    no_cookies_reset: bool = "noCookiesReset", "NoCookiesReset", Some("K6_NO_COOKIES_RESET");
    /// Don't keep response bodies unless a request asks for its own.
    discard_response_bodies: bool =
        "discardResponseBodies", "DiscardResponseBodies", Some("K6_DISCARD_RESPONSE_BODIES");
    /// Experimental features; from the config file (flag and variable are read by `cli`).
    features: Vec<String> = "features", "Features", NO_ENV;
    /// The file `console.log` writes to; not from scripts.
    console_output: String = "consoleOutput", "ConsoleOutput", Some("K6_CONSOLE_OUTPUT");
    /// Own addresses to connect from; not from scripts.
    local_ips: LocalIps = "localIPs", "LocalIPs", Some("K6_LOCAL_IPS");
}
