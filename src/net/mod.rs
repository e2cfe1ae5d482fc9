//! How bytes travel under load: a few network threads, and one client per VU with its own connections.
//!
//! Requests are sent, received and timestamped on the network threads, so that timings hold no JavaScript. No
//! JavaScript and no metrics here: whoever asks gets an [`http::Exchange`] with everything that happened.

pub mod arrival;
pub mod client_connections;
pub mod config;
pub mod cpu_pool;
pub mod dial;
pub mod dispatch;
pub mod dns;
pub mod grpc;
pub mod http;
pub mod open_files;
pub mod origin;
pub mod proxy;
pub mod socket;
pub mod socks;
pub mod tls;
pub mod ws;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

pub use client_connections::ClientConnections;
pub use config::{ClientCertificate, Config, Dns, DnsPolicy, DnsSelect, ProxyConfig, TlsConfig, TlsProtocolVersion};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use client_connections::NetContext;
use dispatch::{NetCommand, ClientInfo, NetQueue};
use http::exchange::PreparedRequest;
use http::proto::error::NetError;
use http::{BodyMode, Exchange, Hop, Request};
use open_files::OpenFiles;

/// The network threads of a run. They end when this and every client of it are gone.
#[derive(Debug)]
pub struct Net {
    ports: Vec<NetQueue>,
    next: AtomicU64,
    files: Arc<OpenFiles>,
}

impl Net {
    /// Starts `threads` network threads. Fails when the configuration can't be honoured or a thread can't start.
    pub fn start(config: Config, threads: usize) -> Result<Arc<Self>, Failure> {
        let files = Arc::new(OpenFiles::hold_back());
        let means = Arc::new(NetContext {
            dialer: dial::Dialer::new(&config, files.clone()),
            tls: tls::Tls::new(&config.tls, config.http2)?,
            proxies: proxy::Proxies::new(&config.proxy),
            config,
        });
        let ports = (0..threads.max(1)).map(|index| thread(index, means.clone())).collect::<Result<_, _>>()?;
        Ok(Arc::new(Self { ports, next: AtomicU64::new(0), files }))
    }

    /// A network without threads, for VUs that may not send anything: whatever they ask for is refused.
    pub fn idle() -> Arc<Self> {
        let (port, _) = mpsc::unbounded_channel();
        Arc::new(Self { ports: vec![port], next: AtomicU64::new(0), files: Arc::new(OpenFiles::none()) })
    }

    /// Resolves when a connection could not be made because this process may open no more files; never otherwise.
    pub async fn out_of_files(&self) {
        self.files.used_up().await;
    }

    /// A client of its own connections. `index` chooses among `localIPs` and spreads clients over the threads.
    pub fn client(&self, index: u64) -> Client {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let port = self.ports[(index % self.ports.len() as u64) as usize].clone();
        let owner = ClientInfo { id, index, traffic: Arc::default() };
        Client(Arc::new(ClientInner { owner, port }))
    }
}

fn thread(index: usize, means: Arc<NetContext>) -> Result<NetQueue, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(ExitCode::Other, format!("could not start network thread {index}: {error}"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (port, inbox) = mpsc::unbounded_channel();
    std::thread::Builder::new()
        .name(format!("volley-net-{index}"))
        .spawn(move || tokio::task::LocalSet::new().block_on(&runtime, dispatch::serve(means, inbox)))
        .map_err(failed)?;
    Ok(port)
}

/// Sends requests for one VU, over connections nobody else uses. Clones share them.
#[derive(Clone, Debug)]
pub struct Client(Arc<ClientInner>);

/// The half of a client that scripts hold.
#[derive(Debug)]
struct ClientInner {
    owner: ClientInfo,
    port: NetQueue,
}

impl Drop for ClientInner {
    fn drop(&mut self) {
        // A thread that is gone has forgotten already.
        _ = self.port.send(NetCommand::Forget(self.owner.id));
    }
}

impl Client {
    /// As [`Client::start`], for who waits to the end.
    #[cfg(test)]
    pub fn send(&self, request: Request) -> impl Future<Output = Exchange> + Send + use<> {
        self.start(request).1
    }

    /// Sends a request at once; the future brings what came of it. Dropping the future cancels the request and closes
    /// its connection; what had ended by then is told by [`SentRequest`]. Unpacking the body counts
    /// against the timeout; all but the first moment of it happens on threads for that, so the future must be awaited
    /// inside a Tokio runtime.
    pub fn start(&self, request: Request) -> (SentRequest, impl Future<Output = Exchange> + Send + use<>) {
        // A timeout that no clock can count to is none.
        let deadline = Instant::now().checked_add(request.timeout);
        let started = match PreparedRequest::new(request) {
            Ok(ask) => {
                let ask = Arc::new(ask);
                let (reply, answer) = oneshot::channel();
                _ = self.0.port.send(NetCommand::Job(self.0.owner.clone(), ask.clone(), reply));
                // The client must outlive its requests: the last one gone closes its connections.
                Ok((self.clone(), ask, answer))
            }
            Err(exchange) => Err(exchange),
        };
        let sent = SentRequest(started.as_ref().ok().map(|(_, ask, _)| ask.clone()));
        let answer = async move {
            let (_client, ask, answer) = match started {
                Ok(started) => started,
                Err(exchange) => return *exchange,
            };
            let Ok(mut exchange) = answer.await else { return gone(&ask) };
            match ask.body_mode() {
                // Interrupted while it unpacks, it has been answered all the same: its hops stay where `SentRequest` finds them.
                BodyMode::Keep => exchange.unpacked(deadline, || ask.take_ended()).await,
                BodyMode::Discard => {
                    exchange.hops = ask.take_ended();
                    exchange
                }
            }
        };
        (sent, answer)
    }

    /// Runs `work` on this client's network thread; `None` when that thread is gone. Dropping the future does not stop it.
    pub fn run<T, F, W>(&self, work: W) -> impl Future<Output = Option<T>> + Send + use<T, F, W>
    where
        W: FnOnce(std::rc::Rc<ClientConnections>) -> F + Send + 'static,
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: dispatch::NetTask = Box::new(move |endpoint| {
            let work = work(endpoint);
            Box::pin(async move { _ = reply.send(work.await) })
        });
        _ = self.0.port.send(NetCommand::Run(self.0.owner.clone(), work));
        async move { answer.await.ok() }
    }

    /// Bytes sent and received on raw sockets since the last call.
    pub fn traffic(&self) -> (u64, u64) {
        self.0.owner.traffic.take()
    }

    /// Closes the idle connections, as `noVUConnectionReuse` asks after each iteration.
    pub fn close_idle(&self) {
        _ = self.0.port.send(NetCommand::CloseIdle(self.0.owner.id));
    }
}

/// A request that was sent.
#[derive(Debug)]
pub struct SentRequest(Option<Arc<PreparedRequest>>);

impl SentRequest {
    /// The hops that have ended and were not told with the answer: for who goes without it.
    pub fn ended(&self) -> Vec<Hop> {
        self.0.as_ref().map(|ask| ask.take_ended()).unwrap_or_default()
    }
}

/// The answer when the network thread is gone: the run is over.
fn gone(ask: &PreparedRequest) -> Exchange {
    let (method, url) = ask.subject();
    let error = NetError::other("context canceled").of(method, url);
    let (hops, url) = (ask.take_ended(), url.clone());
    Exchange { hops, result: Err(error), stopped_redirecting: false, url, cookie: None, dumps: Vec::new() }
}
