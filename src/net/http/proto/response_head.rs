//! The head of a response as HTTP/1.1 writes it: status line, headers, and how the body is framed. With Go's error texts.

use std::sync::LazyLock;

use super::chunked::{Chunks, Framing};
use super::error::NetError;
use super::headers::{Headers, has_no_control, has_token, is_token_byte};
use super::url::{printable, quoted, quoted_bytes};

/// Heads of more bytes are parsed on the CPU pool, not on a thread that serves connections.
pub const LARGE_HEAD: usize = 64 << 10;

/// The head of a response, and whether its connection may be kept once the body has been read.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The status.
    pub status: u16,
    /// The status line after the version: `404 Not Found`.
    pub status_text: String,
    /// `HTTP/1.1`, `HTTP/1.0` or `HTTP/2.0`.
    pub proto: &'static str,
    /// The headers.
    pub headers: Headers,
    /// True when the body came in chunks; the header that said so is taken out.
    pub chunked: bool,
    /// True when the server said that it closes the connection after this response.
    pub close: bool,
    /// True when the connection can carry another request.
    pub keep: bool,
}

/// Parses a head, status line included.
///
/// # Errors
/// In Go's words: what is malformed.
pub fn parse_head(head: &[u8]) -> Result<ResponseHead, NetError> {
    let mut lines = Lines(Some(head)).map(trim_line);
    let (proto, status, text) = status_line(lines.next().unwrap_or_default())?;
    let mut headers = Headers::with_capacity(head.len());
    let mut is_first = true;
    for line in lines {
        if line.is_empty() {
            break;
        }
        let malformed =
            |what: &str| Err(NetError::head(format!("malformed MIME header{what}: {}", quoted_bytes(line))));
        if matches!(line[0], b' ' | b'\t') {
            if is_first {
                return malformed(" initial line");
            }
            let more = line.trim_ascii();
            if !has_no_control(more) {
                return malformed(" line");
            }
            headers.extend_last(more);
            continue;
        }
        is_first = false;
        let Some(colon) = memchr::memchr(b':', line) else { return malformed(": missing colon") };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // Go takes a name with blanks in it, and leaves its letters alone.
        let fits = |byte: &u8| is_token_byte(*byte) || *byte == b' ';
        if name.is_empty() || !name.iter().all(fits) || !has_no_control(value) {
            return malformed(" line");
        }
        headers.push(name, value);
    }
    let says = |token| headers.get_all("Connection").any(|value| has_token(value, token));
    let close = match proto {
        "HTTP/1.0" => says("close") || !says("keep-alive"),
        _ => proto.starts_with("HTTP/0") || says("close"),
    };
    // Go does not show that the connection will be closed.
    if close && is_modern(proto) {
        headers.remove("Connection");
    }
    Ok(ResponseHead { status, status_text: printable(text), proto, headers, chunked: false, close, keep: !close })
}

/// How the body is framed; headers that only say so are removed, as in Go.
///
/// # Errors
/// In Go's words: the headers contradict each other, or are malformed.
pub fn framing(method: &str, head: &mut ResponseHead) -> Result<Framing, NetError> {
    let bodiless = method == "HEAD" || matches!(head.status, 204 | 304);
    let headers = &mut head.headers;
    let mut chunked = false;
    if headers.get("Transfer-Encoding").is_some() {
        let given: Vec<String> = headers.get_all("Transfer-Encoding").map(str::to_owned).collect();
        headers.remove("Transfer-Encoding");
        if is_modern(head.proto) {
            if given.len() > 1 {
                let list: Vec<String> = given.iter().map(|value| quoted(value)).collect();
                return Err(NetError::head(format!("too many transfer encodings: [{}]", list.join(" "))));
            }
            if !given[0].eq_ignore_ascii_case("chunked") {
                return Err(NetError::head(format!("unsupported transfer encoding: {}", quoted(&given[0]))));
            }
            headers.remove("Content-Length");
            chunked = true;
            head.chunked = true;
        }
    }
    headers.remove("Trailer");
    let mut length = None;
    let mut lengths = headers.get_all("Content-Length");
    if let Some(first) = lengths.next() {
        let more: Vec<&str> = lengths.collect();
        if more.iter().any(|other| *other != first) {
            let list: Vec<String> = std::iter::once(first).chain(more).map(quoted).collect();
            let text =
                format!("http: message cannot contain multiple Content-Length headers; got [{}]", list.join(" "));
            return Err(NetError::head(text));
        }
        if first.is_empty() || !first.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NetError::head(format!("bad Content-Length {}", quoted(first))));
        }
        length = Some(
            first
                .parse::<u64>()
                .ok()
                .filter(|length| i64::try_from(*length).is_ok())
                .ok_or_else(|| NetError::head(format!("bad Content-Length {}", quoted(first))))?,
        );
        if !more.is_empty() {
            headers.keep_first("Content-Length");
        }
    }
    Ok(match length {
        _ if bodiless => Framing::NONE,
        _ if chunked => Framing::Chunked(Chunks::default()),
        Some(length) => Framing::Length(length),
        None => {
            head.keep = false;
            Framing::UntilClose
        }
    })
}

/// What stands between line feeds.
struct Lines<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0?;
        let (line, rest) = match memchr::memchr(b'\n', text) {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        self.0 = rest;
        Some(line)
    }
}

/// A line without its carriage return.
pub fn trim_line(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Version, status, and the status line after the version.
///
/// # Errors
/// In Go's words: what is malformed.
pub fn status_line(line: &[u8]) -> Result<(&'static str, u16, &[u8]), NetError> {
    let Some(space) = memchr::memchr(b' ', line) else {
        return Err(NetError::head(format!("malformed HTTP response {}", quoted_bytes(line))));
    };
    let (version, text) = (&line[..space], line[space + 1..].trim_ascii_start());
    let digits = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    if digits.len() != 3 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NetError::head(format!("malformed HTTP status code {}", quoted_bytes(digits))));
    }
    let status = digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    match protocol(version) {
        Some(proto) => Ok((proto, status, text)),
        None => Err(NetError::head(format!("malformed HTTP version {}", quoted_bytes(version)))),
    }
}

/// The version as it is shown. Go takes any two digits.
fn protocol(version: &[u8]) -> Option<&'static str> {
    static OTHERS: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..100).map(|number| format!("HTTP/{}.{}", number / 10, number % 10)).collect());
    match version {
        b"HTTP/1.1" => Some("HTTP/1.1"),
        b"HTTP/1.0" => Some("HTTP/1.0"),
        [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => {
            Some(&OTHERS[usize::from((major - b'0') * 10 + minor - b'0')])
        }
        _ => None,
    }
}

/// True for versions that know chunks.
fn is_modern(proto: &str) -> bool {
    !proto.starts_with("HTTP/0") && proto != "HTTP/1.0"
}
