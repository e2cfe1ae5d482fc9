//! How a call ended: codes, their names, and what HTTP statuses and broken streams mean as codes.

use bytes::Bytes;

/// The code of a status; the well-known ones have names, but any number may arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcCode(pub u32);

macro_rules! codes {
    ($($number:literal $constant:ident $name:literal;)*) => {
        #[allow(dead_code, reason = "the table of the protocol, whole")]
        impl GrpcCode {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Self = Self($number);)*
            /// Every well-known code, by number, in the words of grpc-go.
            pub const NAMES: &'static [&'static str] = &[$($name),*];
        }
    };
}

codes! {
    0 OK "OK";
    1 CANCELED "Canceled";
    2 UNKNOWN "Unknown";
    3 INVALID_ARGUMENT "InvalidArgument";
    4 DEADLINE_EXCEEDED "DeadlineExceeded";
    5 NOT_FOUND "NotFound";
    6 ALREADY_EXISTS "AlreadyExists";
    7 PERMISSION_DENIED "PermissionDenied";
    8 RESOURCE_EXHAUSTED "ResourceExhausted";
    9 FAILED_PRECONDITION "FailedPrecondition";
    10 ABORTED "Aborted";
    11 OUT_OF_RANGE "OutOfRange";
    12 UNIMPLEMENTED "Unimplemented";
    13 INTERNAL "Internal";
    14 UNAVAILABLE "Unavailable";
    15 DATA_LOSS "DataLoss";
    16 UNAUTHENTICATED "Unauthenticated";
}

impl std::fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Self::NAMES.get(self.0 as usize) {
            Some(name) => f.write_str(name),
            None => write!(f, "Code({})", self.0),
        }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcStatus {
    /// The code.
    pub code: GrpcCode,
    /// What the server, or we, have to say about it.
    pub message: String,
    /// `grpc-status-details-bin`: a `google.rpc.Status`, not looked into.
    pub details: Option<Bytes>,
}

impl GrpcStatus {
    /// A status without details.
    pub fn new(code: GrpcCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None }
    }

    /// The call took longer than it was allowed to.
    pub fn deadline() -> Self {
        Self::new(GrpcCode::DEADLINE_EXCEEDED, "context deadline exceeded")
    }

    /// We gave up.
    pub fn canceled() -> Self {
        Self::new(GrpcCode::CANCELED, "context canceled")
    }

    /// The connection was closed under the call by us.
    pub fn closing() -> Self {
        Self::new(GrpcCode::CANCELED, "grpc: the client connection is closing")
    }

    /// True for `OK`.
    pub fn is_ok(&self) -> bool {
        self.code == GrpcCode::OK
    }

    /// The status of a response that is not gRPC: its HTTP status and its content type.
    pub fn of_http(status: u16, content_type: Option<&str>) -> Option<Self> {
        let is_grpc = content_type.is_some_and(is_grpc);
        if status == 200 && is_grpc {
            return None;
        }
        let code = match status {
            400 => GrpcCode::INTERNAL,
            401 => GrpcCode::UNAUTHENTICATED,
            403 => GrpcCode::PERMISSION_DENIED,
            404 => GrpcCode::UNIMPLEMENTED,
            429 | 502 | 503 | 504 => GrpcCode::UNAVAILABLE,
            _ => GrpcCode::UNKNOWN,
        };
        let mut texts = Vec::new();
        if status != 200 {
            let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            let reason = reason.unwrap_or_default();
            texts.push(format!("unexpected HTTP status code received from server: {status} ({reason})"));
        }
        match content_type {
            None => texts.push("malformed header: missing HTTP content-type".to_owned()),
            Some(other) if !is_grpc => {
                let quoted = crate::units::quote::go_quote(other);
                texts.push(format!("transport: received unexpected content-type {quoted}"));
            }
            Some(_) => {}
        }
        Some(Self::new(code, texts.join("; ")))
    }

    /// What a stream that the server broke off means.
    pub fn of_reset(reason: h2::Reason) -> Self {
        use h2::Reason;
        let (code, name) = match reason {
            Reason::NO_ERROR => (GrpcCode::INTERNAL, "NO_ERROR"),
            Reason::PROTOCOL_ERROR => (GrpcCode::INTERNAL, "PROTOCOL_ERROR"),
            Reason::INTERNAL_ERROR => (GrpcCode::INTERNAL, "INTERNAL_ERROR"),
            Reason::FLOW_CONTROL_ERROR => (GrpcCode::RESOURCE_EXHAUSTED, "FLOW_CONTROL_ERROR"),
            Reason::SETTINGS_TIMEOUT => (GrpcCode::INTERNAL, "SETTINGS_TIMEOUT"),
            Reason::STREAM_CLOSED => (GrpcCode::INTERNAL, "STREAM_CLOSED"),
            Reason::FRAME_SIZE_ERROR => (GrpcCode::INTERNAL, "FRAME_SIZE_ERROR"),
            Reason::REFUSED_STREAM => (GrpcCode::UNAVAILABLE, "REFUSED_STREAM"),
            Reason::CANCEL => (GrpcCode::CANCELED, "CANCEL"),
            Reason::COMPRESSION_ERROR => (GrpcCode::INTERNAL, "COMPRESSION_ERROR"),
            Reason::CONNECT_ERROR => (GrpcCode::INTERNAL, "CONNECT_ERROR"),
            Reason::ENHANCE_YOUR_CALM => (GrpcCode::RESOURCE_EXHAUSTED, "ENHANCE_YOUR_CALM"),
            Reason::INADEQUATE_SECURITY => (GrpcCode::PERMISSION_DENIED, "INADEQUATE_SECURITY"),
            Reason::HTTP_1_1_REQUIRED => (GrpcCode::INTERNAL, "HTTP_1_1_REQUIRED"),
            _ => (GrpcCode::UNKNOWN, "UNKNOWN"),
        };
        Self::new(code, format!("stream terminated by RST_STREAM with error code: {name}"))
    }
}

impl std::fmt::Display for GrpcStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rpc error: code = {} desc = {}", self.code, self.message)
    }
}

/// `application/grpc`, with or without a subtype or parameters.
fn is_grpc(content_type: &str) -> bool {
    let rest = content_type.get(..16).filter(|start| start.eq_ignore_ascii_case("application/grpc"));
    rest.is_some() && matches!(content_type.as_bytes().get(16), None | Some(b'+' | b';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_are_no_grpc_have_a_code() {
        let check = |status: u16, content_type: Option<&str>, expect: Option<(GrpcCode, &str)>| {
            let expect = expect.map(|(code, text)| GrpcStatus::new(code, text));
            assert_eq!(GrpcStatus::of_http(status, content_type), expect);
        };
        check(200, Some("application/grpc"), None);
        check(200, Some("application/grpc+proto"), None);
        check(200, Some("application/grpc;charset=x"), None);
        let text = "transport: received unexpected content-type \"text/html\"";
        check(200, Some("text/html"), Some((GrpcCode::UNKNOWN, text)));
        check(
            200,
            Some("application/grpcs"),
            Some((GrpcCode::UNKNOWN, &text.replace("text/html", "application/grpcs"))),
        );
        let text = "unexpected HTTP status code received from server: 404 (Not Found); malformed header: missing HTTP \
                    content-type";
        check(404, None, Some((GrpcCode::UNIMPLEMENTED, text)));
        let text = "unexpected HTTP status code received from server: 503 (Service Unavailable)";
        check(503, Some("application/grpc"), Some((GrpcCode::UNAVAILABLE, text)));
    }

    #[test]
    fn a_status_reads_as_in_go() {
        let check = |code: u32, expect: &str| assert_eq!(GrpcStatus::new(GrpcCode(code), "x").to_string(), expect);
        check(5, "rpc error: code = NotFound desc = x");
        check(99, "rpc error: code = Code(99) desc = x");
    }
}
