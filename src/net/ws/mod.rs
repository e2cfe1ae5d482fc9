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
use std::task::{Context, Waker};
use std::time::Instant;

pub use channel::{OutgoingMessage, SocketChannel, SocketEvent, TimedEvent, WrittenMessage};
pub use frame::give_message;
pub use handshake::{HandshakeError, HandshakeRequest, HandshakeResponse};
pub use local::{Attendance, LocalPump};

use tokio::sync::oneshot;

use super::http_client::HttpClient;
use super::{arrival, stand_in};
use channel::NetworkEnd;
use connection::SocketTask;

/// Opens a connection of this client. The channel carries what happens on it, also why it could not be opened.
pub fn open(http: &HttpClient, request: Result<HandshakeRequest, String>) -> (Arc<SocketChannel>, Rc<LocalPump>) {
    let local = LocalPump::new();
    let channel = Arc::new(SocketChannel::default());
    let network_end = NetworkEnd::new(channel.clone());
    match request {
        // The task runs until the connection ends; the channel is the handle to it.
        Ok(request) => {
            let request = Box::new(request);
            let serves_here = stand_in::watches_this_thread();
            // Connecting is part of what is measured.
            let started = Instant::now();
            let at_once = http.here.as_ref().filter(|_| serves_here && arrival::is_stamped()).and_then(|here| {
                let socket = request.dial_at_once(here)?;
                Some((here.clone(), socket))
            });
            if let Some((here, socket)) = at_once {
                let local = local.clone();
                run_here(async move { local.open(here, request, socket, network_end, started).await });
            } else {
                let script_thread = serves_here.then(|| serve_here(local.clone()));
                let run = move |connections| connection::run(connections, request, network_end, script_thread);
                drop(http.client.run(run));
            }
        }
        Err(text) => {
            let started = Instant::now();
            network_end
                .push_event(started, SocketEvent::Failed(Box::new(HandshakeError { text, response: None, started })));
        }
    }
    (channel, local)
}

/// Runs a task of this thread, inside a `LocalRuntime`, whose beginning does not wait for what the script does next.
fn run_here(task: impl Future<Output = ()> + 'static) {
    let mut task = Box::pin(task);
    if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        tokio::task::spawn_local(task);
    }
}

/// Has this thread, inside a `LocalRuntime`, serve the connection that comes out of the sender it returns.
fn serve_here(local: Rc<LocalPump>) -> oneshot::Sender<SocketTask> {
    let (opened_tx, opened_rx) = oneshot::channel::<SocketTask>();
    tokio::task::spawn_local(async move {
        // There is none where it could not be opened, or is served by the network thread.
        if let Some(pump) = opened_rx.await.ok().and_then(SocketTask::attach) {
            local.serve(pump).await;
        }
    });
    opened_tx
}
