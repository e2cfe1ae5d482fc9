//! A socket of a script's, without a protocol: bytes in, bytes out, times.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::Mutex;

use super::client_connections::ClientConnections;
use super::connector::HANDSHAKE_TIMEOUT;
use super::http::proto::error::NetError;
use super::socket::NetStream;
use super::tls::AlpnOffer;

/// The largest piece that is read at once.
const MAX_PIECE: usize = 64 * 1024;

/// One socket on its network thread.
#[derive(Debug)]
pub struct RawSocket {
    connections: Rc<ClientConnections>,
    reader: Mutex<Option<ReadHalf<NetStream>>>,
    writer: Mutex<Option<WriteHalf<NetStream>>>,
    ends: Cell<Option<(SocketAddr, SocketAddr)>>,
}

/// An open connection and what opening it took.
#[derive(Clone, Copy, Debug)]
pub struct Connected {
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
    /// How long the name took.
    pub resolving: Duration,
    /// How long connecting took, and shaking hands where there is TLS.
    pub connecting: Duration,
    /// When it was open.
    pub at: Instant,
}

impl RawSocket {
    /// A socket that is not connected.
    pub fn new(connections: Rc<ClientConnections>) -> Self {
        Self { connections, reader: Mutex::new(None), writer: Mutex::new(None), ends: Cell::new(None) }
    }

    /// Connects to `host:port`, over TLS if `encrypts`.
    ///
    /// # Errors
    /// Go's words.
    pub async fn connect(&self, host: &str, port: &str, encrypts: bool) -> Result<Connected, String> {
        let connector = self.connections.connector();
        let text = |error: NetError| error.cause().to_owned();
        let began = Instant::now();
        let (socket, dialling) = connector.dial(host, port).await.map_err(text)?;
        let resolving = began.elapsed().saturating_sub(dialling);
        let (local, remote) = (socket.local, socket.remote);
        let stream = match encrypts {
            false => NetStream::Plain(socket),
            true => {
                let handshake = connector.tls().connect(AlpnOffer::Http1, host, socket, connector.issuers());
                let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await;
                let handshake = handshake.unwrap_or_else(|_| Err(NetError::other("it timed out")));
                let handshake = handshake.map_err(|error| format!("TLS handshake failed: {}", error.cause()))?;
                NetStream::Tls(handshake.stream)
            }
        };
        let (reader, writer) = tokio::io::split(stream);
        *self.reader.lock().await = Some(reader);
        *self.writer.lock().await = Some(writer);
        self.ends.set(Some((local, remote)));
        let at = Instant::now();
        Ok(Connected { local, remote, resolving, connecting: (at - began).saturating_sub(resolving), at })
    }

    /// Writes all of it; when that was done.
    ///
    /// # Errors
    /// Go's words.
    pub async fn write(&self, bytes: &[u8]) -> Result<Instant, String> {
        let mut writer = self.writer.lock().await;
        let Some(stream) = writer.as_mut() else { return Err("no active connection".to_owned()) };
        let written = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        written.await.map_err(|error| self.failed("write", &error))?;
        Ok(Instant::now())
    }

    /// The next piece that arrives, and when; `None` at the end.
    ///
    /// # Errors
    /// Go's words.
    pub async fn read(&self) -> Result<Option<(Bytes, Instant)>, String> {
        let mut reader = self.reader.lock().await;
        let Some(stream) = reader.as_mut() else { return Ok(None) };
        let mut piece = Vec::with_capacity(4096);
        let read = (&mut *stream).take(MAX_PIECE as u64).read_buf(&mut piece).await;
        match read {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some((piece.into(), Instant::now()))),
            Err(error) => Err(self.failed("read", &error)),
        }
    }

    fn failed(&self, operation: &str, error: &io::Error) -> String {
        match self.ends.get() {
            Some((local, remote)) => NetError::socket(operation, local, remote, error).cause().to_owned(),
            None => error.to_string(),
        }
    }
}
