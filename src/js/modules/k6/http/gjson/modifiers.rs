//! `@name` and `@name:argument`: what makes another text of the text so far; and `!literal`.

use std::borrow::Cow;

use super::super::json_text::check;
use super::{FoundJson, budget, end_of_value, get, list, members, quoted, trim, unquoted, values};

/// Makes one text of another. An empty result is nothing.
type Modifier = for<'a> fn(&'a [u8], &str) -> FoundJson<'a>;

const MODIFIERS: [(&str, Modifier); 13] = [
    ("this", |json, _| Cow::Borrowed(json)),
    ("pretty", |json, _| Cow::Owned(pretty(json))),
    ("ugly", |json, _| Cow::Owned(ugly(json))),
    ("valid", |json, _| Cow::Borrowed(if check(json).is_ok() { json } else { &[] })),
    ("reverse", |json, _| reverse(json)),
    ("flatten", flatten),
    ("join", join),
    ("keys", |json, _| keys(json)),
    ("values", |json, _| all_values(json)),
    ("tostr", |json, _| Cow::Owned(quoted(&String::from_utf8_lossy(json)).into_bytes())),
    ("fromstr", |json, _| from_string(json)),
    ("group", |json, _| group(json)),
    ("dig", dig),
];

/// How deep `@dig` goes.
const MAX_DEPTH: usize = 256;

fn find(name: &str) -> Option<Modifier> {
    MODIFIERS.iter().find(|(known, _)| *known == name).map(|(_, modifier)| *modifier)
}

/// True if there is a modifier of this name.
pub(super) fn exists(name: &str) -> bool {
    find(name).is_some()
}

/// Applies the modifier `path` begins with, and gives what follows it; `None` if there is no such modifier.
pub(super) fn modified<'a, 'p>(json: &'a [u8], path: &'p str) -> Option<(FoundJson<'a>, &'p str)> {
    let end = path.find([':', '|', '.']).unwrap_or(path.len());
    let modifier = find(&path[1..end])?;
    let rest = &path[end..];
    let Some(argument) = rest.strip_prefix(':') else { return Some((modifier(json, ""), rest)) };
    let end = match argument.as_bytes().first() {
        Some(b'{' | b'[' | b'"') => end_of_value(argument.as_bytes(), 0),
        _ => argument.find('|').unwrap_or(argument.len()),
    };
    let (argument, rest) = argument.split_at_checked(end)?;
    Some((modifier(json, argument), rest))
}

/// The literal `path` begins with, and what follows it; `None` if it is none.
pub(super) fn literal<'a>(path: &str) -> Option<(FoundJson<'a>, &str)> {
    let text = &path[1..];
    let end = match text.as_bytes().first()? {
        b'{' | b'[' | b'"' => end_of_value(text.as_bytes(), 0),
        b'+' | b'-' | b'0'..=b'9' => text.find(['|', ',', ']', '}', ' ']).unwrap_or(text.len()),
        _ => {
            let end = text.find(['|', '.']).unwrap_or(text.len());
            // Not a number and infinity are literals, too, but no JSON.
            if !matches!(text[..end].to_lowercase().as_str(), "true" | "false" | "null") {
                return None;
            }
            end
        }
    };
    let (literal, rest) = text.split_at_checked(end)?;
    // Words may be written in capitals; JSON knows them in small letters only.
    let is_word = literal.bytes().all(|byte| byte.is_ascii_alphabetic());
    let literal = if is_word { literal.to_lowercase() } else { literal.to_owned() };
    Some((Cow::Owned(literal.into_bytes()), rest))
}

fn is_array(json: &[u8]) -> bool {
    json.first() == Some(&b'[')
}

fn is_object(json: &[u8]) -> bool {
    json.first() == Some(&b'{')
}

/// An object of these keys (with their quotes) and values.
fn object<'a>(members: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (key, value) in members {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(key);
        out.push(b':');
        out.extend_from_slice(value);
        if !budget::make(out.len()) {
            break;
        }
    }
    out.push(b'}');
    out
}

fn borrowed(json: &[u8]) -> FoundJson<'_> {
    Cow::Borrowed(json)
}

fn reverse(json: &[u8]) -> FoundJson<'_> {
    if is_array(json) {
        let items: Vec<_> = values(json).collect();
        return Cow::Owned(list(items.into_iter().rev().map(borrowed)));
    }
    if is_object(json) {
        let pairs: Vec<_> = members(json).collect();
        return Cow::Owned(object(pairs.into_iter().rev()));
    }
    Cow::Borrowed(json)
}

/// True if the argument, an object, has `true` at this key.
fn is_set(argument: &str, key: &str) -> bool {
    check(argument.as_bytes()).is_ok() && get(argument.as_bytes(), key).as_deref() == Some(b"true")
}

fn flatten<'a>(json: &'a [u8], argument: &str) -> FoundJson<'a> {
    fn add<'a>(array: &'a [u8], is_deep: bool, level: usize, to: &mut Vec<&'a [u8]>) {
        for item in values(array) {
            if is_array(item) && (level == 0 || is_deep) && level < MAX_DEPTH {
                add(item, is_deep, level + 1, to);
            } else {
                to.push(item);
            }
        }
    }
    if !is_array(json) {
        return Cow::Borrowed(json);
    }
    let mut items = Vec::new();
    add(json, is_set(argument, "deep"), 0, &mut items);
    Cow::Owned(list(items.into_iter().map(borrowed)))
}

/// One object of many; the last value of a key wins, unless all are to be preserved.
fn join<'a>(json: &'a [u8], argument: &str) -> FoundJson<'a> {
    if !is_array(json) {
        return Cow::Borrowed(json);
    }
    let all = values(json).filter(|item| is_object(item)).flat_map(members);
    if is_set(argument, "preserve") {
        return Cow::Owned(object(all));
    }
    let mut places = std::collections::HashMap::new();
    let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
    for (key, value) in all {
        let place = *places.entry(unquoted(key).into_owned()).or_insert(pairs.len());
        match pairs.get_mut(place) {
            Some(pair) => pair.1 = value,
            None => pairs.push((key, value)),
        }
    }
    Cow::Owned(object(pairs.into_iter()))
}

fn keys(json: &[u8]) -> FoundJson<'_> {
    Cow::Owned(match json.first() {
        Some(b'{') => list(members(json).map(|(key, _)| borrowed(key))),
        Some(b'[') => list(values(json).map(|_| borrowed(b"null"))),
        _ => b"[null]".to_vec(),
    })
}

fn all_values(json: &[u8]) -> FoundJson<'_> {
    match json.first() {
        Some(b'[') => Cow::Borrowed(json),
        Some(b'{') => Cow::Owned(list(members(json).map(|(_, value)| borrowed(value)))),
        _ => Cow::Owned(list(std::iter::once(borrowed(json)))),
    }
}

fn from_string(json: &[u8]) -> FoundJson<'_> {
    match json.first() {
        Some(b'"') => {
            let text = unquoted(json).into_owned().into_bytes();
            Cow::Owned(if check(&text).is_ok() { text } else { Vec::new() })
        }
        _ => Cow::Borrowed(json),
    }
}

/// Makes an array of objects of an object of arrays.
fn group(json: &[u8]) -> FoundJson<'_> {
    if !is_object(json) {
        return Cow::Borrowed(&[]);
    }
    let mut rows: Vec<Vec<(&[u8], &[u8])>> = Vec::new();
    for (key, column) in members(json).filter(|(_, value)| is_array(value)) {
        for (nth, value) in values(column).enumerate() {
            if nth == rows.len() {
                rows.push(Vec::new());
            }
            rows[nth].push((key, value));
        }
    }
    Cow::Owned(list(rows.into_iter().map(|row| Cow::Owned(object(row.into_iter())))))
}

/// Everything a path finds in the value and in whatever is inside of it.
fn dig<'a>(json: &'a [u8], path: &str) -> FoundJson<'a> {
    fn add<'a>(json: &'a [u8], path: &str, level: usize, to: &mut Vec<FoundJson<'a>>) {
        to.extend(get(json, path));
        if level >= MAX_DEPTH {
            return;
        }
        match json.first() {
            Some(b'[') => values(json).for_each(|item| add(item, path, level + 1, to)),
            Some(b'{') => members(json).for_each(|(_, value)| add(value, path, level + 1, to)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    add(json, path, 0, &mut found);
    Cow::Owned(list(found.into_iter()))
}

/// Without any space between the tokens.
fn ugly(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut at = 0;
    while at < json.len() {
        if json[at] == b'"' {
            let end = super::end_of_string(json, at);
            out.extend_from_slice(&json[at..end]);
            at = end;
            continue;
        }
        if !super::is_space(json[at]) {
            out.push(json[at]);
        }
        at += 1;
    }
    out
}

/// A line for each member and element, indented by two; arrays that fit into 80 columns stay on one line.
fn pretty(json: &[u8]) -> Vec<u8> {
    fn add(json: &[u8], level: usize, to: &mut Vec<u8>) {
        let is_object = is_object(json);
        if !(is_object || is_array(json)) || level >= MAX_DEPTH {
            to.extend_from_slice(&ugly(json));
            return;
        }
        let items: Vec<(Option<&[u8]>, &[u8])> = match is_object {
            true => members(json).map(|(key, value)| (Some(key), value)).collect(),
            false => values(json).map(|value| (None, value)).collect(),
        };
        let close = if is_object { b'}' } else { b']' };
        let is_flat = items.iter().all(|(_, value)| !matches!(value.first(), Some(b'{' | b'[')));
        let width: usize = items.iter().map(|(_, value)| value.len() + 2).sum();
        to.push(json[0]);
        let on_one_line = !is_object && is_flat && width + 2 * level <= 80;
        for (nth, (key, value)) in items.iter().enumerate() {
            if nth > 0 {
                to.push(b',');
            }
            match on_one_line {
                true if nth > 0 => to.push(b' '),
                true => {}
                false => {
                    to.push(b'\n');
                    to.extend(std::iter::repeat_n(b' ', 2 * (level + 1)));
                }
            }
            if let Some(key) = key {
                to.extend_from_slice(key);
                to.extend_from_slice(b": ");
            }
            add(value, level + 1, to);
        }
        if !on_one_line && !items.is_empty() {
            to.push(b'\n');
            to.extend(std::iter::repeat_n(b' ', 2 * level));
        }
        to.push(close);
    }
    let mut out = Vec::new();
    add(trim(json), 0, &mut out);
    out.push(b'\n');
    out
}
