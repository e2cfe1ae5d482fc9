//! CSV as Go's `encoding/csv` reads it, which is what k6's users see: records of fields, line by line from any source.
//!
//! The crates `csv` and `csv-core` take quotes wherever they stand; here a stray quote is an error with its line and
//! column, in Go's words, so the few rules are written out. There are no comments, no lazy quotes and no trimming.

use std::fmt;
use std::io::{BufRead, BufReader, Read};

/// How many bytes are read from a source at once.
const BLOCK: usize = 4096;

/// Room for longer lines is not kept for the next one.
const MAX_KEPT_LINE: usize = 64 * 1024;

/// Why there is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CsvError {
    /// There are no more.
    End,
    /// The delimiter can't be one.
    Delimiter,
    /// It begins in this line and has another number of fields than the first.
    FieldCount(usize),
    /// A quote in a field that does not begin with one.
    BareQuote(QuotePosition),
    /// A quote inside a quoted field, or one that is missing at its end.
    Quote(QuotePosition),
    /// The source failed.
    Source(String),
}

/// Where a quote is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotePosition {
    /// The line the record begins in, from 1.
    pub record: usize,
    /// The line, from 1.
    pub line: usize,
    /// The byte in the line, from 1.
    pub column: usize,
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, text) = match self {
            Self::End => return f.write_str("EOF"),
            Self::Delimiter => return f.write_str("csv: invalid field or comment delimiter"),
            Self::FieldCount(line) => return write!(f, "record on line {line}: wrong number of fields"),
            Self::Source(cause) => return f.write_str(cause),
            Self::BareQuote(place) => (place, "bare \" in non-quoted field"),
            Self::Quote(place) => (place, "extraneous or missing \" in quoted-field"),
        };
        if place.record != place.line {
            write!(f, "record on line {}; ", place.record)?;
        }
        write!(f, "parse error on line {}, column {}: {text}", place.line, place.column)
    }
}

impl std::error::Error for CsvError {}

/// What records are read from.
pub trait LineSource: Read {
    /// How many bytes there are up to the end of the line that goes on here, its line feed included.
    fn rest_of_line(&self) -> usize;
}

impl LineSource for &[u8] {
    fn rest_of_line(&self) -> usize {
        memchr::memchr(b'\n', self).map_or(self.len(), |end| end + 1)
    }
}

/// Reads records.
pub struct RecordReader<R> {
    source: BufReader<R>,
    delimiter: char,
    /// How many lines were read.
    lines: usize,
    /// How many fields every record has, once there was one.
    width: Option<usize>,
    line: Vec<u8>,
}

impl<R: LineSource> RecordReader<R> {
    /// Reads from `source`.
    pub fn new(source: R, delimiter: char) -> Self {
        let source = BufReader::with_capacity(BLOCK, source);
        Self { source, delimiter, lines: 0, width: None, line: Vec::new() }
    }

    /// What it reads from.
    pub fn source(&self) -> &R {
        self.source.get_ref()
    }

    /// As [`Records::source`], to move it.
    pub fn source_mut(&mut self) -> &mut R {
        self.source.get_mut()
    }

    /// What was read of the source and is in no record yet.
    pub fn buffered(&self) -> &[u8] {
        self.source.buffer()
    }

    /// Reads the next line into `line`; it ends with one line feed, or at the end with none. False when there is none.
    fn next_line(&mut self) -> Result<bool, CsvError> {
        self.line.clear();
        if memchr::memchr(b'\n', self.source.buffer()).is_none() {
            // A line that is as long as its file is not copied while it grows.
            let length = self.source.buffer().len() + self.source.get_ref().rest_of_line();
            if length > MAX_KEPT_LINE {
                self.line.reserve_exact(length);
            }
        }
        self.source.read_until(b'\n', &mut self.line).map_err(|error| CsvError::Source(error.to_string()))?;
        let line = &mut self.line;
        if line.is_empty() {
            return Ok(false);
        }
        self.lines += 1;
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - 2);
            line.push(b'\n');
        } else if line.ends_with(b"\r") {
            // The file ends in the middle of a line's end.
            line.pop();
        }
        Ok(true)
    }

    /// Gives the fields of the next record, one by one; empty lines are none.
    ///
    /// # Errors
    /// Why there is none; the next call continues with the next line.
    pub fn read(&mut self) -> Result<Vec<Vec<u8>>, CsvError> {
        if matches!(self.delimiter, '"' | '\r' | '\n' | '\0' | char::REPLACEMENT_CHARACTER) {
            return Err(CsvError::Delimiter);
        }
        loop {
            if !self.next_line()? {
                return Err(CsvError::End);
            }
            if self.line != b"\n" {
                break;
            }
        }
        let first_line = self.lines;
        let fields = self.fields();
        if self.line.capacity() > MAX_KEPT_LINE {
            self.line = Vec::new();
        }
        let fields = fields?;
        match self.width {
            Some(width) if width != fields.len() => Err(CsvError::FieldCount(first_line)),
            _ => {
                self.width = Some(fields.len());
                Ok(fields)
            }
        }
    }

    /// The fields of the record that begins with the present line; it may take further lines.
    fn fields(&mut self) -> Result<Vec<Vec<u8>>, CsvError> {
        let record = self.lines;
        let mut encoded = [0; 4];
        let delimiter = self.delimiter.encode_utf8(&mut encoded).as_bytes();
        let mut fields = Vec::with_capacity(self.width.unwrap_or_default());
        let mut at = 0;
        loop {
            if self.line.get(at) != Some(&b'"') {
                let (field, next) = plain_field(&self.line, at, delimiter);
                if let Some(quote) = memchr::memchr(b'"', field) {
                    return Err(CsvError::BareQuote(QuotePosition {
                        record,
                        line: self.lines,
                        column: at + quote + 1,
                    }));
                }
                // A long line that is one field is not copied.
                if at == 0 && next.is_none() && field.len() > MAX_KEPT_LINE {
                    let length = field.len();
                    let mut line = std::mem::take(&mut self.line);
                    line.truncate(length);
                    return Ok(vec![line]);
                }
                fields.push(field.to_vec());
                match next {
                    Some(next) => at = next,
                    None => return Ok(fields),
                }
                continue;
            }
            let mut field = Vec::new();
            at += 1;
            loop {
                let Some(quote) = memchr::memchr(b'"', &self.line[at..]) else {
                    field.extend_from_slice(&self.line[at..]);
                    let (line, column) = (self.lines, self.line.len() + 1);
                    if !self.next_line()? {
                        return Err(CsvError::Quote(QuotePosition { record, line, column }));
                    }
                    at = 0;
                    continue;
                };
                field.extend_from_slice(&self.line[at..at + quote]);
                at += quote + 1;
                let rest = &self.line[at..];
                if rest.starts_with(b"\"") {
                    field.push(b'"');
                    at += 1;
                } else if rest.starts_with(delimiter) {
                    at += delimiter.len();
                    break;
                } else if rest.is_empty() || rest == b"\n" {
                    fields.push(field);
                    return Ok(fields);
                } else {
                    return Err(CsvError::Quote(QuotePosition { record, line: self.lines, column: at }));
                }
            }
            fields.push(field);
        }
    }
}

/// True when the record that begins with `bytes` ends in them; empty lines are none.
pub fn has_record<'a>(bytes: impl Iterator<Item = &'a u8>) -> bool {
    let (mut is_quoted, mut is_empty) = (false, true);
    for byte in bytes {
        match byte {
            b'\n' if !is_quoted && !is_empty => return true,
            b'\n' | b'\r' if is_empty => {}
            b'"' => (is_quoted, is_empty) = (!is_quoted, false),
            _ => is_empty = false,
        }
    }
    false
}

/// The field without quotes that begins at `at`, and where the next one begins, if there is one.
fn plain_field<'a>(line: &'a [u8], at: usize, delimiter: &[u8]) -> (&'a [u8], Option<usize>) {
    let rest = &line[at..];
    match memchr::memmem::find(rest, delimiter) {
        Some(end) => (&rest[..end], Some(at + end + delimiter.len())),
        None => (rest.strip_suffix(b"\n").unwrap_or(rest), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All records of a text, fields joined by `|`, until an error that is not the end; then the error.
    fn read(text: &str, delimiter: char) -> Vec<String> {
        let mut records = RecordReader::new(text.as_bytes(), delimiter);
        let mut seen = Vec::new();
        loop {
            match records.read() {
                Ok(fields) => {
                    let fields = fields.iter().map(|field| String::from_utf8_lossy(field).into_owned());
                    seen.push(fields.collect::<Vec<_>>().join("|"));
                }
                Err(CsvError::End) => return seen,
                Err(error) => {
                    seen.push(error.to_string());
                    return seen;
                }
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        assert_eq!(read(text, ','), expect, "{text:?}");
    }

    #[test]
    fn the_end_of_a_record_is_seen() {
        let check = |text: &str, expect: bool| assert_eq!(has_record(text.as_bytes().iter()), expect, "{text:?}");
        check("a,b\n", true);
        check("a,b", false);
        check("", false);
        check("\n\r\n\n", false);
        check("\n\na\n", true);
        check("\"two\nlines", false);
        check("\"two\nlines\"\n", true);
        check("\"a \"\" b\"\n", true);
    }

    #[test]
    fn what_is_well_formed() {
        check("", &[]);
        check("a,b\n1,2\n", &["a|b", "1|2"]);
        check("a,b\r\n1,2", &["a|b", "1|2"]);
        check("a,b\n\n\r\n1,2\r", &["a|b", "1|2"]);
        check("a\rb,c\n", &["a\rb|c"]);
        check(",\n,\n", &["|", "|"]);
        check(" a , b ", &[" a | b "]);
        check("\"a,b\",\"c\"\"d\"\n", &["a,b|c\"d"]);
        check("\"two\r\nlines\",x\n", &["two\nlines|x"]);
        check("\"\",\"\"\n", &["|"]);
        check("\"a\"", &["a"]);
        check("\"\n\n\"\n", &["\n\n"]);
        check("ž,🐎\n", &["ž|🐎"]);
        for length in [10_000, MAX_KEPT_LINE, MAX_KEPT_LINE + 1, 3 * MAX_KEPT_LINE] {
            let long = "x".repeat(length);
            check(&format!("{long},{long}\n"), &[&format!("{long}|{long}")]);
            for end in ["", "\r", "\n", "\r\n"] {
                check(&format!("{long}{end}"), &[&long]);
                check(&format!("{long}\nshort\n\"{long}\"{end}"), &[&long, "short", &long]);
            }
        }
    }

    #[test]
    fn faults_have_go_s_words_and_places() {
        check("a,b\n1\n", &["a|b", "record on line 2: wrong number of fields"]);
        check("a\n\n1,2\n", &["a", "record on line 3: wrong number of fields"]);
        check("a \"word\",b\n", &["parse error on line 1, column 3: bare \" in non-quoted field"]);
        check("ok,b\nž\",b\n", &["ok|b", "parse error on line 2, column 3: bare \" in non-quoted field"]);
        check("\"a \"word\"\",b\n", &["parse error on line 1, column 4: extraneous or missing \" in quoted-field"]);
        check(
            "a,\"b\nc\"d,e",
            &["record on line 1; parse error on line 2, column 2: extraneous or missing \" in quoted-field"],
        );
        check("\"abc", &["parse error on line 1, column 5: extraneous or missing \" in quoted-field"]);
        check(
            "a,b\n\"d\n\n,e",
            &["a|b", "record on line 2; parse error on line 4, column 3: extraneous or missing \" in quoted-field"],
        );
    }

    #[test]
    fn delimiters() {
        assert_eq!(read("a;b,c;\"d;e\"\n", ';'), ["a|b,c|d;e"]);
        assert_eq!(read("a→\"b\"→c\n", '→'), ["a|b|c"]);
        for delimiter in ['"', '\n', '\r', '\0'] {
            assert_eq!(read("a\n", delimiter), ["csv: invalid field or comment delimiter"]);
        }
    }

    #[test]
    fn a_faulty_record_is_passed_over() {
        let mut records = RecordReader::new("a,b\n1\n3,4\n".as_bytes(), ',');
        assert!(records.read().is_ok());
        assert_eq!(records.read(), Err(CsvError::FieldCount(2)));
        assert_eq!(records.read(), Ok(vec![b"3".to_vec(), b"4".to_vec()]));
        assert_eq!(records.read(), Err(CsvError::End));
        assert_eq!(records.read(), Err(CsvError::End));
    }
}
