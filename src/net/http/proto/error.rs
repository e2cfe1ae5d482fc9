//! What can go wrong with a request: k6's error codes, and the texts users know from Go.
//!
//! A [`NetError`] has a code, a short and a long text; the exchange makes an [`HttpError`] of it by adding method and URL.
//! Nothing here decides whether to throw or to log.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::units::errno::errno_text;
use crate::units::quote::go_quote;

/// Why a request got no usable response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// k6's error code. 0 is a refusal that k6 throws whatever `throw` says (`101 Switching Protocols`).
    pub code: u16,
    /// The friendly text, for `response.error` and the tag `error`.
    pub text: Cow<'static, str>,
    /// The long text, for the log and for exceptions: `Get "http://…": dial tcp …: connect: connection refused`.
    pub full: String,
    /// What had arrived of the body when reading it failed; `None` when no body was being read.
    pub body: Option<bytes::Bytes>,
}

/// What went wrong on the network, without the request it happened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetError {
    /// k6's error code.
    pub code: u16,
    /// The friendly text.
    pub text: Cow<'static, str>,
    /// The long text where it differs from the friendly one.
    pub long: Option<Box<str>>,
    /// Where it happened, which decides about retries and about the form of the long text.
    pub stage: ErrorStage,
}

/// How far a request had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStage {
    /// Before anything was written.
    Before,
    /// The connection ended before the first byte of a response.
    NoResponse,
    /// The server asked for the request to be sent again (HTTP/2 REFUSED_STREAM and GOAWAY before this stream).
    Refused,
    /// While the head of the response was being read.
    Head,
    /// Nothing went wrong: the exchange goes on on the network thread.
    Elsewhere,
    /// While its body was being read: the long text does not name method and URL.
    Body,
}

/// Everything that has no code of its own.
pub const OTHER: u16 = 1000;
/// An error outside of TCP, such as a TLS alert.
pub const NON_TCP: u16 = 1010;
/// The whole request took longer than its timeout.
pub const TIMEOUT: u16 = 1050;
/// A name could not be resolved.
pub const DNS: u16 = 1100;
/// A name does not exist.
pub const NO_SUCH_HOST: u16 = 1101;
/// The address is in `blacklistIPs`.
pub const BLACKLISTED_IP: u16 = 1110;
/// The name is in `blockHostnames`.
pub const BLOCKED_HOSTNAME: u16 = 1111;
/// A TCP error without a code of its own.
pub const TCP: u16 = 1200;
/// The peer closed while we were writing.
pub const BROKEN_PIPE: u16 = 1201;
/// A TCP error with an errno that has no code of its own.
pub const TCP_ERRNO: u16 = 1202;
/// No connection, for a reason without a code of its own.
pub const DIAL: u16 = 1210;
/// No connection in time.
pub const DIAL_TIMEOUT: u16 = 1211;
/// The connection was refused.
pub const DIAL_REFUSED: u16 = 1212;
/// No connection, with an errno that has no code of its own.
pub const DIAL_ERRNO: u16 = 1213;
/// The peer reset the connection.
pub const RESET: u16 = 1220;
/// A plain server answered where TLS was expected.
pub const TLS_RECORD: u16 = 1301;
/// The certificate's issuer is unknown.
pub const UNKNOWN_AUTHORITY: u16 = 1310;
/// The certificate is for another name.
pub const WRONG_HOSTNAME: u16 = 1311;
/// HTTP/2 GOAWAY; code n of the frame adds n + 1.
pub const H2_GO_AWAY: u16 = 1610;
/// HTTP/2 stream reset; code n of the frame adds n + 1.
pub const H2_STREAM: u16 = 1630;
/// HTTP/2 connection error; code n adds n + 1.
pub const H2_CONNECTION: u16 = 1650;
/// The body can't be decompressed.
pub const DECOMPRESSION: u16 = 1701;

/// An authority that would be known, if a certificate on the way to it were valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntrustedIssuerError {
    /// What is wrong with that certificate.
    pub reason: String,
    /// Whose it is.
    pub name: String,
}

impl std::error::Error for UntrustedIssuerError {}

impl std::fmt::Display for UntrustedIssuerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (reason, name) = (go_quote(&self.reason), go_quote(&self.name));
        write!(
            f,
            "certificate signed by unknown authority (possibly because of {reason} while trying to verify candidate \
             authority certificate {name})"
        )
    }
}

impl NetError {
    /// An error whose friendly text is also its long one.
    pub fn new(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), long: None, stage: ErrorStage::Before }
    }

    /// An error without a code of its own.
    pub fn other(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OTHER, text)
    }

    /// The timeout of the whole request.
    pub fn timeout() -> Self {
        Self::new(TIMEOUT, "request timeout")
    }

    /// No error: what is under way goes on on the network thread.
    pub fn elsewhere() -> Self {
        Self::new(0, "the request goes on on the network thread").at(ErrorStage::Elsewhere)
    }

    /// Sets the long text.
    pub fn long(mut self, text: impl Into<Box<str>>) -> Self {
        self.long = Some(text.into());
        self
    }

    /// Sets how far the request had come.
    pub fn at(mut self, stage: ErrorStage) -> Self {
        self.stage = stage;
        self
    }

    /// An error in the head of a response; Go names the broken connection before the cause.
    pub fn head(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let long = format!("net/http: HTTP/1.x transport connection broken: {text}");
        Self::other(text).long(long).at(ErrorStage::Head)
    }

    /// The connection ended in the middle of something.
    pub fn unexpected_eof(stage: ErrorStage) -> Self {
        match stage {
            ErrorStage::Head => Self::head("unexpected EOF"),
            _ => Self::other("unexpected EOF").at(stage),
        }
    }

    /// The long text.
    pub fn cause(&self) -> &str {
        self.long.as_deref().unwrap_or(&self.text)
    }

    /// An error of `connect`.
    pub fn dial(remote: SocketAddr, error: &io::Error) -> Self {
        let network = format!("dial tcp {remote}");
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::TimedOut, _) => {
                Self::new(DIAL_TIMEOUT, "dial: i/o timeout").long(format!("{network}: i/o timeout"))
            }
            (io::ErrorKind::ConnectionRefused, _) => Self::new(DIAL_REFUSED, "dial: connection refused")
                .long(format!("{network}: connect: connection refused")),
            (_, Some(number)) => {
                let message = errno_text(error);
                Self::new(DIAL_ERRNO, format!("dial: unknown errno {number} error with msg `{message}`"))
                    .long(format!("{network}: connect: {message}"))
            }
            _ => Self::new(DIAL, format!("{network}: {error}")),
        }
    }

    /// An error of an open connection; `operation` is `read` or `write`.
    pub fn socket(operation: &str, local: SocketAddr, remote: SocketAddr, error: &io::Error) -> Self {
        if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::tls(inner);
        }
        let long = |message: &str| format!("{operation} tcp {local}->{remote}: {operation}: {message}");
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::ConnectionReset, _) => Self::new(RESET, format!("{operation}: connection reset by peer"))
                .long(long("connection reset by peer")),
            (io::ErrorKind::BrokenPipe, _) => {
                Self::new(BROKEN_PIPE, format!("{operation}: broken pipe")).long(long("broken pipe"))
            }
            (io::ErrorKind::UnexpectedEof, _) => Self::other("unexpected EOF"),
            (_, Some(number)) => {
                let message = errno_text(error);
                Self::new(TCP_ERRNO, format!("{operation}: unknown errno `{number}` on linux with message `{message}`"))
                    .long(long(&message))
            }
            _ => Self::new(TCP, long(&error.to_string())),
        }
    }

    /// An error of TLS.
    pub fn tls(error: &rustls::Error) -> Self {
        use rustls::{CertificateError as Certificate, Error as Tls};
        let x509 = |code, text: Cow<'static, str>, detail: String| {
            Self::new(code, text).long(format!("tls: failed to verify certificate: x509: {detail}"))
        };
        match error {
            Tls::InvalidCertificate(Certificate::UnknownIssuer) => x509(
                UNKNOWN_AUTHORITY,
                "x509: unknown authority".into(),
                "certificate signed by unknown authority".to_owned(),
            ),
            Tls::InvalidCertificate(Certificate::NotValidForNameContext { expected, presented }) => {
                let names: Vec<&str> = presented.iter().map(|name| bare_name(name)).collect();
                let valid = if names.is_empty() { "any names".to_owned() } else { names.join(", ") };
                let detail = match names.len() {
                    0 => format!("certificate is not valid for any names, but wanted to match {}", expected.to_str()),
                    _ => format!("certificate is valid for {valid}, not {}", expected.to_str()),
                };
                x509(WRONG_HOSTNAME, "x509: certificate doesn't match hostname".into(), detail)
            }
            Tls::InvalidCertificate(Certificate::NotValidForName) => x509(
                WRONG_HOSTNAME,
                "x509: certificate doesn't match hostname".into(),
                "certificate is not valid for this name".to_owned(),
            ),
            Tls::InvalidCertificate(Certificate::Other(other)) if other.0.is::<UntrustedIssuerError>() => {
                x509(UNKNOWN_AUTHORITY, "x509: unknown authority".into(), other.0.to_string())
            }
            Tls::InvalidCertificate(other) => {
                let detail = match validity(other) {
                    Some(times) => format!("certificate has expired or is not yet valid: {times}"),
                    None => other.to_string(),
                };
                // Without a code of its own, an error has no friendly text of its own either.
                Self::other(format!("tls: failed to verify certificate: x509: {detail}"))
            }
            Tls::InvalidMessage(_) => Self::new(TLS_RECORD, "tls: first record does not look like a TLS handshake")
                .long("http: server gave HTTP response to HTTPS client"),
            Tls::AlertReceived(alert) => Self::new(NON_TCP, format!("remote error: tls: {}", alert_text(*alert))),
            other => Self::other(format!("tls: {other}")),
        }
    }

    /// An error of an HTTP/2 stream or its connection.
    pub fn h2(error: &h2::Error, local: SocketAddr, remote: SocketAddr) -> Self {
        if let Some(inner) = error.get_io() {
            return match inner.kind() {
                io::ErrorKind::BrokenPipe if inner.raw_os_error().is_none() => {
                    Self::unexpected_eof(ErrorStage::NoResponse)
                }
                _ => Self::socket("read", local, remote, inner).at(ErrorStage::NoResponse),
            };
        }
        let Some(reason) = error.reason() else { return Self::other(format!("http2: {error}")) };
        let number = u32::from(reason);
        let (base, what) = if error.is_go_away() {
            (
                if error.is_remote() { H2_GO_AWAY } else { H2_CONNECTION },
                if error.is_remote() { "received GoAway" } else { "connection error" },
            )
        } else {
            (H2_STREAM, "stream error")
        };
        let (code, name) = match H2_NAMES.get(number as usize) {
            Some(name) => (base + 1 + number as u16, (*name).to_owned()),
            None => (base, format!("unknown error code {number:#x}")),
        };
        let stage = match (base, reason) {
            (H2_STREAM, h2::Reason::REFUSED_STREAM | h2::Reason::PROTOCOL_ERROR) if error.is_remote() => {
                ErrorStage::Refused
            }
            (H2_GO_AWAY, h2::Reason::NO_ERROR) => ErrorStage::NoResponse,
            _ => ErrorStage::Head,
        };
        Self::new(code, format!("http2: {what} with http2 ErrCode {name}")).at(stage)
    }

    /// Adds the request. `method` is the first request's, `url` that of the failed hop.
    pub fn of(self, method: &str, url: &super::url::Url) -> HttpError {
        let full = match self.stage {
            ErrorStage::Body => self.cause().to_owned(),
            _ => format!("{} \"{}\": {}", operation(method), url.without_password(), self.cause()),
        };
        HttpError { code: self.code, text: self.text, full, body: None }
    }
}

/// A method as Go's URL errors show it: only the first letter stays upper-case.
fn operation(method: &str) -> String {
    let mut shown = method.to_owned();
    if method.is_ascii() && !method.is_empty() {
        shown[1..].make_ascii_lowercase();
    }
    shown
}

/// What is wrong with the time of a certificate, where that is what is wrong with it.
fn validity(error: &rustls::CertificateError) -> Option<String> {
    use rustls::CertificateError as Certificate;
    use rustls::pki_types::UnixTime;
    let shown = |time: &UnixTime, zone: TimeZone| {
        let time = Timestamp::from_second(time.as_secs() as i64).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
        let text = time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        text.strip_suffix("+00:00").map_or(text.clone(), |plain| format!("{plain}Z"))
    };
    let now = |time| shown(time, TimeZone::system());
    let end = |time| shown(time, TimeZone::UTC);
    match error {
        Certificate::ExpiredContext { time, not_after } => {
            Some(format!("current time {} is after {}", now(time), end(not_after)))
        }
        Certificate::NotValidYetContext { time, not_before } => {
            Some(format!("current time {} is before {}", now(time), end(not_before)))
        }
        Certificate::Expired | Certificate::NotValidYet => Some("its time is over or has not begun".to_owned()),
        _ => None,
    }
}

/// `DnsName("localhost")` as rustls presents it, without its wrapping.
fn bare_name(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest.strip_suffix(')').unwrap_or(rest));
    inner.trim_matches('"')
}

/// What Go says about an alert of the peer.
fn alert_text(alert: rustls::AlertDescription) -> String {
    use rustls::AlertDescription as Alert;
    let text = match alert {
        Alert::CloseNotify => "close notify",
        Alert::UnexpectedMessage => "unexpected message",
        Alert::BadRecordMac => "bad record MAC",
        Alert::RecordOverflow => "record overflow",
        Alert::HandshakeFailure => "handshake failure",
        Alert::BadCertificate => "bad certificate",
        Alert::UnsupportedCertificate => "unsupported certificate",
        Alert::CertificateRevoked => "revoked certificate",
        Alert::CertificateExpired => "expired certificate",
        Alert::CertificateUnknown => "unknown certificate",
        Alert::IllegalParameter => "illegal parameter",
        Alert::UnknownCA => "unknown certificate authority",
        Alert::AccessDenied => "access denied",
        Alert::DecodeError => "error decoding message",
        Alert::DecryptError => "error decrypting message",
        Alert::ProtocolVersion => "protocol version not supported",
        Alert::InsufficientSecurity => "insufficient security level",
        Alert::InternalError => "internal error",
        Alert::InappropriateFallback => "inappropriate fallback",
        Alert::UserCanceled => "user canceled",
        Alert::NoRenegotiation => "no renegotiation",
        Alert::MissingExtension => "missing extension",
        Alert::UnsupportedExtension => "unsupported extension",
        Alert::UnrecognisedName => "unrecognized name",
        Alert::UnknownPSKIdentity => "unknown PSK identity",
        Alert::CertificateRequired => "certificate required",
        Alert::NoApplicationProtocol => "no application protocol",
        other => return format!("alert({})", u8::from(other)),
    };
    text.to_owned()
}

/// The names of HTTP/2's error codes, by number.
const H2_NAMES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::Url;

    #[test]
    fn operations_keep_only_the_first_capital() {
        for (method, expect) in [("GET", "Get"), ("get", "get"), ("DELETE", "Delete"), ("", "")] {
            assert_eq!(operation(method), expect);
        }
    }

    #[test]
    fn dial_errors_read_as_in_go() {
        let remote = "127.0.0.1:1".parse().unwrap();
        let check = |number: i32, code: u16, text: &str, full: &str| {
            let error = NetError::dial(remote, &io::Error::from_raw_os_error(number))
                .of("GET", &Url::parse("http://ann:pw@127.0.0.1:1/x").unwrap());
            assert_eq!((error.code, &*error.text, &*error.full), (code, text, full));
        };
        check(
            libc::ECONNREFUSED,
            1212,
            "dial: connection refused",
            "Get \"http://ann:***@127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection refused",
        );
        check(
            libc::ENETUNREACH,
            1213,
            "dial: unknown errno 101 error with msg `network is unreachable`",
            "Get \"http://ann:***@127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: network is unreachable",
        );
    }

    #[test]
    fn resets_read_as_in_go() {
        let (local, remote) = ("127.0.0.1:9".parse().unwrap(), "127.0.0.1:80".parse().unwrap());
        let error = NetError::socket("read", local, remote, &io::Error::from_raw_os_error(libc::ECONNRESET));
        assert_eq!((error.code, &*error.text), (1220, "read: connection reset by peer"));
        assert_eq!(error.cause(), "read tcp 127.0.0.1:9->127.0.0.1:80: read: connection reset by peer");
    }

    #[test]
    fn certificates_out_of_their_time_say_so() {
        use rustls::pki_types::UnixTime;
        let time = |secs| UnixTime::since_unix_epoch(std::time::Duration::from_secs(secs));
        let check = |error: rustls::CertificateError, end: &str| {
            let error = NetError::tls(&rustls::Error::InvalidCertificate(error));
            let start =
                "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time ";
            assert!(
                error.code == OTHER && error.text.starts_with(start) && error.text.ends_with(end),
                "{}",
                error.text
            );
        };
        let (time, other) = (time(1_700_000_000), time(1_600_000_000));
        check(rustls::CertificateError::ExpiredContext { time, not_after: other }, " is after 2020-09-13T12:26:40Z");
        check(
            rustls::CertificateError::NotValidYetContext { time, not_before: other },
            " is before 2020-09-13T12:26:40Z",
        );
    }

    #[test]
    fn h2_codes_follow_the_frame() {
        let at = "127.0.0.1:9".parse().unwrap();
        let error = h2::Error::from(h2::Reason::INTERNAL_ERROR);
        let error = NetError::h2(&error, at, at);
        assert!(error.text.ends_with("with http2 ErrCode INTERNAL_ERROR"), "{}", error.text);
    }
}
