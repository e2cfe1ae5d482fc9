//! SOCKS 5 (RFC 1928, passwords by RFC 1929): asks a proxy to connect somewhere, then gets out of the way.
//!
//! Names go to the proxy as they are, also for `socks5://`, as in Go. The words are Go's.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::http::proto::error::{NetError, TCP};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
/// The replies of a proxy, by number.
const REPLIES: [&str; 9] = [
    "succeeded",
    "general SOCKS server failure",
    "connection not allowed by ruleset",
    "network unreachable",
    "host unreachable",
    "connection refused",
    "TTL expired",
    "command not supported",
    "address type not supported",
];

/// Asks the proxy at the other end of `stream` for a connection to `host:port`.
///
/// # Errors
/// What the proxy said, or that it said nothing: `socks connect tcp PROXY->TARGET: ...`.
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: SocketAddr,
    (host, port): (&str, &str),
    credentials: Option<&(String, String)>,
) -> Result<(), NetError> {
    let error = |text: String| {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        NetError::new(TCP, format!("socks connect tcp {proxy}->{host}:{port}: {text}"))
    };
    let Ok(number) = port.parse::<u16>() else { return Err(error(format!("port number out of range {port}"))) };
    ask(stream, (host, number), credentials).await.map_err(error)
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    (host, port): (&str, u16),
    credentials: Option<&(String, String)>,
) -> Result<(), String> {
    let broken = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "EOF".to_owned(),
        _ => error.to_string(),
    };
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, PASSWORD],
        None => &[VERSION, 1, NO_AUTHENTICATION],
    };
    stream.write_all(methods).await.map_err(broken)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(broken)?;
    if chosen[0] != VERSION {
        return Err(format!("unexpected protocol version {}", chosen[0]));
    }
    match (chosen[1], credentials) {
        (NO_AUTHENTICATION, _) => {}
        (PASSWORD, Some((user, password))) => {
            let mut request = vec![1];
            for text in [user, password] {
                let Ok(length) = u8::try_from(text.len()) else { return Err("invalid username/password".to_owned()) };
                request.push(length);
                request.extend_from_slice(text.as_bytes());
            }
            stream.write_all(&request).await.map_err(broken)?;
            let mut verdict = [0; 2];
            stream.read_exact(&mut verdict).await.map_err(broken)?;
            match verdict {
                [1, 0] => {}
                [1, _] => return Err("username/password authentication failed".to_owned()),
                [_, _] => return Err("invalid username/password version".to_owned()),
            }
        }
        (0xff, _) => return Err("no acceptable authentication methods".to_owned()),
        (other, _) => return Err(format!("unsupported authentication method {other}")),
    }
    let mut request = vec![VERSION, 1, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            request.push(1);
            request.extend_from_slice(&ip.octets());
        }
        Ok(IpAddr::V6(ip)) => {
            request.push(4);
            request.extend_from_slice(&ip.octets());
        }
        Err(_) => {
            let Ok(length) = u8::try_from(host.len()) else { return Err("FQDN too long".to_owned()) };
            request.extend_from_slice(&[3, length]);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await.map_err(broken)?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).await.map_err(broken)?;
    if reply[0] != VERSION {
        return Err(format!("unexpected protocol version {}", reply[0]));
    }
    if reply[1] != 0 {
        let known = REPLIES.get(usize::from(reply[1])).map(|text| (*text).to_owned());
        return Err(format!("unknown error {}", known.unwrap_or_else(|| format!("unknown code: {}", reply[1]))));
    }
    // The address that the proxy connects from is not used.
    let length = match reply[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(broken)?),
        _ => return Err("unknown address type".to_owned()),
    };
    stream.read_exact(&mut vec![0; length + 2]).await.map_err(broken).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to a proxy that answers `answers`, and what comes of it.
    fn talk(host: &str, credentials: Option<(&str, &str)>, answers: &[u8]) -> (Vec<u8>, Result<(), String>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            theirs.write_all(answers).await.unwrap();
            theirs.shutdown().await.unwrap();
            let credentials = credentials.map(|(user, password)| (user.to_owned(), password.to_owned()));
            let proxy = "127.0.0.1:1080".parse().unwrap();
            let result = connect(&mut ours, proxy, (host, "443"), credentials.as_ref()).await;
            drop(ours);
            let mut said = Vec::new();
            theirs.read_to_end(&mut said).await.unwrap();
            (said, result.map_err(|error| error.text.into_owned()))
        })
    }

    #[test]
    fn targets_are_asked_for() {
        let granted = [5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0, 9];
        let (said, result) = talk("a.test", None, &granted);
        assert_eq!((said, result), (b"\x05\x01\x00\x05\x01\x00\x03\x06a.test\x01\xbb".to_vec(), Ok(())));
        let (said, _) = talk("10.0.0.1", None, &granted);
        assert!(said.ends_with(b"\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb"));
        let (said, result) = talk("::1", Some(("me", "pw")), &[5, 2, 1, 0, 5, 0, 0, 3, 1, b'x', 0, 9]);
        assert!(said.starts_with(b"\x05\x02\x00\x02\x01\x02me\x02pw\x05\x01\x00\x04"), "{said:?}");
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn refusals_are_told() {
        let check = |credentials, answers: &[u8], expect: &str| {
            let (_, result) = talk("a.test", credentials, answers);
            assert_eq!(result, Err(format!("socks connect tcp 127.0.0.1:1080->a.test:443: {expect}")));
        };
        check(None, &[], "EOF");
        check(None, b"HTTP/1.1 400", "unexpected protocol version 72");
        check(None, &[5, 0xff], "no acceptable authentication methods");
        check(None, &[5, 2], "unsupported authentication method 2");
        check(Some(("a", "b")), &[5, 2, 1, 1], "username/password authentication failed");
        check(None, &[5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0], "unknown error connection refused");
        check(None, &[5, 0, 5, 77, 0, 1], "unknown error unknown code: 77");
        check(None, &[5, 0, 5, 0, 0, 9], "unknown address type");
    }
}
