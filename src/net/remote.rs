//! What a script holds of something that lives on its client's network thread: a pool, a socket, a session.
//!
//! The script's half sends jobs; each runs beside the others and is dropped, with the connection it holds, when nobody waits for it
//! any more. Dropping the script's half drops the thing itself once its jobs have ended.

use std::fmt;
use std::future::Future;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::client::Client;
use super::client_connections::ClientConnections;

/// Something to do with a `T` on its thread.
type RemoteJob<T> = Box<dyn FnOnce(Rc<T>) -> LocalBoxFuture<'static, ()> + Send>;

/// The script's half of a `T` on a network thread.
pub struct Remote<T> {
    jobs: mpsc::UnboundedSender<RemoteJob<T>>,
    /// The thread's half ends with the client, so the client must outlive it.
    _client: Client,
}

impl<T> fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

impl<T: 'static> Remote<T> {
    /// What `make` makes on the network thread of `client`.
    pub fn new(client: &Client, make: impl FnOnce(Rc<ClientConnections>) -> T + Send + 'static) -> Self {
        let (jobs, mut jobs_rx) = mpsc::unbounded_channel::<RemoteJob<T>>();
        // Sent at once, and not awaited: it lives as long as the script's half.
        drop(client.run(move |connections| async move {
            let thing = Rc::new(make(connections));
            while let Some(job) = jobs_rx.recv().await {
                tokio::task::spawn_local(job(thing.clone()));
            }
        }));
        Self { jobs, _client: client.clone() }
    }

    /// Begins `job` at once; the future resolves to what came of it, `None` when the thread has ended. Dropping the future
    /// drops the job.
    pub fn call<R, F, J>(&self, job: J) -> impl Future<Output = Option<R>> + Send + use<R, F, J, T>
    where
        J: FnOnce(Rc<T>) -> F + Send + 'static,
        R: Send + 'static,
        F: Future<Output = R> + 'static,
    {
        let (mut reply_tx, reply_rx) = oneshot::channel();
        _ = self.jobs.send(Box::new(move |thing| {
            let job = job(thing);
            Box::pin(async move {
                let result = tokio::select! {
                    biased;
                    () = reply_tx.closed() => return,
                    result = job => result,
                };
                _ = reply_tx.send(result);
            })
        }));
        async move { reply_rx.await.ok() }
    }
}
