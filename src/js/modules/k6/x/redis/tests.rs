//! Options and commands, read and refused.

use std::time::Duration;

use super::commands::{METHODS, is_of_server, prepare};
use super::options::read;
use crate::js::value::Value;

fn map(fields: Vec<(&str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[test]
fn addresses_are_read() {
    let check = |url: &str, host: &str, port: &str, who: &str, database: i64| {
        let config = read(url.into()).unwrap();
        let user = format!("{}:{}", config.username, config.password);
        assert_eq!((config.addresses, config.database), (vec![(host.into(), port.into())], database), "{url}");
        assert_eq!((user.as_str(), config.tls.is_some()), (who, url.starts_with("rediss")), "{url}");
    };
    check("redis://localhost", "localhost", "6379", ":", 0);
    check("redis://127.0.0.1:7/2", "127.0.0.1", "7", ":", 2);
    check("rediss://u:p%40:@h.test:6380", "h.test", "6380", "u:p@:", 0);
    check("redis://:secret@[::1]:1", "::1", "1", ":secret", 0);
    check("redis://h?db=3&max_retries=-1&read_timeout=5s", "h", "6379", ":", 3);
}

#[test]
fn limits_have_their_units() {
    let number = Value::Number;
    let socket = map(vec![
        ("host", "h".into()),
        ("dialTimeout", number(1.0)),
        ("readTimeout", number(2.0)),
        ("writeTimeout", number(-1.0)),
        ("poolTimeout", number(3.0)),
    ]);
    let all = vec![("socket", socket), ("minRetryBackoff", number(4.0)), ("maxRetryBackoff", number(5.0))];
    let config = read(map(all)).unwrap();
    let millis = Duration::from_millis;
    assert_eq!((config.dial_timeout, config.pool_timeout), (millis(1), millis(3)));
    assert_eq!((config.read_timeout, config.write_timeout), (Some(millis(2)), None));
    // As k6 takes them.
    assert_eq!(config.backoff, (Duration::from_nanos(4), Duration::from_nanos(5)));
}

#[test]
fn what_is_wrong_is_said() {
    let check = |given: Value, expect: &str| assert_eq!(read(given).unwrap_err(), expect);
    check("http://x".into(), "invalid options; reason: redis: invalid URL scheme: http");
    check("redis://x/y".into(), "invalid options; reason: redis: invalid database number: \"y\"");
    check("redis://x?y=1".into(), "invalid options; reason: redis: unexpected option: y");
    check(Value::Number(1.0), "invalid options type: int64; expected string or object");
    check(map(vec![]), "empty socket options");
    check(map(vec![("socket", map(vec![]))]), "empty socket options");
    check(map(vec![("sockets", map(vec![]))]), "invalid options; reason: json: unknown field \"sockets\"");
    let socket = |name: &'static str, value: Value| map(vec![("socket", map(vec![(name, value)]))]);
    check(socket("retries", Value::Number(1.0)), "invalid options; reason: json: unknown field \"retries\"");
    check(
        socket("port", "1".into()),
        "invalid options; reason: json: cannot unmarshal string into Go struct field port of type int64",
    );
    let cluster = |nodes: Value| map(vec![("cluster", map(vec![("nodes", nodes)]))]);
    check(cluster(Value::List(vec![])), "cluster nodes property cannot be empty");
    check(cluster("x".into()), "cluster nodes property must be an array; got string");
    check(
        cluster(Value::List(vec![Value::Bool(true)])),
        "cluster nodes array must contain string or object elements; got bool",
    );
    let nodes = ["redis://a@h:1", "redis://b@h:2"].map(Value::from).into();
    check(cluster(Value::List(nodes)), "inconsistent username option: a != b");
}

#[test]
fn arguments_become_words() {
    let check = |name: &str, given: Vec<Value>, expect: Result<&str, &str>| {
        let method = METHODS.iter().find(|method| method.name == name).unwrap();
        let words = prepare(method, &given).map(|prepared| String::from_utf8(prepared.words.join(&b' ')).unwrap());
        assert_eq!(words.as_deref().map_err(String::as_str), expect, "{name}");
    };
    let refused = |at: usize| {
        format!("unsupported type provided for argument at index {at}, supported types are string, number, and boolean")
    };
    let number = Value::Number;
    check("set", vec!["k".into(), number(1e21), number(0.0)], Ok("SET k 1000000000000000000000"));
    check("set", vec!["k".into(), true.into(), number(9.7)], Ok("SET k 1 EX 9"));
    check("set", vec!["k".into(), Value::Null], Err(&refused(1)));
    check("get", vec![number(5.0)], Ok("GET 5"));
    check("del", vec!["a".into(), "b".into()], Ok("DEL a b"));
    check("lpush", vec!["k".into(), number(0.5), Value::List(vec![])], Err(&refused(2)));
    check("hset", vec!["k".into(), "f".into(), map(vec![])], Err(&refused(2)));
    check("lrange", vec!["k".into(), number(0.0), number(-1.0)], Ok("LRANGE k 0 -1"));
    check("sendCommand", vec!["ZADD".into(), "k".into(), number(1.0), "m".into()], Ok("ZADD k 1 m"));
    check("randomKey", vec!["ignored".into()], Ok("RANDOMKEY"));
}

#[test]
fn errors_of_the_server_are_told_from_others() {
    assert!(is_of_server("WRONGTYPE Operation against a key") && is_of_server("ERR x"));
    assert!(!is_of_server("EOF") && !is_of_server("dial tcp 127.0.0.1:1: connect: connection refused"));
}
