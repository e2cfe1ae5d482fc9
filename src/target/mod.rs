//! The embedded demo target: a small risk register with a cache before a slow "database", to run tests against.
//!
//! It is a system under test, not a product: data lives in memory and is the same after every start, and its demo
//! account is public. It prints nothing and parses no arguments; `cli` does both.

mod api_error;
mod auth;
mod cache;
mod config;
mod metrics;
mod record_table;
mod routes;
mod store;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};

pub use auth::{DEMO_EMAIL, DEMO_PASSWORD};
pub use config::{Account, CacheChoice, TargetConfig, listen_address};

/// How long requests that are still running may take once the target is told to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// What every request handler shares.
struct App {
    store: RwLock<store::RiskRegister>,
    cache: cache::ResponseCache,
    metrics: metrics::TargetMetrics,
    session: auth::Sessions,
    db_latency: Duration,
    started: Instant,
}

/// The demo target, bound to its port and not yet serving. Connections wait in the backlog until [`TargetServer::serve`].
pub struct TargetServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    app: Arc<App>,
}

/// Binds the port, connects the cache and fills the register.
///
/// To be awaited on the runtime that will serve: socket and Redis connection belong to it.
///
/// # Errors
/// The port is taken or not ours to take; the Redis server that was asked for can't be reached.
pub async fn bind(config: TargetConfig) -> Result<TargetServer, Failure> {
    let listen = config.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Failure::new(ExitCode::Other, format!("the demo target can't listen on `{listen}`: {error}"))
            .hint("choose another address with `--listen`; port 0 takes a free one")
    })?;
    let local_addr = listener.local_addr().exit(ExitCode::Other)?;
    let app = App {
        store: RwLock::new(store::RiskRegister::with_demo_data(config.risks)),
        cache: cache::ResponseCache::open(&config.cache, config.cache_ttl).await?,
        metrics: metrics::TargetMetrics::default(),
        session: auth::Sessions::open(&config.accounts),
        db_latency: config.db_latency,
        started: Instant::now(),
    };
    Ok(TargetServer { listener, local_addr, app: Arc::new(app) })
}

impl TargetServer {
    /// The address it listens on, with the real port when port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready, then lets running requests finish for three seconds at most.
    ///
    /// # Errors
    /// The listening socket fails for good.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Failure> {
        let (closing, closed) = tokio::sync::oneshot::channel();
        // Answers are small; waiting for more to send would only add latency that is not the target's.
        let listener = self.listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let graceful = axum::serve(listener, routes::router(self.app)).with_graceful_shutdown(async move {
            shutdown.await;
            let _ = closing.send(());
        });
        let grace_over = async move {
            if closed.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        };
        tokio::select! {
            result = async { graceful.await } => result.exit(ExitCode::Other),
            () = grace_over => Ok(()),
        }
    }
}
