//! Packets of a server that may be anything.

use bytes::BytesMut;

use super::packet::{acknowledge, parse};

/// Reads packets until one is broken or not whole.
pub fn mqtt(data: &[u8]) {
    let mut inbox = BytesMut::from(data);
    while let Ok(Some(packet)) = parse(&mut inbox) {
        _ = acknowledge(&packet);
    }
}

#[cfg(test)]
mod tests {
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn broken_packets_are_read() {
        let good: [&[u8]; 5] = [
            &[0x20, 2, 0, 0],
            &[0x34, 8, 0, 1, b't', 0, 9, b'a', b'b', b'c'],
            &[0x90, 4, 0, 1, 0, 0x80],
            &[0xd0, 0, 0x40, 2, 0, 1],
            &[0x30, 0x83, 0, 0, 1, b't'],
        ];
        break_each(&good, super::mqtt);
    }
}
