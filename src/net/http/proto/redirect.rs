//! Where a redirect leads, and what goes along.

use super::error::{ErrorStage, NetError};
use super::headers::RequestHeaders;
use super::response_head::ResponseHead;
use super::url::{Url, quoted, split_port};

/// The `Location` to follow, if the status asks for it.
pub fn location(head: &ResponseHead) -> Option<&str> {
    matches!(head.status, 301 | 302 | 303 | 307 | 308)
        .then(|| head.headers.get("Location"))
        .flatten()
        .filter(|location| !location.is_empty())
}

/// Resolves a `Location`.
pub fn target(base: &Url, location: &str) -> Result<Url, NetError> {
    base.join(location).map_err(|error| {
        NetError::other(format!("failed to parse Location header {}: {error}", quoted(location))).at(ErrorStage::Head)
    })
}

/// True when body and method go along unchanged.
pub fn keeps_body(status: u16) -> bool {
    matches!(status, 307 | 308)
}

/// Drops what does not go along: the hand-written cookie, a body's description, secrets to another host.
pub fn strip(headers: &mut RequestHeaders, from: &Url, to: &Url, location: &str, keeps_body: bool) {
    headers.cookie = None;
    if !keeps_body {
        headers.rest.retain(|(name, _)| !name.starts_with("Content-"));
    }
    if !same_site(from.host(), to.host()) {
        headers.authorization = None;
        headers.rest.retain(|(name, _)| {
            !matches!(&**name, "Www-Authenticate" | "Cookie2" | "Proxy-Authorization" | "Proxy-Authenticate")
        });
    }
    // An own `Host` stays only when the server said nothing about hosts.
    if Url::parse(location).is_ok_and(|target| !target.scheme().is_empty()) {
        headers.host = None;
    }
}

/// The `Referer` of the next hop; none when leaving https.
pub fn referer(from: &Url, to: &Url) -> Option<String> {
    (!from.is_https() || to.is_https()).then(|| from.referer())
}

/// True for the same host and for one below it.
fn same_site(from: &str, to: &str) -> bool {
    let (from, to) = (split_port(from).0.to_lowercase(), split_port(to).0.to_lowercase());
    to == from
        || (to.ends_with(&from)
            && to[..to.len() - from.len()].ends_with('.')
            && from.parse::<std::net::IpAddr>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_with_their_host() {
        for (from, to, expect) in [
            ("h:1", "h:2", true),
            ("ex.com", "a.ex.com", true),
            ("ex.com", "EX.com", true),
            ("ex.com", "bex.com", false),
            ("a.ex.com", "ex.com", false),
            ("127.0.0.1", "localhost", false),
        ] {
            assert_eq!(same_site(from, to), expect, "{from} {to}");
        }
    }

    #[test]
    fn referers_never_leave_https() {
        let url = |text: &str| Url::parse(text).unwrap();
        assert_eq!(referer(&url("http://u:p@h/a?b"), &url("http://x/")).as_deref(), Some("http://h/a?b"));
        assert_eq!(referer(&url("https://h/"), &url("http://h/")), None);
    }
}
