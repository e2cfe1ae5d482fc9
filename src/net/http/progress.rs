//! What is known of the hop under way, on whichever connection: it survives when the hop is cut off.

use std::future::pending;

use super::body::KEPT_OF_OVERSIZED;
use super::body_reader::UnreadBody;
use super::proto::error::NetError;
use super::timing::HopTimer;

/// What an exchange leaves behind even when it is cut off in the middle.
#[derive(Debug)]
pub struct HopProgress {
    /// Where its time goes.
    pub timer: HopTimer,
    /// True once the head of the response is complete.
    pub has_head: bool,
    /// What has come of the body; `None` before the head was complete, and for responses without a body.
    pub body: Option<Vec<u8>>,
    /// What is left to read, where the network thread has to.
    pub unread: Option<Box<UnreadBody>>,
    /// The body is longer than what is kept of one.
    pub is_oversized: bool,
}

impl HopProgress {
    /// Nothing has come yet.
    pub fn new(timer: HopTimer) -> Self {
        Self { timer, has_head: false, body: None, unread: None, is_oversized: false }
    }

    /// Forgets the response, for the next attempt or hop.
    pub fn clear(&mut self) {
        (self.has_head, self.body) = (false, None);
    }

    /// Stops reading a body that is too long. Never resolves: the request's timeout ends the hop.
    pub async fn stop_oversized(&mut self) -> NetError {
        self.is_oversized = true;
        if let Some(body) = &mut self.body {
            body.truncate(KEPT_OF_OVERSIZED);
            body.shrink_to_fit();
        }
        pending().await
    }
}
