//! Promises.

use rquickjs::qjs;

use super::{AsRaw, Context, Owned, Thrown, UNDEFINED};
use crate::js::engine::realm::PromiseState;

impl Context {
    /// A promise, and the functions that resolve and reject it.
    pub fn promise(self) -> Result<(Owned, [Owned; 2]), Thrown> {
        let mut functions = [UNDEFINED; 2];
        // SAFETY: QuickJS writes both functions before it returns; with all three we get references.
        let promise = unsafe { qjs::JS_NewPromiseCapability(self.ptr(), functions.as_mut_ptr()) };
        Ok((self.owned(promise)?, functions.map(|function| Owned::new(function, self))))
    }

    /// What became of a promise; `None` for what is none.
    pub fn promise_state(self, value: impl AsRaw) -> Option<PromiseState<Owned>> {
        // SAFETY: the value is alive.
        if !unsafe { qjs::JS_IsPromise(value.raw()) } {
            return None;
        }
        // SAFETY: the value is a promise.
        Some(match unsafe { qjs::JS_PromiseState(self.ptr(), value.raw()) } {
            qjs::JSPromiseStateEnum_JS_PROMISE_PENDING => PromiseState::Pending,
            qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED => PromiseState::Rejected(self.promise_result(value)),
            _ => PromiseState::Fulfilled(self.promise_result(value)),
        })
    }

    fn promise_result(self, promise: impl AsRaw) -> Owned {
        // SAFETY: the value is a promise; the reference is handed to us.
        Owned::new(unsafe { qjs::JS_PromiseResult(self.ptr(), promise.raw()) }, self)
    }
}
