//! QuickJS-ng behind the seam: one runtime and one context per VU.
//!
//! Written against the C API (`rquickjs::qjs`, called in [`ffi`] only) rather than rquickjs' wrappers, because the border is
//! crossed several times per request: a native function is a plain C function with an index, a value is converted once,
//! straight into its final form. A runtime per VU is what lets a VU suspend in the middle of native calls: QuickJS links the
//! frames of running functions through its runtime.
//!
//! Invariant: everything here runs on the worker thread the realm was made on, inside one of its VU's coroutines.

mod convert;
mod direct;
mod errors;
mod ffi;
mod json;
mod language;
mod limits;
mod modules;
mod promises;
mod realm;
mod scope;
mod source_texts;

pub use self::realm::QuickJs;
