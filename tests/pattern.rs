//! Expected texts with holes: `...` stands for anything, also for nothing.

/// Whether the text is the pattern, with its holes filled.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, mut holes)) = pattern.split_once("...") else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    while let Some((part, more)) = holes.split_once("...") {
        let Some(at) = rest.find(part) else { return false };
        (rest, holes) = (&rest[at + part.len()..], more);
    }
    rest.ends_with(holes)
}

/// The patterns that no line answers, each to be found after the one before it. A pattern is a part of a line.
pub fn missing<'a>(patterns: &'a str, text: &str) -> Vec<&'a str> {
    let mut lines = text.lines();
    let patterns = patterns.lines().filter(|pattern| !pattern.trim().is_empty());
    patterns.filter(|pattern| !lines.any(|line| matches(&format!("...{pattern}..."), line))).collect()
}

#[test]
fn holes_are_filled() {
    let check = |pattern, text, expect| assert_eq!(matches(pattern, text), expect, "{pattern} | {text}");
    check("a", "a", true);
    check("a", "ab", false);
    check("a...", "ab", true);
    check("...", "", true);
    check("a...c", "abc", true);
    check("a...c", "ac", true);
    check("a...b...a", "a", false);
    check("a...b...c", "axbyc", true);
    check("aa...aa", "aaa", false);
}
