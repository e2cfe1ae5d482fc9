//! What bounds JavaScript on Boa: how deep calls may nest, and that it ends when its VU has to stop.
//!
//! Boa has no interrupt handler. But every call, and every round of a loop, looks at the limits that its context keeps; when
//! the VU has to stop they become 0 in the middle of whatever runs, and the next call or round ends in an error that
//! scripts can't catch.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use boa_engine::Context;
use boa_engine::vm::RuntimeLimits;

use crate::js::engine::native_stack;
use crate::units::sync::lock;

/// NativeExports may call each other this deep. Boa keeps frames on its heap, but what built-ins call nests on the stack.
const MAX_RECURSION: usize = 50_000;
/// Bytes of the stack that are there for each of those calls, at least.
const STACK_PER_CALL: usize = 5 * 1024;
/// A call may leave this many values on Boa's own stack.
const VALUES_PER_CALL: usize = 256;
/// What is left of a stack, in bytes, when nothing may descend any further.
pub const MIN_STACK: usize = 64 * 1024;

/// The limits of one context, as its own thread has them.
#[derive(Default)]
pub struct ContextLimits {
    shared: SharedLimits,
    /// Where they are, once other threads know it.
    known: Cell<Option<*mut RuntimeLimits>>,
}

/// The limits of one context, within reach of other threads.
#[derive(Clone, Default)]
pub struct SharedLimits(Arc<Mutex<LimitsPointer>>);

/// Where the context keeps them, as long as it lives.
#[derive(Default)]
struct LimitsPointer(Option<*mut RuntimeLimits>);

// SAFETY: the pointer is followed only in `SharedLimits::stop`, see there.
unsafe impl Send for LimitsPointer {}

impl ContextLimits {
    /// JavaScript is about to run in the context, which must not move from now on.
    pub fn set(&self, context: &mut Context, is_stopped: impl FnOnce() -> bool) {
        let limits = context.runtime_limits_mut();
        let calls = calls_left();
        // Who stops the VU writes after us, or has written: then they are not those of a VU that may run.
        if self.known.get() == Some(limits) && allow(limits, calls) {
            return;
        }
        {
            let mut pointer = self.shared.pointer();
            *limits = running(calls);
            *pointer = LimitsPointer(Some(limits));
        }
        self.known.set(Some(limits));
        // Who stops the VU says so first and comes here then: one of both sees the other.
        if is_stopped() {
            self.shared.stop();
        }
    }

    /// For other threads.
    pub fn share(&self) -> SharedLimits {
        self.shared.clone()
    }

    /// The context is about to go.
    pub fn forget(&self) {
        self.shared.pointer().0 = None;
    }
}

impl SharedLimits {
    fn pointer(&self) -> std::sync::MutexGuard<'_, LimitsPointer> {
        lock(&self.0)
    }

    /// Ends what runs in the context, at its next call or round of a loop.
    pub fn stop(&self) {
        if let Some(limits) = self.pointer().0 {
            // SAFETY: the context lives where it was when it was last entered, until `forget` has had this lock. The thread
            // of the VU may be reading the limits meanwhile: each is a word of memory, read anew by each instruction that
            // looks at it, as instructions are called through a table, and whichever value it sees is one of both.
            unsafe { limits.write_volatile(stopped()) };
        }
    }
}

/// How deep calls may nest on what is left of the stack.
fn calls_left() -> usize {
    (native_stack::stack_left() / STACK_PER_CALL).min(MAX_RECURSION)
}

/// True where these limits let a VU run, and let calls nest as deep as that or one call less.
fn allow(limits: &RuntimeLimits, calls: usize) -> bool {
    let set = limits.recursion_limit();
    set > 0 && (set == calls || set + 1 == calls) && limits.loop_iteration_limit() == u64::MAX
}

/// The limits of a VU that may run, and nest calls so deep.
fn running(calls: usize) -> RuntimeLimits {
    let mut limits = RuntimeLimits::default();
    limits.disable_loop_iteration_limit();
    limits.set_recursion_limit(calls);
    limits.set_stack_size_limit(calls * VALUES_PER_CALL);
    limits
}

/// The limits of one that has to stop.
fn stopped() -> RuntimeLimits {
    let mut limits = RuntimeLimits::default();
    limits.set_loop_iteration_limit(0);
    limits.set_recursion_limit(0);
    limits
}
