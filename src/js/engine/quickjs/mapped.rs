//! ArrayBuffers over files that all VUs share: mapped privately, so that they cost nothing until a script writes.
//!
//! QuickJS knows only an address and a function that frees it, and may move a buffer to another object or, in
//! `transfer(length)`, ask the allocator to resize it. So mappings are known by their address, one table per worker.

use std::cell::RefCell;
use std::ffi::c_void;

use bytes::Bytes;
use rquickjs::qjs::{self, JSContext, JSRuntime, JSValue};
use rustc_hash::FxHashMap;

use crate::source::Private;

/// Mappings begin at a multiple of this, and hardly anything else does: most questions need no table.
const PAGE: usize = 4096;

thread_local! {
    static MAPPED: RefCell<FxHashMap<usize, Private>> = RefCell::default();
}

/// An ArrayBuffer of `len` bytes over a mapping.
///
/// # Safety
/// `ctx` must be a living context of this thread.
pub(super) unsafe fn to_js(ctx: *mut JSContext, private: Private, len: usize) -> JSValue {
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
    MAPPED.with_borrow(|mapped| mapped.get(&(data as usize)).map(Private::bytes))
}

/// True for the address of a mapping.
pub(super) fn is_mapped(memory: *const c_void) -> bool {
    (memory as usize).is_multiple_of(PAGE)
        && MAPPED.try_with(|mapped| mapped.borrow().contains_key(&(memory as usize))).unwrap_or(false)
}

fn take(memory: *const c_void) -> Option<Private> {
    if !(memory as usize).is_multiple_of(PAGE) {
        return None;
    }
    MAPPED.try_with(|mapped| mapped.borrow_mut().remove(&(memory as usize))).ok().flatten()
}

/// A copy in ordinary memory of a mapping that is to have `size` bytes, which ends the mapping; `None` for anything else.
///
/// # Safety
/// Nobody may use the mapping any more.
pub(super) unsafe fn take_for_realloc(memory: *mut c_void, size: usize) -> Option<*mut c_void> {
    let private = take(memory)?;
    // SAFETY: plain allocation; at most as much is copied as both places hold.
    unsafe {
        let copy = libmimalloc_sys::mi_malloc(size);
        if copy.is_null() {
            // The buffer stays as it was.
            MAPPED.with_borrow_mut(|mapped| mapped.insert(memory as usize, private));
        } else {
            let old = private.bytes();
            std::ptr::copy_nonoverlapping(old.as_ptr(), copy.cast(), old.len().min(size));
        }
        Some(copy)
    }
}

unsafe extern "C" fn free(rt: *mut JSRuntime, _opaque: *mut c_void, memory: *mut c_void) {
    if take(memory).is_none() {
        // SAFETY: what is no mapping any more was moved to QuickJS' own memory.
        unsafe { qjs::js_free_rt(rt, memory) }
    }
}
