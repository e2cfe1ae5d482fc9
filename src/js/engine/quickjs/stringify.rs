//! `JSON.stringify` with a limit of its own: QuickJS looks for each level at all levels above it, so that it would take
//! minutes to come to the end of a large stack.

use std::ffi::c_int;

use rquickjs::qjs::{self, JSContext, JSValue};

use super::{State, state};

/// So many bytes of stack may one call use: 10,000 levels of data and more.
const MAX_DEPTH: usize = 4 << 20;

/// Puts our function into the place of QuickJS' own, which it calls.
///
/// # Safety
/// `ctx` must be a live context whose state is set.
pub(super) unsafe fn replace_stringify(ctx: *mut JSContext) {
    // SAFETY: as the caller says.
    unsafe { super::json::replace(ctx, c"stringify", 3, Some(stringify)) }
}

unsafe extern "C" fn stringify(
    ctx: *mut JSContext,
    this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    _magic: c_int,
    data: *mut JSValue,
) -> JSValue {
    // SAFETY: `data` holds the old function, which takes what this one was called with.
    unsafe {
        let State { entered, .. } = state(ctx);
        let before = entered.get();
        let here = 0u8;
        let used = before.at.saturating_sub(std::ptr::from_ref(&here).addr());
        let depth = before.depth.min(used + MAX_DEPTH);
        let rt = qjs::JS_GetRuntime(ctx);
        entered.set(super::Entered { depth, ..before });
        qjs::JS_SetMaxStackSize(rt, depth as _);
        let result = qjs::JS_Call(ctx, *data, this, argc, argv);
        entered.set(before);
        qjs::JS_SetMaxStackSize(rt, before.depth as _);
        result
    }
}
