//! One request from asking to answering: connections, retries, authentication, redirects, and a record of every hop.
//!
//! Runs on the network thread. Decoding the body does not: see `unpack`.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use smallvec::SmallVec;

use super::auth::{self, Challenge};
use super::body;
use super::cookies::{Cookie, Jar, cookie_header};
use super::dump::{self, Dump, Dumping};
use super::error::{Error, Fault, H2_CONNECTION, H2_STREAM, Stage};
use super::h1::{Answer, LARGE_HEAD, Payload, Progress, Sink, Wire};
use super::headers::{Headers, RequestHeaders, is_valid_name};
use super::message::{Auth, Body, BodyMode, Exchange, Hop, Protocol, Request, Response};
use super::ntlm;
use super::pool::Connection;
use super::redirect;
use super::timing::{HopTimer, Timings};
use super::url::{Url, quoted};
use crate::net::endpoint::Endpoint;
use crate::net::proxy::Proxy;
use crate::net::seats;
use crate::net::tls::TlsInfo;
use crate::units::sync::lock;

/// How much of a redirect's body is read to save its connection; Go's number.
const REDIRECT_BODY: usize = 2 << 10;
/// The first pause before a refused HTTP/2 stream is tried again; it doubles.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// A request that has been looked at: its headers are valid and sorted.
#[derive(Debug)]
pub struct Ask {
    request: Request,
    headers: RequestHeaders,
    ended: EndedHops,
}

/// The hops of a request that have ended. They are here as soon as they end: who goes without the answer has them still.
#[derive(Debug, Default)]
struct EndedHops(Mutex<Vec<Hop>>);

impl EndedHops {
    fn push(&self, hop: Hop) {
        lock(&self.0).push(hop);
    }

    fn take(&self) -> Vec<Hop> {
        std::mem::take(&mut lock(&self.0))
    }
}

impl Ask {
    /// Checks the request; what can't be sent is already answered.
    pub fn new(mut request: Request) -> Result<Self, Box<Exchange>> {
        if request.method.is_empty() {
            request.method = Cow::Borrowed("GET");
        }
        let given = std::mem::take(&mut request.headers);
        match RequestHeaders::new(given) {
            Ok(headers) => Ok(Self { request, headers, ended: EndedHops::default() }),
            Err(fault) => {
                let ended = EndedHops::default();
                let exchange = Trail::new(&request, &ended, Instant::now(), None).finish(Err(fault));
                Err(Box::new(Exchange { hops: ended.take(), ..exchange }))
            }
        }
    }

    /// The method and where to.
    pub fn subject(&self) -> (&str, &Url) {
        (&self.request.method, &self.request.url)
    }

    /// What the script wants of the body.
    pub fn body_mode(&self) -> BodyMode {
        self.request.body_mode
    }

    /// The hops that have ended since the last call.
    pub fn take_ended(&self) -> Vec<Hop> {
        self.ended.take()
    }
}

/// Runs one job to its end. Its hops are told by [`Ask::take_ended`], not in the exchange.
pub async fn run(endpoint: &Endpoint, ask: &Ask) -> Exchange {
    let limit = ask.request.timeout;
    let now = Instant::now();
    let mut trail = Trail::new(&ask.request, &ask.ended, now, now.checked_add(limit));
    let result = match limit.is_zero() {
        true => Err(Fault::timeout()),
        false => match tokio::time::timeout(limit, follow(endpoint, ask, &mut trail)).await {
            Ok(result) => result,
            Err(_) if trail.hop.progress.is_outgrown => Err(body::too_long()),
            Err(_) if trail.hop.progress.has_head => Err(Fault::timeout().at(Stage::Body)),
            Err(_) => Err(Fault::timeout()),
        },
    };
    trail.finish(result)
}

/// The request as it changes from redirect to redirect.
struct Step<'a> {
    method: Cow<'static, str>,
    url: Url,
    headers: Cow<'a, RequestHeaders>,
    body: Option<&'a Body>,
    referer: Option<String>,
}

async fn follow(endpoint: &Endpoint, ask: &Ask, trail: &mut Trail<'_>) -> Result<Response, Fault> {
    let request = &ask.request;
    let mut step = Step {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: Cow::Borrowed(&ask.headers),
        body: request.body.as_ref(),
        referer: None,
    };
    let mut left = request.max_redirects;
    loop {
        let mut answer = step.authenticate(endpoint, request, left > 0, trail).await?;
        let cookies = take_cookies(&mut answer, request, &step.url).await;
        if let Some(location) = redirect::location(&answer) {
            let next = redirect::target(&step.url, location)?;
            if left > 0 {
                left -= 1;
                step.turn(next, location, answer.status);
                trail.close(&answer);
                trail.open(&step);
                continue;
            }
            trail.stopped = true;
        }
        return Ok(trail.respond(answer, cookies));
    }
}

/// Reads the cookies of an answer into the jar; many of them on a thread that serves no connection.
async fn take_cookies(answer: &mut Answer, request: &Request, url: &Url) -> Vec<Cookie> {
    let take = |headers: &Headers, jar: Option<&Jar>, url: &Url| {
        let cookies = Cookie::all(headers);
        if let Some(jar) = jar {
            jar.store(url, &cookies);
        }
        cookies
    };
    if answer.headers.bytes() <= LARGE_HEAD {
        return take(&answer.headers, request.jar.as_deref(), url);
    }
    let (headers, jar, url) = (std::mem::take(&mut answer.headers), request.jar.clone(), url.clone());
    let taken = seats::aside(move || (take(&headers, jar.as_deref(), &url), headers)).await;
    let (cookies, headers) = taken.unwrap_or_default();
    answer.headers = headers;
    cookies
}

impl Step<'_> {
    /// Turns towards the target of a redirect.
    fn turn(&mut self, next: Url, location: &str, status: u16) {
        let keeps_body = redirect::keeps_body(status);
        if !keeps_body {
            self.body = None;
            if !matches!(&*self.method, "GET" | "HEAD") {
                self.method = Cow::Borrowed("GET");
            }
        }
        redirect::strip(self.headers.to_mut(), &self.url, &next, location, keeps_body);
        self.referer = redirect::referer(&self.url, &next).filter(|_| self.headers.get("Referer").is_none());
        self.url = next;
    }

    /// Sends the request, and once more if the server challenges us and we can answer.
    async fn authenticate(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        follows: bool,
        trail: &mut Trail<'_>,
    ) -> Result<Answer, Fault> {
        self.check()?;
        let credentials = self.url.credentials();
        let mut authorization = self.headers.authorization.clone();
        if let (None, Some((user, password)), Auth::None | Auth::Digest) = (&authorization, &credentials, request.auth)
        {
            authorization = Some(auth::basic(user, password));
        }
        let sink = |answer: &Answer| match request.body_mode {
            _ if request.dumping == Dumping::Full => Sink::Keep,
            _ if follows && redirect::location(answer).is_some() => Sink::Drain(REDIRECT_BODY),
            BodyMode::Discard => Sink::Discard,
            BodyMode::Keep => Sink::Keep,
        };
        let answer = self.send(endpoint, request, authorization.as_deref(), &sink, trail).await?;
        let Some((user, password)) = credentials.filter(|_| answer.status == 401) else { return Ok(answer) };
        match request.auth {
            Auth::None => Ok(answer),
            Auth::Digest => {
                let Some(challenge) = Challenge::find(&answer.headers) else { return Ok(answer) };
                let body = self.body.map(Body::joined).unwrap_or_default();
                let target = self.url.request_target();
                let authorization =
                    challenge.answer((&user, &password), &self.method, &target, &body, &auth::client_nonce());
                trail.close(&answer);
                trail.open(self);
                self.send(endpoint, request, Some(&authorization), &sink, trail).await
            }
            Auth::Ntlm => {
                let Some(scheme) = ntlm::offered(&answer.headers) else { return Ok(answer) };
                trail.close(&answer);
                trail.open(self);
                // Nothing else runs between the legs, so each takes the connection the one before has just given back.
                let asked = self.send(endpoint, request, Some(&ntlm::negotiate(scheme)), &sink, trail).await?;
                let Some(authorization) = ntlm::authenticate(&asked.headers, scheme, &user, &password) else {
                    return Ok(asked);
                };
                trail.close(&asked);
                trail.open(self);
                self.send(endpoint, request, Some(&authorization), &sink, trail).await
            }
        }
    }

    /// What Go's transport refuses before it looks for a connection.
    fn check(&self) -> Result<(), Fault> {
        if !matches!(self.url.scheme(), "http" | "https") {
            return Err(Fault::other(format!("unsupported protocol scheme {}", quoted(self.url.scheme()))));
        }
        if !is_valid_name(&self.method) {
            return Err(Fault::other(format!("net/http: invalid method {}", quoted(&self.method))));
        }
        if self.url.host().is_empty() {
            return Err(Fault::other("http: no Host in request URL"));
        }
        Ok(())
    }

    /// Sends the request over one connection after another until one carries it.
    async fn send(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        authorization: Option<&str>,
        sink: &impl Fn(&Answer) -> Sink,
        trail: &mut Trail<'_>,
    ) -> Result<Answer, Fault> {
        let cookie = cookie_header(self.headers.cookie.as_deref(), &request.cookies, request.jar.as_deref(), &self.url);
        let proxy = if self.url.is_https() { None } else { endpoint.proxy(&self.url)? };
        let proxy = proxy.filter(|proxy| proxy.takes_requests());
        let protocol = if self.url.is_https() { Protocol::Negotiated } else { request.protocol };
        if protocol == Protocol::H2c && proxy.is_some() {
            return Err(Fault::other("`protocol: 'h2c'` can't be spoken through an HTTP proxy"));
        }
        let proxied = proxy.map(|_| self.url.referer());
        let target = match &proxied {
            Some(url) => Cow::Borrowed(url.as_str()),
            None => self.url.request_target(),
        };
        let own_proxy = proxy.and_then(Proxy::authorization);
        let extra: SmallVec<[(&'static str, &str); 4]> = [
            ("Authorization", authorization),
            ("Cookie", cookie.as_deref()),
            ("Proxy-Authorization", own_proxy.as_deref()),
            ("Referer", self.referer.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect();
        let host = match &self.headers.host {
            Some(host) => Cow::Borrowed(host.as_str()),
            None => self.url.wire_host(),
        };
        let wire = Wire {
            method: &self.method,
            target: &target,
            host: &host,
            headers: &self.headers,
            extra: &extra,
            body: match self.body {
                Some(Body::EmptyChunked) => Payload::EmptyChunked,
                Some(body) if !body.is_empty() => Payload::Sized(body.pieces()),
                _ if matches!(&*self.method, "POST" | "PUT" | "PATCH") => Payload::Sized(&[]),
                _ => Payload::None,
            },
            close: endpoint.closes_connections(),
        };
        if trail.cookie.is_none() && trail.is_first {
            trail.cookie.clone_from(&cookie);
        }
        if request.dumping != Dumping::Off {
            trail.dumps.push(Dump { request: dump::request(&wire, request.dumping), answer: None });
        }
        let mut pause = REFUSED_PAUSE;
        loop {
            let hop = &mut trail.hop;
            let mut connection = endpoint.connection(&self.url, protocol, &mut hop.progress.timer).await?;
            hop.got(&connection);
            let progress = &mut hop.progress;
            let result = match &mut connection {
                Connection::One(connection) => connection.exchange(&wire, sink, progress).await,
                Connection::Shared(connection) => connection.exchange(&self.url, &wire, sink, progress).await,
            };
            let fault = match result {
                Ok(answer) => {
                    if let Some(last) = trail.dumps.last_mut() {
                        let body = trail.hop.progress.body.as_deref();
                        last.answer = Some(dump::answer(&answer, wire.method, body, request.dumping));
                    }
                    if let Connection::One(connection) = connection
                        && answer.keep
                    {
                        endpoint.keep(&self.url, connection);
                    }
                    return Ok(answer);
                }
                Err(fault) => fault,
            };
            // One stream's trouble leaves the others alone; everything else ends the connection. Where a body broke off
            // because the connection did, the next one who asks will notice.
            let of_stream = (H2_STREAM..H2_CONNECTION).contains(&fault.code) || fault.stage == Stage::Body;
            if matches!(connection, Connection::Shared(_)) && !of_stream {
                endpoint.forget(&self.url, protocol);
            }
            let is_refused = fault.stage == Stage::Refused;
            let may_repeat = match fault.stage {
                // The server had closed an idle connection: nothing of the request can have been done.
                Stage::Before => connection.is_reused(),
                Stage::NoAnswer => connection.is_reused() && self.may_be_repeated(),
                _ => is_refused,
            };
            if !may_repeat {
                return Err(fault);
            }
            trail.hop.retry();
            if is_refused {
                tokio::time::sleep(pause).await;
                trail.hop.progress.timer.ask(Instant::now());
                pause *= 2;
            }
        }
    }

    /// True when doing the request twice does no harm, by Go's rules.
    fn may_be_repeated(&self) -> bool {
        matches!(&*self.method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
            || self.headers.get("Idempotency-Key").is_some()
            || self.headers.get("X-Idempotency-Key").is_some()
    }
}

/// The hop under way; what is known of it survives when it is cut off.
#[derive(Debug)]
struct OpenHop {
    method: Cow<'static, str>,
    url: Url,
    remote: Option<SocketAddr>,
    tls: Option<TlsInfo>,
    progress: Progress,
}

impl OpenHop {
    fn got(&mut self, connection: &Connection) {
        self.progress.timer.got(Instant::now());
        (self.remote, self.tls) = match connection {
            Connection::One(connection) => (Some(connection.stream.socket().remote), connection.tls),
            Connection::Shared(connection) => (Some(connection.remote), connection.tls),
        };
    }

    /// It is sent again.
    fn retry(&mut self) {
        self.progress.timer.retry(Instant::now());
        (self.progress.has_head, self.progress.body) = (false, None);
    }
}

/// The hop under way, and where those go that have ended.
struct Trail<'a> {
    ended: &'a EndedHops,
    hop: OpenHop,
    /// No hop has ended yet.
    is_first: bool,
    /// The first request's method, which errors are named after.
    method: Cow<'static, str>,
    expects_challenge: bool,
    is_digest: bool,
    stopped: bool,
    cookie: Option<String>,
    dumps: Vec<Dump>,
}

impl<'a> Trail<'a> {
    fn new(request: &Request, ended: &'a EndedHops, now: Instant, deadline: Option<Instant>) -> Self {
        let hop = OpenHop {
            method: request.method.clone(),
            url: request.url.clone(),
            remote: None,
            tls: None,
            progress: Progress {
                timer: HopTimer::start(now, deadline),
                has_head: false,
                body: None,
                is_outgrown: false,
            },
        };
        Self {
            ended,
            is_digest: request.auth == Auth::Digest,
            hop,
            is_first: true,
            method: request.method.clone(),
            expects_challenge: request.auth != Auth::None,
            stopped: false,
            cookie: None,
            dumps: Vec::new(),
        }
    }

    fn open(&mut self, step: &Step<'_>) {
        let hop = &mut self.hop;
        hop.progress.timer.next(Instant::now());
        (hop.progress.has_head, hop.progress.body) = (false, None);
        (hop.method, hop.url) = (step.method.clone(), step.url.clone());
        (hop.remote, hop.tls) = (None, None);
        self.expects_challenge = false;
    }

    fn close(&mut self, answer: &Answer) -> Timings {
        self.push(answer.status, answer.proto, None)
    }

    fn push(&mut self, status: u16, proto: &'static str, error: Option<Error>) -> Timings {
        let hop = &self.hop;
        let (timings, ended) = hop.progress.timer.end(Instant::now());
        self.is_first = false;
        self.ended.push(Hop {
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
            // Digest wants a challenge; NTLM takes it where one comes.
            expects_challenge: self.expects_challenge && (self.is_digest || status == 401),
        });
        timings
    }

    fn respond(&mut self, answer: Answer, cookies: Vec<Cookie>) -> Response {
        let timings = self.close(&answer);
        let Answer { status, status_text, proto, headers, .. } = answer;
        let body = self.hop.progress.body.take().map(Bytes::from);
        let (url, remote, tls) = (self.shown_url(), self.hop.remote, self.hop.tls);
        Response { status, status_text, proto, headers, cookies, body, url, remote, tls, timings }
    }

    /// The URL of the hop, without the credentials that Digest takes out of it.
    fn shown_url(&self) -> Url {
        if self.is_digest { self.hop.url.without_user() } else { self.hop.url.clone() }
    }

    fn finish(mut self, result: Result<Response, Fault>) -> Exchange {
        let result = result.map_err(|fault| {
            let mut error = fault.of(&self.method, &self.shown_url());
            error.body = self.hop.progress.body.take().map(Bytes::from);
            self.push(0, "", Some(error.clone()));
            error
        });
        // Without an answer it stays as it was asked for.
        let url = if result.is_ok() { self.shown_url() } else { self.hop.url };
        Exchange {
            hops: Vec::new(),
            result,
            stopped_redirecting: self.stopped,
            url,
            cookie: self.cookie,
            dumps: self.dumps,
        }
    }
}
