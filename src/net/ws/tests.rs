//! Connections against servers of a few lines: what is told, in which order, and what travels.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use sha1::{Digest, Sha1};

use super::*;
use crate::net::{Config, Net};

/// A server of one connection: it shakes hands with these headers more, then `then` has it.
fn serve(headers: &'static str, then: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read_head(&mut stream);
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let hash = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
        let accept = base64::engine::general_purpose::STANDARD.encode(hash);
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
        then(stream);
    });
    address
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Reads one short frame of a client: its first byte and its payload.
fn frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 6];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[1] & 0x80, 0x80, "a client masks");
    let mut payload = vec![0; usize::from(head[1] & 0x7f)];
    stream.read_exact(&mut payload).unwrap();
    payload.iter_mut().zip(head[2..].iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    (head[0], payload)
}

#[test]
fn a_proxy_tunnels_whatever_is_spoken() {
    let (report, asked) = std::sync::mpsc::channel();
    let behind = serve("", |mut stream| stream.write_all(b"\x88\x02\x03\xe8").unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        report.send(read_head(&mut stream)).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut inside = TcpStream::connect(behind).unwrap();
        let (mut back, mut forth) = (inside.try_clone().unwrap(), stream.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut back, &mut forth));
        _ = std::io::copy(&mut stream, &mut inside);
    });
    let proxy = crate::net::ProxyConfig { http: Some(format!("http://me:pw@{proxy}")), ..Default::default() };
    let net = Net::start(Config { proxy, ..Config::default() }, 1, &crate::log::Logger::silent()).unwrap();
    let told = talk_to(&net, "ws://far.test/", false, &[]);
    assert_eq!(told, ["open 101", "closed Some(1000) websocket: close 1000 (normal)"]);
    let asked = asked.recv().unwrap();
    assert!(asked.starts_with("CONNECT far.test:80 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("Proxy-Authorization: Basic bWU6cHc=\r\n"), "{asked}");
}

/// Opens a connection; what is told until it is over, in short words.
fn talk(net: &Arc<Net>, address: SocketAddr, deflate: bool, say: &[OutgoingMessage]) -> Vec<String> {
    talk_to(net, &format!("ws://{address}/"), deflate, say)
}

fn talk_to(net: &Arc<Net>, url: &str, deflate: bool, say: &[OutgoingMessage]) -> Vec<String> {
    let client = HttpClient::new(net.client(0));
    let ask = HandshakeRequest::new(url, Vec::new()).map(|ask| ask.deflate(deflate));
    let (channel, _) = open(&client, ask);
    say.iter().for_each(|said| channel.send(said.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut all = Vec::new();
        loop {
            let told =
                tokio::time::timeout(Duration::from_secs(20), channel.clone().next()).await.expect("an event comes");
            all.push(match told.event {
                SocketEvent::Open(answer) => format!("open {}", answer.status),
                SocketEvent::Text(text) => format!("text {}", String::from_utf8_lossy(&text)),
                SocketEvent::Binary(bytes) => format!("binary {bytes:?}"),
                SocketEvent::Ping => "ping".to_owned(),
                SocketEvent::Pong(time) => format!("pong {}", time.is_some()),
                SocketEvent::Failed(refused) => {
                    all.push(format!("failed {} {:?}", refused.text, refused.response.map(|answer| answer.status)));
                    return all;
                }
                SocketEvent::Closed(farewell) => {
                    all.push(format!("closed {:?} {}", farewell.code, farewell.text()));
                    return all;
                }
            });
        }
    })
}

fn net() -> Arc<Net> {
    Net::start(Config::default(), 1, &crate::log::Logger::silent()).unwrap()
}

fn close(code: u16) -> OutgoingMessage {
    OutgoingMessage::Close(code, String::new())
}

#[test]
fn both_sides_talk_and_we_leave() {
    let address = serve("", |mut stream| {
        assert_eq!(frame(&mut stream), (0x81, b"hi".to_vec()));
        assert_eq!(frame(&mut stream), (0x89, b"7".to_vec()));
        stream.write_all(b"\x8a\x017\x8a\x019\x89\x02ab\x82\x02\x01\x02").unwrap();
        let mut rest = [frame(&mut stream), frame(&mut stream)];
        rest.sort();
        assert_eq!(rest, [(0x88, b"\x0b\xb8".to_vec()), (0x8a, b"ab".to_vec())]);
        stream.write_all(b"\x88\x02\x0b\xb8").unwrap();
    });
    let say = [OutgoingMessage::Text("hi".to_owned()), OutgoingMessage::Ping(7), close(3000)];
    let told = talk(&net(), address, false, &say);
    let expect =
        ["open 101", "pong true", "pong false", "ping", "binary [1, 2]", "closed Some(3000) websocket: close 3000"];
    assert_eq!(told, expect);
}

#[test]
fn the_server_leaves_and_is_answered() {
    let address = serve("", |mut stream| {
        stream.write_all(b"\x81\x01x\x88\x05\x03\xe9bye").unwrap();
        assert_eq!(frame(&mut stream), (0x88, b"\x03\xe9".to_vec()));
    });
    let told = talk(&net(), address, false, &[]);
    assert_eq!(told, ["open 101", "text x", "closed Some(1001) websocket: close 1001 (going away): bye"]);
}

#[test]
fn whatever_else_ends_a_connection_is_told() {
    let net = net();
    let check = |sent: &'static [u8], last: &str| {
        let address = serve("", move |mut stream| stream.write_all(sent).unwrap());
        assert_eq!(talk(&net, address, false, &[]).last().map(String::as_str), Some(last));
    };
    check(b"\x81\x05He", "closed Some(1006) websocket: close 1006 (abnormal closure): unexpected EOF");
    check(b"\x83\x00", "closed None websocket: bad opcode 3");
    let address = serve("", |mut stream| {
        stream.write_all(b"\x81\x80").unwrap();
        assert_eq!(frame(&mut stream), (0x88, b"\x03\xeabad MASK".to_vec()));
    });
    talk(&net, address, false, &[]);
    let address = serve("Sec-WebSocket-Extensions: permessage-deflate\r\n", drop);
    assert_eq!(talk(&net, address, true, &[]), ["failed websocket: invalid compression negotiation Some(101)"]);
}

#[test]
fn messages_are_packed_where_that_was_agreed() {
    let agreed =
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";
    let server = |mut stream: TcpStream| {
        let (first, payload) = frame(&mut stream);
        let message = match first {
            0xc1 => deflate::decompress(&payload, 1000).unwrap(),
            _ => payload,
        };
        assert_eq!((first & 0x8f, &*message), (0x81, &b"ha ha ha"[..]));
        stream.write_all(&[0xc1, 7, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).unwrap();
        stream.write_all(b"\x88\x00").unwrap();
    };
    let say = [OutgoingMessage::Text("ha ha ha".to_owned())];
    let told = talk(&net(), serve(agreed, server), true, &say);
    assert_eq!(told, ["open 101", "text Hello", "closed Some(1005) websocket: close 1005 (no status)"]);
    let told = talk(&net(), serve(agreed, server), false, &say);
    assert_eq!(told, ["open 101", "closed None websocket: RSV1 set"]);
}

#[test]
fn a_script_that_takes_nothing_stops_the_server() {
    const SENT: usize = 64 << 20;
    let (report, sent) = std::sync::mpsc::channel();
    let address = serve("", move |mut stream| {
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut frame = b"\x82\x7f\0\0\0\0\0\x01\0\0".to_vec();
        frame.extend([7; 65536]);
        let mut count = 0;
        while count < SENT && stream.write_all(&frame).is_ok() {
            count += 65536;
        }
        report.send(count).unwrap();
    });
    let client = HttpClient::new(net().client(0));
    let (channel, _) = open(&client, HandshakeRequest::new(&format!("ws://{address}/"), Vec::new()));
    let count = sent.recv().unwrap();
    // The kernel's buffers hold some megabytes.
    assert!(count < SENT, "{count} bytes were taken from the server");
    drop(channel);
}

#[test]
fn who_leaves_is_flushed() {
    let (report, heard) = std::sync::mpsc::channel();
    let address = serve("", move |mut stream| {
        report.send([frame(&mut stream), frame(&mut stream)]).unwrap();
        // No answer.
        _ = stream.read(&mut [0]);
    });
    let client = HttpClient::new(net().client(0));
    let (channel, _) = open(&client, HandshakeRequest::new(&format!("ws://{address}/"), Vec::new()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        assert!(matches!(channel.clone().next().await.event, SocketEvent::Open(_)));
        channel.send(OutgoingMessage::Text("last words".to_owned()));
        channel.detach(1001);
        channel.clone().flushed().await;
        let mut written = Vec::new();
        channel.take_written(&mut written);
        assert_eq!(written.iter().map(|written| written.bytes).collect::<Vec<_>>(), [10, 0]);
        channel.clone().ended().await;
    });
    assert_eq!(heard.recv().unwrap(), [(0x81, b"last words".to_vec()), (0x88, b"\x03\xe9".to_vec())]);
}

#[test]
fn a_network_that_is_gone_says_so() {
    let client = HttpClient::new(Net::idle().client(0));
    let (channel, _) = open(&client, HandshakeRequest::new("ws://127.0.0.1:1/", Vec::new()));
    let told = channel.try_next().expect("it is over");
    assert!(matches!(told.event, SocketEvent::Closed(farewell) if farewell.code.is_none()));
}

/// The next event, in short words.
fn next_event(channel: &Arc<SocketChannel>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let next = async { tokio::time::timeout(Duration::from_secs(20), channel.clone().next()).await };
    match runtime.block_on(next).expect("an event comes").event {
        SocketEvent::Open(answer) => format!("open {}", answer.status),
        SocketEvent::Failed(refused) => format!("failed {}", refused.text),
        SocketEvent::Closed(farewell) => format!("closed {:?}", farewell.code),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_handshake_that_is_given_up_ends_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let net = net();
    let client = HttpClient::new(net.client(0));
    let (channel, _) =
        open(&client, HandshakeRequest::new(&format!("ws://{}/", listener.local_addr().unwrap()), Vec::new()));
    let (mut stream, _) = listener.accept().unwrap();
    read_head(&mut stream);
    channel.give_up(1000, String::new());
    assert_eq!(next_event(&channel), "failed context canceled");
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_is_open_by_then_is_sent_a_close_frame() {
    let address = serve("", |mut stream| {
        assert_eq!(frame(&mut stream), (0x88, b"\x0b\xb8bye".to_vec()));
        stream.write_all(b"\x88\x02\x0b\xb8").unwrap();
    });
    let net = net();
    let client = HttpClient::new(net.client(0));
    let (channel, _) = open(&client, HandshakeRequest::new(&format!("ws://{address}/"), Vec::new()));
    assert_eq!(next_event(&channel), "open 101");
    channel.give_up(3000, "bye".to_owned());
    assert_eq!(next_event(&channel), "closed Some(3000)");
}

#[test]
fn connecting_counts_where_it_takes_no_time() {
    const CONNECTIONS: usize = 200;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let accepting = std::thread::spawn(move || {
        let (mut accepted, mut open) = (Vec::new(), Vec::new());
        while accepted.len() < CONNECTIONS {
            if let Ok((stream, _)) = listener.accept() {
                accepted.push(std::time::Instant::now());
                open.push(stream);
            }
        }
        accepted
    });
    let net = net();
    let sockets = stand_in::SocketWatch::new().unwrap();
    sockets.watch_this_thread();
    let http = HttpClient::new(net.client(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = tokio::task::LocalSet::new().block_on(&runtime, async {
        // The kernel begins to stamp some moments after the first socket asked for it.
        let stamped = serve("", |mut stream| stream.write_all(b"\x88\x02\x03\xe8").unwrap());
        let (channel, _) = open(&http, HandshakeRequest::new(&format!("ws://{stamped}/"), Vec::new()));
        while !matches!(channel.clone().next().await.event, SocketEvent::Closed(_)) {}
        if !arrival::is_stamped() {
            return Vec::new();
        }
        let mut began = Vec::new();
        for _ in 0..CONNECTIONS {
            let (channel, _) = open(&http, HandshakeRequest::new(&format!("ws://{address}/"), Vec::new()));
            channel.give_up(1000, String::new());
            match channel.clone().next().await.event {
                SocketEvent::Failed(refused) => began.push(refused.started),
                other => panic!("{other:?}"),
            }
        }
        began
    });
    if !began.is_empty() {
        let accepted = accepting.join().unwrap();
        let late = began.iter().zip(accepted).filter(|(began, accepted)| *began > accepted).count();
        assert_eq!(late, 0, "of {CONNECTIONS} began after the server had them");
    }
}
