//! What scripts are given, and Boa's collector does not see: it counts its objects, not what hangs on them. Texts, buffers, tables
//! of properties and the responses behind native things are weighed here, and when they are heavy, garbage is collected.

use std::cell::Cell;

/// A VU that was given this many bytes has its garbage collected before it is given more: what it dropped is garbage by then, while
/// what others were given may still be in their hands.
const MAX_GIVEN_BEFORE_MORE: usize = 16 << 20;
/// Once all were given this many bytes, garbage is collected at once.
const MAX_GIVEN: usize = 64 << 20;
/// For each realm of the thread this many bytes more have to be given: a collection looks through all of them.
const PER_REALM: usize = 1 << 20;

/// What a string weighs in addition to its characters, in bytes.
const STRING: usize = 32;
/// What an item of an array weighs, or a property of an object whose shape others have too.
const ITEM: usize = 16;
/// What a property weighs of an object that is one of a kind.
const OWN_PROPERTY: usize = 96;

thread_local! {
    /// Bytes given to the realms of this thread since garbage was last collected here.
    static GIVEN: Cell<usize> = const { Cell::new(0) };
    /// Bytes given to the VU that runs since it was last the reason for that.
    static GIVEN_TO_VU: Cell<usize> = const { Cell::new(0) };
    static REALMS: Cell<usize> = const { Cell::new(0) };
}

/// Counts one realm of this thread as long as it is there.
pub struct CountedRealm(());

impl CountedRealm {
    /// One more.
    pub fn new() -> Self {
        REALMS.set(REALMS.get() + 1);
        Self(())
    }

    /// No more than one is counted.
    pub fn is_last() -> bool {
        REALMS.get() <= 1
    }
}

impl Drop for CountedRealm {
    fn drop(&mut self) {
        REALMS.set(REALMS.get().saturating_sub(1));
    }
}

/// A string of this many bytes is about to be given to a realm.
pub fn weigh_string(bytes: usize) {
    weigh(bytes + STRING);
}

/// A list of this many items is.
pub fn weigh_items(count: usize) {
    weigh(count * ITEM);
}

/// An object of this many properties is, which shares its shape with none.
pub fn weigh_properties(count: usize) {
    weigh(count * OWN_PROPERTY);
}

/// Something of this many bytes is.
pub fn weigh(bytes: usize) {
    note(bytes);
    if GIVEN.get() > MAX_GIVEN {
        collect();
    }
}

/// Something of this many bytes was given.
pub fn note(bytes: usize) {
    GIVEN.set(GIVEN.get().saturating_add(bytes));
    GIVEN_TO_VU.set(GIVEN_TO_VU.get().saturating_add(bytes));
}

/// What the VU that runs was given, to be put back when it runs again.
pub fn given() -> usize {
    GIVEN_TO_VU.get()
}

/// Another VU runs, which was given this much.
pub fn set_given(bytes: usize) {
    GIVEN_TO_VU.set(bytes);
}

/// A VU is about to wait for something that may be large.
pub fn make_room() {
    if GIVEN_TO_VU.get() > MAX_GIVEN_BEFORE_MORE {
        collect();
    }
}

/// Collects garbage if enough was given for how long that takes.
#[cold]
fn collect() {
    if GIVEN.get() > REALMS.get() * PER_REALM {
        GIVEN.set(0);
        GIVEN_TO_VU.set(0);
        boa_gc::force_collect();
    }
}
