//! `console`: the log entries behind it.

use super::super::Op;
use crate::js::value::{Args, Throw, Value};
use crate::js::vu::Vu;
use crate::log::Level;

/// The native half.
pub const OPS: &[(&str, Op)] = &[("write", write), ("inspectSource", inspect_source)];

/// The code that shows objects. Few scripts log any, so it is not part of every VU.
fn inspect_source(_vu: &Vu, _args: Args) -> Result<Value, Throw> {
    Ok(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/js-stdlib/volley/inspect.js")).into())
}

/// `(level, text)`
fn write(vu: &Vu, mut args: Args) -> Result<Value, Throw> {
    let level = match args.string(0).as_str() {
        "debug" => Level::Debug,
        "warning" => Level::Warning,
        "error" => Level::Error,
        _ => Level::Info,
    };
    vu.script.log.log(level, args.string(1), vec![("source", "console".into())]);
    Ok(Value::Undefined)
}
