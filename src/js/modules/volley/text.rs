//! `TextEncoder` and `TextDecoder`: UTF-8 and UTF-16, whole or piece by piece.

use std::cell::RefCell;
use std::rc::Rc;

use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

/// An encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// By one of the labels the Encoding Standard gives it.
    fn named(label: &str) -> Option<Self> {
        // Only ASCII whitespace is trimmed, and no vertical tab.
        let label = label.trim_matches(['\t', '\n', '\x0c', '\r', ' ']);
        Some(match label.to_ascii_lowercase().as_str() {
            "" | "utf-8" | "utf8" | "unicode-1-1-utf-8" | "unicode11utf8" | "unicode20utf8" | "x-unicode20utf8" => {
                Self::Utf8
            }
            "utf-16" | "utf-16le" | "ucs-2" | "csunicode" | "iso-10646-ucs-2" | "unicode" | "unicodefeff" => {
                Self::Utf16Le
            }
            "utf-16be" | "unicodefffe" => Self::Utf16Be,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

/// A decoder and its state between two pieces.
struct TextDecoder {
    encoding: Encoding,
    is_fatal: bool,
    keeps_mark: bool,
    stream: RefCell<DecoderStream>,
}

#[derive(Default)]
struct DecoderStream {
    /// The bytes of a character that is not complete yet.
    rest: Vec<u8>,
    /// Past the place where a byte order mark may stand.
    has_begun: bool,
}

/// `(text)` -> its bytes in UTF-8
pub(super) fn encode_text(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    Ok(Value::Bytes(args.string(0).into()))
}

/// `(label, fatal, ignoreBOM)` -> a decoder and the name of its encoding
pub(super) fn make_decoder(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let label = args.string(0);
    let encoding = Encoding::named(&label)
        .ok_or_else(|| Throw::Error { class: "RangeError", message: format!("unsupported encoding: {label}") })?;
    let (is_fatal, keeps_mark) = (args.bool(1), args.bool(2));
    let decoder = TextDecoder { encoding, is_fatal, keeps_mark, stream: RefCell::default() };
    Ok(Value::List(vec![Value::Resource(Rc::new(decoder)), encoding.name().into()]))
}

/// `(decoder, bytes, whether more comes)` -> text
pub(super) fn decode_text(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let decoder = args.resource::<TextDecoder>(0)?;
    let bytes = match args.take(1) {
        Value::Undefined => bytes::Bytes::new(),
        Value::Bytes(bytes) => bytes,
        _ => return Err(Throw::type_error("decoding text: the input must be an ArrayBuffer or a view of one")),
    };
    match decoder.decode(&bytes, args.bool(2)) {
        Some(text) => Ok(text.into()),
        None => Err(Throw::type_error("decoding text: invalid byte sequence")),
    }
}

impl TextDecoder {
    /// The text of the next piece; `None` for invalid bytes where these are fatal.
    fn decode(&self, piece: &[u8], more_comes: bool) -> Option<String> {
        let DecoderStream { rest, has_begun } = std::mem::take(&mut *self.stream.borrow_mut());
        let input = if rest.is_empty() { piece.to_vec() } else { [&rest[..], piece].concat() };
        let mut text = String::with_capacity(input.len());
        let (rest, is_faulty) = match self.encoding {
            Encoding::Utf8 => utf8(&input, more_comes, &mut text),
            Encoding::Utf16Le => utf16(&input, more_comes, u16::from_le_bytes, &mut text),
            Encoding::Utf16Be => utf16(&input, more_comes, u16::from_be_bytes, &mut text),
        };
        if is_faulty && self.is_fatal {
            return None;
        }
        if !has_begun && !self.keeps_mark && text.starts_with('\u{feff}') {
            text.remove(0);
            if more_comes {
                *self.stream.borrow_mut() = DecoderStream { rest, has_begun: true };
                return Some(text);
            }
        }
        if more_comes {
            let has_begun = has_begun || !text.is_empty();
            *self.stream.borrow_mut() = DecoderStream { rest, has_begun };
        }
        Some(text)
    }
}

/// Decodes; returns the bytes of an incomplete character, and whether there were invalid bytes.
fn utf8(input: &[u8], more_comes: bool, text: &mut String) -> (Vec<u8>, bool) {
    let mut is_faulty = false;
    let mut at = 0;
    for chunk in input.utf8_chunks() {
        text.push_str(chunk.valid());
        at += chunk.valid().len() + chunk.invalid().len();
        if chunk.invalid().is_empty() {
            continue;
        }
        let is_cut = std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
        if more_comes && is_cut && at == input.len() {
            return (chunk.invalid().to_vec(), is_faulty);
        }
        is_faulty = true;
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (Vec::new(), is_faulty)
}

fn utf16(input: &[u8], more_comes: bool, read: fn([u8; 2]) -> u16, text: &mut String) -> (Vec<u8>, bool) {
    let (pairs, odd) = input.as_chunks::<2>();
    let mut units: Vec<u16> = pairs.iter().map(|pair| read(*pair)).collect();
    let mut rest = odd.to_vec();
    if more_comes && units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
        units.pop();
        rest = [&pairs[pairs.len() - 1][..], odd].concat();
    }
    let mut is_faulty = false;
    for letter in char::decode_utf16(units) {
        is_faulty |= letter.is_err();
        text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !more_comes && !rest.is_empty() {
        is_faulty = true;
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (rest, is_faulty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoder(label: &str, is_fatal: bool, keeps_mark: bool) -> TextDecoder {
        let encoding = Encoding::named(label).unwrap();
        TextDecoder { encoding, is_fatal, keeps_mark, stream: RefCell::default() }
    }

    #[test]
    fn a_text_may_be_cut_anywhere() {
        let text = "\u{feff}a\u{17e}\u{20ac}\u{1f40e}\u{feff}z";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (label, bytes) in [("utf-8", text.as_bytes()), ("UTF-16LE", &le), ("utf-16be", &be)] {
            for cut in 0..=bytes.len() {
                let decoder = decoder(label, true, false);
                for _ in 0..2 {
                    let mut read = decoder.decode(&bytes[..cut], true).unwrap();
                    read.push_str(&decoder.decode(&bytes[cut..], false).unwrap());
                    assert_eq!(read, text[3..], "{label} {cut}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_text_is_replaced_or_refused() {
        let check = |label: &str, bytes: &[u8], expect: &str| {
            assert_eq!(decoder(label, false, false).decode(bytes, false).unwrap(), expect, "{bytes:?}");
            assert_eq!(decoder(label, true, false).decode(bytes, false), None, "{bytes:?}");
        };
        check("utf-8", b"a\xffb", "a\u{fffd}b");
        check("utf-8", b"a\xc5", "a\u{fffd}");
        check("utf-16le", &[0x61, 0, 0x3d, 0xd8, 0x61, 0], "a\u{fffd}a");
        check("utf-16le", &[0x61, 0, 0x62], "a\u{fffd}");
        assert_eq!(decoder("utf-8", true, true).decode(b"\xef\xbb\xbfa", false).unwrap(), "\u{feff}a");
    }
}
