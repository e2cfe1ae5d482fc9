//! What a VU sends through: a handle to its connections on a network thread.

use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::client_connections::ClientConnections;
use super::connector::NetContext;
use super::dispatch::{ClientInfo, Errand, ErrandReport, NetCommand, NetQueue, NetTask};

/// The connections of one VU, which no other VU uses. Clones share them.
#[derive(Clone, Debug)]
pub struct Client(Arc<ClientInner>);

#[derive(Debug)]
struct ClientInner {
    info: ClientInfo,
    queue: NetQueue,
    /// `None` where nothing may be sent.
    context: Option<Arc<NetContext>>,
}

impl Drop for ClientInner {
    fn drop(&mut self) {
        // Fails only when the thread has ended, and its connections with it.
        _ = self.queue.send(NetCommand::RemoveClient(self.info.id));
    }
}

impl Client {
    pub(super) fn new(info: ClientInfo, queue: NetQueue, context: Option<Arc<NetContext>>) -> Self {
        Self(Arc::new(ClientInner { info, queue, context }))
    }

    /// What the client keeps on the thread that asks, which runs scripts too; `None` where nothing may be sent.
    pub(super) fn connections_here(&self) -> Option<ClientConnections> {
        let ClientInfo { index, traffic, .. } = &self.0.info;
        let context = self.0.context.clone()?;
        Some(ClientConnections::on_worker(context, *index, traffic.clone()))
    }

    /// Has the network thread run an exchange, at once; the future resolves to what came of it, `None` when that thread has ended.
    /// Dropping the future cancels the exchange and closes its connection.
    pub(super) fn run_exchange(&self, errand: Errand) -> impl Future<Output = Option<ErrandReport>> + Send + use<> {
        let (reply_tx, reply_rx) = oneshot::channel();
        _ = self.0.queue.send(NetCommand::Request(self.0.info.clone(), errand, reply_tx));
        // The client must outlive its requests: dropping the last clone closes its connections.
        let client = self.clone();
        async move {
            let reply = reply_rx.await.ok();
            drop(client);
            reply
        }
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

    /// Closes the idle connections of the network thread.
    pub(super) fn close_idle(&self) {
        _ = self.0.queue.send(NetCommand::CloseIdle(self.0.info.id));
    }
}
