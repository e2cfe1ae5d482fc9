//! The k6 API: everything that knows JavaScript.
//!
//! It has floors of its own, from below: `value` and `language` (what both engines share) < `engine` (the seam to QuickJS
//! and Boa) < `runtime` (what a VU runs on: its thread, its stack, its event loop, its context) < `loader` and `transpile`
//! (where module code comes from) < `modules` (the native halves of the API; `js-stdlib/` has the JavaScript ones) <
//! `lifecycle` (a VU from init code to teardown). `tests/tidy.rs` asserts them.

pub mod engine;
pub mod language;
pub mod lifecycle;
pub mod loader;
pub mod modules;
pub mod runtime;
pub mod transpile;
pub mod value;

pub use engine::Engine;
pub use lifecycle::{Exports, JsVu, VuSet};
pub use loader::{Imports, Loader};
pub use runtime::{HttpDefaults, Script};

#[cfg(test)]
mod tests;
