//! From `host:port` to a connected socket: blocked names, own addresses, resolution, blocked networks, connect.
//!
//! One address is tried, as in k6. Encryption and protocols come later, in `tls` and `http`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::FutureExt;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::TcpSocket;

use super::config::Config;
use super::dns::Resolver;
use super::http::proto::error::{BLACKLISTED_IP, BLOCKED_HOSTNAME, DIAL, NetError};
use super::http::proto::url::{split_port, to_ascii};
use super::open_files::OpenFiles;
use super::socket::{MeteredSocket, Traffic};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a silent connection waits before it asks whether the peer is alive, and between such questions.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// Opens connections by the rules of one configuration.
#[derive(Debug)]
pub struct Dialer {
    resolver: Resolver,
    /// Lower-case patterns with their targets, longest first.
    hosts: Vec<(String, String)>,
    blocked: Vec<String>,
    blacklist: Vec<(IpAddr, u8)>,
    files: Arc<OpenFiles>,
}

impl Dialer {
    /// A dialer by the rules of `config`, which notes in `files` that the limit of open files was reached.
    pub fn new(config: &Config, files: Arc<OpenFiles>) -> Self {
        let lower = |text: &String| to_ascii(&text.to_lowercase());
        let mut hosts: Vec<_> = config.hosts.iter().map(|(host, target)| (lower(host), target.clone())).collect();
        hosts.sort_by_key(|(host, _)| (host.starts_with('*'), std::cmp::Reverse(host.len())));
        let mut blocked: Vec<_> = config.block_hostnames.iter().map(lower).collect();
        blocked.sort_by_key(|pattern| (pattern.starts_with('*'), std::cmp::Reverse(pattern.len())));
        Self { resolver: Resolver::new(config.dns), hosts, blocked, blacklist: config.blacklist_ips.clone(), files }
    }

    /// The pattern of `blockHostnames` that forbids this name; addresses are no names.
    pub fn blocking_pattern(&self, host: &str) -> Option<&str> {
        if self.blocked.is_empty() || host.split('%').next().is_some_and(|host| host.parse::<IpAddr>().is_ok()) {
            return None;
        }
        let name = to_ascii(&host.to_lowercase());
        self.blocked.iter().find(|pattern| matches(pattern, &name)).map(String::as_str)
    }

    /// The address that `host:port` leads to.
    pub async fn resolve(&self, host: &str, port: &str) -> Result<SocketAddr, NetError> {
        let literal: Option<IpAddr> = host.split('%').next().unwrap_or(host).parse().ok();
        let name = to_ascii(&host.to_lowercase());
        if let Some(pattern) = self.blocking_pattern(host) {
            let host = if host.is_ascii() { host } else { &name };
            return Err(NetError::new(BLOCKED_HOSTNAME, "hostname is blocked")
                .long(format!("hostname ({host}) is in a blocked pattern ({pattern})")));
        }
        let invalid = |port: &str| NetError::new(DIAL, format!("dial tcp: address {port}: invalid port"));
        let mut number: u16 = port.parse().map_err(|_| invalid(port))?;
        let ip = match self.own_address(&name, port) {
            Some(target) => {
                let (ip, own_port) = split_target(target);
                if !own_port.is_empty() {
                    number = own_port.parse().map_err(|_| invalid(own_port))?;
                }
                match ip.parse::<IpAddr>() {
                    Ok(ip) => ip,
                    Err(_) => return Err(NetError::new(DIAL, format!("dial tcp: lookup {ip}: no such host"))),
                }
            }
            None => match literal {
                Some(ip) => ip,
                None => self.resolver.resolve(&name).await?,
            },
        };
        match self.blacklist.iter().find(|(network, prefix)| contains(*network, *prefix, ip)) {
            Some((network, prefix)) => {
                let range = format!("{}/{prefix}", masked(*network, *prefix));
                Err(NetError::new(BLACKLISTED_IP, "ip is blacklisted")
                    .long(format!("IP ({ip}) is in a blacklisted range ({range})")))
            }
            None => Ok(SocketAddr::new(ip, number)),
        }
    }

    /// Connects to `remote`; with the time that took.
    pub async fn connect(
        &self,
        remote: SocketAddr,
        local: Option<IpAddr>,
        traffic: Arc<Traffic>,
    ) -> Result<(MeteredSocket, Duration), NetError> {
        let start = Instant::now();
        let connect = async {
            let socket = TcpSocket::from_std_stream(self.socket(remote, local)?.into());
            let tcp = socket.connect(remote).await?;
            MeteredSocket::new(tcp, remote, traffic)
        };
        let socket = match tokio::time::timeout(CONNECT_TIMEOUT, connect).await {
            Ok(connected) => connected.map_err(|error| {
                self.files.note_error(&error);
                NetError::dial(remote, &error)
            })?,
            Err(_) => return Err(NetError::dial(remote, &io::ErrorKind::TimedOut.into())),
        };
        Ok((socket, start.elapsed()))
    }

    /// Connects to `remote` if that is on this machine and takes no time; `None` where it is not or does, and where it fails, for
    /// [`connect`](Self::connect) to say why. The socket is [to be attached](MeteredSocket::attach).
    pub fn connect_at_once(
        &self,
        remote: SocketAddr,
        local: Option<IpAddr>,
        traffic: Arc<Traffic>,
    ) -> Option<MeteredSocket> {
        if !remote.ip().is_loopback() {
            return None;
        }
        let socket = self.socket(remote, local).ok()?;
        // The system says that it is under way even where it is done.
        _ = socket.connect(&remote.into());
        socket.peer_addr().ok()?;
        MeteredSocket::detached(socket.into(), remote, traffic).ok()
    }

    /// A socket for a connection to `remote`, which waits for nothing.
    fn socket(&self, remote: SocketAddr, local: Option<IpAddr>) -> io::Result<Socket> {
        self.files.check()?;
        let socket = Socket::new(Domain::for_address(remote), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        if let Some(local) = local.filter(|local| local.is_ipv4() == remote.is_ipv4()) {
            socket.bind(&SocketAddr::new(local, 0).into())?;
        }
        socket.set_tcp_nodelay(true)?;
        let alive = TcpKeepalive::new().with_time(KEEP_ALIVE_INTERVAL).with_interval(KEEP_ALIVE_INTERVAL);
        socket.set_tcp_keepalive(&alive)?;
        Ok(socket)
    }

    /// The only address that `host:port` leads to, if nobody has to be asked for it and nothing is wrong with it.
    pub fn known_address(&self, host: &str, port: &str) -> Option<SocketAddr> {
        let is_known = host.parse::<IpAddr>().is_ok() || {
            let name = to_ascii(&host.to_lowercase());
            self.own_address(&name, port).is_some() || self.resolver.has_one(&name)
        };
        is_known.then(|| self.resolve(host, port).now_or_never())??.ok()
    }

    fn own_address(&self, name: &str, port: &str) -> Option<&str> {
        if self.hosts.is_empty() {
            return None;
        }
        let with_port = if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") };
        let find = |wanted: &str| self.hosts.iter().find(|(pattern, _)| matches(pattern, wanted));
        find(&with_port).or_else(|| find(name)).map(|(_, target)| target.as_str())
    }
}

/// A pattern is a name, or `*` and the end of a name.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => name.ends_with(suffix),
        None => pattern == name,
    }
}

fn split_target(target: &str) -> (&str, &str) {
    // A bare IPv6 address has colons but no port.
    if target.parse::<IpAddr>().is_ok() { (target, "") } else { split_port(target) }
}

fn bits(ip: IpAddr) -> (u128, u8) {
    match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    }
}

/// True when `ip` is in the network.
pub fn contains(network: IpAddr, prefix: u8, ip: IpAddr) -> bool {
    let ((network, width), (ip, own_width)) = (bits(network.to_canonical()), bits(ip.to_canonical()));
    let shift = u32::from(width.saturating_sub(prefix));
    width == own_width && (shift == 128 || network >> shift == ip >> shift)
}

fn masked(network: IpAddr, prefix: u8) -> IpAddr {
    let (number, width) = bits(network);
    let shift = u32::from(width.saturating_sub(prefix));
    let kept = if shift == 128 { 0 } else { number >> shift << shift };
    match network {
        IpAddr::V4(_) => IpAddr::V4((kept as u32).into()),
        IpAddr::V6(_) => IpAddr::V6(kept.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(config: &Config, host: &str, port: &str) -> Result<String, (u16, String)> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let dialer = Dialer::new(config, Arc::new(OpenFiles::none()));
        let found = runtime.block_on(dialer.resolve(host, port));
        found.map(|address| address.to_string()).map_err(|error| (error.code, error.cause().to_owned()))
    }

    #[test]
    fn own_addresses_win() {
        let hosts = [
            ("a.test", "10.0.0.1"),
            ("a.test:99", "10.0.0.2"),
            ("*.wild.test", "10.0.0.3:7"),
            ("*.b.wild.test", "10.0.0.4"),
            ("127.0.0.77", "127.0.0.1"),
            ("bad.test", "nonsense"),
            ("six.test", "[::1]:8"),
        ];
        let hosts = hosts.iter().map(|(host, target)| (host.to_string(), target.to_string())).collect();
        let config = Config { hosts, ..Config::default() };
        let check = |host: &str, port: &str, expect: &str| assert_eq!(resolve(&config, host, port).unwrap(), expect);
        check("A.test", "80", "10.0.0.1:80");
        check("a.test", "99", "10.0.0.2:99");
        check("x.wild.test", "80", "10.0.0.3:7");
        check("x.b.wild.test", "80", "10.0.0.4:80");
        check("127.0.0.77", "80", "127.0.0.1:80");
        check("127.0.0.78", "80", "127.0.0.78:80");
        check("six.test", "80", "[::1]:8");
        assert_eq!(resolve(&config, "bad.test", "80").unwrap_err().0, 1210);
    }

    #[test]
    fn networks_contain_their_addresses() {
        let check = |cidr: &str, ip: &str, expect: bool| {
            let (network, prefix) = cidr.split_once('/').unwrap();
            let found = contains(network.parse().unwrap(), prefix.parse().unwrap(), ip.parse().unwrap());
            assert_eq!(found, expect, "{cidr} {ip}");
        };
        check("10.0.0.0/8", "10.200.1.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("0.0.0.0/0", "8.8.8.8", true);
        check("::/0", "8.8.8.8", false);
        check("::/0", "::1", true);
        check("fe80::/10", "fe80::1", true);
        check("1.2.3.4/32", "::ffff:1.2.3.4", true);
    }

    #[test]
    fn refusals_say_why() {
        let config = Config {
            block_hostnames: vec!["blocked.test".into(), "*.Wild.test".into(), "*".into()],
            blacklist_ips: vec![("127.5.0.0".parse().unwrap(), 16), ("127.0.0.9".parse().unwrap(), 32)],
            ..Config::default()
        };
        let check = |host: &str, port: &str, code: u16, text: &str| {
            assert_eq!(resolve(&config, host, port), Err((code, text.to_owned())));
        };
        check("Blocked.Test", "80", 1111, "hostname (Blocked.Test) is in a blocked pattern (blocked.test)");
        check("a.wild.test", "80", 1111, "hostname (a.wild.test) is in a blocked pattern (*.wild.test)");
        check("127.0.0.9", "80", 1110, "IP (127.0.0.9) is in a blacklisted range (127.0.0.9/32)");
        check("127.5.6.7", "80", 1110, "IP (127.5.6.7) is in a blacklisted range (127.5.0.0/16)");
        check("127.0.0.1", "99999", 1210, "dial tcp: address 99999: invalid port");
    }
}
