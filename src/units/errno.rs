//! What the system says of an error, in the words Go programs use.

use std::io;

/// The text of an error without the number Rust appends, its first letter in lower case.
pub fn errno_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
