//! What a script hands to the network and gets back: the request, the exchange with its hops, the response.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::dump::{Dump, DumpLevel};
use super::proto::cookies::{Cookie, CookieJar, RequestCookie};
use super::proto::error::HttpError;
use super::proto::headers::Headers;
use super::proto::url::Url;
use super::timing::Timings;
use crate::net::tls::TlsInfo;

/// One request of a script; redirects and authentication may make several hops of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, sent as given; empty means GET.
    pub method: Cow<'static, str>,
    /// Where to.
    pub url: Url,
    /// The user's headers, with the default `User-Agent` unless it was taken away; the later one of a name wins.
    pub headers: Vec<(String, String)>,
    /// The body, already encoded and compressed.
    pub body: Option<Body>,
    /// How long everything may take; zero is over at once.
    pub timeout: Duration,
    /// How many redirects are followed.
    pub max_redirects: u32,
    /// Cookies of this request; they are sent on every hop.
    pub cookies: Vec<RequestCookie>,
    /// Where cookies are kept.
    pub jar: Option<Arc<CookieJar>>,
    /// What to do about a 401.
    pub auth: Auth,
    /// What to do with the response's body.
    pub body_mode: BodyMode,
    /// How much of it is shown in [`Exchange::dumps`].
    pub dump_level: DumpLevel,
    /// Which HTTP is spoken without TLS.
    pub protocol: Protocol,
}

impl Request {
    /// A GET with k6's defaults: 60 seconds, ten redirects, the body kept.
    pub fn get(url: Url) -> Self {
        Self {
            method: Cow::Borrowed("GET"),
            url,
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(60),
            max_redirects: 10,
            cookies: Vec::new(),
            jar: None,
            auth: Auth::None,
            body_mode: BodyMode::Keep,
            dump_level: DumpLevel::Off,
            protocol: Protocol::Negotiated,
        }
    }
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// These bytes, sent with their length.
    Bytes(Bytes),
    /// These one after the other, sent as one with their length: files are never copied into a body.
    Chain(Arc<[Bytes]>),
    /// k6's way to send `""` and `{}`: chunked, without a chunk.
    EmptyChunked,
}

impl Body {
    /// The pieces it consists of.
    pub fn pieces(&self) -> &[Bytes] {
        match self {
            Self::Bytes(bytes) => std::slice::from_ref(bytes),
            Self::Chain(pieces) => pieces,
            Self::EmptyChunked => &[],
        }
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.pieces().iter().map(Bytes::len).sum()
    }

    /// True without any bytes.
    pub fn is_empty(&self) -> bool {
        self.pieces().iter().all(Bytes::is_empty)
    }

    /// All of it in one piece; copied only where there are several.
    pub fn joined(&self) -> Bytes {
        match self.pieces() {
            [] => Bytes::new(),
            [one] => one.clone(),
            pieces => pieces.concat().into(),
        }
    }
}

/// Which version of HTTP is used where there is no TLS to negotiate it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1; what TLS agrees on where there is TLS.
    #[default]
    Negotiated,
    /// HTTP/2 with prior knowledge on `http://`. An extension.
    H2c,
}

/// What to do about a 401.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Nothing. Credentials in the URL are sent with Basic.
    #[default]
    None,
    /// Answer a Digest challenge.
    Digest,
    /// Shake hands by NTLM.
    Ntlm,
}

/// What to do with the body of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyMode {
    /// Keep and decode it.
    #[default]
    Keep,
    /// Read and drop it, undecoded.
    Discard,
    /// Keep this many bytes at most, undecoded; what comes after them is not read.
    First(usize),
}

/// Everything a request led to.
#[derive(Debug)]
pub struct Exchange {
    /// One entry per request on the wire, in order; empty only when the request was refused before it had a hop.
    pub hops: Vec<Hop>,
    /// What the script gets. The last hop belongs to it.
    pub result: Result<Response, HttpError>,
    /// True when a redirect was not followed because `max_redirects` was reached.
    pub stopped_redirecting: bool,
    /// The URL of the last hop, also of a failed one.
    pub url: Url,
    /// The `Cookie` header of the first hop.
    pub cookie: Option<String>,
    /// What every hop looked like, where [`Request::dump_level`] asked for it.
    pub dumps: Vec<Dump>,
}

/// One request on the wire.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The method.
    pub method: Cow<'static, str>,
    /// Where to; mask it with [`Url::clean`] before showing it.
    pub url: Url,
    /// The status, 0 after an error.
    pub status: u16,
    /// `HTTP/1.1`, `HTTP/1.0`, `HTTP/2.0`; empty after an error.
    pub proto: &'static str,
    /// Where the time went.
    pub timings: Timings,
    /// When it began.
    pub started: Instant,
    /// When it was over; k6 stamps its samples with this.
    pub ended: Instant,
    /// The server's address, if there was a connection.
    pub remote: Option<SocketAddr>,
    /// How it was encrypted.
    pub tls: Option<TlsInfo>,
    /// What went wrong.
    pub error: Option<HttpError>,
    /// True for the first request of Digest, and for the challenge of NTLM: k6 expects a 401 there and nothing else.
    pub expects_challenge: bool,
}

/// A response with its body.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The status line after the version: `404 Custom Text`.
    pub status_text: String,
    /// `HTTP/1.1`, `HTTP/1.0`, `HTTP/2.0`.
    pub proto: &'static str,
    /// The headers in wire order, names canonical.
    pub headers: Headers,
    /// What the headers set; the jar has them already.
    pub cookies: Vec<Cookie>,
    /// The body, decoded where it was kept whole; `None` for 1xx, 204, 304 and for [`BodyMode::Discard`].
    pub body: Option<Bytes>,
    /// Where it came from, after redirects.
    pub url: Url,
    /// The server's address.
    pub remote: Option<SocketAddr>,
    /// How it was encrypted.
    pub tls: Option<TlsInfo>,
    /// Where the time of the last hop went.
    pub timings: Timings,
}

impl Response {
    /// How many bytes of memory everything but the body takes.
    pub fn head_weight(&self) -> usize {
        let text = |cookie: &Cookie| cookie.name.len() + cookie.value.len() + cookie.domain.len() + cookie.path.len();
        let cookies: usize = self.cookies.iter().map(|cookie| size_of::<Cookie>() + text(cookie)).sum();
        self.status_text.len() + self.headers.weight() + cookies
    }
}
