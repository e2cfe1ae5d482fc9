//! What `new Client()` takes: an address, or an object.

use std::time::Duration;

use crate::js::modules::k6::http::go;
use crate::js::value::Value;
use crate::net::redis::{ClusterConfig, RedisAddress, RedisConfig, SentinelConfig};
use crate::net::tls::ConnectionTls;
use crate::units::duration::Span;
use crate::units::quote::go_quote;

/// Reads what a client is made of.
///
/// # Errors
/// k6's sentence about what is wrong.
pub(super) fn read(given: Value) -> Result<RedisConfig, String> {
    match given {
        Value::String(url) => from_url(&url).map_err(invalid),
        Value::Map(map) => from_object(map),
        other => Err(format!("invalid options type: {}; expected string or object", go::type_of(&other))),
    }
}

fn invalid(reason: String) -> String {
    format!("invalid options; reason: {reason}")
}

// Addresses ------------------------------------------------------------------------------------------------------

/// `redis[s]://[[user][:password]@]host[:port][/database][?option=value]`
fn from_url(url: &str) -> Result<RedisConfig, String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let mut config = RedisConfig::default();
    match scheme {
        "redis" => {}
        "rediss" => config.tls = Some(ConnectionTls::default()),
        other => return Err(format!("redis: invalid URL scheme: {other}")),
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (username, password) = user.split_once(':').unwrap_or((user, ""));
    (config.username, config.password) = (decoded(username), decoded(password));
    config.addresses = vec![address(host)];
    if !path.is_empty() {
        config.database = path.parse().map_err(|_| format!("redis: invalid database number: {}", go_quote(path)))?;
    }
    for (name, value) in
        query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    {
        set_from_query(&mut config, name, &decoded(value))?;
    }
    Ok(config)
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Host and port; `[::1]:1` has brackets, without which a bare IPv6 address has no port.
fn address(text: &str) -> RedisAddress {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
        None if text.matches(':').count() > 1 => (text, ""),
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let or = |text: &str, default: &str| if text.is_empty() { default.to_owned() } else { text.to_owned() };
    (or(host, "localhost"), or(port, "6379"))
}

fn set_from_query(config: &mut RedisConfig, name: &str, value: &str) -> Result<(), String> {
    let bad = |what: &str| format!("redis: invalid {name} {what}: {}", go_quote(value));
    let number = || value.parse::<i64>().map_err(|_| bad("number"));
    // A number alone is of seconds.
    let span = || match value.parse::<i64>() {
        Ok(seconds) => Ok(Span::from_secs(seconds)),
        Err(_) => Span::parse_go(value).map_err(|_| bad("duration")),
    };
    match name {
        "db" => config.database = number()?,
        "client_name" => config.client_name = value.to_owned(),
        "max_retries" => config.max_retries = retries(number()? as f64),
        "min_retry_backoff" => config.backoff.0 = span()?.to_duration(),
        "max_retry_backoff" => config.backoff.1 = span()?.to_duration(),
        "dial_timeout" => config.dial_timeout = span()?.to_duration(),
        "read_timeout" => config.read_timeout = limit(span()?),
        "write_timeout" => config.write_timeout = limit(span()?),
        "pool_size" => config.pool_size = number()?.max(1) as usize,
        "pool_timeout" => config.pool_timeout = span()?.to_duration(),
        "min_idle_conns" => config.min_idle = number()?.max(0) as usize,
        "conn_max_idle_time" | "idle_timeout" => config.idle_timeout = limit(span()?),
        "conn_max_lifetime" | "max_conn_age" => config.max_age = limit(span()?),
        _ => return Err(format!("redis: unexpected option: {name}")),
    }
    Ok(())
}

/// A limit of zero or less is none.
fn limit(span: Span) -> Option<Duration> {
    (span > Span::ZERO).then(|| span.to_duration())
}

/// 0 is the default of 3, -1 none.
fn retries(number: f64) -> u32 {
    match number {
        0.0 => 3,
        number => number.clamp(0.0, 1000.0) as u32,
    }
}

// Objects --------------------------------------------------------------------------------------------------------

type Fields = Vec<(String, Value)>;

fn mismatch(value: &Value, name: &str, kind: &str) -> String {
    let found = match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::List(_) => "array",
        _ => "object",
    };
    invalid(format!("json: cannot unmarshal {found} into Go struct field {name} of type {kind}"))
}

fn text(value: Value, name: &str) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(mismatch(&other, name, "string")),
    }
}

fn number(value: &Value, name: &str) -> Result<f64, String> {
    match value {
        Value::Number(number) if number.is_finite() => Ok(*number),
        other => Err(mismatch(other, name, "int64")),
    }
}

fn flag(value: &Value, name: &str) -> Result<bool, String> {
    match value {
        Value::Bool(value) => Ok(*value),
        other => Err(mismatch(other, name, "bool")),
    }
}

/// Milliseconds; 0 is the default.
fn set_millis(limit: &mut Duration, value: &Value, name: &str) -> Result<(), String> {
    let millis = number(value, name)?;
    if millis > 0.0 {
        *limit = Span::from_millis(millis).to_duration();
    }
    Ok(())
}

/// Milliseconds; 0 is the default, less is no limit.
fn set_limit(limit: &mut Option<Duration>, value: &Value, name: &str) -> Result<(), String> {
    let millis = number(value, name)?;
    if millis != 0.0 {
        *limit = (millis > 0.0).then(|| Span::from_millis(millis).to_duration());
    }
    Ok(())
}

fn is_given(value: &Value) -> bool {
    !matches!(value, Value::Undefined | Value::Null)
}

fn from_object(fields: Fields) -> Result<RedisConfig, String> {
    let mut config = RedisConfig::default();
    let mut sentinel = SentinelConfig::default();
    let mut cluster = None;
    for (name, value) in fields.into_iter().filter(|(_, value)| is_given(value)) {
        match name.as_str() {
            "socket" => read_socket(&mut config, value)?,
            "username" => config.username = text(value, &name)?,
            "password" => config.password = text(value, &name)?,
            "clientName" => config.client_name = text(value, &name)?,
            "database" => config.database = number(&value, &name)? as i64,
            "maxRetries" => config.max_retries = retries(number(&value, &name)?),
            // Nanoseconds, as in k6.
            "minRetryBackoff" => set_backoff(&mut config.backoff.0, number(&value, &name)?),
            "maxRetryBackoff" => set_backoff(&mut config.backoff.1, number(&value, &name)?),
            "masterName" => sentinel.master = text(value, &name)?,
            "sentinelUsername" => sentinel.username = text(value, &name)?,
            "sentinelPassword" => sentinel.password = text(value, &name)?,
            "cluster" => cluster = Some(value),
            _ => return Err(invalid(format!("json: unknown field {}", go_quote(&name)))),
        }
    }
    if let Some(cluster) = cluster {
        read_cluster(&mut config, cluster)?;
    }
    if config.addresses.is_empty() {
        return Err("empty socket options".to_owned());
    }
    config.sentinel = (!sentinel.master.is_empty()).then_some(sentinel);
    Ok(config)
}

/// 0 is the default, -1 none.
fn set_backoff(backoff: &mut Duration, nanos: f64) {
    match nanos {
        0.0 => {}
        nanos => *backoff = Duration::from_nanos(nanos.max(0.0) as u64),
    }
}

fn read_socket(config: &mut RedisConfig, value: Value) -> Result<(), String> {
    let Value::Map(fields) = value else { return Err(mismatch(&value, "socket", "redis.socketOptions")) };
    let (mut host, mut port) = (String::new(), 0.0);
    let (mut is_empty, mut pool_timeout) = (true, Duration::ZERO);
    for (name, value) in fields.into_iter().filter(|(_, value)| is_given(value)) {
        is_empty = false;
        match name.as_str() {
            "host" => host = text(value, &name)?,
            "port" => port = number(&value, &name)?,
            "tls" => config.tls = Some(read_tls(value)?),
            "dialTimeout" => set_millis(&mut config.dial_timeout, &value, &name)?,
            "readTimeout" => set_limit(&mut config.read_timeout, &value, &name)?,
            "writeTimeout" => set_limit(&mut config.write_timeout, &value, &name)?,
            "poolSize" => match number(&value, &name)? {
                0.0 => {}
                size => config.pool_size = size.max(1.0) as usize,
            },
            "minIdleConns" => config.min_idle = number(&value, &name)?.max(0.0) as usize,
            "maxConnAge" => set_limit(&mut config.max_age, &value, &name)?,
            "poolTimeout" => set_millis(&mut pool_timeout, &value, &name)?,
            "idleTimeout" => set_limit(&mut config.idle_timeout, &value, &name)?,
            "idleCheckFrequency" => set_limit(&mut config.idle_check, &value, &name)?,
            _ => return Err(invalid(format!("json: unknown field {}", go_quote(&name)))),
        }
    }
    if is_empty {
        return Err("empty socket options".to_owned());
    }
    config.pool_timeout = match pool_timeout {
        Duration::ZERO => config.read_timeout.unwrap_or_default() + Duration::from_secs(1),
        given => given,
    };
    let host = if host.is_empty() { "localhost".to_owned() } else { host };
    config.addresses = vec![(host, format!("{}", if port == 0.0 { 6379.0 } else { port }))];
    Ok(())
}

fn read_tls(value: Value) -> Result<ConnectionTls, String> {
    let Value::Map(fields) = value else { return Err(mismatch(&value, "tls", "redis.tlsOptions")) };
    let mut tls = ConnectionTls::default();
    for (name, value) in fields.into_iter().filter(|(_, value)| is_given(value)) {
        match (name.as_str(), value) {
            ("ca", Value::List(list)) => {
                tls.authorities = list.into_iter().map(|pem| pem_text(pem, "ca")).collect::<Result<_, _>>()?;
            }
            ("ca", value) => tls.authorities = vec![pem_text(value, "ca")?],
            ("cert", value) => tls.certificate = pem_text(value, "cert")?,
            ("key", value) => tls.key = pem_text(value, "key")?,
            (name, _) => return Err(invalid(format!("json: unknown field {}", go_quote(name)))),
        }
    }
    Ok(tls)
}

/// A PEM text, also as the bytes `open(file, 'b')` gives.
fn pem_text(value: Value, name: &str) -> Result<String, String> {
    match value {
        Value::Bytes(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        other => text(other, name),
    }
}

fn read_cluster(config: &mut RedisConfig, value: Value) -> Result<(), String> {
    let Value::Map(fields) = value else { return Err(mismatch(&value, "cluster", "redis.clusterOptions")) };
    let mut cluster = ClusterConfig { max_redirects: 3, ..ClusterConfig::default() };
    let mut nodes = Vec::new();
    for (name, value) in fields.into_iter().filter(|(_, value)| is_given(value)) {
        match (name.as_str(), value) {
            ("maxRedirects", value) => match number(&value, &name)? {
                0.0 => {}
                count => cluster.max_redirects = count.max(0.0) as u32,
            },
            ("readOnly", value) => cluster.read_only = flag(&value, &name)?,
            ("routeByLatency", value) => cluster.by_latency = flag(&value, &name)?,
            ("routeRandomly", value) => cluster.randomly = flag(&value, &name)?,
            ("nodes", Value::List(list)) => nodes = list,
            ("nodes", other) => {
                return Err(format!("cluster nodes property must be an array; got {}", go::type_of(&other)));
            }
            (name, _) => return Err(invalid(format!("json: unknown field {}", go_quote(name)))),
        }
    }
    if nodes.is_empty() {
        return Err("cluster nodes property cannot be empty".to_owned());
    }
    let mut addresses = Vec::new();
    let mut first: Option<RedisConfig> = None;
    for node in nodes {
        let node = match node {
            Value::String(url) => from_url(&url).map_err(invalid)?,
            Value::Map(fields) => from_object(fields)?,
            other => {
                let kind = go::type_of(&other);
                return Err(format!("cluster nodes array must contain string or object elements; got {kind}"));
            }
        };
        addresses.extend(node.addresses.iter().cloned());
        match &first {
            None => first = Some(node),
            Some(first) => same(first, &node)?,
        }
    }
    // What all nodes have in common is the client's, unless that says it itself.
    if let Some(node) = first {
        let default = RedisConfig::default();
        let outer = std::mem::replace(config, node);
        let or = |outer: String, own: &mut String| {
            if !outer.is_empty() {
                *own = outer;
            }
        };
        or(outer.username, &mut config.username);
        or(outer.password, &mut config.password);
        or(outer.client_name, &mut config.client_name);
        config.tls = outer.tls.or(config.tls.take());
        if outer.max_retries != default.max_retries {
            config.max_retries = outer.max_retries;
        }
        if outer.backoff != default.backoff {
            config.backoff = outer.backoff;
        }
    }
    config.addresses = addresses;
    config.cluster = Some(cluster);
    Ok(())
}

/// Options that have to be the same at all nodes.
fn same(a: &RedisConfig, b: &RedisConfig) -> Result<(), String> {
    let differ = |name: &str, a: String, b: String| match a == b {
        true => Ok(()),
        false => Err(format!("inconsistent {name} option: {a} != {b}")),
    };
    // Passwords are compared, and not shown.
    if a.password != b.password {
        return Err("inconsistent password option".to_owned());
    }
    differ("username", a.username.clone(), b.username.clone())?;
    differ("database", a.database.to_string(), b.database.to_string())?;
    differ("maxRetries", a.max_retries.to_string(), b.max_retries.to_string())?;
    differ("poolSize", a.pool_size.to_string(), b.pool_size.to_string())?;
    let millis = |limit: Option<Duration>| limit.unwrap_or_default().as_millis().to_string();
    differ("dialTimeout", millis(Some(a.dial_timeout)), millis(Some(b.dial_timeout)))?;
    differ("readTimeout", millis(a.read_timeout), millis(b.read_timeout))?;
    differ("writeTimeout", millis(a.write_timeout), millis(b.write_timeout))
}
