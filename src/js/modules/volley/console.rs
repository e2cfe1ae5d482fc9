//! `console`: the log entries behind it.

use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::log::Level;

/// `(level, text)`
pub(super) fn write(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let level = match args.string(0).as_str() {
        "debug" => Level::Debug,
        "warning" => Level::Warning,
        "error" => Level::Error,
        _ => Level::Info,
    };
    vu.script.log.log(level, args.string(1), vec![("source", "console".into())]);
    Ok(Value::Undefined)
}
