//! `k6/x/dns`: questions to DNS servers and to the system, with metrics of their own.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};

use super::super::super::Op;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::metrics::record::millis;
use crate::metrics::{Contains, MetricId, MetricType};
use crate::net::dns_query::{self, DnsError, DnsOutcome, RecordType};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("declare", declare), ("resolve", resolve), ("lookup", lookup)];

/// How many, how long, how many in vain: of questions, then of look-ups.
#[derive(Default)]
struct DnsMetrics(Cell<Option<[MetricId; 6]>>);

/// Declares the metrics.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let declare = |name: &str, kind, contains| super::declare(vu, name, kind, contains);
    let metrics = [
        declare("dns_resolutions", MetricType::Counter, Contains::Default)?,
        declare("dns_resolution_duration", MetricType::Trend, Contains::Time)?,
        declare("dns_resolution_failed", MetricType::Rate, Contains::Default)?,
        declare("dns_lookups", MetricType::Counter, Contains::Default)?,
        declare("dns_lookup_duration", MetricType::Trend, Contains::Time)?,
        declare("dns_lookup_failed", MetricType::Rate, Contains::Default)?,
    ];
    vu.module_state::<DnsMetrics>().0.set(Some(metrics));
    Ok(Value::Undefined)
}

fn rejected(message: String) -> Value {
    Value::Pending(Box::pin(async move { Err(Throw::Host { message }) }))
}

/// `(name, type, server)` -> a promise of texts, or of what the server said instead.
fn resolve(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (name, kind, server) = (args.string(0), args.string(1), args.string(2));
    if vu.is_init() {
        return Ok(rejected("resolve can not be used in the init context".to_owned()));
    }
    let record = match kind.as_str() {
        "A" => RecordType::A,
        "AAAA" => RecordType::Aaaa,
        "TXT" => RecordType::Txt,
        other => {
            let text = format!("unsupported record type, {other} is an invalid DNS record type");
            return Ok(rejected(format!("resolve operation failed with {text}")));
        }
    };
    let nameserver = match nameserver(&server) {
        Ok(nameserver) => nameserver,
        Err(text) => return Ok(rejected(text)),
    };
    let asked = name.clone();
    let outcome = vu
        .client
        .run(move |connections| async move { dns_query::query(&connections, &asked, record, nameserver).await });
    let vu = vu.rc();
    Ok(super::pending(async move {
        let outcome = outcome.await.ok_or(Throw::Stop)?;
        let nameserver = nameserver.to_string();
        record_outcome(&vu, 0, &outcome, &[("query", &name), ("recordType", &kind), ("nameserver", &nameserver)]);
        match outcome.answer {
            Ok(records) => Ok(addresses(records)),
            Err(DnsError::Code(code)) => Ok(refusal(code_name(code), "DNS query failed", code)),
            Err(DnsError::Blocked) => {
                let text = format!("DNS query blocked by k6 option blockHostnames: {name}");
                Ok(refusal("BlockedHostname", &text, 5))
            }
            Err(DnsError::Failed(text)) => {
                Err(Throw::Host { message: format!("querying the DNS nameserver failed: {text}") })
            }
        }
    }))
}

/// `(host)` -> a promise of addresses.
fn lookup(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let host = args.string(0);
    if vu.is_init() {
        return Ok(rejected("lookup can not be used in the init context".to_owned()));
    }
    let asked = host.clone();
    let outcome = vu.client.run(move |connections| async move { dns_query::lookup(&connections, &asked).await });
    let vu = vu.rc();
    Ok(super::pending(async move {
        let outcome = outcome.await.ok_or(Throw::Stop)?;
        record_outcome(&vu, 3, &outcome, &[("host", &host)]);
        Ok(match outcome.answer {
            Ok(records) => addresses(records),
            Err(DnsError::Blocked) => refusal("BlockedHostname", &format!("blocked hostname: {host}"), 5),
            Err(DnsError::Failed(text)) => refusal("LookupFailed", &format!("lookup of {host} failed: {text}"), 5),
            Err(DnsError::Code(code)) => refusal(code_name(code), "DNS query failed", code),
        })
    }))
}

fn record_outcome(vu: &VuContext, first: usize, outcome: &DnsOutcome, tags: &[(&str, &str)]) {
    let Some(metrics) = vu.module_state::<DnsMetrics>().0.get() else { return };
    let took = millis(outcome.ended.saturating_duration_since(outcome.began).as_nanos() as u64);
    let failed = f64::from(u8::from(outcome.answer.is_err()));
    for (metric, value) in metrics[first..].iter().zip([1.0, took, failed]) {
        super::sample(vu, *metric, value, outcome.ended, tags);
    }
}

fn addresses(records: Vec<String>) -> Value {
    let records = records.into_iter().map(Value::from).collect();
    Value::Map(vec![("addresses".to_owned(), Value::List(records))])
}

fn refusal(name: &str, message: &str, kind: u16) -> Value {
    let fields = [("name", name.into()), ("message", message.into()), ("kind", Value::Number(f64::from(kind)))];
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// An address with or without a port.
fn nameserver(text: &str) -> Result<SocketAddr, String> {
    const DNS_PORT: u16 = 53;
    if text.is_empty() {
        return Err("nameserver argument must be provided".to_owned());
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, DNS_PORT));
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let ip: IpAddr = host
        .trim_matches(['[', ']'])
        .parse()
        .map_err(|_| format!("parsing nameserver address failed: invalid nameserver IP address: {host}"))?;
    let number: i64 = port.parse().map_err(|_| {
        format!("parsing nameserver address failed: nameserver port not a number {port}: invalid syntax")
    })?;
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    let port =
        port.ok_or_else(|| format!("parsing nameserver address failed: nameserver port out of range {number}"))?;
    Ok(SocketAddr::new(ip, port))
}

fn code_name(code: u16) -> &'static str {
    match code {
        1 => "FormatError",
        2 => "ServerFailure",
        3 => "NonExistingDomain",
        4 => "NotImplemented",
        5 => "Refused",
        6 => "YXDomain",
        7 => "YXRrset",
        8 => "NXRrset",
        9 => "NotAuth",
        10 => "NotZone",
        16 => "BadVers",
        17 => "BadKey",
        18 => "BadTime",
        19 => "BadMode",
        20 => "BadName",
        21 => "BadAlg",
        22 => "BadTrunc",
        23 => "BadCookie",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let found = nameserver(text).map(|address| address.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expect, "{text}");
        };
        check("127.0.0.1", Ok("127.0.0.1:53"));
        check("127.0.0.1:5353", Ok("127.0.0.1:5353"));
        check("::1", Ok("[::1]:53"));
        check("[::1]:54", Ok("[::1]:54"));
        check("", Err("nameserver argument must be provided"));
        check("h", Err("parsing nameserver address failed: invalid nameserver IP address: h"));
        check("127.0.0.1:0", Err("parsing nameserver address failed: nameserver port out of range 0"));
        check("127.0.0.1:70000", Err("parsing nameserver address failed: nameserver port out of range 70000"));
    }
}
