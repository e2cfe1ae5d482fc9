//! What bounds JavaScript on QuickJS: how deep calls may nest, and that it ends when its VU has to stop.

use std::ptr;

use super::ffi::{Borrowed, Closure, Context, JsRuntime, NativeCall, Owned, Thrown};
use super::json;
use super::realm::QuickJsState;
use crate::js::engine::native_stack;

/// JavaScript may use this many bytes of stack: 100,000 calls and more. Below that is room for what does not look at the limit.
const MAX_STACK: usize = 64 << 20;
/// One call of `JSON.stringify` may use this many bytes of stack: 10,000 levels of data and more.
const MAX_STRINGIFY_STACK: usize = 4 << 20;

/// Where on its stack a VU entered QuickJS, and how far down from there JavaScript may go.
#[derive(Clone, Copy, Default)]
pub struct StackLimit {
    begin: usize,
    depth: usize,
}

/// JavaScript is about to run on whatever stack the VU has now; QuickJS measures its depth from here.
pub fn enter(runtime: &JsRuntime) {
    let depth = native_stack::stack_left().min(MAX_STACK);
    let here = 0u8;
    runtime.context().state().extras.stack.set(StackLimit { begin: ptr::from_ref(&here).addr(), depth });
    runtime.enter(depth);
}

/// Called regularly by long-running JavaScript: gives other VUs a turn; false stops what runs.
pub fn may_continue(state: &QuickJsState) -> bool {
    let slices = &state.extras.regexp_slices;
    if let Some(left) = slices.get() {
        slices.set(Some(left.saturating_sub(1)));
        if left <= 1 {
            return false;
        }
    }
    state.host.may_continue()
}

/// Puts our `JSON.stringify` into the place of QuickJS' own, which it calls with a limit of its own: QuickJS looks for each
/// level at all levels above it, so that it would take minutes to come to the end of a large stack.
pub fn replace_stringify(context: Context) -> Result<(), Thrown> {
    json::replace::<Stringify>(context, c"stringify", 3)
}

struct Stringify;

impl Closure<1> for Stringify {
    fn call(call: &NativeCall<'_>, [old]: &[Borrowed<'_>; 1]) -> Result<Owned, Thrown> {
        let context = call.context;
        let stack = &context.state().extras.stack;
        let before = stack.get();
        let here = 0u8;
        let used = before.begin.saturating_sub(ptr::from_ref(&here).addr());
        let depth = before.depth.min(used + MAX_STRINGIFY_STACK);
        stack.set(StackLimit { depth, ..before });
        context.set_max_stack(depth);
        let result = context.call(*old, call.this, call.args);
        stack.set(before);
        context.set_max_stack(before.depth);
        result
    }
}
