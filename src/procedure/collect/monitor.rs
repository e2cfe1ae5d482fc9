//! What a Redis was asked during a run, as its `MONITOR` tells, in `NAME_monitor.log`: a bounded number of lines, after
//! which Redis is left alone. Commands, keys and options are kept; values are told by their sizes, and what may hold a
//! password not at all.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;

/// How much is logged.
#[derive(Clone, Copy, Debug)]
pub struct MonitorLimits {
    /// At most so many lines.
    pub lines: u64,
    /// At most so many bytes.
    pub bytes: u64,
}

impl Default for MonitorLimits {
    fn default() -> Self {
        Self { lines: 10_000, bytes: 2_000_000 }
    }
}

/// What was logged.
#[derive(Debug, Default)]
pub(super) struct MonitorLog {
    /// The lines.
    pub(super) text: String,
    /// How many.
    pub(super) lines: u64,
    /// Why it ends where it ends.
    pub(super) end: &'static str,
    /// What went wrong.
    pub(super) trouble: Option<String>,
}

/// How long Redis may take to begin.
const MONITOR_TIMEOUT: Duration = Duration::from_secs(3);

/// Longer lines are cut.
const MAX_LINE_LEN: usize = 500;

/// Listens until it is told to stop, or the log is full.
pub(super) async fn listen(url: String, bounds: MonitorLimits, mut stopped: watch::Receiver<bool>) -> MonitorLog {
    let mut log = MonitorLog { end: "the run was over", ..MonitorLog::default() };
    let opening = async {
        let client = redis::Client::open(url).map_err(|error| error.to_string())?;
        client.get_async_monitor().await.map_err(|error| error.to_string())
    };
    let opened = tokio::select! {
        opened = tokio::time::timeout(MONITOR_TIMEOUT, opening) => opened,
        _ = stopped.changed() => return log,
    };
    let monitor = match opened.unwrap_or_else(|_| Err(format!("no answer within {} s", MONITOR_TIMEOUT.as_secs()))) {
        Ok(monitor) => monitor,
        Err(why) => return MonitorLog { end: "it could not begin", trouble: Some(format!("MONITOR: {why}")), ..log },
    };
    let mut lines = monitor.into_on_message::<String>();
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            _ = stopped.changed() => return log,
        };
        let Some(line) = line else {
            log.end = "Redis ended it";
            log.trouble = Some("MONITOR: the connection was closed".to_owned());
            return log;
        };
        let line = redacted(&line);
        if log.lines >= bounds.lines || (log.text.len() + line.len() + 1) as u64 > bounds.bytes {
            log.end = "the log was full";
            return log;
        }
        log.text.push_str(&line);
        log.text.push('\n');
        log.lines += 1;
    }
}

/// Commands whose arguments may hold passwords, or scripts that do.
const SECRET: [&str; 11] =
    ["AUTH", "HELLO", "ACL", "CONFIG", "MIGRATE", "EVAL", "EVAL_RO", "SCRIPT", "FUNCTION", "SENTINEL", "DEBUG"];

/// Commands all of whose arguments are keys.
const KEYS_ONLY: [&str; 12] =
    ["MGET", "DEL", "UNLINK", "EXISTS", "TOUCH", "WATCH", "SINTER", "SUNION", "SDIFF", "RENAME", "RENAMENX", "PFCOUNT"];

/// Arguments that say how, not what.
const OPTIONS: [&str; 22] = [
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    "NX",
    "XX",
    "GT",
    "LT",
    "CH",
    "GET",
    "KEEPTTL",
    "PERSIST",
    "MATCH",
    "COUNT",
    "TYPE",
    "LIMIT",
    "WITHSCORES",
    "BYSCORE",
    "BYLEX",
    "REV",
    "ASC",
    "DESC",
];

/// A line without values: `1700000000.1 [0 127.0.0.1:5000] "SET" "key" <12 bytes> "EX" "60"`.
fn redacted(line: &str) -> String {
    let (head, rest) = match line.find('"') {
        Some(begin) => line.split_at(begin),
        None => (line, ""),
    };
    let words = words(rest);
    let mut told = head.to_owned();
    let command = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    let is_secret = SECRET.contains(&command.as_str());
    let mut follows_option = false;
    for (place, word) in words.iter().enumerate() {
        let is_option = place > 1 && OPTIONS.contains(&word.to_ascii_uppercase().as_str());
        // A number after an option is how long or how many, any other may be a value.
        let is_number = follows_option && word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_told = match place {
            0 => true,
            _ if is_secret => false,
            1 => true,
            _ => KEYS_ONLY.contains(&command.as_str()) || is_option || is_number,
        };
        follows_option = is_option;
        if place > 0 {
            told.push(' ');
        }
        match (is_told, is_secret) {
            (true, _) => told.push_str(&format!("\"{word}\"")),
            (false, true) => told.push_str("(redacted)"),
            (false, false) => told.push_str(&format!("<{} bytes>", length(word))),
        }
        if is_secret && place > 0 {
            // How many there are is nobody's business either.
            break;
        }
    }
    if told.len() > MAX_LINE_LEN {
        let end = (0..=MAX_LINE_LEN).rev().find(|end| told.is_char_boundary(*end)).unwrap_or(0);
        told.truncate(end);
        told.push('…');
    }
    told
}

/// The arguments, still escaped.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut begin = None;
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (begin, byte) {
            _ if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(from), b'"') => {
                words.push(&text[from..at]);
                begin = None;
            }
            (None, b'"') => begin = Some(at + 1),
            _ => (),
        }
    }
    words
}

/// How many bytes an escaped argument stands for.
fn length(word: &str) -> usize {
    let bytes = word.as_bytes();
    let (mut at, mut length) = (0, 0);
    while at < bytes.len() {
        at += match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'x')) => 4,
            (b'\\', _) => 2,
            _ => 1,
        };
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_passwords_are_not_told() {
        let check = |input: &str, expect: &str| {
            let head = "1339518083.107412 [0 127.0.0.1:60866] ";
            assert_eq!(redacted(&format!("{head}{input}")), format!("{head}{expect}"));
        };
        check(r#""GET" "risks:list""#, r#""GET" "risks:list""#);
        check(r#""SET" "a" "top secret" "EX" "60""#, r#""SET" "a" <10 bytes> "EX" "60""#);
        check(r#""set" "a" "\x00\"b\n" "PX" "5""#, r#""set" "a" <4 bytes> "PX" "5""#);
        check(r#""SET" "a" "123""#, r#""SET" "a" <3 bytes>"#);
        check(r#""MGET" "a" "b""#, r#""MGET" "a" "b""#);
        check(r#""HSET" "h" "password" "p""#, r#""HSET" "h" <8 bytes> <1 bytes>"#);
        check(r#""AUTH" "user" "pass""#, r#""AUTH" (redacted)"#);
        check(r#""hello" "3" "AUTH" "u" "p""#, r#""hello" (redacted)"#);
        check(r#""CONFIG" "SET" "requirepass" "p""#, r#""CONFIG" (redacted)"#);
        check(r#""EVAL" "return redis.call('auth','x')" "0""#, r#""EVAL" (redacted)"#);
        check(r#""INFO""#, r#""INFO""#);
        assert_eq!(redacted("OK"), "OK");
        assert!(redacted(&format!("1 [0 lua] \"DEL\" \"{}\"", "k".repeat(9000))).len() < 600);
    }
}
