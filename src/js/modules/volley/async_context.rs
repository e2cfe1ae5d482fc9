//! The feature `async-metric-context`: what js-stdlib needs to keep what samples carry with asynchronous work.

use crate::js::runtime::{MetricContext, VuContext};
use crate::js::value::{Args, Throw, Value};

/// Whether the feature is on.
///
/// # Errors
/// Never.
pub fn propagates(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(vu.script.async_metric_context.into())
}

/// The context in force, to hold; nothing in init code, whose samples are none.
///
/// # Errors
/// Never.
pub fn capture(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    match vu.script.async_metric_context && !vu.is_init() {
        true => Ok(Value::Resource(vu.contexts.capture())),
        false => Ok(Value::Undefined),
    }
}

/// `(context)` -> the one that was in force.
///
/// # Errors
/// When it is given something else.
pub fn swap(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    Ok(Value::Resource(vu.contexts.swap(args.resource::<MetricContext>(0)?)))
}

/// `(context)`: the work that runs goes on under it.
///
/// # Errors
/// As [`swap`].
pub fn resume(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    vu.contexts.swap(args.resource::<MetricContext>(0)?);
    Ok(Value::Undefined)
}

/// `(context)`: the job behind this one runs under it.
///
/// # Errors
/// As [`swap`].
pub fn prepare(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    vu.contexts.set_for_next_job(args.resource::<MetricContext>(0)?);
    Ok(Value::Undefined)
}
