//! A request whose headers are checked and sorted, on its way to the network thread.

use std::borrow::Cow;
use std::sync::Arc;

use super::ended_hops::EndedHops;
use crate::net::http::body::SMALL_BODY;
use crate::net::http::dump::DumpLevel;
use crate::net::http::message::{Auth, Body, BodyMode, Hop, Protocol, Request};
use crate::net::http::proto::error::NetError;
use crate::net::http::proto::headers::RequestHeaders;
use crate::net::http::proto::url::Url;

/// A request that can be sent, and the hops of it that have ended.
#[derive(Debug)]
pub struct PreparedRequest {
    request: Arc<Request>,
    headers: RequestHeaders,
    ended: EndedHops,
}

/// A request that can't be sent.
#[derive(Debug)]
pub struct RefusedRequest {
    pub(super) prepared: Arc<PreparedRequest>,
    pub(super) error: NetError,
}

impl PreparedRequest {
    /// Checks the request.
    ///
    /// # Errors
    /// What can't be sent, and why not.
    pub fn new(mut request: Arc<Request>) -> Result<Arc<Self>, Box<RefusedRequest>> {
        if request.method.is_empty() {
            Arc::make_mut(&mut request).method = Cow::Borrowed("GET");
        }
        let headers = RequestHeaders::new(&request.headers);
        let (headers, error) = match headers {
            Ok(headers) => (headers, None),
            Err(error) => (RequestHeaders::default(), Some(error)),
        };
        let prepared = Arc::new(Self { request, headers, ended: EndedHops::default() });
        match error {
            None => Ok(prepared),
            Some(error) => Err(Box::new(RefusedRequest { prepared, error })),
        }
    }

    /// True where a thread that runs scripts too may send it over an idle connection: it leaves in one write, and nothing
    /// has to be done at once when something has come.
    pub fn is_light(&self) -> bool {
        let request = &*self.request;
        request.auth == Auth::None
            && request.protocol == Protocol::Negotiated
            && request.dump_level == DumpLevel::Off
            && request.body.as_ref().map_or(0, Body::len) <= SMALL_BODY
    }

    /// The method and the URL of the first hop.
    pub fn method_and_url(&self) -> (&str, &Url) {
        (&self.request.method, &self.request.url)
    }

    /// What is to be done with the body of the response.
    pub fn body_mode(&self) -> BodyMode {
        self.request.body_mode
    }

    /// The hops that have ended since the last call.
    pub fn take_ended(&self) -> Vec<Hop> {
        self.ended.take()
    }

    /// What was asked for; its headers are those of the script.
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    /// The headers, checked and sorted.
    pub(super) fn headers(&self) -> &RequestHeaders {
        &self.headers
    }

    /// Where hops are stored as they end.
    pub(super) fn ended_hops(&self) -> &EndedHops {
        &self.ended
    }
}
