//! The packets of MQTT 3.1.1.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// A larger packet of a server ends the session.
const MAX_PACKET: usize = 16 << 20;
/// A length takes at most so many bytes.
const MAX_LENGTH_BYTES: usize = 4;

/// How surely a message is delivered.
#[allow(clippy::enum_variant_names, reason = "the words of the standard")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Qos {
    /// Perhaps.
    #[default]
    AtMostOnce,
    /// Surely, and perhaps more than once.
    AtLeastOnce,
    /// Once.
    ExactlyOnce,
}

impl Qos {
    /// The one of this number.
    pub fn of(number: u8) -> Option<Self> {
        [Self::AtMostOnce, Self::AtLeastOnce, Self::ExactlyOnce].get(usize::from(number)).copied()
    }
}

/// What a server publishes when we are gone without a farewell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Will {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Bytes,
    /// How surely.
    pub qos: Qos,
    /// The server keeps it for those who come later.
    pub is_retained: bool,
}

/// What a session begins with.
#[derive(Debug)]
pub(super) struct Hello<'c> {
    pub client_id: &'c str,
    pub username: Option<&'c str>,
    pub password: Option<&'c str>,
    pub will: Option<&'c Will>,
    pub keepalive: u16,
    pub is_clean: bool,
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    ConnAck { code: u8 },
    Publish { topic: String, payload: Bytes, qos: Qos, id: u16 },
    PubAck { id: u16 },
    PubRec { id: u16 },
    PubRel { id: u16 },
    PubComp { id: u16 },
    SubAck { id: u16, codes: Vec<u8> },
    UnsubAck { id: u16 },
    PingResp,
}

const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const PUBREC: u8 = 5;
const PUBREL: u8 = 6;
const PUBCOMP: u8 = 7;
const SUBSCRIBE: u8 = 8;
const UNSUBSCRIBE: u8 = 10;

/// A packet that only says that we are there, and the last one.
pub(super) const PINGREQ: [u8; 2] = [0xc0, 0];
pub(super) const DISCONNECT: [u8; 2] = [0xe0, 0];

/// Takes the next packet out of what has arrived; `None` while it is not whole.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(inbox: &mut BytesMut) -> Result<Option<Packet>, String> {
    let Some((head, body_at, length)) = head(inbox)? else { return Ok(None) };
    if inbox.len() < body_at + length {
        return Ok(None);
    }
    inbox.advance(body_at);
    let body = inbox.split_to(length).freeze();
    packet(head, body).map(Some).ok_or_else(|| format!("malformed packet of type {}", head >> 4))
}

/// The first byte, where the body begins, and its length.
fn head(inbox: &[u8]) -> Result<Option<(u8, usize, usize)>, String> {
    let mut length = 0;
    for at in 0..MAX_LENGTH_BYTES {
        let Some(byte) = inbox.get(1 + at) else { return Ok(None) };
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return match length > MAX_PACKET {
                true => Err(format!("a packet of {length} bytes is too large")),
                false => Ok(Some((inbox[0], 2 + at, length))),
            };
        }
    }
    Err("malformed length of a packet".to_owned())
}

fn packet(head: u8, mut body: Bytes) -> Option<Packet> {
    let packet = match head >> 4 {
        2 => Packet::ConnAck { code: *body.get(1)? },
        PUBLISH => {
            let topic_len = usize::from(body.try_get_u16().ok()?);
            if body.len() < topic_len {
                return None;
            }
            let topic = String::from_utf8(body.split_to(topic_len).to_vec()).ok()?;
            let qos = Qos::of(head >> 1 & 3)?;
            let id = if qos == Qos::AtMostOnce { 0 } else { body.try_get_u16().ok()? };
            Packet::Publish { topic, payload: body, qos, id }
        }
        PUBACK => Packet::PubAck { id: body.try_get_u16().ok()? },
        PUBREC => Packet::PubRec { id: body.try_get_u16().ok()? },
        PUBREL => Packet::PubRel { id: body.try_get_u16().ok()? },
        PUBCOMP => Packet::PubComp { id: body.try_get_u16().ok()? },
        9 => Packet::SubAck { id: body.try_get_u16().ok()?, codes: body.to_vec() },
        11 => Packet::UnsubAck { id: body.try_get_u16().ok()? },
        13 => Packet::PingResp,
        _ => return None,
    };
    Some(packet)
}

/// Why a server does not let us in.
pub(super) fn refusal(code: u8) -> String {
    match code {
        1 => "unacceptable protocol version".to_owned(),
        2 => "identifier rejected".to_owned(),
        3 => "server Unavailable".to_owned(),
        4 => "bad user name or password".to_owned(),
        5 => "not Authorized".to_owned(),
        other => format!("connection refused with code {other}"),
    }
}

fn framed(head: u8, body: &[u8]) -> Bytes {
    let mut packet = BytesMut::with_capacity(body.len() + 5);
    packet.put_u8(head);
    let mut length = body.len();
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        packet.put_u8(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet.freeze()
}

/// A text, or bytes, and before them their length, which the caller has checked.
fn put(body: &mut Vec<u8>, bytes: &[u8]) {
    body.put_u16(bytes.len() as u16);
    body.extend_from_slice(bytes);
}

pub(super) fn connect(hello: &Hello<'_>) -> Bytes {
    let mut body = Vec::new();
    put(&mut body, b"MQTT");
    body.push(4);
    let mut flags = u8::from(hello.is_clean) << 1;
    if let Some(will) = hello.will {
        flags |= 1 << 2 | (will.qos as u8) << 3 | u8::from(will.is_retained) << 5;
    }
    flags |= u8::from(hello.password.is_some()) << 6 | u8::from(hello.username.is_some()) << 7;
    body.push(flags);
    body.put_u16(hello.keepalive);
    put(&mut body, hello.client_id.as_bytes());
    if let Some(will) = hello.will {
        put(&mut body, will.topic.as_bytes());
        put(&mut body, &will.payload);
    }
    for text in [hello.username, hello.password].into_iter().flatten() {
        put(&mut body, text.as_bytes());
    }
    framed(CONNECT << 4, &body)
}

pub(super) fn publish(topic: &str, payload: &[u8], qos: Qos, is_retained: bool, id: u16) -> Bytes {
    let mut body = Vec::with_capacity(topic.len() + payload.len() + 4);
    put(&mut body, topic.as_bytes());
    if qos != Qos::AtMostOnce {
        body.put_u16(id);
    }
    body.extend_from_slice(payload);
    framed(PUBLISH << 4 | (qos as u8) << 1 | u8::from(is_retained), &body)
}

/// The answers that only name a message.
pub(super) fn acknowledge(packet: &Packet) -> Option<Bytes> {
    let (kind, id) = match packet {
        Packet::Publish { qos: Qos::AtLeastOnce, id, .. } => (PUBACK << 4, id),
        Packet::Publish { qos: Qos::ExactlyOnce, id, .. } => (PUBREC << 4, id),
        Packet::PubRec { id } => (PUBREL << 4 | 2, id),
        Packet::PubRel { id } => (PUBCOMP << 4, id),
        _ => return None,
    };
    Some(framed(kind, &id.to_be_bytes()))
}

pub(super) fn subscribe(topics: &[(String, Qos)], id: u16) -> Bytes {
    let mut body = id.to_be_bytes().to_vec();
    for (topic, qos) in topics {
        put(&mut body, topic.as_bytes());
        body.push(*qos as u8);
    }
    framed(SUBSCRIBE << 4 | 2, &body)
}

pub(super) fn unsubscribe(topics: &[(String, Qos)], id: u16) -> Bytes {
    let mut body = id.to_be_bytes().to_vec();
    for (topic, _) in topics {
        put(&mut body, topic.as_bytes());
    }
    framed(UNSUBSCRIBE << 4 | 2, &body)
}
