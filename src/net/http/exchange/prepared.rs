//! A request whose headers are checked and sorted, on its way to the network thread.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::log::{EndedHops, ExchangeLog};
use crate::net::http::message::{BodyMode, Exchange, Hop, Request};
use crate::net::http::proto::headers::RequestHeaders;
use crate::net::http::proto::url::Url;

/// A request that can be sent, and the hops of it that have ended.
#[derive(Debug)]
pub struct PreparedRequest {
    request: Arc<Request>,
    headers: RequestHeaders,
    ended: EndedHops,
}

impl PreparedRequest {
    /// Checks the request; one that can't be sent is a finished exchange.
    pub fn new(mut request: Arc<Request>) -> Result<Self, Box<Exchange>> {
        if request.method.is_empty() {
            Arc::make_mut(&mut request).method = Cow::Borrowed("GET");
        }
        match RequestHeaders::new(&request.headers) {
            Ok(headers) => Ok(Self { request, headers, ended: EndedHops::default() }),
            Err(error) => {
                let ended = EndedHops::default();
                let exchange = ExchangeLog::new(&request, &ended, Instant::now(), None).finish(Err(error));
                Err(Box::new(Exchange { hops: ended.take(), ..exchange }))
            }
        }
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
