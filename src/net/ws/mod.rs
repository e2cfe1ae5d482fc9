//! WebSocket under load: connections of the network threads or of the scripts' own, each with a [`SocketChannel`] to the script
//! that opened it.
//!
//! They are opened by the rules of HTTP: names, proxies, TLS and local addresses, and their bytes are counted with the
//! client's. No JavaScript and no metrics here: events carry their times, the caller counts them.

pub mod channel;
pub mod close;
mod connection;
pub mod deflate;
pub mod frame;
pub mod handshake;
mod local;

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

pub use channel::{OutgoingMessage, SocketChannel, SocketEvent, TimedEvent, WrittenMessage};
pub use handshake::{HandshakeError, HandshakeRequest, HandshakeResponse};
pub use local::{Attendance, LocalPump};

use tokio::sync::oneshot;

use super::client::Client;
use super::stand_in;
use channel::NetworkEnd;
use connection::SocketTask;

/// Opens a connection of this client. The channel carries what happens on it, also why it could not be opened.
pub fn open(client: &Client, request: Result<HandshakeRequest, String>) -> (Arc<SocketChannel>, Rc<LocalPump>) {
    let local = LocalPump::new();
    let channel = Arc::new(SocketChannel::default());
    let network_end = NetworkEnd(channel.clone());
    match request {
        // The task runs until the connection ends; the channel is the handle to it.
        Ok(request) => {
            let script_thread = stand_in::watches_this_thread().then(|| serve_here(local.clone()));
            let request = Box::new(request);
            drop(client.run(move |connections| connection::run(connections, request, network_end, script_thread)))
        }
        Err(text) => {
            let started = Instant::now();
            network_end
                .push_event(started, SocketEvent::Failed(Box::new(HandshakeError { text, response: None, started })));
        }
    }
    (channel, local)
}

/// Has this thread, inside a `LocalSet`, serve the connection that comes out of the sender it returns.
fn serve_here(local: Rc<LocalPump>) -> oneshot::Sender<SocketTask> {
    let (opened_tx, opened_rx) = oneshot::channel::<SocketTask>();
    tokio::task::spawn_local(async move {
        // There is none where it could not be opened, or is served by the network thread.
        if let Ok(open) = opened_rx.await {
            local.serve(open).await;
        }
    });
    opened_tx
}
