//! A statement that nobody waits for any more is cancelled.

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::AsyncWriteExt as _;

use super::dsn::PostgresDsn;
use crate::net::client_connections::ClientConnections;

/// Asks the server to end what a session does, as PostgreSQL wants it asked: over a connection of its own.
pub(in crate::net::sql) async fn cancel(
    connections: &ClientConnections,
    dsn: &PostgresDsn,
    (process, secret): (i32, i32),
) {
    let Ok((mut socket, _)) = connections.connector().dial(&dsn.host, &dsn.port).await else { return };
    let mut request = BytesMut::new();
    frontend::cancel_request(process, secret, &mut request);
    // The server answers by closing.
    if socket.write_all(&request).await.is_ok() && socket.flush().await.is_ok() {
        _ = tokio::io::AsyncReadExt::read(&mut socket, &mut [0]).await;
    }
}
