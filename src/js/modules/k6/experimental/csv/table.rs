//! What `k6/experimental/csv` makes of records: options checked, lines left out, rows as lists or as objects.

use rustc_hash::FxHashMap;

use super::records::{CsvError, LineSource, RecordReader};
use crate::js::modules::volley::shared_array::{Array, Builder};
use crate::js::value::{Value, text_of};

/// How a file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// The separator of fields.
    pub delimiter: Option<char>,
    /// The first record is left out.
    pub skip_first: bool,
    /// The first record that is read, from 0.
    pub from: Option<i64>,
    /// The last one.
    pub to: Option<i64>,
    /// The first record has the names of the fields.
    pub as_objects: bool,
}

impl CsvOptions {
    /// Reads a script's options, which the JavaScript half has made plain.
    ///
    /// # Errors
    /// k6's words.
    pub fn read(value: Value) -> Result<Self, String> {
        let mut options = Self::default();
        let Value::Map(fields) = value else { return Ok(options) };
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("delimiter", Value::String(text)) => {
                    let mut chars = text.chars();
                    let (Some(delimiter), None) = (chars.next(), chars.next()) else {
                        return Err("delimiter must be a single character".to_owned());
                    };
                    options.delimiter = Some(delimiter);
                }
                ("skipFirstLine", value) => options.skip_first = matches!(value, Value::Bool(true)),
                ("asObjects", value) => options.as_objects = matches!(value, Value::Bool(true)),
                ("fromLine", Value::Number(line)) => options.from = Some(line as i64),
                ("toLine", Value::Number(line)) => options.to = Some(line as i64),
                _ => {}
            }
        }
        match (options.from, options.to) {
            (Some(from), Some(to)) if from >= to => Err("fromLine must be less than or equal to toLine".to_owned()),
            _ => Ok(options),
        }
    }

    fn check(&self) -> Result<(), String> {
        let negative =
            |name: &str, line: i64| format!("the '{name}' option must be greater than or equal to 0; got {line}");
        if self.as_objects && self.skip_first {
            return Err("the 'header' option cannot be enabled when 'skipFirstLine' is true".to_owned());
        }
        match (self.from, self.to) {
            (Some(from), _) if self.as_objects && from > 0 => {
                Err("the 'header' option cannot be enabled when 'fromLine' is set to a value greater than 0".to_owned())
            }
            (Some(from), _) if from < 0 => Err(negative("fromLine", from)),
            (_, Some(to)) if to < 0 => Err(negative("toLine", to)),
            _ => Ok(()),
        }
    }
}

/// A row that any thread may make: a long one is not made where VUs run.
#[derive(Debug)]
pub enum RowText {
    /// Its fields.
    List(Vec<String>),
    /// Its fields with their names.
    Members(Vec<(String, String)>),
}

impl RowText {
    /// The row for JavaScript.
    pub fn value(self) -> Value {
        match self {
            Self::List(fields) => Value::List(fields.into_iter().map(Value::String).collect()),
            Self::Members(members) => {
                Value::Map(members.into_iter().map(|(name, field)| (name, Value::String(field))).collect())
            }
        }
    }
}

/// The rows of one file as they are read.
pub struct Rows<R> {
    records: RecordReader<R>,
    names: Option<Vec<String>>,
    /// For each column, which member of an object it is: of columns with the same name the last one counts.
    members: Vec<usize>,
    /// How many records were read or left out.
    at: i64,
    /// The last record wanted.
    last: Option<i64>,
}

impl<R: LineSource> Rows<R> {
    /// Reads up to the first row that is wanted.
    ///
    /// # Errors
    /// k6's words, for options that make no sense and for a file that is too short for them.
    pub fn begin(source: R, options: &CsvOptions) -> Result<Self, String> {
        options.check()?;
        let records = RecordReader::new(source, options.delimiter.unwrap_or(','));
        // A last line of 0 is none.
        let mut rows = Self { records, names: None, members: Vec::new(), at: 0, last: options.to.filter(|to| *to > 0) };
        let from = options.from.unwrap_or(0);
        if options.skip_first && from == 0 {
            rows.record().map_err(|error| format!("failed to skip the first line; reason: {error}"))?;
        }
        while rows.at < from {
            rows.record().map_err(|error| format!("failed to skip lines until line {from}; reason: {error}"))?;
        }
        if options.as_objects {
            let names = rows.record().map_err(|error| format!("failed to read the first line; reason: {error}"))?;
            let names: Vec<String> = names.iter().map(|name| text_of(name)).collect();
            let mut known: FxHashMap<&str, usize> = FxHashMap::default();
            for name in &names {
                let next = known.len();
                rows.members.push(*known.entry(name).or_insert(next));
            }
            rows.names = Some(names);
        }
        Ok(rows)
    }

    /// What it reads from.
    pub fn source(&self) -> &R {
        self.records.source()
    }

    /// As [`Rows::source`], to move it.
    pub fn source_mut(&mut self) -> &mut R {
        self.records.source_mut()
    }

    /// What was read of the source and is in no row yet.
    pub fn buffered(&self) -> &[u8] {
        self.records.buffered()
    }

    fn record(&mut self) -> Result<Vec<Vec<u8>>, CsvError> {
        let record = self.records.read()?;
        self.at += 1;
        Ok(record)
    }

    /// The next row that is wanted.
    ///
    /// # Errors
    /// What is wrong with it, in Go's words; or that there are no more.
    pub fn row(&mut self) -> Result<Vec<Vec<u8>>, CsvError> {
        if self.last.is_some_and(|last| self.at > last) {
            return Err(CsvError::End);
        }
        self.record()
    }

    /// The next row that is wanted, as text; `None` when there are no more.
    ///
    /// # Errors
    /// What is wrong with it, in Go's words.
    pub fn next_text(&mut self) -> Result<Option<RowText>, CsvError> {
        let fields = match self.row() {
            Ok(fields) => fields,
            Err(CsvError::End) => return Ok(None),
            Err(error) => return Err(error),
        };
        let fields =
            fields.into_iter().map(|field| String::from_utf8(field).unwrap_or_else(|error| text_of(error.as_bytes())));
        let Some(names) = &self.names else { return Ok(Some(RowText::List(fields.collect()))) };
        let mut members: Vec<(String, String)> = Vec::with_capacity(names.len());
        for ((name, field), at) in names.iter().zip(fields).zip(&self.members) {
            match members.get_mut(*at) {
                Some((_, value)) => *value = field,
                None => members.push((name.clone(), field)),
            }
        }
        Ok(Some(RowText::Members(members)))
    }

    /// All rows that are left. Objects have their members in the order of their names, as Go writes them.
    ///
    /// # Errors
    /// What is wrong with one, in k6's words.
    pub fn all(&mut self) -> Result<Array, String> {
        let columns = self.names.as_ref().map(|names| sorted_columns(names));
        let mut array = Builder::default();
        loop {
            let fields = match self.row() {
                Ok(fields) => fields,
                Err(CsvError::End) => return Ok(array.finish()),
                Err(error) => return Err(format!("failed to read record; reason: {error}")),
            };
            array.push(|out| match &columns {
                None => {
                    for (at, field) in fields.iter().enumerate() {
                        out.push(if at == 0 { b'[' } else { b',' });
                        write_text(out, field);
                    }
                    out.push(b']');
                }
                Some(columns) => {
                    for (at, (name, column)) in columns.iter().enumerate() {
                        out.push(if at == 0 { b'{' } else { b',' });
                        out.extend_from_slice(name);
                        out.push(b':');
                        write_text(out, &fields[*column]);
                    }
                    out.push(b'}');
                }
            });
        }
    }
}

/// The names of columns as JSON, in order, each with the last column that has it.
fn sorted_columns(names: &[String]) -> Vec<(Vec<u8>, usize)> {
    let last: std::collections::BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    last.into_iter()
        .map(|(name, at)| {
            let mut text = Vec::new();
            write_text(&mut text, name.as_bytes());
            (text, at)
        })
        .collect()
}

/// Writes a field as a JSON string.
fn write_text(out: &mut Vec<u8>, field: &[u8]) {
    // Text can always be written, and memory takes all of it.
    let _ = match std::str::from_utf8(field) {
        Ok(text) => serde_json::to_writer(out, text),
        Err(_) => serde_json::to_writer(out, &text_of(field)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(given: &[(&str, Value)]) -> Result<CsvOptions, String> {
        let fields = given.iter().map(|(name, value)| {
            let value = match value {
                Value::Number(number) => Value::Number(*number),
                Value::Bool(value) => Value::Bool(*value),
                Value::String(text) => Value::String(text.clone()),
                _ => Value::Undefined,
            };
            ((*name).to_owned(), value)
        });
        CsvOptions::read(Value::Map(fields.collect()))
    }

    /// All rows of a text as JSON, or what is wrong.
    fn read(text: &str, given: &[(&str, Value)]) -> String {
        let all = options(given).and_then(|options| {
            let array = Rows::begin(text.as_bytes(), &options)?.all()?;
            let rows: Vec<_> = (0..array.len()).filter_map(|at| array.get(at)).collect();
            Ok(rows.iter().map(|row| String::from_utf8_lossy(row).into_owned()).collect::<Vec<_>>().join(" "))
        });
        all.unwrap_or_else(|error| error)
    }

    #[test]
    fn lines_are_chosen() {
        let check = |options: &[(&str, Value)], expect: &str| {
            assert_eq!(read("a\nb\n\nc\nd\n", options), expect, "{options:?}");
        };
        check(&[], "[\"a\"] [\"b\"] [\"c\"] [\"d\"]");
        check(&[("skipFirstLine", true.into())], "[\"b\"] [\"c\"] [\"d\"]");
        check(&[("fromLine", 1.0.into()), ("toLine", 2.0.into())], "[\"b\"] [\"c\"]");
        check(&[("toLine", 0.0.into())], "[\"a\"] [\"b\"] [\"c\"] [\"d\"]");
        check(&[("skipFirstLine", true.into()), ("fromLine", 2.0.into())], "[\"c\"] [\"d\"]");
        check(&[("fromLine", 4.0.into())], "");
        check(&[("fromLine", 9.0.into())], "failed to skip lines until line 9; reason: EOF");
        check(&[("fromLine", 2.0.into()), ("toLine", 2.0.into())], "fromLine must be less than or equal to toLine");
        check(&[("fromLine", (-1.0).into())], "the 'fromLine' option must be greater than or equal to 0; got -1");
        check(&[("toLine", (-1.0).into())], "the 'toLine' option must be greater than or equal to 0; got -1");
        check(&[("delimiter", "::".into())], "delimiter must be a single character");
        check(&[("delimiter", "".into())], "delimiter must be a single character");
    }

    #[test]
    fn rows_are_objects() {
        let objects = || [("asObjects", Value::Bool(true))];
        assert_eq!(read("n,b,a\n1,2,3\n", &objects()), "{\"a\":\"3\",\"b\":\"2\",\"n\":\"1\"}");
        assert_eq!(read("a,a\n1,2\n", &objects()), "{\"a\":\"2\"}");
        assert_eq!(read("a\n", &objects()), "");
        assert_eq!(read("", &objects()), "failed to read the first line; reason: EOF");
        assert_eq!(
            read("a,b\n1\n", &objects()),
            "failed to read record; reason: record on line 2: wrong number of fields"
        );
        let both = [("asObjects", true.into()), ("skipFirstLine", true.into())];
        assert_eq!(read("a\n", &both), "the 'header' option cannot be enabled when 'skipFirstLine' is true");
    }
}
