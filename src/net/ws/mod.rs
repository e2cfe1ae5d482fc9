//! WebSocket under load: connections on the network threads, each with a [`SocketChannel`] to the script that opened it.
//!
//! Sockets are opened by the rules of HTTP's: names, proxies, TLS and own addresses, and their bytes are counted with the
//! client's. No JavaScript and no metrics here: moments are told, whoever asks counts.

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

/// Opens a connection of this client. What comes of it is told on the line, also why it did not come about.
pub fn open(client: &Client, ask: Result<HandshakeRequest, String>) -> Arc<SocketChannel> {
    let line = Arc::new(SocketChannel::default());
    let far = NetworkEnd(line.clone());
    match ask {
        // The work goes on whoever waits for it; the line is what it is known by.
        Ok(ask) => drop(client.run(move |connections| connection::run(connections, Box::new(ask), far))),
        Err(text) => {
            let started = Instant::now();
            far.tell(started, SocketEvent::Failed(Box::new(HandshakeError { text, answer: None, started })));
        }
    }
    line
}
