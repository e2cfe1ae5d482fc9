//! Serves the page while a run goes on: the page, its document as server-sent events, and a copy to keep.
//!
//! It runs on a thread of its own, so that making a document never delays a run; without viewers no documents are made.
//! Anyone who can reach the port can read the run's numbers, and nothing else. Foreign web pages in a browser on this
//! machine can't ([`crate::net::origin`]; no response carries a CORS header).

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;

use super::page::{PageMode, page};
use super::settings::{DashboardPort, DashboardSettings};
use crate::net::origin::OriginCheck;

/// What happens to open pages after the last document was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// They stay connected until they are closed.
    Stays,
    /// They are disconnected.
    Closes,
}

/// Makes the current document, as compact JSON.
pub type DocumentSource = Arc<dyn Fn() -> String + Send + Sync>;

/// A listening dashboard.
#[derive(Debug)]
pub struct Dashboard {
    /// The address for a browser.
    pub url: String,
    /// Where it listens, if other machines can reach it.
    pub open_address: Option<SocketAddr>,
    document: watch::Sender<Option<Arc<str>>>,
    viewers: watch::Receiver<usize>,
    is_over: watch::Sender<bool>,
    ended: watch::Sender<bool>,
    at_end: AtEnd,
}

/// The state that the routes share.
#[derive(Clone)]
struct ServerState {
    source: DocumentSource,
    title: Arc<str>,
    document: watch::Sender<Option<Arc<str>>>,
    viewers: watch::Sender<usize>,
    is_over: watch::Receiver<bool>,
    has_ended: watch::Receiver<bool>,
}

impl Dashboard {
    /// Binds and serves; `None` if the settings want no server.
    ///
    /// # Errors
    /// If the address can't be bound. Whether that ends a run is up to the caller ([`DashboardPort`]).
    pub fn start(
        settings: &DashboardSettings,
        title: &str,
        source: DocumentSource,
        at_end: AtEnd,
    ) -> io::Result<Option<Self>> {
        let Some(port) = settings.port.number() else { return Ok(None) };
        let host = if settings.host.is_empty() { "0.0.0.0" } else { &settings.host };
        let listener = std::net::TcpListener::bind((host, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let check = OriginCheck::new(&listener, &settings.host)?;
        let open_address = check.is_beyond_loopback().then_some(address);
        let (viewers, seen) = watch::channel(0);
        let (is_over, over) = watch::channel(false);
        let (ended, has_ended) = watch::channel(false);
        let document = watch::Sender::new(None);
        let shared =
            ServerState { source, title: title.into(), document: document.clone(), viewers, is_over: over, has_ended };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let period = settings.period;
        std::thread::Builder::new().name("volley-dashboard".to_owned()).spawn(move || {
            // A failing listener ends the page, never the run.
            _ = runtime.block_on(serve(listener, check, shared, period));
        })?;
        let dashboard =
            Self { url: url(settings, address), open_address, document, viewers: seen, is_over, ended, at_end };
        if settings.opens_browser {
            open_browser(&dashboard.url);
        }
        Ok(Some(dashboard))
    }

    /// The run is over: this is the document from now on.
    pub fn finish(&self, document: &str) {
        self.is_over.send_replace(true);
        self.document.send_replace(Some(document.into()));
        self.ended.send_replace(self.at_end == AtEnd::Closes);
    }

    /// Whether a page is connected.
    pub fn is_watched(&self) -> bool {
        *self.viewers.borrow() > 0
    }

    /// Resolves when no page is connected any more.
    pub async fn until_unwatched(&mut self) {
        // An error means that the server's thread has ended, and with it all connections.
        _ = self.viewers.wait_for(|viewers| *viewers == 0).await;
    }

    /// After [`Self::finish`] with [`AtEnd::Closes`]: resolves when the last document has left and all connections are closed.
    pub async fn until_closed(&mut self) {
        // The server's thread has the only senders.
        while self.viewers.changed().await.is_ok() {}
    }
}

/// The address people type; all interfaces are shown as this machine.
fn url(settings: &DashboardSettings, address: SocketAddr) -> String {
    let host = match settings.host.as_str() {
        "" | "0.0.0.0" | "::" => "127.0.0.1".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    format!("http://{host}:{}", address.port())
}

/// Asks the desktop for a browser; without one there is the address on the terminal.
fn open_browser(url: &str) {
    let child =
        Command::new("xdg-open").arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Ok(mut child) = child {
        // Waits for the child, so that it does not stay a zombie.
        _ = std::thread::Builder::new().name("browser".to_owned()).spawn(move || child.wait());
    }
}

async fn serve(
    listener: std::net::TcpListener,
    check: OriginCheck,
    shared: ServerState,
    period: Duration,
) -> io::Result<()> {
    let refreshing = refresh(shared.clone(), period);
    let mut has_ended = shared.has_ended.clone();
    let routes = Router::new()
        .route("/", get(|| async { Redirect::temporary("/ui?endpoint=/") }))
        .route("/ui", get(live))
        .route("/ui/", get(live))
        .route("/events", get(events))
        .route("/report", get(report))
        .route("/summary.json", get(document))
        .layer(from_fn_with_state(Arc::new(check), guard))
        .with_state(shared);
    // Connections are closed when what was sent last is written, not when it was made.
    let serving = axum::serve(tokio::net::TcpListener::from_std(listener)?, routes)
        .with_graceful_shutdown(async move { _ = has_ended.wait_for(|ended| *ended).await });
    tokio::select! {
        served = serving.into_future() => served,
        () = refreshing => Ok(()),
    }
}

/// Refuses foreign web pages.
async fn guard(State(check): State<Arc<OriginCheck>>, request: Request, next: Next) -> Response {
    match check.refusal(request.method(), request.headers(), request.uri().authority()) {
        Some(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        None => next.run(request).await,
    }
}

/// Makes a document periodically while a page is connected.
async fn refresh(shared: ServerState, period: Duration) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if *shared.viewers.borrow() > 0 && !*shared.is_over.borrow() {
            let now: Arc<str> = (shared.source)().into();
            // If the last document arrived meanwhile, it stays.
            shared.document.send_if_modified(|known| {
                let may = !*shared.is_over.borrow();
                if may {
                    *known = Some(now);
                }
                may
            });
        }
    }
}

impl ServerState {
    fn now(&self) -> String {
        match (&*self.document.borrow(), *self.is_over.borrow()) {
            (Some(last), true) => last.to_string(),
            _ => (self.source)(),
        }
    }
}

async fn live(State(shared): State<ServerState>) -> Html<String> {
    Html(page(&shared.now(), &shared.title, PageMode::Live))
}

async fn report(State(shared): State<ServerState>) -> Html<String> {
    Html(page(&shared.now(), &shared.title, PageMode::File))
}

async fn document(State(shared): State<ServerState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], shared.now())
}

/// Counts a connected page until it is dropped.
struct Viewer(watch::Sender<usize>);

impl Viewer {
    fn join(viewers: &watch::Sender<usize>) -> Self {
        viewers.send_modify(|viewers| *viewers += 1);
        Self(viewers.clone())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.send_modify(|viewers| *viewers -= 1);
    }
}

async fn events(State(shared): State<ServerState>) -> impl IntoResponse {
    let viewer = Viewer::join(&shared.viewers);
    let document_rx = shared.document.subscribe();
    // The last document may be old: none is made while nobody looks.
    let first: Arc<str> = shared.now().into();
    Sse::new(documents(viewer, first, document_rx, shared.has_ended))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(1)))
}

/// One document after the other, until the pages are disconnected. `first` is the one of the moment somebody began to look.
fn documents(
    viewer: Viewer,
    first: Arc<str>,
    document_rx: watch::Receiver<Option<Arc<str>>>,
    ended: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let later = stream::unfold((viewer, document_rx, ended), |(viewer, mut document_rx, mut ended)| async move {
        tokio::select! {
            // A document to send goes first.
            biased;
            changed = document_rx.changed() => changed.ok()?,
            _ = ended.wait_for(|ended| *ended) => return None,
        }
        let document = document_rx.borrow_and_update().clone();
        Some((document, (viewer, document_rx, ended)))
    });
    let all = stream::once(async move { Some(first) }).chain(later);
    all.filter_map(|document| async move { document.map(|text| Ok(Event::default().event("document").data(&*text))) })
}

impl DashboardPort {
    /// Whether a run may begin although this port is taken.
    pub fn may_be_taken(self) -> bool {
        self == Self::Default
    }
}
