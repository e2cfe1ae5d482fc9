//! Units as k6 writes and reads them: durations, numbers for people, and quoted text.

pub mod duration;
pub mod figure;
pub mod number;
pub mod quote;

pub use duration::Span;
