//! The body of a response as it arrives: how much of it is kept, and how its memory grows.
//!
//! k6 keeps everything until the request's timeout, which is gigabytes where a server never stops. Here a body that is too
//! long is not read any further; the request still lasts until its timeout.

use super::proto::error::{ErrorStage, NetError};

/// The most bytes that are kept of a body whose length was not announced.
pub const MAX_UNANNOUNCED: usize = 64 << 20;
/// The most bytes that are kept of a body whose length was announced: JavaScript has no longer strings. A longer announcement
/// is ignored.
const MAX_ANNOUNCED: u64 = 1 << 30;
/// How many bytes are kept of a body that is too long.
pub const KEPT_OF_OVERSIZED: usize = 1 << 20;
/// An announced length is trusted this far, in bytes. Once that much has arrived, memory is reserved for all that may come: the
/// system provides it as it is written to, and nothing is copied, which would take twice the memory.
const MAX_TRUSTED_LENGTH: usize = 1 << 20;

/// Bodies up to this size are copied behind the head, so that one write carries both.
pub const SMALL_BODY: usize = 8 * 1024;

/// What is done with the body of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySink {
    /// It is kept.
    Keep,
    /// It is read and dropped.
    Discard,
    /// It is read and dropped, but not beyond this many bytes: then the connection is closed instead.
    Drain(usize),
    /// This many bytes of it are kept. What comes after them is not read: the connection is closed instead.
    First(usize),
}

impl BodySink {
    /// True when it is kept, or a part of it.
    pub fn keeps(self) -> bool {
        matches!(self, Self::Keep | Self::First(_))
    }

    /// How many bytes are read at most.
    pub fn most(self) -> usize {
        match self {
            Self::Keep | Self::Discard => usize::MAX,
            Self::Drain(most) | Self::First(most) => most,
        }
    }
}

/// How long a body may become before it is too long to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit(Option<u64>);

impl BodyLimit {
    /// As announced, or not.
    pub fn new(announced: Option<u64>) -> Self {
        Self(announced.filter(|length| *length <= MAX_ANNOUNCED))
    }

    fn max(self) -> usize {
        self.0.map_or(MAX_UNANNOUNCED, |length| length as usize)
    }

    /// The buffer to begin with.
    pub fn buffer(self) -> Vec<u8> {
        Vec::with_capacity(self.0.map_or(0, |_| self.max().min(MAX_TRUSTED_LENGTH)))
    }

    /// Appends what arrived; false, and nothing is appended, when that would be more than is kept.
    #[must_use]
    pub fn append(self, body: &mut Vec<u8>, more: &[u8]) -> bool {
        let left = self.max().saturating_sub(body.len());
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

/// The timeout of a request whose response is too long.
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
            let mut body = length.buffer();
            while body.len() < 100 << 20 && length.append(&mut body, &piece) {}
            assert_eq!(body.len(), expect, "{announced:?}");
            assert!(body.capacity() <= length.max().max(MAX_TRUSTED_LENGTH), "{announced:?}: {}", body.capacity());
        };
        check(None, 63 << 20);
        check(Some(10 << 20), 9 << 20);
        check(Some(30 << 20), 30 << 20);
        check(Some(200 << 20), 102 << 20);
        check(Some(1 << 60), 63 << 20);
    }
}
