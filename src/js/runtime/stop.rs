//! How a VU is stopped from another thread.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use crate::js::engine::StopHook;
use crate::units::sync::lock;
use crate::units::waker::StandingWaker;

/// The way to stop a VU from another thread.
#[derive(Default)]
pub struct Stop {
    raised: AtomicBool,
    waker: StandingWaker,
    hook: Mutex<Option<StopHook>>,
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stop").field("raised", &self.raised).finish_non_exhaustive()
    }
}

impl Stop {
    /// Stops the VU: what it waits for ends at once, its script ends at the next chance.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        self.waker.wake();
        if let Some(hook) = &*lock(&self.hook) {
            hook();
        }
    }

    /// What else is to be done when the VU has to stop, in the place of what was asked for before.
    pub fn set_hook(&self, hook: StopHook) {
        *lock(&self.hook) = Some(hook);
    }

    /// True if the VU has to stop.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// `waker` is woken when the VU has to stop, in the place of the one before.
    pub fn wake_on_raise(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Resolves when the VU has to stop.
    pub async fn raised(&self) {
        std::future::poll_fn(|cx| {
            self.wake_on_raise(cx.waker());
            if self.is_raised() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await
    }

    /// Lets the VU work again.
    pub fn lower(&self) {
        self.raised.store(false, Ordering::SeqCst);
    }
}
