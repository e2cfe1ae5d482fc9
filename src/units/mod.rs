//! Units as k6 writes and reads them: durations, numbers for people, and quoted text.

pub mod duration;
pub mod figure;
#[cfg(any(test, fuzzing))]
pub mod fuzz_tests;
pub mod number;
pub mod quote;
pub mod redact;

pub use duration::Span;
