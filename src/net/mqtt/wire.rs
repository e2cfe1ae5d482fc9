//! What packets travel in: the bytes of a connection, or the binary messages of a WebSocket (MQTT 3.1.1, section 6), whose borders
//! mean nothing.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::packet::DISCONNECT;
use crate::net::ws::close;
use crate::net::ws::frame::{self, FrameParser, Message, opcode};

/// The subprotocol of WebSockets that carry MQTT.
pub const SUBPROTOCOL: &str = "mqtt";
/// So much is read at once, if there is as much.
const READ_LEN: usize = 16 * 1024;

/// A packet as it is written to the connection.
pub(super) fn framed(packet: Bytes, is_web_socket: bool) -> Bytes {
    if !is_web_socket {
        return packet;
    }
    let mut frames = Vec::new();
    frame::write(&mut frames, opcode::BINARY, false, &packet);
    frames.into()
}

/// The last packet, and the end of the WebSocket where there is one.
pub(super) fn farewell(is_web_socket: bool) -> Bytes {
    let disconnect = Bytes::from_static(&DISCONNECT);
    if !is_web_socket {
        return disconnect;
    }
    let mut frames = framed(disconnect, true).to_vec();
    frame::write(&mut frames, opcode::CLOSE, false, &close::payload(close::NORMAL, ""));
    frames.into()
}

/// Reads what packets are made of.
#[derive(Debug)]
pub(super) struct MqttReader {
    web_socket: Option<WebSocketReader>,
}

#[derive(Debug, Default)]
struct WebSocketReader {
    frames: FrameParser,
    /// What is owed to the server: pongs, and the answer to its close frame.
    replies: Vec<u8>,
    is_closed: bool,
}

impl MqttReader {
    /// Of a connection of its own.
    pub(super) fn plain() -> Self {
        Self { web_socket: None }
    }

    /// Of a WebSocket.
    pub(super) fn web_socket() -> Self {
        Self { web_socket: Some(WebSocketReader::default()) }
    }

    pub(super) fn is_web_socket(&self) -> bool {
        self.web_socket.is_some()
    }

    /// Appends what arrives next; 0 is the end.
    ///
    /// # Errors
    /// The connection failed, or what came is no WebSocket's.
    pub(super) async fn read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        inbox: &mut BytesMut,
    ) -> io::Result<usize> {
        let Some(web_socket) = &self.web_socket else {
            inbox.reserve(READ_LEN);
            return stream.read_buf(inbox).await;
        };
        if web_socket.is_closed {
            return Ok(0);
        }
        let mut piece = BytesMut::with_capacity(READ_LEN);
        let length = stream.read_buf(&mut piece).await?;
        self.take(&piece, inbox)?;
        Ok(length)
    }

    /// Appends what these bytes of a WebSocket bring.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn take(&mut self, bytes: &[u8], inbox: &mut BytesMut) -> io::Result<()> {
        let Some(web_socket) = &mut self.web_socket else {
            inbox.extend_from_slice(bytes);
            return Ok(());
        };
        let WebSocketReader { frames, replies, is_closed } = web_socket;
        let mut is_text = false;
        let mut each = |message| match message {
            Message::Binary(packets) => inbox.extend_from_slice(&packets),
            Message::Text(_) => is_text = true,
            Message::Ping(payload) => frame::write(replies, opcode::PONG, false, &payload),
            Message::Pong(_) => {}
            Message::Close(code, _) => {
                let code = if code == close::NO_STATUS { close::NORMAL } else { code };
                frame::write(replies, opcode::CLOSE, false, &close::payload(code, ""));
                *is_closed = true;
            }
        };
        let invalid = |text| io::Error::new(io::ErrorKind::InvalidData, text);
        frames.push(bytes, &mut each).map_err(|error| invalid(error.text))?;
        while frames.is_busy() {
            frames.advance(&mut each).map_err(|error| invalid(error.text))?;
        }
        if is_text {
            Err(invalid("MQTT travels in binary messages, the server sent a text".to_owned()))
        } else {
            Ok(())
        }
    }

    /// What has to be written for the WebSocket's own sake.
    pub(super) fn reply(&mut self) -> Option<Vec<u8>> {
        let replies = &mut self.web_socket.as_mut()?.replies;
        (!replies.is_empty()).then(|| std::mem::take(replies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of a server: its first byte, and a short payload.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        [&[first, payload.len() as u8], payload].concat()
    }

    #[test]
    fn packets_come_out_of_messages_of_any_size() {
        let all = [
            frame(0x82, b"ab"),
            frame(0x02, b"c"),
            frame(0x89, b"hey"),
            frame(0x80, b"de"),
            frame(0x82, b""),
            frame(0x88, b"\x03\xe8bye"),
        ]
        .concat();
        for size in [1, 2, 5, 100] {
            let (mut wire, mut inbox) = (MqttReader::web_socket(), BytesMut::new());
            all.chunks(size).for_each(|piece| wire.take(piece, &mut inbox).unwrap());
            assert_eq!(inbox[..], *b"abcde", "{size}");
            // Both are masked, so only their heads are known.
            let reply = wire.reply().unwrap();
            assert_eq!((reply[0], reply[1], reply[9], reply[10]), (0x8a, 0x83, 0x88, 0x82), "{size}");
            assert_eq!(wire.reply(), None);
        }
    }

    #[test]
    fn what_is_no_binary_message_is_refused() {
        let check = |bytes: &[u8], expect: &str| {
            let error = MqttReader::web_socket().take(bytes, &mut BytesMut::new()).unwrap_err();
            assert!(error.to_string().contains(expect), "{error}");
        };
        check(&frame(0x81, b"x"), "the server sent a text");
        check(&frame(0x83, b"x"), "bad opcode 3");
    }
}
