//! `k6/x/tcp`: sockets with events. JavaScript asks for what arrives next and gets it as a promise.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Instant;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use futures_util::future::LocalBoxFuture;
use tokio::sync::Notify;

use super::super::super::Op;
use super::super::http::go;
use super::super::tag_pairs;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::record::millis;
use crate::metrics::{Contains, MetricId, MetricType};
use crate::net::raw_socket::{Connected, RawSocket};
use crate::net::remote::Remote;

/// The native half.
pub const OPS: &[(&str, Op)] = &[
    ("declare", declare),
    ("open", open),
    ("connect", connect),
    ("write", write),
    ("next", next),
    ("destroy", destroy),
    ("warn", super::super::warn),
];

type Tags = Vec<(String, String)>;

/// The metrics, in this order: resolving, connecting, duration; sockets, reads, writes, errors, partial writes, timeouts.
const METRICS: [(&str, MetricType, Contains); 9] = [
    ("tcp_socket_resolving", MetricType::Trend, Contains::Time),
    ("tcp_socket_connecting", MetricType::Trend, Contains::Time),
    ("tcp_socket_duration", MetricType::Trend, Contains::Time),
    ("tcp_sockets", MetricType::Counter, Contains::Default),
    ("tcp_reads", MetricType::Counter, Contains::Default),
    ("tcp_writes", MetricType::Counter, Contains::Default),
    ("tcp_errors", MetricType::Counter, Contains::Default),
    ("tcp_partial_writes", MetricType::Counter, Contains::Default),
    ("tcp_timeouts", MetricType::Counter, Contains::Default),
];
const RESOLVING: usize = 0;
const CONNECTING: usize = 1;
const DURATION: usize = 2;
const SOCKETS: usize = 3;
const READS: usize = 4;
const WRITES: usize = 5;
const ERRORS: usize = 6;
const TIMEOUTS: usize = 8;

/// What a script's `Socket` stands for.
struct JsTcp {
    /// Gone once the socket is destroyed.
    remote: RefCell<Option<Rc<Remote<RawSocket>>>>,
    metrics: [MetricId; METRICS.len()],
    /// Of the socket, and from the connection on also of that.
    tags: RefCell<Tags>,
    /// How many of them are the socket's.
    own_tags: usize,
    /// It is being connected.
    is_connecting: Cell<bool>,
    /// Since when it is connected.
    since: Cell<Option<Instant>>,
    /// Tells those who wait that it is closed.
    closed: Notify,
}

/// The sockets of a VU that may be open.
#[derive(Default)]
struct OpenSockets(RefCell<Vec<Weak<JsTcp>>>);

impl JsTcp {
    fn sample(&self, vu: &VuContext, metric: usize, value: f64, at: Instant) {
        let tags = self.tags.borrow();
        let pairs: Vec<(&str, &str)> = tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        super::sample(vu, self.metrics[metric], value, at, &pairs);
    }

    /// What comes of something under way; `None` if the socket is closed first: then that is dropped, and the connection with it.
    async fn until_closed<T>(&self, work: impl Future<Output = Option<T>>) -> Option<T> {
        let notified = self.closed.notified();
        let closed = async {
            if self.remote.borrow().is_some() {
                notified.await;
            }
        };
        tokio::select! {
            biased;
            // What was done before it was closed counts, also where it is first asked for afterwards.
            result = work => result,
            () = closed => None,
        }
    }

    /// Closes the connection; its duration is counted once.
    fn close(&self, vu: &VuContext) {
        let remote = self.remote.borrow_mut().take();
        drop(remote);
        self.closed.notify_waiters();
        if let Some(since) = self.since.take() {
            let now = Instant::now();
            self.sample(vu, DURATION, millis((now - since).as_nanos() as u64), now);
        }
    }
}

/// What sockets are measured in, known once the module was imported.
#[derive(Default)]
struct TcpMetrics(Cell<Option<[MetricId; METRICS.len()]>>);

/// Declares the metrics.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let mut metrics = Vec::with_capacity(METRICS.len());
    for (name, kind, contains) in METRICS {
        metrics.push(super::declare(vu, name, kind, contains)?);
    }
    let metrics = <[MetricId; METRICS.len()]>::try_from(metrics).unwrap_or_else(|_| unreachable!("as many as names"));
    vu.module_state::<TcpMetrics>().0.set(Some(metrics));
    Ok(Value::Undefined)
}

/// `(tags)` -> a socket that is not connected.
fn open(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        return Err(Throw::go("creating TCP sockets in the init context is not supported"));
    }
    let mut tags = vec![("proto".to_owned(), "TCP".to_owned())];
    tags.extend(tag_pairs(args.take(0))?);
    let metrics = vu.module_state::<TcpMetrics>().0.get();
    let metrics = metrics.unwrap_or_else(|| unreachable!("the module declares its metrics when it is imported"));
    let socket = Rc::new(JsTcp {
        remote: RefCell::new(Some(Rc::new(Remote::new(&vu.client, RawSocket::new)))),
        metrics,
        own_tags: tags.len(),
        tags: RefCell::new(tags),
        is_connecting: Cell::new(false),
        since: Cell::new(None),
        closed: Notify::new(),
    });
    let sockets = vu.module_state::<OpenSockets>();
    let mut sockets = sockets.0.borrow_mut();
    sockets.retain(|socket| socket.strong_count() > 0);
    sockets.push(Rc::downgrade(&socket));
    Ok(Value::Resource(socket))
}

/// Before an iteration is counted: sockets it leaves open are closed.
pub fn close_sockets(vu: &VuContext) -> Option<LocalBoxFuture<'_, ()>> {
    let sockets = vu.existing_module_state::<OpenSockets>()?;
    for socket in sockets.0.take() {
        if let Some(socket) = socket.upgrade() {
            socket.close(vu);
        }
    }
    None
}

fn failed(text: impl Into<String>) -> Value {
    Value::Map(vec![("failed".to_owned(), Value::String(text.into()))])
}

/// Where a script wants to connect to.
struct Target {
    host: String,
    port: String,
    encrypts: bool,
    tags: Tags,
}

fn target(first: Value, second: Value) -> Result<Target, String> {
    const LOCAL: &str = "localhost";
    let port_text = |value: &Value| match value {
        Value::Number(number) if number.fract() == 0.0 => Some(format!("{number}")),
        Value::String(text) if text.parse::<u16>().is_ok() => Some(text.clone()),
        _ => None,
    };
    let invalid = || "invalid type: expected integer or object".to_owned();
    let text = |value: Value| match value {
        Value::String(text) if !text.is_empty() => text,
        _ => LOCAL.to_owned(),
    };
    let Value::Map(fields) = first else {
        let port = port_text(&first).ok_or_else(invalid)?;
        return Ok(Target { host: text(second), port, encrypts: false, tags: Vec::new() });
    };
    let mut target = Target { host: LOCAL.to_owned(), port: String::new(), encrypts: false, tags: Vec::new() };
    for (name, value) in fields {
        match name.as_str() {
            "port" => target.port = port_text(&value).ok_or_else(invalid)?,
            "host" => target.host = text(value),
            "tls" => target.encrypts = matches!(value, Value::Bool(true)),
            "tags" => target.tags = tag_pairs(value).map_err(|throw| throw.report())?,
            _ => {}
        }
    }
    if target.port.is_empty() { Err(invalid()) } else { Ok(target) }
}

/// `(socket, port or object, host)` -> a promise of both ends, or of what went wrong.
fn connect(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsTcp>(0)?;
    let target = target(args.take(1), args.take(2));
    let remote = socket.remote.borrow().clone();
    let vu = vu.rc();
    let begun = target.and_then(|target| {
        let remote = remote.ok_or_else(|| "the socket is destroyed".to_owned())?;
        if socket.since.get().is_some() {
            return Err("the socket is already connected".to_owned());
        }
        if socket.is_connecting.replace(true) {
            return Err("the socket is connecting already".to_owned());
        }
        let mut tags = socket.tags.borrow_mut();
        // Those of an attempt that failed are not those of the next one.
        tags.truncate(socket.own_tags);
        tags.extend([("host".to_owned(), target.host.clone()), ("port".to_owned(), target.port.clone())]);
        tags.extend(target.tags.iter().cloned());
        let job = move |socket: Rc<RawSocket>| async move {
            socket.connect(&target.host, &target.port, target.encrypts).await
        };
        Ok(remote.call(job))
    });
    Ok(super::pending(async move {
        let connected = match begun {
            Ok(begun) => {
                let connected = socket.until_closed(begun).await;
                socket.is_connecting.set(false);
                // Destroyed while it connected.
                connected.unwrap_or_else(|| Err("the socket is destroyed".to_owned()))
            }
            Err(text) => Err(text),
        };
        let Connected { local, remote, resolving, connecting, at } = match connected {
            Ok(connected) => connected,
            Err(text) => {
                socket.sample(&vu, ERRORS, 1.0, Instant::now());
                return Ok(failed(text));
            }
        };
        socket.tags.borrow_mut().push(("ip".to_owned(), remote.ip().to_string()));
        if socket.remote.borrow().is_some() {
            socket.since.set(Some(at));
        }
        socket.sample(&vu, RESOLVING, millis(resolving.as_nanos() as u64), at);
        socket.sample(&vu, CONNECTING, millis(connecting.as_nanos() as u64), at);
        socket.sample(&vu, SOCKETS, 1.0, at);
        let fields = [
            ("local_ip", Value::String(local.ip().to_string())),
            ("local_port", Value::Number(f64::from(local.port()))),
            ("remote_ip", Value::String(remote.ip().to_string())),
            ("remote_port", Value::Number(f64::from(remote.port()))),
        ];
        Ok(Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }))
}

/// What a script writes, as bytes.
fn bytes_of(data: Value, encoding: &Value) -> Result<Vec<u8>, String> {
    let text = match data {
        Value::Bytes(bytes) => return Ok(bytes.to_vec()),
        Value::String(text) => text,
        other => return Err(format!("unsupported data type {}", go::type_of(&other))),
    };
    let encoding = match encoding {
        Value::Undefined | Value::Null => String::new(),
        other => go::string_of(other),
    };
    let either = |padded: data_encoding::Encoding, plain: data_encoding::Encoding| {
        let decoder = if text.contains('=') { padded } else { plain };
        decoder.decode(text.as_bytes()).map_err(|error| format!("the data is not {encoding}: {error}"))
    };
    match encoding.to_ascii_lowercase().as_str() {
        "" | "utf8" | "utf-8" => Ok(text.into_bytes()),
        "ascii" => Ok(text.chars().map(|c| c as u32 as u8).collect()),
        "base64" => either(BASE64, BASE64_NOPAD),
        "base64url" => either(BASE64URL, BASE64URL_NOPAD),
        "hex" => either(HEXLOWER_PERMISSIVE, HEXLOWER_PERMISSIVE),
        _ => Err(format!("unsupported encoding {encoding:?}")),
    }
}

/// `(socket, data, encoding, tags)` -> a promise of how many bytes were written, or of what went wrong.
fn write(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsTcp>(0)?;
    let bytes = bytes_of(args.take(1), args.get(2));
    let tags = tag_pairs(args.take(3))?;
    let remote = socket.remote.borrow().clone();
    let begun = bytes.and_then(|bytes| {
        let remote = remote.ok_or_else(|| "no active connection".to_owned())?;
        let length = bytes.len();
        Ok((remote.call(move |socket| async move { socket.write(&bytes).await }), length))
    });
    let vu = vu.rc();
    Ok(super::pending(async move {
        let written = match begun {
            Ok((begun, length)) => {
                let written =
                    socket.until_closed(begun).await.unwrap_or_else(|| Err("no active connection".to_owned()));
                written.map(|at| (at, length))
            }
            Err(text) => Err(text),
        };
        Ok(match written {
            Ok((at, length)) => {
                let pairs: Vec<(&str, &str)> =
                    tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                super::sample(&vu, socket.metrics[WRITES], 1.0, at, &pairs);
                Value::Map(vec![("bytes".to_owned(), Value::Number(length as f64))])
            }
            Err(text) => {
                socket.sample(&vu, ERRORS, 1.0, Instant::now());
                failed(text)
            }
        })
    }))
}

/// `(socket)` -> a promise of what arrives next; of nothing at the end.
fn next(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsTcp>(0)?;
    let begun = socket.remote.borrow().as_ref().map(|remote| remote.call(|socket| async move { socket.read().await }));
    let vu = vu.rc();
    Ok(super::pending(async move {
        let read = match begun {
            Some(begun) => socket.until_closed(begun).await.unwrap_or(Ok(None)),
            None => Ok(None),
        };
        Ok(match read {
            Ok(Some((bytes, at))) => {
                super::sample(&vu, socket.metrics[READS], 1.0, at, &[]);
                vu.note_given(bytes.len());
                Value::Map(vec![("data".to_owned(), Value::Bytes(bytes))])
            }
            Ok(None) => Value::Map(Vec::new()),
            Err(text) => {
                super::sample(&vu, socket.metrics[ERRORS], 1.0, Instant::now(), &[]);
                failed(text)
            }
        })
    }))
}

/// `(socket, only counts a timeout)`: closes it, or notes that nothing came for as long as the script wanted to wait.
fn destroy(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let socket = args.resource::<JsTcp>(0)?;
    match args.bool(1) {
        true => socket.sample(vu, TIMEOUTS, 1.0, Instant::now()),
        false => socket.close(vu),
    }
    Ok(Value::Undefined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_read() {
        let check = |text: &str, encoding: &str, expect: Result<&[u8], &str>| {
            let found = bytes_of(text.into(), &encoding.into());
            assert_eq!(found.as_deref().map_err(String::as_str), expect, "{encoding}");
        };
        check("é", "UTF8", Ok("é".as_bytes()));
        check("ab", "ascii", Ok(b"ab"));
        check("YWI=", "base64", Ok(b"ab"));
        check("YWI", "Base64", Ok(b"ab"));
        check("_-8", "base64url", Ok(&[255, 239]));
        check("00fF", "hex", Ok(&[0, 255]));
        check("a", "utf16", Err("unsupported encoding \"utf16\""));
    }
}
