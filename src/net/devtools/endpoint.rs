//! Where the socket of a browser is that was named by the address of its HTTP server, as in `http://127.0.0.1:9222`.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::net::client::Client;
use crate::net::http::message::{BodyMode, Request};
use crate::net::http::proto::url::Url;
use crate::net::http_client::HttpClient;

/// What says where the socket is.
const PATH: &str = "json/version";
/// At most this many bytes of it are read.
const MAX_BODY: usize = 64 * 1024;

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "webSocketDebuggerUrl")]
    socket: String,
}

/// The address of the socket: `url` itself, unless it is one of HTTP, which is asked then.
///
/// # Errors
/// What went wrong there, with the address that was asked.
pub async fn socket_url(client: &Client, url: &str, timeout: Duration) -> Result<String, String> {
    if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(url.to_owned());
    }
    let asked = version_url(url);
    let failed = |text: &str| format!("asking {asked} where its socket is: {text}");
    let parsed = Url::parse(&asked)?;
    let is_tls = parsed.is_https();
    let request = Request { timeout, body_mode: BodyMode::First(MAX_BODY), ..Request::get(parsed) };
    let exchange = HttpClient::remote(client.clone()).start(Arc::new(request)).run().await;
    let response = exchange.result.map_err(|error| error.full)?;
    if response.status != 200 {
        return Err(failed(&format!("the response has status {}", response.status)));
    }
    let version: Result<Version, _> = serde_json::from_slice(&response.body.unwrap_or_default());
    let socket = version.map_err(|_| failed("the response has no webSocketDebuggerUrl"))?.socket;
    Ok(match socket.strip_prefix("ws://") {
        // The browser does not know of the TLS before it.
        Some(rest) if is_tls => format!("wss://{rest}"),
        _ => socket,
    })
}

/// The address that is asked; a query, such as a token, stays.
fn version_url(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let (place, query) = url.split_once('?').map_or((url, String::new()), |(place, rest)| (place, format!("?{rest}")));
    format!("{}/{PATH}{query}", place.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_server_is_completed() {
        let check = |url: &str, expect: &str| assert_eq!(version_url(url), expect);
        check("http://h:9222", "http://h:9222/json/version");
        check("http://h:9222/", "http://h:9222/json/version");
        check("https://h/chrome?token=x#y", "https://h/chrome/json/version?token=x");
    }
}
