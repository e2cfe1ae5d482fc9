//! How a VU sends HTTP requests: over idle connections from its own thread, where that costs no truth, else through the network
//! thread.
//!
//! The network thread opens every connection and carries the first request on it. One that is idle afterwards moves to the
//! thread of its VU: requests that leave in one write are sent from there, without a hand-over between two threads. That
//! this thread is busy with scripts shows in no time: what arrives is stamped by the kernel (`arrival`), what is
//! sent is stamped by who sends it, and whatever has to be done at once (opening, encryption's handshake, long bodies,
//! HTTP/2's windows) goes on on the network thread ([`OpenExchange`] moves there with all that is known of it).

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::task::JoinHandle;

use super::client::Client;
use super::client_connections::ClientConnections;
use super::dispatch::Errand;
use super::http::exchange::{self, OpenExchange, Outcome, PreparedRequest, RefusedRequest};
use super::http::message::{BodyMode, Exchange, Hop, Request};
use super::http::proto::error::NetError;
use crate::units::pin_box::pin_box;

/// Sends the HTTP requests of one VU, on its thread. Clones share its connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    pub(super) client: Client,
    /// The idle connections of this thread; `None` where nothing may be sent.
    pub(super) here: Option<Rc<ClientConnections>>,
}

impl HttpClient {
    /// Sends through `client`, from the thread that calls this.
    pub fn new(client: Client) -> Self {
        let here = client.connections_here().map(Rc::new);
        Self { client, here }
    }

    /// Sends through the network thread of `client` alone, from any thread.
    #[cfg(feature = "browser")]
    pub fn remote(client: Client) -> Self {
        Self { client, here: None }
    }

    /// Bytes sent and received on raw sockets since the last call.
    #[cfg(test)]
    pub fn traffic(&self) -> (u64, u64) {
        self.client.traffic()
    }

    /// As [`start`](Self::start) and [`StartedRequest::run`].
    #[cfg(test)]
    pub fn send(&self, request: Request) -> impl Future<Output = Exchange> + use<> {
        let started = self.start(Arc::new(request));
        async move { *started.run().await }
    }

    /// Checks a request, which is sent when it is [run](StartedRequest::run).
    pub fn start(&self, request: Arc<Request>) -> StartedRequest {
        StartedRequest { client: self.clone(), prepared: PreparedRequest::new(request) }
    }

    async fn exchange(&self, prepared: Arc<PreparedRequest>) -> Box<Exchange> {
        let open = Box::new(OpenExchange::new(prepared.clone()));
        let deadline = open.deadline();
        let exchange = match &self.here {
            Some(here) if prepared.is_light() && here.serves(prepared.method_and_url().1) => {
                match exchange::run(here, open).await {
                    Outcome::Done(exchange) => Some(exchange),
                    Outcome::GoesOn(open) => self.run_there(open).await,
                }
            }
            _ => self.run_there(open).await,
        };
        let Some(mut exchange) = exchange else { return canceled(&prepared) };
        match prepared.body_mode() {
            // A VU that is interrupted while the body is decoded has its response: the hops stay in `RequestHandle`.
            BodyMode::Keep => exchange.decoded(deadline, || prepared.take_ended()).await,
            BodyMode::Discard | BodyMode::First(_) => {
                exchange.hops = prepared.take_ended();
                exchange
            }
        }
    }

    /// Has the network thread run it, with all idle connections: a redirect may lead to any host.
    async fn run_there(&self, mut exchange: Box<OpenExchange>) -> Option<Box<Exchange>> {
        exchange.detach();
        let lent = self.here.as_ref().map(|here| here.lend());
        let reply = self.client.run_exchange(Errand { exchange, lent }).await?;
        if let Some(here) = &self.here {
            here.keep(reply.lent);
        }
        Some(reply.exchange)
    }

    /// Closes the idle connections, as `noVUConnectionReuse` asks after each iteration.
    pub fn close_idle(&self) {
        if let Some(here) = &self.here {
            here.close_idle();
        }
        self.client.close_idle();
    }
}

/// A request that is about to be sent.
#[derive(Debug)]
pub struct StartedRequest {
    client: HttpClient,
    prepared: Result<Arc<PreparedRequest>, Box<RefusedRequest>>,
}

impl StartedRequest {
    /// A handle to it.
    pub fn handle(&self) -> RequestHandle {
        RequestHandle(self.prepared.as_ref().ok().cloned())
    }

    /// Sends it: its outcome. Dropping the future cancels the request and closes its connection; [`RequestHandle`] has the hops that
    /// had ended by then. Decoding the body counts against the timeout; all but the first moment of it runs on the threads of the CPU
    /// pool. The future must be awaited inside a `LocalRuntime` of Tokio that waits for sockets. It is of some KB, which are not
    /// copied where it is awaited at once.
    pub async fn run(self) -> Box<Exchange> {
        match self.prepared {
            Ok(prepared) => self.client.exchange(prepared).await,
            Err(refused) => OpenExchange::refuse(*refused),
        }
    }
}

/// Has a request get on while its caller does other things: it is a task of this thread, inside a `LocalRuntime`, and ends with who waits
/// for it.
pub async fn apart(started: StartedRequest) -> Box<Exchange> {
    Apart(tokio::task::spawn_local(pin_box(|| started.run()))).await
}

/// An exchange that is a task of its own, and ends with who waits for it.
struct Apart(JoinHandle<Box<Exchange>>);

impl Future for Apart {
    type Output = Box<Exchange>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Box<Exchange>> {
        match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(exchange) => Poll::Ready(exchange),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Its thread is about to end.
                Err(_) => Poll::Pending,
            },
        }
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A handle to a request that was sent.
#[derive(Debug)]
pub struct RequestHandle(Option<Arc<PreparedRequest>>);

impl RequestHandle {
    /// The hops that have ended and were not returned with the exchange: for callers that stop waiting for it.
    pub fn take_ended(&self) -> Vec<Hop> {
        self.0.as_ref().map(|prepared| prepared.take_ended()).unwrap_or_default()
    }
}

/// The outcome when the network thread has ended: the run is over.
fn canceled(prepared: &PreparedRequest) -> Box<Exchange> {
    let (method, url) = prepared.method_and_url();
    let error = NetError::other("context canceled").of(method, url);
    let (hops, url) = (prepared.take_ended(), url.clone());
    Box::new(Exchange { hops, result: Err(error), stopped_redirecting: false, url, cookie: None, dumps: Vec::new() })
}
