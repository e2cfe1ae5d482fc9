//! The matcher of ours for regular expressions, and Node's: the same groups for patterns drawn at random.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::needs;

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

/// Matches the patterns `[pattern, flags, text, start]` of standard input and prints the groups of each: `null` without a
/// match, `false` where it is no pattern.
const NODE: &str = "
    const found = (match) => match && match.indices.map((pair) => pair ?? null);
    const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    console.log(JSON.stringify(cases.map(([pattern, flags, text, start]) => {
        try {
            const regexp = new RegExp(pattern, flags + 'gd');
            regexp.lastIndex = start;
            return found(regexp.exec(text));
        } catch {
            return false;
        }
    })));
";

#[test]
fn patterns_drawn_at_random_match_as_in_node() {
    let node = needs::program(&["node", "nodejs"], "Debian: nodejs");
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut cases, mut ours) = (Vec::new(), Vec::new());
    for round in 0..30_000 {
        let pattern = random.pattern(4, round % 3 == 0);
        let flags = random.one(&["", "", "i", "m", "s", "u", "im"]);
        for _ in 0..3 {
            let text: String =
                (0..random.below(9)).map(|_| random.one(&["a", "b", "A", "1", " ", "\n", "\u{e9}", "c"])).collect();
            let start = random.below(text.encode_utf16().count() + 1);
            let Some(found) = volley::match_regexp(&pattern, flags, &text, start) else { continue };
            cases.push(json!([pattern, flags, text, start]));
            ours.push(found.map_or(Value::Null, |groups| json!(groups)));
        }
    }
    let mut child = Command::new(node)
        .args(["-e", NODE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let text = Value::Array(cases.clone()).to_string();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("node ends");
    writer.join().expect("nothing panics").expect("node reads");
    let theirs: Vec<Value> = serde_json::from_slice(&output.stdout).expect("node answers");
    let mut compared = 0;
    for ((case, ours), theirs) in
        cases.iter().zip(&ours).zip(&theirs).filter(|(_, theirs)| **theirs != Value::Bool(false))
    {
        assert_eq!(ours, theirs, "{case}");
        compared += 1;
    }
    assert!(compared > 20_000, "only {compared} of {} were compared", cases.len());
}
