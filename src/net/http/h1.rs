//! HTTP/1.1 on one connection: writes a request, reads its response, and says whether the connection can be kept.
//!
//! Our own codec: exact timestamps, Go's error texts, one write for a small request and one read for a small response,
//! no buffer while a connection waits or idles. Knows nothing of redirects, cookies and retries.

use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use smallvec::SmallVec;
use tokio::io::AsyncWrite;

use super::body::{BodySink, SMALL_BODY};
use super::body_reader::{BodyReader, UnreadBody};
use super::head_buffer::HeadBuffer;
use super::pool_key::PoolKey;
use super::progress::HopProgress;
use super::proto::error::{ErrorStage, NetError};
use super::proto::recent_heads;
use super::proto::request_head::{MAX_SLICES, UnsentBody, WireBody, WireRequest};
use super::proto::response_head::{LARGE_HEAD, ResponseHead, framing, parse_head, status_line, trim_line};
use crate::net::cpu_pool;
use crate::net::socket::{NetStream, give_buffer, take_buffer};
use crate::net::tls::TlsInfo;

/// The most bytes a head may have, interim responses included; Go's limit.
const MAX_HEAD: usize = 10 << 20;
/// Servers close what has been idle for longer than this. A thread that is busy with scripts may not have heard of it.
const RESTED: Duration = Duration::from_millis(100);
/// How long to wait for a response after the server stopped reading our request.
const EARLY_RESPONSE_TIMEOUT: Duration = Duration::from_millis(50);

/// A connection that speaks HTTP/1.1.
#[derive(Debug)]
pub struct Http1 {
    /// The transport.
    pub stream: NetStream,
    /// What the TLS handshake agreed on.
    pub tls: Option<TlsInfo>,
    /// True when it has carried a request before.
    pub reused: bool,
    /// Its place in the pool, once it had one.
    pub pool_key: Option<PoolKey>,
    /// It is served by a thread that runs scripts too: what takes long to read is read on the network thread.
    pub on_worker: bool,
    /// What it carried last took long to send or to read.
    pub is_heavy: bool,
}

impl Http1 {
    /// Sends `wire` and reads the response; its body is stored in `progress`.
    pub async fn exchange(
        &mut self,
        wire: &WireRequest<'_>,
        sink: impl FnOnce(&ResponseHead) -> BodySink,
        progress: &mut HopProgress,
    ) -> Result<ResponseHead, NetError> {
        let mut buffer = HeadBuffer::default();
        let intact = match self.write(wire, &mut buffer, progress).await {
            Ok(()) => true,
            Err(error) => {
                let failed = Instant::now();
                // A server may refuse a body before it has read it; its response says more than the broken pipe.
                if buffer.bytes.is_empty() {
                    let read = tokio::time::timeout(EARLY_RESPONSE_TIMEOUT, self.fill(&mut buffer, progress)).await;
                    if !matches!(read, Ok(Ok(count)) if count > 0) {
                        progress.timer.over(failed);
                        return Err(error);
                    }
                }
                false
            }
        };
        let response = self.read_response(wire, intact, buffer, sink, progress).await;
        self.at_arrival(response, progress)
    }

    async fn read_response(
        &mut self,
        wire: &WireRequest<'_>,
        intact: bool,
        mut buffer: HeadBuffer,
        sink: impl FnOnce(&ResponseHead) -> BodySink,
        progress: &mut HopProgress,
    ) -> Result<ResponseHead, NetError> {
        let mut head = self.read_head(&mut buffer, progress).await?;
        if head.status == 101 {
            return Err(
                NetError::new(0, format!("unsupported response status: {}", head.status_text)).at(ErrorStage::Body)
            );
        }
        let framing = framing(wire.method, &mut head)?;
        progress.has_head = true;
        head.keep &= intact && !wire.close && !wire.headers.wants_close();
        let (mut reader, body) = BodyReader::new(framing, sink(&head), &head);
        progress.body = body;
        reader.push(&buffer.bytes[buffer.start..], &mut progress.body)?;
        buffer.release();
        self.is_heavy = wire.body.len() > SMALL_BODY || reader.is_long();
        self.read_body(UnreadBody { head, reader }, progress).await
    }

    /// True when it can't carry another request: the peer has closed it, or has sent something unasked.
    pub fn is_stale(&mut self) -> bool {
        if self.stream.is_stale() {
            return true;
        }
        let socket = self.stream.socket();
        self.on_worker && socket.arrived.elapsed() > RESTED && socket.is_closed()
    }

    /// Has it served by this thread, which runs scripts too or not.
    pub fn attach(&mut self, on_worker: bool) -> std::io::Result<()> {
        self.on_worker = on_worker;
        self.stream.attach()
    }

    async fn write(
        &mut self,
        wire: &WireRequest<'_>,
        buffer: &mut HeadBuffer,
        progress: &mut HopProgress,
    ) -> Result<(), NetError> {
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
                    // A server that responds while it reads must not have to wait until we have written everything.
                    Poll::Pending if listening && buffer.bytes.len() < MAX_HEAD => {
                        match self.poll_fill(cx, buffer, progress) {
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
            error.long(long).at(ErrorStage::NoResponse)
        })
    }

    /// Reads once into the buffer; 0 is the end.
    async fn fill(&mut self, buffer: &mut HeadBuffer, progress: &mut HopProgress) -> std::io::Result<usize> {
        poll_fn(|cx| self.poll_fill(cx, buffer, progress)).await
    }

    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut HeadBuffer,
        progress: &mut HopProgress,
    ) -> Poll<std::io::Result<usize>> {
        let count = ready!(self.stream.poll_take(cx, |bytes, _| buffer.push(bytes)))?;
        ready!(self.in_time((), progress));
        if count > 0 {
            progress.timer.first_byte(self.stream.socket().arrived);
        }
        Poll::Ready(Ok(count))
    }

    async fn read_head(
        &mut self,
        buffer: &mut HeadBuffer,
        progress: &mut HopProgress,
    ) -> Result<ResponseHead, NetError> {
        let mut interim = 0;
        loop {
            if let Some(end) = buffer.head_end()? {
                let head = match end - buffer.start {
                    ..=LARGE_HEAD => recent_heads::parse(&buffer.bytes[buffer.start..end])?,
                    _ => parse_large_head(buffer, end).await?,
                };
                buffer.skip_to(end);
                // Interim responses are not the response, but they count against the limit.
                if (100..200).contains(&head.status) && head.status != 101 {
                    interim += 1;
                    if interim > 100 {
                        return Err(NetError::head("net/http: too many 1xx informational responses"));
                    }
                    continue;
                }
                return Ok(head);
            }
            if buffer.bytes.len() > MAX_HEAD {
                let text = format!("net/http: server response headers exceeded {MAX_HEAD} bytes; aborted");
                return Err(NetError::head(text));
            }
            let silent = buffer.bytes.len() == buffer.start;
            match self.fill(buffer, progress).await {
                Ok(0) if silent && interim == 0 => return Err(NetError::other("EOF").at(ErrorStage::NoResponse)),
                Ok(0) => {
                    // What ends without a line end is still a line, and may not be HTTP at all.
                    if !buffer.is_http {
                        status_line(trim_line(&buffer.bytes[buffer.start..]))?;
                    }
                    return Err(NetError::unexpected_eof(ErrorStage::Head));
                }
                Ok(_) => {}
                Err(error) => {
                    let socket = self.stream.socket();
                    let error = NetError::socket("read", socket.local, socket.remote, &error);
                    return Err(error.at(if silent { ErrorStage::NoResponse } else { ErrorStage::Head }));
                }
            }
        }
    }

    /// Reads what is left of a body.
    ///
    /// # Errors
    /// At [`ErrorStage::Elsewhere`] where that has to be done by the network thread: [`HopProgress::unread`] is for it.
    pub async fn read_rest(
        &mut self,
        unread: UnreadBody,
        progress: &mut HopProgress,
    ) -> Result<ResponseHead, NetError> {
        let response = self.read_body(unread, progress).await;
        self.at_arrival(response, progress)
    }

    /// A response was there, or went wrong, when the last of it arrived, whatever this thread did before it read that. One that
    /// lasts until the server closes the connection is over only then.
    fn at_arrival<T>(&self, response: Result<T, NetError>, progress: &mut HopProgress) -> Result<T, NetError> {
        if !matches!(&response, Err(error) if error.stage == ErrorStage::Elsewhere) {
            progress.timer.over(self.stream.socket().arrived);
        }
        response
    }

    async fn read_body(&mut self, unread: UnreadBody, progress: &mut HopProgress) -> Result<ResponseHead, NetError> {
        let UnreadBody { mut head, mut reader } = unread;
        while !reader.is_done() {
            self.is_heavy |= reader.is_long();
            if self.on_worker && reader.is_long() {
                progress.unread = Some(Box::new(UnreadBody { head, reader }));
                return Err(NetError::elsewhere());
            }
            let read = poll_fn(|cx| {
                let taken = ready!(
                    self.stream.poll_take(cx, |bytes, _| reader.push(bytes, &mut progress.body).map(|()| bytes.len()))
                );
                self.in_time(taken, progress)
            });
            match read.await {
                Ok(Ok(0)) => {
                    reader.end()?;
                    head.keep = false;
                    return Ok(head);
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    // A TLS peer that closes without `close_notify` still ends the body.
                    reader.end()?;
                    head.keep = false;
                    return Ok(head);
                }
                Err(error) => {
                    let socket = self.stream.socket();
                    return Err(NetError::socket("read", socket.local, socket.remote, &error).at(ErrorStage::Body));
                }
            }
        }
        if reader.is_oversized() {
            return Err(progress.stop_oversized().await);
        }
        head.keep &= reader.is_clean();
        Ok(head)
    }

    /// Pending for ever where what was read arrived after the request's time was up, though this thread reads it before it
    /// notices that: the timeout is due.
    fn in_time<T>(&self, read: T, progress: &HopProgress) -> Poll<T> {
        if progress.timer.is_past(self.stream.socket().arrived) { Poll::Pending } else { Poll::Ready(read) }
    }
}

/// Parses the head that ends at `end` where no other connection has to wait for it.
async fn parse_large_head(buffer: &mut HeadBuffer, end: usize) -> Result<ResponseHead, NetError> {
    let (bytes, start) = (std::mem::take(&mut buffer.bytes), buffer.start);
    let parsed = cpu_pool::run(move || (parse_head(&bytes[start..end]), bytes)).await;
    let Some((head, bytes)) = parsed else { return Err(NetError::head("the head could not be parsed")) };
    buffer.bytes = bytes;
    head
}
