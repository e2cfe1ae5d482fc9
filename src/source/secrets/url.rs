//! `--secret-source=url`: each secret is one HTTP request.
//!
//! This is not load: it has a client and a thread of its own, and a rate limit. An answer is the secret, or
//! holds it at a path of names and numbers in JSON.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Variable, wrong};
use crate::failure::Failure;
use crate::units::Span;
use crate::units::percent::encode_component;
use crate::units::sync::lock;
use crate::units::web_client;

/// The longest secret.
const MAX_SECRET_BYTES: usize = 24 * 1024;

pub(super) struct UrlSource(Arc<UrlClient>);

struct UrlClient {
    template: String,
    method: reqwest::Method,
    headers: Vec<(String, String)>,
    path: Option<String>,
    timeout: Duration,
    retries: u32,
    backoff: Duration,
    limiter: RateLimiter,
}

/// Limits requests per minute, with bursts.
struct RateLimiter {
    gap: Duration,
    burst: u32,
    next: Mutex<Option<Instant>>,
}

impl RateLimiter {
    /// How long the next request has to wait.
    fn wait(&self, now: Instant) -> Duration {
        let mut next = lock(&self.next);
        let due = next.map_or(now, |next| next.max(now));
        *next = Some(due + self.gap);
        // A pause saves up at most one burst.
        due.saturating_duration_since(now).saturating_sub(self.gap * self.burst.saturating_sub(1))
    }
}

/// The keys of the configuration, and the variables that stand for them.
const KEYS: [(&str, &str); 8] = [
    ("urlTemplate", "URL_TEMPLATE"),
    ("method", "METHOD"),
    ("responsePath", "RESPONSE_PATH"),
    ("timeout", "TIMEOUT"),
    ("maxRetries", "MAX_RETRIES"),
    ("retryBackoff", "RETRY_BACKOFF"),
    ("requestsPerMinuteLimit", "REQUESTS_PER_MINUTE_LIMIT"),
    ("requestsBurst", "REQUESTS_BURST"),
];

impl UrlSource {
    /// From a file named by `config=`, then variables, then what was typed; later ones win.
    pub fn open(items: &[&str], folder: &Path, variable: Variable<'_>) -> Result<Self, Failure> {
        let mut settings: Vec<(String, String)> = Vec::new();
        let typed: Vec<(&str, &str)> = items
            .iter()
            .map(|item| item.split_once('=').ok_or_else(|| wrong(format!("url: `{item}` has no value"))))
            .collect::<Result<_, _>>()?;
        for (_, path) in typed.iter().filter(|(key, _)| *key == "config") {
            settings.extend(from_file(&folder.join(path))?);
        }
        for (key, name) in KEYS {
            settings.extend(variable(&format!("K6_SECRET_SOURCE_URL_{name}")).map(|value| (key.to_owned(), value)));
        }
        settings
            .extend(typed.iter().filter(|(key, _)| *key != "config").map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        Ok(Self(Arc::new(UrlClient::new(settings)?)))
    }

    /// Asks for a secret.
    pub async fn fetch(&self, key: &str) -> Result<String, String> {
        let (tx, rx) = tokio::sync::oneshot::channel();
        let (asker, key) = (self.0.clone(), key.to_owned());
        // The calling threads have runtimes without sockets.
        std::thread::Builder::new()
            .name("secrets".to_owned())
            .spawn(move || _ = tx.send(asker.ask(&key)))
            .map_err(|error| error.to_string())?;
        rx.await.unwrap_or_else(|_| Err("asking for the secret broke down".to_owned()))
    }
}

fn from_file(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let failed = |error: &dyn std::fmt::Display| wrong(format!("url: `config={}`: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let object = value.as_object().ok_or_else(|| failed(&"is no JSON object"))?;
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut settings = Vec::new();
    for (key, value) in object {
        match value.as_object() {
            Some(headers) if key == "headers" => {
                settings.extend(headers.iter().map(|(name, value)| (format!("headers.{name}"), plain(value))));
            }
            _ => settings.push((key.clone(), plain(value))),
        }
    }
    Ok(settings)
}

impl UrlClient {
    fn new(settings: Vec<(String, String)>) -> Result<Self, Failure> {
        let mut asker = Self {
            template: String::new(),
            method: reqwest::Method::GET,
            headers: Vec::new(),
            path: None,
            timeout: Duration::from_secs(30),
            retries: 3,
            backoff: Duration::from_secs(1),
            limiter: RateLimiter { gap: Duration::from_millis(200), burst: 10, next: Mutex::default() },
        };
        for (key, value) in settings {
            let bad = |why: &dyn std::fmt::Display| wrong(format!("url: `{key}={value}`: {why}"));
            let count = || value.parse::<u32>().map_err(|_| bad(&"must be a whole number"));
            let time = || Span::parse_go(&value).map(Span::to_duration).map_err(|error| bad(&error));
            match key.as_str() {
                "urlTemplate" => asker.template.clone_from(&value),
                "method" => asker.method = value.to_uppercase().parse().map_err(|_| bad(&"is no method"))?,
                "responsePath" => asker.path = (!value.is_empty()).then(|| value.clone()),
                "timeout" => asker.timeout = time()?,
                "maxRetries" => asker.retries = count()?,
                "retryBackoff" => asker.backoff = time()?,
                "requestsPerMinuteLimit" => asker.limiter.gap = Duration::from_secs(60) / count()?.max(1),
                "requestsBurst" => asker.limiter.burst = count()?.max(1),
                _ => match key.strip_prefix("headers.") {
                    // The value of a header may be a secret itself.
                    Some(name) => asker.headers.push((name.to_owned(), value)),
                    None => return Err(wrong(format!("url: unknown key `{key}`"))),
                },
            }
        }
        if !asker.template.contains("{key}") {
            let words = "the secret source `url` needs a `urlTemplate`, with `{key}` where the key belongs";
            return Err(wrong(words));
        }
        Ok(asker)
    }

    fn ask(&self, key: &str) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(async {
            let mut pause = self.backoff;
            for attempt in 0.. {
                tokio::time::sleep(self.limiter.wait(Instant::now())).await;
                match self.once(key).await {
                    Ok(body) => return self.pick(&body),
                    Err((error, may_pass)) if !may_pass || attempt >= self.retries => return Err(error),
                    Err(_) => {}
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            unreachable!("the loop ends with its last attempt")
        })
    }

    /// The body, or what went wrong and whether that may pass.
    async fn once(&self, key: &str) -> Result<String, (String, bool)> {
        let url = self.template.replace("{key}", &encode_component(key));
        let lasting = |error: reqwest::Error| (error.without_url().to_string(), false);
        let passing = |error: reqwest::Error| (error.without_url().to_string(), true);
        let client = web_client::builder().timeout(self.timeout).build().map_err(lasting)?;
        let mut request = client.request(self.method.clone(), url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut answer = request.send().await.map_err(passing)?;
        let status = answer.status();
        if !status.is_success() {
            let may_pass = status.is_server_error() || status.as_u16() == 429;
            return Err((format!("the source answered {}", status.as_u16()), may_pass));
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(passing)? {
            body.extend_from_slice(&part);
            if body.len() > MAX_SECRET_BYTES {
                return Err((format!("the answer is longer than {MAX_SECRET_BYTES} bytes"), false));
            }
        }
        String::from_utf8(body).map_err(|_| ("the answer is no text".to_owned(), false))
    }

    /// The secret in an answer. Messages hold no part of it.
    fn pick(&self, body: &str) -> Result<String, String> {
        let Some(path) = &self.path else { return Ok(body.to_owned()) };
        let value: Value = serde_json::from_str(body).map_err(|_| "the answer is no JSON".to_owned())?;
        let step = |value: &Value, part: &str| match value {
            Value::Array(list) => list.get(part.parse::<usize>().ok()?).cloned(),
            other => other.get(part).cloned(),
        };
        match path.split('.').try_fold(value, |value, part| step(&value, part)) {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Null) | None => Err(format!("the answer has nothing at `{path}`")),
            Some(other) => Ok(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// Answers one request after the other with these; what was asked.
    fn serve(answers: &'static [&'static str]) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = std::thread::spawn(move || {
            answers
                .iter()
                .map(|answer| {
                    let (mut stream, _) = listener.accept().unwrap();
                    let mut bytes = [0; 4096];
                    let read = stream.read(&mut bytes).unwrap();
                    let (status, body) = answer.split_once(' ').unwrap();
                    let length = body.len();
                    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                    stream.write_all((head + body).as_bytes()).unwrap();
                    String::from_utf8_lossy(&bytes[..read]).to_lowercase()
                })
                .collect()
        });
        (address, asked)
    }

    fn fetch(settings: &[&str], key: &str) -> Result<String, String> {
        let source = UrlSource::open(settings, Path::new("/"), &|_| None).unwrap();
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(source.fetch(key))
    }

    #[test]
    fn a_secret_is_asked_for_and_picked() {
        let (address, asked) = serve(&["503 busy", "200 {\"data\": [{\"value\": \"s3cret\"}]}"]);
        let template = format!("urlTemplate=http://{address}/secrets/{{key}}");
        let settings = [&template, "headers.X-Token=t", "responsePath=data.0.value", "retryBackoff=1ms", "method=post"];
        assert_eq!(fetch(&settings, "a/b").as_deref(), Ok("s3cret"));
        for request in asked.join().unwrap() {
            assert!(request.starts_with("post /secrets/a%2fb http/1.1\r\n"), "{request}");
            assert!(request.contains("x-token: t\r\n"), "{request}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_told_without_a_word_of_it() {
        let check = |answers, expect: &str| {
            let (address, asked) = serve(answers);
            let template = format!("urlTemplate=http://{address}/{{key}}");
            let got = fetch(&[&template, "responsePath=value", "retryBackoff=1ms", "maxRetries=1"], "k");
            assert_eq!(got.unwrap_err(), expect);
            asked.join().unwrap();
        };
        check(&["404 nope"], "the source answered 404");
        check(&["429 slow", "500 busy"], "the source answered 500");
        check(&["200 s3cret"], "the answer is no JSON");
        check(&["200 {\"other\": \"s3cret\"}"], "the answer has nothing at `value`");
    }

    #[test]
    fn settings_come_from_files_variables_and_words() {
        let folder = tempfile::tempdir().unwrap();
        let file = r#"{"urlTemplate": "http://file/{key}", "headers": {"A": "b"}, "maxRetries": 7, "timeout": "9s"}"#;
        std::fs::write(folder.path().join("c.json"), file).unwrap();
        let variable = |name: &str| (name == "K6_SECRET_SOURCE_URL_TIMEOUT").then(|| "5s".to_owned());
        let items = ["config=c.json", "urlTemplate=http://typed/{key}"];
        let UrlSource(asker) = UrlSource::open(&items, folder.path(), &variable).unwrap();
        assert_eq!((asker.template.as_str(), asker.retries), ("http://typed/{key}", 7));
        assert_eq!((asker.timeout, asker.headers.len()), (Duration::from_secs(5), 1));
        let failure = UrlSource::open(&["colour=red"], folder.path(), &|_| None).err().unwrap();
        assert_eq!(failure.message, "url: unknown key `colour`");
    }

    #[test]
    fn requests_keep_their_pace() {
        let limiter = RateLimiter { gap: Duration::from_millis(200), burst: 2, next: Mutex::default() };
        let now = Instant::now();
        let waits: Vec<_> = (0..5).map(|_| limiter.wait(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 200, 400, 600]);
        assert_eq!(limiter.wait(now + Duration::from_secs(60)).as_millis(), 0);
    }
}
