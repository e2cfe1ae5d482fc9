//! Records made before the runs, by a request with places to fill in, at a bounded rate; and removed afterwards.
//!
//! In texts `{i}` is the number of the record, `{1..5}` a number from 1 to 5, `{login.PATH}` and `{created.PATH}` parts
//! of answers. A text that is nothing but a number's place becomes a number in JSON.

use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use super::child::Interrupts;
use super::file::{Data, Template};
use super::journal::Records;
use super::web;
use crate::ui::Terminal;

/// Requests under way at the same time.
const FLYING: usize = 16;

/// A request, filled in.
#[derive(Clone, Debug)]
pub struct Ready {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    status: Option<u16>,
}

/// What places are filled with.
#[derive(Clone, Copy, Default)]
struct Filling<'a> {
    number: u64,
    login: Option<&'a Value>,
    created: Option<&'a Value>,
}

impl Filling<'_> {
    fn place(&self, name: &str) -> Option<String> {
        let plain = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if name == "i" {
            return Some(self.number.to_string());
        }
        if let Some(path) = name.strip_prefix("login.") {
            return web::at(self.login?, path).map(plain);
        }
        if let Some(path) = name.strip_prefix("created.") {
            return web::at(self.created?, path).map(plain);
        }
        let (least, most) = name.split_once("..")?;
        let (least, most) = (least.parse::<u64>().ok()?, most.parse::<u64>().ok()?);
        // Scattered, and the same every time.
        let scattered = self.number.wrapping_add(name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        Some((least + scattered % (most.checked_sub(least)?.checked_add(1)?)).to_string())
    }

    fn text(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(begin) = rest.find('{') {
            filled.push_str(&rest[..begin]);
            rest = &rest[begin..];
            let end = rest.find('}').map(|end| (end, self.place(&rest[1..end])));
            match end {
                Some((end, Some(value))) => {
                    filled.push_str(&value);
                    rest = &rest[end + 1..];
                }
                _ => {
                    filled.push('{');
                    rest = &rest[1..];
                }
            }
        }
        filled + rest
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let filled = self.text(text);
                let is_place = text.starts_with('{') && text.ends_with('}') && text.matches('{').count() == 1;
                match filled.parse::<u64>() {
                    Ok(number) if is_place && filled != *text => number.into(),
                    _ => filled.into(),
                }
            }
            Value::Array(list) => list.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => map.iter().map(|(key, item)| (key.clone(), self.value(item))).collect(),
            other => other.clone(),
        }
    }

    fn request(&self, template: &Template) -> Ready {
        Ready {
            method: template.method.clone(),
            url: self.text(&template.url),
            headers: template.headers.iter().map(|(key, value)| (key.clone(), self.text(value))).collect(),
            body: template.body.as_ref().map(|body| match body {
                // A text is sent as it is.
                Value::String(text) => Value::String(self.text(text)),
                other => self.value(other),
            }),
            status: template.status,
        }
    }
}

async fn send(client: &reqwest::Client, ready: &Ready) -> Result<Value, String> {
    let method = reqwest::Method::from_bytes(ready.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = client.request(method, &ready.url);
    for (key, value) in &ready.headers {
        request = request.header(key, value);
    }
    request = match &ready.body {
        None => request,
        Some(Value::String(text)) => request.body(text.clone()),
        Some(json) => request.json(json),
    };
    let answer = request.send().await.map_err(|error| web::words(&error))?;
    let status = answer.status();
    let is_expected = match ready.status {
        Some(expected) => status.as_u16() == expected,
        None => status.is_success(),
    };
    if !is_expected {
        return Err(format!("{} answered {status}", super::plain_address(&ready.url)));
    }
    let bytes = answer.bytes().await.map_err(|error| web::words(&error))?;
    Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Makes the records; what became of it, and the requests that remove them.
pub async fn create(data: &Data, interrupts: &mut Interrupts, terminal: &Terminal) -> (Records, Vec<Ready>) {
    let began = Instant::now();
    let mut records = Records { asked: data.count, made: 0, removed: 0, trouble: None, seconds: 0.0 };
    let mut created = Vec::new();
    let client = match web::client() {
        Ok(client) => client,
        Err(why) => {
            records.trouble = Some(why);
            return (records, created);
        }
    };
    let login = match &data.login {
        None => None,
        Some(template) => match send(&client, &Filling::default().request(template)).await {
            Ok(answer) => Some(answer),
            Err(why) => {
                records.trouble = Some(format!("login: {why}"));
                return (records, created);
            }
        },
    };
    let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / data.rate));
    let mut flying = FuturesUnordered::new();
    let mut next = 0;
    let mut told = Instant::now();
    while next < data.count || !flying.is_empty() {
        tokio::select! {
            _ = pace.tick(), if next < data.count && flying.len() < FLYING => {
                next += 1;
                let ready = Filling { number: next, login: login.as_ref(), created: None }.request(&data.request);
                let client = &client;
                flying.push(async move { (next, send(client, &ready).await) });
            }
            Some((number, answer)) = flying.next() => match answer {
                Ok(answer) => {
                    records.made += 1;
                    if let Some(template) = &data.clean_up {
                        created.push(Filling { number, login: login.as_ref(), created: Some(&answer) }.request(template));
                    }
                }
                Err(why) => _ = records.trouble.get_or_insert(why),
            },
            () = interrupts.next() => {
                records.trouble.get_or_insert("it was interrupted".to_owned());
                next = data.count;
            }
        }
        if told.elapsed() > Duration::from_secs(2) {
            told = Instant::now();
            let done = records.made * 30 / data.count.max(1);
            let bar: String = (0..30).map(|place| if place < done { '=' } else { '-' }).collect();
            terminal.print(&format!("  [{bar}] {} of {}\n", records.made, data.count));
        }
    }
    records.seconds = began.elapsed().as_secs_f64();
    (records, created)
}

/// Removes records; how many.
pub async fn remove(created: Vec<Ready>) -> u64 {
    let Ok(client) = web::client() else { return 0 };
    let client = &client;
    let removing = created.into_iter().map(|ready| async move { send(client, &ready).await.is_ok() });
    let mut removing = futures_util::stream::iter(removing).buffer_unordered(FLYING);
    let mut removed = 0;
    while let Some(is_removed) = removing.next().await {
        removed += u64::from(is_removed);
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_filled() {
        let (login, created) = (json!({"token": "t"}), json!({"data": {"id": 7}}));
        let filling = Filling { number: 3, login: Some(&login), created: Some(&created) };
        let check = |input: Value, expect: Value| assert_eq!(filling.value(&input), expect);
        check("Risk {i}".into(), "Risk 3".into());
        check("{i}".into(), 3.into());
        check("Bearer {login.token}".into(), "Bearer t".into());
        check("/{created.data.id}/{unknown}/{".into(), "/7/{unknown}/{".into());
        check(json!({"a": ["{i}", 1, true]}), json!({"a": [3, 1, true]}));
        check("{5..5}".into(), 5.into());
        check("{5..4}".into(), "{5..4}".into());
        let drawn: std::collections::BTreeSet<String> =
            (0..200).filter_map(|number| Filling { number, ..filling }.place("1..5")).collect();
        assert_eq!(drawn.len(), 5);
    }
}
