//! A body as it arrives: how much of it is kept, and how its memory grows.
//!
//! k6 keeps whatever comes until the request's timeout, which is gigabytes where a server never stops. Here a body that is
//! too long is not read any further; the request lasts until its timeout all the same.

use super::proto::error::{ErrorStage, NetError};

/// A body whose length was not announced is kept up to here, in bytes.
pub const MAX_UNANNOUNCED: usize = 64 << 20;
/// A body whose length was announced is kept up to here: JavaScript has no longer strings. What is announced to be longer counts
/// as not announced.
const MAX_ANNOUNCED: u64 = 1 << 30;
/// What is kept of a body that is too long.
pub const KEPT_OF_OVERSIZED: usize = 1 << 20;
/// Once so much has come, memory is reserved for all that may come: the system gives it as it is written to, and nothing is
/// copied, which would take twice of it.
const MAX_TRUSTED_LENGTH: usize = 1 << 20;

/// What is done with the body of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySink {
    /// It is kept.
    Keep,
    /// It is read and dropped.
    Discard,
    /// It is read and dropped, but not beyond this many bytes: then the connection is closed instead.
    Drain(usize),
}

/// How long a body may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit(Option<u64>);

impl BodyLimit {
    /// As announced, or not.
    pub fn new(announced: Option<u64>) -> Self {
        Self(announced.filter(|length| *length <= MAX_ANNOUNCED))
    }

    fn most(self) -> usize {
        self.0.map_or(MAX_UNANNOUNCED, |length| length as usize)
    }

    /// Memory to begin with.
    pub fn room(self) -> Vec<u8> {
        Vec::with_capacity(self.0.map_or(0, |_| self.most().min(MAX_TRUSTED_LENGTH)))
    }

    /// Adds what came; false, and nothing is added, when that would be more than is kept.
    #[must_use]
    pub fn add(self, body: &mut Vec<u8>, more: &[u8]) -> bool {
        let left = self.most().saturating_sub(body.len());
        if more.len() > left {
            return false;
        }
        if more.len() > body.capacity() - body.len() && body.len() >= MAX_TRUSTED_LENGTH {
            body.reserve_exact(left);
        }
        body.extend_from_slice(more);
        true
    }
}

/// The timeout of a request whose answer is too long.
pub fn too_long() -> NetError {
    let text = format!(
        "request timeout: the response body is longer than {} MiB and its length was not announced, or than {} MiB; \
         `responseType: 'none'` reads bodies of any length",
        MAX_UNANNOUNCED >> 20,
        MAX_ANNOUNCED >> 20
    );
    NetError::timeout().long(text).at(ErrorStage::Body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_kept_as_far_as_they_may_grow() {
        let piece = vec![7; 3 << 20];
        let check = |announced: Option<u64>, expect: usize| {
            let length = BodyLimit::new(announced);
            let mut body = length.room();
            while body.len() < 100 << 20 && length.add(&mut body, &piece) {}
            assert_eq!(body.len(), expect, "{announced:?}");
            assert!(body.capacity() <= length.most().max(MAX_TRUSTED_LENGTH), "{announced:?}: {}", body.capacity());
        };
        check(None, 63 << 20);
        check(Some(10 << 20), 9 << 20);
        check(Some(30 << 20), 30 << 20);
        check(Some(200 << 20), 102 << 20);
        check(Some(1 << 60), 63 << 20);
    }
}
