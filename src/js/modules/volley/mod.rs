//! js-stdlib's own modules: what scripts find without importing it.

pub(in crate::js::modules) mod async_context;
pub mod commonjs;
pub mod console;
pub mod globals;
pub mod shared_array;
mod text;
pub(in crate::js::modules) mod webcrypto;
