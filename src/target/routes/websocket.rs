//! A WebSocket that gives back what it gets: `/ws/echo`. It agrees to the protocol `echo`, if that is asked for.

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;

pub(super) async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols(["echo"]).on_upgrade(give_back)
}

/// Pings and goodbyes are answered by the library.
async fn give_back(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
            break;
        }
    }
}
