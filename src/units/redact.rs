//! Addresses without what must not be seen: user names and passwords, and the values of parameters that are named like
//! secrets. Whatever prints an address that may hold any of them prints it through [`redact`].

use std::borrow::Cow;

/// What stands in the place of a secret.
pub const MASK: &str = "****";

/// Parameters whose name contains one of these hold a secret: `access_token`, `apiKey`, `X-Amz-Signature`, `passwd`.
const SECRET_NAMES: [&str; 10] = ["token", "key", "secret", "pass", "pwd", "auth", "sig", "cred", "session", "jwt"];

/// A text, an address by itself or with words around it, in which every address is without its secrets:
/// `https://****:****@host/x.js?token=****&v=2`.
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(is_end).unwrap_or(after.len());
        let (address, behind) = after.split_at(end);
        let (authority, path) = split_authority(address);
        push_authority(&mut shown, authority, MASK);
        push_path(&mut shown, path, MASK);
        rest = behind;
    }
    shown.push_str(rest);
    if shown == text { text.into() } else { shown.into() }
}

/// Text typed where an address belongs: without a scheme, too, nothing that may be a password is shown.
pub fn redact_typed(text: &str) -> Cow<'_, str> {
    match text.rsplit_once('@') {
        Some((_, host)) if !text.contains("://") => format!("{MASK}@{host}").into(),
        _ => redact(text),
    }
}

/// A reference, which may begin anywhere in an address: `./x.js?token=****`.
pub fn redact_reference(text: &str) -> Cow<'_, str> {
    if text.contains("://") {
        return redact(text);
    }
    let mut shown = String::new();
    push_path(&mut shown, text, MASK);
    shown.into()
}

/// An address without its user, and without its other secrets: `https://host/x?token=****`.
pub fn without_user(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return redact_typed(text) };
    match split_authority(rest).0.rfind('@') {
        Some(at) => redact(&format!("{scheme}://{}", &rest[at + 1..])).into_owned().into(),
        None => redact(text),
    }
}

/// An address in which nothing behind the host can have an `@`: all before the last one may be a password, whatever it holds.
pub fn redact_to_host(text: &str) -> String {
    let is_scheme = |scheme: &str| scheme.chars().all(|c| c.is_ascii_alphanumeric());
    let (scheme, rest) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).unwrap_or(("", text));
    let divider = if scheme.is_empty() { "" } else { "://" };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{divider}{MASK}@{}", redact_reference(host)),
        None => redact(text).into_owned(),
    }
}

/// Where an address in a text ends.
fn is_end(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// The part of an address that has user and host, and what follows it. Takes what stands behind `://`.
pub fn split_authority(address: &str) -> (&str, &str) {
    let end = address.find(['/', '?', '#', '\\']).unwrap_or(address.len());
    // A password with a slash in it makes no address, but was meant as one.
    let is_broken = |authority: &str| {
        authority.split_once(':').is_some_and(|(_, port)| !port.contains('@') && port.parse::<u16>().is_err())
            && !authority.starts_with('[')
    };
    match address.rfind('@') {
        Some(at) if at > end && is_broken(&address[..end]) => {
            let tail = &address[at..];
            address.split_at(at + tail.find(['/', '?', '#', '\\']).unwrap_or(tail.len()))
        }
        _ => address.split_at(end),
    }
}

/// Writes a host with the user before it masked.
pub fn push_authority(shown: &mut String, authority: &str, mask: &str) {
    match authority.rsplit_once('@') {
        None => shown.push_str(authority),
        Some((user, host)) => {
            shown.push_str(mask);
            if user.contains(':') {
                shown.push(':');
                shown.push_str(mask);
            }
            shown.push('@');
            shown.push_str(host);
        }
    }
}

/// Writes a path, a query and a fragment with what the query's secret parameters are masked.
pub fn push_path(shown: &mut String, path: &str, mask: &str) {
    let Some((front, query)) = path.split_once('?') else { return shown.push_str(path) };
    let (query, fragment) = query.find('#').map_or((query, ""), |at| query.split_at(at));
    shown.push_str(front);
    for (at, pair) in query.split('&').enumerate() {
        shown.push(if at == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, value)) if !value.is_empty() && is_secret(name) => {
                shown.push_str(name);
                shown.push('=');
                shown.push_str(mask);
            }
            _ => shown.push_str(pair),
        }
    }
    shown.push_str(fragment);
}

/// Whether a parameter of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_secrets() {
        let check = |text: &str, expect: &str| assert_eq!(redact(text), expect, "{text}");
        check("https://h.test/x.js?v=2#a", "https://h.test/x.js?v=2#a");
        check("https://ann:s3cret@h.test/x.js", "https://****:****@h.test/x.js");
        check("https://ghp_tok@h.test:81/x.js", "https://****@h.test:81/x.js");
        check("https://a:b@c@h.test/", "https://****:****@h.test/");
        check("redis://:pw@[::1]:6379/0", "redis://****:****@[::1]:6379/0");
        check("https://cdn.test/npm/@scope/x@1.2/y.js", "https://cdn.test/npm/@scope/x@1.2/y.js");
        check(
            "https://h/x?token=t&v=1&X-Amz-Signature=s#f?token=x",
            "https://h/x?token=****&v=1&X-Amz-Signature=****#f?token=x",
        );
        check("https://h/x?apiKey=&access_token=a%26b", "https://h/x?apiKey=&access_token=****");
        check("`http://u:p/w@h:1/db` is no URL", "`http://****:****@h:1/db` is no URL");
        check(
            "two: \"https://u:p@a/\", 'https://v@b/?sig=1'",
            "two: \"https://****:****@a/\", 'https://****@b/?sig=****'",
        );
        check("file:///a/b.js and a@b", "file:///a/b.js and a@b");
        check("http://[::1]/a@b", "http://[::1]/a@b");
        check("://", "://");
    }

    #[test]
    fn what_was_typed_may_be_no_address() {
        let check = |text: &str, expect: &str| assert_eq!(redact_typed(text), expect, "{text}");
        check("ann:s3cret@host:8086", "****@host:8086");
        check("http://ann:s3cret@host:8086", "http://****:****@host:8086");
        check("host:8086", "host:8086");
    }

    #[test]
    fn references_lose_their_secrets() {
        let check = |text: &str, expect: &str| assert_eq!(redact_reference(text), expect, "{text}");
        check("./x.js?v=1&sig=s", "./x.js?v=1&sig=****");
        check("https://u@h/?sig=s", "https://****@h/?sig=****");
        check("k6/http", "k6/http");
    }

    #[test]
    fn everything_before_the_last_at_sign_is_masked_where_none_can_follow() {
        let check = |text: &str, expect: &str| assert_eq!(redact_to_host(text), expect, "{text}");
        check("redis://u2:p@ss/w:rd@host/X", "redis://****@host/X");
        check("redis://:a?b#c/d@host:1/X?db=2", "redis://****@host:1/X?db=2");
        check("redis://host:x/X", "redis://host:x/X");
        check("u:p://w@host/X", "****@host/X");
        check("u:p/w@host/X", "****@host/X");
        check("redis:/host", "redis:/host");
    }

    #[test]
    fn users_are_left_out() {
        let check = |text: &str, expect: &str| assert_eq!(without_user(text), expect, "{text}");
        check("http://ann:p@ss@host:9090/w?token=t", "http://host:9090/w?token=****");
        check("http://host/a@b", "http://host/a@b");
    }

    #[test]
    fn what_is_masked_stays_as_it_is() {
        let once = redact("https://u:p@h/?token=t").into_owned();
        assert_eq!(redact(&once), once);
    }
}
