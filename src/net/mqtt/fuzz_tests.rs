//! Packets of a server that may be anything.

use bytes::BytesMut;

use super::packet::{acknowledge, parse};
use super::wire::MqttReader;

/// Reads packets until one is broken or not whole, from a connection and from a WebSocket.
pub fn mqtt(data: &[u8]) {
    for mut wire in [MqttReader::plain(), MqttReader::web_socket()] {
        let mut inbox = BytesMut::new();
        if wire.take(data, &mut inbox).is_ok() {
            packets(inbox);
            _ = wire.reply();
        }
    }
}

fn packets(mut inbox: BytesMut) {
    while let Ok(Some(packet)) = parse(&mut inbox) {
        _ = acknowledge(&packet);
    }
}

#[cfg(test)]
mod tests {
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn broken_packets_are_read() {
        let good: [&[u8]; 6] = [
            &[0x20, 2, 0, 0],
            &[0x34, 8, 0, 1, b't', 0, 9, b'a', b'b', b'c'],
            &[0x90, 4, 0, 1, 0, 0x80],
            &[0xd0, 0, 0x40, 2, 0, 1],
            &[0x30, 0x83, 0, 0, 1, b't'],
            // In a WebSocket: a packet in two messages, a ping between them, the end.
            &[0x82, 3, 0x20, 2, 0, 0x89, 1, b'p', 0x82, 1, 0, 0x88, 2, 3, 0xe8],
        ];
        break_each(&good, super::mqtt);
    }
}
