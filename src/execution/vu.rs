//! A VU as executors see it: a handle that can be activated for a scenario and made to iterate.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, LocalBoxFuture};

use super::scenario::ScenarioRun;
use crate::failure::Failure;

/// How long a stopped VU may take to notice; then the run goes on without it.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A VU's number in this process, from 1.
pub type VuId = u64;

/// What a VU does for an executor, on the VU's own thread.
pub type VuTask = Box<dyn FnOnce(Rc<dyn Vu>) -> LocalBoxFuture<'static, ()> + Send>;

/// One VU, on its own thread.
pub trait Vu {
    /// Its number.
    fn id(&self) -> VuId;
    /// Takes the VU into a scenario: its function, environment and tags.
    fn activate(&self, scenario: &Arc<ScenarioRun>);
    /// Runs one iteration to its end, and counts it in the run's state.
    fn iterate(&self) -> LocalBoxFuture<'_, ()>;
    /// Takes the VU out of its scenario.
    fn release(&self);
}

/// All VUs, from any thread.
pub trait VuControl: Send + Sync {
    /// Makes the VU and runs the script's init code in it.
    fn initialise(&self, vu: VuId) -> BoxFuture<'static, Result<(), Failure>>;
    /// Runs `work` on the VU's thread; the future ends when the work does, or [`STOP_TIMEOUT`] after the VU was interrupted and
    /// did not notice.
    fn run(&self, vu: VuId, work: VuTask) -> BoxFuture<'static, ()>;
    /// Ends what the VU is doing: waits return at once, its script is stopped.
    fn interrupt(&self, vu: VuId);
    /// True if the VU was interrupted and never came back: nothing waits for it again.
    fn is_lost(&self, _vu: VuId) -> bool {
        false
    }
}
