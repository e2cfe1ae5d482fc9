//! Which parts of a text an engine may mean by a place.

use super::fault::Order;

/// Where a line begins, and the place in it; engines count columns in bytes or in UTF-16 units.
pub(super) fn offset(text: &str, line: u32, column: u32, order: Order) -> Option<u32> {
    let mut start = 0;
    for _ in 1..line {
        start += text[start..].find('\n')? + 1;
    }
    let row = text[start..].split('\n').next().unwrap_or_default();
    let mut units = 0;
    let at = row.char_indices().find(|(_, c)| {
        let here = units + 1 >= column;
        units += if order == Order::Trail { c.len_utf8() as u32 } else { c.len_utf16() as u32 };
        here
    });
    Some((start + at.map_or(row.len(), |(at, _)| at)) as u32)
}

/// Line and column of an offset, both counted from 1, in UTF-16 units.
pub(in crate::js::transpile) fn line_and_column(text: &str, at: u32) -> (u32, u32) {
    let before = &text[..at as usize];
    let line = before.matches('\n').count() + 1;
    let row = before.rsplit('\n').next().unwrap_or_default();
    (line as u32, row.encode_utf16().count() as u32 + 1)
}

/// The places an error would have that is thrown here.
pub(super) struct Places<'t> {
    text: &'t str,
    order: Order,
    /// The place of the error; `None` outside all that has one.
    at: Option<u32>,
    /// The function of an error that has no place; empty at the top level, and where it has no name.
    function: &'t str,
    /// Of each function or part around here, innermost last: the offsets it may go by.
    stack: Vec<Vec<u32>>,
    /// The functions around here, innermost last, by name; `None` where the text doesn't tell.
    functions: Vec<Option<String>>,
}

impl<'t> Places<'t> {
    pub fn new(text: &'t str, order: Order, at: Option<u32>, function: &'t str) -> Self {
        let top = if order == Order::Trail { vec![0] } else { Vec::new() };
        Self { text, order, at, function, stack: vec![top], functions: vec![Some(String::new())] }
    }

    /// True if an error that is thrown here has the place in question.
    pub fn is_here(&self) -> bool {
        match (self.at, self.stack.last()) {
            (Some(at), Some(places)) => places.contains(&at),
            (None, Some(places)) => places.is_empty() && self.is_in_function(),
            _ => false,
        }
    }

    /// True unless this is another function than the one in question.
    fn is_in_function(&self) -> bool {
        self.functions.last().and_then(Option::as_deref).is_none_or(|name| name == self.function)
    }

    /// True if what begins here is not in front of the place of the error.
    pub fn is_behind(&self, start: u32) -> bool {
        self.at.is_none_or(|at| start >= at)
    }

    /// True if that place is this one.
    pub fn is_at(&self, places: std::ops::RangeInclusive<u32>) -> bool {
        self.at.is_some_and(|at| places.contains(&at))
    }

    /// A function begins; `heads` is where its text may be said to. Its arguments have no place of their own in some.
    pub fn enter_function(&mut self, heads: &[u32], name: Option<String>) {
        self.functions.push(name);
        let places = match self.order {
            Order::Nested => Vec::new(),
            Order::Trail => heads.iter().flat_map(|head| [*head, self.marked(*head), self.line_start(*head)]).collect(),
        };
        self.stack.push(places);
    }

    /// The statements of a function begin, which go by any of these.
    pub fn enter_body(&mut self, places: &[u32]) {
        if self.order == Order::Nested {
            self.stack.push(places.to_vec());
        }
    }

    /// A part begins that has a place of its own.
    pub fn enter_part(&mut self, place: u32) {
        if self.order == Order::Nested {
            self.stack.push(vec![place]);
        }
    }

    /// It ends.
    pub fn leave_part(&mut self) {
        if self.order == Order::Nested {
            self.stack.pop();
        }
    }

    /// The function ends.
    pub fn leave_function(&mut self) {
        self.stack.pop();
        self.functions.pop();
    }

    /// A place is noted: that of the token that begins here.
    pub fn note(&mut self, token: u32) {
        if self.order == Order::Trail {
            let marked = self.marked(token);
            if let Some(last) = self.stack.last_mut() {
                *last = vec![marked];
            }
        }
    }

    fn line_start(&self, at: u32) -> u32 {
        self.text[..at as usize].rfind('\n').map_or(0, |newline| newline as u32 + 1)
    }

    /// Only names, and what stands behind blanks, have a column of their own: others have that of the last one that has.
    fn marked(&self, token: u32) -> u32 {
        let bytes = self.text.as_bytes();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80;
        let token = token as usize;
        if bytes.get(token).is_some_and(|byte| is_name(*byte) && !byte.is_ascii_digit()) {
            return token as u32;
        }
        let mut end = token;
        while let Some(last) = end.checked_sub(1) {
            let byte = bytes[last];
            if byte.is_ascii_whitespace() || byte == b'/' && last > 0 && bytes[last - 1] == b'*' {
                return end as u32;
            }
            end = match byte {
                b'\'' | b'"' | b'`' => self.text[..last].rfind(byte as char).unwrap_or(0),
                _ if is_name(byte) => {
                    let start = bytes[..last].iter().rposition(|byte| !is_name(*byte)).map_or(0, |before| before + 1);
                    if !bytes[start].is_ascii_digit() {
                        return start as u32;
                    }
                    start
                }
                _ => last,
            };
        }
        0
    }
}

/// Where the first token at or behind this offset begins.
pub(super) fn next_token(text: &str, from: u32) -> u32 {
    let mut at = from as usize;
    loop {
        let rest = &text[at..];
        let token = rest.trim_start();
        at += rest.len() - token.len();
        let comment = if token.starts_with("//") {
            token.find('\n')
        } else if token.starts_with("/*") {
            token.find("*/").map(|end| end + 2)
        } else {
            None
        };
        match comment {
            Some(length) => at += length,
            None => return at as u32,
        }
    }
}
