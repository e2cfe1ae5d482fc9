//! Where compressed bodies are unpacked: the first moment on the thread that awaits the answer, which is enough for most,
//! the rest in slices on a few threads that run no VU, in turns with all others.
//!
//! A body that takes its time counts against the timeout of its request. Dropping the future ends it with the slice
//! under way.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::coding::decode::{DecodeProgress, BodyDecoder};
use super::message::{Exchange, Hop, Response};
use super::proto::error::{RequestError, NetError, ErrorStage, TIMEOUT};
use crate::net::cpu_pool::seat;

/// How long the thread that awaits may be kept.
const OWN_SLICE: Duration = Duration::from_micros(500);
/// How long one body has a thread before the next one's turn.
const SLICE: Duration = Duration::from_millis(10);
/// Bodies up to this size are begun on the thread that awaits.
const SMALL_BODY: usize = 64 << 10;

impl Exchange {
    /// Unpacks the body until `deadline`, then takes the hops that ended. When unpacking fails, the last hop has failed
    /// too; one that unpacked until the deadline lasted until then.
    pub async fn unpacked(mut self, deadline: Option<Instant>, take_hops: impl FnOnce() -> Vec<Hop>) -> Self {
        let broken = match &mut self.result {
            Ok(response) => unpack_body(response, deadline).await.err(),
            Err(_) => None,
        };
        self.hops = take_hops();
        let Some((error, left)) = broken else { return self };
        let is_late = error.code == TIMEOUT;
        let error = RequestError { body: left, ..error.of("", &self.url) };
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

/// Unpacks the body of an answer in place.
async fn unpack_body(response: &mut Response, deadline: Option<Instant>) -> Result<(), (NetError, Option<Bytes>)> {
    let codings = response.headers.get("Content-Encoding").filter(|codings| !codings.is_empty());
    let Some(codings) = codings else { return Ok(()) };
    let Some(body) = response.body.take() else { return Ok(()) };
    response.body = Some(unpack(codings, body, deadline).await?);
    Ok(())
}

/// The unpacked body, or what is wrong with it and what could be read of it.
async fn unpack(codings: &str, body: Bytes, deadline: Option<Instant>) -> Result<Bytes, (NetError, Option<Bytes>)> {
    let timeout = || NetError::timeout().at(ErrorStage::Body);
    let is_small = body.len() <= SMALL_BODY;
    let mut unpacking = BodyDecoder::new(codings, body).map_err(|error| (error, None))?;
    let mut slice = if is_small { unpacking.slice(OWN_SLICE) } else { DecodeProgress::More };
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
                return Err((timeout(), Some(unpacking.left())));
            }
            DecodeProgress::More => {}
        }
        // The seats are never closed, and a slice does not panic; if one ever does, the body is lost and nothing else.
        let lost = || (NetError::other("the response body could not be decompressed").at(ErrorStage::Body), None);
        let seat = seat().await.ok_or_else(lost)?;
        let work = tokio::task::spawn_blocking(move || {
            let slice = unpacking.slice(SLICE);
            drop(seat);
            (unpacking, slice)
        });
        (unpacking, slice) = work.await.map_err(|_| lost())?;
    }
}
