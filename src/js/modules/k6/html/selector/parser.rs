//! From text to a [`Selector`](super::Selector), as strict and as lenient as k6's parser is.

use regex_lite::Regex;

use super::{Combinator, Complex, Compound, Selector, Simple, Test};

/// Selectors inside selectors go no deeper.
const MAX_DEPTH: usize = 32;

/// Reads a whole text; `None` where it is no selector.
pub(super) fn parse(text: &str) -> Option<Vec<Complex>> {
    let mut parser = SelectorParser { text, at: 0, depth: 0 };
    let group = parser.group()?;
    (parser.at == text.len()).then_some(group)
}

struct SelectorParser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte > 127
}

fn continues_name(byte: u8) -> bool {
    starts_name(byte) || byte == b'-' || byte.is_ascii_digit()
}

impl<'a> SelectorParser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Skips blanks and comments; true if there were any.
    fn blanks(&mut self) -> bool {
        let start = self.at;
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n' | 0xC) => self.at += 1,
                Some(b'/') if self.rest().starts_with("/*") => match self.rest()[2..].find("*/") {
                    Some(end) => self.at += end + 4,
                    None => break,
                },
                _ => break,
            }
        }
        self.at > start
    }

    fn open(&mut self) -> Option<()> {
        self.take(b'(').then_some(())?;
        self.blanks();
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        self.blanks();
        self.take(b')').then_some(())
    }

    /// `a, b`
    fn group(&mut self) -> Option<Vec<Complex>> {
        let mut group = vec![self.complex()?];
        while self.take(b',') {
            group.push(self.complex()?);
        }
        Some(group)
    }

    /// `a > b`
    fn complex(&mut self) -> Option<Complex> {
        self.blanks();
        let mut complex = Complex { last: self.compound()?, before: Vec::new() };
        loop {
            let mut combinator = self.blanks().then_some(Combinator::Descendant);
            match self.peek() {
                None | Some(b',' | b')') => break,
                Some(mark @ (b'+' | b'>' | b'~')) => {
                    self.at += 1;
                    self.blanks();
                    combinator = Some(match mark {
                        b'+' => Combinator::NextSibling,
                        b'>' => Combinator::Child,
                        _ => Combinator::LaterSibling,
                    });
                }
                _ => {}
            }
            let Some(combinator) = combinator else { break };
            let before = std::mem::replace(&mut complex.last, self.compound()?);
            complex.before.insert(0, (combinator, before));
        }
        Some(complex)
    }

    /// `a.b[c]`
    fn compound(&mut self) -> Option<Compound> {
        let mut compound = Compound::default();
        match self.peek()? {
            b'*' => {
                self.at += 1;
                if self.rest().len() > 2 && self.rest().starts_with("|*") {
                    self.at += 2;
                }
            }
            b'#' | b'.' | b'[' | b':' => {}
            _ => compound.0.push(Simple::Name(self.identifier()?.to_ascii_lowercase())),
        }
        loop {
            let simple = match self.peek() {
                Some(b'#') => {
                    self.at += 1;
                    Simple::Id(self.name()?)
                }
                Some(b'.') => {
                    self.at += 1;
                    Simple::Class(self.identifier()?)
                }
                Some(b'[') => self.attribute()?,
                Some(b':') => self.pseudo_class()?,
                _ => return Some(compound),
            };
            compound.0.push(simple);
        }
    }

    /// A name that begins with a letter, perhaps after dashes.
    fn identifier(&mut self) -> Option<String> {
        let dashes = self.rest().bytes().take_while(|byte| *byte == b'-').count();
        self.at += dashes;
        let first = self.peek()?;
        if !(starts_name(first) || first == b'\\') {
            return None;
        }
        Some("-".repeat(dashes) + &self.name()?)
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            let run = self.rest().bytes().take_while(|byte| continues_name(*byte)).count();
            name.push_str(&self.rest()[..run]);
            self.at += run;
            if self.peek() != Some(b'\\') {
                break;
            }
            name.push(self.escape()?);
        }
        (!name.is_empty()).then_some(name)
    }

    /// What a backslash spells.
    fn escape(&mut self) -> Option<char> {
        let mut letters = self.rest()[1..].chars();
        let first = letters.next()?;
        if matches!(first, '\r' | '\n' | '\u{c}') {
            return None;
        }
        self.at += 1;
        let digits = self.rest().bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        if digits == 0 {
            self.at += first.len_utf8();
            return Some(first);
        }
        let code = u32::from_str_radix(&self.rest()[..digits], 16).ok()?;
        self.at += digits;
        match self.peek() {
            Some(b'\r') => {
                self.at += 1;
                self.take(b'\n');
            }
            Some(b' ' | b'\t' | b'\n' | 0xC) => self.at += 1,
            _ => {}
        }
        Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// A text in quotes.
    fn quoted(&mut self) -> Option<String> {
        let mark = self.peek()?;
        self.at += 1;
        let mut text = String::new();
        loop {
            let letter = self.rest().chars().next()?;
            match letter {
                '\\' => match self.rest().as_bytes().get(1)? {
                    b'\r' => self.at += if self.rest()[2..].starts_with('\n') { 3 } else { 2 },
                    b'\n' | 0xC => self.at += 2,
                    _ => text.push(self.escape()?),
                },
                '\r' | '\n' | '\u{c}' => return None,
                letter => {
                    self.at += letter.len_utf8();
                    if letter == char::from(mark) {
                        return Some(text);
                    }
                    text.push(letter);
                }
            }
        }
    }

    fn quoted_or_identifier(&mut self) -> Option<String> {
        match self.peek()? {
            b'"' | b'\'' => self.quoted(),
            _ => self.identifier(),
        }
    }

    /// A regular expression, up to the closing bracket of what surrounds it.
    fn pattern(&mut self) -> Option<Regex> {
        let mut open = 0;
        let end = self.rest().bytes().position(|byte| {
            match byte {
                b'(' | b'[' => open += 1,
                b')' | b']' => open -= 1,
                _ => {}
            }
            open < 0
        })?;
        let pattern = Regex::new(&self.rest()[..end]).ok();
        self.at += end;
        pattern
    }

    /// `[name]`, `[name="value" i]`
    fn attribute(&mut self) -> Option<Simple> {
        self.at += 1;
        self.blanks();
        let name = self.identifier()?.to_ascii_lowercase();
        self.blanks();
        if self.take(b']') {
            return Some(Simple::Attribute { name, test: Test::Exists, ignore_case: false });
        }
        let mark = self.peek()?;
        self.at += 1;
        if mark != b'=' {
            self.take(b'=').then_some(())?;
        }
        self.blanks();
        let test = if mark == b'#' {
            Test::Pattern(self.pattern()?)
        } else {
            let value = self.quoted_or_identifier()?;
            match mark {
                b'=' => Test::Equals(value),
                b'!' => Test::Differs(value),
                b'~' => Test::Word(value),
                b'|' => Test::Dash(value),
                b'^' => Test::Prefix(value),
                b'$' => Test::Suffix(value),
                b'*' => Test::Substring(value),
                _ => return None,
            }
        };
        self.blanks();
        let ignore_case = self.take(b'i') || self.take(b'I');
        self.blanks();
        self.take(b']').then_some(Simple::Attribute { name, test, ignore_case })
    }

    /// `:name`, `:name(...)`. Pseudo-elements are not for finding elements.
    fn pseudo_class(&mut self) -> Option<Simple> {
        self.at += 1;
        let name = self.identifier()?.to_ascii_lowercase();
        let nth = |(a, b), from_end, of_type| Simple::Nth { a, b, from_end, of_type };
        Some(match &*name {
            "not" => Simple::Not(self.inner_group()?),
            "has" => Simple::Has(self.inner_group()?),
            "haschild" => Simple::HasChild(self.inner_group()?),
            "contains" | "containsown" => {
                self.open()?;
                let text = self.quoted_or_identifier()?.to_lowercase();
                self.close()?;
                Simple::Contains { text, own: name == "containsown" }
            }
            "matches" | "matchesown" => {
                self.open()?;
                let pattern = self.pattern()?;
                self.close()?;
                Simple::Matches { pattern, own: name == "matchesown" }
            }
            "nth-child" | "nth-last-child" | "nth-of-type" | "nth-last-of-type" => {
                self.open()?;
                let formula = self.formula()?;
                self.close()?;
                nth(formula, name.contains("last"), name.contains("type"))
            }
            "first-child" => nth((0, 1), false, false),
            "last-child" => nth((0, 1), true, false),
            "first-of-type" => nth((0, 1), false, true),
            "last-of-type" => nth((0, 1), true, true),
            "only-child" => Simple::Only { of_type: false },
            "only-of-type" => Simple::Only { of_type: true },
            "input" => Simple::Input,
            "empty" => Simple::Empty,
            "root" => Simple::Root,
            "link" => Simple::Link,
            "lang" => {
                self.open()?;
                let language = self.identifier()?;
                self.close()?;
                Simple::Lang(language)
            }
            "enabled" => Simple::Enabled,
            "disabled" => Simple::Disabled,
            "checked" => Simple::Checked,
            "visited" | "hover" | "active" | "focus" | "target" => Simple::Never,
            _ => return None,
        })
    }

    fn inner_group(&mut self) -> Option<Selector> {
        self.open()?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let group = self.group()?;
        self.depth -= 1;
        self.close()?;
        Some(Selector(group))
    }

    /// `odd`, `3`, `2n+1`, `-n + 3`
    fn formula(&mut self) -> Option<(i64, i64)> {
        let sign = match self.peek()? {
            b'o' | b'O' | b'e' | b'E' => {
                let word = self.name()?;
                return match &*word.to_ascii_lowercase() {
                    "odd" => Some((2, 1)),
                    "even" => Some((2, 0)),
                    _ => None,
                };
            }
            b'-' => {
                self.at += 1;
                -1
            }
            b'+' => {
                self.at += 1;
                1
            }
            _ => 1,
        };
        let number = match self.peek()? {
            b'0'..=b'9' => Some(self.integer()?),
            _ => None,
        };
        if !(self.take(b'n') || self.take(b'N')) {
            // A number without `n` is b. At the end of the text, there is no closing bracket to be found.
            return Some((0, sign * number?));
        }
        let a = sign * number.unwrap_or(1);
        self.blanks();
        let sign = match self.peek()? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some((a, 0)),
        };
        self.at += 1;
        self.blanks();
        Some((a, sign * self.integer()?))
    }

    fn integer(&mut self) -> Option<i64> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest()[..digits].parse().ok()?;
        self.at += digits;
        Some(number)
    }
}
