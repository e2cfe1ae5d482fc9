//! The source texts of functions, which all VUs share: bytecode of QuickJS holds the text of every function, so that of an inner
//! one many times, and a realm that reads it copies them all. Here it holds a mark instead: where in the module's text it is.
//!
//! In bytecode (`JS_WriteObject`) a text is its length as LEB128 and its bytes, without an offset to it anywhere.

use std::ops::Range;

use rustc_hash::FxHashMap;

/// What a mark begins with: no function's text does.
const MARK: u8 = 1;
/// Shorter texts stay where they are.
const MIN_LEN: usize = 24;
/// Texts of one length are told apart by so many of their first bytes before they are compared.
const HEAD: usize = 16;
/// Where bytecode has its checksum, behind the version; all ones is none.
const CHECKSUM: Range<usize> = 1..5;

/// Bytecode of a module with marks instead of the texts of its functions, which are at `extents` of the module's text.
pub fn mark(bytecode: &[u8], text: &str, extents: &[Range<usize>]) -> Box<[u8]> {
    if extents.is_empty() {
        return bytecode.into();
    }
    let text = text.as_bytes();
    let mut known: FxHashMap<(usize, &[u8]), Vec<&Range<usize>>> = FxHashMap::default();
    for extent in extents.iter().filter(|extent| extent.len() >= MIN_LEN) {
        known.entry((extent.len(), &text[extent.start..extent.start + HEAD])).or_default().push(extent);
    }
    let found = |at: usize| {
        let (len, rest) = leb128(&bytecode[at..])?;
        let body = rest.get(..len).filter(|_| len >= MIN_LEN)?;
        let candidates = known.get(&(len, &body[..HEAD]))?;
        let extent = candidates.iter().find(|extent| text[extent.start..extent.end] == *body)?;
        Some((bytecode.len() - rest.len() + len, *extent))
    };
    let (mut marked, mut at) = (Vec::with_capacity(bytecode.len()), 0);
    while at < bytecode.len() {
        if let Some((end, extent)) = found(at) {
            let mark = format!("{}{}:{}", char::from(MARK), extent.start, extent.end);
            // A mark is shorter than 128 bytes: its length is one.
            marked.push(mark.len() as u8);
            marked.extend_from_slice(mark.as_bytes());
            at = end;
        } else {
            marked.push(bytecode[at]);
            at += 1;
        }
    }
    if marked.len() < bytecode.len() {
        marked[CHECKSUM].fill(0xff);
    }
    marked.into()
}

/// The place in its module that a function's text stands for; `None` if it is a text.
pub fn place(text: &[u8]) -> Option<Range<usize>> {
    let (start, end) = std::str::from_utf8(text.strip_prefix(&[MARK])?).ok()?.split_once(':')?;
    Some(start.parse().ok()?..end.parse().ok()?)
}

/// An unsigned LEB128 number, and what is behind it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_for_texts() {
        let text = "const f = function () { return 'some text'; };";
        let extent = 10..text.len() - 1;
        let mut bytecode = vec![9, 1, 2, 3, 4, 0, 35];
        bytecode.extend_from_slice(&text.as_bytes()[extent.clone()]);
        bytecode.push(7);
        assert_eq!(&*mark(&bytecode, text, std::slice::from_ref(&extent)), b"\x09\xff\xff\xff\xff\0\x06\x0110:45\x07");
        assert_eq!(&*mark(&bytecode, text, &[]), &bytecode[..]);
        assert_eq!(place(b"\x0110:45"), Some(extent));
        assert_eq!(place(b"function"), None);
    }

    #[test]
    fn long_lengths_are_read() {
        assert_eq!(leb128(&[0x80 | 5, 2, 9]), Some((261, &[9][..])));
        assert_eq!(leb128(&[0xff; 9]), None);
    }
}
