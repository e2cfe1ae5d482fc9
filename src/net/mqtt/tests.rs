//! Packets, there and back.

use bytes::{Bytes, BytesMut};

use super::packet::{Hello, Packet, Qos, Will, acknowledge, connect, parse, publish, subscribe, unsubscribe};

#[test]
fn packets_are_written() {
    let hello = Hello { client_id: "c", username: None, password: None, will: None, keepalive: 60, is_clean: true };
    assert_eq!(connect(&hello)[..], *b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c");
    let will =
        Will { topic: "w".to_owned(), payload: Bytes::from_static(b"x"), qos: Qos::AtLeastOnce, is_retained: true };
    let hello = Hello { username: Some("u"), password: Some("p"), will: Some(&will), is_clean: false, ..hello };
    assert_eq!(
        connect(&hello)[..],
        *b"\x10\x19\x00\x04MQTT\x04\xec\x00\x3c\x00\x01c\x00\x01w\x00\x01x\x00\x01u\x00\x01p"
    );
    assert_eq!(publish("t", b"ab", Qos::AtMostOnce, true, 7)[..], *b"\x31\x05\x00\x01tab");
    assert_eq!(publish("t", b"ab", Qos::ExactlyOnce, false, 7)[..], *b"\x34\x07\x00\x01t\x00\x07ab");
    assert_eq!(publish("t", &[0; 200], Qos::AtMostOnce, false, 0)[..3], *b"\x30\xcb\x01");
    let topics = [("a".to_owned(), Qos::ExactlyOnce), ("b".to_owned(), Qos::AtMostOnce)];
    assert_eq!(subscribe(&topics, 1)[..], *b"\x82\x0a\x00\x01\x00\x01a\x02\x00\x01b\x00");
    assert_eq!(unsubscribe(&topics, 1)[..], *b"\xa2\x08\x00\x01\x00\x01a\x00\x01b");
}

#[test]
fn packets_are_read() {
    let check = |bytes: &[u8], expect: Result<Option<Packet>, &str>, left: usize| {
        let mut inbox = BytesMut::from(bytes);
        assert_eq!(parse(&mut inbox), expect.map_err(str::to_owned), "{bytes:?}");
        assert_eq!(inbox.len(), left, "{bytes:?}");
    };
    let message = |payload: &'static [u8], qos: Qos, id: u16| Packet::Publish {
        topic: "t".to_owned(),
        payload: Bytes::from_static(payload),
        qos,
        id,
    };
    check(b"", Ok(None), 0);
    check(b"\x20\x02\x00", Ok(None), 3);
    check(b"\x20\x02\x00\x05rest", Ok(Some(Packet::ConnAck { code: 5 })), 4);
    check(b"\x30\x04\x00\x01tx", Ok(Some(message(b"x", Qos::AtMostOnce, 0))), 0);
    check(b"\x32\x05\x00\x01t\x00\x09", Ok(Some(message(b"", Qos::AtLeastOnce, 9))), 0);
    check(b"\x90\x04\x00\x01\x00\x80", Ok(Some(Packet::SubAck { id: 1, codes: vec![0, 0x80] })), 0);
    check(b"\x36\x05\x00\x01t\x00\x09", Err("malformed packet of type 3"), 0);
    check(b"\x30\x03\x00\x09t", Err("malformed packet of type 3"), 0);
    check(b"\x40\x01\x00", Err("malformed packet of type 4"), 0);
    check(b"\x00\x00", Err("malformed packet of type 0"), 0);
    check(b"\x30\xff\xff\xff\xff\x01", Err("malformed length of a packet"), 6);
    check(b"\x30\xff\xff\xff\x7f", Err("a packet of 268435455 bytes is too large"), 5);
    assert_eq!(acknowledge(&message(b"", Qos::ExactlyOnce, 9)).unwrap()[..], *b"\x50\x02\x00\x09");
    assert_eq!(acknowledge(&Packet::PubRec { id: 9 }).unwrap()[..], *b"\x62\x02\x00\x09");
    assert_eq!(acknowledge(&Packet::PubAck { id: 9 }), None);
}
