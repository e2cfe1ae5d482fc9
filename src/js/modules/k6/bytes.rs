//! What k6 takes for bytes: text as UTF-8, an ArrayBuffer, a Uint8Array.

use bytes::Bytes;

use super::http::go;
use crate::js::value::Value;

/// The bytes of a value.
///
/// # Errors
/// k6's words for a value that has none.
pub fn bytes_of(value: Value) -> Result<Bytes, String> {
    match value {
        Value::String(text) => Ok(text.into()),
        Value::Bytes(bytes) => Ok(bytes),
        other => Err(format!("invalid type {}, expected string, []byte or ArrayBuffer", go::type_of(&other))),
    }
}
