//! One request until it has its response: connections, retries, authentication, redirects, and a record of every hop.
//!
//! Runs on the network thread, or over an idle connection on the thread of its VU until that would not do ([`Outcome::GoesOn`]).
//! Decoding the body is no part of it: see `unpack`.
//!
//! A [`Request`](super::message::Request) is checked and becomes a [`PreparedRequest`]. [`run`] follows its redirects: each
//! makes another [`RedirectState`](redirect_state::RedirectState) of it, which is authenticated, and sent as a
//! [`WireRequest`](super::proto::request_head::WireRequest) until a connection carries it.

mod authenticate;
mod context;
mod ended_hops;
mod log;
mod open;
mod prepared;
mod redirect_state;
mod redirects;
mod send;

pub use open::OpenExchange;
pub use prepared::{PreparedRequest, RefusedRequest};

use std::pin::pin;

use super::body;
use super::message::Exchange;
use super::proto::error::{ErrorStage, NetError};
use crate::net::client_connections::ClientConnections;

/// How an exchange left a thread.
#[derive(Debug)]
pub enum Outcome {
    /// It is over.
    Done(Box<Exchange>),
    /// It goes on on the network thread.
    GoesOn(Box<OpenExchange>),
}

/// Runs an exchange to its end, over connections of a network thread. Its hops are in [`PreparedRequest::take_ended`], not in the
/// exchange.
pub async fn run_to_end(connections: &ClientConnections, mut exchange: Box<OpenExchange>) -> Box<Exchange> {
    loop {
        match run(connections, exchange).await {
            Outcome::Done(exchange) => return exchange,
            Outcome::GoesOn(open) => exchange = open,
        }
    }
}

/// Runs an exchange to its end, or as far as it gets on a thread that runs scripts too.
pub async fn run(connections: &ClientConnections, mut exchange: Box<OpenExchange>) -> Outcome {
    if exchange.prepared.request().timeout.is_zero() {
        return Outcome::Done(exchange.finish(Err(NetError::timeout())));
    }
    exchange.is_begun = true;
    let deadline = exchange.deadline.map(tokio::time::Instant::from_std);
    let followed = {
        // Pinned where it is made: it is of several KB, and each future that holds it would be handed on with it.
        let following = pin!(redirects::follow(connections, &mut exchange));
        match deadline {
            Some(deadline) => connections.timeout().limit(deadline, following).await,
            None => Some(following.await),
        }
    };
    let progress = &exchange.log.hop.progress;
    let result = match followed {
        Some(Err(error)) if error.stage == ErrorStage::Elsewhere => return Outcome::GoesOn(exchange),
        Some(result) => result,
        None if progress.is_oversized => Err(body::too_long()),
        None if progress.has_head => Err(NetError::timeout().at(ErrorStage::Body)),
        None => Err(NetError::timeout()),
    };
    Outcome::Done(exchange.finish(result))
}
