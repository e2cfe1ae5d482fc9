//! What a VU runs on: a worker's thread, a stack of its own, an event loop, and the context that native functions see.
//!
//! Nothing here knows where code comes from or which modules there are.

pub mod coroutine;
pub mod event_loop;
pub mod script;
mod stop;
mod vu_context;
pub mod worker;

pub use script::{HttpDefaults, Script};
pub use stop::Stop;
pub use vu_context::{LifecycleStage, LoopEvent, VuContext};
