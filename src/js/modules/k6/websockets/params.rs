//! The params of a connection, the same for both modules but for what they say about others.

use std::sync::Arc;

use super::super::http::{VuJar, go, jar_of};
use super::tag_pairs;
use crate::js::runtime::VuContext;
use crate::js::value::{Throw, Value};
use crate::net::http::CookieJar;
use crate::net::ws::HandshakeRequest;

/// What a script wants of a connection.
#[derive(Default)]
pub struct Params {
    headers: Vec<(String, String)>,
    tags: Vec<(String, String)>,
    jar: Option<Arc<CookieJar>>,
    deflates: bool,
}

impl Params {
    /// Reads them; `other` judges keys that mean nothing.
    ///
    /// # Errors
    /// In k6's words.
    pub fn read(given: Value, tags_name: &str, other: impl Fn(&str) -> Result<(), Throw>) -> Result<Self, Throw> {
        let mut params = Self::default();
        let Value::Map(given) = given else { return Ok(params) };
        for (key, value) in given {
            match (key.as_str(), value) {
                ("headers" | "tags" | "jar" | "compression", Value::Undefined | Value::Null) => {}
                ("headers", Value::Map(map)) => {
                    params.headers = map.into_iter().map(|(name, value)| (name, go::string_of(&value))).collect();
                }
                ("headers", _) => {}
                ("tags", tags) => {
                    params.tags = tag_pairs(tags).map_err(|throw| match throw {
                        Throw::Error { message, .. } => Throw::go(format!("invalid {tags_name}: {message}")),
                        other => other,
                    })?;
                }
                ("jar", value) => params.jar = jar_of(&value),
                ("compression", value) => {
                    let algorithm = go::string_of(&value);
                    match algorithm.trim() {
                        "" => {}
                        "deflate" => params.deflates = true,
                        algorithm => {
                            return Err(Throw::go(format!(
                                "unsupported compression algorithm '{algorithm}', supported algorithm is 'deflate'"
                            )));
                        }
                    }
                }
                (key, _) => other(key)?,
            }
        }
        Ok(params)
    }

    /// The request they make, and the script's tags.
    pub fn ask(self, vu: &VuContext, url: &str) -> (Result<HandshakeRequest, String>, Vec<(String, String)>) {
        let mut headers = self.headers;
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("User-Agent")) {
            let agent = &vu.script.http.user_agent;
            headers.extend((!agent.is_empty()).then(|| ("User-Agent".to_owned(), agent.clone())));
        }
        let jar = self.jar.unwrap_or_else(|| vu.module_state::<VuJar>().get());
        let ask = HandshakeRequest::new(url, headers).map(|ask| ask.jar(jar).deflate(self.deflates));
        (ask, self.tags)
    }
}
