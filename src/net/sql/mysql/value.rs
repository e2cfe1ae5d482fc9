//! Values on their way to the server and back, as go-sql-driver reads and writes them.

use mysql_common::Value;
use mysql_common::constants::ColumnType;
use mysql_common::packets::Column;

use crate::net::sql::timestamp::Timestamp;
use crate::net::sql::value::{SqlArgument, SqlValue};

/// A value for a `?`.
pub(super) fn bound(argument: &SqlArgument) -> Value {
    match argument {
        SqlArgument::Null => Value::NULL,
        SqlArgument::Bool(value) => Value::Int((*value).into()),
        SqlArgument::Int(number) => Value::Int(*number),
        SqlArgument::Double(number) => Value::Double(*number),
        SqlArgument::Text(text) => Value::Bytes(text.clone().into_bytes()),
        SqlArgument::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        SqlArgument::Moment(moment) => Value::Bytes(moment.trim_end_matches('Z').replace('T', " ").into_bytes()),
    }
}

/// A statement with its values in place of the `?`s; `None` where there are more or fewer of these, also in quotes.
pub(super) fn interpolated(sql: &str, args: &[SqlArgument], no_backslash_escapes: bool) -> Option<String> {
    let parts: Vec<&str> = sql.split('?').collect();
    if parts.len() != args.len() + 1 {
        return None;
    }
    let mut text = parts[0].to_owned();
    for (argument, part) in args.iter().zip(&parts[1..]) {
        match argument {
            SqlArgument::Bytes(bytes) => {
                text += &format!("_binary x'{}'", data_encoding::HEXLOWER.encode(bytes));
            }
            other => text += &bound(other).as_sql(no_backslash_escapes),
        }
        text += part;
    }
    Some(text)
}

/// What a column shows.
pub(super) fn decode(column: &Column, value: Value, parses_time: bool) -> SqlValue {
    use ColumnType::*;
    let kind = column.column_type();
    let is_time = matches!(kind, MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE | MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP);
    match value {
        Value::NULL => SqlValue::Null,
        Value::Int(number) => SqlValue::Number(number as f64),
        Value::UInt(number) => SqlValue::Number(number as f64),
        Value::Float(number) => SqlValue::Number(f64::from(number)),
        Value::Double(number) => SqlValue::Number(number),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let mut text = format!("{year:04}-{month:02}-{day:02}");
            if !matches!(kind, MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE) {
                text += &format!(" {hour:02}:{minute:02}:{second:02}{}", fraction(micros, column.decimals()));
            }
            if parses_time { SqlValue::Time(time_of(&text)) } else { SqlValue::Bytes(text.into()) }
        }
        Value::Time(is_negative, days, hours, minutes, seconds, micros) => {
            let (sign, hours) = (if is_negative { "-" } else { "" }, u64::from(days) * 24 + u64::from(hours));
            let fraction = fraction(micros, column.decimals());
            SqlValue::Bytes(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}").into())
        }
        Value::Bytes(bytes) => {
            let words = std::str::from_utf8(&bytes).ok();
            let read = words.and_then(|words| match kind {
                MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
                | MYSQL_TYPE_YEAR | MYSQL_TYPE_DOUBLE => words.parse().ok().map(SqlValue::Number),
                MYSQL_TYPE_FLOAT => words.parse::<f32>().ok().map(|number| SqlValue::Number(f64::from(number))),
                _ if is_time && parses_time => Some(SqlValue::Time(time_of(words))),
                _ => None,
            });
            read.unwrap_or_else(|| SqlValue::Bytes(bytes.into()))
        }
    }
}

fn fraction(micros: u32, digits: u8) -> String {
    match usize::from(digits) {
        0 => String::new(),
        // 31 says that the number of digits is not fixed.
        digits => format!(".{}", &format!("{micros:06}")[..digits.min(6)]),
    }
}

/// A text that stands for a moment in UTC; Go's first moment where it stands for none, as `0000-00-00`.
fn time_of(text: &str) -> Timestamp {
    Timestamp::parse(text).map_or(Timestamp::ZERO, |time| Timestamp { offset: Some(0), ..time })
}
