//! Serves the page while a run goes on: the page, its document as server-sent events, and a copy to keep.
//!
//! It lives on a thread of its own, so that making a document never delays a run. Nobody is sent anything while nobody
//! looks. Listening is a door for people: whoever can reach the port can read the run's numbers, and do nothing else.
//! Foreign web pages in a browser of this machine can't ([`crate::net::origin`]; and nothing here says they may, by CORS).

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

use super::page::{Mode, page};
use super::settings::{Port, Settings};
use crate::net::origin::OriginCheck;

/// What becomes of open pages when the last document was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// They stay connected until they are closed.
    Stays,
    /// They are let go of.
    Closes,
}

/// Makes the document of this moment, as compact JSON.
pub type Source = Arc<dyn Fn() -> String + Send + Sync>;

/// A dashboard that listens.
#[derive(Debug)]
pub struct Dashboard {
    /// Where to look at it.
    pub url: String,
    /// Where it listens, if others than this machine can look.
    pub open_address: Option<SocketAddr>,
    document: watch::Sender<Option<Arc<str>>>,
    viewers: watch::Receiver<usize>,
    is_over: watch::Sender<bool>,
    ended: watch::Sender<bool>,
    at_end: AtEnd,
}

/// What the routes share.
#[derive(Clone)]
struct Shared {
    source: Source,
    title: Arc<str>,
    document: watch::Sender<Option<Arc<str>>>,
    viewers: watch::Sender<usize>,
    is_over: watch::Receiver<bool>,
    has_ended: watch::Receiver<bool>,
}

impl Dashboard {
    /// Binds and serves; nothing where the settings want no server.
    ///
    /// # Errors
    /// When the address can't be bound. Whether that ends a run is for the caller to say ([`Port`]).
    pub fn start(settings: &Settings, title: &str, source: Source, at_end: AtEnd) -> io::Result<Option<Self>> {
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
            Shared { source, title: title.into(), document: document.clone(), viewers, is_over: over, has_ended };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let period = settings.period;
        std::thread::Builder::new().name("volley-dashboard".to_owned()).spawn(move || {
            // A listener that breaks down takes the page with it, never the run.
            _ = runtime.block_on(serve(listener, check, shared, period));
        })?;
        let dashboard =
            Self { url: url(settings, address), open_address, document, viewers: seen, is_over, ended, at_end };
        if settings.opens_browser {
            open_browser(&dashboard.url);
        }
        Ok(Some(dashboard))
    }

    /// The run is over: this is what everybody sees from now on.
    pub fn finish(&self, document: &str) {
        self.is_over.send_replace(true);
        self.document.send_replace(Some(document.into()));
        self.ended.send_replace(self.at_end == AtEnd::Closes);
    }

    /// Whether anybody looks at it.
    pub fn is_watched(&self) -> bool {
        *self.viewers.borrow() > 0
    }

    /// Resolves when nobody looks at it any more.
    pub async fn until_unwatched(&mut self) {
        // Its thread is gone when the other end is: then nobody can look.
        _ = self.viewers.wait_for(|viewers| *viewers == 0).await;
    }
}

/// The address people type; all interfaces are shown as this machine.
fn url(settings: &Settings, address: SocketAddr) -> String {
    let host = match settings.host.as_str() {
        "" | "0.0.0.0" | "::" => "127.0.0.1".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    format!("http://{host}:{}", address.port())
}

/// Asks the desktop for a browser. Where there is none, the address on the terminal has to do.
fn open_browser(url: &str) {
    let child =
        Command::new("xdg-open").arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Ok(mut child) = child {
        // Somebody has to hear that it ended.
        _ = std::thread::Builder::new().name("browser".to_owned()).spawn(move || child.wait());
    }
}

async fn serve(
    listener: std::net::TcpListener,
    check: OriginCheck,
    shared: Shared,
    period: Duration,
) -> io::Result<()> {
    let beating = beat(shared.clone(), period);
    let routes = Router::new()
        .route("/", get(|| async { Redirect::temporary("/ui?endpoint=/") }))
        .route("/ui", get(live))
        .route("/ui/", get(live))
        .route("/events", get(events))
        .route("/report", get(report))
        .route("/summary.json", get(document))
        .layer(from_fn_with_state(Arc::new(check), guard))
        .with_state(shared);
    let serving = axum::serve(tokio::net::TcpListener::from_std(listener)?, routes);
    tokio::select! {
        served = serving.into_future() => served,
        () = beating => Ok(()),
    }
}

/// Refuses foreign web pages.
async fn guard(State(check): State<Arc<OriginCheck>>, request: Request, next: Next) -> Response {
    match check.refusal(request.method(), request.headers(), request.uri().authority()) {
        Some(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        None => next.run(request).await,
    }
}

/// Makes a document on a beat while somebody looks.
async fn beat(shared: Shared, period: Duration) {
    let mut beat = tokio::time::interval(period);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if *shared.viewers.borrow() > 0 && !*shared.is_over.borrow() {
            let now: Arc<str> = (shared.source)().into();
            // The last document came while this one was made: it stays.
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

impl Shared {
    fn now(&self) -> String {
        match (&*self.document.borrow(), *self.is_over.borrow()) {
            (Some(last), true) => last.to_string(),
            _ => (self.source)(),
        }
    }
}

async fn live(State(shared): State<Shared>) -> Html<String> {
    Html(page(&shared.now(), &shared.title, Mode::Live))
}

async fn report(State(shared): State<Shared>) -> Html<String> {
    Html(page(&shared.now(), &shared.title, Mode::File))
}

async fn document(State(shared): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], shared.now())
}

/// Somebody who looks, counted until they leave.
struct Viewer(watch::Sender<usize>);

impl Viewer {
    fn come(viewers: &watch::Sender<usize>) -> Self {
        viewers.send_modify(|viewers| *viewers += 1);
        Self(viewers.clone())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.send_modify(|viewers| *viewers -= 1);
    }
}

async fn events(State(shared): State<Shared>) -> impl IntoResponse {
    let viewer = Viewer::come(&shared.viewers);
    let told = shared.document.subscribe();
    Sse::new(documents(viewer, told, shared.has_ended)).keep_alive(KeepAlive::new().interval(Duration::from_secs(1)))
}

/// One document after the other, until the pages are let go of.
fn documents(
    viewer: Viewer,
    told: watch::Receiver<Option<Arc<str>>>,
    ended: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    // What is there already is sent at once; the page may have been opened between two beats.
    let mut told = told;
    told.mark_changed();
    stream::unfold((viewer, told, ended), |(viewer, mut told, mut ended)| async move {
        tokio::select! {
            // What there is to send goes first.
            biased;
            changed = told.changed() => changed.ok()?,
            _ = ended.wait_for(|ended| *ended) => return None,
        }
        let document = told.borrow_and_update().clone();
        Some((document, (viewer, told, ended)))
    })
    .filter_map(|document| async move { document.map(|text| Ok(Event::default().event("document").data(&*text))) })
}

impl Port {
    /// Whether a run may begin although this port is taken.
    pub fn may_be_taken(self) -> bool {
        self == Self::Usual
    }
}
