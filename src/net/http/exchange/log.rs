//! What is known of an exchange while it runs: the hop under way, which survives being cut off, and those that ended.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::prepared::PreparedRequest;
use super::redirect_state::RedirectState;
use crate::net::http::body_reader::UnreadBody;
use crate::net::http::dump::{self, Dump, DumpLevel};
use crate::net::http::h1::Http1;
use crate::net::http::message::{Auth, Exchange, Hop, Response};
use crate::net::http::pool::Connection;
use crate::net::http::progress::HopProgress;
use crate::net::http::proto::cookies::Cookie;
use crate::net::http::proto::error::{HttpError, NetError};
use crate::net::http::proto::request_head::WireRequest;
use crate::net::http::proto::response_head::ResponseHead;
use crate::net::http::proto::url::Url;
use crate::net::http::timing::{HopTimer, Timings};
use crate::net::tls::TlsInfo;

/// The hop under way.
#[derive(Debug)]
pub(super) struct OpenHop {
    method: Cow<'static, str>,
    url: Url,
    remote: Option<SocketAddr>,
    tls: Option<TlsInfo>,
    pub progress: HopProgress,
    /// Its response, where the network thread reads the rest of it.
    pub unread: Option<Box<UnreadResponse>>,
}

/// A response on its way to the network thread.
#[derive(Debug)]
pub(super) struct UnreadResponse {
    pub connection: Box<Http1>,
    pub body: Box<UnreadBody>,
}

impl OpenHop {
    /// It has a connection, and begins to write.
    pub fn got(&mut self, connection: &Connection) {
        self.progress.timer.got(Instant::now());
        (self.remote, self.tls) = match connection {
            Connection::One(connection) => (Some(connection.stream.socket().remote), connection.tls),
            Connection::Shared(connection) => (Some(connection.remote), connection.tls),
        };
    }

    /// Leaves what is to be read of its response to another thread.
    pub fn leave_unread(&mut self, connection: Connection) {
        if let (Connection::One(connection), Some(body)) = (connection, self.progress.unread.take()) {
            self.unread = Some(UnreadResponse { connection, body }.into());
        }
    }

    /// It is sent again.
    pub fn retry(&mut self) {
        self.progress.timer.retry(Instant::now());
        self.progress.clear();
    }
}

/// The hop under way, and where hops go when they end.
#[derive(Debug)]
pub(super) struct ExchangeLog {
    prepared: Arc<PreparedRequest>,
    pub hop: OpenHop,
    /// No hop has ended yet.
    is_first: bool,
    /// The first request's method, which errors name.
    method: Cow<'static, str>,
    expects_challenge: bool,
    is_digest: bool,
    /// A redirect was not followed, because enough were.
    pub stopped_redirecting: bool,
    cookie: Option<String>,
    dump_level: DumpLevel,
    dumps: Vec<Dump>,
}

impl ExchangeLog {
    /// The first hop begins `now`; it can't last longer than until `deadline`.
    pub fn new(prepared: Arc<PreparedRequest>, now: Instant, deadline: Option<Instant>) -> Self {
        let request = prepared.request();
        let hop = OpenHop {
            method: request.method.clone(),
            url: request.url.clone(),
            remote: None,
            tls: None,
            progress: HopProgress::new(HopTimer::start(now, deadline)),
            unread: None,
        };
        Self {
            is_digest: request.auth == Auth::Digest,
            hop,
            is_first: true,
            method: request.method.clone(),
            expects_challenge: request.auth != Auth::None,
            stopped_redirecting: false,
            cookie: None,
            dump_level: request.dump_level,
            dumps: Vec::new(),
            prepared,
        }
    }

    /// The next hop begins.
    pub fn begin_hop(&mut self, state: &RedirectState) {
        let hop = &mut self.hop;
        hop.progress.timer.next(Instant::now());
        hop.progress.clear();
        (hop.method, hop.url) = (state.method.clone(), state.url.clone());
        (hop.remote, hop.tls) = (None, None);
        self.expects_challenge = false;
    }

    /// The hop got a response.
    pub fn end_hop(&mut self, head: &ResponseHead) -> Timings {
        self.push(head.status, head.proto, None)
    }

    /// The next leg of an authentication: the same request once more, as a hop of its own.
    pub fn next_leg(&mut self, head: &ResponseHead, state: &RedirectState) {
        self.end_hop(head);
        self.begin_hop(state);
    }

    /// A request is about to be sent.
    pub fn sending(&mut self, wire: &WireRequest<'_>, cookie: Option<&String>) {
        if self.cookie.is_none() && self.is_first {
            self.cookie = cookie.cloned();
        }
        if self.dump_level != DumpLevel::Off {
            self.dumps.push(Dump { request: dump::request(wire, self.dump_level), response: None });
        }
    }

    /// Its response is complete.
    pub fn received(&mut self, head: &ResponseHead, method: &str) {
        if let Some(last) = self.dumps.last_mut() {
            let body = self.hop.progress.body.as_deref();
            last.response = Some(dump::response(head, method, body, self.dump_level));
        }
    }

    fn push(&mut self, status: u16, proto: &'static str, error: Option<HttpError>) -> Timings {
        let hop = &self.hop;
        let (timings, ended) = hop.progress.timer.end(Instant::now);
        self.is_first = false;
        self.prepared.ended_hops().push(Hop {
            method: hop.method.clone(),
            url: hop.url.clone(),
            status,
            proto,
            timings,
            started: hop.progress.timer.started(),
            ended,
            remote: hop.remote,
            tls: hop.tls,
            error,
            // Digest waits for a challenge; NTLM takes one where it comes.
            expects_challenge: self.expects_challenge && (self.is_digest || status == 401),
        });
        timings
    }

    /// The last hop got its response.
    pub fn respond(&mut self, head: ResponseHead, cookies: Vec<Cookie>) -> Response {
        let timings = self.end_hop(&head);
        let ResponseHead { status, status_text, proto, headers, .. } = head;
        let body = self.hop.progress.body.take().map(Bytes::from);
        let (url, remote, tls) = (self.shown_url(), self.hop.remote, self.hop.tls);
        Response { status, status_text, proto, headers, cookies, body, url, remote, tls, timings }
    }

    /// The URL of the hop, without the credentials that Digest takes out of it.
    fn shown_url(&self) -> Url {
        if self.is_digest { self.hop.url.without_user() } else { self.hop.url.clone() }
    }

    /// The exchange is over; an error ends the hop under way.
    pub fn finish(mut self, result: Result<Response, NetError>) -> Box<Exchange> {
        let result = result.map_err(|error| {
            let mut error = error.of(&self.method, &self.shown_url());
            error.body = self.hop.progress.body.take().map(Bytes::from);
            self.push(0, "", Some(error.clone()));
            error
        });
        // Without a response the URL stays as it was given.
        let url = if result.is_ok() { self.shown_url() } else { self.hop.url };
        Box::new(Exchange {
            hops: Vec::new(),
            result,
            stopped_redirecting: self.stopped_redirecting,
            url,
            cookie: self.cookie,
            dumps: self.dumps,
        })
    }
}
