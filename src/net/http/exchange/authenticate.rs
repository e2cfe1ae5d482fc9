//! Sends a request, and again with credentials where the server challenges us and we have some.

use super::context::ExchangeContext;
use super::log::ExchangeLog;
use super::redirect_state::RedirectState;
use super::send::send;
use crate::net::http::body::BodySink;
use crate::net::http::dump::DumpLevel;
use crate::net::http::message::{Auth, Body, BodyMode};
use crate::net::http::proto::auth::{self, DigestChallenge};
use crate::net::http::proto::error::NetError;
use crate::net::http::proto::response_head::ResponseHead;
use crate::net::http::proto::{ntlm, redirect};

/// How much of a redirect's body is read so that its connection can be kept; Go's number.
const MAX_REDIRECT_BODY: usize = 2 << 10;

/// Sends the request of one redirect. `follows` says that a redirect in the response will be followed.
pub(super) async fn send_authenticated(
    context: ExchangeContext<'_>,
    state: &RedirectState,
    follows: bool,
    log: &mut ExchangeLog,
) -> Result<ResponseHead, NetError> {
    state.validate()?;
    let request = context.request;
    let credentials = state.url.credentials();
    let mut authorization = state.headers().authorization.clone();
    if let (None, Some((user, password)), Auth::None | Auth::Digest) = (&authorization, &credentials, request.auth) {
        authorization = Some(auth::basic(user, password));
    }
    let sink = |head: &ResponseHead| match request.body_mode {
        _ if request.dump_level == DumpLevel::Full => BodySink::Keep,
        _ if follows && redirect::location(head).is_some() => BodySink::Drain(MAX_REDIRECT_BODY),
        BodyMode::Discard => BodySink::Discard,
        BodyMode::Keep => BodySink::Keep,
        BodyMode::First(most) => BodySink::First(most),
    };
    let head = send(context, state, authorization.as_deref(), &sink, log).await?;
    let Some((user, password)) = credentials.filter(|_| head.status == 401) else { return Ok(head) };
    match request.auth {
        Auth::None => Ok(head),
        Auth::Digest => {
            let Some(challenge) = DigestChallenge::find(&head.headers) else { return Ok(head) };
            let body = state.body().map(Body::joined).unwrap_or_default();
            let target = state.url.request_target();
            let authorization =
                challenge.answer((&user, &password), &state.method, &target, &body, &auth::client_nonce());
            log.next_leg(&head, state);
            send(context, state, Some(&authorization), &sink, log).await
        }
        Auth::Ntlm => {
            let Some(scheme) = ntlm::offered(&head.headers) else { return Ok(head) };
            log.next_leg(&head, state);
            // Nothing else runs between the legs, so each takes the connection that the one before has just returned.
            let challenged = send(context, state, Some(&ntlm::negotiate(scheme)), &sink, log).await?;
            let Some(authorization) = ntlm::authenticate(&challenged.headers, scheme, &user, &password) else {
                return Ok(challenged);
            };
            log.next_leg(&challenged, state);
            send(context, state, Some(&authorization), &sink, log).await
        }
    }
}
