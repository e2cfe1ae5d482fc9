//! Percent-encoding (RFC 3986) of what is more than one room's business; each other set stands where it is used.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is escaped in a value: all but letters, digits and `-_.~`.
pub const COMPONENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A value as a segment of a path, or of a query string.
pub fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, &COMPONENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_unreserved_characters_are_escaped() {
        let check = |input: &str, expect: &str| assert_eq!(encode_component(input), expect);
        check("aZ09-_.~", "aZ09-_.~");
        check("a b+c/d?e=f&g%h", "a%20b%2Bc%2Fd%3Fe%3Df%26g%25h");
        check("\u{e9}'(*)!", "%C3%A9%27%28%2A%29%21");
    }
}
