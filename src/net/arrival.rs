//! When bytes arrived, by the kernel's clock: a thread that wakes late, because a script had the core, must not make
//! the server look slow.
//!
//! Linux stamps what it puts into a socket (`SO_TIMESTAMPNS`, socket(7)).

use std::cell::Cell;
use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::io::ReadBuf;

/// The kernel has stamped something.
static STAMPS: AtomicBool = AtomicBool::new(false);

/// True once the kernel has stamped what arrived. Only then may a socket be read by a thread that is busy with other things.
pub fn is_stamped() -> bool {
    STAMPS.load(Ordering::Relaxed)
}

/// Asks the kernel to stamp what arrives. Without the stamp, the moment of reading counts.
pub fn ask(tcp: &impl AsRawFd) {
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open and the option's value is the int it wants; a refusal changes nothing.
    unsafe {
        libc::setsockopt(
            tcp.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        );
    }
}

/// What the kernel counts in ticks of its clock is not known better than this.
const COARSE: Duration = Duration::from_millis(8);

/// Of stamps so long before the wall clock was read, and after it, it is known when they were without reading a clock. It is never slowed
/// down or sped up by more than half a microsecond in that time, and where it is set, so much later the bytes may look, or earlier.
const WALL_CLOCK_KEPT: Duration = Duration::from_millis(1);

/// Room for one control message with one timespec, aligned as the kernel writes it.
#[repr(C, align(8))]
struct ControlBuffer([u8; 64]);

/// Reads once; how much there was, and when the last of it arrived.
pub fn receive(socket: &impl AsRawFd, buf: &mut ReadBuf<'_>) -> io::Result<(usize, Instant)> {
    let mut control = MaybeUninit::<ControlBuffer>::uninit();
    // SAFETY: the kernel fills at most `iov_len` bytes of the buffer and `msg_controllen` bytes of the control
    // room, both alive for the call, and says how much it filled; only that much is taken for initialised or read.
    unsafe {
        let room = buf.unfilled_mut();
        let mut slice = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = &raw mut slice;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of::<ControlBuffer>() as _;
        // The function of the C library is a point where threads are cancelled, which costs two locked instructions each time.
        let count = libc::syscall(libc::SYS_recvmsg, socket.as_raw_fd(), &raw mut message, 0);
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        let count = count as usize;
        buf.assume_init(count);
        buf.advance(count);
        if count == 0 {
            return Ok((count, ended(socket)));
        }
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        if header.is_null() || (*header).cmsg_type != libc::SCM_TIMESTAMPNS {
            return Ok((count, Instant::now()));
        }
        STAMPS.store(true, Ordering::Relaxed);
        Ok((count, moment_of(libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned())))
    }
}

/// When the peer ended the connection, which the kernel stamps nothing for: its last packet was the one that said so.
fn ended(socket: &impl AsRawFd) -> Instant {
    let now = Instant::now();
    let age = tcp_info(socket).map(|info| Duration::from_millis(u64::from(info.tcpi_last_ack_recv)));
    // What the kernel counts in ticks is better than the present only where the end has waited for long.
    age.filter(|age| *age > COARSE).and_then(|age| now.checked_sub(age)).unwrap_or(now)
}

/// False when the peer has closed, or reset, the connection, whatever is left to read of it. Asks the kernel.
pub fn is_open(socket: &impl AsRawFd) -> bool {
    const ESTABLISHED: u8 = 1;
    tcp_info(socket).is_none_or(|info| info.tcpi_state == ESTABLISHED)
}

/// What the kernel knows of a connection (tcp(7)).
fn tcp_info(socket: &impl AsRawFd) -> Option<libc::tcp_info> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the descriptor is open; the kernel writes at most `length` bytes, and all of them may be zero.
    unsafe {
        let fd = socket.as_raw_fd();
        let asked = libc::getsockopt(fd, libc::SOL_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &raw mut length);
        (asked == 0).then(|| info.assume_init())
    }
}

thread_local! {
    /// What the wall clock showed last, and when that was.
    static WALL_CLOCK: Cell<Option<(Duration, Instant)>> = const { Cell::new(None) };
}

/// The moment of the kernel's wall clock by the clock that is never set; the present where the wall clock was set back since.
fn moment_of(stamp: libc::timespec) -> Instant {
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(stamp.tv_sec), u32::try_from(stamp.tv_nsec)) else {
        return Instant::now();
    };
    let stamp = Duration::new(seconds, nanos);
    if let Some((shown, at)) = WALL_CLOCK.get()
        && stamp.abs_diff(shown) < WALL_CLOCK_KEPT
        && let Some(moment) = moved(at, shown, stamp)
    {
        return moment;
    }
    // The wall clock is read first: a thread that is put aside between the two makes the bytes look later, never earlier than
    // they were.
    let Ok(shown) = SystemTime::now().duration_since(UNIX_EPOCH) else { return Instant::now() };
    let now = Instant::now();
    WALL_CLOCK.set(Some((shown, now)));
    moved(now, shown, stamp).map_or(now, |moment| moment.min(now))
}

/// When the wall clock showed `stamp` that showed `shown` at that moment.
fn moved(at: Instant, shown: Duration, stamp: Duration) -> Option<Instant> {
    match stamp.checked_sub(shown) {
        Some(later) => at.checked_add(later),
        None => at.checked_sub(shown - stamp),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn bytes_are_as_old_as_they_are() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        ask(&tcp);
        let (mut peer, _) = listener.accept().unwrap();
        // The kernel begins to stamp some moments after the first socket asked for it.
        let is_stamped = |_| {
            peer.write_all(b"hello").unwrap();
            std::thread::sleep(Duration::from_millis(2));
            let before_reading = Instant::now();
            let mut room = [0; 16];
            let mut buf = ReadBuf::new(&mut room);
            let (count, arrived) = receive(&tcp, &mut buf).unwrap();
            assert_eq!((count, buf.filled()), (5, &b"hello"[..]));
            arrived < before_reading
        };
        assert!((0..200).any(is_stamped));
    }

    #[test]
    fn stamps_are_moments_of_the_other_clock() {
        let stamp_of = |wall: Duration| libc::timespec {
            tv_sec: wall.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(wall.subsec_nanos()),
        };
        // What the wall clock shows is read once for many stamps; young ones, old ones and those of a clock that was set back.
        for _ in 0..1000 {
            for age in [Duration::ZERO, Duration::from_micros(300), Duration::from_secs(1)] {
                let before = Instant::now();
                let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                let moment = moment_of(stamp_of(wall - age));
                assert!(moment + age + WALL_CLOCK_KEPT >= before, "{age:?} looks older");
                assert!(moment + age <= Instant::now() + WALL_CLOCK_KEPT, "{age:?} looks younger");
                assert!(moment_of(stamp_of(wall + Duration::from_secs(60))) <= Instant::now());
            }
        }
    }
}
