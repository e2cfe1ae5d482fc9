//! Data source names, values and places in statements.

use std::time::Duration;

use bytes::Bytes;

use super::connection::place;
use super::dsn::{PostgresDsn, SslMode};
use super::value::{affected, decode};
use crate::net::sql::timestamp::Timestamp;
use crate::net::sql::value::SqlValue;

#[test]
fn data_source_names_are_read() {
    let check = |text: &str, expect: (&str, &str, &str, &str, SslMode), session: &[(&str, &str)]| {
        let dsn = PostgresDsn::parse(text).unwrap();
        let found = (dsn.host.as_str(), dsn.port.as_str(), dsn.user.as_str(), dsn.password.as_str(), dsn.ssl_mode);
        assert_eq!(found, expect, "{text}");
        let found: Vec<_> = dsn.session.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, session, "{text}");
    };
    let all = ("h.test", "6000", "u@x", "p:w", SslMode::Disable);
    let address = "postgres://u%40x:p:w@h.test:6000/db?sslmode=disable&search_path=a+b";
    check(address, all, &[("database", "db"), ("search_path", "a b")]);
    check("postgresql://u@[::1]/", ("::1", "5432", "u", "", SslMode::Require), &[]);
    let pairs = "user = u password='it\\'s \\\\ x' host=h sslmode=verify-ca application_name='a b'";
    check(pairs, ("h", "5432", "u", "it's \\ x", SslMode::Verify), &[("application_name", "a b")]);
    let named = "user=u fallback_application_name=f sslmode=prefer";
    check(named, ("localhost", "5432", "u", "", SslMode::Prefer), &[("application_name", "f")]);
    check("user=u sslinline=true sslrootcert=PEM", ("localhost", "5432", "u", "", SslMode::Verify), &[]);
    let timeout = |text: &str| PostgresDsn::parse(text).unwrap().connect_timeout;
    assert_eq!(timeout("user=u connect_timeout=2"), Some(Duration::from_secs(2)));
    assert_eq!(timeout("user=u connect_timeout=0"), None);
}

#[test]
fn what_is_wrong_with_a_data_source_name_is_said_without_its_password() {
    let check = |text: &str, expect: &str| {
        let error = PostgresDsn::parse(text).unwrap_err();
        assert!(error.contains(expect), "{text}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    };
    check("", "has no user");
    check("postgres://h/db", "has no user");
    check("s3cret", "is no address and no list of name=value");
    check("mysql://u:s3cret@h/db", "is no address");
    check("user=u password='s3cret", "the quote around the value of \"password\" is not closed");
    check("postgres://u:s3cret@h:x/db", "wrong value for \"port\": \"x\"");
    check("user=u sslmode=never", "unsupported sslmode \"never\"; \"disable\", ");
    check("user=u connect_timeout=x", "wrong value for \"connect_timeout\": \"x\"");
    check("user=u target_session_attrs=any", "\"target_session_attrs\" is not offered");
    check("user=u sslrootcert=/ca.pem", "sslinline=true");
    check("user=u host=/tmp", "one host that is reached over TCP");
    check("user=u host=a,b", "one host that is reached over TCP");
    check("user=u client_encoding=latin1", "client_encoding");
}

#[test]
fn columns_are_values_of_their_types() {
    let check = |oid: u32, text: &'static str, expect: SqlValue| {
        assert_eq!(decode(oid, Bytes::from_static(text.as_bytes())), expect, "{oid} {text}");
    };
    let bytes = |bytes: &'static [u8]| SqlValue::Bytes(Bytes::from_static(bytes));
    check(16, "t", SqlValue::Bool(true));
    check(16, "f", SqlValue::Bool(false));
    check(20, "-9", SqlValue::Number(-9.0));
    check(701, "1.5e300", SqlValue::Number(1.5e300));
    check(701, "Infinity", SqlValue::Number(f64::INFINITY));
    check(1042, "a  ", SqlValue::Text("a  ".to_owned()));
    check(1700, "1.10", bytes(b"1.10"));
    check(17, "\\x00ff", bytes(&[0, 255]));
    check(17, "a\\000\\\\\\377", bytes(&[b'a', 0, b'\\', 255]));
    check(17, "\\9", bytes(b"\\9"));
    let time = |seconds: i64, nanos: u32, offset: Option<i32>| SqlValue::Time(Timestamp { seconds, nanos, offset });
    check(1082, "2024-02-29", time(1_709_164_800, 0, None));
    check(1114, "1970-01-01 00:00:01.5", time(1, 500_000_000, None));
    check(1184, "1970-01-01 05:30:00+05:30", time(0, 0, Some(19_800)));
    check(1184, "1969-12-31 16:00:00.000001-08", time(0, 1_000, Some(-28_800)));
    check(1082, "0001-12-31 BC", time(-62_135_683_200, 0, None));
    check(1083, "00:00:01", time(-62_167_219_199, 0, None));
    check(1114, "infinity", bytes(b"infinity"));
    check(1114, "2024-13-01 00:00:00", bytes(b"2024-13-01 00:00:00"));
}

#[test]
fn places_and_counts_are_read() {
    let check = |sql: &str, position: usize, expect: &str| assert_eq!(place(sql, position), expect, "{sql} {position}");
    check("SELECT x", 8, " at column 8");
    check("SELECT\n x", 9, " at position 2:2");
    check("é x", 3, " at column 3");
    check("SELECT", 0, "");
    check("SELECT", 99, "");
    assert_eq!((affected("INSERT 0 3"), affected("UPDATE 5"), affected("CREATE TABLE")), (3, 5, 0));
}
