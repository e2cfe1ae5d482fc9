//! The JSON text of a message, token by token, with the places errors name.
//!
//! The text comes from `JSON.stringify`, so separators need no check; misplaced tokens are found by their kind.

use std::borrow::Cow;
use std::ops::Range;

/// Reads tokens. Separators are skipped.
pub struct JsonReader<'a> {
    text: &'a str,
    at: usize,
}

/// One token, with its text and where it begins.
#[derive(Clone, Debug)]
pub struct JsonToken<'a> {
    pub kind: TokenKind<'a>,
    /// As written in the text.
    pub raw: &'a str,
    at: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind<'a> {
    ObjectOpen,
    ObjectClose,
    ArrayOpen,
    ArrayClose,
    String(Cow<'a, str>),
    Number(&'a str),
    Bool(bool),
    Null,
    /// The end, or something that is no JSON.
    End,
}

impl<'a> JsonReader<'a> {
    /// Reads `text` from its beginning.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token.
    pub fn next(&mut self) -> JsonToken<'a> {
        let rest = self.text[self.at..].trim_start_matches([' ', '\t', '\r', '\n', ',', ':']);
        self.at = self.text.len() - rest.len();
        let begin = self.at;
        let (kind, length) = match rest.as_bytes() {
            [b'{', ..] => (TokenKind::ObjectOpen, 1),
            [b'}', ..] => (TokenKind::ObjectClose, 1),
            [b'[', ..] => (TokenKind::ArrayOpen, 1),
            [b']', ..] => (TokenKind::ArrayClose, 1),
            [b'"', inner @ ..] => match memchr::memchr2(b'"', b'\\', inner) {
                Some(end) if inner[end] == b'"' => (TokenKind::String(rest[1..=end].into()), end + 2),
                Some(_) => escaped(rest),
                None => (TokenKind::End, rest.len()),
            },
            [b't', ..] if rest.starts_with("true") => (TokenKind::Bool(true), 4),
            [b'f', ..] if rest.starts_with("false") => (TokenKind::Bool(false), 5),
            [b'n', ..] if rest.starts_with("null") => (TokenKind::Null, 4),
            [b'-' | b'0'..=b'9', ..] => {
                let is_part = |c: char| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                (TokenKind::Number(&rest[..end]), end)
            }
            _ => (TokenKind::End, rest.len()),
        };
        self.at += length;
        JsonToken { kind, raw: &self.text[begin..self.at], at: begin }
    }

    /// The next token, without consuming it.
    pub fn peek(&self) -> JsonToken<'a> {
        Self { text: self.text, at: self.at }.next()
    }

    /// A reader of a part of the text, in which places are those of the whole.
    pub fn within(&self, part: &Range<usize>) -> Self {
        Self { text: &self.text[..part.end], at: part.start }
    }

    /// Skips the next value; returns its range in the text.
    pub fn skip(&mut self) -> Range<usize> {
        let begin = self.peek().at;
        let mut depth = 0usize;
        loop {
            match self.next().kind {
                TokenKind::ObjectOpen | TokenKind::ArrayOpen => depth += 1,
                TokenKind::ObjectClose | TokenKind::ArrayClose => depth = depth.saturating_sub(1),
                TokenKind::End => break,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        begin..self.at
    }

    /// An error about a token, in Go's form.
    pub fn error(&self, token: &JsonToken<'_>, what: impl std::fmt::Display) -> String {
        format!("proto: {}: {what}", self.place(token))
    }

    /// A token of the wrong kind.
    pub fn unexpected(&self, token: &JsonToken<'_>) -> String {
        match token.kind {
            TokenKind::End => "proto: syntax error: unexpected token ".to_owned(),
            _ => format!("proto: syntax error {}: unexpected token {}", self.place(token), token.raw),
        }
    }

    fn place(&self, token: &JsonToken<'_>) -> String {
        let before = &self.text[..token.at];
        let line = before.matches('\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        format!("(line {line}:{})", before[begin..].chars().count() + 1)
    }
}

/// A string with escapes: its value and its length in the text.
fn escaped(text: &str) -> (TokenKind<'_>, usize) {
    let bytes = text.as_bytes();
    let mut end = 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'"' => {
                let raw = &bytes[..=end];
                return match serde_json::from_slice::<String>(raw) {
                    Ok(value) => (TokenKind::String(value.into()), end + 1),
                    // A lone surrogate.
                    Err(_) => (TokenKind::String(lossy(&text[1..end]).into()), end + 1),
                };
            }
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    (TokenKind::End, text.len())
}

/// A string in which halves of surrogate pairs become U+FFFD.
fn lossy(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
                    continue;
                }
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => break,
            },
            c => c,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_their_places() {
        let mut reader = JsonReader::new(r#"{"a":[1,-2.5e3,true],"é\n":null}"#);
        let mut seen = Vec::new();
        loop {
            let token = reader.next();
            if token.kind == TokenKind::End {
                break;
            }
            seen.push(reader.error(&token, token.raw));
        }
        let expect = [
            (1, "{"),
            (2, "\"a\""),
            (6, "["),
            (7, "1"),
            (9, "-2.5e3"),
            (16, "true"),
            (20, "]"),
            (22, "\"é\\n\""),
            (28, "null"),
            (32, "}"),
        ];
        assert_eq!(seen, expect.map(|(at, raw)| format!("proto: (line 1:{at}): {raw}")));
    }

    #[test]
    fn strings_are_read() {
        for (text, expect) in
            [(r#""""#, ""), (r#""a\"b""#, "a\"b"), (r#""\ud83d\ude00""#, "😀"), (r#""x\ud83dy\t""#, "x\u{fffd}y\t")]
        {
            assert_eq!(JsonReader::new(text).next().kind, TokenKind::String(expect.into()), "{text}");
        }
    }

    #[test]
    fn values_are_skipped_whole() {
        let mut reader = JsonReader::new(r#"[{"a":["]"]},1]"#);
        reader.next();
        assert_eq!((reader.skip(), reader.skip()), (1..12, 13..14));
        assert_eq!(reader.next().kind, TokenKind::ArrayClose);
    }
}
