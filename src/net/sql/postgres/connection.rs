//! One connection: opened, introduced, and one statement at a time.

use std::io;

use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_postgres::fallible_iterator::FallibleIterator as _;

use super::dsn::{PostgresDsn, SslMode};
use super::value::{affected, decode, text_of};
use crate::net::client_connections::ClientConnections;
use crate::net::http::proto::error::NetError;
use crate::net::socket::NetStream;
use crate::net::sql::value::{SqlAnswer, SqlArgument, SqlError, SqlValue};
use crate::net::tls::connect_with;

/// So much is read at once, if there is as much.
const READ_LEN: usize = 16 * 1024;

/// An open connection.
#[derive(Debug)]
pub(in crate::net::sql) struct PostgresConnection {
    stream: NetStream,
    inbox: BytesMut,
    /// By which the server knows the session, to cancel what it does.
    pub key: Option<(i32, i32)>,
}

/// What the server says of a statement.
#[derive(Default)]
struct Reading {
    answer: SqlAnswer,
    types: Vec<u32>,
    /// The first result is whole: those of further statements are passed over.
    is_whole: bool,
    /// How many values the statement takes.
    parameters: Option<usize>,
    error: Option<SqlError>,
}

impl PostgresConnection {
    /// Opens a connection and introduces us.
    pub(in crate::net::sql) async fn open(
        connections: &ClientConnections,
        dsn: &PostgresDsn,
    ) -> Result<Self, SqlError> {
        // `allow` comes back encrypted where the server refuses a plain connection.
        let modes: &[SslMode] = match dsn.ssl_mode {
            SslMode::Allow => &[SslMode::Disable, SslMode::Require],
            SslMode::Prefer => &[SslMode::Prefer],
            SslMode::Disable => &[SslMode::Disable],
            SslMode::Require => &[SslMode::Require],
            SslMode::Verify => &[SslMode::Verify],
        };
        let mut refused = None;
        for mode in modes {
            let stream = Self::connect(connections, dsn, *mode).await;
            // The first refusal says more than that the server has no TLS.
            let stream = match (stream, refused.take()) {
                (Err(_), Some(error)) => return Err(error),
                (stream, _) => stream?,
            };
            let mut connection = Self { stream, inbox: BytesMut::new(), key: None };
            match connection.introduce(dsn).await {
                Ok(()) => return Ok(connection),
                Err(error) if error.code == "28000" => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| SqlError::lost("driver: bad connection")))
    }

    async fn connect(connections: &ClientConnections, dsn: &PostgresDsn, mode: SslMode) -> Result<NetStream, SqlError> {
        let failed = |error: NetError| SqlError::lost(error.cause());
        let connector = connections.connector();
        let (mut socket, _) = connector.dial(&dsn.host, &dsn.port).await.map_err(failed)?;
        if mode == SslMode::Disable {
            return Ok(NetStream::Plain(socket));
        }
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        let asking = async {
            socket.write_all(&request).await?;
            socket.flush().await?;
            socket.read_u8().await
        };
        match asking.await {
            Ok(b'S') => {}
            Ok(b'N') if mode == SslMode::Prefer => return Ok(NetStream::Plain(socket)),
            Ok(b'N') => return Err(SqlError::lost("pq: SSL is not enabled on the server")),
            Ok(_) => return Err(SqlError::lost("pq: the server does not answer as PostgreSQL does")),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(SqlError::lost("EOF")),
            Err(error) => return Err(failed(NetError::socket("read", socket.local, socket.remote, &error))),
        }
        let connector_of = connector.tls().for_connection(Some(&dsn.tls), mode == SslMode::Verify);
        let tls = connector_of.map_err(|text| SqlError::lost(format!("pq: {text}")))?;
        let handshake = connect_with(&tls, &dsn.host, socket, connector.issuers()).await.map_err(failed)?;
        Ok(NetStream::Tls(handshake.stream))
    }

    async fn introduce(&mut self, dsn: &PostgresDsn) -> Result<(), SqlError> {
        let own = [("user", dsn.user.as_str()), ("client_encoding", "UTF8"), ("datestyle", "ISO, MDY")];
        let session = dsn.session.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut out = BytesMut::new();
        frontend::startup_message(own.into_iter().chain(session), &mut out).map_err(unsendable)?;
        self.send(&out).await?;
        let mut scram = None;
        loop {
            let mut out = BytesMut::new();
            let answer = |sent: io::Result<()>| sent.map_err(unsendable);
            let wrong = |error: io::Error| SqlError::lost(format!("pq: {error}"));
            match self.next().await? {
                Message::AuthenticationCleartextPassword => {
                    answer(frontend::password_message(dsn.password.as_bytes(), &mut out))?;
                }
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(dsn.user.as_bytes(), dsn.password.as_bytes(), body.salt());
                    answer(frontend::password_message(hash.as_bytes(), &mut out))?;
                }
                Message::AuthenticationSasl(body) => {
                    let can = body.mechanisms().any(|name| Ok(name == SCRAM_SHA_256)).map_err(wrong)?;
                    if !can {
                        return Err(SqlError::lost(
                            "pq: the server offers no way to log in but others than SCRAM-SHA-256",
                        ));
                    }
                    let exchange = ScramSha256::new(dsn.password.as_bytes(), ChannelBinding::unsupported());
                    answer(frontend::sasl_initial_response(SCRAM_SHA_256, exchange.message(), &mut out))?;
                    scram = Some(exchange);
                }
                Message::AuthenticationSaslContinue(body) => {
                    let exchange = scram.as_mut().ok_or_else(|| SqlError::lost("pq: unexpected authentication"))?;
                    exchange.update(body.data()).map_err(wrong)?;
                    answer(frontend::sasl_response(exchange.message(), &mut out))?;
                }
                Message::AuthenticationSaslFinal(body) => {
                    let exchange = scram.as_mut().ok_or_else(|| SqlError::lost("pq: unexpected authentication"))?;
                    exchange.finish(body.data()).map_err(wrong)?;
                }
                Message::BackendKeyData(body) => self.key = Some((body.process_id(), body.secret_key())),
                Message::ErrorResponse(body) => return Err(refusal(&body, "")),
                Message::ReadyForQuery(_) => return Ok(()),
                Message::AuthenticationOk | Message::ParameterStatus(_) | Message::NoticeResponse(_) => {}
                _ => return Err(SqlError::lost("pq: the server wants a way to log in that is not offered")),
            }
            if !out.is_empty() {
                self.send(&out).await?;
            }
        }
    }

    /// Executes a statement; without arguments also several, of which the first that returns rows is shown.
    pub(in crate::net::sql) async fn statement(
        &mut self,
        sql: &str,
        args: &[SqlArgument],
    ) -> Result<SqlAnswer, SqlError> {
        let mut out = BytesMut::new();
        let mut reading = Reading::default();
        if args.is_empty() {
            frontend::query(sql, &mut out).map_err(unsendable)?;
            return self.finish(out, reading, sql).await.map(|reading| reading.answer);
        }
        frontend::parse("", sql, [], &mut out).map_err(unsendable)?;
        frontend::describe(b'S', "", &mut out).map_err(unsendable)?;
        frontend::sync(&mut out);
        reading = self.finish(out, reading, sql).await?;
        let expected = reading.parameters.unwrap_or(0);
        if expected != args.len() {
            let given = args.len();
            let text = format!("pq: got {given} parameters but the statement requires {expected}");
            return Err(SqlError { is_usable: true, ..SqlError::lost(text) });
        }
        let mut out = BytesMut::new();
        let put = |arg: &SqlArgument, out: &mut BytesMut| match text_of(arg) {
            None => Ok(postgres_protocol::IsNull::Yes),
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(postgres_protocol::IsNull::No)
            }
        };
        let bound = frontend::bind("", "", [], args, put, [], &mut out);
        bound.map_err(|_| unsendable(io::ErrorKind::InvalidInput.into()))?;
        frontend::execute("", 0, &mut out).map_err(unsendable)?;
        frontend::sync(&mut out);
        self.finish(out, reading, sql).await.map(|reading| reading.answer)
    }

    /// Sends messages and reads what the server says until it is ready again.
    async fn finish(&mut self, out: BytesMut, mut reading: Reading, sql: &str) -> Result<Reading, SqlError> {
        self.send(&out).await?;
        loop {
            let message = match self.next().await {
                Ok(message) => message,
                // Why it hangs up, if it said so.
                Err(lost) => return Err(reading.error.map_or(lost, |error| SqlError { is_usable: false, ..error })),
            };
            match message {
                Message::ReadyForQuery(_) => break,
                Message::CopyInResponse(_) => {
                    let mut out = BytesMut::new();
                    frontend::copy_fail("COPY FROM STDIN is not offered", &mut out).map_err(unsendable)?;
                    frontend::sync(&mut out);
                    self.send(&out).await?;
                    // The server is ready twice where it had passed over the first end: the connection is not used again.
                    let cause = "pq: COPY FROM STDIN is not offered: use INSERT";
                    reading.error.get_or_insert_with(|| SqlError::lost(cause));
                }
                message => reading.take(message, sql)?,
            }
        }
        match reading.error.take() {
            Some(error) => Err(error),
            None => Ok(reading),
        }
    }

    async fn next(&mut self) -> Result<Message, SqlError> {
        loop {
            let parsed = Message::parse(&mut self.inbox);
            match parsed.map_err(|error| SqlError::lost(format!("pq: the server's answer can't be read: {error}")))? {
                Some(message) => return Ok(message),
                None => {
                    self.inbox.reserve(READ_LEN);
                    match self.stream.read_buf(&mut self.inbox).await {
                        Ok(0) => return Err(SqlError::lost("driver: bad connection")),
                        Ok(_) => {}
                        Err(error) => return Err(self.failed("read", &error)),
                    }
                }
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), SqlError> {
        let stream = &mut self.stream;
        let sent = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        sent.await.map_err(|error| self.failed("write", &error))
    }

    fn failed(&self, operation: &str, error: &io::Error) -> SqlError {
        let (local, remote) = (self.stream.socket().local, self.stream.socket().remote);
        match error.kind() {
            io::ErrorKind::UnexpectedEof => SqlError::lost("driver: bad connection"),
            _ => SqlError::lost(NetError::socket(operation, local, remote, error).cause()),
        }
    }

    /// True when the server has closed it, or has sent what nobody asked for.
    pub(in crate::net::sql) fn is_stale(&mut self) -> bool {
        !self.inbox.is_empty() || self.stream.is_stale()
    }
}

impl Reading {
    fn take(&mut self, message: Message, sql: &str) -> Result<(), SqlError> {
        let wrong = |error: io::Error| SqlError::lost(format!("pq: the server's answer can't be read: {error}"));
        match message {
            Message::RowDescription(body) if !self.is_whole => {
                self.answer.columns.clear();
                self.types.clear();
                let mut fields = body.fields();
                while let Some(field) = fields.next().map_err(wrong)? {
                    self.answer.columns.push(field.name().to_owned());
                    self.types.push(field.type_oid());
                }
            }
            Message::DataRow(body) if !self.is_whole => self.answer.rows.push(row(&body, &self.types).map_err(wrong)?),
            Message::CommandComplete(body) => {
                self.is_whole |= !self.types.is_empty();
                self.answer.affected = affected(body.tag().map_err(wrong)?);
            }
            Message::ParameterDescription(body) => {
                self.parameters = Some(body.parameters().count().map_err(wrong)?);
            }
            Message::ErrorResponse(body) if self.error.is_none() => self.error = Some(refusal(&body, sql)),
            // Notices, parameters of the session, what COPY sends.
            _ => {}
        }
        Ok(())
    }
}

fn row(body: &DataRowBody, types: &[u32]) -> io::Result<Vec<SqlValue>> {
    let mut row = Vec::with_capacity(types.len());
    let mut ranges = body.ranges();
    while let Some(range) = ranges.next()? {
        let oid = types.get(row.len()).copied().unwrap_or_default();
        row.push(range.map_or(SqlValue::Null, |range| decode(oid, body.buffer_bytes().slice(range))));
    }
    Ok(row)
}

fn unsendable(error: io::Error) -> SqlError {
    SqlError { is_usable: true, ..SqlError::lost(format!("pq: the statement can't be sent: {error}")) }
}

/// The server's refusal as lib/pq shows it: with the place in the statement and the code.
fn refusal(body: &ErrorResponseBody, sql: &str) -> SqlError {
    let (mut severity, mut code, mut message, mut position) = (String::new(), String::new(), String::new(), 0);
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'V' => severity = value(),
            // Translated; the untranslated one comes later.
            b'S' if severity.is_empty() => severity = value(),
            b'C' => code = value(),
            b'M' => message = value(),
            b'P' => position = value().parse().unwrap_or(0),
            _ => {}
        }
    }
    let place = place(sql, position);
    let is_usable = !matches!(severity.as_str(), "FATAL" | "PANIC");
    SqlError { text: format!("pq: {message}{place} ({code})"), is_usable, code }
}

/// ` at column 8`, in a statement of several lines ` at position 2:8`; the first character is 1.
pub(super) fn place(sql: &str, position: usize) -> String {
    if position == 0 || position > sql.chars().count() + 1 {
        return String::new();
    }
    let before: String = sql.chars().take(position - 1).collect();
    let (line, column) =
        (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or("").chars().count() + 1);
    match sql.contains('\n') {
        true => format!(" at position {line}:{column}"),
        false => format!(" at column {column}"),
    }
}
