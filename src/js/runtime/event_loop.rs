//! One turn of a VU: call a function, then run everything it started to its end.
//!
//! The turn is over when the call has returned and no job, timer or native future is left. It runs on the VU's own stack.

use super::vu_context::{LoopEvent, VuContext};
use crate::js::engine::{PromiseOutcome, Realm};
use crate::js::value::{Exception, Handle, Throw, Value};

/// How a turn ended.
pub enum TurnEnd {
    /// All is done; what the call returned, a promise included.
    Done(Handle),
    /// The call itself threw.
    Threw(Exception),
    /// A promise was rejected without a handler.
    Rejected(Exception),
    /// The VU had to stop.
    Stopped,
}

/// Runs `first`, then jobs, timers and native futures until none is left.
pub fn run_turn(realm: &dyn Realm, vu: &VuContext, first: impl FnOnce() -> Result<Handle, Throw>) -> TurnEnd {
    vu.begin_turn();
    let handle = match first() {
        Ok(handle) => handle,
        Err(throw) => {
            abandon(vu);
            return ended(throw);
        }
    };
    if vu.script.async_metric_context {
        vu.contexts.begin_work();
    }
    let end = run_rest(realm, vu, handle);
    vu.leave_connections();
    vu.contexts.end_work();
    end
}

/// Runs jobs, timers and native futures until none is left; `handle` is what the turn returns.
fn run_rest(realm: &dyn Realm, vu: &VuContext, handle: Handle) -> TurnEnd {
    loop {
        if let Err(throw) = realm.run_jobs() {
            abandon(vu);
            return ended(throw);
        }
        if let Some(rejection) = realm.take_rejections().into_iter().next() {
            abandon(vu);
            return TurnEnd::Rejected(rejection);
        }
        let step = match vu.next_event() {
            Ok(None) => return TurnEnd::Done(handle),
            // No rejection, which the script would see.
            Ok(Some(LoopEvent::Settled(_, Err(Throw::Stop)))) => Err(Throw::Stop),
            Ok(Some(LoopEvent::Settled(promise, result))) => realm.settle(promise, result),
            Ok(Some(LoopEvent::Timer(id))) => {
                let called = (vu.script.modules.hooks.timer_due)(realm, vu, id);
                vu.contexts.end_piece();
                called
            }
            Err(throw) => Err(throw),
        };
        if let Err(throw) = step {
            abandon(vu);
            return ended(throw);
        }
    }
}

fn ended(throw: Throw) -> TurnEnd {
    match throw {
        Throw::Stop => TurnEnd::Stopped,
        Throw::Exception(exception) => TurnEnd::Threw(exception),
        other => TurnEnd::Threw(Exception::of_text(other.report())),
    }
}

/// Drops what a failed turn has started.
fn abandon(vu: &VuContext) {
    for hook in vu.script.modules.hooks.turn_abandoned {
        hook(vu);
    }
    for (timer, is_interval) in vu.drop_pending() {
        let function = if is_interval { "setInterval" } else { "setTimeout" };
        let text = format!("{function} {timer} was stopped because the VU iteration was interrupted");
        vu.script.log.warn(text);
    }
}

/// The value of a turn that is done: a promise's result, or what was returned.
pub fn value_of(realm: &dyn Realm, handle: Handle) -> Result<Value, TurnEnd> {
    match realm.outcome(handle) {
        PromiseOutcome::Value(value) => Ok(value),
        PromiseOutcome::Pending => Ok(Value::Undefined),
        PromiseOutcome::Rejected(exception) => Err(TurnEnd::Rejected(exception)),
    }
}
