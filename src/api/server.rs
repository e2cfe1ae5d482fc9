//! The listener and its thread.

use std::net::{TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{RunControl, routes};
use crate::exit_code::ExitCode;
use crate::failure::{ExitWith, Failure};
use crate::net::origin::OriginCheck;

/// How long answers that are under way may take once the run is over.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// An API that listens.
#[derive(Debug)]
pub struct Server {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Takes the address (`host:port`, `:port` for all interfaces), before anything that costs time.
///
/// # Errors
/// When the address can't be had, code 106.
pub fn listen(address: &str) -> Result<TcpListener, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        let failure =
            Failure::new(ExitCode::CannotStartApi, format!("the REST API can't listen on `{address}`: {error}"));
        failure.hint("another test may listen there; give `--address` another port, or leave it out")
    };
    let listener = match address.strip_prefix(':') {
        // Both families where the machine has both.
        Some(port) => {
            TcpListener::bind(format!("[::]:{port}")).or_else(|_| TcpListener::bind(format!("0.0.0.0:{port}")))
        }
        None => {
            // A name such as `localhost` means its IPv4 address first, which is what clients in other languages try.
            let mut addresses: Vec<_> = address.to_socket_addrs().map_err(|error| failed(&error))?.collect();
            addresses.sort_by_key(std::net::SocketAddr::is_ipv6);
            TcpListener::bind(&addresses[..])
        }
    };
    let listener = listener.map_err(|error| failed(&error))?;
    listener.set_nonblocking(true).map_err(|error| failed(&error))?;
    Ok(listener)
}

impl Server {
    /// Answers requests that pass `check`, from now on.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(listener: TcpListener, check: OriginCheck, run: Arc<dyn RunControl>) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().exit(ExitCode::Other)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("rest-api".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                    let router = routes::router(run, check);
                    let (leave, left) = oneshot::channel::<()>();
                    let server = axum::serve(listener, router).with_graceful_shutdown(async {
                        let _ = stopped.await;
                        let _ = leave.send(());
                    });
                    // A client that holds its connection open does not hold up the end of the run.
                    let farewell = async {
                        let _ = left.await;
                        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
                    };
                    tokio::select! {
                        _ = server => {}
                        () = farewell => {}
                    }
                });
                runtime.shutdown_background();
            })
            .exit(ExitCode::Other)?;
        Ok(Self { stop, thread })
    }

    /// Stops listening; answers under way are finished.
    pub fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}
