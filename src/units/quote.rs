//! Text in double quotes as Go writes it: in messages and text logs, and in JSON.

use std::fmt::Write;

/// The text in double quotes; what can't be printed becomes an escape such as `\n`, `\x07` or `\u2028`.
pub fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            c if is_printable(c) => quoted.push(c),
            // Writing to a string can't fail.
            c if c < '\u{80}' => _ = write!(quoted, "\\x{:02x}", u32::from(c)),
            c if c <= '\u{ffff}' => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
            c => _ = write!(quoted, "\\U{:08x}", u32::from(c)),
        }
    }
    quoted.push('"');
    quoted
}

/// Appends the text as a JSON string. Line separators are escaped, as in Go; HTML and other letters are not.
pub fn json_quote(text: &str, to: &mut String) {
    to.push('"');
    let mut plain_from = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{2028}' => "\\u2028",
            '\u{2029}' => "\\u2029",
            c if c < ' ' => "",
            _ => continue,
        };
        to.push_str(&text[plain_from..at]);
        to.push_str(escape);
        if escape.is_empty() {
            // Writing to a string can't fail.
            _ = write!(to, "\\u{:04x}", u32::from(c));
        }
        plain_from = at + c.len_utf8();
    }
    to.push_str(&text[plain_from..]);
    to.push('"');
}

/// Letters, marks, numbers, punctuation, symbols and the plain blank; no other blanks, controls or formats.
fn is_printable(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || invisible) || matches!(c, '\u{fffc}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_json() {
        let check = |input: &str, expect: &str| {
            let mut got = String::new();
            json_quote(input, &mut got);
            assert_eq!(got, expect);
        };
        check("a \"quoted\" \\ back", r#""a \"quoted\" \\ back""#);
        check("tab\tnewline\nreturn\r", r#""tab\tnewline\nreturn\r""#);
        check("<b>&amp;</b> žluťoučký 🐎", r#""<b>&amp;</b> žluťoučký 🐎""#);
        check("line\u{2028}sep bell\u{7} del\u{7f}", "\"line\\u2028sep bell\\u0007 del\u{7f}\"");
        check("", "\"\"");
    }

    #[test]
    fn quotes_as_go_does() {
        let check = |input: &str, expect: &str| assert_eq!(go_quote(input), expect);
        check("plain", r#""plain""#);
        check("a \"b\" \\", r#""a \"b\" \\""#);
        check("žluť 🐎", "\"žluť 🐎\"");
        check("\n\t\r\u{7}\u{1}\u{7f}", r#""\n\t\r\a\x01\x7f""#);
        check("a\u{2028}b\u{a0}c", r#""a\u2028b\u00a0c""#);
    }
}
