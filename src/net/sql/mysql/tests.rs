//! Data source names, passwords, values in statements.

use std::time::Duration;

use super::auth;
use super::dsn::{MysqlDsn, MysqlTls, TlsMode};
use super::value::interpolated;
use crate::net::sql::value::SqlArgument;
use mysql_common::packets::AuthPlugin;

#[test]
fn data_source_names_are_read() {
    let check = |text: &str, expect: [&str; 5]| {
        let dsn = MysqlDsn::parse(text, None).unwrap();
        let found = [&dsn.user, &dsn.password, &dsn.host, &dsn.port, &dsn.database].map(String::as_str);
        assert_eq!(found, expect, "{text}");
    };
    check("/", ["", "", "127.0.0.1", "3306", ""]);
    check("u:p@tcp(h.test:1)/db", ["u", "p", "h.test", "1", "db"]);
    check("u:p:@/x@tcp([::1]:1)/d%2Fb", ["u", "p:@/x", "::1", "1", "d/b"]);
    check("u@tcp([::1])/", ["u", "", "::1", "3306", ""]);
    check("u@(h)/db?parseTime=true", ["u", "", "h", "3306", "db"]);
    let dsn = MysqlDsn::parse("u@/?timeout=90s&tls=preferred&sql_mode=%27ANSI%27&parseTime=1", None).unwrap();
    assert_eq!((dsn.timeout, dsn.tls, dsn.parses_time), (Some(Duration::from_secs(90)), TlsMode::Preferred, true));
    assert_eq!(dsn.session, [("sql_mode".to_owned(), "'ANSI'".to_owned())]);
    let custom = MysqlTls { is_1_3: true, ..MysqlTls::default() };
    assert_eq!(MysqlDsn::parse("u@/?tls=custom", Some(&custom)).unwrap().tls, TlsMode::Custom(custom));
}

#[test]
fn what_is_wrong_with_a_data_source_name_is_said_without_its_password() {
    let check = |text: &str, expect: &str| {
        let error = MysqlDsn::parse(text, None).unwrap_err();
        assert!(error.contains(expect), "{text}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    };
    check("u:s3cret@tcp(h)", "invalid DSN: missing the slash separating the database name");
    check("u:s3cret@tcp(h/db", "invalid DSN: network address not terminated (missing closing brace)");
    check("u:s3cret@tcp(h)x/db", "invalid DSN: did you forget to escape a param value?");
    check("u:s3cret@udp/db", "default addr for network 'udp' unknown");
    check("u:s3cret@unix(/run/x)/db", "unix(...) is not");
    check("u:s3cret@tcp(h:x)/db", "the port \"x\" is no number");
    check("u:s3cret@/?parseTime=x", "invalid bool value: x");
    check("u:s3cret@/?tls=mine", "invalid value / unknown config name: mine");
    check("u:s3cret@/?tls=custom", "unknown config name: custom; loadTLS() comes first");
    check("u:s3cret@/?timeout=5", "missing unit in duration \"5\"");
    check("u:s3cret@/?loc=Local", "times are shown in UTC");
    check("u:s3cret@/?compress=true", "\"compress\" is not offered");
    check("u:s3cret@/?charset=x;y", "\"x;y\" is no value for \"charset\"");
    check("u:s3cret@/?x;y=1", "\"x;y\" is no value for \"x;y\"");
}

/// The hashes of the documentation of both plugins, recomputed by hand.
#[test]
fn passwords_are_shown_as_the_plugin_wants() {
    let answer = |plugin: AuthPlugin<'_>, password: &str, is_encrypted: bool, clear: bool| {
        auth::answer(&plugin, password, b"01234567890123456789", is_encrypted, clear, true)
    };
    let hex = |bytes: Vec<u8>| data_encoding::HEXLOWER.encode(&bytes);
    let native = answer(AuthPlugin::MysqlNativePassword, "secret", false, false).unwrap();
    assert_eq!((native.len(), hex(native)), (20, NATIVE.to_owned()));
    let sha2 = answer(AuthPlugin::CachingSha2Password, "secret", false, false).unwrap();
    assert_eq!((sha2.len(), hex(sha2)), (32, CACHING.to_owned()));
    assert_eq!(answer(AuthPlugin::MysqlNativePassword, "", false, false), Ok(Vec::new()));
    assert_eq!(answer(AuthPlugin::MysqlClearPassword, "p", false, true), Ok(b"p\0".to_vec()));
    assert!(answer(AuthPlugin::MysqlClearPassword, "p", true, false).unwrap_err().contains("allowCleartextPasswords"));
    assert_eq!(answer(AuthPlugin::Sha256Password, "p", true, false), Ok(b"p\0".to_vec()));
    assert_eq!(answer(AuthPlugin::Sha256Password, "p", false, false), Ok(vec![1]));
    let other = AuthPlugin::from_bytes(b"auth_gssapi_client");
    let error = answer(other, "p", false, false).unwrap_err();
    assert_eq!(error, "this authentication plugin is not supported: auth_gssapi_client");
    assert!(auth::encrypted("p", b"", b"").is_err() && auth::encrypted("p", b"x", b"no key").is_err());
}

const NATIVE: &str = "7abe1a8776b59e931059451f81e596a60dbbf7a8";
const CACHING: &str = "1a2da2573c2faa367e2afddb54cdfd11a95ed22eef0167151196a6fc8e3d3813";

#[test]
fn values_stand_in_statements() {
    let check = |sql: &str, args: &[SqlArgument], expect: Option<&str>| {
        assert_eq!(interpolated(sql, args, false).as_deref(), expect, "{sql}");
    };
    let text = |text: &str| SqlArgument::Text(text.to_owned());
    check("a ? b ?", &[text("it's \\"), SqlArgument::Null], Some("a 'it\\'s \\\\' b NULL"));
    check("?,?,?", &[SqlArgument::Int(-1), SqlArgument::Bool(true), SqlArgument::Double(0.5)], Some("-1,1,0.5"));
    let bytes = SqlArgument::Bytes(bytes::Bytes::from_static(&[0, 255]));
    check("?", &[bytes], Some("_binary x'00ff'"));
    check("?", &[SqlArgument::Moment("2024-02-29T15:04:05.250Z".to_owned())], Some("'2024-02-29 15:04:05.250'"));
    check("'?' ?", &[SqlArgument::Null], None);
    assert_eq!(interpolated("?", &[text("a'\\")], true).as_deref(), Some("'a''\\'"));
}
