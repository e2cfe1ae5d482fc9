//! Where compressed bodies are decoded: for the first moment on the thread that awaits the response, which is enough for
//! most, then in slices on the CPU pool, in turns with all others.
//!
//! Decoding counts against the timeout of its request. Dropping the future ends it after the slice under way.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::coding::decode::{BodyDecoder, DecodeProgress};
use super::message::{Exchange, Hop, Response};
use super::proto::error::{ErrorStage, HttpError, NetError, TIMEOUT};
use crate::net::cpu_pool;

/// How long the thread that awaits may be busy with it.
const OWN_SLICE: Duration = Duration::from_micros(500);
/// How long one body has a thread before it is the next one's turn.
const SLICE: Duration = Duration::from_millis(10);
/// Bodies up to this size, in bytes, are begun on the thread that awaits.
const SMALL_BODY: usize = 64 << 10;

impl Exchange {
    /// Decodes the body until `deadline`, then takes the hops that ended. When decoding fails, the last hop has failed
    /// too; one whose body was decoded until the deadline lasted until then.
    pub async fn decoded(
        mut self: Box<Self>,
        deadline: Option<Instant>,
        take_hops: impl FnOnce() -> Vec<Hop>,
    ) -> Box<Self> {
        let broken = match &mut self.result {
            Ok(response) => decode_body(response, deadline).await.err(),
            Err(_) => None,
        };
        self.hops = take_hops();
        let Some((error, left)) = broken else { return self };
        let is_late = error.code == TIMEOUT;
        let error = HttpError { body: left, ..error.of("", &self.url) };
        if let Some(hop) = self.hops.last_mut() {
            (hop.status, hop.proto, hop.error) = (0, "", Some(error.clone()));
            if is_late {
                let now = Instant::now();
                let ended = deadline.map_or(now, |deadline| now.min(deadline)).max(hop.ended);
                hop.timings.receiving += ended - hop.ended;
                hop.ended = ended;
            }
        }
        self.result = Err(error);
        self
    }
}

/// Decodes the body of a response in place.
async fn decode_body(response: &mut Response, deadline: Option<Instant>) -> Result<(), (NetError, Option<Bytes>)> {
    let codings = response.headers.get("Content-Encoding").filter(|codings| !codings.is_empty());
    let Some(codings) = codings else { return Ok(()) };
    let Some(body) = response.body.take() else { return Ok(()) };
    response.body = Some(decode(codings, body, deadline).await?);
    Ok(())
}

/// The decoded body, or what is wrong with it and what could be read of it.
async fn decode(codings: &str, body: Bytes, deadline: Option<Instant>) -> Result<Bytes, (NetError, Option<Bytes>)> {
    let timeout = || NetError::timeout().at(ErrorStage::Body);
    let is_small = body.len() <= SMALL_BODY;
    let mut decoder = BodyDecoder::new(codings, body).map_err(|error| (error, None))?;
    let mut slice = if is_small { decoder.slice(OWN_SLICE) } else { DecodeProgress::More };
    loop {
        match slice {
            DecodeProgress::Whole(body) => return Ok(body),
            DecodeProgress::Broken(error, left) => return Err((error, left)),
            DecodeProgress::Bomb(left) => {
                if let Some(deadline) = deadline {
                    tokio::time::sleep_until(deadline.into()).await;
                }
                let text = "request timeout: the response body unpacks to more than 32 MiB and 100 times its size";
                return Err((timeout().long(text), Some(left)));
            }
            DecodeProgress::More if deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
                return Err((timeout(), Some(decoder.left())));
            }
            DecodeProgress::More => {}
        }
        // The pool is never closed, and a slice does not panic; if one ever does, the body is lost and nothing else.
        let lost = || (NetError::other("the response body could not be decompressed").at(ErrorStage::Body), None);
        let permit = cpu_pool::permit().await.ok_or_else(lost)?;
        let work = tokio::task::spawn_blocking(move || {
            let slice = decoder.slice(SLICE);
            drop(permit);
            (decoder, slice)
        });
        (decoder, slice) = work.await.map_err(|_| lost())?;
    }
}
