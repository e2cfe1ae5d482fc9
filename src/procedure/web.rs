//! Requests that are no load: checks, records, Prometheus.

use std::time::Duration;

use serde_json::Value;

use crate::summary::writing;
use crate::units::percent::encode_component;
use crate::units::redact::without_user;
use crate::units::web_client;

/// How long an answer may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A client.
///
/// # Errors
/// When the system's certificates can't be read.
pub fn client() -> Result<reqwest::Client, String> {
    web_client::builder().timeout(REQUEST_TIMEOUT).build().map_err(|error| words(&error))
}

/// The innermost cause says most.
pub fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", REQUEST_TIMEOUT.as_secs());
    }
    innermost(error)
}

/// The innermost cause of an error, which says most and holds no password, without the system's number for it.
pub fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if let Some(error) = cause.downcast_ref::<std::io::Error>() {
        return writing::plain(error);
    }
    let text = cause.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}

/// Asks Prometheus.
///
/// # Errors
/// What it, or the way to it, says.
pub async fn prometheus(
    client: &reqwest::Client,
    base: &str,
    path: &str,
    query: &[(&str, String)],
) -> Result<Value, String> {
    let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={}", encode_component(value))).collect();
    let url = format!("{}/api/v1/{path}?{}", base.trim_end_matches('/'), query.join("&"));
    let answer = client.get(url).send().await.map_err(|error| words(&error))?;
    let status = answer.status();
    let body: Value = answer.json().await.map_err(|_| format!("status {status}, and no JSON"))?;
    match body.get("status").and_then(Value::as_str) {
        Some("success") => Ok(body),
        _ => Err(body.get("error").and_then(Value::as_str).unwrap_or("no answer of a Prometheus").to_owned()),
    }
}

/// What stands at a path such as `data.list[0].id`, `.` for the whole.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut here = value;
    for part in path.split(['.', '[']).map(|part| part.trim_end_matches(']')).filter(|part| !part.is_empty()) {
        here = match here {
            Value::Array(list) => list.get(part.parse::<usize>().ok()?)?,
            _ => here.get(part)?,
        };
    }
    Some(here)
}

/// An address without what may be secret in it: user, password, query.
pub fn plain_address(url: &str) -> String {
    let url = without_user(url);
    url.split(['?', '#']).next().unwrap_or(&url).to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_are_told_without_secrets() {
        let check = |url: &str, expect: &str| assert_eq!(super::plain_address(url), expect);
        check("redis://user:p@ss@host:6379/1", "redis://host:6379/1");
        check("https://host/path/@x?token=1#a", "https://host/path/@x");
        check("postgres://u@h", "postgres://h");
    }
}
