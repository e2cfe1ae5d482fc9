//! What the packets of a server are read with.

use std::sync::Arc;

use mysql_common::constants::{CapabilityFlags, ColumnType};
use mysql_common::io::ParseBuf;
use mysql_common::packets::{
    AuthSwitchRequest, Column, CommonOkPacket, ErrPacket, OkPacketDeserializer, OldEofPacket, StmtPacket,
};
use mysql_common::proto::{Binary, MyDeserialize, Text};
use mysql_common::row::RowDeserializer;
use mysql_common::value::ServerSide;

use super::auth;
use super::value::decode;

/// A packet, taken for each kind there is.
pub(in crate::net::sql) fn packets(kind: u8, data: &[u8]) {
    fn read<'d, T: MyDeserialize<'d>>(context: T::Ctx, data: &'d [u8]) -> Option<T> {
        T::deserialize(context, &mut ParseBuf(data)).ok()
    }
    let capabilities = CapabilityFlags::CLIENT_PROTOCOL_41 | CapabilityFlags::CLIENT_PLUGIN_AUTH;
    if let Ok(hello) = auth::hello(data) {
        _ = (hello.nonce(), hello.auth_plugin().map(|plugin| plugin.into_owned()), hello.capabilities());
    }
    if let Some(request) = read::<AuthSwitchRequest<'_>>((), data) {
        _ = (request.auth_plugin().into_owned(), request.plugin_data().len());
    }
    if let Some(column) = read::<Column>((), data) {
        _ = (column.name_str().into_owned(), column.table_str().into_owned());
    }
    _ = read::<OkPacketDeserializer<'_, CommonOkPacket>>(capabilities, data);
    _ = read::<OkPacketDeserializer<'_, OldEofPacket>>(capabilities, data);
    _ = read::<StmtPacket>((), data);
    if let Some(ErrPacket::Error(error)) = read::<ErrPacket<'_>>(capabilities, data) {
        _ = error.message_str().into_owned();
    }
    let kinds = [
        ColumnType::MYSQL_TYPE_LONGLONG,
        ColumnType::MYSQL_TYPE_DATETIME,
        ColumnType::MYSQL_TYPE_TIME,
        ColumnType::MYSQL_TYPE_VAR_STRING,
        ColumnType::MYSQL_TYPE_DOUBLE,
        ColumnType::MYSQL_TYPE_FLOAT,
        ColumnType::MYSQL_TYPE_DATE,
        ColumnType::MYSQL_TYPE_TINY,
    ];
    let column = |at: u8| Column::new(kinds[usize::from(kind.wrapping_add(at)) % kinds.len()]).with_decimals(kind);
    let columns: Arc<[Column]> = (0..kind % 4).map(column).collect::<Vec<_>>().into();
    let rows = [
        read::<RowDeserializer<ServerSide, Text>>(columns.clone(), data).map(RowDeserializer::into_inner),
        read::<RowDeserializer<ServerSide, Binary>>(columns.clone(), data).map(RowDeserializer::into_inner),
    ];
    for row in rows.into_iter().flatten() {
        for (value, column) in row.unwrap().into_iter().zip(columns.iter()) {
            _ = decode(column, value, kind.is_multiple_of(2));
        }
    }
}
