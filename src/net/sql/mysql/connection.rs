//! One connection: opened, introduced, and one statement at a time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use mysql_common::constants::{CapabilityFlags, MAX_PAYLOAD_LEN, StatusFlags};
use mysql_common::io::ParseBuf;
use mysql_common::packets::{
    AuthPlugin, AuthSwitchRequest, Column, ComStmtExecuteRequestBuilder, ComStmtSendLongData, CommonOkPacket,
    ErrPacket, HandshakeResponse, OkPacketDeserializer, OldEofPacket, SslRequest, StmtPacket,
};
use mysql_common::proto::codec::PacketCodec;
use mysql_common::proto::{Binary, MyDeserialize, MySerialize, Text};
use mysql_common::row::RowDeserializer;
use mysql_common::value::ServerSide;
use mysql_common::{Row, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::auth;
use super::dsn::{MysqlDsn, TlsMode};
use super::value::{bound, decode, interpolated};
use crate::net::client_connections::ClientConnections;
use crate::net::http::proto::error::NetError;
use crate::net::socket::NetStream;
use crate::net::sql::value::{SqlAnswer, SqlArgument, SqlError, SqlValue};
use crate::net::tls::connect_with;

/// So much is read at once, if there is as much.
const READ_LEN: usize = 16 * 1024;
/// A statement has at most so many columns, and so many places for values.
const MAX_COLUMNS: u64 = 65_535;

const COM_QUERY: u8 = 0x03;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_CLOSE: u8 = 0x19;
const OK: u8 = 0x00;
const MORE: u8 = 0x01;
const LOCAL_INFILE: u8 = 0xfb;
const EOF: u8 = 0xfe;
const ERR: u8 = 0xff;

/// An open connection.
#[derive(Debug)]
pub(in crate::net::sql) struct MysqlConnection {
    stream: Option<NetStream>,
    inbox: BytesMut,
    codec: PacketCodec,
    capabilities: CapabilityFlags,
    status: StatusFlags,
    /// By which the server knows the session, to end what it does.
    pub id: u32,
    dsn: MysqlDsn,
}

fn malformed(error: impl std::fmt::Display) -> SqlError {
    SqlError::lost(format!("malformed packet: {error}"))
}

/// What database/sql makes of a connection that is gone.
fn gone() -> SqlError {
    SqlError::lost("invalid connection")
}

impl MysqlConnection {
    /// Opens a connection and introduces us.
    pub(in crate::net::sql) async fn open(connections: &ClientConnections, dsn: &MysqlDsn) -> Result<Self, SqlError> {
        let failed = |error: NetError| SqlError::lost(error.cause());
        let (socket, _) = connections.connector().dial(&dsn.host, &dsn.port).await.map_err(failed)?;
        let mut codec = PacketCodec::default();
        codec.max_allowed_packet = dsn.max_packet;
        let mut connection = Self {
            stream: Some(NetStream::Plain(socket)),
            inbox: BytesMut::new(),
            codec,
            capabilities: CapabilityFlags::empty(),
            status: StatusFlags::empty(),
            id: 0,
            dsn: dsn.clone(),
        };
        connection.introduce(connections).await?;
        connection.set_variables().await?;
        Ok(connection)
    }

    async fn introduce(&mut self, connections: &ClientConnections) -> Result<(), SqlError> {
        let packet = self.next().await?;
        if packet.first() == Some(&ERR) {
            return Err(SqlError { is_usable: false, ..self.refusal(&packet) });
        }
        let hello = auth::hello(&packet).map_err(malformed)?;
        self.id = hello.connection_id();
        let offered = hello.capabilities();
        if !offered.contains(CapabilityFlags::CLIENT_PROTOCOL_41) {
            return Err(SqlError::lost("MySQL server does not support required protocol 41+"));
        }
        let mut wanted = CapabilityFlags::CLIENT_PROTOCOL_41
            | CapabilityFlags::CLIENT_LONG_PASSWORD
            | CapabilityFlags::CLIENT_LONG_FLAG
            | CapabilityFlags::CLIENT_TRANSACTIONS
            | CapabilityFlags::CLIENT_SECURE_CONNECTION
            | CapabilityFlags::CLIENT_MULTI_RESULTS
            | CapabilityFlags::CLIENT_PLUGIN_AUTH
            | CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA;
        wanted.set(CapabilityFlags::CLIENT_FOUND_ROWS, self.dsn.counts_found_rows);
        wanted.set(CapabilityFlags::CLIENT_MULTI_STATEMENTS, self.dsn.has_multi_statements);
        wanted.set(CapabilityFlags::CLIENT_CONNECT_WITH_DB, !self.dsn.database.is_empty());
        let can_encrypt = offered.contains(CapabilityFlags::CLIENT_SSL);
        let is_encrypted = match &self.dsn.tls {
            TlsMode::Off => false,
            TlsMode::Preferred => can_encrypt,
            _ if can_encrypt => true,
            _ => return Err(SqlError::lost("TLS requested but server does not support TLS")),
        };
        wanted.set(CapabilityFlags::CLIENT_SSL, is_encrypted);
        self.capabilities = wanted & offered;
        if is_encrypted {
            self.encrypt(connections).await?;
        }
        let mut challenge = hello.nonce();
        let plugin = hello.auth_plugin().map_or(AuthPlugin::MysqlNativePassword, AuthPlugin::into_owned);
        // Servers end it with a zero.
        challenge.truncate(auth::challenge_len(&plugin));
        // A plugin nobody knows is one the server can leave for another.
        let (plugin, answer) = match self.answer(&plugin, &challenge, is_encrypted) {
            Ok(answer) => (plugin, answer),
            Err(_) => (AuthPlugin::MysqlNativePassword, auth_native(&self.dsn.password, &challenge)),
        };
        let response = HandshakeResponse::new(
            Some(answer),
            (8, 0, 0),
            Some(self.dsn.user.as_bytes().to_vec()),
            Some(self.dsn.database.as_bytes().to_vec()).filter(|name| !name.is_empty()),
            Some(plugin.clone()),
            self.capabilities,
            None,
            self.dsn.max_packet as u32,
        );
        self.send(&serialized(&response)).await?;
        self.log_in(plugin, challenge, is_encrypted).await
    }

    fn answer(&self, plugin: &AuthPlugin<'_>, challenge: &[u8], is_encrypted: bool) -> Result<Vec<u8>, String> {
        let (clear, native) = (self.dsn.allows_clear_text, self.dsn.allows_native);
        auth::answer(plugin, &self.dsn.password, challenge, is_encrypted, clear, native)
    }

    async fn encrypt(&mut self, connections: &ClientConnections) -> Result<(), SqlError> {
        let request = SslRequest::new(self.capabilities, self.dsn.max_packet as u32, UTF8MB4_GENERAL_CI);
        self.send(&serialized(&request)).await?;
        let (own, verifies, is_1_3) = match &self.dsn.tls {
            TlsMode::Custom(tls) => (Some(&tls.certificates), !tls.skips_verification, tls.is_1_3),
            mode => (None, *mode == TlsMode::Verify, false),
        };
        let connector = connections.connector();
        let tls = connector.tls().for_connection(own, verifies).map_err(SqlError::lost)?;
        let Some(NetStream::Plain(socket)) = self.stream.take().filter(|_| self.inbox.is_empty()) else {
            return Err(gone());
        };
        let handshake = connect_with(&tls, &self.dsn.host, socket, connector.issuers()).await;
        let handshake = handshake.map_err(|error| SqlError::lost(error.cause()))?;
        if is_1_3 && handshake.stream.get_ref().1.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
            return Err(SqlError::lost("tls: server selected unsupported protocol version 303"));
        }
        self.stream = Some(NetStream::Tls(handshake.stream));
        Ok(())
    }

    async fn log_in(
        &mut self,
        mut plugin: AuthPlugin<'static>,
        mut challenge: Vec<u8>,
        is_encrypted: bool,
    ) -> Result<(), SqlError> {
        /// What `caching_sha2_password` says.
        const KNOWN: u8 = 3;
        const WANTS_PASSWORD: u8 = 4;
        loop {
            let packet = self.next().await?;
            match packet.first() {
                Some(&OK) => return self.note_ok(&packet).map(|_| ()),
                Some(&ERR) => return Err(SqlError { is_usable: false, ..self.refusal(&packet) }),
                Some(&EOF) if packet.len() == 1 => {
                    return Err(SqlError::lost("this user requires old password authentication, which is not offered"));
                }
                Some(&EOF) => {
                    let request = AuthSwitchRequest::deserialize((), &mut ParseBuf(&packet)).map_err(malformed)?;
                    (plugin, challenge) = (request.auth_plugin().into_owned(), request.plugin_data().to_vec());
                    challenge.truncate(auth::challenge_len(&plugin));
                    let answer = self.answer(&plugin, &challenge, is_encrypted).map_err(SqlError::lost)?;
                    self.send(&answer).await?;
                }
                Some(&MORE) => match (&plugin, &packet[1..]) {
                    (AuthPlugin::CachingSha2Password, [KNOWN]) => {}
                    (AuthPlugin::CachingSha2Password, [WANTS_PASSWORD]) if is_encrypted => {
                        self.send(&auth::terminated(self.dsn.password.as_bytes())).await?;
                    }
                    // Asks for the server's key.
                    (AuthPlugin::CachingSha2Password, [WANTS_PASSWORD]) => self.send(&[2]).await?,
                    (AuthPlugin::CachingSha2Password | AuthPlugin::Sha256Password, key) => {
                        let answer = auth::encrypted(&self.dsn.password, &challenge, key).map_err(SqlError::lost)?;
                        self.send(&answer).await?;
                    }
                    _ => return Err(malformed("unexpected authentication data")),
                },
                _ => return Err(malformed("unexpected answer to the password")),
            }
        }
    }

    async fn set_variables(&mut self) -> Result<(), SqlError> {
        let mut sql = String::new();
        if self.dsn.charset != "utf8mb4" || !self.dsn.collation.is_empty() {
            sql = format!("SET NAMES {}", self.dsn.charset);
            if !self.dsn.collation.is_empty() {
                sql += &format!(" COLLATE {}", self.dsn.collation);
            }
            self.statement(&sql, &[]).await.map_err(|error| SqlError { is_usable: false, ..error })?;
        }
        sql.clear();
        for (name, value) in &self.dsn.session {
            sql += &format!("{}{name} = {value}", if sql.is_empty() { "SET " } else { ", " });
        }
        if !sql.is_empty() {
            self.statement(&sql, &[]).await.map_err(|error| SqlError { is_usable: false, ..error })?;
        }
        Ok(())
    }

    /// Executes a statement; of several, which have to be allowed and are without arguments, the first that returns rows is shown.
    pub(in crate::net::sql) async fn statement(
        &mut self,
        sql: &str,
        args: &[SqlArgument],
    ) -> Result<SqlAnswer, SqlError> {
        let is_plain = self.status.contains(StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES);
        let interpolated = if self.dsn.interpolates { interpolated(sql, args, is_plain) } else { None };
        if args.is_empty() || interpolated.is_some() {
            let sql = interpolated.as_deref().unwrap_or(sql);
            self.command(&[&[COM_QUERY], sql.as_bytes()].concat()).await?;
            return self.results::<Text>().await;
        }
        self.command(&[&[COM_STMT_PREPARE], sql.as_bytes()].concat()).await?;
        let packet = self.next().await?;
        if packet.first() == Some(&ERR) {
            return Err(self.refusal(&packet));
        }
        let prepared = StmtPacket::deserialize((), &mut ParseBuf(&packet)).map_err(malformed)?;
        for count in [prepared.num_params(), prepared.num_columns()].into_iter().filter(|count| *count > 0) {
            self.columns(u64::from(count)).await?;
        }
        let (id, expected) = (prepared.statement_id(), usize::from(prepared.num_params()));
        let answer = match expected == args.len() {
            true => self.execute(id, args).await,
            false => {
                let given = args.len();
                Err(SqlError::refused(format!("sql: expected {expected} arguments, got {given}")))
            }
        };
        if answer.as_ref().map_or_else(|error| error.is_usable, |_| true) {
            self.command(&[&[COM_STMT_CLOSE], id.to_le_bytes().as_slice()].concat()).await?;
        }
        answer
    }

    async fn execute(&mut self, id: u32, args: &[SqlArgument]) -> Result<SqlAnswer, SqlError> {
        let values: Vec<Value> = args.iter().map(bound).collect();
        let (request, is_long) = ComStmtExecuteRequestBuilder::new(id).build(&values);
        if is_long {
            for (place, value) in values.iter().enumerate() {
                let Value::Bytes(bytes) = value else { continue };
                for piece in bytes.chunks(MAX_PAYLOAD_LEN / 2) {
                    self.command(&serialized(&ComStmtSendLongData::new(id, place as u16, piece))).await?;
                }
            }
        }
        self.command(&serialized(&request)).await?;
        self.results::<Binary>().await
    }

    /// Reads what the server says of statements until it is ready again.
    async fn results<P>(&mut self) -> Result<SqlAnswer, SqlError>
    where
        for<'de> RowDeserializer<ServerSide, P>: MyDeserialize<'de, Ctx = Arc<[Column]>>,
    {
        let (mut answer, mut is_whole) = (SqlAnswer { last_insert_id: Some(0), ..SqlAnswer::default() }, false);
        loop {
            let packet = self.next().await?;
            match packet.first() {
                Some(&ERR) => return Err(self.refusal(&packet)),
                Some(&OK) => (answer.affected, answer.last_insert_id) = self.note_ok(&packet)?,
                Some(&LOCAL_INFILE) => {
                    // Nothing of the file.
                    self.send(&[]).await?;
                    self.next().await?;
                    return Err(SqlError::refused("mysql: LOAD DATA LOCAL INFILE is not offered"));
                }
                _ => {
                    let count = ParseBuf(&packet).checked_eat_lenenc_int().ok_or_else(|| malformed("no columns"))?;
                    let columns: Arc<[Column]> = self.columns(count).await?.into();
                    let rows = self.rows::<P>(&columns).await?;
                    if !is_whole {
                        is_whole = true;
                        let name = |column: &Column| match self.dsn.has_table_names && !column.table_ref().is_empty() {
                            true => format!("{}.{}", column.table_str(), column.name_str()),
                            false => column.name_str().into_owned(),
                        };
                        answer.columns = columns.iter().map(name).collect();
                        answer.rows = rows;
                    }
                }
            }
            if !self.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS) {
                return Ok(answer);
            }
        }
    }

    async fn rows<P>(&mut self, columns: &Arc<[Column]>) -> Result<Vec<Vec<SqlValue>>, SqlError>
    where
        for<'de> RowDeserializer<ServerSide, P>: MyDeserialize<'de, Ctx = Arc<[Column]>>,
    {
        let mut rows = Vec::new();
        loop {
            let packet = self.next().await?;
            match packet.first() {
                Some(&ERR) => return Err(self.refusal(&packet)),
                Some(&EOF) if packet.len() < 9 => {
                    self.note_eof(&packet)?;
                    return Ok(rows);
                }
                _ => {
                    let mut buffer = ParseBuf(&packet);
                    let row = RowDeserializer::<ServerSide, P>::deserialize(columns.clone(), &mut buffer);
                    let row: Row = row.map_err(malformed)?.into_inner();
                    let values = row.unwrap().into_iter().zip(columns.iter());
                    let parses_time = self.dsn.parses_time;
                    rows.push(values.map(|(value, column)| decode(column, value, parses_time)).collect());
                }
            }
        }
    }

    async fn columns(&mut self, count: u64) -> Result<Vec<Column>, SqlError> {
        if count > MAX_COLUMNS {
            return Err(malformed(format_args!("{count} columns")));
        }
        let mut columns = Vec::new();
        for _ in 0..count {
            let packet = self.next().await?;
            columns.push(Column::deserialize((), &mut ParseBuf(&packet)).map_err(malformed)?);
        }
        let packet = self.next().await?;
        self.note_eof(&packet)?;
        Ok(columns)
    }

    /// How many rows were affected, and the number that one was given.
    fn note_ok(&mut self, packet: &[u8]) -> Result<(u64, Option<i64>), SqlError> {
        let parsed = OkPacketDeserializer::<CommonOkPacket>::deserialize(self.capabilities, &mut ParseBuf(packet));
        let ok = parsed.map_err(malformed)?.into_inner();
        self.status = ok.status_flags();
        Ok((ok.affected_rows(), Some(ok.last_insert_id().unwrap_or_default() as i64)))
    }

    fn note_eof(&mut self, packet: &[u8]) -> Result<(), SqlError> {
        let parsed = OkPacketDeserializer::<OldEofPacket>::deserialize(self.capabilities, &mut ParseBuf(packet));
        self.status = parsed.map_err(malformed)?.into_inner().status_flags();
        Ok(())
    }

    /// The server's refusal as go-sql-driver shows it.
    fn refusal(&self, packet: &[u8]) -> SqlError {
        match ErrPacket::deserialize(self.capabilities, &mut ParseBuf(packet)) {
            Ok(ErrPacket::Error(error)) => {
                let state = error.sql_state_ref().map(|state| format!(" ({})", state.as_str())).unwrap_or_default();
                let code = error.error_code();
                SqlError::refused(format!("Error {code}{state}: {}", error.message_str()))
            }
            Ok(ErrPacket::Progress(_)) => malformed("a report of progress"),
            Err(error) => malformed(error),
        }
    }

    /// Sends a packet with which an exchange begins.
    async fn command(&mut self, packet: &[u8]) -> Result<(), SqlError> {
        self.codec.reset_seq_id();
        if packet.len() > self.dsn.max_packet {
            return Err(SqlError::refused(
                "packet for query is too large. Try adjusting the `Config.MaxAllowedPacket`",
            ));
        }
        self.send(packet).await
    }

    async fn send(&mut self, mut packet: &[u8]) -> Result<(), SqlError> {
        let mut out = BytesMut::new();
        self.codec.encode(&mut packet, &mut out).map_err(malformed)?;
        let stream = self.stream.as_mut().ok_or_else(gone)?;
        let sent = async {
            stream.write_all(&out).await?;
            stream.flush().await
        };
        within(self.dsn.write_timeout, sent).await.map_err(|_| gone())
    }

    async fn next(&mut self) -> Result<Vec<u8>, SqlError> {
        let mut packet = Vec::new();
        loop {
            if self.codec.decode(&mut self.inbox, &mut packet).map_err(malformed)? {
                return Ok(packet);
            }
            self.inbox.reserve(READ_LEN);
            let stream = self.stream.as_mut().ok_or_else(gone)?;
            match within(self.dsn.read_timeout, stream.read_buf(&mut self.inbox)).await {
                Ok(0) | Err(_) => return Err(gone()),
                Ok(_) => {}
            }
        }
    }

    /// True when the server has closed it, or has sent what nobody asked for.
    pub(in crate::net::sql) fn is_stale(&mut self) -> bool {
        !self.inbox.is_empty() || self.stream.as_mut().is_none_or(NetStream::is_stale)
    }
}

const UTF8MB4_GENERAL_CI: u8 = 45;

fn auth_native(password: &str, challenge: &[u8]) -> Vec<u8> {
    auth::answer(&AuthPlugin::MysqlNativePassword, password, challenge, false, false, true).unwrap_or_default()
}

fn serialized(packet: &impl MySerialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.serialize(&mut bytes);
    bytes
}

async fn within<T>(limit: Option<Duration>, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
    }
}
