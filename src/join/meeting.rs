//! The connection to Redis: commands with time-outs, over a connection that is made again after a failure.

use std::future::Future;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, Pipeline};

use super::address::JoinAddress;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take to what holds a script or a result.
const LARGE_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection that is made when it is needed.
pub struct Meeting {
    address: JoinAddress,
    connection: Option<MultiplexedConnection>,
}

impl Meeting {
    /// No connection yet.
    pub fn new(address: JoinAddress) -> Self {
        Self { address, connection: None }
    }

    /// Sends commands and reads their answers.
    ///
    /// # Errors
    /// What Redis, or the way to it, says; without secrets. What was sent may have been done all the same.
    pub async fn ask<T: FromRedisValue>(&mut self, commands: &Pipeline) -> Result<T, String> {
        self.ask_within(commands, ANSWER_TIMEOUT).await
    }

    async fn ask_within<T: FromRedisValue>(&mut self, commands: &Pipeline, limit: Duration) -> Result<T, String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => within(CONNECT_TIMEOUT, connect(&self.address)).await?,
        };
        // Whatever fails, the next try has a new connection.
        let answer = within(limit, commands.query_async(&mut connection)).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    /// Keeps `value` under `key` for a while, whatever was there.
    ///
    /// # Errors
    /// What Redis, or the way to it, says.
    pub async fn put(&mut self, key: &str, value: &[u8], keep: Duration) -> Result<(), String> {
        let mut commands = redis::pipe();
        commands.cmd("SET").arg(key).arg(value).arg("EX").arg(keep.as_secs());
        self.ask_within::<((),)>(&commands, LARGE_TIMEOUT).await.map(|_| ())
    }

    /// Keeps the result of an instance as of now; what it sent before is in it, so its list of that begins anew.
    ///
    /// # Errors
    /// What Redis, or the way to it, says.
    pub async fn put_part(&mut self, key: &str, part: &[u8], tail: &str, keep: Duration) -> Result<(), String> {
        let mut commands = redis::pipe();
        commands.atomic().cmd("SET").arg(key).arg(part).arg("EX").arg(keep.as_secs()).ignore();
        commands.cmd("DEL").arg(tail).ignore();
        self.ask_within::<()>(&commands, LARGE_TIMEOUT).await
    }

    /// All that is in a list.
    ///
    /// # Errors
    /// What Redis, or the way to it, says.
    pub async fn list(&mut self, key: &str) -> Result<Vec<Vec<u8>>, String> {
        let mut commands = redis::pipe();
        commands.cmd("LRANGE").arg(key).arg(0).arg(-1);
        let (found,): (Vec<Vec<u8>>,) = self.ask_within(&commands, LARGE_TIMEOUT).await?;
        Ok(found)
    }

    /// What is under each of these keys, if there is something.
    ///
    /// # Errors
    /// What Redis, or the way to it, says.
    pub async fn get_all(&mut self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, String> {
        let mut commands = redis::pipe();
        commands.cmd("MGET").arg(keys);
        let (found,): (Vec<Option<Vec<u8>>>,) = self.ask_within(&commands, LARGE_TIMEOUT).await?;
        Ok(found)
    }

    /// What is under `key`; if there is nothing, `value` from now on.
    ///
    /// # Errors
    /// What Redis, or the way to it, says.
    pub async fn get_or_create(&mut self, key: &str, value: &[u8], keep: Duration) -> Result<Vec<u8>, String> {
        let mut commands = redis::pipe();
        commands.cmd("SET").arg(key).arg(value).arg("EX").arg(keep.as_secs()).arg("NX").ignore();
        commands.cmd("GET").arg(key);
        let (found,): (Option<Vec<u8>>,) = self.ask_within(&commands, LARGE_TIMEOUT).await?;
        found.ok_or_else(|| "what was just stored is gone".to_owned())
    }

    /// What is under this key.
    ///
    /// # Errors
    /// What Redis, or the way to it, says.
    pub async fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let mut commands = redis::pipe();
        commands.cmd("GET").arg(key);
        let (found,): (Option<Vec<u8>>,) = self.ask_within(&commands, LARGE_TIMEOUT).await?;
        Ok(found)
    }
}

async fn connect(address: &JoinAddress) -> redis::RedisResult<MultiplexedConnection> {
    // Whoever came first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = redis::Client::open(address.server())?;
    // The time limits are ours.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}

async fn within<T>(limit: Duration, work: impl Future<Output = redis::RedisResult<T>>) -> Result<T, String> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(words(&error)),
        Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
    }
}

/// The innermost cause of an error, which says most and holds no password.
fn words(error: &redis::RedisError) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text.lines().next().unwrap_or_default().to_owned(),
    }
}
