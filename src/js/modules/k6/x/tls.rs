//! `k6/x/tls`: the certificate a server shows, whether it is valid or not.

use std::time::Instant;

use ring::digest::{SHA256, digest};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use super::super::super::Op;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("declare", declare), ("getCertificate", get_certificate)];

const METRIC: &str = "tls_duration";

/// Declares what it is timed in until the certificate is there.
fn declare(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    super::declare_trend(vu, METRIC)?;
    Ok(Value::Undefined)
}

/// `(target)` -> a promise of what the certificate says.
fn get_certificate(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let target = args.string(0);
    let target = match vu.is_init() {
        true => Err("getCertificate is not allowed to run from the Init Context".to_owned()),
        false => host_and_port(&target),
    };
    let vu_of = vu.rc();
    let shown = target.map(|(host, port)| {
        let name = host.clone();
        let work = vu.client.run(move |connections| async move {
            let began = Instant::now();
            (connections.connector().certificate(&host, &port).await, began, Instant::now())
        });
        (name, work)
    });
    Ok(super::pending(async move {
        let (host, work) = shown.map_err(|message| Throw::Host { message })?;
        let (shown, began, ended) = work.await.ok_or(Throw::Stop)?;
        let status = super::status(shown.is_ok());
        super::timed(&vu_of, METRIC, began, ended, &[("host", &host), ("status", status)])?;
        let certificate = shown.map_err(|error| Throw::Host { message: error.cause().to_owned() })?;
        read(&certificate).ok_or_else(|| Throw::Host { message: "the certificate can't be read".to_owned() })
    }))
}

/// `host`, `host:port`, `[v6]:port`; the port is 443 where none is said.
fn host_and_port(target: &str) -> Result<(String, String), String> {
    const HTTPS_PORT: &str = "443";
    let malformed = || "the provided target does not contain a valid address in the host:[port] format".to_owned();
    if target.is_empty() {
        return Err("target address was not provided".to_owned());
    }
    let (host, port) = match target.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(malformed)?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or_else(malformed)?) })
        }
        None if target.matches(':').count() > 1 => return Err(malformed()),
        None => target.split_once(':').map_or((target, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || host.contains('/') {
        return Err(malformed());
    }
    match port {
        None => Ok((host.to_owned(), HTTPS_PORT.to_owned())),
        Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok((host.to_owned(), port.to_owned())),
        Some(port) => Err(format!("the provided target does not contain a valid port {port:?}")),
    }
}

fn read(der: &[u8]) -> Option<Value> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let name = |name: &X509Name| {
        let common = name.iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default();
        Value::Map(vec![("common_name".to_owned(), common.into())])
    };
    let validity = certificate.validity();
    let fingerprint = data_encoding::HEXLOWER.encode(digest(&SHA256, der).as_ref());
    let fields = [
        ("subject", name(certificate.subject())),
        ("issuer", name(certificate.issuer())),
        ("issued", Value::Number(validity.not_before.timestamp() as f64 * 1000.0)),
        ("expires", Value::Number(validity.not_after.timestamp() as f64 * 1000.0)),
        ("fingerprint", fingerprint.into()),
    ];
    Some(Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let check = |target: &str, expect: Result<(&str, &str), &str>| {
            let found = host_and_port(target);
            let found = found.as_ref().map(|(host, port)| (host.as_str(), port.as_str())).map_err(String::as_str);
            assert_eq!(found, expect, "{target}");
        };
        let malformed = Err("the provided target does not contain a valid address in the host:[port] format");
        check("h.test", Ok(("h.test", "443")));
        check("h.test:8443", Ok(("h.test", "8443")));
        check("[::1]:8443", Ok(("::1", "8443")));
        check("[::1]", Ok(("::1", "443")));
        check("", Err("target address was not provided"));
        check("::1", malformed);
        check(":443", malformed);
        // As Go splits it.
        check("https://h.test", Err("the provided target does not contain a valid port \"//h.test\""));
        check("h/test", malformed);
        check("h.test:x", Err("the provided target does not contain a valid port \"x\""));
    }
}
