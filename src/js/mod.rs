//! The k6 API: everything that knows JavaScript.
//!
//! `engine/` is the seam to QuickJS and Boa; `modules/` are the native halves of the API, `js-stdlib/` the JavaScript
//! ones; a [`lifecycle`] walks a VU through init, setup, iterations, teardown and summary on a [`coroutine`]'s stack;
//! `dialect` makes of TypeScript and CommonJS what engines take; `worker` holds the threads all of it runs on. A [`vu::Vu`] knows no engine, an engine knows no VU.

mod collation;
pub mod coroutine;
pub mod crew;
#[cfg_attr(not(feature = "boa"), expect(dead_code, reason = "QuickJS reads dates by itself"))]
mod dates;
pub mod dialect;
pub mod engine;
mod event_loop;
pub mod imports;
pub mod lifecycle;
pub mod loader;
pub mod modules;
#[cfg_attr(not(feature = "boa"), expect(dead_code, reason = "QuickJS' own matcher can be interrupted"))]
pub mod regexp;
pub mod script;
pub mod value;
pub mod vu;
pub mod worker;

pub use crew::VuCrew;
pub use engine::Engine;
pub use imports::Imports;
pub use lifecycle::{Exports, Lifecycle};
pub use loader::Loader;
pub use script::{HttpDefaults, Script};

#[cfg(test)]
mod tests;
