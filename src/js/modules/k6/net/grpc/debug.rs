//! The option `httpDebug`: the metadata of calls and, with `full`, their messages, as log entries.

use std::fmt::Write;

use crate::js::runtime::VuContext;
use crate::js::value::{Value, text_of};
use crate::log::Level;
use crate::net::grpc::{Call, GrpcMetadata};
use crate::net::http::DumpLevel;

/// Logs a call and its answer; without messages where there are none to show.
pub(super) fn log(
    vu: &VuContext,
    call: &Call,
    request: &str,
    headers: &GrpcMetadata,
    trailers: &GrpcMetadata,
    answer: &Value,
) {
    let dumping = vu.script.http.dumping;
    if dumping == DumpLevel::Off {
        return;
    }
    let is_full = dumping == DumpLevel::Full;
    let mut out = format!("Out Header:\nFull Method: {}\n{}", call.path, lines(&call.metadata));
    if is_full && !request.is_empty() {
        // Writing to a string can't fail.
        _ = write!(out, "\nOut Payload:\n{request}\n");
    }
    entry(vu, out);
    let mut back = format!("In Header:\n{}\nIn Trailer:\n{}", lines(headers), lines(trailers));
    if is_full && !matches!(answer, Value::Undefined) {
        _ = write!(back, "\nIn Payload:\n{answer:?}\n");
    }
    entry(vu, back);
}

fn lines(metadata: &GrpcMetadata) -> String {
    metadata.iter().fold(String::new(), |mut text, (name, value)| {
        _ = writeln!(text, "{name}: {}", text_of(value));
        text
    })
}

fn entry(vu: &VuContext, text: String) {
    vu.script.log.log(Level::Info, text, vec![("source", "http-debug".into())]);
}
