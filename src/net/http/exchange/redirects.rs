//! Follows redirects until a response is not one, or enough were followed.

use super::authenticate::send_authenticated;
use super::context::ExchangeContext;
use super::open::OpenExchange;
use super::send::finish_reading;
use crate::net::client_connections::ClientConnections;
use crate::net::cpu_pool;
use crate::net::http::message::{Request, Response};
use crate::net::http::proto::cookies::{Cookie, CookieJar};
use crate::net::http::proto::error::NetError;
use crate::net::http::proto::headers::Headers;
use crate::net::http::proto::redirect;
use crate::net::http::proto::response_head::{LARGE_HEAD, ResponseHead};
use crate::net::http::proto::url::Url;

/// Sends the request and follows its redirects.
///
/// # Errors
/// At [`ErrorStage::Elsewhere`](crate::net::http::proto::error::ErrorStage::Elsewhere) where this thread can't; called again on
/// the network thread, it goes on from there.
pub(super) async fn follow(connections: &ClientConnections, exchange: &mut OpenExchange) -> Result<Response, NetError> {
    let OpenExchange { prepared, state, left, log, .. } = exchange;
    let request = prepared.request();
    let context = ExchangeContext { connections, request };
    loop {
        let mut head = match log.hop.unread.take() {
            Some(unread) => finish_reading(connections, state, *unread, log).await?,
            None => send_authenticated(context, state, *left > 0, log).await?,
        };
        let cookies = store_cookies(&mut head, request, &state.url).await;
        if let Some(location) = redirect::location(&head) {
            let next = redirect::target(&state.url, location)?;
            if *left > 0 {
                *left -= 1;
                state.redirect(next, location, head.status);
                log.end_hop(&head);
                log.begin_hop(state);
                continue;
            }
            log.stopped_redirecting = true;
        }
        return Ok(log.respond(head, cookies));
    }
}

/// Reads the cookies of a response into the jar; many of them on the CPU pool.
async fn store_cookies(head: &mut ResponseHead, request: &Request, url: &Url) -> Vec<Cookie> {
    let store = |headers: &Headers, jar: Option<&CookieJar>, url: &Url| {
        let cookies = Cookie::all(headers);
        if let Some(jar) = jar {
            jar.store(url, &cookies);
        }
        cookies
    };
    if head.headers.bytes() <= LARGE_HEAD {
        return store(&head.headers, request.jar.as_deref(), url);
    }
    let (headers, jar, url) = (std::mem::take(&mut head.headers), request.jar.clone(), url.clone());
    let stored = cpu_pool::run(move || (store(&headers, jar.as_deref(), &url), headers)).await;
    let (cookies, headers) = stored.unwrap_or_default();
    head.headers = headers;
    cookies
}
