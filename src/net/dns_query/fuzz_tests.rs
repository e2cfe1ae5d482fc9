//! Answers of a DNS server that may be anything.

use super::{DnsError, RecordType, decode};

/// An answer, read for every type of record; its first two bytes are the id that was asked with.
pub fn dns(data: &[u8]) {
    let Some(&[high, low]) = data.first_chunk() else { return };
    for kind in [RecordType::A, RecordType::Aaaa, RecordType::Txt] {
        if let Err(DnsError::Failed(text)) = decode(data, u16::from_be_bytes([high, low]), kind) {
            assert!(!text.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn broken_answers_are_read() {
        let good =
            b"\0\x07\x81\x80\0\x01\0\x02\0\0\0\0\x01a\x04test\0\0\x01\0\x01\xc0\x0c\0\x05\0\x01\0\0\0<\0\x02\xc0\x0c\
            \xc0\x0c\0\x01\0\x01\0\0\0<\0\x04\x7f\0\0\x01";
        break_each(&[good, b"\0\x07\x81\x83\0\0\0\0\0\0\0\x01\0\0)\x10\0\x01\0\0\0\0\0"], super::dns);
    }
}
