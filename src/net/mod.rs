//! How bytes travel under load: a few network threads, and one client per VU with its own connections.
//!
//! Connections are opened on the network threads; short requests over idle ones are sent by the thread of their VU
//! ([`http_client`]). Timings hold no JavaScript either way ([`arrival`], [`stand_in`]). No
//! JavaScript and no metrics here: callers get an [`http::Exchange`] with everything that happened.

pub mod arrival;
pub mod client;
pub mod client_connections;
pub mod config;
pub mod connector;
pub mod cpu_pool;
#[cfg(feature = "browser")]
pub mod devtools;
pub mod dial;
pub mod dispatch;
pub mod dns;
#[cfg(feature = "x-dns")]
pub mod dns_query;
pub mod grpc;
pub mod h2_arrivals;
pub mod h2_driver;
pub mod http;
pub mod http_client;
#[cfg(test)]
mod http_client_tests;
#[cfg(feature = "x-icmp")]
pub mod icmp;
pub mod issuer_fetch;
#[cfg(feature = "x-mqtt")]
pub mod mqtt;
pub mod open_files;
pub mod origin;
pub mod proxy;
pub mod random;
#[cfg(feature = "x-tcp")]
pub mod raw_socket;
#[cfg(feature = "x-redis")]
pub mod redis;
#[cfg(any(
    feature = "x-mqtt",
    feature = "x-redis",
    feature = "x-sql",
    feature = "x-sse",
    feature = "x-ssh",
    feature = "x-tcp"
))]
pub mod remote;
pub mod socket;
pub mod socks;
mod spare_buffers;
#[cfg(feature = "x-sql")]
pub mod sql;
#[cfg(feature = "x-sse")]
pub mod sse;
#[cfg(feature = "x-ssh")]
pub mod ssh;
#[cfg(feature = "x-ssh")]
pub mod ssh_key;
pub mod stand_in;
pub mod tls;
pub mod ws;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::LocalRuntime;
use tokio::sync::mpsc;

pub use client::Client;
pub use config::{ClientCertificate, Config, Dns, DnsPolicy, DnsSelect, ProxyConfig, TlsConfig, TlsProtocolVersion};
pub use http_client::{HttpClient, RequestHandle};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Logger;
use crate::units::local_runtime;
use connector::NetContext;
use dispatch::{ClientInfo, NetQueue};
use open_files::OpenFiles;

/// The network threads of a run. They end when this and all of its clients are dropped.
#[derive(Debug)]
pub struct Net {
    queues: Vec<NetQueue>,
    /// `None` where nothing may be sent.
    context: Option<Arc<NetContext>>,
    next_client: AtomicU64,
    open_files: Arc<OpenFiles>,
}

impl Net {
    /// Starts `threads` network threads, which report what is odd about servers to `logger`. Fails when the configuration can't
    /// be honoured or a thread can't start.
    pub fn start(config: Config, threads: usize, logger: &Logger) -> Result<Arc<Self>, Failure> {
        let open_files = Arc::new(OpenFiles::reserve());
        let context = Arc::new(NetContext {
            dialer: dial::Dialer::new(&config, open_files.clone()),
            tls: tls::Tls::new(&config.tls, config.http2, logger)?,
            proxies: proxy::Proxies::new(&config.proxy),
            config,
        });
        let queues = (0..threads.max(1)).map(|index| start_thread(index, context.clone())).collect::<Result<_, _>>()?;
        Ok(Arc::new(Self { queues, context: Some(context), next_client: AtomicU64::new(0), open_files }))
    }

    /// A network without threads, for VUs that may not send anything: every request fails.
    pub fn idle() -> Arc<Self> {
        let (queue, _) = mpsc::unbounded_channel();
        let open_files = Arc::new(OpenFiles::none());
        Arc::new(Self { queues: vec![queue], context: None, next_client: AtomicU64::new(0), open_files })
    }

    /// Resolves when a connection could not be opened because this process has reached its limit of open files; never
    /// otherwise.
    pub async fn out_of_files(&self) {
        self.open_files.exhausted().await;
    }

    /// A client with connections of its own. `index` chooses among `localIPs` and spreads clients over the threads.
    pub fn client(&self, index: u64) -> Client {
        let id = self.next_client.fetch_add(1, Ordering::Relaxed);
        let queue = self.queues[(index % self.queues.len() as u64) as usize].clone();
        Client::new(ClientInfo { id, index, traffic: Arc::default() }, queue, self.context.clone())
    }
}

fn start_thread(index: usize, context: Arc<NetContext>) -> Result<NetQueue, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(ExitCode::Other, format!("could not start network thread {index}: {error}"))
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all();
    let (queue, commands) = mpsc::unbounded_channel();
    let serve = move |runtime: LocalRuntime| runtime.block_on(dispatch::serve(context, commands));
    local_runtime::start(format!("volley-net-{index}"), runtime, serve).map_err(failed)?;
    Ok(queue)
}
