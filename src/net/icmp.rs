//! Echo requests: one target, several packets, times.
//!
//! A socket that needs no privileges is tried first (icmp(7), `net.ipv4.ping_group_range`), then a raw one.

use std::collections::BTreeMap;
use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::client_connections::ClientConnections;

/// Before the payload of an echo.
const HEADER_LEN: usize = 8;
/// An IP header is at most so long.
const MAX_IP_HEADER: usize = 60;
/// A datagram is at most so long.
pub const MAX_SIZE: usize = 65_507 - HEADER_LEN;

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct PingPlan {
    /// A name or an address.
    pub target: String,
    /// How many packets.
    pub count: u32,
    /// How long between two.
    pub interval: Duration,
    /// How long each reply is waited for.
    pub timeout: Duration,
    /// How long all of them may take.
    pub deadline: Duration,
    /// How many bytes each carries.
    pub size: usize,
    /// By which replies are known; the system chooses another where the socket needs no privileges.
    pub id: u16,
    /// The number of the first packet.
    pub seq: u16,
    /// Our address, if it matters.
    pub source: Option<IpAddr>,
    /// How many routers a packet may pass; 0 is as the system has it.
    pub ttl: u32,
}

/// What happens, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PingEvent {
    /// The target's address; how long its name took, and the socket. True when the socket is a raw one, as others are not allowed.
    Ready(IpAddr, Duration, Duration, bool),
    /// A packet was sent.
    Sent(Instant),
    /// It was answered.
    Reply(PingReply),
    /// It was not, or could not be sent.
    Failed(String),
    /// The end: how many were sent and answered; or what kept it from beginning.
    Done(Result<(u32, u32), String>),
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingReply {
    /// When its packet was sent.
    pub sent: Instant,
    /// When it arrived.
    pub received: Instant,
    /// How many routers it could have passed still.
    pub ttl: Option<u32>,
    /// The identifier it came with.
    pub id: u16,
    /// Its packet's number.
    pub seq: u16,
    /// How many bytes it carries.
    pub size: usize,
}

struct PingSocket {
    socket: AsyncFd<Socket>,
    is_v6: bool,
    is_raw: bool,
}

/// Sends the packets and tells what happens.
pub async fn ping(connections: Rc<ClientConnections>, plan: PingPlan, events: mpsc::UnboundedSender<PingEvent>) {
    let result = run(&connections, &plan, &events).await;
    _ = events.send(PingEvent::Done(result));
}

async fn run(
    connections: &ClientConnections,
    plan: &PingPlan,
    events: &mpsc::UnboundedSender<PingEvent>,
) -> Result<(u32, u32), String> {
    let (connector, began) = (connections.connector(), Instant::now());
    // The port matters to nobody.
    let resolved = connector.resolve(&plan.target, "7").await.map_err(|error| error.cause().to_owned())?;
    let (ip, resolving, opening) = (resolved.ip(), began.elapsed(), Instant::now());
    let socket = PingSocket::open(ip, plan)?;
    _ = events.send(PingEvent::Ready(ip, resolving, opening.elapsed(), socket.is_raw));
    let (mut sent, mut received) = (0, 0);
    let mut open = BTreeMap::<u16, Instant>::new();
    let (mut next, end) = (Instant::now(), Instant::now() + plan.deadline);
    while sent < plan.count || !open.is_empty() {
        let given_up = open.values().min().map(|at| *at + plan.timeout);
        let sending = (sent < plan.count).then_some(next);
        let wake = [given_up, sending, Some(end)].into_iter().flatten().min().unwrap_or(end);
        let arrived = tokio::select! {
            biased;
            reply = socket.receive(plan.size) => Some(reply),
            () = tokio::time::sleep_until(wake.into()) => None,
        };
        let now = Instant::now();
        if let Some(reply) = arrived {
            match reply {
                Ok((id, seq, ttl, size)) if socket.is_own(id, plan) => {
                    // Twice is once.
                    if let Some(at) = open.remove(&seq) {
                        received += 1;
                        connector.count_traffic(0, (HEADER_LEN + size) as u64);
                        _ = events.send(PingEvent::Reply(PingReply { sent: at, received: now, ttl, id, seq, size }));
                    }
                }
                Ok(_) => {}
                Err(error) => _ = events.send(PingEvent::Failed(error.to_string())),
            }
            if sent == plan.count && open.is_empty() {
                break;
            }
            // Replies to others, which raw sockets get too, do not put off what is due.
        }
        if now >= end {
            _ = events.send(PingEvent::Failed("deadline exceeded".to_owned()));
            break;
        }
        let late: Vec<u16> = open.iter().filter(|(_, at)| now >= **at + plan.timeout).map(|(seq, _)| *seq).collect();
        for seq in late {
            open.remove(&seq);
            _ = events.send(PingEvent::Failed("request timed out".to_owned()));
        }
        if sent < plan.count && now >= next {
            let seq = plan.seq.wrapping_add(sent as u16);
            (sent, next) = (sent + 1, now + plan.interval);
            let packet = echo(socket.is_v6, plan.id, seq, plan.size);
            match socket.socket.get_ref().send_to(&packet, &SocketAddr::new(ip, 0).into()) {
                Ok(_) => {
                    connector.count_traffic(packet.len() as u64, 0);
                    open.insert(seq, now);
                    _ = events.send(PingEvent::Sent(now));
                }
                Err(error) => {
                    let text = crate::units::errno::errno_text(&error);
                    _ = events.send(PingEvent::Failed(format!("write ip {ip}: sendto: {text}")));
                }
            }
        }
    }
    Ok((sent, received))
}

/// An echo request, with its checksum where the system doesn't make that.
fn echo(is_v6: bool, id: u16, seq: u16, size: usize) -> Vec<u8> {
    let mut packet = vec![if is_v6 { 128 } else { 8 }, 0, 0, 0];
    packet.extend(id.to_be_bytes());
    packet.extend(seq.to_be_bytes());
    packet.extend((0..size).map(|at| at as u8));
    if !is_v6 {
        let sum: u32 =
            packet.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low))).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        let sum = !((folded & 0xffff) + (folded >> 16)) as u16;
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// Identifier, number and length of an echo reply; `None` for everything else that arrives.
fn reply(is_v6: bool, packet: &[u8]) -> Option<(u16, u16, usize)> {
    let kind = if is_v6 { 129 } else { 0 };
    match packet {
        [found, 0, _, _, id_high, id_low, seq_high, seq_low, payload @ ..] if *found == kind => {
            let pair = |high: &u8, low: &u8| u16::from_be_bytes([*high, *low]);
            Some((pair(id_high, id_low), pair(seq_high, seq_low), payload.len()))
        }
        _ => None,
    }
}

impl PingSocket {
    fn open(ip: IpAddr, plan: &PingPlan) -> Result<Self, String> {
        let is_v6 = ip.is_ipv6();
        let (domain, protocol) = match is_v6 {
            true => (Domain::IPV6, Protocol::ICMPV6),
            false => (Domain::IPV4, Protocol::ICMPV4),
        };
        let failed = |error: io::Error| {
            let network = if is_v6 { "ip6:ipv6-icmp" } else { "ip4:icmp" };
            let source =
                plan.source.map_or_else(|| if is_v6 { "::" } else { "0.0.0.0" }.to_owned(), |ip| ip.to_string());
            format!("listen {network} {source}: socket: {}", crate::units::errno::errno_text(&error))
        };
        let (socket, is_raw) = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
            Ok(socket) => (socket, false),
            Err(_) => (Socket::new(domain, Type::RAW, Some(protocol)).map_err(failed)?, true),
        };
        socket.set_nonblocking(true).map_err(failed)?;
        if plan.ttl > 0 {
            let set = if is_v6 { socket.set_unicast_hops_v6(plan.ttl) } else { socket.set_ttl_v4(plan.ttl) };
            set.map_err(failed)?;
        }
        if let Some(source) = plan.source {
            socket.bind(&SocketAddr::new(source, 0).into()).map_err(failed)?;
        }
        let (level, option) = match is_v6 {
            true => (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT),
            false => (libc::IPPROTO_IP, libc::IP_RECVTTL),
        };
        let on: libc::c_int = 1;
        // SAFETY: the descriptor is open and the option's value is the int it wants; a refusal changes nothing.
        unsafe {
            let length = size_of::<libc::c_int>() as libc::socklen_t;
            libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), length);
        }
        // SAFETY: the socket owns its descriptor: it stays open and the same until the socket is dropped.
        let socket = unsafe { AsyncFd::register(socket) };
        Ok(Self { socket: socket.map_err(|error| failed(error.into()))?, is_v6, is_raw })
    }

    /// A raw socket gets everybody's replies; another one only its own, under an identifier the system chose.
    fn is_own(&self, id: u16, plan: &PingPlan) -> bool {
        !self.is_raw || id == plan.id
    }

    /// The next echo reply: identifier, number, hops left, length.
    async fn receive(&self, size: usize) -> io::Result<(u16, u16, Option<u32>, usize)> {
        let mut room = vec![0; MAX_IP_HEADER + HEADER_LEN + size];
        loop {
            let mut guard = self.socket.readable().await?;
            let Ok(read) = guard.try_io(|socket| receive(socket.get_ref(), &mut room)) else { continue };
            let (length, ttl) = read?;
            let mut packet = &room[..length];
            // The IP header comes with it, on raw sockets of version 4.
            if self.is_raw && !self.is_v6 {
                let header = usize::from(packet.first().copied().unwrap_or_default() & 0xf) * 4;
                packet = packet.get(header..).unwrap_or_default();
            }
            if let Some((id, seq, size)) = reply(self.is_v6, packet) {
                return Ok((id, seq, ttl, size));
            }
        }
    }
}

/// Room for one control message with one int, aligned as the kernel writes it.
#[repr(C, align(8))]
struct HopsBuffer([u8; 64]);

/// Reads once: how much there was, and the hops left.
fn receive(socket: &Socket, room: &mut [u8]) -> io::Result<(usize, Option<u32>)> {
    let mut control = MaybeUninit::<HopsBuffer>::uninit();
    // SAFETY: the kernel fills at most `iov_len` bytes of the room and `msg_controllen` bytes of the control room, both alive
    // for the call, and says how much it filled; only that much is read.
    unsafe {
        let mut slice = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = &raw mut slice;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of::<HopsBuffer>() as _;
        let count = libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0);
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        let is_ttl = !header.is_null() && matches!((*header).cmsg_type, libc::IP_TTL | libc::IPV6_HOPLIMIT);
        let ttl = is_ttl.then(|| libc::CMSG_DATA(header).cast::<libc::c_int>().read_unaligned());
        Ok((count as usize, ttl.and_then(|ttl| u32::try_from(ttl).ok())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_are_written_and_replies_read() {
        assert_eq!(echo(false, 0x1234, 1, 3), [8, 0, 0xe3, 0xc9, 0x12, 0x34, 0, 1, 0, 1, 2]);
        assert_eq!(echo(true, 1, 2, 0), [128, 0, 0, 0, 0, 1, 0, 2]);
        let check = |is_v6: bool, packet: &[u8], expect: Option<(u16, u16, usize)>| {
            assert_eq!(reply(is_v6, packet), expect, "{packet:?}");
        };
        check(false, &[0, 0, 9, 9, 1, 2, 3, 4, 5], Some((0x0102, 0x0304, 1)));
        check(true, &[129, 0, 9, 9, 1, 2, 3, 4], Some((0x0102, 0x0304, 0)));
        check(false, &[8, 0, 9, 9, 1, 2, 3, 4], None);
        check(false, &[0, 0, 9, 9, 1, 2, 3], None);
        check(false, &[], None);
    }
}
