//! Questions to one DNS server, for scripts that put load on it: over UDP, and over TCP where the answer did not fit.

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::client_connections::ClientConnections;
use super::dns::is_odd_address;
use super::http::proto::error::NetError;
use super::http::proto::url::to_ascii;
use super::random::random;

/// How long a server may take.
const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer over UDP we say we take.
const MAX_UDP_ANSWER: u16 = 4096;
/// The longest name, and the longest part of one.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordType {
    /// IPv4 addresses.
    A = 1,
    /// Texts.
    Txt = 16,
    /// IPv6 addresses.
    Aaaa = 28,
}

/// What came of a question, or of a look-up.
#[derive(Debug)]
pub struct DnsOutcome {
    /// The records as text.
    pub answer: Result<Vec<String>, DnsError>,
    /// When it was asked.
    pub began: Instant,
    /// When the answer was there.
    pub ended: Instant,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsError {
    /// `blockHostnames` forbids the name.
    Blocked,
    /// The server answered with this code.
    Code(u16),
    /// No answer came.
    Failed(String),
}

/// Asks the server at `nameserver` for records of `name`.
pub async fn query(
    connections: &ClientConnections,
    name: &str,
    kind: RecordType,
    nameserver: SocketAddr,
) -> DnsOutcome {
    let began = Instant::now();
    let answer = match connections.connector().is_blocked(name) {
        true => Err(DnsError::Blocked),
        false => tokio::time::timeout(DNS_TIMEOUT, exchange(connections, name, kind, nameserver))
            .await
            .unwrap_or_else(|_| Err(DnsError::Failed(format!("read udp {nameserver}: i/o timeout")))),
    };
    DnsOutcome { answer, began, ended: Instant::now() }
}

/// Asks the system for the addresses of `host`.
pub async fn lookup(connections: &ClientConnections, host: &str) -> DnsOutcome {
    let began = Instant::now();
    let answer = match connections.connector().is_blocked(host) {
        true => Err(DnsError::Blocked),
        false if is_odd_address(host) => Err(DnsError::Failed(format!("lookup {host}: no such host"))),
        false => match tokio::net::lookup_host((host, 0)).await {
            Ok(found) => {
                let mut addresses: Vec<String> = Vec::new();
                for address in found.map(|address| address.ip().to_string()) {
                    if !addresses.contains(&address) {
                        addresses.push(address);
                    }
                }
                Ok(addresses)
            }
            Err(_) => Err(DnsError::Failed(format!("lookup {host}: no such host"))),
        },
    };
    DnsOutcome { answer, began, ended: Instant::now() }
}

async fn exchange(
    connections: &ClientConnections,
    name: &str,
    kind: RecordType,
    nameserver: SocketAddr,
) -> Result<Vec<String>, DnsError> {
    let connector = connections.connector();
    let failed = |error: &NetError| DnsError::Failed(error.cause().to_owned());
    let (host, port) = (nameserver.ip().to_string(), nameserver.port().to_string());
    // The rules for addresses hold for servers that are asked, too.
    let remote = connector.resolve(&host, &port).await.map_err(|error| failed(&error))?;
    let id = random() as u16;
    let question = encode(id, name, kind).map_err(DnsError::Failed)?;
    let answer = over_udp(connections, remote, &question, id).await;
    let answer = answer.map_err(|error| DnsError::Failed(format!("read udp {remote}: {error}")))?;
    let is_cut = answer.get(2).is_some_and(|flags| flags & 2 != 0);
    let answer = if is_cut {
        let (mut socket, _) = connector.dial(&host, &port).await.map_err(|error| failed(&error))?;
        let asked = async {
            socket.write_all(&(question.len() as u16).to_be_bytes()).await?;
            socket.write_all(&question).await?;
            let length = socket.read_u16().await?;
            let mut answer = vec![0; usize::from(length)];
            socket.read_exact(&mut answer).await?;
            io::Result::Ok(answer)
        };
        asked.await.map_err(|error| DnsError::Failed(format!("read tcp {remote}: {error}")))?
    } else {
        answer
    };
    decode(&answer, id, kind)
}

async fn over_udp(
    connections: &ClientConnections,
    remote: SocketAddr,
    question: &[u8],
    id: u16,
) -> io::Result<Vec<u8>> {
    let any: IpAddr = if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let local = connections.connector().local_ip().filter(|local| local.is_ipv4() == remote.is_ipv4()).unwrap_or(any);
    let socket = UdpSocket::bind(SocketAddr::new(local, 0)).await?;
    socket.connect(remote).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; usize::from(MAX_UDP_ANSWER)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        connections.connector().count_traffic(question.len() as u64, length as u64);
        // An answer to another question is none.
        if buffer.get(..2) == Some(&id.to_be_bytes()) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}

/// A question of one name, with the size of answers we take.
fn encode(id: u16, name: &str, kind: RecordType) -> Result<Vec<u8>, String> {
    let ascii = to_ascii(name);
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    if name.len() > MAX_NAME || name.is_empty() {
        return Err(format!("{name:?} is no domain name"));
    }
    let mut message = Vec::with_capacity(name.len() + 32);
    message.extend(id.to_be_bytes());
    // Recursion desired; one question, no answers, no authorities, one extra record.
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    for label in name.split('.') {
        if label.is_empty() || label.len() > MAX_LABEL {
            return Err(format!("{name:?} is no domain name"));
        }
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend((kind as u16).to_be_bytes());
    message.extend([0, 1]);
    // EDNS: the root's name, the type OPT, our size, no extended code, no options.
    message.extend([0, 0, 41]);
    message.extend(MAX_UDP_ANSWER.to_be_bytes());
    message.extend([0; 6]);
    Ok(message)
}

/// A message that is being read.
struct DnsMessage<'m> {
    bytes: &'m [u8],
    at: usize,
}

impl<'m> DnsMessage<'m> {
    fn take(&mut self, count: usize) -> Option<&'m [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Passes over a name: labels up to an empty one, or up to a pointer to others.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match self.take(1)?[0] {
                0 => return Some(()),
                length if length & 0xc0 == 0xc0 => return self.take(1).map(drop),
                length if length & 0xc0 == 0 => self.take(usize::from(length)).map(drop)?,
                _ => return None,
            }
        }
    }
}

/// The records of this kind; aliases on the way to them are passed over.
fn decode(bytes: &[u8], id: u16, kind: RecordType) -> Result<Vec<String>, DnsError> {
    read(bytes, id, kind)
        .unwrap_or_else(|| Err(DnsError::Failed("unpacking header: the answer is malformed".to_owned())))
}

fn read(bytes: &[u8], id: u16, kind: RecordType) -> Option<Result<Vec<String>, DnsError>> {
    let mut message = DnsMessage { bytes, at: 0 };
    let (found_id, flags) = (message.number()?, message.number()?);
    if found_id != id || flags & 0x8000 == 0 {
        return None;
    }
    let (questions, answers) = (message.number()?, message.number()?);
    let others = u32::from(message.number()?) + u32::from(message.number()?);
    for _ in 0..questions {
        message.skip_name()?;
        message.take(4)?;
    }
    let (mut found, mut code) = (Vec::new(), flags & 0xf);
    for at in 0..u32::from(answers) + others {
        message.skip_name()?;
        let record = message.number()?;
        message.number()?;
        let extended = message.take(4)?;
        let length = usize::from(message.number()?);
        let data = message.take(length)?;
        if record == 41 {
            code |= u16::from(extended[0]) << 4;
        } else if at < u32::from(answers) && record == kind as u16 {
            found.push(text(data, kind)?);
        }
    }
    Some(if code == 0 { Ok(found) } else { Err(DnsError::Code(code)) })
}

fn text(data: &[u8], kind: RecordType) -> Option<String> {
    match kind {
        RecordType::A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string()),
        RecordType::Aaaa => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string()),
        RecordType::Txt => {
            let (mut message, mut text) = (DnsMessage { bytes: data, at: 0 }, Vec::new());
            while message.at < data.len() {
                let length = usize::from(message.take(1)?[0]);
                text.extend(message.take(length)?);
            }
            Some(String::from_utf8_lossy(&text).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = encode(7, "a.test", RecordType::A).unwrap();
        // Without our extra record.
        message.truncate(message.len() - 11);
        (message[2], message[3]) = (0x81, 0x80 | code);
        (message[7], message[11]) = (records.len() as u8, 0);
        for (kind, data) in records {
            message.extend([0xc0, 12]);
            message.extend(kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 60]);
            message.extend((data.len() as u16).to_be_bytes());
            message.extend(*data);
        }
        message
    }

    #[test]
    fn answers_are_read() {
        let check = |code: u8, records: &[(u16, &[u8])], kind, expect: Result<Vec<&str>, DnsError>| {
            let expect = expect.map(|list| list.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(decode(&answer(code, records), 7, kind), expect);
        };
        check(0, &[(1, &[127, 0, 0, 1])], RecordType::A, Ok(vec!["127.0.0.1"]));
        check(0, &[(5, &[0xc0, 12]), (1, &[10, 0, 0, 1])], RecordType::A, Ok(vec!["10.0.0.1"]));
        check(0, &[(16, b"\x02ab\x01c")], RecordType::Txt, Ok(vec!["abc"]));
        check(0, &[(28, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])], RecordType::Aaaa, Ok(vec!["::1"]));
        check(0, &[], RecordType::A, Ok(vec![]));
        check(3, &[], RecordType::A, Err(DnsError::Code(3)));
    }

    /// Names are passed over and pointers not followed, so none can lead in a circle.
    #[test]
    fn pointers_lead_nowhere() {
        let mut circle = answer(0, &[(1, &[127, 0, 0, 1])]);
        let at = encode(7, "a.test", RecordType::A).unwrap().len() - 11;
        for pointer in [at as u8, 12, 255] {
            circle[at + 1] = pointer;
            assert_eq!(decode(&circle, 7, RecordType::A), Ok(vec!["127.0.0.1".to_owned()]));
        }
        let mut names = answer(0, &[(5, [0xc0, 12].as_slice()); 200]);
        names[6..8].copy_from_slice(&[255, 255]);
        assert!(decode(&names, 7, RecordType::A).is_err());
    }

    #[test]
    fn what_is_malformed_is_no_answer() {
        let whole = answer(0, &[(1, &[127, 0, 0, 1]), (16, b"\x09ab")]);
        for length in 0..whole.len() {
            assert!(matches!(decode(&whole[..length], 7, RecordType::A), Err(DnsError::Failed(_))), "{length}");
        }
        assert!(matches!(decode(&whole, 8, RecordType::A), Err(DnsError::Failed(_))));
        assert!(matches!(decode(&whole, 7, RecordType::Txt), Err(DnsError::Failed(_))));
        assert!(encode(1, "a..b", RecordType::A).is_err() && encode(1, &"x".repeat(64), RecordType::A).is_err());
        assert_eq!(encode(1, "a.test.", RecordType::A), encode(1, "a.test", RecordType::A));
    }
}
