//! Conditions on elements of an array: `#(age>40)`, `#(name%"J*")#`, `#(=="x")`.

use std::borrow::Cow;

use super::super::json_text::end_of_string;
use super::wildcard::Wildcard;
use super::{get, unquoted};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query<'p> {
    path: &'p str,
    /// `None` asks only whether there is something at `path`.
    test: Option<(QueryOperator, Cow<'p, str>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueryOperator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    Like,
    Unlike,
}

impl<'p> Query<'p> {
    /// Reads the brackets `text` begins with; what follows them.
    pub fn parse(text: &'p str) -> Option<(Self, &'p str)> {
        let bytes = text.as_bytes();
        let (mut at, mut depth, mut sign) = (1, 1, None);
        while depth > 0 {
            match *bytes.get(at)? {
                b'!' | b'=' | b'<' | b'>' | b'%' if depth == 1 && sign.is_none() => sign = Some(at),
                b'\\' => at += 1,
                b'[' | b'(' => depth += 1,
                b']' | b')' => depth -= 1,
                b'"' => {
                    at = end_of_string(bytes, at);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        let (inner_end, rest) = (at - 1, text.get(at..)?);
        let Some(sign) = sign else { return Some((Self { path: text[1..inner_end].trim(), test: None }, rest)) };
        let condition = text[sign..inner_end].trim();
        const SIGNS: [(&str, QueryOperator); 9] = [
            ("!=", QueryOperator::NotEqual),
            ("!%", QueryOperator::Unlike),
            ("<=", QueryOperator::LessOrEqual),
            (">=", QueryOperator::MoreOrEqual),
            ("==", QueryOperator::Equal),
            ("<", QueryOperator::Less),
            (">", QueryOperator::More),
            ("=", QueryOperator::Equal),
            ("%", QueryOperator::Like),
        ];
        let (comparison, value) =
            SIGNS.iter().find_map(|(sign, comparison)| Some((*comparison, condition.strip_prefix(sign)?.trim())))?;
        let is_string = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
        let value = if is_string { unquoted(value.as_bytes()) } else { Cow::Borrowed(value) };
        Some((Self { path: text[1..sign].trim(), test: Some((comparison, value)) }, rest))
    }

    /// True if the element fits.
    pub fn fits(&self, element: &[u8]) -> bool {
        let found = match element.first() {
            Some(b'{' | b'[') => get(element, self.path),
            _ if self.path.is_empty() => Some(Cow::Borrowed(element)),
            _ => return false,
        };
        let Some((comparison, value)) = &self.test else { return found.is_some() };
        if let Some(kind) = value.strip_prefix('~') {
            // What is like true, false or null; `~*` is whatever is there.
            let Some(is_so) = resembles(found.as_deref(), kind) else { return false };
            return compare_bools(*comparison, is_so, "true");
        }
        let Some(found) = found else { return false };
        match found.first() {
            Some(b'"') => compare_strings(*comparison, &unquoted(&found), value),
            Some(b't') => compare_bools(*comparison, true, value),
            Some(b'f') => compare_bools(*comparison, false, value),
            Some(b'-' | b'0'..=b'9') => {
                let number = |text: &str| text.parse::<f64>();
                let found = std::str::from_utf8(&found).ok().and_then(|text| number(text).ok()).unwrap_or(0.0);
                compare_numbers(*comparison, found, number(value).unwrap_or(0.0))
            }
            _ => false,
        }
    }
}

/// Go's words for booleans.
fn as_bool(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "t" | "true" => Some(true),
        "0" | "f" | "false" => Some(false),
        _ => None,
    }
}

fn resembles(found: Option<&[u8]>, kind: &str) -> Option<bool> {
    let first = found.and_then(|found| found.first().copied());
    let number = || found.and_then(|found| std::str::from_utf8(found).ok()?.parse::<f64>().ok());
    let text = || found.map(|found| unquoted(found).into_owned()).unwrap_or_default();
    Some(match kind {
        "*" => found.is_some(),
        "null" => matches!(first, None | Some(b'n')),
        "true" => match first {
            Some(b't') => true,
            Some(b'"') => as_bool(&text()) == Some(true),
            Some(b'-' | b'0'..=b'9') => number().is_some_and(|number| number != 0.0),
            _ => false,
        },
        "false" => match first {
            None | Some(b'f' | b'n') => true,
            Some(b'"') => as_bool(&text()) == Some(false),
            Some(b'-' | b'0'..=b'9') => number() == Some(0.0),
            _ => false,
        },
        _ => return None,
    })
}

fn compare_strings(comparison: QueryOperator, found: &str, value: &str) -> bool {
    match comparison {
        QueryOperator::Equal => found == value,
        QueryOperator::NotEqual => found != value,
        QueryOperator::Less => found < value,
        QueryOperator::LessOrEqual => found <= value,
        QueryOperator::More => found > value,
        QueryOperator::MoreOrEqual => found >= value,
        QueryOperator::Like => Wildcard::parse(value).matches(found),
        QueryOperator::Unlike => !Wildcard::parse(value).matches(found),
    }
}

fn compare_numbers(comparison: QueryOperator, found: f64, value: f64) -> bool {
    match comparison {
        QueryOperator::Equal => found == value,
        QueryOperator::NotEqual => found != value,
        QueryOperator::Less => found < value,
        QueryOperator::LessOrEqual => found <= value,
        QueryOperator::More => found > value,
        QueryOperator::MoreOrEqual => found >= value,
        QueryOperator::Like | QueryOperator::Unlike => false,
    }
}

fn compare_bools(comparison: QueryOperator, found: bool, value: &str) -> bool {
    match (comparison, found) {
        (QueryOperator::Equal, found) => value == if found { "true" } else { "false" },
        (QueryOperator::NotEqual, found) => value != if found { "true" } else { "false" },
        (QueryOperator::More, true) => value == "false",
        (QueryOperator::Less, false) => value == "true",
        (QueryOperator::MoreOrEqual, true) | (QueryOperator::LessOrEqual, false) => true,
        _ => false,
    }
}
