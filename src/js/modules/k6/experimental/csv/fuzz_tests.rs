//! What must hold for whatever is in a CSV file. Entered here with broken examples, and by the target `csv` of
//! `tests/fuzz`.

use super::records::{CsvError, RecordReader};

/// A delimiter's byte, and a file: reading ends, and records that are written again are read the same.
pub fn records(data: &[u8]) {
    let Some((first, text)) = data.split_first() else { return };
    let delimiter = char::from(*first);
    let mut records = RecordReader::new(text, delimiter);
    let mut written = Vec::new();
    let mut read = Vec::new();
    // There is at most one record, or one error, for each line.
    for _ in 0..=text.len() + 1 {
        match records.read() {
            Ok(fields) => {
                write(&mut written, &fields, delimiter);
                read.push(fields);
            }
            Err(CsvError::End) => {
                again(&written, &read, delimiter);
                return;
            }
            Err(CsvError::Delimiter) => return,
            Err(_) => {}
        }
    }
    panic!("a file of {} bytes has no end", text.len());
}

/// Writes a record with every field in quotes.
fn write(out: &mut Vec<u8>, fields: &[Vec<u8>], delimiter: char) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(delimiter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        out.push(b'"');
        for byte in field {
            out.push(*byte);
            if *byte == b'"' {
                out.push(b'"');
            }
        }
        out.push(b'"');
    }
    out.push(b'\n');
}

fn again(written: &[u8], read: &[Vec<Vec<u8>>], delimiter: char) {
    let mut records = RecordReader::new(written, delimiter);
    // Of a line's end that is written twice, one carriage return is part of the field, until it is read again.
    let plain = |fields: &[Vec<u8>]| -> Vec<Vec<u8>> {
        fields.iter().map(|field| field.iter().copied().filter(|byte| *byte != b'\r').collect()).collect()
    };
    for fields in read {
        assert_eq!(records.read().map(|fields| plain(&fields)), Ok(plain(fields)));
    }
    assert_eq!(records.read(), Err(CsvError::End));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    #[test]
    fn any_file_has_an_end() {
        break_each(
            &[
                b",a,b\n1,2\n\"x,y\",\"say \"\"so\"\"\"\r\n\r\nlast,\"two\nlines\"",
                b";\"a\";b\n;\n\"\";\"\"\n\"unfinished;\n\n",
                b"\ta\tb\n",
            ],
            records,
        );
    }
}
