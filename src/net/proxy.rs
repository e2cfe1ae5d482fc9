//! Which proxy the environment names for a URL, by the rules of Go's `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.

use std::net::IpAddr;

use super::config::ProxyConfig;
use super::http::auth::basic;
use super::http::error::Fault;
use super::http::url::{Url, split_port};

/// The rules of one environment.
#[derive(Debug, Default)]
pub struct Proxies {
    http: Option<Result<Proxy, String>>,
    https: Option<Result<Proxy, String>>,
    none_for: String,
}

/// A proxy to connect through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: String,
    /// The value of `Proxy-Authorization`, if its URL has credentials.
    pub authorization: Option<String>,
}

impl Proxies {
    /// The rules of `config`.
    pub fn new(config: &ProxyConfig) -> Self {
        let read = |text: &Option<String>| text.as_deref().map(read);
        Self { http: read(&config.http), https: read(&config.https), none_for: config.none_for.to_lowercase() }
    }

    /// The proxy for `url`, if there is one.
    pub fn find(&self, url: &Url) -> Result<Option<&Proxy>, Fault> {
        let proxy = if url.is_https() { &self.https } else { &self.http };
        let Some(proxy) = proxy else { return Ok(None) };
        let host = url.hostname().to_lowercase();
        if self.is_exempt(&host, url.port_or_default()) {
            return Ok(None);
        }
        proxy.as_ref().map(Some).map_err(|text| Fault::other(text.clone()))
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
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") => url,
        // A bare `host:port` means http.
        _ => {
            Url::parse(&format!("http://{text}")).map_err(|error| format!("invalid proxy address {text:?}: {error}"))?
        }
    };
    if url.scheme() != "http" {
        return Err(format!("proxies of scheme `{}` are not supported: `{}`", url.scheme(), url.clean()));
    }
    Ok(Proxy {
        host: url.hostname().to_owned(),
        port: url.port_or_default().to_owned(),
        authorization: url.credentials().map(|(user, password)| basic(&user, &password)),
    })
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
        assert!(
            Proxies::new(&ProxyConfig { http: Some("socks5://p".into()), ..config })
                .find(&Url::parse("http://x/").unwrap())
                .is_err()
        );
    }
}
