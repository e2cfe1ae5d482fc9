//! The VUs nobody works with right now. Any VU may serve any scenario, one at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::vu::{Crew, VuId};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Logger;

/// Hands out VUs. The plan of a run sees to it that there are always enough.
pub struct Pool {
    /// The VUs themselves.
    pub crew: Arc<dyn Crew>,
    free: Mutex<VecDeque<VuId>>,
    returned: Notify,
    log: Logger,
}

/// A scenario that gets no VU warns after each of so many waits, then gives up.
const ATTEMPTS: u32 = 5;
const PATIENCE: Duration = Duration::from_millis(400);

impl Pool {
    /// A pool with no VU in it.
    pub fn new(crew: Arc<dyn Crew>, log: Logger) -> Self {
        Self { crew, free: Mutex::default(), returned: Notify::new(), log }
    }

    /// Puts a VU back, or a new one in.
    pub fn put(&self, vu: VuId) {
        if self.crew.is_lost(vu) {
            return;
        }
        self.free.lock().unwrap_or_else(|poison| poison.into_inner()).push_back(vu);
        self.returned.notify_one();
    }

    /// A VU, if one is free.
    pub fn try_take(&self) -> Option<VuId> {
        self.free.lock().unwrap_or_else(|poison| poison.into_inner()).pop_front()
    }

    /// A VU, waiting for one if need be.
    ///
    /// # Errors
    /// When none came back in two seconds.
    pub async fn take(&self) -> Result<VuId, Failure> {
        for attempt in 1..=ATTEMPTS {
            let patience = tokio::time::sleep(PATIENCE);
            tokio::pin!(patience);
            loop {
                if let Some(vu) = self.try_take() {
                    return Ok(vu);
                }
                tokio::select! {
                    () = self.returned.notified() => {}
                    () = &mut patience => break,
                }
            }
            let waited = (PATIENCE * attempt).as_millis();
            self.log.warn(format!("Could not get a VU from the buffer for {waited}ms"));
        }
        Err(Failure::new(ExitCode::Other, "could not get a VU from the buffer in 2s"))
    }

    /// So many VUs.
    ///
    /// # Errors
    /// When they did not come back in time.
    pub async fn take_many(&self, count: u64) -> Result<Vec<VuId>, Failure> {
        let mut vus = Vec::new();
        for _ in 0..count {
            vus.push(self.take().await?);
        }
        Ok(vus)
    }
}
