//! What servers may send, whole and in pieces.

use tokio::io::{AsyncRead, ReadBuf};

use std::pin::Pin;
use std::task::{Context, Poll};

use super::node::changes_protocol;
use super::resp::{RespReader, RespValue, encode};

/// Gives its bytes one at a time.
struct Dripping<'b>(&'b [u8]);

impl AsyncRead for Dripping<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if let Some((first, rest)) = self.0.split_first() {
            buf.put_slice(&[*first]);
            self.0 = rest;
        }
        Poll::Ready(Ok(()))
    }
}

fn read(bytes: &[u8]) -> Result<RespValue, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut whole, mut dripping) = (bytes, Dripping(bytes));
    let at_once = runtime.block_on(RespReader::default().read(&mut whole));
    let in_pieces = runtime.block_on(RespReader::default().read(&mut dripping));
    let [at_once, in_pieces] = [at_once, in_pieces].map(|value| value.map_err(|error| error.to_string()));
    assert_eq!(at_once, in_pieces);
    at_once
}

#[test]
fn answers_are_read() {
    let check = |bytes: &str, expect: RespValue| assert_eq!(read(bytes.as_bytes()), Ok(expect), "{bytes:?}");
    let bulk = |text: &str| RespValue::Bulk(text.as_bytes().to_vec());
    check("+OK\r\n", RespValue::Status("OK".into()));
    check("-ERR no\r\n", RespValue::Error("ERR no".into()));
    check(":-7\r\n", RespValue::Integer(-7));
    check("$-1\r\n", RespValue::Nil);
    check("*-1\r\n", RespValue::Nil);
    check("$0\r\n\r\n", bulk(""));
    check("$4\r\na\r\nb\r\n", bulk("a\r\nb"));
    check("*0\r\n", RespValue::Array(vec![]));
    let nested = RespValue::Array(vec![RespValue::Array(vec![]), bulk("x")]);
    check("*2\r\n*2\r\n*0\r\n$1\r\nx\r\n:3\r\n", RespValue::Array(vec![nested, RespValue::Integer(3)]));
}

#[test]
fn what_is_no_answer_is_an_error() {
    let check = |bytes: &[u8], expect: &str| {
        let error = read(bytes).unwrap_err();
        assert!(error.contains(expect), "{error}");
    };
    check(b"", "unexpected end of file");
    check(b"*2\r\n:1\r\n", "unexpected end of file");
    check(b"HTTP/1.1 400 Bad Request\r\n", "can't parse reply=\"HTTP/1.1 400 Bad Request\"");
    check(b"$99999999999\r\n", "out of range");
    check(b"$-2\r\n", "out of range");
    check(b"*-2\r\n", "negative");
    check(b":x\r\n", "a number was expected");
    check(b"$1\r\nxyz\r\n", "longer than its length");
    check(&b"*1\r\n".repeat(100_000), "nested too deeply");
    check(&vec![b'+'; 1 << 20], "a line is too long");
}

#[test]
fn some_commands_change_a_connection() {
    let check = |words: &[&str], expect: bool| {
        let command: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        assert_eq!(changes_protocol(&command), expect, "{words:?}");
    };
    check(&["subscribe", "a"], true);
    check(&["MONITOR"], true);
    check(&["CLIENT", "reply", "off"], true);
    check(&["CLIENT", "LIST"], false);
    check(&["GET", "SUBSCRIBE"], false);
    check(&[], false);
}

#[test]
fn commands_are_written() {
    let mut bytes = Vec::new();
    encode(&[b"SET".to_vec(), b"k".to_vec(), b"\r\n".to_vec()], &mut bytes);
    assert_eq!(bytes, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\n");
}
