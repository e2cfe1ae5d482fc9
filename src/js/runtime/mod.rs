//! What a VU runs on: a worker's thread, a stack of its own, an event loop, and the context that native functions see.
//!
//! Nothing here knows where code comes from ([`ModuleLoader`]) or which modules there are ([`module_table::ModuleTable`]).

pub mod coroutine;
pub mod event_loop;
mod metric_context;
mod module_loader;
pub mod module_state;
pub mod module_table;
mod pending;
pub mod script;
mod stop;
mod vu_context;
pub mod worker;

pub use metric_context::MetricContext;
pub use module_loader::ModuleLoader;
pub use module_table::{DirectOp, Op};
pub use script::{HttpDefaults, Script};
pub use stop::Stop;
pub use vu_context::{LifecycleStage, VuContext};
