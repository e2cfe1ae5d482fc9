//! Values on their way to the server and back, as lib/pq reads and writes them.

use bytes::Bytes;

use crate::net::sql::timestamp::Timestamp;
use crate::net::sql::value::{SqlArgument, SqlValue};

/// The text of a value for `$1`; `None` is NULL.
pub(super) fn text_of(argument: &SqlArgument) -> Option<String> {
    Some(match argument {
        SqlArgument::Null => return None,
        SqlArgument::Bool(value) => value.to_string(),
        SqlArgument::Int(number) => number.to_string(),
        SqlArgument::Double(number) if number.is_infinite() => {
            if *number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
        }
        SqlArgument::Double(number) => number.to_string(),
        SqlArgument::Text(text) | SqlArgument::Moment(text) => text.clone(),
        SqlArgument::Bytes(bytes) => format!("\\x{}", data_encoding::HEXLOWER.encode(bytes)),
    })
}

const BOOL: u32 = 16;
const BYTEA: u32 = 17;
const CHAR: u32 = 18;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const DATE: u32 = 1082;
const TIME: u32 = 1083;
const TIMESTAMP: u32 = 1114;
const TIMESTAMPTZ: u32 = 1184;
const TIMETZ: u32 = 1266;

/// The value that a column of type `oid` shows as `text`.
pub(super) fn decode(oid: u32, text: Bytes) -> SqlValue {
    let Ok(words) = std::str::from_utf8(&text) else { return SqlValue::Bytes(text) };
    let read = match oid {
        BOOL => Some(SqlValue::Bool(words == "t")),
        INT2 | INT4 | INT8 | FLOAT4 | FLOAT8 => words.parse().ok().map(SqlValue::Number),
        CHAR | TEXT | BPCHAR | VARCHAR => Some(SqlValue::Text(words.to_owned())),
        DATE | TIMESTAMP | TIMESTAMPTZ => Timestamp::parse(words).map(SqlValue::Time),
        TIME | TIMETZ => Timestamp::parse_time(words).map(SqlValue::Time),
        BYTEA => bytea(words).map(|bytes| SqlValue::Bytes(bytes.into())),
        _ => None,
    };
    read.unwrap_or(SqlValue::Bytes(text))
}

/// `\x00ff`, or the form of old servers: `\000` and `\\` among characters.
fn bytea(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        return data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
    }
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let byte;
        (byte, rest) = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), after)
            }
            (b'\\', _) => return None,
            (byte, after) => (byte, after),
        };
        bytes.push(byte);
    }
    Some(bytes)
}

/// The number at the end of a command's tag: `INSERT 0 3`, `UPDATE 5`; 0 where there is none.
pub(super) fn affected(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
}
