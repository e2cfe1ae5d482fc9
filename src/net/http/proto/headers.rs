//! Header names and values: Go's canonical spelling, what is valid, and the compact list of a response's headers.
//!
//! [`RequestHeaders`] are checked, canonical and sorted before a request leaves the caller's thread, so the network
//! thread only copies them into the wire's order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::error::NetError;
use super::url::quoted;

/// So many headers are searched one by one.
const FEW: usize = 16;

/// The headers of a response in wire order, names canonical; one text and a list of spans.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    text: String,
    spans: Vec<HeaderSpan>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct HeaderSpan {
    name: u32,
    value: u32,
    end: u32,
}

impl Headers {
    /// An empty list with room for `bytes` of text.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), spans: Vec::with_capacity(12) }
    }

    /// Adds a header; the name becomes canonical, bytes that are not UTF-8 become replacement characters.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let start = self.text.len();
        self.push_text(name);
        // A name that is no token stays as it is.
        if name.iter().all(|byte| is_token_byte(*byte)) {
            capitalise(&mut self.text[start..]);
        }
        let middle = self.text.len();
        self.push_text(value);
        self.spans.push(HeaderSpan { name: start as u32, value: middle as u32, end: self.text.len() as u32 });
    }

    fn push_text(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.text.push_str(&String::from_utf8_lossy(bytes)),
        }
    }

    /// Appends to the value of the last header, as a folded line does.
    pub fn extend_last(&mut self, more: &[u8]) {
        if let Some(last) = self.spans.last_mut() {
            self.text.push(' ');
            self.text.push_str(&String::from_utf8_lossy(more));
            last.end = self.text.len() as u32;
        }
    }

    /// The first value of the header with this canonical name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// All values of the header with this canonical name.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Name and value of every header, in wire order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans.iter().map(|span| {
            let (name, value, end) = (span.name as usize, span.value as usize, span.end as usize);
            (&self.text[name..value], &self.text[value..end])
        })
    }

    /// Removes every header with this canonical name.
    pub fn remove(&mut self, name: &str) {
        let text = &self.text;
        self.spans.retain(|span| &text[span.name as usize..span.value as usize] != name);
    }

    /// Keeps only the first of several headers with this canonical name.
    pub fn keep_first(&mut self, name: &str) {
        let text = &self.text;
        let mut seen = false;
        self.spans.retain(|span| {
            &text[span.name as usize..span.value as usize] != name || !std::mem::replace(&mut seen, true)
        });
    }

    /// Each name once, in the order of the first of each, several values joined by commas.
    pub fn joined(&self) -> Vec<(String, String)> {
        let mut map: Vec<(String, String)> = Vec::with_capacity(self.len());
        if self.len() <= FEW {
            for (name, value) in self.iter() {
                match map.iter_mut().find(|(known, _)| known == name) {
                    Some((_, joined)) => {
                        joined.push_str(", ");
                        joined.push_str(value);
                    }
                    None => map.push((name.to_owned(), value.to_owned())),
                }
            }
            return map;
        }
        let mut index: HashMap<&str, usize> = HashMap::with_capacity(self.len());
        for (name, value) in self.iter() {
            match index.entry(name) {
                Entry::Occupied(known) => {
                    let joined = &mut map[*known.get()].1;
                    joined.push_str(", ");
                    joined.push_str(value);
                }
                Entry::Vacant(free) => {
                    free.insert(map.len());
                    map.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        map
    }

    /// How many bytes of names and values there are.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// How many bytes of memory they take.
    pub fn weight(&self) -> usize {
        self.text.capacity() + self.spans.capacity() * size_of::<HeaderSpan>()
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// True without any header.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The headers of a request: canonical, sorted by name, one value each; the special ones in their own places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHeaders {
    /// An own `Host` instead of the URL's.
    pub host: Option<String>,
    /// The `User-Agent`, the second line of a head; empty when it must not be sent.
    pub user_agent: Option<String>,
    /// A `Cookie` written by hand; goes before those of the request and of the jar.
    pub cookie: Option<String>,
    /// An own `Authorization`, which wins over the URL's userinfo.
    pub authorization: Option<String>,
    /// Everything else, sorted by name.
    pub rest: Vec<(String, String)>,
}

impl RequestHeaders {
    /// Checks and sorts what the user gave. When names differ only by case, the later one wins.
    pub fn new(given: &[(String, String)]) -> Result<Self, NetError> {
        let mut headers = Self { rest: Vec::with_capacity(given.len()), ..Self::default() };
        for (name, value) in given {
            if !is_valid_name(name) {
                return Err(NetError::other(format!("net/http: invalid header field name {}", quoted(name))));
            }
            let mut name = name.clone();
            canonicalise(&mut name);
            if !is_valid_value(value) {
                return Err(NetError::other(format!("net/http: invalid header field value for {}", quoted(&name))));
            }
            let value = value.trim_matches([' ', '\t']).to_owned();
            match name.as_str() {
                "Host" if value.bytes().any(|byte| !is_host_byte(byte)) => {
                    return Err(NetError::other("http: invalid Host header"));
                }
                "Host" => headers.host = Some(value).filter(|value| !value.is_empty()),
                "User-Agent" => headers.user_agent = Some(value),
                "Cookie" => headers.cookie = Some(value),
                "Authorization" => headers.authorization = Some(value),
                // What frames the body is ours to say.
                "Content-Length" | "Transfer-Encoding" | "Trailer" => {}
                _ => match headers.rest.iter_mut().find(|(own, _)| *own == name) {
                    Some((_, old)) => *old = value,
                    None => headers.rest.push((name, value)),
                },
            }
        }
        headers.rest.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(headers)
    }

    /// The value of one of the sorted headers.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.rest.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Sets one of the sorted headers.
    pub fn set(&mut self, name: &str, value: String) {
        match self.rest.binary_search_by(|(own, _)| own.as_str().cmp(name)) {
            Ok(index) => self.rest[index].1 = value,
            Err(index) => self.rest.insert(index, (name.to_owned(), value)),
        }
    }

    /// True when `Connection: close` was asked for by hand.
    pub fn wants_close(&self) -> bool {
        self.get("Connection").is_some_and(|value| has_token(value, "close"))
    }
}

/// Go's canonical spelling: a capital at the start and after each hyphen, lower case elsewhere. What can't be a name
/// stays as it is.
pub fn canonicalise(name: &mut str) {
    if !is_valid_name(name) {
        return;
    }
    capitalise(name);
}

/// A capital at the start and after each hyphen, lower case elsewhere; the letters of ASCII only.
fn capitalise(name: &mut str) {
    let mut is_first = true;
    let is_right = |byte: u8| {
        let is_wrong = if is_first { byte.is_ascii_lowercase() } else { byte.is_ascii_uppercase() };
        is_first = byte == b'-';
        !is_wrong
    };
    if name.bytes().all(is_right) {
        return;
    }
    name.make_ascii_lowercase();
    let mut at = 0;
    while let Some(first) = name.get_mut(at..at + 1) {
        first.make_ascii_uppercase();
        match name[at..].find('-') {
            Some(hyphen) => at += hyphen + 1,
            None => break,
        }
    }
}

/// True for the characters of an HTTP token: methods and header names are made of them.
pub fn is_token_byte(byte: u8) -> bool {
    const IS_TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            let is_sign = matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~');
            table[byte as usize] = byte.is_ascii_alphanumeric() || is_sign;
            byte += 1;
        }
        table
    };
    IS_TOKEN[byte as usize]
}

/// True for a non-empty token.
pub fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

/// True without control characters other than tabs. Looks at all bytes, as many at once as the machine can.
pub fn has_no_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |good, byte| good & ((*byte == b'\t') | ((*byte >= 0x20) & (*byte != 0x7f))))
}

/// True when no control character hides in the value.
pub fn is_valid_value(value: &str) -> bool {
    has_no_control(value.as_bytes())
}

fn is_host_byte(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || b"!$%&()*+,-.:;=@[]'_~".contains(&byte)
}

/// True when the comma-separated list contains `token`, in any case.
pub fn has_token(list: &str, token: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_canonical() {
        for (name, expect) in [
            ("content-type", "Content-Type"),
            ("ETag", "Etag"),
            ("x_under_score", "X_under_score"),
            ("X-ALPHA-one", "X-Alpha-One"),
            ("1x", "1x"),
            ("WWW-authenticate", "Www-Authenticate"),
        ] {
            let mut own = name.to_owned();
            canonicalise(&mut own);
            assert_eq!(own, expect);
            let mut headers = Headers::default();
            headers.push(name.as_bytes(), b"v");
            assert_eq!(headers.iter().next(), Some((expect, "v")));
        }
    }

    #[test]
    fn request_headers_are_checked_and_sorted() {
        let given = |pairs: &[(&str, &str)]| {
            RequestHeaders::new(
                &pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<Vec<_>>(),
            )
        };
        let headers = given(&[
            ("x-b", "1"),
            ("host", "virtual"),
            ("X-A", "  padded "),
            ("X-B", "2"),
            ("content-length", "9"),
            ("user-agent", ""),
        ])
        .unwrap();
        assert_eq!(headers.rest, [("X-A".into(), "padded".into()), ("X-B".into(), "2".into())]);
        assert_eq!((headers.host.as_deref(), headers.user_agent.as_deref()), (Some("virtual"), Some("")));
        let refused = |name: &str, value: &str, text: &str| assert_eq!(given(&[(name, value)]).unwrap_err().text, text);
        refused("Bad Header", "x", "net/http: invalid header field name \"Bad Header\"");
        refused("", "x", "net/http: invalid header field name \"\"");
        refused("x-nl", "a\nb", "net/http: invalid header field value for \"X-Nl\"");
        refused("Host", "a b", "http: invalid Host header");
    }

    #[test]
    fn tokens_are_found_in_lists() {
        for (list, expect) in [("close", true), ("Keep-Alive, CLOSE", true), ("closed", false), ("", false)] {
            assert_eq!(has_token(list, "close"), expect);
        }
    }
}
