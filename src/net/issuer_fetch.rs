//! Fetches the certificates of issuers by the rules of the run: its own addresses, blocked names and networks, its resolver and
//! the proxies of the environment.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::client_connections::ClientConnections;
use super::connector::Connector;
use super::http::exchange::{self, OpenExchange, PreparedRequest};
use super::http::message::{BodyMode, Request};
use super::http::proto::url::Url;
use super::tls::{IssuerResponse, IssuerTransport};

/// How long a fetch may take, redirects included.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// At most this many bytes are read: certificates take one or two thousand.
const MAX_BODY: usize = 64 * 1024;

impl IssuerTransport for Connector {
    /// On a connection of its own, which is closed afterwards. The bytes count as those of the client that waits.
    fn get(&self, url: &str) -> LocalBoxFuture<'static, Result<IssuerResponse, String>> {
        let connections = ClientConnections::over(self.without_issuers());
        let url = Url::parse(url);
        Box::pin(async move {
            let body_mode = BodyMode::First(MAX_BODY);
            let request = Request { timeout: FETCH_TIMEOUT, body_mode, ..Request::get(url?) };
            let result = match PreparedRequest::new(Arc::new(request)) {
                Ok(prepared) => {
                    let exchange = Box::new(OpenExchange::new(prepared));
                    exchange::run_to_end(&connections, exchange).await.result
                }
                Err(refused) => OpenExchange::refuse(*refused).result,
            };
            let response = result.map_err(|error| error.full)?;
            match response.status {
                200 => Ok(IssuerResponse {
                    content_type: response.headers.get("Content-Type").unwrap_or_default().to_owned(),
                    body: response.body.unwrap_or_default(),
                }),
                status => Err(format!("the response has status {status}")),
            }
        })
    }
}
