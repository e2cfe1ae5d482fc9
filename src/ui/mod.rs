//! What the terminal shows: log lines, the banner, the description of a run, progress.
//!
//! The only room that writes to standard output and standard error; all others hand text to a [`Terminal`].

pub mod banner;
pub mod description;
pub mod fold;
pub mod log;
pub mod loki;
pub mod panel;
pub mod progress;
pub mod terminal;

pub use terminal::Terminal;
