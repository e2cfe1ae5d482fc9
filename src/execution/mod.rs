//! When iterations start. Executors decide *when*; a VU, known here only as a handle, decides *what*.
//!
//! `executor/` holds one file per executor and the table of them; `pool` hands out VUs; `state` counts what the
//! whole run did and remembers why it was stopped. The clock is tokio's, so a test can hold time still.

pub mod executor;
pub mod pool;
pub mod precise_timer;
pub mod scenario;
pub mod state;
pub mod vu;

pub use pool::Pool;
pub use scenario::{ScenarioFacts, ScenarioProgress, ScenarioRun};
pub use state::{RunState, RunStatus};
pub use vu::{STOP_TIMEOUT, Vu, VuControl, VuId, VuTask};
