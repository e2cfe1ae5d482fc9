//! What all hops of an exchange have in common.

use crate::net::client_connections::ClientConnections;
use crate::net::http::message::Request;

/// Where connections come from, and what was asked for.
#[derive(Clone, Copy)]
pub(super) struct ExchangeContext<'a> {
    pub connections: &'a ClientConnections,
    pub request: &'a Request,
}
