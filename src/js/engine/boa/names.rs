//! The names in scripts, once per thread. A context keeps each name and text of what it parsed, in two encodings, for as long as it
//! lives: a third of what a VU with a large bundle weighs. It needs them to parse, to link and to look into namespaces of modules,
//! all of which happens while it runs, and one at a time runs. So the contexts of a thread have one interner between them, which
//! is in the one that ran last: numbers of names that one has given out mean the same to all.

use std::cell::{Cell, RefCell};
use std::ptr;

use boa_engine::Context;
use boa_engine::interner::Interner;

use super::memory::CountedRealm;

thread_local! {
    /// The context whose place has the thread's interner; null where none has.
    static HOLDER: Cell<*mut Interner> = const { Cell::new(ptr::null_mut()) };
    /// The context that runs; null where none does.
    static RUNNING: Cell<*mut Interner> = const { Cell::new(ptr::null_mut()) };
    /// The interner after the context that had it is gone.
    static LEFT: RefCell<Option<Interner>> = const { RefCell::new(None) };
}

/// Runs something in the context of a realm, which has not moved since it was run in before.
pub fn with<R>(context: &mut Context, run: impl FnOnce(&mut Context) -> R) -> R {
    let place = ptr::from_mut(context.interner_mut());
    // SAFETY: nobody else refers to the interner of a context before it runs.
    unsafe { fetch(place) };
    let _outer = Outer(RUNNING.replace(place));
    run(context)
}

/// The context is about to go, and its realm with it, which is still counted.
pub fn leave(context: &mut Context) {
    let interner = context.interner_mut();
    if HOLDER.get() == ptr::from_mut(interner) {
        HOLDER.set(ptr::null_mut());
        LEFT.set(Some(std::mem::take(interner)));
    }
    if CountedRealm::is_last() {
        LEFT.take();
    }
}

/// What ran before goes on, also after a panic.
struct Outer(*mut Interner);

impl Drop for Outer {
    fn drop(&mut self) {
        goes_on(Suspended(self.0));
    }
}

/// A context whose stack was left while it ran, if there was one.
pub struct Suspended(*mut Interner);

/// The running stack is about to be left.
pub fn suspends() -> Suspended {
    Suspended(RUNNING.replace(ptr::null_mut()))
}

/// That stack goes on.
pub fn goes_on(suspended: Suspended) {
    RUNNING.set(suspended.0);
    if !suspended.0.is_null() {
        // SAFETY: the context has a call of [`with`] on the stack that goes on, so it is where it was, and inside of native
        // functions, which are what waits, nobody holds on to its interner.
        unsafe { fetch(suspended.0) };
    }
}

/// Has the thread's interner in `place`.
///
/// # Safety
///
/// `place` is the interner of a living context that nobody else refers to.
unsafe fn fetch(place: *mut Interner) {
    let holder = HOLDER.replace(place);
    if holder.is_null() {
        if let Some(left) = LEFT.take() {
            // SAFETY: the caller's promise.
            unsafe { *place = left };
        }
    } else if holder != place {
        // SAFETY: as above; who holds it lives, or it would have left, and is either not running or suspended in a native function.
        unsafe { ptr::swap(holder, place) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_the_same_to_all_and_go_with_the_last() {
        let mut contexts = [0, 1].map(|_| (CountedRealm::new(), Box::new(Context::default())));
        let [first, second] = [0, 1].map(|at| {
            let name = format!("name {at}");
            with(&mut contexts[at].1, |context| context.interner_mut().get_or_intern(name.as_str()))
        });
        assert_ne!(first, second);
        let [(realm, mut context), (gone, mut gone_context)] = contexts;
        leave(&mut gone_context);
        drop((gone, gone_context));
        with(&mut context, |context| {
            let known = |sym| context.interner().resolve_expect(sym).to_string();
            assert_eq!((known(first), known(second)), ("name 0".to_owned(), "name 1".to_owned()));
        });
        leave(&mut context);
        drop((realm, context));
        let (_realm, mut context) = (CountedRealm::new(), Context::default());
        with(&mut context, |context| assert_eq!(context.interner().get("name 0"), None));
        leave(&mut context);
    }

    #[test]
    fn a_stack_that_was_left_finds_its_names() {
        let [mut context, mut other] = [0, 1].map(|_| Context::default());
        with(&mut context, |context| {
            let name = context.interner_mut().get_or_intern("mine");
            let left = suspends();
            with(&mut other, |other| assert_eq!(other.interner().get("mine"), Some(name)));
            goes_on(left);
            assert_eq!(context.interner().get("mine"), Some(name));
        });
        leave(&mut other);
        leave(&mut context);
    }
}
