//! Long lines on a terminal: broken between words, and continued below what they are about.

/// A line is not worth breaking where less than this is left for what goes on.
const LEAST: usize = 30;

/// The text with no line longer than `width`, as far as there are blanks to break at; codes for colours take no room.
pub fn fold(text: &str, width: usize) -> String {
    text.split_inclusive('\n').map(|line| fold_line(line, width)).collect()
}

/// What is seen of a line: each character and where it is in the text.
fn seen(line: &str) -> Vec<(usize, char)> {
    let mut in_code = false;
    let mut is_seen = |c: char| {
        let is_code = c == '\x1b' || in_code;
        in_code = is_code && !(in_code && c.is_ascii_alphabetic());
        !is_code
    };
    line.char_indices().filter(|(_, c)| is_seen(*c)).collect()
}

/// In which column a line goes on: behind its label, or a little further in than it begins.
fn indent_of(line: &[(usize, char)], width: usize) -> usize {
    let behind_label = line.windows(2).position(|pair| pair[0].1 == ':' && pair[1].1 == ' ').map(|at| at + 2);
    let start = line.iter().take_while(|(_, c)| *c == ' ').count() + 2;
    behind_label.filter(|indent| indent + LEAST <= width).unwrap_or(start)
}

fn fold_line(line: &str, width: usize) -> String {
    let text = line.trim_end();
    let chars = seen(text);
    let indent = indent_of(&chars, width);
    if chars.len() <= width || indent + LEAST > width {
        return line.to_owned();
    }
    let mut folded = String::with_capacity(line.len() + 64);
    // Offsets in `chars`: where a row begins, and how much room it has.
    let (mut from, mut room) = (0, width);
    while chars.len() - from > room {
        let first_word = (from..chars.len()).find(|at| chars[*at].1 != ' ').unwrap_or(from);
        let Some(at) = (first_word..=from + room).rev().find(|at| chars[*at].1 == ' ') else { break };
        let start = if from == 0 { 0 } else { chars[from].0 };
        folded.push_str(text[start..chars[at].0].trim_end());
        folded.push('\n');
        folded.extend(std::iter::repeat_n(' ', indent));
        from = (at..chars.len()).find(|at| chars[*at].1 != ' ').unwrap_or(chars.len());
        // A colour that begins in front of the word goes with it.
        let codes = &text[chars[at].0 + 1..chars.get(from).map_or(text.len(), |(at, _)| *at)];
        folded.push_str(codes.trim_start());
        room = width - indent;
    }
    let start = if from == 0 { 0 } else { chars.get(from).map_or(text.len(), |(at, _)| *at) };
    folded.push_str(&text[start..]);
    folded.push_str(&line[text.len()..]);
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let check = |text: &str, expect: &str| assert_eq!(fold(text, 40), expect, "{text}");
        check("short\n\n  lines\n", "short\n\n  lines\n");
        check(
            "  label: one two three four five six seven eight nine ten\n",
            "  label: one two three four five six\n         seven eight nine ten\n",
        );
        check(
            "  no label but words which go on for some time\n",
            "  no label but words which go on for\n    some time\n",
        );
        let code = "\x1b[36m";
        check(
            &format!("a{code}...:\x1b[0m {code}avg=1.25ms\x1b[0m {code}min=1.25ms med=1.25ms\x1b[0m {code}max=1.25ms"),
            &format!(
                "a{code}...:\x1b[0m {code}avg=1.25ms\x1b[0m {code}min=1.25ms med=1.25ms\x1b[0m\n      {code}max=1.25ms"
            ),
        );
        let long = "x".repeat(90);
        check(&long, &long);
        check(&format!("  a b {long}"), &format!("  a b\n    {long}"));
    }
}
