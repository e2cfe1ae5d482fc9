//! Promises on Boa: those native functions return, unhandled rejections, and promise jobs.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use boa_engine::builtins::promise::{OperationType, Promise, ResolvingFunctions};
use boa_engine::job::{Job, JobExecutor};
use boa_engine::object::JsObject;
use boa_engine::object::builtins::JsPromise;
use boa_engine::{Context, JsResult, JsValue};

use super::errors;
use super::realm::{BoaState, state};
use crate::js::engine::realm::{EngineContext as _, PromiseState};
use crate::js::value::Pending;

/// A promise that is settled with the future's result.
pub fn pending(future: Pending, context: &mut Context) -> JsValue {
    let (promise, resolvers) = JsPromise::new_pending(context);
    state(context).add_promise(resolvers, future);
    promise.into()
}

/// Resolves or rejects such a promise.
pub fn settle(resolvers: &ResolvingFunctions, result: Result<JsValue, JsValue>, context: &mut Context) {
    let (function, value) = match result {
        Ok(value) => (&resolvers.resolve, value),
        Err(reason) => (&resolvers.reject, reason),
    };
    // Resolving functions never throw.
    let _ = function.call(&JsValue::undefined(), &[value], context);
}

/// What became of a promise; `None` for what is none.
pub fn promise_state(value: &JsValue) -> Option<PromiseState<JsValue>> {
    use boa_engine::builtins::promise::PromiseState as State;
    Some(match JsPromise::from_object(value.as_object()?).ok()?.state() {
        State::Pending => PromiseState::Pending,
        State::Fulfilled(value) => PromiseState::Fulfilled(value),
        State::Rejected(reason) => PromiseState::Rejected(reason),
    })
}

/// A promise was rejected without a handler, or got one after all.
pub fn track_rejection(state: &BoaState, promise: &JsObject<Promise>, operation: OperationType, context: &mut Context) {
    let promise = JsValue::from(promise.clone().upcast());
    match operation {
        OperationType::Handle => state.forget_rejections(|known| context.is_same_object(known, &promise)),
        OperationType::Reject => {
            if let Some(PromiseState::Rejected(reason)) = promise_state(&promise)
                && let Some(error) = reason.as_object().filter(|error| error.is::<boa_engine::builtins::error::Error>())
            {
                errors::explain(&error, context);
            }
            state.add_rejection(promise);
        }
    }
}

/// The jobs of a realm.
pub struct Jobs(pub Rc<BoaState>);

impl JobExecutor for Jobs {
    fn enqueue_job(self: Rc<Self>, job: Job, _context: &mut Context) {
        self.0.extras.jobs.borrow_mut().push_back(job);
    }

    fn run_jobs(self: Rc<Self>, context: &mut Context) -> JsResult<()> {
        loop {
            let Some(job) = self.0.extras.jobs.borrow_mut().pop_front() else { break };
            // Jobs may bring jobs without an end.
            if !self.0.host.may_continue() {
                self.0.extras.stopped.set(true);
                break;
            }
            match job {
                Job::PromiseJob(job) => {
                    let result = job.call(context);
                    self.0.host.job_ended();
                    result?;
                    // Boa drops the error that ends an async function when its VU has to stop.
                    if self.0.host.is_stopped() {
                        self.0.extras.stopped.set(true);
                        break;
                    }
                }
                Job::GenericJob(job) => drop(job.call(context)?),
                Job::AsyncJob(job) => {
                    // Only module loading comes this way, and our loader answers at once.
                    let cell = RefCell::new(&mut *context);
                    let mut future = pin!(job.call(&cell));
                    let mut waker = TaskContext::from_waker(Waker::noop());
                    if let Poll::Ready(result) = future.as_mut().poll(&mut waker) {
                        result?;
                    }
                }
                _ => {}
            }
        }
        context.clear_kept_objects();
        Ok(())
    }
}
