//! ArrayBuffers over files that all VUs share: mapped privately, so that they cost nothing until a script writes.
//!
//! QuickJS knows only an address and a function that frees it. So mappings are known by their address, one table per worker.

use std::cell::RefCell;
use std::ffi::c_void;

use bytes::Bytes;
use rquickjs::qjs::{self, JSContext, JSRuntime, JSValue};
use rustc_hash::FxHashMap;

use crate::source::PrivateMapping;

/// Mappings begin at a multiple of this, and hardly anything else does: most questions need no table.
const PAGE: usize = 4096;

thread_local! {
    static MAPPED: RefCell<FxHashMap<usize, PrivateMapping>> = RefCell::default();
}

/// An ArrayBuffer of `len` bytes over a mapping.
///
/// # Safety
/// `ctx` must be a living context of this thread.
pub(super) unsafe fn to_js(ctx: *mut JSContext, private: PrivateMapping, len: usize) -> JSValue {
    let address = private.address();
    MAPPED.with_borrow_mut(|mapped| mapped.insert(address as usize, private));
    // SAFETY: the mapping lives until `free` is called with its address, which QuickJS does once; when it has no memory
    // for the object it does not call it.
    unsafe {
        let buffer = qjs::JS_NewArrayBuffer(ctx, address, len as _, Some(free), std::ptr::null_mut(), false);
        if super::is_exception(buffer) {
            drop(take(address.cast()));
        }
        buffer
    }
}

/// The bytes of the buffer at this address, if it is a mapped one: the file's own as long as no script wrote there.
pub(super) fn bytes(data: *const u8) -> Option<Bytes> {
    if !(data as usize).is_multiple_of(PAGE) {
        return None;
    }
    MAPPED.with_borrow(|mapped| mapped.get(&(data as usize)).map(PrivateMapping::bytes))
}

fn take(memory: *const c_void) -> Option<PrivateMapping> {
    if !(memory as usize).is_multiple_of(PAGE) {
        return None;
    }
    MAPPED.try_with(|mapped| mapped.borrow_mut().remove(&(memory as usize))).ok().flatten()
}

unsafe extern "C" fn free(_rt: *mut JSRuntime, _opaque: *mut c_void, memory: *mut c_void) {
    drop(take(memory));
}
