//! HTTP/1.1 on one connection: write a request, read its answer, say whether the connection may be kept.
//!
//! Our own codec: exact timestamps, Go's error texts, one write for a small request and one read for a small answer,
//! no buffer while a connection waits or idles. Redirects, cookies and retries are none of its business.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use smallvec::SmallVec;
use tokio::io::AsyncWrite;

use super::body::BodyLimit;
use super::proto::chunked::{Chunks, Framing};
use super::proto::error::{NetError, ErrorStage};
use super::proto::headers::{Headers, has_token, is_token_byte};
use super::proto::request_head::{MAX_SLICES, UnsentBody};
pub use super::proto::request_head::{WireBody, WireRequest};
use super::proto::url::{printable, quoted, quoted_bytes};
use super::timing::HopTimer;
use crate::net::cpu_pool;
use crate::net::socket::{NetStream, give_buffer, take_buffer};
use crate::net::tls::TlsInfo;

/// The most bytes a head may have, interim answers included; Go's limit.
const MAX_HEAD: usize = 10 << 20;
/// Heads of more bytes are parsed on a thread that serves no connection.
pub const LARGE_HEAD: usize = 64 << 10;
/// Bodies up to this size are copied behind the head, so that one write carries both.
const SMALL_BODY: usize = 8 * 1024;
/// How long to look for an answer after the server stopped reading our request.
const EARLY_RESPONSE_TIMEOUT: Duration = Duration::from_millis(50);

/// A connection that speaks HTTP/1.1.
#[derive(Debug)]
pub struct Http1 {
    /// The bytes' way.
    pub stream: NetStream,
    /// What the TLS handshake agreed on.
    pub tls: Option<TlsInfo>,
    /// True when it has carried a request before.
    pub reused: bool,
}

/// Where the body of an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySink {
    /// It is kept.
    Keep,
    /// It is read and dropped.
    Discard,
    /// It is read and dropped, but not beyond this many bytes: then the connection is closed instead.
    Drain(usize),
}

/// What an exchange leaves behind even when it is cut off in the middle.
#[derive(Debug)]
pub struct HopProgress {
    /// Where its time goes.
    pub timer: HopTimer,
    /// True once the head of the answer is complete.
    pub has_head: bool,
    /// What has come of the body; `None` before the head was complete, and for answers without a body.
    pub body: Option<Vec<u8>>,
    /// The body is longer than what is kept of one.
    pub is_outgrown: bool,
}

/// The head of an answer, and whether its connection may be kept once the body has been read.
#[derive(Debug)]
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
    /// True when the server said that it closes the connection behind this answer.
    pub close: bool,
    /// True when the connection can carry another request.
    pub keep: bool,
}

impl Http1 {
    /// Sends `wire` and reads the answer; its body lands in `progress`.
    pub async fn exchange(
        &mut self,
        wire: &WireRequest<'_>,
        sink: impl FnOnce(&ResponseHead) -> BodySink,
        progress: &mut HopProgress,
    ) -> Result<ResponseHead, NetError> {
        let mut inbox = HeadBuffer::default();
        let intact = match self.write(wire, &mut inbox, progress).await {
            Ok(()) => true,
            Err(error) => {
                let failed = Instant::now();
                // A server may refuse a body before it has read it; its answer is worth more than the broken pipe.
                if inbox.bytes.is_empty() {
                    let read = tokio::time::timeout(EARLY_RESPONSE_TIMEOUT, self.fill(&mut inbox, progress)).await;
                    if !matches!(read, Ok(Ok(count)) if count > 0) {
                        progress.timer.over(failed);
                        return Err(error);
                    }
                }
                false
            }
        };
        let mut answer = self.read_head(&mut inbox, progress).await?;
        if answer.status == 101 {
            return Err(NetError::new(0, format!("unsupported response status: {}", answer.status_text)).at(ErrorStage::Body));
        }
        let framing = framing(wire.method, &mut answer)?;
        progress.has_head = true;
        let whole = self.read_body(framing, inbox, sink(&answer), &answer, progress).await?;
        answer.keep &= whole && intact && !wire.close && !wire.headers.wants_close();
        Ok(answer)
    }

    async fn write(&mut self, wire: &WireRequest<'_>, inbox: &mut HeadBuffer, progress: &mut HopProgress) -> Result<(), NetError> {
        let mut head = take_buffer();
        wire.write_head(&mut head);
        let length = wire.body.len();
        let mut body = match wire.body {
            WireBody::Sized(pieces) if length > SMALL_BODY => UnsentBody { pieces, at: 0 },
            WireBody::Sized(pieces) => {
                pieces.iter().for_each(|piece| head.extend_from_slice(piece));
                UnsentBody::NONE
            }
            WireBody::EmptyChunked => {
                head.extend_from_slice(b"0\r\n\r\n");
                UnsentBody::NONE
            }
            WireBody::None => UnsentBody::NONE,
        };
        let mut at = 0;
        let mut listening = true;
        let result = poll_fn(|cx| {
            while at < head.len() || !body.is_empty() {
                let stream = Pin::new(&mut self.stream);
                progress.timer.handing_over(Instant::now());
                let written = if body.is_empty() {
                    stream.poll_write(cx, &head[at..])
                } else {
                    let mut slices = SmallVec::<[IoSlice<'_>; MAX_SLICES]>::new();
                    slices.push(IoSlice::new(&head[at..]));
                    body.show(&mut slices);
                    stream.poll_write_vectored(cx, &slices)
                };
                match written {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => {
                        let of_head = count.min(head.len() - at);
                        at += of_head;
                        body.advance(count - of_head);
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    // A server that answers while it reads must not wait for us to listen.
                    Poll::Pending if listening && inbox.bytes.len() < MAX_HEAD => {
                        match self.poll_fill(cx, inbox, progress) {
                            Poll::Ready(Ok(count)) => listening = count > 0,
                            Poll::Ready(Err(_)) => listening = false,
                            Poll::Pending => return Poll::Pending,
                        }
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
            Pin::new(&mut self.stream).poll_flush(cx)
        })
        .await;
        give_buffer(head);
        progress.timer.sent(Instant::now());
        result.map_err(|error| {
            let socket = self.stream.socket();
            let error = NetError::socket("write", socket.local, socket.remote, &error);
            if at == 0 {
                return error.at(ErrorStage::Before);
            }
            let long = format!("net/http: HTTP/1.x transport connection broken: {}", error.cause());
            error.long(long).at(ErrorStage::NoAnswer)
        })
    }

    /// Reads once into the inbox; 0 is the end.
    async fn fill(&mut self, inbox: &mut HeadBuffer, progress: &mut HopProgress) -> std::io::Result<usize> {
        poll_fn(|cx| self.poll_fill(cx, inbox, progress)).await
    }

    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        inbox: &mut HeadBuffer,
        progress: &mut HopProgress,
    ) -> Poll<std::io::Result<usize>> {
        let count = ready!(self.stream.poll_take(cx, |bytes| inbox.take(bytes)))?;
        if count > 0 {
            progress.timer.first_byte(self.stream.socket().arrived);
        }
        Poll::Ready(Ok(count))
    }

    async fn read_head(&mut self, inbox: &mut HeadBuffer, progress: &mut HopProgress) -> Result<ResponseHead, NetError> {
        let mut interim = 0;
        loop {
            if let Some(end) = inbox.head_end()? {
                let answer = match end - inbox.start {
                    ..=LARGE_HEAD => parse_head(&inbox.bytes[inbox.start..end])?,
                    _ => parse_large_head(inbox, end).await?,
                };
                inbox.start = end;
                inbox.seen = end;
                // Interim answers are not the answer, but they count against the limit.
                if (100..200).contains(&answer.status) && answer.status != 101 {
                    interim += 1;
                    if interim > 100 {
                        return Err(NetError::head("net/http: too many 1xx informational responses"));
                    }
                    continue;
                }
                return Ok(answer);
            }
            if inbox.bytes.len() > MAX_HEAD {
                let text = format!("net/http: server response headers exceeded {MAX_HEAD} bytes; aborted");
                return Err(NetError::head(text));
            }
            let silent = inbox.bytes.len() == inbox.start;
            match self.fill(inbox, progress).await {
                Ok(0) if silent && interim == 0 => return Err(NetError::other("EOF").at(ErrorStage::NoAnswer)),
                Ok(0) => {
                    // What ends without a line's end is still a line, and may not be HTTP at all.
                    if !inbox.judged {
                        status_line(trim_line(&inbox.bytes[inbox.start..]))?;
                    }
                    return Err(NetError::unexpected_eof(ErrorStage::Head));
                }
                Ok(_) => {}
                Err(error) => {
                    let socket = self.stream.socket();
                    let error = NetError::socket("read", socket.local, socket.remote, &error);
                    return Err(error.at(if silent { ErrorStage::NoAnswer } else { ErrorStage::Head }));
                }
            }
        }
    }

    /// Reads the body; true when it was read to its end and nothing came behind it.
    async fn read_body(
        &mut self,
        mut framing: Framing,
        inbox: HeadBuffer,
        sink: BodySink,
        answer: &ResponseHead,
        progress: &mut HopProgress,
    ) -> Result<bool, NetError> {
        let (dropped, is_outgrown) = (Cell::new(0), Cell::new(false));
        let length = BodyLimit::new(if let Framing::Length(length) = framing { Some(length) } else { None });
        progress.body = match sink {
            _ if matches!(answer.status, 204 | 304) => None,
            BodySink::Keep => Some(length.room()),
            _ => None,
        };
        let body = &mut progress.body;
        let mut store = |bytes: &[u8]| match body {
            Some(body) => is_outgrown.set(is_outgrown.get() || !length.add(body, bytes)),
            None => dropped.set(dropped.get() + bytes.len()),
        };
        let rest = &inbox.bytes[inbox.start..];
        let mut clean = framing.push(rest, &mut store)? == rest.len();
        inbox.end();
        while !framing.is_done() && !is_outgrown.get() {
            let read = poll_fn(|cx| {
                self.stream.poll_take(cx, |bytes| Ok((bytes.len(), framing.push(bytes, &mut store)? == bytes.len())))
            });
            match read.await {
                Ok(Ok((0, _))) => {
                    framing.end()?;
                    return Ok(false);
                }
                Ok(Ok((_, all))) => clean = all,
                Ok(Err(error)) => return Err(error),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    // A TLS peer that hangs up without saying goodbye still ends the body.
                    framing.end()?;
                    return Ok(false);
                }
                Err(error) => {
                    let socket = self.stream.socket();
                    return Err(NetError::socket("read", socket.local, socket.remote, &error).at(ErrorStage::Body));
                }
            }
            if matches!(sink, BodySink::Drain(limit) if dropped.get() >= limit) && !framing.is_done() {
                clean = false;
                break;
            }
        }
        if is_outgrown.get() {
            return Err(progress.outgrow().await);
        }
        // The answer was there when its last byte arrived, whatever this thread did before it read it. One that lasts
        // until the server hangs up is over only then.
        progress.timer.over(self.stream.socket().arrived);
        Ok(clean)
    }
}

/// Bytes of the answer's head, kept until it is complete.
#[derive(Default)]
struct HeadBuffer {
    bytes: Vec<u8>,
    /// Where the current head starts: behind interim answers.
    start: usize,
    /// Up to where the end of the head was looked for.
    seen: usize,
    /// True once the status line was judged.
    judged: bool,
}

impl HeadBuffer {
    fn take(&mut self, bytes: &[u8]) -> usize {
        if !bytes.is_empty() {
            if self.bytes.capacity() == 0 {
                self.bytes = take_buffer();
            }
            self.bytes.extend_from_slice(bytes);
        }
        bytes.len()
    }

    /// Where the head ends, once it does. A first line that can't be HTTP is refused before the rest has come.
    fn head_end(&mut self) -> Result<Option<usize>, NetError> {
        let bytes = &self.bytes;
        let mut at = self.seen.max(self.start);
        while let Some(found) = memchr::memchr(b'\n', &bytes[at..]) {
            let line_end = at + found;
            if !self.judged {
                status_line(trim_line(&bytes[self.start..line_end]))?;
                self.judged = true;
            }
            match bytes[line_end + 1..] {
                [b'\n', ..] => {
                    self.judged = false;
                    return Ok(Some(line_end + 2));
                }
                [b'\r', b'\n', ..] => {
                    self.judged = false;
                    return Ok(Some(line_end + 3));
                }
                // The next bytes decide: look at this line's end again.
                [] | [b'\r'] => break,
                _ => at = line_end + 1,
            }
        }
        self.seen = at;
        Ok(None)
    }

    fn end(self) {
        give_buffer(self.bytes);
    }
}

fn trim_line(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Version, status, and where the status text starts.
fn status_line(line: &[u8]) -> Result<(&'static str, u16, &[u8]), NetError> {
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

/// Parses the head that ends at `end` where it keeps no other connection waiting.
async fn parse_large_head(inbox: &mut HeadBuffer, end: usize) -> Result<ResponseHead, NetError> {
    let (bytes, start) = (std::mem::take(&mut inbox.bytes), inbox.start);
    let parsed = seats::aside(move || (parse_head(&bytes[start..end]), bytes)).await;
    let Some((answer, bytes)) = parsed else { return Err(NetError::head("the head could not be parsed")) };
    inbox.bytes = bytes;
    answer
}

pub(in crate::net) fn parse_head(head: &[u8]) -> Result<ResponseHead, NetError> {
    let mut lines = head.split(|byte| *byte == b'\n').map(trim_line);
    let (proto, status, text) = status_line(lines.next().unwrap_or_default())?;
    let mut headers = Headers::with_capacity(head.len());
    let mut is_first = true;
    let valid = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f);
    for line in lines {
        if line.is_empty() {
            break;
        }
        let malformed = |what: &str| Err(NetError::head(format!("malformed MIME header{what}: {}", quoted_bytes(line))));
        if matches!(line[0], b' ' | b'\t') {
            if is_first {
                return malformed(" initial line");
            }
            let more = line.trim_ascii();
            if !more.iter().all(valid) {
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
        if name.is_empty() || !name.iter().all(fits) || !value.iter().all(valid) {
            return malformed(" line");
        }
        headers.push(name, value);
    }
    let says = |token| headers.get_all("Connection").any(|value| has_token(value, token));
    let close = match proto {
        "HTTP/1.0" => says("close") || !says("keep-alive"),
        _ => proto.starts_with("HTTP/0") || says("close"),
    };
    // Go keeps to itself that the connection ends.
    if close && is_modern(proto) {
        headers.remove("Connection");
    }
    Ok(ResponseHead { status, status_text: printable(text), proto, headers, chunked: false, close, keep: !close })
}

/// How the body is framed; headers that only say so are removed, as in Go.
pub(in crate::net) fn framing(method: &str, answer: &mut ResponseHead) -> Result<Framing, NetError> {
    let bodiless = method == "HEAD" || matches!(answer.status, 204 | 304);
    let headers = &mut answer.headers;
    let mut chunked = false;
    if headers.get("Transfer-Encoding").is_some() {
        let given: Vec<String> = headers.get_all("Transfer-Encoding").map(str::to_owned).collect();
        headers.remove("Transfer-Encoding");
        if is_modern(answer.proto) {
            if given.len() > 1 {
                let list: Vec<String> = given.iter().map(|value| quoted(value)).collect();
                return Err(NetError::head(format!("too many transfer encodings: [{}]", list.join(" "))));
            }
            if !given[0].eq_ignore_ascii_case("chunked") {
                return Err(NetError::head(format!("unsupported transfer encoding: {}", quoted(&given[0]))));
            }
            headers.remove("Content-BodyLimit");
            chunked = true;
            answer.chunked = true;
        }
    }
    headers.remove("Trailer");
    let mut length = None;
    let mut lengths = headers.get_all("Content-BodyLimit");
    if let Some(first) = lengths.next() {
        let more: Vec<&str> = lengths.collect();
        if more.iter().any(|other| *other != first) {
            let list: Vec<String> = std::iter::once(first).chain(more).map(quoted).collect();
            let text =
                format!("http: message cannot contain multiple Content-BodyLimit headers; got [{}]", list.join(" "));
            return Err(NetError::head(text));
        }
        if first.is_empty() || !first.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NetError::head(format!("bad Content-BodyLimit {}", quoted(first))));
        }
        length = Some(
            first
                .parse::<u64>()
                .ok()
                .filter(|length| i64::try_from(*length).is_ok())
                .ok_or_else(|| NetError::head(format!("bad Content-BodyLimit {}", quoted(first))))?,
        );
        if !more.is_empty() {
            headers.keep_first("Content-BodyLimit");
        }
    }
    Ok(match length {
        _ if bodiless => Framing::NONE,
        _ if chunked => Framing::Chunked(Chunks::default()),
        Some(length) => Framing::Length(length),
        None => {
            answer.keep = false;
            Framing::UntilClose
        }
    })
}
