//! Who reads the sockets of a thread that is late.
//!
//! A worker serves the idle connections of its VUs itself (`http_client`). While a script computes it looks at no socket, and the
//! kernel keeps one stamp of all that has arrived meanwhile: when a response began would be lost, a reset has no stamp at all, and a long
//! body would stand still once the socket is full. So a thread of its own looks in every [`TICK`] whether a worker is late, and reads
//! for it if so: into a stash, each piece with its own time. The worker finds it there as if it had read it itself.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::task::Context;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use tokio::io::ReadBuf;
use tokio::runtime::RuntimeMetrics;

use super::arrival;
use crate::units::sync::lock;
use crate::units::waker::StandingWaker;

/// How often it is looked whether a worker is late, and how late it may be.
const TICK: Duration = Duration::from_millis(2);
/// The stand-in rests after so many ticks in which all workers did.
const IDLE_TICKS: u32 = 3;
/// How many bytes are kept for one socket. Who sends more waits for the worker.
const MAX_STASH: usize = 4 << 20;
/// The worker rests: whatever arrives wakes it. In the number of its turns.
const RESTS: u64 = 1;

/// The sockets of one worker, and whether it looks at them.
#[derive(Debug)]
pub struct SocketWatch {
    epoll: OwnedFd,
    sockets: Mutex<WatchedSockets>,
    /// How many there are.
    count: AtomicUsize,
    /// Changes whenever it has waited, and says whether it [`RESTS`]. The worker alone writes it: no clock is read for it.
    turn: AtomicU64,
    /// What tells that it has looked without waiting: for how long it was busy is counted before each look.
    metrics: OnceLock<RuntimeMetrics>,
    /// The turn the stand-in saw last, and how many nanoseconds the worker had been busy.
    seen: (AtomicU64, AtomicU64),
}

/// The sockets of one worker, by their numbers.
#[derive(Debug, Default)]
struct WatchedSockets {
    /// Those that the epoll tells of.
    told_of: FxHashMap<u64, Arc<WatchedSocket>>,
    /// Those that came after the worker was late last, and their descriptors. As long as it is not, each packet costs that much less.
    new: FxHashMap<u64, (RawFd, Arc<WatchedSocket>)>,
}

thread_local! {
    static OWN: RefCell<Option<Arc<SocketWatch>>> = const { RefCell::new(None) };
}

/// True when the sockets of this thread are read for it while it is late.
pub fn watches_this_thread() -> bool {
    OWN.with_borrow(Option::is_some)
}

impl SocketWatch {
    /// No sockets yet, of no thread.
    ///
    /// # Errors
    /// When the system refuses a thread or an epoll.
    pub fn new() -> io::Result<Arc<Self>> {
        STAND_IN.start()?;
        let watch = Self::of_nobody()?;
        lock(&STAND_IN.watches).push(Arc::downgrade(&watch));
        Ok(watch)
    }

    /// One that the stand-in does not know.
    fn of_nobody() -> io::Result<Arc<Self>> {
        // SAFETY: the call takes no memory; what it returns is checked, and owned by nobody else.
        let epoll = unsafe {
            let fd = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        Ok(Arc::new(Self {
            epoll,
            sockets: Mutex::default(),
            count: AtomicUsize::new(0),
            turn: AtomicU64::new(RESTS),
            metrics: OnceLock::new(),
            seen: (AtomicU64::new(RESTS), AtomicU64::new(0)),
        }))
    }

    /// Watches the sockets that are attached to this thread from now on.
    pub fn watch_this_thread(self: &Arc<Self>) {
        OWN.set(Some(self.clone()));
    }

    /// The worker's runtime, which has one thread, tells of further looks.
    pub fn looks_as_told_by(&self, metrics: RuntimeMetrics) {
        _ = self.metrics.set(metrics);
    }

    /// The worker has just looked at all of its sockets.
    pub fn looked(&self) {
        if self.count.load(Ordering::Relaxed) > 0 {
            self.looks();
        }
    }

    fn looks(&self) {
        // In one order with the stand-in's going to sleep: one of the two sees the other.
        let turn = self.turn.load(Ordering::Relaxed) | RESTS;
        self.turn.store(turn.wrapping_add(1), Ordering::SeqCst);
        STAND_IN.wake();
    }

    /// The worker waits for its sockets.
    pub fn rests(&self) {
        self.turn.store(self.turn.load(Ordering::Relaxed) | RESTS, Ordering::Relaxed);
    }

    /// Reads for the worker if it is late, which has not looked since the tick before; false when it rests.
    fn stand_in(&self) -> bool {
        let turn = self.turn.load(Ordering::SeqCst);
        if turn & RESTS != 0 {
            return false;
        }
        let busy = self.metrics.get().map_or(0, |metrics| metrics.worker_total_busy_duration(0).as_nanos() as u64);
        let (seen_turn, seen_busy) = &self.seen;
        let is_old = (seen_turn.swap(turn, Ordering::Relaxed), seen_busy.swap(busy, Ordering::Relaxed)) == (turn, busy);
        if is_old {
            self.read_ahead();
        }
        true
    }

    /// Reads what has arrived on any of the sockets.
    fn read_ahead(&self) {
        const ROOM: usize = 64;
        self.tell_of_new();
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; ROOM];
        loop {
            // SAFETY: the kernel writes at most `ROOM` events, which is how many there is room for.
            let count =
                unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), ROOM as libc::c_int, 0) };
            let count = usize::try_from(count).unwrap_or(0);
            for event in &events[..count] {
                let socket = lock(&self.sockets).told_of.get(&{ event.u64 }).cloned();
                if let Some(socket) = socket {
                    socket.read_ahead();
                }
            }
            if count < ROOM {
                return;
            }
        }
    }

    /// Has the epoll tell of the new ones as well, now and of what has arrived before; one that the system refuses is not watched. Some
    /// at a time: who connects or closes does not wait for all.
    fn tell_of_new(&self) {
        const SOME: usize = 64;
        let events = (libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET) as u32;
        loop {
            let WatchedSockets { told_of, new } = &mut *lock(&self.sockets);
            let ids: SmallVec<[u64; SOME]> = new.keys().take(SOME).copied().collect();
            if ids.is_empty() {
                return;
            }
            for id in ids {
                let Some((fd, socket)) = new.remove(&id) else { continue };
                let mut event = libc::epoll_event { events, u64: id };
                // SAFETY: both descriptors are open, as a socket leaves the list before it is closed; the kernel reads the event during
                // the call only.
                match unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event) } {
                    0 => _ = told_of.insert(id, socket),
                    _ => _ = self.count.fetch_sub(1, Ordering::Relaxed),
                }
            }
        }
    }

    fn add(self: &Arc<Self>, fd: RawFd) -> Watched {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let socket = Arc::new(WatchedSocket {
            stash: Mutex::new(Stash { open: Some(fd), ..Stash::default() }),
            fills: AtomicBool::new(false),
            reader: StandingWaker::default(),
        });
        // Before it can be refused, which counts it down.
        self.count.fetch_add(1, Ordering::Relaxed);
        lock(&self.sockets).new.insert(id, (fd, socket.clone()));
        if self.turn.load(Ordering::Relaxed) & RESTS != 0 {
            // It is at work: it has just got its first socket.
            self.looks();
        }
        Watched { watch: Arc::downgrade(self), id, fd, socket }
    }
}

/// One socket, and what was read of it ahead.
#[derive(Debug)]
struct WatchedSocket {
    stash: Mutex<Stash>,
    /// There is something in the stash.
    fills: AtomicBool,
    /// Who waits for it: what was read ahead is no news to the worker's own epoll any more.
    reader: StandingWaker,
}

#[derive(Debug, Default)]
struct Stash {
    /// The socket, while it may be read ahead.
    open: Option<RawFd>,
    pieces: VecDeque<EarlyRead>,
    bytes: usize,
}

/// What one read brought, and when it had arrived.
#[derive(Debug)]
struct EarlyRead {
    /// Empty at the end of the connection.
    read: Result<Vec<u8>, i32>,
    /// How much of it was taken.
    at: usize,
    arrived: Instant,
}

impl WatchedSocket {
    /// Reads until there is nothing left, on the thread of the stand-in.
    fn read_ahead(&self) {
        let mut stash = lock(&self.stash);
        let Some(fd) = stash.open else { return };
        // SAFETY: the socket is open as long as the stash says so, which is locked.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let mut room = [MaybeUninit::uninit(); 16 * 1024];
        while stash.bytes < MAX_STASH {
            let mut buf = ReadBuf::uninit(&mut room);
            let (read, arrived) = match arrival::receive(&fd, &mut buf) {
                Ok((_, arrived)) => (Ok(buf.filled().to_vec()), arrived),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => (Err(error.raw_os_error().unwrap_or(libc::EIO)), Instant::now()),
            };
            let is_end = read.as_ref().map_or(true, Vec::is_empty);
            stash.bytes += read.as_ref().map_or(0, Vec::len);
            stash.pieces.push_back(EarlyRead { read, at: 0, arrived });
            self.fills.store(true, Ordering::Release);
            self.reader.wake();
            if is_end {
                stash.open = None;
                return;
            }
        }
    }
}

/// A socket of this thread, until it is dropped: before the socket is closed, or goes to another thread.
#[derive(Debug)]
pub struct Watched {
    watch: Weak<SocketWatch>,
    id: u64,
    fd: RawFd,
    socket: Arc<WatchedSocket>,
}

impl Watched {
    /// Has a socket watched whose thread is; `None` on other threads.
    pub fn new(socket: &impl AsRawFd) -> Option<Self> {
        let watch = OWN.with_borrow(Clone::clone)?;
        Some(watch.add(socket.as_raw_fd()))
    }

    /// True when something was read ahead, or the connection has ended.
    pub fn has_stash(&self) -> bool {
        self.socket.fills.load(Ordering::Acquire)
    }

    /// Wakes whoever polls when something is read ahead.
    pub fn wake_reader(&self, cx: &Context<'_>) {
        self.socket.reader.register(cx.waker());
    }

    /// What was read ahead, piece by piece; `None` where nothing is left of it.
    pub fn take(&self, buf: &mut ReadBuf<'_>) -> Option<(io::Result<usize>, Instant)> {
        if !self.has_stash() {
            return None;
        }
        let mut stash = lock(&self.socket.stash);
        let Stash { pieces, bytes, .. } = &mut *stash;
        let piece = pieces.front_mut()?;
        let arrived = piece.arrived;
        let (result, is_used_up) = match &piece.read {
            Ok(read) => {
                let rest = &read[piece.at..];
                let count = rest.len().min(buf.remaining());
                buf.put_slice(&rest[..count]);
                piece.at += count;
                *bytes -= count;
                (Ok(count), piece.at == read.len())
            }
            Err(code) => (Err(io::Error::from_raw_os_error(*code)), true),
        };
        if is_used_up {
            pieces.pop_front();
            // Whoever adds another has the lock.
            self.socket.fills.store(!pieces.is_empty(), Ordering::Release);
        }
        Some((result, arrived))
    }

    /// Reads the socket itself, while nobody reads ahead; `None` where something was read ahead, which comes first and says nothing
    /// of how much the socket still has.
    pub fn receive(&self, socket: &impl AsRawFd, buf: &mut ReadBuf<'_>) -> io::Result<Option<(usize, Instant)>> {
        let stash = lock(&self.socket.stash);
        if !stash.pieces.is_empty() {
            return Ok(None);
        }
        arrival::receive(socket, buf).map(Some)
    }

    /// Nobody reads ahead any more; what was read stays.
    pub fn end(&self) {
        let Some(watch) = self.watch.upgrade() else { return };
        lock(&self.socket.stash).open = None;
        let mut sockets = lock(&watch.sockets);
        if sockets.new.remove(&self.id).is_none() {
            if sockets.told_of.remove(&self.id).is_none() {
                return;
            }
            // SAFETY: the socket is still open; a refusal changes nothing.
            unsafe {
                libc::epoll_ctl(watch.epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, self.fd, std::ptr::null_mut());
            }
        }
        watch.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end();
    }
}

/// The thread that reads for workers that are late.
struct StandIn {
    watches: Mutex<Vec<Weak<SocketWatch>>>,
    is_asleep: AtomicBool,
    asleep: Mutex<bool>,
    woken: Condvar,
}

static STAND_IN: StandIn = StandIn {
    watches: Mutex::new(Vec::new()),
    is_asleep: AtomicBool::new(false),
    asleep: Mutex::new(false),
    woken: Condvar::new(),
};

impl StandIn {
    /// Starts the thread, once.
    fn start(&'static self) -> io::Result<()> {
        static RUNS: Mutex<bool> = Mutex::new(false);
        let mut runs = lock(&RUNS);
        if !*runs {
            std::thread::Builder::new().name("volley-stand-in".to_owned()).spawn(|| self.run())?;
            *runs = true;
        }
        Ok(())
    }

    /// A worker is at work.
    fn wake(&self) {
        if self.is_asleep.load(Ordering::SeqCst) {
            *lock(&self.asleep) = false;
            self.is_asleep.store(false, Ordering::SeqCst);
            self.woken.notify_one();
        }
    }

    /// Looks after all workers, for ever.
    fn run(&self) {
        let mut idle = 0;
        loop {
            std::thread::sleep(TICK);
            idle = if self.look() { 0 } else { idle + 1 };
            if idle >= IDLE_TICKS {
                self.sleep();
                idle = 0;
            }
        }
    }

    /// Reads for all who are late; false when all rest.
    fn look(&self) -> bool {
        let mut works = false;
        lock(&self.watches).retain(|watch| {
            let watch = watch.upgrade();
            works |= watch.as_ref().is_some_and(|watch| watch.stand_in());
            watch.is_some()
        });
        works
    }

    fn sleep(&self) {
        let mut asleep = lock(&self.asleep);
        *asleep = true;
        self.is_asleep.store(true, Ordering::SeqCst);
        if self.look() {
            *asleep = false;
            self.is_asleep.store(false, Ordering::SeqCst);
        }
        while *asleep {
            asleep = self.woken.wait(asleep).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_runtime_that_does_not_wait_tells_of_its_looks() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default()).unwrap();
        runtime.block_on(async {
            let metrics = tokio::runtime::Handle::current().metrics();
            let waits = metrics.worker_park_count(0);
            let yields = tokio::task::spawn_local(async move {
                for _ in 0..3 {
                    let before = metrics.worker_total_busy_duration(0);
                    tokio::task::yield_now().await;
                    assert!(metrics.worker_total_busy_duration(0) > before);
                }
                assert_eq!(metrics.worker_park_count(0), waits);
            });
            yields.await.unwrap();
        });
    }

    #[test]
    fn what_was_read_ahead_comes_first_and_says_nothing_of_the_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let watch = SocketWatch::of_nobody().unwrap();
        let watched = watch.add(socket.as_raw_fd());
        let mut room = [0; 64];
        let mut read = |take: &dyn Fn(&mut ReadBuf<'_>) -> Option<usize>| {
            let mut buf = ReadBuf::new(&mut room);
            take(&mut buf).map(|count| (count, buf.filled().to_vec()))
        };
        let receive = |buf: &mut ReadBuf<'_>| watched.receive(&socket, buf).unwrap().map(|(count, _)| count);
        let take = |buf: &mut ReadBuf<'_>| watched.take(buf).map(|(result, _)| result.unwrap());

        peer.write_all(b"first").unwrap();
        while !watched.has_stash() {
            watch.read_ahead();
        }
        peer.write_all(b"second").unwrap();
        assert_eq!(read(&receive), None);
        assert_eq!(read(&take), Some((5, b"first".to_vec())));
        assert_eq!(read(&take), None);
        assert_eq!(read(&receive), Some((6, b"second".to_vec())));
    }

    #[test]
    fn the_epoll_tells_of_a_socket_once_its_worker_was_late() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let watch = SocketWatch::of_nobody().unwrap();
        let sockets = || {
            let sockets = lock(&watch.sockets);
            (sockets.new.len(), sockets.told_of.len(), watch.count.load(Ordering::Relaxed))
        };
        let connect = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (first, second) = (connect(), connect());
        let early = watch.add(first.as_raw_fd());
        assert_eq!(sockets(), (1, 0, 1));
        watch.read_ahead();
        let late = watch.add(second.as_raw_fd());
        assert_eq!(sockets(), (1, 1, 2));
        early.end();
        early.end();
        assert_eq!(sockets(), (1, 0, 1));
        // The number of a descriptor is used again.
        let again = watch.add(first.as_raw_fd());
        drop(late);
        watch.read_ahead();
        assert_eq!(sockets(), (0, 1, 1));
        drop(again);
        assert_eq!(sockets(), (0, 0, 0));
        // More than it is told of at once, and one that no epoll takes.
        let many: Vec<_> = (0..150).map(|_| UnixStream::pair().unwrap()).collect();
        let file = File::open("/dev/null").unwrap();
        let refused = watch.add(file.as_raw_fd());
        let watched: Vec<_> = many.iter().map(|(socket, _)| watch.add(socket.as_raw_fd())).collect();
        assert_eq!(sockets(), (151, 0, 151));
        watch.read_ahead();
        assert_eq!(sockets(), (0, 150, 150));
        drop((refused, watched));
        assert_eq!(sockets(), (0, 0, 0));
    }
}
