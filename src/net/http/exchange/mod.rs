//! One request until it has its response: connections, retries, authentication, redirects, and a record of every hop.
//!
//! Runs on the network thread. Decoding the body does not: see `unpack`.
//!
//! A [`Request`](super::message::Request) is checked and becomes a [`PreparedRequest`]. [`run`] follows its redirects: each
//! makes another [`RedirectState`](redirect_state::RedirectState) of it, which is authenticated, and sent as a
//! [`WireRequest`](super::proto::request_head::WireRequest) until a connection carries it.

mod authenticate;
mod context;
mod log;
mod prepared;
mod redirect_state;
mod redirects;
mod send;

use std::time::Instant;

pub use prepared::PreparedRequest;

use super::body;
use super::message::Exchange;
use super::proto::error::{ErrorStage, NetError};
use crate::net::client_connections::ClientConnections;
use context::ExchangeContext;
use log::ExchangeLog;

/// Runs a request to its end. Its hops are in [`PreparedRequest::take_ended`], not in the exchange.
pub async fn run(connections: &ClientConnections, prepared: &PreparedRequest) -> Exchange {
    let request = prepared.request();
    let limit = request.timeout;
    let now = Instant::now();
    let mut log = ExchangeLog::new(request, prepared.ended_hops(), now, now.checked_add(limit));
    let context = ExchangeContext { connections, request };
    let result = match limit.is_zero() {
        true => Err(NetError::timeout()),
        false => match tokio::time::timeout(limit, redirects::follow(context, prepared.headers(), &mut log)).await {
            Ok(result) => result,
            Err(_) if log.hop.progress.is_oversized => Err(body::too_long()),
            Err(_) if log.hop.progress.has_head => Err(NetError::timeout().at(ErrorStage::Body)),
            Err(_) => Err(NetError::timeout()),
        },
    };
    log.finish(result)
}
