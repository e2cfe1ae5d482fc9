//! Parses a pattern that an engine has accepted already. What is not understood here gives `None`, never another meaning.

use super::set::Set;

/// The flags that change what matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `i`
    pub ignore_case: bool,
    /// `m`
    pub multiline: bool,
    /// `s`
    pub dot_all: bool,
    /// `u`
    pub unicode: bool,
}

/// A pattern as a tree.
#[derive(Debug)]
pub enum PatternNode {
    /// Matches the empty text.
    Empty,
    /// One character of a set.
    Set(Set),
    /// `^`
    Start,
    /// `$`
    End,
    /// `\b`, or `\B` where false.
    WordBoundary(bool),
    /// A group that remembers what it matched.
    Capture(u32, Box<PatternNode>),
    /// All of them, one after the other.
    Sequence(Vec<PatternNode>),
    /// One of them, the first that leads to a match.
    Alternatives(Vec<PatternNode>),
    /// A repetition.
    Repeat(Box<Repeat>),
    /// `(?=`, `(?!`, `(?<=`, `(?<!`
    Look(Box<Lookaround>),
    /// What a group matched.
    BackReference(u32),
}

/// A node with a quantifier.
#[derive(Debug)]
pub struct Repeat {
    /// What is repeated.
    pub node: PatternNode,
    /// The minimum number of times.
    pub min: u32,
    /// The maximum number of times.
    pub max: Option<u32>,
    /// As often as possible first.
    pub is_greedy: bool,
    /// The groups inside, as a range of numbers.
    pub captures: (u32, u32),
}

/// A lookahead or lookbehind assertion.
#[derive(Debug)]
pub struct Lookaround {
    /// What is looked for.
    pub node: PatternNode,
    /// True if it must not match.
    pub is_negative: bool,
    /// True for a lookbehind.
    pub is_behind: bool,
}

/// A parsed pattern.
pub struct Pattern {
    /// The tree.
    pub root: PatternNode,
    /// How many groups there are, the whole match not counted.
    pub captures: u32,
    /// The names of groups.
    pub names: Vec<(String, u32)>,
}

/// The maximum nesting of a pattern.
const MAX_DEPTH: u32 = 200;

struct PatternParser<'a> {
    text: &'a [u32],
    at: usize,
    flags: Flags,
    captures: u32,
    total: u32,
    names: Vec<(String, u32)>,
    depth: u32,
}

/// Reads `source`, given as UTF-16.
pub fn parse(source: &[u16], flags: Flags) -> Option<Pattern> {
    // Case folding of whole characters is left to the engines.
    if flags.unicode && flags.ignore_case {
        return None;
    }
    let text: Vec<u32> = if flags.unicode {
        char::decode_utf16(source.iter().copied())
            .map(|c| c.map_or_else(|lone| u32::from(lone.unpaired_surrogate()), u32::from))
            .collect()
    } else {
        source.iter().map(|unit| u32::from(*unit)).collect()
    };
    let (total, names) = groups(&text)?;
    let mut parser = PatternParser { text: &text, at: 0, flags, captures: 0, total, names, depth: 0 };
    let root = parser.alternatives()?;
    (parser.at == text.len() && parser.captures == total).then_some(Pattern {
        root,
        captures: total,
        names: parser.names,
    })
}

/// How many groups there are, and what they are called.
fn groups(text: &[u32]) -> Option<(u32, Vec<(String, u32)>)> {
    let (mut count, mut names, mut in_class, mut at) = (0, Vec::<(String, u32)>::new(), false, 0);
    while at < text.len() {
        match char::from_u32(text[at]) {
            Some('\\') => at += 1,
            Some('[') => in_class = true,
            Some(']') => in_class = false,
            Some('(') if !in_class => {
                let next = |ahead: usize| text.get(at + ahead).copied().and_then(char::from_u32);
                if next(1) != Some('?') {
                    count += 1;
                } else if next(2) == Some('<') && !matches!(next(3), Some('=' | '!')) {
                    count += 1;
                    let end = text[at..].iter().position(|c| *c == u32::from('>'))? + at;
                    let name: String = text[at + 3..end].iter().map(|c| char::from_u32(*c)).collect::<Option<_>>()?;
                    if name.contains('\\') || names.iter().any(|(known, _)| *known == name) {
                        return None;
                    }
                    names.push((name, count));
                }
            }
            _ => {}
        }
        at += 1;
    }
    Some((count, names))
}

impl PatternParser<'_> {
    fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    /// A lone surrogate is shown as U+FFFD, which no syntax has.
    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).map(|c| char::from_u32(*c).unwrap_or('\u{FFFD}'))
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let is_there = wanted.chars().enumerate().all(|(ahead, c)| self.peek_at(ahead) == Some(c));
        if is_there {
            self.at += wanted.chars().count();
        }
        is_there
    }

    fn next(&mut self) -> Option<u32> {
        let c = self.text.get(self.at).copied();
        self.at += 1;
        c
    }

    fn alternatives(&mut self) -> Option<PatternNode> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut list = vec![self.sequence()?];
        while self.eat("|") {
            list.push(self.sequence()?);
        }
        self.depth -= 1;
        Some(if list.len() == 1 { list.pop()? } else { PatternNode::Alternatives(list) })
    }

    fn sequence(&mut self) -> Option<PatternNode> {
        let mut list = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let first = self.captures;
            let (node, repeats) = self.term()?;
            list.push(self.quantified(node, repeats, first)?);
        }
        Some(match list.len() {
            0 => PatternNode::Empty,
            1 => list.pop()?,
            _ => PatternNode::Sequence(list),
        })
    }

    /// A term, and whether it may have a quantifier.
    fn term(&mut self) -> Option<(PatternNode, bool)> {
        let c = self.next()?;
        Some(match char::from_u32(c) {
            Some('^') => (PatternNode::Start, false),
            Some('$') => (PatternNode::End, false),
            Some('(') => return self.group(),
            Some('.') => {
                (PatternNode::Set(if self.flags.dot_all { Set::all() } else { Set::line_ends().negated() }), true)
            }
            Some('[') => (self.class()?, true),
            Some('\\') => return self.escape(),
            Some('*' | '+' | '?') => return None,
            Some('{' | '}' | ']') if self.flags.unicode => return None,
            Some('{') => {
                self.at -= 1;
                if self.braces().is_some() {
                    return None;
                }
                self.at += 1;
                (self.one(c), true)
            }
            _ => (self.one(c), true),
        })
    }

    fn one(&self, c: u32) -> PatternNode {
        PatternNode::Set(Set::from_ranges(vec![(c, c)]).folded(self.flags.ignore_case))
    }

    fn group(&mut self) -> Option<(PatternNode, bool)> {
        let looks = [("?=", false, false), ("?!", true, false), ("?<=", false, true), ("?<!", true, true)];
        for (mark, is_negative, is_behind) in looks {
            if self.eat(mark) {
                let node = self.alternatives()?;
                return self
                    .eat(")")
                    .then(|| (PatternNode::Look(Box::new(Lookaround { node, is_negative, is_behind })), false));
            }
        }
        if self.eat("?:") {
            let node = self.alternatives()?;
            return self.eat(")").then_some((node, true));
        }
        if self.eat("?<") {
            while self.next()? != u32::from('>') {}
        } else if self.peek() == Some('?') {
            return None;
        }
        self.captures += 1;
        let number = self.captures;
        let node = self.alternatives()?;
        self.eat(")").then(|| (PatternNode::Capture(number, Box::new(node)), true))
    }

    /// A node with the quantifier that follows it.
    fn quantified(&mut self, node: PatternNode, repeats: bool, first: u32) -> Option<PatternNode> {
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.braces() {
                Some(bounds) => bounds,
                None => return Some(node),
            },
            _ => return Some(node),
        };
        if !repeats || max.is_some_and(|max| max < min) {
            return None;
        }
        // Its last character.
        self.at += 1;
        let is_greedy = !self.eat("?");
        Some(PatternNode::Repeat(Box::new(Repeat {
            node,
            min,
            max,
            is_greedy,
            captures: (first + 1, self.captures + 1),
        })))
    }

    /// `{2}`, `{2,}`, `{2,5}`: stops at the closing brace. Anything else is no quantifier, and nothing is read.
    fn braces(&mut self) -> Option<(u32, Option<u32>)> {
        let start = self.at;
        self.at += 1;
        let min = self.number();
        let max = if self.eat(",") { self.number() } else { min };
        if min.is_none() || self.peek() != Some('}') {
            self.at = start;
            return None;
        }
        Some((min?, max))
    }

    fn number(&mut self) -> Option<u32> {
        let start = self.at;
        let mut value = 0u32;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            value = value.saturating_mul(10).saturating_add(digit);
            self.at += 1;
        }
        (self.at > start).then_some(value)
    }

    fn escape(&mut self) -> Option<(PatternNode, bool)> {
        let c = self.peek()?;
        match c {
            'b' | 'B' => {
                self.at += 1;
                return Some((PatternNode::WordBoundary(c == 'b'), false));
            }
            '1'..='9' => {
                let number = self.number()?;
                return (number <= self.total).then_some((PatternNode::BackReference(number), true));
            }
            'k' => {
                self.at += 1;
                if !self.eat("<") {
                    return None;
                }
                let mut name = String::new();
                loop {
                    match char::from_u32(self.next()?)? {
                        '>' => break,
                        c => name.push(c),
                    }
                }
                let (_, number) = self.names.iter().find(|(known, _)| *known == name)?;
                return Some((PatternNode::BackReference(*number), true));
            }
            _ => {}
        }
        Some((PatternNode::Set(self.class_escape()?.folded(self.flags.ignore_case)), true))
    }

    /// What is the same inside and outside a class: a set, or one character.
    fn class_escape(&mut self) -> Option<Set> {
        let c = self.next()?;
        let one = |c: u32| Some(Set::from_ranges(vec![(c, c)]));
        match char::from_u32(c).unwrap_or('\u{FFFD}') {
            'd' => Some(Set::digits()),
            'D' => Some(Set::digits().negated()),
            'w' => Some(Set::word()),
            'W' => Some(Set::word().negated()),
            's' => Some(Set::space()),
            'S' => Some(Set::space().negated()),
            't' => one(9),
            'n' => one(10),
            'v' => one(11),
            'f' => one(12),
            'r' => one(13),
            '0' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => one(0),
            'x' => one(self.hex(2)?),
            'u' => one(self.unicode_escape()?),
            '0'..='9' | 'c' | 'p' | 'P' | 'k' => None,
            other if other.is_ascii_alphabetic() && self.flags.unicode => None,
            _ => one(c),
        }
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..digits {
            value = value * 16 + self.peek()?.to_digit(16)?;
            self.at += 1;
        }
        Some(value)
    }

    fn unicode_escape(&mut self) -> Option<u32> {
        if self.flags.unicode && self.eat("{") {
            let mut value = 0u32;
            while !self.eat("}") {
                value = value.checked_mul(16)?.checked_add(self.peek()?.to_digit(16)?)?;
                self.at += 1;
            }
            return (value <= 0x10_FFFF).then_some(value);
        }
        let high = self.hex(4)?;
        if self.flags.unicode && (0xD800..0xDC00).contains(&high) && self.peek() == Some('\\') {
            let before = self.at;
            self.at += 1;
            if self.eat("u")
                && let Some(low) = self.hex(4)
                && (0xDC00..0xE000).contains(&low)
            {
                return Some(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00));
            }
            self.at = before;
        }
        Some(high)
    }

    fn class(&mut self) -> Option<PatternNode> {
        let is_negated = self.eat("^");
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        loop {
            if self.eat("]") {
                break;
            }
            let first = self.class_atom()?;
            if self.peek() == Some('-') && self.peek_at(1).is_some_and(|c| c != ']') {
                self.at += 1;
                let (Some(low), Some(high)) = (first.only(), self.class_atom()?.only()) else { return None };
                if low > high {
                    return None;
                }
                ranges.push((low, high));
            } else {
                ranges.extend(first.ranges());
            }
        }
        let set = Set::from_ranges(ranges).folded(self.flags.ignore_case);
        Some(PatternNode::Set(if is_negated { set.negated() } else { set }))
    }

    fn class_atom(&mut self) -> Option<Set> {
        let c = self.next()?;
        if c != u32::from('\\') {
            return Some(Set::from_ranges(vec![(c, c)]));
        }
        if self.eat("b") {
            return Some(Set::from_ranges(vec![(8, 8)]));
        }
        self.class_escape()
    }
}
