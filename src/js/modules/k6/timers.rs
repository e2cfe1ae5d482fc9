//! `k6/timers` and the global timers: the clock.

use std::cell::Cell;
use std::time::Duration;

use crate::js::engine::Realm;
use crate::js::modules::volley::globals::TIMERS;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Handle, Throw, Value};

/// The JavaScript function that runs a timer's callback, once it was looked up.
#[derive(Default)]
struct Fire(Cell<Option<Handle>>);

/// No timer waits longer than this, about 35 years.
const MAX_MS: f64 = 1.1e12;

/// `(id, milliseconds, repeats)`: calls `fire` with the id then.
pub fn start(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    let delay = Duration::from_secs_f64(args.number(1).clamp(0.0, MAX_MS) / 1000.0);
    vu.set_timer(args.number(0) as u32, delay, args.bool(2));
    Ok(Value::Undefined)
}

/// `(id)`
pub fn stop(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    vu.clear_timer(args.number(0) as u32);
    Ok(Value::Undefined)
}

/// A timer is due: calls its callback.
///
/// # Errors
/// What the callback throws.
pub fn fire(realm: &dyn Realm, vu: &VuContext, id: u32) -> Result<(), Throw> {
    let fire = vu.module_state::<Fire>();
    let function = match fire.0.get() {
        Some(function) => function,
        None => {
            let function = realm.part(TIMERS, Some("fire"))?;
            fire.0.set(Some(function));
            function
        }
    };
    let result = realm.call(function, vec![Value::Number(f64::from(id))])?;
    realm.release(result);
    Ok(())
}
