//! `k6/x/mqtt`: clients of MQTT servers, with events. JavaScript asks for what arrives next and gets it as a promise.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use tokio::sync::Notify;

use super::super::super::Op;
use super::super::http::go;
use super::super::tag_pairs;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::{Contains, MetricId, MetricType};
use crate::net::mqtt::{Arrival, MqttConnect, MqttSession, Qos, SUBPROTOCOL, Will};
use crate::net::remote::Remote;
use crate::net::ws::HandshakeRequest;
use crate::units::redact::redact;

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("declare", declare),
    ("open", open),
    ("connect", connect),
    ("publish", publish),
    ("topics", topics),
    ("next", next),
    ("end", end),
    ("warn", super::super::warn),
];

type MqttTags = Vec<(String, String)>;

const DURATION: &str = "mqtt_duration";
/// The counters, in this order: calls, messages sent and received, errors.
const COUNTERS: [&str; 4] = ["mqtt_calls", "mqtt_messages_sent", "mqtt_messages_received", "mqtt_errors"];
const CALLS: usize = 0;
const SENT: usize = 1;
const RECEIVED: usize = 2;
const ERRORS: usize = 3;

/// What the server expects where a script doesn't say, and how long it has.
const KEEPALIVE: f64 = 60.0;
const CONNECT_TIMEOUT: f64 = 30_000.0;

/// What a script's `Client` stands for.
struct JsMqtt {
    /// Gone once the client has ended.
    remote: RefCell<Option<Rc<Remote<MqttSession>>>>,
    client_id: String,
    will: Option<Will>,
    counters: [MetricId; COUNTERS.len()],
    /// Of the client, and from the connection on also of that.
    tags: RefCell<MqttTags>,
    own_tags: MqttTags,
    /// Tells those who wait that it has ended.
    ended: Notify,
}

/// The clients of a VU that may be connected.
#[derive(Default)]
struct OpenClients(RefCell<Vec<Weak<JsMqtt>>>);

/// What clients are measured in, known once the module was imported.
#[derive(Default)]
struct MqttMetrics(Cell<Option<[MetricId; COUNTERS.len()]>>);

impl JsMqtt {
    fn count(&self, vu: &VuContext, metric: usize, at: Instant, more: &[(&str, &str)]) {
        let tags = self.tags.borrow();
        let pairs = tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs: Vec<(&str, &str)> = pairs.chain(more.iter().copied()).collect();
        super::sample(vu, self.counters[metric], 1.0, at, &pairs);
    }

    /// What comes of something under way; `None` if the client ends first.
    async fn until_ended<T>(&self, work: impl Future<Output = Option<T>>) -> Option<T> {
        let ended = async {
            let notified = self.ended.notified();
            if self.remote.borrow().is_some() {
                notified.await;
            }
        };
        tokio::select! {
            biased;
            result = work => result,
            () = ended => None,
        }
    }

    fn remote(&self) -> Result<Rc<Remote<MqttSession>>, String> {
        self.remote.borrow().clone().ok_or_else(|| "not connected".to_owned())
    }

    /// Writes down a call and what came of it, for the script.
    fn tell(
        &self,
        vu: &VuContext,
        method: &str,
        topic: &str,
        call: MqttTags,
        began: Instant,
        result: Result<Instant, String>,
    ) -> Result<Value, Throw> {
        let status = super::status(result.is_ok());
        let mut more: Vec<(&str, &str)> = vec![("method", method), ("topic", topic)];
        more.retain(|(_, value)| !value.is_empty());
        more.extend(call.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let at = result.as_ref().map_or_else(|_| Instant::now(), |at| *at);
        self.count(vu, CALLS, at, &more);
        super::timed(vu, DURATION, began, at, &[("method", method), ("status", status)])?;
        Ok(match result {
            Ok(_) => {
                if method == "publish" {
                    self.count(vu, SENT, at, &more);
                }
                Value::Map(Vec::new())
            }
            Err(text) => {
                self.count(vu, ERRORS, at, &more);
                Value::Map(vec![("failed".to_owned(), text.into())])
            }
        })
    }
}

/// Declares the metrics.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    super::declare_trend(vu, DURATION)?;
    let mut counters = [None; COUNTERS.len()];
    for (place, name) in counters.iter_mut().zip(COUNTERS) {
        *place = Some(super::declare(vu, name, MetricType::Counter, Contains::Default)?);
    }
    vu.module_state::<MqttMetrics>()
        .0
        .set(Some(counters.map(|id| id.unwrap_or_else(|| unreachable!("all are declared")))));
    Ok(Value::Undefined)
}

fn field<'v>(fields: &'v [(String, Value)], name: &str) -> Option<&'v Value> {
    let found = fields.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    found.filter(|value| !matches!(value, Value::Undefined | Value::Null))
}

fn fields_of(value: Value) -> Vec<(String, Value)> {
    match value {
        Value::Map(fields) => fields,
        _ => Vec::new(),
    }
}

fn qos(value: Option<&Value>) -> Result<Qos, String> {
    match value {
        None => Ok(Qos::default()),
        Some(Value::Number(number)) if number.fract() == 0.0 && (0.0..=2.0).contains(number) => {
            Ok(Qos::of(*number as u8).unwrap_or_default())
        }
        Some(other) => Err(format!("invalid QoS {}: 0, 1 and 2 are offered", go::string_of(other))),
    }
}

fn payload(value: &Value) -> Result<Bytes, String> {
    match value {
        Value::String(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        Value::Bytes(bytes) => Ok(bytes.clone()),
        _ => Err("invalid type: String or ArrayBuffer expected".to_owned()),
    }
}

/// `(options)` -> a client that is not connected.
fn open(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let mut fields = match args.take(0) {
        Value::Undefined | Value::Null => Vec::new(),
        Value::Map(fields) => fields,
        // Another extension of this name takes the servers here.
        other => {
            let kind = go::type_of(&other);
            return Err(Throw::go(format!(
                "invalid options type: {kind}; expected object, as in new Client({{ client_id }})"
            )));
        }
    };
    let tags = fields.iter_mut().find(|(name, _)| name == "tags");
    let own_tags = tag_pairs(tags.map_or(Value::Undefined, |(_, value)| std::mem::replace(value, Value::Undefined)))?;
    let text = |fields: &[(String, Value)], name: &str| field(fields, name).map(go::string_of).unwrap_or_default();
    let will = match field(&fields, "will") {
        Some(Value::Map(will)) => Some(Will {
            topic: text(will, "topic"),
            payload: field(will, "payload").map_or(Ok(Bytes::new()), payload).map_err(Throw::go)?,
            qos: qos(field(will, "qos")).map_err(Throw::go)?,
            is_retained: matches!(field(will, "retain"), Some(Value::Bool(true))),
        }),
        _ => None,
    };
    let counters = vu.module_state::<MqttMetrics>().0.get();
    let client = Rc::new(JsMqtt {
        remote: RefCell::new(None),
        client_id: text(&fields, "client_id"),
        will,
        counters: counters.unwrap_or_else(|| unreachable!("the module declares its metrics when it is imported")),
        tags: RefCell::default(),
        own_tags,
        ended: Notify::new(),
    });
    let clients = vu.module_state::<OpenClients>();
    let mut clients = clients.0.borrow_mut();
    clients.retain(|client| client.strong_count() > 0);
    clients.push(Rc::downgrade(&client));
    Ok(Value::Resource(client))
}

/// Before an iteration is counted: connections it leaves open are closed.
pub fn close_clients(vu: &VuContext) -> Option<LocalBoxFuture<'_, ()>> {
    let clients = vu.existing_module_state::<OpenClients>()?;
    for client in clients.0.borrow().iter().filter_map(Weak::upgrade) {
        client.remote.take();
        client.ended.notify_waiters();
    }
    None
}

/// An address of a server, without what it has of a user.
#[derive(Debug, PartialEq, Eq)]
struct MqttAddress {
    host: String,
    port: String,
    encrypts: bool,
    /// The address of a WebSocket.
    web_socket: Option<String>,
    user: Option<(String, String)>,
}

fn address(url: &str) -> Result<MqttAddress, String> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("invalid URL {:?}", redact(url)))?;
    let scheme = scheme.to_ascii_lowercase();
    let (encrypts, port) = match scheme.as_str() {
        "mqtt" | "tcp" => (false, "1883"),
        "mqtts" | "ssl" | "tls" => (true, "8883"),
        "ws" => (false, "80"),
        "wss" => (true, "443"),
        _ => return Err(format!("unknown scheme {scheme:?}: mqtt, tcp, mqtts, ssl, tls, ws and wss are offered")),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, place) = authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
    let (host, given) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let port = if given.is_empty() { port } else { given };
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(format!("invalid URL {:?}", redact(url)));
    }
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = user.map(|user| user.split_once(':').unwrap_or((user, "")));
    let user = user.map(|(name, password)| (decoded(name), decoded(password)));
    let web_socket = scheme.starts_with("ws").then(|| format!("{scheme}://{place}{path}"));
    Ok(MqttAddress { host: host.to_owned(), port: port.to_owned(), encrypts, web_socket, user })
}

/// How the WebSocket of an address is opened, if it is one.
fn web_socket(address: &MqttAddress) -> Result<Option<HandshakeRequest>, String> {
    let Some(url) = &address.web_socket else { return Ok(None) };
    HandshakeRequest::new(url, Vec::new())?.protocols(&[SUBPROTOCOL.to_owned()]).map(Some)
}

/// `(client, servers, options, credentials, whether to wait)` -> `{}` or `{failed}`, or a promise of that.
fn connect(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let client = args.resource::<JsMqtt>(0)?;
    if vu.is_init() {
        return Err(Throw::go("connecting to an MQTT server in the init context is not supported"));
    }
    let servers = match args.take(1) {
        Value::List(list) => list.iter().map(go::string_of).collect::<Vec<_>>(),
        Value::String(url) => vec![url],
        _ => Vec::new(),
    };
    let (mut options, credentials, waits) = (fields_of(args.take(2)), fields_of(args.take(3)), args.bool(4));
    let number = |name: &str, default: f64| match field(&options, name) {
        Some(Value::Number(number)) if *number >= 0.0 => *number,
        _ => default,
    };
    let (keepalive, timeout) = (number("keepalive", KEEPALIVE), number("connect_timeout", CONNECT_TIMEOUT));
    let text = |name: &str| field(&credentials, name).map(go::string_of).filter(|text| !text.is_empty());
    let how = MqttConnect {
        client_id: client.client_id.clone(),
        username: text("username"),
        password: text("password"),
        will: client.will.clone(),
        keepalive: Duration::from_secs_f64(keepalive.min(65_535.0)),
        timeout: Duration::from_secs_f64(timeout.min(3_600_000.0) / 1000.0),
        is_clean: !matches!(field(&options, "clean_session"), Some(Value::Bool(false))),
        ..MqttConnect::default()
    };
    let tags = options.iter_mut().find(|(name, _)| name == "tags");
    let tags = tag_pairs(tags.map_or(Value::Undefined, |(_, value)| std::mem::replace(value, Value::Undefined)))?;
    let remote =
        client.remote.borrow_mut().get_or_insert_with(|| Rc::new(Remote::new(&vu.client, MqttSession::new))).clone();
    let (vu_of, began) = (vu.rc(), Instant::now());
    let first = servers.first().cloned().unwrap_or_default();
    // One after the other, and begun before anybody waits.
    let connecting = remote.call(move |session| async move {
        let mut tried = (String::new(), Err("no servers defined to connect to".to_owned()));
        for url in servers {
            let connected = match to_server(&how, &url) {
                Ok(how) => session.connect(&how).await,
                Err(text) => Err(text),
            };
            tried = (url, connected);
            if tried.1.is_ok() {
                break;
            }
        }
        tried
    });
    let work = async move {
        let tried = client.until_ended(connecting).await;
        let (url, result) = tried.unwrap_or_else(|| (first, Err("not connected".to_owned())));
        let mut all = vec![
            ("proto".to_owned(), "MQTT/3.1.1".to_owned()),
            ("client_id".to_owned(), client.client_id.clone()),
            ("url".to_owned(), redact(&url).into_owned()),
        ];
        all.retain(|(_, value)| !value.is_empty());
        all.extend(client.own_tags.iter().chain(&tags).cloned());
        client.tags.replace(all);
        client.tell(&vu_of, "connect", "", Vec::new(), began, result)
    };
    if waits { vu.wait(work)? } else { Ok(super::pending(work)) }
}

/// How a client connects to the server of this address.
fn to_server(how: &MqttConnect, url: &str) -> Result<MqttConnect, String> {
    let address = address(url)?;
    let web_socket = web_socket(&address)?;
    let MqttAddress { host, port, encrypts, user, .. } = address;
    let mut how = MqttConnect { host, port, encrypts, web_socket, ..how.clone() };
    if let (None, Some((name, password))) = (&how.username, user) {
        (how.username, how.password) = (Some(name), Some(password).filter(|text| !text.is_empty()));
    }
    Ok(how)
}

/// `(client, topic, payload, options, whether to wait)` -> as `connect`.
fn publish(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let client = args.resource::<JsMqtt>(0)?;
    let (topic, payload, options, waits) = (args.string(1), payload(args.get(2)), args.take(3), args.bool(4));
    let mut options = fields_of(options);
    let (qos, is_retained) =
        (qos(field(&options, "qos")), matches!(field(&options, "retain"), Some(Value::Bool(true))));
    let tags = options.iter_mut().find(|(name, _)| name == "tags");
    let tags = tag_pairs(tags.map_or(Value::Undefined, |(_, value)| std::mem::replace(value, Value::Undefined)))?;
    let (vu_of, began) = (vu.rc(), Instant::now());
    let prepared = payload.and_then(|payload| Ok((payload, qos?, client.remote()?)));
    let begun = prepared.map(|(payload, qos, remote)| {
        let topic = topic.clone();
        remote.call(move |session| async move { session.publish(&topic, &payload, qos, is_retained).await })
    });
    let work = async move {
        let result = match begun {
            Ok(begun) => client.until_ended(begun).await.unwrap_or_else(|| Err("not connected".to_owned())),
            Err(text) => Err(text),
        };
        client.tell(&vu_of, "publish", &topic, tags, began, result)
    };
    if waits { vu.wait(work)? } else { Ok(super::pending(work)) }
}

/// Topics as scripts name them: a text, several, or an object of them with options.
fn named_topics(value: Value, all: Qos) -> Result<Vec<(String, Qos)>, String> {
    let invalid = || "invalid type: String or Array of String or Object expected".to_owned();
    let topics = match value {
        Value::String(topic) => vec![(topic, all)],
        Value::List(list) => {
            let one = |topic| match topic {
                Value::String(topic) => Ok((topic, all)),
                _ => Err(invalid()),
            };
            list.into_iter().map(one).collect::<Result<_, _>>()?
        }
        Value::Map(fields) => {
            let one = |(topic, options): (String, Value)| {
                Ok((
                    topic,
                    match options {
                        Value::Map(options) => qos(field(&options, "qos"))?,
                        Value::Number(_) => qos(Some(&options))?,
                        _ => all,
                    },
                ))
            };
            fields.into_iter().map(one).collect::<Result<_, String>>()?
        }
        _ => return Err(invalid()),
    };
    if topics.is_empty() { Err(invalid()) } else { Ok(topics) }
}

/// `(client, "subscribe" or "unsubscribe", topics, options, whether to wait)` -> as `connect`.
fn topics(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let client = args.resource::<JsMqtt>(0)?;
    let (method, given, options, waits) = (args.string(1), args.take(2), args.take(3), args.bool(4));
    let mut options = fields_of(options);
    let named = qos(field(&options, "qos")).and_then(|all| named_topics(given, all));
    let tags = options.iter_mut().find(|(name, _)| name == "tags");
    let tags = tag_pairs(tags.map_or(Value::Undefined, |(_, value)| std::mem::replace(value, Value::Undefined)))?;
    let shown = named.iter().flatten().map(|(topic, _)| topic.as_str()).collect::<Vec<_>>().join(",");
    let (vu_of, began, subscribes) = (vu.rc(), Instant::now(), method == "subscribe");
    let begun = named.and_then(|topics| Ok((topics, client.remote()?))).map(|(topics, remote)| {
        remote.call(move |session| async move {
            match subscribes {
                true => session.subscribe(&topics).await,
                false => session.unsubscribe(&topics).await,
            }
        })
    });
    let work = async move {
        let result = match begun {
            Ok(begun) => client.until_ended(begun).await.unwrap_or_else(|| Err("not connected".to_owned())),
            Err(text) => Err(text),
        };
        client.tell(&vu_of, &method, &shown, tags, began, result)
    };
    if waits { vu.wait(work)? } else { Ok(super::pending(work)) }
}

/// `(client)` -> a promise of what arrives next: `{topic, payload}`, `{lost}`, or of nothing at the end.
fn next(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let client = args.resource::<JsMqtt>(0)?;
    let begun = client.remote().map(|remote| remote.call(|session| async move { session.next().await }));
    let vu = vu.rc();
    Ok(super::pending(async move {
        let arrival = match begun {
            Ok(begun) => client.until_ended(begun).await.flatten(),
            Err(_) => None,
        };
        Ok(Value::Map(match arrival {
            Some(Arrival::Message(topic, payload, at)) => {
                let more = [("method", "message"), ("topic", topic.as_str())];
                client.count(&vu, CALLS, at, &more);
                client.count(&vu, RECEIVED, at, &more);
                vu.note_given(payload.len());
                vec![("topic".to_owned(), Value::String(topic)), ("payload".to_owned(), Value::Bytes(payload))]
            }
            Some(Arrival::Lost(why)) => {
                client.count(&vu, ERRORS, Instant::now(), &[("method", "message")]);
                vec![("lost".to_owned(), why.into())]
            }
            None => Vec::new(),
        }))
    }))
}

/// `(client, tags)`: says farewell, and closes.
fn end(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let client = args.resource::<JsMqtt>(0)?;
    let tags = tag_pairs(args.take(1))?;
    let Some(remote) = client.remote.take() else { return Ok(Value::Undefined) };
    client.ended.notify_waiters();
    let began = Instant::now();
    vu.wait(remote.call(|session| async move { session.end().await }))?;
    client.tell(vu, "end", "", tags, began, Ok(Instant::now()))?;
    Ok(Value::Undefined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let check = |url: &str, host: &str, port: &str, encrypts: bool, user: Option<(&str, &str)>| {
            let user = user.map(|(name, password)| (name.to_owned(), password.to_owned()));
            let web_socket = url.starts_with("ws").then(|| url.replace("u:p%40@", ""));
            let expect = MqttAddress { host: host.to_owned(), port: port.to_owned(), encrypts, web_socket, user };
            assert_eq!(address(url), Ok(expect), "{url}");
        };
        check("mqtt://h", "h", "1883", false, None);
        check("tcp://h:1/path", "h", "1", false, None);
        check("MQTTS://[::1]", "::1", "8883", true, None);
        check("ssl://u:p%40@[::1]:9", "::1", "9", true, Some(("u", "p@")));
        check("ws://h/mqtt?x=1", "h", "80", false, None);
        check("wss://u:p%40@[::1]:9/", "::1", "9", true, Some(("u", "p@")));
        let check = |url: &str, expect: &str| {
            let error = address(url).unwrap_err();
            assert!(error.contains(expect) && !error.contains("s3cret"), "{url}: {error}");
        };
        check("h:1883", "invalid URL");
        check("mqtt://u:s3cret@", "invalid URL");
        check("mqtt://h:x", "invalid URL");
        check("http://u:s3cret@h", "unknown scheme \"http\"");
        check("wss://u:s3cret@", "invalid URL");
    }
}
