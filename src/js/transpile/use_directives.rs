//! The lines `"use k6 …"` at the top of a file: which versions it wants.

/// Names and versions, blanks taken out: `("k6/x/redis", ">=0.3")`, `*` for any.
pub(super) fn read(text: &str) -> Vec<(String, String)> {
    strings(text).into_iter().filter_map(parse_directive).collect()
}

fn parse_directive(text: &str) -> Option<(String, String)> {
    let rest = text.strip_prefix("use k6")?;
    let (name, version) = match rest.trim_start().strip_prefix("with ") {
        Some(rest) => {
            let rest = rest.trim_start();
            rest.split_at(rest.find([' ', '<', '>', '=', '!', '~', '^', '*']).unwrap_or(rest.len()))
        }
        None => ("k6", rest),
    };
    let version: String = version.split_whitespace().collect();
    Some((name.to_owned(), if version.is_empty() { "*".to_owned() } else { version }))
}

/// The string literals a file begins with; comments, blanks and semicolons may stand between them.
fn strings(text: &str) -> Vec<&str> {
    let mut strings = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.find("*/").map_or("", |end| &comment[end + 2..]);
        } else if let Some(quote) = rest.chars().next().filter(|c| ['"', '\''].contains(c)) {
            let Some(end) = rest[1..].find([quote, '\n']) else { return strings };
            strings.push(&rest[1..=end]);
            rest = &rest[end + 2..];
        } else {
            return strings;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_of_a_file_is_read() {
        let check = |text: &str, expect: &[(&str, &str)]| {
            let got = read(text);
            let got: Vec<_> = got.iter().map(|(name, version)| (&**name, &**version)).collect();
            assert_eq!(got, expect, "{text}");
        };
        check("// a\n'use strict';/* b */ \"use k6 >= 1.0\"\nx; 'use k6 > 9'", &[("k6", ">=1.0")]);
        check("'use k6 with k6/x/a'; 'use k6 with k6/x/b<2'", &[("k6/x/a", "*"), ("k6/x/b", "<2")]);
        check("import 'k6'; 'use k6 > 9'", &[]);
        check("", &[]);
    }
}
