//! What the language says, time that grows with the text, and another matcher's word on patterns drawn at random.

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

/// A source of numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A pattern of some depth; what looks around and refers back only where asked for.
    fn pattern(&mut self, depth: usize, all: bool) -> String {
        let atoms = [
            "a", "b", "A", ".", "[ab]", "[^a]", "\\w", "\\d", "\\s", "\\b", "\\B", "^", "$", "\u{e9}", "1", "ab",
            "[a-c1-3]", "",
        ];
        let quantifiers = ["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}", "{0,3}"];
        let (before, after) = match self.below(if depth == 0 {
            2
        } else if all {
            9
        } else {
            7
        }) {
            0 | 1 => {
                let atom = self.one(&atoms);
                let repeats = !["", "\\b", "\\B", "^", "$"].contains(&atom);
                return format!("{atom}{}", if repeats { self.one(&quantifiers) } else { "" });
            }
            2 => ("(", ")"),
            3 => ("(?:", ")"),
            4 => return format!("{}{}", self.pattern(depth - 1, all), self.pattern(depth - 1, all)),
            5 => return format!("(?:{}|{})", self.pattern(depth - 1, all), self.pattern(depth - 1, all)),
            6 => return format!("{}|{}", self.pattern(depth - 1, all), self.pattern(depth - 1, all)),
            7 => return format!("{}{}", self.one(&["(?=", "(?!", "(?<=", "(?<!"]), self.pattern(depth - 1, all)) + ")",
            _ => return format!("({})\\1", self.pattern(depth - 1, all)),
        };
        format!("{before}{}{after}{}", self.pattern(depth - 1, all), self.one(&quantifiers))
    }
}

/// True if a pattern refers to its first group inside of that: the other matcher takes what it held before for empty.
fn refers_to_itself(pattern: &str) -> bool {
    let Some(reference) = pattern.find("\\1") else { return false };
    let (mut depth, mut group, mut in_class) = (0, None, false);
    let bytes = pattern.as_bytes();
    let mut at = 0;
    while at < reference {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => {
                depth += 1;
                if group.is_none() && bytes[at + 1] != b'?' {
                    group = Some(depth);
                }
            }
            b')' if !in_class => {
                if group == Some(depth) {
                    return false;
                }
                depth -= 1;
            }
            _ => {}
        }
        at += 1;
    }
    true
}

/// Ours and another matcher give the same groups for patterns drawn at random.
#[test]
fn patterns_drawn_at_random() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut compared = 0;
    for round in 0..30_000 {
        let pattern = random.pattern(4, round % 3 == 0);
        let flags = random.one(&["", "", "i", "m", "s", "u", "im"]);
        let source: Vec<u16> = pattern.encode_utf16().collect();
        if refers_to_itself(&pattern) {
            continue;
        }
        let Ok(other) = regress::Regex::with_flags(&pattern, flags) else { continue };
        let known = Flags {
            ignore_case: flags.contains('i'),
            multiline: flags.contains('m'),
            dot_all: flags.contains('s'),
            unicode: flags.contains('u'),
        };
        let Some(program) = program(&source, known) else { continue };
        for _ in 0..3 {
            let text: String =
                (0..random.below(9)).map(|_| random.one(&["a", "b", "A", "1", " ", "\n", "\u{e9}", "c"])).collect();
            let units: Vec<u16> = text.encode_utf16().collect();
            let start = random.below(units.len() + 1);
            let ours = find(&program, &units[..], start, false, &mut || true).expect("nobody stops it");
            let theirs = if known.unicode {
                other.find_from_utf16(&units, start).next()
            } else {
                other.find_from_ucs2(&units, start).next()
            };
            let theirs = theirs.map(|found| {
                let groups = found.captures.iter().map(|group| group.as_ref().map(|range| (range.start, range.end)));
                std::iter::once(Some((found.start(), found.end()))).chain(groups).collect::<Vec<_>>()
            });
            assert_eq!(ours, theirs, "/{pattern}/{flags} on {text:?} from {start}");
            compared += 1;
        }
    }
    assert!(compared > 20_000, "only {compared} were compared");
}
