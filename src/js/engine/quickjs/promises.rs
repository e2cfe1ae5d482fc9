//! Promises on QuickJS: those native functions return, unhandled rejections, and promise jobs.

use super::errors;
use super::ffi::{Borrowed, Context, JsRuntime, Owned, Thrown};
use crate::js::engine::realm::forget_rejection;
use crate::js::value::{Pending, Throw};

/// A promise that is settled with the future's result.
pub fn pending(context: Context, future: Pending) -> Result<Owned, Thrown> {
    let (promise, resolvers) = context.promise()?;
    context.state().add_promise(resolvers, future);
    Ok(promise)
}

/// Resolves or rejects such a promise.
pub fn settle(context: Context, [resolve, reject]: &[Owned; 2], result: &Result<Owned, Owned>) {
    let (function, value) = match result {
        Ok(value) => (resolve, value),
        Err(reason) => (reject, reason),
    };
    // Resolving functions never throw.
    context.ok(context.call(function, Borrowed::UNDEFINED, &[value.borrow()]));
}

/// A promise was rejected without a handler, or got one after all.
pub fn track_rejection(context: Context, promise: Borrowed<'_>, is_handled: bool) {
    let promise = context.own(promise);
    if is_handled {
        forget_rejection(&context, &promise);
    } else {
        context.state().add_rejection(promise);
    }
}

/// Runs promise jobs until there are none.
///
/// # Errors
/// [`Throw::Stop`] when the VU has to stop.
pub fn run_jobs(runtime: &JsRuntime) -> Result<(), Throw> {
    loop {
        let ran = runtime.run_job();
        runtime.context().state().host.job_ended();
        match ran {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // What else a job throws, a promise has been rejected with.
            Err(context) => {
                if let Throw::Stop = errors::caught(context) {
                    return Err(Throw::Stop);
                }
            }
        }
    }
}
