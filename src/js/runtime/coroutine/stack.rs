//! The memory of coroutines: much address space, of which only what is touched is memory.
//!
//! Stacks that nobody is on are kept per thread. One that was used deep down gives those pages back first.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use corosensei::stack::{DefaultStack, Stack, StackPointer};

/// Address space of one stack, where the system has it: 10,000 levels of data and 1,000 of code need it on Boa.
pub const MAX_STACK_BYTES: usize = if cfg!(target_pointer_width = "64") { 256 << 20 } else { 4 << 20 };
/// The smallest stack that is tried where address space is limited (`ulimit -v`, strict overcommit).
const MIN_STACK_BYTES: usize = 4 << 20;
/// Below a stack nothing may be touched in so many bytes: more than any frame that is entered without a look at the limit.
pub const GUARD_BYTES: usize = 256 << 10;
/// What a stack keeps of its pages while nobody is on it.
const WARM_BYTES: usize = 512 << 10;

/// The size that the system gave last.
static STACK_BYTES: AtomicUsize = AtomicUsize::new(MAX_STACK_BYTES);

thread_local! {
    /// Stacks nobody is on. LIFO, so warm pages are used again first.
    static FREE: RefCell<Vec<VuStack>> = const { RefCell::new(Vec::new()) };
}

/// A stack with a guard of [`GUARD_BYTES`] below it.
pub struct VuStack(DefaultStack);

// SAFETY: base and limit are those of the stack inside, of which more is guarded than before, still at its lower end.
unsafe impl Stack for VuStack {
    fn base(&self) -> StackPointer {
        self.0.base()
    }

    fn limit(&self) -> StackPointer {
        self.0.limit()
    }
}

impl VuStack {
    /// One that this thread has, or a new one.
    ///
    /// # Errors
    /// What the system says when it has no more address space, or too many mappings (`vm.max_map_count`).
    pub fn take() -> std::io::Result<Self> {
        if let Some(stack) = FREE.with_borrow_mut(Vec::pop) {
            return Ok(stack);
        }
        loop {
            let bytes = STACK_BYTES.load(Relaxed);
            match Self::new(bytes) {
                Err(_) if bytes / 4 >= MIN_STACK_BYTES => STACK_BYTES.store(bytes / 4, Relaxed),
                result => return result,
            }
        }
    }

    fn new(bytes: usize) -> std::io::Result<Self> {
        let stack = DefaultStack::new(bytes)?;
        // SAFETY: the lowest bytes of a stack that nobody is on, more than a guard's, and of whole pages.
        let done = unsafe { libc::mprotect(stack.limit().get() as *mut _, GUARD_BYTES, libc::PROT_NONE) };
        if done == 0 { Ok(Self(stack)) } else { Err(std::io::Error::last_os_error()) }
    }

    /// The lowest address that may be used.
    pub fn usable_from(&self) -> usize {
        self.limit().get() + GUARD_BYTES
    }

    /// Keeps the stack for the next that asks on this thread.
    pub fn put_back(self) {
        if self.was_deep() {
            discard(self.usable_from(), self.base().get() - WARM_BYTES);
        }
        FREE.with_borrow_mut(|free| free.push(self));
    }

    /// True if anything was written just below what is kept. Reading a page that was never written costs no memory. One line
    /// of the cache in four is looked at: frames are no longer than that, or there are more of them.
    fn was_deep(&self) -> bool {
        const PROBED: usize = 4096;
        let probed = (self.base().get() - WARM_BYTES - PROBED) as *const [[u64; 32]; PROBED / 256];
        // SAFETY: these bytes are part of the stack, which nobody is on, and whatever they are makes numbers. No search for the
        // first that is set: all of them together are quicker to look at.
        unsafe { &*probed }.iter().flat_map(|piece| &piece[24..]).fold(0, |all, word| all | word) != 0
    }
}

/// Gives the whole pages between two addresses of a stack back to the system; they read as zeros when they are touched again.
/// Nothing between them may be in use.
pub fn discard(begin: usize, end: usize) {
    let page = page_bytes();
    let (begin, end) = (begin.next_multiple_of(page), end & !(page - 1));
    if begin > 0 && begin < end {
        // SAFETY: whole pages of a stack, all of them below everything that is on it: nobody reads them before writing
        // them. A refusal only leaves the memory in use.
        unsafe { libc::madvise(begin as *mut _, end - begin, libc::MADV_DONTNEED) };
    }
}

/// The size of the system's pages: 4, 16 or 64 KB.
fn page_bytes() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    let known = PAGE.load(Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: the call takes a number and returns one.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(64 << 10);
    PAGE.store(page, Relaxed);
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_pages_are_given_back_and_warm_ones_stay() {
        let stack = VuStack::new(MIN_STACK_BYTES).unwrap();
        let write = |below: usize| {
            let at = (stack.base().get() - below) as *mut u64;
            // SAFETY: an aligned place in a stack that nobody is on.
            unsafe { at.write(7) };
            at
        };
        let warm = write(4096);
        assert!(!stack.was_deep());
        let deep = write(WARM_BYTES + 64);
        assert!(stack.was_deep());
        let (begin, end) = (stack.usable_from(), stack.base().get() - WARM_BYTES);
        stack.put_back();
        let stack = VuStack::take().unwrap();
        assert!((begin, end) == (stack.usable_from(), stack.base().get() - WARM_BYTES));
        // SAFETY: both places are in the stack that was taken again.
        assert_eq!(unsafe { (warm.read(), deep.read()) }, (7, 0));
    }
}
