//! `-o influxdb[=URL]`: every sample as a point, in the line protocol of InfluxDB 1, over HTTP or UDP.
//!
//! Points of one series with one time would overwrite each other there, so a later one is moved on by a nanosecond.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::push::transport::HttpOptions;
use super::push::{HttpTransport, PushEncoder, PushLimits, PushOutput, PushPayload, Transport, UdpTransport};
use super::settings::{OutputSettings, shown};
use super::{Output, OutputContext};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::metrics::{MetricId, Record, TagSet};
use crate::units::number;
use crate::units::redact::redact_typed;

/// The most tag sets whose text is cached; then the cache is emptied.
const MAX_CACHED_TAG_SETS: usize = 8192;

/// Makes the output.
///
/// # Errors
/// One line for a setting that is unknown or malformed.
pub fn new(argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, Failure> {
    make(argument, context).exit(ExitCode::Other)
}

fn make(argument: Option<&str>, context: &OutputContext) -> Result<Box<dyn Output>, String> {
    let settings = OutputSettings { context, output: "influxdb", prefix: "K6_INFLUXDB_", argument: read(argument)? };
    let text = |key: &str, variable: &str| settings.text(key, variable).unwrap_or_default();
    let address = settings.text("addr", "ADDR").unwrap_or_else(|| "http://localhost:8086".to_owned());
    let database = settings.text("db", "DB").unwrap_or_else(|| "k6".to_owned());
    let precision = settings.parsed("precision", "PRECISION", ("ns", 1), precision)?;
    let max_concurrent = settings.number("concurrentWrites", "CONCURRENT_WRITES", 4)?;
    let max_concurrent = usize::try_from(max_concurrent).ok().filter(|number| *number > 0);
    let max_concurrent = max_concurrent.ok_or("influxdb's ConcurrentWrites must be a positive number")?;
    let period = settings.time("pushInterval", "PUSH_INTERVAL", Duration::from_secs(1))?;
    let listed = settings.text("tagsAsFields", "TAGS_AS_FIELDS").unwrap_or_else(|| "vu,iter,url".to_owned());
    let fields = fields(&listed)?;
    let payload = settings.number("payloadSize", "PAYLOAD_SIZE", 512)?;
    let is_insecure = settings.flag("insecure", "INSECURE")?;
    let transport = if let Some(peer) = address.strip_prefix("udp://") {
        let most = usize::try_from(payload).ok().filter(|size| *size > 0).unwrap_or(512);
        Transport::Udp(UdpTransport::new(peer, most, usize::MAX)?)
    } else {
        let options = HttpOptions {
            headers: vec![("user-agent".to_owned(), super::USER_AGENT.to_owned())],
            login: settings.text("username", "USERNAME").map(|user| (user, text("password", "PASSWORD"))),
            is_insecure,
            proxy: settings.text("proxy", "PROXY"),
            ..HttpOptions::default()
        };
        let base = address.trim_end_matches('/');
        let query = form(&[
            ("consistency", &text("consistency", "CONSISTENCY")),
            ("db", &database),
            ("precision", precision.0),
            ("rp", &text("retention", "RETENTION")),
        ]);
        let create = form(&[("db", ""), ("params", "{}"), ("q", &format!("CREATE DATABASE {database}"))]);
        let transport = HttpTransport::new(&format!("{base}/write?{query}"), options)?;
        Transport::Http(Box::new(transport.with_first(&format!("{base}/query?{create}"))?))
    };
    let encoder = InfluxEncoder {
        context: context.clone(),
        fields,
        unit: precision.1,
        tails: FxHashMap::default(),
        heads: FxHashMap::default(),
        names: Vec::new(),
        seen: Default::default(),
        body: String::new(),
        samples: 0,
        has_warned: false,
    };
    let failed = "Couldn't write stats";
    let limits = PushLimits { max_concurrent, timeout: Duration::from_secs(10), failed, last_failed: failed };
    let description = format!("InfluxDBv1 ({})", shown(&address));
    Ok(Box::new(PushOutput::new(description, period, encoder, transport, limits, &context.logger)))
}

/// What the argument says: `http://user:password@host:8086/prefix/database?pushInterval=2s`. The last part of the path is the
/// database, what stands before it belongs to the address. Without a host, all of the path is the database.
fn read(argument: Option<&str>) -> Result<Vec<(&'static str, String)>, String> {
    let Some(argument) = argument.filter(|text| !text.is_empty()) else { return Ok(Vec::new()) };
    let has_host = !argument.starts_with('/');
    let whole = if has_host { argument.to_owned() } else { format!("http://localhost{argument}") };
    let url =
        reqwest::Url::parse(&whole).map_err(|error| format!("`{}` is no URL: {error}", redact_typed(argument)))?;
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host
        .ok_or_else(|| format!("`{}` names no host: write it like http://localhost:8086/k6", redact_typed(argument)))?;
    let mut settings = Vec::new();
    let mut database = url.path().trim_start_matches('/');
    if has_host {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let (before, last) = url.path().rsplit_once('/').unwrap_or(("", url.path()));
        // Datagrams have no path.
        let prefix = if url.scheme() == "udp" { "" } else { before };
        settings.push(("addr", format!("{}://{host}{port}{}", url.scheme(), prefix.trim_end_matches('/'))));
        database = last;
    }
    let mut put = |key, text: &str| {
        let text = unescaped(text);
        if !text.is_empty() {
            settings.push((key, text));
        }
    };
    put("username", url.username());
    put("password", url.password().unwrap_or_default());
    put("db", database);
    const KEYS: [(&str, &str); 8] = [
        ("insecure", "insecure"),
        ("payload_size", "payloadSize"),
        ("precision", "precision"),
        ("retention", "retention"),
        ("consistency", "consistency"),
        ("pushInterval", "pushInterval"),
        ("concurrentWrites", "concurrentWrites"),
        ("tagsAsFields", "tagsAsFields"),
    ];
    let mut lists = Vec::new();
    for (key, value) in url.query_pairs() {
        let known = KEYS.iter().find(|(known, _)| *known == key).map(|(_, setting)| *setting);
        match known.ok_or_else(|| format!("unknown query parameter: {key}"))? {
            "tagsAsFields" => lists.push(value.into_owned()),
            known => settings.push((known, value.into_owned())),
        }
    }
    if !lists.is_empty() {
        settings.push(("tagsAsFields", lists.join(",")));
    }
    Ok(settings)
}

/// A part of a URL as it was meant.
pub(super) fn unescaped(text: &str) -> String {
    // The query of a URL is the one place whose decoding is at hand; a plus sign is not meant there.
    let url = reqwest::Url::parse(&format!("http://h/?v={}", text.replace('+', "%2B").replace('&', "%26")));
    url.ok().and_then(|url| url.query_pairs().next().map(|(_, value)| value.into_owned())).unwrap_or_default()
}

/// A query, every value escaped.
fn form(pairs: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://h/").expect("this URL is well formed");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// InfluxDB's name of a precision and its nanoseconds.
fn precision(text: &str) -> Result<(&'static str, u64), String> {
    const TABLE: [(&str, &str, u64); 8] = [
        ("n", "ns", 1),
        ("ns", "ns", 1),
        ("u", "u", 1_000),
        ("us", "u", 1_000),
        ("ms", "ms", 1_000_000),
        ("s", "s", 1_000_000_000),
        ("m", "m", 60_000_000_000),
        ("h", "h", 3_600_000_000_000),
    ];
    let known = TABLE.iter().find(|(name, ..)| *name == text).map(|(_, name, nanos)| (*name, *nanos));
    known.ok_or_else(|| "write `ns`, `u`, `ms`, `s`, `m` or `h`".to_owned())
}

/// How a tag is written as a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldType {
    Text,
    Bool,
    Float,
    Int,
}

/// `name` or `name:type`, separated by commas.
fn fields(list: &str) -> Result<Vec<(String, FieldType)>, String> {
    let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let (name, kind) = item.split_once(':').unwrap_or((item, "string"));
            let kind = match kind {
                "string" => FieldType::Text,
                "bool" => FieldType::Bool,
                "float" => FieldType::Float,
                "int" => FieldType::Int,
                _ => return Err(format!("an invalid type ({kind}) is specified for an InfluxDB field ({item})")),
            };
            Ok((name.to_owned(), kind))
        })
        .collect()
}

/// The cached parts of a line that come from a tag set.
struct Tail {
    /// Keeps the address of the set its own.
    _tags: Arc<TagSet>,
    /// The number of what stands before the fields: series of one number and one metric are one.
    series: u32,
    /// `,method=GET` and so on: what selects the series.
    tags: Arc<str>,
    /// Fields that stand before `value`, with a comma behind them.
    before: Box<str>,
    /// Fields that stand after it, with a comma before them.
    after: Box<str>,
}

/// Points as lines.
struct InfluxEncoder {
    context: OutputContext,
    fields: Vec<(String, FieldType)>,
    unit: u64,
    /// By the address of the tag set.
    tails: FxHashMap<usize, Tail>,
    heads: FxHashMap<Arc<str>, u32>,
    names: Vec<Option<Box<str>>>,
    /// The moments already used, by series and metric: of this payload and of the previous one.
    seen: [FxHashSet<(u32, u16, u64)>; 2],
    body: String,
    samples: u64,
    has_warned: bool,
}

impl PushEncoder for InfluxEncoder {
    const IS_CUMULATIVE: bool = false;

    fn take(&mut self, record: &Record) {
        let address = Arc::as_ptr(record.tags()) as usize;
        if !self.tails.contains_key(&address) {
            self.learn(address, record.tags());
        }
        let Some(tail) = self.tails.get(&address) else { return };
        let (time, unit) = (record.time().0, self.unit);
        // The samples of one record share their moment, so its first metric speaks for all of them.
        let mut stamp = None;
        record.each_sample(|metric, value| {
            if !value.is_finite() {
                if !self.has_warned {
                    self.has_warned = true;
                    self.context.logger.warn("InfluxDB knows no infinite numbers, such samples are left out there");
                }
                return;
            }
            let time = *stamp.get_or_insert_with(|| free(&mut self.seen, (tail.series, metric.0, time), unit));
            self.body.push_str(name(&mut self.names, metric, &self.context));
            self.body.push_str(&tail.tags);
            self.body.push(' ');
            self.body.push_str(&tail.before);
            self.body.push_str("value=");
            number::write_js(value, &mut self.body);
            self.body.push_str(&tail.after);
            // Writing to a string can't fail.
            _ = writeln!(self.body, " {}", time / unit);
            self.samples += 1;
        });
    }

    fn encode(&mut self, _is_last: bool) -> Vec<PushPayload> {
        if self.body.is_empty() {
            return Vec::new();
        }
        self.seen.swap(0, 1);
        self.seen[0].clear();
        let body = std::mem::take(&mut self.body).into_bytes();
        vec![PushPayload { body, samples: std::mem::take(&mut self.samples) }]
    }

    fn waiting(&self) -> usize {
        self.body.len()
    }
}

impl InfluxEncoder {
    fn learn(&mut self, address: usize, tags: &Arc<TagSet>) {
        if self.tails.len() >= MAX_CACHED_TAG_SETS {
            self.tails.clear();
        }
        let kind = |key: &str| self.fields.iter().find(|(name, _)| name == key).map(|(_, kind)| *kind);
        let (mut head, mut before, mut after) = (String::new(), String::new(), String::new());
        for (key, value) in tags.iter() {
            match kind(key) {
                None if value.is_empty() => (),
                None => {
                    head.push(',');
                    escape(key, &[',', '=', ' '], &mut head);
                    head.push('=');
                    escape(value, &[',', '=', ' '], &mut head);
                }
                Some(kind) => {
                    let mut field = String::new();
                    escape(key, &[',', '=', ' '], &mut field);
                    field.push('=');
                    write_field(kind, value, &mut field);
                    if key < "value" { before.extend([&field, ","]) } else { after.extend([",", &field]) }
                }
            }
        }
        let head: Arc<str> = head.into();
        let next = u32::try_from(self.heads.len()).unwrap_or(u32::MAX);
        if self.heads.len() >= MAX_CACHED_TAG_SETS * 16 {
            self.heads.clear();
        }
        let series = *self.heads.entry(head.clone()).or_insert(next);
        let (before, after) = (before.into(), after.into());
        self.tails.insert(address, Tail { _tags: tags.clone(), series, tags: head, before, after });
    }
}

/// The first moment from this one on that no point of this series has; coarser times are meant to fall together.
fn free(
    [new, old]: &mut [FxHashSet<(u32, u16, u64)>; 2],
    (series, metric, mut time): (u32, u16, u64),
    unit: u64,
) -> u64 {
    while unit == 1 && (old.contains(&(series, metric, time)) || !new.insert((series, metric, time))) {
        time += 1;
    }
    time
}

/// The measurement of a metric.
fn name<'a>(names: &'a mut Vec<Option<Box<str>>>, metric: MetricId, context: &OutputContext) -> &'a str {
    let place = usize::from(metric.0);
    if place >= names.len() {
        names.resize(place + 1, None);
    }
    names[place]
        .get_or_insert_with(|| context.registry.get(metric).map_or_else(|| "".into(), |metric| (*metric.name).into()))
}

fn escape(text: &str, special: &[char], to: &mut String) {
    for c in text.chars() {
        match c {
            // A line break would end the point.
            '\n' => to.push_str("\\n"),
            c if special.contains(&c) => to.extend(['\\', c]),
            c => to.push(c),
        }
    }
    // A backslash at the end would escape what follows.
    if text.ends_with('\\') {
        to.push(' ');
    }
}

/// A value that doesn't fit the kind asked for stays text.
fn write_field(kind: FieldType, value: &str, to: &mut String) {
    // Writing to a string can't fail.
    _ = match kind {
        FieldType::Int if value.parse::<i64>().is_ok() => write!(to, "{value}i"),
        FieldType::Float if value.parse::<f64>().is_ok_and(f64::is_finite) => write!(to, "{value}"),
        FieldType::Bool if matches!(value, "true" | "false") => write!(to, "{value}"),
        _ => write!(to, "\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_a_path_is_the_database() {
        let check = |argument: &str, address: Option<&str>, database: Option<&str>| {
            let settings = read(Some(argument)).unwrap();
            let get = |key| settings.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
            assert_eq!((get("addr"), get("db")), (address, database), "{argument}");
        };
        check("http://h:8086/k6db", Some("http://h:8086"), Some("k6db"));
        check("http://h/influxdbA/k6db", Some("http://h/influxdbA"), Some("k6db"));
        check("http://u:p@h/a/b/k6%20db?precision=ms", Some("http://h/a/b"), Some("k6 db"));
        check("http://h/influxdbA/", Some("http://h/influxdbA"), None);
        check("http://h/a/b/", Some("http://h/a/b"), None);
        check("http://h/", Some("http://h"), None);
        check("http://h", Some("http://h"), None);
        check("/k6db", None, Some("k6db"));
        check("/k6db?precision=ms", None, Some("k6db"));
        check("udp://h:1/a/b", Some("udp://h:1"), Some("b"));
    }
}
