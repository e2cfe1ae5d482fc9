//! The hand-over between the threads that run scripts and the threads that speak to the network.
//!
//! One queue per network thread. A busy thread is not woken: it takes what has gathered when it comes around.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::LocalBoxFuture;
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot};

use super::client_connections::{ClientConnections, NetContext};
use super::http::Exchange;
use super::http::exchange::{PreparedRequest, run};
use super::socket::Traffic;

/// A task of any kind for a client's network thread.
pub type NetTask = Box<dyn FnOnce(Rc<ClientConnections>) -> LocalBoxFuture<'static, ()> + Send>;

/// Who a job belongs to.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Unique among the clients of a run.
    pub id: u64,
    /// Which own address it connects from.
    pub index: u64,
    /// Where its bytes are counted.
    pub traffic: Arc<Traffic>,
}

/// What is handed over.
pub enum NetCommand {
    /// An HTTP request, and where its answer goes.
    Job(ClientInfo, Arc<PreparedRequest>, oneshot::Sender<Exchange>),
    /// Anything else.
    Run(ClientInfo, NetTask),
    /// Close the idle connections of this client.
    CloseIdle(u64),
    /// This client is gone.
    Forget(u64),
}

/// The entrance to a network thread.
pub type NetQueue = mpsc::UnboundedSender<NetCommand>;

/// Serves one network thread until every port to it is gone.
pub async fn serve(means: Arc<NetContext>, mut inbox: mpsc::UnboundedReceiver<NetCommand>) {
    let mut endpoints: FxHashMap<u64, Rc<ClientConnections>> = FxHashMap::default();
    let find = |endpoints: &mut FxHashMap<u64, Rc<ClientConnections>>, owner: ClientInfo| {
        let new = || Rc::new(ClientConnections::new(means.clone(), owner.index, owner.traffic));
        endpoints.entry(owner.id).or_insert_with(new).clone()
    };
    while let Some(message) = inbox.recv().await {
        match message {
            NetCommand::Job(owner, ask, reply) => {
                let endpoint = find(&mut endpoints, owner);
                tokio::task::spawn_local(answer(endpoint, ask, reply));
            }
            NetCommand::Run(owner, work) => {
                tokio::task::spawn_local(work(find(&mut endpoints, owner)));
            }
            NetCommand::CloseIdle(id) => {
                if let Some(endpoint) = endpoints.get(&id) {
                    endpoint.close_idle();
                }
            }
            NetCommand::Forget(id) => _ = endpoints.remove(&id),
        }
    }
}

/// Runs a job, unless nobody waits for it any more: then it is dropped together with its connection.
async fn answer(endpoint: Rc<ClientConnections>, ask: Arc<PreparedRequest>, mut reply: oneshot::Sender<Exchange>) {
    let exchange = {
        let mut job = std::pin::pin!(run(&endpoint, &ask));
        poll_fn(|cx| match reply.poll_closed(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => job.as_mut().poll(cx).map(Some),
        })
        .await
    };
    if let Some(exchange) = exchange {
        // Nobody to take it: the VU was interrupted in this very moment.
        _ = reply.send(exchange);
    }
}
