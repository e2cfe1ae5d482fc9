//! Text as QuickJS takes and gives it.

use std::ffi::CString;

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
