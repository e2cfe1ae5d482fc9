//! The params of connections and calls, checked in k6's words.

use std::time::Duration;

use bytes::Bytes;

use crate::js::modules::k6::http::go;
use crate::js::modules::k6::tag_pairs;
use crate::js::value::{Throw, Value};
use crate::net::grpc::GrpcMetadata;
use crate::net::tls::ConnectionTls;
use crate::units::Span;
use crate::units::quote::go_quote;

/// What `connect()` is given.
#[derive(Debug)]
pub struct ConnectParams {
    pub is_plaintext: bool,
    pub timeout: Duration,
    pub reflects: bool,
    pub reflect_metadata: GrpcMetadata,
    /// 0 is the default.
    pub max_receive: usize,
    /// 0 is the default.
    pub max_send: usize,
    pub tls: Option<ConnectionTls>,
    pub authority: Option<String>,
}

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

impl ConnectParams {
    /// Reads the params of `connect()`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(params: Value) -> Result<Self, String> {
        let mut read = Self {
            is_plaintext: false,
            timeout: CONNECT_TIMEOUT,
            reflects: false,
            reflect_metadata: GrpcMetadata::new(),
            max_receive: 0,
            max_send: 0,
            tls: None,
            authority: None,
        };
        for (key, value) in map_of(params) {
            match key.as_str() {
                "plaintext" => read.is_plaintext = boolean(&key, &value)?,
                "timeout" => read.timeout = duration(value)?,
                "reflect" => read.reflects = boolean(&key, &value)?,
                "reflectMetadata" => {
                    read.reflect_metadata =
                        metadata(value).map_err(|text| format!("invalid reflectMetadata param: {text}"))?;
                }
                "maxReceiveSize" => read.max_receive = size(&key, &value)?,
                "maxSendSize" => read.max_send = size(&key, &value)?,
                "tls" => read.tls = Some(tls(value)?),
                "authority" => read.authority = Some(text(&key, value, "it needs to be a string")?),
                _ => return Err(format!("unknown connect param: {}", go_quote(&key))),
            }
        }
        Ok(read)
    }
}

/// What calls and streams are given.
#[derive(Debug, Default)]
pub struct CallParams {
    pub metadata: GrpcMetadata,
    pub tags: Vec<(String, String)>,
    /// Zero, and not given, is the default.
    pub timeout: Duration,
    pub discards_message: bool,
}

impl CallParams {
    /// Reads the params of a call or a stream.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(params: Value) -> Result<Self, String> {
        let mut read = Self::default();
        for (key, value) in map_of(params) {
            match key.as_str() {
                "metadata" => {
                    read.metadata = metadata(value).map_err(|text| format!("invalid metadata param: {text}"))?;
                }
                "tags" => {
                    read.tags = tag_pairs(value).map_err(|throw| match throw {
                        Throw::Error { message, .. } => format!("metric tags: {message}"),
                        other => other.report(),
                    })?;
                }
                "timeout" => read.timeout = duration(value)?,
                "discardResponseMessage" => read.discards_message = is_true(&value),
                _ => return Err(format!("unknown param: {}", go_quote(&key))),
            }
        }
        Ok(read)
    }
}

/// Params by their keys; the keys of lists and strings are indices, which are no known params.
fn map_of(params: Value) -> Vec<(String, Value)> {
    let placed = |list: Vec<Value>| list.into_iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect();
    match params {
        Value::Map(map) => map,
        Value::List(list) => placed(list),
        Value::String(text) => placed(text.chars().map(|c| c.to_string().into()).collect()),
        _ => Vec::new(),
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Undefined | Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

fn boolean(key: &str, value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(value) => Ok(*value),
        other => Err(format!("invalid {key} value: '{}', it needs to be boolean", go_syntax(other))),
    }
}

fn size(key: &str, value: &Value) -> Result<usize, String> {
    match value {
        Value::Number(number) if number.fract() == 0.0 && *number >= 0.0 => Ok(*number as usize),
        Value::Number(number) if number.fract() == 0.0 => {
            // The missing quote is k6's.
            Err(format!("invalid {key} value: '{}, it needs to be a positive integer", go_syntax(value)))
        }
        other => Err(format!("invalid {key} value: '{}', it needs to be an integer", go_syntax(other))),
    }
}

fn text(key: &str, value: Value, wish: &str) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("invalid {key} value: '{}', {wish}", go_syntax(&other))),
    }
}

fn duration(value: Value) -> Result<Duration, String> {
    let refuse = |text: String| format!("invalid timeout value: {text}");
    match value {
        Value::Number(ms) => Ok(Span::from_millis(ms).to_duration()),
        Value::String(text) => Span::parse(&text).map(Span::to_duration).map_err(refuse),
        other => {
            let kind = go::type_of(&other);
            Err(refuse(format!("unable to use type {kind} as a duration value")))
        }
    }
}

fn metadata(value: Value) -> Result<GrpcMetadata, String> {
    let map = match value {
        Value::Undefined | Value::Null => return Ok(GrpcMetadata::new()),
        Value::Map(map) => map,
        _ => return Err("must be an object with key-value pairs".to_owned()),
    };
    map.into_iter()
        .map(|(name, value)| match (name.ends_with("-bin"), value) {
            (true, Value::Bytes(bytes)) => Ok((name, bytes)),
            (true, _) => Err(format!("{} value must be binary", go_quote(&name))),
            (false, Value::String(text)) => Ok((name, Bytes::from(text))),
            (false, _) => Err(format!("{} value must be a string", go_quote(&name))),
        })
        .collect()
}

fn tls(value: Value) -> Result<ConnectionTls, String> {
    // As in k6 the whole value is shown, but no text of it: any may be a key or a password.
    let shown = hidden(&value);
    let Value::Map(mut map) = value else {
        return Err(format!(
            "invalid tls value: '{shown}', expected (optional) keys: cert, key, password, and cacerts"
        ));
    };
    let mut take = |name: &str| {
        let at = map.iter().position(|(key, _)| key == name)?;
        Some(map.swap_remove(at).1).filter(|value| !matches!(value, Value::Undefined))
    };
    let refuse = |name: &str, wish: &str| format!("invalid tls {name} value: '{shown}', it needs to be {wish}");
    let text = |name: &str, value: Option<Value>, wish: &str| match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(refuse(name, wish)),
    };
    let mut own = ConnectionTls::default();
    let pem = "a PEM formatted string";
    own.certificate = text("cert", take("cert"), pem)?.unwrap_or_default();
    own.key = text("key", take("key"), pem)?.unwrap_or_default();
    own.password = text("password", take("password"), "a string")?;
    let list = match take("cacerts") {
        None => Vec::new(),
        Some(Value::List(list)) => list,
        Some(one) => vec![one],
    };
    for pem in list {
        let pem = text("cacerts", Some(pem), "a string or string[] of PEM formatted strings")?;
        own.authorities.extend(pem);
    }
    Ok(own)
}

/// As [`go_syntax`], with all texts hidden but those that name something.
fn hidden(value: &Value) -> String {
    fn veiled(value: &Value) -> Value {
        match value {
            Value::String(_) => "...".into(),
            Value::List(list) => Value::List(list.iter().map(veiled).collect()),
            Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), veiled(value))).collect()),
            Value::Undefined => Value::Undefined,
            Value::Bool(value) => Value::Bool(*value),
            Value::Number(number) => Value::Number(*number),
            Value::Bytes(bytes) => Value::Bytes(bytes.clone()),
            _ => Value::Null,
        }
    }
    go_syntax(&veiled(value))
}

/// A value as Go prints it with `%#v`.
fn go_syntax(value: &Value) -> String {
    // Nested values are printed without their types.
    let inner = |value: &Value| match value {
        Value::Undefined | Value::Null => "interface {}(nil)".to_owned(),
        other => go_syntax(other),
    };
    match value {
        Value::String(text) => go_quote(text),
        Value::List(list) => {
            format!("[]interface {{}}{{{}}}", list.iter().map(inner).collect::<Vec<_>>().join(", "))
        }
        Value::Map(map) => {
            let mut entries: Vec<_> =
                map.iter().map(|(key, value)| format!("{}:{}", go_quote(key), inner(value))).collect();
            entries.sort();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        // Never what is in it: it may be a key.
        Value::Bytes(_) | Value::Shared(_) => "sobek.ArrayBuffer{}".to_owned(),
        other => go::text_of(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    #[test]
    fn connect_params_are_refused_in_words() {
        let check = |key: &str, value: Value, expect: &str| {
            assert_eq!(ConnectParams::read(map([(key, value)])).unwrap_err(), expect);
        };
        check("zz", Value::Null, "unknown connect param: \"zz\"");
        check("plaintext", "yes".into(), "invalid plaintext value: '\"yes\"', it needs to be boolean");
        check("reflect", 1.0.into(), "invalid reflect value: '1', it needs to be boolean");
        check("maxReceiveSize", 1.5.into(), "invalid maxReceiveSize value: '1.5', it needs to be an integer");
        check("maxSendSize", (-2.0).into(), "invalid maxSendSize value: '-2, it needs to be a positive integer");
        check("authority", true.into(), "invalid authority value: 'true', it needs to be a string");
        let keys = "expected (optional) keys: cert, key, password, and cacerts";
        check("tls", 5.0.into(), &format!("invalid tls value: '5', {keys}"));
        check("tls", Value::Null, &format!("invalid tls value: '<nil>', {keys}"));
        check("tls", "-----BEGIN PRIVATE KEY-----".into(), &format!("invalid tls value: '\"...\"', {keys}"));
        check(
            "tls",
            map([("key", Value::Bytes(Bytes::from_static(b"secret")))]),
            "invalid tls key value: 'map[string]interface {}{\"key\":sobek.ArrayBuffer{}}', it needs to be a PEM \
             formatted string",
        );
        check(
            "tls",
            map([("key", "secret".into()), ("cert", 1.0.into()), ("x", Value::Null)]),
            "invalid tls cert value: 'map[string]interface {}{\"cert\":1, \"key\":\"...\", \"x\":interface {}(nil)}', it \
             needs to be a PEM formatted string",
        );
        check(
            "tls",
            map([("password", true.into())]),
            "invalid tls password value: 'map[string]interface {}{\"password\":true}', it needs to be a string",
        );
        check(
            "tls",
            map([("cacerts", 0.0.into())]),
            "invalid tls cacerts value: 'map[string]interface {}{\"cacerts\":0}', it needs to be a string or string[] of \
             PEM formatted strings",
        );
        check(
            "tls",
            map([("cacerts", Value::List(vec!["a".into(), 1.0.into()]))]),
            "invalid tls cacerts value: 'map[string]interface {}{\"cacerts\":[]interface {}{\"...\", 1}}', it needs to be \
             a string or string[] of PEM formatted strings",
        );
        check("timeout", "soon".into(), "invalid timeout value: time: invalid duration \"soon\"");
        check("timeout", Value::Null, "invalid timeout value: unable to use type <nil> as a duration value");
    }

    #[test]
    fn call_params_are_read() {
        let bytes = Bytes::from_static(&[1, 2]);
        let params = CallParams::read(map([
            ("metadata", map([("a", "b".into()), ("c-bin", Value::Bytes(bytes.clone()))])),
            ("tags", map([("t", 1.0.into())])),
            ("timeout", "1s".into()),
            ("discardResponseMessage", 1.0.into()),
        ]))
        .unwrap();
        assert_eq!(params.metadata, [("a".to_owned(), "b".into()), ("c-bin".to_owned(), bytes)]);
        assert_eq!(params.tags, [("t".to_owned(), "1".to_owned())]);
        assert_eq!((params.timeout, params.discards_message), (Duration::from_secs(1), true));
        assert_eq!(CallParams::read("x".into()).unwrap_err(), "unknown param: \"0\"");
        let check = |key: &str, value: Value, expect: &str| {
            assert_eq!(CallParams::read(map([(key, value)])).unwrap_err(), expect);
        };
        check("zz", Value::Null, "unknown param: \"zz\"");
        check("metadata", "x".into(), "invalid metadata param: must be an object with key-value pairs");
        check("metadata", map([("a-bin", "x".into())]), "invalid metadata param: \"a-bin\" value must be binary");
        check("metadata", map([("a", 1.0.into())]), "invalid metadata param: \"a\" value must be a string");
    }
}
