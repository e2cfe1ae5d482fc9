//! Data source names: addresses and `name=value` pairs.

use std::fmt;
use std::time::Duration;

use crate::net::tls::ConnectionTls;
use crate::units::quote::go_quote;

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SslMode {
    /// Not at all.
    Disable,
    /// Only where the server refuses a plain connection.
    Allow,
    /// Where the server can.
    Prefer,
    /// Always; any certificate will do.
    #[default]
    Require,
    /// Always, and the certificate has to be valid for the host.
    Verify,
}

/// Where a database is, and who we are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PostgresDsn {
    pub(in crate::net::sql) host: String,
    pub(in crate::net::sql) port: String,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) ssl_mode: SslMode,
    pub(super) tls: ConnectionTls,
    pub(in crate::net::sql) connect_timeout: Option<Duration>,
    /// Parameters of the session, such as `search_path`.
    pub(super) session: Vec<(String, String)>,
}

// Passwords stay out of whatever is printed.
impl fmt::Debug for PostgresDsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresDsn {{ host: {:?}, port: {:?} }}", self.host, self.port)
    }
}

/// What lib/pq knows and we don't: refused, as it would have no effect.
const NOT_OFFERED: [&str; 17] = [
    "binary_parameters",
    "disable_prepared_binary_result",
    "hostaddr",
    "krbspn",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "passfile",
    "service",
    "servicefile",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslnegotiation",
    "sslpassword",
    "sslsni",
    "target_session_attrs",
];

impl PostgresDsn {
    /// Reads `postgres://user:password@host:port/database?name=value` or `name=value name='other value'`.
    ///
    /// # Errors
    /// What is wrong with it, without its password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let address = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let pairs = match address {
            Some(address) => from_address(address)?,
            None => from_pairs(text)?,
        };
        Self::from_fields(pairs)
    }

    fn from_fields(pairs: Vec<(String, String)>) -> Result<Self, String> {
        let mut dsn = Self { host: "localhost".to_owned(), port: "5432".to_owned(), ..Self::default() };
        let (mut is_inline, mut fallback_name) = (false, None);
        let mut pem = [String::new(), String::new(), String::new()];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "host" => dsn.host = value,
                "port" => dsn.port = value,
                "user" => dsn.user = value,
                "password" => dsn.password = value,
                "dbname" => dsn.session.push(("database".to_owned(), value)),
                "fallback_application_name" => fallback_name = Some(value),
                "connect_timeout" => {
                    let seconds = value.parse::<i64>().map_err(|_| bad(&name, &value))?;
                    dsn.connect_timeout = (seconds > 0).then(|| Duration::from_secs(seconds.unsigned_abs()));
                }
                "sslmode" => dsn.ssl_mode = ssl_mode(&value)?,
                "sslinline" => is_inline = value == "true",
                "sslrootcert" => pem[0] = value,
                "sslcert" => pem[1] = value,
                "sslkey" => pem[2] = value,
                "client_encoding" => match value.to_ascii_lowercase().as_str() {
                    "utf8" | "utf-8" | "unicode" => {}
                    _ => return Err("pq: client_encoding must be absent or 'UTF8'".to_owned()),
                },
                "datestyle" if value == "ISO, MDY" => {}
                "datestyle" => return Err("pq: datestyle must be absent or \"ISO, MDY\"".to_owned()),
                _ if NOT_OFFERED.contains(&name.as_str()) => {
                    return Err(format!("pq: {} is not offered in a data source name", go_quote(&name)));
                }
                _ => dsn.session.push((name, value)),
            }
        }
        if dsn.user.is_empty() {
            return Err("pq: the data source name has no user: postgres://user:password@host:port/database".to_owned());
        }
        if dsn.host.starts_with('/') || dsn.host.contains(',') {
            return Err(format!("pq: host {}: one host that is reached over TCP is offered", go_quote(&dsn.host)));
        }
        if dsn.port.parse::<u16>().is_err() {
            return Err(bad("port", &dsn.port));
        }
        if pem.iter().any(|text| !text.is_empty()) && !is_inline {
            return Err(
                "pq: sslrootcert, sslcert and sslkey are offered with sslinline=true: give what open() reads of \
                        the file in the file's place"
                    .to_owned(),
            );
        }
        // As libpq does it: who names an authority means it.
        if dsn.ssl_mode == SslMode::Require && !pem[0].is_empty() {
            dsn.ssl_mode = SslMode::Verify;
        }
        let [root, certificate, key] = pem;
        dsn.tls = ConnectionTls {
            certificate,
            key,
            password: None,
            authorities: Some(root).filter(|root| !root.is_empty()).into_iter().collect(),
        };
        let has_name = dsn.session.iter().any(|(name, _)| name == "application_name");
        if let Some(fallback) = fallback_name.filter(|_| !has_name) {
            dsn.session.push(("application_name".to_owned(), fallback));
        }
        Ok(dsn)
    }
}

fn bad(name: &str, value: &str) -> String {
    format!("pq: wrong value for {}: {}", go_quote(name), go_quote(value))
}

fn ssl_mode(value: &str) -> Result<SslMode, String> {
    Ok(match value {
        "disable" => SslMode::Disable,
        "allow" => SslMode::Allow,
        "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" | "verify-full" => SslMode::Verify,
        _ => {
            let modes = "\"disable\", \"allow\", \"prefer\", \"require\", \"verify-ca\" and \"verify-full\" are";
            return Err(format!("pq: unsupported sslmode {}; {modes}", go_quote(value)));
        }
    })
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// `user:password@host:port/database?name=value`
fn from_address(text: &str) -> Result<Vec<(String, String)>, String> {
    let (rest, query) = text.split_once('?').unwrap_or((text, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (who, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let mut pairs: Vec<(String, String)> =
        [("user", user), ("password", password), ("host", host), ("port", port), ("dbname", database)]
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .into();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((decoded(name), decoded(&value.replace('+', " "))));
    }
    Ok(pairs)
}

/// `name=value name = 'it\'s'`
fn from_pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let name_end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = rest[..name_end].to_owned();
        let after = rest[name_end..].trim_start().strip_prefix('=');
        // What stands there may be a password.
        let Some(after) = after.filter(|_| !name.is_empty()) else {
            return Err("pq: the data source name is no address and no list of name=value".to_owned());
        };
        let after = after.trim_start();
        let is_quoted = after.starts_with('\'');
        let (mut value, mut end, mut is_closed) = (String::new(), after.len(), !is_quoted);
        let mut chars = after.char_indices().skip(usize::from(is_quoted));
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => value.extend(chars.next().map(|(_, c)| c)),
                '\'' if is_quoted => {
                    (end, is_closed) = (at + 1, true);
                    break;
                }
                c if c.is_whitespace() && !is_quoted => {
                    end = at;
                    break;
                }
                c => value.push(c),
            }
        }
        if !is_closed {
            return Err(format!("pq: the quote around the value of {} is not closed", go_quote(&name)));
        }
        pairs.push((name, value));
        rest = after[end..].trim_start();
    }
    Ok(pairs)
}
