//! CSS selectors as k6 has them: CSS 3 and some pseudo-classes known from jQuery (`:contains`, `:matches`, `:has`,
//! `:input`), over a [`Document`](super::document::Document).
//!
//! What can't be parsed is no error here: it matches nothing.

use regex_lite::Regex;

mod matching;
mod parser;
#[cfg(test)]
mod tests;

pub use matching::Match;

/// A list of selectors, separated by commas; empty where the text was no selector.
#[derive(Debug, Default)]
pub struct Selector(Vec<Complex>);

impl Selector {
    /// Reads a selector.
    pub fn parse(text: &str) -> Self {
        Self(parser::parse(text).unwrap_or_default())
    }
}

/// `a > b c`: the last compound, and what has to stand before it, nearest first.
#[derive(Debug)]
struct Complex {
    last: Compound,
    before: Vec<(Combinator, Compound)>,
}

/// How two compounds stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Combinator {
    Descendant,
    Child,
    NextSibling,
    LaterSibling,
}

/// `a.b[c]`: all of it must be true of one element. None at all is `*`.
#[derive(Debug, Default)]
struct Compound(Vec<Simple>);

/// One condition.
#[derive(Debug)]
enum Simple {
    Name(String),
    Id(String),
    Class(String),
    Attribute {
        name: String,
        test: Test,
        ignore_case: bool,
    },
    Not(Selector),
    Has(Selector),
    HasChild(Selector),
    Contains {
        text: String,
        own: bool,
    },
    Matches {
        pattern: Regex,
        own: bool,
    },
    /// The a·n+b-th child.
    Nth {
        a: i64,
        b: i64,
        from_end: bool,
        of_type: bool,
    },
    Only {
        of_type: bool,
    },
    Input,
    Empty,
    Root,
    Link,
    Lang(String),
    Enabled,
    Disabled,
    Checked,
    /// What only a browser knows: `:hover`, `:focus`, `:visited`.
    Never,
}

/// A condition on an attribute's value.
#[derive(Debug)]
enum Test {
    Exists,
    Equals(String),
    Differs(String),
    Word(String),
    Dash(String),
    Prefix(String),
    Suffix(String),
    Substring(String),
    Pattern(Regex),
}
