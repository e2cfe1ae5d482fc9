//! Numbers and fields as protocol buffers write them.

use super::schema::WireType;

/// Appends a varint.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends the number of a field and how its value is written.
pub fn put_tag(out: &mut Vec<u8>, number: u32, wire: WireType) {
    put_varint(out, u64::from(number) << 3 | wire as u64);
}

/// Appends a field of bytes.
pub fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, WireType::Len);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a field with a varint, unless it is zero.
pub fn put_number(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_tag(out, number, WireType::Varint);
        put_varint(out, value);
    }
}

/// A number whose sign is its last bit.
pub fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// The number whose sign is the last bit of `value`.
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// One field on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw<'a> {
    Varint(u64),
    I64([u8; 8]),
    I32([u8; 4]),
    /// Text, bytes, a message, or numbers in a row.
    Len(&'a [u8]),
    /// The fields of a group.
    Group(&'a [u8]),
}

/// Reads fields one after the other.
#[derive(Clone, Debug)]
pub struct WireFields<'a>(pub &'a [u8]);

/// Go's message for bytes that are no fields.
const BROKEN: &str = "proto: cannot parse invalid wire-format data";
/// Groups deeper than this are refused.
const MAX_DEPTH: usize = 100;

impl<'a> WireFields<'a> {
    /// The next field: its number and its value; `None` at the end.
    ///
    /// # Errors
    /// Go's words when these are no fields.
    pub fn next(&mut self) -> Result<Option<(u32, Raw<'a>)>, &'static str> {
        if self.0.is_empty() {
            return Ok(None);
        }
        self.field(0)
    }

    fn field(&mut self, depth: usize) -> Result<Option<(u32, Raw<'a>)>, &'static str> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number)).ok_or(BROKEN)?;
        let raw = match tag & 7 {
            0 => Raw::Varint(self.varint()?),
            1 => Raw::I64(self.array()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| BROKEN)?;
                Raw::Len(self.take(length)?)
            }
            3 if depth < MAX_DEPTH => {
                let begin = self.0;
                loop {
                    let end = self.0.len();
                    match self.field(depth + 1)? {
                        Some(_) => {}
                        None => break Raw::Group(&begin[..begin.len() - end]),
                    }
                }
            }
            4 if depth > 0 => return Ok(None),
            5 => Raw::I32(self.array()?),
            _ => return Err(BROKEN),
        };
        Ok(Some((number, raw)))
    }

    /// A varint without a tag, as numbers in a row are written.
    ///
    /// # Errors
    /// When there is none.
    pub fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0u64;
        for (at, byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.0 = &self.0[at + 1..];
                return Ok(value);
            }
        }
        Err(BROKEN)
    }

    /// The next bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.take(N)?.try_into().map_err(|_| BROKEN)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(BROKEN)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_were_written() {
        let mut out = Vec::new();
        put_number(&mut out, 1, 300);
        put_number(&mut out, 2, 0);
        put_bytes(&mut out, 3, b"text");
        put_number(&mut out, 536_870_911, u64::MAX);
        // A group with a group in it.
        out.extend([0x2b, 0x08, 1, 0x33, 0x34, 0x2c, 0x08, 5]);
        let mut fields = WireFields(&out);
        let mut next = || fields.next().unwrap();
        assert_eq!(next(), Some((1, Raw::Varint(300))));
        assert_eq!(next(), Some((3, Raw::Len(b"text"))));
        assert_eq!(next(), Some((536_870_911, Raw::Varint(u64::MAX))));
        assert_eq!(next(), Some((5, Raw::Group(&[0x08, 1, 0x33, 0x34]))));
        assert_eq!(next(), Some((1, Raw::Varint(5))));
        assert_eq!(next(), None);
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for wire in [&[0x08][..], &[0x0a, 5, 1], &[0x09, 1], &[0x0f], &[0x00, 1], &[0x0c], &[0x0b, 0x08], &[0xff; 11]] {
            assert_eq!(WireFields(wire).next(), Err(BROKEN), "{wire:?}");
        }
        assert_eq!(WireFields(&[0x0b; 200]).next(), Err(BROKEN));
    }

    #[test]
    fn signs_go_to_the_end_and_back() {
        for (value, expect) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)] {
            assert_eq!((zigzag(value), unzigzag(expect)), (expect, value));
        }
    }
}
