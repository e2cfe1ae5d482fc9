//! Cookies: reading `Set-Cookie`, writing `Cookie`, and the jar between them, by RFC 6265 as Go and k6 read it.
//!
//! There is no list of public suffixes, as in k6: a host may set a cookie for all hosts of its top-level domain.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use super::headers::{Headers, is_token_byte};
use super::url::{Url, to_ascii, unescaped};

use crate::units::sync::lock;

/// A cookie as a server sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value without quotes.
    pub value: String,
    /// True when the value came in quotes; it goes back in quotes.
    pub quoted: bool,
    /// `Path`, possibly empty.
    pub path: String,
    /// `Domain`, possibly empty.
    pub domain: String,
    /// `Expires` in seconds since 1970; `None` when absent or unreadable.
    pub expires: Option<i64>,
    /// `Max-Age` in seconds: 0 when absent, -1 for zero and less.
    pub max_age: i64,
    /// `Secure`.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
}

/// A response that sets more cookies than this sets none; Go's limit.
const MAX_COOKIES: usize = 3000;
/// From this many new cookies on, those of a jar are looked up in an index instead of one after the other.
const MANY_COOKIES: usize = 16;

impl Cookie {
    /// What the headers of a response set.
    pub fn all(headers: &Headers) -> Vec<Self> {
        let lines = || headers.get_all("Set-Cookie");
        if lines().nth(MAX_COOKIES).is_some() {
            return Vec::new();
        }
        lines().filter_map(Self::parse).collect()
    }

    /// Reads one `Set-Cookie` value; `None` when it is none.
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.trim_matches([' ', '\t']).split(';').map(|part| part.trim_matches([' ', '\t']));
        let (name, value) = parts.next()?.split_once('=')?;
        let name = name.trim_matches([' ', '\t']);
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return None;
        }
        let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
        let value = if quoted { &value[1..value.len() - 1] } else { value };
        if !value.bytes().all(is_value_byte) {
            return None;
        }
        let mut cookie = Self { name: name.to_owned(), value: value.to_owned(), quoted, ..Self::default() };
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            if !value.bytes().all(is_value_byte) {
                continue;
            }
            match key.to_ascii_lowercase().as_str() {
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "domain" => cookie.domain = value.to_owned(),
                "path" => cookie.path = value.to_owned(),
                "expires" => cookie.expires = parse_date(value).or(cookie.expires),
                "max-age" => {
                    // A number with leading zeros is no number here.
                    if let Ok(seconds) = value.parse::<i64>()
                        && (seconds == 0 || !value.starts_with(['0', '+']))
                    {
                        cookie.max_age = if seconds <= 0 { -1 } else { seconds };
                    }
                }
                _ => {}
            }
        }
        Some(cookie)
    }
}

/// A cookie of one request, from `params.cookies`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCookie {
    /// Its name.
    pub name: String,
    /// Its value as given.
    pub value: String,
    /// True when it takes the place of the jar's cookie of this name.
    pub replace: bool,
}

/// The cookies a client has collected. Shared between the script's thread and the network's.
#[derive(Debug, Default)]
pub struct CookieJar(Mutex<Vec<StoredCookie>>);

/// A cookie with the requests it belongs to; a jar has them in the order in which they were first set.
#[derive(Clone, Debug)]
struct StoredCookie {
    name: String,
    value: String,
    quoted: bool,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    expires: Option<i64>,
}

/// The expiry of an entry that was taken back.
const GONE: Option<i64> = Some(i64::MIN);

impl StoredCookie {
    fn is(&self, name: &str, domain: &str, path: &str) -> bool {
        self.expires != GONE && self.name == name && self.domain == domain && self.path == path
    }
}

/// The position of each cookie by name, domain and path: for a response that sets so many cookies that searching for each
/// would take long.
struct CookieIndex(HashMap<String, usize>);

impl CookieIndex {
    fn new(entries: &[StoredCookie]) -> Self {
        let mut index = Self(HashMap::with_capacity(entries.len()));
        for (at, entry) in entries.iter().enumerate() {
            index.add(entry, at);
        }
        index
    }

    /// No name contains a line feed.
    fn key(name: &str, domain: &str, path: &str) -> String {
        [name, domain, path].join("\n")
    }

    fn find(&self, name: &str, domain: &str, path: &str) -> Option<usize> {
        self.0.get(&Self::key(name, domain, path)).copied()
    }

    fn add(&mut self, entry: &StoredCookie, at: usize) {
        self.0.insert(Self::key(&entry.name, &entry.domain, &entry.path), at);
    }

    fn forget(&mut self, entry: &StoredCookie) {
        self.0.remove(&Self::key(&entry.name, &entry.domain, &entry.path));
    }
}

impl CookieJar {
    /// An empty jar.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores what a response from `url` set. Cookies that don't belong there are ignored.
    pub fn store(&self, url: &Url, cookies: &[Cookie]) {
        if cookies.is_empty() || !matches!(url.scheme(), "http" | "https") {
            return;
        }
        let now = now();
        let host = canonical_host(url);
        let usual_path = default_path(url);
        let mut entries = self.lock();
        let mut index = (cookies.len() >= MANY_COOKIES).then(|| CookieIndex::new(&entries));
        let mut is_any_gone = false;
        for cookie in cookies {
            let Some((domain, host_only)) = domain_of(&host, &cookie.domain) else { continue };
            let path = match cookie.path.as_str() {
                path if path.starts_with('/') => path.to_owned(),
                _ => usual_path.clone(),
            };
            let known = match &index {
                Some(index) => index.find(&cookie.name, &domain, &path),
                None => entries.iter().position(|entry| entry.is(&cookie.name, &domain, &path)),
            };
            let expires = match (cookie.max_age, cookie.expires) {
                (1.., _) => Some(now.saturating_add(cookie.max_age)),
                (..0, _) => Some(i64::MIN),
                (0, expires) => expires,
            };
            if expires.is_some_and(|expires| expires <= now) {
                if let Some(at) = known {
                    if let Some(index) = &mut index {
                        index.forget(&entries[at]);
                    }
                    entries[at].expires = GONE;
                    is_any_gone = true;
                }
                continue;
            }
            let entry = StoredCookie {
                name: cookie.name.clone(),
                value: cookie.value.clone(),
                quoted: cookie.quoted,
                domain,
                host_only,
                path,
                secure: cookie.secure,
                expires,
            };
            // A cookie that is set again keeps its place in the order.
            match known {
                Some(at) => entries[at] = entry,
                None => {
                    if let Some(index) = &mut index {
                        index.add(&entry, entries.len());
                    }
                    entries.push(entry);
                }
            }
        }
        if is_any_gone {
            entries.retain(|entry| entry.expires != GONE);
        }
    }

    /// Sets one cookie as if `url` had sent it.
    pub fn set(&self, url: &Url, cookie: Cookie) {
        self.store(url, &[cookie]);
    }

    /// Name and value of each cookie that a request to `url` carries, in wire order.
    pub fn cookies_for(&self, url: &Url) -> Vec<(String, String)> {
        self.matching(url).into_iter().map(|entry| (entry.name, entry.value)).collect()
    }

    /// Removes the cookie of this name that a request to `url` would carry.
    pub fn delete(&self, url: &Url, name: &str) {
        let target = CookieMatcher::new(url);
        self.lock().retain(|entry| entry.name != name || !target.takes(entry));
    }

    /// Removes every cookie that a request to `url` would carry.
    pub fn clear(&self, url: &Url) {
        let target = CookieMatcher::new(url);
        self.lock().retain(|entry| !target.takes(entry));
    }

    fn matching(&self, url: &Url) -> Vec<StoredCookie> {
        let mut entries = self.lock();
        if entries.is_empty() || !matches!(url.scheme(), "http" | "https") {
            return Vec::new();
        }
        let (target, now) = (CookieMatcher::new(url), now());
        entries.retain(|entry| entry.expires.is_none_or(|expires| expires > now));
        let mut matching: Vec<StoredCookie> = entries.iter().filter(|entry| target.takes(entry)).cloned().collect();
        matching.sort_by_key(|entry| std::cmp::Reverse(entry.path.len()));
        matching
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<StoredCookie>> {
        lock(&self.0)
    }
}

/// The `Cookie` header of one hop: what was written by hand, the request's own cookies, the jar's.
pub fn cookie_header(
    manual: Option<&str>,
    own: &[RequestCookie],
    jar: Option<&CookieJar>,
    url: &Url,
) -> Option<String> {
    if manual.is_none() && own.is_empty() && jar.is_none_or(|jar| jar.lock().is_empty()) {
        return None;
    }
    let mut header = manual.unwrap_or_default().to_owned();
    let mut add = |name: &str, value: &str, quoted: bool| {
        if !header.is_empty() {
            header.push_str("; ");
        }
        push_name(&mut header, name);
        header.push('=');
        push_value(&mut header, value, quoted);
    };
    for cookie in own {
        add(&cookie.name, &cookie.value, false);
    }
    for entry in jar.map(|jar| jar.matching(url)).unwrap_or_default() {
        if !own.iter().any(|cookie| cookie.replace && cookie.name == entry.name) {
            add(&entry.name, &entry.value, entry.quoted);
        }
    }
    Some(header).filter(|header| !header.is_empty())
}

fn push_name(header: &mut String, name: &str) {
    header.extend(name.chars().map(|letter| if matches!(letter, '\r' | '\n') { '-' } else { letter }));
}

/// What may not stand in a value is dropped; spaces and commas need quotes.
fn push_value(header: &mut String, value: &str, quoted: bool) {
    let kept = || value.bytes().filter(|byte| is_value_byte(*byte)).map(char::from);
    if kept().next().is_none() {
        return;
    }
    let quote = quoted || kept().any(|letter| matches!(letter, ' ' | ','));
    if quote {
        header.push('"');
    }
    header.extend(kept());
    if quote {
        header.push('"');
    }
}

fn is_value_byte(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b';' | b'\\')
}

/// What a request must match to get a cookie.
struct CookieMatcher {
    host: String,
    path: String,
    is_secure: bool,
}

impl CookieMatcher {
    fn new(url: &Url) -> Self {
        let host = canonical_host(url);
        let path = String::from_utf8_lossy(&unescaped(url.path())).into_owned();
        Self {
            // Cookies marked as secure also go to this very machine.
            is_secure: url.is_https() || is_loopback(&host),
            path: if path.is_empty() { "/".to_owned() } else { path },
            host,
        }
    }

    fn takes(&self, entry: &StoredCookie) -> bool {
        let domain = self.host == entry.domain || (!entry.host_only && is_below(&self.host, &entry.domain));
        let path = self
            .path
            .strip_prefix(entry.path.as_str())
            .is_some_and(|rest| rest.is_empty() || entry.path.ends_with('/') || rest.starts_with('/'));
        domain && path && (self.is_secure || !entry.secure)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
}

fn canonical_host(url: &Url) -> String {
    let host = url.hostname().to_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    to_ascii(host)
}

/// The domain a cookie is for and whether for this host alone; `None` when the host may not set it.
fn domain_of(host: &str, domain: &str) -> Option<(String, bool)> {
    if domain.is_empty() {
        return Some((host.to_owned(), true));
    }
    if host.parse::<IpAddr>().is_ok() {
        return (host == domain).then(|| (host.to_owned(), true));
    }
    let domain = domain.strip_prefix('.').unwrap_or(domain).to_lowercase();
    if domain.is_empty() || domain.starts_with('.') || domain.ends_with('.') || !domain.is_ascii() {
        return None;
    }
    (host == domain || is_below(host, &domain)).then_some((domain, false))
}

fn default_path(url: &Url) -> String {
    let path = String::from_utf8_lossy(&unescaped(url.path())).into_owned();
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(_) if !path.starts_with('/') => "/".to_owned(),
        Some(end) => path[..end].to_owned(),
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// `Wed, 21 Oct 2035 07:28:00 GMT`, also with hyphens in the date; seconds since 1970. Every zone counts as UTC, as in Go.
pub fn parse_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let (weekday, rest) = text.split_once(", ")?;
    if !DAYS.iter().any(|day| day.eq_ignore_ascii_case(weekday)) {
        return None;
    }
    let separator = if rest.as_bytes().get(2)? == &b'-' { '-' } else { ' ' };
    let (day, rest) = rest.split_once(separator)?;
    let (month, rest) = rest.split_once(separator)?;
    let (year, rest) = rest.split_once(' ')?;
    let (clock, zone) = rest.split_once(' ')?;
    let number = |text: &str, digits: usize| {
        let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<i64>().ok()).flatten()
    };
    let mut clock = clock.split(':');
    let mut next = || clock.next().and_then(|part| number(part, 2));
    let (hour, minute, second) = (next()?, next()?, next()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? as i64 + 1;
    let (day, year) = (number(day, 2)?, number(year, 4)?);
    let zone_ok = (3..=5).contains(&zone.len()) && zone.bytes().all(|byte| byte.is_ascii_uppercase());
    if !zone_ok || hour > 23 || minute > 59 || second > 59 || day < 1 || day > days_of(month, year) {
        return None;
    }
    Some((days_since_1970(year, month, day) * 24 + hour) * 3600 + minute * 60 + second)
}

fn days_of(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts days in the proleptic Gregorian calendar, with years that start in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_cookies_are_kept_as_few_are() {
        let url = Url::parse("http://a.test/").unwrap();
        // Set, set again, taken back, and set once more, which gives it another place.
        let lines: Vec<String> = (0..200)
            .flat_map(|at| [format!("c{}={at}", at % 50), format!("d{}={at}{}", at % 7, ["", "; Max-Age=0"][at % 2])])
            .collect();
        let cookies: Vec<Cookie> = lines.iter().filter_map(|line| Cookie::parse(line)).collect();
        let (one_by_one, at_once) = (CookieJar::new(), CookieJar::new());
        cookies.iter().for_each(|cookie| one_by_one.store(&url, std::slice::from_ref(cookie)));
        at_once.store(&url, &cookies);
        assert_eq!(at_once.cookies_for(&url), one_by_one.cookies_for(&url));
        assert!(at_once.cookies_for(&url).len() >= 50);
    }

    #[test]
    fn too_many_cookies_are_none() {
        for (count, expect) in [(MAX_COOKIES, MAX_COOKIES), (MAX_COOKIES + 1, 0)] {
            let mut headers = Headers::default();
            (0..count).for_each(|at| headers.push(b"set-cookie", format!("c{at}=1").as_bytes()));
            assert_eq!(Cookie::all(&headers).len(), expect);
        }
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn jar_of(at: &str, lines: &[&str]) -> CookieJar {
        let jar = CookieJar::new();
        for line in lines {
            jar.store(&url(at), &Cookie::parse(line).into_iter().collect::<Vec<_>>());
        }
        jar
    }

    fn sent(jar: &CookieJar, at: &str) -> String {
        cookie_header(None, &[], Some(jar), &url(at)).unwrap_or_default()
    }

    #[test]
    fn set_cookie_is_read_as_go_reads_it() {
        let check = |line: &str, expect: Option<(&str, &str)>| {
            let cookie = Cookie::parse(line);
            assert_eq!(cookie.as_ref().map(|cookie| (&*cookie.name, &*cookie.value)), expect, "{line}");
        };
        check("q=\"quoted\"", Some(("q", "quoted")));
        check("sp=a b", Some(("sp", "a b")));
        check("comma=a,b", Some(("comma", "a,b")));
        check(" lead = v ", Some(("lead", " v")));
        check("novalue=", Some(("novalue", "")));
        check("noequals", None);
        check("=noname", None);
        check("eq=a=b=c", Some(("eq", "a=b=c")));
        check("bs=a\\b", None);
        check("uni=k\u{16f}\u{148}", None);
        check("n m=v", None);
        check("semi=a;b=c", Some(("semi", "a")));
        let cookie = Cookie::parse(
            "a=1; Path=/p; domain=.ex.com; MAX-AGE=0; Secure; HttpOnly; Expires=Wed, 21 Oct 2035 07:28:00 GMT",
        );
        let cookie = cookie.unwrap();
        assert_eq!((&*cookie.path, &*cookie.domain, cookie.max_age), ("/p", ".ex.com", -1));
        assert_eq!((cookie.secure, cookie.http_only, cookie.expires), (true, true, Some(2_076_564_480)));
    }

    #[test]
    fn dates_are_read() {
        for (text, expect) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 01-Jan-1970 00:00:01 UTC", Some(1)),
            ("Thu, 29 Feb 2024 00:00:00 GMT", Some(1_709_164_800)),
            ("Thu, 29 Feb 2023 00:00:00 GMT", None),
            ("2035-01-01", None),
            ("Mon, 02 Jan 2006 15:04:05", None),
        ] {
            assert_eq!(parse_date(text), expect, "{text}");
        }
    }

    #[test]
    fn values_are_made_safe() {
        let check = |value: &str, expect: &str| {
            let own = [RequestCookie { name: "k".into(), value: value.into(), replace: false }];
            assert_eq!(cookie_header(None, &own, None, &url("http://h/")).unwrap(), expect);
        };
        check("plain", "k=plain");
        check("a b", "k=\"a b\"");
        check("a,b", "k=\"a,b\"");
        check("a;b", "k=ab");
        check("a\"b", "k=ab");
        check("k\u{16f}\u{148}", "k=k");
        check("", "k=");
        check(" edge ", "k=\" edge \"");
        check("a\nb", "k=ab");
        check("\"q\"", "k=q");
    }

    #[test]
    fn paths_decide() {
        let lines = ["root=1; Path=/", "echo=2; Path=/echo", "deep=3; Path=/echo/a/", "dflt=4", "rel=5; Path=relative"];
        let jar = jar_of("http://h/cookies/set", &lines);
        for (path, expect) in [
            ("/echo", "echo=2; root=1"),
            ("/echo/a", "echo=2; root=1"),
            ("/echo/a/b", "deep=3; echo=2; root=1"),
            ("/echoes", "root=1"),
            ("/cookies", "dflt=4; rel=5; root=1"),
            ("/cookie", "root=1"),
            ("", "root=1"),
        ] {
            assert_eq!(sent(&jar, &format!("http://h{path}")), expect, "{path}");
        }
    }

    #[test]
    fn domains_decide() {
        let check = |at: &str, line: &str, other: &str, expect: &str| {
            assert_eq!(sent(&jar_of(at, &[line]), other), expect, "{at} {line} {other}");
        };
        check("http://a.ex.com/", "c=1; Domain=ex.com", "http://b.ex.com/", "c=1");
        check("http://a.ex.com/", "c=1; Domain=.ex.com", "http://ex.com/", "c=1");
        check("http://a.ex.com/", "c=1", "http://ex.com/", "");
        check("http://a.ex.com/", "c=1; Domain=com", "http://a.ex.com/", "c=1");
        check("http://a.ex.com/", "c=1; Domain=b.com", "http://b.com/", "");
        check("http://127.0.0.1/", "c=1; Domain=127.0.0.1", "http://127.0.0.1:99/", "c=1");
        check("http://h/", "c=1; Secure", "http://h/", "");
        check("http://h/", "c=1; Secure", "https://h/", "c=1");
        check("http://localhost/", "c=1; Secure", "http://localhost/", "c=1");
        check("http://127.0.0.1/", "c=1; Secure", "http://127.0.0.1/", "c=1");
    }

    #[test]
    fn cookies_end() {
        let all = ["a=1", "b=1", "c=1", "d=1"];
        let check = |line: &str, expect: &str| {
            let lines: Vec<&str> = all.iter().copied().chain([line]).collect();
            assert_eq!(sent(&jar_of("http://h/", &lines), "http://h/"), expect);
        };
        check("a=; Max-Age=0", "b=1; c=1; d=1");
        check("b=; Max-Age=-1", "a=1; c=1; d=1");
        check("c=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=1; b=1; d=1");
        check("e=1; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=1; b=1; c=1; d=1; e=1");
        check("a=new", "a=new; b=1; c=1; d=1");
    }

    #[test]
    fn sources_come_in_order_and_may_replace() {
        let jar = jar_of("http://h/", &["a=jar", "b=\"j q\""]);
        let own = |name: &str, replace| RequestCookie { name: name.into(), value: "own".into(), replace };
        let check = |manual: Option<&str>, cookies: &[RequestCookie], expect: &str| {
            assert_eq!(cookie_header(manual, cookies, Some(&jar), &url("http://h/")).unwrap(), expect);
        };
        check(Some("raw=1"), &[own("zz", false)], "raw=1; zz=own; a=jar; b=\"j q\"");
        check(None, &[own("a", false)], "a=own; a=jar; b=\"j q\"");
        check(None, &[own("a", true)], "a=own; b=\"j q\"");
    }

    #[test]
    fn deleting_takes_what_would_be_sent() {
        let jar = jar_of("http://h/", &["a=1; Path=/", "b=2; Path=/p", "c=3"]);
        jar.delete(&url("http://h/"), "a");
        assert_eq!(sent(&jar, "http://h/p"), "b=2; c=3");
        jar.clear(&url("http://h/"));
        assert_eq!(sent(&jar, "http://h/p"), "b=2");
    }
}
