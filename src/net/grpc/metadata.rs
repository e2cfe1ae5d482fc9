//! What travels beside messages: names and values, binary ones in base64, and the texts of the protocol itself.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::status::{GrpcCode, GrpcStatus};

/// Names in lower case with their values, as bytes: those of names in `-bin` are not text.
pub type GrpcMetadata = Vec<(String, Bytes)>;

/// What the protocol says for itself and calls can't.
const RESERVED: [&str; 8] = [
    "content-type",
    "user-agent",
    "grpc-message-type",
    "grpc-encoding",
    "grpc-message",
    "grpc-status",
    "grpc-timeout",
    "te",
];

/// Puts a call's metadata into the head of its request.
///
/// # Errors
/// grpc-go's words for a name or a value that can't be sent.
pub fn write(metadata: &GrpcMetadata, headers: &mut HeaderMap) -> Result<(), GrpcStatus> {
    let refuse = |text: String| GrpcStatus::new(GrpcCode::INTERNAL, text);
    for (name, value) in metadata {
        let name = name.to_lowercase();
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        let invalid = || {
            refuse(format!(
                "header key {} contains illegal characters not in [0-9a-z-_.]",
                crate::units::quote::go_quote(&name)
            ))
        };
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(invalid());
        }
        if RESERVED.contains(&name.as_str()) {
            continue;
        }
        let value = match name.ends_with("-bin") {
            true => HeaderValue::from_str(&STANDARD_NO_PAD.encode(value)).ok(),
            false if value.iter().all(|byte| matches!(byte, 0x20..=0x7e)) => HeaderValue::from_bytes(value).ok(),
            false => None,
        };
        let Some(value) = value else {
            let quoted = crate::units::quote::go_quote(&name);
            return Err(refuse(format!("header key {quoted} contains value with non-printable ASCII characters")));
        };
        headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?, value);
    }
    Ok(())
}

/// What a call sees of a head or of trailers: everything but the protocol's own, the content type excepted.
pub fn read(headers: &HeaderMap) -> GrpcMetadata {
    let is_shown = |name: &str| name == "content-type" || name == "user-agent" || !RESERVED.contains(&name);
    let shown = headers.iter().filter(|(name, _)| is_shown(name.as_str()));
    shown
        .map(|(name, value)| {
            let bytes = match name.as_str().ends_with("-bin") {
                true => unpack(value.as_bytes()),
                false => Bytes::copy_from_slice(value.as_bytes()),
            };
            (name.as_str().to_owned(), bytes)
        })
        .collect()
}

/// Base64 with or without padding; what is no base64 stays as it is.
fn unpack(value: &[u8]) -> Bytes {
    let decoded = if value.len().is_multiple_of(4) { STANDARD.decode(value) } else { STANDARD_NO_PAD.decode(value) };
    decoded.map_or_else(|_| Bytes::copy_from_slice(value), Bytes::from)
}

/// The status that trailers tell.
pub fn status(trailers: &HeaderMap) -> GrpcStatus {
    static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
    static GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
    static DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
    let text = |name: &HeaderName| trailers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let code = match text(&GRPC_STATUS) {
        None => GrpcCode::UNKNOWN,
        Some(code) => match code.parse() {
            Ok(code) => GrpcCode(code),
            Err(_) => {
                let quoted = crate::units::quote::go_quote(&code);
                let text =
                    format!("transport: malformed grpc-status: strconv.ParseInt: parsing {quoted}: invalid syntax");
                return GrpcStatus::new(GrpcCode::UNKNOWN, text);
            }
        },
    };
    let details = trailers.get(&DETAILS).map(|value| unpack(value.as_bytes()));
    let message = text(&GRPC_MESSAGE).unwrap_or_default();
    let message = percent_decode_str(&message).decode_utf8_lossy().into_owned();
    GrpcStatus { code, message, details }
}

/// The value of `grpc-timeout`: at most eight digits and a unit, rounded up.
pub fn timeout(left: Duration) -> String {
    const MAX_VALUE: u128 = 99_999_999;
    let nanos = left.as_nanos();
    let units: [(u128, char); 6] = [
        (1, 'n'),
        (1_000, 'u'),
        (1_000_000, 'm'),
        (1_000_000_000, 'S'),
        (60_000_000_000, 'M'),
        (3_600_000_000_000, 'H'),
    ];
    let fits = units.iter().map(|(size, unit)| (nanos.div_ceil(*size), unit)).find(|(count, _)| *count <= MAX_VALUE);
    fits.map_or_else(|| format!("{MAX_VALUE}H"), |(count, unit)| format!("{count}{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_have_eight_digits_at_most() {
        let check = |nanos: u64, expect: &str| assert_eq!(timeout(Duration::from_nanos(nanos)), expect);
        check(0, "0n");
        check(99_999_999, "99999999n");
        check(100_000_001, "100001u");
        check(119_999_853_000, "120000m");
        check(120_000_000_000, "120000m");
        check(86_400_000_000_000, "86400000m");
        check(864_000_000_000_000, "864000S");
    }

    #[test]
    fn messages_lose_their_escapes() {
        for (text, expect) in
            [("a%20b", "a b"), ("50%", "50%"), ("%zz", "%zz"), ("%C3%A9", "é"), ("%4", "%4"), ("%+1", "%+1")]
        {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from(2));
            trailers.insert("grpc-message", HeaderValue::from_str(text).unwrap());
            assert_eq!(status(&trailers).message, expect);
        }
    }

    #[test]
    fn metadata_goes_out_and_comes_back() {
        let metadata: GrpcMetadata = vec![
            ("X-One".to_owned(), "1".into()),
            ("x-one".to_owned(), "2".into()),
            ("raw-bin".to_owned(), Bytes::from_static(&[0, 255, 7])),
            ("grpc-timeout".to_owned(), "9S".into()),
            ("User-Agent".to_owned(), "me".into()),
        ];
        let mut headers = HeaderMap::new();
        write(&metadata, &mut headers).unwrap();
        assert_eq!(headers.get("raw-bin").unwrap(), "AP8H");
        headers.append("content-type", HeaderValue::from_static("application/grpc"));
        headers.append("grpc-status", HeaderValue::from_static("0"));
        let came: Vec<_> = read(&headers);
        let expect: GrpcMetadata = vec![
            ("x-one".to_owned(), "1".into()),
            ("x-one".to_owned(), "2".into()),
            ("raw-bin".to_owned(), Bytes::from_static(&[0, 255, 7])),
            ("content-type".to_owned(), "application/grpc".into()),
        ];
        assert_eq!(came, expect);
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        let check = |name: &str, value: &'static str, expect: &str| {
            let refused = write(&vec![(name.to_owned(), value.into())], &mut HeaderMap::new()).unwrap_err();
            assert_eq!((refused.code, &*refused.message), (GrpcCode::INTERNAL, expect));
        };
        check("a b", "x", "header key \"a b\" contains illegal characters not in [0-9a-z-_.]");
        check("a", "x\ny", "header key \"a\" contains value with non-printable ASCII characters");
    }
}
