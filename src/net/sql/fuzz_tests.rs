//! Data source names of scripts, and packets of a MySQL server, that may be anything.

use super::mysql::{MysqlDsn, packets};
use super::postgres::PostgresDsn;
use super::sqlite::SqliteDsn;
use super::timestamp::Timestamp;

/// A data source name, or a moment.
pub fn source(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let errors = [PostgresDsn::parse(text).err(), MysqlDsn::parse(text, None).err(), SqliteDsn::parse(text).err()];
    assert!(errors.into_iter().flatten().all(|text| !text.is_empty()));
    _ = Timestamp::parse(text);
}

/// A packet of a MySQL server, taken for each kind there is; the first byte says what the columns of a row are.
pub fn mysql(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    packets(*first, data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn broken_sources_are_read() {
        let good: [&[u8]; 5] = [
            b"postgres://u:p@h:6000/db?sslmode=disable&search_path=a+b",
            b"user = u password='it\\'s' host=h connect_timeout=5",
            b"u:p@tcp([::1]:3306)/d%2Fb?parseTime=true&tls=preferred&timeout=5s",
            b"file:a.db?mode=ro&_fk=1&_timeout=50",
            b"2024-02-29 15:04:05.25+05:30",
        ];
        break_each(&good, source);
    }

    #[test]
    fn broken_packets_are_read() {
        let hello = b"\x00\x0a5.5.5-10.11\0\x01\0\0\0abcdefgh\0\xfe\xf7\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\x07\0\0\0abcdefghijkl\0mysql_native_password\0";
        let good: [&[u8]; 5] = [
            hello,
            b"\x01\x03def\x02db\x01t\x01t\x02id\x02id\x0c\x3f\0\x0b\0\0\0\x03\x03\x42\0\0\0",
            b"\x07\0\0\0\x03\x07\xe8\x02\x1d\x0f\x04\x05",
            b"\x03\xff\x15\x04#28000Access denied",
            b"\x05\0\x01\x02\x02\0\0\0",
        ];
        break_each(&good, mysql);
    }
}
