//! How synchronous JavaScript waits: the one place where a VU's stack is put aside.
//!
//! [`run`] executes a function on a pooled stack of its own; [`wait`], called anywhere below it, suspends that stack
//! on a future and lets the worker poll other VUs. A VU has a stack only while its JavaScript is on it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use futures_util::future::LocalBoxFuture;

/// Address space of one stack; memory is committed page by page as it is touched.
pub const STACK_BYTES: usize = 4 << 20;
/// What engines may use of it: the rest is for native functions below the deepest JavaScript frame.
pub const ENGINE_STACK_BYTES: usize = 1 << 20;

type Wish = LocalBoxFuture<'static, ()>;
type Resume = Yielder<(), Wish>;

thread_local! {
    /// Stacks nobody is on. LIFO, so warm pages are used again first.
    static FREE: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
    /// The coroutine that is running on this thread.
    static CURRENT: Cell<*const Resume> = const { Cell::new(std::ptr::null()) };
    /// The lowest address of its stack.
    static LIMIT: Cell<usize> = const { Cell::new(0) };
    /// It has been deeper down than it will be again.
    static WAS_DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on a stack of its own; it may [`wait`].
///
/// # Errors
/// What the system says when it has no more address space for stacks (`vm.max_map_count`).
pub fn run<T: 'static>(work: impl FnOnce() -> T + 'static) -> std::io::Result<impl Future<Output = T>> {
    let stack = match FREE.with_borrow_mut(Vec::pop) {
        Some(stack) => stack,
        None => DefaultStack::new(STACK_BYTES)?,
    };
    let limit = stack.limit().get();
    let yielder = Rc::new(Cell::new(std::ptr::null()));
    let told = yielder.clone();
    let coroutine = Coroutine::with_stack(stack, move |yielder: &Resume, ()| {
        told.set(std::ptr::from_ref(yielder));
        CURRENT.set(std::ptr::from_ref(yielder));
        work()
    });
    Ok(Task { coroutine: ManuallyDrop::new(Some(coroutine)), yielder, limit, waiting: None })
}

struct Task<T: 'static> {
    coroutine: ManuallyDrop<Option<Coroutine<(), Wish, T>>>,
    yielder: Rc<Cell<*const Resume>>,
    limit: usize,
    waiting: Option<Wish>,
}

impl<T> Unpin for Task<T> {}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let task = &mut *self;
        loop {
            if let Some(wish) = &mut task.waiting {
                ready!(wish.as_mut().poll(cx));
                task.waiting = None;
            }
            let Some(coroutine) = task.coroutine.as_mut() else { return Poll::Pending };
            let outer = (CURRENT.replace(task.yielder.get()), LIMIT.replace(task.limit));
            let step = coroutine.resume(());
            CURRENT.set(outer.0);
            LIMIT.set(outer.1);
            match step {
                CoroutineResult::Yield(wish) => task.waiting = Some(wish),
                CoroutineResult::Return(result) => {
                    if let Some(coroutine) = task.coroutine.take() {
                        FREE.with_borrow_mut(|free| free.push(coroutine.into_stack()));
                    }
                    return Poll::Ready(result);
                }
            }
        }
    }
}

impl<T> Drop for Task<T> {
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
    let current = CURRENT.get();
    assert!(!current.is_null(), "waiting is possible only on a VU's own stack");
    // SAFETY: `CURRENT` is the yielder of the coroutine we are running on: it is set on every resume and restored
    // after it, and a yielder lives as long as its coroutine's body, which has this call below it.
    let yielder = unsafe { &*current };
    if WAS_DEEP.take() {
        give_back_stack();
    }
    let slot = Rc::new(Cell::new(None));
    let filled = slot.clone();
    yielder.suspend(Box::pin(async move { filled.set(Some(future.await)) }));
    match slot.take() {
        Some(result) => result,
        None => unreachable!("a coroutine is resumed only when its wish is done"),
    }
}

/// Something is about to need a lot of this stack, once: when the VU waits next, what it touched is given back.
pub fn goes_deep() {
    WAS_DEEP.set(true);
}

/// Gives the pages of this stack back that lie below what is in use. They read as zeros when they are touched again.
#[inline(never)]
fn give_back_stack() {
    /// What stays, for the calls that suspend this stack and those that follow.
    const MARGIN: usize = 16 * 1024;
    const PAGE: usize = 4096;
    let here = 0u8;
    let end = (std::ptr::from_ref(&here).addr().saturating_sub(MARGIN)) & !(PAGE - 1);
    let begin = LIMIT.get().next_multiple_of(PAGE);
    if cfg!(target_os = "linux") && begin > 0 && begin < end {
        // SAFETY: these pages are part of the stack we run on, and lie below everything that is on it: nobody reads
        // them before writing them. A refusal only leaves the memory in use.
        unsafe { libc::madvise(begin as *mut _, end - begin, libc::MADV_DONTNEED) };
    }
}

/// Lets the other VUs of this worker have a turn.
pub fn yield_now() {
    wait(tokio::task::yield_now());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn many_wait_at_once_on_one_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let tasks = (0..100u64).map(|n| {
            run(move || {
                wait(tokio::time::sleep(Duration::from_millis(n % 7)));
                (0..3).fold(n, |sum, _| sum + wait(async { 1 }))
            })
            .unwrap()
        });
        let sums = runtime.block_on(futures_util::future::join_all(tasks));
        assert_eq!(sums, (0..100).map(|n| n + 3).collect::<Vec<_>>());
    }
}
