//! Data source names: `user:password@tcp(host:port)/database?name=value`.

use std::fmt;
use std::time::Duration;

use crate::net::tls::ConnectionTls;
use crate::units::duration::Span;
use crate::units::quote::go_quote;

/// How a connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// Not at all.
    #[default]
    Off,
    /// Where the server can; any certificate will do.
    Preferred,
    /// Always; any certificate will do.
    SkipVerify,
    /// Always, and the certificate has to be valid for the host.
    Verify,
    /// As the script said.
    Custom(MysqlTls),
}

/// What a script's `loadTLS()` said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MysqlTls {
    /// Its certificates.
    pub certificates: ConnectionTls,
    /// Any certificate will do.
    pub skips_verification: bool,
    /// Nothing older than TLS 1.3 will do.
    pub is_1_3: bool,
}

/// Where a database is, and who we are.
#[derive(Clone, PartialEq, Eq)]
pub struct MysqlDsn {
    pub(in crate::net::sql) host: String,
    pub(in crate::net::sql) port: String,
    pub(in crate::net::sql) timeout: Option<Duration>,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) database: String,
    pub(super) read_timeout: Option<Duration>,
    pub(super) write_timeout: Option<Duration>,
    pub(super) tls: TlsMode,
    pub(super) allows_clear_text: bool,
    pub(super) allows_native: bool,
    pub(super) counts_found_rows: bool,
    pub(super) has_multi_statements: bool,
    pub(super) interpolates: bool,
    pub(super) parses_time: bool,
    pub(super) has_table_names: bool,
    pub(super) max_packet: usize,
    pub(super) charset: String,
    pub(super) collation: String,
    /// Variables of the session, as they are to be set.
    pub(super) session: Vec<(String, String)>,
}

// Passwords stay out of whatever is printed.
impl fmt::Debug for MysqlDsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MysqlDsn {{ host: {:?}, port: {:?} }}", self.host, self.port)
    }
}

/// What go-sql-driver knows and we don't: refused, as it would have no effect.
const NOT_OFFERED: [&str; 8] = [
    "allowAllFiles",
    "allowOldPasswords",
    "compress",
    "connectionAttributes",
    "rejectReadOnly",
    "serverPubKey",
    "timeTruncate",
    "inUnixSocket",
];

const MAX_PACKET: usize = 64 << 20;

impl MysqlDsn {
    /// Reads a data source name; `custom` is what `tls=custom` stands for.
    ///
    /// # Errors
    /// What is wrong with it, without its password.
    pub fn parse(text: &str, custom: Option<&MysqlTls>) -> Result<Self, String> {
        let (authority, rest) =
            text.rsplit_once('/').ok_or("invalid DSN: missing the slash separating the database name")?;
        let (who, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let (network, address) = match place.split_once('(') {
            None => (place, ""),
            Some((network, address)) => match address.strip_suffix(')') {
                Some(address) => (network, address),
                None if address.contains(')') => {
                    return Err("invalid DSN: did you forget to escape a param value?".to_owned());
                }
                None => return Err("invalid DSN: network address not terminated (missing closing brace)".to_owned()),
            },
        };
        match network {
            "" | "tcp" => {}
            "unix" => return Err("mysql: a server that is reached over TCP is offered, unix(...) is not".to_owned()),
            other if address.is_empty() => return Err(format!("default addr for network '{other}' unknown")),
            other => return Err(format!("mysql: unknown network {}, tcp is offered", go_quote(other))),
        }
        let (database, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, port) = host_and_port(address);
        if port.parse::<u16>().is_err() {
            return Err(format!("invalid DSN: the port {} is no number up to 65535", go_quote(&port)));
        }
        let mut dsn = Self {
            host,
            port,
            timeout: None,
            user: user.to_owned(),
            password: password.to_owned(),
            database: decoded(database),
            read_timeout: None,
            write_timeout: None,
            tls: TlsMode::Off,
            allows_clear_text: false,
            allows_native: true,
            counts_found_rows: false,
            has_multi_statements: false,
            interpolates: false,
            parses_time: false,
            has_table_names: false,
            max_packet: MAX_PACKET,
            charset: "utf8mb4".to_owned(),
            collation: String::new(),
            session: Vec::new(),
        };
        let mut falls_back = false;
        for pair in query.split('&') {
            if let Some((name, value)) = pair.split_once('=') {
                dsn.set(name, value, custom, &mut falls_back)?;
            }
        }
        if falls_back && dsn.tls != TlsMode::Off {
            dsn.tls = TlsMode::Preferred;
        }
        Ok(dsn)
    }

    fn set(&mut self, name: &str, value: &str, custom: Option<&MysqlTls>, falls_back: &mut bool) -> Result<(), String> {
        let on = || match value {
            "1" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(format!("invalid bool value: {value}")),
        };
        let span = || Span::parse_go(value).map(|span| (span > Span::ZERO).then(|| span.to_duration()));
        match name {
            "timeout" => self.timeout = span()?,
            "readTimeout" => self.read_timeout = span()?,
            "writeTimeout" => self.write_timeout = span()?,
            "allowCleartextPasswords" => self.allows_clear_text = on()?,
            "allowNativePasswords" => self.allows_native = on()?,
            "allowFallbackToPlaintext" => *falls_back = on()?,
            // An idle connection is always looked at before it is used.
            "checkConnLiveness" => _ = on()?,
            "clientFoundRows" => self.counts_found_rows = on()?,
            "columnsWithAlias" => self.has_table_names = on()?,
            "interpolateParams" => self.interpolates = on()?,
            "multiStatements" => self.has_multi_statements = on()?,
            "parseTime" => self.parses_time = on()?,
            "maxAllowedPacket" => {
                let bytes: usize = value.parse().map_err(|_| format!("invalid value for maxAllowedPacket: {value}"))?;
                self.max_packet = if bytes == 0 { MAX_PACKET } else { bytes.min(1 << 30) };
            }
            "loc" => {
                if decoded(value) != "UTC" {
                    return Err(format!("mysql: loc {}: times are shown in UTC", go_quote(&decoded(value))));
                }
            }
            "charset" => self.charset = word(name, value.split(',').next().unwrap_or_default())?,
            "collation" => self.collation = word(name, value)?,
            "tls" => {
                self.tls = match value {
                    "1" | "true" | "TRUE" | "True" => TlsMode::Verify,
                    "0" | "false" | "FALSE" | "False" => TlsMode::Off,
                    "skip-verify" => TlsMode::SkipVerify,
                    "preferred" => TlsMode::Preferred,
                    "custom" => {
                        let custom =
                            custom.ok_or("invalid value / unknown config name: custom; loadTLS() comes first")?;
                        TlsMode::Custom(custom.clone())
                    }
                    other => return Err(format!("invalid value / unknown config name: {}", decoded(other))),
                };
            }
            _ if NOT_OFFERED.contains(&name) => {
                return Err(format!("mysql: {} is not offered in a data source name", go_quote(name)));
            }
            _ => self.session.push((word(name, name)?, decoded(&value.replace('+', " ")))),
        }
        Ok(())
    }
}

/// A name that becomes part of a statement.
fn word(name: &str, value: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'@');
    match !value.is_empty() && value.bytes().all(fits) {
        true => Ok(value.to_owned()),
        false => Err(format!("invalid DSN: {} is no value for {}", go_quote(value), go_quote(name))),
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// `host:port`, `[v6]:port`, or nothing.
fn host_and_port(address: &str) -> (String, String) {
    const PORT: &str = "3306";
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
        None => address.rsplit_once(':').unwrap_or((address, "")),
    };
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    (host.to_owned(), if port.is_empty() { PORT } else { port }.to_owned())
}
