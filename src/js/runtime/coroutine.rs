//! How synchronous JavaScript waits: the one place where a VU's stack is suspended.
//!
//! [`run`] executes a function on a pooled stack of its own; [`wait`], called anywhere below it, suspends that stack
//! on a future and lets the worker poll other VUs. A VU has a stack only while its JavaScript is on it.

mod overflow;
mod stack;

use std::cell::Cell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use corosensei::trap::CoroutineTrapHandler;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use futures_util::future::LocalBoxFuture;

pub use overflow::on_overflow;
pub use stack::MAX_STACK_BYTES;
use stack::VuStack;

use crate::js::engine::{LeftStack, native_stack};

/// What a suspended coroutine waits for.
enum PendingFuture {
    /// A future of its own.
    Own(LocalBoxFuture<'static, ()>),
    /// What it waits for again and again.
    Shared(Rc<dyn Awaitable>),
}

impl PendingFuture {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Own(future) => future.as_mut().poll(cx),
            Self::Shared(awaited) => awaited.poll(cx),
        }
    }
}

/// What a coroutine may wait for again and again, which keeps what comes of it: no future has to be made each time.
pub trait Awaitable {
    /// Ready when the coroutine may go on.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Suspends a coroutine.
type Resume = Yielder<(), PendingFuture>;
/// A VU's coroutine. It returns only whether its work finished or its stack overflowed; the result of the work is passed
/// separately.
type VuCoroutine = Coroutine<(), PendingFuture, CoroutineEnd, VuStack>;

/// How a coroutine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CoroutineEnd {
    /// Its work returned.
    Done,
    /// It ran into the guard below its stack; nothing on it was unwound.
    Overflowed,
}

/// The coroutine that is running on a thread.
#[derive(Clone, Copy)]
struct Current {
    /// What suspends it; null where none is running.
    yielder: *const Resume,
    /// The lowest address of its stack that may be used.
    limit: usize,
    /// What ends it from a signal handler.
    trap: Option<CoroutineTrapHandler<CoroutineEnd>>,
}

impl Current {
    const NONE: Self = Self { yielder: std::ptr::null(), limit: 0, trap: None };
}

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(Current::NONE) };
}

/// Restores what was running before, also on a panic.
struct RestoreOuter(Current);

impl Drop for RestoreOuter {
    fn drop(&mut self) {
        CURRENT.set(self.0);
        native_stack::set_limit(self.0.limit);
    }
}

/// Runs `work` on a stack of its own; it may [`wait`].
///
/// # Errors
/// What the system says when it has no more address space for stacks (`vm.max_map_count`).
pub fn run<T: 'static>(work: impl FnOnce() -> T + 'static) -> std::io::Result<impl Future<Output = T>> {
    let stack = VuStack::take()?;
    overflow::watch_thread();
    let limit = stack.usable_from();
    let yielder = Rc::new(Cell::new(std::ptr::null()));
    let result = Rc::new(Cell::new(None));
    let (told, filled) = (yielder.clone(), result.clone());
    let coroutine = VuCoroutine::with_stack(stack, move |yielder: &Resume, ()| {
        told.set(std::ptr::from_ref(yielder));
        CURRENT.set(Current { yielder, ..CURRENT.get() });
        filled.set(Some(work()));
        CoroutineEnd::Done
    });
    Ok(CoroutineTask { coroutine: ManuallyDrop::new(Some(coroutine)), yielder, result, limit, waiting: None })
}

struct CoroutineTask<T: 'static> {
    coroutine: ManuallyDrop<Option<VuCoroutine>>,
    yielder: Rc<Cell<*const Resume>>,
    result: Rc<Cell<Option<T>>>,
    limit: usize,
    waiting: Option<PendingFuture>,
}

impl<T> Unpin for CoroutineTask<T> {}

impl<T> Future for CoroutineTask<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let task = &mut *self;
        loop {
            if let Some(future) = &mut task.waiting {
                ready!(future.poll(cx));
                task.waiting = None;
            }
            let Some(coroutine) = task.coroutine.as_mut() else { return Poll::Pending };
            let trap = Some(coroutine.trap_handler());
            let current = Current { yielder: task.yielder.get(), limit: task.limit, trap };
            let outer = RestoreOuter(CURRENT.replace(current));
            native_stack::set_limit(task.limit);
            let step = coroutine.resume(());
            drop(outer);
            match step {
                CoroutineResult::Yield(future) => task.waiting = Some(future),
                CoroutineResult::Return(CoroutineEnd::Overflowed) => {
                    // What is on the stack still holds parts of the realm, so it stays where it is.
                    std::mem::forget(task.coroutine.take());
                    overflow::give_thread_up();
                }
                CoroutineResult::Return(CoroutineEnd::Done) => {
                    if let Some(coroutine) = task.coroutine.take() {
                        coroutine.into_stack().put_back();
                    }
                    match task.result.take() {
                        Some(result) => return Poll::Ready(result),
                        None => unreachable!("work that is done has left its result"),
                    }
                }
            }
        }
    }
}

impl<T> Drop for CoroutineTask<T> {
    fn drop(&mut self) {
        // A suspended stack holds frames of an engine that can't be unwound from outside. It happens only when the
        // process is about to end with a VU in the middle of something: leave the stack where it is.
        if self.coroutine.as_ref().is_some_and(|coroutine| !coroutine.started()) {
            self.coroutine.take();
        }
    }
}

/// Suspends the VU that is running on this thread until `future` is done.
///
/// # Panics
/// Outside of [`run`]: a defect of ours.
pub fn wait<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    let slot = Rc::new(Cell::new(None));
    let filled = slot.clone();
    suspend(PendingFuture::Own(Box::pin(async move { filled.set(Some(future.await)) })));
    match slot.take() {
        Some(result) => result,
        None => unreachable!("a coroutine is resumed only when its future is done"),
    }
}

/// As [`wait`], until that is ready.
///
/// # Panics
/// As [`wait`].
pub fn wait_for(awaited: Rc<dyn Awaitable>) {
    suspend(PendingFuture::Shared(awaited));
}

fn suspend(pending: PendingFuture) {
    let current = CURRENT.get().yielder;
    assert!(!current.is_null(), "waiting is possible only on a VU's own stack");
    // SAFETY: `CURRENT` is the yielder of the coroutine we are running on: it is set on every resume and put back
    // after it, panics included, and a yielder lives as long as its coroutine's body, which has this call below it.
    let yielder = unsafe { &*current };
    if native_stack::take_was_deep() {
        give_back_stack();
    }
    let left = LeftStack::leave();
    yielder.suspend(pending);
    left.go_on();
}

/// Gives the pages of this stack back that lie below what is in use. They read as zeros when they are touched again.
#[inline(never)]
fn give_back_stack() {
    /// What stays, for the calls that suspend this stack and those that follow.
    const MARGIN: usize = 16 * 1024;
    stack::discard(CURRENT.get().limit, native_stack::here().saturating_sub(MARGIN));
}

/// True on a VU's own stack, where [`wait`] is possible.
pub fn can_wait() -> bool {
    !CURRENT.get().yielder.is_null()
}

/// Lets the other VUs of this worker have a turn.
pub fn yield_now() {
    wait(tokio::task::yield_now());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::js::engine::native_stack::stack_left;
    use std::time::Duration;

    fn on_one_thread<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(future)
    }

    /// Uses some stack for each level.
    fn descend(levels: usize) -> usize {
        let frame = std::hint::black_box([levels; 32]);
        if levels == 0 { 0 } else { 1 + descend(levels - 1) + frame[7] - levels }
    }

    #[test]
    fn a_stack_is_deep_and_knows_what_is_left_of_it() {
        let (before, depth, after) = on_one_thread(async {
            run(|| {
                let before = stack_left();
                (before, descend(200_000), stack_left())
            })
            .unwrap()
            .await
        });
        assert_eq!(depth, 200_000);
        assert!(before > MAX_STACK_BYTES / 2 && before.abs_diff(after) < 4096, "{before} {after}");
    }

    #[test]
    fn a_panic_leaves_nobody_on_the_stack() {
        let panicked = std::panic::catch_unwind(|| {
            on_one_thread(async { run::<()>(|| panic!("expected by this test")).unwrap().await });
        });
        assert!(panicked.is_err());
        assert!(!can_wait());
        assert_eq!(on_one_thread(async { run(|| wait(async { 5 })).unwrap().await }), 5);
    }

    #[test]
    fn a_stack_without_an_end_ends_its_thread_only() {
        fn endless(level: u64) -> u64 {
            let frame = std::hint::black_box([level; 64]);
            if frame[5] == u64::MAX {
                return 0;
            }
            endless(level + 1).wrapping_add(frame[3])
        }
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            on_overflow(move || tell.send(can_wait()).unwrap());
            on_one_thread(async { run(|| endless(0)).unwrap().await });
        });
        assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok(false));
    }

    #[test]
    fn many_wait_at_once_on_one_thread() {
        let tasks = (0..100u64).map(|n| {
            run(move || {
                wait(tokio::time::sleep(Duration::from_millis(n % 7)));
                (0..3).fold(n, |sum, _| sum + wait(async { 1 }))
            })
            .unwrap()
        });
        let sums = on_one_thread(futures_util::future::join_all(tasks));
        assert_eq!(sums, (0..100).map(|n| n + 3).collect::<Vec<_>>());
    }
}
