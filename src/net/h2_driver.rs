//! Who drives an HTTP/2 connection: a task of the thread that it is on, and at once whoever sends over it from there.
//!
//! The `h2` crate leaves reading and writing to a future that somebody has to poll. As a task alone it would wait for its turn behind the
//! scripts of a worker, and what is sent with it; so who sends polls it too ([`H2Driver::drive`]). A connection moves between the
//! network thread and the thread of its VU; what is sent over it may come from any thread. Who drives it may read for others, who have
//! their turn later: when what they wait for arrived is noted as it is read ([`FrameArrivals`]).

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use h2::client::{Builder, SendRequest};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::h2_arrivals::{FrameArrivals, StreamArrivals};
use super::socket::NetStream;
use crate::units::sync::lock;

/// Servers close what has been idle for longer than this. A thread that is busy with scripts may not have heard of it.
const RESTED: Duration = Duration::from_millis(100);
/// No thread drives the connection: it moves.
const NOWHERE: usize = 0;

/// A stream that its connection and the connection's driver have in common.
#[derive(Clone, Debug)]
pub struct SharedStream(Arc<Mutex<DatedStream>>);

/// A stream, and when what was read of it had arrived.
#[derive(Debug)]
struct DatedStream {
    stream: NetStream,
    arrivals: FrameArrivals,
}

impl SharedStream {
    fn new(stream: NetStream) -> Self {
        Self(Arc::new(Mutex::new(DatedStream { stream, arrivals: FrameArrivals::default() })))
    }

    /// What `get` finds in the stream.
    pub fn with<R>(&self, get: impl FnOnce(&mut NetStream) -> R) -> R {
        get(&mut lock(&self.0).stream)
    }
}

impl AsyncRead for SharedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let DatedStream { stream, arrivals } = &mut *lock(&self.0);
        let before = buf.filled().len();
        let read = Pin::new(&mut *stream).poll_read(cx, buf);
        arrivals.read(&buf.filled()[before..], stream.socket().arrived);
        read
    }
}

impl AsyncWrite for SharedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|stream| Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.with(|stream| stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| Pin::new(stream).poll_shutdown(cx))
    }
}

/// One connection, and what drives it. Clones of this handle share it; when the last one is dropped, the connection closes.
#[derive(Clone, Debug)]
pub struct H2Driver(Arc<DriverHandle>);

#[derive(Debug)]
struct DriverHandle(Arc<Driven>);

impl Drop for DriverHandle {
    fn drop(&mut self) {
        // `h2` does not wake for a handle that is dropped where the last wake was muted.
        self.0.signal.task.wake();
    }
}

struct Driven {
    stream: SharedStream,
    /// `None` once it has ended.
    connection: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    /// The thread that drives it, or [`NOWHERE`].
    home: AtomicUsize,
    /// How often it has got a home: the task of an earlier one ends.
    moves: AtomicUsize,
    signal: Arc<Signal>,
    /// The same, as what polls the connection.
    waker: Waker,
    /// Exchanges under way.
    in_flight: AtomicUsize,
    is_heavy: AtomicBool,
}

impl fmt::Debug for Driven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven").field("home", &self.home).finish_non_exhaustive()
    }
}

/// Wakes the task of a connection, unless whoever makes it wake polls the connection anyway.
#[derive(Debug, Default)]
struct Signal {
    task: AtomicWaker,
    is_muted: AtomicBool,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_muted.load(Ordering::Relaxed) {
            self.task.wake();
        }
    }
}

/// This thread, as a number that no other has, nor [`NOWHERE`].
fn this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(NOWHERE + 1);
    thread_local!(static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

impl H2Driver {
    /// Does the handshake of HTTP/2 over `wrap`'s stream; a task of this thread, inside a `LocalRuntime`, drives the connection from then
    /// on. `ended` is told how it ended.
    ///
    /// # Errors
    /// The preface could not be sent.
    pub async fn open<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        builder: &Builder,
        stream: NetStream,
        wrap: impl FnOnce(SharedStream) -> T,
        ended: impl FnOnce(Result<(), h2::Error>) + Send + 'static,
    ) -> Result<(SendRequest<Bytes>, Self), h2::Error> {
        let stream = SharedStream::new(stream);
        let (sender, connection) = builder.handshake(wrap(stream.clone())).await?;
        let signal = Arc::new(Signal::default());
        let driven = Arc::new(Driven {
            stream,
            connection: Mutex::new(Some(Box::pin(async move { ended(connection.await) }))),
            home: AtomicUsize::new(this_thread()),
            moves: AtomicUsize::new(0),
            waker: signal.clone().into(),
            signal,
            in_flight: AtomicUsize::new(0),
            is_heavy: AtomicBool::new(false),
        });
        driven.clone().start();
        Ok((sender, Self(Arc::new(DriverHandle(driven)))))
    }

    fn driven(&self) -> &Arc<Driven> {
        &self.0.0
    }

    /// True when both are of one connection.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// When the server said that it takes no more streams, if it has.
    pub fn goaway(&self) -> Option<Instant> {
        lock(&self.driven().stream.0).arrivals.goaway()
    }

    /// When the end of the connection arrived, if it has.
    pub fn ended(&self) -> Option<Instant> {
        self.driven()
            .stream
            .with(|stream| Some(stream.socket()).filter(|socket| socket.has_ended).map(|socket| socket.arrived))
    }

    /// True when this thread drives it.
    pub fn is_here(&self) -> bool {
        self.driven().home.load(Ordering::Acquire) == this_thread()
    }

    /// Writes and reads what can be, if this thread drives it. Otherwise its task does, soon.
    pub fn drive(&self) {
        if self.is_here() {
            _ = self.driven().poll();
        }
    }

    /// Does something after which the caller [drives](Self::drive): the connection's task need not be woken for it.
    pub fn before_sending<R>(&self, act: impl FnOnce() -> R) -> R {
        if !self.is_here() {
            return act();
        }
        self.mute(true);
        let result = act();
        self.mute(false);
        result
    }

    fn mute(&self, is_muted: bool) {
        self.driven().signal.is_muted.store(is_muted, Ordering::Relaxed);
    }

    /// An exchange begins, which is under way until the result is dropped.
    pub fn begin(&self) -> ActiveExchange {
        self.driven().in_flight.fetch_add(1, Ordering::Relaxed);
        ActiveExchange { driver: self.clone(), stream: None, is_muted: false }
    }

    /// True when no exchange is under way.
    pub fn is_idle(&self) -> bool {
        self.driven().in_flight.load(Ordering::Relaxed) == 0
    }

    /// What was carried last took long to send or to read, or not: where it does, the network thread drives.
    pub fn set_heavy(&self, is_heavy: bool) {
        self.driven().is_heavy.store(is_heavy, Ordering::Relaxed);
    }

    /// True when what was carried last took long to send or to read.
    pub fn is_heavy(&self) -> bool {
        self.driven().is_heavy.load(Ordering::Relaxed)
    }

    /// True when the peer has closed it, of which a thread that is busy with scripts may not have heard. Asks the kernel, where it has
    /// rested for some time.
    pub fn is_closed(&self) -> bool {
        self.driven().stream.with(|stream| {
            let socket = stream.socket();
            socket.arrived.elapsed() > RESTED && socket.is_closed()
        })
    }

    /// Takes it from this thread, if this one drives it, for another to [`adopt`](Self::adopt).
    pub fn release(&self) {
        let driven = self.driven();
        if self.is_here() {
            // What is lost on the way fails where it is attached.
            driven.stream.with(|stream| _ = stream.detach());
            driven.home.store(NOWHERE, Ordering::Release);
            driven.signal.task.wake();
        }
    }

    /// Has this thread drive it from now on, inside a `LocalRuntime`, if no thread does.
    pub fn adopt(&self) {
        let driven = self.driven();
        let taken = driven.home.compare_exchange(NOWHERE, this_thread(), Ordering::AcqRel, Ordering::Relaxed);
        if taken.is_err() {
            return;
        }
        driven.moves.fetch_add(1, Ordering::Relaxed);
        match driven.stream.with(NetStream::attach) {
            Ok(()) => driven.clone().start(),
            // Whatever is under way on it fails.
            Err(_) => *lock(&driven.connection) = None,
        }
    }
}

impl Driven {
    /// Drives it until it ends or moves.
    fn start(self: Arc<Self>) {
        let of = self.moves.load(Ordering::Relaxed);
        tokio::task::spawn_local(poll_fn(move |cx| {
            if self.home.load(Ordering::Acquire) != this_thread() || self.moves.load(Ordering::Relaxed) != of {
                // Another task drives it.
                return Poll::Ready(());
            }
            self.signal.task.register(cx.waker());
            self.poll()
        }));
    }

    fn poll(&self) -> Poll<()> {
        let mut slot = lock(&self.connection);
        let Some(connection) = slot.as_mut() else { return Poll::Ready(()) };
        let polled = connection.as_mut().poll(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            *slot = None;
        }
        polled
    }
}

/// An exchange under way.
pub struct ActiveExchange {
    driver: H2Driver,
    /// The number of its stream, once it has one.
    stream: Option<u32>,
    is_muted: bool,
}

impl ActiveExchange {
    /// It has this stream.
    pub fn on(&mut self, stream: h2::StreamId) {
        self.stream = Some(stream.as_u32());
    }

    /// When its response arrived, as far as it has.
    pub fn arrivals(&self) -> StreamArrivals {
        let dated = lock(&self.driver.driven().stream.0);
        let known = self.stream.and_then(|stream| dated.arrivals.of(stream));
        // Nothing came of it that is known: what ended it is the last that was read.
        let arrived = dated.stream.socket().arrived;
        known.unwrap_or(StreamArrivals { first: arrived, last: arrived })
    }

    /// It ends well: nothing is to be sent because of that, unless others wait for it. Called before its streams are dropped, which
    /// are before this is.
    pub fn ends(&mut self) {
        let is_alone = self.driver.driven().in_flight.load(Ordering::Relaxed) == 1;
        if is_alone && self.driver.is_here() {
            self.driver.mute(true);
            self.is_muted = true;
        }
    }
}

impl Drop for ActiveExchange {
    fn drop(&mut self) {
        if self.is_muted {
            self.driver.mute(false);
        }
        let driven = self.driver.driven();
        let is_last = driven.in_flight.fetch_sub(1, Ordering::Relaxed) == 1;
        let arrivals = &mut lock(&driven.stream.0).arrivals;
        match self.stream {
            // What came too late for those who had given up.
            _ if is_last => arrivals.forget_all(),
            Some(stream) => arrivals.forget(stream),
            None => {}
        }
    }
}
