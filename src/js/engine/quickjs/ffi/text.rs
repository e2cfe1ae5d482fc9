//! Text as QuickJS takes and gives it. Nearly all is ASCII, which QuickJS keeps a byte a character, as Rust does.

use std::ffi::CString;

use rquickjs::qjs::{self, JSContext, JSValue};

use super::{AsRaw, Context, Owned, Thrown};
use crate::units::ascii::is_ascii;

unsafe extern "C" {
    /// Of our build of QuickJS (`vendor/rquickjs-sys`): the characters of a string of characters of 8 bits, as long as it is alive;
    /// null for any other value.
    fn JS_GetText8(value: JSValue, len: *mut usize) -> *const u8;
    /// Of our build: a string of these characters.
    fn JS_NewText8(ctx: *mut JSContext, characters: *const u8, len: usize) -> JSValue;
}

/// Bytes with the zero behind them that QuickJS' parsers want to see.
pub fn terminated(mut text: Vec<u8>) -> Vec<u8> {
    text.push(0);
    text
}

/// A C string; what has a zero in it ends there.
pub fn c_string(text: &str) -> CString {
    let text = text.split('\0').next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

/// One U+FFFD per lone surrogate, as an encoder would write.
pub fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(good) => {
                text.push_str(good);
                return text;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(good));
                text.push('\u{FFFD}');
                rest = bad.get(3..).unwrap_or_default();
            }
        }
    }
}

/// The value, if it is a string of ASCII characters.
pub fn ascii(value: &impl AsRaw) -> Option<&str> {
    let mut len = 0;
    // SAFETY: the value is alive; the length is written before the call returns anything.
    let characters = unsafe { JS_GetText8(value.raw(), &mut len) };
    if characters.is_null() {
        return None;
    }
    // SAFETY: so many bytes are there as long as the value is, and nobody changes them.
    let text = unsafe { std::slice::from_raw_parts(characters, len) };
    // SAFETY: what is ASCII is UTF-8.
    is_ascii(text).then(|| unsafe { std::str::from_utf8_unchecked(text) })
}

impl Context {
    /// A string of bytes that are UTF-8; what is not becomes U+FFFD.
    pub fn string_of_bytes(self, text: &[u8]) -> Result<Owned, Thrown> {
        let (bytes, len) = (text.as_ptr(), text.len());
        self.owned(match is_ascii(text) {
            // SAFETY: QuickJS copies that many bytes before it returns.
            true => unsafe { JS_NewText8(self.ptr(), bytes, len) },
            // SAFETY: as above.
            false => unsafe { qjs::JS_NewStringLen(self.ptr(), bytes.cast(), len as _) },
        })
    }

    /// What `String(value)` gives, lone surrogates as U+FFFD.
    pub fn text(self, value: impl AsRaw) -> Result<String, Thrown> {
        if let Some(text) = ascii(&value) {
            return Ok(text.to_owned());
        }
        self.with_text(value, |bytes| match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => lossy(bytes),
        })
    }
}
