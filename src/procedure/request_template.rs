//! Requests with places to fill in: as written in a procedure, as sent.
//!
//! In texts `{i}` is the number of the record, `{1..5}` a number from 1 to 5, `{login.PATH}` and `{created.PATH}` parts
//! of answers. A text that is nothing but a number's place becomes a number in JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::decode::{DecodeError, JsonNode};
use super::web;

/// A request with places to fill in.
#[derive(Clone, Debug)]
pub struct Template {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body: a text as it is, anything else as JSON.
    pub body: Option<Value>,
    /// The status that is expected; nothing for any from 200 to 299.
    pub status: Option<u16>,
}

impl Template {
    /// Checks one as written; `method` is the one it has if it names none.
    pub fn read(node: &JsonNode, base: Option<&str>, method: &'static str) -> Result<Self, DecodeError> {
        let fields = node.object(&["method", "url", "headers", "body", "status"])?;
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"].map(|method| (method, method));
        let headers = fields.get("headers").map(|node| node.texts()).transpose()?.unwrap_or_default();
        if let Some((name, _)) = headers.iter().find(|(_, value)| value.contains("{created.")) {
            // What is to be filled in is kept in the results until the records are removed.
            let why =
                format!("`{name}` would keep a part of an answer in the results; allowed are places in url and body");
            return Err(fields.get("headers").unwrap_or_else(|| node.clone()).wrong(why));
        }
        Ok(Self {
            method: fields.get("method").map_or(Ok(method), |node| node.word(&methods))?.to_owned(),
            url: fields.need("url", "an address, or a path below baseUrl")?.web_address_below(base)?,
            headers: headers.into_iter().collect(),
            body: fields.get("body").map(|node| node.data().cloned()).transpose()?,
            status: fields.get("status").map(|node| node.whole(100, 599)).transpose()?.map(|status| status as u16),
        })
    }

    /// The `PATH`s of its places `{created.PATH}`.
    pub fn created_paths(&self) -> BTreeSet<String> {
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let places = [self.url.as_str(), &body].map(|text| {
            let places = text.split("{created.").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()));
            places.collect::<Vec<_>>()
        });
        places.into_iter().flatten().collect()
    }
}

/// What places are filled with.
#[derive(Clone, Copy, Default)]
pub struct PlaceholderValues<'a> {
    /// `{i}`
    pub number: u64,
    /// The answer to the login.
    pub login: Option<&'a Value>,
    /// What is known of the answer that made the record, by path.
    pub created: Option<&'a BTreeMap<String, Value>>,
}

impl PlaceholderValues<'_> {
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
            return self.created?.get(path).map(plain);
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

    /// The request, filled in; `body` instead of its own.
    pub fn request(&self, template: &Template, body: Option<Value>) -> FilledRequest {
        FilledRequest {
            method: template.method.clone(),
            url: self.text(&template.url),
            headers: template.headers.iter().map(|(key, value)| (key.clone(), self.text(value))).collect(),
            body: body.or_else(|| {
                template.body.as_ref().map(|body| match body {
                    // A text is sent as it is.
                    Value::String(text) => Value::String(self.text(text)),
                    other => self.value(other),
                })
            }),
            status: template.status,
        }
    }
}

/// A request, filled in.
#[derive(Clone, Debug)]
pub struct FilledRequest {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    status: Option<u16>,
}

/// Why a request did not do what it should.
#[derive(Clone, Debug)]
pub struct DataRequestError {
    /// The status of the answer; nothing if there was none, so that nobody knows what became of it.
    pub status: Option<u16>,
    /// In words.
    pub text: String,
}

impl std::fmt::Display for DataRequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for DataRequestError {}

impl FilledRequest {
    /// Sends it; the answer's JSON, or null if it is none.
    ///
    /// # Errors
    /// Another status than is expected, or no answer.
    pub async fn send(&self, client: &reqwest::Client) -> Result<Value, DataRequestError> {
        let unanswered = |text: String| DataRequestError { status: None, text };
        let method =
            reqwest::Method::from_bytes(self.method.as_bytes()).map_err(|error| unanswered(error.to_string()))?;
        let mut request = client.request(method, &self.url);
        for (key, value) in &self.headers {
            request = request.header(key, value);
        }
        request = match &self.body {
            None => request,
            Some(Value::String(text)) => request.body(text.clone()),
            Some(json) => request.json(json),
        };
        let answer = request.send().await.map_err(|error| unanswered(web::words(&error)))?;
        let status = answer.status();
        let is_expected = match self.status {
            Some(expected) => status.as_u16() == expected,
            None => status.is_success(),
        };
        if !is_expected {
            let text = format!("{} answered {status}", super::web::plain_address(&self.url));
            return Err(DataRequestError { status: Some(status.as_u16()), text });
        }
        let bytes = answer.bytes().await.map_err(|error| unanswered(web::words(&error)))?;
        Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_filled() {
        let (login, created) = (json!({"token": "t"}), BTreeMap::from([("data.id".to_owned(), json!(7))]));
        let filling = PlaceholderValues { number: 3, login: Some(&login), created: Some(&created) };
        let check = |input: Value, expect: Value| assert_eq!(filling.value(&input), expect);
        check("Risk {i}".into(), "Risk 3".into());
        check("{i}".into(), 3.into());
        check("Bearer {login.token}".into(), "Bearer t".into());
        check("/{created.data.id}/{unknown}/{".into(), "/7/{unknown}/{".into());
        check(json!({"a": ["{i}", 1, true]}), json!({"a": [3, 1, true]}));
        check("{5..5}".into(), 5.into());
        check("{5..4}".into(), "{5..4}".into());
        let drawn: BTreeSet<String> =
            (0..200).filter_map(|number| PlaceholderValues { number, ..filling }.place("1..5")).collect();
        assert_eq!(drawn.len(), 5);
    }

    #[test]
    fn what_has_to_be_kept_of_an_answer_is_what_is_filled_in() {
        let template = Template {
            method: "DELETE".to_owned(),
            url: "/{created.id}/{i}".to_owned(),
            headers: Vec::new(),
            body: Some(json!({"of": ["{created.owner.id}"]})),
            status: None,
        };
        assert_eq!(template.created_paths().into_iter().collect::<Vec<_>>(), ["id", "owner.id"]);
    }
}
