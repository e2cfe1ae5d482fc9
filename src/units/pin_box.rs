//! Boxes of what is large.

use std::pin::Pin;

/// As `Box::pin`, but what `make` makes is made in its box: a future of some KB is not made on the stack and copied.
#[inline(always)]
pub fn pin_box<T>(make: impl FnOnce() -> T) -> Pin<Box<T>> {
    Box::into_pin(Box::write(Box::new_uninit(), make()))
}
