//! The methods of a client: which command each is, what its arguments may be and what becomes of the answer.

use crate::js::modules::k6::http::go;
use crate::js::modules::k6::number_text;
use crate::js::value::{Value, text_of};
use crate::net::redis::RespValue;

/// A method.
pub(super) struct RedisMethod {
    /// As scripts call it.
    pub name: &'static str,
    /// As Redis calls it.
    verb: &'static str,
    /// One letter per argument: `t` is any text, `v` a value that is checked, `i` an integer; the last one repeats behind `*`.
    shape: &'static str,
    /// What becomes of the answer.
    pub reply: Reply,
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// A text; nothing there is an error.
    Text,
    /// A number.
    Number,
    /// 1 is true.
    Bool,
    /// A list of texts.
    Texts,
    /// A list of texts and nulls.
    MaybeTexts,
    /// Names and values in turns.
    Object,
    /// Seconds; what is below zero comes in nanoseconds, as Go counts it.
    Seconds,
    /// Whatever it is.
    Any,
}

const fn method(name: &'static str, verb: &'static str, shape: &'static str, reply: Reply) -> RedisMethod {
    RedisMethod { name, verb, shape, reply }
}

/// All methods but `isConnected`.
pub(super) const METHODS: [RedisMethod; 42] = [
    method("set", "SET", "tvi", Reply::Text),
    method("get", "GET", "t", Reply::Text),
    method("getSet", "GETSET", "tv", Reply::Text),
    method("del", "DEL", "*t", Reply::Number),
    method("getDel", "GETDEL", "t", Reply::Text),
    method("exists", "EXISTS", "*t", Reply::Number),
    method("incr", "INCR", "t", Reply::Number),
    method("incrBy", "INCRBY", "ti", Reply::Number),
    method("decr", "DECR", "t", Reply::Number),
    method("decrBy", "DECRBY", "ti", Reply::Number),
    method("randomKey", "RANDOMKEY", "", Reply::Text),
    method("mget", "MGET", "*t", Reply::MaybeTexts),
    method("expire", "EXPIRE", "ti", Reply::Bool),
    method("ttl", "TTL", "t", Reply::Seconds),
    method("persist", "PERSIST", "t", Reply::Bool),
    method("lpush", "LPUSH", "t*v", Reply::Number),
    method("rpush", "RPUSH", "t*v", Reply::Number),
    method("lpop", "LPOP", "t", Reply::Text),
    method("rpop", "RPOP", "t", Reply::Text),
    method("lrange", "LRANGE", "tii", Reply::Texts),
    method("lindex", "LINDEX", "ti", Reply::Text),
    method("lset", "LSET", "tit", Reply::Text),
    method("lrem", "LREM", "tit", Reply::Number),
    method("llen", "LLEN", "t", Reply::Number),
    method("hset", "HSET", "ttv", Reply::Number),
    method("hsetnx", "HSETNX", "ttt", Reply::Bool),
    method("hget", "HGET", "tt", Reply::Text),
    method("hdel", "HDEL", "t*t", Reply::Number),
    method("hgetall", "HGETALL", "t", Reply::Object),
    method("hkeys", "HKEYS", "t", Reply::Texts),
    method("hvals", "HVALS", "t", Reply::Texts),
    method("hlen", "HLEN", "t", Reply::Number),
    method("hincrby", "HINCRBY", "tti", Reply::Number),
    method("sadd", "SADD", "t*v", Reply::Number),
    method("srem", "SREM", "t*v", Reply::Number),
    method("sismember", "SISMEMBER", "tv", Reply::Bool),
    method("smembers", "SMEMBERS", "t", Reply::Texts),
    method("srandmember", "SRANDMEMBER", "t", Reply::Text),
    method("spop", "SPOP", "t", Reply::Text),
    method("sendCommand", "", "t*v", Reply::Any),
    // Names of the documentation.
    method("hincrBy", "HINCRBY", "tti", Reply::Number),
    method("hgetAll", "HGETALL", "t", Reply::Object),
];

/// Commands that change nothing: replicas may answer them.
const READS: [&str; 26] = [
    "BITCOUNT",
    "EXISTS",
    "GET",
    "GETRANGE",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HVALS",
    "LINDEX",
    "LLEN",
    "LRANGE",
    "MGET",
    "PTTL",
    "SCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SRANDMEMBER",
    "STRLEN",
    "TTL",
    "TYPE",
    "ZCARD",
    "ZRANGE",
    "ZSCORE",
];

/// A command ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The command in capitals, for tags.
    pub verb: String,
    pub words: Vec<Vec<u8>>,
    /// What decides where in a cluster it goes.
    pub key: Option<Vec<u8>>,
    pub reads: bool,
}

/// Makes words of the arguments of a method.
///
/// # Errors
/// k6's sentence about a value of another kind.
pub(super) fn prepare(method: &RedisMethod, given: &[Value]) -> Result<Prepared, String> {
    let mut words: Vec<Vec<u8>> = Vec::with_capacity(given.len() + 1);
    if !method.verb.is_empty() {
        words.push(method.verb.into());
    }
    let (fixed, repeated) = method.shape.split_once('*').unwrap_or((method.shape, ""));
    let count = if repeated.is_empty() { fixed.len() } else { given.len().max(fixed.len()) };
    for at in 0..count {
        let kind = fixed.as_bytes().get(at).or(repeated.as_bytes().first()).copied().unwrap_or(b't');
        let value = given.get(at).unwrap_or(&Value::Undefined);
        words.push(match kind {
            b'v' => checked(value).ok_or_else(|| unsupported(at))?,
            b'i' => number_text(integer(value)).into_bytes(),
            _ => text(value).into_bytes(),
        });
    }
    if method.name == "set" {
        let seconds = words.pop().unwrap_or_default();
        if integer(given.get(2).unwrap_or(&Value::Undefined)) > 0.0 {
            words.extend([b"EX".to_vec(), seconds]);
        }
    }
    let verb = text_of(words.first().map_or(&[], Vec::as_slice)).to_ascii_uppercase();
    let reads = READS.contains(&verb.as_str());
    Ok(Prepared { key: words.get(1).cloned(), verb, reads, words })
}

fn unsupported(at: usize) -> String {
    format!("unsupported type provided for argument at index {at}, supported types are string, number, and boolean")
}

/// A value that may be stored, as go-redis writes it.
fn checked(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Bool(value) => Some(vec![b'0' + u8::from(*value)]),
        // Without an exponent.
        Value::Number(number) if number.is_finite() => Some(format!("{number}").into_bytes()),
        Value::Number(number) => Some(go::text_of(&Value::Number(*number)).into_bytes()),
        _ => None,
    }
}

/// What stands for a text; what is missing is empty.
fn text(value: &Value) -> String {
    match value {
        Value::Undefined => String::new(),
        other => go::string_of(other),
    }
}

/// What stands for an integer, as Go makes one of a number.
fn integer(value: &Value) -> f64 {
    let number = match value {
        Value::Number(number) => *number,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::String(text) => text.trim().parse().unwrap_or(0.0),
        _ => 0.0,
    };
    if number.is_finite() { number.trunc() } else { 0.0 }
}

/// True for an error that the server said, rather than the network.
pub(super) fn is_of_server(error: &str) -> bool {
    let word = error.split(' ').next().unwrap_or_default();
    word != "EOF" && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What a script gets.
///
/// # Errors
/// Nothing is there: `redis: nil`.
pub(super) fn show(reply: Reply, answer: RespValue) -> Result<Value, String> {
    let nil = || "redis: nil".to_owned();
    Ok(match (reply, answer) {
        (Reply::Any | Reply::Text | Reply::Number | Reply::Bool | Reply::Seconds, RespValue::Nil) => return Err(nil()),
        (Reply::Bool, RespValue::Integer(number)) => Value::Bool(number == 1),
        (Reply::Seconds, RespValue::Integer(number)) if number < 0 => Value::Number(number as f64 * 1e-9),
        (Reply::Texts | Reply::MaybeTexts, RespValue::Nil) => Value::List(Vec::new()),
        (Reply::Object, RespValue::Array(list)) => {
            let mut list = list.into_iter();
            let mut map: Vec<(String, Value)> = Vec::new();
            while let (Some(name), Some(value)) = (list.next(), list.next()) {
                map.push((go::string_of(&any(name)), any(value)));
            }
            Value::Map(map)
        }
        (Reply::Object, RespValue::Nil) => Value::Map(Vec::new()),
        (_, answer) => any(answer),
    })
}

fn any(answer: RespValue) -> Value {
    match answer {
        RespValue::Nil => Value::Null,
        RespValue::Status(text) | RespValue::Error(text) => text.into(),
        RespValue::Integer(number) => Value::Number(number as f64),
        RespValue::Bulk(bytes) => text_of(&bytes).into(),
        RespValue::Array(list) => Value::List(list.into_iter().map(any).collect()),
    }
}
