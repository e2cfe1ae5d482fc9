//! `k6/x/icmp`: is a host there, and how far away?

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, mpsc};

use super::super::super::Op;
use super::super::http::go;
use super::super::tag_pairs;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::record::millis;
use crate::metrics::{Contains, MetricId, MetricType};
use crate::net::icmp::{self, PingEvent, PingPlan};
use crate::net::random::random;
use crate::units::duration::Span;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("declare", declare), ("start", start), ("next", next)];

/// The metrics, in this order: packets sent and received, errors; round trips, names, sockets; hops.
const METRICS: [(&str, MetricType, Contains); 7] = [
    ("icmp_packets_sent", MetricType::Counter, Contains::Default),
    ("icmp_packets_received", MetricType::Counter, Contains::Default),
    ("icmp_errors", MetricType::Counter, Contains::Default),
    ("icmp_rtt", MetricType::Trend, Contains::Time),
    ("icmp_resolve", MetricType::Trend, Contains::Time),
    ("icmp_setup", MetricType::Trend, Contains::Time),
    ("icmp_reply_ttl", MetricType::Gauge, Contains::Default),
];
const SENT: usize = 0;
const RECEIVED: usize = 1;
const ERRORS: usize = 2;
const RTT: usize = 3;
const RESOLVE: usize = 4;
const SETUP: usize = 5;
const REPLY_TTL: usize = 6;

/// A shorter interval is made so long, unless `K6_PING_MINIMUM_INTERVAL` says otherwise.
const MIN_INTERVAL: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(10);
const SIZE: f64 = 56.0;

#[derive(Default)]
struct IcmpMetrics(Cell<Option<[MetricId; METRICS.len()]>>);

/// Sentences that are said once a run.
#[derive(Default)]
struct Said {
    is_raw: AtomicBool,
    ip_version: AtomicBool,
}

/// Packets under way.
struct JsPing {
    events: Mutex<mpsc::UnboundedReceiver<PingEvent>>,
    /// What sends them, until it is dropped.
    job: RefCell<Option<BoxFuture<'static, Option<()>>>>,
    threshold: f64,
    metrics: [MetricId; METRICS.len()],
    tags: RefCell<Vec<(String, String)>>,
    target: String,
    ip: Cell<Option<std::net::IpAddr>>,
}

impl JsPing {
    fn sample(&self, vu: &VuContext, metric: usize, value: f64, at: Instant) {
        let tags = self.tags.borrow();
        let pairs: Vec<(&str, &str)> = tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        super::sample(vu, self.metrics[metric], value, at, &pairs);
    }

    /// Writes down what happened; what the script is told of it.
    fn tell(&self, vu: &VuContext, event: PingEvent) -> Option<Vec<(String, Value)>> {
        let time = |took: Duration| millis(took.as_nanos() as u64);
        let now = Instant::now();
        match event {
            PingEvent::Ready(ip, resolving, opening, is_raw) => {
                let said = vu.script.module_state::<Said>();
                if is_raw && !said.is_raw.swap(true, Ordering::Relaxed) {
                    let words = "sockets for echo requests that need no privileges are not allowed here \
                                 (net.ipv4.ping_group_range): raw sockets are used";
                    vu.script.log.warn(format!("k6/x/icmp: {words}"));
                }
                self.ip.set(Some(ip));
                self.tags.borrow_mut().push(("ip".to_owned(), ip.to_string()));
                self.sample(vu, RESOLVE, time(resolving), now);
                self.sample(vu, SETUP, time(opening), now);
                None
            }
            PingEvent::Sent(at) => {
                self.sample(vu, SENT, 1.0, at);
                None
            }
            PingEvent::Reply(reply) => {
                self.sample(vu, RECEIVED, 1.0, reply.received);
                self.sample(vu, RTT, time(reply.received.saturating_duration_since(reply.sent)), reply.received);
                if let Some(ttl) = reply.ttl {
                    self.sample(vu, REPLY_TTL, f64::from(ttl), reply.received);
                }
                let stamp = |at: Instant| Value::Number((vu.script.epoch.stamp(at).0 / 1_000_000) as f64);
                let ip = self.ip.get();
                let fields = [
                    ("alive", Value::Bool(true)),
                    ("target", self.target.as_str().into()),
                    ("target_ip", ip.map(|ip| ip.to_string()).unwrap_or_default().into()),
                    ("target_ip_version", if ip.is_some_and(|ip| ip.is_ipv6()) { "ip6" } else { "ip4" }.into()),
                    ("sent_at", stamp(reply.sent)),
                    ("received_at", stamp(reply.received)),
                    ("ttl", reply.ttl.map_or(Value::Undefined, |ttl| Value::Number(f64::from(ttl)))),
                    ("id", Value::Number(f64::from(reply.id))),
                    ("seq", Value::Number(f64::from(reply.seq))),
                    ("size", Value::Number(reply.size as f64)),
                ];
                let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                Some(vec![("reply".to_owned(), Value::Map(fields))])
            }
            PingEvent::Failed(text) => {
                self.sample(vu, ERRORS, 1.0, now);
                Some(vec![("failed".to_owned(), text.into())])
            }
            PingEvent::Done(Ok((sent, received))) => {
                let is_alive = sent > 0 && f64::from(received) / f64::from(sent) * 100.0 >= self.threshold;
                Some(vec![("alive".to_owned(), Value::Bool(is_alive))])
            }
            PingEvent::Done(Err(text)) => {
                self.sample(vu, ERRORS, 1.0, now);
                Some(vec![("refused".to_owned(), text.into())])
            }
        }
    }
}

/// Declares the metrics.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let mut ids = Vec::with_capacity(METRICS.len());
    for (name, kind, contains) in METRICS {
        ids.push(super::declare(vu, name, kind, contains)?);
    }
    let ids = <[MetricId; METRICS.len()]>::try_from(ids).unwrap_or_else(|_| unreachable!("as many as names"));
    vu.module_state::<IcmpMetrics>().0.set(Some(ids));
    Ok(Value::Undefined)
}

/// Milliseconds, or Go's words.
fn span(value: &Value) -> Result<Duration, String> {
    match value {
        Value::Number(millis) if *millis >= 0.0 && *millis < 1e12 => Ok(Duration::from_secs_f64(millis / 1000.0)),
        Value::String(text) => Ok(Span::parse_go(text)?.to_duration()),
        other => Err(format!("invalid type: duration expected, not {}", go::type_of(other))),
    }
}

fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(number) if number.is_finite() => Ok(*number),
        _ => Err("invalid type: number expected".to_owned()),
    }
}

/// What is to be sent, which share of it in percent has to be answered, and the tags.
struct PingOrder {
    plan: PingPlan,
    threshold: f64,
    tags: Vec<(String, String)>,
}

/// Another one for each ping of this process: raw sockets get the replies to all of them.
fn next_id() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(random() as u16));
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn order(vu: &VuContext, target: String, options: Value) -> Result<PingOrder, String> {
    let mut plan = PingPlan {
        target,
        count: 1,
        interval: INTERVAL,
        timeout: TIMEOUT,
        deadline: Duration::ZERO,
        size: SIZE as usize,
        id: next_id(),
        seq: 1,
        source: None,
        ttl: 64,
    };
    let (mut threshold, mut tags, mut deadline) = (100.0, Vec::new(), None);
    let fields = match options {
        Value::Map(fields) => fields,
        _ => Vec::new(),
    };
    let least = vu.script.env.get("K6_PING_MINIMUM_INTERVAL").and_then(|text| Span::parse_go(text).ok());
    let least = least.map_or(MIN_INTERVAL, Span::to_duration);
    for (name, value) in fields.into_iter().filter(|(_, value)| !matches!(value, Value::Undefined | Value::Null)) {
        match name.as_str() {
            "count" => plan.count = number(&value)?.clamp(0.0, f64::from(u16::MAX)) as u32,
            "interval" => {
                plan.interval = span(&value)?;
                if plan.interval < least {
                    let (asked, least) = (Span::from(plan.interval), Span::from(least));
                    let words =
                        format!("specified interval {asked} is less than allowed minimum {least}, using minimum");
                    vu.script.log.warn(words);
                }
            }
            "timeout" => plan.timeout = span(&value)?,
            "deadline" => deadline = Some(span(&value)?),
            "size" => plan.size = number(&value)?.clamp(0.0, icmp::MAX_SIZE as f64) as usize,
            "threshold" => {
                threshold = Some(number(&value)?).filter(|share| *share > 0.0 && *share <= 100.0).unwrap_or(100.0)
            }
            "id" => plan.id = number(&value)? as i64 as u16,
            "seq" => plan.seq = number(&value)? as i64 as u16,
            "ttl" => plan.ttl = number(&value)?.clamp(0.0, 255.0) as u32,
            "source" => {
                let text = go::string_of(&value);
                plan.source = Some(text.parse().map_err(|_| format!("invalid source address {text:?}"))?);
            }
            "tags" => tags = tag_pairs(value).map_err(|throw| throw.report())?,
            "preferred_ip_version" if !vu.script.module_state::<Said>().ip_version.swap(true, Ordering::Relaxed) => {
                let words = "preferred_ip_version has no effect, as in k6: the policy of the option dns decides";
                vu.script.log.warn(format!("k6/x/icmp: {words}"));
            }
            _ => {}
        }
    }
    plan.interval = plan.interval.max(least);
    let whole = plan.interval * plan.count.saturating_sub(1) + plan.timeout.mul_f64(1.5);
    plan.deadline = deadline.unwrap_or(whole);
    Ok(PingOrder { plan, threshold, tags })
}

/// `(target, options)` -> packets under way.
fn start(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    if vu.is_init() {
        return Err(Throw::go("ping is not allowed in the init context"));
    }
    let target = args.string(0);
    let order = order(vu, target.clone(), args.take(1)).map_err(Throw::go)?;
    let PingOrder { plan, threshold, tags: own } = order;
    let metrics = vu.module_state::<IcmpMetrics>().0.get();
    let mut tags = vec![("proto".to_owned(), "ICMP".to_owned())];
    tags.extend(own);
    let (events_tx, events) = mpsc::unbounded_channel();
    let job = vu.client.run(move |connections| icmp::ping(connections, plan, events_tx));
    Ok(Value::Resource(Rc::new(JsPing {
        events: Mutex::new(events),
        job: RefCell::new(Some(Box::pin(job))),
        threshold,
        metrics: metrics.unwrap_or_else(|| unreachable!("the module declares its metrics when it is imported")),
        tags: RefCell::new(tags),
        target,
        ip: Cell::new(None),
    })))
}

/// `(packets, whether to wait)` -> what happens next, or a promise of that: `{reply}`, `{failed}`, at last `{alive}` or `{refused}`.
fn next(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let (ping, waits) = (args.resource::<JsPing>(0)?, args.bool(1));
    let vu_of = vu.rc();
    let work = async move {
        // Dropped with the one who waits: then no more packets are sent.
        let job = ping.job.take();
        let told = loop {
            let event = ping.events.lock().await.recv().await.ok_or(Throw::Stop)?;
            if let Some(told) = ping.tell(&vu_of, event) {
                break told;
            }
        };
        ping.job.replace(job);
        Ok(Value::Map(told))
    };
    if waits { vu.wait(work)? } else { Ok(super::pending(work)) }
}
