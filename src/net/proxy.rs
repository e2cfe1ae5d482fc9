//! Which proxy the environment names for a URL, by the rules of Go's `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.

use std::net::IpAddr;

use super::config::ProxyConfig;
use super::http::proto::auth::basic;
use super::http::proto::error::NetError;
use super::http::proto::url::{Url, split_port};

/// The rules of one environment.
#[derive(Debug, Default)]
pub struct Proxies {
    http: Option<Result<Proxy, String>>,
    https: Option<Result<Proxy, String>>,
    none_for: String,
}

/// A proxy to connect through.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub kind: ProxyKind,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: String,
    /// User and password of its URL.
    pub credentials: Option<(String, String)>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP: whole URLs for `http://`, `CONNECT` for `https://`.
    Http,
    /// The same over TLS.
    Https,
    /// SOCKS 5, for both; names are resolved by the proxy.
    Socks5,
}

impl ProxyKind {
    /// The kinds by the schemes of their URLs, with their ports.
    const TABLE: [(&'static str, Self, &'static str); 4] = [
        ("http", Self::Http, "80"),
        ("https", Self::Https, "443"),
        ("socks5", Self::Socks5, "1080"),
        ("socks5h", Self::Socks5, "1080"),
    ];
}

// Passwords stay out of whatever is printed.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}:{}", self.kind, self.host, self.port)
    }
}

impl Proxy {
    /// The value of `Proxy-Authorization`, for one that takes requests.
    pub fn authorization(&self) -> Option<String> {
        self.credentials.as_ref().map(|(user, password)| basic(user, password))
    }

    /// True when it wants whole `http://` requests instead of bytes.
    pub fn takes_requests(&self) -> bool {
        self.kind != ProxyKind::Socks5
    }
}

impl Proxies {
    /// The rules of `config`.
    pub fn new(config: &ProxyConfig) -> Self {
        let read = |text: &Option<String>| text.as_deref().map(read);
        Self { http: read(&config.http), https: read(&config.https), none_for: config.none_for.to_lowercase() }
    }

    /// The proxy for `url`, if there is one.
    pub fn find(&self, url: &Url) -> Result<Option<&Proxy>, NetError> {
        let proxy = if url.is_https() { &self.https } else { &self.http };
        let Some(proxy) = proxy else { return Ok(None) };
        let host = url.hostname().to_lowercase();
        if self.is_exempt(&host, url.port_or_default()) {
            return Ok(None);
        }
        proxy.as_ref().map(Some).map_err(|text| NetError::other(text.clone()))
    }

    fn is_exempt(&self, host: &str, port: &str) -> bool {
        let ip: Option<IpAddr> = host.parse().ok();
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return true;
        }
        self.none_for.split(',').map(str::trim).filter(|rule| !rule.is_empty()).any(|rule| {
            if rule == "*" {
                return true;
            }
            if let Some((network, prefix)) = rule.split_once('/') {
                let (network, prefix) = (network.parse::<IpAddr>(), prefix.parse::<u8>());
                return match (network, prefix, ip) {
                    (Ok(network), Ok(prefix), Some(ip)) => super::dial::contains(network, prefix, ip),
                    _ => false,
                };
            }
            let (name, rule_port) = match rule.parse::<IpAddr>() {
                Ok(_) => (rule, ""),
                Err(_) => split_port(rule),
            };
            if !rule_port.is_empty() && rule_port != port {
                return false;
            }
            let name = name.strip_prefix('*').filter(|name| name.starts_with('.')).unwrap_or(name);
            match name.strip_prefix('.') {
                Some(_) => host.ends_with(name),
                None => host == name || host.strip_suffix(name).is_some_and(|front| front.ends_with('.')),
            }
        })
    }
}

fn read(text: &str) -> Result<Proxy, String> {
    let known = |url: &Url| ProxyKind::TABLE.into_iter().find(|(scheme, ..)| *scheme == url.scheme());
    let url = match Url::parse(text) {
        Ok(url) if known(&url).is_some() => url,
        // A bare `host:port` means http.
        _ => Url::parse(&format!("http://{text}")).map_err(|error| {
            let shown = masked(text);
            format!("invalid proxy address {shown:?}: {}", error.replace(text, &shown))
        })?,
    };
    let (_, kind, port) = known(&url).unwrap_or(ProxyKind::TABLE[0]);
    Ok(Proxy {
        kind,
        host: url.hostname().to_owned(),
        port: if url.port().is_empty() { port } else { url.port() }.to_owned(),
        credentials: url.credentials(),
    })
}

/// An address without its password, also one that can't be parsed.
fn masked(text: &str) -> String {
    let begin = text.find("://").map_or(0, |at| at + 3);
    match text[begin..].rfind('@') {
        Some(at) => format!("{}****{}", &text[..begin], &text[begin + at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_found() {
        let config = ProxyConfig {
            http: Some("http://u:p@proxy:3128".into()),
            https: Some("other:8080".into()),
            none_for: "direct.test, .suffix.test,10.0.0.0/8,only.test:99".into(),
        };
        let proxies = Proxies::new(&config);
        let check = |url: &str, expect: Option<&str>| {
            let found = proxies.find(&Url::parse(url).unwrap()).unwrap().map(|proxy| proxy.host.as_str());
            assert_eq!(found, expect, "{url}");
        };
        check("http://x.test/", Some("proxy"));
        check("https://x.test/", Some("other"));
        check("http://direct.test/", None);
        check("http://sub.direct.test/", None);
        check("http://a.suffix.test/", None);
        check("http://suffix.test/", Some("proxy"));
        check("http://10.1.2.3/", None);
        check("http://11.1.2.3/", Some("proxy"));
        check("http://only.test:99/", None);
        check("http://only.test/", Some("proxy"));
        check("http://localhost/", None);
        check("http://127.0.0.9/", None);
    }

    #[test]
    fn addresses_are_read() {
        let check = |text: &str, kind, host: &str, port: &str, user: Option<(&str, &str)>| {
            let credentials = user.map(|(user, password)| (user.to_owned(), password.to_owned()));
            let expect = Proxy { kind, host: host.to_owned(), port: port.to_owned(), credentials };
            let found = read(text).unwrap();
            assert!(found == expect, "{text}: {found:?}");
        };
        check("http://p", ProxyKind::Http, "p", "80", None);
        check("p:3128", ProxyKind::Http, "p", "3128", None);
        check("https://u:w@p", ProxyKind::Https, "p", "443", Some(("u", "w")));
        check("socks5://p", ProxyKind::Socks5, "p", "1080", None);
        check("socks5h://u:w%20x@[::1]:9/", ProxyKind::Socks5, "::1", "9", Some(("u", "w x")));
    }

    #[test]
    fn passwords_are_not_shown() {
        let config = ProxyConfig { http: Some("user:secret@p a".into()), ..ProxyConfig::default() };
        let proxies = Proxies::new(&config);
        let error = proxies.find(&Url::parse("http://x.test/").unwrap()).unwrap_err();
        assert!(error.text.starts_with("invalid proxy address \"****@p a\""), "{}", error.text);
        let fine = Proxies::new(&ProxyConfig { http: Some("http://user:secret@p".into()), ..config.clone() });
        let shown = format!("{error:?} {proxies:?} {fine:?} {config:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
