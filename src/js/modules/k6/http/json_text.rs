//! Is this JSON, and if not, where and why: in the words of Go's `encoding/json`.
//!
//! Only the slow path comes here: a body that the engine could not parse, or one that a selector looks into.

use super::gjson::unquoted;
use crate::js::language::json::plain_len;

/// Why a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JsonSyntaxError {
    /// How many bytes were read, the wrong one included.
    pub read: usize,
    /// Go's words.
    pub text: String,
}

impl JsonSyntaxError {
    /// k6's line about it.
    pub fn report(&self, json: &[u8]) -> String {
        let before = &json[..self.read.min(json.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let character = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        // A line's end that is wrong itself is the first character of the next line.
        let character = if before.last() == Some(&b'\n') { 1 } else { character };
        format!("cannot parse json due to an error at line {line}, character {character} , error: {}", self.text)
    }
}

/// Checks a whole text.
pub(super) fn check(json: &[u8]) -> Result<(), JsonSyntaxError> {
    Scanner { json, at: 0, member: None }.document().map(|_| ())
}

/// Where the value of the first member of this name begins in a text that is an object; what is before it was checked, and
/// nothing else.
pub(super) fn begin_of(json: &[u8], name: &str) -> Option<usize> {
    let member = Some(SoughtMember { name: name.as_bytes(), begin: None, text: None, is_enough: true });
    Scanner { json, at: 0, member }.document().ok()??.begin
}

/// Whether an object, the outermost value of a text, may go on and end like this behind one of its members.
pub(super) fn may_follow(json: &[u8]) -> bool {
    Scanner { json, at: 0, member: None }.rest(vec![Inside::Object], true).is_ok()
}

/// Checks a whole text. Where it is an object: the text of its first member of this name, found on the way.
pub(super) fn check_for<'a>(json: &'a [u8], name: &str) -> Result<Option<&'a [u8]>, JsonSyntaxError> {
    let member = Some(SoughtMember { name: name.as_bytes(), begin: None, text: None, is_enough: false });
    let found = Scanner { json, at: 0, member }.document()?;
    Ok(found.and_then(|member| member.text))
}

/// Every number of at most this many digits fits into a float.
const MAX_DIGITS: usize = 308;
/// At most this many digits of a number are shown.
const MAX_SHOWN: usize = 1000;

/// The first number that does not fit into a float. Only long exponents and long rows of digits are looked at.
pub(super) fn overflow(json: &[u8]) -> Option<JsonSyntaxError> {
    let is_long = |at: usize| {
        let digits = json[at + 1..].strip_prefix(b"+").unwrap_or(&json[at + 1..]);
        at > 0 && json[at - 1].is_ascii_digit() && digits.iter().take_while(|byte| byte.is_ascii_digit()).count() >= 3
    };
    // A row of that many digits covers one of these indices.
    let is_in_row = |at: usize| {
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        let behind = json[at..].iter().take_while(is_digit).count();
        behind > 0 && behind + json[..at].iter().rev().take_while(is_digit).count() > MAX_DIGITS
    };
    let has_row = || (0..json.len()).step_by(MAX_DIGITS).any(is_in_row);
    if !memchr::memchr2_iter(b'e', b'E', json).any(is_long) && !has_row() {
        return None;
    }
    let mut at = 0;
    while at < json.len() {
        match json[at] {
            b'"' => at = end_of_string(json, at),
            b'-' | b'0'..=b'9' => {
                let end = at + json[at..].iter().take_while(|byte| is_numeric(**byte)).count();
                let number = std::str::from_utf8(&json[at..end]).unwrap_or_default();
                if number.parse::<f64>().is_ok_and(f64::is_infinite) {
                    let shown = number.get(..MAX_SHOWN).unwrap_or(number);
                    let text = format!("json: cannot unmarshal number {shown} into Go value of type float64");
                    return Some(JsonSyntaxError { read: end, text });
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// Go's limit of nesting.
const MAX_DEPTH: usize = 10_000;

/// The bracket that is nested deeper than Go reads, if there is one.
pub(super) fn too_deep(json: &[u8]) -> Option<JsonSyntaxError> {
    memchr::memchr2_iter(b'[', b'{', json).nth(MAX_DEPTH)?;
    let (mut at, mut depth) = (0, 0usize);
    while at < json.len() {
        match json[at] {
            b'"' => {
                at = end_of_string(json, at);
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth > MAX_DEPTH {
            return Some(JsonSyntaxError { read: at, text: "exceeded max depth".to_owned() });
        }
    }
    None
}

fn is_numeric(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// Where the string that begins at `at` ends, behind its quote.
pub(super) fn end_of_string(json: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(rest) = json.get(end..) {
        end += plain_len(rest);
        match json.get(end) {
            Some(b'"') => return end + 1,
            Some(b'\\') => end += 2,
            // A control character, in what is no JSON.
            Some(_) => end += 1,
            None => break,
        }
    }
    json.len()
}

struct Scanner<'a, 'n> {
    json: &'a [u8],
    at: usize,
    /// What is looked for in the outermost object.
    member: Option<SoughtMember<'a, 'n>>,
}

/// A member of the outermost object.
struct SoughtMember<'a, 'n> {
    name: &'n [u8],
    /// Where its value begins, once its name was read.
    begin: Option<usize>,
    text: Option<&'a [u8]>,
    /// Its beginning is all that is asked for.
    is_enough: bool,
}

/// What surrounds a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Object,
    Array,
}

impl<'a, 'n> Scanner<'a, 'n> {
    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn wrong(&self, context: &str) -> JsonSyntaxError {
        let Some(byte) = self.peek() else {
            return JsonSyntaxError { read: self.json.len(), text: "unexpected end of JSON input".to_owned() };
        };
        let shown = match byte {
            b'\'' => "'\\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            b'\\' => "'\\\\'".to_owned(),
            b'\n' => "'\\n'".to_owned(),
            b'\r' => "'\\r'".to_owned(),
            b'\t' => "'\\t'".to_owned(),
            0x07 => "'\\a'".to_owned(),
            0x08 => "'\\b'".to_owned(),
            0x0B => "'\\v'".to_owned(),
            0x0C => "'\\f'".to_owned(),
            0..0x20 | 0x7F => format!("'\\x{byte:02x}'"),
            0x80..0xA1 | 0xAD => format!("'\\u{byte:04x}'"),
            _ => format!("'{}'", char::from(byte)),
        };
        JsonSyntaxError { read: self.at + 1, text: format!("invalid character {shown} {context}") }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// A name of the outermost object was read: is it the one?
    fn see_name(&mut self, from: usize, to: usize) {
        let Some(member) = &mut self.member else { return };
        if member.text.is_none() {
            let quoted = &self.json[from..to];
            let is_it = &quoted[1..quoted.len() - 1] == member.name
                || (quoted.contains(&b'\\') && unquoted(quoted).as_bytes() == member.name);
            member.begin = is_it.then_some(self.at);
        }
    }

    /// A value of the outermost object has ended.
    fn see_end(&mut self) {
        if let Some(member) = &mut self.member
            && let Some(begin) = member.begin.take()
        {
            member.text = Some(self.json[begin..self.at].trim_ascii_start());
        }
    }

    fn document(self) -> Result<Option<SoughtMember<'a, 'n>>, JsonSyntaxError> {
        self.rest(Vec::new(), false)
    }

    /// Goes on in the middle of a text: before a value, or behind one.
    fn rest(
        mut self,
        mut around: Vec<Inside>,
        mut is_behind: bool,
    ) -> Result<Option<SoughtMember<'a, 'n>>, JsonSyntaxError> {
        loop {
            if self.member.as_ref().is_some_and(|member| member.is_enough && member.begin.is_some()) {
                return Ok(self.member);
            }
            self.space();
            match self.peek() {
                _ if std::mem::take(&mut is_behind) => {}
                Some(b'{') => {
                    self.at += 1;
                    self.space();
                    if self.peek() != Some(b'}') {
                        self.key(around.is_empty())?;
                        around.push(Inside::Object);
                        continue;
                    }
                    self.at += 1;
                }
                Some(b'[') => {
                    self.at += 1;
                    self.space();
                    if self.peek() != Some(b']') {
                        around.push(Inside::Array);
                        continue;
                    }
                    self.at += 1;
                }
                _ => self.scalar()?,
            }
            // A value has ended; so may have what is around it.
            loop {
                if around.len() == 1 {
                    self.see_end();
                }
                self.space();
                match (around.last(), self.peek()) {
                    (None, None) => return Ok(self.member),
                    (None, _) => return Err(self.wrong("after top-level value")),
                    (Some(_), Some(b',')) => {
                        self.at += 1;
                        if around.last() == Some(&Inside::Object) {
                            self.space();
                            self.key(around.len() == 1)?;
                        }
                        break;
                    }
                    (Some(Inside::Object), Some(b'}')) | (Some(Inside::Array), Some(b']')) => {
                        self.at += 1;
                        around.pop();
                    }
                    (Some(Inside::Object), _) => return Err(self.wrong("after object key:value pair")),
                    (Some(Inside::Array), _) => return Err(self.wrong("after array element")),
                }
            }
        }
    }

    /// A key and its colon.
    fn key(&mut self, is_outermost: bool) -> Result<(), JsonSyntaxError> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("looking for beginning of object key string"));
        }
        let from = self.at;
        self.string()?;
        let to = self.at;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.wrong("after object key"));
        }
        self.at += 1;
        if is_outermost {
            self.see_name(from, to);
        }
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), JsonSyntaxError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.wrong("looking for beginning of value")),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), JsonSyntaxError> {
        for (nth, expected) in word.bytes().enumerate() {
            if self.peek() != Some(expected) {
                debug_assert!(nth > 0, "the first letter chose the word");
                return Err(self.wrong(&format!("in literal {word} (expecting '{}')", char::from(expected))));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), JsonSyntaxError> {
        self.at += 1;
        loop {
            self.at += plain_len(&self.json[self.at.min(self.json.len())..]);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => {}
                        Some(b'u') => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return Err(self.wrong("in \\u hexadecimal character escape"));
                                }
                            }
                        }
                        _ => return Err(self.wrong("in string escape code")),
                    }
                }
                _ => return Err(self.wrong("in string literal")),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    fn digits(&mut self, context: &str) -> Result<(), JsonSyntaxError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.wrong(context));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonSyntaxError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits("in numeric literal")?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_go_says() {
        let good = |json: &str| assert_eq!(super::check(json.as_bytes()), Ok(()), "{json}");
        for json in ["1", " [1, {\"a\": [], \"b\": {}}] ", "-0.5e+3", "\"\\u00e9\\n\"", "null", "true"] {
            good(json);
        }
        good(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
        let check = |json: &str, expect: &str| {
            let error = super::check(json.as_bytes()).unwrap_err();
            let report = error.report(json.as_bytes());
            assert_eq!(report.strip_prefix("cannot parse json due to an error at ").unwrap(), expect, "{json}");
        };
        check("plain", "line 1, character 1 , error: invalid character 'p' looking for beginning of value");
        check("{} {}", "line 1, character 4 , error: invalid character '{' after top-level value");
        check("[1,2,]", "line 1, character 6 , error: invalid character ']' looking for beginning of value");
        check("[1 2]", "line 1, character 4 , error: invalid character '2' after array element");
        check(
            "{'a':1}",
            "line 1, character 2 , error: invalid character '\\'' looking for beginning of object key string",
        );
        check("{\"a\" 1}", "line 1, character 6 , error: invalid character '1' after object key");
        check("{\"a\":1;", "line 1, character 7 , error: invalid character ';' after object key:value pair");
        check(
            "{\n \"a\": 1,\n \"b\": oops\n}",
            "line 3, character 7 , error: invalid character 'o' looking for beginning of value",
        );
        check("\"a\nb\"", "line 2, character 1 , error: invalid character '\\n' in string literal");
        check("nil", "line 1, character 2 , error: invalid character 'i' in literal null (expecting 'u')");
        check("[1.]", "line 1, character 4 , error: invalid character ']' after decimal point in numeric literal");
        check("{\"a\": 1", "line 1, character 7 , error: unexpected end of JSON input");
    }

    #[test]
    fn finds_a_member_on_the_way() {
        let check = |json: &str, expect: Option<&str>| {
            let found = check_for(json.as_bytes(), "data").unwrap().map(|text| std::str::from_utf8(text).unwrap());
            assert_eq!(found, expect, "{json}");
        };
        check(r#"{"data":1}"#, Some("1"));
        check(r#" { "x" : {"data": 2} , "data" : [ {"data": 3} ] , "data": 4 } "#, Some(r#"[ {"data": 3} ]"#));
        check(r#"{"d\u0061ta":"\"}","data":0}"#, Some(r#""\"}""#));
        check(r#"{"data":{}}"#, Some("{}"));
        check(r#"{"data":[],"y":1}"#, Some("[]"));
        check(r#"{"dat":1,"data2":2,"":3}"#, None);
        check(r#"[{"data":1}]"#, None);
        check(r#"[{"x":[{"data":1}]},{"data":2}]"#, None);
        check(r#""data""#, None);
        assert!(check_for(br#"{"data":1,"x":}"#, "data").is_err());
    }

    #[test]
    fn finds_where_a_member_begins() {
        let check = |json: &str, expect: Option<&str>| {
            let found = begin_of(json.as_bytes(), "data").map(|at| &json[at..]);
            assert_eq!(found, expect, "{json}");
        };
        check(r#" { "x" : {"data": 2} , "data" : [1], "data": 4 } "#, Some(r#" [1], "data": 4 } "#));
        check(r#"{"d\u0061ta":0 x"#, Some("0 x"));
        check(r#"{"x":1 "data":0}"#, None);
        check(r#"[{"data":1}]"#, None);
        check(r#""data""#, None);
        for rest in ["}", " } ", ",\"x\":{\"y\":[1]}}"] {
            assert!(may_follow(rest.as_bytes()), "{rest}");
        }
        for rest in ["", "]", "}}", ",}", ",1}", ",\"x\"}", "1}", "} 1"] {
            assert!(!may_follow(rest.as_bytes()), "{rest}");
        }
    }

    #[test]
    fn finds_numbers_that_are_too_big() {
        assert_eq!(overflow(b"[1e10, 1e300, \"1e400\", \"\\\"1e999\"]"), None);
        assert!(overflow(b"[\"1e400\", 1e400]").unwrap().text.contains("number 1e400"));
        let row = |digits: usize| format!("[7, \"{0}\", {0}]", "9".repeat(digits));
        assert_eq!(overflow(row(308).as_bytes()), None);
        assert_eq!(overflow(row(400).as_bytes()).unwrap().read, 4 + 402 + 2 + 400);
        assert!(overflow(row(100_000).as_bytes()).unwrap().text.len() < 2000);
        assert_eq!(overflow(format!("\"{}\"", "9".repeat(400)).as_bytes()), None);
        let nested = |levels: usize| format!("{}\"[[{{{{\"{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(too_deep(nested(10_000).as_bytes()), None);
        let error = too_deep(nested(10_001).as_bytes()).unwrap();
        assert_eq!((error.read, &*error.text), (10_001, "exceeded max depth"));
    }
}
