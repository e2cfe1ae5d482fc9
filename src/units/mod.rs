//! Units as k6 writes and reads them: durations, numbers for people, quoted and escaped text, and locks.

pub mod allocator;
pub mod ascii;
#[cfg(test)]
pub mod book_tests;
pub mod duration;
pub mod errno;
pub mod figure;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
pub mod local_runtime;
#[cfg(all(target_arch = "x86_64", any(test, target_env = "musl")))]
mod memory;
pub mod nearest;
pub mod number;
pub mod percent;
pub mod pin_box;
#[cfg(feature = "x-exec")]
pub mod process_group;
pub mod quote;
pub mod redact;
pub mod scheduling;
pub mod standing_timeout;
pub mod sync;
pub mod waker;
pub mod web_client;

pub use duration::Span;
