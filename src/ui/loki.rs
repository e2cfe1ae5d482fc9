//! Log lines for Grafana Loki: gathered, and pushed once per period by a thread of its own.
//!
//! It blocks no other thread: lines come through a bounded channel, and what exceeds it or the limit per period is counted
//! and logged. A push that fails is logged on standard error and not repeated. Deliberately absent: k6's
//! `profile`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::log::parse_level;
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::log::{Level, Logger};
use crate::units::Span;
use crate::units::web_client;

/// At most this many lines wait for the thread.
const MAX_QUEUED_LINES: usize = 16_384;
/// How long one push may take, and how long the end of the process waits for the last.
const PUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// `--log-output=loki…`, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LokiConfig {
    url: String,
    push_period: Duration,
    limit: usize,
    max_line_bytes: usize,
    /// The least grave level that is pushed; `None` for what the whole log shows.
    pub level: Option<Level>,
    /// Fields that become labels; `None` for all.
    allowed: Option<Vec<String>>,
    labels: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl LokiConfig {
    /// Reads `loki[=URL][,KEY=VALUE…]`; a list is `KEY=[a,b]`.
    ///
    /// # Errors
    /// Keys that are unknown, values that are wrong; code 255.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |message: String| Failure::new(ExitCode::Other, message);
        let mut config = Self {
            url: "http://127.0.0.1:3100/loki/api/v1/push".to_owned(),
            push_period: Duration::from_secs(1),
            limit: 100,
            max_line_bytes: 1_048_576,
            level: None,
            allowed: None,
            labels: Vec::new(),
            headers: Vec::new(),
        };
        for item in items(text) {
            let (key, value) = item.split_once('=').unwrap_or((item, ""));
            let bad = |why: String| wrong(format!("loki: `{key}={value}`: {why}"));
            let count = |value: &str| match value.parse() {
                Ok(count) if count > 0 => Ok(count),
                _ => Err(bad("must be a whole number above 0".to_owned())),
            };
            match key {
                "loki" if value.is_empty() => {}
                "loki" => config.url = value.to_owned(),
                "pushPeriod" => {
                    let span = Span::parse_go(value).map_err(bad)?;
                    if span <= Span::ZERO {
                        return Err(bad("must be more than 0".to_owned()));
                    }
                    config.push_period = span.to_duration();
                }
                "limit" => config.limit = count(value)?,
                "msgMaxSize" => config.max_line_bytes = count(value)?,
                "level" => {
                    config.level = Some(parse_level(value).ok_or_else(|| wrong(format!("unknown log level {value}")))?);
                }
                "allowedLabels" => {
                    let list = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value);
                    config.allowed = Some(list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect());
                }
                "profile" => return Err(wrong("loki: `profile` is not offered".to_owned())),
                _ => match (key.strip_prefix("label."), key.strip_prefix("header.")) {
                    (Some(name), _) if !name.is_empty() => config.labels.push((name.to_owned(), value.to_owned())),
                    (_, Some(name)) if !name.is_empty() => config.headers.push((name.to_owned(), value.to_owned())),
                    _ => return Err(wrong(format!("unknown loki config key {key}"))),
                },
            }
        }
        Ok(config)
    }
}

/// The parts between commas; those inside brackets belong to a list.
fn items(text: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, sign) in text.char_indices() {
        match sign {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth <= 0 => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    items
}

/// One line on its way.
#[derive(Clone, Debug)]
pub(super) struct LokiLine {
    pub time: SystemTime,
    pub level: Level,
    pub message: String,
    pub fields: BTreeMap<String, String>,
}

/// The pusher at work.
#[derive(Debug)]
pub(super) struct Loki {
    lines: SyncSender<LokiLine>,
    lost: Arc<AtomicU64>,
    done: Receiver<()>,
    fallback: Logger,
}

impl Loki {
    /// Starts the thread; what can't be pushed is logged to `fallback`.
    pub fn start(config: LokiConfig, fallback: Logger) -> Result<Self, Failure> {
        let mut request = web_client::builder().timeout(PUSH_TIMEOUT).build().exit(ExitCode::Other)?.post(&config.url);
        for (name, value) in &config.headers {
            request = request.header(name, value);
        }
        // What is wrong with the address or a header shows now.
        request.try_clone().map(|request| request.build()).transpose().exit(ExitCode::Other)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
        let (lines, arriving) = sync_channel(MAX_QUEUED_LINES);
        let (done_tx, done) = sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let pusher = Pusher { config, request, runtime, fallback: fallback.clone(), lost: lost.clone() };
        std::thread::Builder::new()
            .name("loki".to_owned())
            .spawn(move || {
                pusher.work(&arriving);
                _ = done_tx.send(());
            })
            .exit(ExitCode::Other)?;
        Ok(Self { lines, lost, done, fallback })
    }

    /// Takes a line, or counts it as lost.
    pub fn take(&self, line: LokiLine) {
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    /// Pushes the rest.
    pub fn close(self) {
        drop(self.lines);
        // A server that does not answer delays the end of the process by this much.
        if let Err(RecvTimeoutError::Timeout) = self.done.recv_timeout(PUSH_TIMEOUT + Duration::from_secs(1)) {
            self.fallback.error("Loki takes no more log lines: the last ones are lost");
        }
    }
}

type LokiLabels<'l> = BTreeMap<&'l str, &'l str>;
/// Lines with the same labels: the moment in nanoseconds, and the text.
type LokiStream<'l> = (LokiLabels<'l>, Vec<[String; 2]>);

struct Pusher {
    config: LokiConfig,
    request: reqwest::RequestBuilder,
    runtime: tokio::runtime::Runtime,
    fallback: Logger,
    lost: Arc<AtomicU64>,
}

impl Pusher {
    fn work(&self, arriving: &Receiver<LokiLine>) {
        let mut held: Vec<LokiLine> = Vec::new();
        let mut next = Instant::now() + self.config.push_period;
        loop {
            let is_over = match arriving.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(line) if held.len() < self.config.limit => {
                    held.push(line);
                    false
                }
                Ok(_) => {
                    self.lost.fetch_add(1, Relaxed);
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            if is_over || Instant::now() >= next {
                self.push(std::mem::take(&mut held));
                next = Instant::now() + self.config.push_period;
            }
            if is_over {
                return;
            }
        }
    }

    fn push(&self, mut lines: Vec<LokiLine>) {
        let lost = self.lost.swap(0, Relaxed);
        if lost > 0 {
            let period = Span::from(self.config.push_period);
            let message =
                format!("{lost} log lines were dropped, above the limit of {} in {period}", self.config.limit);
            let (time, fields) = (SystemTime::now(), BTreeMap::new());
            lines.push(LokiLine { time, level: Level::Warning, message, fields });
        }
        if lines.is_empty() {
            return;
        }
        let body = self.body(&lines).to_string();
        let Some(request) = self.request.try_clone() else { return };
        let request = request.header("Content-Type", "application/json").body(body);
        let failed = match self.runtime.block_on(async { request.send().await }) {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => format!("the server answered {}", answer.status()),
            Err(error) => error.without_url().to_string(),
        };
        self.fallback.error(format!("{} log lines could not be pushed to Loki: {failed}", lines.len()));
    }

    /// Lines by their labels, in the order in which they came.
    fn body(&self, lines: &[LokiLine]) -> serde_json::Value {
        let mut streams: Vec<LokiStream> = Vec::new();
        for line in lines {
            let mut labels = LokiLabels::new();
            let mut text = line.message.clone();
            for (key, value) in &line.fields {
                if self.config.allowed.as_ref().is_none_or(|allowed| allowed.contains(key)) {
                    labels.insert(key, value);
                } else {
                    text.push_str(&format!(" {key}={value}"));
                }
            }
            labels.extend(self.config.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            labels.insert("level", line.level.word());
            let end = (0..=self.config.max_line_bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
            let nanos = line.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string();
            let at = streams.iter().position(|(known, _)| *known == labels);
            let at = at.unwrap_or_else(|| {
                streams.push((labels, Vec::new()));
                streams.len() - 1
            });
            streams[at].1.push([nanos, text]);
        }
        let streams: Vec<_> =
            streams.into_iter().map(|(labels, values)| json!({"stream": labels, "values": values})).collect();
        json!({"streams": streams})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read() {
        let usual = || LokiConfig::parse("loki").unwrap();
        let check = |text: &str, expect: Result<LokiConfig, &str>| {
            let read = LokiConfig::parse(text).map_err(|failure| failure.message);
            assert_eq!(read, expect.map_err(str::to_owned), "{text}");
        };
        check("loki=http://x/push", Ok(LokiConfig { url: "http://x/push".to_owned(), ..usual() }));
        check(
            "loki,limit=5,pushPeriod=2s,msgMaxSize=9,level=warning,allowedLabels=[a,b],label.c=d,header.E=f",
            Ok(LokiConfig {
                limit: 5,
                push_period: Duration::from_secs(2),
                max_line_bytes: 9,
                level: Some(Level::Warning),
                allowed: Some(vec!["a".to_owned(), "b".to_owned()]),
                labels: vec![("c".to_owned(), "d".to_owned())],
                headers: vec![("E".to_owned(), "f".to_owned())],
                ..usual()
            }),
        );
        check("loki,limit=0", Err("loki: `limit=0`: must be a whole number above 0"));
        check("loki,pushPeriod=0s", Err("loki: `pushPeriod=0s`: must be more than 0"));
        check("loki,level=loud", Err("unknown log level loud"));
        check("loki,colour=red", Err("unknown loki config key colour"));
        check("loki,profile=true", Err("loki: `profile` is not offered"));
    }

    #[test]
    fn lines_are_sorted_by_their_labels() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = LokiConfig::parse("loki,allowedLabels=[a],label.job=k6,msgMaxSize=12").unwrap();
        let pusher = Pusher {
            request: reqwest::Client::new().post(&config.url),
            config,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            fallback: Logger::silent(),
            lost: Arc::default(),
        };
        let line = |level: Level, message: &str, fields: &[(&str, &str)]| LokiLine {
            time: UNIX_EPOCH + Duration::from_nanos(7),
            level,
            message: message.to_owned(),
            fields: fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        };
        let body = pusher.body(&[
            line(Level::Info, "one", &[("a", "1"), ("b", "2")]),
            line(Level::Error, "žluťoučký kůň", &[("a", "1")]),
            line(Level::Info, "three", &[("a", "1")]),
        ]);
        let stream = |level: &str, values: serde_json::Value| json!({"stream": {"a": "1", "job": "k6", "level": level}, "values": values});
        let expect = json!({"streams": [
            stream("info", json!([["7", "one b=2"], ["7", "three"]])),
            stream("error", json!([["7", "žluťoučk"]])),
        ]});
        assert_eq!(body, expect);
    }
}
