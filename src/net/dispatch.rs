//! The queue between the threads that run scripts and a network thread, and the loop that serves it.
//!
//! One queue per network thread. A busy thread is not woken: it takes what has queued up when it gets to it.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::LocalBoxFuture;
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot};

use super::arrival;
use super::client_connections::ClientConnections;
use super::connector::NetContext;
use super::http::exchange::{self, OpenExchange};
use super::http::message::Exchange;
use super::http::pool::LentConnections;
use super::socket::Traffic;
use crate::units::pin_box::pin_box;

/// A task of any kind for a client's network thread.
pub type NetTask = Box<dyn FnOnce(Rc<ClientConnections>) -> LocalBoxFuture<'static, ()> + Send>;

/// Which client a command is for, and what its connections need to know.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Unique among the clients of a run.
    pub id: u64,
    /// Chooses among the addresses of `localIPs`.
    pub index: u64,
    /// Where its bytes are counted.
    pub traffic: Arc<Traffic>,
}

/// An exchange that the network thread is to run.
#[derive(Debug)]
pub struct Errand {
    /// What is to be sent, or has been begun.
    pub exchange: Box<OpenExchange>,
    /// Connections it may use; `None` where the thread that asks has none, and wants none back.
    pub lent: Option<LentConnections>,
}

/// What came of an [`Errand`].
#[derive(Debug)]
pub struct ErrandReport {
    /// The exchange, which is over.
    pub exchange: Box<Exchange>,
    /// Connections that the thread of the VU may use from now on.
    pub lent: LentConnections,
}

/// What a network thread is asked to do.
pub enum NetCommand {
    /// Send an HTTP request, or go on with it, and reply with its outcome.
    Request(ClientInfo, Errand, oneshot::Sender<ErrandReport>),
    /// Run a task with the client's connections.
    Run(ClientInfo, NetTask),
    /// Close the idle connections of the client with this id.
    CloseIdle(u64),
    /// The client with this id was dropped: close its connections.
    RemoveClient(u64),
}

/// The sending half of a network thread's queue.
pub type NetQueue = mpsc::UnboundedSender<NetCommand>;

/// Serves one network thread until all senders of its queue are dropped.
pub async fn serve(context: Arc<NetContext>, mut commands: mpsc::UnboundedReceiver<NetCommand>) {
    let mut clients: FxHashMap<u64, Rc<ClientConnections>> = FxHashMap::default();
    let find = |clients: &mut FxHashMap<u64, Rc<ClientConnections>>, client: ClientInfo| {
        let new = || Rc::new(ClientConnections::new(context.clone(), client.index, client.traffic));
        clients.entry(client.id).or_insert_with(new).clone()
    };
    while let Some(command) = commands.recv().await {
        match command {
            NetCommand::Request(client, errand, reply_tx) => {
                let connections = find(&mut clients, client);
                // Boxed, it is not moved with its task, which is several KB.
                tokio::task::spawn_local(pin_box(|| run_request(connections, errand, reply_tx)));
            }
            NetCommand::Run(client, task) => {
                tokio::task::spawn_local(task(find(&mut clients, client)));
            }
            NetCommand::CloseIdle(id) => {
                if let Some(connections) = clients.get(&id) {
                    connections.close_idle();
                }
            }
            NetCommand::RemoveClient(id) => _ = clients.remove(&id),
        }
    }
}

/// Runs a request until it ends or its receiver is dropped; then it is dropped together with its connection.
async fn run_request(connections: Rc<ClientConnections>, errand: Errand, mut reply_tx: oneshot::Sender<ErrandReport>) {
    let Errand { mut exchange, lent } = errand;
    let lends = lent.is_some();
    connections.keep(lent.unwrap_or_default());
    exchange.arrive();
    connections.count_exchanges(1);
    let exchange = {
        let mut request = std::pin::pin!(exchange::run_to_end(&connections, exchange));
        poll_fn(|cx| match reply_tx.poll_closed(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => request.as_mut().poll(cx).map(Some),
        })
        .await
    };
    connections.count_exchanges(-1);
    if let Some(exchange) = exchange {
        // What takes long stays here. So does everything where a thread that is busy would not know when it arrived.
        let lent = match lends && arrival::is_stamped() {
            true => connections.lend(),
            false => LentConnections::default(),
        };
        // Fails when the VU was interrupted in this very moment.
        if let Err(reply) = reply_tx.send(ErrandReport { exchange, lent }) {
            connections.keep(reply.lent);
        }
    }
}
