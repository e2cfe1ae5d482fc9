//! Requests and responses as text to read, in the form of Go's `httputil` dumps: what `--http-debug` shows.
//!
//! HTTP/2 is shown as the HTTP/1.1 it stands for. Nothing here runs unless a request asks for it.

use std::fmt::Write;

use super::proto::headers::has_token;
use super::proto::request_head::{WireBody, WireRequest};
use super::proto::response_head::ResponseHead;
use super::proto::url::printable;

/// How much of requests and responses is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DumpLevel {
    /// Nothing.
    #[default]
    Off,
    /// First lines and headers.
    Heads,
    /// Bodies too.
    Full,
}

/// One hop's request, and its response if there was one; lines end with `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// What was asked.
    pub request: String,
    /// What came back.
    pub response: Option<String>,
}

/// The request as it goes out, and the coding Go's dump always accepts.
pub(super) fn request(wire: &WireRequest<'_>, level: DumpLevel) -> String {
    let mut bytes = Vec::new();
    // Our credentials for a proxy are not shown.
    let hop_headers: Vec<_> =
        wire.hop_headers.iter().filter(|(name, _)| *name != "Proxy-Authorization").copied().collect();
    WireRequest { hop_headers: &hop_headers, ..*wire }.write_head(&mut bytes);
    let asks = |name| wire.headers.get(name).is_some();
    if wire.method != "HEAD" && !asks("Accept-Encoding") && !asks("Range") {
        bytes.truncate(bytes.len() - 2);
        bytes.extend_from_slice(b"Accept-Encoding: gzip\r\n\r\n");
    }
    if level == DumpLevel::Full {
        match wire.body {
            WireBody::Sized(body) => body.iter().for_each(|piece| bytes.extend_from_slice(piece)),
            WireBody::EmptyChunked => bytes.extend_from_slice(b"0\r\n\r\n"),
            WireBody::None => {}
        }
    }
    text(&bytes)
}

/// The response: the length first, then the other headers by name.
pub(super) fn response(head: &ResponseHead, method: &str, body: Option<&[u8]>, level: DumpLevel) -> String {
    let mut out = String::new();
    let proto = if head.proto == "HTTP/1.0" { "HTTP/1.0" } else { "HTTP/1.1" };
    let length = head.headers.get("Content-Length");
    let bodiless = method == "HEAD" || matches!(head.status, 204 | 304);
    // Writing to a string can't fail.
    let _ = write!(out, "{proto} {}\r\n", head.status_text);
    let shows_close = head.headers.get_all("Connection").any(|value| has_token(value, "close"));
    let ends_body = !head.chunked && length.is_none() && !bodiless;
    if (head.close || ends_body) && !shows_close {
        out.push_str("Connection: close\r\n");
    }
    match length {
        _ if head.chunked => out.push_str("Transfer-Encoding: chunked\r\n"),
        Some(length) => _ = write!(out, "Content-Length: {length}\r\n"),
        None => {}
    }
    let mut fields: Vec<_> = head.headers.iter().filter(|(name, _)| *name != "Content-Length").collect();
    fields.sort_by_key(|(name, _)| *name);
    for (name, value) in fields {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    out.push_str("\r\n");
    let mut bytes = out.into_bytes();
    if let (DumpLevel::Full, Some(body)) = (level, body) {
        match head.chunked {
            true if body.is_empty() => bytes.extend_from_slice(b"0\r\n\r\n"),
            true => {
                bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
                bytes.extend_from_slice(body);
                bytes.extend_from_slice(b"\r\n0\r\n\r\n");
            }
            false => bytes.extend_from_slice(body),
        }
    }
    text(&bytes)
}

/// Lines end with `\n` alone, and nothing that a server sent may command a terminal.
fn text(bytes: &[u8]) -> String {
    let ends = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    let plain: Vec<u8> = (0..bytes.len()).filter(|at| !ends(*at)).map(|at| bytes[at]).collect();
    printable(&plain)
}
