//! Which requests a server of ours answers: the REST API and the live page have no passwords, and browsers carry what foreign web
//! pages want to every address they can reach, this machine's own among them.
//!
//! [`OriginCheck`] looks at `Host` (a foreign name that was made to lead here: DNS rebinding) and, where something is to
//! be changed, at `Origin` and `Sec-Fetch-Site` (a foreign page that sends requests: CSRF). Programs send neither of the
//! latter, and the name they were configured with.

use std::net::{IpAddr, SocketAddr, TcpListener};

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method};

/// Under which names a listener is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginCheck {
    address: SocketAddr,
    /// Names beside `localhost`, in lower case.
    names: Vec<String>,
}

impl OriginCheck {
    /// For a listener that was asked for as `host`, which may be empty: all interfaces.
    ///
    /// # Errors
    /// When the system does not tell where it listens.
    pub fn new(listener: &TcpListener, host: &str) -> std::io::Result<Self> {
        Ok(Self::of(listener.local_addr()?, host, host_name()))
    }

    fn of(address: SocketAddr, host: &str, own: Option<String>) -> Self {
        let mut names = vec![bare(host).to_ascii_lowercase()];
        // The machine's name, whole and as it is called nearby, leads to its other addresses.
        if let Some(own) = own.filter(|_| !address.ip().is_loopback()) {
            let own = own.to_ascii_lowercase();
            names.extend(own.split('.').next().map(str::to_owned));
            names.push(own);
        }
        names.retain(|name| !name.is_empty());
        Self { address, names }
    }

    /// Whether others than this machine can ask.
    pub fn is_beyond_loopback(&self) -> bool {
        !self.address.ip().to_canonical().is_loopback()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why a request is refused, in one sentence; nothing for one that is answered. `authority` is that of an HTTP/2
    /// request.
    pub fn refusal(&self, method: &Method, headers: &HeaderMap, authority: Option<&Authority>) -> Option<String> {
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let origin = text(ORIGIN.as_str());
        let host = text(HOST.as_str()).or_else(|| authority.map(|authority| authority.as_str().into()));
        if let Some(host) = &host {
            let is_known = self.is_known(host) || (self.is_beyond_loopback() && origin.is_none());
            if !is_known {
                let address = self.address;
                return Some(format!("{host:?} is no name of this server: ask for {address}, or for localhost"));
            }
        }
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return None;
        }
        let is_own = match (&origin, text("sec-fetch-site")) {
            (Some(origin), _) => host.is_some_and(|host| is_origin_of(origin, &host)),
            (None, Some(site)) => matches!(&*site, "same-origin" | "none"),
            (None, None) => true,
        };
        let page = origin.map_or_else(|| "another site".to_owned(), |origin| format!("{origin:?}"));
        (!is_own).then(|| format!("a web page of {page} may not change this run"))
    }

    /// Whether a `Host` is a name or an address of this server. Its port is not looked at: ports are forwarded.
    fn is_known(&self, host: &str) -> bool {
        let name = bare(host).trim_end_matches('.').to_ascii_lowercase();
        let is_address = match name.parse::<IpAddr>() {
            // A foreign name can be made to lead anywhere; an address is what it is.
            Ok(ip) => self.is_beyond_loopback() || ip.to_canonical().is_loopback() || ip == self.address.ip(),
            Err(_) => false,
        };
        is_address || name == "localhost" || self.names.contains(&name)
    }
}

/// Whether a page's origin, `http://host:port`, is what it asks for.
fn is_origin_of(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let with_port = |authority: &str| {
        let name = bare(authority);
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| port.parse::<u16>().is_ok());
        let usual = if scheme == "https" { "443" } else { "80" };
        // The last group of an address in brackets is no port.
        let port = port.filter(|_| !authority.ends_with(']')).unwrap_or(usual);
        (name.to_ascii_lowercase(), port.to_owned())
    };
    with_port(authority) == with_port(host)
}

/// A host without its port and brackets.
fn bare(host: &str) -> &str {
    if let Some((inside, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside;
    }
    match host.split_once(':') {
        // An address of version 6 by itself has more of them.
        Some((name, port)) if !port.contains(':') => name,
        _ => host,
    }
}

/// What this machine is called.
fn host_name() -> Option<String> {
    let mut name = [0u8; 256];
    // SAFETY: the buffer is ours, and its length, but for the zero at its end, is what the system is told.
    let failed = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) } != 0;
    let end = name.iter().position(|byte| *byte == 0)?;
    (!failed).then(|| String::from_utf8_lossy(&name[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(at: &str, host: &str, method: &str, fields: &[(&str, &str)]) -> Option<String> {
        let check = OriginCheck::of(at.parse().unwrap(), host, Some("Machine.lan".to_owned()));
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        check.refusal(&method.parse().unwrap(), &headers, None)
    }

    #[test]
    fn a_server_is_asked_by_its_names() {
        let check = |at: &str, typed: &str, host: &str, origin: Option<&str>, expect: bool| {
            let mut fields = vec![("host", host)];
            fields.extend(origin.map(|origin| ("origin", origin)));
            assert_eq!(asked(at, typed, "GET", &fields).is_none(), expect, "{at} {host} {origin:?}");
        };
        for host in ["localhost:6565", "LOCALHOST", "127.0.0.1:6565", "127.0.0.1", "[::1]:7000", "localhost.:1"] {
            check("127.0.0.1:6565", "127.0.0.1", host, None, true);
        }
        for host in
            ["evil.test", "evil.test:6565", "x", "", "10.0.0.1", "machine", "127.0.0.1.evil.test", "localhost.evil"]
        {
            check("127.0.0.1:6565", "localhost", host, None, false);
        }
        check("127.0.0.1:6565", "me.test", "me.test:6565", None, true);
        for host in ["10.0.0.1:6565", "machine", "MACHINE.lan:1", "localhost", "[fe80::1]", "other.test", "k6:6565"] {
            check("0.0.0.0:6565", "", host, None, true);
        }
        for (host, expect) in [("10.0.0.1", true), ("machine.lan", true), ("evil.test", false)] {
            check("[::]:6565", "", host, Some("http://x"), expect);
        }
    }

    #[test]
    fn foreign_pages_change_nothing() {
        let check = |host: &str, field: (&str, &str), expect: bool| {
            for method in ["PATCH", "POST", "PUT", "DELETE"] {
                let refusal = asked("127.0.0.1:6565", "", method, &[("host", host), field]);
                assert_eq!(refusal.is_none(), expect, "{host} {field:?}: {refusal:?}");
            }
            assert_eq!(asked("127.0.0.1:6565", "", "GET", &[("host", host), field]), None);
        };
        check("127.0.0.1:6565", ("origin", "http://127.0.0.1:6565"), true);
        check("localhost", ("origin", "http://localhost"), true);
        check("localhost", ("origin", "https://localhost:443"), true);
        check("[::1]:6565", ("origin", "http://[::1]:6565"), true);
        check("localhost:6565", ("origin", "http://localhost:8080"), false);
        check("localhost:6565", ("origin", "http://evil.test"), false);
        check("localhost:6565", ("origin", "null"), false);
        check("localhost:6565", ("sec-fetch-site", "cross-site"), false);
        check("localhost:6565", ("sec-fetch-site", "same-site"), false);
        check("localhost:6565", ("sec-fetch-site", "same-origin"), true);
        check("localhost:6565", ("sec-fetch-site", "none"), true);
        check("localhost:6565", ("user-agent", "curl/8"), true);
    }
}
