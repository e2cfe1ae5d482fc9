//! A VU from its init code to the summary, and all VUs of a run as the executors see them.

mod js_vu;
mod vu_set;

pub use js_vu::{Exports, JsVu};
pub use vu_set::VuSet;
