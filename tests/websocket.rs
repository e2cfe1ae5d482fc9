//! The WebSocket half of the tests' server, and what is tested of sockets through the whole program: how they end when a
//! run ends, and what many of them cost.
//!
//! The server speaks through tungstenite, so that two libraries have to agree. Its addresses:
//!
//! ```text
//! /ws/echo             gives back what it gets; agrees to the first protocol that is asked for
//! /ws/request          says the headers of the handshake, as JSON
//! /ws/say/TEXT         says this at once
//! /ws/flood/N          says `m0` to `mN-1` at once
//! /ws/ping             pings, then says what the pong said
//! /ws/raw/HEX          sends these bytes at once, whatever they are
//! /ws/close/CODE/TEXT  says goodbye at once
//! /ws/cut              says `soon` and cuts the connection
//! /ws/cookie           sets a cookie in the handshake
//! /ws/tell/KEY         GET /told/KEY gives the close frame it got: `CODE TEXT`
//! ```

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::protocol::{CloseFrame, Role, WebSocket};
use tungstenite::{Message, handshake::derive_accept_key};

/// The close frames that came, by the key of their connection.
static TOLD: Mutex<Option<HashMap<String, String>>> = Mutex::new(None);
static CAME: Condvar = Condvar::new();

/// The close frame of the connection with this key, once it is there.
pub fn told(key: &str) -> String {
    let told = TOLD.lock().expect("nobody panicked");
    let missing = |told: &mut Option<HashMap<String, String>>| !told.get_or_insert_default().contains_key(key);
    let (mut told, _) = CAME.wait_timeout_while(told, Duration::from_secs(20), missing).expect("nobody panicked");
    told.get_or_insert_default().get(key).cloned().unwrap_or_else(|| "nothing".to_owned())
}

fn tell(key: &str, text: String) {
    TOLD.lock().expect("nobody panicked").get_or_insert_default().insert(key.to_owned(), text);
    CAME.notify_all();
}

/// Shakes hands and does what the path says, until the client leaves.
pub fn serve(mut stream: TcpStream, path: &str, headers: &[(String, String)]) -> io::Result<()> {
    let header =
        |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let key = header("Sec-WebSocket-Key").map(String::as_str).unwrap_or_default();
    let mut more = String::new();
    if let (Some(protocols), "/ws/echo") = (header("Sec-WebSocket-Protocol"), path) {
        more += &format!("Sec-WebSocket-Protocol: {}\r\n", protocols.split(',').next().unwrap_or_default());
    }
    if path == "/ws/cookie" {
        more += "Set-Cookie: from=socket; Path=/\r\n";
    }
    let accept = derive_accept_key(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Twice: a\r\nX-Twice: b\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )?;
    let parts: Vec<_> = path.trim_start_matches("/ws/").splitn(3, '/').collect();
    if let ["raw", bytes] = parts.as_slice() {
        stream.write_all(&unhex(bytes))?;
        return io::copy(&mut stream, &mut io::sink()).map(drop);
    }
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    // Whoever leaves in the middle of something is the client's business.
    _ = speak(&mut socket, &parts, headers);
    Ok(())
}

fn speak(
    socket: &mut WebSocket<TcpStream>,
    parts: &[&str],
    headers: &[(String, String)],
) -> Result<(), tungstenite::Error> {
    match parts {
        ["request"] => {
            let map: serde_json::Map<String, Value> =
                headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            socket.send(Message::text(Value::from(map).to_string()))?;
        }
        ["say", text] => socket.send(Message::text(*text))?,
        ["flood", count] => {
            for number in 0..count.parse().unwrap_or(0) {
                socket.write(Message::text(format!("m{number}")))?;
            }
            socket.flush()?;
        }
        ["ping"] => socket.send(Message::Ping("who?".into()))?,
        ["close", code, rest @ ..] => {
            let reason = rest.first().copied().unwrap_or_default().into();
            let code = code.parse().unwrap_or(1000u16).into();
            socket.close(Some(CloseFrame { code, reason }))?;
        }
        ["cut"] => {
            socket.send(Message::text("soon"))?;
            return Ok(());
        }
        _ => {}
    }
    loop {
        match socket.read()? {
            message @ (Message::Text(_) | Message::Binary(_)) if parts == ["echo"] => socket.send(message)?,
            Message::Pong(payload) if parts == ["ping"] => {
                socket.send(Message::text(format!("pong {}", String::from_utf8_lossy(&payload))))?;
            }
            Message::Close(frame) => {
                if let ["tell", key] = parts {
                    let said = frame.map(|frame| format!("{} {}", u16::from(frame.code), frame.reason));
                    tell(key, said.unwrap_or_else(|| "none".to_owned()));
                }
            }
            _ => {}
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}
