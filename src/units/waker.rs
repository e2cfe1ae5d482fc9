//! A waker that is registered again and again, nearly always the same one.

use std::ptr::{from_ref, null_mut};
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::{RawWakerVTable, Waker};

use futures_util::task::AtomicWaker;

/// Wakes the task of one thread from any other. A task that registers its waker whenever it is polled has it here already, unless it
/// was woken since: that is seen without a locked instruction, of which an [`AtomicWaker`] takes two.
#[derive(Debug, Default)]
pub struct StandingWaker {
    waker: AtomicWaker,
    /// Of which waker `waker` has a copy, or will have one: its two parts. Null where it has none, maybe also where it has.
    data: AtomicPtr<()>,
    vtable: AtomicPtr<RawWakerVTable>,
}

impl StandingWaker {
    /// `waker` is woken by the next [`wake`](Self::wake), in the place of the one before. Afterwards the caller looks whether what it
    /// waits for is there already. One thread at a time calls this.
    pub fn register(&self, waker: &Waker) {
        let (data, vtable) = (waker.data().cast_mut(), from_ref(waker.vtable()).cast_mut());
        // A copy that is there keeps the task alive, so no other task has this address. And where it is just being taken, the task
        // will be woken.
        if self.data.load(Acquire) == data && self.vtable.load(Acquire) == vtable && !data.is_null() {
            return;
        }
        // Before the copy is there: if it is taken at once, this is forgotten again.
        self.data.store(data, Release);
        self.vtable.store(vtable, Release);
        self.waker.register(waker);
    }

    /// Wakes the task that has registered, once. What it waits for is there already.
    pub fn wake(&self) {
        let waker = self.waker.take();
        // After it was taken, before it is woken: a task that registers meanwhile does so in vain at worst.
        self.data.store(null_mut(), Release);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
    use std::task::{Poll, Wake};

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    pub struct Woken(pub AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn each_registration_is_woken_once() {
        let (one, other) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let [first, second] = [&one, &other].map(|woken| Waker::from(woken.clone()));
        let standing = StandingWaker::default();
        let counts = || (one.0.load(Ordering::SeqCst), other.0.load(Ordering::SeqCst));
        standing.wake();
        assert_eq!(counts(), (0, 0));
        for _ in 0..3 {
            standing.register(&first);
        }
        standing.wake();
        standing.wake();
        assert_eq!(counts(), (1, 0));
        standing.register(&first);
        standing.wake();
        assert_eq!(counts(), (2, 0));
        // The last one counts.
        standing.register(&first);
        standing.register(&second);
        standing.wake();
        standing.register(&second);
        standing.wake();
        assert_eq!(counts(), (2, 2));
        // Without data all wakers look alike.
        standing.register(Waker::noop());
        standing.register(&first);
        standing.wake();
        assert_eq!(counts(), (3, 2));
        drop((first, second));
        assert_eq!((Arc::strong_count(&one), Arc::strong_count(&other)), (1, 1), "a copy is left");
    }

    #[test]
    fn nobody_sleeps_through_what_they_wait_for() {
        const TURNS: u32 = 20_000;
        struct Both {
            turn: AtomicU32,
            wakers: [StandingWaker; 2],
        }
        let both = Arc::new(Both { turn: AtomicU32::new(0), wakers: Default::default() });
        let player = |own: u32| {
            let both = both.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let plays = poll_fn(move |cx| {
                    loop {
                        both.wakers[own as usize].register(cx.waker());
                        let turn = both.turn.load(Ordering::SeqCst);
                        if turn >= TURNS {
                            both.wakers.iter().for_each(StandingWaker::wake);
                            return Poll::Ready(());
                        }
                        if turn % 2 != own {
                            return Poll::Pending;
                        }
                        both.turn.store(turn + 1, Ordering::SeqCst);
                        both.wakers[1 - own as usize].wake();
                    }
                });
                runtime.block_on(plays);
            })
        };
        let players = [player(0), player(1)];
        players.into_iter().for_each(|player| player.join().unwrap());
    }
}
