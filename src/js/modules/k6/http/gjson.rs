//! The selectors of `response.json(selector)`: GJSON paths, evaluated over the bytes of a valid JSON text.
//!
//! A path is read from the left: a step finds a value in an object or an array, the rest continues from there. `.` descends
//! into what was found, `|` continues with the result as a whole; they differ after `#`, which means many.
//! What is found is JSON text again. Written after GJSON's description of its syntax.

use std::borrow::Cow;

use super::json_text::{self, JsonSyntaxError, check, check_for, end_of_string};

pub(super) mod budget;
mod modifiers;
mod query;
mod wildcard;

use modifiers::{literal, modified};
use query::Query;
use wildcard::Wildcard;

/// JSON text: a slice of the document, or a new text.
pub(super) type FoundJson<'a> = Cow<'a, [u8]>;

/// A path of more steps and brackets finds nothing: each takes some of a VU's stack.
const MAX_STEPS: usize = 500;

/// What a script's `path` finds in `json`, which must be valid.
pub(super) fn select<'a>(json: &'a [u8], path: &str) -> Option<FoundJson<'a>> {
    let steps = path.bytes().filter(|byte| matches!(byte, b'.' | b'|' | b'(' | b'[' | b'{')).count();
    if steps > MAX_STEPS {
        return None;
    }
    // A literal of the path that is no JSON spoils what it is part of.
    get(json, path).filter(|found| matches!(found, Cow::Borrowed(_)) || check(found).is_ok())
}

/// Checks a text and looks for a script's `path` in it, in one go where the path is made of plain names.
///
/// # Errors
/// The text is no JSON.
pub(super) fn check_and_select<'a>(json: &'a [u8], path: &str) -> Result<Option<FoundJson<'a>>, JsonSyntaxError> {
    if path.len() > MAX_STEPS || !path.split('.').all(is_plain) {
        check(json)?;
        return Ok(select(json, path));
    }
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let found = match (check_for(json, name)?, rest) {
        (Some(member), None) => Some(Cow::Borrowed(member)),
        (Some(member), Some(rest)) => inside(member, rest),
        (None, _) => None,
    };
    // A later member of the same name may lead further, and an array has numbers for names.
    Ok(found.or_else(|| select(json, path)))
}

/// Where the value begins that `path`, a plain name, finds in an object, if it is there at all. Neither it nor what is behind it
/// was checked, see [`may_follow`](super::json_text::may_follow).
pub(super) fn begin_of(json: &[u8], path: &str) -> Option<usize> {
    if is_plain(path) { json_text::begin_of(json, path) } else { None }
}

/// A name without signs that mean something in a path.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// What `path` finds in `json`.
fn get<'a>(json: &'a [u8], path: &str) -> Option<FoundJson<'a>> {
    if !budget::read(path.len()) {
        return None;
    }
    let json = trim(json);
    if path.len() > 1 {
        let special = match path.as_bytes()[0] {
            b'@' => modified(json, path),
            b'!' => literal(path),
            b'{' | b'[' => several(json, path),
            _ => None,
        };
        if let Some((made, rest)) = special {
            if !budget::make(made.len()) {
                return None;
            }
            return match rest.strip_prefix(['.', '|']) {
                Some(rest) => from_made(made, rest),
                None => Some(made).filter(|made| !trim(made).is_empty()),
            };
        }
        if let Some(rest) = path.strip_prefix("..") {
            return in_list(ArrayItems { json, at: 0 }, rest);
        }
    }
    inside(json, path)
}

/// Goes on with a text that may have been made.
fn from_made<'a>(made: FoundJson<'a>, path: &str) -> Option<FoundJson<'a>> {
    match made {
        Cow::Borrowed(json) => get(json, path),
        Cow::Owned(json) => get(&json, path).map(|found| Cow::Owned(found.into_owned())),
    }
}

/// Goes on inside of an object or array.
fn inside<'a>(json: &'a [u8], path: &str) -> Option<FoundJson<'a>> {
    match json.first()? {
        b'{' => in_object(json, path),
        b'[' => in_list(values(json), path),
        _ => None,
    }
}

/// What follows a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next<'p> {
    /// Nothing.
    End,
    /// Another step, inside of what was found.
    Inside(&'p str),
    /// Another path, for what was found as a whole.
    Pipe(&'p str),
}

impl Next<'_> {
    fn follow<'a>(self, found: &'a [u8]) -> Option<FoundJson<'a>> {
        match self {
            Self::End => Some(Cow::Borrowed(found)),
            Self::Inside(path) => inside(found, path),
            Self::Pipe(path) => get(found, path),
        }
    }

    /// After a `.`: modifiers and lists of paths take what was found as a whole, too.
    fn after_dot(rest: &str) -> Next<'_> {
        let is_whole = match rest.as_bytes().first() {
            Some(b'@') => {
                let end = rest.find(['.', '|', ':']).unwrap_or(rest.len());
                modifiers::exists(&rest[1..end])
            }
            Some(b'{' | b'[') => true,
            _ => false,
        };
        if is_whole { Next::Pipe(rest) } else { Next::Inside(rest) }
    }
}

// Objects ------------------------------------------------------------------------------------------------------------

fn in_object<'a>(json: &'a [u8], path: &str) -> Option<FoundJson<'a>> {
    let (name, next) = key_step(path);
    for (key, value) in members(json) {
        if !name.matches(&unquoted(key)) {
            continue;
        }
        let found = next.follow(value);
        // A later key of the same name, or one that fits as well, may lead further.
        if found.is_some() || !matches!(next, Next::Inside(_)) {
            return found;
        }
    }
    None
}

/// The name a step looks for, and what follows it.
fn key_step(path: &str) -> (Wildcard, Next<'_>) {
    let mut pattern = Wildcard::default();
    let mut signs = path.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '|' => return (pattern, Next::Pipe(&path[at + 1..])),
            '.' => return (pattern, Next::after_dot(&path[at + 1..])),
            '*' => pattern.any_text(),
            '?' => pattern.any_sign(),
            '\\' => {
                if let Some((_, sign)) = signs.next() {
                    pattern.sign(sign);
                }
            }
            sign => pattern.sign(sign),
        }
    }
    (pattern, Next::End)
}

// Arrays -------------------------------------------------------------------------------------------------------------

/// What a step looks for in an array.
enum Pick<'p> {
    /// The element of this number.
    Nth(usize),
    /// How many there are.
    Count,
    /// A path of every element.
    Each(&'p str),
    /// What fits: the first, or all.
    Fitting(Query<'p>, bool),
    /// Nothing an array has.
    Nothing,
}

fn list_step(path: &str) -> (Pick<'_>, Next<'_>) {
    if let Some(rest) = path.strip_prefix("#.") {
        return (Pick::Each(rest), Next::End);
    }
    if path.starts_with("#(") || path.starts_with("#[") {
        let Some((query, rest)) = Query::parse(&path[1..]) else { return (Pick::Nothing, Next::End) };
        let (all, rest) = rest.strip_prefix('#').map_or((false, rest), |rest| (true, rest));
        let next = match rest.as_bytes().first() {
            Some(b'.') => Next::Inside(&rest[1..]),
            Some(b'|') => Next::Pipe(&rest[1..]),
            _ => Next::End,
        };
        return (Pick::Fitting(query, all), next);
    }
    let end = path.find(['.', '|']).unwrap_or(path.len());
    let next = match path.as_bytes().get(end) {
        Some(b'.') => Next::after_dot(&path[end + 1..]),
        Some(_) => Next::Pipe(&path[end + 1..]),
        None => Next::End,
    };
    let pick = match &path[..end] {
        "#" => Pick::Count,
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse().map_or(Pick::Nothing, Pick::Nth),
        _ => Pick::Nothing,
    };
    (pick, next)
}

fn in_list<'a>(mut items: ArrayItems<'a>, path: &str) -> Option<FoundJson<'a>> {
    let (pick, next) = list_step(path);
    match pick {
        Pick::Nth(nth) => next.follow(items.nth(nth)?),
        Pick::Count => made(items.count().to_string().into_bytes(), next),
        Pick::Each(path) => {
            let (path, next) = split_pipe(path);
            made(list(items.filter_map(|item| get(item, path))), next)
        }
        Pick::Fitting(query, all) => {
            let (path, next) = match next {
                Next::Inside(path) => {
                    let (path, next) = split_pipe(path);
                    (Some(path), next)
                }
                next => (None, next),
            };
            let take = |item: &'a [u8]| match path {
                Some(path) => get(item, path),
                None => Some(Cow::Borrowed(item)),
            };
            if all {
                return made(list(items.filter(|item| query.fits(item)).filter_map(take)), next);
            }
            let found = take(items.find(|item| query.fits(item))?)?;
            match next {
                Next::Pipe(path) => from_made(found, path),
                _ => Some(found),
            }
        }
        Pick::Nothing => None,
    }
}

fn made<'a>(json: Vec<u8>, next: Next<'_>) -> Option<FoundJson<'a>> {
    match next {
        Next::Pipe(path) => from_made(Cow::Owned(json), path),
        _ => Some(Cow::Owned(json)),
    }
}

/// An array of these texts.
fn list<'a>(items: impl Iterator<Item = FoundJson<'a>>) -> Vec<u8> {
    let mut out = vec![b'['];
    for item in items {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(&item);
        if !budget::make(out.len()) {
            break;
        }
    }
    out.push(b']');
    out
}

/// Splits a path at its first `|` outside brackets and strings.
fn split_pipe(path: &str) -> (&str, Next<'_>) {
    let bytes = path.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' if depth > 0 => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'|' if depth == 0 => return (&path[..at], Next::Pipe(&path[at + 1..])),
            _ => {}
        }
        at += 1;
    }
    (path, Next::End)
}

// Several paths ------------------------------------------------------------------------------------------------------

/// `{a,"name":b}` or `[a,b]` at the start of `path`: what it makes, and the rest of the path.
fn several<'a, 'p>(json: &[u8], path: &'p str) -> Option<(FoundJson<'a>, &'p str)> {
    let (parts, rest) = split_list(path)?;
    if !rest.is_empty() && !rest.starts_with(['.', '|']) {
        return None;
    }
    let is_object = path.starts_with('{');
    let mut out = vec![path.as_bytes()[0]];
    for part in parts {
        let (name, path) = part.split();
        let Some(found) = get(json, path) else { continue };
        if out.len() > 1 {
            out.push(b',');
        }
        if is_object {
            let name = match name {
                Some(name) if name.starts_with('"') && check(name.as_bytes()).is_ok() => name.to_owned(),
                Some(name) if !name.is_empty() => quoted(name),
                _ => quoted(own_name(path)),
            };
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
        }
        out.extend_from_slice(&found);
        if !budget::make(out.len()) {
            break;
        }
    }
    out.push(if is_object { b'}' } else { b']' });
    Some((Cow::Owned(out), rest))
}

/// One path of several, with the place of the colon behind its name.
struct Subselector<'p> {
    text: &'p str,
    colon: Option<usize>,
}

impl<'p> Subselector<'p> {
    fn split(&self) -> (Option<&'p str>, &'p str) {
        match self.colon {
            Some(at) => (Some(&self.text[..at]), &self.text[at + 1..]),
            None => (None, self.text),
        }
    }
}

/// The paths between the brackets that `path` begins with, and what follows them.
fn split_list(path: &str) -> Option<(Vec<Subselector<'_>>, &str)> {
    let bytes = path.as_bytes();
    let (mut parts, mut start, mut colon, mut has_modifier, mut depth) = (Vec::new(), 1, None, false, 1);
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            // The colon of a modifier's argument names nothing.
            b'@' if matches!(bytes[at - 1], b'.' | b'|') => has_modifier = true,
            b':' if !has_modifier && depth == 1 && colon.is_none() => colon = Some(at - start),
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'[' | b'(' | b'{' => depth += 1,
            b']' | b')' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && bytes.get(at) == Some(&b',')) {
            parts.push(Subselector { text: path.get(start..at)?, colon: colon.take() });
            if depth == 0 {
                return Some((parts, &path[at + 1..]));
            }
            (start, has_modifier) = (at + 1, false);
        }
        at += 1;
    }
    None
}

/// The name of a value whose path is not named: the path's last step, if that is a plain one.
fn own_name(path: &str) -> &str {
    let bytes = path.as_bytes();
    let is_end = |at: &usize| matches!(bytes[*at], b'.' | b'|') && (*at == 0 || bytes[at - 1] != b'\\');
    let last = (0..bytes.len()).rev().find(is_end).map_or(path, |at| &path[at + 1..]);
    let is_plain = !last.contains(|sign: char| sign < ' ' || "[]{}()#|!".contains(sign));
    if is_plain { last } else { "_" }
}

// JSON text ----------------------------------------------------------------------------------------------------------

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The text without space around it.
fn trim(json: &[u8]) -> &[u8] {
    let start = json.iter().take_while(|byte| is_space(**byte)).count();
    let end = json.len() - json[start..].iter().rev().take_while(|byte| is_space(**byte)).count();
    &json[start..end]
}

/// Where the value that begins at `at` ends.
fn end_of_value(json: &[u8], at: usize) -> usize {
    match json.get(at) {
        Some(b'"') => end_of_string(json, at),
        Some(b'{' | b'[') => {
            let (mut end, mut depth) = (at, 0usize);
            while let Some(byte) = json.get(end) {
                match byte {
                    b'"' => {
                        end = end_of_string(json, end);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                end += 1;
                if depth == 0 {
                    break;
                }
            }
            end
        }
        _ => {
            let rest = json.get(at..).unwrap_or_default();
            at + rest.iter().take_while(|byte| !is_space(**byte) && !matches!(byte, b',' | b']' | b'}' | b':')).count()
        }
    }
}

/// The values of an array, or of any text in which values follow each other.
struct ArrayItems<'a> {
    json: &'a [u8],
    at: usize,
}

/// The elements of an array.
fn values(array: &[u8]) -> ArrayItems<'_> {
    ArrayItems { json: array, at: 1 }
}

impl<'a> Iterator for ArrayItems<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.json.get(self.at).is_some_and(|byte| is_space(*byte) || matches!(byte, b',' | b':')) {
            self.at += 1;
        }
        let start = self.at;
        self.at = end_of_value(self.json, start);
        if !budget::read(self.at - start) {
            return None;
        }
        Some(&self.json[start..self.at]).filter(|value| !value.is_empty())
    }
}

/// Keys (with their quotes) and values of an object.
fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut values = values(object);
    std::iter::from_fn(move || Some((values.next()?, values.next()?)))
}

/// What a string says.
pub(super) fn unquoted(string: &[u8]) -> Cow<'_, str> {
    let inner = string.get(1..string.len().saturating_sub(1)).unwrap_or_default();
    match std::str::from_utf8(inner) {
        Ok(text) if !inner.contains(&b'\\') => Cow::Borrowed(text),
        _ => Cow::Owned(serde_json::from_slice(string).unwrap_or_else(|_| String::from_utf8_lossy(inner).into_owned())),
    }
}

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
