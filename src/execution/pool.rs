//! The idle VUs. Any VU may serve any scenario, one at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::executor::MakeVu;
use super::vu::{VuControl, VuId};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::log::Logger;
use crate::units::sync::lock;

/// Hands out VUs. The plan of a run makes sure that there are always enough.
pub struct Pool {
    /// The VUs themselves.
    pub vus: Arc<dyn VuControl>,
    free: Mutex<VecDeque<VuId>>,
    returned: Notify,
    unplanned: Mutex<Unplanned>,
    log: Logger,
}

/// VUs beyond those that were ready before the run: scenarios ask for them when they run short.
#[derive(Debug, Default)]
struct Unplanned {
    /// At most this many are made.
    max: u64,
    /// Made so far.
    made: u64,
    /// At work for a scenario, or on their way to one.
    busy: u64,
}

/// A scenario that gets no VU warns after each attempt, then gives up.
const MAX_ATTEMPTS: u32 = 5;
const TAKE_TIMEOUT: Duration = Duration::from_millis(400);

impl Pool {
    /// A pool with no VU in it; beyond the planned VUs, at most `max_unplanned` are made while the run goes on.
    pub fn new(vus: Arc<dyn VuControl>, max_unplanned: u64, log: Logger) -> Self {
        let unplanned = Mutex::new(Unplanned { max: max_unplanned, ..Unplanned::default() });
        Self { vus, free: Mutex::default(), returned: Notify::new(), unplanned, log }
    }

    /// One VU more than were planned for a scenario: one that an earlier scenario had made and that is idle, else a
    /// new one. VUs that are planned for another scenario are left to it.
    ///
    /// # Errors
    /// When it can't be made, or when all have been made and none came back in two seconds.
    pub async fn take_unplanned(&self, make: MakeVu) -> Result<VuId, Failure> {
        let makes_one = {
            let mut unplanned = self.unplanned();
            unplanned.busy += 1;
            let makes_one = unplanned.busy > unplanned.made && unplanned.made < unplanned.max;
            unplanned.made += u64::from(makes_one);
            makes_one
        };
        let result = if makes_one { make().await } else { self.take().await };
        if result.is_err() {
            let mut unplanned = self.unplanned();
            unplanned.busy -= 1;
            unplanned.made -= u64::from(makes_one);
        }
        result
    }

    /// Puts a VU back that [`Pool::take_unplanned`] gave.
    pub fn put_unplanned(&self, vu: VuId) {
        self.unplanned().busy -= 1;
        self.put(vu);
    }

    fn unplanned(&self) -> std::sync::MutexGuard<'_, Unplanned> {
        lock(&self.unplanned)
    }

    /// Puts a VU back, or a new one in.
    pub fn put(&self, vu: VuId) {
        if self.vus.is_lost(vu) {
            return;
        }
        lock(&self.free).push_back(vu);
        self.returned.notify_one();
    }

    /// A VU, if one is free.
    pub fn try_take(&self) -> Option<VuId> {
        lock(&self.free).pop_front()
    }

    /// A VU, waiting for one if need be.
    ///
    /// # Errors
    /// When none came back in two seconds.
    pub async fn take(&self) -> Result<VuId, Failure> {
        for attempt in 1..=MAX_ATTEMPTS {
            let timeout = tokio::time::sleep(TAKE_TIMEOUT);
            tokio::pin!(timeout);
            loop {
                if let Some(vu) = self.try_take() {
                    return Ok(vu);
                }
                tokio::select! {
                    () = self.returned.notified() => {}
                    () = &mut timeout => break,
                }
            }
            let waited = (TAKE_TIMEOUT * attempt).as_millis();
            self.log.warn(format!("Could not get a VU from the buffer for {waited}ms"));
        }
        Err(Failure::new(ExitCode::Other, "could not get a VU from the buffer in 2s"))
    }

    /// Takes `count` VUs.
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
