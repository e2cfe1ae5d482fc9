//! WebSocket under load: connections on the network threads, each with a [`SocketChannel`] to the script that opened it.
//!
//! They are opened by the rules of HTTP: names, proxies, TLS and local addresses, and their bytes are counted with the
//! client's. No JavaScript and no metrics here: events carry their times, the caller counts them.

pub mod channel;
pub mod close;
mod connection;
pub mod deflate;
pub mod frame;
pub mod handshake;

#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

pub use channel::{OutgoingMessage, SocketChannel, SocketEvent, TimedEvent};
pub use handshake::{HandshakeError, HandshakeRequest, HandshakeResponse};

use super::client::Client;
use channel::NetworkEnd;

/// Opens a connection of this client. The channel carries what happens on it, also why it could not be opened.
pub fn open(client: &Client, request: Result<HandshakeRequest, String>) -> Arc<SocketChannel> {
    let channel = Arc::new(SocketChannel::default());
    let network_end = NetworkEnd(channel.clone());
    match request {
        // The task runs until the connection ends; the channel is the handle to it.
        Ok(request) => {
            drop(client.run(move |connections| connection::run(connections, Box::new(request), network_end)))
        }
        Err(text) => {
            let started = Instant::now();
            network_end
                .push_event(started, SocketEvent::Failed(Box::new(HandshakeError { text, response: None, started })));
        }
    }
    channel
}
