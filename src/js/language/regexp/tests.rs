//! What the language says, and time that grows with the text. Patterns drawn at random are in `tests/regexp.rs`.

use super::*;

/// Matches, with the groups as texts.
#[track_caller]
fn check(pattern: &str, flags: &str, text: &str, expect: &str) {
    let source: Vec<u16> = pattern.encode_utf16().collect();
    let flags = Flags {
        ignore_case: flags.contains('i'),
        multiline: flags.contains('m'),
        dot_all: flags.contains('s'),
        unicode: flags.contains('u'),
    };
    let units: Vec<u16> = text.encode_utf16().collect();
    let program = program(&source, flags).expect("the pattern is understood");
    let found = find(&program, &units[..], 0, false, &mut || true).expect("nobody stops it");
    let found = match found {
        None => "none".to_owned(),
        Some(groups) => groups
            .iter()
            .map(|group| match group {
                Some((from, to)) => String::from_utf16_lossy(&units[*from..*to]),
                None => "-".to_owned(),
            })
            .collect::<Vec<_>>()
            .join("|"),
    };
    assert_eq!(found, expect, "/{pattern}/ on {text:?}");
}

#[test]
fn what_the_language_says_of_groups_and_rounds() {
    check("(?:(a)|b)*", "", "ab", "ab|-");
    check("(z)((a+)?(b+)?(c))*", "", "zaacbbbcac", "zaacbbbcac|z|ac|a|-|c");
    check("(a*)*", "", "b", "|-");
    check("(a*)?", "", "b", "|-");
    check("(?:a*?)*?b", "", "aab", "aab");
    check("a|ab", "", "abc", "a");
    check("((a)|(ab))((c)|(bc))", "", "abc", "abc|a|a|-|bc|-|bc");
    check("(a{2,3}?)(a*)", "", "aaaa", "aaaa|aa|aa");
    check("^.*$", "m", "a\nb", "a");
    check("\\bfoo\\b", "", "a foo.", "foo");
    check("[^\\W_]+", "i", "_K\u{212a}", "K");
    check("\u{e9}", "i", "\u{c9}", "\u{c9}");
    check("^.$", "u", "\u{1f600}", "\u{1f600}");
    check("(?<y>\\d{4})-(?<m>\\d\\d)", "", "on 2024-02", "2024-02|2024|02");
    check("[]", "", "a", "none");
    check("[^]+", "", "a\n", "a\n");
    check("a{,2}", "", "a{,2}", "a{,2}");
}

#[test]
fn looks_and_references() {
    check("(?=(a+))a*b\\1", "", "baaabac", "aba|a");
    check("(?<=\\$)\\d+(?!\\d|\\.)", "", "$12.5 $77", "77");
    check("(?<!a)b", "", "abb", "b");
    check("(?<=(\\d+)(\\d+))$", "", "1053", "|1|053");
    check("(.)\\1", "i", "xaAb", "aA|a");
    check("(?!(a))b\\1", "", "b", "b|-");
}

#[test]
fn time_grows_with_the_text() {
    let text = "a".repeat(50_000) + "b";
    for pattern in ["^(a+)+$", "^(a|a)*$", "(a*)*c", "(x+x+)+y|(a|aa)+$", "(?:a?){20}a{20}c", ".*.*=.*;", "a*a*a*c"] {
        check(pattern, "", &text, "none");
    }
    check("(?:<[^>]*>)*</body>", "", &"<p class=x>".repeat(4000), "none");
}

#[test]
fn what_is_not_understood_is_left_to_engines() {
    for (pattern, flags) in
        [("\\p{L}", "u"), ("(?<a>x)|(?<a>y)", ""), ("\\1(a)", ""), ("a", "iu"), ("\\c1", ""), ("(?i:a)", "")]
    {
        let source: Vec<u16> = pattern.encode_utf16().collect();
        let flags = Flags { unicode: flags.contains('u'), ignore_case: flags.contains('i'), ..Flags::default() };
        let is_known = program(&source, flags).is_some();
        assert_eq!(is_known, pattern == "\\1(a)", "/{pattern}/");
    }
}

#[test]
fn whoever_has_to_stop_stops() {
    let text: Vec<u16> = "a".repeat(1_000_000).encode_utf16().collect();
    let source: Vec<u16> = "(a*)*c".encode_utf16().collect();
    let program = program(&source, Flags::default()).expect("the pattern is understood");
    assert_eq!(find(&program, &text[..], 0, false, &mut || false), Err(MatchError::Stopped));
}
