//! A TCP connection that counts its bytes, and the stream on top of it: plain or TLS.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::arrival;
use super::spare_buffers::SpareBuffers;
use super::stand_in::Watched;

/// Raw socket bytes of one client, TLS and protocol overhead included.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    /// Counts what went another way than through a [`MeteredSocket`].
    #[cfg(feature = "x-dns")]
    pub fn add(&self, sent: u64, received: u64) {
        self.sent.fetch_add(sent, Ordering::Relaxed);
        self.received.fetch_add(received, Ordering::Relaxed);
    }

    /// Bytes sent and received since the last call.
    pub fn take(&self) -> (u64, u64) {
        (self.sent.swap(0, Ordering::Relaxed), self.received.swap(0, Ordering::Relaxed))
    }
}

/// The longest time one socket is read, or written, without yielding to the other connections of its thread. A peer that never
/// stops sending, in pieces however small, does not delay them, nor does the encryption of an upload.
const MAX_BURST: Duration = Duration::from_micros(500);
/// Writes of fewer bytes are not timed: requests without a large body.
const MIN_TIMED_WRITE: usize = 4096;

/// A connected TCP socket that counts what goes through it.
#[derive(Debug)]
pub struct MeteredSocket {
    /// Where it is read ahead while its thread is late. Dropped before the socket is.
    watched: Option<Box<Watched>>,
    tcp: Tcp,
    traffic: Arc<Traffic>,
    /// When the last bytes that were read arrived, or the end of the connection.
    pub arrived: Instant,
    /// Nothing follows what arrived then.
    pub has_ended: bool,
    /// How long it is read before the other connections of this thread have their turn.
    reading: Burst,
    /// The same of writing.
    writing: Burst,
    /// A piece that was read ahead was taken: the next one is read on its own, as each has its own time.
    took_piece: bool,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

impl MeteredSocket {
    /// Wraps a connected stream.
    pub fn new(tcp: TcpStream, remote: SocketAddr, traffic: Arc<Traffic>) -> io::Result<Self> {
        let local = tcp.local_addr()?;
        arrival::ask(&tcp);
        Ok(Self::over(Tcp::Here(tcp), (local, remote), traffic))
    }

    /// Wraps a connected stream that is still [to be attached](Self::attach) to a thread, and waits for nothing.
    pub fn detached(tcp: std::net::TcpStream, remote: SocketAddr, traffic: Arc<Traffic>) -> io::Result<Self> {
        let local = tcp.local_addr()?;
        arrival::ask(&tcp);
        Ok(Self::over(Tcp::Detached(tcp), (local, remote), traffic))
    }

    fn over(tcp: Tcp, (local, remote): (SocketAddr, SocketAddr), traffic: Arc<Traffic>) -> Self {
        Self {
            watched: None,
            tcp,
            traffic,
            arrived: Instant::now(),
            has_ended: false,
            reading: Burst::default(),
            writing: Burst::default(),
            took_piece: false,
            local,
            remote,
        }
    }

    /// The socket, on the thread it is attached to.
    fn tcp(&self) -> &TcpStream {
        match &self.tcp {
            Tcp::Here(tcp) => tcp,
            Tcp::Detached(_) | Tcp::Lost => unreachable!("a socket is used where it is attached"),
        }
    }

    fn tcp_mut(&mut self) -> Pin<&mut TcpStream> {
        match &mut self.tcp {
            Tcp::Here(tcp) => Pin::new(tcp),
            Tcp::Detached(_) | Tcp::Lost => unreachable!("a socket is used where it is attached"),
        }
    }

    /// Takes the socket from this thread, so that another can [`attach`](Self::attach) it.
    ///
    /// # Errors
    /// When the system refuses; the socket is closed then.
    pub fn detach(&mut self) -> io::Result<()> {
        if let Some(watched) = &self.watched {
            watched.end();
        }
        if let Tcp::Here(tcp) = std::mem::replace(&mut self.tcp, Tcp::Lost) {
            self.tcp = Tcp::Detached(tcp.into_std()?);
        }
        Ok(())
    }

    /// Has the socket served by this thread, whose runtime waits for sockets.
    ///
    /// # Errors
    /// When the system refuses, or the socket was lost when it was detached.
    pub fn attach(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.tcp, Tcp::Lost) {
            Tcp::Detached(tcp) => {
                let tcp = TcpStream::from_std(tcp)?;
                // What another thread has read ahead is still to be read.
                if self.watched.as_ref().is_none_or(|watched| !watched.has_stash()) {
                    self.watched = Watched::new(&tcp).map(Box::new);
                }
                self.tcp = Tcp::Here(tcp);
            }
            Tcp::Here(tcp) => self.tcp = Tcp::Here(tcp),
            Tcp::Lost => return Err(io::ErrorKind::NotConnected.into()),
        }
        // The pauses of the other thread are not ours.
        (self.reading, self.writing) = (Burst::default(), Burst::default());
        Ok(())
    }

    /// True when something arrived, or the peer closed, since the last read, as far as this thread has heard of it. Costs no
    /// system call.
    pub fn is_ready(&self) -> bool {
        self.has_stash() || self.tcp().poll_read_ready(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// What is read next has nothing to do with what was read before.
    fn begin_reading(&mut self) {
        (self.reading, self.took_piece) = (Burst::default(), false);
    }

    /// True when something was read ahead.
    fn has_stash(&self) -> bool {
        self.watched.as_ref().is_some_and(|watched| watched.has_stash())
    }

    /// True when the peer has closed, which a thread that is busy with other things may not have heard of yet. Asks the kernel.
    pub fn is_closed(&self) -> bool {
        !arrival::is_open(self.tcp())
    }

    /// True when the peer has closed or has sent something unasked. Asks the kernel only when there is reason to.
    pub fn is_stale(&self) -> bool {
        self.has_stash()
            || self.is_ready()
                && !matches!(self.tcp().try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl MeteredSocket {
    /// Pending when this socket has been written for long enough, and as much is to come.
    fn poll_turn(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<()> {
        if length >= MIN_TIMED_WRITE { self.writing.poll(cx) } else { Poll::Ready(()) }
    }

    /// A write asks the socket itself whether it takes anything, which it nearly always does; `None` where it does not. On a new thread
    /// the runtime would know only after its next look at all sockets, and a request does not wait for that. Without the C library,
    /// whose functions are points where threads are cancelled: two locked instructions each time.
    fn write_now(&self, write: impl FnOnce(&TcpStream) -> rustix::io::Result<usize>) -> Option<io::Result<usize>> {
        match write(self.tcp()) {
            Err(rustix::io::Errno::WOULDBLOCK) => None,
            written => Some(written.map_err(io::Error::from)),
        }
    }

    /// Counts what was written of `length` bytes.
    fn wrote(&mut self, written: Poll<io::Result<usize>>, length: usize) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(count)) => {
                self.traffic.sent.fetch_add(*count as u64, Ordering::Relaxed);
                self.writing.goes_on(*count == length && length >= MIN_TIMED_WRITE);
            }
            _ => self.writing.goes_on(false),
        }
        written
    }
}

/// A TCP socket, and whether a thread waits for it.
#[derive(Debug)]
enum Tcp {
    /// This thread's runtime waits for it.
    Here(TcpStream),
    /// It is on its way between two threads.
    Detached(std::net::TcpStream),
    /// The system refused to let it go.
    Lost,
}

/// How long a socket has been read, or written, without a pause in which the other connections of its thread have their turn.
#[derive(Debug, Default)]
struct Burst {
    began: Option<Instant>,
    pause: Option<Arc<Pause>>,
}

impl Burst {
    /// Pending when it has lasted for long enough, until all others have had their turn. TLS that has something in hand does not
    /// pass a pending read on but asks again, so one answer would not end the turn.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &self.pause {
            pause.waker.register(cx.waker());
            if !pause.is_over.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            self.pause = None;
        }
        if self.began.is_none_or(|began| began.elapsed() <= MAX_BURST) {
            return Poll::Ready(());
        }
        let pause = Arc::new(Pause::default());
        pause.waker.register(cx.waker());
        *self = Self { began: None, pause: Some(pause.clone()) };
        poll_yield(&mut Context::from_waker(&pause.into()))
    }

    /// There is more to do at once, or not.
    fn goes_on(&mut self, more: bool) {
        match more {
            true => _ = self.began.get_or_insert_with(Instant::now),
            false => self.began = None,
        }
    }
}

/// The pause between two turns of a socket.
#[derive(Debug, Default)]
struct Pause {
    is_over: AtomicBool,
    waker: AtomicWaker,
}

impl Wake for Pause {
    fn wake(self: Arc<Self>) {
        self.is_over.store(true, Ordering::Release);
        self.waker.wake();
    }
}

/// Yields to all other tasks of the thread, and to what has arrived for them. Always pending.
pub fn poll_yield(cx: &mut Context<'_>) -> Poll<()> {
    pin!(tokio::task::yield_now()).poll(cx)
}

impl AsyncRead for MeteredSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        ready!(self.reading.poll(cx));
        if std::mem::take(&mut self.took_piece) && self.has_stash() {
            // TLS asks for more before it hands on what it has got.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some((result, arrived)) = self.watched.as_ref().and_then(|watched| watched.take(buf)) {
                self.arrived = arrived;
                self.took_piece = true;
                self.has_ended = !matches!(result, Ok(1..));
                let count = result?;
                self.reading.goes_on(count == room);
                self.traffic.received.fetch_add(count as u64, Ordering::Relaxed);
                return Poll::Ready(Ok(()));
            }
            if self.tcp().poll_read_ready(cx)?.is_pending() {
                if let Some(watched) = &self.watched {
                    watched.wake_reader(cx);
                    // Something may have been read ahead before this waker was known.
                    if watched.has_stash() {
                        continue;
                    }
                }
                self.reading.goes_on(false);
                return Poll::Pending;
            }
            let mut received = None;
            let (tcp, watched) = (self.tcp(), self.watched.as_ref());
            let result = tcp.try_io(Interest::READABLE, || {
                received = match watched {
                    Some(watched) => watched.receive(tcp, buf)?,
                    None => Some(arrival::receive(tcp, buf)?),
                };
                let Some((count, _)) = received else { return Ok(()) };
                // A read that leaves room has emptied the socket. Saying so here saves asking the kernel again.
                if (1..room).contains(&count) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (received, result) {
                (Some((count, arrived)), _) => {
                    (self.arrived, self.has_ended) = (arrived, count == 0);
                    self.reading.goes_on(count == room);
                    self.traffic.received.fetch_add(count as u64, Ordering::Relaxed);
                    return Poll::Ready(Ok(()));
                }
                (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {
                    (self.arrived, self.has_ended) = (Instant::now(), true);
                    return Poll::Ready(Err(error));
                }
                (None, _) => {}
            }
        }
    }
}

impl AsyncWrite for MeteredSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx, bytes.len()));
        let written = match self.write_now(|tcp| send(tcp, bytes, SendFlags::NOSIGNAL)) {
            Some(written) => Poll::Ready(written),
            None => self.tcp_mut().poll_write(cx, bytes),
        };
        self.wrote(written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        ready!(self.poll_turn(cx, length));
        let written = match self
            .write_now(|tcp| sendmsg(tcp, slices, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL))
        {
            Some(written) => Poll::Ready(written),
            None => self.tcp_mut().poll_write_vectored(cx, slices),
        };
        self.wrote(written, length)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp_mut().poll_shutdown(cx)
    }
}

/// A transport: plain TCP or TLS.
#[derive(Debug)]
pub enum NetStream {
    /// Plain TCP.
    Plain(MeteredSocket),
    /// TLS over TCP, and over a plain proxy's tunnel.
    Tls(Box<TlsStream<MeteredSocket>>),
    /// TLS through the tunnel of a proxy that is spoken to over TLS.
    Tunnel(Box<TlsStream<TlsStream<MeteredSocket>>>),
}

impl NetStream {
    /// The socket underneath.
    pub fn socket(&self) -> &MeteredSocket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
            Self::Tunnel(stream) => stream.get_ref().0.get_ref().0,
        }
    }

    /// The socket underneath.
    fn socket_mut(&mut self) -> &mut MeteredSocket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_mut().0,
            Self::Tunnel(stream) => stream.get_mut().0.get_mut().0,
        }
    }

    /// As [`MeteredSocket::detach`].
    pub fn detach(&mut self) -> io::Result<()> {
        self.socket_mut().detach()
    }

    /// As [`MeteredSocket::attach`].
    pub fn attach(&mut self) -> io::Result<()> {
        self.socket_mut().attach()
    }

    /// True when an idle connection can't be used any more, as far as this thread has heard of it.
    pub fn is_stale(&mut self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_stale(),
            // Session tickets arrive unasked, so only reading can tell; a pending read means a living connection.
            Self::Tls(stream) => {
                stream.get_mut().0.begin_reading();
                stream.get_ref().0.is_ready() && answers(Pin::new(stream))
            }
            Self::Tunnel(stream) => {
                stream.get_mut().0.get_mut().0.begin_reading();
                stream.get_ref().0.get_ref().0.is_ready() && answers(Pin::new(stream))
            }
        }
    }

    /// Reads once and passes on what arrived, and when; an empty slice is the end. No buffer is kept while nothing arrives:
    /// `take` reads no other connection of this thread.
    pub fn poll_take<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8], Instant) -> R,
    ) -> Poll<io::Result<R>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            ready!(Pin::new(&mut *self).poll_read(cx, &mut buf))?;
            Poll::Ready(Ok(take(buf.filled(), self.socket().arrived)))
        })
    }
}

/// True when a read would not wait.
fn answers(stream: Pin<&mut impl AsyncRead>) -> bool {
    let mut byte = [0];
    stream.poll_read(&mut Context::from_waker(Waker::noop()), &mut ReadBuf::new(&mut byte)).is_ready()
}

/// Every connection of a thread reads into the same buffer, from which bytes are parsed or copied to where they are kept.
const SCRATCH_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice());
    static SPARE: SpareBuffers = const { SpareBuffers::new(SCRATCH_BYTES, 64) };
}

/// A buffer that was used before, or a new one.
pub fn take_buffer() -> Vec<u8> {
    SPARE.with(SpareBuffers::take)
}

/// Gives a buffer back for the next request of any connection of this thread.
pub fn give_buffer(buffer: Vec<u8>) {
    SPARE.with(|spare| spare.give(buffer));
}

impl AsyncRead for NetStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tunnel(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for NetStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tunnel(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tunnel(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tunnel(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tunnel(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::OwnedFd;

    use super::*;
    use crate::net::stand_in::SocketWatch;

    #[test]
    fn what_the_runtime_refuses_is_not_watched() {
        let watch = SocketWatch::new().unwrap();
        watch.watch_this_thread();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // No epoll takes such a file.
            let tcp = std::net::TcpStream::from(OwnedFd::from(File::open("/dev/null").unwrap()));
            tcp.set_nonblocking(true).unwrap();
            let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
            let mut socket = MeteredSocket::over(Tcp::Detached(tcp), (nowhere, nowhere), Arc::default());
            assert!(socket.attach().is_err());
            assert!(socket.watched.is_none());
            assert!(matches!(socket.tcp, Tcp::Lost));
        });
    }

    #[test]
    fn a_long_burst_ends_however_often_it_is_asked() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut burst = Burst::default();
            async fn is_pending(burst: &mut Burst) -> bool {
                std::future::poll_fn(|cx| Poll::Ready(burst.poll(cx).is_pending())).await
            }
            assert!(!is_pending(&mut burst).await, "nothing was read");
            burst.goes_on(true);
            burst.began = burst.began.and_then(|began| began.checked_sub(2 * MAX_BURST));
            burst.goes_on(true);
            for _ in 0..3 {
                assert!(is_pending(&mut burst).await);
            }
            // Polled as whoever reads does: it is woken.
            std::future::poll_fn(|cx| burst.poll(cx)).await;
            assert!(!is_pending(&mut burst).await);
            burst.goes_on(true);
            burst.began = burst.began.and_then(|began| began.checked_sub(2 * MAX_BURST));
            burst.goes_on(false);
            assert!(!is_pending(&mut burst).await, "it was emptied");
        });
    }
}
