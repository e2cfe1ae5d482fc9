//! What a VU sends through: a handle to its connections on a network thread.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::client_connections::ClientConnections;
use super::dispatch::{ClientInfo, NetCommand, NetQueue, NetTask};
use super::http::exchange::PreparedRequest;
use super::http::message::{BodyMode, Exchange, Hop, Request};
use super::http::proto::error::NetError;

/// Sends requests for one VU, over connections that no other VU uses. Clones share them.
#[derive(Clone, Debug)]
pub struct Client(Arc<ClientInner>);

#[derive(Debug)]
struct ClientInner {
    info: ClientInfo,
    queue: NetQueue,
}

impl Drop for ClientInner {
    fn drop(&mut self) {
        // Fails only when the thread has ended, and its connections with it.
        _ = self.queue.send(NetCommand::RemoveClient(self.info.id));
    }
}

impl Client {
    pub(super) fn new(info: ClientInfo, queue: NetQueue) -> Self {
        Self(Arc::new(ClientInner { info, queue }))
    }

    /// As [`Client::start`], without the handle.
    #[cfg(test)]
    pub fn send(&self, request: Request) -> impl Future<Output = Exchange> + Send + use<> {
        self.start(Arc::new(request)).1
    }

    /// Sends a request at once; the future resolves to its outcome. Dropping the future cancels the request and closes
    /// its connection; [`SentRequest`] has the hops that had ended by then. Decoding the body counts against the
    /// timeout; all but the first moment of it runs on the threads of the CPU pool, so the future must be awaited
    /// inside a Tokio runtime.
    pub fn start(&self, request: Arc<Request>) -> (SentRequest, impl Future<Output = Exchange> + Send + use<>) {
        // A timeout beyond what the clock can represent is no timeout.
        let deadline = Instant::now().checked_add(request.timeout);
        let started = match PreparedRequest::new(request) {
            Ok(prepared) => {
                let prepared = Arc::new(prepared);
                let (reply_tx, reply_rx) = oneshot::channel();
                _ = self.0.queue.send(NetCommand::Request(self.0.info.clone(), prepared.clone(), reply_tx));
                // The client must outlive its requests: dropping the last clone closes its connections.
                Ok((self.clone(), prepared, reply_rx))
            }
            Err(exchange) => Err(exchange),
        };
        let sent = SentRequest(started.as_ref().ok().map(|(_, prepared, _)| prepared.clone()));
        let outcome = async move {
            let (_client, prepared, reply_rx) = match started {
                Ok(started) => started,
                Err(exchange) => return *exchange,
            };
            let Ok(mut exchange) = reply_rx.await else { return canceled(&prepared) };
            match prepared.body_mode() {
                // A VU that is interrupted while the body is decoded has its response: the hops stay in `SentRequest`.
                BodyMode::Keep => exchange.decoded(deadline, || prepared.take_ended()).await,
                BodyMode::Discard | BodyMode::First(_) => {
                    exchange.hops = prepared.take_ended();
                    exchange
                }
            }
        };
        (sent, outcome)
    }

    /// Runs `task` on this client's network thread; `None` when that thread has ended. Dropping the future does not stop
    /// the task.
    pub fn run<T, F, W>(&self, task: W) -> impl Future<Output = Option<T>> + Send + use<T, F, W>
    where
        W: FnOnce(Rc<ClientConnections>) -> F + Send + 'static,
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let (reply_tx, reply_rx) = oneshot::channel();
        let task: NetTask = Box::new(move |connections| {
            let task = task(connections);
            Box::pin(async move { _ = reply_tx.send(task.await) })
        });
        _ = self.0.queue.send(NetCommand::Run(self.0.info.clone(), task));
        async move { reply_rx.await.ok() }
    }

    /// Bytes sent and received on raw sockets since the last call.
    pub fn traffic(&self) -> (u64, u64) {
        self.0.info.traffic.take()
    }

    /// Closes the idle connections, as `noVUConnectionReuse` asks after each iteration.
    pub fn close_idle(&self) {
        _ = self.0.queue.send(NetCommand::CloseIdle(self.0.info.id));
    }
}

/// A handle to a request that was sent.
#[derive(Debug)]
pub struct SentRequest(Option<Arc<PreparedRequest>>);

impl SentRequest {
    /// The hops that have ended and were not returned with the exchange: for callers that stop waiting for it.
    pub fn take_ended(&self) -> Vec<Hop> {
        self.0.as_ref().map(|prepared| prepared.take_ended()).unwrap_or_default()
    }
}

/// The outcome when the network thread has ended: the run is over.
fn canceled(prepared: &PreparedRequest) -> Exchange {
    let (method, url) = prepared.method_and_url();
    let error = NetError::other("context canceled").of(method, url);
    let (hops, url) = (prepared.take_ended(), url.clone());
    Exchange { hops, result: Err(error), stopped_redirecting: false, url, cookie: None, dumps: Vec::new() }
}
