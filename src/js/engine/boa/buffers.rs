//! ArrayBuffers on Boa.

use std::cell::RefCell;
use std::sync::Arc;

use boa_engine::object::JsObject;
use boa_engine::object::builtins::{AlignedVec, JsArrayBuffer, JsTypedArray};
use boa_engine::{Context, JsResult, JsValue};
use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::memory;
use crate::source::SharedBytes as File;

/// The bytes of an ArrayBuffer, or those a typed array shows. A DataView is an object like any other, as in k6.
pub fn buffer_bytes(object: &JsObject, context: &mut Context) -> JsResult<Option<Bytes>> {
    if let Ok(buffer) = JsArrayBuffer::from_object(object.clone()) {
        return Ok(Some(buffer.data().map(|data| bytes_of(&data, 0..data.len())).unwrap_or_default()));
    }
    let (buffer, offset, len) = if let Ok(array) = JsTypedArray::from_object(object.clone()) {
        (array.buffer(context)?, array.byte_offset(context)?, array.byte_length(context)?)
    } else {
        return Ok(None);
    };
    let Some(buffer) = buffer.as_object().and_then(|buffer| JsArrayBuffer::from_object(buffer.clone()).ok()) else {
        return Ok(Some(Bytes::new()));
    };
    Ok(Some(buffer.data().map(|data| bytes_of(&data, offset..offset + len)).unwrap_or_default()))
}

/// An ArrayBuffer with a copy of the bytes.
///
/// # Errors
/// When the engine can't make one.
pub fn array_buffer(bytes: &[u8], context: &mut Context) -> JsResult<JsValue> {
    memory::weigh(bytes.len());
    Ok(JsArrayBuffer::from_byte_block(AlignedVec::from_slice(0, bytes), context)?.into())
}

/// An ArrayBuffer with a file. Boa's buffers own their memory, so every VU has a copy; but on the way back there need not be
/// another.
///
/// # Errors
/// When the engine can't make one.
pub fn file_buffer(file: Arc<File>, context: &mut Context) -> JsResult<JsValue> {
    memory::weigh(file.bytes().len());
    let block = AlignedVec::from_slice(0, file.bytes());
    if block.len() > SMALL {
        FILES.with_borrow_mut(|files| files.insert(block.as_ptr().addr(), file));
    }
    Ok(JsArrayBuffer::from_byte_block(block, context)?.into())
}

/// Up to this size a file is simply copied.
const SMALL: usize = 64 * 1024;

thread_local! {
    /// Files that were made buffers of, by the address of the buffer. An entry may outlive its buffer, so it is only a hint.
    static FILES: RefCell<FxHashMap<usize, Arc<File>>> = RefCell::default();
}

/// A part of a buffer for Rust: of the file it was made of, as long as it still is the same, else a copy.
fn bytes_of(data: &[u8], part: std::ops::Range<usize>) -> Bytes {
    let file = FILES.with_borrow(|files| files.get(&(data.as_ptr().addr())).cloned());
    match file {
        Some(file) if **file.bytes() == *data && part.end <= data.len() => file.bytes().slice(part),
        _ => data.get(part).map(Bytes::copy_from_slice).unwrap_or_default(),
    }
}
