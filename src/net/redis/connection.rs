//! One connection: opened, introduced, and one command at a time.

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use super::config::{RedisAddress, RedisConfig};
use super::resp::{RespReader, RespValue, encode};
use crate::net::client_connections::ClientConnections;
use crate::net::http::proto::error::NetError;
use crate::net::socket::NetStream;
use crate::net::tls::connect_with;

/// Why a command has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RedisError {
    /// The server refused, in its words.
    Server(String),
    /// The network failed.
    Network(String),
    /// It can't succeed later either: the name is blocked, the certificate is wrong.
    Refused(String),
}

impl RedisError {
    /// The words.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Server(text) | Self::Network(text) | Self::Refused(text) => text,
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct RedisConnection {
    stream: NetStream,
    reader: RespReader,
    /// When it was opened.
    pub opened: Instant,
    /// When it was last used.
    pub used: Instant,
}

/// Who we are.
pub(super) struct Introduction<'c> {
    pub username: &'c str,
    pub password: &'c str,
    pub client_name: &'c str,
    pub database: i64,
    /// Replicas may answer.
    pub read_only: bool,
}

impl RedisConnection {
    /// Opens a connection to `address` and introduces us.
    pub(super) async fn open(
        connections: &ClientConnections,
        config: &RedisConfig,
        address: &RedisAddress,
        who: Introduction<'_>,
    ) -> Result<Self, RedisError> {
        let opening = Self::connect(connections, config, address);
        let mut connection = match tokio::time::timeout(config.dial_timeout, opening).await {
            Ok(opened) => opened?,
            Err(_) => {
                let (host, port) = address;
                return Err(RedisError::Network(format!("dial tcp {host}:{port}: i/o timeout")));
            }
        };
        let mut commands: Vec<Vec<Vec<u8>>> = Vec::new();
        let mut say = |words: &[&str]| commands.push(words.iter().map(|word| word.as_bytes().to_vec()).collect());
        match (who.username, who.password) {
            (_, "") => {}
            ("", password) => say(&["AUTH", password]),
            (username, password) => say(&["AUTH", username, password]),
        }
        if who.database != 0 {
            say(&["SELECT", &who.database.to_string()]);
        }
        if who.read_only {
            say(&["READONLY"]);
        }
        if !who.client_name.is_empty() {
            say(&["CLIENT", "SETNAME", who.client_name]);
        }
        let count = commands.len();
        if count > 0 {
            connection.write(config, &commands).await?;
        }
        // All answers are read: the first refusal is the cause of the others.
        let mut refusal = None;
        for _ in 0..count {
            if let RespValue::Error(text) = connection.read(config).await? {
                refusal = refusal.or(Some(text));
            }
        }
        refusal.map_or(Ok(connection), |text| Err(RedisError::Server(text)))
    }

    async fn connect(
        connections: &ClientConnections,
        config: &RedisConfig,
        (host, port): &RedisAddress,
    ) -> Result<Self, RedisError> {
        let connector = connections.connector();
        let failed = |error: NetError| match error.cause() {
            text if text.starts_with("dial tcp") || text == "EOF" => RedisError::Network(text.to_owned()),
            text => RedisError::Refused(text.to_owned()),
        };
        let tls = match &config.tls {
            Some(own) => Some(connector.tls().for_connection(Some(own), true).map_err(RedisError::Refused)?),
            None => None,
        };
        let (socket, _) = connector.dial(host, port).await.map_err(failed)?;
        let stream = match tls {
            None => NetStream::Plain(socket),
            Some(tls) => {
                let handshake = connect_with(&tls, host, socket, connector.issuers()).await.map_err(failed)?;
                NetStream::Tls(handshake.stream)
            }
        };
        let now = Instant::now();
        Ok(Self { stream, reader: RespReader::default(), opened: now, used: now })
    }

    /// Sends commands and reads the answer of the last; one of several fails where any does.
    pub(super) async fn command(
        &mut self,
        config: &RedisConfig,
        commands: &[Vec<Vec<u8>>],
    ) -> Result<RespValue, RedisError> {
        self.write(config, commands).await?;
        let mut answer = RespValue::Nil;
        for _ in commands {
            answer = self.read(config).await?;
        }
        self.used = Instant::now();
        Ok(answer)
    }

    async fn write(&mut self, config: &RedisConfig, commands: &[Vec<Vec<u8>>]) -> Result<(), RedisError> {
        let mut bytes = Vec::new();
        commands.iter().for_each(|command| encode(command, &mut bytes));
        let stream = &mut self.stream;
        let writing = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        let written = within(config.write_timeout, writing).await;
        written.map_err(|error| self.failed("write", &error))
    }

    async fn read(&mut self, config: &RedisConfig) -> Result<RespValue, RedisError> {
        let answer = within(config.read_timeout, self.reader.read(&mut self.stream)).await;
        answer.map_err(|error| self.failed("read", &error))
    }

    fn failed(&self, operation: &str, error: &io::Error) -> RedisError {
        let (local, remote) = (self.stream.socket().local, self.stream.socket().remote);
        RedisError::Network(match error.kind() {
            io::ErrorKind::TimedOut if error.raw_os_error().is_none() => {
                format!("{operation} tcp {local}->{remote}: i/o timeout")
            }
            io::ErrorKind::UnexpectedEof => "EOF".to_owned(),
            io::ErrorKind::InvalidData if error.get_ref().is_some_and(|inner| !inner.is::<rustls::Error>()) => {
                return RedisError::Refused(error.to_string());
            }
            _ => NetError::socket(operation, local, remote, error).cause().to_owned(),
        })
    }

    /// True when the server has closed it, or has sent what nobody asked for.
    pub(super) fn is_stale(&mut self) -> bool {
        self.reader.has_rest() || self.stream.is_stale()
    }
}

/// As `work`, but no longer than this.
async fn within<T>(limit: Option<Duration>, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
    }
}
