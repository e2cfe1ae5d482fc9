//! `k6/timers` and the global timers: the clock.

use std::cell::Cell;
use std::time::Duration;

use crate::js::value::{Args, Handle, Throw, Value};
use crate::js::vu::Vu;

/// The JavaScript function that runs a timer's callback, once it was looked up.
#[derive(Default)]
pub struct Fire(pub Cell<Option<Handle>>);

/// No timer waits longer than this, about 35 years.
const MAX_MS: f64 = 1.1e12;

/// `(id, milliseconds, repeats)`: calls `fire` with the id then.
pub fn start(vu: &Vu, args: Args) -> Result<Value, Throw> {
    let delay = Duration::from_secs_f64(args.number(1).clamp(0.0, MAX_MS) / 1000.0);
    vu.set_timer(args.number(0) as u32, delay, args.bool(2));
    Ok(Value::Undefined)
}

/// `(id)`
pub fn stop(vu: &Vu, args: Args) -> Result<Value, Throw> {
    vu.clear_timer(args.number(0) as u32);
    Ok(Value::Undefined)
}
