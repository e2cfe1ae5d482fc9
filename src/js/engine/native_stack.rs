//! How much of the running stack an engine may still use. Who runs an engine on a stack of its own says here where it ends.

use std::cell::Cell;

/// What is kept free of a stack below everything an engine does: for native functions and for ending in good order.
const RESERVED_BYTES: usize = 1 << 20;

thread_local! {
    /// The lowest address of the running stack that may be used; 0 on the thread's own stack.
    static LIMIT: Cell<usize> = const { Cell::new(0) };
    /// It has been deeper down than it will be again.
    static WAS_DEEP: Cell<bool> = const { Cell::new(false) };
}

/// From here on another stack is in use: the lowest address of it that may be used, 0 for the thread's own.
pub fn set_limit(limit: usize) {
    LIMIT.set(limit);
}

/// How many bytes of its stack an engine may still use; on a thread's own stack, where only small things are done, a guess.
pub fn stack_left() -> usize {
    /// Threads have 2 MB.
    const THREAD: usize = 256 * 1024;
    match LIMIT.get() {
        0 => THREAD,
        limit => here().saturating_sub(limit).saturating_sub(RESERVED_BYTES),
    }
}

/// Something is about to need a lot of this stack, once: when the VU waits next, what it touched is given back.
#[cfg(feature = "boa")]
pub fn goes_deep() {
    WAS_DEEP.set(true);
}

/// True if a stack of this thread went deep since the last call.
pub fn take_was_deep() -> bool {
    WAS_DEEP.take()
}

/// An address in the frame of the caller, or just below it.
#[inline(always)]
pub fn here() -> usize {
    let here = 0u8;
    std::ptr::from_ref(&here).addr()
}
