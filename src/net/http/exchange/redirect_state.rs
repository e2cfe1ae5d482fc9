//! The request as it changes from redirect to redirect, and what Go's transport demands of it.

use std::borrow::Cow;
use std::sync::Arc;

use super::prepared::PreparedRequest;
use crate::net::http::message::Body;
use crate::net::http::proto::error::{ErrorStage, NetError};
use crate::net::http::proto::headers::{RequestHeaders, is_valid_name};
use crate::net::http::proto::redirect;
use crate::net::http::proto::request_head::WireBody;
use crate::net::http::proto::url::{Url, quoted};

/// What the next hop sends, and where.
#[derive(Debug)]
pub(super) struct RedirectState {
    pub method: Cow<'static, str>,
    pub url: Url,
    pub referer: Option<String>,
    prepared: Arc<PreparedRequest>,
    /// What redirects have left of the headers; those of the request where nothing was taken away.
    stripped: Option<Box<RequestHeaders>>,
    keeps_body: bool,
}

impl RedirectState {
    /// The first hop of `prepared`.
    pub fn new(prepared: Arc<PreparedRequest>) -> Self {
        let request = prepared.request();
        Self {
            method: request.method.clone(),
            url: request.url.clone(),
            referer: None,
            stripped: None,
            keeps_body: true,
            prepared,
        }
    }

    /// The headers to send.
    pub fn headers(&self) -> &RequestHeaders {
        self.stripped.as_deref().unwrap_or_else(|| self.prepared.headers())
    }

    /// The body to send.
    pub fn body(&self) -> Option<&Body> {
        self.prepared.request().body.as_ref().filter(|_| self.keeps_body)
    }

    /// Changes to what a redirect to `next` asks for. `location` is the header as the server wrote it.
    pub fn redirect(&mut self, next: Url, location: &str, status: u16) {
        let keeps_body = redirect::keeps_body(status);
        if !keeps_body {
            self.keeps_body = false;
            if !matches!(&*self.method, "GET" | "HEAD") {
                self.method = Cow::Borrowed("GET");
            }
        }
        let mut headers = self.stripped.take().unwrap_or_else(|| self.prepared.headers().clone().into());
        redirect::strip(&mut headers, &self.url, &next, location, keeps_body);
        self.referer = redirect::referer(&self.url, &next).filter(|_| headers.get("Referer").is_none());
        self.stripped = Some(headers);
        self.url = next;
    }

    /// What Go's transport refuses before it looks for a connection.
    pub fn validate(&self) -> Result<(), NetError> {
        if !matches!(self.url.scheme(), "http" | "https") {
            return Err(NetError::other(format!("unsupported protocol scheme {}", quoted(self.url.scheme()))));
        }
        if !is_valid_name(&self.method) {
            return Err(NetError::other(format!("net/http: invalid method {}", quoted(&self.method))));
        }
        if self.url.host().is_empty() {
            return Err(NetError::other("http: no Host in request URL"));
        }
        Ok(())
    }

    /// The body as it is framed on the wire.
    pub fn wire_body(&self) -> WireBody<'_> {
        match self.body() {
            Some(Body::EmptyChunked) => WireBody::EmptyChunked,
            Some(body) if !body.is_empty() => WireBody::Sized(body.pieces()),
            _ if matches!(&*self.method, "POST" | "PUT" | "PATCH") => WireBody::Sized(&[]),
            _ => WireBody::None,
        }
    }

    /// True when the request may be sent again after `error`, by Go's rules. `is_reused` says that its connection had
    /// carried another request before.
    pub fn may_retry(&self, error: &NetError, is_reused: bool) -> bool {
        match error.stage {
            // The server had closed an idle connection: it can't have processed any of the request.
            ErrorStage::Before => is_reused,
            ErrorStage::NoResponse => is_reused && self.is_idempotent(),
            stage => stage == ErrorStage::Refused,
        }
    }

    fn is_idempotent(&self) -> bool {
        matches!(&*self.method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
            || self.headers().get("Idempotency-Key").is_some()
            || self.headers().get("X-Idempotency-Key").is_some()
    }
}
