//! A URL by the rules and with the error texts of Go's `net/url`: lenient in the path, raw in the query.
//!
//! One shared text and a few offsets: cloning is cheap, parsing allocates once. Dot segments stay where the user
//! put them; only [`Url::join`] resolves them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use percent_encoding::{percent_decode_str, percent_encode_byte};

pub use crate::units::quote::go_quote as quoted;

/// A parsed URL in its canonical spelling.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    text: Arc<str>,
    scheme: u32,
    /// Start of the userinfo, end of the userinfo (equal when there is none).
    user: (u32, u32),
    host: (u32, u32),
    /// Start of the path; it ends where the query starts.
    path: u32,
    /// Start of the query with its question mark.
    query: u32,
    /// Start of the fragment with its hash mark.
    fragment: u32,
    has_user: bool,
    is_opaque: bool,
}

/// Most requests of a script go where others went before: what was parsed last, each in the place its text chooses.
const MAX_RECENT: usize = 16;
/// Longer ones are not remembered.
const MAX_RECENT_BYTES: usize = 256;

thread_local! {
    static RECENT: RefCell<[Option<Url>; MAX_RECENT]> = const { RefCell::new([const { None }; MAX_RECENT]) };
}

fn slot_of(raw: &str) -> usize {
    let tail = raw.as_bytes().last_chunk::<4>().copied().map_or(0, u32::from_le_bytes);
    (raw.len() ^ (tail.wrapping_mul(0x9E37_79B1) >> 28) as usize) % MAX_RECENT
}

impl Url {
    /// Parses `raw`. The error is Go's: `parse "http://a b/": invalid character " " in host name`.
    pub fn parse(raw: &str) -> Result<Self, String> {
        RECENT.with_borrow_mut(|recent| {
            let slot = &mut recent[slot_of(raw)];
            match slot {
                Some(url) if *url.text == *raw => Ok(url.clone()),
                _ => {
                    let url = Self::parse_anew(raw)?;
                    if *url.text == *raw && raw.len() <= MAX_RECENT_BYTES {
                        *slot = Some(url.clone());
                    }
                    Ok(url)
                }
            }
        })
    }

    fn parse_anew(raw: &str) -> Result<Self, String> {
        let (front, fragment) = match raw.split_once('#') {
            Some((front, fragment)) => (front, Some(fragment)),
            None => (raw, None),
        };
        let parts = UrlParts::parse(front).map_err(|cause| format!("parse {}: {cause}", quoted(front)))?;
        let fragment = match fragment {
            None | Some("") => String::new(),
            Some(fragment) => {
                escaped(fragment, UrlPart::Fragment).map_err(|cause| format!("parse {}: {cause}", quoted(raw)))?
            }
        };
        Ok(parts.assemble(&fragment))
    }

    /// The whole URL, canonical, with credentials and fragment.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The lower-case scheme, possibly empty.
    pub fn scheme(&self) -> &str {
        &self.text[..self.scheme as usize]
    }

    /// True for `https`.
    pub fn is_https(&self) -> bool {
        self.scheme() == "https"
    }

    /// Host and port as written: `example.com:8080`, `[::1]:80`.
    pub fn host(&self) -> &str {
        self.slice(self.host)
    }

    /// Host and port as requests name them: in punycode.
    pub fn wire_host(&self) -> std::borrow::Cow<'_, str> {
        match self.host() {
            host if host.is_ascii() => host.into(),
            host => host.replace(self.hostname(), &punycode(self.hostname())).into(),
        }
    }

    /// The host without its port and without the brackets of an IPv6 address.
    pub fn hostname(&self) -> &str {
        split_port(self.host()).0
    }

    /// The port as written, possibly empty.
    pub fn port(&self) -> &str {
        split_port(self.host()).1
    }

    /// The port to dial: the written one or the scheme's.
    pub fn port_or_default(&self) -> &str {
        match self.port() {
            "" if self.is_https() => "443",
            "" => "80",
            port => port,
        }
    }

    /// The escaped path, possibly empty.
    pub fn path(&self) -> &str {
        if self.is_opaque { "" } else { &self.text[self.path as usize..self.query as usize] }
    }

    /// The raw query, without its question mark.
    pub fn query(&self) -> &str {
        let query = &self.text[self.query as usize..self.fragment as usize];
        query.strip_prefix('?').unwrap_or(query)
    }

    /// The escaped fragment, without its hash mark.
    pub fn fragment(&self) -> &str {
        let fragment = &self.text[self.fragment as usize..];
        fragment.strip_prefix('#').unwrap_or(fragment)
    }

    /// What a request line asks for: path and raw query, `/` for an empty path.
    pub fn request_target(&self) -> std::borrow::Cow<'_, str> {
        let target = &self.text[self.path as usize..self.fragment as usize];
        match target.as_bytes().first() {
            Some(b'/') => target.into(),
            _ if self.is_opaque => target.into(),
            _ => format!("/{target}").into(),
        }
    }

    /// User name and password, decoded; `None` without userinfo.
    pub fn credentials(&self) -> Option<(String, String)> {
        if !self.has_user {
            return None;
        }
        let (name, password) = self.slice(self.user).split_once(':').unwrap_or((self.slice(self.user), ""));
        Some((unescaped_lossy(name), unescaped_lossy(password)))
    }

    /// The URL with credentials masked: `http://****:****@host/`, `http://****@host/`.
    pub fn clean(&self) -> std::borrow::Cow<'_, str> {
        self.with_user(|user| if user.contains(':') { "****:****".to_owned() } else { "****".to_owned() })
    }

    /// The URL with only the password masked, as Go's errors show it.
    pub fn without_password(&self) -> std::borrow::Cow<'_, str> {
        self.with_user(|user| match user.split_once(':') {
            Some((name, _)) => format!("{name}:***"),
            None => user.to_owned(),
        })
    }

    /// The URL without credentials.
    pub fn without_user(&self) -> Self {
        if !self.has_user {
            return self.clone();
        }
        let text = format!("{}{}", &self.text[..self.user.0 as usize], &self.text[self.host.0 as usize..]);
        // What is left of a URL is one.
        Self::parse(&text).unwrap_or_else(|_| self.clone())
    }

    /// The URL without credentials and fragment, as `Referer` shows it.
    pub fn referer(&self) -> String {
        let front = &self.text[..self.user.0 as usize];
        let host = if self.has_user { self.host.0 } else { self.user.0 } as usize;
        format!("{front}{}", &self.text[host..self.fragment as usize])
    }

    /// Resolves `reference` (a `Location` header, an `href`) against this URL.
    pub fn join(&self, reference: &str) -> Result<Self, String> {
        let (front, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let mut target = UrlParts::parse(front).map_err(|cause| format!("parse {}: {cause}", quoted(front)))?;
        let mut fragment =
            escaped(fragment, UrlPart::Fragment).map_err(|cause| format!("parse {}: {cause}", quoted(reference)))?;
        if target.scheme.is_empty() {
            target.scheme = self.scheme().to_owned();
        } else if target.opaque.is_some() {
            return Ok(target.assemble(&fragment));
        } else {
            target.path = without_dots("", &target.path);
            return Ok(target.assemble(&fragment));
        }
        if !target.host.is_empty() || target.user.is_some() {
            target.path = without_dots("", &target.path);
            return Ok(target.assemble(&fragment));
        }
        if target.path.is_empty() && target.query.is_none() {
            let query = &self.text[self.query as usize..self.fragment as usize];
            target.query = query.strip_prefix('?').map(str::to_owned);
            if fragment.is_empty() {
                fragment = self.text[self.fragment as usize..].trim_start_matches('#').to_owned();
            }
        }
        target.host = self.host().to_owned();
        target.user = self.has_user.then(|| self.slice(self.user).to_owned());
        target.path = without_dots(self.path(), &target.path);
        Ok(target.assemble(&fragment))
    }

    fn with_user(&self, mask: impl FnOnce(&str) -> String) -> std::borrow::Cow<'_, str> {
        if !self.has_user {
            return self.as_str().into();
        }
        let (start, end) = (self.user.0 as usize, self.user.1 as usize);
        format!("{}{}{}", &self.text[..start], mask(&self.text[start..end]), &self.text[end..]).into()
    }

    fn slice(&self, (start, end): (u32, u32)) -> &str {
        &self.text[Range { start: start as usize, end: end as usize }]
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

/// Host and port of an authority; brackets of IPv6 removed, the port possibly empty.
pub fn split_port(authority: &str) -> (&str, &str) {
    if let Some(rest) = authority.strip_prefix('[')
        && let Some((host, rest)) = rest.split_once(']')
    {
        return (host, rest.strip_prefix(':').unwrap_or(""));
    }
    authority.rsplit_once(':').unwrap_or((authority, ""))
}

/// The pieces of a URL, each already in its canonical escape.
#[derive(Default)]
struct UrlParts {
    scheme: String,
    opaque: Option<String>,
    user: Option<String>,
    host: String,
    path: String,
    query: Option<String>,
    omit_host: bool,
}

impl UrlParts {
    fn parse(raw: &str) -> Result<Self, String> {
        if raw.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if raw == "*" {
            return Ok(Self { path: "*".to_owned(), ..Self::default() });
        }
        let (scheme, rest) = scheme_of(raw)?;
        let mut parts = Self { scheme: scheme.to_ascii_lowercase(), ..Self::default() };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        parts.query = query;
        if !rest.starts_with('/') {
            if !parts.scheme.is_empty() {
                parts.opaque = Some(rest.to_owned());
                return Ok(parts);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let mut path = rest;
        let may_have_host = !parts.scheme.is_empty() || !rest.starts_with("///");
        if let Some(authority) = rest.strip_prefix("//").filter(|_| may_have_host) {
            let end = authority.find('/').unwrap_or(authority.len());
            path = &authority[end..];
            parts.set_authority(&authority[..end])?;
        } else if !parts.scheme.is_empty() && rest.starts_with('/') {
            parts.omit_host = true;
        }
        parts.path = escaped(path, UrlPart::Path)?;
        Ok(parts)
    }

    fn set_authority(&mut self, authority: &str) -> Result<(), String> {
        let host = match authority.rsplit_once('@') {
            Some((user, host)) => {
                let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
                if !user.bytes().all(allowed) {
                    return Err("net/url: invalid userinfo".to_owned());
                }
                self.user = Some(match user.split_once(':') {
                    Some((name, password)) => {
                        format!("{}:{}", reescaped(name, UrlPart::User)?, reescaped(password, UrlPart::User)?)
                    }
                    None => reescaped(user, UrlPart::User)?,
                });
                host
            }
            None => authority,
        };
        let port = if host.starts_with('[') {
            let end = host.rfind(']').ok_or_else(|| "missing ']' in host".to_owned())?;
            &host[end + 1..]
        } else {
            host.rfind(':').map_or("", |at| &host[at..])
        };
        if !(port.is_empty() || (port.starts_with(':') && port[1..].bytes().all(|byte| byte.is_ascii_digit()))) {
            return Err(format!("invalid port {} after host", quoted(port)));
        }
        self.host = escaped_host(host)?;
        Ok(())
    }

    fn assemble(&self, fragment: &str) -> Url {
        let length = self.scheme.len() + self.host.len() + self.path.len() + fragment.len() + 8;
        let query = self.query.as_ref().map_or(0, String::len);
        let mut text = String::with_capacity(length + query + self.user.as_ref().map_or(0, String::len));
        text.push_str(&self.scheme);
        if !self.scheme.is_empty() {
            text.push(':');
        }
        let mut user = (text.len(), text.len());
        let mut host = user;
        if self.opaque.is_none() {
            let bare = self.omit_host && self.host.is_empty() && self.user.is_none();
            let any =
                !self.host.is_empty() || self.user.is_some() || (!self.path.is_empty() && !self.scheme.is_empty());
            if any && !bare {
                text.push_str("//");
            }
            user = (text.len(), text.len());
            if let Some(info) = &self.user {
                text.push_str(info);
                user.1 = text.len();
                text.push('@');
            }
            host = (text.len(), text.len() + self.host.len());
            text.push_str(&self.host);
        }
        let path = text.len();
        match &self.opaque {
            Some(opaque) => text.push_str(opaque),
            None => {
                if !self.path.is_empty() && !self.path.starts_with('/') && !self.host.is_empty() {
                    text.push('/');
                }
                text.push_str(&self.path);
            }
        }
        let query = text.len();
        if let Some(raw) = &self.query {
            text.push('?');
            text.push_str(raw);
        }
        let hash = text.len();
        if !fragment.is_empty() {
            text.push('#');
            text.push_str(fragment);
        }
        let short = |(start, end): (usize, usize)| (start as u32, end as u32);
        Url {
            scheme: self.scheme.len() as u32,
            user: short(user),
            host: short(host),
            path: path as u32,
            query: query as u32,
            fragment: hash as u32,
            has_user: self.user.is_some(),
            is_opaque: self.opaque.is_some(),
            text: text.into(),
        }
    }
}

fn scheme_of(raw: &str) -> Result<(&str, &str), String> {
    for (index, byte) in raw.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&raw[..index], &raw[index + 1..])),
            _ => break,
        }
    }
    Ok(("", raw))
}

/// Where in a URL a text stands; decides what must be escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum UrlPart {
    User,
    Path,
    Fragment,
}

fn must_escape(byte: u8, part: UrlPart) -> bool {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => false,
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match part {
            UrlPart::User => matches!(byte, b'@' | b'/' | b'?' | b':'),
            UrlPart::Path => byte == b'?',
            UrlPart::Fragment => false,
        },
        b'!' | b'(' | b')' | b'*' => part != UrlPart::Fragment,
        _ => true,
    }
}

/// The canonical escape of a path or fragment: what is valid stays as written, else it is decoded and encoded anew.
fn escaped(raw: &str, part: UrlPart) -> Result<String, String> {
    let valid = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || !must_escape(byte, part);
    if raw.bytes().all(valid) {
        check_escapes(raw)?;
        return Ok(raw.to_owned());
    }
    reescaped(raw, part)
}

fn reescaped(raw: &str, part: UrlPart) -> Result<String, String> {
    check_escapes(raw)?;
    Ok(escape(&unescaped(raw), part))
}

fn escape(bytes: &[u8], part: UrlPart) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if must_escape(byte, part) {
            text.push_str(percent_encode_byte(byte));
        } else {
            text.push(byte as char);
        }
    }
    text
}

fn check_escapes(raw: &str) -> Result<(), String> {
    let bytes = raw.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if bytes[index] != b'%' {
            index += 1;
            continue;
        }
        if !(index + 2 < bytes.len() && bytes[index + 1].is_ascii_hexdigit() && bytes[index + 2].is_ascii_hexdigit()) {
            let shown = &bytes[index..bytes.len().min(index + 3)];
            return Err(format!("invalid URL escape {}", quoted(&String::from_utf8_lossy(shown))));
        }
        index += 3;
    }
    Ok(())
}

/// Decodes the percent escapes of a text that is known to have only valid ones; others stay as they are.
pub fn unescaped(raw: &str) -> Cow<'_, [u8]> {
    percent_decode_str(raw).into()
}

fn unescaped_lossy(raw: &str) -> String {
    percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

/// A host keeps its Unicode; escapes in it may only spell bytes outside ASCII (and the `%25` of an IPv6 zone).
fn escaped_host(raw: &str) -> Result<String, String> {
    check_escapes(raw)?;
    let bytes = raw.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        if byte == b'%' {
            let ascii = bytes[index + 1] < b'8';
            if ascii && &bytes[index..index + 3] != b"%25" {
                return Err(format!("invalid URL escape {}", quoted(&raw[index..index + 3])));
            }
            index += 3;
            continue;
        }
        let allowed = byte.is_ascii_alphanumeric() || b"!$&'()*+,;=:[]<>\"-_.~".contains(&byte);
        if byte < 0x80 && !allowed {
            return Err(format!("invalid character {} in host name", quoted(&raw[index..=index])));
        }
        index += 1;
    }
    Ok(unescaped_lossy(raw))
}

/// A path resolved against a base, without dot segments.
fn without_dots(base: &str, reference: &str) -> String {
    let full = match reference {
        "" => base.to_owned(),
        _ if reference.starts_with('/') => reference.to_owned(),
        _ => format!("{}{reference}", &base[..base.rfind('/').map_or(0, |slash| slash + 1)]),
    };
    if full.is_empty() {
        return full;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_with_dots = false;
    for segment in full.strip_prefix('/').unwrap_or(&full).split('/') {
        ends_with_dots = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            other => kept.push(other),
        }
    }
    let mut path = format!("/{}", kept.join("/"));
    if ends_with_dots && !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// `name` as the resolver wants it: punycode for what is not ASCII.
pub fn to_ascii(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_owned())
}

/// Each label outside ASCII in punycode, other letters as they are: what Go writes as `Host`. The name it connects to is
/// that of [`to_ascii`], which is in lower case.
fn punycode(name: &str) -> String {
    let label = |label: &str| match label.is_ascii() {
        true => label.to_owned(),
        false => idna::punycode::encode_str(label).map_or_else(|| label.to_owned(), |code| format!("xn--{code}")),
    };
    name.split('.').map(label).collect::<Vec<_>>().join(".")
}

/// Bytes of a peer as a terminal may see them: control characters but tabs and line feeds, and what is not UTF-8, as
/// Go escapes them.
pub fn printable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\n' | '\t' => shown.push(letter),
                control if control.is_control() => {
                    let escape = quoted(control.encode_utf8(&mut [0; 4]));
                    shown.push_str(&escape[1..escape.len() - 1]);
                }
                other => shown.push(other),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

/// Bytes in double quotes with Go's escapes: what is not UTF-8 is shown as `\xff`.
pub fn quoted_bytes(bytes: &[u8]) -> String {
    let mut shown = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let text = quoted(chunk.valid());
        shown.push_str(&text[1..text.len() - 1]);
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown.push('"');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_ask_for_what_go_would() {
        let check = |path: &str, target: &str, shown: &str| {
            let url = Url::parse(&format!("http://h:1{path}")).unwrap();
            assert_eq!(url.request_target(), target, "{path}");
            assert_eq!(url.as_str(), format!("http://h:1{shown}"), "{path}");
        };
        check("", "/", "");
        check("?q=1", "/?q=1", "?q=1");
        check("/echo/a b", "/echo/a%20b", "/echo/a%20b");
        check("/k\u{16f}", "/k%C5%AF", "/k%C5%AF");
        check("/%41%2f%2F", "/%41%2f%2F", "/%41%2f%2F");
        check("/a+b;c=1,d:e@f!$&'()*", "/a+b;c=1,d:e@f!$&'()*", "/a+b;c=1,d:e@f!$&'()*");
        check("/x/../y/./z", "/x/../y/./z", "/x/../y/./z");
        check("//double/", "//double/", "//double/");
        check("/e?x=%41&y=a b&z=[\u{e9}]", "/e?x=%41&y=a b&z=[\u{e9}]", "/e?x=%41&y=a b&z=[\u{e9}]");
        check("/e#frag", "/e", "/e#frag");
        check("/e?#f", "/e?", "/e?#f");
        check("/e?", "/e?", "/e?");
        check("/{id}|^`\"<>", "/%7Bid%7D%7C%5E%60%22%3C%3E", "/%7Bid%7D%7C%5E%60%22%3C%3E");
        check("/e?a=1?b=2", "/e?a=1?b=2", "/e?a=1?b=2");
    }

    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        let check = |raw: &str, expect: &str| assert_eq!(Url::parse(raw).unwrap_err(), expect);
        check("http://a b/", "parse \"http://a b/\": invalid character \" \" in host name");
        check("http://h/%zz", "parse \"http://h/%zz\": invalid URL escape \"%zz\"");
        check("http://h:abc/", "parse \"http://h:abc/\": invalid port \":abc\" after host");
        check("http://h/\n", "parse \"http://h/\\n\": net/url: invalid control character in URL");
        check(" http://h/", "parse \" http://h/\": first path segment in URL cannot contain colon");
        check("http://[::1", "parse \"http://[::1\": missing ']' in host");
        check("http://a^b@h/", "parse \"http://a^b@h/\": net/url: invalid userinfo");
        check(":x", "parse \":x\": missing protocol scheme");
    }

    #[test]
    fn parts_are_found() {
        let url = Url::parse("HTTPS://a%40b:p%3Aw@Ex.com:8443/p?q#f").unwrap();
        assert_eq!((url.scheme(), url.host(), url.hostname(), url.port()), ("https", "Ex.com:8443", "Ex.com", "8443"));
        assert_eq!(url.credentials(), Some(("a@b".to_owned(), "p:w".to_owned())));
        assert_eq!(url.clean(), "https://****:****@Ex.com:8443/p?q#f");
        assert_eq!(url.without_password(), "https://a%40b:***@Ex.com:8443/p?q#f");
        assert_eq!(url.referer(), "https://Ex.com:8443/p?q");
        let url = Url::parse("http://[::1]:80/").unwrap();
        assert_eq!((url.hostname(), url.port()), ("::1", "80"));
        assert_eq!(Url::parse("http://u@h/").unwrap().clean(), "http://****@h/");
    }

    #[test]
    fn odd_schemes_parse_and_are_judged_later() {
        for (raw, scheme, host) in [
            ("", "", ""),
            ("/relative", "", ""),
            ("example", "", ""),
            ("mailto:a@b", "mailto", ""),
            ("http:///x", "http", ""),
            ("http://", "http", ""),
            ("//h/x", "", "h"),
        ] {
            let url = Url::parse(raw).unwrap();
            assert_eq!((url.scheme(), url.host()), (scheme, host), "{raw}");
        }
    }

    #[test]
    fn references_are_resolved() {
        let base = Url::parse("http://u:p@h:1/a/b?q=1#f").unwrap();
        let check = |reference: &str, expect: &str| assert_eq!(base.join(reference).unwrap().as_str(), expect);
        check("http://x/abs", "http://x/abs");
        check("/root", "http://u:p@h:1/root");
        check("sibling", "http://u:p@h:1/a/sibling");
        check("./dot", "http://u:p@h:1/a/dot");
        check("../up", "http://u:p@h:1/up");
        check("../../../up", "http://u:p@h:1/up");
        check("..", "http://u:p@h:1/");
        check("//other/scheme", "http://other/scheme");
        check("/e?q=2#g", "http://u:p@h:1/e?q=2#g");
        check("?z", "http://u:p@h:1/a/b?z");
        check("#g", "http://u:p@h:1/a/b?q=1#g");
        check("/a b", "http://u:p@h:1/a%20b");
        check("ftp://127.0.0.1/x", "ftp://127.0.0.1/x");
        assert_eq!(base.join("http://[::1").unwrap_err(), "parse \"http://[::1\": missing ']' in host");
        assert_eq!(base.join("%zz").unwrap_err(), "parse \"%zz\": invalid URL escape \"%zz\"");
    }
}
